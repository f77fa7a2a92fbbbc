//! The ssh command as git, sh and the real clients see it.

use std::process::Command;
use std::time::Duration;

use super::*;
use bbdoctor_checks::facts::git_config::{Discovery, GitSetting, Origin, Scope};

fn config(entries: &[(&str, &str)]) -> GitConfig {
    let origin = Origin { scope: Scope::Global, file: Some("/c".into()), line: Some(2) };
    let entry =
        |(k, v): &(&str, &str)| GitSetting { key: k.to_string(), value: Some(v.as_bytes().to_vec()), origin: origin.clone() };
    GitConfig { settings: entries.iter().map(entry).collect(), fault: None, discovery: Discovery::Absent }
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let path = std::env::var("PATH").expect("a PATH");
    [("PATH", path.as_str()), ("HOME", "/home/ann")].iter().chain(pairs).map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn read(pairs: &[(&str, &str)], ask: bool) -> SshCommand {
    let soon = Instant::now() + Duration::from_secs(10);
    super::read(&environment(pairs), &config(&[]), Path::new("/"), ask.then_some(soon))
}

#[test]
fn the_first_that_is_set_counts() {
    let config = config(&[("core.sshcommand", "ssh -i conf")]);
    let source = |pairs: &[(&str, &str)], config: &GitConfig| super::read(&environment(pairs), config, Path::new("/"), None).source;
    let both = [("GIT_SSH_COMMAND", ""), ("GIT_SSH", "x")];
    assert_eq!(source(&both, &config), CommandSource::GitSshCommand);
    assert!(matches!(source(&both[1..], &config), CommandSource::Config(Origin { line: Some(2), .. })));
    assert_eq!(source(&both[1..], &super::tests::config(&[])), CommandSource::GitSsh);
    assert_eq!(source(&[], &super::tests::config(&[])), CommandSource::Default);
}

#[test]
fn the_real_client_is_known_by_its_version() {
    for (pairs, kind) in [
        (&[][..], ClientKind::OpenSsh),
        (&[("GIT_SSH_COMMAND", "env -u SSH_AUTH_SOCK ssh -o BatchMode=yes")], ClientKind::OpenSsh),
        (&[("GIT_SSH_COMMAND", "A=b exec ssh")], ClientKind::OpenSsh),
    ] {
        let command = read(pairs, true);
        assert_eq!(command.kind, kind, "{pairs:?}");
        assert!(matches!(command.started, Started::Runs { openssh: Some(700..2000), .. }), "{:?}", command.started);
    }
}

#[test]
fn programs_that_cannot_run_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        path.display().to_string()
    };
    let crlf = script("crlf", "#!/bin/sh\r\nexec ssh\r\n", 0o755);
    let lost = script("lost", "#!/nope/sh\n", 0o755);
    let lame = script("lame", "#!/bin/sh\n", 0o644);
    let dead = script("dead", "#!/bin/sh\nkill -9 $$\n", 0o755);
    let top = folder.path().display().to_string();
    let path = |text: &str| read(&[("GIT_SSH_COMMAND", text)], false).client.expect("words").path;
    assert_eq!(path(&format!("'{crlf}' -v")), Err(NotRunnable::CarriageReturn(crlf.into())));
    assert!(matches!(path(&lost), Err(NotRunnable::MissingInterpreter { .. })));
    assert!(matches!(path(&lame), Err(NotRunnable::NotExecutable(_))));
    assert!(matches!(path(&top), Err(NotRunnable::Directory(_))));
    assert_eq!(path("/nope/ssh"), Err(NotRunnable::Missing));
    assert_eq!(path("C:\\Windows\\ssh.exe"), Err(NotRunnable::Missing));
    assert_eq!(path(""), Err(NotRunnable::Empty));
    assert_eq!(read(&[("GIT_SSH", "ssh -v")], false).client.expect("words").path, Err(NotRunnable::Missing));
    let dead = read(&[("GIT_SSH", &dead)], true);
    assert!(matches!(dead.started, Started::Broken { signal: Some(9), .. }), "{:?}", dead.started);
    assert_eq!(dead.kind, ClientKind::Wrapper);
    let broken = read(&[("GIT_SSH_COMMAND", "LD_PRELOAD=/nope no-such-program-here; exit 127 #")], true);
    assert!(broken.words.is_none() && matches!(broken.started, Started::Broken { code: Some(127), .. }), "{:?}", broken.started);
}

/// The first option that git gives to the client shows which variant it chose.
#[test]
fn the_variant_is_gits() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    for (name, text) in [
        ("ssh", "echo \"$*\" >>LOG; exit 1"),
        ("plink", "echo \"$*\" >>LOG; exit 1"),
        ("TortoisePlink.EXE", "echo \"$*\" >>LOG; exit 1"),
        ("wrap", "echo \"$*\" >>LOG; [ \"$1\" = -G ]"),
        ("deaf", "echo \"$*\" >>LOG; exit 1"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{}\n", text.replace("LOG", &log.display().to_string()))).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
    }
    let mut seen = 0;
    for name in ["ssh", "plink", "TortoisePlink.EXE", "wrap", "deaf", "X=1 ssh"] {
        for variable in ["GIT_SSH", "GIT_SSH_COMMAND"] {
            for forced in ["auto", "plink", "putty", "tortoiseplink", "simple", "ssh", "", "Plink"] {
                let top = folder.path().display();
                let value = match name.split_once(' ') {
                    Some(_) if variable == "GIT_SSH" => continue,
                    Some((first, last)) => format!("{first} {top}/{last}"),
                    None => format!("{top}/{name}"),
                };
                let pairs = [(variable, value.as_str()), ("GIT_SSH_VARIANT", forced)];
                std::fs::write(&log, "").expect("written");
                let mut git = Command::new("git");
                git.args(["ls-remote", "ssh://git@127.0.0.1:9/x"])
                    .envs(pairs)
                    .env("HOME", folder.path())
                    .env("GIT_CONFIG_NOSYSTEM", "1");
                git.env_remove("GIT_SSH_COMMAND").envs(pairs).current_dir(folder.path());
                let words = String::from_utf8_lossy(&git.output().expect("git runs").stderr).into_owned();
                let last = std::fs::read_to_string(&log).expect("read").lines().last().unwrap_or_default().to_string();
                let git = match () {
                    () if words.contains("variant 'simple'") => "simple",
                    () if last.starts_with("-o") => "ssh",
                    () if last.starts_with("-batch") => "tortoiseplink",
                    () if last.starts_with("-P") => "plink",
                    () => panic!("{pairs:?}: {last} {words}"),
                };
                let ours = match read(&pairs, false).variant {
                    Variant::Ssh => "ssh",
                    Variant::Plink | Variant::Putty => "plink",
                    Variant::TortoisePlink => "tortoiseplink",
                    // git asks the program.
                    Variant::Auto if name == "wrap" => "ssh",
                    Variant::Simple | Variant::Auto => "simple",
                };
                assert_eq!(ours, git, "{pairs:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 88);
}

#[test]
fn added_options_come_first_and_the_rest_stays() {
    let extra = ["-v".to_string(), "-oUserKnownHostsFile=/a b".to_string()];
    for (text, expected) in [
        ("ssh -i 'a b' -o X=y", "ssh -v '-oUserKnownHostsFile=/a b' -i 'a b' -o 'X=y'"),
        ("A='b c' env -u D ssh -i ~/k", "A='b c' env -u D ssh -v '-oUserKnownHostsFile=/a b' -i /home/ann/k"),
        ("ssh -i $(pass)", "ssh -i $(pass) -v '-oUserKnownHostsFile=/a b'"),
    ] {
        let out = read(&[("GIT_SSH_COMMAND", text)], false).with_options(&extra);
        assert_eq!(shlex::split(&out), shlex::split(expected), "{out}");
    }
    assert_eq!(read(&[("GIT_SSH", "/my ssh")], false).with_options(&extra[..1]), "'/my ssh' -v");
}

#[test]
fn versions_of_every_build() {
    for (text, number) in [
        ("OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19", Some(902)),
        ("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2", Some(905)),
        ("OpenSSH_10.0p2, OpenSSL 3.5.0", Some(1000)),
        ("Sun_SSH_2.4", None),
        ("OpenSSH_99999999999999.1", None),
    ] {
        assert_eq!(openssh_version(text), number);
    }
}
