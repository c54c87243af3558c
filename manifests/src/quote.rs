//! Other people's text in messages of ours.
//!
//! What a document holds reaches terminals and logs through the errors that refuse it, often before anybody vouched for it. There it may neither act (control
//! characters move cursors, rename windows, forge lines), nor hide (marks of direction turn text around), nor fill the disk.

use std::fmt::{self, Write};

/// `text`, at most `most` characters of it, with everything escaped that a terminal obeys or that does not show.
pub const fn quoted(text: &str, most: usize) -> Quoted<'_> {
    Quoted { text, most }
}

/// See [`quoted`].
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a> {
    text: &'a str,
    most: usize,
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.text.chars().take(self.most) {
            match character {
                // Harmless, and part of many a path.
                '"' | '\'' | '\\' => f.write_char(character)?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        if self.text.chars().nth(self.most).is_some() { f.write_char('…') } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in ["", "17.3.0.14", r"C:\x", "it's \"so\"", "Перевод 中文 é"] {
            assert_eq!(quoted(text, 80).to_string(), text);
        }
    }

    #[test]
    fn what_a_terminal_obeys_or_hides_is_escaped() {
        assert_eq!(quoted("a\u{1b}[31m\n\u{0}\u{85}b", 80).to_string(), r"a\u{1b}[31m\n\0\u{85}b");
        assert_eq!(quoted("a\u{202e}gpj.exe\u{200b}", 80).to_string(), r"a\u{202e}gpj.exe\u{200b}");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(quoted(&"ж".repeat(1000), 3).to_string(), "жжж…");
        assert_eq!(quoted("abc", 3).to_string(), "abc");
    }
}
