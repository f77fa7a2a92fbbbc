//! What a user can do about a finding.
//!
//! The kind decides what may ever be executed: only [`Action::Run`] and [`Action::RestoreKey`] stand for a command and only
//! [`Action::Edit`] has a change of a file, so nothing can run a remedy that is meant for a person.

use serde::Serialize;

use crate::privacy::Text;

/// One way to fix a finding.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// A short name, unique within the finding.
    pub id: &'static str,
    /// What it does, as an instruction: "Make the key readable by you alone".
    pub summary: Text,
    /// How it is done.
    pub action: Action,
    /// Whether a program may do it.
    pub safety: Safety,
}

/// How a remedy is done.
#[derive(Debug, Clone)]
pub enum Action {
    /// A program and its arguments; no shell is involved.
    Run(Vec<Text>),
    /// A change of one text file.
    Edit(Edit),
    /// A key file that bbdoctor itself writes anew: `bbdoctor restore FILE`.
    RestoreKey(std::path::PathBuf),
    /// A page to open.
    Visit(Text),
    /// Something only a person can do or decide.
    Ask,
}

/// A change of one text file, small enough to show.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The file; created (mode 0600) when it does not exist.
    pub file: std::path::PathBuf,
    /// What changes.
    pub change: Change,
}

impl Edit {
    /// Takes a line, counted from 1, out of a file.
    pub fn delete_line(file: impl Into<std::path::PathBuf>, line: usize) -> Self {
        Edit { file: file.into(), change: Change::Replace { line, with: Vec::new() } }
    }
}

/// The change of an [`Edit`].
#[derive(Debug, Clone)]
pub enum Change {
    /// Put these lines at the top of the file.
    Prepend(Vec<Text>),
    /// Put these lines at the end of the file.
    Append(Vec<Text>),
    /// Replace line `line` (counted from 1) by these lines; none deletes it.
    Replace {
        /// The line, counted from 1.
        line: usize,
        /// What stands there afterwards.
        with: Vec<Text>,
    },
}

/// Whether a program may carry a remedy out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Changes only what is broken and can be undone.
    Safe,
    /// Wants a person's yes first.
    Confirm,
    /// Only a person can do it.
    Manual,
}

impl Remedy {
    /// A command. `argv` is the program and its arguments.
    pub fn run(id: &'static str, summary: impl Into<Text>, argv: Vec<Text>, safety: Safety) -> Self {
        Remedy { id, summary: summary.into(), action: Action::Run(argv), safety }
    }

    /// A change of a file.
    pub fn edit(id: &'static str, summary: impl Into<Text>, edit: Edit, safety: Safety) -> Self {
        Remedy { id, summary: summary.into(), action: Action::Edit(edit), safety }
    }

    /// A private key file, or the `.pub` beside it, that `bbdoctor restore` writes anew.
    pub fn restore_key(id: &'static str, summary: impl Into<Text>, key: &std::path::Path) -> Self {
        Remedy { id, summary: summary.into(), action: Action::RestoreKey(key.to_owned()), safety: Safety::Confirm }
    }

    /// A page to open.
    pub fn visit(id: &'static str, summary: impl Into<Text>, url: impl Into<Text>) -> Self {
        Remedy { id, summary: summary.into(), action: Action::Visit(url.into()), safety: Safety::Manual }
    }

    /// Something only a person can do or decide.
    pub fn ask(id: &'static str, summary: impl Into<Text>) -> Self {
        Remedy { id, summary: summary.into(), action: Action::Ask, safety: Safety::Manual }
    }
}
