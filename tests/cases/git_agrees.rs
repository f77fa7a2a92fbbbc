//! What only git's own run shows.

use std::ffi::OsString;

use crate::harness::case::{Expected, advised, broken, case};
use crate::harness::judge::only_git;

#[test]
fn wrapper_prints_into_the_conversation() {
    broken("transport-noise", |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\necho connecting to the repository\nexec ssh \"$@\"\n");
        world.set("GIT_SSH_COMMAND", wrapper);
        world.set("GIT_SSH_VARIANT", "ssh");
    });
}

#[test]
fn wrapper_gives_up_without_a_word() {
    broken("git-fails-unexplained", |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\ncase \"$*\" in *upload-pack*) exit 1 ;; esac\nexec ssh \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn wrapper_knows_a_key_that_nobody_else_sees() {
    advised(&["git-works-anyway"], |world| {
        world.key("deploy");
        world.user(&["mkdir", "-p", "keys"]);
        world.user(&["mv", ".ssh/deploy", "keys/deploy"]);
        world.user(&["rm", ".ssh/deploy.pub"]);
        world.know("{host}");
        let wrapper =
            world.script("ssh-wrapper", "#!/bin/sh\n[ \"$1\" = -G ] && exec ssh \"$@\"\nexec ssh -i ~/keys/deploy \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn service_greets_into_the_conversation() {
    broken("transport-noise", |world| {
        world.plain();
        world.rule("before", "echo Welcome to the service");
    });
}

#[test]
fn it_is_left_out_and_nobody_else_starts_git() {
    case(
        Expected::Healthy,
        &[],
        |world| world.plain(),
        |world| {
            for (options, connects) in [
                (["--skip", "git-agrees"], true),
                (["--only", "remote-url,known-hosts"], true),
                (["--only", "tools"], false),
                (["--only", "name-resolution"], false),
            ] {
                world.args = options.map(OsString::from).to_vec();
                if only_git() {
                    return;
                }
                let report = world.doctor();
                let programs = report["footprint"]["programs"].to_string();
                assert!(!programs.contains("ls-remote"), "{options:?}: {programs}");
                if options[1] == "name-resolution" {
                    let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "name-resolution").unwrap();
                    assert!(["pass", "warn"].contains(&check["status"].as_str().unwrap()), "the name is looked up: {check:#}");
                }
                let connections = report["footprint"]["connections"].as_array().map_or(0, Vec::len);
                assert_eq!(connections > 0, connects, "{options:?}: {connections} connections");
            }
        },
    );
}
