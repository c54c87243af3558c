//! Somebody with a copy of the public repository and of some key files, and a mirror of his own on which he serves what these keys can sign.
//!
//! What the publisher's tools refuse to sign is signed by [`Forge`], which shares no code with them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use system_tests::forge::{Forge, SigningKey};
use system_tests::server::Server;
use system_tests::world::{Build, PRODUCT, Repository, TARGET, World, copy_tree};

use crate::operator::Operator;

/// The last version, sequence and epoch that there is.
pub(crate) const LAST: u64 = (1 << 53) - 1;

/// A thief.
pub(crate) struct Thief<'a> {
    world: &'a World,
    repository: Repository<'a>,
    keys: PathBuf,
    dir: PathBuf,
}

impl<'a> Thief<'a> {
    /// Copies the public repository of `operator`, and these key files.
    pub(crate) fn steal(world: &'a World, operator: &Operator<'_>, name: &str, key_files: &[PathBuf]) -> Thief<'a> {
        let dir = world.path(name);
        fs::create_dir(&dir).expect("made");
        let (repo, keys) = (dir.join("acme"), dir.join("acme.keys"));
        copy_tree(&operator.repository.dir, &repo);
        fs::create_dir(&keys).expect("made");
        for file in key_files {
            fs::copy(file, keys.join(file.file_name().expect("has a name"))).expect("stolen");
        }
        Thief { world, repository: world.repository_at("acme", &repo), keys, dir }
    }

    /// Brings his copy up to what the publisher serves now, his keys kept: what he tries after he was shut out.
    pub(crate) fn follow(&self, operator: &Operator<'_>) {
        fs::remove_dir_all(&self.repository.dir).expect("removed");
        copy_tree(&operator.repository.dir, &self.repository.dir);
    }

    /// Puts his repository in the place of the publisher's: he had the machine.
    pub(crate) fn replace(&self, operator: &Operator<'_>) {
        fs::remove_dir_all(&operator.repository.dir).expect("removed");
        copy_tree(&self.repository.dir, &operator.repository.dir);
        operator.repository.wait_until_served();
    }

    /// Serves his repository.
    pub(crate) fn serve(&self) -> Server {
        let id = self.dir.file_name().expect("has a name").to_str().expect("text");
        self.world.serve_copy("acme", &self.repository.dir, id)
    }

    pub(crate) fn forge(&self) -> Forge<'_> {
        Forge::of(&self.repository)
    }

    /// Whether the publisher's own tool lets him release `build` with what he has.
    pub(crate) fn publishes(&self, build: &Build, version: &str) -> i32 {
        let folder = build.dir.to_str().expect("text");
        let arguments = ["publish", folder, "--repo", self.repository.text(), "--product", PRODUCT, "--os", "linux", "--arch", "x86_64"];
        self.repository
            .manifests(&[arguments.as_slice(), &["--build", version, "--keys", self.keys.to_str().expect("text")]].concat())
            .code()
    }

    /// Gives his newest release the last number there is, signed by the OS key, in an OS role of the last version there is.
    pub(crate) fn number_last(&self) {
        let forge = self.forge();
        let mut channel = forge.channel(TARGET);
        channel["releases"][0]["sequence"] = json!(LAST);
        channel["last_sequence"] = json!(LAST);
        self.almost_last("linux");
        forge.publish_channel("linux", TARGET, &channel);
    }

    /// Signs snapshot and timestamp as the last versions there are: whoever accepts them takes no other, ever, from the same keys.
    pub(crate) fn end_versions(&self) {
        let forge = self.forge();
        self.almost_last("timestamp");
        let mut snapshot = forge.role("snapshot");
        snapshot["signed"]["version"] = json!(LAST - 1);
        forge.sign_up_from_snapshot(snapshot);
        assert_eq!(forge.role("timestamp")["signed"]["version"], json!(LAST));
    }

    /// Signs the next version of `role`, and all that hangs above it, with whatever keys for it he has, whether they count or not.
    pub(crate) fn sign_anew(&self, role: &str) {
        let forge = self.forge();
        match role {
            "root" => {
                forge.next_root(&[&forge.key_for("root")], |_| {});
                // Roots are looked for when there is a new timestamp.
                forge.sign_timestamp();
            }
            "timestamp" => forge.sign_timestamp(),
            "snapshot" => forge.sign_up_from_snapshot(forge.role("snapshot")),
            _ => forge.sign_up_from_role(role),
        }
        self.repository.wait_until_served();
    }

    /// Signs the next root with every root key that he has, and a timestamp that makes stations look for it.
    pub(crate) fn sign_next_root_with_all(&self) {
        let keys: Vec<SigningKey> = key_files(&self.keys)
            .iter()
            .map(|file| serde_json::from_slice(&fs::read(file).expect("a key file")).expect("JSON"))
            .filter(|key: &Value| key["roles"][0] == "root")
            .map(|key| {
                let seed = hex::decode(key["seed"].as_str().expect("a seed")).expect("hex");
                SigningKey::from_bytes(seed.as_slice().try_into().expect("32 bytes"))
            })
            .collect();
        assert!(keys.len() > 1);
        self.forge().next_root(&keys.iter().collect::<Vec<_>>(), |_| {});
        self.forge().sign_timestamp();
    }

    /// Leaves a file of `role` from which the next version is the last one.
    fn almost_last(&self, role: &str) {
        let mut document: Value = self.forge().role(role);
        document["signed"]["version"] = json!(LAST - 1);
        let name = if role == "timestamp" { "timestamp.json".to_owned() } else { format!("{}.{role}.json", LAST - 1) };
        fs::write(self.repository.dir.join("metadata").join(name), serde_json::to_vec(&document).expect("JSON")).expect("written");
    }
}

/// The key files in a folder.
pub(crate) fn key_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").path()).collect();
    files.sort();
    files
}
