//! Well-formed documents of the wrong shape (B8): wherever a value is replaced or missing, reading ends with a typed error or a value and never with a panic, before signatures and after.

use manifests::channel::ChannelDocument;
use manifests::install_link::{InstallDocument, InstallLink};
use manifests::key::Ed25519Verifier;
use manifests::limits::Limits;
use manifests::name::ChannelId;
use manifests::policy::Policy;
use manifests::release::{Manifest, ReleaseId};
use serde_json::{Value, json};

use crate::repository::{Repository, WINDOWS, sign};
use crate::station::{find, start};

const ROLES: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "windows"];

/// RFC 6901 pointers to every value in `value`, itself included.
fn pointers(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(map) => map.iter().map(|(key, item)| (key.replace('~', "~0").replace('/', "~1"), item)).collect(),
        _ => vec![],
    };
    let deeper = below.into_iter().flat_map(|(step, item)| pointers(item).into_iter().map(move |rest| format!("/{step}{rest}")));
    std::iter::once(String::new()).chain(deeper).collect()
}

/// `document` with another value at `pointer`; with none there, if there is no other.
fn with(document: &Value, pointer: &str, other: Option<&Value>) -> Value {
    let mut document = document.clone();
    match other {
        Some(other) => *document.pointer_mut(pointer).expect("a pointer into it") = other.clone(),
        None => {
            let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
            match document.pointer_mut(parent) {
                Some(Value::Object(map)) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
                Some(Value::Array(items)) => drop(items.remove(last.parse().expect("an index"))),
                _ => {}
            }
        }
    }
    document
}

fn others() -> Vec<Option<Value>> {
    let values = [
        json!(null),
        json!(true),
        json!([]),
        json!([1]),
        json!([null, "x"]),
        json!({}),
        json!({ "x": 1 }),
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("\u{0}\n\u{202e}é"),
        json!("/".repeat(3000)),
    ];
    values.into_iter().map(Some).chain([None]).collect()
}

/// Reads every variant of `document`; gives how many were accepted and how many refused.
fn walk(document: &Value, read: impl Fn(&Value) -> Result<(), String>) -> (usize, usize) {
    read(document).expect("the document as it is");
    let (mut accepted, mut refused) = (0, 0);
    for pointer in pointers(document) {
        for other in others() {
            match read(&with(document, &pointer, other.as_ref())) {
                Ok(()) => accepted += 1,
                Err(message) => {
                    assert!(!message.is_empty() && message.len() < 20_000, "a message for people at {pointer}: {message}");
                    refused += 1;
                }
            }
        }
    }
    (accepted, refused)
}

/// The content of a role.
fn content(repository: &Repository, role: &str) -> Value {
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
fn serve(repository: &Repository, role: &str, file: Vec<u8>) -> Result<(), String> {
    let mut repository = repository.clone();
    repository.replaced.insert(role.into(), file);
    let files = repository.files();
    start(&files.root, Ed25519Verifier, Limits::default()).map_err(|error| error.to_string())?;
    find(&files, WINDOWS).map(drop).map_err(|error| error.to_string())
}

#[test]
fn b8_roles_of_the_wrong_shape_that_are_properly_signed() {
    let mut repository = Repository::new();
    repository.files();
    for role in ROLES {
        let read = |value: &Value| serve(&repository, role, sign(value, &repository.signers(role)));
        let (accepted, refused) = walk(&content(&repository, role), read);
        assert!(accepted > 0 && refused > accepted, "{role}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn b8_roles_of_the_wrong_shape_that_are_not_signed() {
    let mut repository = Repository::new();
    repository.lists_hashes = false;
    let files = repository.files();
    for role in ROLES {
        let file = match role {
            "root" => &files.root,
            "timestamp" => &files.timestamp,
            "snapshot" => &files.snapshot,
            "targets" => &files.targets,
            os => &files.delegated[os],
        };
        let file: Value = serde_json::from_slice(file).expect("JSON");
        let (accepted, refused) = walk(&file, |value| serve(&repository, role, serde_json::to_vec(value).expect("JSON")));
        // Accepted is what changes nothing: an integer that was 1 already.
        assert!(accepted < 40 && refused > 200, "{role}: {accepted} accepted, {refused} refused");
    }
}

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A channel document that uses everything.
fn channel() -> Value {
    let object = json!({ "sha256": SHA256, "length": 1234 });
    let bound = |build: &str| json!({ "scheme": "dotted", "build": build });
    let release = |sequence: u64, probe: Value| {
        json!({
            "sequence": sequence, "build": "17.3.0.14", "scheme": "dotted", "released": "2026-11-21T10:00:00Z", "manifest": object,
            "entry_point": "smartclient.exe",
            "requires": { "server": { "scheme": "totvs", "build": "7.00.170117A" }, "platform": bound("3.4"), "updater": bound("1") },
            "compatible": { "clients": { "min": bound("1"), "max": bound("2") }, "servers": { "min": bound("3") } },
            "security": true, "floor": true, "withdrawn": { "at": "2026-11-22T08:00:00Z", "reason": "crashes at start" },
            "allow_downgrade": true, "approver": "the publisher", "notes": "first line\nsecond line", "probe": probe,
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

fn read_channel(value: &Value) -> Result<ChannelDocument, String> {
    let id = ChannelId::from_target_path("windows/smartclient/x86_64+imMW_Face/stable.json").expect("a target path");
    let parse = |bytes: &[u8]| ChannelDocument::parse(bytes, &id, 1 << 20).map_err(|error| error.to_string());
    let document = parse(&serde_json::to_vec(value).expect("JSON"))?;
    if document.unavailable.is_empty() {
        let again = parse(&document.to_bytes().expect("writable")).expect("what we write, we read");
        assert_eq!(again, document);
    }
    Ok(document)
}

fn policy() -> Value {
    json!({
        "format": 0, "type": "policy", "repository": "acme", "custody": { "root": "offline", "windows": "online" }, "epochs": { "windows": 2 },
        "floors": [{ "os": "windows", "product": "smartclient", "epoch": 1, "sequence": 7, "reason": "two\nlines" }],
        "offline_max_age_days": 90,
        "steering": { "fastest_ramp_seconds": 1, "least_soak_seconds": 2, "least_check_interval_seconds": 300, "longest_check_interval_seconds": 604_800 },
    })
}

fn read_policy(value: &Value) -> Result<(), String> {
    let name = "acme".parse().expect("a name");
    let parse = |bytes: &[u8]| Policy::parse(bytes, &name, 1 << 20).map_err(|error| error.to_string());
    let policy = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&policy.to_bytes().expect("writable")).expect("what we write, we read"), policy);
    Ok(())
}

fn install_document() -> Value {
    json!({
        "format": 0, "type": "install", "product": "smartclient", "channel": "stable", "os": "windows", "arch": "x86_64", "variant": "imMW_Face",
        "content": { "name": "acme", "url": "../repo/acme/", "root": { "version": 1, "sha256": SHA256, "length": 2713 } },
    })
}

fn read_install_document(value: &Value) -> Result<(), String> {
    let link: InstallLink = "https://updates.example/i/shop".parse().expect("a link");
    let parse = |bytes: &[u8]| InstallDocument::parse(bytes, &link, 1 << 20).map_err(|error| error.to_string());
    let document = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&document.to_bytes().expect("writable")).expect("what we write, we read"), document);
    Ok(())
}

/// A manifest that uses everything.
fn manifest() -> Value {
    let file = |path: &str, size: u64, at: Value| json!({ "path": path, "size": size, "mtime": 1_763_683_200, "exec": true, "sha256": SHA256, "config": "new-beside", "at": at });
    json!({
        "format": 0, "type": "manifest", "product": "smartclient", "os": "linux", "arch": "x86_64", "variant": "plain", "build": "17.3.0.14",
        "scheme": "dotted", "dictionaries": [{ "sha256": SHA256, "length": 112_640 }],
        "packs": [{ "sha256": SHA256, "length": 48_211, "dictionary": 0, "frames": [[20_113, 262_144], [28_098, 180_224]] }],
        "files": [file("bin/client", 4096, json!([0, 131_072])), file("bin/tool", 10, json!([0, 0]))],
        "links": [{ "path": "current", "target": "bin/client" }], "directories": ["empty/deep"], "removed": ["gone.txt"],
    })
}

fn read_manifest(value: &Value) -> Result<(), String> {
    let id = ReleaseId {
        product: "smartclient".parse().expect("a name"),
        os: "linux".parse().expect("an OS"),
        arch: "x86_64".parse().expect("an arch"),
        variant: Some("plain".parse().expect("a variant")),
        build: manifests::build::Build::recognise("17.3.0.14").expect("a build"),
    };
    let stored = |json: &[u8]| zstd::bulk::compress(json, 1).expect("compressed in memory");
    let parse = |json: &[u8]| Manifest::parse(&stored(json), &id, &Limits::default()).map_err(|error| error.to_string());
    let manifest = parse(&serde_json::to_vec(value).expect("JSON"))?;
    assert_eq!(parse(&manifest.to_json().expect("writable")).expect("what we write, we read"), manifest);
    Ok(())
}

#[test]
fn b8_documents_of_the_wrong_shape() {
    let walks = [
        ("channel", walk(&channel(), |value| read_channel(value).map(drop))),
        ("policy", walk(&policy(), read_policy)),
        ("install", walk(&install_document(), read_install_document)),
        ("manifest", walk(&manifest(), read_manifest)),
    ];
    for (name, (accepted, refused)) in walks {
        assert!(accepted > 10 && refused > 150, "{name}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn a_present_null_is_refused_wherever_a_field_is_known() {
    let mut taken = Vec::new();
    let mut check = |name: &str, document: &Value, read: &dyn Fn(&Value) -> bool| {
        let nulled = pointers(document).into_iter().filter(|pointer| read(&with(document, pointer, Some(&Value::Null))));
        taken.extend(nulled.map(|pointer| format!("{name} {pointer}")));
    };
    check("channel", &channel(), &|value| read_channel(value).is_ok_and(|document| document.unavailable.is_empty()));
    check("policy", &policy(), &|value| read_policy(value).is_ok());
    check("install", &install_document(), &|value| read_install_document(value).is_ok());
    check("manifest", &manifest(), &|value| read_manifest(value).is_ok());
    let mut repository = Repository::new();
    repository.files();
    for role in ROLES {
        check(role, &content(&repository, role), &|value| serve(&repository, role, sign(value, &repository.signers(role))).is_ok());
    }
    assert_eq!(taken, Vec::<String>::new(), "docs/format.md section 1");
}

#[test]
fn texts_for_people_may_have_lines() {
    let document = read_channel(&channel()).expect("a good document");
    assert_eq!(document.releases[0].notes.as_deref(), Some("first line\nsecond line"));
    read_policy(&policy()).expect("a good policy");
}
