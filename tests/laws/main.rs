//! The laws of the house that no compiler holds: which room may import which, that no two files import each other in a circle, where
//! `unsafe` may stand, that a long file says why it is long, that what is known of the service has a source and a date, and what other
//! people's packages the program may contain.
//!
//! What does not keep a law yet is named in [`EXCEPTIONS`], and nowhere else.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::use_debug, reason = "tests")]

mod dependencies;
mod imports;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::Source;

/// A room of the house: its name, the files and folders that are it, and the rooms whose files it may import besides its own.
struct Room {
    name: &'static str,
    places: &'static [&'static str],
    uses: &'static [&'static str],
}

/// Every source file is in the room with the longest place that is a beginning of its path.
const ROOMS: &[Room] = &[
    // The crate of checks: pure.
    Room { name: "privacy", places: &["checks/privacy"], uses: &[] },
    Room { name: "knowledge", places: &["checks/knowledge", "checks/bitbucket"], uses: &["words"] },
    Room {
        name: "words",
        places: &["checks/check_id", "checks/code", "checks/finding", "checks/need", "checks/remedy", "checks/unavailable"],
        uses: &["privacy"],
    },
    Room { name: "facts", places: &["checks/facts"], uses: &["privacy", "knowledge", "words"] },
    Room { name: "checks", places: &["checks"], uses: &["privacy", "knowledge", "words", "facts"] },
    // The crate of evidence: it fills in facts and knows no check.
    Room { name: "machine", places: &["checks/evidence/machine"], uses: &["privacy", "knowledge", "words", "facts"] },
    Room { name: "git", places: &["checks/evidence/git"], uses: &["privacy", "knowledge", "words", "facts", "machine"] },
    Room { name: "openssh", places: &["checks/evidence/openssh"], uses: &["privacy", "knowledge", "words", "facts", "machine"] },
    Room {
        name: "server",
        places: &["checks/evidence/server"],
        uses: &["privacy", "knowledge", "words", "facts", "machine", "git", "openssh"],
    },
    Room {
        name: "gather",
        places: &["checks/evidence"],
        uses: &["privacy", "knowledge", "words", "facts", "machine", "git", "openssh", "server"],
    },
    // The program.
    Room {
        name: "program",
        places: &["src"],
        uses: &["privacy", "knowledge", "words", "facts", "checks", "machine", "git", "openssh", "server", "gather"],
    },
];

/// The laws, as [`EXCEPTIONS`] calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    /// No import points up.
    Rooms,
    /// No circle among the files of `checks/`.
    Circles,
    /// A file over 400 lines has a reason in its header.
    Length,
}

/// What does not keep a law yet: the law, the beginning of the path of the file that breaks it, and of what it should not import (or
/// nothing). It is to become empty.
const EXCEPTIONS: &[(Law, &str, &str)] = &[(Law::Rooms, "checks/privacy", "checks/bitbucket")];

fn excepted(law: Law, path: &str, import: &str) -> bool {
    EXCEPTIONS.iter().any(|(excepted, from, to)| *excepted == law && path.starts_with(from) && import.starts_with(to))
}

fn room_of(path: &str) -> &'static Room {
    let fits = |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']));
    let longest = |room: &Room| room.places.iter().filter(|place| fits(place)).map(|place| place.len()).max();
    ROOMS.iter().filter(|room| longest(room).is_some()).max_by_key(|room| longest(room)).expect("every source has a room")
}

/// The sources of the product; not its tests.
fn product() -> Vec<Source> {
    source::below(&["checks", "src"]).into_iter().filter(|source| !source.is_test()).collect()
}

#[test]
fn no_import_points_up() {
    let sources = product();
    assert!(sources.len() > 100, "the sources are looked for in the wrong place");
    let mut broken = Vec::new();
    for source in &sources {
        let room = room_of(&source.path);
        for import in imports::of(source, &sources) {
            let other = room_of(&import);
            let allowed = other.name == room.name || room.uses.contains(&other.name);
            if !allowed && !excepted(Law::Rooms, &source.path, &import) {
                broken.push(format!("{} ({}) imports {import} ({})", source.path, room.name, other.name));
            }
        }
    }
    assert!(broken.is_empty(), "{} imports point up:\n{}", broken.len(), broken.join("\n"));
}

/// The part of a room that a file belongs to: a file and the folder of its name are one, for they are one module.
fn part(path: &str) -> String {
    let mut place = "";
    for room in ROOMS {
        let holds = |candidate: &&&str| path.strip_prefix(**candidate).is_some_and(|rest| rest.starts_with('/'));
        let longest = room.places.iter().filter(holds).max_by_key(|candidate| candidate.len());
        place = longest.filter(|found| found.len() > place.len()).unwrap_or(&place);
    }
    let rest = path[place.len()..].trim_start_matches('/');
    let first = rest.split('/').next().unwrap_or_default();
    format!("{place}/{}", first.trim_end_matches(".rs"))
}

#[test]
fn no_circle_of_imports() {
    let sources: Vec<Source> = product().into_iter().filter(|source| source.path.starts_with("checks/")).collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let from = part(&source.path);
        let imports = imports::of(source, &sources).into_iter().filter(|import| !excepted(Law::Circles, &source.path, import));
        let to = imports.map(|import| part(&import)).filter(|to| *to != from);
        // A list of modules is imported by everybody and imports everybody.
        if !["lib", "mod", "main"].iter().any(|list| from.ends_with(&format!("/{list}"))) {
            graph.entry(from.clone()).or_default().extend(to);
        }
    }
    let circles: Vec<String> = graph.keys().filter_map(|start| circle(&graph, start)).collect();
    assert!(circles.is_empty(), "files import each other in a circle:\n{}", circles.join("\n"));
}

/// The shortest way from a file back to itself.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<String> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in &ways {
            for next in graph.get(*way.last()?).into_iter().flatten() {
                if next == start {
                    return Some(format!("{} -> {start}", way.join(" -> ")));
                }
                if seen.insert(next.as_str()) {
                    longer.push([&way[..], &[next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn unsafe_stands_in_the_glue_to_libssh2_only() {
    for source in source::below(&["checks", "src", "tests"]) {
        let glue = source.path.starts_with("checks/evidence/") && source.path.ends_with("/libssh2.rs");
        let unsafely = source.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        assert!(glue || !unsafely, "{}: only the glue to libssh2 may be unsafe", source.path);
    }
}

#[test]
fn a_long_file_says_why() {
    let long = source::below(&["checks", "src", "tests"]).into_iter().filter(|source| source.text.lines().count() > 400);
    let silent: Vec<String> = long
        .filter(|source| !excepted(Law::Length, &source.path, ""))
        .filter(|source| {
            !source.text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("Over 400 lines:"))
        })
        .map(|source| format!("{} ({} lines)", source.path, source.text.lines().count()))
        .collect();
    assert!(silent.is_empty(), "split where a subject ends, or say why in the header, after \"Over 400 lines:\": {silent:#?}");
}

#[test]
fn what_is_known_has_a_source_and_a_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/knowledge");
    if !folder.exists() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/bitbucket.rs")).unwrap();
        let verified = text.lines().find_map(|line| line.strip_prefix("pub const VERIFIED_ON: &str = \"")).expect("the day");
        assert!(is_day(verified.trim_end_matches("\";")), "{verified}");
        return;
    }
    let mut entries = 0;
    for file in
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml"))
    {
        let table: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        for (name, value) in &table {
            let list = match value {
                toml::Value::Array(list) => list.clone(),
                toml::Value::Table(_) => vec![value.clone()],
                _ => continue,
            };
            for entry in list {
                let text = |key: &str| entry.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                assert!(
                    text("source").is_some_and(|source| !source.is_empty()),
                    "{}: {name} names no source: {entry}",
                    file.display()
                );
                assert!(text("date").is_some_and(|day| is_day(&day)), "{}: {name} has no date: {entry}", file.display());
                entries += 1;
            }
        }
    }
    assert!(entries > 0, "nothing is known");
}

/// ISO 8601, a day of the calendar in this century.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |at: usize, digits: usize| parts.get(at).filter(|part| part.len() == digits)?.parse::<u32>().ok();
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(1, 2), number(2, 2)) else { return false };
    parts.len() == 3 && (2000..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[test]
fn rooms_are_found_by_the_longest_place() {
    let room = |path| room_of(path).name;
    assert_eq!(
        [
            room("checks/known_hosts/address.rs"),
            room("checks/finding.rs"),
            room("checks/facts/agent.rs"),
            room("src/report/json.rs")
        ],
        ["checks", "words", "facts", "program"]
    );
    assert_eq!([room("checks/evidence/git/run.rs"), room("checks/evidence/gather.rs")], ["git", "gather"]);
    assert_eq!(part("checks/known_hosts/address.rs"), part("checks/known_hosts.rs"));
    assert_eq!(part("checks/facts/git_url/fault.rs"), "checks/facts/git_url");
}
