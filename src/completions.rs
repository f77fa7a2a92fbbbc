//! Completions for shells. The script that a shell reads is a few lines, which ask bbdoctor itself at each TAB: so that what
//! it offers is always what this bbdoctor takes, in every shell alike, lists with commas included.

use std::ffi::OsString;
use std::path::Path;

use bbdoctor_checks::ALL;
use bbdoctor_checks::check_id::CheckId;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory as _, ValueEnum};
use clap_complete::env::Shells;

use crate::cli::Cli;
use crate::explain;

/// The environment variable by which a shell asks; its value is the shell's name.
pub(crate) const VARIABLE: &str = "BBDOCTOR_COMPLETE";

/// A shell whose script bbdoctor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::Powershell => "powershell",
            Shell::Elvish => "elvish",
        }
    }
}

/// The script for `shell`; a comment, which all five write alike, tells a reader what it will offer.
///
/// # Errors
/// None that a script in memory can cause; the generator's signature has one.
pub(crate) fn script(shell: Shell) -> std::io::Result<String> {
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell.name()) {
        shell.write_registration(VARIABLE, "bbdoctor", "bbdoctor", "bbdoctor", &mut script)?;
    }
    let checks: Vec<_> = CheckId::ALL.iter().map(|id| id.name()).collect();
    let offered =
        format!("# bbdoctor offers options and subcommands, the codes that explain takes, and the checks {}.", checks.join(", "));
    // In front, zsh looks for a line of its own.
    Ok(format!("{}\n{offered}\n", String::from_utf8_lossy(&script).trim()))
}

/// What a shell that calls itself `shell` is to offer, given the arguments with which its script calls bbdoctor: `--` and the
/// words of the line. `None` when this is no such call.
pub(crate) fn answer(shell: &str, arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let shells = Shells::builtins();
    let shell = shells.completer(shell)?;
    let words: Vec<OsString> = arguments.skip_while(|argument| argument != "--").skip(1).collect();
    if words.is_empty() {
        return None;
    }
    let mut offered = Vec::new();
    // Where nothing can be offered, nothing is.
    let _ = shell.write_complete(&mut command(), words, Some(Path::new(".")), &mut offered);
    Some(String::from_utf8_lossy(&offered).into_owned())
}

/// The command line with the values that `--only`, `--skip` and `explain` take. The parser itself does not know them: it would
/// list them all in place of the sentence that names the nearest one.
fn command() -> Command {
    let ids =
        || PossibleValuesParser::new(ALL.iter().map(|check| PossibleValue::new(check.meta().id.name()).help(check.meta().title)));
    let pages = PossibleValuesParser::new(explain::names().map(|(name, says)| PossibleValue::new(name).help(says)));
    Cli::command()
        .mut_arg("only", |arg| arg.value_parser(ids()))
        .mut_arg("skip", |arg| arg.value_parser(ids()))
        .mut_subcommand("explain", |explain| explain.mut_arg("code", |arg| arg.value_parser(pages)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_shell_that_sends_words_is_answered() {
        let ask = |shell: &str, arguments: &[&str]| answer(shell, arguments.iter().map(OsString::from));
        assert!(ask("fish", &["bbdoctor", "--", "bbdoctor", "comp"]).is_some_and(|offered| offered.starts_with("completions\t")));
        assert_eq!(ask("tcsh", &["bbdoctor", "--", "bbdoctor", "comp"]), None);
        assert_eq!(ask("fish", &["bbdoctor", "--"]), None);
        assert_eq!(ask("fish", &["bbdoctor", "acme/app"]), None);
    }
}
