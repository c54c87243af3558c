//! Files that are being filled: parts of downloads in `parts/`, and new files on their way into `staging/`.
//!
//! A part keeps what was received, believed by nobody. A [`Filling`] is a temporary file that goes away by itself unless it is kept; it is kept under the digest that it was
//! found to have, so whatever has a name in `staging/` was complete and right when it got it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use manifests::digest::Digest;

use super::{Folder, FsError, LocalPath, Point, content, hash_open};
use crate::id::Id;

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
            Some(stat)
                if stat.is_file() && stat.size == size && self.folder.is_ours_alone(&stat) && self.folder.hash(&path)?.0 == *sha256 =>
            {
                Ok(true)
            }
            Some(_) => self.folder.discard(&path, Point::StageFile).map(|()| false),
        }
    }

    /// A new file of `size` bytes to be filled.
    pub fn fill(&self, size: u64) -> Result<Filling, FsError> {
        let path = LocalPath::state("staging").join(format!("filling-{}", Id::random()));
        let file = self.folder.create_file(&path, 0o600, Point::StageFile)?;
        let filling = Filling { folder: Arc::clone(&self.folder), path, file, is_kept: false };
        let failed = |source| FsError::io("making", &filling.path, source);
        content::set_length(&filling.file, size, Point::StageFile).map_err(failed)?;
        Ok(filling)
    }

    /// Keeps `filled`, which was found to have the digest `sha256`, in `staging/`.
    pub fn keep(&self, mut filled: Filling, sha256: &Digest) -> Result<(), FsError> {
        self.folder.rename(&filled.path, &Self::path(sha256), Point::StageFile)?;
        filled.is_kept = true;
        Ok(())
    }

    /// The part of the stretch `stored` of the pack `sha256`, with what was received of it before.
    pub fn part(&self, sha256: &Digest, stored: &Range<u64>) -> Result<Part, FsError> {
        let path = part_path(sha256, stored);
        let full = stored.end - stored.start;
        let mut file = self.folder.open_to_write(&path, Point::Part)?;
        let failed = |source| FsError::io("reading", &path, source);
        let mut length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if length > full {
            content::set_length(&file, 0, Point::Part).map_err(failed)?;
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
        content::write_all(&mut self.file, bytes, Point::Part).map_err(|source| FsError::io("writing", &self.path, source))?;
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
    folder: Arc<Folder>,
    path: LocalPath,
    file: File,
    is_kept: bool,
}

impl Filling {
    /// Writes `bytes` at `offset`.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        let failed = |source| FsError::io("writing into", &self.path, source);
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.and_then(|_| content::write_all(&mut self.file, bytes, Point::StageFile)).map_err(failed)
    }

    /// The digest of what the file holds now.
    pub fn digest(&mut self) -> Result<Digest, FsError> {
        let failed = |source| FsError::io("reading", &self.path, source);
        self.file.seek(SeekFrom::Start(0)).and_then(|_| hash_open(&mut self.file)).map(|(digest, _)| digest).map_err(failed)
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if !self.is_kept {
            // Should it stay, it is no more than an unknown name in `staging/`, which goes with the next update.
            let _ = self.folder.discard(&self.path, Point::StageFile);
        }
    }
}
