//! Backups: what they hold, where they go, that nothing reaches them, and going back to them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, SystemTime};

use manifests::channel::Place;
use manifests::time::UtcTime;
use scene::{Build, Item, MTIME, Scene, Seen, build, expected, file, numbered};
use updater::backup::rotation::{Refusal, Slot};
use updater::backup::{self, BackupError, BackupKind};
use updater::progress::Silent;
use updater::ratchet::Ratchet;
use updater::rollback::RollbackError;
use updater::swap::{SwapError, recover};

fn slot(number: u8) -> Slot {
    number.to_string().parse().unwrap()
}

#[test]
fn ac_39_after_each_of_five_updates_every_backup_is_the_whole_earlier_folder() {
    let scene = Scene::at(1);
    let mut seen = vec![scene.walk()];
    for (update, backups) in [vec![1], vec![1, 2], vec![1, 2, 3], vec![2, 3, 4], vec![3, 4, 5]].into_iter().enumerate() {
        let number = update as u64 + 2;
        scene.swap_to(number).unwrap();
        seen.push(scene.walk());
        assert_eq!(
            scene.walk_backups(),
            backups.iter().map(|version| seen[version - 1].clone()).collect::<Vec<_>>(),
            "after update {number}"
        );
        for slot in 1..=backups.len() as u8 {
            assert!(backup::verify(&scene.folder(), self::slot(slot), &Silent).unwrap().damaged.is_empty());
            assert!(!scene.path().join(format!("bkp_remote.{slot:03}/bkp_remote.001")).exists());
        }
    }
}

#[test]
fn backups_share_files_with_each_other_and_none_with_the_live_tree() {
    let scene = Scene::at(5);
    let mut shared = 0;
    for (path, seen) in scene.walk() {
        let Seen::File { .. } = seen else { continue };
        assert_eq!(fs::metadata(scene.path().join(&path)).unwrap().nlink(), 1, "{path}");
        let inode = |slot: u8| fs::metadata(scene.path().join(format!("bkp_remote.{slot:03}")).join(&path)).ok().map(|stat| stat.ino());
        shared += u32::from(inode(2).is_some() && inode(2) == inode(3));
    }
    assert!(shared >= 3, "unchanged files and extras are stored once: {shared}");
}

#[test]
fn nothing_that_is_done_to_live_files_reaches_a_backup() {
    let scene = Scene::at(4);
    let before = scene.walk_backups();
    for (path, seen) in scene.walk() {
        let Seen::File { .. } = seen else { continue };
        let path = scene.path().join(path);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"appended in place").unwrap();
        file.set_len(3).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(5)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    assert_eq!(scene.walk_backups(), before);
    for number in 1..=3 {
        assert!(backup::verify(&scene.folder(), slot(number), &Silent).unwrap().damaged.is_empty());
    }
}

#[test]
fn e3_a_release_that_changes_content_under_the_same_size_and_time_is_backed_up_as_it_was() {
    let scene = Scene::empty();
    let version = |content: &str, other: &str| build(&[("run.sh", file(other)), ("a.js", file(content))]);
    for (number, content) in ["aaaa", "bbbb", "cccc", "bbbb"].into_iter().enumerate() {
        scene.swap_to_build(number as u64 + 1, &version(content, &number.to_string())).unwrap();
    }
    let contents: Vec<Vec<u8>> = (1..=3).map(|slot| fs::read(scene.path().join(format!("bkp_remote.{slot:03}/a.js"))).unwrap()).collect();
    assert_eq!(contents, [b"aaaa", b"bbbb", b"cccc"]);
}

#[test]
fn an_extra_that_changed_within_a_second_is_copied_and_not_linked() {
    let scene = Scene::at(2);
    let path = scene.path().join("notes/mine.txt");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "MY NOTES").unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_modified(time + Duration::from_nanos(1000)).unwrap();
    scene.swap_to(3).unwrap();
    assert_eq!(fs::read(scene.path().join("bkp_remote.002/notes/mine.txt")).unwrap(), b"MY NOTES");
}

#[test]
fn what_cannot_be_backed_up_is_recorded_and_stops_nothing() {
    let scene = Scene::at(1);
    let made = std::process::Command::new("mkfifo").arg(scene.path().join("pipe")).status().unwrap();
    assert!(made.success());
    scene.swap_to(2).unwrap();
    assert!(!scene.path().join("bkp_remote.001/pipe").exists());
    assert!(fs::read_to_string(scene.path().join("bkp_remote.001/.updater/files")).unwrap().contains("\ns\tpipe\n"));
    assert!(fs::symlink_metadata(scene.path().join("pipe")).is_ok());
}

#[test]
fn an_estimate_counts_what_the_backup_then_does() {
    let scene = Scene::at(2);
    let estimate = || backup::estimate(&scene.folder(), scene.installed().as_ref(), []).unwrap();
    let all = estimate();
    // Extras and what has not changed since the first backup are linked; the rest would be copied.
    assert!(all.linked_files >= 4 && all.copied_files >= 4 && all.moved_files == 0, "{all:?}");
    fs::write(scene.path().join("big"), vec![7; 100_000]).unwrap();
    assert_eq!(estimate().copied_bytes, all.copied_bytes + 100_000);
    let moved = "lib/a.dll".parse().unwrap();
    assert_eq!(backup::estimate(&scene.folder(), scene.installed().as_ref(), [&moved]).unwrap().moved_files, 1);
}

#[test]
fn ac_40_a_gap_is_closed_in_order() {
    let scene = Scene::at(3);
    let second = scene.walk_backup(2).unwrap();
    fs::remove_dir_all(scene.path().join("bkp_remote.001")).unwrap();
    let third = scene.walk();
    scene.swap_to(4).unwrap();
    assert_eq!(scene.walk_backups(), [second, third]);
}

#[test]
fn ac_40_a_stranger_of_a_backups_name_stops_the_update_and_is_never_touched() {
    type Make = fn(&std::path::Path);
    type Expected = fn(&Refusal) -> bool;
    let cases: [(Make, Expected); 3] = [
        (|path| fs::write(path, "a file").unwrap(), |refusal| matches!(refusal, Refusal::NotAFolder(_))),
        (|path| std::os::unix::fs::symlink("lib", path).unwrap(), |refusal| matches!(refusal, Refusal::NotAFolder(_))),
        (
            |path| fs::create_dir(path).and_then(|()| fs::write(path.join("x"), "y")).unwrap(),
            |refusal| matches!(refusal, Refusal::Foreign(_)),
        ),
    ];
    for (make, expected) in cases {
        let scene = Scene::at(2);
        make(&scene.path().join("bkp_remote.003"));
        let (before, backups) = (scene.walk(), fs::symlink_metadata(scene.path().join("bkp_remote.003")).unwrap().ino());
        let Err(SwapError::Backup(BackupError::Refused(refusal))) = scene.swap_to(3) else { panic!("it is refused") };
        assert!(expected(&refusal), "{refusal}");
        assert_eq!(scene.walk(), before);
        assert_eq!(fs::symlink_metadata(scene.path().join("bkp_remote.003")).unwrap().ino(), backups);
        assert!(!scene.path().join(".updater/backup").exists());
    }
}

#[test]
fn ac_40_an_adopted_folder_rotates_like_the_others_and_only_then_is_deleted() {
    let scene = Scene::at(1);
    for number in 1..=3 {
        scene.write(&format!("bkp_remote.{number:03}/old.exe"), &format!("foreign {number}"));
        let adopted = backup::adopt(&scene.folder(), slot(number), UtcTime::from_unix(MTIME)).unwrap();
        assert!(matches!(adopted.kind, BackupKind::Adopted { .. }));
        assert_eq!(backup::adopt(&scene.folder(), slot(number), UtcTime::from_unix(0)).unwrap(), adopted);
    }
    scene.swap_to(2).unwrap();
    let old = |number: u8| fs::read_to_string(scene.path().join(format!("bkp_remote.{number:03}/old.exe"))).ok();
    assert_eq!([old(1), old(2), old(3)], [Some("foreign 2".into()), Some("foreign 3".into()), None]);
    assert_eq!(scene.walk_backup(3).unwrap(), expected(&numbered(1), &extras(&scene)));
}

/// What of the live tree no build has.
fn extras(scene: &Scene) -> scene::Walk {
    let managed = |path: &str| (1..9).any(|number| numbered(number).keys().any(|key| key == path || key.starts_with(&format!("{path}/"))));
    scene.walk().into_iter().filter(|(path, _)| !managed(path)).collect()
}

#[test]
fn a_failed_update_takes_no_slot() {
    let scene = Scene::at(3);
    let backups = scene.walk_backups();
    // Somebody deletes a file between the plan and the swap.
    let plan = scene::plan(&scene.path(), 4, &numbered(4)).unwrap();
    fs::remove_file(scene.path().join("lib/a.dll")).unwrap();
    let outcome = updater::swap::swap(&scene.folder(), plan, &Silent);
    assert!(matches!(outcome, Err(SwapError::Changed { .. })), "{outcome:?}");
    assert_eq!(scene.walk_backups(), backups);
}

#[test]
fn ac_45_rollback_to_002_brings_that_tree_back_keeps_the_ages_and_holds_what_was_left() {
    let scene = Scene::at(4);
    let (backups, live) = (scene.walk_backups(), scene.walk());
    fs::write(scene.path().join("written since"), "user data").unwrap();
    let (prepared, swapped) = scene.rollback(2).unwrap();
    assert_eq!(swapped.backup, Some(slot(3)));
    let mut now = scene.walk();
    assert!(now.remove("written since").is_some());
    assert_eq!(now, backups[1]);
    let after = scene.walk_backups();
    assert_eq!((&after[0], &after[1]), (&backups[0], &backups[2]));
    let mut newest = after[2].clone();
    newest.remove("written since").unwrap();
    assert_eq!(newest, live);
    let ratchet = Ratchet::load(&scene.folder()).unwrap();
    assert_eq!(ratchet.hold.unwrap().at, Place(1, 4));
    assert_eq!(scene.installed().unwrap(), prepared.installed);
    assert_eq!(scene.installed().unwrap().release.place, Place(1, 2));
    assert_eq!(recover(&scene.folder()).unwrap(), updater::swap::Recovery::Nothing);

    // Further back: what was left first is not offered again.
    scene.rollback(1).unwrap();
    assert_eq!(scene.installed().unwrap().release.place, Place(1, 1));
    assert_eq!(Ratchet::load(&scene.folder()).unwrap().hold.unwrap().at, Place(1, 4));

    // Forward again: nobody wants a hold.
    let (prepared, _) = scene.rollback(2).unwrap();
    assert_eq!(prepared.now_at.unwrap().sequence, 4);
    assert_eq!(Ratchet::load(&scene.folder()).unwrap().hold, None);
}

#[test]
fn what_a_rollback_restores_is_a_copy() {
    let scene = Scene::at(3);
    scene.rollback(1).unwrap();
    for (path, seen) in scene.walk() {
        if let Seen::File { .. } = seen {
            assert_eq!(fs::metadata(scene.path().join(&path)).unwrap().nlink(), 1, "{path}");
        }
    }
}

#[test]
fn ac_48_a_configuration_file_that_its_user_changed_survives_a_rollback() {
    let scene = Scene::at(2);
    scene.write("app.ini", "lastmainprog=7");
    let (prepared, _) = scene.rollback(1).unwrap();
    assert_eq!(prepared.kept.iter().map(ToString::to_string).collect::<Vec<_>>(), ["app.ini"]);
    assert_eq!(fs::read_to_string(scene.path().join("app.ini")).unwrap(), "lastmainprog=7");
    assert_eq!(scene.installed().unwrap().file(&"app.ini".parse().unwrap()).unwrap().as_read, None);
    assert_eq!(fs::read_to_string(scene.path().join("lib/a.dll")).unwrap(), "a 1");
}

#[test]
fn a_file_that_its_user_had_changed_comes_back_so_and_is_named() {
    let scene = Scene::at(1);
    scene.write("lib/a.dll", "patched by hand");
    scene.swap_to(2).unwrap();
    let (prepared, _) = scene.rollback(1).unwrap();
    assert_eq!(prepared.altered.iter().map(ToString::to_string).collect::<Vec<_>>(), ["lib/a.dll"]);
    assert_eq!(fs::read_to_string(scene.path().join("lib/a.dll")).unwrap(), "patched by hand");
}

/// Changes the content of `path` and nothing that can be seen without reading it.
fn damage_silently(path: &std::path::Path, content: &str) {
    let stat = fs::metadata(path).unwrap();
    assert_eq!(stat.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(stat.modified().unwrap()).unwrap();
}

#[test]
fn a_backup_of_a_silently_damaged_file_has_what_was_there_and_comes_back() {
    // Moved to the backup; copied to it; an entry point that the swap replaces, and one that it does not.
    let same = |number: u64| -> Build {
        let mut build = numbered(number);
        build.insert("run.sh".into(), Item::File { content: "entry 1".into(), mtime: MTIME, mode: 0o755 });
        build
    };
    let cases =
        [("lib/a.dll", "X 1", numbered(2)), ("same.txt", "THE SAME IN EVERY BUILD", numbered(2)), ("run.sh", "ENTRY 1", numbered(2))];
    for (path, content, next) in cases {
        let scene = Scene::at(1);
        damage_silently(&scene.path().join(path), content);
        scene.swap_to_build(2, &next).unwrap();
        let verified = backup::verify(&scene.folder(), slot(1), &Silent).unwrap();
        assert!(verified.damaged.is_empty(), "{path}: {verified:?}");
        let (prepared, _) = scene.rollback(1).unwrap();
        assert_eq!(prepared.altered.iter().map(ToString::to_string).collect::<Vec<_>>(), [path]);
        assert_eq!(fs::read_to_string(scene.path().join(path)).unwrap(), content);
    }
    let scene = Scene::at(1);
    let mut plan = scene::plan(&scene.path(), 2, &same(2)).unwrap();
    damage_silently(&scene.path().join("run.sh"), "ENTRY 1");
    plan.keep = updater::swap::Keep::Backup { consumed: None };
    updater::swap::swap(&scene.folder(), plan, &Silent).unwrap();
    assert_eq!(fs::read_to_string(scene.path().join("bkp_remote.001/run.sh")).unwrap(), "ENTRY 1");
    assert!(backup::verify(&scene.folder(), slot(1), &Silent).unwrap().damaged.is_empty());
}

#[test]
fn e5_a_backup_that_was_tampered_with_is_not_restored() {
    type Tamper = fn(&std::path::Path);
    let tampers: [Tamper; 3] = [
        |backup| fs::write(backup.join("lib/a.dll"), "x 1").unwrap(),
        |backup| fs::remove_file(backup.join("lib/a.dll")).unwrap(),
        |backup| {
            // Size and time put back: only the digest tells.
            let path = backup.join("lib/a.dll");
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, "A 1").unwrap();
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(time).unwrap();
        },
    ];
    for tamper in tampers {
        let scene = Scene::at(2);
        tamper(&scene.path().join("bkp_remote.001"));
        let before = scene.walk();
        let outcome = scene.rollback(1).map(drop);
        assert!(matches!(outcome, Err(RollbackError::Damaged { .. })), "{outcome:?}");
        assert_eq!(scene.walk(), before);
        assert!(!backup::verify(&scene.folder(), slot(1), &Silent).unwrap().damaged.is_empty());
    }
}

#[test]
fn a_foreign_backup_comes_back_whole_and_is_called_unverified() {
    let scene = Scene::at(1);
    scene.write("bkp_remote.001/run.sh", "foreign entry");
    scene.write("bkp_remote.001/plug/in.dll", "foreign plugin");
    backup::adopt(&scene.folder(), slot(1), UtcTime::from_unix(MTIME)).unwrap();
    let extras = extras(&scene);
    let (prepared, _) = scene.rollback(1).unwrap();
    assert!(prepared.is_unverified);
    assert_eq!((prepared.left.map(|left| left.sequence), prepared.now_at), (Some(1), None), "nobody calls it build 0");
    let read = |path: &str| fs::read_to_string(scene.path().join(path)).unwrap();
    assert_eq!((read("run.sh"), read("plug/in.dll")), ("foreign entry".into(), "foreign plugin".into()));
    assert!(!scene.path().join("lib").exists(), "what our release had put there is gone");
    assert!(extras.iter().all(|(path, seen)| scene.walk().get(path) == Some(seen)));
    assert_eq!(scene.installed().unwrap().release.place, Place(0, 0));
    // The next update finds its way from there, and back.
    scene.swap_to(2).unwrap();
    assert_eq!(read("lib/a.dll"), "a 2");
    assert_eq!(backup::backups(&scene.folder()).unwrap().last().unwrap().release, None, "an unknown build");
    scene.rollback(2).unwrap();
    assert_eq!(read("run.sh"), "foreign entry");
}

#[test]
fn an_unchanged_entry_point_is_in_the_backup_and_in_the_live_tree_as_two_files() {
    let scene = Scene::empty();
    let version = |content: &str| -> Build {
        build(&[("run.sh", Item::File { content: "entry".into(), mtime: MTIME, mode: 0o755 }), ("a", file(content))])
    };
    scene.swap_to_build(1, &version("1")).unwrap();
    let first = scene.walk();
    scene.swap_to_build(2, &version("2")).unwrap();
    assert_eq!(scene.walk(), expected(&version("2"), &Default::default()));
    assert_eq!(scene.walk_backups(), [first]);
    assert_eq!(fs::metadata(scene.path().join("run.sh")).unwrap().nlink(), 1);
}

#[test]
fn only_times_and_modes_change_without_a_backup_and_without_moving_the_entry_point() {
    let scene = Scene::at(1);
    let mut next = numbered(1);
    next.insert("same.txt".into(), Item::File { content: "the same in every build".into(), mtime: MTIME + 60, mode: 0o755 });
    let entry = fs::metadata(scene.path().join("run.sh")).unwrap().ino();
    let mut plan = scene::plan(&scene.path(), 2, &next).unwrap();
    plan.keep = updater::swap::Keep::Nothing;
    let swapped = updater::swap::swap(&scene.folder(), plan, &Silent).unwrap();
    assert_eq!(swapped.backup, None);
    assert_eq!(scene.walk(), expected(&next, &extras(&scene)));
    assert_eq!(fs::metadata(scene.path().join("run.sh")).unwrap().ino(), entry);
    assert!(scene.walk_backups().is_empty());
}

#[test]
fn a_live_file_with_a_second_name_is_replaced_and_never_changed_in_place() {
    let scene = Scene::at(1);
    let mut next = numbered(1);
    next.insert("same.txt".into(), Item::File { content: "the same in every build".into(), mtime: MTIME + 60, mode: 0o600 });
    fs::hard_link(scene.path().join("same.txt"), scene.place.path().join("elsewhere")).unwrap();
    scene.swap_to_build(2, &next).unwrap();
    assert_eq!(scene.walk()["same.txt"], expected(&next, &Default::default())["same.txt"]);
    let elsewhere = fs::metadata(scene.place.path().join("elsewhere")).unwrap();
    assert_eq!((elsewhere.mtime(), elsewhere.mode() & 0o777), (MTIME, 0o644));
}

#[test]
fn f1_nothing_is_written_through_a_link_that_somebody_planted() {
    let scene = Scene::at(1);
    let outside = scene.place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.dll"), "not ours").unwrap();
    fs::rename(scene.path().join("lib"), scene.path().join("was lib")).unwrap();
    std::os::unix::fs::symlink(&outside, scene.path().join("lib")).unwrap();
    let before = scene.walk();
    let folder = scene.folder();
    let stat = folder.stat(&(&"lib/a.dll".parse::<manifests::path::RelPath>().unwrap()).into());
    assert!(matches!(stat, Err(updater::fs::FsError::ParentIsLink { .. })));
    let mut plan = scene::plan(&Scene::at(1).path(), 2, &numbered(2)).unwrap();
    plan.keep = updater::swap::Keep::Nothing;
    assert!(updater::swap::swap(&folder, plan, &Silent).is_err());
    assert_eq!(scene.walk(), before);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("a.dll")).unwrap(), "not ours");
}
