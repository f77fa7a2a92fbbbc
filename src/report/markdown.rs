//! The report as a ticket: what a person who was not there needs in order to help, in Markdown that GitHub, Bitbucket and Jira
//! render and that reads well as plain text.
//!
//! It never grows beyond [`LIMIT`], because a tracker refuses what is too long, and then the user has nothing. Every part has its
//! share of the room, is cut between two of its entries, and says how many it has left out. The JSON of the report comes last and
//! takes the room that remains: indented, else compact, else without settings and evidence, else not at all; it is never cut.

mod quote;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::remedy::{Action, Remedy};
use super::shell::command_line;
use super::words::{confidence, side};
use super::{FindingReport, Identity, Report, Setting, Subject};
use quote::{cell, code, fence, name, prose};

/// The longest ticket, in bytes, and so in characters however a tracker counts them: GitHub takes 65,536.
pub(crate) const LIMIT: usize = 60_000;
/// The longest sentence and the longest cell of a table, in characters.
const SENTENCE: usize = 600;
const CELL: usize = 300;
const WHOLE: &str = "`bbdoctor --format json` has them all";

/// The report, with a final line end.
///
/// # Errors
/// None that a report can cause; serde's signature has one.
pub(crate) fn render(report: &Report) -> serde_json::Result<String> {
    let mut ticket = Ticket { out: String::new(), redacted: report.redacted };
    ticket.summary(report);
    ticket.questions();
    ticket.cause(report);
    ticket.findings(report);
    ticket.checks(report);
    ticket.environment(report);
    ticket.folded("Evidence", 5_000, &evidence(report));
    ticket.identities(&report.identities);
    ticket.folded("Settings of ssh", 4_000, &report.settings.iter().flat_map(setting).collect::<Vec<_>>());
    ticket.folded("What bbdoctor touched", 2_000, &footprint(report));
    ticket.json(report)?;
    Ok(ticket.out)
}

struct Ticket {
    out: String,
    redacted: bool,
}

impl Ticket {
    /// Adds a block that is Markdown, and the empty line that ends it.
    fn block(&mut self, markdown: &str) {
        self.out.push_str(markdown);
        self.out.push_str("\n\n");
    }

    /// Adds as many of `entries` as have room in `share` bytes, and says how many have not.
    fn entries(&mut self, share: usize, entries: &[String]) {
        let shown = fitting(share, entries.iter().map(|entry| entry.len() + 2));
        entries[..shown].iter().for_each(|entry| self.block(entry));
        self.left_out(entries.len() - shown);
    }

    fn left_out(&mut self, count: usize) {
        if count > 0 {
            self.block(&format!("Left out for want of room: {count} more ({WHOLE})."));
        }
    }

    /// Adds a table of as many whole rows as have room in `share` bytes.
    fn table(&mut self, share: usize, head: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rows: Vec<_> = rows.iter().map(|row| line(row)).collect();
        let shown = fitting(share, rows.iter().map(String::len));
        let head: Vec<_> = head.iter().map(|h| h.to_string()).collect();
        let rule = vec!["---".to_string(); head.len()];
        self.block(&(line(&head) + &line(&rule) + rows[..shown].concat().trim_end()));
        self.left_out(rows.len() - shown);
    }

    /// Adds lines of text behind a fence.
    fn fenced(&mut self, share: usize, lines: &[String]) {
        let shown = fitting(share, lines.iter().map(|line| line.len() + 1));
        self.block(&fenced("text", &lines[..shown]));
        self.left_out(lines.len() - shown);
    }

    /// Adds lines of text that are shown when the reader asks for them; nothing where there are none.
    fn folded(&mut self, title: &str, share: usize, lines: &[String]) {
        if !lines.is_empty() {
            self.block(&format!("<details><summary>{title}</summary>"));
            self.fenced(share, lines);
            self.block("</details>");
        }
    }

    fn summary(&mut self, report: &Report) {
        let target = &report.target;
        self.block(&format!("## bbdoctor: {}", report.verdict.status.name()));
        self.block(&prose(&report.verdict.summary, SENTENCE));
        let asked = target.url.as_deref().or(target.host.as_deref());
        let Some(asked) = asked else { return };
        let contacted = match &target.effective_url {
            Some(effective) if effective != asked => format!(" (git contacts {})", name(effective)),
            _ => String::new(),
        };
        self.block(&format!("The question was whether git can {} {}{contacted}.", target.operation.name(), name(asked)));
    }

    fn questions(&mut self) {
        for question in ["What did you do?", "What did you expect?", "What did you see instead?"] {
            self.block(&format!("### {question}"));
            self.block("(please fill in)");
        }
    }

    fn cause(&mut self, report: &Report) {
        let verdict = &report.verdict;
        if let Some(root) = &verdict.root_cause {
            self.block("### Cause");
            let sure = format!("{}; {}", confidence(root.confidence), side(root.side));
            self.block(&format!("{} ({sure}), found by the check {}.", name(&root.code), name(root.check.name())));
            if let Some(cause) = report.cause().filter(|cause| !cause.evidence.is_empty() || cause.subject.is_some()) {
                self.fenced(4_000, &facts(cause));
            }
            if verdict.transient {
                self.block("This may pass by itself: trying again later may help.");
            }
            self.codes("It explains", &verdict.explains);
            self.codes("Also found", &verdict.also);
        }
        if let Some(cause) = report.cause().filter(|cause| !cause.remedies.is_empty()) {
            self.block("### What to do");
            let remedies: Vec<_> = cause.remedies.iter().enumerate().map(|(n, r)| remedy(Some(n + 1), r, self.redacted)).collect();
            self.entries(6_000, &remedies);
        }
    }

    fn codes(&mut self, what: &str, codes: &[String]) {
        if !codes.is_empty() {
            let shown = fitting(1_000, codes.iter().map(|code| code.len() + 4));
            let listed: Vec<_> = codes[..shown].iter().map(|code| name(code)).collect();
            let more = if shown < codes.len() { ", …" } else { "." };
            self.block(&format!("{what}: {}{more}", listed.join(", ")));
        }
    }

    /// What was found besides the cause.
    fn findings(&mut self, report: &Report) {
        let cause = usize::from(report.cause().is_some());
        let others: Vec<_> = report.findings().skip(cause).map(|(_, finding)| self.finding(finding)).collect();
        if !others.is_empty() {
            self.block(if cause == 0 { "### Findings" } else { "### Other findings" });
            self.entries(6_000, &others);
        }
    }

    fn finding(&self, finding: &FindingReport) -> String {
        let sentence = format!("**{}** {}: {}", finding.severity.name(), name(&finding.code), prose(&finding.summary, SENTENCE));
        let remedies = finding.remedies.iter().map(|r| remedy(None, r, self.redacted));
        std::iter::once(sentence).chain(remedies).collect::<Vec<_>>().join("\n\n")
    }

    /// What was tried: the checks, and how long each step on the way to the repository took.
    fn checks(&mut self, report: &Report) {
        self.block("### What was tried");
        let rows: Vec<_> = report
            .checks
            .iter()
            .map(|check| vec![name(check.id.name()), check.status.name().to_string(), cell(&check.outcome(), CELL)])
            .collect();
        self.table(6_000, &["Check", "Result", "What it found"], &rows);
        if !report.timeline.is_empty() {
            let steps: Vec<_> = report
                .timeline
                .iter()
                .map(|step| vec![cell(&step.step, CELL), format!("{:.1}", step.ms), if step.ok { "ok" } else { "failed" }.into()])
                .collect();
            self.table(2_000, &["Step on the way", "Milliseconds", "Result"], &steps);
        }
    }

    fn environment(&mut self, report: &Report) {
        let (machine, target) = (&report.machine, &report.target);
        let said = |text: &str| Some(cell(text, CELL));
        let value = |text: &Option<String>| text.as_deref().map(name);
        let tool = |tool: &Option<super::Tool>| match tool {
            Some(tool) => {
                Some(format!("{} ({})", cell(tool.version.as_deref().unwrap_or("version unknown"), CELL), name(&tool.path)))
            }
            None => said("not found"),
        };
        let login = target.hostname.as_ref().map(|host| {
            let user = target.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let port = target.port.map(|port| format!(" port {port}")).unwrap_or_default();
            name(&format!("{user}{host}")) + &port
        });
        let facts = [
            ("bbdoctor", said(&format!("{}, with libssh2 {}", report.bbdoctor.version, report.bbdoctor.libssh2))),
            ("Time", said(&format!("{}, in {} ms", report.started_at, report.duration_ms))),
            ("System", said(&format!("{} ({})", machine.system, machine.os))),
            ("git", tool(&machine.git)),
            ("ssh", tool(&machine.ssh)),
            ("CI", machine.ci.as_deref().and_then(said)),
            ("Terminal", said(if machine.terminal { "yes" } else { "no" })),
            ("Service", target.service.as_deref().and_then(said)),
            ("Given", value(&target.given)),
            ("ssh connects to", login),
            ("Repository", value(&target.repository)),
        ];
        self.block("### Environment");
        let rows: Vec<_> = facts.into_iter().filter_map(|(what, fact)| Some(vec![what.to_string(), fact?])).collect();
        self.table(4_000, &["What", "Value"], &rows);
        if !report.redacted {
            self.block("Names and paths of this machine are shown as they are.");
        }
        report.withholds().for_each(|sentence| self.block(sentence));
    }

    fn identities(&mut self, identities: &[Identity]) {
        if identities.is_empty() {
            return;
        }
        self.block("<details><summary>Keys, in the order in which ssh tries them</summary>");
        let known = |value: &Option<String>| value.as_deref().map_or_else(|| "unknown".to_string(), |v| cell(v, CELL));
        let rows: Vec<_> = identities
            .iter()
            .map(|key| {
                let kind = match (&key.algorithm, key.bits) {
                    (Some(algorithm), Some(bits)) => cell(&format!("{algorithm} {bits}"), CELL),
                    (algorithm, _) => known(algorithm),
                };
                let order = key.order.map_or_else(|| "no".into(), |n| n.to_string());
                let why = key.why.as_ref().map(|why| cell(why, CELL)).unwrap_or_default();
                vec![order, name(&key.name), key.source.name().into(), kind, known(&key.fingerprint), key.server.name().into(), why]
            })
            .collect();
        self.table(5_000, &["Tried", "Key", "Source", "Type", "Fingerprint", "Server", "Remark"], &rows);
        self.block("</details>");
    }

    /// The JSON of the report, as much as the remaining room allows: all of it, or all but what the reader of a ticket misses least.
    fn json(&mut self, report: &Report) -> serde_json::Result<()> {
        let (opening, closing) = ("<details><summary>The report as JSON</summary>\n\n", "\n\n</details>\n");
        let reduced = "Settings and evidence are left out for want of room; `bbdoctor --format json` has them.\n\n";
        let whole = serde_json::to_value(report)?;
        let forms = [
            ("", serde_json::to_string_pretty(report)?),
            ("", serde_json::to_string(report)?),
            (reduced, without_details(whole).to_string()),
        ];
        for (note, json) in forms {
            let part = format!("{opening}{note}{}{closing}", fenced("json", &[json]));
            if self.out.len() + part.len() <= LIMIT {
                self.out.push_str(&part);
                return Ok(());
            }
        }
        self.out.push_str("The report as JSON has no room here; `bbdoctor --format json` prints it.\n");
        Ok(())
    }
}

/// How many of the entries with these sizes have room in `share`.
fn fitting(share: usize, sizes: impl Iterator<Item = usize>) -> usize {
    let ends = sizes.scan(0usize, |sum, size| {
        *sum += size;
        Some(*sum)
    });
    ends.take_while(|end| *end <= share).count()
}

/// Lines behind a fence that none of them can end.
fn fenced(language: &str, lines: &[String]) -> String {
    let fence = fence(lines.iter().map(String::as_str));
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A remedy: what it does, and the command, the lines or the page. A command that has no room is never cut: the whole entry is
/// left out then.
fn remedy(number: Option<usize>, remedy: &Remedy, redacted: bool) -> String {
    let number = number.map(|n| format!("**{n}.** ")).unwrap_or_default();
    let mut parts = vec![format!("{number}{}", prose(&remedy.summary, SENTENCE))];
    match &remedy.action {
        Action::Run(argv) => parts.push(fenced("sh", &[command_line(argv, redacted)])),
        Action::Edit(edit) => {
            parts.push(prose(&edit.instruction(), SENTENCE));
            if !edit.lines.is_empty() {
                parts.push(fenced("text", &edit.lines));
            }
        }
        Action::Visit(url) => parts.push(if is_address(url) { format!("<{}>", url.replace('&', "&amp;")) } else { code(url) }),
        Action::Ask => {}
    }
    parts.join("\n\n")
}

/// Whether a page's address can be a link: nothing in it ends the link or is anything but an address.
fn is_address(url: &str) -> bool {
    let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?&=%#+,;:@{}".contains(&b);
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(may_stand))
}

fn facts(finding: &FindingReport) -> Vec<String> {
    let subject = finding.subject.as_ref().map(Subject::described);
    subject.into_iter().chain(finding.evidence.iter().map(|(name, value)| format!("{name}: {value}"))).collect()
}

/// What was seen, finding by finding, besides that of the cause, which is not folded.
fn evidence(report: &Report) -> Vec<String> {
    let others = report.findings().skip(usize::from(report.cause().is_some()));
    let told = others.map(|(check, finding)| (check, finding, facts(finding))).filter(|(_, _, facts)| !facts.is_empty());
    told.flat_map(|(check, finding, facts)| {
        std::iter::once(format!("{} ({}):", finding.code, check.id)).chain(facts.into_iter().map(|fact| format!("    {fact}")))
    })
    .collect()
}

fn setting(setting: &Setting) -> Vec<String> {
    let from = setting.source.as_ref().map(|place| format!("  ({} line {})", place.file, place.line)).unwrap_or_default();
    let lost = setting.overrides.iter().map(|l| format!("    not {}  ({} line {})", l.value, l.file, l.line));
    std::iter::once(format!("{} {}{from}", setting.keyword, setting.value)).chain(lost).collect()
}

fn footprint(report: &Report) -> Vec<String> {
    let connections = report.footprint.connections.iter().map(|c| format!("connected to {} ({} times)", c.to, c.count));
    let programs = report.footprint.programs.iter().map(|program| format!("ran {program}"));
    let files = std::iter::once(format!("wrote {} files", report.footprint.files_written));
    connections.chain(programs).chain(files).collect()
}

/// The report without settings and evidence, still valid against the schema.
fn without_details(mut report: Value) -> Value {
    report["settings"] = Value::Array(Vec::new());
    for check in report["checks"].as_array_mut().into_iter().flatten() {
        for finding in check["findings"].as_array_mut().into_iter().flatten() {
            finding["evidence"] = Value::Object(serde_json::Map::new());
        }
    }
    report
}
