//! The repository in which git is run, its remotes, and the rules that lead their URLs elsewhere.

use std::ffi::OsString;
use std::path::Path;

use crate::case::{broken, healthy};
use crate::mend::mended;
use crate::namespace::HOME;
use crate::server::Names;
use crate::world::{DATA_CENTER, World};

/// A repository whose `origin` has this URL; bbdoctor is given no target.
fn origin(world: &mut World, url: &str) {
    world.url(url);
    world.repository(true);
}

/// The question is whether `origin` can be pushed to, by a repository with a commit.
fn push_to_origin(world: &mut World) {
    world.user(&["git", "-c", "user.name=dev", "-c", "user.email=dev@example.com", "commit", "-q", "--allow-empty", "-m", "first"]);
    world.args.push("--push".into());
    world.git = Some(["push", "-q", "--dry-run", "origin", "HEAD:refs/heads/second"].map(OsString::from).to_vec());
}

#[test]
fn remote_at_an_alias() {
    healthy(|world| {
        world.key("work");
        world.know("{host}");
        world.config("Host bb-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/work\n");
        origin(world, "git@bb-work:acme/app.git");
    });
}

#[test]
fn remote_at_an_alias_of_another_machine() {
    mended(&["alias-undefined"], |world| {
        world.plain();
        world.rename("ssh.bitbucket.org", crate::world::CLOUD);
        world.know("ssh.bitbucket.org");
        world.name_server(Names::Unknown);
        origin(world, "git@bitbucket.org-work:acme/app.git");
    });
}

#[test]
fn remote_at_a_data_center_that_nobody_described() {
    broken(&["repository-not-found"], |world| {
        world.key("id_ed25519");
        world.listen = vec![(DATA_CENTER, 7999)];
        world.name("git.example.com", DATA_CENTER);
        world.know("[git.example.com]:7999");
        world.rule(
            "no-repository",
            "Repository not found\nThe requested repository does not exist, or you do not have permission to access it.",
        );
        origin(world, "ssh://git@git.example.com:7999/acme/gone.git");
    });
}

#[test]
fn branch_follows_one_of_its_own_repository() {
    healthy(|world| {
        world.plain();
        world.repository(true);
        world.user(&["git", "config", "branch.main.remote", "."]);
        world.user(&["git", "config", "branch.main.merge", "refs/heads/next"]);
    });
}

#[test]
fn url_for_pushing_has_a_slip() {
    mended(&["url-malformed"], |world| {
        world.plain();
        world.repository(true);
        let slip = world.text("git@{host}/acme/app.git");
        world.user(&["git", "remote", "set-url", "--push", "origin", &slip]);
        push_to_origin(world);
    });
}

#[test]
fn pushing_is_blocked_by_a_word() {
    broken(&["url-malformed"], |world| {
        world.plain();
        world.repository(true);
        world.user(&["git", "remote", "set-url", "--push", "origin", "no_push"]);
        push_to_origin(world);
    });
}

#[test]
fn worktree_has_lost_its_repository() {
    broken(&["git-refuses-repository"], |world| {
        world.plain();
        world.write("tree/.git", "gitdir: /srv/app/.git/worktrees/tree\n", 0o644);
        world.cwd = Path::new(HOME).join("tree");
    });
}

#[test]
fn variable_names_a_repository_that_is_gone() {
    broken(&["git-refuses-repository"], |world| {
        world.plain();
        world.repository(true);
        world.set("GIT_DIR", "/srv/gone/.git");
    });
}

#[test]
fn bare_repositories_are_kept_out() {
    mended(&["git-refuses-repository"], |world| {
        world.plain();
        world.user(&["git", "init", "-q", "--bare", "mirror.git"]);
        world.cwd = Path::new(HOME).join("mirror.git");
        let url = world.text("git@{host}:acme/app.git");
        world.user(&["git", "config", "remote.origin.url", &url]);
        world.git_config("safe.bareRepository", "explicit");
        world.target = Some(None);
        world.git = Some(["ls-remote", "origin"].map(OsString::from).to_vec());
    });
}

#[test]
fn rule_makes_https_of_ssh() {
    mended(&["url-not-ssh"], |world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
    });
}

#[test]
fn nobody_asks_https() {
    crate::case::uncertain(|world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
    });
}

#[test]
fn rules_that_are_meant_to_follow_each_other() {
    mended(&["alias-undefined"], |world| {
        world.plain();
        world.rename("ssh.bitbucket.org", crate::world::CLOUD);
        world.know("ssh.bitbucket.org");
        world.name_server(Names::Unknown);
        world.git_config("url.git@{host}:.insteadOf", "corp:");
        world.git_config("url.corp:.insteadOf", "c:");
        world.url("c:acme/app.git");
    });
}

#[test]
fn protocol_of_the_future() {
    mended(&["git-config-broken"], |world| {
        world.plain();
        world.git_config("protocol.version", "9");
    });
}

#[test]
fn rule_makes_https_of_ssh_for_pushing() {
    mended(&["url-not-ssh"], |world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.pushInsteadOf", "git@{host}:");
        world.push();
    });
}

#[test]
fn longer_rule_keeps_ssh() {
    healthy(|world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
        world.git_config("url.git@{host}:acme/.insteadOf", "git@{host}:acme/");
    });
}
