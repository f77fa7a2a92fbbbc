//! Names, routes, ports and proxies.

use crate::case::{Expected, advised, broken, case, healthy, uncertain, warned};
use crate::mend::mended;
use crate::namespace::HOME;
use crate::server::{Names, hang, serve};
use crate::world::{ALTERNATE, CLOUD, World, etc, ip};
use std::io::{Read, Write};
use std::time::Duration;

#[test]
fn name_does_not_exist() {
    broken(&["dns-failure"], |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Unknown);
    });
}

#[test]
fn no_name_server() {
    broken(&["dns-failure"], |world| {
        world.plain();
        world.names.clear();
    });
}

#[test]
fn name_server_never_answers() {
    broken(&["dns-failure"], |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Silent);
    });
}

#[test]
fn name_server_sends_everybody_home() {
    broken(&["port-refused", "dns-suspicious"], |world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::Address([127, 0, 0, 1]));
    });
}

#[test]
fn hosts_file_pins_the_name() {
    advised(&["dns-suspicious"], |world| world.plain());
}

#[test]
fn alias_of_another_machine() {
    broken(&["alias-undefined"], |world| {
        world.plain();
        world.url("git@bitbucket-work:acme/app.git");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn alias_is_spelt_otherwise_in_the_configuration() {
    broken(&["alias-undefined"], |world| {
        world.plain();
        world.config("Host bitbucket_work\n  HostName {host}\n  User git\n");
        world.url("git@bitbucket-work:acme/app.git");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn port_is_refused_and_the_other_one_is_open() {
    let codes = ["port-refused", "alternate-port-open"];
    case(
        Expected::Broken,
        &codes,
        |world| {
            world.plain();
            world.silence(CLOUD);
        },
        |world| {
            world.patience = Duration::from_secs(5);
            let (report, git) = world.ask();
            assert!(!git.worked());
            let Some(report) = report else { return };
            let found: Vec<_> = crate::judge::findings(&report).filter_map(|finding| finding["code"].as_str()).collect();
            assert!(found.contains(&codes[1]), "{found:?}");
            assert_eq!(report["verdict"]["root_cause"]["code"], codes[0], "{report:#}");
        },
    );
}

#[test]
fn both_ports_are_refused() {
    broken(&["port-refused"], |world| {
        world.plain();
        world.listen.clear();
    });
}

#[test]
fn packets_vanish() {
    broken(&["port-blocked"], |world| {
        world.plain();
        let nowhere = world.black_hole();
        world.rename("{host}", nowhere);
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn packets_vanish_everywhere() {
    broken(&["port-blocked"], |world| {
        world.plain();
        let nowhere = world.black_hole();
        world.rename("{host}", nowhere);
        world.rename("altssh.bitbucket.org", nowhere);
        world.config("Host *\n  ConnectTimeout 4\n");
    });
}

#[test]
fn packets_vanish_but_the_web_has_a_proxy() {
    broken(&["port-blocked"], |world| {
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
    broken(&["network-unreachable"], |world| {
        world.plain();
        ip("route add unreachable 203.0.113.0/24");
        world.rename("{host}", "203.0.113.7");
    });
}

#[test]
fn no_network_at_all() {
    broken(&["network-unreachable"], |world| {
        world.plain();
        world.rename("{host}", "203.0.113.7");
        world.rename("altssh.bitbucket.org", "203.0.113.8");
    });
}

#[test]
fn forbidden_on_this_machine() {
    broken(&["connect-denied-locally"], |world| {
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
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand corkscrew proxy.example.com 3128 %h %p\n");
    });
}

#[test]
fn proxy_program_says_why() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.script("connect", "#!/bin/sh\necho 'Proxy returned status code 407.' >&2\nexit 1\n");
        world.config(format!("Host {{host}}\n  ProxyCommand {HOME}/connect %h %p\n"));
    });
}

#[test]
fn jump_host_does_not_exist() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.config("Host {host}\n  ProxyJump bastion.example.com\n");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn jump_host_is_unknown() {
    broken(&["proxy-failed"], |world| {
        world.plain();
        world.name("bastion.example.com", ALTERNATE);
        world.config("Host {host}\n  ProxyJump git@bastion.example.com:443\n");
    });
}

#[test]
fn web_server_on_the_alternate_port() {
    broken(&["not-an-ssh-server"], |world| {
        world.key("id_ed25519");
        world.know("[altssh.bitbucket.org]:443");
        world.silence(ALTERNATE);
        serve(ALTERNATE, 443, |mut stream| {
            let mut read = [0; 64];
            let _ = stream.read(&mut read);
            // A TLS alert record: "protocol version".
            let _ = stream.write_all(&[0x15, 3, 1, 0, 2, 2, 70]);
        });
        world.url("ssh://git@altssh.bitbucket.org:443/acme/app.git");
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
fn helper_that_may_not_start() {
    uncertain(|world| {
        world.plain();
        world.config("Host {host}\n  ProxyCommand ssh -F none -W %h:%p relay\n");
    });
}

#[test]
fn interface_of_a_vpn_that_is_down() {
    mended(&["network-option-unusable"], |world| {
        world.plain();
        world.config("Host *\n  BindInterface wg0\n");
    });
}

#[test]
fn interface_of_a_vpn_that_is_down_without_git() {
    broken(&["network-option-unusable"], |world| {
        world.plain();
        world.config("Host *\n  BindInterface wg0\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn name_to_connect_from_does_not_resolve() {
    mended(&["network-option-unusable"], |world| {
        world.plain();
        world.config("Host *\n  BindAddress desk.example.com\n");
        world.name_server(Names::Unknown);
    });
}

#[test]
fn interface_that_is_there() {
    healthy(|world| {
        world.plain();
        world.config("Host *\n  BindInterface lo\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn name_server_is_silent_about_the_family_that_is_not_asked_for() {
    healthy(|world| {
        world.plain();
        world.names.clear();
        world.name_server(Names::OnlyAddress([127, 0, 0, 2]));
        world.config("Host *\n  AddressFamily inet\n");
        world.args.push("--no-exec".into());
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
    mended(&["ipv6-broken"], |world| {
        world.black_hole();
        ip("-6 addr add 2001:db8::1/64 dev hole nodad");
        ip("-6 neighbour add 2001:db8::2 lladdr 02:00:00:00:00:02 dev hole");
        first_address_swallows_packets(world, "2001:db8::2");
    });
}

#[test]
fn first_address_swallows_packets_of_ipv4() {
    mended(&["port-blocked"], |world| {
        let nowhere = world.black_hole();
        // The resolver would put the address of this machine first.
        etc("gai.conf", "precedence ::ffff:127.0.0.0/104 5\nprecedence ::ffff:0:0/96 100\n");
        first_address_swallows_packets(world, nowhere);
    });
}

#[test]
fn short_name_that_is_in_none_of_the_domains() {
    broken(&["network-option-unusable"], |world| {
        world.plain();
        world.config("Host *\n  CanonicalizeHostname yes\n  CanonicalDomains corp.example.com\n  CanonicalizeFallbackLocal no\n");
        world.name_server(Names::Unknown);
        world.url("git@bitbucket:acme/app.git");
    });
}
