//! bbdoctor's reading compared with what git and OpenSSH themselves say, over random set-ups that are the same every time.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::use_debug, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test sets up its own world")]

mod git_config;
mod git_repository;
mod git_url;
mod identities;
mod known_hosts;
mod openssh;
mod random;
mod ssh_config;
