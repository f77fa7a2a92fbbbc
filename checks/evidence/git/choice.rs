//! What is to be examined: the argument, or what git would fetch from here.

use std::path::{Path, PathBuf};

use super::config;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::remotes::{Remote, Rewrite, UrlUse};
use bbdoctor_checks::facts::git_config::{GitConfig, GitSetting};
use bbdoctor_checks::facts::git_url::{self, GitUrl};

/// What is to be examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// A remote.
    Remote {
        /// Its name.
        name: String,
        /// Its URL before and after git's rules; of several the first that is Bitbucket's, else the first.
        url: String,
        /// See `url`.
        rewrite: Rewrite,
    },
    /// A URL.
    Url {
        /// As it was given.
        url: String,
        /// After git's rules.
        rewrite: Rewrite,
    },
    /// A repository of the service, `workspace/repository`.
    Repository(String),
    /// A host, or an alias of ssh_config.
    Host(String),
    /// The service without a repository.
    Service,
}

/// A target and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The target.
    pub target: Chosen,
    /// The folder in which git would be run; another than the given one when the argument is a local repository, and then
    /// its configuration is to be read there.
    pub folder: PathBuf,
}

/// Chooses the target from the argument `given` on the command line, in `folder` with its `config`, for a fetch or a
/// `push`.
///
/// The name of a remote goes before all else. What has a colon is a URL; what exists as a path is a local repository, and
/// its remote is meant; `a/b` is a workspace and a repository; a single word is a host. `is_bitbucket` judges URLs as git
/// uses them.
pub fn choose(
    given: Option<&str>,
    folder: &Path,
    environment: &Environment,
    config: &GitConfig,
    push: bool,
    is_bitbucket: &dyn Fn(&GitUrl) -> bool,
) -> Choice {
    let here = |target| Choice { target, folder: folder.to_path_buf() };
    let Some(given) = given.filter(|g| !g.is_empty()) else { return here(of_config(config, push, is_bitbucket)) };
    if let Some(remote) = config.remotes().into_iter().find(|r| r.name == given) {
        return here(of_remote(config, &remote, push, is_bitbucket));
    }
    let purpose = if push { UrlUse::Push } else { UrlUse::Fetch };
    let url = || Chosen::Url { url: given.to_string(), rewrite: config.rewrite(given, purpose) };
    // A rule may make a URL of the shortest word.
    if given.contains([':', '@', ' ']) || config.rewrite(given, purpose).rule.is_some() {
        return here(url());
    }
    let path = folder.join(given);
    if given.len() < 4096 && path.is_dir() {
        let inside: Environment = environment
            .iter()
            .filter(|(name, _)| !matches!(name.to_str(), Some("GIT_DIR" | "GIT_WORK_TREE" | "GIT_COMMON_DIR")))
            .collect();
        let config = config::read(&inside, &path);
        if config.repository().is_some() {
            return Choice { target: of_config(&config, push, is_bitbucket), folder: path };
        }
    }
    let slug = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~' | b'.'));
    here(match given.split_once('/') {
        None => Chosen::Host(given.to_string()),
        Some((workspace, repository)) if slug(workspace) && !workspace.contains('.') && slug(repository) => {
            Chosen::Repository(format!("{workspace}/{}", repository.strip_suffix(".git").unwrap_or(repository)))
        }
        Some(_) => url(),
    })
}

fn of_config(config: &GitConfig, push: bool, is_bitbucket: &dyn Fn(&GitUrl) -> bool) -> Chosen {
    let name = match config.default_remote(push) {
        // A branch that follows another of this repository's own says nothing about the service.
        name if name == "." => config.usual_remote(),
        name => name,
    };
    let remotes = config.remotes();
    let remote = remotes.iter().find(|r| r.name == name);
    let chosen = match remote {
        Some(remote) => Some(of_remote(config, remote, push, is_bitbucket)),
        // A branch may follow a URL.
        None if name.contains(':') => {
            let purpose = if push { UrlUse::Push } else { UrlUse::Fetch };
            Some(Chosen::Url { rewrite: config.rewrite(&name, purpose), url: name })
        }
        None => None,
    };
    let rewritten = |target: &Chosen| match target {
        Chosen::Remote { rewrite, url, .. } | Chosen::Url { rewrite, url } => ours(url, rewrite, is_bitbucket),
        _ => false,
    };
    // A remote that is Bitbucket's for fetching is meant when it is pushed to, wherever its `pushurl` leads.
    let fetched_from = remote.filter(|_| push).map(|r| of_remote(config, r, false, is_bitbucket));
    let meant = |target: &Chosen| rewritten(target) || fetched_from.as_ref().is_some_and(rewritten);
    chosen.filter(meant).unwrap_or(Chosen::Service)
}

fn of_remote(config: &GitConfig, remote: &Remote, push: bool, is_bitbucket: &dyn Fn(&GitUrl) -> bool) -> Chosen {
    let mut urls = config.urls(remote, push);
    if !push {
        // git fetches from the first alone.
        urls.truncate(1);
    }
    let written = |setting: &Option<GitSetting>| setting.as_ref().map_or(remote.name.clone(), |s| s.text());
    let best = urls.iter().position(|(setting, rewrite)| ours(&written(setting), rewrite, is_bitbucket)).unwrap_or(0);
    let (setting, rewrite) = match urls.into_iter().nth(best) {
        Some((setting, rewrite)) => (setting, rewrite),
        None => (None, Rewrite { result: remote.name.clone(), rule: None }),
    };
    Chosen::Remote { name: remote.name.clone(), url: written(&setting), rewrite }
}

/// Whether a URL leads to Bitbucket, or would if it were not for a slip or a rule.
fn ours(url: &str, rewrite: &Rewrite, is_bitbucket: &dyn Fn(&GitUrl) -> bool) -> bool {
    [rewrite.result.as_str(), url].into_iter().any(|url| {
        let corrected = git_url::fault(url, &|path| Path::new(path).exists()).and_then(|f| f.corrected);
        let parsed = git_url::parse(corrected.as_deref().unwrap_or(url));
        parsed.is_ok_and(|u| is_bitbucket(&u))
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const CONFIG: &str = "[core]\nbare=false\n[remote \"origin\"]\nurl=git@bitbucket.org:acme/app.git\n[remote \"hub\"]\nurl=git@github.com:a/b\n\
        [remote \"slip\"]\nurl=git@bitbucket.org/acme/app\n[url \"git@bitbucket.org:\"]\ninsteadOf=bb/\n";

    fn place(text: &str) -> (tempfile::TempDir, Environment) {
        let top = tempfile::tempdir().expect("a folder");
        assert!(
            Command::new("git")
                .args(["init", "-q", "-b", "main", "app"])
                .current_dir(top.path())
                .status()
                .expect("git runs")
                .success()
        );
        std::fs::write(top.path().join("app/.git/config"), text).expect("written");
        let home = [("HOME", top.path().as_os_str().to_owned()), ("GIT_CONFIG_NOSYSTEM", "1".into())];
        let environment = home.into_iter().collect();
        (top, environment)
    }

    fn choice(text: &str, given: Option<&str>, below: &str) -> Choice {
        let (top, environment) = place(text);
        let folder = top.path().join(below);
        let config = config::read(&environment, &folder);
        choose(given, &folder, &environment, &config, false, &|url| {
            url.host().is_some_and(|h| h.eq_ignore_ascii_case("bitbucket.org"))
        })
    }

    fn name(target: &Chosen) -> String {
        match target {
            Chosen::Remote { name, .. } => format!("remote {name}"),
            Chosen::Url { rewrite, .. } => format!("url {}", rewrite.result),
            Chosen::Repository(path) => format!("repository {path}"),
            Chosen::Host(host) => format!("host {host}"),
            Chosen::Service => "service".to_string(),
        }
    }

    #[test]
    fn an_argument_is_taken_for_what_it_looks_like() {
        for (given, expected) in [
            ("hub", "remote hub"),
            ("git@bitbucket.org:x/y", "url git@bitbucket.org:x/y"),
            ("https://bitbucket.org/x/y", "url https://bitbucket.org/x/y"),
            ("acme/app", "repository acme/app"),
            ("acme/app.git", "repository acme/app"),
            ("bb/acme/app", "url git@bitbucket.org:acme/app"),
            ("bitbucket.org/acme/app", "url bitbucket.org/acme/app"),
            ("git@bitbucket.org/acme/app", "url git@bitbucket.org/acme/app"),
            ("bitbucket.org", "host bitbucket.org"),
            ("bitbucket-work", "host bitbucket-work"),
            ("git clone git@h:x", "url git clone git@h:x"),
            ("", "remote origin"),
        ] {
            assert_eq!(name(&choice(CONFIG, Some(given), "app").target), expected, "{given}");
        }
        let inside = choice(CONFIG, Some("app"), "");
        assert_eq!((name(&inside.target).as_str(), inside.folder.ends_with("app")), ("remote origin", true));
    }

    #[test]
    fn without_one_it_is_what_git_would_fetch_if_it_is_bitbuckets() {
        let upstream = |remote: &str| format!("{CONFIG}[branch \"main\"]\nremote={remote}\n");
        for (text, expected) in [
            (CONFIG.to_string(), "remote origin"),
            (upstream("slip"), "remote slip"),
            (upstream("hub"), "service"),
            (upstream("git@bitbucket.org:u/v"), "url git@bitbucket.org:u/v"),
            ("[remote \"work\"]\nurl=ssh://git@BITBUCKET.org/x/y\n".to_string(), "remote work"),
            ("[core]\n".to_string(), "service"),
        ] {
            assert_eq!(name(&choice(&text, None, "app").target), expected, "{text}");
        }
        assert_eq!(name(&choice(CONFIG, None, "").target), "service");
    }
}
