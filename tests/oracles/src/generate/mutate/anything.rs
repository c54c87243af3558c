//! Any value anywhere in a signed file becomes something else (attack B8): what nobody thought of.

use serde_json::{Value, json};

use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "value of another type", on: On::Any, apply: Apply::Content(replaced) },
    Mutation { name: "field missing", on: On::Any, apply: Apply::Content(removed) },
];

fn replaced(signed: &mut Value, random: &mut Random) -> Option<String> {
    let mut all = Vec::new();
    pointers(signed, "", &mut all);
    let pointer = random.pick(&all).clone();
    let value = random
        .pick(&[Value::Null, json!(true), json!(0), json!(-1), json!(""), json!("x"), json!([]), json!({}), json!([null]), json!({"": 1})])
        .clone();
    let place = signed.pointer_mut(&pointer)?;
    if *place == value {
        return None;
    }
    let detail = format!("{pointer} = {value}");
    *place = value;
    Some(detail)
}

fn removed(signed: &mut Value, random: &mut Random) -> Option<String> {
    let mut all = Vec::new();
    pointers(signed, "", &mut all);
    let pointer = random.pick(&all).clone();
    let (parent, key) = pointer.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    match signed.pointer_mut(parent)? {
        Value::Object(map) => drop(map.remove(&key)?),
        Value::Array(list) => drop(list.remove(key.parse().ok()?)),
        _ => return None,
    }
    Some(pointer)
}

/// JSON pointers to everything in `value`.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let at = format!("{at}/{key}");
        all.push(at.clone());
        pointers(child, &at, all);
    }
}
