//! Would ssh trust the key that the server presents?

mod address;
mod revocation;

use std::collections::BTreeSet;
use std::path::Path;

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::conversation::Peer;
use crate::facts::known_hosts::{HostKeyLine, Judgement, LineFault, Marker};
use crate::facts::trust::KnownHosts;
use crate::finding::{Code, Finding, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Change, Edit, Remedy, Safety};
use crate::unavailable::Unavailable;
use crate::{bitbucket, text};

/// This check.
#[derive(Debug)]
pub(crate) struct KnownHostsCheck;

const META: Meta = Meta {
    id: CheckId::KnownHosts,
    title: "ssh trusts the server's key",
    needs: &[Need::Server],
    page: include_str!("known_hosts.md"),
};

impl Check for KnownHostsCheck {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        if let Some(finding) = unknown_to_plink(facts) {
            let mut found = Findings::new("plink does not know the server's key");
            found.push(finding);
            return Ok(found);
        }
        let known = facts.known_hosts()?;
        if let Some(finding) = revocation::unusable(facts) {
            let mut found = Findings::new("ssh trusts no host while its list of revoked keys cannot be read");
            found.push(finding);
            return Ok(found);
        }
        let peer = facts.peer()?;
        if let Some(finding) = revocation::listed(facts, peer) {
            let mut found = Findings::new("the list that RevokedHostKeys names has the server's key");
            found.push(finding);
            return Ok(found);
        }
        let mut found = Findings::new(text!("ssh looks the server up as {}", Private::host(&known.entries.name)));
        match (judged(facts, known, peer), &known.command) {
            // What the command adds is seen in git's run alone.
            (Some(finding), Some(_)) if finding.blocking && finding.code != Code::HostKeyRevoked && facts.git_works().is_none() => {
                return Err(Unavailable::Unknown {
                    why: text!(
                        "no file has the server's key for {}; KnownHostsCommand may add it, and is not started",
                        Private::host(&known.entries.name)
                    ),
                });
            }
            (Some(finding), Some(command)) => found.push(finding.evidence("KnownHostsCommand", Private::quoted(command))),
            (Some(finding), None) => found.push(finding),
            (None, _) => {
                found.findings.extend(address::differs(facts, known, peer));
                found.findings.extend(unread(facts, known));
            }
        }
        let trusted = retired(known);
        if trusted.is_empty() {
            found.findings.extend(leftover(known));
        }
        found.findings.extend(trusted);
        Ok(found)
    }
}

/// plink keeps its own host keys, and git cannot answer its question.
fn unknown_to_plink(facts: &Facts) -> Option<Finding> {
    if facts.ssh_command.reads_ssh_config() {
        return None;
    }
    let said = &facts.git_run().ok().filter(|run| !run.works)?.said;
    let line = said.iter().find(|l| l.contains("host key is not cached") || l.contains("Cannot confirm a host key"))?;
    let host = facts.typed_host().unwrap_or_default();
    Some(
        Finding::blocking(
            Code::PlinkHostKeyUnknown,
            text!("git runs plink, which keeps its own host keys and has none for {}.", Private::host(&host)),
        )
        .evidence("plink says", Private::quoted(line))
        .subject(Subject::new("host", Private::host(&host)))
        .remedy(Remedy::ask(
            "accept-once",
            text!(
                "Run plink -T git@{} once, compare the fingerprint with {}, and answer y.",
                Private::host(&host),
                bitbucket::HOST_KEYS_PAGE
            ),
        )),
    )
}

/// What ssh passes over although another entry suffices.
fn unread(facts: &Facts, known: &KnownHosts) -> Vec<Finding> {
    let malformed = known.entries.malformed.iter().filter(|m| m.mentions_host).map(|line| {
        let summary = text!(
            "{} line {} is meant for {}, but ssh passes over it: {}.",
            Private::path(&line.file),
            line.line,
            Private::host(&known.entries.name),
            fault(&line.fault)
        );
        let edit = Edit::delete_line(&line.file, line.line);
        Finding::warning(Code::KnownHostsMalformed, summary)
            .subject(Subject::file(&line.file, Some(line.line)))
            .remedy(Remedy::edit("drop-line", "Delete the line; another entry suffices.", edit, Safety::Confirm))
    });
    let unreadable = known.entries.unreadable.iter().filter(|u| !u.missing).map(|file| {
        Finding::warning(
            Code::KnownHostsUnreadable,
            text!("ssh cannot read {}; another file knows the server.", Private::path(&file.file)),
        )
        .subject(Subject::file(&file.file, None))
        .remedies(advice::make_readable(facts, &file.file))
    });
    malformed.chain(unreadable).collect()
}

fn judged(facts: &Facts, known: &KnownHosts, peer: &Peer) -> Option<Finding> {
    let key = &peer.host_key;
    let name = || Private::host(&known.entries.name);
    let finding = match &peer.judgement {
        Judgement::Trusted(_) => return None,
        Judgement::Revoked(entry) => Finding::blocking(
            Code::HostKeyRevoked,
            text!("{} line {} revokes the key that {} presents.", Private::path(&entry.file), entry.line, name()),
        )
        .subject(Subject::file(&entry.file, Some(entry.line)))
        .remedy(if peer.published {
            let edit = Edit::delete_line(&entry.file, entry.line);
            Remedy::edit(
                "drop-revocation",
                "The key is a current one: delete the line, unless your company revoked it on purpose.",
                edit,
                Safety::Confirm,
            )
        } else {
            Remedy::ask("ask", "Do not connect; ask who runs the server, from another network.")
        }),
        Judgement::Changed(entries) if facts.tolerates_changed_host_key() => {
            return Some(Finding::warning(
                Code::HostKeyChanged,
                text!("{} holds another key for {}; ssh goes on because StrictHostKeyChecking is off.", file_of(entries), name()),
            ));
        }
        Judgement::Changed(entries) => changed(facts, known, peer, entries),
        Judgement::OtherTypesOnly(entries) if facts.host_key_algorithms_are_set() => {
            let (file, types) = (file_of(entries), types(entries));
            let mut finding = Finding::blocking(
                Code::HostKeyTypeForced,
                text!(
                    "HostKeyAlgorithms makes the server present its {} key, while {} knows it by {} only.",
                    Text::algorithm(&key.algorithm),
                    file,
                    types
                ),
            );
            if let Some(position) = facts.setting_position("hostkeyalgorithms") {
                finding = finding
                    .subject(Subject::file(&position.file, Some(position.line)))
                    .remedy(advice::delete_line(&position, "Delete the line, so that ssh asks for the key it knows."));
            }
            finding
        }
        Judgement::OtherTypesOnly(_) | Judgement::CertificateAuthorityOnly(_) | Judgement::Unknown => {
            return unknown(facts, known, peer);
        }
    };
    Some(finding.evidence("presented", key.text()))
}

fn changed(facts: &Facts, known: &KnownHosts, peer: &Peer, entries: &[HostKeyLine]) -> Finding {
    let name = || Private::host(&known.entries.name);
    let was_retired = entries.iter().all(|e| bitbucket::retired_key(&e.key.fingerprint()).is_some());
    let summary = match (was_retired, peer.published) {
        (true, true) => text!(
            "{} still holds the key of {} that was retired in 2023; the server presents its current one.",
            file_of(entries),
            name()
        ),
        (false, true) => text!("{} holds another key for {} than its current, published one.", file_of(entries), name()),
        _ => text!(
            "{} holds another key for {} than the server presents, and nobody published the new one.",
            file_of(entries),
            name()
        ),
    };
    let mut finding = Finding::blocking(Code::HostKeyChanged, summary).evidence("stored", types_and_prints(entries));
    if let Some(entry) = entries.first() {
        finding = finding.subject(Subject::file(&entry.file, Some(entry.line)));
    }
    if !peer.published {
        return finding.remedy(Remedy::ask(
            "verify",
            "Do not remove the entry: compare the fingerprint with the one its administrators tell you, from another network.",
        ));
    }
    // What this user cannot change may stay: one entry with the right key is enough for ssh.
    let own = known.user_file.as_ref();
    let mut mine: Vec<&HostKeyLine> = entries.iter().filter(|e| own == Some(&e.file) || can_replace(facts, &e.file)).collect();
    // ssh-keygen leaves a file alone that has lines it cannot read.
    if !known.entries.malformed.is_empty() {
        mine.sort_by_key(|e| std::cmp::Reverse(e.line));
        let drop = |e: &HostKeyLine| Edit::delete_line(&e.file, e.line);
        let drops = mine.into_iter().map(|e| Remedy::edit("drop-line", "First, delete the line.", drop(e), Safety::Safe));
        return finding.remedies(drops).remedies(advice::trust_published_keys(known, peer, "Then add the published keys."));
    }
    let mut files: Vec<&Path> = mine.iter().map(|e| e.file.as_path()).collect();
    files.dedup();
    for file in files {
        let argv = ["ssh-keygen".into(), "-R".into(), name().into(), "-f".into(), Private::path(file).into()];
        finding = finding.remedy(Remedy::run("forget", "First, drop the stored keys of this name.", argv.to_vec(), Safety::Safe));
    }
    finding.remedies(advice::trust_published_keys(known, peer, "Then add the published keys."))
}

/// ssh finds no usable entry: it asks, adds the key or gives up, as StrictHostKeyChecking says.
fn unknown(facts: &Facts, known: &KnownHosts, peer: &Peer) -> Option<Finding> {
    if facts.accepts_new_host_keys() {
        return None;
    }
    let blocks = !facts.person_can_confirm_host_key();
    let name = || Private::host(&known.entries.name);
    let presented = peer.host_key.text();
    let malformed = known.entries.malformed.iter().find(|m| m.mentions_host);
    let unreadable = known.entries.unreadable.iter().find(|u| !u.missing);
    let finding = if let Some(line) = malformed {
        Finding::blocking_if(
            blocks,
            Code::KnownHostsMalformed,
            text!(
                "{} line {} is meant for {}, but ssh passes over it: {}.",
                Private::path(&line.file),
                line.line,
                name(),
                fault(&line.fault)
            ),
        )
        .subject(Subject::file(&line.file, Some(line.line)))
        .remedies(replace_line(known, peer, &line.file, line.line))
    } else if let Some(file) = unreadable {
        Finding::blocking_if(
            blocks,
            Code::KnownHostsUnreadable,
            text!("ssh cannot read {}, and no other file knows {}.", Private::path(&file.file), name()),
        )
        .subject(Subject::file(&file.file, None))
        .remedies(advice::make_readable(facts, &file.file))
    } else {
        let asks = if blocks { "and nobody can answer ssh's question" } else { "so ssh will ask whether to go on" };
        Finding::blocking_if(blocks, Code::HostKeyUnknown, text!("known_hosts has no key for {}, {}.", name(), asks))
            .subject(Subject::new("host", name()))
            .remedies(advice::trust_published_keys(known, peer, "Add the published keys, which the server has presented."))
    };
    Some(
        finding
            .evidence("presented", presented)
            .evidence("looked in", Text::join(known.files.iter().map(|f| Private::path(f).into()), ", ")),
    )
}

fn replace_line(known: &KnownHosts, peer: &Peer, file: &Path, line: usize) -> Option<Remedy> {
    let with = advice::published_lines(known, peer)?;
    let edit = Edit { file: file.to_path_buf(), change: Change::Replace { line, with } };
    Some(Remedy::edit("replace-line", "Replace it with the published keys.", edit, Safety::Safe))
}

/// A retired key that ssh has dropped lives on in the copy it left of the file (UpdateHostKeys, ssh-keygen -R).
fn leftover(known: &KnownHosts) -> Option<Finding> {
    let entry = known.leftovers.iter().find(|e| bitbucket::retired_key(&e.key.fingerprint()).is_some())?;
    let argv = vec!["rm".into(), Private::path(&entry.file).into()];
    Some(
        Finding::info(
            Code::KnownHostsRetiredEntry,
            text!(
                "A key that Bitbucket retired in 2023 is no longer trusted, but {} still has it (line {}).",
                Private::path(&entry.file),
                entry.line
            ),
        )
        .subject(Subject::file(&entry.file, Some(entry.line)))
        .evidence("fingerprint", Text::fingerprint(entry.key.fingerprint()))
        .remedy(Remedy::run("remove-copy", "Remove the copy, so that nobody restores it.", argv, Safety::Confirm)),
    )
}

/// Retired keys that are still trusted beside the current ones.
fn retired(known: &KnownHosts) -> Vec<Finding> {
    let plain = known.entries.keys.iter().chain(&known.under_other_names).filter(|e| e.marker == Marker::None);
    // A line may name the service several times.
    let mut seen = BTreeSet::new();
    plain
        .filter(|e| bitbucket::retired_key(&e.key.fingerprint()).is_some())
        .filter(|e| seen.insert((e.file.clone(), e.line)))
        .map(|entry| {
            let edit = Edit::delete_line(&entry.file, entry.line);
            Finding::warning(
                Code::KnownHostsRetiredEntry,
                text!("{} line {} still trusts a key that Bitbucket retired in 2023.", Private::path(&entry.file), entry.line),
            )
            .subject(Subject::file(&entry.file, Some(entry.line)))
            .evidence("fingerprint", Text::fingerprint(entry.key.fingerprint()))
            .remedy(Remedy::edit("drop-line", "Delete the line.", edit, Safety::Confirm))
        })
        .collect()
}

fn file_of(entries: &[HostKeyLine]) -> Text {
    entries.first().map(|e| text!("{} line {}", Private::path(&e.file), e.line)).unwrap_or_else(|| "known_hosts".into())
}

fn types(entries: &[HostKeyLine]) -> Text {
    let mut types: Vec<_> = entries.iter().map(|e| &e.algorithm).collect();
    types.dedup();
    Text::algorithms(types, ", ")
}

fn types_and_prints(entries: &[HostKeyLine]) -> Text {
    Text::join(entries.iter().map(|e| e.key.text()), ", ")
}

fn fault(fault: &LineFault) -> Text {
    match fault {
        LineFault::Marker => "its marker is not one ssh knows".into(),
        LineFault::Hash => "its hashed name is damaged".into(),
        LineFault::Truncated => "it ends before the key".into(),
        LineFault::Base64 | LineFault::Damaged => "its key is damaged".into(),
        LineFault::TypeDiffers(inside) => text!("it names another type than its key, which is {}", Private::quoted(inside)),
        LineFault::ColumnOrder => "its columns are in the wrong order".into(),
        LineFault::Fingerprint => "it holds a fingerprint, not a key".into(),
        LineFault::UnknownType(kind) => text!("ssh does not know the type {}", Private::quoted(kind)),
        LineFault::RsaTooShort(bits) => text!("its RSA key is too short ({} bits)", *bits),
        LineFault::Version1 => "it is of SSH version 1".into(),
    }
}

/// Whether the user may put another file in the place of this one, as ssh-keygen does.
fn can_replace(facts: &Facts, file: &Path) -> bool {
    file.parent().is_some_and(|folder| facts.paths.at(folder).writable)
}
