//! The URL git is given, and what git's configuration makes of it.

use crate::case::{advised, broken};
use crate::mend::mended;
use crate::world::{CLOUD, DATA_CENTER, World};

fn with_url(url: &'static str) -> impl FnOnce(&mut World) {
    move |world| {
        world.plain();
        world.url(url);
    }
}

#[test]
fn slash_where_the_colon_belongs() {
    broken(&["url-malformed"], |world| with_url("git@{host}/acme/app.git")(world));
}

#[test]
fn ssh_scheme_with_a_colon_path() {
    broken(&["url-malformed"], |world| with_url("ssh://git@{host}:acme/app.git")(world));
}

#[test]
fn port_in_the_short_form() {
    broken(&["url-malformed"], |world| with_url("git@{host}:22/acme/app.git")(world));
}

#[test]
fn pasted_together_with_the_command() {
    broken(&["url-malformed"], |world| with_url("git clone git@{host}:acme/app.git")(world));
}

#[test]
fn leading_blank() {
    broken(&["url-malformed"], |world| with_url(" git@{host}:acme/app.git")(world));
}

#[test]
fn scheme_without_slashes() {
    broken(&["url-malformed"], |world| with_url("ssh:git@{host}:acme/app.git")(world));
}

#[test]
fn scheme_in_capitals() {
    broken(&["url-malformed"], |world| with_url("SSH://git@{host}/acme/app.git")(world));
}

#[test]
fn zero_width_space_in_the_host() {
    broken(&["url-malformed"], |world| with_url("git@{host}\u{200b}:acme/app.git")(world));
}

#[test]
fn bytes_that_are_no_text() {
    broken(&["url-malformed", "repository-not-found", "repository-access-denied"], |world| {
        world.plain();
        world.url.push(crate::world::not_utf8());
    });
}

#[test]
fn another_login_name_in_the_url() {
    broken(&["user-not-git"], |world| with_url("ssh://alice@{host}/acme/app.git")(world));
}

#[test]
fn no_login_name_in_the_url() {
    broken(&["user-not-git"], |world| with_url("ssh://{host}/acme/app.git")(world));
}

#[test]
fn misspelt_host() {
    broken(&["dns-failure", "url-not-bitbucket"], |world| {
        with_url("git@bitbuket.org:acme/app.git")(world);
        world.name_server(crate::server::Names::Unknown);
    });
}

#[test]
fn https_url_where_ssh_is_meant() {
    advised(&["url-not-ssh"], |world| {
        world.plain();
        let ssh = world.url.clone();
        world.url(if world.host == "bitbucket.org" {
            "https://bitbucket.org/acme/app.git"
        } else {
            "https://dev@bitbucket.org/acme/app.git"
        });
        // The examined question is that of the same repository's SSH URL: whichever name the service has here.
        world.rename("bitbucket.org", CLOUD);
        world.rename("ssh.bitbucket.org", CLOUD);
        world.know("bitbucket.org,ssh.bitbucket.org");
        world.git = Some(vec!["ls-remote".into(), ssh]);
    });
}

#[test]
fn https_url_rewritten_to_ssh() {
    advised(&["url-rewritten"], |world| {
        world.plain();
        world.git_config("url.git@{host}:.insteadOf", "https://bitbucket.org/");
        world.url("https://bitbucket.org/acme/app.git");
    });
}

#[test]
fn ssh_url_rewritten_to_a_host_that_is_not_there() {
    broken(&["dns-failure", "url-rewritten", "url-not-bitbucket", "alias-undefined"], |world| {
        world.plain();
        world.git_config("url.git@mirror.example.com:.insteadOf", "git@{host}:");
        world.name_server(crate::server::Names::Unknown);
    });
}

#[test]
fn only_pushes_go_elsewhere() {
    broken(&["dns-failure", "url-rewritten", "url-not-bitbucket", "alias-undefined"], |world| {
        world.plain();
        world.git_config("url.ssh://git@nowhere.example.com/.pushInsteadOf", "git@{host}:");
        world.name_server(crate::server::Names::Unknown);
        world.push();
    });
}

#[test]
fn a_host_bbdoctor_does_not_know() {
    advised(&["url-not-bitbucket"], |world| {
        world.plain();
        world.name("git.example.com", CLOUD);
        world.know("git.example.com");
        world.url("git@git.example.com:acme/app.git");
    });
}

#[test]
fn no_remote_in_this_repository() {
    broken(&["no-remote"], |world| {
        world.plain();
        world.repository(false);
    });
}

/// A Data Center that is described in bbdoctor's configuration.
fn data_center(world: &mut World, url: &str) {
    world.key("id_ed25519");
    world.listen = vec![(DATA_CENTER, 7999)];
    world.name("git.example.com", DATA_CENTER);
    world.know("[git.example.com]:7999");
    let refusal = "Repository not found\nThe requested repository does not exist, or you do not have permission to access it.";
    world.rule("no-repository", refusal);
    let table = "[hosts.\"git.example.com\"]\nkind = \"data-center\"\nport = 7999\n";
    world.write(".config/bbdoctor/config.toml", table, 0o644);
    world.url(url);
}

#[test]
fn port_of_data_center_in_the_short_form() {
    mended(&["url-malformed"], |world| data_center(world, "git@git.example.com:7999/acme/app.git"));
}

#[test]
fn no_port_for_data_center() {
    mended(&["port-overridden"], |world| data_center(world, "git@git.example.com:acme/app.git"));
}

#[test]
fn path_of_https_for_data_center() {
    mended(&["repository-not-found"], |world| data_center(world, "ssh://git@git.example.com:7999/scm/acme/app.git"));
}

#[test]
fn page_of_the_web_site() {
    mended(&["repository-access-denied"], |world| with_url("git@{host}:acme/app/src/main/")(world));
}

#[test]
fn branch_as_pip_wants_it() {
    mended(&["repository-access-denied"], |world| with_url("git+ssh://git@{host}/acme/app.git@v1.0")(world));
}

#[test]
fn backslashes() {
    mended(&["url-malformed"], |world| with_url("git@{host}\\acme\\app.git")(world));
}

#[test]
fn password_before_the_host() {
    mended(&["url-malformed"], |world| with_url("git:secret@{host}:acme/app.git")(world));
}
