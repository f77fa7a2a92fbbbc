//! What an ssh-agent holds, or why it is of no help.

use std::io;

use serde::{Deserialize, Serialize};

use crate::privacy::{Private, Text};
use crate::text;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentError {
    /// Nothing is there by that name.
    NotFound,
    /// A file is there and it is no socket.
    NotASocket,
    /// A socket nobody listens at: its agent has ended.
    Refused,
    /// The socket belongs to somebody else.
    PermissionDenied,
    /// The deadline came first.
    TimedOut,
    /// The agent ended the connection instead of answering.
    Closed,
    /// The agent answered with something that is not its protocol.
    Protocol(Text),
    /// The agent said no (`SSH_AGENT_FAILURE`): the key is unknown or locked, or a confirmation was not given.
    Failure,
    /// Another error of the system, in its words.
    Io(String),
}

impl AgentError {
    /// What is the matter, as part of a sentence.
    pub fn text(&self) -> Text {
        match self {
            AgentError::NotFound => "no such file".into(),
            AgentError::NotASocket => "not a socket".into(),
            AgentError::Refused => "connection refused".into(),
            AgentError::PermissionDenied => "permission denied".into(),
            AgentError::TimedOut => "no answer in time".into(),
            AgentError::Closed => "closed the connection".into(),
            AgentError::Protocol(what) => text!("not an answer of an agent: {}", what),
            AgentError::Failure => "agent refused operation".into(),
            AgentError::Io(words) => Private::quoted(words).into(),
        }
    }
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
