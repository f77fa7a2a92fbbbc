//! The report for a person.
//!
//! [`content`] decides what is said and in which order. [`page`] lays it out for the eye, [`accessible`] as lines for a screen
//! reader. Words carry the meaning; colour only repeats it.

mod accessible;
mod content;
mod keys;
mod page;
mod route;

use super::Report;

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// The verdict only.
    Quiet,
    /// The verdict, its proof, the remedies, and what else needs attention.
    Normal,
    /// Every check with its evidence, keys, settings and what the examination touched, too.
    Verbose,
}

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// How much to say.
    pub(crate) detail: Detail,
    /// Colours are wanted.
    pub(crate) colour: bool,
    /// Columns.
    pub(crate) width: usize,
    /// For a screen reader: one fact a line, no table, nothing aligned or wrapped.
    pub(crate) accessible: bool,
}

/// The report as text, with a final line end.
///
/// The verdict comes last on the screen, where a terminal leaves the reader after a long report, and first for the ear.
pub(crate) fn render(report: &Report, manner: Manner) -> String {
    let heading = (manner.detail > Detail::Quiet).then(|| content::heading(report));
    let details = if manner.detail == Detail::Verbose { content::details(report) } else { Vec::new() };
    let verdict = content::verdict(report, manner.detail);
    if manner.accessible {
        accessible::print(heading.into_iter().chain(verdict).chain(details), manner.colour)
    } else {
        page::print(heading.into_iter().chain(details).chain(verdict), manner)
    }
}

#[cfg(test)]
mod tests;
