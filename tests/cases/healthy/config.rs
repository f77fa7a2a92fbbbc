//! Odd configurations of ssh with which git works.

use std::fs;

use crate::harness::case::healthy;
use crate::harness::namespace::chmod;

#[test]
fn alias() {
    healthy(|world| {
        world.key_named(
            "bitbucket",
            "Host bb-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n",
        );
        world.url("git@bb-work:acme/app.git");
    });
}

#[test]
fn includes_that_include() {
    healthy(|world| {
        world.key_named("bitbucket", "Include conf.d/*.conf\n");
        world.write(".ssh/conf.d/a.conf", "Include ~/.ssh/deep/*\n", 0o600);
        world.write(".ssh/deep/bitbucket", "Host {host}\n    IdentityFile %d/.ssh/bitbucket\n", 0o600);
    });
}

#[test]
fn last_pass() {
    healthy(|world| world.key_named("bitbucket", "Match final host {host}\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn conditions_that_hold() {
    healthy(|world| {
        world.key_named("bitbucket", "Match originalhost {host} user git exec \"true\"\n  IdentityFile ~/.ssh/bitbucket\nMatch all\n  ServerAliveInterval 30\n",
        );
    });
}

#[test]
fn all_hosts_but_one() {
    healthy(|world| world.key_named("bitbucket", "Host * !github.com\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn options_over_several_blocks() {
    healthy(|world| {
        world.key_named("bitbucket", "Host {host}\n  User git\nHost {host}\n  IdentityFile ~/.ssh/bitbucket\nHost *\n  Port 22\n")
    });
}

#[test]
fn unknown_options_that_may_be_ignored() {
    healthy(|world| {
        world.plain_with(
            "IgnoreUnknown UseKeychain,AddKeysToKeychain\nHost *\n  UseKeychain yes\n  IdentityFile ~/.ssh/id_ed25519\n",
        )
    });
}

#[test]
fn first_named_key_is_missing() {
    healthy(|world| world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/old\n  IdentityFile ~/.ssh/bitbucket\n"));
}

#[test]
fn missing_key_and_a_full_agent() {
    healthy(|world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile ~/.ssh/nothing_here\n");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
    });
}

#[test]
fn only_identities_and_no_identity_file() {
    healthy(|world| world.plain_with("Host *\n  IdentitiesOnly yes\n"));
}

#[test]
fn path_in_quotes_with_a_blank() {
    healthy(|world| {
        world.key_named("bitbucket", "Host {host}\n  IdentityFile \"~/My Keys/bitbucket\"\n");
        fs::create_dir(world.ssh("../My Keys")).unwrap();
        fs::rename(world.ssh("bitbucket"), world.ssh("../My Keys/bitbucket")).unwrap();
    });
}

#[test]
fn variable_in_the_path() {
    healthy(|world| world.key_named("bitbucket", "Host {host}\n  IdentityFile ${HOME}/.ssh/bitbucket\n"));
}

#[test]
fn line_ends_of_windows() {
    healthy(|world| world.key_named("bitbucket", "Host {host}\r\n\tIdentityFile=~/.ssh/bitbucket\r\n\r\n"));
}

#[test]
fn comments_after_values() {
    healthy(|world| world.plain_with("# mine\nHost {host} # the service\n  User git # always\n"));
}

#[test]
fn port_by_its_name() {
    healthy(|world| world.plain_with("Host {host}\n  Port ssh\n"));
}

#[test]
fn readable_by_everybody() {
    healthy(|world| {
        world.plain_with("Host {host}\n  User git\n");
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
        world.key_named("bitbucket", "");
        fs::remove_file(world.ssh("config")).unwrap();
        world.write("dotfiles/ssh_config", "Host {host}\n  IdentityFile ~/.ssh/bitbucket\n", 0o644);
        world.user(&["ln", "-s", "../dotfiles/ssh_config", ".ssh/config"]);
    });
}

#[test]
fn login_name_of_the_url_wins() {
    healthy(|world| world.plain_with("Host *\n  User alice\n"));
}

#[test]
fn many_harmless_options() {
    healthy(|world| {
        world.plain_with("Host *\n  VisualHostKey yes\n  HashKnownHosts yes\n  UpdateHostKeys yes\n  CheckHostIP no\n  Compression yes\n  ForwardAgent yes\n  \
             SendEnv LANG\n  ServerAliveInterval 15\n  AddKeysToAgent yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n  LogLevel VERBOSE\n  IPQoS none\n",
        );
    });
}

#[test]
fn old_name_of_an_option() {
    healthy(|world| world.plain_with("Host *\n  PubkeyAcceptedKeyTypes +ssh-rsa\n"));
}

#[test]
fn proxy_of_all_hosts_is_switched_off() {
    healthy(|world| {
        world
            .plain_with("Host {host}\n  ProxyCommand none\n  ControlPath none\nHost *\n  ProxyCommand corkscrew proxy 3128 %h %p\n")
    });
}

#[test]
fn master_connections() {
    healthy(|world| world.plain_with("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master-%C\n  ControlPersist 2\n"));
}

#[test]
fn dead_master_connection() {
    healthy(|world| {
        world.plain_with("Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/master\n");
        drop(std::os::unix::net::UnixListener::bind(world.ssh("master")).unwrap());
    });
}

#[test]
fn dead_hosts_elsewhere_in_the_file() {
    healthy(|world| {
        world.plain_with(
            "Host old\n  HostName 203.0.113.9\n  IdentityFile ~/.ssh/gone\n  ProxyJump nobody\nHost github.com\n  User git\n",
        )
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
