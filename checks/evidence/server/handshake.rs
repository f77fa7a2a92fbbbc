//! What a handshake establishes, or how far it came and why it failed, judged by what was heard on the wire.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use ssh2::MethodType;

use super::libssh2::{Error, Heard, Link, StreamEnd};
use bbdoctor_checks::facts::kexinit::{Class, NotIdentification, disagreement};

use bbdoctor_checks::facts::handshake::Disconnect;
use bbdoctor_checks::facts::handshake::HandshakeFailure;
use bbdoctor_checks::facts::handshake::HandshakeFailureKind;
use bbdoctor_checks::facts::handshake::Stage;
use bbdoctor_checks::facts::handshake::is_busy;

/// `SSH_DISCONNECT_TOO_MANY_CONNECTIONS` (RFC 4253 section 11.1).
const TOO_MANY_CONNECTIONS: u32 = 12;
/// How long to wait for the server's first word before saying our own.
const LISTENING: Duration = Duration::from_millis(800);

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

pub(crate) fn protocol_error(error: Error) -> HandshakeFailureKind {
    HandshakeFailureKind::ProtocolError { code: error.code, detail: error.words }
}

pub(crate) fn unprepared(kind: HandshakeFailureKind) -> Box<HandshakeFailure> {
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
pub(crate) fn reset_before_banner() -> Box<HandshakeFailure> {
    Box::new(HandshakeFailure { stage: Stage::BeforeBanner, ..*unprepared(HandshakeFailureKind::ResetBeforeBanner) })
}

/// How the server ended the connection before it was told anything, if it does so within a moment.
pub(crate) fn ended_unasked(stream: &OwnedFd, deadline: Instant) -> Option<HandshakeFailureKind> {
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

pub(crate) fn prefer(link: &Link, preferences: &Preferences) -> Result<(), HandshakeFailureKind> {
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
pub(crate) fn failure(link: &Link, error: Error) -> HandshakeFailure {
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
