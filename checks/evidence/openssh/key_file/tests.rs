use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use base64::Engine;

use super::*;
use crate::machine::process::Program;
use bbdoctor_checks::facts::key_file::CorruptKind;

fn keygen(args: &[&str]) -> (bool, String, String) {
    let outcome = Program::new("ssh-keygen").args(args).run(Instant::now() + Duration::from_secs(60)).expect("ssh-keygen runs");
    (outcome.success(), outcome.stdout_text(), outcome.stderr_text())
}

/// The installed ssh's version, for those formats that depend on it.
fn loader() -> Loader {
    let said = Program::new("ssh").arg("-V").run(Instant::now() + Duration::from_secs(10)).expect("ssh runs").stderr_text();
    let version = said.split(['_', 'p', ' ', ',']).find_map(|w| w.split_once('.')).expect("a version");
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a number");
    Loader { uid: nix::unistd::getuid().as_raw(), openssh: Some((number(version.0), number(version.1))) }
}

fn write(path: &Path, bytes: &[u8], mode: u32) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// Every kind of key in every format, with its name.
fn originals(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let kinds = [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "521"), ("rsa", "1024"), ("rsa", "3072"), ("dsa", "1024")];
    let mut keys = Vec::new();
    for (kind, bits) in kinds {
        for format in ["OPENSSH", "PEM", "PKCS8"] {
            for passphrase in ["", "secret"] {
                if kind == "ed25519" && format != "OPENSSH" {
                    continue;
                }
                let path = folder.join(format!("{kind}-{bits}-{format}-{passphrase}"));
                let name = path.to_str().expect("a plain path");
                let mut args = vec!["-q", "-t", kind, "-b", bits, "-N", passphrase, "-C", "a comment", "-a", "1", "-f", name];
                if format != "OPENSSH" {
                    args.extend(["-m", format]);
                }
                assert!(keygen(&args).0, "{args:?}");
                keys.push((format!("{kind}-{bits}-{format}-{passphrase}"), fs::read(&path).expect("the key")));
            }
        }
    }
    keys
}

fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let body = lines[1..lines.len() - 1].concat();
    let rows: Vec<_> = body.as_bytes().chunks(width).map(|row| String::from_utf8_lossy(row).into_owned()).collect();
    format!("{}\n{}\n{}\n", lines[0], rows.join("\n"), lines[lines.len() - 1])
}

fn variants(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let trimmed = text.trim_end();
    let mut all: Vec<(String, Vec<u8>)> = [
        ("whole", text.clone()),
        ("crlf", text.replace('\n', "\r\n")),
        ("no final newline", trimmed.to_owned()),
        ("crlf, no final newline", trimmed.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("leading blank line", format!("\n{text}")),
        ("leading blank", format!(" {text}")),
        ("leading text", format!("Bag Attributes\n    x: y\n{text}")),
        ("trailing blank lines", format!("{text}\n\n")),
        ("trailing text", format!("{text}more\n")),
        ("trailing spaces", text.replace('\n', "  \n")),
        ("trailing space at the end", format!("{trimmed} \n")),
        ("indented", text.lines().map(|l| format!("  {l}\n")).collect()),
        ("indented body", text.replace("\n", "\n ").trim_end_matches(' ').to_owned()),
        ("blank line inside", text.replacen('\n', "\n\n", 3)),
        ("blank line first", text.replacen('\n', "\n\n", 1)),
        ("literal newlines", text.replace('\n', "\\n")),
        ("spaces for newlines", text.replace('\n', " ")),
        ("newlines lost", text.replace('\n', "")),
        ("old mac", text.replace('\n', "\r")),
        ("quoted", format!("\"{trimmed}\"\n")),
        ("single quoted", format!("'{trimmed}'")),
        ("base64", base64::engine::general_purpose::STANDARD.encode(&text)),
        ("no begin", text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()),
        ("no end", trimmed.rsplit_once('\n').map(|(head, _)| format!("{head}\n")).unwrap_or_default()),
        ("trailing blanks", text.replace('\n', " \n")),
        ("a comment before it", format!("# work\n{text}")),
        ("tabs inside", text.replacen("\n", "\n\t", 2)),
        ("a bad character", text.replacen("\nA", "\n!", 1).replacen("\nb", "\n!", 1).replacen("\nM", "\n!", 1)),
        ("ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n".to_owned()),
        ("empty", String::new()),
        ("blank", "\n \n".to_owned()),
        ("garbage", "hello\n".to_owned()),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.into_bytes()))
    .collect();
    if !text.contains("Proc-Type") {
        for width in [1, 60, 64, 70, 76, 253, 254, 255, 300, 100_000] {
            all.push((format!("wrapped at {width}"), wrapped(&text, width).into_bytes()));
        }
    }
    for tenth in 1..10 {
        all.push((format!("cut at {tenth}/10"), bytes[..bytes.len() * tenth / 10].to_vec()));
    }
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
    all.push(("utf-16".to_owned(), [0xff, 0xfe].into_iter().chain(utf16).collect()));
    all
}

/// Whether ssh-keygen, which shares ssh's loader, loads the key; `None` when it only misses the passphrase.
fn loads(path: &Path) -> Option<bool> {
    let (ok, _, said) = keygen(&["-y", "-P", "", "-f", path.to_str().expect("a plain path")]);
    if said.contains("incorrect passphrase") { None } else { Some(ok) }
}

#[test]
fn every_mangled_key_is_judged_as_ssh_keygen_judges_it_and_what_is_said_to_be_restorable_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (loader, path) = (loader(), folder.path().join("key"));
    let (mut judged, mut mended) = (0, 0);
    let mut wrong = Vec::new();
    for (key, bytes) in originals(folder.path()) {
        for (variant, mangled) in variants(&bytes) {
            write(&path, &mangled, 0o600);
            let file = inspect(&path, &loader);
            let ours = match &file.state {
                KeyState::Usable => Some(true),
                KeyState::UnsupportedType(name) => Some(name == "ssh-dss"),
                KeyState::Encrypted => None,
                _ => Some(false),
            };
            judged += 1;
            if ours != loads(&path) {
                wrong.push(format!("{key}, {variant}: {:?}, ssh-keygen {:?}", file.state, loads(&path)));
            }
            if let KeyState::Corrupt { restorable: true, .. } = file.state {
                let whole = restore(&mangled, &loader).expect("restored").text.expect("written anew");
                write(&path, &whole, 0o600);
                let state = inspect(&path, &loader).state;
                write(&path, &bytes, 0o600);
                if state != inspect(&path, &loader).state || !state.loads() && !key.starts_with("dsa") {
                    wrong.push(format!("{key}, {variant}: restored to {state:?}"));
                }
                mended += 1;
            }
        }
    }
    #[allow(clippy::print_stdout, reason = "how much was compared")]
    {
        println!("{judged} files judged as ssh-keygen does, {mended} restored");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged > 1000 && mended > 200);
}

#[test]
fn the_kind_of_damage_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = originals(folder.path()).into_iter().find(|(name, _)| name == "ed25519-256-OPENSSH-").expect("a key").1;
    let loader = loader();
    for (variant, mangled) in variants(&key) {
        let expected = match variant.as_str() {
            "crlf" | "crlf, no final newline" => (CorruptKind::Crlf, true),
            "no final newline" => (CorruptKind::MissingFinalNewline, true),
            "byte order mark" => (CorruptKind::ByteOrderMark, true),
            "utf-16" => (CorruptKind::Utf16, true),
            "leading blank line" => (CorruptKind::LeadingBlank, true),
            "a comment before it" => (CorruptKind::LeadingText, true),
            "leading blank" | "trailing blanks" | "indented" | "quoted" | "single quoted" => (CorruptKind::QuotedOrIndented, true),
            "literal newlines" => (CorruptKind::LiteralBackslashN, true),
            "spaces for newlines" | "newlines lost" | "old mac" => (CorruptKind::LineBreaksLost, true),
            "base64" => (CorruptKind::Base64OfFile, true),
            "empty" | "blank" => (CorruptKind::Empty, false),
            "no end" => (CorruptKind::Truncated, true),
            "a bad character" | "no begin" | "garbage" => (CorruptKind::Other, false),
            cut if cut.starts_with("cut at") => (CorruptKind::Truncated, false),
            _ => continue,
        };
        let KeyState::Corrupt { kind, restorable } = judge(&mangled, &loader).state else { panic!("{variant} loads") };
        assert_eq!((kind, restorable), expected, "{variant}");
    }
}

#[test]
fn the_public_half_is_the_one_ssh_offers_and_the_private_ones_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let loader = loader();
    let names: Vec<_> = originals(folder.path()).into_iter().map(|(name, _)| name).collect();
    for name in &names {
        let path = folder.path().join(name);
        let beside = with_suffix(&path, ".pub");
        let expected = public_key::read(&beside).expect("a public key");
        let file = inspect(&path, &loader);
        assert_eq!(file.public, file.pub_file);
        assert_eq!(file.public.as_ref().map(|k| &k.blob), Some(&expected.blob));
        assert!(!file.pair_mismatch(), "{name}");
        let clear = name.contains("OPENSSH") || !name.ends_with("secret") && !name.starts_with("dsa");
        assert_eq!(file.held.as_ref().map(|k| k.blob.clone()), clear.then_some(expected.blob.clone()), "{name}");
        let comment = file.held.as_ref().map(|k| k.comment.as_str()).filter(|comment| !comment.is_empty());
        assert_eq!(comment, name.ends_with("OPENSSH-").then_some("a comment"), "{name}");
        fs::remove_file(&beside).expect("removed");
        let file = inspect(&path, &loader);
        assert_eq!(file.public.is_some(), name.contains("OPENSSH"), "{name}");
        assert_eq!(load_public(&path).is_some(), name.contains("OPENSSH"), "{name}");
        let other = if name.starts_with("ed25519") { "rsa-3072-OPENSSH-" } else { "ed25519-256-OPENSSH-" };
        let (ok, line, _) = keygen(&["-y", "-P", "", "-f", folder.path().join(other).to_str().expect("a plain path")]);
        assert!(ok);
        fs::write(&beside, line).expect("written");
        assert_eq!(inspect(&path, &loader).pair_mismatch(), clear, "{name}");
        fs::remove_file(&beside).expect("removed");
    }
}

#[test]
fn what_is_no_readable_file_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |name: &str| folder.path().join(name);
    let mine = loader();
    let state = |name: &str| inspect(&here(name), &mine).state;
    assert!(keygen(&["-q", "-t", "ed25519", "-N", "", "-f", here("id_ed25519").to_str().expect("a plain path")]).0);
    assert_eq!(state("id_ed25519"), KeyState::Usable);
    assert_eq!(state("id_ed25518"), KeyState::Missing { nearest: Some(here("id_ed25519")) });
    assert_eq!(state("nothing_like_it"), KeyState::Missing { nearest: None });
    assert_eq!(state("id_ed25519.pub"), KeyState::PublicHalf);
    std::os::unix::fs::symlink(here("gone"), here("link")).expect("linked");
    assert_eq!(state("link"), KeyState::DanglingLink);
    std::os::unix::fs::symlink(here("id_ed25519"), here("good_link")).expect("linked");
    assert_eq!(state("good_link"), KeyState::Usable);
    assert_eq!(state(""), KeyState::NotAFile);
    nix::unistd::mkfifo(&here("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert_eq!(state("pipe"), KeyState::NotAFile);
    assert_eq!(state("id_ed25519/under"), KeyState::Unreadable(libc::ENOTDIR));
    for mode in [0o644, 0o640, 0o604, 0o601, 0o610, 0o600, 0o400, 0o700] {
        fs::set_permissions(here("id_ed25519"), fs::Permissions::from_mode(mode)).expect("mode");
        let open = KeyState::PermissionsTooOpen { mode, then: Box::new(KeyState::Usable) };
        let expected = if mode & 0o077 == 0 { KeyState::Usable } else { open };
        assert_eq!(state("id_ed25519"), expected, "{mode:o}");
        assert_eq!(loads(&here("id_ed25519")), Some(mode & 0o077 == 0), "ssh-keygen at {mode:o}");
        // A file of somebody else is not looked at that way.
        let other = Loader { uid: mine.uid + 1, ..mine };
        assert_eq!(inspect(&here("id_ed25519"), &other).state, KeyState::Usable);
    }
}

/// A private number with leading zeros is shorter in the container; one P-256 key in 256 has such a one.
#[test]
fn an_ecdsa_key_of_a_short_number_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("short");
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).expect("a curve");
    let number = openssl::bn::BigNum::from_slice(&[0x55; 31]).expect("a number");
    let mut point = openssl::ec::EcPoint::new(&group).expect("a point");
    let mut context = openssl::bn::BigNumContext::new().expect("a context");
    point.mul_generator2(&group, &number, &mut context).expect("multiplied");
    let key = openssl::ec::EcKey::from_private_components(&group, &number, &point).expect("a key");
    write(&path, &key.private_key_to_pem().expect("PEM"), 0o600);
    let name = path.to_str().expect("a plain path");
    assert_eq!(inspect(&path, &loader()).state, KeyState::Usable);
    assert!(keygen(&["-q", "-p", "-P", "", "-N", "", "-f", name]).0);
    let file = inspect(&path, &loader());
    assert_eq!((file.format, file.state, loads(&path)), (Some(Format::OpenSsh), KeyState::Usable, Some(true)));
    let whole = fs::read(&path).expect("the key");
    let decoded = bbdoctor_checks::facts::public_key::base64_decode(&whole[36..whole.len() - 34]).expect("base64");
    assert!(ssh_key::PrivateKey::from_bytes(&decoded).is_err(), "the crate reads it now: with_short_number may go");
}
