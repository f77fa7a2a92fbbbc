//! The SSH engine against the real OpenSSH and against servers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bbdoctor_checks::evidence::agent::{Agent, AgentError};
use bbdoctor_checks::evidence::environment::Environment;
use bbdoctor_checks::evidence::handshake::{Disconnect, HandshakeFailure, HandshakeFailureKind as Kind, Preferences, Stage};
use bbdoctor_checks::evidence::kexinit::{Class, NotIdentification};
use bbdoctor_checks::evidence::libssh2;
use bbdoctor_checks::evidence::proxy::spawn_proxy;
use bbdoctor_checks::evidence::session::{Ended, KeyAnswer, Limits, Login, MethodsAnswer, Session};
use bbdoctor_test_support::watchdog;
use support::*;

fn open(sshd: &Sshd) -> Session {
    Session::handshake(sshd.connect(), within(20_000), &Preferences::default()).unwrap()
}

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

#[test]
fn the_server_is_asked_about_each_key_without_a_signature() {
    let sshd = Sshd::start("MaxAuthTries 6");
    let folder = sshd.folder.path();
    let keys: Vec<_> = ["ed25519", "ecdsa", "rsa"].iter().map(|kind| Key::new(folder, kind, kind)).collect();
    let stranger = Key::new(folder, "stranger", "ed25519");
    let authority = Key::new(folder, "authority", "ed25519");
    let certificate = stranger.certified_by(&authority);
    let mut lines: Vec<_> = keys.iter().map(Key::public).collect();
    lines.push(format!("cert-authority {}", authority.public()));
    sshd.authorize(&lines);
    let mut session = open(&sshd);
    assert_eq!(session.methods(&user()), MethodsAnswer::Methods(vec!["publickey".into()]));
    let accepted = |algorithm: &str| KeyAnswer::Accepted { algorithm: algorithm.into() };
    assert_eq!(session.query(&user(), &stranger.blob), KeyAnswer::Refused);
    assert_eq!(session.query(&user(), &keys[0].blob), accepted("ssh-ed25519"));
    assert_eq!(session.query(&user(), &keys[1].blob), accepted("ecdsa-sha2-nistp256"));
    assert_eq!(session.query(&user(), &keys[2].blob), accepted("rsa-sha2-512"));
    assert_eq!(session.query(&user(), &certificate), accepted("ssh-ed25519-cert-v01@openssh.com"));
    for blob in [&b""[..], b"\0\0\0\x0b", &[0xff; 40], b"\0\0\0\x03a\0b"] {
        assert!(matches!(session.query(&user(), blob), KeyAnswer::Unaskable { .. }), "{blob:?}");
    }
    assert!(matches!(session.query("a\0b", &stranger.blob), KeyAnswer::Unaskable { .. }));
    assert!(!session.authenticated());
    let key = fs::read(&keys[1].path).unwrap();
    assert_eq!(session.login_with_private_key(&user(), &key), Login::Success { algorithm: None });
    drop(session);
    assert!(sshd.log().contains("Accepted publickey"), "{}", sshd.log());
}

#[test]
fn too_many_refused_keys_end_the_session_with_the_servers_words() {
    let sshd = Sshd::start("MaxAuthTries 3");
    let strangers: Vec<_> = (0..4).map(|n| Key::new(sshd.folder.path(), &format!("k{n}"), "ed25519")).collect();
    let mut session = open(&sshd);
    assert_eq!(session.query(&user(), &strangers[0].blob), KeyAnswer::Refused);
    assert_eq!(session.query(&user(), &strangers[1].blob), KeyAnswer::Refused);
    let ended = Ended::Disconnected(Disconnect { reason: 2, text: "Too many authentication failures".into() });
    assert_eq!(session.query(&user(), &strangers[2].blob), KeyAnswer::Ended(ended.clone()));
    assert_eq!(session.query(&user(), &strangers[3].blob), KeyAnswer::Ended(ended.clone()));
    assert_eq!(session.methods(&user()), MethodsAnswer::Ended(ended.clone()));
    assert_eq!(session.git_service("true", None, Limits::default()).command.ended, Some(ended));
}

#[test]
fn logs_in_with_every_kind_of_key_an_agent_holds() {
    let sshd = Sshd::start("");
    let folder = sshd.folder.path();
    let agent = RealAgent::start();
    let authority = Key::new(folder, "authority", "ed25519");
    let mut lines = vec![format!("cert-authority {}", authority.public())];
    let mut blobs = Vec::new();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = Key::new(folder, kind, kind);
        lines.push(key.public());
        blobs.push(key.blob.clone());
        agent.add(&[key.path.to_str().unwrap()]);
        let certified = Key::new(folder, &format!("{kind}_certified"), kind);
        blobs.push(certified.certified_by(&authority));
        agent.add(&[certified.path.to_str().unwrap()]);
    }
    sshd.authorize(&lines);
    let mut client = Agent::connect(&agent.socket, within(20_000)).unwrap();
    let held = client.list().unwrap();
    assert_eq!((held.len(), held[0].comment.as_str()), (9, "ed25519"));
    assert!(held[0].blob.starts_with(b"\0\0\0\x0bssh-ed25519"));
    for blob in &blobs {
        let mut session = open(&sshd);
        let login = session.login_with_agent(&user(), &mut client, blob);
        assert!(matches!(login, Login::Success { algorithm: Some(_) }), "{login:?}");
        let outcome = session.git_service("echo in", None, Limits::default()).command;
        assert_eq!((outcome.stdout.as_slice(), outcome.exit_status), (&b"in\n"[..], Some(0)));
    }
    let absent = Key::new(folder, "absent", "ed25519");
    lines.push(absent.public());
    sshd.authorize(&lines);
    let mut session = open(&sshd);
    assert_eq!(session.login_with_agent(&user(), &mut client, &absent.blob), Login::Agent(AgentError::Failure));
    // A server takes only one user per connection.
    let mut session = open(&sshd);
    assert_eq!(session.login_with_agent("nobody-here", &mut client, &absent.blob), Login::KeyRefused);
    agent.lock("-x");
    assert_eq!(client.list(), Ok(Vec::new()));
    agent.lock("-X");
    assert_eq!(client.list().unwrap().len(), 9);
}

#[test]
fn private_keys_that_cannot_be_used() {
    let sshd = Sshd::start("");
    let folder = sshd.folder.path();
    let key = Key::new(folder, "key", "ed25519");
    let encrypted = folder.join("encrypted");
    fs::copy(&key.path, &encrypted).unwrap();
    let done = Command::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-f"]).arg(&encrypted).output().unwrap();
    assert!(done.status.success());
    sshd.authorize(&[key.public()]);
    let mut session = open(&sshd);
    for bytes in [fs::read(&encrypted).unwrap(), b"".to_vec(), vec![0xff; 300], key.public().into_bytes()] {
        let login = session.login_with_private_key(&user(), &bytes);
        assert!(matches!(login, Login::KeyUnusable { .. }), "{login:?}");
    }
    let stranger = Key::new(folder, "stranger", "ed25519");
    assert_eq!(session.login_with_private_key(&user(), &fs::read(&stranger.path).unwrap()), Login::KeyRefused);
    assert_eq!(session.login_with_private_key(&user(), &fs::read(&key.path).unwrap()), Login::Success { algorithm: None });
}

/// A server with a key authorised, and a session logged in with it.
fn logged_in(lines: &str) -> (Sshd, Session) {
    let sshd = Sshd::start(lines);
    let key = Key::new(sshd.folder.path(), "key", "ed25519");
    sshd.authorize(&[key.public()]);
    let mut session = open(&sshd);
    let login = session.login_with_private_key(&user(), &fs::read(&key.path).unwrap());
    assert_eq!(login, Login::Success { algorithm: None });
    (sshd, session)
}

#[test]
fn commands_are_read_to_their_end_and_no_further() {
    let (_sshd, mut session) = logged_in("AcceptEnv GIT_PROTOCOL");
    let limits = Limits { kept: 1000, read: 1 << 20 };
    let plain = session.git_service("echo out; echo err >&2; echo $GIT_PROTOCOL; exit 3", Some("version=2"), limits).command;
    assert_eq!((plain.stdout.as_slice(), plain.stderr.as_slice()), (&b"out\nversion=2\n"[..], &b"err\n"[..]));
    assert_eq!((plain.exit_status, plain.truncated, plain.ended.clone()), (Some(3), false, None));
    let reads_input = session.git_service("echo no packet; cat", None, limits).command;
    assert_eq!(reads_input.exit_status, Some(0));
    let killed = session.git_service("kill -TERM $$", None, limits).command;
    assert_eq!((killed.signal.as_deref(), killed.exit_status), (Some("TERM"), None));
    let much = session.git_service("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", None, limits).command;
    assert_eq!((much.stdout.len(), much.stderr.len(), much.exit_status, much.truncated), (1000, 1000, Some(0), true));
    let endless = session.git_service("cat /dev/zero", None, limits).command;
    assert!(endless.truncated && endless.ended.is_none() && !endless.timed_out);
    let odd = session.git_service("a\0b", None, limits).command;
    assert!(odd.refused);
    let _watchdog = watchdog();
    session.set_deadline(within(400));
    let hangs = session.git_service("echo first; sleep 60", None, limits).command;
    assert_eq!((hangs.stdout.as_slice(), hangs.timed_out, hangs.ended.clone()), (&b"first\n"[..], true, Some(Ended::TimedOut)));
    drop(session);
}

#[test]
fn a_server_that_runs_no_commands() {
    let (_sshd, mut session) = logged_in("MaxSessions 0");
    let outcome = session.git_service("true", None, Limits::default()).command;
    assert!(outcome.refused && outcome.ended.is_none(), "{outcome:?}");
}

#[test]
fn git_services_end_without_complaint() {
    let (sshd, mut session) = logged_in("AcceptEnv GIT_PROTOCOL");
    let repository = sshd.folder.path().join("r.git");
    let work = sshd.folder.path().join("w");
    for arguments in [vec!["init", "-q", "--bare", repository.to_str().unwrap()], vec!["init", "-q", work.to_str().unwrap()]] {
        assert!(Command::new("git").args(arguments).status().unwrap().success());
    }
    let git = Command::new("git").args(["--exec-path"]).output().unwrap().stdout;
    let path = String::from_utf8(git).unwrap().trim().to_owned();
    let service = |name: &str, at: &str| format!("PATH={path}:$PATH {name} '{at}'");
    let fetch = service("git-upload-pack", repository.to_str().unwrap());
    let plain = session.git_service(&fetch, None, Limits::default());
    assert!(plain.advertised && String::from_utf8_lossy(&plain.command.stdout).contains("capabilities^{}"), "{plain:?}");
    assert_eq!((plain.command.exit_status, plain.command.stderr.as_slice()), (Some(0), &b""[..]));
    let second = session.git_service(&fetch, Some("version=2"), Limits::default());
    assert!(second.advertised && String::from_utf8_lossy(&second.command.stdout).contains("version 2"), "{second:?}");
    assert_eq!((second.command.exit_status, second.command.stderr.as_slice()), (Some(0), &b""[..]));
    let push = session.git_service(&service("git-receive-pack", repository.to_str().unwrap()), None, Limits::default());
    assert!(push.advertised && push.command.exit_status == Some(0) && push.command.stderr.is_empty(), "{push:?}");
    let missing = session.git_service(&service("git-upload-pack", "/absent.git"), None, Limits::default());
    assert!(!missing.advertised && missing.command.exit_status == Some(128), "{missing:?}");
    assert!(String::from_utf8_lossy(&missing.command.stderr).contains("not appear to be a git repository"));
    let noise = session.git_service("echo conq: repository access denied.; cat", None, Limits::default());
    assert!(!noise.advertised && noise.command.stdout.starts_with(b"conq") && noise.command.exit_status == Some(0), "{noise:?}");
    drop(session);
    let until = within(10_000);
    while !sshd.log().contains("Received disconnect from 127.0.0.1") {
        assert!(Instant::now() < until, "{}", sshd.log());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_key_that_is_right_and_not_enough_behind_a_banner() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("banner");
    fs::write(&file, "Scheduled maintenance\n").unwrap();
    let sshd = Sshd::start(&format!("Banner {}\nAuthenticationMethods publickey,publickey", file.display()));
    let key = Key::new(sshd.folder.path(), "key", "ed25519");
    sshd.authorize(&[key.public()]);
    let mut session = open(&sshd);
    assert_eq!(session.login_with_private_key(&user(), &fs::read(&key.path).unwrap()), Login::SignatureRefused);
}

#[test]
fn a_server_that_dies_is_a_closed_connection() {
    let (sshd, mut session) = logged_in("");
    let outcome = session.git_service("echo here; sleep 1; kill -9 $PPID; sleep 5", None, Limits::default()).command;
    assert!(matches!(outcome.ended, Some(Ended::Closed | Ended::Reset)), "{outcome:?}\n{}", sshd.log());
    assert_eq!(outcome.stdout, b"here\n");
    assert_eq!(outcome.exit_status, None);
}

#[test]
fn speaks_through_a_proxy_program() {
    let folder = tempfile::tempdir().unwrap();
    let config = bbdoctor_test_support::configure(folder.path(), &settings(folder.path(), ""), 22);
    let line = format!("{} -i -f {} -E {}/log", bbdoctor_test_support::sshd(), config.display(), folder.path().display());
    let environment: Environment = [("PATH", "/usr/bin:/bin")].into_iter().collect();
    let proxy = spawn_proxy(OsStr::new(&line), false, &environment).unwrap();
    let session = Session::handshake(proxy.stream, within(10_000), &Preferences::default()).unwrap();
    assert!(session.established().identification.starts_with("SSH-2.0-OpenSSH_"));
    drop(session);
    let end = proxy.process.finish(within(5000));
    assert!(end.exit_status.is_some(), "{end:?}");

    let proxy = spawn_proxy(OsStr::new("absent-program"), false, &environment).unwrap();
    let failure = Session::handshake(proxy.stream, within(10_000), &Preferences::default()).unwrap_err();
    assert!(matches!(failure.kind, Kind::ClosedBeforeBanner | Kind::ResetBeforeBanner), "{failure:?}");
    assert_eq!(proxy.process.finish(within(5000)).exit_status, Some(127));
}

#[test]
fn names_its_libssh2() {
    assert!(libssh2::version().starts_with("1."), "{}", libssh2::version());
}
