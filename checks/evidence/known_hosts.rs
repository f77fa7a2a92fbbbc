//! What the known_hosts files say of a host, and what ssh would make of the key a server presents
//! (sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT"; `hostfile.c` and `check_host_key` of `sshconnect.c`).

mod judgement;
mod line;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use judgement::{Judgement, judge, preferred_algorithms};

use super::files;
use super::public_key::PublicKey;
use line::{Names, Wanted};

/// The most entries kept for one host, and the most malformed lines that mention it.
const LIST_LIMIT: usize = 1000;

/// The most malformed lines that are kept of other hosts.
const OTHERS_LIMIT: usize = 100;

/// The most that is read of a file, in bytes: known_hosts files grow with every server and are larger than other files.
const FILE_LIMIT: u64 = 64 << 20;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// A server's key.
    None,
    /// `@cert-authority`: whoever signs the host's certificate.
    CertAuthority,
    /// `@revoked`: a key never to be trusted.
    Revoked,
}

/// How a line names the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// In clear.
    Plain,
    /// As `|1|salt|hash`.
    Hashed,
    /// By a pattern with `*` or `?`.
    Wildcard,
}

/// A line that speaks of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// Its marker.
    pub marker: Marker,
    /// The type inside the key.
    pub algorithm: String,
    /// The key.
    pub key: PublicKey,
    /// How the host is named.
    pub how: How,
    /// Found under the plain name although another port than 22 was asked for: counts only when the bracketed name does
    /// not lead to trust by itself.
    pub via_fallback: bool,
}

/// Why ssh skips a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
    /// The wanted host stands somewhere in it.
    pub mentions_host: bool,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The file.
    pub file: PathBuf,
    /// `errno`, if the system gave one.
    pub errno: Option<i32>,
    /// It does not exist, which ssh takes as empty.
    pub missing: bool,
}

/// Everything the files say of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostEntries {
    /// The name that was looked up: `host`, or `[host]:port`.
    pub name: String,
    /// Its lines, in the order of the files.
    pub keys: Vec<Entry>,
    /// Lines that ssh skips, whichever host they are for; those that mention this one are flagged.
    pub malformed: Vec<Malformed>,
    /// Files that could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// The name under which ssh looks a host up: in lower case, and for another port than 22 as `[host]:port`
/// (`put_host_port`). `host` is the name after `HostName`, or `HostKeyAlias` (which ssh takes without the port: pass 22).
pub fn lookup_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 || port == 0 { host } else { format!("[{host}]:{port}") }
}

/// Looks `host` up in `files`, which are UserKnownHostsFile's and then GlobalKnownHostsFile's.
pub fn lookup(files: &[PathBuf], host: &str, port: u16) -> HostEntries {
    let wanted = Wanted::new(host, port);
    let mut found = HostEntries { name: wanted.name.clone(), ..HostEntries::default() };
    for file in files {
        match read_whole(file) {
            Ok(bytes) => read_file(file, &bytes, &wanted, &mut found),
            Err(error) => found.unreadable.push(Unreadable {
                file: file.clone(),
                errno: error.raw_os_error().or((error.kind() == io::ErrorKind::IsADirectory).then_some(libc::EISDIR)),
                missing: error.kind() == io::ErrorKind::NotFound,
            }),
        }
    }
    found
}

/// As [`files::read`], with a limit of its own.
fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let file = files::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    if meta.is_file() {
        file.take(FILE_LIMIT).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn read_file(file: &Path, bytes: &[u8], wanted: &Wanted, found: &mut HostEntries) {
    for (index, raw) in bytes.split(|&b| b == b'\n').enumerate() {
        let line = index + 1;
        match line::read(raw, wanted) {
            line::Line::Other => {}
            line::Line::Malformed { fault, mentions_host } => {
                if found.malformed.len() < if mentions_host { LIST_LIMIT } else { OTHERS_LIMIT } {
                    found.malformed.push(Malformed { file: file.to_owned(), line, fault, mentions_host });
                }
            }
            line::Line::Names { marker, names: Names { how, via_fallback }, key } => {
                if found.keys.len() < LIST_LIMIT {
                    let algorithm = key.algorithm.clone();
                    found.keys.push(Entry { file: file.to_owned(), line, marker, algorithm, key: *key, how, via_fallback });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
