//! Does the host's name resolve?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::connection::ResolveError;
use crate::finding::{Code, Confidence, Finding, Side, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::Remedy;
use crate::text;
use crate::unavailable::Unavailable;

/// This check.
#[derive(Debug)]
pub(crate) struct NameResolution;

const META: Meta = Meta {
    id: CheckId::NameResolution,
    title: "The host name resolves",
    needs: &[Need::Name],
    page: include_str!("name_resolution.md"),
};

impl Check for NameResolution {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let name = facts.hostname()?;
        let addresses = match facts.resolution()? {
            Ok(addresses) => addresses,
            Err(error) => {
                let mut found = Findings::new(text!("{} does not resolve", Private::host(&name)));
                found.push(unresolved(facts, &name, error));
                return Ok(found);
            }
        };
        let shown = Text::join(addresses.iter().map(|a| Private::host(a.ip().to_string()).into()), ", ");
        let mut found = Findings::new(text!("{} resolves to {}", Private::host(&name), &shown));
        let pinned = facts.hosts_file_line;
        let public = facts.is_cloud();
        if public && (pinned.is_some() || addresses.iter().any(|a| !crate::facts::connection::is_public(a.ip()))) {
            let summary = match &pinned {
                Some(line) => text!("The hosts file (line {}) pins {} to {}.", *line, Private::host(&name), &shown),
                None => text!("{} resolves to {}, which is no public address.", Private::host(&name), &shown),
            };
            let mut finding = Finding::warning(Code::DnsSuspicious, summary).subject(Subject::new("host", Private::host(&name)));
            if let Some(line) = pinned {
                finding = finding.remedy(advice::unpin(line, "Delete the line, unless it is there on purpose."));
            } else {
                finding = finding.remedy(Remedy::ask("ask-network", "Ask your network's administrators why the name leads there."));
            }
            found.push(finding);
        }
        Ok(found)
    }
}

fn unresolved(facts: &Facts, name: &str, error: &ResolveError) -> Finding {
    let said = error.text();
    if facts.services.looks_like_alias(name) {
        let near = facts.similar_alias(name);
        let summary = match &near {
            Some(near) => text!(
                "{} looks like an ssh alias, but no Host block here defines it; {} is defined.",
                Private::host(name),
                Private::host(near)
            ),
            None => text!("{} looks like an ssh alias, but no Host block on this machine defines it.", Private::host(name)),
        };
        let mut finding = Finding::blocking(Code::AliasUndefined, summary)
            .subject(Subject::new("host", Private::host(name)))
            .evidence("resolver", said);
        if let Some(url) = facts.url_with_host(near.as_deref()) {
            finding = finding.remedy(advice::set_url(facts, "Name a host that exists.", &url));
        }
        return finding.remedy(Remedy::ask(
            "define-alias",
            text!(
                "If it is meant as an alias: define it in ~/.ssh/config, with HostName {} and the IdentityFile of the account.",
                Private::host(facts.current_host())
            ),
        ));
    }
    let summary = match error {
        ResolveError::TemporaryFailure(_) => text!("The name {} cannot be resolved: no name server answers.", Private::host(name)),
        ResolveError::TimedOut => {
            text!("The name {} cannot be resolved: the name servers do not answer in time.", Private::host(name))
        }
        _ => text!("The name {} does not resolve.", Private::host(name)),
    };
    let mut finding =
        Finding::blocking(Code::DnsFailure, summary).subject(Subject::new("host", Private::host(name))).evidence("resolver", said);
    if let Some(service) = facts.services.near_miss(name)
        && let Some(url) = facts.url_with_host(Some(&service.name))
    {
        finding = finding.side(Side::ThisMachine).confidence(Confidence::Likely).remedy(advice::set_url(
            facts,
            text!("The host is probably meant to be {}.", Private::host(&service.name)),
            &url,
        ));
    }
    finding.remedy(Remedy::ask(
        "check-network",
        "Check that this machine is on a network (or its VPN), and that its name server answers: do other names resolve?",
    ))
}
