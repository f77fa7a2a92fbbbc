//! What has happened to a private key that ssh no longer loads, and how to give it back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Content, Format, KeyState, Loader, load};
use bbdoctor_checks::facts::key_file::CorruptKind;
use bbdoctor_checks::facts::public_key::base64_decode;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// Whether a private key's first line stands somewhere behind the first line.
pub(super) fn has_private_key_inside(bytes: &[u8]) -> bool {
    let begin = format!("\n{BEGIN}");
    String::from_utf8_lossy(bytes).split(&begin).skip(1).any(|rest| rest.lines().next().is_some_and(|l| l.contains("PRIVATE KEY")))
}

/// Why the loader refuses these bytes.
pub(super) fn diagnose(bytes: &[u8], loader: &Loader) -> Content {
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return corrupt(CorruptKind::Empty, Format::Empty, false);
    }
    if let Some(version) = bytes.strip_prefix(b"PuTTY-User-Key-File-").and_then(|rest| rest.first()) {
        return Content::new(KeyState::Ppk, Format::Ppk(version.wrapping_sub(b'0')));
    }
    let text = decoded(bytes);
    if text.contains("---- BEGIN SSH2 ") {
        return corrupt(CorruptKind::Ssh2Export, Format::Ssh2Export, false);
    }
    let restorable = restore(bytes, loader).is_some();
    let format = format_of(&text).unwrap_or(Format::Other);
    if !text.contains(BEGIN) {
        return match inner_base64(&text) {
            Some(_) => corrupt(CorruptKind::Base64OfFile, Format::Base64OfKey, restorable),
            None => corrupt(CorruptKind::Other, format, false),
        };
    }
    corrupt(kind(bytes, &text, restorable), format, restorable)
}

fn corrupt(kind: CorruptKind, format: Format, restorable: bool) -> Content {
    Content::new(KeyState::Corrupt { kind, restorable }, format)
}

fn kind(bytes: &[u8], text: &str, restorable: bool) -> CorruptKind {
    let start = text.find(BEGIN).unwrap_or(0);
    let (before, key) = text.split_at(start);
    let Some(end) = key.find(END) else { return CorruptKind::Truncated };
    let after_begin = key[BEGIN.len()..].find("-----").map(|at| &key[BEGIN.len() + at + 5..]).unwrap_or_default();
    if !restorable {
        return if after_begin.len() < END.len() || !key[end..].trim_end().ends_with("-----") {
            CorruptKind::Truncated
        } else {
            CorruptKind::Other
        };
    }
    let lines = || key[..end].lines();
    let breaks = after_begin.trim_start_matches(['\r', ' ', '\t']).starts_with('\n') && key[..end].ends_with('\n');
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        CorruptKind::Utf16
    } else if text.len() != bytes.len() || !bytes.starts_with(text.as_bytes()) {
        CorruptKind::ByteOrderMark
    } else if key.contains("\\n") {
        CorruptKind::LiteralBackslashN
    } else if before.contains(['"', '\'']) || lines().any(|line| line.starts_with([' ', '\t', '"', '\''])) {
        CorruptKind::QuotedOrIndented
    } else if !breaks && !key[..end].trim_end_matches([' ', '\t']).ends_with('\n') {
        CorruptKind::LineBreaksLost
    } else if before.ends_with([' ', '\t']) || lines().any(|line| line.ends_with([' ', '\t'])) {
        CorruptKind::QuotedOrIndented
    } else if !before.is_empty() && before.trim().is_empty() {
        CorruptKind::LeadingBlank
    } else if before.ends_with('\n') {
        CorruptKind::LeadingText
    } else if key.contains('\r') {
        CorruptKind::Crlf
    } else if key[end..].trim_end().ends_with("-----") && !key.ends_with('\n') {
        CorruptKind::MissingFinalNewline
    } else if !key[end..].trim_end().ends_with("-----") {
        CorruptKind::Truncated
    } else {
        CorruptKind::Other
    }
}

/// The text without byte order marks, UTF-16 made readable.
fn decoded(bytes: &[u8]) -> String {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn format_of(text: &str) -> Option<Format> {
    let label = text.split_once(BEGIN)?.1;
    [
        ("OPENSSH PRIVATE KEY", Format::OpenSsh),
        ("RSA PRIVATE KEY", Format::PemRsa),
        ("EC PRIVATE KEY", Format::PemEc),
        ("DSA PRIVATE KEY", Format::PemDsa),
        ("PRIVATE KEY", Format::Pkcs8),
        ("ENCRYPTED PRIVATE KEY", Format::Pkcs8Encrypted),
    ]
    .into_iter()
    .find(|(name, _)| label.starts_with(name))
    .map(|(_, format)| format)
}

/// What the text decodes to, if that is a PEM file.
fn inner_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().trim_matches(['"', '\'']);
    base64_decode(text.as_bytes()).filter(|inner| String::from_utf8_lossy(inner).contains(BEGIN))
}

/// The key written anew, if what is there suffices for the loader.
pub(super) fn restore(bytes: &[u8], loader: &Loader) -> Option<Vec<u8>> {
    let text = decoded(bytes);
    let text = if text.contains(BEGIN) { text } else { decoded(&inner_base64(&text)?) };
    let key = rebuilt(&text)?;
    load(key.as_bytes(), loader).map(|_| key.into_bytes())
}

/// Armour, header and base64 put back into lines.
fn rebuilt(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (label, rest) = rest.split_once("-----")?;
    let body = rest.split("-----").next()?.replace("\\r", "").replace("\\n", " ");
    let mut words = body.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).filter(|w| !w.is_empty()).peekable();
    let mut out = format!("{BEGIN}{label}-----\n");
    while let Some(name) = words.next_if(|word| word.ends_with(':')) {
        out += &format!("{name} {}\n", words.next()?);
    }
    if out.lines().count() > 1 {
        out.push('\n');
    }
    let encoded: String = words.collect();
    let encoded = STANDARD.encode(base64_decode(encoded.as_bytes())?);
    let width = if label.starts_with("OPENSSH") { 70 } else { 64 };
    for line in encoded.as_bytes().chunks(width) {
        out += &String::from_utf8_lossy(line);
        out.push('\n');
    }
    Some(out + END + label + "-----\n")
}
