use bbdoctor_checks::facts::identities::{Prediction, Signer, predict};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::*;
use crate::machine::process::Program;
use crate::openssh::public_key;
use bbdoctor_checks::facts::key_file::KeyState;

fn made(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let outcome = Program::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&path)
        .run(Instant::now() + Duration::from_secs(30))
        .expect("ssh-keygen runs");
    assert!(outcome.success());
    path
}

fn loader() -> Loader {
    Loader { uid: nix::unistd::getuid().as_raw(), openssh: None }
}

fn agent_key(path: &Path) -> AgentKey {
    let key = public_key::read(&with_suffix(path, ".pub")).expect("a public key");
    AgentKey { blob: key.blob, comment: key.comment }
}

/// The defaults are listed whether or not they exist, and everything else in the folder is found.
#[test]
fn defaults_and_every_other_key_at_hand() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    made(home, "id_ed25519");
    let work = made(home, "work");
    let lost = made(home, "lost");
    fs::remove_file(&lost).expect("removed");
    let in_agent = made(home, "elsewhere");
    let agent = [agent_key(&in_agent), AgentKey { blob: b"nonsense".to_vec(), comment: "\u{fffd}".into() }];
    for file in ["elsewhere", "elsewhere.pub"] {
        fs::remove_file(home.join(file)).expect("removed");
    }
    fs::write(home.join("config"), "Host *\n").expect("written");
    fs::copy(home.join("work.pub"), home.join("authorized_keys")).expect("copied");
    fs::write(home.join("known_hosts"), "h ssh-ed25519 AAAA\n").expect("written");
    fs::write(home.join("key.ppk"), "PuTTY-User-Key-File-2: ssh-rsa\n").expect("written");
    fs::create_dir(home.join("cm")).expect("a folder");
    let listed = |name: &str| ListedFile { path: home.join(name), user_provided: false };
    let settings = KeySettings { identity_files: vec![listed("id_rsa"), listed("id_ed25519")], ..KeySettings::default() };
    let files = KeyFiles::read(&settings, &loader(), Some(home));
    let all = identities(&settings, &files, Some(&agent));
    let told: Vec<_> = all
        .iter()
        .map(|i| (i.order, i.name.rsplit('/').next().unwrap_or_default().to_owned(), i.offered, i.why_not.clone()))
        .collect();
    let missing = KeyState::Missing { nearest: None };
    let expected = [
        (Some(1), "elsewhere", true, None),
        (Some(2), "id_rsa", false, Some(WhyNot::CannotLoad(missing))),
        (Some(3), "id_ed25519", true, None),
        (None, "\u{fffd}", false, Some(WhyNot::UnknownType)),
        (None, "key.ppk", false, Some(WhyNot::NotListed)),
        (None, "lost", false, Some(WhyNot::NotListed)),
        (None, "work", false, Some(WhyNot::NotListed)),
    ]
    .map(|(order, name, offered, why)| (order, name.to_owned(), offered, why));
    assert_eq!(told, expected);
    assert_eq!(all[5].can_sign, CanSign::NoPrivateHalf);
    assert_eq!(all[6].can_sign, CanSign::Yes(Signer::File));
    assert_eq!(all[6].public.as_ref().map(|k| k.blob.clone()), Some(agent_key(&work).blob));
}

/// A public half as IdentityFile picks one key of many in the agent.
#[test]
fn a_listed_public_half_is_signed_for_by_the_agent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (made(folder.path(), "one"), made(folder.path(), "two"));
    let agent = [agent_key(&one), agent_key(&two)];
    let file = ListedFile { path: with_suffix(&two, ".pub"), user_provided: true };
    let mut settings = KeySettings { identity_files: vec![file.clone()], identities_only: true, ..KeySettings::default() };
    let files = KeyFiles::read(&settings, &loader(), None);
    let all = identities(&settings, &files, Some(&agent));
    assert_eq!(all[0].source, KeySource::FileInAgent { path: file.path });
    assert_eq!((all[0].offered, &all[0].can_sign), (true, &CanSign::Yes(Signer::Agent)));
    assert_eq!((all[1].order, all[1].why_not.clone()), (None, Some(WhyNot::IdentitiesOnly)));
    let alone = identities(&settings, &files, None);
    assert_eq!((alone[0].offered, &alone[0].can_sign), (true, &CanSign::AgentMustSign));
    settings.accepted_algorithms = Some(vec!["rsa-sha2-512".to_owned()]);
    assert!(identities(&settings, &files, Some(&agent)).iter().all(|i| i.order.is_none()));
}

#[test]
fn nothing_that_is_too_open_or_encrypted_signs() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = made(folder.path(), "open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("mode");
    let locked = made(folder.path(), "locked");
    let changed = Program::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", "secret", "-f"])
        .arg(&locked)
        .run(Instant::now() + Duration::from_secs(30))
        .expect("ssh-keygen runs");
    assert!(changed.success());
    let identity_files = [open, locked].map(|path| ListedFile { path, user_provided: true }).to_vec();
    let mut settings = KeySettings { identity_files, ..KeySettings::default() };
    let files = KeyFiles::read(&settings, &loader(), None);
    let all = identities(&settings, &files, None);
    assert!(all.iter().all(|i| i.offered), "both are offered by their .pub");
    assert!(matches!(all[0].can_sign, CanSign::Unusable(KeyState::PermissionsTooOpen { mode: 0o644, .. })));
    assert_eq!(all[1].can_sign, CanSign::NeedsPassphrase);
    assert_eq!(predict(&all, |_| Some(true), 6), Prediction::Denied);
    settings.can_ask = true;
    let all = identities(&settings, &files, None);
    assert_eq!(predict(&all, |_| Some(true), 6), Prediction::Authenticates { by: 1 });
}
