//! OpenSSH's wildcard matching (`match.c`), which `Host`, `Match`, `IgnoreUnknown` and known_hosts use.

/// Whether `text` fits `pattern`: `*` is any run of bytes, `?` any one byte; there are no classes and no escapes, and case
/// counts.
pub fn matches(text: &str, pattern: &str) -> bool {
    wild(text.as_bytes(), pattern.as_bytes())
}

fn wild(text: &[u8], pattern: &[u8]) -> bool {
    let (mut i, mut j, mut star, mut mark) = (0, 0, None, 0);
    while i < text.len() {
        match pattern.get(j) {
            Some(b'*') => {
                star = Some(j);
                mark = i;
                j += 1;
            }
            Some(&p) if p == b'?' || p == text[i] => {
                i += 1;
                j += 1;
            }
            _ => match star {
                Some(s) => {
                    j = s + 1;
                    mark += 1;
                    i = mark;
                }
                None => return false,
            },
        }
    }
    pattern[j..].iter().all(|&b| b == b'*')
}

/// Whether `text` fits a comma-separated list with `!` negation (`match_pattern_list`). A negated entry that fits beats any
/// other; a list of negated entries alone never fits. `lowercase` lowers the list, not `text`.
pub fn matches_list(text: &str, list: &str, lowercase: bool) -> bool {
    if list.is_empty() {
        return false;
    }
    let mut positive = false;
    for entry in list.strip_suffix(',').unwrap_or(list).split(',') {
        let (negated, entry) = entry.strip_prefix('!').map_or((false, entry), |e| (true, e));
        let fits = if lowercase { matches(text, &entry.to_ascii_lowercase()) } else { matches(text, entry) };
        if fits && negated {
            return false;
        }
        positive |= fits;
    }
    positive
}

/// As `Match host` does it: case does not count.
pub fn matches_host_list(host: &str, list: &str) -> bool {
    matches_list(&host.to_ascii_lowercase(), list, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_negation() {
        assert!(matches("bitbucket.org", "b*t*.org") && matches("bb", "b?") && matches("", "*") && matches("a*", "a*"));
        assert!(!matches("bitbucket.org", "Bitbucket.org") && !matches("b", "b?") && !matches("ab", "[ab]b"));
        assert!(matches_list("a", "b,a", false) && !matches_list("a", "*,!a", false) && !matches_list("a", "!b", false));
        assert!(matches_host_list("Bitbucket.org", "bitBucket.*"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(&"a".repeat(5000), &("*a".repeat(500) + "b")));
    }
}
