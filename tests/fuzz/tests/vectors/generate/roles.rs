//! Signed roles, and each way in which one can be wrong.

use fuzz::samples::{self, Chain, Hand};
use serde_json::{Value, json};

use super::{Add, with};

/// The signed roles; keys from fixed seeds, real signatures.
pub(super) fn roles(add: Add<'_>) {
    let mut files = Chain::sample().signed(Hand::Ed25519);
    let names = ["first-root", "root-next", "timestamp-sample", "snapshot-sample", "targets-sample", "windows-sample"];
    for (index, name) in names.into_iter().enumerate() {
        add(&format!("good-{name}.json"), "signed by its keys, listed by its parent", files.part(index).clone());
    }
    let old: &[&str] = &["root-1", "root-2"];
    let both: &[&str] = &["root-2", "root-3", "root-4"];
    // Index of the part, name, why, the edit, who signs.
    type Edit = fn(&mut Value);
    let wrong: &[(usize, &str, &'static str, Edit, &[&str])] = &[
        (0, "first-root-threshold-zero", "signed by nobody (A13)", |root| root["roles"]["root"]["threshold"] = json!(0), old),
        (0, "first-root-one-signature-short", "one of two keys (A12)", |_| {}, &["root-1"]),
        (0, "first-root-stranger", "signed by a key that it does not name (A12)", |_| {}, &["root-1", "root-4"]),
        (
            0,
            "first-root-key-id-twice",
            "one key, counted twice (A14)",
            |root| {
                let first = root["roles"]["root"]["keyids"][0].clone();
                root["roles"]["root"]["keyids"][1] = first;
            },
            old,
        ),
        (
            0,
            "first-root-foreign-key-id",
            "a key under the id of another (A14)",
            |root| {
                let (one, other) = (samples::key_id("root-1"), samples::key_id("root-2"));
                let key = root["keys"][&other].clone();
                root["keys"][&one] = key;
            },
            old,
        ),
        (0, "first-root-specification-2", "rules that we do not know (A25)", |root| root["spec_version"] = json!("2.0.0"), old),
        (0, "first-root-version-zero", "versions begin at 1", |root| root["version"] = json!(0), old),
        (
            0,
            "first-root-without-a-role",
            "nobody may sign timestamps",
            |root| drop(root["roles"].as_object_mut().map(|roles| roles.remove("timestamp"))),
            old,
        ),
        (1, "root-skips-a-version", "a root between is missing (A9)", |root| root["version"] = json!(3), both),
        (1, "root-same-version", "a root is followed by the next (A9)", |root| root["version"] = json!(1), both),
        (1, "root-not-signed-by-the-old-keys", "whoever has the new keys alone (A10)", |_| {}, &["root-4", "root-3"]),
        (1, "root-not-signed-by-the-new-keys", "keys that nobody has (A10)", |_| {}, old),
        (1, "root-expired", "older than its time (A5)", |root| root["expires"] = json!("2026-11-21T10:00:00Z"), both),
        (
            1,
            "root-expires-in-another-zone",
            "one spelling of an instant (B9)",
            |root| root["expires"] = json!("2027-11-21T10:00:00+00:00"),
            both,
        ),
        (
            2,
            "timestamp-expired",
            "at its expiry it has expired (A5)",
            |role| role["expires"] = json!("2026-11-21T10:00:00Z"),
            &["timestamp"],
        ),
        (2, "timestamp-signed-by-snapshot", "a key of another role (A12)", |_| {}, &["snapshot"]),
        (
            2,
            "timestamp-of-another-type",
            "a file of one role as that of another (A17)",
            |role| role["_type"] = json!("snapshot"),
            &["timestamp"],
        ),
        (2, "timestamp-without-snapshot", "it is there to name the snapshot", |role| role["meta"] = json!({}), &["timestamp"]),
        (2, "timestamp-unsigned", "no signature at all", |_| {}, &[]),
        (3, "snapshot-older-than-listed", "mixed with an old one (A3)", |role| role["version"] = json!(4), &["snapshot"]),
        (
            3,
            "snapshot-version-zero-inside",
            "versions begin at 1",
            |role| role["meta"]["windows.json"]["version"] = json!(0),
            &["snapshot"],
        ),
        (3, "snapshot-expired", "frozen (A5)", |role| role["expires"] = json!("2026-01-01T00:00:00Z"), &["snapshot"]),
        (
            4,
            "targets-delegates-to-root",
            "a delegation with the name of a top-level role (A18)",
            |role| role["delegations"]["roles"][0]["name"] = json!("root"),
            &["targets"],
        ),
        (
            4,
            "targets-delegates-twice",
            "two delegations of one name (A18)",
            |role| {
                let first = role["delegations"]["roles"][0].clone();
                role["delegations"]["roles"] = json!([first, first]);
            },
            &["targets"],
        ),
        (
            4,
            "targets-paths-and-prefixes",
            "a delegation is by patterns or by prefixes (W24)",
            |role| role["delegations"]["roles"][0]["path_hash_prefixes"] = json!(["00"]),
            &["targets"],
        ),
        (
            4,
            "targets-unknown-hash-alone",
            "nothing to check a file by (A23)",
            |role| role["targets"]["policy.json"]["hashes"] = json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"}),
            &["targets"],
        ),
        (4, "targets-negative-length", "no length", |role| role["targets"]["policy.json"]["length"] = json!(-1), &["targets"]),
        (5, "windows-signed-by-targets", "the delegator is not the delegated (A12)", |_| {}, &["targets"]),
        (5, "windows-expired", "frozen (A5)", |role| role["expires"] = json!("2026-11-21T09:59:59Z"), &["windows"]),
        (5, "windows-later-than-listed", "the snapshot lists version 4 (W17)", |role| role["version"] = json!(5), &["windows"]),
    ];
    for (part, name, why, edit, holders) in wrong {
        let mut content = Chain::sample().part(*part).clone();
        edit(&mut content);
        add(&format!("bad-{name}.json"), why, samples::sign(&content, holders, Hand::Ed25519));
    }
    let timestamp = String::from_utf8(files.timestamp.clone()).expect("UTF-8");
    let signature = timestamp.split("\"sig\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a signature");
    add("bad-timestamp-signature-in-capitals.json", "one spelling of a signature", with(&timestamp, signature, &signature.to_uppercase()));
    add("bad-timestamp-changed.json", "other content than was signed", with(&timestamp, "\"version\":7", "\"version\":8"));
    let entry = format!("{{\"keyid\":\"{}\",\"sig\":\"{signature}\"}}", samples::key_id("timestamp"));
    add("bad-timestamp-signature-twice.json", "one signature, counted twice (A14)", with(&timestamp, &entry, &format!("{entry},{entry}")));
    add(
        "bad-timestamp-same-key-twice.json",
        "two readers may take different ones (B3)",
        with(&timestamp, "\"version\":7", "\"version\":7,\"version\":99"),
    );
    let mut unknown = Chain::sample().timestamp;
    unknown["later"] = json!({"é": [null, true, "\u{1}"]});
    add(
        "good-timestamp-unknown-field.json",
        "fields that nobody knows are kept under the signature (W26)",
        samples::sign(&unknown, &["timestamp"], Hand::Ed25519),
    );
}
