//! After the key exchange: which key is accepted, and what its account may do.

use crate::case::broken;
use crate::world::World;

/// Two accounts with a key each; `personal` may not read the repository.
pub(crate) fn two_accounts(world: &mut World) {
    for name in ["personal", "work"] {
        world.keygen(name, "ed25519", "", "");
        world.authorize(name, name);
    }
    world.know("{host}");
    world.rule("deny-read.personal", "repository access denied.");
}

#[test]
fn key_was_never_registered() {
    broken(&["key-not-registered"], |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
    });
}

#[test]
fn key_was_removed_from_the_account() {
    broken(&["key-not-registered"], |world| {
        world.plain();
        world.authorized.clear();
    });
}

#[test]
fn key_has_an_unusual_name() {
    broken(&["key-not-offered"], |world| {
        world.key("bitbucket");
        world.know("{host}");
    });
}

#[test]
fn key_has_an_unusual_name_and_an_agent_holds_another() {
    broken(&["key-not-offered"], |world| {
        world.stranger("github");
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["github"]);
    });
}

#[test]
fn the_other_account_comes_first() {
    broken(&["wrong-key"], |world| {
        two_accounts(world);
        world.agent(&["personal", "work"]);
    });
}

#[test]
fn the_configuration_names_the_other_account() {
    broken(&["wrong-key"], |world| {
        two_accounts(world);
        world.config("Host {host}\n  IdentityFile ~/.ssh/personal\n  IdentityFile ~/.ssh/work\n");
    });
}

#[test]
fn signatures_of_the_last_century_only() {
    broken(&["signature-algorithm-rejected", "key-not-registered", "authentication-failed"], |world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.sshd("PubkeyAcceptedAlgorithms ssh-rsa");
    });
}

#[test]
fn a_key_is_not_enough() {
    broken(&["authentication-failed"], |world| {
        world.plain();
        world.sshd("PasswordAuthentication yes");
        world.sshd("AuthenticationMethods publickey,password");
    });
}

#[test]
fn repository_is_misspelt() {
    broken(&["repository-not-found", "repository-access-denied"], |world| {
        world.plain();
        world.url("git@{host}:acme/ap.git");
    });
}

#[test]
fn repository_does_not_exist_any_more() {
    broken(&["repository-not-found"], |world| {
        world.plain();
        world.url("git@{host}:acme/gone.git");
        world.rule("no-repository", "conq: repository does not exist.");
    });
}

#[test]
fn account_has_no_access() {
    broken(&["repository-access-denied"], |world| {
        world.plain();
        world.rule("deny-read.dev", "conq: repository access denied.");
    });
}

#[test]
fn access_key_may_only_read() {
    broken(&["repository-read-only"], |world| {
        world.plain();
        world.rule("deny-write.dev", "conq: repository access denied. access via a deployment key is read-only.");
        world.push();
    });
}

#[test]
fn access_key_of_another_repository() {
    broken(&["access-key-other-repository"], |world| {
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
    broken(&["ip-not-allowed"], |world| {
        world.plain();
        world.rule("deny-read.dev", "To access this repository, an admin must whitelist your IP.");
    });
}

#[test]
fn second_factor_is_required() {
    broken(&["two-step-required"], |world| {
        world.plain();
        world.rule("deny-read.dev", "To access this repository, enable two-step verification.");
    });
}

#[test]
fn plan_has_too_many_users() {
    broken(&["user-limit-exceeded"], |world| {
        world.plain();
        let alert = "[ALERT] Your push failed because the account 'acme' has exceeded its\n\
                     [ALERT] user limit and this repository is restricted to read-only access.";
        world.rule("deny-write.dev", alert);
        world.push();
    });
}

#[test]
fn service_has_a_reason_of_its_own() {
    broken(&["repository-command-failed"], |world| {
        world.plain();
        world.rule("deny-read.dev", "Internal server error (request 7f3a), please contact support.");
    });
}

#[test]
fn connection_ends_after_the_login() {
    broken(&["connection-lost-after-login"], |world| {
        world.plain();
        world.rule(
            "before",
            "p=$PPID; until grep -q sshd /proc/$p/comm; do p=$(cut -d' ' -f4 /proc/$p/stat); done; kill -9 $p; sleep 5",
        );
    });
}

#[test]
fn silence_after_the_login() {
    broken(&["connection-lost-after-login"], |world| {
        world.plain();
        world.rule("before", "sleep 600");
        world.hurry();
    });
}

#[test]
fn service_greets_into_the_conversation() {
    broken(&["transport-noise"], |world| {
        world.plain();
        world.rule("before", "echo Welcome to the service");
    });
}
