//! Whether a swap would be allowed to do what it is about to do: asked before anything moves, of the folders and of each file (S3-15, AC-43).

use std::collections::BTreeSet;
use std::fmt;

use super::owners::{Exposure, GIVE};
use super::{Folder, FsError, LocalPath};
use crate::account::ROOT;
use crate::backup::rotation::Slot;

/// Why something cannot be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unwritable {
    /// The file system is mounted read-only.
    ReadOnlyFileSystem,
    /// No right to make or move entries in the folder.
    Folder,
    /// The file is read-only: somebody wanted it to stay.
    ReadOnly,
    /// The immutable or append-only attribute is set.
    Immutable,
    /// Others could change it while we work on it, and we work for more than its owner (attack F4).
    Exposed(Exposure),
    /// No right to move the file.
    NoRight,
    /// It belongs to somebody else, in a folder where only owners move things.
    Owner,
    /// It lies on another file system than the install folder, or is where one is mounted: nothing can be renamed into it or out of it.
    OtherFileSystem,
}

/// Something that stands in the way of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Where.
    pub path: LocalPath,
    /// What.
    pub why: Unwritable,
}

impl Folder {
    /// What would keep us from replacing, removing or making `paths`; empty when nothing would. Changes nothing.
    pub fn obstacles(&self, paths: &[LocalPath]) -> Result<Vec<Obstacle>, FsError> {
        let staging = LocalPath::state("staging");
        let (mut found, mut folders) = (self.guard(paths.iter().chain([&staging]))?, BTreeSet::from([LocalPath::root()]));
        for path in paths {
            let Some((mut parent, name)) = path.split() else { continue };
            let folder = loop {
                // A folder that is yet to be made is made in the nearest one that exists.
                match self.find_folder(&parent)? {
                    Some(folder) => break folder,
                    None => parent = parent.parent(),
                }
            };
            if parent == path.parent()
                && let Some(stat) = folder.stat(name).map_err(|source| FsError::io("looking at", path, source))?
                && let Some(why) = folder.unmovable(name, &stat).map_err(|source| FsError::io("looking at", path, source))?
            {
                found.push(Obstacle { path: path.clone(), why });
            }
            folders.insert(parent);
        }
        if self.stat(&LocalPath::state_folder())?.is_some() {
            folders.insert(LocalPath::state_folder());
        }
        let state = ["staging", "trash", "backup", "parts"].map(LocalPath::state);
        let slots = Slot::ALL.map(|slot| LocalPath::root().join(slot.folder_name()));
        for path in state.into_iter().chain(slots) {
            if self.stat(&path)?.is_some_and(|stat| stat.is_folder()) {
                folders.insert(path);
            }
        }
        for path in folders {
            let folder = self.open_folder(&path)?;
            let failed = |source| FsError::io("looking at", &path, source);
            let why = match folder.unwritable().map_err(failed)? {
                None if !folder.is_on_volume_of(self.root()).map_err(failed)? => Some(Unwritable::OtherFileSystem),
                why => why,
            };
            found.extend(why.map(|why| Obstacle { path, why }));
        }
        Ok(found)
    }
}

/// The first of what was found, for people, and how many more there are.
pub(crate) fn list(found: &[Obstacle]) -> String {
    let shown: Vec<String> = found.iter().take(3).map(ToString::to_string).collect();
    let more = found.len().saturating_sub(shown.len());
    if more > 0 { format!("{}; and {more} more", shown.join("; ")) } else { shown.join("; ") }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Unwritable::ReadOnlyFileSystem => "lies on a read-only file system",
            Unwritable::Folder => "is a folder in which you may not write",
            Unwritable::ReadOnly => "is read-only",
            Unwritable::Immutable => "has the immutable or append-only attribute",
            Unwritable::NoRight => "may not be moved by you",
            Unwritable::Owner => "belongs to another user",
            Unwritable::OtherFileSystem => "lies on another file system than the rest, so that nothing can be moved there in one step",
            Unwritable::Exposed(why) => {
                return write!(f, "{why}, and {ROOT} works here for others: give it {GIVE}");
            }
        };
        f.write_str(text)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.why)
    }
}
