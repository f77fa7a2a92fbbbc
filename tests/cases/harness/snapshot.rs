//! Whether anything in the user's home was written, and whether a process was left behind.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Kind and mode, size, time of the last change in nanoseconds, hash of the contents.
type Entry = (u32, u64, i128, u64);

/// Every path below `root`, with what would change if somebody wrote there.
pub(crate) fn of(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let kind = meta.file_type();
            let mut hash = DefaultHasher::new();
            if kind.is_file() {
                fs::read(&path).unwrap().hash(&mut hash);
            } else if kind.is_symlink() {
                fs::read_link(&path).unwrap().hash(&mut hash);
            }
            let changed = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
            let size = if kind.is_socket() { 0 } else { meta.size() };
            found.insert(path.clone(), (meta.mode(), size, changed, hash.finish()));
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// The running programs a diagnosis may start (name and process id), in this pid namespace.
pub(crate) fn programs() -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // pid (comm) state …: proc(5)
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(") ") else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let gone = tail.starts_with('Z') || tail.starts_with('X');
        // What the server runs for a login is not ours.
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        let of_server = environment.split(|b| *b == 0).any(|v| v.starts_with(b"SSH_ORIGINAL_COMMAND="));
        if !gone && !of_server && ["ssh", "ssh-agent", "ssh-add", "ssh-keygen", "git", "bbdoctor", "sh", "plink"].contains(&name) {
            found.insert(id, name.to_owned());
        }
    }
    found
}
