//! What `manifests` publishes and `update-server` serves, python-tuf and sigstore-tuf read: over HTTP, from root 1, byte for byte, through releases, refreshes and rotations; and they
//! refuse it when it has expired.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use manifests::build::Build;
use manifests::name::ChannelId;
use manifests::publish::PublishRequest;
use manifests::publish::Silent;
use manifests::testing::{CHANNEL, TestRepository};
use manifests::time::UtcTime;
use oracles::ours::in_memory;
use oracles::python::Python;
use oracles::sigstore::{self, Served};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_tuf::MemoryStore;
use system_tests::world::{T0, World};

const POLICY: &str = "policy.json";

/// The two judges, each with what it has trusted so far.
struct Judges {
    python: Python,
    store: tempfile::TempDir,
    sigstore: Arc<MemoryStore>,
    runtime: tokio::runtime::Runtime,
}

/// What a judge got: SHA-256 by target path; or why it refused.
type Got = Result<BTreeMap<String, String>, String>;

impl Judges {
    fn new() -> Judges {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Judges { python: Python::start(), store: in_memory(), sigstore: Arc::new(MemoryStore::new()), runtime }
    }

    /// Both refresh from `base`, starting from `root` and what they have, and download `targets`.
    fn visit(&mut self, base: &str, root: &[u8], targets: &[&str], now: UtcTime) -> [Got; 2] {
        let question = json!({"base": base, "root": hex::encode(root), "targets": targets, "now": now, "store": self.store.path()});
        let answer = self.python.ask("visit", question);
        let python = match answer["refused"].as_str() {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(serde_json::from_value(answer["got"].clone()).expect("every target is listed")),
        };
        let sigstore = targets.iter().map(|path| {
            let bytes = self.runtime.block_on(sigstore::visit(Served::at(base), root, self.sigstore.clone(), now.unix(), path));
            bytes.map(|bytes| ((*path).to_owned(), hex::encode(Sha256::digest(bytes)))).map_err(|error| error.to_string())
        });
        [python, sigstore.collect()]
    }

    /// Both get exactly what lies in the repository.
    #[track_caller]
    fn read(&mut self, base: &str, repository: &Path, targets: &[&str], now: UtcTime) {
        let root = fs::read(repository.join("metadata/1.root.json")).expect("root 1");
        let expected: BTreeMap<String, String> = targets.iter().map(|path| ((*path).to_owned(), on_disk(repository, path))).collect();
        for (judge, got) in ["python-tuf", "sigstore-tuf"].into_iter().zip(self.visit(base, &root, targets, now)) {
            assert_eq!(got.as_ref(), Ok(&expected), "{judge}");
        }
    }
}

/// The SHA-256 of the file that the newest metadata names for a target path.
fn on_disk(repository: &Path, path: &str) -> String {
    let role = path.split_once('/').map_or("targets", |(os, _)| os);
    let newest = fs::read_dir(repository.join("metadata")).expect("metadata").filter_map(|entry| {
        let name = entry.expect("an entry").file_name().into_string().expect("plain names");
        let (version, rest) = name.split_once('.')?;
        (rest == format!("{role}.json")).then(|| Some((version.parse::<u64>().ok()?, name.clone())))?
    });
    let (_, file) = newest.max().unwrap_or_else(|| panic!("no file of {role}"));
    let content: Value = serde_json::from_slice(&fs::read(repository.join("metadata").join(file)).expect("a role")).expect("JSON");
    let listed = content["signed"]["targets"][path]["hashes"]["sha256"].as_str().unwrap_or_else(|| panic!("`{path}` is listed"));
    let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
    hex::encode(Sha256::digest(fs::read(repository.join("targets").join(folder).join(format!("{listed}.{name}"))).expect("the target")))
}

fn now() -> UtcTime {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    UtcTime::from_unix(i64::try_from(elapsed.as_secs()).expect("an instant"))
}

/// The programs, as a publisher runs them.
#[test]
fn what_manifests_publishes_is_read_by_python_tuf_and_sigstore_tuf() {
    let world = World::new();
    let repository = world.repository("acme");
    let server = world.serve(&repository);
    let base = format!("http://{}/repo/acme/", server.address());
    let mut judges = Judges::new();
    judges.read(&base, &repository.dir, &[POLICY], now());

    let build = world.build("build");
    build.file("client", "one", T0);
    for os in ["linux", "windows", "macosx"] {
        repository.publish_with(&build, &["--build", "1.0.0", "--os", os, "--allow", "no-app-bundle"]).succeeded("manifests publish");
    }
    // A `+` in a path: written as it is by others, as `%2B` by us.
    let variant = ["--build", "1.0.0", "--variant", "imMW_Face"];
    repository.publish_with(&build, &variant).succeeded("manifests publish");
    let all = [
        POLICY,
        "linux/client/x86_64/stable.json",
        "linux/client/x86_64+imMW_Face/stable.json",
        "windows/client/x86_64/stable.json",
        "macosx/client/x86_64/stable.json",
    ];
    judges.read(&base, &repository.dir, &all, now());

    for number in 1..8 {
        build.file("client", format!("release {number}"), T0 + number);
        repository.publish(&build, &format!("1.{number}.0"));
        judges.read(&base, &repository.dir, &all, now());
    }
    let release = ["--product", "client", "--os", "linux", "--reason", "a test", repository.text(), "3"];
    repository.manifests(&[&["withdraw"], &release[..]].concat()).succeeded("manifests withdraw");
    repository.manifests(&["refresh", repository.text()]).succeeded("manifests refresh");
    judges.read(&base, &repository.dir, &all, now());
    // Who comes for the first time sees the same.
    Judges::new().read(&base, &repository.dir, &all, now());
}

/// A root that has seen every key change, for who followed and for who slept.
#[test]
fn rotations_of_every_role_are_followed() {
    let world = World::new();
    let test = TestRepository::new();
    let mut awake = Judges::new();
    let windows = ChannelId::from_target_path("windows/smartclient/x86_64/stable.json").expect("a channel");
    for (number, role) in ["", "root", "timestamp", "snapshot", "targets", "root", "root", "timestamp"].into_iter().enumerate() {
        if !role.is_empty() {
            test.rotate(role);
        }
        test.publish_files(&[("client", role.as_bytes())], &format!("1.{number}.0"));
        let folder = test.folder("windows", &[("client.dat", role.as_bytes())]);
        test.publish(&PublishRequest::new(&folder, windows.clone(), Build::recognise(&format!("1.{number}.0")).expect("a build")));
        let server = world.serve_copy("acme", test.path(), &format!("server-{number}"));
        let base = format!("http://{}/repo/acme/", server.address());
        let targets = [POLICY, CHANNEL, "windows/smartclient/x86_64/stable.json"];
        awake.read(&base, test.path(), &targets, test.now());
        // From root 1, through every root since.
        Judges::new().read(&base, test.path(), &targets, test.now());
    }
    assert_eq!(test.view().root_pin.version, 8);
}

/// What the publisher lets expire, everybody refuses; what it refreshes, everybody reads again.
#[test]
fn what_has_expired_is_refused_until_it_is_refreshed() {
    let world = World::new();
    let mut test = TestRepository::new();
    test.publish_files(&[("client", b"one")], "1.0.0");
    let mut judges = Judges::new();
    let root = test.first_root();
    let serve = |test: &TestRepository, id: &str| {
        let server = world.serve_copy("acme", test.path(), id);
        (format!("http://{}/repo/acme/", server.address()), server)
    };
    let (base, _server) = serve(&test, "fresh");
    judges.read(&base, test.path(), &[POLICY, CHANNEL], test.now());
    test.pass_days(8);
    for got in judges.visit(&base, &root, &[CHANNEL], test.now()) {
        let reason = got.expect_err("the timestamp is a week old");
        assert!(reason.to_lowercase().contains("expired"), "{reason}");
    }
    test.repository().refresh(test.now(), &Silent).expect("refreshed");
    let (base, _server) = serve(&test, "refreshed");
    judges.read(&base, test.path(), &[POLICY, CHANNEL], test.now());

    // And what a thief of its keys does, nobody takes.
    test.edit_role("linux", |signed| signed["targets"][CHANNEL]["hashes"]["sha256"] = json!("00".repeat(32)));
    test.tamper("metadata/timestamp.json", |bytes| {
        *bytes = String::from_utf8_lossy(bytes).replace("\"timestamp\"", "\"Timestamp\"").into_bytes()
    });
    let (base, _server) = serve(&test, "tampered");
    for got in judges.visit(&base, &root, &[CHANNEL], test.now()) {
        got.expect_err("the signature does not cover this");
    }
}
