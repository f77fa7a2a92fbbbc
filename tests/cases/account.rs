//! Who runs the programs, and where that account's home is.

use crate::case::{advised, broken};
use crate::namespace::HOME;
use crate::world::remove_account;

#[test]
fn the_uid_has_no_account() {
    broken(&["no-passwd-entry"], |world| {
        world.plain();
        world.start();
        remove_account();
    });
}

#[test]
fn keys_lie_in_another_home() {
    broken(&["home-mismatch"], |world| {
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
