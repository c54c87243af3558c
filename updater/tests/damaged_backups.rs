//! Rotation when backups are not what they should be: the only whole one is never given up for a new one (attack F10).

#![cfg(all(unix, feature = "fail-points"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::path::Path;

use manifests::time::UtcTime;
use scene::{MTIME, Scene, Walk, expected, numbered};
use updater::backup::rotation::Slot;
use updater::backup::{self, BackupKind};
use updater::fs::fault;
use updater::progress::Silent;
use updater::swap::{SwapError, recover};

fn slot(number: u8) -> Slot {
    number.to_string().parse().unwrap()
}

fn build(number: u64) -> Walk {
    expected(&numbered(number), &Scene::with_extras().walk())
}

/// Changes a file of a backup, and whatever shares it, so that only reading it tells.
fn rot(path: &Path) {
    let before = fs::metadata(path).unwrap();
    let mut content = fs::read(path).unwrap();
    content[0] ^= 1;
    fs::write(path, content).unwrap();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
}

/// Makes the backup in `number` foreign: what somebody else left there, taken into the rotation.
fn make_foreign(scene: &Scene, number: u8) {
    let path = scene.path().join(format!("bkp_remote.{number:03}"));
    fs::remove_dir_all(&path).unwrap();
    scene.write(&format!("bkp_remote.{number:03}/old.exe"), "foreign");
    backup::adopt(&scene.folder(), slot(number), UtcTime::from_unix(MTIME)).unwrap();
}

fn is_whole(scene: &Scene, number: u8) -> bool {
    backup::verify(&scene.folder(), slot(number), &Silent).is_ok_and(|found| found.damaged.is_empty() && !found.is_foreign)
}

/// Three backups, of builds 1 to 3, at build 4: the first whole, the second damaged where nothing shows, the third foreign.
fn one_whole() -> Scene {
    let scene = Scene::at(4);
    rot(&scene.path().join("bkp_remote.002/lib/a.dll"));
    make_foreign(&scene, 3);
    assert!(is_whole(&scene, 1) && !is_whole(&scene, 2) && !is_whole(&scene, 3));
    scene
}

#[test]
fn f10_a_fourth_update_gives_up_the_damaged_backup_and_keeps_the_only_whole_one() {
    let scene = one_whole();
    let swapped = scene.swap_to(5).unwrap();
    assert!(swapped.warnings.iter().any(|warning| warning.contains("bkp_remote.002")), "{:?}", swapped.warnings);
    assert_eq!(scene.walk_backup(1), Some(build(1)));
    assert_eq!(fs::read_to_string(scene.path().join("bkp_remote.002/old.exe")).unwrap(), "foreign");
    assert_eq!(scene.walk_backup(3), Some(build(4)));
    assert!(is_whole(&scene, 1) && is_whole(&scene, 3));
    // From now on there are two, and the ages decide again.
    scene.swap_to(6).unwrap();
    assert_eq!((scene.walk_backup(2), scene.walk_backup(3)), (Some(build(4)), Some(build(5))));
    scene.rollback(2).unwrap();
    assert_eq!(scene.walk(), build(4));
}

#[test]
fn f10_of_two_foreign_backups_the_older_goes_before_the_only_whole_one() {
    let scene = Scene::at(4);
    make_foreign(&scene, 2);
    make_foreign(&scene, 3);
    scene.write("bkp_remote.003/newer.exe", "foreign");
    scene.swap_to(5).unwrap();
    assert!(is_whole(&scene, 1) && is_whole(&scene, 3));
    assert!(scene.path().join("bkp_remote.002/newer.exe").exists());
}

#[test]
fn f10_where_a_newer_whole_one_is_left_the_oldest_goes_as_always() {
    for damaged in [1, 2] {
        let scene = Scene::at(4);
        rot(&scene.path().join(format!("bkp_remote.{damaged:03}/lib/a.dll")));
        let newest = scene.walk_backup(3);
        scene.swap_to(5).unwrap();
        assert_eq!((scene.walk_backup(2), scene.walk_backup(3)), (newest, Some(build(4))), "{damaged}");
    }
}

#[test]
fn f10_the_one_being_restored_is_given_up_only_when_it_is_live() {
    // One damaged, one foreign, and the only whole one is what the user goes back to.
    let start = one_whole();
    let before = (start.walk(), start.walk_backups());
    for cut in ["swap.put=eacces", "swap.in=eacces", "swap.keep=enospc", "backup.copy=enospc", "restore.copy=eacces"] {
        let scene = start.copy();
        fault::arm(cut);
        let prepared = scene::prepare_rollback(&scene.path(), 1);
        let outcome = prepared.map(|prepared| updater::swap::swap(&scene.folder(), prepared.swap, &Silent));
        fault::arm("");
        assert!(!matches!(outcome, Ok(Ok(_))), "{cut}");
        recover(&scene.folder()).unwrap();
        assert_eq!((scene.walk(), scene.walk_backups()), before, "{cut}");
        assert!(is_whole(&scene, 1), "{cut}");
    }
    // The way back was cut off after the commit: the next start ends it, and nothing is lost.
    let scene = start.copy();
    fault::arm("commit.slot=eacces");
    let prepared = scene::prepare_rollback(&scene.path(), 1).unwrap();
    let outcome = updater::swap::swap(&scene.folder(), prepared.swap, &Silent);
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Unfinished { .. })), "{outcome:?}");
    recover(&scene.folder()).unwrap();
    assert_eq!(scene.walk(), build(1));
    assert_eq!(scene.walk_backup(3), Some(build(4)));
    assert!(is_whole(&scene, 3) && !is_whole(&scene, 1));
    assert!(matches!(backup::backups(&scene.folder()).unwrap()[1].kind, BackupKind::Adopted { .. }));
}

#[test]
fn f10_a_file_that_rotted_in_every_backup_is_whole_again_in_the_next_one() {
    let scene = Scene::at(4);
    // Stored once, for all three.
    rot(&scene.path().join("bkp_remote.003/same.txt"));
    assert!([1, 2, 3].into_iter().all(|number| !is_whole(&scene, number)));
    scene.swap_to(5).unwrap();
    assert!(is_whole(&scene, 3), "the new one was not linked to what is damaged");
    scene.rollback(3).unwrap();
    assert_eq!(scene.walk(), build(4));
}
