//! RevokedHostKeys: a list of keys that ssh never trusts.

use std::path::PathBuf;

use crate::advice;
use crate::facts::Facts;
use crate::facts::conversation::Peer;
use crate::finding::{Code, Finding, Subject};
use crate::privacy::Private;
use crate::remedy::Remedy;
use crate::text;

/// The list cannot be read.
pub(super) fn unusable(facts: &Facts) -> Option<Finding> {
    // Before 9.4 ssh takes `~` in this setting for a folder of that name; its own words tell.
    let from_ssh = || {
        let (path, error) = said_of_revocations(facts, "Error checking host key ", " in revoked keys file ")?.rsplit_once(": ")?;
        Some((path.into(), error.to_string()))
    };
    let (path, error) = facts.known_hosts().ok().and_then(|known| known.unreadable_revocations.clone()).or_else(from_ssh)?;
    let finding = Finding::blocking(
        Code::RevokedKeysFileUnusable,
        text!("RevokedHostKeys names {}, which cannot be read; ssh then trusts no host.", Private::path(&path)),
    );
    Some(without_revocations(facts, finding.subject(Subject::file(&path, None)).evidence("error", Private::quoted(error))))
}

/// The list has the server's key. Only ssh reads it, for it may be a binary one (ssh-keygen -k).
pub(super) fn listed(facts: &Facts, peer: &Peer) -> Option<Finding> {
    let path = PathBuf::from(said_of_revocations(facts, "Host key ", " revoked by file ")?);
    let presented = peer.host_key.text();
    let finding = Finding::blocking(
        Code::HostKeyRevoked,
        text!("{}, which RevokedHostKeys names, revokes the key that the server presents.", Private::path(&path)),
    )
    .subject(Subject::file(&path, None))
    .evidence("presented", presented);
    Some(if peer.published {
        without_revocations(facts, finding)
    } else {
        finding.remedy(Remedy::ask("ask", "Do not connect; ask who runs the server, from another network."))
    })
}

/// The rest of ssh's line, when git ran it and failed, that begins with `beginning` and goes on with `middle` somewhere.
fn said_of_revocations<'e>(facts: &'e Facts, beginning: &str, middle: &str) -> Option<&'e str> {
    let said = &facts.git_run().ok().filter(|run| !run.works)?.said;
    said.iter().find_map(|line| Some(line.strip_prefix(beginning)?.split_once(middle)?.1))
}

fn without_revocations(facts: &Facts, finding: Finding) -> Finding {
    match facts.setting_position("revokedhostkeys") {
        Some(position) => finding.remedy(advice::delete_line(&position, "Remove the setting, or correct its list.")),
        None => finding,
    }
}
