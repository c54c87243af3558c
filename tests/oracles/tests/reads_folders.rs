//! python-tuf and sigstore-tuf read what self-publishing folders release, and nothing that a thief of a folder's key lists elsewhere.

use std::fs;
use std::sync::Arc;

use oracles::python::Python;
use oracles::sigstore::{self, Served};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_tuf::MemoryStore;
use system_tests::forge::Forge;
use system_tests::server::Server;
use system_tests::world::{Repository, T0, World, noise};

/// The role of the folder, and what it may release.
const ROLE: &str = "folder.windows.client.any.stable";
const OWN: &str = "windows/client/any/stable.json";
/// Channels that it may not, released by others or by nobody.
const OTHERS: [&str; 3] = ["windows/client/x86_64/stable.json", "windows/client/any/beta.json", "linux/client/any/stable.json"];

fn publish(world: &World, repository: &Repository<'_>, arch: &str, number: u64) {
    let build = world.build(&format!("build-{arch}-{number}"));
    build.exec("client.exe", noise(number, 4_000), T0);
    repository.publish_with(&build, &["--os", "windows", "--arch", arch, "--build", &format!("{number}.0")]).succeeded("manifests publish");
}

/// What the two find at `path`: the digest of its bytes.
fn found(repository: &Repository<'_>, server: &Server, python: &mut Python, path: &str) -> (Option<String>, Option<String>) {
    let base = format!("http://{}/repo/acme/", server.address());
    let root = fs::read(repository.dir.join("metadata/1.root.json")).expect("root 1");
    let answer = python.ask("visit", json!({ "base": base, "root": hex::encode(&root), "targets": [path] }));
    let python = match &answer["got"][path] {
        Value::String(digest) => Some(digest.clone()),
        Value::Null if answer["refused"].is_null() => None,
        _ => panic!("python-tuf says {answer}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let now = i64::try_from(now).expect("an era");
    let visit = sigstore::visit(Served::at(&base), &root, Arc::new(MemoryStore::new()), now, path);
    let sigstore = match runtime.block_on(visit) {
        Ok(bytes) => Some(hex::encode(Sha256::digest(bytes))),
        Err(sigstore_tuf::Error::TargetNotFound(_)) => None,
        Err(error) => panic!("sigstore-tuf says {error}"),
    };
    (python, sigstore)
}

#[test]
fn a21_others_find_a_folders_releases_and_nothing_that_its_thief_lists_for_another_channel() {
    let world = World::new();
    let repository = world.repository("acme");
    publish(&world, &repository, "x86_64", 1);
    publish(&world, &repository, "any", 2);
    let server = world.serve(&repository);
    let mut python = Python::start();
    let before = found(&repository, &server, &mut python, OWN);
    let folder =
        |what: &str| repository.manifests(&["folders", what, repository.text(), "--product", "client", "--os", "windows", "--arch", "any"]);
    folder("add").succeeded("folders add");
    assert_eq!(found(&repository, &server, &mut python, OWN), before, "the channel passes to its folder as it is");
    publish(&world, &repository, "any", 3);
    let after = found(&repository, &server, &mut python, OWN);
    assert!(after != before && after.0.is_some() && after.0 == after.1, "{after:?}");

    let honest = OTHERS.map(|path| found(&repository, &server, &mut python, path));
    assert!(honest[0].0.is_some() && honest[1..].iter().all(|found| *found == (None, None)), "{honest:?}");
    let forge = Forge::of(&repository);
    let mut thiefs = forge.channel_of(ROLE, OWN);
    thiefs["releases"][0]["notes"] = json!("a thief's");
    for path in OTHERS {
        forge.publish_channel(ROLE, path, &thiefs);
    }
    assert_eq!(OTHERS.map(|path| found(&repository, &server, &mut python, path)), honest);
    // Its own channel is another matter: that is what the key is for.
    forge.publish_channel(ROLE, OWN, &thiefs);
    let forged = found(&repository, &server, &mut python, OWN);
    assert!(forged != after && forged.0.is_some() && forged.0 == forged.1, "{forged:?}");

    folder("remove").succeeded("folders remove");
    publish(&world, &repository, "any", 4);
    let last = found(&repository, &server, &mut python, OWN);
    assert!(last.0.is_some() && last.0 == last.1, "{last:?}");
    assert_eq!(found(&repository, &server, &mut python, OTHERS[0]), honest[0]);
}
