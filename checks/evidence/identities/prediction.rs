//! How a login ends, given which keys the server accepts.

use serde::Serialize;

use super::{CanSign, Identity};
use crate::facts::public_key::Blob;

/// The end of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
