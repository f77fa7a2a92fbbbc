//! Both names of the service, and a way from one to the other.

use crate::harness::case::healthy;
use crate::harness::world::NOBODY;

#[test]
fn rule_of_git_leads_to_the_new_name() {
    healthy(|world| {
        world.both_names(NOBODY, "bitbucket.org", "ssh.bitbucket.org");
        world.git_config("url.git@ssh.bitbucket.org:.insteadOf", "git@bitbucket.org:");
    });
}

#[test]
fn host_name_leads_to_the_new_name() {
    healthy(|world| {
        world.both_names(NOBODY, "bitbucket.org", "ssh.bitbucket.org");
        world.config("Host bitbucket.org\n  HostName ssh.bitbucket.org\n");
    });
}

#[test]
fn new_name_and_nothing_else() {
    healthy(|world| world.both_names(NOBODY, "ssh.bitbucket.org", "ssh.bitbucket.org"));
}
