//! What bars a swap midway for a real reason – a file that was made immutable, a disk without room, a file with a second name, a file system that turned read-only – ends in the old or the new tree,
//! also when the start that meets it is killed in its turn (attacks F6 to F8). `updater/tests/crash_matrix.rs` does the same with named points that fail.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use system_tests::disk::{Disk, succeeds};
use system_tests::process::{Finished, run, spawn};
use system_tests::root::Immutable;
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Build, T0, World, copy_tree, mtime, noise};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// The file whose content stays and whose time changes.
const TOUCHED: &str = "lib/touched.dat";
/// A file that is replaced.
const REPLACED: &str = "lib/a.so";

/// A station on 2.0.0 with two backups' worth of history, in `dir`; 3.0.0 replaces, adds, removes and touches files.
struct Start<'a> {
    _scene: Scene<'a>,
    template: Station,
    old: Tree,
    new: Tree,
}

/// A client that says its build.
fn client(build: &str) -> String {
    format!("#!/bin/sh\necho {build}\n")
}

fn publish(scene: &Scene<'_>, build: &Build, version: &str) {
    scene.repository.publish_with(build, &["--build", version, "--entry-point", "client"]).succeeded("publish");
}

impl<'a> Start<'a> {
    fn new(world: &'a World, dir: PathBuf) -> Start<'a> {
        let scene = Scene::new(world);
        let v2 = scene.v1.copy("v2");
        v2.exec("client", client("two"), T0 + 60).file(TOUCHED, noise(4, 20_000), T0).file("only/in-2.txt", "two", T0);
        publish(&scene, &v2, "2.0.0");
        scene.station.update().exits(0);
        fs::write(scene.station.file("mine.txt"), "mine").expect("written");
        let old = scene.station.tree();
        let v3 = v2.copy("v3");
        fs::remove_dir_all(v3.dir.join("only")).expect("removed");
        v3.exec("client", client("three"), T0 + 120).file(REPLACED, noise(6, 90_000), T0 + 120);
        v3.file(TOUCHED, noise(4, 20_000), T0 + 120).file("came/in-3.txt", "three", T0 + 120);
        publish(&scene, &v3, "3.0.0");
        let twin = world.station("twin");
        copy_tree(&scene.station.dir, &twin.dir);
        twin.update().exits(0);
        let template = Station::at(dir);
        copy_tree(&scene.station.dir, &template.dir);
        Start { _scene: scene, template, old, new: twin.tree() }
    }

    /// The template's update, cut off at `place`.
    fn cut_at(&self, place: &str) {
        assert!(is_killed(&self.template, place, &["update", "--yes"]), "the update does not come to {place}");
    }

    /// After the next start: the old or the new tree, whole; and the next update works. Says whether it was the new one.
    #[track_caller]
    fn check(&self, station: &Station, what: &str) -> bool {
        let found = station.tree();
        let is_new = found == self.new;
        if !is_new {
            found.assert_is(&self.old, what);
        }
        station.update().exits(0);
        station.tree().assert_is(&self.new, what);
        assert_eq!(station.backups(), ["bkp_remote.001", "bkp_remote.002"], "{what}");
        station.backup(2).assert_is(&self.old, what);
        station.assert_nothing_left_over();
        is_new
    }
}

fn is_killed(station: &Station, place: &str, command: &[&str]) -> bool {
    let finished = run(&mut station.with_env("STATIONMASTER_FAIL_POINT", place).command(command), LIMIT);
    assert!(!finished.timed_out && !finished.stderr.contains("panicked"), "{place}\n{}", finished.report());
    finished.status.signal() == Some(9)
}

/// Cuts an update off at `first`, lets `bar` do something to a copy of that and keep what ends it, kills the next start at every moment, and starts again while the bar is there. Each ends in the new
/// tree, or each in the old one, as `leads_to_new` says.
fn killed_while_barred<Bar>(start: &Start<'_>, first: &str, leads_to_new: bool, bar: impl Fn(&Station) -> Bar) {
    start.cut_at(first);
    let mut killed = 0;
    for place in (1..).flat_map(|n| [format!("*:{n}=kill"), format!("*+after:{n}=kill")]) {
        let station = Station::at(start.template.dir.with_file_name("killed"));
        let _ = fs::remove_dir_all(&station.dir);
        copy_tree(&start.template.dir, &station.dir);
        let barred = bar(&station);
        let is_over = !is_killed(&station, &place, &["status"]);
        let what = format!("{first}, then {place}");
        let next = station.run(&["status"]);
        assert_eq!(next.code, 0, "{what}\n{}", next.finished.report());
        let client = run(&mut station.command(&["launch"]), LIMIT);
        let build = if leads_to_new { "three\n" } else { "two\n" };
        assert_eq!((client.code(), client.stdout.as_str()), (0, build), "{what}: the client starts\n{}", client.report());
        let found = station.tree();
        drop(barred);
        found.assert_is(if leads_to_new { &start.new } else { &start.old }, &what);
        assert_eq!(start.check(&station, &what), leads_to_new);
        if is_over {
            break;
        }
        killed += 1;
    }
    assert!(killed > 30, "{killed} moments");
}

/// What takes all the room of a disk, until this is dropped.
struct Ballast<'d> {
    disk: &'d Disk,
}

impl<'d> Ballast<'d> {
    /// No more room and no more entries than are used now, and none in the last block of the history either.
    fn new(disk: &'d Disk, station: &Station) -> Ballast<'d> {
        let mut history = fs::read(station.state("history.jsonl")).expect("there");
        history.resize(history.len().next_multiple_of(4096) - 1, b' ');
        history.push(b'\n');
        fs::write(station.state("history.jsonl"), history).expect("written");
        disk.remount(&format!("size={},nr_inodes={}", disk.used("used") * 1024, disk.used("iused")));
        Ballast { disk }
    }
}

impl Drop for Ballast<'_> {
    fn drop(&mut self) {
        self.disk.remount("size=64m,nr_inodes=100000");
    }
}

#[test]
fn f8_a_file_that_was_made_immutable_midway_turns_every_start_round_through_any_kill() {
    let world = World::in_memory();
    let start = Start::new(&world, world.path("template"));
    killed_while_barred(&start, "swap.out+after=kill", false, |station| Immutable::new(station.file(REPLACED)));
}

#[test]
fn f7_a_disk_that_filled_up_midway_turns_every_start_round_through_any_kill() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let start = Start::new(&world, disk.path().join("template"));
    killed_while_barred(&start, "swap.out+after=kill", false, |station| Ballast::new(&disk, station));
}

#[test]
fn f7_a_disk_that_filled_up_after_the_commit_keeps_no_client_out_through_any_kill() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let start = Start::new(&world, disk.path().join("template"));
    killed_while_barred(&start, "commit.slot=kill", true, |station| Ballast::new(&disk, station));
}

/// Gives the touched file a second name outside of the install folder. Whatever happens, what it names stays as it is.
struct SecondName {
    path: PathBuf,
    before: i64,
}

impl SecondName {
    fn new(station: &Station) -> SecondName {
        let path = station.dir.with_file_name("second name");
        let _ = fs::remove_file(&path);
        fs::hard_link(station.file(TOUCHED), &path).expect("linked");
        SecondName { before: mtime(&path), path }
    }
}

impl Drop for SecondName {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(mtime(&self.path), self.before, "the second name is somebody else's");
        }
    }
}

#[test]
fn f6_a_second_name_that_a_file_got_midway_keeps_its_time_through_any_kill() {
    let world = World::in_memory();
    let start = Start::new(&world, world.path("template"));
    killed_while_barred(&start, "swap.set=kill", true, SecondName::new);
}

#[test]
fn f7_a_second_name_on_a_disk_that_filled_up_turns_every_start_round_through_any_kill() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64m") else { return };
    let start = Start::new(&world, disk.path().join("template"));
    killed_while_barred(&start, "swap.set=kill", false, |station| (SecondName::new(station), Ballast::new(&disk, station)));
}

/// Runs an update that stops itself at `place`, lets `meanwhile` happen, and lets it go on to its end; `None` when it does not come there.
fn stopped_at(station: &Station, place: &str, meanwhile: impl FnOnce()) -> Option<Finished> {
    let mut child = spawn(&mut station.with_env("STATIONMASTER_FAIL_POINT", &format!("{place}=stop")).command(&["update", "--yes"]));
    let pid = Pid::from_child(&child);
    let state = waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("our own child");
    let is_stopped = state.is_some_and(|state| state.stopped());
    if is_stopped {
        meanwhile();
        kill_process(pid, Signal::CONT).expect("it goes on");
    }
    let mut said = [String::new(), String::new()];
    std::io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut said[0]).expect("text");
    std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut said[1]).expect("text");
    let [stdout, stderr] = said;
    let finished = Finished { status: child.wait().expect("ended"), stdout, stderr, timed_out: false };
    is_stopped.then_some(finished)
}

#[test]
fn f7_a_disk_that_turns_read_only_in_the_middle_of_a_swap_has_the_old_or_the_new_tree_when_it_is_writable_again() {
    let world = World::new();
    // What a disk does whose journal fails: nothing more is written, and what was not durable by then is gone.
    let Some(disk) = Disk::image(world.path("disk"), "ext4", 32, &["-q"]) else { return };
    let start = Start::new(&world, disk.path().join("template"));
    let points = [
        "stage.file",
        "backup.copy",
        "swap.next",
        "swap.journal",
        "swap.out",
        "swap.keep",
        "swap.put",
        "swap.make-folder",
        "swap.set",
        "swap.in",
        "swap.sync",
        "swap.phase",
        "commit.slot",
        "commit.state",
        "history.line",
        "commit.journal",
        "trash.empty",
    ];
    let mut outcomes = vec![];
    for place in points.iter().flat_map(|point| [(*point).to_owned(), format!("{point}+after")]) {
        let station = Station::at(disk.path().join("station"));
        let _ = fs::remove_dir_all(&station.dir);
        copy_tree(&start.template.dir, &station.dir);
        succeeds(&mut Command::new("sync")).expect("synced");
        let Some(finished) = stopped_at(&station, &place, || disk.remount("abort")) else { panic!("the update does not come to {place}") };
        assert!(!finished.stderr.contains("panicked"), "{place}\n{}", finished.report());
        assert!(fs::write(disk.path().join("probe"), "").is_err(), "it is read-only");
        disk.restart();
        station.run(&["status"]).exits(0);
        outcomes.push((place.clone(), start.check(&station, &place)));
    }
    assert!(outcomes.iter().any(|(_, is_new)| *is_new) && outcomes.iter().any(|(_, is_new)| !is_new), "{outcomes:?}");
}
