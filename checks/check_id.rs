//! The names of the checks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! checks {
    ($($variant:ident $name:literal)*) => {
        /// The name of a check, in the order in which a clone happens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum CheckId {$(
            #[doc = concat!("The check `", $name, "`.")]
            #[serde(rename = $name)]
            $variant,
        )*}

        impl CheckId {
            /// Every check, in the order in which a clone happens.
            pub const ALL: &'static [CheckId] = &[$(CheckId::$variant),*];

            /// The name in reports and on the command line; the check's file is `checks/{name}.rs` with underscores.
            pub fn name(self) -> &'static str {
                match self {$(CheckId::$variant => $name),*}
            }
        }
    };
}

checks! {
    RemoteUrl "remote-url"
    Tools "tools"
    Account "account"
    ConfigSyntax "config-syntax"
    ConfigPermissions "config-permissions"
    HostSettings "host-settings"
    KeyFiles "key-files"
    AgentHasKey "agent-has-key"
    NameResolution "name-resolution"
    Connection "connection"
    Handshake "handshake"
    FingerprintMatchesRemote "fingerprint-matches-remote"
    KnownHosts "known-hosts"
    Authentication "authentication"
    RepositoryAccess "repository-access"
    GitAgrees "git-agrees"
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CheckId {
    type Err = UnknownCheck;

    fn from_str(name: &str) -> Result<Self, UnknownCheck> {
        CheckId::ALL.iter().copied().find(|id| id.name() == name).ok_or(UnknownCheck)
    }
}

/// No check has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no check has this name")]
pub struct UnknownCheck;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_one_check_in_the_order_of_a_clone() {
        let checks: Vec<_> = crate::ALL.iter().map(|check| check.meta().id).collect();
        assert_eq!(checks, CheckId::ALL);
        assert!(CheckId::ALL.iter().all(|id| id.name().parse() == Ok(*id)));
        assert_eq!("Tools".parse::<CheckId>(), Err(UnknownCheck));
    }
}
