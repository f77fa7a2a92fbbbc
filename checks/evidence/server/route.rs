//! The route to the server, as ssh would take it: straight to each address in turn, or through ProxyCommand or ProxyJump.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::bind::Bind;
use super::proxy::{self, ProxyProcess};
use super::transport;
use crate::machine::Ledger;
use bbdoctor_checks::facts::connection::Attempt;
use bbdoctor_checks::facts::connection::ProxyEnd;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::footprint::StepName;
use bbdoctor_checks::facts::handshake::HandshakeFailureKind;
use bbdoctor_checks::facts::route::{ProxySetting, RouteFailure, connect_timeout, proxy_of};
use bbdoctor_checks::facts::settings::Settings;
use bbdoctor_checks::text;
use bbdoctor_checks::unavailable::Unavailable;

/// How long one address may take, unless ConnectTimeout says less.
const PER_ADDRESS: Duration = Duration::from_secs(5);
/// How long a proxy may take to die after the connection has ended.
const DYING: Duration = Duration::from_millis(300);

/// A connection.
pub(crate) struct Route {
    /// The bytes: a TCP connection, or a proxy's standard input and output.
    pub(crate) stream: OwnedFd,
    /// The addresses that were tried.
    pub(crate) attempts: Vec<Attempt>,
    /// The proxy, if one carries them.
    pub(crate) proxy: Option<Proxy>,
}

/// A proxy at work.
pub(crate) struct Proxy {
    process: ProxyProcess,
    setting: ProxySetting,
    command: String,
}

impl Proxy {
    /// What went wrong, if it is the proxy that kept the handshake from succeeding. One that has died looks like a server
    /// that hung up, and its own words are the better evidence; one through which nothing ever came has reached nobody, as far
    /// as can be seen.
    /// Once something else than SSH has come, that is the evidence: the proxy ends because we have left.
    pub(crate) fn failure(self, handshake: &HandshakeFailureKind) -> Option<RouteFailure> {
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
        Some(RouteFailure::Proxy { setting: self.setting, command: self.command, end, silent })
    }
}

/// What decides on the route.
pub(crate) struct Inputs<'a> {
    pub(crate) settings: &'a Settings,
    /// The addresses of the host, in the resolver's order; none where a proxy looks it up.
    pub(crate) addresses: &'a [SocketAddr],
    /// The environment of the user, which a proxy gets.
    pub(crate) environment: &'a Environment,
    /// The ssh that a ProxyJump starts.
    pub(crate) ssh: Option<&'a Path>,
    /// The file of `-F`, which that ssh gets too.
    pub(crate) config_file: Option<PathBuf>,
    /// Expands a value of ssh_config.
    pub(crate) expand: &'a (dyn Fn(&str) -> String + Sync),
}

impl Inputs<'_> {
    /// A ProxyCommand whose program does not exist, which can be said without starting it.
    pub(crate) fn missing_program(&self) -> Option<RouteFailure> {
        let (setting @ ProxySetting::Command, value) = proxy_of(self.settings)? else { return None };
        let command = (self.expand)(value);
        let first = command.split_whitespace().next()?;
        let plain = first.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        let path = self.environment.get("PATH").unwrap_or_default();
        if !plain || which::which_in(first, Some(path), "/").is_ok() {
            return None;
        }
        let end = ProxyEnd { exit_status: Some(127), stderr: format!("{first}: not found").into_bytes(), ..ProxyEnd::default() };
        Some(RouteFailure::Proxy { setting, command, end, silent: false })
    }
}

/// Why a proxy is not followed although the settings name one.
pub(crate) fn not_followed(settings: &Settings, may_execute: bool) -> Option<Unavailable> {
    let (setting, _) = proxy_of(settings)?;
    if settings.is_on("proxyusefdpass") {
        return Some(Unavailable::Unknown {
            why: "the proxy hands its connection over (ProxyUseFdpass), which bbdoctor cannot take".into(),
        });
    }
    (!may_execute).then(|| Unavailable::Unknown {
        why: text!("--no-exec: the way leads through a {}, which was not started", setting.keyword()),
    })
}

impl Route {
    /// Connects as ssh would.
    pub(crate) fn take(inputs: &Inputs<'_>, deadline: Instant, ledger: &Ledger) -> Result<Self, RouteFailure> {
        ledger.step(StepName::Connect, || match proxy_of(inputs.settings) {
            Some((setting, value)) => through_proxy(inputs, setting, value, ledger),
            None => directly(inputs, deadline, ledger),
        })
    }
}

fn directly(inputs: &Inputs<'_>, deadline: Instant, ledger: &Ledger) -> Result<Route, RouteFailure> {
    let settings = inputs.settings;
    let per_address = connect_timeout(settings).map_or(PER_ADDRESS, |t| t.min(PER_ADDRESS));
    let (stream, attempts) = transport::connect(inputs.addresses, per_address, deadline, &Bind::of(settings));
    ledger.connected(&format!("{}:{}", settings.hostname(), settings.port()));
    match stream {
        Some(stream) => Ok(Route { stream: stream.into(), attempts, proxy: None }),
        None => Err(RouteFailure::Unreached(attempts)),
    }
}

fn through_proxy(inputs: &Inputs<'_>, setting: ProxySetting, value: &str, ledger: &Ledger) -> Result<Route, RouteFailure> {
    let settings = inputs.settings;
    let failed = |command: String, words: String| {
        let end = ProxyEnd { stderr: words.into_bytes(), ..ProxyEnd::default() };
        RouteFailure::Proxy { setting, command, end, silent: false }
    };
    let command: OsString = match setting {
        ProxySetting::Jump => {
            let ssh = inputs.ssh.unwrap_or(Path::new("ssh"));
            let (file, host) = (inputs.config_file.as_deref(), settings.hostname());
            let argv = proxy::proxy_jump_command(ssh.as_os_str(), value, file, host, settings.port());
            let line = argv.and_then(|argv| proxy::shell_line(&argv));
            line.map_err(|e| failed(value.to_string(), e.to_string()))?
        }
        ProxySetting::Command => (inputs.expand)(value).into(),
    };
    let shown = command.to_string_lossy().into_owned();
    ledger.started(&shown);
    ledger.connected(&format!("{}:{}", settings.hostname(), settings.port()));
    match proxy::spawn_proxy(OsStr::new(&command), inputs.environment) {
        Ok(connection) => {
            let proxy = Proxy { process: connection.process, setting, command: shown };
            Ok(Route { stream: connection.stream.into(), attempts: Vec::new(), proxy: Some(proxy) })
        }
        Err(error) => Err(failed(shown, error.to_string())),
    }
}
