//! `include.path` and `includeIf.CONDITION.path`, git-config(1) "Includes".

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gix_glob::wildmatch::Mode;

use super::{ConfigReader, INCLUDE_DEPTH, Remotes, Way, git_prefix};
use crate::machine::account;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::{ConfigFault, GitSetting};

impl ConfigReader<'_> {
    /// Reads the file that `entry` includes, if it includes one and its condition holds.
    pub(super) fn include(&mut self, entry: &GitSetting, way: Way) -> Result<(), ConfigFault> {
        let mut without_remotes = way.without_remotes;
        match (entry.within("include"), entry.within("includeif")) {
            (Some((None, "path")), _) => {}
            (_, Some((Some(condition), "path"))) => {
                if !self.holds(condition, entry)? {
                    return Ok(());
                }
                without_remotes |= condition.starts_with("hasconfig:");
            }
            _ => return Ok(()),
        }
        let bad = || ConfigFault::IncludePath { path: entry.text(), from: entry.origin.clone() };
        let written = entry.value.as_deref().ok_or_else(bad)?;
        let expanded = expand(self.environment, written, false).ok_or_else(bad)?;
        let path = match &entry.origin.file {
            _ if expanded.is_absolute() => expanded,
            Some(from) => from.parent().unwrap_or(Path::new("")).join(expanded),
            None => return Err(bad()),
        };
        // git looks whether the file is there before it counts.
        if way.depth == INCLUDE_DEPTH && path.exists() {
            return Err(ConfigFault::IncludeDepth { file: path, from: entry.origin.clone() });
        }
        if way.depth == INCLUDE_DEPTH {
            return Ok(());
        }
        self.file(&path, Way { depth: way.depth + 1, gentle: false, without_remotes, ..way })
    }

    fn holds(&mut self, condition: &str, entry: &GitSetting) -> Result<bool, ConfigFault> {
        if let Some(pattern) = condition.strip_prefix("gitdir:") {
            return self.in_git_dir(pattern, entry, Mode::empty());
        }
        if let Some(pattern) = condition.strip_prefix("gitdir/i:") {
            return self.in_git_dir(pattern, entry, Mode::IGNORE_CASE);
        }
        if let Some(pattern) = condition.strip_prefix("onbranch:") {
            let branch = self.repository.and_then(|r| r.branch.as_deref());
            return Ok(branch.is_some_and(|b| wildmatch(&whole_folders(pattern.into()), b.as_bytes(), Mode::empty())));
        }
        if let Some(pattern) = condition.strip_prefix("hasconfig:remote.*.url:") {
            self.asked_for_remotes = true;
            let pattern = whole_folders(pattern.into());
            return Ok(match &self.remotes {
                Remotes::Unknown => false,
                Remotes::Survey => true,
                Remotes::Known(urls) => urls.iter().any(|url| wildmatch(&pattern, url.as_bytes(), Mode::empty())),
            });
        }
        Ok(false)
    }

    fn in_git_dir(&self, pattern: &str, entry: &GitSetting, case: Mode) -> Result<bool, ConfigFault> {
        let Some(repository) = self.repository else { return Ok(false) };
        let mut pattern =
            expand(self.environment, pattern.as_bytes(), true).map_or(pattern.into(), |p| p.as_os_str().as_bytes().to_vec());
        // The folder of the file that says `./` is compared as it is, whatever characters it has.
        let mut literal = Vec::new();
        if pattern.starts_with(b"./") {
            let folder =
                entry.origin.file.as_deref().and_then(|f| f.canonicalize().ok()).and_then(|f| Some(f.parent()?.to_path_buf()));
            let Some(folder) = folder else {
                return Err(ConfigFault::IncludePath { path: entry.key.clone(), from: entry.origin.clone() });
            };
            literal = [folder.as_os_str().as_bytes(), b"/"].concat();
            pattern.drain(..2);
        } else if !pattern.starts_with(b"/") {
            pattern.splice(..0, *b"**/");
        }
        let pattern = whole_folders(pattern);
        let real = repository.git_dir.canonicalize().unwrap_or_else(|_| repository.git_dir.clone());
        Ok([real, repository.git_dir.clone()].iter().any(|git_dir| {
            let Some((head, tail)) = git_dir.as_os_str().as_bytes().split_at_checked(literal.len()) else { return false };
            let same = if case.is_empty() { head == literal } else { head.eq_ignore_ascii_case(&literal) };
            same && wildmatch(&pattern, tail, case)
        }))
    }
}

fn wildmatch(pattern: &[u8], text: &[u8], case: Mode) -> bool {
    gix_glob::wildmatch(pattern.into(), text.into(), Mode::NO_MATCH_SLASH_LITERAL | case)
}

/// A pattern that ends in a slash means everything below.
fn whole_folders(mut pattern: Vec<u8>) -> Vec<u8> {
    if pattern.ends_with(b"/") {
        pattern.extend(b"**");
    }
    pattern
}

/// A path with `~/`, `~user/` or `%(prefix)/` in front; `None` when there is no such home. `real` follows the links of
/// the user's own home.
pub(super) fn expand(environment: &Environment, path: &[u8], real: bool) -> Option<PathBuf> {
    let as_path = |bytes: &[u8]| PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    if let Some(rest) = path.strip_prefix(b"%(prefix)/") {
        return Some(git_prefix(environment)?.join(as_path(rest)));
    }
    let Some(rest) = path.strip_prefix(b"~") else { return Some(as_path(path)) };
    let cut = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
    let (user, tail) = rest.split_at(cut);
    let home = if user.is_empty() {
        let home = PathBuf::from(environment.get("HOME")?);
        if real { home.canonicalize().ok()? } else { home }
    } else {
        account::home_of(std::str::from_utf8(user).ok()?)?
    };
    Some(as_path(&[home.as_os_str().as_bytes(), tail].concat()))
}
