//! Does git itself work, and if not, does it say why?

use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::git_run::GitRun;
use crate::finding::{Code, Confidence, Finding, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::Remedy;
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct GitAgrees;

const META: Meta =
    Meta { id: CheckId::GitAgrees, title: "What git itself does", needs: &[Need::Git], page: include_str!("git_agrees.md") };

impl Check for GitAgrees {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let run = facts.git_run()?;
        if run.timed_out {
            return Err(Unavailable::Unknown {
                why: text!("git gave no answer in the {} ms that were left of the budget", run.duration_ms),
            });
        }
        if run.works {
            let mut found = Findings::new(text!("git works ({} ms)", run.duration_ms));
            if facts.probe_expected_failure() {
                found.push(
                    Finding::info(Code::GitWorksAnyway, "A check expected failure, yet git works; the verdict follows git.")
                        .remedy(Remedy::ask("nothing", "Nothing needs to be done.")),
                );
            }
            return Ok(found);
        }
        if let Some(key) = facts.key_that_ssh_asks_for().filter(|_| run.transcript.authenticated.is_none()) {
            return Err(Unavailable::Unknown {
                why: text!("git was run without anybody to give the passphrase of {}", key.name_text()),
            });
        }
        let mut found = Findings::new(text!("git fails: {}", last_words(run)));
        found.push(match &run.protocol_noise {
            Some(noise) => Finding::blocking(
                Code::TransportNoise,
                text!("Something writes into the data between git and the server; it begins with {}.", Private::quoted(String::from_utf8_lossy(noise))),
            )
            .subject(Subject::new("program", Private::quoted(&run.command)))
            .remedy(Remedy::ask(
                "silence",
                "Find what prints to standard output: a wrapper named by GIT_SSH_COMMAND or core.sshCommand, a LocalCommand, or a shell start file on the server.",
            )),
            None => Finding::blocking(Code::GitFailsUnexplained, text!("git fails, and no check found why: {}.", last_words(run)))
                .confidence(Confidence::Possible)
                .subject(Subject::new("program", Private::quoted(&run.command)))
                .remedy(Remedy::ask("report", "Read what ssh said; with -v the whole examination is shown.")),
        }
        .evidence("git and ssh said", Private::quoted(run.said.join("\n")))
        .evidence("exit status", run.code.map_or_else(|| Text::from("none"), Text::from)));
        Ok(found)
    }
}

/// The line that says most: the first that is not git's own trailer.
fn last_words(run: &GitRun) -> Text {
    let line = run
        .said
        .iter()
        .find(|l| l.chars().any(char::is_alphanumeric) && !l.starts_with('@'))
        .map(String::as_str)
        .unwrap_or("it said nothing");
    Private::quoted(line.trim_end_matches('.')).into()
}
