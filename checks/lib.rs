//! The checks of bbdoctor: questions asked of evidence about a `git clone` over SSH.
//!
//! Each check is one file here, with its page beside it. Evidence, the only code that touches the world, is in
//! [`evidence`].

pub mod check;
mod code;
pub mod evidence;
pub mod finding;
pub mod privacy;
pub mod remedy;
