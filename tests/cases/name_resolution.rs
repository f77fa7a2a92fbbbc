//! Names that do not resolve, or not to what was meant.

use crate::harness::case::{advised, broken, broken_by_one_of, broken_with, warned};
use crate::harness::remedies::fixed;
use crate::harness::server::{Names, hang};
use crate::harness::world::World;

#[test]
fn host_name_leads_nowhere() {
    // Both are true: HostName leads to a name, and no such name exists. The first is the nearer cause, the second is what is named.
    broken_by_one_of(&["hostname-overridden", "dns-failure"], |world| {
        world.plain_with("Host {host}\n  HostName git.old.example.com\n");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn only_ipv6_and_the_name_has_none() {
    // Both are true: the name has an address, which AddressFamily excludes; of the other family the resolver says that no name server answers.
    broken_by_one_of(&["network-option-unusable", "dns-failure"], |world| world.plain_with("Host *\n  AddressFamily inet6\n"));
}

#[test]
fn name_does_not_exist() {
    broken("dns-failure", |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Unknown);
    });
}

#[test]
fn no_name_server() {
    broken("dns-failure", |world| {
        world.plain();
        world.names.clear();
    });
}

#[test]
fn name_server_never_answers() {
    broken("dns-failure", |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Silent);
    });
}

#[test]
fn hosts_file_pins_the_name() {
    advised(&["dns-suspicious"], |world| world.plain());
}

#[test]
fn alias_of_another_machine() {
    broken("alias-undefined", |world| {
        world.plain();
        world.url("git@bitbucket-work:acme/app.git");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn alias_is_spelt_otherwise_in_the_configuration() {
    broken("alias-undefined", |world| {
        world.plain();
        world.config("Host bitbucket_work\n  HostName {host}\n  User git\n");
        world.url("git@bitbucket-work:acme/app.git");
        world.name_server(Names::Unknown);
    });
}

/// The plain set-up, in which the name of the host cannot be resolved.
fn nameless(world: &mut World) {
    world.plain();
    world.names.clear();
    world.name_server(Names::Unknown);
}

#[test]
fn another_login_name_behind_a_name_that_does_not_resolve() {
    warned("dns-failure", "user-not-git", |world| {
        nameless(world);
        world.url("ssh://alice@{host}/acme/app.git");
    });
}

#[test]
fn silent_agent_behind_a_name_that_does_not_resolve() {
    warned("dns-failure", "agent-unresponsive", |world| {
        nameless(world);
        world.odd_agent(hang);
    });
}

#[test]
fn remote_at_an_alias_of_another_machine() {
    fixed("alias-undefined", |world| {
        world.plain();
        world.rename("ssh.bitbucket.org", crate::harness::world::CLOUD);
        world.know("ssh.bitbucket.org");
        world.name_server(Names::Unknown);
        world.origin("git@bitbucket.org-work:acme/app.git");
    });
}

#[test]
fn rules_that_are_meant_to_follow_each_other() {
    fixed("alias-undefined", |world| {
        world.plain();
        world.rename("ssh.bitbucket.org", crate::harness::world::CLOUD);
        world.know("ssh.bitbucket.org");
        world.name_server(Names::Unknown);
        world.git_config("url.git@{host}:.insteadOf", "corp:");
        world.git_config("url.corp:.insteadOf", "c:");
        world.url("c:acme/app.git");
    });
}

#[test]
fn misspelt_host() {
    broken_with("dns-failure", &["url-not-bitbucket"], |world| {
        world.plain_at("git@bitbuket.org:acme/app.git");
        world.name_server(crate::harness::server::Names::Unknown);
    });
}

#[test]
fn ssh_url_rewritten_to_a_host_that_is_not_there() {
    broken_with("dns-failure", &["url-rewritten", "url-not-bitbucket"], |world| {
        world.plain();
        world.git_config("url.git@mirror.example.com:.insteadOf", "git@{host}:");
        world.name_server(crate::harness::server::Names::Unknown);
    });
}

#[test]
fn only_pushes_go_elsewhere() {
    broken_with("dns-failure", &["url-rewritten", "url-not-bitbucket"], |world| {
        world.plain();
        world.git_config("url.ssh://git@nowhere.example.com/.pushInsteadOf", "git@{host}:");
        world.name_server(crate::harness::server::Names::Unknown);
        world.push();
    });
}
