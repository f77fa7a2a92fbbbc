//! The checks of bbdoctor: questions asked of facts about a `git clone` over SSH.
//!
//! Each check is one file here, with its page beside it. Facts are plain data, and nothing here touches the world: the
//! crate `bbdoctor-evidence` gathers them.

mod account;
mod advice;
mod agent_has_key;
mod authentication;
pub mod bitbucket;
pub mod check;
pub mod check_id;
pub mod code;
mod config_permissions;
mod config_syntax;
mod connection;
pub mod facts;
pub mod finding;
mod fingerprint_matches_remote;
mod git_agrees;
mod handshake;
mod host_settings;
mod key_files;
mod known_hosts;
mod name_resolution;
pub mod need;
pub mod privacy;
pub mod remedy;
mod remote_url;
mod repository_access;
mod tools;
pub mod unavailable;

use check::Check;

/// The checks, in the order in which a clone happens.
pub const ALL: &[&dyn Check] = &[
    &remote_url::RemoteUrl,
    &tools::Tools,
    &account::Account,
    &config_syntax::ConfigSyntax,
    &config_permissions::ConfigPermissions,
    &host_settings::HostSettings,
    &key_files::KeyFiles,
    &agent_has_key::AgentHasKey,
    &name_resolution::NameResolution,
    &connection::Connection,
    &handshake::Handshake,
    &fingerprint_matches_remote::FingerprintMatchesRemote,
    &known_hosts::KnownHostsCheck,
    &authentication::Authentication,
    &repository_access::RepositoryAccess,
    &git_agrees::GitAgrees,
];
