//! A command line as `sh` reads it, as far as quoting, `~` and plain variables go; XCU "Shell Command Language", 2.2 and
//! 2.6. Whatever else the shell would do makes the words unknown rather than wrong.

use crate::evidence::environment::Environment;

/// The most that is read of a command.
const LIMIT: usize = 64 << 10;

/// The words of `text`; `None` if the shell would do more with it than run one program.
pub(super) fn words(text: &str, environment: &Environment) -> Option<Vec<String>> {
    if text.len() > LIMIT {
        return None;
    }
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    // Whether a word begins here in the text: an empty variable before it leaves no word, but is no blank either.
    let mut begins = true;
    while let Some(c) = chars.next() {
        let first = std::mem::replace(&mut begins, false);
        match c {
            ' ' | '\t' => {
                out.extend(word.take());
                begins = true;
            }
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '`' | '*' | '?' | '[' | '{' | '\n' => return None,
            '#' if first => return None,
            '\\' => match chars.next() {
                Some('\n') => begins = first,
                Some(next) => word.get_or_insert_default().push(next),
                None => word.get_or_insert_default().push('\\'),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '`' => return None,
                        '$' => word.push_str(&variable(&mut chars, environment)?),
                        '\\' => match chars.next()? {
                            next @ ('$' | '`' | '"' | '\\') => word.push(next),
                            '\n' => {}
                            next => word.extend(['\\', next]),
                        },
                        inner => word.push(inner),
                    }
                }
            }
            '$' => {
                let value = variable(&mut chars, environment)?;
                // Unquoted, a value would be split into words and matched against files.
                if value.contains([' ', '\t', '\n', '*', '?', '[', '\\']) {
                    return None;
                }
                if !value.is_empty() {
                    word.get_or_insert_default().push_str(&value);
                }
            }
            '~' if first => match chars.peek() {
                None | Some(' ' | '\t' | '/') => word = Some(environment.get("HOME")?.to_string_lossy().into_owned()),
                Some(_) => return None,
            },
            plain => word.get_or_insert_default().push(plain),
        }
    }
    out.extend(word);
    Some(out)
}

/// The value of `$NAME` or `${NAME}`, after the dollar sign; a lone dollar sign stands for itself.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, environment: &Environment) -> Option<String> {
    let braced = chars.next_if_eq(&'{').is_some();
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    if braced && chars.next() != Some('}') || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match (name.is_empty(), chars.peek()) {
        (true, None | Some(' ' | '\t' | '"')) if !braced => Some("$".to_string()),
        (true, _) => None,
        (false, _) => Some(environment.get(&name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default()),
    }
}

/// How many words stand before the program, and the variables among them: `NAME=value`, `exec`, and `env` with the
/// options that take names away.
pub(super) fn leading(words: &[String]) -> (usize, Vec<(String, String)>) {
    let assignment = |word: &String| {
        let (name, value) = word.split_once('=')?;
        let good = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        good.then(|| (name.to_string(), value.to_string()))
    };
    let assignments: Vec<_> = words.iter().map_while(assignment).collect();
    let mut at = assignments.len();
    if words.get(at).is_some_and(|w| w == "exec") {
        at += 1;
    }
    if words.get(at).is_some_and(|w| w == "env" || w.ends_with("/env")) {
        at += 1;
        while let Some(word) = words.get(at) {
            at += match word.as_str() {
                "-u" | "-C" => 2,
                option if option.starts_with('-') => 1,
                word if word.contains('=') => 1,
                _ => break,
            };
        }
    }
    (at, assignments)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn of_the_shell(text: &str) -> Option<Vec<String>> {
        let out = Command::new("/bin/sh")
            .args(["-c", &format!("printf '%s\\0' x {text}")])
            .env_clear()
            .env("HOME", "/home/ann")
            .env("KEY", "a-b")
            .env("BLANK", "a b")
            .output()
            .expect("sh runs");
        let text = String::from_utf8(out.stdout).ok()?;
        out.status.success().then(|| text.split_terminator('\0').skip(1).map(String::from).collect())
    }

    fn environment() -> Environment {
        [("HOME", "/home/ann"), ("KEY", "a-b"), ("BLANK", "a b")].into_iter().collect()
    }

    #[test]
    fn words_are_the_shells() {
        for text in [
            "ssh -i ~/.ssh/k",
            "ssh -i $HOME/.ssh/\"my $KEY\" ${KEY}x \"$BLANK\" $NONE \"$NONE\"",
            r#"C:\Windows\ssh.exe a\ b 'c\d' "e\f\"g\$" a~ x=~ \~ "$" $"#,
            "$NONE~ $NONE#",
            "",
        ] {
            assert_eq!(words(text, &environment()), of_the_shell(text), "{text}");
        }
        for text in ["a; b", "a | b", "$(x)", "`x`", "a &", "'a", "a*", "~bob/x", "$BLANK", "${KEY:-x}", "# c", "\"a", "$1"] {
            assert_eq!(words(text, &environment()), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
        #[test]
        fn known_words_are_never_wrong(text in "[ab \"'\\\\$~/{}=KEYHOM#]{0,14}") {
            if let Some(ours) = words(&text, &environment()) {
                prop_assert_eq!(Some(ours), of_the_shell(&text));
            }
        }
    }
}
