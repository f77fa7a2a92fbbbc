//! ProxyCommand and ProxyJump: how they fail, and what lies behind them.

use std::fs;

use crate::case::{Expected, broken, case};
use crate::judge::findings;
use crate::namespace::HOME;
use crate::world::{ALTERNATE, CLOUD, NOBODY, World};

/// A program that carries its standard input and output to the service; `before` it does something else.
fn carrier(world: &World, before: &str) {
    let carry = "exec 3<>/dev/tcp/$1/$2 || exit 1\ncat <&3 &\nexec cat >&3\n";
    world.script("carrier", &format!("#!/bin/bash\n{before}\n{carry}"));
    world.config(format!("Host {{host}}\n  ProxyCommand {HOME}/carrier {CLOUD} %p\n"));
}

/// A jump host that lets in a key of its own, with `options` of authorized_keys(5); it is called `bastion`.
fn bastion(world: &mut World, options: &str) {
    world.stranger("jump");
    world.name("bastion.example.com", ALTERNATE);
    world.know("[bastion.example.com]:443");
    let public = fs::read_to_string(world.ssh("jump.pub")).unwrap();
    world.authorized.push(format!("{options} {}", public.trim()));
    world.config(
        "Host bastion\n  HostName bastion.example.com\n  Port 443\n  User git\n  IdentityFile ~/.ssh/jump\n  IdentitiesOnly yes\n\
         Host inner\n  HostName inner.example.com\n  User git\n  ProxyJump bastion\nHost {host}\n  ProxyJump bastion\n",
    );
}

#[test]
fn jump_host_forbids_to_go_on() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        bastion(world, "permitopen=\"elsewhere:1\"");
    });
}

#[test]
fn jump_host_does_not_reach_the_server() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        bastion(world, "");
        world.silence(CLOUD);
    });
}

#[test]
fn second_jump_host_does_not_answer() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        bastion(world, "");
        world.name("inner.example.com", NOBODY);
        let config = fs::read_to_string(world.ssh("config")).unwrap();
        world.config(format!("Host {{host}}\n  ProxyJump inner\n{config}"));
    });
}

#[test]
fn ssh_that_tells_its_progress_on_the_way() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        bastion(world, "permitopen=\"elsewhere:1\"");
        let config = fs::read_to_string(world.ssh("config")).unwrap();
        world.config(format!("Host {{host}}\n  ProxyCommand ssh -v -W %h:%p bastion\n{config}"));
    });
}

#[test]
fn proxy_that_passes_nothing_on() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand sleep 60\n");
        world.hurry();
    });
}

#[test]
fn proxy_that_ends_without_a_word() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand true\n");
    });
}

#[test]
fn proxy_that_speaks_into_the_first_line() {
    broken(&["not-an-ssh-server"], |world| {
        world.plain();
        carrier(world, "printf 'connected: '");
    });
}

#[test]
fn unregistered_key_behind_a_proxy() {
    broken(&["key-not-registered"], |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        carrier(world, "");
    });
}

#[test]
fn everything_is_seen_through_a_jump_host() {
    case(
        Expected::Healthy,
        &[],
        |world| {
            world.plain();
            bastion(world, "");
        },
        |world| {
            let (report, git) = world.ask();
            assert!(git.worked(), "{git:?}");
            let Some(report) = report else { return };
            assert_eq!(report["verdict"]["status"], "healthy", "{report:#}");
            let troubled: Vec<_> = findings(&report).filter(|finding| finding["severity"] != "info").collect();
            assert!(troubled.is_empty(), "{troubled:#?}");
            assert_eq!(report["identities"][0]["server"], "accepted", "{report:#}");
        },
    );
}
