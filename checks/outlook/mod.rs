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

use crate::check_id::CheckId;
use crate::evidence::ssh_config::ProblemKind;

/// The check to whose field a fault of the configuration belongs.
pub(crate) fn check_of(problem: &ProblemKind) -> CheckId {
    match problem {
        ProblemKind::PermissionsTooOpen(_) | ProblemKind::WrongOwner(_) | ProblemKind::UnreadableInclude => {
            CheckId::ConfigPermissions
        }
        ProblemKind::NoAccount => CheckId::Account,
        ProblemKind::Refused => CheckId::HostSettings,
        _ => CheckId::ConfigSyntax,
    }
}
