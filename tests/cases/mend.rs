//! Remedies, carried out to the letter.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::case::{Expected, case};
use crate::judge::findings;
use crate::namespace::HOME;
use crate::world::World;

/// A world in which git fails because of one of `codes`, and works once the cause's remedies, in their order, are carried out.
pub(crate) fn mended<F: FnOnce(&mut World)>(codes: &[&str], arrange: F) {
    case(Expected::Broken, codes, arrange, |world| {
        let Some(report) = world.expect_cause(codes) else { return };
        let cause = &report["verdict"]["root_cause"]["code"];
        let finding = findings(&report).find(|finding| finding["code"] == *cause && finding["blocking"] == true).unwrap();
        let remedies = finding["remedies"].as_array().unwrap();
        let works = remedies.iter().filter(|remedy| world.carry_out(remedy)).any(|_| world.git().worked());
        assert!(works, "git still fails: {}\n{remedies:#?}", world.git().stderr);
    });
}

impl World {
    /// Runs the command of a remedy, or makes its change of a file; true unless it is meant for a person.
    fn carry_out(&self, remedy: &Value) -> bool {
        if let Some(argv) = remedy["argv"].as_array() {
            let words: Vec<OsString> = argv.iter().map(|word| word.as_str().unwrap().into()).collect();
            let done = self.run(&words[0], &words[1..], Duration::from_secs(20));
            assert!(done.worked(), "{argv:?}: {done:?}");
            return true;
        }
        let edit = &remedy["edit"];
        let Some(file) = edit["file"].as_str() else { return false };
        let file = file.strip_prefix("~/").map_or_else(|| file.into(), |rest| Path::new(HOME).join(rest));
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut lines: Vec<&str> = text.lines().collect();
        let new = edit["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let place = match edit["change"].as_str() {
            Some("prepend") => 0..0,
            Some("append") => lines.len()..lines.len(),
            _ => {
                let line = usize::try_from(edit["line"].as_u64().unwrap()).unwrap();
                line - 1..line
            }
        };
        lines.splice(place, new);
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        true
    }
}
