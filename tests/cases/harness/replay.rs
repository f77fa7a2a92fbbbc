//! The recording that the judged run has written: private, without keys, and enough for the same report elsewhere.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::namespace::{BBDOCTOR, HOME};

/// Outside the user's home, in which nothing may be written.
const FILE: &str = "/run/recording.json";

/// The options that make bbdoctor record.
pub(crate) fn options() -> Vec<OsString> {
    let _ = fs::remove_file(FILE);
    vec!["--record".into(), FILE.into()]
}

/// Replays the recording for another user, who has no environment, no network and not the files of the first, and compares what is
/// said byte for byte, apart from times.
pub(crate) fn judge(report: &Value) {
    assert_eq!(fs::metadata(FILE).unwrap().permissions().mode() & 0o777, 0o600, "a recording is private");
    let recording = fs::read_to_string(FILE).unwrap();
    assert!(!recording.contains("PRIVATE KEY-----"), "a private key in the recording");
    let script = format!("mount -t tmpfs none {HOME} && exec {BBDOCTOR} replay {FILE} --format json");
    let mut elsewhere = Command::new("unshare");
    elsewhere.args(["--user", "--map-root-user", "--net", "--mount", "sh", "-c", &script]);
    elsewhere.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").current_dir("/").stdin(Stdio::null());
    let done = elsewhere.output().expect("unshare (util-linux) is needed to run the cases");
    let replayed: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| {
        panic!("the replay gave no report ({error}): {}", String::from_utf8_lossy(&done.stderr));
    });
    let (live, again) = (without_times(report).to_string(), without_times(&replayed).to_string());
    if live != again {
        let at = live.bytes().zip(again.bytes()).take_while(|(a, b)| a == b).count();
        let near =
            |text: &str| String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(200)..text.len().min(at + 300)]).into_owned();
        panic!("the replay says something else\nlive:   {}\nreplay: {}", near(&live), near(&again));
    }
}

/// The report without what a check took, which is measured anew.
fn without_times(report: &Value) -> Value {
    let mut report = report.clone();
    for check in report["checks"].as_array_mut().into_iter().flatten() {
        check["duration_ms"] = 0.into();
    }
    report
}
