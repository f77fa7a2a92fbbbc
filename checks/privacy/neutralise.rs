//! Text of others made harmless to a terminal and a reader.

use std::ops::RangeInclusive;

/// Characters that nobody sees, and that turn, hide, join or move what stands beside them, as of Unicode 16: all of general
/// category Cf, the separators of lines and paragraphs, the fillers that look like nothing, and the whole block of tags.
/// Variation selectors (U+FE00 to U+FE0F) choose a picture for the character before them and do no more; they stay.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Whether `c` is a mark that nobody sees; control characters are not among them.
pub fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|range| range.contains(&c))
}

/// Makes untrusted text harmless to a terminal and a reader: control characters, escapes and bidirectional marks become
/// visible (`\x1b`, `\u{202e}`), line ends become `\n`, and what is longer than `limit` characters is cut with an ellipsis.
pub fn neutralise(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.trim_end_matches(['\r', '\n']).chars().enumerate() {
        if n == limit {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}
