//! The conversation with an SSH server, over libssh2: handshake, host key, what the server thinks of each public key,
//! login, and a command. Nothing here waits past its deadline, whatever the server does, and every failure says at which
//! stage it came and what the server had said until then.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use ssh2::MethodType;

use super::handshake::{Preferences, ended_unasked, failure, prefer, protocol_error, unprepared};
use super::libssh2::{Channel, Link, Reading, StreamEnd};
use super::pkt_line::PacketLines;
use crate::openssh::agent::{Agent, RSA_SHA2_256, RSA_SHA2_512};
use crate::openssh::wire::{TEXT_LIMIT, take_string, text};
use bbdoctor_checks::facts::agent::AgentError;
use bbdoctor_checks::facts::handshake::{Disconnect, Established, HandshakeFailure, Stage};

use bbdoctor_checks::facts::session::Ended;
use bbdoctor_checks::facts::session::ExecOutcome;
use bbdoctor_checks::facts::session::GitService;
use bbdoctor_checks::facts::session::Login;

/// How long a server may take to close a channel whose output has ended.
const CLOSING: Duration = Duration::from_secs(2);

/// The server's answer to the query whether it would accept a public key (RFC 4252 section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAnswer {
    /// It would.
    Accepted {
        /// With this signature algorithm.
        algorithm: String,
    },
    /// It would not. On OpenSSH this counts against `MaxAuthTries`; an accepted query does not.
    Refused,
    /// It let us in on the query alone; the session is logged in.
    AcceptedWithoutSignature,
    /// The question cannot be asked: the user name holds a NUL, or the blob is no key.
    Unaskable {
        /// libssh2's words.
        detail: String,
    },
    /// The connection ended instead; whether the key would be accepted is not known.
    Ended(Ended),
}

/// The server's answer to the request "none" (RFC 4252 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MethodsAnswer {
    /// The methods that can continue.
    Methods(Vec<String>),
    /// "none" was enough; the session is logged in.
    LoggedIn,
    /// The connection ended instead.
    Ended(Ended),
}

/// Bounds of a command's output.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// What is kept of each stream, in bytes.
    pub kept: usize,
    /// What is read of both together before the command is left, in bytes.
    pub read: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { kept: 64 << 10, read: 64 << 20 }
    }
}

/// A session after its handshake. Dropping it says good-bye and never waits.
pub struct Session {
    link: Link,
    established: Established,
    over: Option<Ended>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("established", &self.established).field("over", &self.over).finish_non_exhaustive()
    }
}

impl Session {
    /// Exchanges identifications and keys over `stream` (a `TcpStream` or `UnixStream`) until `deadline`. Gives away
    /// neither a user name nor a key: whether to trust the host key is for the caller to decide before it goes on.
    ///
    /// # Errors
    /// As [`HandshakeFailure`] says.
    pub fn handshake(
        stream: impl Into<OwnedFd>,
        deadline: Instant,
        preferences: &Preferences,
    ) -> Result<Self, Box<HandshakeFailure>> {
        let stream = stream.into();
        // Once our identification lies unread in a closed socket, a close looks like a reset: so listen first.
        if let Some(kind) = ended_unasked(&stream, deadline) {
            let nothing = unprepared(kind);
            return Err(Box::new(HandshakeFailure { stage: Stage::BeforeBanner, ..*nothing }));
        }
        let mut link = Link::open(stream, deadline).map_err(|e| unprepared(protocol_error(e)))?;
        prefer(&link, preferences).map_err(unprepared)?;
        if let Err(error) = link.handshake() {
            return Err(Box::new(failure(&link, error)));
        }
        let heard = link.heard();
        let method = |kind| link.method(kind).unwrap_or_default();
        let established = Established {
            identification: heard.identification.unwrap_or_default(),
            server_kexinit: heard.server.kexinit,
            client_kexinit: heard.client.kexinit,
            kex_algorithm: method(MethodType::Kex),
            host_key_algorithm: method(MethodType::HostKey),
            cipher: method(MethodType::CryptCs),
            host_key: link.host_key().unwrap_or_default(),
        };
        Ok(Session { link, established, over: None })
    }

    /// What the handshake established.
    pub fn established(&self) -> &Established {
        &self.established
    }

    /// Sets the time by which what is asked from now on has to be answered. A question that missed its deadline ends the
    /// session, for its late answer would be taken for that of the next.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.link.set_deadline(deadline);
    }

    /// Whether the server has let us in.
    pub fn authenticated(&self) -> bool {
        self.link.authenticated()
    }

    /// Asks whether the server would accept the key of `blob` for `user`. No private key is touched and nobody is asked.
    pub fn query(&mut self, user: &str, blob: &[u8]) -> KeyAnswer {
        if let Some(over) = &self.over {
            return KeyAnswer::Ended(over.clone());
        }
        let Ok(user) = CString::new(user) else { return KeyAnswer::Unaskable { detail: "NUL in the user name".into() } };
        let (code, algorithm) = self.link.public_key(&user, blob, &mut |_, _| None);
        match (code, algorithm) {
            (_, Some(algorithm)) => KeyAnswer::Accepted { algorithm },
            (0, None) => KeyAnswer::AcceptedWithoutSignature,
            (libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED, None) => KeyAnswer::Refused,
            (code, None) => match self.ended(code) {
                Some(ended) => KeyAnswer::Ended(ended),
                None => KeyAnswer::Unaskable { detail: self.link.words() },
            },
        }
    }

    /// Asks which methods the server offers `user`.
    pub fn methods(&mut self, user: &str) -> MethodsAnswer {
        if let Some(over) = &self.over {
            return MethodsAnswer::Ended(over.clone());
        }
        let answer = CString::new(user).map_err(|_| libssh2_sys::LIBSSH2_ERROR_INVAL).and_then(|user| self.link.methods(&user));
        match answer {
            Ok(list) => {
                let names = list[..list.len().min(TEXT_LIMIT)].split(|&b| b == b',').filter(|n| !n.is_empty());
                MethodsAnswer::Methods(names.map(text).collect())
            }
            Err(_) if self.link.authenticated() => MethodsAnswer::LoggedIn,
            Err(code) => MethodsAnswer::Ended(self.ended(code).unwrap_or_else(|| self.failed(code))),
        }
    }

    /// Logs in with a key the agent holds. The agent may ask its user, within its own deadline.
    pub fn login_with_agent(&mut self, user: &str, agent: &mut Agent, blob: &[u8]) -> Login {
        if let Some(over) = &self.over {
            return Login::Ended(over.clone());
        }
        let Ok(user) = CString::new(user) else { return unusable_user() };
        let mut refusal = None;
        let (code, algorithm) = self.link.public_key(&user, blob, &mut |algorithm, data| {
            signed_by_agent(agent, blob, algorithm, data).map_err(|reason| refusal = Some(reason)).ok()
        });
        match refusal {
            Some(refusal) => refusal,
            None => self.login(code, algorithm),
        }
    }

    /// Logs in with a private key that has no passphrase, in any format libssh2 reads.
    pub fn login_with_private_key(&mut self, user: &str, key: &[u8]) -> Login {
        if let Some(over) = &self.over {
            return Login::Ended(over.clone());
        }
        let Ok(user) = CString::new(user) else { return unusable_user() };
        let code = self.link.private_key(&user, key);
        self.login(code, None)
    }

    fn login(&mut self, code: i32, algorithm: Option<String>) -> Login {
        match code {
            0 => Login::Success { algorithm },
            libssh2_sys::LIBSSH2_ERROR_AUTHENTICATION_FAILED => Login::KeyRefused,
            code => match self.ended(code) {
                Some(ended) => Login::Ended(ended),
                None if code == libssh2_sys::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED => Login::SignatureRefused,
                None => Login::KeyUnusable { code, detail: self.link.words() },
            },
        }
    }

    /// Runs a service of git as a client does that has nothing to ask: reads the advertisement to its flush packet,
    /// answers with a flush packet and reads to the end. The service then ends without complaint.
    pub fn git_service(&mut self, command: &str, git_protocol: Option<&str>, limits: Limits) -> GitService {
        let mut packets = PacketLines::default();
        let command = self.run(command, git_protocol, limits, &mut packets);
        GitService { command, advertised: packets == PacketLines::Flush }
    }

    fn run(&mut self, command: &str, git_protocol: Option<&str>, limits: Limits, packets: &mut PacketLines) -> ExecOutcome {
        let mut outcome = ExecOutcome { ended: self.over.clone(), ..ExecOutcome::default() };
        let Ok(command) = CString::new(command) else { return ExecOutcome { refused: true, ..outcome } };
        if outcome.ended.is_some() {
            return outcome;
        }
        let code = match self.link.channel() {
            Err(code) => {
                outcome.refused = self.link.end().is_none();
                code
            }
            Ok(mut channel) => {
                if let Some(version) = git_protocol {
                    channel.set_environment("GIT_PROTOCOL", version);
                }
                match channel.exec(&command) {
                    0 => converse(&mut channel, limits, packets, &mut outcome),
                    code => {
                        outcome.refused = self.link.end().is_none() && self.link.disconnect().is_none();
                        code
                    }
                }
            }
        };
        if code != 0 {
            outcome.ended = self.ended(code);
            outcome.timed_out = outcome.ended == Some(Ended::TimedOut);
        }
        outcome
    }

    /// How the connection ended, if it did; from then on the session is over.
    fn ended(&mut self, code: i32) -> Option<Ended> {
        let ended = match (self.link.disconnect(), self.link.end()) {
            (Some((reason, text)), _) => Ended::Disconnected(Disconnect { reason, text }),
            (None, Some(StreamEnd::Closed)) => Ended::Closed,
            (None, Some(StreamEnd::Reset)) => Ended::Reset,
            (None, Some(StreamEnd::TimedOut)) => Ended::TimedOut,
            (None, Some(StreamEnd::Error(detail))) => Ended::Failed { code, detail },
            (None, None) => return None,
        };
        self.over = Some(ended.clone());
        Some(ended)
    }

    fn failed(&self, code: i32) -> Ended {
        Ended::Failed { code, detail: self.link.words() }
    }
}

fn unusable_user() -> Login {
    Login::KeyUnusable { code: libssh2_sys::LIBSSH2_ERROR_INVAL, detail: "NUL in the user name".into() }
}

/// Has the agent sign; gives what libssh2 puts on the wire, or how the login fails.
fn signed_by_agent(agent: &mut Agent, blob: &[u8], algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Login> {
    let flags = match algorithm {
        name if name.starts_with("rsa-sha2-512") => RSA_SHA2_512,
        name if name.starts_with("rsa-sha2-256") => RSA_SHA2_256,
        _ => 0,
    };
    let malformed = || Login::Agent(AgentError::Protocol("malformed signature".into()));
    let signature = agent.sign(blob, data, flags).map_err(Login::Agent)?;
    let (made_with, rest) = take_string(&signature).ok_or_else(malformed)?;
    // A certificate's signature is named after the plain algorithm.
    let wanted = algorithm.replace("-cert-v01@openssh.com", if algorithm.starts_with("sk-") { "@openssh.com" } else { "" });
    if made_with != wanted.as_bytes() {
        return Err(Login::SignatureType { wanted, got: text(made_with) });
    }
    if wanted.starts_with("sk-") {
        return Ok(rest.to_vec());
    }
    take_string(rest).map(|(bare, _)| bare.to_vec()).ok_or_else(malformed)
}

/// Reads a started command to its end; libssh2's number.
fn converse(channel: &mut Channel<'_>, limits: Limits, packets: &mut PacketLines, outcome: &mut ExecOutcome) -> i32 {
    let mut buffer = vec![0; 32 << 10];
    let mut total = 0;
    let mut input_open = true;
    loop {
        let mut idle = true;
        let mut at_end = true;
        for stderr in [false, true] {
            match channel.read(stderr, &mut buffer) {
                Reading::Bytes(count) => {
                    (idle, at_end) = (false, false);
                    total += count as u64;
                    let kept = if stderr { &mut outcome.stderr } else { &mut outcome.stdout };
                    let room = limits.kept.saturating_sub(kept.len()).min(count);
                    kept.extend_from_slice(&buffer[..room]);
                    outcome.truncated |= room < count;
                    if !stderr {
                        packets.feed(&buffer[..count]);
                    }
                }
                Reading::Nothing => at_end = false,
                Reading::End => {}
                Reading::Error(code) => return code,
            }
        }
        if input_open {
            let answer: Option<&[u8]> = match packets {
                PacketLines::Flush => Some(b"0000"),
                PacketLines::Broken => Some(b""),
                PacketLines::Length(_) | PacketLines::Content(_) => None,
            };
            if let Some(answer) = answer {
                input_open = false;
                // A service that is already gone is no error: what it has said is still to be read.
                channel.finish_input(answer);
            }
        }
        if total > limits.read {
            outcome.truncated = true;
            return 0;
        }
        if at_end {
            break;
        }
        if idle && !channel.wait() {
            return libssh2_sys::LIBSSH2_ERROR_TIMEOUT;
        }
    }
    let code = channel.wait_closed(CLOSING);
    outcome.exit_status = channel.exit_status();
    outcome.signal = channel.exit_signal();
    if outcome.exit_status.is_some() || outcome.signal.is_some() { 0 } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openssh::wire::put_string;
    use std::io::{Read, Write};

    /// What an agent's signature (algorithm, then `rest`) becomes when `algorithm` was asked for, and the flags it saw.
    fn signed(algorithm: &str, answered: &str, rest: &[u8]) -> (Result<Vec<u8>, Login>, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let mut signature = Vec::new();
        put_string(&mut signature, answered.as_bytes());
        signature.extend_from_slice(rest);
        let mut payload = vec![14];
        put_string(&mut payload, &signature);
        let mut message = Vec::new();
        put_string(&mut message, &payload);
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 64];
            let count = stream.read(&mut request).unwrap();
            stream.write_all(&message).unwrap();
            u32::from_be_bytes(request[count - 4..count].try_into().unwrap())
        });
        let mut agent = Agent::connect(&path, Instant::now() + Duration::from_secs(5)).unwrap();
        let made = signed_by_agent(&mut agent, b"key", algorithm, b"data");
        (made, server.join().unwrap())
    }

    #[test]
    fn an_agents_signature_is_checked_and_put_into_the_form_of_its_key() {
        let bare = b"\0\0\0\x03sig";
        assert_eq!(signed("rsa-sha2-512", "rsa-sha2-512", bare), (Ok(b"sig".to_vec()), RSA_SHA2_512));
        let certificate = "rsa-sha2-256-cert-v01@openssh.com";
        assert_eq!(signed(certificate, "rsa-sha2-256", bare), (Ok(b"sig".to_vec()), RSA_SHA2_256));
        let security_key = b"\0\0\0\x03sig\x01\0\0\0\x07";
        for name in ["sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"] {
            assert_eq!(signed(name, "sk-ssh-ed25519@openssh.com", security_key), (Ok(security_key.to_vec()), 0));
        }
        let other = Login::SignatureType { wanted: "rsa-sha2-512".into(), got: "ssh-rsa".into() };
        assert_eq!(signed("rsa-sha2-512", "ssh-rsa", bare).0, Err(other));
        let malformed = Login::Agent(AgentError::Protocol("malformed signature".into()));
        assert_eq!(signed("ssh-ed25519", "ssh-ed25519", b"\0\0").0, Err(malformed));
    }
}
