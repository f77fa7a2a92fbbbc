//! Why something could not be seen.

use serde::{Deserialize, Serialize};

use crate::check_id::CheckId;
use crate::privacy::Text;

/// Why a fact is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unavailable {
    /// An earlier check failed, and without it this cannot be seen.
    Blocked {
        /// The check that failed.
        by: CheckId,
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
    /// The blocked answer: `by` is the check whose failure takes the fact away.
    pub fn blocked(by: CheckId, why: impl Into<Text>) -> Self {
        Unavailable::Blocked { by, why: why.into() }
    }

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
