//! The programs of the installed OpenSSH.

use std::path::Path;
use std::time::{Duration, Instant};

use bbdoctor_evidence::machine::process::{Outcome, Program};

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
