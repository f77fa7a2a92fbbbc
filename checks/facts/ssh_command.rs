//! The ssh client that git will run, with its options: git(1) on `GIT_SSH`, `GIT_SSH_COMMAND` and `GIT_SSH_VARIANT`,
//! git-config(1) on `core.sshCommand` and `ssh.variant`; and git itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bytes;
use super::environment::Environment;
use super::git_config::Origin;
use crate::privacy::{Private, Text};
use crate::text;

/// Where the command comes from, in the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandSource {
    /// `GIT_SSH_COMMAND`.
    GitSshCommand,
    /// `core.sshCommand`.
    Config(Origin),
    /// `GIT_SSH`, a program without arguments.
    GitSsh,
    /// Nothing is set: `ssh`.
    Default,
}

/// Whose options git speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variant {
    /// OpenSSH's: `-p`, `-o SendEnv=GIT_PROTOCOL`.
    Ssh,
    /// `-P`.
    Plink,
    /// `-P`.
    Putty,
    /// `-P`, `-batch`.
    TortoisePlink,
    /// None; a port in the URL is an error.
    Simple,
    /// git asks the program with `-G` each time: [`Variant::Ssh`] if that succeeds, else [`Variant::Simple`].
    Auto,
}

/// What decided on the [`Variant`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VariantSource {
    /// The program's name.
    Name,
    /// `GIT_SSH_VARIANT`, with its value.
    Environment(String),
    /// `ssh.variant`, with its value.
    Config(String, Origin),
}

/// What kind of program the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientKind {
    /// OpenSSH.
    OpenSsh,
    /// PuTTY's plink.
    Plink,
    /// TortoiseGit's plink.
    TortoisePlink,
    /// Dropbear's `dbclient`.
    Dropbear,
    /// A script.
    Wrapper,
    /// Something else.
    Unknown,
}

/// Why a program cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotRunnable {
    /// The setting is there, and empty.
    Empty,
    /// No such file, or not on `PATH`.
    Missing,
    /// A file without execute permission.
    NotExecutable(#[serde(with = "bytes")] PathBuf),
    /// A folder.
    Directory(#[serde(with = "bytes")] PathBuf),
    /// A script whose first line ends with a carriage return, which becomes part of the interpreter's name.
    CarriageReturn(#[serde(with = "bytes")] PathBuf),
    /// A script whose interpreter is not there.
    MissingInterpreter {
        /// The script.
        #[serde(with = "bytes")]
        script: PathBuf,
        /// What its first line names.
        #[serde(with = "bytes")]
        interpreter: PathBuf,
    },
}

impl NotRunnable {
    /// What is the matter, as part of a sentence.
    pub fn text(&self) -> Text {
        match self {
            NotRunnable::Empty => "the command is empty".into(),
            NotRunnable::Missing => "not found".into(),
            NotRunnable::NotExecutable(file) => text!("{} is not executable", Private::path(file)),
            NotRunnable::Directory(folder) => text!("{} is a folder", Private::path(folder)),
            NotRunnable::CarriageReturn(script) => {
                text!("the first line of {} ends with a carriage return", Private::path(script))
            }
            NotRunnable::MissingInterpreter { script, interpreter } => {
                text!("{} wants {}, which is not there", Private::path(script), Private::path(interpreter))
            }
        }
    }
}

/// The program within the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The word that names it.
    pub word: String,
    /// The file, or why it cannot run.
    #[serde(with = "bytes")]
    pub path: Result<PathBuf, NotRunnable>,
    /// What kind of program it is by its name and its first bytes.
    pub kind: ClientKind,
}

/// How the client answered `-V`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Started {
    /// It was not asked.
    NotTried,
    /// It runs.
    Runs {
        /// Its first line, e.g. `OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19`.
        text: String,
        /// OpenSSH's version as major * 100 + minor, e.g. 902.
        openssh: Option<u32>,
    },
    /// It does not start.
    Broken {
        /// What it, the loader or the shell said.
        said: String,
        /// Exit status.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
}

/// What git will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshCommand {
    /// Where it comes from.
    pub source: CommandSource,
    /// The text as it is set.
    pub text: String,
    /// git gives it to `sh -c` (unless it is a single plain word); only `GIT_SSH` and the default are run directly.
    pub shell: bool,
    /// Its words after the shell's quoting and expansions of `~` and variables; `None` if the shell does more than that.
    pub words: Option<Vec<String>>,
    /// Variables that are set in front: `NAME=value`.
    pub assignments: Vec<(String, String)>,
    /// The environment that it leaves to the client.
    pub environment: Environment,
    /// How many of `words` come before the client: assignments, `exec`, `env` with its options.
    pub leading: usize,
    /// The first of `words` runs another program, and the client is named to it: `timeout 9 ssh`.
    pub started_by_another: bool,
    /// The client; `None` if `words` is.
    pub client: Option<Client>,
    /// The client's options.
    pub options: SshOptions,
    /// Whose options git speaks.
    pub variant: Variant,
    /// What decided so.
    pub variant_source: VariantSource,
    /// What kind of program it is.
    pub kind: ClientKind,
    /// How it answered `-V`.
    pub started: Started,
}

/// What the command line of ssh says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshOptions {
    /// `-i`, in order.
    pub identity_files: Vec<String>,
    /// `-F`; the last counts.
    pub config_file: Option<String>,
    /// `-o`, in order, and what means the same; the first of a keyword counts.
    pub options: Vec<String>,
    /// `-p`; the first counts.
    pub port: Option<String>,
    /// `-l`; the first counts.
    pub login: Option<String>,
    /// `-J`.
    pub jump: Option<String>,
    /// `-4` or `-6`; the last counts.
    pub address_family: Option<char>,
    /// `-q`.
    pub quiet: bool,
    /// `-E`: where ssh writes what it has to say.
    pub log_file: Option<String>,
    /// What keeps ssh from carrying git's conversation, the first of them: `-n`, `-f`, `-N`, `-s`, `-W`, what makes it only say
    /// something (`-G`, `-O`, `-Q`, `-V`), or `-t` given twice.
    pub unfit: Option<char>,
    /// An option at the end without its argument: it takes git's next word for one.
    pub dangling: Option<char>,
    /// A letter that is no option of ssh's.
    pub unknown: Option<char>,
    /// `-S`: the control socket, or `none`.
    pub control_path: Option<String>,
    /// Every option, one by one with its argument, fit to be given to `ssh -G`.
    pub all: Vec<String>,
    /// The first word that is no option: ssh takes it for the host, and git's host for a command.
    pub stray: Option<String>,
}

impl SshCommand {
    /// Whether it takes OpenSSH's options: it is OpenSSH, leads to it, or git speaks to it as to OpenSSH.
    pub fn takes_openssh_options(&self) -> bool {
        let answers = matches!(self.started, Started::Runs { openssh: Some(_), .. });
        match self.kind {
            ClientKind::OpenSsh => true,
            ClientKind::Wrapper | ClientKind::Unknown => answers || self.variant == Variant::Ssh,
            ClientKind::Plink | ClientKind::TortoisePlink | ClientKind::Dropbear => false,
        }
    }

    /// The command with `extra` options in front of its own, where OpenSSH gives them precedence, as `GIT_SSH_COMMAND`
    /// takes it. Where the words are not known, or lead to ssh by another program, they come last, as git's own do.
    pub fn with_options(&self, extra: &[String]) -> String {
        let quoted = |word: &String| shlex::try_quote(word).map(|q| q.into_owned()).unwrap_or_default();
        let extra: Vec<String> = extra.iter().map(quoted).collect();
        // A script gets them where ssh would; a shell that is given its script as a word would take them for its own.
        let by_name = self.client.as_ref().map(|client| client.kind);
        let leads_on = self.kind == ClientKind::Wrapper && by_name == Some(ClientKind::Unknown);
        let words = self.words.as_ref().filter(|_| !leads_on);
        let Some(words) = words else {
            let text = if self.shell { self.text.clone() } else { quoted(&self.text) };
            return format!("{text} {}", extra.join(" "));
        };
        let mut out: Vec<String> = Vec::new();
        for (n, word) in words.iter().enumerate() {
            match self.assignments.get(n) {
                // A quoted name would make a command of the assignment.
                Some((name, value)) => out.push(format!("{name}={}", quoted(value))),
                None => out.push(quoted(word)),
            }
            if n == self.leading {
                out.extend(extra.iter().cloned());
            }
        }
        out.join(" ")
    }
}

/// git itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitProgram {
    /// Where `PATH` finds it.
    #[serde(with = "bytes")]
    pub path: PathBuf,
    /// What `git version` says, e.g. `git version 2.47.3`; `None` when it was not asked.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::bytes::word;
    use crate::facts::git_config::Scope;
    use crate::facts::survives_json;

    fn command(path: Result<PathBuf, NotRunnable>) -> SshCommand {
        let client = Client { word: "ssh".into(), path, kind: ClientKind::OpenSsh };
        let origin = Origin { scope: Scope::Global, file: Some("/home/ann/.gitconfig".into()), line: Some(2) };
        SshCommand {
            source: CommandSource::Config(origin.clone()),
            text: "A=b ssh -4".into(),
            shell: true,
            words: Some(vec!["A=b".into(), "ssh".into(), "-4".into()]),
            assignments: vec![("A".into(), "b".into())],
            environment: [("A", "b")].into_iter().collect(),
            leading: 1,
            started_by_another: false,
            client: Some(client),
            options: SshOptions { address_family: Some('4'), all: vec!["-4".into()], ..SshOptions::default() },
            variant: Variant::Ssh,
            variant_source: VariantSource::Config("ssh".into(), origin),
            kind: ClientKind::OpenSsh,
            started: Started::Runs { text: "OpenSSH_9.2p1".into(), openssh: Some(902) },
        }
    }

    #[test]
    fn a_command_survives_a_recording() {
        let odd = || PathBuf::from(word(b"/opt/\xff/ssh".to_vec()));
        for path in [
            Ok(odd()),
            Err(NotRunnable::Empty),
            Err(NotRunnable::NotExecutable(odd())),
            Err(NotRunnable::MissingInterpreter { script: odd(), interpreter: "/bin/ssh".into() }),
        ] {
            survives_json(&command(path));
        }
        survives_json(&GitProgram { path: odd(), version: None });
    }

    #[test]
    fn added_options_come_first_and_the_rest_stays() {
        assert_eq!(command(Ok("/usr/bin/ssh".into())).with_options(&["-v".into()]), "A=b ssh -v -4");
    }
}
