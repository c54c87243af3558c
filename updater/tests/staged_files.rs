//! What is renamed in is what was verified, whatever is done to `staging/` in between (attack E4).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use scene::{Scene, Walk, expected, numbered};
use updater::progress::{Progress, Step};
use updater::swap::{Recovery, SwapError, SwapPlan, recover, swap};

/// Does something to the station once the journal is written: when the first file moves.
struct Meddler<'a>(&'a (dyn Fn() + Sync));

impl Progress for Meddler<'_> {
    fn begin(&self, step: Step, _: u64) {
        if step == Step::Swap {
            (self.0)();
        }
    }

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}

    fn deadline(&self, _: &updater::deadline::Deadline) {}
}

fn build(number: u64) -> Walk {
    expected(&numbered(number), &Scene::with_extras().walk())
}

/// The staged file that is to become `lib/a.dll`.
fn staged(scene: &Scene) -> PathBuf {
    let names = fs::read_dir(scene.path().join(".updater/staging")).unwrap().map(|entry| entry.unwrap().path());
    names.into_iter().find(|path| path.to_str().unwrap().ends_with("lib-a.dll")).unwrap()
}

fn prepared(scene: &Scene) -> SwapPlan {
    scene::plan(&scene.path(), 3, &numbered(3)).unwrap()
}

/// Writes `content`, as long as what is there, and puts the time back.
fn rewrite(path: &Path, content: &str) {
    let before = fs::metadata(path).unwrap();
    assert_eq!(before.len(), content.len() as u64);
    fs::write(path, content).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
}

/// Puts another file of the same size, time and mode in the place of `path`.
fn replace(path: &Path, content: &str) {
    let other = path.with_file_name("other");
    fs::copy(path, &other).unwrap();
    let time = fs::metadata(path).unwrap().modified().unwrap();
    rewrite(&other, content);
    OpenOptions::new().write(true).open(&other).unwrap().set_modified(time).unwrap();
    fs::rename(&other, path).unwrap();
}

type Meddling = fn(&Path);

const MEDDLING: [(&str, Meddling); 6] = [
    ("another file of the same look in its place", |staged| replace(staged, "X 3")),
    ("written in place, size and time put back", |staged| rewrite(staged, "X 3")),
    ("a link in its place", |staged| {
        let aside = staged.with_file_name("aside");
        fs::rename(staged, &aside).unwrap();
        symlink(&aside, staged).unwrap();
    }),
    ("a second name", |staged| fs::hard_link(staged, staged.with_file_name("second")).unwrap()),
    ("gone", |staged| fs::remove_file(staged).unwrap()),
    ("a folder in its place", |staged| fs::remove_file(staged).and_then(|()| fs::create_dir(staged)).unwrap()),
];

#[test]
fn e4_a_staged_file_that_was_changed_before_the_swap_stops_it_before_anything_moves() {
    for (how, meddle) in MEDDLING {
        if how == "a second name" {
            // The content is still what was verified: it is only after that that nothing may happen to it.
            continue;
        }
        let scene = Scene::at(2);
        let plan = prepared(&scene);
        meddle(&staged(&scene));
        let before = (scene.walk(), scene.walk_backups());
        let outcome = swap(&scene.folder(), plan, &updater::progress::Silent);
        assert!(matches!(outcome, Err(SwapError::NotStaged { .. })), "{how}: {outcome:?}");
        assert_eq!((scene.walk(), scene.walk_backups()), before, "{how}");
        assert!(!scene.path().join(".updater/journal").exists(), "{how}");
        scene.swap_to(3).unwrap();
        assert_eq!(scene.walk(), build(3), "{how}");
    }
}

#[test]
fn e4_a_staged_file_that_is_changed_between_verification_and_rename_never_becomes_the_client() {
    for (how, meddle) in MEDDLING {
        let scene = Scene::at(2);
        let plan = prepared(&scene);
        let before = (scene.walk(), scene.walk_backups());
        let outcome = swap(&scene.folder(), plan, &Meddler(&|| meddle(&staged(&scene))));
        let Err(SwapError::Undone { source }) = outcome else { panic!("{how}: {outcome:?}") };
        assert!(source.to_string().contains("lib-a.dll"), "{how}: {source}");
        assert_eq!((scene.walk(), scene.walk_backups()), before, "{how}");
        assert_eq!(recover(&scene.folder()).unwrap(), Recovery::Nothing, "{how}");
        scene.swap_to(3).unwrap();
        assert_eq!(scene.walk(), build(3), "{how}");
    }
}

#[test]
fn e4_a_staged_link_that_leads_elsewhere_by_then_never_becomes_the_client() {
    let scene = Scene::at(2);
    let plan = prepared(&scene);
    let before = (scene.walk(), scene.walk_backups());
    let meddle = || {
        let links = fs::read_dir(scene.path().join(".updater/staging")).unwrap().map(|entry| entry.unwrap().path());
        let link = links.into_iter().find(|path| path.is_symlink()).unwrap();
        fs::remove_file(&link).unwrap();
        symlink("/etc/passwd", &link).unwrap();
    };
    let outcome = swap(&scene.folder(), plan, &Meddler(&meddle));
    assert!(matches!(outcome, Err(SwapError::Undone { .. })), "{outcome:?}");
    assert_eq!((scene.walk(), scene.walk_backups()), before);
    let found = fs::read_dir(scene.path().join(".updater/found")).unwrap().count();
    assert_eq!(found, 1, "what came in its place is kept for whoever looks into it");
}

#[test]
fn a_swap_that_nobody_disturbs_keeps_the_staged_files_themselves() {
    let scene = Scene::at(2);
    let plan = prepared(&scene);
    let inode = fs::metadata(staged(&scene)).unwrap().ino();
    swap(&scene.folder(), plan, &updater::progress::Silent).unwrap();
    assert_eq!(fs::metadata(scene.path().join("lib/a.dll")).unwrap().ino(), inode);
}
