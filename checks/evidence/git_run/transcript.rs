//! What ssh at `LogLevel DEBUG1` reports on its way, told apart from what ssh, the server and git say to the user.

use serde::Serialize;

/// The most lines kept of anything.
const LINES: usize = 300;

/// The most characters kept of a line.
const LINE: usize = 1000;

/// An address that ssh tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The host name.
    pub host: String,
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// A key as ssh names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// The file's path, or the comment of an agent's key.
    pub name: String,
    /// `ED25519`, `RSA` and so on; `None` for a file that ssh could not read beforehand.
    pub kind: Option<String>,
    /// `SHA256:…`.
    pub fingerprint: Option<String>,
    /// It was named by configuration or command line.
    pub explicit: bool,
    /// It lies in the agent.
    pub agent: bool,
}

/// How far ssh came: the milestones in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SshTranscript {
    /// ssh reports its progress.
    pub reports: bool,
    /// ssh went through a master connection that was already there.
    pub used_master: bool,
    /// `Connecting to`: the name is resolved.
    pub connecting: Vec<Attempt>,
    /// `Executing proxy command`.
    pub proxy_command: Option<String>,
    /// `Connection established.`
    pub established: bool,
    /// Lines of the server before its version.
    pub pre_banner: Vec<String>,
    /// The server's software version.
    pub remote_software: Option<String>,
    /// `SSH2_MSG_KEXINIT received`.
    pub kexinit_received: bool,
    /// `SSH2_MSG_NEWKEYS received`: the connection is encrypted.
    pub newkeys_received: bool,
    /// The host key's type and fingerprint.
    pub host_key: Option<(String, String)>,
    /// `Host '…' is known and matches`: the name it was found under.
    pub known_as: Option<String>,
    /// Where: file and line.
    pub known_in: Option<String>,
    /// Keys that ssh set out to try.
    pub will_attempt: Vec<KeyLine>,
    /// Keys that it offered.
    pub offered: Vec<KeyLine>,
    /// Keys that the server would accept.
    pub accepted: Vec<KeyLine>,
    /// The methods that the server named last.
    pub methods: Vec<String>,
    /// `Authenticated to`: the method.
    pub authenticated: Option<String>,
    /// The exit status of git's command on the server.
    pub remote_exit: Option<i32>,
    /// What was said between login and the end of the command on the server: the server's words.
    pub after_login: Vec<String>,
    /// The last line of progress.
    pub last: Option<String>,
}

/// git's closing words, which it adds after any failure.
const TAIL: [&str; 4] = [
    "fatal: Could not read from remote repository.",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "fatal: The remote end hung up unexpectedly",
];

/// The progress in `stderr`, and the lines meant for the user.
pub(super) fn read(stderr: &[u8]) -> (SshTranscript, Vec<String>) {
    let text = String::from_utf8_lossy(stderr);
    let mut out = SshTranscript::default();
    let mut said = Vec::new();
    for line in text.split('\n').map(|l| l.trim_end_matches('\r')) {
        let line = line.char_indices().nth(LINE).map_or(line, |(at, _)| &line[..at]);
        if let Some(progress) = ["debug1: ", "debug2: ", "debug3: "].iter().find_map(|level| line.strip_prefix(level)) {
            out.reports = true;
            out.progress(progress);
            out.last = Some(progress.to_string());
        } else if !out.verbose(line) && !line.trim().is_empty() && !TAIL.contains(&line) && said.len() < LINES {
            let over =
                out.remote_exit.is_some() || line.starts_with("fatal: protocol error") || line.starts_with("fatal: the remote end");
            if out.authenticated.is_some() && !over {
                out.after_login.push(line.to_string());
            }
            said.push(line.to_string());
        }
    }
    (out, said)
}

/// The bytes in git's complaint about the first line of the answer.
pub(super) fn protocol_noise(stderr: &[u8]) -> Option<Vec<u8>> {
    let marker = b"protocol error: bad line length character: ";
    let at = stderr.windows(marker.len()).position(|w| w == marker)?;
    Some(stderr[at + marker.len()..].iter().take(4).copied().collect())
}

impl SshTranscript {
    /// Lines that ssh prints only at that level, without saying so in front.
    fn verbose(&mut self, line: &str) -> bool {
        if line.starts_with("OpenSSH_") && self.authenticated.is_none() {
            self.reports = true;
            return true;
        }
        if !self.reports {
            return false;
        }
        if let Some(rest) = line.strip_prefix("Authenticated to ") {
            // A ProxyCommand may be an ssh that reports too: it has logged in to a host on the way.
            if self.proxy_command.is_some() && !rest.contains("(via proxy)") {
                return true;
            }
            // OpenSSH before 8.6 has a debug line of its own, `Authentication succeeded (publickey).`
            let method = rest.rsplit_once("using \"").map(|(_, m)| m.trim_end_matches(['.', '"']).to_string());
            self.authenticated = method.or(self.authenticated.take()).or(Some(String::new()));
            return true;
        }
        line.starts_with("Transferred: sent ") || line.starts_with("Bytes per second: sent ")
    }

    fn progress(&mut self, line: &str) {
        let after = |prefix: &str| line.strip_prefix(prefix);
        if let Some(rest) = after("Connecting to ") {
            push(&mut self.connecting, attempt(rest));
        } else if line == "Connection established." {
            self.established = true;
        } else if let Some(rest) = after("Executing proxy command: ") {
            self.proxy_command = Some(rest.to_string());
        } else if line.starts_with("mux_client_request_session: master session id") {
            self.used_master = true;
        } else if let Some((_, rest)) = line.split_once("banner line ").filter(|(before, _)| before.len() < 60) {
            push(&mut self.pre_banner, rest.split_once(": ").map(|(_, text)| text.to_string()));
        } else if let Some((_, software)) = after("Remote protocol version ").and_then(|r| r.split_once("remote software version "))
        {
            self.remote_software = Some(software.to_string());
        } else if line == "SSH2_MSG_KEXINIT received" {
            self.kexinit_received = true;
        } else if line == "SSH2_MSG_NEWKEYS received" {
            self.newkeys_received = true;
        } else if let Some((kind, fingerprint)) = after("Server host key: ").and_then(|r| r.split_once(' ')) {
            self.host_key = Some((kind.to_string(), fingerprint.to_string()));
        } else if let Some(name) = after("Host '").and_then(|r| r.split_once("' is known and matches")) {
            self.known_as = Some(name.0.to_string());
        } else if let Some(place) = after("Found key in ") {
            self.known_in = Some(place.to_string());
        } else if let Some(key) = after("Will attempt key: ") {
            push(&mut self.will_attempt, Some(key_line(key)));
        } else if let Some(key) = after("Offering public key: ").or(after("Offering RSA public key: ")) {
            push(&mut self.offered, Some(key_line(key)));
        } else if let Some(key) = after("Server accepts key: ") {
            push(&mut self.accepted, Some(key_line(key)));
        } else if let Some(methods) = after("Authentications that can continue: ") {
            self.methods = methods.split(',').take(LINES).map(String::from).collect();
        } else if let Some(method) = after("Authentication succeeded (") {
            self.authenticated = Some(method.trim_end_matches([')', '.']).to_string());
        } else if let Some(status) = after("Exit status ") {
            self.remote_exit = status.trim().parse().ok();
        }
    }
}

fn push<T>(list: &mut Vec<T>, item: Option<T>) {
    if list.len() < LINES {
        list.extend(item);
    }
}

/// `HOST [ADDRESS] port N.`
fn attempt(text: &str) -> Option<Attempt> {
    let (host, rest) = text.split_once(" [")?;
    let (address, port) = rest.split_once("] port ")?;
    Some(Attempt { host: host.to_string(), address: address.to_string(), port: port.trim_end_matches('.').parse().ok()? })
}

/// `NAME TYPE SHA256:… explicit agent`, where the name may hold blanks and all after it may be missing.
fn key_line(text: &str) -> KeyLine {
    let mut key = KeyLine { name: String::new(), kind: None, fingerprint: None, explicit: false, agent: false };
    let mut rest = text.trim_end();
    while let Some((before, word)) = rest.rsplit_once(' ') {
        match word {
            "explicit" => key.explicit = true,
            "agent" => key.agent = true,
            "token" | "authenticator" => {}
            _ if word.starts_with("SHA256:") || word.starts_with("MD5:") => {
                key.fingerprint = Some(word.to_string());
                let (name, kind) = before.trim_end().rsplit_once(' ').unwrap_or(("", before));
                key.kind = Some(kind.to_string());
                key.name = name.to_string();
                return key;
            }
            _ => break,
        }
        rest = before.trim_end();
    }
    key.name = rest.to_string();
    key
}
