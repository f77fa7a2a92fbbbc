//! `bbdoctor restore FILE`: a key file that was damaged on its way is written anew, and so is a `.pub` that is lost or
//! belongs to another key.
//!
//! A new file is written beside the old one, read back and judged before it takes its place in one step; the old content is
//! kept under a name that was free. No byte of a private key is printed.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bbdoctor_checks::facts::files::with_suffix;
use bbdoctor_checks::facts::key_file::KeyState;
use bbdoctor_checks::facts::public_key::PublicKey;
use bbdoctor_evidence::machine::files;
use bbdoctor_evidence::openssh::key_file::{self, Loader};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// How many names are tried for what is kept.
const NAMES: u32 = 100;

/// What was done, in the order in which it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The key file was written anew; where its old content is.
    Key {
        /// The file, links followed.
        file: PathBuf,
        /// Its old content.
        kept: PathBuf,
    },
    /// The `.pub` was written; where its old content is, if it had any.
    Public {
        /// The `.pub`.
        file: PathBuf,
        /// Its old content.
        kept: Option<PathBuf>,
    },
}

/// Why nothing was done. The sentence goes on after the file's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nothing has this name.
    #[error("does not exist")]
    Missing,
    /// A folder, a pipe, a device.
    #[error("is no regular file")]
    NotAFile,
    /// Another account's.
    #[error("belongs to somebody else")]
    NotYours,
    /// A `.pub`.
    #[error("is a public key; name the private one")]
    PublicHalf,
    /// PuTTY's format.
    #[error("is a key of PuTTY; puttygen converts it")]
    Putty,
    /// Newer than bbdoctor, or older than ssh takes.
    #[error("is a key of a type that bbdoctor does not know")]
    UnknownType,
    /// Not all of the key is there.
    #[error("cannot be restored: too much of the key is lost")]
    Lost,
    /// The file changed meanwhile.
    #[error("was changed by another program meanwhile; nothing was done")]
    Changed,
    /// What was written does not read back as the key.
    #[error("could not be restored: the restored key does not load")]
    NotVerified,
    /// The system refuses.
    #[error("cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

impl Refusal {
    /// Whether the key itself, and not the question, is what is wrong.
    pub(crate) fn is_the_keys(&self) -> bool {
        matches!(self, Refusal::Lost | Refusal::Putty | Refusal::UnknownType | Refusal::NotVerified)
    }
}

/// Restores the private key at `file` and the `.pub` beside it, as far as they need it. A file that needs nothing is left as
/// it is, so that a second time does nothing.
///
/// # Errors
/// Nothing was changed, except where the `.pub` fails after the key was restored.
pub(crate) fn restore(file: &Path) -> Result<Vec<Done>, Refusal> {
    let loader = Loader { uid: nix::unistd::geteuid().as_raw(), openssh: None };
    let target = fs::canonicalize(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refusal::Missing,
        _ => error.into(),
    })?;
    let old = Old::read(&target)?;
    let key = key_file::restore(&old.bytes, &loader).map_err(|state| match state {
        KeyState::PublicHalf => Refusal::PublicHalf,
        KeyState::Ppk => Refusal::Putty,
        KeyState::UnsupportedType(_) => Refusal::UnknownType,
        _ => Refusal::Lost,
    })?;
    let mut done = Vec::new();
    if let Some(text) = &key.text {
        let whole = |bytes: &[u8]| key_file::restore(bytes, &loader).is_ok_and(|key| key.text.is_none());
        let kept = old.replace(text, 0o600, whole)?;
        done.push(Done::Key { file: target, kept });
    }
    if let Some(public) = &key.public {
        done.extend(restore_public(&with_suffix(file, ".pub"), public)?);
    }
    Ok(done)
}

/// Writes the `.pub` where it is missing or holds another key.
fn restore_public(file: &Path, public: &PublicKey) -> Result<Option<Done>, Refusal> {
    let comment: String = public.comment.chars().filter(|c| !c.is_control()).collect();
    let line = format!("{} {comment}", public.line()).trim_end().to_owned() + "\n";
    let ours = |bytes: &[u8]| PublicKey::from_file_bytes(bytes).is_some_and(|key| key.plain_blob() == public.plain_blob());
    if !files::exists(file) {
        let new = written(file, line.as_bytes(), 0o644, ours)?;
        new.persist_noclobber(file).map_err(|error| error.error)?;
        return Ok(Some(Done::Public { file: file.to_owned(), kept: None }));
    }
    let target = fs::canonicalize(file)?;
    let old = Old::read(&target)?;
    if ours(&old.bytes) {
        return Ok(None);
    }
    let kept = old.replace(line.as_bytes(), 0o644, ours)?;
    Ok(Some(Done::Public { file: target, kept: Some(kept) }))
}

/// A file as it was found.
struct Old<'a> {
    path: &'a Path,
    meta: Metadata,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'a> Old<'a> {
    /// Reads a regular file of the user's own; `path` has no links in it.
    fn read(path: &'a Path) -> Result<Self, Refusal> {
        let mut file = files::open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(Refusal::NotAFile);
        }
        if meta.uid() != nix::unistd::geteuid().as_raw() {
            return Err(Refusal::NotYours);
        }
        let mut bytes = Zeroizing::new(Vec::new());
        (&mut file).take(files::SIZE_LIMIT).read_to_end(&mut bytes)?;
        Ok(Old { path, meta, bytes })
    }

    /// Puts `new` in its place if it reads back as `whole`; gives the name under which the old content is kept.
    fn replace(&self, new: &[u8], mode: u32, whole: impl Fn(&[u8]) -> bool) -> Result<PathBuf, Refusal> {
        let new = written(self.path, new, mode, whole)?;
        let kept = self.keep()?;
        let now = fs::symlink_metadata(self.path);
        let identity = |meta: &Metadata| (meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec());
        if !now.is_ok_and(|now| identity(&now) == identity(&self.meta)) {
            fs::remove_file(&kept)?;
            return Err(Refusal::Changed);
        }
        new.persist(self.path).map_err(|error| error.error)?;
        Ok(kept)
    }

    /// Writes the old content beside, under a name that is free and for the user's eyes alone.
    fn keep(&self) -> io::Result<PathBuf> {
        let mut taken = None;
        for n in 1..=NAMES {
            let suffix = if n == 1 { ".damaged".to_owned() } else { format!(".damaged.{n}") };
            let path = with_suffix(self.path, &suffix);
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    file.write_all(&self.bytes)?;
                    file.sync_all()?;
                    return Ok(path);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(taken.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
    }
}

/// A new file in the folder of `path`, on the disk and read back; it is gone again unless it is given a name.
fn written(path: &Path, bytes: &[u8], mode: u32, whole: impl Fn(&[u8]) -> bool) -> Result<NamedTempFile, Refusal> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".bbdoctor-").permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().set_permissions(Permissions::from_mode(mode))?;
    new.as_file().sync_all()?;
    let mut back = Zeroizing::new(Vec::new());
    File::open(new.path())?.read_to_end(&mut back)?;
    if whole(&back) { Ok(new) } else { Err(Refusal::NotVerified) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn keygen(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
        let path = folder.join(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-C", "at home", "-f"]).arg(&path).args(options);
        assert!(command.status().unwrap().success());
        path
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_damaged_key_is_whole_again_and_what_was_there_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        for (n, options) in
            [&["-t", "ed25519", "-N", ""][..], &["-t", "rsa", "-m", "PEM", "-N", ""], &["-t", "ecdsa", "-N", "secret"]]
                .into_iter()
                .enumerate()
        {
            let path = keygen(folder.path(), &format!("key{n}"), options);
            let whole = fs::read_to_string(&path).unwrap();
            let damaged = whole.replace('\n', " ");
            fs::write(&path, &damaged).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            let kept = with_suffix(&path, ".damaged");
            let done = restore(&path).unwrap();
            assert_eq!(done, [Done::Key { file: fs::canonicalize(&path).unwrap(), kept: fs::canonicalize(&kept).unwrap() }]);
            assert_eq!((fs::read_to_string(&path).unwrap(), mode(&path)), (whole, 0o600));
            assert_eq!((fs::read_to_string(&kept).unwrap(), mode(&kept)), (damaged.clone(), 0o600));
            assert_eq!(restore(&path).unwrap(), []);
            // A second damage does not overwrite what was kept of the first.
            fs::write(&path, fs::read_to_string(&path).unwrap().replace('\n', "\\n")).unwrap();
            restore(&path).unwrap();
            assert_eq!(fs::read_to_string(&kept).unwrap(), damaged);
            assert!(with_suffix(&path, ".damaged.2").exists());
        }
        assert!(!names(folder.path()).iter().any(|name| name.starts_with('.')), "nothing is left behind");
    }

    #[test]
    fn a_pub_is_written_where_it_is_lost_and_replaced_where_it_is_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let other = keygen(folder.path(), "other", &["-t", "rsa", "-N", ""]);
        for (n, options) in
            [&["-t", "ed25519", "-N", ""][..], &["-t", "ed25519", "-N", "secret"], &["-t", "ecdsa", "-m", "PKCS8", "-N", ""]]
                .into_iter()
                .enumerate()
        {
            let path = keygen(folder.path(), &format!("key{n}"), options);
            let beside = with_suffix(&path, ".pub");
            let right = fs::read_to_string(&beside).unwrap();
            let right = right.split(' ').take(2).collect::<Vec<_>>().join(" ");
            fs::remove_file(&beside).unwrap();
            assert_eq!(restore(&path).unwrap(), [Done::Public { file: beside.clone(), kept: None }]);
            let now = fs::read_to_string(&beside).unwrap();
            assert!(now.starts_with(&right) && mode(&beside) == 0o644);
            assert_eq!(now.ends_with(" at home\n"), n == 0, "{now}");
            fs::copy(with_suffix(&other, ".pub"), &beside).unwrap();
            let done = restore(&path).unwrap();
            assert!(matches!(&done[..], [Done::Public { kept: Some(_), .. }]), "{done:?}");
            assert!(fs::read_to_string(&beside).unwrap().starts_with(&right));
            assert_eq!(fs::read(with_suffix(&beside, ".damaged")).unwrap(), fs::read(with_suffix(&other, ".pub")).unwrap());
            assert_eq!(restore(&path).unwrap(), []);
        }
    }

    #[test]
    fn what_is_no_key_of_ones_own_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = keygen(folder.path(), "key", &["-t", "ed25519", "-N", ""]);
        let half = fs::read(&path).unwrap();
        fs::write(folder.path().join("half"), &half[..half.len() / 2]).unwrap();
        fs::write(folder.path().join("ppk"), "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n").unwrap();
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let before = names(folder.path());
        let refused = |name: &str| restore(&folder.path().join(name)).unwrap_err().to_string();
        assert_eq!(refused("gone"), "does not exist");
        assert_eq!(refused("pipe"), "is no regular file");
        assert_eq!(refused(""), "is no regular file");
        assert_eq!(refused("key.pub"), "is a public key; name the private one");
        assert!(refused("ppk").contains("PuTTY") && refused("half").contains("lost"));
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn a_link_is_followed_and_the_pub_lies_beside_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = keygen(folder.path(), "key", &["-t", "ed25519", "-N", ""]);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::write(&path, fs::read_to_string(&path).unwrap().replace('\n', "\r\n")).unwrap();
        let done = restore(&link).unwrap();
        assert!(matches!(&done[..], [Done::Key { .. }, Done::Public { kept: None, .. }]), "{done:?}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && folder.path().join("link.pub").exists());
    }
}
