//! The keys ssh goes through, each with the reason why it is or is not of use, and how a login with them ends.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytes;
use super::key_file::KeyState;
use super::public_key::{Blob, PublicKey};

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// A file.
    File {
        /// The private key file, or the certificate.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
    /// A file whose key the agent holds as well; the agent signs.
    FileInAgent {
        /// As above.
        #[serde(with = "bytes")]
        path: PathBuf,
    },
    /// The agent alone.
    Agent {
        /// What the agent calls it.
        comment: String,
    },
}

impl KeySource {
    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            KeySource::File { path } | KeySource::FileInAgent { path } => Some(path),
            KeySource::Agent { .. } => None,
        }
    }

    /// Whether the agent holds it.
    pub fn in_agent(&self) -> bool {
        !matches!(self, KeySource::File { .. })
    }
}

/// Why a key is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyNot {
    /// No IdentityFile names it.
    NotListed,
    /// It is in the agent, and IdentitiesOnly holds back what no IdentityFile names.
    IdentitiesOnly,
    /// Its algorithm is not among PubkeyAcceptedAlgorithms.
    AlgorithmNotAccepted,
    /// RSA of so many bits, below RequiredRSASize.
    RsaTooShort(u32),
    /// A security key, and ssh has no provider for those.
    NoSecurityKeyProvider,
    /// A certificate for hosts, not for users.
    HostCertificate,
    /// Its public half is not known, so ssh loads the private one when its turn comes, and that does not work.
    CannotLoad(KeyState),
    /// The agent's blob is no key ssh knows.
    UnknownType,
    /// Beyond the hundred files that ssh takes.
    TooManyFiles,
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signer {
    /// The agent; it may still refuse.
    Agent,
    /// ssh, with the file.
    File,
    /// ssh, with the file, after asking for its passphrase.
    FileAfterPassphrase,
    /// The security key the file stands for, if it is plugged in and touched.
    SecurityKey,
}

/// Whether ssh could sign if the server accepted the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CanSign {
    /// It could.
    Yes(Signer),
    /// The file is encrypted and nobody can be asked.
    NeedsPassphrase,
    /// The listed file is a public half, and no agent holds the private one.
    AgentMustSign,
    /// There is a public half and no private key file.
    NoPrivateHalf,
    /// The private key is of another pair than the public half that is offered.
    PairMismatch,
    /// The file does not load.
    Unusable(KeyState),
}

/// A key, and what ssh does with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its place among the keys ssh goes through (`Will attempt key`), from 1; `None` for keys ssh does not touch.
    pub order: Option<u32>,
    /// Where it comes from.
    pub source: KeySource,
    /// What `ssh -v` calls it: the file, or the agent's comment.
    pub name: String,
    /// The public half as ssh knows it beforehand; without it ssh tries the private key unannounced.
    pub public: Option<PublicKey>,
    /// The private key's own public half, when ssh does not know it beforehand but it can be told.
    pub held: Option<PublicKey>,
    /// Named by the user, not by default.
    pub user_provided: bool,
    /// Whether the server gets to see it.
    pub offered: bool,
    /// Why not.
    pub why_not: Option<WhyNot>,
    /// Whether ssh could sign with it.
    pub can_sign: CanSign,
}

impl Identity {
    /// The best that is known of the public half.
    pub fn any_public(&self) -> Option<&PublicKey> {
        self.public.as_ref().or(self.held.as_ref())
    }
}

/// The end of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prediction {
    /// By the identity at this index, unless its agent or security key refuses to sign.
    Authenticates {
        /// Index into the identities.
        by: usize,
    },
    /// The server ends the connection at the refusal of the identity at this index.
    TooManyRefusals {
        /// Index into the identities.
        at: usize,
    },
    /// Every key is refused, or accepted and not signed for.
    Denied,
    /// It depends on the identity at this index, of which it is not known whether the server accepts it.
    Unknown {
        /// Index into the identities.
        at: usize,
    },
}

/// Goes through the keys as ssh does. `acceptance` says of a blob whether the server accepts it, `None` if that is not
/// known; `limit` is the server's MaxAuthTries (6 by default).
///
/// A refusal counts, an accepted query is free (sshd's `auth2_pubkey` postpones it), and a signature that fails on this
/// side is free too, for ssh then sends nothing and goes on to the next key (`input_userauth_pk_ok`). The server ends
/// the connection at the refusal that reaches the limit.
pub fn predict(identities: &[Identity], acceptance: impl Fn(&Blob) -> Option<bool>, limit: u32) -> Prediction {
    let mut refusals = 0;
    let mut tried: Vec<_> = identities.iter().enumerate().filter(|(_, i)| i.order.is_some() && i.offered).collect();
    tried.sort_by_key(|(_, identity)| identity.order);
    for (at, identity) in tried {
        match identity.any_public().and_then(|key| acceptance(&key.blob)) {
            None => return Prediction::Unknown { at },
            Some(true) => {
                if matches!(identity.can_sign, CanSign::Yes(_)) {
                    return Prediction::Authenticates { by: at };
                }
            }
            Some(false) => {
                refusals += 1;
                if refusals >= limit {
                    return Prediction::TooManyRefusals { at };
                }
            }
        }
    }
    Prediction::Denied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    fn key(seed: u8) -> PublicKey {
        let blob = [b"\0\0\0\x0bssh-ed25519\0\0\0\x20", &[seed; 32][..]].concat();
        PublicKey::from_blob(&blob, b"ann@box").expect("a key")
    }

    /// A key of the agent's at this place.
    fn held(order: u32) -> Identity {
        Identity {
            order: Some(order),
            source: KeySource::Agent { comment: "ann@box".into() },
            name: "ann@box".into(),
            public: Some(key(order as u8)),
            held: None,
            user_provided: false,
            offered: true,
            why_not: None,
            can_sign: CanSign::Yes(Signer::Agent),
        }
    }

    #[test]
    fn refusals_count_and_accepted_queries_do_not() {
        let all: Vec<Identity> = (1..=7).map(held).collect();
        let only = |n: u8| predict(&all, |blob| Some(*blob == *key(n).blob), 6);
        assert_eq!(only(1), Prediction::Authenticates { by: 0 });
        assert_eq!(only(6), Prediction::Authenticates { by: 5 });
        assert_eq!(only(7), Prediction::TooManyRefusals { at: 5 });
        assert_eq!(predict(&all[..3], |_| Some(false), 6), Prediction::Denied);
        assert_eq!(predict(&all, |_| None, 6), Prediction::Unknown { at: 0 });
        let mut locked = all.clone();
        locked[0].can_sign = CanSign::NeedsPassphrase;
        assert_eq!(predict(&locked, |_| Some(true), 1), Prediction::Authenticates { by: 1 });
    }

    #[test]
    fn keys_that_ssh_does_not_touch_take_no_part_and_the_order_is_that_of_ssh() {
        let aside = Identity { order: None, offered: false, ..held(1) };
        let all = [aside, held(3), held(2)];
        assert_eq!(predict(&all, |_| Some(true), 6), Prediction::Authenticates { by: 2 });
        assert_eq!(predict(&all[..1], |_| Some(true), 6), Prediction::Denied);
    }

    #[test]
    fn is_recorded_and_read_back() {
        let path = || PathBuf::from(bytes::word(b"/home/\xff/.ssh/id_rsa".to_vec()));
        let state = || KeyState::Missing { nearest: Some(path()) };
        survives_json(&held(1));
        for (source, why_not) in [
            (KeySource::File { path: path() }, WhyNot::CannotLoad(state())),
            (KeySource::FileInAgent { path: path() }, WhyNot::RsaTooShort(768)),
        ] {
            let can_sign = CanSign::Unusable(state());
            survives_json(&Identity {
                order: None,
                source,
                why_not: Some(why_not),
                can_sign,
                public: None,
                held: Some(key(9)),
                ..held(1)
            });
        }
        survives_json(&Prediction::TooManyRefusals { at: 5 });
    }
}
