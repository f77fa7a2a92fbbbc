//! OpenSSH's server and agent as the tests of every crate start them: each ended with its test, whatever becomes of it.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::use_debug,
    clippy::unwrap_used,
    reason = "a set-up that fails must stop the test at once"
)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program is waited for; it takes milliseconds, but machines that test are busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nothing that a test waits for takes so long unless it hangs.
const HANGS: Duration = Duration::from_secs(50);
/// How many ports are tried before the test gives up.
const PORTS: usize = 20;

/// A program that ends when this is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Somebody else listens at an address that sshd was to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressInUse;

/// The path of OpenSSH's server, which is on nobody's PATH.
///
/// # Panics
/// Where it is not installed.
pub fn sshd() -> &'static str {
    let found = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists());
    found.expect("OpenSSH's server is needed for this test: install openssh-server")
}

/// Starts sshd with a configuration, and waits until it listens on all its addresses.
///
/// # Errors
/// When somebody else listens on one of them.
///
/// # Panics
/// When it does not start, with what it logged.
pub fn start_sshd(config: &Path, log: &Path, addresses: usize) -> Result<Running, AddressInUse> {
    let _ = fs::remove_file(log);
    let mut command = Command::new(sshd());
    command.arg("-D").arg("-f").arg(config).arg("-E").arg(log);
    let mut running =
        Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sshd starts"));
    let until = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        if said.contains("Address already in use") {
            return Err(AddressInUse);
        }
        if said.matches("Server listening on").count() >= addresses {
            return Ok(running);
        }
        let ended = running.0.try_wait().unwrap();
        assert!(ended.is_none() && Instant::now() < until, "sshd does not start ({ended:?}): {said}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// An sshd on a port of loopback.
#[derive(Debug)]
pub struct Sshd {
    /// The port on 127.0.0.1.
    pub port: u16,
    log: PathBuf,
    _running: Running,
}

impl Sshd {
    /// Starts one with these lines of sshd_config(5), a `HostKey` among them; its files are in `folder`. A port that somebody else
    /// takes in the meantime is left to him, and another one tried.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(folder: &Path, lines: &str) -> Sshd {
        let log = folder.join("sshd.log");
        for _ in 0..PORTS {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
            if let Ok(running) = start_sshd(&configure(folder, lines, port), &log, 1) {
                return Sshd { port, log, _running: running };
            }
        }
        panic!("no port is free for sshd: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Writes sshd_config into `folder`, and what the superuser's sshd wants besides; gives the path.
///
/// # Panics
/// When it cannot be written.
pub fn configure(folder: &Path, lines: &str, port: u16) -> PathBuf {
    if nix::unistd::getuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("sshd of the superuser wants /run/sshd");
    }
    let path = folder.join("sshd_config");
    let common = "ListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\nMaxStartups 100\nLogLevel VERBOSE\n";
    // The first value of a keyword counts.
    fs::write(&path, format!("{lines}\nPort {port}\n{common}")).unwrap();
    path
}

/// Ends a test that hangs, with its whole program: what keeps no deadline would else wait for ever. How long something takes on a busy
/// machine is no test's business; that it ends is.
#[derive(Debug)]
pub struct Watchdog(#[allow(dead_code, reason = "dropping it is the message")] mpsc::Sender<()>);

/// Watches until the result is dropped.
pub fn watchdog() -> Watchdog {
    let (sender, receiver) = mpsc::channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if receiver.recv_timeout(HANGS) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{test} has not ended within {HANGS:?}");
            std::process::abort();
        }
    });
    Watchdog(sender)
}

/// Starts ssh-agent at a socket, and waits until it is there.
///
/// # Panics
/// When it does not start.
pub fn start_agent(socket: &Path) -> Running {
    let child = Command::new("ssh-agent").arg("-D").arg("-a").arg(socket).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let running = Running(child.expect("ssh-agent has to be installed"));
    let until = Instant::now() + PATIENCE;
    while !socket.exists() {
        assert!(Instant::now() < until, "ssh-agent does not start");
        thread::sleep(Duration::from_millis(5));
    }
    running
}
