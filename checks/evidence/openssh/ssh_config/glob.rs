//! File name patterns as `Include` understands them: `glob(3)` of OpenBSD, which portable OpenSSH brings along.
//!
//! `*`, `?` and `[…]` do not match a leading dot, a backslash takes the next character literally, the result is sorted by
//! bytes, and a name without wildcards is found if it exists, even as a dangling link.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The most folder entries that are looked at for one pattern.
const ENTRY_LIMIT: usize = 50_000;

/// The pattern would look at more than is reasonable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooWide;

/// The existing paths that fit the absolute `pattern`, sorted.
///
/// # Errors
/// When more than [`ENTRY_LIMIT`] folder entries would have to be looked at.
pub(super) fn glob(pattern: &[u8]) -> Result<Vec<PathBuf>, TooWide> {
    let mut left = ENTRY_LIMIT;
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split(|&b| b == b'/').filter(|p| !p.is_empty()) {
        let mut next = Vec::new();
        for folder in found {
            if !part.iter().any(|b| matches!(b, b'*' | b'?' | b'[')) {
                next.push(folder.join(OsStr::from_bytes(&unescaped(part))));
                continue;
            }
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.filter_map(Result::ok) {
                left = left.checked_sub(1).ok_or(TooWide)?;
                let name = entry.file_name();
                let hidden = name.as_bytes().starts_with(b".") && !part.starts_with(b".");
                if !hidden && fits(name.as_bytes(), part) {
                    next.push(folder.join(name));
                }
            }
        }
        found = next;
    }
    found.retain(|path| std::fs::symlink_metadata(path).is_ok());
    found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(found)
}

/// `text` with the characters that mean something in a pattern escaped.
pub(super) fn escaped(text: &Path) -> Vec<u8> {
    text.as_os_str().as_bytes().iter().flat_map(|&b| if b"*?[\\".contains(&b) { vec![b'\\', b] } else { vec![b] }).collect()
}

fn unescaped(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = part.iter();
    while let Some(&b) = bytes.next() {
        out.push(if b == b'\\' { *bytes.next().unwrap_or(&b) } else { b });
    }
    out
}

/// The first item of a pattern and what follows it.
enum Item<'a> {
    Any,
    One,
    Class(&'a [u8]),
    Byte(u8),
}

fn first_item(pattern: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&first, rest) = pattern.split_first()?;
    Some(match first {
        b'*' => (Item::Any, rest),
        b'?' => (Item::One, rest),
        b'[' => {
            // A `]` right after `[` or `[!` is a member; without a closing bracket `[` is itself.
            let from = if rest.first() == Some(&b'!') { 2 } else { 1 };
            match (from..rest.len()).find(|&i| rest[i] == b']') {
                Some(end) => (Item::Class(&rest[..end]), &rest[end + 1..]),
                None => (Item::Byte(b'['), rest),
            }
        }
        b'\\' => match rest.split_first() {
            Some((&b, rest)) => (Item::Byte(b), rest),
            None => (Item::Byte(b'\\'), rest),
        },
        b => (Item::Byte(b), rest),
    })
}

fn in_class(byte: u8, class: &[u8]) -> bool {
    let (negated, class) = class.strip_prefix(b"!").map_or((false, class), |c| (true, c));
    let mut hit = false;
    let mut rest = class;
    while let Some((&low, tail)) = rest.split_first() {
        match tail {
            [b'-', high, after @ ..] => {
                hit |= (low..=*high).contains(&byte);
                rest = after;
            }
            _ => {
                hit |= low == byte;
                rest = tail;
            }
        }
    }
    hit != negated
}

fn fits(name: &[u8], pattern: &[u8]) -> bool {
    let (mut text, mut rest) = (name, pattern);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match first_item(rest) {
            Some((Item::Any, after)) => {
                retry = Some((text, after));
                rest = after;
                continue;
            }
            Some((item, after)) => text.split_first().and_then(|(&b, tail)| {
                let hit = match item {
                    Item::Class(class) => in_class(b, class),
                    Item::Byte(x) => x == b,
                    Item::One | Item::Any => true,
                };
                hit.then_some((tail, after))
            }),
            None if text.is_empty() => return true,
            None => None,
        };
        match (step, retry) {
            (Some((tail, after)), _) => (text, rest) = (tail, after),
            (None, Some((from, after))) if !from.is_empty() => {
                retry = Some((&from[1..], after));
                (text, rest) = (&from[1..], after);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_glob_has_it() {
        for (name, pattern) in [
            ("a.conf", "*.conf"),
            ("ab", "a?"),
            ("b", "[abc]"),
            ("b", "[!c-z]"),
            ("]", "[]]"),
            ("a*", r"a\*"),
            ("a[", "a["),
            ("", "*"),
        ] {
            assert!(fits(name.as_bytes(), pattern.as_bytes()), "{name} {pattern}");
        }
        for (name, pattern) in [("a.config", "*.conf"), ("abc", "a?"), ("d", "[abc]"), ("d", "[!c-z]"), ("ab", r"a\*")] {
            assert!(!fits(name.as_bytes(), pattern.as_bytes()), "{name} {pattern}");
        }
        assert!(!fits(&[b'a'; 3000], &b"*a".repeat(300).iter().copied().chain(*b"b").collect::<Vec<_>>()));
    }

    #[test]
    fn hidden_files_stay_hidden_and_the_rest_is_sorted() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b", "a", ".c", "d*"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).expect("a link");
        let find = |pattern: &str| -> Vec<String> {
            let full = [escaped(folder.path()).as_slice(), b"/", pattern.as_bytes()].concat();
            glob(&full).expect("few").iter().map(|p| p.file_name().expect("a name").to_string_lossy().into_owned()).collect()
        };
        assert_eq!(find("*"), ["a", "b", "d*", "dangling"]);
        assert_eq!(find(".*"), [".c"]);
        assert_eq!(find(r"d\*"), ["d*"]);
        assert_eq!(find("dangling"), ["dangling"]);
        assert!(find("nope").is_empty() && find("nope/*").is_empty());
    }
}
