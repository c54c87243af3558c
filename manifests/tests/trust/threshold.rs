//! Counting signatures and reading what they cover: W5, W21, W26; A13–A15, A17, A25.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use manifests::key::{Ed25519Verifier, Key, Verifier};
use manifests::limits::Limits;
use manifests::role::RoleError;
use manifests::signer::Signer as _;
use manifests::trust::{Origin, TrustError, Updated};
use serde_json::{Value, json};

use crate::refused;
use crate::repository::{Repository, delegated, delegations, edit_file, key_id, sign, sign_edited, signer};
use crate::station::{find, first_visit, start, station, take};

/// As production, but believes key tables about the ids of keys, as the specification allows.
struct ForeignIds;

impl Verifier for ForeignIds {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        Ed25519Verifier.verify(key, message, signature)
    }

    fn accepts_foreign_key_ids(&self) -> bool {
        true
    }
}

/// Counts how often it is asked.
struct Counting(Arc<AtomicUsize>);

impl Verifier for Counting {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ed25519Verifier.verify(key, message, signature)
    }
}

/// What the timestamp needs is `threshold` of the keys `a`, `b` and `c`.
fn with_threshold(threshold: u64) -> Repository {
    let mut repository = Repository::new();
    repository.set_keys("timestamp", &["a", "b", "c"], threshold);
    repository
}

fn timestamp_signed_by(names: &[&str], threshold: u64) -> Result<Updated, TrustError> {
    let mut repository = with_threshold(threshold);
    let files = repository.files();
    station(&files.root).update_timestamp(&sign(&repository.timestamp, names), Origin::Source)
}

#[test]
fn w5_any_threshold_of_keys_will_do_and_one_less_will_not() {
    for names in [&["a", "b"][..], &["c", "a"], &["b", "c"], &["a", "b", "c"], &["stranger", "a", "b"]] {
        assert!(timestamp_signed_by(names, 2).is_ok(), "{names:?}");
    }
    for (names, valid) in [(&[][..], 0), (&["a"], 1), (&["a", "stranger"], 1), (&["root", "snapshot", "targets"], 0)] {
        refused!(timestamp_signed_by(names, 2), TrustError::Role(RoleError::Unsigned { valid: found, threshold: 2, .. }) if found == valid);
    }
}

#[test]
fn w5_a_signature_under_the_id_of_another_key_counts_for_neither() {
    let mut repository = with_threshold(2);
    let files = repository.files();
    let two = sign(&repository.timestamp, &["a", "stranger"]);
    let disguised = edit_file(&two, |file| file["signatures"][1]["keyid"] = json!(key_id("b")));
    refused!(station(&files.root).update_timestamp(&disguised, Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 1, .. }));
}

#[test]
fn w5_a_broken_signature_beside_enough_good_ones_does_no_harm() {
    let mut repository = with_threshold(2);
    let files = repository.files();
    let three = sign(&repository.timestamp, &["a", "b", "c"]);
    for broken in ["", "00", "zz", "é"] {
        let file = edit_file(&three, |file| file["signatures"][0]["sig"] = json!(broken));
        station(&files.root).update_timestamp(&file, Origin::Source).expect("b and c signed");
    }
}

#[test]
fn a13_a_threshold_that_is_no_positive_integer_is_refused_in_root_and_in_delegations() {
    for threshold in [json!(0), json!(-1), json!("1"), json!(null), json!([1]), json!(true), json!({})] {
        let mut repository = Repository::new();
        for role in ["root", "timestamp", "snapshot", "targets"] {
            let root = sign_edited(&repository.root, &["root"], |root| root["roles"][role]["threshold"] = threshold.clone());
            refused!(start(&root, Ed25519Verifier, Limits::default()).map(drop), TrustError::Role(RoleError::Malformed { .. }));
        }
        let file = sign_edited(&repository.targets, &["targets"], |targets| {
            targets["delegations"]["roles"][0]["threshold"] = threshold.clone();
        });
        refused!(take_targets(&mut repository, file), TrustError::Role(RoleError::Malformed { .. }));
    }
}

#[test]
fn a13_a_fractional_threshold_is_no_json_of_ours() {
    let root = Repository::new().files().root;
    for fraction in ["1.0", "0.5", "1e0", "-0"] {
        let text = String::from_utf8(root.clone()).expect("UTF-8").replacen("\"threshold\":1", &format!("\"threshold\":{fraction}"), 1);
        refused!(start(text.as_bytes(), Ed25519Verifier, Limits::default()).map(drop), TrustError::Envelope { .. });
    }
}

#[test]
fn a13_a_delegation_whose_threshold_is_above_its_keys_is_never_signed_but_the_others_are() {
    let mut repository = Repository::new();
    let file = sign_edited(&repository.targets, &["targets"], |targets| targets["delegations"]["roles"][0]["threshold"] = json!(2));
    repository.replaced.insert("targets".into(), file);
    let files = repository.files();
    refused!(
        find(&files, crate::repository::WINDOWS),
        TrustError::Role(RoleError::Unsigned { role, valid: 1, threshold: 2 }) if role == "windows"
    );
    assert_eq!(find(&files, crate::repository::LINUX).expect("another role").role(), Some("linux"));
}

#[test]
fn a13_a_role_whose_threshold_is_above_its_keys_is_never_signed_but_the_others_are() {
    let mut repository = Repository::new();
    repository.root.roles.targets.threshold = crate::repository::version(2);
    let files = repository.files();
    let mut set = station(&files.root);
    refused!(take(&mut set, &files), TrustError::Role(RoleError::Unsigned { valid: 1, threshold: 2, .. }));
    assert!(set.snapshot().is_some());
    assert!(set.targets().is_none());
}

/// Takes `file` as the top-level targets of `repository`.
fn take_targets(repository: &mut Repository, file: Vec<u8>) -> Result<(), TrustError> {
    repository.replaced.insert("targets".into(), file);
    first_visit(&repository.files()).map(drop)
}

#[test]
fn a14_a_key_id_that_stands_twice_in_a_role_is_refused() {
    let mut repository = Repository::new();
    let twice = json!([key_id("timestamp"), key_id("timestamp")]);
    let root = sign_edited(&repository.root, &["root"], |root| root["roles"]["timestamp"]["keyids"] = twice);
    refused!(start(&root, Ed25519Verifier, Limits::default()).map(drop), TrustError::Role(RoleError::Malformed { .. }));
    let twice = json!([key_id("windows"), key_id("windows")]);
    let file = sign_edited(&repository.targets, &["targets"], |targets| targets["delegations"]["roles"][0]["keyids"] = twice);
    refused!(take_targets(&mut repository, file), TrustError::Role(RoleError::Malformed { .. }));
}

#[test]
fn a14_a_signature_that_stands_twice_is_refused_for_every_role() {
    let repeat = |file: &[u8]| {
        edit_file(file, |file| {
            let first = file["signatures"][0].clone();
            file["signatures"].as_array_mut().expect("an array").push(first);
        })
    };
    let mut repository = with_threshold(2);
    let files = repository.files();
    let one = sign(&repository.timestamp, &["a"]);
    refused!(station(&files.root).update_timestamp(&repeat(&one), Origin::Source), TrustError::Role(RoleError::RepeatedSignature { .. }));
    refused!(
        start(&repeat(&files.root), Ed25519Verifier, Limits::default()).map(drop),
        TrustError::Role(RoleError::RepeatedSignature { .. })
    );

    // The copy that tough forgot: delegated roles.
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let mut files = repository.files();
    files.delegated.insert("windows".into(), repeat(&files.delegated["windows"]));
    refused!(find(&files, crate::repository::WINDOWS), TrustError::Role(RoleError::RepeatedSignature { .. }));
}

#[test]
fn a14_the_same_key_under_two_ids_counts_once() {
    let mut repository = Repository::new();
    let mut root = serde_json::to_value(&repository.root).expect("JSON");
    root["keys"]["alias"] = json!(signer("timestamp").key());
    root["roles"]["timestamp"] = json!({ "keyids": [key_id("timestamp"), "alias"], "threshold": 2 });
    let root = sign(&root, &["root"]);
    let timestamp = edit_file(&repository.files().timestamp, |file| {
        let again = json!({ "keyid": "alias", "sig": file["signatures"][0]["sig"] });
        file["signatures"].as_array_mut().expect("an array").push(again);
    });
    let mut set = start(&root, ForeignIds, Limits::default()).expect("foreign ids are allowed here");
    refused!(set.update_timestamp(&timestamp, Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 1, threshold: 2, .. }));
}

#[test]
fn a14_the_same_key_with_an_unknown_field_has_another_id_and_counts_once() {
    let mut repository = Repository::new();
    let mut twin = json!(signer("timestamp").key());
    twin["comment"] = json!("twin");
    let twin_id = serde_json::from_value::<Key>(twin.clone()).expect("a key").id();
    assert_ne!(twin_id, key_id("timestamp"));
    let root = sign_edited(&repository.root, &["root"], |root| {
        root["keys"][twin_id.as_str()] = twin;
        root["roles"]["timestamp"] = json!({ "keyids": [key_id("timestamp"), twin_id], "threshold": 2 });
    });
    let timestamp = edit_file(&repository.files().timestamp, |file| {
        let again = json!({ "keyid": twin_id, "sig": file["signatures"][0]["sig"] });
        file["signatures"].as_array_mut().expect("an array").push(again);
    });
    refused!(
        station(&root).update_timestamp(&timestamp, Origin::Source),
        TrustError::Role(RoleError::Unsigned { valid: 1, threshold: 2, .. })
    );
}

#[test]
fn a14_a_key_under_an_id_that_is_not_its_own_is_refused_in_root_and_in_delegations() {
    let mut repository = Repository::new();
    let swap = |keys: &mut Value, name: &str| keys[key_id(name).as_str()] = json!(signer("stranger").key());
    let root = sign_edited(&repository.root, &["root"], |root| swap(&mut root["keys"], "timestamp"));
    refused!(start(&root, Ed25519Verifier, Limits::default()).map(drop), TrustError::Keys { .. });
    let file = sign_edited(&repository.targets, &["targets"], |targets| swap(&mut targets["delegations"]["keys"], "windows"));
    refused!(take_targets(&mut repository, file), TrustError::Keys { .. });
}

#[test]
fn a15_too_many_signatures_are_refused_before_the_first_is_verified() {
    let mut repository = Repository::new();
    let files = repository.files();
    let asked = Arc::new(AtomicUsize::new(0));
    let mut set = start(&files.root, Counting(asked.clone()), Limits::default()).expect("a good root");
    asked.store(0, Ordering::Relaxed);
    let padded = |count: usize| {
        edit_file(&files.timestamp, |file| {
            let signatures = file["signatures"].as_array_mut().expect("an array");
            let good = signatures.remove(0);
            signatures.extend((1..count).map(|n| json!({ "keyid": format!("{n:x}"), "sig": "00" })));
            signatures.push(good);
        })
    };
    refused!(
        set.update_timestamp(&padded(65), Origin::Source),
        TrustError::Role(RoleError::TooManySignatures { count: 65, limit: 64, .. })
    );
    refused!(set.update_timestamp(&padded(100_000), Origin::Source), TrustError::Envelope { .. });
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    set.update_timestamp(&padded(64), Origin::Source).expect("64 are allowed");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "signatures by keys that the role does not name are not even looked at");
}

#[test]
fn a15_a_hundred_thousand_signatures_are_refused_by_their_number_and_none_is_verified() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    let padded = |file: &[u8], name: &str| {
        edit_file(file, |file| {
            let signatures = file["signatures"].as_array_mut().expect("an array");
            let good = signatures.clone();
            signatures.extend((1..100_000).map(|n| json!({ "keyid": format!("{n:x}"), "sig": "" })));
            // By keys that the role names, too, so that somebody would have to verify them.
            signatures.extend((0..64).map(|_| json!({ "keyid": key_id(name), "sig": good[0]["sig"] })));
        })
    };
    let targets = padded(&files.targets, "targets");
    let windows = padded(&files.delegated["windows"], "windows");
    assert!(targets.len() < 5 << 20, "short enough to be read: {} bytes", targets.len());
    let asked = Arc::new(AtomicUsize::new(0));
    let mut set = start(&files.root, Counting(asked.clone()), Limits::default()).expect("a good root");
    set.update_timestamp(&files.timestamp, Origin::Source).expect("a good timestamp");
    set.update_snapshot(&files.snapshot, Origin::Source).expect("a good snapshot");
    let before = asked.load(Ordering::Relaxed);
    refused!(set.update_targets(&targets), TrustError::Role(RoleError::TooManySignatures { count: 100_064, limit: 64, .. }));
    assert_eq!(asked.load(Ordering::Relaxed), before);
    set.update_targets(&files.targets).expect("good targets");
    let need = manifests::trust::Need { role: "windows".into(), delegator: "targets".into(), via: None };
    let before = asked.load(Ordering::Relaxed);
    refused!(set.update_delegated(&windows, &need), TrustError::Role(RoleError::TooManySignatures { count: 100_064, .. }));
    assert_eq!(asked.load(Ordering::Relaxed), before);
}

#[test]
fn a15_too_many_keys_are_refused() {
    let mut repository = Repository::new();
    let limits = Limits { keys: 4, ..Limits::default() };
    start(&repository.files().root, Ed25519Verifier, limits.clone()).expect("four keys");
    repository.set_keys("timestamp", &["fifth"], 1);
    refused!(start(&repository.files().root, Ed25519Verifier, limits).map(drop), TrustError::Keys { .. });
}

/// W21.
#[test]
fn a17_content_of_another_role_is_refused_even_when_the_right_key_signed_it() {
    let mut repository = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        repository.set_keys(role, &["one-for-all"], 1);
    }
    let files = repository.files();
    let mut set = station(&files.root);
    for other in [&files.snapshot, &files.targets, &files.root] {
        assert!(set.update_timestamp(other, Origin::Source).is_err());
    }
    for kind in ["snapshot", "Timestamp", "timestamp ", "", "root", "mirrors"] {
        let swapped = sign_edited(&repository.timestamp, &["one-for-all"], |timestamp| timestamp["_type"] = json!(kind));
        refused!(set.update_timestamp(&swapped, Origin::Source), TrustError::Role(RoleError::WrongType { .. }));
    }
    // Timestamps and snapshots have the same shape where a snapshot lists `snapshot.json`.
    let shaped = sign_edited(&repository.timestamp, &["one-for-all"], |timestamp| timestamp["_type"] = json!("snapshot"));
    refused!(set.update_timestamp(&shaped, Origin::Source), TrustError::Role(RoleError::WrongType { found, .. }) if found == "snapshot");
}

#[test]
fn a17_no_role_takes_the_file_of_another_though_one_key_signs_all_of_them() {
    let mut repository = Repository::new();
    for role in ["root", "timestamp", "snapshot", "targets"] {
        repository.set_keys(role, &["one-for-all"], 1);
    }
    repository.sign_with("windows", &["one-for-all"]);
    repository.targets.delegations = delegations(&["one-for-all"], vec![delegated("windows", &["one-for-all"], &["windows/*/*/*"])]);
    let files = repository.files();
    let file_of = |role: &str| match role {
        "root" => &files.root,
        "timestamp" => &files.timestamp,
        "snapshot" => &files.snapshot,
        "targets" => &files.targets,
        os => &files.delegated[os],
    };
    let roles = ["root", "timestamp", "snapshot", "targets", "windows"];
    for role in roles {
        for other in roles.into_iter().filter(|other| *other != role) {
            let mut swapped = repository.clone();
            swapped.replaced.insert(role.into(), file_of(other).clone());
            let swapped = swapped.files();
            let result = start(&swapped.root, Ed25519Verifier, Limits::default()).and_then(|mut set| {
                take(&mut set, &swapped)?;
                crate::station::search(&mut set, &swapped, crate::repository::WINDOWS)
            });
            match (role, other) {
                // Top-level targets and a delegated role are one type. What tells them apart is who may speak for a path: the targets role put in the place of `windows` does not list
                // its target, and `windows` put in the place of the targets lists no more than it may sign anyway.
                ("windows", "targets") => assert_eq!(result.expect("of one type").role(), None),
                ("targets", "windows") => assert_eq!(result.expect("of one type").role(), Some("targets")),
                _ => assert!(result.is_err(), "{other} in the place of {role}: {result:?}"),
            }
        }
    }
}

/// W21.
#[test]
fn a25_only_versions_1_of_the_specification_are_read() {
    let mut repository = Repository::new();
    let files = repository.files();
    let with = |spec_version: Option<Value>| {
        let file = sign_edited(&repository.timestamp, &["timestamp"], |timestamp| match spec_version {
            Some(value) => timestamp["spec_version"] = value,
            None => drop(timestamp.as_object_mut().expect("an object").remove("spec_version")),
        });
        station(&files.root).update_timestamp(&file, Origin::Source)
    };
    for good in ["1.0.34", "1.0.99", "1.0", "1.99.0", "1.0.0"] {
        assert!(with(Some(json!(good))).is_ok(), "{good}");
    }
    for bad in [
        json!("2.0.0"),
        json!("0.9"),
        json!("10.0.0"),
        json!("1"),
        json!("1."),
        json!("1.0.0.0"),
        json!("1.x"),
        json!(""),
        json!("１.0"),
        json!(1),
        json!(null),
    ] {
        refused!(with(Some(bad)), TrustError::Role(RoleError::Malformed { .. }));
    }
    refused!(with(None), TrustError::Role(RoleError::Malformed { .. }));
}

/// W26.
#[test]
fn b7_unknown_fields_are_accepted_and_kept_under_the_signature() {
    let mut repository = Repository::new();
    let files = repository.files();
    let unknown = sign_edited(&repository.timestamp, &["timestamp"], |timestamp| {
        timestamp["x-unknown"] = json!({ "deep": [1, null, "é\n\"\\"] });
        timestamp["meta"]["snapshot.json"]["x-unknown"] = json!(null);
    });
    station(&files.root).update_timestamp(&unknown, Origin::Source).expect("unknown fields");
    let without = edit_file(&unknown, |file| drop(file["signed"].as_object_mut().expect("an object").remove("x-unknown")));
    let altered = edit_file(&unknown, |file| file["signed"]["x-unknown"]["deep"][0] = json!(2));
    let added = edit_file(&files.timestamp, |file| file["signed"]["x-unknown"] = json!(1));
    for changed in [without, altered, added] {
        refused!(station(&files.root).update_timestamp(&changed, Origin::Source), TrustError::Role(RoleError::Unsigned { .. }));
    }
    let beside = edit_file(&files.timestamp, |file| file["x-unknown"] = json!(1));
    station(&files.root)
        .update_timestamp(&beside, Origin::Source)
        .expect("what stands beside `signed` is covered by nothing and means nothing");
}

#[test]
fn w26_signatures_cover_the_canonical_form_not_the_spelling() {
    let mut repository = Repository::new();
    let files = repository.files();
    let value: Value = serde_json::from_slice(&files.timestamp).expect("JSON");
    let pretty = serde_json::to_vec_pretty(&value).expect("JSON");
    assert_ne!(pretty, files.timestamp);
    station(&files.root).update_timestamp(&pretty, Origin::Source).expect("the same document");
    let escaped = String::from_utf8(files.timestamp).expect("UTF-8").replace("_type", "\\u005ftype");
    station(&files.root).update_timestamp(escaped.as_bytes(), Origin::Source).expect("the same document");
}
