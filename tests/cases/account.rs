//! Who runs the programs, and where that account's home is.

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::namespace::{HOME, passwd};
use crate::harness::remedies::fixed;
use crate::harness::world::{etc, remove_account};

#[test]
fn the_uid_has_no_account() {
    broken("no-passwd-entry", |world| {
        world.plain();
        world.start();
        remove_account();
    });
}

#[test]
fn keys_lie_in_another_home() {
    broken("home-mismatch", |world| {
        world.plain();
        world.user(&["mkdir", "-p", "build"]);
        world.user(&["mv", ".ssh", "build/.ssh"]);
        world.user(&["cp", "-r", ".config", "build/.config"]);
        world.set("HOME", format!("{HOME}/build"));
    });
}

#[test]
fn run_through_sudo() {
    advised(&["running-as-other-user"], |world| {
        world.plain();
        world.set("SUDO_USER", "alice");
        world.set("SUDO_UID", "1001");
        world.set("SUDO_GID", "1001");
        world.set("SUDO_COMMAND", "/usr/bin/git fetch");
    });
}

#[test]
fn configuration_and_keys_lie_in_another_home() {
    fixed("home-mismatch", |world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        world.user(&["mkdir", "build agent"]);
        world.user(&["mv", ".ssh", "build agent/.ssh"]);
        world.user(&["cp", "-r", ".config", "build agent/.config"]);
        world.set("HOME", format!("{HOME}/build agent"));
    });
}

#[test]
fn key_belongs_to_whoever_called_sudo() {
    broken("running-as-other-user", |world| {
        world.plain();
        world.user(&["mkdir", "-p", "alice/.ssh"]);
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/id_ed25519.pub", "alice/.ssh"]);
        world.set("SUDO_USER", "alice");
        etc("passwd", &format!("{}alice:x:1001:1001::{HOME}/alice:/bin/sh\n", passwd()));
    });
}

#[test]
fn known_only_to_the_other_home() {
    broken_with("home-mismatch", &["host-key-unknown"], |world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519", "ecdsa", "rsa"], "build/.ssh/known_hosts");
        world.user(&["cp", "-r", ".config", "build/.config"]);
        world.set("HOME", "/home/dev/build");
    });
}
