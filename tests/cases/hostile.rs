//! Input nobody should give: the report must be complete, valid and in time, and agree with git.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use nix::sys::stat::Mode;

use crate::harness::case::{Expected, case, healthy, survives};
use crate::harness::server::{hang, introduce};
use crate::harness::world::not_utf8;

#[test]
fn configuration_that_is_no_text() {
    survives(|world| {
        world.plain();
        world.config(b"Host \xff\xfe\n  User git\n# \x80\x81\n");
    });
}

#[test]
fn configuration_with_zero_bytes() {
    survives(|world| {
        world.plain();
        world.config(b"Host *\n  User git\0\0\n\0\n");
    });
}

#[test]
fn configuration_of_one_long_line() {
    survives(|world| {
        world.plain();
        world.config([b"Host ".to_vec(), vec![b'a'; 3_000_000], b"\n".to_vec()].concat());
    });
}

#[test]
fn configuration_of_many_lines() {
    survives(|world| {
        world.plain();
        world.config("Host x\n  User y\n".repeat(20_000));
    });
}

#[test]
fn configuration_is_a_pipe() {
    survives(|world| {
        world.plain();
        nix::unistd::mkfifo(&world.ssh("config"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        world.hurry();
    });
}

#[test]
fn key_is_a_pipe() {
    survives(|world| {
        world.plain();
        world.forget("id_ed25519");
        nix::unistd::mkfifo(&world.ssh("id_ed25519"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        world.hurry();
    });
}

#[test]
fn key_that_is_no_text() {
    survives(|world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519.pub")).unwrap();
        world.write(".ssh/id_ed25519", [0xff_u8, 0, 0x80].repeat(300), 0o600);
    });
}

#[test]
fn key_of_megabytes() {
    survives(|world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519.pub")).unwrap();
        world.write(".ssh/id_ed25519", vec![b'A'; 3_000_000], 0o600);
    });
}

#[test]
fn names_that_are_no_text_beside_the_key() {
    healthy(|world| {
        world.plain();
        fs::write(world.ssh("").join(not_utf8()), "x").unwrap();
        fs::create_dir(world.ssh("\u{1b}[31mred\u{202e}")).unwrap();
    });
}

#[test]
fn known_hosts_that_are_no_text() {
    healthy(|world| {
        world.key("id_ed25519");
        world.write(".ssh/known_hosts", b"\xff\xfe\x80 ssh-rsa \xff\n\0\0\n", 0o644);
        let rubbish = fs::read(world.ssh("known_hosts")).unwrap();
        fs::remove_file(world.ssh("known_hosts")).unwrap();
        world.know("{host}");
        let good = fs::read(world.ssh("known_hosts")).unwrap();
        fs::write(world.ssh("known_hosts"), [rubbish, good].concat()).unwrap();
    });
}

#[test]
fn known_hosts_of_many_megabytes() {
    survives(|world| {
        world.plain();
        let line = format!("example.com {}\n", world.host_key("rsa"));
        let good = fs::read_to_string(world.ssh("known_hosts")).unwrap();
        fs::write(world.ssh("known_hosts"), good + &line.repeat(15_000)).unwrap();
    });
}

#[test]
fn environment_that_is_no_text() {
    healthy(|world| {
        world.plain();
        for name in ["LANG", "TERM", "EDITOR", "XDG_CACHE_HOME"] {
            world.env.insert(name.into(), not_utf8().to_owned());
        }
        world.env.insert(not_utf8().to_owned(), "x".into());
    });
}

#[test]
fn agent_socket_that_is_no_text() {
    healthy(|world| {
        world.plain();
        world.env.insert("SSH_AUTH_SOCK".into(), not_utf8().to_owned());
    });
}

#[test]
fn url_of_control_characters() {
    survives(|world| {
        world.plain();
        world.url = std::ffi::OsString::from_vec(b"git@\x1b[31mhost\x1b[0m\x07:acme/app.git".to_vec());
    });
}

#[test]
fn url_without_end() {
    survives(|world| {
        world.plain();
        world.url = format!("git@{}:{}", world.host, "a/".repeat(20_000)).into();
    });
}

#[test]
fn agent_that_promises_too_much() {
    survives(|world| {
        world.plain();
        world.odd_agent(|mut stream| {
            let mut read = [0; 64];
            let _ = stream.read(&mut read);
            let _ = stream.write_all(&[0xff, 0xff, 0xff, 0xff, 12, 0xff, 0xff, 0xff, 0xff]);
            hang(stream);
        });
        world.hurry();
    });
}

#[test]
fn agent_that_never_ends() {
    survives(|world| {
        world.plain();
        world.odd_agent(|mut stream| while stream.write_all(&[0x41; 4096]).is_ok() {});
        world.hurry();
    });
}

#[test]
fn server_that_floods() {
    survives(|world| {
        world.plain();
        world.odd_server(|mut stream| while stream.write_all(&[b'x'; 65536]).is_ok() {});
        world.hurry();
    });
}

#[test]
fn server_that_never_comes_to_the_point() {
    survives(|world| {
        world.plain();
        world.odd_server(|mut stream| {
            while stream.write_all(b"please wait\r\n").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        world.hurry();
    });
}

#[test]
fn server_that_trickles() {
    survives(|world| {
        world.plain();
        world.odd_server(|mut stream| {
            for byte in b"SSH-2.0-conker_0123456789 and so on and so forth".iter().cycle() {
                if stream.write_all(&[*byte]).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        world.hurry();
    });
}

#[test]
fn server_that_sends_a_packet_of_four_gigabytes() {
    survives(|world| {
        world.plain();
        world.odd_server(|mut stream| {
            introduce(&mut stream);
            let _ = stream.write_all(&[0xff; 64]);
            hang(stream);
        });
        world.hurry();
    });
}

#[test]
fn server_that_paints_the_terminal() {
    case(
        Expected::Broken,
        &["not-an-ssh-server"],
        |world| {
            world.plain();
            world.odd_server(|mut stream| {
                let _ = stream.write_all(b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xaeevil\r\n");
                let mut read = [0; 256];
                let _ = stream.read(&mut read);
            });
        },
        |world| {
            let (report, _) = world.ask();
            let Some(report) = report else { return };
            let text = report.to_string();
            assert!(!text.contains('\u{1b}') && !text.contains("\\u001b") && !text.contains('\u{202e}'), "{text}");
        },
    );
}

#[test]
fn refusal_of_many_megabytes() {
    survives(|world| {
        world.plain();
        world.rule("deny-read.dev", &"no access for you. ".repeat(200_000));
    });
}

#[test]
fn refusal_that_never_ends() {
    survives(|world| {
        world.plain();
        world.rule("before", "while echo still refusing; do :; done >&2");
        world.hurry();
    });
}
