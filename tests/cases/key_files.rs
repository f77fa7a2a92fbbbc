//! Private keys in files: whether ssh can load, offer and use them.

use std::fs;

use crate::harness::case::{advised, broken};
use crate::harness::namespace::chmod;
use crate::harness::remedies::fixed;
use crate::harness::world::World;

/// A throw-away DSA key: recent versions of ssh-keygen make none.
const DSA: &str = include_str!("fixtures/dsa.pem");

/// The shape of a key file of PuTTY; it holds no key.
const PUTTY: &str = "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: dev\nPublic-Lines: 2\n\
    AAAAC3NzaC1lZDI1NTE5AAAAIJ7J0HbNpWGsQf1qSKl0xB3lQ5Pq7V9x1VnK0R3Z\nm5Qv\nPrivate-Lines: 1\n\
    AAAAIH8nW5tQyP1s3oQv0lC4kq9Yx2b7G5d1R6h0uT3zXa1c\nPrivate-MAC: 00112233445566778899aabbccddeeff\n";

#[test]
fn unusable_keys_stand_before_the_right_one() {
    let codes = [
        "key-permissions-too-open",
        "key-corrupt",
        "key-unreadable",
        "key-is-putty-format",
        "key-is-public-half",
        "key-private-half-missing",
        "key-pair-mismatch",
        "key-type-unsupported",
    ];
    advised(&codes, |world| {
        world.plain();
        for name in ["open", "shut", "swapped", "other", "halved"] {
            world.stranger(name);
        }
        chmod(&world.ssh("open"), 0o644);
        chmod(&world.ssh("shut"), 0o000);
        fs::copy(world.ssh("other.pub"), world.ssh("swapped.pub")).unwrap();
        fs::remove_file(world.ssh("halved")).unwrap();
        chmod(&world.ssh("other.pub"), 0o600);
        fs::remove_file(world.ssh("other")).unwrap();
        world.write(".ssh/damaged", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", 0o600);
        world.write(".ssh/putty.ppk", PUTTY, 0o600);
        world.write(".ssh/id_dsa", DSA, 0o600);
        let names = ["open", "shut", "damaged", "putty.ppk", "id_dsa", "swapped", "halved", "other.pub", "id_ed25519"];
        world.config(names.map(|name| format!("IdentityFile ~/.ssh/{name}\n")).concat());
    });
}

#[test]
fn encrypted_key_stands_before_the_right_one() {
    advised(&["agent-lacks-key", "key-passphrase-needed"], |world| {
        world.plain();
        world.keygen("locked_away", "ed25519", "", "correct horse");
        world.authorize("locked_away", "dev");
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("IdentityFile ~/.ssh/locked_away\nIdentityFile ~/.ssh/id_ed25519\n");
    });
}

#[test]
fn small_key_stands_before_the_right_one() {
    advised(&["key-too-small"], |world| {
        world.plain();
        world.keygen("id_rsa", "rsa", "1024", "");
        world.sshd("RequiredRSASize 2048");
    });
}

#[test]
fn browser_has_added_an_ending() {
    fixed("key-private-half-missing", |world| {
        world.plain();
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/id_ed25519.txt"]);
    });
}

#[test]
fn the_halves_have_each_others_names() {
    fixed("key-is-public-half", |world| {
        world.plain();
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/x"]);
        world.user(&["mv", ".ssh/id_ed25519.pub", ".ssh/id_ed25519"]);
        world.user(&["mv", ".ssh/x", ".ssh/id_ed25519.pub"]);
        chmod(&world.ssh("id_ed25519"), 0o600);
        chmod(&world.ssh("id_ed25519.pub"), 0o644);
    });
}

fn with_key_text(change: impl Fn(&str, &str) -> Vec<u8>) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        let [private, public] = ["id_ed25519", "id_ed25519.pub"].map(|name| fs::read_to_string(world.ssh(name)).unwrap());
        fs::write(world.ssh("id_ed25519"), change(&private, &public)).unwrap();
    }
}

#[test]
fn both_halves_in_one_file() {
    fixed("key-corrupt", |world| with_key_text(|private, public| format!("{public}{private}").into())(world));
}

#[test]
fn indented_and_quoted() {
    fixed("key-corrupt", |world| {
        with_key_text(|private, _| format!("\"{}\"\n", private.trim_end().replace('\n', " \n    ")).into())(world);
    });
}

#[test]
fn sixteen_bits_to_a_character() {
    fixed("key-corrupt", |world| {
        with_key_text(|private, _| format!("\u{feff}{private}").encode_utf16().flat_map(u16::to_le_bytes).collect())(world);
    });
}

#[test]
fn link_to_a_volume_that_is_not_there() {
    broken("key-unreadable", |world| {
        world.know("{host}");
        world.user(&["ln", "-s", "/mnt/stick/key", ".ssh/id_ed25519"]);
    });
}

#[test]
fn path_is_that_of_the_folder() {
    fixed("key-unreadable", |world| {
        world.plain();
        world.config("Host {host}\n  IdentityFile ~/.ssh/\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn none_at_all() {
    broken("no-key", |world| world.know("{host}"));
}

#[test]
fn others_may_read_it() {
    broken("key-permissions-too-open", |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o644);
    });
}

#[test]
fn the_group_may_read_it() {
    broken("key-permissions-too-open", |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o640);
    });
}

#[test]
fn nobody_may_read_it() {
    broken("key-unreadable", |world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o000);
    });
}

#[test]
fn a_folder_of_its_name() {
    broken("key-unreadable", |world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519")).unwrap();
        fs::create_dir(world.ssh("id_ed25519")).unwrap();
    });
}

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

#[test]
fn cut_in_half() {
    broken("key-corrupt", |world| with_spoilt_key(|text| text[..text.len() / 2].to_owned())(world));
}

#[test]
fn empty_because_the_secret_was() {
    broken("key-corrupt", |world| with_spoilt_key(|_| String::new())(world));
}

#[test]
fn line_breaks_became_blanks() {
    fixed("key-corrupt", |world| with_spoilt_key(|text| text.replace('\n', " "))(world));
}

#[test]
fn line_breaks_became_letters() {
    fixed("key-corrupt", |world| with_spoilt_key(|text| text.replace('\n', "\\n"))(world));
}

#[test]
fn last_line_break_is_missing() {
    fixed("key-corrupt", |world| with_spoilt_key(|text| text.trim_end().to_owned())(world));
}

#[test]
fn line_ends_of_windows() {
    fixed("key-corrupt", |world| with_spoilt_key(|text| text.replace('\n', "\r\n"))(world));
}

#[test]
fn byte_order_mark_before_it() {
    fixed("key-corrupt", |world| with_spoilt_key(|text| format!("\u{feff}{text}"))(world));
}

#[test]
fn still_in_base64() {
    fixed("key-corrupt", |world| {
        with_spoilt_key(str::to_owned)(world);
        world.user(&["sh", "-c", "base64 .ssh/id_ed25519 > coded && cat coded > .ssh/id_ed25519 && rm coded"]);
    });
}

#[test]
fn public_half_in_its_place() {
    broken("key-is-public-half", |world| {
        world.plain();
        fs::copy(world.ssh("id_ed25519.pub"), world.ssh("id_ed25519")).unwrap();
        chmod(&world.ssh("id_ed25519"), 0o600);
    });
}

#[test]
fn key_of_putty() {
    broken("key-is-putty-format", |world| {
        with_spoilt_key(|_| PUTTY.to_owned())(world);
    });
}

#[test]
fn configuration_names_the_public_half() {
    broken("key-is-public-half", |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket.pub\n  IdentitiesOnly yes\n");
        fs::remove_file(world.ssh("bitbucket")).unwrap();
        chmod(&world.ssh("bitbucket.pub"), 0o600);
    });
}

#[test]
fn public_half_of_another_key_beside_it() {
    fixed("key-pair-mismatch", |world| {
        world.plain();
        world.stranger("other");
        fs::copy(world.ssh("other.pub"), world.ssh("id_ed25519.pub")).unwrap();
        world.forget("other");
    });
}

#[test]
fn public_half_of_another_key_beside_a_locked_one() {
    broken("key-pair-mismatch", |world| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
        world.stranger("other");
        fs::copy(world.ssh("other.pub"), world.ssh("id_ed25519.pub")).unwrap();
        world.forget("other");
    });
}

#[test]
fn registered_public_half_beside_another_key() {
    broken("key-pair-mismatch", |world| {
        world.plain();
        world.stranger("other");
        fs::copy(world.ssh("other"), world.ssh("id_ed25519")).unwrap();
        world.forget("other");
    });
}

#[test]
fn passphrase_and_nobody_to_type_it() {
    broken("key-passphrase-needed", |world| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
    });
}

#[test]
fn passphrase_of_the_old_format() {
    broken("key-passphrase-needed", |world| {
        world.user(&["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "correct horse", "-f", ".ssh/id_rsa"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn private_half_is_gone() {
    broken("key-private-half-missing", |world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519")).unwrap();
    });
}

#[test]
fn type_nobody_takes_any_more() {
    broken("key-type-unsupported", |world| {
        world.know("{host}");
        world.write(".ssh/id_dsa", DSA, 0o600);
        world.config("Host {host}\n  IdentityFile ~/.ssh/id_dsa\n");
    });
}

#[test]
fn too_few_bits_for_the_service() {
    broken("key-too-small", |world| {
        world.keygen("id_rsa", "rsa", "1024", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        world.sshd("RequiredRSASize 2048");
    });
}

/// A throw-away RSA key whose public exponent is 3 (`openssl genrsa -3`).
const SMALL_EXPONENT: &str = include_str!("fixtures/rsa_exponent_3.pem");

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

#[test]
fn certificate_ran_out() {
    broken("certificate-expired", |world| world.certificate(&["-n", "git", "-V", "-2d:-1d"]));
}
