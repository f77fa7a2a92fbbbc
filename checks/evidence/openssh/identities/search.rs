//! The keys in a folder, told by their content and not by their names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::ListedFile;
use crate::openssh::key_file::{Loader, inspect};
use bbdoctor_checks::facts::key_file::{Format, KeyFile, KeyState};

/// The most files of a folder that are looked into.
const FILES_LIMIT: usize = 200;

/// Private keys in `folder` and the folders in it, whole or not, and public ones whose private half is gone, that are not
/// `listed`; by name.
pub(super) fn other_keys(folder: &Path, listed: &[(ListedFile, KeyFile)], loader: &Loader) -> Vec<KeyFile> {
    let mut paths = entries(folder);
    let deeper: Vec<_> = paths.iter().filter(|path| path.is_dir()).flat_map(|path| entries(path)).collect();
    paths.extend(deeper);
    paths.truncate(FILES_LIMIT);
    let mut wanted: Vec<PathBuf> = Vec::new();
    for path in &paths {
        // Whatever its name, a file with a private key in it is one.
        let half = without_pub(path).filter(|_| !inspect(path, loader).is_private());
        let private = half.unwrap_or_else(|| path.clone());
        let known = listed.iter().any(|(l, _)| l.path == private || l.path == *path);
        if !known && !wanted.contains(&private) {
            wanted.push(private);
        }
    }
    wanted.iter().map(|path| inspect(path, loader)).filter(is_key).collect()
}

/// The first names in a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(FILES_LIMIT).filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// `X` of `X.pub`; a certificate belongs to the key it certifies.
fn without_pub(path: &Path) -> Option<PathBuf> {
    let name = path.as_os_str().as_bytes().strip_suffix(b".pub")?;
    let name = name.strip_suffix(b"-cert").unwrap_or(name);
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

fn is_key(file: &KeyFile) -> bool {
    match (&file.state, file.format) {
        (KeyState::Missing { .. } | KeyState::DanglingLink, _) => file.public.is_some(),
        (KeyState::NotAFile | KeyState::PublicHalf, _) => false,
        (KeyState::Unreadable(_), _) => file.public.is_some(),
        (_, Some(Format::Other | Format::Empty)) => file.pub_file.is_some(),
        _ => true,
    }
}
