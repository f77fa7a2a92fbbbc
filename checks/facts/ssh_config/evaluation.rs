//! The outcome of reading the configuration for one host.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Doubt, FileRead, HostPattern, IdentityFile, Loser, Note, Position, Problem, Setting, SettingSource, UndecidedExec};

/// What the configuration says about one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Every setting that has a value or a loser, by keyword.
    pub settings: BTreeMap<String, Setting>,
    /// The identities in the order ssh has them, the defaults included.
    pub identity_files: Vec<IdentityFile>,
    /// The files that UserKnownHostsFile and GlobalKnownHostsFile name where they are set, one by one: their printed value
    /// does not tell a blank within a name from one between two.
    pub known_hosts_files: BTreeMap<String, Vec<String>>,
    /// Why ssh stops. With any problem there are no settings.
    pub problems: Vec<Problem>,
    /// What else is worth saying.
    pub notes: Vec<Note>,
    /// The files, in the order they were first opened.
    pub files: Vec<FileRead>,
    /// The patterns of all `Host` lines of all files.
    pub host_patterns: Vec<HostPattern>,
    /// Every `Match exec` that was reached; each was taken for what [`exec`](super::Question::exec) says.
    pub undecided: Vec<UndecidedExec>,
    /// `Match exec` lines, reached or not.
    pub exec_conditions: Vec<Position>,
    /// The files were read twice (`Match final` or CanonicalizeHostname); `Host` lines met the resolved name then.
    pub final_pass: bool,
    /// CanonicalizeHostname or CanonicalizePermittedCNAMEs is on: ssh may find another host name by asking the resolver.
    pub canonicalizes: bool,
    /// Why this reading may differ from ssh's.
    pub doubts: Vec<Doubt>,
    /// What was found for the tokens.
    pub destination: Destination,
}

/// Where ssh would connect to, for the tokens of its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The host name that will be connected to.
    pub host: String,
    /// The port.
    pub port: String,
    /// The remote user.
    pub user: String,
    /// HostKeyAlias, else the host as typed.
    pub host_key_alias: String,
    /// ProxyJump's value; empty without one.
    pub jump: String,
}

impl Evaluation {
    /// The value of `keyword` (lower case) in the words of `ssh -G`, the first if there are several.
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.setting(keyword)?.values.first().map(|v| v.text.as_str())
    }

    /// All values of `keyword`.
    pub fn values(&self, keyword: &str) -> Vec<&str> {
        self.setting(keyword).map(|s| s.values.iter().map(|v| v.text.as_str()).collect()).unwrap_or_default()
    }

    /// Where the first value of `keyword` comes from.
    pub fn source(&self, keyword: &str) -> Option<&SettingSource> {
        self.setting(keyword)?.values.first().map(|v| &v.source)
    }

    /// The active lines that tried to set `keyword` in vain.
    pub fn losers(&self, keyword: &str) -> &[Loser] {
        self.setting(keyword).map(|s| s.losers.as_slice()).unwrap_or_default()
    }

    /// Whether `keyword` is on (`yes` or `true`).
    pub fn is_on(&self, keyword: &str) -> bool {
        matches!(self.value(keyword), Some("yes" | "true"))
    }

    /// The setting `keyword`; `None` if it has neither value nor default.
    pub fn setting(&self, keyword: &str) -> Option<&Setting> {
        self.settings.get(keyword)
    }

    /// Every setting that has a value or a loser, by name.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.values()
    }

    /// The record of the file ssh opens as `path`.
    pub fn file(&self, path: &Path) -> Option<&FileRead> {
        self.files.iter().find(|f| f.path == path)
    }
}
