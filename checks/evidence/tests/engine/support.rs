//! A real sshd, a real ssh-agent and servers that misbehave, each on loopback and ended with the test.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use bbdoctor_evidence::openssh::wire::put_string;
use bbdoctor_test_support::{Running, start_agent};
use tempfile::TempDir;

pub(crate) fn within(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// The account the tests run as, which is the one sshd lets in.
pub(crate) fn user() -> String {
    nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().expect("an account").name
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key pair in a file; the public key or certificate in wire form is `blob`.
pub(crate) struct Key {
    pub(crate) path: PathBuf,
    pub(crate) blob: Vec<u8>,
}

impl Key {
    pub(crate) fn new(folder: &Path, name: &str, kind: &str) -> Key {
        let path = folder.join(name);
        run("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", name, "-f", path.to_str().unwrap()]);
        Key { blob: blob(&path.with_extension("pub")), path }
    }

    pub(crate) fn public(&self) -> String {
        fs::read_to_string(self.path.with_extension("pub")).unwrap()
    }

    /// A certificate for this key, signed by `authority`; its blob.
    pub(crate) fn certified_by(&self, authority: &Key) -> Vec<u8> {
        let public = self.path.with_extension("pub");
        run("ssh-keygen", &["-q", "-s", authority.path.to_str().unwrap(), "-I", "t", "-n", &user(), public.to_str().unwrap()]);
        let name = format!("{}-cert.pub", self.path.file_name().unwrap().to_str().unwrap());
        blob(&self.path.with_file_name(name))
    }
}

fn blob(public: &Path) -> Vec<u8> {
    let line = fs::read_to_string(public).unwrap();
    base64::engine::general_purpose::STANDARD.decode(line.split_whitespace().nth(1).unwrap()).unwrap()
}

/// An sshd on a port of its own, with host keys of all three types.
pub(crate) struct Sshd {
    pub(crate) folder: TempDir,
    running: bbdoctor_test_support::Sshd,
}

impl Sshd {
    /// Starts with these further lines of sshd_config(5).
    pub(crate) fn start(lines: &str) -> Sshd {
        let folder = tempfile::tempdir().unwrap();
        let running = bbdoctor_test_support::Sshd::start(folder.path(), &settings(folder.path(), lines));
        Sshd { folder, running }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.running.port)).unwrap()
    }

    pub(crate) fn authorize(&self, lines: &[String]) {
        fs::write(self.folder.path().join("authorized_keys"), lines.concat()).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        self.running.log()
    }
}

/// Makes host keys in `folder`; gives the lines of sshd_config(5), `lines` first.
pub(crate) fn settings(folder: &Path, lines: &str) -> String {
    let mut settings = format!(
        "{lines}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile {}/authorized_keys\n",
        folder.display()
    );
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = Key::new(folder, &format!("host_{kind}"), kind);
        settings += &format!("HostKey {}\n", key.path.display());
    }
    settings
}

/// An ssh-agent of its own.
pub(crate) struct RealAgent {
    pub(crate) socket: PathBuf,
    folder: TempDir,
    _running: Running,
}

impl RealAgent {
    pub(crate) fn start() -> RealAgent {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        RealAgent { _running: start_agent(&socket), socket, folder }
    }

    pub(crate) fn add(&self, arguments: &[&str]) {
        let output = Command::new("ssh-add").arg("-q").args(arguments).env("SSH_AUTH_SOCK", &self.socket).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Locks or unlocks the agent (`-x`, `-X`), the password coming from a program.
    pub(crate) fn lock(&self, option: &str) {
        use std::os::unix::fs::PermissionsExt;
        let askpass = self.folder.path().join("askpass");
        fs::write(&askpass, "#!/bin/sh\necho secret\n").unwrap();
        fs::set_permissions(&askpass, fs::Permissions::from_mode(0o700)).unwrap();
        let output = Command::new("ssh-add")
            .arg(option)
            .env("SSH_AUTH_SOCK", &self.socket)
            .env("SSH_ASKPASS", &askpass)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A connection to a server that does what `script` says.
pub(crate) fn scripted(script: impl FnOnce(TcpStream) + Send + 'static) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    thread::spawn(move || script(server));
    stream
}

/// Stays connected and silent until the client leaves.
pub(crate) fn stall(mut stream: TcpStream) {
    use std::io::Read;
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}

/// Says `bytes` for ever, or until the client leaves.
pub(crate) fn repeat(mut stream: TcpStream, bytes: &[u8]) {
    let chunk = bytes.repeat(1 + 4096 / bytes.len());
    while stream.write_all(&chunk).is_ok() {}
}

/// A packet in clear text (RFC 4253 section 6).
pub(crate) fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let mut content = vec![padding as u8];
    content.extend_from_slice(payload);
    content.resize(content.len() + padding, 0);
    let mut out = Vec::new();
    put_string(&mut out, &content);
    out
}

/// A KEXINIT with these lists: key exchange, host key, cipher, MAC, compression.
pub(crate) fn kexinit(kex: &str, host_key: &str, cipher: &str, mac: &str) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    for list in [kex, host_key, cipher, cipher, mac, mac, "none", "none", "", ""] {
        put_string(&mut payload, list.as_bytes());
    }
    payload.extend_from_slice(&[0; 5]);
    packet(&payload)
}
