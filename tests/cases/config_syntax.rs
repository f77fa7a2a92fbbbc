//! ssh's configuration as text: syntax, encoding, permissions, files that include files.

use std::path::Path;

use crate::case::{advised, broken};
use crate::namespace::{FOREIGN, bind, chmod};
use crate::world::World;

fn with_config(text: impl AsRef<[u8]>) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        world.config(text);
    }
}

#[test]
fn option_of_another_system() {
    broken(&["config-unknown-option"], |world| {
        with_config("Host *\n  AddKeysToAgent yes\n  UseKeychain yes\n  IdentityFile ~/.ssh/id_ed25519\n")(world);
    });
}

#[test]
fn misspelt_option() {
    broken(&["config-unknown-option"], |world| with_config("Host {host}\n  IdentifyFile ~/.ssh/id_ed25519\n")(world));
}

#[test]
fn misspelt_option_for_another_host() {
    broken(&["config-unknown-option"], |world| with_config("Host elsewhere.example.com\n  Hostnam 192.0.2.1\n")(world));
}

#[test]
fn comment_of_another_language() {
    broken(&["config-unknown-option"], |world| with_config("// work\nHost {host}\n  User git\n")(world));
}

#[test]
fn mistake_in_an_included_file() {
    broken(&["config-unknown-option"], |world| {
        with_config("Include conf.d/*\n")(world);
        world.write(".ssh/conf.d/10-work", "Host work\n  HostName work.example.com\n", 0o600);
        world.write(".ssh/conf.d/20-bitbucket", "Host {host}\n  IdentityFiles ~/.ssh/id_ed25519\n", 0o600);
    });
}

#[test]
fn mistake_in_the_configuration_of_the_machine() {
    broken(&["config-unknown-option"], |world| {
        world.plain();
        crate::world::etc("ssh/ssh_config.d/50-company.conf", "CompanyPolicy strict\n");
    });
}

#[test]
fn option_without_a_value() {
    broken(&["config-missing-argument"], |world| with_config("Host {host}\n  IdentityFile\n")(world));
}

#[test]
fn value_the_option_does_not_take() {
    broken(&["config-bad-value"], |world| with_config("Host {host}\n  Compression maybe\n")(world));
}

#[test]
fn port_that_is_no_port() {
    broken(&["config-bad-value"], |world| with_config("Host {host}\n  Port twenty-two\n")(world));
}

#[test]
fn match_with_an_unknown_criterion() {
    broken(&["config-bad-value", "config-unknown-option"], |world| with_config("Match hots {host}\n  User git\n")(world));
}

#[test]
fn variable_that_is_not_set() {
    broken(&["config-bad-value", "identity-file-missing"], |world| {
        with_config("Host {host}\n  IdentityFile ${KEYS}/id_ed25519\n")(world)
    });
}

#[test]
fn path_with_a_blank_and_no_quotes() {
    broken(&["config-extra-argument"], |world| with_config("Host {host}\n  IdentityFile ~/My Keys/id_ed25519\n")(world));
}

#[test]
fn quote_without_an_end() {
    broken(&["config-unbalanced-quote"], |world| with_config("Host {host}\n  IdentityFile \"~/.ssh/id_ed25519\n")(world));
}

#[test]
fn byte_order_mark() {
    broken(&["config-encoding"], |world| with_config("\u{feff}Host {host}\n  User git\n")(world));
}

#[test]
fn blanks_that_do_not_break() {
    broken(&["config-encoding"], |world| with_config("Host {host}\n\u{a0}\u{a0}User git\n")(world));
}

#[test]
fn sixteen_bits_to_a_character() {
    broken(&["config-encoding"], |world| {
        let text = world.text("\u{feff}Host {host}\r\n  User git\r\n");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        with_config(bytes)(world);
    });
}

#[test]
fn typographic_quotes_around_the_key() {
    broken(&["config-encoding", "identity-file-missing"], |world| {
        with_config("Host {host}\n  IdentityFile \u{201c}~/.ssh/id_ed25519\u{201d}\n")(world);
    });
}

#[test]
fn file_includes_itself() {
    broken(&["config-include-loop"], |world| with_config("Include ~/.ssh/config\n")(world));
}

#[test]
fn file_named_on_the_command_line_is_missing() {
    broken(&["config-file-missing"], |world| {
        world.plain();
        world.set("GIT_SSH_COMMAND", "ssh -F ~/.ssh/bitbucket.conf");
    });
}

#[test]
fn others_may_write_it() {
    broken(&["config-permissions-too-open"], |world| {
        with_config("Host {host}\n  User git\n")(world);
        chmod(&world.ssh("config"), 0o666);
    });
}

#[test]
fn others_may_write_an_included_file() {
    broken(&["config-permissions-too-open"], |world| {
        with_config("Include work.conf\n")(world);
        world.write(".ssh/work.conf", "Host {host}\n  User git\n", 0o646);
    });
}

#[test]
fn it_belongs_to_another_account() {
    broken(&["config-wrong-owner"], |world| {
        with_config("")(world);
        // Without root nothing can be given away, but then root's own files are foreign here.
        let given = Path::new(FOREIGN).join("config");
        let foreign = if given.exists() { given.as_path() } else { Path::new("/usr/lib/os-release") };
        bind(foreign, &world.ssh("config"));
    });
}

#[test]
fn it_cannot_be_read_and_says_nothing() {
    advised(&["config-unreadable"], |world| {
        with_config("Host {host}\n  User git\n")(world);
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn it_cannot_be_read_and_names_the_key() {
    broken(&["key-not-offered", "config-unreadable"], |world| {
        world.key("bitbucket");
        world.know("{host}");
        world.config("Host {host}\n  IdentityFile ~/.ssh/bitbucket\n");
        chmod(&world.ssh("config"), 0o000);
    });
}

#[test]
fn settings_before_any_host() {
    advised(&["config-options-before-host"], |world| {
        with_config("  User git\n  IdentityFile ~/.ssh/id_ed25519\n  IdentitiesOnly yes\n")(world);
    });
}

#[test]
fn setting_that_never_wins() {
    advised(&["config-setting-shadowed"], |world| {
        with_config("Host *\n  User git\n\nHost {host}\n  User alice\n")(world);
        world.url("ssh://{host}/acme/app.git");
    });
}

#[test]
fn misspelt_host_pattern_beside_a_default_key() {
    advised(&["config-host-pattern-typo"], |world| with_config("Host bitbuket.org\n  IdentityFile ~/.ssh/id_ed25519\n")(world));
}

#[test]
fn include_that_finds_nothing() {
    advised(&["config-include-missing"], |world| with_config("Include conf.d/*.conf\nHost {host}\n  User git\n")(world));
}

#[test]
fn option_of_long_ago() {
    advised(&["config-option-deprecated"], |world| with_config("Host {host}\n  Protocol 2\n  UsePrivilegedPort no\n")(world));
}
