//! The words that may stand in a report which strangers read: those of bbdoctor's own texts and those in which OpenSSH and git
//! speak. Whatever is not among them may be somebody's name, and is.

use std::collections::HashSet;
use std::sync::OnceLock;

/// The words of bbdoctor's own texts; a test holds the list to them.
const OWN: &str = include_str!("words.txt");
/// The words in the messages of OpenSSH's and git's programs, the files these look for, and what systems call themselves.
const OF_PROGRAMS: &str = include_str!("words_of_programs.txt");

fn list() -> &'static HashSet<&'static str> {
    static LIST: OnceLock<HashSet<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| OWN.lines().chain(OF_PROGRAMS.lines()).filter(|l| !l.starts_with('#')).collect())
}

/// Whether `run`, whatever its case, is an ordinary word, a number of at most five digits, or a version behind such a word
/// (`OpenSSH_9.2p1`, `Debian-2+deb12u7`).
pub(super) fn is_public(run: &str) -> bool {
    let lower = run.to_lowercase();
    // An identification string (RFC 4253, 4.2) is as public as the software it names.
    let lower = lower.strip_prefix("ssh-2.0-").unwrap_or(&lower);
    if run.len() == 1 || list().contains(lower) {
        return true;
    }
    let Some(digit) = lower.find(|c: char| c.is_ascii_digit()) else { return false };
    let (head, tail) = lower.split_at(digit);
    let head = head.trim_end_matches(is_connector);
    (head.is_empty() || list().contains(head)) && is_version(tail)
}

/// Whether `text` is made of nothing but public words: then it cannot be told from what anybody would say.
pub(super) fn are_public(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !is_connector(c)).filter(|word| !word.is_empty()).all(is_public)
}

/// Whether an ordinary word contains `text`, so that finding `text` inside a longer word says nothing.
pub(super) fn is_part_of_a_word(text: &str) -> bool {
    list().iter().any(|word| word.contains(text))
}

/// What may stand inside a name: `git-upload-pack`, `known_hosts`, `ssh.bitbucket.org`.
pub(super) fn is_connector(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '+' | '%')
}

/// `22`, `0644`, `2.39.5`, `9.2p1`, `2+deb12u7`: no more than three numbers with points between them, for four are an address.
fn is_version(text: &str) -> bool {
    let number = |n: &str| (1..=5).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    let (upstream, revision) = text.split_once(['+', '-']).map_or((text, None), |(upstream, revision)| (upstream, Some(revision)));
    let numbers: Vec<&str> = upstream.split(['.', 'p']).collect();
    let of_distribution = |revision: &str| {
        let numbers = revision.strip_prefix("deb").or_else(|| revision.strip_prefix("ubuntu")).unwrap_or(revision);
        numbers.split(['u', '.', 'r']).all(number)
    };
    numbers.len() <= 3 && numbers.into_iter().all(number) && revision.is_none_or(of_distribution)
}

/// The name, or the word, at the beginning of `text`: letters and digits, and connectors between them. Empty where `text` begins
/// with neither.
pub(super) fn run(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !is_connector(c)).unwrap_or(text.len());
    if text.starts_with(char::is_alphanumeric) { text[..end].trim_end_matches(is_connector) } else { "" }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "reads the sources")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Names in the examples of the pages: they are what the list is there to leave out.
    const EXAMPLES: &[&str] =
        &["acme", "app", "ann", "alice", "bob", "work", "personal", "corp", "example", "you", "dev", "laptop"];

    #[test]
    fn names_are_not_public_and_messages_are() {
        for word in [
            "Permission",
            "denied",
            "publickey",
            "0644",
            "OpenSSH_9.2p1",
            "Debian-2+deb12u10",
            "SSH-2.0-OpenSSH_9.2p1",
            "2.39.5",
            "id_ed25519",
            "T",
            "ssh.bitbucket.org",
        ] {
            assert!(is_public(word), "{word}");
        }
        for name in ["acme", "ann1", "web.corp.example.com", "10.0.0.1", "123456", "id_acme", "hunter2", "Зоя", "deadbeef"] {
            assert!(!is_public(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_that_of_our_own_texts() {
        let checks = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut words = BTreeSet::new();
        for folder in [checks.to_path_buf(), checks.join("../src")] {
            gather(&folder, &mut words);
        }
        words.retain(|w| !EXAMPLES.contains(&w.as_str()) && !w.ends_with("example.com"));
        let text = "# Generated: BBDOCTOR_UPDATE=1 cargo test -p bbdoctor-checks the_list_is\n".to_string()
            + &words.into_iter().map(|w| w + "\n").collect::<String>();
        if std::env::var_os("BBDOCTOR_UPDATE").is_some() {
            std::fs::write(checks.join("privacy/words.txt"), &text).expect("written");
        }
        assert!(text == OWN, "privacy/words.txt is not up to date: run this test with BBDOCTOR_UPDATE=1, then again without");
    }

    /// Every word of the pages and of the string literals in the sources below `folder`, tests left out.
    fn gather(folder: &Path, words: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let text = || std::fs::read_to_string(&path).expect("UTF-8");
            match path.extension().and_then(|e| e.to_str()) {
                _ if path.is_dir() && name != "tests" => gather(&path, words),
                Some("md") => add(&text(), words),
                // The report's own fields are named by its source, not by literals.
                Some("rs") if name == "report.rs" => {
                    text().lines().filter_map(|l| l.trim().strip_prefix("pub(crate) ")).for_each(|l| add(l, words));
                }
                Some("rs") if !["tests.rs", "mangled.rs", "fixture.rs"].contains(&name) => {
                    let text = text();
                    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
                    literals(product).iter().for_each(|literal| add(literal, words));
                }
                _ => {}
            }
        }
    }

    fn add(text: &str, words: &mut BTreeSet<String>) {
        // Keys and fingerprints are no words, nor are the pieces into which their slashes cut them.
        for mut rest in text.split_whitespace().filter(|w| !["AAAA", "SHA256:"].iter().any(|mark| w.contains(mark))) {
            while let Some(c) = rest.chars().next() {
                let word = run(rest);
                if word.len() > 1 && word.contains(char::is_alphabetic) {
                    words.insert(word.to_lowercase());
                }
                rest = &rest[word.len().max(c.len_utf8())..];
            }
        }
    }

    /// The string literals of a Rust source.
    fn literals(source: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in source.lines().filter(|l| !l.trim_start().starts_with("//")) {
            let mut rest = line.replace("'\"'", "' '").replace("'\\\"'", "' '");
            while let Some(start) = rest.find('"') {
                let body = &rest[start + 1..];
                let mut escaped = false;
                let end = body.find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.unwrap_or(body.len());
                found.push(body[..end].replace("\\n", " "));
                rest = body.get(end + 1..).unwrap_or_default().to_string();
            }
        }
        found
    }
}
