//! `Include`: which files it names and how they are read in its place.

use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::evaluate::{ConfigReader, Failure, Fault, Mode, State, Stop};
use super::glob::{self, TooWide};
use super::lexer::Word;
use crate::machine::account;
use bbdoctor_checks::facts::ssh_config::{FileRole, NoteKind, Position, Problem, ProblemKind, SettingSource};

/// The deepest nesting of files ssh reads (`READCONF_MAX_DEPTH`).
const MAX_DEPTH: usize = 16;

impl ConfigReader<'_> {
    pub(super) fn include_line(
        &mut self,
        args: &[Word],
        source: &SettingSource,
        mode: Mode,
        state: &mut State,
    ) -> Result<(), Failure> {
        let SettingSource::File(position) = source else { return Ok(()) };
        if let Some(block) = state.block.clone().filter(|b| !b.matches_all) {
            self.note(NoteKind::IncludeInsideBlock { block: block.position }, source, "");
        }
        for arg in args {
            if arg.text.is_empty() {
                return Err(Fault::at(ProblemKind::MissingArgument, arg, "keyword include empty argument").into());
            }
            let spec = if self.q.ssh.version >= 909 { self.expand_for_include(arg)? } else { arg.text.clone() };
            if spec.starts_with('~') && !mode.user_conf {
                return Err(Fault::at(ProblemKind::BadValue, arg, format!("bad include path {spec}.")).into());
            }
            let pattern = self.anchored(&spec, mode);
            let found = glob::glob(&pattern).map_err(|TooWide| {
                self.stop(ProblemKind::BeyondLimits, format!("too many files for {spec}"));
                Failure::Stop
            })?;
            if found.is_empty() {
                let pattern = String::from_utf8_lossy(&pattern).into_owned();
                self.note(NoteKind::IncludeMatchesNothing { pattern }, source, &arg.text);
            }
            for path in found {
                self.include(&path, arg, position, mode, state)?;
            }
        }
        Ok(())
    }

    /// The pattern made absolute: `~` is `$HOME` here, as in `glob(3)`, and a relative path belongs to `~/.ssh` or `/etc/ssh`.
    fn anchored(&self, spec: &str, mode: Mode) -> Vec<u8> {
        let home = self.q.account.home_variable.clone().or_else(|| self.q.account.ssh_home());
        let under = |folder: Option<PathBuf>, path: &str| {
            let folder = folder.map(|f| glob::escaped(&f)).unwrap_or_default();
            [folder.as_slice(), b"/", path.as_bytes()].concat()
        };
        match spec.strip_prefix('~') {
            Some(tail) => {
                let (name, path) = tail.split_once('/').unwrap_or((tail, ""));
                match name {
                    "" => under(home, path),
                    name => under(account::home_of(name), path),
                }
            }
            None if spec.starts_with('/') => spec.as_bytes().to_vec(),
            None if mode.user_conf => under(home.map(|h| h.join(".ssh")), spec),
            None => under(self.q.system_file.parent().map(Path::to_path_buf), spec),
        }
    }

    fn include(&mut self, path: &Path, arg: &Word, position: &Position, mode: Mode, state: &mut State) -> Result<(), Failure> {
        if self.trail.len() >= MAX_DEPTH {
            let is_loop = position.file == path || self.trail.iter().any(|(from, to)| to == path || from.file == path);
            self.out.problems.push(Problem {
                kind: ProblemKind::IncludeTooDeep { is_loop },
                position: Some(position.clone()),
                columns: Some(arg.columns.clone()),
                text: arg.text.clone(),
                message: "Too many recursive configuration includes".into(),
            });
            return Err(Failure::Stop);
        }
        let inner = Mode { role: FileRole::Included, never_match: mode.never_match || !state.active, ..mode };
        self.trail.push((position.clone(), path.to_path_buf()));
        let opened = self.read_file(path, inner, state.active);
        self.trail.pop();
        match opened {
            Err(Stop) => Err(Failure::Stop),
            Ok(Err(errno)) if errno != Errno::ENOENT => {
                let words = format!("Can't open user config file {}: {}", path.display(), errno.desc());
                let message = if self.q.ssh.version >= 909 {
                    format!("{} line {}: {words}", position.file.display(), position.line)
                } else {
                    words
                };
                let text = path.display().to_string();
                Err(Fault { text, ..Fault::at(ProblemKind::UnreadableInclude, arg, message) }.into())
            }
            Ok(_) => Ok(()),
        }
    }
}
