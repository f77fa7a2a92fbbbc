//! The pages, as `bbdoctor explain` prints them: every command in them is one that its program takes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{bbdoctor, finished};

/// Blocks of shell lines, each with the page it stands in.
fn blocks() -> Vec<(String, String)> {
    let ids: Vec<String> = bbdoctor(&["checks"]).lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let in_page = |id: &String| {
        let page = bbdoctor(&["explain", id]);
        let blocks: Vec<_> =
            page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n")).map(str::to_owned).collect();
        blocks.into_iter().map(|block| (id.clone(), block)).collect::<Vec<_>>()
    };
    ids.iter().flat_map(in_page).collect()
}

/// The simple commands of a line, as words; what is expanded by the shell stays as it is written. What follows a comment that
/// names another system is not for this one.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (line, comment) = line.split_once(" #").unwrap_or((line, ""));
    if comment.contains("macOS") && !comment.contains("Linux") {
        return Vec::new();
    }
    // shlex knows no operators: blanks around those that stand outside quotes.
    let mut spaced = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if matches!(c, '|' | ';' | '<' | '>' | '&') => {
                spaced.extend([' ', c, ' ']);
                continue;
            }
            _ => {}
        }
        spaced.push(c);
    }
    let words = shlex::split(&spaced).unwrap_or_else(|| panic!("{line}"));
    let mut found = Vec::new();
    for command in words.split(|word| matches!(word.as_str(), "|" | ";" | "&")) {
        // Redirections, with the number before them, and assignments.
        let end = command.iter().position(|word| matches!(word.as_str(), "<" | ">")).unwrap_or(command.len());
        let end = if end > 0 && end < command.len() && matches!(command[end - 1].as_str(), "2" | "1") { end - 1 } else { end };
        let command = &command[..end];
        // An ssh command for git is a command, too.
        for (at, word) in command.iter().enumerate() {
            let next = command.get(at + 1).filter(|_| word == "core.sshCommand").map(String::as_str);
            let ssh = word.split_once("GIT_SSH_COMMAND=").or(word.split_once("core.sshCommand=")).map(|(_, value)| value).or(next);
            found.extend(ssh.and_then(shlex::split).filter(|words| words[0] == "ssh").map(|mut words| {
                words.push("ssh.bitbucket.org".into());
                words
            }));
        }
        let before = ["time", "env", "sudo", "-u", "-H", "SERVICE", "LD_LIBRARY_PATH", "LD_PRELOAD"];
        let begin =
            command.iter().position(|word| !before.contains(&word.as_str()) && !word.contains('=')).unwrap_or(command.len());
        if command.get(begin).is_some_and(|word| ["git", "ssh", "ssh-keygen", "ssh-add"].contains(&word.as_str())) {
            found.push(command[begin..].to_vec());
        }
    }
    found
}

/// What a program says when it is given these words, where nothing can be reached or changed: the home is `home`, and there is no
/// agent. `None` for what cannot be tried.
fn complaint(words: &[String], home: &Path) -> Option<String> {
    let at_home = |word: &String| word.replace("~/", &format!("{}/", home.display())).replace("$HOME", &home.to_string_lossy());
    let mut arguments: Vec<String> = words[1..].iter().map(at_home).collect();
    let mut program = Command::new(if words[0] == "ssh-add" { "ssh-agent" } else { &words[0] });
    program
        .env("HOME", home)
        .env_remove("SSH_AUTH_SOCK")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .current_dir(home);
    let wrong: &[&str] = match words[0].as_str() {
        // -G checks the options and connects to nobody; a configuration file that is not there would be another matter.
        "ssh" if !arguments.iter().any(|word| ["-V", "-Q", "-O"].contains(&word.as_str())) => {
            arguments.splice(0..0, ["-G".into()]);
            if let Some(at) = arguments.iter().position(|word| word == "-F") {
                arguments[at + 1] = "none".into();
            } else {
                arguments.splice(0..0, ["-F".into(), "none".into()]);
            }
            &["usage:", "unknown option", "Bad configuration option", "command-line", "Unsupported option"]
        }
        "ssh" if arguments.iter().any(|word| word == "-O") => return None,
        "ssh" => &["usage:", "unknown option", "Unsupported query"],
        // Without -f it would take the account's own files, whatever the home is said to be.
        "ssh-keygen" => {
            if !arguments.iter().any(|word| word == "-f" || word.ends_with('f') && word.starts_with('-')) {
                arguments.extend(["-f".into(), home.join("none").to_string_lossy().into_owned()]);
            }
            &["usage:", "unknown option", "illegal option", "Too many arguments"]
        }
        // It looks for an agent before it looks at its options, so it gets one of its own.
        "ssh-add" => {
            arguments.splice(0..0, [words[0].clone()]);
            &["usage:", "unknown option", "illegal option", "invalid option"]
        }
        "git" => &["usage:", "unknown option", "is not a git command", "unknown switch"],
        _ => return None,
    };
    let done = finished(program.args(&arguments));
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    wrong.iter().any(|wrong| said.contains(wrong)).then_some(said)
}

#[test]
fn every_command_is_one_that_its_program_takes() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    let repository = finished(Command::new("git").args(["init", "-q"]).current_dir(home.path()));
    assert!(repository.status.success());
    let mut tried = 0;
    for (page, block) in blocks() {
        for words in block.lines().flat_map(commands) {
            if let Some(said) = complaint(&words, home.path()) {
                panic!("{page}: {words:?}\n{said}");
            }
            tried += 1;
        }
    }
    assert!(tried > 200, "only {tried} commands were found");
}

#[test]
fn every_block_of_lines_is_one_that_a_shell_takes() {
    for (page, block) in blocks() {
        let done = finished(Command::new("bash").args(["-n", "-c", &block]));
        assert!(done.status.success() && done.stderr.is_empty(), "{page}:\n{block}{}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn a_terminal_gets_a_page_to_read_and_a_pipe_its_source() {
    let source = bbdoctor(&["explain", "no-remote"]);
    assert!(source.starts_with("## no-remote\n\n**What it means.**"), "{source}");
    let line = format!("'{}' explain no-remote", env!("CARGO_BIN_EXE_bbdoctor"));
    let done = finished(Command::new("script").args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR"));
    let shown = String::from_utf8(done.stdout).unwrap();
    assert!(shown.contains("\u{1b}[1mWhat it means.\u{1b}[0m") && !shown.contains("**") && !shown.contains("```"), "{shown}");
}
