//! The report, version 1: the one value that every renderer sees.
//!
//! Adding a field is a minor change; renaming or removing one, or changing what it means, is version 2.

mod assembly;
pub(crate) mod audiences;
#[cfg(test)]
pub(crate) mod fixture;
mod github;
pub(crate) mod human;
pub(crate) mod json;
mod junit;
mod markdown;
mod remedy;
mod shell;
#[cfg(test)]
mod tests;
mod words;

use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::Operation;
use bbdoctor_checks::facts::summary::{FoundIn, KeyStanding};
use bbdoctor_checks::finding::{Confidence, Severity, Side};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Format;
use crate::exit::Exit;
use remedy::Remedy;

/// The value of `schema`.
pub(crate) const SCHEMA: &str = "bbdoctor.report/1";

/// Everything that was found out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Report {
    /// Name and version of this form.
    #[schemars(extend("const" = SCHEMA))]
    pub(crate) schema: &'static str,
    /// The program that made it.
    pub(crate) bbdoctor: Program,
    /// When it began, UTC, ISO 8601.
    pub(crate) started_at: String,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Where it ran.
    pub(crate) machine: Machine,
    /// What was examined.
    pub(crate) target: Target,
    /// The judgement.
    pub(crate) verdict: Judgement,
    /// Each check, in the order of a clone.
    pub(crate) checks: Vec<CheckReport>,
    /// The keys ssh would try, in its order, and behind them every other key that was found.
    pub(crate) identities: Vec<Identity>,
    /// The ssh settings that differ from the defaults or decide something here.
    pub(crate) settings: Vec<Setting>,
    /// What was done on the network, in order.
    pub(crate) timeline: Vec<Step>,
    /// What the examination touched.
    pub(crate) footprint: Footprint,
    /// Private values are replaced by stand-ins.
    pub(crate) redacted: bool,
    /// What others wrote (servers, programs, files) is left out, because a private value would have shown in it.
    pub(crate) quotations_left_out: bool,
}

/// The program that made the report.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Program {
    /// Its version.
    pub(crate) version: String,
    /// The version of libssh2 inside it.
    pub(crate) libssh2: String,
}

/// Where the examination ran.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Machine {
    /// `linux`, `macos`, …
    pub(crate) os: String,
    /// The system's own name and version.
    pub(crate) system: String,
    /// The git that the user runs; null when there is none, or none was asked for.
    pub(crate) git: Option<Tool>,
    /// The ssh client that git runs.
    pub(crate) ssh: Option<Tool>,
    /// Somebody can answer a question: there is a terminal.
    pub(crate) terminal: bool,
    /// The CI service it runs under.
    pub(crate) ci: Option<String>,
}

/// A program that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tool {
    /// Where it is.
    pub(crate) path: String,
    /// What it says of itself; null when it was not run.
    pub(crate) version: Option<String>,
    /// For an ssh client: `openssh`, `plink`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
}

/// What was examined.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Target {
    /// As the user wrote it; null when nothing was given.
    pub(crate) given: Option<String>,
    /// The URL it stands for.
    pub(crate) url: Option<String>,
    /// The URL that git contacts, after its rewriting rules.
    pub(crate) effective_url: Option<String>,
    /// The host in that URL.
    pub(crate) host: Option<String>,
    /// The host that ssh connects to.
    pub(crate) hostname: Option<String>,
    /// The port that ssh connects to.
    pub(crate) port: Option<u16>,
    /// The user that ssh logs in as.
    pub(crate) user: Option<String>,
    /// The repository on the service.
    pub(crate) repository: Option<String>,
    /// `bitbucket-cloud`, `bitbucket-data-center` or null for a host that is not known.
    pub(crate) service: Option<String>,
    /// `fetch` or `push`.
    #[schemars(with = "String")]
    pub(crate) operation: Operation,
}

/// The judgement.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Judgement {
    /// The verdict.
    pub(crate) status: VerdictStatus,
    /// One sentence.
    pub(crate) summary: String,
    /// What breaks git; null exactly when the status is not `broken`.
    pub(crate) root_cause: Option<RootCause>,
    /// Findings that follow from the cause.
    pub(crate) explains: Vec<String>,
    /// Findings that do not.
    pub(crate) also: Vec<String>,
    /// Trying again later may help.
    pub(crate) transient: bool,
    /// What to do first.
    pub(crate) next_step: Option<Remedy>,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VerdictStatus {
    /// git works.
    Healthy,
    /// git fails.
    Broken,
    /// It could not be found out.
    Inconclusive,
}

/// What breaks git.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RootCause {
    /// Its code.
    pub(crate) code: String,
    /// The check that found it.
    #[schemars(with = "String")]
    pub(crate) check: CheckId,
    /// One sentence.
    pub(crate) summary: String,
    /// `proven`, `likely` or `possible`.
    #[schemars(with = "String")]
    pub(crate) confidence: Confidence,
    /// `this-machine`, `network`, `server` or `account`.
    #[schemars(with = "String")]
    pub(crate) side: Side,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckReport {
    /// Its id.
    #[schemars(with = "String")]
    pub(crate) id: CheckId,
    /// What it looks at.
    pub(crate) title: String,
    /// How it ended.
    pub(crate) status: CheckStatus,
    /// What it saw, or why it could not look.
    pub(crate) summary: String,
    /// The check that stands in its way.
    #[schemars(with = "Option<String>")]
    pub(crate) blocked_by: Option<CheckId>,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: u64,
    /// What it found.
    pub(crate) findings: Vec<FindingReport>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CheckStatus {
    /// Nothing is wrong.
    Pass,
    /// A risk.
    Warn,
    /// Something stops git.
    Fail,
    /// An earlier check failed.
    Blocked,
    /// It could not be found out.
    Unknown,
    /// Not asked for.
    Skipped,
    /// The question does not arise.
    NotApplicable,
    /// A fault of bbdoctor.
    Crashed,
}

/// One finding.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingReport {
    /// Its code.
    pub(crate) code: String,
    /// `error`, `warning` or `info`.
    #[schemars(with = "String")]
    pub(crate) severity: Severity,
    /// It stops git.
    pub(crate) blocking: bool,
    /// `proven`, `likely` or `possible`.
    #[schemars(with = "String")]
    pub(crate) confidence: Confidence,
    /// One sentence.
    pub(crate) summary: String,
    /// What it is about.
    pub(crate) subject: Option<Subject>,
    /// What was seen, in the order of its weight.
    pub(crate) evidence: IndexMap<String, String>,
    /// What to do, best first.
    pub(crate) remedies: Vec<Remedy>,
}

/// What a finding is about.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Subject {
    /// `file`, `key`, `host`, …
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// The line of a file, from 1.
    pub(crate) line: Option<usize>,
}

/// A key.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Identity {
    /// Its place in the order in which ssh tries keys, from 1; null when ssh would not try it.
    pub(crate) order: Option<u32>,
    /// `file` or `agent`.
    #[schemars(with = "String")]
    pub(crate) source: FoundIn,
    /// The file, or the comment in the agent.
    pub(crate) name: String,
    /// The key's type.
    #[serde(rename = "type")]
    pub(crate) algorithm: Option<String>,
    /// Its size.
    pub(crate) bits: Option<u32>,
    /// `SHA256:…`.
    pub(crate) fingerprint: Option<String>,
    /// ssh would show it to the server.
    pub(crate) offered: bool,
    /// Why ssh would not show it, or cannot use it.
    pub(crate) why: Option<String>,
    /// `accepted`, `refused` or `unknown`.
    #[schemars(with = "String")]
    pub(crate) server: KeyStanding,
}

/// A setting of ssh.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Setting {
    /// The keyword, lower case.
    pub(crate) keyword: String,
    /// Its effective value.
    pub(crate) value: String,
    /// The line that decides; null for a default or the command line.
    pub(crate) source: Option<Place>,
    /// Lines that lost.
    pub(crate) overrides: Vec<Loser>,
}

/// A line of a file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
}

/// A line that lost against an earlier one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Loser {
    /// The file.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What it says.
    pub(crate) value: String,
}

/// One step of the way.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// `resolve`, `connect`, …
    pub(crate) step: String,
    /// How long it took, in milliseconds.
    pub(crate) ms: f64,
    /// It succeeded.
    pub(crate) ok: bool,
}

/// What the examination touched.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Footprint {
    /// Connections of bbdoctor's own; git's run makes its own.
    pub(crate) connections: Vec<Connection>,
    /// Programs that were started.
    pub(crate) programs: Vec<String>,
    /// Files of the user that were written: none.
    pub(crate) files_written: u32,
}

/// Connections to one place.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Connection {
    /// Host and port.
    pub(crate) to: String,
    /// How many.
    pub(crate) count: u32,
}

/// The report in the form that was asked for, with a final line end. `manner` concerns what is meant for a
/// person's screen or log.
///
/// # Errors
/// None that a report can cause; the encoders' signatures have one.
pub(crate) fn render(report: &Report, format: Format, manner: human::Manner) -> Result<String, Box<dyn std::error::Error>> {
    Ok(match format {
        Format::Human => human::render(report, manner),
        Format::Json => json::render(report)?,
        Format::Markdown => markdown::render(report)?,
        Format::Junit => junit::render(report)?,
        Format::Github => github::render(report, manner),
    })
}

impl Report {
    /// The exit status that goes with it.
    pub(crate) fn exit(&self, strict: bool) -> Exit {
        match self.verdict.status {
            VerdictStatus::Broken if self.verdict.transient => Exit::Transient,
            VerdictStatus::Broken => Exit::Broken,
            VerdictStatus::Inconclusive => Exit::Inconclusive,
            VerdictStatus::Healthy if strict && self.checks.iter().any(|c| c.status == CheckStatus::Warn) => Exit::Broken,
            VerdictStatus::Healthy => Exit::Healthy,
        }
    }

    /// The finding that is the root cause.
    pub(crate) fn cause(&self) -> Option<&FindingReport> {
        let cause = self.verdict.root_cause.as_ref()?;
        let check = self.checks.iter().find(|c| c.id == cause.check)?;
        check.findings.iter().find(|f| f.code == cause.code && f.summary == cause.summary)
    }
}
