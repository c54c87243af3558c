//! Walking a tree, folder by folder through handles: no link is followed, and what lies too deep is named rather than gone into.

use std::io;

use super::{DEEPEST_FOLDERS, Dir, Kind, LocalPath, Stat};

/// What a walk found.
#[derive(Debug)]
pub enum Found<'a> {
    /// A file, link, folder or other thing; a folder before what is in it.
    Entry {
        /// Where.
        path: &'a LocalPath,
        /// What it is.
        stat: Stat,
    },
    /// Something that cannot be looked at or into.
    Unreadable {
        /// Where.
        path: &'a LocalPath,
        /// Why not.
        source: io::Error,
    },
}

/// Opens the folder `name` of `folder`, which is `path`, unless it lies deeper than any folder that is gone into.
pub(crate) fn open_within_depth(folder: &Dir, name: &[u8], path: &LocalPath) -> io::Result<Dir> {
    if path.components().count() > DEEPEST_FOLDERS {
        return Err(io::Error::other(format!("more than {DEEPEST_FOLDERS} folders lead there")));
    }
    folder.open_folder(name)
}

/// Calls `visit` for everything below `folder`, which is `path`, as [`super::Folder::walk`] promises.
pub(super) fn walk(folder: &Dir, path: &LocalPath, visit: &mut dyn FnMut(Found<'_>) -> bool) {
    let names = match folder.names() {
        Ok(names) => names,
        Err(source) => {
            visit(Found::Unreadable { path, source });
            return;
        }
    };
    for name in names.iter().filter(|name| !path.is_root() || !LocalPath::is_reserved_name(name)) {
        let below = path.join(name);
        let stat = match folder.stat(name) {
            Ok(Some(stat)) => stat,
            // It went away in between.
            Ok(None) => continue,
            Err(source) => {
                visit(Found::Unreadable { path: &below, source });
                continue;
            }
        };
        if !visit(Found::Entry { path: &below, stat }) || stat.kind != Kind::Folder {
            continue;
        }
        match open_within_depth(folder, name, &below) {
            Ok(inner) => walk(&inner, &below, visit),
            Err(source) => {
                visit(Found::Unreadable { path: &below, source });
            }
        }
    }
}
