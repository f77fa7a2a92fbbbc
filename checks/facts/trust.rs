//! The known_hosts files that ssh reads for this host, and what they say.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::bytes;
use super::known_hosts::{HostEntries, HostKeyLine};

/// What ssh knows of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KnownHosts {
    /// Its lines, and what is wrong with others.
    pub entries: HostEntries,
    /// Every file, in ssh's order.
    #[serde(with = "bytes")]
    pub files: Vec<PathBuf>,
    /// Those of UserKnownHostsFile.
    #[serde(with = "bytes")]
    pub user_files: Vec<PathBuf>,
    /// The one to which ssh, or a person, adds keys; `None` when there is none, or it keeps nothing.
    #[serde(with = "bytes")]
    pub user_file: Option<PathBuf>,
    /// Lines for the other names of the same service.
    pub under_other_names: Vec<HostKeyLine>,
    /// Lines for this host in the copies that ssh and ssh-keygen leave (`known_hosts.old`), which nobody reads any more.
    pub leftovers: Vec<HostKeyLine>,
    /// The names of services, on port 22, for which a published key of theirs is known.
    pub known_services: BTreeSet<String>,
    /// Lines for the address that was connected to, where CheckHostIP makes ssh compare it too.
    pub by_address: Option<HostEntries>,
    /// The user's usual file, and what it says of the host, where ssh does not read it.
    pub usual: Option<(PathBuf, HostEntries)>,
    /// What `.ssh/known_hosts` below `$HOME` says of the host, where ssh goes by another home folder.
    pub other_home: Option<HostEntries>,
    /// The command whose keys ssh adds to those of the files (KnownHostsCommand); it is not run here.
    pub command: Option<String>,
    /// The list that RevokedHostKeys names and why it cannot be read, where it cannot.
    pub unreadable_revocations: Option<(PathBuf, String)>,
}
