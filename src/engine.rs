//! Has the facts gathered, runs the checks over them in sequence, and keeps the promise to answer in time.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bbdoctor_checks::check::Check;
use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::Facts;
use bbdoctor_checks::need::Need;
use bbdoctor_checks::privacy::Text;
use bbdoctor_checks::text;
use bbdoctor_checks::unavailable::Unavailable;
use bbdoctor_evidence::gather::{Beginning, Waiting, gather};

use crate::diagnosis::{CheckResult, Status};

/// Gathering ends by itself when the budget is spent. So long after that it is given up.
const GRACE: Duration = Duration::from_millis(1500);

/// Which checks to run.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Only these, unless empty.
    pub(crate) only: Vec<CheckId>,
    /// Not these.
    pub(crate) skip: Vec<CheckId>,
}

impl Selection {
    fn takes(&self, id: CheckId) -> bool {
        (self.only.is_empty() || self.only.contains(&id)) && !self.skip.contains(&id)
    }

    /// Whether any check is left.
    pub(crate) fn is_empty(&self) -> bool {
        !CheckId::ALL.iter().any(|id| self.takes(*id))
    }

    /// What the selected checks need.
    fn needs(&self) -> BTreeSet<Need> {
        let chosen = bbdoctor_checks::ALL.iter().filter(|check| self.takes(check.meta().id));
        chosen.flat_map(|check| check.meta().needs).copied().collect()
    }
}

/// Gathers what the selected checks need and tells `watch` what is waited for. Where it does not come to its end, which is a fault of
/// bbdoctor or of the disk, the facts say so: the report is never lost.
#[allow(clippy::disallowed_methods, reason = "the run's clock")]
pub(crate) fn find_out(beginning: Beginning, selection: &Selection, watch: impl Fn(Waiting) + Send + Sync + 'static) -> Facts {
    let needs = selection.needs();
    let (request, environment, services) = (beginning.request.clone(), beginning.environment.clone(), beginning.services.clone());
    let until = beginning.started + Duration::from_millis(request.budget_ms) + GRACE;
    let (sender, gathered) = mpsc::channel();
    let gathering = move || _ = sender.send(gather(beginning, &needs, &watch));
    let begun = thread::Builder::new().name("gather".into()).spawn(gathering);
    let facts = begun.ok().and_then(|_| gathered.recv_timeout(until.saturating_duration_since(Instant::now())).ok());
    facts.unwrap_or_else(|| Facts::unfinished(request, environment, services))
}

/// Runs the selected checks in order. One that panics is `crashed`.
pub(crate) fn examine(facts: &Facts, selection: &Selection) -> Vec<CheckResult> {
    let result = |check: &&'static dyn Check| match selection.takes(check.meta().id) {
        _ if facts.unfinished => {
            let budget = facts.request.budget_ms / 1000;
            ended(*check, Status::Unknown, text!("not finished when the budget of {} s was spent", budget))
        }
        true => run(*check, facts),
        false => ended(*check, Status::NotSelected, "not selected".into()),
    };
    bbdoctor_checks::ALL.iter().map(result).collect()
}

#[allow(clippy::disallowed_methods, reason = "how long a check takes")]
fn run(check: &dyn Check, facts: &Facts) -> CheckResult {
    let begun = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| check.run(facts)));
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut result = match answer {
        Ok(Ok(found)) => return CheckResult::answered(check.meta(), found, duration_ms),
        Ok(Err(Unavailable::Blocked { by, why })) => CheckResult { blocked_by: Some(by), ..ended(check, Status::Blocked, why) },
        Ok(Err(Unavailable::Unknown { why })) => ended(check, Status::Unknown, why),
        Ok(Err(Unavailable::Skipped { why })) => ended(check, Status::Skipped, why),
        Ok(Err(Unavailable::NotApplicable { why })) => ended(check, Status::NotApplicable, why),
        Err(_) => ended(check, Status::Crashed, "this check crashed, which is a fault of bbdoctor".into()),
    };
    result.duration_ms = duration_ms;
    result
}

fn ended(check: &dyn Check, status: Status, summary: Text) -> CheckResult {
    CheckResult { meta: check.meta(), status, summary, blocked_by: None, findings: Vec::new(), duration_ms: 0 }
}
