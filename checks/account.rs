//! As which account do ssh and git act, and where does each look for its files?

use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::evidence::Evidence;
use crate::finding::{Code, Finding, Strikes, Subject};
use crate::privacy::Private;
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct Account;

const META: Meta = Meta { id: CheckId::Account, title: "The account ssh acts as", page: include_str!("account.md") };

impl Check for Account {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, evidence: &Evidence) -> Result<Findings, Unavailable> {
        let account = evidence.account();
        let Some(entry) = &account.entry else {
            let mut found = Findings::new("ssh does not start without an account");
            found.push(
                Finding::blocking(
                    Code::NoPasswdEntry,
                    text!("The user id {} has no entry in the password database, so ssh refuses to start.", account.uid),
                )
                .subject(Subject::new("account", text!("uid {}", account.uid)))
                .evidence("ssh says", text!("No user exists for uid {}", account.uid))
                .remedy(Remedy::ask(
                    "add-entry",
                    text!("Give uid {} a line in /etc/passwd (in a container: in its image or its entrypoint), or run as a user that has one.", account.uid),
                )),
            );
            return Ok(found);
        };
        let mut found =
            Findings::new(text!("ssh acts as {} and reads {}/.ssh", Private::user(&entry.name), Private::path(&entry.home)));
        if let Some(home) = account.home_variable.as_ref().filter(|home| **home != entry.home) {
            found.push(home_mismatch(evidence, home, &entry.home));
        }
        let caller = account.sudo_user.as_ref().filter(|caller| **caller != entry.name);
        if let Some(caller) = caller {
            found.push(other_user(evidence, &entry.name, caller));
        }
        Ok(found)
    }
}

/// Run through sudo. It stops git when the key that the server accepts is one of the caller's.
fn other_user(evidence: &Evidence, name: &str, caller: &str) -> Finding {
    let home = evidence.account().sudo_home();
    let key = evidence.missing_key().filter(|key| key.identity.source.path().zip(home).is_some_and(|(p, h)| p.starts_with(h)));
    let summary = text!(
        "This runs as {} on behalf of {}: {}'s keys, agent and known_hosts apply",
        Private::user(name),
        Private::user(caller),
        Private::user(name)
    );
    let summary = match key {
        Some(key) => text!("{}, and the server accepts {} alone.", summary, key.name_text()),
        None => text!("{}.", summary),
    };
    Finding::blocking_if(key.is_some(), Code::RunningAsOtherUser, summary)
        .strikes(Strikes::AtLogin)
        .subject(Subject::new("account", Private::user(name)))
        .remedy(Remedy::ask("drop-sudo", "Run git without sudo; if the repository is not yours, change its owner instead."))
}

fn home_mismatch(evidence: &Evidence, home: &std::path::Path, ssh_home: &std::path::Path) -> Finding {
    let needed = evidence.needed_in_other_home(home);
    let mut finding = Finding::blocking_if(
        needed.is_some(),
        Code::HomeMismatch,
        match &needed {
            Some(what) => text!(
                "{} lies in {}/.ssh, where $HOME points, but ssh reads {}/.ssh.",
                what,
                Private::path(home),
                Private::path(ssh_home)
            ),
            None => text!("$HOME is {}, but ssh reads {}/.ssh.", Private::path(home), Private::path(ssh_home)),
        },
    )
    .subject(Subject::new("variable", "HOME"));
    if needed.is_some() {
        let command = evidence.ssh_command_for_home(home);
        finding = finding.remedy(Remedy::run(
            "use-other-home",
            "Make git's ssh use the files of the other home.",
            vec!["git".into(), "config".into(), "--global".into(), "core.sshCommand".into(), command],
            Safety::Confirm,
        ));
    }
    finding.remedy(Remedy::ask("move", text!("Or put the files into {}/.ssh.", Private::path(ssh_home))))
}
