//! Files that repeat what bbdoctor says. They are compared exactly. With `BBDOCTOR_UPDATE=1` they are written anew; the test
//! that wrote one fails all the same, so that what changed is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

/// Each file (from the top of the repository) holds what is said.
pub(crate) fn files(said: &[(String, String)]) {
    let differ: Vec<String> = said.iter().filter_map(|(path, said)| differs(&at_top(path), said)).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// For each name, the lines of README.md between `<!-- NAME -->` and `<!-- end of NAME -->` are what is said.
pub(crate) fn readme(said: &[(&str, String)]) {
    let path = at_top("README.md");
    // Several tests may write it at the same time.
    let _writer = Flock::lock(fs::File::open(&path).unwrap(), FlockArg::LockExclusive).unwrap();
    let old = fs::read_to_string(&path).unwrap();
    let new = said.iter().fold(old, |text, (name, said)| {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
        let parts = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let (before, after) = parts.unwrap_or_else(|| panic!("README.md lacks the lines {begin}and {end}"));
        format!("{before}{begin}{said}{end}{after}")
    });
    files(&[("README.md".into(), new)]);
}

fn at_top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What is to be told of a file that is not what it should be; it may have been written anew.
fn differs(path: &Path, new: &str) -> Option<String> {
    let old = fs::read_to_string(path).unwrap_or_default();
    if old == new {
        return None;
    }
    if std::env::var_os("BBDOCTOR_UPDATE").is_some() {
        fs::write(path, new).unwrap();
        return Some(format!("{} was written anew: look at what changed, and run the test again", path.display()));
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(nothing)").to_owned();
    Some(format!(
        "{}:{}: BBDOCTOR_UPDATE=1 writes it anew\n  kept: {}\n  said: {}",
        path.display(),
        same + 1,
        line(&old),
        line(new)
    ))
}
