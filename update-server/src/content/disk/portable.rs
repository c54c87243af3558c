//! Opening beneath a folder with nothing but the standard library: every component is looked at before the file is opened.
//!
//! Between look and open a component could be replaced by a link; whoever can do that owns the store already.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::Identity;

pub(super) fn open_beneath(root: &Path, relative: &str) -> io::Result<File> {
    let mut path = root.to_owned();
    for component in relative.split('/') {
        path.push(component);
        if path.symlink_metadata()?.file_type().is_symlink() {
            return Err(io::ErrorKind::NotFound.into());
        }
    }
    if path.is_dir() { Err(io::ErrorKind::NotFound.into()) } else { File::open(path) }
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn identity(metadata: &Metadata) -> Identity {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Identity { length: metadata.len(), modified: since.map_or(0, |since| since.as_nanos() as i128), number: 0 }
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
