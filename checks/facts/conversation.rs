//! What was said with the server: connection, handshake, host key, the answer to each public key, logins, repository.

use super::agent::AgentError;
use super::bytes;
use super::connection::Attempt;
use super::handshake::{Established, HandshakeFailure};
use super::known_hosts::Judgement;
use super::public_key::PublicKey;
use super::route::RouteFailure;
use super::session::{self, Ended, GitService};
use serde::{Deserialize, Serialize};

/// How far the server may be trusted, by its host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// Atlassian publishes the key.
    Published,
    /// `config.toml` names the key.
    Configured,
    /// known_hosts holds the key, and nobody publishes one.
    Known,
    /// Keys are published for this host, and this is none of them.
    Contradicts,
    /// Nobody vouches for it.
    Nobody,
}

/// The server, as it introduced itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Peer {
    /// The name ssh connects to.
    pub name: String,
    /// What it and we agreed on, and what it offered.
    pub greeting: Established,
    /// Its identification string (RFC 4253 section 4.2).
    pub identification: String,
    /// Its host key.
    pub host_key: PublicKey,
    /// The key is one that is published or configured for this host.
    pub published: bool,
    /// The keys that are published or configured for this host, as (type, base64).
    pub published_keys: Vec<(String, String)>,
    /// Whether it was told anything.
    pub trust: Trust,
    /// What ssh makes of the key by known_hosts.
    pub judgement: Judgement,
}

/// What became of a login.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// The key, as in [`PublicKey::blob`].
    #[serde(with = "bytes")]
    pub key: Vec<u8>,
    /// ssh would use this key.
    pub as_ssh_would: bool,
    /// How it ended.
    pub result: Result<(), LoginProblem>,
}

/// Why a key that the server accepts did not log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum LoginProblem {
    /// The agent did not sign.
    Agent(AgentError),
    /// The private key could not be read again.
    Unreadable(String),
    /// libssh2 or the server did not go along.
    Failed(session::Login),
}

/// What the repository's service said to a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// The key.
    #[serde(with = "bytes")]
    pub key: Vec<u8>,
    /// ssh would use this key.
    pub as_ssh_would: bool,
    /// The answer to `git-upload-pack`.
    pub upload: GitService,
    /// The answer to `git-receive-pack`, if a push was asked about.
    pub receive: Option<GitService>,
}

impl Access {
    /// The service let the command that matters start.
    pub fn granted(&self) -> bool {
        self.upload.advertised && self.receive.as_ref().is_none_or(|r| r.advertised)
    }

    /// The answer in which something was refused.
    pub fn refusal(&self) -> Option<&GitService> {
        if !self.upload.advertised { Some(&self.upload) } else { self.receive.as_ref().filter(|r| !r.advertised) }
    }
}

/// Everything that was said.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Conversation {
    /// What the handshake gave; `None` when there was no connection.
    pub handshake: Option<Result<Peer, Box<HandshakeFailure>>>,
    /// The addresses that were tried for the first connection.
    pub attempts: Vec<Attempt>,
    /// Why there was no connection.
    pub route: Option<RouteFailure>,
    /// The server's answer to each key that was asked about, by blob.
    pub answers: Vec<(Vec<u8>, bool)>,
    /// After so many refusals the server hung up.
    pub refusals_allowed: Option<u32>,
    /// Authentication methods the server offered, where it said so.
    pub methods: Vec<String>,
    /// The server let us in without a key.
    pub open_door: bool,
    /// Logins that were tried.
    pub logins: Vec<Login>,
    /// What the repository's service said, the key that ssh would use first.
    pub access: Vec<Access>,
    /// How the conversation ended before everything was asked.
    pub ended: Option<Ended>,
}

impl Conversation {
    /// What the server said to this key.
    pub fn answer(&self, blob: &[u8]) -> Option<bool> {
        self.answers.iter().find(|(key, _)| key == blob).map(|(_, accepted)| *accepted)
    }

    /// The server, if it is known.
    pub fn peer(&self) -> Option<&Peer> {
        self.handshake.as_ref().and_then(|h| h.as_ref().ok())
    }
}

/// How a session ended, for a sentence.
pub fn words_of(ended: &Ended) -> String {
    match ended {
        Ended::Disconnected(last) => last.text.clone(),
        Ended::Closed => "it closed the connection".into(),
        Ended::Reset => "it reset the connection".into(),
        Ended::TimedOut => "it gave no answer in time".into(),
        Ended::Failed { detail, .. } => detail.clone(),
    }
}

/// What a git service said about its refusal: its error output, or the `ERR` line that git servers send in its place
/// (gitprotocol-pack(5)).
pub fn refusal_words(answer: &GitService) -> String {
    let told = String::from_utf8_lossy(&answer.command.stderr).trim().to_string();
    let out = String::from_utf8_lossy(&answer.command.stdout);
    let line = out.get(4..).and_then(|rest| rest.strip_prefix("ERR ")).map(|rest| rest.trim().to_string());
    match line {
        Some(line) if told.is_empty() => line,
        Some(line) => format!("{told}\n{line}"),
        None => told,
    }
}
