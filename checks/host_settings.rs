//! What does ssh_config say about this host, and does any of it stand in git's way?

mod keys;
mod session;

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::known_hosts::{Judgement, judge};
use crate::facts::settings::Settings;
use crate::facts::ssh_config::{Position, ProblemKind, SettingSource, written};
use crate::finding::{Code, Finding, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::Remedy;
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct HostSettings;

const META: Meta = Meta {
    id: CheckId::HostSettings,
    title: "What ssh_config says about this host",
    needs: &[Need::Server],
    page: include_str!("host_settings.md"),
};

impl Check for HostSettings {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        if let Some(finding) = hanging_match(facts) {
            let mut found = Findings::new("ssh waits for a command of its configuration");
            found.push(finding);
            return Ok(found);
        }
        if let Some(finding) = not_canonical(facts) {
            let mut found = Findings::new("ssh finds no canonical name for the host");
            found.push(finding);
            return Ok(found);
        }
        if let Some(finding) = refused(facts) {
            let mut found = Findings::new("ssh refuses the combination of its settings");
            found.push(finding);
            return Ok(found);
        }
        let settings = facts.settings()?;
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
            session::session_options,
            network_options,
            session::control_path,
            session::control_master,
            keys::match_exec_key,
            keys::identity_files,
            keys::named_by_command,
            keys::agent_choice,
            keys::identities_only,
            known_hosts_file,
            checking_disabled,
            algorithms,
        ] {
            found.findings.extend(look(facts, settings));
        }
        Ok(found)
    }
}

/// The finding with the line that sets `keyword`, and a remedy that takes it out.
fn with_line(finding: Finding, facts: &Facts, keyword: &str, summary: &'static str) -> Finding {
    match facts.setting_position(keyword) {
        Some(position) => {
            finding.subject(Subject::file(&position.file, Some(position.line))).remedy(advice::delete_line(&position, summary))
        }
        None => finding
            .subject(Subject::new("setting", Text::keyword(keyword)))
            .remedy(Remedy::ask("drop-option", text!("Remove {} from the ssh command that git runs.", Text::keyword(keyword)))),
    }
}

fn place(facts: &Facts, keyword: &str) -> Text {
    match facts.setting_position(keyword) {
        Some(Position { file, line }) => text!(" ({} line {})", Private::path(file), line),
        None => Text::default(),
    }
}

fn hanging_match(facts: &Facts) -> Option<Finding> {
    let (position, command) = facts.hanging_match_exec()?;
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
        .remedy(Remedy::ask("bound", "Make the command end (timeout 2 COMMAND), or delete the Match line.")),
    )
}

/// A name that ssh has to complete by CanonicalDomains, and cannot; it stops before it has settings to show.
fn not_canonical(facts: &Facts) -> Option<Finding> {
    let reading = facts.reading().ok().filter(|_| facts.ssh_finds_no_canonical_name())?;
    let position = |keyword: &str| reading.source(keyword).and_then(SettingSource::position);
    let summary = "CanonicalizeHostname finds this host in none of its domains, and CanonicalizeFallbackLocal forbids using the name as it is.";
    let mut finding = Finding::blocking(Code::NetworkOptionUnusable, summary);
    if let Some(p) = position("canonicalizefallbacklocal").or_else(|| position("canonicalizehostname")) {
        finding = finding.subject(Subject::file(&p.file, Some(p.line)));
    }
    if let Some(url) = facts.url_with_host(None) {
        finding = finding.remedy(advice::set_url(facts, "Write the host's whole name.", &url));
    }
    Some(finding.remedy(Remedy::ask(
        "domains",
        "If ssh should complete the name: correct CanonicalDomains, and check that the names in it resolve.",
    )))
}

/// Settings that contradict each other, which ssh finds after reading.
fn refused(facts: &Facts) -> Option<Finding> {
    let reading = facts.reading().ok()?;
    let problem = reading.problems.iter().find(|p| p.kind == ProblemKind::Refused)?;
    let mut finding =
        Finding::blocking(Code::SessionOptionBreaksGit, text!("ssh refuses its settings: {}.", Private::quoted(&problem.message)));
    if let Some(p) = &problem.position {
        finding = finding
            .subject(Subject::file(&p.file, Some(p.line)))
            .remedy(advice::delete_line(p, "Delete the line, or make it apply to other hosts only."));
    }
    Some(finding)
}

fn hostname(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let typed = facts.typed_host().unwrap_or_default();
    let (services, name) = (&facts.services, settings.hostname());
    if services.get(&typed).is_none()
        || services.get(name).is_some()
        || name.eq_ignore_ascii_case(&typed)
        || !facts.setting_is_set("hostname")
    {
        return Vec::new();
    }
    let leads_elsewhere = facts.route_fails() || facts.peer().is_ok_and(|p| !p.published);
    let summary = text!(
        "HostName sends {} to {}, which is not Bitbucket{}.",
        Private::host(&typed),
        Private::host(name),
        place(facts, "hostname")
    );
    vec![with_line(
        Finding::blocking_if(leads_elsewhere, Code::HostnameOverridden, summary),
        facts,
        "hostname",
        "Delete the HostName line.",
    )]
}

fn port(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let Some(service) = facts.services.get(settings.hostname()) else { return Vec::new() };
    if settings.port() == service.port {
        return Vec::new();
    }
    let fails = facts.route_fails() || facts.handshake_fails();
    let summary = text!(
        "ssh connects to port {} of {}, whose SSH service is at port {}{}.",
        settings.port(),
        Private::host(&service.name),
        service.port,
        place(facts, "port")
    );
    let finding = Finding::blocking_if(fails, Code::PortOverridden, summary);
    if facts.setting_position("port").is_none()
        && let Some(url) = facts.url_without_port()
    {
        return vec![finding.subject(Subject::new("url", Private::url(&url))).remedy(advice::set_url(
            facts,
            "Leave the port out of the URL.",
            &url,
        ))];
    }
    if !facts.setting_is_set("port")
        && facts.url_fault().is_none()
        && let Some(url) = facts.url_with_port(service.port)
    {
        return vec![finding.subject(Subject::new("url", Private::url(&url))).remedy(advice::set_url(
            facts,
            "Name the port in the URL.",
            &url,
        ))];
    }
    vec![with_line(finding, facts, "port", "Delete the Port line, or move it to the host it is meant for.")]
}

fn publickey(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    if settings.is("pubkeyauthentication", &["no", "false"]) {
        let summary =
            text!("PubkeyAuthentication is off for this host{}, so ssh offers no key.", place(facts, "pubkeyauthentication"));
        return vec![with_line(
            Finding::blocking(Code::PublickeyDisabled, summary).strikes(Strikes::AtLogin),
            facts,
            "pubkeyauthentication",
            "Delete the line, or move it to the hosts it is meant for.",
        )];
    }
    let preferred = settings.value("preferredauthentications");
    if preferred.is_some_and(|list| !list.split(',').any(|m| m.trim() == "publickey")) {
        let summary = text!(
            "PreferredAuthentications leaves publickey out{}, so ssh offers no key.",
            place(facts, "preferredauthentications")
        );
        return vec![with_line(
            Finding::blocking(Code::PublickeyDisabled, summary).strikes(Strikes::AtLogin),
            facts,
            "preferredauthentications",
            "Delete the line, or add publickey to it.",
        )];
    }
    Vec::new()
}

fn network_options(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let mut out = Vec::new();
    for keyword in ["bindaddress", "bindinterface"] {
        if settings.value(keyword).is_some() && facts.cannot_bind() {
            let summary = text!(
                "{} names an address or interface this machine does not have{}.",
                written(keyword).unwrap_or(keyword),
                place(facts, keyword)
            );
            out.push(with_line(Finding::blocking(Code::NetworkOptionUnusable, summary), facts, keyword, "Delete the line."));
        }
    }
    let family = settings.value("addressfamily").filter(|f| *f != "any");
    if let Some(family) = family
        && facts.resolves_only_in_other_family()
    {
        let summary =
            text!("AddressFamily {} leaves no address of this host{}.", Private::quoted(family), place(facts, "addressfamily"));
        out.push(with_line(Finding::blocking(Code::NetworkOptionUnusable, summary), facts, "addressfamily", "Delete the line."));
    }
    let canonical = settings.is("canonicalizehostname", &["yes", "true", "always"]);
    if canonical && settings.is("canonicalizefallbacklocal", &["no", "false"]) && facts.name_fails() {
        let summary = text!(
            "CanonicalizeHostname finds no name for this host, and CanonicalizeFallbackLocal is no{}.",
            place(facts, "canonicalizefallbacklocal")
        );
        out.push(with_line(
            Finding::blocking(Code::NetworkOptionUnusable, summary),
            facts,
            "canonicalizefallbacklocal",
            "Delete the line.",
        ));
    }
    out
}

fn known_hosts_file(facts: &Facts, _: &Settings) -> Vec<Finding> {
    if !facts.setting_is_set("userknownhostsfile") {
        return Vec::new();
    }
    let (Ok(known), Ok(peer)) = (facts.known_hosts(), facts.peer()) else { return Vec::new() };
    let Some((usual, entries)) = &known.usual else { return Vec::new() };
    if !matches!(judge(entries, &peer.host_key.blob), Judgement::Trusted(_)) {
        return Vec::new();
    }
    let blocks = facts.host_key_stops_ssh();
    let summary = text!(
        "UserKnownHostsFile makes ssh read {} instead of {}, which knows the server{}.",
        Text::join(known.user_files.iter().map(|f| Private::path(f).into()), ", "),
        Private::path(usual),
        place(facts, "userknownhostsfile")
    );
    vec![with_line(
        Finding::blocking_if(blocks, Code::KnownHostsFileOverridden, summary),
        facts,
        "userknownhostsfile",
        "Delete the line.",
    )]
}

fn checking_disabled(facts: &Facts, settings: &Settings) -> Vec<Finding> {
    let off = settings.is("stricthostkeychecking", &["no", "off", "false"]);
    let nowhere = settings.value("userknownhostsfile").is_some_and(|f| f.split_whitespace().all(|f| f == "/dev/null"));
    if !off {
        return Vec::new();
    }
    let keyword = "stricthostkeychecking";
    let summary = text!(
        "StrictHostKeyChecking is off{}{}: anyone may pose as the server.",
        if nowhere { " and known hosts go to /dev/null" } else { "" },
        place(facts, keyword)
    );
    vec![with_line(
        Finding::warning(Code::HostKeyCheckingDisabled, summary),
        facts,
        keyword,
        "Delete the line, and add the published keys to known_hosts.",
    )]
}

fn algorithms(facts: &Facts, _: &Settings) -> Vec<Finding> {
    if let Some(key) = facts.missing_key_of_excluded_algorithm() {
        let keyword = "pubkeyacceptedalgorithms";
        let summary = text!(
            "PubkeyAcceptedAlgorithms leaves out the type of {}, the key that the server accepts{}.",
            key.name_text(),
            place(facts, keyword)
        );
        let finding = Finding::blocking(Code::AlgorithmsRestricted, summary);
        return vec![with_line(finding, facts, keyword, "Delete the line, or begin its value with + to add to the defaults.")];
    }
    let Some((keyword, ours, theirs)) = facts.restricting_algorithms() else { return pinned_algorithms(facts) };
    let summary = text!("{} leaves nothing that the server also has{}.", keyword, place(facts, &keyword.to_ascii_lowercase()));
    let finding = Finding::blocking(Code::AlgorithmsRestricted, summary)
        .evidence("ssh offers", Private::quoted(ours.join(",")))
        .evidence("the server offers", Private::quoted(theirs.join(",")));
    vec![with_line(
        finding,
        facts,
        &keyword.to_ascii_lowercase(),
        "Delete the line, or begin its value with + to add to the defaults.",
    )]
}

/// Lists that the user has written out work until the server drops what is on them.
fn pinned_algorithms(facts: &Facts) -> Vec<Finding> {
    let pinned = |keyword: &&&str| facts.user_pins_algorithms(keyword);
    let keywords = ["kexalgorithms", "hostkeyalgorithms", "ciphers", "macs", "pubkeyacceptedalgorithms"];
    let warn = |keyword: &&'static str| {
        let written = written(keyword).unwrap_or(keyword);
        let summary =
            text!("{} allows only what it lists{}; it works until the server drops that.", written, place(facts, keyword));
        let finding = Finding::warning(Code::AlgorithmsRestricted, summary);
        with_line(finding, facts, keyword, "Delete the line, or begin its value with + to add to the defaults.")
    };
    keywords.iter().filter(pinned).map(warn).collect()
}
