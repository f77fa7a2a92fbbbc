//! What a report for other people lets through: words planted in every source of text there is, looked for in every format.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use crate::harness::case::{Expected, case};
use crate::harness::namespace::{BBDOCTOR, HOME, passwd};
use crate::harness::world::{World, etc};

/// Every format a report can have.
const FORMATS: &[&str] = &["human", "json", "markdown", "junit", "github"];
/// All planted words begin with it, and nothing else does.
const MARK: &str = "zeisig";
/// Also planted, and never shown to anybody.
const PASSWORD: &str = "zeisigsecret";

/// A world with planted words. `seen` are those that a report for the user's own eyes shows, which proves that they were met.
fn planted<F: FnOnce(&mut World)>(seen: &'static [&'static str], arrange: F) {
    case(Expected::Agreement, &[], arrange, move |world| {
        let own = FORMATS.iter().map(|format| world.told(format, "never")).collect::<String>();
        for word in seen {
            assert!(own.contains(word), "{word} was not met, so this proves nothing:\n{own}");
        }
        assert!(!own.contains(PASSWORD), "a password is shown:\n{own}");
        assert!(!own.contains("PRIVATE KEY"), "a private key is shown:\n{own}");
        for format in FORMATS {
            let text = world.told(format, "always");
            let lower = text.to_lowercase();
            for private in [MARK, HOME, "4a1b2c3d"] {
                assert!(!lower.contains(private), "{private} in {format}:\n{text}");
            }
        }
    });
}

impl World {
    /// The report, which must not be withheld.
    fn told(&mut self, format: &str, redact: &str) -> String {
        let mut words: Vec<OsString> = ["-v", "--format", format].map(OsString::from).to_vec();
        words.push(format!("--redact={redact}").into());
        words.extend(self.args.clone());
        words.extend(self.target.clone().unwrap_or_else(|| Some(self.url.clone())));
        let done = self.run(BBDOCTOR.as_ref(), &words, Duration::from_secs(60));
        let text = String::from_utf8(done.stdout).expect("UTF-8");
        assert!(!text.is_empty() && done.stderr.is_empty(), "{format}: {text}{}", done.stderr);
        text
    }

    /// Who the user is, and what the environment says.
    fn named(&mut self) {
        etc("passwd", &passwd().replace("dev:x:1000:1000::", "zeisiguser:x:1000:1000:Zeisig Gecos,,,:"));
        nix::unistd::sethostname("zeisigmachine").unwrap();
        self.set("USER", "zeisiguser");
        self.set("LOGNAME", "zeisiguser");
        self.set("ZEISIG_TOKEN", "zeisigenvironment");
        self.set("GIT_AUTHOR_EMAIL", "ann@zeisigmail.example");
    }
}

#[test]
fn names_of_everything_around_a_key_that_is_not_registered() {
    planted(&["zeisigalias", "zeisigspace/zeisigrepo", "zeisigfile", "zeisigagent", "zeisigkeepalive", "zeisigmatch"], |world| {
        world.named();
        world.stranger("zeisigfile");
        world.stranger("held");
        let public = fs::read_to_string(world.ssh("held.pub")).unwrap();
        fs::write(world.ssh("held.pub"), public.replace("dev@example.com", "zeisigcomment of Ann")).unwrap();
        world.keygen("carried", "ed25519", "", "");
        world.user(&["ssh-keygen", "-q", "-c", "-C", "zeisigagent@zeisig.example", "-f", ".ssh/carried"]);
        world.agent(&["carried"]);
        world.forget("carried");
        world.know("{host},zeisigknown.example");
        let known = fs::read_to_string(world.ssh("known_hosts")).unwrap();
        fs::write(world.ssh("known_hosts"), known.replace('\n', " zeisigremark\n") + "zeisigbroken ssh-rsa AAAA\n").unwrap();
        world.config(
                "# zeisigconfigcomment\nHost zeisigalias\n  HostName {host}\n  User git\n  IdentityFile ~/.ssh/zeisigfile\n\
                 SetEnv A=zeisigkeepalive\nMatch host zeisigmatch\n  IdentityFile ~/.ssh/zeisigmatch\nHost *\n  IdentityFile ~/.ssh/zeisigmatch\n",
            );
        world.url = "git@zeisigalias:zeisigspace/zeisigrepo.git".into();
        world.sshd("Banner /home/git/banner");
        fs::write("/home/git/banner", "Welcome to zeisigbanner, 4a1b2c3d, zeisig@zeisig.example\n").unwrap();
    });
}

#[test]
fn passwords_and_tokens_in_urls() {
    planted(&["zeisiglogin:***", "zeisigspace"], |world| {
        world.named();
        world.plain();
        world.git_config("user.email", "ann@zeisigmail.example");
        world.git_config("url.ssh://zeisiglogin:zeisigsecret@{host}/.insteadOf", "zeisigshort:");
        world.git_config("http.proxy", "http://zeisiglogin:zeisigsecret@zeisigproxy.example:3128");
        world.git_config("credential.helper", "!echo password=zeisigsecret");
        world.url = "zeisigshort:zeisigspace/zeisigrepo.git".into();
    });
}

#[test]
fn web_address_with_a_token() {
    planted(&["zeisigspace"], |world| {
        world.named();
        world.plain();
        world.url = "https://x-token-auth:zeisigsecret@bitbucket.org/zeisigspace/zeisigrepo.git".into();
    });
}

#[test]
fn words_of_a_proxy() {
    planted(&["zeisigproxysays", "zeisigproxyoption"], |world| {
        world.named();
        world.plain();
        let says = "#!/bin/sh\necho 'zeisigproxysays: 407 for zeisiguser at 10.20.30.40, key 4a1b2c3d' >&2\nexit 1\n";
        let script = world.script("connect", says);
        world.config(format!("Host *\n  ProxyCommand {} --auth zeisigproxyoption %h %p\n", script.display()));
    });
}

#[test]
fn words_of_a_server_that_is_none() {
    planted(&["zeisigserver"], |world| {
        world.named();
        world.plain();
        world.listen.clear();
        world.odd_server(|mut stream| {
            let _ = std::io::Write::write_all(
                &mut stream,
                b"HTTP/1.1 302 Found\r\nLocation: http://zeisigserver.example/4a1b2c3d\r\n\r\n",
            );
        });
    });
}

#[test]
fn lines_that_ssh_cannot_read() {
    planted(&["zeisigoption"], |world| {
        world.named();
        world.plain();
        world.config("Host *\n  ZeisigOption zeisigvalue\n  IdentityFile \"~/.ssh/zeisigquote\n");
    });
}

#[test]
fn words_of_the_service_and_of_git() {
    planted(&["zeisigrefusal"], |world| {
        world.named();
        world.plain();
        world.rule("deny-read.dev", "zeisigrefusal: ask zeisigadmin@zeisig.example about 4a1b2c3d");
    });
}

#[test]
fn line_of_git_that_it_cannot_read() {
    planted(&["zeisig"], |world| {
        world.named();
        world.plain();
        world.write(".gitconfig", "[url \"zeisiggit\n\tzeisigkey = zeisigvalue\n", 0o644);
    });
}
