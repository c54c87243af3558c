//! Strict reading of JSON: two readers must never see two documents in the same bytes.
//!
//! `serde_json` already refuses bad UTF-8, lone surrogates, a BOM, leading zeros, `NaN` and trailing bytes. What it lets pass, and a
//! signed document must not contain, is refused here in a first pass that builds nothing: repeated keys (attack B3), fractions,
//! exponents, `-0` and integers beyond 64 bits (B4), deep nesting (B2), and documents over their limit (B1).

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

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
    Malformed(#[from] serde_json::Error),
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
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nesting deeper than {MAX_DEPTH}")));
        }
        Ok(Strict { depth: self.depth + 1 })
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
    fn b1_a_document_over_its_limit_is_refused_before_parsing() {
        assert!(matches!(check(&[b' '; 11], 10), Err(JsonError::TooLong { length: 11, limit: 10 })));
    }
}
