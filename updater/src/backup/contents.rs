//! What a backup says of itself, read back and checked before anything is restored from it (attack E5).
//!
//! The record tells what was there, and a file that is not that is never restored. The manifest tells what the release shipped: a managed file that was something else when the backup was made,
//! changed or damaged, comes back as it was, and is named.

use manifests::digest::Digest;
use manifests::limits::Limits;
use manifests::path::RelPath;
use manifests::release::{ConfigPolicy, Manifest};

use super::BackupError;
use super::record::{Origin, Record};
use super::rotation::Slot;
use super::slots::{Lies, folder_of, look, record_of};
use crate::fs::{Folder, LocalPath};
use crate::installed::{Installed, InstalledFile};

/// A backup, read back.
pub(crate) struct Contents {
    /// Its folder.
    pub(crate) at: LocalPath,
    pub(crate) record: Record,
    /// What was installed, and the stored manifest; `None` for a foreign backup, and when nothing was installed.
    pub(crate) release: Option<Release>,
}

/// The release that a backup is of.
pub(crate) struct Release {
    pub(crate) installed: Installed,
    pub(crate) manifest_bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
}

impl Contents {
    /// Reads the backup in `slot`.
    pub(crate) fn load(folder: &Folder, slot: Slot) -> Result<Contents, BackupError> {
        let damaged = |reason: String| BackupError::Damaged { slot, reason };
        let at = folder_of(slot);
        match look(folder, &at)? {
            Lies::Nothing => return Err(BackupError::Missing(slot)),
            Lies::NotAFolder => return Err(super::Refusal::NotAFolder(slot).into()),
            Lies::Exposed => return Err(super::Refusal::Exposed(slot).into()),
            Lies::Foreign => return Err(super::Refusal::Foreign(slot).into()),
            Lies::Damaged(damage) => return Err(damaged(damage.to_string())),
            Lies::Backup(_) => {}
        }
        let bytes = folder.read(&record_of(&at))?.unwrap_or_default();
        let record = Record::parse(&bytes).map_err(|damage| damaged(format!("its record: {damage}")))?;
        let release = match record.head.origin {
            Origin::Own => load_release(folder, slot, &at)?,
            Origin::Foreign => None,
        };
        Ok(Contents { at, record, release })
    }

    /// Whether it was made by somebody else, so that nobody can say that it is whole.
    pub(crate) fn is_foreign(&self) -> bool {
        self.record.head.origin == Origin::Foreign
    }

    /// The managed files that were not what the release shipped when the backup was made, as its record says.
    pub(crate) fn altered(&self) -> Vec<RelPath> {
        let Some(Release { installed, manifest, .. }) = &self.release else { return vec![] };
        let is_altered = |file: &&InstalledFile| {
            let released = if file.is_listed { manifest.file(&file.path).map(|file| file.sha256) } else { Some(file.sha256) };
            self.record.file(&LocalPath::from(&file.path)).is_some_and(|recorded| released != Some(recorded.sha256))
        };
        installed.files.iter().filter(is_altered).map(|file| file.path.clone()).collect()
    }

    /// The files of the release that were gone when the backup was made, but for configuration files that their user may have deleted.
    pub(crate) fn missing(&self) -> Vec<RelPath> {
        let Some(Release { installed, .. }) = &self.release else { return vec![] };
        let may_be_gone = |file: &&InstalledFile| !file.is_listed || file.policy == Some(ConfigPolicy::Keep);
        let is_missing = |file: &&InstalledFile| !may_be_gone(file) && self.record.file(&LocalPath::from(&file.path)).is_none();
        installed.files.iter().filter(is_missing).map(|file| file.path.clone()).collect()
    }

    /// Whether what it brings back can be started: its entry point was there and as released.
    pub(crate) fn can_start(&self) -> bool {
        let entry_point = self.release.as_ref().and_then(|release| release.installed.release.entry_point.as_ref());
        entry_point.is_none_or(|path| !self.missing().contains(path) && !self.altered().contains(path))
    }
}

fn load_release(folder: &Folder, slot: Slot, at: &LocalPath) -> Result<Option<Release>, BackupError> {
    let damaged = |reason: String| BackupError::Damaged { slot, reason };
    let Some(bytes) = folder.read(&at.join(".updater/installed"))? else { return Ok(None) };
    let installed = Installed::parse(&bytes).map_err(|damage| damaged(format!("its installed state: {damage}")))?;
    let manifest_bytes = folder.read(&at.join(".updater/manifest"))?.unwrap_or_default();
    if Digest::of(&manifest_bytes) != installed.release.manifest {
        return Err(damaged("its manifest is not that of the release it was made from".into()));
    }
    if manifest_bytes.is_empty() {
        // What was live had come back from a foreign backup: no release of ours.
        return Ok(None);
    }
    let manifest =
        Manifest::parse(&manifest_bytes, &installed.release.id, &Limits::default()).map_err(|error| damaged(error.to_string()))?;
    Ok(Some(Release { installed, manifest_bytes, manifest }))
}
