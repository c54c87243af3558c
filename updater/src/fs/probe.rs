//! Whether a swap would be allowed to do what it is about to do: asked before anything moves, of the folders and of each file (S3-15, AC-43).

use std::collections::BTreeSet;
use std::fmt;

use super::owners::Exposure;
use super::{Folder, FsError, LocalPath};

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
    /// It belongs to somebody else, in a folder where only owners move things.
    Owner,
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
    pub fn obstacles<'p>(&self, paths: impl IntoIterator<Item = &'p LocalPath>) -> Result<Vec<Obstacle>, FsError> {
        let (mut found, mut folders) = (vec![], BTreeSet::from([LocalPath::root()]));
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
        found.extend(self.exposed_folders(&folders)?);
        for path in folders {
            let folder = self.open_folder(&path)?;
            if let Some(why) = folder.unwritable().map_err(|source| FsError::io("looking at", &path, source))? {
                found.push(Obstacle { path, why });
            }
        }
        Ok(found)
    }

    /// Whether `path` lies on the file system of the install folder, so that things can be renamed between them.
    pub fn is_same_file_system(&self, path: &LocalPath) -> Result<bool, FsError> {
        let failed = |source| FsError::io("looking at", path, source);
        let here = self.root().stat_self().map_err(failed)?;
        Ok(self.stat(path)?.is_none_or(|there| there.device == here.device))
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Unwritable::ReadOnlyFileSystem => "lies on a read-only file system",
            Unwritable::Folder => "is a folder in which you may not write",
            Unwritable::ReadOnly => "is read-only",
            Unwritable::Immutable => "has the immutable or append-only attribute",
            Unwritable::Owner => "belongs to another user",
            Unwritable::Exposed(why) => return write!(f, "{why}, and root works here for others"),
        };
        f.write_str(text)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.why)
    }
}
