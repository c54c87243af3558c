//! Looks at the three places of each path, and carries steps out. What to do is decided in [`super::recovery`]; that what comes in is what was looked at, in [`super::seal`].

use super::journal::Plan;
use super::operation::{FileIdentity, Identity};
use super::prepare::staged;
use super::recovery::{Change, New, Observed, Old, Seen, Step};
use super::seal::Seals;
use crate::backup::new_backup;
use crate::fs::{Folder, FsError, Kind, LocalPath, Point};

/// Which way steps go: it is what fail points are named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Back,
}

/// What to do with what is neither old nor new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strangers {
    /// The swap has only just begun: fail, and undo.
    Fail,
    /// A swap is being finished or undone: they go to `found/`.
    Aside,
}

/// What is seen for each change before a swap begins: everything old in place, everything new staged. It has been checked.
pub(crate) fn pristine(changes: &[Change]) -> Vec<Observed> {
    let leaf = |identity: &Identity| Seen::Leaf(identity.clone());
    let observed = |change: &Change| Observed {
        live: match &change.old {
            Old::Nothing => Seen::Nothing,
            Old::Folder => Seen::Folder,
            Old::Leaf(identity) => leaf(identity),
        },
        staged: match &change.new {
            New::Staged(identity, _) => leaf(identity),
            _ => Seen::Nothing,
        },
        kept: Seen::Nothing,
    };
    changes.iter().map(observed).collect()
}

/// Looks at the live path, `staging/` and `backup/` for each change. Files are read, and what was staged is remembered.
pub(crate) fn observe(folder: &Folder, changes: &[Change]) -> Result<(Vec<Observed>, Seals), FsError> {
    let (mut observed, mut seals) = (vec![], Seals::default());
    for change in changes {
        let path = LocalPath::from(&change.path);
        let staged = match &change.new {
            New::Staged(_, name) => seals.read(folder, name)?,
            _ => Seen::Nothing,
        };
        let live = see(folder, &path)?;
        if let (Seen::Nothing, Seen::Leaf(identity), New::Staged(new, name)) = (&staged, &live, &change.new)
            && identity == new
        {
            seals.expect(name, identity.clone());
        }
        observed.push(Observed { live, staged, kept: see(folder, &path.below(&new_backup()))? });
    }
    Ok((observed, seals))
}

fn see(folder: &Folder, path: &LocalPath) -> Result<Seen, FsError> {
    let stat = match folder.stat(path) {
        Ok(None) => return Ok(Seen::Nothing),
        Ok(Some(stat)) => stat,
        // Nothing of ours lies behind a link.
        Err(FsError::ParentIsLink { .. }) => return Ok(Seen::Nothing),
        Err(error) => return Err(error),
    };
    Ok(match stat.kind {
        Kind::Folder => Seen::Folder,
        Kind::File => Seen::Leaf(Identity::File(FileIdentity::of(&stat, folder.hash(path)?.0))),
        Kind::Link => match String::from_utf8(folder.read_link(path)?) {
            Ok(target) => Seen::Leaf(Identity::Link(target)),
            Err(_) => Seen::Other,
        },
        Kind::Other => Seen::Other,
    })
}

/// Carries steps out.
pub(crate) struct Performer<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) way: Way,
    pub(crate) strangers: Strangers,
    /// What is staged, as it was verified.
    pub(crate) seals: &'a Seals,
    /// Where strangers go.
    pub(crate) aside: LocalPath,
    /// What went there.
    pub(crate) found: Vec<LocalPath>,
}

impl<'a> Performer<'a> {
    pub(crate) fn new(folder: &'a Folder, plan: &Plan, way: Way, strangers: Strangers, seals: &'a Seals) -> Performer<'a> {
        Performer { folder, way, strangers, seals, aside: found_folder(plan), found: vec![] }
    }

    pub(crate) fn perform(&mut self, step: &Step) -> Result<(), FsError> {
        let at = self.point(step);
        match step {
            Step::Keep { path, .. } => {
                let kept = LocalPath::from(path).below(&new_backup());
                self.folder.make_folders(&kept.parent(), Point::BackupFolder)?;
                let path = LocalPath::from(path);
                if self.folder.is_pinned(&path)? { self.keep_copy(&path, &kept, at) } else { self.folder.rename(&path, &kept, at) }
            }
            Step::Place { path, staged: name, .. } => self.seals.place(self.folder, name, &path.into(), at),
            Step::Return { path, .. } => self.folder.rename_new(&LocalPath::from(path).below(&new_backup()), &path.into(), at),
            Step::Unplace { path, staged: name } => self.folder.rename(&path.into(), &staged(name), at),
            Step::MakeFolder { path } => self.folder.make_folder(&path.into(), at),
            Step::Set { path, to } => self.set(&path.into(), to, at),
            Step::Aside { path } => self.set_aside(path.into()),
            Step::RemoveFolder { path, is_needed } => {
                let path = LocalPath::from(path);
                if self.folder.remove_folder(&path, at)? || !is_needed {
                    return Ok(());
                }
                match self.strangers {
                    Strangers::Aside => self.set_aside(path),
                    Strangers::Fail => Err(FsError::io("removing the folder", &path, std::io::ErrorKind::DirectoryNotEmpty.into())),
                }
            }
        }
    }

    /// A backup is a folder that gets another name, and on Windows none does that holds a program that runs. So a copy goes into it, and the program itself to `trash/`, where it stays
    /// until it has ended. Killed in between, the old file is at its path and in the backup, and this is done again.
    fn keep_copy(&self, path: &LocalPath, kept: &LocalPath, at: Point) -> Result<(), FsError> {
        let mode = self.folder.stat(path)?.map_or(0o644, |stat| stat.mode);
        let copy = self.folder.new_trash_path()?;
        self.folder.copy(path, &copy, mode, at)?;
        self.folder.rename(&copy, kept, at)?;
        self.folder.sync_folder(&kept.parent(), at)?;
        self.folder.discard(path, at)
    }

    /// A file that got a second name since the swap was prepared first gets an inode of its own: the other name's time and mode are not ours to set.
    fn set(&self, path: &LocalPath, to: &FileIdentity, at: Point) -> Result<(), FsError> {
        if let Some(stat) = self.folder.stat(path)?.filter(|stat| stat.links > 1) {
            let copy = self.folder.new_trash_path()?;
            self.folder.copy(path, &copy, stat.mode, at)?;
            self.folder.rename(&copy, path, at)?;
        }
        self.folder.set_attributes(path, to.mtime, to.mode, at).map(drop)
    }

    fn set_aside(&mut self, path: LocalPath) -> Result<(), FsError> {
        let to = path.below(&self.aside);
        self.folder.set_aside(&path, &to)?;
        self.found.push(path);
        Ok(())
    }

    fn point(&self, step: &Step) -> Point {
        match (step, self.way) {
            (Step::Aside { .. }, _) => Point::Aside,
            (Step::Keep { is_entry: true, .. }, _) => Point::SwapOut,
            (Step::Keep { .. }, _) => Point::SwapKeep,
            (Step::Place { is_entry: true, .. }, _) => Point::SwapIn,
            (Step::Place { .. }, _) => Point::SwapPut,
            (Step::Unplace { .. }, _) => Point::UndoPut,
            (Step::Return { .. }, Way::Forward) => Point::SwapIn,
            (Step::Return { .. }, Way::Back) => Point::UndoKeep,
            (Step::RemoveFolder { .. }, Way::Forward) => Point::SwapRemoveFolder,
            (Step::MakeFolder { .. }, Way::Forward) => Point::SwapMakeFolder,
            (Step::Set { .. }, Way::Forward) => Point::SwapSet,
            (Step::RemoveFolder { .. } | Step::MakeFolder { .. }, Way::Back) => Point::UndoFolder,
            (Step::Set { .. }, Way::Back) => Point::UndoSet,
        }
    }
}

/// Where the unexpected files of an attempt go.
pub(crate) fn found_folder(plan: &Plan) -> LocalPath {
    LocalPath::state("found").join(plan.id.to_string())
}

/// Makes everything durable that a swap of `changes` touches.
pub(crate) fn make_durable(folder: &Folder, changes: &[Change]) -> Result<(), FsError> {
    if folder.sync_file_system(Point::SwapSync)? {
        return Ok(());
    }
    let mut folders = std::collections::BTreeSet::from([LocalPath::root(), LocalPath::state("staging"), new_backup()]);
    for change in changes {
        let path = LocalPath::from(&change.path);
        let parent = path.parent();
        folders.insert(parent.below(&new_backup()));
        folders.insert(parent);
        match change.new {
            New::Folder => drop(folders.insert(path)),
            // Time and mode are no names: no folder's fsync covers them.
            New::Set(_) => folder.sync_file(&path, Point::SwapSync)?,
            New::Nothing | New::Staged(..) | New::Same(_) => {}
        }
    }
    folders.iter().try_for_each(|path| match folder.sync_folder(path, Point::SwapSync) {
        // Behind a link lies nothing of ours.
        Err(FsError::ParentIsLink { .. }) => Ok(()),
        other => other,
    })
}
