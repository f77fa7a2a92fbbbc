//! Whole-program cases: a disposable Bitbucket in which the real git, ssh, sshd, ssh-agent and bbdoctor run.
//!
//! A case is one ordinary test. It says which codes may be named as the cause (or advised, or that nothing is broken) and
//! arranges a world; [`harness::case`] moves into namespaces of its own, starts the service, asks bbdoctor and then git, and compares.
//!
//! Environment, for people: `BBDOCTOR_CASES=oracle` checks the set-ups against git alone; `BBDOCTOR_CASES_PROGRAM=/path/to/bbdoctor`
//! examines that program instead of the one built here, so that `tests/compare-reports` can compare the reports of the two.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::use_debug,
    clippy::zombie_processes,
    reason = "the cases build the world that the program's laws protect, a failed step must stop the case at once, and the end \
              of its pid namespace ends what it started"
)]

mod harness;
#[path = "../documents/kept.rs"]
mod kept;

// By the check that names the cause.
mod account;
mod agent_has_key;
mod authentication;
mod config_permissions;
mod config_syntax;
mod connection;
mod fingerprint_matches_remote;
mod git_agrees;
mod handshake;
mod host_settings;
mod key_files;
mod known_hosts;
mod name_resolution;
mod remote_url;
mod repository_access;
mod tools;

// Where nothing is broken, nothing can be known, or nothing is to be expected but a report.
mod healthy;
mod hostile;
mod inconclusive;

// What holds of all of them.
mod contract;
mod privacy;
mod readme;
