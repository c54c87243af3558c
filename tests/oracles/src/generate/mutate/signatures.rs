//! Who signs, and how signatures stand in the file.

use serde_json::{Value, json};

use super::super::keys;
use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "signer missing", on: On::Any, apply: Apply::Signers(missing) },
    Mutation { name: "signed by a stranger instead", on: On::Any, apply: Apply::Signers(stranger) },
    Mutation { name: "signed by a stranger, too", on: On::Any, apply: Apply::Signers(stranger_too) },
    Mutation { name: "signature twice", on: On::Any, apply: Apply::Envelope(twice) },
    Mutation { name: "a stranger's signature twice", on: On::Any, apply: Apply::Envelope(stranger_twice) },
    Mutation { name: "a stranger's signature under the role's key id", on: On::Any, apply: Apply::Envelope(forged) },
    Mutation { name: "broken signature", on: On::Any, apply: Apply::Envelope(broken) },
    Mutation { name: "broken signature of a stranger", on: On::Any, apply: Apply::Envelope(broken_stranger) },
    Mutation { name: "signature in upper case", on: On::Any, apply: Apply::Envelope(upper_case) },
    Mutation { name: "signature with more fields", on: On::Any, apply: Apply::Envelope(more_fields) },
    Mutation { name: "envelope with more fields", on: On::Any, apply: Apply::Envelope(envelope_fields) },
    Mutation { name: "content changed after signing", on: On::Any, apply: Apply::Envelope(changed) },
    Mutation { name: "many signatures", on: On::Any, apply: Apply::Envelope(many) },
    Mutation { name: "signatures of another shape", on: On::Any, apply: Apply::Envelope(shape) },
];

fn missing(signers: &mut Vec<usize>, _: &Value, random: &mut Random) -> Option<String> {
    let index = random.below(signers.len().max(1));
    (index < signers.len()).then(|| signers.remove(index))?;
    Some(format!("{} left", signers.len()))
}

#[expect(clippy::ptr_arg, reason = "one row of a table of functions of one type")]
fn stranger(signers: &mut Vec<usize>, signed: &Value, random: &mut Random) -> Option<String> {
    let stranger = nobody(signed, random)?;
    *signers.first_mut()? = stranger;
    Some(String::new())
}

fn stranger_too(signers: &mut Vec<usize>, signed: &Value, random: &mut Random) -> Option<String> {
    let stranger = nobody(signed, random).filter(|stranger| !signers.contains(stranger))?;
    // Before or after those who count.
    signers.insert(random.below(signers.len() + 1), stranger);
    Some(String::new())
}

/// A key that is not in the content's own table; some other role may have it.
fn nobody(signed: &Value, random: &mut Random) -> Option<usize> {
    let number = random.below(keys::COUNT);
    signed["keys"].get(keys::id(number)).is_none().then_some(number)
}

/// The first signature.
fn first(envelope: &mut Value) -> Option<&mut Value> {
    envelope["signatures"].get_mut(0).filter(|signature| signature.is_object())
}

fn twice(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let signatures = envelope["signatures"].as_array_mut()?;
    signatures.push(signatures.first()?.clone());
    Some(String::new())
}

fn stranger_twice(envelope: &mut Value, message: &[u8], _: &mut Random) -> Option<String> {
    let mut signature = keys::sign(0, message);
    signature["keyid"] = json!("00");
    envelope["signatures"].as_array_mut()?.extend([signature.clone(), signature]);
    Some(String::new())
}

fn forged(envelope: &mut Value, message: &[u8], random: &mut Random) -> Option<String> {
    let signature = first(envelope)?;
    let own = keys::with_id(signature["keyid"].as_str()?)?;
    let other = (own + 1 + random.below(keys::COUNT - 1)) % keys::COUNT;
    signature["sig"] = keys::sign(other, message)["sig"].clone();
    Some(String::new())
}

fn broken(envelope: &mut Value, _: &[u8], random: &mut Random) -> Option<String> {
    let signature = first(envelope)?;
    let text = signature["sig"].as_str()?.to_owned();
    let (detail, value) = match random.below(9) {
        8 => ("S above the order", json!(with_order_added(&text)?)),
        0 => ("flipped", json!(format!("{}{}", if text.starts_with('0') { "1" } else { "0" }, text.get(1..)?))),
        1 => ("cut", json!(text.get(2..)?)),
        2 => ("odd", json!(text.get(1..)?)),
        3 => ("longer", json!(format!("{text}00"))),
        4 => ("empty", json!("")),
        5 => ("not hex", json!("signed, me")),
        6 => ("spaced", json!(format!("{} {}", text.get(..2)?, text.get(2..)?))),
        _ => ("null", Value::Null),
    };
    signature["sig"] = value;
    Some(detail.to_owned())
}

/// The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The signature with its S made S + the order, which satisfies the same equation.
fn with_order_added(signature: &str) -> Option<String> {
    let mut bytes = hex::decode(signature).ok()?;
    let order = hex::decode(ORDER).ok()?;
    let mut carry = 0;
    for (byte, added) in bytes.get_mut(32..64)?.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    Some(hex::encode(bytes))
}

/// What does not count may be as broken as it likes, or may it?
fn broken_stranger(envelope: &mut Value, _: &[u8], random: &mut Random) -> Option<String> {
    let (detail, entry) = match random.below(5) {
        0 => ("empty", json!({"keyid": "00", "sig": ""})),
        1 => ("not hex", json!({"keyid": "00", "sig": "signed, me"})),
        2 => ("null", json!({"keyid": "00", "sig": null})),
        3 => ("no signature", json!({"keyid": "00"})),
        _ => ("no key id", json!({"sig": "00"})),
    };
    envelope["signatures"].as_array_mut()?.push(entry);
    Some(detail.to_owned())
}

fn upper_case(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let signature = first(envelope)?;
    signature["sig"] = json!(signature["sig"].as_str()?.to_uppercase());
    Some(String::new())
}

fn more_fields(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    first(envelope)?["method"] = json!("by hand");
    Some(String::new())
}

fn envelope_fields(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    envelope["comment"] = json!([null, {}]);
    Some(String::new())
}

fn changed(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    envelope["signed"]["x-added"] = json!(1);
    Some(String::new())
}

fn many(envelope: &mut Value, message: &[u8], random: &mut Random) -> Option<String> {
    let signatures = envelope["signatures"].as_array_mut()?;
    let count = *random.pick(&[63, 64, 65, 200]);
    for number in signatures.len()..count {
        let mut signature = keys::sign(0, message);
        signature["keyid"] = json!(format!("stranger {number}"));
        signatures.push(signature);
    }
    Some(count.to_string())
}

fn shape(envelope: &mut Value, _: &[u8], random: &mut Random) -> Option<String> {
    let (detail, value) = match random.below(4) {
        0 => ("null", Value::Null),
        1 => ("empty", json!([])),
        2 => ("object", json!({"0": envelope["signatures"].get(0)?})),
        _ => ("text", json!("signed, me")),
    };
    envelope["signatures"] = value;
    Some(detail.to_owned())
}
