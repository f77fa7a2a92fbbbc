//! The repository that git finds, or refuses, from a folder.

use std::fs;
use std::path::Path;

use bbdoctor_checks::facts::git_config::Discovery;

use crate::git_config::Place;

#[test]
fn repositories_are_found_where_git_finds_them() {
    let mut place = Place::new();
    let repository = place.repository();
    place.variables.extend(
        ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]
            .map(|n| (n.to_string(), "x".to_string())),
    );
    assert!(place.git(&repository, &["commit", "-q", "--allow-empty", "-m", "x"]).is_some());
    let tree = place.path("home/tree").display().to_string();
    assert!(place.git(&repository, &["worktree", "add", "-q", "-b", "side", &tree]).is_some());
    assert!(place.git(&place.path("home"), &["init", "-q", "--bare", "bare.git"]).is_some());
    fs::create_dir_all(place.path("home/bad/deep")).expect("a folder");
    fs::write(place.path("home/bad/.git"), "gitdir: /nowhere\n").expect("written");
    fs::create_dir_all(place.path("home/empty/.git")).expect("a folder");
    std::os::unix::fs::symlink(&repository, place.path("home/link")).expect("a link");
    let (work, app) = (place.path("home/work").display().to_string(), repository.display().to_string());

    let folders = [
        "home",
        "home/work/app/deep",
        "home/tree",
        "home/bare.git/refs",
        "home/bad/deep",
        "home/empty",
        "home/link",
        "home/work/app/.git",
    ];
    let settings: [&[(&str, &str)]; 7] = [
        &[],
        &[("GIT_CEILING_DIRECTORIES", work.as_str())],
        &[("GIT_CEILING_DIRECTORIES", app.as_str())],
        &[("GIT_DIR", "/nowhere")],
        &[("GIT_DIR", "../app/.git")],
        &[
            ("GIT_TEST_NONE", "1"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.bareRepository"),
            ("GIT_CONFIG_VALUE_0", "explicit"),
        ],
        &[("GIT_DISCOVERY_ACROSS_FILESYSTEM", "1")],
    ];
    let before = place.variables.len();
    let mut found = 0;
    for folder in folders {
        for setting in settings {
            place.variables.extend(setting.iter().map(|(n, v)| (n.to_string(), v.to_string())));
            let folder = place.path(folder);
            let git = place.git(&folder, &["rev-parse", "--absolute-git-dir"]);
            let config = place.ours(&folder);
            let same = |path: &Path| path.canonicalize().ok();
            let ours = config.repository().and_then(|r| same(&r.git_dir));
            assert_eq!(
                ours,
                git.as_deref().and_then(|g| same(Path::new(g.trim_end()))),
                "{} {setting:?}: {:?}",
                folder.display(),
                config.discovery
            );
            let branch = place.git(&folder, &["symbolic-ref", "-q", "--short", "HEAD"]);
            assert_eq!(config.repository().and_then(|r| r.branch.clone()), branch.map(|b| b.trim().to_string()));
            found += usize::from(git.is_some());
            place.variables.truncate(before);
        }
    }
    assert!((20..50).contains(&found), "{found}");
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that cannot run says so")]
fn a_repository_of_somebody_else_is_refused_as_git_refuses_it() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("only root can give a folder away: not tested here");
        return;
    }
    let place = Place::new();
    let repository = place.repository();
    let app = repository.display().to_string();
    let give = |path: &Path, uid: u32| std::os::unix::fs::chown(path, Some(uid), Some(uid)).expect("root can");
    for (gift, sudo, safe) in [
        ("", None, ""),
        (".git", None, ""),
        ("", Some("4242"), ""),
        ("", Some("4243"), ""),
        ("", None, "*"),
        ("", None, app.as_str()),
        ("", None, "~/work/app"),
        ("", None, "~/work/*"),
        ("", None, "~/*"),
        ("", None, "~/wor*"),
        ("", None, "relative/app"),
        ("", None, "."),
        (".git", None, "~/work/app/"),
    ] {
        let mut place = Place { root: tempfile::tempdir().expect("a folder"), variables: place.variables.clone() };
        place.variables.extend(sudo.map(|s| ("SUDO_UID".to_string(), s.to_string())));
        give(&repository, 0);
        give(&repository.join(".git"), 0);
        give(&repository.join(gift), 4242);
        let home = repository.parent().and_then(Path::parent).expect("a home");
        fs::write(home.join(".gitconfig"), format!("[safe]\ndirectory = {safe}\n")).expect("written");
        let (good, _, words) = place.run(&repository.join("deep"), &["rev-parse", "--git-dir"]);
        let config = place.ours(&repository.join("deep"));
        let refused = matches!(config.discovery, Discovery::Dubious { .. });
        assert_eq!(refused, words.contains("dubious ownership"), "{gift} {sudo:?} {safe}: {words}");
        assert_eq!(refused, !good);
    }
}
