//! Asks git and bbdoctor what the parts of a URL are.

use std::process::Command;

use bbdoctor_checks::facts::git_url::{GitUrl, Refused, parse};

/// git's own answer: `protocol`, host with user and port or path, in the words of `--diag-url`.
fn git_says(folder: &std::path::Path, url: &str) -> Option<String> {
    let out = Command::new("git")
        .args(["fetch-pack", "--diag-url", url])
        .current_dir(folder)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .output()
        .expect("git runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    out.status.success().then(|| {
        let lines = text.lines().filter_map(|l| l.strip_prefix("Diag: ")).filter(|l| !l.starts_with("url="));
        lines.collect::<Vec<_>>().join(" ")
    })
}

fn ours(url: &str) -> Option<String> {
    match parse(url).ok()? {
        GitUrl::Ssh(ssh) => Some(format!(
            "protocol=ssh userandhost={}{} port={} path={}",
            ssh.user.map(|u| u + "@").unwrap_or_default(),
            ssh.host,
            ssh.port.map_or("NONE".into(), |p| p.to_string()),
            ssh.path
        )),
        GitUrl::Git { host, path } => Some(format!("protocol=git hostandport={host} path={path}")),
        GitUrl::Local { path } => Some(format!("path={path}")),
        GitUrl::Http(_) | GitUrl::Helper { .. } => None,
    }
}

#[test]
fn urls_are_taken_apart_as_git_does() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status().expect("git runs").success());
    let written = "git@h:22/ws/repo|[git@h:22]:ws/repo|ssh://git@h:7999/P/r.git|ssh://git@h:ws/r|git@[::1]:x|ssh://git@[::1]:22/x\
        |ssh://[::1]/x|ssh://h/~u/x|h:~u/x|h:/~u/x|a@b@h:x|ssh://a%40b@h/x%20y|git@h:|ssh://h|ssh:git@h:x|git@https://h/x|:x|ssh:///x\
        |git+ssh://h/x|ssh+git://h/x|[::1]:x|[h:22]:x|git://h:99/x|file:///a|./-x:y|ssh://h:/x|ssh://h:0/x|ssh://h:99999/x|[h]:22/x\
        |[h]x:y|h:x%20y|./a:b| ssh://h/x|ssh://a@[b@c]:2/x|ssh://h%2Fx/y|ssh://h/x%00y|ssh://git@h:22:x/y|[git@h:22]:|[git@h:22]x";
    let mut urls: Vec<String> = written.split('|').map(String::from).collect();
    // Every short mixture of the characters that matter, from a fixed sequence.
    let parts = ["ssh://", "git@", "h", ":", "22", "/", "[", "]", "ws", "@", "%41", "~", ".git", "::1", "git://"];
    let mut state = 7_u64;
    for _ in 0..160 {
        let mut url = String::new();
        for _ in 0..2 + state % 6 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            url.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        urls.push(url);
    }
    let mut compared = 0;
    for url in &urls {
        if parse(url).is_ok_and(|u| matches!(u, GitUrl::Helper { .. } | GitUrl::Http(_))) || url.starts_with('-') {
            continue;
        }
        let git = git_says(folder.path(), url);
        match (ours(url), git) {
            (Some(ours), Some(git)) if ours.starts_with("path=") => assert!(git.ends_with(&ours), "{url}: {git}"),
            // --diag-url shows a strange path or host that a real fetch refuses.
            (None, Some(_)) if matches!(parse(url), Err(Refused::StrangeHost(_) | Refused::StrangePath(_))) => {}
            (ours, git) => assert_eq!(ours, git, "{url}"),
        }
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}
