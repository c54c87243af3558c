//! Whether the disk has room for what is about to be made: asked before anything is fetched, staged or copied (AC-42, S3-24). Bytes and files: many file systems take only so many of either.

use crate::fs::Space;

/// Room that is left free beside what is needed, in bytes: folders, journal and records.
const SPARE_BYTES: u64 = 1 << 20;
/// Files that may still be made beside those that are needed: the same, on a file system that has only so many.
const SPARE_FILES: u64 = 64;

/// What is about to be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needed {
    /// Bytes of downloads, new files and the backup.
    pub bytes: u64,
    /// Files that are staged and copied.
    pub files: u64,
}

/// There is no room. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// For the bytes.
    #[error("{needed_bytes} bytes are needed on this disk, and {available_bytes} are free; nothing was changed. Make room and try again")]
    Bytes {
        /// Needed.
        needed_bytes: u64,
        /// Free.
        available_bytes: u64,
    },
    /// For more files.
    #[error(
        "{needed_files} files are made, and this disk takes {available_files} more; nothing was changed. Delete files that nobody needs and try again"
    )]
    Files {
        /// Needed.
        needed_files: u64,
        /// That the disk still takes.
        available_files: u64,
    },
    /// What was asked for was there and is not: somebody else filled the disk, a quota counts what free bytes do not tell, or small files took more than they hold.
    #[error(
        "{doing}. The disk is full, or a quota is used up: {needed_bytes} bytes are needed in all; the client is as it was. Make room and try again"
    )]
    UsedUp {
        /// What was being done, to which file, and what the system said.
        doing: String,
        /// Needed, what was written meanwhile included.
        needed_bytes: u64,
    },
}

impl Needed {
    /// The same, with something to spare for what is not counted.
    pub fn with_spare(self) -> Needed {
        Needed { bytes: self.bytes + SPARE_BYTES, files: self.files + SPARE_FILES }
    }

    /// Whether it fits into `space`.
    pub fn fits(self, space: &Space) -> Result<(), NoRoom> {
        let (Needed { bytes: needed_bytes, files: needed_files }, available_bytes) = (self, space.available_bytes);
        match space.available_files {
            _ if needed_bytes > available_bytes => Err(NoRoom::Bytes { needed_bytes, available_bytes }),
            Some(available_files) if needed_files > available_files => Err(NoRoom::Files { needed_files, available_files }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_42_bytes_and_files_are_counted() {
        let space = |available_bytes, available_files| Space { available_bytes, total_bytes: 100, available_files };
        let needed = Needed { bytes: 10, files: 2 };
        assert_eq!(needed.fits(&space(10, None)), Ok(()));
        assert_eq!(needed.fits(&space(10, Some(2))), Ok(()));
        assert_eq!(needed.fits(&space(9, None)), Err(NoRoom::Bytes { needed_bytes: 10, available_bytes: 9 }));
        assert_eq!(needed.fits(&space(10, Some(1))), Err(NoRoom::Files { needed_files: 2, available_files: 1 }));
        let with_spare = needed.with_spare();
        assert!(with_spare.bytes > needed.bytes && with_spare.files > needed.files);
    }
}
