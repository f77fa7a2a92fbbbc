//! What the evaluation says beside the values, and the rules for files, asked of the installed ssh where it can be asked.

use bbdoctor_checks::facts::ssh_config::Evaluation;
use bbdoctor_checks::facts::ssh_config::SecondOpinion;
use bbdoctor_checks::facts::ssh_config::{ConfigFile, ExecPolicy, Question};
use bbdoctor_checks::facts::ssh_config::{EncodingFault, ExpandError, FileOutcome, FileRole, NoteKind, ProblemKind, UndecidedExec};
use bbdoctor_checks::facts::ssh_config::{Keyword, KnownTo, Position, SettingSource, SshTraits};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::effective::{Shell, program};
use super::second_opinion::second_opinion;
use super::*;
use crate::machine::account;
use bbdoctor_checks::facts::account::{Account, PasswordEntry};
use bbdoctor_checks::facts::environment::Environment;

/// A home folder with configuration files, and who lives there.
struct Home {
    folder: tempfile::TempDir,
    account: Account,
    environment: Environment,
    ssh: SshTraits,
}

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".ssh")).expect("a folder");
        let uid = nix::unistd::getuid().as_raw();
        let home = folder.path().to_path_buf();
        let account = Account {
            uid,
            entry: Some(PasswordEntry { name: "ann".into(), home: home.clone() }),
            home_variable: Some(home),
            sudo_user: None,
            sudo_home: None,
            owners: std::collections::BTreeMap::new(),
            machine_name: "box".into(),
        };
        let out = Home { folder, account, environment: Environment::default(), ssh: SshTraits::default() };
        out.write(".ssh/config", config);
        out
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("written");
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    fn question(&self, host: &str) -> Question<'_> {
        Question {
            user: Some("git".into()),
            system_file: self.path("ssh_config"),
            command: Some("git-upload-pack 'a/b.git'".into()),
            ..Question::new(host, &self.account, &self.environment, &self.ssh)
        }
    }

    fn ask(&self, host: &str) -> Evaluation {
        evaluate(&self.question(host))
    }

    fn at(&self, name: &str, line: usize) -> Position {
        Position { file: self.path(name), line }
    }
}

fn kinds(evaluation: &Evaluation) -> Vec<&ProblemKind> {
    evaluation.problems.iter().map(|p| &p.kind).collect()
}

#[test]
fn the_user_file_comes_before_the_system_file_and_losers_are_named() {
    let home = Home::new("Host bb\n Port 443\n Port 22\n User x\nHost *\n Port 7999\n IdentityFile ~/k\n");
    home.write("ssh_config", "Port 1\nHashKnownHosts yes\nIdentityFile /sys\n");
    let own = home.ask("bb");
    assert_eq!((own.value("port"), own.source("port")), (Some("443"), Some(&SettingSource::File(home.at(".ssh/config", 2)))));
    let lost: Vec<_> =
        own.losers("port").iter().map(|l| (l.source.position().cloned().expect("a line"), l.value.as_str())).collect();
    assert_eq!(lost, [(home.at(".ssh/config", 3), "22"), (home.at(".ssh/config", 6), "7999"), (home.at("ssh_config", 1), "1")]);
    assert_eq!((own.value("user"), own.source("user")), (Some("git"), Some(&SettingSource::CommandLine)));
    assert_eq!(own.losers("user")[0].value, "x");
    assert_eq!(own.source("hashknownhosts"), Some(&SettingSource::File(home.at("ssh_config", 2))));
    assert_eq!(own.values("identityfile"), ["~/k", "/sys"]);
    assert_eq!(own.identity_files.iter().map(|i| i.user_provided).collect::<Vec<_>>(), [true, false]);
    assert_eq!(
        own.files.iter().map(|f| (f.role, f.outcome)).collect::<Vec<_>>(),
        [(FileRole::User, FileOutcome::Read), (FileRole::System, FileOutcome::Read)]
    );
}

#[test]
fn without_files_the_defaults_are_complete() {
    let home = Home::new("");
    std::fs::remove_file(home.path(".ssh/config")).expect("removed");
    let own = home.ask("bitbucket.org");
    assert!(own.problems.is_empty() && own.notes.is_empty());
    assert_eq!(own.value("port"), Some("22"));
    assert_eq!(own.value("stricthostkeychecking"), Some("ask"));
    assert_eq!(own.value("globalknownhostsfile"), Some("/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"));
    let known = home.path(".ssh/known_hosts").display().to_string();
    assert_eq!(own.value("userknownhostsfile"), Some(format!("{known} {known}2").as_str()));
    assert_eq!(own.values("identityfile").len(), 7);
    assert!(own.identity_files.iter().all(|i| i.source == SettingSource::Default && !i.user_provided));
    assert_eq!((own.value("hostname"), own.value("identityagent")), (Some("bitbucket.org"), None));
    assert!(own.files.iter().all(|f| f.outcome == FileOutcome::Missing));
}

#[test]
fn bad_lines_are_told_apart() {
    let home = Home::new(
        "IdentityFiles x\nUseKeychain yes\nUser\nPort abc\nIdentityFile a b\nUser \"a\nMatch hots x\nPermitRootLogin no\nUser\u{a0}x\nTag\u{200b} x\n",
    );
    let own = home.ask("bb");
    let found = kinds(&own);
    assert_eq!(found[0], &ProblemKind::UnknownKeyword { did_you_mean: Keyword::named("IdentityFile"), known_to: None });
    assert_eq!(found[1], &ProblemKind::UnknownKeyword { did_you_mean: None, known_to: Some(KnownTo::Apple) });
    assert_eq!(
        found[2..6],
        [&ProblemKind::MissingArgument, &ProblemKind::BadValue, &ProblemKind::ExtraArgument, &ProblemKind::UnbalancedQuote]
    );
    assert_eq!(found[6], &ProblemKind::BadMatch { detail: "Unsupported Match attribute hots".into() });
    assert!(matches!(found[7], ProblemKind::UnknownKeyword { known_to: Some(KnownTo::SshdConfig), .. }));
    assert_eq!(found[8..], [&ProblemKind::Encoding(EncodingFault::NoBreakSpace), &ProblemKind::Encoding(EncodingFault::Invisible)]);
    assert_eq!((own.problems[4].columns.clone(), own.problems[4].text.as_str()), (Some(15..16), "b"));
    let file = home.path(".ssh/config");
    assert_eq!(own.problems[3].message, format!("{} line 4: Bad port 'abc'.", file.display()));
    assert!(own.settings().next().is_none(), "ssh stops: there are no values");
}

#[test]
fn marks_of_other_encodings_are_recognised() {
    let home = Home::new("");
    home.write(".ssh/config", b"\xef\xbb\xbfHost bb\n Port 1\n");
    assert_eq!(kinds(&home.ask("bb")), [&ProblemKind::Encoding(EncodingFault::ByteOrderMark)]);
    let utf16: Vec<u8> = "\u{feff}Host bb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    home.write(".ssh/config", utf16);
    assert!(home.ask("bb").problems.iter().all(|p| p.kind == ProblemKind::Encoding(EncodingFault::Utf16)));
    home.write(".ssh/config", "IdentityFile \u{201c}~/x\u{201d}\nUser \u{fffd}\n");
    let own = home.ask("bb");
    assert!(own.problems.is_empty());
    assert!(own.notes.iter().any(|n| n.kind == NoteKind::EncodingInValue(EncodingFault::CurlyQuote)));
    home.write(".ssh/config", b"IdentityFile /\xff\n");
    assert!(home.ask("bb").notes.iter().any(|n| n.kind == NoteKind::NotUtf8));
}

#[test]
fn notes_say_what_surprises() {
    let home = Home::new(
        "IdentityFile ~/all\nCompression yes\nHost bb\n Include nothing*\n Protocol 2\nMatch host nope\n IdentityFile ~/work\nMatch exec \"onVPN %h\"\n Port 1\nIgnoreUnknown Foo*\nMatch all\n",
    );
    let own = home.ask("bb");
    let has = |kind: &dyn Fn(&NoteKind) -> bool, line| {
        own.notes.iter().any(|n| kind(&n.kind) && n.position == home.at(".ssh/config", line))
    };
    assert!(has(&|k| *k == NoteKind::OptionBeforeFirstHost { keyword: "identityfile".into(), blocks_follow: true }, 1));
    assert!(has(&|k| matches!(k, NoteKind::IncludeMatchesNothing { pattern } if pattern.ends_with("/.ssh/nothing*")), 4));
    assert!(has(&|k| matches!(k, NoteKind::IncludeInsideBlock { block } if block.line == 3), 4));
    assert!(has(&|k| *k == NoteKind::KeywordIgnored, 5));
    assert!(has(&|k| matches!(k, NoteKind::KeyInInactiveMatch { block } if block.line == 6), 7));
    assert!(!own.notes.iter().any(|n| n.text == "yes"), "Compression for all hosts is nothing to remark on");
    assert_eq!(own.undecided, [UndecidedExec { position: home.at(".ssh/config", 8), command: "onVPN bb".into() }]);
    let assumed = evaluate(&Question { exec: ExecPolicy::AssumeTrue, ..home.question("bb") });
    assert_eq!((own.value("port"), assumed.value("port")), (Some("22"), Some("1")));
}

#[test]
fn host_patterns_are_listed_with_their_fate() {
    let home = Home::new("Host Bitbucket.org b,c\n User x\nHost * !bitbucket.org\n Port 1\nHost bitbucket.*\n Port 2\n");
    let own = home.ask("bitbucket.org");
    let seen: Vec<_> =
        own.host_patterns.iter().map(|p| (p.pattern.as_str(), p.negated, p.position.line, p.fits, p.active)).collect();
    assert_eq!(
        seen,
        [
            ("Bitbucket.org", false, 1, false, false),
            ("b,c", false, 1, false, false),
            ("*", false, 3, true, false),
            ("bitbucket.org", true, 3, true, false),
            ("bitbucket.*", false, 5, true, true)
        ]
    );
    assert_eq!(own.value("port"), Some("2"));
}

#[test]
fn a_final_pass_meets_the_resolved_name() {
    let home = Home::new("Host bb\n HostName Bitbucket.org\nHost bitbucket.org\n Port 443\n");
    home.write("ssh_config", "Match final all\n Compression yes\n");
    let own = home.ask("bb");
    assert!(own.final_pass);
    assert_eq!(
        (own.value("hostname"), own.value("port"), own.value("compression")),
        (Some("bitbucket.org"), Some("443"), Some("yes"))
    );
    assert_eq!(own.source("hostname"), Some(&SettingSource::File(home.at(".ssh/config", 2))));
    assert!(own.losers("hostname").is_empty(), "the winning line, read again, lost nothing");
}

#[test]
fn files_are_judged_as_ssh_judges_them() {
    let home = Home::new("Port 1\n");
    let config = home.path(".ssh/config");
    let mode = |mode| std::fs::set_permissions(&config, std::fs::Permissions::from_mode(mode)).expect("a mode");
    for fine in [0o600, 0o644, 0o755] {
        mode(fine);
        assert_eq!(home.ask("bb").value("port"), Some("1"));
    }
    mode(0o666);
    let own = home.ask("bb");
    assert!(matches!(kinds(&own)[..], [ProblemKind::PermissionsTooOpen(access)] if access.mode == 0o666));
    assert_eq!(own.problems[0].message, format!("Bad owner or permissions on {}", config.display()));
    let given = evaluate(&Question { config_file: ConfigFile::File(config.clone()), ..home.question("bb") });
    assert_eq!(given.value("port"), Some("1"), "-F is not judged");
    std::fs::remove_file(&config).expect("removed");
    std::fs::create_dir(&config).expect("a folder");
    assert_eq!(home.ask("bb").files[0].outcome, FileOutcome::Folder);
}

#[test]
fn included_files_are_judged_as_the_installed_ssh_judges_them() {
    let mut home = Home::new("");
    home.ssh = examine(Path::new("ssh"), Instant::now() + Duration::from_secs(20)).expect("an ssh");
    let environment = crate::machine::environment::capture();
    home.account = account::read(&environment);
    home.write("inner", "Port 1\n");
    let (outer, inner) = (home.path("outer"), home.path("inner"));
    home.write("outer", format!("Include {}\n", inner.display()));
    let root = home.account.uid == 0;
    for owner in if root { vec![0, 2000] } else { vec![home.account.uid] } {
        if root {
            std::os::unix::fs::chown(&inner, Some(owner), Some(owner)).expect("an owner");
        }
        for mode in [0o600, 0o644, 0o620, 0o602, 0o664, 0o666, 0o400, 0o777] {
            std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let question = Question { config_file: ConfigFile::File(outer.clone()), ..home.question("bb") };
            let own = evaluate(&question);
            let heard =
                program(Path::new("ssh"), &question, Shell::False).run(Instant::now() + Duration::from_secs(10)).expect("runs");
            assert_eq!(
                own.problems.is_empty(),
                heard.success(),
                "owner {owner} mode {mode:o}: {:?} {}",
                own.problems,
                heard.stderr_text()
            );
            for problem in &own.problems {
                assert!(heard.stderr_text().contains(&problem.message), "{problem:?}");
            }
        }
    }
}

#[test]
fn loops_end_and_links_to_nowhere_are_silent() {
    let home = Home::new("Include config\n");
    assert_eq!(kinds(&home.ask("bb")), [&ProblemKind::IncludeTooDeep { is_loop: true }]);
    home.write(".ssh/config", "Include a\nPort 5\n");
    symlink("nowhere", home.path(".ssh/a")).expect("a link");
    let own = home.ask("bb");
    assert_eq!((own.problems.len(), own.value("port")), (0, Some("5")));
    // Two includes in each of sixteen files would be read 65,536 times.
    for n in 0..16 {
        home.write(&format!(".ssh/f{n}"), format!("Include f{m}\nInclude f{m}\n", m = n + 1));
    }
    home.write(".ssh/config", "Include f0\n");
    home.write(".ssh/f16", "");
    assert!(!home.ask("bb").problems.is_empty());
}

#[test]
fn the_command_line_wins_and_its_faults_are_told() {
    let home = Home::new("Port 1\nUser x\nIdentityFile ~/c\n");
    home.write("key", "");
    let mut question = home.question("bb");
    question.port = Some(443);
    question.options = vec!["IdentitiesOnly=yes".into(), "User=opt".into()];
    question.identity_files = vec![home.path("key").display().to_string(), "/nonexistent".into()];
    let own = evaluate(&question);
    assert_eq!((own.value("port"), own.value("user")), (Some("443"), Some("opt")));
    assert_eq!((own.is_on("identitiesonly"), own.source("identitiesonly")), (true, Some(&SettingSource::CommandLine)));
    assert_eq!(own.values("identityfile"), [home.path("key").display().to_string().as_str(), "~/c"]);
    question.options = vec!["Prot=1".into()];
    let own = evaluate(&question);
    assert_eq!(own.problems[0].message, "command-line: line 0: Bad configuration option: prot");
    question.options.clear();
    question.config_file = ConfigFile::File(home.path("none such"));
    assert_eq!(kinds(&evaluate(&question)), [&ProblemKind::FileMissing]);
}

#[test]
fn what_ssh_refuses_at_the_end_is_placed() {
    let home = Home::new("HostName %n\n");
    let own = home.ask("bb");
    assert_eq!(kinds(&own), [&ProblemKind::ExpansionFailed(ExpandError::UnknownToken('n'))]);
    assert_eq!(own.problems[0].position, Some(home.at(".ssh/config", 1)));
    home.write(".ssh/config", "RemoteCommand tmux\n");
    assert_eq!(kinds(&home.ask("bb")), [&ProblemKind::Refused]);
    home.write(".ssh/config", "UserKnownHostsFile ${NOPE}/x\n");
    assert_eq!(kinds(&home.ask("bb")), [&ProblemKind::ExpansionFailed(ExpandError::UnsetVariable("NOPE".into()))]);
    let nobody = Account { entry: None, ..home.account.clone() };
    assert_eq!(kinds(&evaluate(&Question { account: &nobody, ..home.question("bb") })), [&ProblemKind::NoAccount]);
}

#[test]
fn hostile_files_neither_panic_nor_hang() {
    let home = Home::new("");
    const SIGNS: &[u8] = b"\"'\\%$={}[]#!,*\0\n \xff";
    let mut state = 88_172_645_463_325_252u64;
    for round in 0..300 {
        let mut text =
            b"Host a\nUser \"b c\" # d\nMatch host x exec \"y %h\"\nInclude *\nProxyJump a,b:1\nPort=22\nSetEnv A=1\n".to_vec();
        for _ in 0..20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 20) as usize % text.len();
            if round % 2 == 0 {
                text[at] = (state >> 50) as u8
            } else {
                text.insert(at, SIGNS[(state >> 50) as usize % SIGNS.len()])
            }
        }
        home.write(".ssh/config", text);
        let _ = home.ask("a");
    }
    home.write(".ssh/config", "Host ".to_string() + &"*a".repeat(500_000) + "\nUser " + &"x".repeat(1_000_000));
    let _ = home.ask(&"a".repeat(200));
    // Each of these would take minutes if every line were compared with all before it.
    let _watchdog = bbdoctor_test_support::watchdog();
    for line in
        ["Port 1\n", "Host a\n", "x y\n", "Port nope\n", "Match exec x\n", "LocalForward {n} a:1\n", "Protocol 1\nMatch final\n"]
    {
        let mut text = String::new();
        for n in 1..=25_000 {
            text.push_str(&line.replace("{n}", &n.to_string()));
        }
        home.write(".ssh/config", text);
        let _ = home.ask("a");
    }
    home.write(".ssh/config", "SetEnv".to_string() + &(0..50_000).map(|n| format!(" A{n}=1")).collect::<String>());
    let _ = home.ask("a");
}

#[test]
fn tools_on_ssh2_config_may_read_something_else() {
    let opinion = |config: &str| {
        let home = Home::new(config);
        let question = home.question("bb");
        second_opinion(&home.path(".ssh/config"), &evaluate(&question), &question)
    };
    assert_eq!(opinion("Host bb\n HostName bitbucket.org\n IdentityFile ~/k\n Port 443\n"), Some(SecondOpinion::Same));
    assert!(matches!(opinion("Match host bb\n Port 443\n"), Some(SecondOpinion::Rejects(_))));
    match opinion("Host bb\n Port 443\n Port 22\n") {
        Some(SecondOpinion::Differs(differences)) => {
            assert_eq!((differences[0].keyword.slot(), differences[0].other.clone()), ("port", vec!["22".into()]))
        }
        other => panic!("the last value wins there: {other:?}"),
    }
    assert_eq!(opinion("Prot 1\n"), None);
    assert_eq!(opinion("Include x\n"), None);
}
