//! What ssh's configuration says about a host, and which line says so.
//!
//! [`evaluate`] reads the files as OpenSSH 8.7 and later do and keeps file and line of every value, of every value that lost,
//! and of every fault. [`effective`] reads what `ssh -G` says, which is the authority on values wherever there is an ssh, and
//! joins the two. Nothing here runs a `Match exec` command.
//!
//! Sources: `ssh_config(5)`; OpenSSH's `readconf.c`, `misc.c`, `match.c` and `ssh.c`, releases 8.7 to 10.5, and Debian's and
//! Apple's changes to them. Text that is not UTF-8 is read with replacement characters and noted.

mod defaults;
pub mod effective;
mod encoding;
mod evaluate;
mod finish;
mod glob;
mod include;
mod keywords;
mod lexer;
mod matching;
mod merge;
mod options;
pub mod permissions;
mod remarks;
pub mod second_opinion;
mod tokens;
mod traits;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::account::Account;
use super::environment::Environment;

pub use evaluate::evaluate;
pub use keywords::{KnownTo, written};
pub use remarks::{
    Doubt, EncodingFault, FileOutcome, FileRead, FileRole, HostPattern, Note, NoteKind, Problem, ProblemKind, UndecidedExec,
};
pub use tokens::{ExpandError, TokenContext, expand_tokens};
pub use traits::{AlgorithmNames, SshTraits};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ConfigFile {
    /// `~/.ssh/config` of the account's home folder, then the system-wide file.
    Default,
    /// `-F FILE`: that file alone.
    File(PathBuf),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ExecPolicy {
    /// As if every command failed: `SHELL=/bin/false ssh -G`.
    AssumeFalse,
    /// As if every command succeeded: `SHELL=/bin/true ssh -G`.
    AssumeTrue,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The file, by the path ssh opened it with.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Source {
    /// `-o`, `-i`, `-l`, `-p` or `user@`.
    CommandLine,
    /// A line of a configuration file.
    File(Position),
    /// Nobody set it.
    Default,
    /// ssh says so and our own reading does not see why.
    Unknown,
}

impl Source {
    /// The line, if a file says it.
    pub fn position(&self) -> Option<&Position> {
        match self {
            Source::File(position) => Some(position),
            _ => None,
        }
    }
}

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Value {
    /// The value in the words of `ssh -G`.
    pub text: String,
    /// Where it comes from.
    pub source: Source,
}

/// An active line whose value took no effect, because the setting had one already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loser {
    /// Where it stands.
    pub source: Source,
    /// What it says.
    pub value: String,
    /// Where the value that won stands.
    pub lost_to: Source,
}

/// A setting with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Lower case, as `ssh -G` prints it.
    pub keyword: String,
    /// One value for most; several for identityfile, certificatefile, sendenv, setenv and the forwardings.
    pub values: Vec<Value>,
    /// What did not take effect.
    pub losers: Vec<Loser>,
    /// What our own reading makes of it, where that differs from ssh; only [`effective::reconcile`] sets it.
    pub own_reading: Option<Vec<String>>,
}

/// A file ssh takes for an identity (IdentityFile, `-i` or a default).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityFile {
    /// As written: `~` and tokens are not expanded ([`expand_tokens`] does it). `none` stands for no file at all.
    pub path: String,
    /// Where it comes from.
    pub source: Source,
    /// Named by the user, in the user's file or on the command line, rather than by the system-wide file or a default; ssh
    /// complains about a missing file only then.
    pub user_provided: bool,
}

/// What the configuration says about one host.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluation {
    settings: BTreeMap<String, Setting>,
    /// The identities in the order ssh has them, the defaults included.
    pub identity_files: Vec<IdentityFile>,
    /// The files that UserKnownHostsFile and GlobalKnownHostsFile name where they are set, one by one: their printed value
    /// does not tell a blank within a name from one between two.
    pub known_hosts_files: BTreeMap<&'static str, Vec<String>>,
    /// Why ssh stops. With any problem there are no settings.
    pub problems: Vec<Problem>,
    /// What else is worth saying.
    pub notes: Vec<Note>,
    /// The files, in the order they were first opened.
    pub files: Vec<FileRead>,
    /// The patterns of all `Host` lines of all files.
    pub host_patterns: Vec<HostPattern>,
    /// Every `Match exec` that was reached; each was taken for what [`Question::exec`] says.
    pub undecided: Vec<UndecidedExec>,
    /// `Match exec` lines, reached or not.
    pub exec_conditions: Vec<Position>,
    /// The files were read twice (`Match final` or CanonicalizeHostname); `Host` lines met the resolved name then.
    pub final_pass: bool,
    /// CanonicalizeHostname or CanonicalizePermittedCNAMEs is on: ssh may find another host name by asking the resolver.
    pub canonicalizes: bool,
    /// Why this reading may differ from ssh's.
    pub doubts: Vec<Doubt>,
    host: String,
    port: String,
    user: String,
    host_key_alias: String,
    jump: String,
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
    pub fn source(&self, keyword: &str) -> Option<&Source> {
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

    /// What the tokens of this host's paths stand for.
    pub fn tokens<'a>(&self, question: &Question<'a>) -> TokenContext<'a> {
        TokenContext {
            host: self.host.clone(),
            original_host: question.host.clone(),
            port: self.port.clone(),
            user: self.user.clone(),
            host_key_alias: self.host_key_alias.clone(),
            jump: self.jump.clone(),
            version: question.ssh.version,
            account: question.account,
            environment: question.environment,
        }
    }

    /// The record of the file ssh opens as `path`.
    pub fn file(&self, path: &Path) -> Option<&FileRead> {
        self.files.iter().find(|f| f.path == path)
    }
}

#[cfg(test)]
mod tests;
