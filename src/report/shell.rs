//! Commands as a person pastes them into a shell.

/// The command for a POSIX shell, each argument quoted as far as it needs it. In a `redacted` report the home folder is the
/// stand-in `~`, which has to stay outside the quotes to mean what it says.
pub(crate) fn command_line(argv: &[String], redacted: bool) -> String {
    argv.iter().map(|argument| quoted(argument, redacted)).collect::<Vec<_>>().join(" ")
}

fn quoted(argument: &str, redacted: bool) -> String {
    match argument.strip_prefix("~/").filter(|_| redacted) {
        Some(rest) => format!("~/{}", quoted(rest, false)),
        // Only a NUL cannot be quoted, and no argument that a program can be given has one.
        None => shlex::try_quote(argument).map_or_else(|_| argument.to_string(), |q| q.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_of_a_redacted_report_stays_outside_the_quotes() {
        let argv = ["chmod".to_string(), "600".into(), "~/.ssh/my key".into()];
        assert_eq!(command_line(&argv, true), "chmod 600 ~/'.ssh/my key'");
        assert_eq!(command_line(&argv, false), "chmod 600 '~/.ssh/my key'");
    }
}
