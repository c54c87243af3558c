//! An install in a temporary folder, small builds to swap in, and an eye of its own: the walk here shares no code with the updater.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "each test binary uses a part of this, and a test may panic and write"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use manifests::build::{Build as Version, Scheme};
use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::name::{Arch, Os};
use manifests::pack::MAX_FRAME;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, FileEntry, LinkEntry, Manifest, ReleaseId};
use manifests::time::{FileTime, UtcTime};
use updater::backup::rotation::Slot;
use updater::fs::{Folder, FsError, LocalPath, Point};
use updater::history::{Attempt, BuildAt, Outcome};
use updater::id::Id;
use updater::installed::{Installed, InstalledFile, InstalledLink, InstalledRelease};
use updater::progress::Silent;
use updater::ratchet::Ratchet;
use updater::rollback::{self, Order, Rollback, RollbackError};
use updater::swap::{self, Changes, FileIdentity, Identity, Keep, SwapError, SwapPlan, Swapped};
use updater::trigger::Trigger;

/// What a build has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    File { content: String, mtime: i64, mode: u32 },
    Link(String),
}

/// The files of a build.
pub type Build = BTreeMap<String, Item>;

pub const MTIME: i64 = 1_763_683_200;
pub const ENTRY: &str = "run.sh";
/// Another file that starts the client.
pub const SECOND_ENTRY: &str = "tool.sh";

pub fn file(content: &str) -> Item {
    Item::File { content: content.into(), mtime: MTIME, mode: 0o644 }
}

pub fn build(items: &[(&str, Item)]) -> Build {
    items.iter().map(|(path, item)| ((*path).to_owned(), item.clone())).collect()
}

/// Build `number` of the product: each differs from its neighbours in every way a build can.
pub fn numbered(number: u64) -> Build {
    let mut build = build(&[
        (ENTRY, Item::File { content: format!("entry {number}"), mtime: MTIME, mode: 0o755 }),
        (SECOND_ENTRY, Item::File { content: format!("tool {number}"), mtime: MTIME, mode: 0o755 }),
        ("lib/a.dll", file(&format!("a {number}"))),
        ("lib/b.dll", file(&format!("b {number}"))),
        ("lib/deep/c.txt", Item::File { content: format!("c {number}"), mtime: MTIME + number as i64, mode: 0o644 }),
        ("same.txt", file("the same in every build")),
        ("touched.txt", Item::File { content: "same content".into(), mtime: MTIME + number as i64, mode: 0o644 }),
        ("link", Item::Link(if number.is_multiple_of(2) { "lib/a.dll" } else { "lib/b.dll" }.into())),
        ("app.ini", file(&format!("shipped {number}"))),
    ]);
    build.insert(format!("only/in {number}/x.txt"), file("soon gone"));
    if number.is_multiple_of(2) {
        build.insert("shape".into(), file("a file"));
    } else {
        build.insert("shape/inner.txt".into(), file("a folder"));
    }
    build
}

/// An install.
pub struct Scene {
    pub place: tempfile::TempDir,
}

/// A temporary folder on a file system in memory, where there is one: thousands of fsyncs cost nothing there, and a killed process leaves the same behind.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

impl Scene {
    pub fn empty() -> Scene {
        let place = in_memory();
        fs::create_dir(place.path().join("app")).unwrap();
        Scene { place }
    }

    /// With files of its user beside what will be installed.
    pub fn with_extras() -> Scene {
        let scene = Scene::empty();
        for (path, content) in [("report 1 %.txt", "mine"), ("notes/mine.txt", "my notes"), ("empty/.keep", "")] {
            scene.write(path, content);
            let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
            fs::OpenOptions::new().write(true).open(scene.path().join(path)).unwrap().set_modified(time).unwrap();
        }
        symlink("/nowhere/at all", scene.path().join("notes/dangling")).unwrap();
        fs::create_dir(scene.path().join("notes/nothing in it")).unwrap();
        fs::set_permissions(scene.path().join("notes/mine.txt"), fs::Permissions::from_mode(0o600)).unwrap();
        scene
    }

    /// With builds 1 to `last` swapped in, one after the other.
    pub fn at(last: u64) -> Scene {
        Scene::with_extras().after_builds(last)
    }

    /// The same with builds 1 to `last` swapped in.
    pub fn after_builds(self, last: u64) -> Scene {
        for number in 1..=last {
            self.swap_to(number).unwrap();
        }
        self
    }

    /// A copy, its state, hard links and times included.
    pub fn copy(&self) -> Scene {
        let place = in_memory();
        let state = Some(state_apart(&self.path())).filter(|state| state.exists());
        let copied = Command::new("cp").arg("-a").arg(self.path()).args(state).arg(place.path()).status().unwrap();
        assert!(copied.success());
        Scene { place }
    }

    pub fn path(&self) -> PathBuf {
        self.place.path().join("app")
    }

    pub fn folder(&self) -> Folder {
        open(&self.path())
    }

    /// The same install with its state outside the install folder, as the profile `service` has it. Nothing may have been installed yet.
    pub fn with_state_apart(self) -> Scene {
        fs::create_dir(state_apart(&self.path())).unwrap();
        self
    }

    /// Where the state is.
    pub fn state(&self) -> PathBuf {
        self.folder().state_path()
    }

    pub fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn installed(&self) -> Option<Installed> {
        Installed::load(&self.folder()).unwrap()
    }

    pub fn swap_to(&self, number: u64) -> Result<Swapped, SwapError> {
        self.swap_to_build(number, &numbered(number))
    }

    pub fn swap_to_build(&self, number: u64, build: &Build) -> Result<Swapped, SwapError> {
        swap_to_build(&self.path(), number, build)
    }

    pub fn rollback(&self, slot: u8) -> Result<(Rollback, Swapped), RollbackError> {
        let prepared = prepare_rollback(&self.path(), slot)?;
        let folder = self.folder();
        prepared.ratchet.save(&folder).unwrap();
        let swapped = swap::swap(&folder, prepared.swap.clone(), &Silent).unwrap();
        Ok((prepared, swapped))
    }

    /// What is in the folder but our own, by an eye of its own.
    pub fn walk(&self) -> Walk {
        walk(&self.path())
    }

    /// What is in a backup, or `None`.
    pub fn walk_backup(&self, slot: u8) -> Option<Walk> {
        let path = self.path().join(format!("bkp_remote.{slot:03}"));
        path.exists().then(|| walk(&path))
    }

    pub fn walk_backups(&self) -> Vec<Walk> {
        (1..=3).filter_map(|slot| self.walk_backup(slot)).collect()
    }
}

/// Where the state of the install at `path` lies when it lies apart.
fn state_apart(path: &Path) -> PathBuf {
    path.with_file_name("state")
}

/// Opens the install at `path`, wherever its state is.
pub fn open(path: &Path) -> Folder {
    let (folder, state) = (Folder::open(path).unwrap(), state_apart(path));
    if state.exists() { folder.with_state_at(&state).unwrap() } else { folder }
}

pub type Walk = BTreeMap<String, Seen>;

/// Everything that counts of a file, link or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    File { size: u64, mtime: i64, mode: u32, sha256: Digest },
    Link(PathBuf),
    Folder,
}

/// Path, size, mtime, mode and sha256 of everything below `root` but `.updater` and `bkp_remote.*` at its top.
pub fn walk(root: &Path) -> Walk {
    fn enter(root: &Path, at: &Path, found: &mut Walk) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if name == ".updater" || name.starts_with("bkp_remote.") {
                continue;
            }
            let stat = fs::symlink_metadata(&path).unwrap();
            let seen = if stat.is_dir() {
                enter(root, &path, found);
                Seen::Folder
            } else if stat.is_symlink() {
                Seen::Link(fs::read_link(&path).unwrap())
            } else {
                Seen::File {
                    size: stat.len(),
                    mtime: stat.mtime(),
                    mode: stat.mode() & 0o7777,
                    sha256: Digest::of(&fs::read(&path).unwrap()),
                }
            };
            found.insert(name, seen);
        }
    }
    let mut found = Walk::new();
    enter(root, root, &mut found);
    found
}

/// What a walk of `build` beside `extras` finds.
pub fn expected(build: &Build, extras: &Walk) -> Walk {
    let mut walk = extras.clone();
    for (path, item) in build {
        for (at, _) in path.match_indices('/') {
            walk.insert(path[..at].to_owned(), Seen::Folder);
        }
        let seen = match item {
            Item::File { content, mtime, mode } => {
                Seen::File { size: content.len() as u64, mtime: *mtime, mode: *mode, sha256: Digest::of(content.as_bytes()) }
            }
            Item::Link(target) => Seen::Link(target.into()),
        };
        walk.insert(path.clone(), seen);
    }
    walk
}

fn rel(path: &str) -> RelPath {
    path.parse().unwrap()
}

pub fn release_id(number: u64) -> ReleaseId {
    let build = Version::parse(&format!("1.{number}"), Scheme::Dotted).unwrap();
    ReleaseId { product: "client".parse().unwrap(), os: Os::Linux, arch: Arch::X86_64, variant: None, build }
}

/// The stored manifest of `build`. Contents lie in no pack here: only what is installed counts.
pub fn manifest(number: u64, build: &Build) -> Vec<u8> {
    let (mut files, mut links) = (vec![], vec![]);
    let mut offset = 0;
    for (path, item) in build {
        match item {
            Item::Link(target) => links.push(LinkEntry { path: rel(path), target: target.clone() }),
            Item::File { content, mtime, mode } => {
                let size = content.len() as u64;
                let at = (size > 0).then_some(manifests::release::ContentAt(0, offset));
                offset += size;
                let config = policy(path);
                files.push(FileEntry {
                    path: rel(path),
                    size,
                    mtime: FileTime::clamped(*mtime),
                    exec: *mode & 0o100 != 0,
                    sha256: Digest::of(content.as_bytes()),
                    config,
                    publishers: vec![],
                    at,
                });
            }
        }
    }
    let frames: Vec<[u64; 2]> = (0..offset).step_by(MAX_FRAME as usize).map(|at| [MAX_FRAME.min(offset - at); 2]).collect();
    let packs = serde_json::json!([{"sha256": Digest::of(b"pack"), "length": offset, "frames": frames}]);
    let manifest = Manifest {
        id: release_id(number),
        dictionaries: vec![],
        packs: if offset > 0 { serde_json::from_value(packs).unwrap() } else { vec![] },
        files,
        links,
        directories: vec![],
        removed: vec![],
    };
    zstd::bulk::compress(&manifest.to_json().unwrap(), 1).unwrap()
}

fn policy(path: &str) -> ConfigPolicy {
    if path.ends_with(".ini") { ConfigPolicy::NewBeside } else { ConfigPolicy::Overwrite }
}

pub fn installed_of(number: u64, build: &Build) -> Installed {
    let (mut files, mut links) = (vec![], vec![]);
    for (path, item) in build {
        match item {
            Item::Link(target) => links.push(InstalledLink { path: rel(path), target: target.clone() }),
            Item::File { content, mtime, mode } => {
                let time = FileTime::clamped(*mtime);
                let (size, sha256) = (content.len() as u64, Digest::of(content.as_bytes()));
                let policy = Some(policy(path));
                files.push(InstalledFile {
                    path: rel(path),
                    size,
                    as_set: time,
                    as_read: Some(time),
                    mode: *mode,
                    policy,
                    sha256,
                    is_listed: true,
                });
            }
        }
    }
    let manifest = Digest::of(&manifest(number, build));
    let release = InstalledRelease { id: release_id(number), place: Place(1, number), manifest, entry_point: Some(rel(ENTRY)) };
    let mut installed = Installed { release, files, links, folders: vec![] };
    installed.sort();
    installed
}

/// What is at a live path now, as a planner would find it.
fn live(folder: &Folder, path: &str) -> Option<Identity> {
    let local = LocalPath::from(&rel(path));
    // Behind a link lies nothing of the folder; the swap refuses to go through it.
    let stat = match folder.stat(&local) {
        Err(FsError::ParentIsLink { .. }) => None,
        found => found.unwrap(),
    }?;
    match stat.kind {
        updater::fs::Kind::File => Some(Identity::File(FileIdentity::of(&stat, folder.hash(&local).unwrap().0))),
        updater::fs::Kind::Link => Some(Identity::Link(String::from_utf8(folder.read_link(&local).unwrap()).unwrap())),
        _ => None,
    }
}

/// Stages `build` and swaps it in, keeping a backup when something is there.
pub fn swap_to_build(path: &Path, number: u64, build: &Build) -> Result<Swapped, SwapError> {
    let folder = open(path);
    swap::swap(&folder, plan(path, number, build)?, &Silent)
}

/// Stages `build` and plans its swap.
pub fn plan(path: &Path, number: u64, build: &Build) -> Result<SwapPlan, SwapError> {
    let folder = open(path);
    folder.make_state_folders()?;
    let before = Installed::load(&folder).unwrap();
    let mut changes = Changes::new();
    for (path, item) in build {
        let old = live(&folder, path);
        match item {
            Item::Link(target) if old == Some(Identity::Link(target.clone())) => {}
            Item::Link(target) => changes.put_link(rel(path), old, target),
            Item::File { content, mtime, mode } => {
                let new = FileIdentity {
                    size: content.len() as u64,
                    mtime: FileTime::clamped(*mtime),
                    mode: *mode,
                    sha256: Digest::of(content.as_bytes()),
                };
                match old {
                    Some(Identity::File(old)) if old == new => {}
                    Some(Identity::File(old)) if old.has_content_of(&new) => changes.set(rel(path), old, new),
                    old => {
                        if folder.stat(&(&rel(path)).into())?.is_some_and(|stat| stat.is_folder()) {
                            changes.remove_folder(rel(path));
                        }
                        let name = format!("{}.{}", new.sha256, path.replace(['/', ' '], "-"));
                        let staged = LocalPath::state("staging").join(&name);
                        folder.discard(&staged, Point::StageFile)?;
                        let mut file = folder.create_file(&staged, *mode, Point::StageFile)?;
                        updater::fs::write_all(&mut file, content.as_bytes(), Point::StageFile)
                            .map_err(|source| updater::fs::FsError::Io { doing: "staging", path: staged.clone(), source })?;
                        let stat = folder.set_attributes(&staged, new.mtime, new.mode, Point::StageAttributes)?;
                        let new = FileIdentity::of(&stat, new.sha256);
                        changes.put(rel(path), old, new, name);
                    }
                }
            }
        }
    }
    folder.sync_tree(&LocalPath::state("staging"), Point::StageSync)?;
    for path in
        before.iter().flat_map(|before| before.files.iter().map(|file| &file.path).chain(before.links.iter().map(|link| &link.path)))
    {
        if !build.contains_key(path.as_str())
            && let Some(old) = live(&folder, path.as_str())
        {
            changes.remove(path.clone(), old);
            for parent in path.parents().filter(|parent| !build.keys().any(|kept| kept.starts_with(&format!("{parent}/")))) {
                changes.remove_folder(parent);
            }
        }
    }
    let build_at = |number: u64| BuildAt { build: format!("1.{number}"), sequence: number };
    let is_first = folder.names(&LocalPath::root())?.iter().all(|name| LocalPath::is_reserved_name(name));
    let id = Id::random();
    Ok(SwapPlan {
        id,
        trigger: Trigger::Update,
        from: before.as_ref().map(|before| before.release.place),
        to: Place(1, number),
        entry_points: vec![rel(ENTRY), rel(SECOND_ENTRY)],
        changes,
        keep: if is_first || before.is_none() { Keep::Nothing } else { Keep::Backup { consumed: None } },
        installed_next: installed_of(number, build).to_bytes(),
        manifest_next: manifest(number, build),
        attempt: attempt(id, before.map(|before| build_at(before.release.place.1)), Some(build_at(number))),
    })
}

pub fn attempt(id: Id, from: Option<BuildAt>, to: Option<BuildAt>) -> Attempt {
    Attempt {
        id,
        time: UtcTime::from_unix(MTIME),
        host: "till-3".into(),
        os_user: "ana".into(),
        approver: None,
        trigger: Trigger::Update,
        joined: vec![],
        from,
        to,
        result: Outcome::Applied,
        code: None,
        detail: None,
        bytes: None,
    }
}

pub fn prepare_rollback(path: &Path, slot: u8) -> Result<Rollback, RollbackError> {
    let folder = open(path);
    // Damaged is as good as lost.
    let installed = Installed::load(&folder).ok().flatten();
    let id = Id::random();
    let slot: Slot = slot.to_string().parse().unwrap();
    let order = Order { id, slot, attempt: Attempt { trigger: Trigger::Rollback, ..attempt(id, None, None) } };
    rollback::prepare(&folder, installed.as_ref(), &Ratchet::load(&folder).unwrap(), order, &Silent)
}
