//! The other ways to the service: its current name, and the port that firewalls let through.

use serde::{Deserialize, Serialize};

/// Another way to the service, tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternate {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it introduced itself with, when it speaks SSH.
    pub identification: Option<String>,
}

impl Alternate {
    /// Whether an SSH server answers there.
    pub fn speaks_ssh(&self) -> bool {
        self.identification.is_some()
    }
}
