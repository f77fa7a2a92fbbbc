//! The route of the clone: its stages, how long each took, and where it breaks.

use bbdoctor_checks::check_id::CheckId;

use super::super::{CheckReport, CheckStatus, Report};

/// A stage of the route.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    /// What happens there.
    pub(super) name: &'static str,
    /// How long it took, in milliseconds.
    pub(super) ms: Option<f64>,
    /// Whether git gets past it.
    pub(super) state: State,
}

/// Whether git gets past a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It does.
    Passed,
    /// Here it ends.
    Breaks,
    /// It ends before.
    Beyond,
    /// Nobody looked.
    Unseen,
}

/// Each stage, with the steps of the timeline that tell its time and the checks that tell how it ended.
const STAGES: [(&str, &str, &[CheckId]); 7] = [
    ("resolve", "resolve", &[CheckId::NameResolution]),
    ("connect", "connect", &[CheckId::Connection]),
    ("key exchange", "handshake", &[CheckId::Handshake]),
    ("host key", "", &[CheckId::FingerprintMatchesRemote, CheckId::KnownHosts]),
    ("log in", "keys", &[CheckId::Authentication]),
    ("repository", "repository", &[CheckId::RepositoryAccess]),
    ("git itself", "git", &[CheckId::GitAgrees]),
];

/// The stages in the order of a clone; none when the route was not entered. A stage that is not on this route (a proxy
/// resolves the name, say) is left out.
pub(super) fn stages(report: &Report) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut broken = false;
    for (name, step, checks) in STAGES {
        let checks: Vec<&CheckReport> = report.checks.iter().filter(|c| checks.contains(&c.id)).collect();
        let any = |status: CheckStatus| checks.iter().any(|c| c.status == status);
        let state = match () {
            () if checks.iter().all(|c| c.status == CheckStatus::NotApplicable) => continue,
            () if broken => State::Beyond,
            () if any(CheckStatus::Fail) => State::Breaks,
            () if any(CheckStatus::Pass) || any(CheckStatus::Warn) => State::Passed,
            () => State::Unseen,
        };
        broken |= state == State::Breaks;
        let ms = if matches!(state, State::Beyond | State::Unseen) { None } else { time(report, step) };
        stages.push(Stage { name, ms, state });
    }
    // git's own run takes the whole route once more; it is a stage of its own where the route itself is free.
    if stages.last().is_some_and(|s| s.name == "git itself" && matches!(s.state, State::Beyond | State::Unseen)) {
        stages.pop();
    }
    let entered = stages.iter().any(|s| s.name != "git itself" && matches!(s.state, State::Passed | State::Breaks));
    if entered { stages } else { Vec::new() }
}

/// How long a step took: the first time it succeeded, else the first time.
fn time(report: &Report, step: &str) -> Option<f64> {
    let of = |name: &str| report.timeline.iter().filter(|s| s.step == name).collect::<Vec<_>>();
    let took = of(step);
    let first = took.iter().find(|s| s.ok).or(took.first())?.ms;
    if step != "keys" {
        return Some(first);
    }
    // The step holds what was asked of the repository, and every connection after the first.
    let inside: f64 = of("repository").iter().map(|s| s.ms).sum();
    let again: f64 = ["connect", "handshake"].iter().flat_map(|name| of(name).into_iter().skip(1)).map(|s| s.ms).sum();
    Some(first - inside - again).filter(|ms| *ms >= 0.0)
}

/// Milliseconds as a person reads them: `0.4 ms`, `12 ms`, `20.0 s`, with a no-break space.
pub(super) fn duration(ms: f64) -> String {
    match ms {
        ms if ms < 9.95 => format!("{ms:.1}\u{a0}ms"),
        ms if ms < 999.5 => format!("{ms:.0}\u{a0}ms"),
        ms => format!("{:.1}\u{a0}s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn line(report: &Report) -> Vec<(&'static str, State)> {
        stages(report).iter().map(|s| (s.name, s.state)).collect()
    }

    #[test]
    fn the_first_stage_that_fails_is_the_break() {
        let mut report = fixture::broken();
        let route = line(&report);
        assert_eq!(route[4..], [("log in", State::Breaks), ("repository", State::Beyond)]);
        report.checks.iter_mut().find(|c| c.id == CheckId::KnownHosts).unwrap().status = CheckStatus::Fail;
        assert_eq!(line(&report)[3..5], [("host key", State::Breaks), ("log in", State::Beyond)]);
    }

    #[test]
    fn where_every_stage_is_free_and_git_fails_git_is_the_break() {
        let mut report = fixture::healthy();
        report.checks.iter_mut().find(|c| c.id == CheckId::GitAgrees).unwrap().status = CheckStatus::Fail;
        assert_eq!(line(&report).last(), Some(&("git itself", State::Breaks)));
    }

    #[test]
    fn a_route_that_was_not_entered_is_not_drawn() {
        assert_eq!(line(&fixture::inconclusive()).last(), Some(&("repository", State::Unseen)));
        let mut report = fixture::inconclusive();
        report.checks.iter_mut().for_each(|c| c.status = CheckStatus::Skipped);
        assert_eq!(stages(&report), []);
    }

    #[test]
    fn the_login_takes_what_is_left_of_the_conversation() {
        let mut report = fixture::healthy();
        let step = |name: &str, ms| super::super::super::Step { step: name.into(), ms, ok: true };
        report.timeline = vec![step("connect", 1.0), step("handshake", 10.0), step("connect", 2.0), step("handshake", 20.0)];
        report.timeline.extend([step("repository", 40.0), step("keys", 100.0)]);
        assert_eq!(stages(&report)[4].ms, Some(38.0));
    }

    #[test]
    fn durations_are_told_in_two_or_three_digits() {
        assert_eq!(
            [0.04, 9.94, 9.96, 999.0, 20_000.0].map(|ms| duration(ms).replace('\u{a0}', "_")),
            ["0.0_ms", "9.9_ms", "10_ms", "999_ms", "20.0_s"]
        );
    }
}
