//! What the examination did: connections, programs, and how long each step took.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One step on the way of a clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `resolve`, `connect`, `handshake`, `keys`, `login`, `repository`, `git`.
    pub name: &'static str,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
    /// It succeeded.
    pub ok: bool,
}

#[derive(Debug, Default)]
struct Pages {
    connections: BTreeMap<String, u32>,
    programs: Vec<String>,
    steps: Vec<Step>,
}

/// The record of a run.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to `to` (`host:port`) was opened.
    pub fn connected(&self, to: &str) {
        *self.pages().connections.entry(to.to_string()).or_default() += 1;
    }

    /// A program was started.
    pub fn started(&self, command_line: &str) {
        self.pages().programs.push(command_line.to_string());
    }

    /// Does `work`, and records under `name` how long it took and whether it succeeded.
    pub fn step<T, E>(&self, name: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = Instant::now();
        let result = work();
        self.record(name, begun.elapsed(), result.is_ok());
        result
    }

    /// A step called `name` took so long and succeeded or not.
    pub fn record(&self, name: &'static str, took: Duration, ok: bool) {
        let milliseconds = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        self.pages().steps.push(Step { name, milliseconds, ok });
    }

    /// Connections by target.
    pub fn connections(&self) -> Vec<(String, u32)> {
        self.pages().connections.clone().into_iter().collect()
    }

    /// Programs in the order in which they were started.
    pub fn programs(&self) -> Vec<String> {
        self.pages().programs.clone()
    }

    /// Steps in the order in which they ended.
    pub fn steps(&self) -> Vec<Step> {
        self.pages().steps.clone()
    }
}
