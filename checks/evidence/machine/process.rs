//! Runs another program within bounds: no terminal input, capped output, a deadline after which its whole process group
//! is ended.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The most that is kept of each output, in bytes.
pub const OUTPUT_LIMIT: usize = 1 << 20;

/// A program to run.
#[derive(Debug, Clone)]
pub struct Program {
    argv: Vec<OsString>,
    set: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
}

/// How a program ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The exit status; `None` when a signal or the deadline ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It was still running at the deadline.
    pub timed_out: bool,
    /// What it wrote, each capped at [`OUTPUT_LIMIT`] bytes.
    pub stdout: Vec<u8>,
    /// As `stdout`.
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// It ended by itself with status 0.
    pub fn success(&self) -> bool {
        self.code == Some(0) && !self.timed_out
    }

    /// Standard error as text; bytes that are not UTF-8 are replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as text; bytes that are not UTF-8 are replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl Program {
    /// `program` is a path or a name to be looked up in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Program { argv: vec![program.as_ref().to_owned()], set: Vec::new(), folder: None }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(self, args: I) -> Self {
        args.into_iter().fold(self, Program::arg)
    }

    /// Sets an environment variable; the rest is inherited.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.set.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes an environment variable away.
    pub fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.set.push((name.as_ref().to_owned(), None));
        self
    }

    /// The working folder; this process' own unless given.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The program and its arguments, as a person would type them.
    pub fn command_line(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|a| a.to_string_lossy()).collect();
        shlex::try_join(words.iter().map(|w| w.as_ref())).unwrap_or_default()
    }

    /// Runs the program in a process group of its own, which is ended as a whole, until it ends or `deadline`
    /// has come.
    ///
    /// # Errors
    /// When it cannot be started: not found, not executable, no memory.
    pub fn run(&self, deadline: Instant) -> io::Result<Outcome> {
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        for (name, value) in &self.set {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn()?;
        let group = Pid::from_raw(child.id().cast_signed());
        let stdout = collect(child.stdout.take(), OUTPUT_LIMIT);
        let stderr = collect(child.stderr.take(), OUTPUT_LIMIT);
        let mut outcome = Outcome::default();
        let mut pause = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if Instant::now() >= deadline {
                outcome.timed_out = true;
                let _ = killpg(group, Signal::SIGKILL);
                break child.wait()?;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        outcome.code = if outcome.timed_out { None } else { status.code() };
        outcome.signal = status.signal();
        // A grandchild may hold the pipes open for ever: what it has said within a moment is enough.
        let grace = Instant::now() + Duration::from_millis(300);
        outcome.stdout = received(&stdout, grace);
        outcome.stderr = received(&stderr, grace);
        let _ = killpg(group, Signal::SIGKILL);
        Ok(outcome)
    }
}

/// Reads a pipe to its end on a thread of its own, so that nobody waits for anybody; the first `limit` bytes come, in parts.
pub(crate) fn collect(pipe: Option<impl Read + Send + 'static>, limit: usize) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut kept = 0;
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                let take = n.min(limit - kept);
                kept += take;
                if take > 0 && sender.send(buffer[..take].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// What has come, and comes until then: a grandchild may hold the pipe open for ever.
pub(crate) fn received(chunks: &mpsc::Receiver<Vec<u8>>, until: Instant) -> Vec<u8> {
    let mut out = Vec::new();
    while let Ok(chunk) = chunks.recv_timeout(until.saturating_duration_since(Instant::now())) {
        out.extend(chunk);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn a_program_that_never_ends_is_ended_with_its_children() {
        let _watchdog = bbdoctor_test_support::watchdog();
        let outcome = Program::new("sh")
            .args(["-c", "echo said; sleep 60 & sleep 60"])
            .run(Instant::now() + Duration::from_millis(200))
            .expect("sh starts");
        assert!(outcome.timed_out && !outcome.success());
        assert_eq!(outcome.stdout_text(), "said\n");
    }

    #[test]
    fn output_is_capped_and_status_kept() {
        let outcome =
            Program::new("sh").args(["-c", "head -c 3000000 /dev/zero; echo no >&2; exit 7"]).run(soon()).expect("sh starts");
        assert_eq!((outcome.code, outcome.stdout.len(), outcome.stderr_text().as_str()), (Some(7), OUTPUT_LIMIT, "no\n"));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert_eq!(Program::new("/nonexistent/program").run(soon()).map(|_| ()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
