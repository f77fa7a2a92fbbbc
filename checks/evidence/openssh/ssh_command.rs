//! The ssh client that git will run, with its options: git(1) on `GIT_SSH`, `GIT_SSH_COMMAND` and `GIT_SSH_VARIANT`,
//! git-config(1) on `core.sshCommand` and `ssh.variant`, as git 2.47's `connect.c` and `run-command.c` act upon them.

mod options;
mod shell;

use bbdoctor_checks::facts::ssh_command::{
    Client, ClientKind, CommandSource, GitProgram, NotRunnable, SshCommand, Started, Variant, VariantSource,
};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::machine::files;
use crate::machine::process::{Outcome, Program};
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::GitConfig;

/// What git, run in `folder`, would take. With `ask` the client is run with `-V`, until `ask` at the latest.
pub fn read(environment: &Environment, config: &GitConfig, folder: &Path, ask: Option<Instant>) -> SshCommand {
    let environment_text = |name: &str| environment.get(name).map(|v| v.to_string_lossy().into_owned());
    let (source, text) = if let Some(text) = environment_text("GIT_SSH_COMMAND") {
        (CommandSource::GitSshCommand, text)
    } else if let Some(entry) = config.get("core.sshcommand") {
        (CommandSource::Config(entry.origin.clone()), entry.text())
    } else if let Some(text) = environment_text("GIT_SSH") {
        (CommandSource::GitSsh, text)
    } else {
        (CommandSource::Default, "ssh".to_string())
    };
    let shell = matches!(source, CommandSource::GitSshCommand | CommandSource::Config(_));
    let words = if shell { shell::words(&text, environment) } else { Some(vec![text.clone()]) };
    let none = || shell::Leading { environment: environment.clone(), ..shell::Leading::default() };
    let leading = words.as_deref().filter(|_| shell).map_or_else(none, |words| shell::leading(words, environment));
    let (mut leading, assignments, seen) = (leading.words, leading.assignments, leading.environment);
    let further = words.as_deref().and_then(|words| ssh_behind(words.get(leading..)?, &seen, folder));
    leading += further.unwrap_or_default();
    let mut client = words.as_ref().map(|words| {
        let word = words.get(leading).cloned().unwrap_or_default();
        let path = resolve(&word, environment, folder);
        Client { kind: kind_by_name(&word, path.as_deref().ok()), path, word }
    });
    if text.is_empty()
        && let Some(client) = &mut client
    {
        client.path = Err(NotRunnable::Empty);
    }
    let options = options::parse(words.as_deref().and_then(|w| w.get(leading + 1..)).unwrap_or_default());
    let (variant, variant_source) = variant(environment, config, &text, shell);
    let kind = client.as_ref().map_or(ClientKind::Unknown, |client| client.kind);
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
        command.started = start(&command, environment, folder, deadline);
        if let Started::Runs { text, openssh } = &command.started
            && command.kind == ClientKind::Unknown
        {
            command.kind = match () {
                () if openssh.is_some() && is_openssh_itself(command.client.as_ref(), environment, folder, deadline) => {
                    ClientKind::OpenSsh
                }
                () if openssh.is_some() => ClientKind::Wrapper,
                () if text.starts_with("Dropbear") => ClientKind::Dropbear,
                () if text.starts_with("plink") => ClientKind::Plink,
                () => ClientKind::Unknown,
            };
        }
    }
    command
}

/// Runs the command with further arguments, as git would: through the shell where git uses it.
fn run(
    command: &SshCommand,
    args: &[&str],
    environment: &Environment,
    folder: &Path,
    deadline: Instant,
) -> std::io::Result<Outcome> {
    let program = match (&command.client, command.shell) {
        (Some(Client { path: Ok(path), .. }), false) => Program::new(path),
        _ => Program::new("/bin/sh").args(["-c", &format!("{} \"$@\"", command.text), &command.text]),
    };
    let program = environment.iter().fold(program, |p, (name, value)| p.env(name, value));
    program.args(args).folder(folder).run(deadline)
}

/// The client's own file, run with `-V` and nothing else.
fn client_alone(
    client: Option<&Client>,
    environment: &Environment,
    folder: &Path,
    deadline: Instant,
) -> Option<std::io::Result<Outcome>> {
    let path = client?.path.as_ref().ok()?;
    let program = environment.iter().fold(Program::new(path), |p, (name, value)| p.env(name, value));
    Some(program.arg("-V").folder(folder).run(deadline))
}

/// Whether the client's own file is OpenSSH, and not a program that was told to run it.
fn is_openssh_itself(client: Option<&Client>, environment: &Environment, folder: &Path, deadline: Instant) -> bool {
    let alone = client_alone(client, environment, folder, deadline);
    alone.is_some_and(|run| run.is_ok_and(|o| o.stderr_text().lines().any(|l| openssh_version(l).is_some())))
}

fn start(command: &SshCommand, environment: &Environment, folder: &Path, deadline: Instant) -> Started {
    let mut outcome = match run(command, &["-V"], environment, folder, deadline) {
        Ok(outcome) => outcome,
        // A script without a first line that names its shell: git gives it to sh.
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENOEXEC as i32) => return Started::NotTried,
        Err(error) => return Started::Broken { said: error.to_string(), code: None, signal: None },
    };
    // Options that ssh does not take keep it from saying its version; that is no fault of the program.
    if outcome.code == Some(255)
        && let Some(Ok(alone)) = client_alone(command.client.as_ref(), environment, folder, deadline)
    {
        outcome = alone;
    }
    let said = format!("{}{}", outcome.stderr_text(), outcome.stdout_text());
    let openssh = said.lines().find_map(openssh_version);
    let line = said.lines().find(|l| openssh_version(l).is_some()).or(said.lines().next()).unwrap_or_default();
    let cannot_start = outcome.signal.is_some() || matches!(outcome.code, Some(126 | 127));
    let loader = ["error while loading shared libraries", "OpenSSL version mismatch", "symbol lookup error", "Library not loaded"];
    let broken = cannot_start
        || openssh.is_none()
            && !outcome.success()
            && (command.kind == ClientKind::OpenSsh || loader.iter().any(|l| said.contains(l)));
    if broken && !command.options.all.is_empty() && is_openssh_itself(command.client.as_ref(), environment, folder, deadline) {
        // It is the options that it does not take.
        return Started::NotTried;
    }
    if broken {
        let said = said.chars().take(1000).collect();
        return Started::Broken { said, code: outcome.code, signal: outcome.signal };
    }
    Started::Runs { text: line.chars().take(200).collect(), openssh }
}

/// `OpenSSH_9.2p1 …` and `OpenSSH_for_Windows_9.5p1 …` as major * 100 + minor.
fn openssh_version(text: &str) -> Option<u32> {
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
