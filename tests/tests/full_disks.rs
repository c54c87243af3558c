//! Disks that are too small, fill up, take no more files, or turn read-only (AC-42, attack F7): the old version stays, nothing is left over, and with room the update works.
//!
//! These are real file systems of a bounded size: what fails here is the write itself, wherever it is met. `updater/tests/power_cut.rs` lets every single operation fail as on a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use system_tests::disk::{Disk, succeeds};
use system_tests::proxy::{Fault, Nth, Proxy, Spot, body_bytes};
use system_tests::server::Server;
use system_tests::station::{Outcome, Station};
use system_tests::tree::Tree;
use system_tests::world::{Build, Repository, T0, World, copy_tree, noise};

/// A client of some files in some folders, of which release 2 changes a half, removes and adds some.
fn version(world: &World, n: u64) -> Build {
    let build = world.build(&format!("v{n}"));
    let time = T0 + 100 * i64::try_from(n).expect("small");
    build.exec("client", noise(n, 120_000), time).file("client.ini", "[main]\nserver=one\n", T0);
    for index in 0..12 {
        let content = if index % 2 == 0 { noise(1000 * n + index, 30_000) } else { noise(index, 30_000) };
        build.file(&format!("lib/{}/part-{index}.so", index % 3), content, if index % 2 == 0 { time } else { T0 });
    }
    build.file(&format!("only/in-{n}.txt"), noise(n, 9_000), time);
    build
}

struct Stage<'a> {
    repository: Repository<'a>,
    _server: Server,
    proxy: Proxy,
    link: String,
}

impl<'a> Stage<'a> {
    fn new(world: &'a World) -> Stage<'a> {
        let repository = world.repository("acme");
        repository.publish(&version(world, 1), "1.0.0");
        let (_server, proxy, link) = world.serve_through_proxy(&repository);
        Stage { repository, _server, proxy, link }
    }

    /// A station at `dir` on 1.0.0 with an extra of its user's, while 2.0.0 waits.
    fn station(&self, world: &World, dir: PathBuf) -> (Station, Tree) {
        let station = Station::at(dir);
        station.install(&self.link);
        fs::write(station.file("mine.txt"), noise(77, 50_000)).expect("written");
        self.repository.publish(&version(world, 2), "2.0.0");
        let tree = station.tree();
        self.proxy.take_exchanges();
        (station, tree)
    }
}

/// The tree that 2.0.0 makes of `before`.
fn after(world: &World, before: &Station) -> Tree {
    let twin = Station::at(world.path("twin"));
    copy_tree(&before.dir, &twin.dir);
    twin.update().exits(0);
    twin.tree()
}

/// The stable code of the error.
fn code(outcome: &Outcome) -> &str {
    outcome.json["error"]["code"].as_str().unwrap_or_default()
}

/// How many bytes `path` holds.
fn used_bytes(path: &Path) -> u64 {
    let out = Command::new("du").args(["-s", "-B1"]).arg(path).output().expect("du runs");
    String::from_utf8_lossy(&out.stdout).split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number")
}

/// A failed attempt: the old version is as it was, and nothing takes room that it did not take before.
#[track_caller]
fn assert_untouched(station: &Station, tree: &Tree, backups: &[Tree], outcome: &Outcome, what: &str) {
    let said = outcome.finished.report();
    assert!(!outcome.finished.stderr.contains("panicked"), "{what}\n{said}");
    station.tree().assert_is(tree, what);
    let names: Vec<String> = (1..=backups.len()).map(|slot| format!("bkp_remote.00{slot}")).collect();
    assert_eq!(station.backups(), names, "{what}\n{said}");
    for (slot, backup) in (1u8..).zip(backups) {
        station.backup(slot).assert_is(backup, what);
    }
    station.assert_nothing_left_over();
    let parts = fs::read_dir(station.state("parts")).map_or(0, Iterator::count);
    assert_eq!(parts, 0, "{what}: what was fetched gave its room back\n{said}");
}

#[test]
fn ac_42_a_disk_that_is_too_small_is_noticed_before_anything_is_fetched_and_the_bytes_are_named() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=3m") else { return };
    let stage = Stage::new(&world);
    let (station, tree) = stage.station(&world, disk.path().join("client"));
    fs::write(disk.path().join("ballast"), vec![1; 1_100_000]).expect("written");
    let outcome = station.update().exits(5);
    assert_eq!(code(&outcome), "no-space", "{}", outcome.finished.report());
    let message = outcome.finished.report();
    let needed: Vec<u64> =
        message.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).filter(|n| *n > 100_000).collect();
    assert!(needed.len() >= 2, "the bytes that are needed and those that are free are named: {message}");
    assert_untouched(&station, &tree, &[], &outcome, "too small");
    let fetched = body_bytes(&stage.proxy.take_exchanges(), "/objects/");
    assert!(fetched < 10_000, "nothing but the file list was fetched: {fetched} bytes");
    let last = station.history().pop().expect("a line");
    assert_eq!((last["result"].as_str(), last["code"].as_str()), (Some("failed"), Some("no-space")));
    disk.remount("size=20m");
    station.update().exits(0);
    assert_eq!(station.backups(), ["bkp_remote.001"]);
}

#[test]
fn f7_a_disk_without_room_keeps_nobody_from_seeing_what_is_installed() {
    let world = World::new();
    let stage = Stage::new(&world);
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let (station, tree) = stage.station(&world, disk.path().join("client"));
    disk.remount(&format!("nr_inodes={}", disk.used("iused")));
    let shown = station.run(&["status"]).exits(0);
    assert_eq!((shown.json["installed"]["build"].as_str(), shown.json["drift"].as_array().map(Vec::len)), (Some("1.0.0"), Some(0)));
    let said = shown.finished.report();
    assert!(said.contains("nothing can be written here") && said.contains("No space left on device"), "{said}");
    // What the cure says holds for this refusal, too, which knows of no bytes.
    let refused = station.update().exits(5);
    assert_eq!(code(&refused), "no-space", "{}", refused.finished.report());
    station.tree().assert_is(&tree, "as it was");
    disk.remount("nr_inodes=100000");
    station.update().exits(0);
}

#[test]
fn ac_42_going_back_asks_for_room_before_it_copies_anything() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=8m") else { return };
    let stage = Stage::new(&world);
    let (station, _) = stage.station(&world, disk.path().join("client"));
    station.update().exits(0);
    let (tree, backups) = (station.tree(), [station.backup(1)]);
    // Room for some of the files that come back, and not for all.
    disk.remount(&format!("size={}", used_bytes(disk.path()) + 100_000));
    let outcome = station.run(&["rollback"]).exits(5);
    assert_eq!(code(&outcome), "no-space", "{}", outcome.finished.report());
    assert!(outcome.finished.report().contains("bytes are needed"), "it was asked for: {}", outcome.finished.report());
    assert_untouched(&station, &tree, &backups, &outcome, "no room to go back");
    disk.remount("size=8m");
    station.run(&["rollback"]).exits(0);
    station.tree().assert_is(&backups[0], "with room");
}

#[test]
fn f7_a_disk_that_is_full_at_any_step_of_going_back_is_said_with_the_file_and_the_bytes_and_nothing_is_changed() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let stage = Stage::new(&world);
    let (station, _) = stage.station(&world, disk.path().join("client"));
    station.update().exits(0);
    let (tree, backups) = (station.tree(), [station.backup(1)]);
    // The sum of the files that come back, and of what is kept of those that go, is enough by the count and not by the blocks that small files take.
    let held = disk.used("used") * 1024;
    let (mut asked, mut met) = (0, vec![]);
    for step in 0.. {
        disk.remount(&format!("size={}", held + 8_192 * step));
        let outcome = station.run(&["rollback"]);
        if outcome.code == 0 {
            break;
        }
        let said = outcome.json["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!((outcome.code, code(&outcome)), (5, "no-space"), "{}", outcome.finished.report());
        // Room for the report of it: a history that cannot be written is another matter.
        disk.remount("size=64m");
        assert_untouched(&station, &tree, &backups, &outcome, &format!("with {step} steps of room"));
        assert!(said.contains("bytes are needed") || said.contains("the backup needs"), "{said}");
        assert!(said.split(|c: char| !c.is_ascii_digit()).any(|n| n.parse().is_ok_and(|n: u64| n > 100_000)), "the bytes: {said}");
        match said.contains("The disk is full") {
            true => met.push(said),
            false => asked += 1,
        }
    }
    assert!(asked > 5 && met.len() > 3, "{asked} found beforehand, {met:#?} met");
    assert!(met.iter().all(|said| said.contains("failed: ") && said.split('`').nth(1).is_some_and(|path| path.contains('/'))), "{met:#?}");
    disk.remount("size=64m");
    station.tree().assert_is(&backups[0], "with room");
}

/// Updates `station`; `shrink` happens to its disk after the check of the requirements, while the first content is on its way.
fn update_while(stage: &Stage<'_>, station: &Station, shrink: impl FnOnce()) -> Outcome {
    // The first object is the file list.
    stage.proxy.on("/objects/", Nth::From(2), Fault::Hold(Spot::Byte(0)));
    let updating = {
        let station = station.clone();
        std::thread::spawn(move || station.update())
    };
    stage.proxy.wait_until_held();
    shrink();
    stage.proxy.calm();
    updating.join().expect("the update ends")
}

/// Updates again and again on a disk that shrinks, once the update is under way, to what it holds and `step` more each time, until that is enough. Every failure leaves the old version.
fn shrink_to(disk: &Disk, stage: &Stage<'_>, world: &World, step: u64, shrink: impl Fn(u64), unbound: impl Fn()) -> usize {
    let (start, tree) = stage.station(world, disk.path().join("start"));
    let expected = after(world, &start);
    for failed in 0..2_000 {
        let trial = Station::at(disk.path().join("trial"));
        copy_tree(&start.dir, &trial.dir);
        let spare = step * failed;
        let outcome = update_while(stage, &trial, || shrink(spare));
        unbound();
        if outcome.code == 0 {
            trial.tree().assert_is(&expected, "with room enough");
            trial.backup(1).assert_is(&tree, "the backup");
            return usize::try_from(failed).expect("small");
        }
        assert_eq!(code(&outcome), "no-space", "{spare}\n{}", outcome.finished.report());
        assert_untouched(&trial, &tree, &[], &outcome, &format!("with room for {spare}"));
        trial.update().exits(0);
        trial.tree().assert_is(&expected, "with room, the next update works");
        fs::remove_dir_all(&trial.dir).expect("removed");
    }
    panic!("there is never room enough");
}

#[test]
fn f7_a_disk_that_takes_no_more_files_at_any_step_leaves_the_old_version_and_nothing_else() {
    let world = World::new();
    let stage = Stage::new(&world);
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let shrink = |spare: u64| disk.remount(&format!("nr_inodes={}", disk.used("iused") + spare));
    let failed = shrink_to(&disk, &stage, &world, 1, shrink, || disk.remount("nr_inodes=100000"));
    assert!(failed > 20, "it failed at {failed} places only");
}

#[test]
fn f7_a_disk_that_is_full_at_any_step_leaves_the_old_version_and_nothing_else() {
    let world = World::new();
    let stage = Stage::new(&world);
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let shrink = |spare: u64| disk.remount(&format!("size={}", disk.used("used") * 1024 + spare));
    let failed = shrink_to(&disk, &stage, &world, 16_384, shrink, || disk.remount("size=64m"));
    assert!(failed > 20, "it failed at {failed} places only");
}

#[test]
fn f7_a_quota_that_is_used_up_at_any_step_leaves_the_old_version_and_nothing_else() {
    let world = World::new();
    let stage = Stage::new(&world);
    let Some(disk) = Disk::image(world.path("disk"), "btrfs", 512, &["-q"]) else { return };
    let btrfs = |arguments: &[&str]| {
        let done = succeeds(Command::new("btrfs").args(arguments));
        done.unwrap_or_else(|why| panic!("btrfs {}: {why}", arguments.join(" ")));
    };
    let text = |name: &str| disk.path().join(name).to_str().expect("plain").to_owned();
    btrfs(&["subvolume", "create", &text("start")]);
    let (start, tree) = stage.station(&world, disk.path().join("start/client"));
    let expected = after(&world, &start);
    succeeds(&mut Command::new("sync")).expect("synced");
    let held = used_bytes(&disk.path().join("start"));
    let (mut failed, mut worked) = (0, 0);
    for step in 0..24 {
        let name = format!("trial-{step}");
        btrfs(&["subvolume", "snapshot", &text("start"), &text(&name)]);
        // Free space says nothing of a quota, so the updater meets it while it writes.
        let limit = held + 90_000 * step;
        btrfs(&["quota", "enable", &text("")]);
        btrfs(&["quota", "rescan", "-w", &text("")]);
        btrfs(&["qgroup", "limit", &limit.to_string(), &text(&name)]);
        let trial = Station::at(disk.path().join(&name).join("client"));
        let outcome = trial.update();
        btrfs(&["quota", "disable", &text("")]);
        if outcome.code == 0 {
            worked += 1;
        } else {
            failed += 1;
            assert_eq!(code(&outcome), "no-space", "{limit}\n{}", outcome.finished.report());
            assert_untouched(&trial, &tree, &[], &outcome, &format!("a quota of {limit} bytes"));
            trial.update().exits(0);
        }
        trial.tree().assert_is(&expected, "with room enough");
        btrfs(&["subvolume", "delete", &text(&name)]);
    }
    assert!(failed >= 8 && worked >= 1, "{failed} failed, {worked} worked");
}

#[test]
fn f7_a_disk_that_was_remounted_read_only_is_named_and_nothing_is_changed() {
    let world = World::new();
    let stage = Stage::new(&world);
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let (station, tree) = stage.station(&world, disk.path().join("client"));
    disk.remount("ro");
    for _ in 0..2 {
        let outcome = station.update().exits(5);
        assert_eq!(code(&outcome), "no-write-right", "{}", outcome.finished.report());
        assert_untouched(&station, &tree, &[], &outcome, "read-only");
    }
    disk.remount("rw");
    station.update().exits(0);
}
