//! What a check has to say: a code, how sure it is, whose side it is on, the evidence and the remedies.

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use crate::code::{Code, Side};
use crate::privacy::{Private, Text};
use crate::remedy::Remedy;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Works today; a risk or a surprise.
    Warning,
    /// Breaks, or would break, what the user asked about.
    Error,
}

/// How sure a finding is of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// One explanation among several.
    Possible,
    /// The best explanation of what was seen.
    Likely,
    /// Seen directly.
    Proven,
}

/// When on the way of a clone a finding strikes. A check looks at keys and settings before the network is asked, but ssh
/// comes to some of them only later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strikes {
    /// When the check's turn comes.
    InItsTurn,
    /// When ssh logs in: a name that does not resolve comes before it.
    AtLogin,
    /// After the login, which therefore does not refute it.
    AfterLogin,
}

impl Severity {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Proven => "proven",
        }
    }
}

/// The thing a finding is about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What sort of thing: `file`, `key`, `host`, `url`, `program`, `setting`, `variable`, `repository`, `agent`.
    pub kind: &'static str,
    /// Its name.
    pub name: Text,
    /// The line, counted from 1, where it is a place in a file.
    pub line: Option<usize>,
    /// The file itself, for a remedy or a rule; never printed from here.
    pub file: Option<PathBuf>,
}

impl Subject {
    /// A file, or a line of it.
    pub fn file(path: &Path, line: Option<usize>) -> Self {
        Subject { kind: "file", name: Private::path(path).into(), line, file: Some(path.to_path_buf()) }
    }

    /// Anything else.
    pub fn new(kind: &'static str, name: impl Into<Text>) -> Self {
        Subject { kind, name: name.into(), line: None, file: None }
    }
}

/// One thing a check has to say.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Its name.
    pub code: Code,
    /// How grave it is.
    pub severity: Severity,
    /// It stops git by itself.
    pub blocking: bool,
    /// How sure it is.
    pub confidence: Confidence,
    /// Who can fix it.
    pub side: Side,
    /// What is the matter, in one sentence about this machine.
    pub summary: Text,
    /// What it is about.
    pub subject: Option<Subject>,
    /// What was seen: name and value, in the order of their weight.
    pub evidence: Vec<(&'static str, Text)>,
    /// How to fix it, best first.
    pub remedies: Vec<Remedy>,
    /// Trying again later may help.
    pub transient: bool,
    /// When on the way of a clone it strikes.
    pub strikes: Strikes,
}

impl Finding {
    fn new(code: Code, severity: Severity, summary: impl Into<Text>) -> Self {
        Finding {
            code,
            severity,
            blocking: false,
            confidence: Confidence::Proven,
            side: code.side(),
            summary: summary.into(),
            subject: None,
            evidence: Vec::new(),
            remedies: Vec::new(),
            transient: false,
            strikes: Strikes::InItsTurn,
        }
    }

    /// Something that stops git.
    pub fn blocking(code: Code, summary: impl Into<Text>) -> Self {
        Finding { blocking: true, ..Self::new(code, Severity::Error, summary) }
    }

    /// A risk or a surprise that does not stop git.
    pub fn warning(code: Code, summary: impl Into<Text>) -> Self {
        Self::new(code, Severity::Warning, summary)
    }

    /// Good to know.
    pub fn info(code: Code, summary: impl Into<Text>) -> Self {
        Self::new(code, Severity::Info, summary)
    }

    /// [`Finding::blocking`] when `blocks`, else [`Finding::warning`].
    pub fn blocking_if(blocks: bool, code: Code, summary: impl Into<Text>) -> Self {
        if blocks { Self::blocking(code, summary) } else { Self::warning(code, summary) }
    }

    /// How sure it is; proven unless said otherwise.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Whose side it is on, where that differs from the code's usual side.
    pub fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// What it is about.
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Adds a fact that was seen.
    pub fn evidence(mut self, name: &'static str, value: impl Into<Text>) -> Self {
        self.evidence.push((name, value.into()));
        self
    }

    /// Adds a way to fix it.
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// Adds ways to fix it.
    pub fn remedies(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }

    /// Says that trying again later may help.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// When it strikes, where that is not in the turn of its check.
    pub fn strikes(mut self, when: Strikes) -> Self {
        self.strikes = when;
        self
    }

    /// Turns what would stop git into a warning: git was seen to get past it.
    pub fn demote(&mut self) {
        if self.blocking {
            self.blocking = false;
            self.severity = self.severity.min(Severity::Warning);
        }
    }
}
