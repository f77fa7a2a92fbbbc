//! Changes of the user's files. Nothing is overwritten: what was there is kept beside.
#![allow(clippy::disallowed_methods, reason = "here files are changed")]

pub(crate) mod restore;
