//! Looks a host up in known_hosts files (sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT"; `hostfile.c`).

mod line;

use bbdoctor_checks::facts::known_hosts::{HostEntries, HostKeyLine, SkippedLine, UnreadableFile};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::machine::files;
use line::Wanted;

/// The most entries kept for one host, and the most malformed lines that mention it.
const LIST_LIMIT: usize = 1000;

/// The most malformed lines that are kept of other hosts.
const OTHERS_LIMIT: usize = 100;

/// The most that is read of a file, in bytes: known_hosts files grow with every server and are larger than other files.
const FILE_LIMIT: u64 = 64 << 20;

/// The name under which ssh looks a host up: in lower case, and for another port than 22 as `[host]:port`
/// (`put_host_port`). `host` is the name after `HostName`, or `HostKeyAlias` (which ssh takes without the port: pass 22).
fn lookup_name(host: &str, port: u16) -> String {
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
            Err(error) => {
                found.unreadable.push(UnreadableFile { file: file.clone(), missing: error.kind() == io::ErrorKind::NotFound })
            }
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
                    found.malformed.push(SkippedLine { file: file.to_owned(), line, fault, mentions_host });
                }
            }
            line::Line::Names { marker, via_fallback, key } => {
                if found.keys.len() < LIST_LIMIT {
                    let algorithm = key.algorithm.clone();
                    found.keys.push(HostKeyLine { file: file.to_owned(), line, marker, algorithm, key: *key, via_fallback });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
