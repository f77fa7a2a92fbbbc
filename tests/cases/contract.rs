//! Every code has a case: the table of findings against what the cases say they inject.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::case::LIST;

#[test]
fn every_code_has_a_case() {
    if std::env::var_os(LIST).is_some() {
        return;
    }
    let list = tempfile::NamedTempFile::new().unwrap();
    let done = Command::new(std::env::current_exe().unwrap()).env(LIST, list.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let told = std::fs::read_to_string(list.path()).unwrap();
    let cases: Vec<Vec<&str>> = told.lines().map(|line| line.split(' ').collect()).collect();
    let injected: BTreeSet<&str> =
        cases.iter().filter_map(|case| case.get(2)).flat_map(|codes| codes.split(',')).filter(|code| !code.is_empty()).collect();
    let known: BTreeSet<&str> = bbdoctor_checks::finding::Code::ALL.iter().map(|code| code.name()).collect();
    let missing: Vec<&&str> = known.difference(&injected).collect();
    let unknown: Vec<&&str> = injected.difference(&known).collect();
    assert!(missing.is_empty(), "codes without a case: {missing:?}");
    assert!(unknown.is_empty(), "cases name codes that do not exist: {unknown:?}");
    let healthy = cases.iter().filter(|case| case.get(1) == Some(&"Healthy")).count();
    assert!(cases.len() >= 200 && healthy >= 70, "{} cases, {healthy} of them healthy", cases.len());
}
