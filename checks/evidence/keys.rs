//! The keys at hand: those that ssh would try, in its order, and every other key found here, each with its file, the line
//! that names it and the reason why ssh leaves it out.

use std::path::{Path, PathBuf};

use super::Evidence;
use super::identities::{self, CanSign, Identity, KeyFiles, KeySource, ListedFile, Signer, WhyNot};
use super::key_file::Loader;
use super::keyring::Holder;
use super::ssh_config::Position;
use crate::facts::key_file::{KeyFile, KeyState};
use crate::facts::public_key::PublicKey;
use crate::privacy::{Kind, Private, Text};
use crate::text;
use crate::unavailable::Unavailable;

/// A key.
#[derive(Debug)]
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
#[derive(Debug, Default)]
pub struct Keys {
    list: Vec<Key>,
    listed: Vec<KeyFile>,
}

impl Keys {
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

/// Leaves out keys that were only found when ssh goes through the same key anyhow; what is known of the file stays.
fn without_twins(list: Vec<Key>) -> Vec<Key> {
    let mut out: Vec<Key> = Vec::new();
    for key in list {
        let same = |other: &&mut Key| other.public().is_some() && other.public().map(|p| &p.blob) == key.public().map(|p| &p.blob);
        match out.iter_mut().find(same) {
            // Where ssh has but the public half, the file with the private one is a key of its own.
            Some(twin)
                if key.identity.why_not == Some(WhyNot::NotListed) && !(twin.lacks_private_half() && key.holds_private_half()) =>
            {
                twin.file = twin.file.take().or(key.file);
            }
            _ => out.push(key),
        }
    }
    out
}

/// Puts the keys in ssh's order.
pub(super) fn gather(evidence: &Evidence) -> Result<Keys, Unavailable> {
    let (settings, keyring) = (evidence.settings()?, evidence.keyring()?);
    let held = |holder: &Option<Holder>| holder.as_ref().and_then(|h| h.keys.as_ref().ok()).cloned();
    let accepted = settings.value("pubkeyacceptedalgorithms");
    let wanted = identities::KeySettings {
        identity_files: settings
            .identity_files()
            .iter()
            .filter(|f| !f.path.eq_ignore_ascii_case("none"))
            .map(|f| ListedFile { path: evidence.expand_path(&f.path), user_provided: f.user_provided })
            .collect(),
        certificate_files: settings
            .values("certificatefile")
            .into_iter()
            .filter(|f| *f != "none")
            .map(|f| evidence.expand_path(f))
            .collect(),
        identities_only: settings.is_on("identitiesonly"),
        accepted_algorithms: accepted.map(|v| v.split(',').map(String::from).collect()),
        required_rsa_size: settings
            .value("requiredrsasize")
            .and_then(|b| b.parse().ok())
            .unwrap_or(crate::facts::public_key::RSA_MINIMUM_BITS),
        security_key_provider: true,
        can_ask: evidence.person_can_type_passphrase(),
    };
    let version = evidence.traits().version;
    let loader = Loader { uid: evidence.account().uid, openssh: Some((version / 100, version % 100)) };
    let folder = evidence.account().ssh_home().map(|home| home.join(".ssh"));
    let mut files = KeyFiles::read(&wanted, &loader, folder.as_deref());
    // Keys in $HOME, where git looks and ssh does not, are worth asking about too.
    let other_home = evidence.account().home_variable.as_ref().map(|home| home.join(".ssh")).filter(|f| Some(f) != folder.as_ref());
    if let Some(other) = other_home {
        files.found.extend(KeyFiles::read(&identities::KeySettings::default(), &loader, Some(&other)).found);
    }
    // Those of the user who has called sudo, as well.
    let caller = evidence.account().sudo_home().map(|home| home.join(".ssh"));
    if let Some(other) = caller.filter(|f| Some(f) != folder.as_ref() && !files.found.iter().any(|k| k.path.starts_with(f))) {
        files.found.extend(KeyFiles::read(&identities::KeySettings::default(), &loader, Some(&other)).found);
    }
    let agent = held(&keyring.used);
    let tried = identities::identities(&wanted, &files, agent.as_deref());
    let position = |path: Option<&Path>| {
        let named = settings.identity_files().iter().find(|f| Some(evidence.expand_path(&f.path).as_path()) == path)?;
        named.source.position().cloned()
    };
    let file = |path: Option<&Path>| {
        let listed = files.listed.iter().map(|(_, file)| file);
        listed.chain(&files.found).find(|f| Some(f.path.as_path()) == path).cloned()
    };
    let mut list: Vec<Key> = tried
        .into_iter()
        .map(|identity| {
            let path: Option<PathBuf> = identity.source.path().map(Path::to_path_buf);
            Key { file: file(path.as_deref()), position: position(path.as_deref()), in_usual_agent_only: false, identity }
        })
        // A default or named file that does not exist, and of which nothing else is known, is no key.
        .filter(|key| {
            let something = |f: &KeyFile| f.access.is_some() || f.state == KeyState::DanglingLink;
            key.public().is_some() || key.file.as_ref().is_none_or(something)
        })
        .collect();
    list = without_twins(list);
    let usual = held(&keyring.usual).unwrap_or_default();
    let settings_without =
        identities::KeySettings { identity_files: Vec::new(), identities_only: true, ..identities::KeySettings::default() };
    for identity in identities::identities(&settings_without, &KeyFiles::default(), Some(&usual)) {
        let known = |key: &Key| key.public().map(|p| &p.blob) == identity.any_public().map(|p| &p.blob);
        match list.iter().position(known) {
            // The file alone may be unusable while that agent could sign.
            Some(index) if !list[index].signs_by_itself() && !list[index].offered() => {
                list[index].in_usual_agent_only = true;
                list[index].identity.can_sign = CanSign::Yes(Signer::Agent);
            }
            Some(_) => {}
            None => list.push(Key { identity, file: None, position: None, in_usual_agent_only: true }),
        }
    }
    Ok(Keys { list, listed: files.listed.into_iter().map(|(_, file)| file).collect() })
}
