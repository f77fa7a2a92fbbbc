//! What an ssh-agent holds, or why it is of no help.

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

/// A key the agent holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentKey {
    /// The public key or certificate in wire form (RFC 4253 section 6.6).
    #[serde(with = "super::bytes")]
    pub blob: Vec<u8>,
    /// The agent's comment, capped; what is not UTF-8 is replaced.
    pub comment: String,
}

/// Why the agent is of no help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum AgentError {
    /// Nothing is there by that name.
    #[error("no such file")]
    NotFound,
    /// A file is there and it is no socket.
    #[error("not a socket")]
    NotASocket,
    /// A socket nobody listens at: its agent has ended.
    #[error("connection refused")]
    Refused,
    /// The socket belongs to somebody else.
    #[error("permission denied")]
    PermissionDenied,
    /// The deadline came first.
    #[error("no answer in time")]
    TimedOut,
    /// The agent ended the connection instead of answering.
    #[error("closed the connection")]
    Closed,
    /// The agent answered with something that is not its protocol.
    #[error("not an answer of an agent: {0}")]
    Protocol(Cow<'static, str>),
    /// The agent said no (`SSH_AGENT_FAILURE`): the key is unknown or locked, or a confirmation was not given.
    #[error("agent refused operation")]
    Failure,
    /// Another error of the system, in its words.
    #[error("{0}")]
    Io(String),
}

impl From<io::Error> for AgentError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => AgentError::NotFound,
            io::ErrorKind::ConnectionRefused => AgentError::Refused,
            io::ErrorKind::PermissionDenied => AgentError::PermissionDenied,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => AgentError::TimedOut,
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => AgentError::Closed,
            _ => AgentError::Io(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn is_recorded_and_read_back() {
        survives_json(&AgentKey { blob: vec![0, 255], comment: "caf\u{fffd}".into() });
        survives_json(&AgentError::Protocol("impossible length".into()));
        survives_json(&AgentError::Io("Too many open files".into()));
        survives_json(&AgentError::NotFound);
    }
}
