//! The two editions of a report: one for the user's own eyes, and one for strangers, with stand-ins for what is private.

use std::cell::OnceCell;

use bbdoctor_checks::evidence::Evidence;
use bbdoctor_checks::privacy::{Collector, Leak, Plain, Standins};

use super::Report;
use super::human::Manner;
use crate::cli::Format;
use crate::diagnosis::{CheckResult, Verdict};

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Withheld {
    /// It would have shown something private, which is a fault of bbdoctor.
    #[error("{0}; nothing was written, please report this fault of bbdoctor")]
    Leak(#[from] Leak),
    /// It could not be encoded.
    #[error("cannot encode the report: {0}")]
    Encoding(#[from] Box<dyn std::error::Error>),
}

/// One examination, told to different readers.
pub(crate) struct Editions<'a> {
    evidence: &'a Evidence,
    results: &'a [CheckResult],
    verdict: &'a Verdict,
    own: OnceCell<Report>,
    for_strangers: OnceCell<(Report, Standins)>,
}

impl<'a> Editions<'a> {
    /// Of what the checks found and what was concluded from it.
    pub(crate) fn new(evidence: &'a Evidence, results: &'a [CheckResult], verdict: &'a Verdict) -> Self {
        Editions { evidence, results, verdict, own: OnceCell::new(), for_strangers: OnceCell::new() }
    }

    /// The report as the user may see it.
    pub(crate) fn own(&self) -> &Report {
        self.own.get_or_init(|| {
            let plain = Plain { home: self.evidence.home() };
            Report::new(self.evidence, self.results, self.verdict, &plain)
        })
    }

    /// The report as anybody may see it, and the stand-ins in it.
    fn for_strangers(&self) -> &(Report, Standins) {
        self.for_strangers.get_or_init(|| {
            let collector = Collector::default();
            Report::new(self.evidence, self.results, self.verdict, &collector);
            let (homes, names) = self.evidence.private_values();
            let standins = Standins::new(homes, names, collector);
            (Report::new(self.evidence, self.results, self.verdict, &standins), standins)
        })
    }

    /// The finished text, looked through once more where it is for strangers.
    ///
    /// # Errors
    /// When something private stands in it all the same: then nobody gets it.
    pub(crate) fn text(&self, format: Format, redacted: bool, manner: Manner) -> Result<String, Withheld> {
        if !redacted {
            return Ok(super::render(self.own(), format, manner)?);
        }
        let (report, standins) = self.for_strangers();
        let text = super::render(report, format, manner)?;
        standins.inspect(&text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use bbdoctor_checks::bitbucket::Services;
    use bbdoctor_checks::evidence::environment::Environment;
    use bbdoctor_checks::evidence::{Operation, Request};
    use clap::ValueEnum as _;

    use super::*;
    use crate::report::human::Detail;
    use crate::{diagnosis, engine};

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the run's clock")]
    fn a_report_with_a_private_value_in_it_is_withheld_in_every_format() {
        let home = tempfile::tempdir().expect("a folder");
        let environment: Environment = [("HOME", home.path().as_os_str()), ("USER", "zoelandau".as_ref())].into_iter().collect();
        let evidence = Arc::new(Evidence::new(Request {
            target: Some("git@git.blaubeere.internal:torte/streusel.git".into()),
            operation: Operation::Fetch,
            may_execute: false,
            offline: true,
            started: Instant::now(),
            budget: Duration::from_secs(20),
            services: Services::default(),
            environment,
        }));
        let mut results = engine::examine(&evidence, &engine::Selection::default(), &mut |_| {});
        let verdict = diagnosis::judge(&mut results, &evidence.witness());
        let editions = Editions::new(&evidence, &results, &verdict);
        let manner = Manner { detail: Detail::Verbose, colour: true, width: 80, accessible: false };
        let (_, standins) = editions.for_strangers();
        for format in Format::value_variants() {
            let leaky = super::super::render(editions.own(), *format, manner).expect("rendered");
            assert!(leaky.contains("blaubeere"), "{format:?}");
            assert!(standins.inspect(&leaky).is_err(), "{format:?}: {leaky}");
            let text = editions.text(*format, true, manner).expect("nothing private");
            for private in ["blaubeere", "torte", "streusel", "zoelandau"] {
                assert!(!text.to_lowercase().contains(private), "{format:?}: {text}");
            }
        }
    }
}
