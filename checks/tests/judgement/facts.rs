//! Facts of a set-up that works, as far as the tables here ask.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use bbdoctor_checks::bitbucket::Services;
use bbdoctor_checks::facts::account::{Account, PasswordEntry};
use bbdoctor_checks::facts::connection::{Attempt, ConnectOutcome};
use bbdoctor_checks::facts::conversation::Conversation;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::{Discovery, GitConfig};
use bbdoctor_checks::facts::git_run::GitRun;
use bbdoctor_checks::facts::git_url;
use bbdoctor_checks::facts::machine::{Machine, System};
use bbdoctor_checks::facts::paths::{At, Paths};
use bbdoctor_checks::facts::route::RouteFailure;
use bbdoctor_checks::facts::settings::{Authority, Settings};
use bbdoctor_checks::facts::ssh_command::{Client, ClientKind, GitProgram, SshCommand, Started};
use bbdoctor_checks::facts::ssh_config::{Setting, SettingSource, SshTraits, Value};
use bbdoctor_checks::facts::target::Target;
use bbdoctor_checks::facts::{Clock, Facts, Found, Operation, Request};
use bbdoctor_checks::unavailable::Unavailable;

const ADDRESS: &str = "104.192.141.1:22";

/// Somebody clones this URL; the name resolves, and git works. What was said with the server is not made up.
pub(crate) fn cloud(url: &str) -> Facts {
    let environment: Environment = [("HOME", "/home/dev"), ("PATH", "/usr/bin")].into_iter().collect();
    let request = Request {
        target: Some(OsString::from(url)),
        operation: Operation::Fetch,
        may_execute: true,
        offline: false,
        budget_ms: 20_000,
    };
    let entry = Some(PasswordEntry { name: "dev".into(), home: "/home/dev".into() });
    let account = Account { uid: 1000, entry, home_variable: Some("/home/dev".into()), ..Account::default() };
    let machine = Machine { os: System::Linux, folder: "/home/dev".into(), ..Machine::default() };
    let parsed = git_url::parse(url).expect("a URL that git takes");
    let target = Target {
        given: Some(url.into()),
        folder: "/home/dev".into(),
        url: Some(url.into()),
        effective_url: Some(url.into()),
        repository: parsed.repository(),
        ssh: parsed.ssh().cloned(),
        parsed: Some(parsed),
        ..Target::default()
    };
    let host = target.ssh.as_ref().expect("an SSH URL").host.clone();
    let mut ssh_command = SshCommand::unread(&environment);
    ssh_command.client = Some(Client { word: "ssh".into(), path: Ok("/usr/bin/ssh".into()), kind: ClientKind::OpenSsh });
    ssh_command.started = Started::Runs { text: "OpenSSH_9.2p1, OpenSSL 3.0.19".into(), openssh: Some(902) };
    let found = Found {
        environment,
        services: Services::new([]),
        git_config: GitConfig { settings: Vec::new(), fault: None, discovery: Discovery::Absent },
        ssh_command,
        git: Some(GitProgram { path: "/usr/bin/git".into(), version: Some("git version 2.47.3".into()) }),
        traits: SshTraits::default(),
        target: Ok(target),
    };
    let mut facts = Facts::begin(request, Clock::default(), machine, account, found);
    facts.settings = Ok(Settings::new(BTreeMap::new(), Vec::new(), Authority::Ssh));
    for (keyword, value) in [("hostname", host.as_str()), ("port", "22"), ("user", "git")] {
        set(&mut facts, keyword, value);
    }
    facts.resolution = Ok(Ok(vec![ADDRESS.parse().expect("an address")]));
    facts.conversation = Ok(Conversation::default());
    let nothing_there = ["/home/dev/.ssh", "/home/dev/.ssh/config"].map(|path| (PathBuf::from(path), At::default()));
    facts.paths = Paths::new(nothing_there.into_iter().collect());
    facts.git_run = Ok(GitRun { works: true, code: Some(0), ..GitRun::default() });
    facts
}

/// ssh's setting has this value, which no file names.
pub(crate) fn set(facts: &mut Facts, keyword: &str, value: &str) {
    let settings = facts.settings.as_ref().expect("settings");
    let mut list: BTreeMap<String, Setting> = settings.iter().map(|s| (s.keyword.clone(), s.clone())).collect();
    let values = vec![Value { text: value.into(), source: SettingSource::Default }];
    list.insert(keyword.into(), Setting { keyword: keyword.into(), values, losers: Vec::new() });
    facts.settings = Ok(Settings::new(list, settings.identity_files().to_vec(), Authority::Ssh));
}

/// The one address of the host answers so, and git fails.
pub(crate) fn unreached(facts: &mut Facts, outcome: ConnectOutcome) {
    let attempts = vec![Attempt { address: ADDRESS.parse().expect("an address"), milliseconds: 5, outcome }];
    let route = Some(RouteFailure::Unreached(attempts.clone()));
    facts.conversation = Ok(Conversation { attempts, route, ..Conversation::default() });
    facts.git_run = Ok(GitRun { works: false, code: Some(128), ..GitRun::default() });
}

/// It was tried and not found out.
pub(crate) fn unknown() -> Unavailable {
    Unavailable::Unknown { why: "a test".into() }
}

/// The user asked not to look.
pub(crate) fn skipped() -> Unavailable {
    Unavailable::Skipped { why: "a test".into() }
}
