//! Folders that publish themselves: what their keys can sign, and how they come and go, through the library and on real folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifests::channel::ChannelDocument;
use manifests::digest::Digest;
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::{ChannelId, Os};
use manifests::policy::Custody;
use manifests::publish::commit::CommitError;
use manifests::publish::custody::{CustodyError, Disowned, Dropped, Revocation, Rotation};
use manifests::publish::deliver::Delivery;
use manifests::publish::effect::Effect;
use manifests::publish::keys::{KeyError, KeyFolder};
use manifests::publish::refresh::Signing;
use manifests::publish::signers::Signers;
use manifests::publish::{Outcome, PublishError, Repository, Silent, layout, signing_request};
use manifests::role::HasHeader as _;
use manifests::testing::{CHANNEL, TestRepository};
use manifests::trust::{Origin, Search, SearchStep, TrustedSet};
use serde_json::json;

/// The role of the folder of [`CHANNEL`].
const ROLE: &str = "folder.linux.smartclient.x86_64.stable";
/// Another channel of the same product.
const BETA: &str = "linux/smartclient/x86_64/beta.json";

fn id(path: &str) -> ChannelId {
    ChannelId::from_target_path(path).unwrap()
}

fn add(test: &TestRepository, path: &str) {
    test.repository().add_folders(&[id(path)], false, test.now(), &Silent).unwrap();
}

fn current(test: &TestRepository, path: &str) -> Option<(u64, String)> {
    let view = test.view();
    let release = view.channels.get(&id(path)).and_then(ChannelDocument::current)?;
    Some((release.sequence, release.build.text().to_owned()))
}

/// The same repository with the keys of these roles alone.
fn with_keys_of(test: &TestRepository, name: &str, roles: &[&str]) -> Repository {
    Repository::open(test.path(), Some(&keys_of(test, name, roles))).unwrap()
}

fn keys_of(test: &TestRepository, name: &str, roles: &[&str]) -> PathBuf {
    let folder = KeyFolder::new(&test.scratch(name));
    folder.create().unwrap();
    for role in roles {
        for id in &test.view().keys_of(role).unwrap().keyids {
            test.repository().keys().copy_to(id, &folder).unwrap();
        }
    }
    folder.path().to_owned()
}

/// What a station that comes for the first time finds at `path`: the digest that it would take, and the delegated roles that it read on the way.
fn searched(test: &TestRepository, path: &str) -> (Option<Digest>, Vec<String>) {
    let read = |file: &str| fs::read(test.repository().disk().path(file)).unwrap();
    let mut set = TrustedSet::new(&test.first_root(), test.now(), Arc::new(Ed25519Verifier), Limits::default()).unwrap();
    let mut next = set.root().version() + 1;
    while let Ok(root) = fs::read(test.repository().disk().path(&layout::role_file("root", next))) {
        set.update_root(&root).unwrap();
        next += 1;
    }
    set.update_timestamp(&read(layout::TIMESTAMP), Origin::Source).unwrap();
    let snapshot = layout::role_file("snapshot", set.expected_snapshot().unwrap().version.get());
    set.update_snapshot(&read(&snapshot), Origin::Source).unwrap();
    let targets = layout::role_file("targets", set.expected_targets("targets").unwrap().version.get());
    set.update_targets(&read(&targets)).unwrap();
    let (mut search, mut visited) = (Search::new(path), vec![]);
    loop {
        match search.step(&set).unwrap() {
            SearchStep::Found { target, .. } => return (target.hashes.get_sha256(), visited),
            SearchStep::NotFound => return (None, visited),
            SearchStep::Need(need) => {
                let file = layout::role_file(&need.role, set.expected_targets(&need.role).unwrap().version.get());
                set.update_delegated(&read(&file), &need).unwrap();
                visited.push(need.role);
            }
        }
    }
}

fn sign(file: &Path, keys: &Path) -> usize {
    let mut proposal = signing_request::read(file).unwrap();
    let mut signers = Signers::default();
    let wanted: Vec<_> = proposal.progress().into_iter().map(|progress| progress.keys).collect();
    signers.gather(&KeyFolder::new(keys), &wanted).unwrap();
    assert_eq!(proposal.unvouched(&signers), [""; 0], "whoever signs needs nothing but their own keys to know what they sign");
    let added = proposal.sign(&signers).unwrap();
    signing_request::write(file, &proposal).unwrap();
    added
}

#[test]
fn a_folder_is_released_with_its_own_key_and_the_online_ones_and_nothing_else_is() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    let server = with_keys_of(&test, "server.keys", &[ROLE, "snapshot", "timestamp"]);
    let folder = test.folder("build", &[("a", b"1")]);
    let outcome = server.publish(&test.request(&folder, "1.0.0"), test.now(), &Silent).unwrap();
    assert!(matches!(outcome, Outcome::Published(_)));
    assert_eq!(current(&test, CHANNEL), Some((1, "1.0.0".into())));
    let (found, visited) = searched(&test, CHANNEL);
    assert!(found.is_some() && visited == [ROLE], "a station asks the folder's role alone: {visited:?}");
    assert_eq!(searched(&test, BETA), (None, vec!["linux".to_owned()]));

    let mut other = test.request(&folder, "1.0.0");
    other.id = id(BETA);
    let refused = server.publish(&other, test.now(), &Silent).unwrap_err();
    assert!(matches!(refused, PublishError::Commit(CommitError::Key(KeyError::Missing { ref role, .. })) if role == "linux"), "{refused}");
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

/// Attack A21, as far as one key lies on the server: its thief lists whatever there is in the folder's role.
#[test]
fn a21_what_a_folders_role_lists_of_other_channels_is_found_by_nobody() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    add(&test, "linux/smartclient/any/stable.json");
    let thief = "folder.linux.smartclient.any.stable";
    let stolen = [CHANNEL, BETA, "windows/smartclient/x86_64/stable.json", "policy.json", "linux/other/any/stable.json"];
    let before: Vec<_> = stolen.iter().map(|path| searched(&test, path).0).collect();
    test.edit_role(thief, |signed| {
        for path in stolen {
            signed["targets"][path] = json!({ "length": 1, "hashes": { "sha256": "0".repeat(64) } });
        }
        signed["delegations"] = json!({ "keys": {}, "roles": [] });
    });
    for (path, before) in stolen.iter().zip(before) {
        let (found, visited) = searched(&test, path);
        assert_eq!(found, before, "{path}");
        assert!(!visited.contains(&thief.to_owned()), "{path}: {visited:?}");
    }
    // Nor does it keep anybody from putting things right.
    assert_eq!(current(&test, CHANNEL), Some((1, "1.0.0".into())));
    test.publish_files(&[("a", b"2")], "2.0.0");
    test.repository().remove_folders(&[id("linux/smartclient/any/stable.json")], false, test.now(), &Silent).unwrap();
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn an_os_key_signs_no_more_for_a_channel_that_its_folder_publishes() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    test.edit_role("linux", |signed| {
        signed["targets"][CHANNEL] = json!({ "length": 1, "hashes": { "sha256": "0".repeat(64) } });
    });
    assert_eq!(searched(&test, CHANNEL), (None, vec![ROLE.to_owned()]));
}

#[test]
fn a_channel_passes_to_its_folder_and_back_with_its_releases_and_numbers() {
    let test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    test.publish_files(&[("a", b"2")], "2.0.0");
    let (before, _) = searched(&test, CHANNEL);
    add(&test, CHANNEL);
    assert_eq!(searched(&test, CHANNEL), (before, vec![ROLE.to_owned()]), "the very same document");
    assert!(test.view().delegated.iter().all(|(role, content)| role == ROLE || content.targets.is_empty()), "nobody else lists it");
    assert_eq!(test.publish_files(&[("a", b"3")], "3.0.0").sequence, 3);
    let (before, _) = searched(&test, CHANNEL);
    test.repository().remove_folders(&[id(CHANNEL)], false, test.now(), &Silent).unwrap();
    assert_eq!(searched(&test, CHANNEL), (before, vec!["linux".to_owned()]));
    assert_eq!(test.publish_files(&[("a", b"4")], "4.0.0").sequence, 4);
    assert_eq!((test.view().folders(), test.view().policy.custody.get(ROLE)), (vec![], None));
    // And once more: its role goes on where it was, for stations know its last version.
    add(&test, CHANNEL);
    assert_eq!(test.publish_files(&[("a", b"5")], "5.0.0").sequence, 5);
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
    assert_eq!(test.repository().gc(false, test.now().plus_days(3), &Silent).unwrap().removed, [""; 0], "the first look removes nothing");
    test.repository().gc(false, test.now().plus_days(6), &Silent).unwrap();
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn where_the_targets_key_is_elsewhere_the_folder_waits_for_its_signature() {
    let test = TestRepository::new();
    let (server, safe) = (keys_of(&test, "server.keys", &["snapshot", "timestamp"]), keys_of(&test, "safe.keys", &["targets"]));
    let open = || Repository::open(test.path(), Some(&server)).unwrap();
    let refused = open().add_folders(&[id(CHANNEL)], false, test.now(), &Silent).unwrap_err();
    assert!(
        matches!(refused, PublishError::Commit(CommitError::Key(KeyError::Missing { ref role, .. })) if role == "targets"),
        "{refused}"
    );
    assert_eq!(fs::read_dir(&server).unwrap().count(), 2, "a key that signs for nothing is not left behind");

    let file = test.scratch("folder.json");
    let changed = open().delivering(Delivery::Request(file.clone())).add_folders(&[id(CHANNEL)], false, test.now(), &Silent).unwrap();
    assert_eq!((changed.made.len(), changed.made[0].2.as_path()), (1, server.as_path()), "its key stays with the server");
    let told: Vec<String> = changed.effects.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("can release `linux/smartclient/x86_64/stable.json`, and nothing else")), "{told:?}");
    assert!(told.iter().any(|line| line.contains(&format!("the keys of {ROLE} lie on the machine that serves"))), "{told:?}");
    assert!(!changed.effects.contains(&Effect::Delegations), "nothing else about delegations changes: {told:?}");
    assert_eq!(test.view().folders(), []);
    assert_eq!(sign(&file, &safe), 1);
    open().submit(&[&file], test.now(), &Silent).unwrap();
    let folder = test.folder("build", &[("a", b"1")]);
    open().publish(&test.request(&folder, "1.0.0"), test.now(), &Silent).unwrap();
    assert_eq!(test.view().policy.custody.get(ROLE), Some(&Custody::Online));
    assert_eq!(searched(&test, CHANNEL).1, [ROLE]);
}

#[test]
fn a_folder_that_published_meanwhile_is_not_taken_away_as_it_was() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    test.publish_files(&[("a", b"1")], "1.0.0");
    let file = test.scratch("remove.json");
    let keys = test.repository().keys().path();
    let waiting = Repository::open(test.path(), Some(keys)).unwrap().delivering(Delivery::Request(file.clone()));
    waiting.remove_folders(&[id(CHANNEL)], false, test.now(), &Silent).unwrap();
    test.publish_files(&[("a", b"2")], "2.0.0");
    let refused = test.repository().submit(&[&file], test.now(), &Silent).unwrap_err();
    assert!(matches!(refused, PublishError::Commit(CommitError::Stale { ref role, .. }) if role == ROLE), "{refused}");
    assert_eq!(current(&test, CHANNEL), Some((2, "2.0.0".into())));
}

#[test]
fn a_number_that_a_folder_took_meanwhile_is_not_given_out_again() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    let folder = test.folder("build", &[("a", b"1")]);
    let file = test.scratch("beta.json");
    let mut beta = test.request(&folder, "1.0.0");
    beta.id = id(BETA);
    let keys = test.repository().keys().path();
    let waiting = Repository::open(test.path(), Some(keys)).unwrap().delivering(Delivery::Request(file.clone()));
    assert_eq!(waiting.publish(&beta, test.now(), &Silent).unwrap().published().sequence, 1);
    test.publish_files(&[("a", b"2")], "2.0.0");
    let refused = test.repository().submit(&[&file], test.now(), &Silent).unwrap_err();
    assert!(refused.to_string().contains("given out meanwhile"), "{refused}");
}

#[test]
fn a_dry_run_a_second_time_and_nothing_at_all_change_nothing() {
    let test = TestRepository::new();
    let files =
        || fs::read_dir(test.path().join("metadata")).unwrap().count() + fs::read_dir(test.repository().keys().path()).unwrap().count();
    let before = files();
    let tried = test.repository().add_folders(&[id(CHANNEL)], true, test.now(), &Silent).unwrap();
    assert!(tried.delivered.is_none() && tried.effects.iter().any(|effect| matches!(effect, Effect::Folder { begins: true, .. })));
    assert_eq!(files(), before);
    add(&test, CHANNEL);
    let before = files();
    let refused = |result: Result<_, PublishError>| match result.map(|_: manifests::publish::custody::Rotated| ()).unwrap_err() {
        PublishError::Custody(error) => error,
        other => panic!("{other}"),
    };
    let repository = test.repository();
    assert!(matches!(refused(repository.add_folders(&[id(CHANNEL)], false, test.now(), &Silent)), CustodyError::FolderKnown { .. }));
    assert!(matches!(refused(repository.remove_folders(&[id(BETA)], false, test.now(), &Silent)), CustodyError::NoFolder(_)));
    assert!(matches!(refused(repository.add_folders(&[], false, test.now(), &Silent)), CustodyError::Nothing));
    assert_eq!(files(), before);
}

#[test]
fn a_folders_key_stays_beside_the_online_ones_wherever_new_keys_go() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    let old = test.view().keys_of(ROLE).unwrap().keyids.clone();
    let elsewhere = KeyFolder::new(&test.scratch("elsewhere"));
    let rotation = Rotation { role: ROLE.into(), add: 1, admit: vec![], drop: Dropped::All, threshold: None };
    let rotated = test.repository().rotate(&[rotation], &elsewhere, true, false, test.now(), &Silent).unwrap();
    assert_eq!(rotated.made[0].2, test.repository().keys().path());
    let new = test.view().keys_of(ROLE).unwrap().keyids.clone();
    assert!(new != old && test.repository().keys().holds(&new[0]));
    assert_eq!(test.view().policy.custody.get(ROLE), Some(&Custody::Online), "a folder's key is an online key");
    test.publish_files(&[("a", b"1")], "1.0.0");
    assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_stolen_folder_key_is_revoked_and_what_its_thief_released_counts_no_more() {
    let test = TestRepository::new();
    add(&test, CHANNEL);
    test.publish_files(&[("a", b"good")], "1.0.0");
    let mut beta = test.request(&test.folder("beta", &[("a", b"beta")]), "1.5.0");
    beta.id = id(BETA);
    test.publish(&beta);
    let stolen = test.view().keys_of(ROLE).unwrap().keyids.clone();
    let mut huge = test.request(&test.folder("bad", &[("a", b"bad")]), "9.0.0");
    huge.sequence_at_least = Some(900);
    assert_eq!(test.publish(&huge).published().sequence, 900);
    let disowned = [Disowned { product: "smartclient".parse().unwrap(), sequence: 900 }];
    let revocation = Revocation { keys: &stolen, disowned: &disowned };
    let repository = test.repository();
    repository.revoke(&revocation, repository.keys(), false, false, test.now(), &Silent).unwrap();
    let view = test.view();
    assert_eq!(view.policy.epoch(Os::Linux), 2, "numbers of the thief's epoch are behind every number of the next");
    for (path, build) in [(CHANNEL, "1.0.0"), (BETA, "1.5.0")] {
        let document = &view.channels[&id(path)];
        let release = document.current().unwrap();
        assert_eq!((release.build.text(), release.allow_downgrade, document.epoch), (build, true, 2), "{path}");
    }
    assert!(!view.keys_of(ROLE).unwrap().keyids.iter().any(|key| stolen.contains(key)));
    assert_eq!(searched(&test, CHANNEL).1, [ROLE]);
    assert_eq!(repository.verify(test.now(), &Silent).unwrap().problems, []);
}

#[test]
fn a_server_that_publishes_folders_renews_their_roles_and_no_others() {
    let mut test = TestRepository::new();
    add(&test, CHANNEL);
    test.publish_files(&[("a", b"1")], "1.0.0");
    test.pass_days(200);
    let signed = |which| {
        let refreshed = test.repository().refresh_roles(which, test.now(), &Silent).unwrap();
        refreshed.signed.into_iter().map(|(role, ..)| role).collect::<Vec<_>>()
    };
    assert_eq!(signed(Signing::Online), ["snapshot", "timestamp"]);
    assert_eq!(signed(Signing::Folders), [ROLE, "snapshot", "timestamp"]);
    assert!(test.view().headers().iter().any(|(role, _, expires)| role == ROLE && *expires == test.now().plus_days(365)));
    assert!(test.view().delegated.iter().all(|(role, content)| role == ROLE || content.header().expires < test.now().plus_days(300)));
}
