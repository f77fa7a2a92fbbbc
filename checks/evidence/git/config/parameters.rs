//! Configuration in the environment: `GIT_CONFIG_COUNT` with its keys and values, and `GIT_CONFIG_PARAMETERS`, in which
//! `git -c` hands its settings on.

use std::os::unix::ffi::OsStrExt;

use super::{ConfigReader, Way};
use bbdoctor_checks::facts::git_config::{ConfigFault, GitSetting, Origin, Scope};

/// Adds what the environment says to what `reader` has.
pub(super) fn read(reader: &mut ConfigReader<'_>) -> Result<(), ConfigFault> {
    let mut found = Vec::new();
    let environment = reader.environment;
    let bad = |variable: &str| ConfigFault::BadVariable { variable: variable.to_string() };
    if let Some(count) = environment.get("GIT_CONFIG_COUNT").filter(|c| !c.is_empty()) {
        let count = count.to_str().and_then(|c| c.trim_start().parse::<i32>().ok()).ok_or_else(|| bad("GIT_CONFIG_COUNT"))?;
        for n in 0..count {
            let (key, value) = (format!("GIT_CONFIG_KEY_{n}"), format!("GIT_CONFIG_VALUE_{n}"));
            let name = environment.get(&key).and_then(|k| canonical(&k.to_string_lossy())).ok_or_else(|| bad(&key))?;
            let value = environment.get(&value).ok_or_else(|| bad(&value))?;
            found.push((name, Some(value.as_bytes().to_vec())));
        }
    }
    if let Some(text) = environment.get("GIT_CONFIG_PARAMETERS") {
        found.extend(quoted(text.as_bytes()).ok_or_else(|| bad("GIT_CONFIG_PARAMETERS"))?);
    }
    let way = Way { scope: Scope::Command, depth: 0, gentle: false, without_remotes: false };
    for (key, value) in found {
        reader.entry(GitSetting { key, value, origin: Origin { scope: Scope::Command, file: None, line: None } }, way)?;
    }
    Ok(())
}

/// The key with section and name in lower case; `None` for what git refuses.
fn canonical(key: &str) -> Option<String> {
    let (section, name) = key.rsplit_once('.')?;
    let (section, subsection) = match section.split_once('.') {
        Some((section, subsection)) => (section, Some(subsection)),
        None => (section, None),
    };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let good = plain(section) && plain(name) && name.starts_with(|c: char| c.is_ascii_alphabetic());
    let subsection = subsection.map(|s| format!(".{s}")).unwrap_or_default();
    (good && !subsection.contains('\n'))
        .then(|| format!("{}{subsection}.{}", section.to_ascii_lowercase(), name.to_ascii_lowercase()))
}

/// `'key'='value'` and the older `'key=value'`, separated by blanks, quoted as git's `sq_quote` does.
fn quoted(mut text: &[u8]) -> Option<Vec<(String, Option<Vec<u8>>)>> {
    let mut out = Vec::new();
    loop {
        text = text.trim_ascii_start();
        if text.is_empty() {
            return Some(out);
        }
        let (first, rest) = unquote(text)?;
        let (key, value, rest) = match rest.strip_prefix(b"=") {
            Some(b"") => (first, None, &b""[..]),
            Some(rest) if rest[0] == b' ' => (first, None, rest),
            Some(rest) => {
                let (value, rest) = unquote(rest)?;
                (first, Some(value), rest)
            }
            None => match first.iter().position(|b| *b == b'=') {
                Some(at) => (first[..at].to_vec(), Some(first[at + 1..].to_vec()), rest),
                None => (first, None, rest),
            },
        };
        if !rest.is_empty() && !rest[0].is_ascii_whitespace() {
            return None;
        }
        out.push((canonical(String::from_utf8_lossy(&key).trim())?, value));
        text = rest;
    }
}

/// One quoted word and what follows it.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"'")?;
    let mut out = Vec::new();
    loop {
        let end = rest.iter().position(|b| *b == b'\'')?;
        out.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', ..] => {
                out.push(*escaped);
                rest = &rest[3..];
            }
            _ => return Some((out, rest)),
        }
    }
}
