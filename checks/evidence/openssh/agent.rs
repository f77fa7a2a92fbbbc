//! A client of ssh-agent (draft-ietf-sshm-ssh-agent) that never waits past its deadline and takes every key type as
//! bytes. libssh2's own hangs on a silent agent and cannot use security keys or RSA certificates.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::wire::{put_string, take_string, text};
use crate::machine::platform;

use bbdoctor_checks::facts::agent::AgentError;
use bbdoctor_checks::facts::agent::AgentKey;

/// The largest answer OpenSSH takes from an agent (`MAX_AGENT_REPLY_LEN`), in bytes.
const REPLY_LIMIT: usize = 256 * 1024;
/// The most identities OpenSSH takes from an agent (`MAX_AGENT_IDENTITIES`).
const IDENTITIES_LIMIT: u32 = 2048;

const SSH_AGENT_FAILURE: u8 = 5;
const SSH_AGENT_SUCCESS: u8 = 6;
const SSH_AGENTC_REMOVE_ALL_RSA_IDENTITIES: u8 = 9;
const SSH_AGENTC_REQUEST_IDENTITIES: u8 = 11;
const SSH_AGENT_IDENTITIES_ANSWER: u8 = 12;
const SSH_AGENTC_SIGN_REQUEST: u8 = 13;
const SSH_AGENT_SIGN_RESPONSE: u8 = 14;
const SSH2_AGENT_FAILURE: u8 = 30;
const SSH_COM_AGENT2_FAILURE: u8 = 102;

/// Asks for an RSA signature with SHA-256 (`SSH_AGENT_RSA_SHA2_256`).
pub const RSA_SHA2_256: u32 = 2;
/// Asks for an RSA signature with SHA-512 (`SSH_AGENT_RSA_SHA2_512`).
pub const RSA_SHA2_512: u32 = 4;

/// A connection to an agent.
#[derive(Debug)]
pub struct Agent {
    stream: UnixStream,
    deadline: Instant,
}

impl Agent {
    /// Connects to the socket at `path`; everything asked later has to be answered by `deadline` too.
    ///
    /// # Errors
    /// As [`AgentError`] says.
    pub fn connect(path: &Path, deadline: Instant) -> Result<Self, AgentError> {
        // A plain file and a socket without a listener both refuse a connection.
        if !std::fs::metadata(path)?.file_type().is_socket() {
            return Err(AgentError::NotASocket);
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // Connecting waits while the agent's queue is full; in non-blocking mode it fails with EAGAIN instead.
        socket.set_nonblocking(true)?;
        let address = SockAddr::unix(path)?;
        loop {
            match socket.connect(&address) {
                Ok(()) => break,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(e) => return Err(e.into()),
            }
        }
        socket.set_nonblocking(false)?;
        Ok(Agent { stream: UnixStream::from(OwnedFd::from(socket)), deadline })
    }

    /// Sets the time by which what is asked from now on has to be answered.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Whether this is OpenSSH's agent and it is locked (`ssh-add -x`), when it has listed no identities.
    ///
    /// A locked agent lists none and says no to everything else. What it is asked here it says yes to otherwise, and it does
    /// nothing: to drop the keys of SSH version 1, of which OpenSSH's agent has held none since 7.6. Other agents are not
    /// asked, for their no would tell nothing.
    ///
    /// # Errors
    /// As [`AgentError`] says.
    pub fn is_locked(&mut self) -> Result<bool, AgentError> {
        if platform::listener(&self.stream).as_deref() != Some("ssh-agent") {
            return Ok(false);
        }
        match self.call(&[SSH_AGENTC_REMOVE_ALL_RSA_IDENTITIES], SSH_AGENT_SUCCESS) {
            Ok(_) => Ok(false),
            Err(AgentError::Failure) => Ok(true),
            Err(other) => Err(other),
        }
    }

    /// The identities, in the agent's order, which is the order in which ssh tries them. A locked agent of OpenSSH
    /// answers with none.
    ///
    /// # Errors
    /// As [`AgentError`] says.
    pub fn list(&mut self) -> Result<Vec<AgentKey>, AgentError> {
        let answer = self.call(&[SSH_AGENTC_REQUEST_IDENTITIES], SSH_AGENT_IDENTITIES_ANSWER)?;
        let (count, mut rest) = answer.split_first_chunk::<4>().ok_or(AgentError::Protocol("no number of identities".into()))?;
        let count = u32::from_be_bytes(*count);
        if count > IDENTITIES_LIMIT {
            return Err(AgentError::Protocol("more identities than ssh takes".into()));
        }
        let mut identities = Vec::new();
        for _ in 0..count {
            let cut_short = AgentError::Protocol("identities cut short".into());
            let (blob, after) = take_string(rest).ok_or(cut_short.clone())?;
            let (comment, after) = take_string(after).ok_or(cut_short)?;
            identities.push(AgentKey { blob: blob.to_vec(), comment: text(comment) });
            rest = after;
        }
        Ok(identities)
    }

    /// Has `data` signed with the key of `blob`; `flags` is 0, [`RSA_SHA2_256`] or [`RSA_SHA2_512`]. Returns the
    /// signature in wire form (RFC 4253 section 6.6: algorithm, signature; security keys append flags and a counter).
    /// The agent may ask its user to confirm or to touch the key; this waits for that until the deadline.
    ///
    /// # Errors
    /// As [`AgentError`] says.
    pub fn sign(&mut self, blob: &[u8], data: &[u8], flags: u32) -> Result<Vec<u8>, AgentError> {
        let mut request = vec![SSH_AGENTC_SIGN_REQUEST];
        put_string(&mut request, blob);
        put_string(&mut request, data);
        request.extend_from_slice(&flags.to_be_bytes());
        let answer = self.call(&request, SSH_AGENT_SIGN_RESPONSE)?;
        take_string(&answer).map(|(signature, _)| signature.to_vec()).ok_or(AgentError::Protocol("signature cut short".into()))
    }

    /// Sends a request; returns what follows the number of the expected answer.
    fn call(&mut self, request: &[u8], expected: u8) -> Result<Vec<u8>, AgentError> {
        let mut message = Vec::with_capacity(request.len() + 4);
        put_string(&mut message, request);
        let mut unsent = &message[..];
        while !unsent.is_empty() {
            self.stream.set_write_timeout(Some(self.left()?))?;
            match self.stream.write(unsent) {
                Ok(sent) => unsent = &unsent[sent..],
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 || length > REPLY_LIMIT {
            return Err(AgentError::Protocol("impossible length".into()));
        }
        let mut answer = vec![0; length];
        self.fill(&mut answer)?;
        match answer.remove(0) {
            number if number == expected => Ok(answer),
            SSH_AGENT_FAILURE | SSH2_AGENT_FAILURE | SSH_COM_AGENT2_FAILURE => Err(AgentError::Failure),
            _ => Err(AgentError::Protocol("unexpected answer".into())),
        }
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), AgentError> {
        while !buffer.is_empty() {
            self.stream.set_read_timeout(Some(self.left()?))?;
            match self.stream.read(buffer) {
                Ok(0) => return Err(AgentError::Closed),
                Ok(n) => buffer = &mut buffer[n..],
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// The time that is left; never zero, which a socket takes for "for ever".
    fn left(&self) -> Result<Duration, AgentError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(AgentError::TimedOut) } else { Ok(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::thread;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn failure(path: &Path) -> AgentError {
        Agent::connect(path, soon()).map(|_| ()).unwrap_err()
    }

    /// An agent that reads one request and answers with `bytes`, then stays silent while `stays` says so.
    fn scripted(bytes: Vec<u8>, stays: bool) -> (tempfile::TempDir, Agent) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent");
        let listener = UnixListener::bind(&path).expect("a socket");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&bytes);
            while stays && matches!(stream.read(&mut request), Ok(1..)) {}
        });
        let agent = Agent::connect(&path, Instant::now() + Duration::from_millis(400)).expect("an agent");
        (folder, agent)
    }

    fn answer(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_string(&mut out, payload);
        out
    }

    #[test]
    fn says_why_it_cannot_connect() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(failure(&folder.path().join("absent")), AgentError::NotFound);
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        assert_eq!(failure(&file), AgentError::NotASocket);
        assert_eq!(failure(&file.join("below")), AgentError::NotFound);
        let stale = folder.path().join("stale");
        drop(UnixListener::bind(&stale).expect("a socket"));
        assert_eq!(failure(&stale), AgentError::Refused);
        let long = folder.path().join("d".repeat(200));
        std::fs::create_dir(&long).expect("a folder");
        assert_eq!(failure(&long), AgentError::NotASocket);
        if !nix::unistd::getuid().is_root() {
            let private = folder.path().join("private");
            let _listener = UnixListener::bind(&private).expect("a socket");
            std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o000)).expect("a mode");
            assert_eq!(failure(&private), AgentError::PermissionDenied);
        }
    }

    #[test]
    fn a_silent_agent_costs_the_deadline_and_no_more() {
        let _watchdog = bbdoctor_test_support::watchdog();
        let (_folder, mut agent) = scripted(Vec::new(), true);
        assert_eq!(agent.list(), Err(AgentError::TimedOut));
        let (_folder, mut agent) = scripted(vec![0, 0, 0, 9, 12], true);
        assert_eq!(agent.list(), Err(AgentError::TimedOut));
    }

    #[test]
    fn a_full_queue_is_a_time_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent");
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
        socket.bind(&SockAddr::unix(&path).expect("an address")).expect("bound");
        socket.listen(0).expect("listening");
        let until = Instant::now() + Duration::from_millis(300);
        let mut held = Vec::new();
        let ended = loop {
            match Agent::connect(&path, until) {
                Ok(agent) => held.push(agent),
                Err(error) => break error,
            }
        };
        assert_eq!(ended, AgentError::TimedOut);
    }

    #[test]
    fn nonsense_is_named() {
        for (bytes, expected) in [
            (vec![], AgentError::Closed),
            (vec![0, 0, 0, 9, 12], AgentError::Closed),
            (vec![0xff; 64], AgentError::Protocol("impossible length".into())),
            (vec![0; 4], AgentError::Protocol("impossible length".into())),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), AgentError::Protocol("impossible length".into())),
            (answer(&[6]), AgentError::Protocol("unexpected answer".into())),
            (answer(&[12, 0]), AgentError::Protocol("no number of identities".into())),
            (answer(&[12, 0, 0, 0, 1, 0, 0, 0, 9]), AgentError::Protocol("identities cut short".into())),
            (answer(&[12, 0xff, 0xff, 0xff, 0xff]), AgentError::Protocol("more identities than ssh takes".into())),
            (answer(&[5]), AgentError::Failure),
            (answer(&[102]), AgentError::Failure),
        ] {
            let (_folder, mut agent) = scripted(bytes.clone(), false);
            assert_eq!(agent.list(), Err(expected), "{bytes:?}");
        }
    }

    #[test]
    fn unknown_key_types_and_odd_comments_survive() {
        let mut payload = vec![12, 0, 0, 0, 2];
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-tomorrow@example.com");
        put_string(&mut payload, &blob);
        put_string(&mut payload, b"caf\xe9");
        put_string(&mut payload, b"\0");
        put_string(&mut payload, b"");
        let (_folder, mut agent) = scripted(answer(&payload), false);
        let identities = agent.list().expect("a list");
        let held: Vec<_> = identities.iter().map(|i| (i.blob.as_slice(), i.comment.as_str())).collect();
        assert_eq!(held, [(blob.as_slice(), "caf\u{fffd}"), (&b"\0"[..], "")]);
    }
}
