//! The road to the server, as ssh would take it: straight to each address in turn, or through ProxyCommand or ProxyJump.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Evidence;
use super::bind::Bind;
use super::handshake::HandshakeFailureKind;
use super::proxy::{self, ProxyEnd, ProxyProcess};
use super::resolve::AddressFamily;
use super::settings::Settings;
use super::transport::{self, Attempt};
use crate::text;
use crate::unavailable::Unavailable;

/// How long one address may take, unless ConnectTimeout says less.
const PER_ADDRESS: Duration = Duration::from_secs(5);
/// How long a handshake may take after the connection stands.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a proxy may take to die after the connection has ended.
const DYING: Duration = Duration::from_millis(300);

/// A connection.
pub(super) struct Road {
    /// The bytes: a TCP connection, or a proxy's standard input and output.
    pub(super) stream: OwnedFd,
    /// The addresses that were tried.
    pub(super) attempts: Vec<Attempt>,
    /// The proxy, if one carries them.
    pub(super) proxy: Option<Proxy>,
}

/// A proxy at work.
pub(super) struct Proxy {
    process: ProxyProcess,
    setting: &'static str,
    command: String,
}

impl Proxy {
    /// What went wrong, if it is the proxy that kept the handshake from succeeding. One that has died looks like a server
    /// that hung up, and its own words are the better evidence; one through which nothing ever came has reached nobody, as far
    /// as can be seen.
    /// Once something else than SSH has come, that is the evidence: the proxy ends because we have left.
    pub(super) fn failure(self, handshake: &HandshakeFailureKind) -> Option<RoadFailure> {
        if matches!(handshake, HandshakeFailureKind::NotSsh { objection: Some(_), .. }) {
            return None;
        }
        let silent = *handshake == HandshakeFailureKind::BannerTimeout;
        let ended = matches!(handshake, HandshakeFailureKind::ClosedBeforeBanner | HandshakeFailureKind::ResetBeforeBanner);
        let end = self.process.finish(Instant::now() + DYING);
        let well = matches!(end.exit_status, None | Some(0)) && end.signal.is_none();
        if well && end.stderr.is_empty() && !silent && !ended {
            return None;
        }
        Some(RoadFailure::Proxy { setting: self.setting, command: self.command, end, silent })
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub enum RoadFailure {
    /// No address answered.
    Unreached(Vec<Attempt>),
    /// The proxy ended or failed before the server was reached.
    Proxy {
        /// The setting: `ProxyCommand` or `ProxyJump`.
        setting: &'static str,
        /// The command that was run.
        command: String,
        /// How it ended, and its words.
        end: ProxyEnd,
        /// It ran until its time was spent, and nothing came through it.
        silent: bool,
    },
}

impl RoadFailure {
    /// The addresses that were tried.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            RoadFailure::Unreached(attempts) => attempts,
            RoadFailure::Proxy { .. } => &[],
        }
    }
}

/// The addresses ssh may use.
pub(crate) fn family(settings: &Settings) -> AddressFamily {
    match settings.value("addressfamily") {
        Some("inet") => AddressFamily::Inet,
        Some("inet6") => AddressFamily::Inet6,
        _ => AddressFamily::Any,
    }
}

/// A proxy that the settings name: the keyword as the manual writes it, and its value.
pub(crate) fn proxy_of(settings: &Settings) -> Option<(&'static str, &str)> {
    let set = |keyword| settings.value(keyword).filter(|v: &&str| !v.eq_ignore_ascii_case("none"));
    set("proxyjump").map(|v| ("ProxyJump", v)).or_else(|| set("proxycommand").map(|v| ("ProxyCommand", v)))
}

/// A ProxyCommand whose program does not exist, which can be said without starting it.
pub(super) fn missing_proxy_program(evidence: &Evidence) -> Option<RoadFailure> {
    let settings = evidence.settings().ok()?;
    let ("ProxyCommand", value) = proxy_of(settings)? else { return None };
    let command = evidence.expand(value);
    let first = command.split_whitespace().next()?;
    let plain = first.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    let path = evidence.environment().get("PATH").unwrap_or_default();
    if evidence.may_execute() || !plain || which::which_in(first, Some(path), "/").is_ok() {
        return None;
    }
    let end = ProxyEnd { exit_status: Some(127), stderr: format!("{first}: not found").into_bytes(), ..ProxyEnd::default() };
    Some(RoadFailure::Proxy { setting: "ProxyCommand", command, end, silent: false })
}

/// Why a proxy is not followed although the settings name one.
pub(super) fn not_followed(evidence: &Evidence) -> Option<Unavailable> {
    let settings = evidence.settings().ok()?;
    let (setting, _) = proxy_of(settings)?;
    if settings.is_on("proxyusefdpass") {
        return Some(Unavailable::Unknown {
            why: "the proxy hands its connection over (ProxyUseFdpass), which bbdoctor cannot take".into(),
        });
    }
    (!evidence.may_execute())
        .then(|| Unavailable::Unknown { why: text!("--no-exec: the way leads through a {}, which was not started", setting) })
}

impl Evidence {
    /// How long the handshake may take: ssh's ConnectTimeout covers it too. Without one ssh waits for ever, as git's run
    /// shows; where git is not asked, it is for us to wait.
    pub(super) fn handshake_limit(&self) -> Duration {
        let ours = match self.may_execute() {
            true => HANDSHAKE,
            false => self.conversation_deadline().saturating_duration_since(Instant::now()),
        };
        self.connect_timeout().map_or(ours, |t| t.min(ours))
    }

    fn connect_timeout(&self) -> Option<Duration> {
        let seconds = self.settings().ok()?.value("connecttimeout")?.parse::<u64>().ok()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

impl Road {
    /// Connects as ssh would.
    pub(super) fn take(evidence: &Evidence, deadline: Instant) -> Result<Self, RoadFailure> {
        let Ok(settings) = evidence.settings() else { return Err(RoadFailure::Unreached(Vec::new())) };
        evidence.ledger.step("connect", || match proxy_of(settings) {
            Some((setting, value)) => through_proxy(evidence, settings, setting, value),
            None => directly(evidence, settings, deadline),
        })
    }
}

fn directly(evidence: &Evidence, settings: &Settings, deadline: Instant) -> Result<Road, RoadFailure> {
    let Ok(Ok(addresses)) = evidence.resolution() else { return Err(RoadFailure::Unreached(Vec::new())) };
    let per_address = evidence.connect_timeout().map_or(PER_ADDRESS, |t| t.min(PER_ADDRESS));
    let (stream, attempts) = transport::connect(addresses, per_address, deadline, &Bind::of(settings));
    evidence.ledger.connected(&format!("{}:{}", settings.hostname(), settings.port()));
    match stream {
        Some(stream) => Ok(Road { stream: stream.into(), attempts, proxy: None }),
        None => Err(RoadFailure::Unreached(attempts)),
    }
}

fn through_proxy(evidence: &Evidence, settings: &Settings, setting: &'static str, value: &str) -> Result<Road, RoadFailure> {
    let failed = |command: String, words: String| {
        let end = ProxyEnd { stderr: words.into_bytes(), ..ProxyEnd::default() };
        RoadFailure::Proxy { setting, command, end, silent: false }
    };
    let command: OsString = if setting == "ProxyJump" {
        let ssh = evidence.ssh_path().unwrap_or(Path::new("ssh"));
        let argv = proxy::proxy_jump_command(
            ssh.as_os_str(),
            value,
            evidence.given_config_file().as_deref(),
            settings.hostname(),
            settings.port(),
        );
        let line = argv.and_then(|argv| proxy::shell_line(&argv));
        line.map_err(|e| failed(value.to_string(), e.to_string()))?
    } else {
        evidence.expand(value).into()
    };
    let shown = command.to_string_lossy().into_owned();
    evidence.ledger.started(&shown);
    evidence.ledger.connected(&format!("{}:{}", settings.hostname(), settings.port()));
    match proxy::spawn_proxy(OsStr::new(&command), false, evidence.environment()) {
        Ok(connection) => {
            let proxy = Proxy { process: connection.process, setting, command: shown };
            Ok(Road { stream: connection.stream.into(), attempts: Vec::new(), proxy: Some(proxy) })
        }
        Err(error) => Err(failed(shown, error.to_string())),
    }
}
