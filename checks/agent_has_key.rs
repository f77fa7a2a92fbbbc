//! Does the agent answer, and does it hold the key that is needed?

use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::agent::AgentError;
use crate::facts::conversation::LoginProblem;
use crate::facts::keyring::{AgentSocket, Holder};
use crate::facts::keys::Key;
use crate::finding::{Code, Confidence, Finding, Severity, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct AgentHasKey;

/// Servers usually hang up after the sixth refused key (sshd_config(5), MaxAuthTries).
const USUAL_LIMIT: usize = 6;

const META: Meta = Meta {
    id: CheckId::AgentHasKey,
    title: "The agent and what it holds",
    needs: &[Need::Server],
    page: include_str!("agent_has_key.md"),
};

impl Check for AgentHasKey {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let agent = facts.agent()?;
        let Some(holder) = agent else {
            return Err(Unavailable::NotApplicable { why: "IdentityAgent none: ssh uses no agent".into() });
        };
        let needed = facts.key_that_needs_an_agent();
        let mut found = Findings::new(match &holder.keys {
            Ok(keys) if keys.len() == 1 => text!("the agent holds 1 key"),
            Ok(keys) => text!("the agent holds {} keys", keys.len()),
            Err(error) => text!("no agent helps: {}", error.text()),
        });
        match &holder.keys {
            Err(error) => found.push(unreachable(facts, holder, error, needed)),
            Ok(keys) if keys.is_empty() && facts.agent_is_locked() => found.push(locked(facts, holder)),
            Ok(keys) if keys.is_empty() => found.push(empty(needed)),
            Ok(keys) => {
                found.findings.extend(lacks(facts, needed));
                if keys.len() > USUAL_LIMIT && facts.offers_agent_keys_unasked() {
                    found.push(
                        Finding::warning(
                            Code::AgentTooManyKeys,
                            text!(
                                "The agent holds {} keys, more than servers usually let a client try; their order decides whether \
                                 the right one is tried in time.",
                                keys.len()
                            ),
                        )
                        .subject(Subject::new("agent", holder.name_text()))
                        .remedy(Remedy::ask(
                            "name-key",
                            "Name the key for this host with IdentityFile, and add IdentitiesOnly yes.",
                        )),
                    );
                }
            }
        }
        found.findings.extend(refuses(facts, holder));
        Ok(found)
    }
}

/// `Info` while no key needs the agent, an error that stops git when one does.
fn graded(needed: Option<&Key>, code: Code, summary: Text) -> Finding {
    match needed {
        None => Finding::info(code, summary),
        Some(key) => Finding::blocking(code, summary)
            .strikes(Strikes::AtLogin)
            .confidence(Confidence::Likely)
            .evidence("needed for", key.name_text()),
    }
}

fn unreachable(facts: &Facts, holder: &Holder, error: &AgentError, needed: Option<&Key>) -> Finding {
    let start = || {
        Remedy::run(
            "start-agent",
            "Start an agent in this shell, and load the key.",
            vec!["sh".into(), "-c".into(), "eval \"$(ssh-agent -s)\" && ssh-add".into()],
            Safety::Manual,
        )
    };
    let subject = Subject::new("agent", holder.name_text());
    let finding = match (&holder.socket, error) {
        (AgentSocket::Unset, _) => {
            graded(needed, Code::AgentNotRunning, "No agent: SSH_AUTH_SOCK is not set.".into()).remedy(start())
        }
        (_, AgentError::TimedOut) => {
            let hangs = facts.git_hangs();
            let mut finding = Finding::blocking_if(
                hangs,
                Code::AgentUnresponsive,
                text!("The agent at {} accepts the connection and does not answer; ssh waits for it.", holder.name_text()),
            );
            if !hangs {
                finding.severity = Severity::Warning;
            }
            finding.remedy(Remedy::ask("restart-agent", "Restart the agent's program, or run git with SSH_AUTH_SOCK unset."))
        }
        (_, AgentError::Protocol(_) | AgentError::Closed) => Finding::warning(
            Code::AgentProtocolError,
            text!("What answers at {} does not speak the agent protocol.", holder.name_text()),
        )
        .remedy(Remedy::ask(
            "check-socket",
            "See which program listens there, and point SSH_AUTH_SOCK or IdentityAgent at an agent.",
        )),
        _ => graded(needed, Code::AgentUnreachable, text!("No agent can be reached at {}.", holder.name_text())).remedy(start()),
    };
    finding.subject(subject).evidence("error", error.text())
}

fn locked(facts: &Facts, holder: &Holder) -> Finding {
    let blocks = facts.login_fails();
    Finding::blocking_if(blocks, Code::AgentLocked, "The agent is locked (ssh-add -x), and gives no key before it is unlocked.")
        .confidence(if blocks { Confidence::Likely } else { Confidence::Proven })
        .subject(Subject::new("agent", holder.name_text()))
        .remedy(Remedy::run(
            "unlock",
            "Unlock it, with the password it was locked with.",
            vec!["ssh-add".into(), "-X".into()],
            Safety::Manual,
        ))
}

fn empty(needed: Option<&Key>) -> Finding {
    let mut finding = graded(needed, Code::AgentEmpty, "The agent holds no key (a locked agent looks the same).".into());
    if let Some(path) = needed.and_then(|k| k.file.as_ref()).map(|f| &f.path) {
        let argv = vec!["ssh-add".into(), Private::path(path).into()];
        finding = finding.remedy(Remedy::run("ssh-add", "Load the key.", argv, Safety::Manual));
    }
    finding.remedy(Remedy::run(
        "unlock",
        "If you locked the agent, unlock it.",
        vec!["ssh-add".into(), "-X".into()],
        Safety::Manual,
    ))
}

/// A key that nobody can use without the agent, and that it does not hold: what stops git, or, where another key gets in, one
/// that the configuration names all the same.
fn lacks(facts: &Facts, needed: Option<&Key>) -> Option<Finding> {
    let key = needed.or_else(|| facts.named_key_out_of_use())?;
    let finding = match needed {
        Some(_) => Finding::blocking(
            Code::AgentLacksKey,
            text!("The agent holds other keys, but not {}, which needs it.", key.name_text()),
        )
        .confidence(Confidence::Likely),
        None => Finding::warning(
            Code::AgentLacksKey,
            text!("The agent does not hold {}, which the configuration names for this host; another key gets in.", key.name_text()),
        ),
    };
    let mut finding = finding.subject(Subject::new("key", key.name_text()));
    if let Some(file) = &key.file {
        let argv = vec!["ssh-add".into(), Private::path(&file.path).into()];
        finding = finding.remedy(Remedy::run("ssh-add", "Load the key.", argv, Safety::Manual));
    }
    Some(finding)
}

/// The agent lists a key that the server accepts, and does not sign with it.
fn refuses(facts: &Facts, holder: &Holder) -> Option<Finding> {
    let conversation = facts.conversation().ok()?;
    let (login, error) = conversation.logins.iter().find_map(|login| match &login.result {
        Err(LoginProblem::Agent(error)) => Some((login, error)),
        _ => None,
    })?;
    // It signs for ssh, then; a key that is bound to hosts it uses for nobody else.
    if facts.git_works() == Some(true) && !facts.login_is_known_to_succeed() {
        return None;
    }
    let identities = facts.keys().ok()?;
    let key = identities.find(&login.key)?;
    let reload = Remedy::run(
        "reload",
        "If the key may be used for every host without questions: load it again.",
        reload(key),
        Safety::Manual,
    );
    let (summary, first) = if facts.agent_hides_from_ssh(key) {
        (
            text!(
                "The agent holds the key {}, which the server accepts, but not for this host: it is bound to others.",
                key.bare_name()
            ),
            Remedy::ask(
                "bind",
                "Remove the key from the agent (ssh-add -d), and add it again with ssh-add -h, naming this host too.",
            ),
        )
    } else {
        (
            text!("The agent lists the key {}, which the server accepts, but refuses to sign with it.", key.bare_name()),
            Remedy::ask(
                "confirm",
                "Answer the agent's question, touch the token, or unlock the program that keeps the keys; without a display none can ask.",
            ),
        )
    };
    Some(
        Finding::blocking_if(facts.login_fails() && login.as_ssh_would, Code::AgentRefusesSigning, summary)
            .subject(Subject::new("agent", holder.name_text()))
            .evidence("key", key.name_text())
            .evidence("agent says", error.text())
            .remedy(first)
            .remedy(reload),
    )
}

fn reload(key: &Key) -> Vec<Text> {
    match &key.file {
        Some(file) => vec!["ssh-add".into(), Private::path(&file.path).into()],
        None => vec!["ssh-add".into()],
    }
}
