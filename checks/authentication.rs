//! Does the server accept a key, and is it the right one?

use crate::advice;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::conversation::{Conversation, words_of};
use crate::facts::identities::{Identity, Prediction, predict};
use crate::facts::keys::{Key, Keys};
use crate::finding::{Code, Confidence, Finding, Side, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::Remedy;
use crate::unavailable::Unavailable;
use crate::{bitbucket, text};

/// This check.
#[derive(Debug)]
pub(crate) struct Authentication;

/// So many keys are named one by one.
const NAMED: usize = 8;

const META: Meta = Meta {
    id: CheckId::Authentication,
    title: "The server accepts a key",
    needs: &[Need::Server],
    page: include_str!("authentication.md"),
};

impl Check for Authentication {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let conversation = facts.trusted_conversation()?;
        let identities = facts.keys()?;
        if let Some(login) = conversation.logins.iter().find(|l| l.as_ssh_would && l.result.is_ok()) {
            let key = identities.find(&login.key).map(Key::name_text).unwrap_or_default();
            let mut found = Findings::new(text!("the server accepts {}", key));
            found.findings.extend(crowded_out(facts, conversation, identities, &login.key));
            found.findings.extend(wrong_key(facts, conversation, identities));
            return Ok(found);
        }
        if conversation.open_door {
            return Ok(Findings::new("the server lets everybody in without a key"));
        }
        if let Some(why) = facts.untried_way_in() {
            return Err(Unavailable::Unknown { why });
        }
        let token = facts.token_library();
        let mut found = Findings::new("the server accepts no key that ssh would use");
        let denied = denied(facts, conversation, identities)?;
        found.push(match token {
            Some(library) => denied.evidence("not asked about", text!("the keys of PKCS11Provider {}", Private::path(library))),
            None => denied,
        });
        Ok(found)
    }
}

/// Our own questions were spread over several connections; ssh has but one, and does not come to the right key in it.
fn crowded_out(facts: &Facts, conversation: &Conversation, keys: &Keys, right: &[u8]) -> Option<Finding> {
    let tried: Vec<Identity> = keys.all().map(|k| k.identity.clone()).collect();
    let Prediction::TooManyRefusals { at } = predict(&tried, |blob| conversation.answer(blob), conversation.refusals_allowed?)
    else {
        return None;
    };
    let refusals = tried[..=at].iter().filter(|i| i.offered).count();
    Some(too_many(facts, conversation, keys.find(right)?, refusals))
}

/// The key that ssh uses first may not use the repository, and another key found here may.
fn wrong_key(facts: &Facts, conversation: &Conversation, identities: &Keys) -> Option<Finding> {
    let refused = conversation.access.iter().find(|a| a.as_ssh_would && !a.granted())?;
    let granted = conversation.access.iter().find(|a| a.granted())?;
    let (first, right) = (identities.find(&refused.key)?, identities.find(&granted.key)?);
    Some(
        Finding::blocking(
            Code::WrongKey,
            text!(
                "The server accepts {} first, which may not use this repository; {} may, but ssh does not get that far.",
                first.name_text(),
                right.name_text()
            ),
        )
        .strikes(Strikes::AfterLogin)
        .subject(Subject::new("key", right.name_text()))
        .evidence("used", described(first))
        .evidence("right", described(right))
        .remedies(advice::use_key(facts, right, true)),
    )
}

/// No key gets in: says why, as far as the server's answers tell.
fn denied(facts: &Facts, conversation: &Conversation, identities: &Keys) -> Result<Finding, Unavailable> {
    let answer = |identity: &Key| identity.public().and_then(|p| conversation.answer(&p.blob));
    let offered: Vec<&Key> = identities.offered().collect();
    if facts.signature_algorithm_is_missing() {
        return Ok(Finding::blocking(
            Code::SignatureAlgorithmRejected,
            "Client and server share no signature algorithm for this key.",
        )
        .confidence(Confidence::Likely)
        .remedy(Remedy::ask(
            "new-key",
            "Use an Ed25519 key; or, for an old server, set PubkeyAcceptedAlgorithms +ssh-rsa for this host.",
        )));
    }
    if let Some(first) = offered.iter().position(|i| answer(i) == Some(true)) {
        let refusals = offered[..first].iter().filter(|i| answer(i) == Some(false)).count();
        if let Some(limit) = conversation.refusals_allowed.map(|limit| limit as usize).filter(|limit| refusals >= *limit) {
            return Ok(too_many(facts, conversation, offered[first], limit));
        }
        if facts.login_stalls() {
            let summary =
                text!("The server accepts {}, but stops answering before the login is complete.", offered[first].name_text());
            return Ok(Finding::blocking(Code::AuthenticationFailed, summary)
                .confidence(Confidence::Likely)
                .side(Side::Network)
                .subject(Subject::new("key", offered[first].name_text()))
                .evidence("key", described(offered[first]))
                .remedy(Remedy::ask("other-network", "Try from another network: something on the route may drop packets.")));
        }
        return Ok(Finding::blocking(
            Code::AuthenticationFailed,
            text!("The server accepts {}, but ssh cannot log in with it.", offered[first].name_text()),
        )
        .confidence(Confidence::Likely)
        .subject(Subject::new("key", offered[first].name_text()))
        .evidence("key", described(offered[first]))
        .remedy(Remedy::ask("see-key", "See the findings about this key.")));
    }
    if let Some(other) = identities.others().find(|i| answer(i) == Some(true)) {
        return Ok(Finding::blocking(
            Code::KeyNotOffered,
            text!("The server accepts {}, but nothing makes ssh offer it.", other.name_text()),
        )
        .subject(Subject::new("key", other.name_text()))
        .evidence("key", described(other))
        .evidence("why", other.why_text().unwrap_or_default())
        .remedies(advice::use_key(facts, other, facts.agent_would_crowd_out(other))));
    }
    let asked: Vec<&Key> = identities.all().filter(|i| answer(i) == Some(false)).collect();
    let unjudged = offered.iter().any(|i| answer(i).is_none());
    let unasked = identities.all().filter(|i| i.public().is_some() && answer(i).is_none()).count();
    if asked.is_empty() {
        let why: Text = match (&conversation.ended, identities.all().next()) {
            (Some(words), _) => text!("The server closed the connection: {}.", Private::quoted(words_of(words))),
            (None, None) => "ssh has no key to offer, and the server wants one.".into(),
            (None, Some(_)) => "The server was asked about no key, because no public half could be read.".into(),
        };
        return Ok(Finding::blocking(Code::AuthenticationFailed, why)
            .confidence(Confidence::Possible)
            .remedy(Remedy::ask("see-keys", "See the findings about the keys.")));
    }
    if let Some(certificate) = asked.iter().find(|i| i.public().is_some_and(|p| p.certificate.is_some())) {
        return Ok(Finding::blocking(
            Code::CertificateRejected,
            text!("The server refuses the certificate {}.", certificate.name_text()),
        )
        .confidence(Confidence::Likely)
        .subject(Subject::new("key", certificate.name_text()))
        .evidence("key", described(certificate))
        .remedy(Remedy::ask(
            "ask-authority",
            "Ask whoever signs your certificates for one with the right principal, for this service.",
        )));
    }
    Ok(not_registered(facts, &asked, unjudged, unasked))
}

fn too_many(facts: &Facts, conversation: &Conversation, right: &Key, refusals: usize) -> Finding {
    Finding::blocking(
        Code::TooManyKeys,
        text!("The server disconnects after {} keys that it does not know, before ssh tries {}.", refusals, right.name_text()),
    )
    .subject(Subject::new("key", right.name_text()))
    .evidence("key", described(right))
    .evidence("refusals the server bears", text!("{}", conversation.refusals_allowed.map_or(0, |limit| limit.saturating_sub(1))))
    .remedies(advice::use_key(facts, right, true))
}

fn not_registered(facts: &Facts, asked: &[&Key], unjudged: bool, unasked: usize) -> Finding {
    let cloud = facts.is_cloud();
    let keys = Text::join(asked.iter().take(NAMED).map(|i| i.name_text()), ", ");
    let keys = if asked.len() > NAMED { text!("{} and {} more", keys, asked.len() - NAMED) } else { keys };
    let summary = match (asked.len(), unasked) {
        (1, 0) => text!("The server does not know the key {}.", keys),
        (_, 0) => text!("The server knows none of the keys found here: {}.", keys),
        _ => text!(
            "The server knows none of the {} keys that it was asked about ({}); {} more are here.",
            asked.len(),
            keys,
            unasked
        ),
    };
    let mut finding = Finding::blocking(Code::KeyNotRegistered, summary)
        .confidence(if unjudged || unasked > 0 { Confidence::Likely } else { Confidence::Proven })
        .subject(Subject::new("key", asked[0].name_text()));
    finding = finding.evidence("refused", Text::join(asked.iter().take(NAMED).map(|i| described(i)), ", "));
    if let Some(public) = asked[0].public() {
        finding = finding.evidence("public key", Private::public_key(public.line()));
    }
    if unasked > 0 {
        finding = finding.remedy(Remedy::ask(
            "name-key",
            "If one of the keys is registered, name it for this host with IdentityFile: servers disconnect a client that tries many.",
        ));
    }
    let summary = text!("Add the public half of {} to your account on the service.", asked[0].name_text());
    finding.remedy(if cloud {
        Remedy::visit("add-key", summary, bitbucket::ACCOUNT_KEYS_PAGE)
    } else {
        Remedy::ask("add-key", summary)
    })
}

fn described(identity: &Key) -> Text {
    match identity.public() {
        Some(public) => {
            text!("{} ({} {})", identity.name_text(), Text::algorithm(&public.algorithm), Text::fingerprint(public.fingerprint()))
        }
        None => identity.name_text(),
    }
}
