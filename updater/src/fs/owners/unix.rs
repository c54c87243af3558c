//! Accounts and modes of folders by path, on Unix. Used where no handle leads: above an install folder, and where a state folder is made.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::super::{Kind, Stat};

/// Whom something that others can change is to be given, and how.
pub(super) const GIVE: &str = "to root (`chown root`, `chmod go-w`)";
/// The same for a folder with everything in it.
pub(super) const GIVE_ALL: &str = "to root (`chown -R root`, `chmod -R go-w`)";

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

/// What a folder that leads to one of ours is.
pub(super) fn stat_parent(path: &Path) -> io::Result<Stat> {
    stat_path(path)
}

/// Whether this process is root, or the account that `path` belongs to.
pub(super) fn is_ours(path: &Path) -> bool {
    account() == 0 || stat_path(path).is_ok_and(|stat| stat.owner == account())
}

/// Makes `path` and what leads to it, as far as they are missing, with mode 0755 or, where the umask says so, less.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// Makes `path` and what leads to it, as far as they are missing, with mode 0755; one of ours that is there gets that mode.
pub(super) fn make_own_folder(path: &Path) -> io::Result<()> {
    make_folders(path)?;
    let stat = stat_path(path)?;
    let is_ours = stat.is_folder() && (stat.owner == 0 || stat.owner == account());
    if is_ours && stat.mode != 0o755 { set_mode(path, 0o755) } else { Ok(()) }
}

/// Sets the mode of what lies in a folder that nobody else writes.
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}
