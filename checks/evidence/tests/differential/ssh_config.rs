//! Our own reading of ssh_config against the installed ssh: thousands of generated configurations are read by both, and
//! any difference in outcome, error line, message or value fails. Then the lines named as sources are rewritten, and ssh
//! must follow.

mod corpus;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bbdoctor_checks::facts::account::Account;
use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::ssh_config::{
    ConfigFile, Effective, Evaluation, ExecPolicy, Position, Question, SettingSource, SshTraits,
};
use bbdoctor_evidence::machine::account;
use bbdoctor_evidence::machine::environment;
use bbdoctor_evidence::openssh::ssh_config::effective;
use bbdoctor_evidence::openssh::ssh_config::effective::{Shell, arguments, is_assembled, parse, reconcile};
use bbdoctor_evidence::openssh::ssh_config::{evaluate, examine};

use crate::random::Random;
use corpus::{CRITERIA, DEFECTS, FULL, HOSTS, PATTERNS, PLAIN, TRICKY};

fn option(random: &mut Random, table: &[(&str, &[&str])]) -> String {
    let (keyword, values) = table[random.below(table.len())];
    format!("{keyword} {}", random.of(values))
}

fn dress(random: &mut Random, option: &str) -> String {
    let (keyword, value) = option.split_once(' ').unwrap_or((option, ""));
    let keyword = match random.below(4) {
        0 => keyword.to_lowercase(),
        1 => keyword.to_uppercase(),
        _ => keyword.to_string(),
    };
    let separator = random.of(&[" ", " ", " ", "=", " = ", "\t", "  "]);
    let end = random.of(&["", "", "", "", " ", "\r", " # note", "\t"]);
    format!("{}{keyword}{separator}{value}{end}", random.of(&["", "    ", "\t"]))
}

fn block(random: &mut Random, full: bool) -> String {
    if full && random.chance(35) {
        let mut line = String::from("Match");
        match random.below(6) {
            0 => line += " all",
            1 => line += " final all",
            _ => (0..=random.below(2)).for_each(|_| write!(line, " {}", random.of(CRITERIA)).expect("a string")),
        }
        return line;
    }
    let mut line = String::from("Host");
    for _ in 0..=random.below(2) {
        write!(line, " {}", random.of(PATTERNS)).expect("a string");
    }
    line
}

/// The text of a configuration, and of a file it may include.
fn configuration(random: &mut Random, profile: &str, include: &Path) -> (String, String) {
    let full = matches!(profile, "full" | "broken");
    let line = |random: &mut Random| {
        let table = if full && random.chance(60) || profile == "everyday" && random.chance(25) { FULL } else { PLAIN };
        let option = option(random, table);
        if profile == "plain" { option } else { dress(random, &option) }
    };
    let mut lines = Vec::new();
    let mut inner = Vec::new();
    for _ in 0..random.below(3) {
        lines.push(line(random));
    }
    for _ in 0..1 + random.below(5) {
        lines.push(block(random, full));
        for _ in 0..1 + random.below(5) {
            let text = line(random);
            lines.push(text);
        }
    }
    if full && random.chance(40) {
        for _ in 0..1 + random.below(4) {
            let text = if random.chance(30) { block(random, true) } else { line(random) };
            inner.push(text);
        }
        let at = random.below(lines.len() + 1);
        let target = random.of(&["", "", "*", "-none"]);
        lines.insert(at, format!("Include {}{target}", include.display()));
    }
    if profile == "broken" {
        let defect = DEFECTS[random.below(DEFECTS.len())].to_string();
        if !inner.is_empty() && random.chance(30) {
            inner.insert(random.below(inner.len() + 1), defect);
        } else {
            let at = random.below(lines.len() + 1);
            lines.insert(at, defect);
        }
    }
    let end = if random.chance(90) { "\n" } else { "" };
    (lines.join("\n") + end, inner.join("\n") + "\n")
}

struct Lab {
    ssh: SshTraits,
    account: Account,
    environment: Environment,
    folder: tempfile::TempDir,
}

struct Case {
    profile: &'static str,
    seed: u64,
    file: PathBuf,
    inner: PathBuf,
    host: &'static str,
    user: Option<&'static str>,
    command: Option<&'static str>,
    options: Vec<String>,
    exec: ExecPolicy,
}

impl Lab {
    fn question(&self, case: &Case) -> Question<'_> {
        Question {
            user: case.user.map(String::from),
            command: case.command.map(String::from),
            options: case.options.clone(),
            config_file: ConfigFile::File(case.file.clone()),
            exec: case.exec,
            ..Question::new(case.host, &self.account, &self.environment, &self.ssh)
        }
    }

    /// What ssh says: its values, or what it prints on standard error.
    fn ask(&self, question: &Question<'_>) -> Result<Effective, String> {
        let shell = if question.exec == ExecPolicy::AssumeFalse { Shell::False } else { Shell::True };
        let program = effective::program(Path::new("ssh"), question, shell).without_env("NOPE").env("SOCK", "/run/sock");
        let outcome = program.run(Instant::now() + Duration::from_secs(20)).expect("ssh starts");
        if outcome.success() { Ok(parse(&outcome.stdout)) } else { Err(outcome.stderr_text().replace("\r\n", "\n")) }
    }
}

/// What differs between the two readings; empty if nothing.
fn differences(own: &Evaluation, heard: &Result<Effective, String>, quiet: bool) -> Vec<String> {
    let mut out = Vec::new();
    match (own.problems.is_empty(), heard) {
        (true, Ok(heard)) => {
            let keywords: HashSet<&str> = heard.keywords().chain(own.settings().map(|s| s.keyword.as_str())).collect();
            for keyword in keywords {
                let (ours, theirs) = (own.values(keyword), heard.values(keyword));
                // Lists that edit the default or hold wildcards are printed assembled.
                let assembled = ours.len() == 1 && theirs.len() == 1 && is_assembled(keyword, ours[0]);
                if ours != theirs && !assembled {
                    out.push(format!("{keyword}: ours {ours:?}, ssh {theirs:?}"));
                }
            }
        }
        // With LogLevel QUIET ssh fails without a word.
        (false, Err(stderr)) if stderr.is_empty() && quiet => {}
        (false, Err(stderr)) => {
            for problem in &own.problems {
                if !stderr.lines().any(|l| l.ends_with(&problem.message)) {
                    out.push(format!("ssh does not say {:?} but {stderr:?}", problem.message));
                }
            }
            // The lines that are named; some faults are worth two messages to ssh.
            let named = |text: &str| -> Option<(String, usize)> {
                let (file, rest) = text.split_once(" line ")?;
                let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                Some((file.trim_end_matches(':').to_string(), rest[..digits].parse().ok()?))
            };
            let theirs: BTreeSet<_> =
                stderr.lines().filter(|l| !l.contains("Unsupported option") && !l.starts_with("debug")).filter_map(named).collect();
            let ours: BTreeSet<_> = own.problems.iter().filter_map(|p| named(&p.message)).collect();
            if theirs != ours {
                out.push(format!("ssh names {theirs:?}, we {ours:?}: {stderr:?}"));
            }
        }
        (true, Err(stderr)) => out.push(format!("ssh refuses: {stderr:?}")),
        (false, Ok(_)) => out.push(format!("ssh accepts what we refuse: {:?}", own.problems)),
    }
    out
}

/// Another value for a setting, to be told from any other.
fn marked(keyword: &str) -> Option<(&'static str, &'static str)> {
    Some(match keyword {
        "user" => ("User marked", "marked"),
        "hostname" => ("HostName marked.example", "marked.example"),
        "port" => ("Port 4321", "4321"),
        "identityfile" => ("IdentityFile /marked", "/marked"),
        "certificatefile" => ("CertificateFile /marked", "/marked"),
        "connecttimeout" => ("ConnectTimeout 4321", "4321"),
        "serveraliveinterval" => ("ServerAliveInterval 4321", "4321"),
        "serveralivecountmax" => ("ServerAliveCountMax 4321", "4321"),
        "identityagent" => ("IdentityAgent /marked", "/marked"),
        "userknownhostsfile" => ("UserKnownHostsFile /marked", "/marked"),
        "globalknownhostsfile" => ("GlobalKnownHostsFile /marked", "/marked"),
        "proxycommand" => ("ProxyCommand marked", "marked"),
        "proxyjump" => ("ProxyJump marked", "marked"),
        "controlpath" => ("ControlPath /marked", "/marked"),
        "hostkeyalias" => ("HostKeyAlias marked", "marked"),
        "preferredauthentications" => ("PreferredAuthentications marked", "marked"),
        "streamlocalbindmask" => ("StreamLocalBindMask 0123", "0123"),
        "syslogfacility" => ("SyslogFacility LOCAL7", "LOCAL7"),
        "localforward" => ("LocalForward 4321 m:1", "4321 [m]:1"),
        "setenv" => ("SetEnv MARKED=1", "MARKED=1"),
        "connectionattempts" => ("ConnectionAttempts 4321", "4321"),
        _ => return None,
    })
}

fn rewritten(file: &Path, position: &Position, line: &str) -> (String, String) {
    let before = std::fs::read_to_string(file).expect("a configuration");
    let mut lines: Vec<&str> = before.split('\n').collect();
    lines[position.line - 1] = line;
    (before.clone(), lines.join("\n"))
}

#[test]
fn we_read_what_ssh_reads() {
    let deadline = Instant::now() + Duration::from_secs(30);
    let environment = Environment::from_iter(
        environment::capture()
            .iter()
            .filter(|(k, _)| *k != "NOPE")
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .chain([("SOCK".into(), "/run/sock".into())]),
    );
    let lab = Lab {
        ssh: examine(Path::new("ssh"), deadline).expect("an OpenSSH client is installed"),
        account: account::read(&environment),
        environment,
        folder: tempfile::tempdir().expect("a folder"),
    };
    let count: u64 = std::env::var("BBDOCTOR_CONFIGURATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_400);
    let seed: u64 = std::env::var("BBDOCTOR_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut cases = Vec::new();
    for n in 0..count + TRICKY.len() as u64 {
        let mut random = Random((seed << 32 | (n + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let profile = match n {
            n if n >= count => "tricky",
            n => ["plain", "everyday", "full", "full", "broken"][(n % 5) as usize],
        };
        let file = lab.folder.path().join(format!("c{n}"));
        let inner = lab.folder.path().join(format!("i{n}."));
        let (text, included) = match profile {
            "tricky" => (TRICKY[(n - count) as usize].to_string(), String::new()),
            _ => configuration(&mut random, profile, &inner),
        };
        std::fs::write(&file, text).expect("a configuration");
        std::fs::write(&inner, included).expect("a configuration");
        let asked = if profile == "tricky" { 3 } else { 1 };
        for round in 0..asked {
            let user = random.chance(60).then_some("git");
            let options = if random.chance(15) {
                vec![option(&mut random, PLAIN).replacen(' ', random.of(&["=", " "]), 1)]
            } else {
                Vec::new()
            };
            cases.push(Case {
                profile,
                seed: n,
                file: file.clone(),
                inner: inner.clone(),
                host: if profile == "tricky" { ["bb", "bitbucket.org", "x"][round] } else { HOSTS[random.below(HOSTS.len())] },
                user,
                command: random.chance(40).then_some("git-upload-pack 'a/b.git'"),
                options,
                exec: if random.chance(70) { ExecPolicy::AssumeFalse } else { ExecPolicy::AssumeTrue },
            });
        }
    }
    let (failures, tally) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, (usize, usize)>::new()));
    let (next, moved, claims) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let question = lab.question(case);
            let own = evaluate(&question);
            let heard = lab.ask(&question);
            let texts = [&case.file, &case.inner].map(|f| std::fs::read_to_string(f).expect("a configuration"));
            let quiet = case.options.iter().chain(&texts).any(|t| t.to_uppercase().contains("QUIET"));
            let mut wrong = differences(&own, &heard, quiet);
            {
                let mut tally = tally.lock().expect("no panic");
                let (asked, refused) = tally.entry(case.profile).or_default();
                *asked += 1;
                *refused += usize::from(heard.is_err());
            }
            if let (Ok(heard), true) = (&heard, wrong.is_empty()) {
                let unexplained = reconcile(&own, heard, &question)
                    .into_iter()
                    .filter(|s| s.values.iter().any(|v| v.source == SettingSource::Unknown));
                wrong.extend(unexplained.map(|s| format!("reconciled without a source: {s:?}")));
            }
            if !wrong.is_empty() {
                failures.lock().expect("no panic").push(format!(
                    "--- {} {}: ssh {:?} {:?} exec {:?}\n{}\n--- included\n{}--- differs\n{}",
                    case.profile,
                    case.seed,
                    arguments(&question),
                    case.host,
                    case.exec,
                    String::from_utf8_lossy(&std::fs::read(&case.file).expect("a configuration")),
                    texts[1],
                    wrong.join("\n"),
                ));
                continue;
            }
            if case.profile == "tricky" || heard.is_err() || case.seed % 3 != 0 {
                continue;
            }
            for setting in own.settings() {
                let Some((line, expected)) = marked(&setting.keyword) else { continue };
                let Some(value) = setting.values.first() else { continue };
                let SettingSource::File(position) = &value.source else { continue };
                // A host name decides which blocks apply, a user and a jump too; only values that decide nothing else move alone.
                let (before, after) = rewritten(&position.file, position, line);
                std::fs::write(&position.file, after).expect("a configuration");
                let again = lab.ask(&question);
                std::fs::write(&position.file, before).expect("a configuration");
                claims.fetch_add(1, Ordering::Relaxed);
                match again {
                    Ok(again) if again.values(&setting.keyword).contains(&expected) => {
                        moved.fetch_add(1, Ordering::Relaxed);
                    }
                    other => failures.lock().expect("no panic").push(format!(
                        "--- {} {}: {} is said to come from {position:?}, but ssh does not follow: {:?}\n{}",
                        case.profile,
                        case.seed,
                        setting.keyword,
                        other.map(|o| o.values(&setting.keyword).iter().map(|v| v.to_string()).collect::<Vec<_>>()),
                        String::from_utf8_lossy(&std::fs::read(&case.file).expect("a configuration")),
                    )),
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (0..3).for_each(|_| {
            scope.spawn(work);
        });
    });
    let failures = failures.into_inner().expect("no panic");
    let tally = tally.into_inner().expect("no panic");
    let summary: Vec<String> =
        tally.iter().map(|(profile, (asked, refused))| format!("{profile} {asked} ({refused} refused by ssh)")).collect();
    let summary = format!(
        "{} questions: {}; {} of {} sources held when the line was rewritten",
        cases.len(),
        summary.join(", "),
        moved.load(Ordering::Relaxed),
        claims.load(Ordering::Relaxed)
    );
    assert!(failures.is_empty(), "{} differ of {summary}\n{}", failures.len(), failures[..failures.len().min(12)].join("\n\n"));
    assert!(claims.load(Ordering::Relaxed) >= 300 || count < 2_000, "{summary}");
    // The counts are the point of the run: nextest and cargo test show them with --no-capture.
    std::io::Write::write_all(&mut std::io::stderr(), format!("{summary}\n").as_bytes()).expect("standard error");
}
