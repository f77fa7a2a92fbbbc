//! What does ssh_config say about this host, and does any of it stand in git's way?

use std::path::{Path, PathBuf};

use crate::advice;
use crate::check::{Check, Findings, Meta, Unavailable};
use crate::evidence::Evidence;
use crate::evidence::key_file::KeyState;
use crate::evidence::keys::Key;
use crate::evidence::settings::Settings;
use crate::evidence::ssh_config::{NoteKind, Position, ProblemKind};
use crate::finding::{Code, Confidence, Finding, Subject};
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;

/// This check.
#[derive(Debug)]
pub(crate) struct HostSettings;

const META: Meta = Meta {
    id: "host-settings",
    title: "What ssh_config says about this host",
    codes: &[
        Code::HostnameOverridden,
        Code::PortOverridden,
        Code::PublickeyDisabled,
        Code::AlgorithmsRestricted,
        Code::IdentityFileMissing,
        Code::IdentitiesOnlyExcludesKey,
        Code::IdentityAgentOverrides,
        Code::AgentDisabled,
        Code::MatchExecBlocksKey,
        Code::HostKeyCheckingDisabled,
        Code::KnownHostsFileOverridden,
        Code::ControlPathUnusable,
        Code::SessionOptionBreaksGit,
        Code::NetworkOptionUnusable,
        Code::MatchExecHangs,
        Code::ControlMasterOtherAccount,
    ],
    page: include_str!("host_settings.md"),
};

impl Check for HostSettings {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, evidence: &Evidence) -> Result<Findings, Unavailable> {
        if let Some(finding) = hanging_match(evidence) {
            let mut found = Findings::new("ssh waits for a command of its configuration");
            found.push(finding);
            return Ok(found);
        }
        if let Some(finding) = refused(evidence) {
            let mut found = Findings::new("ssh refuses the combination of its settings");
            found.push(finding);
            return Ok(found);
        }
        let settings = evidence.settings()?;
        let mut found = Findings::new(text!(
            "ssh connects to {} port {} as {}",
            Private::host(settings.hostname()),
            settings.port(),
            Private::user(settings.user())
        ));
        for look in [
            hostname,
            port,
            publickey,
            session_options,
            network_options,
            control_path,
            control_master,
            match_exec_key,
            identity_files,
            agent_choice,
            identities_only,
            known_hosts_file,
            checking_disabled,
            algorithms,
        ] {
            found.findings.extend(look(evidence, settings));
        }
        Ok(found)
    }
}

/// The finding with the line that sets `keyword`, and a remedy that takes it out.
fn with_line(finding: Finding, evidence: &Evidence, keyword: &str, summary: &'static str) -> Finding {
    match evidence.setting_position(keyword) {
        Some(position) => {
            finding.subject(Subject::file(&position.file, Some(position.line))).remedy(advice::delete_line(&position, summary))
        }
        None => finding
            .subject(Subject::new("setting", keyword))
            .remedy(Remedy::ask("drop-option", text!("Take {} out of the ssh command that git runs.", keyword))),
    }
}

fn place(evidence: &Evidence, keyword: &str) -> Text {
    match evidence.setting_position(keyword) {
        Some(Position { file, line }) => text!(" ({} line {})", Private::path(file), line),
        None => Text::default(),
    }
}

fn hanging_match(evidence: &Evidence) -> Option<Finding> {
    let (position, command) = evidence.hanging_match_exec()?;
    Some(
        Finding::blocking(
            Code::MatchExecHangs,
            text!(
                "{} line {}: the command of Match exec does not return, and ssh waits for it.",
                Private::path(&position.file),
                position.line
            ),
        )
        .subject(Subject::file(&position.file, Some(position.line)))
        .evidence("command", Private::quoted(command))
        .remedy(Remedy::ask("bound", "Make the command end (timeout 2 COMMAND), or take the Match line out.")),
    )
}

/// Settings that contradict each other, which ssh finds after reading.
fn refused(evidence: &Evidence) -> Option<Finding> {
    let reading = evidence.reading().ok()?;
    let problem = reading.problems.iter().find(|p| p.kind == ProblemKind::Refused)?;
    let mut finding =
        Finding::blocking(Code::SessionOptionBreaksGit, text!("ssh refuses its settings: {}.", Private::quoted(&problem.message)));
    if let Some(p) = &problem.position {
        finding = finding
            .subject(Subject::file(&p.file, Some(p.line)))
            .remedy(advice::delete_line(p, "Take the line out, or make it apply to other hosts only."));
    }
    Some(finding)
}

fn hostname(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let typed = evidence.typed_host().unwrap_or_default();
    let (services, name) = (evidence.services(), settings.hostname());
    if services.get(&typed).is_none()
        || services.get(name).is_some()
        || name.eq_ignore_ascii_case(&typed)
        || !evidence.setting_is_set("hostname")
    {
        return Vec::new();
    }
    let leads_elsewhere = evidence.road_fails() || evidence.peer().is_ok_and(|p| !p.published);
    let summary = text!(
        "HostName sends {} to {}, which is not Bitbucket{}.",
        Private::host(&typed),
        Private::host(name),
        place(evidence, "hostname")
    );
    vec![with_line(
        Finding::blocking_if(leads_elsewhere, Code::HostnameOverridden, summary),
        evidence,
        "hostname",
        "Take the HostName out.",
    )]
}

fn port(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let Some(service) = evidence.services().get(settings.hostname()) else { return Vec::new() };
    if settings.port() == service.port {
        return Vec::new();
    }
    let fails = evidence.road_fails() || evidence.handshake_fails();
    let summary = text!(
        "ssh connects to port {} of {}, whose SSH service is at port {}{}.",
        settings.port(),
        Private::host(&service.name),
        service.port,
        place(evidence, "port")
    );
    let finding = Finding::blocking_if(fails, Code::PortOverridden, summary);
    if evidence.setting_position("port").is_none()
        && let Some(url) = evidence.url_without_port()
    {
        return vec![finding.subject(Subject::new("url", Private::url(&url))).remedy(advice::set_url(
            evidence,
            "Leave the port out of the URL.",
            &url,
        ))];
    }
    vec![with_line(finding, evidence, "port", "Take the Port out, or move it to the host it is meant for.")]
}

fn publickey(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    if settings.is("pubkeyauthentication", &["no", "false"]) {
        let summary =
            text!("PubkeyAuthentication is off for this host{}, so ssh offers no key.", place(evidence, "pubkeyauthentication"));
        return vec![with_line(
            Finding::blocking(Code::PublickeyDisabled, summary),
            evidence,
            "pubkeyauthentication",
            "Take the line out, or move it to the hosts it is meant for.",
        )];
    }
    let preferred = settings.value("preferredauthentications");
    if preferred.is_some_and(|list| !list.split(',').any(|m| m.trim() == "publickey")) {
        let summary = text!(
            "PreferredAuthentications leaves publickey out{}, so ssh offers no key.",
            place(evidence, "preferredauthentications")
        );
        return vec![with_line(
            Finding::blocking(Code::PublickeyDisabled, summary),
            evidence,
            "preferredauthentications",
            "Take the line out, or add publickey to it.",
        )];
    }
    Vec::new()
}

/// Settings for interactive use that spoil git's conversation.
fn session_options(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut bad = |keyword: &'static str, what: &'static str, neutral: &'static str| {
        let summary = text!("{}{}: fine for a shell, fatal for git.", what, place(evidence, keyword));
        let mut finding = Finding::blocking(Code::SessionOptionBreaksGit, summary).after_login();
        finding = with_line(finding, evidence, keyword, "Take the line out, or move it to the hosts it is meant for.");
        if let Some(edit) = advice::host_block(evidence, vec![neutral.into()]) {
            finding = finding.remedy(Remedy::edit("neutral", "Or switch it off for this host.", edit, Safety::Safe));
        }
        out.push(finding);
    };
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
    if settings.is("permitlocalcommand", &["yes", "true"]) && local.is_some() && evidence.git_protocol_is_spoilt() {
        bad("localcommand", "LocalCommand prints into git's conversation", "PermitLocalCommand no");
    }
    let forwards = ["localforward", "remoteforward", "dynamicforward"].into_iter().find(|k| settings.value(k).is_some());
    if let Some(keyword) = forwards
        && settings.is("exitonforwardfailure", &["yes", "true"])
        && evidence.forwarding_failed()
    {
        bad(keyword, "A forwarding cannot be set up, and ExitOnForwardFailure ends ssh then", "ClearAllForwardings yes");
    }
    out
}

fn network_options(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    for keyword in ["bindaddress", "bindinterface"] {
        if settings.value(keyword).is_some() && evidence.cannot_bind() {
            let summary =
                text!("{} names an address or interface this machine does not have{}.", keyword, place(evidence, keyword));
            out.push(with_line(Finding::blocking(Code::NetworkOptionUnusable, summary), evidence, keyword, "Take the line out."));
        }
    }
    let family = settings.value("addressfamily").filter(|f| *f != "any");
    if let Some(family) = family
        && evidence.resolves_only_in_other_family()
    {
        let summary = text!("AddressFamily {} leaves no address of this host{}.", family, place(evidence, "addressfamily"));
        out.push(with_line(
            Finding::blocking(Code::NetworkOptionUnusable, summary),
            evidence,
            "addressfamily",
            "Take the line out.",
        ));
    }
    let canonical = settings.is("canonicalizehostname", &["yes", "true", "always"]);
    if canonical && settings.is("canonicalizefallbacklocal", &["no", "false"]) && evidence.name_fails() {
        let summary = text!(
            "CanonicalizeHostname finds no name for this host, and CanonicalizeFallbackLocal is no{}.",
            place(evidence, "canonicalizefallbacklocal")
        );
        out.push(with_line(
            Finding::blocking(Code::NetworkOptionUnusable, summary),
            evidence,
            "canonicalizefallbacklocal",
            "Take the line out.",
        ));
    }
    out
}

fn control_path(evidence: &Evidence, _: &Settings) -> Vec<Finding> {
    use crate::evidence::control::Unusable;
    let Some((path, why)) = evidence.unusable_control_path() else { return Vec::new() };
    let (summary, remedy) = match why {
        Unusable::TooLong { bytes, limit } => (
            text!("The ControlPath has {} bytes; ssh stops beyond {}{}.", bytes, limit, place(evidence, "controlpath")),
            Remedy::ask("shorten", "Use a shorter one: ControlPath ~/.ssh/cm-%C"),
        ),
        Unusable::NoFolder => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let argv = vec!["mkdir".into(), "-p".into(), "-m".into(), "700".into(), Private::path(folder).into()];
            (
                text!(
                    "The folder of the ControlPath, {}, does not exist, and ssh stops on it{}.",
                    Private::path(folder),
                    place(evidence, "controlpath")
                ),
                Remedy::run("mkdir", "Make the folder.", argv, Safety::Safe),
            )
        }
        Unusable::NotWritable => (
            text!(
                "The folder of the ControlPath {} cannot be written, and ssh stops on it{}.",
                Private::path(&path),
                place(evidence, "controlpath")
            ),
            Remedy::ask("other-folder", "Name a folder of your own: ControlPath ~/.ssh/cm-%C"),
        ),
        Unusable::MasterSilent => {
            let argv = vec!["rm".into(), Private::path(&path).into()];
            (
                text!("The master connection at {} does not answer, and ssh waits for it.", Private::path(&path)),
                Remedy::run("remove-socket", "Remove its socket; ssh then connects anew.", argv, Safety::Confirm),
            )
        }
    };
    vec![
        Finding::blocking(Code::ControlPathUnusable, summary)
            .after_login()
            .subject(Subject::new("setting", "ControlPath"))
            .evidence("path", Private::path(&path))
            .remedy(remedy),
    ]
}

fn control_master(evidence: &Evidence, _: &Settings) -> Vec<Finding> {
    let Some(path) = evidence.live_control_master() else { return Vec::new() };
    if !evidence.login_is_known_to_succeed() || evidence.git_works() != Some(false) {
        return Vec::new();
    }
    let host = Private::host(evidence.typed_host().unwrap_or_default());
    let argv = vec!["ssh".into(), "-O".into(), "exit".into(), host.into()];
    vec![
        Finding::blocking(
            Code::ControlMasterOtherAccount,
            text!("A master connection runs at {}, logged in with another key than would be offered now.", Private::path(path)),
        )
        .after_login()
        .confidence(Confidence::Likely)
        .remedy(Remedy::run("exit-master", "End it; the next connection logs in anew.", argv, Safety::Safe)),
    ]
}

/// The key that would get in is named in a Match block whose condition is false here.
fn match_exec_key(evidence: &Evidence, _: &Settings) -> Vec<Finding> {
    let Ok(reading) = evidence.reading() else { return Vec::new() };
    let mut out = Vec::new();
    for note in &reading.notes {
        let NoteKind::KeyInInactiveMatch { block } = &note.kind else { continue };
        let path = evidence.expand_path(&note.text);
        let Some(identity) = evidence.identities().ok().and_then(|all| all.at_path(&path)) else { continue };
        let blocks = evidence.is_the_missing_key(identity);
        if !blocks && evidence.login_is_known_to_succeed() {
            continue;
        }
        let summary = text!(
            "{} line {} names {}, but its Match block (line {}) does not apply here.",
            Private::path(&note.position.file),
            note.position.line,
            identity.name_text(),
            block.line
        );
        out.push(
            Finding::blocking_if(blocks, Code::MatchExecBlocksKey, summary)
                .subject(Subject::file(&block.file, Some(block.line)))
                .remedy(Remedy::ask(
                    "condition",
                    "Make the condition hold (the VPN it asks about, the program it runs), or name the key in a Host block.",
                )),
        );
    }
    out
}

fn identity_files(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    for named in settings.identity_files().iter().filter(|f| f.source.position().is_some() && f.path != "none") {
        let path = evidence.expand_path(&named.path);
        let Some(file) = evidence.identities().ok().and_then(|all| all.file_at(&path)) else { continue };
        let KeyState::Missing { nearest } = &file.state else { continue };
        // The public half beside it, or in the agent, may be all that is needed.
        if evidence.identities().ok().and_then(|all| all.at_path(&path)).is_some_and(|i| i.public().is_some()) {
            continue;
        }
        let meant = nearest.as_ref().and_then(|n| evidence.identities().ok()?.at_path(n));
        let blocks = match meant {
            Some(identity) => evidence.is_the_missing_key(identity),
            None => evidence.login_fails() && evidence.offers_nothing(),
        };
        if !blocks && evidence.login_is_known_to_succeed() && nearest.is_none() {
            continue;
        }
        let hint = nearest.as_ref().map(|n| text!("; {} is there", Private::path(n))).unwrap_or_default();
        let position = named.source.position();
        let at = position.map(|p| text!(" ({} line {})", Private::path(&p.file), p.line)).unwrap_or_default();
        let mut finding = Finding::blocking_if(
            blocks,
            Code::IdentityFileMissing,
            text!("IdentityFile names {}, which does not exist{}{}.", Private::path(&path), hint, at),
        )
        .confidence(if meant.is_some() { Confidence::Proven } else { Confidence::Likely });
        if let Some(position) = position {
            finding = finding.subject(Subject::file(&position.file, Some(position.line)));
            if let Some(near) = nearest {
                let line = text!("IdentityFile {}", evidence.path_for_config(near));
                finding = finding.remedy(advice::replace_value(
                    position,
                    "Name the key that is there.",
                    &evidence.indent(position),
                    line,
                ));
            } else {
                finding = finding.remedy(advice::delete_line(position, "Take the line out, or make a key at that path."));
            }
        }
        out.push(finding);
    }
    out
}

fn agent_choice(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let Some(value) = settings.value("identityagent") else { return Vec::new() };
    let usual = evidence.keys_only_in_usual_agent();
    if usual.is_empty() {
        return Vec::new();
    }
    let needed = usual.iter().find(|i| evidence.is_the_missing_key(i));
    let off = value.eq_ignore_ascii_case("none");
    if needed.is_none() && !evidence.login_fails() {
        return Vec::new();
    }
    let key = needed.map(|i: &&Key| text!(", which holds {}", i.name_text())).unwrap_or_default();
    let (code, summary) = if off {
        (Code::AgentDisabled, text!("IdentityAgent none keeps ssh from the agent{}{}.", key, place(evidence, "identityagent")))
    } else {
        (
            Code::IdentityAgentOverrides,
            text!("IdentityAgent sends ssh to another agent than SSH_AUTH_SOCK names{}{}.", key, place(evidence, "identityagent")),
        )
    };
    vec![with_line(
        Finding::blocking_if(needed.is_some(), code, summary),
        evidence,
        "identityagent",
        "Take the line out, or set IdentityAgent SSH_AUTH_SOCK for this host.",
    )]
}

fn identities_only(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    if !settings.is("identitiesonly", &["yes", "true"]) {
        return Vec::new();
    }
    let Some(kept) = evidence.missing_key_kept_back_by_identities_only() else { return Vec::new() };
    let mut finding = Finding::blocking(
        Code::IdentitiesOnlyExcludesKey,
        text!(
            "IdentitiesOnly yes keeps back {}, the key that the server accepts{}.",
            kept.name_text(),
            place(evidence, "identitiesonly")
        ),
    )
    .remedies(advice::use_key(evidence, kept, false));
    if let Some(position) = evidence.setting_position("identitiesonly") {
        finding = finding
            .subject(Subject::file(&position.file, Some(position.line)))
            .remedy(advice::delete_line(&position, "Or take IdentitiesOnly out."));
    }
    vec![finding]
}

fn known_hosts_file(evidence: &Evidence, _: &Settings) -> Vec<Finding> {
    if !evidence.setting_is_set("userknownhostsfile") {
        return Vec::new();
    }
    let Some(usual) = evidence.trusted_by_usual_known_hosts() else { return Vec::new() };
    let blocks = evidence.host_key_stops_ssh();
    let named: Vec<PathBuf> = evidence.known_hosts().map(|k| k.user_files.clone()).unwrap_or_default();
    if !blocks {
        return Vec::new();
    }
    let summary = text!(
        "UserKnownHostsFile makes ssh read {} instead of {}, which knows the server{}.",
        Text::join(named.iter().map(|f| Private::path(f).into()), ", "),
        Private::path(&usual),
        place(evidence, "userknownhostsfile")
    );
    vec![with_line(
        Finding::blocking(Code::KnownHostsFileOverridden, summary),
        evidence,
        "userknownhostsfile",
        "Take the line out.",
    )]
}

fn checking_disabled(evidence: &Evidence, settings: &Settings) -> Vec<Finding> {
    let off = settings.is("stricthostkeychecking", &["no", "off", "false"]);
    let nowhere = settings.value("userknownhostsfile").is_some_and(|f| f.split_whitespace().all(|f| f == "/dev/null"));
    if !off {
        return Vec::new();
    }
    let keyword = "stricthostkeychecking";
    let summary = text!(
        "StrictHostKeyChecking is off{}{}: anyone may pose as the server.",
        if nowhere { " and known hosts go to /dev/null" } else { "" },
        place(evidence, keyword)
    );
    vec![with_line(
        Finding::warning(Code::HostKeyCheckingDisabled, summary),
        evidence,
        keyword,
        "Take the line out, and add the published keys to known_hosts.",
    )]
}

fn algorithms(evidence: &Evidence, _: &Settings) -> Vec<Finding> {
    if let Some(key) = evidence.missing_key_of_excluded_algorithm() {
        let keyword = "pubkeyacceptedalgorithms";
        let summary = text!(
            "PubkeyAcceptedAlgorithms leaves out the type of {}, the key that the server accepts{}.",
            key.name_text(),
            place(evidence, keyword)
        );
        let finding = Finding::blocking(Code::AlgorithmsRestricted, summary);
        return vec![with_line(finding, evidence, keyword, "Take the line out, or begin its value with + to add to the defaults.")];
    }
    let Some((keyword, ours, theirs)) = evidence.restricting_algorithms() else { return Vec::new() };
    let summary = text!("{} leaves nothing that the server also has{}.", keyword, place(evidence, &keyword.to_ascii_lowercase()));
    let finding = Finding::blocking(Code::AlgorithmsRestricted, summary)
        .evidence("ssh offers", Private::quoted(ours.join(",")))
        .evidence("the server offers", Private::quoted(theirs.join(",")));
    vec![with_line(
        finding,
        evidence,
        &keyword.to_ascii_lowercase(),
        "Take the line out, or begin its value with + to add to the defaults.",
    )]
}
