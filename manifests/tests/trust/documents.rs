//! One sample of every document that is signed or named by a signed one, using every field, and the production reader of each.

use manifests::channel::ChannelDocument;
use manifests::install_link::{InstallDocument, InstallLink};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::ChannelId;
use manifests::policy::Policy;
use manifests::release::{Manifest, ReleaseId};
use manifests::trust::TrustError;
use serde_json::{Value, json};

use crate::repository::{Repository, WINDOWS};
use crate::station::{find, start};

/// A role of each kind.
pub(crate) const ROLES: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "windows"];

/// The content of a role.
pub(crate) fn content(repository: &Repository, role: &str) -> Value {
    let content = match role {
        "root" => serde_json::to_value(&repository.root),
        "timestamp" => serde_json::to_value(&repository.timestamp),
        "snapshot" => serde_json::to_value(&repository.snapshot),
        "targets" => serde_json::to_value(&repository.targets),
        os => serde_json::to_value(&repository.delegated[os]),
    };
    content.expect("JSON")
}

/// Serves `file` as `role`, listed as it is, and walks through everything down to a target of `windows`.
pub(crate) fn serve(repository: &Repository, role: &str, file: Vec<u8>) -> Result<(), TrustError> {
    let mut repository = repository.clone();
    repository.replaced.insert(role.into(), file);
    let files = repository.files();
    start(&files.root, Ed25519Verifier, Limits::default())?;
    find(&files, WINDOWS).map(drop)
}

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A channel document that uses everything.
pub(crate) fn channel() -> Value {
    let object = json!({ "sha256": SHA256, "length": 1234 });
    let bound = |build: &str| json!({ "scheme": "dotted", "build": build });
    let release = |sequence: u64, probe: Value| {
        json!({
            "sequence": sequence, "build": "17.3.0.14", "scheme": "dotted", "released": "2026-11-21T10:00:00Z", "manifest": object,
            "entry_point": "smartclient.exe",
            "requires": { "server": { "scheme": "totvs", "build": "7.00.170117A" }, "platform": bound("3.4"), "updater": bound("1") },
            "compatible": { "clients": { "min": bound("1"), "max": bound("2") }, "servers": { "min": bound("3") } },
            "security": true, "floor": true, "withdrawn": { "at": "2026-11-22T08:00:00Z", "reason": "crashes at start" },
            "allow_downgrade": true, "deadline": "2026-11-30T18:00:00Z", "approver": "the publisher", "notes": "first line\nsecond line", "probe": probe,
            "deltas": [{ "from": SHA256, "object": object }],
        })
    };
    json!({
        "format": 0, "type": "channel", "product": "smartclient", "kind": "product", "os": "windows", "arch": "x86_64", "variant": "imMW_Face",
        "channel": "stable", "epoch": 1, "last_sequence": 12,
        "releases": [
            release(12, json!({ "file": "smartclient.exe" })),
            release(11, json!({ "command": ["smartclient.exe", "-version"], "timeout_seconds": 10 })),
            release(10, json!({ "alive_seconds": 60 })),
        ],
    })
}

/// What [`channel`] is of.
pub(crate) fn channel_id() -> ChannelId {
    ChannelId::from_target_path("windows/smartclient/x86_64+imMW_Face/stable.json").expect("a target path")
}

pub(crate) fn read_channel(value: &Value) -> Result<ChannelDocument, String> {
    let parse = |bytes: &[u8]| ChannelDocument::parse(bytes, &channel_id(), 1 << 20).map_err(|error| error.to_string());
    let document = parse(&serde_json::to_vec(value).expect("JSON"))?;
    if document.unavailable.is_empty() {
        let again = parse(&document.to_bytes().expect("writable")).expect("what we write, we read");
        assert_eq!(again, document);
    }
    Ok(document)
}

pub(crate) fn policy() -> Value {
    json!({
        "format": 0, "type": "policy", "repository": "acme", "custody": { "root": "offline", "windows": "online" }, "epochs": { "windows": 2 },
        "floors": [{ "os": "windows", "product": "smartclient", "epoch": 1, "sequence": 7, "reason": "two\nlines" }],
        "offline_max_age_days": 90,
        "steering": { "fastest_ramp_seconds": 1, "least_soak_seconds": 2, "least_check_interval_seconds": 300, "longest_check_interval_seconds": 604_800 },
    })
}

pub(crate) fn read_policy(value: &Value) -> Result<(), String> {
    let name = "acme".parse().expect("a name");
    let parse = |bytes: &[u8]| Policy::parse(bytes, &name, 1 << 20).map_err(|error| error.to_string());
    let policy = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&policy.to_bytes().expect("writable")).expect("what we write, we read"), policy);
    Ok(())
}

pub(crate) fn install_document() -> Value {
    json!({
        "format": 0, "type": "install", "product": "smartclient", "channel": "stable", "os": "windows", "arch": "x86_64", "variant": "imMW_Face",
        "content": { "name": "acme", "url": "../repo/acme/", "root": { "version": 1, "sha256": SHA256, "length": 2713 } },
    })
}

/// A link without a hash, to read [`install_document`] by whatever its bytes are.
pub(crate) fn link() -> InstallLink {
    "https://updates.example/i/shop".parse().expect("a link")
}

pub(crate) fn read_install_document(value: &Value) -> Result<(), String> {
    let parse = |bytes: &[u8]| InstallDocument::parse(bytes, &link(), 1 << 20).map_err(|error| error.to_string());
    let document = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&document.to_bytes().expect("writable")).expect("what we write, we read"), document);
    Ok(())
}

/// A manifest that uses everything.
pub(crate) fn manifest() -> Value {
    let file = |path: &str, size: u64, at: Value| json!({ "path": path, "size": size, "mtime": 1_763_683_200, "exec": true, "sha256": SHA256, "config": "new-beside", "at": at });
    json!({
        "format": 0, "type": "manifest", "product": "smartclient", "os": "linux", "arch": "x86_64", "variant": "plain", "build": "17.3.0.14",
        "scheme": "dotted", "dictionaries": [{ "sha256": SHA256, "length": 112_640 }],
        "packs": [{ "sha256": SHA256, "length": 48_211, "dictionary": 0, "frames": [[20_113, 262_144], [28_098, 180_224]] }],
        "files": [file("bin/client", 4096, json!([0, 131_072])), file("bin/tool", 10, json!([0, 0]))],
        "links": [{ "path": "current", "target": "bin/client" }], "directories": ["empty/deep"], "removed": ["gone.txt"],
    })
}

/// What [`manifest`] is of.
pub(crate) fn release_id() -> ReleaseId {
    ReleaseId {
        product: "smartclient".parse().expect("a name"),
        os: "linux".parse().expect("an OS"),
        arch: "x86_64".parse().expect("an arch"),
        variant: Some("plain".parse().expect("a variant")),
        build: manifests::build::Build::recognise("17.3.0.14").expect("a build"),
    }
}

/// The object in which a manifest of this JSON is stored.
pub(crate) fn stored(json: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(json, 1).expect("compressed in memory")
}

pub(crate) fn read_manifest(value: &Value) -> Result<(), String> {
    let parse = |json: &[u8]| Manifest::parse(&stored(json), &release_id(), &Limits::default()).map_err(|error| error.to_string());
    let manifest = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&manifest.to_json().expect("writable")).expect("what we write, we read"), manifest);
    Ok(())
}
