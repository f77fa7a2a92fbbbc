//! Reports for other people: every private value becomes a placeholder, the same one wherever it occurs.
//!
//! It fails closed, at every step:
//! * Public pieces are shown as they are, and by its type no [`Text`](super::Text) has another public piece than words of our own sources, numbers
//!   and values of a checked form.
//! * A private value is shown by its kind. Users, hosts, comments and repositories become placeholders whole; they are collected first, so
//!   that they are recognised inside paths, addresses and quotations too. Of these three, each word is then shown only where it is
//!   public ([`words`](super::words)); a word that nobody vouches for becomes `text-1`.
//! * The finished report is looked through once more for every value that was met ([`scan`](super::scan)), in every format, however it
//!   got there. If one is found, quotations are left out altogether ([`WithoutQuotations`]); if one is found even so, there is no report.
//!
//! What is public whatever it is part of: fingerprints, which tell keys apart and tell nothing else, the service's own names and keys,
//! this machine's address for itself, and the users `git` and `root`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scan::{self, Leak};
use super::words::{self, are_public, ends_there, fingerprint_at, is_public};
use super::{Kind, Private, Redactor};
use crate::bitbucket;

/// What a quotation is replaced by where quotations are left out.
const LEFT_OUT: &str = "[left out]";
/// What [`Collector`] shows for a private value: no word that could be taken for one of ours.
const BLANK: &str = "…";
/// The first words of placeholders.
const SORTS: &[&str] = &["user", "key", "host", "address", "workspace", "repo", "blob", "path", "text", "home"];

/// Notes every private value of the texts it is given, in their order, and shows blanks for them: what it prints holds our own words
/// and what everybody knows, and nothing else.
#[derive(Debug, Default)]
pub struct Collector(RefCell<Vec<Private>>);

impl Redactor for Collector {
    fn show(&self, value: &Private) -> String {
        self.0.borrow_mut().push(value.clone());
        known_to_everybody(value).unwrap_or_else(|| BLANK.into())
    }

    fn redacts(&self) -> bool {
        true
    }

    /// What it prints is compared with reports that say so.
    fn quotes(&self) -> bool {
        false
    }
}

/// Shows a placeholder for every private value.
#[derive(Debug)]
pub struct Redaction {
    /// The user's home folders with their placeholders: `~` for the one that ssh goes by.
    homes: Vec<(String, String)>,
    /// By the value in lower case.
    known: RefCell<HashMap<String, Value>>,
    /// Placeholders handed out, by their first word.
    counts: RefCell<HashMap<&'static str, usize>>,
    /// Every raw value that was met, in lower case: no placeholder may look like one.
    raw: HashSet<String>,
}

/// As a [`Redaction`], and shows nothing of what others wrote.
#[derive(Debug)]
pub struct WithoutQuotations<'a>(pub &'a Redaction);

/// A private value that was met.
#[derive(Debug)]
struct Value {
    raw: String,
    placeholder: String,
}

/// Which known values are looked for in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All: the text is an address, and its parts are names.
    All,
    /// Those that are no ordinary words, or are a name by their form: a repository called `config` must not take that word out of
    /// every sentence, nor a comment `my key` those two.
    Unusual,
}

impl Redaction {
    /// Placeholders for what `collected` has met in a report, and for the user's own names: `homes`, the one that ssh goes by first, and
    /// `own` values that may occur in foreign text only.
    pub fn new(homes: Vec<String>, own: Vec<Private>, collected: Collector) -> Self {
        let values: Vec<Private> = collected.0.into_inner().into_iter().chain(own).collect();
        let mut seen = Vec::new();
        for home in homes.iter().map(|home| home.trim_end_matches('/')).filter(|home| home.len() > 1) {
            if !seen.contains(&home) {
                seen.push(home);
            }
        }
        let placeholder = |n: usize| if n == 0 { "~".to_string() } else { format!("home-{}", n + 1) };
        let mut homes: Vec<_> = seen.into_iter().enumerate().map(|(n, home)| (home.to_string(), placeholder(n))).collect();
        // A home within another is the longer name.
        homes.sort_by_key(|(home, _)| std::cmp::Reverse(home.len()));
        let raw = values.iter().map(|v| v.value.to_lowercase()).collect();
        let redaction = Redaction { homes, known: RefCell::default(), counts: RefCell::default(), raw };
        for value in &values {
            redaction.know(value);
        }
        redaction
    }

    /// Remembers a value whose kind says what it is.
    fn know(&self, value: &Private) {
        match value.kind {
            Kind::User | Kind::Comment | Kind::Host => drop(self.show(value)),
            Kind::Repository => {
                let path = value.value.trim_matches('/').trim_end_matches(".git").trim_matches('/');
                if path.is_empty() {
                    return;
                }
                let (workspace, repository) = path.rsplit_once('/').unwrap_or(("", path));
                let parts = workspace.split('/').filter(|w| !w.is_empty()).map(|w| self.placeholder("workspace", w));
                let parts: Vec<String> = parts.chain([self.placeholder("repo", repository)]).collect();
                // The whole is recognised even where its parts are ordinary words.
                let whole = Value { raw: path.to_string(), placeholder: parts.join("/") };
                self.known.borrow_mut().insert(path.to_lowercase(), whole);
            }
            Kind::Path | Kind::Url | Kind::Quoted => {}
        }
    }

    /// The placeholder for `value`: the one it has, or the next of its sort, one of [`SORTS`].
    fn placeholder(&self, sort: &'static str, value: &str) -> String {
        let lower = value.to_lowercase();
        if lower.is_empty() {
            return String::new();
        }
        if let Some(known) = self.known.borrow().get(&lower) {
            return known.placeholder.clone();
        }
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(sort).or_default();
        let placeholder = loop {
            *count += 1;
            let next = format!("{sort}-{count}");
            if !self.raw.contains(&next) {
                break next;
            }
        };
        self.known.borrow_mut().insert(lower, Value { raw: value.to_string(), placeholder: placeholder.clone() });
        placeholder
    }

    /// `text` with placeholders for what is not public in it; words that nobody vouches for are called after `sort`.
    fn mask(&self, text: &str, sort: &'static str, known: Known) -> String {
        let mut out = String::new();
        let mut rest = text;
        let mut inside = false;
        while let Some(first) = rest.chars().next() {
            let (shown, length) = (!inside).then(|| self.at_a_beginning(rest, sort, known)).flatten().unwrap_or_else(|| {
                let harmless = first.is_ascii() || "…–—·×“”‘’".contains(first);
                (if harmless { first.to_string() } else { "?".into() }, first.len_utf8())
            });
            out.push_str(&shown);
            inside = rest[..length].ends_with(char::is_alphanumeric);
            rest = &rest[length..];
        }
        out
    }

    /// What stands at the beginning of `rest`, which is no continuation of a word: what to show for it, and its length in bytes.
    fn at_a_beginning(&self, rest: &str, sort: &'static str, known: Known) -> Option<(String, usize)> {
        let home = self.homes.iter().find(|(home, _)| rest.starts_with(home.as_str()) && ends_there(rest, home.len()));
        if let Some((home, placeholder)) = home {
            return Some((placeholder.clone(), home.len()));
        }
        if let Some(value) = self.known_at(rest, known) {
            return Some(value);
        }
        if let Some(length) = fingerprint_at(rest) {
            return Some((rest[..length].into(), length));
        }
        if let Some((address, length)) = address(rest) {
            let shown = if address.is_loopback() || address.is_unspecified() {
                rest[..length].to_string()
            } else {
                self.placeholder("address", &rest[..length])
            };
            return Some((shown, length));
        }
        if let Some(length) = base64(rest) {
            let public = bitbucket::HOST_KEYS.iter().any(|key| key.base64 == &rest[..length]);
            return Some((if public { rest[..length].into() } else { self.placeholder("blob", &rest[..length]) }, length));
        }
        let run = words::run(rest);
        if run.is_empty() {
            return None;
        }
        Some((if is_public(run) { run.into() } else { self.placeholder(sort, run) }, run.len()))
    }

    /// The longest known value at the beginning of `rest`.
    fn known_at(&self, rest: &str, known: Known) -> Option<(String, usize)> {
        let values = self.known.borrow();
        // Nearly all are told apart by their first letter, and every word of a report is compared with every value.
        let first = rest.chars().next()?.to_lowercase().next();
        let here = values.iter().filter(|(value, _)| {
            value.chars().next() == first
                && rest.get(..value.len()).is_some_and(|head| head.to_lowercase() == **value)
                && ends_there(rest, value.len())
                && (known == Known::All || value.contains(['/', '@']) || !are_public(value))
        });
        here.max_by_key(|(value, _)| value.len()).map(|(key, value)| (value.placeholder.clone(), key.len()))
    }

    /// Looks through a finished report for every private value that was met, as it is and in the encodings in which one gets into
    /// text. `own` is the same report, in the same format, as [`Collector`] shows it: a value that is a word of ours where it stands
    /// in that one cannot be told from it.
    ///
    /// # Errors
    /// The first that is found: then the report must not be written.
    pub fn inspect(&self, report: &str, own: &str) -> Result<(), Leak> {
        let known = self.known.borrow();
        let homes = self.homes.iter().map(|(home, placeholder)| (home.as_str(), placeholder.as_str()));
        let hosts = bitbucket::CLOUD_HOSTS.iter().map(|host| host.name.to_string());
        let placeholders = SORTS.iter().map(|sort| format!("{sort}-0"));
        let own = hosts.chain(placeholders).fold(format!("{own} {LEFT_OUT}"), |own, words| own + " " + &words);
        scan::inspect(report, &own, homes.chain(known.values().map(|value| (value.raw.as_str(), value.placeholder.as_str()))))
    }
}

impl Redactor for Redaction {
    fn show(&self, value: &Private) -> String {
        if let Some(known) = known_to_everybody(value) {
            return known;
        }
        let text = value.value.as_str();
        match value.kind {
            Kind::User => self.placeholder("user", text),
            Kind::Comment => self.placeholder("key", text),
            Kind::Host => {
                let (host, port) = host_and_port(text);
                format!("{}{port}", self.placeholder(if is_address(host) { "address" } else { "host" }, host))
            }
            Kind::Repository | Kind::Url => self.mask(text, "text", Known::All),
            Kind::Path => self.mask(text, "path", Known::Unusual),
            Kind::Quoted => self.mask(text, "text", Known::Unusual),
        }
    }

    fn redacts(&self) -> bool {
        true
    }
}

impl Redactor for WithoutQuotations<'_> {
    fn show(&self, value: &Private) -> String {
        if value.kind == Kind::Quoted { LEFT_OUT.into() } else { self.0.show(value) }
    }

    fn redacts(&self) -> bool {
        true
    }

    fn quotes(&self) -> bool {
        false
    }
}

/// The value as it is, where there is nothing private about it: a user that every service has, a host of the service, this machine.
fn known_to_everybody(value: &Private) -> Option<String> {
    let text = value.value.as_str();
    match value.kind {
        Kind::User => matches!(text, "git" | "root").then(|| text.into()),
        Kind::Host => {
            let (host, port) = host_and_port(text);
            is_public_host(host).then(|| format!("{host}{port}"))
        }
        Kind::Comment | Kind::Repository | Kind::Url | Kind::Path | Kind::Quoted => None,
    }
}

/// `host`, `host:port` and `[host]:port`: the host, and the port with its colon.
fn host_and_port(text: &str) -> (&str, &str) {
    let split = text.rsplit_once(':').filter(|(host, port)| {
        // An address of version 6 without brackets has no port.
        let one_name = !host.contains(':') || host.ends_with(']');
        one_name && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    let (host, port) = split.map_or((text, ""), |(host, _)| (host, &text[host.len()..]));
    (host.trim_matches(['[', ']']), port)
}

/// A name of the service that everybody knows, or this machine itself.
fn is_public_host(host: &str) -> bool {
    let service = bitbucket::CLOUD_HOSTS.iter().any(|known| known.name.eq_ignore_ascii_case(host));
    service || host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn is_address(host: &str) -> bool {
    host.split('%').next().is_some_and(|host| host.parse::<IpAddr>().is_ok())
}

/// An IP address of either family.
fn address(text: &str) -> Option<(IpAddr, usize)> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.').unwrap_or(text.len());
    let (mut candidate, v4) = (&text[..end], text[..end].find(':').unwrap_or(end));
    let found = if let Ok(address) = text[..v4].trim_end_matches('.').parse::<Ipv4Addr>() {
        (address.into(), text[..v4].trim_end_matches('.').len())
    } else {
        loop {
            match candidate.parse::<Ipv6Addr>() {
                Ok(address) => break (address.into(), candidate.len()),
                Err(_) => candidate = candidate.strip_suffix([':', '.'])?,
            }
        }
    };
    ends_there(text, found.1).then_some(found)
}

/// A key or a signature in base64: at least forty characters.
fn base64(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '=')).unwrap_or(text.len());
    (end >= 40 && text.starts_with("AAAA")).then_some(end)
}
