//! Backups: `bkp_remote.001` to `.003`, the folder as it was before each of the last three changes (S3-20 to S3-22).
//!
//! A backup is made before the swap under the name `.updater/backup`, gets its number only when the swap commits, and is never written to again: its files are linked, renamed or
//! unlinked. [`rotation`] decides who goes where.

mod contents;
mod make;
mod record;
pub mod rotation;
mod slots;
mod verify;

use std::collections::BTreeMap;

use manifests::channel::Place;
use manifests::path::RelPath;
use manifests::time::UtcTime;

use crate::fs::{Folder, FsError, LocalPath, Point, Requirement, write_all};
use crate::history::{Attempt, BuildAt};
use crate::id::Id;
use crate::installed::{Damaged, Installed, InstalledRelease};
use crate::progress::{Progress, Silent, Step};
use crate::ratchet::Ratchet;
use crate::swap::operation::Identity;
pub(crate) use contents::Contents;
use make::{Known, Maker, Source};
use record::{Head, Origin, Record};
use rotation::{Occupant, Refusal, Slot, Slots, Standing, rotate};
use slots::{Lies, folder_of, look, record_of};
pub(crate) use slots::{new_backup, settle};
pub use verify::{Verified, verify};

/// A backup, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its slot.
    pub slot: Slot,
    /// What it is.
    pub kind: BackupKind,
    /// The release that it holds, when it is our own and can say so.
    pub release: Option<InstalledRelease>,
    /// What the folder that somebody else made was recognised as, by its files.
    pub recognised: Option<BuildAt>,
}

/// What lies in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupKind {
    /// Made by us.
    Own {
        /// The attempt that made it.
        id: Id,
        /// When.
        made: UtcTime,
    },
    /// A foreign folder that was taken into the rotation: unverified.
    Adopted {
        /// Its id.
        id: Id,
        /// When it was taken in.
        made: UtcTime,
    },
    /// A folder that we know nothing of.
    Foreign,
    /// A folder that others can change, so that nothing in it is believed.
    Exposed,
    /// A backup whose record is damaged.
    Damaged(Damaged),
    /// A file, link or other thing.
    NotAFolder,
}

/// What a backup of the folder as it is would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Files that become links to an earlier backup.
    pub linked_files: u64,
    /// Files that the swap moves there.
    pub moved_files: u64,
    /// Files that must be copied.
    pub copied_files: u64,
    /// Bytes of the files that must be copied: the room that the backup needs.
    pub copied_bytes: u64,
}

/// Something about backups failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The slots are not as they should be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is nothing under this number.
    #[error("there is no backup `{0}`: see `updater backups`")]
    Missing(Slot),
    /// The record, or what is beside it, cannot be used.
    #[error("`{slot}` is damaged: {reason}")]
    Damaged {
        /// The backup.
        slot: Slot,
        /// How.
        reason: String,
    },
    /// Too little room for the backup.
    #[error("the backup needs {needed_bytes} bytes, and {available_bytes} are free: make room and try again")]
    NoSpace {
        /// Bytes needed.
        needed_bytes: u64,
        /// Bytes free.
        available_bytes: u64,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl BackupError {
    /// What the station lacked, for the report (S3-24).
    pub fn requirement(&self) -> Option<Requirement> {
        match self {
            BackupError::Fs(error) => Some(error.requirement()),
            BackupError::NoSpace { .. } => Some(Requirement::Space),
            _ => None,
        }
    }
}

/// The backups of `folder`, oldest first. Nothing is hashed.
pub fn backups(folder: &Folder) -> Result<Vec<Backup>, BackupError> {
    let mut found = vec![];
    for slot in Slot::ALL {
        found.extend(backup_in(folder, slot)?);
    }
    Ok(found)
}

/// Whether what the backup in `slot` brings back can be started, as far as its record says.
pub(crate) fn can_start(folder: &Folder, slot: Slot) -> bool {
    Contents::load(folder, slot).is_ok_and(|contents| contents.can_start())
}

fn backup_in(folder: &Folder, slot: Slot) -> Result<Option<Backup>, BackupError> {
    let at = folder_of(slot);
    let mut recognised = None;
    let kind = match look(folder, &at)? {
        Lies::Nothing => return Ok(None),
        Lies::Backup(head) => {
            recognised = head.recognised;
            match head.origin {
                Origin::Own => BackupKind::Own { id: head.id, made: head.made },
                Origin::Foreign => BackupKind::Adopted { id: head.id, made: head.made },
            }
        }
        Lies::Foreign => BackupKind::Foreign,
        Lies::Exposed => BackupKind::Exposed,
        Lies::Damaged(damage) => BackupKind::Damaged(damage),
        Lies::NotAFolder => BackupKind::NotAFolder,
    };
    let release = match kind {
        // What cannot be read is not known here; `verify` says why. Nor is what had come back from a foreign backup.
        BackupKind::Own { .. } => Installed::load_from(folder, &at.join(".updater/installed"))
            .ok()
            .flatten()
            .map(|installed| installed.release)
            .filter(|release| release.place != Place(0, 0)),
        _ => None,
    };
    Ok(Some(Backup { slot, kind, release, recognised }))
}

/// Takes the foreign or damaged folder in `slot` into the rotation, as unverified (D-20). A backup that is known already stays as it is.
pub fn adopt(folder: &Folder, slot: Slot, now: UtcTime) -> Result<Backup, BackupError> {
    let at = folder_of(slot);
    match look(folder, &at)? {
        Lies::Nothing => return Err(BackupError::Missing(slot)),
        Lies::NotAFolder => return Err(Refusal::NotAFolder(slot).into()),
        // What root writes there would say nothing: whoever can change the folder puts something else in its place.
        Lies::Exposed => return Err(Refusal::Exposed(slot).into()),
        Lies::Backup(_) => {}
        Lies::Foreign | Lies::Damaged(_) => {
            let record = Record::new(Head { id: Id::random(), made: now, origin: Origin::Foreign, recognised: None });
            folder.make_folder(&at.join(".updater"), Point::BackupAdopt)?;
            folder.write_durably(&record_of(&at), &record.to_bytes(), Point::BackupAdopt)?;
        }
    }
    backup_in(folder, slot)?.ok_or(BackupError::Missing(slot))
}

/// Writes down what the adopted backup in `slot` was recognised as. Any other stays as it is.
pub fn recognise(folder: &Folder, slot: Slot, build: BuildAt) -> Result<(), BackupError> {
    let at = folder_of(slot);
    if let Lies::Backup(head @ Head { origin: Origin::Foreign, .. }) = look(folder, &at)? {
        let record = Record::new(Head { recognised: Some(build), ..head });
        folder.write_durably(&record_of(&at), &record.to_bytes(), Point::BackupAdopt)?;
    }
    Ok(())
}

/// What a backup would take now, when a swap moves `moved` away.
pub fn estimate<'p>(
    folder: &Folder,
    installed: Option<&Installed>,
    moved: impl IntoIterator<Item = &'p RelPath>,
) -> Result<Estimate, BackupError> {
    // Only the paths count here; what lies there is found out when the backup is made.
    let moved = moved.into_iter().map(|path| (path.into(), Identity::Link(String::new()))).collect();
    let known = Known { installed, moved: &moved, sources: sources(folder, &BTreeMap::new())? };
    let record = Record::new(Head { id: Id::random(), made: UtcTime::from_unix(0), origin: Origin::Own, recognised: None });
    Ok(Maker::new(folder, &known, record, &Silent).count()?)
}

/// A backup that was made and waits for its number.
pub(crate) struct Made {
    /// Where every backup is to be.
    pub(crate) slots: Slots,
    /// What people should know: files that could not be read, backups that are damaged.
    pub(crate) warnings: Vec<String>,
}

/// Whether a backup can get a slot at all; refused when the slots are not as they should be. Which one goes for it is decided when it is made.
pub fn check_slots(folder: &Folder) -> Result<(), BackupError> {
    rotate(&slots::occupants(folder)?, None, Id::random(), |_| Standing::Whole)?;
    Ok(())
}

/// What the slots shall be when a backup `id` comes. When an earlier one has to go for it, they are read, the newest first, until one is found whole (attack F10). `damaged` takes the slots
/// of those that are not, and what is wrong with them.
fn plan_slots(
    folder: &Folder,
    id: Id,
    consumed: Option<Id>,
    progress: &dyn Progress,
    damaged: &mut BTreeMap<Slot, String>,
) -> Result<Slots, BackupError> {
    let standing = |slot| match verify(folder, slot, progress) {
        Ok(verified) => match verified.damaged.first() {
            Some(first) => {
                damaged.insert(slot, format!("{} of its files are missing or changed, such as `{first}`", verified.damaged.len()));
                Standing::Damaged
            }
            None if verified.is_foreign => Standing::Foreign,
            None => Standing::Whole,
        },
        // What cannot be read cannot be restored either.
        Err(error) => {
            damaged.insert(slot, error.to_string());
            Standing::Damaged
        }
    };
    let mut found = slots::occupants(folder)?;
    // What a damaged ratchet forgot counts as one that lived.
    let ratchet = Ratchet::load(folder).unwrap_or_default();
    for (slot, occupant) in Slot::ALL.into_iter().zip(&mut found).filter(|_| !ratchet.blocked.is_empty()) {
        if let Occupant::Known(id) = *occupant
            && let Some(release) = backup_in(folder, slot)?.and_then(|backup| backup.release)
            && ratchet.is_blocked(&release.manifest)
        {
            *occupant = Occupant::Dead(id);
        }
    }
    Ok(rotate(&found, consumed, id, standing)?)
}

/// Makes the backup of the attempt `of` in `.updater/backup`, durably. What the swap is to move away is only recorded. Where nothing is installed, what the attempt comes from was recognised.
pub(crate) fn make(
    folder: &Folder,
    of: &Attempt,
    consumed: Option<Id>,
    moved: &BTreeMap<LocalPath, Identity>,
    progress: &dyn Progress,
) -> Result<Made, BackupError> {
    let Attempt { id, time: made, ref from, .. } = *of;
    let mut damaged = BTreeMap::new();
    let slots = plan_slots(folder, id, consumed, progress, &mut damaged)?;
    // A damaged installed state is none: then every file is read.
    let installed = Installed::load(folder).ok().flatten();
    progress.begin(Step::BackUp, installed.as_ref().map_or(0, |installed| installed.files.len() as u64));
    let known = Known { installed: installed.as_ref(), moved, sources: sources(folder, &damaged)? };
    let recognised = from.clone().filter(|_| installed.is_none());
    let record = Record::new(Head { id, made, origin: Origin::Own, recognised });
    let (record, mut warnings) = match Maker::new(folder, &known, record.clone(), progress).make() {
        Err(error) if error.requirement() == Requirement::Space => {
            // What was copied so far takes room itself: gone first, so that the numbers say what is missing.
            folder.discard(&new_backup(), Point::TrashIn)?;
            folder.empty_trash()?;
            let needed_bytes = Maker::new(folder, &known, record, &Silent).count()?.copied_bytes;
            let available_bytes = folder.space()?.available_bytes;
            // A quota, or a disk that takes no more files, is not told by the free bytes.
            return Err(if needed_bytes > available_bytes { BackupError::NoSpace { needed_bytes, available_bytes } } else { error.into() });
        }
        made => made?,
    };
    let state = new_backup().join(".updater");
    folder.make_folder(&state, Point::BackupRecord)?;
    let add = |name: &str, bytes: &[u8]| -> Result<(), FsError> {
        let path = state.join(name);
        let mut file = folder.create_file(&path, 0o644, Point::BackupRecord)?;
        write_all(&mut file, bytes, Point::BackupRecord).map_err(|source| FsError::io("writing", &path, source))
    };
    // A state that cannot be read would make the backup one that cannot be restored: it says nothing instead.
    for name in ["installed", "manifest"].into_iter().filter(|_| installed.is_some()) {
        if let Some(bytes) = folder.read(&LocalPath::state(name))? {
            add(name, &bytes)?;
        }
    }
    add("files", &record.to_bytes())?;
    folder.sync_tree(&new_backup(), Point::BackupSync)?;
    warnings.extend(damaged.iter().map(|(slot, why)| format!("`{slot}` cannot be gone back to: {why}")));
    Ok(Made { slots, warnings })
}

/// Our own backups that files may be linked to, the newest first. One that is known to be damaged lends nothing, so that the new one is whole.
fn sources(folder: &Folder, damaged: &BTreeMap<Slot, String>) -> Result<Vec<Source>, FsError> {
    let mut sources = vec![];
    for slot in Slot::ALL.into_iter().rev().filter(|slot| !damaged.contains_key(slot)) {
        let at = folder_of(slot);
        if matches!(look(folder, &at)?, Lies::Backup(Head { origin: Origin::Own, .. })) {
            sources.push(Source::new(at));
        }
    }
    Ok(sources)
}
