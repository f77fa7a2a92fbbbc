//! Characters in configuration files that are not what they look like, and how ssh prints them.

use bbdoctor_checks::facts::ssh_config::EncodingFault;

/// Text as OpenSSH's log prints it: bytes beyond ASCII and control characters in octal, backslashes doubled (`vis(3)` with
/// `VIS_SAFE|VIS_OCTAL`).
pub(super) fn printable(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'\\' => out.push_str(r"\\"),
            0x20..0x7f | b'\t' | b'\n' | b'\r' | 7 | 8 => out.push(char::from(b)),
            _ => out.push_str(&format!(r"\{b:03o}")),
        }
    }
    out
}

/// A mark at the start of the file that ssh reads as part of the first keyword.
pub(super) fn of_file(text: &[u8]) -> Option<EncodingFault> {
    if text.starts_with(b"\xef\xbb\xbf") {
        Some(EncodingFault::ByteOrderMark)
    } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") || text.get(1) == Some(&0) {
        Some(EncodingFault::Utf16)
    } else {
        None
    }
}

/// Characters in a line that a person does not see, or takes for others.
pub(super) fn of_line(raw: &[u8]) -> Option<EncodingFault> {
    String::from_utf8_lossy(raw).chars().find_map(|c| match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(EncodingFault::NoBreakSpace),
        '\u{2018}'..='\u{201f}' => Some(EncodingFault::CurlyQuote),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' => {
            Some(EncodingFault::Invisible)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_does_not_see_is_seen() {
        assert_eq!(of_file(b"\xef\xbb\xbfHost x"), Some(EncodingFault::ByteOrderMark));
        assert_eq!(of_file(b"\xff\xfeH\0"), Some(EncodingFault::Utf16));
        assert_eq!(of_file(b"H\0o\0"), Some(EncodingFault::Utf16));
        assert_eq!(of_file(b"Host x"), None);
        assert_eq!(of_line("User\u{a0}git".as_bytes()), Some(EncodingFault::NoBreakSpace));
        assert_eq!(of_line("IdentityFile \u{201c}x\u{201d}".as_bytes()), Some(EncodingFault::CurlyQuote));
        assert_eq!(of_line("Us\u{200b}er git".as_bytes()), Some(EncodingFault::Invisible));
        assert_eq!(of_line("User bé # 日本".as_bytes()), None);
        assert_eq!(printable("bé\\"), r"b\303\251\\");
    }
}
