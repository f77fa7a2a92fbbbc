//! Does the port answer?

mod proxy;

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::connection::{Attempt, ConnectOutcome};
use crate::facts::route::RouteFailure;
use crate::finding::{Code, Confidence, Finding, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct Connection;

/// An address that kept ssh waiting longer than this, in milliseconds, is worth a word.
const NOTABLE: u64 = 1000;

const META: Meta = Meta {
    id: CheckId::Connection,
    title: "The server's port answers",
    needs: &[Need::Server],
    page: include_str!("connection.md"),
};

impl Check for Connection {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let conversation = facts.conversation()?;
        let settings = facts.settings()?;
        let place = || text!("{} port {}", Private::host(settings.hostname()), settings.port());
        let Some(failure) = &conversation.route else {
            let mut found = Findings::new(text!("{} answers", place()));
            found.findings.extend(dead_address(facts));
            return Ok(found);
        };
        let mut found = Findings::new(text!("there is no connection to {}", place()));
        found.push(match failure {
            RouteFailure::Proxy { setting, command, end, silent } => proxy::failed(facts, *setting, command, end, *silent),
            RouteFailure::Unreached(attempts) => unreached(facts, attempts, &place()),
        });
        let open = facts.alternates.iter().find(|a| a.speaks_ssh());
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

/// No address answers: the last one's failure is what ssh prints, the gravest one what counts.
fn unreached(facts: &Facts, attempts: &[Attempt], place: &Text) -> Finding {
    let any = |wanted: &ConnectOutcome| attempts.iter().any(|a| a.outcome == *wanted);
    let denied = any(&ConnectOutcome::DeniedLocally);
    let (code, summary) = if denied {
        (Code::ConnectDeniedLocally, text!("This machine's own firewall or sandbox forbids the connection to {}.", place))
    } else if any(&ConnectOutcome::Refused) {
        (Code::PortRefused, text!("The connection to {} is refused.", place))
    } else if any(&ConnectOutcome::TimedOut) {
        (Code::PortBlocked, text!("The connection to {} times out: something on the route drops it.", place))
    } else {
        let other = attempts.iter().find_map(|a| match &a.outcome {
            ConnectOutcome::Other(words) => Some(words),
            _ => None,
        });
        let why = match other {
            Some(words) => text!("{} cannot be reached: {}.", place, Private::quoted(words)),
            None if any(&ConnectOutcome::CannotBind) => {
                text!("{} cannot be reached from the address that the settings name.", place)
            }
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
        finding = finding.remedies(over_443(facts));
    }
    if let Some(line) = facts.hosts_file_line {
        let words = "The hosts file pins the name to this address: take the line out, unless it is there on purpose.";
        finding = finding.remedy(advice::unpin(line, words));
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
fn over_443(facts: &Facts) -> Vec<Remedy> {
    let Some(service) = facts.service() else { return Vec::new() };
    let Some((host, port)) = service.alternate.clone() else { return Vec::new() };
    if !facts.alternates.iter().any(|a| a.host == host && a.port == port && a.speaks_ssh()) {
        return Vec::new();
    }
    let lines = vec![
        text!("HostName {}", Private::host(&host)),
        text!("Port {}", port),
        // The keys are the same: the entry that is known under the usual name goes on being the one that counts.
        text!("HostKeyAlias {}", Private::host(&service.name)),
    ];
    let mut remedies = Vec::new();
    if let Some(edit) = advice::host_block(facts, lines) {
        remedies.push(Remedy::edit(
            "over-443",
            text!("Make ssh connect to {} port {}, which answers here.", Private::host(&host), port),
            edit,
            Safety::Safe,
        ));
    }
    remedies.extend(advice::know_service(facts, service, &service.name, "Add the published keys, which that server has too."));
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

/// An address that does not answer, before the one that does, delays every connection.
fn dead_address(facts: &Facts) -> Option<Finding> {
    let attempts = facts.connection_attempts()?;
    let failed = || attempts.iter().filter(|a| !matches!(a.outcome, ConnectOutcome::Connected | ConnectOutcome::Reset));
    let silent = failed().find(|a| a.outcome == ConnectOutcome::TimedOut);
    let dead = failed().find(|a| a.address.is_ipv6()).or(silent)?;
    let lost: u64 = failed().map(|a| a.milliseconds).sum();
    // Without ConnectTimeout ssh waits as long as the system does, which is minutes.
    let holds_up = silent.is_some() && facts.git_hangs() && !facts.setting_is_set("connecttimeout");
    let (code, family) = if dead.address.is_ipv6() { (Code::Ipv6Broken, "IPv6") } else { (Code::PortBlocked, "IPv4") };
    let address = || Private::host(dead.address.ip().to_string());
    let summary = if holds_up {
        text!(
            "The {} address {} does not answer, and ssh waits for it, up to minutes, before it tries the next.",
            family,
            address()
        )
    } else {
        text!("The {} address {} does not answer; ssh tries it first each time ({} ms lost).", family, address(), lost)
    };
    let finding = if holds_up { Finding::blocking(code, summary) } else { Finding::warning(code, summary) };
    let mut finding = finding
        .subject(Subject::new("host", address()))
        .evidence("tried", tried(attempts))
        .confidence(if lost > NOTABLE { Confidence::Proven } else { Confidence::Likely });
    let answers = attempts.last().is_some_and(|a| a.address.is_ipv4());
    let (id, line, words) = match (code, answers) {
        (Code::Ipv6Broken, true) => ("ipv4", "AddressFamily inet", "Let ssh use IPv4 for this host."),
        _ => ("connect-timeout", "ConnectTimeout 3", "Let ssh go on to the next address after three seconds."),
    };
    if let Some(edit) = advice::host_block(facts, vec![line.into()]) {
        finding = finding.remedy(Remedy::edit(id, words, edit, Safety::Safe));
    }
    Some(finding)
}
