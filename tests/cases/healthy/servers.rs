//! Odd servers, ports and routes with which git works.

use std::time::Duration;

use crate::harness::case::{Expected, case, healthy};
use crate::harness::judge::findings;
use crate::harness::server::{Names, relay};
use crate::harness::world::{ALTERNATE, CLOUD};

#[test]
fn slow_to_introduce_itself() {
    healthy(|world| {
        world.plain();
        world.odd_server(|client| {
            std::thread::sleep(Duration::from_millis(5500));
            relay(client, &format!("{ALTERNATE}:443"), |_, _| true);
        });
        world.args.push("--no-exec".into());
    });
}

#[test]
fn alternate_port() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("[altssh.bitbucket.org]:443");
        world.silence(CLOUD);
        world.config("Host {host}\n  HostName altssh.bitbucket.org\n  Port 443\n  User git\n");
    });
}

#[test]
fn alternate_port_known_without_the_port() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("altssh.bitbucket.org");
        world.url("ssh://git@altssh.bitbucket.org:443/acme/app.git");
    });
}

#[test]
fn alternate_port_is_closed() {
    healthy(|world| {
        world.plain();
        world.silence(ALTERNATE);
        world.names.retain(|(name, _)| name != "altssh.bitbucket.org");
    });
}

#[test]
fn data_center() {
    healthy(|world| {
        world.data_center();
        world.rule("greeting", "Invalid command");
        world.url("ssh://git@git.example.com:7999/acme/app.git");
    });
}

#[test]
fn data_center_in_the_configuration() {
    healthy(|world| {
        world.data_center();
        world.config("Host git.example.com\n  Port 7999\n  User git\n");
        world.describe_data_center();
        world.url("git@git.example.com:acme/app.git");
    });
}

#[test]
fn proxy_that_relays() {
    healthy(|world| {
        world.plain_with("Host {host}\n  ProxyCommand ssh -F ~/.ssh/relay.conf -W 127.0.0.2:22 relay\n");
        world.write(
            ".ssh/relay.conf",
            format!("Host relay\n  HostName {ALTERNATE}\n  Port 443\n  User git\n  HostKeyAlias {{host}}\n"),
            0o600,
        );
        // The service's keys are restricted; the jump is through an account of its own key.
        let line = world.authorized[0].replace(",restrict", "");
        world.authorized[0] = line;
        let nobody = crate::harness::world::NOBODY;
        world.rename("{host}", nobody);
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

#[test]
fn everything_is_seen_through_a_jump_host() {
    case(
        Expected::Healthy,
        &[],
        |world| {
            world.plain();
            world.bastion("");
        },
        |world| {
            let (report, git) = world.ask();
            assert!(git.worked(), "{git:?}");
            let Some(report) = report else { return };
            assert_eq!(report["verdict"]["status"], "healthy", "{report:#}");
            let troubled: Vec<_> = findings(&report).filter(|finding| finding["severity"] != "info").collect();
            assert!(troubled.is_empty(), "{troubled:#?}");
            assert_eq!(report["identities"][0]["server"], "accepted", "{report:#}");
        },
    );
}
