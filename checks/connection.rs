//! Does the port answer?

use crate::advice;
use crate::check::{Check, Findings, Meta, Unavailable};
use crate::evidence::Evidence;
use crate::evidence::proxy::ProxyEnd;
use crate::evidence::road::RoadFailure;
use crate::evidence::transport::{Attempt, ConnectOutcome};
use crate::finding::{Code, Confidence, Finding, Subject};
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;

/// This check.
#[derive(Debug)]
pub(crate) struct Connection;

const META: Meta = Meta {
    id: "connection",
    title: "The port answers",
    codes: &[
        Code::PortRefused,
        Code::PortBlocked,
        Code::NetworkUnreachable,
        Code::ConnectDeniedLocally,
        Code::ProxyFailed,
        Code::Ipv6Broken,
        Code::AlternatePortOpen,
    ],
    page: include_str!("connection.md"),
};

/// An address that kept ssh waiting longer than this, in milliseconds, is worth a word.
const NOTABLE: u64 = 1000;

impl Check for Connection {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, evidence: &Evidence) -> Result<Findings, Unavailable> {
        let talk = evidence.conversation()?;
        let settings = evidence.settings()?;
        let place = || text!("{} port {}", Private::host(settings.hostname()), settings.port());
        let Some(failure) = &talk.road else {
            let mut found = Findings::new(text!("{} answers", place()));
            found.findings.extend(slow_family(evidence));
            return Ok(found);
        };
        let mut found = Findings::new(text!("there is no connection to {}", place()));
        found.push(match failure {
            RoadFailure::Proxy { setting, command, end } => proxy(evidence, setting, command, end),
            RoadFailure::Unreached(attempts) => unreached(evidence, attempts, &place()),
        });
        let open = evidence.alternates().iter().find(|a| a.speaks_ssh());
        if let Some(alternate) = open {
            found.push(
                Finding::info(
                    Code::AlternatePortOpen,
                    text!("{} port {} answers.", Private::host(&alternate.host), alternate.port),
                )
                .subject(Subject::new("host", Private::host(&alternate.host)))
                .evidence("software", Private::quoted(alternate.identification.as_deref().unwrap_or_default()))
                .remedy(Remedy::ask("use-it", "See the remedies of the failed connection.")),
            );
        }
        Ok(found)
    }
}

fn proxy(evidence: &Evidence, setting: &'static str, command: &str, end: &ProxyEnd) -> Finding {
    let keyword = setting.to_ascii_lowercase();
    let words = String::from_utf8_lossy(&end.stderr);
    let said = words.lines().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
    let mut finding = Finding::blocking(
        Code::ProxyFailed,
        text!("The {} ends or fails before the server is reached: {}.", setting, Private::quoted(said.trim_end_matches('.'))),
    )
    .evidence("command", Private::quoted(command))
    .evidence("it says", Private::quoted(words.trim()));
    if let Some(code) = end.exit_status {
        finding = finding.evidence("exit status", text!("{}", code));
    }
    if end.exit_status == Some(127) {
        let program = command.split_whitespace().next().unwrap_or_default();
        finding =
            finding.remedy(Remedy::ask("install", text!("Install {}, if this network needs the proxy.", Private::quoted(program))));
    } else {
        finding =
            finding.remedy(Remedy::ask("start-proxy", "See that the proxy, or the VPN it belongs to, runs and lets ssh through."));
    }
    if let Some(position) = evidence.setting_position(&keyword) {
        finding = finding
            .subject(Subject::file(&position.file, Some(position.line)))
            .remedy(advice::delete_line(&position, "Or take the line out, if this network needs no proxy."));
    }
    finding
}

/// No address answers: the last one's failure is what ssh prints, the gravest one what counts.
fn unreached(evidence: &Evidence, attempts: &[Attempt], place: &Text) -> Finding {
    let any = |wanted: &ConnectOutcome| attempts.iter().any(|a| a.outcome == *wanted);
    let denied = any(&ConnectOutcome::DeniedLocally);
    let (code, summary) = if denied {
        (Code::ConnectDeniedLocally, text!("This machine's own firewall or sandbox forbids the connection to {}.", place))
    } else if any(&ConnectOutcome::Refused) {
        (Code::PortRefused, text!("The connection to {} is refused.", place))
    } else if any(&ConnectOutcome::TimedOut) {
        (Code::PortBlocked, text!("The connection to {} times out: something on the way drops it.", place))
    } else {
        let other = attempts.iter().find_map(|a| match &a.outcome {
            ConnectOutcome::Other(words) => Some(words),
            _ => None,
        });
        let why = match other {
            Some(words) => text!("{} cannot be reached: {}.", place, Private::quoted(words)),
            None => text!("There is no route to {}.", place),
        };
        (Code::NetworkUnreachable, why)
    };
    let mut finding = Finding::blocking(code, summary).subject(Subject::new("host", place)).evidence("tried", tried(attempts));
    if attempts.iter().any(|a| a.outcome == ConnectOutcome::CannotBind) {
        // The address to connect from is a matter of the settings, which say so.
        finding = finding.confidence(Confidence::Possible);
    }
    if matches!(code, Code::PortRefused | Code::PortBlocked) {
        finding = finding.remedies(over_443(evidence));
    }
    let remedy = match code {
        Code::ConnectDeniedLocally => {
            Remedy::ask("allow", "Let ssh through this machine's firewall or sandbox (outgoing TCP to this port).")
        }
        Code::NetworkUnreachable => Remedy::ask("connect", "Bring the network or the VPN up; see its routes with ip route."),
        _ => Remedy::ask(
            "ask-network",
            "Ask your network's administrators to let outgoing SSH through; or use an HTTPS remote meanwhile.",
        ),
    };
    finding.remedy(remedy)
}

/// SSH on the port of HTTPS, when it answers here.
fn over_443(evidence: &Evidence) -> Vec<Remedy> {
    let Some(service) = evidence.service() else { return Vec::new() };
    let Some((host, port)) = service.alternate.clone() else { return Vec::new() };
    if !evidence.alternates().iter().any(|a| a.host == host && a.port == port && a.speaks_ssh()) {
        return Vec::new();
    }
    let lines = vec![
        text!("HostName {}", Private::host(&host)),
        text!("Port {}", port),
        // The keys are the same: the entry that is known under the usual name goes on being the one that counts.
        text!("HostKeyAlias {}", Private::host(&service.name)),
    ];
    let mut remedies = Vec::new();
    if let Some(edit) = advice::host_block(evidence, lines) {
        remedies.push(Remedy::edit(
            "over-443",
            text!("Let ssh go over {} port {}, which answers here.", Private::host(&host), port),
            edit,
            Safety::Safe,
        ));
    }
    remedies.extend(advice::know_service(evidence, service, &service.name, "Add the published keys, which that server has too."));
    remedies
}

fn tried(attempts: &[Attempt]) -> Text {
    let one = |a: &Attempt| {
        let how: Text = match &a.outcome {
            ConnectOutcome::Connected => "connected".into(),
            ConnectOutcome::Reset => "connected and reset".into(),
            ConnectOutcome::Refused => "refused".into(),
            ConnectOutcome::TimedOut => "no answer".into(),
            ConnectOutcome::NetworkUnreachable => "network unreachable".into(),
            ConnectOutcome::HostUnreachable => "no route to host".into(),
            ConnectOutcome::DeniedLocally => "not permitted".into(),
            ConnectOutcome::CannotBind => "no local address".into(),
            ConnectOutcome::NotTried => "not tried".into(),
            ConnectOutcome::Other(words) => Private::quoted(words).into(),
        };
        text!("{} {} after {} ms", Private::host(a.address.to_string()), how, a.milliseconds)
    };
    Text::join(attempts.iter().map(one), "; ")
}

/// A family whose first address does not answer delays every connection.
fn slow_family(evidence: &Evidence) -> Option<Finding> {
    let attempts = evidence.connection_attempts()?;
    let slow = attempts.iter().find(|a| a.address.is_ipv6() && a.outcome != ConnectOutcome::Connected)?;
    let lost: u64 = attempts.iter().filter(|a| a.outcome != ConnectOutcome::Connected).map(|a| a.milliseconds).sum();
    let mut finding = Finding::warning(
        Code::Ipv6Broken,
        text!(
            "The IPv6 address {} does not answer; ssh tries it first each time ({} ms lost).",
            Private::host(slow.address.ip().to_string()),
            lost
        ),
    )
    .subject(Subject::new("host", Private::host(slow.address.ip().to_string())))
    .evidence("tried", tried(attempts))
    .confidence(if lost > NOTABLE { Confidence::Proven } else { Confidence::Likely });
    if let Some(edit) = advice::host_block(evidence, vec!["AddressFamily inet".into()]) {
        finding = finding.remedy(Remedy::edit("ipv4", "Let ssh use IPv4 for this host.", edit, Safety::Safe));
    }
    Some(finding)
}
