//! Keys, key ids and thresholds, in root and in delegations.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{keys, raw};
use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "threshold", on: On::Keyed, apply: Apply::Content(threshold) },
    Mutation { name: "key id twice in a role", on: On::Keyed, apply: Apply::Content(twice) },
    Mutation { name: "key missing from the table", on: On::Keyed, apply: Apply::Content(missing) },
    Mutation { name: "role without keys", on: On::Keyed, apply: Apply::Content(no_keys) },
    Mutation { name: "key that nobody uses", on: On::Keyed, apply: Apply::Content(unused) },
    Mutation { name: "key of an unknown type", on: On::Keyed, apply: Apply::Content(unknown) },
    Mutation { name: "unused key under an id that is not its own", on: On::Keyed, apply: Apply::Content(unused_foreign) },
    Mutation { name: "key under an id that is not its own", on: On::Root, apply: Apply::Envelope(foreign) },
    Mutation { name: "one key under two ids", on: On::Root, apply: Apply::Envelope(two_ids) },
    Mutation { name: "key in upper case", on: On::Root, apply: Apply::Envelope(upper_case) },
    Mutation { name: "key with more fields", on: On::Root, apply: Apply::Envelope(more_fields) },
    Mutation { name: "key of small order", on: On::Root, apply: Apply::Envelope(small_order) },
    Mutation { name: "role that nobody knows in root", on: On::Root, apply: Apply::Content(unknown_role) },
    Mutation { name: "role missing from root", on: On::Root, apply: Apply::Content(missing_role) },
];

/// One entry with `keyids` and `threshold`, by lot, and its name.
fn role<'a>(signed: &'a mut Value, random: &mut Random) -> Option<(String, &'a mut Value)> {
    if signed["roles"].is_object() {
        let name = *random.pick(&["root", "timestamp", "snapshot", "targets"]);
        let role = signed["roles"].get_mut(name).filter(|role| role.is_object())?;
        return Some((name.to_owned(), role));
    }
    let roles = signed.get_mut("delegations")?.get_mut("roles")?.as_array_mut()?;
    let index = random.below(roles.len());
    let role = roles.get_mut(index).filter(|role| role.is_object())?;
    Some((role["name"].as_str()?.to_owned(), role))
}

/// The key table.
fn table(signed: &mut Value) -> Option<&mut Map<String, Value>> {
    let holder = if signed["keys"].is_object() { signed } else { signed.get_mut("delegations")? };
    holder.get_mut("keys")?.as_object_mut()
}

fn threshold(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, role) = role(signed, random)?;
    let keys = role["keyids"].as_array()?.len();
    let (detail, value) = match random.below(8) {
        0 => ("zero", json!(0)),
        1 => ("negative", json!(-1)),
        2 => ("above the keys", json!(keys + 1)),
        3 => ("text", json!("1")),
        4 => ("fraction", raw::value("1.0", "1.0")),
        5 => ("true", json!(true)),
        6 => ("null", Value::Null),
        _ => ("huge", json!(u64::MAX)),
    };
    role["threshold"] = value;
    Some(format!("{detail} of {name}"))
}

fn twice(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, role) = role(signed, random)?;
    let ids = role["keyids"].as_array_mut()?;
    ids.push(ids.first()?.clone());
    // As many as there are entries: who counts entries is content with fewer keys.
    let raised = random.percent(50);
    if raised {
        role["threshold"] = json!(role["keyids"].as_array()?.len());
    }
    Some(format!("{name}{}", if raised { ", threshold raised" } else { "" }))
}

fn missing(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, role) = role(signed, random)?;
    let id = role["keyids"].get(0)?.as_str()?.to_owned();
    table(signed)?.remove(&id)?;
    Some(name)
}

fn no_keys(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, role) = role(signed, random)?;
    role["keyids"] = json!([]);
    Some(name)
}

fn unused(signed: &mut Value, random: &mut Random) -> Option<String> {
    let number = random.below(keys::COUNT);
    table(signed)?.insert(keys::id(number).to_owned(), keys::object(number));
    Some(String::new())
}

fn unknown(signed: &mut Value, _: &mut Random) -> Option<String> {
    let canonical = r#"{"keytype":"sphincs","keyval":{"public":"00"},"scheme":"sphincs"}"#;
    table(signed)?.insert(hex::encode(Sha256::digest(canonical)), serde_json::from_str(canonical).ok()?);
    Some(String::new())
}

fn unused_foreign(signed: &mut Value, random: &mut Random) -> Option<String> {
    table(signed)?.insert("f00d".to_owned(), keys::object(random.below(keys::COUNT)));
    Some(String::new())
}

/// The first key of the root role, which signs this very file.
fn root_key(signed: &Value) -> Option<(usize, String)> {
    let id = signed["roles"]["root"]["keyids"].get(0)?.as_str()?.to_owned();
    Some((keys::with_id(&id)?, id))
}

/// Gives the root role the key `number` as `object` under the id `new`, beside or instead of `old`, and signs anew: by all who signed, and under the new id.
fn replace(envelope: &mut Value, number: usize, old: &str, new: &str, object: Value, keep_old: bool) -> Option<()> {
    let signed = &mut envelope["signed"];
    signed["keys"].as_object_mut()?.insert(new.to_owned(), object);
    let ids = signed["roles"]["root"]["keyids"].as_array_mut()?;
    if !keep_old {
        ids.retain(|id| id != old);
    }
    ids.push(json!(new));
    let message = sign_anew(envelope)?;
    let mut signature = keys::sign(number, &message);
    signature["keyid"] = json!(new);
    envelope["signatures"].as_array_mut()?.push(signature);
    Some(())
}

/// Makes all signatures again, for a content that has changed, and returns what they cover.
fn sign_anew(envelope: &mut Value) -> Option<Vec<u8>> {
    let message = manifests::canonical::to_vec(&envelope["signed"]).ok()?;
    for signature in envelope["signatures"].as_array_mut()? {
        *signature = keys::sign(keys::with_id(signature["keyid"].as_str()?)?, &message);
    }
    Some(message)
}

fn foreign(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let (number, old) = root_key(&envelope["signed"])?;
    replace(envelope, number, &old, "my-key", keys::object(number), false)?;
    Some(String::new())
}

fn two_ids(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let (number, old) = root_key(&envelope["signed"])?;
    // One key more is asked for than there are signers.
    let threshold = envelope["signed"]["roles"]["root"]["keyids"].as_array()?.len() + 1;
    envelope["signed"]["roles"]["root"]["threshold"] = json!(threshold);
    replace(envelope, number, &old, "my-key", keys::object(number), true)?;
    Some(String::new())
}

fn upper_case(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let (number, old) = root_key(&envelope["signed"])?;
    let mut object = keys::object(number);
    object["keyval"]["public"] = json!(object["keyval"]["public"].as_str()?.to_uppercase());
    let id = id_of(&object)?;
    replace(envelope, number, &old, &id, object, false)?;
    Some(String::new())
}

fn more_fields(envelope: &mut Value, _: &[u8], random: &mut Random) -> Option<String> {
    let (number, old) = root_key(&envelope["signed"])?;
    let mut object = keys::object(number);
    object["x-owner"] = json!("somebody");
    // The id is that of all of the key object, or of the fields that the specification names.
    if random.percent(50) {
        let id = id_of(&object)?;
        replace(envelope, number, &old, &id, object, false)?;
        return Some("id of all".to_owned());
    }
    envelope["signed"]["keys"].as_object_mut()?.insert(old, object);
    sign_anew(envelope)?;
    Some("id of the known fields".to_owned())
}

/// The neutral point as a key: R the same and S zero is then a signature over anything, for who does not look. One more signature is asked for than there are keys beside it.
fn small_order(envelope: &mut Value, _: &[u8], _: &mut Random) -> Option<String> {
    let neutral = format!("01{}", "00".repeat(31));
    let object = json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": neutral}});
    let id = id_of(&object)?;
    let signed = &mut envelope["signed"];
    signed["keys"].as_object_mut()?.insert(id.clone(), object);
    let role = &mut signed["roles"]["root"];
    role["threshold"] = json!(role["keyids"].as_array()?.len() + 1);
    role["keyids"].as_array_mut()?.push(json!(id));
    sign_anew(envelope)?;
    let signature = json!({"keyid": id, "sig": format!("{neutral}{}", "00".repeat(32))});
    envelope["signatures"].as_array_mut()?.push(signature);
    Some(String::new())
}

fn id_of(object: &Value) -> Option<String> {
    Some(hex::encode(Sha256::digest(manifests::canonical::to_vec(object).ok()?)))
}

fn unknown_role(signed: &mut Value, _: &mut Random) -> Option<String> {
    let role = signed["roles"]["targets"].clone();
    signed["roles"].as_object_mut()?.insert("mirrors".to_owned(), role);
    Some(String::new())
}

fn missing_role(signed: &mut Value, random: &mut Random) -> Option<String> {
    let name = *random.pick(&["root", "timestamp", "snapshot", "targets"]);
    signed["roles"].as_object_mut()?.remove(name)?;
    Some(name.to_owned())
}
