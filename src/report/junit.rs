//! The report as JUnit XML, for the services that show tests: one test case per check, passes among them; the verdict stands
//! among the properties and in the output of the suite.
//!
//! What could not be examined is an error where the verdict is inconclusive because of it, and skipped where git works all the
//! same. (A check that crashed is always an error: that wants to be reported.) A service that shows failures alone and cuts them,
//! as Bitbucket Pipelines does after 2,000 characters, still shows what is wrong and what to do: they come first.

use std::time::Duration;

use bbdoctor_checks::privacy::neutralise;
use quick_junit::{NonSuccessKind, Property, Report as Suites, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::words::{confidence, side};
use super::{CheckReport, CheckStatus, FindingReport, Report, VerdictStatus};

/// The `classname` of every case.
const CLASS: &str = "bbdoctor";

/// The report, with a final line end.
///
/// # Errors
/// None that a report can cause; the encoder's signature has one.
pub(crate) fn render(report: &Report) -> Result<String, SerializeError> {
    let duration = Duration::from_millis(report.duration_ms);
    let mut suite = TestSuite::new(CLASS);
    suite.set_time(duration);
    suite.extra.insert("timestamp".into(), xml(&report.started_at).into());
    suite.add_properties(properties(report));
    suite.set_system_out(judged(report));
    for check in &report.checks {
        let mut case = case(check.id.name(), ended(report, check));
        case.set_time(Duration::from_millis(check.duration_ms));
        if !matches!(check.status, CheckStatus::Fail) && !check.findings.is_empty() {
            case.set_system_out(told(report, &check.findings.iter().collect::<Vec<_>>()));
        }
        suite.add_test_case(case);
    }
    let mut suites = Suites::new(CLASS);
    suites.set_time(duration);
    suites.add_test_suite(suite);
    suites.to_string()
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_classname(CLASS);
    case
}

/// What a reader of the suite may search for or group by.
fn properties(report: &Report) -> Vec<Property> {
    let (verdict, target, machine) = (&report.verdict, &report.target, &report.machine);
    let facts = [
        ("version", Some(report.bbdoctor.version.as_str())),
        ("status", Some(verdict.status.name())),
        ("root-cause", verdict.root_cause.as_ref().map(|root| root.code.as_str())),
        ("transient", Some(if verdict.transient { "true" } else { "false" })),
        ("operation", Some(target.operation.name())),
        ("target", target.url.as_deref().or(target.host.as_deref())),
        ("service", target.service.as_deref()),
        ("system", Some(machine.system.as_str())),
        ("ci", machine.ci.as_deref()),
        ("redacted", Some(if report.redacted { "true" } else { "false" })),
        ("quotations-left-out", report.quotations_left_out.then_some("true")),
    ];
    facts.into_iter().filter_map(|(name, fact)| Some(Property::new(name, xml(fact?)))).collect()
}

/// The verdict: what breaks git, or what could not be examined.
fn judged(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut said = vec![format!("{}: {}", verdict.status.name(), verdict.summary)];
    match &verdict.root_cause {
        Some(root) => {
            said.push(format!("{} ({}; {})", root.code, confidence(root.confidence), side(root.side)));
            for (what, codes) in [("It explains", &verdict.explains), ("Also found", &verdict.also)] {
                said.extend((!codes.is_empty()).then(|| format!("{what}: {}", codes.join(", "))));
            }
        }
        None if verdict.status == VerdictStatus::Healthy => {}
        None => {
            let unseen = report.checks.iter().filter(|check| check.is_unseen());
            said.extend(unseen.map(|c| format!("{} ({}): {}", c.id, c.status.name(), c.outcome())));
        }
    }
    lines(&said.join("\n"))
}

/// A check's case.
fn ended(report: &Report, check: &CheckReport) -> TestCaseStatus {
    let healthy = report.verdict.status == VerdictStatus::Healthy;
    match check.status {
        CheckStatus::Pass | CheckStatus::Warn => TestCaseStatus::success(),
        CheckStatus::Fail => {
            let cause = report.verdict.root_cause.as_ref();
            match report.findings().find(|(of, finding)| std::ptr::eq(*of, check) && finding.blocking) {
                Some((_, worst)) => {
                    let all: Vec<_> = report.findings().filter(|(of, _)| std::ptr::eq(*of, check)).map(|(_, f)| f).collect();
                    red(NonSuccessKind::Failure, &worst.code, &worst.summary, &told(report, &all))
                }
                // git fails, and why is said elsewhere.
                None => {
                    red(NonSuccessKind::Failure, cause.map_or(check.id.name(), |root| &root.code), &check.outcome(), &check.title)
                }
            }
        }
        CheckStatus::Crashed => red(NonSuccessKind::Error, "crashed", &check.outcome(), &check.title),
        CheckStatus::Unknown if !healthy => red(NonSuccessKind::Error, "unknown", &check.outcome(), &check.title),
        CheckStatus::Unknown | CheckStatus::Blocked | CheckStatus::Skipped | CheckStatus::NotApplicable => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(xml(&format!("{}: {}", check.status.name(), check.outcome())));
            skipped
        }
    }
}

/// A failure or an error.
fn red(kind: NonSuccessKind, code: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(xml(code)).set_message(xml(message)).set_description(lines(text));
    status
}

/// Findings as text: each with what to do, then with what was seen.
fn told(report: &Report, findings: &[&FindingReport]) -> String {
    let mut text = Vec::new();
    for finding in findings {
        text.push(format!("{} {}: {}", finding.severity.name(), finding.code, finding.summary));
        text.extend(finding.remedies.iter().flat_map(|remedy| remedy.lines(report.redacted)).map(|line| format!("  {line}")));
        text.extend(finding.subject.iter().map(|subject| format!("  {}", subject.described())));
        text.extend(finding.evidence.iter().map(|(name, value)| format!("  {name}: {value}")));
    }
    lines(&text.join("\n"))
}

/// Text of one line that XML 1.0 can hold: its forbidden characters become visible, as in every form of the report.
fn xml(text: &str) -> String {
    let mut text = neutralise(text, usize::MAX);
    for forbidden in ['\u{fffe}', '\u{ffff}'] {
        text = text.replace(forbidden, &format!("\\u{{{:x}}}", forbidden as u32));
    }
    text
}

/// As [`xml`], for several lines.
fn lines(text: &str) -> String {
    text.split('\n').map(xml).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the validity is a program's to judge")]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::report::fixture;
    use crate::report::tests::{fixtures, spoilt};

    /// Fails unless every one of the documents is valid.
    fn validate(documents: &[String]) {
        let folder = tempfile::tempdir().unwrap();
        let mut xmllint = Command::new("xmllint");
        xmllint.args(["--noout", "--nonet", "--schema", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/fixtures/junit.xsd")]);
        for (n, document) in documents.iter().enumerate() {
            let file = folder.path().join(format!("{n}.xml"));
            std::fs::write(&file, document).unwrap();
            xmllint.arg(file);
        }
        let done = xmllint.output().expect("xmllint (libxml2-utils) is needed to run the tests");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn it_is_valid_whatever_the_report_holds() {
        let mut documents = fixtures().map(|report| render(&report).unwrap()).to_vec();
        let odd: String =
            (0..0x200).chain([0xd7ff, 0xe000, 0xfffd, 0xfffe, 0xffff, 0x1fffe, 0x10ffff]).filter_map(char::from_u32).collect();
        let mut texts = vec![odd, "]]>".into(), "<![CDATA[ &amp; <!-- -- --> &#0; <?xml?>".into(), String::new(), "\n\t\r ".into()];
        let mut runner = TestRunner::deterministic();
        texts.extend((0..40).map(|_| any::<String>().new_tree(&mut runner).unwrap().current()));
        documents.extend(texts.iter().map(|text| render(&spoilt(fixture::broken(), &mut |_| text.clone())).unwrap()));
        validate(&documents);
    }

    /// How each case ends, by its name.
    fn endings(report: &Report) -> Vec<(String, &'static str)> {
        let suites = Suites::deserialize_from_str(&render(report).unwrap()).unwrap();
        let ending = |status: &TestCaseStatus| match status {
            TestCaseStatus::Success { .. } => "passed",
            TestCaseStatus::Skipped { .. } => "skipped",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        };
        let cases = suites.test_suites.iter().flat_map(|suite| &suite.test_cases);
        cases.map(|case| (case.name.as_str().to_string(), ending(&case.status))).collect()
    }

    #[test]
    fn it_is_green_exactly_when_the_verdict_is_healthy() {
        for mut report in fixtures() {
            assert_eq!(endings(&report).len(), report.checks.len(), "a case per check");
            // Whatever could not be looked at, it decides nothing that the verdict has not decided.
            let last = report.checks.len() - 1;
            for status in [CheckStatus::Unknown, CheckStatus::Blocked, CheckStatus::Skipped, CheckStatus::NotApplicable] {
                report.checks[0].status = status;
                let inconclusive = report.verdict.status == VerdictStatus::Inconclusive;
                if inconclusive {
                    report.checks[last].status = CheckStatus::Unknown;
                }
                let red = endings(&report).iter().any(|(_, ending)| ["failure", "error"].contains(ending));
                assert_eq!(red, report.verdict.status != VerdictStatus::Healthy, "{status:?}");
            }
            let suites = Suites::deserialize_from_str(&render(&report).unwrap()).unwrap();
            let said = suites.test_suites[0].system_out.as_ref().expect("the verdict").as_str().to_string();
            assert!(said.starts_with(report.verdict.status.name()), "{said}");
        }
    }

    #[test]
    fn every_ending_of_a_check_has_its_own() {
        let mut report = fixture::inconclusive();
        for (status, expected) in [
            (CheckStatus::Pass, "passed"),
            (CheckStatus::Warn, "passed"),
            (CheckStatus::Fail, "failure"),
            (CheckStatus::Blocked, "skipped"),
            (CheckStatus::Unknown, "error"),
            (CheckStatus::Skipped, "skipped"),
            (CheckStatus::NotApplicable, "skipped"),
            (CheckStatus::Crashed, "error"),
        ] {
            report.checks[0].status = status;
            assert_eq!(endings(&report)[0], (report.checks[0].id.name().to_string(), expected));
        }
    }
}
