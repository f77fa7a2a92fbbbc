//! How git's own run went, and what ssh reported of its progress in it.

mod complaint;

use serde::{Deserialize, Serialize};

use super::bytes;
pub use complaint::{ConnectFailure, GitComplaint, KeyProblem};

/// How git's run went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitRun {
    /// git did what it was asked.
    pub works: bool,
    /// It was still running at the deadline.
    pub timed_out: bool,
    /// Exit status.
    pub code: Option<i32>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What ssh, the server and git said to the user, line by line, without git's closing words that say nothing.
    pub said: Vec<String>,
    /// What ssh reported of its progress.
    pub transcript: SshTranscript,
    /// Up to four bytes that stood where the server's first answer belongs.
    #[serde(with = "bytes")]
    pub protocol_noise: Option<Vec<u8>>,
    /// The command, as one could type it.
    pub command: String,
}

/// How far ssh came: the milestones in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshTranscript {
    /// ssh went through a master connection that was already there.
    pub used_master: bool,
    /// `Connecting to`: the name is resolved.
    pub connecting: Vec<Attempt>,
    /// `Connection established.`
    pub established: bool,
    /// Lines of the server before its version.
    pub pre_banner: Vec<String>,
    /// The host key's type and fingerprint.
    pub host_key: Option<(String, String)>,
    /// `Host '…' is known and matches`: the name it was found under.
    pub known_as: Option<String>,
    /// Keys that ssh set out to try.
    pub will_attempt: Vec<KeyLine>,
    /// Keys that the server would accept.
    pub accepted: Vec<KeyLine>,
    /// `Authenticated to`: the method.
    pub authenticated: Option<String>,
    /// The exit status of git's command on the server.
    pub remote_exit: Option<i32>,
    /// What was said between login and the end of the command on the server: the server's words.
    pub after_login: Vec<String>,
    /// The last line of progress.
    pub last: Option<String>,
}

/// An address that ssh tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The host name.
    pub host: String,
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// A key as ssh names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// The file's path, or the comment of an agent's key.
    pub name: String,
    /// `SHA256:…`; `None` for a file that ssh could not read beforehand.
    pub fingerprint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn a_run_survives_a_recording() {
        let key = KeyLine { name: "/home/ann/.ssh/id".into(), fingerprint: Some("SHA256:x".into()) };
        survives_json(&GitRun::default());
        survives_json(&GitRun {
            code: Some(128),
            said: vec!["fatal: x".into()],
            transcript: SshTranscript {
                connecting: vec![Attempt { host: "h".into(), address: "::1".into(), port: 22 }],
                host_key: Some(("ssh-ed25519".into(), "SHA256:y".into())),
                will_attempt: vec![key.clone(), KeyLine { fingerprint: None, ..key }],
                ..SshTranscript::default()
            },
            protocol_noise: Some(b"\xffno\n".to_vec()),
            ..GitRun::default()
        });
    }

    #[test]
    fn a_complaint_survives_a_recording() {
        let keys = vec![
            KeyProblem::Load { path: "/k".into(), why: "bad permissions".into() },
            KeyProblem::Signing { key: "k".into(), agent: true, why: "agent refused operation".into() },
        ];
        for complaint in [
            GitComplaint::Silent,
            GitComplaint::ProtocolNoise(vec![255, 0]),
            GitComplaint::VariantLacks("setting port".into()),
            GitComplaint::Connect { host: "h".into(), port: 22, why: ConnectFailure::Other("no".into()) },
            GitComplaint::PermissionDenied { user: None, host: "h".into(), methods: vec!["publickey".into()], keys },
            GitComplaint::TimedOut(None),
        ] {
            survives_json(&complaint);
        }
    }
}
