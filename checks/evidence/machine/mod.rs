//! This machine: files, environment, account, system, programs, name resolution, and the record of what was done.

pub mod account;
pub mod environment;
pub mod files;
mod ledger;
pub mod platform;
pub mod process;
pub mod resolve;

pub(crate) use ledger::Ledger;
