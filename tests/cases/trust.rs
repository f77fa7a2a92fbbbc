//! The service's host key and the user's known hosts.

use std::fs;

use crate::case::{advised, broken};
use crate::mend::mended;
use crate::namespace::chmod;
use crate::world::{CLOUD, DATA_CENTER, World, ip};

/// The RSA key that Bitbucket retired in June 2023, as it stands in old files.
pub(crate) const RETIRED: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEAubiN81eDcafrgMeLzaFPsw2kNvEcqTKl/VqLat/MaB33pZy0y3rJZtnqwR2qOOvbwKZYKiEO1O6VqNEBxKvJJelCq0dTXWT5pbO2gDXC6h6QDXCaHo6pOHGPUy+YBaGQRGuSusMEASYiWunYN0vCAI8QaXnWMXNMdFP3jHAJH0eDsoiGnLPBlBp4TNm6rYI74nMzgz3B9IikW4WVK+dc8KZJZWYjAuORU3jc1c/NPskD2ASinf8v3xnfXeukU0sJ5N6m5E8VLjObPEO+mN2t/FZTMZLiFqPWc/ALSqnMnnhwrNi2rbfg/rd/IpL8Le3pSBne8+seeFVBoGqzHM9yXw==";

/// Appends a line to ~/.ssh/known_hosts.
pub(crate) fn note(world: &World, line: &str) {
    let old = fs::read_to_string(world.ssh("known_hosts")).unwrap_or_default();
    world.write(".ssh/known_hosts", format!("{old}{line}\n"), 0o644);
}

#[test]
fn nobody_has_been_here_before() {
    broken(&["host-key-unknown"], |world| {
        world.key("id_ed25519");
    });
}

#[test]
fn strict_and_nobody_has_been_here_before() {
    broken(&["host-key-unknown"], |world| {
        world.key("id_ed25519");
        world.config("Host *\n  StrictHostKeyChecking yes\n");
    });
}

#[test]
fn alternate_port_is_another_name() {
    broken(&["host-key-unknown"], |world| {
        world.plain();
        world.url("ssh://git@altssh.bitbucket.org:443/acme/app.git");
    });
}

#[test]
fn known_under_an_alias_that_is_not_there() {
    broken(&["host-key-unknown"], |world| {
        world.plain();
        world.config("Host {host}\n  HostKeyAlias bb\n");
    });
}

#[test]
fn only_the_key_of_2023_is_known() {
    broken(&["host-key-changed"], |world| {
        world.key("id_ed25519");
        note(world, &format!("{{host}},104.192.141.1 {RETIRED}"));
    });
}

#[test]
fn another_key_is_known() {
    broken(&["host-key-changed"], |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["impostor"], ".ssh/known_hosts");
    });
}

#[test]
fn an_impostor_answers() {
    broken(&["host-key-unpublished"], |world| {
        world.plain();
        world.present("impostor");
    });
}

#[test]
fn an_impostor_answers_the_first_time() {
    broken(&["host-key-unpublished"], |world| {
        world.key("id_ed25519");
        world.present("impostor");
    });
}

#[test]
fn every_key_is_revoked() {
    broken(&["host-key-revoked"], |world| {
        world.plain();
        for kind in ["ed25519", "ecdsa", "rsa"] {
            note(world, &format!("@revoked * {}", world.host_key(kind)));
        }
    });
}

#[test]
fn list_of_revoked_keys_is_missing() {
    broken(&["revoked-keys-file-unusable"], |world| {
        world.plain();
        world.config("Host *\n  RevokedHostKeys ~/.ssh/revoked\n");
    });
}

/// The list of revoked keys, with all of the service's.
fn list(world: &World) {
    let keys: String = ["ed25519", "ecdsa", "rsa"].iter().map(|kind| world.host_key(kind) + "\n").collect();
    world.write(".ssh/revoked", keys, 0o600);
}

#[test]
fn every_key_is_on_the_list_of_revoked_ones() {
    broken(&["host-key-revoked"], |world| {
        world.plain();
        list(world);
        world.config("Host *\n  RevokedHostKeys /home/dev/.ssh/revoked\n");
    });
}

#[test]
fn list_of_revoked_keys_in_a_folder_called_tilde() {
    // Before 9.4 ssh expands nothing here; since then the list is read, and has the key.
    broken(&["revoked-keys-file-unusable", "host-key-revoked"], |world| {
        world.plain();
        list(world);
        world.config("Host *\n  RevokedHostKeys ~/.ssh/revoked\n");
    });
}

#[test]
fn type_is_forced_that_nobody_noted() {
    broken(&["host-key-type-forced"], |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], ".ssh/known_hosts");
        world.config("Host {host}\n  HostKeyAlgorithms rsa-sha2-512\n");
    });
}

#[test]
fn file_cannot_be_read() {
    broken(&["known-hosts-unreadable"], |world| {
        world.plain();
        chmod(&world.ssh("known_hosts"), 0o000);
    });
}

#[test]
fn line_was_wrapped() {
    broken(&["known-hosts-malformed"], |world| {
        world.key("id_ed25519");
        let (kind, key) = (world.host_key("rsa"), world.host_key("rsa"));
        note(world, &format!("{{host}} {}\n{}", &kind[..76], &key[76..]));
    });
}

#[test]
fn a_fingerprint_is_not_a_key() {
    broken(&["known-hosts-malformed"], |world| {
        world.key("id_ed25519");
        note(world, "{host} ssh-ed25519 SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM");
    });
}

#[test]
fn type_and_name_are_exchanged() {
    broken(&["known-hosts-malformed"], |world| {
        world.key("id_ed25519");
        let line = world.host_key("ed25519");
        let (kind, key) = line.split_once(' ').unwrap();
        note(world, &format!("{kind} {{host}} {key}"));
    });
}

#[test]
fn retired_key_beside_the_current_ones() {
    advised(&["known-hosts-retired-entry"], |world| {
        world.plain();
        note(world, &format!("{{host}} {RETIRED}"));
    });
}

#[test]
fn nobody_publishes_the_keys_of_a_data_center() {
    advised(&["host-key-unverifiable"], |world| {
        world.key("id_ed25519");
        world.listen.push((DATA_CENTER, 7999));
        world.name("bitbucket.example.com", DATA_CENTER);
        world.know("[bitbucket.example.com]:7999");
        world.url("ssh://git@bitbucket.example.com:7999/acme/app.git");
        let table = "[hosts.\"bitbucket.example.com\"]\nkind = \"data-center\"\nport = 7999\n";
        world.write(".config/bbdoctor/config.toml", table, 0o644);
    });
}

#[test]
fn known_only_to_the_other_home() {
    broken(&["host-key-unknown", "home-mismatch"], |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519", "ecdsa", "rsa"], "build/.ssh/known_hosts");
        world.user(&["cp", "-r", ".config", "build/.config"]);
        world.set("HOME", "/home/dev/build");
    });
}

#[test]
fn the_name_leads_to_somebody_else() {
    broken(&["host-key-unpublished", "host-key-changed"], |world| {
        world.plain();
        world.rename("{host}", "127.0.0.9");
        world.listen = vec![("127.0.0.9", 22)];
        world.present("impostor");
        world.rename("elsewhere.example.com", CLOUD);
    });
}

#[test]
fn another_key_is_known_for_the_address() {
    mended(&["host-key-changed"], |world| {
        world.plain();
        // Of an address of this machine ssh asks only the name.
        ip("addr add 198.51.100.7/32 dev lo");
        world.listen = vec![("198.51.100.7", 22)];
        world.rename("{host}", "198.51.100.7");
        world.present("rsa");
        note(world, &format!("198.51.100.7 {RETIRED}"));
        world.config("Host *\n  CheckHostIP yes\n");
    });
}

#[test]
fn retired_key_in_a_file_of_the_machine() {
    mended(&["host-key-changed"], |world| {
        world.key("id_ed25519");
        world.write("/etc/ssh/ssh_known_hosts", format!("{{host}} {RETIRED}\n"), 0o444);
        chmod(std::path::Path::new("/etc/ssh"), 0o555);
    });
}
