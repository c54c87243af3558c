//! Who else changes the folder ([`crate::interference`]): looked for by every update, written down when something had to be put back, and said before it is put back once more.

use super::{Error, Run, Session};
use crate::backup::{self, BackupKind};
use crate::code::Code;
use crate::history::{self, Attempt, Outcome};
use crate::id::Id;
use crate::interference::{Interference, Round, Verdict};
use crate::scan::{Drift, DriftKind};
use crate::trigger::Trigger;

impl Session {
    /// What others are known to do here.
    pub fn others(&self, run: &Run<'_>) -> Verdict {
        self.others.judge(run.now)
    }

    /// Backups that somebody else made under our names since we were here. Each is written down once.
    pub(super) fn look_for_strange_backups(&mut self, trigger: Trigger, run: &Run<'_>) -> Result<(), Error> {
        let strange = backup::backups(&self.folder)?.into_iter().filter(|found| found.kind == BackupKind::Foreign);
        let known = |name: &String| self.others.rounds.iter().any(|round| round.backups.contains(name));
        let backups: Vec<String> = strange.map(|found| found.slot.folder_name()).filter(|name| !known(name)).collect();
        if backups.is_empty() {
            return Ok(());
        }
        let said = self.write_down(vec![], backups, vec![], trigger, run)?;
        said.into_iter().for_each(|said| run.progress.note(&said));
        Ok(())
    }

    /// Which files have become somebody else's, and who runs here: to be asked before they are put back.
    ///
    /// # Errors
    /// [`Error::SecondUpdater`] when they were put back too often already.
    pub(super) fn changed_by_others(&self, drift: &[Drift], run: &Run<'_>) -> Result<(Vec<String>, Vec<String>), Error> {
        let is_others = |drift: &&Drift| matches!(drift.what, DriftKind::Content | DriftKind::Missing | DriftKind::Kind);
        let changed: Vec<String> = drift.iter().filter(is_others).map(|drift| drift.path.to_string()).collect();
        if changed.is_empty() {
            return Ok((changed, vec![]));
        }
        if let Verdict::Held(evidence, until) = self.others(run) {
            return Err(Error::SecondUpdater { evidence: Box::new(evidence), until });
        }
        let mut programs: Vec<String> = self.holders_of_programs(run).into_iter().map(|holder| format!("`{}`", holder.program)).collect();
        programs.dedup();
        Ok((changed, programs))
    }

    /// Writes down that `changed` had to be put back, or that `backups` appeared; what that is taken for, in words, when it is no accident.
    pub(super) fn write_down(
        &mut self,
        changed: Vec<String>,
        backups: Vec<String>,
        programs: Vec<String>,
        trigger: Trigger,
        run: &Run<'_>,
    ) -> Result<Option<String>, Error> {
        let round = Round { time: run.now, files: changed.len(), names: changed, backups, programs };
        self.others = std::mem::take(&mut self.others).after(round);
        self.others.save(&self.folder)?;
        let (Verdict::Second(evidence) | Verdict::Held(evidence, _)) = self.others(run) else { return Ok(None) };
        let attempt = run.who.attempt(Id::random(), run.now, trigger);
        let (code, detail) = (Some(Code::SecondUpdater.to_string()), Some(evidence.to_string()));
        history::append(&self.folder, &Attempt { result: Outcome::Checked, code, detail, ..attempt })?;
        Ok(Some(format!("{}: {evidence}", Code::SecondUpdater)))
    }

    /// Forgets what others did; `false` when nothing was known.
    pub(super) fn forget_others(&mut self) -> Result<bool, Error> {
        let had_any = std::mem::take(&mut self.others) != Interference::default();
        Interference::forget(&self.folder)?;
        Ok(had_any)
    }
}
