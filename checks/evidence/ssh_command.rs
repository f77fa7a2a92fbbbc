//! The ssh client that git will run, with its options: git(1) on `GIT_SSH`, `GIT_SSH_COMMAND` and `GIT_SSH_VARIANT`,
//! git-config(1) on `core.sshCommand` and `ssh.variant`, as git 2.47's `connect.c` and `run-command.c` act upon them.

mod options;
mod shell;

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::environment::Environment;
use super::files;
use super::git_config::{GitConfig, Origin};
use super::process::{Outcome, Program};
use crate::privacy::{Private, Text};
use crate::text;
pub use options::SshOptions;

/// Where the command comes from, in the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Source {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum VariantSource {
    /// The program's name.
    Name,
    /// `GIT_SSH_VARIANT`, with its value.
    Environment(String),
    /// `ssh.variant`, with its value.
    Config(String, Origin),
}

/// What kind of program the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NotRunnable {
    /// The setting is there, and empty.
    Empty,
    /// No such file, or not on `PATH`.
    Missing,
    /// A file without execute permission.
    NotExecutable(PathBuf),
    /// A folder.
    Directory(PathBuf),
    /// A script whose first line ends with a carriage return, which becomes part of the interpreter's name.
    CarriageReturn(PathBuf),
    /// A script whose interpreter is not there.
    MissingInterpreter {
        /// The script.
        script: PathBuf,
        /// What its first line names.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// The word that names it.
    pub word: String,
    /// The file, or why it cannot run.
    pub path: Result<PathBuf, NotRunnable>,
}

/// How the client answered `-V`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
pub struct SshCommand {
    /// Where it comes from.
    pub source: Source,
    /// The text as it is set.
    pub text: String,
    /// git gives it to `sh -c` (unless it is a single plain word); only `GIT_SSH` and the default are run directly.
    pub shell: bool,
    /// Its words after the shell's quoting and expansions of `~` and variables; `None` if the shell does more than that.
    pub words: Option<Vec<String>>,
    /// Variables that are set in front: `NAME=value`.
    pub assignments: Vec<(String, String)>,
    /// The environment that it leaves to the client.
    #[serde(skip)]
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

impl SshCommand {
    /// What git, run in `folder`, would take. With `ask` the client is run with `-V`, until `ask` at the latest.
    pub fn read(environment: &Environment, config: &GitConfig, folder: &Path, ask: Option<Instant>) -> Self {
        let environment_text = |name: &str| environment.get(name).map(|v| v.to_string_lossy().into_owned());
        let (source, text) = if let Some(text) = environment_text("GIT_SSH_COMMAND") {
            (Source::GitSshCommand, text)
        } else if let Some(entry) = config.get("core.sshcommand") {
            (Source::Config(entry.origin.clone()), entry.text())
        } else if let Some(text) = environment_text("GIT_SSH") {
            (Source::GitSsh, text)
        } else {
            (Source::Default, "ssh".to_string())
        };
        let shell = matches!(source, Source::GitSshCommand | Source::Config(_));
        let words = if shell { shell::words(&text, environment) } else { Some(vec![text.clone()]) };
        let none = || shell::Leading { environment: environment.clone(), ..shell::Leading::default() };
        let leading = words.as_deref().filter(|_| shell).map_or_else(none, |words| shell::leading(words, environment));
        let (mut leading, assignments, seen) = (leading.words, leading.assignments, leading.environment);
        let further = words.as_deref().and_then(|words| ssh_behind(words.get(leading..)?, &seen, folder));
        leading += further.unwrap_or_default();
        let mut client = words.as_ref().map(|words| {
            let word = words.get(leading).cloned().unwrap_or_default();
            Client { path: resolve(&word, environment, folder), word }
        });
        if text.is_empty()
            && let Some(client) = &mut client
        {
            client.path = Err(NotRunnable::Empty);
        }
        let options = SshOptions::parse(words.as_deref().and_then(|w| w.get(leading + 1..)).unwrap_or_default());
        let (variant, variant_source) = variant(environment, config, &text, shell);
        let kind = client.as_ref().map_or(ClientKind::Unknown, |c| kind_by_name(&c.word, c.path.as_deref().ok()));
        let mut command = SshCommand {
            source,
            text,
            shell,
            words,
            assignments,
            environment: seen,
            leading,
            started_by_another: further.is_some(),
            client,
            options,
            variant,
            variant_source,
            kind,
            started: Started::NotTried,
        };
        let runnable = command.client.as_ref().is_none_or(|c| c.path.is_ok());
        if let Some(deadline) = ask.filter(|_| runnable) {
            command.started = command.start(environment, folder, deadline);
            if let Started::Runs { text, openssh } = &command.started
                && command.kind == ClientKind::Unknown
            {
                command.kind = match () {
                    () if openssh.is_some() && command.is_openssh_itself(environment, folder, deadline) => ClientKind::OpenSsh,
                    () if openssh.is_some() => ClientKind::Wrapper,
                    () if text.starts_with("Dropbear") => ClientKind::Dropbear,
                    () if text.starts_with("plink") => ClientKind::Plink,
                    () => ClientKind::Unknown,
                };
            }
        }
        command
    }

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
        let by_word = self.client.as_ref().map(|c| kind_by_name(&c.word, c.path.as_deref().ok()));
        let leads_on = self.kind == ClientKind::Wrapper && by_word == Some(ClientKind::Unknown);
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

    /// Runs the command with further arguments, as git would: through the shell where git uses it.
    fn run(&self, args: &[&str], environment: &Environment, folder: &Path, deadline: Instant) -> std::io::Result<Outcome> {
        let program = match (&self.client, self.shell) {
            (Some(Client { path: Ok(path), .. }), false) => Program::new(path),
            _ => Program::new("/bin/sh").args(["-c", &format!("{} \"$@\"", self.text), &self.text]),
        };
        let program = environment.iter().fold(program, |p, (name, value)| p.env(name, value));
        program.args(args).folder(folder).run(deadline)
    }

    /// The client's own file, run with `-V` and nothing else.
    fn client_alone(&self, environment: &Environment, folder: &Path, deadline: Instant) -> Option<std::io::Result<Outcome>> {
        let path = self.client.as_ref()?.path.as_ref().ok()?;
        let program = environment.iter().fold(Program::new(path), |p, (name, value)| p.env(name, value));
        Some(program.arg("-V").folder(folder).run(deadline))
    }

    /// Whether the client's own file is OpenSSH, and not a program that was told to run it.
    fn is_openssh_itself(&self, environment: &Environment, folder: &Path, deadline: Instant) -> bool {
        let alone = self.client_alone(environment, folder, deadline);
        alone.is_some_and(|run| run.is_ok_and(|o| o.stderr_text().lines().any(|l| openssh_version(l).is_some())))
    }

    fn start(&self, environment: &Environment, folder: &Path, deadline: Instant) -> Started {
        let mut outcome = match self.run(&["-V"], environment, folder, deadline) {
            Ok(outcome) => outcome,
            // A script without a first line that names its shell: git gives it to sh.
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => return Started::NotTried,
            Err(error) => return Started::Broken { said: error.to_string(), code: None, signal: None },
        };
        // Options that ssh does not take keep it from saying its version; that is no fault of the program.
        if outcome.code == Some(255)
            && let Some(Ok(alone)) = self.client_alone(environment, folder, deadline)
        {
            outcome = alone;
        }
        let said = format!("{}{}", outcome.stderr_text(), outcome.stdout_text());
        let openssh = said.lines().find_map(openssh_version);
        let line = said.lines().find(|l| openssh_version(l).is_some()).or(said.lines().next()).unwrap_or_default();
        let cannot_start = outcome.signal.is_some() || matches!(outcome.code, Some(126 | 127));
        let loader =
            ["error while loading shared libraries", "OpenSSL version mismatch", "symbol lookup error", "Library not loaded"];
        let broken = cannot_start
            || openssh.is_none()
                && !outcome.success()
                && (self.kind == ClientKind::OpenSsh || loader.iter().any(|l| said.contains(l)));
        if broken && !self.options.all.is_empty() && self.is_openssh_itself(environment, folder, deadline) {
            // It is the options that it does not take.
            return Started::NotTried;
        }
        if broken {
            let said = said.chars().take(1000).collect();
            return Started::Broken { said, code: outcome.code, signal: outcome.signal };
        }
        Started::Runs { text: line.chars().take(200).collect(), openssh }
    }

    /// The variant that git settles on for `host` where it is [`Variant::Auto`]: runs the client with `-G`, as git does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn detect(&self, host: &str, environment: &Environment, folder: &Path, deadline: Instant) -> std::io::Result<Variant> {
        if self.variant != Variant::Auto {
            return Ok(self.variant);
        }
        let outcome = self.run(&["-G", "-o", "SendEnv=GIT_PROTOCOL", host], environment, folder, deadline)?;
        Ok(if outcome.success() { Variant::Ssh } else { Variant::Simple })
    }
}

/// `OpenSSH_9.2p1 …` and `OpenSSH_for_Windows_9.5p1 …` as major * 100 + minor.
pub fn openssh_version(text: &str) -> Option<u32> {
    let rest = text.trim_start().strip_prefix("OpenSSH_")?;
    let rest = rest.strip_prefix("for_Windows_").unwrap_or(rest);
    let (major, rest) = rest.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (major, minor): (u32, u32) = (major.parse().ok()?, rest[..digits].parse().ok()?);
    (major < 1000 && minor < 100).then_some(major * 100 + minor)
}

/// Where `ssh` stands in the `words` of a program that runs another (`timeout 9 ssh`, `nice ssh`): how far behind the first.
/// `None` for ssh itself, and where that program cannot run.
fn ssh_behind(words: &[String], environment: &Environment, folder: &Path) -> Option<usize> {
    let (runner, rest) = words.split_first()?;
    let path = resolve(runner, environment, folder).ok()?;
    if base_name(runner) == "ssh" || !matches!(kind_by_name(runner, Some(&path)), ClientKind::Unknown | ClientKind::Wrapper) {
        return None;
    }
    Some(1 + rest.iter().position(|word| base_name(word) == "ssh")?)
}

fn base_name(word: &str) -> String {
    let name = word.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(".exe").map(String::from).unwrap_or(name)
}

/// `determine_ssh_variant`: the settings, else the name of the first word (which may be an assignment).
fn variant(environment: &Environment, config: &GitConfig, text: &str, shell: bool) -> (Variant, VariantSource) {
    let named = match (environment.get("GIT_SSH_VARIANT"), config.get("ssh.variant")) {
        (Some(value), _) => Some((value.to_string_lossy().into_owned(), None)),
        (None, Some(entry)) => Some((entry.text(), Some(entry.origin.clone()))),
        (None, None) => None,
    };
    if let Some((value, origin)) = named.filter(|(v, _)| v != "auto") {
        let variant = match value.as_str() {
            "plink" => Variant::Plink,
            "putty" => Variant::Putty,
            "tortoiseplink" => Variant::TortoisePlink,
            "simple" => Variant::Simple,
            _ => Variant::Ssh,
        };
        let source = match origin {
            Some(origin) => VariantSource::Config(value, origin),
            None => VariantSource::Environment(value),
        };
        return (variant, source);
    }
    let first = if shell { shlex::split(text).and_then(|w| w.into_iter().next()) } else { Some(text.to_string()) };
    let variant = match first.as_deref().map(base_name).as_deref() {
        Some("ssh") => Variant::Ssh,
        Some("plink") => Variant::Plink,
        Some("tortoiseplink") => Variant::TortoisePlink,
        _ => Variant::Auto,
    };
    (variant, VariantSource::Name)
}

fn kind_by_name(word: &str, path: Option<&Path>) -> ClientKind {
    let mut start = [0; 2];
    let script = path.is_some_and(|p| files::open(p).and_then(|mut f| f.read_exact(&mut start)).is_ok() && &start == b"#!");
    match base_name(word).as_str() {
        "plink" => ClientKind::Plink,
        "tortoiseplink" => ClientKind::TortoisePlink,
        _ if script => ClientKind::Wrapper,
        "ssh" => ClientKind::OpenSsh,
        "dbclient" | "dropbear" => ClientKind::Dropbear,
        _ => ClientKind::Unknown,
    }
}

/// The file that `execvp(3)` would run for `word` in `folder`.
fn resolve(word: &str, environment: &Environment, folder: &Path) -> Result<PathBuf, NotRunnable> {
    if word.is_empty() {
        return Err(NotRunnable::Empty);
    }
    let path = if word.contains('/') {
        folder.join(word)
    } else {
        let path = environment.get("PATH");
        match which::which_in(word, path, folder) {
            Ok(found) => found,
            Err(_) => {
                // A file of that name that lacks the permission is what the user must hear of.
                let folders = path.map(|p| std::env::split_paths(p).collect::<Vec<_>>()).unwrap_or_default();
                let lame = folders.into_iter().map(|f| folder.join(f).join(word)).find(|p| p.is_file());
                return Err(lame.map_or(NotRunnable::Missing, NotRunnable::NotExecutable));
            }
        }
    };
    let meta = std::fs::metadata(&path).map_err(|_| NotRunnable::Missing)?;
    if meta.is_dir() {
        return Err(NotRunnable::Directory(path));
    }
    if meta.permissions().mode() & 0o111 == 0 || nix::unistd::access(&path, nix::unistd::AccessFlags::X_OK).is_err() {
        return Err(NotRunnable::NotExecutable(path));
    }
    let mut start = Vec::new();
    if let Ok(file) = files::open(&path) {
        // A program one may run but not read has no first line to look at.
        let _ = file.take(256).read_to_end(&mut start);
    }
    let Some(line) = start.strip_prefix(b"#!").and_then(|s| s.split(|b| *b == b'\n').next()) else { return Ok(path) };
    if line.ends_with(b"\r") {
        return Err(NotRunnable::CarriageReturn(path));
    }
    let line = String::from_utf8_lossy(line).into_owned();
    let interpreter = PathBuf::from(line.split_whitespace().next().unwrap_or_default());
    match interpreter.is_absolute() && !interpreter.exists() {
        true => Err(NotRunnable::MissingInterpreter { script: path, interpreter }),
        false => Ok(path),
    }
}

/// git itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GitProgram {
    /// Where `PATH` finds it.
    pub path: PathBuf,
    /// What `git version` says, e.g. `git version 2.47.3`; `None` when it was not asked.
    pub version: Option<String>,
}

/// The git on `PATH`; asked for its version, until `ask` at the latest.
pub fn git_program(environment: &Environment, folder: &Path, ask: Option<Instant>) -> Result<GitProgram, NotRunnable> {
    let path = resolve("git", environment, folder)?;
    let version = ask.and_then(|deadline| Program::new(&path).arg("version").folder(folder).run(deadline).ok());
    let version =
        version.filter(Outcome::success).and_then(|o| o.stdout_text().lines().next().map(|l| l.chars().take(100).collect()));
    Ok(GitProgram { path, version })
}

#[cfg(test)]
mod tests;
