//! `BEGIN OPENSSH PRIVATE KEY`: the container of OpenSSH's PROTOCOL.key.
//!
//! The armour is read here, as OpenSSH reads it: lines of any length, anything after the end. The crate `ssh-key`, which
//! demands lines of 70 characters, reads what is in it.

use ssh_key::encoding::Decode;
use ssh_key::private::KeypairData;
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Algorithm, Cipher, Comment, Error, Kdf, Mpint, PrivateKey};
use zeroize::Zeroizing;

use super::{Content, Format, KeyState};
use bbdoctor_checks::facts::public_key::{BadKey, PublicKey, base64_decode, text};

const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----\n";
const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----\n";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The public key that stands in clear at the front, if the armour and the base64 are whole.
pub(super) fn public(bytes: &[u8]) -> Option<PublicKey> {
    head(&mut &**unarmoured(bytes)?).and_then(|(_, public)| public.ok())
}

/// What OpenSSH makes of the whole; `None` where it loads nothing.
pub(super) fn read(bytes: &[u8]) -> Option<Content> {
    let decoded = unarmoured(bytes)?;
    let (cipher, public) = head(&mut &**decoded)?;
    let mut public = match public {
        Ok(public) => public,
        Err(BadKey::UnknownType(name)) => return Some(Content::new(KeyState::UnsupportedType(name), Format::OpenSsh)),
        Err(_) => return None,
    };
    public.comment = text(&comment_in(&decoded)?);
    let state = match public.algorithm.as_str() {
        _ if cipher.is_some() => KeyState::Encrypted,
        "ssh-dss" => KeyState::UnsupportedType(public.algorithm.clone()),
        _ => KeyState::Usable,
    };
    Some(Content { head_public: Some(public.clone()), held: Some(public), ..Content::new(state, Format::OpenSsh) })
}

/// As `private2_uudecode`: the marks at the start of a line, ended by a bare newline; anything may follow.
fn unarmoured(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let body = bytes.strip_prefix(BEGIN)?;
    let end = body.windows(END.len() + 1).position(|w| w[0] == b'\n' && w[1..] == *END)?;
    let decoded = Zeroizing::new(base64_decode(&body[..=end])?);
    decoded.starts_with(MAGIC).then_some(decoded)
}

/// Reads up to the private part: the cipher that protects it, and the public key. `None` when ssh finds no public key here.
fn head(reader: &mut &[u8]) -> Option<(Cipher, Result<PublicKey, BadKey>)> {
    *reader = reader.strip_prefix(MAGIC)?;
    let cipher = Cipher::decode(reader).ok()?;
    Kdf::decode(reader).ok()?;
    if u32::decode(reader).ok()? != 1 {
        return None;
    }
    let blob = Vec::<u8>::decode(reader).ok()?;
    Some((cipher, PublicKey::from_blob(&blob, b"")))
}

/// The comment of a key that is whole, as `sshkey_parse_private2` has it.
fn comment_in(decoded: &[u8]) -> Option<Vec<u8>> {
    match PrivateKey::from_bytes(decoded) {
        Ok(key) if matches!(key.key_data(), KeypairData::Encrypted(hidden) if hidden.len() < key.cipher().block_size()) => None,
        Ok(key) => Some(key.comment().as_bytes().to_vec()),
        Err(_) => with_short_number(decoded).ok(),
    }
}

/// The comment of an unencrypted P-256 key whose private number has less than 32 bytes. One such key in 256 has, and
/// `ssh-key` takes it for damaged.
fn with_short_number(decoded: &[u8]) -> Result<Vec<u8>, Error> {
    let mut rest = decoded;
    let Some((Cipher::None, Ok(public))) = head(&mut rest) else { return Err(Error::FormatEncoding) };
    let body = Zeroizing::new(Vec::<u8>::decode(&mut rest)?);
    let mut body: &[u8] = &body;
    let whole = rest.is_empty() && body.len().is_multiple_of(Cipher::None.block_size());
    let paired = u32::decode(&mut body)? == u32::decode(&mut body)?;
    let named = matches!(Algorithm::decode(&mut body)?, Algorithm::Ecdsa { .. });
    let held = KeyData::Ecdsa(EcdsaPublicKey::decode(&mut body)?);
    let number = Zeroizing::new(Mpint::decode(&mut body)?);
    let comment = Comment::decode(&mut body)?;
    let padded = body.iter().zip(1_u8..=255).all(|(byte, expected)| *byte == expected);
    let same = ssh_key::PublicKey::from(held).to_bytes()? == public.blob;
    if whole && paired && named && number.is_positive() && padded && same { Ok(comment.into()) } else { Err(Error::FormatEncoding) }
}
