//! Are git and ssh there, do they start, and how does git start ssh?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::git_run::GitComplaint;
use crate::facts::ssh_command::{ClientKind, CommandSource as Source, NotRunnable, SshCommand, Started, Variant, VariantSource};
use crate::finding::{Code, Confidence, Finding, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct Tools;

/// The first OpenSSH with rsa-sha2 signatures (7.2), as major * 100 + minor.
const RSA_SHA2: u32 = 702;

const META: Meta =
    Meta { id: CheckId::Tools, title: "git, ssh and how git starts it", needs: &[Need::Programs], page: include_str!("tools.md") };

impl Check for Tools {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let command = &facts.ssh_command;
        let mut found = Findings::new(match &command.started {
            Started::Runs { text, .. } => text!("git runs {} ({})", Private::quoted(&command.text), Private::quoted(text)),
            _ => text!("git runs {}", Private::quoted(&command.text)),
        });
        if facts.git.is_none() {
            found.push(
                Finding::warning(Code::GitNotFound, "There is no git on PATH, so git's own part cannot be examined.")
                    .subject(Subject::new("program", "git"))
                    .remedy(Remedy::ask("install-git", "Install git.")),
            );
        }
        if let Some(finding) = not_runnable(facts, command) {
            found.push(finding);
            return Ok(found);
        }
        found.findings.extend(broken(command).filter(|_| facts.account.entry.is_some()));
        found.findings.extend(version(command));
        found.findings.extend(misread(facts, command));
        found.findings.extend(kind(command));
        found.findings.extend(variant(facts, command));
        if !command.options.all.is_empty() {
            let options = command.options.all.join(" ");
            found.push(
                Finding::info(
                    Code::SshCommandAddsOptions,
                    text!("The ssh command has options, which every later check takes into account: {}.", Private::quoted(options)),
                )
                .subject(Subject::new("setting", setting(command)))
                .remedy(Remedy::ask("nothing", "Nothing needs to be done.")),
            );
        }
        Ok(found)
    }
}

/// The name of what decides on the ssh command.
fn setting(command: &SshCommand) -> &'static str {
    match command.source {
        Source::GitSshCommand => "GIT_SSH_COMMAND",
        Source::Config(_) => "core.sshCommand",
        Source::GitSsh => "GIT_SSH",
        Source::Default => "ssh",
    }
}

/// Takes the setting away that names the command.
fn unset(command: &SshCommand) -> Remedy {
    match &command.source {
        Source::Config(origin) => {
            let argv = advice::unset(origin.file.as_deref(), "core.sshCommand", None);
            Remedy::run("unset", "Remove core.sshCommand, so that git runs ssh.", argv, Safety::Confirm)
        }
        _ => Remedy::ask("unset-variable", text!("Unset {} (unset {}), or correct it.", setting(command), setting(command))),
    }
}

fn not_runnable(facts: &Facts, command: &SshCommand) -> Option<Finding> {
    let client = command.client.as_ref()?;
    let why = client.path.as_ref().err()?;
    if matches!(command.source, Source::Default) {
        let mut finding = Finding::blocking(Code::SshNotFound, "git has no ssh client to run: there is none on PATH.")
            .subject(Subject::new("program", "ssh"));
        if let Some(manager) = facts.machine.package_manager {
            let sudo = (facts.account.uid != 0).then_some("sudo");
            let argv = sudo.iter().chain(manager.install_ssh_client()).map(|word| Text::from(*word)).collect();
            finding = finding.remedy(Remedy::run("install", "Install an ssh client.", argv, Safety::Manual));
        }
        return Some(finding.remedy(Remedy::ask("install-ssh", "Install OpenSSH's client, or put it on PATH.")));
    }
    let mut finding = Finding::blocking(
        Code::SshCommandNotRunnable,
        match why {
            NotRunnable::Empty => text!("{} is set and names no program.", setting(command)),
            _ => text!("{} names {}, which cannot be run: {}.", setting(command), Private::quoted(&client.word), why.text()),
        },
    )
    .subject(Subject::new("setting", setting(command)))
    .evidence("command", Private::quoted(&command.text));
    if let NotRunnable::NotExecutable(path) = why
        && facts.paths.at(path).is_program
    {
        let argv = vec!["chmod".into(), "+x".into(), Private::path(path).into()];
        finding = finding.remedy(Remedy::run("chmod", "Make it executable.", argv, Safety::Confirm));
    }
    Some(finding.remedy(unset(command)))
}

/// A word or an option by which ssh takes the words that git adds for something else.
fn misread(facts: &Facts, command: &SshCommand) -> Option<Finding> {
    if !matches!(command.kind, ClientKind::OpenSsh) {
        return cut_off(command);
    }
    let options = &command.options;
    let what = match (&options.dangling, &options.stray) {
        _ if options.unknown.is_some() => {
            text!("has {}, which is no option of ssh", options.unknown.map(Text::option).unwrap_or_default())
        }
        (Some(letter), _) => text!("ends with {}, which takes the next word, one of git's, for its value", Text::option(*letter)),
        (None, Some(word)) => text!("has the word {}, which ssh takes for the host", Private::quoted(word)),
        (None, None) => return None,
    };
    // ssh then logs in where it should, with git's host for the command.
    let same_host = options.stray.as_ref().map(|s| s.rsplit('@').next()) == Some(facts.typed_host().as_deref());
    Some(
        Finding::blocking(Code::SshCommandNotRunnable, text!("{} {}.", setting(command), what))
            .strikes(if same_host { Strikes::AfterLogin } else { Strikes::InItsTurn })
            .subject(Subject::new("setting", setting(command)))
            .evidence("command", Private::quoted(&command.text))
            .remedy(Remedy::ask(
                "correct-command",
                text!("Correct {}: a path with a blank in it needs quotes, and an option its value.", setting(command)),
            ))
            .remedy(unset(command)),
    )
}

/// A command that the shell takes to end before the words that git adds: a comment, or a semicolon at its end.
fn cut_off(command: &SshCommand) -> Option<Finding> {
    let (Started::Runs { text: said, .. } | Started::Broken { said, .. }) = &command.started else { return None };
    (command.words.is_none() && said.starts_with("usage: ssh")).then(|| {
        Finding::blocking(
            Code::SshCommandNotRunnable,
            text!("{} ends, for the shell, before the words that git adds: ssh gets none of them.", setting(command)),
        )
        .subject(Subject::new("setting", setting(command)))
        .evidence("command", Private::quoted(&command.text))
        .remedy(Remedy::ask("correct-command", text!("Remove what follows ssh's options in {}.", setting(command))))
        .remedy(unset(command))
    })
}

fn broken(command: &SshCommand) -> Option<Finding> {
    let Started::Broken { said, .. } = &command.started else { return None };
    if said.starts_with("usage: ssh") {
        return None;
    }
    Some(
        Finding::blocking(
            Code::SshBroken,
            text!("The ssh client does not start: {}.", Private::quoted(said.trim_end_matches('.'))),
        )
        .subject(Subject::new("program", Private::quoted(&command.text)))
        .evidence("it says", Private::quoted(said))
        .remedy(Remedy::ask(
            "repair",
            "Reinstall it, or remove from the environment what makes it load other libraries (LD_LIBRARY_PATH, LD_PRELOAD).",
        )),
    )
}

fn version(command: &SshCommand) -> Option<Finding> {
    let Started::Runs { text, openssh: Some(version) } = &command.started else { return None };
    (*version < RSA_SHA2).then(|| {
        Finding::warning(Code::SshOutdated, text!("The ssh client is too old for today's servers: {}.", Private::quoted(text)))
            .subject(Subject::new("program", Private::quoted(&command.text)))
            .remedy(Remedy::ask("upgrade", "Upgrade OpenSSH to 7.2 or later."))
    })
}

fn kind(command: &SshCommand) -> Option<Finding> {
    let name = match command.kind {
        ClientKind::Plink => "plink",
        ClientKind::TortoisePlink => "TortoisePlink",
        ClientKind::Dropbear => "Dropbear's client",
        ClientKind::OpenSsh | ClientKind::Wrapper | ClientKind::Unknown => return None,
    };
    Some(
        Finding::info(Code::SshNotOpenssh, text!("git runs {}: its own keys, agent and host key cache apply.", name))
            .subject(Subject::new("setting", setting(command)))
            .remedy(Remedy::ask("nothing", "If this is intended, nothing needs to be done.")),
    )
}

/// git speaks another client's options than the client understands.
fn variant(facts: &Facts, command: &SshCommand) -> Option<Finding> {
    let (name, place) = match &command.variant_source {
        VariantSource::Environment(value) => (format!("GIT_SSH_VARIANT={value}"), None),
        VariantSource::Config(value, origin) => (format!("ssh.variant={value}"), Some(origin)),
        VariantSource::Name => return None,
    };
    let speaks_openssh = command.takes_openssh_options() && command.kind != ClientKind::Wrapper;
    let wrong = match command.variant {
        Variant::Plink | Variant::Putty | Variant::TortoisePlink | Variant::Simple => speaks_openssh,
        Variant::Ssh => matches!(command.kind, ClientKind::Plink | ClientKind::TortoisePlink),
        Variant::Auto => false,
    };
    let failed = matches!(facts.git_complaint, Some(GitComplaint::VariantLacks(_)));
    let port = facts.target().ok().and_then(|t| t.ssh()?.port).is_some();
    if !wrong || !(failed || port || command.variant == Variant::TortoisePlink) {
        return None;
    }
    let mut finding = Finding::blocking(
        Code::SshVariantWrong,
        text!("{} makes git speak another client's options than its ssh understands.", Private::quoted(&name)),
    )
    .confidence(Confidence::Likely)
    .subject(Subject::new("setting", Private::quoted(&name)));
    if let Some(file) = place.and_then(|o| o.file.as_ref()) {
        let argv = advice::unset(Some(file), "ssh.variant", None);
        finding =
            finding.remedy(Remedy::run("unset", "Remove the setting: git then detects the client by itself.", argv, Safety::Safe));
    }
    Some(finding.remedy(Remedy::ask("unset-variable", "Unset GIT_SSH_VARIANT where it is set.")))
}
