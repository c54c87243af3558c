//! JSON that no JSON library writes: a value that stands for any text, with the text that signatures are to cover for it.
//!
//! Numbers beyond 64 bits, fractions and repeated keys are valid for some clients. To find out which, they must be signed as those clients see them.

use serde_json::Value;

const OPEN: &str = "\"@raw:";
const CLOSE: &str = "@\"";

/// A value that is stored as `stored` and signed as `signed`.
pub(super) fn value(stored: &str, signed: &str) -> Value {
    Value::String(format!("@raw:{}:{}@", hex::encode(stored), hex::encode(signed)))
}

/// Which of the two texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Stored,
    Signed,
}

/// `json` with the texts in the places of the values that stand for them.
pub(super) fn expand(json: &str, side: Side) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (texts, after) = after.split_once(CLOSE).expect("written by `value`");
        let (stored, signed) = texts.split_once(':').expect("written by `value`");
        let text = match side {
            Side::Stored => stored,
            Side::Signed => signed,
        };
        out.push_str(before);
        out.push_str(&String::from_utf8(hex::decode(text).expect("hex")).expect("text"));
        rest = after;
    }
    out.push_str(rest);
    out
}
