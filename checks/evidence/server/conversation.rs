//! The conversation with the server: connection, handshake, host key, a question for each public key, login, repository.
//!
//! All of it takes place in one connection, because servers penalise many short ones; another is opened only when the
//! server has ended the first, or when a further key must be tried on the repository. Nothing but the handshake is said to
//! a server whose host key is not trusted.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::handshake::{Preferences, reset_before_banner};
use super::route::{self, Proxy, Route};
use super::session::{KeyAnswer, Limits, MethodsAnswer, Session};
use crate::machine::Ledger;
use crate::openssh::agent::Agent;
use crate::openssh::key_file;
use bbdoctor_checks::bitbucket::Services;
use bbdoctor_checks::facts::agent::AgentError;
use bbdoctor_checks::facts::connection::ConnectOutcome;
use bbdoctor_checks::facts::conversation::{Access, Conversation, Login, LoginProblem, Peer, Trust};
use bbdoctor_checks::facts::footprint::StepName;
use bbdoctor_checks::facts::identities::{CanSign, Signer};
use bbdoctor_checks::facts::keyring::Keyring;
use bbdoctor_checks::facts::keys::{Key, Keys};
use bbdoctor_checks::facts::known_hosts::{HostEntries, Judgement, judge};
use bbdoctor_checks::facts::public_key::PublicKey;
use bbdoctor_checks::facts::session::Login as LoginAnswer;
use bbdoctor_checks::facts::settings::Settings;

/// The most connections of one conversation, the ones for other keys included.
const CONNECTIONS: u32 = 4;
/// How long an agent may take to sign, which may mean that a person has to touch something.
const SIGNING: Duration = Duration::from_secs(5);

/// What the conversation is about.
pub(crate) struct Inputs<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) keys: &'a Keys,
    pub(crate) keyring: &'a Keyring,
    /// What known_hosts says of the host, where it is known.
    pub(crate) known_hosts: Option<&'a HostEntries>,
    pub(crate) services: &'a Services,
    /// The types of host key that ssh would ask for, in its order, where they are known.
    pub(crate) host_key_algorithms: Option<Vec<String>>,
    /// The path that git asks for, if a repository was named.
    pub(crate) repository_path: Option<&'a str>,
    /// Whether a push was asked about.
    pub(crate) pushes: bool,
    /// The way to the server.
    pub(crate) route: route::Inputs<'a>,
    /// How long the handshake may take.
    pub(crate) handshake_limit: Duration,
    /// When all has to be over.
    pub(crate) deadline: Instant,
    pub(crate) ledger: &'a Ledger,
}

/// Holds the conversation, within its share of the budget.
pub(crate) fn converse(inputs: &Inputs<'_>) -> Conversation {
    let mut talk = Talk { inputs, connections: 0, proxies: Vec::new(), said: Conversation::default() };
    if let Some(session) = talk.open() {
        let begun = Instant::now();
        talk.keys(session);
        inputs.ledger.record(StepName::Keys, begun.elapsed(), talk.said.logins.iter().any(|l| l.result.is_ok()));
    }
    talk.said
}

/// The connection in which keys are asked about.
struct Asking {
    session: Option<Session>,
    /// How many keys were refused in it.
    refused: u32,
}

struct Talk<'a> {
    inputs: &'a Inputs<'a>,
    connections: u32,
    /// What carries the connections; a proxy that is dropped ends, and its connection with it.
    proxies: Vec<Proxy>,
    said: Conversation,
}

impl Talk<'_> {
    /// Connects and shakes hands. `None`, with the reason in what was said, when that fails or the server is not trusted.
    fn open(&mut self) -> Option<Session> {
        if self.connections >= CONNECTIONS || Instant::now() >= self.inputs.deadline {
            return None;
        }
        self.connections += 1;
        let route = match Route::take(&self.inputs.route, self.inputs.deadline, self.inputs.ledger) {
            Ok(route) => route,
            Err(failure) => {
                if self.said.handshake.is_none() {
                    self.said.route = Some(failure);
                }
                return None;
            }
        };
        let reset = route.attempts.last().is_some_and(|attempt| attempt.outcome == ConnectOutcome::Reset);
        if self.said.attempts.is_empty() {
            self.said.attempts = route.attempts;
        }
        let preferences = Preferences { host_key_algorithms: self.inputs.host_key_algorithms.clone(), ..Preferences::default() };
        let deadline = self.inputs.deadline.min(Instant::now() + self.inputs.handshake_limit);
        let shaken = self.inputs.ledger.step(StepName::Handshake, || match reset {
            true => Err(reset_before_banner()),
            false => Session::handshake(route.stream, deadline, &preferences),
        });
        let mut session = match shaken {
            Ok(session) => session,
            Err(failure) => {
                let proxy = route.proxy.and_then(|p| p.failure(&failure.kind));
                match (proxy, &self.said.handshake) {
                    (Some(failure), None) => self.said.route = Some(failure),
                    (None, None) => self.said.handshake = Some(Err(failure)),
                    (_, Some(_)) => {}
                }
                return None;
            }
        };
        self.proxies.extend(route.proxy);
        let peer = self.meet(&session)?;
        session.set_deadline(self.inputs.deadline);
        let trusted = matches!(peer.trust, Trust::Published | Trust::Configured | Trust::Known);
        if self.said.handshake.is_none() {
            self.said.handshake = Some(Ok(peer));
        }
        trusted.then_some(session)
    }

    fn meet(&self, session: &Session) -> Option<Peer> {
        let greeting = session.established().clone();
        let host_key = PublicKey::from_blob(&greeting.host_key, b"").ok()?;
        let name = self.inputs.settings.hostname().to_string();
        let judgement = self.inputs.known_hosts.map_or(Judgement::Unknown, |known| judge(known, &host_key.blob));
        let service = self.inputs.services.get(&name).filter(|s| !s.host_keys.is_empty());
        let published = service.is_some_and(|s| s.publishes(&STANDARD.encode(host_key.plain_blob())));
        let trust = match (service, &judgement) {
            (Some(s), _) if published && s.configured => Trust::Configured,
            (Some(_), Judgement::Revoked(_)) => Trust::Nobody,
            (Some(_), _) if published => Trust::Published,
            (Some(_), _) => Trust::Contradicts,
            (None, Judgement::Trusted(_)) => Trust::Known,
            (None, _) => Trust::Nobody,
        };
        let published_keys = service.map(|s| s.host_keys.clone()).unwrap_or_default();
        Some(Peer {
            name,
            published_keys,
            identification: greeting.identification.clone(),
            greeting,
            host_key,
            published,
            trust,
            judgement,
        })
    }

    /// Asks about each key in ssh's order, logs in with the first that is accepted and can sign, and asks for the
    /// repository. When none of them gets in, the other keys found here are asked about.
    fn keys(&mut self, session: Session) {
        let (keys, user) = (self.inputs.keys, self.inputs.settings.user().to_string());
        let mut asking = Asking { session: Some(session), refused: 0 };
        match asking.session.as_mut().map(|s| s.methods(&user)) {
            Some(MethodsAnswer::Methods(methods)) => self.said.methods = methods,
            Some(MethodsAnswer::LoggedIn) => self.said.open_door = true,
            Some(MethodsAnswer::Ended(ended)) => self.said.ended = Some(ended),
            None => {}
        }
        let mut got_in = self.said.open_door;
        // There may be more keys than the server lets one ask about: those with a telling name come first.
        let mut others: Vec<&Key> = keys.others().collect();
        others.sort_by_key(|key| !key.identity.name.to_lowercase().contains("bitbucket"));
        for (as_ssh_would, key) in keys.offered().map(|k| (true, k)).chain(others.into_iter().map(|k| (false, k))) {
            if got_in {
                break;
            }
            let Some(blob) = key.public().map(|p| &p.blob) else { continue };
            // ssh shows a key again that another file holds as well, and the server counts the refusals.
            let new = as_ssh_would || self.said.answer(blob).is_none();
            if new && self.ask(&mut asking, &user, blob) == Some(true) {
                got_in = asking.session.as_mut().is_some_and(|session| self.log_in(session, &user, key, as_ssh_would));
            }
        }
        if !got_in {
            // A private key beside another's public half: would the server take it, if ssh showed it?
            for blob in keys.all().filter_map(Key::true_public).map(|p| &p.blob) {
                if self.said.answer(blob).is_none() {
                    self.ask(&mut asking, &user, blob);
                }
            }
        }
        if self.said.access.first().is_some_and(|a| !a.granted()) {
            self.other_keys(&user);
        }
    }

    /// The server's answer to one key. A key whose question it answered by hanging up is asked about again, once, in a new
    /// connection.
    fn ask(&mut self, asking: &mut Asking, user: &str, blob: &[u8]) -> Option<bool> {
        for _ in 0..2 {
            let answer = match asking.session.as_mut()?.query(user, blob) {
                KeyAnswer::Accepted { .. } => true,
                KeyAnswer::Refused => {
                    asking.refused += 1;
                    false
                }
                KeyAnswer::AcceptedWithoutSignature => {
                    self.said.open_door = true;
                    return None;
                }
                KeyAnswer::Unaskable { .. } => return None,
                KeyAnswer::Ended(ended) => {
                    if asking.refused > 0 {
                        // This refusal ended the connection: one more than were borne.
                        self.said.refusals_allowed.get_or_insert(asking.refused + 1);
                    }
                    self.said.ended = Some(ended);
                    asking.refused = 0;
                    asking.session = self.open();
                    continue;
                }
            };
            self.said.answers.push((blob.to_vec(), answer));
            return Some(answer);
        }
        None
    }

    /// Logs in with a key that the server has accepted, and asks for the repository. True when logged in.
    fn log_in(&mut self, session: &mut Session, user: &str, key: &Key, as_ssh_would: bool) -> bool {
        let Some(public) = key.public() else { return false };
        let answer = match (&key.identity.can_sign, key.identity.source.path()) {
            (CanSign::Yes(Signer::Agent), _) => self.sign_with_agent(session, user, &public.blob),
            // libssh2 signs for a certificate only through the agent; ssh can, and git's run shows it.
            (CanSign::Yes(Signer::File), Some(path)) if public.certificate.is_none() => match key_file::private_key_bytes(path) {
                Ok(bytes) => Ok(session.login_with_private_key(user, &bytes)),
                Err(e) => Err(LoginProblem::Unreadable(e.to_string())),
            },
            _ => return false,
        };
        let result = answer.and_then(|login| match login {
            LoginAnswer::Success { .. } => Ok(()),
            LoginAnswer::Agent(error) => Err(LoginProblem::Agent(error)),
            other => Err(LoginProblem::Failed(other)),
        });
        let in_now = result.is_ok();
        self.said.logins.push(Login { key: public.blob.clone(), as_ssh_would, result });
        if in_now && let Some(access) = self.ask_repository(session, public.blob.clone(), as_ssh_would) {
            self.said.access.push(access);
        }
        in_now
    }

    fn sign_with_agent(&self, session: &mut Session, user: &str, blob: &[u8]) -> Result<LoginAnswer, LoginProblem> {
        let path = self.inputs.keyring.holding(blob).ok_or(LoginProblem::Agent(AgentError::NotFound))?;
        let until = self.inputs.deadline.min(Instant::now() + SIGNING);
        let mut agent = Agent::connect(path, until).map_err(LoginProblem::Agent)?;
        Ok(session.login_with_agent(user, &mut agent, blob))
    }

    fn ask_repository(&self, session: &mut Session, key: Vec<u8>, as_ssh_would: bool) -> Option<Access> {
        let path = self.inputs.repository_path?;
        let quoted = format!("'{}'", path.replace('\'', "'\\''").replace('!', "'\\!'"));
        let begun = Instant::now();
        let upload = session.git_service(&format!("git-upload-pack {quoted}"), None, Limits::default());
        let pushes = self.inputs.pushes && upload.advertised;
        let receive = pushes.then(|| session.git_service(&format!("git-receive-pack {quoted}"), None, Limits::default()));
        let access = Access { key, as_ssh_would, upload, receive };
        self.inputs.ledger.record(StepName::Repository, begun.elapsed(), access.granted());
        Some(access)
    }

    /// The key that ssh uses is accepted and may not use the repository: do the others belong to somebody who may?
    fn other_keys(&mut self, user: &str) {
        for key in self.inputs.keys.all() {
            let Some(public) = key.public().filter(|p| !self.said.logins.iter().any(|l| l.key == p.blob)) else { continue };
            if self.said.answer(&public.blob) == Some(false) || !key.signs_by_itself() {
                continue;
            }
            let Some(mut session) = self.open() else { return };
            let accepted = matches!(session.query(user, &public.blob), KeyAnswer::Accepted { .. });
            self.said.answers.push((public.blob.clone(), accepted));
            if accepted && self.log_in(&mut session, user, key, false) && self.said.access.iter().any(Access::granted) {
                return;
            }
        }
    }
}
