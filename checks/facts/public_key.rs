//! Public keys: the blob of RFC 4253 section 6.6, the line of a `.pub` file as OpenSSH accepts it (`sshkey_read`), the
//! fingerprint as `ssh-keygen -l` prints it.
//!
//! The crate `ssh-key` reads blobs and certificates. Ours is what it does not give: lines with tabs or with a comment that
//! is not UTF-8, the exact size of an RSA key, and the judgement that a type unknown to it is unknown rather than damaged.

mod base64;
mod weakness;

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ssh_key::encoding::{Decode, Encode};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, Mpint};

use super::bytes;
use crate::privacy::Text;
use crate::text;
pub use base64::base64_decode;
pub use weakness::Weakness;

/// The wire form of a public key.
pub type Blob = [u8];

/// RSA keys below this many bits are refused by every part of OpenSSH (`SSH_RSA_MINIMUM_MODULUS_SIZE`).
pub const RSA_MINIMUM_BITS: u32 = 1024;

/// The most that is kept of a comment or a name, in bytes.
const TEXT_LIMIT: usize = 1024;

/// A public key, perhaps with a certificate around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The wire form: what is offered to a server and compared with the agent's.
    #[serde(with = "bytes")]
    pub blob: Vec<u8>,
    /// The name inside the blob: `ssh-ed25519`, `ssh-rsa-cert-v01@openssh.com`, …
    pub algorithm: String,
    /// Its size as `ssh-keygen -l` prints it.
    pub bits: u32,
    /// What stood behind the key in its file, or what the agent says; bytes that are not UTF-8 are replaced.
    pub comment: String,
    /// What the certificate says, when it is one.
    pub certificate: Option<Certificate>,
}

/// What a certificate says of the key in it (PROTOCOL.certkeys of OpenSSH).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// User or host.
    #[serde(rename = "type")]
    pub kind: CertificateType,
    /// Seconds since 1970 from which it holds.
    pub valid_after: u64,
    /// Seconds since 1970 until which it holds; `u64::MAX` means for ever.
    pub valid_before: u64,
    /// The public key of the authority that signed it, as a blob.
    #[serde(with = "bytes")]
    pub authority: Vec<u8>,
    /// The certified key by itself, as a blob.
    #[serde(with = "bytes")]
    pub plain_blob: Vec<u8>,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateType {
    /// To log in with.
    User,
    /// To be recognised by, as a server.
    Host,
}

impl Certificate {
    /// Whether it holds at `now`, in seconds since 1970: `valid_after <= now < valid_before`, as sshd judges it.
    pub fn valid_at(&self, now: u64) -> bool {
        self.valid_after <= now && now < self.valid_before
    }
}

/// Why a blob or a line is no public key to OpenSSH.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
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

/// What a type name stands for (`keyimpls` in `sshkey.c`): the type of key, and whether it is a certificate's name. The
/// names of signatures (`rsa-sha2-512`) stand for the keys that make them.
fn kind_of(name: &[u8]) -> Option<(Algorithm, bool)> {
    let name = std::str::from_utf8(name).ok()?;
    // The only type whose signatures have a name with a prefix (`sshkey-ecdsa-sk.c`).
    let name = name.strip_prefix("webauthn-").unwrap_or(name);
    let known = |algorithm: &Algorithm| !matches!(algorithm, Algorithm::Other(_));
    let plain = Algorithm::new(name).ok().filter(known).map(|algorithm| (algorithm, false));
    let (algorithm, certified) =
        plain.or_else(|| Algorithm::new_certificate(name).ok().filter(known).map(|algorithm| (algorithm, true)))?;
    let family = if matches!(algorithm, Algorithm::Rsa { .. }) { Algorithm::Rsa { hash: None } } else { algorithm };
    Some((family, certified))
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
    /// point lies on its curve is not examined. Stricter than OpenSSH only with what no tool writes: certificates with an
    /// option out of order or a name that is not UTF-8, and numbers with superfluous zeros.
    pub fn from_blob(blob: &Blob, comment: &[u8]) -> Result<Self, BadKey> {
        let name = Vec::<u8>::decode(&mut &*blob).map_err(|_| BadKey::Damaged)?;
        let (family, certified) = kind_of(&name).ok_or_else(|| BadKey::UnknownType(text(&name)))?;
        let data = key_data(blob, &name, family, certified).ok_or(BadKey::Damaged)?;
        let plain = data.certificate().map_or(&data, |certificate| certificate.public_key());
        let bits = size(plain).ok_or(BadKey::Damaged)?;
        if plain.is_rsa() && bits < RSA_MINIMUM_BITS {
            return Err(BadKey::RsaTooShort(bits));
        }
        let certificate = match data.certificate() {
            None => None,
            Some(certificate) => Some(Certificate {
                kind: if certificate.cert_type().is_host() { CertificateType::Host } else { CertificateType::User },
                valid_after: certificate.valid_after(),
                valid_before: certificate.valid_before(),
                authority: certificate.signature_key().encode_vec().map_err(|_| BadKey::Damaged)?,
                plain_blob: plain.encode_vec().map_err(|_| BadKey::Damaged)?,
            }),
        };
        Ok(PublicKey { blob: blob.to_vec(), algorithm: text(&name), bits, comment: text(comment), certificate })
    }

    /// An RSA key of its numbers, big-endian.
    ///
    /// # Errors
    /// As [`from_blob`](Self::from_blob).
    pub fn from_rsa(exponent: &[u8], modulus: &[u8]) -> Result<Self, BadKey> {
        let number = Mpint::from_positive_bytes;
        let key = ssh_key::public::RsaPublicKey::new(number(exponent), number(modulus)).map_err(|_| BadKey::Damaged)?;
        PublicKey::from_key_data(&KeyData::Rsa(key))
    }

    /// An ECDSA key of the point on its curve in the uncompressed form of SEC 1; the point's size tells the curve.
    ///
    /// # Errors
    /// As [`from_blob`](Self::from_blob).
    pub fn from_ecdsa(point: &[u8]) -> Result<Self, BadKey> {
        let key = ssh_key::public::EcdsaPublicKey::from_sec1_bytes(point).map_err(|_| BadKey::Damaged)?;
        PublicKey::from_key_data(&KeyData::Ecdsa(key))
    }

    /// An Ed25519 key of its 32 bytes.
    ///
    /// # Errors
    /// [`BadKey::Damaged`] where they are not 32.
    pub fn from_ed25519(point: &[u8]) -> Result<Self, BadKey> {
        let key = ssh_key::public::Ed25519PublicKey::try_from(point).map_err(|_| BadKey::Damaged)?;
        PublicKey::from_key_data(&KeyData::Ed25519(key))
    }

    fn from_key_data(key: &KeyData) -> Result<Self, BadKey> {
        PublicKey::from_blob(&key.encode_vec().map_err(|_| BadKey::Damaged)?, b"")
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

    /// The key without its certificate; the blob itself when there is none.
    pub fn plain_blob(&self) -> &Blob {
        self.certificate.as_ref().map_or(&self.blob, |c| &c.plain_blob)
    }

    /// `SHA256:…` as `ssh-keygen -l` and `ssh -v` print it; of a certificate that of the key in it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.plain_blob())))
    }

    /// Its type and its fingerprint, as a report names a key.
    pub fn text(&self) -> Text {
        text!("{} {}", Text::algorithm(&self.algorithm), Text::fingerprint(self.fingerprint()))
    }

    /// The key as a line for a `.pub` or an authorized_keys file, without the comment.
    pub fn line(&self) -> String {
        format!("{} {}", self.algorithm, STANDARD.encode(&self.blob))
    }

    /// Whether the signatures of this key need a security key (FIDO).
    pub fn is_security_key(&self) -> bool {
        matches!(self.kind(), Some((Algorithm::SkEcdsaSha2NistP256 | Algorithm::SkEd25519, _)))
    }

    /// Whether this is an RSA key, plain or certified.
    pub fn is_rsa(&self) -> bool {
        matches!(self.kind(), Some((Algorithm::Rsa { .. }, _)))
    }

    /// The type as `ssh -v` and `ssh-keygen -l` print it: `ED25519`, `RSA-CERT`, `ECDSA-SK`.
    pub fn short_type(&self) -> &'static str {
        match self.kind() {
            Some((Algorithm::Ed25519, false)) => "ED25519",
            Some((Algorithm::Ed25519, true)) => "ED25519-CERT",
            Some((Algorithm::Ecdsa { .. }, false)) => "ECDSA",
            Some((Algorithm::Ecdsa { .. }, true)) => "ECDSA-CERT",
            Some((Algorithm::Rsa { .. }, false)) => "RSA",
            Some((Algorithm::Rsa { .. }, true)) => "RSA-CERT",
            Some((Algorithm::Dsa, false)) => "DSA",
            Some((Algorithm::Dsa, true)) => "DSA-CERT",
            Some((Algorithm::SkEd25519, false)) => "ED25519-SK",
            Some((Algorithm::SkEd25519, true)) => "ED25519-SK-CERT",
            Some((Algorithm::SkEcdsaSha2NistP256, false)) => "ECDSA-SK",
            Some((Algorithm::SkEcdsaSha2NistP256, true)) => "ECDSA-SK-CERT",
            _ => "unknown",
        }
    }

    fn kind(&self) -> Option<(Algorithm, bool)> {
        kind_of(self.algorithm.as_bytes())
    }
}

/// The fields of a blob that begins with `name`, to its last byte.
fn key_data(blob: &Blob, name: &[u8], family: Algorithm, certified: bool) -> Option<KeyData> {
    let mut rest = blob.get(4 + name.len()..)?;
    let data = if certified {
        KeyData::decode_as_certificate(&mut rest, family).ok()?
    } else {
        KeyData::decode_as(&mut rest, family).ok()?
    };
    rest.is_empty().then_some(data)
}

/// The size of a plain key in bits; `None` where OpenSSH would not take it: it knows no compressed points.
fn size(key: &KeyData) -> Option<u32> {
    let uncompressed = |point: &[u8]| point.first() == Some(&4);
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) => Some(256),
        KeyData::Ecdsa(key) if uncompressed(key.as_sec1_bytes()) => Some(match key.curve() {
            EcdsaCurve::NistP256 => 256,
            EcdsaCurve::NistP384 => 384,
            EcdsaCurve::NistP521 => 521,
        }),
        KeyData::SkEcdsaSha2NistP256(key) if uncompressed(key.ec_point().as_bytes()) => Some(256),
        KeyData::Rsa(key) => Some(bits(key.n())),
        KeyData::Dsa(key) => Some(bits(key.p())),
        _ => None,
    }
}

/// How many bits a number has; that of the crate counts whole bytes.
fn bits(number: &Mpint) -> u32 {
    match number.as_positive_bytes() {
        Some(bytes @ [first, ..]) => u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8) - first.leading_zeros(),
        _ => 0,
    }
}

/// The bytes before the first blank, and what follows the blanks; `None` when there is no blank.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|b| matches!(b, b' ' | b'\t'))?;
    let blanks = line[end..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    Some((&line[..end], &line[end + blanks..]))
}

/// Untrusted bytes as text, capped.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_LIMIT)]).into_owned()
}

#[cfg(test)]
mod tests;
