//! Answers a question about the configuration: the command line, then each line of the files (`process_config_line_depth`
//! of `readconf.c`).

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::encoding::{self, printable};
use super::lexer::UnbalancedQuote;
use super::lexer::{self, Line, Word};
use super::options::Place;
use super::tokens::{self};
use crate::machine::files;
use crate::openssh::pattern::{self, Case};
use bbdoctor_checks::facts::ssh_config::keywords;
use bbdoctor_checks::facts::ssh_config::keywords::Kind;
use bbdoctor_checks::facts::ssh_config::{
    Destination, Doubt, Evaluation, FileRole, Loser, NoteKind, Position, Problem, ProblemKind, Question, SettingSource,
};

/// The most remarks of each kind that are kept: problems, notes, patterns, losers of one setting.
pub(super) const REMARK_LIMIT: usize = 1_000;

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
    pub(super) readings: usize,
    pub(super) bytes: usize,
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
    reader.out
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
