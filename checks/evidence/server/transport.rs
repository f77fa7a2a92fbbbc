//! The way to the server before SSH begins: a TCP connection, and what is said first on it.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::bind::Bind;
use super::kexinit::IdentificationReader;

use bbdoctor_checks::facts::connection::Attempt;
use bbdoctor_checks::facts::connection::ConnectOutcome;

/// Tries the addresses in their order, as ssh does, until one is connected. Each gets at most `per_address`
/// (`ConnectTimeout`), and no more than its share of what is left until `deadline`, so that one that swallows everything
/// does not hide the next. `bind` says where to connect from.
///
/// Returns the connection, if any, and every attempt.
pub(crate) fn connect(
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

/// The identification (`SSH-2.0-…`) of whatever listens at the other end, if it has one that OpenSSH takes and says it by
/// `deadline`. Sends nothing: RFC 4253 section 4.2 lets both sides speak first, and servers do.
pub fn identification(stream: &mut TcpStream, deadline: Instant) -> Option<String> {
    let mut reader = IdentificationReader::default();
    let mut buffer = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => {
                reader.feed(&buffer[..count]).ok()?;
                if let Some(identification) = reader.identification() {
                    return Some(identification.to_owned());
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
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
        // Bound, so that nobody else takes the port, and not listening.
        let refusing = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        refusing.bind(&loopback(0).into()).unwrap();
        let closed = refusing.local_addr().unwrap().as_socket().unwrap();
        let addresses = [silent, closed, good.local_addr().unwrap()];
        let (stream, attempts) = connect(&addresses, Duration::from_secs(30), within(3000), &Bind::Anywhere);
        assert!(stream.is_some());
        let outcomes: Vec<_> = attempts.iter().map(|a| a.outcome.clone()).collect();
        assert_eq!(outcomes, [ConnectOutcome::TimedOut, ConnectOutcome::Refused, ConnectOutcome::Connected]);
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
    fn reads_an_identification_and_gives_up_on_anything_else() {
        let _watchdog = bbdoctor_test_support::watchdog();
        let heard = |bytes: &'static [u8], stays: bool, deadline: Instant| {
            let listener = TcpListener::bind(loopback(0)).unwrap();
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            server.write_all(bytes).unwrap();
            let _held = stays.then_some(server);
            identification(&mut stream, deadline)
        };
        // Only a silent peer costs the deadline; the others would hang here if they did.
        let late = within(600_000);
        assert_eq!(heard(b"hello\r\nSSH-2.0-x\r\n", true, late).as_deref(), Some("SSH-2.0-x"));
        assert_eq!(heard(b"", true, within(300)), None);
        assert_eq!(heard(b"HTTP/1.1 400\r\n", false, late), None);
        assert_eq!(heard(b"\x15\x03\x01\0\x02\x02\x46", true, late), None);
    }
}
