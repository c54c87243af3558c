//! Giving a folder up: what is the updater's goes, the client stays.

use super::{Error, Session};
use crate::backup;
use crate::fs::{LocalPath, Point};

/// What an uninstall left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uninstalled {
    /// Backups that are still there.
    pub backups_left: usize,
}

impl Session {
    /// Removes what is the updater's from the folder; the client and, unless asked for, the backups stay.
    pub fn uninstall(self, with_backups: bool) -> Result<Uninstalled, Error> {
        let backups = backup::backups(&self.folder)?;
        let folder = self.close();
        let mut backups_left = backups.len();
        if with_backups {
            for found in backups.iter().filter(|found| found.kind != backup::BackupKind::NotAFolder) {
                folder.discard(&LocalPath::root().join(found.slot.folder_name()), Point::TrashIn)?;
                backups_left -= 1;
            }
        }
        folder.remove_state()?;
        Ok(Uninstalled { backups_left })
    }
}
