//! The human report as it leaves the program: into a pipe, and on terminals of several kinds.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, reason = "a test runs the program")]

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};

/// A report that is the same on every machine: it looks at the URL alone.
fn bbdoctor(words: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bbdoctor"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(environment.iter().copied());
    command.args(["--offline", "--no-exec", "--only", "remote-url,name-resolution,connection,handshake,authentication"]);
    command.arg("git@ssh.bitbucket.org:acme/app.git").args(words).stdin(Stdio::null());
    command
}

/// What the program writes into a pipe.
fn piped(words: &[&str], environment: &[(&str, &str)]) -> String {
    String::from_utf8(bbdoctor(words, environment).stderr(Stdio::null()).output().unwrap().stdout).unwrap()
}

/// What the program writes to a terminal of `columns` columns: the report, or, where `report` is false, what it shows
/// while it works.
fn on_terminal(columns: u16, report: bool, words: &[&str], environment: &[(&str, &str)]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let ends = openpty(Some(&size), None).expect("a pseudo-terminal");
    let mut command = bbdoctor(words, environment);
    if report {
        command.stdout(Stdio::from(ends.slave)).stderr(Stdio::null());
    } else {
        command.stderr(Stdio::from(ends.slave)).stdout(Stdio::null());
    }
    let mut child = command.spawn().unwrap();
    // Its copy of the terminal would keep the other end open.
    drop(command);
    let (mut said, mut part) = (Vec::new(), [0; 1024]);
    let mut master = File::from(ends.master);
    // The end of a terminal is an error (EIO) on Linux.
    while let Ok(length @ 1..) = master.read(&mut part) {
        said.extend_from_slice(&part[..length]);
    }
    child.wait().unwrap();
    String::from_utf8(said).unwrap()
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_pipe_gets_eighty_columns_and_no_escapes() {
    let text = piped(&[], &[("TERM", "xterm"), ("COLUMNS", "40")]);
    assert!(!text.contains('\x1b'), "{text:?}");
    assert!((60..=80).contains(&widest(&text)), "{text}");
    assert!(text.contains("\nINCONCLUSIVE: "), "{text}");
}

#[test]
fn a_terminal_is_filled_to_its_width_in_colour() {
    let text = on_terminal(40, true, &[], &[("TERM", "xterm")]);
    assert!(text.contains("\x1b[35;1mINCONCLUSIVE:\x1b[0m "), "{text:?}");
    let plain = on_terminal(40, true, &[], &[("TERM", "dumb")]);
    assert!(!plain.contains('\x1b'), "{plain:?}");
    assert!((30..=40).contains(&widest(&plain)), "{plain}");
}

#[test]
fn the_option_comes_before_the_environment_and_no_colour_before_force() {
    let coloured = |words: &[&str], environment: &[(&str, &str)]| piped(words, environment).contains('\x1b');
    assert!(coloured(&[], &[("FORCE_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("FORCE_COLOR", "1")]));
    assert!(!on_terminal(80, true, &[], &[("TERM", "xterm"), ("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn nothing_moves_while_a_screen_reader_listens() {
    let moving = on_terminal(80, false, &[], &[("TERM", "xterm")]);
    assert!(moving.contains('\x1b'), "{moving:?}");
    let still = on_terminal(80, false, &["--accessible"], &[("TERM", "xterm")]);
    assert_eq!(still, "bbdoctor is looking; this takes at most 20 seconds.\r\n");
    for quiet in [&["-q"][..], &["--format", "json"]] {
        assert_eq!(on_terminal(80, false, quiet, &[("TERM", "xterm")]), "");
    }
}

#[test]
fn the_verdict_alone_is_the_verdict_alone() {
    let text = piped(&["-q"], &[]);
    assert!(text.starts_with("INCONCLUSIVE: ") && text.lines().skip(1).all(|line| line.starts_with("   ")), "{text}");
}
