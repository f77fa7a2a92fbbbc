//! Private keys in files: whether ssh can load, offer and use them.

use std::fs;

use crate::case::{advised, broken, uncertain};
use crate::namespace::chmod;
use crate::world::World;

/// The plain set-up whose key file is then spoilt by `change`.
fn with_spoilt_key(change: impl Fn(&str) -> String) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        let file = world.ssh("id_ed25519");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, change(&text)).unwrap();
        fs::remove_file(world.ssh("id_ed25519.pub")).unwrap();
    }
}

/// A throw-away RSA key whose public exponent is 3 (`openssl genrsa -3`).
const SMALL_EXPONENT: &str = include_str!("fixtures/rsa_exponent_3.pem");
/// A throw-away DSA key: recent versions of ssh-keygen make none.
pub(crate) const DSA: &str = include_str!("fixtures/dsa.pem");
/// The shape of a key file of PuTTY; it holds no key.
pub(crate) const PUTTY: &str = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: dev\nPublic-Lines: 2\n\
    AAAAC3NzaC1lZDI1NTE5AAAAIJ7J0HbNpWGsQf1qSKl0xB3lQ5Pq7V9x1VnK0R3Z\nm5Qv\nPrivate-Lines: 1\n\
    AAAAIH8nW5tQyP1s3oQv0lC4kq9Yx2b7G5d1R6h0uT3zXa1c\nPrivate-MAC: 00112233445566778899aabbccddeeff\n";

#[test]
fn none_at_all() {
    broken(&["no-key"], |world| world.know("{host}"));
}

#[test]
fn others_may_read_it() {
    broken(&["key-permissions-too-open"], |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o644);
    });
}

#[test]
fn the_group_may_read_it() {
    broken(&["key-permissions-too-open"], |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o640);
    });
}

#[test]
fn nobody_may_read_it() {
    broken(&["key-unreadable"], |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o000);
    });
}

#[test]
fn a_folder_of_its_name() {
    broken(&["key-unreadable"], |world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519")).unwrap();
        fs::create_dir(world.ssh("id_ed25519")).unwrap();
    });
}

#[test]
fn cut_in_half() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| text[..text.len() / 2].to_owned())(world));
}

#[test]
fn empty_because_the_secret_was() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|_| String::new())(world));
}

#[test]
fn line_breaks_became_blanks() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| text.replace('\n', " "))(world));
}

#[test]
fn line_breaks_became_letters() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| text.replace('\n', "\\n"))(world));
}

#[test]
fn last_line_break_is_missing() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| text.trim_end().to_owned())(world));
}

#[test]
fn line_ends_of_windows() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| text.replace('\n', "\r\n"))(world));
}

#[test]
fn byte_order_mark_before_it() {
    broken(&["key-corrupt"], |world| with_spoilt_key(|text| format!("\u{feff}{text}"))(world));
}

#[test]
fn still_in_base64() {
    broken(&["key-corrupt"], |world| {
        with_spoilt_key(str::to_owned)(world);
        world.user(&["sh", "-c", "base64 .ssh/id_ed25519 > coded && cat coded > .ssh/id_ed25519 && rm coded"]);
    });
}

#[test]
fn public_half_in_its_place() {
    broken(&["key-is-public-half", "key-corrupt"], |world| {
        world.plain();
        fs::copy(world.ssh("id_ed25519.pub"), world.ssh("id_ed25519")).unwrap();
        chmod(&world.ssh("id_ed25519"), 0o600);
    });
}

#[test]
fn key_of_putty() {
    broken(&["key-is-putty-format"], |world| {
        with_spoilt_key(|_| PUTTY.to_owned())(world);
    });
}

#[test]
fn configuration_names_the_public_half() {
    broken(&["key-is-public-half"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket.pub\n  IdentitiesOnly yes\n");
        fs::remove_file(world.ssh("bitbucket")).unwrap();
        chmod(&world.ssh("bitbucket.pub"), 0o600);
    });
}

#[test]
fn public_half_of_another_key_beside_it() {
    broken(&["key-pair-mismatch"], |world| {
        world.plain();
        world.stranger("other");
        fs::copy(world.ssh("other.pub"), world.ssh("id_ed25519.pub")).unwrap();
        world.forget("other");
    });
}

#[test]
fn registered_public_half_beside_another_key() {
    broken(&["key-pair-mismatch"], |world| {
        world.plain();
        world.stranger("other");
        fs::copy(world.ssh("other"), world.ssh("id_ed25519")).unwrap();
        world.forget("other");
    });
}

#[test]
fn passphrase_and_nobody_to_type_it() {
    broken(&["key-passphrase-needed"], |world| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
    });
}

#[test]
fn passphrase_of_the_old_format() {
    broken(&["key-passphrase-needed"], |world| {
        world.user(&["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "correct horse", "-f", ".ssh/id_rsa"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn private_half_is_gone() {
    broken(&["key-private-half-missing"], |world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519")).unwrap();
    });
}

#[test]
fn type_nobody_takes_any_more() {
    broken(&["key-type-unsupported"], |world| {
        world.know("{host}");
        world.write(".ssh/id_dsa", DSA, 0o600);
        world.config("Host {host}\n  IdentityFile ~/.ssh/id_dsa\n");
    });
}

#[test]
fn too_few_bits_for_the_service() {
    broken(&["key-too-small"], |world| {
        world.keygen("id_rsa", "rsa", "1024", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.sshd("RequiredRSASize 2048");
    });
}

#[test]
fn too_few_bits_for_the_client() {
    broken(&["key-too-small", "algorithms-restricted", "key-corrupt", "key-not-offered"], |world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.config("Host *\n  RequiredRSASize 4096\n");
    });
}

#[test]
fn breakable_by_its_exponent() {
    advised(&["key-weak"], |world| {
        world.write(".ssh/id_rsa", SMALL_EXPONENT, 0o600);
        world.user(&["sh", "-c", "ssh-keygen -y -f .ssh/id_rsa > .ssh/id_rsa.pub"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn without_a_passphrase() {
    advised(&["key-without-passphrase"], |world| world.plain());
}

#[test]
fn in_the_old_format() {
    advised(&["key-legacy-format"], |world| {
        world.user(&["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-m", "PEM", "-N", "", "-f", ".ssh/id_rsa"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn years_old() {
    advised(&["key-old"], |world| {
        world.plain();
        world.user(&["touch", "-d", "2019-03-01", ".ssh/id_ed25519", ".ssh/id_ed25519.pub"]);
    });
}

/// An unregistered key with a certificate of an authority the service trusts; `options` are ssh-keygen's for the certificate.
pub(crate) fn certificate(world: &mut World, options: &[&str]) {
    world.stranger("id_ed25519");
    world.know("{host}");
    world.user(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/authority"]);
    let mut words = vec!["ssh-keygen", "-q", "-s", "/tmp/authority", "-I", "dev"];
    words.extend(options);
    words.push(".ssh/id_ed25519.pub");
    world.user(&words);
    world.sshd("TrustedUserCAKeys /tmp/authority.pub");
    world.sshd("ForceCommand /home/git/service dev");
}

#[test]
fn certificate_ran_out() {
    broken(&["certificate-expired"], |world| certificate(world, &["-n", "git", "-V", "-2d:-1d"]));
}

#[test]
fn certificate_is_for_somebody_else() {
    broken(&["certificate-rejected"], |world| certificate(world, &["-n", "alice"]));
}

#[test]
fn token_beside_a_key_that_is_not_registered() {
    broken(&["key-not-registered"], |world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  PKCS11Provider /usr/lib/token.so\n");
    });
}

#[test]
fn token_that_may_not_be_asked() {
    uncertain(|world| {
        world.stranger("id_ed25519");
        world.know("{host}");
        world.config("Host *\n  PKCS11Provider /usr/lib/token.so\n");
    });
}
