//! Private key files: what each is, whether ssh would load it, and if not, why. No private number is in these facts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::files::Access;
use super::public_key::PublicKey;

/// What a file is by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a copy, an editor, a secret store or a shell has done to a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorruptKind {
    /// The end is missing.
    Truncated,
    /// Newlines became blanks or nothing.
    LineBreaksLost,
    /// Newlines became the two characters `\n`.
    LiteralBackslashN,
    /// The last line has no newline.
    MissingFinalNewline,
    /// Lines end in CR LF, which OpenSSH's own format does not allow.
    Crlf,
    /// A byte order mark.
    ByteOrderMark,
    /// UTF-16, as some editors and shells of Windows write it.
    Utf16,
    /// Blank lines or blanks precede the key.
    LeadingBlank,
    /// Other text precedes the key: a comment, or its public half.
    LeadingText,
    /// Base64 of the whole file, still to be decoded.
    Base64OfFile,
    /// Nothing in it.
    Empty,
    /// The format of SSH.com's tools (`ssh-keygen -e`).
    Ssh2Export,
    /// Quotes around it, or blanks around its lines.
    QuotedOrIndented,
    /// Something else.
    Other,
}

/// Whether ssh can load the private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// It loads without a question.
    Usable,
    /// It loads once its passphrase is given.
    Encrypted,
    /// There is no such file.
    Missing {
        /// The name in the same folder that comes nearest, if one is near.
        #[serde(with = "bytes")]
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
        /// Whether the bytes that are there suffice to write the key anew.
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

/// A file that is or should be a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    /// Where.
    #[serde(with = "bytes")]
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
    /// The public key that ssh offers for this path (`sshkey_load_public`): of the file itself, else of `FILE.pub`, else
    /// of the private key's clear head. Without one ssh tries the private key unannounced.
    pub public: Option<PublicKey>,
    /// The key in `FILE.pub`.
    pub pub_file: Option<PublicKey>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn is_recorded_and_read_back() {
        let key = PublicKey::from_ed25519(&[7; 32]).expect("a key");
        let nearest = Some(PathBuf::from(bytes::word(b"/home/\xff/id".to_vec())));
        let corrupt = KeyState::Corrupt { kind: CorruptKind::Crlf, restorable: true };
        let states = [
            KeyState::Missing { nearest },
            KeyState::PermissionsTooOpen { mode: 0o644, then: Box::new(corrupt) },
            KeyState::UnsupportedType("ssh-dss".to_owned()),
            KeyState::Unreadable(13),
        ];
        for state in states {
            survives_json(&KeyFile {
                path: PathBuf::from(bytes::word(b"/home/\xff/key".to_vec())),
                access: Some(Access { uid: 1, gid: 2, mode: 0o600 }),
                modified: Some(1),
                state,
                format: Some(Format::Ppk(3)),
                encrypted: false,
                public: Some(key.clone()),
                pub_file: Some(key.clone()),
                held: None,
            });
        }
    }
}
