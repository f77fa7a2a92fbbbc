//! CheckHostIP: ssh compares the server's key with the one it knows for the address, too. On by default before OpenSSH 8.5.

use std::path::Path;

use crate::facts::Facts;
use crate::facts::connection::ConnectOutcome;
use crate::facts::conversation::Peer;
use crate::facts::known_hosts::{Judgement, judge};
use crate::facts::trust::KnownHosts;
use crate::finding::{Code, Finding, Subject};
use crate::privacy::Private;
use crate::remedy::{Remedy, Safety};
use crate::text;

/// The name has the right key and the address another (`check_host_key` of `sshconnect.c`): ssh asks whether to go on, or
/// stops if it may not ask. Not so for an address of this machine, nor behind a proxy.
pub(super) fn differs(facts: &Facts, known: &KnownHosts, peer: &Peer) -> Option<Finding> {
    let reached = facts.connection_attempts()?.iter().find(|a| a.outcome == ConnectOutcome::Connected)?;
    let ip = reached.address.ip();
    let entries = known.by_address.as_ref()?;
    let Judgement::Changed(others) = judge(entries, &peer.host_key.blob) else { return None };
    let first = others.first().filter(|_| !ip.is_loopback())?;
    let stops = !facts.tolerates_changed_host_key() && !facts.person_can_confirm_host_key();
    let summary = text!(
        "{} line {} holds another key for the address {}, and CheckHostIP makes ssh compare that too.",
        Private::path(&first.file),
        first.line,
        Private::host(ip.to_string())
    );
    let mut finding = Finding::blocking_if(stops, Code::HostKeyChanged, summary)
        .subject(Subject::file(&first.file, Some(first.line)))
        .evidence("stored", first.key.text())
        .evidence("presented", peer.host_key.text());
    let mut files: Vec<&Path> = others.iter().map(|e| e.file.as_path()).collect();
    files.dedup();
    for file in files {
        let argv = ["ssh-keygen".into(), "-R".into(), Private::host(&entries.name).into(), "-f".into(), Private::path(file).into()];
        finding =
            finding.remedy(Remedy::run("forget-address", "Drop the stored keys of this address.", argv.to_vec(), Safety::Safe));
    }
    Some(finding)
}
