//! From what shall happen to each path to the operations of a journal: everything is checked against the live tree and `staging/` before anything moves.

use std::collections::{BTreeMap, BTreeSet};

use manifests::path::RelPath;

use super::operation::{FileIdentity, Identity, Operation, order};
use super::{Keep, SwapError, SwapPlan};
use crate::fs::{Folder, FsError, Kind, LocalPath, Point, Stat};
use crate::scan::other_spellings;

/// The path of `name` in `staging/`.
pub(crate) fn staged(name: &str) -> LocalPath {
    LocalPath::state("staging").join(name)
}

/// The operations of `plan`, in their order. Links, and copies that the plan did not have to make, are added to `staging/`.
pub(crate) fn prepare(folder: &Folder, plan: &SwapPlan) -> Result<Vec<Operation>, SwapError> {
    let mut preparing = Preparing { folder, operations: BTreeMap::new(), added: 0 };
    // What goes first, so that it is known what may come in its place.
    let (goes, comes): (Vec<_>, Vec<_>) =
        plan.changes.operations.iter().partition(|operation| matches!(operation, Operation::Remove { .. } | Operation::Rmdir { .. }));
    for operation in goes.into_iter().chain(comes) {
        preparing.add(operation)?;
    }
    for (path, old, target) in &plan.changes.links {
        preparing.add_link(path, old.clone(), target)?;
    }
    preparing.add_folders()?;
    let entries = preparing.entry_points(plan)?;
    if plan.keep != Keep::Nothing {
        preparing.separate_moved()?;
    }
    let mut operations: Vec<Operation> = preparing.operations.into_values().flatten().collect();
    order(&mut operations, &entries);
    Ok(operations)
}

struct Preparing<'a> {
    folder: &'a Folder,
    /// By path: a removal, and what comes in its place.
    operations: BTreeMap<RelPath, Vec<Operation>>,
    /// How many names were added to `staging/`.
    added: u32,
}

impl Preparing<'_> {
    fn add(&mut self, operation: &Operation) -> Result<(), SwapError> {
        let path = operation.path();
        let live = self.stat(path)?;
        let is_there = |wanted: Kind| live.is_some_and(|stat| stat.kind == wanted);
        match operation {
            Operation::Put { old, new, staged, .. } => {
                if let Some(old) = old {
                    self.check_old(path, old, live)?;
                } else if live.is_some() && !is_there(Kind::Folder) && !self.is_removed(path) {
                    return Err(changed(path));
                }
                self.check_staged(path, new, staged.as_deref())?;
            }
            Operation::Remove { old, .. } => self.check_old(path, old, live)?,
            Operation::Set { old, new, .. } => {
                self.check_old(path, &Identity::File(*old), live)?;
                if live.is_some_and(|stat| stat.links > 1) {
                    // A file with a second name is never changed in place.
                    let (new, name) = self.copy_of(path, old, new)?;
                    let (old, new) = (Some(Identity::File(*old)), Identity::File(new));
                    return self.push(path, Operation::Put { path: path.clone(), old, new, staged: Some(name) });
                }
            }
            // Nothing to do.
            Operation::Rmdir { .. } if !is_there(Kind::Folder) => return Ok(()),
            Operation::Mkdir { .. } if is_there(Kind::Folder) => return Ok(()),
            Operation::Rmdir { .. } | Operation::Mkdir { .. } => {}
            Operation::Out { .. } => return Err(SwapError::Impossible(format!("`{path}` goes out without being an entry point"))),
        }
        self.push(path, operation.clone())
    }

    fn push(&mut self, path: &RelPath, operation: Operation) -> Result<(), SwapError> {
        let planned = self.operations.entry(path.clone()).or_default();
        // A folder is named once for everything that is in it.
        let is_folder = matches!(operation, Operation::Rmdir { .. } | Operation::Mkdir { .. });
        if !(is_folder && planned.contains(&operation)) {
            planned.push(operation);
        }
        Ok(())
    }

    fn add_link(&mut self, path: &RelPath, old: Option<Identity>, target: &str) -> Result<(), SwapError> {
        let live = self.stat(path)?;
        match &old {
            Some(old) => self.check_old(path, old, live)?,
            None if live.is_some_and(|stat| stat.kind != Kind::Folder) && !self.is_removed(path) => return Err(changed(path)),
            None => {}
        }
        let name = self.new_name()?;
        self.folder.make_link(target, &staged(&name), Point::SwapStage)?;
        self.push(path, Operation::Put { path: path.clone(), old, new: Identity::Link(target.to_owned()), staged: Some(name) })
    }

    /// Adds the folders that lead to what comes.
    fn add_folders(&mut self) -> Result<(), SwapError> {
        let comes = |operation: &&Operation| matches!(operation, Operation::Put { .. } | Operation::Mkdir { .. });
        let parents: BTreeSet<RelPath> =
            self.operations.values().flatten().filter(comes).flat_map(|operation| operation.path().parents()).collect();
        for path in parents {
            let planned = self.operations.get(&path).map_or(&[][..], |operations| operations);
            if planned.iter().any(|operation| matches!(operation, Operation::Mkdir { .. })) {
                continue;
            }
            let goes = planned.iter().any(|operation| matches!(operation, Operation::Remove { .. }));
            match self.stat(&path)? {
                Some(stat) if stat.is_folder() => {
                    // Something comes into it, so it does not go.
                    self.operations.remove(&path);
                    continue;
                }
                Some(stat) if !goes => {
                    let local = LocalPath::from(&path);
                    return Err(match stat.kind {
                        Kind::Link => FsError::ParentIsLink { path: local }.into(),
                        _ => SwapError::InTheWay { path: local },
                    });
                }
                _ => self.push(&path, Operation::Mkdir { path: path.clone() })?,
            }
        }
        Ok(())
    }

    /// Makes entry points go out first and come in last, when anything else than times and modes changes; returns those that come in.
    fn entry_points(&mut self, plan: &SwapPlan) -> Result<BTreeSet<RelPath>, SwapError> {
        let moves = |operation: &Operation| matches!(operation, Operation::Put { .. } | Operation::Remove { .. } | Operation::Rmdir { .. });
        let entries = self.spelled(&plan.entry_points)?;
        if !self.operations.values().flatten().any(moves) {
            return Ok(entries);
        }
        for path in &entries {
            let planned = self.operations.remove(path).unwrap_or_default();
            let replaced = self.entry_point(path, &planned, plan.keep)?;
            self.operations.insert(path.clone(), replaced.unwrap_or(planned));
        }
        Ok(entries)
    }

    /// `entries` as what is planned spells them: where a file system does not tell cases apart, the old and the new release may call the one file differently, and it goes out and comes in once.
    fn spelled(&self, entries: &[RelPath]) -> Result<BTreeSet<RelPath>, SwapError> {
        let (mut spelled, others): (BTreeSet<RelPath>, BTreeSet<RelPath>) =
            entries.iter().cloned().partition(|path| self.operations.contains_key(path));
        for path in others {
            let known = other_spellings(self.folder, [&path], self.operations.keys().chain(&spelled))?;
            spelled.insert(known.into_iter().next().map_or(path, |(_, name)| name));
        }
        Ok(spelled)
    }

    /// What happens to an entry point instead of `planned`; `None` when that is right already.
    fn entry_point(&mut self, path: &RelPath, planned: &[Operation], keep: Keep) -> Result<Option<Vec<Operation>>, SwapError> {
        let out = |old: &Identity| Operation::Out { path: path.clone(), old: old.clone() };
        let (old, new, staged) = match planned {
            [] => {
                let Some(old) = self.identity(path)? else { return Ok(None) };
                // Kept, the old file goes into the backup for good, and a copy of it comes in: backups share nothing with the live tree.
                let staged = if keep == Keep::Nothing { None } else { Some(self.copy_unchanged(path, &old)?) };
                (old.clone(), old, staged)
            }
            [Operation::Remove { old, .. }] => return Ok(Some(vec![out(old)])),
            [Operation::Set { old, new, .. }] => {
                let (new, staged) = self.copy_of(path, old, new)?;
                (Identity::File(*old), Identity::File(new), Some(staged))
            }
            [Operation::Put { old: Some(old), new, staged, .. }] | [Operation::Remove { old, .. }, Operation::Put { new, staged, .. }] => {
                (old.clone(), new.clone(), staged.clone())
            }
            _ => return Ok(None),
        };
        Ok(Some(vec![out(&old), Operation::Put { path: path.clone(), old: None, new, staged }]))
    }

    /// What lies at `path`, when it is a file or a link; read, since the record may say other than what is there.
    fn identity(&self, path: &RelPath) -> Result<Option<Identity>, SwapError> {
        let local = LocalPath::from(path);
        let Some(stat) = self.folder.stat(&local)? else { return Ok(None) };
        Ok(match stat.kind {
            Kind::File => Some(Identity::File(FileIdentity::of(&stat, self.folder.hash(&local)?.0))),
            Kind::Link => String::from_utf8(self.folder.read_link(&local)?).ok().map(Identity::Link),
            Kind::Folder | Kind::Other => None,
        })
    }

    /// Stages a copy of the live file or link `path`; returns its name.
    fn copy_unchanged(&mut self, path: &RelPath, old: &Identity) -> Result<String, SwapError> {
        match old {
            Identity::File(file) => Ok(self.copy_of(path, file, file)?.1),
            Identity::Link(target) => {
                let name = self.new_name()?;
                self.folder.make_link(target, &staged(&name), Point::SwapStage)?;
                Ok(name)
            }
        }
    }

    /// Gives live files with a second name, which are about to go into the backup, an inode of their own: whatever is written through the other name later would be written to the backup.
    /// The live tree looks the same before and after.
    fn separate_moved(&mut self) -> Result<(), SwapError> {
        let moved = moved(self.operations.values().flatten());
        for (path, old) in &moved {
            let Identity::File(old) = old else { continue };
            if self.folder.stat(path)?.is_none_or(|stat| stat.links <= 1) {
                continue;
            }
            let name = self.new_name()?;
            let (sha256, stat) = self.folder.copy(path, &staged(&name), old.mode, Point::SwapStage)?;
            if !old.looks_like(&stat) || sha256 != old.sha256 {
                return Err(SwapError::Changed { path: path.clone() });
            }
            self.folder.rename(&staged(&name), path, Point::SwapStage)?;
        }
        Ok(())
    }

    fn is_removed(&self, path: &RelPath) -> bool {
        self.operations.get(path).is_some_and(|operations| operations.iter().any(|operation| matches!(operation, Operation::Remove { .. })))
    }

    fn check_old(&self, path: &RelPath, old: &Identity, live: Option<Stat>) -> Result<(), SwapError> {
        let is_it = match (old, live) {
            (Identity::File(old), Some(stat)) => old.looks_like(&stat),
            (Identity::Link(target), Some(stat)) if stat.kind == Kind::Link => self.folder.read_link(&path.into())? == target.as_bytes(),
            _ => false,
        };
        if is_it { Ok(()) } else { Err(changed(path)) }
    }

    fn check_staged(&self, path: &RelPath, new: &Identity, name: Option<&str>) -> Result<(), SwapError> {
        let missing = || SwapError::NotStaged { path: path.clone() };
        let stat = self.folder.stat(&staged(name.ok_or_else(missing)?))?.ok_or_else(missing)?;
        let is_it = match new {
            Identity::File(new) => new.looks_like(&stat),
            Identity::Link(_) => stat.kind == Kind::Link,
        };
        if is_it { Ok(()) } else { Err(missing()) }
    }

    fn stat(&self, path: &RelPath) -> Result<Option<Stat>, SwapError> {
        Ok(self.folder.stat(&path.into())?)
    }

    /// Stages a copy of the live file `path`, which is `old`, with time and mode of `new`; returns what it became, and its name.
    fn copy_of(&mut self, path: &RelPath, old: &FileIdentity, new: &FileIdentity) -> Result<(FileIdentity, String), SwapError> {
        let name = self.new_name()?;
        let (sha256, _) = self.folder.copy(&path.into(), &staged(&name), new.mode, Point::SwapStage)?;
        if sha256 != old.sha256 {
            return Err(changed(path));
        }
        let stat = self.folder.set_attributes(&staged(&name), new.mtime, new.mode, Point::SwapStage)?;
        Ok((FileIdentity::of(&stat, sha256), name))
    }

    /// A name in `staging/` that nothing has.
    fn new_name(&mut self) -> Result<String, SwapError> {
        let name = format!("swap.{}", self.added);
        self.added += 1;
        self.folder.discard(&staged(&name), Point::SwapStage)?;
        Ok(name)
    }
}

/// What operations move to the backup.
pub(crate) fn moved<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> BTreeMap<LocalPath, Identity> {
    let old = |operation: &Operation| match operation {
        Operation::Out { path, old } | Operation::Remove { path, old } | Operation::Put { path, old: Some(old), .. } => {
            Some((path.into(), old.clone()))
        }
        _ => None,
    };
    operations.into_iter().filter_map(old).collect()
}

fn changed(path: &RelPath) -> SwapError {
    SwapError::Changed { path: path.into() }
}

#[cfg(all(test, unix))]
#[expect(clippy::disallowed_methods, reason = "the folder is made as anybody would make it")]
mod tests {
    use super::*;

    #[test]
    fn ac_56_an_entry_point_is_called_as_the_plan_calls_it_and_is_one_file() {
        let place = tempfile::tempdir().unwrap();
        for name in ["Client.exe", "Other.exe", "other.exe", "Still.exe"] {
            std::fs::write(place.path().join(name), name).unwrap();
        }
        // As a file system that does not tell cases apart shows it.
        for (name, other) in [("Client.exe", "client.EXE"), ("Still.exe", "still.exe")] {
            std::fs::hard_link(place.path().join(name), place.path().join(other)).unwrap();
        }
        let folder = Folder::open(place.path()).unwrap();
        let path = |name: &str| name.parse::<RelPath>().unwrap();
        let operations = ["client.EXE", "other.exe"].map(|name| (path(name), vec![Operation::Rmdir { path: path(name) }]));
        let preparing = Preparing { folder: &folder, operations: BTreeMap::from(operations), added: 0 };
        let spelled = |names: &[&str]| {
            let entries: Vec<RelPath> = names.iter().map(|name| path(name)).collect();
            preparing.spelled(&entries).unwrap().iter().map(RelPath::to_string).collect::<Vec<_>>()
        };
        assert_eq!(spelled(&["Client.exe", "client.EXE"]), ["client.EXE"]);
        assert_eq!(spelled(&["Client.exe"]), ["client.EXE"], "the old release's name of what comes");
        assert_eq!(spelled(&["Other.exe"]), ["Other.exe"], "two files are two");
        assert_eq!(spelled(&["Still.exe", "still.exe"]), ["Still.exe"], "one file of which nothing is planned goes out once");
        assert_eq!(spelled(&["gone.exe"]), ["gone.exe"]);
    }
}
