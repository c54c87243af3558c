//! Files for others, outside every install folder: the units, tasks and tables of a schedule, which the system reads, shortcuts, and what somebody asked for, such as a support bundle. Each is written beside its place and renamed, so that whoever reads it
//! meanwhile finds the old one or the new one, whole.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use super::change::Change;
use super::{Point, fault, owners, platform};

/// The content of `path`; `None` when there is nothing.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Who may read a file, where files have modes; on Windows it is whoever the folder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Everybody.
    All,
    /// Everybody, who may run it, too.
    Runners,
    /// Its owner alone, from the first byte on.
    Owner,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Readers::All => 0o644,
            Readers::Runners => 0o755,
            Readers::Owner => 0o600,
        }
    }
}

/// Puts a file with `bytes` at `path`, in place of what is there, and makes the folders that lead there.
pub fn place(path: &Path, bytes: &[u8], readers: Readers, point: Point) -> io::Result<()> {
    fault::around(point, Change::InstallFolder, || written(path, bytes, readers)?.persist(path).map(drop).map_err(|error| error.error))
}

/// The same where nothing is at `path`.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when something is, which stays.
pub fn place_new(path: &Path, bytes: &[u8], readers: Readers, point: Point) -> io::Result<()> {
    fault::around(point, Change::InstallFolder, || {
        written(path, bytes, readers)?.persist_noclobber(path).map(drop).map_err(|error| error.error)
    })
}

/// A file with `bytes` beside `path`, whole on the disk; dropped it is gone.
fn written(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    if !folder.is_dir() {
        owners::make_folders(folder)?;
    }
    // Its owner's alone until it is said otherwise. An error names a file that nobody asked for: only its kind is told.
    let file = NamedTempFile::new_in(folder).map_err(|error| error.kind())?;
    file.as_file().write_all(bytes)?;
    platform::set_file_mode(file.as_file(), readers.mode())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Removes the file `path`; `false` when there is none.
pub fn remove(path: &Path, point: Point) -> io::Result<bool> {
    match fault::around(point, Change::InstallFolder, || std::fs::remove_file(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}
