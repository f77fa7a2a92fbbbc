//! What ssh makes of a presented host key: `check_key_in_hostkeys` of `hostfile.c`, `check_host_key` of `sshconnect.c`
//! and `order_hostkeyalgs` of `sshconnect2.c`.

use serde::{Deserialize, Serialize};

use super::{HostEntries, HostKeyLine, Marker};
use crate::facts::public_key::{Blob, PublicKey, is_certificate_name, same_plain_kind};

/// What ssh would say to a presented key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The key is known by this line, or the authority of its certificate is.
    Trusted(HostKeyLine),
    /// A line revokes the key, or the authority of its certificate.
    Revoked(HostKeyLine),
    /// Lines hold another key of the presented type: `REMOTE HOST IDENTIFICATION HAS CHANGED`.
    Changed(Vec<HostKeyLine>),
    /// Lines hold keys, none of the presented type. ssh calls this changed too, although it is none; it comes about when
    /// HostKeyAlgorithms forces a type, or when the server no longer has the known ones.
    OtherTypesOnly(Vec<HostKeyLine>),
    /// Only lines with authorities speak of the host, and what was presented is not signed by one: unknown to ssh.
    CertificateAuthorityOnly(Vec<HostKeyLine>),
    /// No line speaks of the host.
    Unknown,
}

/// How ssh judges the key `presented` (a blob), with nobody to ask.
///
/// A certificate is judged as one first, and as the plain key in it when no authority vouches for it. The plain name
/// counts, for another port than 22, when nothing is known under `[host]:port`: an entry there that fits is trusted, and
/// one that does not is passed over in silence. For a certificate that question comes before the one for the plain key
/// under the bracketed name.
pub fn judge(entries: &HostEntries, presented: &Blob) -> Judgement {
    let Ok(key) = PublicKey::from_blob(presented, b"") else { return Judgement::Unknown };
    if let Some(decided) = as_certificate(entries, &key, false) {
        return decided;
    }
    let fallback = as_certificate(entries, &key, true).unwrap_or_else(|| as_plain_key(entries, &key, true));
    if key.certificate.is_some() && matches!(fallback, Judgement::Trusted(_)) {
        return fallback;
    }
    let bracketed = as_plain_key(entries, &key, false);
    match (&bracketed, &fallback) {
        (
            Judgement::Unknown | Judgement::CertificateAuthorityOnly(_),
            Judgement::Trusted(_) | Judgement::Revoked(_) | Judgement::CertificateAuthorityOnly(_),
        ) => fallback,
        _ => bracketed,
    }
}

fn marked(entries: &HostEntries, via_fallback: bool, marker: Marker) -> impl Iterator<Item = &HostKeyLine> {
    entries.keys.iter().filter(move |e| e.via_fallback == via_fallback && e.marker == marker)
}

/// `None` for a plain key, and for a certificate of which nothing is known.
fn as_certificate(entries: &HostEntries, key: &PublicKey, via_fallback: bool) -> Option<Judgement> {
    let authority = &key.certificate.as_ref()?.authority;
    let revoked = |e: &&HostKeyLine| e.key.plain_blob() == key.plain_blob() || e.key.plain_blob() == authority;
    if let Some(entry) = marked(entries, via_fallback, Marker::Revoked).find(revoked) {
        return Some(Judgement::Revoked(entry.clone()));
    }
    let vouched = marked(entries, via_fallback, Marker::CertAuthority).find(|e| e.key.plain_blob() == authority);
    vouched.map(|entry| Judgement::Trusted(entry.clone()))
}

fn as_plain_key(entries: &HostEntries, key: &PublicKey, via_fallback: bool) -> Judgement {
    if let Some(entry) = marked(entries, via_fallback, Marker::Revoked).find(|e| e.key.plain_blob() == key.plain_blob()) {
        return Judgement::Revoked(entry.clone());
    }
    if let Some(entry) = marked(entries, via_fallback, Marker::None).find(|e| e.key.blob == key.plain_blob()) {
        return Judgement::Trusted(entry.clone());
    }
    let (same, other): (Vec<_>, Vec<_>) =
        marked(entries, via_fallback, Marker::None).cloned().partition(|e| same_plain_kind(&e.algorithm, &key.algorithm));
    if !same.is_empty() {
        return Judgement::Changed(same);
    }
    if !other.is_empty() {
        return Judgement::OtherTypesOnly(other);
    }
    let authorities: Vec<_> = marked(entries, via_fallback, Marker::CertAuthority).cloned().collect();
    if authorities.is_empty() { Judgement::Unknown } else { Judgement::CertificateAuthorityOnly(authorities) }
}

/// The host key algorithms in the order in which ssh proposes them, given its default list: the list as it is when a key of
/// its first type is known, else the types with a known key first, and certificates first when an authority is known.
/// ssh orders only its default list, and one that HostKeyAlgorithms changes with `+` or `-`; any other stays as it is.
pub fn preferred_algorithms(entries: &HostEntries, default: &[String]) -> Vec<String> {
    let known = |marker| entries.keys.iter().filter(move |e| !e.via_fallback && e.marker == marker);
    let key_known = |name: &str| known(Marker::None).any(|e| same_plain_kind(&e.algorithm, name));
    if default.first().is_some_and(|best| key_known(best)) {
        return default.to_vec();
    }
    let authority_known = known(Marker::CertAuthority).next().is_some();
    let (mut first, last): (Vec<_>, Vec<_>) =
        default.iter().cloned().partition(|name| (authority_known && is_certificate_name(name)) || key_known(name));
    first.extend(last);
    first
}
