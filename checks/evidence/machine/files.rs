//! Reading files within bounds: a size limit, and never a wait on a pipe or a device.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use bbdoctor_checks::facts::files::Access;

/// The most that is read of any file, in bytes; no configuration, key or known_hosts file of use is larger.
pub const SIZE_LIMIT: u64 = 4 << 20;

/// Opens without waiting for a writer, should the path be a pipe.
///
/// # Errors
/// As `open(2)`.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)
}

/// The first [`SIZE_LIMIT`] bytes of a regular file. `/dev/null` and the like read as empty.
///
/// # Errors
/// As `open(2)` and `read(2)`; `IsADirectory` for a folder.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut out = Vec::new();
    if meta.is_file() {
        file.take(SIZE_LIMIT).read_to_end(&mut out)?;
    }
    Ok(out)
}

/// Whether `path` leads to a file, and not to a pipe, a device or a folder.
pub fn is_ordinary(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Whether this process may write to `path`; for a folder, make and replace files in it.
pub fn is_writable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok()
}

/// Whether `path` leads to a folder.
pub fn is_folder(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Whether there is anything at `path`, be it a symbolic link that leads nowhere.
pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Owner and mode of an opened file.
pub fn access_of(meta: &Metadata) -> Access {
    Access { uid: meta.uid(), gid: meta.gid(), mode: meta.mode() & 0o7777 }
}

/// Owner and mode of `path`.
///
/// # Errors
/// As `stat(2)`.
pub fn access(path: &Path) -> io::Result<Access> {
    std::fs::metadata(path).map(|meta| access_of(&meta))
}

/// The line of the hosts file (hosts(5)) that names a host, counted from 1.
pub(crate) fn hosts_file_line(name: &str) -> Option<usize> {
    let bytes = read(Path::new("/etc/hosts")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let names =
        |line: &str| line.split('#').next().unwrap_or_default().split_whitespace().skip(1).any(|n| n.eq_ignore_ascii_case(name));
    text.lines().position(names).map(|n| n + 1)
}

/// Whether text has a private key in it, by the line with which each begins (RFC 7468).
pub(crate) fn holds_private_key(bytes: &[u8]) -> bool {
    bytes.windows(16).any(|window| window == b"PRIVATE KEY-----") || bytes.starts_with(b"PuTTY-User-Key-File")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_pipe_nor_a_folder_nor_a_device_holds_it_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        assert_eq!(read(&pipe).expect("reads as empty"), b"");
        assert_eq!(read(Path::new("/dev/zero")).expect("reads as empty"), b"");
        assert_eq!(read(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
