//! One report for the user's own eyes, and one for other people, with placeholders for what is private.

use std::cell::OnceCell;

use bbdoctor_checks::facts::Facts;
use bbdoctor_checks::privacy::{Collector, Leak, Plain, Redaction, Redactor, WithoutQuotations};

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
pub(crate) struct Audiences<'a> {
    facts: &'a Facts,
    results: &'a [CheckResult],
    verdict: &'a Verdict,
    own: OnceCell<Report>,
    shared: OnceCell<Shared>,
}

/// What other people may see.
struct Shared {
    redaction: Redaction,
    /// The report with every private value blanked: our own words.
    blanked: Report,
    /// The report with placeholders.
    report: Report,
    /// The same without what others wrote.
    without_quotations: OnceCell<Report>,
}

impl<'a> Audiences<'a> {
    /// Of what the checks found and what was concluded from it.
    pub(crate) fn new(facts: &'a Facts, results: &'a [CheckResult], verdict: &'a Verdict) -> Self {
        Audiences { facts, results, verdict, own: OnceCell::new(), shared: OnceCell::new() }
    }

    fn report(&self, redactor: &dyn Redactor) -> Report {
        Report::new(self.facts, self.results, self.verdict, redactor)
    }

    /// The report as the user may see it.
    pub(crate) fn own(&self) -> &Report {
        self.own.get_or_init(|| self.report(&Plain { home: self.facts.home() }))
    }

    fn shared(&self) -> &Shared {
        self.shared.get_or_init(|| self.prepared())
    }

    fn prepared(&self) -> Shared {
        let collector = Collector::default();
        let blanked = self.report(&collector);
        let (homes, names) = self.facts.private_values();
        let redaction = Redaction::new(homes, names, collector);
        Shared { report: self.report(&redaction), redaction, blanked, without_quotations: OnceCell::new() }
    }

    /// The finished text. For other people it is looked through once more; where something private stands in it all the same, it is
    /// made again without quotations, which says so.
    ///
    /// # Errors
    /// When something private stands even in that: then nobody gets it.
    pub(crate) fn text(&self, format: Format, redacted: bool, manner: Manner) -> Result<String, Withheld> {
        if !redacted {
            return Ok(super::render(self.own(), format, manner)?);
        }
        let shared = self.shared();
        let own_words = super::render(&shared.blanked, format, manner)?;
        let text = super::render(&shared.report, format, manner)?;
        if shared.redaction.inspect(&text, &own_words).is_ok() {
            return Ok(text);
        }
        let report = shared.without_quotations.get_or_init(|| self.report(&WithoutQuotations(&shared.redaction)));
        let text = super::render(report, format, manner)?;
        shared.redaction.inspect(&text, &own_words)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bbdoctor_checks::bitbucket::Services;
    use bbdoctor_checks::facts::environment::Environment;
    use bbdoctor_checks::facts::{Operation, Request};
    use bbdoctor_evidence::gather::Beginning;
    use clap::ValueEnum as _;

    use super::*;
    use crate::report::human::Detail;
    use crate::report::words::LEFT_OUT;
    use crate::{diagnosis, engine};

    const MANNER: Manner = Manner { detail: Detail::Verbose, colour: true, width: 80, accessible: false };

    /// What a run says about `target`, without starting a program or reaching for the network, to the user `user`.
    #[allow(clippy::disallowed_methods, reason = "the run's clock")]
    fn examined(target: &str, user: &str, then: impl FnOnce(&Audiences<'_>)) {
        let home = tempfile::tempdir().expect("a folder");
        let environment: Environment = [("HOME", home.path().as_os_str()), ("USER", user.as_ref())].into_iter().collect();
        let request = Request {
            target: Some(target.into()),
            operation: Operation::Fetch,
            may_execute: false,
            offline: true,
            budget_ms: 20_000,
        };
        let beginning = Beginning { request, environment, services: Services::default(), started: Instant::now() };
        let selection = engine::Selection::default();
        let facts = engine::find_out(beginning, &selection, |_| {});
        let mut results = engine::examine(&facts, &selection);
        let verdict = diagnosis::judge(&mut results, &facts.git_outcome());
        then(&Audiences::new(&facts, &results, &verdict));
    }

    fn planted(then: impl FnOnce(&Audiences<'_>)) {
        examined("git@git.blaubeere.internal:torte/streusel.git", "zoelandau", then);
    }

    #[track_caller]
    fn shows_nothing_private(text: &str) {
        for private in ["blaubeere", "torte", "streusel", "zoelandau"] {
            assert!(!text.to_lowercase().contains(private), "{text}");
        }
    }

    /// The same with a fault: other people get the report that is for the user alone, and, `without_quotations`, no other.
    fn leaking<'a>(audiences: &Audiences<'a>, without_quotations: bool) -> Audiences<'a> {
        let own = || audiences.report(&Plain::default());
        let leaking = Audiences::new(audiences.facts, audiences.results, audiences.verdict);
        let mut shared = leaking.prepared();
        shared.report = own();
        if without_quotations {
            shared.without_quotations = own().into();
        }
        assert!(leaking.shared.set(shared).is_ok());
        leaking
    }

    #[test]
    fn a_report_for_strangers_shows_nothing_private_in_any_format() {
        planted(|audiences| {
            for format in Format::value_variants() {
                let own = audiences.text(*format, false, MANNER).expect("rendered");
                assert!(own.contains("blaubeere"), "{format:?}");
                let text = audiences.text(*format, true, MANNER).expect("nothing private");
                shows_nothing_private(&text);
                assert!(!text.contains(LEFT_OUT), "{text}");
            }
        });
    }

    #[test]
    fn a_report_with_a_private_value_in_it_is_told_without_quotations_in_every_format() {
        planted(|audiences| {
            let leaking = leaking(audiences, false);
            for format in Format::value_variants() {
                let text = leaking.text(*format, true, MANNER).expect("nothing private");
                shows_nothing_private(&text);
                let says_so = match format {
                    Format::Json => "\"quotations_left_out\": true",
                    Format::Junit => "quotations-left-out",
                    Format::Human | Format::Markdown | Format::Github => LEFT_OUT,
                };
                assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(says_so), "{format:?}: {text}");
            }
        });
    }

    #[test]
    fn a_report_that_shows_something_private_even_without_quotations_is_withheld_in_every_format() {
        planted(|audiences| {
            let leaking = leaking(audiences, true);
            for format in Format::value_variants() {
                let told = leaking.text(*format, true, MANNER);
                assert!(matches!(told, Err(Withheld::Leak(_))), "{format:?}: {told:?}");
            }
        });
    }

    /// Every word that a report of ours has, as the name of everything that has one.
    #[test]
    fn no_report_is_withheld_because_somebody_is_called_like_a_word_of_ours() {
        let mut words = std::collections::BTreeSet::new();
        planted(|audiences| {
            for format in Format::value_variants() {
                let text = audiences.text(*format, true, MANNER).expect("nothing private").to_lowercase();
                let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 2);
                words.extend(parts.map(String::from));
            }
        });
        assert!(words.len() > 200, "{words:?}");
        // Three at a time, which takes a third of the time.
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for names in words.chunks_exact(3) {
            examined(&format!("git@{}:{}/{}.git", names[0], names[1], names[2]), names[0], |audiences| {
                for format in Format::value_variants() {
                    let text = audiences.text(*format, true, MANNER).unwrap_or_else(|why| panic!("{names:?}, {format:?}: {why}"));
                    assert!(!text.contains("left out of this report"), "{names:?}, {format:?}: {text}");
                }
            });
        }
    }
}
