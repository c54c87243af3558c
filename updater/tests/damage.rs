//! Every file in `.updater` is damaged in every way, and what follows is a typed error or a way around, never a wrong tree.

#![cfg(all(unix, feature = "fail-points"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::path::{Path, PathBuf};

use manifests::channel::Place;
use manifests::time::UtcTime;
use scene::{MTIME, Scene, Walk, expected, numbered};
use updater::backup::rotation::{Refusal, Slot};
use updater::backup::{self, BackupError, BackupKind};
use updater::fs::fault;
use updater::history;
use updater::installed::{Installed, InstalledError};
use updater::progress::Silent;
use updater::ratchet::{Ratchet, RatchetError};
use updater::rollback::RollbackError;
use updater::station::{Station, StationError};
use updater::swap::{Recovery, RecoveryError, SwapError, recover};

type Damage = fn(Vec<u8>) -> Vec<u8>;

/// Ways to damage a file.
const DAMAGE: [(&str, Damage); 4] = [
    ("truncated", |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    }),
    ("bit flipped", |mut bytes| {
        let at = bytes.len() / 3;
        bytes[at] ^= 0x10;
        bytes
    }),
    ("empty", |_| vec![]),
    ("zeros", |bytes| vec![0; bytes.len()]),
];

/// Damages the file `name` of copies of `scene`, in each way.
fn damaged(scene: &Scene, name: &str, check: impl Fn(&Scene, &str)) {
    for (how, damage) in DAMAGE {
        let scene = scene.copy();
        damage_file(&scene.path().join(name), damage);
        check(&scene, how);
    }
}

fn damage_file(path: &Path, damage: Damage) {
    let bytes = fs::read(path).unwrap();
    // A file of its own: a backup may share the old one.
    fs::remove_file(path).unwrap();
    fs::write(path, damage(bytes)).unwrap();
}

fn build(number: u64) -> Walk {
    expected(&numbered(number), &Scene::with_extras().walk())
}

fn slot(number: u8) -> Slot {
    number.to_string().parse().unwrap()
}

/// An install at build 2 in which the swap to build 3 was cut off at `fail_point`, without being undone.
fn cut_off(fail_point: &str) -> Scene {
    let scene = Scene::at(2);
    // The second refusal is that of undoing.
    fault::arm(fail_point);
    let outcome = scene.swap_to(3);
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Interrupted { .. } | SwapError::Unfinished { .. })), "{outcome:?}");
    scene
}

const MIDWAY: &str = "swap.in=error,undo.put=error";

#[test]
fn a_damaged_installed_state_is_named_and_the_next_update_does_without() {
    damaged(&Scene::at(2), ".updater/installed", |scene, how| {
        assert!(matches!(Installed::load(&scene.folder()), Err(InstalledError::Damaged { .. })), "{how}");
        let before = scene.walk();
        fs::remove_file(scene.path().join(".updater/installed")).unwrap();
        let mut plan = scene::plan(&scene.path(), 4, &numbered(4)).unwrap();
        plan.keep = updater::swap::Keep::Backup { consumed: None };
        updater::swap::swap(&scene.folder(), plan, &Silent).unwrap();
        assert_eq!(scene.walk_backup(2).unwrap(), before, "{how}");
    });
}

#[test]
fn a_lost_or_damaged_installed_state_does_not_keep_anyone_from_going_back() {
    let check = |scene: &Scene, how: &str| {
        Ratchet { highest: Some(Place(1, 3)), ..Ratchet::default() }.save(&scene.folder()).unwrap();
        scene.write("app.ini", "mine");
        // The backup has a file of this name. What is in the folder now may be anybody's, and is not removed for it.
        let before = scene.walk();
        let refused = scene::prepare_rollback(&scene.path(), 2).map(drop);
        assert!(matches!(refused, Err(RollbackError::InTheWay { .. })), "{how}: {refused:?}");
        assert_eq!(scene.walk(), before, "{how}");
        fs::remove_dir_all(scene.path().join("shape")).unwrap();
        let left = scene.walk();
        let (prepared, swapped) = scene.rollback(2).unwrap();
        assert_eq!(prepared.kept.iter().map(ToString::to_string).collect::<Vec<_>>(), ["app.ini"], "{how}");
        assert_eq!((prepared.left, prepared.now_at.unwrap().sequence), (None, 2), "{how}");
        assert_eq!(scene.installed().unwrap().release.place, Place(1, 2), "{how}");
        assert_eq!(Ratchet::load(&scene.folder()).unwrap().hold.unwrap().at, Place(1, 3), "{how}");
        let mut now = scene.walk();
        assert_eq!(now.remove("app.ini"), left.get("app.ini").cloned(), "{how}");
        // Nobody remembers that this was ours, so it stays.
        now.retain(|path, _| !path.starts_with("only/in 3"));
        let mut wanted = build(2);
        wanted.remove("app.ini").unwrap();
        assert_eq!(now, wanted, "{how}");
        // What was left is a backup like any other, and can come back.
        assert_eq!((swapped.backup, scene.walk_backup(2)), (Some(slot(2)), Some(left)), "{how}");
        scene.rollback(2).unwrap();
        assert_eq!(fs::read_to_string(scene.path().join("lib/a.dll")).unwrap(), "a 3", "{how}");
    };
    let scene = Scene::at(3);
    damaged(&scene, ".updater/installed", check);
    fs::remove_file(scene.path().join(".updater/installed")).unwrap();
    check(&scene, "lost");
}

#[test]
fn a_damaged_ratchet_or_station_is_an_error_and_never_a_fresh_start() {
    let scene = Scene::at(1);
    Ratchet { highest: Some(Place(1, 7)), ..Ratchet::default() }.save(&scene.folder()).unwrap();
    let station = r#"{"format":0,"type":"station","product":"p","os":"linux","arch":"any","channel":"stable","repository":"http://h/r/","name":"acme"}"#;
    Station::parse(station.as_bytes()).unwrap().save(&scene.folder()).unwrap();
    damaged(&scene, ".updater/ratchet.json", |scene, how| {
        // A flipped bit can hit a character that means nothing; what is read is then what was written.
        let found = Ratchet::load(&scene.folder());
        assert!(matches!(found, Err(RatchetError::Damaged { .. })), "{how}: {found:?}");
    });
    damaged(&scene, ".updater/station.json", |scene, how| {
        let found = Station::load(&scene.folder());
        assert!(matches!(found, Err(StationError::Damaged { .. })), "{how}: {found:?}");
    });
}

#[test]
fn a_damaged_history_costs_lines_and_nothing_else() {
    damaged(&Scene::at(3), ".updater/history.jsonl", |scene, how| {
        let before = history::read(&scene.folder()).unwrap().len();
        assert!(before <= 3, "{how}");
        scene.swap_to(4).unwrap();
        let lines = history::read(&scene.folder()).unwrap();
        assert_eq!((lines.len(), lines.last().unwrap().to.as_ref().unwrap().sequence), (before + 1, 4), "{how}");
    });
}

#[test]
fn a_damaged_journal_touches_nothing_and_says_so() {
    damaged(&cut_off(MIDWAY), ".updater/journal", |scene, how| {
        let before = (scene.walk(), everything(&scene.path().join(".updater")));
        assert!(matches!(recover(&scene.folder()), Err(RecoveryError::Journal(_))), "{how}");
        assert_eq!((scene.walk(), everything(&scene.path().join(".updater"))), before, "{how}");
        assert!(matches!(scene.swap_to(3), Err(SwapError::JournalPresent)), "{how}");
    });
}

/// Every file below `root`, with its content.
fn everything(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (vec![], vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match fs::symlink_metadata(&path).unwrap() {
                stat if stat.is_dir() => folders.push(path),
                stat if stat.is_file() => found.push((path.clone(), fs::read(path).unwrap())),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_damaged_later_line_of_a_journal_is_as_if_it_were_not_there() {
    let scene = cut_off("commit.slot=error");
    let path = scene.path().join(".updater/journal");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for (how, damage) in DAMAGE {
        let scene = scene.copy();
        let damaged = [&whole[..first], &damage(whole[first..].to_vec())].concat();
        fs::write(scene.path().join(".updater/journal"), damaged).unwrap();
        assert!(matches!(recover(&scene.folder()).unwrap(), Recovery::Finished { .. }), "{how}");
        assert_eq!((scene.walk(), scene.walk_backups()), (build(3), vec![build(1), build(2)]), "{how}");
    }
}

#[test]
fn a_damaged_staged_file_turns_a_cut_swap_back() {
    let scene = cut_off(MIDWAY);
    let staged: Vec<PathBuf> = fs::read_dir(scene.path().join(".updater/staging")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(staged.len(), 2, "only the entry points are not in place: {staged:?}");
    damaged(&scene, staged[0].strip_prefix(scene.path()).unwrap().to_str().unwrap(), |scene, how| {
        assert!(matches!(recover(&scene.folder()).unwrap(), Recovery::Undone { .. }), "{how}");
        assert_eq!((scene.walk(), scene.walk_backups()), (build(2), vec![build(1)]), "{how}");
        scene.swap_to(3).unwrap();
        assert_eq!(scene.walk(), build(3), "{how}");
    });
}

#[test]
fn when_neither_way_is_whole_nothing_is_touched_and_the_missing_file_is_named() {
    let scene = cut_off(MIDWAY);
    for entry in fs::read_dir(scene.path().join(".updater/staging")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fs::remove_file(scene.path().join(".updater/backup/run.sh")).unwrap();
    let before = (scene.walk(), everything(&scene.path().join(".updater")));
    let Err(RecoveryError::Broken { missing }) = recover(&scene.folder()) else { panic!("neither is whole") };
    assert_eq!(missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["run.sh"]);
    assert_eq!((scene.walk(), everything(&scene.path().join(".updater"))), before);
}

#[test]
fn a_damaged_next_state_costs_a_scan_and_no_file() {
    for name in [".updater/installed.next", ".updater/manifest.next"] {
        damaged(&cut_off("commit.slot=error"), name, |scene, how| {
            assert!(matches!(recover(&scene.folder()).unwrap(), Recovery::Finished { .. }), "{name} {how}");
            assert_eq!(scene.walk(), build(3), "{name} {how}");
            // What is not what the journal says is never taken for the state.
            let sequence = scene.installed().unwrap().release.place.1;
            assert_eq!(sequence, if name.contains("installed") { 2 } else { 3 }, "{how}");
            scene.swap_to(5).unwrap();
            let mut now = scene.walk();
            // Nobody remembers that this file was ours, so it stays.
            now.retain(|path, _| !path.starts_with("only/in 3"));
            assert_eq!(now, build(5), "{name} {how}");
        });
    }
}

#[test]
fn f10_a_damaged_backup_is_named_is_not_restored_and_lends_no_file() {
    damaged(&Scene::at(4), "bkp_remote.003/.updater/files", |scene, how| {
        let before = scene.walk();
        let outcome = scene.rollback(3).map(drop);
        assert!(matches!(outcome, Err(RollbackError::Backup(BackupError::Damaged { .. } | BackupError::Refused(_)))), "{how}: {outcome:?}");
        assert!(backup::verify(&scene.folder(), slot(3), &Silent).is_err(), "{how}");
        assert_eq!(scene.walk(), before, "{how}");
        let kind = backup::backups(&scene.folder()).unwrap()[2].kind.clone();
        match scene.swap_to(5) {
            // The first line still says what it is: it is aged like the others.
            Ok(_) => assert_eq!(scene.walk_backups().last(), Some(&before), "{how}"),
            Err(SwapError::Backup(BackupError::Refused(Refusal::Damaged(_)))) => {
                assert!(matches!(kind, BackupKind::Damaged(_)), "{how}");
                assert_eq!(scene.walk(), before, "{how}");
                backup::adopt(&scene.folder(), slot(3), UtcTime::from_unix(MTIME)).unwrap();
                scene.swap_to(5).unwrap();
            }
            Err(other) => panic!("{how}: {other}"),
        }
        assert_eq!(scene.walk(), build(5), "{how}");
        assert!(backup::verify(&scene.folder(), slot(3), &Silent).unwrap().damaged.is_empty(), "{how}: the newest is good");
        // An older good one is still there to go back to.
        scene.rollback(1).unwrap();
        assert_eq!(scene.walk(), build(2), "{how}");
    });
}

#[test]
fn a_backup_whose_release_is_damaged_is_not_restored() {
    for name in ["bkp_remote.001/.updater/installed", "bkp_remote.001/.updater/manifest"] {
        damaged(&Scene::at(2), name, |scene, how| {
            let before = scene.walk();
            let outcome = scene.rollback(1).map(drop);
            assert!(matches!(outcome, Err(RollbackError::Backup(BackupError::Damaged { .. }))), "{name} {how}: {outcome:?}");
            assert_eq!(scene.walk(), before);
        });
    }
}

#[test]
fn what_a_dead_run_left_is_swept_without_a_journal() {
    let scene = Scene::at(2);
    let before = (scene.walk(), scene.walk_backups());
    for path in [
        ".updater/backup/lib/x",
        ".updater/installed.next",
        ".updater/manifest.next",
        ".updater/trash/1/2/3",
        ".updater/trash/slot-0011223344556677/x",
    ] {
        scene.write(path, "left behind");
    }
    assert_eq!(recover(&scene.folder()).unwrap(), Recovery::Nothing);
    assert_eq!((scene.walk(), scene.walk_backups()), before);
    assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0);
    for gone in ["backup", "installed.next", "manifest.next"] {
        assert!(!scene.path().join(".updater").join(gone).exists());
    }
}

#[test]
fn f3_emptying_the_trash_follows_no_link() {
    let scene = Scene::at(1);
    let outside = scene.place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, scene.path().join(".updater/trash/link")).unwrap();
    fs::create_dir(scene.path().join(".updater/trash/folder")).unwrap();
    std::os::unix::fs::symlink(&outside, scene.path().join(".updater/trash/folder/link")).unwrap();
    recover(&scene.folder()).unwrap();
    assert!(outside.join("precious").exists());
    assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0);
}
