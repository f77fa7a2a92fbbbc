//! What a check is: a question asked of facts.

use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::need::Need;
use crate::privacy::Text;
use crate::unavailable::Unavailable;

/// What is known of a check without running it.
#[derive(Debug)]
pub struct Meta {
    /// The check's name.
    pub id: CheckId,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// What has to be gathered for it, beside what is always known: account, environment, git's configuration, the ssh command.
    pub needs: &'static [Need],
    /// Its page, Markdown: what the check asks, and a section for each code.
    pub page: &'static str,
}

/// A question asked of facts. A check does no input or output, and answers the same to the same facts.
pub trait Check: Sync {
    /// Its name and its page.
    fn meta(&self) -> &'static Meta;

    /// Answers with what it found (nothing = pass), or says why it could not look.
    ///
    /// # Errors
    /// When a fact is not to be had.
    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable>;
}

/// A check's answer.
#[derive(Debug, Default)]
pub struct Findings {
    /// What was seen, in one sentence, whether good or bad.
    pub summary: Text,
    /// What is worth saying; empty is a pass.
    pub findings: Vec<Finding>,
}

impl Findings {
    /// An answer that says `summary` and has found nothing yet.
    pub fn new(summary: impl Into<Text>) -> Self {
        Findings { summary: summary.into(), findings: Vec::new() }
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The gravest severity among the findings.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}
