//! Puts a new program to the path of the updater, has it prove itself, and puts the old one back when it does not live (attack F13). Each step is written down before the next, so that
//! [`decide`] finishes or undoes what was cut off.

use std::path::PathBuf;
use std::sync::Arc;

use manifests::digest::Digest;

use super::home::kept;
use super::recovery::{Present, Seen, Step, decide};
use super::replace::{self, Verified};
use super::{
    Activated, CONFIRMED, Home, NEXT, PREVIOUS, Phase, Program, Record, SelfUpdateError, SelfUpdater, Trial, prove, refuse_unwritable,
};
use crate::code::Code;
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::{self, Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::pipeline::{Error, Run};
use crate::ratchet::Held;
use crate::trigger::Trigger;

impl SelfUpdater {
    pub(super) fn replace(&mut self, verified: &Verified, new: Program, run: &Run<'_>) -> Result<Activated, Error> {
        refuse_unwritable(&self.home)?;
        let build = new.release.as_ref().map_or("from before".to_owned(), |release| release.build.0.text().to_owned());
        run.progress.note(&format!("the updater becomes {build}"));
        let folder = Arc::clone(&self.session.folder);
        // The crate works in the folder for temporary files: ours is on the right file system, and whoever may write there may replace the updater anyway. It can be set once, and is always the same.
        let _ = tempfile::env::override_temp_dir(&folder.state_path().join("self"));
        let (stations, registry) = (self.read_by_new(), run.registry.clone());
        let (own, record, sha256) = (Arc::clone(&folder), self.record.clone(), new.sha256);
        let placed = replace::place(&folder, verified, move |program| {
            let mut record = record.clone();
            // Written down right before it is started: one that ends whoever starts it ends two of them. That it cannot be written says nothing of the program.
            let not_written = |error: FsError| tracing::warn!(%error, "that a new updater is asked could not be written down");
            if !record.begin_to_ask(sha256) {
                return Err("the updater ended twice while it waited for the answer to `self-check`".into());
            }
            let _ = record.save(&own).map_err(not_written);
            let answer = prove::ask(program, &stations, &registry).map(drop);
            record.asked = None;
            let _ = record.save(&own).map_err(not_written);
            answer
        });
        self.record.asked = None;
        if let Err(error) = placed {
            if let SelfUpdateError::DoesNotLive { reason } = &error {
                self.block(&new, Id::random(), reason, run)?;
            }
            return Err(error.into());
        }
        let old = self.keep_present()?;
        let trial = Trial { id: Id::random(), phase: Phase::Forward, old, new, reason: None };
        self.record.previous = Some(trial.old.clone());
        self.record.trial = Some(trial.clone());
        self.record.save(&folder)?;
        self.put(NEXT, Point::SelfSwap)?;
        let is_confirmed = || is_confirmed(&folder, trial.id);
        match prove::watch(&self.home.program(), trial.id, is_confirmed) {
            Ok(child) => {
                self.accept(&trial)?;
                self.sweep()?;
                Ok(Activated::AtWork { build, child })
            }
            Err(reason) => {
                self.turn_back(&trial, reason.clone())?;
                self.recover(run)?;
                Err(SelfUpdateError::PutBack { build, reason }.into())
            }
        }
    }

    /// The folders whose state a new updater must be able to read: its own, and those that this run is about.
    fn read_by_new(&self) -> Vec<PathBuf> {
        std::iter::once(self.home.dir()).chain(self.stations.iter().cloned()).collect()
    }

    /// Keeps a copy of the program at the path.
    fn keep_present(&self) -> Result<Program, FsError> {
        let mode = self.home.folder.stat(&self.home.name)?.map_or(0o755, |present| present.mode & 0o777);
        let copy = "previous.new";
        let (sha256, _) = self.home.folder.copy(&self.home.name, &self.home.kept(copy), mode, Point::SelfPrevious)?;
        self.session.folder.rename(&kept(copy), &kept(PREVIOUS), Point::SelfPrevious)?;
        self.session.folder.sync_folder(&kept(""), Point::SelfPrevious)?;
        let release = self.record.active.as_ref().filter(|active| active.sha256 == sha256).and_then(|active| active.release.clone());
        Ok(Program { sha256, release })
    }

    /// Moves a program of `.updater/self` to the path, in place of what is there.
    fn put(&self, from: &str, at: Point) -> Result<(), FsError> {
        let Home { folder, name, .. } = &self.home;
        // A running program can be renamed on Windows, and not be replaced.
        if cfg!(windows) && folder.stat(name)?.is_some() {
            folder.rename_new(name, &self.home.kept(&format!("aside-{}", Id::random())), Point::SelfAside)?;
        }
        folder.rename(&self.home.kept(from), name, at)?;
        folder.sync_folder(&LocalPath::root(), Point::SelfSync)?;
        self.session.folder.sync_folder(&kept(""), Point::SelfSync)
    }

    /// Finishes or undoes a replacement that was cut off.
    pub(super) fn recover(&mut self, run: &Run<'_>) -> Result<(), Error> {
        while let Some(trial) = self.record.trial.clone() {
            match decide(self.observe(&trial)?) {
                Step::Forget => {
                    self.record.trial = None;
                    self.record.save(&self.session.folder)?;
                }
                Step::Accept => self.accept(&trial)?,
                Step::Prove => {
                    run.progress.note("an update of the updater was cut off; the new one is tried again");
                    match prove::ask(&self.home.program(), &self.read_by_new(), &run.registry) {
                        Ok(_) => self.accept(&trial)?,
                        Err(reason) => self.turn_back(&trial, reason)?,
                    }
                }
                Step::PutNew => self.put(NEXT, Point::SelfSwap)?,
                Step::PutOld => self.put(PREVIOUS, Point::SelfBack)?,
                Step::Block => {
                    let reason = trial.reason.clone().unwrap_or_default();
                    run.progress.note(&format!("an updater that failed was put back: {reason}"));
                    self.block(&trial.new, trial.id, &reason, run)?;
                    self.record = Record { active: Some(trial.old), previous: None, trial: None, asked: None, ..self.record.clone() };
                    self.record.save(&self.session.folder)?;
                }
                Step::Lost => return Err(SelfUpdateError::Lost { path: self.home.name.clone() }.into()),
            }
        }
        Ok(())
    }

    fn observe(&self, trial: &Trial) -> Result<Seen, FsError> {
        let Home { folder, name, .. } = &self.home;
        let is = |folder: &Folder, path: &LocalPath, wanted: Digest| -> Result<bool, FsError> {
            Ok(folder.stat(path)?.is_some() && folder.hash(path)?.0 == wanted)
        };
        let present = match folder.stat(name)? {
            None => Present::Nothing,
            Some(_) => match folder.hash(name)?.0 {
                found if found == trial.new.sha256 => Present::New,
                found if found == trial.old.sha256 => Present::Old,
                _ => Present::Other,
            },
        };
        let own = &self.session.folder;
        Ok(Seen {
            phase: trial.phase,
            present,
            is_confirmed: is_confirmed(own, trial.id),
            has_next: is(own, &kept(NEXT), trial.new.sha256)?,
            has_previous: is(own, &kept(PREVIOUS), trial.old.sha256)?,
        })
    }

    /// The new program is the active one, the one before is kept.
    fn accept(&mut self, trial: &Trial) -> Result<(), FsError> {
        let Trial { old, new, .. } = trial.clone();
        self.record = Record { active: Some(new), previous: Some(old), trial: None, asked: None, ..self.record.clone() };
        self.record.save(&self.session.folder)
    }

    fn turn_back(&mut self, trial: &Trial, reason: String) -> Result<(), FsError> {
        self.record.trial = Some(Trial { phase: Phase::Back, reason: Some(reason), ..trial.clone() });
        self.record.save(&self.session.folder)
    }

    /// Never tries the release of `program` again, under whatever number.
    fn block(&mut self, program: &Program, id: Id, reason: &str, run: &Run<'_>) -> Result<(), Error> {
        let Some(release) = &program.release else { return Ok(()) };
        if !self.session.ratchet.is_blocked(&release.manifest) {
            self.session.ratchet.block(Held { at: release.at, manifest: release.manifest });
            self.session.save_ratchet()?;
        }
        let to = BuildAt { build: release.build.0.text().to_owned(), sequence: release.at.1 };
        let attempt = run.who.attempt(id, run.now, Trigger::SelfUpdate);
        let (result, code, detail) = (Outcome::Failed, Some(Code::UpdaterFailed.to_string()), Some(reason.to_owned()));
        Ok(history::append_once(&self.session.folder, &Attempt { to: Some(to), result, code, detail, ..attempt })?)
    }
}

/// Whether the program of the trial `id` said that it lives.
fn is_confirmed(folder: &Folder, id: Id) -> bool {
    folder.read(&kept(CONFIRMED)).is_ok_and(|said| said.is_some_and(|said| said == id.to_string().as_bytes()))
}
