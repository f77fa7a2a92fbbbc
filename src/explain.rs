//! The pages: what a finding or a check means, printed offline.

pub(crate) mod reading;

use std::fmt::Write as _;

use bbdoctor_checks::ALL;
use bbdoctor_checks::code::Code;
use owo_colors::Style;

/// The page of a check, or the section of a code; `None` for a name that is neither.
pub(crate) fn page(name: &str) -> Option<String> {
    if let Some(check) = ALL.iter().find(|c| c.meta().id.name() == name) {
        return Some(check.meta().page.to_string());
    }
    let check = name.parse::<Code>().ok()?.check();
    ALL.iter().find(|c| c.meta().id == check).and_then(|c| section(c.meta().page, name))
}

/// The part of a page from `## NAME` to the next section.
fn section(page: &str, name: &str) -> Option<String> {
    let title = format!("## {name}");
    let mut lines = page.lines().skip_while(|line| line.trim_end() != title);
    let first = lines.next()?;
    let body: Vec<_> = std::iter::once(first).chain(lines.take_while(|line| !line.starts_with("## "))).collect();
    Some(body.join("\n").trim_end().to_string() + "\n")
}

/// Every check with its codes, a line each; for a terminal wrapped to `width` columns.
pub(crate) fn list(width: Option<usize>, colour: bool) -> String {
    let mut out = String::new();
    for meta in ALL.iter().map(|check| check.meta()) {
        let _ = writeln!(out, "{}: {}", reading::painted(meta.id.name(), Style::new().bold(), colour), meta.title);
        for code in Code::of(meta.id) {
            let line = format!("    {:32} {}", code.name(), code.says());
            out.push_str(&reading::wrapped(&line, width.unwrap_or(usize::MAX), &" ".repeat(37)));
        }
    }
    out
}

/// Every check in the order in which they run.
pub(crate) fn checks() -> String {
    ALL.iter().fold(String::new(), |out, c| out + &format!("{:28} {}\n", c.meta().id, c.meta().title))
}

/// Everything that has a page or a section of one, with what it is in a few words: each check, and behind it its codes.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|check| check.meta()).flat_map(|meta| {
        std::iter::once((meta.id.name(), meta.title)).chain(Code::of(meta.id).map(|code| (code.name(), code.says())))
    })
}

/// The name that `name` is probably meant to be.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let distances = names().map(|(known, _)| (strsim::damerau_levenshtein(known, name), known));
    distances.filter(|(distance, _)| *distance <= 4).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_section_and_every_section_a_code() {
        for check in ALL {
            let meta = check.meta();
            let codes: Vec<_> = Code::of(meta.id).map(Code::name).collect();
            let sections: Vec<_> = meta.page.lines().filter_map(|l| l.strip_prefix("## ")).map(str::trim).collect();
            assert_eq!(codes, sections, "checks/{}.md", meta.id.name().replace('-', "_"));
            assert!(meta.page.starts_with(&format!("# {}\n", meta.id)));
        }
    }

    #[test]
    fn every_section_has_its_four_parts() {
        const WHY: [&str; 4] = [
            "**Why it breaks a clone.**",
            "**Why it breaks a push.**",
            "**Why it may break a clone.**",
            "**Why it does not break a clone.**",
        ];
        for code in Code::ALL {
            let name = code.name();
            let section = page(name).expect("a section");
            let strong: Vec<&str> = section.split("\n\n").filter(|part| part.starts_with("**")).collect();
            let parts: Vec<&str> =
                strong.iter().filter_map(|part| part.match_indices("**").nth(1).map(|(end, _)| &part[..end + 2])).collect();
            let [means, why, fix, see] = parts[..] else { panic!("{name}: {parts:?}") };
            assert_eq!((means, fix, see), ("**What it means.**", "**Fix it.**", "**See it yourself.**"), "{name}");
            assert!(WHY.contains(&why), "{name}: {why}");
            assert!(strong[..2].iter().all(|part| part.contains(' ') && part.len() > 60), "{name} says too little");
            assert!(section.ends_with("```\n"), "{name} ends with no command to see it by");
            assert!(section.lines().count() <= 48, "{name} is too long to be read");
        }
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        assert_eq!(nearest("key-not-ofered"), Some("key-not-offered"));
        assert_eq!(nearest("something else entirely"), None);
        assert!(page("key-not-offered").is_some_and(|p| p.starts_with("## key-not-offered\n") && p.matches("\n## ").count() == 0));
    }
}
