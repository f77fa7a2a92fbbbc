//! The known_hosts lookup compared with `ssh-keygen -F`, and the judgement with what ssh does against a real sshd.

use std::fs;
use std::path::Path;

use bbdoctor_checks::facts::known_hosts::{Judgement, judge};
use bbdoctor_checks::facts::public_key::PublicKey;
use bbdoctor_evidence::openssh::known_hosts::lookup;
use bbdoctor_evidence::openssh::public_key;
use bbdoctor_test_support::Sshd;

use crate::openssh::{keygen, run, text};
use crate::random::Random;

fn made(folder: &Path, name: &str, kind: &[&str]) -> PublicKey {
    let path = folder.join(name);
    keygen(&[&["-q", "-N", "", "-C", "", "-f", text(&path), "-t"], kind].concat());
    public_key::read(&folder.join(format!("{name}.pub"))).expect("a public key")
}

#[test]
fn lookups_find_the_lines_that_ssh_keygen_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let kinds: [&[&str]; 3] = [&["ed25519"], &["ecdsa"], &["rsa", "-b", "2048"]];
    let keys: Vec<String> = kinds.iter().enumerate().map(|(i, kind)| made(folder, &format!("k{i}"), kind).line()).collect();
    let names = ["h", "git.example.org", "bitbucket.org", "10.0.0.1", "a-b", "::1"];
    let ports = [22, 22, 443, 7999];
    let patterns = ["*", "h*", "*.example.org", "?", "[*]:443", "git.*.org", "*t*t*", "10.0.0.?"];
    let file = folder.join("known_hosts");
    let (mut lookups, mut found) = (0, 0);
    for seed in 0..300 {
        let random = &mut Random(seed);
        let host = |random: &mut Random| {
            let name = random.of(&names);
            let name = if random.below(6) == 0 { name.to_uppercase() } else { name.to_owned() };
            match random.of(&ports) {
                22 => name,
                port => format!("[{name}]:{port}"),
            }
        };
        let mut lines = String::new();
        for _ in 0..=random.below(14) {
            let mut hosts = host(random);
            for _ in 0..random.below(3) {
                let more = if random.below(2) == 0 { host(random) } else { random.of(&patterns).to_owned() };
                let sign = if random.below(4) == 0 { "!" } else { "" };
                hosts = if random.below(2) == 0 { format!("{hosts},{sign}{more}") } else { format!("{sign}{more},{hosts}") };
            }
            let gap = random.of(&[" ", "\t", "  ", " \t "]);
            let key = keys[random.below(keys.len())].replacen(' ', gap, 1);
            let line = match random.below(16) {
                0 => format!("@revoked{gap}{hosts}{gap}{key}"),
                1 => format!("@cert-authority {hosts}{gap}{key} comment here"),
                2 => format!("@unknown {hosts} {key}"),
                3 => format!("{hosts} {}", &key[..key.len() / 2]),
                4 => format!("{hosts}{gap}"),
                5 => format!("# {hosts} {key}"),
                6 => format!("  \t{hosts} {key}"),
                7 => format!("{hosts} 1024 35 12345"),
                8 => format!("{hosts} {key}\r"),
                9 => format!("|1|nonsense|{hosts} {key}"),
                10 => String::new(),
                _ => format!("{hosts}{gap}{key}"),
            };
            lines += &line;
            lines += "\n";
        }
        fs::write(&file, &lines).expect("written");
        if random.below(3) == 0 {
            // Hashes the plain names and leaves patterns alone; refuses a file with bad lines.
            let _ = run("ssh-keygen", &["-q", "-H", "-f", text(&file)], None);
        }
        for _ in 0..3 {
            let (name, port) = (random.of(&names), random.of(&ports));
            let asked = if port == 22 { name.to_owned() } else { format!("[{name}]:{port}") };
            // One answer for each line: `# Host NAME found: line N KIND`.
            let said = run("ssh-keygen", &["-F", &asked, "-f", text(&file)], None).stdout_text();
            let theirs: Vec<usize> = said
                .lines()
                .filter_map(|l| l.strip_prefix("# Host ")?.split(" found: line ").nth(1)?.split(' ').next()?.parse().ok())
                .collect();
            let entries = lookup(std::slice::from_ref(&file), name, port);
            let broken: Vec<usize> = entries.malformed.iter().map(|m| m.line).collect();
            let ours: Vec<usize> = entries.keys.iter().filter(|e| !e.via_fallback).map(|e| e.line).collect();
            // ssh-keygen -F decodes no key, so it also lists lines whose key is broken; ssh skips them.
            let theirs: Vec<usize> = theirs.into_iter().filter(|line| !broken.contains(line)).collect();
            assert_eq!(ours, theirs, "seed {seed}, {asked}\n{}", fs::read_to_string(&file).unwrap_or_default());
            lookups += 1;
            found += ours.len();
        }
    }
    println!("{lookups} lookups, {found} lines found, as ssh-keygen -F");
    assert!(lookups >= 500 && found > 500);
}

/// What ssh says of the server's key when it may ask nobody.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Trusts,
    Changed,
    Revoked,
    Unknown,
}

fn said(config: &Path, port: u16) -> Said {
    let log = run("ssh", &["-v", "-F", text(config), "-p", &port.to_string(), "nobody@localhost", "true"], None).stderr_text();
    // A revoked key under the plain name is complained of even when ssh then trusts the one in brackets.
    if log.contains("SSH2_MSG_NEWKEYS received") {
        Said::Trusts
    } else if log.contains("IDENTIFICATION HAS CHANGED") {
        Said::Changed
    } else if log.contains("REVOKED HOST KEY") {
        Said::Revoked
    } else if log.contains("Host key verification failed") {
        Said::Unknown
    } else {
        panic!("{log}")
    }
}

#[test]
fn the_judgement_is_that_of_ssh() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = made(folder, "server", &["ed25519"]);
    let authority = made(folder, "authority", &["ed25519"]);
    let other = made(folder, "other", &["ed25519"]);
    let rsa = made(folder, "rsa", &["rsa", "-b", "2048"]);
    let (signer, signed) = (folder.join("authority"), folder.join("server.pub"));
    let sign = ["-q", "-s", text(&signer), "-I", "server", "-h", "-n", "localhost", text(&signed)];
    keygen(&sign);
    let certificate = public_key::read(&folder.join("server-cert.pub")).expect("a certificate");
    let host_key = folder.join("server");
    let sshd = Sshd::start(folder, &format!("HostKey {0}\nHostCertificate {0}-cert.pub\n", host_key.display()));
    let port = sshd.port;
    let line = |host: &str, key: &PublicKey| format!("{host} {}\n", key.line());
    let here = format!("[localhost]:{port}");
    let mut cases = Vec::new();
    // Every pair of lines out of these, and each alone.
    let hosts = [here.as_str(), "localhost", "[elsewhere]:22"];
    let mut single = vec![String::new()];
    for host in hosts {
        for key in [&server, &other, &rsa] {
            single.push(line(host, key));
        }
        single.push(line(&format!("@revoked {host}"), &server));
        single.push(line(&format!("@cert-authority {host}"), &authority));
        single.push(line(&format!("@cert-authority {host}"), &other));
    }
    for (i, one) in single.iter().enumerate() {
        for two in &single[i + 1..] {
            cases.push(format!("{one}{two}"));
        }
    }
    let known_hosts = folder.join("known_hosts");
    let config = folder.join("config");
    let mut compared = 0;
    for plain in [true, false] {
        let algorithm = if plain { "ssh-ed25519" } else { "ssh-ed25519-cert-v01@openssh.com" };
        fs::write(
            &config,
            format!(
                "UserKnownHostsFile {}\nGlobalKnownHostsFile none\nBatchMode yes\nStrictHostKeyChecking yes\nIdentityAgent none\n\
                 IdentityFile none\nHostKeyAlgorithms {algorithm}\nUpdateHostKeys no\n",
                known_hosts.display()
            ),
        )
        .expect("written");
        for case in &cases {
            fs::write(&known_hosts, case).expect("written");
            let entries = lookup(std::slice::from_ref(&known_hosts), "localhost", port);
            let judgement = judge(&entries, if plain { &server.blob } else { &certificate.blob });
            let ours = match judgement {
                Judgement::Trusted(_) => Said::Trusts,
                Judgement::Revoked(_) => Said::Revoked,
                Judgement::Changed(_) | Judgement::OtherTypesOnly(_) => Said::Changed,
                Judgement::CertificateAuthorityOnly(_) | Judgement::Unknown => Said::Unknown,
            };
            let theirs = said(&config, port);
            assert_eq!(ours, theirs, "{algorithm} with\n{case}");
            compared += 1;
        }
    }
    println!("{compared} judgements as ssh's");
}
