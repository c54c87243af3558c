//! Accounts and modes of folders by path, on Unix. Used where no handle leads: above an install folder, and where a state folder is made.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::super::{Kind, Stat};

/// Whether the system says who owns what, in a way that is read here.
pub(super) const OWNERS_ARE_KNOWN: bool = true;

/// The account whose rights this process has.
pub(super) fn account() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// What `path` itself is, link or not.
pub(super) fn stat_path(path: &Path) -> io::Result<Stat> {
    let found = std::fs::symlink_metadata(path)?;
    let kind = match found.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_symlink() => Kind::Link,
        _ => Kind::Other,
    };
    Ok(Stat {
        kind,
        size: found.len(),
        seconds: found.mtime(),
        nanoseconds: u32::try_from(found.mtime_nsec()).unwrap_or(0),
        mode: found.mode() & 0o7777,
        links: found.nlink(),
        owner: found.uid(),
        device: found.dev(),
        inode: found.ino(),
    })
}

/// Makes `path` and what leads to it, as far as they are missing, with mode 0755 or, where the umask says so, less.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// Sets the mode of what lies in a folder that nobody else writes.
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}
