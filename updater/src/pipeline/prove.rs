//! The last step: does the new build live (AC-44)? If not, the newest backup of another build comes back, and what failed is blocked (attacks F11 and F12).
//!
//! Every step is written down before it is taken: what is expected before the swap, that a probe begins before it runs, that it failed before anything else, that it is blocked before the way back, and the way back is a swap
//! with a journal of its own. A start of the updater after a cut at any moment goes on from there. This needs no source and no person. The way back may lead below a security floor: a
//! client that runs, as it did a minute ago, is worth more than one that does not; the next release that closes the floor is offered as ever.

use manifests::channel::Probe;

use super::{Error, Run, Session};
use crate::backup::{self, Backup};
use crate::code::Code;
use crate::fs::LocalPath;
use crate::history::{Attempt, BuildAt};
use crate::id::Id;
use crate::in_use::{self, Holder};
use crate::installed::InstalledRelease;
use crate::probe::{self, Verdict};
use crate::progress::Step;
use crate::proof::{Proofs, Todo};
use crate::ratchet::Held;
use crate::rollback::{self, Order, Rollback, RollbackError};
use crate::trigger::Trigger;

/// Commands that run no probe that a cut left open.
const PROBELESS: [&str; 3] = ["status", "backups", "rollback"];

/// A build that did not live, and what came back in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Why it had to go.
    pub why: String,
    /// What is installed now.
    pub now_at: Option<BuildAt>,
}

impl Session {
    /// Remembers, before a swap, that the release that comes has to prove that it lives.
    pub(super) fn expect_proof(&self, release: &InstalledRelease, probe: Option<Probe>) -> Result<(), Error> {
        let installed = self.installed.as_ref().map(|installed| installed.release.manifest);
        let mut proofs = Proofs::load(&self.folder)?;
        proofs.expect(release.manifest, release.place, probe, installed);
        Ok(proofs.save(&self.folder)?)
    }

    /// What has to be done about the proof of the installed release.
    pub fn proof(&self) -> Result<Todo, Error> {
        let proofs = Proofs::load(&self.folder)?;
        Ok(self.installed.as_ref().map_or(Todo::Nothing, |installed| proofs.todo(&installed.release.manifest)))
    }

    /// Goes on with a proof that a cut left open, for `command`. That it cannot be done now keeps no command from its work.
    pub(super) fn resume_proof(&mut self, command: &str, run: &Run<'_>) {
        // Who looks, or wants to go back anyway, does not wait for a probe.
        if PROBELESS.contains(&command) && self.proof().is_ok_and(|todo| matches!(todo, Todo::Probe(_))) {
            return;
        }
        match self.prove(Trigger::Recovery, run) {
            Ok(None) => {}
            Ok(Some(Returned { why, now_at })) => {
                let now_at = now_at.map_or("an earlier build".to_owned(), |now_at| now_at.build);
                run.progress.note(&format!("the installed build did not live ({why}): back at {now_at}"));
            }
            Err(error) => run.progress.note(&error.to_string()),
        }
    }

    /// Finds out whether the installed release lives, as far as that can be found out without starting the client; what came back when it does not.
    pub(super) fn prove(&mut self, trigger: Trigger, run: &Run<'_>) -> Result<Option<Returned>, Error> {
        // What a damaged ratchet forgot could not be blocked.
        if self.check_ratchet().is_err() {
            return Ok(None);
        }
        let Some(installed) = &self.installed else { return Ok(None) };
        let release = installed.release.clone();
        let mut proofs = Proofs::load(&self.folder)?;
        let why = match proofs.todo(&release.manifest) {
            Todo::Nothing | Todo::Watch(_) => return Ok(None),
            Todo::Return(why) => why,
            Todo::Probe(probe) => {
                run.progress.begin(Step::Prove, 0);
                // Before it runs: what ends this updater, or its user's patience, must not meet every later one as well.
                proofs.begin(&release.manifest);
                proofs.save(&self.folder)?;
                let found = probe::run(&self.folder, installed, &probe);
                proofs.end(&release.manifest);
                match &found {
                    Ok(Verdict::Lives) => proofs.prove(&release.manifest),
                    Ok(Verdict::Dead(why)) => proofs.fail(&release.manifest, why.clone()),
                    // The next start of the updater tries again.
                    Ok(Verdict::Unknown(_)) | Err(_) => {}
                }
                proofs.save(&self.folder)?;
                match found? {
                    Verdict::Lives => return Ok(None),
                    Verdict::Dead(why) => why,
                    Verdict::Unknown(why) => {
                        run.progress.note(&format!("whether the build lives is not known yet: {why}"));
                        return Ok(None);
                    }
                }
            }
        };
        self.give_up(&release, why, trigger, run).map(Some)
    }

    /// Brings the newest backup of another build back in place of `release`, which did not live. Where that cannot be now, what was copied for it takes no room until it can.
    fn give_up(&mut self, release: &InstalledRelease, why: String, trigger: Trigger, run: &Run<'_>) -> Result<Returned, Error> {
        let outcome = self.go_back(release, why, trigger, run);
        if outcome.is_err() {
            self.give_room_back(&["staging"]);
        }
        outcome
    }

    fn go_back(&mut self, release: &InstalledRelease, why: String, trigger: Trigger, run: &Run<'_>) -> Result<Returned, Error> {
        let stays = |reason: String| Error::NoWayBack { build: release.id.build.text().to_owned(), why: why.clone(), reason };
        let in_use =
            |holders: &[Holder]| stays(format!("it is in use: {}; the next start of the updater goes back", in_use::list(holders)));
        // A client that runs may do so for hours, and every command comes here: nothing is copied for it.
        let holders = self.holders_of_programs(run);
        if !holders.is_empty() {
            return Err(in_use(&holders));
        }
        let Some(prepared) = self.way_back(release, &why, trigger, run)? else {
            return Err(stays("there is no whole backup of another build".into()));
        };
        let obstacles = self.folder.obstacles(&prepared.swap.changes.paths().map(LocalPath::from).collect::<Vec<_>>())?;
        if !obstacles.is_empty() {
            return Err(Error::NotWritable(obstacles));
        }
        let holders = self.holders(&prepared.swap.changes, &prepared.swap.entry_points, run);
        if !holders.is_empty() {
            return Err(in_use(&holders));
        }
        if !self.ratchet.is_blocked(&release.manifest) {
            self.ratchet.block(Held { at: release.place, manifest: release.manifest });
            self.ratchet.save(&self.folder).map_err(|error| Error::from(error).used_up(prepared.needed))?;
        }
        let changes = prepared.swap.changes.clone();
        let refused = |error| match self.refused_by(&error, &changes) {
            Some(holders) => Error::InUse(holders),
            None => Error::from(error).used_up(prepared.needed),
        };
        self.swap(prepared.swap, run).map_err(refused)?;
        self.installed = Some(prepared.installed);
        self.tidy().iter().for_each(|left| run.progress.note(left));
        if let Some(lacks) = rollback::lacks(&prepared.missing) {
            run.progress.note(&lacks);
        }
        Ok(Returned { why, now_at: prepared.now_at })
    }

    /// The way back from `release` to the newest whole backup of another build that did not fail here, too.
    fn way_back(&self, release: &InstalledRelease, why: &str, trigger: Trigger, run: &Run<'_>) -> Result<Option<Rollback>, Error> {
        let other = |backup: &Backup| {
            backup.release.as_ref().is_some_and(|held| held.manifest != release.manifest && !self.ratchet.is_blocked(&held.manifest))
        };
        let mut backups: Vec<Backup> = backup::backups(&self.folder)?.into_iter().rev().filter(other).collect();
        // One without what starts it brings nobody a client: only when there is no other.
        backups.sort_by_key(|backup| !backup::can_start(&self.folder, backup.slot));
        for backup in backups {
            let id = Id::random();
            let attempt = self.attempt(id, trigger, run);
            let attempt = Attempt { code: Some(Code::NotAlive.to_string()), detail: Some(why.to_owned()), ..attempt };
            let order = Order { id, slot: backup.slot, attempt };
            match rollback::prepare(&self.folder, self.installed.as_ref(), &self.ratchet, order, run.progress) {
                Ok(prepared) => return Ok(Some(prepared)),
                Err(RollbackError::Fs(error)) => return Err(error.into()),
                // Nothing else is tried behind the back of whoever has to put that right.
                Err(lacking @ (RollbackError::Exposed(_) | RollbackError::NoRoom(_) | RollbackError::InTheWay { .. })) => {
                    return Err(lacking.into());
                }
                Err(damaged) => run.progress.note(&damaged.to_string()),
            }
        }
        Ok(None)
    }
}
