//! How bbdoctor ends: one list, from which the schema and the documentation are made.

use std::process::ExitCode;

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing stands in git's way; warnings are allowed.
    Healthy,
    /// git fails, and the report says why.
    Broken,
    /// The arguments, a file named in them or bbdoctor's own configuration cannot be used.
    Usage,
    /// Something needed could not be examined.
    Inconclusive,
    /// A fault of bbdoctor itself.
    Fault,
    /// git fails for a reason that may pass by itself.
    Transient,
}

impl Exit {
    /// Every status, in the order of its number.
    pub(crate) const ALL: [Exit; 6] = [Exit::Healthy, Exit::Broken, Exit::Usage, Exit::Inconclusive, Exit::Fault, Exit::Transient];

    /// The number.
    pub(crate) fn status(self) -> u8 {
        match self {
            Exit::Healthy => 0,
            Exit::Broken => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Fault => 70,
            Exit::Transient => 75,
        }
    }

    /// `self`, or `other` where that is [`Exit::Healthy`].
    pub(crate) fn or(self, other: Exit) -> Exit {
        if self == Exit::Healthy { other } else { self }
    }

    /// What it means, in a few words.
    pub(crate) fn means(self) -> &'static str {
        match self {
            Exit::Healthy => "healthy (warnings allowed, unless --strict)",
            Exit::Broken => "broken",
            Exit::Usage => "wrong usage, an output that cannot be written, or unreadable configuration of bbdoctor",
            Exit::Inconclusive => "inconclusive: something needed could not be examined",
            Exit::Fault => "a fault of bbdoctor itself",
            Exit::Transient => "broken, but transient: trying again later may work",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.status())
    }
}
