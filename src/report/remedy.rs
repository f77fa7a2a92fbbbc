//! What a report says to do about a finding. Only a `run` has a command, only an `edit` a change of a file and only a `visit` a
//! page, so that a form of the report that forgets one of them does not compile.

use std::borrow::Cow;

use bbdoctor_checks::remedy::Safety;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::shell::command_line;

/// What to do.
#[derive(Debug, Clone, Serialize)]
#[serde(into = "json::Remedy")]
pub(crate) struct Remedy {
    /// A short name.
    pub(crate) id: String,
    /// What it does.
    pub(crate) summary: String,
    /// How it is done.
    pub(crate) action: Action,
    /// Whether a program may do it.
    pub(crate) safety: Safety,
}

/// How a remedy is done.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// A program and its arguments.
    Run(Vec<String>),
    /// A change of a file.
    Edit(Edit),
    /// A page to open.
    Visit(String),
    /// Something only a person can do or decide.
    Ask,
}

/// A change of a file.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    /// The file.
    pub(crate) file: String,
    /// Where the lines go.
    pub(crate) change: Change,
    /// The lines to put there.
    pub(crate) lines: Vec<String>,
}

/// Where the lines of an [`Edit`] go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// To the top of the file.
    Prepend,
    /// To its end.
    Append,
    /// In place of this line, from 1; no lines delete it.
    Replace(usize),
}

impl Edit {
    /// What to do with the file; its lines follow where it ends in a colon.
    pub(crate) fn instruction(&self) -> String {
        match self.change {
            Change::Prepend => format!("Put this at the top of {}:", self.file),
            Change::Append => format!("Put this at the end of {}:", self.file),
            Change::Replace(line) if self.lines.is_empty() => format!("Delete line {line} of {}.", self.file),
            Change::Replace(line) => format!("Put this in place of line {line} of {}:", self.file),
        }
    }
}

impl Remedy {
    /// What to do, line by line, for a form that is plain text: what it does, then the command, the change or the page.
    /// `redacted` as in [`command_line`].
    pub(crate) fn lines(&self, redacted: bool) -> Vec<String> {
        let mut lines = vec![self.summary.clone()];
        match &self.action {
            Action::Run(argv) => lines.push(format!("    {}", command_line(argv, redacted))),
            Action::Edit(edit) => {
                lines.push(format!("  {}", edit.instruction()));
                lines.extend(edit.lines.iter().map(|line| format!("    {line}")));
            }
            Action::Visit(page) => lines.push(format!("    {page}")),
            Action::Ask => {}
        }
        lines
    }
}

impl JsonSchema for Remedy {
    fn schema_name() -> Cow<'static, str> {
        json::Remedy::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json::Remedy::json_schema(generator)
    }
}

/// The form in JSON: all kinds have the same keys, and null for what theirs has not.
mod json {
    use bbdoctor_checks::remedy::Safety;
    use schemars::JsonSchema;
    use serde::Serialize;

    use super::{Action, Change};

    /// What to do.
    #[derive(Serialize, JsonSchema)]
    pub(super) struct Remedy {
        /// A short name.
        id: String,
        /// `run`, `edit`, `visit` or `ask`.
        kind: &'static str,
        /// What it does.
        summary: String,
        /// `run`: the program and its arguments.
        argv: Option<Vec<String>>,
        /// `edit`: the change.
        edit: Option<Edit>,
        /// `visit`: the page.
        url: Option<String>,
        /// `safe`, `confirm` or `manual`.
        #[schemars(with = "String")]
        safety: Safety,
    }

    /// A change of a file.
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "EditReport")]
    struct Edit {
        /// The file.
        file: String,
        /// `prepend`, `append` or `replace`.
        change: &'static str,
        /// `replace`: the line, from 1.
        line: Option<usize>,
        /// The lines to put there.
        lines: Vec<String>,
    }

    impl From<super::Remedy> for Remedy {
        fn from(remedy: super::Remedy) -> Self {
            let (kind, argv, edit, url) = match remedy.action {
                Action::Run(argv) => ("run", Some(argv), None, None),
                Action::Edit(edit) => ("edit", None, Some(edit.into()), None),
                Action::Visit(page) => ("visit", None, None, Some(page)),
                Action::Ask => ("ask", None, None, None),
            };
            Remedy { id: remedy.id, kind, summary: remedy.summary, argv, edit, url, safety: remedy.safety }
        }
    }

    impl From<super::Edit> for Edit {
        fn from(edit: super::Edit) -> Self {
            let (change, line) = match edit.change {
                Change::Prepend => ("prepend", None),
                Change::Append => ("append", None),
                Change::Replace(line) => ("replace", Some(line)),
            };
            Edit { file: edit.file, change, line, lines: edit.lines }
        }
    }
}
