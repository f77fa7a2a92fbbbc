//! What happens between the connection and the login.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::case::{advised, broken};
use crate::harness::remedies::fixed;
use crate::harness::server::{hang, introduce, relay, reset, serve};
use crate::harness::world::{ALTERNATE, CLOUD, World};

#[test]
fn closed_at_once() {
    broken("closed-before-banner", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            // Reading first makes it an orderly end; a close with unread bytes would be a reset.
            let mut read = [0; 256];
            let _ = stream.read(&mut read);
        });
    });
}

#[test]
fn reset_at_once() {
    broken("connection-reset", |world| {
        world.plain();
        world.odd_server(reset);
    });
}

#[test]
fn never_a_word() {
    broken("banner-timeout", |world| {
        world.plain();
        world.config("Host *\n  ConnectTimeout 4\n");
        world.odd_server(hang);
    });
}

#[test]
fn captive_portal() {
    broken("not-an-ssh-server", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            let mut read = [0; 256];
            let _ = stream.read(&mut read);
            let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://portal.example.com/login\r\n\r\n");
        });
    });
}

#[test]
fn mail_server() {
    broken("not-an-ssh-server", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            let mut read = [0; 256];
            let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n");
            let _ = stream.read(&mut read);
            let _ = stream.write_all(b"500 unrecognized command\r\n");
        });
    });
}

#[test]
fn protocol_of_the_last_century() {
    broken("not-an-ssh-server", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            let mut read = [0; 256];
            let _ = stream.write_all(b"SSH-1.5-OpenSSH_2.9\r\n");
            let _ = stream.read(&mut read);
        });
    });
}

#[test]
fn too_many_connections() {
    broken("server-busy", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            let _ = stream.write_all(b"Exceeded MaxStartups\r\n");
            let mut read = [0; 256];
            let _ = stream.read(&mut read);
        });
    });
}

#[test]
fn service_has_only_ancient_algorithms() {
    broken("no-common-algorithm", |world| {
        world.plain();
        world.sshd("KexAlgorithms diffie-hellman-group1-sha1");
    });
}

#[test]
fn silence_after_the_introduction() {
    broken("handshake-timeout", |world| {
        world.plain();
        world.hurry();
        world.odd_server(|mut stream| {
            introduce(&mut stream);
            hang(stream);
        });
    });
}

#[test]
fn large_packets_are_lost() {
    broken("handshake-timeout", |world| {
        world.plain();
        world.hurry();
        world.silence(CLOUD);
        world.odd_server(|client| {
            relay(client, &format!("{ALTERNATE}:443"), |passed, bytes| {
                if passed > 0 && bytes.len() > 600 {
                    hang(std::io::empty());
                }
                true
            });
        });
    });
}

#[test]
fn closed_after_the_introduction() {
    broken("closed-during-handshake", |world| {
        world.plain();
        world.odd_server(|mut stream| introduce(&mut stream));
    });
}

#[test]
fn bytes_that_are_no_packets() {
    broken("protocol-error", |world| {
        world.plain();
        world.odd_server(|mut stream| {
            introduce(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n");
            let mut read = [0; 4096];
            while stream.read(&mut read).is_ok_and(|length| length > 0) {}
        });
    });
}

#[test]
fn something_is_changed_on_the_way() {
    broken("protocol-error", |world| {
        world.plain();
        world.odd_server(|client| {
            relay(client, &format!("{ALTERNATE}:443"), |passed, bytes| {
                if passed > 1800 {
                    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
                }
                true
            });
        });
    });
}

#[test]
fn another_program_than_bitbucket_runs() {
    advised(&["unexpected-server-software"], |world| world.plain());
}

#[test]
fn second_connection_is_turned_away() {
    broken("server-busy", |world| {
        world.plain();
        let connections = Arc::new(AtomicUsize::new(0));
        world.odd_server(move |mut client| {
            if connections.fetch_add(1, Ordering::SeqCst) == 0 {
                relay(client, &format!("{ALTERNATE}:443"), |_, _| true);
            } else {
                let _ = client.write_all(b"Exceeded MaxStartups\r\n");
            }
        });
    });
}

/// An old server of one's own.
fn old_server(world: &mut World, setting: &str) {
    world.data_center();
    world.sshd(setting);
    world.url("ssh://git@git.example.com:7999/acme/app.git");
}

#[test]
fn old_server_signs_with_sha1() {
    fixed("no-common-algorithm", |world| {
        world.present("rsa");
        old_server(world, "HostKeyAlgorithms ssh-rsa");
    });
}

#[test]
fn old_server_exchanges_keys_with_sha1() {
    fixed("no-common-algorithm", |world| {
        old_server(world, "KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1");
    });
}

#[test]
fn old_server_encrypts_in_blocks() {
    fixed("no-common-algorithm", |world| old_server(world, "Ciphers 3des-cbc,aes128-cbc"));
}

#[test]
fn old_server_encrypts_in_blocks_without_git() {
    broken("no-common-algorithm", |world| {
        old_server(world, "Ciphers 3des-cbc,aes128-cbc");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn web_server_on_the_alternate_port() {
    broken("not-an-ssh-server", |world| {
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

#[test]
fn proxy_that_speaks_into_the_first_line() {
    broken("not-an-ssh-server", |world| {
        world.plain();
        world.carrier("printf 'connected: '");
    });
}
