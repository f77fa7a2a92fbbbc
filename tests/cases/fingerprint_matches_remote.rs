//! Whether the server presents a key that its operator publishes.

use crate::harness::case::{advised, broken, broken_with};
use crate::harness::world::{CLOUD, DATA_CENTER};

#[test]
fn an_impostor_answers() {
    broken("host-key-unpublished", |world| {
        world.plain();
        world.present("impostor");
    });
}

#[test]
fn an_impostor_answers_the_first_time() {
    broken("host-key-unpublished", |world| {
        world.key("id_ed25519");
        world.present("impostor");
    });
}

#[test]
fn nobody_publishes_the_keys_of_a_data_center() {
    advised(&["host-key-unverifiable"], |world| {
        world.key("id_ed25519");
        world.listen.push((DATA_CENTER, 7999));
        world.name("bitbucket.example.com", DATA_CENTER);
        world.know("[bitbucket.example.com]:7999");
        world.url("ssh://git@bitbucket.example.com:7999/acme/app.git");
        let table = "[hosts.\"bitbucket.example.com\"]\nkind = \"data-center\"\nport = 7999\n";
        world.write(".config/bbdoctor/config.toml", table, 0o644);
    });
}

#[test]
fn the_name_leads_to_somebody_else() {
    broken_with("host-key-unpublished", &["host-key-changed"], |world| {
        world.plain();
        world.rename("{host}", "127.0.0.9");
        world.listen = vec![("127.0.0.9", 22)];
        world.present("impostor");
        world.rename("elsewhere.example.com", CLOUD);
    });
}
