//! Going back to a backup, and lifting the hold that this leaves.

use manifests::path::RelPath;

use super::{Error, Run, Session};
use crate::backup;
use crate::fs::LocalPath;
use crate::history::{Attempt, BuildAt};
use crate::id::Id;
use crate::ratchet::Held;
use crate::rollback;
use crate::swap;

/// How a rollback ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// What was left, when that is known.
    pub left: Option<BuildAt>,
    /// What is installed now, when that is known.
    pub now_at: Option<BuildAt>,
    /// What is held now, with all that is below; `None` when nothing is.
    pub held: Option<Held>,
    /// Managed files that came back other than the release has them, as they were when the backup was made.
    pub altered: Vec<RelPath>,
    /// The name of the backup of what was left.
    pub backup: Option<String>,
    /// Config files that stay as the user has them.
    pub kept: Vec<RelPath>,
    /// Whether nobody can say that the backup was whole.
    pub is_unverified: bool,
    /// What people should know.
    pub warnings: Vec<String>,
}

impl Session {
    /// Takes the folder back to the backup in `slot`, or to the newest, without any source.
    pub fn rollback(&mut self, slot: Option<backup::rotation::Slot>, reason: Option<String>, run: &Run<'_>) -> Result<RolledBack, Error> {
        let outcome = self.rollback_steps(slot, reason, run);
        self.report_failure("rollback", run, outcome)
    }

    fn rollback_steps(&mut self, slot: Option<backup::rotation::Slot>, reason: Option<String>, run: &Run<'_>) -> Result<RolledBack, Error> {
        let slot = match slot {
            Some(slot) => slot,
            None => backup::backups(&self.folder)?.last().map(|newest| newest.slot).ok_or(Error::NoBackup)?,
        };
        let id = Id::random();
        let attempt = Attempt { detail: reason, approver: Some(run.who.os_user.clone()), ..run.who.attempt(id, run.now, "rollback") };
        let prepared =
            rollback::prepare(&self.folder, self.installed.as_ref(), &self.ratchet, rollback::Order { id, slot, attempt }, run.progress)?;
        let obstacles = self.folder.obstacles(&prepared.swap.changes.paths().map(LocalPath::from).collect::<Vec<_>>())?;
        if !obstacles.is_empty() {
            return Err(Error::NotWritable(obstacles));
        }
        prepared.ratchet.save(&self.folder)?;
        let swapped = swap::swap(&self.folder, prepared.swap, run.progress)?;
        self.folder.empty_trash()?;
        let held = prepared.ratchet.hold;
        (self.ratchet, self.installed) = (prepared.ratchet.clone(), Some(prepared.installed.clone()));
        let backup = swapped.backup.map(|slot| slot.folder_name());
        let rollback::Rollback { left, now_at, altered, kept, is_unverified, .. } = prepared;
        Ok(RolledBack { left, now_at, held, altered, backup, kept, is_unverified, warnings: swapped.warnings })
    }

    /// Offers again what a rollback left; `false` when nothing is held.
    pub fn unhold(&mut self) -> Result<bool, Error> {
        let was_held = self.ratchet.hold.take().is_some();
        if was_held {
            self.ratchet.save(&self.folder)?;
        }
        Ok(was_held)
    }
}
