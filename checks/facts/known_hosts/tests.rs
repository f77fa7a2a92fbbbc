use super::*;
use crate::facts::survives_json;

/// A blob of these fields.
fn key(fields: &[&[u8]]) -> PublicKey {
    let mut blob = Vec::new();
    for field in fields {
        blob.extend_from_slice(&u32::try_from(field.len()).expect("short").to_be_bytes());
        blob.extend_from_slice(field);
    }
    PublicKey::from_blob(&blob, b"").expect("a key")
}

fn ed25519(seed: u8) -> PublicKey {
    key(&[b"ssh-ed25519", &[seed; 32]])
}

fn rsa() -> PublicKey {
    key(&[b"ssh-rsa", &[1, 0, 1], &[0x7f; 256]])
}

fn line(number: usize, marker: Marker, key: PublicKey) -> HostKeyLine {
    let algorithm = key.algorithm.clone();
    HostKeyLine { file: "/k".into(), line: number, marker, algorithm, key, via_fallback: false }
}

/// What the files say: the keys of servers, one a line.
fn known(keys: &[PublicKey]) -> HostEntries {
    let keys = keys.iter().enumerate().map(|(at, key)| line(at + 1, Marker::None, key.clone())).collect();
    HostEntries { name: "h".into(), keys, ..HostEntries::default() }
}

#[test]
fn a_key_is_known_changed_revoked_or_of_a_type_that_is_not_known() {
    let judged = |entries: &HostEntries| judge(entries, &ed25519(1).blob);
    assert_eq!(judged(&known(&[])), Judgement::Unknown);
    assert!(matches!(judged(&known(&[rsa(), ed25519(1)])), Judgement::Trusted(by) if by.line == 2));
    assert!(matches!(judged(&known(&[ed25519(2), rsa(), ed25519(3)])), Judgement::Changed(lines) if lines.len() == 2));
    assert!(matches!(judged(&known(&[rsa()])), Judgement::OtherTypesOnly(lines) if lines.len() == 1));
    let mut entries = known(&[ed25519(1)]);
    entries.keys.push(line(2, Marker::Revoked, ed25519(1)));
    assert!(matches!(judged(&entries), Judgement::Revoked(by) if by.line == 2));
    let authority = HostEntries { keys: vec![line(1, Marker::CertAuthority, ed25519(1))], ..HostEntries::default() };
    assert!(matches!(judged(&authority), Judgement::CertificateAuthorityOnly(_)), "an authority's own key is no host's");
    assert_eq!(judge(&known(&[rsa()]), b"nonsense"), Judgement::Unknown);
}

#[test]
fn the_plain_name_counts_where_nothing_is_known_in_brackets() {
    let fallback = |key| HostKeyLine { via_fallback: true, ..line(1, Marker::None, key) };
    let entries = HostEntries { keys: vec![fallback(ed25519(1))], ..HostEntries::default() };
    assert!(matches!(judge(&entries, &ed25519(1).blob), Judgement::Trusted(_)));
    assert_eq!(judge(&entries, &ed25519(2).blob), Judgement::Unknown, "ssh keeps silent about another key there");
    let mut both = entries.clone();
    both.keys.push(line(2, Marker::None, ed25519(2)));
    assert!(matches!(judge(&both, &ed25519(2).blob), Judgement::Trusted(by) if by.line == 2));
    assert!(matches!(judge(&both, &ed25519(1).blob), Judgement::Changed(lines) if lines[0].line == 2));
}

#[test]
fn known_types_are_proposed_first() {
    let default: Vec<String> =
        ["ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]
            .map(str::to_owned)
            .to_vec();
    let order = |entries: &HostEntries| preferred_algorithms(entries, &default).join(" ");
    assert_eq!(order(&known(&[])), default.join(" "));
    assert_eq!(order(&known(&[ed25519(1), rsa()])), default.join(" "));
    assert_eq!(
        order(&known(&[rsa()])),
        "rsa-sha2-512 rsa-sha2-256 ssh-ed25519-cert-v01@openssh.com ssh-ed25519 ecdsa-sha2-nistp256"
    );
    let mut entries = known(&[rsa()]);
    entries.keys.push(line(2, Marker::CertAuthority, ed25519(1)));
    assert_eq!(order(&entries), "ssh-ed25519-cert-v01@openssh.com rsa-sha2-512 rsa-sha2-256 ssh-ed25519 ecdsa-sha2-nistp256");
}

#[test]
fn is_recorded_and_read_back() {
    let mut entries = known(&[ed25519(0xff), rsa()]);
    let file = PathBuf::from(bytes::word(b"/home/\xff/known_hosts".to_vec()));
    for fault in [LineFault::TypeDiffers("ssh-rsa".into()), LineFault::RsaTooShort(768), LineFault::Version1] {
        entries.malformed.push(SkippedLine { file: file.clone(), line: 7, fault, mentions_host: true });
    }
    entries.unreadable.push(UnreadableFile { file, missing: false });
    survives_json(&entries);
    for judgement in
        [Judgement::Trusted(line(1, Marker::CertAuthority, rsa())), Judgement::Changed(entries.keys.clone()), Judgement::Unknown]
    {
        survives_json(&judgement);
    }
}
