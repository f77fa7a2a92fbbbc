//! The tables of the README.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{bbdoctor, kept};

#[test]
fn tables() {
    kept::readme(&[("exit statuses", exit_statuses()), ("checks", checks())]);
}

fn exit_statuses() -> String {
    let schema: Value = serde_json::from_str(&bbdoctor(&["schema"])).unwrap();
    let statuses = schema["x-exit-status"].as_object().unwrap();
    let mut table = String::from("| exit status | meaning |\n|---|---|\n");
    for (status, means) in statuses {
        let _ = writeln!(table, "| {status} | {} |", means.as_str().unwrap());
    }
    table
}

fn checks() -> String {
    let mut table = String::from("| check | asks |\n|---|---|\n");
    for line in bbdoctor(&["checks"]).lines() {
        let (id, title) = line.split_once(' ').unwrap();
        let _ = writeln!(table, "| [{id}](checks/{}.md) | {} |", id.replace('-', "_"), title.trim());
    }
    table
}
