//! What a handshake establishes, or how far it came and why it failed, judged by what was heard on the wire.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use serde::Serialize;
use ssh2::MethodType;

use super::kexinit::{Class, Disagreement, KexInit, NotIdentification, disagreement};
use super::libssh2::{Error, Heard, Link, StreamEnd};

/// `SSH_DISCONNECT_TOO_MANY_CONNECTIONS` (RFC 4253 section 11.1).
const TOO_MANY_CONNECTIONS: u32 = 12;
/// How long to wait for the server's first word before saying our own.
const LISTENING: Duration = Duration::from_millis(800);
/// How OpenSSH's server turns a connection away before its identification: connection limit and per-source penalty.
const BUSY: [&str; 2] = ["Exceeded MaxStartups", "Not allowed at this time"];

/// The server's last words (`SSH_MSG_DISCONNECT`, RFC 4253 section 11.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disconnect {
    /// The reason's number.
    pub reason: u32,
    /// The text, capped at [`TEXT_LIMIT`] bytes.
    pub text: String,
}

/// Which algorithms to offer, best first, as `ssh -G` prints them; `None` leaves libssh2's own. Names libssh2 does not
/// know are left out.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    /// `HostKeyAlgorithms`.
    pub host_key_algorithms: Option<Vec<String>>,
    /// `KexAlgorithms`.
    pub kex_algorithms: Option<Vec<String>>,
    /// `Ciphers`, both ways.
    pub ciphers: Option<Vec<String>>,
    /// `MACs`, both ways.
    pub macs: Option<Vec<String>>,
}

/// How far a handshake came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeFailureKind {
    /// The connection was closed before a whole identification had come. Whether a close is seen as one or as a reset is
    /// partly chance.
    #[error("connection closed before the identification")]
    ClosedBeforeBanner,
    /// As `ClosedBeforeBanner`, by a reset.
    #[error("connection reset before the identification")]
    ResetBeforeBanner,
    /// No identification came in time.
    #[error("no identification in time")]
    BannerTimeout,
    /// What came is not the beginning of an SSH connection.
    #[error("not an SSH server")]
    NotSsh {
        /// The first bytes, at most 512.
        first_bytes: Vec<u8>,
        /// What OpenSSH objects to; `None` when the stream ended or fell silent first.
        objection: Option<NotIdentification>,
    },
    /// A server that does not speak protocol 2.
    #[error("protocol version {0}")]
    OldProtocol(String),
    /// The server turned us away because of the number or the history of connections.
    #[error("turned away: {text}")]
    Busy {
        /// Its words.
        text: String,
    },
    /// Client and server share no algorithm. The client here is libssh2: `ours` is what it was made to offer, so whether
    /// ssh itself would find one is seen by comparing `theirs` with ssh's own lists.
    #[error("no common algorithm")]
    NoCommonAlgorithm(Disagreement),
    /// libssh2 knows none of the preferred algorithms; says nothing about the server.
    #[error("libssh2 has none of the algorithms")]
    Unsupported {
        /// Of which choice.
        class: Class,
        /// What was preferred.
        wanted: Vec<String>,
        /// What libssh2 has.
        supported: Vec<String>,
    },
    /// The key exchange stood still.
    #[error("no end of the key exchange in time")]
    KexTimeout {
        /// What had come after the identification, in bytes.
        bytes_received: usize,
    },
    /// The connection ended during the key exchange.
    #[error("connection ended during the key exchange")]
    ClosedDuringKex {
        /// By a reset rather than a close.
        reset: bool,
    },
    /// The server said good-bye.
    #[error("disconnected: {}", .0.text)]
    Disconnected(Disconnect),
    /// Something else went wrong: an impossible packet, a wrong signature, an error of the system.
    #[error("{detail}")]
    ProtocolError {
        /// libssh2's number.
        code: i32,
        /// libssh2's or the system's words.
        detail: String,
    },
}

/// A failed handshake, with everything the server had said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{kind}")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Established {
    /// The server's identification.
    pub identification: String,
    /// The first lines before it.
    pub preamble: Vec<String>,
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
    pub host_key: Vec<u8>,
    /// How often we waited for an answer.
    pub round_trips: u32,
}

/// Whether a line before the identification is one with which a server sheds load.
pub fn is_busy(line: &str) -> bool {
    BUSY.iter().any(|busy| line.contains(busy))
}

pub(super) fn protocol_error(error: Error) -> HandshakeFailureKind {
    HandshakeFailureKind::ProtocolError { code: error.code, detail: error.words }
}

pub(super) fn unprepared(kind: HandshakeFailureKind) -> Box<HandshakeFailure> {
    Box::new(HandshakeFailure {
        stage: Stage::Preparation,
        kind,
        timed_out: false,
        identification: None,
        preamble: Vec::new(),
        server_kexinit: None,
        client_kexinit: None,
    })
}

/// The failure of a connection that was reset as soon as it was made.
pub(super) fn reset_before_banner() -> Box<HandshakeFailure> {
    Box::new(HandshakeFailure { stage: Stage::BeforeBanner, ..*unprepared(HandshakeFailureKind::ResetBeforeBanner) })
}

/// How the server ended the connection before it was told anything, if it does so within a moment.
pub(super) fn ended_unasked(stream: &OwnedFd, deadline: Instant) -> Option<HandshakeFailureKind> {
    let left = deadline.saturating_duration_since(Instant::now()).min(LISTENING);
    let mut wanted = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut wanted, PollTimeout::try_from(left).ok()?).ok()?;
    if ready == 0 {
        return None;
    }
    match recv(stream.as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK) {
        Ok(0) => Some(HandshakeFailureKind::ClosedBeforeBanner),
        Err(Errno::ECONNRESET) => Some(HandshakeFailureKind::ResetBeforeBanner),
        _ => None,
    }
}

pub(super) fn prefer(link: &Link, preferences: &Preferences) -> Result<(), HandshakeFailureKind> {
    for (class, wanted, kinds) in [
        (Class::Kex, &preferences.kex_algorithms, &[MethodType::Kex][..]),
        (Class::HostKey, &preferences.host_key_algorithms, &[MethodType::HostKey]),
        (Class::Cipher, &preferences.ciphers, &[MethodType::CryptCs, MethodType::CryptSc]),
        (Class::Mac, &preferences.macs, &[MethodType::MacCs, MethodType::MacSc]),
    ] {
        let Some(wanted) = wanted else { continue };
        for &kind in kinds {
            let supported = link.supported(kind);
            let known: Vec<_> = wanted.iter().filter(|name| supported.contains(name)).cloned().collect();
            if known.is_empty() {
                return Err(HandshakeFailureKind::Unsupported { class, wanted: wanted.clone(), supported });
            }
            link.prefer(kind, &known).map_err(protocol_error)?;
        }
    }
    Ok(())
}

/// Judges a failed handshake by what was heard rather than by libssh2's number, which is the same for most of them.
pub(super) fn failure(link: &Link, error: Error) -> HandshakeFailure {
    let heard = link.heard();
    let end = link.end();
    let stage = match &heard {
        h if h.server.newkeys => Stage::ServiceRequest,
        h if h.identification.is_some() => Stage::KeyExchange,
        h if h.first_bytes.is_empty() => Stage::BeforeBanner,
        _ => Stage::Banner,
    };
    let kind = match stage {
        Stage::BeforeBanner | Stage::Banner => banner_failure(&heard, end.as_ref(), error),
        _ => {
            let disconnect = link.disconnect().or_else(|| heard.server.disconnect.clone());
            kex_failure(&heard, end.as_ref(), disconnect, error)
        }
    };
    HandshakeFailure {
        stage,
        kind,
        timed_out: end == Some(StreamEnd::TimedOut),
        identification: heard.identification,
        preamble: heard.preamble,
        server_kexinit: heard.server.kexinit,
        client_kexinit: heard.client.kexinit,
    }
}

fn banner_failure(heard: &Heard, end: Option<&StreamEnd>, error: Error) -> HandshakeFailureKind {
    if let Some(line) = heard.preamble.iter().find(|line| is_busy(line)) {
        return HandshakeFailureKind::Busy { text: line.clone() };
    }
    // A few letters of "SSH-" are the beginning of an identification that was cut short.
    if heard.violation.is_some() || !heard.preamble.is_empty() {
        return HandshakeFailureKind::NotSsh { first_bytes: heard.first_bytes.clone(), objection: heard.violation };
    }
    match end {
        Some(StreamEnd::Closed) => HandshakeFailureKind::ClosedBeforeBanner,
        Some(StreamEnd::Reset) => HandshakeFailureKind::ResetBeforeBanner,
        Some(StreamEnd::TimedOut) => HandshakeFailureKind::BannerTimeout,
        Some(StreamEnd::Error(words)) => HandshakeFailureKind::ProtocolError { code: error.code, detail: words.clone() },
        None => protocol_error(error),
    }
}

fn kex_failure(heard: &Heard, end: Option<&StreamEnd>, disconnect: Option<(u32, String)>, error: Error) -> HandshakeFailureKind {
    let identification = heard.identification.as_deref().unwrap_or_default();
    match heard.violation {
        Some(NotIdentification::OldProtocol) => {
            let version = identification.strip_prefix("SSH-").and_then(|rest| rest.split('-').next()).unwrap_or_default();
            return HandshakeFailureKind::OldProtocol(version.to_owned());
        }
        Some(objection) => {
            return HandshakeFailureKind::NotSsh { first_bytes: heard.first_bytes.clone(), objection: Some(objection) };
        }
        None => {}
    }
    let differs = || disagreement(heard.client.kexinit.as_ref()?, heard.server.kexinit.as_ref()?);
    if let Some(found) = differs() {
        return HandshakeFailureKind::NoCommonAlgorithm(found);
    }
    match (disconnect, end) {
        (Some((TOO_MANY_CONNECTIONS, text)), _) => HandshakeFailureKind::Busy { text },
        (Some((reason, text)), _) => HandshakeFailureKind::Disconnected(Disconnect { reason, text }),
        (None, Some(StreamEnd::TimedOut)) => HandshakeFailureKind::KexTimeout { bytes_received: heard.packet_bytes },
        (None, Some(end @ (StreamEnd::Closed | StreamEnd::Reset))) => {
            HandshakeFailureKind::ClosedDuringKex { reset: *end == StreamEnd::Reset }
        }
        (None, Some(StreamEnd::Error(words))) => HandshakeFailureKind::ProtocolError { code: error.code, detail: words.clone() },
        (None, None) => protocol_error(error),
    }
}
