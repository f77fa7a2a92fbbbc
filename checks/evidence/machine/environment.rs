//! The environment variables of this process.

use bbdoctor_checks::facts::environment::Environment;
/// The environment of this process.
pub fn capture() -> Environment {
    std::env::vars_os().collect()
}
