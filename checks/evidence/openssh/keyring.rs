//! Asks the agents within reach for their keys.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::agent::Agent;
use bbdoctor_checks::facts::agent::AgentError;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::keyring::{AgentSocket, Holder, Keyring};

/// How long an agent may take to list its keys.
const LIMIT: Duration = Duration::from_secs(2);

/// What decides on the agents.
pub(crate) struct Inputs<'a> {
    /// IdentityAgent, as `ssh -G` has it.
    pub(crate) identity_agent: Option<&'a str>,
    /// The environment of the user.
    pub(crate) environment: &'a Environment,
    /// The environment in which git's ssh runs.
    pub(crate) ssh_environment: &'a Environment,
    /// Expands a path of ssh_config.
    pub(crate) expand: &'a dyn Fn(&str) -> PathBuf,
    /// When all has to be over.
    pub(crate) deadline: Instant,
}

/// Asks the agents.
pub(crate) fn gather(inputs: &Inputs<'_>) -> Keyring {
    let named = |environment: &Environment, name: &str| match environment.text(name) {
        Some(path) => AgentSocket::Path(path.into()),
        None => AgentSocket::Unset,
    };
    let usual = named(inputs.environment, "SSH_AUTH_SOCK");
    let used = match inputs.identity_agent {
        None | Some("SSH_AUTH_SOCK") => Some(named(inputs.ssh_environment, "SSH_AUTH_SOCK")),
        Some(value) if value.eq_ignore_ascii_case("none") => None,
        // `$NAME` is a variable with the path; a path in braces has been expanded like any other.
        Some(value) => Some(match value.strip_prefix('$') {
            Some(name) => named(inputs.ssh_environment, name.trim_start_matches('{').trim_end_matches('}')),
            None => AgentSocket::Path((inputs.expand)(value)),
        }),
    };
    let other = used.as_ref() != Some(&usual) && usual != AgentSocket::Unset;
    Keyring { used: used.map(|socket| ask(socket, inputs.deadline)), usual: other.then(|| ask(usual, inputs.deadline)) }
}

fn ask(socket: AgentSocket, deadline: Instant) -> Holder {
    let until = deadline.min(Instant::now() + LIMIT);
    let keys = match &socket {
        AgentSocket::Unset => Err(AgentError::NotFound),
        AgentSocket::Path(path) => Agent::connect(path, until).and_then(|mut agent| agent.list()),
    };
    let locked = match (&socket, &keys) {
        (AgentSocket::Path(path), Ok(keys)) if keys.is_empty() => {
            let until = deadline.min(Instant::now() + LIMIT);
            Agent::connect(path, until).and_then(|mut agent| agent.is_locked()).unwrap_or(false)
        }
        _ => false,
    };
    Holder { socket, keys, locked }
}
