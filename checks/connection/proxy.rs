//! What a ProxyCommand or ProxyJump fails of.

use crate::advice;
use crate::facts::Facts;
use crate::facts::connection::ProxyEnd;
use crate::facts::route::ProxySetting;
use crate::finding::{Code, Confidence, Finding, Subject};
use crate::privacy::Private;
use crate::remedy::Remedy;
use crate::text;

/// What the words of an ssh on the way, or of another program, call for: the first that is found in them.
const CALLED_FOR: [(&str, &str, &str); 8] = [
    (
        "Permission denied (",
        "jump-key",
        "The jump host accepts none of your keys: add one to your account there, or name the right one (IdentityFile) in a Host block for it.",
    ),
    (
        "Host key verification failed",
        "jump-host-key",
        "ssh does not know the jump host's key, or another one: connect to it once with ssh, and compare the fingerprint with the one its administrators tell you.",
    ),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "jump-host-key",
        "The jump host presents another key than known_hosts has: ask its administrators before you replace the entry.",
    ),
    (
        "administratively prohibited",
        "jump-forwarding",
        "The jump host forbids this connection: ask its administrators to allow it (AllowTcpForwarding, PermitOpen).",
    ),
    (
        "open failed: connect failed",
        "jump-network",
        "You reach the jump host, and it does not reach the server: ask its administrators to let it through.",
    ),
    ("407", "proxy-credentials", "The proxy wants other credentials than it is given: correct them where its program reads them."),
    ("ould not resolve", "proxy-name", "Correct the proxy's name, or connect to the network (or its VPN) that knows it."),
    ("getaddrinfo", "proxy-name", "Correct the proxy's name, or connect to the network (or its VPN) that knows it."),
];

/// The finding for a proxy that has failed; `silent` if it ran, and nothing came through it.
pub(super) fn failed(facts: &Facts, setting: ProxySetting, command: &str, end: &ProxyEnd, silent: bool) -> Finding {
    let words = String::from_utf8_lossy(&end.stderr);
    let progress = |line: &&str| line.starts_with("debug") || line.starts_with("OpenSSH_") || line.starts_with("Authenticated to ");
    let said = words.lines().find(|l| !l.trim().is_empty() && !progress(l)).unwrap_or("it said nothing");
    let said = Private::quoted(said.trim_end_matches('.'));
    let mut finding = if silent {
        let summary = text!("The {} runs, but no server answers through it: {}.", setting.keyword(), said);
        Finding::blocking(Code::ProxyFailed, summary).confidence(Confidence::Likely)
    } else {
        Finding::blocking(
            Code::ProxyFailed,
            text!("The {} ends or fails before the server is reached: {}.", setting.keyword(), said),
        )
    }
    .evidence("command", Private::quoted(command))
    .evidence("it says", Private::quoted(words.trim()));
    if let Some(code) = end.exit_status {
        finding = finding.evidence("exit status", text!("{}", code));
    }
    let called_for = CALLED_FOR.iter().find(|(mark, ..)| words.contains(mark));
    finding = finding.remedy(match called_for {
        _ if end.exit_status == Some(127) => {
            let program = command.split_whitespace().next().unwrap_or_default();
            Remedy::ask("install", text!("Install {}, if this network needs the proxy.", Private::quoted(program)))
        }
        Some((_, id, advice)) => Remedy::ask(id, *advice),
        None => Remedy::ask("start-proxy", "See that the proxy, or the VPN it belongs to, runs and lets ssh through."),
    });
    if let Some(position) = facts.setting_position(&setting.keyword().to_ascii_lowercase()) {
        finding = finding
            .subject(Subject::file(&position.file, Some(position.line)))
            .remedy(advice::delete_line(&position, "If this network needs no proxy: delete the line."));
    }
    finding
}
