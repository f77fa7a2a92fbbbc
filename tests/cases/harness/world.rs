//! What a case may arrange: the user's files, keys and agent, names, routes, and the URL that git is given.
//!
//! In every text, `{host}` stands for the host name the case dials (see `case::host_of`).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bbdoctor_test_support::Running;

use super::case::Expected;
use super::namespace::{self, HOME, SERVICE, chmod, run};

/// Where the service's names lead unless a case says otherwise.
pub(crate) const CLOUD: &str = "127.0.0.2";
pub(crate) const ALTERNATE: &str = "127.0.0.3";
pub(crate) const DATA_CENTER: &str = "127.0.0.4";
/// An address of this machine on which nothing listens.
pub(crate) const NOBODY: &str = "127.0.0.66";

/// A case's machine. Fields are set by the case before the service starts.
pub(crate) struct World {
    /// The host name the case dials.
    pub(crate) host: &'static str,
    /// The user's environment, complete.
    pub(crate) env: BTreeMap<OsString, OsString>,
    /// What both programs are given, unless `target` says otherwise.
    pub(crate) url: OsString,
    /// bbdoctor's target where it is not the URL; `Some(None)`: no target at all.
    pub(crate) target: Option<Option<OsString>>,
    /// What git is asked, where it is not `ls-remote URL`.
    pub(crate) git: Option<Vec<OsString>>,
    /// Where git itself is not the one on the user's PATH.
    pub(crate) git_program: OsString,
    /// Further options for bbdoctor.
    pub(crate) args: Vec<OsString>,
    /// Where both programs run.
    pub(crate) cwd: PathBuf,
    /// How long git is waited for; longer counts as failure.
    pub(crate) patience: Duration,
    /// bbdoctor's own budget (its `--timeout`).
    pub(crate) budget: Duration,
    /// Names and addresses of /etc/hosts, in order.
    pub(crate) names: Vec<(String, String)>,
    /// Addresses and ports of sshd.
    pub(crate) listen: Vec<(&'static str, u16)>,
    /// Further lines of sshd_config.
    pub(crate) sshd: Vec<String>,
    /// Lines of the service's authorized_keys.
    pub(crate) authorized: Vec<String>,
    pub(crate) started: bool,
    /// sshd, which ends with the world.
    pub(crate) running: Option<Running>,
    /// The case's name, what it expects, and its codes.
    pub(crate) row: Option<(String, Expected, Vec<String>)>,
}

impl World {
    /// The service stands under `host`, the user has an empty ~/.ssh and an environment without a terminal or an agent.
    pub(crate) fn new(host: &'static str) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let environment = [
            ("HOME", HOME),
            ("USER", "dev"),
            ("LOGNAME", "dev"),
            ("PATH", path.as_str()),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ];
        let mut world = Self {
            host,
            env: environment.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            url: format!("git@{host}:acme/app.git").into(),
            target: None,
            git: None,
            git_program: "git".into(),
            args: Vec::new(),
            cwd: HOME.into(),
            patience: Duration::from_secs(12),
            budget: Duration::from_secs(20),
            names: vec![(host.into(), CLOUD.into()), ("altssh.bitbucket.org".into(), ALTERNATE.into())],
            listen: vec![(CLOUD, 22), (ALTERNATE, 443)],
            sshd: Vec::new(),
            authorized: Vec::new(),
            started: false,
            running: None,
            row: None,
        };
        world.publish_host_keys();
        world
    }

    /// For set-ups in which something hangs: git is given up soon, and bbdoctor has little time.
    pub(crate) fn hurry(&mut self) {
        self.patience = Duration::from_secs(4);
        self.budget = Duration::from_secs(6);
    }

    /// `{host}` filled in.
    pub(crate) fn text(&self, text: &str) -> String {
        text.replace("{host}", self.host)
    }

    /// The plainest working set-up: one registered default key, the service's host keys known, no agent, no configuration.
    pub(crate) fn plain(&mut self) {
        self.key("id_ed25519");
        self.know("{host}");
    }

    // The user's files.

    /// A path below the user's ~/.ssh.
    pub(crate) fn ssh(&self, name: &str) -> PathBuf {
        Path::new(HOME).join(".ssh").join(name)
    }

    /// Writes a file (relative to the user's home) and the folders above it.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = Path::new(HOME).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = text.as_ref();
        let filled = std::str::from_utf8(bytes).map(|text| self.text(text).into_bytes()).unwrap_or_else(|_| bytes.to_vec());
        fs::write(&path, filled).unwrap();
        chmod(&path, mode);
        path
    }

    /// ~/.ssh/config.
    pub(crate) fn config(&self, text: impl AsRef<[u8]>) {
        self.write(".ssh/config", text, 0o600);
    }

    /// An executable file.
    pub(crate) fn script(&self, path: &str, text: &str) -> PathBuf {
        self.write(path, text, 0o755)
    }

    /// An environment variable of the user.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        let value = value.as_ref().to_str().map_or_else(|| value.as_ref().to_owned(), |value| self.text(value).into());
        self.env.insert(name.into(), value);
    }

    /// The URL, with `{host}` filled in.
    pub(crate) fn url(&mut self, url: &str) {
        self.url = self.text(url).into();
    }

    /// A line of the user's ~/.gitconfig.
    pub(crate) fn git_config(&self, name: &str, value: &str) {
        self.user(&["git", "config", "--global", "--add", &self.text(name), &self.text(value)]);
    }

    /// A repository at ~/work with the URL as its `origin`; both programs run in it, bbdoctor without a target.
    pub(crate) fn repository(&mut self, remote: bool) {
        self.user(&["git", "init", "-q", "-b", "main", "work"]);
        self.cwd = Path::new(HOME).join("work");
        if remote {
            let url = self.url.clone();
            let done = self.run(OsStr::new("git"), &["remote".into(), "add".into(), "origin".into(), url], Duration::from_secs(20));
            assert!(done.worked(), "{done:?}");
        }
        self.target = Some(None);
        self.git = Some(["ls-remote", "origin"].map(OsString::from).to_vec());
    }

    /// The question is "can I push?", for git and for bbdoctor.
    pub(crate) fn push(&mut self) {
        self.user(&["git", "init", "-q", "-b", "main", "/tmp/pushed"]);
        let identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"];
        let commit = ["commit", "-q", "--allow-empty", "-m", "second"];
        self.user(&[&["git", "-C", "/tmp/pushed"][..], &identity, &commit].concat());
        let mut words: Vec<OsString> = ["-C", "/tmp/pushed", "push", "-q", "--dry-run"].map(OsString::from).to_vec();
        words.extend([self.url.clone(), "HEAD:refs/heads/second".into()]);
        self.git = Some(words);
        self.args.push("--push".into());
    }

    // Keys.

    /// A registered ed25519 key.
    pub(crate) fn key(&mut self, name: &str) -> PathBuf {
        self.keygen(name, "ed25519", "", "");
        self.authorize(name, "dev")
    }

    /// An ed25519 key that the service does not know.
    pub(crate) fn stranger(&self, name: &str) -> PathBuf {
        self.keygen(name, "ed25519", "", "")
    }

    /// Makes a key pair in ~/.ssh; `bits` may be empty.
    pub(crate) fn keygen(&self, name: &str, algorithm: &str, bits: &str, passphrase: &str) -> PathBuf {
        let file = self.ssh(name);
        let mut words =
            vec!["ssh-keygen", "-q", "-t", algorithm, "-N", passphrase, "-C", "dev@example.com", "-f", file.to_str().unwrap()];
        if !bits.is_empty() {
            words.extend(["-b", bits]);
        }
        self.user(&words);
        file
    }

    /// Registers a key of ~/.ssh with an account of the service; gives the private key's path.
    pub(crate) fn authorize(&mut self, name: &str, account: &str) -> PathBuf {
        let public = fs::read_to_string(self.ssh(&format!("{name}.pub"))).unwrap();
        self.authorized.push(format!("command=\"{SERVICE}/service {account}\",restrict {}", public.trim()));
        self.ssh(name)
    }

    /// Removes a key's files, so that only an agent has it.
    pub(crate) fn forget(&self, name: &str) {
        fs::remove_file(self.ssh(name)).unwrap();
        fs::remove_file(self.ssh(&format!("{name}.pub"))).unwrap();
    }

    // The agent.

    /// Starts ssh-agent, names it in the environment, and loads keys of ~/.ssh in that order.
    pub(crate) fn agent(&mut self, keys: &[&str]) {
        let socket = Path::new(HOME).join("agent.sock");
        self.spawn(&["ssh-agent", "-D", "-a", socket.to_str().unwrap()]);
        wait_until("ssh-agent", || socket.exists());
        self.set("SSH_AUTH_SOCK", &socket);
        for key in keys {
            self.user(&["ssh-add", "-q", self.ssh(key).to_str().unwrap()]);
        }
    }

    /// Runs `ssh-add` with a person at hand who types `answer` to every question.
    pub(crate) fn ssh_add(&self, words: &[&str], answer: &str) {
        let askpass = Path::new("/tmp/askpass");
        fs::write(askpass, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
        chmod(askpass, 0o755);
        let settings = ["SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS=/tmp/askpass", "DISPLAY=:0", "ssh-add", "-q"];
        self.user(&[&["env"][..], &settings, words].concat());
    }

    // Trust.

    /// One of the service's host keys as it stands in known_hosts: type and base64.
    pub(crate) fn host_key(&self, kind: &str) -> String {
        let line = fs::read_to_string(format!("{SERVICE}/host_keys/{kind}.pub")).unwrap();
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Appends the service's three keys to ~/.ssh/known_hosts under `names`.
    pub(crate) fn know(&self, names: &str) {
        self.know_some(names, &["ed25519", "ecdsa", "rsa"], ".ssh/known_hosts");
    }

    /// Appends keys of these types to a file of known hosts.
    pub(crate) fn know_some(&self, names: &str, kinds: &[&str], path: &str) {
        let old = fs::read_to_string(Path::new(HOME).join(path)).unwrap_or_default();
        let lines: String = kinds.iter().map(|kind| format!("{names} {}\n", self.host_key(kind))).collect();
        self.write(path, format!("{old}{lines}"), 0o644);
    }

    /// bbdoctor's configuration: the service's keys are the published ones of all three names of Bitbucket Cloud.
    fn publish_host_keys(&mut self) {
        let keys: Vec<String> = ["ed25519", "ecdsa", "rsa"].iter().map(|kind| format!("{:?}", self.host_key(kind))).collect();
        let tables: String = ["bitbucket.org", "ssh.bitbucket.org", "altssh.bitbucket.org"]
            .iter()
            .map(|name| format!("[hosts.\"{name}\"]\nhost_keys = [{}]\n\n", keys.join(", ")))
            .collect();
        self.write(".config/bbdoctor/config.toml", tables, 0o644);
    }

    // Names and routes.

    /// `name` leads to `address`, in addition to what there is.
    pub(crate) fn name(&mut self, name: &str, address: &str) {
        let name = self.text(name);
        self.names.push((name, address.into()));
    }

    /// `name` leads to `address` and nowhere else.
    pub(crate) fn rename(&mut self, name: &str, address: &str) {
        let name = self.text(name);
        self.names.retain(|(old, _)| *old != name);
        self.names.push((name, address.into()));
    }

    /// sshd does not answer on this address.
    pub(crate) fn silence(&mut self, address: &str) {
        self.listen.retain(|(listening, _)| *listening != address);
    }

    /// A network of one neighbour who is never there: packets to the address vanish.
    pub(crate) fn black_hole(&self) -> &'static str {
        ip("link add hole type veth peer name rest");
        ip("address add 10.99.0.1/24 dev hole");
        ip("link set hole up");
        ip("link set rest up");
        ip("neighbour add 10.99.0.2 lladdr 02:00:00:00:00:02 dev hole");
        "10.99.0.2"
    }
}

/// Runs ip(8) of iproute2 on the private network.
pub(crate) fn ip(words: &str) {
    run(Command::new("ip").args(words.split(' ')));
}

/// Waits for something the set-up started; the case stops after five seconds.
pub(crate) fn wait_until(what: &str, there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{what} did not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes that are no UTF-8.
pub(crate) fn not_utf8() -> &'static OsStr {
    OsStr::from_bytes(b"\xff\xfe\x80")
}

/// Shadows a name in the private /etc for the rest of the case.
pub(crate) fn etc(name: &str, text: &str) {
    fs::write(Path::new("/etc").join(name), text).unwrap();
}

/// The account database without the user.
pub(crate) fn remove_account() {
    let others: String =
        namespace::passwd().lines().filter(|line| !line.contains(":1000:")).map(|line| format!("{line}\n")).collect();
    etc("passwd", &others);
}
