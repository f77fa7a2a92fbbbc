//! The remedies of the cause, carried out to the letter: git must work afterwards.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::case::{Expected, case};
use super::judge::findings;
use super::namespace::{BBDOCTOR, chmod};
use super::world::World;

/// A world in which git fails because of `cause`, and works once its remedies are carried out: one after the other as they stand,
/// until it does.
pub(crate) fn fixed<F: FnOnce(&mut World)>(cause: &str, arrange: F) {
    case(Expected::Broken, &[cause], arrange, |world| {
        let Some(report) = world.expect_cause(&[cause]) else { return };
        let finding = findings(&report).find(|finding| finding["code"] == cause && finding["blocking"] == true);
        let remedies = finding.and_then(|finding| finding["remedies"].as_array()).expect("a cause has remedies");
        // A command that clones has shown by itself that git works.
        let clones = |remedy: &Value| remedy["argv"][0] == "git" && remedy["argv"][1] == "clone";
        let works = remedies.iter().any(|remedy| world.carry_out(remedy) && (clones(remedy) || world.git().worked()));
        assert!(works, "git fails after all of {remedies:#?}: {}", world.git().stderr);
    });
}

impl World {
    /// Does what a remedy says, if a program can.
    fn carry_out(&self, remedy: &Value) -> bool {
        match (remedy["argv"].as_array(), remedy["edit"].as_object()) {
            (Some(argv), _) => {
                let mut argv: Vec<OsString> = argv.iter().map(|word| word.as_str().unwrap().into()).collect();
                if argv[0] == "bbdoctor" {
                    argv[0] = BBDOCTOR.into();
                }
                self.run(&argv[0], &argv[1..], Duration::from_secs(10)).worked()
            }
            (None, Some(edit)) => {
                change(Path::new(edit["file"].as_str().unwrap()), &remedy["edit"]);
                true
            }
            (None, None) => false,
        }
    }
}

/// Changes a file as an edit says.
fn change(file: &Path, edit: &Value) {
    let there = file.exists();
    let old = if there { fs::read_to_string(file).unwrap() } else { String::new() };
    let lines: String = edit["lines"].as_array().unwrap().iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect();
    let new = match edit["change"].as_str().unwrap() {
        "prepend" => lines + &old,
        "append" if old.is_empty() || old.ends_with('\n') => old + &lines,
        "append" => old + "\n" + &lines,
        _ => {
            let at = usize::try_from(edit["line"].as_u64().unwrap()).unwrap();
            let line = |(n, line)| if n + 1 == at { lines.as_str() } else { line };
            old.split_inclusive('\n').enumerate().map(line).collect()
        }
    };
    fs::write(file, new).unwrap();
    if !there {
        chmod(file, 0o600);
    }
}
