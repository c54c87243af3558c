//! Who holds which keys: rotation, revocation, splitting, signing elsewhere, and submission bundles, through the library and on real folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::key::KeyId;
use manifests::name::{ChannelId, Os};
use manifests::policy::Custody;
use manifests::publish::commit::CommitError;
use manifests::publish::custody::{CustodyError, Dropped, Revocation, Rotation};
use manifests::publish::deliver::Delivery;
use manifests::publish::effect::Effect;
use manifests::publish::init::RootKeys;
use manifests::publish::keys::KeyFolder;
use manifests::publish::signers::Signers;
use manifests::publish::{Outcome, PublishError, Repository, Silent, signing_request};
use manifests::signer::Signer as _;
use manifests::testing::{CHANNEL, TestRepository};
use serde_json::{Value, json};

fn channel() -> ChannelId {
    ChannelId::from_target_path(CHANNEL).unwrap()
}

/// All keys of `role` replaced by as many new ones.
fn replace(role: &str) -> Rotation {
    Rotation { role: role.to_owned(), add: 1, admit: vec![], drop: Dropped::All, threshold: None }
}

fn revocation(keys: &[KeyId]) -> Revocation<'_> {
    Revocation { keys, disowned: &[] }
}

fn rotate(test: &TestRepository, roles: &[&str]) {
    let rotations: Vec<Rotation> = roles.iter().map(|role| replace(role)).collect();
    let repository = test.repository();
    repository.rotate(&rotations, repository.keys(), false, false, test.now(), &Silent).unwrap();
}

fn key_of(test: &TestRepository, role: &str) -> KeyId {
    test.view().keys_of(role).unwrap().keyids[0].clone()
}

/// The same repository with the keys of `folder`, delivering to `delivery`.
fn with_keys(test: &TestRepository, folder: &Path, delivery: Delivery) -> Repository {
    Repository::open(test.path(), Some(folder)).unwrap().delivering(delivery)
}

/// A key folder that holds only the keys of `roles`.
fn only_keys_of(test: &TestRepository, name: &str, roles: &[&str]) -> PathBuf {
    let folder = KeyFolder::new(&test.scratch(name));
    folder.create().unwrap();
    for role in roles {
        for id in &test.view().keys_of(role).unwrap().keyids {
            test.repository().keys().copy_to(id, &folder).unwrap();
        }
    }
    folder.path().to_owned()
}

/// Every file below the repository with its digest, and the names in the key folder.
fn everything(test: &TestRepository) -> BTreeSet<(String, Digest)> {
    let mut found = BTreeSet::new();
    for folder in ["metadata", "targets", "objects"] {
        for file in test.repository().disk().files(folder).unwrap() {
            let digest = Digest::of(&fs::read(test.repository().disk().path(&file)).unwrap());
            found.insert((file, digest));
        }
    }
    for entry in fs::read_dir(test.repository().keys().path()).unwrap() {
        found.insert((entry.unwrap().file_name().into_string().unwrap(), Digest::of(b"")));
    }
    found
}

fn sign(file: &Path, keys: &Path) -> usize {
    let mut proposal = signing_request::read(file).unwrap();
    let mut signers = Signers::default();
    let wanted: Vec<_> = proposal.progress().into_iter().map(|progress| progress.keys).collect();
    signers.gather(&KeyFolder::new(keys), &wanted).unwrap();
    let added = proposal.sign(&signers).unwrap();
    signing_request::write(file, &proposal).unwrap();
    added
}

#[test]
fn every_role_can_be_rotated_and_the_old_key_counts_no_more() {
    for role in ["root", "targets", "snapshot", "timestamp", "linux"] {
        let test = TestRepository::new();
        test.publish_files(&[("a", b"1")], "1.0.0");
        let old = key_of(&test, role);
        rotate(&test, &[role]);
        assert_ne!(key_of(&test, role), old, "{role}");
        fs::remove_file(test.repository().keys().path().join(format!("{old}.json"))).unwrap();
        test.publish_files(&[("a", b"2")], "2.0.0");
        assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, [], "{role}");
        let is_new_root = role != "linux";
        assert_eq!(test.view().root_pin.version, if is_new_root { 2 } else { 1 }, "{role}");
    }
}

#[test]
fn all_roles_but_root_can_be_rotated_without_their_old_keys() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let lost = ["targets", "snapshot", "timestamp", "windows", "linux", "macosx", "android", "wince"];
    for role in lost {
        fs::remove_file(test.repository().keys().path().join(format!("{}.json", key_of(&test, role)))).unwrap();
    }
    rotate(&test, &lost);
    test.publish_files(&[("a", b"2")], "2.0.0");
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_key_made_elsewhere_is_admitted_another_dropped_and_a_threshold_raised() {
    let test = TestRepository::new();
    let elsewhere = KeyFolder::new(&test.scratch("elsewhere"));
    elsewhere.create().unwrap();
    let made = elsewhere.generate("root").unwrap();
    let repository = test.repository();
    let rotate = |rotation| repository.rotate(&[rotation], repository.keys(), false, false, test.now(), &Silent).unwrap();
    let old = key_of(&test, "root");
    let none = || Dropped::Ids(vec![]);
    rotate(Rotation { role: "root".into(), add: 0, admit: vec![made.key().clone()], drop: none(), threshold: None });
    elsewhere.copy_to(&made.key_id(), repository.keys()).unwrap();
    rotate(Rotation { role: "root".into(), add: 0, admit: vec![], drop: none(), threshold: Some(2) });
    rotate(Rotation { role: "root".into(), add: 0, admit: vec![], drop: Dropped::Ids(vec![old]), threshold: Some(1) });
    let root = test.view().root;
    assert_eq!((root.roles.root.keyids, root.roles.root.threshold.get(), root.header.version.get()), (vec![made.key_id()], 1, 4));
}

#[test]
fn a_dry_run_says_what_stations_would_see_and_writes_nothing() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let before = everything(&test);
    let repository = test.repository();
    let rotated = repository.rotate(&[replace("timestamp")], repository.keys(), false, true, test.now(), &Silent).unwrap();
    assert!(
        rotated.effects.contains(&Effect::Root { version: 2 }) && rotated.effects.contains(&Effect::Forgotten),
        "{:?}",
        rotated.effects
    );
    let revoked = repository.revoke(&revocation(&[key_of(&test, "linux")]), repository.keys(), false, true, test.now(), &Silent).unwrap();
    assert!(revoked.effects.contains(&Effect::Epoch { os: Os::Linux, epoch: 2 }), "{:?}", revoked.effects);
    let split = repository.split(&["root".into()], &[&KeyFolder::new(&test.scratch("safe"))], true, test.now(), &Silent).unwrap();
    assert_eq!(split.moved, [("root".to_owned(), key_of(&test, "root"), test.scratch("safe"))]);
    assert_eq!(everything(&test), before);
    assert!(!test.scratch("safe").exists());
}

#[test]
fn two_of_three_holders_sign_copies_of_a_root_and_one_is_not_enough() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("acme");
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    let name = "acme".parse().unwrap();
    Repository::init_with(&path, &name, KeyFolder::beside, RootKeys::new(3, 2).unwrap(), now).unwrap();
    let all = KeyFolder::beside(&path);
    let view = Repository::open(&path, None).unwrap().view().unwrap();
    assert_eq!((view.root.roles.root.keyids.len(), view.root.roles.root.threshold.get()), (3, 2));

    // Each holder takes one key away; the third stays in its safe.
    let holders: Vec<KeyFolder> = view
        .root
        .roles
        .root
        .keyids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            let holder = KeyFolder::new(&outer.path().join(format!("holder-{number}")));
            all.copy_to(id, &holder).unwrap();
            all.remove(id).unwrap();
            holder
        })
        .collect();
    let one = outer.path().join("one.json");
    let repository = Repository::open(&path, None).unwrap().delivering(Delivery::Request(one.clone()));
    repository.rotate(&[replace("timestamp")], &all, false, false, now, &Silent).unwrap();
    let two = outer.path().join("two.json");
    fs::copy(&one, &two).unwrap();

    let repository = Repository::open(&path, None).unwrap();
    assert_eq!(sign(&one, holders[0].path()), 1);
    let error = repository.submit(&[&one], now, &Silent).unwrap_err();
    assert!(matches!(&error, PublishError::NotSigned(progress) if (progress.signed, progress.keys.threshold.get()) == (1, 2)), "{error}");
    assert_eq!(sign(&two, holders[2].path()), 1);
    repository.submit(&[&one, &two], now, &Silent).unwrap();
    assert_eq!(repository.view().unwrap().root_pin.version, 2);
    assert_eq!(repository.verify(now, &Silent).unwrap().problems, []);
}

#[test]
fn a_release_is_signed_on_a_machine_that_has_nothing_but_the_file_and_the_key() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let online = only_keys_of(&test, "online", &["snapshot", "timestamp"]);
    let safe = only_keys_of(&test, "safe", &["linux"]);
    let file = test.scratch("release.json");
    let source = test.folder("build", &[("a", b"2")]);

    let requesting = with_keys(&test, &online, Delivery::Request(file.clone()));
    let outcome = requesting.publish(&test.request(&source, "2.0.0"), test.now(), &Silent).unwrap();
    assert!(matches!(outcome, Outcome::HandedOver(_)));
    assert_eq!(test.view().channels[&channel()].current().unwrap().sequence, 1, "stations see nothing of it yet");

    let server = with_keys(&test, &online, Delivery::Commit);
    assert!(matches!(server.submit(&[&file], test.now(), &Silent), Err(PublishError::NotSigned(_))));
    assert_eq!(sign(&file, &safe), 1);
    let submitted = server.submit(&[&file], test.now(), &Silent).unwrap();
    assert_eq!(submitted.releases.len(), 1);
    assert_eq!(test.view().channels[&channel()].current().unwrap().build.text(), "2.0.0");
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_request_that_was_made_before_another_change_is_refused_and_says_so() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let file = test.scratch("release.json");
    let source = test.folder("two", &[("a", b"2")]);
    let requesting = with_keys(&test, test.repository().keys().path(), Delivery::Request(file.clone()));
    requesting.publish(&test.request(&source, "2.0.0"), test.now(), &Silent).unwrap();
    test.publish_files(&[("a", b"3")], "3.0.0");
    let before = everything(&test);
    let error = test.repository().submit(&[&file], test.now(), &Silent).unwrap_err();
    assert!(matches!(&error, PublishError::Commit(CommitError::Stale { role, .. }) if role == "linux"), "{error}");
    assert_eq!(everything(&test), before);
}

#[test]
fn a_refresh_of_the_timestamp_in_between_does_not_make_a_request_stale() {
    let mut test = TestRepository::new();
    let file = test.scratch("release.json");
    let source = test.folder("two", &[("a", b"2")]);
    with_keys(&test, test.repository().keys().path(), Delivery::Request(file.clone()))
        .publish(&test.request(&source, "2.0.0"), test.now(), &Silent)
        .unwrap();
    test.pass_days(1);
    test.repository().refresh(test.now(), &Silent).unwrap();
    test.repository().submit(&[&file], test.now(), &Silent).unwrap();
}

#[test]
fn a_bundle_brings_a_release_to_a_server_that_holds_only_online_keys() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1"), ("same", b"stays")], "1.0.0");
    let online = only_keys_of(&test, "online", &["snapshot", "timestamp"]);
    let of_ci = only_keys_of(&test, "ci", &["linux"]);
    let server = copy_of(&test, "server");
    let bundle = test.scratch("release.zip");
    let source = test.folder("two", &[("a", b"2"), ("same", b"stays")]);
    with_keys(&test, &of_ci, Delivery::Bundle(bundle.clone())).publish(&test.request(&source, "2.0.0"), test.now(), &Silent).unwrap();

    let server = Repository::open(&server, Some(&online)).unwrap();
    let submitted = server.submit(&[&bundle], test.now(), &Silent).unwrap();
    assert!(submitted.new_objects >= 2, "manifest and pack: {}", submitted.new_objects);
    assert_eq!(server.verify(test.now(), &Silent).unwrap().problems, []);
    let again = server.submit(&[&bundle], test.now(), &Silent).unwrap_err();
    assert!(matches!(again, PublishError::Commit(CommitError::Stale { .. })), "{again}");
}

/// A copy of the repository's folder, as a server has it.
fn copy_of(test: &TestRepository, name: &str) -> PathBuf {
    let copy = test.scratch(name);
    for folder in ["metadata", "targets", "objects"] {
        for file in test.repository().disk().files(folder).unwrap() {
            let to = copy.join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(test.repository().disk().path(&file), to).unwrap();
        }
    }
    fs::copy(test.path().join("repository.json"), copy.join("repository.json")).unwrap();
    copy
}

#[test]
fn a_bundle_whose_objects_are_missing_or_changed_is_refused_and_nothing_shows() {
    let test = TestRepository::new();
    let server_folder = copy_of(&test, "server");
    let bundle = test.scratch("release.zip");
    let source = test.folder("two", &[("a", b"some content of two")]);
    with_keys(&test, test.repository().keys().path(), Delivery::Bundle(bundle.clone()))
        .publish(&test.request(&source, "2.0.0"), test.now(), &Silent)
        .unwrap();
    let server = Repository::open(&server_folder, Some(test.repository().keys().path())).unwrap();
    let timestamp = fs::read(server_folder.join("metadata/timestamp.json")).unwrap();

    let bytes = fs::read(&bundle).unwrap();
    let rewrite = |keep: &dyn Fn(&str) -> bool, change: &dyn Fn(&mut Vec<u8>)| {
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        let mut out = zip::ZipWriter::new(fs::File::create(&bundle).unwrap());
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut content = vec![];
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            if name != "request.json" {
                change(&mut content);
            }
            if keep(&name) {
                out.start_file(name, options).unwrap();
                std::io::Write::write_all(&mut out, &content).unwrap();
            }
        }
        out.finish().unwrap();
    };
    rewrite(&|_| true, &|content| content[0] ^= 1);
    let error = server.submit(&[&bundle], test.now(), &Silent).unwrap_err();
    assert!(matches!(error, PublishError::NotARequest { .. }), "{error}");
    rewrite(&|name| name == "request.json", &|_| ());
    let error = server.submit(&[&bundle], test.now(), &Silent).unwrap_err();
    assert!(matches!(error, PublishError::View(_) | PublishError::Incomplete(_)), "{error}");
    assert_eq!(fs::read(server_folder.join("metadata/timestamp.json")).unwrap(), timestamp);
    fs::write(&bundle, &bytes).unwrap();
    server.submit(&[&bundle], test.now(), &Silent).unwrap();
}

#[test]
fn the_holder_of_one_os_key_cannot_change_another_os_nor_the_policy_by_a_request() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let of_windows = only_keys_of(&test, "thief", &["windows"]);
    let online = only_keys_of(&test, "online", &["snapshot", "timestamp"]);
    let server = with_keys(&test, &online, Delivery::Commit);
    let file = test.scratch("request.json");
    let source = test.folder("two", &[("a", b"2")]);
    with_keys(&test, &of_windows, Delivery::Request(file.clone())).publish(&test.request(&source, "2.0.0"), test.now(), &Silent).unwrap();
    assert_eq!(sign(&file, &of_windows), 0, "a release for linux");
    assert!(matches!(server.submit(&[&file], test.now(), &Silent), Err(PublishError::NotSigned(_))));

    // The thief writes what he likes into the file and signs it with the key that he has.
    let honest: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let forged = |edit: &dyn Fn(&mut Value)| {
        let mut value = honest.clone();
        edit(&mut value);
        fs::write(&file, serde_json::to_vec(&value).unwrap()).unwrap();
        server.submit(&[&file], test.now(), &Silent).unwrap_err()
    };
    let own_delegation = |value: &mut Value| {
        let windows = value["before"]["targets"]["signed"]["delegations"]["roles"][0]["keyids"].clone();
        value["before"]["targets"]["signed"]["delegations"]["roles"][1]["keyids"] = windows;
    };
    assert!(matches!(forged(&own_delegation), PublishError::NotSigned(_)), "what the file says was before counts for nothing");
    let error = forged(&|value| value["roles"]["timestamp"] = value["roles"]["linux"].clone());
    assert!(matches!(error, PublishError::NotARequest { .. }), "{error}");
    let error = forged(&|value| value["documents"] = json!({}));
    assert!(matches!(error, PublishError::NotARequest { .. }), "a change that the signer is not shown: {error}");
    let error = forged(&|value| value["repository"] = json!("other"));
    assert!(matches!(error, PublishError::OtherRepository { .. } | PublishError::NotARequest { .. }), "{error}");
}

#[test]
fn a_stolen_os_key_is_revoked_by_a_new_epoch_whatever_numbers_the_thief_gave() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let stolen = key_of(&test, "linux");
    let huge = (1u64 << 53) - 1;
    test.edit_role("linux", |signed| signed["version"] = json!(huge));
    let repository = test.repository();
    repository.revoke(&revocation(std::slice::from_ref(&stolen)), repository.keys(), false, false, test.now(), &Silent).unwrap();
    let view = test.view();
    let document = &view.channels[&channel()];
    assert_eq!((view.policy.epoch(Os::Linux), document.epoch), (2, 2));
    let current = document.current().unwrap();
    assert!(current.allow_downgrade, "stations that the thief led to a higher build come back");
    assert!(document.place(current) > Place(1, huge), "above any number of the old epoch");
    assert!(view.listed_version("linux") < 1 << 40, "stations forget the version that the thief gave");
    assert!(!view.keys_of("linux").unwrap().keyids.contains(&stolen));
    test.publish_files(&[("a", b"2")], "1.0.1");
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_version_driven_to_the_end_is_named_with_the_cure_and_the_cure_works() {
    let test = TestRepository::new();
    test.set_timestamp_version((1 << 53) - 1);
    let error = test.repository().refresh(test.now(), &Silent).unwrap_err();
    assert!(error.to_string().contains("keys rotate REPO snapshot timestamp"), "{error}");
    rotate(&test, &["snapshot", "timestamp"]);
    test.repository().refresh(test.now(), &Silent).unwrap();
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_split_moves_keys_and_the_policy_says_so_and_it_can_be_run_again() {
    let test = TestRepository::new();
    let safe = KeyFolder::new(&test.scratch("safe"));
    let roles: Vec<String> = ["root", "targets", "linux"].map(str::to_owned).to_vec();
    let ids: Vec<KeyId> = roles.iter().map(|role| key_of(&test, role)).collect();
    test.repository().split(&roles, &[&safe], false, test.now(), &Silent).unwrap();
    for id in &ids {
        assert!(safe.holds(id) && !test.repository().keys().holds(id));
    }
    assert_eq!(test.view().policy.custody["linux"], Custody::Offline);
    assert_eq!(test.view().policy.custody["windows"], Custody::Online);
    let again = test.repository().split(&roles, &[&safe], false, test.now(), &Silent).unwrap_err();
    assert!(matches!(again, PublishError::Custody(CustodyError::Nothing)), "{again}");
    test.repository().refresh(test.now(), &Silent).unwrap();

    // Cut off before the keys went: the next run only removes them.
    safe.copy_to(&ids[2], test.repository().keys()).unwrap();
    test.repository().split(&roles, &[&safe], false, test.now(), &Silent).unwrap();
    assert!(!test.repository().keys().holds(&ids[2]));
}

#[test]
fn a_rotation_stopped_after_any_write_shows_the_old_keys_or_the_new_ones() {
    for steps in 0.. {
        let mut test = TestRepository::new();
        test.publish_files(&[("a", b"1")], "1.0.0");
        let repository = test.repository();
        repository.disk().stop_after(steps);
        let done =
            repository.rotate(&[replace("timestamp"), replace("targets")], repository.keys(), false, false, test.now(), &Silent).is_ok();
        repository.disk().stop_after(u64::MAX);
        test.pass_days(1);
        test.repository().refresh(test.now(), &Silent).unwrap_or_else(|error| panic!("after {steps} steps: {error}"));
        assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, [], "after {steps} steps");
        assert!(!test.path().join(".unfinished.json").exists());
        if done {
            assert!(steps > 8, "{steps}");
            break;
        }
    }
}

#[test]
fn thresholds_that_cannot_be_met_and_keys_that_are_not_there_are_refused_by_name() {
    let test = TestRepository::new();
    let repository = test.repository();
    let refused = |rotation: Rotation| match repository.rotate(&[rotation], repository.keys(), false, false, test.now(), &Silent) {
        Err(PublishError::Custody(error)) => error,
        other => panic!("{other:?}"),
    };
    let base = replace("root");
    assert!(matches!(refused(Rotation { threshold: Some(2), ..base.clone() }), CustodyError::Threshold { keys: 1, threshold: 2, .. }));
    assert!(matches!(refused(Rotation { threshold: Some(0), ..base.clone() }), CustodyError::Threshold { threshold: 0, .. }));
    assert!(matches!(refused(Rotation { add: 0, ..base.clone() }), CustodyError::Threshold { keys: 0, .. }));
    assert!(matches!(refused(Rotation { role: "boss".into(), ..base.clone() }), CustodyError::NoRole(_)));
    let stranger = Dropped::Ids(vec![KeyId::from_text("00")]);
    assert!(matches!(refused(Rotation { drop: stranger, ..base.clone() }), CustodyError::NoKey(_)));
    let nothing = Rotation { add: 0, drop: Dropped::Ids(vec![]), ..base };
    assert!(matches!(refused(nothing), CustodyError::Nothing));
    let unknown = repository.revoke(&revocation(&[KeyId::from_text("00")]), repository.keys(), false, false, test.now(), &Silent);
    assert!(matches!(unknown, Err(PublishError::Custody(CustodyError::NoKey(_)))));
}

#[test]
fn a_repository_restored_from_last_nights_backup_is_not_taken_for_a_rollback() {
    let mut test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let backup = copy_of(&test, "backup");
    test.pass_days(1);
    test.publish_files(&[("a", b"2")], "2.0.0");
    let seen: Vec<(String, u64)> = test.view().headers().into_iter().map(|(role, version, _)| (role, version)).collect();
    let mut later = test.now();
    later = later.plus_days(1);
    let restored = Repository::open(&backup, Some(test.repository().keys().path())).unwrap();
    let source = test.folder("three", &[("a", b"3")]);
    restored.publish(&test.request(&source, "3.0.0"), later, &Silent).unwrap();
    let now = restored.view().unwrap();
    for (role, version) in seen.into_iter().filter(|(role, _)| ["timestamp", "snapshot", "linux"].contains(&role.as_str())) {
        assert!(now.version_of(&role).unwrap() > version, "{role}");
    }
}

#[test]
fn a_request_whose_state_before_was_made_up_is_not_signed_blindly() {
    let honest = TestRepository::new();
    let victim = only_keys_of(&honest, "victim", &["linux"]);
    let file = honest.scratch("request.json");
    let source = honest.folder("two", &[("a", b"2")]);
    with_keys(&honest, &victim, Delivery::Request(file.clone())).publish(&honest.request(&source, "2.0.0"), honest.now(), &Silent).unwrap();
    let unvouched = |file: &Path| {
        let proposal = signing_request::read(file).unwrap();
        assert!(proposal.context_is_signed());
        let mut signers = Signers::default();
        let wanted: Vec<_> = proposal.progress().into_iter().map(|progress| progress.keys).collect();
        signers.gather(&KeyFolder::new(&victim), &wanted).unwrap();
        proposal.unvouched(&signers)
    };
    assert_eq!(unvouched(&file), Vec::<String>::new());

    // Whoever owns the repository's machine makes a root of his own, under which the victim's key may sign, and lists what he likes before he asks.
    let thief = TestRepository::new();
    let public = honest.view().targets.delegations.unwrap().keys[&key_of(&honest, "linux")].clone();
    let admitted = Rotation { role: "linux".into(), add: 0, admit: vec![public], drop: Dropped::Ids(vec![]), threshold: None };
    thief.repository().rotate(&[admitted], thief.repository().keys(), false, false, thief.now(), &Silent).unwrap();
    thief.publish_files(&[("a", b"evil")], "1.0.0");
    let file = thief.scratch("request.json");
    let nothing = thief.scratch("no-keys");
    fs::create_dir(&nothing).unwrap();
    let mut later = thief.now();
    later = later.plus_days(200);
    with_keys(&thief, &nothing, Delivery::Request(file.clone())).refresh(later, &Silent).unwrap();
    assert_eq!(unvouched(&file), ["linux"]);
}

#[test]
fn no_key_is_written_into_a_repository_and_no_output_replaces_a_key() {
    let test = TestRepository::new();
    let (repository, inside) = (test.repository(), test.path().join("metadata/keys"));
    let refused = |error: PublishError| error.to_string().contains("lies in the repository");
    assert!(refused(repository.split(&["root".into()], &[&KeyFolder::new(&inside)], false, test.now(), &Silent).unwrap_err()));
    let link = test.scratch("link");
    std::os::unix::fs::symlink(test.path(), &link).unwrap();
    assert!(KeyFolder::new(&link.join("keys")).create().is_err(), "a link leads there, too");
    let source = test.folder("two", &[("a", b"2")]);
    let to = |file: PathBuf| {
        with_keys(&test, repository.keys().path(), Delivery::Request(file)).publish(&test.request(&source, "2.0.0"), test.now(), &Silent)
    };
    assert!(refused(to(test.path().join("metadata/timestamp.json")).unwrap_err()));
    let key = repository.keys().path().join(format!("{}.json", key_of(&test, "root")));
    let before = fs::read(&key).unwrap();
    assert!(to(key.clone()).unwrap_err().to_string().contains("private key"));
    assert_eq!(fs::read(&key).unwrap(), before);
    assert!(test.repository().keys().holds(&key_of(&test, "root")));
}

/// A request for linux, edited and signed with the key of linux: what the holder of that key can send.
fn signed_after(test: &TestRepository, edit: impl FnOnce(&mut Value)) -> PublishError {
    let file = test.scratch("edited.json");
    let source = test.folder("two", &[("a", b"2")]);
    let nothing = test.scratch("no-keys");
    fs::create_dir_all(&nothing).unwrap();
    with_keys(test, &nothing, Delivery::Request(file.clone())).publish(&test.request(&source, "2.0.0"), test.now(), &Silent).unwrap();
    let mut value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    edit(&mut value);
    // A document that was changed is listed anew.
    let text = value["documents"][CHANNEL].as_str().unwrap().to_owned();
    value["roles"]["linux"]["signed"]["targets"][CHANNEL] =
        json!({ "length": text.len(), "hashes": { "sha256": Digest::of(text.as_bytes()).to_hex() } });
    fs::write(&file, serde_json::to_vec(&value).unwrap()).unwrap();
    sign(&file, test.repository().keys().path());
    test.repository().submit(&[&file], test.now(), &Silent).unwrap_err()
}

#[test]
fn a_signed_request_cannot_make_a_role_eternal_or_stillborn_nor_use_up_the_numbers_nor_hide_releases() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    for expires in ["9999-12-31T00:00:00Z", "2020-01-01T00:00:00Z"] {
        let error = signed_after(&test, |value| value["roles"]["linux"]["signed"]["expires"] = json!(expires));
        assert!(matches!(&error, PublishError::Commit(CommitError::Lifetime { .. })), "{expires}: {error}");
    }
    let document = |value: &mut Value, edit: &dyn Fn(&mut Value)| {
        let mut document: Value = serde_json::from_str(value["documents"][CHANNEL].as_str().unwrap()).unwrap();
        edit(&mut document);
        value["documents"][CHANNEL] = json!(document.to_string());
    };
    let error = signed_after(&test, |value| document(value, &|document| document["last_sequence"] = json!((1u64 << 53) - 2)));
    assert!(matches!(&error, PublishError::Commit(CommitError::Backwards(reason)) if reason.contains("numbered up to")), "{error}");
    let error = signed_after(&test, |value| document(value, &|document| document["releases"][1]["scheme"] = json!("unheard-of")));
    assert!(matches!(&error, PublishError::Commit(CommitError::Backwards(reason)) if reason.contains("does not understand")), "{error}");
}

#[test]
fn a_role_has_at_most_32_keys_and_a_key_that_is_needed_every_day_is_not_moved_away() {
    let test = TestRepository::new();
    let repository = test.repository();
    let many = Rotation { add: usize::MAX, ..replace("root") };
    let error = repository.rotate(&[many], repository.keys(), false, true, test.now(), &Silent).unwrap_err();
    assert!(matches!(error, PublishError::Custody(CustodyError::Threshold { .. })), "{error}");
    let view = test.view();
    let shared = view.root.keys[&key_of(&test, "snapshot")].clone();
    let rotation = Rotation { role: "targets".into(), add: 0, admit: vec![shared], drop: Dropped::Ids(vec![]), threshold: None };
    repository.rotate(&[rotation], repository.keys(), false, false, test.now(), &Silent).unwrap();
    let error = repository.split(&["targets".into()], &[&KeyFolder::new(&test.scratch("safe"))], false, test.now(), &Silent).unwrap_err();
    assert!(matches!(error, PublishError::Custody(CustodyError::NeededHere { .. })), "{error}");
}
