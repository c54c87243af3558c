//! Going back to a backup, offline (S3-21, AC-45): verifies what comes out of it, copies that to `staging/`, and plans the swap.
//!
//! Restoring copies and never links, so the live tree shares nothing with a backup. What was left is held: nothing up to it is offered until somebody releases it or something newer
//! comes. The backup that is restored is consumed; the tree just left becomes the newest one.

mod decide;

use std::collections::{BTreeMap, BTreeSet};

use manifests::build::{Build, InvalidBuild, Scheme};
use manifests::channel::Place;
use manifests::digest::Digest;
use manifests::name::Os;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, ReleaseId};

use crate::backup::rotation::Slot;
use crate::backup::{self, BackupError, Contents};
use crate::config_merge::{self, LARGEST_BYTES};
use crate::fs::{Folder, Found, FsError, Kind, LocalPath, Obstacle, Point, Requirement, Stat, obstacles, write_all};
use crate::history::{Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::installed::{Installed, InstalledError, InstalledFile, InstalledRelease};
use crate::pristine;
use crate::progress::{Progress, Step};
use crate::ratchet::{Held, Ratchet};
use crate::room::{Needed, NoRoom};
use crate::scan::{is_called, other_spellings};
use crate::swap::operation::{FileIdentity, Identity};
use crate::swap::{Changes, Keep, SwapPlan};
use decide::{Have, Move, decide, folders_to_remove, managed, respell};

/// A rollback that is ready to be swapped in.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The swap; its files are staged.
    pub swap: SwapPlan,
    /// The room that all of it takes.
    pub needed: Needed,
    /// The ratchet with the hold on the release that is left: to be saved before the swap.
    pub ratchet: Ratchet,
    /// What will be installed. After a foreign backup that is build `0` at place 0 without files: nobody knows, and the next update reads the tree.
    pub installed: Installed,
    /// What is left, when that is known.
    pub left: Option<BuildAt>,
    /// What comes back, when that is known.
    pub now_at: Option<BuildAt>,
    /// Managed files that come back as their user had changed them.
    pub altered: Vec<RelPath>,
    /// Files of the release that the backup does not have, as they were gone when it was made.
    pub missing: Vec<RelPath>,
    /// Configuration files that stay as the user has them.
    pub kept: Vec<RelPath>,
    /// Whether the backup is foreign: nobody can say that it is whole.
    pub is_unverified: bool,
}

/// Going back is not possible. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The backup cannot be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// What is installed cannot be read.
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// Files of the backup are not what its record and manifest say (attack E5).
    #[error(
        "`{slot}` is not what it was: `{first}` and {others} more files differ; nothing was changed. Another backup, or `updater verify --repair`, may help"
    )]
    Damaged {
        /// The backup.
        slot: Slot,
        /// One of the files.
        first: String,
        /// How many more.
        others: usize,
    },
    /// A folder lies where a file has to come back, and holds something that is not ours.
    #[error("`{path}` is in the way of the backup: it is a folder that holds `{stranger}`, which is not ours; move it away and try again")]
    InTheWay {
        /// The folder.
        path: RelPath,
        /// What it holds.
        stranger: LocalPath,
    },
    /// Others could change live files, files of the backup, or folders that lead there (attack F4).
    #[error("others can change what is gone back from or to, so nothing was changed: {}", obstacles::list(.0))]
    Exposed(Vec<Obstacle>),
    /// Neither what is installed nor what the backup holds is known, so nothing can be said of the tree that would come.
    #[error(
        "what is installed is not known, and `{slot}` does not say what it holds: `updater update` first, or go back to another backup"
    )]
    Unknown {
        /// The backup.
        slot: Slot,
    },
    /// The disk has no room for it.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// No build can be made up for what nobody knows. A bug.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
    /// The file system refused. Nothing live was touched yet.
    #[error("{0}; nothing was changed")]
    Fs(#[from] FsError),
}

/// Who goes back, why, and to what.
#[derive(Debug, Clone)]
pub struct Order {
    /// Names the attempt.
    pub id: Id,
    /// Where to.
    pub slot: Slot,
    /// The line of the history when it succeeds; result, `from` and `to` are filled in.
    pub attempt: Attempt,
}

/// Makes ready to go back. The folder must be locked, and recovered. Without `installed`, which was lost or is damaged, what the backup manages comes back and nothing else goes.
pub fn prepare(
    folder: &Folder,
    installed: Option<&Installed>,
    ratchet: &Ratchet,
    order: Order,
    progress: &dyn Progress,
) -> Result<Rollback, RollbackError> {
    let contents = Contents::load(folder, order.slot)?;
    let earlier = contents.release.as_ref().map(|release| &release.installed);
    let (wanted, folders) = if contents.is_foreign() { look_at_foreign(folder, &contents, progress)? } else { recorded(&contents) };
    let mut paths = managed(installed, earlier, &wanted);
    let os = installed.map_or_else(|| earlier.map(|earlier| earlier.release.id.os), |installed| Some(installed.release.id.os));
    let mut respelled = BTreeSet::new();
    if os.is_some_and(Os::folds_names) {
        let unwanted: Vec<&RelPath> = paths.iter().filter(|path| !wanted.contains_key(*path)).collect();
        for (path, name) in other_spellings(folder, unwanted, wanted.keys())? {
            paths.remove(&path);
            if !is_called(folder, &name)? {
                respelled.insert(name);
            }
        }
    }
    let theirs = refuse_exposed(folder, &paths, &wanted, &contents, installed.or(earlier))?;
    progress.begin(Step::Stage, paths.len() as u64);
    let mut restoring = Restoring {
        folder,
        contents: &contents,
        changes: Changes::new(),
        staged: BTreeSet::new(),
        kept: vec![],
        removed: vec![],
        damaged: vec![],
        versions: installed.zip(earlier).map(|(installed, earlier)| merged_versions(installed, earlier)).unwrap_or_default(),
    };
    let mut moves = vec![];
    for path in &paths {
        if theirs.contains(path) {
            moves.push((path, Move::KeepUsers));
            continue;
        }
        let have = have(folder, installed, path)?;
        let is_current = installed.is_some_and(|installed| installed.file(path).is_some() || installed.link(path).is_some());
        // Where nobody knows what was installed, a configuration file that is not the backup's may be its user's.
        let current = match installed {
            Some(installed) => installed.file(path),
            None if have == Have::Nothing => None,
            None => earlier.and_then(|earlier| earlier.file(path)),
        };
        let what = decide(&have, wanted.get(path), current, is_current);
        moves.push((path, if respelled.contains(path) { respell(what, &have, wanted.get(path)) } else { what }));
    }
    let removed: Vec<RelPath> =
        moves.iter().filter(|(_, what)| matches!(what, Move::Remove { .. })).map(|(path, _)| (*path).clone()).collect();
    let gone = folders_to_remove(installed, &removed, &folders);
    let goes: BTreeSet<LocalPath> = removed.iter().chain(&gone).map(LocalPath::from).collect();
    for (path, _) in moves.iter().filter(|(_, what)| matches!(what, Move::Restore { replaces_folder: true, .. })) {
        if let Some(stranger) = stranger(folder, &LocalPath::from(*path), &goes)? {
            return Err(RollbackError::InTheWay { path: (*path).clone(), stranger });
        }
    }
    let needed = needed(folder, installed, &moves)?;
    needed.fits(&folder.space()?)?;
    for (path, what) in moves {
        restoring.act(path, what).map_err(|error| used_up(error, needed))?;
        progress.advance(1);
    }
    let Restoring { mut changes, kept, removed, damaged, .. } = restoring;
    if let Some(first) = damaged.first() {
        return Err(RollbackError::Damaged { slot: order.slot, first: first.to_string(), others: damaged.len() - 1 });
    }
    folders_to_remove(installed, &removed, &folders).into_iter().for_each(|path| changes.remove_folder(path));
    earlier.into_iter().flat_map(|earlier| &earlier.folders).for_each(|path| changes.make_folder(path.clone()));
    folder.sync_tree(&LocalPath::state("staging"), Point::StageSync).map_err(|error| used_up(error, needed))?;

    let next = match earlier {
        Some(earlier) => with_users_copies(earlier.clone(), &kept),
        None => unknown(installed.ok_or(RollbackError::Unknown { slot: order.slot })?)?,
    };
    let left = installed.map(|installed| &installed.release);
    let ratchet = with_hold(ratchet, left, next.release.place);
    let (left_at, now_at) = (left.and_then(build_at), build_at(&next.release).or_else(|| contents.record.head.recognised.clone()));
    let altered = contents.altered().into_iter().filter(|path| !kept.contains(path)).collect();
    let swap = SwapPlan {
        id: order.id,
        trigger: order.attempt.trigger,
        from: left.map(|left| left.place),
        to: next.release.place,
        entry_points: left.into_iter().chain([&next.release]).filter_map(|release| release.entry_point.clone()).collect(),
        changes,
        keep: Keep::Backup { consumed: Some(contents.record.head.id) },
        installed_next: next.to_bytes(),
        manifest_next: contents.release.as_ref().map(|release| release.manifest_bytes.clone()).unwrap_or_default(),
        attempt: Attempt { result: Outcome::RolledBack, from: left_at.clone(), to: now_at.clone(), ..order.attempt },
    };
    Ok(Rollback {
        swap,
        needed,
        ratchet,
        installed: next,
        left: left_at,
        now_at,
        altered,
        missing: contents.missing(),
        kept,
        is_unverified: contents.is_foreign(),
    })
}

/// Refuses to go on from or to what others could change: `paths`, live, and what is `wanted` of the backup. Returns the configuration files that they may change: those stay theirs.
fn refuse_exposed(
    folder: &Folder,
    paths: &BTreeSet<RelPath>,
    wanted: &BTreeMap<RelPath, Identity>,
    contents: &Contents,
    known: Option<&Installed>,
) -> Result<BTreeSet<RelPath>, RollbackError> {
    let is_config = |path: &RelPath| {
        let policy = known.and_then(|known| known.file(path)).and_then(|file| file.policy);
        policy.is_some_and(|policy| policy != ConfigPolicy::Overwrite)
    };
    let live: Vec<LocalPath> = paths.iter().map(LocalPath::from).collect();
    let (mut theirs, mut exposed) = (BTreeSet::new(), vec![]);
    for found in folder.guard(&live)? {
        match found.path.as_rel_path().filter(is_config) {
            Some(path) => drop(theirs.insert(path)),
            None => exposed.push(found),
        }
    }
    let kept: Vec<LocalPath> =
        wanted.keys().filter(|path| paths.contains(*path)).map(|path| LocalPath::from(path).below(&contents.at)).collect();
    exposed.extend(folder.guard(&kept)?);
    if exposed.is_empty() { Ok(theirs) } else { Err(RollbackError::Exposed(exposed)) }
}

/// The room that `moves` need: for what is restored, and for the backup of what is left. Nothing is asked for to spare: a client that lives is worth the last byte.
fn needed(folder: &Folder, installed: Option<&Installed>, moves: &[(&RelPath, Move)]) -> Result<Needed, BackupError> {
    let mut needed = Needed::default();
    let mut moved = vec![];
    for (path, what) in moves {
        if let Move::Restore { new, .. } = what {
            needed.files += 1;
            needed.bytes += if let Identity::File(file) = new { file.size } else { 0 };
        }
        if matches!(what, Move::Restore { old: Some(_), .. } | Move::Remove { .. }) {
            moved.push(*path);
        }
    }
    let backup = backup::estimate(folder, installed, moved)?;
    Ok(Needed { bytes: needed.bytes + backup.copied_bytes, files: needed.files + backup.copied_files })
}

/// That a full disk refused a write is said with the bytes that are `needed` in all: the file alone tells nobody how much to clear away.
fn used_up(error: FsError, needed: Needed) -> RollbackError {
    match error.requirement() {
        Requirement::Space => NoRoom::UsedUp { doing: error.to_string(), needed_bytes: needed.bytes }.into(),
        _ => error.into(),
    }
}

/// Turns what shall happen to paths into a swap with staged files.
struct Restoring<'a> {
    folder: &'a Folder,
    contents: &'a Contents,
    changes: Changes,
    /// Names taken in `staging/`.
    staged: BTreeSet<String>,
    kept: Vec<RelPath>,
    removed: Vec<RelPath>,
    /// Files of the backup that are missing or not what it says.
    damaged: Vec<RelPath>,
    /// Of the config files that are merged: their digest in the release that is left and in that of the backup.
    versions: BTreeMap<RelPath, (Digest, Digest)>,
}

impl Restoring<'_> {
    fn act(&mut self, path: &RelPath, what: Move) -> Result<(), FsError> {
        match what {
            Move::Stay => {}
            Move::KeepUsers => {
                self.merge_back(path)?;
                self.kept.push(path.clone());
            }
            Move::Set { old, new } => self.changes.set(path.clone(), old, new),
            Move::Remove { old } => {
                self.changes.remove(path.clone(), old);
                self.removed.push(path.clone());
            }
            Move::Restore { old, new, replaces_folder } => {
                if replaces_folder {
                    self.changes.remove_folder(path.clone());
                }
                match new {
                    Identity::Link(target) => self.changes.put_link(path.clone(), old, target),
                    Identity::File(file) => match self.copy(path, &file)? {
                        Some((file, name)) => self.changes.put(path.clone(), old, file, name),
                        None => self.damaged.push(path.clone()),
                    },
                }
            }
        }
        Ok(())
    }

    /// Gives a config file that its user changed, and that is merged, the values of the release in the backup where the user never touched those of the release that is left (AC-48). Where
    /// one of the two releases' own files is not known any more, or one cannot be read, it stays as it is.
    fn merge_back(&mut self, path: &RelPath) -> Result<(), FsError> {
        let at = LocalPath::from(path);
        let Some((left, back)) = self.versions.get(path) else { return Ok(()) };
        let is_fit = |stat: &Stat| stat.is_file() && stat.size <= LARGEST_BYTES as u64 && self.folder.is_ours_alone(stat);
        let Some(stat) = self.folder.stat(&at)?.filter(is_fit) else { return Ok(()) };
        let (Some(left), Some(back)) = (pristine::load(self.folder, left)?, pristine::load(self.folder, back)?) else { return Ok(()) };
        let Some(users) = self.folder.read(&at)? else { return Ok(()) };
        let Some(merged) = config_merge::merge(&users, &back, Some(&left), &[]).ok().filter(|merged| *merged != users) else {
            return Ok(());
        };
        let name = format!("merged.{}", self.staged.len());
        let to = LocalPath::state("staging").join(&name);
        self.folder.discard(&to, Point::RestoreCopy)?;
        let mut made = self.folder.create_file(&to, stat.mode, Point::RestoreCopy)?;
        write_all(&mut made, &merged, Point::RestoreCopy).map_err(|source| FsError::io("writing", &to, source))?;
        drop(made);
        let made = self.folder.set_attributes(&to, stat.mtime(), stat.mode, Point::RestoreCopy)?;
        let old = Identity::File(FileIdentity::of(&stat, Digest::of(&users)));
        self.changes.put(path.clone(), Some(old), FileIdentity::of(&made, Digest::of(&merged)), name.clone());
        self.staged.insert(name);
        Ok(())
    }

    /// Copies the file `path`, which shall be `wanted`, out of the backup; `None` when it is not that.
    fn copy(&mut self, path: &RelPath, wanted: &FileIdentity) -> Result<Option<(FileIdentity, String)>, FsError> {
        let hex = wanted.sha256.to_hex();
        let name = if self.staged.contains(&hex) { format!("{hex}.{}", self.staged.len()) } else { hex };
        let (from, to) = (LocalPath::from(path).below(&self.contents.at), LocalPath::state("staging").join(&name));
        let as_copy = |stat: &Stat| Stat { mode: self.folder.mode_of_copy(stat), ..*stat };
        let is_wanted = |stat: &Stat| wanted.looks_like(stat) || wanted.looks_like(&as_copy(stat));
        let Some(stat) = self.folder.stat(&from)?.filter(is_wanted) else { return Ok(None) };
        self.folder.discard(&to, Point::RestoreCopy)?;
        let (sha256, stat) = self.folder.copy(&from, &to, as_copy(&stat).mode, Point::RestoreCopy)?;
        if sha256 != wanted.sha256 {
            self.folder.discard(&to, Point::RestoreCopy)?;
            return Ok(None);
        }
        self.staged.insert(name.clone());
        Ok(Some((FileIdentity::of(&stat, sha256), name)))
    }
}

/// The config files that both releases merge, and that differ between them: their digests in `installed` and in `earlier`.
fn merged_versions(installed: &Installed, earlier: &Installed) -> BTreeMap<RelPath, (Digest, Digest)> {
    let merges = |file: &&InstalledFile| file.policy == Some(ConfigPolicy::Merge);
    let both = installed.files.iter().filter(merges).filter_map(|left| Some((left, earlier.file(&left.path).filter(merges)?)));
    both.filter(|(left, back)| left.sha256 != back.sha256).map(|(left, back)| (left.path.clone(), (left.sha256, back.sha256))).collect()
}

/// What our own record says the backup holds, as far as a release may name it, and all its folders.
fn recorded(contents: &Contents) -> (BTreeMap<RelPath, Identity>, BTreeSet<LocalPath>) {
    let record = &contents.record;
    let files = record.files.iter().filter_map(|file| Some((file.path.as_rel_path()?, Identity::File(file.identity))));
    let links = record
        .links
        .iter()
        .filter_map(|(path, target)| Some((path.as_rel_path()?, Identity::Link(String::from_utf8(target.clone()).ok()?))));
    (files.chain(links).collect(), record.folders.iter().cloned().collect())
}

/// What a foreign backup holds. It is read to know, since nobody wrote it down.
fn look_at_foreign(
    folder: &Folder,
    contents: &Contents,
    progress: &dyn Progress,
) -> Result<(BTreeMap<RelPath, Identity>, BTreeSet<LocalPath>), FsError> {
    let (mut entries, mut folders) = (vec![], BTreeSet::new());
    folder.walk(&contents.at, &mut |found| {
        let (Found::Entry { path, .. } | Found::Unreadable { path, .. }) = &found;
        let below = path.as_bytes().get(contents.at.as_bytes().len() + 1..).unwrap_or_default();
        let below = LocalPath::from_bytes(below.to_vec()).unwrap_or_default();
        let name = below.components().next().unwrap_or_default();
        match found {
            _ if LocalPath::is_reserved_name(name) => return false,
            Found::Entry { stat, .. } if stat.is_folder() => {
                folders.insert(below);
            }
            Found::Entry { stat, path } => match below.as_rel_path() {
                Some(rel) if matches!(stat.kind, Kind::File | Kind::Link) => entries.push((rel, path.clone(), stat)),
                _ => progress.note(&format!("`{below}` of the backup has a name that cannot be restored; copy it by hand")),
            },
            Found::Unreadable { source, .. } => progress.note(&format!("`{below}` of the backup cannot be read: {source}")),
        }
        true
    })?;
    let mut wanted = BTreeMap::new();
    for (rel, path, stat) in entries {
        let identity = match stat.kind {
            Kind::File => {
                let stat = Stat { mode: folder.mode_of_copy(&stat), ..stat };
                Identity::File(FileIdentity::of(&stat, folder.hash(&path)?.0))
            }
            _ => match String::from_utf8(folder.read_link(&path)?) {
                Ok(target) => Identity::Link(target),
                Err(_) => continue,
            },
        };
        wanted.insert(rel, identity);
    }
    Ok((wanted, folders))
}

/// Something below the folder `at` that is not among what `goes`.
fn stranger(folder: &Folder, at: &LocalPath, goes: &BTreeSet<LocalPath>) -> Result<Option<LocalPath>, FsError> {
    for name in folder.names(at)? {
        let below = at.join(name);
        if !goes.contains(&below) {
            return Ok(Some(below));
        }
        if folder.stat(&below)?.is_some_and(|stat| stat.kind == Kind::Folder)
            && let Some(found) = stranger(folder, &below, goes)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What lies at the live `path`; read only when it is not as installed.
fn have(folder: &Folder, installed: Option<&Installed>, path: &RelPath) -> Result<Have, FsError> {
    let local = LocalPath::from(path);
    let Some(stat) = folder.stat(&local)? else { return Ok(Have::Nothing) };
    Ok(match stat.kind {
        Kind::Folder => Have::Folder,
        Kind::Other => Have::Other,
        Kind::Link => String::from_utf8(folder.read_link(&local)?).map_or(Have::Other, |target| Have::Leaf(Identity::Link(target))),
        Kind::File => {
            let known = installed.and_then(|installed| installed.file(path)).filter(|file| file.is_as_installed(&stat));
            let sha256 = match known {
                Some(file) => file.sha256,
                None => folder.hash(&local)?.0,
            };
            Have::Leaf(Identity::File(FileIdentity::of(&stat, sha256)))
        }
    })
}

/// The installed state of the backup, with the configuration files `kept` as their user's.
fn with_users_copies(mut earlier: Installed, kept: &[RelPath]) -> Installed {
    for file in &mut earlier.files {
        if kept.contains(&file.path) {
            file.as_read = None;
        }
    }
    earlier
}

/// What is installed when nobody knows: the same product, no build, no files; it is started as what was left was, since that is how people know it.
fn unknown(current: &Installed) -> Result<Installed, InvalidBuild> {
    let id = ReleaseId { build: Build::parse("0", Scheme::Dotted)?, ..current.release.id.clone() };
    let release = InstalledRelease { id, place: Place(0, 0), manifest: Digest::of(b""), entry_point: current.release.entry_point.clone() };
    Ok(Installed { release, files: vec![], links: vec![], folders: vec![] })
}

/// What people should know of a tree that came back without the files `missing` of its release.
pub(crate) fn lacks(missing: &[RelPath]) -> Option<String> {
    let (first, others) = (missing.first()?, missing.len() - 1);
    let more = if others > 0 { format!(" and {others} more were") } else { " was".to_owned() };
    Some(format!("`{first}`{more} gone when the backup was made, so the build came back without: `updater verify --repair` puts that back"))
}

/// The ratchet after going from `left` to what is at `now`: the highest of what rollbacks left is held while it is above that (AC-45: going back further does not offer again what was left
/// first); whoever goes forward to it again wants no hold. Where nobody knows what was left, it was at most the highest release that was ever accepted here.
fn with_hold(ratchet: &Ratchet, left: Option<&InstalledRelease>, now: Place) -> Ratchet {
    let mut ratchet = ratchet.clone();
    let left = match left {
        Some(left) => Some(Held { at: left.place, manifest: left.manifest }),
        None => {
            let known = |at| ratchet.hold.filter(|held| held.at == at).unwrap_or(Held { at, manifest: Digest::of(b"") });
            ratchet.highest.map(known)
        }
    };
    let highest = [ratchet.hold, left].into_iter().flatten().max_by_key(|held| held.at);
    ratchet.hold = highest.filter(|held| held.at > now);
    ratchet
}

/// How history and people name `release`; `None` for what nobody knows, which came from a foreign backup.
fn build_at(release: &InstalledRelease) -> Option<BuildAt> {
    (release.place != Place(0, 0)).then(|| BuildAt { build: release.id.build.text().to_owned(), sequence: release.place.1 })
}
