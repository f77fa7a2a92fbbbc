//! Which files a source imports: by `use`, and by paths in the code.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// The files that `source` names, other than itself.
pub(crate) fn of(source: &Source, all: &[Source]) -> BTreeSet<String> {
    let modules: BTreeMap<String, &str> = all.iter().map(|other| (module(&other.path).join("/"), other.path.as_str())).collect();
    let here = module(&source.path);
    let mut found = BTreeSet::new();
    for path in paths(&source.code) {
        let Some(absolute) = absolute(&path, &here, &source.path) else { continue };
        // The longest beginning of the path that is a file; what comes after is a name in it.
        let file = (1..=absolute.len()).rev().find_map(|length| modules.get(&absolute[..length].join("/")));
        found.extend(file.filter(|file| **file != source.path).map(|file| (*file).to_owned()));
    }
    // What a crate's root lists is not imported by naming the crate.
    found.retain(|file| !file.ends_with("/lib.rs"));
    found
}

/// The module a file is, from the folder of its crate's root.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").or_else(|| path.strip_suffix("/main")).unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// The path from the top of the repository; `None` for other crates and the standard library.
fn absolute(path: &[String], here: &[String], file: &str) -> Option<Vec<String>> {
    let own_crate: &[&str] = if file.starts_with("src/") {
        &["src"]
    } else if file.starts_with("checks/evidence/") && evidence_is_a_crate() {
        &["checks", "evidence"]
    } else {
        &["checks"]
    };
    let (first, rest) = path.split_first()?;
    let mut start: Vec<String> = match first.as_str() {
        "crate" => own_crate.iter().map(|part| (*part).to_owned()).collect(),
        "bbdoctor_checks" => vec!["checks".into()],
        "bbdoctor_evidence" => vec!["checks".into(), "evidence".into()],
        "self" => here.to_vec(),
        "super" => here[..here.len() - 1].to_vec(),
        _ => return None,
    };
    for part in rest {
        if part == "super" {
            start.pop();
        } else {
            start.push(part.clone());
        }
    }
    Some(start)
}

fn evidence_is_a_crate() -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("checks/evidence/Cargo.toml").exists()
}

/// Every path of at least two parts in the code, with the groups of `use` written out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = code;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let begins = (first.is_alphabetic() || first == '_') && !(before.is_alphanumeric() || before == '_' || before == ':');
        if begins {
            let length = tree(rest, &mut Vec::new(), &mut found);
            before = rest[..length].chars().last().unwrap_or(' ');
            rest = &rest[length..];
        } else {
            before = first;
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Reads one path with its groups from the beginning of `text`; its length.
fn tree(text: &str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let (mut at, depth) = (0, prefix.len());
    loop {
        let name = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(&text[at..], |end| &text[at..at + end]);
        at += name.len();
        if !name.is_empty() {
            prefix.push(name.to_owned());
        }
        let Some(after) = text[at..].strip_prefix("::") else { break };
        at += 2;
        if let Some(group) = after.strip_prefix('{') {
            at += 1;
            let mut inner = group;
            loop {
                let blank = inner.len() - inner.trim_start().len();
                (at, inner) = (at + blank, &inner[blank..]);
                match inner.chars().next() {
                    None => break,
                    Some('}') => {
                        at += 1;
                        break;
                    }
                    Some(c) if c.is_alphabetic() || c == '_' => {
                        let length = tree(inner, prefix, found);
                        (at, inner) = (at + length, &inner[length..]);
                    }
                    Some(other) => (at, inner) = (at + other.len_utf8(), &inner[other.len_utf8()..]),
                }
            }
            prefix.truncate(depth);
            return at;
        }
        if after.starts_with(|c: char| !c.is_alphabetic() && c != '_') {
            break;
        }
    }
    if prefix.len() > 1 {
        found.push(prefix.clone());
    }
    prefix.truncate(depth);
    at
}

#[test]
fn groups_are_written_out() {
    let found: Vec<String> = paths("use crate::{a::{b, c::D}, e}; let x = super::f::g(h); std::mem::take")
        .into_iter()
        .map(|path| path.join("::"))
        .collect();
    assert_eq!(found, ["crate::a::b", "crate::a::c::D", "crate::e", "super::f::g", "std::mem::take"]);
}
