//! Reads a folder: what is in it, and the digest of every file.
//!
//! Links are never followed, so nothing outside the folder is read. Nothing is judged here: whatever was found goes to [`crate::publish::lint`], strange things included.

use std::fs::{self, File, Metadata};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use crate::digest::{Digest, Hasher};
use crate::path::RelPath;
use crate::publish::disk::{DiskError, failed};
use crate::publish::keys::{MAX_KEY_FILE_BYTES, could_be_key, is_private_key};
use crate::publish::progress::{Progress, Stage};
use crate::release::LinkEntry;
use crate::time::FileTime;

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where, `/`-separated; bytes that are not Unicode stand as U+FFFD.
    pub path: String,
    /// What.
    pub kind: FoundKind,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundKind {
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its modification time, in whole seconds since 1970 UTC, rounded down.
        mtime: i64,
        /// Whether its owner may execute it.
        exec: bool,
    },
    /// A symbolic link.
    Link {
        /// What it holds; `None` when that is not Unicode.
        target: Option<String>,
    },
    /// A folder.
    Directory {
        /// Whether nothing is in it.
        empty: bool,
    },
    /// A socket, pipe or device.
    Special,
    /// Something whose name is not Unicode.
    NotUnicode,
    /// A file or folder that could not be opened, with the reason.
    Unreadable(String),
}

/// Those of `found` below `folder` that hold a private key, whatever they are called. Only files of at most [`MAX_KEY_FILE_BYTES`] are opened; one that cannot be read is found out when it is
/// hashed.
pub fn private_keys(folder: &Path, found: &[Found]) -> Vec<String> {
    let is_small = |entry: &&Found| matches!(entry.kind, FoundKind::File { size, .. } if size <= MAX_KEY_FILE_BYTES as u64);
    let is_key =
        |entry: &&Found| could_be_key(&folder.join(&entry.path)).is_ok_and(|bytes| bytes.is_some_and(|bytes| is_private_key(&bytes)));
    found.par_iter().filter(is_small).filter(is_key).map(|entry| entry.path.clone()).collect()
}

/// Lists everything below `folder`, by path. Fails only when `folder` itself cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<Found>, DiskError> {
    let mut found = Vec::new();
    let mut pending = vec![(folder.to_owned(), String::new())];
    while let Some((path, relative)) = pending.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if relative.is_empty() => return Err(failed("list", &path)(error)),
            Err(error) => {
                found.push(Found { path: relative, kind: FoundKind::Unreadable(error.to_string()) });
                continue;
            }
        };
        let mut empty = true;
        for entry in entries {
            empty = false;
            let entry = entry.map_err(failed("list", &path))?;
            let name = entry.file_name();
            let below = if relative.is_empty() { name.to_string_lossy().into() } else { format!("{relative}/{}", name.to_string_lossy()) };
            let kind = match entry.metadata() {
                _ if name.to_str().is_none() => FoundKind::NotUnicode,
                Err(error) => FoundKind::Unreadable(error.to_string()),
                Ok(metadata) if metadata.is_dir() => {
                    pending.push((entry.path(), below));
                    continue;
                }
                Ok(metadata) => kind_of(&entry.path(), &metadata),
            };
            found.push(Found { path: below, kind });
        }
        if !relative.is_empty() {
            found.push(Found { path: relative, kind: FoundKind::Directory { empty } });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn kind_of(path: &Path, metadata: &Metadata) -> FoundKind {
    if metadata.is_symlink() {
        return match fs::read_link(path) {
            Ok(target) => FoundKind::Link { target: target.to_str().map(str::to_owned) },
            Err(error) => FoundKind::Unreadable(error.to_string()),
        };
    }
    if !metadata.is_file() {
        return FoundKind::Special;
    }
    match File::open(path) {
        Ok(_) => FoundKind::File { size: metadata.len(), mtime: mtime(metadata), exec: is_executable(metadata) },
        Err(error) => FoundKind::Unreadable(error.to_string()),
    }
}

fn mtime(metadata: &Metadata) -> i64 {
    metadata.modified().map_or(0, whole_seconds)
}

/// Rounded down, also before 1970.
fn whole_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -seconds - i64::from(before.subsec_nanos() > 0)
        }
    }
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

/// File systems without modes cannot say; releases for systems that have them are better published there, or from a zip made there.
#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

/// A folder that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The files, by path.
    pub files: Vec<HashedFile>,
    /// The links, by path.
    pub links: Vec<LinkEntry>,
    /// The folders that hold nothing, by path.
    pub directories: Vec<RelPath>,
}

/// A file with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFile {
    /// Where it is.
    pub path: RelPath,
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time, within the range of [`FileTime`].
    pub mtime: FileTime,
    /// Whether it is executable.
    pub exec: bool,
    /// Digest of its content.
    pub sha256: Digest,
}

/// A folder could not be read as it was listed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A file was written, replaced or removed meanwhile.
    #[error("`{0}` changed while it was being published: publish again when nothing writes to the folder")]
    Changed(String),
    /// What lint should have refused.
    #[error("`{0}` cannot be in a release")]
    Unfit(String),
    /// A file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Hashes every file of `found`, which [`list`] found in `folder` and lint accepted, on all cores; memory is one buffer per core.
pub fn hash(folder: &Path, found: &[Found], progress: &dyn Progress) -> Result<Tree, ScanError> {
    let path_of = |found: &Found| found.path.parse::<RelPath>().map_err(|_| ScanError::Unfit(found.path.clone()));
    let mut tree = Tree { files: vec![], links: vec![], directories: vec![] };
    let mut files = Vec::new();
    for entry in found {
        match &entry.kind {
            FoundKind::File { size, mtime, exec } => files.push((path_of(entry)?, *size, *mtime, *exec)),
            FoundKind::Link { target: Some(target) } => tree.links.push(LinkEntry { path: path_of(entry)?, target: target.clone() }),
            FoundKind::Directory { empty: true } => tree.directories.push(path_of(entry)?),
            FoundKind::Directory { empty: false } => {}
            _ => return Err(ScanError::Unfit(entry.path.clone())),
        }
    }
    progress.begin(Stage::Reading, files.iter().map(|file| file.1).sum());
    let hashed = files.into_par_iter().map(|(path, size, mtime, exec)| {
        let hashed = gone_is_changed(hash_file(&below(folder, &path), size, progress), &path)?;
        let sha256 = hashed.ok_or_else(|| ScanError::Changed(path.to_string()))?;
        Ok(HashedFile { path, size, mtime: FileTime::clamped(mtime), exec, sha256 })
    });
    tree.files = hashed.collect::<Result<_, ScanError>>()?;
    tree.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(tree)
}

/// A file that was listed and is not there any more has changed.
pub(crate) fn gone_is_changed<T>(result: Result<T, DiskError>, path: &RelPath) -> Result<T, ScanError> {
    result.map_err(|error| match error.source.kind() {
        std::io::ErrorKind::NotFound => ScanError::Changed(path.to_string()),
        _ => error.into(),
    })
}

/// The digest of a file, or `None` when it has not `size` bytes.
fn hash_file(path: &Path, size: u64, progress: &dyn Progress) -> Result<Option<Digest>, DiskError> {
    let file = File::open(path).map_err(failed("open", path))?;
    let mut reader = BufReader::with_capacity(usize::try_from(size.clamp(1, 256 * 1024)).unwrap_or(256 * 1024), file);
    let mut hasher = Hasher::new();
    let mut read = 0;
    loop {
        let piece = reader.fill_buf().map_err(failed("read", path))?;
        if piece.is_empty() {
            return Ok((read == size).then(|| hasher.finish()));
        }
        let count = piece.len();
        hasher.update(piece);
        read += count as u64;
        progress.advance(count as u64);
        reader.consume(count);
    }
}

/// Where `path` lies in `folder`.
pub(crate) fn below(folder: &Path, path: &RelPath) -> PathBuf {
    let mut place = folder.to_owned();
    place.extend(path.components());
    place
}

/// The first path at which two listings of one folder differ.
pub fn first_difference(before: &[Found], after: &[Found]) -> Option<String> {
    let differing =
        before.iter().zip(after).find(|(before, after)| before != after).map(|(before, after)| before.path.clone().min(after.path.clone()));
    differing.or_else(|| before.get(after.len()).or_else(|| after.get(before.len())).map(|found| found.path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::progress::Silent;
    use std::time::Duration;

    #[test]
    fn everything_is_found_once_and_empty_folders_are_marked() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/x"), b"12").unwrap();
        fs::write(folder.path().join("zero"), b"").unwrap();
        let found = list(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(names, ["a", "a/b", "a/x", "zero"]);
        assert_eq!(found[0].kind, FoundKind::Directory { empty: false });
        let tree = hash(folder.path(), &found, &Silent).unwrap();
        assert_eq!(tree.files[0].sha256, Digest::of(b"12"));
        assert_eq!(tree.files[1].size, 0);
        assert_eq!(tree.directories.len(), 1);
    }

    #[test]
    fn ac_15_times_before_1970_round_down() {
        assert_eq!(whole_seconds(UNIX_EPOCH - Duration::from_millis(1)), -1);
        assert_eq!(whole_seconds(UNIX_EPOCH - Duration::from_secs(1)), -1);
        assert_eq!(whole_seconds(UNIX_EPOCH + Duration::from_millis(1999)), 1);
    }

    #[test]
    fn a_file_that_grew_since_it_was_listed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), b"12").unwrap();
        let found = list(folder.path()).unwrap();
        fs::write(folder.path().join("x"), b"123").unwrap();
        assert!(matches!(hash(folder.path(), &found, &Silent), Err(ScanError::Changed(path)) if path == "x"));
        assert_eq!(first_difference(&found, &list(folder.path()).unwrap()), Some("x".into()));
    }
}
