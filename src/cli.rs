//! The command line. The first paragraph of a description is its line in `-h`; `--help` and the manual page have all of it.

use std::path::PathBuf;

use bbdoctor_checks::check_id::CheckId;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::completions::Shell;
use crate::explain;
use crate::manual;
use crate::output::Destination;

/// Headings of the help: what to ask, how to report, and what it may take.
const ASK: &str = "What to ask";
const TELL: &str = "How to report";
const LIMIT: &str = "Limits";

/// Says why git cannot clone from Bitbucket over SSH, proves it, and gives the command that fixes it
///
/// It follows the clone step by step, as git and ssh would do it: the URL, the ssh client, its configuration, the keys and the
/// agent, the name, the port, the server's key, the server's answer to each key, the repository. At the end it runs git
/// itself, and the verdict follows git. It changes nothing by itself.
#[derive(Debug, Parser)]
#[command(
    name = "bbdoctor",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = manual::short_help(),
    after_long_help = manual::long_help()
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) diagnose: Diagnose,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain a finding or a check, offline; without a name, list them
    ///
    /// Every report shows the codes of its findings. Its page says what it means, why it breaks a clone, how to fix it, and how to
    /// see it yourself. The page of a check has all its findings. On a terminal the page is laid out for reading; elsewhere
    /// it is Markdown.
    #[command(after_help = manual::examples_of("explain"))]
    Explain {
        /// The code of a finding or the id of a check
        code: Option<String>,
    },
    /// Restore a damaged private key, and the .pub that belongs to it
    ///
    /// A key is damaged when its text was changed in transit: Windows line ends, a byte order mark, UTF-16, lost line breaks, a
    /// missing last one, quotes, blanks, other text before it, base64 not yet decoded. A .pub that is lost or belongs to another
    /// key is written too. No passphrase is needed. What was there is kept beside it (FILE.damaged), nothing is overwritten,
    /// and a file that is in order is left alone. The file must be your own. The exit status is 1 where the key is beyond
    /// restoring.
    #[command(after_help = manual::examples_of("restore"))]
    Restore {
        /// The private key, not its .pub
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Run the checks over a recording, without network and files
    ///
    /// A recording is made with --record. The same version of bbdoctor gives the same report as the run that made it, on any machine
    /// and for any user; a newer one may know better, and says which version recorded.
    #[command(after_help = manual::examples_of("replay"))]
    Replay {
        /// What --record has written
        #[arg(value_hint = ValueHint::FilePath)]
        recording: PathBuf,
        #[command(flatten)]
        tell: Tell,
    },
    /// List the checks in the order in which they run
    ///
    /// The order is that of a clone. Their ids are what --only and --skip take.
    #[command(after_help = manual::examples_of("checks"))]
    Checks,
    /// Print the JSON Schema of the report
    ///
    /// Every report of --format json is valid against it. It also describes the exit statuses.
    #[command(after_help = manual::examples_of("schema"))]
    Schema,
    /// Print a shell's completions, check ids and codes included
    ///
    /// They complete options and subcommands, the ids of checks behind --only and --skip (also in a list), and the codes that
    /// explain takes. The script asks bbdoctor at each TAB, so it stays right when bbdoctor is upgraded.
    #[command(after_help = manual::examples_of("completions"))]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    ///
    /// It is in roff, for man.
    #[command(after_help = manual::examples_of("man"))]
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    /// A Git URL, workspace/repo, a remote or a host; without it, the remote git would use here
    ///
    /// A remote is one of the repository in the current folder, and a host may be an alias from ssh_config. The folder of
    /// another repository is taken too. Where the remote that git would use does not lead to Bitbucket, the service itself is
    /// examined, without a repository.
    #[arg(value_name = "TARGET", value_hint = ValueHint::Other)]
    pub(crate) target: Option<std::ffi::OsString>,
    /// Ask whether git can push, rather than fetch
    ///
    /// At the end git makes a dry run of a push, which changes nothing.
    #[arg(long, help_heading = ASK)]
    pub(crate) push: bool,
    /// Run only these checks
    ///
    /// `bbdoctor checks` lists their ids. The report names the checks that did not run.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = check, help_heading = ASK)]
    pub(crate) only: Vec<CheckId>,
    /// Leave these checks out
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = check, help_heading = ASK)]
    pub(crate) skip: Vec<CheckId>,
    /// bbdoctor's own configuration, instead of ~/.config/bbdoctor/config.toml
    ///
    /// It describes hosts that bbdoctor does not know, and replaces what it knows of the others.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = ASK)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tell: Tell,
    /// Write what was gathered to FILE too, for bbdoctor replay
    ///
    /// FILE gets mode 0600. It is as private as this machine: names, paths, addresses and settings stand in it as they are; private
    /// keys, passphrases, tokens and variables that have nothing to do with git or ssh do not.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = TELL)]
    pub(crate) record: Option<PathBuf>,
    /// Start no other program: no git, no ssh, no ProxyCommand, no Match exec
    ///
    /// bbdoctor then goes by its own reading of everything, and the verdict is not confirmed by git.
    #[arg(long, help_heading = LIMIT)]
    pub(crate) no_exec: bool,
    /// Use no network: local checks only
    ///
    /// Where they find nothing broken the verdict is inconclusive.
    #[arg(long, help_heading = LIMIT)]
    pub(crate) offline: bool,
    /// How long the whole run may take
    ///
    /// From 1 to 3600. The report names what was not examined by then.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = LIMIT
    )]
    pub(crate) timeout: u64,
}

/// How a report is told.
#[derive(Debug, Args)]
pub(crate) struct Tell {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human, help_heading = TELL)]
    pub(crate) format: Format,
    /// Write the report to FILE too; may be given several times
    ///
    /// The format is the one before the colon, else that of --format. The report still goes to stdout. FILE gets mode
    /// 0600; it is opened before the work begins, and never through a symbolic link.
    #[arg(long, value_name = "[FORMAT:]FILE", value_hint = ValueHint::FilePath, help_heading = TELL)]
    pub(crate) output: Vec<Destination>,
    /// Show placeholders (user-1, ~, repo-1) in place of what is private
    ///
    /// `auto` does so in markdown and in every file that --output writes, which are made to be given away. Fingerprints stay: they
    /// tell keys apart and nothing else. The finished text is searched once more: if something private is left in it, it is written
    /// without quotations, or not at all.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t = Redact::Auto,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always",
        help_heading = TELL
    )]
    pub(crate) redact: Redact,
    /// Show every check with its evidence
    #[arg(short, long, conflicts_with = "quiet", help_heading = TELL)]
    pub(crate) verbose: bool,
    /// Show only the verdict
    #[arg(short, long, help_heading = TELL)]
    pub(crate) quiet: bool,
    /// Report in whole sentences, one fact a line, for a screen reader
    ///
    /// No table, nothing aligned, nothing that moves.
    #[arg(long, help_heading = TELL)]
    pub(crate) accessible: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, help_heading = TELL)]
    pub(crate) color: Colour,
    /// Count warnings as failures
    ///
    /// A setup that works with warnings then exits with status 1.
    #[arg(long, help_heading = TELL)]
    pub(crate) strict: bool,
    /// Exit with status 0 whatever is found
    ///
    /// Wrong usage still exits with status 2.
    #[arg(long, help_heading = TELL)]
    pub(crate) exit_zero: bool,
}

/// The check called `name`.
fn check(name: &str) -> Result<CheckId, NoSuchCheck> {
    name.parse().map_err(|_| NoSuchCheck {
        name: name.to_string(),
        hint: explain::nearest(name).map(|near| format!("; did you mean {near}?")).unwrap_or_default(),
    })
}

/// What `--only` or `--skip` names is no check.
#[derive(Debug, thiserror::Error)]
#[error("no check is called {name:?}{hint} (bbdoctor checks lists them)")]
pub(crate) struct NoSuchCheck {
    name: String,
    /// The name that is probably meant.
    hint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Human,
    /// For a machine; `bbdoctor schema` describes it
    Json,
    /// A ticket for somebody who helps from elsewhere
    Markdown,
    /// For a CI service that shows tests: a case per check
    Junit,
    /// For GitHub Actions: annotations
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Redact {
    /// In every report
    Always,
    /// In no report: everything is shown as it is
    Never,
    /// In files, and in markdown, which is made for tickets
    Auto,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also where stdout is no terminal
    Always,
    /// No colours; the words say the same
    Never,
}
