//! The URL and its parts, as other URLs would have them; the host and the repository it names.

use crate::bitbucket::{Kind, Service};
use crate::evidence::Evidence;
use crate::evidence::git_config::remotes::Allowed;
use crate::evidence::git_url::SshForm;
use std::path::PathBuf;

/// What forbids git to use ssh.
pub(crate) struct Denial {
    /// The setting or variable.
    pub(crate) setting: &'static str,
    /// The file it stands in.
    pub(crate) file: Option<PathBuf>,
}

impl Evidence {
    /// The remote that is examined.
    pub(crate) fn remote_name(&self) -> Option<String> {
        self.target().ok()?.remote.clone()
    }

    /// The URL with other parts: `None` leaves a part as it is.
    fn url_with(&self, user: Option<&str>, host: Option<&str>, port: Option<Option<u16>>) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        let ssh = target.ssh()?;
        let user = user.map(String::from).or_else(|| ssh.user.clone()).map(|u| format!("{u}@")).unwrap_or_default();
        let host = host.unwrap_or(&ssh.host);
        let port = port.unwrap_or(ssh.port);
        let path = ssh.path.trim_start_matches('/');
        Some(match (port, ssh.form) {
            (None, SshForm::Scp | SshForm::ScpBrackets) => format!("{user}{host}:{path}"),
            (None, SshForm::Url) => format!("ssh://{user}{host}/{path}"),
            (Some(port), _) => format!("ssh://{user}{host}:{port}/{path}"),
        })
    }

    /// The URL at another host, at the current one if none is named.
    pub(crate) fn url_with_host(&self, host: Option<&str>) -> Option<String> {
        let current = self.current_host();
        self.url_with(None, Some(host.unwrap_or(&current)), None)
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

    /// The URL's beginning, up to the repository's path.
    pub(crate) fn url_prefix(&self) -> Option<String> {
        let target = self.target().ok()?;
        let (url, path) = (target.effective_url.as_deref()?, &target.ssh()?.path);
        url.strip_suffix(path.trim_start_matches('/')).map(String::from)
    }

    /// The URL with the path as the service writes paths, if it differs: lower case, nothing around it.
    pub(crate) fn url_with_tidy_path(&self) -> Option<String> {
        let target = self.target().ok()?;
        let (url, path) = (target.effective_url.as_deref()?, &target.ssh()?.path);
        let tidy = path.trim().trim_end_matches('/').to_ascii_lowercase();
        (self.is_cloud() && tidy != *path).then(|| url.replacen(path, &tidy, 1))
    }

    /// What forbids git to use ssh.
    pub(crate) fn protocol_denial(&self) -> Option<Denial> {
        let config = self.git_config();
        match config.allowed(self.environment(), "ssh") {
            Allowed::Yes => None,
            Allowed::NotListed => Some(Denial { setting: "GIT_ALLOW_PROTOCOL", file: None }),
            Allowed::Never(setting) | Allowed::NotFromUser(setting) => {
                let own = config.get("protocol.ssh.allow").is_some();
                Some(Denial { setting: if own { "protocol.ssh.allow" } else { "protocol.allow" }, file: setting.origin.file })
            }
            #[allow(unreachable_patterns, reason = "git dies of other values before it comes to the protocol")]
            _ => None,
        }
    }

    /// The host as the URL names it.
    pub(crate) fn typed_host(&self) -> Option<String> {
        Some(self.target().ok()?.ssh()?.host.clone())
    }

    /// The service that is contacted, by the host ssh connects to.
    pub(crate) fn service(&self) -> Option<&Service> {
        self.services().get(&self.hostname().ok()?)
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
        self.services().current().map(|s| s.name.clone()).unwrap_or_default()
    }

    /// The path that git asks for, if a repository was named.
    pub(crate) fn repository_path(&self) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        target.ssh().map(|s| s.path.clone())
    }

    /// What git does, for a sentence.
    pub(crate) fn verb(&self) -> &'static str {
        if self.pushes() { "write to" } else { "read" }
    }
}
