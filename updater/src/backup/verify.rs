//! Compares a backup with its record, file by file, by reading: before the oldest goes (attack F10), and whenever somebody asks.

use manifests::path::RelPath;

use super::rotation::Slot;
use super::{BackupError, Contents};
use crate::fs::{self, Dir, Folder, FsError, Kind, LocalPath};
use crate::progress::{Progress, Step};
use crate::swap::operation::FileIdentity;

/// What comparing a backup with its record found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that were hashed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether somebody else made it, so that there was nothing to compare with.
    pub is_foreign: bool,
    /// Files that are missing, or not what the record says.
    pub damaged: Vec<LocalPath>,
    /// Managed files that the release did not ship so: they were changed or damaged when the backup was made.
    pub altered: Vec<RelPath>,
}

/// Hashes every file of the backup in `slot` and compares it with the record, and the record with the manifest. Of a foreign backup nothing is known to compare with.
pub fn verify(folder: &Folder, slot: Slot, progress: &dyn Progress) -> Result<Verified, BackupError> {
    let contents = Contents::load(folder, slot)?;
    let mut verified = Verified { is_foreign: contents.is_foreign(), altered: contents.altered(), ..Verified::default() };
    progress.begin(Step::BackUp, contents.record.files.len() as u64);
    let mut open = Open { folder, last: None };
    for file in &contents.record.files {
        if open.holds(&file.path.below(&contents.at), &file.identity)? {
            (verified.files, verified.bytes) = (verified.files + 1, verified.bytes + file.identity.size);
        } else {
            verified.damaged.push(file.path.clone());
        }
        progress.advance(1);
    }
    for (path, target) in &contents.record.links {
        let at = path.below(&contents.at);
        let is_link = folder.stat(&at)?.is_some_and(|stat| stat.kind == Kind::Link);
        if !is_link || folder.read_link(&at)? != *target {
            verified.damaged.push(path.clone());
        }
    }
    for path in &contents.record.folders {
        if !folder.stat(&path.below(&contents.at))?.is_some_and(|stat| stat.is_folder()) {
            verified.damaged.push(path.clone());
        }
    }
    verified.damaged.sort();
    verified.damaged.dedup();
    Ok(verified)
}

/// The folder of the file that was looked at last: a record is sorted, so that the next one mostly lies there, too.
struct Open<'f> {
    folder: &'f Folder,
    last: Option<(LocalPath, Option<Dir>)>,
}

impl Open<'_> {
    /// Whether the file `path` is `wanted`; looked at and read through one handle.
    fn holds(&mut self, path: &LocalPath, wanted: &FileIdentity) -> Result<bool, FsError> {
        let Some((parent, name)) = path.split() else { return Ok(false) };
        if self.last.as_ref().is_none_or(|(last, _)| *last != parent) {
            let found = self.folder.find_folder(&parent)?;
            self.last = Some((parent, found));
        }
        let Some((_, Some(folder))) = &self.last else { return Ok(false) };
        // A link or a folder in its place cannot be opened as a file.
        let Ok(mut file) = folder.open_file(name) else { return Ok(false) };
        let failed = |source| FsError::io("reading", path, source);
        let looks_right = wanted.looks_like(&fs::file_stat(&file).map_err(failed)?);
        Ok(looks_right && fs::hash_open(&mut file).map_err(failed)?.0 == wanted.sha256)
    }
}
