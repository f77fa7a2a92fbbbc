//! git's configuration as it applies in one folder, with the file and line of every value: git-config(1).

pub mod remotes;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytes;
use crate::privacy::without_passwords;

/// Which configuration a value belongs to, later ones win; as `git config --show-scope` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// The installation's, `/etc/gitconfig`.
    System,
    /// The user's, `~/.config/git/config` and `~/.gitconfig`.
    Global,
    /// The repository's.
    Local,
    /// The worktree's.
    Worktree,
    /// `git -c`, and the variables `GIT_CONFIG_COUNT` and `GIT_CONFIG_PARAMETERS`.
    Command,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Which configuration.
    pub scope: Scope,
    /// The file; `None` for a value from the environment.
    #[serde(with = "bytes")]
    pub file: Option<PathBuf>,
    /// The line of the key in that file, counted from 1.
    pub line: Option<usize>,
}

/// A setting of git's: one value of a key, in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitSetting {
    /// `section.subsection.name`, section and name in lower case.
    pub key: String,
    /// The value; `None` for a key without `=`, which means true.
    #[serde(with = "bytes")]
    pub value: Option<Vec<u8>>,
    /// Where it stands.
    pub origin: Origin,
}

impl GitSetting {
    /// The value as text; bytes that are not UTF-8 are replaced. A key without `=` reads as empty.
    pub fn text(&self) -> String {
        self.value.as_deref().map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default()
    }

    /// The subsection and the name, if the key lies in `section`.
    pub fn within(&self, section: &str) -> Option<(Option<&str>, &str)> {
        let rest = self.key.strip_prefix(section)?.strip_prefix('.')?;
        Some(match rest.rsplit_once('.') {
            Some((subsection, name)) => (Some(subsection), name),
            None => (None, rest),
        })
    }

    /// git's reading of a truth value; `None` where git would die of it.
    pub fn boolean(&self) -> Option<bool> {
        self.value.as_deref().map_or(Some(true), |v| boolean(&String::from_utf8_lossy(v)))
    }
}

/// git's reading of a truth value (`git_parse_maybe_bool`): words and integers; `None` where git would die of it.
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "" | "false" | "no" | "off" => Some(false),
        number => number.trim_start().trim_end_matches(['k', 'm', 'g']).parse::<i64>().ok().map(|n| n != 0),
    }
}

/// What git dies of while it reads its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ConfigFault {
    /// A line that is no configuration.
    #[error("bad config line {line} in file {}", file.display())]
    BadLine {
        /// The file.
        #[serde(with = "bytes")]
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A file that is there and cannot be read.
    #[error("unable to access {}: {error}", file.display())]
    Unreadable {
        /// The file.
        #[serde(with = "bytes")]
        file: PathBuf,
        /// The system's words.
        error: String,
    },
    /// Includes nested deeper than git goes, most often a file that includes itself.
    #[error("exceeded maximum include depth while including {}", file.display())]
    IncludeDepth {
        /// The file that was not read any more.
        #[serde(with = "bytes")]
        file: PathBuf,
        /// Where it is included.
        from: Origin,
    },
    /// An include path that cannot be expanded, or is relative to nothing.
    #[error("could not expand include path {path:?}")]
    IncludePath {
        /// The path as it stands.
        path: String,
        /// Where it stands.
        from: Origin,
    },
    /// A remote's URL in a file that is included because of a remote's URL.
    #[error("remote URLs cannot be configured in a file included by hasconfig:remote.*.url")]
    RemoteUrlInHasconfig {
        /// Where the URL stands.
        origin: Origin,
    },
    /// A variable of the environment that git cannot read.
    #[error("bad value in the environment variable {variable}")]
    BadVariable {
        /// Its name.
        variable: String,
    },
    /// More files than anybody has; what follows was not read.
    #[error("too many configuration files")]
    TooManyFiles,
}

impl ConfigFault {
    /// The file, and the line counted from 1, that git stumbles over.
    pub fn place(&self) -> Option<(&Path, Option<usize>)> {
        match self {
            ConfigFault::BadLine { file, line, .. } => Some((file, Some(*line))),
            ConfigFault::Unreadable { file, .. } => Some((file, None)),
            ConfigFault::IncludeDepth { from, .. }
            | ConfigFault::IncludePath { from, .. }
            | ConfigFault::RemoteUrlInHasconfig { origin: from } => Some((from.file.as_deref()?, from.line)),
            ConfigFault::BadVariable { .. } | ConfigFault::TooManyFiles => None,
        }
    }
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Its own folder: `.git`, or what a `.git` file points to.
    #[serde(with = "bytes")]
    pub git_dir: PathBuf,
    /// The folder that its worktrees share; has `config`.
    #[serde(with = "bytes")]
    pub common_dir: PathBuf,
    /// The top of the working tree, where the walk found it; `None` for a bare repository and under `GIT_DIR`.
    #[serde(with = "bytes")]
    pub work_tree: Option<PathBuf>,
    /// The branch that is checked out, without `refs/heads/`.
    pub branch: Option<String>,
}

/// What git finds from a folder upwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discovery {
    /// A repository.
    Found(Repository),
    /// None.
    Absent,
    /// A repository that git refuses, because it belongs to somebody else and no `safe.directory` names it.
    Dubious {
        /// What `safe.directory` would have to name.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
    /// A bare repository, which `safe.bareRepository=explicit` keeps out.
    BareForbidden {
        /// Where it is.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
    /// A `.git` file or a `GIT_DIR` that leads to no repository.
    Broken {
        /// What leads nowhere.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
}

/// git's configuration as it applies in one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitConfig {
    /// Every value, in git's order: of several for one key, the last wins.
    pub settings: Vec<GitSetting>,
    /// What git dies of, if it does; `entries` then ends before it.
    pub fault: Option<ConfigFault>,
    /// The repository that the folder belongs to.
    pub discovery: Discovery,
}

impl GitConfig {
    /// The repository, if there is one that git trusts.
    pub fn repository(&self) -> Option<&Repository> {
        match &self.discovery {
            Discovery::Found(repository) => Some(repository),
            _ => None,
        }
    }

    /// The value that counts for `key` (section and name in lower case).
    pub fn get(&self, key: &str) -> Option<&GitSetting> {
        self.settings.iter().rev().find(|e| e.key == key)
    }

    /// All values of `key`, in git's order.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a GitSetting> {
        self.settings.iter().filter(move |e| e.key == key)
    }

    /// What a recording may hold: the settings that are asked for afterwards (of remotes, branches, URLs and protocols), without
    /// the passwords and tokens of the URLs in them. Others hold whole headers with a login.
    pub fn recorded(&self) -> GitConfig {
        let asked = |setting: &&GitSetting| match setting.within("remote") {
            Some((_, name)) => matches!(name, "url" | "pushurl"),
            None => ["branch", "url", "protocol"].iter().any(|section| setting.within(section).is_some()),
        };
        let without_passwords = |setting: &GitSetting| GitSetting {
            key: without_passwords(&setting.key),
            value: setting.value.as_ref().map(|_| without_passwords(&setting.text()).into_bytes()),
            origin: setting.origin.clone(),
        };
        GitConfig { settings: self.settings.iter().filter(asked).map(without_passwords).collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    fn setting(key: &str, value: Option<&[u8]>) -> GitSetting {
        let origin = Origin { scope: Scope::Local, file: Some("/home/ann/app/.git/config".into()), line: Some(3) };
        GitSetting { key: key.to_string(), value: value.map(<[u8]>::to_vec), origin }
    }

    fn config(settings: Vec<GitSetting>) -> GitConfig {
        let repository = Repository {
            git_dir: "/home/ann/app/.git".into(),
            common_dir: "/home/ann/app/.git".into(),
            work_tree: Some("/home/ann/app".into()),
            branch: Some("main".into()),
        };
        GitConfig { settings, fault: None, discovery: Discovery::Found(repository) }
    }

    #[test]
    fn a_configuration_survives_a_recording() {
        let config = config(vec![setting("core.bare", None), setting("user.name", Some(b"Ann\xff")), setting("a.b", Some(b""))]);
        survives_json(&config);
        let origin = config.settings[0].origin.clone();
        for fault in [
            ConfigFault::BadLine { file: "/c".into(), line: 7 },
            ConfigFault::Unreadable { file: "/c".into(), error: "Permission denied (os error 13)".into() },
            ConfigFault::IncludeDepth { file: "/c".into(), from: origin.clone() },
            ConfigFault::IncludePath { path: "~x/y".into(), from: origin.clone() },
            ConfigFault::RemoteUrlInHasconfig { origin },
            ConfigFault::BadVariable { variable: "GIT_CONFIG_COUNT".into() },
            ConfigFault::TooManyFiles,
        ] {
            survives_json(&GitConfig { fault: Some(fault), ..config.clone() });
        }
        for discovery in [
            Discovery::Absent,
            Discovery::Dubious { path: "/r".into() },
            Discovery::BareForbidden { path: "/r".into() },
            Discovery::Broken { path: "/r".into() },
        ] {
            survives_json(&GitConfig { discovery, ..config.clone() });
        }
    }

    #[test]
    fn a_recording_holds_what_is_asked_for_and_no_secret() {
        let config = config(vec![
            setting("remote.origin.url", Some(b"https://x-token-auth:s3cret@bitbucket.org/acme/app.git")),
            setting("remote.origin.proxy", Some(b"http://ann:s3cret@proxy:3128")),
            setting("url.https://ann:s3cret@bitbucket.org/.insteadof", Some(b"git@bitbucket.org:")),
            setting("http.extraheader", Some(b"AUTHORIZATION: basic s3cret")),
            setting("protocol.ssh.allow", Some(b"never")),
        ]);
        let recorded = config.recorded();
        assert!(!serde_json::to_string(&recorded).expect("serialises").contains("s3cret"));
        let keys: Vec<_> = recorded.settings.iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["remote.origin.url", "url.https://ann:***@bitbucket.org/.insteadof", "protocol.ssh.allow"]);
        let urls = |config: &GitConfig| config.urls(&config.remotes()[0], false).len();
        assert_eq!(urls(&recorded), urls(&config));
    }
}
