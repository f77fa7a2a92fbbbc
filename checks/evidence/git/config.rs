//! git's configuration, read without running git, with the file and line of every value.
//!
//! gix-config takes each file apart. Which files are read, in which order, what an include brings in and where, follows
//! git-config(1) and git 2.47's `config.c`: gix-config puts included values behind the section that names them, git puts
//! them right behind the line.

mod include;
mod parameters;
pub mod repository;

use bbdoctor_checks::facts::git_config::{ConfigFault, Discovery, GitConfig, GitSetting, Origin, Repository, Scope, boolean};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gix_config::parse::{EventRef, Events};

use crate::machine::files;
use bbdoctor_checks::facts::environment::Environment;

/// The most files that are read; nobody has as many, but includes can multiply.
const FILE_LIMIT: usize = 500;

/// How deep git follows includes.
const INCLUDE_DEPTH: usize = 10;

/// Reads what git would read in `folder`, which must be absolute.
pub fn read(environment: &Environment, folder: &Path) -> GitConfig {
    // Whether a repository is to be trusted is asked of everything but the repository's own files.
    let mut protected = ConfigReader::new(environment, None);
    let early = protected.shared().and_then(|()| parameters::read(&mut protected));
    let discovery = repository::discover(environment, folder, &protected);
    if let Err(fault) = early {
        return GitConfig { settings: protected.settings, fault: Some(fault), discovery };
    }
    let repository = match &discovery {
        Discovery::Found(repository) => Some(repository),
        _ => None,
    };
    let mut reader = ConfigReader::new(environment, repository);
    let mut fault = reader.everything().err();
    if reader.asked_for_remotes {
        // git first reads all that depends on remotes whether it applies or not, and wants no remote in it.
        let mut survey = ConfigReader { remotes: Remotes::Survey, ..ConfigReader::new(environment, repository) };
        fault = survey.everything().err();
        if fault.is_none() {
            let urls = survey.settings.iter().filter(|e| is_remote_url(&e.key)).map(GitSetting::text).collect();
            reader = ConfigReader { remotes: Remotes::Known(urls), ..ConfigReader::new(environment, repository) };
            fault = reader.everything().err();
        }
    }
    GitConfig { settings: reader.settings, fault, discovery }
}

fn is_remote_url(key: &str) -> bool {
    key.strip_prefix("remote.").is_some_and(|k| k.ends_with(".url") && k.len() > 4)
}

/// Reads files into `entries`, includes and all.
struct ConfigReader<'a> {
    environment: &'a Environment,
    repository: Option<&'a Repository>,
    remotes: Remotes,
    asked_for_remotes: bool,
    settings: Vec<GitSetting>,
    /// How many files were read.
    files: usize,
}

/// What is known of the remotes' URLs, which `hasconfig:remote.*.url` asks for.
enum Remotes {
    /// Nothing yet; no such condition holds.
    Unknown,
    /// They are being collected; every such condition holds.
    Survey,
    /// All of them.
    Known(Vec<String>),
}

/// How a file came to be read.
#[derive(Clone, Copy)]
struct Way {
    scope: Scope,
    depth: usize,
    /// A file that may not be read counts as missing.
    gentle: bool,
    /// Reached through `hasconfig:remote.*.url`.
    without_remotes: bool,
}

impl<'a> ConfigReader<'a> {
    fn new(environment: &'a Environment, repository: Option<&'a Repository>) -> Self {
        ConfigReader {
            environment,
            repository,
            remotes: Remotes::Unknown,
            asked_for_remotes: false,
            settings: Vec::new(),
            files: 0,
        }
    }

    /// The installation's and the user's files.
    fn shared(&mut self) -> Result<(), ConfigFault> {
        let skip_system = match self.environment.get("GIT_CONFIG_NOSYSTEM") {
            Some(value) => boolean(&value.to_string_lossy())
                .ok_or_else(|| ConfigFault::BadVariable { variable: "GIT_CONFIG_NOSYSTEM".into() })?,
            None => false,
        };
        let gentle = self.repository.is_none();
        if !skip_system && let Some(system) = system_file(self.environment) {
            self.file(&system, Way { scope: Scope::System, depth: 0, gentle, without_remotes: false })?;
        }
        for file in global_files(self.environment) {
            self.file(&file, Way { scope: Scope::Global, depth: 0, gentle: true, without_remotes: false })?;
        }
        Ok(())
    }

    fn everything(&mut self) -> Result<(), ConfigFault> {
        self.shared()?;
        if let Some(repository) = self.repository {
            let way = Way { scope: Scope::Local, depth: 0, gentle: false, without_remotes: false };
            self.file(&repository.common_dir.join("config"), way)?;
            let per_worktree = self.settings.iter().rev().find(|e| e.key == "extensions.worktreeconfig");
            if per_worktree.and_then(GitSetting::boolean) == Some(true) {
                self.file(&repository.git_dir.join("config.worktree"), Way { scope: Scope::Worktree, ..way })?;
            }
        }
        parameters::read(self)
    }

    fn file(&mut self, path: &Path, way: Way) -> Result<(), ConfigFault> {
        let unreadable = |error: &std::io::Error| ConfigFault::Unreadable { file: path.to_path_buf(), error: error.to_string() };
        let bytes = match files::read(path) {
            Ok(bytes) if bytes.len() as u64 >= files::SIZE_LIMIT => return Err(unreadable(&ErrorKind::FileTooLarge.into())),
            Ok(bytes) => bytes,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(e) if e.kind() == ErrorKind::PermissionDenied && way.gentle => return Ok(()),
            Err(e) => return Err(unreadable(&e)),
        };
        if self.files == FILE_LIMIT {
            return Err(ConfigFault::TooManyFiles);
        }
        self.files += 1;
        let (values, bad) = values(&bytes);
        for (key, value, line) in values {
            let origin = Origin { scope: way.scope, file: Some(path.to_path_buf()), line: Some(line) };
            self.entry(GitSetting { key, value, origin }, way)?;
        }
        match bad {
            Some(line) => Err(ConfigFault::BadLine { file: path.to_path_buf(), line }),
            None => Ok(()),
        }
    }

    fn entry(&mut self, entry: GitSetting, way: Way) -> Result<(), ConfigFault> {
        if way.without_remotes && is_remote_url(&entry.key) {
            return Err(ConfigFault::RemoteUrlInHasconfig { origin: entry.origin });
        }
        self.settings.push(entry.clone());
        self.include(&entry, way)
    }
}

/// One value of a file: key, value, line.
type Value = (String, Option<Vec<u8>>, usize);

/// The values of one file up to the first bad line, and that line.
fn values(bytes: &[u8]) -> (Vec<Value>, Option<usize>) {
    let first = match Events::from_bytes(bytes, None) {
        Ok(events) => return values_of(&events),
        Err(error) => error.line_number(),
    };
    // git has already acted upon what stands before the bad line.
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    let first = first.clamp(1, lines.len().max(1));
    let good: usize = lines.iter().take(first - 1).map(|l| l.len()).sum();
    let (values, earlier) = Events::from_bytes(&bytes[..good], None).map(|e| values_of(&e)).unwrap_or_default();
    // Of a value that goes on over several lines git names the last.
    let goes_on = |line: &&&[u8]| line.trim_ascii_end().iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1;
    let further = lines.iter().skip(first - 1).take_while(goes_on).count();
    (values, earlier.or(Some((first + further).min(lines.len().max(1)))))
}

/// As [`values`], of a file that gix-config could take apart. It lets a second key follow one without `=` on the same
/// line; git does not.
fn values_of(events: &Events) -> (Vec<Value>, Option<usize>) {
    let mut out = Vec::new();
    let (mut line, mut section, mut name) = (1, String::new(), None);
    let (mut separated, mut so_far) = (false, Vec::new());
    let mut ended = true;
    for event in events.iter() {
        let mild = matches!(event, EventRef::Whitespace(_) | EventRef::Newline(_));
        if !ended && !mild {
            out.pop();
            return (out, Some(line));
        }
        match event {
            EventRef::SectionHeader { name, separator, subsection_name } => {
                section = name.to_string().to_ascii_lowercase();
                if let Some(subsection) = subsection_name {
                    let old_form = separator.is_some_and(|s| s == ".");
                    let subsection = String::from_utf8_lossy(subsection).into_owned();
                    section.push('.');
                    section.push_str(&if old_form { subsection.to_ascii_lowercase() } else { subsection });
                }
            }
            EventRef::SectionValueName(key) => {
                let key = key.to_string().to_ascii_lowercase();
                name = Some((if section.is_empty() { key } else { format!("{section}.{key}") }, line));
                separated = false;
                so_far.clear();
            }
            EventRef::KeyValueSeparator => separated = true,
            EventRef::ValueNotDone(part) => so_far.extend_from_slice(part),
            EventRef::Value(last) | EventRef::ValueDone(last) => {
                so_far.extend_from_slice(last);
                ended = separated;
                if let Some((key, line)) = name.take() {
                    let value = separated.then(|| gix_config::value::normalize(&trimmed(&so_far)).to_vec());
                    out.push((key, value, line));
                }
            }
            EventRef::Newline(ends) => {
                ended = true;
                line += ends.iter().filter(|b| **b == b'\n').count();
            }
            EventRef::Comment { .. } | EventRef::Whitespace(_) => {}
        }
    }
    (out, None)
}

/// Blanks at the end of a value that went on over an empty line.
fn trimmed(raw: &[u8]) -> &[u8] {
    let end = raw.iter().rposition(|b| !matches!(b, b' ' | b'\t' | b'\r')).map_or(0, |at| at + 1);
    &raw[..end]
}

/// `~/.config/git/config` and `~/.gitconfig`, or what `GIT_CONFIG_GLOBAL` puts in their place.
fn global_files(environment: &Environment) -> Vec<PathBuf> {
    if let Some(file) = environment.get("GIT_CONFIG_GLOBAL") {
        return vec![PathBuf::from(file)];
    }
    let home = environment.get("HOME").map(PathBuf::from);
    let xdg = environment.get("XDG_CONFIG_HOME").filter(|x| !x.is_empty()).map(PathBuf::from);
    let xdg = xdg.or_else(|| home.as_ref().map(|h| h.join(".config"))).map(|x| x.join("git/config"));
    xdg.into_iter().chain(home.map(|h| h.join(".gitconfig"))).collect()
}

/// The folder that git was installed below, judged by where `PATH` finds it.
fn git_prefix(environment: &Environment) -> Option<PathBuf> {
    let git = which::which_in("git", environment.get("PATH"), "/").ok()?;
    Some(git.parent()?.parent()?.to_path_buf())
}

/// `/etc/gitconfig`, or `etc/gitconfig` below the prefix of a git that is not the system's own: what git's Makefile makes
/// of `sysconfdir`. `GIT_CONFIG_SYSTEM` replaces it.
fn system_file(environment: &Environment) -> Option<PathBuf> {
    if let Some(file) = environment.get("GIT_CONFIG_SYSTEM") {
        return Some(PathBuf::from(file));
    }
    let prefix = git_prefix(environment).unwrap_or_else(|| PathBuf::from("/usr"));
    Some(if prefix == Path::new("/usr") || prefix == Path::new("/") {
        PathBuf::from("/etc/gitconfig")
    } else {
        prefix.join("etc/gitconfig")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use bbdoctor_checks::facts::git_config::remotes::UrlUse;

    type Readable = Vec<(String, Option<String>, usize)>;

    fn read(text: &[u8]) -> (Readable, Option<usize>) {
        let (values, bad) = values(text);
        (values.into_iter().map(|(k, v, l)| (k, v.map(|v| String::from_utf8_lossy(&v).into_owned()), l)).collect(), bad)
    }

    #[test]
    fn lines_are_those_of_the_keys() {
        let (values, bad) =
            read(b"# c\n[Core]\n\tsshCommand = \"ssh -i\" \\\n  k\n\n[url \"git@H:\"]\r\n insteadOf = x ; y\n bool\n[A.B] c=1");
        assert_eq!(bad, None);
        let expected = [
            ("core.sshcommand", Some("ssh -i   k"), 3),
            ("url.git@H:.insteadof", Some("x"), 7),
            ("url.git@H:.bool", None, 8),
            ("a.b.c", Some("1"), 9),
        ];
        assert_eq!(values, expected.map(|(k, v, l)| (k.to_string(), v.map(String::from), l)));
    }

    #[test]
    fn a_bad_line_is_the_one_that_git_names() {
        for (text, line) in [
            ("[core\n", 1),
            ("[a]\nb = \"x\n", 2),
            ("[a]\nb = x\\q\n", 2),
            ("[a]\n1b\n", 2),
            ("[a \"b]\n", 1),
            ("[a]\nb=\"x\\\ny\nz\n", 3),
            ("[a]\nx=1\nb c\n", 3),
        ] {
            assert_eq!(read(text.as_bytes()).1, Some(line), "{text:?}");
        }
        assert_eq!(read(b"[a]\nx=1\nb c\n").0, [("a.x".to_string(), Some("1".to_string()), 2)]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]\"\\\\\n =#a-c.;]{0,60}") {
            values(&bytes);
            values(text.as_bytes());
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("config"), text.as_bytes()).expect("written");
            let environment = Environment::from_iter([
                ("HOME", folder.path().as_os_str().to_owned()),
                ("GIT_CONFIG_GLOBAL", folder.path().join("config").into_os_string()),
                ("GIT_CONFIG_NOSYSTEM", "1".into()),
                ("GIT_CONFIG_PARAMETERS", text.clone().into()),
            ]);
            let config = super::read(&environment, folder.path());
            let _ = config.remotes();
            let _ = config.rewrite(&text, UrlUse::Push);
        }
    }
}
