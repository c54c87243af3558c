//! The process dies, or an operation fails, at every change of the file system; afterwards the tree is the old or the new one, whole (attacks F6 and F7, AC-41, AC-42).
//!
//! A cut is a SIGKILL of a child process at a named point: this binary runs itself. It shows what is on disk when a process stops at any moment, not what a disk loses of what it was told
//! to keep: that everything is fsynced before it is relied on is checked by reading, not here.

#![cfg(all(unix, feature = "fail-points"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::time::{FileTime, UtcTime};
use scene::{Scene, Walk, expected, numbered};
use updater::backup;
use updater::fs::filling::Staging;
use updater::fs::{Folder, LocalPath, Point, fault};
use updater::history;
use updater::installed::Installed;
use updater::lock::Lock;
use updater::progress::Silent;
use updater::ratchet::Ratchet;
use updater::station::Station;
use updater::swap::{self, Recovery, SwapError};

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Update,
    Rollback,
    Recover,
    /// Small files that stand for themselves.
    State,
    Adopt,
}

impl Act {
    const ALL: [Act; 5] = [Act::Update, Act::Rollback, Act::Recover, Act::State, Act::Adopt];

    fn run(self, path: &Path) -> Result<(), SwapError> {
        let folder = Folder::create(path)?;
        match self {
            Act::Update => scene::swap_to_build(path, 5, &numbered(5)).map(drop),
            Act::Rollback => {
                let prepared = match scene::prepare_rollback(path, 1) {
                    Ok(prepared) => prepared,
                    Err(updater::rollback::RollbackError::Fs(error)) => return Err(error.into()),
                    Err(other) => panic!("{other}"),
                };
                prepared.ratchet.save(&folder).map_err(|error| match error {
                    updater::ratchet::RatchetError::Fs(error) => error,
                    other => panic!("{other}"),
                })?;
                swap::swap(&folder, prepared.swap, &Silent).map(drop)
            }
            Act::Recover => {
                let _lock = Lock::acquire(&folder, "recover").map_err(|error| SwapError::Impossible(error.to_string()))?;
                swap::recover(&folder).map(drop).map_err(|error| SwapError::Impossible(error.to_string()))
            }
            Act::State => write_state(&folder),
            Act::Adopt => backup::adopt(&folder, "3".parse().unwrap(), UtcTime::from_unix(1)).map(drop).map_err(SwapError::from),
        }
    }
}

fn ratchet(number: u64) -> Ratchet {
    Ratchet { highest: Some(Place(1, number)), ..Ratchet::default() }
}

fn station(channel: &str) -> Station {
    let text = r#"{"format":0,"type":"station","product":"p","os":"linux","arch":"any","channel":"CHANNEL","repository":"http://h/r/","name":"acme"}"#;
    Station::parse(text.replace("CHANNEL", channel).as_bytes()).unwrap()
}

fn write_state(folder: &Folder) -> Result<(), SwapError> {
    let _lock = Lock::acquire(folder, "state").map_err(|error| SwapError::Impossible(error.to_string()))?;
    ratchet(9).save(folder).map_err(|error| SwapError::Impossible(error.to_string()))?;
    station("beta").save(folder).map_err(|error| SwapError::Impossible(error.to_string()))?;
    folder.write_durably(&LocalPath::state("trust/content/root.json"), b"new root", Point::TrustFile)?;
    let again = std::sync::Arc::new(Folder::open(folder.path())?);
    let mut part = Staging::new(again).part(&Digest::of(b"pack"), &(0..100))?;
    Ok(part.append(&[7; 50])?)
}

/// What the other tests start in a process of its own.
#[test]
#[ignore = "is the child of the others"]
fn child() {
    let path = std::env::var("SCENE_FOLDER").unwrap();
    let act = std::env::var("SCENE_ACT").unwrap();
    let act = Act::ALL.into_iter().find(|known| format!("{known:?}") == act).unwrap();
    let _ = act.run(Path::new(&path));
}

/// Lets a child do `act` with `fail_point` armed; whether it was killed.
fn dies(scene: &Scene, act: Act, fail_point: &str) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored"])
        .env("SCENE_FOLDER", scene.path())
        .env("SCENE_ACT", format!("{act:?}"))
        .env("STATIONMASTER_FAIL_POINT", fail_point)
        .output()
        .unwrap();
    match child.status.signal() {
        Some(9) => true,
        _ if child.status.success() => false,
        _ => panic!("the child of {act:?} at {fail_point} failed: {}", String::from_utf8_lossy(&child.stdout)),
    }
}

/// An install at build 4 with three backups, and what it may become.
struct Start {
    scene: Scene,
    extras: Walk,
}

/// The live tree and the backups.
type Whole = (Walk, Vec<Walk>);

impl Start {
    fn new() -> Start {
        let extras = Scene::with_extras().walk();
        Start { scene: Scene::at(4), extras }
    }

    fn build(&self, number: u64) -> Walk {
        expected(&numbered(number), &self.extras)
    }

    fn whole(&self, live: u64, backups: &[u64]) -> Whole {
        (self.build(live), backups.iter().map(|number| self.build(*number)).collect())
    }

    fn old(&self) -> Whole {
        self.whole(4, &[1, 2, 3])
    }

    fn new_after(&self, act: Act) -> Whole {
        match act {
            Act::Update => self.whole(5, &[2, 3, 4]),
            Act::Rollback => self.whole(1, &[2, 3, 4]),
            Act::Recover | Act::State | Act::Adopt => self.old(),
        }
    }

    /// Recovers `scene` and checks that it is as before or as after `act`, with nothing left over, and that the next update works. Says whether it is as after.
    fn check(&self, scene: &Scene, act: Act, at: &str) -> bool {
        let recovery = swap::recover(&scene.folder()).unwrap_or_else(|error| panic!("{act:?} at {at}: {error}"));
        let found = (scene.walk(), scene.walk_backups());
        let is_new = found == self.new_after(act);
        assert!(is_new || found == self.old(), "{act:?} at {at} is neither old nor new: {recovery:?} {found:#?}");
        assert_eq!(swap::recover(&scene.folder()).unwrap(), Recovery::Nothing, "{act:?} at {at}: once is enough");
        self.check_state(scene, act, is_new, at);
        self.check_next_update(scene, at);
        is_new
    }

    fn check_state(&self, scene: &Scene, act: Act, is_new: bool, at: &str) {
        let names: BTreeSet<String> =
            fs::read_dir(scene.path().join(".updater")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        for gone in ["journal", "backup", "installed.next", "manifest.next", "found"] {
            assert!(!names.contains(gone), "{act:?} at {at} leaves {gone}");
        }
        assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0, "{act:?} at {at}");
        let installed = scene.installed().unwrap();
        let number = if !is_new || act == Act::Recover {
            4
        } else if act == Act::Rollback {
            1
        } else if act == Act::Update {
            5
        } else {
            4
        };
        assert_eq!(installed, scene::installed_of(number, &numbered(number)), "{act:?} at {at}");
        let ids: Vec<_> = history::read(&scene.folder()).unwrap().iter().map(|attempt| attempt.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{act:?} at {at} has a line twice");
        let changes = matches!(act, Act::Update | Act::Rollback);
        assert!(!(changes && is_new) || ids.len() == 5, "{act:?} at {at}: {ids:?}");
    }

    fn check_next_update(&self, scene: &Scene, at: &str) {
        scene.swap_to(6).unwrap_or_else(|error| panic!("the update after {at}: {error}"));
        assert_eq!(scene.walk(), self.build(6), "the update after {at}");
        let backups = backup::backups(&scene.folder()).unwrap();
        assert_eq!(backups.len(), 3);
        for found in backups {
            let verified = backup::verify(&scene.folder(), found.slot, &Silent).unwrap();
            assert_eq!(verified.damaged, [], "{} after {at}", found.slot);
        }
    }
}

/// Kills a child at every passage of `*` while it does `act`, and checks each time; returns how many passages there are and whether the first and last left the new tree.
fn kill_everywhere(act: Act) {
    let start = Start::new();
    let mut outcomes = vec![];
    for passage in 1.. {
        let scene = start.scene.copy();
        let at = format!("*:{passage}=kill");
        if !dies(&scene, act, &at) {
            break;
        }
        outcomes.push(start.check(&scene, act, &at));
    }
    assert!(outcomes.len() > 60, "there are many changes to die at, not {}", outcomes.len());
    assert!(!outcomes[0] && outcomes[outcomes.len() - 1]);
    assert!(outcomes.is_sorted(), "once it is the new tree, it stays the new tree: {outcomes:?}");
}

#[test]
fn f6_a_kill_at_any_change_of_an_update_leaves_the_old_or_the_new_tree() {
    kill_everywhere(Act::Update);
}

#[test]
fn f6_a_kill_at_any_change_of_a_rollback_leaves_the_old_or_the_new_tree() {
    kill_everywhere(Act::Rollback);
}

#[test]
fn f6_a_kill_while_a_failed_update_is_undone_leaves_the_old_tree() {
    let start = Start::new();
    let mut passages = 0;
    for point in
        ["undo.put", "undo.folder", "undo.keep", "undo.set", "swap.phase", "swap.sync", "commit.journal", "trash.in", "trash.empty"]
    {
        for passage in 1.. {
            let scene = start.scene.copy();
            let at = format!("swap.in=error,{point}:{passage}=kill");
            if !dies(&scene, Act::Update, &at) {
                break;
            }
            passages += 1;
            // While no undoing step is written down, going forward is as good.
            let is_new = start.check(&scene, Act::Update, &at);
            assert!(!is_new || point == "swap.phase" || point == "trash.in" || point == "trash.empty", "{at}");
        }
    }
    assert!(passages > 20, "{passages}");
}

#[test]
fn f6_a_kill_while_recovering_is_recovered_from() {
    let start = Start::new();
    for first in [
        "swap.keep:2=kill",
        "swap.put:2=kill",
        "swap.in=kill",
        "swap.phase=kill",
        "commit.slot:3=kill",
        "commit.state:2=kill",
        "history.line=kill",
    ] {
        let cut = start.scene.copy();
        assert!(dies(&cut, Act::Update, first));
        for passage in 1.. {
            let scene = cut.copy();
            let second = format!("*:{passage}=kill");
            if !dies(&scene, Act::Recover, &second) {
                break;
            }
            assert!(start.check(&scene, Act::Update, &format!("{first}, then {second}")), "what was going forward goes on forward");
        }
    }
}

#[test]
fn f6_a_kill_while_going_back_is_recovered_from() {
    let start = Start::new();
    let cut = start.scene.copy();
    assert!(dies(&cut, Act::Update, "swap.set=kill"));
    // What is left in staging cannot be put in place, so there is only the way back.
    for entry in fs::read_dir(cut.path().join(".updater/staging")).unwrap() {
        fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    let mut passages = 0;
    for passage in 1.. {
        let scene = cut.copy();
        let at = format!("*:{passage}=kill");
        if !dies(&scene, Act::Recover, &at) {
            break;
        }
        passages += 1;
        assert!(!start.check(&scene, Act::Update, &at));
    }
    assert!(passages > 20, "{passages}");
}

#[test]
fn an_unexpected_file_is_kept_below_found_also_when_recovering_is_killed() {
    let start = Start::new();
    let cut = start.scene.copy();
    assert!(dies(&cut, Act::Update, "swap.in=kill"));
    cut.write("run.sh", "somebody's own");
    assert!(dies(&cut.copy(), Act::Recover, "recover.aside=kill"));
    for passage in 1.. {
        let scene = cut.copy();
        let is_dead = dies(&scene, Act::Recover, &format!("*:{passage}=kill"));
        let id = *history_or_journal_id(&scene);
        swap::recover(&scene.folder()).unwrap();
        assert_eq!(scene.walk(), start.build(5));
        assert_eq!(fs::read_to_string(scene.path().join(format!(".updater/found/{id}/run.sh"))).unwrap(), "somebody's own");
        if !is_dead {
            break;
        }
    }
}

/// The id of the attempt that is under way or was last.
fn history_or_journal_id(scene: &Scene) -> Box<updater::id::Id> {
    let journal = swap::journal::Journal::load(&scene.folder()).unwrap();
    let id = journal.map(|journal| journal.unwrap().plan.id);
    Box::new(id.unwrap_or_else(|| history::read(&scene.folder()).unwrap().last().unwrap().id))
}

#[test]
fn small_state_files_are_the_old_or_the_new_ones_whole_after_a_kill() {
    let start = Start::new();
    ratchet(4).save(&start.scene.folder()).unwrap();
    station("stable").save(&start.scene.folder()).unwrap();
    start.scene.folder().write_durably(&LocalPath::state("trust/content/root.json"), b"old root", Point::TrustFile).unwrap();
    let mut seen = BTreeSet::new();
    for passage in 1.. {
        let scene = start.scene.copy();
        let at = format!("*:{passage}=kill");
        if !dies(&scene, Act::State, &at) {
            break;
        }
        start_is_writable_again(&scene);
        let folder = scene.folder();
        swap::recover(&folder).unwrap();
        let found = (
            Ratchet::load(&folder).unwrap(),
            Station::load(&folder).unwrap().unwrap(),
            folder.read(&LocalPath::state("trust/content/root.json")).unwrap().unwrap(),
        );
        assert!(found.0 == ratchet(4) || found.0 == ratchet(9), "{at}");
        assert!(found.1 == station("stable") || found.1 == station("beta"), "{at}");
        assert!(found.2 == b"old root" || found.2 == b"new root", "{at}");
        seen.insert((found.0.highest, found.1.channel.to_string(), found.2));
        assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0);
    }
    assert!(seen.len() >= 3, "cuts were seen between all of them: {seen:?}");
}

/// F9: what a killed updater locked is free.
fn start_is_writable_again(scene: &Scene) {
    drop(Lock::acquire(&scene.folder(), "next").unwrap());
}

#[test]
fn a_kill_while_state_folders_are_made_leaves_nothing_that_the_next_start_minds() {
    for passage in 1.. {
        let scene = Scene::empty();
        if !dies(&scene, Act::State, &format!("state.folder:{passage}=kill")) {
            break;
        }
        swap::recover(&scene.folder()).unwrap();
        scene.swap_to(1).unwrap();
    }
}

#[test]
fn a_kill_while_a_folder_is_adopted_leaves_it_foreign_or_adopted() {
    let start = Scene::at(2);
    start.write("bkp_remote.003/old.exe", "foreign");
    for passage in 1.. {
        let scene = start.copy();
        if !dies(&scene, Act::Adopt, &format!("*:{passage}=kill")) {
            break;
        }
        swap::recover(&scene.folder()).unwrap();
        assert_eq!(fs::read_to_string(scene.path().join("bkp_remote.003/old.exe")).unwrap(), "foreign");
        backup::adopt(&scene.folder(), "3".parse().unwrap(), UtcTime::from_unix(1)).unwrap();
        scene.swap_to(3).unwrap();
    }
}

#[test]
fn a_kill_at_each_named_point_is_survived() {
    let start = Start::new();
    for point in Point::ALL {
        let at = format!("{}=kill", point.name());
        let died = [Act::Update, Act::Rollback].into_iter().any(|act| {
            let scene = start.scene.copy();
            let died = dies(&scene, act, &at);
            if died {
                start.check(&scene, act, &at);
            }
            died
        });
        let elsewhere =
            [Point::StateFolder, Point::LockFile, Point::StationFile, Point::TrustFile, Point::Part, Point::BackupAdopt, Point::Aside];
        let undoing = [Point::UndoPut, Point::UndoFolder, Point::UndoKeep, Point::UndoSet];
        assert!(died || elsewhere.contains(point) || undoing.contains(point), "nothing dies at {}", point.name());
    }
}

/// Lets every operation of `act` fail with `kind`, one at a time, in this process.
fn fail_everywhere(act: Act, kind: &str) {
    let start = Start::new();
    let mut failures = 0;
    for point in Point::ALL {
        for passage in 1.. {
            let scene = start.scene.copy();
            let at = format!("{}:{passage}={kind}", point.name());
            fault::arm(&at);
            let outcome = act.run(&scene.path());
            let acted = fault::has_acted();
            fault::arm("");
            if !acted {
                break;
            }
            failures += 1;
            let found = (scene.walk(), scene.walk_backups());
            match outcome {
                Err(SwapError::Unfinished { .. }) => assert_eq!(found.0, start.new_after(act).0, "{at}"),
                Err(SwapError::Interrupted { .. }) => {}
                Err(error) => {
                    assert_eq!(found, start.old(), "{at}: {error}");
                    let requirement = error.requirement().unwrap_or_else(|| panic!("{at}: {error} names no requirement"));
                    let expected = if kind == "enospc" { "no-space" } else { "no-write-right" };
                    assert_eq!(requirement.code(), expected, "{at}: {error}");
                }
                Ok(()) => assert_eq!(found, start.new_after(act), "{at}"),
            }
            start.check(&scene, act, &at);
        }
    }
    assert!(failures > 60, "{failures}");
}

#[test]
fn f7_a_full_disk_at_any_change_of_an_update_leaves_everything_as_it_was() {
    fail_everywhere(Act::Update, "enospc");
}

#[test]
fn f8_a_refusal_at_any_change_of_a_rollback_leaves_everything_as_it_was() {
    fail_everywhere(Act::Rollback, "eacces");
}

#[test]
fn ac_42_a_disk_that_stays_full_lets_a_failed_swap_be_undone() {
    let start = Start::new();
    let scene = start.scene.copy();
    // Not even the line that says that it goes back can be written.
    fault::arm("swap.in=enospc,swap.phase=enospc");
    let outcome = Act::Update.run(&scene.path());
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Undone { .. })), "{outcome:?}");
    assert_eq!((scene.walk(), scene.walk_backups()), start.old());
    start.check(&scene, Act::Update, "a full disk");
}

#[test]
fn a_commit_that_may_have_reached_the_disk_is_never_undone_behind_its_back() {
    let start = Start::new();
    let scene = start.scene.copy();
    fault::arm("swap.phase:1=enospc,swap.phase:2=enospc,swap.phase:3=enospc");
    let outcome = Act::Update.run(&scene.path());
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Interrupted { .. })), "{outcome:?}");
    assert_eq!(scene.walk(), start.build(5));
    assert!(start.check(&scene, Act::Update, "a commit in doubt"));
}

#[test]
fn ac_13_a_time_reads_back_as_a_coarse_file_system_keeps_it() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "coarse_child", "--ignored"])
        .env("STATIONMASTER_FAULT_MTIME_GRANULARITY_NS", "2000000000")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
#[ignore = "is the child of another"]
fn coarse_child() {
    let scene = Scene::at(1);
    let (folder, path) = (scene.folder(), LocalPath::from(&"same.txt".parse().unwrap()));
    for (set, read) in [(1_763_683_201, 1_763_683_200), (-1, -2), (0, 0)] {
        let stat = folder.set_attributes(&path, FileTime::clamped(set), 0o644, Point::StageAttributes).unwrap();
        assert_eq!(stat.mtime(), FileTime::clamped(read));
        let mut installed: Installed = scene.installed().unwrap();
        let file = installed.files.iter_mut().find(|file| file.path.as_str() == "same.txt").unwrap();
        (file.as_set, file.as_read) = (FileTime::clamped(set), Some(stat.mtime()));
        assert!(file.is_as_installed(&folder.stat(&path).unwrap().unwrap()));
    }
}

#[test]
fn every_fail_point_has_its_row_and_every_row_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/crash-safety.md")).unwrap();
    let mut sources = String::new();
    let mut folders = vec![root.join("tests"), root.join("src"), root.join("../tests/tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => sources += &fs::read_to_string(entry).unwrap(),
            }
        }
    }
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let named: BTreeSet<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let points: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
    assert_eq!(points.difference(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "points without a row");
    for row in rows {
        assert_eq!(row.len(), 4, "{row:?}");
        for test in row[3].split(", ") {
            assert!(sources.contains(&format!("fn {}(", test.trim_matches('`'))), "{}: there is no test {test}", row[0]);
        }
    }
}
