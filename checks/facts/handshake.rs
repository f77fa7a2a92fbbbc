//! What a handshake established, or how far it came and why it failed.

use serde::{Deserialize, Serialize};

use super::kexinit::{Class, Disagreement, KexInit, NotIdentification};
use crate::privacy::{Private, Text};
use crate::text;

/// How OpenSSH's server turns a connection away before its identification: connection limit and per-source penalty.
const BUSY: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];

/// The server's last words (`SSH_MSG_DISCONNECT`, RFC 4253 section 11.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// The reason's number.
    pub reason: u32,
    /// The text, capped at 4096 bytes.
    pub text: String,
}

/// How far a handshake came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing was sent: the preferences cannot be met, or libssh2 could not be set up.
    Preparation,
    /// The server had not sent a byte.
    BeforeBanner,
    /// The server had sent something, no identification.
    Banner,
    /// The identification was there, the keys were not.
    KeyExchange,
    /// Encryption had begun.
    ServiceRequest,
}

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeFailureKind {
    /// The connection was closed before a whole identification had come. Whether a close is seen as one or as a reset is
    /// partly chance.
    ClosedBeforeBanner,
    /// As `ClosedBeforeBanner`, by a reset.
    ResetBeforeBanner,
    /// No identification came in time.
    BannerTimeout,
    /// What came is not the beginning of an SSH connection.
    NotSsh {
        /// The first bytes, at most 512.
        #[serde(with = "super::bytes")]
        first_bytes: Vec<u8>,
        /// What OpenSSH objects to; `None` when the stream ended or fell silent first.
        objection: Option<NotIdentification>,
    },
    /// A server that does not speak protocol 2.
    OldProtocol(String),
    /// The server turned us away because of the number or the history of connections.
    Busy {
        /// Its words.
        text: String,
    },
    /// Client and server share no algorithm. The client here is libssh2: `ours` is what it was made to offer, so whether
    /// ssh itself would find one is seen by comparing `theirs` with ssh's own lists.
    NoCommonAlgorithm(Disagreement),
    /// libssh2 knows none of the preferred algorithms; says nothing about the server.
    Unsupported {
        /// Of which choice.
        class: Class,
        /// What was preferred.
        wanted: Vec<String>,
        /// What libssh2 has.
        supported: Vec<String>,
    },
    /// The key exchange stood still.
    KexTimeout {
        /// What had come after the identification, in bytes.
        bytes_received: usize,
    },
    /// The connection ended during the key exchange.
    ClosedDuringKex {
        /// By a reset rather than a close.
        reset: bool,
    },
    /// The server said good-bye.
    Disconnected(Disconnect),
    /// Something else went wrong: an impossible packet, a wrong signature, an error of the system.
    ProtocolError {
        /// libssh2's number.
        code: i32,
        /// libssh2's or the system's words.
        detail: String,
    },
}

impl HandshakeFailureKind {
    /// What happened, as part of a sentence.
    pub fn text(&self) -> Text {
        use HandshakeFailureKind::*;
        match self {
            ClosedBeforeBanner => "connection closed before the identification".into(),
            ResetBeforeBanner => "connection reset before the identification".into(),
            BannerTimeout => "no identification in time".into(),
            NotSsh { .. } => "not an SSH server".into(),
            OldProtocol(version) => text!("protocol version {}", Private::quoted(version)),
            Busy { text } => text!("turned away: {}", Private::quoted(text)),
            NoCommonAlgorithm(_) => "no common algorithm".into(),
            Unsupported { .. } => "libssh2 has none of the algorithms".into(),
            KexTimeout { .. } => "no end of the key exchange in time".into(),
            ClosedDuringKex { .. } => "connection ended during the key exchange".into(),
            Disconnected(words) => text!("disconnected: {}", Private::quoted(&words.text)),
            ProtocolError { detail, .. } => Private::quoted(detail).into(),
        }
    }
}

/// A failed handshake, with everything the server had said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeFailure {
    /// How far it came.
    pub stage: Stage,
    /// Why.
    pub kind: HandshakeFailureKind,
    /// The deadline ended it.
    pub timed_out: bool,
    /// The server's identification, such as `SSH-2.0-OpenSSH_9.2`.
    pub identification: Option<String>,
    /// The first lines before it, or instead of it.
    pub preamble: Vec<String>,
    /// The server's lists, if they came.
    pub server_kexinit: Option<KexInit>,
    /// Our own lists, if they were sent.
    pub client_kexinit: Option<KexInit>,
}

/// What a handshake established.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Established {
    /// The server's identification.
    pub identification: String,
    /// The server's lists.
    pub server_kexinit: Option<KexInit>,
    /// Our own lists.
    pub client_kexinit: Option<KexInit>,
    /// The key exchange method agreed on.
    pub kex_algorithm: String,
    /// The type of host key agreed on, as its signature algorithm.
    pub host_key_algorithm: String,
    /// The cipher from client to server.
    pub cipher: String,
    /// The host key or host certificate in wire form.
    #[serde(with = "super::bytes")]
    pub host_key: Vec<u8>,
}

/// Whether a line before the identification is one with which a server sheds load.
pub fn is_busy(line: &str) -> bool {
    BUSY.iter().any(|busy| line.contains(busy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn is_recorded_and_read_back() {
        let kexinit = || Some(KexInit { kex_algorithms: vec!["k".into()], ..KexInit::default() });
        survives_json(&Established {
            identification: "SSH-2.0-x".into(),
            server_kexinit: kexinit(),
            client_kexinit: None,
            kex_algorithm: "k".into(),
            host_key_algorithm: "h".into(),
            cipher: "c".into(),
            host_key: vec![0, 0, 0, 255],
        });
        let (class, words) = (Class::Mac, || vec!["m".to_owned()]);
        for kind in [
            HandshakeFailureKind::ResetBeforeBanner,
            HandshakeFailureKind::NotSsh { first_bytes: vec![0x15, 0xff], objection: Some(NotIdentification::LineTooLong) },
            HandshakeFailureKind::OldProtocol("1.5".into()),
            HandshakeFailureKind::Busy { text: "Exceeded MaxStartups".into() },
            HandshakeFailureKind::NoCommonAlgorithm(Disagreement { class, ours: words(), theirs: words() }),
            HandshakeFailureKind::Unsupported { class, wanted: words(), supported: words() },
            HandshakeFailureKind::KexTimeout { bytes_received: 7 },
            HandshakeFailureKind::ClosedDuringKex { reset: true },
            HandshakeFailureKind::Disconnected(Disconnect { reason: 2, text: "no".into() }),
            HandshakeFailureKind::ProtocolError { code: -13, detail: "words".into() },
        ] {
            survives_json(&HandshakeFailure {
                stage: Stage::KeyExchange,
                kind,
                timed_out: false,
                identification: Some("SSH-2.0-x".into()),
                preamble: Vec::new(),
                server_kexinit: None,
                client_kexinit: kexinit(),
            });
        }
    }
}
