//! The keys at hand: those that ssh would try, in its order, and every other key found here, each with its file, the line
//! that names it and the reason why ssh leaves it out.

use serde::{Deserialize, Serialize};
use std::path::Path;

use super::identities::{CanSign, Identity, KeySource, Signer, WhyNot};
use super::key_file::{KeyFile, KeyState};
use super::public_key::PublicKey;
use super::ssh_config::Position;
use crate::privacy::{Kind, Private, Text};
use crate::text;

/// A key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// What ssh does with it.
    pub identity: Identity,
    /// Its file, looked at.
    pub file: Option<KeyFile>,
    /// The line that names it.
    pub position: Option<Position>,
    /// Only the agent of SSH_AUTH_SOCK has it, which ssh is told not to ask.
    pub in_usual_agent_only: bool,
}

impl Key {
    /// Its public half, as far as it is known.
    pub fn public(&self) -> Option<&PublicKey> {
        self.identity.any_public()
    }

    /// The public half of the private key in its file, where another one lies beside it.
    pub fn true_public(&self) -> Option<&PublicKey> {
        self.file.as_ref().filter(|f| f.pair_mismatch()).and_then(|f| f.held.as_ref())
    }

    /// ssh shows it to the server.
    pub fn offered(&self) -> bool {
        self.identity.offered
    }

    /// Whether ssh can log in with it without asking anybody.
    pub fn signs_by_itself(&self) -> bool {
        matches!(self.identity.can_sign, CanSign::Yes(Signer::Agent | Signer::File))
    }

    /// Whether ssh could log in with it if an agent held its private half.
    pub fn waits_for_an_agent(&self) -> bool {
        matches!(self.identity.can_sign, CanSign::NeedsPassphrase | CanSign::NoPrivateHalf)
    }

    /// Whether ssh has the public half alone.
    pub fn lacks_private_half(&self) -> bool {
        matches!(self.identity.can_sign, CanSign::NoPrivateHalf | CanSign::AgentMustSign)
    }

    /// Whether its file is a private key.
    pub fn holds_private_half(&self) -> bool {
        self.file.as_ref().is_some_and(KeyFile::is_private)
    }

    /// Whether only an agent has it.
    pub fn from_agent(&self) -> bool {
        matches!(self.identity.source, KeySource::Agent { .. })
    }

    /// Its file or its comment alone.
    pub fn bare_name(&self) -> Text {
        match &self.identity.source {
            KeySource::File { path } | KeySource::FileInAgent { path } => Private::path(path).into(),
            KeySource::Agent { comment } => Private::new(Kind::Comment, comment).into(),
        }
    }

    /// Its name, for a sentence.
    pub fn name_text(&self) -> Text {
        if self.from_agent() { text!("the agent's key {}", self.bare_name()) } else { self.bare_name() }
    }

    /// Why ssh leaves it out, or cannot use it.
    pub fn why_text(&self) -> Option<Text> {
        if self.in_usual_agent_only {
            return Some("ssh does not ask the agent that holds it".into());
        }
        let words = match (&self.identity.why_not, &self.identity.can_sign) {
            (Some(WhyNot::NotListed), _) => "no IdentityFile names it",
            (Some(WhyNot::IdentitiesOnly), _) => "IdentitiesOnly yes, and no IdentityFile names it",
            (Some(WhyNot::AlgorithmNotAccepted), _) => "PubkeyAcceptedAlgorithms leaves its type out",
            (Some(WhyNot::RsaTooShort(_)), _) => "it is shorter than RequiredRSASize",
            (Some(WhyNot::NoSecurityKeyProvider), _) => "ssh has nothing to reach security keys with",
            (Some(WhyNot::HostCertificate), _) => "it is a certificate for hosts",
            (Some(WhyNot::CannotLoad(_)), _) => "ssh cannot load it, and no public half is known",
            (Some(WhyNot::UnknownType), _) => "ssh does not know its type",
            (Some(WhyNot::TooManyFiles), _) => "ssh takes only a hundred files",
            (None, CanSign::NeedsPassphrase) => "it needs a passphrase, and nobody can type it",
            (None, CanSign::AgentMustSign) => "it is a public half, and no agent holds the private one",
            (None, CanSign::NoPrivateHalf) => "the private half is missing",
            (None, CanSign::PairMismatch) => "the .pub beside it belongs to another key",
            (None, CanSign::Unusable(KeyState::PermissionsTooOpen { mode, .. })) => {
                return Some(text!("permissions {}", Text::mode(*mode)));
            }
            (None, CanSign::Unusable(KeyState::Unreadable(_))) => "its file cannot be read",
            (None, CanSign::Unusable(KeyState::NotAFile)) => "its name is that of no file",
            (None, CanSign::Unusable(KeyState::Corrupt { .. })) => "its file is damaged",
            (None, CanSign::Unusable(KeyState::Ppk)) => "its file is in PuTTY's format",
            (None, CanSign::Unusable(KeyState::UnsupportedType(_))) => "ssh does not support its type",
            (None, CanSign::Unusable(_)) => "ssh cannot load the private half",
            (None, CanSign::Yes(_)) => return None,
        };
        Some(words.into())
    }

    /// Whether IdentitiesOnly alone keeps it back.
    pub fn kept_back_by_identities_only(&self) -> bool {
        self.identity.why_not == Some(WhyNot::IdentitiesOnly) && !self.in_usual_agent_only
    }
}

/// All keys, those that ssh goes through first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Keys {
    list: Vec<Key>,
    listed: Vec<KeyFile>,
}

impl Keys {
    /// Of `list`, those that ssh goes through first, and of the files that settings name.
    pub fn new(list: Vec<Key>, listed: Vec<KeyFile>) -> Self {
        Keys { list, listed }
    }

    /// Those that ssh shows to the server, in its order.
    pub fn offered(&self) -> impl Iterator<Item = &Key> {
        self.list.iter().filter(|k| k.offered())
    }

    /// Those that ssh does not show.
    pub fn others(&self) -> impl Iterator<Item = &Key> {
        self.list.iter().filter(|k| !k.offered())
    }

    /// All.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        self.list.iter()
    }

    /// The key with this public half.
    pub fn find(&self, blob: &[u8]) -> Option<&Key> {
        self.list.iter().find(|k| k.public().is_some_and(|p| p.blob == blob))
    }

    /// The file, unknown to ssh, that has the private half of a key of which ssh has the public one.
    pub fn private_half_of(&self, half: &Key) -> Option<&Key> {
        let same = |key: &&Key| key.public().is_some() && key.public().map(|p| &p.blob) == half.public().map(|p| &p.blob);
        self.list.iter().filter(|_| half.lacks_private_half()).find(|key| key.holds_private_half() && same(key))
    }

    /// The key in this file.
    pub fn at_path(&self, path: &Path) -> Option<&Key> {
        self.list.iter().find(|k| k.identity.source.path() == Some(path))
    }

    /// The file that a setting names, whether or not there is one.
    pub fn file_at(&self, path: &Path) -> Option<&KeyFile> {
        self.listed.iter().find(|f| f.path == path)
    }
}
