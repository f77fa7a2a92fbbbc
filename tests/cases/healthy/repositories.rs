//! Odd URLs, remotes and rewriting rules with which git works.

use crate::harness::case::healthy;

#[test]
fn without_the_suffix() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:acme/app");
    });
}

#[test]
fn absolute_path_in_the_short_form() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:/acme/app.git");
    });
}

#[test]
fn long_form_with_the_port() {
    healthy(|world| {
        world.plain();
        world.url("ssh://git@{host}:22/acme/app.git");
    });
}

#[test]
fn brackets_around_the_host() {
    healthy(|world| {
        world.plain();
        world.url("[git@{host}:22]:acme/app.git");
    });
}

#[test]
fn scheme_of_long_ago() {
    healthy(|world| {
        world.plain();
        world.url("git+ssh://git@{host}/acme/app.git");
    });
}

#[test]
fn host_in_capitals() {
    healthy(|world| {
        world.plain();
        let loud = world.host.to_uppercase();
        world.url(&format!("git@{loud}:acme/app.git"));
    });
}

#[test]
fn empty_repository() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:acme/empty.git");
    });
}

#[test]
fn remote_of_the_repository_here() {
    healthy(|world| {
        world.plain();
        world.repository(true);
    });
}

#[test]
fn push_is_allowed() {
    healthy(|world| {
        world.plain();
        world.push();
    });
}

#[test]
fn only_pushes_use_ssh() {
    healthy(|world| {
        world.plain();
        let ssh = world.text("git@{host}:acme/app.git");
        world.git_config("url.git@{host}:.pushInsteadOf", "https://bitbucket.org/");
        world.url("https://bitbucket.org/acme/app.git");
        world.push();
        assert_ne!(world.url, ssh.as_str());
    });
}

#[test]
fn remote_at_an_alias() {
    healthy(|world| {
        world.key("work");
        world.know("{host}");
        world.config("Host bb-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/work\n");
        world.origin("git@bb-work:acme/app.git");
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
fn longer_rule_keeps_ssh() {
    healthy(|world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
        world.git_config("url.git@{host}:acme/.insteadOf", "git@{host}:acme/");
    });
}
