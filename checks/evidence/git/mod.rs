//! git: its configuration, the target it would contact, and its own run.

pub mod choice;
pub mod config;
pub mod run;
pub mod target;
