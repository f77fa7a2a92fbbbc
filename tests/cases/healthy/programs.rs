//! Odd commands by which git starts ssh, and works.

use crate::harness::case::healthy;

#[test]
fn ssh_command_without_any_configuration() {
    healthy(|world| {
        world.key_named("bitbucket", "Host *\n  PubkeyAuthentication no\n");
        world.git_config("core.sshCommand", "ssh -F /dev/null -i ~/.ssh/bitbucket -o IdentitiesOnly=yes");
    });
}

#[test]
fn missing_key_on_the_command_line() {
    healthy(|world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -i ~/.ssh/missing");
    });
}

#[test]
fn wrapper_that_speaks_to_the_user() {
    healthy(|world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\necho connecting >&2\nexec ssh \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn relative_path_begins_at_the_top_of_the_working_tree() {
    healthy(|world| {
        world.relative_key("keys/bitbucket");
        world.args.push("--no-exec".into());
    });
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
    healthy(|world| world.ssh_command("sh -c 'exec ssh \"$@\"' --"));
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
