//! git itself as a witness: one `ls-remote`, or one dry run of a push, as the user would run it, without a prompt, within
//! a deadline and without a trace.

mod classify;
mod transcript;

use bbdoctor_checks::facts::git_run::GitRun;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::machine::files;
use crate::machine::process::{Outcome, Program};
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::Repository;
use bbdoctor_checks::facts::ssh_command::{ClientKind, SshCommand};

pub use classify::classify;

/// What ssh may do about a master connection (`ControlMaster`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Master {
    /// Use one that is there, start none.
    StartNone,
    /// Leave the user's setting, but let none outlive the run.
    PersistNone,
}

/// A run of git to be made.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// A URL or the name of a remote, as the user would give it: git applies its own rules to it.
    pub target: &'a str,
    /// git's rules shall not make another URL of the target.
    pub verbatim: bool,
    /// Ask whether a push would work.
    pub push: bool,
    /// Where git runs; decides on the configuration that applies.
    pub folder: &'a Path,
    /// The environment that git gets.
    pub environment: &'a Environment,
    /// The ssh command that git would run by itself.
    pub ssh: &'a SshCommand,
    /// The repository that `folder` belongs to, if git trusts it.
    pub repository: Option<&'a Repository>,
    /// What ssh may do about a master connection.
    pub master: Master,
    /// The user's known_hosts files, when ssh would add to them (`StrictHostKeyChecking` `accept-new`, `no` or `off`): ssh
    /// then gets copies of them, which are removed afterwards.
    pub known_hosts: Option<&'a [PathBuf]>,
    /// When it has to be over.
    pub deadline: Instant,
}

/// Variables through which a user may have git write diagnostics, some of them into files.
const TRACES: [&str; 14] = [
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_TRACE_CURL",
    "GIT_TRACE_FSMONITOR",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_PACKFILE",
    "GIT_TRACE_PACK_ACCESS",
    "GIT_TRACE_PERFORMANCE",
    "GIT_TRACE_REFS",
    "GIT_TRACE_SETUP",
    "GIT_TRACE_SHALLOW",
    "GIT_CURL_VERBOSE",
];

impl Invocation<'_> {
    /// Runs git.
    ///
    /// # Errors
    /// When git cannot be started, or no temporary folder can be made.
    pub fn run(&self) -> io::Result<GitRun> {
        let scratch = tempfile::Builder::new().prefix("bbdoctor-").tempdir()?;
        let ssh_command = self.ssh_command(scratch.path())?;
        let mut arguments = if self.push {
            let commit = self.empty_commit(scratch.path())?;
            // Other settings of a push have no bearing on whether the server lets it in.
            let settings = ["push.followTags=false", "push.recurseSubmodules=no", "push.gpgSign=false"];
            let mut arguments: Vec<String> = settings.iter().flat_map(|s| ["-c".to_string(), s.to_string()]).collect();
            arguments.extend(["push", "--dry-run", "--no-verify", "--", self.target].map(String::from));
            arguments.push(format!("{commit}:refs/heads/bbdoctor-probe"));
            arguments
        } else {
            ["ls-remote", "--", self.target, "HEAD"].map(String::from).to_vec()
        };
        if self.verbatim {
            // The rule that covers most of a URL wins, and none covers more than all of it.
            let rules = ["insteadOf", "pushInsteadOf"].map(|rule| format!("url.{0}.{rule}={0}", self.target));
            arguments.splice(0..0, rules.into_iter().flat_map(|rule| ["-c".to_string(), rule]));
        }
        let run = self.git_with(ssh_command.as_deref(), None, &arguments, scratch.path())?;
        // A wrapper that passes on a fixed number of words loses git's when it is given more; alone it may do.
        let lost = self.ssh.kind == ClientKind::Wrapper && !run.works && run.said.iter().any(|line| line.starts_with("usage: ssh"));
        if !lost {
            return Ok(run);
        }
        let path = self.path_with_quiet_ssh(scratch.path())?;
        self.git_with(None, Some(&path), &arguments, scratch.path())
    }

    /// A PATH on which the `ssh` that a wrapper starts is ours first: it hands on every word, with the options in front that the
    /// wrapper itself does not take.
    ///
    /// # Errors
    /// When the wrapper names its ssh by a path, so that nothing could keep that one from asking and writing; or when the script
    /// cannot be made.
    fn path_with_quiet_ssh(&self, scratch: &Path) -> io::Result<OsString> {
        let wrapper = self.ssh.client.as_ref().and_then(|client| client.path.as_ref().ok());
        let text = wrapper.map(|path| files::read(path)).transpose()?.unwrap_or_default();
        if text.windows(4).any(|window| window == b"/ssh") {
            return Err(io::Error::other("the wrapper takes no options, and nothing else keeps its ssh from asking and writing"));
        }
        let path = self.environment.get("PATH").unwrap_or_default();
        let ssh = which::which_in("ssh", Some(path), self.folder).map_err(io::Error::other)?;
        let words = self.quiet_options(scratch)?;
        let words = std::iter::once(ssh.to_string_lossy().into_owned()).chain(words);
        let line = words.map(|word| shlex::try_quote(&word).map(|q| q.into_owned())).collect::<Result<Vec<_>, _>>();
        let folder = scratch.join("bin");
        std::fs::create_dir(&folder)?;
        let script = folder.join("ssh");
        std::fs::write(&script, format!("#!/bin/sh\nexec {} \"$@\"\n", line.map_err(io::Error::other)?.join(" ")))?;
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let mut all = folder.into_os_string();
        all.push(":");
        all.push(path);
        Ok(all)
    }

    /// One run of git, with an ssh command and a PATH in place of the user's own if they are given.
    fn git_with(
        &self,
        ssh_command: Option<&str>,
        path: Option<&OsStr>,
        arguments: &[String],
        scratch: &Path,
    ) -> io::Result<GitRun> {
        let mut git = self.git(scratch).args(arguments);
        if let Some(command) = ssh_command {
            git = git.env("GIT_SSH_COMMAND", command);
        }
        if let Some(path) = path {
            git = git.env("PATH", path);
        }
        let started = Instant::now();
        let outcome = git.run(self.deadline)?;
        let duration = started.elapsed();
        let typed = match ssh_command {
            Some(command) => format!("GIT_SSH_COMMAND={} {}", shlex::try_quote(command).unwrap_or_default(), git.command_line()),
            None => git.command_line(),
        };
        let mut run = read(&outcome, self.push);
        run.duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        run.command = typed.replace(&*scratch.to_string_lossy(), "$TMPDIR");
        Ok(run)
    }

    /// git with everything that may ask, speak another language or write diagnostics turned off.
    fn git(&self, scratch: &Path) -> Program {
        let mut git = self.environment.iter().fold(Program::new("git"), |git, (name, value)| git.env(name, value));
        git = TRACES.iter().fold(git, |git, name| git.without_env(name));
        git = git.folder(self.folder).without_env("LANGUAGE").env("LC_ALL", "C");
        git = git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("GCM_INTERACTIVE", "never");
        match (self.push, self.repository) {
            (false, _) => git,
            // What has to be written goes beside the user's objects, never among them.
            (true, Some(repository)) => git
                .env("GIT_OBJECT_DIRECTORY", scratch.join("objects"))
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates(repository, self.environment)),
            (true, None) => git.env("GIT_DIR", scratch.join("probe.git")),
        }
    }

    /// A commit without files or parents, in the scratch folder.
    fn empty_commit(&self, scratch: &Path) -> io::Result<String> {
        std::fs::create_dir(scratch.join("objects"))?;
        let failed = |step: &str, outcome: &Outcome| io::Error::other(format!("git {step}: {}", outcome.stderr_text().trim_end()));
        if self.repository.is_none() {
            let made = self.git(scratch).args(["init", "-q", "--bare", "--template="]).run(self.deadline)?;
            if !made.success() {
                return Err(failed("init", &made));
            }
        }
        // An object that the user has already would get today's date, so none of them may be seen here.
        let git = || self.git(scratch).without_env("GIT_ALTERNATE_OBJECT_DIRECTORIES");
        // Without input this writes the empty tree, in whatever hash the repository uses.
        let tree = git().arg("mktree").run(self.deadline)?;
        if !tree.success() {
            return Err(failed("mktree", &tree));
        }
        let mut commit = git().args(["commit-tree", "-m", "bbdoctor", tree.stdout_text().trim()]);
        for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            commit = commit.env(format!("{who}_NAME"), "bbdoctor").env(format!("{who}_EMAIL"), "bbdoctor@localhost");
        }
        let commit = commit.run(self.deadline)?;
        if !commit.success() {
            return Err(failed("commit-tree", &commit));
        }
        Ok(commit.stdout_text().trim().to_string())
    }

    /// The user's ssh command with what makes it talk, not ask and not write; `None` leaves git its own.
    fn ssh_command(&self, scratch: &Path) -> io::Result<Option<String>> {
        if self.ssh.kind == ClientKind::Plink {
            return Ok(Some(self.ssh.with_options(&["-batch".to_string()])));
        }
        // What cannot run shall fail in git's own words.
        let missing = self.ssh.client.as_ref().is_some_and(|c| c.path.is_err());
        if missing || !self.ssh.takes_openssh_options() {
            return Ok(None);
        }
        // Of two -E the last counts.
        let tail = if self.ssh.options.log_file.is_some() { " -E /dev/stderr" } else { "" };
        let quiet = if self.ssh.options.quiet { " -v" } else { "" };
        Ok(Some(self.ssh.with_options(&self.quiet_options(scratch)?) + quiet + tail))
    }

    /// The options that make OpenSSH's client talk of its progress, not ask and not write.
    fn quiet_options(&self, scratch: &Path) -> io::Result<Vec<String>> {
        let mut settings = vec!["BatchMode=yes".to_string(), "UpdateHostKeys=no".into(), "AddKeysToAgent=no".into()];
        settings.push(match self.master {
            Master::StartNone => "ControlMaster=no".into(),
            Master::PersistNone => "ControlPersist=no".into(),
        });
        if let Some(known_hosts) = self.known_hosts {
            let mut copies = Vec::new();
            for (n, file) in known_hosts.iter().enumerate() {
                let copy = scratch.join(format!("known_hosts.{n}"));
                match files::read(file) {
                    Ok(bytes) => std::fs::write(&copy, bytes)?,
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    // ssh shall meet what it would meet: the file itself, which it cannot read either.
                    Err(_) => {
                        copies.push(format!("\"{}\"", file.display()));
                        continue;
                    }
                }
                copies.push(format!("\"{}\"", copy.display()));
            }
            if copies.is_empty() {
                copies.push(format!("\"{}\"", scratch.join("known_hosts").display()));
            }
            settings.push(format!("UserKnownHostsFile={}", copies.join(" ")));
        }
        // Not -v, which ssh hands down to the ssh of a ProxyJump, whose progress would be taken for this one's. But -q undoes
        // LogLevel, and any -v before it.
        if !self.ssh.options.quiet {
            settings.insert(0, "LogLevel=DEBUG1".into());
        }
        Ok(settings.into_iter().flat_map(|s| ["-o".to_string(), s]).collect())
    }
}

fn alternates(repository: &Repository, environment: &Environment) -> OsString {
    let own = environment.get("GIT_OBJECT_DIRECTORY").map_or_else(|| repository.common_dir.join("objects"), PathBuf::from);
    let mut list = own.into_os_string();
    if let Some(further) = environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
        list.push(":");
        list.push(further);
    }
    list
}

/// Reads what a finished git left behind.
fn read(outcome: &Outcome, push: bool) -> GitRun {
    let (transcript, said) = transcript::read(&outcome.stderr);
    // The probe's name may be taken: a refusal of git's own, after the server has let it in.
    let let_in = push && said.iter().any(|l| l.starts_with(" ! [rejected]") && l.contains("bbdoctor-probe"));
    GitRun {
        works: outcome.success() || let_in,
        timed_out: outcome.timed_out,
        code: outcome.code,
        protocol_noise: transcript::protocol_noise(&outcome.stderr),
        said,
        transcript,
        ..GitRun::default()
    }
}

#[cfg(test)]
mod tests;
