//! git, the ssh program it starts, and the command by which it starts it.

use crate::harness::case::{Expected, advised, broken, case};
use crate::harness::namespace::HOME;
use crate::harness::world::World;

/// Links the named programs into ~/bin, which becomes the whole PATH.
fn only(world: &mut World, programs: &[&str]) {
    for program in programs {
        let found = world.user(&["sh", "-c", &format!("command -v {program}")]);
        world.user(&["mkdir", "-p", "bin"]);
        world.user(&["ln", "-s", found.trim(), "bin/"]);
    }
    world.set("PATH", format!("{HOME}/bin"));
}

#[test]
fn no_ssh_on_the_path() {
    broken("ssh-not-found", |world| {
        world.plain();
        only(world, &["git", "sh"]);
    });
}

#[test]
fn no_git_on_the_path() {
    let codes = ["git-not-found"];
    case(
        Expected::Inconclusive,
        &codes,
        |world| {
            world.plain();
            world.git_program = world.user(&["sh", "-c", "command -v git"]).trim().into();
            only(world, &["ssh", "sh"]);
        },
        |world| {
            let (report, git) = world.ask();
            assert!(git.worked(), "{git:?}");
            let Some(report) = report else { return };
            assert_eq!(report["verdict"]["status"], "inconclusive", "{report:#}");
            assert!(crate::harness::judge::findings(&report).any(|finding| finding["code"] == codes[0]), "{report:#}");
        },
    );
}

#[test]
fn ssh_command_is_missing() {
    broken("ssh-command-not-runnable", |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "/opt/openssh/bin/ssh -4");
    });
}

#[test]
fn ssh_command_lost_its_backslashes() {
    broken("ssh-command-not-runnable", |world| {
        world.plain();
        world.git_config("core.sshCommand", r"C:\Windows\System32\OpenSSH\ssh.exe");
    });
}

#[test]
fn git_ssh_holds_a_command_line() {
    broken("ssh-command-not-runnable", |world| {
        world.plain();
        world.set("GIT_SSH", "ssh -4");
    });
}

#[test]
fn git_ssh_is_not_executable() {
    broken("ssh-command-not-runnable", |world| {
        world.plain();
        let wrapper = world.write("ssh-wrapper", "#!/bin/sh\nexec ssh \"$@\"\n", 0o644);
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn git_ssh_has_the_line_ends_of_windows() {
    broken("ssh-command-not-runnable", |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\r\nexec ssh \"$@\"\r\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn ssh_finds_a_damaged_library() {
    broken("ssh-broken", |world| {
        world.plain();
        world.write("lib/libcrypto.so.3", "", 0o755);
        world.write("lib/libcrypto.so.1.1", "", 0o755);
        world.set("LD_LIBRARY_PATH", format!("{HOME}/lib"));
    });
}

#[test]
fn ssh_of_ten_years_ago() {
    advised(&["ssh-outdated"], |world| {
        world.plain();
        world.script(
            "bin/ssh",
            "#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'OpenSSH_6.6.1p1, OpenSSL 1.0.1e-fips 11 Feb 2013' >&2; exit; fi\nexec /usr/bin/ssh \"$@\"\n",
        );
        let path = world.env[std::ffi::OsStr::new("PATH")].to_string_lossy().into_owned();
        world.set("PATH", format!("{HOME}/bin:{path}"));
    });
}

#[test]
fn plink_in_place_of_ssh() {
    advised(&["ssh-not-openssh"], |world| {
        world.plain();
        let plink = world.script(
            "bin/plink",
            "#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'plink: Release 0.78'; exit; fi\n[ \"$1\" = -batch ] && shift\nexec ssh -o BatchMode=yes \"$@\"\n",
        );
        world.set("GIT_SSH", plink);
    });
}

#[test]
fn options_in_the_ssh_command() {
    advised(&["ssh-command-adds-options"], |world| {
        world.key("deploy");
        world.know("{host}");
        world.set("GIT_SSH_COMMAND", "ssh -i ~/.ssh/deploy -o IdentitiesOnly=yes");
    });
}

#[test]
fn options_of_another_program() {
    broken("ssh-variant-wrong", |world| {
        world.plain();
        world.set("GIT_SSH_VARIANT", "tortoiseplink");
    });
}

#[test]
fn variant_without_ports_and_a_url_with_one() {
    broken("ssh-variant-wrong", |world| {
        world.plain();
        world.git_config("ssh.variant", "simple");
        world.url("ssh://git@{host}:22/acme/app.git");
    });
}

#[test]
fn path_with_a_blank_and_no_quotes() {
    broken("ssh-command-not-runnable", |world| {
        world.key("deploy");
        world.know("{host}");
        world.user(&["mkdir", "my keys"]);
        world.user(&["mv", ".ssh/deploy", "my keys/deploy"]);
        world.set("GIT_SSH_COMMAND", "ssh -i ~/my keys/deploy");
    });
}

#[test]
fn host_in_the_command() {
    broken("ssh-command-not-runnable", |world| world.ssh_command("ssh git@{host}"));
}

#[test]
fn option_without_its_value() {
    broken("ssh-command-not-runnable", |world| world.ssh_command("ssh -i"));
}

#[test]
fn option_that_ssh_does_not_have() {
    broken("ssh-command-not-runnable", |world| world.ssh_command("ssh --verbose"));
}

#[test]
fn comment_behind_the_command() {
    broken("ssh-command-not-runnable", |world| world.ssh_command("ssh -i ~/.ssh/id_ed25519 # the key of work"));
}

#[test]
fn private_key_in_place_of_the_program() {
    let codes = ["ssh-command-not-runnable"];
    case(
        Expected::Broken,
        &codes,
        |world| world.ssh_command("~/.ssh/id_ed25519"),
        |world| {
            let Some(report) = world.expect_cause(&codes) else { return };
            assert!(!report.to_string().contains("chmod"), "a key is not to be made executable: {report:#}");
        },
    );
}
