//! What is listed of other files: versions, lengths, hashes.

use serde_json::{Map, Value, json};

use super::super::raw;
use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "listed version", on: On::Listing, apply: Apply::Content(version) },
    Mutation { name: "listed length", on: On::Listing, apply: Apply::Content(length) },
    Mutation { name: "listed hashes", on: On::Listing, apply: Apply::Content(hashes) },
    Mutation { name: "more files listed", on: On::Listing, apply: Apply::Content(more) },
    Mutation { name: "file no longer listed", on: On::Listing, apply: Apply::Content(unlisted) },
    Mutation { name: "listing with more fields", on: On::Listing, apply: Apply::Content(more_fields) },
    Mutation { name: "target's length", on: On::Targets, apply: Apply::Content(length) },
    Mutation { name: "target's hashes", on: On::Targets, apply: Apply::Content(hashes) },
    Mutation { name: "target with custom fields", on: On::Targets, apply: Apply::Content(more_fields) },
    Mutation { name: "target no longer listed", on: On::Targets, apply: Apply::Content(unlisted) },
];

/// What lists files.
fn files(signed: &mut Value) -> Option<&mut Map<String, Value>> {
    let key = if signed["meta"].is_object() { "meta" } else { "targets" };
    signed[key].as_object_mut()
}

/// One listed file, by lot.
fn entry<'a>(signed: &'a mut Value, random: &mut Random) -> Option<(String, &'a mut Value)> {
    let files = files(signed)?;
    let names: Vec<String> = files.keys().cloned().collect();
    let name = names.get(random.below(names.len().max(1)))?.clone();
    let entry = files.get_mut(&name).filter(|entry| entry.is_object())?;
    Some((name, entry))
}

fn version(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, entry) = entry(signed, random)?;
    let now = entry["version"].as_i64()?;
    let (detail, version) = match random.below(8) {
        0 => ("one more", json!(now + 1)),
        1 => ("one less", json!(now - 1)),
        2 => ("zero", json!(0)),
        3 => ("negative", json!(-now)),
        4 => ("text", json!(now.to_string())),
        5 => ("fraction", raw::value(&format!("{now}.0"), &format!("{now}.0"))),
        6 => ("true", json!(true)),
        _ => ("null", Value::Null),
    };
    entry["version"] = version;
    Some(format!("{detail} of {name}"))
}

fn length(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, entry) = entry(signed, random)?;
    let now = entry["length"].as_i64().unwrap_or(1000);
    let (detail, length) = match random.below(8) {
        0 => ("one more", json!(now + 1)),
        1 => ("one less", json!(now - 1)),
        2 => ("zero", json!(0)),
        3 => ("negative", json!(-1)),
        4 => ("text", json!(now.to_string())),
        5 => ("huge", json!(u64::MAX)),
        6 => ("true", json!(true)),
        _ => ("null", Value::Null),
    };
    entry["length"] = length;
    Some(format!("{detail} of {name}"))
}

fn hashes(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, entry) = entry(signed, random)?;
    let right = entry["hashes"]["sha256"].as_str().map(str::to_owned);
    let wrong = "0".repeat(64);
    let (detail, hashes) = match random.below(11) {
        0 => ("wrong", json!({"sha256": wrong})),
        1 => ("wrong beside right", json!({"sha256": right?, "sha512": "0".repeat(128)})),
        2 => ("unknown alone", json!({"blake7": wrong})),
        3 => ("unknown beside right", json!({"sha256": right?, "blake7": wrong})),
        4 => ("md5 alone", json!({"md5": "0".repeat(32)})),
        5 => ("wrong md5 beside right", json!({"sha256": right?, "md5": "0".repeat(32)})),
        6 => ("upper case", json!({"sha256": right?.to_uppercase()})),
        7 => ("cut", json!({"sha256": right?.get(..62)?})),
        8 => ("empty", json!({})),
        9 => ("null", Value::Null),
        _ => ("null hash", json!({"sha256": null})),
    };
    entry["hashes"] = hashes;
    Some(format!("{detail} of {name}"))
}

fn more(signed: &mut Value, random: &mut Random) -> Option<String> {
    let name = *random.pick(&["unheard-of.json", "root.json", "timestamp.json", "no-json", ".json", ""]);
    files(signed)?.insert(name.to_owned(), json!({"version": 1}));
    Some(name.to_owned())
}

fn unlisted(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, _) = entry(signed, random)?;
    files(signed)?.remove(&name)?;
    Some(name)
}

fn more_fields(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (name, entry) = entry(signed, random)?;
    entry["custom"] = json!({"x": [null, -1, "ü"]});
    Some(name)
}
