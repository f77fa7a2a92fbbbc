//! What ssh's configuration says about a host, and which line says so.

mod evaluation;
pub mod keywords;
mod question;
mod remarks;
mod second_opinion;
mod traits;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use evaluation::{Destination, Evaluation};
pub use keywords::{Keyword, KnownTo, written};
pub use question::{ConfigFile, ExecPolicy, Question};
pub use remarks::{
    Doubt, EncodingFault, ExpandError, FileOutcome, FileRead, FileRole, HostPattern, Note, NoteKind, Problem, ProblemKind,
    UndecidedExec,
};
pub use second_opinion::{Difference, SecondOpinion};
pub use traits::{AlgorithmNames, Effective, SshTraits};

use super::bytes;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The file, by the path ssh opened it with.
    #[serde(with = "bytes")]
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SettingSource {
    /// `-o`, `-i`, `-l`, `-p` or `user@`.
    CommandLine,
    /// A line of a configuration file.
    File(Position),
    /// Nobody set it.
    Default,
    /// ssh says so and our own reading does not see why.
    Unknown,
}

impl SettingSource {
    /// The line, if a file says it.
    pub fn position(&self) -> Option<&Position> {
        match self {
            SettingSource::File(position) => Some(position),
            _ => None,
        }
    }
}

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The value in the words of `ssh -G`.
    pub text: String,
    /// Where it comes from.
    pub source: SettingSource,
}

/// An active line whose value took no effect, because the setting had one already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loser {
    /// Where it stands.
    pub source: SettingSource,
    /// What it says.
    pub value: String,
}

/// A setting with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Lower case, as `ssh -G` prints it.
    pub keyword: String,
    /// One value for most; several for identityfile, certificatefile, sendenv, setenv and the forwardings.
    pub values: Vec<Value>,
    /// What did not take effect.
    pub losers: Vec<Loser>,
}

/// A file ssh takes for an identity (IdentityFile, `-i` or a default).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityFile {
    /// As written: `~` and tokens are not expanded. `none` stands for no file at all.
    pub path: String,
    /// Where it comes from.
    pub source: SettingSource,
    /// Named by the user, in the user's file or on the command line, rather than by the system-wide file or a default; ssh
    /// complains about a missing file only then.
    pub user_provided: bool,
}

#[cfg(test)]
mod tests;
