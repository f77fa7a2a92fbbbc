//! A page on a terminal: wrapped to its width, without the marks of Markdown. Pages have headings, paragraphs, blocks of lines to
//! copy, and in paragraphs strong words and spans of code; nothing else.

use owo_colors::{OwoColorize as _, Style};
use textwrap::{Options, WordSplitter};

/// `page`, Markdown, laid out for `width` columns.
pub(crate) fn lay_out(page: &str, width: usize, colour: bool) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.starts_with("```") {
            end(&mut paragraph, &mut out, width, colour);
            in_block = !in_block;
        } else if in_block {
            // Lines to copy stay as they are, however long.
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        } else if let Some(title) = line.strip_prefix("# ").or_else(|| line.strip_prefix("## ")) {
            end(&mut paragraph, &mut out, width, colour);
            out.push_str(&painted(title, Style::new().bold().underline(), colour));
            out.push('\n');
        } else if line.is_empty() {
            end(&mut paragraph, &mut out, width, colour);
            out.push('\n');
        } else {
            paragraph.push_str(if paragraph.is_empty() { "" } else { " " });
            paragraph.push_str(line);
        }
    }
    end(&mut paragraph, &mut out, width, colour);
    out
}

/// Prints the paragraph that has been read, if any.
fn end(paragraph: &mut String, out: &mut String, width: usize, colour: bool) {
    if !paragraph.is_empty() {
        out.push_str(&wrapped(&inline(paragraph, colour), width, ""));
        paragraph.clear();
    }
}

/// `text` in lines of at most `width` columns, those after the first indented. Neither codes nor URLs are broken.
pub(crate) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let options =
        Options::new(width.max(20)).break_words(false).word_splitter(WordSplitter::NoHyphenation).subsequent_indent(indent);
    textwrap::fill(text, options) + "\n"
}

/// Strong words without their asterisks. Code keeps its backticks where there is no colour to show it.
fn inline(text: &str, colour: bool) -> String {
    let mut out = String::new();
    for (n, part) in text.split('`').enumerate() {
        match (n % 2 == 1, colour) {
            (true, true) => out.push_str(&painted(part, Style::new().cyan(), true)),
            (true, false) => out.push_str(&format!("`{part}`")),
            (false, _) => {
                for (n, part) in part.split("**").enumerate() {
                    out.push_str(&painted(part, Style::new().bold(), colour && n % 2 == 1));
                }
            }
        }
    }
    out
}

/// `text` in a style, where colours are wanted.
pub(crate) fn painted(text: &str, style: Style, colour: bool) -> String {
    if colour && !text.is_empty() { text.style(style).to_string() } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use bbdoctor_checks::ALL;

    use super::*;

    const PAGE: &str = "## a-code\n\n**What it means.** One `two three` four\nfive six-seven.\n\n```sh\nls -l `a-long-name-that-stays-whole` # **\n```\n";

    #[test]
    fn marks_become_layout() {
        assert_eq!(
            lay_out(PAGE, 24, false),
            "a-code\n\nWhat it means. One `two\nthree` four five\nsix-seven.\n\n    ls -l `a-long-name-that-stays-whole` # **\n"
        );
    }

    #[test]
    fn colours_take_the_place_of_marks() {
        let shown = lay_out(PAGE, 80, true);
        assert!(shown.contains("\u{1b}[1mWhat it means.\u{1b}[0m One \u{1b}[36mtwo three\u{1b}[0m four five"), "{shown:?}");
        assert!(!shown.contains("`two"), "{shown:?}");
    }

    #[test]
    fn no_page_has_marks_that_are_not_known() {
        for check in ALL {
            let meta = check.meta();
            let prose = meta.page.split("```").step_by(2);
            for line in prose.flat_map(str::lines) {
                let odd = ["- ", "* ", "> ", "|", "###", "    "].iter().any(|mark| line.starts_with(mark)) || line.contains("](");
                assert!(!odd, "{}: {line}", meta.id);
            }
            for line in lay_out(meta.page, 72, false).lines().filter(|line| !line.starts_with("    ")) {
                assert!(textwrap::core::display_width(line) <= 72 || !line.trim().contains(' '), "{}: {line}", meta.id);
            }
            assert!(!lay_out(meta.page, 72, false).contains("**"), "{}", meta.id);
        }
    }
}
