//! Keys that were damaged on their way here, and their repair.

use crate::facts::key_file::{CorruptKind, KeyFile};
use crate::remedy::Remedy;

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

/// How to give the key back: bbdoctor does, where the bytes are all there and the file is the user's own.
pub(super) fn repair(file: &KeyFile, restorable: bool, uid: u32) -> Remedy {
    if restorable && file.access.is_some_and(|access| access.uid == uid) {
        return Remedy::restore_key("restore", "Restore the key; the damaged file is kept beside it.", &file.path);
    }
    Remedy::ask(
        "restore",
        "Copy the key again from where it was made; in CI, write it with printf '%s\\n' \"$KEY\" (quotes matter). If it is lost, make a new one and register it.",
    )
}
