//! After the key exchange: keys, logins, commands, and how a session ends.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::*;
use bbdoctor_checks::facts::agent::AgentError;
use bbdoctor_checks::facts::handshake::Disconnect;
use bbdoctor_checks::facts::session::{Ended, Login};
use bbdoctor_evidence::openssh::agent::Agent;
use bbdoctor_evidence::server::handshake::Preferences;
use bbdoctor_evidence::server::session::{KeyAnswer, Limits, MethodsAnswer, Session};
use bbdoctor_test_support::watchdog;

fn open(sshd: &Sshd) -> Session {
    Session::handshake(sshd.connect(), within(20_000), &Preferences::default()).unwrap()
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
