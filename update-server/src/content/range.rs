//! `Range` of RFC 9110 section 14: which bytes of a file a request selects. Pure.
//!
//! One range is honoured. A request for several is answered with the whole file, which RFC 9110 allows: nobody needs a thousand parts of a file
//! that is immutable, and nobody gets to ask for a million (attack C10). A header that does not parse is ignored, as the RFC demands.

/// What a `Range` header selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of it: no range, several, or text that is not a range.
    Whole,
    /// These bytes; `first <= last < length`.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte, inclusive.
        last: u64,
    },
    /// Nothing that exists.
    Unsatisfiable,
}

impl Selection {
    /// What `range` selects of a file of `length` bytes.
    pub fn of(range: &[u8], length: u64) -> Selection {
        let Some((first, last)) = std::str::from_utf8(range).ok().and_then(ends) else { return Selection::Whole };
        match (first, last) {
            (Some(first), last) => match last.unwrap_or(u64::MAX) {
                last if last < first => Selection::Whole,
                _ if first >= length => Selection::Unsatisfiable,
                last => Selection::Part { first, last: last.min(length - 1) },
            },
            (None, Some(suffix)) if suffix == 0 || length == 0 => Selection::Unsatisfiable,
            (None, Some(suffix)) => Selection::Part { first: length.saturating_sub(suffix), last: length - 1 },
            (None, None) => Selection::Whole,
        }
    }
}

/// The two numbers of `bytes=A-B`, either absent; `None` when the text is not one range of bytes.
fn ends(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim_matches([' ', '\t']).split_once('-')?;
    Some((number(first)?, number(last)?))
}

/// `Some(None)` for no digits at all; numbers too large for any file are as good as the largest.
fn number(digits: &str) -> Option<Option<u64>> {
    if digits.is_empty() {
        return Some(None);
    }
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| Some(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Selection::{Part, Unsatisfiable, Whole};

    #[test]
    fn ranges_select_what_rfc_9110_says() {
        let part = |first, last| Part { first, last };
        for (range, length, selected) in [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=0-9", 10, part(0, 9)),
            ("bytes=0-10", 10, part(0, 9)),
            ("bytes=2-5", 10, part(2, 5)),
            ("bytes=9-9", 10, part(9, 9)),
            ("bytes=9-", 10, part(9, 9)),
            ("bytes=0-", 10, part(0, 9)),
            ("bytes=-1", 10, part(9, 9)),
            ("bytes=-10", 10, part(0, 9)),
            ("bytes=-11", 10, part(0, 9)),
            ("BYTES=1-2", 10, part(1, 2)),
            ("bytes= 1-2 ", 10, part(1, 2)),
            ("bytes=0-18446744073709551615", 10, part(0, 9)),
            ("bytes=0-99999999999999999999999999", 10, part(0, 9)),
            ("bytes=-99999999999999999999999999", 10, part(0, 9)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20", 10, Unsatisfiable),
            ("bytes=18446744073709551615-", 10, Unsatisfiable),
            ("bytes=99999999999999999999999999-", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=0-0", 0, Unsatisfiable),
            ("bytes=-1", 0, Unsatisfiable),
            ("bytes=5-2", 10, Whole),
            ("bytes=0-1,4-5", 10, Whole),
            ("bytes=0-1,", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=1-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=1-+2", 10, Whole),
            ("bytes=--1", 10, Whole),
            ("bytes=1 - 2", 10, Whole),
            ("bytes=0x1-2", 10, Whole),
            ("items=0-1", 10, Whole),
            ("", 10, Whole),
        ] {
            assert_eq!(Selection::of(range.as_bytes(), length), selected, "{range} of {length}");
        }
        assert_eq!(Selection::of(b"bytes=\xff-1", 10), Whole);
    }
}
