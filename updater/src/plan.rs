//! What has to be done to bring a folder to a release, and what it costs: pure, from what the release wants and what lies there.
//!
//! Contents are compared by hash, the release's against the station's, never by the times of two builds: build tools stamp all files of a build with one time, or
//! with none (baselines: 16 wrong files with `rsync -a`). Files that the release does not name are never touched (D-05). The result can be printed (`--dry-run`)
//! before anything is changed.

pub mod jobs;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use manifests::digest::Digest;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, FileEntry, Manifest};
use manifests::time::FileTime;

use crate::config_merge;
use crate::installed::{Installed, InstalledFile};
use crate::scan::Observed;

/// What lies at a path of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A file.
    File(FoundFile),
    /// A folder.
    Folder {
        /// One thing in it, at any depth, that is not ours; it keeps the folder from being replaced by a file.
        stranger: Option<String>,
    },
    /// A symbolic link and what it holds.
    Link(String),
    /// A device, pipe or socket.
    Other,
}

/// A file in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time, whole seconds rounded down.
    pub mtime: i64,
    /// Its permission bits.
    pub mode: u32,
    /// Its digest: read, or known because size and time are as installed; `None` when it was not worth reading because the size alone differs from every content it could have.
    pub sha256: Option<Digest>,
    /// Whether nobody else can change it, where root works for more than itself.
    pub is_ours_alone: bool,
}

/// What is done to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// New content, with its time and mode.
    Put {
        /// Where.
        path: RelPath,
        /// The entry of the release.
        file: FileEntry,
        /// Where the content comes from.
        from: ContentFrom,
    },
    /// What the release changed comes into the copy that its user changed (D-04).
    Merge {
        /// Where.
        path: RelPath,
        /// The entry of the release.
        file: FileEntry,
        /// Where its content comes from.
        from: ContentFrom,
        /// The content of the release that the user's copy was made from.
        base: Option<Digest>,
        /// Where the release's version is written when the two cannot be merged; `None` when somebody else's file is there.
        beside: Option<RelPath>,
    },
    /// The content is right; time or mode is not.
    Set {
        /// Where.
        path: RelPath,
        /// The time.
        mtime: FileTime,
        /// The mode.
        mode: u32,
    },
    /// A file or link goes.
    Remove {
        /// Where.
        path: RelPath,
    },
    /// An empty folder goes, because a file takes its name.
    RemoveFolder {
        /// Where.
        path: RelPath,
    },
    /// A folder comes.
    MakeFolder {
        /// Where.
        path: RelPath,
    },
    /// A symbolic link comes.
    Link {
        /// Where.
        path: RelPath,
        /// What it holds.
        target: String,
    },
}

impl Action {
    /// The path it is done to.
    pub fn path(&self) -> &RelPath {
        match self {
            Action::Put { path, .. } | Action::Merge { path, .. } | Action::Set { path, .. } | Action::Remove { path } => path,
            Action::RemoveFolder { path } | Action::MakeFolder { path } | Action::Link { path, .. } => path,
        }
    }
}

/// Where a content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentFrom {
    /// It is empty.
    Nothing,
    /// A file of the folder has it already: renamed or copied in the release.
    Local(RelPath),
    /// It is fetched.
    Packs,
}

/// A managed file as the state will record it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// The entry of the release.
    pub file: FileEntry,
    /// The user's own copy, or the user's deletion, was kept: never taken for ours by its time.
    pub kept: bool,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is done, in no particular order.
    pub actions: Vec<Action>,
    /// What will be managed.
    pub managed: Vec<Managed>,
    /// Files of earlier releases that stay and are no longer listed, as they were installed.
    pub gone: Vec<InstalledFile>,
    /// What has to be fetched.
    pub jobs: jobs::Jobs,
    /// Config files whose user's copy stays, or the link that stands in its place.
    pub kept: Vec<RelPath>,
    /// Config files of which the user's copy gets what the release changed.
    pub merged: Vec<RelPath>,
    /// Whether files that exist are replaced or removed.
    pub replaces: bool,
    /// Whether files or folders come that did not exist.
    pub adds: bool,
}

impl Plan {
    /// Whether nothing in the folder changes but the record.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether a backup slot is used: a new release that changes more than times, or anything that replaces or removes a file (D-21, AC-03).
    pub fn takes_slot(&self, new_release: bool) -> bool {
        self.replaces || (new_release && self.adds)
    }

    /// Bytes of new files that are written before the swap.
    pub fn staged_bytes(&self) -> u64 {
        let put = |action: &Action| match action {
            Action::Put { file, .. } => file.size,
            Action::Merge { file, .. } => file.size + 2 * config_merge::LARGEST_BYTES as u64,
            _ => 0,
        };
        self.actions.iter().map(put).sum()
    }

    /// How many files and links are staged.
    pub fn staged_files(&self) -> u64 {
        let made = |action: &Action| match action {
            Action::Put { .. } | Action::Link { .. } => 1,
            // The release's version, the outcome, and a copy for the next time.
            Action::Merge { .. } => 3,
            _ => 0,
        };
        self.actions.iter().map(made).sum()
    }
}

/// Why a folder cannot be brought to a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Something that is not ours is in the way.
    #[error("`{path}` is in the way of the release: it {what}; move it away and try again")]
    InTheWay {
        /// Where.
        path: RelPath,
        /// What it is.
        what: String,
    },
}

/// What speaks for keeping things as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// Restage everything, config files included: the incompatible flow (S3-11).
    pub everything: bool,
}

/// Plans the way from what was `observed`, with `installed` recorded, to `target`.
pub fn plan(target: &Manifest, installed: Option<&Installed>, observed: &Observed, wishes: Wishes) -> Result<Plan, PlanError> {
    let mut planner = Planner::new(target, installed, observed, wishes);
    planner.files()?;
    planner.links()?;
    planner.removals();
    planner.folders()?;
    Ok(planner.finish())
}

struct Planner<'a> {
    target: &'a Manifest,
    installed: Option<&'a Installed>,
    found: &'a BTreeMap<RelPath, Found>,
    twins: &'a BTreeMap<RelPath, RelPath>,
    respelled: &'a BTreeSet<RelPath>,
    wishes: Wishes,
    /// Contents that lie in the folder, by digest.
    local: HashMap<Digest, &'a RelPath>,
    actions: Vec<Action>,
    managed: Vec<Managed>,
    kept: Vec<RelPath>,
    merged: Vec<RelPath>,
    removed: HashSet<&'a RelPath>,
}

impl<'a> Planner<'a> {
    fn new(target: &'a Manifest, installed: Option<&'a Installed>, observed: &'a Observed, wishes: Wishes) -> Self {
        let Observed { found, twins, respelled, .. } = observed;
        let with_digest = |(path, found): (&'a RelPath, &'a Found)| match found {
            Found::File(FoundFile { sha256: Some(sha256), .. }) => Some((*sha256, path)),
            _ => None,
        };
        let local = found.iter().filter_map(with_digest).collect();
        Planner {
            target,
            installed,
            found,
            twins,
            respelled,
            wishes,
            local,
            actions: vec![],
            managed: vec![],
            kept: vec![],
            merged: vec![],
            removed: HashSet::new(),
        }
    }

    fn found(&self, path: &RelPath) -> &'a Found {
        self.found.get(path).unwrap_or(&Found::Nothing)
    }

    /// What lies there for a file of the release, under whatever spelling its OS takes for the same.
    fn found_file(&self, path: &RelPath) -> &'a Found {
        self.found(self.twins.get(path).unwrap_or(path))
    }

    fn files(&mut self) -> Result<(), PlanError> {
        for file in &self.target.files {
            let kept = self.keeps_users_copy(file);
            if kept && self.is_mergeable(file) {
                self.merge(file);
            } else if kept {
                self.kept.push(file.path.clone());
                if self.writes_beside(file) {
                    self.put_beside(file);
                }
            } else {
                self.bring_file(file)?;
            }
            self.managed.push(Managed { file: file.clone(), kept });
        }
        Ok(())
    }

    /// Whether the user changed or deleted a file whose policy lets that stand (D-04).
    fn keeps_users_copy(&self, file: &FileEntry) -> bool {
        if file.config == ConfigPolicy::Overwrite || self.wishes.everything {
            return false;
        }
        let record = self.installed.and_then(|installed| installed.file(&file.path));
        match (self.found_file(&file.path), record) {
            // Whoever may write it is the one who configures.
            (Found::File(found), _) if !found.is_ours_alone => true,
            (Found::File(found), Some(record)) => found.sha256 != Some(record.sha256) && found.sha256 != Some(file.sha256),
            // A file that was there before we came is its user's (adoption).
            (Found::File(found), None) => found.sha256 != Some(file.sha256),
            // A link in its place says where its user's configuration lies; one that a release put there says nothing of him.
            (Found::Link(target), _) => {
                let link = self.installed.and_then(|installed| installed.link(&file.path));
                link.is_none_or(|link| link.target != *target)
            }
            // Only `keep` keeps a deletion: a missing file is an accident more often than a wish.
            (Found::Nothing, Some(_)) => file.config == ConfigPolicy::Keep,
            _ => false,
        }
    }

    /// Whether the release's version of a kept file is worth showing: it is new, and the file is there to be compared with.
    fn writes_beside(&self, file: &FileEntry) -> bool {
        let record = self.installed.and_then(|installed| installed.file(&file.path));
        let changed = record.is_none_or(|record| record.sha256 != file.sha256);
        let shows = matches!(file.config, ConfigPolicy::NewBeside | ConfigPolicy::Merge);
        shows && changed && matches!(self.found_file(&file.path), Found::File(_) | Found::Link(_))
    }

    /// Whether the release's changes are to come into a kept file: a plain file that only whoever runs this can write.
    fn is_mergeable(&self, file: &FileEntry) -> bool {
        let is_plain = matches!(self.found(&file.path), Found::File(found) if found.is_ours_alone);
        file.config == ConfigPolicy::Merge && self.writes_beside(file) && is_plain && !self.respelled.contains(&file.path)
    }

    fn merge(&mut self, file: &FileEntry) {
        let base = self.installed.and_then(|installed| installed.file(&file.path)).map(|record| record.sha256);
        let (from, beside) = (self.source(file), self.free_beside(file));
        self.merged.push(file.path.clone());
        self.actions.push(Action::Merge { path: file.path.clone(), file: file.clone(), from, base, beside });
    }

    fn put_beside(&mut self, file: &FileEntry) {
        if let Some(path) = self.free_beside(file) {
            self.put(path, file);
        }
    }

    /// Where the release's version of a kept file is written, if nobody else's file is there.
    fn free_beside(&self, file: &FileEntry) -> Option<RelPath> {
        // Publishing refuses names that cannot take the suffix; if one came all the same, nothing is written beside.
        let path = beside(&file.path).ok()?;
        // What an earlier release put there may go; anything else of that name is its user's.
        let earlier = self.installed.and_then(|installed| installed.file(&file.path)).map(|record| record.sha256);
        let ours = match self.found(&path) {
            Found::Nothing => true,
            Found::File(found) => found.sha256 != Some(file.sha256) && found.sha256.is_some() && found.sha256 == earlier,
            _ => false,
        };
        ours.then_some(path)
    }

    fn bring_file(&mut self, file: &FileEntry) -> Result<(), PlanError> {
        if let Some(twin) = self.twins.get(&file.path) {
            self.actions.push(Action::Remove { path: twin.clone() });
            self.put(file.path.clone(), file);
            return Ok(());
        }
        match self.found(&file.path) {
            // A copy of it comes under the right name: there is no step that only renames.
            Found::File(_) if self.respelled.contains(&file.path) => self.put(file.path.clone(), file),
            // A manifest whose size does not belong to its digest is found out when the file is fetched, never recorded.
            Found::File(found) if found.sha256 == Some(file.sha256) && found.size == file.size && !self.wishes.everything => {
                self.set_if_needed(file, found)
            }
            Found::Folder { stranger: Some(name) } => {
                return Err(in_the_way(&file.path, format!("is a folder that holds `{name}`, which is not ours")));
            }
            Found::Other => return Err(in_the_way(&file.path, "is neither file nor folder".into())),
            Found::Folder { stranger: None } => {
                self.remove_tree(&file.path);
                self.put(file.path.clone(), file);
            }
            Found::File(_) | Found::Link(_) | Found::Nothing => self.put(file.path.clone(), file),
        }
        Ok(())
    }

    fn set_if_needed(&mut self, file: &FileEntry, found: &FoundFile) {
        let record = self.installed.and_then(|installed| installed.file(&file.path));
        // What the file system gave back for this very time is as good as the time itself (D-03b, AC-13).
        let read_back =
            record.is_some_and(|record| record.as_set == file.mtime && record.as_read.is_some_and(|read| read.unix() == found.mtime));
        let time_right = found.mtime == file.mtime.unix() || read_back;
        if !time_right || found.mode & 0o777 != file.mode() && cfg!(unix) {
            self.actions.push(Action::Set { path: file.path.clone(), mtime: file.mtime, mode: file.mode() });
        }
    }

    fn source(&self, file: &FileEntry) -> ContentFrom {
        match self.local.get(&file.sha256) {
            _ if file.size == 0 => ContentFrom::Nothing,
            Some(local) => ContentFrom::Local((*local).clone()),
            None => ContentFrom::Packs,
        }
    }

    fn put(&mut self, path: RelPath, file: &FileEntry) {
        let from = self.source(file);
        self.actions.push(Action::Put { path, file: file.clone(), from });
    }

    fn links(&mut self) -> Result<(), PlanError> {
        for link in &self.target.links {
            match self.found(&link.path) {
                Found::Link(target) if *target == link.target => continue,
                Found::Folder { stranger: Some(name) } => {
                    return Err(in_the_way(&link.path, format!("is a folder that holds `{name}`, which is not ours")));
                }
                Found::Other => return Err(in_the_way(&link.path, "is neither file nor folder".into())),
                Found::Folder { stranger: None } => self.remove_tree(&link.path),
                Found::File(_) | Found::Link(_) | Found::Nothing => {}
            }
            self.actions.push(Action::Link { path: link.path.clone(), target: link.target.clone() });
        }
        Ok(())
    }

    /// Files that the release wants gone, if we installed them and nobody changed them since (D-05).
    fn removals(&mut self) {
        for path in &self.target.removed {
            let record = self.installed.and_then(|installed| installed.file(path));
            let unchanged = match (self.found(path), record) {
                (Found::File(found), Some(record)) => found.is_ours_alone && found.sha256 == Some(record.sha256),
                (Found::Link(_), _) => self.installed.is_some_and(|installed| installed.link(path).is_some()),
                _ => false,
            };
            if unchanged && self.removed.insert(path) {
                self.actions.push(Action::Remove { path: path.clone() });
            }
        }
    }

    /// Everything under a folder that holds only what is ours, and the folder.
    fn remove_tree(&mut self, folder: &RelPath) {
        let prefix = format!("{folder}/");
        let below = self.found.range(folder.clone()..).skip(1).take_while(|(path, _)| path.as_str().starts_with(&prefix));
        let below: Vec<(&'a RelPath, &'a Found)> = below.collect();
        for (path, found) in below {
            match found {
                Found::Folder { .. } => self.actions.push(Action::RemoveFolder { path: path.clone() }),
                Found::File(_) | Found::Link(_) => {
                    if self.removed.insert(path) {
                        self.actions.push(Action::Remove { path: path.clone() });
                    }
                }
                Found::Nothing | Found::Other => {}
            }
        }
        self.actions.push(Action::RemoveFolder { path: folder.clone() });
    }

    /// Folders that are listed or lead to something new.
    fn folders(&mut self) -> Result<(), PlanError> {
        let mut needed: Vec<RelPath> = self.target.directories.iter().flat_map(|folder| folder.parents().chain([folder.clone()])).collect();
        let comes = |action: &Action| {
            matches!(action, Action::Put { .. } | Action::Link { .. }).then(|| action.path().parents().collect::<Vec<_>>())
        };
        needed.extend(self.actions.iter().filter_map(comes).flatten());
        needed.sort();
        needed.dedup();
        for path in needed {
            match self.found(&path) {
                Found::Folder { .. } => continue,
                Found::Nothing => {}
                Found::File(_) | Found::Link(_) => {
                    let ours = self.installed.is_some_and(|installed| installed.file(&path).is_some() || installed.link(&path).is_some());
                    if !ours {
                        return Err(in_the_way(&path, "is a file where the release has a folder".into()));
                    }
                    self.actions.push(Action::Remove { path: path.clone() });
                }
                Found::Other => return Err(in_the_way(&path, "is neither file nor folder".into())),
            }
            self.actions.push(Action::MakeFolder { path });
        }
        Ok(())
    }

    fn finish(self) -> Plan {
        let removed: HashSet<&RelPath> =
            self.actions.iter().filter(|action| matches!(action, Action::Remove { .. })).map(Action::path).collect();
        let listed = |path: &RelPath| self.target.file(path).is_some();
        let stays = |file: &&InstalledFile| {
            !listed(&file.path) && !removed.contains(&file.path) && matches!(self.found(&file.path), Found::File(_))
        };
        let unlisted = |file: &InstalledFile| InstalledFile { is_listed: false, ..file.clone() };
        let gone = self.installed.iter().flat_map(|installed| &installed.files).filter(stays).map(unlisted).collect();
        let fetched = self.actions.iter().filter_map(|action| match action {
            Action::Put { file, from: ContentFrom::Packs, .. } | Action::Merge { file, from: ContentFrom::Packs, .. } => Some(file),
            _ => None,
        });
        let jobs = jobs::jobs(self.target, fetched);
        let exists = |path: &RelPath| !matches!(self.found.get(path), None | Some(Found::Nothing));
        let replaces = self.actions.iter().any(|action| match action {
            Action::Put { path, .. } | Action::Link { path, .. } => exists(path),
            Action::Merge { .. } | Action::Remove { .. } | Action::RemoveFolder { .. } => true,
            Action::Set { .. } | Action::MakeFolder { .. } => false,
        });
        let adds = self.actions.iter().any(|action| !matches!(action, Action::Set { .. }));
        Plan { actions: self.actions, managed: self.managed, gone, jobs, kept: self.kept, merged: self.merged, replaces, adds }
    }
}

/// Where the release's version of a kept config file is written.
pub fn beside(path: &RelPath) -> Result<RelPath, manifests::path::InvalidPath> {
    path.with_suffix(".new")
}

fn in_the_way(path: &RelPath, what: String) -> PlanError {
    PlanError::InTheWay { path: path.clone(), what }
}

#[cfg(test)]
mod tests;
