//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::Destination;

const EXAMPLES: &str = "Examples:
  bbdoctor                                    why can't git fetch from here?
  bbdoctor git@ssh.bitbucket.org:acme/app.git why can't I clone this?
  bbdoctor acme/app --push                    why can't I push to it?
  bbdoctor --format json > report.json        for a CI job; the exit status says the rest
  bbdoctor explain key-not-offered            what a finding means";

/// Says why git cannot clone from Bitbucket over SSH, proves it, and gives the command that mends it.
#[derive(Debug, Parser)]
#[command(name = "bbdoctor", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) diagnose: Diagnose,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Explain a finding or a check, offline; without a name, list them
    Explain {
        /// The code of a finding or the id of a check
        code: Option<String>,
    },
    /// List the checks in the order in which they run
    Checks,
    /// Print the JSON Schema of the report
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    /// A Git URL, workspace/repo, the name of a remote, or a host (also an alias from ssh_config); without it, the remote
    /// that git would fetch from here
    #[arg(value_name = "TARGET")]
    pub(crate) target: Option<std::ffi::OsString>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Write the report to FILE too (mode 0600, never through a symbolic link); FORMAT:FILE writes it in another format; may
    /// be given several times
    #[arg(long, value_name = "[FORMAT:]FILE")]
    pub(crate) output: Vec<Destination>,
    /// Ask whether git can push, rather than fetch
    #[arg(long)]
    pub(crate) push: bool,
    /// Run only these checks
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave these checks out
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Start no other program: no git, no ssh, no ProxyCommand, no Match exec
    #[arg(long)]
    pub(crate) no_exec: bool,
    /// Use no network: local checks only
    #[arg(long)]
    pub(crate) offline: bool,
    /// How long the whole run may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Let warnings count as failure
    #[arg(long)]
    pub(crate) strict: bool,
    /// Exit with status 0 whatever is found
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// bbdoctor's own configuration, instead of ~/.config/bbdoctor/config.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    pub(crate) color: Colour,
    /// Show every check with its evidence
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Show only the verdict
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Human,
    /// For a machine; `bbdoctor schema` describes it
    Json,
    /// A ticket for people who were not there
    Markdown,
    /// For a CI service that shows tests: a case per check
    Junit,
    /// For GitHub Actions: annotations
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}
