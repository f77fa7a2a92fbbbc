//! The words of foreign text that may stand in a report which other people read: those in which OpenSSH, git, Bitbucket and the system
//! speak. Whatever is not among them may be somebody's name, and is. Our own words need no list: they are public by their type.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::bitbucket;

/// The words in the messages of OpenSSH's and git's programs, of the service and of systems, and the names these look for.
const OF_PROGRAMS: &str = include_str!("words_of_programs.txt");

/// Names that bbdoctor gives to things outside itself, and that come back in paths and in what programs say: the reference that a dry
/// push names, and the key files that remedies make.
const GIVEN_BY_US: &[&str] =
    &["bbdoctor", "bbdoctor-probe", "bitbucket_ed25519", "bitbucket_ed25519.pub", "bitbucket-agent-key.pub"];

fn list() -> &'static HashSet<&'static str> {
    static LIST: OnceLock<HashSet<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| OF_PROGRAMS.lines().filter(|l| !l.starts_with('#')).chain(GIVEN_BY_US.iter().copied()).collect())
}

/// The words between the connectors of those names.
fn parts() -> &'static HashSet<&'static str> {
    static PARTS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    PARTS.get_or_init(|| list().iter().flat_map(|name| name.split(is_connector)).collect())
}

/// Whether `run`, whatever its case, is an ordinary word, a number of at most five digits, or a version behind such a word
/// (`OpenSSH_9.2p1`, `Debian-2+deb12u7`).
pub(super) fn is_public(run: &str) -> bool {
    let lower = run.to_lowercase();
    // An identification string (RFC 4253, 4.2) is as public as the software it names.
    let lower = lower.strip_prefix("ssh-2.0-").unwrap_or(&lower);
    if run.len() == 1 || list().contains(lower) || bitbucket::CLOUD_HOSTS.iter().any(|host| host.name == lower) {
        return true;
    }
    let Some(digit) = lower.find(|c: char| c.is_ascii_digit()) else { return false };
    let (head, tail) = lower.split_at(digit);
    let head = head.trim_end_matches(is_connector);
    (head.is_empty() || list().contains(head)) && is_version(tail)
}

/// Whether `text` is made of nothing but public words: then it cannot be told from what anybody would say.
pub(super) fn are_public(text: &str) -> bool {
    runs(text).all(is_public)
}

/// Whether `text` is made of nothing but public words, and words that stand as a part of a longer public name.
pub(super) fn are_parts_of_names(text: &str) -> bool {
    runs(text).all(|run| is_public(run) || parts().contains(run.to_lowercase().as_str()))
}

/// Whether a public word contains `text`, so that finding `text` inside a longer word says nothing.
pub(super) fn is_part_of_a_word(text: &str) -> bool {
    list().iter().any(|word| word.contains(text))
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_connector(c)).filter(|word| !word.is_empty())
}

/// What may stand inside a name: `git-upload-pack`, `known_hosts`, `ssh.bitbucket.org`.
pub(super) fn is_connector(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | '+' | '%')
}

/// `22`, `0644`, `2.39.5`, `9.2p1`, `2+deb12u7`: no more than three numbers with points between them, for four are an address.
pub(super) fn is_version(text: &str) -> bool {
    let number = |n: &str| (1..=5).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    let (upstream, revision) = text.split_once(['+', '-']).map_or((text, None), |(upstream, revision)| (upstream, Some(revision)));
    let numbers: Vec<&str> = upstream.split(['.', 'p']).collect();
    let of_distribution = |revision: &str| {
        let numbers = revision.strip_prefix("deb").or_else(|| revision.strip_prefix("ubuntu")).unwrap_or(revision);
        numbers.split(['u', '.', 'r']).all(number)
    };
    numbers.len() <= 3 && numbers.into_iter().all(number) && revision.is_none_or(of_distribution)
}

/// The length of the fingerprint at the beginning of `text`: `SHA256:…` or `MD5:…`, as ssh-keygen prints them.
pub(super) fn fingerprint_at(text: &str) -> Option<usize> {
    let body = |prefix: &str, length: usize, of: fn(u8) -> bool| {
        let body = text.strip_prefix(prefix)?.get(..length)?;
        (body.bytes().all(of) && ends_there(text, prefix.len() + length)).then_some(prefix.len() + length)
    };
    body("SHA256:", 43, |b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        .or_else(|| body("MD5:", 47, |b| b.is_ascii_hexdigit() || b == b':'))
}

/// Whether a name that is `length` bytes long ends there, and is not the beginning of a longer one. `.git` does not belong to
/// a repository's name, nor a full stop to any.
pub(super) fn ends_there(text: &str, length: usize) -> bool {
    let rest = &text[length..];
    let rest = rest.strip_prefix(".git").unwrap_or(rest);
    let mut next = rest.chars();
    match next.next() {
        None => true,
        Some('.') => !next.next().is_some_and(char::is_alphanumeric),
        Some(c) => !c.is_alphanumeric() && !is_connector(c),
    }
}

/// The name, or the word, at the beginning of `text`: letters and digits, and connectors between them. Empty where `text` begins
/// with neither.
pub(super) fn run(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !is_connector(c)).unwrap_or(text.len());
    if text.starts_with(char::is_alphanumeric) { text[..end].trim_end_matches(is_connector) } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "IdentitiesOnly",
            "core.sshCommand",
            "GIT_SSH_COMMAND",
            "kex_exchange_identification",
        ] {
            assert!(is_public(word), "{word}");
        }
        for name in ["acme", "ann1", "web.corp.example.com", "10.0.0.1", "123456", "id_acme", "hunter2", "Зоя", "deadbeef"] {
            assert!(!is_public(name), "{name}");
        }
    }
}
