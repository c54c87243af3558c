//! Type, versions and expiry.

use manifests::time::UtcTime;
use serde_json::{Value, json};

use super::super::{NOW, raw};
use super::{Apply, Mutation, On};
use crate::random::Random;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation { name: "version", on: On::Any, apply: Apply::Content(version) },
    Mutation { name: "version that is no number", on: On::Any, apply: Apply::Content(odd_version) },
    Mutation { name: "expiry", on: On::Any, apply: Apply::Content(expiry) },
    Mutation { name: "spelling of the expiry", on: On::Any, apply: Apply::Content(spelling) },
    Mutation { name: "spec_version", on: On::Any, apply: Apply::Content(spec_version) },
    Mutation { name: "type", on: On::Any, apply: Apply::Content(kind) },
];

/// Another version than the one that is listed or expected.
fn version(signed: &mut Value, random: &mut Random) -> Option<String> {
    let now = signed["version"].as_i64()?;
    let versions = [json!(now + 1), json!(now - 1), json!(0), json!(-1), json!(1u64 << 53), json!(i64::MAX), json!(u64::MAX)];
    signed["version"] = random.pick(&versions).clone();
    Some(signed["version"].to_string())
}

fn odd_version(signed: &mut Value, random: &mut Random) -> Option<String> {
    let now = signed["version"].as_i64()?;
    let (detail, version) = match random.below(7) {
        0 => ("text", json!(now.to_string())),
        1 => ("fraction", raw::value(&format!("{now}.0"), &format!("{now}.0"))),
        2 => ("exponent", raw::value(&format!("{now}e0"), &format!("{now}.0"))),
        3 => ("true", json!(true)),
        4 => ("beyond 64 bits", raw::value("18446744073709551616", "18446744073709551616")),
        5 => ("list", json!([now])),
        _ => ("null", Value::Null),
    };
    signed["version"] = version;
    Some(detail.to_owned())
}

fn expiry(signed: &mut Value, random: &mut Random) -> Option<String> {
    let (detail, seconds) = *random.pick(&[("now", 0), ("a second ago", -1), ("in a second", 1), ("last year", -365 * 86_400)]);
    signed["expires"] = json!(UtcTime::from_unix(NOW + seconds));
    Some(detail.to_owned())
}

/// Instants far in the future, in every spelling but the one.
fn spelling(signed: &mut Value, random: &mut Random) -> Option<String> {
    let text = *random.pick(&[
        "2099-01-02T03:04:05",
        "2099-01-02T03:04:05.5Z",
        "2099-01-02T03:04:05+00:00",
        "2099-01-02T03:04:05-03:00",
        "2099-01-02t03:04:05z",
        "2099-01-02 03:04:05Z",
        "2099-1-2T3:4:5Z",
        "2099-01-02T03:04Z",
        "2099-01-02",
        "2099-06-30T23:59:60Z",
        "2099-02-29T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        " 2099-01-02T03:04:05Z",
        "20990102T030405Z",
        "never",
        "",
    ]);
    signed["expires"] = json!(text);
    Some(text.to_owned())
}

fn spec_version(signed: &mut Value, random: &mut Random) -> Option<String> {
    let text = *random.pick(&[
        "1.0",
        "1.0.0",
        "1.1.0",
        "1.0.99",
        "1.99.0",
        "2.0.0",
        "0.9.0",
        "1",
        "1.0.0.0",
        "1.0.0-rc1",
        "1.0.0+build",
        "01.0.0",
        "1.x",
        "1.",
        "one",
        "",
        " 1.0.0",
        "1.٣.0",
    ]);
    signed["spec_version"] = json!(text);
    Some(text.to_owned())
}

fn kind(signed: &mut Value, random: &mut Random) -> Option<String> {
    let kind = *random.pick(&["root", "timestamp", "snapshot", "targets", "Targets", "mirrors", ""]);
    if signed["_type"] == json!(kind) {
        return None;
    }
    signed["_type"] = json!(kind);
    Some(kind.to_owned())
}
