//! After every `manifests keys …` command python-tuf and sigstore-tuf, which start from root 1 each time, read all that is served.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use oracles::python::Python;
use oracles::sigstore::{self, Served};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_tuf::MemoryStore;
use system_tests::server::Server;
use system_tests::world::{Repository, T0, World, noise};

/// Releases for three systems, two channels and a variant.
fn publish(world: &World, repository: &Repository<'_>, number: u64) {
    let build = world.build(&format!("build-{number}"));
    build.exec("client", noise(number, 4_000), T0);
    let version = format!("{number}.0.0");
    for more in [
        &["--os", "linux"][..],
        &["--os", "windows"],
        &["--os", "windows", "--channel", "beta"],
        &["--os", "macosx", "--arch", "aarch64", "--allow", "no-app-bundle"],
        &["--os", "windows", "--variant", "imMW_Face"],
    ] {
        let source = build.dir.to_str().expect("UTF-8").to_owned();
        let arguments = ["publish", &source, "--repo", repository.text(), "--product", "client", "--build", &version];
        repository.manifests(&[&arguments[..], more].concat()).succeeded("manifests publish");
    }
}

/// Every target that is served, with the digest of its bytes: read from the disk, by the names that only current targets have.
fn targets(repository: &Repository<'_>) -> BTreeMap<String, String> {
    let mut listed = BTreeMap::new();
    let mut newest: BTreeMap<String, (u64, Value)> = BTreeMap::new();
    for entry in fs::read_dir(repository.dir.join("metadata")).expect("the metadata") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
        let Some((version, role)) = name.split_once('.').filter(|(version, _)| version.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        let version: u64 = version.parse().expect("a version");
        if newest.get(role).is_none_or(|(known, _)| *known < version) {
            let role_file: Value = serde_json::from_slice(&fs::read(&path).expect("a role")).expect("JSON");
            newest.insert(role.to_owned(), (version, role_file));
        }
    }
    for (_, role) in newest.into_values() {
        for (path, file) in role["signed"]["targets"].as_object().into_iter().flatten() {
            listed.insert(path.clone(), file["hashes"]["sha256"].as_str().expect("a digest").to_owned());
        }
    }
    listed
}

fn both_read_all(what: &str, repository: &Repository<'_>, server: &Server, python: &mut Python) {
    let base = format!("http://{}/repo/acme/", server.address());
    let root = fs::read(repository.dir.join("metadata/1.root.json")).expect("root 1");
    let wanted = targets(repository);
    let answer = python.ask("visit", json!({ "base": base, "root": hex::encode(&root), "targets": wanted.keys().collect::<Vec<_>>() }));
    assert_eq!(answer["got"], json!(wanted), "{what}: python-tuf says {answer}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let now =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()).expect("an era");
    for (path, digest) in &wanted {
        let visit = sigstore::visit(Served::at(&base), &root, Arc::new(MemoryStore::new()), now, path);
        let bytes = runtime.block_on(visit).unwrap_or_else(|error| panic!("{what}: sigstore-tuf refuses `{path}`: {error}"));
        assert_eq!(hex::encode(Sha256::digest(bytes)), *digest, "{what}: sigstore-tuf, `{path}`");
    }
}

#[test]
fn new_clients_read_everything_after_each_rotation_and_after_a_revocation() {
    let world = World::new();
    let repository = world.repository("acme");
    publish(&world, &repository, 1);
    let server = world.serve(&repository);
    let mut python = Python::start();
    both_read_all("a first release everywhere", &repository, &server, &mut python);
    for number in 2..=6 {
        publish(&world, &repository, number);
    }
    both_read_all("many releases", &repository, &server, &mut python);
    let repo = repository.text();
    repository.manifests(&["keys", "rotate", repo, "root", "--add", "2", "--threshold", "2"]).succeeded("keys rotate");
    for role in ["targets", "snapshot", "timestamp", "windows", "linux", "root"] {
        repository.manifests(&["keys", "rotate", repo, role]).succeeded("keys rotate");
        both_read_all(&format!("{role} rotated"), &repository, &server, &mut python);
    }
    publish(&world, &repository, 7);
    repository.manifests(&["keys", "revoke", repo, "linux", "snapshot", "timestamp"]).succeeded("keys revoke");
    repository.manifests(&["refresh", repo]).succeeded("refresh");
    both_read_all("a revocation, a release and a refresh", &repository, &server, &mut python);
}
