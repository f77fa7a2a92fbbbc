//! git's own configuration, the ssh program it runs, and what that program does.

use std::ffi::OsString;
use std::path::Path;

use crate::case::{Expected, advised, broken, case};
use crate::namespace::{FOREIGN, HOME};
use crate::world::World;

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
fn configuration_file_is_broken() {
    broken(&["git-config-broken"], |world| {
        world.plain();
        world.write(".gitconfig", "[user]\n\tname = dev\n[core\n", 0o644);
    });
}

#[test]
fn configuration_of_the_repository_is_broken() {
    broken(&["git-config-broken"], |world| {
        world.plain();
        world.repository(true);
        world.write("work/.git/config", "[core]\n\tbare = false\n[remote \"origin\"\n", 0o644);
    });
}

#[test]
fn ssh_is_forbidden_by_configuration() {
    broken(&["git-protocol-denied"], |world| {
        world.plain();
        world.git_config("protocol.ssh.allow", "never");
    });
}

#[test]
fn ssh_is_forbidden_by_the_environment() {
    broken(&["git-protocol-denied"], |world| {
        world.plain();
        world.set("GIT_ALLOW_PROTOCOL", "https");
    });
}

#[test]
fn repository_of_another_account() {
    broken(&["git-refuses-repository"], |world| {
        world.plain();
        world.repository(true);
        let foreign = Path::new(FOREIGN).join("repository");
        if foreign.exists() {
            world.cwd = foreign;
        } else {
            // Without root nothing can be made to belong to somebody else; git has a switch for its own tests.
            world.set("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
        }
        world.git = Some(["fetch", "origin"].map(OsString::from).to_vec());
    });
}

#[test]
fn no_ssh_on_the_path() {
    broken(&["ssh-not-found"], |world| {
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
            assert!(crate::judge::findings(&report).any(|finding| finding["code"] == codes[0]), "{report:#}");
        },
    );
}

#[test]
fn ssh_command_is_missing() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "/opt/openssh/bin/ssh -4");
    });
}

#[test]
fn ssh_command_lost_its_backslashes() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.plain();
        world.git_config("core.sshCommand", r"C:\Windows\System32\OpenSSH\ssh.exe");
    });
}

#[test]
fn git_ssh_holds_a_command_line() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.plain();
        world.set("GIT_SSH", "ssh -4");
    });
}

#[test]
fn git_ssh_is_not_executable() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.plain();
        let wrapper = world.write("ssh-wrapper", "#!/bin/sh\nexec ssh \"$@\"\n", 0o644);
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn git_ssh_has_the_line_ends_of_windows() {
    broken(&["ssh-command-not-runnable"], |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\r\nexec ssh \"$@\"\r\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn ssh_finds_a_damaged_library() {
    broken(&["ssh-broken"], |world| {
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
fn plink_does_not_know_the_host() {
    broken(&["plink-host-key-unknown"], |world| {
        world.plain();
        let plink = world.script(
            "bin/plink",
            "#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'plink: Release 0.78'; exit; fi\n\
             echo 'The host key is not cached for this server:' >&2\necho 'FATAL ERROR: Cannot confirm a host key in batch mode' >&2\nexit 1\n",
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
    broken(&["ssh-variant-wrong"], |world| {
        world.plain();
        world.set("GIT_SSH_VARIANT", "tortoiseplink");
    });
}

#[test]
fn variant_without_ports_and_a_url_with_one() {
    broken(&["ssh-variant-wrong"], |world| {
        world.plain();
        world.git_config("ssh.variant", "simple");
        world.url("ssh://git@{host}:22/acme/app.git");
    });
}

#[test]
fn wrapper_prints_into_the_conversation() {
    broken(&["transport-noise"], |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\necho connecting to the repository\nexec ssh \"$@\"\n");
        world.set("GIT_SSH_COMMAND", wrapper);
        world.set("GIT_SSH_VARIANT", "ssh");
    });
}

#[test]
fn wrapper_gives_up_without_a_word() {
    broken(&["git-fails-unexplained"], |world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\ncase \"$*\" in *upload-pack*) exit 1 ;; esac\nexec ssh \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn wrapper_knows_a_key_that_nobody_else_sees() {
    advised(&["git-works-anyway"], |world| {
        world.key("deploy");
        world.user(&["mkdir", "-p", "keys"]);
        world.user(&["mv", ".ssh/deploy", "keys/deploy"]);
        world.user(&["rm", ".ssh/deploy.pub"]);
        world.know("{host}");
        let wrapper =
            world.script("ssh-wrapper", "#!/bin/sh\n[ \"$1\" = -G ] && exec ssh \"$@\"\nexec ssh -i ~/keys/deploy \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}
