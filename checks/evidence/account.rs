//! Who runs this: the account as the password database knows it, which is what ssh goes by, and what the environment says.

use std::path::PathBuf;

use nix::unistd::{Uid, User, gethostname, getuid};
use serde::Serialize;

use super::environment::Environment;

/// The account that ssh and git would act as.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// The real user id.
    pub uid: u32,
    /// The account's entry, if it has one; without it ssh refuses to start.
    pub entry: Option<Entry>,
    /// `$HOME`, which git reads and ssh ignores.
    pub home_variable: Option<PathBuf>,
    /// The user who called `sudo`, if any.
    pub sudo_user: Option<String>,
    /// The machine's own name, as `gethostname(2)` gives it.
    pub machine_name: String,
}

/// A line of the password database.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Login name.
    pub name: String,
    /// Home folder: where ssh looks for `.ssh`.
    pub home: PathBuf,
}

impl Account {
    /// Reads the account of this process.
    pub fn read(environment: &Environment) -> Self {
        let uid = getuid();
        Account {
            uid: uid.as_raw(),
            entry: User::from_uid(uid).ok().flatten().map(|u| Entry { name: u.name, home: u.dir }),
            home_variable: environment.get("HOME").filter(|h| !h.is_empty()).map(PathBuf::from),
            sudo_user: environment.text("SUDO_USER").filter(|u| !u.is_empty()),
            machine_name: gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        }
    }

    /// The home folder that ssh uses: the account's, else `$HOME`.
    pub fn ssh_home(&self) -> Option<PathBuf> {
        self.entry.as_ref().map(|e| e.home.clone()).or_else(|| self.home_variable.clone())
    }

    /// The home folder of the user who called `sudo`.
    pub fn sudo_home(&self) -> Option<PathBuf> {
        Account::home_of(self.sudo_user.as_ref()?)
    }

    /// The home folder of another account.
    pub fn home_of(name: &str) -> Option<PathBuf> {
        User::from_name(name).ok().flatten().map(|u| u.dir)
    }

    /// The name of another account, for a message about a file's owner.
    pub fn name_of(uid: u32) -> Option<String> {
        User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|u| u.name)
    }

    /// Whether this is the superuser, for whom permission bits do not count.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}
