//! The broken clone that the README shows, as bbdoctor tells it.

use std::time::Duration;

use crate::case::{Expected, case};
use crate::kept;
use crate::namespace::{BBDOCTOR, chmod};
use crate::server::Names;
use crate::world::{World, ip};

/// Marks the lines of the inner run's output that are bbdoctor's.
const SHOWN: &str = "bbdoctor-shown: ";
/// Stands for the fingerprint, which is another one in each run.
const FINGERPRINT: &str = "SHA256:xYV80/+kyaPfV8ACGejQyzEZWlxaHPurgyNOy+wUGhA";

#[test]
fn broken_clone() {
    let codes = &["key-permissions-too-open"];
    let arrange = |world: &mut World| {
        assert_eq!(world.host, "ssh.bitbucket.org", "the README shows the present name; call this test otherwise");
        world.plain();
        // An address that is neither this machine's nor private (RFC 2544 keeps it for tests), and that no hosts file pins.
        world.names.clear();
        world.name_server(Names::Address([198, 18, 0, 22]));
        ip("address add 198.18.0.22/32 dev lo");
        world.listen = vec![("198.18.0.22", 22)];
        chmod(&world.ssh("id_ed25519"), 0o644);
    };
    let said = case(Expected::Broken, codes, arrange, |world| {
        world.expect_cause(codes);
        let done = world.run(BBDOCTOR.as_ref(), std::slice::from_ref(&world.url), Duration::from_secs(60));
        println!();
        for line in String::from_utf8(done.stdout).unwrap().lines() {
            println!("{SHOWN}{line}");
        }
    });
    if let Some(said) = said {
        let lines: Vec<String> = said.lines().filter_map(|line| line.strip_prefix(SHOWN)).map(settled).collect();
        let shown = lines.join("\n");
        kept::readme(&[("example", format!("```\n$ bbdoctor git@ssh.bitbucket.org:acme/app.git\n{shown}\n```\n"))]);
    }
}

/// The line with what differs from run to run replaced: fingerprints, and how long something took.
fn settled(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for at in 0..words.len() {
        if let Some((before, fingerprint)) = words[at].split_once("SHA256:") {
            let after = fingerprint.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'));
            words[at] = format!("{before}{FINGERPRINT}{after}");
        }
        let unit = words.get(at + 1).map(|next| next.trim_matches(|c: char| !c.is_alphanumeric()));
        if matches!(unit, Some("ms" | "s")) && words[at].parse::<f64>().is_ok() {
            words[at] = "…".into();
        }
    }
    words.join(" ")
}
