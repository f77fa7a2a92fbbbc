//! What a server answered after its handshake: to keys, to logins and to commands.

use serde::{Deserialize, Serialize};

use super::agent::AgentError;
use super::handshake::Disconnect;

/// How a conversation ended before its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The server said good-bye; after too many keys with reason 2 and "Too many authentication failures".
    Disconnected(Disconnect),
    /// The server closed the connection without a word.
    Closed,
    /// The connection was reset.
    Reset,
    /// The deadline came.
    TimedOut,
    /// Another error.
    Failed {
        /// libssh2's number.
        code: i32,
        /// libssh2's or the system's words.
        detail: String,
    },
}

/// How a login went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// Logged in.
    Success {
        /// The signature algorithm; `None` when libssh2 chose it by itself or none was needed.
        algorithm: Option<String>,
    },
    /// The server does not accept the key.
    KeyRefused,
    /// The server accepts the key and did not take the signature, or wants another method besides.
    SignatureRefused,
    /// The server accepts the key and the agent did not sign.
    Agent(AgentError),
    /// The server accepts the key and the agent signed with another algorithm than it was told to.
    SignatureType {
        /// What the agent was told.
        wanted: String,
        /// What it did.
        got: String,
    },
    /// libssh2 cannot use the key: encrypted, malformed, of an unknown type.
    KeyUnusable {
        /// libssh2's number, which tells little.
        code: i32,
        /// libssh2's words.
        detail: String,
    },
    /// The connection ended instead.
    Ended(Ended),
}

/// How a command went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecOutcome {
    /// The first bytes of its output.
    #[serde(with = "super::bytes")]
    pub stdout: Vec<u8>,
    /// The first bytes of its error output.
    #[serde(with = "super::bytes")]
    pub stderr: Vec<u8>,
    /// There was more than was kept or read.
    pub truncated: bool,
    /// The exit status, if the server sent one.
    pub exit_status: Option<i32>,
    /// The signal that ended it, without `SIG`, if the server sent one.
    pub signal: Option<String>,
    /// The server refused to open a session or to run a command.
    pub refused: bool,
    /// The deadline came before the command had ended.
    pub timed_out: bool,
    /// The connection ended before the command had.
    pub ended: Option<Ended>,
}

/// How a service of git (`git-upload-pack`, `git-receive-pack`) answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitService {
    /// The command; its `stdout` is the head of the advertisement (gitprotocol-pack(5)).
    pub command: ExecOutcome,
    /// The advertisement came to its flush packet.
    pub advertised: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn is_recorded_and_read_back() {
        let ended = || Ended::Disconnected(Disconnect { reason: 2, text: "Too many authentication failures".into() });
        for ended in [ended(), Ended::Reset, Ended::Failed { code: -43, detail: "words".into() }] {
            survives_json(&ended);
        }
        for login in [
            Login::Success { algorithm: None },
            Login::SignatureRefused,
            Login::Agent(AgentError::Protocol("malformed signature".into())),
            Login::SignatureType { wanted: "rsa-sha2-512".into(), got: "ssh-rsa".into() },
            Login::KeyUnusable { code: -18, detail: "words".into() },
            Login::Ended(ended()),
        ] {
            survives_json(&login);
        }
        let command = ExecOutcome {
            stdout: b"000eversion 1\n\xff".to_vec(),
            exit_status: Some(128),
            signal: Some("TERM".into()),
            ended: Some(Ended::Closed),
            ..ExecOutcome::default()
        };
        survives_json(&GitService { command, advertised: false });
    }
}
