//! Remotes, the rules that rewrite their URLs, and which transports are allowed: git-remote(1), git-config(1) on `remote`,
//! `branch`, `url` and `protocol`, as `remote.c` and `transport.c` act upon them.

use serde::{Deserialize, Serialize};

use super::{GitConfig, GitSetting, Origin, boolean};
use crate::facts::environment::Environment;

/// A remote of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// `remote.NAME.url`, as written. Fetching uses the first.
    pub url: Vec<GitSetting>,
    /// `remote.NAME.pushurl`, as written.
    pub push_url: Vec<GitSetting>,
}

/// What a URL is for; it decides which rules rewrite it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlUse {
    /// Fetching: `insteadOf`.
    Fetch,
    /// Pushing to a URL that is not a `pushurl`: `pushInsteadOf`, else `insteadOf`.
    Push,
    /// Pushing to a `pushurl`: `insteadOf` alone.
    PushUrl,
}

/// A rule that rewrote a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The key, `url.BASE.insteadof` or `url.BASE.pushinsteadof`.
    pub key: String,
    /// The beginning that it replaces.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
    /// It is a `pushInsteadOf`.
    pub push_rule: bool,
}

/// A URL after git's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What git uses.
    pub result: String,
    /// The rule that made it so; `None` when the URL stays as it is.
    pub rule: Option<Rule>,
}

/// Whether git may use a transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Yes.
    Yes,
    /// `GIT_ALLOW_PROTOCOL` does not list it.
    NotListed,
    /// The configuration says `never`.
    Never(GitSetting),
    /// It says `user`, and `GIT_PROTOCOL_FROM_USER` is false.
    NotFromUser(GitSetting),
    /// A value git does not know and dies of.
    BadValue(GitSetting),
}

impl GitConfig {
    /// The remotes, in the order of their first mention.
    pub fn remotes(&self) -> Vec<Remote> {
        let mut out: Vec<Remote> = Vec::new();
        for entry in &self.settings {
            let Some((Some(name), key)) = entry.within("remote") else { continue };
            if name.is_empty() || name.starts_with('/') {
                continue;
            }
            let at = out.iter().position(|r| r.name == name).unwrap_or_else(|| {
                out.push(Remote { name: name.to_string(), url: Vec::new(), push_url: Vec::new() });
                out.len() - 1
            });
            let list = match key {
                "url" => &mut out[at].url,
                "pushurl" => &mut out[at].push_url,
                _ => continue,
            };
            // An empty value takes back what came before.
            match entry.value.as_deref() {
                None => {}
                Some(b"") => list.clear(),
                Some(_) => list.push(entry.clone()),
            }
        }
        out
    }

    /// The remote that `git fetch` (or `git push`) uses without arguments: by `branch.NAME.pushRemote` and
    /// `remote.pushDefault` for a push, then `branch.NAME.remote`, else the only one there is, else `origin`.
    pub fn default_remote(&self, push: bool) -> String {
        let branch = self.repository().and_then(|r| r.branch.as_deref());
        let of_branch = |key: &str| branch.and_then(|b| self.get(&format!("branch.{b}.{key}")));
        let for_push = || of_branch("pushremote").or_else(|| self.get("remote.pushdefault"));
        if let Some(entry) = push.then(for_push).flatten().or_else(|| of_branch("remote")) {
            return entry.text();
        }
        self.usual_remote()
    }

    /// The remote that git uses where no branch and no setting names one: the only one there is, else `origin`.
    pub fn usual_remote(&self) -> String {
        match self.remotes().as_slice() {
            [only] => only.name.clone(),
            _ => "origin".to_string(),
        }
    }

    /// What git makes of `url`.
    pub fn rewrite(&self, url: &str, purpose: UrlUse) -> Rewrite {
        let rule = match purpose {
            UrlUse::Push => self.rule(url, "pushinsteadof").or_else(|| self.rule(url, "insteadof")),
            UrlUse::Fetch | UrlUse::PushUrl => self.rule(url, "insteadof"),
        };
        match rule {
            Some((base, entry)) => {
                let value = entry.text();
                let result = format!("{base}{}", &url[value.len()..]);
                let push_rule = entry.key.ends_with(".pushinsteadof");
                Rewrite { result, rule: Some(Rule { key: entry.key.clone(), value, origin: entry.origin.clone(), push_rule }) }
            }
            None => Rewrite { result: url.to_string(), rule: None },
        }
    }

    /// The longest beginning wins; of equals the one whose base was named first.
    fn rule(&self, url: &str, name: &str) -> Option<(&str, &GitSetting)> {
        let rules = || {
            self.settings.iter().filter_map(|e| match e.within("url") {
                Some((Some(base), n)) if n == name && e.value.is_some() => Some((base, e)),
                _ => None,
            })
        };
        let rank = |base: &str| rules().position(|(b, _)| b == base);
        rules()
            .filter(|(_, e)| url.starts_with(&e.text()))
            .max_by_key(|(base, e)| (e.text().len(), std::cmp::Reverse(rank(base))))
            .map(|(base, e)| (base, rules().find(|(b, first)| *b == base && first.value == e.value).map_or(e, |(_, first)| first)))
    }

    /// The URLs that git uses for `remote`, each with the setting it came from; without any `url` git takes the remote's
    /// name for one, and there is no setting.
    pub fn urls(&self, remote: &Remote, push: bool) -> Vec<(Option<GitSetting>, Rewrite)> {
        let rewritten = |list: &[GitSetting], purpose: UrlUse| -> Vec<(Option<GitSetting>, Rewrite)> {
            list.iter().map(|s| (Some(s.clone()), self.rewrite(&s.text(), purpose))).collect()
        };
        let purpose = if push { UrlUse::Push } else { UrlUse::Fetch };
        let named = remote.url.is_empty().then(|| self.rewrite(&remote.name, purpose));
        if push && !remote.push_url.is_empty() {
            let named = named.filter(|n| n.rule.as_ref().is_some_and(|r| r.push_rule)).map(|n| (None, n));
            return rewritten(&remote.push_url, UrlUse::PushUrl).into_iter().chain(named).collect();
        }
        if let Some(named) = named {
            return vec![(None, named)];
        }
        // Once one URL has a rule for pushing, those without are fetched from only.
        let all = rewritten(&remote.url, purpose);
        let ruled: Vec<_> = all.iter().filter(|(_, r)| r.rule.as_ref().is_some_and(|r| r.push_rule)).cloned().collect();
        if ruled.is_empty() { all } else { ruled }
    }

    /// Whether git may use `transport` (`ssh`, `https`): `GIT_ALLOW_PROTOCOL`, else `protocol.NAME.allow`, else
    /// `protocol.allow`.
    pub fn allowed(&self, environment: &Environment, transport: &str) -> Allowed {
        if let Some(list) = environment.get("GIT_ALLOW_PROTOCOL") {
            let listed = list.to_string_lossy().split(':').any(|name| name == transport);
            return if listed { Allowed::Yes } else { Allowed::NotListed };
        }
        let Some(entry) = self.get(&format!("protocol.{transport}.allow")).or_else(|| self.get("protocol.allow")) else {
            return Allowed::Yes;
        };
        let from_user = environment.get("GIT_PROTOCOL_FROM_USER").and_then(|v| boolean(&v.to_string_lossy())) != Some(false);
        match entry.text().to_ascii_lowercase().as_str() {
            "always" => Allowed::Yes,
            "never" => Allowed::Never(entry.clone()),
            "user" if from_user => Allowed::Yes,
            "user" => Allowed::NotFromUser(entry.clone()),
            _ => Allowed::BadValue(entry.clone()),
        }
    }
}
