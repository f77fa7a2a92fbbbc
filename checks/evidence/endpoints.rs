//! The other ways to the service: its current name, and the port that firewalls let through. They are tried only when they
//! may be advice: the name in use is a retired one, or it cannot be reached.

use std::thread;
use std::time::{Duration, Instant};

use super::Evidence;
use super::bind::Bind;
use super::resolve::{AddressFamily, resolve};
use super::transport;
use crate::bitbucket::{Kind, Role};

/// How long each may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Another way to the service.
#[derive(Debug, Clone)]
pub struct Alternate {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it introduced itself with, when it speaks SSH.
    pub identification: Option<String>,
}

impl Alternate {
    /// Whether an SSH server answers there.
    pub fn speaks_ssh(&self) -> bool {
        self.identification.is_some()
    }
}

/// Tries the other names of the service, at the same time.
pub(super) fn try_others(evidence: &Evidence) -> Vec<Alternate> {
    let Ok(name) = evidence.hostname() else { return Vec::new() };
    let Some(service) = evidence.services().get(&name) else { return Vec::new() };
    let unreachable = evidence.road_fails() || evidence.handshake_fails() || evidence.name_fails();
    let is_retired = matches!(service.role, Role::Retired { .. });
    if evidence.online().is_err() || !(unreachable || is_retired) {
        return Vec::new();
    }
    let mut wanted: Vec<(String, u16)> = Vec::new();
    if let (Kind::Cloud, Some(current)) = (service.kind, evidence.services().current()) {
        wanted.push((current.name.clone(), current.port));
    }
    if unreachable {
        wanted.extend(service.alternate.clone());
    }
    wanted.retain(|(host, port)| *host != service.name || *port != service.port);
    let until = evidence.deadline().min(Instant::now() + LIMIT);
    let attempts: Vec<_> = wanted
        .into_iter()
        .map(|(host, port)| {
            let name = host.clone();
            (host, port, thread::spawn(move || introduce(&name, port, until)))
        })
        .collect();
    attempts
        .into_iter()
        .map(|(host, port, attempt)| {
            let (connected, identification) = attempt.join().unwrap_or_default();
            if connected {
                evidence.ledger.connected(&format!("{host}:{port}"));
            }
            Alternate { host, port, identification }
        })
        .collect()
}

/// Connects and waits for the identification string; nothing is sent.
fn introduce(host: &str, port: u16, until: Instant) -> (bool, Option<String>) {
    let Ok(addresses) = resolve(host, port, AddressFamily::Any, until) else { return (false, None) };
    let (stream, _) = transport::connect(&addresses, LIMIT, until, &Bind::Anywhere);
    let Some(mut stream) = stream else { return (false, None) };
    (true, transport::identification(&mut stream, until))
}
