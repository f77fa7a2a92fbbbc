//! A real sshd, a real ssh-agent and servers that misbehave, each on loopback and ended with the test.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use bbdoctor_checks::evidence::kexinit::put_string;
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

/// An sshd on a port of its own.
pub(crate) struct Sshd {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Sshd {
    /// Starts with host keys of all three types and these further lines of sshd_config(5).
    pub(crate) fn start(lines: &str) -> Sshd {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = configure(folder.path(), lines, port);
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", config.to_str().unwrap(), "-E", folder.path().join("log").to_str().unwrap()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd has to be installed");
        let sshd = Sshd { folder, port, child };
        let until = within(10_000);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "sshd does not start: {}", sshd.log());
            thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    pub(crate) fn authorize(&self, lines: &[String]) {
        fs::write(self.folder.path().join("authorized_keys"), lines.concat()).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes host keys and sshd_config into `folder`; the path of the latter.
pub(crate) fn configure(folder: &Path, lines: &str, port: u16) -> PathBuf {
    if nix::unistd::getuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("sshd of the superuser wants /run/sshd");
    }
    let mut config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nPidFile none\nStrictModes no\nUsePAM no\nLogLevel VERBOSE\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile {0}/authorized_keys\n",
        folder.display()
    );
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = Key::new(folder, &format!("host_{kind}"), kind);
        config += &format!("HostKey {}\n", key.path.display());
    }
    let path = folder.join("sshd_config");
    // The first value of a keyword counts.
    fs::write(&path, format!("{lines}\n{config}")).unwrap();
    path
}

/// An ssh-agent of its own.
pub(crate) struct RealAgent {
    pub(crate) socket: PathBuf,
    folder: TempDir,
    child: Child,
}

impl RealAgent {
    pub(crate) fn start() -> RealAgent {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a", socket.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent has to be installed");
        let until = within(10_000);
        while !socket.exists() {
            assert!(Instant::now() < until, "ssh-agent does not start");
            thread::sleep(Duration::from_millis(10));
        }
        RealAgent { socket, folder, child }
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

impl Drop for RealAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
