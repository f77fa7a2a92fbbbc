//! What is at the paths that are spoken of: files that settings, keys and programs name, and those that a remedy may write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Access;
use super::{Facts, bytes};

/// What is at a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// There is something, be it a symbolic link that leads nowhere.
    pub exists: bool,
    /// What it leads to.
    pub kind: Kind,
    /// Owner and mode of what it leads to.
    pub access: Option<Access>,
    /// It could be opened and read.
    pub readable: bool,
    /// This process may write to it; for a folder, make and replace files in it.
    pub writable: bool,
    /// It begins as a program or a script does.
    pub is_program: bool,
    /// It is a private key.
    pub is_private_key: bool,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Nothing.
    #[default]
    Nothing,
    /// An ordinary file.
    File,
    /// A folder.
    Folder,
    /// A pipe, a device, a socket.
    Other,
}

/// What is at each path that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths(#[serde(with = "bytes")] BTreeMap<PathBuf, At>);

impl Paths {
    /// Of what was seen.
    pub fn new(seen: BTreeMap<PathBuf, At>) -> Self {
        Paths(seen)
    }

    /// What is at `path`.
    ///
    /// A path that nobody has looked at is a fault of the gathering, which tests shall find; a user gets the answer of a path at
    /// which there is nothing.
    pub fn at(&self, path: &Path) -> At {
        let seen = self.0.get(path).copied();
        debug_assert!(seen.is_some(), "nobody has looked at {}", path.display());
        seen.unwrap_or_default()
    }
}

impl Facts {
    /// Whether a folder is the user's own and closed to the user.
    pub(crate) fn is_shut_to_me(&self, folder: &Path) -> bool {
        let at = self.paths.at(folder);
        at.kind == Kind::Folder && at.access.is_some_and(|a| a.uid == self.account.uid && a.mode & 0o500 != 0o500)
    }

    /// Whether it is a folder.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.paths.at(path).kind == Kind::Folder
    }

    /// Whether nothing has this name, not even a link that leads nowhere.
    pub(crate) fn is_free(&self, path: &Path) -> bool {
        !self.paths.at(path).exists
    }

    /// Whether a file belongs to the user.
    pub(crate) fn is_mine(&self, file: &Path) -> bool {
        self.paths.at(file).access.is_some_and(|a| a.uid == self.account.uid)
    }

    /// Whether a file is there and this user cannot read it.
    pub(crate) fn cannot_be_read(&self, file: &Path) -> bool {
        let at = self.paths.at(file);
        at.access.is_some() && !at.readable
    }
}
