//! Which encoding a config file is in, as far as its byte order mark says, and its letters without it.
//!
//! What is merged are bytes in which every ASCII character is one byte: UTF-8, Latin-1 and the code pages of Windows as they are, UTF-16 decoded. `WritePrivateProfileString` keeps a file in UTF-16
//! that is in it, so users have such. What was decoded goes back byte for byte: UTF-16 that does not decode, for half a letter or half a pair, is refused and not mended.

use std::borrow::Cow;

use super::NotIni;

/// How a file begins, and so how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Without a mark: UTF-8, or a code page that nobody names.
    Unmarked,
    /// UTF-8 with the mark that some editors put there.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Little,
    /// UTF-16, the high byte first.
    Utf16Big,
}

/// A file without its mark.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) encoding: Encoding,
    /// In UTF-8 where there was a mark and the file is what it says, otherwise as it was.
    pub(super) bytes: Cow<'a, [u8]>,
}

impl Encoding {
    const MARKED: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16Little, Encoding::Utf16Big];

    fn mark(self) -> &'static [u8] {
        match self {
            Encoding::Unmarked => b"",
            Encoding::Utf8 => b"\xEF\xBB\xBF",
            Encoding::Utf16Little => b"\xFF\xFE",
            Encoding::Utf16Big => b"\xFE\xFF",
        }
    }

    /// Whether the file says of itself which letters it holds.
    pub(super) fn is_marked(self) -> bool {
        self != Encoding::Unmarked
    }

    /// The file with the content `bytes`.
    pub(super) fn write(self, bytes: Vec<u8>) -> Vec<u8> {
        let units = |to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            // The user's part was decoded, and nothing but UTF-8 comes into it: nothing is lost.
            String::from_utf8_lossy(&bytes).encode_utf16().flat_map(to_bytes).collect()
        };
        let encoded = match self {
            Encoding::Unmarked => return bytes,
            Encoding::Utf8 => bytes,
            Encoding::Utf16Little => units(u16::to_le_bytes),
            Encoding::Utf16Big => units(u16::to_be_bytes),
        };
        [self.mark(), &encoded].concat()
    }
}

impl<'a> Content<'a> {
    /// Reads a file.
    pub(super) fn read(file: &'a [u8]) -> Result<Content<'a>, NotIni> {
        let marked = Encoding::MARKED.into_iter().find_map(|encoding| Some((encoding, file.strip_prefix(encoding.mark())?)));
        let (encoding, rest) = marked.unwrap_or((Encoding::Unmarked, file));
        let bytes = match encoding {
            Encoding::Unmarked if rest.contains(&0) => return Err(NotIni::Unmarked),
            Encoding::Unmarked | Encoding::Utf8 => rest.into(),
            Encoding::Utf16Little => decoded(rest, u16::from_le_bytes)?.into(),
            Encoding::Utf16Big => decoded(rest, u16::from_be_bytes)?.into(),
        };
        Ok(Content { encoding, bytes })
    }
}

/// Whether a file that begins with `bytes` would be one with a mark.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    Encoding::MARKED.iter().any(|encoding| bytes.starts_with(encoding.mark()))
}

fn decoded(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, NotIni> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text.into_bytes()),
        _ => Err(NotIni::Half),
    }
}
