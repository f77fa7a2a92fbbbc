//! What bbdoctor must have said, given what git does.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::case::{Expected, REPLAYED, REPORT, ROW};
use super::forms;
use super::namespace::{BBDOCTOR, HOME};
use super::programs::Done;
use super::replay;
use super::snapshot;
use super::world::World;

/// How much longer than its budget bbdoctor may run on a busy machine.
const SLACK: Duration = Duration::from_secs(4);
/// Whatever it does, it is not waited for longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Only git is asked: for working on the set-ups themselves.
pub(crate) fn only_git() -> bool {
    std::env::var("BBDOCTOR_CASES").is_ok_and(|mode| mode == "oracle")
}

impl World {
    /// git fails and bbdoctor names one of `codes` as the cause. Gives the report, unless only git is asked.
    pub(crate) fn expect_cause(&mut self, codes: &[&str]) -> Option<Value> {
        let (report, git) = self.ask();
        assert!(!git.worked(), "the case is wrong: git works here");
        let report = report?;
        let cause = &report["verdict"]["root_cause"]["code"];
        assert_eq!(report["verdict"]["status"], "broken", "git fails ({}), yet bbdoctor says\n{report:#}", git.stderr);
        assert!(
            codes.iter().any(|code| cause == code),
            "the cause is one of {codes:?}, bbdoctor named {cause}; git said\n{}\n{report:#}",
            git.stderr
        );
        Some(report)
    }

    /// git fails because of `cause`; `warned` is told beside it as what it is here: no part of the break.
    pub(crate) fn expect_warning(&mut self, cause: &str, warned: &str) {
        let (report, git) = self.ask();
        assert!(!git.worked(), "the case is wrong: git works here");
        let Some(report) = report else { return };
        assert_eq!(report["verdict"]["root_cause"]["code"], cause, "{report:#}");
        let beside = findings(&report).find(|finding| finding["code"] == warned);
        let beside = beside.unwrap_or_else(|| panic!("{warned} is not among the findings\n{report:#}"));
        assert_eq!((&beside["severity"], &beside["blocking"]), (&"warning".into(), &false.into()), "{beside:#}");
    }

    /// git works and bbdoctor finds nothing broken.
    pub(crate) fn expect_healthy(&mut self) {
        self.expect_advice(&[]);
    }

    /// git works, bbdoctor finds nothing broken and has all of `codes` among its findings.
    pub(crate) fn expect_advice(&mut self, codes: &[&str]) {
        let (report, git) = self.ask();
        assert!(git.worked(), "the case is wrong: git fails here: {git:?}");
        let Some(report) = report else { return };
        assert_eq!(report["verdict"]["status"], "healthy", "git works, yet bbdoctor says\n{report:#}");
        for finding in findings(&report) {
            assert_ne!(finding["blocking"], true, "git works, yet this is called blocking: {finding:#}");
        }
        let found: Vec<&str> = findings(&report).filter_map(|finding| finding["code"].as_str()).collect();
        for code in codes {
            assert!(found.contains(code), "{code} is not among the findings {found:?}");
        }
    }

    /// What git does cannot be known without starting another program, and bbdoctor was told to start none.
    pub(crate) fn expect_nothing_certain(&mut self) {
        self.args.push("--no-exec".into());
        let (report, _) = self.ask();
        let Some(report) = report else { return };
        assert_eq!(report["verdict"]["status"], "inconclusive", "{report:#}");
    }

    /// Whatever git does, bbdoctor's report must be complete and in time; the verdict must agree with git.
    pub(crate) fn expect_agreement(&mut self) {
        let (report, git) = self.ask();
        let Some(report) = report else { return };
        let wanted = if git.worked() { "healthy" } else { "broken" };
        assert_eq!(report["verdict"]["status"], wanted, "git said\n{}\n{report:#}", git.stderr);
    }

    /// bbdoctor alone opens exactly `count` connections to the service at `address`.
    pub(crate) fn expect_connections(&mut self, address: &str, count: usize) {
        if !only_git() {
            self.doctor();
            let log = super::server::log();
            let to_address = format!(" on {address} ");
            let accepted = log.lines().filter(|line| line.starts_with("Connection from ") && line.contains(&to_address)).count();
            assert_eq!(accepted, count, "{log}");
        }
    }

    /// Asks bbdoctor first (it changes nothing), then git. The report is `None` when only git is asked.
    pub(crate) fn ask(&mut self) -> (Option<Value>, Done) {
        let report = (!only_git()).then(|| self.doctor());
        let git = self.git();
        println!("git {:?} in {:?}\n{}", git.status, git.took, git.stderr);
        (report, git)
    }

    /// bbdoctor's report, checked for everything that is true of every report.
    pub(crate) fn doctor(&mut self) -> Value {
        let before = snapshot::of(Path::new(HOME));
        let running = snapshot::programs();
        let mut words = vec!["--format".into(), "json".into(), "--timeout".into(), self.budget.as_secs().to_string().into()];
        words.extend(forms::options());
        words.extend(replay::options());
        words.extend(self.args.clone());
        words.extend(self.target.clone().unwrap_or_else(|| Some(self.url.clone())));
        let done = self.run(BBDOCTOR.as_ref(), &words, LIMIT);
        println!("bbdoctor {:?} in {:?}\n{}", done.status, done.took, done.stderr);
        assert!(!done.stderr.contains("panicked"), "bbdoctor panicked:\n{}", done.stderr);
        assert!(done.took < self.budget + SLACK, "a budget of {:?}, and bbdoctor took {:?}", self.budget, done.took);
        let report = serde_json::from_slice(&done.stdout);
        self.print_row(report.as_ref().ok());
        let report: Value = report.unwrap_or_else(|error| {
            panic!("stdout is not one JSON document ({error}):\n{}", String::from_utf8_lossy(&done.stdout))
        });
        println!("{REPORT}{report}");
        replay::judge(&report);
        println!("\n{REPLAYED}");
        let mut documents = forms::judge(&report);
        documents.push(report.clone());
        self.check_schema(&documents);
        check_verdict(&report, &done);
        assert_eq!(snapshot::of(Path::new(HOME)), before, "something in the user's home was changed");
        nothing_left(&running);
        report
    }

    /// The case's row of the table of confusions, printed before anything is asserted.
    fn print_row(&self, report: Option<&Value>) {
        let Some((case, expected, codes)) = &self.row else { return };
        let verdict = report.map(|report| &report["verdict"]);
        let cause = verdict.and_then(|verdict| verdict["root_cause"]["code"].as_str().or(verdict["status"].as_str()));
        let advised = report.and_then(|report| {
            findings(report).filter_map(|finding| finding["code"].as_str()).find(|code| codes.iter().any(|advised| advised == code))
        });
        let (injected, named) = match expected {
            Expected::Broken => (codes.join(","), cause),
            Expected::Advised => (codes.join(","), advised.filter(|_| cause == Some("healthy")).or(cause)),
            Expected::Healthy => ("healthy".to_owned(), cause),
            Expected::Inconclusive if codes.is_empty() => ("inconclusive".to_owned(), cause),
            Expected::Inconclusive => (codes.join(","), advised.filter(|_| cause == Some("inconclusive")).or(cause)),
            Expected::Agreement => ("anything".to_owned(), cause),
        };
        let graded = |f: &Value| Some(format!("{}/{}", f["code"].as_str()?, f["severity"].as_str()?));
        let found: Vec<String> = report.iter().flat_map(|report| findings(report)).filter_map(graded).collect();
        let row = serde_json::json!({"case": case, "found": found, "injected": injected, "named": named.unwrap_or("no-report")});
        println!("\n{ROW}{row}");
    }

    /// The reports are valid against what `bbdoctor schema` prints.
    fn check_schema(&self, reports: &[Value]) {
        let done = self.run(BBDOCTOR.as_ref(), &["schema".into()], LIMIT);
        let schema: Value = serde_json::from_slice(&done.stdout).expect("`bbdoctor schema` prints JSON");
        let validator = jsonschema::validator_for(&schema).expect("`bbdoctor schema` prints a JSON Schema");
        for report in reports {
            let errors: Vec<String> =
                validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "the report is not valid: {errors:#?}");
        }
    }
}

/// All findings of all checks.
pub(crate) fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["checks"].as_array().into_iter().flatten().flat_map(|check| check["findings"].as_array().into_iter().flatten())
}

/// Exit status, verdict, cause and findings fit each other.
fn check_verdict(report: &Value, done: &Done) {
    let verdict = &report["verdict"];
    let status = verdict["status"].as_str().unwrap_or_default();
    let transient = verdict["transient"] == true;
    let exit = match status {
        "healthy" => 0,
        "broken" if transient => 75,
        "broken" => 1,
        "inconclusive" => 3,
        other => panic!("no such verdict: {other:?}"),
    };
    assert_eq!(done.status.and_then(|status| status.code()), Some(exit), "the verdict is {status}, transient {transient}");
    assert_eq!(verdict["root_cause"].is_null(), status != "broken", "a root cause, exactly when something is broken: {verdict:#}");
    let listed = |list: &Value, code: &Value| list.as_array().is_some_and(|codes| codes.contains(code));
    for finding in findings(report).filter(|finding| finding["blocking"] == true) {
        let code = &finding["code"];
        assert!(
            verdict["root_cause"]["code"] == *code || listed(&verdict["explains"], code) || listed(&verdict["also"], code),
            "{code} is blocking and the verdict does not account for it: {verdict:#}"
        );
    }
}

/// Programs bbdoctor started end with it (within a moment: they may still be about to exit).
fn nothing_left(before: &std::collections::BTreeMap<u32, String>) {
    let mut left = Vec::new();
    for _ in 0..100 {
        left = snapshot::programs().into_iter().filter(|(id, _)| !before.contains_key(id)).collect();
        if left.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("still running: {left:?}");
}
