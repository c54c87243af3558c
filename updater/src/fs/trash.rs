//! `trash/`: the way out. Deleting starts with one rename into it, so that a name is gone at once and whole, however large what it named; and what a cut leaves half-written lies here too.
//!
//! What is in `trash/` is deleted by handle, without following a link (attack F3). Names `slot-*` are backups on their way from one number to another: they stay while a journal exists
//! (`docs/format.md` section 12).

use std::io;

use super::{DEEPEST_FOLDERS, Dir, Folder, FsError, Kind, LocalPath, Point};
use crate::id::Id;

/// What backups on their way are called in `trash/`.
pub(crate) const SLOT_PREFIX: &str = "slot-";

/// Whether emptying the trash takes backups on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slots {
    /// A journal exists: they stay.
    Stay,
    /// No journal exists: they are leftovers.
    Go,
}

impl Folder {
    /// `.updater/trash`.
    pub(crate) fn trash() -> LocalPath {
        LocalPath::state("trash")
    }

    /// Makes `.updater` and the folders in it that are always there.
    pub fn make_state_folders(&self) -> Result<(), FsError> {
        self.make_folder(&LocalPath::state_folder(), Point::StateFolder)?;
        for name in ["trash", "staging", "parts", "config", "trust", "trust/content", "waiting"] {
            self.make_folder(&LocalPath::state(name), Point::StateFolder)?;
        }
        Ok(())
    }

    /// Takes `path`, whatever it is, out of sight in one step; nothing when it is gone already. It is deleted by the next [`Folder::empty_trash`].
    pub fn discard(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        if self.stat(path)?.is_none() {
            return Ok(());
        }
        let to = self.new_trash_path()?;
        self.rename_new(path, &to, at)
    }

    /// Deletes the file `path` at once, for what nobody has to get back.
    pub fn remove_file(&self, path: &LocalPath, at: Point) -> Result<(), FsError> {
        let (folder, name) = self.parent_of("deleting", path)?;
        folder.remove_file(name, at).map_err(|source| FsError::io("deleting", path, source))
    }

    /// Deletes what is in the trash, as far as that goes: what cannot be deleted now stays for the next time. While a journal exists, backups on their way stay.
    pub fn empty_trash(&self) -> Result<(), FsError> {
        let journal = self.stat(&LocalPath::state("journal"))?;
        self.empty_trash_with(if journal.is_some() { Slots::Stay } else { Slots::Go })
    }

    pub(crate) fn empty_trash_with(&self, slots: Slots) -> Result<(), FsError> {
        let stays = |name: &[u8]| slots == Slots::Stay && name.starts_with(SLOT_PREFIX.as_bytes());
        self.find_folder(&Folder::trash())?.map_or(Ok(()), |trash| empty(&trash, &Folder::trash(), &stays, unless_kept))
    }

    /// Deletes what is in the folder `path` right there, as far as that goes: for what nobody needs, on a disk so full that not even a rename works (a quota of a file system that writes anew what
    /// it changes).
    pub(crate) fn clear(&self, path: &LocalPath) -> Result<(), FsError> {
        self.find_folder(path)?.map_or(Ok(()), |folder| empty(&folder, path, &|_| false, unless_kept))
    }

    /// Deletes everything in `.updater` but what is called `name`.
    pub(crate) fn empty_state_but(&self, name: &str) -> Result<(), FsError> {
        let path = LocalPath::state_folder();
        empty(&self.open_folder(&path)?, &path, &|found| found == name.as_bytes(), Err)
    }

    /// Deletes `.updater` and everything in it: the folder follows nothing any more. A state folder that lies elsewhere is emptied, and stays; so does one that somebody begins anew meanwhile.
    pub fn remove_state(&self) -> Result<(), FsError> {
        let path = LocalPath::state_folder();
        match self.state_apart() {
            Some(state) => empty(state, &path, &|_| false, Err),
            None => {
                empty(&self.open_folder(&path)?, &path, &|_| false, Err)?;
                match self.root().remove_folder(path.as_bytes(), Point::TrashEmpty) {
                    Err(source) if source.kind() != io::ErrorKind::DirectoryNotEmpty => Err(FsError::io("deleting", &path, source)),
                    _ => Ok(()),
                }
            }
        }
    }

    /// A name in the trash that nothing has yet; the trash exists afterwards.
    pub(crate) fn new_trash_path(&self) -> Result<LocalPath, FsError> {
        let trash = Folder::trash();
        if self.stat(&trash)?.is_none() {
            self.make_folders(&trash, Point::StateFolder)?;
        }
        Ok(trash.join(Id::random().to_string()))
    }
}

/// A leftover that the OS keeps (in use, immutable) waits for the next time; anything else, such as a failing disk, is reported.
fn unless_kept(error: FsError) -> Result<(), FsError> {
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ResourceBusy
        | io::ErrorKind::ExecutableFileBusy
        | io::ErrorKind::DirectoryNotEmpty => Ok(()),
        _ => Err(error),
    }
}

/// Deletes what is in `folder`, which is `path`, but for names that stay; what fails is for `judge` to say.
fn empty(folder: &Dir, path: &LocalPath, stays: &dyn Fn(&[u8]) -> bool, judge: fn(FsError) -> Result<(), FsError>) -> Result<(), FsError> {
    loop {
        let mut has_moved = false;
        for name in folder.names().map_err(|source| FsError::io("listing", path, source))?.iter().filter(|name| !stays(name)) {
            delete(folder, name, Depth { top: folder, left: DEEPEST_FOLDERS, has_moved: &mut has_moved })
                .map_err(|source| FsError::io("deleting", &path.join(name), source))
                .or_else(judge)?;
        }
        if !has_moved {
            return Ok(());
        }
    }
}

/// How far down deleting is.
struct Depth<'d> {
    /// Where it began, and where folders go that lie too deep: they are deleted from there. Neither handles nor the stack run out, however deep somebody nests folders.
    top: &'d Dir,
    left: usize,
    has_moved: &'d mut bool,
}

fn delete(folder: &Dir, name: &[u8], depth: Depth<'_>) -> io::Result<()> {
    // Nearly everything is a file, so that is tried before it is asked for; no OS removes a folder so.
    let refused = match folder.remove_file(name, Point::TrashEmpty) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => error,
        _ => return Ok(()),
    };
    if !folder.stat(name)?.is_some_and(|stat| stat.kind == Kind::Folder) {
        return Err(refused);
    }
    if depth.left == 0 {
        *depth.has_moved = true;
        return folder.rename_new(name, depth.top, Id::random().to_string().as_bytes(), Point::TrashEmpty);
    }
    let inner = folder.open_folder(name)?;
    for below in inner.names()? {
        delete(&inner, &below, Depth { top: depth.top, left: depth.left - 1, has_moved: depth.has_moved })?;
    }
    folder.remove_folder(name, Point::TrashEmpty)
}
