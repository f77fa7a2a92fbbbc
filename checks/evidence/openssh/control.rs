//! Connection sharing (ssh_config(5), ControlPath): is there a master, does it answer, and could ssh make one?

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::machine::files;
use crate::machine::platform;
use bbdoctor_checks::facts::control::{Control, Unusable};

/// What ssh appends to the path while it makes the socket (`unix_listener` in `misc.c`: a dot and 16 letters).
const TEMPORARY_SUFFIX: usize = 17;
/// How long a master may take to say hello.
const LIMIT: Duration = Duration::from_millis(1500);
/// MUX_MSG_HELLO, protocol version 4 (OpenSSH's PROTOCOL.mux), with its length in front.
const HELLO: [u8; 12] = [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4];

/// Looks at `path`, the expanded ControlPath. `makes` says whether ssh would make a master there (ControlMaster).
pub fn look(path: &Path, makes: bool) -> Control {
    let limit = platform::SOCKET_NAME_LIMIT;
    let bytes = path.as_os_str().as_bytes().len() + if makes { TEMPORARY_SUFFIX } else { 0 };
    let unusable = |why| Control::Unusable(path.to_path_buf(), why);
    if bytes >= limit {
        return unusable(Unusable::TooLong { bytes, limit });
    }
    match hello(path) {
        Some(true) => return Control::Master(path.to_path_buf()),
        Some(false) => return unusable(Unusable::MasterSilent),
        None => {}
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (files::access(folder).is_ok(), makes) {
        (false, true) => return unusable(Unusable::NoFolder),
        (false, false) => return Control::NoFolder(path.to_path_buf()),
        (true, false) => return Control::Nobody,
        (true, true) => {}
    }
    let writable = nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK).is_ok();
    if writable { Control::Nobody } else { unusable(Unusable::NotWritable) }
}

/// Whether a master says hello; `None` when nobody listens.
fn hello(path: &Path) -> Option<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).ok()?;
    socket.connect_timeout(&SockAddr::unix(path).ok()?, LIMIT).ok()?;
    socket.set_nonblocking(false).ok()?;
    let mut stream: UnixStream = OwnedFd::from(socket).into();
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut answer = [0; 12];
    Some(stream.write_all(&HELLO).and_then(|()| stream.read_exact(&mut answer)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_judged_as_ssh_judges_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        assert_eq!(look(&path, true), Control::Nobody);
        let missing = folder.path().join("none/socket");
        assert_eq!(look(&missing, true), Control::Unusable(missing.clone(), Unusable::NoFolder));
        assert_eq!(look(&missing, false), Control::NoFolder(missing), "without ControlMaster ssh makes no socket");
        let long = folder.path().join("x".repeat(100));
        assert!(matches!(look(&long, true), Control::Unusable(_, Unusable::TooLong { .. })));
    }

    #[test]
    fn a_master_that_says_nothing_is_told_from_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let _silent = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        assert_eq!(look(&path, true), Control::Unusable(path, Unusable::MasterSilent));
    }
}
