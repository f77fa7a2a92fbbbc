//! What ssh would be asked about its configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{SshTraits, bytes};
use crate::facts::account::Account;
use crate::facts::environment::Environment;

/// What ssh would be asked: the words of its command line and the circumstances they meet.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The host as typed (after git's rewriting of the URL), without user.
    pub host: String,
    /// The user before the `@`. Like ssh, it yields to a `User=` among `options`.
    pub user: Option<String>,
    /// The port of `-p`; it yields to a `Port=` among `options`.
    pub port: Option<u16>,
    /// The values of `-o`, in order. A `-l name` or `-p port` that stands before them is put as `User=name`, `Port=port`.
    pub options: Vec<String>,
    /// The values of `-i`, in order.
    pub identity_files: Vec<String>,
    /// `-F`.
    pub config_file: ConfigFile,
    /// The system-wide file, read after the user's own.
    pub system_file: PathBuf,
    /// The remote command, which git always gives; it decides what `Match command` sees and whether `RemoteCommand` is an
    /// error.
    pub command: Option<String>,
    /// Who asks.
    pub account: &'a Account,
    /// The environment ssh would have.
    pub environment: &'a Environment,
    /// The ssh that is imitated.
    pub ssh: &'a SshTraits,
    /// What a `Match exec` is taken for.
    pub exec: ExecPolicy,
}

impl<'a> Question<'a> {
    /// The question `ssh HOST` asks: no options, the usual files, `Match exec` taken as failing.
    pub fn new(host: impl Into<String>, account: &'a Account, environment: &'a Environment, ssh: &'a SshTraits) -> Self {
        Question {
            host: host.into(),
            user: None,
            port: None,
            options: Vec::new(),
            identity_files: Vec::new(),
            config_file: ConfigFile::Default,
            system_file: PathBuf::from("/etc/ssh/ssh_config"),
            command: None,
            account,
            environment,
            ssh,
            exec: ExecPolicy::AssumeFalse,
        }
    }
}

/// Which configuration files are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigFile {
    /// `~/.ssh/config` of the account's home folder, then the system-wide file.
    Default,
    /// `-F FILE`: that file alone.
    File(#[serde(with = "bytes")] PathBuf),
    /// `-F none`: no file.
    None,
}

impl ConfigFile {
    /// What the argument of `-F` means: `none`, in any case, is no file.
    pub fn given(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        if file.as_os_str().eq_ignore_ascii_case("none") { ConfigFile::None } else { ConfigFile::File(file) }
    }
}

/// What the outcome of a `Match exec` command, which is never run, is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecPolicy {
    /// As if every command failed: `SHELL=/bin/false ssh -G`.
    AssumeFalse,
    /// As if every command succeeded: `SHELL=/bin/true ssh -G`.
    AssumeTrue,
}
