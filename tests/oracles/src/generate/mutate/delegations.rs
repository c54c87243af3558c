//! Who may sign for what: names, patterns, prefixes, order.

use serde_json::{Value, json};

use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "delegation's name", on: On::Delegating, apply: Apply::Content(name) },
    Mutation { name: "delegation twice", on: On::Delegating, apply: Apply::Content(twice) },
    Mutation { name: "terminating", on: On::Delegating, apply: Apply::Content(terminating) },
    Mutation { name: "paths", on: On::Delegating, apply: Apply::Content(paths) },
    Mutation { name: "odd pattern", on: On::Delegating, apply: Apply::Content(pattern) },
    Mutation { name: "pattern of wildcards and brackets", on: On::Delegating, apply: Apply::Content(woven) },
    Mutation { name: "hash prefixes", on: On::Delegating, apply: Apply::Content(prefixes) },
    Mutation { name: "delegations reversed", on: On::Delegating, apply: Apply::Content(reversed) },
    Mutation { name: "delegation with more fields", on: On::Delegating, apply: Apply::Content(more_fields) },
    Mutation { name: "delegations of another shape", on: On::Targets, apply: Apply::Content(shape) },
];

/// The delegations, where there are any.
fn roles(signed: &mut Value) -> Option<&mut Vec<Value>> {
    signed.get_mut("delegations")?.get_mut("roles")?.as_array_mut()
}

/// One delegation, by lot.
fn entry<'a>(signed: &'a mut Value, random: &mut Random) -> Option<&'a mut Value> {
    let roles = roles(signed)?;
    let index = random.below(roles.len().max(1));
    roles.get_mut(index).filter(|role| role.is_object())
}

fn name(signed: &mut Value, random: &mut Random) -> Option<String> {
    let name = *random.pick(&["root", "timestamp", "snapshot", "targets", "", "nobody", "unheard/of", "\u{0}", "Ünï"]);
    entry(signed, random)?["name"] = json!(name);
    Some(name.to_owned())
}

fn twice(signed: &mut Value, _: &mut Random) -> Option<String> {
    let roles = roles(signed)?;
    roles.push(roles.first()?.clone());
    Some(String::new())
}

fn terminating(signed: &mut Value, random: &mut Random) -> Option<String> {
    let entry = entry(signed, random)?;
    let flipped = !entry["terminating"].as_bool()?;
    let (detail, value) = match random.below(6) {
        0 | 1 => ("flipped", json!(flipped)),
        2 => ("number", json!(1)),
        3 => ("text", json!("false")),
        4 => ("null", Value::Null),
        _ => {
            entry.as_object_mut()?.remove("terminating");
            return Some("missing".to_owned());
        }
    };
    entry["terminating"] = value;
    Some(detail.to_owned())
}

fn paths(signed: &mut Value, random: &mut Random) -> Option<String> {
    let entry = entry(signed, random)?;
    let detail = match random.below(7) {
        0 => {
            entry["paths"] = json!(["*"]);
            entry["path_hash_prefixes"] = json!([""]);
            "both"
        }
        1 => {
            entry.as_object_mut()?.retain(|key, _| !["paths", "path_hash_prefixes"].contains(&key.as_str()));
            "neither"
        }
        2 => {
            entry["paths"] = json!("*");
            "text"
        }
        3 => {
            entry["paths"] = json!([]);
            "empty"
        }
        4 => {
            entry["paths"] = json!(["*", 1]);
            "number"
        }
        5 => {
            entry["paths"] = Value::Null;
            "null"
        }
        _ => {
            entry["path_hash_prefixes"] = Value::Null;
            "null prefixes"
        }
    };
    Some(detail.to_owned())
}

fn pattern(signed: &mut Value, random: &mut Random) -> Option<String> {
    let entry = entry(signed, random)?;
    entry.as_object_mut()?.remove("path_hash_prefixes");
    let pattern = *random.pick(&[
        "[a-z]",
        "[!b]",
        "[a",
        "dir/[a-z]*",
        "dir/a[[]b]c",
        "dir/a[b]c",
        "**",
        "**/*",
        "dir/**",
        "a**",
        "\\*",
        "\\a",
        "dir/{file,x}.json",
        "dir//file.json",
        "./a",
        "dir/sub/x[*]y",
        "*/",
        "***",
        "dir/f*l*e*j*n",
        "*a*",
        "d?r/*",
    ]);
    entry["paths"] = json!([pattern]);
    Some(pattern.to_owned())
}

/// A pattern by lot over a small alphabet, so that some match by luck.
fn woven(signed: &mut Value, random: &mut Random) -> Option<String> {
    let parts = ["*", "*", "?", "a", "dir", "/", "file", ".json", "[", "]", "a[b]c", "[a-d]", "!", "^", "x", "sub", "ü", "\\"];
    let pattern: String = (0..1 + random.below(6)).map(|_| *random.pick(&parts)).collect();
    for entry in roles(signed)?.iter_mut().filter(|entry| entry.is_object()) {
        entry.as_object_mut()?.remove("path_hash_prefixes");
        entry["paths"] = json!([pattern]);
    }
    Some(pattern)
}

fn prefixes(signed: &mut Value, random: &mut Random) -> Option<String> {
    let entry = entry(signed, random)?;
    entry.as_object_mut()?.remove("paths");
    let (detail, value) = match random.below(7) {
        0 => ("empty list", json!([])),
        1 => ("all", json!([""])),
        2 => ("upper case", json!("ABCDEF".chars().map(String::from).collect::<Vec<_>>())),
        3 => ("all digits", json!("0123456789abcdef".chars().map(String::from).collect::<Vec<_>>())),
        4 => ("not hex", json!(["xyz"])),
        5 => ("number", json!([0])),
        _ => ("text", json!("0")),
    };
    entry["path_hash_prefixes"] = value;
    Some(detail.to_owned())
}

fn reversed(signed: &mut Value, _: &mut Random) -> Option<String> {
    roles(signed)?.reverse();
    Some(String::new())
}

fn more_fields(signed: &mut Value, random: &mut Random) -> Option<String> {
    entry(signed, random)?["x-note"] = json!({"ü": null});
    signed["delegations"]["x-note"] = json!([]);
    Some(String::new())
}

fn shape(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (detail, value) = match random.below(6) {
        0 => ("null", Value::Null),
        1 => ("empty", json!({})),
        2 => ("no roles", json!({"keys": {}})),
        3 => ("no keys", json!({"roles": []})),
        4 => ("nobody", json!({"keys": {}, "roles": []})),
        _ => ("list", json!([])),
    };
    signed["delegations"] = value;
    Some(detail.to_owned())
}
