use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::machine::process::Program;
use bbdoctor_checks::facts::public_key::{CertificateType, PublicKey};

fn keygen(args: &[&str]) -> String {
    let outcome = Program::new("ssh-keygen").args(args).run(Instant::now() + Duration::from_secs(30)).expect("ssh-keygen runs");
    assert!(outcome.success(), "ssh-keygen {args:?}: {}", outcome.stderr_text());
    outcome.stdout_text()
}

fn made(folder: &Path, name: &str, kind: &[&str]) -> String {
    let path = folder.join(name).to_str().expect("a plain path").to_owned();
    let mut args = vec!["-q", "-N", "", "-C", "né at home", "-f", &path, "-t"];
    args.extend(kind);
    keygen(&args);
    path
}

#[test]
fn size_type_and_fingerprint_are_those_of_ssh_keygen() {
    let folder = tempfile::tempdir().expect("a folder");
    let kinds: [&[&str]; 7] = [
        &["ed25519"],
        &["ecdsa"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["rsa", "-b", "1024"],
        &["rsa", "-b", "2048"],
        &["dsa"],
    ];
    for (i, kind) in kinds.iter().enumerate() {
        let path = made(folder.path(), &i.to_string(), kind);
        let key = read(Path::new(&format!("{path}.pub"))).expect("a public key");
        let ours = format!("{} {} {} ({})\n", key.bits, key.fingerprint(), key.comment, key.short_type());
        assert_eq!(ours, keygen(&["-l", "-f", &path]));
        assert_eq!(key.weaknesses(), []);
    }
}

#[test]
fn a_certificate_tells_what_it_is_for_and_whose_key_is_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = made(folder.path(), "authority", &["ed25519"]);
    for (i, kind) in [&["ed25519"][..], &["ecdsa"], &["rsa", "-b", "2048"]].iter().enumerate() {
        let path = made(folder.path(), &i.to_string(), kind);
        let public = format!("{path}.pub");
        keygen(&[
            "-q",
            "-s",
            &authority,
            "-I",
            "dev id",
            "-n",
            "git,dev",
            "-V",
            "20260101000000Z:20260201000000Z",
            "-z",
            "7",
            &public,
        ]);
        let certificate_path = format!("{path}-cert.pub");
        let plain = read(Path::new(&public)).expect("a public key");
        let key = read(Path::new(&certificate_path)).expect("a certificate");
        let facts = key.certificate.as_ref().expect("facts");
        assert_eq!(key.plain_blob(), plain.blob);
        assert_eq!(facts.kind, CertificateType::User);
        assert_eq!((facts.valid_after, facts.valid_before), (1_767_225_600, 1_769_904_000));
        assert!(facts.valid_at(1_767_225_600) && !facts.valid_at(1_769_904_000) && !facts.valid_at(0));
        let signer = read(Path::new(&format!("{authority}.pub"))).expect("the authority");
        assert_eq!(facts.authority, signer.blob);
        let listed = keygen(&["-l", "-f", &certificate_path]);
        assert!(listed.contains(&key.fingerprint()) && listed.contains(key.short_type()), "{listed}");
    }
}

#[test]
fn lines_are_taken_and_refused_as_ssh_keygen_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = made(folder.path(), "key", &["ed25519"]);
    let rsa = made(folder.path(), "rsa", &["rsa", "-b", "1024"]);
    let key = read(Path::new(&format!("{path}.pub"))).expect("a key");
    let line = key.line();
    let (kind, data) = line.split_once(' ').expect("two words");
    let rsa_data = read(Path::new(&format!("{rsa}.pub"))).expect("a key").line().replace("ssh-rsa ", "");
    let cases = [
        (format!("{line}\n"), true),
        (line.clone(), true),
        (format!("  \t{line} a comment\r\n"), true),
        (format!("{line}\r\n"), true),
        (format!("# no\n\n{line}\n"), true),
        (format!("garbage\n{line}\n"), true),
        (format!("{kind}\t \t{data}\n"), true),
        (format!("{kind} {}\n", &data[..40]), false),
        (format!("{kind} {}=\n", &data[..data.len() - 1]), false),
        (format!("ssh-rsa {data}\n"), false),
        (format!("rsa-sha2-512 {rsa_data}\n"), true),
        (format!("SSH-ED25519 {data}\n"), false),
        (format!("{data}\n"), false),
        (format!("\"{line}\"\n"), false),
        (format!("{kind}\n{data}\n"), false),
        (format!("command=\"x\" {line}\n"), false),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n".to_owned() + &line, false),
        (format!("{kind} {}AAAA\n", data), false),
        (String::new(), false),
    ];
    for (text, expected) in cases {
        let file = folder.path().join("line.pub");
        std::fs::write(&file, &text).expect("written");
        // `ssh` itself says which public key it takes from a file: the type is -1 when there is none.
        let outcome = Program::new("ssh")
            .args(["-v", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=1", "-o", "ProxyCommand=false", "-i"])
            .arg(&file)
            .arg("h")
            .run(Instant::now() + Duration::from_secs(20))
            .expect("ssh runs");
        let said = outcome.stderr_text();
        let taken = said.contains(&format!("identity file {} type", file.display()))
            && !said.contains(&format!("identity file {} type -1", file.display()));
        assert_eq!(taken, expected, "ssh on {text:?}: {said}");
        assert_eq!(read(&file).is_some(), expected, "{text:?}");
    }
}

#[test]
fn no_bytes_whatsoever_make_it_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = made(folder.path(), "key", &["ecdsa"]);
    let blob = read(Path::new(&format!("{path}.pub"))).expect("a key").blob;
    for i in 0..blob.len() {
        assert!(PublicKey::from_blob(&blob[..i], b"").is_err(), "cut at {i}");
        let mut changed = blob.clone();
        changed[i] ^= 0xff;
        let _ = PublicKey::from_blob(&changed, &[0xff, 0xfe]);
    }
}
