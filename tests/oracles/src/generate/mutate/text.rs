//! How the same content, or almost the same, can be written down.

use serde_json::{Value, json};

use super::super::raw;
use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "white space", on: On::Any, apply: Apply::Text(white_space) },
    Mutation { name: "characters escaped", on: On::Any, apply: Apply::Text(escaped) },
    Mutation { name: "byte order mark", on: On::Any, apply: Apply::Text(mark) },
    Mutation { name: "bytes that are no UTF-8", on: On::Any, apply: Apply::Text(no_utf8) },
    Mutation { name: "something after the document", on: On::Any, apply: Apply::Text(after) },
    Mutation { name: "key repeated in the envelope", on: On::Any, apply: Apply::Text(repeated_in_envelope) },
    Mutation { name: "file up to its limit", on: On::Listing, apply: Apply::Text(padded) },
    Mutation { name: "key repeated", on: On::Any, apply: Apply::Content(repeated) },
    Mutation { name: "unknown field", on: On::Any, apply: Apply::Content(unknown_field) },
    Mutation { name: "odd number in an unknown field", on: On::Any, apply: Apply::Content(number) },
    Mutation { name: "odd text in an unknown field", on: On::Any, apply: Apply::Content(text) },
    Mutation { name: "nesting", on: On::Any, apply: Apply::Content(nesting) },
];

fn white_space(text: &mut Vec<u8>, _: &mut Random) -> Option<String> {
    let value: Value = serde_json::from_slice(text).ok()?;
    *text = [b"\n\t ", serde_json::to_vec_pretty(&value).ok()?.as_slice(), b"\r\n "].concat();
    Some(String::new())
}

/// Every letter of every string may stand as an escape.
fn escaped(text: &mut Vec<u8>, _: &mut Random) -> Option<String> {
    let plain = String::from_utf8(std::mem::take(text)).ok()?;
    *text = plain
        .replace("version", "v\\u0065rsion")
        .replace('ü', "\\u00fc")
        .replace('🚉', "\\ud83d\\ude89")
        .replace("dir/", "dir\\/")
        .into_bytes();
    Some(String::new())
}

fn mark(text: &mut Vec<u8>, _: &mut Random) -> Option<String> {
    text.splice(0..0, *b"\xef\xbb\xbf");
    Some(String::new())
}

fn no_utf8(text: &mut Vec<u8>, random: &mut Random) -> Option<String> {
    let bytes = *random.pick::<&[u8]>(&[b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"]);
    let inserted = [br#"{"x":""#, bytes, br#"","#].concat();
    (text.first() == Some(&b'{')).then(|| text.splice(0..1, inserted))?;
    Some(hex::encode(bytes))
}

fn after(text: &mut Vec<u8>, random: &mut Random) -> Option<String> {
    let more = *random.pick(&["{}", ",", "\0", "x", "\n\n"]);
    text.extend_from_slice(more.as_bytes());
    Some(more.escape_debug().to_string())
}

fn repeated_in_envelope(text: &mut Vec<u8>, random: &mut Random) -> Option<String> {
    let (detail, inserted) =
        *random.pick(&[("signatures", r#"{"signatures":[],"#), ("signed", r#"{"signed":{},"#), ("other", r#"{"x":1,"x":1,"#)]);
    (text.first() == Some(&b'{')).then(|| text.splice(0..1, inserted.bytes()))?;
    Some(detail.to_owned())
}

/// White space up to the 16 KiB that all of them allow a timestamp, and about it.
fn padded(text: &mut Vec<u8>, random: &mut Random) -> Option<String> {
    let size = *random.pick(&[16_383, 16_384, 16_385]);
    (text.len() < size).then(|| text.resize(size, b' '))?;
    Some(size.to_string())
}

/// Who takes the last one finds what was signed.
fn repeated(signed: &mut Value, random: &mut Random) -> Option<String> {
    let version = signed["version"].as_i64()?;
    let (detail, first) = if random.percent(50) { ("the same", version) } else { ("another", version + 7) };
    signed["version"] = raw::value(&format!("{first},\"version\":{version}"), &version.to_string());
    Some(detail.to_owned())
}

fn unknown_field(signed: &mut Value, random: &mut Random) -> Option<String> {
    let value = match random.below(4) {
        0 => Value::Null,
        1 => json!([{"b": 1, "a": [true, false]}, ""]),
        2 => json!({"ﬀ": 1, "😀": 2, "é": 3, "z": -1}),
        _ => json!(u64::MAX),
    };
    signed["x-unknown"] = value;
    Some(String::new())
}

fn number(signed: &mut Value, random: &mut Random) -> Option<String> {
    // Each as it is written, and as the canonical form of those who read it as an integer.
    let (stored, canonical) = *random.pick(&[
        ("1.5", "1.5"),
        ("1.0", "1.0"),
        ("1e3", "1000.0"),
        ("-0", "0"),
        ("18446744073709551616", "18446744073709551616"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("01", "1"),
        ("+1", "1"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
    ]);
    signed["x-unknown"] = raw::value(stored, canonical);
    Some(stored.to_owned())
}

fn text(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (detail, value) = match random.below(5) {
        0 => ("control characters", json!("\u{0}\u{1}\n\r\t\u{7f}\u{85}\u{2028}")),
        1 => ("quotes and backslashes", json!("\"\\\"\\\\/")),
        2 => ("composed and decomposed", json!({"é": 1, "e\u{301}": 2})),
        3 => ("lone surrogate", raw::value("\"\\ud800\"", "\"?\"")),
        _ => ("raw control character", raw::value("\"a\nb\"", "\"a\nb\"")),
    };
    signed["x-unknown"] = value;
    Some(detail.to_owned())
}

fn nesting(signed: &mut Value, random: &mut Random) -> Option<String> {
    // The envelope and the content are two levels already.
    let depth = *random.pick(&[10, 62, 63, 125, 126, 300]);
    signed["x-unknown"] = raw::value(&("[".repeat(depth) + &"]".repeat(depth)), &("[".repeat(depth) + &"]".repeat(depth)));
    Some(depth.to_string())
}
