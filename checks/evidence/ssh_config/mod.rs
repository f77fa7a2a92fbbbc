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
mod evaluate;
mod finish;
mod glob;
mod keywords;
mod lexer;
mod matching;
mod options;
pub mod pattern;
pub mod permissions;
pub mod second_opinion;
mod tokens;
mod traits;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::account::Account;
use super::environment::Environment;
use super::files::Access;

pub use evaluate::evaluate;
pub use keywords::{KnownTo, written};
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

/// A fault that makes ssh stop before it connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where it is; `None` for a fault of the command line or of the outcome as a whole.
    pub position: Option<Position>,
    /// The columns of `text` in the line: bytes from 0, end exclusive.
    pub columns: Option<Range<usize>>,
    /// The offending words.
    pub text: String,
    /// The line ssh prints, which is followed by "FILE: terminating, N bad configuration options" for a bad line.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ProblemKind {
    /// "Bad configuration option".
    UnknownKeyword {
        /// A keyword of this ssh that looks like it.
        did_you_mean: Option<&'static str>,
        /// Who does know it.
        known_to: Option<KnownTo>,
    },
    /// A keyword without its value, or with an empty one.
    MissingArgument,
    /// A value the keyword does not take.
    BadValue,
    /// Words after the value; often an unquoted path with a blank.
    ExtraArgument,
    /// A quote that is never closed.
    UnbalancedQuote,
    /// Bytes that look like nothing, or like something else.
    Encoding(EncodingFault),
    /// `Match` with a criterion it does not have, without one, or without a criterion's value.
    BadMatch {
        /// ssh's words about it.
        detail: String,
    },
    /// Files are nested more than 16 deep.
    IncludeTooDeep {
        /// Whether a file includes itself, perhaps by way of others.
        is_loop: bool,
    },
    /// An included file that exists and cannot be opened.
    UnreadableInclude,
    /// The file of `-F` does not exist or cannot be opened.
    FileMissing,
    /// The group or others may write the file.
    PermissionsTooOpen(Access),
    /// The file belongs to neither root nor the user.
    WrongOwner(Access),
    /// `~`, `%` or `${}` that cannot be expanded.
    ExpansionFailed(ExpandError),
    /// The user id has no account; ssh refuses to start.
    NoAccount,
    /// The settings contradict each other or the command line: a jump host that is the target, `RemoteCommand` together with
    /// git's command, `ForkAfterAuthentication` without a command, a path to forward that does not exist.
    Refused,
    /// More files, or wider patterns, than this program is willing to read; ssh might go on.
    BeyondLimits,
}

/// Bytes a person does not see, or takes for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EncodingFault {
    /// A UTF-8 byte order mark (EF BB BF) before the first keyword.
    ByteOrderMark,
    /// The file is UTF-16.
    Utf16,
    /// A no-break space (U+00A0 and its kin) in place of a blank.
    NoBreakSpace,
    /// Typographic quotes in place of `"` or `'`.
    CurlyQuote,
    /// A zero-width or directional mark.
    Invisible,
}

/// Something worth saying about the files that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// Where it is.
    pub position: Position,
    /// The words it is about.
    pub text: String,
}

/// The kinds of [`Note`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NoteKind {
    /// A keyword that ssh ignores: `Protocol`, those it calls deprecated, those it calls unsupported (a message on stderr).
    KeywordIgnored,
    /// A keyword that only an `IgnoreUnknown` above makes harmless.
    KeywordUnknownButIgnored,
    /// An `Include` pattern without a file.
    IncludeMatchesNothing {
        /// The pattern, made absolute.
        pattern: String,
    },
    /// An `Include` that applies only if the block around it does.
    IncludeInsideBlock {
        /// The line of the `Host` or `Match`.
        block: Position,
    },
    /// A setting that usually belongs to one host stands before the first `Host` or `Match` line and so applies to all.
    OptionBeforeFirstHost {
        /// In lower case.
        keyword: String,
        /// Whether `Host` or `Match` lines follow in the file.
        blocks_follow: bool,
    },
    /// An IdentityFile or CertificateFile in a `Match` block that does not apply.
    KeyInInactiveMatch {
        /// The line of the `Match`.
        block: Position,
    },
    /// The value holds typographic quotes or invisible characters, which ssh takes literally.
    EncodingInValue(EncodingFault),
    /// Bytes that are not UTF-8; values of this line are shown with replacement characters.
    NotUtf8,
}

/// A pattern of a `Host` line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostPattern {
    /// The pattern, without its `!`.
    pub pattern: String,
    /// Whether a `!` stands before it.
    pub negated: bool,
    /// Where it stands.
    pub position: Position,
    /// Its columns in the line.
    pub columns: Range<usize>,
    /// Whether it fits the host (in the final pass: the resolved name), whatever the rest of the line says.
    pub fits: bool,
    /// Whether the block applies.
    pub active: bool,
}

/// A `Match exec` whose command decides whether a block applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndecidedExec {
    /// The `Match` line.
    pub position: Position,
    /// The command, with its tokens expanded.
    pub command: String,
}

/// A file ssh looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRead {
    /// The path ssh opens.
    pub path: PathBuf,
    /// How ssh comes to it.
    pub role: FileRole,
    /// Owner and mode of what the path leads to, if it can be seen.
    pub access: Option<Access>,
    /// What came of it.
    pub outcome: FileOutcome,
}

/// How ssh comes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FileRole {
    /// `~/.ssh/config`.
    User,
    /// The system-wide file.
    System,
    /// `-F`.
    Given,
    /// Reached by `Include`.
    Included,
}

/// What came of opening a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FileOutcome {
    /// It was read.
    Read,
    /// There is none, which is no fault except with `-F`.
    Missing,
    /// It cannot be opened (`errno`). ssh skips its user and system-wide file in silence then.
    Unreadable(i32),
    /// It is a folder; ssh reads it as empty, in silence.
    Folder,
    /// ssh refuses it for its owner or mode.
    Refused,
}

/// What the configuration says about one host.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Evaluation {
    settings: BTreeMap<String, Setting>,
    /// The identities in the order ssh has them, the defaults included.
    pub identity_files: Vec<IdentityFile>,
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

/// Why our own reading may not be that of ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Doubt {
    /// Before 8.7 ssh splits lines by other rules, which are not imitated. Release, major * 100 + minor.
    OldRelease(u32),
    /// The host name depends on the resolver.
    Canonicalization,
    /// `Match localnetwork` depends on the interfaces of the machine; it was taken as not matching.
    LocalNetwork(Position),
    /// Algorithm names were not examined, because it is not known which ones this ssh has.
    AlgorithmsUnchecked(Position),
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
