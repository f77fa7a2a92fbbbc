//! The lines of ssh's configuration that are spoken of.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::Facts;
use super::ssh_config::Position;

/// The texts of lines, without their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// In the order of their places.
    texts: Vec<(Position, String)>,
    /// The user's own file has lines that apply to every host before its first block, or none at all.
    pub begins_outside_blocks: bool,
}

impl Lines {
    /// Of the texts by their places.
    pub fn new(texts: BTreeMap<Position, String>, begins_outside_blocks: bool) -> Self {
        Lines { texts: texts.into_iter().collect(), begins_outside_blocks }
    }
}

impl Facts {
    /// The text of a line.
    pub(crate) fn line(&self, position: &Position) -> Option<&str> {
        let texts = &self.lines.texts;
        let at = texts.binary_search_by(|(place, _)| place.cmp(position)).ok()?;
        Some(&texts[at].1)
    }

    /// The blanks before a line's first word.
    pub(crate) fn indent(&self, position: &Position) -> String {
        self.line(position).unwrap_or_default().chars().take_while(|c| c.is_whitespace()).collect()
    }
}
