//! What is being waited for, on a terminal's stderr.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use bbdoctor_evidence::gather::Waiting;
use indicatif::{ProgressBar, ProgressStyle};

/// A line on stderr that names the step that is waited for; nothing where stderr is no terminal, or one that cannot take a line back.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A line that moves, for a run that may take `budget`.
    pub(crate) fn moving(budget: Duration) -> Self {
        let bar = ProgressBar::new_spinner();
        let template = format!("{{spinner}} {{msg}} ({{elapsed}} of at most {} s)", budget.as_secs());
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        bar.set_style(style.tick_chars("|/-\\ "));
        bar.enable_steady_tick(Duration::from_millis(100));
        Progress(bar)
    }

    /// One sentence at the beginning, for a screen reader, which would read a line that moves again and again.
    pub(crate) fn still(budget: Duration) -> Self {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            let _ = writeln!(stderr, "bbdoctor is looking; this takes at most {} seconds.", budget.as_secs());
        }
        Self::none()
    }

    /// Nothing, for a report that a machine reads.
    pub(crate) fn none() -> Self {
        Progress(ProgressBar::hidden())
    }

    /// Shows what is waited for.
    pub(crate) fn show(&self, waiting: Waiting) {
        self.0.set_message(match waiting {
            Waiting::Configuration => "ssh reads its configuration",
            Waiting::Agent => "asking the agent for its keys",
            Waiting::Name => "looking the host's name up",
            Waiting::Server { touch: false } => "talking to the server",
            Waiting::Server { touch: true } => "logging in; touch your security key, or answer the agent, if it asks",
            Waiting::Git { touch: false } => "waiting for git itself",
            Waiting::Git { touch: true } => "waiting for git itself; touch your security key, or answer the agent, if it asks",
            Waiting::Alternates => "trying other addresses of the service",
        });
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
