use bbdoctor_checks::facts::known_hosts::LineFault;
use bbdoctor_checks::facts::known_hosts::{Judgement, judge};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::machine::process::Program;
use crate::openssh::public_key;
use bbdoctor_checks::facts::public_key::PublicKey;

fn key(folder: &Path, name: &str, kind: &[&str]) -> PublicKey {
    let path = folder.join(name);
    let outcome = Program::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "", "-f"])
        .arg(&path)
        .arg("-t")
        .args(kind)
        .run(Instant::now() + Duration::from_secs(30))
        .expect("ssh-keygen runs");
    assert!(outcome.success(), "{}", outcome.stderr_text());
    public_key::read(&folder.join(format!("{name}.pub"))).expect("a public key")
}

fn known(folder: &Path, text: &str, host: &str, port: u16) -> HostEntries {
    let file = folder.join("known_hosts");
    fs::write(&file, text).expect("written");
    lookup(&[file], host, port)
}

fn lines(entries: &HostEntries) -> Vec<usize> {
    entries.keys.iter().map(|e| e.line).collect()
}

#[test]
fn a_line_that_ssh_skips_is_told_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let ed = key(folder, "ed", &["ed25519"]).line();
    let (kind, data) = ed.split_once(' ').expect("two words");
    let cases = [
        (format!("h.example {kind}"), LineFault::Truncated),
        (format!("h.example {kind} {}", &data[..30]), LineFault::Base64),
        (format!("h.example {kind} {}", &data[..32]), LineFault::Damaged),
        ("h.example ssh-ed25519 SHA256:abc".to_owned(), LineFault::Fingerprint),
        (format!("h.example ssh-rsa {data}"), LineFault::TypeDiffers("ssh-ed25519".to_owned())),
        (format!("{kind} {data} h.example"), LineFault::ColumnOrder),
        (format!("h.example {data} {kind}"), LineFault::ColumnOrder),
        (format!("AAAA{} h.example", &data[30..]), LineFault::ColumnOrder),
        (format!("h.example ssh-nonsense {data}"), LineFault::UnknownType("ssh-nonsense".to_owned())),
        ("h.example 1024 35 1234567890".to_owned(), LineFault::Version1),
        (format!("@trusted h.example {ed}"), LineFault::Marker),
        (format!("@revoked @revoked h.example {ed}"), LineFault::Marker),
    ];
    for (line, fault) in cases {
        let found = known(folder, &format!("# h.example\n\n{line}\n"), "H.example", 22);
        let told: Vec<_> = found.malformed.iter().map(|m| (m.line, m.fault.clone(), m.mentions_host)).collect();
        assert_eq!(told, [(3, fault, true)], "{line}");
        assert!(found.keys.is_empty(), "{line}");
        let other = known(folder, &format!("{line}\n"), "sub.h.example", 22);
        assert!(other.malformed.iter().all(|m| !m.mentions_host), "{line}");
    }
}

#[test]
fn another_port_is_looked_up_in_brackets_and_then_plain() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (a, b) = (key(folder, "a", &["ed25519"]), key(folder, "b", &["ed25519"]));
    let plain = format!("h {}\n", a.line());
    let found = known(folder, &plain, "h", 443);
    assert_eq!((found.name.as_str(), found.keys[0].via_fallback), ("[h]:443", true));
    assert!(matches!(judge(&found, &a.blob), Judgement::Trusted(_)));
    assert_eq!(judge(&found, &b.blob), Judgement::Unknown, "ssh keeps silent about another key under the plain name");
    let both = format!("{plain}[h]:443 {}\n", b.line());
    let found = known(folder, &both, "h", 443);
    assert!(matches!(judge(&found, &b.blob), Judgement::Trusted(e) if e.line == 2));
    assert!(matches!(judge(&found, &a.blob), Judgement::Changed(e) if e.len() == 1 && e[0].line == 2));
    assert_eq!(lines(&known(folder, &both, "h", 22)), [1]);
}

#[test]
fn files_in_order_and_those_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let a = key(folder, "a", &["ed25519"]);
    let (first, second) = (folder.join("one"), folder.join("two"));
    fs::write(&first, format!("h {}\r\n", a.line())).expect("written");
    fs::write(&second, format!("h,i {}", a.line())).expect("written");
    let found = lookup(&[folder.join("none"), second.clone(), folder.to_owned(), first.clone()], "h", 22);
    assert_eq!(found.keys.iter().map(|e| &e.file).collect::<Vec<_>>(), [&second, &first]);
    let missing: Vec<_> = found.unreadable.iter().map(|u| u.missing).collect();
    assert_eq!(missing, [true, false]);
}

/// 50,000 hashed and plain lines.
#[test]
fn a_large_file_is_read_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let line = key(folder, "a", &["ed25519"]).line();
    let hashed = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let mut text: String = (0..50_000).map(|_| format!("{hashed} {line}\n")).collect();
    text += &format!("h {line}\n");
    let _watchdog = bbdoctor_test_support::watchdog();
    let found = known(folder, &text, "h", 22);
    assert_eq!(lines(&found), [50_001]);
    let hostile = format!("{} {line}\n{}{line}\n", "*a".repeat(400), "h,".repeat(100_000));
    let _ = known(folder, &hostile, &"a".repeat(250), 22);
}

#[test]
fn a_line_broken_in_two_is_two_truncated_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = key(folder.path(), "a", &["ed25519"]).line();
    let broken = format!("h {}\n", line.replacen(' ', " \n", 1));
    let found = known(folder.path(), &broken, "h", 22);
    let told: Vec<_> = found.malformed.iter().map(|m| (m.line, m.fault.clone(), m.mentions_host)).collect();
    assert_eq!(told, [(1, LineFault::Truncated, true), (2, LineFault::Truncated, false)]);
}
