//! The text format that `installed` and the record of a backup share (`docs/format.md` section 11): a line of JSON, one line per path, and a last line with the digest of all that.
//!
//! The digest is there against damage, not against people: a file that does not end right is not used, and what it said is found out again from the tree.

use std::io::{self, BufRead, Write as _};

use manifests::digest::{Digest, Hasher};
use manifests::time::FileTime;

/// What the last line begins with, and no other.
const END: &[u8] = b"end ";

/// Why a file of this format is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// It does not end in the digest of what it holds.
    #[error("it is cut off or was changed: its last line is not the digest of the others")]
    End,
    /// The first line is not the JSON it should be.
    #[error("its first line is wrong: {0}")]
    Head(String),
    /// A line is not of the shape.
    #[error("line {number} is wrong")]
    Line {
        /// Its number, from 1.
        number: usize,
    },
}

/// Why there is nothing to use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// It is not what it should be.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// It cannot be read to its end.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Unread {
    /// Why bytes in memory are not used: reading them does not fail.
    pub(crate) fn of_memory(self) -> Damaged {
        match self {
            Unread::Damaged(damaged) => damaged,
            Unread::Io(_) => Damaged::End,
        }
    }
}

/// Reads a file of this format line by line: `head` makes something of the first line, `line` adds the fields of each line after it; `None` from `line` is a damaged line.
///
/// No more than a line is held beside what is made of it, so a file of any length costs what it says. What was made is given away only when the last line vouches for all that was read; a file
/// that does not end right is damaged in that way, whatever else is wrong in it.
pub(crate) fn read<T>(
    mut source: impl BufRead,
    head: impl FnOnce(&str) -> Result<T, Damaged>,
    mut line: impl FnMut(&mut T, &mut Fields<'_>) -> Option<()>,
) -> Result<T, Unread> {
    let (mut hasher, mut text) = (Hasher::new(), vec![]);
    let mut next = |hasher: &mut Hasher, text: &mut Vec<u8>| {
        text.clear();
        source.read_until(b'\n', text)?;
        let is_last = text.starts_with(END);
        if !is_last {
            hasher.update(text);
        }
        Ok::<bool, io::Error>(!is_last && text.ends_with(b"\n"))
    };
    let is_head = next(&mut hasher, &mut text)?;
    let mut made = match without_line_end(&text) {
        Some(text) if is_head => head(text),
        _ => return Err(Damaged::End.into()),
    };
    let mut number = 1;
    while next(&mut hasher, &mut text)? {
        number += 1;
        if let Ok(into) = &mut made {
            let mut fields = without_line_end(&text).map(|text| Fields(Some(text)));
            if !fields.as_mut().is_some_and(|fields| line(into, fields).is_some() && fields.0.is_none()) {
                made = Err(Damaged::Line { number });
            }
        }
    }
    let is_right = text == end_line(&hasher.finish()).as_bytes() && source.fill_buf()?.is_empty();
    if is_right { Ok(made?) } else { Err(Damaged::End.into()) }
}

/// The line as text; `None` when it is none.
fn without_line_end(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line.strip_suffix(b"\n")?).ok()
}

/// The fields of a line that are still to be read.
pub(crate) struct Fields<'a>(Option<&'a str>);

impl<'a> Fields<'a> {
    /// The next field.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.take()?;
        // A tab is never part of another character.
        match memchr::memchr(b'\t', rest.as_bytes()).and_then(|tab| rest.split_at_checked(tab)) {
            Some((field, rest)) => {
                self.0 = rest.get(1..);
                Some(field)
            }
            None => Some(rest),
        }
    }

    /// The next field, as a number without sign or leading zeros.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let text = self.next()?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse().ok().filter(|_| plain)
    }

    /// The next field, as a time.
    pub(crate) fn time(&mut self) -> Option<FileTime> {
        time(self.next()?)
    }

    /// The next field, as a digest.
    pub(crate) fn digest(&mut self) -> Option<Digest> {
        let text: &[u8; 64] = self.next()?.as_bytes().try_into().ok()?;
        let (mut bytes, mut wrong) = ([0; 32], 0);
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let (high, low) = (NIBBLES[usize::from(pair[0])], NIBBLES[usize::from(pair[1])]);
            // No nibble has a bit up there, so one look at the end finds what was none.
            wrong |= (high | low) & 0xf0;
            *byte = high << 4 | low;
        }
        (wrong == 0).then(|| Digest::from_bytes(bytes))
    }

    /// The next field, as a mode: four octal digits.
    pub(crate) fn mode(&mut self) -> Option<u32> {
        mode(self.next()?)
    }
}

/// What each byte is as a lower-case hex digit; 255 is none.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        nibbles[HEX[digit] as usize] = digit as u8;
        digit += 1;
    }
    nibbles
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Reads a time: whole seconds, without plus sign or leading zeros, in the range of file times.
pub(crate) fn time(text: &str) -> Option<FileTime> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !digits.starts_with('0'));
    let seconds: i64 = text.parse().ok().filter(|_| plain)?;
    Some(FileTime::clamped(seconds)).filter(|time| time.unix() == seconds)
}

/// Reads a mode: four octal digits.
pub(crate) fn mode(text: &str) -> Option<u32> {
    let plain = text.len() == 4 && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    u32::from_str_radix(text, 8).ok().filter(|_| plain)
}

/// Ends `content` with the line that vouches for it.
pub(crate) fn finish(mut content: Vec<u8>) -> Vec<u8> {
    let end = end_line(&Digest::of(&content));
    content.extend_from_slice(end.as_bytes());
    content
}

fn end_line(content: &Digest) -> String {
    format!("end {content}\n")
}

/// Writes `digest` in hex.
pub(crate) fn push_digest(content: &mut Vec<u8>, digest: &Digest) {
    content.extend(digest.as_bytes().iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
}

/// Writes to memory, which cannot fail.
pub(crate) fn push(content: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    let _ = content.write_fmt(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines after the first, each as its fields.
    fn lines(bytes: &[u8]) -> Result<Vec<Vec<String>>, Damaged> {
        let line = |lines: &mut Vec<Vec<String>>, fields: &mut Fields<'_>| {
            lines.push(std::iter::from_fn(|| fields.next().map(str::to_owned)).collect());
            (lines.last()? != &["wrong"]).then_some(())
        };
        let head = |head: &str| if head == "{}" { Ok(vec![]) } else { Err(Damaged::Head("not empty".into())) };
        read(bytes, head, line).map_err(Unread::of_memory)
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed_and_so_is_one_more() {
        let whole = finish(b"{}\nd\ta\n\n".to_vec());
        assert_eq!(lines(&whole), Ok(vec![vec!["d".to_owned(), "a".to_owned()], vec![String::new()]]));
        for length in 0..whole.len() {
            assert_eq!(lines(&whole[..length]), Err(Damaged::End));
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert_eq!(lines(&flipped), Err(Damaged::End));
        }
        for more in [&b"\n"[..], b"d", b"end \n", &whole] {
            assert_eq!(lines(&[&whole, more].concat()), Err(Damaged::End));
        }
        assert_eq!(lines(&finish(vec![])), Err(Damaged::End), "there is no first line");
    }

    #[test]
    fn the_first_wrong_line_is_named_where_all_is_as_it_was_written() {
        assert_eq!(lines(&finish(b"{}\nd\nwrong\nd\nwrong\n".to_vec())), Err(Damaged::Line { number: 3 }));
        assert_eq!(lines(&finish(b"{}\nd\n\xff\n".to_vec())), Err(Damaged::Line { number: 3 }));
        assert_eq!(lines(&finish(b"{\nwrong\n".to_vec())), Err(Damaged::Head("not empty".into())));
    }

    #[test]
    fn a_digest_reads_back_and_has_one_spelling() {
        let digest = Digest::of(b"x");
        let mut text = vec![];
        push_digest(&mut text, &digest);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, digest.to_hex());
        assert_eq!(Fields(Some(&text)).digest(), Some(digest));
        for wrong in [&text.to_uppercase()[..], &text[1..], &format!("{text}0")] {
            assert_eq!(Fields(Some(wrong)).digest(), None);
        }
    }

    #[test]
    fn numbers_times_and_modes_have_one_spelling() {
        for text in ["+1", "01", "", "-0", "1.0", "99999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("-5"), Some(FileTime::clamped(-5)));
        for text in ["644", "0o644", "+644", "0888", "00644"] {
            assert_eq!(mode(text), None, "{text}");
        }
        assert_eq!(mode("0755"), Some(0o755));
    }
}
