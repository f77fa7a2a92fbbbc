//! The addresses of a name, as `getaddrinfo(3)` gives them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, getaddrinfo};

use bbdoctor_checks::facts::connection::ResolveError;

/// The most addresses of a name that are tried.
const ADDRESSES_LIMIT: usize = 32;

/// Which addresses to use (`AddressFamily` of ssh_config(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressFamily {
    /// All.
    #[default]
    Any,
    /// IPv4 only.
    Inet,
    /// IPv6 only.
    Inet6,
}

impl AddressFamily {
    /// The family of an address.
    pub fn of(address: &SocketAddr) -> Self {
        if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
    }

    /// The family that the value of `AddressFamily` asks for.
    pub(crate) fn wanted(value: Option<&str>) -> Self {
        match value {
            Some("inet") => AddressFamily::Inet,
            Some("inet6") => AddressFamily::Inet6,
            _ => AddressFamily::Any,
        }
    }

    fn number(self) -> i32 {
        match self {
            AddressFamily::Any => libc::AF_UNSPEC,
            AddressFamily::Inet => libc::AF_INET,
            AddressFamily::Inet6 => libc::AF_INET6,
        }
    }
}

/// The addresses of `host` in the order `getaddrinfo(3)` gives them, which is the order in which ssh tries them. Only those
/// of `family` are asked for, as ssh does: a name server may be silent about the others.
///
/// # Errors
/// As [`ResolveError`] says.
pub fn resolve(host: &str, port: u16, family: AddressFamily, deadline: Instant) -> Result<Vec<SocketAddr>, ResolveError> {
    let with_port = |addresses: Vec<IpAddr>| addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    match look_up(host, family, deadline) {
        // The resolver has the same word for a name without such an address and for one that does not exist.
        Err(none @ (ResolveError::NoName(_) | ResolveError::Other(_))) if family != AddressFamily::Any => {
            match look_up(host, AddressFamily::Any, deadline) {
                Ok(others) => Err(ResolveError::NoAddressOfFamily { others }),
                Err(_) => Err(none),
            }
        }
        found => found.map(with_port),
    }
}

/// The resolver knows no deadline, so it works on a thread that is left behind when `deadline` comes.
fn look_up(host: &str, family: AddressFamily, deadline: Instant) -> Result<Vec<IpAddr>, ResolveError> {
    if deadline <= Instant::now() {
        return Err(ResolveError::TimedOut);
    }
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    thread::Builder::new()
        .name("resolve".into())
        .spawn(move || sender.send(ask(&host, family)))
        .map_err(|e| ResolveError::Other(e.to_string()))?;
    receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|_| ResolveError::TimedOut)?
}

fn ask(host: &str, family: AddressFamily) -> Result<Vec<IpAddr>, ResolveError> {
    let hints = AddrInfoHints { address: family.number(), socktype: libc::SOCK_STREAM, ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(resolve_error)?;
    Ok(found.filter_map(Result::ok).map(|info| info.sockaddr.ip()).take(ADDRESSES_LIMIT).collect())
}

fn resolve_error(error: LookupError) -> ResolveError {
    let kind = error.kind();
    let words = io::Error::from(error).to_string();
    let words = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words).to_owned();
    match kind {
        LookupErrorKind::NoName | LookupErrorKind::NoData => ResolveError::NoName(words),
        LookupErrorKind::Again => ResolveError::TemporaryFailure(words),
        _ => ResolveError::Other(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn within(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    fn loopback(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn literals_and_families() {
        assert_eq!(resolve("127.0.0.1", 22, AddressFamily::Any, within(5000)), Ok(vec![loopback(22)]));
        assert_eq!(
            resolve("::1", 22, AddressFamily::Inet, within(5000)),
            Err(ResolveError::NoAddressOfFamily { others: vec!["::1".parse().unwrap()] })
        );
        assert_eq!(resolve("localhost", 7, AddressFamily::Inet, within(5000)), Ok(vec![loopback(7)]));
        assert_eq!(resolve("127.0.0.1", 22, AddressFamily::Any, Instant::now()), Err(ResolveError::TimedOut));
        assert!(matches!(resolve("a\0b", 22, AddressFamily::Any, within(5000)), Err(ResolveError::Other(_))));
    }

    #[test]
    fn the_systems_errors_are_told_apart() {
        let judged = |number| resolve_error(LookupError::new(number));
        assert_eq!(judged(libc::EAI_NONAME), ResolveError::NoName("Name or service not known".into()));
        assert!(matches!(judged(libc::EAI_AGAIN), ResolveError::TemporaryFailure(_)));
        assert!(matches!(judged(libc::EAI_FAIL), ResolveError::Other(_)));
        // The real resolver: an impossible name needs no network to be refused.
        let real = resolve(&format!("{}.invalid", "x".repeat(70)), 22, AddressFamily::Any, within(20_000));
        assert!(matches!(real, Err(ResolveError::NoName(_) | ResolveError::TemporaryFailure(_))), "{real:?}");
    }
}
