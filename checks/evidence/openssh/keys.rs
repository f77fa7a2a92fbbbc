//! Finds the keys at hand and puts them in ssh's order.

use std::path::{Path, PathBuf};

use super::identities::{self, KeyFiles, ListedFile};
use super::key_file::Loader;
use bbdoctor_checks::facts::account::Account;
use bbdoctor_checks::facts::identities::{CanSign, Signer, WhyNot};
use bbdoctor_checks::facts::key_file::{KeyFile, KeyState};
use bbdoctor_checks::facts::keyring::{Holder, Keyring};
use bbdoctor_checks::facts::keys::{Key, Keys};
use bbdoctor_checks::facts::settings::Settings;
use bbdoctor_checks::facts::ssh_config::SshTraits;

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

/// What decides on the keys.
pub(crate) struct Inputs<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) keyring: &'a Keyring,
    pub(crate) account: &'a Account,
    pub(crate) traits: &'a SshTraits,
    /// Somebody could type a passphrase.
    pub(crate) can_ask: bool,
    /// Expands a path of ssh_config.
    pub(crate) expand: &'a dyn Fn(&str) -> PathBuf,
}

/// Puts the keys in ssh's order.
pub(crate) fn gather(inputs: &Inputs<'_>) -> Keys {
    let Inputs { settings, keyring, account, expand, .. } = *inputs;
    let held = |holder: &Option<Holder>| holder.as_ref().and_then(|h| h.keys.as_ref().ok()).cloned();
    let accepted = settings.value("pubkeyacceptedalgorithms");
    let wanted = identities::KeySettings {
        identity_files: settings
            .identity_files()
            .iter()
            .filter(|f| !f.path.eq_ignore_ascii_case("none"))
            .map(|f| ListedFile { path: expand(&f.path), user_provided: f.user_provided })
            .collect(),
        certificate_files: settings.values("certificatefile").into_iter().filter(|f| *f != "none").map(expand).collect(),
        identities_only: settings.is_on("identitiesonly"),
        accepted_algorithms: accepted.map(|v| v.split(',').map(String::from).collect()),
        required_rsa_size: settings
            .value("requiredrsasize")
            .and_then(|b| b.parse().ok())
            .unwrap_or(bbdoctor_checks::facts::public_key::RSA_MINIMUM_BITS),
        security_key_provider: true,
        can_ask: inputs.can_ask,
    };
    let version = inputs.traits.version;
    let loader = Loader { uid: account.uid, openssh: Some((version / 100, version % 100)) };
    let folder = account.ssh_home().map(|home| home.join(".ssh"));
    let mut files = KeyFiles::read(&wanted, &loader, folder.as_deref());
    // Keys in $HOME, where git looks and ssh does not, are worth asking about too.
    let other_home = account.home_variable.as_ref().map(|home| home.join(".ssh")).filter(|f| Some(f) != folder.as_ref());
    if let Some(other) = other_home {
        files.found.extend(KeyFiles::read(&identities::KeySettings::default(), &loader, Some(&other)).found);
    }
    // Those of the user who has called sudo, as well.
    let caller = account.sudo_home.as_ref().map(|home| home.join(".ssh"));
    if let Some(other) = caller.filter(|f| Some(f) != folder.as_ref() && !files.found.iter().any(|k| k.path.starts_with(f))) {
        files.found.extend(KeyFiles::read(&identities::KeySettings::default(), &loader, Some(&other)).found);
    }
    let agent = held(&keyring.used);
    let tried = identities::identities(&wanted, &files, agent.as_deref());
    let position = |path: Option<&Path>| {
        let named = settings.identity_files().iter().find(|f| Some(expand(&f.path).as_path()) == path)?;
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
    Keys::new(list, files.listed.into_iter().map(|(_, file)| file).collect())
}
