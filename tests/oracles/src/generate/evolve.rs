//! What happens to a repository between two visits, honest or not; everything is signed by those who hold the keys.

use manifests::time::UtcTime;
use serde_json::json;

use super::honest;
use super::model::{Model, TOP_LEVEL, add_keys};
use crate::random::Random;

/// Something that happens, and what exactly.
pub(super) struct Evolution {
    pub(super) name: &'static str,
    pub(super) apply: fn(&mut Model, &mut i64, &mut Random) -> String,
}

/// One by lot.
pub(super) fn draw(random: &mut Random) -> &'static Evolution {
    random.pick(EVOLUTIONS)
}

/// Everything that can happen.
pub(super) const EVOLUTIONS: &[Evolution] = &[
    Evolution { name: "nothing happens", apply: |_, _, _| String::new() },
    Evolution { name: "time passes", apply: time_passes },
    Evolution { name: "release", apply: |model, _, random| release(model, random) },
    Evolution { name: "release and time passes", apply: |model, now, random| release(model, random) + &time_passes(model, now, random) },
    Evolution { name: "everything renewed later", apply: renewed },
    Evolution {
        name: "timestamp anew",
        apply: |model, _, _| {
            model.bump("timestamp", 1);
            String::new()
        },
    },
    Evolution {
        name: "timestamp rolled back",
        apply: |model, _, random| {
            model.bump("timestamp", -1 - random.below(2) as i64);
            String::new()
        },
    },
    Evolution {
        name: "snapshot rolled back",
        apply: |model, _, random| {
            model.bump("snapshot", -1 - random.below(2) as i64);
            model.bump("timestamp", 1);
            String::new()
        },
    },
    Evolution {
        name: "targets role rolled back",
        apply: |model, _, random| {
            let role = random.pick(&model.targets_roles()).clone();
            model.bump(&role, -1);
            model.online_anew();
            role
        },
    },
    Evolution {
        name: "role no longer listed",
        apply: |model, _, random| {
            let role = random.pick(&model.targets_roles()).clone();
            model.unlisted.push(role.clone());
            model.online_anew();
            role
        },
    },
    Evolution {
        name: "another timestamp of the same version",
        apply: |model, _, random| {
            let detail = release(model, random);
            model.bump("timestamp", -1);
            detail
        },
    },
    Evolution {
        name: "another snapshot of the same version",
        apply: |model, _, random| {
            let detail = release(model, random);
            model.bump("snapshot", -1);
            detail
        },
    },
    Evolution {
        name: "another targets role of the same version",
        apply: |model, _, random| {
            let role = release(model, random);
            model.bump(&role, -1);
            role
        },
    },
    Evolution {
        name: "versions driven up",
        apply: |model, _, random| {
            let by = *random.pick(&[1_000, 1 << 40, (1 << 53) - 20]);
            model.bump("timestamp", by);
            model.bump("snapshot", by);
            by.to_string()
        },
    },
    Evolution { name: "keys rotated", apply: |model, _, random| rotated(model, random, Model::online_anew) },
    Evolution {
        name: "keys rotated, online versions lowered",
        apply: |model, _, random| {
            rotated(model, random, |model| {
                model.bump("timestamp", -2);
                model.bump("snapshot", -1);
            })
        },
    },
    Evolution {
        name: "key added, online versions lowered",
        apply: |model, _, random| {
            let role = *random.pick(&["timestamp", "snapshot"]);
            let new = model.new_key();
            model.next_root(|signed, _| {
                signed["roles"][role]["keyids"].as_array_mut().expect("a list").push(json!(super::keys::id(new)));
                add_keys(&mut signed["keys"], &[new]);
            });
            model.bump("timestamp", -2);
            model.bump("snapshot", -1);
            role.to_owned()
        },
    },
    Evolution {
        name: "root signed by its predecessor alone",
        apply: |model, _, random| {
            model.rotate("root", random);
            let old = model.roots[model.roots.len() - 2].signed["roles"]["root"]["keyids"].clone();
            let signers = &mut model.roots.last_mut().expect("just made").signers;
            signers.retain(|key| old.as_array().is_some_and(|ids| ids.contains(&json!(super::keys::id(*key)))));
            model.online_anew();
            String::new()
        },
    },
    Evolution {
        name: "root signed by itself alone",
        apply: |model, _, random| {
            model.rotate("root", random);
            let new = model.root().signed["roles"]["root"]["keyids"].clone();
            let signers = &mut model.roots.last_mut().expect("just made").signers;
            signers.retain(|key| new.as_array().is_some_and(|ids| ids.contains(&json!(super::keys::id(*key)))));
            model.online_anew();
            String::new()
        },
    },
    Evolution {
        name: "root skips a version",
        apply: |model, _, _| {
            model.next_root(|signed, _| signed["version"] = json!(signed["version"].as_u64().unwrap_or(1) + 1));
            String::new()
        },
    },
    Evolution {
        name: "root repeats its version",
        apply: |model, _, _| {
            model.next_root(|signed, _| signed["version"] = json!(signed["version"].as_u64().unwrap_or(2) - 1));
            String::new()
        },
    },
    Evolution {
        name: "root expired, then renewed",
        apply: |model, now, _| {
            let fresh = model.root().signed["expires"].clone();
            let past = json!(UtcTime::from_unix(*now).plus_days(-1));
            model.next_root(|signed, _| signed["expires"] = past);
            model.next_root(|signed, _| signed["expires"] = fresh);
            model.online_anew();
            String::new()
        },
    },
    Evolution {
        name: "root expired",
        apply: |model, now, _| {
            let past = json!(UtcTime::from_unix(*now).plus_days(-1));
            model.next_root(|signed, _| signed["expires"] = past);
            String::new()
        },
    },
    Evolution { name: "chain of delegations", apply: |model, _, random| chain(model, random) },
    Evolution {
        name: "consistent snapshots switched",
        apply: |model, _, _| {
            let switched = !model.consistent();
            model.next_root(|signed, _| signed["consistent_snapshot"] = json!(switched));
            model.online_anew();
            String::new()
        },
    },
];

fn time_passes(_: &mut Model, now: &mut i64, random: &mut Random) -> String {
    let days = *random.pick(&[1, 6, 7, 8, 29, 31, 100, 400]);
    *now += days * 86_400;
    format!("{days} days")
}

/// A new content of some target in some role, and all versions up.
fn release(model: &mut Model, random: &mut Random) -> String {
    let role = random.pick(&model.targets_roles()).clone();
    let signed = &model.roles[&role].signed;
    let paths: Vec<String> = signed["targets"].as_object().map(|targets| targets.keys().cloned().collect()).unwrap_or_default();
    if let Some(path) = paths.first() {
        let content = format!("{path} by {role}, {}", signed["version"]).into_bytes();
        honest::list(model, &role, path, content, random);
    }
    model.bump(&role, 1);
    model.online_anew();
    role
}

fn renewed(model: &mut Model, now: &mut i64, random: &mut Random) -> String {
    let detail = time_passes(model, now, random);
    let later = json!(UtcTime::from_unix(*now).plus_days(30));
    model.next_root(|signed, _| signed["expires"] = later.clone());
    for role in model.roles.keys().cloned().collect::<Vec<_>>() {
        model.roles.get_mut(&role).expect("a role of the model").signed["expires"] = later.clone();
        model.bump(&role, 1);
    }
    detail
}

/// A row of roles, each of which delegates to the next; the last lists a file. About as many as a client follows.
fn chain(model: &mut Model, random: &mut Random) -> String {
    let length = *random.pick(&[3, 30, 31, 32, 33]);
    let key = model.new_key();
    let mut by = "targets".to_owned();
    let paths: Vec<String> = model.contents.iter().map(|(path, _)| path.clone()).collect();
    let path = paths.first().cloned().unwrap_or_else(|| "other/file".to_owned());
    for number in 0..length {
        let name = format!("chain-{number}");
        honest::delegate_to(model, &by, &name, &[key], &path);
        by = name;
    }
    honest::list(model, &by, &path, format!("{path} at the end of a chain").into_bytes(), random);
    // Nobody above lists it, or it would be found there.
    for role in model.targets_roles() {
        let targets = model.roles.get_mut(&role).and_then(|role| role.signed["targets"].as_object_mut());
        if let Some(targets) = targets.filter(|_| role != by) {
            targets.remove(&path);
        }
        if !role.starts_with("chain-") {
            model.bump(&role, 1);
        }
    }
    model.online_anew();
    length.to_string()
}

/// New keys for one or two top-level roles, then `after`.
fn rotated(model: &mut Model, random: &mut Random, after: fn(&mut Model)) -> String {
    let roles: Vec<&str> = (0..1 + random.below(2)).map(|_| *random.pick(&TOP_LEVEL)).collect();
    for role in &roles {
        model.rotate(role, random);
    }
    if roles.contains(&"targets") {
        model.bump("targets", 1);
    }
    after(model);
    roles.join(" and ")
}
