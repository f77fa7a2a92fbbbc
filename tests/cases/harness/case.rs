//! How a case runs: the test starts itself again inside namespaces, keeps what the inner run said, and records which code was named.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::judge::findings;
use super::namespace;
use super::world::World;

/// Set in the inner run; its value is the name of the case.
const INSIDE: &str = "BBDOCTOR_CASE_INSIDE";
/// Names a file: every case adds its line (name and codes) to it and does nothing else.
pub(crate) const LIST: &str = "BBDOCTOR_CASES_LIST";
/// Marks the line of the inner run's output that holds the case's row of the table of confusions.
pub(crate) const ROW: &str = "bbdoctor-case-row: ";
/// A line of the inner run's output: a report was compared with the replay of its recording, and they are equal.
pub(crate) const REPLAYED: &str = "bbdoctor-case-replayed";
/// Marks a line of the inner run's output that holds a report of bbdoctor. Outside, all reports of a case are kept in one file, so that
/// those of two versions can be compared.
pub(crate) const REPORT: &str = "bbdoctor-case-report: ";

/// What the world is expected to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// git fails, and the root cause is one of the codes.
    Broken,
    /// git works, nothing is broken, and every one of the codes is among the findings.
    Advised,
    /// git works and nothing is broken.
    Healthy,
    /// The verdict agrees with git, whatever the cause is called.
    Agreement,
    /// What git does cannot be known here; every one of the codes is among the findings.
    Inconclusive,
}

/// A world in which git fails because of `cause`.
pub(crate) fn broken<F: FnOnce(&mut World)>(cause: &str, arrange: F) {
    broken_by_one_of(&[cause], arrange);
}

/// A world in which git fails and several names for the cause are right; the case says why it cannot expect one.
pub(crate) fn broken_by_one_of<F: FnOnce(&mut World)>(causes: &[&str], arrange: F) {
    case(Expected::Broken, causes, arrange, |world| _ = world.expect_cause(causes));
}

/// A world in which git fails because of `cause`, and each of `beside` is among the findings too.
pub(crate) fn broken_with<F: FnOnce(&mut World)>(cause: &str, beside: &[&str], arrange: F) {
    told_beside(Expected::Broken, &[cause], beside, arrange, |world| {
        let Some(report) = world.expect_cause(&[cause]) else { return };
        for code in beside {
            assert!(findings(&report).any(|finding| finding["code"] == *code), "{code} is not among the findings\n{report:#}");
        }
    });
}

/// A world in which git fails because of `cause`, and `warned`, which elsewhere is a cause, is no more than a warning.
pub(crate) fn warned<F: FnOnce(&mut World)>(cause: &str, warned: &str, arrange: F) {
    case(Expected::Broken, &[cause], arrange, |world| world.expect_warning(cause, warned));
}

/// A world in which git works and bbdoctor finds `codes` worth telling.
pub(crate) fn advised<F: FnOnce(&mut World)>(codes: &[&str], arrange: F) {
    case(Expected::Advised, codes, arrange, |world| world.expect_advice(codes));
}

/// An odd world in which git works: nothing may be called broken.
pub(crate) fn healthy<F: FnOnce(&mut World)>(arrange: F) {
    case(Expected::Healthy, &[], arrange, World::expect_healthy);
}

/// A world in which a program decides what git does, and `--no-exec` leaves it out: bbdoctor must say that it does not know.
pub(crate) fn uncertain<F: FnOnce(&mut World)>(arrange: F) {
    case(Expected::Inconclusive, &[], arrange, World::expect_nothing_certain);
}

/// Input nobody should give: the report must be complete, valid and in time, and agree with git.
pub(crate) fn survives<F: FnOnce(&mut World)>(arrange: F) {
    case(Expected::Agreement, &[], arrange, World::expect_agreement);
}

/// A world with expectations of its own: `arrange` builds it, the service starts, `judge` asserts. What the inner run printed is
/// given to the outer one; the others get nothing.
pub(crate) fn case<F, J>(expected: Expected, codes: &[&str], arrange: F, judge: J) -> Option<String>
where
    F: FnOnce(&mut World),
    J: FnOnce(&mut World),
{
    told_beside(expected, codes, &[], arrange, judge)
}

/// As [`case`]; `beside` are further codes that the report tells.
fn told_beside<F, J>(expected: Expected, codes: &[&str], beside: &[&str], arrange: F, judge: J) -> Option<String>
where
    F: FnOnce(&mut World),
    J: FnOnce(&mut World),
{
    let name = name_of::<F>();
    if let Some(list) = std::env::var_os(LIST) {
        add_line(Path::new(&list), &format!("{name} {expected:?} {}", [codes, beside].concat().join(",")));
    } else if std::env::var(INSIDE).is_ok_and(|inside| inside == name) {
        namespace::enter();
        let mut world = World::new(host_of(&name));
        world.row = Some((name, expected, codes.iter().map(|code| (*code).to_owned()).collect()));
        arrange(&mut world);
        world.start();
        judge(&mut world);
    } else {
        return Some(run_inside(&name));
    }
    None
}

/// `cases::url::slash::{{closure}}` is the closure of the test `url::slash`.
fn name_of<F>() -> String {
    let full = std::any::type_name::<F>();
    let path = full.strip_suffix("::{{closure}}").expect("a case is arranged by a closure of its test");
    path.split_once("::").map_or(path, |(_, rest)| rest).to_owned()
}

/// Git over SSH has two host names: `bitbucket.org` until November 2026 and `ssh.bitbucket.org` since. Each case dials one of them,
/// half of the cases (by the last part of the name, so that it stays when a case moves) the one and half the other.
fn host_of(name: &str) -> &'static str {
    let sum: u32 = name.rsplit(':').next().unwrap_or_default().bytes().map(u32::from).sum();
    if sum.is_multiple_of(2) { "bitbucket.org" } else { "ssh.bitbucket.org" }
}

fn run_inside(name: &str) -> String {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    namespace::prepare(&scratch);
    // A session of its own, so that no program of the case finds a terminal to ask; namespaces of its own for ports, paths and processes.
    let inner = Command::new("setsid")
        .args([
            "--wait",
            "unshare",
            "--user",
            "--map-user=1000",
            "--map-group=1000",
            "--net",
            "--mount",
            "--uts",
            "--pid",
            "--fork",
        ])
        .args(["--kill-child=KILL", "--mount-proc", "--keep-caps", "--"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, name)
        .stdin(Stdio::null())
        .output()
        .expect("setsid and unshare (util-linux) are needed to run the cases");
    let (said, errors) = (String::from_utf8_lossy(&inner.stdout), String::from_utf8_lossy(&inner.stderr));
    if let Some(row) = said.lines().find_map(|line| line.strip_prefix(ROW)) {
        add_line(&scratch.join("confusion.jsonl"), row);
    }
    keep_reports(&scratch.join("reports"), name, &said);
    for report in said.lines().filter(|line| *line == REPLAYED || line.starts_with(REPORT)) {
        add_line(&scratch.join("replays"), if report == REPLAYED { "equal" } else { "report" });
    }
    said.lines().filter(|line| !line.starts_with(REPORT)).for_each(|line| println!("{line}"));
    eprint!("{errors}");
    assert!(
        inner.status.success() && said.contains("1 passed"),
        "{name}: the case failed inside its namespaces ({}). If they could not be made: the kernel must allow user namespaces to \
         this account (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or run as root.",
        inner.status
    );
    said.into_owned()
}

/// Writes the reports of a case, a line each, into a file of its name.
fn keep_reports(folder: &Path, case: &str, said: &str) {
    fs::create_dir_all(folder).unwrap();
    let reports = said.lines().filter_map(|line| line.strip_prefix(REPORT));
    let lines: String = reports.map(|report| format!("{report}\n")).collect();
    fs::write(folder.join(case.replace("::", ".") + ".jsonl"), lines).unwrap();
}

/// One write, so that lines of cases running side by side do not mix.
fn add_line(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
