//! What is public, placeholders and the last look.

use super::*;
use crate::text;

fn redaction(texts: &[Text]) -> Redaction {
    blanked(texts).1
}

/// Our own words of `texts`, and what shows these to other people.
fn blanked(texts: &[Text]) -> (String, Redaction) {
    let collector = Collector::default();
    let own = texts.iter().map(|text| collector.text(text) + "\n").collect();
    let homes = vec!["/home/zoe".into(), "/home/zoe/".into(), "/srv/zoe".into()];
    (own, Redaction::new(homes, vec![Private::user("zoe"), Private::host("zoes-laptop")], collector))
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
    let redaction = redaction(&texts);
    let shown: Vec<String> = texts.iter().map(|t| redaction.text(t)).collect();
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
    assert_eq!(redaction.inspect(&shown.join("\n"), ""), Ok(()));
}

#[test]
fn a_word_of_others_that_nobody_vouches_for_is_not_shown() {
    let text = text!("{}", Private::quoted("The key id_geheim is not registered: 10.1.2.3 fe80::7 127.0.0.1 Øre ✂."));
    let redaction = redaction(&[]);
    assert_eq!(redaction.text(&text), "The key text-1 is not registered: address-1 address-2 127.0.0.1 text-2 ?.");
}

#[test]
fn our_own_words_are_shown_whatever_they_are() {
    let text = text!("The frobnicator of {} quuxes {} times.", Private::user("frobnicator"), 22_222u16);
    let (own, redaction) = blanked(std::slice::from_ref(&text));
    let shown = redaction.text(&text);
    assert_eq!(shown, "The frobnicator of user-1 quuxes 22222 times.");
    assert_eq!(redaction.inspect(&shown, &own), Ok(()));
    let leaks = redaction.inspect(&shown.replace("user-1", "frobnicator"), "Something of … is said here.");
    assert!(leaks.is_err(), "where it is no word of ours, it is a leak");
}

#[test]
fn a_value_is_public_only_in_the_form_of_its_kind() {
    let public = |text: Text| matches!(text.pieces(), [Piece::Public(_)]);
    let print = "SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM";
    assert!(public(Text::fingerprint(print)));
    assert!(!public(Text::fingerprint("SHA256:zoe")) && !public(Text::fingerprint(format!("{print} zoe"))));
    for name in ["ssh-ed25519", "sk-ssh-ed25519@openssh.com", "rsa-sha2-512", "ecdsa-sha2-nistp521", "curve25519-sha256@libssh.org"]
    {
        assert!(public(Text::algorithm(name)), "{name}");
    }
    for name in ["ssh-zoe", "ssh-rsa@zoe.example", "zoe", "ssh-rsa@openssh.com@openssh.com"] {
        assert!(!public(Text::algorithm(name)), "{name}");
    }
    assert!(public(Text::version("1.11.2_DEV")) && public(Text::version("9.2p1")));
    assert!(!public(Text::version("10.1.2.3")) && !public(Text::version("zoe")));
    assert!(public(Text::date("2026-11-22")) && public(Text::date("2026-11-22T20:00:00Z")) && !public(Text::date("2026-zoe-22")));
    assert!(public(Text::option('v')) && !public(Text::option('é')) && !public(Text::option(' ')));
    assert!(public(Text::keyword("IdentitiesOnly")) && !public(Text::keyword("ZoeOption")));
    assert_eq!(Plain::default().text(&Text::mode(0o644)), "0644");
}

#[test]
fn without_quotations_nothing_of_others_is_shown() {
    let text = text!("{} said {} to {}", Private::host("zoe.example"), Private::quoted("Permission denied"), Private::user("git"));
    let redaction = redaction(std::slice::from_ref(&text));
    assert_eq!(WithoutQuotations(&redaction).text(&text), "host-1 said [left out] to git");
}

#[test]
fn ordinary_names_do_not_take_words_out_of_sentences() {
    let texts = [
        text!("{}", Private::repository("server/config")),
        text!("{}", Private::host("key")),
        text!("{} {}", Private::new(Kind::Comment, "the server"), Private::user(" git")),
        text!("the server reads {}", Private::quoted("config key of server/config")),
    ];
    let (own, redaction) = blanked(&texts);
    assert_eq!(redaction.text(&texts[3]), "the server reads config key of workspace-1/repo-1");
    assert_eq!(redaction.text(&texts[1]), "host-1");
    assert_eq!(redaction.inspect("the server reads config", &own), Ok(()));
}

#[test]
fn what_everybody_knows_stays() {
    let key = crate::bitbucket::HOST_KEYS[0];
    let text = text!(
        "{} {} as {}: {} {}",
        Private::host("ssh.bitbucket.org:22"),
        Private::quoted(format!("{} {}", key.algorithm, key.base64)),
        Private::user("git"),
        Text::fingerprint(key.fingerprint),
        Private::quoted("OpenSSH_9.2p1 in /usr/bin/ssh, port 7999")
    );
    let shown = redaction(&[]).text(&text);
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
    let redaction = redaction(&texts);
    assert_eq!(redaction.text(&texts[0]), "host-3");
}

#[test]
fn the_last_look_finds_a_value_in_every_encoding() {
    let redaction = redaction(&[text!("{}", Private::user("zoë o'hara<x>")), text!("{}", Private::repository("Blaubeere/torte"))]);
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
        assert!(redaction.inspect(leak, "").is_err(), "{leak}");
    }
    use base64::Engine as _;
    for before in ["", "a", "ab"] {
        let leak = base64::engine::general_purpose::STANDARD.encode(format!("{before}Blaubeere/torte"));
        assert!(redaction.inspect(&leak, "").is_err(), "{leak}");
    }
    assert_eq!(redaction.inspect("SHA256:zoe/zoe+zoeblaubeere1234567890123456789012345678", ""), Ok(()));
    let redaction = super::tests::redaction(&[text!("{}", Private::user("onfig"))]);
    assert_eq!(redaction.inspect("the config of user-2", ""), Ok(()), "part of an ordinary word");
    assert_eq!(redaction.inspect("preconfigured by user-2", "preconfigured by …"), Ok(()), "part of a word of ours");
    assert!(redaction.inspect("the config of onfig", "").is_err());
}

#[test]
fn foreign_text_cannot_move_the_cursor_or_turn_the_line() {
    assert_eq!(neutralise("a\x1b[2Jb\u{202e}c\nd\0", 100), r"a\x1b[2Jb\u{202e}c\nd\x00");
    assert_eq!(neutralise("abcdef", 3), "abc…");
    for c in "\u{ad}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{2028}\u{2029}\u{2066}\u{3164}\u{feff}\u{ffa0}\u{fffb}\u{e0041}\u{e0100}\u{1d173}".chars() {
        assert_eq!(neutralise(&c.to_string(), 100), format!("\\u{{{:x}}}", c as u32));
    }
    assert_eq!(neutralise("\x7f\u{85}", 100), r"\x7f\x85");
    assert_eq!(neutralise("❤\u{fe0f}é", 100), "❤\u{fe0f}é");
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
        let (own, redaction) = blanked(std::slice::from_ref(&said));
        let shown = redaction.text(&said);
        proptest::prop_assert_eq!(redaction.inspect(&shown, &own), Ok(()), "{}", shown);
        let without = WithoutQuotations(&redaction).text(&said);
        proptest::prop_assert_eq!(redaction.inspect(&without, &own), Ok(()), "{}", without);
        for (_, name) in names.iter().filter(|(_, name)| name.len() > 4 && name.bytes().all(|b| b.is_ascii_alphanumeric())) {
            proptest::prop_assert!(words::is_public(name) || words::is_part_of_a_word(&name.to_lowercase()) || own.contains(name.as_str()) || !shown.contains(name.as_str()), "{}", shown);
        }
    }
}
