//! The way to the server before SSH begins: the addresses of its name, the attempts to connect, and the program that
//! stands in for the connection.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::privacy::{Private, Text};

/// Why a name has no address; the texts are the system's own (`gai_strerror(3)`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolveError {
    /// The name does not exist or has no address (`EAI_NONAME`, `EAI_NODATA`).
    NoName(String),
    /// The name has addresses, none of them of the wanted family.
    NoAddressOfFamily {
        /// Those it has.
        others: Vec<IpAddr>,
    },
    /// No name server answered, or it could not say (`EAI_AGAIN`).
    TemporaryFailure(String),
    /// No answer by the deadline.
    TimedOut,
    /// Another failure.
    Other(String),
}

impl ResolveError {
    /// What is the matter, as part of a sentence.
    pub fn text(&self) -> Text {
        match self {
            ResolveError::NoName(words) | ResolveError::TemporaryFailure(words) | ResolveError::Other(words) => {
                Private::quoted(words).into()
            }
            ResolveError::NoAddressOfFamily { .. } => "no address of the wanted family".into(),
            ResolveError::TimedOut => "no answer in time".into(),
        }
    }
}

/// How an attempt to connect ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// To this address.
    pub address: SocketAddr,
    /// It took so long, in milliseconds.
    pub milliseconds: u64,
    /// How it ended.
    pub outcome: ConnectOutcome,
}

/// What a proxy program left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyEnd {
    /// The exit status, if it ended by itself; 126 and 127 are the shell's for a command it cannot run or find.
    pub exit_status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The first bytes of its error output.
    #[serde(with = "super::bytes")]
    pub stderr: Vec<u8>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn private_addresses_are_no_public_ones() {
        let public = ["104.192.141.1", "2406:da00:ff00::1"];
        let private = ["127.0.0.2", "10.1.2.3", "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"];
        let judge = |address: &&str| is_public(address.parse().expect("an address"));
        assert!(public.iter().all(judge) && !private.iter().any(judge));
    }

    #[test]
    fn is_recorded_and_read_back() {
        survives_json(&ResolveError::NoAddressOfFamily { others: vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()] });
        survives_json(&ResolveError::TimedOut);
        for address in ["[fe80::1]:22", "10.0.0.1:7999"] {
            for outcome in [ConnectOutcome::CannotBind, ConnectOutcome::Other("words".into())] {
                survives_json(&Attempt { address: address.parse().unwrap(), milliseconds: 3, outcome });
            }
        }
        survives_json(&ProxyEnd { exit_status: Some(127), signal: None, stderr: b"caf\xe9".to_vec() });
    }
}
