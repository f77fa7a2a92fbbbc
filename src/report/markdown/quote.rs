//! Text of others inside Markdown, so that it stays where it was put.
//!
//! Escaping with backslashes is not enough: the services look for `@names`, `#numbers`, addresses and commits in the finished
//! text, where a backslash has gone. Inside a code span nothing is looked for, in no dialect, and where Markdown is not
//! rendered at all it is still easy to read. So words that are plainly words stay as they are, and every other one becomes code.

use bbdoctor_checks::privacy::neutralise;

/// The longest name, in characters.
const NAME: usize = 300;
/// The longest run of backticks in a code span: renderers look for no end of a span behind a long one.
const RUN: usize = 8;
/// Punctuation that may stand before a word, and after it, without a meaning to Markdown.
const OPENING: &[char] = &['(', '"', '\'', '“', '‘', '„', '«'];
const CLOSING: &[char] = &[')', '"', '\'', '”', '’', '»', ',', '.', ';', ':', '!', '?', '…'];
/// Words that are only punctuation and mean nothing to Markdown, not even at the start of a line.
const DASHES: &[&str] = &["–", "—", "…", "→"];

/// A sentence: its plain words as they are, the others as code. At most `limit` characters of it, then an ellipsis.
pub(super) fn prose(text: &str, limit: usize) -> String {
    let mut line = Line::default();
    // What is neutralised may have grown; the second cut keeps the promise about the length.
    let text = cut(&neutralise(text, limit), limit);
    for (n, word) in text.split_whitespace().enumerate() {
        line.add(word, n == 0);
    }
    line.end_code();
    line.out
}

/// A cell of a table: a sentence in which no pipe ends the cell. How a backslash before a pipe is read differs from renderer to
/// renderer, so a pipe is written as control characters are.
pub(super) fn cell(text: &str, limit: usize) -> String {
    prose(&text.replace('|', "\\x7c"), limit)
}

/// A name, an address or another value, as one code span; in a table too. Of the longest, their first [`NAME`] characters.
pub(super) fn name(text: &str) -> String {
    code(&cut(&text.replace('|', "\\x7c"), NAME))
}

/// A code span that holds `text`, neutralised. There is none without text.
pub(super) fn code(text: &str) -> String {
    let mut text = neutralise(text, usize::MAX);
    if longest_run(&text) > RUN {
        text = text.replace('`', "\\x60");
    }
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // One blank on each side is taken away again, so that a backtick may be the first or the last character.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The fence of a block that holds `lines`: longer than any run of backticks in them.
pub(super) fn fence<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    "`".repeat(lines.into_iter().map(|line| longest_run(line) + 1).max().unwrap_or(0).max(3))
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A line of prose under way.
#[derive(Default)]
struct Line {
    out: String,
    /// Words of a code span that has not ended: neighbours share one.
    code: String,
}

impl Line {
    fn add(&mut self, word: &str, first: bool) {
        if DASHES.contains(&word) {
            return self.add_plain(word);
        }
        let core = word.trim_start_matches(OPENING).trim_end_matches(CLOSING);
        if is_plain(core) && !(first && begins_list(word)) {
            return self.add_plain(word);
        }
        // What is closed inside a word was opened there too: `$(id)`.
        let core = without_closing(word.trim_start_matches(OPENING));
        // Punctuation alone is all code.
        let (before, core, after) = match word.find(core) {
            Some(at) if !core.is_empty() => (&word[..at], core, &word[at + core.len()..]),
            _ => ("", word, ""),
        };
        if self.code.is_empty() || !before.is_empty() {
            self.end_code();
            self.space();
            self.out.push_str(before);
        } else {
            self.code.push(' ');
        }
        self.code.push_str(core);
        if !after.is_empty() {
            self.end_code();
            self.out.push_str(after);
        }
    }

    fn add_plain(&mut self, word: &str) {
        self.end_code();
        self.space();
        self.out.push_str(word);
    }

    fn space(&mut self) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
    }

    fn end_code(&mut self) {
        if !self.code.is_empty() {
            self.out.push_str(&code(&self.code));
            self.code.clear();
        }
    }
}

/// `word` without the punctuation after it, except a parenthesis that the word itself has opened.
fn without_closing(word: &str) -> &str {
    let mut core = word;
    while let Some(shorter) = core.strip_suffix(CLOSING) {
        if core.ends_with(')') && core.matches(')').count() <= core.matches('(').count() {
            break;
        }
        core = shorter;
    }
    core
}

/// Whether Markdown and the services that render it see nothing but a word in it: letters and digits, and between them the
/// marks that words and numbers have.
fn is_plain(word: &str) -> bool {
    let inner = |before: Option<char>, mark: char, after: Option<char>| match (before, after) {
        (Some(a), Some(b)) if mark == '.' => a.is_ascii_digit() && b.is_ascii_digit(),
        // GH-12 and APP-12 are references.
        (Some(a), Some(b)) if mark == '-' => a.is_alphanumeric() && b.is_alphabetic(),
        (Some(a), Some(b)) if mark == '\'' || mark == '’' => a.is_alphanumeric() && b.is_alphanumeric(),
        _ => false,
    };
    let mut before = None;
    let mut rest = word.chars().peekable();
    while let Some(c) = rest.next() {
        if !c.is_alphanumeric() && !inner(before, c, rest.peek().copied()) {
            return false;
        }
        before = Some(c);
    }
    before.is_some() && !word.split(|c: char| !c.is_alphanumeric()).any(looks_like_commit)
}

/// GitHub makes links of commits, from seven digits on.
fn looks_like_commit(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit())
}

/// `1.` and `1)` at the start of a paragraph begin a numbered list.
fn begins_list(word: &str) -> bool {
    word.strip_suffix(['.', ')']).is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_and_everything_else_becomes_code() {
        for (text, expected) in [
            ("The private key ~/.ssh/id can be read (mode 0644).", "The private key `~/.ssh/id` can be read (mode 0644)."),
            ("Ask @alice about #12, GH-12 and o/r#3", "Ask `@alice` about `#12`, `GH-12` and `o/r#3`"),
            ("<b>bold</b> <i> x", "`<b>bold</b> <i>` x"),
            ("a `tick` and ``", "a `` `tick` `` and ``` `` ```"),
            ("run $(id), (see ~/x)", "run `$(id)`, (see `~/x`)"),
            ("1 key, port 22.", "1 key, port 22."),
            ("1. one", "`1`. one"),
            ("- # item", "`- #` item"),
            ("see www.example.com or a@b.c: www", "see `www.example.com` or `a@b.c`: www"),
            ("commit a5c3785ed8 defaced 9.2deadbeef1", "commit `a5c3785ed8` defaced `9.2deadbeef1`"),
            ("it's ssh-ed25519 of OpenSSH 9.2 — \"yes\"", "it's `ssh-ed25519` of OpenSSH 9.2 — \"yes\""),
            ("two\nlines", "`two\\nlines`"),
            ("", ""),
        ] {
            assert_eq!(prose(text, usize::MAX), expected);
        }
        assert_eq!(cell("a | b\\|", usize::MAX), "a `\\x7c b\\\\x7c`");
        assert_eq!(prose("one two three", 5), "one t…");
    }
}
