//! What bbdoctor says of itself: the examples and tables of its help, and the manual page. All of it comes from the command
//! line's definition, [`Exit`], the checks, and the lists here.

use std::fmt::Write as _;

use bbdoctor_checks::ALL;
use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::cli::Cli;
use crate::exit::Exit;

/// Command lines with what each is good for. The first few stand in the short help.
const EXAMPLES: &[(&str, &str)] = &[
    ("bbdoctor", "why can't git fetch here?"),
    ("bbdoctor git@ssh.bitbucket.org:acme/app.git", "why can't I clone this?"),
    ("bbdoctor acme/app --push", "why can't I push to it?"),
    ("bbdoctor explain key-not-offered", "what a finding means, and how to fix it"),
    ("bbdoctor -v upstream", "every check of the remote upstream, with its evidence"),
    ("bbdoctor -q", "only the verdict"),
    ("bbdoctor --output report.txt", "the report in a file too, to attach to a ticket"),
    ("bbdoctor --format json --strict", "for a CI job: the report as JSON, and warnings fail"),
    ("bbdoctor --only key-files,agent-has-key", "only the keys"),
    ("bbdoctor --offline", "without the network: what can be seen on this machine"),
    ("bbdoctor --no-exec --timeout 5", "start no other program, and answer within 5 seconds"),
];

/// How many of [`EXAMPLES`] the short help shows.
const FEW: usize = 4;

/// For each subcommand, command lines with what each is good for.
const OF_SUBCOMMANDS: &[(&str, &[(&str, &str)])] = &[
    (
        "explain",
        &[
            ("bbdoctor explain key-not-offered", "what the finding means, and how to fix it"),
            ("bbdoctor explain key-files", "the page of a check, with all its findings"),
            ("bbdoctor explain", "every check and every finding, a line each"),
        ],
    ),
    ("restore", &[("bbdoctor restore ~/.ssh/id_ed25519", "restores the key or its .pub if it is damaged")]),
    (
        "replay",
        &[
            ("bbdoctor --record clone.json", "keeps what was gathered"),
            ("bbdoctor replay clone.json -v", "judges it again, on any machine"),
        ],
    ),
    ("checks", &[("bbdoctor checks", "the checks, a line each"), ("bbdoctor --skip git-agrees", "leaves one of them out")]),
    ("schema", &[("bbdoctor schema > report.schema.json", "for a program that reads --format json")]),
    (
        "completions",
        &[
            ("source <(bbdoctor completions bash)", "bash: in ~/.bashrc"),
            ("source <(bbdoctor completions zsh)", "zsh: in ~/.zshrc, below compinit"),
            ("bbdoctor completions fish | source", "fish: in ~/.config/fish/config.fish"),
            ("bbdoctor completions powershell | Out-String | Invoke-Expression", "PowerShell: in $PROFILE"),
            ("eval (bbdoctor completions elvish | slurp)", "Elvish: in ~/.config/elvish/rc.elv"),
        ],
    ),
    ("man", &[("bbdoctor man > ~/.local/share/man/man1/bbdoctor.1", "install it: man bbdoctor then shows it")]),
];

/// The environment variables that decide something, with what they decide.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("NO_COLOR", "Set and not empty: no colours, unless --color says otherwise."),
    ("CLICOLOR_FORCE, FORCE_COLOR", "Set and not 0: colours also where stdout is no terminal; NO_COLOR wins."),
    ("TERM", "dumb: no colours."),
    ("XDG_CONFIG_HOME, HOME", "Where config.toml is looked for, and git's own configuration."),
    ("GIT_SSH_COMMAND, GIT_SSH, GIT_SSH_VARIANT", "The ssh client that git starts, and its kind."),
    (
        "GIT_DIR, GIT_COMMON_DIR, GIT_CONFIG_*, GIT_CEILING_DIRECTORIES, GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "Which repository and which configuration git uses.",
    ),
    ("GIT_ALLOW_PROTOCOL, GIT_PROTOCOL_FROM_USER", "Whether git may use ssh at all."),
    ("SSH_AUTH_SOCK", "The agent that ssh asks, unless IdentityAgent names another."),
    (
        "SSH_ASKPASS, SSH_ASKPASS_REQUIRE, DISPLAY, WAYLAND_DISPLAY",
        "Whether ssh could ask for a passphrase in a window; bbdoctor never lets it.",
    ),
    ("PATH, SHELL", "Where git and ssh are found, and the shell that runs ssh's ProxyCommand."),
    ("SUDO_USER, SUDO_UID", "That somebody else started this through sudo."),
    ("TMPDIR", "Where the git that bbdoctor runs keeps what it must write; it is removed afterwards."),
    ("BITBUCKET_BUILD_NUMBER, CI and those of other CI services", "Which service the report names as its machine's."),
];

/// The file that bbdoctor reads for itself, with what stands in it.
const CONFIGURATION: &str = "$XDG_CONFIG_HOME/bbdoctor/config.toml, else ~/.config/bbdoctor/config.toml";
const CONFIGURATION_HOLDS: &str = "Hosts of one's own, and what replaces the facts that are built in. An unknown key is an error.";
const CONFIGURATION_EXAMPLE: &str = r#"[hosts."git.example.com"]
kind = "data-center"          # or "cloud"
port = 7999
host_keys = ["ssh-ed25519 AAAA…"]
alternate = "git-alt.example.com:443""#;

/// The end of `bbdoctor -h`.
pub(crate) fn short_help() -> String {
    format!("Examples:\n{}\n--help says more.", table(&EXAMPLES[..FEW]))
}

/// The end of `bbdoctor --help`.
pub(crate) fn long_help() -> String {
    let statuses: Vec<_> = Exit::ALL.iter().map(|e| (e.status().to_string(), e.means())).collect();
    let statuses: Vec<_> = statuses.iter().map(|(status, means)| (status.as_str(), *means)).collect();
    format!(
        "Examples:\n{}\nExit status:\n{}\nConfiguration: {CONFIGURATION}\n\nbbdoctor man prints the manual page, which has the checks and the environment too.",
        table(EXAMPLES),
        table(&statuses)
    )
}

/// The end of the help of the subcommand `name`.
pub(crate) fn examples_of(name: &str) -> String {
    let examples = OF_SUBCOMMANDS.iter().find(|(subcommand, _)| *subcommand == name).map_or(&[][..], |(_, examples)| examples);
    format!("Examples:\n{}", table(examples).trim_end())
}

/// Two columns, indented; where the first is too wide for that, one below the other.
fn table(rows: &[(&str, &str)]) -> String {
    const WIDE: usize = 44;
    let column = rows.iter().map(|(first, _)| first.len()).max().unwrap_or_default();
    rows.iter().fold(String::new(), |mut out, (first, second)| {
        let _ =
            if column <= WIDE { writeln!(out, "  {first:column$}  {second}") } else { writeln!(out, "  {second}\n      {first}") };
        out
    })
}

/// The manual page, in roff.
///
/// # Errors
/// None that a page in memory can cause; the renderer's signature has one.
pub(crate) fn page() -> std::io::Result<String> {
    let command = Cli::command();
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    let lines = subcommands.iter().fold("bbdoctor [OPTIONS] [TARGET]".to_string(), |lines, subcommand| {
        let values = values(subcommand);
        format!("{lines}\nbbdoctor {}{}{values}", subcommand.get_name(), if values.is_empty() { "" } else { " " })
    });
    let man = Man::new(command.override_usage(lines)).title("BBDOCTOR").manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    let mut rest = Roff::new();
    rest.control("SH", ["SUBCOMMANDS"]);
    for subcommand in &subcommands {
        let head = vec![bold(format!("bbdoctor {}", subcommand.get_name())), roman(" "), italic(values(subcommand))];
        let about = subcommand.get_long_about().or(subcommand.get_about()).map(ToString::to_string).unwrap_or_default();
        entry(&mut rest, head, &about);
    }
    rest.control("SH", ["CHECKS"]);
    rest.text([roman("In the order in which they run, which is that of a clone:")]);
    for check in ALL {
        entry(&mut rest, vec![bold(check.meta().id.name())], check.meta().title);
    }
    rest.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        entry(&mut rest, vec![bold(exit.status().to_string())], exit.means());
    }
    rest.control("SH", ["ENVIRONMENT"]);
    for (names, decides) in ENVIRONMENT {
        entry(&mut rest, vec![bold(*names)], decides);
    }
    rest.control("SH", ["FILES"]);
    entry(&mut rest, vec![italic(CONFIGURATION)], CONFIGURATION_HOLDS);
    verbatim(&mut rest, CONFIGURATION_EXAMPLE);
    rest.control("SH", ["EXAMPLES"]);
    for (line, good_for) in EXAMPLES {
        entry(&mut rest, vec![bold(*line)], good_for);
    }
    rest.control("SH", ["SEE ALSO"]);
    rest.text([
        bold("git"),
        roman("(1), "),
        bold("ssh"),
        roman("(1), "),
        bold("ssh_config"),
        roman("(5), "),
        bold("ssh-add"),
        roman("(1)"),
    ]);
    rest.to_writer(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// The arguments of a subcommand, those in brackets that may be left out.
fn values(subcommand: &clap::Command) -> String {
    let values = subcommand.get_positionals().map(|arg| {
        let name = arg.get_id().as_str().to_uppercase();
        if arg.is_required_set() { name } else { format!("[{name}]") }
    });
    values.collect::<Vec<_>>().join(" ")
}

/// A paragraph with a heading of its own.
fn entry(page: &mut Roff, head: Vec<Inline>, text: &str) {
    page.control("TP", []);
    page.text(head);
    for (n, paragraph) in text.split("\n\n").enumerate() {
        if n > 0 {
            page.control("IP", []);
        }
        page.text([roman(paragraph.replace('\n', " "))]);
    }
}

/// Lines as they are, indented.
fn verbatim(page: &mut Roff, lines: &str) {
    page.control("IP", []);
    page.control("EX", []);
    page.text([roman(lines)]);
    page.control("EE", []);
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    /// Every command line of bbdoctor in `text`: from a word at the beginning of a command to what ends it in a shell. Where
    /// some lines begin with a prompt the others are output.
    fn command_lines(text: &str) -> impl Iterator<Item = &str> {
        let prompted = text.lines().any(|line| line.starts_with("$ "));
        let lines = text.lines().filter_map(move |line| if prompted { line.strip_prefix("$ ") } else { Some(line) });
        let parts = lines.flat_map(|line| line.split(['`', '(', '|', ')', '>', '#'])).map(str::trim);
        parts.filter(|part| *part == "bbdoctor" || part.starts_with("bbdoctor "))
    }

    #[test]
    fn every_command_line_that_is_shown_is_accepted() {
        let readme = include_str!("../README.md");
        let shown = readme.split("```").skip(1).step_by(2).chain(readme.split('`').skip(1).step_by(2));
        let pages = ALL.iter().flat_map(|check| check.meta().page.split("```").skip(1).step_by(2));
        let examples = EXAMPLES.iter().chain(OF_SUBCOMMANDS.iter().flat_map(|(_, examples)| *examples)).map(|(line, _)| *line);
        let mut accepted = 0;
        for line in shown.chain(pages).chain(examples).flat_map(command_lines) {
            // A table of uses has two columns.
            let line = line.split("  ").next().unwrap_or_default();
            for alternative in line.split(" or bbdoctor ") {
                let words = shlex::split(alternative).expect("words");
                let refused = Cli::try_parse_from(&words).err().filter(|error| error.use_stderr());
                assert!(refused.is_none(), "{line:?}: {}", refused.expect("it is"));
                accepted += 1;
            }
        }
        assert!(accepted > 30, "only {accepted} command lines were found");
    }

    #[test]
    fn every_subcommand_has_examples() {
        for subcommand in Cli::command().get_subcommands() {
            let name = subcommand.get_name();
            assert!(examples_of(name).contains(&format!("bbdoctor {name}")), "{name}");
        }
    }
}
