//! As which account do ssh and git act, and where does each look for its files?

use std::path::Path;

use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::keys::Key;
use crate::facts::known_hosts::{Judgement, judge};
use crate::finding::{Code, Finding, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct Account;

const META: Meta =
    Meta { id: CheckId::Account, title: "The account ssh acts as", needs: &[Need::Server], page: include_str!("account.md") };

impl Check for Account {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let account = &facts.account;
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
            found.push(home_mismatch(facts, home, &entry.home));
        }
        let caller = account.sudo_user.as_ref().filter(|caller| **caller != entry.name);
        if let Some(caller) = caller {
            found.push(other_user(facts, &entry.name, caller));
        }
        Ok(found)
    }
}

/// Run through sudo. It stops git when the key that the server accepts is one of the caller's.
fn other_user(facts: &Facts, name: &str, caller: &str) -> Finding {
    let home = facts.account.sudo_home.as_ref();
    let key = facts.missing_key().filter(|key| key.identity.source.path().zip(home).is_some_and(|(p, h)| p.starts_with(h)));
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

fn home_mismatch(facts: &Facts, home: &Path, ssh_home: &Path) -> Finding {
    let needed = needed_in_other_home(facts, home);
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
        let command = ssh_command_for_home(facts, home);
        finding = finding.remedy(Remedy::run(
            "use-other-home",
            "Make git's ssh use the files of the other home.",
            vec!["git".into(), "config".into(), "--global".into(), "core.sshCommand".into(), command],
            Safety::Confirm,
        ));
    }
    finding.remedy(Remedy::ask(
        "move",
        text!("If the files belong in the account's home: move them into {}/.ssh.", Private::path(ssh_home)),
    ))
}

/// What ssh would need and finds only in another home folder, for a sentence.
fn needed_in_other_home(facts: &Facts, home: &Path) -> Option<Text> {
    let folder = home.join(".ssh");
    let below = |key: &&Key| key.file.as_ref().is_some_and(|f| f.path.starts_with(&folder));
    if let Some(key) = facts.keys().ok()?.others().filter(below).find(|key| facts.is_the_missing_key(key)) {
        return Some(text!("The key that the server accepts, {},", key.name_text()));
    }
    let entries = facts.known_hosts().ok()?.other_home.as_ref()?;
    let known = matches!(judge(entries, &facts.peer().ok()?.host_key.blob), Judgement::Trusted(_));
    (known && facts.host_key_stops_ssh()).then(|| "The known_hosts file that knows the server".into())
}

/// A command for git that makes ssh read the files of another home folder.
fn ssh_command_for_home(facts: &Facts, home: &Path) -> Text {
    let folder = home.join(".ssh");
    let is_there = |path: &Path| facts.paths.at(path).access.is_some();
    let mut words = vec!["ssh".to_string()];
    if is_there(&folder.join("config")) {
        words.extend(["-F".into(), folder.join("config").display().to_string()]);
    }
    // Named one by one, for `~` in a configuration file remains the home of the account.
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| folder.join(name));
    let accepted = facts.missing_key().and_then(|key| key.identity.source.path()).map(Path::to_path_buf);
    let accepted = accepted.filter(|path| path.starts_with(&folder) && !usual.contains(path));
    for path in accepted.into_iter().chain(usual).filter(|path| is_there(path)) {
        words.extend(["-i".into(), path.display().to_string()]);
    }
    words.extend(["-o".into(), format!("UserKnownHostsFile=\"{}\"", folder.join("known_hosts").display())]);
    Private::path(shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()).into()
}
