//! Puts a report together from the facts, the results and the verdict.

use bbdoctor_checks::facts::{Facts, summary};
use bbdoctor_checks::finding::{Code, Finding};
use bbdoctor_checks::privacy::{Redactor, Text};
use bbdoctor_checks::remedy::{self, Remedy as Cure};

use super::remedy::{Action, Change, Edit, Remedy};
use super::*;
use crate::diagnosis::{Cause, CheckResult, Status, Verdict};

impl Report {
    /// Puts everything together; `redactor` decides what private values look like.
    pub(crate) fn new(facts: &Facts, results: &[CheckResult], verdict: &Verdict, redactor: &dyn Redactor) -> Self {
        let show = |text: &Text| redactor.text(text);
        let head = facts.summary();
        let operation = head.target.operation;
        let tool = |t: &summary::Tool| Tool { path: show(&t.path), version: t.version.as_ref().map(show), kind: t.kind.map(own) };
        let target = &head.target;
        Report {
            schema: SCHEMA,
            bbdoctor: Program { version: own(env!("CARGO_PKG_VERSION")), libssh2: show(&Text::version(&facts.machine.libssh2)) },
            started_at: show(&Text::date(facts.started_at())),
            duration_ms: facts.clock.took_ms,
            machine: Machine {
                os: own(head.machine.os),
                system: show(&head.machine.system),
                git: head.machine.git.as_ref().map(tool),
                ssh: head.machine.ssh.as_ref().map(tool),
                terminal: head.machine.terminal,
                ci: head.machine.ci.map(own),
            },
            target: Target {
                given: target.given.as_ref().map(show),
                url: target.url.as_ref().map(show),
                effective_url: target.effective_url.as_ref().map(show),
                host: target.host.as_ref().map(show),
                hostname: target.hostname.as_ref().map(show),
                port: target.port,
                user: target.user.as_ref().map(show),
                repository: target.repository.as_ref().map(show),
                service: target.service.map(own),
                operation,
            },
            verdict: judgement(verdict, results, operation, redactor),
            checks: results.iter().map(|r| check_report(r, redactor)).collect(),
            identities: head.identities.iter().map(|i| identity(i, redactor)).collect(),
            settings: head
                .settings
                .iter()
                .map(|s| Setting {
                    keyword: show(&s.keyword),
                    value: show(&s.value),
                    source: s.source.as_ref().map(|(file, line)| Place { file: show(file), line: *line }),
                    overrides: s
                        .overrides
                        .iter()
                        .map(|(file, line, value)| Loser { file: show(file), line: *line, value: show(value) })
                        .collect(),
                })
                .collect(),
            timeline: facts
                .footprint
                .steps
                .iter()
                .map(|s| Step { step: own(s.name.name()), ms: s.milliseconds, ok: s.ok })
                .collect(),
            footprint: Footprint {
                connections: head.connections.iter().map(|(to, count)| Connection { to: show(to), count: *count }).collect(),
                programs: head.programs.iter().map(show).collect(),
                files_written: 0,
            },
            redacted: redactor.redacts(),
            quotations_left_out: !redactor.quotes(),
        }
    }
}

/// A word of our own sources. Every other string of a report comes from a [`Text`] that the redactor has shown: the last look takes what
/// stands in a report without private values for words of ours.
fn own(word: &'static str) -> String {
    word.to_string()
}

fn judgement(verdict: &Verdict, results: &[CheckResult], operation: Operation, redactor: &dyn Redactor) -> Judgement {
    let names = |codes: &[Code]| codes.iter().map(|c| own(c.name())).collect::<Vec<_>>();
    let summary = redactor.text(&verdict.summary(results, operation));
    let (status, cause): (_, Option<&Cause>) = match verdict {
        Verdict::Healthy => (VerdictStatus::Healthy, None),
        Verdict::Inconclusive(_) => (VerdictStatus::Inconclusive, None),
        Verdict::Broken(cause) => (VerdictStatus::Broken, Some(cause)),
    };
    let warned: Vec<Code> =
        results.iter().flat_map(|r| &r.findings).filter(|f| f.severity > Severity::Info).map(|f| f.code).collect();
    Judgement {
        status,
        root_cause: cause.map(|c| RootCause {
            code: own(c.finding.code.name()),
            check: c.check,
            summary: summary.clone(),
            confidence: c.finding.confidence,
            side: c.finding.side,
        }),
        summary,
        explains: cause.map(|c| names(&c.explains)).unwrap_or_default(),
        also: cause.map_or_else(|| names(&warned), |c| names(&c.also)),
        transient: cause.is_some_and(|c| c.finding.transient),
        next_step: cause.and_then(|c| c.finding.remedies.first()).map(|r| remedy(r, redactor)),
    }
}

fn check_report(result: &CheckResult, redactor: &dyn Redactor) -> CheckReport {
    CheckReport {
        id: result.meta.id,
        title: own(result.meta.title),
        status: match result.status {
            Status::Pass => CheckStatus::Pass,
            Status::Warn => CheckStatus::Warn,
            Status::Fail => CheckStatus::Fail,
            Status::Blocked => CheckStatus::Blocked,
            Status::Unknown => CheckStatus::Unknown,
            Status::Skipped | Status::NotSelected => CheckStatus::Skipped,
            Status::NotApplicable => CheckStatus::NotApplicable,
            Status::Crashed => CheckStatus::Crashed,
        },
        summary: redactor.text(&result.summary),
        blocked_by: result.blocked_by,
        duration_ms: result.duration_ms,
        findings: result.findings.iter().map(|f| finding(f, redactor)).collect(),
    }
}

fn finding(finding: &Finding, redactor: &dyn Redactor) -> FindingReport {
    FindingReport {
        code: own(finding.code.name()),
        severity: finding.severity,
        blocking: finding.blocking,
        confidence: finding.confidence,
        summary: redactor.text(&finding.summary),
        subject: finding.subject.as_ref().map(|s| Subject { kind: own(s.kind), name: redactor.text(&s.name), line: s.line }),
        evidence: finding.evidence.iter().map(|(name, value)| (own(name), redactor.text(value))).collect(),
        remedies: finding.remedies.iter().map(|r| remedy(r, redactor)).collect(),
    }
}

fn remedy(cure: &Cure, redactor: &dyn Redactor) -> Remedy {
    let all = |texts: &[Text]| texts.iter().map(|t| redactor.literal(t)).collect::<Vec<_>>();
    let action = match &cure.action {
        remedy::Action::Run(argv) => Action::Run(all(argv)),
        remedy::Action::Edit(edit) => {
            let (change, lines) = match &edit.change {
                remedy::Change::Prepend(lines) => (Change::Prepend, lines),
                remedy::Change::Append(lines) => (Change::Append, lines),
                remedy::Change::Replace { line, with } => (Change::Replace(*line), with),
            };
            let file = redactor.literal(&bbdoctor_checks::privacy::Private::path(&edit.file).into());
            Action::Edit(Edit { file, change, lines: all(lines) })
        }
        remedy::Action::RestoreKey(file) => {
            let file = redactor.literal(&bbdoctor_checks::privacy::Private::path(file).into());
            Action::Run(vec!["bbdoctor".into(), "restore".into(), file])
        }
        remedy::Action::Visit(page) => Action::Visit(redactor.text(page)),
        remedy::Action::Ask => Action::Ask,
    };
    Remedy { id: own(cure.id), summary: redactor.text(&cure.summary), action, safety: cure.safety }
}

fn identity(identity: &summary::Identity, redactor: &dyn Redactor) -> Identity {
    Identity {
        order: identity.order,
        source: identity.source,
        name: redactor.text(&identity.name),
        algorithm: identity.algorithm.as_ref().map(|a| redactor.text(a)),
        bits: identity.bits,
        fingerprint: identity.fingerprint.as_ref().map(|f| redactor.text(f)),
        offered: identity.offered,
        why: identity.why.as_ref().map(|w| redactor.text(w)),
        server: identity.server,
    }
}
