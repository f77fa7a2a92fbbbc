//! Private key files as OpenSSH judges them: whether it would load one, and if not, what is the matter with it
//! (`sshkey_load_private_type` and `sshkey_load_public` of `authfile.c`). No private number leaves this module.

mod mangled;
mod pem;
mod private_block;

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Serialize;

pub use mangled::CorruptKind;

use super::files::{self, Access};
use super::public_key::PublicKey;

/// The most names of a folder that are compared with a missing one.
const NAMES_LIMIT: usize = 1000;

/// Who loads a key: what the judgement depends on beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// What a file is by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `BEGIN OPENSSH PRIVATE KEY` (PROTOCOL.key of OpenSSH).
    OpenSsh,
    /// `BEGIN RSA PRIVATE KEY` (PKCS#1).
    PemRsa,
    /// `BEGIN EC PRIVATE KEY` (SEC1).
    PemEc,
    /// `BEGIN DSA PRIVATE KEY`.
    PemDsa,
    /// `BEGIN PRIVATE KEY` (PKCS#8).
    Pkcs8,
    /// `BEGIN ENCRYPTED PRIVATE KEY` (PKCS#8).
    Pkcs8Encrypted,
    /// PuTTY's, version 2 or 3 (or 1, long gone).
    Ppk(u8),
    /// `BEGIN SSH2 …`, RFC 4716 and the like.
    Ssh2Export,
    /// A public key.
    PublicHalf,
    /// A certificate.
    Certificate,
    /// Nothing but blanks.
    Empty,
    /// Base64 of a whole key file.
    Base64OfKey,
    /// None of these.
    Other,
}

/// Whether ssh can load the private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It loads without a question.
    Usable,
    /// It loads once its passphrase is given.
    Encrypted,
    /// There is no such file.
    Missing {
        /// The name in the same folder that comes nearest, if one is near.
        nearest: Option<PathBuf>,
    },
    /// A symbolic link whose target does not exist.
    DanglingLink,
    /// It belongs to the user and others have rights on it: ssh ignores it.
    PermissionsTooOpen {
        /// Its permission bits.
        mode: u32,
        /// What it would be if they were right.
        then: Box<KeyState>,
    },
    /// It cannot be opened or read; `errno`.
    Unreadable(i32),
    /// A folder, a pipe, a device, a socket.
    NotAFile,
    /// It is or was a private key and does not load.
    Corrupt {
        /// What has happened to it.
        kind: CorruptKind,
        /// Whether [`restored`] gives the key back.
        restorable: bool,
    },
    /// PuTTY's format.
    Ppk,
    /// A public key or a certificate; ssh asks an agent for the private half.
    PublicHalf,
    /// A key of a type that ssh does not load or use.
    UnsupportedType(String),
}

impl KeyState {
    /// Whether ssh itself could sign with the file, a passphrase provided.
    pub fn loads(&self) -> bool {
        matches!(self, KeyState::Usable | KeyState::Encrypted)
    }
}

/// How a passphrase becomes a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kdf {
    /// `bcrypt`, or `md5` for PEM's own encryption.
    pub name: String,
    /// Its rounds.
    pub rounds: u32,
}

/// A file that is or should be a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyFile {
    /// Where.
    pub path: PathBuf,
    /// Owner and mode, when it could be asked.
    pub access: Option<Access>,
    /// When its content was last changed, in seconds since 1970.
    pub modified: Option<u64>,
    /// Whether ssh loads it.
    pub state: KeyState,
    /// What it is, when it could be read.
    pub format: Option<Format>,
    /// Whether a passphrase protects it.
    pub encrypted: bool,
    /// The cipher that protects it, by OpenSSH's or OpenSSL's name.
    pub cipher: Option<String>,
    /// What the passphrase goes through, when the file says it in clear.
    pub kdf: Option<Kdf>,
    /// The comment inside the private key, when it is in clear.
    pub comment: Option<String>,
    /// The public key that ssh offers for this path (`sshkey_load_public`): of the file itself, else of `FILE.pub`, else
    /// of the private key's clear head. Without one ssh tries the private key unannounced.
    pub public: Option<PublicKey>,
    /// The file [`public`](Self::public) comes from.
    pub public_from: Option<PathBuf>,
    /// `FILE.pub` and the key in it.
    pub pub_file: Option<(PathBuf, PublicKey)>,
    /// The public half of the private key itself, when it can be had without its passphrase.
    pub held: Option<PublicKey>,
}

impl KeyFile {
    /// ssh offers one key and would sign with another.
    pub fn pair_mismatch(&self) -> bool {
        matches!((&self.public, &self.held), (Some(offered), Some(held)) if offered.plain_blob() != held.plain_blob())
    }

    /// Whether a private key is in it that loads, or would with other permissions.
    pub fn is_private(&self) -> bool {
        match &self.state {
            KeyState::PermissionsTooOpen { then, .. } => then.loads(),
            state => state.loads(),
        }
    }

    /// The best that is known of the public half, offered or not.
    pub fn any_public(&self) -> Option<&PublicKey> {
        self.public.as_ref().or(self.held.as_ref())
    }
}

/// What the content of a file is to OpenSSH's loader.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    state: KeyState,
    format: Format,
    cipher: Option<String>,
    kdf: Option<Kdf>,
    comment: Option<String>,
    /// What `sshkey_load_public` finds in the file itself: as a public key file, else in the private key's clear head.
    own_public: Option<PublicKey>,
    head_public: Option<PublicKey>,
    held: Option<PublicKey>,
}

impl Content {
    fn new(state: KeyState, format: Format) -> Self {
        Content { state, format, cipher: None, kdf: None, comment: None, own_public: None, head_public: None, held: None }
    }
}

/// Examines the private key file at `path`, and the `.pub` beside it.
pub fn inspect(path: &Path, loader: &Loader) -> KeyFile {
    let pub_path = with_suffix(path, ".pub");
    let pub_file = PublicKey::from_file(&pub_path).map(|key| (pub_path, key));
    let mut file = KeyFile {
        path: path.to_owned(),
        access: None,
        modified: None,
        state: KeyState::NotAFile,
        format: None,
        encrypted: false,
        cipher: None,
        kdf: None,
        comment: None,
        public: None,
        public_from: None,
        pub_file,
        held: None,
    };
    match content_of(path, loader, &mut file) {
        Ok(content) => {
            file.format = Some(content.format);
            file.encrypted = content.state == KeyState::Encrypted;
            (file.cipher, file.kdf, file.comment, file.held) = (content.cipher, content.kdf, content.comment, content.held);
            let own = |key| (path.to_owned(), key);
            let offered = content.own_public.map(own).or(file.pub_file.clone()).or(content.head_public.map(own));
            (file.public_from, file.public) = offered.unzip();
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
            (file.public_from, file.public) = file.pub_file.clone().unzip();
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
    match load(bytes, loader) {
        Ok(content) => content,
        Err(head) => {
            let mut content = mangled::diagnose(bytes, loader);
            if let Some(head) = head {
                (content.cipher, content.kdf, content.head_public) = (head.cipher, head.kdf, head.public);
            }
            content
        }
    }
}

/// The loader proper: OpenSSH's own format, then PEM. The error is what can be read of a damaged private key's clear head.
fn load(bytes: &[u8], loader: &Loader) -> Result<Content, Option<Box<private_block::Head>>> {
    match private_block::read(bytes) {
        Ok(block) => Ok(block),
        Err(head) => pem::read(bytes, loader).ok_or(head),
    }
}

/// The key in the bytes of a damaged file, written anew as OpenSSH loads it; `None` when too much is lost.
pub fn restored(bytes: &[u8], loader: &Loader) -> Option<Vec<u8>> {
    mangled::restore(bytes, loader)
}

/// The bytes of a private key file, for a login. Whoever asks keeps them out of reports.
///
/// # Errors
/// As [`files::read`].
pub fn private_key_bytes(path: &Path) -> io::Result<Vec<u8>> {
    files::read(path)
}

/// The public key ssh would load for `path` and the file it comes from, as `sshkey_load_public`.
pub fn load_public(path: &Path) -> Option<(PathBuf, PublicKey)> {
    let own = |key| (path.to_owned(), key);
    let bytes = files::read(path).unwrap_or_default();
    PublicKey::from_file_bytes(&bytes)
        .map(own)
        .or_else(|| {
            let beside = with_suffix(path, ".pub");
            PublicKey::from_file(&beside).map(|key| (beside, key))
        })
        .or_else(|| private_block::head(&bytes).and_then(|head| head.public).map(own))
}

/// `path` with more at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
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
