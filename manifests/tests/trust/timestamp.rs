//! The timestamp (5.4): W11–W14; A1, A2, A5, A9.

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::{HasHeader, RoleError};
use manifests::time::UtcTime;
use manifests::trust::{Origin, TrustError, Updated};

use crate::refused;
use crate::repository::{Repository, now, sign, version};
use crate::station::{refresh, start, station, station_at};

#[test]
fn w11_a_timestamp_longer_than_its_limit_is_refused() {
    let files = Repository::new().files();
    let length = files.timestamp.len() as u64;
    let at = |timestamp_bytes| {
        let limits = Limits { timestamp_bytes, ..Limits::default() };
        start(&files.root, Ed25519Verifier, limits).expect("a good root").update_timestamp(&files.timestamp, Origin::Source)
    };
    assert!(at(length).is_ok());
    refused!(at(length - 1), TrustError::Envelope { .. });
}

#[test]
fn w11_a_timestamp_is_signed_by_the_keys_that_the_root_names() {
    let mut repository = Repository::new();
    let files = repository.files();
    for names in [&["snapshot"][..], &["targets"], &["root"], &["stranger"], &[]] {
        let file = sign(&repository.timestamp, names);
        refused!(station(&files.root).update_timestamp(&file, Origin::Source), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
    }
}

/// W12.
#[test]
fn a1_an_older_timestamp_is_refused_and_the_trusted_one_stays() {
    let mut repository = Repository::new();
    let old = repository.publish();
    let new = repository.publish();
    let mut set = station(&old.root);
    set.update_timestamp(&new.timestamp, Origin::Store).expect("stored");
    refused!(
        set.update_timestamp(&old.timestamp, Origin::Source),
        TrustError::Rollback { role, trusted: 3, found: 2 } if role == "timestamp"
    );
    assert_eq!(set.timestamp().map(HasHeader::version), Some(3));
    // Though it lists the very snapshot that the trusted one lists.
    let mut set = station(&new.root);
    set.update_timestamp(&new.timestamp, Origin::Store).expect("stored");
    repository.timestamp.header.version = version(2);
    let older = sign(&repository.timestamp, &["timestamp"]);
    refused!(set.update_timestamp(&older, Origin::Source), TrustError::Rollback { role, .. } if role == "timestamp");
}

#[test]
fn w12_an_equal_timestamp_is_discarded_and_its_content_not_followed() {
    let mut repository = Repository::new();
    let honest = repository.publish();
    let mut set = station(&honest.root);
    set.update_timestamp(&honest.timestamp, Origin::Store).expect("stored");
    // A thief of the key signs the same version once more, over another snapshot.
    repository.timestamp.meta.snapshot.version = version(900);
    repository.timestamp.header.expires = now().plus_days(3000);
    let thief = sign(&repository.timestamp, &["timestamp"]);
    assert_eq!(set.update_timestamp(&thief, Origin::Source).expect("no error"), Updated::Same);
    assert_eq!(set.expected_snapshot().expect("trusted").version, version(2));
    assert_eq!(set.timestamp().expect("trusted").header.expires, now().plus_days(7));
    set.update_snapshot(&honest.snapshot, Origin::Source).expect("the workflow goes on with the one that was trusted");
}

#[test]
fn w12_an_equal_timestamp_is_discarded_only_after_its_signatures_are_checked() {
    let mut repository = Repository::new();
    let files = repository.files();
    let mut set = station(&files.root);
    set.update_timestamp(&files.timestamp, Origin::Store).expect("stored");
    let forged = sign(&repository.timestamp, &["stranger"]);
    refused!(set.update_timestamp(&forged, Origin::Source), TrustError::Role(RoleError::Unsigned { .. }));
}

/// W13.
#[test]
fn a2_a_newer_timestamp_over_an_older_snapshot_is_refused_with_and_without_hashes() {
    for lists_hashes in [true, false] {
        let mut repository = Repository::new();
        repository.lists_hashes = lists_hashes;
        repository.snapshot.header.version = version(7);
        let before = repository.files();
        repository.snapshot.header.version = version(6);
        repository.timestamp.header.version = version(2);
        let after = repository.files();
        let mut set = station(&before.root);
        set.update_timestamp(&before.timestamp, Origin::Store).expect("stored");
        refused!(
            set.update_timestamp(&after.timestamp, Origin::Source),
            TrustError::Rollback { role, trusted: 7, found: 6 } if role == "snapshot"
        );
        assert_eq!(set.expected_snapshot().expect("trusted").version, version(7));
    }
}

#[test]
fn w13_a_newer_timestamp_over_the_same_snapshot_is_taken() {
    let mut repository = Repository::new();
    let before = repository.files();
    repository.timestamp.header.version = version(2);
    let after = repository.files();
    let set = refresh(&before, &after).expect("re-signed daily");
    assert_eq!(set.timestamp().map(HasHeader::version), Some(2));
}

/// W14.
#[test]
fn a5_a_timestamp_expires_at_its_expiry_to_the_second() {
    let mut repository = Repository::new();
    repository.timestamp.header.expires = now();
    let files = repository.files();
    let at = |seconds: i64| {
        let mut set = station_at(&files.root, UtcTime::from_unix(now().unix() + seconds));
        let result = set.update_timestamp(&files.timestamp, Origin::Source);
        (result, set.timestamp().is_some())
    };
    assert!(matches!(at(-1), (Ok(Updated::New), true)), "a second before");
    for late in [0, 1, 86_400] {
        let (result, trusted) = at(late);
        refused!(result, TrustError::Expired { expired, .. } if expired == now());
        assert!(!trusted);
    }
}

#[test]
fn w14_an_expired_stored_timestamp_still_forbids_older_versions_and_older_snapshots() {
    let mut repository = Repository::new();
    repository.timestamp.header.version = version(5);
    repository.snapshot.header.version = version(5);
    repository.timestamp.header.expires = now().plus_days(-30);
    let stored = repository.files();
    let with = |timestamp: u64, snapshot: u64| {
        let mut repository = repository.clone();
        repository.timestamp.header.version = version(timestamp);
        repository.snapshot.header.version = version(snapshot);
        repository.timestamp.header.expires = now().plus_days(7);
        let mut set = station(&stored.root);
        set.update_timestamp(&stored.timestamp, Origin::Store).expect("kept as a floor");
        set.update_timestamp(&repository.files().timestamp, Origin::Source)
    };
    refused!(with(4, 5), TrustError::Rollback { trusted: 5, found: 4, .. });
    refused!(with(6, 4), TrustError::Rollback { trusted: 5, found: 4, .. });
    assert!(matches!(with(6, 5), Ok(Updated::New)));
}

/// W14.
#[test]
fn a5_an_expired_timestamp_is_not_revived_by_the_same_version_nor_followed() {
    let mut repository = Repository::new();
    repository.timestamp.header.expires = now();
    let frozen = repository.files();
    let mut set = station(&frozen.root);
    set.update_timestamp(&frozen.timestamp, Origin::Store).expect("kept as a floor");
    refused!(set.update_timestamp(&frozen.timestamp, Origin::Source), TrustError::Expired { .. });
    repository.timestamp.header.expires = now().plus_days(7);
    refused!(set.update_timestamp(&repository.files().timestamp, Origin::Source), TrustError::Expired { .. });
    refused!(set.update_snapshot(&frozen.snapshot, Origin::Source), TrustError::Expired { .. });
    refused!(set.update_snapshot(&frozen.snapshot, Origin::Store), TrustError::Expired { .. });
}

#[test]
fn w1_after_any_refusal_the_honest_files_are_taken() {
    let mut repository = Repository::new();
    let old = repository.publish();
    let honest = repository.publish();
    let mut set = station(&honest.root);
    set.update_timestamp(&old.timestamp, Origin::Store).expect("stored");
    repository.timestamp.header.version = version(99);
    let forged = sign(&repository.timestamp, &["stranger"]);
    repository.timestamp.header.expires = now();
    let expired = sign(&repository.timestamp, &["timestamp"]);
    for bad in [&forged[..], &expired, &honest.snapshot, b"<html>captive portal</html>", b""] {
        assert!(set.update_timestamp(bad, Origin::Source).is_err());
        assert_eq!(set.timestamp().map(HasHeader::version), Some(2));
    }
    crate::station::take(&mut set, &honest).expect("nothing stuck");
}

#[test]
fn a9_a_version_of_2_to_the_53_and_beyond_is_no_special_case() {
    for (stored, next, taken) in
        [(1 << 53, (1 << 53) + 1, true), (u64::MAX - 1, u64::MAX, true), (u64::MAX, 1, false), ((1 << 53) + 1, 1 << 53, false)]
    {
        let mut repository = Repository::new();
        repository.timestamp.header.version = version(stored);
        let before = repository.files();
        repository.timestamp.header.version = version(next);
        let after = repository.files();
        assert_eq!(refresh(&before, &after).is_ok(), taken, "{stored} then {next}");
    }
}

#[test]
fn a_timestamp_that_comes_after_a_snapshot_is_out_of_order() {
    let files = Repository::new().files();
    let mut set = station(&files.root);
    refused!(set.update_snapshot(&files.snapshot, Origin::Source), TrustError::OutOfOrder(_));
    refused!(set.update_targets(&files.targets), TrustError::OutOfOrder(_));
    crate::station::take(&mut set, &files).expect("in order");
    refused!(set.update_timestamp(&files.timestamp, Origin::Source), TrustError::OutOfOrder(_));
    refused!(set.update_snapshot(&files.snapshot, Origin::Source), TrustError::OutOfOrder(_));
}
