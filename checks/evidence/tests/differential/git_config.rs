//! Asks git and bbdoctor the same questions about the same configurations, which a seeded generator writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bbdoctor_checks::facts::environment::Environment;
use bbdoctor_checks::facts::git_config::remotes::{Allowed, UrlUse};
use bbdoctor_checks::facts::git_config::{ConfigFault, GitConfig, GitSetting, Scope};
use bbdoctor_evidence::git::config;

use crate::random::Random;

/// A home, a repository in it, and the environment that both sides see.
pub(crate) struct Place {
    pub(crate) root: tempfile::TempDir,
    pub(crate) variables: Vec<(String, String)>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["home/.config/git", "home/work/app", "home/work/app/deep"] {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        let home = root.path().join("home");
        let variables = vec![
            ("HOME".to_string(), home.display().to_string()),
            ("GIT_CONFIG_NOSYSTEM".to_string(), "1".to_string()),
            ("LC_ALL".to_string(), "C".to_string()),
        ];
        let place = Place { root, variables };
        assert!(place.git(&place.repository(), &["init", "-q", "-b", "main"]).is_some());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("home/work/app")
    }

    pub(crate) fn run(&self, folder: &Path, args: &[&str]) -> (bool, String, String) {
        let mut git = Command::new("git");
        git.args(args).current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").expect("a PATH"));
        let out = git.envs(self.variables.iter().cloned()).output().expect("git runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (out.status.success(), text(out.stdout), text(out.stderr))
    }

    pub(crate) fn git(&self, folder: &Path, args: &[&str]) -> Option<String> {
        let (good, stdout, _) = self.run(folder, args);
        good.then_some(stdout)
    }

    pub(crate) fn ours(&self, folder: &Path) -> GitConfig {
        let path = std::env::var_os("PATH").expect("a PATH").to_string_lossy().into_owned();
        let environment: Environment = self.variables.iter().cloned().chain([("PATH".to_string(), path)]).collect();
        config::read(&environment, folder)
    }

    /// `git config --list`: origin, key and value of everything, as git sees it.
    pub(crate) fn listing(&self, folder: &Path) -> Option<Vec<String>> {
        let text = self.git(folder, &["config", "--list", "--show-origin", "-z"])?;
        let mut parts = text.split('\0');
        let mut out = Vec::new();
        while let (Some(origin), Some(pair)) = (parts.next(), parts.next()) {
            let file = match origin.strip_prefix("file:") {
                // git names the repository's own file relative to the top of the working tree.
                Some(file) => {
                    let file = folder.ancestors().find_map(|f| f.join(file).canonicalize().ok());
                    file.expect("the file is there").display().to_string()
                }
                None => "command line".to_string(),
            };
            out.push(format!("{file} {}", pair.replacen('\n', "=", 1)));
        }
        Some(out)
    }
}

fn our_listing(config: &GitConfig) -> Vec<String> {
    let line = |e: &GitSetting| {
        let file = match &e.origin.file {
            Some(file) => file.canonicalize().expect("the file is there").display().to_string(),
            None => "command line".to_string(),
        };
        let value = e.value.as_ref().map(|v| format!("={}", String::from_utf8_lossy(v))).unwrap_or_default();
        format!("{file} {}{value}", e.key)
    };
    config.settings.iter().map(line).collect()
}

const URLS: [&str; 9] = [
    "git@bitbucket.org:acme/app.git",
    "https://bitbucket.org/acme/app",
    "bb:acme/app",
    "bb:",
    "ssh://git@h:7999/p/r",
    "h:x",
    "work/app",
    "git@github.com:a/b",
    "bb:acme/lib",
];
const BEGINNINGS: [&str; 9] =
    ["git@bitbucket.org:", "https://bitbucket.org/", "bb:", "bb:acme/", "bb:acme/app", "h", "", "work/", "git@"];

fn random_text(random: &mut Random, local: bool) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(7) {
        let section = match random.below(12) {
            0 | 1 => {
                let remote = random.of(&["origin", "up.stream", "Work", "a b"]);
                let key = random.of(&["url", "pushurl", "URL", "proxy"]);
                format!("[remote \"{remote}\"]\n\t{key} = {}\n", random.of(&URLS))
            }
            2..=4 => {
                let base = random.of(&["git@bitbucket.org:", "ssh://x/", "https://e/", "h:", "Git@B:"]);
                let key = random.of(&["insteadOf", "pushInsteadOf", "InsteadOf"]);
                format!("[url \"{base}\"]\n  {key} = \"{}\"\n", random.of(&BEGINNINGS))
            }
            5 => format!(
                "[core] ; c\n sshCommand = {}\n",
                random.of(&["ssh -i k", "\"ssh -i \\\"a b\\\"\"", "ssh \\\n  -v", "a   # no", "\"a  \" b ", ""])
            ),
            6 => format!(
                "[branch \"main\"]\n\tremote = {}\n pushRemote={}\n",
                random.of(&["origin", "Work", "nope"]),
                random.of(&["a b", "Work"])
            ),
            7 if !local => {
                let how = random.of(&[
                    "include",
                    "includeIf \"gitdir:~/work/\"",
                    "includeIf \"gitdir:~/work\"",
                    "includeIf \"gitdir:app/\"",
                    "includeIf \"gitdir/i:~/WORK/\"",
                    "includeIf \"gitdir:./work/\"",
                    "includeIf \"gitdir:**/a?p/.git\"",
                    "includeIf \"onbranch:ma*\"",
                    "includeIf \"onbranch:feature/\"",
                    "includeIf \"hasconfig:remote.*.url:git@*:acme/**\"",
                    "IncludeIf \"unknown:x\"",
                ]);
                let path = random.of(&["extra", "~/extra", "./extra", "missing", ".gitextra/../extra"]);
                // What follows in the section is read after the included file.
                format!("[{how}]\n\tpath = {path}\n[include]\nother = 1\n")
            }
            8 => format!("[Alias.{}]\nX-y = 1\nflag\n\n", random.of(&["Dotted", "a.B"])),
            9 => format!("[remote]\n\tpushDefault = {}\n", random.of(&["Work", "origin"])),
            10 => format!(
                "[protocol{}]\r\n\tallow = {}\r\n",
                random.of(&["", " \"ssh\"", " \"file\""]),
                random.of(&["always", "never", "User"])
            ),
            _ => format!("# c\n[a \"q\\\"\\\\\"] b = {}\n", random.of(&["x\\ty", "\"#\" ; z", "  lead", "é\t t", "\"\" x"])),
        };
        text.push_str(&section);
    }
    if random.below(25) == 0 {
        text.push_str(random.of(&[
            "[core\n",
            "[a]\nb = \"x\n",
            "key value\n",
            "[a]\n b = \\q\n",
            "[a]\nx # y\n",
            "[includeIf \"onbranch:ma*\"]\npath\n",
        ]));
    }
    text
}

#[test]
fn git_and_we_read_the_same() {
    let mut random = Random(12345);
    let (mut questions, mut rewritten, mut broken) = (0, 0, 0);
    for round in 0..60 {
        let mut place = Place::new();
        let home = place.path("home");
        for (file, local) in [(".gitconfig", false), (".config/git/config", false), ("extra", true), ("work/app/.git/config", true)]
        {
            if random.below(4) > 0 {
                let mut text = random_text(&mut random, local);
                if file.ends_with(".git/config") {
                    text.insert_str(0, "[core]\n\trepositoryformatversion = 0\n\tbare = false\n");
                }
                fs::write(home.join(file), text).expect("written");
            }
        }
        match random.below(5) {
            0 => place.variables.extend([
                ("GIT_CONFIG_COUNT".into(), "2".into()),
                ("GIT_CONFIG_KEY_0".into(), "Url.git@H:.insteadOf".into()),
                ("GIT_CONFIG_VALUE_0".into(), random.of(&BEGINNINGS).into()),
                ("GIT_CONFIG_KEY_1".into(), "core.sshCommand".into()),
                ("GIT_CONFIG_VALUE_1".into(), "it's".into()),
            ]),
            1 => place.variables.push((
                "GIT_CONFIG_PARAMETERS".into(),
                random
                    .of(&["'core.sshcommand'='a'\\''b' 'a.b'", "'Remote.Origin.url=x y'", "'url.z:.insteadof'='bb:'  'x.Y.z'=''"])
                    .into(),
            )),
            _ => {}
        }
        let folder = [place.repository(), place.path("home/work/app/deep"), place.path("home")][random.below(3)].clone();
        let config = place.ours(&folder);
        let context = format!("round {round} in {}", folder.display());

        questions += 1;
        let Some(listing) = place.listing(&folder) else {
            let (_, _, words) = place.run(&folder, &["config", "--list"]);
            let fault = config.fault.as_ref().unwrap_or_else(|| panic!("{context}: git says {words}"));
            if let ConfigFault::BadLine { file, line, .. } = fault {
                let name = file.strip_prefix(&folder).unwrap_or(file).display();
                assert!(words.contains(&format!("bad config line {line} in file")), "{context}: {name} {line}: {words}");
            }
            broken += 1;
            continue;
        };
        assert_eq!(config.fault, None, "{context}");
        assert_eq!(our_listing(&config), listing, "{context}");

        for key in ["core.sshCommand", "remote.pushDefault", "remote.origin.url", "alias.dotted.x-y", "protocol.ssh.allow"] {
            let answer = place.git(&folder, &["config", "--show-scope", "--show-origin", "--get", "-z", key]);
            let parts: Option<Vec<String>> = answer.map(|a| a.split('\0').map(String::from).collect());
            let ours = config.get(&key.to_lowercase());
            questions += 1;
            match (parts, ours) {
                (Some(parts), Some(entry)) => {
                    assert_eq!(entry.text(), parts[2], "{context} {key}");
                    assert_eq!(format!("{:?}", entry.origin.scope).to_lowercase(), parts[0], "{context} {key}");
                    if let (Some(file), Some(line)) = (&entry.origin.file, entry.origin.line) {
                        // The line we name holds the key.
                        let text = fs::read_to_string(file).expect("readable").lines().nth(line - 1).map(str::to_lowercase);
                        let name = key.rsplit('.').next().expect("a name").to_lowercase();
                        assert!(text.as_ref().is_some_and(|t| t.contains(&name)), "{context} {key}: {text:?}");
                    }
                }
                (None, None) => {}
                (git, ours) => panic!("{context} {key}: git {git:?}, we {ours:?}"),
            }
        }
        for url in URLS {
            questions += 1;
            let (good, git, words) = place.run(&folder, &["ls-remote", "--get-url", url]);
            assert!(good, "{context}: {words}");
            // A remote of that name would be another question.
            let ours = config.rewrite(url, UrlUse::Fetch);
            rewritten += usize::from(ours.rule.is_some());
            assert_eq!(ours.result, git.trim_end_matches('\n'), "{context} {url}");
        }
        for remote in config.remotes() {
            for push in [false, true] {
                let mut args = vec!["remote", "get-url", "--all"];
                args.extend(push.then_some("--push"));
                args.push(&remote.name);
                questions += 1;
                let ours: Vec<String> = config.urls(&remote, push).into_iter().map(|(_, r)| r.result).collect();
                match place.git(&folder, &args) {
                    Some(git) => {
                        assert_eq!(ours, git.lines().map(String::from).collect::<Vec<_>>(), "{context} {} {push}", remote.name)
                    }
                    // `git remote` speaks of the repository's own remotes only.
                    None => {
                        let own = config.settings.iter().any(|e| {
                            e.within("remote").is_some_and(|(name, _)| name == Some(&remote.name))
                                && matches!(e.origin.scope, Scope::Local | Scope::Worktree)
                        });
                        assert!(!own || remote.url.is_empty(), "{context}: git knows no {}", remote.name);
                    }
                }
            }
        }
    }
    assert!(questions >= 300 && rewritten > 30 && broken > 0, "{questions} questions, {rewritten} rewritten, {broken} broken");
}

#[test]
fn the_remote_without_arguments_is_gits() {
    for (text, fetch, push) in [
        ("[remote \"work\"]\nurl=/w\n", "/w", "/w"),
        ("[remote \"work\"]\nurl=/w\n[remote \"x\"]\nurl=/x\n[remote \"origin\"]\nurl=/o\n", "/o", "/o"),
        ("[remote \"work\"]\nurl=/w\n[remote \"x\"]\nurl=/x\n[branch \"main\"]\nremote=x\npushRemote=work\n", "/x", "/w"),
        (
            "[remote \"work\"]\nurl=/w\n[remote \"x\"]\nurl=/x\n[remote]\npushDefault=work\n[branch \"main\"]\nremote=x\n",
            "/x",
            "/w",
        ),
    ] {
        let place = Place::new();
        let folder = place.repository();
        fs::write(folder.join(".git/config"), format!("[core]\nbare=false\n{text}")).expect("written");
        let config = place.ours(&folder);
        assert_eq!(place.git(&folder, &["ls-remote", "--get-url"]).expect("git answers").trim(), fetch, "{text}");
        for (push, url) in [(false, fetch), (true, push)] {
            let name = config.default_remote(push);
            let remote = config.remotes().into_iter().find(|r| r.name == name).expect("it is there");
            assert_eq!(config.urls(&remote, push)[0].1.result, url, "{text}");
        }
        // git's own words name the remote that a push goes to.
        let (_, _, words) = place.run(&folder, &["push", "--dry-run"]);
        assert!(words.contains(&format!("'{push}'")) || words.contains("refspec") || words.contains("upstream"), "{words}");
    }
}

#[test]
fn transports_are_allowed_as_git_allows_them() {
    let mut place = Place::new();
    let folder = place.path("home");
    place.variables.push(("GIT_SSH_COMMAND".into(), "exit 9;".into()));
    let before = place.variables.len();
    for text in [
        "",
        "[protocol]\nallow=never\n",
        "[protocol \"ssh\"]\nallow=Never\n[protocol]\nallow=always\n",
        "[protocol \"ssh\"]\nallow=user\n",
        "[protocol]\nallow=maybe\n",
    ] {
        for variable in [
            None,
            Some(("GIT_ALLOW_PROTOCOL", "https:ssh")),
            Some(("GIT_ALLOW_PROTOCOL", "https")),
            Some(("GIT_PROTOCOL_FROM_USER", "0")),
        ] {
            place.variables.extend(variable.map(|(n, v)| (n.to_string(), v.to_string())));
            fs::write(folder.join(".gitconfig"), text).expect("written");
            let (_, _, words) = place.run(&folder, &["ls-remote", "git@127.0.0.1:x"]);
            let environment: Environment = place.variables.iter().cloned().collect();
            let ours = place.ours(&folder).allowed(&environment, "ssh");
            let git = words.contains("Could not read from remote repository");
            assert_eq!(ours == Allowed::Yes, git, "{text} {variable:?}: {ours:?} {words}");
            place.variables.truncate(before);
        }
    }
}

#[test]
fn what_git_dies_of_is_found() {
    for (files, words) in [
        (&[(".gitconfig", "[include]\npath = .gitconfig\n")][..], "exceeded maximum include depth"),
        (&[(".gitconfig", "[include]\npath = a\n"), ("a", "[include]\npath = b\n"), ("b", "[x]\ny\n")], ""),
        (&[(".gitconfig", "[include]\npath = ~nobody-of-that-name/x\n")], "could not expand include path"),
        (&[(".gitconfig", "[include]\npath = work\n")], "Is a directory"),
        (&[(".gitconfig", "[include]\npath = a\n"), ("a", "[x\n")], "bad config line 1 in file"),
        (&[(".gitconfig", "\u{feff}[x]\ny = 1\n")], ""),
        (
            &[(".gitconfig", "[includeIf \"hasconfig:remote.*.url:none\"]\npath = a\n"), ("a", "[remote \"x\"]\nurl = y\n")],
            "remote URLs cannot be configured",
        ),
    ] {
        let place = Place::new();
        let home = place.path("home");
        for (name, text) in files {
            fs::write(home.join(name), text).expect("written");
        }
        let (good, _, said) = place.run(&home, &["config", "--list"]);
        let fault = place.ours(&home).fault;
        assert_eq!(good, words.is_empty(), "{files:?}: {said}");
        assert!(said.contains(words), "{files:?}: {said}");
        assert_eq!(fault.is_none(), good, "{files:?}: {fault:?}");
    }
}
