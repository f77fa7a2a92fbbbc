//! Reads what ssh's configuration says about a host, and which line says so.
//!
//! [`evaluate()`] reads the files as OpenSSH 8.7 and later do and keeps file and line of every value, of every value that lost,
//! and of every fault. [`effective`] reads what `ssh -G` says, which is the authority on values wherever there is an ssh, and
//! joins the two. Nothing here runs a `Match exec` command.
//!
//! Sources: `ssh_config(5)`; OpenSSH's `readconf.c`, `misc.c`, `match.c` and `ssh.c`, releases 8.7 to 10.5, and Debian's and
//! Apple's changes to them. Text that is not UTF-8 is read with replacement characters and noted.

mod defaults;
pub mod effective;
mod encoding;
mod evaluate;
mod finish;
mod glob;
mod include;
mod lexer;
mod lists;
mod matching;
mod merge;
mod options;
mod permissions;
mod reading;
pub mod second_opinion;
mod tokens;
mod traits;
mod values;

pub use evaluate::evaluate;
pub use tokens::{TokenContext, expand_tokens};
pub use traits::{ExamineError, examine};

#[cfg(test)]
mod tests;
