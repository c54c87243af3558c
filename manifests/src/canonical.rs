//! OLPC canonical JSON: the bytes that signatures cover and that key ids are computed from.
//!
//! Keys sorted by code point, no white space, integers in decimal, and in strings only `"` and `\` escaped; everything else stands raw. Strings
//! are taken as they are: normalising them would let two different signed texts share one signature. This is the only serialiser
//! for what gets signed; the bytes are cross-checked with python-tuf (attack B6).

use serde::Serialize;
use serde_json::Value;

/// A value that has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// A number with a fraction or beyond 64 bits.
    #[error("number {0} has no canonical form (only integers of 64 bits have)")]
    NotAnInteger(serde_json::Number),
    /// The value could not be turned into JSON at all.
    #[error("the value is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
}

/// The canonical bytes of `value`.
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// The bytes in which a document with `value` is stored: the canonical form, but for control characters in strings, which JSON wants escaped. A reader of JSON gets the same
/// value from it, which the canonical form itself does not grant.
pub fn to_stored<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write_with(&serde_json::to_value(value)?, &mut out, Controls::Escaped)?;
    Ok(out)
}

/// Appends the canonical form of `value` to `out`. Recursion is bounded by the depth that [`crate::json`] accepts.
pub fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    write_with(value, out, Controls::Raw)
}

/// How control characters stand in strings.
#[derive(Clone, Copy, PartialEq)]
enum Controls {
    Raw,
    Escaped,
}

fn write_with(value: &Value, out: &mut Vec<u8>, controls: Controls) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(number) if number.is_f64() => return Err(CanonicalError::NotAnInteger(number.clone())),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_string(text, out, controls),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_with(item, out, controls)?;
            }
            out.push(b']');
        }
        Value::Object(map) => {
            // Sorted here, whatever order the map has: UTF-8 byte order is code point order.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(b'{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out, controls);
                out.push(b':');
                write_with(item, out, controls)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>, controls: Controls) {
    out.push(b'"');
    for byte in text.bytes() {
        if byte < 0x20 && controls == Controls::Escaped {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            continue;
        }
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let value: Value = serde_json::from_str(text).unwrap();
        String::from_utf8(to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_sorted_by_code_point_and_white_space_is_gone() {
        assert_eq!(
            canonical(r#"{ "b" : 1, "a" : [ true, null ], "é":2, "😀":3, "ﬀ":4 }"#),
            r#"{"a":[true,null],"b":1,"é":2,"ﬀ":4,"😀":3}"#
        );
    }

    #[test]
    fn only_quotes_and_backslashes_are_escaped() {
        assert_eq!(canonical(r#""\"\\\/\n\u0000é""#), "\"\\\"\\\\/\n\0é\"");
    }

    #[test]
    fn what_is_stored_is_json_whatever_its_strings_hold() {
        let value: Value = serde_json::from_str(r#"{"b":"a\n\u0000\"\\é\u007f","a":1}"#).unwrap();
        let stored = to_stored(&value).unwrap();
        assert_eq!(String::from_utf8(stored.clone()).unwrap(), "{\"a\":1,\"b\":\"a\\u000a\\u0000\\\"\\\\é\u{7f}\"}");
        assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), value);
        assert!(serde_json::from_slice::<Value>(&to_vec(&value).unwrap()).is_err());
    }

    #[test]
    fn strings_are_not_normalised() {
        assert_ne!(canonical(r#""\u00e9""#), canonical(r#""e\u0301""#));
    }

    #[test]
    fn fractions_have_no_canonical_form() {
        assert!(matches!(to_vec(&1.5), Err(CanonicalError::NotAnInteger(_))));
    }
}
