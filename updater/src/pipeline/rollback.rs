//! Going back to a backup, and lifting the hold that this leaves.

use manifests::decide::{Warning, objections};
use manifests::path::RelPath;

use super::{Error, Run, Session};
use crate::account;
use crate::attempts::Attempts;
use crate::backup;
use crate::check as checking;
use crate::code::Code;
use crate::fs::LocalPath;
use crate::history::{Attempt, BuildAt};
use crate::id::Id;
use crate::installed::Installed;
use crate::proof::Proofs;
use crate::ratchet::Held;
use crate::rollback;
use crate::trigger::Trigger;

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
    /// Takes the folder back to the backup in `slot`, or to the newest, without any source. Refused while somebody uses the client, when [`Run::in_use`] does not say to wait.
    pub async fn rollback(
        &mut self,
        slot: Option<backup::rotation::Slot>,
        reason: Option<String>,
        run: &Run<'_>,
    ) -> Result<RolledBack, Error> {
        let outcome = self.rollback_steps(slot, reason, run).await;
        // What was copied would keep the disk full; otherwise what lies there may wait to be applied.
        if outcome.as_ref().is_err_and(|error| error.code() == Code::NoSpace) {
            self.give_room_back(&["staging"]);
        }
        self.report_failure(Trigger::Rollback, run, outcome)
    }

    async fn rollback_steps(
        &mut self,
        slot: Option<backup::rotation::Slot>,
        reason: Option<String>,
        run: &Run<'_>,
    ) -> Result<RolledBack, Error> {
        let slot = match slot {
            Some(slot) => slot,
            None => self.newest_backup()?,
        };
        let id = Id::random();
        let is_reasoned = reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        let attempt =
            Attempt { detail: reason, approver: Some(run.who.os_user.clone()), ..run.who.attempt(id, run.now, Trigger::Rollback) };
        let prepared =
            rollback::prepare(&self.folder, self.installed.as_ref(), &self.ratchet, rollback::Order { id, slot, attempt }, run.progress)?;
        self.refuse_insecure(&prepared.installed, slot, is_reasoned)?;
        let obstacles = self.folder.obstacles(&prepared.swap.changes.paths().map(LocalPath::from).collect::<Vec<_>>())?;
        if !obstacles.is_empty() {
            return Err(Error::NotWritable(obstacles));
        }
        // Whoever goes back is there and can close what runs: nothing is put off behind their back.
        let holders = self.holders_after_waiting(&prepared.swap.changes, &prepared.swap.entry_points, run).await;
        if !holders.is_empty() {
            return Err(Error::InUse(holders));
        }
        let full = |error: Error| error.used_up(prepared.needed);
        let knows_holds = self.check_ratchet().is_ok();
        self.ratchet = prepared.ratchet;
        self.save_ratchet().map_err(|error| full(error.into()))?;
        // Before the swap: what somebody names is not taken back by the next start, even if this run is cut off. Where it failed here, it stays blocked for everybody else.
        let mut proofs = Proofs::load(&self.folder)?;
        proofs.pardon(&prepared.installed.release.manifest);
        proofs.save(&self.folder).map_err(|error| full(error.into()))?;
        let changes = prepared.swap.changes.clone();
        let refused = |error| match self.refused_by(&error, &changes) {
            Some(holders) => Error::InUse(holders),
            None => full(error.into()),
        };
        let swapped = self.swap(prepared.swap, run).map_err(refused)?;
        // Where the ratchet is damaged, nothing new is accepted anyway.
        let held = self.ratchet.hold.filter(|_| knows_holds);
        self.installed = Some(prepared.installed.clone());
        let untidied = self.tidy();
        let backup = swapped.backup.map(|slot| slot.folder_name());
        let rollback::Rollback { left, now_at, altered, missing, kept, is_unverified, .. } = prepared;
        let warnings = rollback::lacks(&missing).into_iter().chain(swapped.warnings).chain(untidied).collect();
        Ok(RolledBack { left, now_at, held, altered, backup, kept, is_unverified, warnings })
    }

    /// The newest backup that holds no build that failed to live here; that one is for whoever names it.
    fn newest_backup(&self) -> Result<backup::rotation::Slot, Error> {
        let lived = |found: &backup::Backup| found.release.as_ref().is_none_or(|release| !self.ratchet.is_blocked(&release.manifest));
        backup::backups(&self.folder)?.into_iter().rev().find(lived).map(|newest| newest.slot).ok_or(Error::NoBackup)
    }

    /// Refuses to go back below a security floor, or to what its publisher withdrew, unless whoever answers for the folder gives a reason, which the history keeps (`docs/format.md` section 4). Needs
    /// no source and no clock.
    fn refuse_insecure(&self, target: &Installed, slot: backup::rotation::Slot, is_reasoned: bool) -> Result<(), Error> {
        let Some((channel, policy)) = checking::remembered(&self.folder, &self.station) else { return Ok(()) };
        let (what, why) = match objections(target.release.place, &channel, &policy).into_iter().next() {
            Some(Warning::BelowFloor { reason }) => ("is below a security floor", reason),
            Some(Warning::InstalledWithdrawn { reason }) => ("was withdrawn by its publisher", reason),
            _ => return Ok(()),
        };
        let folder = self.folder.stat(&LocalPath::root())?;
        match folder.is_some_and(|folder| account::answers_for(&folder)) {
            false => Err(Error::NeedsAdmin { slot, what, why }),
            true if !is_reasoned => Err(Error::NeedsReason { slot, what, why }),
            true => Ok(()),
        }
    }

    /// Offers again what a rollback left and what failed here; `false` when there was nothing of that.
    pub fn unhold(&mut self) -> Result<bool, Error> {
        self.check_ratchet()?;
        let was_held = self.ratchet.hold.take().is_some();
        if was_held {
            self.save_ratchet()?;
        }
        Ok(self.retry()? || was_held)
    }

    /// Offers again what did not live here, and what failed to be applied too often, and repairs again what others changed; `false` when there was nothing of that.
    pub fn retry(&mut self) -> Result<bool, Error> {
        let was_blocked = !std::mem::take(&mut self.ratchet.blocked).is_empty();
        if was_blocked {
            self.save_ratchet()?;
        }
        let had_failed = self.attempts.take().is_some();
        Attempts::forget(&self.folder)?;
        let had_others = self.forget_others()?;
        Ok(was_blocked || had_failed || had_others)
    }
}
