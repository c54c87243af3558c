//! An install whose state lies outside its folder, as the profile `service` has it: everything works as with `.updater` inside, and what lies there is nobody's.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use scene::{Scene, expected, numbered};
use updater::fs::{Folder, FsError, LocalPath, Point};
use updater::swap::{self, Recovery};

#[test]
fn updates_and_rollbacks_are_the_same_with_the_state_apart() {
    let scene = Scene::with_extras().with_state_apart();
    let extras = scene.walk();
    for number in 1..=5 {
        scene.swap_to(number).unwrap();
        assert_eq!(scene.walk(), expected(&numbered(number), &extras), "build {number}");
    }
    assert_eq!(scene.walk_backups(), (2..=4).map(|number| expected(&numbered(number), &extras)).collect::<Vec<_>>());
    scene.rollback(2).unwrap();
    assert_eq!(scene.walk(), expected(&numbered(3), &extras));
    assert!(!scene.path().join(".updater").exists(), "the state is elsewhere");
    assert!(scene.state().join("history.jsonl").is_file() && scene.state().join("installed").is_file());
    for left in ["journal", "backup", "installed.next"] {
        assert!(!scene.state().join(left).exists(), "`{left}` is left over");
    }
}

#[test]
fn f4_what_somebody_plants_as_the_state_in_the_install_folder_is_never_read_and_never_touched() {
    let scene = Scene::empty().with_state_apart();
    scene.swap_to(1).unwrap();
    let (planted, outside) = (scene.path().join(".updater"), scene.place.path().join("outside"));
    fs::create_dir_all(planted.join("trash/deep")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "not ours").unwrap();
    symlink(&outside, planted.join("staging")).unwrap();
    for name in ["journal", "installed", "station.json", "ratchet.json", "history.jsonl"] {
        fs::write(planted.join(name), "forged").unwrap();
    }
    assert_eq!(swap::recover(&scene.folder()).unwrap(), Recovery::Nothing, "a forged journal is nobody's");
    scene.swap_to(2).unwrap();
    scene.folder().empty_trash().unwrap();
    assert_eq!(scene.walk(), expected(&numbered(2), &Default::default()));
    assert_eq!(fs::read(outside.join("precious")).unwrap(), b"not ours");
    assert!(planted.join("trash/deep").is_dir() && fs::read(planted.join("journal")).unwrap() == b"forged");
    assert!(scene.walk_backup(1).unwrap().keys().all(|path| !path.contains("updater")), "no backup takes it");
}

#[test]
fn every_way_to_the_state_leads_there() {
    let scene = Scene::empty().with_state_apart();
    let (folder, state) = (scene.folder(), LocalPath::state_folder());
    folder.make_state_folders().unwrap();
    let inode = fs::metadata(scene.state()).unwrap().ino();
    assert_eq!(folder.stat(&state).unwrap().unwrap().inode, inode);
    assert!(folder.names(&state).unwrap().contains(&b"staging".to_vec()));
    folder.write_durably(&LocalPath::state("lock"), b"x", Point::LockFile).unwrap();
    folder
        .rename(
            &LocalPath::state("lock"),
            &"there".parse::<manifests::path::RelPath>().map(|path| (&path).into()).unwrap(),
            Point::LockFile,
        )
        .unwrap();
    assert_eq!(fs::read(scene.path().join("there")).unwrap(), b"x", "from the state into the install folder");
    folder.remove_state().unwrap();
    assert!(scene.state().is_dir() && fs::read_dir(scene.state()).unwrap().next().is_none(), "emptied, and still there");
    assert!(!scene.path().join(".updater").exists());
}

#[test]
fn a_state_folder_on_another_volume_is_refused() {
    let (scene, elsewhere) = (Scene::empty(), tempfile::tempdir_in("/tmp").unwrap());
    let device = |path: &std::path::Path| fs::metadata(path).unwrap().dev();
    assert_ne!(device(&scene.path()), device(elsewhere.path()), "this test needs /dev/shm and /tmp to be different file systems");
    let refused = Folder::open(&scene.path()).unwrap().with_state_at(elsewhere.path()).unwrap_err();
    assert!(matches!(refused, FsError::OtherVolume { .. }) && refused.to_string().contains("--state"), "{refused}");
}
