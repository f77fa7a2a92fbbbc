//! The agents within reach.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::agent::{AgentError, AgentKey};
use super::{Facts, bytes};
use crate::privacy::{Private, Text};

/// Where an agent is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentSocket {
    /// Neither IdentityAgent nor SSH_AUTH_SOCK names one.
    Unset,
    /// This socket.
    Path(#[serde(with = "bytes")] PathBuf),
}

/// An agent, asked for its keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    /// Where it is.
    pub socket: AgentSocket,
    /// Its keys, in its order.
    pub keys: Result<Vec<AgentKey>, AgentError>,
    /// It shows no key because it is locked (`ssh-add -x`).
    pub locked: bool,
}

/// The agents within reach.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keyring {
    /// The one ssh asks; `None` when IdentityAgent is `none`.
    pub used: Option<Holder>,
    /// The one of SSH_AUTH_SOCK, when ssh asks another, or none.
    pub usual: Option<Holder>,
}

impl Holder {
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
    /// The socket of the agent that holds a key.
    pub fn holding(&self, blob: &[u8]) -> Option<&Path> {
        self.used.iter().chain(&self.usual).find_map(|holder| holder.holds(blob))
    }
}

impl Facts {
    /// Whether the agent ssh asks is locked.
    pub(crate) fn agent_is_locked(&self) -> bool {
        self.agent().is_ok_and(|agent| agent.is_some_and(|holder| holder.locked))
    }
}
