//! The repository that a folder belongs to, found as git finds it: `setup.c`, gitrepository-layout(5), and git(1) on
//! `GIT_DIR`, `GIT_CEILING_DIRECTORIES` and `GIT_DISCOVERY_ACROSS_FILESYSTEM`.

use std::fs::{self, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{ConfigReader, include};
use crate::machine::files;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::Discovery;
use bbdoctor_checks::facts::git_config::Repository;
use bbdoctor_checks::facts::git_config::boolean;

/// Finds the repository of `folder`; `protected` holds the configuration that may decide on trust.
pub(super) fn discover(environment: &Environment, folder: &Path, protected: &ConfigReader<'_>) -> Discovery {
    if let Some(given) = environment.get("GIT_DIR") {
        let path = folder.join(given);
        let target = if path.is_file() { gitfile(&path) } else { Some(path.clone()) };
        return match target.and_then(|git_dir| open(environment, &git_dir, None)) {
            Some(repository) => Discovery::Found(repository),
            None => Discovery::Broken { path },
        };
    }
    let Ok(start) = folder.canonicalize() else { return Discovery::Absent };
    let ceiling =
        ceilings(environment).into_iter().filter(|c| *c != start && start.starts_with(c)).max_by_key(|c| c.as_os_str().len());
    let across = environment.get("GIT_DISCOVERY_ACROSS_FILESYSTEM").and_then(|v| boolean(&v.to_string_lossy())) == Some(true);
    let device = |path: &Path| fs::metadata(path).map(|m| m.dev()).ok();
    let device_here = device(&start);
    for here in start.ancestors() {
        if ceiling.as_deref() == Some(here) || !across && device(here) != device_here {
            return Discovery::Absent;
        }
        let dot_git = here.join(".git");
        let link = dot_git.is_file();
        let candidate = if link { gitfile(&dot_git) } else { Some(dot_git.clone()) };
        match candidate.and_then(|git_dir| open(environment, &git_dir, Some(here.to_path_buf()))) {
            Some(found) => {
                let items = [link.then_some(&dot_git), found.work_tree.as_ref(), Some(&found.git_dir)];
                return trusted(environment, protected, &start, found.work_tree.as_deref(), items.into_iter().flatten())
                    .unwrap_or(Discovery::Found(found));
            }
            None if link => return Discovery::Broken { path: dot_git },
            None => {}
        }
        if let Some(bare) = open(environment, here, None) {
            let explicit =
                protected.settings.iter().rev().find(|e| e.key == "safe.barerepository").is_some_and(|e| e.text() == "explicit");
            if explicit && here.file_name() != Some(".git".as_ref()) && !inside_worktree_metadata(here) {
                return Discovery::BareForbidden { path: here.to_path_buf() };
            }
            return trusted(environment, protected, &start, Some(here), [&bare.git_dir]).unwrap_or(Discovery::Found(bare.clone()));
        }
    }
    Discovery::Absent
}

/// The folders of worktrees and submodules within a `.git` count as no bare repositories.
fn inside_worktree_metadata(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/.git/worktrees/") || text.contains("/.git/modules/")
}

fn ceilings(environment: &Environment) -> Vec<PathBuf> {
    let list = environment.get("GIT_CEILING_DIRECTORIES").map(OsStrExt::as_bytes).unwrap_or_default();
    let mut follow_links = true;
    let mut out = Vec::new();
    for part in list.split(|b| *b == b':') {
        let path = Path::new(std::ffi::OsStr::from_bytes(part));
        if part.is_empty() {
            follow_links = false;
        } else if path.is_absolute() {
            out.push(if follow_links { path.canonicalize().unwrap_or_else(|_| path.to_path_buf()) } else { path.to_path_buf() });
        }
    }
    out
}

/// Where a `.git` file points.
fn gitfile(path: &Path) -> Option<PathBuf> {
    let text = files::read(path).ok()?;
    let target = text.strip_prefix(b"gitdir: ")?;
    let end = target.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let target = PathBuf::from(std::ffi::OsString::from_vec(target[..end].to_vec()));
    (end > 0).then(|| path.parent().unwrap_or(Path::new("/")).join(target))
}

/// The repository in `git_dir`, if `is_git_directory` would call it one: a HEAD that says something, `objects`, `refs`.
fn open(environment: &Environment, git_dir: &Path, work_tree: Option<PathBuf>) -> Option<Repository> {
    let head_file = git_dir.join("HEAD");
    let head = match fs::read_link(&head_file) {
        Ok(target) => [b"ref: ", target.as_os_str().as_bytes()].concat(),
        Err(_) => files::read(&head_file).ok()?,
    };
    let text = String::from_utf8_lossy(head.get(..4096.min(head.len()))?).trim_end().to_string();
    let reference = text.strip_prefix("ref:").map(str::trim_start);
    let detached = text.len() >= 40 && text.bytes().take(40).all(|b| b.is_ascii_hexdigit());
    if !detached && !reference.is_some_and(|r| r.starts_with("refs/")) {
        return None;
    }
    let common_dir = match (environment.get("GIT_COMMON_DIR"), files::read(&git_dir.join("commondir"))) {
        (Some(given), _) => PathBuf::from(given),
        (None, Ok(text)) => {
            let end = text.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
            git_dir.join(std::ffi::OsStr::from_bytes(&text[..end]))
        }
        (None, Err(_)) => git_dir.to_path_buf(),
    };
    let objects = environment.get("GIT_OBJECT_DIRECTORY").map_or_else(|| common_dir.join("objects"), PathBuf::from);
    (objects.exists() && common_dir.join("refs").exists()).then(|| Repository {
        git_dir: git_dir.to_path_buf(),
        common_dir,
        work_tree,
        // A reftable keeps its branch elsewhere and leaves this name in HEAD.
        branch: reference.and_then(|r| r.strip_prefix("refs/heads/")).filter(|b| *b != ".invalid").map(String::from),
    })
}

/// `None` when everything belongs to this user (for root also to who called sudo) or `safe.directory` vouches for it; `.` there
/// means the folder that git was `start`ed in.
fn trusted<'a>(
    environment: &Environment,
    protected: &ConfigReader<'_>,
    start: &Path,
    top: Option<&Path>,
    items: impl IntoIterator<Item = &'a PathBuf>,
) -> Option<Discovery> {
    let me = nix::unistd::geteuid().as_raw();
    let caller = environment.text("SUDO_UID").and_then(|u| u.parse::<u32>().ok()).filter(|_| me == 0);
    let mine = |meta: &Metadata| meta.uid() == me || Some(meta.uid()) == caller;
    if items.into_iter().all(|item| fs::symlink_metadata(item).is_ok_and(|meta| mine(&meta))) {
        return None;
    }
    let path = top?.canonicalize().ok()?;
    let mut safe = false;
    for entry in protected.settings.iter().filter(|e| e.key == "safe.directory") {
        match entry.value.as_deref().unwrap_or_default() {
            b"" => safe = false,
            b"*" => safe = true,
            value => {
                let Some(named) = include::expand(environment, value, false) else { continue };
                let below = named.as_os_str().as_bytes().strip_suffix(b"/*").map(|p| PathBuf::from(std::ffi::OsStr::from_bytes(p)));
                safe |= match below {
                    Some(parent) => parent.canonicalize().is_ok_and(|p| path != p && path.starts_with(p)),
                    None if named == Path::new(".") => start == path,
                    None => named.is_absolute() && named.canonicalize().is_ok_and(|n| n == path),
                };
            }
        }
    }
    (!safe).then_some(Discovery::Dubious { path })
}
