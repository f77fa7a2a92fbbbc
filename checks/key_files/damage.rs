//! Keys that were damaged on their way here, and their repair.

use crate::facts::key_file::{CorruptKind, KeyFile};
use crate::privacy::{Private, Text};
use crate::remedy::{Remedy, Safety};

/// What has happened to the file, for a sentence.
pub(super) fn damage(kind: CorruptKind) -> &'static str {
    match kind {
        CorruptKind::Truncated => "it has lost its end",
        CorruptKind::LineBreaksLost => "its line breaks are lost",
        CorruptKind::LiteralBackslashN => "it has \\n in letters where lines should end",
        CorruptKind::MissingFinalNewline => "its last line does not end",
        CorruptKind::Crlf => "its lines end as on Windows (CRLF)",
        CorruptKind::ByteOrderMark => "it begins with a byte order mark",
        CorruptKind::Utf16 => "it is UTF-16",
        CorruptKind::LeadingBlank => "it begins with an empty line",
        CorruptKind::LeadingText => "other text stands before the key",
        CorruptKind::Base64OfFile => "it is base64 of a key file, not yet decoded",
        CorruptKind::Empty => "it is empty",
        CorruptKind::Ssh2Export => "it is in the SSH2 export format",
        CorruptKind::QuotedOrIndented => "it has quotes or blanks around its lines",
        CorruptKind::Other => "its content is damaged",
    }
}

/// How to give the key back, where the bytes are all there.
pub(super) fn repair(kind: CorruptKind, file: &KeyFile) -> Vec<Remedy> {
    let key = || Private::path(&file.path);
    let sed = |id, summary: &'static str, program: &'static str| {
        vec![Remedy::run(id, summary, vec!["sed".into(), "-i".into(), program.into(), key().into()], Safety::Confirm)]
    };
    match kind {
        CorruptKind::Crlf => sed("unix-lines", "Give its lines Unix ends.", "s/\\r$//"),
        CorruptKind::MissingFinalNewline => sed("end-line", "End its last line.", "$a\\"),
        CorruptKind::LeadingBlank => sed("drop-blank", "Take the empty lines at its beginning away.", "/./,$!d"),
        CorruptKind::LeadingText => sed("drop-text", "Take the text before the key away.", "/^-----BEGIN/,$!d"),
        CorruptKind::ByteOrderMark => sed("drop-mark", "Take the byte order mark away.", "1s/^\\xEF\\xBB\\xBF//"),
        CorruptKind::LiteralBackslashN => sed("real-lines", "Turn the letters \\n into line ends.", "s/\\\\n/\\n/g"),
        CorruptKind::QuotedOrIndented => {
            let program = "s/^[[:blank:]\"']*//; s/[[:blank:]\"']*$//";
            sed("bare-lines", "Take the blanks and quotes around its lines away.", program)
        }
        CorruptKind::Utf16 => vec![Remedy::run(
            "plain-text",
            "Write it as plain text.",
            in_shell("iconv -f UTF-16 -t UTF-8 \"$1\" > \"$1.plain\" && chmod 600 \"$1.plain\" && mv \"$1.plain\" \"$1\"", key()),
            Safety::Confirm,
        )],
        CorruptKind::Base64OfFile => vec![Remedy::run(
            "decode",
            "Decode it.",
            in_shell("base64 -d \"$1\" > \"$1.decoded\" && chmod 600 \"$1.decoded\" && mv \"$1.decoded\" \"$1\"", key()),
            Safety::Confirm,
        )],
        _ => vec![Remedy::ask(
            "restore",
            "Copy the key again from where it was made; in CI, write it with printf '%s\\n' \"$KEY\" (quotes matter). If it is lost, make a new one and register it.",
        )],
    }
}

/// A script for sh with a file as its `$1`, so that no name can break out of its quotes.
pub(super) fn in_shell(script: &'static str, file: Private) -> Vec<Text> {
    vec!["sh".into(), "-c".into(), script.into(), "sh".into(), file.into()]
}
