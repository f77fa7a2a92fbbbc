//! The identities and the prediction, compared with what the installed ssh says and does against the installed sshd, over
//! random set-ups of key files, certificates, agents and settings.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bbdoctor_checks::facts::agent::AgentKey;
use bbdoctor_checks::facts::identities::{Identity, Prediction, predict};
use bbdoctor_checks::facts::public_key::PublicKey;
use bbdoctor_evidence::openssh::identities::{KeyFiles, KeySettings, ListedFile, identities};
use bbdoctor_evidence::openssh::key_file::Loader;
use bbdoctor_test_support::{Sshd, start_agent};

use crate::openssh::{keygen, run, text};
use crate::random::Random;

const SETUPS: u64 = 240;

/// Keys to draw from: `NAME`, `NAME.pub`, `NAME.locked` (with a passphrase), `NAME.user` and `NAME.host` (certificates).
struct Pool {
    folder: PathBuf,
    names: Vec<String>,
    authority: String,
    user: String,
}

impl Pool {
    fn new(folder: &Path) -> Self {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid()).expect("passwd").expect("an account").name;
        let authority = folder.join("authority");
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", text(&authority)]);
        let mut names = Vec::new();
        let kinds: [&[&str]; 12] = [
            &["ed25519"],
            &["ed25519"],
            &["ed25519"],
            &["ed25519"],
            &["ecdsa"],
            &["ecdsa", "-b", "384"],
            &["ecdsa", "-b", "521", "-m", "PEM"],
            &["rsa", "-b", "2048"],
            &["rsa", "-b", "2048", "-m", "PEM"],
            &["rsa", "-b", "1024"],
            &["rsa", "-b", "2048", "-m", "PKCS8"],
            &["dsa"],
        ];
        for (i, kind) in kinds.iter().enumerate() {
            let name = format!("pool{i}");
            let path = folder.join(&name);
            let public = folder.join(format!("{name}.pub"));
            keygen(&[&["-q", "-N", "", "-C", &name, "-f", text(&path), "-t"], *kind].concat());
            for (suffix, options) in [("user", vec!["-n", &user]), ("host", vec!["-h", "-n", "localhost"])] {
                keygen(&[&["-q", "-s", text(&authority), "-I", suffix], &options[..], &[text(&public)]].concat());
                fs::rename(folder.join(format!("{name}-cert.pub")), folder.join(format!("{name}.{suffix}"))).expect("renamed");
            }
            let locked = folder.join(format!("{name}.locked"));
            fs::copy(&path, &locked).expect("copied");
            let mut change = vec!["-q", "-p", "-P", "", "-N", "secret", "-f", text(&locked)];
            if let Some(at) = kind.iter().position(|a| *a == "-m") {
                change.extend(&kind[at..]);
            }
            keygen(&change);
            names.push(name);
        }
        let authority = fs::read_to_string(folder.join("authority.pub")).expect("the authority");
        Pool { folder: folder.to_owned(), names, authority, user }
    }

    fn draw(&self, random: &mut Random) -> &str {
        &self.names[random.below(self.names.len())]
    }

    fn read(&self, name: &str, suffix: &str) -> Vec<u8> {
        fs::read(self.folder.join(format!("{name}{suffix}"))).expect("a pool file")
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) {
    fs::write(path, bytes).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// An sshd on loopback; `authorized_keys` in `folder` decides whom it lets in.
fn sshd(folder: &Path) -> Sshd {
    let host_key = folder.join("host_key");
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", text(&host_key)]);
    let lines = format!(
        "HostKey {}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile {}\nPermitRootLogin yes\n\
         ForceCommand true\n",
        host_key.display(),
        folder.join("authorized_keys").display()
    );
    Sshd::start(folder, &lines)
}

/// A random key file at `path`, with whatever stands beside it.
fn key_file(path: &Path, pool: &Pool, random: &mut Random) {
    let name = pool.draw(random).to_owned();
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let mangled = |from: &str, to: &str| String::from_utf8(pool.read(&name, "")).expect("text").replace(from, to).into_bytes();
    match random.below(12) {
        0 => {}
        1 => write(path, &pool.read(&name, ""), 0o644),
        2 | 3 => write(path, &pool.read(&name, ".locked"), 0o600),
        4 => write(path, &mangled("\n", "\r\n"), 0o600),
        5 => write(path, &pool.read(&name, ".pub"), 0o644),
        6 => write(path, &mangled("END", "DEN"), 0o600),
        7 => write(path, &pool.read(&name, ".user"), 0o600),
        _ => write(path, &pool.read(&name, ""), 0o600),
    }
    match random.below(8) {
        0..=2 => {}
        3 => write(&beside(".pub"), &pool.read(pool.draw(random), ".pub"), 0o644),
        4 => write(&beside(".pub"), b"ssh-ed25519 garbage\n", 0o644),
        _ => write(&beside(".pub"), &pool.read(&name, ".pub"), 0o644),
    }
    match random.below(10) {
        0 | 1 => write(&beside("-cert.pub"), &pool.read(&name, ".user"), 0o644),
        2 => write(&beside("-cert.pub"), &pool.read(&name, ".host"), 0o644),
        3 => write(&beside("-cert.pub"), &pool.read(&name, ".pub"), 0o644),
        4 => write(&beside("-cert"), &pool.read(&name, ".user"), 0o644),
        _ => {}
    }
}

fn agent_keys(socket: &Path) -> Vec<AgentKey> {
    let listed = run("ssh-add", &["-L"], Some(socket)).stdout;
    let lines = listed.split(|b| *b == b'\n').filter_map(|line| PublicKey::from_line(line).ok());
    lines.map(|key| AgentKey { blob: key.blob, comment: key.comment }).collect()
}

/// As `format_identity` of ssh prints one.
fn printed(identity: &Identity) -> String {
    let mut words = vec![identity.name.clone()];
    if let Some(key) = &identity.public {
        words.extend([key.short_type().to_owned(), key.fingerprint()]);
    }
    words.extend(identity.user_provided.then(|| "explicit".to_owned()));
    words.extend(identity.source.in_agent().then(|| "agent".to_owned()));
    words.join(" ")
}

/// What ssh says behind `label`, blanks made single.
fn said(log: &str, label: &str) -> Vec<String> {
    let lines = log.lines().filter_map(|l| l.strip_prefix("debug1: ")?.strip_prefix(label));
    lines.map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn ssh_attempts_and_ends_as_told() {
    let world = tempfile::tempdir().expect("a folder");
    let world = world.path();
    let pool = Pool::new(world);
    let sshd = sshd(world);
    let port = sshd.port;
    let socket = world.join("agent");
    let _agent = start_agent(&socket);
    let loader = Loader { uid: nix::unistd::getuid().as_raw(), openssh: Some((9, 2)) };
    let (mut attempts, mut endings) = (0, BTreeMap::<&str, usize>::new());
    let mut wrong = Vec::new();
    for seed in 0..SETUPS {
        let random = &mut Random(seed);
        let home = world.join(format!("set-up-{seed}"));
        fs::create_dir(&home).expect("a folder");
        let mut settings = KeySettings { identities_only: random.chance(40), ..KeySettings::default() };
        let mut config = String::new();
        for i in 0..=random.below(5) {
            let path = home.join(format!("key{i}"));
            key_file(&path, &pool, random);
            let path = if random.chance(10) { home.join(format!("key{i}.pub")) } else { path };
            config += &format!("IdentityFile {}\n", path.display());
            settings.identity_files.push(ListedFile { path, user_provided: true });
        }
        if random.chance(25) {
            for i in 0..=random.below(2) {
                let path = home.join(format!("certificate{i}"));
                let suffix = [".user", ".user", ".host", ".pub"][random.below(4)];
                write(&path, &pool.read(pool.draw(random), suffix), 0o644);
                // Now and then one that belongs to a listed file, by its name.
                let path = if random.chance(30) { home.join("key0-cert.pub") } else { path };
                config += &format!("CertificateFile {}\n", path.display());
                if !settings.certificate_files.contains(&path) {
                    settings.certificate_files.push(path);
                }
            }
        }
        if settings.identities_only {
            config += "IdentitiesOnly yes\n";
        }
        if random.chance(30) {
            let list = [
                "ssh-ed25519",
                "rsa-sha2-512,rsa-sha2-256",
                "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256,ssh-ed25519",
                "ecdsa-sha2-nistp384,rsa-sha2-256-cert-v01@openssh.com,rsa-sha2-256",
                "ssh-ed25519,ssh-rsa",
            ][random.below(5)];
            config += &format!("PubkeyAcceptedAlgorithms {list}\n");
            settings.accepted_algorithms = Some(list.split(',').map(str::to_owned).collect());
        }
        if random.chance(20) {
            config += "RequiredRSASize 2048\n";
            settings.required_rsa_size = 2048;
        }
        // The agent: none, or some keys of the pool, certificates with them now and then.
        assert!(run("ssh-add", &["-q", "-D"], Some(&socket)).success());
        let with_agent = random.chance(75);
        if with_agent {
            for _ in 0..random.below(5) {
                let name = pool.draw(random).to_owned();
                let copy = home.join("to-agent");
                write(&copy, &pool.read(&name, ""), 0o600);
                let certificate = home.join("to-agent-cert.pub");
                if random.chance(20) {
                    write(&certificate, &pool.read(&name, ".user"), 0o600);
                }
                assert!(run("ssh-add", &["-q", text(&copy)], Some(&socket)).success());
                let _ = fs::remove_file(certificate);
                let _ = fs::remove_file(copy);
            }
            config += &format!("IdentityAgent {}\n", socket.display());
        } else {
            config += "IdentityAgent none\n";
        }
        let agent = with_agent.then(|| agent_keys(&socket));
        // Whom the server knows.
        let mut known = Vec::new();
        let mut authorized = String::new();
        if random.chance(70) {
            for _ in 0..=random.below(3) {
                let line = String::from_utf8(pool.read(pool.draw(random), ".pub")).expect("text");
                known.extend(PublicKey::from_line(line.trim_end().as_bytes()).map(|key| key.blob));
                authorized += &line;
            }
        }
        let trusts_authority = random.chance(30);
        if trusts_authority {
            authorized += &format!("cert-authority {}", pool.authority);
        }
        fs::write(world.join("authorized_keys"), authorized).expect("written");
        let config_path = home.join("config");
        config += "BatchMode yes\nPreferredAuthentications publickey\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n";
        fs::write(&config_path, &config).expect("written");

        let files = KeyFiles::read(&settings, &loader, None);
        let ours = identities(&settings, &files, agent.as_deref());
        let accepts = |blob: &[u8]| {
            let key = PublicKey::from_blob(blob, b"").ok()?;
            let certified = trusts_authority && key.certificate.is_some();
            // The server's own defaults leave out DSA, and RSA with SHA-1, which is all that `ssh-rsa` alone allows.
            let only_sha1 = settings.accepted_algorithms.as_ref().is_some_and(|list| list.iter().any(|a| a == "ssh-rsa"));
            let left_out = key.algorithm.starts_with("ssh-dss") || key.is_rsa() && only_sha1;
            Some((certified || known.contains(&key.blob)) && !left_out)
        };
        let prediction = predict(&ours, accepts, 6);

        let target = format!("{}@127.0.0.1", pool.user);
        let port = port.to_string();
        let real = run("ssh", &["-v", "-F", text(&config_path), "-p", &port, &target, "true"], None);
        let log = real.stderr_text();
        let listed: Vec<_> = ours.iter().filter(|i| i.order.is_some()).collect();
        let will: Vec<_> = listed.iter().map(|i| printed(i)).collect();
        let mut complain = |what: &str, a: &dyn std::fmt::Debug, b: &dyn std::fmt::Debug| {
            wrong.push(format!("set-up {seed}, {what}:\n ours {a:#?}\n ssh  {b:#?}\n{config}\n{log}\n=====\n"));
        };
        if will != said(&log, "Will attempt key: ") {
            complain("list", &will, &said(&log, "Will attempt key: "));
        }
        // How far ssh gets is a matter of the prediction.
        let last = match prediction {
            Prediction::Authenticates { by } => ours[by].order,
            Prediction::TooManyRefusals { at } => ours[at].order,
            _ => None,
        };
        let reached = || listed.iter().filter(|i| last.is_none_or(|last| i.order.is_some_and(|order| order <= last)));
        let offered: Vec<_> = reached().filter(|i| i.public.is_some()).map(|i| printed(i)).collect();
        let trying: Vec<_> = reached().filter(|i| i.public.is_none()).map(|i| i.name.clone()).collect();
        if offered != said(&log, "Offering public key: ") {
            complain("offers", &offered, &said(&log, "Offering public key: "));
        }
        if trying != said(&log, "Trying private key: ") {
            complain("tries", &trying, &said(&log, "Trying private key: "));
        }
        let ending = if real.success() {
            "authenticated"
        } else if log.contains("Too many authentication failures") {
            "too many"
        } else if log.contains("Permission denied") {
            "denied"
        } else {
            "else"
        };
        let foretold = match prediction {
            Prediction::Authenticates { .. } => "authenticated",
            Prediction::TooManyRefusals { .. } => "too many",
            Prediction::Denied => "denied",
            Prediction::Unknown { .. } => "unknown",
        };
        if ending != foretold {
            let told: Vec<_> = ours
                .iter()
                .map(|i| {
                    let kind = i.any_public().map(|key| (key.short_type(), accepts(&key.blob)));
                    (i.order, &i.name, kind, i.offered, &i.why_not, &i.can_sign)
                })
                .collect();
            complain("ending", &(&prediction, told), &ending);
        }
        attempts += will.len();
        *endings.entry(ending).or_default() += 1;
    }
    println!("{SETUPS} set-ups, {attempts} keys in ssh's order, endings {endings:?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.iter().take(8).cloned().collect::<String>());
    assert!(attempts > 500 && endings.values().filter(|n| **n >= 3).count() >= 3, "{endings:?}");
}

/// Eight keys that the server knows and ssh cannot sign with cost nothing: the ninth still gets in.
#[test]
fn a_failed_signature_does_not_count_as_a_refusal() {
    let world = tempfile::tempdir().expect("a folder");
    let world = world.path();
    let pool = Pool::new(world);
    let sshd = sshd(world);
    let port = sshd.port;
    let mut settings = KeySettings::default();
    let (mut config, mut authorized) = (String::new(), Vec::new());
    for (i, name) in pool.names.iter().take(9).enumerate() {
        let path = world.join(format!("key{i}"));
        write(&path, &pool.read(name, if i < 8 { ".locked" } else { "" }), 0o600);
        write(&world.join(format!("key{i}.pub")), &pool.read(name, ".pub"), 0o644);
        authorized.extend(pool.read(name, ".pub"));
        config += &format!("IdentityFile {}\n", path.display());
        settings.identity_files.push(ListedFile { path, user_provided: true });
    }
    fs::write(world.join("authorized_keys"), authorized).expect("written");
    config += "BatchMode yes\nIdentityAgent none\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n";
    fs::write(world.join("config"), config).expect("written");
    let loader = Loader { uid: nix::unistd::getuid().as_raw(), openssh: Some((9, 2)) };
    let ours = identities(&settings, &KeyFiles::read(&settings, &loader, None), None);
    assert_eq!(predict(&ours, |_| Some(true), 6), Prediction::Authenticates { by: 8 });
    let target = format!("{}@127.0.0.1", pool.user);
    let real = run("ssh", &["-v", "-F", text(&world.join("config")), "-p", &port.to_string(), &target, "true"], None);
    assert!(real.success(), "{}", real.stderr_text());
    assert_eq!(said(&real.stderr_text(), "Server accepts key: ").len(), 9);
}
