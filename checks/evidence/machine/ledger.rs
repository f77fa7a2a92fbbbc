//! The record of what the examination does while it does it: connections, programs, and how long each step takes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bbdoctor_checks::facts::footprint::{Footprint, Step, StepName};

#[derive(Debug, Default)]
struct Pages {
    connections: BTreeMap<String, u32>,
    programs: Vec<String>,
    steps: Vec<Step>,
}

/// The record of a run.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Pages>);

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to `to` (`host:port`) was opened.
    pub(crate) fn connected(&self, to: &str) {
        *self.pages().connections.entry(to.to_string()).or_default() += 1;
    }

    /// A program was started.
    pub(crate) fn started(&self, command_line: &str) {
        self.pages().programs.push(command_line.to_string());
    }

    /// Does `work`, and records how long it took and whether it succeeded.
    pub(crate) fn step<T, E>(&self, name: StepName, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = Instant::now();
        let result = work();
        self.record(name, begun.elapsed(), result.is_ok());
        result
    }

    /// A step took so long and succeeded or not.
    pub(crate) fn record(&self, name: StepName, took: Duration, ok: bool) {
        let milliseconds = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        self.pages().steps.push(Step { name, milliseconds, ok });
    }

    /// What was done.
    pub(crate) fn close(self) -> Footprint {
        let Pages { connections, programs, steps } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Footprint { connections: connections.into_iter().collect(), programs, steps }
    }
}
