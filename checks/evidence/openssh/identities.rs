//! The keys ssh would try, in its order, each with the reason why it is or is not of use; and beside them every other key
//! that is at hand. Mirrors `load_public_identity_files` of `ssh.c` and `pubkey_prepare`, `userauth_pubkey` and
//! `sign_and_send_pubkey` of `sshconnect2.c`.

mod search;
mod signing;

use bbdoctor_checks::facts::identities::{CanSign, Identity, KeySource, WhyNot};
use std::path::{Path, PathBuf};

use signing::{by_file, by_itself, signer};

use super::key_file::{self, Loader};
use super::pattern;
use bbdoctor_checks::facts::files::with_suffix;
use bbdoctor_checks::facts::key_file::KeyFile;
use bbdoctor_checks::facts::public_key::{CertificateType, PublicKey};

use bbdoctor_checks::facts::agent::AgentKey;

/// `SSH_MAX_IDENTITY_FILES` and `SSH_MAX_CERTIFICATE_FILES`.
const FILES_LIMIT: usize = 100;

/// An IdentityFile, tokens and `~` expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Where.
    pub path: PathBuf,
    /// From a configuration file or `-i`, and not one of ssh's defaults.
    pub user_provided: bool,
}

/// The settings that decide which keys are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// IdentityFile, in order; ssh's defaults when there is none.
    pub identity_files: Vec<ListedFile>,
    /// CertificateFile, in order, expanded.
    pub certificate_files: Vec<PathBuf>,
    /// IdentitiesOnly.
    pub identities_only: bool,
    /// PubkeyAcceptedAlgorithms, as `ssh -G` lists it or as it is written; `None` for ssh's default, which is everything
    /// but DSA and RSA with SHA-1.
    pub accepted_algorithms: Option<Vec<String>>,
    /// RequiredRSASize, in bits; 1024 by default.
    pub required_rsa_size: u32,
    /// ssh has something to reach security keys with (SecurityKeyProvider; most builds have it inside).
    pub security_key_provider: bool,
    /// Somebody or something can answer a passphrase prompt: no BatchMode, and a terminal or an askpass program.
    pub can_ask: bool,
}

impl Default for KeySettings {
    fn default() -> Self {
        KeySettings {
            identity_files: Vec::new(),
            certificate_files: Vec::new(),
            identities_only: false,
            accepted_algorithms: None,
            required_rsa_size: bbdoctor_checks::facts::public_key::RSA_MINIMUM_BITS,
            security_key_provider: true,
            can_ask: false,
        }
    }
}

/// The files that take part, examined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFiles {
    /// One for each of [`KeySettings::identity_files`] (except `none`), in order.
    pub listed: Vec<(ListedFile, KeyFile)>,
    /// The certificate in `FILE-cert` or `FILE-cert.pub` of each; looked for only without CertificateFile.
    pub beside: Vec<Option<PublicKey>>,
    /// What each CertificateFile holds, if that is a certificate.
    pub certificates: Vec<(PathBuf, Option<PublicKey>)>,
    /// Other keys in the user's folder.
    pub found: Vec<KeyFile>,
}

impl KeyFiles {
    /// Examines the files that `settings` name, and every key in `folder` (`~/.ssh`) that they do not name.
    pub fn read(settings: &KeySettings, loader: &Loader, folder: Option<&Path>) -> Self {
        let certificate = |path: &Path| key_file::load_public(path).filter(|key| key.certificate.is_some());
        let named = settings.identity_files.iter().filter(|f| !f.path.as_os_str().eq_ignore_ascii_case("none"));
        let listed: Vec<_> = named.take(FILES_LIMIT).map(|f| (f.clone(), key_file::inspect(&f.path, loader))).collect();
        let beside = listed.iter().map(|(f, _)| {
            let wanted = settings.certificate_files.is_empty();
            wanted.then(|| certificate(&with_suffix(&f.path, "-cert"))).flatten()
        });
        let certificates = settings.certificate_files.iter().take(FILES_LIMIT).map(|p| (p.clone(), certificate(p)));
        let found = folder.map(|folder| search::other_keys(folder, &listed, loader)).unwrap_or_default();
        KeyFiles { beside: beside.collect(), certificates: certificates.collect(), listed, found }
    }
}

/// A key on its way through `pubkey_prepare`.
struct Candidate<'a> {
    key: Option<PublicKey>,
    name: PathBuf,
    file: Option<&'a KeyFile>,
    /// `None` for a file.
    comment: Option<String>,
    agent: bool,
    user_provided: bool,
}

impl Candidate<'_> {
    fn source(&self) -> KeySource {
        match &self.comment {
            Some(comment) => KeySource::Agent { comment: comment.clone() },
            None if self.agent => KeySource::FileInAgent { path: self.name.clone() },
            None => KeySource::File { path: self.name.clone() },
        }
    }
}

/// The keys ssh goes through, in its order; after them those it leaves aside and the others at hand. `agent` is what the
/// agent lists, `None` without an agent.
pub fn identities(settings: &KeySettings, files: &KeyFiles, agent: Option<&[AgentKey]>) -> Vec<Identity> {
    let mut aside = Vec::new();
    let (mut preferred, mut listed) = (Vec::new(), Vec::new());
    for (i, (named, file)) in files.listed.iter().enumerate() {
        let candidate = |key: Option<PublicKey>| Candidate {
            key,
            name: named.path.clone(),
            file: Some(file),
            comment: None,
            agent: false,
            user_provided: named.user_provided,
        };
        // A key that is too short is forgotten; its private half is still tried (`check_load`).
        let certificate = files.beside.get(i).cloned().flatten().filter(|key| short(key, settings).is_none());
        for candidate in [
            Some(candidate(file.public.clone().filter(|key| short(key, settings).is_none()))),
            certificate.map(|c| candidate(Some(c))),
        ] {
            let Some(candidate) = candidate else { continue };
            if listed.len() >= FILES_LIMIT {
                aside.push((candidate, WhyNot::TooManyFiles));
                continue;
            }
            match unfit(&candidate, settings) {
                Some(why) => aside.push((candidate, why)),
                None => listed.push(candidate),
            }
        }
    }
    for (path, key) in &files.certificates {
        let Some(key) = key else { continue };
        let why = short(key, settings);
        let candidate =
            Candidate { key: Some(key.clone()), name: path.clone(), file: None, comment: None, agent: false, user_provided: true };
        match why.or_else(|| unfit(&candidate, settings)) {
            Some(why) => aside.push((candidate, why)),
            None => preferred.push(candidate),
        }
    }
    let mut agent_only = Vec::new();
    for listing in agent.unwrap_or_default() {
        let comment = listing.comment.clone();
        let key = PublicKey::from_blob(&listing.blob, comment.as_bytes()).ok();
        let why = match &key {
            None => Some(WhyNot::UnknownType),
            Some(key) => short(key, settings),
        };
        let in_files =
            listed.iter().position(|c| c.key.is_some() && c.key.as_ref().map(|k| &k.blob) == key.as_ref().map(|k| &k.blob));
        if let (Some(at), None) = (in_files, &why) {
            let file = listed.remove(at);
            preferred.push(Candidate { agent: true, ..file });
            continue;
        }
        let name = PathBuf::from(&comment);
        let candidate = Candidate { key, name, file: None, comment: Some(comment), agent: true, user_provided: false };
        match why.or(settings.identities_only.then_some(WhyNot::IdentitiesOnly)) {
            Some(why) => aside.push((candidate, why)),
            None => agent_only.push(candidate),
        }
    }
    preferred.extend(agent_only);
    preferred.extend(listed);
    let (tried, filtered): (Vec<_>, Vec<_>) =
        preferred.into_iter().partition(|c| c.key.as_ref().is_none_or(|key| allowed(key, settings)));
    aside.extend(filtered.into_iter().map(|c| (c, WhyNot::AlgorithmNotAccepted)));

    let mut all: Vec<_> = (0..tried.len()).map(|at| tried_identity(&tried, at, settings)).collect();
    all.extend(aside.into_iter().map(|(c, why)| left_aside(c, why, settings)));
    all.extend(files.found.iter().map(|file| found_identity(file, settings)));
    all
}

/// Why a candidate never gets into ssh's list.
fn unfit(candidate: &Candidate<'_>, settings: &KeySettings) -> Option<WhyNot> {
    let key = candidate.key.as_ref()?;
    if key.certificate.as_ref().is_some_and(|c| c.kind != CertificateType::User) {
        return Some(WhyNot::HostCertificate);
    }
    (key.is_security_key() && !settings.security_key_provider).then_some(WhyNot::NoSecurityKeyProvider)
}

fn short(key: &PublicKey, settings: &KeySettings) -> Option<WhyNot> {
    (key.is_rsa() && key.bits < settings.required_rsa_size).then_some(WhyNot::RsaTooShort(key.bits))
}

/// As `key_type_allowed_by_config`: RSA also by the names of its newer signatures. A list as it is written may be of
/// patterns, and add to ssh's default (`+`, `^`) or take from it (`-`).
fn allowed(key: &PublicKey, settings: &KeySettings) -> bool {
    let by_default = |name: &str| !name.starts_with("ssh-dss") && !name.starts_with("ssh-rsa");
    let list = settings.accepted_algorithms.as_deref();
    let first = list.and_then(|list| list.first()).map(String::as_str).unwrap_or("+");
    let (change, first) = first.split_at(first.find(|c| !"+-^".contains(c)).unwrap_or(first.len()).min(1));
    let patterns = || std::iter::once(first).chain(list.unwrap_or_default().iter().skip(1).map(String::as_str));
    let listed = |name: &str| patterns().any(|pattern| pattern::matches(name, pattern));
    let accepted = |name: &str| match change {
        "" => listed(name),
        "-" => by_default(name) && !listed(name),
        _ => by_default(name) || listed(name),
    };
    let newer: &[&str] = match key.algorithm.as_str() {
        "ssh-rsa" => &["rsa-sha2-512", "rsa-sha2-256"],
        "ssh-rsa-cert-v01@openssh.com" => &["rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com"],
        _ => &[],
    };
    std::iter::once(key.algorithm.as_str()).chain(newer.iter().copied()).any(accepted)
}

fn tried_identity(tried: &[Candidate<'_>], at: usize, settings: &KeySettings) -> Identity {
    let candidate = &tried[at];
    let held = candidate.file.filter(|_| candidate.key.is_none()).and_then(|file| file.held.clone());
    let can_sign = signer(tried, at, settings);
    let why_not = match (&candidate.key, &can_sign) {
        (Some(_), _) => None,
        (None, CanSign::Yes(_)) => held
            .as_ref()
            .and_then(|key| short(key, settings).or_else(|| (!allowed(key, settings)).then_some(WhyNot::AlgorithmNotAccepted))),
        (None, _) => candidate.file.map(|file| WhyNot::CannotLoad(file.state.clone())),
    };
    Identity {
        order: u32::try_from(at + 1).ok(),
        source: candidate.source(),
        name: candidate.name.to_string_lossy().into_owned(),
        public: candidate.key.clone(),
        held,
        user_provided: candidate.user_provided,
        offered: why_not.is_none(),
        why_not,
        can_sign,
    }
}

fn left_aside(candidate: Candidate<'_>, why: WhyNot, settings: &KeySettings) -> Identity {
    let can_sign = by_itself(&candidate, candidate.key.as_ref(), settings);
    Identity {
        order: None,
        source: candidate.source(),
        name: candidate.name.to_string_lossy().into_owned(),
        public: candidate.key,
        held: None,
        user_provided: candidate.user_provided,
        offered: false,
        why_not: Some(why),
        can_sign,
    }
}

fn found_identity(file: &KeyFile, settings: &KeySettings) -> Identity {
    Identity {
        order: None,
        source: KeySource::File { path: file.path.clone() },
        name: file.path.to_string_lossy().into_owned(),
        public: file.public.clone(),
        held: file.held.clone(),
        user_provided: false,
        offered: false,
        why_not: Some(WhyNot::NotListed),
        can_sign: by_file(file, file.public.as_ref(), settings),
    }
}

#[cfg(test)]
mod tests;
