//! Can ssh use the private keys it would try?

use std::path::Path;

use crate::advice;
use crate::bitbucket;
use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::files::with_suffix;
use crate::facts::identities::CanSign;
use crate::facts::key_file::{Format, KeyFile, KeyState};
use crate::facts::keys::Key;
use crate::facts::public_key::{PublicKey, Weakness};
use crate::finding::{Code, Confidence, Finding, Strikes, Subject};
use crate::need::Need;
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};
use crate::text;
use crate::unavailable::Unavailable;

mod damage;

use damage::{damage, repair};

/// This check.
#[derive(Debug)]
pub(crate) struct KeyFiles;

/// Keys older than this are worth replacing, in days.
const ROTATION_DAYS: u64 = 730;
const SECONDS_A_DAY: u64 = 86_400;

const META: Meta =
    Meta { id: CheckId::KeyFiles, title: "The private keys", needs: &[Need::Server], page: include_str!("key_files.md") };

impl Check for KeyFiles {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let identities = facts.keys()?;
        let usable = identities.offered().filter(|i| matches!(i.identity.can_sign, CanSign::Yes(_))).count();
        let mut found = Findings::new(match usable {
            0 => text!("ssh has no key that it could log in with by itself"),
            1 => text!("ssh has 1 key that it can log in with"),
            n => text!("ssh has {} keys that it can log in with", n),
        });
        let other_ways = || facts.login_is_known_to_succeed() || facts.untried_way_in().is_some();
        if identities.all().next().is_none() && !facts.agent_is_locked() && !other_ways() {
            found.push(no_key(facts));
        }
        for identity in identities.all() {
            if let Some(file) = &identity.file {
                found.findings.extend(unusable(facts, identity, file));
                found.findings.extend(hygiene(facts, identity, file));
            }
            if let Some(public) = identity.public() {
                found.findings.extend(refused_types(facts, identity, public));
            }
        }
        Ok(found)
    }
}

fn no_key(facts: &Facts) -> Finding {
    let path = facts.account.ssh_home().unwrap_or_default().join(".ssh/id_ed25519");
    let argv = ["ssh-keygen".into(), "-t".into(), "ed25519".into(), "-f".into(), Private::path(&path).into()];
    let mut finding = Finding::blocking_if(
        facts.login_fails(),
        Code::NoKey,
        "There is no private key that ssh could use, neither in ~/.ssh nor in an agent.",
    )
    .strikes(Strikes::AtLogin)
    .subject(Subject::new("key", Private::path(&path)))
    .remedy(Remedy::run("generate", "First, make a key.", argv.to_vec(), Safety::Confirm));
    let summary = text!("Then add its public half, {}.pub, to your account.", Private::path(&path));
    finding = finding.remedy(if facts.is_cloud() {
        Remedy::visit("add-key", summary, bitbucket::ACCOUNT_KEYS_PAGE)
    } else {
        Remedy::ask("add-key", summary)
    });
    finding
}

/// What keeps ssh from using this key. It stops git when no other key gets in and the server would accept this one, or
/// when nobody can tell whether it would.
fn unusable(facts: &Facts, identity: &Key, file: &KeyFile) -> Option<Finding> {
    let weight = facts.weight(identity);
    let key = || Private::path(&file.path);
    let blocks = weight.blocks();
    let finding = |code, summary: Text| {
        let finding =
            Finding::blocking_if(blocks, code, summary).strikes(Strikes::AtLogin).subject(Subject::file(&file.path, None));
        let finding = match identity.public() {
            Some(public) => finding.evidence("fingerprint", Text::fingerprint(public.fingerprint())),
            None => finding,
        };
        finding.confidence(if weight.is_certain() { Confidence::Proven } else { Confidence::Likely })
    };
    // A key that ssh stumbles over on its way to the right one is worth a warning; one that it never tries is not.
    if matches!(identity.identity.can_sign, CanSign::Yes(_)) || !(weight.matters() || identity.identity.order.is_some()) {
        return None;
    }
    let elsewhere = facts.keys().ok().and_then(|all| all.private_half_of(identity));
    Some(match &file.state {
        KeyState::PermissionsTooOpen { mode, .. } => finding(
            Code::KeyPermissionsTooOpen,
            text!("The private key {} can be read by others (mode {}), so ssh ignores it.", key(), Text::mode(*mode)),
        )
        .evidence("mode", Text::mode(*mode))
        .remedy(close("Make the key readable by you alone.", &file.path)),
        KeyState::Unreadable(errno) => {
            let error = std::io::Error::from_raw_os_error(*errno).to_string();
            finding(Code::KeyUnreadable, text!("ssh cannot read the private key {}.", key()))
                .evidence("error", Private::quoted(error))
                .remedies(advice::make_readable(facts, &file.path))
        }
        KeyState::NotAFile => finding(Code::KeyUnreadable, text!("{} is no file, so ssh cannot use it as a key.", key()))
            .remedies(identity.position.as_ref().and_then(|line| advice::name_key(facts, line, None)))
            .remedy(Remedy::ask("name-file", "Name the key file itself in IdentityFile.")),
        KeyState::Ppk => finding(Code::KeyIsPuttyFormat, text!("{} is a PuTTY key, which OpenSSH cannot read.", key()))
            .remedy(convert(&file.path)),
        KeyState::PublicHalf => match elsewhere {
            Some(other) => finding(
                Code::KeyIsPublicHalf,
                text!("{} is the public half of a key; the private one is {}.", key(), other.name_text()),
            )
            .remedies(use_other_file(facts, other)),
            None => finding(
                Code::KeyIsPublicHalf,
                text!("{} is the public half of a key, and nobody here holds the private one.", key()),
            )
            .remedies(name_sibling(facts, identity, file))
            .remedy(Remedy::ask("load", "Load the private half into the agent, or name its file in IdentityFile.")),
        },
        KeyState::Corrupt { kind, restorable } => {
            finding(Code::KeyCorrupt, text!("{} is no private key that ssh can load: {}.", key(), damage(*kind)))
                .evidence("damage", damage(*kind))
                .remedy(repair(file, *restorable, facts.account.uid))
        }
        KeyState::UnsupportedType(name) if file.format == Some(Format::Pkcs8) && name == "ssh-ed25519" => finding(
            Code::KeyTypeUnsupported,
            text!("ssh cannot read {}: it is an Ed25519 key in the PKCS#8 format, which OpenSSH reads from 9.6 on.", key()),
        )
        .remedies(generate(facts))
        .remedy(Remedy::ask("upgrade", "If you want to keep this key: upgrade OpenSSH to 9.6 or later.")),
        KeyState::UnsupportedType(name) => finding(
            Code::KeyTypeUnsupported,
            text!("ssh cannot use {}: it does not support {} keys.", key(), Private::quoted(name)),
        )
        .remedies(generate(facts)),
        state if state.loads() && identity.identity.can_sign == CanSign::PairMismatch => finding(
            Code::KeyPairMismatch,
            text!("{}.pub is not the public half of {}; ssh offers the one and signs with the other.", key(), key()),
        )
        .remedy(Remedy::restore_key(
            "derive",
            text!(
                "Write the right public key into {}; the wrong one is kept beside it.",
                Private::path(with_suffix(&file.path, ".pub"))
            ),
            &file.path,
        )),
        KeyState::Encrypted if !facts.person_can_type_passphrase() => finding(
            Code::KeyPassphraseNeeded,
            text!("{} is protected by a passphrase, is in no agent, and nobody can type it here.", key()),
        )
        .remedies(no_agent(facts).then(start_agent))
        .remedy(Remedy::run(
            "ssh-add",
            "Load the key into your agent, which asks for the passphrase once.",
            vec!["ssh-add".into(), key().into()],
            Safety::Manual,
        ))
        .remedy(Remedy::ask("key-for-ci", "In CI, where nobody can type it, use a key of its own without a passphrase.")),
        KeyState::Encrypted => {
            return Some(
                Finding::info(Code::KeyPassphraseNeeded, text!("ssh will ask for the passphrase of {}.", key()))
                    .subject(Subject::file(&file.path, None)),
            );
        }
        KeyState::Missing { .. } | KeyState::DanglingLink if identity.public().is_some() => match elsewhere {
            Some(other) => finding(
                Code::KeyPrivateHalfMissing,
                text!("The private half of {} is not where ssh looks, beside the public one; it is {}.", key(), other.name_text()),
            )
            .remedies(use_other_file(facts, other)),
            None => {
                finding(Code::KeyPrivateHalfMissing, text!("The public half of {} is there, but the private one is gone.", key()))
                    .remedy(Remedy::ask(
                        "restore",
                        "Restore the private key from where it was made, or make a new one and register it.",
                    ))
            }
        },
        KeyState::DanglingLink => finding(
            Code::KeyUnreadable,
            text!("{} is a symbolic link to a file that does not exist, so ssh has no key there.", key()),
        )
        .remedy(Remedy::ask(
            "restore-target",
            "Bring back the file that the link leads to (a volume that is not mounted?), or make the link again.",
        )),
        KeyState::Missing { .. } => return None,
        KeyState::Usable => return None,
    })
}

/// Whether ssh would ask an agent, and there is none.
fn no_agent(facts: &Facts) -> bool {
    facts.agent().is_ok_and(|agent| agent.is_some_and(|holder| holder.keys.is_err()))
}

fn start_agent() -> Remedy {
    let argv = ["sh", "-c", "eval \"$(ssh-agent -s)\""].map(Text::from);
    Remedy::run("start-agent", "First, start an agent in this shell.", argv.to_vec(), Safety::Manual)
}

fn convert(path: &Path) -> Remedy {
    let target = path.with_extension("openssh");
    let argv = [
        "puttygen".into(),
        Private::path(path).into(),
        "-O".into(),
        "private-openssh".into(),
        "-o".into(),
        Private::path(&target).into(),
    ];
    Remedy::run("convert", text!("Convert it, and name {} in IdentityFile.", Private::path(&target)), argv.to_vec(), Safety::Manual)
}

/// Makes ssh use the file that has the private half.
fn use_other_file(facts: &Facts, other: &Key) -> Vec<Remedy> {
    let file = other.file.as_ref();
    let open = file.filter(|f| matches!(f.state, KeyState::PermissionsTooOpen { .. }));
    let mut remedies: Vec<_> = open.map(|f| close("First, make the key readable by you alone.", &f.path)).into_iter().collect();
    remedies.extend(advice::use_key(facts, other, false));
    remedies
}

/// Names the private key beside its public half in the line that names that.
fn name_sibling(facts: &Facts, identity: &Key, file: &KeyFile) -> Option<Remedy> {
    let sibling = file.path.with_extension("");
    let position = identity.position.as_ref().filter(|_| facts.paths.at(&sibling).is_private_key)?;
    advice::name_key(facts, position, Some(&sibling))
}

/// Takes others' rights on a key away.
fn close(summary: &'static str, key: &Path) -> Remedy {
    Remedy::run("chmod", summary, vec!["chmod".into(), "600".into(), Private::path(key).into()], Safety::Safe)
}

/// A new key, under a name that is free; one that ssh does not try by itself is named.
fn generate(facts: &Facts) -> Vec<Remedy> {
    let folder = facts.account.ssh_home().unwrap_or_default().join(".ssh");
    let names = ["id_ed25519", "bitbucket_ed25519"].map(|name| folder.join(name));
    let Some(path) = names.iter().find(|path| facts.is_free(path)) else { return Vec::new() };
    let argv = ["ssh-keygen".into(), "-t".into(), "ed25519".into(), "-f".into(), Private::path(path).into()];
    let mut remedies =
        vec![Remedy::run("generate", "Make an Ed25519 key, and register its public half.", argv.to_vec(), Safety::Confirm)];
    if *path != names[0] {
        let line = text!("IdentityFile {}", facts.path_for_config(path));
        let edit = advice::host_block(facts, vec![line]);
        remedies.extend(edit.map(|edit| Remedy::edit("name-new-key", "Then make ssh offer it to this host.", edit, Safety::Safe)));
    }
    remedies
}

/// Types and sizes that the service is known to refuse.
fn refused_types(facts: &Facts, identity: &Key, public: &PublicKey) -> Vec<Finding> {
    let weight = facts.weight(identity);
    let mut out = Vec::new();
    if !identity.offered() {
        return out;
    }
    let subject = || Subject::new("key", identity.name_text());
    if facts.is_cloud() && public.is_rsa() && public.bits < bitbucket::MINIMUM_RSA_BITS && facts.server_refuses(public) {
        out.push(
            Finding::blocking_if(
                weight.blocks_if_registered(),
                Code::KeyTooSmall,
                text!(
                    "{} has {} bits; Bitbucket takes RSA keys from {} bits on.",
                    identity.name_text(),
                    public.bits,
                    bitbucket::MINIMUM_RSA_BITS
                ),
            )
            .subject(subject())
            .confidence(Confidence::Likely)
            .remedies(generate(facts)),
        );
    }
    if facts.is_cloud() && public.is_security_key() && facts.server_refuses(public) {
        out.push(
            Finding::blocking_if(
                weight.blocks_if_registered(),
                Code::KeyTypeUnsupported,
                text!(
                    "{} is a security key ({}), which Bitbucket Cloud does not take.",
                    identity.name_text(),
                    Text::algorithm(&public.algorithm)
                ),
            )
            .subject(subject())
            .confidence(Confidence::Likely)
            .remedies(generate(facts)),
        );
    }
    if let Some(certificate) = &public.certificate
        && !certificate.valid_at(facts.clock.began)
    {
        out.push(
            Finding::blocking_if(
                weight.blocks_if_registered(),
                Code::CertificateExpired,
                text!("The certificate {} is expired or not yet valid.", identity.name_text()),
            )
            .subject(subject())
            .evidence("valid", text!("{} to {}", day(certificate.valid_after), day(certificate.valid_before)))
            .remedy(Remedy::ask("renew", "Ask whoever signs your certificates for a new one; check this machine's clock.")),
        );
    }
    for weakness in public.weaknesses() {
        let words = match weakness {
            Weakness::Roca => "its primes have the structure of the ROCA flaw",
            Weakness::SmallExponent => "its exponent is small",
        };
        out.push(
            Finding::warning(Code::KeyWeak, text!("{} is known to be breakable: {}.", identity.name_text(), words))
                .subject(subject())
                .remedies(generate(facts)),
        );
    }
    out
}

fn hygiene(facts: &Facts, identity: &Key, file: &KeyFile) -> Vec<Finding> {
    let mut out = Vec::new();
    if !identity.offered() || !matches!(file.state, KeyState::Usable | KeyState::Encrypted) {
        return out;
    }
    let key = || Private::path(&file.path);
    let info = |code, summary: Text, remedy| Finding::info(code, summary).subject(Subject::file(&file.path, None)).remedy(remedy);
    let passphrase = |summary: &'static str| {
        Remedy::run("passphrase", summary, vec!["ssh-keygen".into(), "-p".into(), "-f".into(), key().into()], Safety::Manual)
    };
    if !file.encrypted {
        let summary = text!("{} has no passphrase: whoever copies the file can use it.", key());
        out.push(info(Code::KeyWithoutPassphrase, summary, passphrase("If a person uses this key: set a passphrase.")));
    }
    if matches!(file.format, Some(Format::PemRsa | Format::PemEc | Format::PemDsa)) {
        let summary = text!("{} is in the old PEM format, which protects its passphrase badly.", key());
        out.push(info(Code::KeyLegacyFormat, summary, passphrase("Rewrite it with ssh-keygen, which uses the current format.")));
    }
    let age = file.modified.and_then(|then| facts.clock.began.checked_sub(then)).map(|seconds| seconds / SECONDS_A_DAY);
    if let Some(days) = age.filter(|days| *days > ROTATION_DAYS) {
        let summary = text!("{} is {} days old.", key(), days);
        let finding = Finding::info(Code::KeyOld, summary).subject(Subject::file(&file.path, None));
        out.push(finding.remedies(generate(facts)));
    }
    out
}

/// Days in ISO 8601, for a second since 1970.
fn day(unix: u64) -> Text {
    let time = i64::try_from(unix).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "for ever".into(), |t| Text::date(t.strftime("%Y-%m-%d").to_string()))
}
