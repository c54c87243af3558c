//! Two successive builds of a real program go out, come on, and are taken back.
//!
//! `tests/run` fetches them (`tests/bench/get_corpus.sh`) and says where they lie: `CORPORA` the folder, `CORPUS` the name.

use std::path::PathBuf;

use system_tests::tree::Tree;
use system_tests::world::{Build, World};

#[test]
fn real_builds_go_from_old_to_new_and_back() {
    let setting = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `tests/run`"));
    let name = setting("CORPUS");
    let folder = PathBuf::from(setting("CORPORA")).join(&name);
    let [old, new] = ["old", "new"].map(|side| Build { dir: folder.join(side) });
    let os = if name.ends_with("-win") {
        "windows"
    } else if name.ends_with("-mac") {
        "macosx"
    } else {
        "linux"
    };

    let world = World::new();
    let repository = world.repository("acme");
    let publish = |build: &Build, version: &str| {
        repository
            .publish_with(build, &["--os", os, "--build", version, "--allow", "no-app-bundle", "--allow", "live-client"])
            .succeeded("manifests publish");
    };
    publish(&old, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    let (old_tree, new_tree) = (old.tree(), new.tree());

    station.run(&["install", &world.link(&server), "--os", os]).exits(0);
    station.tree().assert_is(&old_tree, "installed");
    publish(&new, "2.0.0");
    station.update().exits(0);
    // Files that the new build no longer has stay until a release says that they are to go (D-05).
    let both: Tree = old_tree.clone().overlaid(&new_tree);
    station.tree().assert_is(&both, "updated");
    station.backup(1).assert_is(&old_tree, "backed up");
    station.run(&["verify"]).exits(0);
    station.run(&["rollback"]).exits(0);
    station.tree().assert_is(&old_tree, "taken back");
    station.backup(1).assert_is(&both, "the tree that was left is the newest backup");
    station.run(&["verify"]).exits(0);
    station.assert_nothing_left_over();
    repository.manifests(&["verify", repository.text()]).succeeded("manifests verify");
}
