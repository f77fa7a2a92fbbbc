//! Connection sharing (ssh_config(5), ControlPath): what ssh finds at the path.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;

/// What is at the ControlPath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// No socket; ssh connects by itself (and makes a master, should it be asked to).
    Nobody,
    /// A master that answers: ssh will use its connection.
    Master(#[serde(with = "bytes")] PathBuf),
    /// No socket, and none can be made there for want of the folder; ssh is not asked to make one here.
    NoFolder(#[serde(with = "bytes")] PathBuf),
    /// ssh stops, or waits, because of it.
    Unusable(#[serde(with = "bytes")] PathBuf, Unusable),
}

/// Why ssh stops on its ControlPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unusable {
    /// Longer than a socket's name may be.
    TooLong {
        /// Its length with what ssh appends, in bytes.
        bytes: usize,
        /// The most there may be, in bytes.
        limit: usize,
    },
    /// The folder does not exist.
    NoFolder,
    /// The folder cannot be written.
    NotWritable,
    /// Somebody accepts the connection and says nothing.
    MasterSilent,
}
