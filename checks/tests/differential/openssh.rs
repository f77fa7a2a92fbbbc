//! The installed OpenSSH, each program ended with its test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bbdoctor_checks::evidence::process::{Outcome, Program};

/// Ends what was started, also when the test fails.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program of OpenSSH that can ask nobody, with this agent or none.
pub(crate) fn run(program: &str, args: &[&str], agent: Option<&Path>) -> Outcome {
    let mut command = Program::new(program).args(args).env("LC_ALL", "C").without_env("SSH_ASKPASS").without_env("DISPLAY");
    command = match agent {
        Some(socket) => command.env("SSH_AUTH_SOCK", socket),
        None => command.without_env("SSH_AUTH_SOCK"),
    };
    command.run(Instant::now() + Duration::from_secs(60)).expect("it runs")
}

/// `ssh-keygen`, which has to succeed.
pub(crate) fn keygen(args: &[&str]) {
    let outcome = run("ssh-keygen", args, None);
    assert!(outcome.success(), "ssh-keygen {args:?}: {}", outcome.stderr_text());
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// An sshd on a port of loopback, with these further lines of sshd_config(5); its files are in `folder`.
pub(crate) fn sshd(folder: &Path, lines: &str) -> (Running, u16) {
    if nix::unistd::getuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("sshd of the superuser wants /run/sshd");
    }
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let (config, log) = (folder.join("sshd_config"), folder.join("sshd.log"));
    let plain = "ListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\nMaxStartups 100\n";
    fs::write(&config, format!("Port {port}\n{plain}{lines}")).expect("written");
    let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|p| Path::new(p).exists());
    let child = Command::new(program.expect("an sshd is needed for this test: install openssh-server"))
        .args(["-D", "-e", "-f", text(&config)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).expect("a log"))
        .spawn()
        .expect("sshd starts");
    let running = Running(child);
    let until = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "sshd: {}", fs::read_to_string(&log).unwrap_or_default());
        thread::sleep(Duration::from_millis(20));
    }
    (running, port)
}
