//! A command line as `sh` reads it, as far as quoting, `~` and plain variables go; XCU "Shell Command Language", 2.2 and
//! 2.6. Whatever else the shell would do makes the words unknown rather than wrong.

use bbdoctor_checks::facts::environment::Environment;

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

/// What stands before the program: `NAME=value`, `exec`, and `env` with its options.
#[derive(Debug, Clone, Default)]
pub(super) struct Leading {
    /// How many words these are.
    pub(super) words: usize,
    /// The variables that are set in front, where the shell sets them.
    pub(super) assignments: Vec<(String, String)>,
    /// What becomes of the environment.
    pub(super) environment: Environment,
}

/// What stands before the program in `words`, which the shell runs in `environment`.
pub(super) fn leading(words: &[String], environment: &Environment) -> Leading {
    let assignment = |word: &String| {
        let (name, value) = word.split_once('=')?;
        let good = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        good.then(|| (name.to_string(), value.to_string()))
    };
    let assignments: Vec<_> = words.iter().map_while(assignment).collect();
    let mut environment = environment.clone();
    assignments.iter().for_each(|(name, value)| environment.set(name, value));
    let mut at = assignments.len();
    if words.get(at).is_some_and(|w| w == "exec") {
        at += 1;
    }
    if words.get(at).is_some_and(|w| w == "env" || w.ends_with("/env")) {
        at += 1;
        while let Some(word) = words.get(at) {
            at += match word.as_str() {
                "-u" | "--unset" => {
                    words.get(at + 1).into_iter().for_each(|name| environment.unset(name));
                    2
                }
                "-C" => 2,
                "-i" | "-" | "--ignore-environment" => {
                    environment = Environment::default();
                    1
                }
                option if option.starts_with('-') => {
                    option.strip_prefix("--unset=").into_iter().for_each(|name| environment.unset(name));
                    1
                }
                word => match word.split_once('=') {
                    Some((name, value)) => {
                        environment.set(name, value);
                        1
                    }
                    None => break,
                },
            };
        }
    }
    Leading { words: at, assignments, environment }
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
