//! Base64 as OpenSSH takes it.

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
}
