//! What is known of files: who owns them and who may use them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Owner and permission bits, as `stat(2)` gives them (links followed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The owner's user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// Permission bits (`0o7777` at most).
    pub mode: u32,
}

/// `path` with more at its end.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn is_recorded_and_read_back() {
        survives_json(&Access { uid: 1000, gid: 100, mode: 0o4755 });
    }
}
