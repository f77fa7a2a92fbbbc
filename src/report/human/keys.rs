//! The keys: in which order ssh tries them, which it offers, and which the server knows.

use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::summary::{FoundIn, KeyStanding};

use super::super::{CheckStatus, Identity, Report};

/// A key.
#[derive(Debug)]
pub(super) struct Row {
    /// Its place among the keys that ssh tries, from 1; `None` when it would not try it.
    pub(super) place: Option<usize>,
    /// Its name, and where it is.
    pub(super) name: String,
    /// Its type and size, where there is room for them.
    pub(super) kind: Option<String>,
    /// Its fingerprint; with an ellipsis where it is shortened.
    pub(super) print: String,
    /// ssh shows it to the server.
    pub(super) offered: bool,
    /// Why not, or why it is no use.
    pub(super) why: Option<String>,
    /// What the server says to it.
    pub(super) server: KeyStanding,
    /// So many more keys follow that fared alike.
    pub(super) alike: usize,
}

/// What the server says to a key, in a cell of a table.
pub(super) fn short(answer: KeyStanding) -> &'static str {
    match answer {
        KeyStanding::Accepted => "accepts it",
        KeyStanding::Refused => "refuses it",
        KeyStanding::Unknown => "not asked",
    }
}

/// More keys than this, and those that the server refuses are told as a number.
const MANY: usize = 5;
/// So many of them are told all the same.
const SAMPLE: usize = 2;

/// Whether the cause concerns keys or the login.
pub(super) fn matter(report: &Report) -> bool {
    const ABOUT_KEYS: [CheckId; 3] = [CheckId::KeyFiles, CheckId::AgentHasKey, CheckId::Authentication];
    let login_fails = report.checks.iter().any(|c| c.id == CheckId::Authentication && c.status == CheckStatus::Fail);
    let cause = report.verdict.root_cause.as_ref().map(|root| root.check);
    login_fails
        || cause.is_some_and(|check| ABOUT_KEYS.contains(&check))
        || cause == Some(CheckId::RepositoryAccess) && report.identities.len() > 1
}

/// The keys in ssh's order, those that it would not try behind them; all of them and in `full`, or as many as help.
pub(super) fn rows(report: &Report, full: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut place = 0;
    let mut refused = 0;
    for key in &report.identities {
        place += usize::from(key.order.is_some());
        let row = row(key, key.order.map(|_| place), full);
        let dull = |row: &Row| row.offered && row.why.is_none() && row.server == KeyStanding::Refused;
        refused += usize::from(dull(&row));
        let crowd = !full && report.identities.len() > MANY && refused > SAMPLE;
        match rows.last_mut() {
            Some(last) if crowd && dull(&row) && dull(last) => last.alike += 1,
            _ => rows.push(row),
        }
    }
    rows
}

fn row(key: &Identity, place: Option<usize>, full: bool) -> Row {
    let kind = key.algorithm.as_ref().map(|algorithm| match key.bits {
        Some(bits) => format!("{algorithm} {bits} bits"),
        None => algorithm.clone(),
    });
    let print = key.fingerprint.as_ref().map(|print| if full { print.clone() } else { shortened(print) });
    Row {
        place,
        name: if key.source == FoundIn::Agent { format!("{} (agent)", key.name) } else { key.name.clone() },
        kind: kind.filter(|_| full),
        print: print.unwrap_or_else(|| "no public half".into()),
        offered: key.offered,
        why: key.why.clone(),
        server: key.server,
        alike: 0,
    }
}

/// Enough of a fingerprint to tell keys apart by eye.
fn shortened(print: &str) -> String {
    match print.char_indices().nth(17) {
        Some((end, _)) => format!("{}…", &print[..end]),
        None => print.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_crowd_of_refused_keys_is_told_as_a_number() {
        let mut report = fixture::broken();
        let accepted = report.identities.pop().unwrap();
        report.identities = (1..=20)
            .map(|n| Identity { order: Some(n), offered: true, why: None, server: KeyStanding::Refused, ..fixture::key() })
            .collect();
        report.identities.push(accepted);
        let told = rows(&report, false);
        assert_eq!(told.iter().map(|r| (r.place, r.alike)).collect::<Vec<_>>(), [(Some(1), 0), (Some(2), 18), (None, 0)]);
        assert_eq!(rows(&report, true).len(), 21);
    }

    #[test]
    fn places_are_counted_among_the_keys_that_exist() {
        let mut report = fixture::broken();
        report.identities.iter_mut().for_each(|i| i.order = i.order.map(|n| n * 4));
        assert_eq!(rows(&report, false).iter().map(|r| r.place).collect::<Vec<_>>(), [Some(1), Some(2), None]);
    }

    #[test]
    fn a_fingerprint_is_cut_between_characters() {
        assert_eq!(shortened("SHA256:zzXQOXSRBEiUtuE8"), "SHA256:zzXQOXSRBE…");
        assert_eq!(shortened("ÄÖÜ"), "ÄÖÜ");
    }
}
