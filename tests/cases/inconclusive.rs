//! What cannot be known without starting another program or asking a person: bbdoctor must say that it does not know.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::harness::case::{Expected, case, uncertain};
use crate::harness::namespace::{HOME, chmod};
use crate::harness::server::serve_unix;
use crate::harness::world::World;

#[test]
fn known_by_a_program_that_may_not_start() {
    uncertain(|world| {
        world.key("id_ed25519");
        world.know_some("{host}", &["ed25519"], "published");
        world.config("Host *\n  KnownHostsCommand /bin/cat /home/dev/published\n");
    });
}

#[test]
fn certificate_that_only_ssh_can_use() {
    uncertain(|world| world.certificate(&["-n", "git"]));
}

#[test]
fn agent_takes_its_time() {
    uncertain(|world| {
        world.key_named("bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        let (quick, slow) = (Path::new(HOME).join("agent.sock"), Path::new(HOME).join("slow.sock"));
        world.set("SSH_AUTH_SOCK", &slow);
        serve_unix(&slow, move |client| {
            std::thread::sleep(Duration::from_secs(3));
            let agent = UnixStream::connect(&quick).unwrap();
            let (mut asks, mut answers) = (client.try_clone().unwrap(), agent.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asks, &mut answers));
            let _ = std::io::copy(&mut &agent, &mut &client);
        });
    });
}

#[test]
fn key_is_bound_to_this_host_and_only_ssh_can_show_it() {
    uncertain(|world| world.bound_key("{host}"));
}

#[test]
fn passphrase_is_asked_for() {
    let arrange = |world: &mut World| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
        // Somebody answers ssh's questions, but does not sit at a terminal.
        let askpass = world.script("askpass", "#!/bin/sh\necho correct horse\n");
        world.set("SSH_ASKPASS", askpass);
        world.set("SSH_ASKPASS_REQUIRE", "force");
    };
    case(Expected::Inconclusive, &[], arrange, |world| {
        if let (Some(report), git) = world.ask() {
            assert!(git.worked(), "{git:?}");
            assert_eq!(report["verdict"]["status"], "inconclusive", "{report:#}");
        }
    });
}

#[test]
fn group_of_one_may_write_the_configuration() {
    uncertain(|world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o664);
    });
}

#[test]
fn token_that_may_not_be_asked() {
    uncertain(|world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  PKCS11Provider /usr/lib/token.so\n");
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
fn nobody_asks_https() {
    uncertain(|world| {
        world.plain();
        world.git_config("url.https://bitbucket.org/.insteadOf", "git@{host}:");
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
