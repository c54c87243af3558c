//! Signing what a publisher's tools refuse to sign.
//!
//! For the tests in which the publisher's keys, or the server that holds them, are in the wrong hands: the station is the last to check. It reads the
//! repository and the key files as `docs/format.md` describes them and shares no code with the library that wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ed25519_dalek::Signer;
pub use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::Repository;

/// A content repository whose keys we hold.
pub struct Forge<'a> {
    repository: &'a Repository<'a>,
    repo: PathBuf,
    keys: PathBuf,
}

impl Forge<'_> {
    /// For this repository, with its keys in `<repo>.keys` beside it.
    pub fn of<'a>(repository: &'a Repository<'a>) -> Forge<'a> {
        let mut keys = repository.dir.as_os_str().to_owned();
        keys.push(".keys");
        Forge { repository, repo: repository.dir.clone(), keys: keys.into() }
    }

    /// The newest file of a role, as JSON.
    pub fn role(&self, role: &str) -> Value {
        read_json(&self.repo.join("metadata").join(self.newest(role)))
    }

    /// The channel document at this target path, as the newest OS role lists it.
    pub fn channel(&self, target: &str) -> Value {
        self.channel_of(target.split('/').next().expect("a target path begins with an OS"), target)
    }

    /// The same, as the newest file of `role` lists it.
    pub fn channel_of(&self, role: &str, target: &str) -> Value {
        let sha256 = self.role(role)["signed"]["targets"][target]["hashes"]["sha256"].as_str().expect("the target is listed").to_owned();
        read_json(&self.repo.join("targets").join(hashed_name(target, &sha256)))
    }

    /// The release manifest that `release`, an entry of a channel document, names.
    pub fn manifest(&self, release: &Value) -> Value {
        let sha256 = release["manifest"]["sha256"].as_str().expect("a release names its manifest");
        let stored = fs::read(self.object_path(sha256)).expect("the manifest is an object");
        serde_json::from_slice(&zstd::decode_all(stored.as_slice()).expect("a zstd frame")).expect("JSON")
    }

    /// Publishes the newest release at `target` once more, under the next sequence, with its manifest changed by `change`: everything signed as it should be.
    pub fn publish_changed(&self, target: &str, change: impl FnOnce(&mut Value)) {
        let mut channel = self.channel(target);
        let mut release = channel["releases"][0].clone();
        let mut manifest = self.manifest(&release);
        change(&mut manifest);
        let json = serde_json::to_vec(&manifest).expect("JSON can be written");
        let stored = zstd::bulk::compress(&json, 3).expect("compressed in memory");
        let sequence = channel["last_sequence"].as_u64().expect("a number") + 1;
        release["sequence"] = json!(sequence);
        release["manifest"] = json!({"sha256": self.put_object(&stored), "length": stored.len()});
        release["build"] = manifest["build"].clone();
        channel["last_sequence"] = json!(sequence);
        channel["releases"].as_array_mut().expect("an array").insert(0, release);
        self.publish_channel(target.split('/').next().expect("an OS"), target, &channel);
    }

    /// Lists `channel` at `target` in the role `os`, whatever the document says of itself, and signs the chain up to the timestamp.
    pub fn publish_channel(&self, os: &str, target: &str, channel: &Value) {
        let bytes = serde_json::to_vec(channel).expect("JSON can be written");
        let sha256 = hex_sha256(&bytes);
        let path = self.repo.join("targets").join(hashed_name(target, &sha256));
        fs::create_dir_all(path.parent().expect("below targets/")).expect("folder made");
        fs::write(path, &bytes).expect("target written");
        let mut role = self.role(os);
        role["signed"]["targets"][target] = json!({"length": bytes.len(), "hashes": {"sha256": sha256}});
        let role = self.write_next(os, role);
        let mut snapshot = self.role("snapshot");
        snapshot["signed"]["meta"][format!("{os}.json")] = role;
        self.sign_up_from_snapshot(snapshot);
    }

    /// Signs `role` as it is as the next version, and the chain up to the timestamp.
    pub fn sign_up_from_role(&self, role: &str) {
        let listed = self.write_next(role, self.role(role));
        let mut snapshot = self.role("snapshot");
        snapshot["signed"]["meta"][format!("{role}.json")] = listed;
        self.sign_up_from_snapshot(snapshot);
    }

    /// Signs this snapshot as the next version, and a timestamp for it.
    pub fn sign_up_from_snapshot(&self, snapshot: Value) {
        let snapshot = self.write_next("snapshot", snapshot);
        let mut timestamp = self.role("timestamp");
        timestamp["signed"]["meta"]["snapshot.json"] = snapshot;
        self.write_next("timestamp", timestamp);
        self.repository.wait_until_served();
    }

    /// Stores an object and returns its digest.
    pub fn put_object(&self, stored: &[u8]) -> String {
        let sha256 = hex_sha256(stored);
        let path = self.object_path(&sha256);
        fs::create_dir_all(path.parent().expect("below objects/")).expect("folder made");
        fs::write(path, stored).expect("object written");
        sha256
    }

    /// Where the object of this digest is stored.
    pub fn object_path(&self, sha256: &str) -> PathBuf {
        self.repo.join("objects").join(&sha256[..2]).join(sha256)
    }

    /// Makes a new key for a top-level role, has the next root name it in the place of the old one, and signs anew what the role signs, up to the timestamp. Returns the old key.
    pub fn rotate(&self, role: &str) -> SigningKey {
        let (old_file, old) = self.held(role);
        let old_root_key = self.key_for("root");
        let mut file = read_json(&old_file);
        file["roles"] = json!([]);
        fs::write(&old_file, serde_json::to_vec(&file).expect("JSON can be written")).expect("key file written");
        let seed = Sha256::digest(old.to_bytes());
        let new = SigningKey::from_bytes(&seed.into());
        let public = hex::encode(new.verifying_key().as_bytes());
        file["roles"] = json!([role]);
        file["public"] = json!(public);
        file["seed"] = json!(hex::encode(seed));
        let id = key_id(&new);
        fs::write(self.keys.join(format!("{id}.json")), serde_json::to_vec(&file).expect("JSON can be written")).expect("key file written");
        self.next_root(&[&old_root_key, &self.key_for("root")], |root| {
            root["keys"][&id] = key_object(&new);
            root["roles"][role]["keyids"] = json!([id]);
        });
        match role {
            "targets" => {
                let targets = self.write_next("targets", self.role("targets"));
                let mut snapshot = self.role("snapshot");
                snapshot["signed"]["meta"]["targets.json"] = targets;
                self.sign_up_from_snapshot(snapshot);
            }
            "snapshot" => self.sign_up_from_snapshot(self.role("snapshot")),
            _ => self.sign_timestamp(),
        }
        old
    }

    /// Writes the next root, changed by `change` and signed by `keys`, and nothing else.
    pub fn next_root(&self, keys: &[&SigningKey], change: impl FnOnce(&mut Value)) {
        let mut root = self.role("root");
        let version = root["signed"]["version"].as_u64().expect("a version") + 1;
        root["signed"]["version"] = json!(version);
        change(&mut root["signed"]);
        let bytes = signed(root, keys);
        fs::write(self.repo.join("metadata").join(format!("{version}.root.json")), bytes).expect("metadata written");
    }

    /// Signs the timestamp as the next version.
    pub fn sign_timestamp(&self) {
        self.write_next("timestamp", self.role("timestamp"));
        self.repository.wait_until_served();
    }

    /// The bytes of `document` signed by `keys` and nobody else: what a thief of just these keys could serve.
    pub fn signed_by(&self, document: Value, keys: &[&SigningKey]) -> Vec<u8> {
        signed(document, keys)
    }

    /// The private key of a role.
    pub fn key_for(&self, role: &str) -> SigningKey {
        self.held(role).1
    }

    /// Writes `document` as the next version of `role` and returns what its parent says of it.
    fn write_next(&self, role: &str, mut document: Value) -> Value {
        let version = document["signed"]["version"].as_u64().expect("a version") + 1;
        document["signed"]["version"] = json!(version);
        let bytes = signed(document, &[&self.key_for(role)]);
        let name = if role == "timestamp" { "timestamp.json".to_owned() } else { format!("{version}.{role}.json") };
        fs::write(self.repo.join("metadata").join(name), &bytes).expect("metadata written");
        json!({"version": version, "length": bytes.len(), "hashes": {"sha256": hex_sha256(&bytes)}})
    }

    /// The key file of a role, and the key in it.
    fn held(&self, role: &str) -> (PathBuf, SigningKey) {
        let files = fs::read_dir(&self.keys).unwrap_or_else(|e| panic!("no keys at `{}`: {e}", self.keys.display()));
        let mut held = files.map(|entry| entry.expect("listed").path()).map(|path| (read_json(&path), path));
        let key = held.find(|(key, _)| key["roles"].as_array().is_some_and(|roles| roles.contains(&json!(role))));
        let (key, path) = key.unwrap_or_else(|| panic!("no key for {role}"));
        let seed = hex::decode(key["seed"].as_str().expect("a seed")).expect("hex");
        (path, SigningKey::from_bytes(seed.as_slice().try_into().expect("32 bytes")))
    }

    fn newest(&self, role: &str) -> String {
        if role == "timestamp" {
            return "timestamp.json".to_owned();
        }
        let names: BTreeSet<u64> = fs::read_dir(self.repo.join("metadata"))
            .expect("a repository has metadata")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(&format!(".{role}.json"))?.parse().ok())
            .collect();
        format!("{}.{role}.json", names.last().unwrap_or_else(|| panic!("no file of role {role}")))
    }
}

/// `document` with the signatures of exactly these keys, each once. For the ASCII that metadata is made of, the compact form with sorted keys is the canonical one.
fn signed(mut document: Value, keys: &[&SigningKey]) -> Vec<u8> {
    let canonical = serde_json::to_vec(&document["signed"]).expect("JSON can be written");
    let signatures: BTreeMap<String, String> = keys.iter().map(|key| (key_id(key), hex::encode(key.sign(&canonical).to_bytes()))).collect();
    document["signatures"] = signatures.into_iter().map(|(keyid, sig)| json!({"keyid": keyid, "sig": sig})).collect();
    serde_json::to_vec(&document).expect("JSON can be written")
}

/// A key as it stands in a key table.
fn key_object(key: &SigningKey) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": hex::encode(key.verifying_key().as_bytes())}})
}

/// The id of a key: the digest of its canonical JSON.
fn key_id(key: &SigningKey) -> String {
    hex_sha256(&serde_json::to_vec(&key_object(key)).expect("JSON can be written"))
}

/// `windows/p/x86_64/stable.json` → `windows/p/x86_64/<sha256>.stable.json`.
fn hashed_name(target: &str, sha256: &str) -> String {
    match target.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{sha256}.{name}"),
        None => format!("{sha256}.{target}"),
    }
}

fn read_json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("cannot read `{}`: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("`{}` is no JSON: {e}", path.display()))
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
