//! The agent: whether it can be reached, what it holds, what it refuses.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::namespace::HOME;
use crate::harness::server::hang;
use crate::harness::world::World;

/// A registered key that only an agent could use: its file needs a passphrase.
fn encrypted(world: &mut World) {
    world.keygen("id_ed25519", "ed25519", "", "correct horse");
    world.authorize("id_ed25519", "dev");
    world.know("{host}");
}

#[test]
fn none_and_the_key_needs_it() {
    broken_with("key-passphrase-needed", &["agent-not-running"], |world| {
        encrypted(world);
        world.env.remove(std::ffi::OsStr::new("SSH_AUTH_SOCK"));
    });
}

#[test]
fn socket_is_gone() {
    broken_with("key-passphrase-needed", &["agent-unreachable"], |world| {
        encrypted(world);
        world.set("SSH_AUTH_SOCK", "/tmp/ssh-XXXXXXabcdef/agent.4711");
    });
}

#[test]
fn socket_is_dead() {
    broken_with("key-passphrase-needed", &["agent-unreachable"], |world| {
        encrypted(world);
        let socket = Path::new(HOME).join("agent.sock");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        world.set("SSH_AUTH_SOCK", socket);
    });
}

#[test]
fn socket_may_not_be_used() {
    broken_with("key-passphrase-needed", &["agent-unreachable"], |world| {
        encrypted(world);
        world.agent(&[]);
        world.ssh_add(&[".ssh/id_ed25519"], "correct horse");
        crate::harness::namespace::chmod(&Path::new(HOME).join("agent.sock"), 0o000);
    });
}

#[test]
fn it_never_answers() {
    broken("agent-unresponsive", |world| {
        world.plain();
        world.odd_agent(hang);
        world.hurry();
    });
}

#[test]
fn it_holds_nothing() {
    broken_with("key-passphrase-needed", &["agent-empty"], |world| {
        encrypted(world);
        world.agent(&[]);
    });
}

#[test]
fn its_keys_were_for_a_while() {
    broken_with("no-key", &["agent-empty"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&[]);
        world.user(&["ssh-add", "-q", "-t", "1", ".ssh/bitbucket"]);
        world.forget("bitbucket");
        std::thread::sleep(std::time::Duration::from_millis(2100));
    });
}

#[test]
fn it_is_locked() {
    broken("agent-locked", |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.ssh_add(&["-x"], "secret");
    });
}

#[test]
fn it_holds_other_keys() {
    broken_with("agent-lacks-key", &["key-passphrase-needed"], |world| {
        encrypted(world);
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
    });
}

#[test]
fn it_asks_a_person_who_is_not_there() {
    broken("agent-refuses-signing", |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&[]);
        world.user(&["ssh-add", "-q", "-c", ".ssh/bitbucket"]);
        fs::remove_file(world.ssh("bitbucket")).unwrap();
    });
}

/// RFC 4648, section 4, of a public key's line.
fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = text.bytes().filter_map(|letter| alphabet.iter().position(|known| *known == letter));
    let (mut bytes, mut held, mut count) = (Vec::new(), 0, 0);
    for six in bits {
        held = (held << 6) | six;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((held >> count) & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn it_ends_in_the_middle_of_a_request() {
    broken("agent-refuses-signing", |world| {
        encrypted(world);
        let public = fs::read_to_string(world.ssh("id_ed25519.pub")).unwrap();
        let blob = base64(public.split(' ').nth(1).unwrap());
        world.odd_agent(move |mut stream| {
            // draft-ietf-sshm-ssh-agent, section 3.5: one identity; whatever is asked next ends the connection.
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let mut answer = vec![12, 0, 0, 0, 1];
            for part in [blob.as_slice(), b"bitbucket"] {
                answer.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
                answer.extend(part);
            }
            let _ = stream.write_all(&u32::try_from(answer.len()).unwrap().to_be_bytes());
            let _ = stream.write_all(&answer);
            while stream.read(&mut request).is_ok_and(|length| length > 0) && request[4] != 13 {
                let _ = stream.write_all(&[0, 0, 0, 1, 5]);
            }
        });
    });
}

#[test]
fn many_keys_and_the_right_one_is_first() {
    advised(&["agent-too-many-keys"], |world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        world.key("bitbucket");
        for name in names {
            world.stranger(name);
        }
        world.know("{host}");
        world.agent(&[&["bitbucket"], &names[..]].concat());
        for name in names {
            world.forget(name);
        }
    });
}

#[test]
fn something_else_answers_and_the_key_is_a_file() {
    advised(&["agent-protocol-error"], |world| {
        world.plain();
        world.odd_agent(|mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        });
    });
}

#[test]
fn key_is_bound_to_another_host() {
    broken("agent-refuses-signing", |world| world.bound_key("elsewhere.example.com"));
}
