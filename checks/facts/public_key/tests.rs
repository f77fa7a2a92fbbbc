use super::*;
use crate::facts::survives_json;

/// A line of `ssh-keygen -t ed25519`.
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

#[test]
fn is_recorded_and_read_back() {
    let key = PublicKey::from_line(format!("{ED25519} n\u{e9}").as_bytes()).expect("a key");
    survives_json(&key);
    let certificate = Certificate {
        kind: CertificateType::Host,
        valid_after: 0,
        valid_before: u64::MAX,
        authority: key.blob.clone(),
        plain_blob: key.blob.clone(),
    };
    survives_json(&PublicKey { certificate: Some(certificate), ..key });
    survives_json(&BadKey::RsaTooShort(512));
}

#[test]
fn blanks_and_comments_are_taken_as_openssh_takes_them() {
    let (kind, data) = ED25519.split_once(' ').expect("two words");
    let line = [kind.as_bytes(), b"\t \t", data.as_bytes(), b"\tcaf\xe9\r\n"].concat();
    let key = PublicKey::from_line(&line).expect("a key");
    assert_eq!((key.bits, key.comment.as_str(), key.short_type()), (256, "caf\u{fffd}", "ED25519"));
    assert_eq!(key.line(), ED25519);
}

#[test]
fn a_type_nobody_knows_is_called_unknown_and_not_damaged() {
    let mut blob = vec![0, 0, 0, 23];
    blob.extend(b"ssh-mldsa44@openssh.com");
    blob.extend([0, 0, 0, 2, 1, 2]);
    let unknown = Err(BadKey::UnknownType("ssh-mldsa44@openssh.com".to_owned()));
    assert_eq!(PublicKey::from_blob(&blob, b""), unknown);
    let line = format!("ssh-mldsa44@openssh.com {}", STANDARD.encode(&blob));
    assert_eq!(PublicKey::from_line(line.as_bytes()), unknown);
}

#[test]
fn security_keys_and_the_names_of_their_signatures_are_one_type() {
    let plain = "sk-ecdsa-sha2-nistp256@openssh.com";
    for name in [plain, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"] {
        assert!(is_type_name(name.as_bytes()) && same_plain_kind(name, plain), "{name}");
        assert_eq!(is_certificate_name(name), name.contains("cert"), "{name}");
    }
    assert!(same_plain_kind("rsa-sha2-512", "ssh-rsa") && same_plain_kind("rsa-sha2-256-cert-v01@openssh.com", "ssh-rsa"));
    assert!(!same_plain_kind("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384") && !same_plain_kind("x@y", "x@y"));
    let mut point = vec![4];
    point.extend([9; 64]);
    let mut blob = Vec::new();
    for field in [plain.as_bytes(), b"nistp256", &point, b"ssh:"] {
        field.encode(&mut blob).expect("encoded");
    }
    let key = PublicKey::from_blob(&blob, b"").expect("a security key");
    assert_eq!((key.is_security_key(), key.bits, key.short_type()), (true, 256, "ECDSA-SK"));
    blob.push(0);
    assert_eq!(PublicKey::from_blob(&blob, b""), Err(BadKey::Damaged));
}

#[test]
fn rsa_is_measured_to_the_bit() {
    let modulus = |first: u8, length: usize| [vec![first], vec![0xff; length - 1]].concat();
    let size = |modulus: Vec<u8>| PublicKey::from_rsa(&[1, 0, 1], &modulus).map(|key| key.bits);
    assert_eq!(size(modulus(0x01, 256)), Ok(2041));
    assert_eq!(size(modulus(0x80, 128)), Ok(1024));
    assert_eq!(size(modulus(0x7f, 128)), Err(BadKey::RsaTooShort(1023)));
}
