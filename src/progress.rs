//! What is being waited for, on a terminal's stderr.

use std::time::Duration;

use bbdoctor_checks::evidence::Evidence;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Event;

/// A line on stderr that names the check under way; nothing where stderr is no terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// `wanted` is false for formats that a machine reads.
    pub(crate) fn new(wanted: bool) -> Self {
        let bar = if wanted { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    /// Shows what begins, and the limit it has.
    pub(crate) fn show(&self, event: &Event, evidence: &Evidence) {
        match event {
            Event::Begins(id) => self.0.set_message(format!("{id}: waiting at most {} s in all", evidence.budget().as_secs())),
            Event::Ended(result) => self.0.set_message(format!("{}: done", result.meta.id)),
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
