//! Gathers facts about this machine, the network and the service; the only code that touches the world.
//!
//! It knows no check: it fills in facts ([`bbdoctor_checks::facts`]), and [`gather`](gather::gather) alone knows the order.
#![allow(clippy::disallowed_methods, reason = "this is where the world is touched")]

pub mod gather;
pub mod git;
pub mod machine;
pub mod openssh;
pub mod server;
