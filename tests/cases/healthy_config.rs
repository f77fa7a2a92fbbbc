//! Odd configurations of ssh and git with which git works.

use std::fs;

use crate::case::{advised, healthy};
use crate::namespace::chmod;
use crate::world::{ALTERNATE, World};

/// The registered key has a name that the configuration must make known.
fn named_key(world: &mut World, text: &str) {
    world.key("bitbucket");
    world.know("{host}");
    world.config(text);
}

fn plain(world: &mut World, text: &str) {
    world.plain();
    world.config(text);
}

#[test]
fn alias() {
    healthy(|world| {
        named_key(world, "Host bb-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n");
        world.url("git@bb-work:acme/app.git");
    });
}

#[test]
fn includes_that_include() {
    healthy(|world| {
        named_key(world, "Include conf.d/*.conf\n");
        world.write(".ssh/conf.d/a.conf", "Include ~/.ssh/deep/*\n", 0o600);
        world.write(".ssh/deep/bitbucket", "Host {host}\n    IdentityFile %d/.ssh/bitbucket\n", 0o600);
    });
}

#[test]
fn last_pass() {
    healthy(|world| named_key(world, "Match final host {host}\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn conditions_that_hold() {
    healthy(|world| {
        named_key(
            world,
            "Match originalhost {host} user git exec \"true\"\n  IdentityFile ~/.ssh/bitbucket\nMatch all\n  ServerAliveInterval 30\n",
        );
    });
}

#[test]
fn all_hosts_but_one() {
    healthy(|world| named_key(world, "Host * !github.com\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn options_over_several_blocks() {
    healthy(|world| named_key(world, "Host {host}\n  User git\nHost {host}\n  IdentityFile ~/.ssh/bitbucket\nHost *\n  Port 22\n"));
}

#[test]
fn unknown_options_that_may_be_ignored() {
    healthy(|world| {
        plain(world, "IgnoreUnknown UseKeychain,AddKeysToKeychain\nHost *\n  UseKeychain yes\n  IdentityFile ~/.ssh/id_ed25519\n")
    });
}

#[test]
fn first_named_key_is_missing() {
    healthy(|world| named_key(world, "Host {host}\n  IdentityFile ~/.ssh/old\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn missing_key_and_a_full_agent() {
    healthy(|world| {
        named_key(world, "Host {host}\n  IdentityFile ~/.ssh/nothing_here\n");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
    });
}

#[test]
fn only_identities_and_no_identity_file() {
    healthy(|world| plain(world, "Host *\n  IdentitiesOnly yes\n"));
}

#[test]
fn path_in_quotes_with_a_blank() {
    healthy(|world| {
        named_key(world, "Host {host}\n  IdentityFile \"~/My Keys/bitbucket\"\n");
        fs::create_dir(world.ssh("../My Keys")).unwrap();
        fs::rename(world.ssh("bitbucket"), world.ssh("../My Keys/bitbucket")).unwrap();
    });
}

#[test]
fn variable_in_the_path() {
    healthy(|world| named_key(world, "Host {host}\n  IdentityFile ${HOME}/.ssh/bitbucket\n"));
}

#[test]
fn line_ends_of_windows() {
    healthy(|world| named_key(world, "Host {host}\r\n\tIdentityFile=~/.ssh/bitbucket\r\n\r\n"));
}

#[test]
fn comments_after_values() {
    healthy(|world| plain(world, "# mine\nHost {host} # the service\n  User git # always\n"));
}

#[test]
fn port_by_its_name() {
    healthy(|world| plain(world, "Host {host}\n  Port ssh\n"));
}

#[test]
fn readable_by_everybody() {
    healthy(|world| {
        plain(world, "Host {host}\n  User git\n");
        chmod(&world.ssh("config"), 0o644);
    });
}

#[test]
fn a_folder_in_place_of_the_file() {
    healthy(|world| {
        world.plain();
        fs::create_dir(world.ssh("config")).unwrap();
    });
}

#[test]
fn symbolic_link_to_a_collection() {
    healthy(|world| {
        named_key(world, "");
        fs::remove_file(world.ssh("config")).unwrap();
        world.write("dotfiles/ssh_config", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o644);
        world.user(&["ln", "-s", "../dotfiles/ssh_config", ".ssh/config"]);
    });
}

#[test]
fn login_name_of_the_url_wins() {
    healthy(|world| plain(world, "Host *\n  User alice\n"));
}

#[test]
fn many_harmless_options() {
    healthy(|world| {
        plain(
            world,
            "Host *\n  VisualHostKey yes\n  HashKnownHosts yes\n  UpdateHostKeys yes\n  CheckHostIP no\n  Compression yes\n  ForwardAgent yes\n  \
             SendEnv LANG\n  ServerAliveInterval 15\n  AddKeysToAgent yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n  LogLevel VERBOSE\n  IPQoS none\n",
        );
    });
}

#[test]
fn old_name_of_an_option() {
    healthy(|world| plain(world, "Host *\n  PubkeyAcceptedKeyTypes +ssh-rsa\n"));
}

#[test]
fn proxy_that_relays() {
    healthy(|world| {
        plain(world, "Host {host}\n  ProxyCommand ssh -F ~/.ssh/relay.conf -W 127.0.0.2:22 relay\n");
        world.write(
            ".ssh/relay.conf",
            format!("Host relay\n  HostName {ALTERNATE}\n  Port 443\n  User git\n  HostKeyAlias {{host}}\n"),
            0o600,
        );
        // The service's keys are restricted; the jump is through an account of its own key.
        let line = world.authorized[0].replace(",restrict", "");
        world.authorized[0] = line;
        let nobody = crate::world::NOBODY;
        world.rename("{host}", nobody);
    });
}

#[test]
fn proxy_of_all_hosts_is_switched_off() {
    healthy(|world| {
        plain(world, "Host {host}\n  ProxyCommand none\n  ControlPath none\nHost *\n  ProxyCommand corkscrew proxy 3128 %h %p\n")
    });
}

#[test]
fn master_connections() {
    healthy(|world| plain(world, "Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master-%C\n  ControlPersist 2\n"));
}

#[test]
fn dead_master_connection() {
    healthy(|world| {
        plain(world, "Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master\n");
        drop(std::os::unix::net::UnixListener::bind(world.ssh("master")).unwrap());
    });
}

#[test]
fn ssh_command_without_any_configuration() {
    healthy(|world| {
        named_key(world, "Host *\n  PubkeyAuthentication no\n");
        world.git_config("core.sshCommand", "ssh -F /dev/null -i ~/.ssh/bitbucket -o IdentitiesOnly=yes");
    });
}

#[test]
fn missing_key_on_the_command_line() {
    healthy(|world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -i ~/.ssh/missing");
    });
}

#[test]
fn wrapper_that_speaks_to_the_user() {
    healthy(|world| {
        world.plain();
        let wrapper = world.script("ssh-wrapper", "#!/bin/sh\necho connecting >&2\nexec ssh \"$@\"\n");
        world.set("GIT_SSH", wrapper);
    });
}

#[test]
fn only_pushes_use_ssh() {
    healthy(|world| {
        world.plain();
        let ssh = world.text("git@{host}:acme/app.git");
        world.git_config("url.git@{host}:.pushInsteadOf", "https://bitbucket.org/");
        world.url("https://bitbucket.org/acme/app.git");
        world.push();
        assert_ne!(world.url, ssh.as_str());
    });
}

#[test]
fn dead_hosts_elsewhere_in_the_file() {
    healthy(|world| {
        plain(
            world,
            "Host old\n  HostName 203.0.113.9\n  IdentityFile ~/.ssh/gone\n  ProxyJump nobody\nHost github.com\n  User git\n",
        )
    });
}

#[test]
fn list_of_ciphers_is_written_out() {
    advised(&["algorithms-restricted"], |world| {
        world.plain();
        world.config("Host *\n  Ciphers aes256-gcm@openssh.com,aes256-ctr\n");
    });
}

#[test]
fn named_key_is_missing_and_the_next_works() {
    advised(&["identity-file-missing"], |world| {
        world.plain();
        world.config("Host {host}\n  IdentityFile ~/.ssh/old_laptop\n  IdentityFile ~/.ssh/id_ed25519\n");
    });
}

#[test]
fn agent_is_switched_off_and_not_needed() {
    advised(&["agent-disabled"], |world| {
        world.plain();
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("Host {host}\n  IdentityAgent none\n");
    });
}

#[test]
fn another_agent_is_asked_and_not_needed() {
    advised(&["identity-agent-overrides"], |world| {
        world.plain();
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("Host {host}\n  IdentityAgent ~/nobody.sock\n");
    });
}

#[test]
fn own_known_hosts_file_beside_the_usual_one() {
    advised(&["known-hosts-file-overridden"], |world| {
        world.plain();
        let usual = std::fs::read_to_string(world.ssh("known_hosts")).unwrap();
        world.write(".ssh/known_work", usual, 0o644);
        world.config("Host {host}\n  UserKnownHostsFile ~/.ssh/known_work\n");
    });
}

#[test]
fn control_path_in_no_folder_while_nothing_is_shared() {
    advised(&["control-path-unusable"], |world| {
        world.plain();
        world.config("Host *\n  ControlPath ~/.ssh/masters/%C\n");
    });
}
