//! The server: the way to it, the protocol, and what is said with it.

pub(crate) mod alternates;
pub(crate) mod bind;
pub(crate) mod conversation;
pub mod handshake;
pub mod kexinit;
pub mod libssh2;
mod pkt_line;
pub mod proxy;
pub(crate) mod route;
pub mod session;
pub mod transport;
