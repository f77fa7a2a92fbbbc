//! Reads the arguments of one option and merges the value: the first value wins, with the exceptions ssh has.

use super::evaluate::{ConfigReader, Fault};
use super::lexer::{Line, Word};
use super::tokens::substitute;
use super::traits;
use super::values;
use bbdoctor_checks::facts::ssh_config::keywords::{AlgorithmList, HASH, Kind, Known};
use bbdoctor_checks::facts::ssh_config::{Doubt, ExpandError, NoteKind, ProblemKind, SettingSource};

/// The most values of one setting that are kept; ssh would go on, at growing cost.
const VALUE_LIMIT: usize = 1_000;

/// The line an option stands on, and whether it counts.
pub(super) struct Place<'a> {
    pub(super) line: &'a Line,
    pub(super) args: &'a [Word],
    pub(super) source: &'a SettingSource,
    /// From the user's file or the command line rather than the system-wide file.
    pub(super) user_conf: bool,
    pub(super) active: bool,
}

impl Place<'_> {
    pub(super) fn keyword(&self) -> String {
        self.line.keyword.text.to_ascii_lowercase()
    }

    /// The first argument, which must not be empty.
    pub(super) fn first(&self, message: &str) -> Result<&Word, Fault> {
        match self.args.first() {
            Some(word) if !word.text.is_empty() => Ok(word),
            word => Err(Fault::at(ProblemKind::MissingArgument, word.unwrap_or(&self.line.rest), message)),
        }
    }

    pub(super) fn bad(&self, index: usize, message: impl Into<String>) -> Fault {
        Fault::at(ProblemKind::BadValue, self.args.get(index).unwrap_or(&self.line.rest), message)
    }
}

impl ConfigReader<'_> {
    /// Takes one option. An error is a bad line, after which ssh goes on to the end of the file.
    pub(super) fn option(&mut self, known: Known, place: &Place<'_>) -> Result<(), Fault> {
        let used = self.read_option(known, place)?;
        match place.args.get(used) {
            Some(extra) => {
                let last = place.args.last().map_or(extra.columns.end, |w| w.columns.end);
                let words: Vec<&str> = place.args[used..].iter().map(|w| w.text.as_str()).collect();
                let mut fault = Fault::at(
                    ProblemKind::ExtraArgument,
                    extra,
                    format!("keyword {} extra arguments at end of line", place.keyword()),
                );
                fault.columns = Some(extra.columns.start..last);
                fault.text = words.join(" ");
                Err(fault)
            }
            None => Ok(()),
        }
    }

    /// Reads and merges; answers how many arguments were used.
    fn read_option(&mut self, Known { slot, kind }: Known, place: &Place<'_>) -> Result<usize, Fault> {
        let all = place.args.len();
        if all.max(self.stored(slot).len()) > VALUE_LIMIT && !matches!(kind, Kind::Command | Kind::ProxyJump) {
            let mut fault = place.bad(0, format!("more than {VALUE_LIMIT} values"));
            (fault.kind, fault.fatal) = (ProblemKind::BeyondLimits, true);
            return Err(fault);
        }
        let text = match kind {
            Kind::Ignored | Kind::Deprecated | Kind::Unsupported => {
                self.note(NoteKind::KeywordIgnored, place.source, &place.line.keyword.text);
                return Ok(all);
            }
            Kind::Command => {
                let value = place.line.rest.text.trim_start_matches([' ', '\t', '\r', '\n', '=']).to_string();
                let blocked = slot == "proxycommand" && self.is_set("proxyjump") && !self.late_proxy_command();
                if blocked {
                    self.lose("proxycommand", "proxyjump", &value, place);
                } else {
                    self.set(slot, value, place);
                }
                return Ok(all);
            }
            Kind::ProxyJump => {
                self.proxy_jump(place)?;
                return Ok(all);
            }
            Kind::IdentityFile | Kind::CertificateFile => {
                let path = place.first("Missing argument.")?.text.clone();
                self.append_path(slot, path, place)?;
                return Ok(1);
            }
            Kind::Words | Kind::CanonicalDomains | Kind::PermittedCnames | Kind::PermitRemoteOpen => {
                self.words(slot, kind, place)?;
                return Ok(all);
            }
            Kind::SendEnv => {
                self.send_env(place)?;
                return Ok(all);
            }
            Kind::SetEnv => {
                self.set_env(place)?;
                return Ok(all);
            }
            Kind::AnyWords => place.args.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" "),
            Kind::LocalForward | Kind::RemoteForward | Kind::DynamicForward => return self.forwarding(slot, kind, place),
            Kind::AddKeysToAgent => return self.add_keys_to_agent(place),
            Kind::RekeyLimit => return self.rekey_limit(place),
            Kind::IpQos => {
                let interactive = place.args.first().map(|w| w.text.as_str()).unwrap_or_default();
                let bulk = place.args.get(1).map_or(interactive, |w| w.text.as_str());
                let class =
                    |i: usize, name: &str| values::ipqos(name).ok_or_else(|| place.bad(i, format!("Bad IPQoS value: {name}")));
                let value = format!("{} {}", class(0, interactive)?, class(1, bulk)?);
                self.set(slot, value, place);
                return Ok(2);
            }
            Kind::ForwardAgent => {
                let value = place.first("missing argument.")?.text.clone();
                match value.to_ascii_lowercase().as_str() {
                    "yes" | "true" => "yes".into(),
                    "no" | "false" => "no".into(),
                    _ => {
                        // Two settings inside ssh, the flag and the path, each with a first value that wins.
                        self.set(slot, "yes".into(), place);
                        self.check_agent_path(place)?;
                        self.set_quietly("forwardagent-path", value, place);
                        return Ok(1);
                    }
                }
            }
            Kind::Facility => {
                let text = place.args.first().map(|w| w.text.as_str()).unwrap_or_default();
                let value = values::facility(text).ok_or_else(|| place.bad(0, format!("unsupported log facility '{text}'")))?;
                // ssh sets this one and the mask below even from a block that does not apply.
                self.set(slot, value, &Place { active: true, ..*place });
                return Ok(1);
            }
            Kind::Mask => {
                let text = &place.first("Missing StreamLocalBindMask argument.")?.text;
                let mask = values::mask(text).ok_or_else(|| place.bad(0, "Bad mask."))?;
                self.replace(slot, format!("0{mask:o}"), place);
                return Ok(1);
            }
            Kind::Time => {
                let text = &place.first("missing time value.")?.text;
                // `none` is stored as "not set yet": a later line still wins.
                if text == "none" {
                    return Ok(1);
                }
                values::seconds(text).ok_or_else(|| place.bad(0, "invalid time value."))?.to_string()
            }
            Kind::Text | Kind::RevokedHostKeys => place.first("Missing argument.")?.text.clone(),
            Kind::Choice(table) => self.choice(slot, table, place)?,
            Kind::Int => {
                let text = place.args.first().map(|w| w.text.as_str()).unwrap_or_default();
                values::integer(text).map_err(|says| place.bad(0, says))?.to_string()
            }
            Kind::Port => {
                let text = &place.first("Missing argument.")?.text;
                let port = values::port(text).filter(|p| *p > 0).ok_or_else(|| place.bad(0, format!("Bad port '{text}'.")))?;
                port.to_string()
            }
            Kind::Algorithms(list) => self.algorithms(list, place)?,
            Kind::LogLevel => {
                let text = place.args.first().map(|w| w.text.as_str()).unwrap_or_default();
                values::log_level(text).ok_or_else(|| place.bad(0, format!("unsupported log level '{text}'")))?.to_string()
            }
            Kind::AgentPath => {
                let value = place.first("Missing argument.")?.text.clone();
                self.check_agent_path(place)?;
                value
            }
            Kind::ControlPersist => {
                let text = &place.first("Missing ControlPersist argument.")?.text;
                match text.as_str() {
                    "no" | "false" => "no".into(),
                    "yes" | "true" => "yes".into(),
                    _ => match values::seconds(text).ok_or_else(|| place.bad(0, "Bad ControlPersist argument."))? {
                        0 => "yes".into(),
                        seconds => seconds.to_string(),
                    },
                }
            }
            Kind::Escape => {
                let text = &place.first("Missing argument.")?.text;
                values::escape_character(text).ok_or_else(|| place.bad(0, "Bad escape character."))?
            }
            Kind::TunnelDevice => {
                let text = &place.first("Missing argument.")?.text;
                values::tunnel_device(text).ok_or_else(|| place.bad(0, "Bad tun device."))?
            }
            // Taken before an option is read.
            Kind::Host | Kind::Match | Kind::Include => return Ok(all),
        };
        self.set(slot, text, place);
        Ok(if matches!(kind, Kind::AnyWords) { all } else { 1 })
    }

    fn choice(&self, slot: &str, table: &[(&str, &str)], place: &Place<'_>) -> Result<String, Fault> {
        let hash = table == HASH;
        let text = &place.first(if hash { "Missing argument." } else { "missing argument." })?.text;
        let too_new = slot == "pubkeyauthentication" && self.q.ssh.version < 809 && text.contains("bound");
        table
            .iter()
            .find(|(spelling, _)| !too_new && spelling.eq_ignore_ascii_case(text))
            .map(|(_, shown)| (*shown).to_string())
            .ok_or_else(|| {
                place.bad(
                    0,
                    if hash { format!("Invalid hash algorithm \"{text}\".") } else { format!("unsupported option \"{text}\".") },
                )
            })
    }

    fn algorithms(&mut self, list: AlgorithmList, place: &Place<'_>) -> Result<String, Fault> {
        let text = place.first("Missing argument.")?.text.clone();
        if text.starts_with('-') {
            return Ok(text);
        }
        let Some(names) = &self.q.ssh.algorithms else {
            if let SettingSource::File(position) = place.source {
                self.doubt(Doubt::AlgorithmsUnchecked(position.clone()));
            }
            return Ok(text);
        };
        match traits::unknown(names, text.strip_prefix(['+', '^']).unwrap_or(&text), list) {
            None => Ok(text),
            Some(_) => Err(place.bad(
                0,
                match list {
                    AlgorithmList::KeySignature => format!("Bad key types '{text}'."),
                    AlgorithmList::Kex => format!("Bad SSH2 KexAlgorithms '{text}'."),
                    AlgorithmList::Cipher => format!("Bad SSH2 cipher spec '{text}'."),
                    AlgorithmList::Mac => format!("Bad SSH2 MAC spec '{text}'."),
                },
            )),
        }
    }

    fn add_keys_to_agent(&mut self, place: &Place<'_>) -> Result<usize, Fault> {
        let bad = || place.bad(0, "unsupported option");
        let first = place.args.first().map(|w| w.text.as_str()).unwrap_or_default();
        let second = place.args.get(1).map(|w| w.text.as_str());
        let value = match (first.to_ascii_lowercase().as_str(), second) {
            ("yes" | "true", None) => "true".into(),
            ("no" | "false", None) => "false".into(),
            (word @ ("ask" | "confirm"), None) => word.into(),
            ("confirm", Some(time)) => match values::seconds(time).ok_or_else(|| place.bad(1, "invalid time value."))? {
                0 => "confirm".into(),
                seconds => format!("confirm {seconds}"),
            },
            (_, None) => match values::seconds(first).ok_or_else(bad)? {
                0 => "true".into(),
                seconds => seconds.to_string(),
            },
            _ => return Err(bad()),
        };
        self.set("addkeystoagent", value, place);
        Ok(2)
    }

    fn rekey_limit(&mut self, place: &Place<'_>) -> Result<usize, Fault> {
        let text = &place.first("Missing argument.")?.text;
        let bytes = match text.as_str() {
            "default" => 0,
            _ => values::scaled(text).ok_or_else(|| place.bad(0, format!("Bad number '{text}': Invalid argument")))?,
        };
        if (1..16).contains(&bytes) {
            return Err(place.bad(0, "RekeyLimit too small"));
        }
        self.set("rekeylimit", bytes.to_string(), place);
        if let Some(time) = place.args.get(1).filter(|t| t.text != "none") {
            let message = if time.text.is_empty() { "missing time value." } else { "invalid time value." };
            let seconds = values::seconds(&time.text).ok_or_else(|| place.bad(1, message))?;
            self.set_quietly("rekeylimit-time", seconds.to_string(), place);
        }
        Ok(2)
    }

    fn check_agent_path(&self, place: &Place<'_>) -> Result<(), Fault> {
        let Some(text) = place.args.first().map(|w| w.text.as_str()) else { return Ok(()) };
        if let Err(why) = substitute(text, |_| Ok(None), Some(self.q.environment)) {
            let mut fault = place.bad(0, format!("Invalid environment expansion {text}."));
            fault.kind = match why {
                ExpandError::UnsetVariable(_) | ExpandError::UnclosedVariable => ProblemKind::ExpansionFailed(why),
                _ => ProblemKind::BadValue,
            };
            return Err(fault);
        }
        let name = text.strip_prefix('$').filter(|n| !n.starts_with('{'));
        let valid = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match name {
            Some(name) if !valid(name) => Err(place.bad(0, format!("Invalid environment name {text}."))),
            _ => Ok(()),
        }
    }

    /// Since 10.3, and in backports, `ProxyJump none` leaves room for a later ProxyCommand.
    fn late_proxy_command(&self) -> bool {
        self.q.ssh.proxycommand_after_jump_none && self.first_text("proxyjump") == Some("")
    }

    /// ProxyJump and ProxyCommand share one slot: whichever comes first wins.
    fn proxy_jump(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        let text = place.line.rest.text.trim_start_matches([' ', '\t', '\r', '\n', '=']);
        let none = text.eq_ignore_ascii_case("none");
        let beaten_by_command = self.is_set("proxycommand") && !(none && self.q.ssh.proxycommand_after_jump_none);
        // `none` is kept as nothing: `ProxyJump none # comment` goes through a host of that name.
        let value = if none {
            String::new()
        } else {
            let mut list = text.split('#').next().unwrap_or_default().trim_end();
            if self.q.ssh.jump_cut_at_space {
                list = list.split([' ', '\t']).next().unwrap_or_default();
            }
            let hops: Option<Vec<String>> = list.split(',').map(values::jump_hop).collect();
            let Some(last) = hops.and_then(|mut h| h.pop()) else {
                return Err(Fault::at(ProblemKind::BadValue, &place.line.rest, format!("Invalid ProxyJump \"{text}\"")));
            };
            // Only the last hop is printed anew; those before it as written.
            match list.rsplit_once(',') {
                Some((before, _)) => format!("{before},{last}"),
                None => last,
            }
        };
        if beaten_by_command && !self.is_set("proxyjump") {
            self.lose("proxyjump", "proxycommand", text, place);
            return Ok(());
        }
        let wins = place.active && !self.is_set("proxyjump");
        self.set("proxyjump", value, place);
        if wins && !none {
            self.set_quietly("proxycommand", "none".into(), place);
        }
        Ok(())
    }
}
