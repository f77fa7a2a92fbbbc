//! ssh's configuration as effect: settings that lead elsewhere, hide the key, or are fatal for git.

use crate::case::{advised, broken};
use crate::namespace::HOME;
use crate::server::{Names, hang, serve_unix};
use crate::world::World;

fn with_config(text: &'static str) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        world.config(text);
    }
}

/// The registered key has an unusual name that only the configuration can make known.
fn with_named_key(text: &'static str) -> impl FnOnce(&mut World) {
    move |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.config(text);
    }
}

#[test]
fn host_name_leads_nowhere() {
    broken(&["hostname-overridden", "dns-failure"], |world| {
        with_config("Host {host}\n  HostName git.old.example.com\n")(world);
        world.name_server(Names::Unknown);
    });
}

#[test]
fn port_of_another_server() {
    broken(&["port-overridden"], |world| with_config("Host *\n  Port 2222\n")(world));
}

#[test]
fn port_of_the_data_center_in_the_url() {
    broken(&["port-overridden", "port-refused"], |world| {
        world.plain();
        world.url("ssh://git@{host}:7999/acme/app.git");
    });
}

#[test]
fn public_keys_are_switched_off() {
    broken(&["publickey-disabled"], |world| with_config("Host *\n  PubkeyAuthentication no\n")(world));
}

#[test]
fn only_passwords_are_preferred() {
    broken(&["publickey-disabled"], |world| {
        with_config("Host *\n  PreferredAuthentications password,keyboard-interactive\n")(world)
    });
}

#[test]
fn key_exchange_of_the_last_century() {
    broken(&["algorithms-restricted", "no-common-algorithm"], |world| {
        with_config("Host *\n  KexAlgorithms diffie-hellman-group1-sha1\n")(world);
    });
}

#[test]
fn ciphers_the_service_does_not_have() {
    broken(&["algorithms-restricted", "no-common-algorithm"], |world| {
        with_config("Host *\n  Ciphers aes128-cbc\n")(world);
        world.sshd("Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com");
    });
}

#[test]
fn host_key_algorithm_the_service_does_not_have() {
    broken(&["algorithms-restricted", "no-common-algorithm"], |world| {
        with_config("Host {host}\n  HostKeyAlgorithms ecdsa-sha2-nistp521\n")(world);
    });
}

#[test]
fn user_key_algorithm_is_not_accepted_here() {
    broken(&["algorithms-restricted"], |world| with_config("Host *\n  PubkeyAcceptedAlgorithms rsa-sha2-512\n")(world));
}

#[test]
fn named_key_does_not_exist() {
    broken(&["identity-file-missing"], |world| {
        with_named_key("Host {host}\n  IdentityFile ~/.ssh/bitbuket\n  IdentitiesOnly yes\n")(world);
    });
}

#[test]
fn named_key_does_not_exist_and_hides_the_default_one() {
    broken(&["identity-file-missing", "key-not-offered"], |world| with_config("Host {host}\n  IdentityFile ~/.ssh/old\n")(world));
}

#[test]
fn path_with_a_variable_that_ssh_does_not_expand() {
    broken(&["identity-file-missing"], |world| with_named_key("Host {host}\n  IdentityFile $HOME/.ssh/bitbucket\n")(world));
}

#[test]
fn only_the_wrong_identity() {
    broken(&["identities-only-excludes-key"], |world| {
        world.stranger("github");
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.config("Host {host}\n  IdentityFile ~/.ssh/github\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn block_for_all_hosts_comes_first() {
    broken(&["identities-only-excludes-key", "key-not-offered", "identity-file-missing"], |world| {
        world.stranger("company");
        with_named_key(
            "Host *\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/company\n\nHost {host}\n  IdentityFile ~/.ssh/bitbucket_key\n",
        )(world);
    });
}

#[test]
fn pattern_is_misspelt() {
    broken(&["key-not-offered", "config-host-pattern-typo"], |world| {
        with_named_key("Host bitbuket.org\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n")(world);
    });
}

#[test]
fn pattern_has_a_capital() {
    broken(&["key-not-offered", "config-host-pattern-typo"], |world| {
        with_named_key("Host Bitbucket.org SSH.Bitbucket.org\n  IdentityFile ~/.ssh/bitbucket\n")(world);
    });
}

#[test]
fn pattern_has_a_login_name() {
    broken(&["key-not-offered", "config-host-pattern-typo"], |world| {
        with_named_key("Host git@{host}\n  IdentityFile ~/.ssh/bitbucket\n")(world);
    });
}

#[test]
fn included_inside_the_block_of_another_host() {
    broken(&["key-not-offered"], |world| {
        with_named_key("Host github.com\n  Include bitbucket.conf\n")(world);
        world.write(".ssh/bitbucket.conf", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o600);
    });
}

#[test]
fn agent_named_here_is_not_the_one_with_the_key() {
    broken(&["identity-agent-overrides"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.config("Host *\n  IdentityAgent ~/.1password/agent.sock\n");
    });
}

#[test]
fn agents_are_switched_off() {
    broken(&["agent-disabled"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.config("Host *\n  IdentityAgent none\n");
    });
}

#[test]
fn condition_of_the_block_is_false() {
    broken(&["match-exec-blocks-key"], |world| {
        with_named_key("Match host {host} exec \"test -e /run/vpn\"\n  IdentityFile ~/.ssh/bitbucket\n")(world);
    });
}

#[test]
fn condition_of_the_block_never_answers() {
    broken(&["match-exec-hangs"], |world| {
        with_config("Match host {host} exec \"sleep 600\"\n  User git\n")(world);
        world.hurry();
    });
}

#[test]
fn host_keys_are_not_checked() {
    advised(&["host-key-checking-disabled"], |world| {
        world.key("id_ed25519");
        world.config("Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n");
    });
}

#[test]
fn known_hosts_are_kept_elsewhere() {
    broken(&["known-hosts-file-overridden"], |world| with_config("Host *\n  UserKnownHostsFile ~/.ssh/known_hosts_work\n")(world));
}

#[test]
fn control_path_is_too_long() {
    broken(&["control-path-unusable"], |world| {
        let long = "master-connections-of-this-machine-".repeat(3);
        world.plain();
        world.config(format!("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/{long}%C\n"));
    });
}

#[test]
fn folder_of_the_control_path_is_missing() {
    broken(&["control-path-unusable"], |world| {
        with_config("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/masters/%C\n")(world)
    });
}

#[test]
fn master_connection_hangs() {
    broken(&["control-path-unusable"], |world| {
        with_config("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master\n")(world);
        serve_unix(&world.ssh("master"), hang);
        world.hurry();
    });
}

#[test]
fn master_connection_of_another_account() {
    broken(&["control-master-other-account", "wrong-key"], |world| {
        world.keygen("personal", "ed25519", "", "");
        world.keygen("work", "ed25519", "", "");
        world.authorize("personal", "personal");
        world.authorize("work", "work");
        world.know("{host}");
        world.rule("deny-read.personal", "repository access denied.");
        world.config("Host {host}\n  ControlPath ~/.ssh/master\n  IdentityFile ~/.ssh/work\n  IdentitiesOnly yes\n");
        world.start();
        let login = format!("git@{}", world.host);
        world.spawn(&[
            "ssh",
            "-F",
            "none",
            "-N",
            "-M",
            "-S",
            &format!("{HOME}/.ssh/master"),
            "-i",
            &format!("{HOME}/.ssh/personal"),
            &login,
        ]);
        let master = world.ssh("master");
        crate::world::wait_until("the master connection", || master.exists());
    });
}

#[test]
fn local_command_speaks() {
    broken(&["session-option-breaks-git", "transport-noise"], |world| {
        with_config("Host *\n  PermitLocalCommand yes\n  LocalCommand echo welcome to %h\n")(world);
    });
}

#[test]
fn remote_command_is_set() {
    broken(&["session-option-breaks-git"], |world| with_config("Host *\n  RemoteCommand tmux attach\n")(world));
}

#[test]
fn session_without_a_command() {
    broken(&["session-option-breaks-git"], |world| {
        with_config("Host *\n  SessionType none\n")(world);
        world.hurry();
    });
}

#[test]
fn standard_input_is_closed() {
    broken(&["session-option-breaks-git"], |world| {
        with_config("Host *\n  StdinNull yes\n")(world);
        world.hurry();
    });
}

#[test]
fn forwarding_must_succeed_and_cannot() {
    broken(&["session-option-breaks-git"], |world| {
        with_config("Host *\n  LocalForward 127.0.0.2:22 localhost:80\n  ExitOnForwardFailure yes\n")(world);
    });
}

#[test]
fn source_address_is_not_ours() {
    broken(&["network-option-unusable"], |world| with_config("Host *\n  BindAddress 10.9.9.9\n")(world));
}

#[test]
fn only_ipv6_and_the_name_has_none() {
    broken(&["network-option-unusable", "dns-failure"], |world| with_config("Host *\n  AddressFamily inet6\n")(world));
}

#[test]
fn messages_are_switched_off() {
    broken(&["key-not-registered"], |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  LogLevel QUIET\n");
    });
}

#[test]
fn host_name_leads_to_a_dead_end() {
    broken(&["hostname-overridden"], |world| {
        world.name("git.example.com", crate::world::NOBODY);
        with_config("Host {host}\n  HostName git.example.com\n")(world);
    });
}

#[test]
fn only_a_type_of_host_key_that_nobody_has() {
    broken(&["algorithms-restricted"], |world| with_config("Host {host}\n  HostKeyAlgorithms ssh-dss\n")(world));
}
