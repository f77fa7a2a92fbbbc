//! Where reports go: files named by `--output`, and a stdout that is full, closed or left by its reader. Nothing here needs a
//! network or another program's answer.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests make files and run programs"
)]

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::stat::Mode;
use serde_json::Value;
use tempfile::TempDir;

/// A run that finds nothing wrong, and one whose verdict is another.
const HEALTHY: &[&str] = &["--only", "remote-url"];
const INCONCLUSIVE: &[&str] = &["--offline"];

/// The status of [`HEALTHY`] where an output could not be written, and that of [`INCONCLUSIVE`] in any case.
const UNWRITTEN: i32 = 2;
const UNKNOWN: i32 = 3;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Runs bbdoctor through `sh -c`, in which it is `"$@"`, with this place as the home and the current folder. Root has no
    /// capabilities there, so that permission bits mean something.
    fn run(&self, script: &str, words: &[&str]) -> Output {
        let mut command = Command::new("timeout");
        command.arg("60");
        if nix::unistd::geteuid().is_root() {
            command.args(["setpriv", "--inh-caps", "-all", "--bounding-set", "-all", "--"]);
        }
        command.args(["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_bbdoctor"), "--no-exec", "--redact=never", "--format", "json"]);
        command.args(words).arg("git@ssh.bitbucket.org:acme/app.git");
        command.env("HOME", self.0.path()).env_remove("XDG_CONFIG_HOME").env_remove("RUST_BACKTRACE").current_dir(self.0.path());
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs it with `--output` for each of `outputs`, as `selection` says.
    fn write(&self, outputs: &[&str], selection: &[&str]) -> Output {
        let options = outputs.iter().flat_map(|output| ["--output", output]);
        self.run("exec \"$@\"", &selection.iter().copied().chain(options).collect::<Vec<_>>())
    }

    /// Asserts that this output cannot be written, that stderr says so by `name` and `reason`, and that nothing else suffers.
    fn refused(&self, name: &str, reason: &str) {
        for (selection, status) in [(HEALTHY, UNWRITTEN), (INCONCLUSIVE, UNKNOWN), (&["--offline", "--exit-zero"][..], 0)] {
            let done = self.write(&[name], selection);
            whole(&done.stdout);
            let errors = String::from_utf8_lossy(&done.stderr);
            assert_eq!(errors.lines().count(), 1, "{errors}");
            assert!(errors.starts_with("bbdoctor: cannot write ") && errors.contains(name) && errors.contains(reason), "{errors}");
            assert_eq!(done.status.code(), Some(status), "{selection:?}");
        }
    }
}

/// The report, which must be complete.
fn whole(bytes: &[u8]) -> Value {
    let report: Value = serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)));
    assert!(report["verdict"]["status"].is_string() && report["checks"].as_array().is_some_and(|checks| checks.len() == 16));
    report
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_file_is_for_its_user_alone_whatever_it_was_and_whatever_the_umask() {
    let place = Place::new();
    place.file("there", &"what stood here is longer than any report\n".repeat(5000), 0o644);
    for umask in ["0000", "0022", "0777"] {
        for name in ["there", "new"] {
            let done = place.run(&format!("umask {umask}; exec \"$@\""), &["--offline", "--output", name]);
            assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(UNKNOWN), ""));
            assert_eq!(fs::read(place.path(name)).unwrap(), done.stdout, "{umask} {name}");
            assert_eq!(mode(&place.path(name)), 0o600, "{umask} {name}");
            whole(&done.stdout);
        }
        fs::remove_file(place.path("new")).unwrap();
        fs::set_permissions(place.path("there"), fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn several_files_each_in_its_form() {
    let place = Place::new();
    let done = place.write(&["human:a", "b", "json:c", "other:d"], HEALTHY);
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
    for name in ["b", "c", "other:d"] {
        assert_eq!(fs::read(place.path(name)).unwrap(), done.stdout, "{name}");
    }
    let human = fs::read_to_string(place.path("a")).unwrap();
    assert!(human.contains("HEALTHY") && !human.contains('\u{1b}'), "{human}");
}

#[test]
fn one_that_fails_leaves_the_others() {
    let place = Place::new();
    let done = place.write(&["a", "missing/b", "c"], HEALTHY);
    assert_eq!(done.status.code(), Some(UNWRITTEN));
    for name in ["a", "c"] {
        assert_eq!(fs::read(place.path(name)).unwrap(), done.stdout, "{name}");
    }
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let place = Place::new();
    let target = place.file("target", "untouched", 0o644);
    symlink(&target, place.path("link")).unwrap();
    symlink(place.path("nowhere"), place.path("dangling")).unwrap();
    place.refused("link", "symbolic link");
    place.refused("dangling", "symbolic link");
    assert_eq!((fs::read_to_string(&target).unwrap(), mode(&target)), ("untouched".into(), 0o644));
    assert!(!place.path("nowhere").exists());
}

#[test]
fn a_folder_is_no_file() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    place.refused("folder", "directory");
}

#[test]
fn a_missing_folder_is_not_made() {
    let place = Place::new();
    place.refused("missing/report", "No such file or directory");
    assert!(!place.path("missing").exists());
}

#[test]
fn a_pipe_is_not_waited_for() {
    let place = Place::new();
    nix::unistd::mkfifo(&place.path("pipe"), Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    place.refused("pipe", "pipe");
    // With a reader, too, it could keep the report waiting.
    let reader = fs::OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(place.path("pipe")).unwrap();
    place.refused("pipe", "no ordinary file");
    drop(reader);
}

#[test]
fn a_file_that_may_not_be_written_stays_as_it_is() {
    let place = Place::new();
    let file = place.file("mine", "untouched", 0o444);
    place.refused("mine", "Permission denied");
    assert_eq!((fs::read_to_string(&file).unwrap(), mode(&file)), ("untouched".into(), 0o444));
}

#[test]
fn a_full_disk_is_told() {
    Place::new().refused("/dev/full", "No space left");
}

#[test]
fn a_full_stdout_is_told() {
    let place = Place::new();
    for (selection, status) in [(HEALTHY, UNWRITTEN), (INCONCLUSIVE, UNKNOWN), (&["--help"][..], UNWRITTEN)] {
        let done = place.run("exec \"$@\" > /dev/full", selection);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(errors.starts_with("bbdoctor: cannot write to stdout: No space left") && errors.lines().count() == 1, "{errors}");
        assert_eq!(done.status.code(), Some(status), "{selection:?}");
    }
}

#[test]
fn a_full_stdout_keeps_no_file_from_its_report() {
    let place = Place::new();
    let done = place.run("exec \"$@\" > /dev/full", &["--offline", "--output", "report"]);
    assert_eq!(done.status.code(), Some(UNKNOWN));
    whole(&fs::read(place.path("report")).unwrap());
}

#[test]
fn a_closed_stdout_is_no_fault() {
    let place = Place::new();
    // Both ways in which a shell may hand SIGPIPE down; the reader leaves before the first byte.
    for signal in ["trap '' PIPE;", "trap - PIPE;"] {
        for (selection, status) in [(HEALTHY, "0"), (INCONCLUSIVE, "3"), (&["--help"][..], "0")] {
            let left = format!("{signal} {{ \"$@\"; echo $? >&2; }} | true");
            let early = format!("{signal} {{ \"$@\"; echo $? >&2; }} | head -c1 > /dev/null");
            for script in [left.as_str(), early.as_str(), "\"$@\" >&-; echo $? >&2"] {
                let done = place.run(script, selection);
                assert_eq!(String::from_utf8_lossy(&done.stderr).trim(), status, "{script} {selection:?}");
            }
        }
    }
}

#[test]
fn a_closed_stderr_is_no_fault() {
    let place = Place::new();
    let done = place.run("exec \"$@\" 2>&-", &["--only", "remote-url", "--output", "missing/report"]);
    assert_eq!(done.status.code(), Some(UNWRITTEN));
    whole(&done.stdout);
}
