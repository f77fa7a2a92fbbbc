//! What has been read so far: values, those that came too late, and remarks.

use std::collections::{BTreeMap, HashMap};

use super::evaluate::{ConfigReader, REMARK_LIMIT, Stored};
use super::options::Place;
use bbdoctor_checks::facts::ssh_config::{Doubt, HostPattern, Loser, Note, NoteKind, SettingSource};

impl ConfigReader<'_> {
    pub(super) fn is_set(&self, slot: &str) -> bool {
        self.slots.contains_key(slot)
    }

    pub(super) fn first_text(&self, slot: &str) -> Option<&str> {
        self.slots.get(slot)?.first().map(|v| v.text.as_str())
    }

    pub(super) fn stored(&self, slot: &str) -> &[Stored] {
        self.slots.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn take_slots(&mut self) -> HashMap<&'static str, Vec<Stored>> {
        std::mem::take(&mut self.slots)
    }

    pub(super) fn take_losers(&mut self) -> BTreeMap<&'static str, Vec<Loser>> {
        std::mem::take(&mut self.losers)
    }

    /// Sets `slot` if it is free and the line counts; a line that comes too late is kept as a loser.
    pub(super) fn set(&mut self, slot: &'static str, text: String, place: &Place<'_>) {
        if self.is_set(slot) {
            self.lose(slot, slot, &text, place);
        } else {
            self.set_quietly(slot, text, place);
        }
    }

    /// As [`ConfigReader::set`], for a slot that is only part of a setting.
    pub(super) fn set_quietly(&mut self, slot: &'static str, text: String, place: &Place<'_>) {
        if place.active {
            let value = Stored { text, source: place.source.clone(), user_conf: place.user_conf };
            self.slots.entry(slot).or_insert_with(|| vec![value]);
        }
    }

    /// Gives `slot` a value that no line says.
    pub(super) fn fill(&mut self, slot: &'static str, text: &str, source: SettingSource) {
        self.slots.entry(slot).or_insert_with(|| vec![Stored { text: text.to_string(), source, user_conf: true }]);
    }

    /// Sets `slot` whatever it held and whether the line counts or not.
    pub(super) fn replace(&mut self, slot: &'static str, text: String, place: &Place<'_>) {
        if let Some(old) = self.slots.remove(slot)
            && let Some(old) = old.into_iter().next()
            && old.source != *place.source
        {
            let loser = Loser { source: old.source, value: old.text };
            self.losers.entry(slot).or_default().push(loser);
        }
        self.set_quietly(slot, text, &Place { active: true, ..*place });
    }

    pub(super) fn append(&mut self, slot: &'static str, text: String, place: &Place<'_>) {
        let value = Stored { text, source: place.source.clone(), user_conf: place.user_conf };
        self.slots.entry(slot).or_default().push(value);
    }

    /// Keeps the values of `slot` for which `keep` holds.
    pub(super) fn retain(&mut self, slot: &'static str, keep: impl Fn(&str) -> bool) {
        if let Some(values) = self.slots.get_mut(slot) {
            values.retain(|v| keep(&v.text));
        }
    }

    pub(super) fn replace_text(&mut self, slot: &'static str, text: &str) {
        if let Some(value) = self.slots.get_mut(slot).and_then(|v| v.first_mut()) {
            value.text = text.to_string();
        }
    }

    /// Keeps an active line that had no effect because `winner` was set; a second reading of the winning line is none.
    pub(super) fn lose(&mut self, slot: &'static str, winner: &str, value: &str, place: &Place<'_>) {
        let known = self.losers.get(slot).map(Vec::as_slice).unwrap_or_default();
        if !place.active || known.len() >= REMARK_LIMIT {
            return;
        }
        let Some(won) = self.stored(winner).first().map(|v| &v.source) else { return };
        let second_reading = *place.source != SettingSource::CommandLine
            && (self.stored(slot).iter().any(|v| v.source == *place.source)
                || known.iter().any(|l| l.source == *place.source && l.value == value));
        if !second_reading && *won != SettingSource::Default {
            let loser = Loser { source: place.source.clone(), value: value.to_string() };
            self.losers.entry(slot).or_default().push(loser);
        }
    }

    pub(super) fn note(&mut self, kind: NoteKind, source: &SettingSource, text: &str) {
        if let SettingSource::File(position) = source
            && self.out.notes.len() < REMARK_LIMIT
        {
            let note = Note { kind, position: position.clone(), text: text.to_string() };
            if !self.out.notes.contains(&note) {
                self.out.notes.push(note);
            }
        }
    }

    pub(super) fn doubt(&mut self, doubt: Doubt) {
        if self.out.doubts.len() < REMARK_LIMIT && !self.out.doubts.contains(&doubt) {
            self.out.doubts.push(doubt);
        }
    }

    pub(super) fn host_pattern(&mut self, found: HostPattern) {
        let patterns = &mut self.out.host_patterns;
        let full = patterns.len() >= REMARK_LIMIT;
        if full && !self.out.final_pass {
            return;
        }
        let line = found.position.line;
        let same = |p: &HostPattern| p.position.line == line && p.columns == found.columns && p.position == found.position;
        match patterns.iter().position(same) {
            Some(known) => {
                patterns[known].fits |= found.fits;
                patterns[known].active |= found.active;
            }
            None if !full => patterns.push(found),
            None => {}
        }
    }
}
