//! Does ssh accept its configuration files by their owner and mode?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::ssh_config::{FileOutcome, FileRole, ProblemKind};
use crate::finding::{Code, Finding, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct ConfigPermissions;

const META: Meta = Meta {
    id: CheckId::ConfigPermissions,
    title: "ssh accepts the configuration files",
    needs: &[Need::Settings],
    page: include_str!("config_permissions.md"),
};

impl Check for ConfigPermissions {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let reading = facts.reading()?;
        let mut found = Findings::new("owner and mode of the configuration files are as ssh wants them");
        // Debian's ssh lets a group of one write, and only ssh tells whose it is.
        let by_group = |kind: &ProblemKind| matches!(kind, ProblemKind::PermissionsTooOpen(access) if access.mode & 0o002 == 0);
        if !facts.request.may_execute && reading.problems.iter().any(|problem| by_group(&problem.kind)) {
            return Err(Unavailable::Unknown {
                why: "the group may write a configuration file; some builds of ssh accept that, and ssh was not asked".into(),
            });
        }
        for problem in &reading.problems {
            let Some(path) = problem.position.as_ref().map(|p| p.file.clone()).or_else(|| Some((&problem.text).into())) else {
                continue;
            };
            let subject = Subject::file(&path, None);
            let shown = || Private::path(&path);
            match &problem.kind {
                ProblemKind::PermissionsTooOpen(access) => found.push(
                    Finding::blocking(
                        Code::ConfigPermissionsTooOpen,
                        text!("Others can write the configuration file {}, so ssh refuses to start.", shown()),
                    )
                    .subject(subject)
                    .evidence("mode", Text::mode(access.mode))
                    .evidence("ssh says", Private::quoted(&problem.message))
                    .remedy(Remedy::run(
                        "chmod",
                        "Make it writable by you alone.",
                        vec!["chmod".into(), "go-w".into(), shown().into()],
                        Safety::Safe,
                    )),
                ),
                ProblemKind::WrongOwner(access) => found.push(
                    Finding::blocking(
                        Code::ConfigWrongOwner,
                        text!("The configuration file {} belongs to another user, so ssh refuses to start.", shown()),
                    )
                    .subject(subject)
                    .evidence("owner", owner(facts, access.uid))
                    .evidence("ssh says", Private::quoted(&problem.message))
                    .remedy(chown(facts, &path)),
                ),
                ProblemKind::UnreadableInclude => found.push(
                    Finding::blocking(
                        Code::ConfigUnreadable,
                        text!(
                            "The included configuration file {} cannot be read, so ssh refuses to start.",
                            Private::path(&problem.text)
                        ),
                    )
                    .subject(subject)
                    .evidence("ssh says", Private::quoted(&problem.message))
                    .remedies(advice::make_readable(facts, problem.text.as_ref())),
                ),
                _ => {}
            }
        }
        if let Some(file) = facts.endless_configuration() {
            found.push(
                Finding::blocking(
                    Code::ConfigUnreadable,
                    text!("ssh waits for the end of {}, which is no ordinary file.", Private::path(&file)),
                )
                .subject(Subject::file(&file, None))
                .remedy(Remedy::ask("replace", "Put an ordinary file in its place.")),
            );
        }
        for file in &reading.files {
            if !matches!(file.outcome, FileOutcome::Unreadable(_) | FileOutcome::Folder) || file.role == FileRole::Included {
                continue;
            }
            found.push(
                Finding::warning(
                    Code::ConfigUnreadable,
                    text!("ssh silently ignores {}, because it cannot be read.", Private::path(&file.path)),
                )
                .subject(Subject::file(&file.path, None))
                .remedies(advice::make_readable(facts, &file.path)),
            );
        }
        Ok(found)
    }
}

fn owner(facts: &Facts, uid: u32) -> crate::privacy::Text {
    match facts.account.owners.get(&uid) {
        Some(name) => text!("{} (uid {})", Private::user(name), uid),
        None => text!("uid {}", uid),
    }
}

fn chown(facts: &Facts, path: &std::path::Path) -> Remedy {
    let argv = vec!["sudo".into(), "chown".into(), text!("{}", facts.account.uid), Private::path(path).into()];
    Remedy::run("chown", "Make yourself its owner.", argv, Safety::Confirm)
}
