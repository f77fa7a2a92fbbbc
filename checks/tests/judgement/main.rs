//! The checks asked about facts that are made up: no network, no files, no programs, so this runs on every system.
//!
//! A row is a change to facts of a set-up that works, and the codes a check is to find then.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::use_debug, reason = "tests")]

mod facts;

use std::path::PathBuf;

use bbdoctor_checks::ALL;
use bbdoctor_checks::facts::Facts;
use bbdoctor_checks::facts::agent::{AgentError, AgentKey};
use bbdoctor_checks::facts::alternates::Alternate;
use bbdoctor_checks::facts::connection::ConnectOutcome;
use bbdoctor_checks::facts::control::{Control, Unusable};
use bbdoctor_checks::facts::files::Access;
use bbdoctor_checks::facts::git_run::GitRun;
use bbdoctor_checks::facts::keyring::{AgentSocket, Holder, Keyring};
use bbdoctor_checks::facts::keys::Keys;
use bbdoctor_checks::facts::ssh_command::{Client, ClientKind, NotRunnable, Started};
use bbdoctor_checks::facts::ssh_config::{Evaluation, Position, Problem, ProblemKind};
use bbdoctor_checks::unavailable::Unavailable;
use facts::{cloud, set, unreached};

/// What a check finds: the names of its codes, with `!` after those that block; or why it does not look.
fn found(check: &str, facts: &Facts) -> Vec<String> {
    let check = ALL.iter().find(|each| each.meta().id.name() == check).unwrap_or_else(|| panic!("no check {check}"));
    match check.run(facts) {
        Ok(found) => {
            let name = |finding: &bbdoctor_checks::finding::Finding| {
                format!("{}{}", finding.code.name(), if finding.blocking { "!" } else { "" })
            };
            found.findings.iter().map(name).collect()
        }
        Err(Unavailable::Blocked { by, .. }) => vec![format!("blocked by {}", by.name())],
        Err(Unavailable::Unknown { .. }) => vec!["unknown".into()],
        Err(Unavailable::Skipped { .. }) => vec!["skipped".into()],
        Err(Unavailable::NotApplicable { .. }) => vec!["not applicable".into()],
    }
}

/// A row of a table: what is the case, how the facts change, what is found.
type Row = (&'static str, fn(&mut Facts), &'static [&'static str]);

fn table(check: &str, rows: &[Row]) {
    for (what, change, expected) in rows {
        let mut facts = cloud("git@ssh.bitbucket.org:acme/app.git");
        change(&mut facts);
        assert_eq!(found(check, &facts), *expected, "{check}: {what}");
    }
}

#[test]
fn account() {
    table(
        "account",
        &[
            ("an account as any other", |_| {}, &[]),
            ("no line in the password database", |facts| facts.account.entry = None, &["no-passwd-entry!"]),
            ("started by sudo", |facts| facts.account.sudo_user = Some("alice".into()), &["running-as-other-user"]),
        ],
    );
}

#[test]
fn tools() {
    fn client(facts: &mut Facts, path: Result<PathBuf, NotRunnable>) {
        facts.ssh_command.client = Some(Client { word: "ssh".into(), path, kind: ClientKind::OpenSsh });
    }
    table(
        "tools",
        &[
            ("OpenSSH of today", |_| {}, &[]),
            ("no git", |facts| facts.git = None, &["git-not-found"]),
            ("no ssh", |facts| client(facts, Err(NotRunnable::Missing)), &["ssh-not-found!"]),
            (
                "ssh does not start",
                |facts| {
                    let said = "ssh: symbol lookup error".into();
                    facts.ssh_command.started = Started::Broken { said, code: Some(127), signal: None };
                },
                &["ssh-broken!"],
            ),
            (
                "before rsa-sha2",
                |facts| facts.ssh_command.started = Started::Runs { text: "OpenSSH_6.6.1p1".into(), openssh: Some(606) },
                &["ssh-outdated"],
            ),
        ],
    );
}

#[test]
fn name_resolution() {
    table(
        "name-resolution",
        &[
            ("a public address", |_| {}, &[]),
            ("a private address", |facts| facts.resolution = Ok(Ok(vec!["10.0.0.1:22".parse().unwrap()])), &["dns-suspicious"]),
            ("a line of the hosts file", |facts| facts.hosts_file_line = Some(3), &["dns-suspicious"]),
            ("ssh's configuration is not known", |facts| facts.settings = Err(facts::unknown()), &["unknown"]),
        ],
    );
}

#[test]
fn connection() {
    table(
        "connection",
        &[
            ("refused", |facts| unreached(facts, ConnectOutcome::Refused), &["port-refused!"]),
            ("no answer", |facts| unreached(facts, ConnectOutcome::TimedOut), &["port-blocked!"]),
            ("no route", |facts| unreached(facts, ConnectOutcome::NetworkUnreachable), &["network-unreachable!"]),
            ("forbidden here", |facts| unreached(facts, ConnectOutcome::DeniedLocally), &["connect-denied-locally!"]),
            (
                "refused, and SSH answers on the port of HTTPS",
                |facts| {
                    unreached(facts, ConnectOutcome::Refused);
                    let identification = Some("SSH-2.0-conker_1".into());
                    facts.alternates = vec![Alternate { host: "altssh.bitbucket.org".into(), port: 443, identification }];
                },
                &["port-refused!", "alternate-port-open"],
            ),
            ("the network was not used", |facts| facts.conversation = Err(facts::skipped()), &["skipped"]),
        ],
    );
}

#[test]
fn what_stands_behind_a_network_that_fails_is_blocked_by_it() {
    for check in ["handshake", "fingerprint-matches-remote", "authentication", "repository-access"] {
        let mut facts = cloud("git@ssh.bitbucket.org:acme/app.git");
        unreached(&mut facts, ConnectOutcome::Refused);
        assert_eq!(found(check, &facts), ["blocked by connection"], "{check}");
    }
}

#[test]
fn remote_url() {
    for (url, expected) in [
        ("git@ssh.bitbucket.org:acme/app.git", &[][..]),
        ("ssh://git@ssh.bitbucket.org/acme/app.git", &[]),
        ("git@git.example.com:acme/app.git", &["url-not-bitbucket"]),
    ] {
        assert_eq!(found("remote-url", &cloud(url)), expected, "{url}");
    }
    table("remote-url", &[("another user, whom the server refuses", |facts| set(facts, "user", "alice"), &["user-not-git"])]);
}

#[test]
fn host_settings() {
    table(
        "host-settings",
        &[
            ("nothing is set", |_| {}, &[]),
            ("no public keys", |facts| set(facts, "pubkeyauthentication", "no"), &["publickey-disabled!"]),
            ("no standard input", |facts| set(facts, "stdinnull", "yes"), &["session-option-breaks-git!"]),
            ("a session without a command", |facts| set(facts, "sessiontype", "none"), &["session-option-breaks-git!"]),
            ("any host key will do", |facts| set(facts, "stricthostkeychecking", "no"), &["host-key-checking-disabled"]),
            (
                "a master that says nothing",
                |facts| facts.control = Control::Unusable("/home/dev/.ssh/master".into(), Unusable::MasterSilent),
                &["control-path-unusable!"],
            ),
        ],
    );
}

/// ssh stops at line 2 of its configuration.
fn stops(facts: &mut Facts, kind: ProblemKind) {
    let position = Some(Position { file: "/home/dev/.ssh/config".into(), line: 2 });
    let (text, message) = ("Colour".into(), "line 2: Bad configuration option: colour".into());
    let problems = vec![Problem { kind, position, columns: None, text, message }];
    facts.reading = Ok(Evaluation { problems, ..Evaluation::default() });
}

#[test]
fn config_syntax() {
    table(
        "config-syntax",
        &[
            ("ssh reads it", |facts| facts.reading = Ok(Evaluation::default()), &[]),
            ("an option without a value", |facts| stops(facts, ProblemKind::MissingArgument), &["config-missing-argument!"]),
            ("it was not read", |facts| facts.reading = Err(facts::unknown()), &["unknown"]),
        ],
    );
}

#[test]
fn config_permissions() {
    table(
        "config-permissions",
        &[
            ("ssh reads it", |facts| facts.reading = Ok(Evaluation::default()), &[]),
            (
                "everybody may write it",
                |facts| stops(facts, ProblemKind::PermissionsTooOpen(Access { uid: 1000, gid: 1000, mode: 0o666 })),
                &["config-permissions-too-open!"],
            ),
            (
                "it is somebody else's",
                |facts| stops(facts, ProblemKind::WrongOwner(Access { uid: 1001, gid: 1001, mode: 0o644 })),
                &["config-wrong-owner!"],
            ),
            ("a fault of the text is another check's", |facts| stops(facts, ProblemKind::MissingArgument), &[]),
        ],
    );
}

#[test]
fn agent_has_key() {
    fn agent(facts: &mut Facts, keys: Result<Vec<AgentKey>, AgentError>, locked: bool) {
        let socket = AgentSocket::Path("/home/dev/agent.sock".into());
        facts.keyring = Ok(Keyring { used: Some(Holder { socket, keys, locked }), usual: None });
    }
    // No key needs the agent here, so nothing is more than a remark.
    table(
        "agent-has-key",
        &[
            ("ssh is told to ask none", |facts| facts.keyring = Ok(Keyring { used: None, usual: None }), &["not applicable"]),
            ("it holds nothing", |facts| agent(facts, Ok(Vec::new()), false), &["agent-empty"]),
            ("it is locked", |facts| agent(facts, Ok(Vec::new()), true), &["agent-locked"]),
            ("nobody listens", |facts| agent(facts, Err(AgentError::Refused), false), &["agent-unreachable"]),
            (
                "what answers is no agent",
                |facts| agent(facts, Err(AgentError::Protocol("HTTP".into())), false),
                &["agent-protocol-error"],
            ),
        ],
    );
}

#[test]
fn key_files() {
    table(
        "key-files",
        &[
            ("no key anywhere, and no login that it stops", |facts| facts.keys = Ok(Keys::default()), &["no-key"]),
            ("the settings are not known", |facts| facts.keys = Err(facts::unknown()), &["unknown"]),
        ],
    );
}

#[test]
fn git_agrees() {
    table(
        "git-agrees",
        &[
            ("git works", |_| {}, &[]),
            (
                "git fails, and nobody knows why",
                |facts| facts.git_run = Ok(GitRun { works: false, code: Some(128), ..GitRun::default() }),
                &["git-fails-unexplained!"],
            ),
            ("git was not run", |facts| facts.git_run = Err(facts::skipped()), &["skipped"]),
        ],
    );
}

#[test]
fn every_check_answers_the_same_to_the_same_facts() {
    let facts = cloud("git@ssh.bitbucket.org:acme/app.git");
    for check in ALL {
        let name = check.meta().id.name();
        assert_eq!(found(name, &facts), found(name, &facts), "{name}");
    }
}
