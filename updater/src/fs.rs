//! The one module that changes the file system.
//!
//! A [`Folder`] is an install folder held by a handle. Every path is resolved from there component by component, following no link, so nothing is ever read or written outside it
//! (attacks F1 to F3); `.updater` may lie elsewhere on the same volume and is then reached through a handle of its own. Every change is a step with a named [`fault::Point`], so that
//! tests can die right before and right after each. What must last is written into `trash/`, fsynced, renamed into place, and its folder
//! fsynced: whatever a cut leaves in `trash/` is swept, and no half-written file ever has a real name. Nothing is deleted in place: things go to `trash/` by one rename first.

#![expect(clippy::disallowed_methods, reason = "this is the module that the others are pointed to")]

mod change;
mod content;
mod cursor;
mod dir;
pub mod fault;
pub mod filling;
mod folder;
pub(crate) mod obstacles;
pub mod outside;
pub mod owners;
mod path;
mod trash;
#[cfg(any(test, feature = "fail-points"))]
mod unsynced;
mod walk;

#[cfg(unix)]
#[path = "fs/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "fs/windows.rs"]
mod platform;

use std::fs::File;
use std::io::{self, Read as _};

use manifests::digest::{Digest, Hasher};
use manifests::time::FileTime;

use crate::code::Code;

pub use content::write_all;
pub use cursor::Cursor;
pub use fault::Point;
pub use folder::Folder;
pub use obstacles::{Obstacle, Unwritable};
pub use path::{InvalidLocalPath, LocalPath, escape, unescape};
#[cfg(any(test, feature = "fail-points"))]
pub(crate) use platform::{end_process, stop_process};
pub use walk::Found;

pub(crate) use content::{copy_content, set_length, set_mode, set_time};
pub(crate) use dir::Dir;
pub(crate) use platform::{changed_at, file_stat};
pub(crate) use trash::SLOT_PREFIX;
pub(crate) use walk::open_within_depth;

/// Folders below each other that are gone into. Releases have at most 64 (`manifests::path::MAX_COMPONENTS`); each takes up to five handles, of which a process has 1,024 on many systems.
pub(crate) const DEEPEST_FOLDERS: usize = 160;

/// Bytes read at a time: large enough that system calls do not show, small enough for many threads.
const BUFFER_BYTES: usize = 256 * 1024;

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link (on Windows any reparse point).
    Link,
    /// A socket, pipe or device.
    Other,
}

/// What the file system says of a name, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes of content.
    pub size: u64,
    /// Modification time: whole seconds since 1970-01-01 UTC, rounded down.
    pub seconds: i64,
    /// Nanoseconds after that.
    pub nanoseconds: u32,
    /// Permission bits, at most 0o7777; 0o644 or 0o444 on Windows.
    pub mode: u32,
    /// Names of this file.
    pub links: u64,
    /// User id of the owner; on Windows the number of an account that could change it beside ours, 0 when none could (`account`).
    pub owner: u32,
    /// Id of the file system.
    pub device: u64,
    /// Id of the file on it; 0 where it has none.
    pub inode: u64,
}

impl Stat {
    /// The modification time as documents have it: whole seconds, brought into the range.
    pub fn mtime(&self) -> FileTime {
        FileTime::clamped(self.seconds)
    }

    /// Whether this is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether this is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that we may still write.
    pub available_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Files that we may still make; `None` where the file system sets no such bound.
    pub available_files: Option<u64>,
}

/// An operation on a file failed. Nothing was changed by it, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// A folder on the way is a symbolic link (attack F1).
    #[error("`{path}` is a symbolic link, and the updater goes through none: replace it by a folder")]
    ParentIsLink {
        /// The link.
        path: LocalPath,
    },
    /// Something else lies where a folder belongs.
    #[error("`{path}` is not a folder, and one belongs there: move it away and try again")]
    NotAFolder {
        /// Where.
        path: LocalPath,
    },
    /// A folder, a link or a device lies where a record of the updater should be.
    #[error("`{path}` is not a file: move it away, and run `updater install` again with the install link")]
    NotARecord {
        /// Where.
        path: LocalPath,
    },
    /// The operating system refused.
    #[error("{doing} `{path}` failed: {source}")]
    Io {
        /// What was being done, such as `renaming`.
        doing: &'static str,
        /// To what.
        path: LocalPath,
        /// Why not.
        source: io::Error,
    },
    /// The state folder of an install lies where nothing can be renamed to and from.
    #[error("`{}` is not on the same volume as the install folder `{}`: name a folder that is with `--state DIR`", path.display(), folder.display())]
    OtherVolume {
        /// The state folder.
        path: std::path::PathBuf,
        /// The install folder.
        folder: std::path::PathBuf,
    },
    /// The install folder itself cannot be opened or made.
    #[error("opening the folder `{path}` failed: {source}")]
    Open {
        /// Its path.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What a station lacks when an operation fails (S3-23, S3-24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// Write right in the install folder (S3-15).
    WriteRight,
    /// Room on the disk.
    Space,
    /// A file that nobody else has open.
    Unused,
    /// A tree without links in it.
    NoLinks,
    /// A place for a folder that nothing else has.
    FreePlace,
    /// Records of its own that can be read.
    Records,
    /// A disk and folder that work.
    SoundStorage,
}

impl FsError {
    pub(crate) fn io(doing: &'static str, path: &LocalPath, source: io::Error) -> FsError {
        FsError::Io { doing, path: path.clone(), source }
    }

    /// What kind of refusal it was.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            FsError::ParentIsLink { .. } | FsError::NotARecord { .. } => io::ErrorKind::InvalidInput,
            FsError::NotAFolder { .. } => io::ErrorKind::NotADirectory,
            FsError::OtherVolume { .. } => io::ErrorKind::CrossesDevices,
            FsError::Io { source, .. } | FsError::Open { source, .. } => source.kind(),
        }
    }

    /// What the station lacked.
    pub fn requirement(&self) -> Requirement {
        use io::ErrorKind as E;
        match self.kind() {
            _ if matches!(self, FsError::ParentIsLink { .. }) => Requirement::NoLinks,
            _ if matches!(self, FsError::NotAFolder { .. }) => Requirement::FreePlace,
            _ if matches!(self, FsError::NotARecord { .. }) => Requirement::Records,
            E::PermissionDenied | E::ReadOnlyFilesystem => Requirement::WriteRight,
            E::StorageFull | E::QuotaExceeded | E::FileTooLarge => Requirement::Space,
            E::ResourceBusy | E::ExecutableFileBusy => Requirement::Unused,
            _ => Requirement::SoundStorage,
        }
    }
}

impl Requirement {
    /// The stable code, for reports and `updater explain`.
    pub const fn code(self) -> Code {
        match self {
            Requirement::WriteRight => Code::NoWriteRight,
            Requirement::Space => Code::NoSpace,
            Requirement::Unused => Code::FileInUse,
            Requirement::NoLinks => Code::LinkInTree,
            Requirement::FreePlace => Code::InTheWay,
            Requirement::Records => Code::DamagedState,
            Requirement::SoundStorage => Code::StorageError,
        }
    }
}

/// A buffer to read `file` with: no larger than it takes to see its end, since most files are small and there are many.
pub(crate) fn buffer_for(file: &File) -> io::Result<Vec<u8>> {
    let size = usize::try_from(platform::file_stat(file)?.size).unwrap_or(BUFFER_BYTES);
    Ok(vec![0; BUFFER_BYTES.min(size.saturating_add(1))])
}

/// Digest and length of what is left to read of `file`.
pub fn hash_open(file: &mut File) -> io::Result<(Digest, u64)> {
    let (mut hasher, mut length) = (Hasher::new(), 0);
    let mut buffer = buffer_for(file)?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), length)),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
