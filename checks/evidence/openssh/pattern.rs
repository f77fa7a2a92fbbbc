//! OpenSSH's wildcard matching (`match.c`): `Host`, `Match`, `IgnoreUnknown`, `SendEnv` and PubkeyAcceptedAlgorithms of
//! ssh_config(5), and the first column of known_hosts.

/// OpenSSH gives up on a whole list at an entry of so many bytes (`sub` of `match_pattern_list`).
const ENTRY_LIMIT: usize = 1023;

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// They do.
    Counts,
    /// ASCII letters are the same in both.
    Ignored,
}

/// Whether `text` fits `pattern` (`match_pattern`): `*` is any run of bytes, `?` any one byte; there are no classes and no
/// escapes, and case counts.
pub(crate) fn matches(text: &str, pattern: &str) -> bool {
    fits(text.as_bytes(), pattern.as_bytes(), Case::Counts)
}

/// Goes back no further than the last `*`, so no pattern takes more than a quadratic number of steps.
fn fits(text: &[u8], pattern: &[u8], case: Case) -> bool {
    let same = |a: u8, b: u8| a == b || (case == Case::Ignored && a.eq_ignore_ascii_case(&b));
    let (mut i, mut j, mut retry) = (0, 0, None);
    while i < text.len() {
        match pattern.get(j) {
            Some(b'*') => {
                retry = Some((i, j));
                j += 1;
            }
            Some(&p) if p == b'?' || same(p, text[i]) => {
                i += 1;
                j += 1;
            }
            _ => match retry {
                Some((from, star)) => {
                    retry = Some((from + 1, star));
                    (i, j) = (from + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[j..].iter().all(|&b| b == b'*')
}

/// Whether `text` fits a comma-separated list (`match_pattern_list`): an entry of it, and none that a `!` negates, wherever
/// that stands. A list of negated entries alone never fits, nor does one with an entry that is too long.
pub(crate) fn fits_list(text: &[u8], list: &[u8], case: Case) -> bool {
    if list.is_empty() {
        return false;
    }
    let mut found = false;
    // A comma at the end begins no further entry.
    for entry in list.strip_suffix(b",").unwrap_or(list).split(|&b| b == b',') {
        let (negated, entry) = entry.strip_prefix(b"!").map_or((false, entry), |entry| (true, entry));
        if entry.len() >= ENTRY_LIMIT {
            return false;
        }
        let hit = fits(text, entry, case);
        if hit && negated {
            return false;
        }
        found |= hit;
    }
    found
}

/// [`fits_list`] for text.
pub(crate) fn matches_list(text: &str, list: &str, case: Case) -> bool {
    fits_list(text.as_bytes(), list.as_bytes(), case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str, list: &str) -> bool {
        matches_list(text, list, Case::Counts)
    }

    #[test]
    fn wildcards_and_negation() {
        assert!(matches("bitbucket.org", "b*t*.org") && matches("bb", "b?") && matches("", "*") && matches("a*", "a*"));
        assert!(!matches("bitbucket.org", "Bitbucket.org") && !matches("b", "b?") && !matches("ab", "[ab]b"));
        assert!(list("a", "b,a") && !list("a", "*,!a") && !list("a", "!b") && !list("a", "") && !list("a", "A"));
        assert!(matches_list("Bitbucket.org", "bitBucket.*", Case::Ignored));
    }

    #[test]
    fn the_ends_of_a_list() {
        assert!(list("", ",a") && list("", ",") && !list("", "a,") && list("a", "a,") && !list("", ""));
        let long = "x".repeat(ENTRY_LIMIT);
        assert!(list("a", &format!("a,{}", &long[1..])));
        assert!(!list("a", &format!("a,{long}")) && !list("a", &format!("a,!{long}")));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(&"a".repeat(5000), &("*a".repeat(500) + "b")));
    }
}
