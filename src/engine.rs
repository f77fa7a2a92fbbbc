//! Runs the checks in sequence and keeps the promise to answer in time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use bbdoctor_checks::check::Check;
use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::evidence::Evidence;
use bbdoctor_checks::privacy::Text;
use bbdoctor_checks::text;
use bbdoctor_checks::unavailable::Unavailable;

use crate::diagnosis::{CheckResult, Status};

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
}

/// Runs the selected checks in order and tells `observer` which is waited for. A check that panics is `crashed`; one that has not
/// answered when the budget and its grace are spent is `unknown`, and so are those after it: the report is never lost.
pub(crate) fn examine(evidence: &Arc<Evidence>, selection: &Selection, observer: &mut dyn FnMut(CheckId)) -> Vec<CheckResult> {
    let (sender, results) = mpsc::channel();
    let chosen: Vec<&'static dyn Check> = bbdoctor_checks::ALL.iter().copied().filter(|c| selection.takes(c.meta().id)).collect();
    {
        let (evidence, chosen) = (Arc::clone(evidence), chosen.clone());
        thread::spawn(move || {
            for check in chosen {
                if sender.send(run(check, &evidence)).is_err() {
                    break;
                }
            }
        });
    }
    if [CheckId::Connection, CheckId::Authentication, CheckId::KeyFiles].into_iter().any(|id| selection.takes(id)) {
        let evidence = Arc::clone(evidence);
        thread::spawn(move || evidence.prewarm());
    }
    let mut done = Vec::new();
    for check in bbdoctor_checks::ALL {
        let meta = check.meta();
        let result = if chosen.iter().any(|c| c.meta().id == meta.id) {
            observer(meta.id);
            results.recv_timeout(evidence.time_left_with_grace()).unwrap_or_else(|_| {
                ended(*check, Status::Unknown, text!("not finished when the budget of {} s was spent", evidence.budget().as_secs()))
            })
        } else {
            ended(*check, Status::NotSelected, "not selected".into())
        };
        done.push(result);
    }
    done
}

fn run(check: &dyn Check, evidence: &Evidence) -> CheckResult {
    let begun = evidence.milliseconds();
    let answer = catch_unwind(AssertUnwindSafe(|| check.run(evidence)));
    let duration_ms = evidence.milliseconds().saturating_sub(begun);
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
