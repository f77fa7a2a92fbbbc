//! What git, ssh or the server complained of. A line's beginning decides, never words within it: "Permission denied" alone
//! has six meanings, "No such file or directory" more.

use bbdoctor_checks::facts::git_run::{ConnectFailure, GitComplaint, GitRun, KeyProblem};

/// What stopped git; `None` when it works, or in words that are not known.
pub fn classify(run: &GitRun) -> Option<GitComplaint> {
    use GitComplaint as C;
    if run.works {
        return None;
    }
    if let Some(noise) = &run.protocol_noise {
        return Some(C::ProtocolNoise(noise.clone()));
    }
    let transcript = &run.transcript;
    // Whose words they are depends on the phase: after the login a server may say anything.
    let local: Vec<&str> = match transcript.authenticated {
        Some(_) => {
            let mut server = transcript.after_login.iter().peekable();
            run.said.iter().filter(|l| server.next_if(|s| s == l).is_none()).map(String::as_str).collect()
        }
        None => run.said.iter().map(String::as_str).collect(),
    };
    if let Some(at) = local.iter().position(|l| l.contains("UNKNOWN port 65535")) {
        let own = |l: &&str| !l.starts_with("kex_exchange_identification:") && !l.starts_with("ssh_exchange_identification:");
        return Some(C::ProxyDied { before: local[..at].iter().filter(|l| own(l)).map(|l| l.to_string()).collect() });
    }
    let found = git_itself(&local)
        .or_else(|| before_connecting(&local))
        .or_else(|| connecting(run, &local))
        .or_else(|| host_key(&local))
        .or_else(|| authentication(run, &local))
        .or_else(|| session(&local));
    if found.is_some() {
        return found;
    }
    if run.timed_out {
        return Some(C::TimedOut(transcript.last.clone()));
    }
    if transcript.authenticated.is_some() {
        let lost = [
            "client_loop: ",
            "packet_write_wait: ",
            "Connection to ",
            "Connection closed by ",
            "Connection reset by ",
            "ssh_dispatch_run_fatal: ",
        ];
        if let Some(line) = run.said.iter().find(|l| lost.iter().any(|p| l.starts_with(p))) {
            return Some(C::LostAfterLogin(line.clone()));
        }
        if transcript.remote_exit.is_some_and(|code| code != 0) || !transcript.after_login.is_empty() {
            return Some(C::RepositoryRefused { said: transcript.after_login.clone(), code: transcript.remote_exit });
        }
        return Some(C::LostAfterLogin(transcript.last.clone().unwrap_or_default()));
    }
    // Without a transcript (plink, a wrapper) only what is known of Bitbucket's answers tells.
    let refusals = ["conq: ", "Repository not found", "Forbidden", "Unauthorized", "You may not have access to this repository"];
    if let Some(at) = local.iter().position(|l| refusals.iter().any(|r| l.trim_start_matches("remote: ").starts_with(r))) {
        return Some(C::RepositoryRefused { said: local[at..].iter().map(|l| l.to_string()).collect(), code: None });
    }
    local.is_empty().then_some(C::Silent)
}

/// The text between `start` and `end` in a line that begins with `start`.
fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.split(end).next().filter(|_| line[start.len()..].contains(end))
}

fn first<T>(lines: &[&str], of: impl Fn(&str) -> Option<T>) -> Option<T> {
    lines.iter().find_map(|l| of(l))
}

/// What git says before it runs ssh.
fn git_itself(lines: &[&str]) -> Option<GitComplaint> {
    use GitComplaint as C;
    first(lines, |line| {
        if let Some(name) = between(line, "fatal: transport '", "' not allowed") {
            return Some(C::TransportNotAllowed(name.into()));
        }
        if let Some(name) = between(line, "fatal: protocol '", "' is not supported")
            .or_else(|| between(line, "git: 'remote-", "' is not a git command"))
            .or_else(|| between(line, "fatal: Unable to find remote helper for '", "'"))
            .or_else(|| between(line, "fatal: unable to find remote helper for '", "'"))
        {
            return Some(C::ProtocolNotSupported(name.into()));
        }
        if let Some(what) = line.strip_prefix("fatal: ssh variant 'simple' does not support ") {
            return Some(C::VariantLacks(what.into()));
        }
        if let Some(name) = line.strip_prefix("fatal: strange ").filter(|l| l.ends_with(" blocked")) {
            return Some(C::Strange(name.trim_end_matches(" blocked").into()));
        }
        if line.starts_with("fatal: no path specified") {
            return Some(C::NoPath);
        }
        if let Some(name) = between(line, "fatal: '", "' does not appear to be a git repository") {
            return Some(C::NoSuchRemote(name.into()));
        }
        if line.starts_with("fatal: No configured push destination") {
            return Some(C::NoPushDestination);
        }
        if let Some(path) = between(line, "fatal: detected dubious ownership in repository at '", "'") {
            return Some(C::DubiousOwnership(path.into()));
        }
        if let Some((number, file)) = line.strip_prefix("fatal: bad config line ").and_then(|l| l.split_once(" in file ")) {
            return Some(C::GitConfig { file: file.into(), line: number.parse().ok()? });
        }
        if line.starts_with("fatal: Authentication failed for '")
            || line.starts_with("fatal: could not read Username for '")
            || line.starts_with("fatal: could not read Password for '")
        {
            return Some(C::HttpAuthentication(line["fatal: ".len()..].into()));
        }
        if line.starts_with("fatal: unable to access 'http") {
            return Some(C::Http(line["fatal: ".len()..].into()));
        }
        None
    })
    // A client that is missing takes other complaints of git along.
    .filter(|c| !matches!(c, C::VariantLacks(_)) || cannot_run(lines).is_none())
    .or_else(|| cannot_run(lines))
}

fn cannot_run(lines: &[&str]) -> Option<GitComplaint> {
    first(lines, |line| {
        let (program, why) = if let Some(rest) = line.strip_prefix("fatal: cannot exec '") {
            rest.rsplit_once("': ")?
        } else if let Some(rest) = line.strip_prefix("error: cannot run ") {
            rest.rsplit_once(": ")?
        } else {
            // `COMMAND: 1: PROGRAM: not found` (dash), `COMMAND: line 1: PROGRAM: No such file or directory` (bash).
            let (front, why) = line.rsplit_once(": ")?;
            let (front, program) = front.rsplit_once(": ")?;
            let number = front.rsplit_once(": ").map_or(front, |(_, n)| n);
            let number = number.strip_prefix("line ").unwrap_or(number);
            let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let known = [
                "not found",
                "No such file or directory",
                "Permission denied",
                "command not found",
                "Is a directory",
                "cannot execute",
            ];
            if !numbered || program.contains(' ') || !known.iter().any(|k| why.starts_with(k)) {
                return None;
            }
            (program, why)
        };
        Some(GitComplaint::CannotRun { program: program.into(), why: why.into() })
    })
}

/// What ssh says before it opens a connection.
fn before_connecting(lines: &[&str]) -> Option<GitComplaint> {
    use GitComplaint as C;
    first(lines, |line| {
        if line.starts_with("OpenSSL version mismatch")
            || line.contains(": error while loading shared libraries: ")
            || line.starts_with("dyld")
        {
            return Some(C::SshBroken(line.into()));
        }
        if let Some(uid) = line.strip_prefix("No user exists for uid ") {
            return Some(C::NoUser(uid.trim().parse().ok()?));
        }
        if let Some(path) = line.strip_prefix("Bad owner or permissions on ") {
            return Some(C::BadOwnerOrPermissions(path.into()));
        }
        if line == "Cannot execute command-line and remote command." {
            return Some(C::RemoteCommand);
        }
        if line.starts_with("ControlPath too long") || line.starts_with("ControlPath \"") || line.starts_with("unix_listener: ") {
            return Some(C::ControlPath(line.into()));
        }
        if line.starts_with("Can't open user config file ") || line.starts_with("Too many recursive configuration includes") {
            return Some(C::SshConfig { file: None, line: None, text: line.into() });
        }
        if line.starts_with("usage: ssh ") || line.starts_with("unknown option -- ") || line.starts_with("Bad port '") {
            return Some(C::Usage(line.into()));
        }
        if let Some(text) = line.strip_prefix("command-line: line ").or(line.strip_prefix("command-line line ")) {
            return Some(C::SshConfig { file: None, line: None, text: text.split_once(": ").map_or(text, |(_, t)| t).into() });
        }
        // `FILE: line N: TEXT` and `FILE line N: TEXT`.
        let at = line.find(": line ").or_else(|| line.find(" line ")).filter(|_| line.starts_with(['/', '~', '.']))?;
        let rest = line[at..].trim_start_matches(':').trim_start_matches(" line ");
        let (number, text) = rest.split_once(": ")?;
        let deprecated = text.starts_with("Deprecated option") || text.starts_with("Unsupported option");
        let number = number.parse().ok().filter(|_| !deprecated)?;
        Some(C::SshConfig { file: Some(line[..at].into()), line: Some(number), text: text.into() })
    })
    .or_else(|| first(lines, |l| l.contains("terminating, ").then(|| C::SshConfig { file: None, line: None, text: l.into() })))
}

/// Name, connection, banner and key exchange.
fn connecting(run: &GitRun, lines: &[&str]) -> Option<GitComplaint> {
    use GitComplaint as C;
    let said = || run.transcript.pre_banner.clone();
    first(lines, |line| {
        if let Some((name, why)) = line.strip_prefix("ssh: Could not resolve hostname ").and_then(|l| l.rsplit_once(": ")) {
            return Some(C::Resolve { name: name.into(), why: why.into() });
        }
        if let Some(rest) = line.strip_prefix("ssh: Could not resolve host \"") {
            return Some(C::Resolve { name: rest.trim_end_matches('"').into(), why: String::new() });
        }
        if let Some((host, rest)) = line.strip_prefix("ssh: connect to host ").and_then(|l| l.split_once(" port ")) {
            let (port, why) = rest.split_once(": ")?;
            // A local address that cannot be had is told in a line of its own.
            let own = lines.iter().find(|l| l.starts_with("bind ")).and_then(|l| l.rsplit_once(": ")).map(|(_, w)| w);
            return Some(C::Connect { host: host.into(), port: port.parse().ok()?, why: connect_failure(own.unwrap_or(why)) });
        }
        if let Some(why) = line.strip_prefix("FATAL ERROR: Network error: ") {
            return Some(C::Connect { host: String::new(), port: 0, why: connect_failure(why) });
        }
        if line.starts_with("Connection timed out during banner exchange")
            || line.contains("identification: read: Operation timed out")
        {
            return Some(C::BannerTimeout);
        }
        let not_ssh = [
            "No SSH version received",
            "Protocol major versions differ",
            "Bad remote protocol version identification",
            "Bad packet length",
        ];
        if not_ssh.iter().any(|p| line.starts_with(p)) || line.contains("identification: banner line contains invalid characters") {
            return Some(C::NotSsh { why: line.into(), said: said() });
        }
        None
    })
    .or_else(|| {
        first(lines, |line| {
            if let Some(rest) = line.split_once("_exchange_identification: ").map(|(_, rest)| rest) {
                let said = said();
                return Some(match said.iter().any(|l| l.starts_with("HTTP/")) {
                    true => C::NotSsh { why: rest.into(), said },
                    false => C::ClosedBeforeBanner { reset: rest.contains("reset"), said },
                });
            }
            if let Some((_, rest)) = line.strip_prefix("Unable to negotiate with ").and_then(|l| l.split_once(": no matching ")) {
                let (what, offer) = rest.split_once(" found. Their offer: ")?;
                return Some(C::NoMatching { what: what.into(), offer: offer.split(',').map(|o| o.trim().into()).collect() });
            }
            let broken = line.starts_with("ssh_dispatch_run_fatal: ")
                || line.starts_with("Corrupted MAC on input")
                || line.starts_with("padding error: ");
            (broken && run.transcript.authenticated.is_none()).then(|| C::Protocol(line.into()))
        })
    })
}

fn connect_failure(why: &str) -> ConnectFailure {
    match why {
        "Connection refused" => ConnectFailure::Refused,
        "Connection timed out" | "Operation timed out" => ConnectFailure::TimedOut,
        "Network is unreachable" | "Network unreachable" => ConnectFailure::NetworkUnreachable,
        "No route to host" | "Host is down" | "Host is unreachable" => ConnectFailure::HostUnreachable,
        "Permission denied" | "Operation not permitted" => ConnectFailure::Denied,
        "Cannot assign requested address" | "Can't assign requested address" => ConnectFailure::AddressNotAvailable,
        other => ConnectFailure::Other(other.to_string()),
    }
}

fn host_key(lines: &[&str]) -> Option<GitComplaint> {
    use GitComplaint as C;
    let shout = |words: &str| lines.iter().any(|l| l.starts_with('@') && l.contains(words));
    let failed = lines.iter().any(|l| {
        l.starts_with("Host key verification failed.")
            || l.contains("host key is known for ") && l.contains("strict checking")
            || l.starts_with("The host key is not cached for this server")
            || l.starts_with("The server's host key is not cached")
    });
    // Without strict checking ssh shouts and goes on; then this is not what stopped it.
    if !failed && !lines.iter().any(|l| l.contains("host key for ") && l.contains("strict checking")) {
        return None;
    }
    if shout("REVOKED HOST KEY DETECTED") {
        return Some(C::HostKeyRevoked);
    }
    if shout("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let offending = first(lines, |l| Some(l.strip_prefix("Offending ")?.split_once(" in ")?.1.to_string()));
        let fingerprint =
            lines.iter().find(|l| l.starts_with("SHA256:") || l.starts_with("MD5:")).map(|l| l.trim_end_matches('.').to_string());
        return Some(C::HostKeyChanged { offending, fingerprint });
    }
    let unreadable = first(lines, |l| {
        let (file, why) = l.strip_prefix("hostkeys_find_by_key_hostfile: hostkeys_foreach failed for ")?.rsplit_once(": ")?;
        (why != "No such file or directory").then(|| C::KnownHostsUnreadable { file: file.into(), why: why.into() })
    });
    unreadable.or(Some(C::HostKeyUnknown))
}

fn authentication(run: &GitRun, lines: &[&str]) -> Option<GitComplaint> {
    use GitComplaint as C;
    if run.transcript.authenticated.is_some() {
        return None;
    }
    if lines.iter().any(|l| {
        (l.starts_with("Received disconnect from ") || l.starts_with("FATAL ERROR: "))
            && l.contains("Too many authentication failures")
    }) {
        return Some(C::TooManyFailures);
    }
    first(lines, |line| {
        if let Some(methods) =
            line.strip_prefix("FATAL ERROR: ").and_then(|l| l.split_once("No supported authentication methods available"))
        {
            let methods = methods.1.trim_start_matches(" (server sent: ").trim_end_matches(')');
            let methods = methods.split(',').filter(|m| !m.is_empty()).map(String::from).collect();
            return Some(C::PermissionDenied { user: None, host: String::new(), methods, keys: key_problems(run) });
        }
        let (who, methods) = line.split_once(": Permission denied (")?;
        let methods = methods.strip_suffix(").").or(methods.strip_suffix(')'))?;
        let (user, host) = who.rsplit_once('@').map_or((None, who), |(u, h)| (Some(u.to_string()), h));
        let methods = methods.split(',').map(String::from).collect();
        Some(C::PermissionDenied { user, host: host.into(), methods, keys: key_problems(run) })
    })
}

/// What ssh said about keys that it could not use, and which of them the server would have accepted.
fn key_problems(run: &GitRun) -> Vec<KeyProblem> {
    let mut out: Vec<KeyProblem> = run.said.iter().filter_map(|l| key_problem(l)).collect();
    for key in &run.transcript.accepted {
        let told = out.iter().any(|p| match p {
            KeyProblem::Load { path, .. } | KeyProblem::Mismatch { path } => *path == key.name,
            KeyProblem::Signing { key: name, .. } => *name == key.name,
            KeyProblem::Missing { .. } | KeyProblem::AcceptedNotUsed { .. } => false,
        });
        if !told {
            out.push(KeyProblem::AcceptedNotUsed { key: key.name.clone() });
        }
    }
    out
}

fn key_problem(line: &str) -> Option<KeyProblem> {
    if let Some((path, why)) = line.strip_prefix("Load key \"").and_then(|l| l.rsplit_once("\": ")) {
        return Some(KeyProblem::Load { path: path.into(), why: why.into() });
    }
    if let Some((path, _)) = line.strip_prefix("no such identity: ").and_then(|l| l.rsplit_once(": ")) {
        return Some(KeyProblem::Missing { path: path.into() });
    }
    if let Some(path) = between(line, "identity_sign: private key ", " contents do not match public") {
        return Some(KeyProblem::Mismatch { path: path.into() });
    }
    let rest = line.strip_prefix("sign_and_send_pubkey: signing failed")?;
    let (front, why) = rest.rsplit_once(": ")?;
    let key = front.split('"').nth(1).unwrap_or_default();
    Some(KeyProblem::Signing {
        key: key.into(),
        agent: front.ends_with(" from agent") || why.starts_with("agent "),
        why: why.into(),
    })
}

/// What the session's own settings break.
fn session(lines: &[&str]) -> Option<GitComplaint> {
    let forwarding =
        ["Could not request local forwarding", "Could not request tunnel forwarding", "Error: remote port forwarding failed"];
    first(lines, |line| forwarding.iter().any(|f| line.starts_with(f)).then(|| GitComplaint::Forwarding(line.into())))
}
