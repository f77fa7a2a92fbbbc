//! Odd agents with which git works.

use std::fs;

use crate::harness::case::healthy;

#[test]
fn dead_agent_and_a_key_file() {
    healthy(|world| {
        world.plain();
        world.set("SSH_AUTH_SOCK", "/tmp/ssh-XXXXXXabcdef/agent.4711");
    });
}

#[test]
fn locked_agent_and_a_key_file() {
    healthy(|world| {
        world.plain();
        world.agent(&[]);
        world.ssh_add(&["-x"], "secret");
    });
}

#[test]
fn agent_and_no_key_file() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
    });
}

#[test]
fn encrypted_key_in_the_agent() {
    healthy(|world| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
        world.agent(&[]);
        world.ssh_add(&[".ssh/id_ed25519"], "correct horse");
    });
}

#[test]
fn public_half_names_the_key_in_the_agent() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        fs::remove_file(world.ssh("bitbucket")).unwrap();
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket.pub\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn agent_named_by_the_configuration() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.env.remove(std::ffi::OsStr::new("SSH_AUTH_SOCK"));
        world.config("Host {host}\n  IdentityAgent ~/agent.sock\n");
    });
}

#[test]
fn many_keys_in_the_agent_and_one_is_chosen() {
    healthy(|world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        for name in names {
            world.stranger(name);
        }
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&[&names[..], &["bitbucket"]].concat());
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn ssh_command_brings_the_agent() {
    healthy(|world| {
        world.key_named("bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.env.remove(std::ffi::OsStr::new("SSH_AUTH_SOCK"));
        world.set("GIT_SSH_COMMAND", "SSH_AUTH_SOCK=$HOME/agent.sock ssh");
    });
}

#[test]
fn key_is_bound_to_this_host() {
    healthy(|world| world.bound_key("{host}"));
}
