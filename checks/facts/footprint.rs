//! What the examination did: connections, programs, and how long each step took.

use serde::{Deserialize, Serialize};

/// What the examination did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Footprint {
    /// Connections that bbdoctor made itself: `host:port`, and how many.
    pub connections: Vec<(String, u32)>,
    /// Programs, as one could type them, in the order in which they were started.
    pub programs: Vec<String>,
    /// The steps, in the order in which they ended.
    pub steps: Vec<Step>,
}

/// One step on the way of a clone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which one.
    pub name: StepName,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
    /// It succeeded.
    pub ok: bool,
}

/// The steps, by their names in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// The host's name is looked up.
    Resolve,
    /// The port is connected to.
    Connect,
    /// Keys are exchanged (RFC 4253).
    Handshake,
    /// The server is asked about keys, and logged in to (RFC 4252).
    Keys,
    /// The repository is asked for.
    Repository,
    /// git is run.
    Git,
}

impl StepName {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            StepName::Resolve => "resolve",
            StepName::Connect => "connect",
            StepName::Handshake => "handshake",
            StepName::Keys => "keys",
            StepName::Repository => "repository",
            StepName::Git => "git",
        }
    }
}
