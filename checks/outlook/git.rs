//! What git's own run says.

use crate::evidence::Evidence;
use crate::evidence::control::{Control, Unusable};
use crate::evidence::conversation::{Access, Conversation, LoginProblem};
use crate::evidence::git_run::GitRun;
use crate::evidence::keys::Key;
use crate::evidence::session::{Ended, Login};
use std::path::PathBuf;

/// How ssh says that the bytes were changed on the way (`packet.c`).
const GARBLED: &[&str] = &["Bad packet length", "Corrupted MAC", "message authentication code incorrect"];

impl Evidence {
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
    pub(crate) fn garbled_stream(&self, talk: &Conversation) -> Option<String> {
        let broke = talk.logins.iter().any(|l| matches!(l.result, Err(LoginProblem::Failed(_))));
        let said = &self.git_run().ok().filter(|run| broke && !run.works)?.said;
        let garbled = |line: &&String| GARBLED.iter().any(|words| line.contains(words));
        said.iter().find(garbled).map(|line| line.trim_end_matches('.').to_string())
    }

    /// Whether the server gave no answer to our own login, nor to git's.
    pub(crate) fn login_stalls(&self) -> bool {
        let silent = |problem: &LoginProblem| matches!(problem, LoginProblem::Failed(Login::Ended(Ended::TimedOut)));
        let ours = self.conversation().is_ok_and(|talk| talk.logins.iter().any(|l| l.result.as_ref().is_err_and(silent)));
        ours && self.git_run().map_or(true, |run| run.timed_out)
    }

    /// Whether ssh could not set up a forwarding.
    pub(crate) fn forwarding_failed(&self) -> bool {
        self.git_run().is_ok_and(|run| !run.works && run.said.iter().any(|line| line.contains("forwarding")))
    }

    /// Whether our own probe saw a failure.
    pub(crate) fn probe_expected_failure(&self) -> bool {
        self.name_fails()
            || self.road_fails()
            || self.handshake_fails()
            || self.login_fails()
            || self.conversation().is_ok_and(|t| t.access.iter().any(|a| a.as_ssh_would && !Access::granted(a)))
    }

    /// The ControlPath that cannot be used, why, and whether ssh stops on it.
    pub(crate) fn unusable_control_path(&self) -> Option<(PathBuf, Unusable, bool)> {
        match self.control() {
            Control::Unusable(path, why) => Some((path.clone(), *why, true)),
            Control::NoFolder(path) => Some((path.clone(), Unusable::NoFolder, false)),
            Control::Nobody | Control::Master(_) => None,
        }
    }

    /// The socket of a master whose connection ssh will use.
    pub(crate) fn live_control_master(&self) -> Option<PathBuf> {
        match self.control() {
            Control::Master(path) => Some(path.clone()),
            Control::Nobody | Control::NoFolder(_) | Control::Unusable(..) => None,
        }
    }
}
