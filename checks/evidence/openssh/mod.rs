//! What OpenSSH would do: its command, its configuration, known_hosts, keys and agents.

pub mod agent;
pub mod control;
pub mod identities;
pub mod key_file;
pub(crate) mod keyring;
pub(crate) mod keys;
pub mod known_hosts;
mod pattern;
pub mod public_key;
pub(crate) mod settings;
pub mod ssh_command;
pub mod ssh_config;
pub(crate) mod trust;
pub mod wire;
