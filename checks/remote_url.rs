//! Is the URL that git will contact one that can work?

use crate::advice;
use crate::bitbucket::Role;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::git_url::{GitUrl, UrlFault, UrlFaultKind};
use crate::facts::target::{NoTarget, Target};
use crate::finding::{Code, Finding, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct RemoteUrl;

const META: Meta =
    Meta { id: CheckId::RemoteUrl, title: "The URL git will contact", needs: &[Need::Server], page: include_str!("remote_url.md") };

impl Check for RemoteUrl {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let target = match &facts.target {
            Ok(target) => target,
            Err(why) => {
                let mut found = Findings::new("there is nothing that git could contact");
                found.push(no_target(why));
                return Ok(found);
            }
        };
        let mut found = Findings::new(match &target.effective_url {
            Some(url) => text!("git contacts {}", Private::url(url)),
            None => "the service itself, without a repository".into(),
        });
        found.findings.extend(broken_link(facts));
        if let Some(fault) = &target.fault {
            found.push(malformed(facts, target, fault));
            return Ok(found);
        }
        found.findings.extend(rewritten(target));
        found.findings.extend(not_ssh(facts, target));
        found.findings.extend(fatal_setting(facts));
        found.findings.extend(protocol_denied(facts));
        found.findings.extend(not_bitbucket(facts));
        found.findings.extend(retired(facts));
        found.findings.extend(user(facts));
        Ok(found)
    }
}

/// A `.git` file that leads nowhere ends every command of git's here, whatever URL it is given; only a clone goes on.
fn broken_link(facts: &Facts) -> Option<Finding> {
    let path = facts.broken_git_file()?;
    Some(no_target(&NoTarget::Unreachable { path }))
}

fn no_target(why: &NoTarget) -> Finding {
    match why {
        NoTarget::NoRemote { folder } => Finding::blocking(
            Code::NoRemote,
            text!("The repository {} has no remote at Bitbucket, and no target was given.", Private::path(folder)),
        )
        .subject(Subject::file(folder, None))
        .remedy(Remedy::ask(
            "name-target",
            "Name one: bbdoctor URL, bbdoctor workspace/repo; or add it with git remote add origin URL.",
        )),
        NoTarget::ConfigBroken(fault) => {
            let finding = Finding::blocking(
                Code::GitConfigBroken,
                text!("git cannot read its configuration: {}.", Private::quoted(fault.to_string())),
            )
            .remedy(Remedy::ask("edit", "Correct the line, or delete it."));
            match fault.place() {
                Some((file, line)) => finding.subject(Subject::file(file, line)),
                None => finding,
            }
        }
        NoTarget::Unreachable { path } => Finding::blocking(
            Code::GitRefusesRepository,
            text!("{} leads to no repository, so git finds no remote here.", Private::path(path)),
        )
        .subject(Subject::file(path, None))
        .remedy(Remedy::ask(
            "repair-link",
            "Unset GIT_DIR if it is set. Else run git worktree repair in the main repository, or mount or clone that too.",
        )),
        NoTarget::BareForbidden { folder } => {
            let argv = ["git", "config", "--global", "safe.bareRepository", "all"].map(Text::from);
            Finding::blocking(
                Code::GitRefusesRepository,
                text!("safe.bareRepository keeps git from the bare repository {}.", Private::path(folder)),
            )
            .subject(Subject::file(folder, None))
            .remedy(Remedy::run(
                "trust-bare",
                "If you trust the bare repositories here, say so.",
                argv.to_vec(),
                Safety::Confirm,
            ))
        }
        NoTarget::Distrusted { folder } => {
            let argv = [
                "git".into(),
                "config".into(),
                "--global".into(),
                "--add".into(),
                "safe.directory".into(),
                Private::path(folder).into(),
            ];
            Finding::blocking(
                Code::GitRefusesRepository,
                text!("The repository {} belongs to another user; git ignores its configuration.", Private::path(folder)),
            )
            .subject(Subject::file(folder, None))
            .remedy(Remedy::run("trust-folder", "If you trust its owner, say so.", argv.to_vec(), Safety::Confirm))
        }
    }
}

fn malformed(facts: &Facts, target: &Target, fault: &UrlFault) -> Finding {
    let url = || Private::url(target.effective_url.as_deref().unwrap_or_default());
    let what: Text = match fault.kind {
        UrlFaultKind::SlashForColon => "a slash stands where a colon belongs, so git takes it for a folder".into(),
        UrlFaultKind::SshColonPath => "after ssh:// a colon begins a port, and this is none".into(),
        UrlFaultKind::HttpColonPath => "after https:// a colon begins a port, and this is none".into(),
        UrlFaultKind::PortInScp => "in this form the port becomes a part of the path".into(),
        UrlFaultKind::PastedWords => "there are words or blanks around it".into(),
        UrlFaultKind::InvisibleCharacters => "it has invisible characters in it".into(),
        UrlFaultKind::NotAscii => "it has characters in it that no host and no repository has".into(),
        UrlFaultKind::DoubledScheme => "it begins like two URLs".into(),
        UrlFaultKind::UpperCaseScheme => "git knows its scheme in lower case only".into(),
        UrlFaultKind::UnknownScheme => "git does not know its scheme".into(),
        UrlFaultKind::EmptyHost => "it names no host".into(),
        UrlFaultKind::EmptyUser => "nothing stands before the @".into(),
        UrlFaultKind::EmptyPath => "it names no repository".into(),
        UrlFaultKind::DashHost | UrlFaultKind::DashPath => "it begins with a dash, which git refuses".into(),
        UrlFaultKind::PasswordInScp => "in this form git takes what stands before the first colon for the host".into(),
        UrlFaultKind::NoSuchFolder => "git takes it for a folder of this machine, and there is none".into(),
    };
    let mut finding = Finding::blocking(Code::UrlMalformed, text!("The URL {} cannot work: {}.", url(), what))
        .strikes(if fault.kind == UrlFaultKind::PortInScp { Strikes::AfterLogin } else { Strikes::InItsTurn })
        .subject(Subject::new("url", url()));
    match &fault.corrected {
        Some(corrected) => finding = finding.remedy(advice::set_url(facts, "Write it as git understands it.", corrected)),
        None => {
            finding = finding.remedy(Remedy::ask(
                "write-url",
                text!("Write it as git@{}:workspace/repository.git", Private::host(facts.current_host())),
            ));
        }
    }
    finding
}

/// The key of a rule, `url.BASE.insteadof`: what stands between the points is a URL.
fn rule_text(key: &str) -> Text {
    let parts =
        |suffix: &'static str| Some(text!("url.{}{}", Private::url(key.strip_prefix("url.")?.strip_suffix(suffix)?), suffix));
    parts(".pushinsteadof").or_else(|| parts(".insteadof")).unwrap_or_else(|| Private::url(key).into())
}

fn rewritten(target: &Target) -> Option<Finding> {
    let rule = target.rule.as_ref()?;
    let (url, effective) = (target.url.as_deref()?, target.effective_url.as_deref()?);
    let place = match (&rule.origin.file, rule.origin.line) {
        (Some(file), Some(line)) => text!(" ({} line {})", Private::path(file), line),
        (Some(file), None) => text!(" ({})", Private::path(file)),
        _ => Text::default(),
    };
    Some(
        Finding::info(
            Code::UrlRewritten,
            text!("git rewrites {} to {}, by {}{}.", Private::url(url), Private::url(effective), rule_text(&rule.key), place),
        )
        .subject(Subject::new("url", Private::url(url))),
    )
}

fn not_ssh(facts: &Facts, target: &Target) -> Option<Finding> {
    let examined = target.examined_instead.as_deref()?;
    let parsed = target.parsed.as_ref()?;
    let how = match parsed {
        GitUrl::Http(_) => "HTTPS",
        GitUrl::Git { .. } => "the git protocol",
        GitUrl::Local { .. } => "a folder of this machine",
        GitUrl::Helper { .. } => "another program",
        GitUrl::Ssh(_) => return None,
    };
    let fails = target.rules_end_ssh() && facts.git_works() == Some(false);
    Some(
        Finding::blocking_if(
            fails,
            Code::UrlNotSsh,
            text!(
                "{} uses {}, so no SSH key is used; {} is examined instead.",
                Private::url(target.effective_url.as_deref().unwrap_or_default()),
                how,
                Private::url(examined)
            ),
        )
        .subject(Subject::new("url", Private::url(target.effective_url.as_deref().unwrap_or_default())))
        .remedies(keep_ssh(facts, target, examined)),
    )
}

/// Where a rule of git's makes the SSH URL another, that rule has to go: it would make the same of any SSH URL.
fn keep_ssh(facts: &Facts, target: &Target, examined: &str) -> Vec<Remedy> {
    let Some(rule) = target.rule.as_ref().filter(|_| target.rules_end_ssh()) else {
        return vec![advice::set_url(facts, "Use SSH.", examined)];
    };
    let Some(file) = &rule.origin.file else {
        return vec![Remedy::ask("drop-rule", text!("To use SSH, remove {} from git's environment.", rule_text(&rule.key)))];
    };
    let argv = advice::unset(Some(file), rule_text(&rule.key), Some(Private::url(&rule.value).into()));
    vec![Remedy::run("drop-rule", "To use SSH, remove the rule that makes git use HTTPS.", argv, Safety::Confirm)]
}

/// A setting with a value that git dies of as soon as it contacts a service.
fn fatal_setting(facts: &Facts) -> Option<Finding> {
    let (key, value, file) = facts.fatal_git_setting()?;
    let finding = Finding::blocking(
        Code::GitConfigBroken,
        text!("git does not know the value {} of {}, and stops.", Private::quoted(value), key),
    )
    .subject(Subject::new("setting", key));
    let Some(file) = file else {
        return Some(finding.remedy(Remedy::ask("unset-variable", text!("Remove {} from git's environment.", key))));
    };
    Some(finding.remedy(Remedy::run("unset", "Remove the setting.", advice::unset(Some(&file), key, None), Safety::Confirm)))
}

fn protocol_denied(facts: &Facts) -> Option<Finding> {
    let denial = facts.protocol_denial()?;
    let mut finding =
        Finding::blocking(Code::GitProtocolDenied, text!("{} forbids git to use ssh.", Private::quoted(denial.setting)))
            .subject(Subject::new("setting", Private::quoted(denial.setting)));
    finding = match &denial.file {
        Some(file) => {
            let argv = advice::unset(Some(file), Private::quoted(denial.setting), None);
            finding.remedy(Remedy::run("unset", "Remove the setting.", argv, Safety::Confirm))
        }
        None => finding.remedy(Remedy::ask(
            "unset-variable",
            text!("Unset {} in the environment, or add ssh to it.", Private::quoted(denial.setting)),
        )),
    };
    Some(finding)
}

fn not_bitbucket(facts: &Facts) -> Option<Finding> {
    let typed = facts.typed_host()?;
    let services = &facts.services;
    let connected = facts.hostname().unwrap_or_else(|_| typed.clone());
    if services.get(&typed).is_some() || services.get(&connected).is_some() {
        return None;
    }
    let near = services.near_miss(&typed);
    let hint = near.map(|s| text!("; is {} meant?", Private::host(&s.name))).unwrap_or_default();
    let mut finding = Finding::warning(
        Code::UrlNotBitbucket,
        text!("{} is no host that bbdoctor knows as Bitbucket{}.", Private::host(&connected), hint),
    )
    .subject(Subject::new("host", Private::host(&connected)));
    if let Some(service) = near
        && let Some(url) = facts.url_with_host(Some(&service.name))
    {
        finding = finding.remedy(advice::set_url(facts, "Name the host of the service.", &url));
    }
    Some(finding.remedy(Remedy::ask(
        "describe-host",
        "If it is a Bitbucket of your own, describe it in config.toml under [hosts.\"NAME\"].",
    )))
}

/// The host name that was announced to stop answering.
fn retired(facts: &Facts) -> Option<Finding> {
    let name = facts.hostname().ok()?;
    let service = facts.services.get(&name)?;
    let Role::Retired { on, by } = &service.role else { return None };
    let successor_name = || Private::host(by);
    let on = || Text::date(on);
    let successor = facts.alternates.iter().find(|a| a.host == *by)?;
    if !successor.speaks_ssh() {
        return None;
    }
    let dead = facts.route_fails() || facts.handshake_fails();
    let sent_on = facts.refusal_names(by);
    let name = || Private::host(&service.name);
    let summary = if sent_on {
        text!("{} refuses Git over SSH and names {} instead, to which Bitbucket moved it.", name(), successor_name())
    } else if dead {
        text!(
            "{} no longer answers Git over SSH; Bitbucket moved it to {}, which does (announced for {}).",
            name(),
            successor_name(),
            on()
        )
    } else {
        text!("{} still answers, but Bitbucket moved Git over SSH to {} (announced for {}).", name(), successor_name(), on())
    };
    let mut finding = Finding::blocking_if(dead || sent_on, Code::HostRetired, summary)
        .strikes(if sent_on { Strikes::AfterLogin } else { Strikes::InItsTurn })
        .subject(Subject::new("host", name()));
    if let Some(service) = facts.services.get(by) {
        finding =
            finding.remedies(advice::know_service(facts, service, by, "First, make ssh know the new name by its published keys."));
    }
    let in_url = facts.typed_host().is_some_and(|typed| typed.eq_ignore_ascii_case(&service.name));
    if !in_url {
        if let Some(position) = facts.setting_position("hostname") {
            finding = finding.remedy(advice::replace_value(
                &position,
                "Name the new host.",
                &facts.indent(&position),
                text!("HostName {}", successor_name()),
            ));
        }
        return Some(finding);
    }
    if let Some(url) = facts.url_with_host(Some(by))
        && facts.remote_name().is_some()
    {
        finding = finding.remedy(advice::set_url(facts, "Give the remote the new name.", &url));
    }
    let old = facts.url_prefix()?;
    let new = old.replacen(&facts.typed_host()?, by, 1);
    let summary = "Make git use the new name for every URL that has the old one.";
    Some(finding.remedy(advice::rewrite_urls(summary, &old, &new)))
}

fn user(facts: &Facts) -> Option<Finding> {
    let user = facts.user();
    if user == "git" || facts.typed_host().is_none() || facts.login_is_known_to_succeed() {
        return None;
    }
    facts.services.get(&facts.hostname().ok()?)?;
    let refused = facts.login_fails();
    let mut finding = Finding::blocking_if(
        refused,
        Code::UserNotGit,
        text!("ssh logs in as {}; Bitbucket's user for everybody is git.", Private::user(&user)),
    )
    .subject(Subject::new("setting", "user"));
    if let Some(position) = facts.setting_position("user") {
        finding = finding.subject(Subject::file(&position.file, Some(position.line)));
        finding =
            finding.remedy(advice::replace_value(&position, "Let ssh log in as git.", &facts.indent(&position), "User git".into()));
    }
    if facts.url_names_user("git") {
        // Neither the URL nor a file decides, so the command line does.
        if facts.setting_position("user").is_none() {
            finding = finding.remedy(Remedy::ask("drop-option", "Remove the user from the ssh command that git runs."));
        }
    } else if let Some(url) = facts.url_with_user("git") {
        finding = finding.remedy(advice::set_url(facts, "Put git@ into the URL.", &url));
    }
    Some(finding)
}
