//! ssh's configuration as effect, whatever its text looks like.

mod connection;
mod login;
mod session;
