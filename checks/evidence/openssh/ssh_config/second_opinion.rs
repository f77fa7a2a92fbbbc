//! Whether tools built on the crate `ssh2-config` (and, like them, on libssh2) would read the user's file as ssh does.
//!
//! That crate knows no `Match`, no tokens, no single quotes, and lets the last value in a block win; it has no line numbers.
//! Its reading is a curiosity for an informative remark and never a source of values.

use std::io::Cursor;
use std::path::Path;

use ssh2_config::{ParseRule, SshConfig};

use super::tokens::{TokenContext, expand_tokens};
use crate::machine::files;
use bbdoctor_checks::facts::ssh_config::{Difference, Evaluation, Keyword, Question, SecondOpinion, SettingSource};

/// Compares our reading with that of `ssh2-config` for the user's `file`. Only values that stand in a file count, since the
/// crate knows neither the command line nor defaults; identities are compared with `~` expanded and duplicates dropped.
///
/// `None` if there is nothing to compare: ssh itself rejects the file, or it cannot be read. The crate expands `Include`s
/// itself and without bounds, therefore a file that has any is not given to it either.
pub fn second_opinion(file: &Path, own: &Evaluation, question: &Question<'_>) -> Option<SecondOpinion> {
    let includes =
        own.files.iter().any(|f| f.role == bbdoctor_checks::facts::ssh_config::FileRole::Included) || mentions_include(file)?;
    if !own.problems.is_empty() || includes {
        return None;
    }
    let text = files::read(file).ok()?;
    let mut config = SshConfig::default();
    if let Some(home) = question.account.ssh_home() {
        config = config.home_dir(home);
    }
    let config = match config.parse(&mut Cursor::new(text), ParseRule::ALLOW_UNSUPPORTED_FIELDS) {
        Ok(config) => config,
        Err(error) => return Some(SecondOpinion::Rejects(error.to_string())),
    };
    let theirs = config.query(&question.host);
    let context = TokenContext::new(own, question);
    let ours = |keyword: &str| -> Vec<String> {
        let values = own.setting(keyword).map(|s| s.values.as_slice()).unwrap_or_default();
        let from_file = values.iter().filter(|v| matches!(&v.source, SettingSource::File(at) if at.file == file));
        from_file.map(|v| expand_tokens(&v.text, &context).unwrap_or_else(|_| v.text.clone())).collect()
    };
    let mut identities: Vec<String> = Vec::new();
    for path in theirs.identity_file.unwrap_or_default() {
        let path = path.to_string_lossy().into_owned();
        if !identities.contains(&path) {
            identities.push(path);
        }
    }
    let on_command_line = |keyword: &str| own.source(keyword) == Some(&SettingSource::CommandLine);
    let differences: Vec<Difference> = [
        ("hostname", Vec::from_iter(theirs.host_name)),
        ("user", Vec::from_iter(theirs.user)),
        ("port", Vec::from_iter(theirs.port.map(|p| p.to_string()))),
        ("identityfile", identities),
    ]
    .into_iter()
    .filter_map(|(slot, other)| Some(Difference { keyword: Keyword::named(slot)?, ssh: ours(slot), other }))
    .filter(|d| d.ssh != d.other && !on_command_line(d.keyword.slot()))
    .collect();
    Some(if differences.is_empty() { SecondOpinion::Same } else { SecondOpinion::Differs(differences) })
}

fn mentions_include(file: &Path) -> Option<bool> {
    let text = files::read(file).ok()?;
    Some(text.to_ascii_lowercase().windows(7).any(|w| w == b"include"))
}
