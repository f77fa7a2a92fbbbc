//! The way to the server before SSH begins: a TCP connection, and what is said first on it.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use serde::Serialize;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::bind::Bind;
use super::kexinit::{IdentificationReader, NotIdentification, TEXT_LIMIT};

/// How an attempt to connect ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectOutcome {
    /// Connected.
    Connected,
    /// Connected, and reset before anybody looked. ssh takes the connection, and meets the reset when it reads.
    Reset,
    /// Nobody listens there, or something on the way says so (`ECONNREFUSED`).
    Refused,
    /// No answer in its time.
    TimedOut,
    /// No route (`ENETUNREACH`).
    NetworkUnreachable,
    /// No way to the host (`EHOSTUNREACH`).
    HostUnreachable,
    /// This machine forbids it (`EACCES`, `EPERM`): a local firewall or a sandbox.
    DeniedLocally,
    /// The local address or interface asked for (`BindAddress`, `BindInterface`) is not to be had for this one.
    CannotBind,
    /// Not tried, for the deadline had come.
    NotTried,
    /// Another error, in the system's words.
    Other(String),
}

/// One attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// To this address.
    pub address: SocketAddr,
    /// It took so long, in milliseconds.
    pub milliseconds: u64,
    /// How it ended.
    pub outcome: ConnectOutcome,
}

/// Tries the addresses in their order, as ssh does, until one is connected. Each gets at most `per_address`
/// (`ConnectTimeout`), and no more than its share of what is left until `deadline`, so that one that swallows everything
/// does not hide the next. `bind` says where to connect from.
///
/// Returns the connection, if any, and every attempt.
pub fn connect(
    addresses: &[SocketAddr],
    per_address: Duration,
    deadline: Instant,
    bind: &Bind,
) -> (Option<TcpStream>, Vec<Attempt>) {
    let mut attempts = Vec::new();
    let mut waiting = addresses.len() as u32;
    for &address in addresses {
        let started = Instant::now();
        let share = deadline.saturating_duration_since(started) / waiting.max(1);
        waiting -= 1;
        let (stream, outcome) = match share.min(per_address) {
            Duration::ZERO => (None, ConnectOutcome::NotTried),
            share => match connect_one(address, share, bind) {
                Ok((stream, outcome)) => (Some(stream), outcome),
                Err(outcome) => (None, outcome),
            },
        };
        attempts.push(Attempt { address, milliseconds: started.elapsed().as_millis() as u64, outcome });
        if stream.is_some() {
            return (stream, attempts);
        }
    }
    (None, attempts)
}

fn connect_one(address: SocketAddr, time: Duration, bind: &Bind) -> Result<(TcpStream, ConnectOutcome), ConnectOutcome> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(|e| connect_outcome(&e))?;
    if let Some(local) = bind.local_for(address, time).map_err(|_| ConnectOutcome::CannotBind)? {
        socket.bind(&SockAddr::from(SocketAddr::new(local, 0))).map_err(|_| ConnectOutcome::CannotBind)?;
    }
    let outcome = match socket.connect_timeout(&SockAddr::from(address), time) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionReset => ConnectOutcome::Reset,
        result => result.map(|()| ConnectOutcome::Connected).map_err(|e| connect_outcome(&e))?,
    };
    // The handshake is a conversation of small packets.
    let _ = socket.set_tcp_nodelay(true);
    Ok((TcpStream::from(OwnedFd::from(socket)), outcome))
}

fn connect_outcome(error: &io::Error) -> ConnectOutcome {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectOutcome::Refused,
        io::ErrorKind::TimedOut => ConnectOutcome::TimedOut,
        io::ErrorKind::NetworkUnreachable => ConnectOutcome::NetworkUnreachable,
        io::ErrorKind::HostUnreachable => ConnectOutcome::HostUnreachable,
        io::ErrorKind::PermissionDenied => ConnectOutcome::DeniedLocally,
        _ => ConnectOutcome::Other(error.to_string()),
    }
}

/// Whether an address is one of the public network: not loopback, private, link-local, documentation or unspecified.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let carrier_grade = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            let local = v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified();
            !(local || carrier_grade || v4.is_documentation() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            let local = (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80 || v6.is_loopback() || v6.is_unspecified();
            let documentation = first == 0x2001 && v6.segments()[1] == 0xdb8;
            !(local || documentation) && v6.to_ipv4_mapped().is_none_or(|v4| is_public(v4.into()))
        }
    }
}

/// What came instead of an identification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoBanner {
    /// Why the reading stopped.
    pub because: NoBannerCause,
    /// The first bytes, at most [`TEXT_LIMIT`].
    pub first_bytes: Vec<u8>,
}

/// Why no identification was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoBannerCause {
    /// The peer closed or reset the connection.
    Closed,
    /// The deadline came.
    TimedOut,
    /// What came is not one that OpenSSH takes.
    NotSsh(NotIdentification),
    /// An error of the system, in its words.
    Io(String),
}

/// The identification (`SSH-2.0-…`) of whatever listens at the other end. Sends nothing: RFC 4253 section 4.2 lets both
/// sides speak first, and servers do.
///
/// # Errors
/// What came instead.
pub fn banner(stream: &mut TcpStream, deadline: Instant) -> Result<String, NoBanner> {
    let mut reader = IdentificationReader::default();
    let mut first_bytes = Vec::new();
    let mut buffer = [0; 1024];
    let because = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break NoBannerCause::TimedOut;
        }
        match stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut buffer)) {
            Ok(0) => break NoBannerCause::Closed,
            Ok(count) => {
                let room = (TEXT_LIMIT - first_bytes.len()).min(count);
                first_bytes.extend_from_slice(&buffer[..room]);
                if let Err(objection) = reader.feed(&buffer[..count]) {
                    break NoBannerCause::NotSsh(objection);
                }
                if let Some(identification) = reader.identification() {
                    return Ok(identification.to_owned());
                }
            }
            Err(e) => match e.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => break NoBannerCause::TimedOut,
                io::ErrorKind::ConnectionReset => break NoBannerCause::Closed,
                _ => break NoBannerCause::Io(e.to_string()),
            },
        }
    };
    Err(NoBanner { because, first_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    fn within(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    fn loopback(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn private_addresses_are_no_public_ones() {
        let public = ["104.192.141.1", "2406:da00:ff00::1"];
        let private = ["127.0.0.2", "10.1.2.3", "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"];
        let judge = |address: &&str| is_public(address.parse().expect("an address"));
        assert!(public.iter().all(judge) && !private.iter().any(judge));
    }

    /// An address that swallows connections: a listener whose queue is full.
    fn swallowing() -> (Socket, Vec<Socket>, SocketAddr) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&loopback(0).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let held = (0..4)
            .map(|_| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_nonblocking(true).unwrap();
                let _ = socket.connect(&address.into());
                socket
            })
            .collect();
        (listener, held, address)
    }

    #[test]
    fn a_silent_address_leaves_time_for_the_next() {
        let (_listener, _held, silent) = swallowing();
        let good = TcpListener::bind(loopback(0)).unwrap();
        let closed = TcpListener::bind(loopback(0)).unwrap().local_addr().unwrap();
        let addresses = [silent, closed, good.local_addr().unwrap()];
        let (stream, attempts) = connect(&addresses, Duration::from_secs(30), within(900), &Bind::Anywhere);
        assert!(stream.is_some());
        let outcomes: Vec<_> = attempts.iter().map(|a| a.outcome.clone()).collect();
        assert_eq!(outcomes, [ConnectOutcome::TimedOut, ConnectOutcome::Refused, ConnectOutcome::Connected]);
        assert!((250..600).contains(&attempts[0].milliseconds), "{attempts:?}");
        let (_, attempts) = connect(&addresses, Duration::from_millis(50), Instant::now(), &Bind::Anywhere);
        assert!(attempts.iter().all(|a| a.outcome == ConnectOutcome::NotTried));
    }

    #[test]
    fn a_foreign_local_address_cannot_be_bound() {
        let good = TcpListener::bind(loopback(0)).unwrap();
        let address = good.local_addr().unwrap();
        for (bind, expected) in [
            ("192.0.2.1", ConnectOutcome::CannotBind),
            ("::1", ConnectOutcome::CannotBind),
            ("absent.invalid", ConnectOutcome::CannotBind),
            ("127.0.0.2", ConnectOutcome::Connected),
            ("localhost", ConnectOutcome::Connected),
        ] {
            let (_, attempts) = connect(&[address], Duration::from_secs(5), within(5000), &Bind::Address(bind.into()));
            assert_eq!(attempts[0].outcome, expected, "{bind}");
        }
    }

    #[test]
    fn reads_an_identification_or_what_came_instead() {
        let heard = |bytes: &'static [u8], stays: bool| {
            let listener = TcpListener::bind(loopback(0)).unwrap();
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            server.write_all(bytes).unwrap();
            let _held = stays.then_some(server);
            banner(&mut stream, within(300))
        };
        assert_eq!(heard(b"hello\r\nSSH-2.0-x\r\n", true), Ok("SSH-2.0-x".into()));
        assert_eq!(heard(b"", true).unwrap_err().because, NoBannerCause::TimedOut);
        assert_eq!(heard(b"HTTP/1.1 400\r\n", false).unwrap_err().because, NoBannerCause::Closed);
        let tls = heard(b"\x15\x03\x01\0\x02\x02\x46", true).unwrap_err();
        assert_eq!(
            tls,
            NoBanner {
                because: NoBannerCause::NotSsh(NotIdentification::InvalidCharacters),
                first_bytes: b"\x15\x03\x01\0\x02\x02\x46".to_vec()
            }
        );
    }
}
