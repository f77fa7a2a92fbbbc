//! From findings to a verdict: pure functions over the results of the checks.
//!
//! Structure comes first: on the way of a clone, the earliest finding that stops git is the candidate, and what comes after
//! it is explained by it. Then come the [`RULES`], for causes that only several findings together reveal. What git itself
//! did outweighs both: what git got past cannot be the cause, and where git works nothing is called broken.

use bbdoctor_checks::check::{Findings, Meta};
use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::Operation;
use bbdoctor_checks::facts::git_answer::GitOutcome;
use bbdoctor_checks::finding::{Code, Finding, Severity, Strikes};
use bbdoctor_checks::privacy::Text;
use bbdoctor_checks::text;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It looked, and nothing is wrong.
    Pass,
    /// It found a risk.
    Warn,
    /// It found something that stops git.
    Fail,
    /// An earlier check failed, and without it this one cannot look.
    Blocked,
    /// It tried and could not find out.
    Unknown,
    /// The user asked not to look (`--offline`).
    Skipped,
    /// The user did not select it (`--only`, `--skip`).
    NotSelected,
    /// The question does not arise.
    NotApplicable,
    /// A fault of bbdoctor in this check.
    Crashed,
}

/// One check, run.
#[derive(Debug)]
pub(crate) struct CheckResult {
    /// The check.
    pub(crate) meta: &'static Meta,
    /// How it ended.
    pub(crate) status: Status,
    /// What it saw, in one sentence.
    pub(crate) summary: Text,
    /// The check that stands in its way.
    pub(crate) blocked_by: Option<CheckId>,
    /// What it found.
    pub(crate) findings: Vec<Finding>,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: u64,
}

impl CheckResult {
    /// A check that answered.
    pub(crate) fn answered(meta: &'static Meta, found: Findings, duration_ms: u64) -> Self {
        debug_assert!(found.findings.iter().all(|f| f.code.check() == meta.id), "{} has a code of another check", meta.id);
        let mut result = CheckResult {
            meta,
            status: Status::Pass,
            summary: found.summary,
            blocked_by: None,
            findings: found.findings,
            duration_ms,
        };
        result.restate();
        result
    }

    /// Makes the status say what the findings say.
    fn restate(&mut self) {
        if matches!(self.status, Status::Pass | Status::Warn | Status::Fail) {
            self.status = match self.findings.iter().map(|f| f.severity).max() {
                Some(Severity::Error) => Status::Fail,
                Some(Severity::Warning) => Status::Warn,
                Some(Severity::Info) | None => Status::Pass,
            };
        }
    }
}

/// The whole judgement.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing stands in git's way.
    Healthy,
    /// git fails because of this.
    Broken(Box<Cause>),
    /// It could not be found out: these checks could not look.
    Inconclusive(Vec<CheckId>),
}

/// What breaks git.
#[derive(Debug)]
pub(crate) struct Cause {
    /// The check that found it.
    pub(crate) check: CheckId,
    /// What it found.
    pub(crate) finding: Finding,
    /// Findings that follow from it.
    pub(crate) explains: Vec<Code>,
    /// Findings that do not.
    pub(crate) also: Vec<Code>,
}

/// A cause that several findings together reveal: looks at all blocking findings and names the one to prefer.
struct Rule {
    /// What it concludes; the case that needs it is named in its documentation.
    conclude: fn(&[Candidate]) -> Option<Code>,
}

/// A finding that stops git, with the step on the way of a clone at which it strikes.
struct Candidate<'a> {
    step: usize,
    check: CheckId,
    finding: &'a Finding,
}

/// The rules, the first that concludes anything wins.
const RULES: &[Rule] =
    &[Rule { conclude: a_stream_that_breaks_is_no_refusal }, Rule { conclude: a_port_that_became_a_path_is_missing }];

/// A login that fails because the stream is garbled or cut looks like a refusal; what breaks the stream is the cause.
/// Case: `handshake::something_is_changed_on_the_way`.
fn a_stream_that_breaks_is_no_refusal(candidates: &[Candidate]) -> Option<Code> {
    candidates.first().filter(|c| c.finding.code == Code::AuthenticationFailed)?;
    candidates.iter().map(|c| c.finding.code).find(|code| matches!(code, Code::ProtocolError | Code::ClosedDuringHandshake))
}

/// Where ssh connects to a wrong port and the URL has one that git takes for a part of the path, that is what was meant.
/// Case: `url::port_of_data_center_in_the_short_form`.
fn a_port_that_became_a_path_is_missing(candidates: &[Candidate]) -> Option<Code> {
    candidates.first().filter(|c| c.finding.code == Code::PortOverridden)?;
    candidates.iter().map(|c| c.finding.code).find(|code| *code == Code::UrlMalformed)
}

/// Judges the results, after making them agree with what git did.
pub(crate) fn judge(results: &mut [CheckResult], witness: &GitOutcome) -> Verdict {
    follow_git(results, witness);
    if *witness == GitOutcome::Unknowable {
        doubt_what_ssh_meets(results);
    }
    let turn = |id: CheckId| results.iter().position(|r| r.meta.id == id).unwrap_or(results.len());
    let (login, session) = (turn(CheckId::Authentication), turn(CheckId::RepositoryAccess));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (step, result) in results.iter().enumerate() {
        for finding in result.findings.iter().filter(|f| f.blocking) {
            let step = match finding.strikes {
                Strikes::InItsTurn => step,
                Strikes::AtLogin => step.max(login),
                Strikes::AfterLogin => step.max(session),
            };
            candidates.push(Candidate { step, check: result.meta.id, finding });
        }
    }
    // Stable: what strikes at the same time stays in the order of the checks.
    candidates.sort_by_key(|c| c.step);
    if let Some(first) = candidates.first() {
        let chosen = RULES
            .iter()
            .find_map(|rule| (rule.conclude)(&candidates))
            .and_then(|code| candidates.iter().find(|c| c.finding.code == code))
            .unwrap_or(first);
        let cause = cause(chosen, &candidates, results);
        explained(results, &cause);
        return Verdict::Broken(Box::new(cause));
    }
    match witness.works() {
        Some(true) => return Verdict::Healthy,
        Some(false) => return Verdict::Inconclusive(vec![CheckId::GitAgrees]),
        None if *witness == GitOutcome::Unknowable => return Verdict::Inconclusive(vec![CheckId::GitAgrees]),
        None => {}
    }
    let unseen: Vec<_> = results
        .iter()
        .filter(|r| match r.status {
            Status::Blocked | Status::Unknown | Status::Skipped | Status::Crashed => r.meta.id != CheckId::GitAgrees,
            // Who selects checks asks for no more than those; but without a network no answer is whole.
            Status::NotSelected => *witness == GitOutcome::Offline,
            Status::Pass | Status::Warn | Status::Fail | Status::NotApplicable => false,
        })
        .map(|r| r.meta.id)
        .collect();
    let git_unseen = witness.works().is_none() && witness.was_asked();
    match (unseen.is_empty(), git_unseen) {
        (true, false) => Verdict::Healthy,
        (true, true) => Verdict::Inconclusive(vec![CheckId::GitAgrees]),
        (false, _) => Verdict::Inconclusive(unseen),
    }
}

/// Takes back what git's own run refutes: everything where git works, and whatever lies before the point git reached.
fn follow_git(results: &mut [CheckResult], witness: &GitOutcome) {
    let works = witness.works() == Some(true);
    let reached = match witness.got_past().and_then(|id| results.iter().position(|r| r.meta.id == id)) {
        _ if works => results.len(),
        Some(last) => last + 1,
        None => 0,
    };
    for result in &mut results[..reached] {
        result.findings.iter_mut().filter(|f| works || f.strikes < Strikes::AfterLogin).for_each(Finding::demote);
        result.restate();
    }
}

/// What ssh would meet after it is started says little of a program that stands in its place. What stops git before that stays.
/// Case: `ssh_program::nobody_asks_the_wrapper`.
fn doubt_what_ssh_meets(results: &mut [CheckResult]) {
    for result in results.iter_mut().skip_while(|r| r.meta.id != CheckId::Tools).skip(1) {
        result.findings.iter_mut().for_each(Finding::demote);
        result.restate();
    }
}

/// Once a cause is named, git's failure is not unexplained any more; the check still fails, as git does.
fn explained(results: &mut [CheckResult], cause: &Cause) {
    if cause.finding.code != Code::GitFailsUnexplained {
        results.iter_mut().for_each(|r| r.findings.retain(|f| f.code != Code::GitFailsUnexplained));
    }
}

fn cause(chosen: &Candidate, candidates: &[Candidate], results: &[CheckResult]) -> Cause {
    let mut explains = Vec::new();
    let mut also = Vec::new();
    for other in candidates.iter().filter(|c| !std::ptr::eq(c.finding, chosen.finding)) {
        let list = if other.step >= chosen.step { &mut explains } else { &mut also };
        list.push(other.finding.code);
    }
    let warnings = results.iter().flat_map(|r| &r.findings).filter(|f| !f.blocking && f.severity == Severity::Warning);
    also.extend(warnings.map(|f| f.code));
    for list in [&mut explains, &mut also] {
        list.retain(|code| *code != chosen.finding.code && *code != Code::GitFailsUnexplained);
        list.sort_unstable();
        list.dedup();
    }
    also.retain(|code| !explains.contains(code));
    Cause { check: chosen.check, finding: chosen.finding.clone(), explains, also }
}

impl Verdict {
    /// One sentence for a reader who reads nothing else.
    pub(crate) fn summary(&self, results: &[CheckResult], operation: Operation) -> Text {
        let warnings = results.iter().flat_map(|r| &r.findings).filter(|f| f.severity == Severity::Warning).count();
        let left_out = results.iter().filter(|r| r.status == Status::NotSelected).count();
        let git_works = results.iter().any(|r| r.meta.id == CheckId::GitAgrees && matches!(r.status, Status::Pass | Status::Warn));
        match self {
            Verdict::Healthy if left_out > 0 && !git_works => {
                text!(
                    "Nothing that was examined keeps git from a {}; {} checks were left out, and there are {} warnings.",
                    operation.name(),
                    left_out,
                    warnings
                )
            }
            Verdict::Healthy if warnings == 0 => text!("git can {} over SSH; nothing stands in the way.", operation.name()),
            Verdict::Healthy if warnings == 1 => text!("git can {} over SSH; there is 1 warning.", operation.name()),
            Verdict::Healthy => text!("git can {} over SSH; there are {} warnings.", operation.name(), warnings),
            Verdict::Broken(cause) => cause.finding.summary.clone(),
            Verdict::Inconclusive(unseen) => {
                let which = match unseen.as_slice() {
                    [first, more @ ..] if more.len() > 2 => text!("{} and {} more checks", first.name(), more.len()),
                    all => Text::join(all.iter().map(|id| Text::from(id.name())), ", "),
                };
                text!("Could not find out whether git can {}: {} could not be examined.", operation.name(), which)
            }
        }
    }
}

#[cfg(test)]
mod tests;
