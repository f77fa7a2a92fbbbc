//! What ssh's configuration says, and whether a person could answer what it makes ssh ask.

use crate::evidence::ssh_command::ClientKind;
use crate::evidence::ssh_config::second_opinion::second_opinion;
use crate::evidence::ssh_config::{ConfigFile, IdentityFile, Position, SecondOpinion, SettingSource, TokenContext, expand_tokens};
use crate::evidence::{Evidence, files, platform};
use crate::privacy::{Private, Text};
use crate::text;
use std::path::{Path, PathBuf};

impl Evidence {
    /// The user's own configuration file, if ssh reads one and it can be written to: with `-F none` it does not, and a
    /// folder or `/dev/null` in its place takes no lines.
    pub(crate) fn user_config_file(&self) -> Option<PathBuf> {
        let file = match self.question().ok()?.config_file {
            ConfigFile::None => return None,
            ConfigFile::File(file) => file,
            ConfigFile::Default => self.account().ssh_home()?.join(".ssh/config"),
        };
        (files::is_ordinary(&file) || files::access(&file).is_err()).then_some(file)
    }

    /// Whether a file is there and this user cannot read it.
    pub(crate) fn cannot_be_read(&self, file: &Path) -> bool {
        files::access(file).is_ok() && files::read(file).is_err()
    }

    /// Whether the ssh command itself names keys, which come before those of any file.
    pub(crate) fn command_names_keys(&self) -> bool {
        let named = |f: &IdentityFile| f.source == SettingSource::CommandLine;
        self.settings().is_ok_and(|s| s.identity_files().iter().any(named))
    }

    /// The text of a line.
    pub(crate) fn line(&self, position: &Position) -> Option<String> {
        let bytes = files::read(&position.file).ok()?;
        let line = bytes.split(|b| *b == b'\n').nth(position.line.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(line).trim_end_matches('\r').to_string())
    }

    /// How tools that are built on the library ssh2-config read the user's file.
    pub(crate) fn second_opinion(&self) -> Option<SecondOpinion> {
        let (own, question) = (self.reading().ok()?, self.question().ok()?);
        second_opinion(&self.user_config_file()?, own, &question)
    }

    /// What ssh says against its configuration while our own reading finds nothing. A program that runs ssh may not take the
    /// question at all.
    pub(crate) fn ssh_refuses_configuration(&self) -> Option<String> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        asked.refusal.clone().filter(|words| {
            let runs_ssh = self.ssh_command().kind != ClientKind::Wrapper;
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

    /// Whether the user's file has lines that apply to every host before its first block, or none at all.
    pub(crate) fn config_begins_outside_blocks(&self) -> bool {
        let Some(bytes) = self.user_config_file().and_then(|f| files::read(&f).ok()) else { return false };
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
        first.is_some_and(|l| {
            let keyword = l.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default().to_ascii_lowercase();
            keyword != "host" && keyword != "match"
        })
    }

    /// A value of ssh_config with `~` and tokens expanded; as it is where they cannot be.
    pub(crate) fn expand(&self, written: &str) -> String {
        let expanded = self
            .reading()
            .ok()
            .zip(self.question().ok())
            .and_then(|(own, question)| expand_tokens(written, &TokenContext::new(own, &question)).ok());
        expanded.unwrap_or_else(|| written.to_string())
    }

    /// Why ssh cannot expand a value, where it cannot.
    pub(crate) fn cannot_expand(&self, written: &str) -> Option<String> {
        let (own, question) = (self.reading().ok()?, self.question().ok()?);
        Some(expand_tokens(written, &TokenContext::new(own, &question)).err()?.to_string())
    }

    /// A path of ssh_config, expanded. A relative one begins where ssh runs.
    pub(crate) fn expand_path(&self, written: &str) -> PathBuf {
        self.ssh_folder().join(self.expand(written))
    }

    /// A path as it should stand in ssh_config.
    pub(crate) fn path_for_config(&self, path: &Path) -> Text {
        let home = self.account().ssh_home();
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
        let mut suspects = own.files.iter().filter(|f| asked.hangs && f.access.is_some() && !files::is_ordinary(&f.path));
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
    pub(crate) fn person_can_type_passphrase(&self) -> bool {
        !self.batch_mode() && (platform::terminal() || platform::askpass(self.ssh_environment()))
    }

    /// Whether ssh would ask about an unknown host key, and somebody could answer.
    pub(crate) fn person_can_confirm_host_key(&self) -> bool {
        let asks = self.settings().is_ok_and(|s| !s.is("stricthostkeychecking", &["yes", "true"]));
        asks && self.person_can_type_passphrase()
    }

    /// Whether ssh takes unknown host keys without asking.
    pub(crate) fn accepts_new_host_keys(&self) -> bool {
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

    /// RevokedHostKeys names a file that cannot be read.
    pub(crate) fn unusable_revoked_host_keys(&self) -> Option<(PathBuf, String)> {
        let settings = self.settings().ok()?;
        let path = settings.value("revokedhostkeys").filter(|p| !p.eq_ignore_ascii_case("none"))?;
        let path = self.expand_path(path);
        let error = files::read(&path).err()?;
        Some((path, error.to_string()))
    }
}

/// Whether ssh complains of a name rather than of its configuration (`resolve_canonicalize`).
fn is_resolvers(words: &str) -> bool {
    words.contains("Could not resolve host \"")
}
