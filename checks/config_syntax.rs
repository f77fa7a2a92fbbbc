//! Can ssh read its configuration at all? One bad line anywhere stops every connection.

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::ssh_config::{EncodingFault, FileRole, KnownTo, Note, NoteKind, Problem, ProblemKind, SecondOpinion, Setting};
use crate::finding::{Code, Finding, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Change, Edit, Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct ConfigSyntax;

const META: Meta = Meta {
    id: CheckId::ConfigSyntax,
    title: "ssh_config can be read",
    needs: &[Need::Settings],
    page: include_str!("config_syntax.md"),
};

impl Check for ConfigSyntax {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let reading = facts.reading()?;
        let mut found = Findings::new(match reading.files.len() {
            0 => text!("there is no configuration file; ssh uses its defaults"),
            n => text!("{} configuration files looked at{}", n, other_readers(facts)),
        });
        let faults: Vec<Finding> = reading.problems.iter().filter_map(|p| fault(facts, p)).collect();
        if faults.is_empty() {
            found.findings.extend(said_by_ssh_alone(facts));
        }
        found.findings.extend(faults);
        found.findings.extend(reading.notes.iter().filter_map(|n| note(facts, n)));
        found.findings.extend(typos(facts));
        found.findings.extend(reading.settings().filter_map(shadowed));
        Ok(found)
    }
}

/// What other tools, which read the user's file with the library ssh2-config, make of it.
fn other_readers(facts: &Facts) -> Text {
    match &facts.second_opinion {
        Some(SecondOpinion::Differs(differences)) => {
            let keywords = Text::join(differences.iter().map(|d| d.keyword.slot().into()), ", ");
            text!("; tools that read them with the library ssh2-config see another {}", keywords)
        }
        Some(SecondOpinion::Rejects(_)) => "; tools that read them with the library ssh2-config reject them".into(),
        Some(SecondOpinion::Same) | None => Text::default(),
    }
}

/// The finding for a fault that stops ssh; those about permissions belong to `config-permissions`, a missing account to
/// `account`, clashes of settings to `host-settings`.
fn fault(facts: &Facts, problem: &Problem) -> Option<Finding> {
    let quoted = || Private::quoted(&problem.text);
    let place = || match &problem.position {
        Some(p) => text!("{} line {}", Private::path(&p.file), p.line),
        None => "the command line of ssh".into(),
    };
    let (code, summary) = match &problem.kind {
        ProblemKind::UnknownKeyword { did_you_mean, known_to } => {
            let hint: Text = match (did_you_mean, known_to) {
                (Some(word), _) => text!("; {} is probably meant", word.written()),
                (None, Some(KnownTo::Apple)) => "; only Apple's ssh knows it".into(),
                (None, Some(KnownTo::Debian)) => "; only Debian's ssh knows it".into(),
                (None, Some(KnownTo::SshdConfig)) => "; it belongs in sshd_config".into(),
                (None, Some(KnownTo::GssapiPatch)) => "; only builds with the GSSAPI patch know it".into(),
                (None, Some(KnownTo::Newer(release))) => text!("; OpenSSH knows it from {}.{} on", release / 100, release % 100),
                (None, None) => Text::default(),
            };
            (Code::ConfigUnknownOption, text!("{}: this ssh does not know the option {}{}.", place(), quoted(), hint))
        }
        ProblemKind::MissingArgument => (Code::ConfigMissingArgument, text!("{}: {} has no value.", place(), quoted())),
        ProblemKind::BadValue => (Code::ConfigBadValue, text!("{}: ssh does not take the value {}.", place(), quoted())),
        ProblemKind::ExpansionFailed(why) => {
            (Code::ConfigBadValue, text!("{}: {} cannot be expanded ({}).", place(), quoted(), Private::quoted(why.to_string())))
        }
        ProblemKind::BadMatch { detail } => {
            (Code::ConfigBadValue, text!("{}: ssh cannot use this Match line ({}).", place(), Private::quoted(detail)))
        }
        ProblemKind::ExtraArgument => {
            (Code::ConfigExtraArgument, text!("{}: there are words after the value: {}.", place(), quoted()))
        }
        ProblemKind::UnbalancedQuote => (Code::ConfigUnbalancedQuote, text!("{}: a quote is never closed.", place())),
        ProblemKind::Encoding(fault) => (Code::ConfigEncoding, text!("{}: {}.", place(), encoding(*fault))),
        ProblemKind::IncludeTooDeep { is_loop: true } => (Code::ConfigIncludeLoop, text!("{}: the file includes itself.", place())),
        ProblemKind::IncludeTooDeep { is_loop: false } => {
            (Code::ConfigIncludeLoop, text!("{}: files are included more than 16 deep.", place()))
        }
        ProblemKind::FileMissing => (
            Code::ConfigFileMissing,
            text!("The configuration file given with -F, {}, cannot be read.", Private::path(&problem.text)),
        ),
        ProblemKind::PermissionsTooOpen(_)
        | ProblemKind::WrongOwner(_)
        | ProblemKind::UnreadableInclude
        | ProblemKind::NoAccount
        | ProblemKind::Refused
        | ProblemKind::BeyondLimits => return None,
    };
    let mut finding = Finding::blocking(code, summary).evidence("ssh says", Private::quoted(&problem.message));
    if let Some(p) = &problem.position {
        finding = finding.subject(Subject::file(&p.file, Some(p.line)));
        if let Some(line) = facts.line(p) {
            finding = finding.evidence("line", Private::quoted(line));
        }
        finding = finding.remedies(corrections(facts, problem));
    } else {
        finding = finding
            .remedy(Remedy::ask("mend-option", "Correct the option in GIT_SSH_COMMAND, core.sshCommand or the file it names."));
    }
    Some(finding)
}

fn corrections(facts: &Facts, problem: &Problem) -> Vec<Remedy> {
    let Some(position) = &problem.position else { return Vec::new() };
    let line = facts.line(position).unwrap_or_default();
    let replace = |summary: Text, with: Vec<Text>, safety| {
        let change = Change::Replace { line: position.line, with };
        Remedy::edit("mend-line", summary, Edit { file: position.file.clone(), change }, safety)
    };
    let delete =
        || Remedy::edit("mend-line", "Delete the line.", Edit::delete_line(&position.file, position.line), Safety::Confirm);
    match &problem.kind {
        ProblemKind::UnknownKeyword { did_you_mean: Some(word), .. } => {
            let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
            let rest = line.trim_start().get(problem.text.len()..).unwrap_or_default();
            let text = Private::quoted(format!("{indent}{}{rest}", word.written()));
            vec![replace("Write the option as ssh knows it.".into(), vec![text.into()], Safety::Safe)]
        }
        ProblemKind::UnknownKeyword { did_you_mean: None, known_to: Some(_) } => {
            let change = Change::Prepend(vec![text!("IgnoreUnknown {}", Private::quoted(advice::keyword_as_written(line)))]);
            let file = facts.user_config_file().unwrap_or_else(|| position.file.clone());
            vec![Remedy::edit("ignore-unknown", "Make every ssh ignore the option.", Edit { file, change }, Safety::Safe), delete()]
        }
        ProblemKind::Encoding(_) => {
            let clean = advice::without_invisible(line);
            vec![replace("Write the line with plain characters.".into(), vec![Private::quoted(clean).into()], Safety::Safe)]
        }
        _ => vec![
            Remedy::ask("edit", text!("Correct line {} of {}, or delete it.", position.line, Private::path(&position.file))),
            delete(),
        ],
    }
}

fn encoding(fault: EncodingFault) -> &'static str {
    match fault {
        EncodingFault::ByteOrderMark => "the file begins with a byte order mark, which ssh takes for a part of the first word",
        EncodingFault::Utf16 => "the file is UTF-16; ssh reads bytes",
        EncodingFault::NoBreakSpace => "a no-break space stands where a blank belongs",
        EncodingFault::CurlyQuote => "typographic quotes stand where plain ones belong",
        EncodingFault::Invisible => "an invisible character stands in the line",
    }
}

/// What ssh itself complains of although our own reading found no fault: ssh is right.
fn said_by_ssh_alone(facts: &Facts) -> Option<Finding> {
    let words = facts.ssh_refuses_configuration()?;
    Some(
        Finding::blocking(Code::ConfigBadValue, text!("ssh refuses its configuration: {}.", Private::quoted(&words)))
            .remedy(Remedy::ask("edit", "Correct the line that ssh names.")),
    )
}

fn note(facts: &Facts, note: &Note) -> Option<Finding> {
    let place = || text!("{} line {}", Private::path(&note.position.file), note.position.line);
    let at = |finding: Finding| finding.subject(Subject::file(&note.position.file, Some(note.position.line)));
    let reading = facts.reading().ok()?;
    let of_user = reading.file(&note.position.file).is_some_and(|f| f.role != FileRole::System);
    Some(at(match &note.kind {
        NoteKind::OptionBeforeFirstHost { keyword, .. } if of_user => Finding::warning(
            Code::ConfigOptionsBeforeHost,
            text!("{}: {} stands before any Host line, so it applies to every host.", place(), Text::keyword(keyword)),
        )
        .remedy(Remedy::ask("add-host", "Put a Host line above it that names the hosts it is meant for.")),
        NoteKind::IncludeMatchesNothing { pattern } if of_user => {
            Finding::info(Code::ConfigIncludeMissing, text!("{}: the Include {} matches no file.", place(), Private::path(pattern)))
        }
        NoteKind::KeywordIgnored if of_user => {
            Finding::info(Code::ConfigOptionDeprecated, text!("{}: ssh ignores {}.", place(), Private::quoted(&note.text)))
        }
        NoteKind::EncodingInValue(fault) => Finding::warning(Code::ConfigEncoding, text!("{}: {}.", place(), encoding(*fault))),
        _ => return None,
    }))
}

/// Host patterns that were probably meant for this host.
fn typos(facts: &Facts) -> Vec<Finding> {
    let Ok(reading) = facts.reading() else { return Vec::new() };
    let services = &facts.services;
    let mut out = Vec::new();
    for pattern in reading.host_patterns.iter().filter(|p| !p.negated && !p.fits) {
        let Some(service) = services.meant_by(&pattern.pattern) else { continue };
        let position = &pattern.position;
        let fixed = facts.line(position).map(|line| line.replacen(&pattern.pattern, &service.name, 1));
        out.push(
            Finding::warning(
                Code::ConfigHostPatternTypo,
                text!(
                    "{} line {}: the Host pattern {} never matches {}; is that what it was meant for?",
                    Private::path(&position.file),
                    position.line,
                    Private::quoted(&pattern.pattern),
                    Private::host(&service.name)
                ),
            )
            .subject(Subject::file(&position.file, Some(position.line)))
            .remedies(fixed.map(|line| {
                let change = Change::Replace { line: position.line, with: vec![Private::quoted(line).into()] };
                Remedy::edit(
                    "mend-pattern",
                    "Write the host's name.",
                    Edit { file: position.file.clone(), change },
                    Safety::Confirm,
                )
            })),
        );
    }
    out
}

/// Settings that decide how git reaches the service and whose later lines have no effect.
fn shadowed(setting: &Setting) -> Option<Finding> {
    const DECISIVE: &[&str] =
        &["hostname", "port", "user", "identitiesonly", "identityagent", "proxycommand", "proxyjump", "hostkeyalias"];
    if !DECISIVE.contains(&setting.keyword.as_str()) {
        return None;
    }
    let winner = setting.values.first()?;
    let won = winner.source.position()?;
    let loser = setting.losers.iter().find(|l| l.value != winner.text)?;
    let lost = loser.source.position()?;
    let summary = text!(
        "{} {} of {} line {} has no effect: {} line {} has set it to {} already, and the first value wins.",
        Text::keyword(&setting.keyword),
        Private::quoted(&loser.value),
        Private::path(&lost.file),
        lost.line,
        Private::path(&won.file),
        won.line,
        Private::quoted(&winner.text)
    );
    Some(
        Finding::warning(Code::ConfigSettingShadowed, summary)
            .subject(Subject::file(&lost.file, Some(lost.line)))
            .remedy(Remedy::ask("reorder", "Move the block that is meant for this host above the one that is meant for all.")),
    )
}
