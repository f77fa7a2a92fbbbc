//! The other forms of the report, written by the run that is judged: each is valid and tells the same cause and the same way out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use quick_junit::{Report as Suites, TestCaseStatus};
use serde_json::Value;

use super::namespace::HOME;
use super::ticket::Ticket;

/// Outside the user's home, in which nothing may be written.
const FOLDER: &str = "/run/reports";
const FORMATS: [&str; 5] = ["json", "human", "markdown", "junit", "github"];
const JUNIT: &str = include_str!("../fixtures/junit.xsd");

fn file(format: &str) -> PathBuf {
    Path::new(FOLDER).join(format)
}

/// The options that make bbdoctor write every form.
pub(crate) fn options() -> Vec<OsString> {
    let _ = fs::remove_dir_all(FOLDER);
    fs::create_dir(FOLDER).unwrap();
    FORMATS.iter().flat_map(|format| ["--output".into(), format!("{format}:{}", file(format).display()).into()]).collect()
}

/// Judges what was written beside `report`; gives the JSON documents among it, for the schema.
pub(crate) fn judge(report: &Value) -> Vec<Value> {
    let text = |format: &str| fs::read_to_string(file(format)).unwrap();
    for format in FORMATS {
        fit_to_be_shared(format, &text(format));
    }
    // Private values are replaced in files and not on stdout, so the files are compared with each other.
    let json: Value = serde_json::from_str(&text("json")).unwrap();
    for field in ["status", "explains", "also", "transient"] {
        assert_eq!(json["verdict"][field], report["verdict"][field], "{field} in the file and on stdout");
    }
    let code = &json["verdict"]["root_cause"]["code"];
    assert_eq!(code, &report["verdict"]["root_cause"]["code"], "the cause in the file and on stdout");
    let ticket = Ticket::read(&text("markdown"));
    // The folded part is the human form once more.
    let annotations = text("github").split("::group::").next().unwrap_or_default().replace("%0A", "\n").replace("%25", "%");
    for (format, told) in
        [("human", text("human")), ("markdown", text("markdown")), ("junit", junit(&json)), ("github", annotations)]
    {
        let told = bare(&told);
        for wanted in code.as_str().into_iter().map(String::from).chain(steps(&json["verdict"]["next_step"])) {
            assert!(told.contains(&bare(&wanted)), "the form {format} does not tell {wanted:?}\n{}", text(format));
        }
    }
    ticket.json().into_iter().chain([json]).collect()
}

/// A file holds nothing of the user's own, nothing that a terminal or a reader obeys, and is no more than a person can be sent.
fn fit_to_be_shared(format: &str, text: &str) {
    let lower = text.to_lowercase();
    for private in ["acme", HOME, "dev@example"] {
        assert!(!lower.contains(private), "{private} in {format}:\n{text}");
    }
    let obeyed = |c: &char| {
        c.is_control() && *c != '\n' || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    assert_eq!(text.chars().find(obeyed), None, "in {format}:\n{text}");
    assert!(text.len() < 1_000_000, "{format} has {} bytes", text.len());
}

/// What the JUnit file says, as text; its cases fit `report`.
fn junit(report: &Value) -> String {
    let schema = Path::new(FOLDER).join("junit.xsd");
    fs::write(&schema, JUNIT).unwrap();
    let mut xmllint = Command::new("xmllint");
    let done = xmllint.args(["--noout", "--nonet", "--schema"]).arg(schema).arg(file("junit")).output();
    let done = done.expect("xmllint (libxml2-utils) is needed to run the cases");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let suites = Suites::deserialize_from_str(&fs::read_to_string(file("junit")).unwrap()).unwrap();
    let cases: Vec<_> = suites.test_suites.iter().flat_map(|suite| &suite.test_cases).collect();
    assert_eq!(cases.len(), report["checks"].as_array().map_or(0, Vec::len), "a case per check");
    let mut told = String::new();
    let mut red = 0;
    for case in cases {
        if let TestCaseStatus::NonSuccess { message, ty, description, .. } = &case.status {
            red += 1;
            for text in [message, ty, description].into_iter().flatten() {
                told += text.as_str();
                told.push('\n');
            }
        }
    }
    assert_eq!(red > 0, report["verdict"]["status"] != "healthy", "red cases: {red}\n{told}");
    told
}

/// What a remedy tells the user to run, write or open.
fn steps(remedy: &Value) -> Vec<String> {
    let list =
        |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect::<Vec<_>>();
    let mut steps = list(&remedy["edit"]["lines"]);
    let words = list(&remedy["argv"]);
    // A script for the user's own shell may stand there as it is.
    let script = words.strip_prefix(&["sh".to_string(), "-c".to_string()]).unwrap_or(&words);
    steps.push(script.join(" "));
    steps.extend(["summary", "url"].iter().filter_map(|field| remedy[field].as_str()).map(String::from));
    steps
}

/// What stays when the wrapping of lines and every kind of quoting are taken away.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !['`', '\'', '"', '\\'].contains(c)).collect()
}
