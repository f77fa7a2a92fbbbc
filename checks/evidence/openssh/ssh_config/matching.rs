//! `Host` and `Match` lines: whether a block applies (`match_cfg_line` of `readconf.c`).

use std::collections::VecDeque;

use super::evaluate::{ConfigReader, Failure, Fault, Mode, REMARK_LIMIT, State};
use super::lexer::{Delimited, Line, Word};
use super::tokens::{self, Expand, TokenContext};
use crate::openssh::pattern::{self, Case};
use bbdoctor_checks::facts::ssh_config::{
    Destination, Doubt, ExecPolicy, ExpandError, HostPattern, ProblemKind, SettingSource, UndecidedExec,
};

/// The words of a `Match` line: 9.8 and older read them like a keyword, 9.9 and newer like arguments.
enum Words<'a> {
    Delimited(Delimited<'a>),
    Arguments(VecDeque<Word>),
}

impl Words<'_> {
    fn next(&mut self) -> Option<Word> {
        match self {
            Words::Delimited(d) => d.next_word(),
            Words::Arguments(a) => a.pop_front(),
        }
    }

    fn drop_rest(&mut self) {
        match self {
            Words::Delimited(d) => d.drop_rest(),
            Words::Arguments(a) => a.clear(),
        }
    }

    fn finished(&self) -> bool {
        match self {
            Words::Delimited(d) => d.at_end(),
            Words::Arguments(a) => a.is_empty(),
        }
    }
}

impl ConfigReader<'_> {
    pub(super) fn host_line(
        &mut self,
        args: &[Word],
        source: &SettingSource,
        mode: Mode,
        state: &mut State,
    ) -> Result<(), Failure> {
        state.active = false;
        let SettingSource::File(position) = source else { return Ok(()) };
        let mut decided = false;
        let mut patterns = Vec::new();
        for arg in args {
            if arg.text.is_empty() && !decided {
                return Err(Fault::at(ProblemKind::MissingArgument, arg, "keyword host empty argument").into());
            }
            let (negated, text) = arg.text.strip_prefix('!').map_or((false, arg.text.as_str()), |p| (true, p));
            let fits = pattern::matches(&self.host, text);
            patterns.push(HostPattern {
                pattern: text.to_string(),
                negated,
                position: position.clone(),
                columns: arg.columns.clone(),
                fits,
                active: false,
            });
            if fits && !decided {
                state.active = !negated && !mode.never_match;
                decided = negated;
            }
            decided |= mode.never_match;
        }
        for found in patterns {
            self.host_pattern(HostPattern { active: state.active, ..found });
        }
        Ok(())
    }

    pub(super) fn match_line(
        &mut self,
        line: &Line,
        args: &[Word],
        source: &SettingSource,
        mode: Mode,
        state: &mut State,
    ) -> Result<(), Failure> {
        let mut words = if self.q.ssh.version >= 909 {
            Words::Arguments(args.iter().cloned().collect())
        } else {
            Words::Delimited(Delimited::new(line.rest.text.as_bytes(), line.rest.columns.start))
        };
        let verdict = self.match_criteria(line, &mut words, source, mode)?;
        state.active = verdict && !mode.never_match;
        if words.finished() {
            return Ok(());
        }
        let message = "keyword match extra arguments at end of line";
        Err(Fault::at(ProblemKind::ExtraArgument, &line.rest, message).into())
    }

    fn match_criteria(&mut self, line: &Line, words: &mut Words<'_>, source: &SettingSource, mode: Mode) -> Result<bool, Failure> {
        let bad = |detail: String, word: &Word| -> Failure {
            Fault::at(ProblemKind::BadMatch { detail }, word, "Bad Match condition").into()
        };
        let host = self.match_host(mode)?;
        let user = self.user_so_far();
        let (mut result, mut criteria) = (true, 0);
        while let Some(first) = words.next() {
            if first.text.is_empty() && matches!(words, Words::Delimited(_)) {
                break;
            }
            if first.text.starts_with('#') {
                words.drop_rest();
                break;
            }
            let (negate, written) = first.text.strip_prefix('!').map_or((false, first.text.as_str()), |n| (true, n));
            let mut name = written.to_ascii_lowercase();
            if name == "all" {
                let next = words.next();
                let more = next.as_ref().is_some_and(|w| !w.text.is_empty() && !w.text.starts_with('#'));
                if criteria > 1 || more {
                    return Err(bad("'all' cannot be combined with other Match attributes".into(), &first));
                }
                if next.is_some_and(|w| w.text.starts_with('#')) {
                    words.drop_rest();
                }
                return Ok(result && !negate);
            }
            criteria += 1;
            if name == "canonical" || name == "final" {
                if name == "final" && !mode.final_pass {
                    self.want_final_pass |= self.q.ssh.version < 1001 || !negate;
                }
                result &= mode.final_pass != negate;
                continue;
            }
            let joined = match written.split_once('=') {
                Some((n, v)) if matches!(words, Words::Arguments(_)) && self.q.ssh.match_equals => {
                    name = n.to_ascii_lowercase();
                    Some(v.to_string())
                }
                _ => None,
            };
            let may_be_empty = name == "tagged" || name == "command";
            let value = match joined.or_else(|| words.next().map(|w| w.text)) {
                Some(v) if !v.starts_with('#') && (!v.is_empty() || may_be_empty) => v,
                _ => return Err(bad(format!("Missing Match criteria for {name}"), &first)),
            };
            if name == "exec" {
                if let SettingSource::File(position) = source
                    && self.out.exec_conditions.len() < REMARK_LIMIT
                    && !self.out.exec_conditions.contains(position)
                {
                    self.out.exec_conditions.push(position.clone());
                }
                // The command is expanded even where it would not be run.
                let context = self.match_tokens(&host, &user);
                let command = tokens::expand(&value, &context, Expand { tilde: false, percent: true, dollar: false })
                    .map_err(|why| failed_expansion(why, &line.rest))?;
                if result {
                    result = self.exec(command, source) != negate;
                }
                continue;
            }
            let Some(hit) = self.criterion(&name, &value, &host, &user, source) else {
                return Err(bad(format!("Unsupported Match attribute {name}"), &first));
            };
            result &= hit != negate;
        }
        if criteria == 0 {
            return Err(bad("One or more attributes required for Match".into(), &line.rest));
        }
        Ok(result)
    }

    /// Whether one criterion holds; `None` if this ssh does not have it.
    fn criterion(&mut self, name: &str, value: &str, host: &str, user: &str, source: &SettingSource) -> Option<bool> {
        let version = self.q.ssh.version;
        let local_user = self.q.account.entry.as_ref().map(|e| e.name.as_str()).unwrap_or_default();
        Some(match name {
            "host" => pattern::matches_list(host, value, Case::Ignored),
            "originalhost" => pattern::matches_list(&self.q.host, value, Case::Ignored),
            "user" => pattern::matches_list(user, value, Case::Counts),
            "localuser" => pattern::matches_list(local_user, value, Case::Counts),
            "localnetwork" if version >= 904 => {
                if let SettingSource::File(position) = source {
                    self.doubt(Doubt::LocalNetwork(position.clone()));
                }
                false
            }
            "tagged" if version >= 904 => match self.first_text("tag").unwrap_or_default() {
                "" => value.is_empty(),
                tag => pattern::matches_list(tag, value, Case::Counts),
            },
            "command" if version >= 1000 => match self.q.command.as_deref().unwrap_or_default() {
                "" => value.is_empty(),
                command => pattern::matches_list(command, value, Case::Counts),
            },
            "sessiontype" if version >= 1000 => {
                let kind = match (self.first_text("sessiontype"), &self.q.command) {
                    (Some(kind @ ("none" | "subsystem")), _) => kind,
                    (_, Some(_)) => "exec",
                    _ => "shell",
                };
                pattern::matches_list(kind, value, Case::Counts)
            }
            "version" if version >= 1000 => {
                pattern::matches_list(&format!("OpenSSH_{}.{}p1", version / 100, version % 100), value, Case::Counts)
            }
            _ => return None,
        })
    }

    /// Notes the command and answers what it is taken for.
    fn exec(&mut self, command: String, source: &SettingSource) -> bool {
        if let SettingSource::File(position) = source {
            let found = UndecidedExec { position: position.clone(), command };
            if self.out.undecided.len() < REMARK_LIMIT && !self.out.undecided.contains(&found) {
                self.out.undecided.push(found);
            }
        }
        self.q.exec == ExecPolicy::AssumeTrue
    }

    // -- what the tokens stand for while the files are read --------------------------------------------------------------

    /// The user so far: command line, files, then the local one.
    pub(super) fn user_so_far(&self) -> String {
        let local = self.q.account.entry.as_ref().map(|e| e.name.as_str());
        self.first_text("user").or(local).unwrap_or_default().to_string()
    }

    /// The host name so far, with its `%h` expanded unless it is resolved already.
    fn match_host(&mut self, mode: Mode) -> Result<String, Failure> {
        match self.first_text("hostname").map(String::from) {
            Some(name) if mode.final_pass => Ok(name),
            Some(name) => self.expand_host_name(&name, &self.host.clone()).map_err(|_stop| Failure::Stop),
            None => Ok(self.host.clone()),
        }
    }

    fn match_tokens(&self, host: &str, user: &str) -> TokenContext<'_> {
        let destination = Destination {
            host: host.to_string(),
            port: self.first_text("port").unwrap_or("22").to_string(),
            user: user.to_string(),
            host_key_alias: self.first_text("hostkeyalias").unwrap_or(host).to_string(),
            jump: self.first_text("proxyjump").unwrap_or_default().to_string(),
        };
        TokenContext::of(destination, self.q)
    }

    /// Expands the path of an `Include` (9.9 and later).
    pub(super) fn expand_for_include(&mut self, path: &Word) -> Result<String, Failure> {
        let host = match self.first_text("hostname").map(String::from) {
            Some(name) => self.expand_host_name(&name, &self.host.clone()).map_err(|_stop| Failure::Stop)?,
            None => self.host.clone(),
        };
        let context = self.match_tokens(&host, &self.user_so_far());
        let how = Expand { tilde: false, percent: true, dollar: true };
        tokens::expand(&path.text, &context, how).map_err(|why| failed_expansion(why, path))
    }
}

/// ssh stops at once where a token means nothing.
fn failed_expansion(why: ExpandError, word: &Word) -> Failure {
    let message = why.to_string();
    Fault { fatal: true, ..Fault::at(ProblemKind::ExpansionFailed(why), word, message) }.into()
}
