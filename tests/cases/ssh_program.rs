//! The command by which git starts ssh: what it says to ssh, and what stands between the two.

use crate::case::{Expected, broken, case, healthy, uncertain};
use crate::world::World;

fn command(text: &'static str) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", text);
    }
}

#[test]
fn another_program_starts_ssh() {
    healthy(|world| {
        world.key("deploy");
        world.know("{host}");
        world.set("GIT_SSH_COMMAND", "timeout 10 ssh -i ~/.ssh/deploy");
    });
}

#[test]
fn a_shell_starts_ssh() {
    healthy(|world| command("sh -c 'exec ssh \"$@\"' --")(world));
}

#[test]
fn wrapper_passes_two_words_on() {
    healthy(|world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\nexec ssh -i ~/.ssh/id_ed25519 $1 \"$2\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn wrapper_whose_ssh_would_learn_keys() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], ".ssh/known_hosts");
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\nexec ssh -i ~/.ssh/id_ed25519 $1 \"$2\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn nobody_asks_the_wrapper() {
    uncertain(|world| {
        world.key("deploy");
        world.know("{host}");
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\nexec ssh -i ~/.ssh/deploy \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn path_with_a_blank_and_no_quotes() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.key("deploy");
        world.know("{host}");
        world.user(&["mkdir", "my keys"]);
        world.user(&["mv", ".ssh/deploy", "my keys/deploy"]);
        world.set("GIT_SSH_COMMAND", "ssh -i ~/my keys/deploy");
    });
}

#[test]
fn host_in_the_command() {
    broken(&["ssh-command-not-runnable"], |world| command("ssh git@{host}")(world));
}

#[test]
fn option_without_its_value() {
    broken(&["ssh-command-not-runnable"], |world| command("ssh -i")(world));
}

#[test]
fn option_that_ssh_does_not_have() {
    broken(&["ssh-command-not-runnable"], |world| command("ssh --verbose")(world));
}

#[test]
fn setting_without_its_value() {
    broken(&["config-missing-argument"], |world| command("ssh -o StrictHostKeyChecking")(world));
}

#[test]
fn comment_behind_the_command() {
    broken(&["ssh-command-not-runnable"], |world| command("ssh -i ~/.ssh/id_ed25519 # the key of work")(world));
}

#[test]
fn terminal_is_forced() {
    broken(&["session-option-breaks-git"], |world| command("ssh -tt")(world));
}

#[test]
fn no_command_is_run() {
    broken(&["session-option-breaks-git"], |world| {
        command("ssh -N")(world);
        world.hurry();
    });
}

#[test]
fn cipher_that_the_service_does_not_have() {
    broken(&["algorithms-restricted"], |world| command("ssh -c 3des-cbc")(world));
}

#[test]
fn private_key_in_place_of_the_program() {
    let codes = ["ssh-command-not-runnable"];
    case(
        Expected::Broken,
        &codes,
        |world| command("~/.ssh/id_ed25519")(world),
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert!(!report.to_string().contains("chmod"), "a key is not to be made executable: {report:#}");
        },
    );
}

#[test]
fn login_name_in_the_command() {
    let codes = ["user-not-git"];
    case(
        Expected::Broken,
        &codes,
        |world| command("ssh -l alice")(world),
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert_eq!(report["verdict"]["next_step"]["id"], "drop-option", "the URL has git@ already: {report:#}");
        },
    );
}

#[test]
fn command_without_any_configuration() {
    let codes = ["key-not-offered"];
    case(
        Expected::Broken,
        &codes,
        |world| {
            world.key("deploy");
            world.know("{host}");
            world.set("GIT_SSH_COMMAND", "ssh -F /dev/null");
        },
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert_eq!(report["verdict"]["next_step"]["id"], "ssh-command", "no file is read: {report:#}");
        },
    );
}
