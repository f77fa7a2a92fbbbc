//! The environment variables, read once, and those of them that a recording may hold.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use serde::{Deserialize, Serialize};

use super::bytes;
use crate::privacy::without_passwords;

/// What OpenSSH, git and bbdoctor read, by whole names. Left out although they are read: `GIT_CONFIG_KEY_*`, `GIT_CONFIG_VALUE_*`
/// and `GIT_CONFIG_PARAMETERS`, in which a CI service hands its tokens on.
const NAMES: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "SUDO_USER",
    "SUDO_UID",
    "HOST",
    "HOSTNAME",
    "TMPDIR",
    // Language, terminal, windows.
    "LANG",
    "LANGUAGE",
    "TERM",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    // ssh(1).
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_CONNECTION",
    "SSH_SK_PROVIDER",
    // git(1).
    "GIT_ALLOW_PROTOCOL",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_TERMINAL_PROMPT",
    "GIT_WORK_TREE",
    // Proxies, in either case.
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    // What tells a CI service.
    "BITBUCKET_BUILD_NUMBER",
    "CI",
    "CIRCLECI",
    "CODEBUILD_BUILD_ID",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_HOME",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "bamboo_buildNumber",
];

/// Beginnings of names, of which none holds a secret.
const FAMILIES: &[&str] = &["LC_", "XDG_"];

/// A snapshot of the environment. Names and values may be any bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Recording", into = "Recording")]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    left_out: usize,
}

/// An environment in JSON.
#[derive(Serialize, Deserialize)]
struct Recording {
    #[serde(with = "bytes")]
    variables: Vec<(OsString, OsString)>,
    left_out: usize,
}

impl From<Recording> for Environment {
    fn from(recording: Recording) -> Self {
        Environment { variables: recording.variables.into_iter().collect(), left_out: recording.left_out }
    }
}

impl From<Environment> for Recording {
    fn from(environment: Environment) -> Self {
        Recording { variables: environment.variables.into_iter().collect(), left_out: environment.left_out }
    }
}

impl Environment {
    /// The value of `name`, also when it is empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The value of `name` as text, unless it is unset or empty; bytes that are not UTF-8 are replaced.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).filter(|v| !v.is_empty()).map(|v| v.to_string_lossy().into_owned())
    }

    /// Gives `name` a value.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// Takes `name` away.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(OsStr::new(name));
    }

    /// Every variable, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(k, v)| (k.as_os_str(), v.as_os_str()))
    }

    /// What a recording may hold: the variables on a list, of which none is a secret by its name, without the passwords and tokens
    /// of the URLs in their values.
    pub fn recorded(&self) -> Environment {
        let known = |name: &str| NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
        let variables: BTreeMap<OsString, OsString> = self
            .variables
            .iter()
            .filter(|(name, _)| name.to_str().is_some_and(known))
            .filter_map(|(name, value)| {
                let value = match value.to_str() {
                    Some(text) => without_passwords(text).into(),
                    // Whose URLs cannot be told apart.
                    None if bytes::of(value).contains(&b'@') => return None,
                    None => value.clone(),
                };
                Some((name.clone(), value))
            })
            .collect();
        Environment { left_out: self.left_out + self.variables.len() - variables.len(), variables }
    }

    /// How many variables [`Environment::recorded`] has left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Environment { variables: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(), left_out: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::survives_json;

    #[test]
    fn a_recording_holds_what_is_on_the_list_and_no_secret() {
        let environment: Environment = [
            ("HOME", "/home/ann"),
            ("LC_ALL", "C"),
            ("GIT_SSH_COMMAND", "ssh -i ~/.ssh/k"),
            ("https_proxy", "http://ann:s3cret@proxy:3128"),
            ("BITBUCKET_BUILD_NUMBER", "7"),
            ("BITBUCKET_TOKEN", "s3cret"),
            ("GIT_PASSWORD", "s3cret"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "http.extraheader"),
            ("GIT_CONFIG_VALUE_0", "AUTHORIZATION: basic s3cret"),
            ("SSHPASS", "s3cret"),
        ]
        .into_iter()
        .collect();
        let recorded = environment.recorded();
        let names: Vec<_> = recorded.iter().map(|(name, _)| name.to_string_lossy()).collect();
        let expected = ["BITBUCKET_BUILD_NUMBER", "GIT_CONFIG_COUNT", "GIT_SSH_COMMAND", "HOME", "LC_ALL", "https_proxy"];
        assert_eq!(names, expected);
        assert_eq!(recorded.text("https_proxy").as_deref(), Some("http://ann:***@proxy:3128"));
        assert_eq!((environment.left_out(), recorded.left_out(), recorded.recorded().left_out()), (0, 5, 5));
        survives_json(&recorded);
        assert!(!serde_json::to_string(&recorded).expect("serialises").contains("s3cret"));
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_survive() {
        let odd = |bytes: &[u8]| bytes::word(bytes.to_vec());
        let environment: Environment = [("HOME", odd(b"/home/\xff")), ("PATH", odd(b"a:b\xff@c"))].into_iter().collect();
        survives_json(&environment);
        assert_eq!((environment.recorded().get("HOME"), environment.recorded().get("PATH")), (environment.get("HOME"), None));
    }
}
