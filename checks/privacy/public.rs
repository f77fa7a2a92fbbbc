//! Values that anybody may see because of what they are: each kind has a form, and what has not that form is quoted instead.
//!
//! These, numbers and the words of our own sources are all the public text there is.

use super::words::{fingerprint_at, is_public, is_version};
use super::{Piece, Private, Text};

impl Text {
    /// A key's fingerprint as ssh-keygen prints it, `SHA256:…` or `MD5:…`: it tells keys apart, and tells nothing else.
    pub fn fingerprint(print: impl AsRef<str>) -> Self {
        Self::public_if(print.as_ref(), |p| fingerprint_at(p) == Some(p.len()))
    }

    /// The permission bits of a file, as chmod takes them: `0644`.
    pub fn mode(mode: u32) -> Self {
        Self::public(format!("{mode:04o}"))
    }

    /// The name of an algorithm or a key type (RFC 4251, 6), where it is one that OpenSSH knows or knew.
    pub fn algorithm(name: impl AsRef<str>) -> Self {
        // Names with an `@` end in the domain of whoever defined them.
        Self::public_if(name.as_ref(), |name| name.len() <= 64 && name.split('@').count() <= 2 && name.split('@').all(is_public))
    }

    /// A keyword of ssh_config, in either case.
    pub fn keyword(word: impl AsRef<str>) -> Self {
        Self::public_if(word.as_ref(), |word| word.bytes().all(|b| b.is_ascii_alphanumeric()) && is_public(word))
    }

    /// Algorithms as they stand in a list, with `separator` between them.
    pub fn algorithms(names: impl IntoIterator<Item = impl AsRef<str>>, separator: &'static str) -> Self {
        Self::join(names.into_iter().map(Self::algorithm), separator)
    }

    /// A version that is made of numbers: `1.11.1`, `9.2p1`, `2.39.5-2+deb12u10`; or `1.11.2_DEV`, as libssh2 calls what lies between two.
    pub fn version(version: impl AsRef<str>) -> Self {
        Self::public_if(version.as_ref(), |version| is_version(version.strip_suffix("_DEV").unwrap_or(version)))
    }

    /// A day, `2026-11-22`, or a moment of one, `2026-11-22T20:00:00Z`.
    pub fn date(date: impl AsRef<str>) -> Self {
        let has_form = |text: &str, form: &str| {
            let fits = |(c, f): (u8, u8)| if f == b'0' { c.is_ascii_digit() } else { c == f };
            text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
        };
        Self::public_if(date.as_ref(), |date| ["0000-00-00", "0000-00-00T00:00:00Z"].iter().any(|form| has_form(date, form)))
    }

    /// An option of one letter, as ssh takes it: `-v`.
    pub fn option(letter: char) -> Self {
        Self::public_if(&format!("-{letter}"), |option| option.bytes().all(|b| b == b'-' || b.is_ascii_alphanumeric()))
    }

    fn public_if(text: &str, has_its_form: impl Fn(&str) -> bool) -> Self {
        if has_its_form(text) { Self::public(text.to_string()) } else { Private::quoted(text).into() }
    }

    /// The one way by which a value that was not written in our sources becomes public; nobody outside this file has it.
    fn public(text: String) -> Self {
        Text(vec![Piece::Public(text.into())])
    }
}

macro_rules! numbers_are_public {
    ($($number:ty)*) => {$(
        impl From<$number> for Text {
            fn from(n: $number) -> Self {
                Text::public(n.to_string())
            }
        }
    )*};
}
numbers_are_public!(u8 u16 u32 u64 usize i32 i64 u128);
