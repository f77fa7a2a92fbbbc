//! The run against the real git, with the real ssh and with scripted ones.
//!
//! Over 400 lines: every complaint is provoked once, by a line or two of set-up.

use bbdoctor_checks::facts::git_run::{GitComplaint, KeyLine};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use bbdoctor_test_support::Sshd;
use proptest::prelude::*;

use super::*;
use crate::openssh::ssh_command;

/// A home of its own with a folder of programs in front of `PATH`.
struct Home {
    top: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    fn new() -> Self {
        let top = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(top.path().join("bin")).expect("a folder");
        let path = format!("{}/bin:{}", top.path().display(), std::env::var("PATH").expect("a PATH"));
        let variables = [("HOME", top.path().display().to_string()), ("GIT_CONFIG_NOSYSTEM", "1".into()), ("PATH", path)];
        Home { variables: variables.map(|(n, v)| (n.to_string(), v)).to_vec(), top }
    }

    fn path(&self, name: &str) -> String {
        self.top.path().join(name).display().to_string()
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.top.path().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_string(), value.to_string()));
    }

    fn run(&self, target: &str, push: bool, seconds: u64, known_hosts: Option<&[PathBuf]>) -> GitRun {
        let environment: Environment = self.variables.iter().cloned().collect();
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let folder = self.top.path();
        let config = crate::git::config::read(&environment, folder);
        let ssh = ssh_command::read(&environment, &config, folder, Some(deadline));
        let repository = config.repository();
        let invocation = Invocation {
            target,
            verbatim: false,
            push,
            folder,
            environment: &environment,
            ssh: &ssh,
            repository,
            master: Master::StartNone,
            known_hosts,
            deadline,
        };
        invocation.run().expect("git runs")
    }
}

#[test]
fn the_users_own_command_runs_with_its_options_and_ours() {
    let mut home = Home::new();
    let log = home.path("log");
    home.script(
        "ssh",
        &format!("[ \"$1\" = -V ] && {{ echo OpenSSH_9.2p1 >&2; exit 0; }}\nprintf '%s\\n' \"$@\" \"LANG $LC_ALL\" >{log}; exit 3"),
    );
    home.set("GIT_SSH_COMMAND", "ssh -q -i 'my key' -o BatchMode=no");
    home.set("GIT_TRACE", &home.path("trace"));
    std::fs::write(home.path(".gitconfig"), "[url \"git@h.invalid:\"]\ninsteadOf = bb:\n").expect("written");
    std::fs::write(home.path("known"), "h ssh-ed25519 AAAA\n").expect("written");
    let run = home.run("bb:ws/repo", false, 20, Some(&[home.path("known").into(), home.path("none").into()]));
    let said = std::fs::read_to_string(&log).expect("it ran");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(&lines[..2], ["-o", "BatchMode=yes"]);
    assert!(lines.ends_with(&["-o", "SendEnv=GIT_PROTOCOL", "git@h.invalid", "git-upload-pack 'ws/repo'", "LANG C"]), "{said}");
    let copies = lines.iter().find(|l| l.starts_with("UserKnownHostsFile=")).expect("copies");
    assert!(copies.contains("/known_hosts.0\" \"") && !copies.contains("/known\""), "{copies}");
    let copy = Path::new(copies.split('"').nth(1).expect("quoted"));
    assert!(!copy.exists() && !Path::new(&home.path("trace")).exists());
    // -q takes back what -v says, so ours has to come last.
    assert!(lines.iter().position(|l| *l == "-v") > lines.iter().position(|l| *l == "-q") && lines.contains(&"my key"), "{said}");
    assert!(!run.works && run.code == Some(128) && run.said.is_empty(), "{run:?}");
    assert_eq!(classify(&run), Some(GitComplaint::Silent));
}

#[test]
fn a_client_without_openssh_options_gets_none() {
    let home = Home::new();
    let log = home.path("log");
    home.script("ssh", &format!("echo \"$@\" >>{log}; exit 1"));
    home.script("plink", &format!("echo \"$@\" >>{log}; exit 1"));
    home.script("simple", &format!("echo \"$@\" >>{log}; exit 1"));
    for (variable, expected) in [("plink", "-batch git@h.invalid"), ("simple", "git@h.invalid")] {
        let mut home = Home { top: tempfile::tempdir().expect("a folder"), variables: home.variables.clone() };
        home.set("GIT_SSH", &format!("{}/{variable}", log.trim_end_matches("log").to_string() + "bin"));
        let run = home.run("git@h.invalid:x", false, 20, None);
        let said = std::fs::read_to_string(&log).expect("it ran");
        assert!(said.lines().last().expect("a line").starts_with(expected), "{said} {run:?}");
    }
}

#[test]
fn a_hanging_client_ends_at_the_deadline() {
    let home = Home::new();
    home.script(
        "ssh",
        "[ \"$1\" = -V ] && { echo OpenSSH_9.2p1 >&2; exit 0; }\necho 'debug1: expecting SSH2_MSG_KEX_ECDH_REPLY' >&2; sleep 100",
    );
    let run = home.run("git@h.invalid:x", false, 2, None);
    assert!(run.timed_out && run.duration_ms < 20_000, "{run:?}");
    assert_eq!(classify(&run), Some(GitComplaint::TimedOut(Some("expecting SSH2_MSG_KEX_ECDH_REPLY".into()))));
}

#[test]
fn gits_own_complaints() {
    for (variables, target, expected) in [
        (
            &[("GIT_SSH", "/nope/ssh")][..],
            "git@h.invalid:x",
            "CannotRun { program: \"/nope/ssh\", why: \"No such file or directory\" }",
        ),
        (&[("GIT_SSH_COMMAND", "/nope/ssh -i x")], "git@h.invalid:x", "CannotRun { program: \"/nope/ssh\", why: \"not found\" }"),
        (
            &[("GIT_SSH_COMMAND", "C:\\Win\\ssh.exe")],
            "git@h.invalid:x",
            "CannotRun { program: \"C:Winssh.exe\", why: \"not found\" }",
        ),
        (
            &[("GIT_SSH", "ssh -i key")],
            "git@h.invalid:x",
            "CannotRun { program: \"ssh -i key\", why: \"No such file or directory\" }",
        ),
        (&[("GIT_ALLOW_PROTOCOL", "https")], "git@h.invalid:x", "TransportNotAllowed(\"ssh\")"),
        (&[("GIT_SSH_VARIANT", "simple")], "ssh://git@h.invalid:9/x", "VariantLacks(\"setting port\")"),
        (&[("GIT_CONFIG_GLOBAL", "bad")], "git@h.invalid:x", "GitConfig { file: \"bad\", line: 1 }"),
        (&[], "git@bitbucket.org/acme/web.git", "NoSuchRemote(\"git@bitbucket.org/acme/web.git\")"),
        (&[], "git@https://h/x", "ProtocolNotSupported(\"git@https\")"),
        (&[], "SSH://h/x", "ProtocolNotSupported(\"SSH\")"),
        (&[], "ssh://h", "NoPath"),
        (&[], "ssh://-oProxyCommand=x/y", "Strange(\"hostname '-oProxyCommand=x'\")"),
        (&[("GIT_SSH_COMMAND", "echo hello; ssh")], "git@127.0.0.1:x", "ProtocolNoise([104, 101, 108, 108])"),
    ] {
        let mut home = Home::new();
        std::fs::write(home.path("bad"), "[core\n").expect("written");
        for (name, value) in variables {
            home.set(name, value);
        }
        let run = home.run(target, false, 20, None);
        assert_eq!(classify(&run).map(|c| format!("{c:?}")).as_deref(), Some(expected), "{variables:?} {target}: {:?}", run.said);
    }
}

#[test]
fn sshs_own_complaints() {
    for (options, target, expected) in [
        ("-F none", "git@no-such-host.invalid:x", "Resolve { name: \"no-such-host.invalid\", why: "),
        ("-F none", "ssh://git@127.0.0.1:1/x", "Connect { host: \"127.0.0.1\", port: 1, why: Refused }"),
        ("-F none -b 192.0.2.1", "ssh://git@127.0.0.1:1/x", "Connect { host: \"127.0.0.1\", port: 1, why: AddressNotAvailable }"),
        ("-F none -o ProxyCommand='sh -c \"echo no way >&2\"'", "git@127.0.0.1:x", "ProxyDied { before: [\"no way\"] }"),
        (
            "-F CONFIG",
            "git@h.invalid:x",
            "SshConfig { file: Some(\"CONFIG\"), line: Some(2), text: \"Bad configuration option: usekeychain\" }",
        ),
        ("-F /nope", "git@h.invalid:x", "SshConfig { file: None, line: None, text: \"Can't open user config file /nope"),
        (
            "-F none -o Nonsense=1",
            "git@h.invalid:x",
            "SshConfig { file: None, line: None, text: \"Bad configuration option: nonsense\" }",
        ),
        ("-F none -o RemoteCommand=ls", "git@h.invalid:x", "RemoteCommand"),
        ("-Z", "git@h.invalid:x", "Usage("),
    ] {
        let mut home = Home::new();
        let config = home.path("config");
        std::fs::write(&config, "Host *\nUseKeychain yes\n").expect("written");
        home.set("GIT_SSH_COMMAND", &format!("ssh {}", options.replace("CONFIG", &config)));
        let run = home.run(target, false, 20, None);
        let found = classify(&run).map(|c| format!("{c:?}")).unwrap_or_default();
        assert!(found.starts_with(&expected.replace("CONFIG", &config)), "{options} {target}: {found} {:?}", run.said);
    }
}

/// What ssh says about a peer, by text alone: captured from OpenSSH 9.2.
#[test]
fn texts_are_known_by_their_beginning() {
    let with = |stderr: &str| {
        let outcome = Outcome { code: Some(128), stderr: stderr.as_bytes().to_vec(), ..Outcome::default() };
        classify(&read(&outcome, false)).map(|c| format!("{c:?}")).unwrap_or_default()
    };
    for (stderr, expected) in [
        (
            "git@bitbucket.org: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n",
            "PermissionDenied { user: Some(\"git\"), host: \"bitbucket.org\", methods: [\"publickey\"], keys: [] }",
        ),
        (
            "Load key \"/k\": Permission denied\r\ngit@h: Permission denied (publickey,password).",
            "PermissionDenied { user: Some(\"git\"), host: \"h\", methods: [\"publickey\", \"password\"], keys: [Load { path: \"/k\", why: \"Permission denied\" }] }",
        ),
        (
            "sign_and_send_pubkey: signing failed for ED25519 \"my key\" from agent: agent refused operation\ngit@h: Permission denied (publickey).",
            "PermissionDenied { user: Some(\"git\"), host: \"h\", methods: [\"publickey\"], keys: [Signing { key: \"my key\", agent: true, why: \"agent refused operation\" }] }",
        ),
        (
            "debug1: Server accepts key: /a b ED25519 SHA256:x explicit\ngit@h: Permission denied (publickey).",
            "PermissionDenied { user: Some(\"git\"), host: \"h\", methods: [\"publickey\"], keys: [AcceptedNotUsed { key: \"/a b\" }] }",
        ),
        (
            "no such identity: /n: No such file or directory\nidentity_sign: private key /k contents do not match public\ngit@h: Permission denied (publickey).",
            "PermissionDenied { user: Some(\"git\"), host: \"h\", methods: [\"publickey\"], keys: [Missing { path: \"/n\" }, Mismatch { path: \"/k\" }] }",
        ),
        ("ssh: connect to host h port 22: Permission denied", "Connect { host: \"h\", port: 22, why: Denied }"),
        ("ssh: connect to host h port 22: Operation timed out", "Connect { host: \"h\", port: 22, why: TimedOut }"),
        (
            "ssh: Could not resolve hostname bitbucket.org:acme: Name or service not known",
            "Resolve { name: \"bitbucket.org:acme\", why: \"Name or service not known\" }",
        ),
        (
            "fatal: cannot exec '/w': Permission denied\nfatal: unable to fork",
            "CannotRun { program: \"/w\", why: \"Permission denied\" }",
        ),
        (
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by 1.2.3.4 port 22",
            "ClosedBeforeBanner { reset: false, said: [] }",
        ),
        (
            "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 1.2.3.4 port 22",
            "ClosedBeforeBanner { reset: true, said: [] }",
        ),
        ("ssh_exchange_identification: Connection closed by remote host", "ClosedBeforeBanner { reset: false, said: [] }"),
        (
            "debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups\nkex_exchange_identification: Connection closed by remote host",
            "ClosedBeforeBanner { reset: false, said: [\"Exceeded MaxStartups\"] }",
        ),
        (
            "debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request\nkex_exchange_identification: Connection closed by remote host",
            "NotSsh { why: \"Connection closed by remote host\", said: [\"HTTP/1.1 400 Bad Request\"] }",
        ),
        (
            "kex_exchange_identification: banner line contains invalid characters\nbanner exchange: Connection to 1.2.3.4 port 443: invalid format",
            "NotSsh { why: \"kex_exchange_identification: banner line contains invalid characters\", said: [] }",
        ),
        (
            "/bin/sh: 1: exec: corkscrew: not found\nkex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
            "ProxyDied { before: [\"/bin/sh: 1: exec: corkscrew: not found\"] }",
        ),
        ("Connection timed out during banner exchange\nConnection to 1.2.3.4 port 22 timed out", "BannerTimeout"),
        (
            "Unable to negotiate with 1.2.3.4 port 22: no matching host key type found. Their offer: ssh-rsa,ssh-dss",
            "NoMatching { what: \"host key type\", offer: [\"ssh-rsa\", \"ssh-dss\"] }",
        ),
        (
            "ssh_dispatch_run_fatal: Connection to 1.2.3.4 port 22: error in libcrypto",
            "Protocol(\"ssh_dispatch_run_fatal: Connection to 1.2.3.4 port 22: error in libcrypto\")",
        ),
        ("Host key verification failed.", "HostKeyUnknown"),
        (
            "No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.",
            "HostKeyUnknown",
        ),
        (
            "hostkeys_find_by_key_hostfile: hostkeys_foreach failed for /k: Permission denied\nHost key verification failed.",
            "KnownHostsUnreadable { file: \"/k\", why: \"Permission denied\" }",
        ),
        (
            "@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nThe fingerprint for the RSA key sent by the remote host is\nSHA256:abc.\nOffending RSA key in /k:3\nHost key for h has changed and you have requested strict checking.\nHost key verification failed.",
            "HostKeyChanged { offending: Some(\"/k:3\"), fingerprint: Some(\"SHA256:abc\") }",
        ),
        (
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\ngit@h: Permission denied (publickey).",
            "PermissionDenied { user: Some(\"git\"), host: \"h\", methods: [\"publickey\"], keys: [] }",
        ),
        ("@       WARNING: REVOKED HOST KEY DETECTED!               @\nHost key verification failed.", "HostKeyRevoked"),
        (
            "Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures\nDisconnected from 1.2.3.4 port 22",
            "TooManyFailures",
        ),
        ("Bad owner or permissions on /home/u/.ssh/config", "BadOwnerOrPermissions(\"/home/u/.ssh/config\")"),
        (
            "/home/u/.ssh/config line 2: no argument after keyword \"identityfile\"\n/home/u/.ssh/config: terminating, 1 bad configuration options",
            "SshConfig { file: Some(\"/home/u/.ssh/config\"), line: Some(2), text: \"no argument after keyword \\\"identityfile\\\"\" }",
        ),
        ("No user exists for uid 4242", "NoUser(4242)"),
        (
            "OpenSSL version mismatch. Built against 30000020, you have 30200000",
            "SshBroken(\"OpenSSL version mismatch. Built against 30000020, you have 30200000\")",
        ),
        (
            "ssh: error while loading shared libraries: libcrypto.so.3: cannot open",
            "SshBroken(\"ssh: error while loading shared libraries: libcrypto.so.3: cannot open\")",
        ),
        (
            "unix_listener: cannot bind to path /h/cm/x.AbCd: No such file or directory",
            "ControlPath(\"unix_listener: cannot bind to path /h/cm/x.AbCd: No such file or directory\")",
        ),
        ("Could not request local forwarding.", "Forwarding(\"Could not request local forwarding.\")"),
        ("fatal: detected dubious ownership in repository at '/r'", "DubiousOwnership(\"/r\")"),
        (
            "fatal: Authentication failed for 'https://bitbucket.org/a/b/'",
            "HttpAuthentication(\"Authentication failed for 'https://bitbucket.org/a/b/'\")",
        ),
        ("fatal: protocol error: bad line length character: \r000", "ProtocolNoise([13, 48, 48, 48])"),
        ("FATAL ERROR: Network error: Connection refused", "Connect { host: \"\", port: 0, why: Refused }"),
        (
            "Repository not found\nfatal: Could not read from remote repository.",
            "RepositoryRefused { said: [\"Repository not found\"], code: None }",
        ),
        (
            "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.",
            "Silent",
        ),
        // What a server says after the login is the server's, whatever it looks like.
        (
            "OpenSSH_9.2p1\nAuthenticated to h ([1.2.3.4]:22) using \"publickey\".\nfatal: detected dubious ownership in repository at '/r'\ndebug1: Exit status 128\n",
            "RepositoryRefused { said: [\"fatal: detected dubious ownership in repository at '/r'\"], code: Some(128) }",
        ),
        (
            "OpenSSH_9.2p1\nAuthenticated to h ([1.2.3.4]:22) using \"publickey\".\ngit@h: Permission denied (publickey).\ndebug1: Exit status 1\n",
            "RepositoryRefused { said: [\"git@h: Permission denied (publickey).\"], code: Some(1) }",
        ),
        (
            "OpenSSH_9.2p1\nAuthenticated to h ([1.2.3.4]:22) using \"publickey\".\nclient_loop: send disconnect: Broken pipe\n",
            "LostAfterLogin(\"client_loop: send disconnect: Broken pipe\")",
        ),
    ] {
        assert_eq!(with(stderr), expected, "{stderr}");
    }
}

/// A server on loopback that lets in one key of this account.
fn server(home: &Home) -> Sshd {
    for key in ["host", "key", "other"] {
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", &home.path(key)]).status();
        assert!(made.expect("ssh-keygen runs").success());
    }
    let (host, authorized) = (home.path("host"), home.path("key.pub"));
    let lines = format!("HostKey {host}\nAuthorizedKeysFile {authorized}\nAuthenticationMethods publickey\n");
    Sshd::start(home.top.path(), &lines)
}

#[test]
fn a_real_server_is_seen_as_git_sees_it() {
    let mut home = Home::new();
    let server = server(&home);
    let host_key = std::fs::read_to_string(home.path("host.pub")).expect("read");
    std::fs::write(home.path("known"), format!("[127.0.0.1]:{} {host_key}", server.port)).expect("written");
    std::fs::write(home.path("empty"), "").expect("written");
    assert!(Command::new("git").args(["init", "-q", "--bare", &home.path("r.git")]).status().expect("git runs").success());
    let base = home.variables.len();
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).expect("a database").expect("an account").name;
    let url = |path: &str| format!("ssh://{user}@127.0.0.1:{}{}", server.port, home.path(path));
    let (good, missing) = (url("r.git"), url("missing.git"));
    let command = |key: &str, more: &str| {
        format!(
            "ssh -F none -i {} -o IdentitiesOnly=yes -o IdentityAgent=none -o GlobalKnownHostsFile=/dev/null {more}",
            home.path(key)
        )
    };
    let known = format!("-o UserKnownHostsFile={}", home.path("known"));
    let empty = format!("-o UserKnownHostsFile={}", home.path("empty"));

    let commands = [
        command("key", &known),
        command("other", &known),
        command("key", &empty),
        command("key", &format!("{empty} -o StrictHostKeyChecking=accept-new")),
    ];
    let empty_file = [PathBuf::from(home.path("empty"))];
    let set = |home: &mut Home, command: &str| {
        home.variables.truncate(base);
        home.set("GIT_SSH_COMMAND", command);
    };

    set(&mut home, &commands[0]);
    for push in [false, true] {
        let run = home.run(&good, push, 20, None);
        assert!(run.works && classify(&run).is_none(), "{run:?}");
        let seen = &run.transcript;
        assert!(seen.established, "{seen:?}");
        assert_eq!((seen.connecting[0].address.as_str(), seen.connecting[0].port), ("127.0.0.1", server.port));
        assert_eq!(seen.host_key.as_ref().map(|k| k.0.as_str()), Some("ssh-ed25519"));
        assert_eq!(seen.known_as.as_deref(), Some(format!("[127.0.0.1]:{}", server.port).as_str()));
        let names = |keys: &[KeyLine]| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&seen.will_attempt), [home.path("key")]);
        assert_eq!(names(&seen.accepted), [home.path("key")]);
        assert_eq!((seen.authenticated.as_deref(), seen.remote_exit), (Some("publickey"), Some(0)));
        assert!(!run.said.iter().any(|l| l.contains("debug1") || l.contains("Transferred")), "{:?}", run.said);
    }
    let refused = home.run(&missing, false, 20, None);
    let Some(GitComplaint::RepositoryRefused { said, code: Some(128) }) = classify(&refused) else { panic!("{refused:?}") };
    assert!(said[0].contains("does not appear to be a git repository"), "{said:?}");

    set(&mut home, &commands[1]);
    let denied = home.run(&good, false, 20, None);
    assert!(
        matches!(classify(&denied), Some(GitComplaint::PermissionDenied { user: Some(login), keys, .. }) if login == user && keys.is_empty())
    );
    assert_eq!((denied.transcript.will_attempt.len(), denied.transcript.accepted.len()), (1, 0));

    set(&mut home, &commands[2]);
    assert_eq!(classify(&home.run(&good, false, 20, None)), Some(GitComplaint::HostKeyUnknown));

    // ssh would add the key; a copy takes it.
    set(&mut home, &commands[3]);
    assert!(home.run(&good, false, 20, Some(&empty_file)).works);
    assert_eq!(std::fs::read_to_string(home.path("empty")).expect("read"), "");
    assert!(home.run(&good, false, 20, None).works);
    assert_ne!(std::fs::read_to_string(home.path("empty")).expect("read"), "", "the run without copies shows that they are needed");
}

#[test]
fn a_push_from_a_repository_leaves_nothing_in_it() {
    let home = Home::new();
    let git =
        |args: &[&str]| assert!(Command::new("git").args(args).current_dir(home.top.path()).status().expect("git runs").success());
    git(&["init", "-q", "-b", "main", "."]);
    git(&["init", "-q", "--bare", "there.git"]);
    git(&["remote", "add", "origin", &home.path("there.git")]);
    let count = || walk(&home.top.path().join(".git"));
    let before = count();
    let run = home.run("origin", true, 20, None);
    assert!(run.works, "{run:?}");
    assert_eq!(count(), before);
    assert!(run.command.contains("push --dry-run") && !run.command.contains("/tmp/bbdoctor-"), "{}", run.command);
}

fn walk(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => out.extend(walk(&path)),
            path => out.push((path.clone(), path.metadata().expect("there").len())),
        }
    }
    out.sort();
    out
}

proptest! {
    #[test]
    fn no_output_makes_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        lines in prop::collection::vec("(debug1: |fatal: |ssh: |OpenSSH_|Authenticated to |Load key \"|kex_exchange_identification: |/a line |@ )?(Connecting to |connect to host |Offering public key: |banner line |Unable to negotiate with )?[a-z0-9: \\[\\]'\"().@/]{0,30}\r?\n", 0..8),
    ) {
        for stderr in [bytes, lines.concat().into_bytes()] {
            let outcome = Outcome { code: Some(1), stderr, ..Outcome::default() };
            let _ = classify(&read(&outcome, true));
        }
    }
}
