//! Whatever a program or its user does to live files between updates and rollbacks, no backup changes by a byte, a nanosecond or a mode bit (design section 6).
//!
//! The oracle shares nothing with the updater: it walks the folder before each change, and remembers which of these trees the three backups must hold from then on.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/scene.rs"]
mod scene;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::sample::Index;
use scene::{Scene, numbered};

/// What somebody does between two updates.
#[derive(Debug, Clone)]
enum Deed {
    /// Overwrites a part of a live file in place.
    Write(Index, u8),
    Append(Index, u8),
    Truncate(Index, u8),
    Touch(Index, u32),
    Chmod(Index, bool),
    /// Writes a new file beside and renames it over a live one.
    RenameOver(Index, u8),
    /// Gives a live file a second name, in the folder or out of it.
    HardLink(Index, bool),
    Remove(Index),
    /// Makes an extra of the user's.
    Create(u8),
    /// Puts a link in the place of a live file.
    Symlink(Index),
    /// Updates to a build.
    Update(u64),
    /// Goes back to one of the backups.
    Rollback(Index),
}

fn deed() -> impl Strategy<Value = Deed> {
    let file = any::<Index>;
    prop_oneof![
        3 => (file(), any::<u8>()).prop_map(|(file, byte)| Deed::Write(file, byte)),
        2 => (file(), any::<u8>()).prop_map(|(file, byte)| Deed::Append(file, byte)),
        2 => (file(), any::<u8>()).prop_map(|(file, length)| Deed::Truncate(file, length)),
        2 => (file(), any::<u32>()).prop_map(|(file, nanoseconds)| Deed::Touch(file, nanoseconds)),
        2 => (file(), any::<bool>()).prop_map(|(file, exec)| Deed::Chmod(file, exec)),
        2 => (file(), any::<u8>()).prop_map(|(file, byte)| Deed::RenameOver(file, byte)),
        3 => (file(), any::<bool>()).prop_map(|(file, inside)| Deed::HardLink(file, inside)),
        1 => file().prop_map(Deed::Remove),
        1 => any::<u8>().prop_map(Deed::Create),
        1 => file().prop_map(Deed::Symlink),
        6 => (2u64..7).prop_map(Deed::Update),
        2 => file().prop_map(Deed::Rollback),
    ]
}

/// All that counts of what lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    File { content: Vec<u8>, seconds: i64, nanoseconds: i64, mode: u32 },
    Link(PathBuf),
    Folder,
}

type Tree = BTreeMap<String, Thing>;

fn look(root: &Path) -> Tree {
    fn enter(root: &Path, at: &Path, tree: &mut Tree) {
        for path in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if name == ".updater" || name.starts_with("bkp_remote.") {
                continue;
            }
            let stat = fs::symlink_metadata(&path).unwrap();
            let thing = if stat.is_dir() {
                enter(root, &path, tree);
                Thing::Folder
            } else if stat.is_symlink() {
                Thing::Link(fs::read_link(&path).unwrap())
            } else {
                let content = fs::read(&path).unwrap();
                Thing::File { content, seconds: stat.mtime(), nanoseconds: stat.mtime_nsec(), mode: stat.mode() & 0o7777 }
            };
            tree.insert(name, thing);
        }
    }
    let mut tree = Tree::new();
    enter(root, root, &mut tree);
    tree
}

/// A station and the trees that its backups must hold, oldest first.
struct Station {
    scene: Scene,
    backups: Vec<Tree>,
    /// Distinguishes names that deeds make up.
    made: u32,
}

impl Station {
    fn live(&self) -> PathBuf {
        self.scene.path()
    }

    /// One of the live regular files.
    fn file(&self, index: &Index) -> PathBuf {
        let files: Vec<String> =
            look(&self.live()).into_iter().filter(|(_, thing)| matches!(thing, Thing::File { .. })).map(|(path, _)| path).collect();
        self.live().join(index.get(&files))
    }

    fn new_name(&mut self) -> String {
        self.made += 1;
        format!("made {}", self.made)
    }

    fn act(&mut self, deed: &Deed) {
        let open = |path: PathBuf| OpenOptions::new().write(true).open(path).unwrap();
        match deed {
            Deed::Write(file, byte) => {
                let mut file = open(self.file(file));
                let middle = file.metadata().unwrap().len() / 2;
                file.seek(SeekFrom::Start(middle)).unwrap();
                file.write_all(&[*byte; 3]).unwrap();
            }
            Deed::Append(file, byte) => OpenOptions::new().append(true).open(self.file(file)).unwrap().write_all(&[*byte]).unwrap(),
            Deed::Truncate(file, length) => open(self.file(file)).set_len(u64::from(*length % 8)).unwrap(),
            Deed::Touch(file, nanoseconds) => {
                let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, nanoseconds % 1_000_000_000);
                open(self.file(file)).set_modified(time).unwrap();
            }
            Deed::Chmod(file, exec) => {
                fs::set_permissions(self.file(file), Permissions::from_mode(if *exec { 0o755 } else { 0o600 })).unwrap()
            }
            Deed::RenameOver(file, byte) => {
                let (new, file) = (self.live().join("being written"), self.file(file));
                fs::write(&new, [*byte; 7]).unwrap();
                fs::rename(new, file).unwrap();
            }
            Deed::HardLink(file, inside) => {
                let (file, name) = (self.file(file), self.new_name());
                let folder = if *inside { self.live() } else { self.scene.place.path().to_owned() };
                fs::hard_link(file, folder.join(name)).unwrap();
            }
            Deed::Remove(file) => fs::remove_file(self.file(file)).unwrap(),
            Deed::Create(byte) => {
                let name = self.new_name();
                fs::write(self.live().join(name), [*byte; 20]).unwrap();
            }
            Deed::Symlink(file) => {
                let file = self.file(file);
                fs::remove_file(&file).unwrap();
                symlink("nowhere", file).unwrap();
            }
            Deed::Update(number) => self.update(*number),
            Deed::Rollback(index) => self.roll_back(index),
        }
    }

    fn update(&mut self, number: u64) {
        let before = look(&self.live());
        let outcome = self.scene.swap_to_build(number, &numbered(number));
        // What a user put where a build has a folder or a file stops the update, which then takes no slot.
        if outcome.is_ok_and(|swapped| swapped.backup.is_some()) {
            self.backups.push(before);
            if self.backups.len() > 3 {
                self.backups.remove(0);
            }
        }
    }

    fn roll_back(&mut self, index: &Index) {
        if self.backups.is_empty() {
            return;
        }
        let at = index.index(self.backups.len());
        let before = look(&self.live());
        let Ok(prepared) = scene::prepare_rollback(&self.live(), u8::try_from(at).unwrap() + 1) else { return };
        if updater::swap::swap(&self.scene.folder(), prepared.swap, &updater::progress::Silent).is_ok() {
            self.backups.remove(at);
            self.backups.push(before);
        }
    }

    fn check(&self, after: &Deed) {
        for (number, wanted) in (1..).zip(&self.backups) {
            let found = look(&self.live().join(format!("bkp_remote.00{number}")));
            for path in wanted.keys().chain(found.keys()) {
                assert_eq!(found.get(path), wanted.get(path), "`{path}` of backup {number} after {after:?}");
            }
        }
        assert!(!self.live().join(format!("bkp_remote.00{}", self.backups.len() + 1)).exists(), "a backup too many after {after:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]
    #[test]
    fn nothing_that_is_done_between_updates_and_rollbacks_changes_any_backup(deeds in proptest::collection::vec(deed(), 1..40)) {
        let scene = Scene::with_extras();
        scene.swap_to(1).unwrap();
        let mut station = Station { scene, backups: vec![], made: 0 };
        for deed in &deeds {
            station.act(deed);
            station.check(deed);
        }
    }
}

/// What a program writes through a second name of a file after the update that moved the file into the backup.
#[test]
fn a_second_name_of_a_replaced_file_does_not_reach_the_backup() {
    for path in ["lib/a.dll", "run.sh", "same.txt", "only/in 1/x.txt"] {
        let scene = Scene::at(1);
        let second = scene.place.path().join("second name");
        fs::hard_link(scene.path().join(path), &second).unwrap();
        let before = look(&scene.path());
        scene.swap_to(2).unwrap();
        OpenOptions::new().append(true).open(&second).unwrap().write_all(b"written later").unwrap();
        fs::set_permissions(&second, Permissions::from_mode(0o777)).unwrap();
        let backup = look(&scene.path().join("bkp_remote.001"));
        assert_eq!(backup.get(path), before.get(path), "{path}");
    }
}
