//! The top-level targets and the files they list (5.6, 5.7): W20, W25; A5, A20, A22, A23.

use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::role::RoleError;
use manifests::targets::TargetFile;
use manifests::time::UtcTime;
use manifests::trust::{Origin, TrustError};
use serde_json::json;

use crate::refused;
use crate::repository::{Files, POLICY, Repository, WINDOWS, now, sign, version};
use crate::station::{find, first_visit, search, start, station_at, take};

#[test]
fn w20_targets_of_another_length_or_hash_are_refused_before_they_are_parsed() {
    let files = Repository::new().files();
    for targets in [b"not even JSON".to_vec(), vec![], [&files.targets[..], b"\n"].concat(), files.snapshot.clone()] {
        refused!(first_visit(&Files { targets, ..files.clone() }).map(drop), TrustError::Mismatch { .. });
    }
}

#[test]
fn w20_targets_longer_than_the_limit_are_refused_when_no_length_is_listed() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    let at = |targets_bytes: usize| {
        let limits = Limits { targets_bytes: targets_bytes as u64, ..Limits::default() };
        take(&mut start(&files.root, Ed25519Verifier, limits).expect("a good root"), &files)
    };
    assert!(at(files.targets.len()).is_ok());
    refused!(at(files.targets.len() - 1), TrustError::Envelope { .. });
}

#[test]
fn w20_targets_are_signed_by_the_keys_that_the_root_names() {
    for names in [&["timestamp"][..], &["snapshot"], &["windows"], &["stranger"], &[]] {
        let mut repository = Repository::new();
        repository.sign_with("targets", names);
        refused!(first_visit(&repository.files()).map(drop), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
    }
}

#[test]
fn w20_targets_of_another_version_than_the_snapshot_lists_are_refused() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    repository.targets.header.version = version(2);
    let newer = Files { targets: sign(&repository.targets, &["targets"]), ..files };
    refused!(first_visit(&newer).map(drop), TrustError::Version { expected: 1, found: 2, .. });
}

#[test]
fn w20_targets_that_the_snapshot_does_not_list_are_refused() {
    let mut repository = Repository::new();
    repository.files();
    repository.snapshot.meta.remove("targets.json");
    let snapshot = sign(&repository.snapshot, &["snapshot"]);
    let targets = repository.files().targets;
    repository.timestamp.meta.snapshot = repository.listed(&snapshot, version(1));
    let timestamp = sign(&repository.timestamp, &["timestamp"]);
    let files = Files { timestamp, snapshot, targets, ..Repository::new().files() };
    refused!(first_visit(&files).map(drop), TrustError::NotInSnapshot { role } if role == "targets");
}

/// W20.
#[test]
fn a5_targets_and_delegated_targets_expire_at_their_expiry_to_the_second() {
    for role in ["targets", "windows"] {
        let mut repository = Repository::new();
        let content = if role == "targets" { &mut repository.targets } else { repository.delegated.get_mut(role).expect("a role") };
        content.header.expires = now();
        let files = repository.files();
        let at = |seconds: i64| {
            let mut set = station_at(&files.root, UtcTime::from_unix(now().unix() + seconds));
            take(&mut set, &files)?;
            search(&mut set, &files, WINDOWS)
        };
        assert_eq!(at(-1).expect("a second before").role(), Some("windows"));
        refused!(at(0), TrustError::Expired { role: found, .. } if found == role);
        refused!(at(1), TrustError::Expired { role: found, .. } if found == role);
    }
}

/// W25.
#[test]
fn a22_a_target_has_exactly_its_length_and_all_known_hashes() {
    let content = b"ten bytes.";
    let target = TargetFile::of(content);
    assert!(target.match_bytes(content));
    for other in [&b"ten bytes"[..], b"ten bytes..", b"ten bytes!", b""] {
        assert!(!target.match_bytes(other));
    }
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(content));
    let parse = |length: u64, hashes| serde_json::from_value::<TargetFile>(json!({ "length": length, "hashes": hashes }));
    let matches = |length, hashes| parse(length, hashes).expect("a target").match_bytes(content);
    assert!(matches(10, json!({ "sha256": sha256, "crc32": "00" })));
    assert!(!matches(9, json!({ "sha256": sha256 })));
    assert!(!matches(11, json!({ "sha256": sha256 })));
    assert!(!matches(10, json!({ "sha256": sha256, "sha512": "00" })));
    assert!(!matches(10, json!({ "sha256": "00" })));
}

/// W25.
#[test]
fn a23_a_target_without_a_known_hash_is_refused_and_upper_case_matches_nothing() {
    let parse = |hashes| serde_json::from_value::<TargetFile>(json!({ "length": 1, "hashes": hashes }));
    for hashes in [json!({}), json!({ "md5": "c4ca4238a0b923820dcc509a6f75849b" }), json!({ "sha3-256": "00" }), json!({ "SHA256": "00" })]
    {
        assert!(parse(hashes.clone()).is_err(), "{hashes}");
    }
    let upper = hex::encode_upper(<sha2::Sha256 as sha2::Digest>::digest(b"1"));
    let target = parse(json!({ "sha256": upper })).expect("a known algorithm");
    assert!(!target.match_bytes(b"1"));
    assert_eq!(target.hashes.get_sha256(), None);
}

#[test]
fn a20_who_holds_the_online_keys_alone_cannot_change_any_target() {
    let mut repository = Repository::new();
    let honest = repository.files();
    let mut thief = repository.clone();
    thief.targets.targets.insert(POLICY.into(), TargetFile::of(b"evil"));
    thief.delegated.get_mut("windows").expect("a role").targets.insert(WINDOWS.into(), TargetFile::of(b"evil"));
    for names in [&["snapshot"][..], &["timestamp"], &["snapshot", "timestamp"]] {
        thief.sign_with("targets", names);
        thief.sign_with("windows", names);
        let forged = thief.publish();
        refused!(first_visit(&forged).map(drop), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
        // Nor with the publisher's own targets above a forged role.
        let mut mixed = repository.clone();
        mixed.delegated.insert("windows".into(), thief.delegated["windows"].clone());
        mixed.sign_with("windows", names);
        refused!(find(&mixed.files(), WINDOWS), TrustError::Role(RoleError::Unsigned { valid: 0, .. }));
    }
    assert_eq!(find(&honest, WINDOWS).expect("honest").role(), Some("windows"));
    // Freezing is what is left to the thief, until the roles that are signed offline expire.
    let mut frozen = repository.clone();
    frozen.timestamp.header.expires = now().plus_days(3650);
    frozen.snapshot.header.expires = now().plus_days(3650);
    let frozen = frozen.files();
    let mut late = station_at(&frozen.root, now().plus_days(365));
    refused!(take(&mut late, &frozen), TrustError::Expired { role, .. } if role == "targets");
}

#[test]
fn a20_a_stolen_online_key_cannot_restore_a_withdrawn_delegation() {
    let mut repository = Repository::new();
    let before = repository.files();
    repository.targets.delegations = None;
    repository.publish();
    // The thief lists the old targets again, at their old version.
    let mut thief = repository.clone();
    thief.targets = Repository::new().targets;
    thief.snapshot.header.version = version(3);
    thief.timestamp.header.version = version(3);
    let forged = thief.files();
    let after = repository.files();
    let mut set = crate::station::station(&before.root);
    set.update_timestamp(&after.timestamp, Origin::Store).expect("stored");
    set.update_timestamp(&forged.timestamp, Origin::Source).expect("signed");
    set.update_snapshot(&after.snapshot, Origin::Store).expect("stored");
    refused!(set.update_snapshot(&forged.snapshot, Origin::Source), TrustError::Rollback { role, .. } if role == "targets");
}

#[test]
fn a_target_of_the_top_is_found_there_alone() {
    let mut repository = Repository::new();
    let files = repository.files();
    let set = first_visit(&files).expect("an honest repository");
    assert_eq!(set.top_level_target(POLICY), Some(&TargetFile::of(POLICY.as_bytes())));
    assert_eq!(set.top_level_target(WINDOWS), None);
    assert!(find(&files, POLICY).expect("found").visited.is_empty());
}
