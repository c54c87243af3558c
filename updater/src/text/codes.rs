//! All stable codes, in the order and groups of the catalogues: the one list of them.
//!
//! The list is read from the catalogue itself, so that a code cannot be in one and not in the other. That every code which a program can say is in it, and no other, is held by a test beside the
//! code that says it: `updater/tests/texts.rs`, `update-server/src/error.rs` and `manifests/src/cli/exit_code.rs`.

use fluent_syntax::ast::{Comment, Entry};
use fluent_syntax::parser;

use super::{CODE, Language};

/// The programs that say codes, in the order of their catalogues.
pub const PROGRAMS: [&str; 3] = ["updater", "update-server", "manifests"];
/// More codes than this would not help somebody who mistyped one.
const NEAREST: usize = 5;

/// Codes that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The program that says them.
    pub program: &'static str,
    /// What they are about.
    pub title: &'static str,
    /// The section of the documentation that helps with them, such as `docs/stations.md#going-back`.
    pub section: &'static str,
    /// The codes.
    pub codes: Vec<&'static str>,
}

/// All codes, with titles in `language`.
pub fn groups(language: Language) -> Vec<Group> {
    let [_, _, _, codes @ ..] = language.sources();
    let mut groups = vec![];
    for (program, source) in PROGRAMS.into_iter().zip(codes) {
        let resource = parser::parse(source).unwrap_or_else(|(rest, _)| rest);
        for entry in resource.body {
            match entry {
                Entry::GroupComment(Comment { content }) => {
                    let line = |number: usize| content.get(number).copied().unwrap_or_default();
                    groups.push(Group { program, title: line(0), section: line(1), codes: vec![] });
                }
                Entry::Message(message) => {
                    if let (Some(code), Some(group)) = (message.id.name.strip_prefix(CODE), groups.last_mut()) {
                        group.codes.push(code);
                    }
                }
                _ => {}
            }
        }
    }
    groups
}

/// The codes that `text` may have been meant to be, the likeliest first.
pub fn nearest(text: &str) -> Vec<&'static str> {
    // Longer than any code: whoever means one has not written that.
    let text: String = text.chars().take(40).flat_map(char::to_lowercase).collect();
    let codes = groups(Language::English).into_iter().flat_map(|group| group.codes);
    let mut near: Vec<(usize, &str)> = codes
        .map(|code| {
            // A part of a code, such as `space`, is as good as one slip.
            let distance = if !text.is_empty() && code.split('-').any(|word| word == text) { 1 } else { distance(&text, code) };
            (distance, code)
        })
        .filter(|(distance, code)| distance * 2 <= code.len())
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(NEAREST).map(|(_, code)| code).collect()
}

/// How many letters have to be changed, added or left out to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in a.chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (other, above) in b.iter().zip(row.windows(2)) {
            left = (above[0] + usize::from(letter != *other)).min(above[1] + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_code_finds_the_one_that_was_meant() {
        assert_eq!(nearest("no-writeright").first(), Some(&"no-write-right"));
        assert_eq!(nearest("No-Spase").first(), Some(&"no-space"));
        assert!(nearest("space").contains(&"no-space"), "{:?}", nearest("space"));
        assert!(nearest("agent").contains(&"agent-lost"));
        for text in ["", "xyzzyxyzzy", &"a".repeat(1_000_000)] {
            assert!(nearest(text).len() <= NEAREST);
        }
        assert!(nearest("xyzzyxyzzy").is_empty());
    }

    #[test]
    fn distances_are_numbers_of_slips() {
        for (a, b, slips) in
            [("", "", 0), ("", "ab", 2), ("ab", "", 2), ("busy", "busy", 0), ("bsy", "busy", 1), ("bussy", "busy", 1), ("bosy", "busy", 1)]
        {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }
}
