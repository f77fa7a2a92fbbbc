//! Reads the configuration files in ssh's order (`process_config_files` of `ssh.c`, `read_config_file_depth` of
//! `readconf.c`) and keeps what each line says.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::super::files::{self, Access};
use super::encoding::{self, printable};
use super::keywords::{self, Kind};
use super::lexer::{self, Line, Word};
use super::options::Place;
use super::permissions::{self, Objection};
use super::tokens::{self, TokenContext, expand_tokens};
use super::{
    ConfigFile, Destination, Doubt, EncodingFault, Evaluation, ExpandError, FileOutcome, FileRead, FileRole, Loser, NoteKind,
    Position, Problem, ProblemKind, Question, SettingSource, lexer::UnbalancedQuote,
};
use crate::evidence::pattern::{self, Case};

/// The most files that are read for one question, counting each reading.
const FILE_LIMIT: usize = 2_000;
/// The most bytes that are read for one question, counting each reading.
const BYTE_LIMIT: usize = 16 << 20;
/// The most remarks of each kind that are kept: problems, notes, patterns, losers of one setting.
pub(super) const REMARK_LIMIT: usize = 1_000;

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

/// What a line says is wrong; the position is added where the line is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ProblemKind,
    pub(super) columns: Option<Range<usize>>,
    pub(super) text: String,
    pub(super) message: String,
    /// ssh stops at once, rather than at the end of the file.
    pub(super) fatal: bool,
}

impl Fault {
    pub(super) fn at(kind: ProblemKind, word: &Word, message: impl Into<String>) -> Self {
        Fault { kind, columns: Some(word.columns.clone()), text: word.text.clone(), message: message.into(), fatal: false }
    }
}

/// How reading a line ends when it does not end well.
pub(super) enum Failure {
    /// A bad line: ssh goes on to the end of the file, then stops.
    Line(Fault),
    /// ssh stops; the problem has been recorded.
    Stop,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Line(fault)
    }
}

/// ssh stops here; the problem has been recorded.
pub(super) struct Stop;

/// A value with what merging needs to know of it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) text: String,
    pub(super) source: SettingSource,
    pub(super) user_conf: bool,
}

/// What is true of a whole file while it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) role: FileRole,
    pub(super) user_conf: bool,
    /// Inside an `Include` of a block that does not apply: read, but set nothing.
    pub(super) never_match: bool,
    pub(super) final_pass: bool,
}

/// A `Host` or `Match` line that has been met.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) position: Position,
    is_match: bool,
    pub(super) matches_all: bool,
}

/// Where in a file the reader is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) active: bool,
    pub(super) block: Option<Block>,
}

/// Reads files and merges values.
pub(super) struct ConfigReader<'a> {
    pub(super) q: &'a Question<'a>,
    pub(super) slots: HashMap<&'static str, Vec<Stored>>,
    pub(super) losers: BTreeMap<&'static str, Vec<Loser>>,
    /// What `Host` lines are compared with: the name typed, in the final pass the resolved one.
    pub(super) host: String,
    pub(super) want_final_pass: bool,
    pub(super) out: Evaluation,
    /// The `Include` lines that lead to the file being read.
    pub(super) trail: Vec<(Position, PathBuf)>,
    readings: usize,
    bytes: usize,
}

/// Answers `question` from the files alone; runs nothing and asks no resolver.
pub fn evaluate(question: &Question<'_>) -> Evaluation {
    let mut reader = ConfigReader {
        q: question,
        slots: HashMap::new(),
        losers: BTreeMap::new(),
        host: question.host.clone(),
        want_final_pass: false,
        out: Evaluation {
            destination: Destination {
                host: question.host.clone(),
                host_key_alias: question.host.clone(),
                port: "22".into(),
                ..Destination::default()
            },
            ..Evaluation::default()
        },
        trail: Vec::new(),
        readings: 0,
        bytes: 0,
    };
    if !question.ssh.is_imitated() {
        reader.doubt(Doubt::OldRelease(question.ssh.version));
    }
    let _: Result<(), Stop> = reader.run();
    reader.out.expansions = expansions(&reader.out, question);
    reader.out
}

/// What the values, the paths and the words of notes come to in which there is something to expand.
fn expansions(own: &Evaluation, question: &Question<'_>) -> BTreeMap<String, Result<String, ExpandError>> {
    let context = TokenContext::new(own, question);
    let values = own.settings().flat_map(|s| s.values.iter().map(|v| &v.text));
    let files = own.identity_files.iter().map(|f| &f.path).chain(&question.identity_files);
    let written = values.chain(files).chain(own.notes.iter().map(|n| &n.text));
    let expandable = written.filter(|text| text.starts_with('~') || text.contains(['%', '$']));
    expandable.map(|text| (text.clone(), expand_tokens(text, &context))).collect()
}

impl ConfigReader<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        if self.q.account.entry.is_none() {
            return Err(self.stop(ProblemKind::NoAccount, format!("No user exists for uid {}", self.q.account.uid)));
        }
        self.command_line()?;
        self.read_all(false)?;
        self.finish()
    }

    /// Records a problem of no line and stops.
    pub(super) fn stop(&mut self, kind: ProblemKind, message: String) -> Stop {
        self.out.problems.push(Problem { kind, position: None, columns: None, text: String::new(), message });
        Stop
    }

    // -- the command line ------------------------------------------------------------------------------------------------

    /// `-o`, then `-p`, `-i` and `user@`, as `main` of `ssh.c` takes them.
    fn command_line(&mut self) -> Result<(), Stop> {
        let mode = Mode { role: FileRole::Given, user_conf: true, never_match: false, final_pass: false };
        for option in &self.q.options {
            let mut state = State { active: true, block: None };
            match self.line(option.as_bytes(), &SettingSource::CommandLine, mode, &mut state) {
                Ok(()) => {}
                Err(Failure::Stop) => return Err(Stop),
                Err(Failure::Line(fault)) => {
                    let message = match fault.kind {
                        ProblemKind::UnknownKeyword { .. } => format!("command-line: line 0: {}", fault.message),
                        ProblemKind::BadMatch { .. } => fault.message,
                        _ => format!("command-line line 0: {}", fault.message),
                    };
                    self.out.problems.push(Problem {
                        kind: fault.kind,
                        position: None,
                        columns: fault.columns,
                        text: fault.text,
                        message: printable(&message),
                    });
                    return Err(Stop);
                }
            }
        }
        let question = self.q;
        if let Some(port) = question.port {
            self.fill("port", &port.to_string(), SettingSource::CommandLine);
        }
        if let Some(user) = &question.user {
            self.fill("user", user, SettingSource::CommandLine);
        }
        for file in &question.identity_files {
            // ssh warns of a file that is missing and forgets it.
            let path = tokens::tilde(file, question.account).unwrap_or_else(|_| file.clone());
            let known = self.stored("identityfile").iter().any(|v| v.text == path);
            if !known && files::access(Path::new(&path)).is_ok() {
                let value = Stored { text: path, source: SettingSource::CommandLine, user_conf: true };
                self.slots.entry("identityfile").or_default().push(value);
            }
        }
        Ok(())
    }

    // -- files -----------------------------------------------------------------------------------------------------------

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

    // -- one line --------------------------------------------------------------------------------------------------------

    pub(super) fn line(&mut self, raw: &[u8], source: &SettingSource, mode: Mode, state: &mut State) -> Result<(), Failure> {
        let Some(line) = lexer::read_line(raw) else {
            return Ok(());
        };
        let keyword = line.keyword.text.to_ascii_lowercase();
        if line.rest.text.is_empty() {
            let message = format!("no argument after keyword \"{keyword}\"");
            return Err(Fault::at(ProblemKind::MissingArgument, &line.keyword, message).into());
        }
        let known = keywords::lookup(&keyword, self.q.ssh);
        let args = match (&line.args, known) {
            (Ok(args), _) => args.as_slice(),
            // ssh has said "Bad configuration option" already; that comes first.
            (Err(UnbalancedQuote), None) if !self.is_ignored(&keyword) => &[],
            (Err(UnbalancedQuote), _) => {
                return Err(Fault::at(ProblemKind::UnbalancedQuote, &line.rest, "invalid quotes").into());
            }
        };
        let Some(known) = known else {
            if self.is_ignored(&keyword) {
                self.note(NoteKind::KeywordUnknownButIgnored, source, &line.keyword.text);
                return Ok(());
            }
            let worthwhile = self.out.problems.len() < REMARK_LIMIT;
            let kind = ProblemKind::UnknownKeyword {
                did_you_mean: if worthwhile { keywords::did_you_mean(&keyword, self.q.ssh) } else { None },
                known_to: keywords::known_to(&keyword, self.q.ssh),
            };
            return Err(Fault::at(kind, &line.keyword, format!("Bad configuration option: {keyword}")).into());
        };
        if matches!(known.kind, Kind::Host | Kind::Match | Kind::Include) && *source == SettingSource::CommandLine {
            let name = if known.kind == Kind::Include { "Include" } else { "Host" };
            let detail = format!("{name} directive not supported as a command-line option");
            return Err(Fault::at(ProblemKind::BadMatch { detail: detail.clone() }, &line.keyword, detail).into());
        }
        match known.kind {
            Kind::Host => {
                self.enter_block(source, state, false, args);
                self.host_line(args, source, mode, state)
            }
            Kind::Match => {
                self.enter_block(source, state, true, args);
                self.match_line(&line, args, source, mode, state)
            }
            Kind::Include => self.include_line(args, source, mode, state),
            _ => {
                self.remark(known.kind, &line, source, state);
                let place = Place { line: &line, args, source, user_conf: mode.user_conf, active: state.active };
                self.option(known, &place).map_err(Failure::Line)
            }
        }
    }

    fn is_ignored(&self, keyword: &str) -> bool {
        self.first_text("ignoreunknown").is_some_and(|list| pattern::matches_list(keyword, list, Case::Ignored))
    }

    fn enter_block(&mut self, source: &SettingSource, state: &mut State, is_match: bool, args: &[Word]) {
        if let SettingSource::File(position) = source {
            let matches_all = args.len() == 1 && (args[0].text == "*" || args[0].text.eq_ignore_ascii_case("all"));
            state.block = Some(Block { position: position.clone(), is_match, matches_all });
        }
    }

    /// Notes about an option that is in order.
    fn remark(&mut self, kind: Kind, line: &Line, source: &SettingSource, state: &State) {
        let names_key = matches!(kind, Kind::IdentityFile | Kind::CertificateFile);
        if let Some(block) = state.block.clone()
            && names_key
            && block.is_match
            && let SettingSource::File(position) = source
        {
            let inactive = NoteKind::KeyInInactiveMatch { block: block.position };
            if state.active {
                self.out.notes.retain(|n| n.kind != inactive || n.position != *position);
            } else if !self.out.final_pass {
                self.note(inactive, source, &line.rest.text);
            }
        }
        if let Some(fault) = encoding::of_line(line.rest.text.as_bytes()) {
            self.note(NoteKind::EncodingInValue(fault), source, &line.rest.text);
        }
    }
}
