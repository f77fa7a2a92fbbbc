//! Who may read and write ssh's configuration.

use std::path::Path;

use crate::harness::case::{advised, broken};
use crate::harness::namespace::{FOREIGN, bind, chmod};
use crate::harness::remedies::fixed;

#[test]
fn others_may_write_it() {
    broken("config-permissions-too-open", |world| {
        world.plain_with("Host {host}\n  User git\n");
        chmod(&world.ssh("config"), 0o666);
    });
}

#[test]
fn others_may_write_an_included_file() {
    broken("config-permissions-too-open", |world| {
        world.plain_with("Include work.conf\n");
        world.write(".ssh/work.conf", "Host {host}\n  User git\n", 0o646);
    });
}

#[test]
fn it_belongs_to_another_account() {
    broken("config-wrong-owner", |world| {
        world.plain_with("");
        // Without root nothing can be given away, but then root's own files are foreign here.
        let given = Path::new(FOREIGN).join("config");
        let foreign = if given.exists() { given.as_path() } else { Path::new("/usr/lib/os-release") };
        bind(foreign, &world.ssh("config"));
    });
}

#[test]
fn it_cannot_be_read_and_says_nothing() {
    advised(&["config-unreadable"], |world| {
        world.plain_with("Host {host}\n  User git\n");
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn included_file_is_shut() {
    fixed("config-unreadable", |world| {
        world.key_named("bitbucket", "Include conf.d/*\n");
        world.write(".ssh/conf.d/bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o000);
    });
}
