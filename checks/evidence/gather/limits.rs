//! The moments by which the steps of a run have to be over.

use std::time::{Duration, Instant};

use bbdoctor_checks::facts::Fact;
use bbdoctor_checks::unavailable::Unavailable;

use super::Beginning;

/// How long a program may take that only says what it is.
const PROGRAM_LIMIT: Duration = Duration::from_secs(3);

/// The least time in which something can be found out about a server.
const LEAST_TALK: Duration = Duration::from_millis(300);

/// The moments by which something has to be over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The whole run.
    pub(super) deadline: Instant,
    /// Our own conversation, so that git has time left for its own.
    conversation: Instant,
    /// Programs may be started.
    pub(super) may_execute: bool,
}

impl Limits {
    pub(super) fn of(beginning: &Beginning) -> Self {
        let budget = Duration::from_millis(beginning.request.budget_ms);
        let may_execute = beginning.request.may_execute;
        let share = if may_execute { 45 } else { 90 };
        Limits { deadline: beginning.started + budget, conversation: beginning.started + budget * share / 100, may_execute }
    }

    /// When a program has to end that only says what it is.
    pub(super) fn program(self) -> Instant {
        self.deadline.min(Instant::now() + PROGRAM_LIMIT)
    }

    /// When our own conversation must end; what is not begun by then cannot be judged.
    pub(super) fn talk(self) -> Fact<Instant> {
        if Instant::now() + LEAST_TALK < self.conversation {
            Ok(self.conversation)
        } else {
            Err(Unavailable::Unknown { why: "the local checks have spent the time for it".into() })
        }
    }
}
