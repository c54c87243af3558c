//! An honest repository, by lot: keys and thresholds, a chain of roots, delegations, what is listed, and where the target is.

use std::collections::BTreeMap;

use manifests::time::UtcTime;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::NOW;
use super::model::{Listing, Model, Role, TOP_LEVEL, add_keys, role_keys};
use crate::random::Random;

/// Target paths, from plain to odd.
const PATHS: [&str; 6] = ["a", "dir/file.json", "windows/client/x86_64/stable.json", "ünï/ça va.txt", "dir/sub/x*y", "dir/a[b]c"];
/// Role names, from plain to odd.
const NAMES: [&str; 8] = ["windows", "linux", "b/c", "ünï 🚉", "A", "..", "1.root", "x%2Fy"];
const DAY: i64 = 86_400;

/// A model and the target that a client will ask it for.
pub(super) fn model(random: &mut Random) -> (Model, String) {
    let mut model = Model {
        roots: Vec::new(),
        roles: BTreeMap::new(),
        listing: Listing { length: random.percent(70), sha256: random.percent(70), sha512: random.percent(20) },
        contents: Vec::new(),
        unlisted: Vec::new(),
        next_key: random.below(super::keys::COUNT),
    };
    first_root(&mut model, random);
    // Room to go back to.
    let version = |random: &mut Random| 3 + random.below(5);
    for (role, days) in [("timestamp", 7), ("snapshot", 30)] {
        let content = json!({"meta": {}});
        model.roles.get_mut(role).expect("made with the root").signed = with_header(role, content, version(random), days);
    }
    let content = json!({"targets": {}});
    model.roles.get_mut("targets").expect("made with the root").signed = with_header("targets", content, version(random), 365);
    let target = (*random.pick(&PATHS)).to_owned();
    for _ in 0..*random.pick(&[0, 0, 1, 2, 3, 5]) {
        delegate(&mut model, &target, random);
    }
    let lists = model.targets_roles();
    // Sometimes in two roles, so that order matters; sometimes in none.
    for role in (0..*random.pick(&[1, 1, 1, 1, 2, 0])).map(|_| random.pick(&lists).clone()).collect::<Vec<_>>() {
        list(&mut model, &role, &target, format!("{target} by {role}").into_bytes(), random);
    }
    let other = lists.last().expect("there is always `targets`").clone();
    list(&mut model, &other, "other/file", b"something else".to_vec(), random);
    for _ in 0..*random.pick(&[0, 0, 0, 1, 2]) {
        model.rotate(random.pick::<&str>(&TOP_LEVEL), random);
    }
    (model, target)
}

/// Lists `content` as the target `path` in `role`. With consistent snapshots two contents of one path can be served at once.
pub(super) fn list(model: &mut Model, role: &str, path: &str, content: Vec<u8>, random: &mut Random) {
    let (sha256, sha512) = (hex::encode(Sha256::digest(&content)), hex::encode(sha2::Sha512::digest(&content)));
    let hashes = match random.below(8) {
        0 => json!({"sha512": sha512}),
        1 => json!({"sha256": sha256, "sha512": sha512}),
        _ => json!({"sha256": sha256}),
    };
    let role = &mut model.roles.get_mut(role).expect("a role of the model").signed;
    role["targets"][path] = json!({"length": content.len(), "hashes": hashes});
    model.contents.push((path.to_owned(), content));
}

fn first_root(model: &mut Model, random: &mut Random) {
    let mut content = json!({"consistent_snapshot": random.percent(85), "keys": {}, "roles": {}});
    if random.percent(5) {
        content.as_object_mut().expect("just made").remove("consistent_snapshot");
    }
    let mut root_signers = Vec::new();
    for role in TOP_LEVEL {
        let count = *random.pick(&[1, 1, 1, 2, 3]);
        let numbers: Vec<usize> = (0..count).map(|_| model.new_key()).collect();
        content["roles"][role] = role_keys(&numbers, 1 + random.below(count));
        add_keys(&mut content["keys"], &numbers);
        match role {
            "root" => root_signers = numbers,
            _ => drop(model.roles.insert(role.to_owned(), Role { signed: Value::Null, signers: numbers })),
        }
    }
    model.roots.push(Role { signed: with_header("root", content, 1, 365), signers: root_signers });
}

/// Lets a role by lot delegate to a new role, or to one that exists already: cycles and diamonds come of that.
fn delegate(model: &mut Model, target: &str, random: &mut Random) {
    let by = random.pick(&model.targets_roles()).clone();
    let name = (*random.pick(&NAMES)).to_owned();
    let delegations = &model.roles[&by].signed["delegations"];
    if delegations["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| role["name"] == json!(name))) {
        return;
    }
    let is_new = !model.roles.contains_key(&name);
    let numbers = match is_new {
        true => (0..*random.pick(&[1, 1, 2])).map(|_| model.new_key()).collect(),
        // The same keys, so that its one file satisfies both who delegate to it.
        false => model.roles[&name].signers.clone(),
    };
    let mut entry = role_keys(&numbers, 1 + random.below(numbers.len()));
    entry["name"] = json!(name);
    entry["terminating"] = json!(random.percent(30));
    match random.below(5) {
        0 => entry["path_hash_prefixes"] = json!(hash_prefixes(target, random)),
        _ => entry["paths"] = json!([pattern(target, random), "other/*"]),
    }
    let delegations = &mut model.roles.get_mut(&by).expect("just drawn").signed["delegations"];
    if delegations.is_null() {
        *delegations = json!({"keys": {}, "roles": []});
    }
    add_keys(&mut delegations["keys"], &numbers);
    delegations["roles"].as_array_mut().expect("just made").push(entry);
    if is_new {
        let signed = with_header("targets", json!({"targets": {}}), 1 + random.below(5), 90);
        model.roles.insert(name, Role { signed, signers: numbers });
    }
}

/// Lets `by` delegate `path` to a new role `name` with these keys, before all others.
pub(super) fn delegate_to(model: &mut Model, by: &str, name: &str, numbers: &[usize], path: &str) {
    let mut entry = role_keys(numbers, 1);
    entry["name"] = json!(name);
    entry["terminating"] = json!(false);
    entry["paths"] = json!([path.replace(['[', ']'], "?")]);
    let delegations = &mut model.roles.get_mut(by).expect("a role of the model").signed["delegations"];
    if delegations.is_null() {
        *delegations = json!({"keys": {}, "roles": []});
    }
    add_keys(&mut delegations["keys"], numbers);
    let roles = delegations["roles"].as_array_mut().expect("an honest list");
    roles.retain(|role| role["name"] != json!(name));
    roles.insert(0, entry);
    let signed = with_header("targets", json!({"targets": {}}), 1, 90);
    model.roles.insert(name.to_owned(), Role { signed, signers: numbers.to_vec() });
}

fn hash_prefixes(target: &str, random: &mut Random) -> Vec<String> {
    let hash = hex::encode(Sha256::digest(target));
    let matching = hash[..*random.pick(&[1, 2, 8, 64])].to_owned();
    let other = format!("{:02x}", random.below(256));
    if random.percent(85) { vec![other, matching] } else { vec![other] }
}

/// A pattern that mostly covers `target`.
fn pattern(target: &str, random: &mut Random) -> String {
    if random.percent(10) {
        return (*random.pick(&["nothing/*", "*/*/*/*/*", "", "DIR/*", "dir/", "/a"])).to_owned();
    }
    let segment = |text: &str, random: &mut Random| {
        let first = text.chars().next().map(String::from).unwrap_or_default();
        let last = text.chars().last().map(String::from).unwrap_or_default();
        match random.below(6) {
            0 => "*".to_owned(),
            1 => format!("{first}*"),
            2 => format!("*{last}"),
            3 => text.chars().map(|_| '?').collect(),
            4 => format!("*{text}*"),
            // Brackets mean something to those who know the shell's character classes; honest patterns have none.
            _ => text.replace(['[', ']'], "?"),
        }
    };
    // What is taken from the target is free of brackets, too.
    target.split('/').map(|text| segment(&text.replace(['[', ']'], "?"), random)).collect::<Vec<_>>().join("/")
}

fn with_header(kind: &str, mut content: Value, version: usize, days: i64) -> Value {
    content["_type"] = json!(kind);
    content["spec_version"] = json!("1.0.34");
    content["version"] = json!(version);
    content["expires"] = json!(UtcTime::from_unix(NOW + days * DAY));
    content
}
