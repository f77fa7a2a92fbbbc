//! Who would sign if the server accepted a key: `sign_and_send_pubkey`, `identity_sign` and `load_identity_file` of
//! `sshconnect2.c`.

use std::path::Path;

use super::{Candidate, KeySettings, short};
use bbdoctor_checks::facts::files::with_suffix;
use bbdoctor_checks::facts::identities::{CanSign, Signer};
use bbdoctor_checks::facts::key_file::{KeyFile, KeyState};
use bbdoctor_checks::facts::public_key::PublicKey;

/// Who signs for the candidate at `at`. A certificate is signed for by a plain key of the same pair further down ssh's
/// queue, which begins behind the candidate; else by a file of the same name whose public half is not known; else by
/// itself.
pub(super) fn signer(tried: &[Candidate<'_>], at: usize, settings: &KeySettings) -> CanSign {
    let candidate = &tried[at];
    if let Some(certificate) = candidate.key.as_ref().filter(|key| key.certificate.is_some()) {
        let queue = || tried[at + 1..].iter().chain(&tried[..at]);
        let plain = |c: &&Candidate<'_>| c.key.as_ref().is_some_and(|key| key.blob == certificate.plain_blob());
        let same_name = |c: &&Candidate<'_>| !candidate.agent && c.key.is_none() && stands_for(&candidate.name, &c.name);
        if let Some(other) = queue().find(plain).or_else(|| queue().find(same_name)) {
            return by_itself(other, Some(certificate), settings);
        }
    }
    by_itself(candidate, candidate.key.as_ref(), settings)
}

/// As `id_filename_matches`: the certificate's name is the key's, or that with `.pub` or `-cert.pub` behind it.
fn stands_for(certificate: &Path, key: &Path) -> bool {
    ["", ".pub", "-cert.pub"].iter().any(|suffix| with_suffix(key, suffix) == certificate)
}

/// Without looking for another key of the same pair; `wanted` is the public half that was offered.
pub(super) fn by_itself(candidate: &Candidate<'_>, wanted: Option<&PublicKey>, settings: &KeySettings) -> CanSign {
    if candidate.agent {
        return CanSign::Yes(Signer::Agent);
    }
    match candidate.file {
        Some(file) => by_file(file, wanted, settings),
        // A CertificateFile by itself: ssh looks for a private key in it.
        None => CanSign::AgentMustSign,
    }
}

/// With the file, as it loads.
pub(super) fn by_file(file: &KeyFile, wanted: Option<&PublicKey>, settings: &KeySettings) -> CanSign {
    let too_short = file.held.as_ref().is_some_and(|held| short(held, settings).is_some());
    let other_pair = matches!((wanted, &file.held), (Some(a), Some(b)) if a.plain_blob() != b.plain_blob());
    match &file.state {
        state if state.loads() && too_short => CanSign::Unusable(KeyState::UnsupportedType("ssh-rsa".to_owned())),
        state if state.loads() && other_pair => CanSign::PairMismatch,
        KeyState::Usable if file.held.as_ref().is_some_and(PublicKey::is_security_key) => {
            if settings.security_key_provider {
                CanSign::Yes(Signer::SecurityKey)
            } else {
                CanSign::Unusable(file.state.clone())
            }
        }
        KeyState::Usable => CanSign::Yes(Signer::File),
        KeyState::Encrypted if settings.can_ask => CanSign::Yes(Signer::FileAfterPassphrase),
        KeyState::Encrypted => CanSign::NeedsPassphrase,
        KeyState::Missing { .. } | KeyState::DanglingLink if wanted.is_some() => CanSign::NoPrivateHalf,
        KeyState::PublicHalf => CanSign::AgentMustSign,
        other => CanSign::Unusable(other.clone()),
    }
}
