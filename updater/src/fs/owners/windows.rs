//! Accounts of folders by path, on Windows: not read yet, so the profile `service` is refused there (`crate::profile`).

use std::io;
use std::path::Path;

use super::super::{Kind, Stat};

/// Whether the system says who owns what, in a way that is read here.
pub(super) const OWNERS_ARE_KNOWN: bool = false;

/// The account whose rights this process has: not known.
pub(super) fn account() -> u32 {
    u32::MAX
}

/// What `path` itself is, as far as it is needed here.
pub(super) fn stat_path(path: &Path) -> io::Result<Stat> {
    let found = std::fs::symlink_metadata(path)?;
    let kind = match found.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Folder,
        _ => Kind::Other,
    };
    Ok(Stat { kind, size: found.len(), seconds: 0, nanoseconds: 0, mode: 0o755, links: 1, owner: u32::MAX, device: 0, inode: 0 })
}

/// Makes `path` and what leads to it, as far as they are missing; they inherit their ACL.
pub(super) fn make_folders(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Nothing: an ACL is not a mode.
pub(super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
