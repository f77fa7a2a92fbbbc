//! Text that remembers which of its parts are private.
//!
//! A path, a user name, a company's host name or a key comment must never reach a report by accident. Such values are
//! [`Private`]: they have no `Display`, and [`Text`] keeps them apart from the public words around them. Only a
//! [`Redactor`] turns a [`Text`] into a `String`, so every renderer has to decide what may be shown.
//!
//! Both can be recorded and read back: a recording holds private values as they are.

mod neutralise;
mod public;
mod redaction;
mod scan;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

pub use neutralise::{is_invisible, neutralise};
pub use redaction::{Collector, Redaction, WithoutQuotations};
pub use scan::Leak;

/// What a private value is; a redactor chooses the placeholder by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A path of this machine.
    Path,
    /// A user name, local or in a URL.
    User,
    /// A host name or address that is not public knowledge.
    Host,
    /// The comment of a key, often an e-mail address.
    Comment,
    /// `workspace/repository`.
    Repository,
    /// A Git URL, whole.
    Url,
    /// Text that somebody else wrote: a server, an agent, a file, a program.
    Quoted,
}

/// A value that only a [`Redactor`] may print.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Private {
    /// What the value is.
    pub kind: Kind,
    #[serde(deserialize_with = "harmless")]
    value: String,
}

/// A recording may come from anybody: what no constructor would have let through is made visible. What one did let through stays as
/// it is.
fn harmless<'de, D: Deserializer<'de>, S: From<String>>(from: D) -> Result<S, D::Error> {
    Ok(neutralise(&String::deserialize(from)?, usize::MAX).into())
}

impl Private {
    /// Wraps `value`, which may be any untrusted text: it is capped and neutralised by [`neutralise`], and the passwords of URLs
    /// in it are gone for good.
    pub fn new(kind: Kind, value: impl AsRef<str>) -> Self {
        Private { kind, value: neutralise(&without_passwords(value.as_ref()), QUOTE_LIMIT) }
    }

    /// A path of this machine.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::new(Kind::Path, path.as_ref().to_string_lossy())
    }

    /// Text that somebody else wrote, quoted as data.
    pub fn quoted(text: impl AsRef<str>) -> Self {
        Self::new(Kind::Quoted, text)
    }

    /// A public key as it stands in a `.pub` file: whole, for a remedy or a form has no use for the half of one.
    pub fn public_key(line: impl AsRef<str>) -> Self {
        Private { kind: Kind::Quoted, value: neutralise(line.as_ref(), PUBLIC_KEY_LIMIT) }
    }

    /// A user name.
    pub fn user(name: impl AsRef<str>) -> Self {
        match name.as_ref().split_once(':') {
            // What git hands to ssh of `ssh://user:password@host` (git has no passwords in such URLs, and takes it for the name).
            Some((name, _)) => Self::new(Kind::User, format!("{name}:***")),
            None => Self::new(Kind::User, name),
        }
    }

    /// A host name or an address.
    pub fn host(name: impl AsRef<str>) -> Self {
        Self::new(Kind::Host, name)
    }

    /// A Git URL.
    pub fn url(url: impl AsRef<str>) -> Self {
        Self::new(Kind::Url, url)
    }

    /// A repository's path on the service, `workspace/repository`.
    pub fn repository(path: impl AsRef<str>) -> Self {
        Self::new(Kind::Repository, path)
    }
}

/// Shows the kind alone, so that a `{:?}` in a log or a panic leaks nothing.
impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{:?}>", self.kind)
    }
}

/// The longest quotation, in characters.
pub const QUOTE_LIMIT: usize = 1000;
/// The longest public key, in characters: RSA of 16384 bits, the most that OpenSSH takes, needs 2,800.
const PUBLIC_KEY_LIMIT: usize = 4000;

/// `text` with the passwords of the URLs in it (RFC 3986, 3.2.1) as `***`, also where only `user:password@host` is left of a URL; over
/// HTTP a user that is a token by its length goes too. No report needs one, redacted or not.
pub(crate) fn without_passwords(text: &str) -> String {
    /// Access tokens are longer than names.
    const TOKEN: usize = 20;
    let ends_login = |c: char| c == '/' || c.is_whitespace() || "\\\"'`<>=,;()".contains(c);
    text.split_inclusive(ends_login).fold(String::new(), |mut out, part| {
        let Some((login, host)) = part.rsplit_once('@') else { return out + part };
        let (user, password) = login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
        let over_http = out.ends_with("http://") || out.ends_with("https://");
        match password {
            // `git@host:path@x` has its colon behind the host.
            _ if user.contains('@') => out.push_str(login),
            Some(_) => out.push_str(&format!("{}:***", if over_http && user.len() >= TOKEN { "***" } else { user })),
            None => out.push_str(if over_http && user.len() >= TOKEN { "***" } else { user }),
        }
        out + "@" + host
    })
}

/// One part of a [`Text`]; in a recording a string, or a value with its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Piece {
    /// Words of our own sources, numbers, and the kinds of `public.rs`: may be shown to anybody.
    Public(#[serde(deserialize_with = "harmless")] Cow<'static, str>),
    /// A value that only a [`Redactor`] prints.
    Private(Private),
}

/// A sentence, an argument of a command, a value: public words with private values in their places.
///
/// No `String` becomes public text: only `&'static str`, numbers, and values of the few kinds that have a form of their own
/// ([`Text::fingerprint`], [`Text::mode`], [`Text::algorithm`], [`Text::version`], [`Text::date`], [`Text::option`]). Everything else
/// is [`Private`], of the kind that its writer chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text(Vec<Piece>);

impl Text {
    /// Fills the `{}` of `template` with `pieces`, in order; `text!` is the way to call it.
    pub fn filled(template: &'static str, pieces: Vec<Text>) -> Self {
        let mut out = Vec::new();
        let mut pieces = pieces.into_iter();
        for (n, part) in template.split("{}").enumerate() {
            if n > 0 {
                out.extend(pieces.next().unwrap_or_default().0);
            }
            if !part.is_empty() {
                out.push(Piece::Public(part.into()));
            }
        }
        Text(out)
    }

    /// The parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// `self` followed by `more`.
    pub fn then(mut self, more: impl Into<Text>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    fn print(&self, private: impl Fn(&Private) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Public(words) => words.to_string(),
            Piece::Private(value) => private(value),
        };
        self.0.iter().map(piece).collect()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts with `separator` between them.
    pub fn join(texts: impl IntoIterator<Item = Text>, separator: &'static str) -> Self {
        let mut out = Text::default();
        for text in texts {
            if !out.is_empty() {
                out = out.then(separator);
            }
            out = out.then(text);
        }
        out
    }
}

impl From<&'static str> for Text {
    fn from(words: &'static str) -> Self {
        Text(vec![Piece::Public(words.into())])
    }
}

impl From<Private> for Text {
    fn from(value: Private) -> Self {
        Text(vec![Piece::Private(value)])
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

/// Builds a [`Text`]: `text!("{} can be read by others", Private::path(p))`. Its template and the strings among its arguments are
/// words of our own sources; every other value says what it is.
#[macro_export]
macro_rules! text {
    ($template:literal $(, $piece:expr)* $(,)?) => {
        $crate::privacy::Text::filled($template, vec![$($crate::privacy::Text::from($piece)),*])
    };
}

/// Turns texts into strings, showing private values or placeholders for them.
pub trait Redactor {
    /// What may be printed in place of `value`, for a reader.
    fn show(&self, value: &Private) -> String;

    /// What may stand for `value` in a command or a file, where `~` is not understood everywhere.
    fn exact(&self, value: &Private) -> String {
        self.show(value)
    }

    /// Whether it shows placeholders.
    fn redacts(&self) -> bool {
        false
    }

    /// Whether it shows what others wrote.
    fn quotes(&self) -> bool {
        true
    }

    /// The whole text as it may be printed.
    fn text(&self, text: &Text) -> String {
        text.print(|value| self.show(value))
    }

    /// The whole text as it may stand in a command or a file.
    fn literal(&self, text: &Text) -> String {
        text.print(|value| self.exact(value))
    }
}

/// Shows private values as they are, with the user's home folder as `~`: for the user's own terminal.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    /// The home folder that ssh reads, if known.
    pub home: Option<String>,
}

impl Redactor for Plain {
    fn show(&self, value: &Private) -> String {
        match (&self.home, value.kind) {
            (Some(home), Kind::Path) if home.len() > 1 => match value.value.strip_prefix(home.as_str()) {
                Some("") => "~".into(),
                Some(rest) if rest.starts_with('/') => format!("~{rest}"),
                _ => value.value.clone(),
            },
            _ => value.value.clone(),
        }
    }

    fn exact(&self, value: &Private) -> String {
        value.value.clone()
    }
}
