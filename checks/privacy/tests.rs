//! Stand-ins and the last look.

use super::*;
use crate::text;

fn standins(texts: &[Text]) -> Standins {
    let collector = Collector::default();
    for text in texts {
        collector.text(text);
    }
    Standins::new(
        vec!["/home/zoe".into(), "/home/zoe/".into(), "/srv/zoe".into()],
        vec![Private::user("zoe"), Private::host("zoes-laptop")],
        collector,
    )
}

#[test]
fn the_same_value_has_the_same_standin_wherever_it_occurs() {
    let texts = [
        text!("{} at {}", Private::repository("blaubeere/torte"), Private::host("git.blaubeere.internal:7999")),
        text!("{}", Private::url("ssh://git@git.blaubeere.internal:7999/blaubeere/torte.git")),
        text!(
            "{}",
            Private::quoted(
                "zoe@GIT.Blaubeere.internal: Permission denied (publickey); see /home/zoe/.ssh/config line 3, not /srv/zoe."
            )
        ),
        text!("{}", Private::path("/home/zoe/.ssh/blaubeere_key")),
        text!("{}", Private::new(Kind::Comment, "Zoe on her laptop")),
    ];
    let standins = standins(&texts);
    let shown: Vec<String> = texts.iter().map(|t| standins.text(t)).collect();
    assert_eq!(
        shown,
        [
            "workspace-1/repo-1 at host-1:7999",
            "ssh://git@host-1:7999/workspace-1/repo-1.git",
            "user-1@host-1: Permission denied (publickey); see ~/.ssh/config line 3, not home-2.",
            "~/.ssh/path-1",
            "key-1",
        ]
    );
    assert_eq!(standins.inspect(&shown.join("\n")), Ok(()));
}

#[test]
fn a_word_that_nobody_vouches_for_is_not_shown_even_among_our_own() {
    let text =
        text!("The key {} of {} is not registered: {}.", "id_geheim", Private::quoted("10.1.2.3 fe80::7 127.0.0.1"), "Øre ✂");
    let standins = standins(&[]);
    assert_eq!(standins.text(&text), "The key text-1 of address-1 address-2 127.0.0.1 is not registered: text-2 ?.");
}

#[test]
fn ordinary_names_do_not_take_words_out_of_sentences() {
    let texts = [
        text!("{}", Private::repository("server/config")),
        text!("{}", Private::host("key")),
        text!("{} {}", Private::new(Kind::Comment, "the server"), Private::user(" git")),
    ];
    let standins = standins(&texts);
    let said = text!("the server reads {}", Private::quoted("config key of server/config"));
    assert_eq!(standins.text(&said), "the server reads config key of workspace-1/repo-1");
    assert_eq!(standins.text(&texts[1]), "host-1");
    assert_eq!(standins.inspect("the server reads config"), Ok(()));
}

#[test]
fn what_everybody_knows_stays() {
    let key = crate::bitbucket::HOST_KEYS[0];
    let text = text!(
        "{} {} as {}: {} {}",
        Private::host("ssh.bitbucket.org:22"),
        Private::quoted(format!("{} {}", key.algorithm, key.base64)),
        Private::user("git"),
        key.fingerprint,
        Private::quoted("OpenSSH_9.2p1 in /usr/bin/ssh, port 7999")
    );
    let shown = standins(&[]).text(&text);
    assert_eq!(shown, Plain::default().text(&text));
}

#[test]
fn a_public_key_stays_whole() {
    let line = format!("ssh-rsa {}", "A".repeat(2_800));
    let shown = |value: Private| Plain::default().text(&value.into());
    assert_eq!(shown(Private::public_key(&line)), line);
    assert!(shown(Private::quoted(&line)).len() < line.len());
}

#[test]
fn a_standin_never_looks_like_a_value() {
    let texts = [text!("{}", Private::host("host-1")), text!("{}", Private::new(Kind::Comment, "host-2"))];
    let standins = standins(&texts);
    assert_eq!(standins.text(&texts[0]), "host-3");
}

#[test]
fn the_last_look_finds_a_value_in_every_encoding() {
    let standins = standins(&[text!("{}", Private::user("zoë o'hara<x>")), text!("{}", Private::repository("Blaubeere/torte"))]);
    for leak in [
        "Blaubeere",
        "xxBLAUBEERExx",
        "see /home/zoe today",
        "%2Fhome%2Fzoe",
        "%62%6c%61%75%62%65%65%72%65",
        "426c617562656572653a",
        "Zo\u{eb} o&apos;hara&lt;x&gt;",
        "Zo\\u00eb o'hara<x>",
        "zoë o'\\''hara<x>",
        "zoë o\\'hara\\<x\\>",
    ] {
        assert!(standins.inspect(leak).is_err(), "{leak}");
    }
    use base64::Engine as _;
    for before in ["", "a", "ab"] {
        let leak = base64::engine::general_purpose::STANDARD.encode(format!("{before}Blaubeere/torte"));
        assert!(standins.inspect(&leak).is_err(), "{leak}");
    }
    assert_eq!(standins.inspect("SHA256:zoe/zoe+zoeblaubeere1234567890123456789012345678"), Ok(()));
    let standins = super::tests::standins(&[text!("{}", Private::user("onfig"))]);
    assert_eq!(standins.inspect("the config of user-2"), Ok(()), "part of an ordinary word");
    assert!(standins.inspect("the config of onfig").is_err());
}

#[test]
fn foreign_text_cannot_move_the_cursor_or_turn_the_line() {
    assert_eq!(neutralise("a\x1b[2Jb\u{202e}c\nd\0", 100), r"a\x1b[2Jb\u{202e}c\nd\x00");
    assert_eq!(neutralise("abcdef", 3), "abc…");
}

#[test]
fn passwords_of_urls_are_gone_before_anybody_can_show_them() {
    let shown = |url: &str| Plain::default().text(&Private::url(url).into());
    assert_eq!(shown("ssh://ann:hunter2@h:22/x"), "ssh://ann:***@h:22/x");
    assert_eq!(shown("https://x-token-auth:ATCTT3xFfGN0@bitbucket.org/a/b.git"), "https://x-token-auth:***@bitbucket.org/a/b.git");
    assert_eq!(shown("https://ghp_0123456789abcdefghij@h/x and http://a:b@c"), "https://***@h/x and http://a:***@c");
    assert_eq!(shown("git@h:a/b.git https://h/a@b"), "git@h:a/b.git https://h/a@b");
    assert_eq!(shown("ann:hunter2@h: Permission denied; git@h:b@c"), "ann:***@h: Permission denied; git@h:b@c");
}

#[test]
fn private_values_have_no_way_out_but_a_redactor() {
    let said = text!("{} is open", Private::path("/home/ann/.ssh/id"));
    assert!(!format!("{said:?}").contains("ann"));
    assert_eq!(Plain { home: Some("/home/ann".into()) }.text(&said), "~/.ssh/id is open");
    assert_eq!(Plain { home: Some("/home/an".into()) }.text(&said), "/home/ann/.ssh/id is open");
}

#[test]
fn a_recording_gives_back_every_text_as_it_was() {
    let text = text!(
        "{} of {}, port {}: {}",
        Private::path("/home/zoe/.ssh/id"),
        Private::new(Kind::Comment, "Zoë\t\u{202e}\n"),
        22u16,
        Private::public_key("ssh-rsa ".to_string() + &"A".repeat(3_000))
    );
    let recorded = serde_json::to_string(&text).expect("JSON");
    assert!(recorded.starts_with(r#"[{"kind":"path","value":"/home/zoe/.ssh/id"}," of ",{"kind":"comment","#), "{recorded}");
    assert_eq!(serde_json::from_str::<Text>(&recorded).expect("the same text"), text);
    let foreign: Text = serde_json::from_str(r#"["a\u001b[2J",{"kind":"quoted","value":"b\u202ec"}]"#).expect("a text");
    assert_eq!(Plain::default().text(&foreign), r"a\x1b[2Jb\u{202e}c");
}

/// Names as people give them, ordinary words among them, and names that are parts of such words.
fn a_name() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let word = proptest::sample::select(vec![
        "the server",
        " reads",
        "key",
        "config",
        "server",
        "ssh",
        "key-1",
        "text-2",
        "onfig",
        "10.0.0.1",
        "fe80::1",
        "~",
    ]);
    prop_oneof![word.prop_map(String::from), "[a-zA-Z0-9._@/-]{1,10}", "\\PC{1,8}"]
}

proptest::proptest! {
    /// Whatever people call their things: no report is withheld for nothing, none shows one of the names, and what has been
    /// redacted stays as it is when it is redacted again.
    #[test]
    fn redacted_text_passes_the_last_look(names in proptest::collection::vec((0..7usize, a_name()), 1..8)) {
        let kinds = [Kind::User, Kind::Host, Kind::Comment, Kind::Repository, Kind::Path, Kind::Url, Kind::Quoted];
        let values: Vec<Private> = names.iter().map(|(kind, name)| Private::new(kinds[*kind], name)).collect();
        let all: String = names.iter().map(|(_, name)| format!("{name} ")).collect();
        let said = text!("The server of {} reads {}.", Text::join(values.iter().cloned().map(Text::from), ", "), Private::quoted(&all));
        let standins = standins(std::slice::from_ref(&said));
        let shown = standins.text(&said);
        proptest::prop_assert_eq!(standins.inspect(&shown), Ok(()), "{}", shown);
        for (_, name) in names.iter().filter(|(_, name)| name.len() > 4 && name.bytes().all(|b| b.is_ascii_alphanumeric())) {
            proptest::prop_assert!(words::is_public(name) || words::is_part_of_a_word(&name.to_lowercase()) || !shown.contains(name.as_str()), "{}", shown);
        }
    }
}
