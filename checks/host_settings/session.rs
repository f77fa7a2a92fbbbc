//! Settings of the session and of connection sharing that spoil git's conversation.

use super::{place, with_line};
use crate::advice;
use crate::facts::Facts;
use crate::facts::control::{Control, Unusable};
use crate::facts::settings::Settings;
use crate::facts::ssh_command::ClientKind;
use crate::finding::{Code, Confidence, Finding, Strikes, Subject};
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use std::path::Path;

/// Settings for interactive use that spoil git's conversation.
pub(super) fn session_options(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut bad = |keyword: &'static str, what: &'static str, neutral: &'static str| {
        let summary = text!("{}{}: fine for a shell, fatal for git.", what, place(facts, keyword));
        let mut finding = Finding::blocking(Code::SessionOptionBreaksGit, summary).strikes(Strikes::AfterLogin);
        finding = with_line(finding, facts, keyword, "Delete the line, or move it to the hosts it is meant for.");
        if let Some(edit) = advice::host_block(facts, vec![neutral.into()]) {
            finding = finding.remedy(Remedy::edit(
                "neutral",
                "If other hosts need it: switch it off for this host alone.",
                edit,
                Safety::Safe,
            ));
        }
        out.push(finding);
    };
    let command = &facts.ssh_command;
    if let Some(letter) = command.options.unfit.filter(|_| command.kind == ClientKind::OpenSsh) {
        let summary = text!("The ssh command that git runs has {}: fine for a shell, fatal for git.", Text::option(letter));
        out.push(
            Finding::blocking(Code::SessionOptionBreaksGit, summary)
                .strikes(Strikes::AfterLogin)
                .subject(Subject::new("setting", Text::option(letter)))
                .remedy(Remedy::ask("drop-option", text!("Remove {} from the ssh command that git runs.", Text::option(letter)))),
        );
        return out;
    }
    if settings.value("remotecommand").is_some_and(|v| !v.eq_ignore_ascii_case("none")) {
        bad("remotecommand", "RemoteCommand is set", "RemoteCommand none");
    }
    if settings.is("requesttty", &["force"]) {
        bad("requesttty", "RequestTTY force makes the server translate line ends", "RequestTTY no");
    }
    if settings.is("sessiontype", &["none", "subsystem"]) {
        bad("sessiontype", "SessionType keeps ssh from running git's command", "SessionType default");
    }
    if settings.is("stdinnull", &["yes", "true"]) {
        bad("stdinnull", "StdinNull cuts git's requests off", "StdinNull no");
    }
    if settings.is("forkafterauthentication", &["yes", "true"]) {
        bad("forkafterauthentication", "ForkAfterAuthentication sends ssh into the background", "ForkAfterAuthentication no");
    }
    let local = settings.value("localcommand").filter(|c| !c.eq_ignore_ascii_case("none"));
    if settings.is("permitlocalcommand", &["yes", "true"]) && local.is_some() && facts.git_protocol_is_spoilt() {
        bad("localcommand", "LocalCommand prints into git's conversation", "PermitLocalCommand no");
    }
    let forwards = ["localforward", "remoteforward", "dynamicforward"].into_iter().find(|k| settings.value(k).is_some());
    if let Some(keyword) = forwards
        && settings.is("exitonforwardfailure", &["yes", "true"])
        && facts.forwarding_failed()
    {
        bad(keyword, "A forwarding cannot be set up, and ExitOnForwardFailure ends ssh then", "ClearAllForwardings yes");
    }
    out
}

pub(super) fn control_path(facts: &Facts, _: &Settings) -> Vec<Finding> {
    let Some((path, why, stops)) = unusable_control_path(facts) else { return Vec::new() };
    let (summary, remedy) = match why {
        Unusable::TooLong { bytes, limit } => (
            text!("The ControlPath has {} bytes; ssh stops beyond {}{}.", bytes, limit, place(facts, "controlpath")),
            Remedy::ask("shorten", "Use a shorter one: ControlPath ~/.ssh/cm-%C"),
        ),
        Unusable::NoFolder => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let argv = vec!["mkdir".into(), "-p".into(), "-m".into(), "700".into(), Private::path(folder).into()];
            (
                text!(
                    "The folder of the ControlPath, {}, does not exist, and ssh {}{}.",
                    Private::path(folder),
                    if stops { "stops on it" } else { "would stop on it, were it to share its connection" },
                    place(facts, "controlpath")
                ),
                Remedy::run("mkdir", "Make the folder.", argv, Safety::Safe),
            )
        }
        Unusable::NotWritable => (
            text!(
                "The folder of the ControlPath {} cannot be written, and ssh stops on it{}.",
                Private::path(path),
                place(facts, "controlpath")
            ),
            Remedy::ask("other-folder", "Name a folder of your own: ControlPath ~/.ssh/cm-%C"),
        ),
        Unusable::MasterSilent => {
            let argv = vec!["rm".into(), Private::path(path).into()];
            (
                text!("The master connection at {} does not answer, and ssh waits for it.", Private::path(path)),
                Remedy::run("remove-socket", "Remove its socket; ssh then makes a new connection.", argv, Safety::Confirm),
            )
        }
    };
    vec![
        Finding::blocking_if(stops, Code::ControlPathUnusable, summary)
            .strikes(Strikes::AfterLogin)
            .subject(Subject::new("setting", "ControlPath"))
            .evidence("path", Private::path(path))
            .remedy(remedy),
    ]
}

pub(super) fn control_master(facts: &Facts, _: &Settings) -> Vec<Finding> {
    let Control::Master(path) = &facts.control else { return Vec::new() };
    if !facts.login_is_known_to_succeed() || facts.git_works() != Some(false) {
        return Vec::new();
    }
    let host = Private::host(facts.typed_host().unwrap_or_default());
    let argv = vec!["ssh".into(), "-O".into(), "exit".into(), host.into()];
    vec![
        Finding::blocking(
            Code::ControlMasterOtherAccount,
            text!("A master connection runs at {}, logged in with another key than would be offered now.", Private::path(path)),
        )
        .strikes(Strikes::AfterLogin)
        .confidence(Confidence::Likely)
        .remedy(Remedy::run("exit-master", "End it; the next connection logs in again.", argv, Safety::Safe)),
    ]
}

/// The ControlPath that cannot be used, why, and whether ssh stops on it.
fn unusable_control_path(facts: &Facts) -> Option<(&Path, Unusable, bool)> {
    match &facts.control {
        Control::Unusable(path, why) => Some((path, *why, true)),
        Control::NoFolder(path) => Some((path, Unusable::NoFolder, false)),
        Control::Nobody | Control::Master(_) => None,
    }
}
