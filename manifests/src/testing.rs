//! A repository for tests: in a temporary folder, with all its keys, to publish to, to rotate, and to tamper with as a thief of keys would.
//!
//! Everything panics on failure, as tests want it. Time stands still unless a test moves it.

use std::fs::{self, File, FileTimes};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::build::Build;
use crate::name::ChannelId;
use crate::publish::keys::KeyFolder;
use crate::publish::view::View;
use crate::publish::{Outcome, PublishRequest, Published, Repository, Silent, layout};
use crate::role::{HasHeader, MetaFile, RoleKeys};
use crate::signed::Envelope;
use crate::signer::{Ed25519Signer, Signer};
use crate::time::UtcTime;

/// The channel that releases go to unless a test says otherwise.
pub const CHANNEL: &str = "linux/smartclient/x86_64/stable.json";

/// A content repository in a temporary folder.
#[derive(Debug)]
pub struct TestRepository {
    folder: TempDir,
    repository: Repository,
    now: UtcTime,
}

impl Default for TestRepository {
    fn default() -> Self {
        Self::new()
    }
}

impl TestRepository {
    /// An empty repository named `acme`, made at 2026-11-21T10:00:00Z.
    pub fn new() -> TestRepository {
        let folder = TempDir::new().expect("a temporary folder");
        let now: UtcTime = "2026-11-21T10:00:00Z".parse().expect("a time");
        let name = "acme".parse().expect("a name");
        let repository = Repository::init(&folder.path().join("repo"), &name, None, now).expect("a new repository");
        // A program that another test starts at this very moment may hold our lock for as long as it takes to start.
        let repository = repository.waiting(Duration::from_secs(10));
        TestRepository { folder, repository, now }
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The repository's folder: what a server serves.
    pub fn path(&self) -> &Path {
        self.repository.path()
    }

    /// The time at which everything happens.
    pub fn now(&self) -> UtcTime {
        self.now
    }

    /// Lets `days` go by.
    pub fn pass_days(&mut self, days: i64) {
        self.now = self.now.plus_days(days);
    }

    /// The exact bytes of root 1, to install from.
    pub fn first_root(&self) -> Vec<u8> {
        fs::read(self.repository.disk().path(&layout::role_file("root", 1))).expect("root 1")
    }

    /// All that it holds.
    pub fn view(&self) -> View {
        self.repository.view().expect("a sound repository")
    }

    /// A path for a test's own files, beside the repository.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes the scratch folder `name` hold exactly `files`, all with the same time.
    pub fn folder(&self, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let folder = self.scratch(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("old folder removed");
        }
        fs::create_dir_all(&folder).expect("folder made");
        for (path, content) in files {
            let place = folder.join(path);
            fs::create_dir_all(place.parent().expect("inside the folder")).expect("parent made");
            fs::write(&place, content).expect("file written");
            set_time(&place, 1_700_000_000);
        }
        folder
    }

    /// A request to publish `source` to [`CHANNEL`].
    pub fn request(&self, source: &Path, build: &str) -> PublishRequest {
        let id = ChannelId::from_target_path(CHANNEL).expect("a channel");
        PublishRequest::new(source, id, Build::recognise(build).expect("a build"))
    }

    /// Publishes; the request must succeed.
    pub fn publish(&self, request: &PublishRequest) -> Outcome {
        self.repository.publish(request, self.now, &Silent).unwrap_or_else(|error| panic!("cannot publish: {error}"))
    }

    /// Publishes `files` as `build` to [`CHANNEL`].
    pub fn publish_files(&self, files: &[(&str, &[u8])], build: &str) -> Published {
        let folder = self.folder("build", files);
        self.publish(&self.request(&folder, build)).published().clone()
    }

    /// Changes the current content of a role, signs it with the role's own keys, and signs snapshot and timestamp over it: what a thief of those keys could publish. The role keeps
    /// its version unless `edit` changes it.
    pub fn edit_role(&self, role: &str, edit: impl FnOnce(&mut Value)) {
        // Read once: between its files the repository does not verify.
        self.edit_and_relist(&self.view(), role, Box::new(edit));
    }

    /// The closure is boxed because the function calls itself with others.
    fn edit_and_relist(&self, view: &View, role: &str, edit: Box<dyn FnOnce(&mut Value) + '_>) {
        let file = self.role_file(view, role);
        let mut envelope = self.envelope(&file);
        edit(&mut envelope.signed);
        let bytes = self.sign(view, role, &envelope.signed);
        match role {
            "root" => self.write(&layout::role_file(role, version_of(&envelope.signed).get()), &bytes),
            "timestamp" => self.write(layout::TIMESTAMP, &bytes),
            _ => {
                let version = version_of(&envelope.signed);
                self.write(&layout::role_file(role, version.get()), &bytes);
                let listed = json!(MetaFile::of(&bytes, version));
                match role {
                    "snapshot" => self.edit_and_relist(
                        view,
                        "timestamp",
                        Box::new(|signed| {
                            signed["meta"]["snapshot.json"] = listed;
                            bump(signed);
                        }),
                    ),
                    _ => self.edit_and_relist(
                        view,
                        "snapshot",
                        Box::new(|signed| {
                            signed["meta"][format!("{role}.json")] = listed;
                            bump(signed);
                        }),
                    ),
                }
            }
        }
    }

    /// Gives the timestamp this version, properly signed (attack: fast-forward, rollback).
    pub fn set_timestamp_version(&self, version: u64) {
        self.edit_role("timestamp", |signed| signed["version"] = json!(version));
    }

    /// Lets a role expire at this instant, properly signed.
    pub fn expire(&self, role: &str, at: UtcTime) {
        self.edit_role(role, |signed| signed["expires"] = json!(at));
    }

    /// Signs the current content of a role with a key that nobody trusts, under the key id of the role.
    pub fn sign_with_wrong_key(&self, role: &str) {
        let view = self.view();
        let file = self.role_file(&view, role);
        let mut envelope = self.envelope(&file);
        let stranger = Ed25519Signer::from_seed(&zeroize::Zeroizing::new([0x55; 32]));
        let message = envelope.message().expect("a canonical form");
        let signature = hex::encode(stranger.sign(&message).expect("signed in memory"));
        let mut value = json!(envelope);
        value["signatures"][0]["sig"] = json!(signature);
        envelope = serde_json::from_value(value).expect("an envelope");
        self.write(&file, &serde_json::to_vec(&envelope).expect("JSON"));
    }

    /// Replaces the key of a top-level role by a new one: root N+1, signed by the root keys before and after, and the role itself (with what hangs on it) signed anew.
    pub fn rotate(&self, role: &str) {
        let view = self.view();
        let new = self.repository.keys().generate(role).expect("a new key");
        let mut root = view.root.clone();
        root.header.version = root.header.version.checked_add(1).expect("a next version");
        root.keys.insert(new.key_id(), new.key().clone());
        let keys = RoleKeys::new(vec![new.key_id()], NonZeroU64::MIN).expect("one key, threshold one");
        match role {
            "root" => root.roles.root = keys,
            "timestamp" => root.roles.timestamp = keys,
            "snapshot" => root.roles.snapshot = keys,
            "targets" => root.roles.targets = keys,
            other => panic!("`{other}` is no top-level role"),
        }
        let old = self.signers(&view, "root");
        let mut signers: Vec<&dyn Signer> = old.iter().map(|signer| signer as &dyn Signer).collect();
        if role == "root" {
            signers.push(&new);
        }
        let bytes = Envelope::sign(&root, &signers).expect("a signed root");
        let rotated = View { root: root.clone(), ..view };
        self.write(&layout::role_file("root", root.version()), &bytes);
        // From the lowest role that has a new key upwards, each named by the one above.
        let mut listed = None;
        for name in ["targets", "snapshot", "timestamp"].into_iter().skip_while(|name| *name != role && role != "root") {
            let file = self.role_file(&rotated, name);
            let mut signed = self.envelope(&file).signed;
            bump(&mut signed);
            if let Some((below, meta)) = listed {
                signed["meta"][format!("{below}.json")] = meta;
            }
            let bytes = self.sign(&rotated, name, &signed);
            let version = version_of(&signed);
            self.write(&if name == "timestamp" { layout::TIMESTAMP.to_owned() } else { layout::role_file(name, version.get()) }, &bytes);
            listed = Some((name, json!(MetaFile::of(&bytes, version))));
        }
    }

    /// Changes the bytes of a file of the repository, signatures and hashes be as they may.
    pub fn tamper(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.repository.disk().path(file);
        let mut bytes = fs::read(&path).expect("the file to tamper with");
        change(&mut bytes);
        fs::write(path, bytes).expect("the file tampered with");
    }

    /// The file of the current version of a role, relative to the repository.
    pub fn role_file(&self, view: &View, role: &str) -> String {
        let version =
            view.headers().into_iter().find(|(name, ..)| name == role).map(|(_, version, _)| version).expect("a role of the repository");
        match role {
            "timestamp" => layout::TIMESTAMP.to_owned(),
            _ => layout::role_file(role, version),
        }
    }

    fn envelope(&self, file: &str) -> Envelope {
        let bytes = fs::read(self.repository.disk().path(file)).expect("a role's file");
        Envelope::parse(&bytes, u64::MAX).expect("an envelope")
    }

    fn signers(&self, view: &View, role: &str) -> Vec<Ed25519Signer> {
        let keys: &KeyFolder = self.repository.keys();
        keys.signers(role, view.keys_of(role).expect("a role of the repository")).expect("the role's keys")
    }

    fn sign(&self, view: &View, role: &str, signed: &Value) -> Vec<u8> {
        let signers = self.signers(view, role);
        Envelope::sign(signed, &signers.iter().map(|signer| signer as &dyn Signer).collect::<Vec<_>>()).expect("a signed role")
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        fs::write(self.repository.disk().path(file), bytes).expect("a role's file written");
    }
}

/// Sets the modification time of a file, in seconds since 1970 UTC.
pub fn set_time(path: &Path, seconds: i64) {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
    let file = File::options().write(true).open(path).expect("the file opens");
    file.set_times(FileTimes::new().set_modified(time)).expect("its time is set");
}

fn version_of(signed: &Value) -> NonZeroU64 {
    signed["version"].as_u64().and_then(NonZeroU64::new).expect("a version")
}

fn bump(signed: &mut Value) {
    signed["version"] = json!(version_of(signed).get() + 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::PublishError;

    #[test]
    fn a_published_release_is_found_again() {
        let test = TestRepository::new();
        let published = test.publish_files(&[("a", b"1")], "1.0.0");
        let id = ChannelId::from_target_path(CHANNEL).unwrap();
        assert_eq!(test.view().channels[&id].current().unwrap().sequence, published.sequence);
    }

    #[test]
    fn rotations_leave_a_repository_that_verifies() {
        let test = TestRepository::new();
        for role in ["timestamp", "snapshot", "targets", "root"] {
            test.rotate(role);
            test.publish_files(&[("a", role.as_bytes())], "1.0.0");
        }
        assert_eq!(test.view().root_pin.version, 5);
        assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems, []);
    }

    #[test]
    fn edits_that_are_signed_pass_and_a_wrong_key_does_not() {
        let test = TestRepository::new();
        test.set_timestamp_version(9_000_000_000);
        assert_eq!(test.view().timestamp.unwrap().version(), 9_000_000_000);
        test.expire("linux", test.now());
        assert_eq!(test.repository().verify(test.now(), &Silent).unwrap().problems.len(), 1);
        test.sign_with_wrong_key("snapshot");
        assert!(matches!(test.repository().view(), Err(PublishError::View(_))));
    }
}
