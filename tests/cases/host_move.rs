//! The move of Git over SSH from bitbucket.org to ssh.bitbucket.org: both names, in one world.

use crate::case::{advised, broken};
use crate::mend::mended;
use crate::world::{CLOUD, NOBODY, World};

/// The user dials `dialled` and knows the keys of `known`; the old name leads to `old`, the new one to the service.
fn both(world: &mut World, old: &str, dialled: &str, known: &str) {
    world.rename("bitbucket.org", old);
    world.rename("ssh.bitbucket.org", CLOUD);
    world.key("id_ed25519");
    world.know(known);
    world.host = if dialled == "bitbucket.org" { "bitbucket.org" } else { "ssh.bitbucket.org" };
    world.url("git@{host}:acme/app.git");
}

#[test]
fn old_name_refuses() {
    broken(&["host-retired"], |world| both(world, NOBODY, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org"));
}

#[test]
fn old_name_swallows_packets() {
    broken(&["host-retired"], |world| {
        let nowhere = world.black_hole();
        both(world, nowhere, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org");
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn old_name_still_answers() {
    advised(&["host-retired"], |world| both(world, CLOUD, "bitbucket.org", "bitbucket.org"));
}

#[test]
fn new_name_is_not_known() {
    broken(&["host-key-unknown"], |world| both(world, NOBODY, "ssh.bitbucket.org", "bitbucket.org"));
}

#[test]
fn configuration_is_for_the_old_name() {
    broken(&["key-not-offered"], |world| {
        world.rename("bitbucket.org", NOBODY);
        world.rename("ssh.bitbucket.org", CLOUD);
        world.key("bitbucket");
        world.know("ssh.bitbucket.org");
        world.config("Host bitbucket.org\n  IdentityFile ~/.ssh/bitbucket\n");
        world.url = "git@ssh.bitbucket.org:acme/app.git".into();
    });
}

#[test]
fn rule_of_git_leads_to_the_new_name() {
    crate::case::healthy(|world| {
        both(world, NOBODY, "bitbucket.org", "ssh.bitbucket.org");
        world.git_config("url.git@ssh.bitbucket.org:.insteadOf", "git@bitbucket.org:");
    });
}

#[test]
fn host_name_leads_to_the_new_name() {
    crate::case::healthy(|world| {
        both(world, NOBODY, "bitbucket.org", "ssh.bitbucket.org");
        world.config("Host bitbucket.org\n  HostName ssh.bitbucket.org\n");
    });
}

#[test]
fn new_name_and_nothing_else() {
    crate::case::healthy(|world| both(world, NOBODY, "ssh.bitbucket.org", "ssh.bitbucket.org"));
}

#[test]
fn old_name_refuses_every_command() {
    mended(&["host-retired"], |world| {
        both(world, CLOUD, "bitbucket.org", "bitbucket.org,ssh.bitbucket.org");
        world.rename("ssh.bitbucket.org", "127.0.0.5");
        world.listen.push(("127.0.0.5", 22));
        let words = "SSH is no longer served here; use git@ssh.bitbucket.org instead.";
        world.rule("before", &format!("case $SSH_CONNECTION in *' {CLOUD} '*) echo '{words}' >&2; exit 1 ;; esac"));
    });
}
