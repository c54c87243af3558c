//! Files that are being filled: parts of downloads in `parts/`, and new files on their way into `staging/`.
//!
//! A part keeps what was received, believed by nobody. A [`Filling`] is a temporary file that goes away by itself unless it is kept; it is kept under the digest that it was
//! found to have, so whatever has a name in `staging/` was complete and right when it got it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::Arc;

use manifests::digest::Digest;
use tempfile::NamedTempFile;

use super::{Folder, FsError, LocalPath, Point, fault, hash_open};

/// `parts/` and `staging/` of an install folder.
#[derive(Debug, Clone)]
pub struct Staging {
    folder: Arc<Folder>,
}

impl Staging {
    /// Those of `folder`, whose state folders exist.
    pub fn new(folder: Arc<Folder>) -> Staging {
        Staging { folder }
    }

    /// Where the content `sha256` is staged.
    pub fn path(sha256: &Digest) -> LocalPath {
        LocalPath::state("staging").join(sha256.to_hex())
    }

    /// Whether the content is staged; what has its name and not its digest is discarded.
    pub fn has_verified(&self, sha256: &Digest, size: u64) -> Result<bool, FsError> {
        let path = Self::path(sha256);
        match self.folder.stat(&path)? {
            None => Ok(false),
            Some(stat) if stat.is_file() && stat.size == size && self.folder.hash(&path)?.0 == *sha256 => Ok(true),
            Some(_) => self.folder.discard(&path, Point::StageFile).map(|()| false),
        }
    }

    /// A new file of `size` bytes to be filled.
    pub fn fill(&self, size: u64) -> Result<Filling, FsError> {
        let path = LocalPath::state("staging");
        let failed = |source| FsError::io("making a file in", &path, source);
        fault::pass(Point::StageFile).map_err(failed)?;
        // Made by path, kept by handle: should the path lead elsewhere by now, the rename in `keep` finds nothing.
        let file = tempfile::Builder::new().prefix("filling-").tempfile_in(self.folder.state_path().join("staging")).map_err(failed)?;
        file.as_file().set_len(size).map_err(failed)?;
        Ok(Filling { file })
    }

    /// Keeps `filled`, which was found to have the digest `sha256`, in `staging/`.
    pub fn keep(&self, filled: Filling, sha256: &Digest) -> Result<(), FsError> {
        let to = Self::path(sha256);
        let failed = |source: io::Error| FsError::io("keeping", &to, source);
        let name = filled.file.path().file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
        self.folder.rename(&LocalPath::state("staging").join(name), &to, Point::StageFile)?;
        filled.file.keep().map(drop).map_err(|error| failed(error.error))
    }

    /// The part of the stretch `stored` of the pack `sha256`, with what was received of it before.
    pub fn part(&self, sha256: &Digest, stored: &Range<u64>) -> Result<Part, FsError> {
        let path = part_path(sha256, stored);
        let full = stored.end - stored.start;
        let mut file = self.folder.open_to_write(&path, Point::Part)?;
        let failed = |source| FsError::io("reading", &path, source);
        let mut length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length > full {
            file.set_len(0).map_err(failed)?;
            length = 0;
        }
        Ok(Part { folder: Arc::clone(&self.folder), path, file, length })
    }

    /// Drops a part whose files are made.
    pub fn drop_part(&self, sha256: &Digest, stored: &Range<u64>) -> Result<(), FsError> {
        self.folder.discard(&part_path(sha256, stored), Point::Part)
    }
}

fn part_path(sha256: &Digest, stored: &Range<u64>) -> LocalPath {
    LocalPath::state("parts").join(format!("{sha256}-{}-{}", stored.start, stored.end - 1))
}

/// What was received of a stretch of a pack.
#[derive(Debug)]
pub struct Part {
    folder: Arc<Folder>,
    path: LocalPath,
    file: File,
    length: u64,
}

impl Part {
    /// Bytes received.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds what arrived.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), FsError> {
        fault::write_all(&mut self.file, bytes, Point::Part).map_err(|source| FsError::io("writing", &self.path, source))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The bytes `range` of the stretch, all of them received.
    pub fn read(&self, range: Range<u64>) -> Result<Vec<u8>, FsError> {
        let failed = |source| FsError::io("reading", &self.path, source);
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    }

    /// Throws the part away: it is not what it should be.
    pub fn discard(self) -> Result<(), FsError> {
        self.folder.discard(&self.path, Point::Part)
    }
}

/// A file that is being filled; it goes away unless it is kept.
#[derive(Debug)]
pub struct Filling {
    file: NamedTempFile,
}

impl Filling {
    /// Writes `bytes` at `offset`.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        let failed = |source| FsError::io("writing into", &LocalPath::state("staging"), source);
        fault::pass(Point::StageFile).map_err(failed)?;
        let file = self.file.as_file_mut();
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes)).map_err(failed)
    }

    /// The digest of what the file holds now.
    pub fn digest(&mut self) -> Result<Digest, FsError> {
        let failed = |source| FsError::io("reading", &LocalPath::state("staging"), source);
        let file = self.file.as_file_mut();
        file.seek(SeekFrom::Start(0)).and_then(|_| hash_open(file)).map(|(digest, _)| digest).map_err(failed)
    }
}
