//! An INI file as its lines, byte for byte: what every line is, and nothing of it changed.
//!
//! There is no one INI format. This is the one that Windows reads: a line is a `[section]`, a `key=value` or a key alone, a comment after `;` or `#`, or empty; white space around names counts for
//! nothing, names are compared without regard to the case of ASCII letters, and everything after the first `=` is the value, with quotes, backslashes and semicolons. Bytes above 0x7F are
//! whatever the file's encoding makes of them, so UTF-8, Latin-1 and the Windows code pages all pass. The crates there are read text only, forget line ends, or forget comments (`ini-roundtrip`
//! takes `&str` and leaves line ends to its caller).

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// White space at most.
    Blank,
    /// From `;` or `#` on.
    Comment,
    /// `[name]`.
    Section(&'a [u8]),
    /// `key=value`; no value where there is no `=`.
    Entry(&'a [u8], Option<&'a [u8]>),
}

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Without its end.
    pub(super) text: &'a [u8],
    /// CR LF, LF or, at the end of the file, nothing.
    pub(super) end: &'a [u8],
    /// What it is.
    pub(super) kind: Kind<'a>,
}

/// Why bytes are no INI file that can be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIni {
    /// A zero byte where no byte order mark says what it stands for.
    #[error("it is in UTF-16 without a byte order mark, or no text at all")]
    Unmarked,
    /// UTF-16 that cannot be decoded.
    #[error("its byte order mark says UTF-16, and half a letter stands in it")]
    Half,
    /// A control character, which no text has.
    #[error("line {0} holds a control character, so it is no text")]
    Binary(usize),
    /// A line that is none of an INI file.
    #[error("line {0} is none of an INI file")]
    Line(usize),
}

/// The lines of `bytes`, which are after the byte order mark.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<Line<'_>>, NotIni> {
    let mut lines = Vec::new();
    for (index, raw) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let text = raw.strip_suffix(b"\n").map_or(raw, |text| text.strip_suffix(b"\r").unwrap_or(text));
        let end = raw.get(text.len()..).unwrap_or_default();
        if text.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(NotIni::Binary(index + 1));
        }
        lines.push(Line { text, end, kind: kind(text).ok_or(NotIni::Line(index + 1))? });
    }
    Ok(lines)
}

/// `None` for what stands in no INI file: markup, or a section that is not closed.
fn kind(text: &[u8]) -> Option<Kind<'_>> {
    let trimmed = text.trim_ascii();
    match trimmed.first() {
        None => Some(Kind::Blank),
        Some(b';' | b'#') => Some(Kind::Comment),
        Some(b'[') => {
            let close = trimmed.iter().position(|byte| *byte == b']')?;
            let after = trimmed.get(close + 1..)?.trim_ascii();
            let is_alone = after.is_empty() || after.starts_with(b";") || after.starts_with(b"#");
            is_alone.then(|| Some(Kind::Section(trimmed.get(1..close)?.trim_ascii()))).flatten()
        }
        Some(b'<' | b'{' | b'}' | b'=') => None,
        Some(_) => Some(match trimmed.iter().position(|byte| *byte == b'=') {
            Some(at) => Kind::Entry(trimmed.get(..at)?.trim_ascii(), Some(trimmed.get(at + 1..)?.trim_ascii())),
            None => Kind::Entry(trimmed, None),
        }),
    }
}

impl<'a> Line<'a> {
    /// The text of this entry with another value: its key, and the white space up to the value, stay as they are written.
    pub(super) fn with_value(&self, value: Option<&[u8]>) -> Vec<u8> {
        let until = match (self.text.iter().position(|byte| *byte == b'='), value) {
            (Some(at), Some(_)) => {
                let after = self.text.get(at + 1..).unwrap_or_default();
                at + 1 + (after.len() - after.trim_ascii_start().len())
            }
            (Some(at), None) => self.text.get(..at).unwrap_or_default().trim_ascii_end().len(),
            (None, _) => self.text.trim_ascii_end().len(),
        };
        let mut text = self.text.get(..until).unwrap_or_default().to_vec();
        if let Some(value) = value {
            if !self.text.contains(&b'=') {
                text.push(b'=');
            }
            text.extend_from_slice(value);
        }
        text
    }
}
