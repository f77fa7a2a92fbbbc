//! The agents within reach.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Evidence;
use super::agent::{Agent, AgentError, AgentKey};
use crate::privacy::{Private, Text};
use crate::unavailable::Unavailable;

/// How long an agent may take to list its keys.
const LIMIT: Duration = Duration::from_secs(2);

/// Where an agent is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentSocket {
    /// Neither IdentityAgent nor SSH_AUTH_SOCK names one.
    Unset,
    /// This socket.
    Path(PathBuf),
}

/// An agent, asked for its keys.
#[derive(Debug)]
pub struct Holder {
    /// Where it is.
    pub socket: AgentSocket,
    /// Its keys, in its order.
    pub keys: Result<Vec<AgentKey>, AgentError>,
}

/// The agents within reach.
#[derive(Debug)]
pub struct Keyring {
    /// The one ssh asks; `None` when IdentityAgent is `none`.
    pub used: Option<Holder>,
    /// The one of SSH_AUTH_SOCK, when ssh asks another, or none.
    pub usual: Option<Holder>,
}

impl Holder {
    fn ask(socket: AgentSocket, until: Instant) -> Self {
        let keys = match &socket {
            AgentSocket::Unset => Err(AgentError::NotFound),
            AgentSocket::Path(path) => Agent::connect(path, until).and_then(|mut agent| agent.list()),
        };
        Holder { socket, keys }
    }

    /// Its socket, for a sentence.
    pub fn name_text(&self) -> Text {
        match &self.socket {
            AgentSocket::Unset => "SSH_AUTH_SOCK".into(),
            AgentSocket::Path(path) => Private::path(path).into(),
        }
    }

    fn holds(&self, blob: &[u8]) -> Option<&Path> {
        let AgentSocket::Path(path) = &self.socket else { return None };
        self.keys.as_ref().ok()?.iter().any(|k| k.blob == blob).then_some(path.as_path())
    }
}

impl Keyring {
    /// Asks the agents.
    pub(super) fn gather(evidence: &Evidence) -> Result<Self, Unavailable> {
        let settings = evidence.settings()?;
        let until = evidence.deadline().min(Instant::now() + LIMIT);
        let variable = |name: &str| match evidence.ssh_environment().text(name) {
            Some(path) => AgentSocket::Path(path.into()),
            None => AgentSocket::Unset,
        };
        let usual = match evidence.environment().text("SSH_AUTH_SOCK") {
            Some(path) => AgentSocket::Path(path.into()),
            None => AgentSocket::Unset,
        };
        let used = match settings.value("identityagent") {
            None | Some("SSH_AUTH_SOCK") => Some(variable("SSH_AUTH_SOCK")),
            Some(value) if value.eq_ignore_ascii_case("none") => None,
            // `$NAME` is a variable with the path; a path in braces has been expanded like any other.
            Some(value) => Some(match value.strip_prefix('$') {
                Some(name) => variable(name.trim_start_matches('{').trim_end_matches('}')),
                None => AgentSocket::Path(evidence.expand_path(value)),
            }),
        };
        let other = used.as_ref() != Some(&usual) && usual != AgentSocket::Unset;
        Ok(Keyring { used: used.map(|socket| Holder::ask(socket, until)), usual: other.then(|| Holder::ask(usual, until)) })
    }
}

impl Evidence {
    /// Whether the agent ssh asks is locked.
    pub(crate) fn agent_is_locked(&self) -> bool {
        let Ok(Some(Holder { socket: AgentSocket::Path(path), keys: Ok(keys) })) = self.agent() else { return false };
        let until = self.deadline().min(Instant::now() + LIMIT);
        keys.is_empty() && Agent::connect(path, until).and_then(|mut agent| agent.is_locked()).unwrap_or(false)
    }

    /// The socket of the agent that holds a key.
    pub(super) fn agent_holding(&self, blob: &[u8]) -> Option<PathBuf> {
        let keyring = self.keyring().ok()?;
        keyring.used.iter().chain(&keyring.usual).find_map(|holder| holder.holds(blob)).map(Path::to_path_buf)
    }
}
