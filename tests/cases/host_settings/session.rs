//! Settings of ssh that are fine for a shell and fatal for git, and master connections.

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::namespace::HOME;
use crate::harness::server::{hang, serve_unix};

#[test]
fn control_path_is_too_long() {
    broken("control-path-unusable", |world| {
        let long = "master-connections-of-this-machine-".repeat(3);
        world.plain();
        world.config(format!("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/{long}%C\n"));
    });
}

#[test]
fn folder_of_the_control_path_is_missing() {
    broken("control-path-unusable", |world| world.plain_with("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/masters/%C\n"));
}

#[test]
fn master_connection_hangs() {
    broken("control-path-unusable", |world| {
        world.plain_with("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master\n");
        serve_unix(&world.ssh("master"), hang);
        world.hurry();
    });
}

#[test]
fn master_connection_of_another_account() {
    broken("control-master-other-account", |world| {
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
        crate::harness::world::wait_until("the master connection", || master.exists());
    });
}

#[test]
fn local_command_speaks() {
    broken_with("session-option-breaks-git", &["transport-noise"], |world| {
        world.plain_with("Host *\n  PermitLocalCommand yes\n  LocalCommand echo welcome to %h\n");
    });
}

#[test]
fn remote_command_is_set() {
    broken("session-option-breaks-git", |world| world.plain_with("Host *\n  RemoteCommand tmux attach\n"));
}

#[test]
fn session_without_a_command() {
    broken("session-option-breaks-git", |world| {
        world.plain_with("Host *\n  SessionType none\n");
        world.hurry();
    });
}

#[test]
fn standard_input_is_closed() {
    broken("session-option-breaks-git", |world| {
        world.plain_with("Host *\n  StdinNull yes\n");
        world.hurry();
    });
}

#[test]
fn forwarding_must_succeed_and_cannot() {
    broken("session-option-breaks-git", |world| {
        world.plain_with("Host *\n  LocalForward 127.0.0.2:22 localhost:80\n  ExitOnForwardFailure yes\n");
    });
}

#[test]
fn control_path_in_no_folder_while_nothing_is_shared() {
    advised(&["control-path-unusable"], |world| {
        world.plain();
        world.config("Host *\n  ControlPath ~/.ssh/masters/%C\n");
    });
}

#[test]
fn terminal_is_forced() {
    broken("session-option-breaks-git", |world| world.ssh_command("ssh -tt"));
}

#[test]
fn no_command_is_run() {
    broken("session-option-breaks-git", |world| {
        world.ssh_command("ssh -N");
        world.hurry();
    });
}
