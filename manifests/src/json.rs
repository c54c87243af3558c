//! Strict reading of JSON: two readers must never see two documents in the same bytes.
//!
//! `serde_json` already refuses bad UTF-8, lone surrogates, a BOM, leading zeros, `NaN` and trailing bytes. What it lets pass, and a
//! signed document must not contain, is refused here in a first pass that builds nothing: repeated keys (attack B3), fractions,
//! exponents, `-0` and integers beyond 64 bits (B4), deep nesting (B2), and documents over their limit (B1).

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::quote::quoted;

/// Deepest nesting of arrays and objects; TUF roles need 6, ours 7.
pub const MAX_DEPTH: usize = 64;

/// Why bytes are not an acceptable JSON document of the expected shape.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The document is longer than the limit for its kind.
    #[error("the document has {length} bytes, more than the {limit} allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is not strict JSON, or not of the expected shape.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Longest part of a parser's words that is passed on, in characters: they repeat what stood in the document.
const MESSAGE: usize = 300;

/// What a parser found wrong, and where, in words that can be shown ([`crate::quote`]).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", place(*line, *column))]
pub struct Malformed {
    message: String,
    line: usize,
    column: usize,
}

impl Malformed {
    /// The line, from 1; 0 when the value was read already.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1; 0 when the value was read already.
    pub const fn column(&self) -> usize {
        self.column
    }
}

/// A value that was read already has no place.
fn place(line: usize, column: usize) -> String {
    if line == 0 { String::new() } else { format!(" at line {line} column {column}") }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Malformed {
        let (text, line, column) = (error.to_string(), error.line(), error.column());
        let message = text.strip_suffix(&place(line, column)).unwrap_or(&text);
        Malformed { message: quoted(message, MESSAGE).to_string(), line, column }
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> JsonError {
        JsonError::Malformed(error.into())
    }
}

/// Reads a `T` from `bytes`, at most `limit` of them.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, JsonError> {
    check(bytes, limit)?;
    Ok(serde_json::from_slice(bytes)?)
}

/// The `format` of a document of at most `limit` bytes: read before anything else of it, so that a later format is named as such and not as a missing field.
pub fn format_of(bytes: &[u8], limit: usize) -> Result<u64, JsonError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u64,
    }
    from_slice::<Head>(bytes, limit).map(|head| head.format)
}

/// Reads an optional field that is there. A `null` is refused (`docs/format.md` section 1), where `Option` by itself takes it for an absent field and another reader may not.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The number of items of an array, read without keeping any; 0 for everything else. For refusing a document by its numbers before anything of it is built (D9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Items(pub(crate) usize);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Items(0))
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Items, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Items, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Items, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Items, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Items, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<Items, A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            self.0 = self.0.saturating_add(1);
        }
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Items, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

/// Refuses `bytes` that are not one strict JSON document of at most `limit` bytes. Memory: the keys of the objects that are open.
pub fn check(bytes: &[u8], limit: usize) -> Result<(), JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong { length: bytes.len(), limit });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Strict { depth: 0 }.deserialize(&mut deserializer)?;
    Ok(deserializer.end()?)
}

/// Visits a value and everything below it, keeping nothing.
struct Strict {
    depth: usize,
}

impl Strict {
    fn below<E: serde::de::Error>(&self) -> Result<Strict, E> {
        match self.depth.checked_add(1) {
            Some(depth) if depth <= MAX_DEPTH => Ok(Strict { depth }),
            _ => Err(E::custom(format_args!("nesting deeper than {MAX_DEPTH}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    // `1.0`, `1e3`, `-0` and integers beyond 64 bits all arrive here.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        Err(E::custom(format_args!("number {value} is not an integer of 64 bits")))
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        self.below()?;
        while sequence.next_element_seed(self.below()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.below()?;
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if seen.contains(key.as_ref()) {
                return Err(A::Error::custom(format_args!("repeated key `{key}`")));
            }
            seen.insert(key.into_owned());
            map.next_value_seed(self.below()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &[u8]) -> bool {
        check(text, 1_000_000).is_ok()
    }

    #[test]
    fn plain_documents_pass() {
        for text in ["{}", "[1,-2,18446744073709551615,-9223372036854775808]", r#"{"a":{"a":null},"b":"\u00e9\ud83d\ude00"}"#, " [true] "] {
            assert!(verdict(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn b3_duplicate_keys_are_refused_at_any_depth_and_in_any_spelling() {
        for text in [r#"{"version":1,"version":99}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#] {
            assert!(!verdict(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn b4_numbers_that_are_not_64_bit_integers_are_refused() {
        for text in ["NaN", "Infinity", "1.0", "1e3", "-0", "18446744073709551616", "-9223372036854775809", "01", "+1", "0x1", "1."] {
            assert!(!verdict(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn b5_bad_text_is_refused() {
        for text in [&b"\"\\ud800\""[..], b"\"\xc0\xaf\"", b"\xef\xbb\xbf{}", b"\"\x00\"", b"\"\xed\xa0\x80\"", b"{} {}", b""] {
            assert!(!verdict(text), "{text:?}");
        }
        assert!(verdict(br#""\u0000""#), "an escaped NUL is text; names refuse it where it matters");
    }

    #[test]
    fn b2_deep_nesting_is_refused_without_exhausting_the_stack() {
        assert!(verdict(format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)).as_bytes()));
        assert!(!verdict(format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1)).as_bytes()));
        assert!(!verdict("[".repeat(100_000).as_bytes()));
        assert!(!verdict("{\"a\":".repeat(100_000).as_bytes()));
    }

    #[test]
    fn what_is_said_of_a_document_can_be_shown() {
        for text in [r#"{"a\u001b[31m":1,"a\u001b[31m":2}"#.to_owned(), format!("{{\"{0}\":1,\"{0}\":2}}", "x".repeat(100_000))] {
            let error = check(text.as_bytes(), 1_000_000).unwrap_err().to_string();
            assert!(error.contains("repeated key") && error.contains(" at line 1 column "), "{error:.500}");
            assert!(error.len() < 1000 && !error.chars().any(char::is_control), "{error:.2000}");
        }
    }

    #[test]
    fn b1_a_document_over_its_limit_is_refused_before_parsing() {
        assert!(matches!(check(&[b' '; 11], 10), Err(JsonError::TooLong { length: 11, limit: 10 })));
    }
}
