//! The environment variables of this process.

pub use crate::facts::environment::*;

/// The environment of this process.
pub fn capture() -> Environment {
    std::env::vars_os().collect()
}
