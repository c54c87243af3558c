//! A swap under way, begun just now or found by a later start: forward to its commit, or back. A way on which a step fails is left for the other.
//!
//! Why turning round is safe: the steps of either way are chosen by what lies where at that moment ([`super::recovery`]), so that it does not matter how far the first way went, and a cut is
//! answered by the next start as any other.

use super::RecoveryError;
use super::journal::{self, Phase, Plan};
use super::perform::{Performer, Strangers, Way, make_durable, observe};
use super::recovery::{Change, Decision, Step, decide};
use super::seal::Seals;
use crate::fs::{Folder, FsError, LocalPath};
use crate::progress::{self, Progress, Silent};

/// A swap under way; its journal is written.
pub(super) struct Swapping<'a> {
    pub(super) folder: &'a Folder,
    pub(super) plan: &'a Plan,
    /// Bytes of the journal's whole lines.
    pub(super) journal_bytes: usize,
    pub(super) changes: Vec<Change>,
    /// Unexpected files that were set aside.
    pub(super) found: Vec<LocalPath>,
}

/// The way forward was barred.
pub(super) struct Stopped {
    /// By what.
    pub(super) source: FsError,
    /// What barred the way back; without it, everything is durably as it was, and the journal can go.
    pub(super) undo: Option<FsError>,
}

impl Swapping<'_> {
    /// Forward by `steps` and committed; where that fails, or somebody comes as [`super::swap_unused`] says, back.
    pub(super) fn forward_or_back(
        &mut self,
        steps: &[Step],
        strangers: Strangers,
        seals: &Seals,
        is_unused: &dyn Fn() -> bool,
        progress: &dyn Progress,
    ) -> Result<(), Stopped> {
        let last_out = steps.iter().rposition(|step| matches!(step, Step::Keep { is_entry: true, .. }));
        let (out, rest) = steps.split_at(last_out.map_or(0, |last| last + 1));
        let look = || match is_unused() {
            true => Ok(()),
            false => Err(FsError::io("replacing what is used in", &LocalPath::root(), std::io::ErrorKind::ResourceBusy.into())),
        };
        progress.begin(progress::Step::Swap, steps.len() as u64);
        let mut performer = Performer::new(self.folder, self.plan, Way::Forward, strangers, seals);
        let mut go = |steps: &[Step]| take(&mut performer, steps, progress);
        let gone = look().and_then(|()| go(out)).and_then(|()| if out.is_empty() { Ok(()) } else { look() }).and_then(|()| go(rest));
        self.found.append(&mut performer.found);
        if let Err(source) = gone.and_then(|()| make_durable(self.folder, &self.changes)) {
            // Should the disk be too full for this line, undoing needs no room and is right without it: whatever is cut off is decided by what lies where.
            let _ = journal::append(self.folder, self.journal_bytes, Phase::Back);
            return Err(self.turn_back(source));
        }
        if let Err(source) = journal::append(self.folder, self.journal_bytes, Phase::Committed) {
            // The line may have reached the disk all the same: nothing is undone unless it is taken back.
            return Err(match journal::append(self.folder, self.journal_bytes, Phase::Back) {
                Ok(()) => self.turn_back(source),
                Err(undo) => Stopped { source, undo: Some(undo) },
            });
        }
        Ok(())
    }

    /// Back by `steps`; where that fails, forward and committed, if everything new is still there. Says which it was.
    pub(super) fn back_or_forward(&mut self, steps: &[Step], seals: &Seals, phase: Option<Phase>) -> Result<Way, RecoveryError> {
        if phase.is_none() {
            // As above: right without it.
            let _ = journal::append(self.folder, self.journal_bytes, Phase::Back);
        }
        let Err(first) = self.go(steps, Way::Back, seals) else { return Ok(Way::Back) };
        match self.turn_forward() {
            Ok(true) => Ok(Way::Forward),
            Ok(false) => Err(first.into()),
            Err(second) => Err(RecoveryError::Interrupted { first, second }),
        }
    }

    fn turn_back(&mut self, source: FsError) -> Stopped {
        let undone = observe(self.folder, &self.changes).and_then(|(seen, seals)| {
            let Decision::Back(steps) = decide(&self.changes, Some(Phase::Back), &seen) else {
                return Err(FsError::io("undoing the swap of", &LocalPath::root(), std::io::ErrorKind::NotFound.into()));
            };
            self.go(&steps, Way::Back, &seals)
        });
        Stopped { source, undo: undone.err() }
    }

    /// `false` when something new is nowhere, so that the only way is back.
    fn turn_forward(&mut self) -> Result<bool, FsError> {
        let (seen, seals) = observe(self.folder, &self.changes)?;
        let Decision::Forward(steps) = decide(&self.changes, None, &seen) else { return Ok(false) };
        self.go(&steps, Way::Forward, &seals)?;
        journal::append(self.folder, self.journal_bytes, Phase::Committed)?;
        Ok(true)
    }

    /// Takes `steps`, whatever is in their way, and makes durable what they changed.
    fn go(&mut self, steps: &[Step], way: Way, seals: &Seals) -> Result<(), FsError> {
        let mut performer = Performer::new(self.folder, self.plan, way, Strangers::Aside, seals);
        let gone = take(&mut performer, steps, &Silent);
        self.found.append(&mut performer.found);
        gone.and_then(|()| make_durable(self.folder, &self.changes))
    }
}

fn take(performer: &mut Performer<'_>, steps: &[Step], progress: &dyn Progress) -> Result<(), FsError> {
    steps.iter().try_for_each(|step| {
        performer.perform(step)?;
        progress.advance(1);
        Ok(())
    })
}
