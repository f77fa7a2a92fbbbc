//! A remote's URL as git takes it apart, and what is wrong with one that git cannot use.
//!
//! The rules are those of git's `connect.c`, `transport.c` and `url.c` as `git fetch-pack --diag-url` shows them, and of
//! gitglossary(7) and git-fetch(1), "GIT URLS". [`parse`] says what git does; [`fault()`] says what the user meant.

mod fault;

use serde::{Deserialize, Serialize};

pub use fault::{UrlFault, UrlFaultKind, fault};

/// How git reaches the repository that a URL names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GitUrl {
    /// Through an ssh client.
    Ssh(SshUrl),
    /// Through git's HTTP helper.
    Http(HttpUrl),
    /// The unauthenticated git protocol: host and path as they stand in the URL.
    Git {
        /// Host and, if given, port.
        host: String,
        /// The repository's path.
        path: String,
    },
    /// A folder of this machine.
    Local {
        /// The folder's path.
        path: String,
    },
    /// Another program, `git-remote-NAME`.
    Helper {
        /// The helper's name.
        name: String,
        /// What it is given.
        address: String,
    },
}

/// What git gives to ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshUrl {
    /// The login name: what stands before the last `@`, where ssh cuts.
    pub user: Option<String>,
    /// The host, without brackets.
    pub host: String,
    /// The value of `-p`, if git gives one.
    pub port: Option<u16>,
    /// The repository's path, percent-decoded where git does so.
    pub path: String,
    /// How it is written.
    pub form: SshForm,
}

/// The ways to write an ssh URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SshForm {
    /// `user@host:path`.
    Scp,
    /// `[user@host:port]:path`, also `user@[host]:path`.
    ScpBrackets,
    /// `ssh://`, `git+ssh://` or `ssh+git://`.
    Url,
}

/// An `http://` or `https://` URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpUrl {
    /// With TLS.
    pub secure: bool,
    /// The user, without a password.
    pub user: Option<String>,
    /// The host, without brackets.
    pub host: String,
    /// The port, if given.
    pub port: Option<u16>,
    /// The path, with its leading slash.
    pub path: String,
}

/// Why git does not even try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// `fatal: no path specified`.
    #[error("no path specified")]
    NoPath,
    /// `fatal: protocol 'X' is not supported`.
    #[error("protocol '{0}' is not supported")]
    Protocol(String),
    /// `fatal: strange hostname 'X' blocked`: ssh would take it for an option.
    #[error("strange hostname '{0}' blocked")]
    StrangeHost(String),
    /// `fatal: strange pathname 'X' blocked`.
    #[error("strange pathname '{0}' blocked")]
    StrangePath(String),
}

/// Takes `url` apart as git does after its `insteadOf` rules were applied.
///
/// # Errors
/// What git dies of before it starts anything.
pub fn parse(url: &str) -> Result<GitUrl, Refused> {
    let scheme_like = url.bytes().enumerate().take_while(|(n, b)| is_scheme_char(*n == 0, *b)).count();
    if let Some(address) = url[scheme_like..].strip_prefix("::") {
        return Ok(GitUrl::Helper { name: url[..scheme_like].to_string(), address: address.to_string() });
    }
    let is_url = scheme_like > 0 && url[scheme_like..].starts_with("://");
    if is_url && !matches!(&url[..scheme_like], "file" | "git" | "ssh" | "git+ssh" | "ssh+git") {
        return Ok(match &url[..scheme_like] {
            scheme @ ("http" | "https") => http(scheme == "https", &url[scheme_like + 3..]),
            name => GitUrl::Helper { name: name.to_string(), address: url.to_string() },
        });
    }
    connect(&if is_url { percent_decoded(url) } else { url.to_string() })
}

fn is_scheme_char(first: bool, b: u8) -> bool {
    b.is_ascii_alphanumeric() || !first && matches!(b, b'+' | b'-' | b'.')
}

/// git decodes the whole URL after its scheme before it looks for the host; `%00` stays as it is.
fn percent_decoded(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|d| b == b'%' && d.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()).filter(|v| *v != 0) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(b);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The start of the host's closing end: after `[…]` if it has brackets, else its beginning.
fn host_end(host: &str) -> usize {
    let start = host.find("@[").map_or(0, |at| at + 1);
    match host[start..].strip_prefix('[') {
        Some(inside) => inside.find(']').map_or(0, |end| start + 1 + end),
        None => 0,
    }
}

/// What git's own transports make of it.
fn connect(url: &str) -> Result<GitUrl, Refused> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    let ssh = match scheme {
        Some("ssh" | "git+ssh" | "ssh+git") => true,
        Some("git" | "file") => false,
        Some(other) => return Err(Refused::Protocol(other.to_string())),
        None => !is_local(url),
    };
    if scheme.is_none() && !ssh {
        // git looks for brackets here too, and takes what follows them for the path.
        let path = &url[host_end(url)..];
        return if path.is_empty() { Err(Refused::NoPath) } else { Ok(GitUrl::Local { path: path.to_string() }) };
    }
    if scheme == Some("file") {
        let path = if rest.starts_with('/') { rest.to_string() } else { format!("//{rest}") };
        return Ok(GitUrl::Local { path });
    }
    let separator = if scheme.is_none() { ':' } else { '/' };
    let end = host_end(rest);
    let cut = end + rest[end..].find(separator).ok_or(Refused::NoPath)?;
    let mut path = if separator == ':' { &rest[cut + 1..] } else { &rest[cut..] };
    if path.starts_with("/~") {
        path = &path[1..];
    }
    if !ssh {
        return Ok(GitUrl::Git { host: rest[..cut].to_string(), path: path.to_string() });
    }
    let form = match (scheme, rest[..cut].contains('[')) {
        (Some(_), _) => SshForm::Url,
        (None, true) => SshForm::ScpBrackets,
        (None, false) => SshForm::Scp,
    };
    let (userhost, port) = host_and_port(&rest[..cut]);
    if userhost.starts_with('-') {
        return Err(Refused::StrangeHost(userhost));
    }
    if path.starts_with('-') {
        return Err(Refused::StrangePath(path.to_string()));
    }
    let (user, host) = match userhost.rsplit_once('@') {
        Some((user, host)) => (Some(user.to_string()), host.to_string()),
        None => (None, userhost),
    };
    Ok(GitUrl::Ssh(SshUrl { user, host, port, path: path.to_string(), form }))
}

/// Removes the brackets and splits the port off: first after the brackets, then at the first colon of what is left.
fn host_and_port(text: &str) -> (String, Option<u16>) {
    let end = host_end(text);
    let (head, tail) = if end > 0 {
        let open = text.find("@[").map_or(0, |at| at + 1);
        (format!("{}{}", &text[..open], &text[open + 1..end]), &text[end + 1..])
    } else {
        (String::new(), text)
    };
    let (mut host, mut port) = match tail.split_once(':') {
        Some((before, digits)) if git_port(digits).is_some() => (head.clone() + before, git_port(digits)),
        Some((before, "")) => (head.clone() + before, None),
        _ => (head.clone() + tail, None),
    };
    if end > 0 {
        // What git cuts off behind the bracket is lost with it.
        host = head;
    }
    if port.is_none()
        && let Some((before, digits)) = host.split_once(':')
        && git_port(digits).is_some()
    {
        (host, port) = (before.to_string(), git_port(digits));
    }
    (host, port)
}

/// `strtol(3)` to the end of the text, within 0..65536: leading blanks and a plus sign pass.
fn git_port(text: &str) -> Option<u16> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) { None } else { digits.parse().ok() }
}

/// Whether git takes a text without scheme for a path: no colon, or a slash before it.
fn is_local(url: &str) -> bool {
    match (url.find(':'), url.find('/')) {
        (None, _) => true,
        (Some(colon), Some(slash)) => slash < colon,
        (Some(_), None) => false,
    }
}

fn http(secure: bool, rest: &str) -> GitUrl {
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(cut);
    let (user, hostport) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user.split(':').next().unwrap_or_default().to_string()), host),
        None => (None, authority),
    };
    let (host, port) = host_and_port(hostport);
    GitUrl::Http(HttpUrl { secure, user, host, port, path: path.to_string() })
}

impl GitUrl {
    /// The ssh part, if it is an ssh URL.
    pub fn ssh(&self) -> Option<&SshUrl> {
        match self {
            GitUrl::Ssh(url) => Some(url),
            _ => None,
        }
    }

    /// The host that git would contact.
    pub fn host(&self) -> Option<&str> {
        match self {
            GitUrl::Ssh(url) => Some(&url.host),
            GitUrl::Http(url) => Some(&url.host),
            GitUrl::Git { host, .. } => Some(host.split(':').next().unwrap_or_default()),
            GitUrl::Local { .. } | GitUrl::Helper { .. } => None,
        }
    }

    /// `workspace/repository` (or `PROJECT/repository`), without leading slash and `.git`; for an address of the web
    /// pages the repository that the page belongs to.
    pub fn repository(&self) -> Option<String> {
        match self {
            GitUrl::Ssh(url) => tidy(&url.path),
            GitUrl::Git { path, .. } => tidy(path),
            GitUrl::Http(url) => url.place().map(|p| p.repository),
            GitUrl::Local { .. } | GitUrl::Helper { .. } => None,
        }
    }

    /// The ssh URL of the same repository on `host`: in scp form, or with `ssh://` when a `port` is to be named.
    pub fn ssh_equivalent(&self, host: &str, port: Option<u16>) -> Option<String> {
        let repository = self.repository()?;
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
        Some(match port {
            Some(port) => format!("ssh://git@{bracketed}:{port}/{repository}.git"),
            None => format!("git@{bracketed}:{repository}.git"),
        })
    }
}

/// Where an address of Bitbucket's web pages or its HTTP clone URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPlace {
    /// `workspace/repository` or `PROJECT/repository`.
    pub repository: String,
    /// The path has a form that only Bitbucket Data Center uses (`/scm/…`, `/projects/…/repos/…`); its ssh port is 7999
    /// unless its administrator chose another.
    pub data_center: bool,
}

impl HttpUrl {
    /// The repository that the path names, for clone URLs and web pages of Bitbucket Cloud (`/ws/repo/src/…`) and Data
    /// Center (`/scm/PROJ/repo.git`, `/projects/PROJ/repos/repo/browse`), also below a context path.
    pub fn place(&self) -> Option<WebPlace> {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
        let slug = |name: &str| name.strip_suffix(".git").unwrap_or(name).to_string();
        for start in 0..segments.len().min(3) {
            let (repository, data_center) = match &segments[start..] {
                ["scm", project, repository, ..] => (format!("{project}/{}", slug(repository)), true),
                ["projects", project, "repos", repository, ..] => (format!("{project}/{}", slug(repository)), true),
                ["users", user, "repos", repository, ..] => (format!("~{user}/{}", slug(repository)), true),
                _ => continue,
            };
            return Some(WebPlace { repository, data_center });
        }
        const PAGES: [&str; 14] = [
            "src",
            "commits",
            "commit",
            "branches",
            "branch",
            "pull-requests",
            "pipelines",
            "deployments",
            "downloads",
            "issues",
            "wiki",
            "admin",
            "browse",
            "overview",
        ];
        match segments.as_slice() {
            [workspace, repository] => Some((workspace, repository)),
            [workspace, repository, page, ..] if PAGES.contains(page) => Some((workspace, repository)),
            _ => None,
        }
        .map(|(workspace, repository)| WebPlace { repository: format!("{workspace}/{}", slug(repository)), data_center: false })
        .filter(|place| !place.repository.ends_with('/'))
    }
}

fn tidy(path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn the_repository_of_any_address() {
        for (url, repository, ssh) in [
            ("git@bitbucket.org:acme/app.git", "acme/app", "git@h:acme/app.git"),
            ("ssh://git@h:7999/PROJ/app.git", "PROJ/app", "git@h:PROJ/app.git"),
            ("https://ann@bitbucket.org/acme/app.git", "acme/app", "git@h:acme/app.git"),
            ("https://bitbucket.org/acme/app/src/main/x.rs?at=y", "acme/app", "git@h:acme/app.git"),
            ("https://h/scm/PROJ/app.git", "PROJ/app", "git@h:PROJ/app.git"),
            ("https://h/ctx/projects/PROJ/repos/app/browse", "PROJ/app", "git@h:PROJ/app.git"),
            ("https://h/users/ann/repos/app", "~ann/app", "git@h:~ann/app.git"),
        ] {
            let parsed = parse(url).expect("parses");
            survives_json(&parsed);
            assert_eq!(parsed.repository().as_deref(), Some(repository), "{url}");
            assert_eq!(parsed.ssh_equivalent("h", None).as_deref(), Some(ssh), "{url}");
        }
        let web = parse("https://h/scm/PROJ/app.git").expect("parses");
        assert_eq!(web.ssh_equivalent("h", Some(7999)).as_deref(), Some("ssh://git@h:7999/PROJ/app.git"));
    }
}
