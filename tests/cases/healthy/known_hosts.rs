//! Odd known hosts with which git works.

use std::fs;

use crate::harness::arrange::RETIRED;
use crate::harness::case::healthy;
use crate::harness::world::CLOUD;

#[test]
fn hashed() {
    healthy(|world| {
        world.plain();
        world.user(&["ssh-keygen", "-q", "-H", "-f", ".ssh/known_hosts"]);
        fs::remove_file(world.ssh("known_hosts.old")).unwrap();
    });
}

#[test]
fn known_to_the_machine_only() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519", "ecdsa", "rsa"], "/etc/ssh/ssh_known_hosts");
    });
}

#[test]
fn known_in_the_second_file() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], ".ssh/known_hosts2");
    });
}

#[test]
fn known_by_a_program() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], "published");
        world.config("Host *\n  KnownHostsCommand /bin/cat /home/dev/published\n");
    });
}

#[test]
fn only_the_rsa_key() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["rsa"], ".ssh/known_hosts");
    });
}

#[test]
fn service_has_only_one_key() {
    healthy(|world| {
        world.plain();
        world.present("ed25519");
    });
}

#[test]
fn known_without_the_port_of_the_url() {
    healthy(|world| {
        world.plain();
        world.listen = vec![(CLOUD, 7999)];
        world.url("ssh://git@{host}:7999/acme/app.git");
    });
}

#[test]
fn alias_of_the_host_key() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("service");
        world.config("Host {host}\n  HostKeyAlias service\n");
    });
}

#[test]
fn wildcard_and_list() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("192.0.2.1,*.bitbucket.org,bitbucket.*,[altssh.bitbucket.org]:443");
    });
}

#[test]
fn rubbish_around_the_line() {
    healthy(|world| {
        world.key("id_ed25519");
        world.note("# hosts\n\nrubbish\n{host} ssh-ed25519 AAAAgarbage\r");
        world.know("{host}");
    });
}

#[test]
fn retired_key_of_the_same_type_too() {
    healthy(|world| {
        world.plain();
        world.note(&format!("{{host}} {RETIRED}"));
    });
}

#[test]
fn one_type_is_revoked() {
    healthy(|world| {
        world.plain();
        world.note(&format!("@revoked * {}", world.host_key("rsa")));
    });
}

#[test]
fn new_keys_are_accepted() {
    healthy(|world| {
        world.key("id_ed25519");
        world.config("Host *\n  StrictHostKeyChecking accept-new\n");
    });
}

#[test]
fn file_with_a_blank_in_its_name() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], ".ssh/my hosts");
        world.config("Host *\n  UserKnownHostsFile \"~/.ssh/my hosts\" ~/.ssh/known_hosts\n");
        world.args.push("--no-exec".into());
    });
}
