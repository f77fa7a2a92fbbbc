//! Does the server speak SSH, and do client and server agree on algorithms?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::conversation::{Conversation, LoginProblem};
use crate::facts::git_run::GitComplaint;
use crate::facts::handshake::{Established, HandshakeFailure, HandshakeFailureKind, is_busy};
use crate::facts::kexinit::{Class, Disagreement};
use crate::facts::session::{Ended, Login};
use crate::finding::{Code, Confidence, Finding, Side, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::unavailable::Unavailable;
use crate::{bitbucket, text};

/// This check.
#[derive(Debug)]
pub(crate) struct Handshake;

/// RFC 4253 section 11.1, SSH_DISCONNECT_TOO_MANY_CONNECTIONS.
const TOO_MANY_CONNECTIONS: u32 = 12;

/// What helps against a server that sheds load.
const RETRY: &str = "Wait a minute and try again; make fewer connections at the same time (git config submodule.fetchJobs 1).";

const META: Meta = Meta {
    id: CheckId::Handshake,
    title: "The server speaks SSH and agrees on algorithms",
    needs: &[Need::Server],
    page: include_str!("handshake.md"),
};

impl Check for Handshake {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let conversation = facts.conversation()?;
        match &conversation.handshake {
            None => Err(Unavailable::blocked(CheckId::Connection, "there is no connection")),
            Some(Ok(peer)) => {
                let agreed = &peer.greeting;
                let mut found = Findings::new(text!(
                    "{}; {}, {}, {}",
                    Private::quoted(&peer.identification),
                    Private::quoted(&agreed.kex_algorithm),
                    Private::quoted(&agreed.host_key_algorithm),
                    Private::quoted(&agreed.cipher)
                ));
                found.findings.extend(broken_off(facts, conversation));
                found.findings.extend(turned_away(facts));
                found.findings.extend(agreed_alone(facts, agreed));
                if facts.is_cloud() && !peer.identification.contains(bitbucket::SERVER_SOFTWARE) {
                    found.push(
                        Finding::info(
                            Code::UnexpectedServerSoftware,
                            text!(
                                "The server introduces itself as {}, not as Bitbucket does; something may be intercepting the connection.",
                                Private::quoted(&peer.identification)
                            ),
                        )
                        .subject(Subject::new("host", Private::host(&peer.name)))
                        .remedy(Remedy::ask("compare", "Nothing needs to be done while its host key is a published one.")),
                    );
                }
                Ok(found)
            }
            Some(Err(failure)) => {
                let mut found = Findings::new(text!("the handshake fails: {}", failure.kind.text()));
                match failed(facts, failure) {
                    Some(finding) => found.push(finding),
                    None => {
                        return Err(Unavailable::Unknown {
                            why: "bbdoctor's own SSH engine lacks the algorithms this server wants; ssh has them".into(),
                        });
                    }
                }
                Ok(found)
            }
        }
    }
}

/// The stream breaks after the handshake, before or while we log in.
fn broken_off(facts: &Facts, conversation: &Conversation) -> Option<Finding> {
    let unasked = conversation.ended.as_ref().filter(|_| conversation.answers.is_empty() && conversation.methods.is_empty());
    let in_login = conversation.logins.iter().find_map(|login| match &login.result {
        Err(LoginProblem::Failed(Login::Ended(ended))) => Some(ended),
        _ => None,
    });
    let host = || Private::host(facts.hostname().unwrap_or_default());
    let garbled =
        |detail: &str| (Code::ProtocolError, text!("What {} sends is not the SSH protocol: {}.", host(), Private::quoted(detail)));
    let (code, summary) = match (unasked.or(in_login), facts.garbled_stream(conversation)) {
        (_, Some(words)) => garbled(&words),
        (Some(Ended::Failed { detail, .. }), None) => garbled(detail),
        (Some(Ended::Closed | Ended::Reset), None) => {
            (Code::ClosedDuringHandshake, text!("{} ends the connection right after the key exchange.", host()))
        }
        _ => return None,
    };
    let words = "Try from another network: something on the route changes the data or closes the connection.";
    Some(
        Finding::blocking(code, summary)
            .strikes(Strikes::AfterLogin)
            .confidence(Confidence::Likely)
            .remedy(Remedy::ask("other-network", words)),
    )
}

/// Our own connection was served, and git's, right after it, was not.
fn turned_away(facts: &Facts) -> Option<Finding> {
    let GitComplaint::ClosedBeforeBanner { reset, said } = facts.git_complaint.as_ref()? else { return None };
    if let Some(words) = said.iter().find(|line| is_busy(line)) {
        return Some(busy(words));
    }
    let (code, what) = if *reset { (Code::ConnectionReset, "resets") } else { (Code::ClosedBeforeBanner, "closes") };
    let summary = text!(
        "{} now and then {} a connection before it introduces itself: git's, but not the one before it.",
        Private::host(facts.hostname().unwrap_or_default()),
        what
    );
    Some(Finding::blocking(code, summary).confidence(Confidence::Likely).remedy(Remedy::ask("retry", RETRY)).transient())
}

/// The finding for a failed handshake; `None` when only our own engine fails.
fn failed(facts: &Facts, failure: &HandshakeFailure) -> Option<Finding> {
    let host = || Private::host(facts.hostname().unwrap_or_default());
    let first_line = failure.preamble.iter().find(|l| !l.trim().is_empty()).cloned();
    let ask = |id, words: &'static str| Remedy::ask(id, words);
    let network = "Try from another network; if it works there, ask this network's administrators what intercepts the connection.";
    let finding = match &failure.kind {
        HandshakeFailureKind::Busy { text } => return Some(busy(text)),
        HandshakeFailureKind::Disconnected(last) if last.reason == TOO_MANY_CONNECTIONS => return Some(busy(&last.text)),
        HandshakeFailureKind::NoCommonAlgorithm(disagreement) => return no_common(facts, failure, disagreement),
        HandshakeFailureKind::Unsupported { .. } => return None,
        HandshakeFailureKind::ClosedBeforeBanner => {
            Finding::blocking(Code::ClosedBeforeBanner, text!("{} accepts the connection and closes it before it introduces itself.", host()))
                .confidence(Confidence::Likely)
                .remedy(ask("slow-down", "If many connections are made at the same time, make fewer, and wait a minute."))
                .remedy(ask("other-network", network))
        }
        HandshakeFailureKind::ResetBeforeBanner => {
            Finding::blocking(Code::ConnectionReset, text!("{} accepts the connection and resets it before it introduces itself.", host()))
                .confidence(Confidence::Likely)
                .remedy(ask("other-network", network))
        }
        HandshakeFailureKind::BannerTimeout => {
            Finding::blocking(Code::BannerTimeout, text!("{} accepts the connection and then says nothing.", host()))
                .remedy(ask("other-network", network))
        }
        HandshakeFailureKind::NotSsh { first_bytes, .. } => {
            let words = first_line.clone().unwrap_or_else(|| String::from_utf8_lossy(first_bytes).into_owned());
            let what = || text!("{} {}", what_it_is(first_bytes), Private::quoted(&words));
            let (summary, remedy) = match facts.proxy_setting() {
                Some(setting) => (
                    text!("What comes through the {} is not what an SSH server says: {}.", setting, what()),
                    ask("proxy-output", "If the proxy says it, do what it asks for. If its program does, let it write that to standard error: only the server's bytes may come on standard output."),
                ),
                None => (
                    text!("What answers as {} is not an SSH server: {}.", host(), what()),
                    ask("sign-in", "If this network has a sign-in page, open it in a browser and sign in; check the host name and the port."),
                ),
            };
            Finding::blocking(Code::NotAnSshServer, summary)
                .evidence("first bytes", Private::quoted(String::from_utf8_lossy(first_bytes)))
                .remedy(remedy)
        }
        HandshakeFailureKind::OldProtocol(version) => {
            Finding::blocking(Code::NotAnSshServer, text!("What answers as {} speaks SSH {}, not 2.0.", host(), Private::quoted(version)))
                .remedy(ask("check-host", "Check the host name and the port: this is not Bitbucket."))
        }
        HandshakeFailureKind::KexTimeout { bytes_received } => {
            Finding::blocking(Code::HandshakeTimeout, text!("The key exchange with {} stalls.", host()))
                .confidence(Confidence::Likely)
                .evidence("received after the introduction", text!("{} bytes", *bytes_received))
                .remedy(ask(
                    "smaller-packets",
                    "Typically a VPN or tunnel drops large packets: lower the MTU of its interface (ip link set dev NAME mtu 1350), or try without it.",
                ))
        }
        HandshakeFailureKind::ClosedDuringKex { .. } | HandshakeFailureKind::Disconnected(_) => {
            Finding::blocking(Code::ClosedDuringHandshake, text!("{} ends the connection during the key exchange.", host()))
                .confidence(Confidence::Likely)
                .evidence("it says", failure.kind.text())
                .remedy(ask("other-network", network))
        }
        HandshakeFailureKind::ProtocolError { detail, .. } => {
            Finding::blocking(Code::ProtocolError, text!("What {} sends is not the SSH protocol: {}.", host(), Private::quoted(detail)))
                .confidence(Confidence::Likely)
                .remedy(ask("other-network", network))
        }
    };
    let finding = match &failure.identification {
        Some(software) => finding.evidence("software", Private::quoted(software)),
        None => finding,
    };
    Some(finding.subject(Subject::new("host", host())))
}

fn busy(words: &str) -> Finding {
    Finding::blocking(
        Code::ServerBusy,
        text!("The server refuses new connections for now: {}.", Private::quoted(words.trim_end_matches('.'))),
    )
    .evidence("it says", Private::quoted(words))
    .remedy(Remedy::ask("retry", RETRY))
    .transient()
}

fn what_it_is(first_bytes: &[u8]) -> &'static str {
    match first_bytes {
        [0x15 | 0x16, 3, ..] => "it speaks TLS;",
        bytes if bytes.starts_with(b"HTTP/") => "it speaks HTTP;",
        bytes if bytes.starts_with(b"<") => "it sends a web page;",
        bytes if bytes.starts_with(b"220") => "it speaks FTP or SMTP;",
        _ => "it begins with",
    }
}

/// Our engine and the server agree, on algorithms that ssh does not offer.
fn agreed_alone(facts: &Facts, agreed: &Established) -> Option<Finding> {
    let theirs = agreed.server_kexinit.as_ref()?;
    match facts.ssh_disagreement(theirs) {
        Some(known) => Some(disagreed(facts, &known?, true)),
        None => Some(disagreed(facts, &facts.only_old(agreed)?, false)),
    }
}

/// ssh's own lists decide; where they are not known, the lists of our engine stand in for them.
fn no_common(facts: &Facts, failure: &HandshakeFailure, ours: &Disagreement) -> Option<Finding> {
    let theirs = failure.server_kexinit.as_ref()?;
    let (disagreement, certain) = match facts.ssh_disagreement(theirs) {
        Some(Some(disagreement)) => (disagreement, true),
        Some(None) => return None,
        None => (ours.clone(), false),
    };
    Some(disagreed(facts, &disagreement, certain))
}

/// The finding for a choice in which nothing is common; `certain` if ssh's lists are known.
fn disagreed(facts: &Facts, disagreement: &Disagreement, certain: bool) -> Finding {
    let what = match disagreement.class {
        Class::Kex => "key exchange method",
        Class::HostKey => "type of host key",
        Class::Cipher => "cipher",
        Class::Mac => "message authentication code",
        Class::Compression => "compression",
    };
    let list = |names: &[String]| -> Text { Private::quoted(names.join(",")).into() };
    let remedy = allow_old(facts, disagreement).unwrap_or_else(|| {
        Remedy::ask(
            "upgrade",
            "Upgrade the older of the two; for an old server of your own, add what it offers for this host alone (KexAlgorithms +NAME, HostKeyAlgorithms +NAME).",
        )
    });
    Finding::blocking(
        Code::NoCommonAlgorithm,
        text!("ssh and {} have no {} in common.", Private::host(facts.hostname().unwrap_or_default()), what),
    )
    .confidence(if certain { Confidence::Proven } else { Confidence::Likely })
    .side(Side::Server)
    .evidence("ssh offers", list(&disagreement.ours))
    .evidence("the server offers", list(&disagreement.theirs))
    .subject(Subject::new("host", Private::host(facts.hostname().unwrap_or_default())))
    .remedy(remedy)
}

/// Lets ssh take an old server's best algorithm, for a server of one's own: Bitbucket Cloud is none, and what poses as it shall
/// not be given weak ones.
fn allow_old(facts: &Facts, disagreement: &Disagreement) -> Option<Remedy> {
    if facts.is_cloud() {
        return None;
    }
    let (keyword, names) = disagreement.class.off_by_default()?;
    let name = names.iter().find(|name| disagreement.theirs.iter().any(|theirs| theirs == *name))?;
    let edit = advice::host_block(facts, vec![text!("{} +{}", keyword, *name)])?;
    let summary = text!("Upgrade the server; until then let ssh use {} with this host alone.", *name);
    Some(Remedy::edit("allow-old", summary, edit, Safety::Confirm))
}
