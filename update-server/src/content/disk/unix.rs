//! Opening beneath a folder with `openat` and `O_NOFOLLOW`, component by component.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};

use super::Identity;

pub(super) fn open_beneath(root: &Path, relative: &str) -> io::Result<File> {
    let folder = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut at = open(root, folder, Mode::empty())?;
    let (folders, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    for component in folders.split('/').filter(|component| !component.is_empty()) {
        at = openat(&at, component, folder | OFlags::NOFOLLOW, Mode::empty())?;
    }
    // Without NONBLOCK, opening a pipe waits for its other end.
    let plain = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Ok(File::from(openat(&at, name, plain, Mode::empty())?))
}

/// Whether the error says that there is no such plain file: nothing, a file where a folder should be, a link, a socket.
pub(super) fn is_absence(error: &io::Error) -> bool {
    let absent = [rustix::io::Errno::NOENT, rustix::io::Errno::NOTDIR, rustix::io::Errno::LOOP, rustix::io::Errno::NXIO];
    error.raw_os_error().is_some_and(|code| absent.iter().any(|errno| errno.raw_os_error() == code))
}

pub(super) fn identity(metadata: &Metadata) -> Identity {
    let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Identity { length: metadata.len(), modified, number: metadata.ino() }
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buffer, offset)
}
