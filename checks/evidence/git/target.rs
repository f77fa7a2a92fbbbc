//! Chooses what is examined: the URL that git would contact.

use std::ffi::OsStr;
use std::path::Path;

use super::choice::{self, Chosen};
use bbdoctor_checks::bitbucket::Services;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::Discovery;
use bbdoctor_checks::facts::git_config::GitConfig;
use bbdoctor_checks::facts::git_url::{self, GitUrl, SshForm, SshUrl, UrlFault, UrlFaultKind};
use bbdoctor_checks::facts::target::{NoTarget, Target};

/// Takes a URL apart, and sees what is wrong with it.
fn of_url(given: Option<&str>, folder: &Path, services: &Services, url: &str, effective: &str) -> Target {
    let exists = |path: &str| folder.join(path).exists();
    let fault = git_url::fault(effective, &exists);
    let parsed = git_url::parse(effective).ok();
    let mut target = Target {
        given: given.map(String::from),
        remote: None,
        folder: folder.to_path_buf(),
        url: Some(url.to_string()),
        rule: None,
        effective_url: Some(effective.to_string()),
        repository: parsed.as_ref().and_then(GitUrl::repository),
        ssh: parsed.as_ref().and_then(GitUrl::ssh).cloned(),
        parsed,
        fault,
        examined_instead: None,
    };
    if target.ssh.is_none()
        && target.fault.is_none()
        && let Some(instead) = ssh_before_rules(url, services).or_else(|| ssh_instead(target.parsed.as_ref(), services))
    {
        target.ssh = git_url::parse(&instead).ok().and_then(|u| u.ssh().cloned());
        target.examined_instead = Some(instead);
    }
    if let (None, None, Some(GitUrl::Local { path })) = (&target.fault, &target.ssh, &target.parsed)
        && !exists(path)
    {
        let corrected = git_url::fault(&effective.replace('\\', "/"), &exists).and_then(|f| f.corrected);
        target.fault = Some(UrlFault { kind: UrlFaultKind::NoSuchFolder, corrected });
    }
    target
}

/// The URL as it was written, when it is one for SSH and only git's rules make another of it.
fn ssh_before_rules(url: &str, services: &Services) -> Option<String> {
    let parsed = git_url::parse(url).ok()?;
    services.get(&parsed.ssh()?.host).map(|_| url.to_string())
}

/// The SSH URL of a repository that is named by another kind of URL, when its host is Bitbucket's.
fn ssh_instead(url: Option<&GitUrl>, services: &Services) -> Option<String> {
    let url = url?;
    let service = services.get(url.host()?)?;
    let host = if service.kind == bbdoctor_checks::bitbucket::Kind::Cloud { &services.current()?.name } else { &service.name };
    url.ssh_equivalent(host, Some(service.port).filter(|p| *p != 22))
}

/// Chooses by DESIGN's rules, and takes the URL apart.
pub(crate) fn choose(
    given: Option<&OsStr>,
    folder: &Path,
    environment: &Environment,
    config: &GitConfig,
    services: &Services,
    push: bool,
    is_bitbucket: &dyn Fn(&GitUrl) -> bool,
) -> Result<Target, NoTarget> {
    let given = given.map(|g| g.to_string_lossy().into_owned()).filter(|g| !g.is_empty());
    if let Some(fault) = &config.fault {
        return Err(NoTarget::ConfigBroken(fault.clone()));
    }
    match (&config.discovery, &given) {
        (Discovery::Dubious { path, .. }, None) => return Err(NoTarget::Distrusted { folder: path.clone() }),
        (Discovery::BareForbidden { path }, None) => return Err(NoTarget::BareForbidden { folder: path.clone() }),
        (Discovery::Broken { path }, None) => return Err(NoTarget::Unreachable { path: path.clone() }),
        _ => {}
    }
    let choice = choice::choose(given.as_deref(), folder, environment, config, push, is_bitbucket);
    let (folder, given) = (choice.folder.as_path(), given.as_deref());
    let current = services.current().map(|s| s.name.clone()).unwrap_or_default();
    Ok(match choice.target {
        Chosen::Remote { name, url, rewrite, .. } => {
            Target { remote: Some(name), rule: rewrite.rule, ..of_url(given, folder, services, &url, &rewrite.result) }
        }
        Chosen::Url { url, rewrite } => Target { rule: rewrite.rule, ..of_url(given, folder, services, &url, &rewrite.result) },
        Chosen::Repository(path) => {
            let url = format!("git@{current}:{path}.git");
            let rewrite = config.rewrite(&url, git_config_use(push));
            Target { rule: rewrite.rule, ..of_url(given, folder, services, &url, &rewrite.result) }
        }
        Chosen::Host(host) => of_host(given, folder, &host),
        Chosen::Service => {
            if let (Some(repository), true) = (config.repository(), config.remotes().is_empty()) {
                let folder = repository.work_tree.clone().unwrap_or_else(|| repository.git_dir.clone());
                return Err(NoTarget::NoRemote { folder });
            }
            of_host(given, folder, &current)
        }
    })
}

fn git_config_use(push: bool) -> bbdoctor_checks::facts::git_config::remotes::UrlUse {
    if push {
        bbdoctor_checks::facts::git_config::remotes::UrlUse::Push
    } else {
        bbdoctor_checks::facts::git_config::remotes::UrlUse::Fetch
    }
}

/// A host without a repository, logged in to as Bitbucket's URLs do.
fn of_host(given: Option<&str>, folder: &Path, host: &str) -> Target {
    Target {
        given: given.map(String::from),
        remote: None,
        folder: folder.to_path_buf(),
        url: None,
        rule: None,
        effective_url: None,
        parsed: None,
        fault: None,
        examined_instead: None,
        repository: None,
        ssh: Some(SshUrl { user: Some("git".into()), host: host.into(), port: None, path: String::new(), form: SshForm::Scp }),
    }
}
