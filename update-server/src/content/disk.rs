//! Files below a folder, opened without following a symbolic link (attack C9).
//!
//! The folder itself may be reached through links, its content may not: each component is opened relative to the one before, and what is not a
//! plain file does not exist. All calls block; callers run them where that is allowed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[cfg(not(unix))]
#[path = "disk/portable.rs"]
mod platform;
#[cfg(unix)]
#[path = "disk/unix.rs"]
mod platform;

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// A plain file, open.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// What it was when it was opened.
    pub identity: Identity,
}

/// What changes when a file is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its length in bytes.
    pub length: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub modified: i128,
    /// Its number in the file system, where there is one.
    pub number: u64,
}

/// Why a file was not opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Nothing there, or something that is not a plain file.
    #[error("no plain file `{0}`")]
    Missing(String),
    /// Longer than the caller allows.
    #[error("`{path}` is {length} bytes long, more than {limit}")]
    TooLong {
        /// The file, relative to the folder.
        path: String,
        /// Its length.
        length: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The system refused.
    #[error("read `{path}`: {source}")]
    Failed {
        /// The file, relative to the folder.
        path: String,
        /// What it said.
        source: io::Error,
    },
}

impl Folder {
    /// The folder at `root`; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the plain file at `relative`, whose components are separated by `/` and are none of `.` and `..`.
    pub fn open(&self, relative: &str) -> Result<Opened, DiskError> {
        debug_assert!(relative.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{relative}");
        let fail = |source: io::Error| match platform::is_absence(&source) {
            true => DiskError::Missing(relative.to_owned()),
            false => DiskError::Failed { path: relative.to_owned(), source },
        };
        let file = platform::open_beneath(&self.root, relative).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        if !metadata.is_file() {
            return Err(DiskError::Missing(relative.to_owned()));
        }
        Ok(Opened { file, identity: platform::identity(&metadata) })
    }

    /// Reads the plain file at `relative`, at most `limit` bytes.
    pub fn read(&self, relative: &str, limit: u64) -> Result<(Vec<u8>, Identity), DiskError> {
        let opened = self.open(relative)?;
        let bytes = opened.read(limit).map_err(|error| error.of(relative))?;
        Ok((bytes, opened.identity))
    }
}

/// A read that failed, before it is known of which path.
pub struct ReadError(Result<u64, io::Error>, u64);

impl ReadError {
    /// The error, of the file at `relative`.
    pub fn of(self, relative: &str) -> DiskError {
        let path = relative.to_owned();
        match self.0 {
            Ok(length) => DiskError::TooLong { path, length, limit: self.1 },
            Err(source) => DiskError::Failed { path, source },
        }
    }
}

impl Opened {
    /// The whole content, at most `limit` bytes.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let length = self.identity.length;
        let capacity = usize::try_from(length).ok().filter(|_| length <= limit).ok_or(ReadError(Ok(length), limit))?;
        let mut bytes = Vec::with_capacity(capacity);
        // A file that grows while it is read is cut; its digest then does not match, or the next look finds another identity.
        (&self.file).take(length).read_to_end(&mut bytes).map_err(|source| ReadError(Err(source), limit))?;
        Ok(bytes)
    }

    /// Fills as much of `buffer` as there is from `offset` on; the number of bytes read, 0 at the end of the file.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        platform::read_at(&self.file, buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(temp.path().join("store/a/b")).unwrap();
        std::fs::write(temp.path().join("store/a/b/file"), b"inside").unwrap();
        std::fs::write(temp.path().join("secret"), b"outside").unwrap();
        let folder = Folder::new(temp.path().join("store"));
        (temp, folder)
    }

    #[test]
    fn a_plain_file_is_read_whole_up_to_the_limit() {
        let (_temp, folder) = folder();
        assert_eq!(folder.read("a/b/file", 6).unwrap().0, b"inside");
        assert!(matches!(folder.read("a/b/file", 5), Err(DiskError::TooLong { length: 6, limit: 5, .. })));
    }

    #[test]
    fn what_is_not_a_plain_file_is_missing() {
        let (_temp, folder) = folder();
        for path in ["a", "a/b", "a/b/other", "a/b/file/x", "x/y/z"] {
            assert!(matches!(folder.open(path), Err(DiskError::Missing(_))), "{path}");
        }
    }

    /// Attack C9: links inside the store lead nowhere, whether they leave it or not.
    #[cfg(unix)]
    #[test]
    fn symlinks_inside_the_store_are_not_followed() {
        use std::os::unix::fs::symlink;
        let (temp, folder) = folder();
        let store = temp.path().join("store");
        symlink("../secret", store.join("link")).unwrap();
        symlink("..", store.join("up")).unwrap();
        symlink("a", store.join("alias")).unwrap();
        for path in ["link", "up/secret", "alias/b/file"] {
            assert!(matches!(folder.open(path), Err(DiskError::Missing(_))), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_itself_may_be_a_link() {
        let (temp, _) = folder();
        std::os::unix::fs::symlink("store", temp.path().join("current")).unwrap();
        assert_eq!(Folder::new(temp.path().join("current")).read("a/b/file", 100).unwrap().0, b"inside");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_in_the_store_does_not_block_whoever_opens_it() {
        let (temp, folder) = folder();
        let pipe = temp.path().join("store/pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(matches!(folder.open("pipe"), Err(DiskError::Missing(_))));
    }
}
