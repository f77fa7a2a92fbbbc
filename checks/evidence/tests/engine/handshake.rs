//! From the connection to the key exchange, against sshd and against servers that misbehave.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::*;
use bbdoctor_checks::facts::handshake::{Disconnect, HandshakeFailure, HandshakeFailureKind as Kind, Stage};
use bbdoctor_checks::facts::kexinit::{Class, NotIdentification};
use bbdoctor_evidence::server::handshake::Preferences;
use bbdoctor_evidence::server::session::Session;
use bbdoctor_test_support::watchdog;

/// The failure of a handshake with a scripted server, for which it is given so many milliseconds.
fn failure(milliseconds: u64, script: impl FnOnce(TcpStream) + Send + 'static) -> HandshakeFailure {
    let stream = scripted(script);
    let _watchdog = watchdog();
    *Session::handshake(stream, within(milliseconds), &Preferences::default()).unwrap_err()
}

fn says(bytes: &'static [u8]) -> impl FnOnce(TcpStream) + Send + 'static {
    move |mut stream| {
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        stall(stream);
    }
}

const IDENTIFICATION: &[u8] = b"SSH-2.0-scripted\r\n";
const GOOD: [&str; 4] = ["curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256"];

/// Speaks up to and with its KEXINIT, then `rest`.
fn negotiates(lists: [&'static str; 4], rest: impl FnOnce(TcpStream) + Send + 'static) -> impl FnOnce(TcpStream) + Send + 'static {
    move |mut stream| {
        stream.write_all(IDENTIFICATION).unwrap();
        stream.write_all(&kexinit(lists[0], lists[1], lists[2], lists[3])).unwrap();
        rest(stream);
    }
}

#[test]
fn before_the_banner() {
    let closed = failure(3000, |stream| stream.shutdown(Shutdown::Write).unwrap());
    assert_eq!((closed.kind, closed.stage), (Kind::ClosedBeforeBanner, Stage::BeforeBanner));
    let reset = failure(3000, |stream| socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap());
    assert_eq!((reset.kind, reset.stage), (Kind::ResetBeforeBanner, Stage::BeforeBanner));
    let silent = failure(300, stall);
    assert_eq!((silent.kind, silent.stage, silent.timed_out), (Kind::BannerTimeout, Stage::BeforeBanner, true));
    let trickle = failure(600, |mut stream| {
        for byte in IDENTIFICATION {
            let _ = stream.write_all(&[*byte]);
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!((trickle.kind, trickle.stage), (Kind::BannerTimeout, Stage::Banner));
    assert_eq!(failure(3000, says(b"SSH-2")).kind, Kind::ClosedBeforeBanner);
}

#[test]
fn not_an_ssh_server() {
    let judged = |failure: HandshakeFailure| match failure.kind {
        Kind::NotSsh { first_bytes, objection } => (first_bytes, objection),
        other => panic!("{other:?}"),
    };
    let http = failure(3000, says(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>"));
    assert_eq!(http.preamble[..2], ["HTTP/1.1 400 Bad Request", "Server: x"]);
    assert_eq!(judged(http).1, None);
    let kept_open = failure(300, |mut stream| {
        stream.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").unwrap();
        stall(stream);
    });
    assert!(kept_open.timed_out);
    assert_eq!(judged(kept_open).1, None);
    let (tls, objection) = judged(failure(3000, says(b"\x15\x03\x01\0\x02\x02\x46")));
    assert_eq!((tls[0], objection), (0x15, Some(NotIdentification::InvalidCharacters)));
    let (first, objection) = judged(failure(5000, |stream| repeat(stream, b"no newline ever ")));
    assert_eq!((first.len(), objection), (512, Some(NotIdentification::LineTooLong)));
    assert_eq!(judged(failure(5000, |stream| repeat(stream, b"line\r\n"))).1, Some(NotIdentification::TooManyLines));
    let garbage = failure(5000, |stream| repeat(stream, &(0..=255).map(|b: u8| b.wrapping_mul(41) ^ 0xa5).collect::<Vec<_>>()));
    assert!(judged(garbage).1.is_some());
    let old = failure(5000, says(b"SSH-1.5-OpenSSH_2.0\n"));
    assert_eq!(old.kind, Kind::OldProtocol("1.5".into()));
}

#[test]
fn turned_away() {
    let full = failure(3000, |mut stream| stream.write_all(b"Exceeded MaxStartups\r\n").unwrap());
    assert_eq!(full.kind, Kind::Busy { text: "Exceeded MaxStartups".into() });
    let penalty = failure(3000, says(b"Not allowed at this time\r\n"));
    assert_eq!(penalty.kind, Kind::Busy { text: "Not allowed at this time".into() });
    let goodbye = |reason: u8| {
        move |mut stream: TcpStream| {
            let mut payload = vec![1, 0, 0, 0, reason];
            payload.extend_from_slice(&[0, 0, 0, 4]);
            payload.extend_from_slice(b"no\xff!\0\0\0\0");
            stream.write_all(IDENTIFICATION).unwrap();
            stream.write_all(&packet(&payload)).unwrap();
            stall(stream);
        }
    };
    assert_eq!(failure(3000, goodbye(12)).kind, Kind::Busy { text: "no\u{fffd}!".into() });
    let other = failure(3000, goodbye(2));
    assert_eq!(other.kind, Kind::Disconnected(Disconnect { reason: 2, text: "no\u{fffd}!".into() }));
    assert_eq!((other.stage, other.identification.as_deref()), (Stage::KeyExchange, Some("SSH-2.0-scripted")));
}

#[test]
fn during_the_key_exchange() {
    let stalls = failure(400, |mut stream| {
        stream.write_all(IDENTIFICATION).unwrap();
        stall(stream);
    });
    assert_eq!((stalls.kind, stalls.stage), (Kind::KexTimeout { bytes_received: 0 }, Stage::KeyExchange));
    assert!(stalls.server_kexinit.is_none() && stalls.client_kexinit.is_some());
    let stalls = failure(400, negotiates(GOOD, stall));
    assert!(matches!(stalls.kind, Kind::KexTimeout { bytes_received: 1.. }), "{stalls:?}");
    assert_eq!(stalls.server_kexinit.unwrap().server_host_key_algorithms, ["ssh-ed25519"]);
    let closes = failure(3000, says(IDENTIFICATION));
    assert!(matches!(closes.kind, Kind::ClosedDuringKex { .. }), "{closes:?}");
    let closes = failure(3000, negotiates(GOOD, |stream| stream.shutdown(Shutdown::Write).unwrap()));
    assert!(matches!(closes.kind, Kind::ClosedDuringKex { .. }), "{closes:?}");
    let huge = failure(3000, |mut stream| {
        stream.write_all(IDENTIFICATION).unwrap();
        stream.write_all(&[0xff; 64]).unwrap();
        stall(stream);
    });
    assert!(matches!(huge.kind, Kind::ProtocolError { .. }) && !huge.timed_out, "{huge:?}");
    let http = failure(3000, |mut stream| {
        stream.write_all(IDENTIFICATION).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        stall(stream);
    });
    assert!(matches!(http.kind, Kind::ProtocolError { .. }), "{http:?}");
    let ignores = failure(700, |mut stream| {
        stream.write_all(IDENTIFICATION).unwrap();
        repeat(stream, &packet(&[2, 0, 0, 0, 0]));
    });
    assert!(matches!(ignores.kind, Kind::KexTimeout { .. }), "{ignores:?}");
    let nonsense = failure(
        3000,
        negotiates(GOOD, |mut stream| {
            stream.write_all(&packet(&[31, 1, 2, 3, 4, 5, 6, 7])).unwrap();
            stall(stream);
        }),
    );
    assert!(matches!(nonsense.kind, Kind::ProtocolError { .. }), "{nonsense:?}");
}

#[test]
fn nothing_in_common() {
    for (class, lists) in [
        (Class::Kex, ["sntrup761x25519-sha512", GOOD[1], GOOD[2], GOOD[3]]),
        (Class::HostKey, [GOOD[0], "ssh-dss", GOOD[2], GOOD[3]]),
        (Class::Cipher, [GOOD[0], GOOD[1], "3des-cbc", GOOD[3]]),
        (Class::Mac, [GOOD[0], GOOD[1], GOOD[2], "hmac-md5"]),
    ] {
        match failure(3000, negotiates(lists, stall)).kind {
            Kind::NoCommonAlgorithm(found) => {
                assert_eq!(found.class, class);
                assert_eq!(found.theirs.len(), 1);
                assert!(found.ours.len() > 1);
            }
            other => panic!("{class:?}: {other:?}"),
        }
    }
}

#[test]
fn a_gap_of_libssh2_is_seen_as_what_the_server_offers() {
    let sshd = Sshd::start("KexAlgorithms sntrup761x25519-sha512@openssh.com");
    let failure = Session::handshake(sshd.connect(), within(10_000), &Preferences::default()).unwrap_err();
    let Kind::NoCommonAlgorithm(found) = failure.kind else { panic!("{failure:?}") };
    let known = Command::new("ssh").args(["-Q", "kex"]).output().unwrap().stdout;
    let known = String::from_utf8(known).unwrap();
    assert!(found.theirs.iter().any(|theirs| known.lines().any(|ours| ours == theirs)), "{found:?}");
}

#[test]
fn preferences_decide_the_host_key_and_impossible_ones_are_named() {
    let sshd = Sshd::start("");
    for wanted in ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"] {
        let preferences =
            Preferences { host_key_algorithms: Some(vec!["ssh-tomorrow".into(), wanted.into()]), ..Preferences::default() };
        let session = Session::handshake(sshd.connect(), within(10_000), &preferences).unwrap();
        let established = session.established();
        assert_eq!(established.host_key_algorithm, wanted);
        let name = established.host_key_algorithm.split('-').next().unwrap();
        let file = format!(
            "host_{}.pub",
            match name {
                "ssh" => "ed25519",
                "ecdsa" => "ecdsa",
                _ => "rsa",
            }
        );
        let line = fs::read_to_string(sshd.folder.path().join(file)).unwrap();
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&established.host_key);
        assert_eq!(line.split_whitespace().nth(1), Some(text.as_str()));
    }
    let preferences = Preferences {
        kex_algorithms: Some(vec!["curve25519-sha256".into()]),
        ciphers: Some(vec!["aes256-ctr".into()]),
        macs: Some(vec!["hmac-sha2-512".into()]),
        ..Preferences::default()
    };
    let session = Session::handshake(sshd.connect(), within(10_000), &preferences).unwrap();
    let established = session.established();
    assert_eq!((established.kex_algorithm.as_str(), established.cipher.as_str()), ("curve25519-sha256", "aes256-ctr"));
    assert_eq!(established.client_kexinit.as_ref().unwrap().mac_server_to_client, ["hmac-sha2-512"]);
    assert!(established.client_kexinit.as_ref().unwrap().kex_algorithms.contains(&"kex-strict-c-v00@openssh.com".to_owned()));
    assert!(established.identification.starts_with("SSH-2.0-OpenSSH_"));
    let preferences = Preferences { ciphers: Some(vec!["rot13".into()]), ..Preferences::default() };
    let failure = Session::handshake(sshd.connect(), within(10_000), &preferences).unwrap_err();
    assert!(matches!(failure.kind, Kind::Unsupported { class: Class::Cipher, .. }) && failure.stage == Stage::Preparation);
}
