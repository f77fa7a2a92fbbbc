//! Splits one configuration line as OpenSSH 8.7 and later do, keeping byte columns.
//!
//! Two rules apply to one line: the keyword ends at white space, a double quote or a single `=` (`strdelim` of OpenSSH's
//! `misc.c`), while the arguments follow shell-like quoting (`argv_split`).

use std::ops::Range;

/// A piece of text and the byte columns (from 0, end exclusive) it was read from. Bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) columns: Range<usize>,
}

/// One line that says something.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The keyword as written.
    pub(super) keyword: Word,
    /// What follows the keyword, unparsed: what ProxyCommand, ProxyJump and (before 9.9) Match read.
    pub(super) rest: Word,
    pub(super) args: Result<Vec<Word>, UnbalancedQuote>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnbalancedQuote;

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads words ended by white space or one `=`; a double quote starts a quoted part. Backslashes mean nothing here.
pub(super) struct Delimited<'a> {
    text: &'a [u8],
    /// The column of the first byte of `text`.
    offset: usize,
    /// Where the next word begins; `None` when nothing can follow.
    next: Option<usize>,
}

impl<'a> Delimited<'a> {
    pub(super) fn new(text: &'a [u8], offset: usize) -> Self {
        Delimited { text, offset, next: Some(0) }
    }

    fn skip_spaces(&self, from: usize) -> usize {
        (from..self.text.len()).find(|&i| !is_space(self.text[i])).unwrap_or(self.text.len())
    }

    fn word(&self, bytes: &[u8], range: Range<usize>) -> Word {
        Word { text: lossy(bytes), columns: self.offset + range.start..self.offset + range.end }
    }

    /// The next word; `None` at the end, or where a closing quote is missing.
    pub(super) fn next_word(&mut self) -> Option<Word> {
        let start = self.next?;
        let stop = (start..self.text.len()).find(|&i| is_space(self.text[i]) || matches!(self.text[i], b'"' | b'='));
        let Some(stop) = stop else {
            self.next = None;
            return Some(self.word(&self.text[start..], start..self.text.len()));
        };
        if self.text[stop] == b'"' {
            let close = (stop + 1..self.text.len()).find(|&i| self.text[i] == b'"');
            self.next = close.map(|c| self.skip_spaces(c + 1));
            let close = close?;
            let bytes = [&self.text[start..stop], &self.text[stop + 1..close]].concat();
            return Some(self.word(&bytes, start..close + 1));
        }
        let mut next = self.skip_spaces(stop + 1);
        if self.text[stop] != b'=' && self.text.get(next) == Some(&b'=') {
            next = self.skip_spaces(next + 1);
        }
        self.next = Some(next);
        Some(self.word(&self.text[start..stop], start..stop))
    }

    /// Whether everything has been read.
    pub(super) fn at_end(&self) -> bool {
        self.next.is_none_or(|p| p >= self.text.len())
    }

    /// Takes all that is left as read.
    pub(super) fn drop_rest(&mut self) {
        self.next = None;
    }
}

/// Splits arguments: blanks separate, `'` and `"` quote, a backslash escapes a quote, a backslash or (outside quotes) a
/// blank, and `#` at the start of a word ends the line. `offset` is the column of the first byte of `text`.
fn split_arguments(text: &[u8], offset: usize) -> Result<Vec<Word>, UnbalancedQuote> {
    let mut words = Vec::new();
    let mut i = 0;
    while i < text.len() {
        if matches!(text[i], b' ' | b'\t') {
            i += 1;
            continue;
        }
        if text[i] == b'#' {
            break;
        }
        let start = i;
        let mut quote = None;
        let mut out = Vec::new();
        while i < text.len() {
            let b = text[i];
            match (b, text.get(i + 1)) {
                (b'\\', Some(&next)) if matches!(next, b'\'' | b'"' | b'\\') || (quote.is_none() && next == b' ') => {
                    out.push(next);
                    i += 1;
                }
                (b' ' | b'\t', _) if quote.is_none() => break,
                (b'"' | b'\'', _) if quote.is_none() => quote = Some(b),
                _ if quote == Some(b) => quote = None,
                _ => out.push(b),
            }
            i += 1;
        }
        if quote.is_some() {
            return Err(UnbalancedQuote);
        }
        words.push(Word { text: lossy(&out), columns: offset + start..offset + i });
    }
    Ok(words)
}

/// Reads one line, with or without its line end. `None`: blank, a comment, or a keyword with an unclosed quote, all of which
/// OpenSSH passes over in silence. An empty `rest` is "no argument after keyword".
pub(super) fn read_line(raw: &[u8]) -> Option<Line> {
    let raw = &raw[..raw.iter().position(|&b| b == 0).unwrap_or(raw.len())];
    if raw.is_empty() {
        return None;
    }
    // Trailing white space goes, but never the first byte; form feed counts only here.
    let keep = (1..raw.len()).rev().find(|&i| !is_space(raw[i]) && raw[i] != 0x0c).unwrap_or(0);
    let raw = &raw[..=keep];
    let mut cursor = Delimited::new(raw, 0);
    let mut keyword = cursor.next_word()?;
    if keyword.text.is_empty() {
        keyword = cursor.next_word()?;
    }
    if keyword.text.is_empty() || keyword.text.starts_with('#') {
        return None;
    }
    let start = cursor.next.map_or(raw.len(), |next| cursor.skip_spaces(next));
    let rest = Word { text: lossy(&raw[start..]), columns: start..raw.len() };
    Some(Line { keyword, rest, args: split_arguments(&raw[start..], start) })
}

/// Lines of a file, each with its line end, as `getline(3)` gives them.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&b| b == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        read_line(line.as_bytes()).expect("a line").args.expect("words").into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn keyword_and_value_are_parted_by_blanks_or_one_equals_sign() {
        for line in
            ["User one", "User=one", "User = one", "User =one", "User\t=\tone", " =User one", "\"User\" one", "User one \r\n"]
        {
            assert_eq!(read_line(line.as_bytes()).expect("a line").keyword.text, "User", "{line}");
            assert_eq!(args(line), ["one"], "{line}");
        }
        assert_eq!(args("User == one"), ["=", "one"]);
        assert!(read_line(b"# User one").is_none() && read_line(b" \n").is_none() && read_line(b"\"User one").is_none());
        assert!(read_line(b"User\0 one").expect("a line").rest.text.is_empty());
    }

    #[test]
    fn arguments_are_quoted_and_commented_like_a_shell_would_almost() {
        assert_eq!(args(r#"X "a b"c 'd e' f\ g h#i # j"#), ["a bc", "d e", "f g", "h#i"]);
        assert_eq!(args(r#"X C:\Users\me"#), [r"C:\Users\me"]);
        assert!(read_line(b"X it's").expect("a line").args.is_err());
    }

    #[test]
    fn columns_point_at_the_words() {
        let line = read_line(b"  IdentityFile  \"a b\" c").expect("a line");
        let words = line.args.expect("words");
        assert_eq!(line.keyword.columns, 2..14);
        assert_eq!((words[0].columns.clone(), words[1].columns.clone()), (16..21, 22..23));
    }
}
