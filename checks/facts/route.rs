//! How ssh comes to the server: straight to each address in turn, or through ProxyCommand or ProxyJump; and how far.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Facts;
use super::connection::{Attempt, ConnectOutcome, ProxyEnd, ResolveError};
use super::settings::Settings;

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RouteFailure {
    /// No address answered.
    Unreached(Vec<Attempt>),
    /// The proxy ended or failed before the server was reached.
    Proxy {
        /// The setting that names it.
        setting: ProxySetting,
        /// The command that was run.
        command: String,
        /// How it ended, and its words.
        end: ProxyEnd,
        /// It ran until its time was spent, and nothing came through it.
        silent: bool,
    },
}

impl RouteFailure {
    /// The addresses that were tried.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            RouteFailure::Unreached(attempts) => attempts,
            RouteFailure::Proxy { .. } => &[],
        }
    }
}

/// A setting that puts a proxy on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxySetting {
    /// `ProxyCommand`.
    Command,
    /// `ProxyJump`.
    Jump,
}

impl ProxySetting {
    /// The keyword as the manual writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            ProxySetting::Command => "ProxyCommand",
            ProxySetting::Jump => "ProxyJump",
        }
    }
}

/// A proxy that the settings name, and the setting's value.
pub fn proxy_of(settings: &Settings) -> Option<(ProxySetting, &str)> {
    let set = |keyword| settings.value(keyword).filter(|v: &&str| !v.eq_ignore_ascii_case("none"));
    set("proxyjump").map(|v| (ProxySetting::Jump, v)).or_else(|| set("proxycommand").map(|v| (ProxySetting::Command, v)))
}

/// How long ssh waits for a connection (ConnectTimeout), where it is told.
pub fn connect_timeout(settings: &Settings) -> Option<Duration> {
    let seconds = settings.value("connecttimeout")?.parse::<u64>().ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

impl Facts {
    /// The name does not resolve.
    pub fn name_fails(&self) -> bool {
        matches!(self.resolution(), Ok(Err(_)))
    }

    /// There is no connection.
    pub fn route_fails(&self) -> bool {
        self.conversation().is_ok_and(|conversation| conversation.route.is_some())
    }

    /// There is a connection, and no handshake.
    pub fn handshake_fails(&self) -> bool {
        self.conversation().is_ok_and(|conversation| matches!(conversation.handshake, Some(Err(_))))
    }

    /// The setting that puts a proxy on the way, as the manual writes it.
    pub(crate) fn proxy_setting(&self) -> Option<&'static str> {
        proxy_of(self.settings().ok()?).map(|(setting, _)| setting.keyword())
    }

    /// BindAddress or BindInterface cannot be used.
    pub(crate) fn cannot_bind(&self) -> bool {
        self.conversation()
            .is_ok_and(|t| t.route.as_ref().is_some_and(|r| r.attempts().iter().any(|a| a.outcome == ConnectOutcome::CannotBind)))
    }

    /// The name has addresses, but none of the family that AddressFamily asks for.
    pub(crate) fn resolves_only_in_other_family(&self) -> bool {
        matches!(self.resolution(), Ok(Err(ResolveError::NoAddressOfFamily { .. })))
    }
}
