//! The report laid out for the eye: wrapped to the screen, what belongs together aligned.

use owo_colors::{OwoColorize as _, Style};
use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter};

use super::Manner;
use super::content::{Block, Item, Named, Tone};
use super::keys::{Row, short};
use super::route::{Stage, State, duration};

const NO_BREAK: &str = "\u{a0}";

/// Below so many columns a table is no help, and indentation takes too much.
const NARROW: usize = 64;

/// The report, with a final line end. An empty line parts its parts; the route stands with the verdict, and the keys with
/// what was seen, so that the usual report fits a screen.
pub(super) fn print(blocks: impl Iterator<Item = Block>, manner: Manner) -> String {
    let mut page = Page { out: String::new(), width: manner.width.max(20), colour: manner.colour };
    for block in blocks {
        let before = page.out.len();
        page.block(&block);
        let stands_with_the_last = matches!(block, Block::Route(_) | Block::Keys(_));
        if page.out.len() > before && before > 0 && !stands_with_the_last {
            page.out.insert(before, '\n');
        }
    }
    page.out
}

/// `text` in the colour of its tone: of the sixteen every terminal has, those that can be read on dark and on light.
pub(super) fn painted(text: &str, tone: Tone, colour: bool) -> String {
    let style = match tone {
        Tone::Good => Style::new().green().bold(),
        Tone::Bad => Style::new().red().bold(),
        Tone::Care => Style::new().magenta().bold(),
        Tone::Plain => return text.to_string(),
    };
    if colour { text.style(style).to_string() } else { text.to_string() }
}

/// A line to be copied, as it stands.
pub(super) fn verbatim(line: &str, colour: bool) -> String {
    if colour { line.style(Style::new().bold()).to_string() } else { line.to_string() }
}

struct Page {
    out: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(text) => self.prose("", 0, text),
            Block::Verdict { word, tone, sentence, cause } => {
                let lead = format!("{} ", painted(&format!("{word}:"), *tone, self.colour));
                let indent = if self.is_narrow() { 2 } else { display_width(&lead) };
                self.prose(&lead, indent, sentence);
                if let Some(Named { code, how, lies }) = cause {
                    self.prose(&" ".repeat(indent), indent, &format!("{code} ({how}; {lies})"));
                }
            }
            Block::Section { title, items } => {
                if !title.is_empty() {
                    self.prose("", 0, title);
                }
                self.items(items, if title.is_empty() { 0 } else { self.step() });
            }
            Block::Route(stages) if stages.is_empty() => {}
            Block::Route(stages) => self.route(stages),
            Block::Keys(rows) if rows.is_empty() => {}
            Block::Keys(rows) => self.keys(rows),
        }
    }

    fn is_narrow(&self) -> bool {
        self.width < NARROW
    }

    /// How far what belongs to something is indented.
    fn step(&self) -> usize {
        if self.is_narrow() { 2 } else { 4 }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Prose: `first` before the first line, `indent` blanks before the others. A long word, such as a URL or a path, is
    /// left whole; a list that has commas and no blanks is parted behind them. A no-break space parts no line, and is printed
    /// as a blank.
    fn prose(&mut self, first: &str, indent: usize, text: &str) {
        let rest = " ".repeat(indent);
        let options = Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(&rest)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation)
            .word_separator(WordSeparator::Custom(words));
        let wrapped = textwrap::fill(text, options);
        self.line(&wrapped.replace(NO_BREAK, " "));
    }

    fn items(&mut self, items: &[Item], indent: usize) {
        let marks = items.iter().filter_map(|i| i.mark).map(|(word, _)| word.len() + 1).max().unwrap_or(0);
        for item in items {
            let blanks = " ".repeat(indent);
            let hang = match item.mark {
                Some((word, tone)) => {
                    let pad = " ".repeat(marks - word.len());
                    let hang = indent + if self.is_narrow() { 2 } else { marks };
                    self.prose(&format!("{blanks}{}{pad}", painted(word, tone, self.colour)), hang, &item.text);
                    hang
                }
                None => {
                    self.prose(&blanks, indent + 2, &item.text);
                    indent + 2
                }
            };
            for line in &item.verbatim {
                let line = format!("{}{}", " ".repeat(hang), verbatim(line, self.colour));
                self.line(&line);
            }
            self.items(&item.below, hang);
        }
    }

    /// One line, wrapped between the stages.
    fn route(&mut self, stages: &[Stage]) {
        let told = stages.iter().map(|stage| {
            let time = stage.ms.map(|ms| format!(" {}", duration(ms))).unwrap_or_default();
            let end = match stage.state {
                State::Passed | State::Beyond => String::new(),
                State::Breaks => format!(" {}", painted("BREAKS HERE", Tone::Bad, self.colour)),
                State::Unseen => " (not examined)".into(),
            };
            format!("{}{time}{end}", stage.name).replace(' ', NO_BREAK)
        });
        let told: Vec<_> = told.collect();
        self.prose("Route: ", self.step(), &told.join(" > "));
    }

    fn keys(&mut self, rows: &[Row]) {
        self.prose("", 0, "Keys, in the order in which ssh tries them:");
        if self.is_narrow() || rows.iter().any(|r| r.kind.is_some()) {
            self.key_list(rows);
        } else {
            self.key_table(rows);
        }
    }

    fn key_list(&mut self, rows: &[Row]) {
        for row in rows {
            let place = row.place.map_or("-".into(), |n| format!("{n}."));
            self.prose(&format!("  {place:<3} "), 6, &row.name);
            let kind = row.kind.as_ref().map(|kind| format!("{kind}, ")).unwrap_or_default();
            self.prose("      ", 8, &format!("{kind}{}", row.print));
            self.prose("      ", 8, &format!("ssh offers it: {}", offered(row)));
            self.prose("      ", 8, &format!("the server: {}", short(row.server)));
            self.alike(row, 6);
        }
    }

    fn key_table(&mut self, rows: &[Row]) {
        let headings = ["#", "key", "fingerprint", "server", "ssh offers it"];
        let cells: Vec<[String; 5]> = rows
            .iter()
            .map(|r| {
                let place = r.place.map_or("-".into(), |n| n.to_string());
                [place, r.name.clone(), r.print.clone(), short(r.server).into(), offered(r)]
            })
            .collect();
        let mut widths = headings.map(display_width);
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell));
            }
        }
        let indent = 2;
        let gaps = 2 * (widths.len() - 1);
        let room = self.width.saturating_sub(indent + gaps + widths[0] + widths[2] + widths[3]).max(24);
        widths[4] = widths[4].min((room / 2).max(room.saturating_sub(widths[1])));
        widths[1] = widths[1].min(room - widths[4]);
        self.row(&headings.map(String::from), &widths, indent);
        for (row, cells) in rows.iter().zip(&cells) {
            self.row(cells, &widths, indent);
            self.alike(row, indent + widths[0] + 2);
        }
    }

    /// One row, on as many lines as its fullest cell needs.
    fn row(&mut self, cells: &[String; 5], widths: &[usize; 5], indent: usize) {
        let wrapped: Vec<Vec<String>> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| {
                let options = Options::new(*width).word_splitter(WordSplitter::NoHyphenation);
                textwrap::wrap(cell, options).into_iter().map(|line| line.into_owned()).collect()
            })
            .collect();
        for n in 0..wrapped.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = " ".repeat(indent);
            for (cell, width) in wrapped.iter().zip(widths) {
                let part = cell.get(n).map_or("", String::as_str);
                line.push_str(part);
                line.push_str(&" ".repeat(width.saturating_sub(display_width(part)) + 2));
            }
            self.line(line.trim_end());
        }
    }

    fn alike(&mut self, row: &Row, indent: usize) {
        if row.alike > 0 {
            let blanks = " ".repeat(indent);
            self.prose(&blanks, indent, &format!("and {} more that the server refuses (-v shows them)", row.alike));
        }
    }
}

/// Whether ssh offers a key, in a cell.
fn offered(row: &Row) -> String {
    match (&row.why, row.offered) {
        (None, true) => "yes".into(),
        (None, false) => "no".into(),
        (Some(why), true) => format!("yes, but {why}"),
        (Some(why), false) => format!("no ({why})"),
    }
}

/// Words between blanks, and the parts of a long list without blanks.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    const LONG: usize = 30;
    Box::new(line.split_inclusive(' ').flat_map(|word| {
        let parts: Vec<_> = if display_width(word) > LONG { word.split_inclusive(',').collect() } else { vec![word] };
        parts.into_iter().map(Word::from)
    }))
}
