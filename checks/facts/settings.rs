//! The effective settings of ssh for this host, and what they mean for a person at the terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Facts, paths};
use crate::facts::ssh_command::ClientKind;
use serde::{Deserialize, Serialize};

use super::ssh_config::{ConfigFile, Effective, ExpandError, IdentityFile, Position, Setting, SettingSource};
use crate::privacy::{Private, Text};
use crate::text;

/// Who vouches for the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authority {
    /// `ssh -G`.
    Ssh,
    /// Our own reading.
    OwnReading,
}

/// The settings for one host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    list: BTreeMap<String, Setting>,
    identity_files: Vec<IdentityFile>,
    /// Who vouches for the values.
    pub authority: Authority,
}

/// What ssh said when asked for its settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Its settings.
    pub effective: Option<Effective>,
    /// Why it refuses its configuration, in its words.
    pub refusal: Option<String>,
    /// It did not end in time: a `Match exec` does not return, or a file is a pipe.
    pub hangs: bool,
}

impl Settings {
    /// Of the settings by keyword, the identities in ssh's order, and who vouches for them.
    pub fn new(list: BTreeMap<String, Setting>, identity_files: Vec<IdentityFile>, authority: Authority) -> Self {
        Settings { list, identity_files, authority }
    }

    /// The first value of `keyword` (lower case).
    pub fn value(&self, keyword: &str) -> Option<&str> {
        self.list.get(keyword)?.values.first().map(|v| v.text.as_str())
    }

    /// Every value of `keyword`.
    pub fn values(&self, keyword: &str) -> Vec<&str> {
        self.list.get(keyword).map(|s| s.values.iter().map(|v| v.text.as_str()).collect()).unwrap_or_default()
    }

    /// Whether the value of `keyword` is one of `wanted`, in any case.
    pub fn is(&self, keyword: &str, wanted: &[&str]) -> bool {
        self.value(keyword).is_some_and(|v| wanted.iter().any(|w| w.eq_ignore_ascii_case(v)))
    }

    /// Whether `keyword` is on.
    pub fn is_on(&self, keyword: &str) -> bool {
        self.is(keyword, &["yes", "true"])
    }

    /// The line that decides `keyword`, if a file does.
    pub fn position(&self, keyword: &str) -> Option<&Position> {
        self.list.get(keyword)?.values.first()?.source.position()
    }

    /// Whether a file or the command line sets `keyword`.
    pub fn is_set(&self, keyword: &str) -> bool {
        self.list.get(keyword).and_then(|s| s.values.first()).is_some_and(|v| v.source != SettingSource::Default)
    }

    /// Every setting, by keyword.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.list.values()
    }

    /// The identities in ssh's order, as written.
    pub fn identity_files(&self) -> &[IdentityFile] {
        &self.identity_files
    }

    /// The host ssh connects to.
    pub fn hostname(&self) -> &str {
        self.value("hostname").unwrap_or_default()
    }

    /// The port ssh connects to.
    pub fn port(&self) -> u16 {
        self.value("port").and_then(|p| p.parse().ok()).unwrap_or(22)
    }

    /// The user ssh logs in as.
    pub fn user(&self) -> &str {
        self.value("user").unwrap_or_default()
    }
}

impl Facts {
    /// The user's own configuration file, if ssh reads one and it can be written to: with `-F none` it does not, and a
    /// folder or `/dev/null` in its place takes no lines.
    pub(crate) fn user_config_file(&self) -> Option<PathBuf> {
        let file = match self.question().ok()?.config_file {
            ConfigFile::None => return None,
            ConfigFile::File(file) => file,
            ConfigFile::Default => self.account.ssh_home()?.join(".ssh/config"),
        };
        let at = self.paths.at(&file);
        (at.kind == paths::Kind::File || at.access.is_none()).then_some(file)
    }

    /// Whether the ssh command itself names keys, which come before those of any file.
    pub(crate) fn command_names_keys(&self) -> bool {
        let named = |f: &IdentityFile| f.source == SettingSource::CommandLine;
        self.settings().is_ok_and(|s| s.identity_files().iter().any(named))
    }

    /// What ssh says against its configuration while our own reading finds nothing. A program that runs ssh may not take the
    /// question at all.
    pub(crate) fn ssh_refuses_configuration(&self) -> Option<String> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        asked.refusal.clone().filter(|words| {
            let runs_ssh = self.ssh_command.kind != ClientKind::Wrapper;
            own.problems.is_empty() && runs_ssh && !is_resolvers(words)
        })
    }

    /// Whether ssh stops because CanonicalizeHostname is on and no name can be found.
    pub(crate) fn ssh_finds_no_canonical_name(&self) -> bool {
        self.asked().is_ok_and(|asked| asked.refusal.as_deref().is_some_and(is_resolvers))
    }

    /// The line that sets `keyword` (lower case).
    pub(crate) fn setting_position(&self, keyword: &str) -> Option<Position> {
        self.settings().ok()?.position(keyword).cloned()
    }

    /// Whether the user sets `keyword`.
    pub(crate) fn setting_is_set(&self, keyword: &str) -> bool {
        self.settings().is_ok_and(|s| s.is_set(keyword))
    }

    /// Why ssh cannot expand a value, where it cannot.
    pub(crate) fn cannot_expand(&self, written: &str) -> Option<String> {
        Some(self.expansions.of(written)?.as_ref().err()?.to_string())
    }

    /// A path of ssh_config, expanded; as it is where it cannot be. A relative one begins where ssh runs.
    pub fn expand_path(&self, written: &str) -> PathBuf {
        let expanded = self.expansions.of(written).and_then(|expanded| expanded.as_deref().ok());
        self.ssh_folder().join(expanded.unwrap_or(written))
    }

    /// A path as it should stand in ssh_config.
    pub(crate) fn path_for_config(&self, path: &Path) -> Text {
        let home = self.account.ssh_home();
        let inside = home.as_ref().and_then(|h| path.strip_prefix(h).ok());
        let shown = match inside {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        };
        let shown = shown.replace('%', "%%");
        if !shown.contains(|c: char| c.is_whitespace() || "'\"\\".contains(c)) {
            return Private::path(shown).into();
        }
        text!("\"{}\"", Private::path(shown.replace('\\', "\\\\").replace('"', "\\\"")))
    }

    /// A configuration file at which ssh waits for ever: a pipe, say.
    pub(crate) fn endless_configuration(&self) -> Option<PathBuf> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        let mut suspects =
            own.files.iter().filter(|f| asked.hangs && f.access.is_some() && self.paths.at(&f.path).kind != paths::Kind::File);
        suspects.next().map(|f| f.path.clone())
    }

    /// A `Match exec` whose command does not return.
    pub(crate) fn hanging_match_exec(&self) -> Option<(Position, String)> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        let first = own.undecided.first().filter(|_| asked.hangs)?;
        Some((first.position.clone(), first.command.clone()))
    }

    /// The names of Host blocks that look like `name`.
    pub(crate) fn similar_alias(&self, name: &str) -> Option<String> {
        let own = self.reading().ok()?;
        let plain = own.host_patterns.iter().filter(|p| !p.negated && !p.pattern.contains(['*', '?']));
        plain
            .filter(|p| p.pattern.chars().count().abs_diff(name.chars().count()) <= 3)
            .map(|p| (strsim::damerau_levenshtein(&p.pattern, name), &p.pattern))
            .filter(|(d, _)| (1..=3).contains(d))
            .min()
            .map(|(_, p)| p.clone())
    }

    /// Whether ssh's BatchMode keeps it from asking anything.
    fn batch_mode(&self) -> bool {
        self.settings().is_ok_and(|s| s.is_on("batchmode"))
    }

    /// Whether somebody could type a passphrase.
    pub fn person_can_type_passphrase(&self) -> bool {
        !self.batch_mode() && self.machine.can_ask()
    }

    /// Whether ssh would ask about an unknown host key, and somebody could answer.
    pub(crate) fn person_can_confirm_host_key(&self) -> bool {
        let asks = self.settings().is_ok_and(|s| !s.is("stricthostkeychecking", &["yes", "true"]));
        asks && self.person_can_type_passphrase()
    }

    /// Whether ssh takes unknown host keys without asking.
    pub fn accepts_new_host_keys(&self) -> bool {
        self.settings().is_ok_and(|s| s.is("stricthostkeychecking", &["no", "off", "false", "accept-new"]))
    }

    /// Whether ssh goes on when a host key has changed.
    pub(crate) fn tolerates_changed_host_key(&self) -> bool {
        self.settings().is_ok_and(|s| s.is("stricthostkeychecking", &["no", "off", "false"]))
    }

    /// Whether the user chooses the types of host keys.
    pub(crate) fn host_key_algorithms_are_set(&self) -> bool {
        self.setting_is_set("hostkeyalgorithms")
    }
}

/// Values of ssh's configuration with `~`, tokens and variables expanded, by what is written; or why ssh cannot expand them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansions(BTreeMap<String, Result<String, ExpandError>>);

impl Expansions {
    /// Of the values that checks ask for.
    pub fn new(values: BTreeMap<String, Result<String, ExpandError>>) -> Self {
        Expansions(values)
    }

    /// What a value comes to. One that nobody has expanded is a fault of the gathering, which tests shall find.
    fn of(&self, written: &str) -> Option<&Result<String, ExpandError>> {
        let expanded = self.0.get(written);
        debug_assert!(expanded.is_some(), "nobody has expanded {written}");
        expanded
    }
}

/// Whether ssh complains of a name rather than of its configuration (`resolve_canonicalize`).
fn is_resolvers(words: &str) -> bool {
    words.contains("Could not resolve host \"")
}
