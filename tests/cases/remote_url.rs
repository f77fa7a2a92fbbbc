//! The URL git is given, the repository it is read from, and what git's configuration makes of it.

use std::ffi::OsString;
use std::path::Path;

use crate::harness::case::{Expected, advised, broken, case};
use crate::harness::namespace::{FOREIGN, HOME};
use crate::harness::remedies::fixed;
use crate::harness::world::{CLOUD, NOBODY, World};

#[test]
fn configuration_file_is_broken() {
    broken("git-config-broken", |world| {
        world.plain();
        world.write(".gitconfig", "[user]\n\tname = dev\n[core\n", 0o644);
    });
}

#[test]
fn configuration_of_the_repository_is_broken() {
    broken("git-config-broken", |world| {
        world.plain();
        world.repository(true);
        world.write("work/.git/config", "[core]\n\tbare = false\n[remote \"origin\"\n", 0o644);
    });
}

#[test]
fn ssh_is_forbidden_by_configuration() {
    broken("git-protocol-denied", |world| {
        world.plain();
        world.git_config("protocol.ssh.allow", "never");
    });
}

#[test]
fn ssh_is_forbidden_by_the_environment() {
    broken("git-protocol-denied", |world| {
        world.plain();
        world.set("GIT_ALLOW_PROTOCOL", "https");
    });
}

#[test]
fn repository_of_another_account() {
    broken("git-refuses-repository", |world| {
        world.plain();
        world.repository(true);
        let foreign = Path::new(FOREIGN).join("repository");
        if foreign.exists() {
            world.cwd = foreign;
        } else {
            // Without root nothing can be made to belong to somebody else; git has a switch for its own tests.
            world.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
        }
        world.git = Some(["fetch", "origin"].map(OsString::from).to_vec());
    });
}

#[test]
fn old_name_refuses() {
    broken("host-retired", |world| world.both_names(NOBODY, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org"));
}

#[test]
fn old_name_swallows_packets() {
    broken("host-retired", |world| {
        let nowhere = world.black_hole();
        world.both_names(nowhere, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org");
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn old_name_still_answers() {
    advised(&["host-retired"], |world| world.both_names(CLOUD, "bitbucket.org", "bitbucket.org"));
}

#[test]
fn old_name_refuses_every_command() {
    fixed("host-retired", |world| {
        world.both_names(CLOUD, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org");
        world.rename("ssh.bitbucket.org", "127.0.0.5");
        world.listen.push(("127.0.0.5", 22));
        let words = "SSH is no longer served here; use git@ssh.bitbucket.org instead.";
        world.rule("before", &format!("case $SSH_CONNECTION in *' {CLOUD} '*) echo '{words}' >&2; exit 1 ;; esac"));
    });
}

/// The question is whether `origin` can be pushed to, by a repository with a commit.
fn push_to_origin(world: &mut World) {
    world.user(&["git", "-c", "user.name=dev", "-c", "user.email=dev@example.com", "commit", "-q", "--allow-empty", "-m", "first"]);
    world.args.push("--push".into());
    world.git = Some(["push", "-q", "--dry-run", "origin", "HEAD:refs/heads/second"].map(OsString::from).to_vec());
}

#[test]
fn url_for_pushing_has_a_slip() {
    fixed("url-malformed", |world| {
        world.plain();
        world.repository(true);
        let slip = world.text("git@{host}/acme/app.git");
        world.user(&["git", "remote", "set-url", "--push", "origin", &slip]);
        push_to_origin(world);
    });
}

#[test]
fn pushing_is_blocked_by_a_word() {
    broken("url-malformed", |world| {
        world.plain();
        world.repository(true);
        world.user(&["git", "remote", "set-url", "--push", "origin", "no_push"]);
        push_to_origin(world);
    });
}

#[test]
fn worktree_has_lost_its_repository() {
    broken("git-refuses-repository", |world| {
        world.plain();
        world.write("tree/.git", "gitdir: /srv/app/.git/worktrees/tree\n", 0o644);
        world.cwd = Path::new(HOME).join("tree");
    });
}

#[test]
fn variable_names_a_repository_that_is_gone() {
    broken("git-refuses-repository", |world| {
        world.plain();
        world.repository(true);
        world.set("GIT_DIR", "/srv/gone/.git");
    });
}

#[test]
fn bare_repositories_are_kept_out() {
    fixed("git-refuses-repository", |world| {
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
    fixed("url-not-ssh", |world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
    });
}

#[test]
fn protocol_of_the_future() {
    fixed("git-config-broken", |world| {
        world.plain();
        world.git_config("protocol.version", "9");
    });
}

#[test]
fn rule_makes_https_of_ssh_for_pushing() {
    fixed("url-not-ssh", |world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.pushInsteadOf", "git@{host}:");
        world.push();
    });
}

#[test]
fn login_name_in_the_command() {
    let codes = ["user-not-git"];
    case(
        Expected::Broken,
        &codes,
        |world| world.ssh_command("ssh -l alice"),
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert_eq!(report["verdict"]["next_step"]["id"], "drop-option", "the URL has git@ already: {report:#}");
        },
    );
}

#[test]
fn slash_where_the_colon_belongs() {
    broken("url-malformed", |world| world.plain_at("git@{host}/acme/app.git"));
}

#[test]
fn ssh_scheme_with_a_colon_path() {
    broken("url-malformed", |world| world.plain_at("ssh://git@{host}:acme/app.git"));
}

#[test]
fn port_in_the_short_form() {
    broken("url-malformed", |world| world.plain_at("git@{host}:22/acme/app.git"));
}

#[test]
fn pasted_together_with_the_command() {
    broken("url-malformed", |world| world.plain_at("git clone git@{host}:acme/app.git"));
}

#[test]
fn leading_blank() {
    broken("url-malformed", |world| world.plain_at(" git@{host}:acme/app.git"));
}

#[test]
fn scheme_without_slashes() {
    broken("url-malformed", |world| world.plain_at("ssh:git@{host}:acme/app.git"));
}

#[test]
fn scheme_in_capitals() {
    broken("url-malformed", |world| world.plain_at("SSH://git@{host}/acme/app.git"));
}

#[test]
fn zero_width_space_in_the_host() {
    broken("url-malformed", |world| world.plain_at("git@{host}\u{200b}:acme/app.git"));
}

#[test]
fn another_login_name_in_the_url() {
    broken("user-not-git", |world| world.plain_at("ssh://alice@{host}/acme/app.git"));
}

#[test]
fn no_login_name_in_the_url() {
    broken("user-not-git", |world| world.plain_at("ssh://{host}/acme/app.git"));
}

#[test]
fn https_url_where_ssh_is_meant() {
    advised(&["url-not-ssh"], |world| {
        world.plain();
        let ssh = world.url.clone();
        world.url(if world.host == "bitbucket.org" {
            "https://bitbucket.org/acme/app.git"
        } else {
            "https://dev@bitbucket.org/acme/app.git"
        });
        // The examined question is that of the same repository's SSH URL: whichever name the service has here.
        world.rename("bitbucket.org", CLOUD);
        world.rename("ssh.bitbucket.org", CLOUD);
        world.know("bitbucket.org,ssh.bitbucket.org");
        world.git = Some(vec!["ls-remote".into(), ssh]);
    });
}

#[test]
fn https_url_rewritten_to_ssh() {
    advised(&["url-rewritten"], |world| {
        world.plain();
        world.git_config("url.git@{host}:.insteadOf", "https://bitbucket.org/");
        world.url("https://bitbucket.org/acme/app.git");
    });
}

#[test]
fn a_host_bbdoctor_does_not_know() {
    advised(&["url-not-bitbucket"], |world| {
        world.plain();
        world.name("git.example.com", CLOUD);
        world.know("git.example.com");
        world.url("git@git.example.com:acme/app.git");
    });
}

#[test]
fn no_remote_in_this_repository() {
    broken("no-remote", |world| {
        world.plain();
        world.repository(false);
    });
}

#[test]
fn port_of_data_center_in_the_short_form() {
    fixed("url-malformed", |world| world.described_data_center("git@git.example.com:7999/acme/app.git"));
}

#[test]
fn backslashes() {
    fixed("url-malformed", |world| world.plain_at("git@{host}\\acme\\app.git"));
}

#[test]
fn password_before_the_host() {
    fixed("url-malformed", |world| world.plain_at("git:secret@{host}:acme/app.git"));
}
