//! One line of a known_hosts file, as `hostkeys_foreach` reads it.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::lookup_name;
use crate::openssh::pattern::{self, Case};
use bbdoctor_checks::facts::known_hosts::{LineFault, Marker};
use bbdoctor_checks::facts::public_key::base64_decode;
use bbdoctor_checks::facts::public_key::{BadKey, PublicKey, is_type_name};

/// The host that is looked for.
pub(super) struct Wanted {
    /// `host` or `[host]:port`.
    pub(super) name: String,
    /// The plain name to fall back to, for another port than 22.
    fallback: Option<String>,
}

impl Wanted {
    pub(super) fn new(host: &str, port: u16) -> Self {
        let (name, plain) = (lookup_name(host, port), lookup_name(host, 22));
        Wanted { fallback: (name != plain).then_some(plain), name }
    }
}

/// What a line is to the wanted host.
pub(super) enum Line {
    /// A comment, empty, or about another host.
    Other,
    /// Skipped by ssh, or would be if its host were asked for.
    Malformed { fault: LineFault, mentions_host: bool },
    /// An entry for the host.
    Names { marker: Marker, via_fallback: bool, key: Box<PublicKey> },
}

/// Reads a line without its newline.
pub(super) fn read(raw: &[u8], wanted: &Wanted) -> Line {
    // C strings end at a NUL.
    let raw = raw.split(|&b| b == 0).next().unwrap_or_default();
    let line = skip_blanks(raw);
    if line.first().is_none_or(|b| *b == b'#') || line.iter().all(u8::is_ascii_whitespace) {
        return Line::Other;
    }
    let malformed = |fault| Line::Malformed { fault, mentions_host: mentions(raw, wanted) };
    let Some((marker, line)) = marker(line) else { return malformed(LineFault::Marker) };
    let end = line.iter().position(|b| is_blank(*b)).unwrap_or(line.len());
    let (hosts, rest) = line.split_at(end);
    let rest = skip_blanks(rest);
    let names = match names(hosts, wanted) {
        Ok(names) => names,
        Err(fault) => return malformed(fault),
    };
    match names {
        Some(via_fallback) => match key(rest) {
            Ok(key) => Line::Names { marker, via_fallback, key: Box::new(key) },
            Err(fault) => malformed(fault_of_columns(hosts, rest).unwrap_or(fault)),
        },
        // Decoding every key of a large file would take longer than all the rest; a glance tells the broken lines.
        None => match glance(hosts, rest) {
            Some(fault) => malformed(fault),
            None => Line::Other,
        },
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|b| is_blank(**b)).count()..]
}

/// As `check_markers`: at most one, known, ended by a blank.
fn marker(line: &[u8]) -> Option<(Marker, &[u8])> {
    if line.first() != Some(&b'@') {
        return Some((Marker::None, line));
    }
    // `check_markers` looks for a space first and for a tab only when the whole line has no space.
    let end = line.iter().position(|b| *b == b' ').or_else(|| line.iter().position(|b| *b == b'\t'))?;
    let marker = match &line[..end] {
        b"@cert-authority" => Marker::CertAuthority,
        b"@revoked" => Marker::Revoked,
        _ => return None,
    };
    let rest = skip_blanks(&line[end..]);
    (rest.first() != Some(&b'@')).then_some((marker, rest))
}

/// Whether the first column names the host: under its full name (`false`), else under the name to fall back to (`true`).
fn names(hosts: &[u8], wanted: &Wanted) -> Result<Option<bool>, LineFault> {
    let candidates = [(Some(&wanted.name), false), (wanted.fallback.as_ref(), true)];
    for (name, via_fallback) in candidates {
        let Some(name) = name else { continue };
        let named = match hosts.first() {
            Some(b'|') => hashed(hosts, name)?,
            // As `match_hostname`.
            _ => pattern::fits_list(name.as_bytes(), hosts, Case::Ignored),
        };
        if named {
            return Ok(Some(via_fallback));
        }
    }
    Ok(None)
}

/// As `match_maybe_hashed`: HMAC-SHA1 of the name under the line's own salt.
fn hashed(hosts: &[u8], name: &str) -> Result<bool, LineFault> {
    let rest = hosts.strip_prefix(b"|1|").ok_or(LineFault::Hash)?;
    let bar = rest.iter().position(|b| *b == b'|').ok_or(LineFault::Hash)?;
    let salt = base64_decode(&rest[..bar]).filter(|salt| salt.len() == 20).ok_or(LineFault::Hash)?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).map_err(|_| LineFault::Hash)?;
    mac.update(name.as_bytes());
    // OpenSSH compares the texts: a hash that is cut or padded otherwise does not match, and is no error.
    Ok(base64_decode(&rest[bar + 1..]).is_some_and(|hash| mac.verify_slice(&hash).is_ok()))
}

/// The key behind the host, as `hostfile_read_key`.
fn key(rest: &[u8]) -> Result<PublicKey, LineFault> {
    if rest.first().is_none_or(|b| *b == b'#') {
        return Err(LineFault::Truncated);
    }
    PublicKey::from_line(rest).map_err(|bad| match bad {
        BadKey::Truncated => LineFault::Truncated,
        BadKey::UnknownType(name) => LineFault::UnknownType(name),
        BadKey::Base64 => LineFault::Base64,
        BadKey::Damaged => LineFault::Damaged,
        BadKey::TypeDiffers(inner) => LineFault::TypeDiffers(inner),
        BadKey::RsaTooShort(bits) => LineFault::RsaTooShort(bits),
    })
}

/// A fault that shows in how the words stand.
fn fault_of_columns(hosts: &[u8], rest: &[u8]) -> Option<LineFault> {
    let mut words = rest.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty());
    let (second, third) = (words.next(), words.next());
    let is_key = |word: &[u8]| word.starts_with(b"AAAA");
    // The second half of a line that was broken in two.
    if is_key(hosts) && second.is_none() {
        return Some(LineFault::Truncated);
    }
    let is_type = |word: Option<&[u8]>| word.is_some_and(is_type_name);
    if [second, third].iter().flatten().any(|w| w.starts_with(b"SHA256:") || w.starts_with(b"MD5:")) {
        return Some(LineFault::Fingerprint);
    }
    if is_type_name(hosts) || is_key(hosts) || (second.is_some_and(is_key) && (third.is_none() || is_type(third))) {
        return Some(LineFault::ColumnOrder);
    }
    let number = |word: Option<&[u8]>| word.is_some_and(|w| !w.is_empty() && w.iter().all(u8::is_ascii_digit));
    (number(second) && number(third)).then_some(LineFault::Version1)
}

/// What is plainly wrong with a line, without decoding its key.
fn glance(hosts: &[u8], rest: &[u8]) -> Option<LineFault> {
    if let Some(fault) = fault_of_columns(hosts, rest) {
        return Some(fault);
    }
    let mut words = rest.split(|b| is_blank(*b)).filter(|w| !w.is_empty());
    match (words.next(), words.next()) {
        (None, _) | (Some(_), None) => Some(LineFault::Truncated),
        (Some(kind), Some(_)) if !is_type_name(kind) => {
            Some(LineFault::UnknownType(bbdoctor_checks::facts::public_key::text(kind)))
        }
        _ => None,
    }
}

/// Whether the wanted host stands in a line that cannot be read as it is.
fn mentions(raw: &[u8], wanted: &Wanted) -> bool {
    let host = wanted.fallback.as_ref().unwrap_or(&wanted.name).as_bytes();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !host.is_empty()
        && raw.len() >= host.len()
        && raw.windows(host.len()).enumerate().any(|(at, window)| {
            window.eq_ignore_ascii_case(host)
                && !raw[..at].last().is_some_and(part)
                && !raw[at + host.len()..].first().is_some_and(part)
        })
}
