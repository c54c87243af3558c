//! Valid documents to begin from: the frozen good ones of `tests/vectors`, and a chain of signed roles with keys from fixed seeds.

use std::sync::OnceLock;

use manifests::build::{Build, Scheme};
use manifests::key::{Key, Verifier};
use manifests::name::{Arch, Os};
use manifests::release::ReleaseId;
use manifests::signed::Envelope;
use manifests::signer::{Ed25519Signer, SignError, Signer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::script::Script;

/// When everything happens: within the life of every sample.
pub const NOW: &str = "2026-11-21T10:00:00Z";
/// Edits that one script makes at most: what takes more than these, is found in another way.
pub const MOST_EDITS: usize = 8;
/// Longest document that a target reads, in bytes.
pub const LIMIT: u64 = 1 << 20;

/// The target path that the channel document is asked for by.
pub const CHANNEL_PATH: &str = "windows/smartclient/x86_64+imMW_Face/stable.json";
/// A channel document with every field.
pub const CHANNEL: &str = include_str!("../../vectors/good-channel-full.json");
/// A policy with every field.
pub const POLICY: &str = include_str!("../../vectors/good-policy-full.json");
/// An install document with every field.
pub const INSTALL: &str = include_str!("../../vectors/good-install-full.json");
/// A release manifest with every field, not compressed.
pub const MANIFEST: &str = include_str!("../../vectors/good-manifest-full.json");
/// A ratchet with every field.
pub const RATCHET: &str = include_str!("../../vectors/good-ratchet-full.json");
/// A station with every field.
pub const STATION: &str = include_str!("../../vectors/good-station-full.json");
/// A report with every field, signed by the key of the seed of ones.
pub const REPORT: &str = include_str!("../../vectors/good-report-full.json");
/// The plan of a swap with every operation: the first line of a journal, without its check.
pub const JOURNAL: &str = include_str!("../../vectors/good-plan-full.json");

/// A line of the history.
pub fn attempt() -> String {
    let plan: Value = serde_json::from_str(JOURNAL).expect("a sample is JSON");
    plan["attempt"].to_string()
}

/// A dictionary of raw content.
pub const RAW_DICTIONARY: &[u8] = b"[config]\nserver=appserver.example\nport=1234\nenvironment=production\n[drivers]\nactive=tcp\n";

/// What [`MANIFEST`] is of.
pub fn release_id() -> ReleaseId {
    let (product, variant) = ("smartclient".parse().expect("a name"), Some("imMW_Face".parse().expect("a variant")));
    let build = Build::parse("17.3.0.14", Scheme::Dotted).expect("a build");
    ReleaseId { product, os: Os::Linux, arch: Arch::X86_64, variant, build }
}

/// `base`, edited and perhaps damaged by `script`.
pub fn edited(base: &str, script: &mut Script<'_>) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(base).expect("a sample is JSON");
    let damages = usize::from(script.byte().is_multiple_of(16));
    for _ in 0..MOST_EDITS {
        if script.is_over() {
            break;
        }
        script.edit(&mut value);
    }
    let mut bytes = serde_json::to_vec(&value).expect("a value is JSON");
    (0..damages).for_each(|_| script.damage(&mut bytes));
    bytes
}

/// A dictionary in the trained format, made once from fixed samples.
pub fn trained_dictionary() -> Vec<u8> {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let samples: Vec<String> = (0..400)
            .map(|n| format!("[station-{n}]\nserver=app{}.example\nport={}\nenvironment={}\n", n % 7, 1000 + n, n * n % 97))
            .collect();
        zstd::dict::from_samples(&samples, 2048).expect("enough samples to train with")
    };
    MADE.get_or_init(make).clone()
}

/// Some content, and a frame of it that was made with `dictionary`.
pub fn frame(dictionary: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let content = b"[station-401]\nserver=app2.example\nport=1401\nenvironment=75\n".repeat(3);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(1, dictionary).expect("a compressor");
    compressor.set_parameter(zstd::zstd_safe::CParameter::DictIdFlag(false)).expect("a parameter");
    let stored = compressor.compress(&content).expect("compressed in memory");
    (content, stored)
}

/// With what a chain is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Real signatures.
    Ed25519,
    /// [`Seal`]s.
    Seal,
}

/// Stands for a signature: the digest of the public key and the message. Anybody can make one, which is the point.
#[derive(Debug, Clone, Copy)]
pub struct Seal;

impl Seal {
    /// The seal of the key with this public half over `message`.
    pub fn over(public: &str, message: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(public).chain_update(message).finalize().into()
    }
}

impl Verifier for Seal {
    fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        signature == Seal::over(key.public(), message)
    }
}

struct SealSigner<'a>(&'a Key);

impl Signer for SealSigner<'_> {
    fn key(&self) -> &Key {
        self.0
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(Seal::over(self.0.public(), message).to_vec())
    }
}

/// Holders of keys; the seed of each is its number, 32 times.
const HOLDERS: [(&str, u8); 8] =
    [("root-1", 1), ("root-2", 2), ("root-3", 3), ("root-4", 4), ("targets", 5), ("windows", 6), ("snapshot", 7), ("timestamp", 8)];

fn holder(name: &str) -> &'static Ed25519Signer {
    static ALL: OnceLock<Vec<(&str, Ed25519Signer)>> = OnceLock::new();
    let all = ALL.get_or_init(|| HOLDERS.map(|(name, seed)| (name, Ed25519Signer::from_seed(&Zeroizing::new([seed; 32])))).into());
    &all.iter().find(|(known, _)| *known == name).expect("a holder").1
}

/// Signs `content` with the keys of these holders.
pub fn sign(content: &Value, holders: &[&str], hand: Hand) -> Vec<u8> {
    let keys: Vec<&Ed25519Signer> = holders.iter().map(|name| holder(name)).collect();
    let signed = match hand {
        Hand::Ed25519 => Envelope::sign(content, &keys.iter().map(|key| *key as &dyn Signer).collect::<Vec<_>>()),
        Hand::Seal => {
            let seals: Vec<SealSigner<'_>> = keys.iter().map(|key| SealSigner(key.key())).collect();
            Envelope::sign(content, &seals.iter().map(|seal| seal as &dyn Signer).collect::<Vec<_>>())
        }
    };
    // An edit may have put in what has no canonical form, such as a fraction: then nobody can sign it, and the file is what a liar would send.
    signed.unwrap_or_else(|_| serde_json::to_vec(&json!({"signatures": [], "signed": content})).expect("a value is JSON"))
}

/// The signed parts of a repository's roles, before they are signed.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Root 1: two of three keys.
    pub root: Value,
    /// Root 2: another three keys, two of them the same.
    pub next_root: Value,
    /// Version 7.
    pub timestamp: Value,
    /// Version 5.
    pub snapshot: Value,
    /// Version 3, which delegates to `windows`.
    pub targets: Value,
    /// Version 4, which lists [`CHANNEL`].
    pub windows: Value,
    /// Whether parents keep what they list, whatever becomes of their children.
    pub stale: bool,
}

/// The files of a chain.
#[derive(Debug, Clone)]
pub struct Files {
    /// `1.root.json`
    pub root: Vec<u8>,
    /// `2.root.json`
    pub next_root: Vec<u8>,
    /// `timestamp.json`
    pub timestamp: Vec<u8>,
    /// `5.snapshot.json`
    pub snapshot: Vec<u8>,
    /// `3.targets.json`
    pub targets: Vec<u8>,
    /// `4.windows.json`
    pub windows: Vec<u8>,
}

impl Files {
    /// One of the six.
    pub fn part(&mut self, index: usize) -> &mut Vec<u8> {
        match index {
            0 => &mut self.root,
            1 => &mut self.next_root,
            2 => &mut self.timestamp,
            3 => &mut self.snapshot,
            4 => &mut self.targets,
            _ => &mut self.windows,
        }
    }
}

impl Chain {
    /// A chain of which every file is accepted at [`NOW`].
    pub fn sample() -> Chain {
        static MADE: OnceLock<Chain> = OnceLock::new();
        MADE.get_or_init(|| Chain::at([7, 5, 3, 4])).clone()
    }

    /// What a station may have trusted before [`Chain::sample`].
    pub fn earlier() -> Chain {
        static MADE: OnceLock<Chain> = OnceLock::new();
        MADE.get_or_init(|| Chain::at([6, 4, 2, 3])).clone()
    }

    /// With these versions of timestamp, snapshot, targets and windows.
    fn at([timestamp, snapshot, targets, windows]: [u64; 4]) -> Chain {
        let none = json!({"version": 1});
        let file = json!({"length": CHANNEL.len(), "hashes": {"sha256": hex::encode(Sha256::digest(CHANNEL))}});
        let delegation =
            json!({"name": "windows", "keyids": [key_id("windows")], "threshold": 1, "terminating": true, "paths": ["windows/*/*/*"]});
        let policy = json!({"length": POLICY.len(), "hashes": {"sha256": hex::encode(Sha256::digest(POLICY))}});
        let mut chain = Chain {
            root: root(1, ["root-1", "root-2", "root-3"]),
            next_root: root(2, ["root-2", "root-3", "root-4"]),
            timestamp: role("timestamp", timestamp, json!({"meta": {"snapshot.json": none}})),
            snapshot: role("snapshot", snapshot, json!({"meta": {"targets.json": none, "windows.json": none}})),
            targets: role(
                "targets",
                targets,
                json!({"targets": {"policy.json": policy}, "delegations": {"keys": keys(&["windows"]), "roles": [delegation]}}),
            ),
            windows: role("targets", windows, json!({"targets": {CHANNEL_PATH: file}})),
            stale: false,
        };
        chain.signed_listing(Hand::Ed25519);
        chain
    }

    /// One of the six, as the files are counted.
    pub fn part(&mut self, index: usize) -> &mut Value {
        match index {
            0 => &mut self.root,
            1 => &mut self.next_root,
            2 => &mut self.timestamp,
            3 => &mut self.snapshot,
            4 => &mut self.targets,
            _ => &mut self.windows,
        }
    }

    /// The files, each signed by the keys of its role, and listed by its parent.
    pub fn signed(&self, hand: Hand) -> Files {
        self.clone().signed_listing(hand)
    }

    fn signed_listing(&mut self, hand: Hand) -> Files {
        let windows = sign(&self.windows, &["windows"], hand);
        let targets = sign(&self.targets, &["targets"], hand);
        if !self.stale {
            list(&mut self.snapshot, "windows.json", &self.windows, &windows);
            list(&mut self.snapshot, "targets.json", &self.targets, &targets);
        }
        let snapshot = sign(&self.snapshot, &["snapshot"], hand);
        if !self.stale {
            list(&mut self.timestamp, "snapshot.json", &self.snapshot, &snapshot);
        }
        Files {
            root: sign(&self.root, &["root-1", "root-2"], hand),
            next_root: sign(&self.next_root, &["root-2", "root-3", "root-4"], hand),
            timestamp: sign(&self.timestamp, &["timestamp"], hand),
            snapshot,
            targets,
            windows,
        }
    }
}

/// Says in `parent` what `file` is, where it still has an entry for it.
fn list(parent: &mut Value, name: &str, content: &Value, file: &[u8]) {
    if let Some(entry) = parent.get_mut("meta").and_then(|meta| meta.get_mut(name)) {
        let version = content.get("version").cloned().unwrap_or_default();
        *entry = json!({"version": version, "length": file.len(), "hashes": {"sha256": hex::encode(Sha256::digest(file))}});
    }
}

fn role(kind: &str, version: u64, rest: Value) -> Value {
    let mut role = json!({"_type": kind, "spec_version": "1.0.34", "version": version, "expires": "2027-11-21T10:00:00Z"});
    if let (Some(role), Value::Object(rest)) = (role.as_object_mut(), rest) {
        role.extend(rest);
    }
    role
}

fn root(version: u64, holders: [&str; 3]) -> Value {
    let one = |name| json!({"keyids": [key_id(name)], "threshold": 1});
    let all: Vec<&str> = holders.into_iter().chain(["targets", "snapshot", "timestamp"]).collect();
    let roles = json!({
        "root": {"keyids": holders.map(key_id), "threshold": 2},
        "targets": one("targets"), "snapshot": one("snapshot"), "timestamp": one("timestamp"),
    });
    role("root", version, json!({"consistent_snapshot": true, "keys": keys(&all), "roles": roles}))
}

/// The id of a holder's key.
pub fn key_id(name: &str) -> String {
    holder(name).key_id().to_string()
}

fn keys(holders: &[&str]) -> Value {
    let entry = |name: &&str| (key_id(name), serde_json::to_value(holder(name).key()).expect("a key is JSON"));
    Value::Object(holders.iter().map(entry).collect())
}
