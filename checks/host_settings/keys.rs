//! Settings that decide which keys ssh offers.

use super::{place, with_line};
use crate::advice;
use crate::facts::Facts;
use crate::facts::key_file::KeyState;
use crate::facts::keys::Key;
use crate::facts::settings::Settings;
use crate::facts::ssh_config::NoteKind;
use crate::finding::{Code, Confidence, Finding, Strikes, Subject};
use crate::privacy::Private;
use crate::remedy::Remedy;
use crate::text;

/// The key that would get in is named in a Match block whose condition is false here.
pub(super) fn match_exec_key(facts: &Facts, _: &Settings) -> Vec<Finding> {
    let Ok(reading) = facts.reading() else { return Vec::new() };
    let mut out = Vec::new();
    for note in &reading.notes {
        let NoteKind::KeyInInactiveMatch { block } = &note.kind else { continue };
        let path = facts.expand_path(&note.text);
        let Some(identity) = facts.keys().ok().and_then(|all| all.at_path(&path)) else { continue };
        let blocks = facts.is_the_missing_key(identity);
        let summary = text!(
            "{} line {} names {}, but its Match block (line {}) does not apply here.",
            Private::path(&note.position.file),
            note.position.line,
            identity.name_text(),
            block.line
        );
        out.push(
            Finding::blocking_if(blocks, Code::MatchExecBlocksKey, summary)
                .subject(Subject::file(&block.file, Some(block.line)))
                .remedies(advice::use_key(facts, identity, false))
                .remedy(Remedy::ask(
                    "condition",
                    "If the Match block should apply: make its condition true (the VPN it asks about, the program it runs).",
                )),
        );
    }
    out
}

pub(super) fn identity_files(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    for named in settings.identity_files().iter().filter(|f| f.source.position().is_some() && f.path != "none") {
        let path = facts.expand_path(&named.path);
        let Some(file) = facts.keys().ok().and_then(|all| all.file_at(&path)) else { continue };
        let KeyState::Missing { nearest } = &file.state else { continue };
        // The public half beside it, or in the agent, may be all that is needed.
        if facts.keys().ok().and_then(|all| all.at_path(&path)).is_some_and(|i| i.public().is_some()) {
            continue;
        }
        let meant = nearest.as_ref().and_then(|n| facts.keys().ok()?.at_path(n));
        // ssh stops at a path that it cannot expand, whatever else there is.
        let fault = facts.cannot_expand(&named.path);
        let blocks = fault.is_some()
            || match meant {
                Some(identity) => facts.is_the_missing_key(identity),
                None => facts.login_fails() && facts.offers_nothing(),
            };
        let hint = nearest.as_ref().map(|n| text!("; {} is there", Private::path(n))).unwrap_or_default();
        let position = named.source.position();
        let at = position.map(|p| text!(" ({} line {})", Private::path(&p.file), p.line)).unwrap_or_default();
        let mut finding = Finding::blocking_if(
            blocks,
            Code::IdentityFileMissing,
            match &fault {
                Some(why) => text!(
                    "IdentityFile {} cannot be expanded ({}), and ssh stops at it{}.",
                    Private::path(&named.path),
                    Private::quoted(why),
                    at
                ),
                None => text!("IdentityFile names {}, which does not exist{}{}.", Private::path(&path), hint, at),
            },
        )
        .confidence(if meant.is_some() || fault.is_some() { Confidence::Proven } else { Confidence::Likely });
        if let Some(position) = position {
            finding = finding.subject(Subject::file(&position.file, Some(position.line)));
            if let Some(remedy) = advice::name_key(facts, position, nearest.as_deref()) {
                finding = finding.remedy(remedy);
            } else {
                finding = finding.remedy(advice::delete_line(position, "Delete the line, or make a key at that path."));
            }
        }
        out.push(finding);
    }
    out
}

/// Keys that the ssh command itself names and that are not there; ssh passes over them.
pub(super) fn named_by_command(facts: &Facts, _: &Settings) -> Vec<Finding> {
    let Ok(question) = facts.question() else { return Vec::new() };
    let missing = question.identity_files.iter().map(|file| facts.expand_path(file)).filter(|path| facts.is_free(path));
    let told = |path: std::path::PathBuf| {
        let summary = text!("The ssh command names the key {}, which does not exist.", Private::path(&path));
        let mut remedies = Vec::new();
        if let Some(key) = facts.missing_key() {
            remedies.extend(advice::use_key(facts, key, false));
        }
        Finding::blocking_if(facts.login_fails(), Code::IdentityFileMissing, summary)
            .confidence(Confidence::Likely)
            .strikes(Strikes::AtLogin)
            .subject(Subject::new("program", Private::quoted(&facts.ssh_command.text)))
            .remedies(remedies)
            .remedy(Remedy::ask(
                "name-key",
                "Name the key where it is, by its whole path: git runs ssh at the top of the working tree.",
            ))
    };
    missing.map(told).collect()
}

pub(super) fn agent_choice(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let usual = facts.keys_only_in_usual_agent();
    if usual.is_empty() {
        return Vec::new();
    }
    let needed = usual.iter().find(|i| facts.is_the_missing_key(i));
    let key = needed.map(|i: &&Key| text!(", which holds {}", i.name_text())).unwrap_or_default();
    let Some(value) = settings.value("identityagent") else {
        let summary = text!("The ssh command itself keeps ssh from the agent that SSH_AUTH_SOCK names{}.", key);
        return vec![
            Finding::blocking_if(needed.is_some(), Code::AgentDisabled, summary)
                .subject(Subject::new("program", Private::quoted(&facts.ssh_command.text)))
                .remedy(Remedy::ask("keep-variable", "Remove SSH_AUTH_SOCK from GIT_SSH_COMMAND or core.sshCommand.")),
        ];
    };
    let off = value.eq_ignore_ascii_case("none");
    let (code, summary) = if off {
        (Code::AgentDisabled, text!("IdentityAgent none keeps ssh from the agent{}{}.", key, place(facts, "identityagent")))
    } else {
        (
            Code::IdentityAgentOverrides,
            text!("IdentityAgent sends ssh to another agent than SSH_AUTH_SOCK names{}{}.", key, place(facts, "identityagent")),
        )
    };
    vec![with_line(
        Finding::blocking_if(needed.is_some(), code, summary),
        facts,
        "identityagent",
        "Delete the line, or set IdentityAgent SSH_AUTH_SOCK for this host.",
    )]
}

pub(super) fn identities_only(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    if !settings.is("identitiesonly", &["yes", "true"]) {
        return Vec::new();
    }
    let Some(kept) = facts.missing_key_kept_back_by_identities_only() else { return Vec::new() };
    let mut finding = Finding::blocking(
        Code::IdentitiesOnlyExcludesKey,
        text!(
            "Because of IdentitiesOnly, ssh does not offer {}, the key that the server accepts{}.",
            kept.name_text(),
            place(facts, "identitiesonly")
        ),
    )
    .remedies(advice::use_key(facts, kept, false));
    if let Some(position) = facts.setting_position("identitiesonly") {
        finding = finding
            .subject(Subject::file(&position.file, Some(position.line)))
            .remedy(advice::delete_line(&position, "If ssh should offer every key: delete the IdentitiesOnly line."));
    }
    vec![finding]
}
