//! The text format that `installed` and the record of a backup share (`docs/format.md` section 11): a line of JSON, one line per path, and a last line with the digest of all that.
//!
//! The digest is there against damage, not against people: a file that does not end right is not used, and what it said is found out again from the tree.

use std::io::Write as _;

use manifests::digest::Digest;
use manifests::time::FileTime;

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

/// A file that ends right: its first line and the lines of its paths.
pub(crate) struct Text<'a> {
    /// The line of JSON.
    pub(crate) head: &'a str,
    body: &'a str,
}

impl<'a> Text<'a> {
    /// Checks the last line of `bytes`.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Text<'a>, Damaged> {
        // `end `, 64 hex, line end.
        let (content, end) = bytes.split_at_checked(bytes.len().wrapping_sub(69)).ok_or(Damaged::End)?;
        if end != end_line(content).as_bytes() {
            return Err(Damaged::End);
        }
        let text = std::str::from_utf8(content).map_err(|_| Damaged::End)?;
        let (head, body) = text.split_once('\n').ok_or(Damaged::End)?;
        Ok(Text { head, body })
    }

    /// Calls `read` with the fields of every line after the first; `None` from it is a damaged line.
    pub(crate) fn read_lines(&self, mut read: impl FnMut(&mut Fields<'a>) -> Option<()>) -> Result<(), Damaged> {
        for (index, line) in self.body.split_terminator('\n').enumerate() {
            let mut fields = Fields(Some(line));
            if read(&mut fields).is_none() || fields.0.is_some() {
                return Err(Damaged::Line { number: index + 2 });
            }
        }
        Ok(())
    }

    /// How many lines there are after the first, to reserve room.
    pub(crate) fn count(&self) -> usize {
        self.body.bytes().filter(|byte| *byte == b'\n').count()
    }
}

/// The fields of a line that are still to be read.
pub(crate) struct Fields<'a>(Option<&'a str>);

impl<'a> Fields<'a> {
    /// The next field.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.take()?;
        match rest.split_once('\t') {
            Some((field, rest)) => {
                self.0 = Some(rest);
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
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Digest::from_bytes(bytes))
    }

    /// The next field, as a mode: four octal digits.
    pub(crate) fn mode(&mut self) -> Option<u32> {
        mode(self.next()?)
    }
}

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
    let end = end_line(&content);
    content.extend_from_slice(end.as_bytes());
    content
}

fn end_line(content: &[u8]) -> String {
    format!("end {}\n", Digest::of(content))
}

/// Writes `digest` in hex.
pub(crate) fn push_digest(content: &mut Vec<u8>, digest: &Digest) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    content.extend(digest.as_bytes().iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Writes to memory, which cannot fail.
pub(crate) fn push(content: &mut Vec<u8>, line: std::fmt::Arguments<'_>) {
    let _ = content.write_fmt(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let whole = finish(b"{}\nd\ta\n".to_vec());
        assert!(Text::open(&whole).is_ok());
        for length in 0..whole.len() {
            assert_eq!(Text::open(&whole[..length]).err(), Some(Damaged::End));
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(Text::open(&flipped).is_err());
        }
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
