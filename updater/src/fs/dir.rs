//! [`Dir`]: an open folder, and the only way to change what is in it.
//!
//! Reading goes straight to the platform's folder. Each change has the name of the platform's method and hides it, takes a [`Point`] and has both moments of a step ([`fault::around`]), so
//! that nothing can change a folder without a test being able to die right before and right after it.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use super::change::Change;
use super::{Point, fault, platform};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Dir(platform::Dir);

impl Dir {
    /// Opens the folder at `path`; links on the way to it are the user's own and are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Dir> {
        platform::Dir::open(path).map(Dir)
    }

    /// Opens the folder `name`; a link is an error.
    pub(crate) fn open_folder(&self, name: &[u8]) -> io::Result<Dir> {
        self.0.open_folder(name).map(Dir)
    }

    /// Another handle of this folder.
    pub(crate) fn again(&self) -> io::Result<Dir> {
        self.0.again().map(Dir)
    }

    /// Makes the file `name`, which must not exist, and opens it for reading and writing.
    pub(crate) fn create_file(&self, name: &[u8], mode: u32, at: Point) -> io::Result<File> {
        fault::around(at, Change::Make { folder: self, name }, || self.0.create_file(name, mode))
    }

    /// Opens the regular file `name` for reading and writing, making it when it is missing; its content stays.
    pub(crate) fn open_to_write(&self, name: &[u8], mode: u32, at: Point) -> io::Result<File> {
        fault::around(at, Change::Make { folder: self, name }, || self.0.open_to_write(name, mode))
    }

    /// Moves `name` to `to_name` in `to`, in place of what is there.
    pub(crate) fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Rename { folder: self, name, to, to_name }, || self.0.rename(name, &to.0, to_name))
    }

    /// Moves `name` to `to_name` in `to`, where nothing may be.
    pub(crate) fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Rename { folder: self, name, to, to_name }, || self.0.rename_new(name, &to.0, to_name))
    }

    /// Makes `to_name` in `to` another name of the file `name`.
    pub(crate) fn link(&self, name: &[u8], to: &Dir, to_name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Make { folder: to, name: to_name }, || self.0.link(name, &to.0, to_name))
    }

    /// Makes the symbolic link `name`.
    pub(crate) fn make_link(&self, target: &[u8], name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Make { folder: self, name }, || self.0.make_link(target, name))
    }

    /// Makes the folder `name` with exactly `mode`.
    pub(crate) fn make_folder(&self, name: &[u8], mode: u32, at: Point) -> io::Result<Dir> {
        fault::around(at, Change::Make { folder: self, name }, || self.0.make_folder(name, mode)).map(Dir)
    }

    /// Removes the file or link `name`.
    pub(crate) fn remove_file(&self, name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Remove { folder: self, name }, || self.0.remove_file(name))
    }

    /// Removes the empty folder `name`.
    pub(crate) fn remove_folder(&self, name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::Remove { folder: self, name }, || self.0.remove_folder(name))
    }

    /// Sets the modification time of `name`, in seconds and nanoseconds, without following a link.
    pub(crate) fn set_time(&self, name: &[u8], seconds: i64, nanoseconds: u32, at: Point) -> io::Result<()> {
        fault::around(at, Change::AttributesOf { folder: self, name }, || self.0.set_time(name, seconds, nanoseconds))
    }

    /// Makes the content of the file `name` durable.
    pub(crate) fn sync_file(&self, name: &[u8], at: Point) -> io::Result<()> {
        fault::around(at, Change::SyncFileOf { folder: self, name }, || self.0.sync_file(name))
    }

    /// Makes the entries of this folder durable.
    pub(crate) fn sync(&self, at: Point) -> io::Result<()> {
        fault::around(at, Change::SyncFolder { folder: self }, || self.0.sync())
    }

    /// Makes everything on this file system durable in one go; `false` where the OS cannot, and the caller must name each file.
    pub(crate) fn sync_file_system(&self, at: Point) -> io::Result<bool> {
        if !fault::can_sync_file_system() {
            return Ok(false);
        }
        fault::around(at, Change::SyncAll, || self.0.sync_file_system())
    }
}

impl Deref for Dir {
    type Target = platform::Dir;

    fn deref(&self) -> &platform::Dir {
        &self.0
    }
}
