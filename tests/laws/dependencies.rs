//! What the program is made of besides its own code: from where it comes, under which licence, for which Rust, and nothing twice.
//!
//! This is what `cargo deny check bans licenses sources` would hold, without a tool that takes longer to build than bbdoctor.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Licences that allow what ours allow. A package must allow one of them, or all of those it joins by `AND`.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// The one place that packages come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages of which there are several versions, and who still wants the older one.
const TWICE: &[(&str, &str)] = &[
    ("bitflags", "defmt, which no program of ours contains"),
    ("defmt", "jiff's optional logging, which no program of ours contains"),
    ("getrandom", "jsonschema and proptest, which are for tests"),
    ("r-efi", "the two versions of getrandom, on UEFI"),
    ("shlex", "what builds OpenSSL has the newer one"),
    ("syn", "macros of the tests' packages"),
];

/// Packages that must not come in: what they do is done by what is named.
const BANNED: &[(&str, &str)] = &[("tokio", "threads"), ("async-std", "threads")];

fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--locked", "--format-version", "1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let done = metadata.output().expect("cargo runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let metadata: Value = serde_json::from_slice(&done.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

/// Whether a licence expression (SPDX, or with the slash of old) can be fulfilled by [`LICENCES`].
fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    // In no expression here does an AND stand inside an alternative.
    expression.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn licences_allow_what_ours_allow() {
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| !allowed(text(package, "license")))
        .map(|package| format!("{} {}: {:?}", text(package, "name"), text(package, "version"), text(package, "license")))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        allowed("(MIT OR Apache-2.0) AND Unicode-3.0") && allowed("Apache-2.0/MIT") && !allowed("GPL-3.0-only") && !allowed("")
    );
}

#[test]
fn everything_comes_from_the_registry() {
    let foreign: Vec<Value> = packages().into_iter().filter(|p| !p["source"].is_null() && p["source"] != REGISTRY).collect();
    assert!(foreign.is_empty(), "{:?}", foreign.iter().map(|package| text(package, "id")).collect::<Vec<_>>());
}

#[test]
fn every_package_builds_with_the_oldest_rust_that_is_promised() {
    // "1.88" and "1.88.0" are the same.
    let number = |version: &str| -> Vec<u32> {
        let parts = version.split('.').map(|part| part.parse().unwrap());
        parts.chain(std::iter::repeat(0)).take(3).collect()
    };
    let oldest = number(env!("CARGO_PKG_RUST_VERSION"));
    let newer: Vec<String> = packages()
        .iter()
        .filter(|package| package["rust_version"].as_str().is_some_and(|wanted| number(wanted) > oldest))
        .map(|package| format!("{} {} wants {}", text(package, "name"), text(package, "version"), text(package, "rust_version")))
        .collect();
    assert!(newer.is_empty(), "Rust {} is promised: {newer:#?}", env!("CARGO_PKG_RUST_VERSION"));
}

#[test]
fn nothing_is_there_twice_without_a_reason() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        versions.entry(text(&package, "name").into()).or_default().insert(text(&package, "version").into());
    }
    versions.retain(|_, versions| versions.len() > 1);
    let twice: BTreeSet<&str> = versions.keys().map(String::as_str).collect();
    let excused: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    assert_eq!(twice, excused, "{versions:?}");
}

#[test]
fn nothing_comes_in_that_is_not_wanted() {
    let names: BTreeSet<String> = packages().iter().map(|package| text(package, "name").to_owned()).collect();
    for (banned, instead) in BANNED {
        assert!(!names.contains(*banned), "{banned}: use {instead}");
    }
}
