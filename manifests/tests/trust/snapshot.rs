//! The snapshot (5.5): W15–W19; A2, A3, A7.

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::{HasHeader, RoleError};
use manifests::time::UtcTime;
use manifests::trust::{Origin, TrustError, TrustedSet, Updated};
use serde_json::{Value, json};

use crate::refused;
use crate::repository::{Files, Repository, now, sign, sign_edited, version};
use crate::station::{find, refresh, returning, start, station, station_at};

/// A new station that has taken the timestamp of `files`.
fn with_timestamp(files: &Files) -> TrustedSet {
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Source).expect("a good timestamp");
    set
}

/// Has the timestamp list `snapshot`, after `edit` of what it lists.
fn listing(repository: &mut Repository, snapshot: Vec<u8>, edit: impl FnOnce(&mut Value)) -> Files {
    let mut files = repository.files();
    repository.timestamp.meta.snapshot = repository.listed(&snapshot, repository.snapshot.header.version);
    files.timestamp = sign_edited(&repository.timestamp, &["timestamp"], |timestamp| edit(&mut timestamp["meta"]["snapshot.json"]));
    files.snapshot = snapshot;
    files
}

#[test]
fn w15_a_snapshot_longer_than_the_limit_is_refused_when_no_length_is_listed() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    let at = |snapshot_bytes: usize| {
        let limits = Limits { snapshot_bytes: snapshot_bytes as u64, ..Limits::default() };
        let mut set = start(&files.root, Ed25519Verifier, limits).expect("a good root");
        set.update_timestamp(&files.timestamp, Origin::Source).expect("a good timestamp");
        set.update_snapshot(&files.snapshot, Origin::Source)
    };
    assert!(at(files.snapshot.len()).is_ok());
    refused!(at(files.snapshot.len() - 1), TrustError::Envelope { .. });
}

#[test]
fn w16_a_snapshot_of_another_length_or_hash_is_refused_before_it_is_parsed() {
    let mut repository = Repository::new();
    let files = repository.files();
    for other in [&b"not even JSON"[..], b"", &files.snapshot[1..], &[&files.snapshot[..], b"\n"].concat(), &files.targets] {
        refused!(with_timestamp(&files).update_snapshot(other, Origin::Source), TrustError::Mismatch { .. });
    }
    let snapshot = files.snapshot;
    for field in ["length", "hashes"] {
        let wrong = listing(&mut repository, snapshot.clone(), |listed| match field {
            "length" => listed[field] = json!(snapshot.len() + 1),
            _ => listed[field]["sha256"] = json!("0".repeat(64)),
        });
        refused!(with_timestamp(&wrong).update_snapshot(&snapshot, Origin::Source), TrustError::Mismatch { .. });
    }
}

#[test]
fn w16_all_known_hashes_must_match_and_unknown_ones_are_skipped() {
    let mut repository = Repository::new();
    let snapshot = repository.files().snapshot;
    let sha512 = hex::encode(<sha2::Sha512 as sha2::Digest>::digest(&snapshot));
    let mut verdict = |edit: &dyn Fn(&mut Value)| {
        let files = listing(&mut repository, snapshot.clone(), |listed| edit(&mut listed["hashes"]));
        let mut set = station(&files.root);
        set.update_timestamp(&files.timestamp, Origin::Source)?;
        set.update_snapshot(&snapshot, Origin::Source)
    };
    assert!(verdict(&|hashes| hashes["sha512"] = json!(sha512)).is_ok());
    assert!(verdict(&|hashes| *hashes = json!({ "sha512": sha512 })).is_ok());
    assert!(verdict(&|hashes| hashes["blake9"] = json!("00")).is_ok());
    refused!(verdict(&|hashes| hashes["sha512"] = json!("0".repeat(128))), TrustError::Mismatch { .. });
    refused!(verdict(&|hashes| hashes["sha512"] = json!(sha512.to_uppercase())), TrustError::Mismatch { .. });
    refused!(verdict(&|hashes| hashes["sha512"] = json!("")), TrustError::Mismatch { .. });
    for none_known in [json!({}), json!({ "md5": "00" }), json!({ "SHA256": "00" }), json!({ "blake9": "00" })] {
        refused!(verdict(&|hashes| *hashes = none_known.clone()), TrustError::Role(RoleError::Malformed { .. }));
    }
}

#[test]
fn w17_a_snapshot_is_signed_by_the_keys_that_the_root_names() {
    for names in [&["timestamp"][..], &["targets"], &["root"], &["stranger"], &[]] {
        let mut repository = Repository::new();
        repository.sign_with("snapshot", names);
        let files = repository.files();
        refused!(
            with_timestamp(&files).update_snapshot(&files.snapshot, Origin::Source),
            TrustError::Role(RoleError::Unsigned { valid: 0, .. })
        );
    }
}

#[test]
fn w17_a_snapshot_of_another_version_than_the_timestamp_lists_is_refused() {
    for listed in [2, 4, 1 << 53] {
        let mut repository = Repository::new();
        repository.lists_hashes = false;
        repository.snapshot.header.version = version(3);
        let snapshot = repository.files().snapshot;
        let files = listing(&mut repository, snapshot, |meta| meta["version"] = json!(listed));
        refused!(
            with_timestamp(&files).update_snapshot(&files.snapshot, Origin::Source),
            TrustError::Version { expected, found: 3, .. } if expected == listed
        );
    }
}

/// W18.
#[test]
fn a3_a_snapshot_in_which_a_role_goes_back_is_refused_with_and_without_hashes() {
    for lists_hashes in [true, false] {
        for role in ["targets", "windows"] {
            let mut repository = Repository::new();
            repository.lists_hashes = lists_hashes;
            repository.targets.header.version = version(4);
            repository.delegated.get_mut("windows").expect("a role").header.version = version(4);
            let before = repository.files();
            match role {
                "targets" => repository.targets.header.version = version(3),
                os => repository.delegated.get_mut(os).expect("a role").header.version = version(3),
            }
            repository.snapshot.header.version = version(2);
            repository.timestamp.header.version = version(2);
            let after = repository.files();
            refused!(
                refresh(&before, &after).map(drop),
                TrustError::Rollback { role: found, trusted: 4, found: 3 } if found == role
            );
        }
    }
}

#[test]
fn w18_a_role_that_a_new_snapshot_drops_is_missed() {
    for role in ["windows", "targets"] {
        let mut repository = Repository::new();
        let before = repository.publish();
        repository.publish();
        repository.snapshot.meta.remove(&format!("{role}.json"));
        let snapshot = sign(&repository.snapshot, &["snapshot"]);
        repository.timestamp.meta.snapshot = repository.listed(&snapshot, repository.snapshot.header.version);
        let mut set = returning(&before);
        let after = sign(&repository.timestamp, &["timestamp"]);
        refused!(set.update_timestamp(&after, Origin::Source), TrustError::OutOfOrder(_));
        let mut set = station(&before.root);
        set.update_timestamp(&after, Origin::Source).expect("a newer timestamp");
        set.update_snapshot(&before.snapshot, Origin::Store).expect("a floor");
        refused!(set.update_snapshot(&snapshot, Origin::Source), TrustError::NotInSnapshot { role: found } if found == role);
        assert_eq!(set.snapshot().map(HasHeader::version), Some(2), "the floor stays");
    }
}

#[test]
fn w18_an_expired_stored_snapshot_is_still_a_floor() {
    let mut repository = Repository::new();
    repository.targets.header.version = version(4);
    repository.snapshot.header.expires = now().plus_days(-1);
    let before = repository.files();
    repository.snapshot.header.expires = now().plus_days(30);
    repository.targets.header.version = version(3);
    repository.snapshot.header.version = version(2);
    repository.timestamp.header.version = version(2);
    refused!(refresh(&before, &repository.files()).map(drop), TrustError::Rollback { trusted: 4, found: 3, .. });
}

#[test]
fn w18_a_stored_snapshot_that_is_not_the_listed_one_is_a_floor_and_nothing_to_go_on_with() {
    let mut repository = Repository::new();
    let before = repository.publish();
    let after = repository.publish();
    let mut set = station(&before.root);
    set.update_timestamp(&after.timestamp, Origin::Source).expect("a newer timestamp");
    assert_eq!(set.update_snapshot(&before.snapshot, Origin::Store).expect("a floor"), Updated::Same);
    assert!(!set.has_current_snapshot());
    refused!(set.update_targets(&before.targets), TrustError::Version { expected: 3, found: 2, .. });
    assert_eq!(set.update_snapshot(&after.snapshot, Origin::Source).expect("the listed one"), Updated::New);
    set.update_targets(&after.targets).expect("goes on");
}

#[test]
fn w18_roles_may_be_added_and_stay_as_they_are() {
    let mut repository = Repository::new();
    repository.delegated.remove("linux");
    let before = repository.files();
    repository.delegated.insert("linux".into(), crate::repository::targets_of(&[crate::repository::LINUX]));
    repository.snapshot.header.version = version(2);
    repository.timestamp.header.version = version(2);
    let set = refresh(&before, &repository.files()).expect("a role more");
    assert_eq!(set.snapshot().expect("trusted").meta.len(), 3);
}

/// W19.
#[test]
fn a5_a_snapshot_expires_at_its_expiry_to_the_second() {
    let mut repository = Repository::new();
    repository.snapshot.header.expires = now();
    let files = repository.files();
    let at = |seconds: i64, origin: Origin| {
        let mut set = station_at(&files.root, UtcTime::from_unix(now().unix() + seconds));
        set.update_timestamp(&files.timestamp, Origin::Source)?;
        set.update_snapshot(&files.snapshot, origin)?;
        set.update_targets(&files.targets)
    };
    for origin in [Origin::Source, Origin::Store] {
        assert!(at(-1, origin).is_ok(), "a second before");
        refused!(at(0, origin), TrustError::Expired { role, .. } if role == "snapshot");
        refused!(at(1, origin), TrustError::Expired { role, .. } if role == "snapshot");
    }
    let mut set = with_timestamp(&files);
    refused!(set.update_snapshot(&files.snapshot, Origin::Source), TrustError::Expired { .. });
    assert!(set.snapshot().is_none(), "so it is not stored");
}

#[test]
fn a7_files_of_two_days_do_not_mix() {
    for lists_hashes in [true, false] {
        let mut repository = Repository::new();
        repository.lists_hashes = lists_hashes;
        let monday = repository.publish();
        let tuesday = repository.publish();
        for mixed in [
            Files { snapshot: monday.snapshot.clone(), ..tuesday.clone() },
            Files { snapshot: tuesday.snapshot.clone(), ..monday.clone() },
            Files { targets: monday.targets.clone(), ..tuesday.clone() },
            Files { targets: tuesday.targets.clone(), ..monday.clone() },
            Files { delegated: monday.delegated.clone(), ..tuesday.clone() },
            Files { delegated: tuesday.delegated.clone(), ..monday.clone() },
        ] {
            match find(&mixed, crate::repository::WINDOWS).map(drop) {
                Err(TrustError::Mismatch { .. }) if lists_hashes => {}
                Err(TrustError::Version { .. }) if !lists_hashes => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(find(&monday, crate::repository::WINDOWS).is_ok(), "each day on its own is good");
        assert!(find(&tuesday, crate::repository::WINDOWS).is_ok());
    }
}

#[test]
fn a24_a_version_that_comes_again_with_other_bytes_does_not_replace_what_is_trusted() {
    for lists_hashes in [true, false] {
        let mut repository = Repository::new();
        repository.lists_hashes = lists_hashes;
        let before = repository.publish();
        // The same snapshot version once more, over other targets; a new timestamp lists it.
        let mut again = repository.clone();
        again.targets.header.version = version(9);
        again.timestamp.header.version = version(3);
        let after = again.files();
        assert_ne!(before.snapshot, after.snapshot);
        let mut set = station(&before.root);
        set.update_timestamp(&before.timestamp, Origin::Store).expect("stored");
        assert_eq!(set.update_timestamp(&after.timestamp, Origin::Source).expect("signed, and newer"), Updated::New);
        set.update_snapshot(&before.snapshot, Origin::Store).expect("stored");
        // The version at hand is the one that is listed, so no other one is asked for …
        assert!(set.has_current_snapshot());
        assert_eq!(set.expected_targets("targets").expect("listed").version, version(2));
        // … and the targets that only the other one lists are refused.
        assert!(set.update_targets(&after.targets).is_err());
        set.update_targets(&before.targets).expect("what was trusted");
    }
}

#[test]
fn a24_a_timestamp_of_the_same_version_with_other_bytes_is_not_followed() {
    let mut repository = Repository::new();
    let before = repository.publish();
    let mut set = returning_to_timestamp(&before);
    repository.snapshot.header.version = version(9);
    let again = repository.files();
    assert_ne!(before.timestamp, again.timestamp);
    assert_eq!(set.update_timestamp(&again.timestamp, Origin::Source).expect("no error"), Updated::Same);
    assert_eq!(set.expected_snapshot().expect("trusted").version, version(2));
    refused!(set.update_snapshot(&again.snapshot, Origin::Source), TrustError::Mismatch { .. });
    set.update_snapshot(&before.snapshot, Origin::Source).expect("what was trusted");
}

/// A station that has stored the timestamp of `files` and nothing more.
fn returning_to_timestamp(files: &Files) -> TrustedSet {
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Store).expect("a stored timestamp");
    set
}
