//! The report for a person: what was seen, then the verdict, where a terminal shows it last.
//!
//! Words carry the meaning; colour only repeats it.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::shell::command_line;
use super::{CheckReport, CheckStatus, FindingReport, Remedy, Report, VerdictStatus};

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// The verdict only.
    Quiet,
    /// What needs attention, and the verdict.
    Normal,
    /// Every check with its evidence.
    Verbose,
}

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// How much to say.
    pub(crate) detail: Detail,
    /// Colours are wanted.
    pub(crate) colour: bool,
    /// Columns.
    pub(crate) width: usize,
}

/// The report as text, with a final line end.
pub(crate) fn render(report: &Report, style: Manner) -> String {
    let mut page = Page { out: String::new(), redacted: report.redacted, style };
    page.heading(report);
    if style.detail > Detail::Quiet {
        page.checks(report);
    }
    if style.detail == Detail::Verbose {
        page.details(report);
    }
    page.verdict(report);
    page.out
}

struct Page {
    out: String,
    redacted: bool,
    style: Manner,
}

impl Page {
    fn paint(&self, text: &str, style: Style) -> String {
        if self.style.colour { text.style(style).to_string() } else { text.to_string() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Prose: `first` before the first line, `indent` blanks before the others.
    fn prose(&mut self, first: &str, indent: usize, text: &str) {
        let rest = " ".repeat(indent);
        let options =
            textwrap::Options::new(self.style.width.max(30)).initial_indent(first).subsequent_indent(&rest).break_words(false);
        let wrapped = textwrap::fill(text, options);
        self.line(&wrapped);
    }

    fn heading(&mut self, report: &Report) {
        let what = report.target.url.as_deref().or(report.target.host.as_deref()).unwrap_or("no remote");
        let mut title = format!("bbdoctor {}: can git {} {what} ?", report.bbdoctor.version, report.target.operation);
        if let (Some(effective), Some(url)) = (&report.target.effective_url, &report.target.url)
            && effective != url
        {
            let _ = write!(title, " (git contacts {effective})");
        }
        self.prose("", 0, &title);
        self.line("");
    }

    fn checks(&mut self, report: &Report) {
        let verbose = self.style.detail == Detail::Verbose;
        let mut quiet = 0;
        for check in &report.checks {
            if verbose || !(matches!(check.status, CheckStatus::Pass | CheckStatus::NotApplicable)) {
                self.check(check);
            } else {
                quiet += 1;
            }
        }
        if quiet > 0 {
            let rest = format!("{quiet} of {} checks have nothing to report (-v shows them).", report.checks.len());
            self.prose("", 0, &rest);
        }
        self.line("");
    }

    fn check(&mut self, check: &CheckReport) {
        let (word, style) = match check.status {
            CheckStatus::Pass => ("pass   ", Style::new().green()),
            CheckStatus::Warn => ("warning", Style::new().yellow()),
            CheckStatus::Fail => ("FAIL   ", Style::new().red().bold()),
            CheckStatus::Blocked => ("blocked", Style::new().dimmed()),
            CheckStatus::Unknown => ("unknown", Style::new().yellow()),
            CheckStatus::Skipped => ("skipped", Style::new().dimmed()),
            CheckStatus::NotApplicable => ("n/a    ", Style::new().dimmed()),
            CheckStatus::Crashed => ("CRASHED", Style::new().red().bold()),
        };
        let word = self.paint(word, style);
        let because = check.blocked_by.as_ref().map(|by| format!(" (blocked by {by})")).unwrap_or_default();
        let shown: Vec<&FindingReport> =
            check.findings.iter().filter(|f| self.style.detail == Detail::Verbose || f.severity != "info").collect();
        if shown.is_empty() || self.style.detail == Detail::Verbose {
            self.prose(&format!("{word} "), 8, &format!("{}: {}{because}", check.id, check.summary));
        }
        for finding in shown {
            let lead = if self.style.detail == Detail::Verbose { " ".repeat(8) } else { format!("{word} ") };
            self.prose(&lead, 8, &format!("{}: {}", finding.code, finding.summary));
            if self.style.detail == Detail::Verbose {
                for (name, value) in &finding.evidence {
                    self.prose("          ", 12, &format!("{name}: {value}"));
                }
            }
        }
    }

    fn details(&mut self, report: &Report) {
        if !report.identities.is_empty() {
            self.line("Keys, in the order in which ssh tries them:");
            for key in &report.identities {
                let order = key.order.map_or("  -".into(), |n| format!("{n:3}"));
                let kind = key.algorithm.as_deref().unwrap_or("unknown type");
                let print = key.fingerprint.as_deref().unwrap_or("no public half");
                let why = key.why.as_ref().map(|w| format!("; {w}")).unwrap_or_default();
                self.prose(
                    &format!("{order} "),
                    6,
                    &format!("{} ({}, {kind}, {print}) server: {}{why}", key.name, key.source, key.server),
                );
            }
            self.line("");
        }
        if !report.settings.is_empty() {
            self.line("Settings that differ from the defaults, or decide something:");
            for setting in &report.settings {
                let from = setting.source.as_ref().map(|p| format!("  ({}:{})", p.file, p.line)).unwrap_or_default();
                self.prose("    ", 6, &format!("{} {}{from}", setting.keyword, setting.value));
            }
            self.line("");
        }
        if !report.timeline.is_empty() {
            let steps: Vec<_> = report
                .timeline
                .iter()
                .map(|s| format!("{} {:.1} ms{}", s.step, s.ms, if s.ok { "" } else { " (failed)" }))
                .collect();
            self.prose("The way: ", 9, &steps.join(" > "));
            self.line("");
        }
    }

    fn verdict(&mut self, report: &Report) {
        let verdict = &report.verdict;
        let (word, style) = match verdict.status {
            VerdictStatus::Healthy => ("HEALTHY", Style::new().green().bold()),
            VerdictStatus::Broken => ("BROKEN", Style::new().red().bold()),
            VerdictStatus::Inconclusive => ("INCONCLUSIVE", Style::new().yellow().bold()),
        };
        let word = self.paint(word, style);
        self.prose(&format!("{word}: "), 4, &verdict.summary);
        let Some(root) = &verdict.root_cause else {
            if self.style.detail > Detail::Quiet {
                self.advice(report);
            }
            return;
        };
        if self.style.detail == Detail::Quiet {
            return;
        }
        let how = match root.confidence.as_str() {
            "proven" => "seen directly",
            "likely" => "the likely cause",
            _ => "a possible cause",
        };
        let side = match root.side.as_str() {
            "this-machine" => "to be mended on this machine",
            "network" => "to be mended in the network",
            "server" => "on the service's side",
            _ => "to be mended in the account on the service",
        };
        self.prose("    ", 4, &format!("{} ({how}; {side})", root.code));
        if let Some(cause) = report.cause() {
            if !cause.evidence.is_empty() {
                self.line("");
                self.line("Seen:");
                for (name, value) in &cause.evidence {
                    self.prose("    ", 8, &format!("{name}: {value}"));
                }
            }
            if !cause.remedies.is_empty() {
                self.line("");
                self.line("To mend it:");
                for (n, remedy) in cause.remedies.iter().enumerate() {
                    if n > 0 {
                        self.line("");
                    }
                    self.remedy(remedy);
                }
            }
        }
        self.line("");
        if !verdict.explains.is_empty() {
            self.prose("It explains: ", 4, &verdict.explains.join(", "));
        }
        if !verdict.also.is_empty() {
            self.prose("Also seen: ", 4, &verdict.also.join(", "));
        }
        if verdict.transient {
            self.prose("", 0, "This may pass by itself: try again in a minute.");
        }
        self.prose("", 0, &format!("More about it: bbdoctor explain {}", root.code));
    }

    /// What a healthy set-up could do better.
    fn advice(&mut self, report: &Report) {
        for finding in report.checks.iter().flat_map(|c| &c.findings).filter(|f| f.severity == "warning") {
            if let Some(first) = finding.remedies.first() {
                self.line("");
                self.prose("", 4, &format!("About {}:", finding.code));
                self.remedy(first);
            }
        }
    }

    fn remedy(&mut self, remedy: &Remedy) {
        self.prose("  ", 2, &remedy.summary);
        if let Some(argv) = &remedy.argv {
            let command = self.paint(&command_line(argv, self.redacted), Style::new().cyan());
            self.line(&format!("      {command}"));
        }
        if let Some(edit) = &remedy.edit {
            let place = match (edit.change.as_str(), edit.line) {
                ("prepend", _) => format!("      at the top of {}:", edit.file),
                ("replace", Some(line)) if edit.lines.is_empty() => format!("      delete line {line} of {}", edit.file),
                ("replace", Some(line)) => format!("      instead of line {line} of {}:", edit.file),
                _ => format!("      at the end of {}:", edit.file),
            };
            self.line(&place);
            for line in &edit.lines {
                let line = self.paint(line, Style::new().cyan());
                self.line(&format!("          {line}"));
            }
        }
        if let Some(url) = &remedy.url {
            let url = self.paint(url, Style::new().cyan());
            self.line(&format!("      {url}"));
        }
    }
}
