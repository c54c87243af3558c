//! The pages of `docs/errors/`, made of the English catalogue: one per code and one that lists them. `updater/tests/texts.rs` holds the files to what is made here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Group, Language, PROGRAMS, Texts, groups};

/// The pages by their file names.
pub fn pages() -> BTreeMap<String, String> {
    let groups = groups(Language::English);
    let mut pages: BTreeMap<String, String> =
        groups.iter().flat_map(|group| group.codes.iter().map(|code| (format!("{code}.md"), page(code, group)))).collect();
    pages.insert("README.md".to_owned(), index(&groups));
    pages
}

fn page(code: &str, group: &Group) -> String {
    let Some(said) = Texts::of(Language::English).explain(code) else { return String::new() };
    let (file, _) = group.section.split_once('#').unwrap_or((group.section, ""));
    let mut page = format!("# {code}\n\n{}.\n\n", said.title);
    let _ = write!(page, "**Why:** {}\n\n**What to do:** {}\n\n", said.why, said.cure);
    let related: Vec<String> = group.codes.iter().filter(|other| **other != code).map(|other| format!("[{other}]({other}.md)")).collect();
    let _ = writeln!(page, "Said by `{}`. More: [{file}](../{}).", group.program, group.section.trim_start_matches("docs/"));
    if !related.is_empty() {
        let _ = writeln!(page, "Related: {}.", related.join(", "));
    }
    let _ = write!(page, "\n[All codes](README.md)\n");
    page
}

fn index(groups: &[Group]) -> String {
    let texts = Texts::of(Language::English);
    let mut page = "# Codes\n\nWhat goes wrong, and whatever else a script may want to know, has a code that never changes its meaning. `updater explain CODE` shows these pages at a station, in the language of its \
        people. They are made of `updater/locales/en`: edit them there.\n"
        .to_owned();
    for program in PROGRAMS {
        let _ = write!(page, "\n## `{program}`\n");
        for group in groups.iter().filter(|group| group.program == program) {
            let _ = write!(page, "\n### {}\n\n| code | what it says |\n|---|---|\n", group.title);
            for code in &group.codes {
                let title = texts.explain(code).map(|said| said.title).unwrap_or_default();
                let _ = writeln!(page, "| [{code}]({code}.md) | {title} |");
            }
        }
    }
    page
}
