//! Settings of ssh that lead elsewhere, restrict algorithms, or keep known hosts in another place.

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::remedies::fixed;
use crate::harness::server::Names;

#[test]
fn port_of_another_server() {
    broken("port-overridden", |world| world.plain_with("Host *\n  Port 2222\n"));
}

#[test]
fn port_of_the_data_center_in_the_url() {
    broken_with("port-overridden", &["port-refused"], |world| {
        world.plain();
        world.url("ssh://git@{host}:7999/acme/app.git");
    });
}

#[test]
fn key_exchange_of_the_last_century() {
    broken_with("algorithms-restricted", &["no-common-algorithm"], |world| {
        world.plain_with("Host *\n  KexAlgorithms diffie-hellman-group1-sha1\n");
    });
}

#[test]
fn ciphers_the_service_does_not_have() {
    broken_with("algorithms-restricted", &["no-common-algorithm"], |world| {
        world.plain_with("Host *\n  Ciphers aes128-cbc\n");
        world.sshd("Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com");
    });
}

#[test]
fn host_key_algorithm_the_service_does_not_have() {
    broken_with("algorithms-restricted", &["no-common-algorithm"], |world| {
        world.plain_with("Host {host}\n  HostKeyAlgorithms ecdsa-sha2-nistp521\n");
    });
}

#[test]
fn user_key_algorithm_is_not_accepted_here() {
    broken("algorithms-restricted", |world| world.plain_with("Host *\n  PubkeyAcceptedAlgorithms rsa-sha2-512\n"));
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
    broken("known-hosts-file-overridden", |world| world.plain_with("Host *\n  UserKnownHostsFile ~/.ssh/known_hosts_work\n"));
}

#[test]
fn source_address_is_not_ours() {
    broken("network-option-unusable", |world| world.plain_with("Host *\n  BindAddress 10.9.9.9\n"));
}

#[test]
fn host_name_leads_to_a_dead_end() {
    broken("hostname-overridden", |world| {
        world.name("git.example.com", crate::harness::world::NOBODY);
        world.plain_with("Host {host}\n  HostName git.example.com\n");
    });
}

#[test]
fn only_a_type_of_host_key_that_nobody_has() {
    broken("algorithms-restricted", |world| world.plain_with("Host {host}\n  HostKeyAlgorithms ssh-dss\n"));
}

#[test]
fn list_of_ciphers_is_written_out() {
    advised(&["algorithms-restricted"], |world| {
        world.plain();
        world.config("Host *\n  Ciphers aes256-gcm@openssh.com,aes256-ctr\n");
    });
}

#[test]
fn own_known_hosts_file_beside_the_usual_one() {
    advised(&["known-hosts-file-overridden"], |world| {
        world.plain();
        let usual = std::fs::read_to_string(world.ssh("known_hosts")).unwrap();
        world.write(".ssh/known_work", usual, 0o644);
        world.config("Host {host}\n  UserKnownHostsFile ~/.ssh/known_work\n");
    });
}

#[test]
fn algorithm_is_taken_from_the_default() {
    broken("algorithms-restricted", |world| {
        world.plain();
        world.config("Host *\n  PubkeyAcceptedAlgorithms -ssh-ed25519*\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn interface_of_a_vpn_that_is_down() {
    fixed("network-option-unusable", |world| {
        world.plain();
        world.config("Host *\n  BindInterface wg0\n");
    });
}

#[test]
fn interface_of_a_vpn_that_is_down_without_git() {
    broken("network-option-unusable", |world| {
        world.plain();
        world.config("Host *\n  BindInterface wg0\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn name_to_connect_from_does_not_resolve() {
    fixed("network-option-unusable", |world| {
        world.plain();
        world.config("Host *\n  BindAddress desk.example.com\n");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn short_name_that_is_in_none_of_the_domains() {
    broken("network-option-unusable", |world| {
        world.plain();
        world.config("Host *\n  CanonicalizeHostname yes\n  CanonicalDomains corp.example.com\n  CanonicalizeFallbackLocal no\n");
        world.name_server(Names::Unknown);
        world.url("git@bitbucket:acme/app.git");
    });
}

#[test]
fn cipher_that_the_service_does_not_have() {
    broken("algorithms-restricted", |world| world.ssh_command("ssh -c 3des-cbc"));
}

#[test]
fn no_port_for_data_center() {
    fixed("port-overridden", |world| world.described_data_center("git@git.example.com:acme/app.git"));
}
