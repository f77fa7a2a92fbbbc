//! The two encodings of every SSH key: base64 as OpenSSH's `b64_pton` takes it, and the strings of RFC 4251 section 5.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Decodes base64 as `b64_pton(3)`: ASCII white space anywhere is skipped, padding is demanded, bits left over must be
/// zero, a NUL ends the text. `None` when OpenSSH would refuse it.
pub fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    // isspace(3) of the C locale also counts the vertical tab, which u8::is_ascii_whitespace does not.
    let dense: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != 0x0b).collect();
    STANDARD.decode(dense).ok()
}

/// Reads the fields of a blob, front to back; every read is bounded by what is there.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|b| b[0])
    }

    /// A `uint32`.
    pub fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
    }

    /// A `uint64`.
    pub fn u64(&mut self) -> Option<u64> {
        self.take(8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes)
    }

    /// A `string`.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let n = self.u32()?;
        self.take(usize::try_from(n).ok()?)
    }

    /// An `mpint` that is not negative, without its leading zeros.
    pub fn mpint(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|b| b & 0x80 != 0) {
            return None;
        }
        Some(trim(bytes))
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A number's bytes without leading zeros.
pub fn trim(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|b| **b == 0).count()..]
}

/// How many bits a number has; `bytes` without leading zeros.
pub fn bits(bytes: &[u8]) -> u32 {
    match bytes.first() {
        Some(first) => u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8) - first.leading_zeros(),
        None => 0,
    }
}

/// Appends a `string`.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Appends an `mpint` that is not negative.
pub fn put_mpint(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = trim(bytes);
    let mut number = Vec::with_capacity(bytes.len() + 1);
    if bytes.first().is_some_and(|b| b & 0x80 != 0) {
        number.push(0);
    }
    number.extend(bytes);
    put_string(out, &number);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_taken_as_openssh_takes_it() {
        for (text, bytes) in [
            ("AAEC", Some(&[0, 1, 2][..])),
            (" A A\r\nEC\t", Some(&[0, 1, 2])),
            ("AAE=", Some(&[0, 1])),
            ("AAE", None),
            ("AAF=", None),
            ("AA=E", None),
            ("AA-_", None),
            ("", Some(&[])),
            ("AAEC\0junk!", Some(&[0, 1, 2])),
        ] {
            assert_eq!(base64_decode(text.as_bytes()).as_deref(), bytes, "{text:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_reads_nothing() {
        assert_eq!(Reader(&[0xff, 0xff, 0xff, 0xff, 1]).string(), None);
        assert_eq!(Reader(&[0, 0, 0, 1, 0x80]).mpint(), None);
        assert_eq!(bits(&[1, 0]), 9);
    }
}
