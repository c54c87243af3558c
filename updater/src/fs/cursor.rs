//! [`Cursor`]: looks at many paths in their order, opening each folder once.
//!
//! Paths that are sorted by bytes keep everything below a folder together, so a stack of the folders that lead to the current path is all that has to be open.

use std::io;

use manifests::path::RelPath;

use super::{Dir, Folder, FsError, Kind, LocalPath, Stat};

/// Looks at paths of one folder. Any order is right; the order of paths is fast.
#[derive(Debug)]
pub struct Cursor<'f> {
    folder: &'f Folder,
    /// The folders that lead to the last path: name, and handle when it is there.
    stack: Vec<(String, Option<Dir>)>,
}

impl<'f> Cursor<'f> {
    /// A cursor in `folder`.
    pub fn new(folder: &'f Folder) -> Cursor<'f> {
        Cursor { folder, stack: Vec::new() }
    }

    /// What `path` is, without following a link; `None` when there is nothing, or no folder that could hold it.
    ///
    /// # Errors
    /// [`FsError::ParentIsLink`] when a folder on the way is a link; whatever the file system says otherwise.
    pub fn stat(&mut self, path: &RelPath) -> Result<Option<Stat>, FsError> {
        let (parents, name) = match path.as_str().rsplit_once('/') {
            Some((parents, name)) => (parents, name),
            None => ("", path.as_str()),
        };
        match self.enter(parents, path)? {
            Some(dir) => dir.stat(name.as_bytes()).map_err(|source| FsError::io("looking at", &path.into(), source)),
            None => Ok(None),
        }
    }

    /// The folder `parents`, of which as much as possible is open already.
    fn enter(&mut self, parents: &str, path: &RelPath) -> Result<Option<&Dir>, FsError> {
        let mut names = parents.split('/').filter(|name| !name.is_empty()).peekable();
        let mut same = 0;
        while let (Some((open, _)), Some(wanted)) = (self.stack.get(same), names.peek()) {
            if open != wanted {
                break;
            }
            names.next();
            same += 1;
        }
        self.stack.truncate(same);
        for name in names {
            let above = match self.stack.last() {
                Some((_, Some(dir))) => Some(dir),
                Some((_, None)) => None,
                None => Some(self.folder.root()),
            };
            let opened = match above {
                Some(dir) => open(dir, name, path)?,
                None => None,
            };
            self.stack.push((name.to_owned(), opened));
        }
        Ok(match self.stack.last() {
            Some((_, dir)) => dir.as_ref(),
            None => Some(self.folder.root()),
        })
    }
}

fn open(dir: &Dir, name: &str, path: &RelPath) -> Result<Option<Dir>, FsError> {
    match dir.open_folder(name.as_bytes()) {
        Ok(inner) => Ok(Some(inner)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => match dir.stat(name.as_bytes()) {
            Ok(Some(stat)) if stat.kind == Kind::Link => Err(FsError::ParentIsLink { path: parent_named(path, name) }),
            Ok(Some(stat)) if stat.kind != Kind::Folder => Ok(None),
            _ => Err(FsError::io("opening a folder of", &path.into(), error)),
        },
    }
}

/// The parent of `path` whose last component is `name`, for the message.
fn parent_named(path: &RelPath, name: &str) -> LocalPath {
    let parent = path.parents().find(|parent| parent.file_name() == name);
    parent.as_ref().map_or_else(|| LocalPath::from(path), LocalPath::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_sees_what_the_folder_sees_in_any_order() {
        let place = tempfile::tempdir().unwrap();
        for path in ["a/b/c", "a/b/d", "a/e", "a-b", "f"] {
            let path = place.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        let folder = Folder::open(place.path()).unwrap();
        let mut cursor = Cursor::new(&folder);
        for path in ["a/b/c", "a/b/d", "a/b/missing", "a/e", "a", "a-b", "f", "f/x", "no/such/path", "a/b/c", "a/b"] {
            let path: RelPath = path.parse().unwrap();
            assert_eq!(cursor.stat(&path).unwrap(), folder.stat(&(&path).into()).unwrap(), "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn f1_a_folder_that_is_a_link_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", place.path().join("link")).unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let outcome = Cursor::new(&folder).stat(&"link/x".parse().unwrap());
        assert!(matches!(outcome, Err(FsError::ParentIsLink { path }) if path.to_escaped() == "link"));
    }
}
