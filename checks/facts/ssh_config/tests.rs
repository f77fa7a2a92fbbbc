use std::collections::BTreeMap;

use super::*;
use crate::facts::files::Access;
use crate::facts::survives_json;

fn at(line: usize) -> Position {
    Position { file: PathBuf::from(bytes::word(b"/home/\xff/.ssh/config".to_vec())), line }
}

fn setting(keyword: &str, text: &str) -> Setting {
    let loser = Loser { source: SettingSource::File(at(9)), value: "22".into() };
    Setting {
        keyword: keyword.into(),
        values: vec![Value { text: text.into(), source: SettingSource::File(at(2)) }],
        losers: vec![loser],
    }
}

fn evaluation() -> Evaluation {
    let access = Access { uid: 1000, gid: 1000, mode: 0o600 };
    let problem = |kind| Problem { kind, position: Some(at(3)), columns: Some(2..14), text: "x".into(), message: "said".into() };
    let note = |kind| Note { kind, position: at(4), text: "~/k".into() };
    let file = |role, outcome| FileRead { path: at(1).file, role, access: Some(access), outcome };
    Evaluation {
        settings: [setting("port", "7999"), setting("hostname", "bitbucket.org")].map(|s| (s.keyword.clone(), s)).into(),
        identity_files: vec![IdentityFile { path: "~/k".into(), source: SettingSource::Default, user_provided: false }],
        known_hosts_files: BTreeMap::from([("userknownhostsfile".into(), vec!["/a b".into(), "/c".into()])]),
        problems: [
            ProblemKind::UnknownKeyword { did_you_mean: Keyword::named("identityfile"), known_to: Some(KnownTo::Newer(904)) },
            ProblemKind::Encoding(EncodingFault::ByteOrderMark),
            ProblemKind::BadMatch { detail: "words".into() },
            ProblemKind::IncludeTooDeep { is_loop: true },
            ProblemKind::PermissionsTooOpen(access),
            ProblemKind::ExpansionFailed(ExpandError::UnknownToken('ü')),
        ]
        .map(problem)
        .into(),
        notes: [
            NoteKind::KeywordIgnored,
            NoteKind::IncludeMatchesNothing { pattern: "/x*".into() },
            NoteKind::KeyInInactiveMatch { block: at(1) },
            NoteKind::OptionBeforeFirstHost { keyword: "port".into(), blocks_follow: true },
            NoteKind::EncodingInValue(EncodingFault::Invisible),
        ]
        .map(note)
        .into(),
        files: vec![file(FileRole::User, FileOutcome::Read), file(FileRole::Included, FileOutcome::Unreadable(13))],
        host_patterns: vec![HostPattern {
            pattern: "*".into(),
            negated: true,
            position: at(1),
            columns: 5..7,
            fits: true,
            active: false,
        }],
        undecided: vec![UndecidedExec { position: at(8), command: "onVPN bb".into() }],
        exec_conditions: vec![at(8)],
        final_pass: true,
        canonicalizes: false,
        doubts: vec![Doubt::OldRelease(806), Doubt::Canonicalization, Doubt::LocalNetwork(at(5))],
        destination: Destination { host: "bitbucket.org".into(), user: "git".into(), ..Destination::default() },
    }
}

#[test]
fn an_evaluation_is_asked_by_keyword() {
    let own = evaluation();
    assert_eq!((own.value("port"), own.values("port")), (Some("7999"), vec!["7999"]));
    assert_eq!((own.source("port"), own.losers("port").len()), (Some(&SettingSource::File(at(2))), 1));
    assert_eq!((own.value("user"), own.source("user"), own.losers("user").len()), (None, None, 0));
    assert_eq!((own.is_on("port"), own.settings().count()), (false, 2));
    assert_eq!(own.file(&at(1).file).map(|f| f.role), Some(FileRole::User));
}

#[test]
fn is_recorded_and_read_back() {
    survives_json(&evaluation());
    survives_json(&Evaluation::default());
    for file in [ConfigFile::Default, ConfigFile::given("NONE"), ConfigFile::File(at(1).file)] {
        survives_json(&file);
    }
    let defaults: Effective = [("port", "22"), ("identityfile", "~/a"), ("identityfile", "~/b")]
        .map(|(keyword, value)| (keyword.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    assert_eq!((defaults.value("port"), defaults.values("identityfile")), (Some("22"), vec!["~/a", "~/b"]));
    let algorithms = AlgorithmNames { kex: vec!["curve25519-sha256".into()], ..AlgorithmNames::default() };
    survives_json(&SshTraits { algorithms: Some(algorithms), defaults: Some(defaults), ..SshTraits::default() });
    let keyword = Keyword::named("hostname").expect("a keyword");
    assert_eq!((keyword.written(), keyword.slot()), ("HostName", "hostname"));
    survives_json(&SecondOpinion::Differs(vec![Difference { keyword, ssh: vec!["a".into()], other: Vec::new() }]));
    assert!(serde_json::from_str::<Keyword>("\"HotsName\"").is_err());
}
