//! The broken clone that the README shows, as bbdoctor tells it.

use std::time::Duration;

use crate::harness::case::{Expected, case};
use crate::harness::namespace::{BBDOCTOR, chmod};
use crate::harness::server::Names;
use crate::harness::world::{World, ip};
use crate::kept;

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
        let mut lines: Vec<String> = said.lines().filter_map(|line| line.strip_prefix(SHOWN)).map(settled).collect();
        wrap_anew(&mut lines);
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
            // A table shows its beginning only.
            let length = "SHA256:".len() + fingerprint.len() - after.len();
            words[at] = format!("{before}{}{after}", &FINGERPRINT[..length]);
        }
        let unit = words.get(at + 1).map(|next| next.trim_matches(|c: char| !c.is_alphanumeric()));
        if matches!(unit, Some("ms" | "s")) && words[at].parse::<f64>().is_ok() {
            words[at] = "…".into();
        }
    }
    words.join(" ")
}

/// Puts the route into lines again: where they ended depended on how long each step took.
fn wrap_anew(lines: &mut Vec<String>) {
    let first = lines.iter().position(|line| line.starts_with("Route: ")).expect("the route is shown");
    let rest = lines[first + 1..].iter().take_while(|line| line.starts_with("    ")).count();
    let route: Vec<String> = lines.drain(first..=first + rest).map(|line| line.trim().to_owned()).collect();
    let mut wrapped = vec![String::new()];
    for step in route.join(" ").split_inclusive(" > ") {
        let line = wrapped.last_mut().unwrap();
        if line.len() + step.trim_end().len() > 80 {
            wrapped.push(format!("    {step}"));
        } else {
            line.push_str(step);
        }
    }
    lines.splice(first..first, wrapped.iter().map(|line| line.trim_end().to_owned()));
}
