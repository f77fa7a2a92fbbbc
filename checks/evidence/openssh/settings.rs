//! The effective settings of ssh for this host: the values of `ssh -G` wherever there is an ssh to ask, with the lines of our
//! own reading; our own reading alone otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::ssh_config::effective::{self, Shell, reconcile};
use super::ssh_config::evaluate;
use crate::machine::process::Outcome;
use bbdoctor_checks::facts::settings::{Asked, Authority, Settings};
use bbdoctor_checks::facts::ssh_config::{Doubt, Effective, Evaluation, ExecPolicy, IdentityFile, Question, SettingSource};
use bbdoctor_checks::privacy::Private;
use bbdoctor_checks::text;
use bbdoctor_checks::unavailable::Unavailable;

/// How long ssh may take to print its settings; a `Match exec` of the user's may run in that time.
const LIMIT: Duration = Duration::from_secs(4);

/// Asks the ssh at `program`. Commands of `Match exec` are run only where ssh comes to them, as it does when git runs it;
/// `note` is told of each program that is started.
pub(crate) fn ask(program: &Path, question: &Question<'_>, own: &Evaluation, deadline: Instant, note: &dyn Fn(String)) -> Asked {
    let until = deadline.min(Instant::now() + LIMIT);
    let quiet = effective::program(program, question, Shell::False);
    note(quiet.command_line());
    let Ok(refusing) = quiet.run(until) else { return Asked::default() };
    if own.undecided.is_empty() {
        return understood(&refusing);
    }
    let plain = effective::plain_program(program, question);
    note(plain.command_line());
    match plain.run(until) {
        Ok(outcome) => understood(&outcome),
        Err(_) => understood(&refusing),
    }
}

fn understood(outcome: &Outcome) -> Asked {
    if outcome.timed_out {
        return Asked { hangs: true, ..Asked::default() };
    }
    if outcome.success() {
        return Asked { effective: Some(effective::parse(&outcome.stdout)), ..Asked::default() };
    }
    let words: Vec<String> = outcome.stderr_text().lines().map(|l| l.trim().to_string()).filter(|l| !l.is_empty()).collect();
    // Without a word it is not ssh's configuration that fails: a wrapper has given up, or LogLevel is QUIET.
    Asked { refusal: (!words.is_empty()).then(|| words.join("; ")), ..Asked::default() }
}

/// The values of ssh, with the sources of our own reading.
pub(crate) fn of_ssh(own: &Evaluation, effective: &Effective, question: &Question<'_>) -> Settings {
    let list: BTreeMap<_, _> = reconcile(own, effective, question).into_iter().map(|s| (s.keyword.clone(), s)).collect();
    let values = effective.values("identityfile");
    let same = own.identity_files.len() == values.len() && own.identity_files.iter().zip(&values).all(|(f, v)| f.path == *v);
    let identity_files = if same {
        own.identity_files.clone()
    } else {
        values.iter().map(|v| IdentityFile { path: v.to_string(), source: SettingSource::Unknown, user_provided: false }).collect()
    };
    Settings::new(list, identity_files, Authority::Ssh)
}

/// Our own reading alone.
///
/// # Errors
/// When a value depends on a command that was not run, or on rules that are not imitated.
pub(crate) fn of_own_reading(question: &Question<'_>, own: &Evaluation) -> Result<Settings, Unavailable> {
    let opposite = evaluate(&Question { exec: ExecPolicy::AssumeTrue, ..question.clone() });
    let values = |e: &Evaluation| e.settings().map(|s| (s.keyword.clone(), s.values.clone())).collect::<Vec<_>>();
    if let Some(undecided) = own.undecided.first().or(opposite.undecided.first())
        && values(own) != values(&opposite)
    {
        let place = &undecided.position;
        return Err(Unavailable::Unknown {
            why: text!(
                "{} line {}: what applies depends on a command that was not run (Match exec)",
                Private::path(&place.file),
                place.line
            ),
        });
    }
    if let Some(doubt) = own.doubts.iter().find(|d| !matches!(d, Doubt::AlgorithmsUnchecked(_))) {
        let why = match doubt {
            Doubt::Canonicalization => "the host name depends on CanonicalizeHostname, which only ssh carries out",
            Doubt::LocalNetwork(_) => "what applies depends on Match localnetwork, which only ssh decides",
            Doubt::OldRelease(_) | Doubt::AlgorithmsUnchecked(_) => "this ssh is too old for bbdoctor's own reading",
        };
        return Err(Unavailable::Unknown { why: why.into() });
    }
    let list = own.settings().map(|s| (s.keyword.clone(), s.clone())).collect();
    Ok(Settings::new(list, own.identity_files.clone(), Authority::OwnReading))
}
