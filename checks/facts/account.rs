//! Who runs this: the account as the password database knows it, which is what ssh goes by, and what the environment says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;

/// The account that ssh and git would act as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The real user id.
    pub uid: u32,
    /// The account's line in the password database, if it has one; without it ssh refuses to start.
    pub entry: Option<PasswordEntry>,
    /// `$HOME`, which git reads and ssh ignores.
    #[serde(with = "bytes")]
    pub home_variable: Option<PathBuf>,
    /// The user who called `sudo`, if any.
    pub sudo_user: Option<String>,
    /// The home folder of the user who called `sudo`.
    #[serde(with = "bytes")]
    pub sudo_home: Option<PathBuf>,
    /// The machine's own name, as `gethostname(2)` gives it.
    pub machine_name: String,
    /// The names of the accounts that own a file which is spoken of, by user id.
    pub owners: BTreeMap<u32, String>,
}

/// A line of the password database (passwd(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordEntry {
    /// Login name.
    pub name: String,
    /// Home folder: where ssh looks for `.ssh`.
    #[serde(with = "bytes")]
    pub home: PathBuf,
}

impl Account {
    /// The home folder that ssh uses: the account's, else `$HOME`.
    pub fn ssh_home(&self) -> Option<PathBuf> {
        self.entry.as_ref().map(|e| e.home.clone()).or_else(|| self.home_variable.clone())
    }

    /// Whether this is the superuser, for whom permission bits do not count.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}
