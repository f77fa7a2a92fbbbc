//! Where a connection comes from (`BindAddress` and `BindInterface` of ssh_config(5)).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use crate::machine::resolve::{AddressFamily, resolve};
use bbdoctor_checks::facts::settings::Settings;

/// Where to connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bind {
    /// The system decides.
    Anywhere,
    /// `BindAddress`: an address or a name.
    Address(String),
    /// `BindInterface`, which goes before `BindAddress`.
    Interface(String),
}

/// There is no such address or interface, or it has no address of the family that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoLocalAddress;

impl Bind {
    /// What the settings say.
    pub(crate) fn of(settings: &Settings) -> Self {
        let set = |keyword| settings.value(keyword).map(String::from);
        let interface = set("bindinterface").map(Bind::Interface);
        interface.or_else(|| set("bindaddress").map(Bind::Address)).unwrap_or(Bind::Anywhere)
    }

    /// The local address for a connection to `remote`, as ssh chooses it (`ssh_create_socket`); a name is looked up for at
    /// most `time`.
    ///
    /// # Errors
    /// When there is none; ssh then goes on to the next remote address.
    pub(crate) fn local_for(&self, remote: SocketAddr, time: Duration) -> Result<Option<IpAddr>, NoLocalAddress> {
        let found = match self {
            Bind::Anywhere => return Ok(None),
            Bind::Address(name) => {
                let addresses = resolve(name, 0, AddressFamily::of(&remote), Instant::now() + time).map_err(|_| NoLocalAddress)?;
                addresses.first().map(SocketAddr::ip)
            }
            Bind::Interface(name) => of_interface(name, remote),
        };
        found.map(Some).ok_or(NoLocalAddress)
    }
}

/// The first address of the interface, while it is up; one that leads nowhere else only where there is no other.
fn of_interface(name: &str, remote: SocketAddr) -> Option<IpAddr> {
    let up = getifaddrs().ok()?.filter(|i| i.interface_name == name && i.flags.contains(InterfaceFlags::IFF_UP));
    let addresses: Vec<IpAddr> = up
        .filter_map(|i| {
            let address = i.address?;
            let v4 = address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip())))
        })
        .filter(|ip| ip.is_ipv4() == remote.is_ipv4())
        .collect();
    let leads_far = |ip: &&IpAddr| match ip {
        IpAddr::V4(v4) => *v4 != Ipv4Addr::LOCALHOST,
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unicast_link_local()),
    };
    addresses.iter().find(leads_far).or(addresses.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_gives_an_address_of_the_needed_family() {
        let here = SocketAddr::from(([127, 0, 0, 1], 22));
        let loopback = getifaddrs().unwrap().find(|i| i.flags.contains(InterfaceFlags::IFF_LOOPBACK)).unwrap().interface_name;
        assert_eq!(of_interface(&loopback, here), Some(here.ip()));
        assert_eq!(of_interface("absent0", here), None);
    }
}
