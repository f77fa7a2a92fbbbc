//! PEM private keys: PKCS#1, SEC1, DSA, PKCS#8.
//!
//! OpenSSH has OpenSSL read them (`PEM_read_bio_PrivateKey`), and so do we.

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};

use super::{Content, Format, KeyState, Loader};
use bbdoctor_checks::facts::public_key::{PublicKey, RSA_MINIMUM_BITS};

/// The first private key among the PEM blocks; `None` when OpenSSL finds none that it can parse.
pub(super) fn read(bytes: &[u8], loader: &Loader) -> Option<Content> {
    let format = format(bytes)?;
    let mut asked = false;
    // Whoever needs a passphrase gets none.
    let key = PKey::private_key_from_pem_callback(bytes, |_| {
        asked = true;
        Err(ErrorStack::get())
    });
    match key {
        Ok(key) => loaded(&key, format, loader),
        Err(_) if asked => Some(Content::new(KeyState::Encrypted, format)),
        Err(_) => None,
    }
}

/// What the first private key's label says.
fn format(bytes: &[u8]) -> Option<Format> {
    bytes.split(|b| *b == b'\n').find_map(|line| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_end();
        match line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")? {
            b"RSA PRIVATE KEY" => Some(Format::PemRsa),
            b"EC PRIVATE KEY" => Some(Format::PemEc),
            b"DSA PRIVATE KEY" => Some(Format::PemDsa),
            b"PRIVATE KEY" => Some(Format::Pkcs8),
            b"ENCRYPTED PRIVATE KEY" => Some(Format::Pkcs8Encrypted),
            _ => None,
        }
    })
}

/// What `sshkey_parse_private_pem_fileblob` makes of a key that OpenSSL has read.
fn loaded(key: &PKey<Private>, format: Format, loader: &Loader) -> Option<Content> {
    let unsupported = |algorithm: &str| Some(Content::new(KeyState::UnsupportedType(algorithm.to_owned()), format));
    let held = match key.id() {
        Id::RSA => {
            let rsa = key.rsa().ok()?;
            (u32::try_from(rsa.n().num_bits()).ok()? >= RSA_MINIMUM_BITS).then_some(())?;
            PublicKey::from_rsa(&rsa.e().to_vec(), &rsa.n().to_vec())
        }
        Id::EC => {
            let ec = key.ec_key().ok()?;
            let known = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
            ec.group().curve_name().filter(|curve| known.contains(curve))?;
            let mut context = openssl::bn::BigNumContext::new().ok()?;
            let form = openssl::ec::PointConversionForm::UNCOMPRESSED;
            PublicKey::from_ecdsa(&ec.public_key().to_bytes(ec.group(), form, &mut context).ok()?)
        }
        Id::ED25519 if loader.reads_ed25519_pkcs8() => PublicKey::from_ed25519(&key.raw_public_key().ok()?),
        Id::ED25519 => return unsupported("ssh-ed25519"),
        Id::DSA => return unsupported("ssh-dss"),
        _ => return unsupported("unknown"),
    };
    Some(Content { held: held.ok(), ..Content::new(KeyState::Usable, format) })
}
