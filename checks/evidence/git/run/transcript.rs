//! What ssh at `LogLevel DEBUG1` reports on its way, told apart from what ssh, the server and git say to the user.

use bbdoctor_checks::facts::git_run::{Attempt, KeyLine, SshTranscript};

/// The most lines kept of anything.
const LINES: usize = 300;

/// The most characters kept of a line.
const LINE: usize = 1000;

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
    let mut reader = TranscriptReader::default();
    let mut said = Vec::new();
    for line in text.split('\n').map(|l| l.trim_end_matches('\r')) {
        let line = line.char_indices().nth(LINE).map_or(line, |(at, _)| &line[..at]);
        if let Some(progress) = ["debug1: ", "debug2: ", "debug3: "].iter().find_map(|level| line.strip_prefix(level)) {
            reader.reports = true;
            reader.progress(progress);
            reader.out.last = Some(progress.to_string());
        } else if !reader.verbose(line) && !line.trim().is_empty() && !TAIL.contains(&line) && said.len() < LINES {
            let over = reader.out.remote_exit.is_some()
                || line.starts_with("fatal: protocol error")
                || line.starts_with("fatal: the remote end");
            if reader.out.authenticated.is_some() && !over {
                reader.out.after_login.push(line.to_string());
            }
            said.push(line.to_string());
        }
    }
    (reader.out, said)
}

/// The bytes in git's complaint about the first line of the answer.
pub(super) fn protocol_noise(stderr: &[u8]) -> Option<Vec<u8>> {
    let marker = b"protocol error: bad line length character: ";
    let at = stderr.windows(marker.len()).position(|w| w == marker)?;
    Some(stderr[at + marker.len()..].iter().take(4).copied().collect())
}

/// What has been read so far.
#[derive(Default)]
struct TranscriptReader {
    out: SshTranscript,
    /// ssh reports its progress.
    reports: bool,
    /// A ProxyCommand runs.
    proxied: bool,
}

impl TranscriptReader {
    /// Lines that ssh prints only at that level, without saying so in front.
    fn verbose(&mut self, line: &str) -> bool {
        if line.starts_with("OpenSSH_") && self.out.authenticated.is_none() {
            self.reports = true;
            return true;
        }
        if !self.reports {
            return false;
        }
        if let Some(rest) = line.strip_prefix("Authenticated to ") {
            // A ProxyCommand may be an ssh that reports too: it has logged in to a host on the way.
            if self.proxied && !rest.contains("(via proxy)") {
                return true;
            }
            // OpenSSH before 8.6 has a debug line of its own, `Authentication succeeded (publickey).`
            let method = rest.rsplit_once("using \"").map(|(_, m)| m.trim_end_matches(['.', '"']).to_string());
            self.out.authenticated = method.or(self.out.authenticated.take()).or(Some(String::new()));
            return true;
        }
        line.starts_with("Transferred: sent ") || line.starts_with("Bytes per second: sent ")
    }

    fn progress(&mut self, line: &str) {
        let after = |prefix: &str| line.strip_prefix(prefix);
        if let Some(rest) = after("Connecting to ") {
            push(&mut self.out.connecting, attempt(rest));
        } else if line == "Connection established." {
            self.out.established = true;
        } else if line.starts_with("Executing proxy command: ") {
            self.proxied = true;
        } else if line.starts_with("mux_client_request_session: master session id") {
            self.out.used_master = true;
        } else if let Some((_, rest)) = line.split_once("banner line ").filter(|(before, _)| before.len() < 60) {
            push(&mut self.out.pre_banner, rest.split_once(": ").map(|(_, text)| text.to_string()));
        } else if let Some((kind, fingerprint)) = after("Server host key: ").and_then(|r| r.split_once(' ')) {
            self.out.host_key = Some((kind.to_string(), fingerprint.to_string()));
        } else if let Some(name) = after("Host '").and_then(|r| r.split_once("' is known and matches")) {
            self.out.known_as = Some(name.0.to_string());
        } else if let Some(key) = after("Will attempt key: ") {
            push(&mut self.out.will_attempt, Some(key_line(key)));
        } else if let Some(key) = after("Server accepts key: ") {
            push(&mut self.out.accepted, Some(key_line(key)));
        } else if let Some(method) = after("Authentication succeeded (") {
            self.out.authenticated = Some(method.trim_end_matches([')', '.']).to_string());
        } else if let Some(status) = after("Exit status ") {
            self.out.remote_exit = status.trim().parse().ok();
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
    let mut rest = text.trim_end();
    while let Some((before, word)) = rest.rsplit_once(' ') {
        match word {
            "explicit" | "agent" | "token" | "authenticator" => {}
            _ if word.starts_with("SHA256:") || word.starts_with("MD5:") => {
                let name = before.trim_end().rsplit_once(' ').map_or("", |(name, _)| name);
                return KeyLine { name: name.to_string(), fingerprint: Some(word.to_string()) };
            }
            _ => break,
        }
        rest = before.trim_end();
    }
    KeyLine { name: rest.to_string(), fingerprint: None }
}
