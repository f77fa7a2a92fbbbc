//! Whole-program cases: a disposable Bitbucket in which the real git, ssh, sshd, ssh-agent and bbdoctor run.
//!
//! A case is one ordinary test. It says which codes may be named as the cause (or advised, or that nothing is broken) and
//! arranges a world; [`case`] moves into namespaces of its own, starts the service, asks bbdoctor and then git, and compares.
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

mod case;
mod forms;
mod judge;
#[path = "../documents/kept.rs"]
mod kept;
mod mend;
mod namespace;
mod programs;
mod server;
mod snapshot;
mod ticket;
mod world;

mod account;
mod agent;
mod config_settings;
mod config_syntax;
mod contract;
mod git_side;
mod handshake;
mod healthy;
mod healthy_config;
mod healthy_trust;
mod host_move;
mod hostile;
mod identities;
mod key_files;
mod network;
mod privacy;
mod proxy;
mod readme;
mod remote;
mod repository;
mod ssh_program;
mod trust;
mod url;
