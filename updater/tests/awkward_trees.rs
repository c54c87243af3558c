//! Extras as users and programs make them: long names, paths that no system call takes whole, deep folders, files that are written while they are backed up, file systems that keep whole
//! seconds only.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use scene::{Scene, numbered};
use updater::backup;
use updater::progress::Silent;

/// Held by whoever has thousands of folders open, or limits how many this process may have: both at once would be a limit for the wrong one.
static HANDLES: Mutex<()> = Mutex::new(());

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// Opens, step by step, the folder that `names` lead to from `root`.
fn descend(root: &Path, names: &[String], make: bool) -> OwnedFd {
    let mut at = rustix::fs::open(root, FOLDER, Mode::empty()).unwrap();
    for name in names {
        if make {
            mkdirat(&at, name, Mode::from_raw_mode(0o755)).unwrap();
        }
        at = openat(&at, name, FOLDER, Mode::empty()).unwrap_or_else(|error| panic!("`{}…`: {error}", &name[..name.len().min(20)]));
    }
    at
}

fn write(root: &Path, names: &[String], content: &str) {
    let at = descend(root, names, true);
    let file = openat(&at, "end.txt", OFlags::CREATE | OFlags::WRONLY, Mode::from_raw_mode(0o644)).unwrap();
    File::from(file).write_all(content.as_bytes()).unwrap();
}

fn read(root: &Path, names: &[String]) -> String {
    let mut content = String::new();
    let file = openat(descend(root, names, false), "end.txt", OFlags::RDONLY, Mode::empty()).unwrap();
    File::from(file).read_to_string(&mut content).unwrap();
    content
}

#[test]
fn names_of_255_bytes_long_paths_and_deep_folders_are_backed_up_linked_and_left_alone() {
    let _handles = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    // 255 bytes; more than the 4,096 that one system call takes; as many levels as are gone into.
    for names in [vec!["n".repeat(255); 1], vec!["p".repeat(255); 40], vec!["d".into(); 160]] {
        let what = format!("{} levels of {} bytes", names.len(), names[0].len());
        let scene = Scene::at(1);
        write(&scene.path(), &names, &what);
        for number in 2..=5 {
            let swapped = scene.swap_to(number).unwrap_or_else(|error| panic!("{what}, update {number}: {error}"));
            assert!(swapped.warnings.is_empty(), "{what}: {:?}", swapped.warnings);
        }
        for slot in 1..=3u8 {
            assert_eq!(read(&scene.path().join(format!("bkp_remote.00{slot}")), &names), what);
            let verified = backup::verify(&scene.folder(), slot.to_string().parse().unwrap(), &Silent).unwrap();
            assert!(verified.damaged.is_empty(), "{what}");
        }
        scene.rollback(2).unwrap();
        assert_eq!(fs::read_to_string(scene.path().join("lib/a.dll")).unwrap(), "a 3", "{what}");
        assert_eq!(read(&scene.path(), &names), what, "extras stay");
        assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0, "{what}: the backup that went is gone");
    }
}

#[test]
fn folders_nested_without_end_exhaust_neither_handles_nor_the_stack_and_are_named() {
    let _handles = HANDLES.lock().unwrap_or_else(PoisonError::into_inner);
    // What a process gets on many systems.
    let limit =
        rustix::process::Rlimit { current: Some(1_024), maximum: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
    let scene = Scene::at(4);
    let deep = vec!["e".to_owned(); 5_000];
    write(&scene.path(), &deep, "far below");
    for number in 5..=6 {
        let swapped = scene.swap_to(number).unwrap();
        assert!(swapped.warnings.iter().any(|warning| warning.contains("more than 160 folders")), "{:?}", swapped.warnings);
    }
    scene.rollback(1).unwrap();
    assert_eq!(read(&scene.path(), &deep), "far below", "what is not backed up is not touched either");
    // Somebody's old backup, taken into the rotation, goes when its time comes, however deep it is.
    let scene = Scene::at(1);
    for number in 1..=3 {
        write(&scene.path(), &[vec![format!("bkp_remote.00{number}")], vec!["f".to_owned(); 3_000]].concat(), "old");
        backup::adopt(&scene.folder(), number.to_string().parse().unwrap(), manifests::time::UtcTime::from_unix(1)).unwrap();
    }
    for number in 2..=4 {
        scene.swap_to(number).unwrap();
    }
    assert_eq!(fs::read_dir(scene.path().join(".updater/trash")).unwrap().count(), 0);
    assert!((1..=3).all(|number| !scene.path().join(format!("bkp_remote.00{number}/f")).exists()));
}

#[test]
fn a_file_that_is_written_while_it_is_backed_up_is_named_and_its_backup_is_what_its_record_says() {
    const BYTES: usize = 3 << 20;
    let scene = Scene::at(1);
    let path = scene.path().join("always writing.log");
    fs::write(&path, vec![0; BYTES]).unwrap();
    let done = AtomicBool::new(false);
    let mut named = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            for byte in (1..=255u8).cycle() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                file.seek(SeekFrom::Start(0)).unwrap();
                file.write_all(&vec![byte; BYTES]).unwrap();
            }
        });
        for number in 2..=8 {
            let swapped = scene.swap_to(number).unwrap();
            named += u32::from(swapped.warnings.iter().any(|warning| warning.contains("always writing.log")));
            let newest = backup::backups(&scene.folder()).unwrap().last().unwrap().slot;
            let verified = backup::verify(&scene.folder(), newest, &Silent).unwrap();
            assert!(verified.damaged.is_empty(), "update {number}: {verified:?}");
            assert_eq!(fs::metadata(scene.path().join(newest.folder_name()).join("always writing.log")).unwrap().len(), BYTES as u64);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(named > 0, "it never held still for long, and nobody said so");
    scene.swap_to(9).unwrap();
    let calm = scene.walk();
    let swapped = scene.swap_to(10).unwrap();
    assert!(swapped.warnings.is_empty(), "{:?}", swapped.warnings);
    assert_eq!(scene.walk_backup(3).unwrap(), calm);
}

#[test]
fn a_file_that_grows_without_end_does_not_keep_a_backup_from_ending() {
    let scene = Scene::at(1);
    let path = scene.path().join("growing.log");
    fs::write(&path, "start\n").unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            while !done.load(Ordering::Relaxed) && file.metadata().unwrap().len() < 200 << 20 {
                file.write_all(&[b'x'; 100_000]).unwrap();
            }
        });
        scene.swap_to(2).unwrap();
        done.store(true, Ordering::Relaxed);
    });
    let kept = fs::read(scene.path().join("bkp_remote.001/growing.log")).unwrap();
    assert!(kept.starts_with(b"start\n") && kept[6..].iter().all(|byte| *byte == b'x'), "what is kept is how it began");
    assert_eq!(scene.walk()["lib/a.dll"], scene::expected(&numbered(2), &Default::default())["lib/a.dll"]);
}
