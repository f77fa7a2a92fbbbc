//! Private key files as OpenSSH judges them: whether it would load one, and if not, what is the matter with it
//! (`sshkey_load_private_type` and `sshkey_load_public` of `authfile.c`). No private number leaves this module.

mod mangled;
mod openssh;
mod pem;

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::public_key;
use crate::machine::files;
use bbdoctor_checks::facts::files::with_suffix;
use bbdoctor_checks::facts::key_file::{Format, KeyFile, KeyState};
use bbdoctor_checks::facts::public_key::PublicKey;
use zeroize::Zeroizing;

/// The most names of a folder that are compared with a missing one.
const NAMES_LIMIT: usize = 1000;

/// Who loads a key: what the judgement depends on beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loader {
    /// The real user id; ssh looks at the mode only of files that belong to it.
    pub uid: u32,
    /// The OpenSSH version, major and minor, if known; otherwise a new one is assumed.
    pub openssh: Option<(u32, u32)>,
}

impl Loader {
    /// Ed25519 keys in PKCS#8 are read since OpenSSH 9.6.
    fn reads_ed25519_pkcs8(&self) -> bool {
        self.openssh.is_none_or(|version| version >= (9, 6))
    }
}

/// What the content of a file is to OpenSSH's loader.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    state: KeyState,
    format: Format,
    /// What `sshkey_load_public` finds in the file itself: as a public key file, else in the private key's clear head.
    own_public: Option<PublicKey>,
    head_public: Option<PublicKey>,
    held: Option<PublicKey>,
}

impl Content {
    fn new(state: KeyState, format: Format) -> Self {
        Content { state, format, own_public: None, head_public: None, held: None }
    }
}

/// Examines the private key file at `path`, and the `.pub` beside it.
pub fn inspect(path: &Path, loader: &Loader) -> KeyFile {
    let mut file = KeyFile {
        path: path.to_owned(),
        access: None,
        modified: None,
        state: KeyState::NotAFile,
        format: None,
        encrypted: false,
        public: None,
        pub_file: public_key::read(&with_suffix(path, ".pub")),
        held: None,
    };
    match content_of(path, loader, &mut file) {
        Ok(content) => {
            file.format = Some(content.format);
            file.encrypted = content.state == KeyState::Encrypted;
            file.held = content.held;
            file.public = content.own_public.or(file.pub_file.clone()).or(content.head_public);
            file.state = match file.access {
                // For a file that is no private key at all, other permissions are no help.
                Some(access)
                    if access.uid == loader.uid
                        && access.mode & 0o077 != 0
                        && !matches!(content.state, KeyState::PublicHalf | KeyState::Ppk) =>
                {
                    KeyState::PermissionsTooOpen { mode: access.mode, then: Box::new(content.state) }
                }
                _ => content.state,
            };
        }
        Err(state) => {
            file.public = file.pub_file.clone();
            file.state = state;
        }
    }
    file
}

/// Reads and judges the content; the error is the state of a file that cannot be read. Fills in access and date.
fn content_of(path: &Path, loader: &Loader, file: &mut KeyFile) -> Result<Content, KeyState> {
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if std::fs::symlink_metadata(path).is_ok() => KeyState::DanglingLink,
        io::ErrorKind::NotFound => KeyState::Missing { nearest: nearest(path) },
        _ => KeyState::Unreadable(error.raw_os_error().unwrap_or(libc::EIO)),
    })?;
    file.access = Some(files::access_of(&meta));
    file.modified = meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map(|d| d.as_secs());
    if !meta.is_file() {
        return Err(KeyState::NotAFile);
    }
    let bytes = files::read(path).map_err(|error| KeyState::Unreadable(error.raw_os_error().unwrap_or(libc::EIO)))?;
    Ok(judge(&bytes, loader))
}

/// What OpenSSH's loader makes of these bytes, and if it refuses them, why.
fn judge(bytes: &[u8], loader: &Loader) -> Content {
    let public = PublicKey::from_file_bytes(bytes);
    if public.is_some() && mangled::has_private_key_inside(bytes) {
        return Content { own_public: public, ..mangled::diagnose(bytes, loader) };
    }
    if let Some(key) = public {
        let format = if key.certificate.is_some() { Format::Certificate } else { Format::PublicHalf };
        return Content { own_public: Some(key), ..Content::new(KeyState::PublicHalf, format) };
    }
    load(bytes, loader).unwrap_or_else(|| Content { head_public: openssh::public(bytes), ..mangled::diagnose(bytes, loader) })
}

/// The loader proper: OpenSSH's own format, then PEM. `None` where ssh would load nothing.
fn load(bytes: &[u8], loader: &Loader) -> Option<Content> {
    openssh::read(bytes).or_else(|| pem::read(bytes, loader))
}

/// A key that can be given back.
#[derive(Debug)]
pub struct Restored {
    /// The file written anew as OpenSSH loads it; `None` where it is whole as it is.
    pub text: Option<Zeroizing<Vec<u8>>>,
    /// Its public half with its comment, as far as no passphrase hides them.
    pub public: Option<PublicKey>,
}

/// The key in the bytes of a file, be it damaged.
///
/// # Errors
/// What the file is, where it holds no private key or too much of it is lost.
pub fn restore(bytes: &[u8], loader: &Loader) -> Result<Restored, KeyState> {
    let content = judge(bytes, loader);
    match content.state {
        KeyState::Corrupt { restorable: true, .. } => {
            let text = mangled::restore(bytes, loader).map(Zeroizing::new);
            let public = text.as_ref().and_then(|text| load(text, loader)).and_then(|content| content.held);
            Ok(Restored { text, public })
        }
        KeyState::Usable | KeyState::Encrypted => Ok(Restored { text: None, public: content.held }),
        KeyState::UnsupportedType(_) if content.held.is_some() => Ok(Restored { text: None, public: content.held }),
        state => Err(state),
    }
}

/// The bytes of a private key file, for a login. Whoever asks keeps them out of reports.
///
/// # Errors
/// As [`files::read`].
pub fn private_key_bytes(path: &Path) -> io::Result<Vec<u8>> {
    files::read(path)
}

/// The public key ssh would load for `path`, as `sshkey_load_public`.
pub fn load_public(path: &Path) -> Option<PublicKey> {
    let bytes = files::read(path).unwrap_or_default();
    PublicKey::from_file_bytes(&bytes).or_else(|| public_key::read(&with_suffix(path, ".pub"))).or_else(|| openssh::public(&bytes))
}

/// The file of the same folder whose name differs least, within a third of its length.
fn nearest(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).ok()?.take(NAMES_LIMIT).filter_map(Result::ok);
    entries
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().ends_with(".pub") == wanted.ends_with(".pub"))
        .map(|name| (strsim::damerau_levenshtein(&name.to_string_lossy(), &wanted), name))
        .filter(|(distance, _)| *distance <= (wanted.chars().count() / 3).max(1))
        .min()
        .map(|(_, name)| folder.join(name))
}

#[cfg(test)]
mod tests;
