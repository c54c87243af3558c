//! What an update needs of the computer, asked for before anything is fetched: rights, a slot for the backup, and room (S3-15, AC-40, AC-42, AC-43). Room that is gone when it is used is said
//! with the bytes, too ([`Error::used_up`]).

use std::sync::Arc;

use super::{Error, Session};
use crate::backup::{self, BackupError};
use crate::code::Code;
use crate::fs::LocalPath;
use crate::fs::filling::Staging;
use crate::installed::InstalledRelease;
use crate::plan::Plan;
use crate::rollback::RollbackError;
use crate::room::{Needed, NoRoom};
use crate::swap::{self, SwapError};
use crate::trigger::Trigger;

impl Error {
    /// The same; that a full disk refused a write, before anything live was touched or after all of it was undone, is said with the bytes that are `needed` in all: the file alone tells nobody how
    /// much to clear away. What says its bytes, or is neither done nor undone, is left as it is.
    pub(super) fn used_up(self, needed: Needed) -> Error {
        let speaks = matches!(
            self,
            Error::NoRoom(_)
                | Error::Rollback(RollbackError::NoRoom(_))
                | Error::Swap(
                    SwapError::Backup(BackupError::NoSpace { .. }) | SwapError::Interrupted { .. } | SwapError::Unfinished { .. }
                )
        );
        if speaks || self.code() != Code::NoSpace {
            return self;
        }
        Error::NoRoom(NoRoom::UsedUp { doing: self.to_string(), needed_bytes: needed.bytes })
    }
}

impl Session {
    /// Rights, a slot for the backup, and room: asked for before anything is fetched (S3-15, AC-40, AC-42, AC-43). Returns the room.
    pub(super) fn check_requirements(&self, plan: &Plan, release: &InstalledRelease, trigger: Trigger) -> Result<Needed, Error> {
        let paths: Vec<LocalPath> = plan.actions.iter().map(|action| action.path().into()).collect();
        let obstacles = self.folder.obstacles(&paths)?;
        if !obstacles.is_empty() {
            return Err(Error::NotWritable(obstacles));
        }
        if self.keeps_backup(plan, release, trigger) {
            backup::check_slots(&self.folder)?;
        }
        let (ready_bytes, is_ready) = self.ready(plan)?;
        let backup = backup::estimate(&self.folder, self.installed.as_ref(), plan.actions.iter().map(|action| action.path()))?;
        let stored_bytes = if is_ready { 0 } else { plan.jobs.stored_bytes() };
        let needed =
            Needed { bytes: stored_bytes + plan.staged_bytes() + backup.copied_bytes, files: plan.staged_files() + backup.copied_files };
        let needed = needed.with_spare();
        let needed = Needed { bytes: needed.bytes.saturating_sub(ready_bytes), ..needed };
        needed.fits(&self.folder.space()?)?;
        Ok(needed)
    }

    /// Bytes of contents that look staged already, and whether that is all that `plan` would fetch: they need no room any more.
    fn ready(&self, plan: &Plan) -> Result<(u64, bool), Error> {
        let (mut ready_bytes, mut is_ready) = (0, true);
        for content in &plan.jobs.contents {
            match self.folder.stat(&Staging::path(&content.sha256))? {
                Some(stat) if stat.is_file() && stat.size == content.size => ready_bytes += content.size,
                _ => is_ready = false,
            }
        }
        Ok((ready_bytes, is_ready))
    }

    /// Whether everything that `plan` would fetch is staged already.
    pub(super) fn is_all_here(&self, plan: &Plan) -> Result<bool, Error> {
        let staging = Staging::new(Arc::clone(&self.folder));
        for content in &plan.jobs.contents {
            if !staging.has_verified(&content.sha256, content.size)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes what was fetched and staged below `names`: on a full disk the client needs the room more than the next attempt needs the files (AC-42). While a swap waits to be finished, it needs them.
    pub(super) fn give_room_back(&self, names: &[&str]) {
        let is_swapping = self.folder.stat(&LocalPath::state("journal")).map_or(true, |journal| journal.is_some());
        if is_swapping {
            return;
        }
        // What cannot be removed now is removed by the next attempt that succeeds.
        for name in names {
            let _ = self.folder.clear(&LocalPath::state(name));
        }
        // Without a journal this sweeps, and by now there is room for it.
        let _ = swap::recover(&self.folder);
    }
}
