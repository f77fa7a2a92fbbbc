//! Where reports go besides stdout: files that are opened before the work begins, so that a run of seconds is not lost on a
//! path that cannot be written.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum as _;

use crate::cli::Format;

/// What `--output` names: `FILE`, or `FORMAT:FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The form of the report in it, where it is not that of stdout.
    pub(crate) format: Option<Format>,
    /// The file.
    pub(crate) path: PathBuf,
}

impl FromStr for Destination {
    type Err = String;

    /// A prefix that names no format is part of the file's name.
    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = match text.split_once(':').map(|(name, path)| (Format::from_str(name, false), path)) {
            Some((Ok(format), path)) => (Some(format), path),
            _ => (None, text),
        };
        if path.is_empty() {
            return Err("the name of the file is missing".into());
        }
        Ok(Destination { format, path: path.into() })
    }
}

/// A file that waits for its report.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Opens `path` for this user alone (mode 0600). What stood in it stays until [`Output::write`].
    ///
    /// # Errors
    /// The system's, and one for what is no ordinary file or device: a symbolic link is never followed (in a folder that others
    /// may write to, it could lead anywhere), and a pipe could keep the report waiting for a reader.
    #[allow(clippy::disallowed_methods, reason = "the report's own file")]
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path).map_err(
            |e| match e.raw_os_error() {
                Some(nix::libc::ELOOP) => io::Error::other("it is a symbolic link, which is not followed"),
                Some(nix::libc::ENXIO) => io::Error::other("it is a pipe or a socket, not a file"),
                _ => e,
            },
        )?;
        let kind = file.metadata()?.file_type();
        if kind.is_file() {
            file.set_permissions(Permissions::from_mode(0o600))?;
        } else if !kind.is_char_device() {
            return Err(io::Error::other("it is no ordinary file"));
        }
        Ok(Output { path: path.to_path_buf(), file })
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts `text` in the place of whatever stood in the file.
    ///
    /// # Errors
    /// The system's: a full disk, a quota. The file then holds a part of the report, or nothing.
    pub(crate) fn write(mut self, text: &str) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_format_only_when_it_is_the_name_of_one() {
        let parsed = |text: &str| text.parse::<Destination>().map(|d| (d.format, d.path));
        assert_eq!(parsed("json:a.json"), Ok((Some(Format::Json), "a.json".into())));
        assert_eq!(parsed("report:a.json"), Ok((None, "report:a.json".into())));
        assert_eq!(parsed("a.json"), Ok((None, "a.json".into())));
        assert!(parsed("json:").is_err() && parsed("").is_err());
    }
}
