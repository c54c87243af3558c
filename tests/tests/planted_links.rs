//! Links planted wherever the updater reads or writes, by somebody who wants it to write, read or delete elsewhere (attacks F1 to F3): what lies outside the folder is never touched.
//!
//! The outside holds the very files that were moved away, so that an updater that follows a link finds what it expects there. The oracle is a walk of the outside before and after.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use system_tests::server::Server;
use system_tests::station::{Outcome, Station};
use system_tests::tree::Tree;
use system_tests::world::{Build, Repository, T0, World, copy_tree, noise};

struct Site<'a> {
    /// A station on 2.0.0 with one backup, while 3.0.0 waits; copied for each case.
    start: Station,
    v2: Tree,
    v3: Tree,
    world: &'a World,
    _repository: Repository<'a>,
    _server: Server,
}

impl<'a> Site<'a> {
    fn new(world: &'a World) -> Site<'a> {
        let repository = world.repository("acme");
        let build = |n: u64| {
            let build = world.build(&format!("v{n}"));
            build.exec("client", noise(n, 30_000), T0).file("lib/a.so", noise(10 + n, 30_000), T0).file(
                "lib/same.so",
                noise(7, 30_000),
                T0,
            );
            build.file(&format!("old/{n}/gone.txt"), noise(20 + n, 3_000), T0).file("app.ini", "a=1\n", T0);
            build
        };
        let (v1, v2, v3) = (build(1), build(2), build(3));
        let publish = |build: &Build, version: &str| {
            repository.publish_with(build, &["--build", version, "--extras", "remove-owned"]).succeeded("manifests publish");
        };
        publish(&v1, "1.0.0");
        let server = world.serve(&repository);
        let start = world.station("start");
        start.install(&world.link(&server));
        publish(&v2, "2.0.0");
        start.update().exits(0);
        publish(&v3, "3.0.0");
        Site { start, v2: v2.tree(), v3: v3.tree(), world, _repository: repository, _server: server }
    }

    /// A copy of the station, and an empty folder outside it.
    fn case(&self, name: &str) -> (Station, PathBuf) {
        let place = self.world.path(&format!("case-{}", name.replace(['/', '.', ' '], "_")));
        fs::create_dir_all(place.join("outside")).expect("made");
        let station = Station::at(place.join("client"));
        copy_tree(&self.start.dir, &station.dir);
        (station, place.join("outside"))
    }

    /// A success is the new build, whole. (Folders that became empty stay.)
    #[track_caller]
    fn assert_whole(&self, station: &Station, outcome: &Outcome, what: &str) {
        let report = outcome.finished.report();
        assert!(!outcome.finished.stderr.contains("panicked"), "{what}\n{report}");
        let tree = station.tree();
        if outcome.code == 0 {
            tree.without("old/1").without("old/2").assert_is(&self.v3, &format!("{what}\n{report}"));
        }
    }
}

/// All that lies outside, with the times to the nanosecond.
fn outside_of(at: &Path) -> (Tree, Vec<(PathBuf, i64, i64, u64)>) {
    let (mut folders, mut times) = (vec![at.to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").path()) {
            let stat = fs::symlink_metadata(&path).expect("there");
            if stat.is_dir() {
                folders.push(path.clone());
            } else {
                times.push((path, stat.mtime(), stat.mtime_nsec(), stat.ino()));
            }
        }
    }
    times.sort();
    (Tree::read(at), times)
}

/// Every place where the updater reads or writes; those that a running station does not have are planted as links to nothing.
const PLACES: [&str; 26] = [
    "client",
    "lib",
    "lib/a.so",
    "old",
    "old/2",
    ".updater",
    ".updater/staging",
    ".updater/parts",
    ".updater/trash",
    ".updater/backup",
    ".updater/found",
    ".updater/trust",
    ".updater/trust/content",
    ".updater/installed",
    ".updater/installed.next",
    ".updater/manifest",
    ".updater/manifest.next",
    ".updater/journal",
    ".updater/history.jsonl",
    ".updater/ratchet.json",
    ".updater/station.json",
    ".updater/lock",
    "bkp_remote.001",
    "bkp_remote.001/lib",
    "bkp_remote.001/.updater/files",
    "bkp_remote.002",
];

#[test]
fn f1_a_link_at_any_place_leads_no_update_rollback_or_repair_outside() {
    let world = World::in_memory();
    let site = Site::new(&world);
    let mut refused = 0;
    for place in PLACES {
        for command in [&["update", "--yes"][..], &["rollback"], &["verify", "--repair"], &["status"], &["uninstall"]] {
            let what = format!("{} through {place}", command[0]);
            let (station, outside) = site.case(&what);
            let (at, moved) = (station.file(place), outside.join("there"));
            if at.exists() {
                fs::rename(&at, &moved).expect("moved away");
            }
            symlink(&moved, &at).expect("planted");
            fs::write(outside.join("precious"), "not ours").expect("written");
            let before = outside_of(&outside);
            let outcome = station.run(command);
            if command[0] == "update" {
                site.assert_whole(&station, &outcome, &what);
            }
            refused += u32::from(outcome.code != 0);
            assert!(!outcome.finished.stderr.contains("panicked"), "{what}\n{}", outcome.finished.report());
            assert!(outside_of(&outside) == before, "{what}: something outside has changed\n{}", outcome.finished.report());
            fs::remove_dir_all(outside.parent().expect("the case")).expect("removed");
        }
    }
    assert!(refused > 20, "{refused} were refused: the others did not need the link");
}

#[test]
fn f1_a_second_name_outside_of_any_file_of_ours_is_never_written_to() {
    let world = World::in_memory();
    let site = Site::new(&world);
    for place in PLACES {
        let (station, outside) = site.case(place);
        let at = station.file(place);
        if !at.is_file() {
            continue;
        }
        fs::hard_link(&at, outside.join("second name")).expect("linked");
        let before = outside_of(&outside);
        for command in [&["update", "--yes"][..], &["verify", "--repair"], &["rollback"], &["update", "--yes"]] {
            let outcome = station.run(command);
            assert!(!outcome.finished.stderr.contains("panicked"), "{place}\n{}", outcome.finished.report());
            assert!(outside_of(&outside) == before, "{place}, {}: the other name has changed\n{}", command[0], outcome.finished.report());
        }
        fs::remove_dir_all(outside.parent().expect("the case")).expect("removed");
    }
}

#[test]
fn f1_a_live_file_that_became_a_link_is_replaced_itself_and_what_it_led_to_stays() {
    let world = World::in_memory();
    let site = Site::new(&world);
    let (station, outside) = site.case("live");
    fs::rename(station.file("lib/a.so"), outside.join("there")).expect("moved away");
    symlink(outside.join("there"), station.file("lib/a.so")).expect("planted");
    let before = outside_of(&outside);
    station.update().exits(0);
    station.tree().without("old/1").without("old/2").assert_is(&site.v3, "the new build");
    assert!(outside_of(&outside) == before);
}

#[test]
fn f3_what_a_release_no_longer_has_is_removed_and_nothing_else() {
    let world = World::in_memory();
    let site = Site::new(&world);
    let (station, outside) = site.case("removal");
    // The folder of the obsolete file leads elsewhere by now, where a file of the same name and content lies.
    fs::rename(station.file("old/2"), outside.join("two")).expect("moved away");
    symlink(outside.join("two"), station.file("old/2")).expect("planted");
    fs::write(station.file("lib/of-the-user.txt"), "mine").expect("written");
    let before = outside_of(&outside);
    let refused = station.update();
    assert!(outside_of(&outside) == before, "{}", refused.finished.report());
    assert_ne!(refused.code, 0, "an obsolete file behind a link is nobody's to remove");
    assert_eq!(refused.json["error"]["code"], "link-in-tree", "{}", refused.finished.report());
    fs::remove_file(station.file("old/2")).expect("removed");
    fs::rename(outside.join("two"), station.file("old/2")).expect("moved back");
    station.tree().without("lib/of-the-user.txt").without("old/1").assert_is(&site.v2, "nothing was changed");
    // An obsolete file that is its user's by now stays, and what was never ours does.
    fs::write(station.file("old/2/mine-too.txt"), "mine").expect("written");
    station.update().exits(0);
    assert_eq!(fs::read_to_string(station.file("lib/of-the-user.txt")).expect("read"), "mine");
    assert_eq!(fs::read_to_string(station.file("old/2/mine-too.txt")).expect("read"), "mine");
    assert!(!station.file("old/2/gone.txt").exists());
}
