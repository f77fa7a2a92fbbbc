//! Reads the configuration files in ssh's order (`process_config_files` of `ssh.c`, `read_config_file_depth` of
//! `readconf.c`), within bounds, and records the bad lines.

use std::io;
use std::path::Path;

use super::encoding::{self, printable};
use super::evaluate::{ConfigReader, Failure, Fault, Mode, REMARK_LIMIT, State, Stop};
use super::lexer;
use super::permissions::{self, Objection};
use crate::machine::files;
use bbdoctor_checks::facts::files::Access;
use bbdoctor_checks::facts::ssh_config::keywords;
use bbdoctor_checks::facts::ssh_config::{
    ConfigFile, EncodingFault, FileOutcome, FileRead, FileRole, NoteKind, Position, Problem, ProblemKind, SettingSource,
};

/// The most files that are read for one question, counting each reading.
const FILE_LIMIT: usize = 2_000;
/// The most bytes that are read for one question, counting each reading.
const BYTE_LIMIT: usize = 16 << 20;
/// Options that are meant for one host and mislead when they apply to all.
const OF_ONE_HOST: &[&str] = &[
    "certificatefile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "port",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "remotecommand",
    "user",
];

impl ConfigReader<'_> {
    /// Reads the files there are to read, for the first or for the final time.
    pub(super) fn read_all(&mut self, final_pass: bool) -> Result<(), Stop> {
        let mode = |role| Mode { role, user_conf: role != FileRole::System, never_match: false, final_pass };
        match &self.q.config_file {
            ConfigFile::None => Ok(()),
            ConfigFile::File(path) => match self.read_file(path, mode(FileRole::Given), true)? {
                Ok(()) => Ok(()),
                Err(errno) => {
                    let text = path.display().to_string();
                    let message = printable(&format!("Can't open user config file {text}: {}", errno.desc()));
                    let problem = Problem { kind: ProblemKind::FileMissing, position: None, columns: None, text, message };
                    self.out.problems.push(problem);
                    Err(Stop)
                }
            },
            ConfigFile::Default => {
                if let Some(home) = self.q.account.ssh_home() {
                    let _silent = self.read_file(&home.join(".ssh/config"), mode(FileRole::User), true)?;
                }
                let _silent = self.read_file(&self.q.system_file, mode(FileRole::System), true)?;
                Ok(())
            }
        }
    }

    fn file_seen(&mut self, path: &Path, role: FileRole, access: Option<Access>, outcome: FileOutcome) {
        let seen = FileRead { path: path.to_path_buf(), role, access, outcome };
        if !self.out.files.iter().any(|f| f.path == seen.path) {
            self.out.files.push(seen);
        }
    }

    /// Reads one file. The outer error ends everything; the inner one says that the file cannot be opened.
    pub(super) fn read_file(&mut self, path: &Path, mode: Mode, active: bool) -> Result<Result<(), nix::errno::Errno>, Stop> {
        let role = mode.role;
        self.readings += 1;
        if self.readings > FILE_LIMIT {
            return Err(self.stop(ProblemKind::BeyondLimits, format!("more than {FILE_LIMIT} configuration files")));
        }
        let access = files::access(path).ok();
        if let Err(error) = files::open(path) {
            let errno = error.raw_os_error().unwrap_or_default();
            let outcome =
                if error.kind() == io::ErrorKind::NotFound { FileOutcome::Missing } else { FileOutcome::Unreadable(errno) };
            self.file_seen(path, role, access, outcome);
            return Ok(Err(nix::errno::Errno::from_raw(errno)));
        }
        if matches!(role, FileRole::User | FileRole::Included)
            && let Some(access) = access
            && let Some(objection) = permissions::judge(access, self.q.account.uid, self.q.ssh.debian)
        {
            self.file_seen(path, role, Some(access), FileOutcome::Refused);
            let kind = match objection {
                Objection::WrongOwner => ProblemKind::WrongOwner(access),
                Objection::TooOpen => ProblemKind::PermissionsTooOpen(access),
            };
            let position = Position { file: path.to_path_buf(), line: 0 };
            self.out.problems.push(Problem {
                kind,
                position: Some(position),
                columns: None,
                text: path.display().to_string(),
                message: printable(&format!("Bad owner or permissions on {}", path.display())),
            });
            return Err(Stop);
        }
        let text = match files::read(path) {
            Ok(text) => text,
            Err(_) => {
                self.file_seen(path, role, access, FileOutcome::Folder);
                return Ok(Ok(()));
            }
        };
        self.file_seen(path, role, access, FileOutcome::Read);
        self.bytes += text.len();
        if self.bytes > BYTE_LIMIT {
            return Err(self.stop(ProblemKind::BeyondLimits, format!("more than {BYTE_LIMIT} bytes of configuration")));
        }
        self.read_text(path, &text, mode, active)?;
        Ok(Ok(()))
    }

    fn read_text(&mut self, path: &Path, text: &[u8], mode: Mode, active: bool) -> Result<(), Stop> {
        let mut state = State { active, block: None };
        let mut bad = 0;
        let top = !matches!(mode.role, FileRole::Included | FileRole::System);
        let notes_before = self.out.notes.len();
        for (index, raw) in lexer::lines(text).enumerate() {
            let position = Position { file: path.to_path_buf(), line: index + 1 };
            let source = SettingSource::File(position.clone());
            if std::str::from_utf8(raw).is_err() && lexer::read_line(raw).is_some() {
                self.note(NoteKind::NotUtf8, &source, "");
            }
            if top && state.block.is_none() {
                self.before_first_host(raw, &source);
            }
            match self.line(raw, &source, mode, &mut state) {
                Ok(()) => {}
                Err(Failure::Stop) => return Err(Stop),
                Err(Failure::Line(fault)) => {
                    bad += 1;
                    let fatal = fault.fatal;
                    if self.out.problems.len() < REMARK_LIMIT {
                        self.bad_line(fault, position, raw, text);
                    }
                    if fatal {
                        return Err(Stop);
                    }
                }
            }
        }
        if state.block.is_some() {
            for note in self.out.notes.iter_mut().skip(notes_before) {
                if let NoteKind::OptionBeforeFirstHost { blocks_follow, .. } = &mut note.kind {
                    *blocks_follow = true;
                }
            }
        }
        if bad > 0 { Err(Stop) } else { Ok(()) }
    }

    /// Records a bad line in ssh's words.
    fn bad_line(&mut self, fault: Fault, position: Position, raw: &[u8], text: &[u8]) {
        let file = position.file.display().to_string();
        let line = position.line;
        let message = match &fault.kind {
            ProblemKind::UnknownKeyword { .. } => format!("{file}: line {line}: {}", fault.message),
            ProblemKind::UnreadableInclude => fault.message.clone(),
            ProblemKind::ExpansionFailed(_) if fault.fatal => fault.message.clone(),
            _ => format!("{file} line {line}: {}", fault.message),
        };
        let first = if line == 1 { encoding::of_file(text) } else { None };
        // UTF-16 makes every line bad, the first is told apart by its mark.
        let utf16 = encoding::of_file(text) == Some(EncodingFault::Utf16);
        let kind = match first.or_else(|| if utf16 { Some(EncodingFault::Utf16) } else { encoding::of_line(raw) }) {
            Some(encoding) => ProblemKind::Encoding(encoding),
            None => fault.kind,
        };
        self.out.problems.push(Problem {
            kind,
            position: Some(position),
            columns: fault.columns,
            text: fault.text,
            message: printable(&message),
        });
    }

    fn before_first_host(&mut self, raw: &[u8], source: &SettingSource) {
        let Some(line) = lexer::read_line(raw) else { return };
        let Some(known) = keywords::lookup(&line.keyword.text, self.q.ssh) else { return };
        if OF_ONE_HOST.contains(&known.slot) {
            let kind = NoteKind::OptionBeforeFirstHost { keyword: known.slot.to_string(), blocks_follow: false };
            self.note(kind, source, &line.rest.text);
        }
    }
}
