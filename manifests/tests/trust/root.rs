//! Walking the roots (5.3): W2, W4, W6, W8–W10; A9, A10, A12.

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::{HasHeader, RoleError};
use manifests::time::UtcTime;
use manifests::trust::{Origin, TrustError};

use crate::refused;
use crate::repository::{Repository, key_id, now, sign, sign_edited, version};
use crate::station::{start, station, station_at, take};

/// A repository whose root keys are `old-1` to `old-3`, two of which must sign.
fn two_of_three() -> Repository {
    let mut repository = Repository::new();
    repository.set_keys("root", &["old-1", "old-2", "old-3"], 2);
    repository
}

#[test]
fn w2_the_first_root_is_taken_whatever_its_expiry_says() {
    let mut repository = Repository::new();
    repository.root.header.expires = now().plus_days(-1);
    let set = station(&repository.files().root);
    assert_eq!(set.root().version(), 1);
}

#[test]
fn w2_the_first_root_must_be_signed_by_its_own_threshold_all_the_same() {
    let repository = two_of_three();
    for (signers, signed) in [(&["old-1"][..], false), (&["stranger", "old-3"], false), (&[], false), (&["old-1", "old-3"], true)] {
        let set = start(&sign(&repository.root, signers), Ed25519Verifier, Limits::default());
        assert_eq!(set.is_ok(), signed, "signed by {signers:?}");
    }
}

/// W4.
#[test]
fn a10_the_next_root_needs_the_threshold_of_the_old_keys_and_of_the_new() {
    let mut repository = two_of_three();
    let first = repository.files().root;
    repository.set_keys("root", &["new-1", "new-2", "new-3"], 2);
    repository.root.header.version = version(2);
    for (signers, valid) in [
        (&["new-1", "new-2"][..], 0),
        (&["old-1", "old-2"], 0),
        (&["old-1", "new-1", "new-2"], 1),
        (&["old-1", "old-2", "new-1"], 1),
        (&["stranger"], 0),
        (&[], 0),
    ] {
        let mut set = station(&first);
        let result = set.update_root(&sign(&repository.root, signers));
        refused!(result, TrustError::Role(RoleError::Unsigned { threshold: 2, valid: found, .. }) if found == valid);
        assert_eq!(set.root().version(), 1, "the trusted root stays after {signers:?}");
    }
    let mut set = station(&first);
    set.update_root(&sign(&repository.root, &["old-2", "old-3", "new-3", "new-1"])).expect("both thresholds are met");
    assert_eq!(set.root().version(), 2);
}

#[test]
fn w4_a_key_that_is_in_both_roots_counts_for_both() {
    let mut repository = two_of_three();
    let mut set = station(&repository.files().root);
    repository.set_keys("root", &["old-1", "old-2", "new-3"], 2);
    set.update_root(&repository.next_root(&["old-1", "old-2"])).expect("two of each");
}

#[test]
fn w4_a_raised_threshold_holds_for_the_root_that_raises_it() {
    let mut repository = two_of_three();
    let mut set = station(&repository.files().root);
    repository.set_keys("root", &["old-1", "old-2", "old-3"], 3);
    repository.root.header.version = version(2);
    refused!(
        set.update_root(&sign(&repository.root, &["old-1", "old-2"])),
        TrustError::Role(RoleError::Unsigned { valid: 2, threshold: 3, .. })
    );
    set.update_root(&sign(&repository.root, &["old-1", "old-2", "old-3"])).expect("all three");
}

/// W6.
#[test]
fn a10_a_root_that_skips_a_version_or_repeats_one_is_refused() {
    let mut repository = Repository::new();
    repository.root.header.version = version(5);
    let mut set = station(&repository.files().root);
    for wrong in [1, 4, 5, 7, 1 << 53, u64::MAX] {
        repository.root.header.version = version(wrong);
        refused!(set.update_root(&repository.files().root), TrustError::Version { expected: 6, found, .. } if found == wrong);
    }
    repository.root.header.version = version(6);
    set.update_root(&repository.files().root).expect("the next version");
}

/// W3. How many are taken in one go is the caller's limit (`Limits::root_rotations`); each is stored as it is taken, so that a walk that was cut goes on where it was.
#[test]
fn a11_ten_thousand_roots_are_walked_in_pieces_and_none_is_skipped() {
    let mut repository = Repository::new();
    let mut stored = repository.files().root;
    let most = Limits::default().root_rotations;
    let mut walks = 0;
    let last = loop {
        walks += 1;
        let mut set = station(&stored);
        for _ in 0..most {
            if set.root().version() == 10_001 {
                break;
            }
            stored = repository.next_root(&["root"]);
            set.update_root(&stored).expect("the next root");
        }
        let ahead = sign_edited(&repository.root, &["root"], |root| root["version"] = (set.root().version() + 2).into());
        refused!(set.update_root(&ahead), TrustError::Version { .. });
        if set.root().version() == 10_001 {
            break set;
        }
        assert_eq!(set.root().version(), u64::from(walks * most) + 1, "as far as one walk goes");
    };
    assert_eq!(walks, 10_000_u32.div_ceil(most));
    last.check_root_expiry().expect("the last one is fresh");
}

/// W6.
#[test]
fn a9_nothing_follows_the_last_version_that_there_is() {
    let mut repository = Repository::new();
    repository.root.header.version = version(u64::MAX);
    let last = repository.files().root;
    let mut set = station(&last);
    refused!(set.update_root(&last), TrustError::Version { .. });
}

#[test]
fn w6_an_expired_root_in_between_is_walked_over() {
    let mut repository = Repository::new();
    let mut set = station(&repository.files().root);
    repository.root.header.expires = now().plus_days(-300);
    set.update_root(&repository.next_root(&["root"])).expect("expiry in between does not matter");
    refused!(set.check_root_expiry(), TrustError::Expired { .. });
    repository.root.header.expires = now().plus_days(1);
    set.update_root(&repository.next_root(&["root"])).expect("the next one");
    set.check_root_expiry().expect("the last one is fresh");
}

/// W8.
#[test]
fn a5_the_last_root_expires_at_its_expiry_to_the_second() {
    let mut repository = Repository::new();
    repository.root.header.expires = now();
    let file = repository.files().root;
    let at = |seconds: i64| station_at(&file, UtcTime::from_unix(now().unix() + seconds)).check_root_expiry();
    assert!(at(-1).is_ok(), "a second before");
    refused!(at(0), TrustError::Expired { .. });
    refused!(at(1), TrustError::Expired { .. });
}

#[test]
fn w9_new_keys_or_threshold_of_timestamp_or_snapshot_are_noticed_and_nothing_else_is() {
    let changed = |role: &str, names: &[&str], threshold: u64| {
        let mut repository = Repository::new();
        repository.set_keys("timestamp", &["timestamp", "timestamp-2"], 1);
        let mut set = station(&repository.files().root);
        let before = set.root().clone();
        repository.set_keys(role, names, threshold);
        let signers: Vec<&str> = if names.contains(&"root") || role != "root" { vec!["root"] } else { [&["root"], names].concat() };
        set.update_root(&repository.next_root(&signers)).expect("a good root");
        set.online_keys_changed_since(&before)
    };
    assert!(changed("timestamp", &["other"], 1));
    assert!(changed("timestamp", &["timestamp", "timestamp-2"], 2));
    assert!(changed("timestamp", &["timestamp"], 1));
    assert!(changed("snapshot", &["other"], 1));
    assert!(changed("snapshot", &["snapshot", "other"], 1));
    assert!(!changed("timestamp", &["timestamp-2", "timestamp"], 1), "another order of the same keys is no change");
    assert!(!changed("targets", &["other"], 1));
    assert!(!changed("root", &["other"], 1));
}

/// W9.
#[test]
fn a9_a_fleet_recovers_from_driven_up_versions_when_the_online_keys_rotate() {
    for driven in [1 << 53, u64::MAX] {
        let mut repository = Repository::new();
        repository.timestamp.header.version = version(driven);
        repository.snapshot.header.version = version(driven);
        let thief = repository.files();
        let mut set = station(&thief.root);
        take(&mut set, &thief).expect("signed with stolen keys, so it is taken");

        repository.set_keys("timestamp", &["new-timestamp"], 1);
        repository.set_keys("snapshot", &["new-snapshot"], 1);
        repository.timestamp.header.version = version(2);
        repository.snapshot.header.version = version(2);
        let second_root = repository.next_root(&["root"]);
        let recovered = repository.files();

        let mut set = station(&thief.root);
        let before = set.root().clone();
        set.update_root(&second_root).expect("the new root");
        assert!(set.online_keys_changed_since(&before), "so the stored timestamp and snapshot are deleted");
        refused!(set.update_timestamp(&thief.timestamp, Origin::Store), TrustError::Role(RoleError::Unsigned { .. }));
        take(&mut set, &recovered).expect("low versions are taken again");
        assert_eq!(set.timestamp().map(HasHeader::version), Some(2));
    }
}

#[test]
fn a9_the_highest_version_there_is_can_be_trusted_and_asked_for_again() {
    let mut repository = Repository::new();
    repository.timestamp.header.version = version(u64::MAX);
    let files = repository.files();
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Store).expect("stored");
    set.update_timestamp(&files.timestamp, Origin::Source).expect("the same again");
}

#[test]
fn w10_consistent_snapshot_is_that_of_the_last_root() {
    let mut repository = Repository::new();
    repository.root.consistent_snapshot = false;
    let mut set = station(&repository.files().root);
    assert!(!set.root().consistent_snapshot);
    repository.root.consistent_snapshot = true;
    set.update_root(&repository.next_root(&["root"])).expect("the next root");
    assert!(set.root().consistent_snapshot);
    let unsaid = sign_edited(&repository.root, &["root"], |root| {
        root["version"] = 3.into();
        root.as_object_mut().expect("an object").remove("consistent_snapshot");
    });
    set.update_root(&unsaid).expect("it is optional");
    assert!(!set.root().consistent_snapshot);
}

#[test]
fn a12_a_key_that_the_next_root_revokes_signs_nothing_any_more() {
    let mut repository = Repository::new();
    let mut set = station(&repository.files().root);
    let old = repository.publish();
    repository.set_keys("timestamp", &["new-timestamp"], 1);
    set.update_root(&repository.next_root(&["root"])).expect("the next root");
    refused!(set.update_timestamp(&old.timestamp, Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 0, threshold: 1, .. }));
    assert!(set.root().keys.contains_key(&key_id("timestamp")), "though it still stands in the key table");
    set.update_timestamp(&repository.files().timestamp, Origin::Source).expect("by the new key");
}

#[test]
fn w3_roots_are_walked_before_any_timestamp_and_within_their_limit() {
    let mut repository = Repository::new();
    let files = repository.files();
    let limits = Limits { root_bytes: files.root.len() as u64 - 1, ..Limits::default() };
    refused!(start(&files.root, Ed25519Verifier, limits).map(drop), TrustError::Envelope { .. });
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Source).expect("a timestamp");
    refused!(set.update_root(&repository.next_root(&["root"])), TrustError::OutOfOrder(_));
}
