//! Advice that was right once, or never: no page and no source that makes remedies may give it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "a test reads the sources as they stand")]

use std::path::{Path, PathBuf};

/// Advice, and why it is wrong. Capitals matter: `ssh-add -k` is another thing than `ssh-add -K`.
const WRONG: &[(&str, &str)] = &[
    ("ssh-add -K", "loads the keys of a security token; Apple's old meaning is --apple-use-keychain"),
    ("ssh-add -A", "Apple's old spelling of --apple-load-keychain"),
    ("ed25519 -b", "an Ed25519 key has one size"),
    ("-t dsa", "OpenSSH and Bitbucket take no DSA keys"),
    ("-b 1024", "shorter than ssh and Bitbucket accept"),
    ("ssh-keyscan", "takes whatever key the network gives"),
    ("StrictHostKeyChecking=no", "anyone may pose as the server"),
    ("StrictHostKeyChecking off", "anyone may pose as the server"),
    ("UserKnownHostsFile=/dev/null", "anyone may pose as the server"),
    ("HostName bitbucket.org", "Git over SSH has moved to ssh.bitbucket.org"),
    ("ssh -T git@bitbucket.org", "Git over SSH has moved to ssh.bitbucket.org"),
    ("app-passwords", "app passwords are gone"),
    ("an app password", "app passwords are gone"),
    ("account/user/", "the account's keys are at account/settings/ssh-keys"),
    ("status.bitbucket.org", "the status page is bitbucket.status.atlassian.com"),
    ("chmod 777", "ssh refuses files that others can write"),
    ("chmod -R", "keys and public files need different modes"),
    ("chmod 644 ~/.ssh/id_", "ssh ignores a key that others can read"),
    ("sslVerify false", "anyone may pose as the server"),
    ("GIT_SSL_NO_VERIFY", "anyone may pose as the server"),
    ("97:8c:1b:f2:6f:14:6b:5c", "the fingerprint of the key that was retired in 2023"),
];

/// What can reach a reader: the README, the pages, and the sources that write sentences and remedies.
fn told() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    let mut folders = vec![root.join("checks"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["evidence", "tests", "target"].contains(&name.as_str()) {
                folders.push(path);
            } else if name.ends_with(".md") || name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn nothing_advises_what_has_become_wrong() {
    let files = told();
    let pages = files.iter().filter(|f| f.extension().is_some_and(|e| e == "md")).count();
    assert!(pages > bbdoctor_checks::ALL.len() && files.len() > 2 * pages, "{pages} pages, {} files", files.len());
    let mut given = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // In a source, an argument vector has its words apart.
        let plain = text.replace("\".into(), \"", " ").replace("\", \"", " ");
        for (advice, why) in WRONG {
            if plain.contains(advice) {
                given.push(format!("{}: {advice}: {why}", file.display()));
            }
        }
    }
    assert!(given.is_empty(), "{given:#?}");
}
