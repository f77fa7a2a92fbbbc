//! `BEGIN OPENSSH PRIVATE KEY`: the container of OpenSSH's PROTOCOL.key, read as strictly as `sshkey_parse_private2`.

use super::{Content, Format, Kdf, KeyState};
use crate::evidence::public_key::encoding::{Reader, base64_decode, put_mpint, put_string};
use crate::evidence::public_key::{PublicKey, text};

const BEGIN: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----\n";
const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----\n";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Ciphers of `cipher.c` that OpenSSH uses for keys: name, block size, length of the authentication tag.
const CIPHERS: &[(&str, usize, usize)] = &[
    ("none", 8, 0),
    ("3des-cbc", 8, 0),
    ("aes128-cbc", 16, 0),
    ("aes192-cbc", 16, 0),
    ("aes256-cbc", 16, 0),
    ("aes128-ctr", 16, 0),
    ("aes192-ctr", 16, 0),
    ("aes256-ctr", 16, 0),
    ("aes128-gcm@openssh.com", 16, 16),
    ("aes256-gcm@openssh.com", 16, 16),
    ("chacha20-poly1305@openssh.com", 8, 16),
];

/// What stands in clear at the front of a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) cipher: Option<String>,
    pub(super) kdf: Option<Kdf>,
    pub(super) public: Option<PublicKey>,
}

/// The clear head, if the armour and the base64 are whole.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    split(&unarmoured(bytes)?).map(|(head, _)| head)
}

/// Reads the whole; the error is the head, as far as it could be read.
pub(super) fn read(bytes: &[u8]) -> Result<Content, Option<Box<Head>>> {
    let Some(decoded) = unarmoured(bytes) else { return Err(None) };
    let Some((head, body)) = split(&decoded) else { return Err(None) };
    let Some(body) = body else { return Err(Some(Box::new(head))) };
    if head.cipher.is_some() {
        return Ok(Content {
            cipher: head.cipher,
            kdf: head.kdf,
            head_public: head.public.clone(),
            held: head.public,
            ..Content::new(KeyState::Encrypted, Format::OpenSsh)
        });
    }
    let clear = head.public.as_ref().and_then(|public| comment_of_clear(body, public));
    let Some(comment) = clear else { return Err(Some(Box::new(head))) };
    let state = match &head.public {
        Some(key) if key.algorithm == "ssh-dss" => KeyState::UnsupportedType(key.algorithm.clone()),
        _ => KeyState::Usable,
    };
    Ok(Content {
        comment: Some(comment),
        head_public: head.public.clone(),
        held: head.public,
        ..Content::new(state, Format::OpenSsh)
    })
}

/// As `private2_uudecode`: the marks at the start of a line, ended by a bare newline; anything may follow.
fn unarmoured(bytes: &[u8]) -> Option<Vec<u8>> {
    let body = bytes.strip_prefix(BEGIN)?;
    let end = body.windows(END.len() + 1).position(|w| w[0] == b'\n' && w[1..] == *END)?;
    let decoded = base64_decode(&body[..=end])?;
    decoded.starts_with(MAGIC).then_some(decoded)
}

/// The head, and the protected part when its length is as announced. `None` when ssh finds no public key here.
fn split(decoded: &[u8]) -> Option<(Head, Option<&[u8]>)> {
    let mut reader = Reader(&decoded[MAGIC.len()..]);
    let cipher = text(reader.string()?);
    let kdf = text(reader.string()?);
    let options = reader.string()?;
    if reader.u32()? != 1 {
        return None;
    }
    let public = PublicKey::from_blob(reader.string()?, b"").ok()?;
    let body = (|| {
        let length = usize::try_from(reader.u32()?).ok()?;
        let &(name, block, tag) = CIPHERS.iter().find(|(name, ..)| *name == cipher)?;
        let paired = (kdf == "none") == (name == "none") && (kdf == "none" || kdf == "bcrypt");
        let whole = length >= block && length % block == 0 && reader.0.len() == length + tag;
        (paired && whole).then(|| &reader.0[..length])
    })();
    let mut options = Reader(options);
    let rounds = options.string().and_then(|_salt| options.u32());
    let head = Head {
        cipher: (cipher != "none").then_some(cipher),
        kdf: rounds.filter(|_| kdf != "none").map(|rounds| Kdf { name: kdf, rounds }),
        public: Some(public),
    };
    Some((head, body))
}

/// The comment of a clear private part, if everything in it is as `sshkey_private_deserialize` wants it.
fn comment_of_clear(body: &[u8], public: &PublicKey) -> Option<String> {
    let mut reader = Reader(body);
    (reader.u32()? == reader.u32()?).then_some(())?;
    let name = reader.string()?;
    if name != public.algorithm.as_bytes() {
        return None;
    }
    if public.certificate.is_some() {
        // A private key with its certificate inside has no use for ssh-keygen and is written by agents only.
        return Some(String::new());
    }
    let mut blob = Vec::with_capacity(public.blob.len());
    put_string(&mut blob, name);
    match name {
        b"ssh-ed25519" => {
            let point = reader.string()?;
            put_string(&mut blob, point);
            (reader.string()?.len() == 64).then_some(())?;
        }
        b"ssh-rsa" => {
            let (modulus, exponent) = (reader.mpint()?, reader.mpint()?);
            put_mpint(&mut blob, exponent);
            put_mpint(&mut blob, modulus);
            for _ in 0..4 {
                reader.mpint()?;
            }
        }
        b"ssh-dss" => {
            for _ in 0..4 {
                put_mpint(&mut blob, reader.mpint()?);
            }
            reader.mpint()?;
        }
        _ => {
            let sk = name.starts_with(b"sk-");
            for _ in 0..if name.starts_with(b"sk-ssh-ed25519") { 1 } else { 2 } {
                put_string(&mut blob, reader.string()?);
            }
            if sk {
                put_string(&mut blob, reader.string()?);
                reader.byte()?;
                reader.string()?;
                reader.string()?;
            } else {
                reader.mpint()?;
            }
        }
    }
    let comment = text(reader.string()?);
    let padded = reader.0.iter().zip(1_u8..=255).all(|(byte, expected)| *byte == expected);
    (padded && blob == public.blob).then_some(comment)
}
