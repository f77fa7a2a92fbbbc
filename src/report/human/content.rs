//! What a report for a person says, and in which order.

use bbdoctor_checks::check_id::CheckId;
use bbdoctor_checks::facts::Operation;
use bbdoctor_checks::finding::Severity;

use super::super::remedy::{Action, Change, Remedy};
use super::super::shell::{append_command, command_line};
use super::super::words;
use super::super::{CheckReport, CheckStatus, FindingReport, Place, Report, VerdictStatus};
use super::Detail;
use super::keys::{self, Row};
use super::route::{self, Stage};

/// What a word says of what follows it; a colour may repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// All is well.
    Good,
    /// Something stops git.
    Bad,
    /// A risk, or something that is not known.
    Care,
    /// Neither.
    Plain,
}

/// A part of the report.
#[derive(Debug)]
pub(super) enum Block {
    /// What was asked.
    Heading(String),
    /// The answer.
    Verdict {
        /// `HEALTHY`, `BROKEN` or `INCONCLUSIVE`.
        word: &'static str,
        /// The same as a tone.
        tone: Tone,
        /// The answer in one sentence.
        sentence: String,
        /// What breaks git.
        cause: Option<Named>,
    },
    /// A list under a title, or the items alone where the title is empty.
    Section {
        /// Ends in a colon.
        title: &'static str,
        /// What it lists.
        items: Vec<Item>,
    },
    /// The route of the clone.
    Route(Vec<Stage>),
    /// The keys, in ssh's order.
    Keys(Vec<Row>),
}

/// A cause by its name.
#[derive(Debug)]
pub(super) struct Named {
    /// Its code.
    pub(super) code: String,
    /// How sure it is: "proven", "the likely cause", …
    pub(super) how: &'static str,
    /// Where the fault is: "on this machine", "in the network", …
    pub(super) lies: &'static str,
}

/// One thing that is said.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// How a check or a finding ended.
    pub(super) mark: Option<(&'static str, Tone)>,
    /// Prose, to be wrapped as the reader needs it.
    pub(super) text: String,
    /// Lines to be copied as they stand.
    pub(super) verbatim: Vec<String>,
    /// What belongs to it.
    pub(super) below: Vec<Item>,
}

impl Item {
    fn prose(text: impl Into<String>) -> Self {
        Item { text: text.into(), ..Item::default() }
    }
}

/// What was asked.
pub(super) fn heading(report: &Report) -> Block {
    let target = &report.target;
    let what = match (&target.url, target.host.as_ref().or(target.given.as_ref())) {
        (Some(url), _) => url.clone(),
        (None, Some(host)) => format!("{} {host}", if target.operation == Operation::Push { "to" } else { "from" }),
        (None, None) => "from here".into(),
    };
    let contacts = match (&target.effective_url, &target.url) {
        (Some(effective), Some(url)) if effective != url => format!(" (git contacts {effective})"),
        _ => String::new(),
    };
    Block::Heading(format!("bbdoctor {}: can git {} {what}?{contacts}", report.bbdoctor.version, target.operation.name()))
}

/// The verdict, its proof, and what to do.
pub(super) fn verdict(report: &Report, detail: Detail) -> Vec<Block> {
    let verdict = &report.verdict;
    let (word, tone) = match verdict.status {
        VerdictStatus::Healthy => ("HEALTHY", Tone::Good),
        VerdictStatus::Broken => ("BROKEN", Tone::Bad),
        VerdictStatus::Inconclusive => ("INCONCLUSIVE", Tone::Care),
    };
    let named = verdict.root_cause.as_ref().map(|root| Named {
        code: root.code.clone(),
        how: words::confidence(root.confidence),
        lies: words::side(root.side),
    });
    let mut blocks = vec![Block::Verdict { word, tone, sentence: verdict.summary.clone(), cause: named }];
    if detail == Detail::Quiet {
        return blocks;
    }
    blocks.push(Block::Route(route::stages(report)));
    let cause = report.cause();
    if let Some(cause) = cause {
        let mut ways: Vec<Item> = cause.remedies.iter().map(|r| remedy(report, r)).collect();
        if verdict.transient {
            ways.push(Item::prose("This may pass by itself: try again in a minute."));
        }
        let page = format!("bbdoctor explain {}", cause.code);
        ways.push(Item { text: "More about it:".into(), verbatim: vec![page], ..Item::default() });
        blocks.push(Block::Section { title: "To fix it:", items: ways });
        blocks.push(Block::Section { title: "Evidence:", items: proof(report, cause, detail) });
        if detail == Detail::Normal && keys::matter(report) {
            blocks.push(Block::Keys(keys::rows(report, false)));
        }
    }
    blocks.push(Block::Section { title: if cause.is_some() { "Also found:" } else { "" }, items: others(report, cause) });
    if detail == Detail::Normal {
        blocks.push(Block::Section { title: "", items: unseen(report) });
        if cause.is_none() {
            let passed = report.checks.iter().filter(|c| c.status == CheckStatus::Pass).count();
            let count = format!("{passed} of {} checks have nothing to report (-v shows them).", report.checks.len());
            blocks.push(Block::Section { title: "", items: vec![Item::prose(count)] });
        }
    }
    blocks.push(Block::Section { title: "", items: report.withholds().map(Item::prose).collect() });
    blocks.retain(|block| !matches!(block, Block::Section { items, .. } if items.is_empty()));
    blocks
}

/// What was seen of the cause, and what git says, which is what the user has seen.
fn proof(report: &Report, cause: &FindingReport, detail: Detail) -> Vec<Item> {
    let mut items = evidence(cause);
    let git = report.checks.iter().find(|c| c.id == CheckId::GitAgrees && c.status == CheckStatus::Fail);
    if let Some(git) = git.filter(|g| g.findings.iter().all(|f| f.code != cause.code)) {
        let words = git.summary.strip_prefix("git fails: ").unwrap_or(&git.summary);
        if !cause.evidence.values().any(|value| value.contains(words)) {
            items.push(Item::prose(&git.summary));
        }
    }
    if detail == Detail::Verbose && !report.verdict.explains.is_empty() {
        items.push(Item::prose(format!("it explains: {}", report.verdict.explains.join(", "))));
    }
    items
}

/// Findings of weight that the cause does not explain. What stops git, and what there is to fix where git works, comes
/// with its remedies.
fn others(report: &Report, cause: Option<&FindingReport>) -> Vec<Item> {
    let findings = report.checks.iter().flat_map(|c| &c.findings).filter(|f| f.severity != Severity::Info);
    let apart = findings.filter(|f| !cause.is_some_and(|c| std::ptr::eq(c, *f)) && !report.verdict.explains.contains(&f.code));
    apart
        .map(|f| {
            let with_remedy = f.blocking || cause.is_none();
            let below = f.remedies.iter().filter(|_| with_remedy).map(|r| remedy(report, r)).collect();
            Item { mark: Some(severity(f)), text: format!("{}: {}", f.code, f.summary), below, ..Item::default() }
        })
        .collect()
}

/// Checks that did not look: which, and why. Where a cause is named, those that it blocks are no news.
fn unseen(report: &Report) -> Vec<Item> {
    let mut groups: Vec<((&'static str, Tone), String, Vec<&str>)> = Vec::new();
    for check in &report.checks {
        let told = match check.status {
            CheckStatus::Unknown | CheckStatus::Skipped | CheckStatus::Crashed => true,
            CheckStatus::Blocked => report.verdict.status != VerdictStatus::Broken,
            _ => false,
        };
        if !told {
            continue;
        }
        let (mark, why) = (ending(check), summary(check));
        match groups.iter_mut().find(|(m, w, _)| *m == mark && *w == why) {
            Some((_, _, ids)) => ids.push(check.id.name()),
            None => groups.push((mark, why, vec![check.id.name()])),
        }
    }
    let item = |(mark, why, ids): (_, String, Vec<&str>)| Item {
        mark: Some(mark),
        text: format!("{}: {why}", ids.join(", ")),
        ..Item::default()
    };
    groups.into_iter().map(item).collect()
}

/// Everything that was found out, check by check.
pub(super) fn details(report: &Report) -> Vec<Block> {
    let mut blocks = vec![Block::Section {
        title: "Checks, in the order of a clone:",
        items: report.checks.iter().map(|c| check(report, c)).collect(),
    }];
    let rows = keys::rows(report, true);
    if !rows.is_empty() {
        blocks.push(Block::Keys(rows));
    }
    let settings = report.settings.iter().map(|setting| {
        let at = |p: &Place| format!(" ({} line {})", p.file, p.line);
        let lost = setting.overrides.iter().map(|l| Item::prose(format!("wins over {} ({} line {})", l.value, l.file, l.line)));
        let from = setting.source.as_ref().map(at).unwrap_or_default();
        Item { text: format!("{} {}{from}", setting.keyword, setting.value), below: lost.collect(), ..Item::default() }
    });
    blocks.push(Block::Section {
        title: "Settings of ssh that differ from the defaults, or decide something:",
        items: settings.collect(),
    });
    blocks.push(Block::Section { title: "What the examination touched:", items: footprint(report) });
    blocks.push(Block::Section { title: "", items: report.withholds().map(Item::prose).collect() });
    blocks.retain(|block| !matches!(block, Block::Section { items, .. } if items.is_empty()));
    blocks
}

fn check(report: &Report, check: &CheckReport) -> Item {
    let cause = report.cause();
    let findings = check.findings.iter().map(|f| {
        let mut below = Vec::new();
        let told = |name: &str| f.summary.contains(name) || f.evidence.values().any(|value| value.contains(name));
        if let Some(subject) = f.subject.as_ref().filter(|s| s.line.is_some() || !told(&s.name)) {
            let line = subject.line.map(|n| format!(" line {n}")).unwrap_or_default();
            below.push(Item::prose(format!("{}: {}{line}", subject.kind, subject.name)));
        }
        below.extend(evidence(f));
        if !cause.is_some_and(|c| std::ptr::eq(c, f)) {
            below.extend(f.remedies.iter().map(|r| remedy(report, r)));
        }
        Item { mark: Some(severity(f)), text: format!("{}: {}", f.code, f.summary), below, ..Item::default() }
    });
    Item {
        mark: Some(ending(check)),
        text: format!("{}: {} ({})", check.id, summary(check), milliseconds(check.duration_ms)),
        below: findings.collect(),
        ..Item::default()
    }
}

fn summary(check: &CheckReport) -> String {
    match &check.blocked_by {
        Some(by) => format!("{} (blocked by {by})", check.summary),
        None => check.summary.clone(),
    }
}

fn footprint(report: &Report) -> Vec<Item> {
    let machine = &report.machine;
    let mut items: Vec<Item> = report
        .footprint
        .connections
        .iter()
        .map(|c| Item::prose(format!("connections to {}: {} (git's own not counted)", c.to, c.count)))
        .collect();
    if !report.footprint.programs.is_empty() {
        let below = report.footprint.programs.iter().map(Item::prose).collect();
        items.push(Item { text: "programs started:".into(), below, ..Item::default() });
    }
    items.push(Item::prose(format!("files written: {}", report.footprint.files_written)));
    let tools = [&machine.git, &machine.ssh].into_iter().flatten();
    let tools = tools.map(|t| t.version.as_ref().map_or(t.path.clone(), |v| format!("{} ({v})", t.path)));
    let ran: Vec<String> = std::iter::once(machine.system.clone()).chain(tools).collect();
    items.push(Item::prose(format!("ran on: {}, in {}", ran.join(", "), milliseconds(report.duration_ms))));
    items
}

/// Whole milliseconds as a person reads them.
fn milliseconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms}\u{a0}ms") } else { route::duration(ms as f64) }
}

/// The word for how a check ended.
fn ending(check: &CheckReport) -> (&'static str, Tone) {
    match check.status {
        CheckStatus::Pass => ("pass", Tone::Good),
        CheckStatus::Warn => ("warning", Tone::Care),
        CheckStatus::Fail => ("FAIL", Tone::Bad),
        CheckStatus::Blocked => ("blocked", Tone::Plain),
        CheckStatus::Unknown => ("unknown", Tone::Care),
        CheckStatus::Skipped => ("skipped", Tone::Plain),
        CheckStatus::NotApplicable => ("n/a", Tone::Plain),
        CheckStatus::Crashed => ("CRASHED", Tone::Bad),
    }
}

/// The word for how grave a finding is.
fn severity(finding: &FindingReport) -> (&'static str, Tone) {
    match finding.severity {
        Severity::Error => ("FAIL", Tone::Bad),
        Severity::Warning => ("warning", Tone::Care),
        Severity::Info => ("note", Tone::Plain),
    }
}

/// What was seen, a line each; a public key is there to be copied into a form.
fn evidence(finding: &FindingReport) -> Vec<Item> {
    let fact = |(name, value): (&String, &String)| {
        if name == "public key" {
            return Item { text: format!("{name}:"), verbatim: vec![value.clone()], ..Item::default() };
        }
        let quotes = name.ends_with(" says") || name.ends_with(" said");
        let value = if quotes { on_one_line(value) } else { value.trim().to_string() };
        Item::prose(format!("{name}: {value}"))
    };
    finding.evidence.iter().map(fact).collect()
}

/// A quotation on one line: its line ends, which stand in a report as `\n`, become ` / `.
fn on_one_line(quotation: &str) -> String {
    quotation.split("\\n").map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// What to do, with what is to be copied standing alone.
fn remedy(report: &Report, remedy: &Remedy) -> Item {
    let mut item = Item::prose(&remedy.summary);
    match &remedy.action {
        Action::Run(argv) => item.verbatim.push(command_line(argv, report.redacted)),
        Action::Edit(edit) => match edit.change {
            Change::Append => item.verbatim.push(append_command(&edit.file, &edit.lines, report.redacted)),
            Change::Prepend | Change::Replace(_) => {
                item.below.push(Item { text: edit.instruction(), verbatim: edit.lines.clone(), ..Item::default() });
            }
        },
        Action::Visit(page) => item.verbatim.push(page.clone()),
        Action::Ask => {}
    }
    item
}
