//! What git's own run says, as far as checks and the verdict need it.

use super::Facts;
use super::conversation::{Access, Conversation, LoginProblem};
use super::git_run::GitRun;
use super::keys::Key;
use super::session::{Ended, Login};
use crate::check_id::CheckId;
use crate::facts::ssh_command::ClientKind;
use crate::unavailable::Unavailable;

/// What became of git's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitOutcome {
    /// git did what it was asked for.
    Worked,
    /// git failed.
    Failed {
        /// The last check on the way of a clone whose part is known to have succeeded, by what ssh said.
        got_past: Option<CheckId>,
    },
    /// git was run and gave no answer in time, or could not be started.
    Silent,
    /// git was not run (`--no-exec`, `--only`, `--skip`).
    NotRun,
    /// git was not run, and what it would run is not ssh: a program that may do anything, or HTTPS (`--no-exec`).
    Unknowable,
    /// Nothing on the network was asked (`--offline`).
    Offline,
}

impl GitOutcome {
    /// Whether git works, if that is known.
    pub fn works(self) -> Option<bool> {
        match self {
            GitOutcome::Worked => Some(true),
            GitOutcome::Failed { .. } => Some(false),
            GitOutcome::Silent | GitOutcome::NotRun | GitOutcome::Unknowable | GitOutcome::Offline => None,
        }
    }

    /// Whether git was run, or could not be.
    pub fn was_asked(self) -> bool {
        !matches!(self, GitOutcome::NotRun | GitOutcome::Unknowable | GitOutcome::Offline)
    }

    /// The last check whose part is known to have succeeded although git failed.
    pub fn got_past(self) -> Option<CheckId> {
        match self {
            GitOutcome::Failed { got_past } => got_past,
            _ => None,
        }
    }
}

/// The last check whose part succeeded in a run that failed, by the milestones that ssh reported.
fn got_past(run: &GitRun) -> Option<CheckId> {
    let transcript = &run.transcript;
    // What is found about keys and settings before the network may be what stops ssh at the login.
    (!transcript.used_master && transcript.authenticated.is_some()).then_some(CheckId::Authentication)
}

/// How ssh says that the bytes were changed on the way (`packet.c`).
const GARBLED: &[&str] = &["Bad packet length", "Corrupted MAC", "message authentication code incorrect"];

impl Facts {
    /// Whether git runs something in place of ssh that may not be started, so that nobody can say what it does.
    pub fn runs_unknown_program(&self) -> bool {
        let command = &self.ssh_command;
        let opaque = command.started_by_another || matches!(command.kind, ClientKind::Wrapper | ClientKind::Unknown);
        let elsewhere = self.target.as_ref().is_ok_and(super::target::Target::rules_end_ssh);
        !self.request.may_execute && (opaque || elsewhere)
    }

    /// What became of git's run.
    pub fn git_outcome(&self) -> GitOutcome {
        match &self.git_run {
            _ if self.request.offline => GitOutcome::Offline,
            _ if self.runs_unknown_program() => GitOutcome::Unknowable,
            Err(Unavailable::Skipped { .. } | Unavailable::NotApplicable { .. }) => GitOutcome::NotRun,
            Err(_) => GitOutcome::Silent,
            Ok(run) if run.timed_out => GitOutcome::Silent,
            Ok(run) if run.works => GitOutcome::Worked,
            Ok(run) => GitOutcome::Failed { got_past: got_past(run) },
        }
    }

    /// Whether git works, if it was asked.
    pub(crate) fn git_works(&self) -> Option<bool> {
        let run = self.git_run().ok()?;
        (!run.timed_out).then_some(run.works)
    }

    /// Whether git had not ended when its time was spent.
    pub(crate) fn git_hangs(&self) -> bool {
        self.git_run().is_ok_and(|run| run.timed_out)
    }

    /// Whether something writes into git's conversation.
    pub(crate) fn git_protocol_is_spoilt(&self) -> bool {
        self.git_run().is_ok_and(|run| run.protocol_noise.is_some())
    }

    /// Whether ssh says that it shares no signature algorithm with the server.
    pub(crate) fn signature_algorithm_is_missing(&self) -> bool {
        let said = |run: &GitRun| run.said.iter().chain(&run.transcript.last).any(|l| l.contains("no mutual signature"));
        self.git_run().is_ok_and(|run| !run.works && said(run))
    }

    /// Whether ssh, when git ran it, set out to try keys and this one of its agent's was not among them.
    pub(crate) fn agent_hides_from_ssh(&self, key: &Key) -> bool {
        let Some(public) = key.public().filter(|_| key.from_agent()) else { return false };
        let print = public.fingerprint();
        let tried = |run: &GitRun| run.transcript.will_attempt.iter().any(|line| line.fingerprint.as_ref() == Some(&print));
        self.git_run().is_ok_and(|run| !run.works && !run.transcript.will_attempt.is_empty() && !tried(run))
    }

    /// What ssh says of a stream that was changed on the way, where our own login broke off too.
    pub(crate) fn garbled_stream(&self, conversation: &Conversation) -> Option<String> {
        let broke = conversation.logins.iter().any(|l| matches!(l.result, Err(LoginProblem::Failed(_))));
        let said = &self.git_run().ok().filter(|run| broke && !run.works)?.said;
        let garbled = |line: &&String| GARBLED.iter().any(|words| line.contains(words));
        said.iter().find(garbled).map(|line| line.trim_end_matches('.').to_string())
    }

    /// Whether the server gave no answer to our own login, nor to git's.
    pub(crate) fn login_stalls(&self) -> bool {
        let silent = |problem: &LoginProblem| matches!(problem, LoginProblem::Failed(Login::Ended(Ended::TimedOut)));
        let ours =
            self.conversation().is_ok_and(|conversation| conversation.logins.iter().any(|l| l.result.as_ref().is_err_and(silent)));
        ours && self.git_run().map_or(true, |run| run.timed_out)
    }

    /// Whether ssh could not set up a forwarding.
    pub(crate) fn forwarding_failed(&self) -> bool {
        self.git_run().is_ok_and(|run| !run.works && run.said.iter().any(|line| line.contains("forwarding")))
    }

    /// Whether our own probe saw a failure.
    pub(crate) fn probe_expected_failure(&self) -> bool {
        self.name_fails()
            || self.route_fails()
            || self.handshake_fails()
            || self.login_fails()
            || self.conversation().is_ok_and(|t| t.access.iter().any(|a| a.as_ssh_would && !Access::granted(a)))
    }
}
