//! PEM private keys, as OpenSSH has OpenSSL read them (`PEM_read_bio_PrivateKey` of OpenSSL 3): PKCS#1, SEC1, DSA, PKCS#8.

use super::{Content, Format, Kdf, KeyState, Loader};
use crate::evidence::public_key::encoding::{base64_decode, bits, put_mpint, put_string, trim};
use crate::evidence::public_key::{PublicKey, RSA_MINIMUM_BITS, text};

/// OpenSSL reads lines in pieces of this many bytes.
const PIECE: usize = 254;

/// The first private key among the PEM blocks; `None` when OpenSSL would find none that it can parse.
pub(super) fn read(bytes: &[u8], loader: &Loader) -> Option<Content> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Pieces(bytes);
    loop {
        let block = block(&mut lines)?;
        let format = match block.label {
            b"RSA PRIVATE KEY" => Format::PemRsa,
            b"EC PRIVATE KEY" => Format::PemEc,
            b"DSA PRIVATE KEY" => Format::PemDsa,
            b"PRIVATE KEY" => Format::Pkcs8,
            b"ENCRYPTED PRIVATE KEY" => Format::Pkcs8Encrypted,
            _ => continue,
        };
        return key(format, &block, loader);
    }
}

/// A block: its label, its header lines, its base64.
struct Block<'a> {
    label: &'a [u8],
    header: Vec<u8>,
    body: Vec<u8>,
}

/// Lines with their trailing blanks cut; long ones come in pieces, the second field says that more follows.
struct Pieces<'a>(&'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = (&'a [u8], bool);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().take(PIECE).position(|b| *b == b'\n').map_or(PIECE.min(self.0.len()), |at| at + 1);
        let (piece, rest) = self.0.split_at(end);
        self.0 = rest;
        // OpenSSL compares signed characters: bytes from 0x80 on count as blanks as well.
        let length = piece.iter().rposition(|b| (0x21..0x80).contains(b)).map_or(0, |at| at + 1);
        Some((&piece[..length], piece.len() == PIECE && piece.last() != Some(&b'\n')))
    }
}

fn block<'a>(lines: &mut Pieces<'a>) -> Option<Block<'a>> {
    let label = lines.find_map(|(line, _)| line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----"))?;
    let (mut before, mut after, mut blank, mut in_piece, mut short) = (Vec::new(), Vec::new(), false, false, false);
    let mut colon = false;
    for (line, partial) in lines.by_ref() {
        let continued = std::mem::replace(&mut in_piece, partial);
        colon |= line.contains(&b':');
        if line.is_empty() {
            if continued {
                continue;
            }
            if blank {
                return None;
            }
            blank = true;
            continue;
        }
        if let Some(end) = line.strip_prefix(b"-----END ") {
            if end.strip_suffix(b"-----") != Some(label) {
                return None;
            }
            // Without a blank line there was no header: what looked like one is the body.
            let (header, body) = match (blank, colon) {
                (true, _) => (before, after),
                (false, false) => (Vec::new(), before),
                (false, true) => return None,
            };
            return Some(Block { label, header, body });
        }
        if blank && short {
            return None;
        }
        let into = if blank { &mut after } else { &mut before };
        into.extend(line);
        into.push(b'\n');
        if blank {
            if line.len() > 64 {
                return None;
            }
            short = line.len() < 64;
        }
    }
    None
}

fn key(format: Format, block: &Block<'_>, loader: &Loader) -> Option<Content> {
    let der = base64_decode(&block.body)?;
    if format == Format::Pkcs8Encrypted {
        Der(&der).enter(SEQUENCE)?;
        return Some(Content::new(KeyState::Encrypted, format));
    }
    if !block.header.is_empty() {
        return encrypted(format, &block.header);
    }
    let mut fields = Der(&der).enter(SEQUENCE)?;
    let held = match format {
        Format::PemRsa => rsa(fields)?,
        Format::PemEc => ec(fields, None)?,
        Format::PemDsa => return dsa(fields).map(|()| unsupported(format, "ssh-dss")),
        _ => {
            fields.enter(INTEGER)?;
            let mut algorithm = fields.enter(SEQUENCE)?;
            let oid = algorithm.enter(OID)?.0;
            let mut inner = fields.enter(OCTETS)?;
            match oid {
                RSA_OID => rsa(inner.enter(SEQUENCE)?)?,
                EC_OID => ec(inner.enter(SEQUENCE)?, algorithm.enter(OID).map(|o| o.0))?,
                DSA_OID => return Some(unsupported(format, "ssh-dss")),
                ED25519_OID if loader.reads_ed25519_pkcs8() => None,
                ED25519_OID => return Some(unsupported(format, "ssh-ed25519")),
                _ => return Some(unsupported(format, "unknown")),
            }
        }
    };
    Some(Content { held, ..Content::new(KeyState::Usable, format) })
}

fn unsupported(format: Format, algorithm: &str) -> Content {
    Content::new(KeyState::UnsupportedType(algorithm.to_owned()), format)
}

/// RFC 1421 encryption: `Proc-Type: 4,ENCRYPTED` and then `DEK-Info: CIPHER,IV`.
fn encrypted(format: Format, header: &[u8]) -> Option<Content> {
    let mut lines = header.split(|b| *b == b'\n');
    let kind = lines.next()?.strip_prefix(b"Proc-Type:")?.trim_ascii();
    let info = lines.next()?.strip_prefix(b"DEK-Info:")?.trim_ascii();
    (kind == b"4,ENCRYPTED").then_some(())?;
    let comma = info.iter().position(|b| *b == b',')?;
    let kdf = Kdf { name: "md5".to_owned(), rounds: 1 };
    Some(Content { cipher: Some(text(&info[..comma])), kdf: Some(kdf), ..Content::new(KeyState::Encrypted, format) })
}

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const RSA_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const DSA_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
const EC_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519_OID: &[u8] = &[0x2b, 0x65, 0x70];

/// The elements of a DER value, front to back.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (size, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
                (size.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn enter(&mut self, wanted: u8) -> Option<Der<'a>> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, value)| Der(value))
    }
}

/// The outer option is whether OpenSSH takes the key, the inner one whether its public half is known.
type Half = Option<Option<PublicKey>>;

fn rsa(mut fields: Der<'_>) -> Half {
    fields.enter(INTEGER)?;
    let (modulus, exponent) = (fields.enter(INTEGER)?.0, fields.enter(INTEGER)?.0);
    for _ in 0..6 {
        fields.enter(INTEGER)?;
    }
    (bits(trim(modulus)) >= RSA_MINIMUM_BITS).then_some(())?;
    let mut blob = Vec::new();
    put_string(&mut blob, b"ssh-rsa");
    put_mpint(&mut blob, exponent);
    put_mpint(&mut blob, modulus);
    Some(PublicKey::from_blob(&blob, b"").ok())
}

fn dsa(mut fields: Der<'_>) -> Option<()> {
    (0..6).all(|_| fields.enter(INTEGER).is_some()).then_some(())
}

/// RFC 5915: version, private number, the curve and the public point, each of these two optional.
fn ec(mut fields: Der<'_>, curve: Option<&[u8]>) -> Half {
    fields.enter(INTEGER)?;
    fields.enter(OCTETS)?;
    let (mut curve, mut point) = (curve, None);
    while let Some((tag, value)) = fields.next() {
        match tag {
            0xa0 => curve = Der(value).enter(OID).map(|o| o.0).or(curve),
            0xa1 => point = Der(value).enter(BITS).and_then(|b| b.0.strip_prefix(&[0])),
            _ => return None,
        }
    }
    let name = match curve? {
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => "nistp256",
        [0x2b, 0x81, 4, 0, 34] => "nistp384",
        [0x2b, 0x81, 4, 0, 35] => "nistp521",
        _ => return None,
    };
    let half = point.and_then(|point| {
        let mut blob = Vec::new();
        put_string(&mut blob, format!("ecdsa-sha2-{name}").as_bytes());
        put_string(&mut blob, name.as_bytes());
        put_string(&mut blob, point);
        PublicKey::from_blob(&blob, b"").ok()
    });
    Some(half)
}
