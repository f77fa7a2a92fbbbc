//! Which key gets in, which is held back, and what a fault of one weighs.

use super::Facts;
use super::agent::AgentError;
use super::conversation::{Login, LoginProblem};
use super::identities::{CanSign, KeySource, Signer, WhyNot};
use super::keyring::Holder;
use super::keys::Key;
use super::public_key::PublicKey;
use crate::privacy::{Private, Text};
use crate::text;

/// How much a fault of one key weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Another key gets in: this one does not matter.
    None,
    /// No key gets in, and the server refuses this one anyway.
    Refused,
    /// No key gets in, the server would accept this one.
    Decisive,
    /// No key gets in, and nobody knows whether the server would accept this one.
    Perhaps,
    /// Nobody knows whether any key gets in.
    Unknown,
}

impl Weight {
    pub(crate) fn blocks(self) -> bool {
        matches!(self, Weight::Decisive | Weight::Perhaps)
    }

    pub(crate) fn is_certain(self) -> bool {
        self == Weight::Decisive
    }

    pub(crate) fn matters(self) -> bool {
        !matches!(self, Weight::None | Weight::Refused)
    }

    /// No key gets in, and this one cannot even when it is registered.
    pub(crate) fn blocks_if_registered(self) -> bool {
        self == Weight::Refused
    }
}

impl Facts {
    /// Whether a key that ssh would use is known to log in.
    pub(crate) fn login_is_known_to_succeed(&self) -> bool {
        self.conversation().is_ok_and(|t| t.open_door || t.logins.iter().any(|l| l.as_ssh_would && l.result.is_ok()))
    }

    /// Whether the server was asked and no key that ssh would use logs in.
    pub(crate) fn login_fails(&self) -> bool {
        self.trusted_conversation().is_ok() && !self.login_is_known_to_succeed() && self.untried_way_in().is_none()
    }

    /// The PKCS#11 library whose keys ssh tries too (PKCS11Provider). They are not asked about here: the library is a program
    /// like any other, and a token wants its PIN.
    pub fn token_library(&self) -> Option<&str> {
        self.settings().ok()?.value("pkcs11provider").filter(|library| !library.eq_ignore_ascii_case("none"))
    }

    /// Why ssh may log in although no login succeeded here: a key that only ssh can use, or show. Where git has failed, it
    /// could not either, except with a passphrase, for which git's run asks nobody.
    pub(crate) fn untried_way_in(&self) -> Option<Text> {
        if self.login_is_known_to_succeed() {
            return None;
        }
        let asked_for =
            || Some(text!("ssh asks for the passphrase of {}, which was not done here", self.key_that_ssh_asks_for()?.name_text()));
        let beyond = || self.way_in_beyond_us().filter(|_| self.git_works() != Some(false));
        asked_for().or_else(beyond)
    }

    /// The key that the server has not refused and whose passphrase a person can give to ssh.
    pub(crate) fn key_that_ssh_asks_for(&self) -> Option<&Key> {
        self.offered_and(|key, answer| answer != Some(false) && key.identity.can_sign == CanSign::Yes(Signer::FileAfterPassphrase))
    }

    /// What git's own run, and it alone, can show to lead in.
    fn way_in_beyond_us(&self) -> Option<Text> {
        if let Some(library) = self.token_library() {
            return Some(text!(
                "no other key gets in; a key on the token of PKCS11Provider {} may, and was not asked about",
                Private::path(library)
            ));
        }
        if let Ok(Some(Holder { keys: Err(AgentError::TimedOut), .. })) = self.agent() {
            return Some("no other key gets in; the agent, for which ssh waits, did not list its keys in time".into());
        }
        let refuses = |login: &&Login| login.as_ssh_would && matches!(login.result, Err(LoginProblem::Agent(_)));
        if self.trusted_conversation().is_ok_and(|conversation| conversation.logins.iter().any(|l| refuses(&l))) {
            return Some(
                "the agent did not sign here; with a key that is bound to hosts (ssh-add -h) it does so for ssh alone".into(),
            );
        }
        let only_ssh = |key: &Key, answer| match key.public() {
            None => true,
            Some(public) => answer == Some(true) && (public.certificate.is_some() || public.is_security_key()),
        };
        let signs = |key: &Key| matches!(key.identity.can_sign, CanSign::Yes(Signer::File | Signer::SecurityKey));
        let key = self.offered_and(|key, answer| signs(key) && only_ssh(key, answer))?;
        Some(text!("only ssh itself can log in with {}", key.name_text()))
    }

    /// The first key that ssh shows to the server and of which `holds` is true, given the server's answer to it.
    fn offered_and(&self, holds: impl Fn(&Key, Option<bool>) -> bool) -> Option<&Key> {
        let conversation = self.trusted_conversation().ok()?;
        let answer = |key: &Key| key.public().and_then(|p| conversation.answer(&p.blob));
        self.keys().ok()?.offered().find(|key| holds(key, answer(key)))
    }

    /// Whether the server was asked about this key and does not take it.
    pub(crate) fn server_refuses(&self, key: &PublicKey) -> bool {
        self.trusted_conversation().is_ok_and(|conversation| conversation.answer(&key.blob) == Some(false))
    }

    /// What a fault of this key weighs.
    pub(crate) fn weight(&self, identity: &Key) -> Weight {
        let Some(conversation) = self.trusted_conversation().ok().filter(|_| self.untried_way_in().is_none()) else {
            return if identity.identity.order.is_some() { Weight::Unknown } else { Weight::None };
        };
        if self.login_is_known_to_succeed() {
            return Weight::None;
        }
        let answer = |key: Option<&PublicKey>| key.and_then(|p| conversation.answer(&p.blob));
        match (answer(identity.public()), answer(identity.true_public())) {
            (Some(true), _) | (_, Some(true)) => Weight::Decisive,
            (Some(false), _) => Weight::Refused,
            (None, _) if identity.identity.order.is_some() => Weight::Perhaps,
            (None, _) => Weight::None,
        }
    }

    /// Whether no key gets in although the server accepts this one, which ssh does not offer.
    pub(crate) fn is_the_missing_key(&self, identity: &Key) -> bool {
        !identity.offered() && self.login_fails() && self.weight(identity) == Weight::Decisive
    }

    /// The key that the server accepts and that ssh does not offer, where none gets in.
    pub(crate) fn missing_key(&self) -> Option<&Key> {
        self.keys().ok()?.others().find(|key| self.is_the_missing_key(key))
    }

    /// The key that the server accepts and that IdentitiesOnly alone keeps back.
    pub(crate) fn missing_key_kept_back_by_identities_only(&self) -> Option<&Key> {
        let identities = self.keys().ok()?;
        identities.others().find(|i| i.kept_back_by_identities_only() && self.is_the_missing_key(i))
    }

    /// The key that the server accepts and that PubkeyAcceptedAlgorithms alone keeps back.
    pub(crate) fn missing_key_of_excluded_algorithm(&self) -> Option<&Key> {
        let keys = self.keys().ok()?;
        keys.others().find(|k| k.identity.why_not == Some(WhyNot::AlgorithmNotAccepted) && self.is_the_missing_key(k))
    }

    /// Whether ssh has no key to show.
    pub(crate) fn offers_nothing(&self) -> bool {
        self.keys().is_ok_and(|keys| keys.offered().next().is_none())
    }

    /// Keys that only the agent of SSH_AUTH_SOCK holds while IdentityAgent names another, or none.
    pub(crate) fn keys_only_in_usual_agent(&self) -> Vec<&Key> {
        self.keys().map(|all| all.others().filter(|i| i.in_usual_agent_only).collect()).unwrap_or_default()
    }

    /// Whether so many agent keys come before a named key that servers hang up first.
    pub(crate) fn agent_would_crowd_out(&self, identity: &Key) -> bool {
        let Ok(identities) = self.keys() else { return false };
        let in_agent = matches!(identity.identity.can_sign, CanSign::Yes(Signer::Agent));
        !in_agent && identities.offered().filter(|i| i.from_agent()).count() >= 5
    }

    /// Keys other than this one that the configuration names and the agent holds.
    pub(crate) fn named_keys_in_agent(&self, right: &Key) -> Vec<&Key> {
        let named = |k: &&Key| k.identity.user_provided && matches!(k.identity.source, KeySource::FileInAgent { .. });
        let other = |k: &&Key| k.public().map(|p| &p.blob) != right.public().map(|p| &p.blob);
        self.keys().map(|all| all.offered().filter(named).filter(other).collect()).unwrap_or_default()
    }

    /// Whether ssh offers the agent's keys although nothing names them.
    pub(crate) fn offers_agent_keys_unasked(&self) -> bool {
        self.keys().is_ok_and(|all| all.offered().filter(|i| i.from_agent()).count() > 6)
    }

    /// The key that would log in if an agent held its private half unlocked.
    pub(crate) fn key_that_needs_an_agent(&self) -> Option<&Key> {
        let identities = self.keys().ok()?;
        if self.login_is_known_to_succeed() || self.person_can_type_passphrase() {
            return None;
        }
        identities.offered().find(|i| i.waits_for_an_agent() && self.weight(i).blocks())
    }

    /// The key that the configuration names and that only an agent could make usable, while another one logs in.
    pub(crate) fn named_key_out_of_use(&self) -> Option<&Key> {
        let identities = self.keys().ok()?;
        let named = |i: &&Key| i.identity.user_provided && i.waits_for_an_agent();
        identities.offered().find(named).filter(|_| self.login_is_known_to_succeed() && !self.person_can_type_passphrase())
    }
}
