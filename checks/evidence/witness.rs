//! What git itself did, as far as a verdict needs it.

use std::time::Instant;

use super::Evidence;
use super::control::Control;
use super::git_run::{self, GitRun, Master};
use crate::check_id::CheckId;
use crate::privacy::Private;
use crate::text;
use crate::unavailable::Unavailable;

/// The second witness' answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// git did what it was asked for.
    Worked,
    /// git failed.
    Failed {
        /// The last check on the way of a clone whose part is known to have succeeded, by what ssh said.
        got_past: Option<CheckId>,
    },
    /// git was asked and gave no answer in time, or could not be started.
    Silent,
    /// git was not asked (`--no-exec`, `--only`, `--skip`).
    NotAsked,
    /// git was not asked, and what it would run is not ssh: a program that may do anything, or HTTPS (`--no-exec`).
    Unknowable,
    /// Nothing on the network was asked (`--offline`).
    Offline,
}

impl Witness {
    /// Whether git works, if that is known.
    pub fn works(self) -> Option<bool> {
        match self {
            Witness::Worked => Some(true),
            Witness::Failed { .. } => Some(false),
            Witness::Silent | Witness::NotAsked | Witness::Unknowable | Witness::Offline => None,
        }
    }

    /// Whether git was asked.
    pub fn was_asked(self) -> bool {
        !matches!(self, Witness::NotAsked | Witness::Unknowable | Witness::Offline)
    }

    /// The last check whose part is known to have succeeded although git failed.
    pub fn got_past(self) -> Option<CheckId> {
        match self {
            Witness::Failed { got_past } => got_past,
            _ => None,
        }
    }
}

/// Runs git, as the user would but without a trace.
pub(super) fn run(evidence: &Evidence) -> Result<GitRun, Unavailable> {
    if evidence.runs_unknown_program() {
        return Err(Unavailable::Unknown {
            why: "--no-exec: git was not run, and what it would start in place of ssh only a run can show".into(),
        });
    }
    if !evidence.may_execute() {
        return Err(Unavailable::Skipped {
            why: "--no-exec: git was not run, so bbdoctor's own reading is the only witness".into(),
        });
    }
    evidence.online()?;
    if evidence.git().is_none() {
        return Err(Unavailable::Unknown { why: "there is no git on PATH".into() });
    }
    let target = evidence.target()?;
    let Some(name) = target.for_git().filter(|_| target.repository.is_some() || target.fault.is_some()) else {
        return Err(Unavailable::NotApplicable { why: "no repository was named that git could be asked about".into() });
    };
    let known_hosts = evidence.known_hosts().ok().filter(|_| evidence.accepts_new_host_keys());
    let begun = Instant::now();
    let witness = git_run::Witness {
        target: name,
        verbatim: target.examined_instead.is_some() && !target.rules_end_ssh(),
        push: evidence.pushes(),
        folder: &target.folder,
        environment: evidence.environment(),
        ssh: evidence.ssh_command(),
        repository: evidence.git_config().repository(),
        master: match evidence.control() {
            // A master that cannot be made must be seen to fail.
            Control::Unusable(..) => Master::PersistNone,
            Control::Nobody | Control::NoFolder(_) | Control::Master(_) => Master::StartNone,
        },
        known_hosts: known_hosts.map(|k| k.user_files.as_slice()),
        deadline: evidence.deadline(),
    };
    let run = witness.run();
    evidence.ledger.record("git", begun.elapsed(), run.as_ref().is_ok_and(|run| run.works));
    let run =
        run.map_err(|e| Unavailable::Unknown { why: text!("git could not be started: {}", Private::quoted(e.to_string())) })?;
    evidence.ledger.started(&run.command);
    Ok(run)
}

/// The last check whose part succeeded in a run that failed, by the milestones that ssh reported.
pub(super) fn got_past(run: &GitRun) -> Option<CheckId> {
    let seen = &run.transcript;
    if seen.used_master {
        return None;
    }
    let milestones = [
        (seen.authenticated.is_some(), CheckId::Authentication),
        (seen.known_as.is_some(), CheckId::KnownHosts),
        (seen.host_key.is_some(), CheckId::Handshake),
        (seen.established, CheckId::Connection),
        (!seen.connecting.is_empty(), CheckId::NameResolution),
    ];
    let reached = milestones.into_iter().find(|(happened, _)| *happened).map(|(_, check)| check)?;
    // What is found about keys and settings before the network may be what stops ssh at the login.
    (reached == CheckId::Authentication).then_some(reached)
}
