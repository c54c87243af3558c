//! The updater for Windows updates itself (attack F13): as in `tests/tests/self_update.rs`, with what is different there, where a program that runs is moved aside before another takes its
//! place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use system_tests::server::Server;
use system_tests::station::{Outcome, Station};
use system_tests::tree::sha256_of;
use system_tests::wine::{Wine, client, compile, drive_path};
use system_tests::world::{Repository, T0, World, copy_tree};

use super::{publish, stripped_updater};

/// A program that ended itself as a killed one ends.
const KILLED: i32 = 137;

/// A station whose updater is a copy of its own and follows a repository of updaters.
struct Scene<'a> {
    world: &'a World,
    own: Repository<'a>,
    server: Server,
    /// The updater's file.
    program: PathBuf,
    station: Station,
    /// What it holds at first.
    updater: Vec<u8>,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World) -> Scene<'a> {
        let own = world.repository("updaters");
        let server = world.serve_copy("updaters", &own.dir, "updaters-server");
        let bin = world.path("bin");
        fs::create_dir_all(&bin).expect("made");
        let (program, updater) = (bin.join("updater.exe"), stripped_updater(world));
        fs::write(&program, &updater).expect("written");
        let dir = world.path("client");
        let station = Wine::ready().station(dir.clone()).running(&program, &drive_path(&dir));
        Scene { world, own, server, program, station, updater }
    }

    /// The updater with other bytes after its end.
    fn marked(&self, mark: &str) -> Vec<u8> {
        [&self.updater, mark.as_bytes()].concat()
    }

    /// Publishes `content` as the updater 0.2.0, and follows it.
    fn follow(&self, content: &[u8]) {
        let folder = self.world.build("updater-0.2.0");
        folder.file("updater.exe", content, T0);
        let program = ["--os", "windows", "--product", "updater", "--kind", "updater", "--build", "0.2.0", "--entry-point", "updater.exe"];
        // How small it travels is nothing to these tests, and would be most of their time.
        self.own.publish_with(&folder, &[&program[..], &["--effort", "fast"]].concat()).succeeded("publish");
        self.own_command(&["follow", &self.world.link_of(&self.server, "updater")]).exits(0);
    }

    /// `updater self …`.
    fn own_command(&self, arguments: &[&str]) -> Outcome {
        self.station.run(&[&["self"], arguments].concat())
    }

    fn status(&self) -> Value {
        self.own_command(&["status"]).exits(0).json
    }

    /// A file of the updater's own state.
    fn kept(&self, name: &str) -> PathBuf {
        self.world.path("bin/.updater-self/.updater").join(name)
    }

    fn digest(&self) -> String {
        sha256_of(&self.program)
    }

    /// Starts once more, when no program runs that was moved aside: nothing of it is left.
    fn assert_nothing_left_over(&self, what: &str) {
        assert_eq!(self.own_command(&["update"]).exits(0).text("result"), "nothing-to-do", "{what}");
        let names = |folder: &Path| -> BTreeSet<String> {
            fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&self.kept("self")), BTreeSet::from(["previous".to_owned(), "record.json".to_owned()]), "{what}");
        assert_eq!(names(&self.kept("trash")), BTreeSet::new(), "{what}");
        assert_eq!(names(&self.world.path("bin")), BTreeSet::from([".updater-self".to_owned(), "updater.exe".to_owned()]), "{what}");
    }
}

fn sha256(world: &World, bytes: &[u8]) -> String {
    let path = world.path("hashed");
    fs::write(&path, bytes).expect("written");
    sha256_of(&path)
}

/// A program that passes `self-check` and dies at its first work.
fn dies_at_work(world: &World) -> Vec<u8> {
    let path = world.path("dies_at_work.exe");
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/dies_at_work.c"), &path, &["-s"]);
    fs::read(path).expect("compiled")
}

/// A release of a client: one file.
fn publish_client(world: &World, repository: &Repository<'_>, n: u64) {
    let build = world.build(&format!("client-{n}"));
    publish(repository, build.file("Client.exe", client(n), T0), &format!("{n}.0.0"));
}

#[test]
fn f13_the_updater_moves_itself_aside_and_the_new_one_does_the_work() {
    let world = World::new();
    let scene = Scene::new(&world);
    let clients = world.repository("acme");
    publish_client(&world, &clients, 1);
    let server = world.serve(&clients);
    scene.station.install(&world.link(&server));
    let (old, new) = (scene.digest(), scene.marked("two"));
    scene.follow(&new);
    publish_client(&world, &clients, 2);

    let outcome = scene.station.update().exits(0);
    assert_eq!(outcome.text("result"), "updated", "the client, by the new updater: {}", outcome.finished.report());
    assert_eq!(fs::read(scene.station.file("Client.exe")).expect("there"), client(2));
    assert_eq!(scene.digest(), sha256(&world, &new), "the new updater is at the path");
    assert_eq!(sha256_of(&scene.kept("self/previous")), old, "the one before is kept");
    let status = scene.status();
    assert_eq!((status["build"].as_str(), status["trial"].as_bool()), (Some("0.2.0"), Some(false)), "{status}");
    scene.assert_nothing_left_over("the program that was moved aside goes at a later start");

    scene.own_command(&["rollback"]).exits(0);
    assert_eq!(scene.digest(), old, "taken back");
}

#[test]
fn f13_an_updater_that_dies_at_its_first_work_is_put_back_and_the_work_is_done_all_the_same() {
    let world = World::new();
    let scene = Scene::new(&world);
    let clients = world.repository("acme");
    publish_client(&world, &clients, 1);
    let server = world.serve(&clients);
    scene.station.install(&world.link(&server));
    let old = scene.digest();
    scene.follow(&dies_at_work(&world));
    publish_client(&world, &clients, 2);
    let outcome = scene.station.update().exits(0);
    assert!(outcome.finished.stderr.contains("the old one is back"), "{}", outcome.finished.report());
    assert_eq!(fs::read(scene.station.file("Client.exe")).expect("there"), client(2));
    assert_eq!(scene.digest(), old);
    assert_eq!(scene.status()["blocked"].as_array().map(Vec::len), Some(1), "it is not tried again");
    assert_eq!(scene.own_command(&["update"]).exits(0).text("result"), "nothing-to-do");
}

/// Kills `self update` where it passes the points of the updater's own replacement, each at its first passage and at its last, and has `check` look at what is left; says where.
fn kill_each(scene: &Scene<'_>, check: impl Fn(&str)) -> BTreeSet<String> {
    let (world, bin, template) = (scene.world, scene.world.path("bin"), scene.world.path("template"));
    let with = |name: &str, value: &str| scene.station.with_env(name, value).run(&["self", "update"]);
    assert_eq!(with("STATIONMASTER_FAIL_POINT", "self.next=kill").code, KILLED);
    copy_tree(&bin, &template);
    let again = || {
        fs::remove_dir_all(&bin).expect("removed");
        copy_tree(&template, &bin);
    };
    let log = world.path("passed");
    with("STATIONMASTER_FAULT_PASSAGES", &drive_path(&log));
    let passed = fs::read_to_string(&log).expect("a list");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    // Only the new updater confirms.
    for moment in passed.lines().filter(|moment| moment.starts_with("self.") && !moment.starts_with("self.confirm")) {
        *counts.entry(moment).or_default() += 1;
    }
    let places: BTreeSet<String> = counts.iter().flat_map(|(moment, last)| [format!("{moment}:1"), format!("{moment}:{last}")]).collect();
    for place in &places {
        let kill = |_| {
            again();
            with("STATIONMASTER_FAIL_POINT", &format!("{place}=kill"))
        };
        // Where much else runs, Wine now and then starts no program at all, and says so. Then the updater rightly stays what it was, and comes to no point: that shows nothing, and is done again.
        let killed = (0..3).map(kill).find(|outcome| !outcome.finished.stdout.contains("Internal error. (os error 1359)"));
        let killed = killed.unwrap_or_else(|| panic!("{place}: three times Wine has started no program"));
        assert_eq!(killed.code, KILLED, "{place}: {}", killed.finished.report());
        check(place);
    }
    places
}

#[test]
fn f13_a_kill_while_the_updater_is_replaced_leaves_a_working_one_or_one_rename_to_do() {
    let world = World::in_memory();
    let scene = Scene::new(&world);
    let new = scene.marked("two");
    let (old, new) = (scene.digest(), (sha256(&world, &new), scene.follow(&new)).0);
    let places = kill_each(&scene, |place| {
        // Between two renames nothing is at the path (`docs/crash-safety.md`).
        let between = place.starts_with("self.aside+after") || place.starts_with("self.swap:");
        assert_eq!(scene.program.exists(), !between, "{place}");
        if between {
            fs::rename(scene.kept("self/next"), &scene.program).expect("moved");
        }
        let found = scene.digest();
        assert!(found == old || found == new, "{place}: neither the old nor the new updater is at the path");
        scene.station.run(&["self-check"]).exits(0);
        let next = scene.own_command(&["update"]).exits(0);
        assert_eq!(scene.digest(), new, "{place}: {}", next.finished.report());
        assert_eq!(sha256_of(&scene.kept("self/previous")), old, "{place}: the one before is kept");
        assert_eq!(scene.status()["trial"].as_bool(), Some(false), "{place}");
        scene.assert_nothing_left_over(place);
    });
    for needed in ["self.record:1", "self.next:1", "self.previous:1", "self.aside:1", "self.aside+after:1", "self.swap:1", "self.sync:1"] {
        assert!(places.contains(needed), "{needed} is not in {places:?}");
    }
}

#[test]
fn f13_a_kill_while_the_old_updater_is_put_back_leaves_it_or_one_rename_to_do() {
    let world = World::in_memory();
    let scene = Scene::new(&world);
    let old = scene.digest();
    scene.follow(&dies_at_work(&world));
    let places = kill_each(&scene, |place| {
        // Nothing is at the path, or what passed its `self-check` and dies at work: the two cases that need a hand.
        if !scene.program.exists() || scene.digest() != old {
            fs::rename(scene.kept("self/previous"), &scene.program).expect("moved");
        }
        // Cut off before the trial was written down, it is tried again, and fails again.
        let first = scene.own_command(&["update"]);
        assert!([0, 4].contains(&first.code), "{place}: {}", first.finished.report());
        let next = scene.own_command(&["update"]).exits(0);
        assert_eq!(next.text("result"), "nothing-to-do", "{place}: {}", next.finished.report());
        let status = scene.status();
        assert_eq!((scene.digest(), status["blocked"].as_array().map(Vec::len)), (old.clone(), Some(1)), "{place}: {status}");
    });
    assert!(places.contains("self.back:1") && places.contains("self.aside:2"), "{places:?}");
}
