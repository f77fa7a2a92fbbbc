use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::finding::Severity;
use textwrap::core::display_width;

use super::*;
use crate::report::remedy::{Action, Change};
use crate::report::shell::command_line;
use crate::report::{CheckStatus, fixture};

const PLAIN: Manner = Manner { detail: Detail::Normal, colour: false, width: 80, accessible: false };
const DETAILS: [Detail; 3] = [Detail::Quiet, Detail::Normal, Detail::Verbose];

/// Compares with `tests/snapshots/human-NAME.txt`; with BBDOCTOR_UPDATE=1 writes it, and fails all the same.
#[allow(clippy::disallowed_methods, reason = "the snapshots are files")]
fn compare(name: &str, text: &str) -> Result<(), String> {
    let path = format!("{}/tests/snapshots/human-{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BBDOCTOR_UPDATE").is_some() {
        std::fs::write(&path, text).map_err(|e| format!("{path}: {e}"))?;
        return Err(format!("{path} is written; look at it, and run again without BBDOCTOR_UPDATE"));
    }
    let wanted = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    if text == wanted { Ok(()) } else { Err(format!("{path} differs; the report now is\n{text}")) }
}

#[test]
fn the_reports_look_as_they_should() {
    let narrow = Manner { width: 40, ..PLAIN };
    let spoken = Manner { accessible: true, ..PLAIN };
    let verbose = Manner { detail: Detail::Verbose, ..PLAIN };
    let told: Vec<String> = [
        ("80", render(&fixture::broken(), PLAIN)),
        ("40", render(&fixture::broken(), narrow)),
        ("accessible", render(&fixture::broken(), spoken)),
        ("accessible-verbose", render(&fixture::broken(), Manner { detail: Detail::Verbose, ..spoken })),
        ("quiet", render(&fixture::broken(), Manner { detail: Detail::Quiet, ..PLAIN })),
        ("verbose", render(&fixture::broken(), verbose)),
        ("verbose-40", render(&fixture::broken(), Manner { width: 40, ..verbose })),
        ("coloured", render(&fixture::broken(), Manner { colour: true, ..PLAIN })),
        ("redacted", render(&Report { redacted: true, ..fixture::broken() }, PLAIN)),
        ("healthy", render(&fixture::healthy(), PLAIN)),
        ("healthy-40", render(&fixture::healthy(), narrow)),
        ("inconclusive", render(&fixture::inconclusive(), PLAIN)),
        ("inconclusive-accessible", render(&fixture::inconclusive(), spoken)),
    ]
    .into_iter()
    .filter_map(|(name, text)| compare(name, &text).err())
    .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

fn manners() -> impl Iterator<Item = Manner> {
    DETAILS.into_iter().flat_map(|detail| {
        [1, 20, 40, 63, 64, 80, 120]
            .into_iter()
            .flat_map(move |width| [false, true].map(|accessible| Manner { detail, width, accessible, colour: false }))
    })
}

#[test]
fn colour_only_repeats_what_words_say() {
    for report in [fixture::broken(), fixture::healthy(), fixture::inconclusive()] {
        for manner in manners() {
            let coloured = render(&report, Manner { colour: true, ..manner });
            let mut plain = String::new();
            let mut parts = coloured.split("\x1b[");
            plain.push_str(parts.next().unwrap());
            for part in parts {
                let (style, text) = part.split_once('m').unwrap();
                // Bold, green, red, magenta and the end of them: never a shade of black or white, never dim.
                assert!(style.split(';').all(|code| ["0", "1", "31", "32", "35"].contains(&code)), "{style}");
                plain.push_str(text);
            }
            assert_eq!(plain, render(&report, manner));
        }
    }
}

#[test]
fn only_what_must_stay_whole_is_wider_than_the_screen() {
    for width in [40, 64, 80] {
        for detail in DETAILS {
            let text = render(&fixture::broken(), Manner { width, detail, ..PLAIN });
            let copied = ["mkdir -p", "ssh-add --", "https://", "ssh-keygen", "bbdoctor explain"];
            for line in text.lines().filter(|line| display_width(line) > width) {
                let words = line.trim_start();
                let alone = words.split(' ').filter(|word| !word.is_empty()).count() == 1;
                assert!(alone || copied.iter().any(|start| words.starts_with(start)), "{width}: {line}");
            }
        }
    }
}

#[test]
fn what_is_to_be_copied_stands_alone_on_its_line() {
    let report = fixture::broken();
    let cause = report.cause().unwrap();
    let wanted: Vec<String> = cause
        .remedies
        .iter()
        .flat_map(|r| match &r.action {
            Action::Run(argv) => vec![command_line(argv, false)],
            Action::Visit(page) => vec![page.clone()],
            Action::Edit(edit) if edit.change != Change::Append => edit.lines.clone(),
            Action::Edit(_) | Action::Ask => Vec::new(),
        })
        .chain([format!("bbdoctor explain {}", cause.code)])
        .collect();
    assert!(wanted.len() >= 7);
    for manner in manners().filter(|m| m.detail > Detail::Quiet) {
        let text = render(&report, manner);
        for copied in &wanted {
            assert!(text.lines().any(|line| line.trim() == copied.trim()), "{manner:?}: {copied}\n{text}");
        }
    }
}

#[test]
fn the_verdict_and_each_word_of_it_are_told_at_every_width() {
    let mut healthy = fixture::healthy();
    healthy.verdict.summary = "git can fetch ssh://git@bitbucket-of-a-company.example.com:7999/PROJECT/repository.git.".into();
    for report in [fixture::broken(), healthy, fixture::inconclusive()] {
        for manner in manners() {
            let text = render(&report, manner);
            let words: Vec<&str> = text.split_whitespace().collect();
            for word in report.verdict.summary.split_whitespace() {
                assert!(words.contains(&word), "{manner:?}: {word}\n{text}");
            }
            let status = ["HEALTHY:", "BROKEN:", "INCONCLUSIVE:", "The verdict is "];
            assert!(status.iter().any(|word| text.contains(word)), "{manner:?}\n{text}");
        }
    }
}

#[test]
fn the_cause_is_told_once() {
    for width in [80, 200] {
        let text = render(&fixture::broken(), Manner { width, ..PLAIN });
        assert_eq!(text.matches("ssh does not offer").count(), 1, "{text}");
    }
}

#[test]
fn a_report_for_a_screen_reader_has_no_glyphs_and_aligns_nothing() {
    for report in [fixture::broken(), fixture::healthy(), fixture::inconclusive()] {
        for detail in DETAILS {
            let hostile = fixture::hostile();
            let text = render(&report, Manner { detail, accessible: true, ..PLAIN })
                .replace(&hostile, "X")
                .replace(&hostile.replace("\\n", " / "), "X");
            let copied: Vec<&str> = report
                .checks
                .iter()
                .flat_map(|c| &c.findings)
                .flat_map(|f| &f.remedies)
                .flat_map(|r| if let Action::Edit(edit) = &r.action { edit.lines.as_slice() } else { &[] })
                .map(String::as_str)
                .collect();
            for line in text.lines().filter(|line| !copied.contains(line) && !line.starts_with("ssh-add --")) {
                assert!(!line.is_empty() && !line.starts_with(' ') && !line.contains("  "), "{line:?}");
                assert!(line.is_ascii(), "{line:?}");
                assert!(!line.contains(" > ") && !line.contains(" | "), "{line:?}");
            }
        }
    }
}

#[test]
fn no_table_where_there_are_no_keys_and_none_where_the_cause_is_another() {
    let told = |report: &Report, detail| render(report, Manner { detail, ..PLAIN }).contains("in which ssh tries them");
    let mut report = fixture::broken();
    assert!(told(&report, Detail::Normal) && told(&report, Detail::Verbose));
    report.checks.iter_mut().find(|c| c.id == CheckId::Authentication).unwrap().status = CheckStatus::Blocked;
    assert!(!told(&report, Detail::Normal) && told(&report, Detail::Verbose));
    report.identities.clear();
    assert!(!told(&report, Detail::Verbose));
}

#[test]
fn one_screen_is_enough_for_the_usual_case() {
    let mut report = fixture::broken();
    report.target.url = report.target.effective_url.clone();
    for check in &mut report.checks {
        check.findings.retain(|f| f.severity == Severity::Error);
        check.findings.iter_mut().for_each(|f| f.remedies.truncate(1));
        check.findings.iter_mut().for_each(|f| drop(f.evidence.shift_remove("comment")));
    }
    report.identities.drain(..2);
    let text = render(&report, PLAIN);
    assert!(text.lines().count() <= 24, "{} lines\n{text}", text.lines().count());
}
