//! Looks at every path that is spoken of: after this a check can ask nothing of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::machine::{account, files};
use crate::openssh::key_file::{self, Loader};
use bbdoctor_checks::facts::Facts;
use bbdoctor_checks::facts::paths::{At, Kind, Paths};
use bbdoctor_checks::facts::ssh_command::NotRunnable;
use bbdoctor_checks::facts::ssh_config::{ConfigFile, ProblemKind, Question};

/// The user's own configuration file, if ssh reads one.
pub(crate) fn user_config_file(question: &Question<'_>) -> Option<PathBuf> {
    match &question.config_file {
        ConfigFile::None => None,
        ConfigFile::File(file) => Some(file.clone()),
        ConfigFile::Default => Some(question.account.ssh_home()?.join(".ssh/config")),
    }
}

/// What is at the paths that settings, keys and programs name, and at those that a remedy may write.
pub(crate) fn gather(facts: &Facts) -> Paths {
    let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
    if let Ok(question) = facts.question() {
        wanted.extend(user_config_file(&question));
        wanted.extend(question.identity_files.iter().map(|file| facts.expand_path(file)));
    }
    if let Ok(own) = facts.reading() {
        wanted.extend(own.files.iter().map(|file| file.path.clone()));
        wanted.extend(own.problems.iter().filter(|p| p.kind == ProblemKind::UnreadableInclude).map(|p| PathBuf::from(&p.text)));
    }
    if let Some(Err(NotRunnable::NotExecutable(path))) = facts.ssh_command.client.as_ref().map(|client| &client.path) {
        wanted.insert(path.clone());
    }
    for home in facts.account.ssh_home().iter().chain(&facts.account.home_variable) {
        let folder = home.join(".ssh");
        let usual = ["config", "known_hosts", "id_ed25519", "id_ecdsa", "id_rsa", "bitbucket_ed25519"];
        wanted.extend(usual.map(|name| folder.join(name)));
    }
    if let Ok(keys) = facts.keys() {
        let files = keys.all().filter_map(|key| key.file.as_ref()).map(|file| &file.path);
        let named = keys.all().filter_map(|key| key.identity.source.path().map(Path::to_path_buf));
        // Beside a public half the private one is looked for.
        wanted.extend(files.flat_map(|path| [path.clone(), path.with_extension("")]));
        wanted.extend(named);
    }
    if let Ok(known) = facts.known_hosts() {
        wanted.extend(known.files.iter().cloned());
    }
    let folders: Vec<PathBuf> = wanted.iter().filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
    wanted.extend(folders);
    let loader = Loader { uid: facts.account.uid, openssh: None };
    Paths::new(wanted.into_iter().map(|path| (path.clone(), at(&path, &loader))).collect())
}

fn at(path: &Path, loader: &Loader) -> At {
    let kind = match () {
        () if files::is_ordinary(path) => Kind::File,
        () if files::is_folder(path) => Kind::Folder,
        () if files::access(path).is_ok() => Kind::Other,
        () => Kind::Nothing,
    };
    let content = files::read(path);
    let bytes = content.as_deref().ok().filter(|_| kind == Kind::File);
    At {
        exists: files::exists(path),
        kind,
        access: files::access(path).ok(),
        readable: content.is_ok(),
        writable: files::is_writable(path),
        is_program: bytes.is_some_and(is_program),
        is_private_key: bytes.is_some_and(files::holds_private_key) && key_file::inspect(path, loader).held.is_some(),
    }
}

/// Whether a file begins as a program or a script does.
fn is_program(bytes: &[u8]) -> bool {
    let starts: [&[u8]; 6] = [b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xcf", b"MZ"];
    starts.iter().any(|start| bytes.starts_with(start))
}

/// The names of the accounts that own a file which is spoken of, by user id.
pub(crate) fn owners(facts: &Facts) -> BTreeMap<u32, String> {
    let problems = facts.reading().ok().into_iter().flat_map(|own| &own.problems);
    let uids: BTreeSet<u32> = problems
        .filter_map(|problem| match &problem.kind {
            ProblemKind::WrongOwner(access) => Some(access.uid),
            _ => None,
        })
        .collect();
    uids.into_iter().filter_map(|uid| Some((uid, account::name_of(uid)?))).collect()
}
