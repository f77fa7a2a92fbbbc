//! Questions that several checks ask of the evidence: what the facts add up to.
//!
//! Nothing here touches the world but through evidence; each answer follows from facts that are gathered already, or gathers
//! them.

mod config;
mod git;
mod keys;
mod road;
mod server;
mod url;

use crate::evidence::ssh_config::ProblemKind;

/// The check to whose field a fault of the configuration belongs.
pub(crate) fn check_of(problem: &ProblemKind) -> &'static str {
    match problem {
        ProblemKind::PermissionsTooOpen(_) | ProblemKind::WrongOwner(_) | ProblemKind::UnreadableInclude => "config-permissions",
        ProblemKind::NoAccount => "account",
        ProblemKind::Refused => "host-settings",
        _ => "config-syntax",
    }
}
