//! Giving a folder up: what is the updater's goes, the client stays.

use std::path::Path;
use std::time::Duration;

use super::Error;
use crate::backup::{self, BackupKind};
use crate::fs::{LocalPath, Point};
use crate::lock::Lock;
use crate::profile;
use crate::profile::registry::Registry;
use crate::schedule;
use crate::shortcut::{self, Removed};
use crate::state_format;
use crate::swap;

/// What an uninstall left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninstalled {
    /// Backups that are still there, and whatever else has their name.
    pub backups_left: Vec<String>,
    /// What became of the shortcuts.
    pub shortcuts: Removed,
}

/// Removes what is the updater's from the folder `dir`; the client and, unless asked for, the backups stay. Waits at most `patience` for another updater to end. Needs nothing of what was stored there but a swap that can be ended.
pub fn uninstall(dir: &Path, with_backups: bool, patience: Duration, registry: &Registry) -> Result<Uninstalled, Error> {
    let folder = profile::open(dir, registry)?;
    if folder.stat(&LocalPath::state_folder())?.is_none() {
        return Err(Error::NotInstalled);
    }
    let lock = Lock::acquire_within(&folder, "uninstall", patience)?;
    state_format::refuse_newer(&folder)?;
    swap::recover(&folder)?;
    // First what the system may refuse; last what nobody brings back.
    schedule::remove(&folder)?;
    let shortcuts = shortcut::remove_all(&folder)?;
    let mut backups_left = vec![];
    for found in backup::backups(&folder)? {
        // What another program left goes only by rotation, after somebody took it in (AC-40); what others can change may be that.
        let is_ours = matches!(found.kind, BackupKind::Own { .. } | BackupKind::Adopted { .. } | BackupKind::Damaged(_));
        if with_backups && is_ours {
            folder.discard(&LocalPath::root().join(found.slot.folder_name()), Point::TrashIn)?;
        } else {
            backups_left.push(found.slot.folder_name());
        }
    }
    lock.remove_state(&folder)?;
    profile::forget(dir, registry)?;
    Ok(Uninstalled { backups_left, shortcuts })
}
