//! What bbdoctor says of itself: its help, its manual page, its completions, its pages, and the README.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests run programs and write the files they keep"
)]

mod kept;
mod pages;
mod readme;
mod shells;

use std::process::{Command, Output, Stdio};

/// Runs bbdoctor with nothing around that could change its answer; it must succeed.
fn bbdoctor(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bbdoctor"));
    let done = finished(command.args(words).env_clear());
    assert!(done.status.success(), "bbdoctor {words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// Runs a program without input.
fn finished(command: &mut Command) -> Output {
    let done = command.stdin(Stdio::null()).output();
    done.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()))
}

#[test]
fn help() {
    let of_subcommand = ["explain", "restore", "replay", "checks", "schema", "completions", "man"].map(|name| {
        let said = bbdoctor(&[name, "--help"]);
        assert!(said.contains("\nExamples:\n"), "{said}");
        (format!("tests/snapshots/help-{name}"), said)
    });
    let own =
        [("-h", "short"), ("--help", "long")].map(|(option, name)| (format!("tests/snapshots/help-{name}"), bbdoctor(&[option])));
    kept::files(&[&own[..], &of_subcommand].concat());
}

#[test]
fn manual_page() {
    let page = bbdoctor(&["man"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &page).unwrap();
    let done = finished(Command::new("groff").args(["-man", "-ww", "-k", "-Tutf8", "-P-cbu"]).arg(file.path()));
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    let shown = String::from_utf8_lossy(&done.stdout);
    for section in
        ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS", "CHECKS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"]
    {
        assert!(shown.contains(section), "{section}");
    }
    kept::files(&[("tests/snapshots/bbdoctor.1".into(), page)]);
}
