//! May the accepted key use the repository?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::conversation::{Access, refusal_words};
use crate::facts::keys::Key;
use crate::facts::session::GitService;
use crate::finding::{Code, Confidence, Finding, Side, Subject};
use crate::need::Need;
use crate::privacy::Private;
use crate::remedy::Remedy;
use crate::unavailable::Unavailable;
use crate::{bitbucket, text};

/// This check.
#[derive(Debug)]
pub(crate) struct RepositoryAccess;

const META: Meta = Meta {
    id: CheckId::RepositoryAccess,
    title: "The key may use the repository",
    needs: &[Need::Server],
    page: include_str!("repository_access.md"),
};

impl Check for RepositoryAccess {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let Some(path) = facts.repository_path() else {
            return Err(Unavailable::NotApplicable { why: "no repository was named".into() });
        };
        let conversation = facts.trusted_conversation()?;
        if !conversation.open_door && !conversation.logins.iter().any(|l| l.as_ssh_would && l.result.is_ok()) {
            return Err(Unavailable::blocked(CheckId::Authentication, "no key gets in, so the repository was not asked for"));
        }
        let Some(access) = conversation.access.iter().find(|a| a.as_ssh_would) else {
            return Err(Unavailable::Unknown {
                why: "the login succeeded, and there was no time left to ask for the repository".into(),
            });
        };
        let mut found = Findings::new(text!("the key may {} {}", facts.verb(), Private::repository(&path)));
        if let Some(answer) = access.refusal().filter(|answer| is_noise(answer) && facts.git_protocol_is_spoilt()) {
            found.summary =
                text!("something else than git speaks: {}", Private::quoted(String::from_utf8_lossy(&answer.command.stdout)));
        } else if let Some(answer) = access.refusal() {
            found.summary = text!("the service refuses {}", Private::repository(&path));
            found.push(refused(facts, access, answer, &path));
        }
        Ok(found)
    }
}

/// What came is no packet of git's protocol (gitprotocol-common(5): four hexadecimal digits come first).
fn is_noise(answer: &GitService) -> bool {
    let out = &answer.command.stdout;
    let packet = out.len() >= 4 && out[..4].iter().all(u8::is_ascii_hexdigit);
    !(out.is_empty() || packet)
}

fn refused(facts: &Facts, access: &Access, answer: &GitService, path: &str) -> Finding {
    let words = refusal_words(answer);
    let repository = || Private::repository(path);
    let key = facts.keys().ok().and_then(|all| all.find(&access.key)).map(Key::name_text).unwrap_or_default();
    let reads = access.upload.advertised;
    let code = match bitbucket::refusal(&words, reads) {
        Some(code) => code,
        None if words.is_empty() && answer.command.exit_status.is_none() => Code::ConnectionLostAfterLogin,
        None => Code::RepositoryCommandFailed,
    };
    let summary = match code {
        Code::RepositoryNotFound => text!("The key is accepted, but the service says that {} does not exist.", repository()),
        Code::RepositoryAccessDenied => {
            text!(
                "{} is accepted, but may not use {} (or it does not exist: the service does not tell them apart).",
                &key,
                repository()
            )
        }
        Code::RepositoryReadOnly => text!("{} may read {} but not write to it.", &key, repository()),
        Code::AccessKeyOtherRepository => text!("{} is an access key of another repository than {}.", &key, repository()),
        Code::IpNotAllowed => {
            text!("The workspace of {} allows only listed addresses, and yours is not one of them.", repository())
        }
        Code::TwoStepRequired => {
            text!("The workspace of {} requires two-step verification, which your account does not use.", repository())
        }
        Code::UserLimitExceeded => text!("The plan's user limit is exceeded, so {} is read-only.", repository()),
        Code::ConnectionLostAfterLogin if answer.command.timed_out => {
            text!("The key is accepted, but nothing arrives from {} in time.", repository())
        }
        Code::ConnectionLostAfterLogin => {
            text!("The key is accepted, and then the connection ends before {} answers.", repository())
        }
        _ if is_noise(answer) => text!(
            "What answers for {} is not git: it begins with {}.",
            repository(),
            Private::quoted(String::from_utf8_lossy(&answer.command.stdout).lines().next().unwrap_or_default())
        ),
        _ if words.is_empty() => text!("The service ended the git command for {} without a word.", repository()),
        _ => text!("The service refused the git command for {}: {}.", repository(), Private::quoted(words.trim_end_matches('.'))),
    };
    let mut finding = Finding::blocking(code, summary)
        .subject(Subject::new("repository", repository()))
        .evidence("the service says", Private::quoted(if words.is_empty() { "(nothing)" } else { &words }))
        .evidence("key", key.clone());
    if let Some(status) = answer.command.exit_status {
        finding = finding.evidence("exit status", text!("{}", status));
    }
    match code {
        Code::RepositoryNotFound | Code::RepositoryAccessDenied => {
            let mut finding = finding.confidence(if code == Code::RepositoryNotFound { Confidence::Proven } else { Confidence::Likely });
            if let Some(url) = facts.url_with_tidy_path() {
                finding = finding.remedy(advice::set_url(facts, "Write the repository's path as the service does.", &url));
            }
            finding
                .remedy(Remedy::ask(
                    "compare",
                    "Compare workspace and repository with the address the service's web page shows for cloning; mind renames.",
                ))
                .remedy(Remedy::ask("ask-admin", text!("If they are right, ask an administrator of the repository to give the account of {} access.", key)))
        }
        Code::RepositoryReadOnly if !facts.is_cloud() => finding.remedy(Remedy::ask(
            "ask-write-access",
            "Ask an administrator of the repository to let this key or account write.",
        )),
        Code::RepositoryReadOnly => finding.remedy(Remedy::ask(
            "use-account-key",
            "Access keys are read-only on Bitbucket Cloud: push with a key of an account that may write, or with a repository access token over HTTPS.",
        )),
        Code::AccessKeyOtherRepository => finding.remedy(Remedy::ask(
            "add-access-key",
            "Add the same public key to this repository's access keys, or use a key of an account that may read it.",
        )),
        Code::IpNotAllowed => finding.remedy(Remedy::ask("ask-admin", "Use the network or VPN that is allowed, or ask the workspace's administrator to add your address.")),
        Code::TwoStepRequired => finding.remedy(Remedy::visit("two-step", "Switch two-step verification on.", bitbucket::TWO_STEP_PAGE)),
        Code::UserLimitExceeded => finding.remedy(Remedy::ask("ask-admin", "Ask the workspace's administrator to upgrade the plan or to remove users.")),
        Code::ConnectionLostAfterLogin => finding.side(Side::Network).confidence(Confidence::Likely).remedy(Remedy::ask(
            "other-network",
            text!("Try from another network and see {}; if only this network fails, ask its administrators.", bitbucket::STATUS_PAGE),
        )),
        _ => finding.remedy(Remedy::ask("ask-service", text!("See {}; the service's own words are above.", bitbucket::STATUS_PAGE))),
    }
}
