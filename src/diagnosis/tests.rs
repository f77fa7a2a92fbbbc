//! The invariants of a verdict, whatever the checks say.

use super::*;
use bbdoctor_checks::ALL;
use bbdoctor_checks::finding::Confidence;
use proptest::prelude::*;

/// What a generated check says: how it ended, and for each finding whether it blocks and how sure it is.
type Said = (u8, Vec<(prop::sample::Index, bool, u8)>);

fn results(said: &[Said]) -> Vec<CheckResult> {
    ALL.iter()
        .zip(said)
        .map(|(check, (ending, findings))| {
            let meta = check.meta();
            let mut found = Findings::new("…");
            if *ending == 0 {
                for (code, blocks, confidence) in findings {
                    let code = *code.get(&Code::of(meta.id).collect::<Vec<_>>());
                    let confidence = [Confidence::Possible, Confidence::Likely, Confidence::Proven][*confidence as usize];
                    found.push(Finding::blocking_if(*blocks, code, code.name()).confidence(confidence));
                }
            }
            let mut result = CheckResult::answered(meta, found, 0);
            match ending {
                1 => result.status = Status::Blocked,
                2 => result.status = Status::Unknown,
                3 => result.status = Status::NotApplicable,
                _ => {}
            }
            result
        })
        .collect()
}

fn said() -> impl Strategy<Value = Vec<Said>> {
    let finding = (any::<prop::sample::Index>(), prop::bool::weighted(0.3), 0..3u8);
    prop::collection::vec(
        (prop_oneof![6 => Just(0u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)], prop::collection::vec(finding, 0..3)),
        ALL.len(),
    )
}

fn witness() -> impl Strategy<Value = GitOutcome> {
    let past = prop::option::of(prop::sample::select(CheckId::ALL));
    prop_oneof![
        Just(GitOutcome::Worked),
        Just(GitOutcome::Silent),
        Just(GitOutcome::NotRun),
        Just(GitOutcome::Unknowable),
        past.prop_map(|got_past| GitOutcome::Failed { got_past })
    ]
}

#[test]
fn what_was_left_out_is_not_vouched_for() {
    let left_out = || {
        let mut results = results(&vec![(0, Vec::new()); ALL.len()]);
        results.iter_mut().skip(1).for_each(|r| r.status = Status::NotSelected);
        results
    };
    let summary = |verdict: &Verdict| {
        use bbdoctor_checks::privacy::{Plain, Redactor as _};
        Plain::default().text(&verdict.summary(&left_out(), Operation::Fetch))
    };
    let selected = judge(&mut left_out(), &GitOutcome::NotRun);
    assert!(matches!(selected, Verdict::Healthy) && !summary(&selected).contains("git can"), "{}", summary(&selected));
    assert!(matches!(judge(&mut left_out(), &GitOutcome::Offline), Verdict::Inconclusive(_)));
}

#[test]
fn many_checks_that_could_not_look_are_told_by_one_and_a_number() {
    let said = |count: usize| {
        let verdict = Verdict::Inconclusive(CheckId::ALL[..count].to_vec());
        bbdoctor_checks::privacy::Redactor::text(
            &bbdoctor_checks::privacy::Plain::default(),
            &verdict.summary(&[], Operation::Push),
        )
    };
    assert!(said(3).ends_with("can push: remote-url, tools, account could not be examined."));
    assert!(said(4).ends_with("can push: remote-url and 3 more checks could not be examined."));
}

proptest! {
    #[test]
    fn every_blocking_finding_is_the_cause_or_explained_or_listed(said in said(), witness in witness()) {
        let mut results = results(&said);
        let verdict = judge(&mut results, &witness);
        let blocking: Vec<Code> = results.iter().flat_map(|r| &r.findings).filter(|f| f.blocking).map(|f| f.code).collect();
        match &verdict {
            Verdict::Broken(cause) => {
                for code in &blocking {
                    prop_assert!(cause.finding.code == *code || cause.explains.contains(code) || cause.also.contains(code), "{code:?}");
                }
                let owner = results.iter().find(|r| r.meta.id == cause.check).expect("a check that ran");
                prop_assert_eq!(owner.status, Status::Fail, "a cause never rests on a check that does not fail");
            }
            Verdict::Healthy | Verdict::Inconclusive(_) => prop_assert!(blocking.is_empty()),
        }
    }

    #[test]
    fn where_git_works_nothing_is_called_broken(said in said()) {
        let mut results = results(&said);
        prop_assert!(matches!(judge(&mut results, &GitOutcome::Worked), Verdict::Healthy));
        prop_assert!(results.iter().all(|r| r.status != Status::Fail && r.findings.iter().all(|f| !f.blocking)));
    }

    #[test]
    fn health_needs_that_everything_was_seen(said in said()) {
        let mut results = results(&said);
        let verdict = judge(&mut results, &GitOutcome::NotRun);
        let unseen = results.iter().any(|r| matches!(r.status, Status::Blocked | Status::Unknown) && r.meta.id != CheckId::GitAgrees);
        if matches!(verdict, Verdict::Healthy) {
            prop_assert!(!unseen);
        }
    }

    #[test]
    fn remarks_never_change_the_cause(said in said(), witness in witness(), at in 0..ALL.len(), pick in any::<prop::sample::Index>(), first in any::<bool>()) {
        let (mut plain, mut more) = (results(&said), results(&said));
        let remark = Finding::warning(*pick.get(&Code::of(ALL[at].meta().id).collect::<Vec<_>>()), "a remark");
        let place = if first { 0 } else { more[at].findings.len() };
        if matches!(more[at].status, Status::Pass | Status::Warn | Status::Fail) {
            more[at].findings.insert(place, remark);
        }
        let name = |v: Verdict| match v {
            Verdict::Broken(c) => Some((c.check, c.finding.code)),
            _ => None,
        };
        prop_assert_eq!(name(judge(&mut plain, &witness)), name(judge(&mut more, &witness)));
    }

    #[test]
    fn what_git_got_past_is_never_the_cause(said in said(), past in 0..ALL.len()) {
        let mut results = results(&said);
        if let Verdict::Broken(cause) = judge(&mut results, &GitOutcome::Failed { got_past: Some(ALL[past].meta().id) }) {
            let step = results.iter().position(|r| r.meta.id == cause.check).expect("a check that ran");
            prop_assert!(step > past);
        }
    }
}
