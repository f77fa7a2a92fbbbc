//! Routes, ports and proxies: what stands between this machine and the server.

use std::fs;
use std::time::Duration;

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::namespace::HOME;
use crate::harness::remedies::fixed;
use crate::harness::server::Names;
use crate::harness::world::{ALTERNATE, CLOUD, NOBODY, World, etc, ip};

#[test]
fn name_server_sends_everybody_home() {
    broken_with("port-refused", &["dns-suspicious"], |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Address([127, 0, 0, 1]));
    });
}

#[test]
fn port_is_refused_and_the_other_one_is_open() {
    broken_with("port-refused", &["alternate-port-open"], |world| {
        world.plain();
        world.silence(CLOUD);
        world.patience = Duration::from_secs(5);
    });
}

#[test]
fn both_ports_are_refused() {
    broken("port-refused", |world| {
        world.plain();
        world.listen.clear();
    });
}

#[test]
fn packets_vanish() {
    broken("port-blocked", |world| {
        world.plain();
        let nowhere = world.black_hole();
        world.rename("{host}", nowhere);
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn packets_vanish_everywhere() {
    broken("port-blocked", |world| {
        world.plain();
        let nowhere = world.black_hole();
        world.rename("{host}", nowhere);
        world.rename("altssh.bitbucket.org", nowhere);
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn packets_vanish_but_the_web_has_a_proxy() {
    broken("port-blocked", |world| {
        world.plain();
        let nowhere = world.black_hole();
        world.rename("{host}", nowhere);
        world.rename("altssh.bitbucket.org", nowhere);
        world.set("https_proxy", "http://proxy.example.com:3128");
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn no_route() {
    broken("network-unreachable", |world| {
        world.plain();
        ip("route add unreachable 203.0.113.0/24");
        world.rename("{host}", "203.0.113.7");
    });
}

#[test]
fn no_network_at_all() {
    broken("network-unreachable", |world| {
        world.plain();
        world.rename("{host}", "203.0.113.7");
        world.rename("altssh.bitbucket.org", "203.0.113.8");
    });
}

#[test]
fn forbidden_on_this_machine() {
    broken("connect-denied-locally", |world| {
        world.plain();
        ip("route add prohibit 192.0.2.0/24");
        world.rename("{host}", "192.0.2.7");
    });
}

#[test]
fn first_address_leads_nowhere() {
    advised(&["ipv6-broken"], |world| {
        world.plain();
        ip("-6 addr add 2001:db8::9/128 dev lo nodad");
        world.names.insert(0, (world.host.into(), "2001:db8::9".into()));
    });
}

#[test]
fn proxy_program_is_missing() {
    broken("proxy-failed", |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand corkscrew proxy.example.com 3128 %h %p\n");
    });
}

#[test]
fn proxy_program_says_why() {
    broken("proxy-failed", |world| {
        world.plain();
        world.script("connect", "#!/bin/sh\necho 'Proxy returned status code 407.' >&2\nexit 1\n");
        world.config(format!("Host {{host}}\n  ProxyCommand {HOME}/connect %h %p\n"));
    });
}

#[test]
fn jump_host_does_not_exist() {
    broken("proxy-failed", |world| {
        world.plain();
        world.config("Host {host}\n  ProxyJump bastion.example.com\n");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn jump_host_is_unknown() {
    broken("proxy-failed", |world| {
        world.plain();
        world.name("bastion.example.com", ALTERNATE);
        world.config("Host {host}\n  ProxyJump git@bastion.example.com:443\n");
    });
}

/// The first of the host's addresses swallows everything, and ssh waits for it as long as the system does.
fn first_address_swallows_packets(world: &mut World, address: &str) {
    world.plain();
    world.names.insert(0, (world.host.into(), address.into()));
    world.patience = Duration::from_secs(6);
    world.budget = Duration::from_secs(8);
}

#[test]
fn first_address_swallows_packets_of_ipv6() {
    fixed("ipv6-broken", |world| {
        world.black_hole();
        ip("-6 addr add 2001:db8::1/64 dev hole nodad");
        ip("-6 neighbour add 2001:db8::2 lladdr 02:00:00:00:00:02 dev hole");
        first_address_swallows_packets(world, "2001:db8::2");
    });
}

#[test]
fn first_address_swallows_packets_of_ipv4() {
    fixed("port-blocked", |world| {
        let nowhere = world.black_hole();
        // The resolver would put the address of this machine first.
        etc("gai.conf", "precedence ::ffff:127.0.0.0/104 5\nprecedence ::ffff:0:0/96 100\n");
        first_address_swallows_packets(world, nowhere);
    });
}

#[test]
fn jump_host_forbids_to_go_on() {
    broken("proxy-failed", |world| {
        world.plain();
        world.bastion("permitopen=\"elsewhere:1\"");
    });
}

#[test]
fn jump_host_does_not_reach_the_server() {
    broken("proxy-failed", |world| {
        world.plain();
        world.bastion("");
        world.silence(CLOUD);
    });
}

#[test]
fn second_jump_host_does_not_answer() {
    broken("proxy-failed", |world| {
        world.plain();
        world.bastion("");
        world.name("inner.example.com", NOBODY);
        let config = fs::read_to_string(world.ssh("config")).unwrap();
        world.config(format!("Host {{host}}\n  ProxyJump inner\n{config}"));
    });
}

#[test]
fn ssh_that_tells_its_progress_on_the_way() {
    broken("proxy-failed", |world| {
        world.plain();
        world.bastion("permitopen=\"elsewhere:1\"");
        let config = fs::read_to_string(world.ssh("config")).unwrap();
        world.config(format!("Host {{host}}\n  ProxyCommand ssh -v -W %h:%p bastion\n{config}"));
    });
}

#[test]
fn proxy_that_passes_nothing_on() {
    broken("proxy-failed", |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand sleep 60\n");
        world.hurry();
    });
}

#[test]
fn proxy_that_ends_without_a_word() {
    broken("proxy-failed", |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand true\n");
    });
}
