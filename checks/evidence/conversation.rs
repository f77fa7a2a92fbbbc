//! The conversation with the server: connection, handshake, host key, a question for each public key, login, repository.
//!
//! All of it takes place in one connection, because servers penalise many short ones; another is opened only when the
//! server has ended the first, or when a further key must be tried on the repository. Nothing but the handshake is said to
//! a server whose host key is not trusted.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Evidence;
use super::agent::{Agent, AgentError};
use super::handshake::{Established, HandshakeFailure, Preferences, reset_before_banner};
use super::identities::{CanSign, Signer};
use super::key_file;
use super::keys::Key;
use super::known_hosts::{Judgement, judge};
use super::road::{Proxy, Road, RoadFailure};
use super::session::{self, Ended, GitService, KeyAnswer, Limits, MethodsAnswer, Session};
use super::transport::{Attempt, ConnectOutcome};
use crate::facts::public_key::PublicKey;

/// The most connections of one conversation, the ones for other keys included.
const CONNECTIONS: u32 = 4;
/// How long an agent may take to sign, which may mean that a person has to touch something.
const SIGNING: Duration = Duration::from_secs(5);

/// How far the server may be trusted, by its host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Atlassian publishes the key.
    Published,
    /// `config.toml` names the key.
    Configured,
    /// known_hosts holds the key, and nobody publishes one.
    Known,
    /// Keys are published for this host, and this is none of them.
    Contradicts,
    /// Nobody vouches for it.
    Nobody,
}

/// The server, as it introduced itself.
#[derive(Debug)]
pub struct Peer {
    /// The name ssh connects to.
    pub name: String,
    /// What it and we agreed on, and what it offered.
    pub greeting: Established,
    /// Its identification string (RFC 4253 section 4.2).
    pub identification: String,
    /// Its host key.
    pub host_key: PublicKey,
    /// The key is one that is published or configured for this host.
    pub published: bool,
    /// The keys that are published or configured for this host, as (type, base64).
    pub published_keys: Vec<(String, String)>,
    /// Whether it was told anything.
    pub trust: Trust,
    /// What ssh makes of the key by known_hosts.
    pub judgement: Judgement,
}

/// What became of a login.
#[derive(Debug)]
pub struct Login {
    /// The key, as in [`PublicKey::blob`].
    pub key: Vec<u8>,
    /// ssh would use this key.
    pub as_ssh_would: bool,
    /// How it ended.
    pub result: Result<(), LoginProblem>,
}

/// Why a key that the server accepts did not log in.
#[derive(Debug)]
pub enum LoginProblem {
    /// The agent did not sign.
    Agent(AgentError),
    /// The private key could not be read again.
    Unreadable(String),
    /// libssh2 or the server did not go along.
    Failed(session::Login),
}

/// What the repository's service said to a key.
#[derive(Debug)]
pub struct Access {
    /// The key.
    pub key: Vec<u8>,
    /// ssh would use this key.
    pub as_ssh_would: bool,
    /// The answer to `git-upload-pack`.
    pub upload: GitService,
    /// The answer to `git-receive-pack`, if a push was asked about.
    pub receive: Option<GitService>,
}

impl Access {
    /// The service let the command that matters start.
    pub fn granted(&self) -> bool {
        self.upload.advertised && self.receive.as_ref().is_none_or(|r| r.advertised)
    }

    /// The answer in which something was refused.
    pub fn refusal(&self) -> Option<&GitService> {
        if !self.upload.advertised { Some(&self.upload) } else { self.receive.as_ref().filter(|r| !r.advertised) }
    }
}

/// Everything that was said.
#[derive(Debug, Default)]
pub struct Conversation {
    /// What the handshake gave; `None` when there was no connection.
    pub handshake: Option<Result<Peer, Box<HandshakeFailure>>>,
    /// The addresses that were tried for the first connection.
    pub attempts: Vec<Attempt>,
    /// Why there was no connection.
    pub road: Option<RoadFailure>,
    /// The server's answer to each key that was asked about, by blob.
    pub answers: Vec<(Vec<u8>, bool)>,
    /// After so many refusals the server hung up.
    pub refusals_allowed: Option<u32>,
    /// Authentication methods the server offered, where it said so.
    pub methods: Vec<String>,
    /// The server let us in without a key.
    pub open_door: bool,
    /// Logins that were tried.
    pub logins: Vec<Login>,
    /// What the repository's service said, the key that ssh would use first.
    pub access: Vec<Access>,
    /// How the conversation ended before everything was asked.
    pub ended: Option<Ended>,
}

impl Conversation {
    /// What the server said to this key.
    pub fn answer(&self, blob: &[u8]) -> Option<bool> {
        self.answers.iter().find(|(key, _)| key == blob).map(|(_, accepted)| *accepted)
    }

    /// The server, if it is known.
    pub fn peer(&self) -> Option<&Peer> {
        self.handshake.as_ref().and_then(|h| h.as_ref().ok())
    }
}

/// Holds the conversation, within its share of the budget.
pub fn converse(evidence: &Evidence) -> Conversation {
    let deadline = evidence.conversation_deadline();
    let mut talk = Talk { evidence, deadline, connections: 0, proxies: Vec::new(), said: Conversation::default() };
    if let Some(session) = talk.open() {
        let begun = Instant::now();
        talk.keys(session);
        evidence.ledger.record("keys", begun.elapsed(), talk.said.logins.iter().any(|l| l.result.is_ok()));
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
    evidence: &'a Evidence,
    deadline: Instant,
    connections: u32,
    /// What carries the connections; a proxy that is dropped ends, and its connection with it.
    proxies: Vec<Proxy>,
    said: Conversation,
}

impl Talk<'_> {
    /// Connects and shakes hands. `None`, with the reason in what was said, when that fails or the server is not trusted.
    fn open(&mut self) -> Option<Session> {
        if self.connections >= CONNECTIONS || Instant::now() >= self.deadline {
            return None;
        }
        self.connections += 1;
        let road = match Road::take(self.evidence, self.deadline) {
            Ok(road) => road,
            Err(failure) => {
                if self.said.handshake.is_none() {
                    self.said.road = Some(failure);
                }
                return None;
            }
        };
        let reset = road.attempts.last().is_some_and(|attempt| attempt.outcome == ConnectOutcome::Reset);
        if self.said.attempts.is_empty() {
            self.said.attempts = road.attempts;
        }
        let preferences = Preferences { host_key_algorithms: self.evidence.host_key_preferences(), ..Preferences::default() };
        let deadline = self.deadline.min(Instant::now() + self.evidence.handshake_limit());
        let shaken = self.evidence.ledger.step("handshake", || match reset {
            true => Err(reset_before_banner()),
            false => Session::handshake(road.stream, deadline, &preferences),
        });
        let mut session = match shaken {
            Ok(session) => session,
            Err(failure) => {
                let proxy = road.proxy.and_then(|p| p.failure(&failure.kind));
                match (proxy, &self.said.handshake) {
                    (Some(failure), None) => self.said.road = Some(failure),
                    (None, None) => self.said.handshake = Some(Err(failure)),
                    (_, Some(_)) => {}
                }
                return None;
            }
        };
        self.proxies.extend(road.proxy);
        let peer = self.meet(&session)?;
        session.set_deadline(self.deadline);
        let trusted = matches!(peer.trust, Trust::Published | Trust::Configured | Trust::Known);
        if self.said.handshake.is_none() {
            self.said.handshake = Some(Ok(peer));
        }
        trusted.then_some(session)
    }

    fn meet(&self, session: &Session) -> Option<Peer> {
        let greeting = session.established().clone();
        let host_key = PublicKey::from_blob(&greeting.host_key, b"").ok()?;
        let name = self.evidence.hostname().unwrap_or_default();
        let judgement = match self.evidence.known_hosts() {
            Ok(known) => judge(&known.entries, &host_key.blob),
            Err(_) => Judgement::Unknown,
        };
        let service = self.evidence.services().get(&name).filter(|s| !s.host_keys.is_empty());
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
        let Ok(keys) = self.evidence.identities() else { return };
        let user = self.evidence.user();
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
            session::Login::Success { .. } => Ok(()),
            session::Login::Agent(error) => Err(LoginProblem::Agent(error)),
            other => Err(LoginProblem::Failed(other)),
        });
        let in_now = result.is_ok();
        self.said.logins.push(Login { key: public.blob.clone(), as_ssh_would, result });
        if in_now && let Some(access) = self.ask_repository(session, public.blob.clone(), as_ssh_would) {
            self.said.access.push(access);
        }
        in_now
    }

    fn sign_with_agent(&self, session: &mut Session, user: &str, blob: &[u8]) -> Result<session::Login, LoginProblem> {
        let path = self.evidence.agent_holding(blob).ok_or(LoginProblem::Agent(AgentError::NotFound))?;
        let until = self.deadline.min(Instant::now() + SIGNING);
        let mut agent = Agent::connect(&path, until).map_err(LoginProblem::Agent)?;
        Ok(session.login_with_agent(user, &mut agent, blob))
    }

    fn ask_repository(&self, session: &mut Session, key: Vec<u8>, as_ssh_would: bool) -> Option<Access> {
        let path = self.evidence.repository_path()?;
        let quoted = format!("'{}'", path.replace('\'', "'\\''").replace('!', "'\\!'"));
        let begun = Instant::now();
        let upload = session.git_service(&format!("git-upload-pack {quoted}"), None, Limits::default());
        let pushes = self.evidence.pushes() && upload.advertised;
        let receive = pushes.then(|| session.git_service(&format!("git-receive-pack {quoted}"), None, Limits::default()));
        let access = Access { key, as_ssh_would, upload, receive };
        self.evidence.ledger.record("repository", begun.elapsed(), access.granted());
        Some(access)
    }

    /// The key that ssh uses is accepted and may not use the repository: do the others belong to somebody who may?
    fn other_keys(&mut self, user: &str) {
        let Ok(keys) = self.evidence.identities() else { return };
        for key in keys.all() {
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

/// How a session ended, for a sentence.
pub fn words_of(ended: &Ended) -> String {
    match ended {
        Ended::Disconnected(last) => last.text.clone(),
        Ended::Closed => "it closed the connection".into(),
        Ended::Reset => "it reset the connection".into(),
        Ended::TimedOut => "it gave no answer in time".into(),
        Ended::Failed { detail, .. } => detail.clone(),
    }
}

/// What a git service said about its refusal: its error output, or the `ERR` line that git servers send in its place
/// (gitprotocol-pack(5)).
pub fn refusal_words(answer: &GitService) -> String {
    let told = String::from_utf8_lossy(&answer.command.stderr).trim().to_string();
    let out = String::from_utf8_lossy(&answer.command.stdout);
    let line = out.get(4..).and_then(|rest| rest.strip_prefix("ERR ")).map(|rest| rest.trim().to_string());
    match line {
        Some(line) if told.is_empty() => line,
        Some(line) => format!("{told}\n{line}"),
        None => told,
    }
}
