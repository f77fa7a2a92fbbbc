//! Settings of ssh that hide the key or the agent.

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::remedies::fixed;

#[test]
fn public_keys_are_switched_off() {
    broken("publickey-disabled", |world| world.plain_with("Host *\n  PubkeyAuthentication no\n"));
}

#[test]
fn only_passwords_are_preferred() {
    broken("publickey-disabled", |world| world.plain_with("Host *\n  PreferredAuthentications password,keyboard-interactive\n"));
}

#[test]
fn named_key_does_not_exist() {
    broken("identity-file-missing", |world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbuket\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn named_key_does_not_exist_and_hides_the_default_one() {
    broken_with("identity-file-missing", &["key-not-offered"], |world| {
        world.plain_with("Host {host}\n  IdentityFile ~/.ssh/old\n")
    });
}

#[test]
fn path_with_a_variable_that_ssh_does_not_expand() {
    broken("identity-file-missing", |world| world.key_named("bitbucket", "Host {host}\n  IdentityFile $HOME/.ssh/bitbucket\n"));
}

#[test]
fn only_the_wrong_identity() {
    broken("identities-only-excludes-key", |world| {
        world.stranger("github");
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.config("Host {host}\n  IdentityFile ~/.ssh/github\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn block_for_all_hosts_comes_first() {
    broken_with("identity-file-missing", &["key-not-offered"], |world| {
        world.stranger("company");
        world.key_named(
            "bitbucket",
            "Host *\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/company\n\nHost {host}\n  IdentityFile ~/.ssh/bitbucket_key\n",
        );
    });
}

#[test]
fn agent_named_here_is_not_the_one_with_the_key() {
    broken("identity-agent-overrides", |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.config("Host *\n  IdentityAgent ~/.1password/agent.sock\n");
    });
}

#[test]
fn agents_are_switched_off() {
    broken("agent-disabled", |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.config("Host *\n  IdentityAgent none\n");
    });
}

#[test]
fn condition_of_the_block_is_false() {
    broken("match-exec-blocks-key", |world| {
        world.key_named("bitbucket", "Match host {host} exec \"test -e /run/vpn\"\n  IdentityFile ~/.ssh/bitbucket\n");
    });
}

#[test]
fn condition_of_the_block_never_answers() {
    broken("match-exec-hangs", |world| {
        world.plain_with("Match host {host} exec \"sleep 600\"\n  User git\n");
        world.hurry();
    });
}

#[test]
fn variable_that_is_not_set() {
    broken("identity-file-missing", |world| world.plain_with("Host {host}\n  IdentityFile ${KEYS}/id_ed25519\n"));
}

#[test]
fn typographic_quotes_around_the_key() {
    broken_with("identity-file-missing", &["config-encoding"], |world| {
        world.plain_with("Host {host}\n  IdentityFile \u{201c}~/.ssh/id_ed25519\u{201d}\n");
    });
}

#[test]
fn named_key_is_missing_and_the_next_works() {
    advised(&["identity-file-missing"], |world| {
        world.plain();
        world.config("Host {host}\n  IdentityFile ~/.ssh/old_laptop\n  IdentityFile ~/.ssh/id_ed25519\n");
    });
}

#[test]
fn agent_is_switched_off_and_not_needed() {
    advised(&["agent-disabled"], |world| {
        world.plain();
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("Host {host}\n  IdentityAgent none\n");
    });
}

#[test]
fn another_agent_is_asked_and_not_needed() {
    advised(&["identity-agent-overrides"], |world| {
        world.plain();
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("Host {host}\n  IdentityAgent ~/nobody.sock\n");
    });
}

#[test]
fn path_as_on_windows() {
    fixed("identity-file-missing", |world| world.key_named("bitbucket", "Host {host}\n  IdentityFile ~\\.ssh\\bitbucket\n"));
}

#[test]
fn path_that_cannot_be_expanded_before_one_that_can() {
    broken("identity-file-missing", |world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/%x\n  IdentityFile ~/.ssh/bitbucket\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn block_is_for_another_login_name() {
    fixed("match-exec-blocks-key", |world| {
        world.key_named("bitbucket", "Match user bitbucket host *.org\n  IdentityFile ~/.ssh/bitbucket\n");
    });
}

#[test]
fn ssh_command_takes_the_agent_away() {
    broken("agent-disabled", |world| {
        world.key_named("bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.set("GIT_SSH_COMMAND", "env -u SSH_AUTH_SOCK ssh");
    });
}

#[test]
fn relative_path_begins_where_it_was_typed() {
    broken("identity-file-missing", |world| {
        world.relative_key("../keys/bitbucket");
        world.stranger("id_ed25519");
    });
}
