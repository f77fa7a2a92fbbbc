//! The Rust sources, and their code without comments and texts.

use std::fs;
use std::path::Path;

/// A file of Rust.
pub(crate) struct Source {
    /// From the top of the repository, with slashes.
    pub(crate) path: String,
    /// As it stands.
    pub(crate) text: String,
    /// Without comments, the contents of texts, and its module of tests.
    pub(crate) code: String,
}

impl Source {
    /// Tests in files of their own.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("checks/tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Every source below these folders of the repository.
pub(crate) fn below(folders: &[&str]) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut left: Vec<_> = folders.iter().map(|folder| top.join(folder)).collect();
    let mut sources = Vec::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(top).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { path, code: code(&text), text });
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// The code alone. Good enough for this house: no raw text in it holds a quotation mark followed by as many number signs.
fn code(text: &str) -> String {
    let product = text.find("#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at]);
    let mut code = String::new();
    let mut rest = product;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some((opened, closing)) = raw(rest) {
            rest = &rest[opened..];
            rest = rest.find(&closing).map_or("", |at| &rest[at + closing.len()..]);
            code.push_str("\"\"");
        } else if first == '"' {
            rest = &rest[quoted(rest, '"')..];
            code.push_str("\"\"");
        } else if first == '\'' && is_character(rest) {
            rest = &rest[quoted(rest, '\'')..];
            code.push_str("' '");
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// The length of the opening of a raw text, and what closes it.
fn raw(rest: &str) -> Option<(usize, String)> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let signs = after.bytes().take_while(|byte| *byte == b'#').count();
    after[signs..].starts_with('"').then(|| (rest.len() - after.len() + signs + 1, format!("\"{}", "#".repeat(signs))))
}

/// A character, not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

/// The length of a text or character with its quotation marks.
fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == mark => return at + mark.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn texts_and_comments_are_no_code() {
    let text = "use a::b; // use c::d;\nlet x = \"unsafe \\\" {\"; let y = r#\"un\"safe\"#; let z = '\"'; fn f<'a>() {}\n#[cfg(test)]\nmod tests {\n";
    assert_eq!(code(text), "use a::b; \nlet x = \"\"; let y = \"\"; let z = ' '; fn f<'a>() {}\n");
}
