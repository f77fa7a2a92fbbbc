//! A ticket read as GitHub reads Markdown: everything in it must be of bbdoctor's own making, whatever stood in the report.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// The longest ticket, in characters.
const LIMIT: usize = 60_000;
const HEADINGS: &[&str] = &[
    "bbdoctor: healthy",
    "bbdoctor: broken",
    "bbdoctor: inconclusive",
    "What did you do?",
    "What did you expect?",
    "What did you see instead?",
    "Cause",
    "What to do",
    "Findings",
    "Other findings",
    "What was tried",
    "Environment",
];
const FOLDED: &[&str] =
    &["Evidence", "Keys, in the order in which ssh tries them", "Settings of ssh", "What bbdoctor touched", "The report as JSON"];

/// What a renderer makes of a ticket.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Its blocks in order, each by its kind, and its text where that is ours.
    pub(crate) outline: Vec<String>,
    /// The addresses of its links.
    pub(crate) links: Vec<String>,
    /// What stands in its fenced blocks: the language, and the text without the final line end.
    pub(crate) fenced: Vec<(String, String)>,
    folded: bool,
}

impl Ticket {
    /// Reads a ticket; panics at whatever bbdoctor does not write.
    pub(crate) fn read(markdown: &str) -> Self {
        assert!(markdown.chars().count() <= LIMIT, "{} characters", markdown.chars().count());
        let mut options = Options::default();
        let more = &mut options.extension;
        (more.table, more.autolink, more.strikethrough, more.tasklist) = (true, true, true, true);
        (more.footnotes, more.alerts, more.math_dollars, more.math_code) = (true, true, true, true);
        let arena = Arena::new();
        let mut ticket = Ticket::default();
        for block in parse_document(&arena, markdown, &options).children() {
            ticket.block(block);
        }
        assert!(!ticket.folded, "a folded part does not end");
        ticket
    }

    /// The JSON of the report in it.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        let (_, text) = self.fenced.iter().find(|(language, _)| language == "json")?;
        Some(serde_json::from_str(text).expect("the fenced JSON is JSON"))
    }

    fn block<'a>(&mut self, block: &'a AstNode<'a>) {
        let described = match &block.data.borrow().value {
            NodeValue::Paragraph => {
                block.children().for_each(|inline| self.inline(inline));
                "paragraph".into()
            }
            NodeValue::Heading(heading) => {
                let text = text_of(block);
                assert!(HEADINGS.contains(&text.as_str()), "a heading that bbdoctor does not write: {text:?}");
                format!("heading {} {text}", heading.level)
            }
            NodeValue::CodeBlock(code) => {
                assert!(code.fenced, "code by indentation: {:?}", code.literal);
                assert!(
                    ["text", "sh", "json"].contains(&code.info.as_str()),
                    "a language that bbdoctor does not name: {:?}",
                    code.info
                );
                self.fenced.push((code.info.clone(), code.literal.trim_end_matches('\n').to_owned()));
                format!("fenced {}", code.info)
            }
            NodeValue::Table(table) => {
                for row in block.children() {
                    assert_eq!(row.children().count(), table.num_columns, "a row of another width");
                    row.children().flat_map(|cell| cell.children()).for_each(|inline| self.inline(inline));
                }
                format!("table {} by {}", table.num_columns, table.num_rows)
            }
            NodeValue::HtmlBlock(html) => {
                let tag = html.literal.trim_end();
                let title = tag.strip_prefix("<details><summary>").and_then(|rest| rest.strip_suffix("</summary>"));
                assert!(
                    if self.folded { tag == "</details>" } else { title.is_some_and(|title| FOLDED.contains(&title)) },
                    "HTML that bbdoctor does not write here: {tag:?}"
                );
                self.folded = !self.folded;
                tag.into()
            }
            other => panic!("a block that bbdoctor does not write: {other:?}"),
        };
        self.outline.push(described);
    }

    fn inline<'a>(&mut self, inline: &'a AstNode<'a>) {
        match &inline.data.borrow().value {
            NodeValue::Code(_) => {}
            NodeValue::Text(text) => harmless(text),
            NodeValue::Strong => {
                let text = text_of(inline);
                let number = text.strip_suffix('.').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
                assert!(number || ["error", "warning", "info"].contains(&text.as_str()), "bold: {text:?}");
            }
            NodeValue::Link(link) => self.links.push(link.url.clone()),
            other => panic!("something that bbdoctor does not write: {other:?}"),
        }
    }
}

/// Services make links of what they find in the finished text outside code.
fn harmless(text: &str) {
    assert!(!text.contains(['@', '#', '<', '`', '$', '[', '\\', '~']), "{text:?}");
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '-') {
        let commit = word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit());
        let reference = word.split_once('-').is_some_and(|(_, number)| number.starts_with(|c: char| c.is_ascii_digit()));
        assert!(!commit && !reference, "{word:?} in {text:?}");
    }
}

fn text_of<'a>(node: &'a AstNode<'a>) -> String {
    let text = |node: &'a AstNode<'a>| match &node.data.borrow().value {
        NodeValue::Text(text) => text.to_string(),
        other => panic!("something that bbdoctor does not write: {other:?}"),
    };
    node.children().map(text).collect()
}
