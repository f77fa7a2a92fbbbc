//! What a check is: a question asked of evidence.

use crate::evidence::Evidence;
use crate::finding::{Code, Finding, Severity};
use crate::privacy::Text;

/// What is known of a check without running it.
#[derive(Debug)]
pub struct Meta {
    /// The check's name in reports and on the command line; its file is `checks/{id}.rs` with underscores.
    pub id: &'static str,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// Every code it can emit.
    pub codes: &'static [Code],
    /// Its page, Markdown: what the check asks, and a section for each code.
    pub page: &'static str,
}

/// A question asked of evidence. A check does no input or output of its own.
pub trait Check: Sync {
    /// Its name, its codes and its page.
    fn meta(&self) -> &'static Meta;

    /// Answers with what it found (nothing = pass), or says why it could not look.
    fn run(&self, evidence: &Evidence) -> Result<Findings, Unavailable>;
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

/// Why a fact is not to be had.
#[derive(Debug, Clone)]
pub enum Unavailable {
    /// An earlier check failed, and without it this cannot be seen.
    Blocked {
        /// The check that failed.
        by: &'static str,
        /// What that took away.
        why: Text,
    },
    /// It was tried and could not be found out.
    Unknown {
        /// What was attempted, against what, and how it ended.
        why: Text,
    },
    /// The user asked not to look (`--offline`, `--no-exec`).
    Skipped {
        /// The option that says so.
        why: Text,
    },
    /// The question does not arise here.
    NotApplicable {
        /// Why not.
        why: Text,
    },
}

impl Unavailable {
    /// What stands in the way.
    pub fn why(&self) -> &Text {
        match self {
            Unavailable::Blocked { why, .. }
            | Unavailable::Unknown { why }
            | Unavailable::Skipped { why }
            | Unavailable::NotApplicable { why } => why,
        }
    }
}
