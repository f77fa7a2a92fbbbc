//! Which key is offered, and which the server accepts.

use std::fs;

use crate::harness::case::{Expected, broken, broken_by_one_of, broken_with, case};
use crate::harness::namespace::chmod;
use crate::harness::remedies::fixed;
use crate::harness::world::{CLOUD, NOBODY};

#[test]
fn seven_keys_before_the_right_one() {
    broken("too-many-keys", |world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7"];
        for name in names {
            world.stranger(name);
        }
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&[&names[..], &["bitbucket"]].concat());
        for name in names {
            world.forget(name);
        }
    });
}

#[test]
fn pattern_is_misspelt() {
    broken_with("key-not-offered", &["config-host-pattern-typo"], |world| {
        world.key_named("bitbucket", "Host bitbuket.org\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn pattern_has_a_capital() {
    broken_with("key-not-offered", &["config-host-pattern-typo"], |world| {
        world.key_named("bitbucket", "Host Bitbucket.org SSH.Bitbucket.org\n  IdentityFile ~/.ssh/bitbucket\n");
    });
}

#[test]
fn pattern_has_a_login_name() {
    broken_with("key-not-offered", &["config-host-pattern-typo"], |world| {
        world.key_named("bitbucket", "Host git@{host}\n  IdentityFile ~/.ssh/bitbucket\n");
    });
}

#[test]
fn included_inside_the_block_of_another_host() {
    broken("key-not-offered", |world| {
        world.key_named("bitbucket", "Host github.com\n  Include bitbucket.conf\n");
        world.write(".ssh/bitbucket.conf", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o600);
    });
}

#[test]
fn messages_are_switched_off() {
    broken("key-not-registered", |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  LogLevel QUIET\n");
    });
}

#[test]
fn configuration_that_names_the_key_cannot_be_read() {
    broken_with("key-not-offered", &["config-unreadable"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn configuration_is_for_the_old_name() {
    broken("key-not-offered", |world| {
        world.rename("bitbucket.org", NOBODY);
        world.rename("ssh.bitbucket.org", CLOUD);
        world.key("bitbucket");
        world.know("ssh.bitbucket.org");
        world.config("Host bitbucket.org\n  IdentityFile ~/.ssh/bitbucket\n");
        world.url = "git@ssh.bitbucket.org:acme/app.git".into();
    });
}

#[test]
fn agent_holds_the_named_key_of_the_other_account() {
    fixed("wrong-key", |world| {
        world.two_accounts();
        world.agent(&["personal"]);
        world.config("Host *\n  AddKeysToAgent yes\n  IdentityFile ~/.ssh/personal\n");
    });
}

#[test]
fn ssh_command_names_the_key_of_the_other_account() {
    fixed("wrong-key", |world| {
        world.two_accounts();
        world.git_config("core.sshCommand", "ssh -i ~/.ssh/personal");
    });
}

#[test]
fn agent_holds_eight_named_keys_before_the_right_one() {
    fixed("too-many-keys", |world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        for name in names {
            world.stranger(name);
        }
        let lines = names.map(|name| format!("  IdentityFile ~/.ssh/{name}\n")).concat();
        world.key_named("right", &format!("Host *\n{lines}  IdentityFile ~/.ssh/right\n"));
        world.agent(&names);
    });
}

#[test]
fn copies_of_one_key_are_refused_one_by_one() {
    fixed("too-many-keys", |world| {
        world.stranger("old");
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        for name in names {
            world.user(&["cp", ".ssh/old", &format!(".ssh/{name}")]);
            world.user(&["cp", ".ssh/old.pub", &format!(".ssh/{name}.pub")]);
        }
        let lines = names.map(|name| format!("  IdentityFile ~/.ssh/{name}\n")).concat();
        world.key_named("right", &format!("Host *\n{lines}  IdentityFile ~/.ssh/right\n"));
    });
}

#[test]
fn no_configuration_is_read() {
    fixed("key-not-offered", |world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        world.git_config("core.sshCommand", "ssh -F none");
    });
}

#[test]
fn a_folder_stands_in_place_of_the_configuration() {
    fixed("key-not-offered", |world| {
        world.key("bitbucket");
        world.know("{host}");
        fs::create_dir(world.ssh("config")).unwrap();
    });
}

#[test]
fn configuration_that_names_the_key_is_shut() {
    fixed("key-not-offered", |world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn quotes_in_the_name_of_the_key() {
    fixed("key-not-offered", |world| world.key_named("dev's \"new\" key", ""));
}

#[test]
fn key_in_a_folder_of_its_own() {
    fixed("key-not-offered", |world| {
        fs::create_dir(world.ssh("keys")).unwrap();
        world.key_named("keys/bitbucket", "");
    });
}

#[test]
fn last_of_many_keys() {
    broken("key-not-offered", |world| {
        for n in 0..24 {
            world.stranger(&format!("k{n:02}"));
        }
        world.key_named("our-bitbucket", "");
    });
}

#[test]
fn too_few_bits_for_the_client() {
    // Which of these it is called depends on whether ssh refuses the key when it reads it (and how it says so) or when it would offer it.
    broken_by_one_of(&["key-too-small", "algorithms-restricted", "key-corrupt", "key-not-offered"], |world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.config("Host *\n  RequiredRSASize 4096\n");
    });
}

#[test]
fn certificate_is_for_somebody_else() {
    broken("certificate-rejected", |world| world.certificate(&["-n", "alice"]));
}

#[test]
fn token_beside_a_key_that_is_not_registered() {
    broken("key-not-registered", |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  PKCS11Provider /usr/lib/token.so\n");
    });
}

#[test]
fn unregistered_key_behind_a_proxy() {
    broken("key-not-registered", |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.carrier("");
    });
}

#[test]
fn key_was_never_registered() {
    broken("key-not-registered", |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
    });
}

#[test]
fn key_was_removed_from_the_account() {
    broken("key-not-registered", |world| {
        world.plain();
        world.authorized.clear();
    });
}

#[test]
fn key_has_an_unusual_name() {
    broken("key-not-offered", |world| {
        world.key("bitbucket");
        world.know("{host}");
    });
}

#[test]
fn key_has_an_unusual_name_and_an_agent_holds_another() {
    broken("key-not-offered", |world| {
        world.stranger("github");
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["github"]);
    });
}

#[test]
fn the_other_account_comes_first() {
    broken("wrong-key", |world| {
        world.two_accounts();
        world.agent(&["personal", "work"]);
    });
}

#[test]
fn the_configuration_names_the_other_account() {
    broken("wrong-key", |world| {
        world.two_accounts();
        world.config("Host {host}\n  IdentityFile ~/.ssh/personal\n  IdentityFile ~/.ssh/work\n");
    });
}

#[test]
fn signatures_of_the_last_century_only() {
    // A server that takes no signature this client can make answers as one that does not know the key.
    broken_by_one_of(&["signature-algorithm-rejected", "key-not-registered", "authentication-failed"], |world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.sshd("PubkeyAcceptedAlgorithms ssh-rsa");
    });
}

#[test]
fn a_key_is_not_enough() {
    broken("authentication-failed", |world| {
        world.plain();
        world.sshd("PasswordAuthentication yes");
        world.sshd("AuthenticationMethods publickey,password");
    });
}

#[test]
fn command_without_any_configuration() {
    let codes = ["key-not-offered"];
    case(
        Expected::Broken,
        &codes,
        |world| {
            world.key("deploy");
            world.know("{host}");
            world.set("GIT_SSH_COMMAND", "ssh -F /dev/null");
        },
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert_eq!(report["verdict"]["next_step"]["id"], "ssh-command", "no file is read: {report:#}");
        },
    );
}
