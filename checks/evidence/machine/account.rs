//! Reads the password database (getpwuid(3)) and what else says who runs this.

use std::path::PathBuf;

use nix::unistd::{Uid, User, gethostname, getuid};

use bbdoctor_checks::facts::account::{Account, PasswordEntry};
use bbdoctor_checks::facts::environment::Environment;

/// Reads the account of this process.
pub fn read(environment: &Environment) -> Account {
    let uid = getuid();
    let sudo_user = environment.text("SUDO_USER");
    Account {
        uid: uid.as_raw(),
        entry: User::from_uid(uid).ok().flatten().map(|u| PasswordEntry { name: u.name, home: u.dir }),
        home_variable: environment.get("HOME").filter(|h| !h.is_empty()).map(PathBuf::from),
        sudo_home: sudo_user.as_deref().and_then(home_of),
        sudo_user,
        machine_name: gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        owners: std::collections::BTreeMap::new(),
    }
}

/// The home folder of another account.
pub(crate) fn home_of(name: &str) -> Option<PathBuf> {
    User::from_name(name).ok().flatten().map(|u| u.dir)
}

/// The name of another account, for a message about a file's owner.
pub(crate) fn name_of(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|u| u.name)
}
