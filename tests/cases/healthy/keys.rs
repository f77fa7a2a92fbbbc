//! Odd keys and homes with which git works.

use std::fs;

use crate::harness::case::{Expected, case, healthy};
use crate::harness::namespace::{HOME, chmod};
use crate::harness::world::CLOUD;

#[test]
fn one_default_key() {
    healthy(|world| world.plain());
}

#[test]
fn one_connection_each() {
    // One of bbdoctor's own, one of the git it runs as the second witness.
    case(Expected::Healthy, &[], |world| world.plain(), |world| world.expect_connections(CLOUD, 2));
}

#[test]
fn rsa_key() {
    healthy(|world| {
        world.keygen("id_rsa", "rsa", "3072", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn ecdsa_key() {
    healthy(|world| {
        world.keygen("id_ecdsa", "ecdsa", "521", "");
        world.authorize("id_ecdsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn rsa_key_in_pkcs8_with_the_line_ends_of_windows() {
    healthy(|world| {
        world.user(&["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f", ".ssh/id_rsa"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        let text = fs::read_to_string(world.ssh("id_rsa")).unwrap();
        fs::write(world.ssh("id_rsa"), text.replace('\n', "\r\n")).unwrap();
    });
}

#[test]
fn no_public_half_beside_it() {
    healthy(|world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519.pub")).unwrap();
    });
}

#[test]
fn key_that_only_its_owner_may_read() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o400);
    });
}

#[test]
fn folder_open_to_everybody() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh(""), 0o777);
        chmod(&world.ssh("known_hosts"), 0o666);
    });
}

#[test]
fn folder_that_cannot_be_written() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh(""), 0o500);
    });
}

#[test]
fn another_key_is_refused_first() {
    healthy(|world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.plain();
    });
}

#[test]
fn spoilt_keys_beside_the_good_one() {
    healthy(|world| {
        world.plain();
        world.write(".ssh/id_rsa", "", 0o600);
        world.write(".ssh/id_ecdsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0o644);
    });
}

#[test]
fn key_by_a_symbolic_link() {
    healthy(|world| {
        world.plain();
        world.user(&["mkdir", "-p", "vault"]);
        world.user(&["mv", ".ssh/id_ed25519", "vault/key"]);
        world.user(&["ln", "-s", "../vault/key", ".ssh/id_ed25519"]);
    });
}

#[test]
fn leftovers_in_the_folder() {
    healthy(|world| {
        world.plain();
        world.write(".ssh/known_hosts.old", "rubbish\n", 0o644);
        world.write(".ssh/authorized_keys", "", 0o600);
        world.write(".ssh/id_dsa.pub", "ssh-dss AAAA\n", 0o644);
    });
}

#[test]
fn certificate_that_ran_out_beside_a_registered_key() {
    healthy(|world| {
        world.plain();
        world.user(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/authority"]);
        world.user(&["ssh-keygen", "-q", "-s", "/tmp/authority", "-I", "dev", "-n", "git", "-V", "-2d:-1d", ".ssh/id_ed25519.pub"]);
    });
}

#[test]
fn two_accounts_by_an_alias() {
    healthy(|world| {
        world.two_accounts();
        world.agent(&["personal", "work"]);
        world.config("Host {host}-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/work\n  IdentitiesOnly yes\n");
        world.url("git@{host}-work:acme/app.git");
    });
}

#[test]
fn home_of_the_account_has_the_keys() {
    healthy(|world| {
        world.plain();
        world.user(&["mkdir", "build"]);
        world.user(&["cp", "-r", ".config", "build/.config"]);
        world.set("HOME", format!("{HOME}/build"));
    });
}

#[test]
fn certificate_that_logs_in() {
    healthy(|world| world.certificate(&["-n", "git"]));
}
