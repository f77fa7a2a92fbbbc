//! The last look at a report before other people get it.
//!
//! It knows the private values and the finished text, and nothing of how the one might have got into the other; so it also finds what a
//! renderer or an encoding let through. Two things it cannot take for a leak: a value that is an ordinary word of programs, and one
//! that our own text has as a word of its own in this very report, for nobody could tell either from what the report says anyway. What
//! our own text is, it is told by the same report with every private value blanked, so no list is needed.

use std::collections::HashSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::neutralise;
use super::words::{are_parts_of_names, is_part_of_a_word};

/// A private value stood in a finished report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the report would have shown the private value that {placeholder} stands for ({encoding})")]
pub struct Leak {
    /// What stands for it elsewhere.
    placeholder: String,
    /// How it was written.
    encoding: &'static str,
}

/// Shorter values are parts of too much.
const SHORTEST: usize = 3;
/// From this length on, a value is looked for in encodings that do not keep words apart.
const LONG: usize = 5;

/// Looks for every one of the `private` values (each with its placeholder) in `report`; `own` is what stands there as a word of ours.
pub(super) fn inspect<'a>(report: &str, own: &str, private: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), Leak> {
    let finished = Finished::new(report, own);
    for (value, placeholder) in private
        .map(|(v, placeholder)| (v.trim(), placeholder))
        .filter(|(v, _)| v.chars().count() >= SHORTEST && !are_parts_of_names(v))
    {
        let leak = |encoding| Err(Leak { placeholder: placeholder.to_string(), encoding });
        if finished.shows(value) {
            return leak("as it is");
        }
        if value.chars().count() < LONG {
            continue;
        }
        // Programs like to write hosts and users in lower case first.
        let lower = value.to_lowercase();
        for written_from in [value, &lower].into_iter().take(if lower == value { 1 } else { 2 }) {
            if let Some((encoding, _)) =
                encodings(written_from).iter().find(|(_, written)| written != value && finished.shows(written))
            {
                return leak(encoding);
            }
            if base64_forms(written_from).iter().any(|form| finished.report.contains(form) && !finished.own.contains(form)) {
                return leak("base64");
            }
        }
    }
    Ok(())
}

/// A report as it is looked through: in both cases, without fingerprints, with one blank where lines are broken or indented.
struct Finished {
    report: Searched,
    report_lower: Searched,
    own: Searched,
    own_lower: Searched,
}

impl Finished {
    fn new(report: &str, own: &str) -> Self {
        let even = |text: &str| without_fingerprints(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let (report, own) = (even(report), even(own));
        let (report_lower, own_lower) = (report.to_lowercase().into(), own.to_lowercase().into());
        Finished { report: report.into(), report_lower, own: own.into(), own_lower }
    }

    /// Whether `value`, in either case, stands in the report otherwise than as a word of ours. A short value, or one that longer
    /// words contain, ours or those of programs, must stand alone to count.
    fn shows(&self, value: &str) -> bool {
        let value = &value.to_lowercase();
        if !self.report_lower.contains(value) || stands_alone(&self.own_lower.text, value) {
            return false;
        }
        let of_a_word = value.chars().count() < LONG || self.own_lower.contains(value) || is_part_of_a_word(value);
        !of_a_word || stands_alone(&self.report_lower.text, value)
    }
}

/// A text in which thousands of values are looked for, of which it holds next to none: those with four bytes in a row that it has
/// nowhere are seen to be absent without reading it.
struct Searched {
    text: String,
    fours: HashSet<[u8; 4]>,
}

impl From<String> for Searched {
    fn from(text: String) -> Self {
        Searched { fours: text.as_bytes().windows(4).filter_map(|four| four.try_into().ok()).collect(), text }
    }
}

impl Searched {
    fn contains(&self, value: &str) -> bool {
        value.as_bytes().windows(4).all(|four| self.fours.contains(four)) && self.text.contains(value)
    }
}

fn stands_alone(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, _)| {
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        !(joins(text[..at].chars().next_back()) || joins(text[at + value.len()..].chars().next()))
    })
}

/// The ways in which the formats and the tools behind them write a value.
fn encodings(value: &str) -> Vec<(&'static str, String)> {
    let each = |of: &dyn Fn(char) -> String| value.chars().map(of).collect::<String>();
    let percent = |keep: fn(u8) -> bool| {
        value.bytes().fold(String::new(), |mut out, b| {
            let _ = if keep(b) { write!(out, "{}", b as char) } else { write!(out, "%{b:02x}") };
            out
        })
    };
    let hex = value.bytes().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    });
    let json = |c: char| if c.is_ascii() { c.escape_default().to_string() } else { c.to_string() };
    let json_ascii = |c: char| {
        let mut units = [0; 2];
        if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut units).iter().map(|u| format!("\\u{u:04x}")).collect() }
    };
    let xml = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        c => c.to_string(),
    };
    let markdown = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
    vec![
        ("percent-encoded", percent(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))),
        ("percent-encoded", percent(|b| b.is_ascii_alphanumeric() || b"-_.~/@:".contains(&b))),
        ("percent-encoded", percent(|_| false)),
        ("hexadecimal", hex),
        ("as in JSON", each(&json)),
        ("as in JSON", each(&json_ascii)),
        ("as in XML", each(&xml)),
        ("as in Markdown", each(&markdown)),
        ("quoted for a shell", value.replace('\'', "'\\''")),
        ("with its control characters visible", neutralise(value, usize::MAX)),
    ]
}

/// What base64 makes of `value` at each of the three places it can have in a group, without the characters that its neighbours
/// have a part in.
fn base64_forms(value: &str) -> Vec<String> {
    (0..3)
        .map(|shift| {
            let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(value.bytes()).collect();
            let encoded = STANDARD_NO_PAD.encode(&bytes);
            let (from, to) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
            encoded[from..to.max(from)].to_string()
        })
        .filter(|form| form.len() > LONG)
        .collect()
}

/// Fingerprints stay in every report, and by chance contain any short word.
fn without_fingerprints(report: &str) -> String {
    let mut parts = report.split("SHA256:");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '+' && c != '/').unwrap_or(part.len()).min(43);
        out.push(' ');
        out.push_str(&part[end..]);
    }
    out
}
