//! What is true of all forms of the report together: they carry the same facts, and each looks as it did.

use std::collections::BTreeSet;

use clap::ValueEnum as _;

use super::human::{Detail, Manner};
use super::remedy::Action;
use super::shell::command_line;
use super::*;

/// A page without colour, as it goes into a file.
pub(super) const IN_FILE: Manner = Manner { detail: Detail::Normal, colour: false, width: 80, accessible: false };

/// One report of each verdict.
pub(super) fn fixtures() -> [Report; 3] {
    [fixture::broken(), fixture::healthy(), fixture::inconclusive()]
}

/// `report` with every text that comes from outside replaced by what `text` makes of it.
pub(super) fn spoilt(mut report: Report, text: &mut dyn FnMut(&str) -> String) -> Report {
    let mut spoil = |place: &mut String| *place = text(place);
    let was = report.verdict.summary.clone();
    spoil(&mut report.verdict.summary);
    let now = report.verdict.summary.clone();
    report.verdict.root_cause.iter_mut().for_each(|root| root.summary = now.clone());
    let target = &mut report.target;
    let names = [&mut target.given, &mut target.url, &mut target.effective_url, &mut target.hostname, &mut target.user];
    names.into_iter().flatten().chain(&mut target.repository).for_each(&mut spoil);
    spoil(&mut report.machine.system);
    for tool in [&mut report.machine.git, &mut report.machine.ssh].into_iter().flatten() {
        spoil(&mut tool.path);
        tool.version.iter_mut().for_each(&mut spoil);
    }
    for check in &mut report.checks {
        spoil(&mut check.summary);
        for finding in &mut check.findings {
            if finding.summary == was {
                finding.summary = now.clone();
            } else {
                spoil(&mut finding.summary);
            }
            finding.subject.iter_mut().for_each(|subject| spoil(&mut subject.name));
            finding.evidence.values_mut().for_each(&mut spoil);
            for remedy in &mut finding.remedies {
                spoil(&mut remedy.summary);
                match &mut remedy.action {
                    Action::Run(argv) => argv.iter_mut().for_each(&mut spoil),
                    Action::Edit(edit) => edit.lines.iter_mut().chain([&mut edit.file]).for_each(&mut spoil),
                    Action::Visit(page) => spoil(page),
                    Action::Ask => {}
                }
            }
        }
    }
    for key in &mut report.identities {
        spoil(&mut key.name);
        [&mut key.algorithm, &mut key.fingerprint, &mut key.why].into_iter().flatten().for_each(&mut spoil);
    }
    for setting in &mut report.settings {
        spoil(&mut setting.value);
        setting.source.iter_mut().for_each(|place| spoil(&mut place.file));
        setting.overrides.iter_mut().for_each(|loser| spoil(&mut loser.value));
    }
    report.footprint.programs.iter_mut().for_each(&mut spoil);
    report
}

/// Codes with their severities, as a form tells them.
fn told(format: Format, text: &str, report: &Report) -> BTreeSet<(String, String)> {
    let pair = |severity: &str, code: &str| (severity.to_string(), code.to_string());
    match format {
        Format::Human => {
            let words = [("FAIL ", "error"), ("warning ", "warning"), ("note ", "info")];
            let codes: BTreeSet<&str> = report.findings().map(|(_, f)| f.code.as_str()).collect();
            let lines = text.lines().filter_map(|line| {
                let (word, severity) = words.iter().find(|(word, _)| line.trim_start().starts_with(word))?;
                let (code, _) = line.trim_start()[word.len()..].trim_start().split_once(':')?;
                codes.contains(code).then(|| pair(severity, code))
            });
            lines.collect()
        }
        Format::Json => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let findings = value["checks"].as_array().unwrap().iter().flat_map(|c| c["findings"].as_array().unwrap());
            findings.map(|f| pair(f["severity"].as_str().unwrap(), f["code"].as_str().unwrap())).collect()
        }
        Format::Markdown => {
            let others = text.lines().filter_map(|line| line.strip_prefix("**")?.split_once("** `"));
            let others = others.filter_map(|(severity, rest)| Some(pair(severity, rest.split_once('`')?.0)));
            let cause = text.split_once("### Cause\n\n`").and_then(|(_, rest)| rest.split_once('`'));
            others.chain(cause.map(|(code, _)| pair("error", code))).collect()
        }
        Format::Junit => {
            let lines = text.lines().filter_map(|line| {
                let line = line.rsplit_once('>').map_or(line, |(_, text)| text);
                let (severity, rest) = line.split_once(' ')?;
                let (code, _) = rest.split_once(": ")?;
                ["error", "warning", "info"].contains(&severity).then(|| pair(severity, code))
            });
            lines.collect()
        }
        Format::Github => {
            let commands = text.lines().take_while(|line| !line.starts_with("::group::"));
            let parts = commands.filter_map(|line| line.strip_prefix("::")?.split_once(" title=bbdoctor "));
            let told = parts.filter_map(|(kind, rest)| Some((kind, rest.split_once("::")?.0)));
            let severity = |kind: &str| if kind == "notice" { "info".into() } else { kind.to_string() };
            told.filter(|(_, title)| *title != report.verdict.status.name()).map(|(k, t)| (severity(k), t.to_string())).collect()
        }
    }
}

/// What stays of a text when the form's wrapping, quoting and escaping are taken away.
fn bare(text: &str) -> String {
    let undone = [
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        ("%0A", ""),
        ("%25", "%"),
        ("\\\"", "\""),
    ];
    let text = undone.iter().fold(text.to_string(), |text, (escaped, plain)| text.replace(escaped, plain));
    text.chars().filter(|c| !c.is_whitespace() && !['`', '\'', '"', '\\'].contains(c)).collect()
}

/// What a user would type, write or open.
fn steps(remedy: &Remedy, redacted: bool) -> Vec<String> {
    let mut steps = vec![remedy.summary.clone()];
    match &remedy.action {
        Action::Run(argv) => steps.push(command_line(argv, redacted)),
        Action::Edit(edit) => steps.extend(edit.lines.iter().cloned().chain([edit.file.clone()])),
        Action::Visit(page) => steps.push(page.clone()),
        Action::Ask => {}
    }
    steps
}

#[test]
fn every_form_tells_the_same_findings_and_remedies() {
    for report in fixtures() {
        let findings: BTreeSet<_> = report.findings().map(|(_, f)| (f.severity.name().to_string(), f.code.clone())).collect();
        for format in Format::value_variants() {
            // A person is told everything with -v.
            let text = render(&report, *format, Manner { detail: Detail::Verbose, width: 400, ..IN_FILE }).unwrap();
            assert_eq!(told(*format, &text, &report), findings, "{format:?}\n{text}");
            let shown = bare(&text);
            if let Some(root) = &report.verdict.root_cause {
                assert!(shown.contains(&bare(&root.code)) && shown.contains(&bare(&root.summary)), "{format:?}\n{text}");
            }
            for remedy in report.findings().flat_map(|(_, finding)| &finding.remedies) {
                match format {
                    Format::Json => {
                        let whole = serde_json::to_string(remedy).unwrap();
                        let compact = serde_json::from_str::<serde_json::Value>(&text).unwrap().to_string();
                        assert!(compact.contains(&whole), "{whole}");
                    }
                    _ => {
                        for step in steps(remedy, report.redacted) {
                            assert!(shown.contains(&bare(&step)), "{format:?} does not tell {step}\n{text}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the snapshots stand in files")]
fn every_form_looks_as_it_did() {
    let update = std::env::var_os("BBDOCTOR_UPDATE").is_some();
    let mut changed = Vec::new();
    for (name, report) in ["broken", "healthy", "inconclusive"].into_iter().zip(fixtures()) {
        for (format, suffix) in
            [(Format::Json, "json"), (Format::Markdown, "md"), (Format::Junit, "xml"), (Format::Github, "github")]
        {
            let mut text = render(&report, format, IN_FILE).unwrap();
            if format == Format::Github {
                // The rest is the report for a person, which is looked at elsewhere.
                text.truncate(text.find(&human::render(&report, IN_FILE)).expect("the report for a person is part of it"));
            }
            let file = format!("{}/tests/snapshots/{name}.{suffix}", env!("CARGO_MANIFEST_DIR"));
            if std::fs::read_to_string(&file).ok().as_deref() != Some(&text) {
                if update {
                    std::fs::write(&file, &text).unwrap();
                }
                changed.push(file);
            }
        }
    }
    assert!(changed.is_empty(), "these differ (BBDOCTOR_UPDATE=1 writes them anew, and fails all the same): {changed:#?}");
}
