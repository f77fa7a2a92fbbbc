//! The effective settings of ssh for this host: the values of `ssh -G` wherever there is an ssh to ask, with the lines of our
//! own reading; our own reading alone otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::process::Outcome;
use super::ssh_config::effective::{self, Shell, reconcile};
use super::ssh_config::{
    Doubt, Effective, Evaluation, ExecPolicy, IdentityFile, Position, Question, Setting, SettingSource, evaluate,
};
use crate::privacy::Private;
use crate::text;
use crate::unavailable::Unavailable;

/// How long ssh may take to print its settings; a `Match exec` of the user's may run in that time.
const LIMIT: Duration = Duration::from_secs(4);

/// Who vouches for the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// `ssh -G`.
    Ssh,
    /// Our own reading.
    OwnReading,
}

/// The settings for one host.
#[derive(Debug)]
pub struct Settings {
    list: BTreeMap<String, Setting>,
    identity_files: Vec<IdentityFile>,
    /// Who vouches for the values.
    pub authority: Authority,
}

/// What ssh said when asked for its settings.
#[derive(Debug, Default)]
pub struct Asked {
    /// Its settings.
    pub effective: Option<Effective>,
    /// Why it refuses its configuration, in its words.
    pub refusal: Option<String>,
    /// It did not end in time: a `Match exec` does not return, or a file is a pipe.
    pub hangs: bool,
}

/// Asks the ssh at `program`. Commands of `Match exec` are run only where ssh comes to them, as it does when git runs it;
/// `note` is told of each program that is started.
pub fn ask(program: &Path, question: &Question<'_>, own: &Evaluation, deadline: Instant, note: &dyn Fn(String)) -> Asked {
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

impl Settings {
    /// The values of ssh, with the sources of our own reading.
    pub fn of_ssh(own: &Evaluation, effective: &Effective, question: &Question<'_>) -> Self {
        let list: BTreeMap<_, _> = reconcile(own, effective, question).into_iter().map(|s| (s.keyword.clone(), s)).collect();
        let values = effective.values("identityfile");
        let same = own.identity_files.len() == values.len() && own.identity_files.iter().zip(&values).all(|(f, v)| f.path == *v);
        let identity_files = if same {
            own.identity_files.clone()
        } else {
            values
                .iter()
                .map(|v| IdentityFile { path: v.to_string(), source: SettingSource::Unknown, user_provided: false })
                .collect()
        };
        Settings { list, identity_files, authority: Authority::Ssh }
    }

    /// Our own reading alone.
    ///
    /// # Errors
    /// When a value depends on a command that was not run, or on rules that are not imitated.
    pub fn of_own_reading(question: &Question<'_>, own: &Evaluation) -> Result<Self, Unavailable> {
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
        Ok(Settings { list, identity_files: own.identity_files.clone(), authority: Authority::OwnReading })
    }

    /// The first value of `keyword` (lower case).
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.list.get(keyword)?.values.first().map(|v| v.text.as_str())
    }

    /// Every value of `keyword`.
    pub fn values(&self, keyword: &str) -> Vec<&str> {
        self.list.get(keyword).map(|s| s.values.iter().map(|v| v.text.as_str()).collect()).unwrap_or_default()
    }

    /// Whether the value of `keyword` is one of `wanted`, in any case.
    pub fn is(&self, keyword: &str, wanted: &[&str]) -> bool {
        self.value(keyword).is_some_and(|v| wanted.iter().any(|w| w.eq_ignore_ascii_case(v)))
    }

    /// Whether `keyword` is on.
    pub fn is_on(&self, keyword: &str) -> bool {
        self.is(keyword, &["yes", "true"])
    }

    /// The line that decides `keyword`, if a file does.
    pub fn position(&self, keyword: &str) -> Option<&Position> {
        self.list.get(keyword)?.values.first()?.source.position()
    }

    /// Whether a file or the command line sets `keyword`.
    pub fn is_set(&self, keyword: &str) -> bool {
        self.list.get(keyword).and_then(|s| s.values.first()).is_some_and(|v| v.source != SettingSource::Default)
    }

    /// Every setting, by keyword.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.list.values()
    }

    /// The identities in ssh's order, as written.
    pub fn identity_files(&self) -> &[IdentityFile] {
        &self.identity_files
    }

    /// The host ssh connects to.
    pub fn hostname(&self) -> &str {
        self.value("hostname").unwrap_or_default()
    }

    /// The port ssh connects to.
    pub fn port(&self) -> u16 {
        self.value("port").and_then(|p| p.parse().ok()).unwrap_or(22)
    }

    /// The user ssh logs in as.
    pub fn user(&self) -> &str {
        self.value("user").unwrap_or_default()
    }
}
