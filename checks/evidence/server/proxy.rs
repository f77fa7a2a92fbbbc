//! A program that stands in for the connection to the server: `ProxyCommand` and `ProxyJump` of ssh_config(5).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::machine::process::{collect, received};
use bbdoctor_checks::facts::environment::Environment;

use bbdoctor_checks::facts::connection::ProxyEnd;

/// What is kept of the error output of a proxy, in bytes.
const STDERR_LIMIT: usize = 64 << 10;

/// Why there is no program in the server's place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The shell cannot be started.
    #[error("{0}")]
    Shell(String),
    /// A `ProxyJump` that ssh would refuse.
    #[error("not a jump host: {0}")]
    BadJump(String),
}

/// A program in the server's place: its standard input and output are the connection.
#[derive(Debug)]
pub struct ProxyConnection {
    /// The connection.
    pub stream: UnixStream,
    /// The program.
    pub process: ProxyProcess,
}

/// The running program of a [`ProxyConnection`]. Dropping it ends it and everything it has started.
#[derive(Debug)]
pub struct ProxyProcess {
    child: Child,
    stderr: mpsc::Receiver<Vec<u8>>,
}

/// Runs a proxy command as ssh does (`ssh_proxy_connect`): `$SHELL -c "exec COMMAND"`, `/bin/sh` without a `$SHELL`.
/// `command` is a shell line with its tokens (`%h`, `%p`…) already expanded; `environment` is the program's whole
/// environment.
///
/// # Errors
/// When the shell cannot be started. A command the shell cannot find is a
/// connection that ends at once; see [`ProxyProcess::finish`].
pub fn spawn_proxy(command: &OsStr, environment: &Environment) -> Result<ProxyConnection, ProxyError> {
    let shell = environment.get("SHELL").filter(|s| !s.is_empty()).unwrap_or(OsStr::new("/bin/sh"));
    let mut line = OsString::from("exec ");
    line.push(command);
    let failed = |e: io::Error| ProxyError::Shell(e.to_string());
    let (stream, theirs) = UnixStream::pair().map_err(failed)?;
    let input = OwnedFd::from(theirs.try_clone().map_err(failed)?);
    let mut child = Command::new(shell)
        .arg("-c")
        .arg(line)
        .env_clear()
        .envs(environment.iter())
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let stderr = collect(child.stderr.take(), STDERR_LIMIT);
    Ok(ProxyConnection { stream, process: ProxyProcess { child, stderr } })
}

impl ProxyProcess {
    /// Waits until `deadline` for the program to end by itself, then ends it; gives what it left behind. The connection
    /// should be closed first, for most programs end with it.
    pub fn finish(mut self, deadline: Instant) -> ProxyEnd {
        let mut end = ProxyEnd::default();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    (end.exit_status, end.signal) = (status.code(), status.signal());
                    break;
                }
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                _ => break,
            }
        }
        self.end_group();
        end.stderr = received(&self.stderr, Instant::now() + Duration::from_millis(300));
        end
    }

    fn end_group(&mut self) {
        // The group's number stays ours as long as the child is not reaped or has members left.
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        self.end_group();
    }
}

/// The command that ssh itself would run for `ProxyJump` (`ssh.c`): another ssh that connects its standard input and
/// output to the target, with BatchMode so that it asks nobody. `jump` is the value as `ssh -G` prints it, one or more
/// `[user@]host[:port]` or `ssh://` URIs separated by commas; of several, the last is the one contacted and the others
/// lead to it. `config` is the file given to ssh with `-F`, if one was.
///
/// # Errors
/// [`ProxyError::BadJump`] for a destination that is empty or would be read as an option.
pub fn proxy_jump_command(
    ssh: &OsStr,
    jump: &str,
    config: Option<&Path>,
    host: &str,
    port: u16,
) -> Result<Vec<OsString>, ProxyError> {
    let (extra, last) = match jump.rsplit_once(',') {
        Some((extra, last)) => (Some(extra), last),
        None => (None, jump),
    };
    let (user, jump_host, jump_port) = destination(last).ok_or_else(|| ProxyError::BadJump(last.to_owned()))?;
    let mut argv = vec![ssh.to_owned()];
    let mut option = |name: &str, value: &OsStr| argv.extend([OsString::from(name), value.to_owned()]);
    if let Some(user) = user {
        option("-l", user.as_ref());
    }
    if let Some(port) = jump_port {
        option("-p", port.to_string().as_ref());
    }
    if let Some(extra) = extra {
        option("-J", extra.as_ref());
    }
    if let Some(config) = config {
        option("-F", config.as_os_str());
    }
    option("-o", "BatchMode=yes".as_ref());
    option("-W", format!("[{host}]:{port}").as_ref());
    argv.push(jump_host.into());
    Ok(argv)
}

/// An argument list as a line for [`spawn_proxy`], each word quoted as it needs.
///
/// # Errors
/// When a word holds a NUL.
pub fn shell_line(argv: &[OsString]) -> Result<OsString, ProxyError> {
    shlex::bytes::try_join(argv.iter().map(|word| word.as_bytes()))
        .map(OsString::from_vec)
        .map_err(|e| ProxyError::Shell(e.to_string()))
}

/// `[user@]host[:port]`, the host in brackets when it holds colons; also as `ssh://…`.
fn destination(text: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, text),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, after)) => (host, Some(after.strip_prefix(':')?)),
        None => match rest.split_once(':') {
            // More than one colon and no brackets: an IPv6 address.
            Some((_, port)) if port.contains(':') => (rest, None),
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok().filter(|&p| p != 0)?),
        None => None,
    };
    let usable = |word: &str| !word.is_empty() && !word.starts_with('-') && !word.contains(['[', ']']);
    (usable(host) && user.is_none_or(usable)).then_some((user, host, port))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use std::io::Write;

    fn within(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    fn environment(shell: &str) -> Environment {
        [("SHELL", shell), ("PATH", "/usr/bin:/bin"), ("MARK", "seen")].into_iter().collect()
    }

    #[test]
    fn a_proxy_carries_bytes_both_ways_in_its_own_environment() {
        let mut proxy = spawn_proxy(OsStr::new("sh -c 'echo $MARK; exec cat'"), &environment("")).unwrap();
        proxy.stream.write_all(b"ping\n").unwrap();
        let mut back = [0; 10];
        proxy.stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"seen\nping\n");
        drop(proxy.stream);
        assert_eq!(proxy.process.finish(within(5000)).exit_status, Some(0));
    }

    #[test]
    fn a_missing_proxy_program_says_so_on_stderr() {
        let proxy = spawn_proxy(OsStr::new("corkscrew-absent a 1"), &environment("/bin/sh")).unwrap();
        let end = proxy.process.finish(within(5000));
        assert_eq!(end.exit_status, Some(127));
        assert!(String::from_utf8_lossy(&end.stderr).contains("corkscrew-absent"), "{end:?}");
        assert!(matches!(spawn_proxy(OsStr::new("true"), &environment("/absent")), Err(ProxyError::Shell(_))));
    }

    #[test]
    fn the_shell_is_the_one_ssh_runs() {
        for shell in ["", "sh", "/bin/sh"] {
            let command = "printf 'SSH-1.5 %s\\n' \"$0\"";
            // For ssh the proxy stays until it is left, or ssh might find a broken pipe before it reads what was said; the
            // redirection takes the `exec` that ssh puts before the command.
            let option = format!("ProxyCommand=3>&1; {}; cat >/dev/null", command.replace('%', "%%"));
            let ssh = Command::new("ssh").args(["-F", "none", "-o", &option, "h"]).env("SHELL", shell).output().unwrap();
            let said = String::from_utf8_lossy(&ssh.stderr).into_owned();
            let mut proxy = spawn_proxy(OsStr::new(command), &environment(shell)).unwrap();
            let mut ours = String::new();
            proxy.stream.read_to_string(&mut ours).unwrap();
            assert!(said.contains(&format!("'{}'", ours.trim())), "{ours}: {said}");
            assert!(ours.starts_with("SSH-1.5 "));
        }
    }

    #[test]
    fn a_hanging_proxy_is_ended_with_its_children() {
        let mut proxy = spawn_proxy(OsStr::new("sh -c 'sleep 60 & echo $!; wait'"), &environment("")).unwrap();
        let mut text = [0; 32];
        let count = proxy.stream.read(&mut text).unwrap();
        let sleeper: i32 = std::str::from_utf8(&text[..count]).unwrap().trim().parse().unwrap();
        let _watchdog = bbdoctor_test_support::watchdog();
        let end = proxy.process.finish(within(100));
        assert_eq!(end.exit_status, None);
        // Gone, or a zombie nobody has reaped yet; on a busy machine a killed process takes its time.
        let state = || std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
        let ended = || state().is_empty() || state().contains(") Z");
        while !ended() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What ssh says it would run.
    fn ssh_says(arguments: &[&str]) -> String {
        let output = Command::new("ssh").arg("-v").args(arguments).arg("target.invalid").output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().find_map(|l| l.split_once("from ProxyJump: ")).map(|(_, command)| command.to_owned());
        line.unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_jump_is_the_command_that_ssh_runs() {
        for jump in [
            "b.invalid",
            "me@b.invalid:2200",
            "a.invalid,me@b.invalid",
            "ssh://u@b.invalid:33",
            "[::1]:2200",
            "x@a.invalid:7,b.invalid:8",
        ] {
            let said = ssh_says(&["-F", "none", "-J", jump]);
            let ours = proxy_jump_command(OsStr::new("ssh"), jump, Some(Path::new("none")), "h", 22).unwrap();
            let ours = ours.join(OsStr::new(" ")).into_string().unwrap();
            let same = said.replace(" -v", " -o BatchMode=yes").replace("'[%h]:%p'", "[h]:22");
            assert_eq!(ours, same, "{jump}");
        }
    }

    #[test]
    fn a_jump_cannot_smuggle_options_or_shell_words() {
        for jump in ["", "-oProxyCommand=x", "-l@host", "host:0", "host:99999", "[::1", "a,", "u@"] {
            assert!(matches!(proxy_jump_command(OsStr::new("ssh"), jump, None, "h", 22), Err(ProxyError::BadJump(_))), "{jump}");
        }
        let argv = proxy_jump_command(OsStr::new("ssh"), "a;b", Some(Path::new("/a b")), "h", 22).unwrap();
        let line = shell_line(&argv).unwrap().into_string().unwrap();
        assert_eq!(line, "ssh -F '/a b' -o 'BatchMode=yes' -W '[h]:22' 'a;b'");
    }
}
