//! What there is to say about configuration files beside the values: faults, notes, patterns, files.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Keyword, KnownTo, Position, bytes};
use crate::check_id::CheckId;
use crate::facts::files::Access;

/// A fault that makes ssh stop before it connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where it is; line 0 is the file as a whole. `None` for a fault of the command line or of the outcome.
    pub position: Option<Position>,
    /// The columns of `text` in the line: bytes from 0, end exclusive.
    pub columns: Option<Range<usize>>,
    /// The offending words.
    pub text: String,
    /// The line ssh prints, which is followed by "FILE: terminating, N bad configuration options" for a bad line.
    pub message: String,
}

/// The kinds of [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProblemKind {
    /// "Bad configuration option".
    UnknownKeyword {
        /// A keyword of this ssh that looks like it.
        did_you_mean: Option<Keyword>,
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

impl ProblemKind {
    /// The check to whose field it belongs.
    pub fn check(&self) -> CheckId {
        match self {
            ProblemKind::PermissionsTooOpen(_) | ProblemKind::WrongOwner(_) | ProblemKind::UnreadableInclude => {
                CheckId::ConfigPermissions
            }
            ProblemKind::NoAccount => CheckId::Account,
            ProblemKind::Refused => CheckId::HostSettings,
            _ => CheckId::ConfigSyntax,
        }
    }
}

/// Why a text cannot be expanded; ssh stops there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ExpandError {
    /// `%x` with an `x` that means nothing here.
    #[error("unknown key %{0}")]
    UnknownToken(char),
    /// A `%` at the end.
    #[error("invalid format")]
    TrailingPercent,
    /// `${NAME}` that is not in the environment.
    #[error("env var ${{{0}}} has no value")]
    UnsetVariable(String),
    /// `${` without `}`.
    #[error("environment variable missing closing '}}'")]
    UnclosedVariable,
    /// `~name` of nobody.
    #[error("tilde_expand: No such user {0}")]
    NoSuchUser(String),
}

/// Bytes a person does not see, or takes for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// Where it is.
    pub position: Position,
    /// The words it is about.
    pub text: String,
}

/// The kinds of [`Note`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndecidedExec {
    /// The `Match` line.
    pub position: Position,
    /// The command, with its tokens expanded.
    pub command: String,
}

/// A file ssh looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRead {
    /// The path ssh opens.
    #[serde(with = "bytes")]
    pub path: PathBuf,
    /// How ssh comes to it.
    pub role: FileRole,
    /// Owner and mode of what the path leads to, if it can be seen.
    pub access: Option<Access>,
    /// What came of it.
    pub outcome: FileOutcome,
}

/// How ssh comes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// Why our own reading may not be that of ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
