//! What a swap is asked to do: which files come, go or change, and what the state becomes when they have.

use manifests::channel::Place;
use manifests::path::RelPath;

use super::operation::{FileIdentity, Identity, Operation};
use crate::history::Attempt;
use crate::id::Id;
use crate::trigger::Trigger;

/// A swap that is ready: every new file is complete in `staging/`.
#[derive(Debug, Clone)]
pub struct SwapPlan {
    /// Names the attempt and the backup that it makes.
    pub id: Id,
    /// What set it off.
    pub trigger: Trigger,
    /// The release that is installed.
    pub from: Option<Place>,
    /// The release that comes.
    pub to: Place,
    /// Files that start the client, of the old and of the new release: out first, in last.
    pub entry_points: Vec<RelPath>,
    /// What happens to each path, in any order. Folders that lead to new files need not be named.
    pub changes: Changes,
    /// Whether the folder as it is becomes a backup.
    pub keep: Keep,
    /// What `installed` becomes.
    pub installed_next: Vec<u8>,
    /// What `manifest` becomes.
    pub manifest_next: Vec<u8>,
    /// The line of the history when it succeeds.
    pub attempt: Attempt,
}

/// Whether the folder as it is becomes a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// No: nothing but times or modes changes, or files that were missing come back.
    Nothing,
    /// Yes.
    Backup {
        /// The backup that a rollback goes back to: the live tree from then on.
        consumed: Option<Id>,
    },
}

/// What happens to each path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub(super) operations: Vec<Operation>,
    pub(super) links: Vec<(RelPath, Option<Identity>, String)>,
}

impl Changes {
    /// None.
    pub fn new() -> Changes {
        Changes::default()
    }

    /// The file `staged` of `staging/`, which is `new`, comes to `path`, in place of `old`.
    pub fn put(&mut self, path: RelPath, old: Option<Identity>, new: FileIdentity, staged: impl Into<String>) {
        self.operations.push(Operation::Put { path, old, new: Identity::File(new), staged: Some(staged.into()) });
    }

    /// A symbolic link to `target` comes to `path`, in place of `old`.
    pub fn put_link(&mut self, path: RelPath, old: Option<Identity>, target: impl Into<String>) {
        self.links.push((path, old, target.into()));
    }

    /// The file `path` gets the time and mode of `new`, which has its content.
    pub fn set(&mut self, path: RelPath, old: FileIdentity, new: FileIdentity) {
        self.operations.push(Operation::Set { path, old, new });
    }

    /// The file or link `path`, which is `old`, goes.
    pub fn remove(&mut self, path: RelPath, old: Identity) {
        self.operations.push(Operation::Remove { path, old });
    }

    /// The folder `path` comes.
    pub fn make_folder(&mut self, path: RelPath) {
        self.operations.push(Operation::Mkdir { path });
    }

    /// The folder `path` goes, unless something is in it.
    pub fn remove_folder(&mut self, path: RelPath) {
        self.operations.push(Operation::Rmdir { path });
    }

    /// Whether nothing happens at all.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.links.is_empty()
    }

    /// Whether any file or link comes or goes; otherwise only times, modes and empty folders change.
    pub fn moves(&self) -> bool {
        let moves = |operation: &Operation| matches!(operation, Operation::Put { .. } | Operation::Remove { .. } | Operation::Out { .. });
        self.operations.iter().any(moves) || !self.links.is_empty()
    }

    /// The paths of files and links that are replaced or removed; what only gets another time stays as it is for whoever holds it.
    pub fn replaced(&self) -> impl Iterator<Item = &RelPath> {
        let operations = self.operations.iter().filter(|operation| {
            matches!(operation, Operation::Put { old: Some(_), .. } | Operation::Remove { .. } | Operation::Out { .. })
        });
        let links = self.links.iter().filter(|(_, old, _)| old.is_some()).map(|(path, ..)| path);
        operations.map(Operation::path).chain(links)
    }

    /// The paths that something happens to.
    pub fn paths(&self) -> impl Iterator<Item = &RelPath> {
        self.operations.iter().map(Operation::path).chain(self.links.iter().map(|(path, ..)| path))
    }
}
