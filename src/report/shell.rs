//! Commands as a person pastes them into a shell.

/// The command, each argument quoted as far as it needs it, for sh, bash, zsh and fish alike. A script for `sh -c` is given
/// as it is, so that what it sets holds in the shell it is pasted into. In a `redacted` report the home folder is the
/// placeholder `~`, which has to stay outside the quotes to mean what it says.
pub(crate) fn command_line(argv: &[String], redacted: bool) -> String {
    match argv {
        [shell, option, script] if shell == "sh" && option == "-c" => script.clone(),
        _ => argv.iter().map(|argument| quoted(argument, redacted)).collect::<Vec<_>>().join(" "),
    }
}

/// The command that puts `lines` at the end of `file`, which it makes when there is none, with its `.ssh` folder. An empty
/// line comes first, lest the last line of the file does not end; no file of ssh or git minds one.
pub(crate) fn append_command(file: &str, lines: &[String], redacted: bool) -> String {
    let lines: Vec<_> = std::iter::once("''".to_string()).chain(lines.iter().map(|l| quoted(l, false))).collect();
    let folder = file.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| folder.ends_with("/.ssh"));
    let make = folder.map(|folder| format!("mkdir -p -m 700 {} && ", quoted(folder, redacted))).unwrap_or_default();
    format!("{make}printf '%s\\n' {} >> {}", lines.join(" "), quoted(file, redacted))
}

/// Quotes as every shell understands them: in single quotes a backslash and a quote mean one thing to fish and another to
/// sh, so these two stand outside, each behind a backslash.
fn quoted(argument: &str, redacted: bool) -> String {
    if let Some(rest) = argument.strip_prefix("~/").filter(|_| redacted) {
        return if rest.is_empty() { "~/".into() } else { format!("~/{}", quoted(rest, false)) };
    }
    // zsh takes a word that begins with = for the name of a command.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@,+=".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) && !argument.starts_with('=') {
        return argument.to_string();
    }
    let part = |part: &str| match part {
        "'" | "\\" => format!("\\{part}"),
        part => format!("'{part}'"),
    };
    let mut out = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['\'', '\\']) {
        if at > 0 {
            out += &part(&rest[..at]);
        }
        out += &part(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() || argument.is_empty() {
        out += &part(rest);
    }
    out
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the shells themselves say what a command means to them")]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "fish"];

    /// What `shell` makes of the arguments of a command: `None` where there is no such shell.
    fn read_back(shell: &str, arguments: &[String]) -> Option<Vec<String>> {
        let argv: Vec<_> = ["printf", "%s\\0"].into_iter().map(String::from).chain(arguments.iter().cloned()).collect();
        let done = Command::new(shell).args(["-c", &command_line(&argv, false)]).output().ok()?;
        assert!(done.status.success(), "{shell}: {}", String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8(done.stdout).unwrap();
        Some(text.split_terminator('\0').map(String::from).collect())
    }

    #[test]
    fn every_shell_reads_the_arguments_that_were_meant() {
        let awkward = [
            "",
            " ",
            "my key",
            "it's",
            "\"",
            "a\"b'c",
            "$HOME",
            "`id`",
            "$(id)",
            "!!",
            "a!b",
            "-x",
            "--",
            "~",
            "~/x",
            "~root",
            "*",
            "?",
            "[a]",
            "{a,b}",
            "=ls",
            "a=~/b",
            "#x",
            "a;b",
            "a&b",
            "a|b",
            "<x",
            ">x",
            "(x)",
            "\\",
            "\\n",
            "a\\'b",
            "\n",
            "a\nb\n",
            "\t",
            "ü",
            "鍵 😀",
            "\u{a0}",
            "%self",
            "%s",
            "^a^b",
            "url.git@ssh.bitbucket.org:.insteadOf",
        ];
        let awkward: Vec<String> = awkward.map(String::from).to_vec();
        for shell in SHELLS {
            let back = read_back(shell, &awkward);
            assert!(back.is_some() || !["sh", "bash"].contains(&shell), "{shell} is needed");
            assert!(back.is_none_or(|back| back == awkward), "{shell}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Many arguments in one command: starting a shell is what takes the time.
        #[test]
        fn every_shell_reads_any_arguments(arguments in prop::collection::vec("[^\0]{0,12}|[ '\"\\\\$`!~*=#\n-]{1,8}", 1..60)) {
            for shell in SHELLS {
                if let Some(back) = read_back(shell, &arguments) {
                    prop_assert_eq!(&back, &arguments, "{}", shell);
                }
            }
        }
    }

    #[test]
    fn lines_are_put_at_the_end_of_a_file_whatever_is_there() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("a b/.ssh/known_hosts");
        let lines = ["ssh.bitbucket.org ssh-ed25519 AAAA/+==".to_string(), "# it's `a` \"line\" \\".into()];
        for shell in SHELLS {
            let command = append_command(file.to_str().unwrap(), &lines, false);
            let Ok(done) = Command::new(shell).args(["-c", &command]).output() else { continue };
            assert!(done.status.success(), "{shell}: {command}");
            let text = std::fs::read_to_string(&file).unwrap();
            let last: Vec<_> = text.lines().rev().take(2).collect();
            assert_eq!(last, [&lines[1], &lines[0]], "{shell}: {command}: {text}");
            std::fs::write(&file, "a line that does not end").unwrap();
        }
    }

    #[test]
    fn the_home_folder_of_a_redacted_report_stays_outside_the_quotes() {
        let argv = ["chmod".to_string(), "600".into(), "~/.ssh/my key".into()];
        assert_eq!(command_line(&argv, true), "chmod 600 ~/'.ssh/my key'");
        assert_eq!(command_line(&argv, false), "chmod 600 '~/.ssh/my key'");
        assert_eq!(append_command("~/.ssh/a", &[], true), "mkdir -p -m 700 ~/.ssh && printf '%s\\n' '' >> ~/.ssh/a");
    }

    #[test]
    fn a_script_is_given_as_it_is() {
        let argv = ["sh".to_string(), "-c".into(), "eval \"$(ssh-agent -s)\" && ssh-add".into()];
        assert_eq!(command_line(&argv, false), argv[2]);
    }
}
