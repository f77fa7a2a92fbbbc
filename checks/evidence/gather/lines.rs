//! Reads the lines of ssh's configuration that are spoken of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::paths;
use crate::machine::files;
use bbdoctor_checks::facts::Facts;
use bbdoctor_checks::facts::lines::Lines;
use bbdoctor_checks::facts::ssh_config::Position;

/// The lines at which our own reading found something, those that decide on the settings, and how the user's own file begins.
pub(crate) fn gather(facts: &Facts) -> Lines {
    let Ok(own) = facts.reading() else { return Lines::default() };
    let mut wanted: BTreeSet<&Position> = own.problems.iter().filter_map(|p| p.position.as_ref()).collect();
    wanted.extend(own.notes.iter().map(|n| &n.position));
    wanted.extend(own.settings().flat_map(|s| s.values.iter().filter_map(|v| v.source.position())));
    wanted.extend(own.identity_files.iter().filter_map(|f| f.source.position()));
    // Of the patterns that do not fit, only those that may be slips are told.
    let services = &facts.services;
    let slip =
        |pattern: &&bbdoctor_checks::facts::ssh_config::HostPattern| !pattern.fits && services.meant_by(&pattern.pattern).is_some();
    wanted.extend(own.host_patterns.iter().filter(slip).map(|p| &p.position));
    let mut texts = BTreeMap::new();
    let named: BTreeSet<PathBuf> = wanted.iter().map(|p| p.file.clone()).collect();
    for file in named {
        let Ok(bytes) = files::read(&file) else { continue };
        // What is no configuration but a key is nobody's business.
        if files::holds_private_key(&bytes) {
            continue;
        }
        let lines: Vec<_> = bytes.split(|b| *b == b'\n').collect();
        for position in wanted.iter().filter(|p| p.file == file) {
            if let Some(line) = position.line.checked_sub(1).and_then(|n| lines.get(n)) {
                texts.insert((*position).clone(), String::from_utf8_lossy(line).trim_end_matches('\r').to_string());
            }
        }
    }
    let users = facts.question().ok().and_then(|question| paths::user_config_file(&question));
    let begins = users.and_then(|file| files::read(&file).ok()).is_some_and(|bytes| begins_outside_blocks(&bytes));
    Lines::new(texts, begins)
}

/// Whether a file has lines that apply to every host before its first block, or none at all.
fn begins_outside_blocks(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
    first.is_some_and(|l| {
        let keyword = l.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default().to_ascii_lowercase();
        keyword != "host" && keyword != "match"
    })
}
