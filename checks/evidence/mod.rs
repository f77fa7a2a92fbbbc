//! Facts about this machine, the network and the service, gathered lazily and once, by the only code that touches the
//! world.
#![allow(clippy::disallowed_methods, reason = "evidence is where the world is touched")]

pub mod account;
pub mod environment;
pub mod files;
pub mod process;
pub mod ssh_config;

/// Facts.
#[derive(Debug)]
pub struct Evidence;
