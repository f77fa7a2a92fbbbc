//! Completions: what the shells read, and what they are offered.

use std::path::Path;
use std::process::Command;

use crate::{bbdoctor, finished, kept};

/// The folder with bbdoctor in front of the usual ones.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_bbdoctor"));
    format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default())
}

/// Whether a shell is here; the completions of one that is not are compared with what is kept, and no more.
fn installed(shell: &str) -> bool {
    let here = Command::new(shell).arg("--version").output().is_ok_and(|done| done.status.success());
    if !here {
        eprintln!("{shell} is not installed: its completions were not run");
    }
    here
}

/// Runs `script` in a shell; it must succeed and complain of nothing.
fn run(shell: &str, options: &[&str], script: &str) -> String {
    let done = finished(Command::new(shell).args(options).arg(script).env("PATH", path()));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && errors.is_empty(), "{shell}: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn scripts() {
    let shells = [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute"), ("elvish", "-compileonly"), ("powershell", "")];
    let scripts = shells.map(|(shell, _)| (format!("tests/snapshots/completions-{shell}"), bbdoctor(&["completions", shell])));
    kept::files(&scripts);
    for ((shell, check), (path, _)) in shells.iter().zip(&scripts) {
        if !check.is_empty() && (*shell == "bash" || installed(shell)) {
            run(shell, &[check], &Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_string_lossy());
        }
    }
}

/// What bash offers at the end of `line`, by the script and the function it registers.
fn bash(words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        r#"source <(bbdoctor completions bash)
        function=$(complete -p bbdoctor); function=${{function##*-F }}; function=${{function%% *}}
        COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9
        "$function" bbdoctor "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
        printf '%s\n' "${{COMPREPLY[@]}}""#,
        quoted.join(" ")
    );
    run("bash", &["-c"], &script).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes() {
    assert_eq!(bash(&["bbdoctor", "--only", "ha"]), ["handshake"]);
    assert_eq!(bash(&["bbdoctor", "--skip", "key-files,ha"]), ["key-files,handshake"]);
    assert_eq!(bash(&["bbdoctor", "explain", "key-not"]), ["key-not-registered", "key-not-offered"]);
    assert_eq!(bash(&["bbdoctor", "explain", "hands"]), ["handshake", "handshake-timeout"]);
    assert_eq!(bash(&["bbdoctor", "comp"]), ["completions"]);
    assert_eq!(bash(&["bbdoctor", "--off"]), ["--offline"]);
    assert_eq!(bash(&["bbdoctor", "--only", "nothing"]), [""]);
}

#[test]
fn fish_completes() {
    if !installed("fish") {
        return;
    }
    let offered = |line: &str| {
        let script = format!("bbdoctor completions fish | source; complete -C '{line}'");
        run("fish", &["--no-config", "-c"], &script)
            .lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(offered("bbdoctor --only ha"), ["handshake"]);
    assert_eq!(offered("bbdoctor --skip key-files,ha"), ["key-files,handshake"]);
    assert_eq!(offered("bbdoctor explain key-not"), ["key-not-registered", "key-not-offered"]);
}

#[test]
fn a_variable_that_asks_nothing_changes_nothing() {
    for (shell, words) in [("bash", &["checks"]), ("fish", &["checks"])] {
        let done = finished(Command::new(env!("CARGO_BIN_EXE_bbdoctor")).args(words).env("BBDOCTOR_COMPLETE", shell));
        assert_eq!(String::from_utf8_lossy(&done.stdout), bbdoctor(words), "{shell}");
    }
}
