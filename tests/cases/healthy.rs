//! Odd keys, agents and URLs with which git works: nothing may be called broken.

use std::fs;
use std::path::Path;

use crate::case::{Expected, advised, case, healthy};
use crate::namespace::{HOME, chmod};
use crate::repository::two_accounts;
use crate::world::{ALTERNATE, CLOUD, DATA_CENTER};

#[test]
fn one_default_key() {
    healthy(|world| world.plain());
}

#[test]
fn one_connection_each() {
    // One of bbdoctor's own, one of the git it runs as the second witness.
    case(Expected::Healthy, &[], |world| world.plain(), |world| world.expect_connections(CLOUD, 2));
}

#[test]
fn rsa_key() {
    healthy(|world| {
        world.keygen("id_rsa", "rsa", "3072", "");
        world.authorize("id_rsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn ecdsa_key() {
    healthy(|world| {
        world.keygen("id_ecdsa", "ecdsa", "521", "");
        world.authorize("id_ecdsa", "dev");
        world.know("{host}");
    });
}

#[test]
fn rsa_key_in_pkcs8_with_the_line_ends_of_windows() {
    healthy(|world| {
        world.user(&["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f", ".ssh/id_rsa"]);
        world.authorize("id_rsa", "dev");
        world.know("{host}");
        let text = fs::read_to_string(world.ssh("id_rsa")).unwrap();
        fs::write(world.ssh("id_rsa"), text.replace('\n', "\r\n")).unwrap();
    });
}

#[test]
fn no_public_half_beside_it() {
    healthy(|world| {
        world.plain();
        fs::remove_file(world.ssh("id_ed25519.pub")).unwrap();
    });
}

#[test]
fn key_that_only_its_owner_may_read() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh("id_ed25519"), 0o400);
    });
}

#[test]
fn folder_open_to_everybody() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh(""), 0o777);
        chmod(&world.ssh("known_hosts"), 0o666);
    });
}

#[test]
fn folder_that_cannot_be_written() {
    healthy(|world| {
        world.plain();
        chmod(&world.ssh(""), 0o500);
    });
}

#[test]
fn another_key_is_refused_first() {
    healthy(|world| {
        world.keygen("id_rsa", "rsa", "2048", "");
        world.plain();
    });
}

#[test]
fn spoilt_keys_beside_the_good_one() {
    healthy(|world| {
        world.plain();
        world.write(".ssh/id_rsa", "", 0o600);
        world.write(".ssh/id_ecdsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0o644);
    });
}

#[test]
fn key_by_a_symbolic_link() {
    healthy(|world| {
        world.plain();
        world.user(&["mkdir", "-p", "vault"]);
        world.user(&["mv", ".ssh/id_ed25519", "vault/key"]);
        world.user(&["ln", "-s", "../vault/key", ".ssh/id_ed25519"]);
    });
}

#[test]
fn leftovers_in_the_folder() {
    healthy(|world| {
        world.plain();
        world.write(".ssh/known_hosts.old", "rubbish\n", 0o644);
        world.write(".ssh/authorized_keys", "", 0o600);
        world.write(".ssh/id_dsa.pub", "ssh-dss AAAA\n", 0o644);
    });
}

#[test]
fn certificate_that_ran_out_beside_a_registered_key() {
    healthy(|world| {
        world.plain();
        world.user(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/tmp/authority"]);
        world.user(&["ssh-keygen", "-q", "-s", "/tmp/authority", "-I", "dev", "-n", "git", "-V", "-2d:-1d", ".ssh/id_ed25519.pub"]);
    });
}

#[test]
fn dead_agent_and_a_key_file() {
    healthy(|world| {
        world.plain();
        world.set("SSH_AUTH_SOCK", "/tmp/ssh-XXXXXXabcdef/agent.4711");
    });
}

#[test]
fn locked_agent_and_a_key_file() {
    healthy(|world| {
        world.plain();
        world.agent(&[]);
        world.ssh_add(&["-x"], "secret");
    });
}

#[test]
fn agent_and_no_key_file() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
    });
}

#[test]
fn encrypted_key_in_the_agent() {
    healthy(|world| {
        world.keygen("id_ed25519", "ed25519", "", "correct horse");
        world.authorize("id_ed25519", "dev");
        world.know("{host}");
        world.agent(&[]);
        world.ssh_add(&[".ssh/id_ed25519"], "correct horse");
    });
}

#[test]
fn public_half_names_the_key_in_the_agent() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        fs::remove_file(world.ssh("bitbucket")).unwrap();
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket.pub\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn agent_named_by_the_configuration() {
    healthy(|world| {
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&["bitbucket"]);
        world.forget("bitbucket");
        world.env.remove(std::ffi::OsStr::new("SSH_AUTH_SOCK"));
        world.config("Host {host}\n  IdentityAgent ~/agent.sock\n");
    });
}

#[test]
fn many_keys_in_the_agent_and_one_is_chosen() {
    healthy(|world| {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        for name in names {
            world.stranger(name);
        }
        world.key("bitbucket");
        world.know("{host}");
        world.agent(&[&names[..], &["bitbucket"]].concat());
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn two_accounts_by_an_alias() {
    healthy(|world| {
        two_accounts(world);
        world.agent(&["personal", "work"]);
        world.config("Host {host}-work\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/work\n  IdentitiesOnly yes\n");
        world.url("git@{host}-work:acme/app.git");
    });
}

#[test]
fn home_of_the_account_has_the_keys() {
    healthy(|world| {
        world.plain();
        world.user(&["mkdir", "build"]);
        world.user(&["cp", "-r", ".config", "build/.config"]);
        world.set("HOME", format!("{HOME}/build"));
    });
}

#[test]
fn without_the_suffix() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:acme/app");
    });
}

#[test]
fn absolute_path_in_the_short_form() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:/acme/app.git");
    });
}

#[test]
fn long_form_with_the_port() {
    healthy(|world| {
        world.plain();
        world.url("ssh://git@{host}:22/acme/app.git");
    });
}

#[test]
fn brackets_around_the_host() {
    healthy(|world| {
        world.plain();
        world.url("[git@{host}:22]:acme/app.git");
    });
}

#[test]
fn scheme_of_long_ago() {
    healthy(|world| {
        world.plain();
        world.url("git+ssh://git@{host}/acme/app.git");
    });
}

#[test]
fn host_in_capitals() {
    healthy(|world| {
        world.plain();
        let loud = world.host.to_uppercase();
        world.url(&format!("git@{loud}:acme/app.git"));
    });
}

#[test]
fn empty_repository() {
    healthy(|world| {
        world.plain();
        world.url("git@{host}:acme/empty.git");
    });
}

#[test]
fn remote_of_the_repository_here() {
    healthy(|world| {
        world.plain();
        world.repository(true);
    });
}

#[test]
fn push_is_allowed() {
    healthy(|world| {
        world.plain();
        world.push();
    });
}

#[test]
fn alternate_port() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("[altssh.bitbucket.org]:443");
        world.silence(CLOUD);
        world.config("Host {host}\n  HostName altssh.bitbucket.org\n  Port 443\n  User git\n");
    });
}

#[test]
fn alternate_port_known_without_the_port() {
    healthy(|world| {
        world.key("id_ed25519");
        world.know("altssh.bitbucket.org");
        world.url("ssh://git@altssh.bitbucket.org:443/acme/app.git");
    });
}

#[test]
fn alternate_port_is_closed() {
    healthy(|world| {
        world.plain();
        world.silence(ALTERNATE);
        world.names.retain(|(name, _)| name != "altssh.bitbucket.org");
    });
}

#[test]
fn data_center() {
    healthy(|world| {
        world.key("id_ed25519");
        world.listen = vec![(DATA_CENTER, 7999)];
        world.name("git.example.com", DATA_CENTER);
        world.know("[git.example.com]:7999");
        world.rule("greeting", "Invalid command");
        world.url("ssh://git@git.example.com:7999/acme/app.git");
    });
}

#[test]
fn data_center_in_the_configuration() {
    healthy(|world| {
        world.key("id_ed25519");
        world.listen = vec![(DATA_CENTER, 7999)];
        world.name("git.example.com", DATA_CENTER);
        world.know("[git.example.com]:7999");
        world.config("Host git.example.com\n  Port 7999\n  User git\n");
        let table = "[hosts.\"git.example.com\"]\nkind = \"data-center\"\nport = 7999\n";
        fs::write(Path::new(HOME).join(".config/bbdoctor/config.toml"), table).unwrap();
        world.url("git@git.example.com:acme/app.git");
    });
}

#[test]
fn unusable_keys_stand_before_the_right_one() {
    let codes = [
        "key-permissions-too-open",
        "key-corrupt",
        "key-unreadable",
        "key-is-putty-format",
        "key-is-public-half",
        "key-private-half-missing",
        "key-pair-mismatch",
        "key-type-unsupported",
    ];
    advised(&codes, |world| {
        world.plain();
        for name in ["open", "shut", "swapped", "other", "halved"] {
            world.stranger(name);
        }
        chmod(&world.ssh("open"), 0o644);
        chmod(&world.ssh("shut"), 0o000);
        fs::copy(world.ssh("other.pub"), world.ssh("swapped.pub")).unwrap();
        fs::remove_file(world.ssh("halved")).unwrap();
        chmod(&world.ssh("other.pub"), 0o600);
        fs::remove_file(world.ssh("other")).unwrap();
        world.write(".ssh/damaged", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", 0o600);
        world.write(".ssh/putty.ppk", crate::key_files::PUTTY, 0o600);
        world.write(".ssh/id_dsa", crate::key_files::DSA, 0o600);
        let names = ["open", "shut", "damaged", "putty.ppk", "id_dsa", "swapped", "halved", "other.pub", "id_ed25519"];
        world.config(names.map(|name| format!("IdentityFile ~/.ssh/{name}\n")).concat());
    });
}

#[test]
fn encrypted_key_stands_before_the_right_one() {
    advised(&["agent-lacks-key", "key-passphrase-needed"], |world| {
        world.plain();
        world.keygen("locked_away", "ed25519", "", "correct horse");
        world.authorize("locked_away", "dev");
        world.stranger("other");
        world.agent(&["other"]);
        world.forget("other");
        world.config("IdentityFile ~/.ssh/locked_away\nIdentityFile ~/.ssh/id_ed25519\n");
    });
}

#[test]
fn small_key_stands_before_the_right_one() {
    advised(&["key-too-small"], |world| {
        world.plain();
        world.keygen("id_rsa", "rsa", "1024", "");
        world.sshd("RequiredRSASize 2048");
    });
}

#[test]
fn broken_line_beside_a_good_one() {
    advised(&["known-hosts-malformed"], |world| {
        world.plain();
        let known = std::fs::read_to_string(world.ssh("known_hosts")).unwrap();
        world.write(".ssh/known_hosts", format!("{{host}} ssh-ed25519 AAAAgarbage\n{known}"), 0o644);
    });
}

#[test]
fn another_known_hosts_file_cannot_be_read() {
    advised(&["known-hosts-unreadable"], |world| {
        world.plain();
        world.write(".ssh/known_hosts2", "secret", 0o000);
    });
}
