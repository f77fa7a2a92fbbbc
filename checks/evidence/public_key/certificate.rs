//! The part of an OpenSSH certificate that follows the public key (PROTOCOL.certkeys of OpenSSH).

use serde::{Deserialize, Serialize};

use super::encoding::Reader;
use super::text;

/// The most principals or options kept; `sshkey.c` allows 256 principals.
const LIST_LIMIT: usize = 256;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateType {
    /// To log in with.
    User,
    /// To be recognised by, as a server.
    Host,
}

/// What a certificate says of the key in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// User or host.
    #[serde(rename = "type")]
    pub kind: CertificateType,
    /// Serial number.
    pub serial: u64,
    /// The identity its issuer gave it.
    pub key_id: String,
    /// User or host names it is good for; empty means any.
    pub principals: Vec<String>,
    /// Seconds since 1970 from which it holds.
    pub valid_after: u64,
    /// Seconds since 1970 until which it holds; `u64::MAX` means for ever.
    pub valid_before: u64,
    /// Names of the critical options (`force-command`, `source-address`, `verify-required`).
    pub critical_options: Vec<String>,
    /// The public key of the authority that signed it, as a blob.
    #[serde(with = "crate::facts::bytes")]
    pub authority: Vec<u8>,
    /// The certified key by itself, as a blob.
    #[serde(with = "crate::facts::bytes")]
    pub plain_blob: Vec<u8>,
}

impl CertificateFacts {
    /// Whether it holds at `now`, in seconds since 1970: `valid_after <= now < valid_before`, as sshd judges it.
    pub fn valid_at(&self, now: u64) -> bool {
        self.valid_after <= now && now < self.valid_before
    }

    /// Reads the fields after the key; `None` when `sshkey_from_blob` would refuse them.
    pub(super) fn read(reader: &mut Reader<'_>, plain_blob: Vec<u8>) -> Option<Self> {
        let serial = reader.u64()?;
        let kind = match reader.u32()? {
            1 => CertificateType::User,
            2 => CertificateType::Host,
            _ => return None,
        };
        let key_id = text(reader.string()?);
        let mut names = Reader(reader.string()?);
        let mut principals = Vec::new();
        while !names.is_empty() {
            if principals.len() >= LIST_LIMIT {
                return None;
            }
            principals.push(text(names.string()?));
        }
        let (valid_after, valid_before) = (reader.u64()?, reader.u64()?);
        let critical_options = option_names(reader.string()?)?;
        option_names(reader.string()?)?; // extensions
        reader.string()?; // reserved
        let authority = reader.string()?.to_vec();
        reader.string()?; // signature
        Some(CertificateFacts {
            kind,
            serial,
            key_id,
            principals,
            valid_after,
            valid_before,
            critical_options,
            authority,
            plain_blob,
        })
    }
}

fn option_names(packed: &[u8]) -> Option<Vec<String>> {
    let (mut reader, mut names) = (Reader(packed), Vec::new());
    while !reader.is_empty() {
        let name = reader.string()?;
        reader.string()?;
        if names.len() < LIST_LIMIT {
            names.push(text(name));
        }
    }
    Some(names)
}
