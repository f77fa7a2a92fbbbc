//! Public keys: the blob of RFC 4253 section 6.6, the line of a `.pub` file as OpenSSH accepts it (`sshkey_read`), the
//! fingerprint as `ssh-keygen -l` prints it.

mod certificate;
pub mod encoding;
mod weakness;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use certificate::{CertificateFacts, CertificateType};
pub use weakness::Weakness;

use super::files;
use encoding::{Reader, base64_decode, bits, put_string};

/// The wire form of a public key.
pub type Blob = [u8];

/// RSA keys below this many bits are refused by every part of OpenSSH (`SSH_RSA_MINIMUM_MODULUS_SIZE`).
pub const RSA_MINIMUM_BITS: u32 = 1024;

/// The most that is kept of a comment or a name in a certificate, in bytes.
const TEXT_LIMIT: usize = 1024;

/// A public key, perhaps with a certificate around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The wire form: what is offered to a server and compared with the agent's.
    #[serde(with = "crate::facts::bytes")]
    pub blob: Vec<u8>,
    /// The name inside the blob: `ssh-ed25519`, `ssh-rsa-cert-v01@openssh.com`, …
    pub algorithm: String,
    /// Its size as `ssh-keygen -l` prints it.
    pub bits: u32,
    /// The elliptic curve by its name in the blob (`nistp256`).
    pub curve: Option<String>,
    /// A security key's application (`ssh:`).
    pub application: Option<String>,
    /// What stood behind the key in its file, or what the agent says; bytes that are not UTF-8 are replaced.
    pub comment: String,
    /// What the certificate says, when it is one.
    pub certificate: Option<CertificateFacts>,
}

/// Why a blob or a line is no public key to OpenSSH.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadKey {
    /// No type and key side by side.
    #[error("the line ends before the key")]
    Truncated,
    /// The first word is no key type.
    #[error("{0} is no key type")]
    UnknownType(String),
    /// The second word is not base64, or is cut off.
    #[error("the key is not base64")]
    Base64,
    /// Decoded, but the fields do not add up.
    #[error("the key is damaged")]
    Damaged,
    /// The type in front is not the type inside.
    #[error("the line says another key type than the key, {0}")]
    TypeDiffers(String),
    /// RSA with fewer than [`RSA_MINIMUM_BITS`] bits.
    #[error("an RSA key of {0} bits")]
    RsaTooShort(u32),
}

/// What a type name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Ed25519,
    Ecdsa(&'static str, u32),
    Rsa,
    Dsa,
    SkEd25519,
    SkEcdsa,
}

/// The types of `keyimpls` in `sshkey.c`: name, family, certificate. The names of RSA's newer signatures count as RSA.
const TYPES: &[(&str, Family, bool)] = &[
    ("ssh-ed25519", Family::Ed25519, false),
    ("ssh-ed25519-cert-v01@openssh.com", Family::Ed25519, true),
    ("sk-ssh-ed25519@openssh.com", Family::SkEd25519, false),
    ("sk-ssh-ed25519-cert-v01@openssh.com", Family::SkEd25519, true),
    ("ecdsa-sha2-nistp256", Family::Ecdsa("nistp256", 256), false),
    ("ecdsa-sha2-nistp256-cert-v01@openssh.com", Family::Ecdsa("nistp256", 256), true),
    ("ecdsa-sha2-nistp384", Family::Ecdsa("nistp384", 384), false),
    ("ecdsa-sha2-nistp384-cert-v01@openssh.com", Family::Ecdsa("nistp384", 384), true),
    ("ecdsa-sha2-nistp521", Family::Ecdsa("nistp521", 521), false),
    ("ecdsa-sha2-nistp521-cert-v01@openssh.com", Family::Ecdsa("nistp521", 521), true),
    ("sk-ecdsa-sha2-nistp256@openssh.com", Family::SkEcdsa, false),
    ("sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", Family::SkEcdsa, true),
    ("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", Family::SkEcdsa, false),
    ("ssh-dss", Family::Dsa, false),
    ("ssh-dss-cert-v01@openssh.com", Family::Dsa, true),
    ("ssh-rsa", Family::Rsa, false),
    ("ssh-rsa-cert-v01@openssh.com", Family::Rsa, true),
    ("rsa-sha2-256", Family::Rsa, false),
    ("rsa-sha2-256-cert-v01@openssh.com", Family::Rsa, true),
    ("rsa-sha2-512", Family::Rsa, false),
    ("rsa-sha2-512-cert-v01@openssh.com", Family::Rsa, true),
];

fn kind_of(name: &[u8]) -> Option<(Family, bool)> {
    TYPES.iter().find(|(known, ..)| known.as_bytes() == name).map(|&(_, family, certified)| (family, certified))
}

/// Whether `name` is a key type of OpenSSH.
pub fn is_type_name(name: &[u8]) -> bool {
    kind_of(name).is_some()
}

/// Whether two key type or algorithm names belong to keys of one type and curve, certificates counted as the key in them
/// (`sshkey_type_plain`). `rsa-sha2-512` and `ssh-rsa` are one type.
pub fn same_plain_kind(a: &str, b: &str) -> bool {
    matches!((kind_of(a.as_bytes()), kind_of(b.as_bytes())), (Some((a, _)), Some((b, _))) if a == b)
}

/// Whether an algorithm name is a certificate's.
pub fn is_certificate_name(name: &str) -> bool {
    kind_of(name.as_bytes()).is_some_and(|(_, certified)| certified)
}

impl PublicKey {
    /// Reads a blob. `comment` is untrusted bytes.
    ///
    /// # Errors
    /// As `sshkey_from_blob`: an unknown type, missing or surplus bytes, an RSA key of less than 1024 bits. Whether a
    /// point lies on its curve is not examined.
    pub fn from_blob(blob: &Blob, comment: &[u8]) -> Result<Self, BadKey> {
        let mut reader = Reader(blob);
        let name = reader.string().ok_or(BadKey::Damaged)?;
        let (family, certified) = kind_of(name).ok_or_else(|| BadKey::UnknownType(text(name)))?;
        if certified {
            reader.string().ok_or(BadKey::Damaged)?; // the nonce
        }
        let start = reader.0;
        let (bits, curve, application) = key_fields(&mut reader, family)?;
        let certificate = if certified {
            let fields = &start[..start.len() - reader.0.len()];
            let plain = plain_name(family);
            let mut plain_blob = Vec::with_capacity(fields.len() + 32);
            put_string(&mut plain_blob, plain.as_bytes());
            plain_blob.extend(fields);
            Some(CertificateFacts::read(&mut reader, plain_blob).ok_or(BadKey::Damaged)?)
        } else {
            None
        };
        if !reader.is_empty() {
            return Err(BadKey::Damaged);
        }
        Ok(PublicKey { blob: blob.to_vec(), algorithm: text(name), bits, curve, application, comment: text(comment), certificate })
    }

    /// Reads a line of a public key file from its first word on: type, blanks, base64, and the rest is the comment.
    ///
    /// # Errors
    /// As `sshkey_read`.
    pub fn from_line(line: &[u8]) -> Result<Self, BadKey> {
        let (name, rest) = word(line).ok_or(BadKey::Truncated)?;
        let kind = kind_of(name).ok_or_else(|| BadKey::UnknownType(text(name)))?;
        if rest.is_empty() {
            return Err(BadKey::Truncated);
        }
        let (encoded, comment) = word(rest).unwrap_or((rest, b""));
        let blob = base64_decode(encoded).ok_or(BadKey::Base64)?;
        let comment = comment.split(|b| matches!(b, b'\r' | b'\n' | 0)).next().unwrap_or_default();
        let key = PublicKey::from_blob(&blob, comment)?;
        if kind_of(key.algorithm.as_bytes()) != Some(kind) {
            return Err(BadKey::TypeDiffers(key.algorithm));
        }
        Ok(key)
    }

    /// The first key among the lines of a public key file, as `sshkey_try_load_public` finds it: comments and lines that
    /// do not parse are passed over, a line that begins a private key ends the search.
    pub fn from_file_bytes(bytes: &[u8]) -> Option<Self> {
        for line in bytes.split_inclusive(|&b| b == b'\n') {
            match line.first() {
                None | Some(b'#' | b'\n' | 0) => continue,
                _ if line.starts_with(b"-----BEGIN") => return None,
                _ => {}
            }
            let line = line.split(|&b| b == 0).next().unwrap_or_default();
            let start = line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            if let Ok(key) = PublicKey::from_line(&line[start..]) {
                return Some(key);
            }
        }
        None
    }

    /// [`from_file_bytes`](Self::from_file_bytes) of the file at `path`; `None` also when it cannot be read.
    pub fn from_file(path: &Path) -> Option<Self> {
        files::read(path).ok().and_then(|bytes| PublicKey::from_file_bytes(&bytes))
    }

    /// The key without its certificate; the blob itself when there is none.
    pub fn plain_blob(&self) -> &Blob {
        self.certificate.as_ref().map_or(&self.blob, |c| &c.plain_blob)
    }

    /// `SHA256:…` as `ssh-keygen -l` and `ssh -v` print it; of a certificate that of the key in it.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.plain_blob())
    }

    /// The key as a line for a `.pub` or an authorized_keys file, without the comment.
    pub fn line(&self) -> String {
        format!("{} {}", self.algorithm, base64::engine::general_purpose::STANDARD.encode(&self.blob))
    }

    /// Whether the signatures of this key need a security key (FIDO).
    pub fn is_security_key(&self) -> bool {
        self.application.is_some()
    }

    /// Whether this is an RSA key, plain or certified.
    pub fn is_rsa(&self) -> bool {
        matches!(kind_of(self.algorithm.as_bytes()), Some((Family::Rsa, _)))
    }

    /// The type as `ssh -v` and `ssh-keygen -l` print it: `ED25519`, `RSA-CERT`, `ECDSA-SK`.
    pub fn short_type(&self) -> &'static str {
        let Some((family, certified)) = kind_of(self.algorithm.as_bytes()) else { return "unknown" };
        match (family, certified) {
            (Family::Ed25519, false) => "ED25519",
            (Family::Ed25519, true) => "ED25519-CERT",
            (Family::Ecdsa(..), false) => "ECDSA",
            (Family::Ecdsa(..), true) => "ECDSA-CERT",
            (Family::Rsa, false) => "RSA",
            (Family::Rsa, true) => "RSA-CERT",
            (Family::Dsa, false) => "DSA",
            (Family::Dsa, true) => "DSA-CERT",
            (Family::SkEd25519, false) => "ED25519-SK",
            (Family::SkEd25519, true) => "ED25519-SK-CERT",
            (Family::SkEcdsa, false) => "ECDSA-SK",
            (Family::SkEcdsa, true) => "ECDSA-SK-CERT",
        }
    }
}

/// `SHA256:…` of a plain key's blob.
pub fn fingerprint(blob: &Blob) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// Size, curve and application of the key whose fields follow.
fn key_fields(reader: &mut Reader<'_>, family: Family) -> Result<(u32, Option<String>, Option<String>), BadKey> {
    let ed25519 = |reader: &mut Reader<'_>| reader.string().filter(|point| point.len() == 32).map(|_| 256);
    let ecdsa = |reader: &mut Reader<'_>, curve: &str, size: u32| {
        let named = reader.string()? == curve.as_bytes();
        let point = reader.string()?;
        let whole = point.first() == Some(&4) && point.len() == 1 + 2 * size.div_ceil(8) as usize;
        (named && whole).then_some(size)
    };
    let plain = |size: Option<u32>| size.map(|size| (size, None, None)).ok_or(BadKey::Damaged);
    let application = |reader: &mut Reader<'_>| reader.string().map(text).ok_or(BadKey::Damaged);
    match family {
        Family::Ed25519 => plain(ed25519(reader)),
        Family::Ecdsa(curve, size) => {
            let size = ecdsa(reader, curve, size).ok_or(BadKey::Damaged)?;
            Ok((size, Some(curve.to_owned()), None))
        }
        Family::Rsa => {
            let numbers = reader.mpint().zip(reader.mpint()).ok_or(BadKey::Damaged)?;
            match bits(numbers.1) {
                size @ RSA_MINIMUM_BITS.. => plain(Some(size)),
                size => Err(BadKey::RsaTooShort(size)),
            }
        }
        Family::Dsa => {
            let prime = reader.mpint().map(bits);
            let rest = (0..3).map(|_| reader.mpint()).all(|number| number.is_some());
            plain(prime.filter(|_| rest))
        }
        Family::SkEd25519 => {
            let size = ed25519(reader).ok_or(BadKey::Damaged)?;
            Ok((size, None, Some(application(reader)?)))
        }
        Family::SkEcdsa => {
            let size = ecdsa(reader, "nistp256", 256).ok_or(BadKey::Damaged)?;
            Ok((size, Some("nistp256".to_owned()), Some(application(reader)?)))
        }
    }
}

/// The name of the plain key in a certificate of `family`.
fn plain_name(family: Family) -> &'static str {
    TYPES.iter().find(|(_, known, certified)| *known == family && !certified).map_or("", |(name, ..)| name)
}

/// The bytes before the first blank, and what follows the blanks; `None` when there is no blank.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|b| matches!(b, b' ' | b'\t'))?;
    let blanks = line[end..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    Some((&line[..end], &line[end + blanks..]))
}

/// Untrusted bytes as text, capped.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_LIMIT)]).into_owned()
}

#[cfg(test)]
mod tests;
