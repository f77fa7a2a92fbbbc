//! bbdoctor's own configuration, `config.toml`: facts about hosts that it does not know or that are to be replaced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bbdoctor_checks::bitbucket::{HostOverride, Kind, Services};
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::public_key::PublicKey;
use bbdoctor_evidence::machine::files;
use serde::Deserialize;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It was named on the command line and cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{path}: {what}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    hosts: BTreeMap<String, Host>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    host_keys: Option<Vec<String>>,
    kind: Option<HostKind>,
    port: Option<u16>,
    alternate: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum HostKind {
    Cloud,
    DataCenter,
}

/// The file that is read when none is named: `$XDG_CONFIG_HOME/bbdoctor/config.toml`, else under `~/.config`.
pub(crate) fn default_path(environment: &Environment) -> Option<PathBuf> {
    let base = environment.text("XDG_CONFIG_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| environment.text("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("bbdoctor/config.toml"))
}

/// Reads the hosts: from `named`, which must then exist, or from the default place.
///
/// # Errors
/// When the file cannot be read or says something that bbdoctor does not know.
pub(crate) fn read(named: Option<&Path>, environment: &Environment) -> Result<Services, SettingsError> {
    let Some(path) = named.map(Path::to_path_buf).or_else(|| default_path(environment)) else {
        return Ok(Services::default());
    };
    let bytes = match files::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if named.is_none() && matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Services::default());
        }
        Err(source) => return Err(SettingsError::Unreadable { path, source }),
    };
    let invalid = |what: String| SettingsError::Invalid { path: path.clone(), what };
    let text = std::str::from_utf8(&bytes).map_err(|e| invalid(format!("not UTF-8: {e}")))?;
    parse(text).map_err(invalid)
}

fn parse(text: &str) -> Result<Services, String> {
    let file: File = toml::from_str(text).map_err(|e| explain(&e, text))?;
    let mut overrides = Vec::new();
    for (name, host) in file.hosts {
        let keys = host.host_keys.map(|lines| lines.iter().map(|l| host_key(l)).collect::<Result<Vec<_>, _>>());
        overrides.push((
            name.clone(),
            HostOverride {
                host_keys: keys.transpose().map_err(|e| format!("hosts.\"{name}\".host_keys: {e}"))?,
                kind: host.kind.map(|k| match k {
                    HostKind::Cloud => Kind::Cloud,
                    HostKind::DataCenter => Kind::DataCenter,
                }),
                port: host.port,
                alternate: host
                    .alternate
                    .as_deref()
                    .map(endpoint)
                    .transpose()
                    .map_err(|e| format!("hosts.\"{name}\".alternate: {e}"))?,
            },
        ));
    }
    Ok(Services::new(overrides))
}

/// toml's message with the place, and the nearest key where the key is not known.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let place = error.span().map(|span| {
        let before = &text[..span.start.min(text.len())];
        format!("line {}: ", before.matches('\n').count() + 1)
    });
    let message = error.message().to_string();
    let unknown = message.split('`').nth(1).filter(|_| message.starts_with("unknown field"));
    let nearest = unknown.and_then(|key| {
        let known = ["hosts", "host_keys", "kind", "port", "alternate"];
        known.into_iter().min_by_key(|k| strsim::damerau_levenshtein(k, key)).filter(|k| strsim::damerau_levenshtein(k, key) <= 3)
    });
    format!("{}{message}{}", place.unwrap_or_default(), nearest.map(|k| format!("; did you mean `{k}`?")).unwrap_or_default())
}

fn host_key(line: &str) -> Result<(String, String), String> {
    let mut words = line.split_whitespace();
    let (Some(algorithm), Some(base64)) = (words.next(), words.next()) else {
        return Err(format!("{line:?} is not \"TYPE BASE64\", as in known_hosts"));
    };
    match PublicKey::from_line(format!("{algorithm} {base64}").as_bytes()) {
        Ok(_) => Ok((algorithm.into(), base64.into())),
        Err(e) => Err(format!("{line:?} is no public key: {e}")),
    }
}

fn endpoint(text: &str) -> Result<(String, u16), String> {
    text.rsplit_once(':')
        .and_then(|(host, port)| Some((host.trim_matches(['[', ']']).to_string(), port.parse().ok()?)))
        .filter(|(host, _)| !host.is_empty())
        .ok_or_else(|| format!("{text:?} is not \"host:port\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_names_the_nearest_and_its_line() {
        let error = parse("[hosts.\"a.example\"]\nhost_key = []\n").map(|_| ()).unwrap_err();
        assert!(error.starts_with("line 2: ") && error.ends_with("did you mean `host_keys`?"), "{error}");
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for line in ["nonsense", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO"]
        {
            assert!(parse(&format!("[hosts.\"a\"]\nhost_keys = [{line:?}]\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn a_host_of_ones_own() {
        let services =
            parse("[hosts.\"git.corp\"]\nkind = \"data-center\"\nport = 7998\nalternate = \"git2.corp:443\"\n").expect("valid");
        let host = services.get("git.corp").expect("known");
        assert_eq!((host.port, host.alternate.clone()), (7998, Some(("git2.corp".into(), 443))));
    }
}
