//! What the account of the accepted key may do, and what the service says about it.

use crate::harness::case::{broken, broken_with};
use crate::harness::remedies::fixed;

#[test]
fn remote_at_a_data_center_that_nobody_described() {
    broken("repository-not-found", |world| {
        world.data_center();
        world.refusal_of_a_data_center();
        world.origin("ssh://git@git.example.com:7999/acme/gone.git");
    });
}

#[test]
fn repository_is_misspelt() {
    broken("repository-access-denied", |world| {
        world.plain();
        world.url("git@{host}:acme/ap.git");
    });
}

#[test]
fn repository_does_not_exist_any_more() {
    broken("repository-not-found", |world| {
        world.plain();
        world.url("git@{host}:acme/gone.git");
        world.rule("no-repository", "conq: repository does not exist.");
    });
}

#[test]
fn account_has_no_access() {
    broken("repository-access-denied", |world| {
        world.plain();
        world.rule("deny-read.dev", "conq: repository access denied.");
    });
}

#[test]
fn access_key_may_only_read() {
    broken("repository-read-only", |world| {
        world.plain();
        world.rule("deny-write.dev", "conq: repository access denied. access via a deployment key is read-only.");
        world.push();
    });
}

#[test]
fn access_key_of_another_repository() {
    broken("access-key-other-repository", |world| {
        world.plain();
        world.rule(
            "greeting",
            "authenticated via a deploy key.\n\nYou can use git to connect to Bitbucket. Shell access is disabled.\n\n\
             This deploy key has read access to the following repositories:\n\nacme/other: build -- dev@example.com",
        );
        let refusal = "conq: repository access denied. deployment key is not associated with the requested repository.";
        world.rule("deny-read.dev", refusal);
    });
}

#[test]
fn address_is_not_on_the_list() {
    broken("ip-not-allowed", |world| {
        world.plain();
        world.rule("deny-read.dev", "To access this repository, an admin must whitelist your IP.");
    });
}

#[test]
fn second_factor_is_required() {
    broken("two-step-required", |world| {
        world.plain();
        world.rule("deny-read.dev", "To access this repository, enable two-step verification.");
    });
}

#[test]
fn plan_has_too_many_users() {
    broken("user-limit-exceeded", |world| {
        world.plain();
        let alert = "[ALERT] Your push failed because the account 'acme' has exceeded its\n\
                     [ALERT] user limit and this repository is restricted to read-only access.";
        world.rule("deny-write.dev", alert);
        world.push();
    });
}

#[test]
fn service_has_a_reason_of_its_own() {
    broken("repository-command-failed", |world| {
        world.plain();
        world.rule("deny-read.dev", "Internal server error (request 7f3a), please contact support.");
    });
}

#[test]
fn connection_ends_after_the_login() {
    broken("connection-lost-after-login", |world| {
        world.plain();
        world.rule(
            "before",
            "p=$PPID; until grep -q sshd /proc/$p/comm; do p=$(cut -d' ' -f4 /proc/$p/stat); done; kill -9 $p; sleep 5",
        );
    });
}

#[test]
fn silence_after_the_login() {
    broken("connection-lost-after-login", |world| {
        world.plain();
        world.rule("before", "sleep 600");
        world.hurry();
    });
}

#[test]
fn bytes_that_are_no_text() {
    broken_with("repository-access-denied", &["url-malformed"], |world| {
        world.plain();
        world.url.push(crate::harness::world::not_utf8());
    });
}

#[test]
fn path_of_https_for_data_center() {
    fixed("repository-not-found", |world| world.described_data_center("ssh://git@git.example.com:7999/scm/acme/app.git"));
}

#[test]
fn page_of_the_web_site() {
    fixed("repository-access-denied", |world| world.plain_at("git@{host}:acme/app/src/main/"));
}

#[test]
fn branch_as_pip_wants_it() {
    fixed("repository-access-denied", |world| world.plain_at("git+ssh://git@{host}/acme/app.git@v1.0"));
}
