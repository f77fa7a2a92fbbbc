use proptest::prelude::*;

use super::*;
use crate::report::tests::{fixtures, spoilt};
use crate::report::{fixture, json};
use bbdoctor_checks::finding::Severity;
use ticket::Ticket;

#[path = "../../../tests/cases/harness/ticket.rs"]
mod ticket;

/// What a sentence may be made of by somebody who wants it to be more than a sentence.
const AWKWARD: &[&str] = &[
    "```",
    "`",
    "``",
    "|",
    "\\",
    "\\|",
    "\n",
    "\n\n",
    "\r",
    "# ",
    "## x",
    "- ",
    "+ ",
    "* ",
    "1. ",
    "1) ",
    "> ",
    "> [!NOTE]",
    "---",
    "===",
    "    ",
    "\t",
    "<b>",
    "</details>",
    "<!--",
    "<https://x.example>",
    "https://x.example/",
    "www.example.com",
    "a@b.example",
    "@alice",
    "#12",
    "GH-12",
    "APP-7",
    "o/r#3",
    "deadbeef1",
    "![x](y)",
    "[x](y)",
    "[x]: y",
    "[^1]",
    "**",
    "_x_",
    "~~x~~",
    "$x$",
    "$`x`$",
    ":smile:",
    "&amp;",
    "&#64;alice",
    "(@bob)",
    "\"#9\"",
    "word",
    "9.2",
    "'",
    "\u{202e}",
    "\u{1b}[31m",
    "\0",
    "鍵",
    "😀",
    "תפוח",
    "é",
    " ",
];

fn awkward() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(AWKWARD), 1..6)
        .prop_map(|parts| parts.concat())
        .prop_filter("something to see", |text| !bbdoctor_checks::privacy::neutralise(text, 100).trim().is_empty())
}

fn valid(value: &Value) {
    let schema = serde_json::from_str(&json::schema().unwrap()).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema).unwrap().iter_errors(value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn foreign_text_changes_no_block_and_adds_nothing(texts in prop::collection::vec(awkward(), 1..20)) {
        let mut next = texts.iter().cycle();
        let report = spoilt(fixture::broken(), &mut |_| next.next().cloned().unwrap_or_default());
        let ticket = Ticket::read(&render(&report).unwrap());
        let plain = spoilt(fixture::broken(), &mut |_| "word".into());
        prop_assert_eq!(&ticket.outline, &Ticket::read(&render(&plain).unwrap()).outline);
        prop_assert_eq!(ticket.json(), Some(serde_json::to_value(&report).unwrap()));
        let pages: Vec<_> = report.findings().flat_map(|(_, f)| &f.remedies).filter_map(|r| if let Action::Visit(page) = &r.action { Some(page.clone()) } else { None }).collect();
        prop_assert!(ticket.links.iter().all(|link| pages.contains(link)), "{:?}", ticket.links);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn however_long_a_report_the_ticket_keeps_its_limit(unit in awkward(), longest in 1..5_000usize, keys in 0..50usize) {
        let long = |_: &str| unit.repeat(longest / unit.len() + 1);
        let mut report = spoilt(fixture::broken(), &mut { long });
        for _ in 0..keys {
            report.identities.extend(spoilt(fixture::broken(), &mut { long }).identities);
            report.settings.extend(spoilt(fixture::healthy(), &mut { long }).settings);
        }
        let text = render(&report).unwrap();
        prop_assert!(text.len() <= LIMIT);
        if let Some(json) = Ticket::read(&text).json() {
            valid(&json);
        }
    }
}

#[test]
fn an_address_leads_where_it_says() {
    let page = "https://x.example/?a=1&amp;b&copy=2";
    let mut report = fixture::broken();
    let remedies = report.checks.iter_mut().flat_map(|check| &mut check.findings).flat_map(|finding| &mut finding.remedies);
    remedies.for_each(|remedy| remedy.action = Action::Visit(page.into()));
    let links = Ticket::read(&render(&report).unwrap()).links;
    assert!(!links.is_empty() && links.iter().all(|link| link == page), "{links:?}");
}

#[test]
fn the_json_in_the_ticket_is_the_report_as_far_as_there_is_room() {
    for report in fixtures() {
        let ticket = Ticket::read(&render(&report).unwrap());
        assert_eq!(ticket.json(), Some(serde_json::to_value(&report).unwrap()));
        assert!(ticket.fenced.iter().any(|(language, text)| language == "json" && text.contains("\n  ")), "indented");
    }
    let mut report = fixture::broken();
    let mut forms = Vec::new();
    while let Some(json) = Ticket::read(&render(&report).unwrap()).json() {
        valid(&json);
        forms.push((
            json["settings"].as_array().map_or(0, Vec::len),
            json["settings"].as_array().map(Vec::len) == Some(report.settings.len()),
        ));
        report.settings.extend(fixture::broken().settings);
        if forms.len() > 400 {
            report.checks.iter_mut().for_each(|check| check.summary.push_str(&"x".repeat(1000)));
        }
    }
    assert!(forms.iter().any(|(settings, whole)| *whole && *settings > 50), "{forms:?}");
    assert!(forms.iter().any(|(settings, whole)| !*whole && *settings == 0), "{forms:?}");
    assert!(render(&report).unwrap().ends_with("`bbdoctor --format json` prints it.\n"));
}

#[test]
fn what_has_no_room_is_left_out_whole_and_counted() {
    let mut report = fixture::broken();
    let remedies = report.cause().unwrap().remedies.clone();
    let cause =
        report.checks.iter_mut().flat_map(|c| &mut c.findings).find(|f| !f.remedies.is_empty() && f.severity == Severity::Error);
    let cause = cause.unwrap();
    for n in 0..50 {
        let argv = vec!["echo".to_string(), format!("{n}-{}", "x".repeat(300))];
        cause.remedies.push(Remedy { action: Action::Run(argv), ..remedies[0].clone() });
    }
    let total = cause.remedies.len();
    let text = render(&report).unwrap();
    let shown = Ticket::read(&text).fenced.iter().filter(|(language, text)| language == "sh" && text.ends_with('x')).count();
    assert!(shown > 5 && shown < 50, "{shown}");
    assert!(text.contains(&format!("Left out for want of room: {} more", total - remedies.len() - shown)), "{text}");
}
