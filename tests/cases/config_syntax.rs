//! ssh's configuration as text: what ssh refuses to read, and what it reads otherwise than was meant.

use std::time::Duration;

use crate::harness::case::{Expected, advised, broken, case};
use crate::harness::namespace::BBDOCTOR;

#[test]
fn option_of_another_system() {
    broken("config-unknown-option", |world| {
        world.plain_with("Host *\n  AddKeysToAgent yes\n  UseKeychain yes\n  IdentityFile ~/.ssh/id_ed25519\n");
    });
}

#[test]
fn misspelt_option() {
    broken("config-unknown-option", |world| world.plain_with("Host {host}\n  IdentifyFile ~/.ssh/id_ed25519\n"));
}

#[test]
fn misspelt_option_for_another_host() {
    broken("config-unknown-option", |world| world.plain_with("Host elsewhere.example.com\n  Hostnam 192.0.2.1\n"));
}

#[test]
fn comment_of_another_language() {
    broken("config-unknown-option", |world| world.plain_with("// work\nHost {host}\n  User git\n"));
}

#[test]
fn mistake_in_an_included_file() {
    broken("config-unknown-option", |world| {
        world.plain_with("Include conf.d/*\n");
        world.write(".ssh/conf.d/10-work", "Host work\n  HostName work.example.com\n", 0o600);
        world.write(".ssh/conf.d/20-bitbucket", "Host {host}\n  IdentityFiles ~/.ssh/id_ed25519\n", 0o600);
    });
}

#[test]
fn mistake_in_the_configuration_of_the_machine() {
    broken("config-unknown-option", |world| {
        world.plain();
        crate::harness::world::etc("ssh/ssh_config.d/50-company.conf", "CompanyPolicy strict\n");
    });
}

#[test]
fn option_without_a_value() {
    broken("config-missing-argument", |world| world.plain_with("Host {host}\n  IdentityFile\n"));
}

#[test]
fn value_the_option_does_not_take() {
    broken("config-bad-value", |world| world.plain_with("Host {host}\n  Compression maybe\n"));
}

#[test]
fn port_that_is_no_port() {
    broken("config-bad-value", |world| world.plain_with("Host {host}\n  Port twenty-two\n"));
}

#[test]
fn match_with_an_unknown_criterion() {
    broken("config-bad-value", |world| world.plain_with("Match hots {host}\n  User git\n"));
}

#[test]
fn path_with_a_blank_and_no_quotes() {
    broken("config-extra-argument", |world| world.plain_with("Host {host}\n  IdentityFile ~/My Keys/id_ed25519\n"));
}

#[test]
fn quote_without_an_end() {
    broken("config-unbalanced-quote", |world| world.plain_with("Host {host}\n  IdentityFile \"~/.ssh/id_ed25519\n"));
}

#[test]
fn byte_order_mark() {
    broken("config-encoding", |world| world.plain_with("\u{feff}Host {host}\n  User git\n"));
}

#[test]
fn blanks_that_do_not_break() {
    broken("config-encoding", |world| world.plain_with("Host {host}\n\u{a0}\u{a0}User git\n"));
}

#[test]
fn sixteen_bits_to_a_character() {
    broken("config-encoding", |world| {
        let text = world.text("\u{feff}Host {host}\r\n  User git\r\n");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        world.plain_with(bytes);
    });
}

#[test]
fn file_includes_itself() {
    broken("config-include-loop", |world| world.plain_with("Include ~/.ssh/config\n"));
}

#[test]
fn file_named_on_the_command_line_is_missing() {
    broken("config-file-missing", |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -F ~/.ssh/bitbucket.conf");
    });
}

#[test]
fn settings_before_any_host() {
    advised(&["config-options-before-host"], |world| {
        world.plain_with("  User git\n  IdentityFile ~/.ssh/id_ed25519\n  IdentitiesOnly yes\n");
    });
}

#[test]
fn setting_that_never_wins() {
    advised(&["config-setting-shadowed"], |world| {
        world.plain_with("Host *\n  User git\n\nHost {host}\n  User alice\n");
        world.url("ssh://{host}/acme/app.git");
    });
}

#[test]
fn misspelt_host_pattern_beside_a_default_key() {
    advised(&["config-host-pattern-typo"], |world| world.plain_with("Host bitbuket.org\n  IdentityFile ~/.ssh/id_ed25519\n"));
}

#[test]
fn include_that_finds_nothing() {
    advised(&["config-include-missing"], |world| world.plain_with("Include conf.d/*.conf\nHost {host}\n  User git\n"));
}

#[test]
fn option_of_long_ago() {
    advised(&["config-option-deprecated"], |world| world.plain_with("Host {host}\n  Protocol 2\n  UsePrivilegedPort no\n"));
}

#[test]
fn ssh_command_has_a_misspelt_option() {
    broken("config-unknown-option", |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -o IdentityOnly=yes -i ~/.ssh/id_ed25519");
    });
}

#[test]
fn setting_without_its_value() {
    broken("config-missing-argument", |world| world.ssh_command("ssh -o StrictHostKeyChecking"));
}

/// ssh takes the first of two ports, the library ssh2-config the last: who runs bbdoctor with -v learns of it.
#[test]
fn other_tools_read_another_port() {
    let arrange = |world: &mut crate::harness::world::World| world.plain_with("Host {host}\n  Port 22\n  Port 2222\n");
    case(Expected::Healthy, &[], arrange, |world| {
        let done = world.run(BBDOCTOR.as_ref(), &["-v".into(), world.url.clone()], Duration::from_secs(60));
        let said = String::from_utf8(done.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("the library ssh2-config see another port"), "{said}");
    });
}
