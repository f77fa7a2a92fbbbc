//! Percent tokens, `${VARIABLE}` and `~` in values (`ssh_config(5)`, TOKENS and ENVIRONMENT VARIABLES).

use std::path::Path;

use sha1::{Digest, Sha1};

use crate::machine::account;
use bbdoctor_checks::facts::account::Account;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::ssh_config::{Destination, Evaluation, ExpandError, Question};

/// What the tokens stand for.
#[derive(Debug, Clone)]
pub struct TokenContext<'a> {
    /// `%h`, `%p`, `%r`, `%k`, and `%j`, which OpenSSH knows from 9.6 on.
    pub destination: Destination,
    /// `%n`: the host as typed.
    pub original_host: String,
    /// The release of ssh, major * 100 + minor.
    pub version: u32,
    /// `%d`, `%u`, `%i`, `%l`, `%L`, and `~`.
    pub account: &'a Account,
    /// `${VARIABLE}`.
    pub environment: &'a Environment,
}

/// Which of the kinds of expansion a value gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expand {
    pub(super) tilde: bool,
    pub(super) percent: bool,
    pub(super) dollar: bool,
}

/// Expands `~`, the tokens `%% %C %d %h %i %j %k %L %l %n %p %r %u` and `${VARIABLE}`, as ssh does for IdentityFile,
/// CertificateFile, UserKnownHostsFile, IdentityAgent and ControlPath.
///
/// # Errors
/// Where ssh would stop.
pub fn expand_tokens(text: &str, context: &TokenContext<'_>) -> Result<String, ExpandError> {
    expand(text, context, Expand { tilde: true, percent: true, dollar: true })
}

pub(super) fn expand(text: &str, context: &TokenContext<'_>, how: Expand) -> Result<String, ExpandError> {
    let text = if how.tilde { tilde(text, context.account)? } else { text.to_string() };
    substitute(
        &text,
        |key| if how.percent { context.token(key).map(Some).ok_or(ExpandError::UnknownToken(key)) } else { Ok(None) },
        how.dollar.then_some(context.environment),
    )
}

/// Replaces the tokens in `text`; `token` answers `None` where `%` is an ordinary character.
pub(super) fn substitute(
    text: &str,
    token: impl Fn(char) -> Result<Option<String>, ExpandError>,
    environment: Option<&Environment>,
) -> Result<String, ExpandError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(environment) = environment
            && let Some(tail) = rest.strip_prefix("${")
        {
            let (name, tail) = tail.split_once('}').ok_or(ExpandError::UnclosedVariable)?;
            let value = environment.get(name).filter(|_| !name.is_empty());
            out.push_str(&value.ok_or_else(|| ExpandError::UnsetVariable(name.to_string()))?.to_string_lossy());
            rest = tail;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.chars().next() {
            None if token('%') == Ok(None) => out.push('%'),
            None => return Err(ExpandError::TrailingPercent),
            Some(key) => match token(key)? {
                Some(value) => {
                    out.push_str(&value);
                    rest = &rest[key.len_utf8()..];
                }
                None => out.push('%'),
            },
        }
    }
    Ok(out)
}

/// Expands a leading `~/` or `~user/` with the home folder of the password database (`tilde_expand` of `misc.c`).
pub(super) fn tilde(text: &str, account: &Account) -> Result<String, ExpandError> {
    let Some(tail) = text.strip_prefix('~') else {
        return Ok(text.to_string());
    };
    let (name, path) = tail.split_once('/').unwrap_or((tail, ""));
    let home = if name.is_empty() { account.ssh_home() } else { account::home_of(name) };
    let home = home.ok_or_else(|| ExpandError::NoSuchUser(name.to_string()))?;
    let home = home.to_string_lossy();
    Ok(format!("{home}{}{path}", if home.ends_with('/') { "" } else { "/" }))
}

impl<'a> TokenContext<'a> {
    /// What the tokens stand for in the paths of `own`, which answers `question`.
    pub fn new(own: &Evaluation, question: &Question<'a>) -> Self {
        TokenContext::of(own.destination.clone(), question)
    }

    /// What the tokens stand for on the way to `destination`.
    pub(super) fn of(destination: Destination, question: &Question<'a>) -> Self {
        TokenContext {
            destination,
            original_host: question.host.clone(),
            version: question.ssh.version,
            account: question.account,
            environment: question.environment,
        }
    }

    /// What `%key` stands for; `None` if it means nothing.
    fn token(&self, key: char) -> Option<String> {
        let short = || self.account.machine_name.split('.').next().unwrap_or_default().to_string();
        Some(match key {
            '%' => "%".into(),
            'C' => self.connection_hash(),
            'd' => self.account.ssh_home().as_deref().unwrap_or(Path::new("")).to_string_lossy().into_owned(),
            'h' => self.destination.host.clone(),
            'i' => self.account.uid.to_string(),
            'j' if self.version >= 906 => self.destination.jump.clone(),
            'k' => self.destination.host_key_alias.clone(),
            'L' => short(),
            'l' => self.account.machine_name.clone(),
            'n' => self.original_host.clone(),
            'p' => self.destination.port.clone(),
            'r' => self.destination.user.clone(),
            'u' => self.account.entry.as_ref().map(|e| e.name.clone()).unwrap_or_default(),
            _ => return None,
        })
    }

    /// `%C`: the hash of `%l%h%p%r`, and of `%j` from 9.6 on.
    fn connection_hash(&self) -> String {
        let jump = if self.version >= 906 { self.destination.jump.as_str() } else { "" };
        let mut hash = Sha1::new();
        for part in [&self.account.machine_name, &self.destination.host, &self.destination.port, &self.destination.user, jump] {
            hash.update(part);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_expands_and_what_it_refuses() {
        let account = Account {
            uid: 1000,
            entry: Some(bbdoctor_checks::facts::account::PasswordEntry { name: "ann".into(), home: "/home/ann".into() }),
            home_variable: Some("/elsewhere".into()),
            sudo_user: None,
            sudo_home: None,
            owners: std::collections::BTreeMap::new(),
            machine_name: "box.example".into(),
        };
        let environment = Environment::from_iter([("KEYS", "/keys")]);
        let context = TokenContext {
            destination: Destination {
                host: "bitbucket.org".into(),
                port: "22".into(),
                user: "git".into(),
                host_key_alias: "bb".into(),
                jump: String::new(),
            },
            original_host: "bb".into(),
            version: 902,
            account: &account,
            environment: &environment,
        };
        let expanded = |text| expand_tokens(text, &context);
        assert_eq!(
            expanded("~/%h-%n-%p-%r-%u-%i-%L-%l-%%").as_deref(),
            Ok("/home/ann/bitbucket.org-bb-22-git-ann-1000-box-box.example-%")
        );
        assert_eq!(expanded("${KEYS}/id").as_deref(), Ok("/keys/id"));
        assert_eq!(expanded("%d/x").as_deref(), Ok("/home/ann/x"));
        assert_eq!(expanded("$KEYS/id").as_deref(), Ok("$KEYS/id"));
        assert_eq!(expanded("${NOPE}/id"), Err(ExpandError::UnsetVariable("NOPE".into())));
        assert_eq!(expanded("${KEYS"), Err(ExpandError::UnclosedVariable));
        assert_eq!(expanded("x%"), Err(ExpandError::TrailingPercent));
        assert_eq!(expanded("%j"), Err(ExpandError::UnknownToken('j')));
        assert_eq!(expanded("~no such user/x"), Err(ExpandError::NoSuchUser("no such user".into())));
    }
}
