//! Recordings: the facts of a run as JSON, with the version that gathered them, for `bbdoctor replay`.

use std::io::Read as _;
use std::path::Path;

use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::Facts;
use bbdoctor_evidence::machine::files;
use serde::{Deserialize, Serialize};

use crate::engine::Selection;

/// The value of `schema`; what is not readable by this version has another one.
const SCHEMA: &str = "bbdoctor.recording/1";
/// What every recording says of itself.
const NOTICE: &str = "Private: names, paths, addresses and settings of a machine stand in here as they are.";
/// The most that is read of a recording, in bytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    schema: String,
    notice: String,
    /// The version of bbdoctor that gathered the facts.
    pub(crate) bbdoctor: String,
    only: Vec<CheckId>,
    skip: Vec<CheckId>,
    /// What was gathered.
    pub(crate) facts: Facts,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The system's words.
    #[error("cannot read it: {0}")]
    Io(#[from] std::io::Error),
    /// It is larger than any recording.
    #[error("it is larger than {} MiB, which no recording is", SIZE_LIMIT >> 20)]
    TooLarge,
    /// It is something else.
    #[error("it is no recording of bbdoctor (--record makes one)")]
    Foreign,
    /// It was made for another version of the program.
    #[error("it is a recording of another form ({0:?}), which this version of bbdoctor does not read")]
    OtherForm(String),
    /// It is one, and cannot be understood.
    #[error("it is damaged, or bbdoctor {by} wrote it in a way that this version does not read: {why}")]
    Damaged {
        /// The version that wrote it.
        by: String,
        /// Where and why reading stopped.
        why: String,
    },
}

impl Recording {
    /// Of a run.
    pub(crate) fn new(facts: &Facts, selection: &Selection) -> Self {
        Recording {
            schema: SCHEMA.into(),
            notice: NOTICE.into(),
            bbdoctor: env!("CARGO_PKG_VERSION").into(),
            only: selection.only.clone(),
            skip: selection.skip.clone(),
            facts: facts.clone(),
        }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// When a fact cannot be written as JSON, which is a fault of bbdoctor.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|text| text + "\n")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Unreadable`] says.
    pub(crate) fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut text = Vec::new();
        files::open(path)?.take(SIZE_LIMIT + 1).read_to_end(&mut text)?;
        if text.len() as u64 > SIZE_LIMIT {
            return Err(Unreadable::TooLarge);
        }
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(|_| Unreadable::Foreign)?;
        match value["schema"].as_str() {
            Some(SCHEMA) => {}
            Some(other) if other.starts_with("bbdoctor.recording/") => {
                return Err(Unreadable::OtherForm(other.chars().take(40).collect()));
            }
            _ => return Err(Unreadable::Foreign),
        }
        let by: String = value["bbdoctor"].as_str().unwrap_or("of an unknown version").chars().take(40).collect();
        serde_json::from_slice(&text).map_err(|error| Unreadable::Damaged { by, why: error.to_string() })
    }

    /// The checks that were selected.
    pub(crate) fn selection(&self) -> Selection {
        Selection { only: self.only.clone(), skip: self.skip.clone() }
    }
}
