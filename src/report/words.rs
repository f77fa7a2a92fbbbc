//! The words and the order that several forms of the report share.

use bbdoctor_checks::finding::{Confidence, Side};

use super::{CheckReport, CheckStatus, FindingReport, Report, Subject, VerdictStatus};

impl VerdictStatus {
    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            VerdictStatus::Healthy => "healthy",
            VerdictStatus::Broken => "broken",
            VerdictStatus::Inconclusive => "inconclusive",
        }
    }
}

impl CheckStatus {
    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CheckStatus::Pass => "pass",
            CheckStatus::Warn => "warn",
            CheckStatus::Fail => "fail",
            CheckStatus::Blocked => "blocked",
            CheckStatus::Unknown => "unknown",
            CheckStatus::Skipped => "skipped",
            CheckStatus::NotApplicable => "not-applicable",
            CheckStatus::Crashed => "crashed",
        }
    }
}

impl CheckReport {
    /// What it saw or why it could not look, with the check that stands in its way.
    pub(crate) fn outcome(&self) -> String {
        let because = self.blocked_by.as_ref().map(|by| format!(" (blocked by {by})")).unwrap_or_default();
        format!("{}{because}", self.summary)
    }

    /// It did not look, or could not find out: what an inconclusive verdict rests on.
    pub(crate) fn is_unseen(&self) -> bool {
        matches!(self.status, CheckStatus::Blocked | CheckStatus::Unknown | CheckStatus::Skipped | CheckStatus::Crashed)
    }
}

impl Report {
    /// What its reader has to know of what is not shown as it is.
    pub(crate) fn withholds(&self) -> impl Iterator<Item = &'static str> {
        let placeholders = self.redacted.then_some(PLACEHOLDERS);
        placeholders.into_iter().chain(self.quotations_left_out.then_some(LEFT_OUT))
    }

    /// Every finding with its check: the root cause first, then the order of the checks.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&CheckReport, &FindingReport)> {
        let cause = self.cause();
        let is_cause = move |finding: &FindingReport| cause.is_some_and(|cause| std::ptr::eq(cause, finding));
        let all = || self.checks.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)));
        all().filter(move |(_, f)| is_cause(f)).chain(all().filter(move |(_, f)| !is_cause(f)))
    }
}

impl Subject {
    /// Its kind and name, and the line.
    pub(crate) fn described(&self) -> String {
        let line = self.line.map(|line| format!(" line {line}")).unwrap_or_default();
        format!("{}: {}{line}", self.kind, self.name)
    }
}

const PLACEHOLDERS: &str = "Names of users, hosts, files, keys and repositories are replaced by placeholders (--redact=never shows them \
    as they are); a command with one in it does not run as it stands.";
/// What is said where quotations are left out.
pub(super) const LEFT_OUT: &str =
    "What servers, programs and files say is left out of this report, because a private name would have shown in it.";

/// How sure a finding is, for a reader.
pub(crate) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Proven => "proven",
        Confidence::Likely => "the likely cause",
        Confidence::Possible => "a possible cause",
    }
}

/// Where the cause lies, for a reader.
pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::ThisMachine => "on this machine",
        Side::Network => "in the network",
        Side::Server => "at the service",
        Side::Account => "in the account at the service",
    }
}
