//! The slips that make a URL useless, and what was meant.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::{GitUrl, HttpUrl, Refused, SshForm, SshUrl, is_local, parse};

/// A URL that cannot work, or not as its writer meant it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlFault {
    /// What is wrong.
    pub kind: UrlFaultKind,
    /// The URL that was meant, when that is clear.
    pub corrected: Option<String>,
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UrlFaultKind {
    /// `git@host/ws/repo`: git takes it for a local path.
    SlashForColon,
    /// `ssh://git@host:ws/repo`: ssh is asked for a host of that whole name.
    SshColonPath,
    /// `https://host:ws/repo`.
    HttpColonPath,
    /// `git@host:22/ws/repo`: the port becomes part of the path.
    PortInScp,
    /// Blanks, quotes, or a command line around the URL (`git clone …`).
    PastedWords,
    /// Control, zero-width or other invisible characters.
    InvisibleCharacters,
    /// Visible characters beyond ASCII, which no host name or repository slug has.
    NotAscii,
    /// `ssh:git@…`, `git@https://…`, `https://ssh://…`.
    DoubledScheme,
    /// `SSH://…`: git looks for a helper of that name.
    UpperCaseScheme,
    /// A scheme for which git has neither support nor, usually, a helper.
    UnknownScheme,
    /// No host.
    EmptyHost,
    /// Nothing before the `@`; ssh refuses that.
    EmptyUser,
    /// No repository.
    EmptyPath,
    /// The host begins with a dash; git refuses that.
    DashHost,
    /// The path begins with a dash; git refuses that.
    DashPath,
    /// `git:password@host:path`: ssh is asked for a host called `git`.
    PasswordInScp,
    /// A path of this machine, as git takes it, at which there is nothing.
    NoSuchFolder,
}

/// What is wrong with `url`, if anything. `exists` tells whether a local path exists: what git can open as a folder is no
/// malformed URL.
pub fn fault(url: &str, exists: &dyn Fn(&str) -> bool) -> Option<UrlFault> {
    let (kind, mut corrected) = first_fault(url, exists)?;
    // One slip seldom comes alone: correct until nothing is left to correct.
    for _ in 0..8 {
        match corrected.as_deref().map(|c| (c, first_fault(c, exists))) {
            Some((_, Some((_, further)))) => corrected = further,
            Some((good, None)) => return Some(UrlFault { kind, corrected: Some(good.to_string()) }),
            None => break,
        }
    }
    Some(UrlFault { kind, corrected: None })
}

fn first_fault(url: &str, exists: &dyn Fn(&str) -> bool) -> Option<(UrlFaultKind, Option<String>)> {
    use UrlFaultKind as K;
    if url.len() < 4096 && !url.is_empty() && is_local(url) && exists(url) {
        return None;
    }
    if url.chars().any(invisible) {
        let cleaned: String = url.chars().map(|c| if blank(c) { ' ' } else { c }).filter(|c| !invisible(*c)).collect();
        return Some((K::InvisibleCharacters, Some(cleaned)));
    }
    if url.contains([' ', '"', '\'', '`', '<', '>']) && !url.starts_with("ext::") {
        return Some((K::PastedWords, url_among_words(url)));
    }
    if let Some(found) = scheme_fault(url) {
        return Some(found);
    }
    let found = match parse(url) {
        Err(Refused::NoPath) => (K::EmptyPath, None),
        Err(Refused::Protocol(_)) => (K::UnknownScheme, None),
        Err(Refused::StrangeHost(_)) => (K::DashHost, None),
        Err(Refused::StrangePath(_)) => (K::DashPath, None),
        Ok(GitUrl::Helper { name, .. }) if url[name.len()..].starts_with("://") => (K::UnknownScheme, None),
        Ok(GitUrl::Local { path }) => (K::SlashForColon, Some(slash_for_colon(&path)?)),
        Ok(GitUrl::Http(http)) => http_fault(&http, url)?,
        Ok(GitUrl::Ssh(ssh)) => ssh_fault(&ssh)?,
        Ok(GitUrl::Git { .. } | GitUrl::Helper { .. }) if url.is_ascii() => return None,
        Ok(GitUrl::Git { .. } | GitUrl::Helper { .. }) => (K::NotAscii, None),
    };
    Some(found)
}

/// Blanks other than the plain one, which pasting from a page brings along.
fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn invisible(c: char) -> bool {
    c.is_control()
        || c != ' ' && c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The one word of a pasted text that looks like a URL.
fn url_among_words(text: &str) -> Option<String> {
    let mut urls = text
        .split(|c: char| c == ' ' || "\"'`<>".contains(c))
        .filter(|w| !w.is_empty() && !w.starts_with('-'))
        .filter(|w| w.contains("://") || w.contains('@') && w.contains([':', '/']) || w.contains('.') && w.contains(':'));
    let first = urls.next()?;
    urls.all(|other| other == first).then(|| first.to_string())
}

/// Schemes that are doubled, misplaced or in capitals.
fn scheme_fault(url: &str) -> Option<(UrlFaultKind, Option<String>)> {
    const SCHEMES: [&str; 6] = ["ssh", "https", "http", "git", "git+ssh", "ssh+git"];
    let (scheme, rest) = url.split_once(':')?;
    let lower = scheme.to_ascii_lowercase();
    let slashes = rest.bytes().take_while(|b| *b == b'/').count();
    let after = &rest[slashes..];
    let known = SCHEMES.contains(&lower.as_str());
    if let Some((password, place)) = rest.split_once('@').filter(|_| slashes == 0 && !scheme.contains(['@', '.', '/']))
        && !password.contains(['/', ':', '@'])
        && place.split_once(':').is_some_and(|(host, _)| !host.contains('/'))
        && scheme != "ssh"
    {
        return Some((UrlFaultKind::PasswordInScp, Some(format!("{scheme}@{place}"))));
    }
    if let Some(web @ ("https" | "http")) = lower.strip_prefix("git+").filter(|_| slashes >= 2) {
        return Some((UrlFaultKind::UnknownScheme, Some(format!("{web}://{after}"))));
    }
    let follows = |text: &str| SCHEMES.iter().any(|s| text.strip_prefix(s).is_some_and(|t| t.starts_with("://")));
    if known && slashes >= 2 && follows(after) {
        return Some((UrlFaultKind::DoubledScheme, Some(after.to_string())));
    }
    if known && slashes < 2 && (slashes == 1 && scheme != "git" || after.contains('@')) {
        // `ssh:git@host:path` holds the scp form whole; `https:/host/path` lacks its slashes.
        let whole = after.contains('@') && after.contains(':') && !after.contains("://");
        let fixed = if whole || follows(after) { after.to_string() } else { format!("{lower}://{after}") };
        return Some((UrlFaultKind::DoubledScheme, Some(fixed)));
    }
    if slashes >= 2 {
        if let Some((user, inner)) = scheme.split_once('@').filter(|(u, s)| !u.is_empty() && SCHEMES.contains(s)) {
            let fixed = match parse(&format!("{inner}://{after}")) {
                Ok(GitUrl::Http(web)) if user == "git" => GitUrl::Http(web.clone()).ssh_equivalent(&web.host, None),
                Ok(_) if !after.contains('@') => Some(format!("ssh://{user}@{after}")),
                _ => Some(format!("{inner}://{after}")),
            };
            return Some((UrlFaultKind::DoubledScheme, fixed));
        }
        if known && scheme != lower {
            return Some((UrlFaultKind::UpperCaseScheme, Some(format!("{lower}:{rest}"))));
        }
    }
    None
}

/// `git@host/ws/repo`, or a host with a dot and a repository of two segments.
fn slash_for_colon(path: &str) -> Option<String> {
    let (first, rest) = path.split_once('/')?;
    let (user, host) = first.rsplit_once('@').unwrap_or(("git", first));
    let named = first.contains('@') || host.contains('.') && rest.trim_end_matches('/').split('/').count() == 2;
    let like_host = !host.is_empty()
        && !host.starts_with(['.', '-'])
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let rest = rest.trim_start_matches('/');
    (named && like_host && !user.is_empty() && !rest.is_empty()).then(|| format!("{user}@{host}:{rest}"))
}

fn http_fault(url: &HttpUrl, whole: &str) -> Option<(UrlFaultKind, Option<String>)> {
    use UrlFaultKind as K;
    if let Some((host, segment)) = url.host.split_once(':').filter(|_| url.host.parse::<Ipv6Addr>().is_err()) {
        let path = url.path.trim_start_matches('/');
        let fixed = match url.user.as_deref() {
            Some("git") => format!("git@{host}:{segment}/{path}"),
            _ => format!("http{}://{host}/{segment}/{path}", if url.secure { "s" } else { "" }),
        };
        return Some((K::HttpColonPath, Some(fixed)));
    }
    match () {
        () if url.host.is_empty() => Some((K::EmptyHost, None)),
        () if url.path.trim_matches('/').is_empty() => Some((K::EmptyPath, None)),
        () if !whole.is_ascii() => Some((K::NotAscii, None)),
        () => None,
    }
}

fn ssh_fault(url: &SshUrl) -> Option<(UrlFaultKind, Option<String>)> {
    use UrlFaultKind as K;
    let user = url.user.as_deref().map(|u| format!("{u}@")).unwrap_or_default();
    if url.form == SshForm::Url
        && url.host.parse::<Ipv6Addr>().is_err()
        && let Some((host, segment)) = url.host.split_once(':')
    {
        let path = url.path.trim_start_matches('/');
        let (port, segment) = match segment.split_once(':') {
            Some((port, segment)) if port.parse::<u16>().is_ok() => (format!(":{port}"), segment),
            _ => (String::new(), segment),
        };
        let usable = !segment.is_empty() && !segment.bytes().all(|b| b.is_ascii_digit());
        return Some((K::SshColonPath, usable.then(|| format!("ssh://{user}{host}{port}/{segment}/{path}"))));
    }
    if url.form == SshForm::Scp
        && let Some((port, path)) = url.path.split_once('/')
        && port.parse::<u16>().is_ok_and(|p| p > 0)
        && path.trim_matches('/').contains('/')
    {
        return Some((K::PortInScp, Some(format!("ssh://{user}{}:{port}/{path}", url.host))));
    }
    match () {
        () if url.host.is_empty() => Some((K::EmptyHost, None)),
        () if url.user.as_deref() == Some("") => Some((K::EmptyUser, None)),
        () if url.path.trim_matches('/').is_empty() => Some((K::EmptyPath, None)),
        () if !url.host.is_ascii() || !url.path.is_ascii() || !user.is_ascii() => Some((K::NotAscii, None)),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::survives_json;

    fn judged(url: &str) -> (UrlFaultKind, Option<String>) {
        let fault = fault(url, &|_| false).unwrap_or_else(|| panic!("{url} has no fault"));
        survives_json(&fault);
        (fault.kind, fault.corrected)
    }

    #[test]
    fn slips_are_named_and_corrected() {
        use UrlFaultKind as K;
        let good = "git@bitbucket.org:acme/app.git";
        for (url, kind, corrected) in [
            ("git@bitbucket.org/acme/app.git", K::SlashForColon, good),
            ("bitbucket.org/acme/app", K::SlashForColon, "git@bitbucket.org:acme/app"),
            ("ssh://git@bitbucket.org:acme/app.git", K::SshColonPath, "ssh://git@bitbucket.org/acme/app.git"),
            ("ssh://git@bitbucket.org:22:acme/app.git", K::SshColonPath, "ssh://git@bitbucket.org:22/acme/app.git"),
            ("https://git@bitbucket.org:acme/app.git", K::HttpColonPath, good),
            ("git@bitbucket.org:22/acme/app.git", K::PortInScp, "ssh://git@bitbucket.org:22/acme/app.git"),
            ("git clone git@bitbucket.org:acme/app.git", K::PastedWords, good),
            ("git clone git@bitbucket.org/acme/app.git", K::PastedWords, good),
            (" git@bitbucket.org:acme/app.git ", K::PastedWords, good),
            ("'git@bitbucket.org:acme/app.git'", K::PastedWords, good),
            ("git@bitbucket.org:acme/app.git\u{200b}", K::InvisibleCharacters, good),
            ("git@bitbucket.org:acme/app.git\r\n", K::InvisibleCharacters, good),
            ("git\u{a0}clone\u{a0}git@bitbucket.org:acme/app.git", K::InvisibleCharacters, good),
            ("ssh:git@bitbucket.org:acme/app.git", K::DoubledScheme, good),
            ("ssh:git@bitbucket.org/acme/app.git", K::DoubledScheme, "ssh://git@bitbucket.org/acme/app.git"),
            ("git@https://bitbucket.org/acme/app.git", K::DoubledScheme, good),
            ("git@ssh://bitbucket.org/acme/app.git", K::DoubledScheme, "ssh://git@bitbucket.org/acme/app.git"),
            ("https://ssh://git@bitbucket.org/acme/app", K::DoubledScheme, "ssh://git@bitbucket.org/acme/app"),
            ("https:/bitbucket.org/acme/app", K::DoubledScheme, "https://bitbucket.org/acme/app"),
            ("git:secret@bitbucket.org:acme/app.git", K::PasswordInScp, good),
            ("git+https://bitbucket.org/acme/app", K::UnknownScheme, "https://bitbucket.org/acme/app"),
            ("SSH://git@bitbucket.org/acme/app", K::UpperCaseScheme, "ssh://git@bitbucket.org/acme/app"),
        ] {
            assert_eq!(judged(url), (kind, Some(corrected.to_string())), "{url}");
        }
        for (url, kind) in [
            ("git@:acme/app", K::EmptyHost),
            ("@bitbucket.org:acme/app", K::EmptyUser),
            ("git@bitbucket.org:", K::EmptyPath),
            ("ssh://git@bitbucket.org", K::EmptyPath),
            ("-oProxyCommand=x:acme/app", K::DashHost),
            ("git@bitbucket.org:-x", K::DashPath),
            ("git@bitbücket.org:acme/app", K::NotAscii),
            ("ftps://bitbucket.org/acme/app", K::UnknownScheme),
        ] {
            assert_eq!(judged(url), (kind, None), "{url}");
        }
    }

    #[test]
    fn odd_urls_that_work_are_left_alone() {
        for url in [
            "git@bitbucket.org:acme/app.git",
            "git@h:/acme/app.git",
            "ssh://git@h:22/acme/app",
            "[git@h:22]:acme/app",
            "git+ssh://git@h/acme/app",
            "ssh://git@BITBUCKET.org/acme/app",
            "git@[::1]:acme/app",
            "git@h:123/app",
            "https://bitbucket.org/acme/app/src/main/",
            "bitbucket-work:acme/app",
            "codecommit::eu-west-1://app",
            "../app.git",
            "origin",
            "/srv/git/app.git",
        ] {
            assert_eq!(fault(url, &|_| false), None, "{url}");
        }
        assert_eq!(fault("git@bitbucket.org/acme/app.git", &|_| true), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(url in "\\PC{0,40}|[a-z@:/\\[\\]%0-9 .~-]{0,30}") {
            let _ = parse(&url).map(|u| (u.repository(), u.ssh_equivalent("h", Some(1))));
            let corrected = fault(&url, &|_| false).and_then(|f| f.corrected);
            if let Some(corrected) = corrected {
                prop_assert_eq!(fault(&corrected, &|_| false), None);
            }
        }
    }
}
