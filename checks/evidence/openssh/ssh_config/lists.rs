//! Options with several values: files, words, variables and forwardings.

use super::evaluate::{ConfigReader, Fault};
use super::options::Place;
use super::tokens::substitute;
use super::values::{self, Forward};
use crate::openssh::pattern;
use bbdoctor_checks::facts::ssh_config::ProblemKind;
use bbdoctor_checks::facts::ssh_config::keywords::Kind;

/// The most identity or certificate files ssh keeps (`SSH_MAX_IDENTITY_FILES`).
const MAX_IDENTITY_FILES: usize = 100;
/// The most known_hosts files (`SSH_MAX_HOSTS_FILES`).
const MAX_HOSTS_FILES: usize = 32;

impl ConfigReader<'_> {
    /// A path that accumulates; the same path from the same kind of file is kept once.
    pub(super) fn append_path(&mut self, slot: &'static str, path: String, place: &Place<'_>) -> Result<(), Fault> {
        if !place.active {
            return Ok(());
        }
        let stored = self.stored(slot);
        if stored.len() >= MAX_IDENTITY_FILES {
            let what = if slot == "identityfile" { "identity" } else { "certificate" };
            return Err(place.bad(0, format!("Too many {what} files specified (max {MAX_IDENTITY_FILES}).")));
        }
        if !stored.iter().any(|v| v.text == path && v.user_conf == place.user_conf) {
            self.append(slot, path, place);
        }
        Ok(())
    }

    /// A list whose first line wins as a whole.
    pub(super) fn words(&mut self, slot: &'static str, kind: Kind, place: &Place<'_>) -> Result<(), Fault> {
        // LogVerbose looks at the list before each word, so that only the first word of its first line is kept.
        let free = self.stored(slot).is_empty();
        let mut kept = Vec::new();
        for (i, word) in place.args.iter().enumerate() {
            let text = &word.text;
            if text.is_empty() && kind != Kind::PermittedCnames {
                return Err(Fault::at(ProblemKind::MissingArgument, word, format!("keyword {} empty argument", place.keyword())));
            }
            let lonely = text.eq_ignore_ascii_case("none") || (kind == Kind::PermitRemoteOpen && text.eq_ignore_ascii_case("any"));
            if lonely && place.args.len() > 1 {
                let says = format!("keyword {} \"{}\" argument must appear alone.", place.keyword(), text.to_ascii_lowercase());
                return Err(place.bad(i, says));
            }
            let value = match kind {
                Kind::CanonicalDomains => values::domain(text).map_err(|says| place.bad(i, says))?,
                Kind::PermittedCnames if text.eq_ignore_ascii_case("none") => text.clone(),
                Kind::PermittedCnames if text == "*" => "*:*".into(),
                Kind::PermittedCnames => match text.split_once(':') {
                    Some((_, target)) if !target.is_empty() => text.to_ascii_lowercase(),
                    _ => return Err(place.bad(i, format!("Invalid permitted CNAME \"{}\"", text.to_ascii_lowercase()))),
                },
                Kind::PermitRemoteOpen if !["any", "none"].contains(&text.as_str()) && !values::remote_open(text) => {
                    let mut fault = place.bad(i, format!("bad port number in {slot}"));
                    fault.fatal = true;
                    return Err(fault);
                }
                _ => text.clone(),
            };
            if kind == Kind::Words && free && place.active && kept.len() >= MAX_HOSTS_FILES && slot != "logverbose" {
                return Err(place.bad(i, format!("too many {} entries.", place.keyword())));
            }
            kept.push(value);
        }
        if slot == "logverbose" {
            kept.truncate(1);
        }
        if !free {
            self.lose(slot, slot, &kept.join(" "), place);
        } else if place.active {
            kept.into_iter().for_each(|text| self.append(slot, text, place));
        }
        Ok(())
    }

    pub(super) fn send_env(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        for (i, word) in place.args.iter().enumerate() {
            if word.text.is_empty() || word.text.contains('=') {
                return Err(place.bad(i, "Invalid environment name."));
            }
            match word.text.strip_prefix('-') {
                _ if !place.active => {}
                Some(gone) => self.retain("sendenv", |text| !pattern::matches(text, gone)),
                None => self.append("sendenv", word.text.clone(), place),
            }
        }
        Ok(())
    }

    pub(super) fn set_env(&mut self, place: &Place<'_>) -> Result<(), Fault> {
        let free = self.stored("setenv").is_empty();
        for (i, word) in place.args.iter().enumerate() {
            let Some((name, _)) = word.text.split_once('=') else {
                return Err(place.bad(i, "Invalid SetEnv."));
            };
            let known = self.stored("setenv").iter().any(|v| v.text.split('=').next() == Some(name));
            if !free {
                self.lose("setenv", "setenv", &word.text, place);
            } else if place.active && !known {
                self.append("setenv", word.text.clone(), place);
            }
        }
        Ok(())
    }

    pub(super) fn forwarding(&mut self, slot: &'static str, kind: Kind, place: &Place<'_>) -> Result<usize, Fault> {
        let listen = place.first("Missing argument.")?.text.clone();
        let connect = match kind {
            Kind::DynamicForward => None,
            _ => place.args.get(1).map(|w| w.text.clone()).filter(|c| !c.is_empty()),
        };
        if kind == Kind::LocalForward && connect.is_none() {
            return Err(Fault::at(ProblemKind::MissingArgument, &place.line.rest, "Missing target argument."));
        }
        let what = match kind {
            Kind::LocalForward => Forward::Local,
            Kind::RemoteForward => Forward::Remote,
            _ => Forward::Dynamic,
        };
        let expand = |text: &str| substitute(text, |_| Ok(None), Some(self.q.environment)).ok();
        let value = expand(&listen).and_then(|l| match &connect {
            Some(c) => values::forward(&l, Some(&expand(c)?), what),
            None => values::forward(&l, None, what),
        });
        let value = value.ok_or_else(|| place.bad(0, "Bad forwarding specification."))?;
        if place.active && !self.stored(slot).iter().any(|v| v.text == value) {
            self.append(slot, value, place);
        }
        Ok(match (kind, place.args.len()) {
            (Kind::DynamicForward, _) => 1,
            (_, n) => n.min(2),
        })
    }
}
