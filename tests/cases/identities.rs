//! Which key ssh comes to: names, places, order, certificates, agents and accounts that are easily taken for something else.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::case::{Expected, broken, case, healthy, uncertain};
use crate::key_files::certificate;
use crate::mend::mended;
use crate::namespace::{HOME, chmod, passwd};
use crate::repository::two_accounts;
use crate::server::serve_unix;
use crate::world::{World, etc};

/// The registered key has a name that ssh does not try by itself.
fn named(world: &mut World, name: &str, config: &str) {
    world.key(name);
    world.know("{host}");
    world.config(config);
}

fn with_key_text(change: impl Fn(&str, &str) -> Vec<u8>) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        let [private, public] = ["id_ed25519", "id_ed25519.pub"].map(|name| fs::read_to_string(world.ssh(name)).unwrap());
        fs::write(world.ssh("id_ed25519"), change(&private, &public)).unwrap();
    }
}

#[test]
fn agent_holds_the_named_key_of_the_other_account() {
    mended(&["wrong-key"], |world| {
        two_accounts(world);
        world.agent(&["personal"]);
        world.config("Host *\n  AddKeysToAgent yes\n  IdentityFile ~/.ssh/personal\n");
    });
}

#[test]
fn ssh_command_names_the_key_of_the_other_account() {
    mended(&["wrong-key"], |world| {
        two_accounts(world);
        world.git_config("core.sshCommand", "ssh -i ~/.ssh/personal");
    });
}

#[test]
fn agent_holds_eight_named_keys_before_the_right_one() {
    mended(&["too-many-keys"], |world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        for name in names {
            world.stranger(name);
        }
        let lines = names.map(|name| format!("  IdentityFile ~/.ssh/{name}\n")).concat();
        named(world, "right", &format!("Host *\n{lines}  IdentityFile ~/.ssh/right\n"));
        world.agent(&names);
    });
}

#[test]
fn copies_of_one_key_are_refused_one_by_one() {
    mended(&["too-many-keys"], |world| {
        world.stranger("old");
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        for name in names {
            world.user(&["cp", ".ssh/old", &format!(".ssh/{name}")]);
            world.user(&["cp", ".ssh/old.pub", &format!(".ssh/{name}.pub")]);
        }
        let lines = names.map(|name| format!("  IdentityFile ~/.ssh/{name}\n")).concat();
        named(world, "right", &format!("Host *\n{lines}  IdentityFile ~/.ssh/right\n"));
    });
}

#[test]
fn no_configuration_is_read() {
    mended(&["key-not-offered"], |world| {
        named(world, "bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        world.git_config("core.sshCommand", "ssh -F none");
    });
}

#[test]
fn a_folder_stands_in_place_of_the_configuration() {
    mended(&["key-not-offered"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        fs::create_dir(world.ssh("config")).unwrap();
    });
}

#[test]
fn configuration_that_names_the_key_is_shut() {
    mended(&["key-not-offered"], |world| {
        named(world, "bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn quotes_in_the_name_of_the_key() {
    mended(&["key-not-offered"], |world| named(world, "dev's \"new\" key", ""));
}

#[test]
fn key_in_a_folder_of_its_own() {
    mended(&["key-not-offered"], |world| {
        fs::create_dir(world.ssh("keys")).unwrap();
        named(world, "keys/bitbucket", "");
    });
}

#[test]
fn last_of_many_keys() {
    broken(&["key-not-offered"], |world| {
        for n in 0..24 {
            world.stranger(&format!("k{n:02}"));
        }
        named(world, "our-bitbucket", "");
    });
}

#[test]
fn browser_has_added_an_ending() {
    mended(&["key-private-half-missing"], |world| {
        world.plain();
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/id_ed25519.txt"]);
    });
}

#[test]
fn the_halves_have_each_others_names() {
    mended(&["key-is-public-half"], |world| {
        world.plain();
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/x"]);
        world.user(&["mv", ".ssh/id_ed25519.pub", ".ssh/id_ed25519"]);
        world.user(&["mv", ".ssh/x", ".ssh/id_ed25519.pub"]);
        chmod(&world.ssh("id_ed25519"), 0o600);
        chmod(&world.ssh("id_ed25519.pub"), 0o644);
    });
}

#[test]
fn both_halves_in_one_file() {
    mended(&["key-corrupt"], |world| with_key_text(|private, public| format!("{public}{private}").into())(world));
}

#[test]
fn indented_and_quoted() {
    mended(&["key-corrupt"], |world| {
        with_key_text(|private, _| format!("\"{}\"\n", private.trim_end().replace('\n', " \n    ")).into())(world);
    });
}

#[test]
fn sixteen_bits_to_a_character() {
    mended(&["key-corrupt"], |world| {
        with_key_text(|private, _| format!("\u{feff}{private}").encode_utf16().flat_map(u16::to_le_bytes).collect())(world);
    });
}

#[test]
fn link_to_a_volume_that_is_not_there() {
    broken(&["key-unreadable"], |world| {
        world.know("{host}");
        world.user(&["ln", "-s", "/mnt/stick/key", ".ssh/id_ed25519"]);
    });
}

#[test]
fn path_as_on_windows() {
    mended(&["identity-file-missing"], |world| named(world, "bitbucket", "Host {host}\n  IdentityFile ~\\.ssh\\bitbucket\n"));
}

#[test]
fn path_that_cannot_be_expanded_before_one_that_can() {
    broken(&["identity-file-missing"], |world| {
        named(world, "bitbucket", "Host {host}\n  IdentityFile ~/.ssh/%x\n  IdentityFile ~/.ssh/bitbucket\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn path_is_that_of_the_folder() {
    mended(&["key-unreadable"], |world| {
        world.plain();
        world.config("Host {host}\n  IdentityFile ~/.ssh/\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn included_file_is_shut() {
    mended(&["config-unreadable"], |world| {
        named(world, "bitbucket", "Include conf.d/*\n");
        world.write(".ssh/conf.d/bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o000);
    });
}

#[test]
fn block_is_for_another_login_name() {
    mended(&["match-exec-blocks-key"], |world| {
        named(world, "bitbucket", "Match user bitbucket host *.org\n  IdentityFile ~/.ssh/bitbucket\n");
    });
}

#[test]
fn configuration_and_keys_lie_in_another_home() {
    mended(&["home-mismatch"], |world| {
        named(world, "bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        world.user(&["mkdir", "build agent"]);
        world.user(&["mv", ".ssh", "build agent/.ssh"]);
        world.user(&["cp", "-r", ".config", "build agent/.config"]);
        world.set("HOME", format!("{HOME}/build agent"));
    });
}

#[test]
fn key_belongs_to_whoever_called_sudo() {
    broken(&["running-as-other-user"], |world| {
        world.plain();
        world.user(&["mkdir", "-p", "alice/.ssh"]);
        world.user(&["mv", ".ssh/id_ed25519", ".ssh/id_ed25519.pub", "alice/.ssh"]);
        world.set("SUDO_USER", "alice");
        etc("passwd", &format!("{}alice:x:1001:1001::{HOME}/alice:/bin/sh\n", passwd()));
    });
}

#[test]
fn ssh_command_takes_the_agent_away() {
    broken(&["agent-disabled"], |world| {
        named(world, "bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.set("GIT_SSH_COMMAND", "env -u SSH_AUTH_SOCK ssh");
    });
}

#[test]
fn ssh_command_brings_the_agent() {
    healthy(|world| {
        named(world, "bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.env.remove(std::ffi::OsStr::new("SSH_AUTH_SOCK"));
        world.set("GIT_SSH_COMMAND", "SSH_AUTH_SOCK=$HOME/agent.sock ssh");
    });
}

#[test]
fn ssh_command_has_a_misspelt_option() {
    broken(&["config-unknown-option"], |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -o IdentityOnly=yes -i ~/.ssh/id_ed25519");
    });
}

/// In a folder of a working tree; `core.sshCommand` names the key by a relative path.
fn relative_key(world: &mut World, path: &str) {
    world.key("bitbucket");
    world.know("{host}");
    world.repository(true);
    world.user(&["mkdir", "keys", "sub"]);
    world.user(&["mv", "../.ssh/bitbucket", "../.ssh/bitbucket.pub", "keys"]);
    world.git_config("core.sshCommand", &format!("ssh -i {path}"));
    world.cwd = Path::new(HOME).join("work/sub");
}

#[test]
fn relative_path_begins_at_the_top_of_the_working_tree() {
    healthy(|world| {
        relative_key(world, "keys/bitbucket");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn relative_path_begins_where_it_was_typed() {
    broken(&["identity-file-missing"], |world| {
        relative_key(world, "../keys/bitbucket");
        world.stranger("id_ed25519");
    });
}

#[test]
fn algorithm_is_taken_from_the_default() {
    broken(&["algorithms-restricted"], |world| {
        world.plain();
        world.config("Host *\n  PubkeyAcceptedAlgorithms -ssh-ed25519*\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn algorithms_are_given_as_patterns() {
    healthy(|world| {
        world.plain();
        world.config("Host *\n  PubkeyAcceptedAlgorithms ssh-*,ecdsa-*\n");
        world.args.push("--no-exec".into());
    });
}

#[test]
fn certificate_that_logs_in() {
    healthy(|world| certificate(world, &["-n", "git"]));
}

#[test]
fn certificate_that_only_ssh_can_use() {
    uncertain(|world| certificate(world, &["-n", "git"]));
}

#[test]
fn agent_takes_its_time() {
    uncertain(|world| {
        named(world, "bitbucket", "");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        let (quick, slow) = (Path::new(HOME).join("agent.sock"), Path::new(HOME).join("slow.sock"));
        world.set("SSH_AUTH_SOCK", &slow);
        serve_unix(&slow, move |client| {
            std::thread::sleep(Duration::from_secs(3));
            let agent = UnixStream::connect(&quick).unwrap();
            let (mut asks, mut answers) = (client.try_clone().unwrap(), agent.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asks, &mut answers));
            let _ = std::io::copy(&mut &agent, &mut &client);
        });
    });
}

/// The agent's key is bound to a host of this name.
fn bound_key(world: &mut World, host: &str) {
    named(world, "bitbucket", "");
    world.know_some("elsewhere.example.com", &["impostor"], ".ssh/known_hosts");
    world.agent(&[]);
    world.user(&["ssh-add", "-q", "-h", &world.text(host), ".ssh/bitbucket"]);
    world.forget("bitbucket");
}

#[test]
fn key_is_bound_to_this_host() {
    healthy(|world| bound_key(world, "{host}"));
}

#[test]
fn key_is_bound_to_this_host_and_only_ssh_can_show_it() {
    uncertain(|world| bound_key(world, "{host}"));
}

#[test]
fn key_is_bound_to_another_host() {
    broken(&["agent-refuses-signing"], |world| bound_key(world, "elsewhere.example.com"));
}

#[test]
fn passphrase_is_asked_for() {
    let arrange = |world: &mut World| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
        // Somebody answers ssh's questions, but does not sit at a terminal.
        let askpass = world.script("askpass", "#!/bin/sh\necho correct horse\n");
        world.set("SSH_ASKPASS", askpass);
        world.set("SSH_ASKPASS_REQUIRE", "force");
    };
    case(Expected::Inconclusive, &[], arrange, |world| {
        if let (Some(report), git) = world.ask() {
            assert!(git.worked(), "{git:?}");
            assert_eq!(report["verdict"]["status"], "inconclusive", "{report:#}");
        }
    });
}

#[test]
fn group_of_one_may_write_the_configuration() {
    uncertain(|world| {
        named(world, "bitbucket", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o664);
    });
}
