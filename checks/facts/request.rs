//! What the user wants examined, within which bounds, and when.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use super::Fact;
use super::bytes;
use crate::unavailable::Unavailable;

/// What git is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Read: clone, fetch, pull.
    #[default]
    Fetch,
    /// Write.
    Push,
}

impl Operation {
    /// The name in reports, which is git's.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Fetch => "fetch",
            Operation::Push => "push",
        }
    }
}

/// What the user wants examined, and within which bounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What was named: a URL, `workspace/repo`, a remote, a host; `None` for the remote git would use here.
    #[serde(with = "bytes")]
    pub target: Option<OsString>,
    /// What git is asked to do.
    pub operation: Operation,
    /// Other programs may be started.
    pub may_execute: bool,
    /// The network must not be used.
    pub offline: bool,
    /// How long the run may take, in milliseconds.
    pub budget_ms: u64,
}

/// When the run began, and how long it took.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Clock {
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// How long the gathering took, in milliseconds.
    pub took_ms: u64,
}

impl Request {
    /// Whether the network may be used.
    ///
    /// # Errors
    /// When it may not.
    pub fn online(&self) -> Fact<()> {
        if self.offline { Err(Unavailable::Skipped { why: "--offline: the network is not used".into() }) } else { Ok(()) }
    }

    /// Whether a push was asked about.
    pub fn pushes(&self) -> bool {
        self.operation == Operation::Push
    }

    /// The program git runs on the server.
    pub fn service_program(&self) -> &'static str {
        if self.pushes() { "git-receive-pack" } else { "git-upload-pack" }
    }
}
