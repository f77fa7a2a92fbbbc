//! What is examined: the URL that git would contact, what is wrong with it, and the same URL with other parts.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

use super::Facts;
use super::bytes;
use super::git_config::remotes::{Allowed, Rule};
use super::git_config::{ConfigFault, Discovery, Origin};
use super::git_url::{GitUrl, HttpUrl, SshForm, SshUrl, UrlFault};
use crate::bitbucket::{Kind, Service};

/// What is examined.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Target {
    /// As the user wrote it.
    pub given: Option<String>,
    /// The remote it is the URL of.
    pub remote: Option<String>,
    /// The folder in which git runs.
    #[serde(with = "bytes")]
    pub folder: PathBuf,
    /// The URL it stands for.
    pub url: Option<String>,
    /// The rule by which git rewrites the URL.
    pub rule: Option<Rule>,
    /// The URL git contacts.
    pub effective_url: Option<String>,
    /// That URL, taken apart.
    pub parsed: Option<GitUrl>,
    /// Why it cannot work.
    pub fault: Option<UrlFault>,
    /// The SSH URL that is examined in place of one that does not use SSH.
    pub examined_instead: Option<String>,
    /// `workspace/repository`.
    pub repository: Option<String>,
    /// What git gives to ssh, if it would start one.
    pub ssh: Option<SshUrl>,
}

/// Why nothing can be examined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum NoTarget {
    /// A repository without a remote, and no argument.
    NoRemote {
        /// The repository's folder.
        #[serde(with = "bytes")]
        folder: PathBuf,
    },
    /// git dies of its configuration.
    ConfigBroken(ConfigFault),
    /// A `.git` file or a `GIT_DIR` leads to no repository.
    Unreachable {
        /// What leads nowhere.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
    /// `safe.bareRepository` keeps git from the repository.
    BareForbidden {
        /// The repository's folder.
        #[serde(with = "bytes")]
        folder: PathBuf,
    },
    /// git ignores the repository, because it belongs to somebody else.
    Distrusted {
        /// The folder that `safe.directory` would have to name.
        #[serde(with = "bytes")]
        folder: PathBuf,
    },
}

impl Target {
    /// What git gives to ssh, if it would start one.
    pub fn ssh(&self) -> Option<&SshUrl> {
        self.ssh.as_ref()
    }

    /// What git is to be given, so that its own rules apply to it as they would for the user.
    pub fn for_git(&self) -> Option<&str> {
        self.examined_instead.as_deref().or(self.remote.as_deref()).or(self.url.as_deref())
    }

    /// Whether git is given an SSH URL, and only its rules lead elsewhere.
    pub fn rules_end_ssh(&self) -> bool {
        self.rule.is_some() && self.examined_instead.is_some() && self.examined_instead == self.url
    }
}

/// What forbids git to use ssh.
pub(crate) struct Denial {
    /// The setting or variable.
    pub(crate) setting: &'static str,
    /// The file it stands in.
    pub(crate) file: Option<PathBuf>,
}

impl Facts {
    /// The remote that is examined.
    pub(crate) fn remote_name(&self) -> Option<String> {
        self.target().ok()?.remote.clone()
    }

    /// Whether the URL has this user already.
    pub(crate) fn url_names_user(&self, user: &str) -> bool {
        self.target().is_ok_and(|t| t.ssh().is_some_and(|ssh| ssh.user.as_deref() == Some(user)))
    }

    /// What is wrong with the URL.
    pub(crate) fn url_fault(&self) -> Option<&UrlFault> {
        self.target().ok()?.fault.as_ref()
    }

    /// Whether it is a `pushurl` of the remote that is examined.
    pub(crate) fn has_push_url(&self, remote: &str) -> bool {
        self.pushes() && self.git_config.remotes().iter().any(|r| r.name == remote && !r.push_url.is_empty())
    }

    /// The URL with other parts: `None` leaves a part as it is.
    fn url_with(&self, user: Option<&str>, host: Option<&str>, port: Option<Option<u16>>) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        let ssh = target.ssh()?;
        let user = user.map(String::from).or_else(|| ssh.user.clone()).map(|u| format!("{u}@")).unwrap_or_default();
        let host = host.unwrap_or(&ssh.host);
        let port = port.unwrap_or(ssh.port);
        Some(written(&user, host, port, ssh.form, ssh.path.trim_start_matches('/')))
    }

    /// The URL of another repository at the same place.
    fn url_with_path(&self, path: &str) -> Option<String> {
        let ssh = self.target().ok()?.ssh()?;
        let user = ssh.user.as_ref().map(|u| format!("{u}@")).unwrap_or_default();
        Some(written(&user, &ssh.host, ssh.port, ssh.form, path))
    }

    /// The URL at another host, at the current one if none is named.
    pub(crate) fn url_with_host(&self, host: Option<&str>) -> Option<String> {
        let current = self.current_host();
        // A user that ssh_config gives the old name is not given to the new one.
        let user = self.target().ok()?.ssh()?.user.is_none().then_some("git");
        self.url_with(user, Some(host.unwrap_or(&current)), None)
    }

    /// The URL with another user.
    pub(crate) fn url_with_user(&self, user: &str) -> Option<String> {
        self.url_with(Some(user), None, None)
    }

    /// The URL without a port, if it has one.
    pub(crate) fn url_without_port(&self) -> Option<String> {
        self.target().ok()?.ssh()?.port?;
        self.url_with(None, None, Some(None))
    }

    /// The URL with a port.
    pub(crate) fn url_with_port(&self, port: u16) -> Option<String> {
        self.url_with(None, None, Some(Some(port)))
    }

    /// The URL's beginning, up to the repository's path.
    pub(crate) fn url_prefix(&self) -> Option<String> {
        let target = self.target().ok()?;
        let (url, path) = (target.effective_url.as_deref()?, &target.ssh()?.path);
        url.strip_suffix(path.trim_start_matches('/')).map(String::from)
    }

    /// The URL with the path as the service writes paths, if it differs: a workspace (a project) and a repository, nothing around
    /// them, and on Cloud in lower case.
    pub(crate) fn url_with_tidy_path(&self) -> Option<String> {
        let service = self.service()?;
        let ssh = self.target().ok()?.ssh()?;
        let path = ssh.path.replace('\\', "/");
        // What follows is a page of the web site, or a branch as other programs want it named.
        let path = path.split(".git@").next().unwrap_or_default().trim();
        let page = HttpUrl { secure: true, user: None, host: ssh.host.clone(), port: None, path: path.to_string() };
        let mut tidy = format!("{}.git", page.place()?.repository);
        if service.kind == Kind::Cloud {
            tidy.make_ascii_lowercase();
        }
        let written = ssh.path.strip_prefix('/').unwrap_or(&ssh.path);
        let same = written == tidy || written == tidy.trim_end_matches(".git");
        if same { None } else { self.url_with_path(&tidy) }
    }

    /// A setting whose value git does not know and dies of: its name, its value, its file.
    pub(crate) fn fatal_git_setting(&self) -> Option<(&'static str, String, Option<PathBuf>)> {
        let config = &self.git_config;
        let unknown = |key: &'static str, known: &[&str]| {
            let entry = config.get(key)?;
            let value = entry.text();
            let fatal = !known.iter().any(|k| k.eq_ignore_ascii_case(&value));
            fatal.then(|| (key, value, entry.origin.file.clone()))
        };
        let allowed = self.environment.get("GIT_ALLOW_PROTOCOL").is_some();
        let ways = ["always", "never", "user"];
        unknown("protocol.version", &["0", "1", "2"]).or_else(|| unknown("protocol.ssh.allow", &ways).filter(|_| !allowed)).or_else(
            || {
                let decides = !allowed && config.get("protocol.ssh.allow").is_none();
                unknown("protocol.allow", &ways).filter(|_| decides)
            },
        )
    }

    /// The `.git` file here, if it leads to no repository.
    pub(crate) fn broken_git_file(&self) -> Option<PathBuf> {
        match &self.git_config.discovery {
            // What GIT_DIR names may lead nowhere: where a URL is given git does without.
            Discovery::Broken { path } if self.environment.get("GIT_DIR").is_none() => Some(path.clone()),
            _ => None,
        }
    }

    /// What forbids git to use ssh.
    pub(crate) fn protocol_denial(&self) -> Option<Denial> {
        let config = &self.git_config;
        match config.allowed(&self.environment, "ssh") {
            Allowed::Yes => None,
            Allowed::NotListed => Some(Denial { setting: "GIT_ALLOW_PROTOCOL", file: None }),
            Allowed::Never(setting) | Allowed::NotFromUser(setting) => {
                let own = config.get("protocol.ssh.allow").is_some();
                Some(Denial { setting: if own { "protocol.ssh.allow" } else { "protocol.allow" }, file: setting.origin.file })
            }
            // git dies of the value; that is told of the setting itself.
            Allowed::BadValue(_) => None,
        }
    }

    /// The host as the URL names it.
    pub(crate) fn typed_host(&self) -> Option<String> {
        Some(self.target().ok()?.ssh()?.host.clone())
    }

    /// The service that is contacted, by the host ssh connects to.
    pub fn service(&self) -> Option<&Service> {
        self.services.get(&self.hostname().ok()?)
    }

    /// Whether it is Bitbucket Cloud.
    pub(crate) fn is_cloud(&self) -> bool {
        self.service().is_some_and(|s| s.kind == Kind::Cloud)
    }

    /// The user ssh logs in as.
    pub(crate) fn user(&self) -> String {
        self.settings().map(|s| s.user().to_string()).unwrap_or_default()
    }

    /// The name that new URLs should have.
    pub(crate) fn current_host(&self) -> String {
        self.services.current().map(|s| s.name.clone()).unwrap_or_default()
    }

    /// The path that git asks for, if a repository was named.
    pub fn repository_path(&self) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        target.ssh().map(|s| s.path.clone())
    }

    /// What git does, for a sentence.
    pub(crate) fn verb(&self) -> &'static str {
        if self.pushes() { "write to" } else { "read" }
    }
}

/// A URL of these parts, in the form of another as far as it has room for a port.
fn written(user: &str, host: &str, port: Option<u16>, form: SshForm, path: &str) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
    match (port, form) {
        (None, SshForm::Scp | SshForm::ScpBrackets) => format!("{user}{host}:{path}"),
        (None, SshForm::Url) => format!("ssh://{user}{host}/{path}"),
        (Some(port), _) => format!("ssh://{user}{host}:{port}/{path}"),
    }
}

/// The file and line of a setting of git's, if a file has it.
pub fn place(origin: &Origin) -> Option<(&Path, Option<usize>)> {
    origin.file.as_deref().map(|file| (file, origin.line))
}
