//! The report as workflow commands of GitHub Actions: one annotation per finding, the cause first, because a step shows ten of
//! each kind; then, folded, the report for a person.
//!
//! No annotation names a file and a line. GitHub attaches them to files of the commit that was checked out, and the files that
//! decide about SSH (`~/.ssh`, `/etc/ssh`, `.git/config`) are never among those; the message says which file it is.
//!
//! Text of others cannot give a command: in an annotation the characters that end it are escaped as the runner unescapes them,
//! and while the folded report is printed the runner takes no commands, neither `::name::` nor the older `##[name]`.

use bbdoctor_checks::finding::Severity;

use super::human::{self, Manner};
use super::{CheckReport, FindingReport, Report, Subject, VerdictStatus};

/// The report, with a final line end. `manner` is that of the folded part.
pub(crate) fn render(report: &Report, manner: Manner) -> String {
    let mut out = String::new();
    if report.verdict.status != VerdictStatus::Broken {
        out += &verdict(report);
    }
    for (_, finding) in report.findings() {
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        out += &annotation(kind, &finding.code, &message(report, finding));
    }
    let text = human::render(report, manner);
    let token = token(&text);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    out + &format!("::group::Report of bbdoctor\n::stop-commands::{token}\n{text}{end}::{token}::\n::endgroup::\n")
}

/// A verdict that no finding stands for.
fn verdict(report: &Report) -> String {
    let verdict = &report.verdict;
    let unseen = report.checks.iter().filter(|check| check.is_unseen());
    let why = unseen.map(|c: &CheckReport| format!("{} ({}): {}", c.id, c.status.name(), c.outcome()));
    let kind = if verdict.status == VerdictStatus::Healthy { "notice" } else { "error" };
    let text: Vec<_> = std::iter::once(verdict.summary.clone()).chain(why).collect();
    annotation(kind, verdict.status.name(), &text.join("\n"))
}

fn message(report: &Report, finding: &FindingReport) -> String {
    let mut lines = vec![finding.summary.clone()];
    lines.extend(finding.subject.as_ref().map(Subject::described));
    lines.extend(finding.remedies.iter().flat_map(|remedy| remedy.lines(report.redacted)));
    lines.join("\n")
}

/// One command line.
fn annotation(kind: &str, title: &str, message: &str) -> String {
    format!("::{kind} title=bbdoctor {}::{}\n", property(title), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A word that does not occur in `text`, so that nothing in it can let the runner take commands again.
fn token(text: &str) -> String {
    let mut token = "bbdoctor-report".to_string();
    // The runner compares without regard to case.
    let text = text.to_lowercase();
    while text.contains(&token) {
        token.push_str("-end");
    }
    token
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::fixture;
    use crate::report::tests::{IN_FILE, fixtures, spoilt};

    /// What the runner acts on: the command, its properties and its data, unescaped.
    type Told = (String, String, String);

    const COMMANDS: &[&str] =
        &["error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "set-output", "add-path", "stop-commands"];

    /// Reads a log as the runner does: `::name properties::data` at the start of a line, blanks aside; `##[name properties]data`
    /// anywhere in it; nothing between `stop-commands` and its word.
    fn heard(log: &str) -> Vec<Told> {
        let mut told = Vec::new();
        let mut stopped: Option<String> = None;
        for line in log.split(['\n', '\r']) {
            let new = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
            let old = || line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'));
            let known = |name: &str| {
                let name = name.to_lowercase();
                COMMANDS.contains(&name.as_str()) || stopped.as_deref() == Some(&name)
            };
            let name = |info: &str| info.split(' ').next().unwrap_or_default().to_string();
            let found = new.filter(|(info, _)| known(&name(info))).or_else(|| old().filter(|(info, _)| known(&name(info))));
            let Some((info, data)) = found else { continue };
            let command = name(info).to_lowercase();
            match &stopped {
                Some(token) if *token == command => stopped = None,
                Some(_) => {}
                None if command == "stop-commands" => stopped = Some(unescaped(data)),
                None => told.push((command, unescaped(info.split_once(' ').map_or("", |(_, p)| p)), unescaped(data))),
            }
        }
        assert_eq!(stopped, None, "the runner takes commands again");
        told
    }

    fn unescaped(text: &str) -> String {
        let order = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        order.iter().fold(text.to_string(), |text, (escaped, plain)| text.replace(escaped, plain))
    }

    const AWKWARD: &[&str] = &[
        "::error::forged",
        "\n::error::forged",
        "\r::add-mask::a",
        "  ::stop-commands::x\n",
        "##[error]forged",
        "\n##[add-mask]b",
        "bbdoctor-report",
        "\n::bbdoctor-report::\n::error::forged",
        "\n::BBDOCTOR-REPORT::\n",
        "##[bbdoctor-report]\n##[error]x",
        "bbdoctor-report-end",
        "%0A",
        "%250A",
        "%",
        "::",
        ",",
        "title=x",
        "word",
        " ",
        "\u{85}",
        "]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn text_of_others_gives_no_command(texts in prop::collection::vec(prop::collection::vec(prop::sample::select(AWKWARD), 0..4), 1..12)) {
            let texts: Vec<_> = texts.into_iter().map(|parts| parts.concat()).collect();
            let mut next = texts.iter().cycle();
            let report = spoilt(fixture::broken(), &mut |_| next.next().cloned().unwrap_or_default());
            let mut expected: Vec<Told> = report
                .findings()
                .map(|(_, f)| (f.severity.name().to_string(), format!("title=bbdoctor {}", f.code), message(&report, f)))
                .collect();
            expected.push(("group".into(), String::new(), "Report of bbdoctor".into()));
            expected.push(("endgroup".into(), String::new(), String::new()));
            prop_assert_eq!(heard(&render(&report, IN_FILE)), expected);
        }
    }

    #[test]
    fn the_first_annotation_is_the_verdict() {
        let first = fixtures().map(|report| heard(&render(&report, IN_FILE)).swap_remove(0));
        let names = first.map(|(command, title, _)| (command, title.strip_prefix("title=bbdoctor ").map(String::from)));
        let expected = [("error", "identities-only-excludes-key"), ("notice", "healthy"), ("error", "inconclusive")];
        assert_eq!(names, expected.map(|(command, title)| (command.to_string(), Some(title.to_string()))));
    }

    #[test]
    fn a_title_cannot_end_early() {
        assert_eq!(annotation("error", "a,b:c%", "d:%\n"), "::error title=bbdoctor a%2Cb%3Ac%25::d:%25%0A\n");
    }
}
