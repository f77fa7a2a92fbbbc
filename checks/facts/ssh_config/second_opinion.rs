//! Whether tools built on the crate `ssh2-config` (and, like them, on libssh2) would read the user's file as ssh does.

use serde::{Deserialize, Serialize};

use super::Keyword;

/// How such a tool fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondOpinion {
    /// It reads the same host name, user, port and identities from the file.
    Same,
    /// It rejects the file; in its words.
    Rejects(String),
    /// It reads other values.
    Differs(Vec<Difference>),
}

/// A setting that is read differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which.
    pub keyword: Keyword,
    /// What ssh reads from its files; empty if they say nothing.
    pub ssh: Vec<String>,
    /// What the other reads.
    pub other: Vec<String>,
}
