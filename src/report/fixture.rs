//! Reports for the tests of the renderers: a broken set-up with everything a report can hold, among it text that is awkward
//! in one form or another; a healthy one; and one that came to no verdict.

use indexmap::IndexMap;

use bbdoctor_checks::ALL;
use bbdoctor_checks::privacy::neutralise;
use bbdoctor_checks::remedy::Safety;

use super::remedy::{Action, Change, Edit};
use super::*;

/// Text that somebody else wrote, as a report holds it: neutralised, and otherwise as awkward as it was.
pub(crate) fn hostile() -> String {
    neutralise("Zoë's \"key\" <b>&amp; `id` $(id) | ]]> --> * _ [x](y) \u{202e}תפוח\u{1b}[31m 鍵 😀\nnext", 1000)
}

/// git fails: the accepted key is held back. It has a cause, what follows from it, a warning that does not, every kind of
/// remedy, keys, settings that lost, and a route that ends at the login.
pub(crate) fn broken() -> Report {
    let mut report = empty(
        VerdictStatus::Broken,
        "Because of IdentitiesOnly, ssh does not offer ~/.ssh/work key, the one key that the server accepts.",
    );
    let cause = FindingReport {
        subject: Some(Subject { kind: "file".into(), name: "~/.ssh/config".into(), line: Some(4) }),
        evidence: facts(&[("accepted key", "SHA256:uNiVztksCsDhcc0u9e8BrKXXNMVdnkYvPwGVkVWy4c8"), ("comment", &hostile())]),
        remedies: remedies(),
        ..finding("identities-only-excludes-key", Severity::Error, &report.verdict.summary)
    };
    report.verdict.root_cause = Some(RootCause {
        code: cause.code.clone(),
        check: CheckId::HostSettings,
        summary: cause.summary.clone(),
        confidence: cause.confidence,
        side: Side::ThisMachine,
    });
    report.verdict.next_step = cause.remedies.first().cloned();
    report.verdict.explains = vec!["authentication-failed".into()];
    report.verdict.also = vec!["known-hosts-retired-entry".into()];
    found(&mut report, CheckId::HostSettings, CheckStatus::Fail, cause);
    let failed = FindingReport {
        evidence: facts(&[("server said", &hostile())]),
        ..finding("authentication-failed", Severity::Error, "The server accepts none of the keys that ssh offers.")
    };
    found(&mut report, CheckId::Authentication, CheckStatus::Fail, failed);
    let retired = FindingReport {
        subject: Some(Subject { kind: "file".into(), name: "~/.ssh/known_hosts".into(), line: Some(2) }),
        remedies: vec![edit("drop-line", "Delete the line of the retired key.", Change::Replace(2), &[])],
        ..finding(
            "known-hosts-retired-entry",
            Severity::Warning,
            "~/.ssh/known_hosts line 2 still trusts the key that was retired in 2023.",
        )
    };
    found(&mut report, CheckId::KnownHosts, CheckStatus::Warn, retired);
    let blocked = check(&mut report, CheckId::RepositoryAccess);
    blocked.status = CheckStatus::Blocked;
    blocked.summary = "no key gets in, so the repository was not asked for".into();
    blocked.blocked_by = Some(CheckId::Authentication);
    let git = check(&mut report, CheckId::GitAgrees);
    git.status = CheckStatus::Fail;
    git.summary = "git fails: git@ssh.bitbucket.org: Permission denied (publickey).".into();
    report.identities = identities();
    report.settings = settings();
    report.timeline = steps(&[("resolve", 3.1), ("connect", 12.4), ("handshake", 40.0), ("keys", 95.5)]);
    report.timeline.push(Step { step: "git".into(), ms: 180.2, ok: false });
    report
}

/// git works, and there is one warning.
pub(crate) fn healthy() -> Report {
    let mut report = empty(VerdictStatus::Healthy, "git can fetch over SSH; there is 1 warning.");
    report.verdict.also = vec!["key-without-passphrase".into()];
    let open = FindingReport {
        subject: Some(Subject { kind: "file".into(), name: "~/.ssh/id_ed25519".into(), line: None }),
        remedies: vec![run("passphrase", "Give the key a passphrase.", &["ssh-keygen", "-p", "-f", "/home/zoe/.ssh/id_ed25519"])],
        ..finding(
            "key-without-passphrase",
            Severity::Warning,
            "~/.ssh/id_ed25519 has no passphrase: whoever copies the file can use it.",
        )
    };
    found(&mut report, CheckId::KeyFiles, CheckStatus::Warn, open);
    report.identities = identities().split_off(2);
    report.timeline = steps(&[("resolve", 3.1), ("connect", 12.4), ("handshake", 40.0), ("keys", 9.5), ("login", 20.0)]);
    report.timeline.extend(steps(&[("repository", 85.0), ("git", 310.0)]));
    report
}

/// Nothing was asked on the network, so nothing is known of the login.
pub(crate) fn inconclusive() -> Report {
    let mut report = empty(
        VerdictStatus::Inconclusive,
        "Could not find out whether git can fetch: name-resolution, connection, repository-access could not be examined.",
    );
    for id in [CheckId::NameResolution, CheckId::Connection] {
        let skipped = check(&mut report, id);
        skipped.status = CheckStatus::Skipped;
        skipped.summary = "needs the network, which --offline forbids".into();
    }
    let unknown = check(&mut report, CheckId::RepositoryAccess);
    unknown.status = CheckStatus::Unknown;
    unknown.summary = "not finished when the budget of 20 s was spent".into();
    check(&mut report, CheckId::GitAgrees).status = CheckStatus::NotApplicable;
    report
}

fn empty(status: VerdictStatus, summary: &str) -> Report {
    let tool = |path: &str, version: &str, kind: Option<&str>| {
        Some(Tool { path: path.into(), version: Some(version.into()), kind: kind.map(String::from) })
    };
    let url = "git@ssh.bitbucket.org:acme/app.git";
    Report {
        schema: SCHEMA,
        bbdoctor: Program { version: "0.1.0".into(), libssh2: "1.11.1".into() },
        started_at: "2026-11-22T20:00:00Z".into(),
        duration_ms: 412,
        machine: Machine {
            os: "linux".into(),
            system: "Debian GNU/Linux 12 (bookworm)".into(),
            git: tool("/usr/bin/git", "git version 2.39.5", None),
            ssh: tool("/usr/bin/ssh", "OpenSSH_9.2p1 Debian-2+deb12u5", Some("openssh")),
            terminal: false,
            ci: Some("bitbucket-pipelines".into()),
        },
        target: Target {
            given: Some("origin".into()),
            url: Some("git@bitbucket.org:acme/app.git".into()),
            effective_url: Some(url.into()),
            host: Some("ssh.bitbucket.org".into()),
            hostname: Some("ssh.bitbucket.org".into()),
            port: Some(22),
            user: Some("git".into()),
            repository: Some("acme/app".into()),
            service: Some("bitbucket-cloud".into()),
            operation: Operation::Fetch,
        },
        verdict: Judgement {
            status,
            summary: summary.into(),
            root_cause: None,
            explains: Vec::new(),
            also: Vec::new(),
            transient: false,
            next_step: None,
        },
        checks: ALL
            .iter()
            .map(|check| CheckReport {
                id: check.meta().id,
                title: check.meta().title.into(),
                status: CheckStatus::Pass,
                summary: "nothing is wrong".into(),
                blocked_by: None,
                duration_ms: 3,
                findings: Vec::new(),
            })
            .collect(),
        identities: Vec::new(),
        settings: Vec::new(),
        timeline: Vec::new(),
        footprint: Footprint {
            connections: vec![Connection { to: "ssh.bitbucket.org:22".into(), count: 1 }],
            programs: vec!["/usr/bin/ssh -G git@ssh.bitbucket.org".into(), "/usr/bin/git ls-remote -- origin".into()],
            files_written: 0,
        },
        redacted: false,
        quotations_left_out: false,
    }
}

fn check(report: &mut Report, id: CheckId) -> &mut CheckReport {
    report.checks.iter_mut().find(|c| c.id == id).expect("the id of a check")
}

fn found(report: &mut Report, id: CheckId, status: CheckStatus, finding: FindingReport) {
    let check = check(report, id);
    check.status = status;
    check.summary = "1 finding".into();
    check.findings.push(finding);
}

fn finding(code: &str, severity: Severity, summary: &str) -> FindingReport {
    FindingReport {
        code: code.into(),
        severity,
        blocking: severity == Severity::Error,
        confidence: Confidence::Proven,
        summary: summary.into(),
        subject: None,
        evidence: IndexMap::new(),
        remedies: Vec::new(),
    }
}

fn facts(facts: &[(&str, &str)]) -> IndexMap<String, String> {
    facts.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn remedies() -> Vec<Remedy> {
    let lines = ["Host ssh.bitbucket.org", "    IdentityFile \"~/.ssh/work key\"", "    IdentitiesOnly yes"];
    let published = "ssh.bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO";
    vec![
        edit("identity-file", "Make ssh offer this key to this host.", Change::Prepend, &lines),
        edit("replace-line", "Write no in place of yes.", Change::Replace(4), &["    IdentitiesOnly no"]),
        edit("delete-line", "Delete the line.", Change::Replace(4), &[]),
        edit("know-name", "Add the published key.", Change::Append, &[published]),
        run("add", "Load the key into the agent.", &["ssh-add", "--", "/home/zoe/.ssh/work key", "it's `id` $HOME!", "-x", "~/ü*"]),
        Remedy {
            action: Action::Visit("https://bitbucket.org/account/settings/ssh-keys/?a=1&b=2".into()),
            ..ask("register", "Add the public key of another key pair to your account.")
        },
        ask("administrator", "Ask an administrator of the workspace acme for access."),
    ]
}

fn ask(id: &str, summary: &str) -> Remedy {
    Remedy { id: id.into(), summary: summary.into(), action: Action::Ask, safety: Safety::Manual }
}

fn run(id: &str, summary: &str, argv: &[&str]) -> Remedy {
    let argv = argv.iter().map(|a| a.to_string()).collect();
    Remedy { action: Action::Run(argv), safety: Safety::Safe, ..ask(id, summary) }
}

fn edit(id: &str, summary: &str, change: Change, lines: &[&str]) -> Remedy {
    let file = if ["know-name", "drop-line"].contains(&id) { "/home/zoe/.ssh/known_hosts" } else { "/home/zoe/.ssh/config" };
    let lines = lines.iter().map(|l| l.to_string()).collect();
    let edit = Edit { file: file.into(), change, lines };
    Remedy { action: Action::Edit(edit), safety: Safety::Confirm, ..ask(id, summary) }
}

/// A key that ssh offers and the server refuses.
pub(crate) fn key() -> Identity {
    identities().remove(0)
}

fn identities() -> Vec<Identity> {
    let key = |order, source: FoundIn, name: &str, algorithm: &str, bits, print: &str| Identity {
        order,
        source,
        name: name.into(),
        algorithm: Some(algorithm.into()),
        bits: Some(bits),
        fingerprint: Some(format!("SHA256:{print}")),
        offered: order.is_some(),
        why: None,
        server: KeyStanding::Refused,
    };
    let why = |why: &str| Some(why.to_string());
    vec![
        key(Some(1), FoundIn::Agent, &hostile(), "ssh-rsa", 3072, "zzXQOXSRBEiUtuE8AikJYKwbHaxvSc0ojez9YXaGp1A"),
        Identity {
            server: KeyStanding::Unknown,
            algorithm: None,
            bits: None,
            fingerprint: None,
            offered: false,
            why: why("there is no such file"),
            ..key(Some(2), FoundIn::File, "~/.ssh/id_rsa", "", 0, "")
        },
        Identity {
            server: KeyStanding::Accepted,
            why: why("IdentitiesOnly yes (~/.ssh/config line 4)"),
            ..key(None, FoundIn::File, "~/.ssh/work key", "ssh-ed25519", 256, "uNiVztksCsDhcc0u9e8BrKXXNMVdnkYvPwGVkVWy4c8")
        },
    ]
}

fn settings() -> Vec<Setting> {
    let place = |file: &str, line| Some(Place { file: file.into(), line });
    vec![
        Setting {
            keyword: "identitiesonly".into(),
            value: "yes".into(),
            source: place("~/.ssh/config", 4),
            overrides: vec![
                Loser { file: "~/.ssh/config".into(), line: 9, value: "no".into() },
                Loser { file: "/etc/ssh/ssh_config".into(), line: 50, value: hostile() },
            ],
        },
        Setting { keyword: "user".into(), value: "git".into(), source: None, overrides: Vec::new() },
    ]
}

fn steps(steps: &[(&str, f64)]) -> Vec<Step> {
    steps.iter().map(|(step, ms)| Step { step: step.to_string(), ms: *ms, ok: true }).collect()
}

#[test]
fn the_fixtures_are_valid_reports() {
    let schema = serde_json::from_str(&json::schema().unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for report in [broken(), healthy(), inconclusive()] {
        let errors: Vec<_> = schema.iter_errors(&serde_json::to_value(&report).unwrap()).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(report.cause().is_some(), report.verdict.status == VerdictStatus::Broken);
    }
}
