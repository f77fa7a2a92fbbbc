//! The SSH engine against the real OpenSSH and against servers that misbehave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

mod handshake;
mod session;
mod support;

use std::ffi::OsStr;

use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::handshake::HandshakeFailureKind as Kind;
use bbdoctor_evidence::server::handshake::Preferences;
use bbdoctor_evidence::server::libssh2;
use bbdoctor_evidence::server::proxy::spawn_proxy;
use bbdoctor_evidence::server::session::Session;
use support::*;

#[test]
fn speaks_through_a_proxy_program() {
    let folder = tempfile::tempdir().unwrap();
    let config = bbdoctor_test_support::configure(folder.path(), &settings(folder.path(), ""), 22);
    let line = format!("{} -i -f {} -E {}/log", bbdoctor_test_support::sshd(), config.display(), folder.path().display());
    let environment: Environment = [("PATH", "/usr/bin:/bin")].into_iter().collect();
    let proxy = spawn_proxy(OsStr::new(&line), &environment).unwrap();
    let session = Session::handshake(proxy.stream, within(10_000), &Preferences::default()).unwrap();
    assert!(session.established().identification.starts_with("SSH-2.0-OpenSSH_"));
    drop(session);
    let end = proxy.process.finish(within(5000));
    assert!(end.exit_status.is_some(), "{end:?}");

    let proxy = spawn_proxy(OsStr::new("absent-program"), &environment).unwrap();
    let failure = Session::handshake(proxy.stream, within(10_000), &Preferences::default()).unwrap_err();
    assert!(matches!(failure.kind, Kind::ClosedBeforeBanner | Kind::ResetBeforeBanner), "{failure:?}");
    assert_eq!(proxy.process.finish(within(5000)).exit_status, Some(127));
}

#[test]
fn names_its_libssh2() {
    assert!(libssh2::version().starts_with("1."), "{}", libssh2::version());
}
