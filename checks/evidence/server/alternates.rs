//! The other ways to the service: its current name, and the port that firewalls let through. They are tried only when they
//! may be advice: the name in use is a retired one, or it cannot be reached.

use std::thread;
use std::time::{Duration, Instant};

use super::bind::Bind;
use super::transport;
use crate::machine::Ledger;
use crate::machine::resolve::{AddressFamily, resolve};
use bbdoctor_checks::bitbucket::{Kind, Role, Services};
use bbdoctor_checks::facts::alternates::Alternate;

/// How long each may take.
const LIMIT: Duration = Duration::from_secs(3);

/// What decides on the other ways.
pub(crate) struct Inputs<'a> {
    /// The host that ssh connects to.
    pub(crate) hostname: &'a str,
    /// It cannot be reached, or does not speak SSH there.
    pub(crate) unreachable: bool,
    pub(crate) services: &'a Services,
    /// When all has to be over.
    pub(crate) deadline: Instant,
    pub(crate) ledger: &'a Ledger,
}

/// Tries the other names of the service, at the same time.
pub(crate) fn try_others(inputs: &Inputs<'_>) -> Vec<Alternate> {
    let Some(service) = inputs.services.get(inputs.hostname) else { return Vec::new() };
    if !inputs.unreachable && !matches!(service.role, Role::Retired { .. }) {
        return Vec::new();
    }
    let mut wanted: Vec<(String, u16)> = Vec::new();
    if let (Kind::Cloud, Some(current)) = (service.kind, inputs.services.current()) {
        wanted.push((current.name.clone(), current.port));
    }
    if inputs.unreachable {
        wanted.extend(service.alternate.clone());
    }
    wanted.retain(|(host, port)| *host != service.name || *port != service.port);
    let until = inputs.deadline.min(Instant::now() + LIMIT);
    thread::scope(|scope| {
        let attempts: Vec<_> = wanted.iter().map(|(host, port)| scope.spawn(move || introduce(host, *port, until))).collect();
        let introduced = attempts.into_iter().map(|attempt| attempt.join().unwrap_or_default());
        let alternate = |((host, port), (connected, identification)): (&(String, u16), (bool, Option<String>))| {
            if connected {
                inputs.ledger.connected(&format!("{host}:{port}"));
            }
            Alternate { host: host.clone(), port: *port, identification }
        };
        wanted.iter().zip(introduced).map(alternate).collect()
    })
}

/// Connects and waits for the identification string; nothing is sent.
fn introduce(host: &str, port: u16, until: Instant) -> (bool, Option<String>) {
    let Ok(addresses) = resolve(host, port, AddressFamily::Any, until) else { return (false, None) };
    let (stream, _) = transport::connect(&addresses, LIMIT, until, &Bind::Anywhere);
    let Some(mut stream) = stream else { return (false, None) };
    (true, transport::identification(&mut stream, until))
}
