//! Makes complete new files beside the live ones, with the times and modes they will have, and says what the swap is to do with them.
//!
//! Everything that takes time or can fail – copying, writing, setting times – happens here, while the client still runs as it is; the swap only renames. Times are set on the staged
//! files and read back, so that what the file system made of them is known before they are in place (D-03b).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use manifests::digest::Digest;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, FileEntry};
use manifests::time::FileTime;

use crate::config_merge::{self, CannotMerge, LARGEST_BYTES, Whose};
use crate::fs::filling::Staging;
use crate::fs::{Folder, FsError, LocalPath, Point, Stat};
use crate::installed::{Installed, InstalledFile, InstalledLink, InstalledRelease};
use crate::plan::{Action, ContentFrom, Found, FoundFile, Managed, Plan};
use crate::pristine;
use crate::progress::{Progress, Step};
use crate::swap::{Changes, FileIdentity, Identity};

/// Why new files could not be made. The live tree is as it was.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A live file changed between the look at it and its use.
    #[error("`{path}` changes while it is being read: close the program that writes it and try again")]
    Changed {
        /// Where.
        path: RelPath,
    },
}

/// What was staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// What the swap does.
    pub changes: Changes,
    /// What will be installed.
    pub installed: Installed,
    /// Config files that were to be merged and cannot be: the user's copy stays.
    pub unmerged: Vec<RelPath>,
}

/// Stages `plan`, whose contents have been fetched into `staging/`, and makes it durable.
pub fn stage(
    folder: &Arc<Folder>,
    plan: &Plan,
    found: &BTreeMap<RelPath, Found>,
    links: &[InstalledLink],
    folders: &[RelPath],
    release: InstalledRelease,
    progress: &dyn Progress,
) -> Result<Staged, StageError> {
    progress.begin(Step::Stage, plan.actions.len() as u64);
    let mut stager = Stager {
        folder,
        found,
        taken: HashSet::new(),
        times: BTreeMap::new(),
        changes: Changes::new(),
        unmerged: vec![],
        scratch: 0,
        progress,
    };
    for action in &plan.actions {
        progress.at(action.path());
        stager.act(action)?;
        progress.advance(1);
    }
    folder.sync_tree(&LocalPath::state("staging"), Point::StageSync)?;
    plan.managed.iter().try_for_each(|managed| stager.keep_pristine(managed))?;
    let managed = plan.managed.iter().map(|managed| stager.record(managed));
    let mut installed =
        Installed { release, files: managed.chain(plan.gone.iter().cloned()).collect(), links: links.to_vec(), folders: folders.to_vec() };
    installed.sort();
    Ok(Staged { changes: stager.changes, installed, unmerged: stager.unmerged })
}

struct Stager<'a> {
    folder: &'a Arc<Folder>,
    found: &'a BTreeMap<RelPath, Found>,
    /// Names in `staging/` that a file will be taken from.
    taken: HashSet<String>,
    /// What the file system made of the times that were set.
    times: BTreeMap<RelPath, FileTime>,
    changes: Changes,
    unmerged: Vec<RelPath>,
    /// Names given to files in `staging/` that no content names.
    scratch: u32,
    progress: &'a dyn Progress,
}

impl Stager<'_> {
    fn act(&mut self, action: &Action) -> Result<(), StageError> {
        match action {
            Action::Put { path, file, from } => self.put(path, file, from)?,
            Action::Merge { path, file, from, base, beside } => self.merge(path, file, from, base.as_ref(), beside.as_ref())?,
            Action::Set { path, mtime, mode } => self.set(path, *mtime, *mode)?,
            Action::Link { path, target } => {
                let old = self.old(path)?;
                self.changes.put_link(path.clone(), old, target.clone());
            }
            Action::MakeFolder { path } => self.changes.make_folder(path.clone()),
            Action::RemoveFolder { path } => self.changes.remove_folder(path.clone()),
            Action::Remove { path } => {
                if let Some(old) = self.old(path)? {
                    self.changes.remove(path.clone(), old);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, path: &RelPath, file: &FileEntry, from: &ContentFrom) -> Result<(), StageError> {
        let name = self.content(file, from)?;
        self.place(path, file, name)
    }

    /// The file `name` of `staging/`, the content of `file`, comes to `path`.
    fn place(&mut self, path: &RelPath, file: &FileEntry, name: String) -> Result<(), StageError> {
        let stat = self.folder.set_attributes(&staged(&name), file.mtime, file.mode(), Point::StageAttributes)?;
        self.times.insert(path.clone(), stat.mtime());
        let old = self.old(path)?;
        self.changes.put(path.clone(), old, FileIdentity::of(&stat, file.sha256), name);
        Ok(())
    }

    /// Brings what the release changed into the user's copy; what cannot be merged comes beside it, and why is said.
    fn merge(
        &mut self,
        path: &RelPath,
        file: &FileEntry,
        from: &ContentFrom,
        base: Option<&Digest>,
        beside: Option<&RelPath>,
    ) -> Result<(), StageError> {
        let (stat, old) = self.old_file(path)?;
        let name = self.content(file, from)?;
        let merged = match stat.size.max(file.size) > LARGEST_BYTES as u64 {
            true => Err(CannotMerge::TooLarge { whose: if stat.size > file.size { Whose::Users } else { Whose::Publishers } }),
            false => {
                let (users, new) = (self.read(&path.into(), path)?, self.read(&staged(&name), path)?);
                if Digest::of(&users) != old.sha256 {
                    return Err(StageError::Changed { path: path.clone() });
                }
                let base = base.map(|base| pristine::load(self.folder, base)).transpose()?.flatten();
                config_merge::merge(&users, &new, base.as_deref(), &file.publishers).map(|merged| (merged != users).then_some(merged))
            }
        };
        if merged.is_err() {
            self.unmerged.push(path.clone());
        }
        match (merged, beside) {
            (Ok(None), _) => {}
            (Ok(Some(merged)), _) => {
                let (new, name) = self.outcome(&merged, file.mtime, stat.mode)?;
                self.changes.put(path.clone(), Some(Identity::File(old)), new, name);
            }
            (Err(why), Some(beside)) => {
                self.progress.note(&format!(
                    "`{path}` cannot be merged: {why}; it stays as it is, and the release's version is written beside as `{beside}`"
                ));
                self.place(beside, file, name)?;
            }
            (Err(why), None) => self.progress.note(&format!("`{path}` cannot be merged: {why}; it stays as it is")),
        }
        Ok(())
    }

    /// What was merged, as a file in `staging/`.
    fn outcome(&mut self, merged: &[u8], mtime: FileTime, mode: u32) -> Result<(FileIdentity, String), StageError> {
        let name = format!("merged.{}", self.scratch);
        self.scratch += 1;
        self.clear(&name)?;
        let mut made = self.folder.create_file(&staged(&name), mode, Point::StageFile)?;
        crate::fs::write_all(&mut made, merged, Point::StageFile).map_err(|source| FsError::io("writing", &staged(&name), source))?;
        drop(made);
        let stat = self.folder.set_attributes(&staged(&name), mtime, mode, Point::StageAttributes)?;
        Ok((FileIdentity::of(&stat, Digest::of(merged)), name))
    }

    fn read(&self, at: &LocalPath, path: &RelPath) -> Result<Vec<u8>, StageError> {
        self.folder.read(at)?.ok_or_else(|| StageError::Changed { path: path.clone() })
    }

    /// Keeps the release's version of what may be merged the next time: staged now, or live since long.
    fn keep_pristine(&self, managed: &Managed) -> Result<(), StageError> {
        let Managed { file, .. } = managed;
        if file.config != ConfigPolicy::Merge || file.size > LARGEST_BYTES as u64 || pristine::load(self.folder, &file.sha256)?.is_some() {
            return Ok(());
        }
        let is_live = matches!(self.found.get(&file.path), Some(Found::File(found)) if found.sha256 == Some(file.sha256));
        let at = match self.taken.contains(&file.sha256.to_hex()) {
            true => staged(&file.sha256.to_hex()),
            false if is_live => (&file.path).into(),
            false => return Ok(()),
        };
        // What was damaged meanwhile is found out elsewhere; here it only is not kept.
        let bytes = self.folder.read(&at)?.filter(|bytes| Digest::of(bytes) == file.sha256);
        Ok(bytes.map_or(Ok(()), |bytes| pristine::keep(self.folder, &file.sha256, &bytes))?)
    }

    /// A file in `staging/` with the content of `file` that nothing else will be made of; returns its name.
    fn content(&mut self, file: &FileEntry, from: &ContentFrom) -> Result<String, StageError> {
        let first = file.sha256.to_hex();
        if self.taken.contains(&first) {
            let name = (1..).map(|nth: u32| format!("{first}.{nth}")).find(|name| !self.taken.contains(name)).unwrap_or_default();
            self.clear(&name)?;
            self.folder.copy(&staged(&first), &staged(&name), file.mode(), Point::StageFile)?;
            self.taken.insert(name.clone());
            return Ok(name);
        }
        match from {
            ContentFrom::Packs => {}
            ContentFrom::Nothing => {
                self.clear(&first)?;
                self.folder.create_file(&staged(&first), file.mode(), Point::StageFile)?;
            }
            ContentFrom::Local(local) => self.copy_local(local, file, &first)?,
        }
        self.taken.insert(first.clone());
        Ok(first)
    }

    /// Copies a live file's content; what was copied is what counts, not what was seen before.
    fn copy_local(&self, local: &RelPath, file: &FileEntry, name: &str) -> Result<(), StageError> {
        if Staging::new(Arc::clone(self.folder)).has_verified(&file.sha256, file.size)? {
            return Ok(());
        }
        let (digest, _) = self.folder.copy(&local.into(), &staged(name), file.mode(), Point::StageFile)?;
        if digest == file.sha256 {
            return Ok(());
        }
        self.clear(name)?;
        Err(StageError::Changed { path: local.clone() })
    }

    fn clear(&self, name: &str) -> Result<(), FsError> {
        self.folder.discard(&staged(name), Point::StageFile)
    }

    /// Another time or mode for a file that stays. A file with a second name somewhere is replaced by a copy: what has several names is never changed in place.
    fn set(&mut self, path: &RelPath, mtime: FileTime, mode: u32) -> Result<(), StageError> {
        let (stat, old) = self.old_file(path)?;
        let name = format!("set.{}", self.scratch);
        self.scratch += 1;
        self.clear(&name)?;
        if stat.links > 1 {
            let (digest, _) = self.folder.copy(&path.into(), &staged(&name), mode, Point::StageFile)?;
            if digest != old.sha256 {
                return Err(StageError::Changed { path: path.clone() });
            }
        } else {
            self.folder.create_file(&staged(&name), mode, Point::StageFile)?;
        }
        // On an empty file it only shows what this file system makes of the time.
        let shown = self.folder.set_attributes(&staged(&name), mtime, mode, Point::StageAttributes)?;
        self.times.insert(path.clone(), shown.mtime());
        let new = FileIdentity { mtime: shown.mtime(), mode: shown.mode, ..old };
        if stat.links > 1 {
            self.changes.put(path.clone(), Some(Identity::File(old)), new, name);
        } else {
            self.clear(&name)?;
            self.changes.set(path.clone(), old, new);
        }
        Ok(())
    }

    /// What is at `path` now, in full.
    fn old(&self, path: &RelPath) -> Result<Option<Identity>, StageError> {
        Ok(match self.found.get(path) {
            Some(Found::File(_)) => Some(Identity::File(self.old_file(path)?.1)),
            Some(Found::Link(target)) => Some(Identity::Link(target.clone())),
            _ => None,
        })
    }

    /// What a file is that goes to the backup or changes: read, not taken from the record. Size and time may be as installed and the content damaged all the same; a backup that
    /// recorded what should have been there could never be restored (E1, E5).
    fn old_file(&self, path: &RelPath) -> Result<(Stat, FileIdentity), StageError> {
        let changed = || StageError::Changed { path: path.clone() };
        let Some(Found::File(seen)) = self.found.get(path) else { return Err(changed()) };
        let local = LocalPath::from(path);
        let stat = self.folder.stat(&local)?.filter(Stat::is_file).ok_or_else(changed)?;
        if stat.size != seen.size || stat.seconds != seen.mtime {
            return Err(changed());
        }
        let sha256 = self.folder.hash(&local)?.0;
        Ok((stat, FileIdentity::of(&stat, sha256)))
    }

    fn record(&self, managed: &Managed) -> InstalledFile {
        let Managed { file, kept } = managed;
        let untouched = match self.found.get(&file.path) {
            Some(Found::File(FoundFile { mtime, .. })) => FileTime::clamped(*mtime),
            _ => file.mtime,
        };
        let as_read = self.times.get(&file.path).copied().unwrap_or(untouched);
        InstalledFile {
            path: file.path.clone(),
            size: file.size,
            as_set: file.mtime,
            as_read: (!kept).then_some(as_read),
            mode: file.mode(),
            policy: Some(file.config),
            sha256: file.sha256,
            is_listed: true,
        }
    }
}

fn staged(name: &str) -> LocalPath {
    LocalPath::state("staging").join(name)
}
