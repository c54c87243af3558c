//! The folders of the slots: what lies in them, and bringing them to where a committed swap wants them.
//!
//! A backup is known by the id in its record, never by its name, so bringing them into place can be repeated from any state: a name that another backup holds is vacated through
//! `trash/slot-<id>`, and whatever is there already stays.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::record::Head;
use super::rotation::{MOST, Occupant, Slot, Slots};
use crate::fs::{Folder, FsError, LocalPath, Point, SLOT_PREFIX};
use crate::id::Id;
use crate::lines::Damaged;

/// Where a new backup is made.
pub(crate) fn new_backup() -> LocalPath {
    LocalPath::state("backup")
}

/// The folder of `slot`.
pub(crate) fn folder_of(slot: Slot) -> LocalPath {
    LocalPath::root().join(slot.folder_name())
}

/// The record of the backup in `backup`.
pub(crate) fn record_of(backup: &LocalPath) -> LocalPath {
    backup.join(".updater/files")
}

/// What lies under a backup's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lies {
    Nothing,
    Backup(Head),
    Foreign,
    /// Others can change it, or what it says of itself: it is not believed (attack F4).
    Exposed,
    Damaged(Damaged),
    NotAFolder,
}

/// What lies at `path`. Only the first line of a record is read.
pub(crate) fn look(folder: &Folder, path: &LocalPath) -> Result<Lies, FsError> {
    match folder.stat(path)? {
        None => return Ok(Lies::Nothing),
        Some(stat) if !stat.is_folder() => return Ok(Lies::NotAFolder),
        Some(stat) if !folder.is_ours_alone(&stat) => return Ok(Lies::Exposed),
        Some(_) => {}
    }
    let record = record_of(path);
    match is_exposed(folder, path) {
        Ok(true) => return Ok(Lies::Exposed),
        // A link or another thing where the record should be: not made by us.
        Err(FsError::ParentIsLink { .. }) => return Ok(Lies::Foreign),
        found => drop(found?),
    }
    match folder.stat(&record) {
        Ok(None) => return Ok(Lies::Foreign),
        Ok(Some(stat)) if stat.is_file() => {}
        Ok(Some(_)) => return Ok(Lies::Foreign),
        Err(error) => return Err(error),
    }
    let mut start = vec![];
    folder.open_file(&record)?.take(1024).read_to_end(&mut start).map_err(|source| FsError::io("reading", &record, source))?;
    let line = start.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    Ok(match line.ok_or(Damaged::End).and_then(Head::parse) {
        Ok(head) => Lies::Backup(head),
        Err(damage) => Lies::Damaged(damage),
    })
}

/// Whether others can change what the backup `path` says of itself.
fn is_exposed(folder: &Folder, path: &LocalPath) -> Result<bool, FsError> {
    for said in [".updater", ".updater/files", ".updater/installed", ".updater/manifest"] {
        if folder.stat(&path.join(said))?.is_some_and(|stat| !folder.is_ours_alone(&stat)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What lies in each slot, oldest first.
pub(crate) fn occupants(folder: &Folder) -> Result<[Occupant; MOST], FsError> {
    let mut found = [const { Occupant::Nothing }; MOST];
    for (slot, found) in Slot::ALL.into_iter().zip(&mut found) {
        *found = match look(folder, &folder_of(slot))? {
            Lies::Nothing => Occupant::Nothing,
            Lies::Backup(head) => Occupant::Known(head.id),
            Lies::Foreign => Occupant::Foreign,
            Lies::Exposed => Occupant::Exposed,
            Lies::Damaged(_) => Occupant::Damaged,
            Lies::NotAFolder => Occupant::NotAFolder,
        };
    }
    Ok(found)
}

/// Brings every backup to where `slots` wants it. A stranger under a name that is needed goes to `found/`, and a backup that somebody took away meanwhile is not missed.
pub(crate) fn settle(folder: &Folder, slots: &Slots, found: &LocalPath) -> Result<(), FsError> {
    let wanted: BTreeMap<Slot, Id> = slots.keep.iter().chain([&slots.new]).map(|(id, slot)| (*slot, *id)).collect();
    for slot in Slot::ALL {
        let path = folder_of(slot);
        match look(folder, &path)? {
            Lies::Nothing => {}
            Lies::Backup(head) if wanted.get(&slot) == Some(&head.id) => {}
            Lies::Backup(head) => {
                let waiting = waiting(head.id);
                if folder.stat(&waiting)?.is_some() {
                    // Somebody made a copy of this backup: one of them is enough.
                    folder.discard(&path, Point::CommitSlot)?;
                } else {
                    folder.rename_new(&path, &waiting, Point::CommitSlot)?;
                }
            }
            Lies::Foreign | Lies::Exposed | Lies::Damaged(_) | Lies::NotAFolder if wanted.contains_key(&slot) => {
                folder.set_aside(&path, &found.join(slot.folder_name()))?;
            }
            Lies::Foreign | Lies::Exposed | Lies::Damaged(_) | Lies::NotAFolder => {}
        }
    }
    for (slot, id) in wanted {
        let path = folder_of(slot);
        if folder.stat(&path)?.is_some() {
            continue;
        }
        let from = if folder.stat(&waiting(id))?.is_some() { waiting(id) } else { new_backup() };
        if matches!(look(folder, &from)?, Lies::Backup(head) if head.id == id) {
            folder.rename_new(&from, &path, Point::CommitSlot)?;
        }
    }
    folder.sync_folder(&LocalPath::root(), Point::CommitSlot)
}

/// Where a backup waits while its slot is not free.
fn waiting(id: Id) -> LocalPath {
    Folder::trash().join(format!("{SLOT_PREFIX}{id}"))
}
