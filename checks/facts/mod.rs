//! Facts about this machine, the network and the service, as plain data: what checks read and what a recording holds.
//!
//! A fact has no cell, no lock and no handle, and knows nothing of how it was gathered. What it can be asked is pure. Here
//! belongs the judgement that several checks or gatherers share; what a single check asks stays in that check.

pub mod agent;
pub mod bytes;
pub mod connection;
pub mod environment;
pub mod files;
pub mod git_config;
pub mod git_run;
pub mod git_url;
pub mod handshake;
pub mod identities;
pub mod kexinit;
pub mod key_file;
pub mod known_hosts;
pub mod public_key;
pub mod session;
pub mod ssh_command;
pub mod ssh_config;

/// Asserts that `value` survives a recording.
#[cfg(test)]
pub(crate) fn survives_json<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(value).expect("serialises");
    let back: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(back, *value, "{json}");
}
