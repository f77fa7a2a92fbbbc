//! The user's programs: run without capabilities, bounded in time and output.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::namespace::run;
use super::world::World;

/// What a program left.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Done {
    /// Ended by itself with status 0.
    pub(crate) fn worked(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

impl World {
    /// Runs a step of the set-up as the user; the case stops if it fails.
    pub(crate) fn user(&self, words: &[&str]) -> String {
        run(self.command(OsStr::new(words[0])).args(&words[1..]).stdin(Stdio::null()))
    }

    /// A program of the user's that keeps running.
    pub(crate) fn spawn(&self, words: &[&str]) {
        self.command(OsStr::new(words[0]))
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    }

    /// The user's programs have no capabilities (setpriv takes them away), so that permission bits mean something.
    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--ambient-caps", "-all", "--inh-caps", "-all", "--bounding-set", "-all", "--"]).arg(program);
        command.env_clear().envs(&self.env).current_dir(&self.cwd);
        command
    }

    /// What the user's git does.
    pub(crate) fn git(&self) -> Done {
        let words = self.git.clone().unwrap_or_else(|| vec!["ls-remote".into(), self.url.clone()]);
        self.run(&self.git_program, &words, self.patience)
    }

    /// Runs a program of the user's, killed after `limit` (the status is then `None`).
    pub(crate) fn run(&self, program: &OsStr, words: &[OsString], limit: Duration) -> Done {
        let begun = Instant::now();
        let mut command = self.command(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let output = collect(child.stdout.take().unwrap());
        let errors = collect(child.stderr.take().unwrap());
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > limit {
                let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
                nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = begun.elapsed();
        Done { status, stdout: output(), stderr: String::from_utf8_lossy(&errors()).into_owned(), took }
    }
}

/// Reads a pipe on a thread of its own, so that neither side waits for the other; the result gives what came, up to a bound.
/// A grandchild may hold the pipe open for ever (a master connection does), so its end is not waited for long.
fn collect(mut pipe: impl Read + Send + 'static) -> impl FnOnce() -> Vec<u8> {
    const MOST: usize = 64 << 20;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let reader = std::thread::spawn(move || {
        let mut part = vec![0; 65536];
        while let Ok(length @ 1..) = pipe.read(&mut part) {
            let mut kept = keep.lock().unwrap();
            let room = MOST.saturating_sub(kept.len()).min(length);
            kept.extend(&part[..room]);
        }
    });
    move || {
        let begun = Instant::now();
        while !reader.is_finished() && begun.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::mem::take(&mut *kept.lock().unwrap())
    }
}
