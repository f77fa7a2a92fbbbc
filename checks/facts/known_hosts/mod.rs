//! What the known_hosts files say of a host, and what ssh makes of the key a server presents
//! (sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT").

mod judgement;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use judgement::{Judgement, judge, preferred_algorithms};

use super::bytes;
use crate::facts::public_key::PublicKey;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// A server's key.
    None,
    /// `@cert-authority`: whoever signs the host's certificate.
    CertAuthority,
    /// `@revoked`: a key never to be trusted.
    Revoked,
}

/// A line that speaks of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKeyLine {
    /// The file.
    #[serde(with = "bytes")]
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// Its marker.
    pub marker: Marker,
    /// The type inside the key.
    pub algorithm: String,
    /// The key.
    pub key: PublicKey,
    /// Found under the plain name although another port than 22 was asked for: counts only when the bracketed name does
    /// not lead to trust by itself.
    pub via_fallback: bool,
}

/// Why ssh skips a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineFault {
    /// A marker that ssh does not know, or two of them.
    Marker,
    /// `|1|…` without a salt and a hash of 20 bytes.
    Hash,
    /// The line ends before the key; the next one may hold the rest.
    Truncated,
    /// The key is not base64 or has lost its end.
    Base64,
    /// The key's fields do not add up.
    Damaged,
    /// The line says another type than the key, whose type this is.
    TypeDiffers(String),
    /// The words are all there, in another order: host, type, key is what ssh reads.
    ColumnOrder,
    /// A fingerprint (`SHA256:…`) stands where the key belongs.
    Fingerprint,
    /// A type this ssh does not know.
    UnknownType(String),
    /// An RSA key that is too short for ssh, of so many bits.
    RsaTooShort(u32),
    /// SSH version 1: bits, exponent, modulus.
    Version1,
}

/// A line that ssh skips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedLine {
    /// The file.
    #[serde(with = "bytes")]
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: LineFault,
    /// The wanted host stands somewhere in it.
    pub mentions_host: bool,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableFile {
    /// The file.
    #[serde(with = "bytes")]
    pub file: PathBuf,
    /// It does not exist, which ssh takes as empty.
    pub missing: bool,
}

/// Everything the files say of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntries {
    /// The name that was looked up: `host`, or `[host]:port`.
    pub name: String,
    /// Its lines, in the order of the files.
    pub keys: Vec<HostKeyLine>,
    /// Lines that ssh skips, whichever host they are for; those that mention this one are flagged.
    pub malformed: Vec<SkippedLine>,
    /// Files that could not be read.
    pub unreadable: Vec<UnreadableFile>,
}

#[cfg(test)]
mod tests;
