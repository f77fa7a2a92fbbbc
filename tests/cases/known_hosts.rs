//! The server's key and the user's known hosts.

use crate::harness::arrange::RETIRED;
use crate::harness::case::{advised, broken, broken_by_one_of};
use crate::harness::namespace::chmod;
use crate::harness::remedies::fixed;
use crate::harness::world::{NOBODY, World, ip};

#[test]
fn plink_does_not_know_the_host() {
    broken("plink-host-key-unknown", |world| {
        world.plain();
        let plink = world.script(
            "bin/plink",
            "#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'plink: Release 0.78'; exit; fi\n\
             echo 'The host key is not cached for this server:' >&2\necho 'FATAL ERROR: Cannot confirm a host key in batch mode' >&2\nexit 1\n",
        );
        world.set("GIT_SSH", plink);
    });
}

#[test]
fn broken_line_beside_a_good_one() {
    advised(&["known-hosts-malformed"], |world| {
        world.plain();
        let known = std::fs::read_to_string(world.ssh("known_hosts")).unwrap();
        world.write(".ssh/known_hosts", format!("{{host}} ssh-ed25519 AAAAgarbage\n{known}"), 0o644);
    });
}

#[test]
fn another_known_hosts_file_cannot_be_read() {
    advised(&["known-hosts-unreadable"], |world| {
        world.plain();
        world.write(".ssh/known_hosts2", "secret", 0o000);
    });
}

#[test]
fn new_name_is_not_known() {
    broken("host-key-unknown", |world| world.both_names(NOBODY, "ssh.bitbucket.org", "bitbucket.org"));
}

#[test]
fn nobody_has_been_here_before() {
    broken("host-key-unknown", |world| {
        world.key("id_ed25519");
    });
}

#[test]
fn strict_and_nobody_has_been_here_before() {
    broken("host-key-unknown", |world| {
        world.key("id_ed25519");
        world.config("Host *\n  StrictHostKeyChecking yes\n");
    });
}

#[test]
fn alternate_port_is_another_name() {
    broken("host-key-unknown", |world| {
        world.plain();
        world.url("ssh://git@altssh.bitbucket.org:443/acme/app.git");
    });
}

#[test]
fn known_under_an_alias_that_is_not_there() {
    broken("host-key-unknown", |world| {
        world.plain();
        world.config("Host {host}\n  HostKeyAlias bb\n");
    });
}

#[test]
fn only_the_key_of_2023_is_known() {
    broken("host-key-changed", |world| {
        world.key("id_ed25519");
        world.note(&format!("{{host}},104.192.141.1 {RETIRED}"));
    });
}

#[test]
fn another_key_is_known() {
    broken("host-key-changed", |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["impostor"], ".ssh/known_hosts");
    });
}

#[test]
fn every_key_is_revoked() {
    broken("host-key-revoked", |world| {
        world.plain();
        for kind in ["ed25519", "ecdsa", "rsa"] {
            world.note(&format!("@revoked * {}", world.host_key(kind)));
        }
    });
}

#[test]
fn list_of_revoked_keys_is_missing() {
    broken("revoked-keys-file-unusable", |world| {
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
    broken("host-key-revoked", |world| {
        world.plain();
        list(world);
        world.config("Host *\n  RevokedHostKeys /home/dev/.ssh/revoked\n");
    });
}

#[test]
fn list_of_revoked_keys_in_a_folder_called_tilde() {
    // Before 9.4 ssh expands nothing here; since then the list is read, and has the key.
    broken_by_one_of(&["revoked-keys-file-unusable", "host-key-revoked"], |world| {
        world.plain();
        list(world);
        world.config("Host *\n  RevokedHostKeys ~/.ssh/revoked\n");
    });
}

#[test]
fn type_is_forced_that_nobody_noted() {
    broken("host-key-type-forced", |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], ".ssh/known_hosts");
        world.config("Host {host}\n  HostKeyAlgorithms rsa-sha2-512\n");
    });
}

#[test]
fn file_cannot_be_read() {
    broken("known-hosts-unreadable", |world| {
        world.plain();
        chmod(&world.ssh("known_hosts"), 0o000);
    });
}

#[test]
fn line_was_wrapped() {
    broken("known-hosts-malformed", |world| {
        world.key("id_ed25519");
        let (kind, key) = (world.host_key("rsa"), world.host_key("rsa"));
        world.note(&format!("{{host}} {}\n{}", &kind[..76], &key[76..]));
    });
}

#[test]
fn a_fingerprint_is_not_a_key() {
    broken("known-hosts-malformed", |world| {
        world.key("id_ed25519");
        world.note("{host} ssh-ed25519 SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM");
    });
}

#[test]
fn type_and_name_are_exchanged() {
    broken("known-hosts-malformed", |world| {
        world.key("id_ed25519");
        let line = world.host_key("ed25519");
        let (kind, key) = line.split_once(' ').unwrap();
        world.note(&format!("{kind} {{host}} {key}"));
    });
}

#[test]
fn retired_key_beside_the_current_ones() {
    advised(&["known-hosts-retired-entry"], |world| {
        world.plain();
        world.note(&format!("{{host}} {RETIRED}"));
    });
}

#[test]
fn another_key_is_known_for_the_address() {
    fixed("host-key-changed", |world| {
        world.plain();
        // Of an address of this machine ssh asks only the name.
        ip("addr add 198.51.100.7/32 dev lo");
        world.listen = vec![("198.51.100.7", 22)];
        world.rename("{host}", "198.51.100.7");
        world.present("rsa");
        world.note(&format!("198.51.100.7 {RETIRED}"));
        world.config("Host *\n  CheckHostIP yes\n");
    });
}

#[test]
fn retired_key_in_a_file_of_the_machine() {
    fixed("host-key-changed", |world| {
        world.key("id_ed25519");
        world.write("/etc/ssh/ssh_known_hosts", format!("{{host}} {RETIRED}\n"), 0o444);
        chmod(std::path::Path::new("/etc/ssh"), 0o555);
    });
}
