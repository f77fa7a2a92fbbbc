//! The report as a screen reader reads it: a sentence or a fact on a line, no line drawn, nothing aligned. What is to be
//! copied stands alone on its line and is announced by the line before.

use bbdoctor_checks::facts::summary::KeyStanding;

use super::content::{Block, Item, Named, Tone};
use super::keys::Row;
use super::page::{painted, verbatim};
use super::route::{Stage, State, duration};

/// The report, with a final line end.
pub(super) fn print(blocks: impl Iterator<Item = Block>, colour: bool) -> String {
    let mut lines = Lines { out: String::new(), colour };
    for block in blocks {
        lines.block(&block);
    }
    lines.out
}

struct Lines {
    out: String,
    colour: bool,
}

impl Lines {
    fn line(&mut self, text: &str) {
        self.out.push_str(&text.replace('\u{a0}', " "));
        self.out.push('\n');
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(text) => self.line(text),
            Block::Verdict { word, tone, sentence, cause } => {
                let word = painted(&word.to_lowercase(), *tone, self.colour);
                self.line(&format!("The verdict is {word}."));
                self.line(sentence);
                if let Some(Named { code, how, lies }) = cause {
                    self.line(&format!("The cause is called {code}."));
                    self.line(&format!("It is {how}."));
                    self.line(&format!("The fault is {lies}."));
                }
            }
            Block::Section { title, items } => {
                if !title.is_empty() {
                    self.line(title);
                }
                self.items(items);
            }
            Block::Route(stages) => self.route(stages),
            Block::Keys(rows) => self.keys(rows),
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            let mark = item.mark.map(|(word, tone)| format!("{}: ", painted(&spoken(word), tone, self.colour))).unwrap_or_default();
            let text = match item.verbatim.len() {
                0 => item.text.clone(),
                1 => format!("{}. The next line is to be copied.", item.text.trim_end_matches(['.', ':'])),
                n => format!("{}. The next {n} lines are to be copied.", item.text.trim_end_matches(['.', ':'])),
            };
            self.line(&format!("{mark}{text}"));
            for line in &item.verbatim {
                self.out.push_str(&verbatim(line, self.colour));
                self.out.push('\n');
            }
            self.items(&item.below);
        }
    }

    fn route(&mut self, stages: &[Stage]) {
        if !stages.is_empty() {
            self.line(&format!("The clone has {} steps.", stages.len()));
        }
        for (n, stage) in stages.iter().enumerate() {
            let time = stage.ms.map(|ms| format!(" after {}", duration(ms))).unwrap_or_default();
            let end = match stage.state {
                State::Passed => format!("done{time}"),
                State::Breaks => format!("{}{time}", painted("breaks here", Tone::Bad, self.colour)),
                State::Beyond => "not reached".into(),
                State::Unseen => "not examined".into(),
            };
            self.line(&format!("Step {} of {}, {}: {end}.", n + 1, stages.len(), stage.name));
        }
    }

    fn keys(&mut self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        self.line("Keys, in the order in which ssh tries them:");
        for row in rows {
            let place = row.place.map_or("A key that ssh does not try".into(), |n| format!("Key {n}"));
            self.line(&format!("{place} is {}.", row.name));
            if let Some(kind) = &row.kind {
                self.line(&format!("Its type is {kind}."));
            }
            match (row.print.strip_suffix('…'), row.print.starts_with("SHA256:")) {
                (Some(start), _) => self.line(&format!("Its fingerprint begins with {start}")),
                (None, true) => self.line(&format!("Its fingerprint is {}", row.print)),
                (None, false) => self.line(&format!("It has {}.", row.print)),
            }
            self.line(&match (&row.why, row.offered) {
                (None, true) => "ssh offers it.".into(),
                (None, false) => "ssh does not offer it.".into(),
                (Some(why), true) => format!("ssh offers it, but {why}."),
                (Some(why), false) => format!("ssh does not offer it: {why}."),
            });
            self.line(match row.server {
                KeyStanding::Accepted => "The server accepts it.",
                KeyStanding::Refused => "The server refuses it.",
                KeyStanding::Unknown => "The server was not asked about it.",
            });
            if row.alike > 0 {
                self.line(&format!("The server refuses {} more keys that follow.", row.alike));
            }
        }
    }
}

/// A mark as a word; capitals would be spelt.
fn spoken(mark: &str) -> String {
    match mark {
        "n/a" => "Not applicable".into(),
        "FAIL" => "Failure".into(),
        "pass" => "Passed".into(),
        word => word[..1].to_uppercase() + &word[1..].to_lowercase(),
    }
}
