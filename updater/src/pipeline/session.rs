//! A folder that is locked, recovered and read: where every command begins.

use std::path::Path;
use std::sync::Arc;

use manifests::build::{Build, Scheme};
use manifests::decide::{Decision, Facts, Installed as InstalledFact, decide};
use manifests::digest::Digest;
use manifests::time::UtcTime;

use super::{Error, Who};
use crate::check::Checked;
use crate::fetch::limit::RateLimit;
use crate::fs::{Folder, LocalPath, Point};
use crate::history::{self, Outcome};
use crate::id::Id;
use crate::installed::{Installed, InstalledError};
use crate::lock::Lock;
use crate::progress::{Progress, Step};
use crate::ratchet::Ratchet;
use crate::station::Station;
use crate::swap::{self, Recovery};

/// What a run brings with it.
pub struct Run<'a> {
    /// The time, taken once.
    pub now: UtcTime,
    /// Who runs it.
    pub who: Who,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// The limit on downloads.
    pub limit: Option<RateLimit>,
}

/// An install folder that nobody else works on, with what earlier runs left finished or undone.
pub struct Session {
    /// The folder.
    pub folder: Arc<Folder>,
    /// What it follows.
    pub station: Station,
    /// What only grows.
    pub ratchet: Ratchet,
    /// What is installed; `None` before the first release, and when the record is damaged: then the tree is read by hash.
    pub installed: Option<Installed>,
    /// What had to be finished or undone first.
    pub recovery: Recovery,
    lock: Lock,
}

impl Session {
    /// Opens the install folder `dir` for `command`.
    pub fn open(dir: &Path, command: &str, run: &Run<'_>) -> Result<Session, Error> {
        let folder = Arc::new(Folder::open(dir)?);
        if folder.stat(&LocalPath::state_folder())?.is_none() {
            return Err(Error::NotInstalled);
        }
        let lock = Lock::acquire(&folder, command)?;
        Session::begin(folder, lock, run)
    }

    /// Goes on with a folder that is locked already.
    pub(super) fn begin(folder: Arc<Folder>, lock: Lock, run: &Run<'_>) -> Result<Session, Error> {
        let recovery = recover(&folder, run)?;
        for state in ["trust/content", "parts"] {
            folder.make_folders(&LocalPath::state(state), Point::StateFolder)?;
        }
        let station = Station::load(&folder)?.ok_or(Error::NotInstalled)?;
        let ratchet = Ratchet::load(&folder)?;
        let installed = match Installed::load(&folder) {
            Err(InstalledError::Damaged { path, source }) => {
                run.progress.note(&format!("`{path}` is damaged ({source}); every file is read to find out what is there"));
                None
            }
            other => other?,
        };
        Ok(Session { folder, station, ratchet, installed, recovery, lock })
    }

    /// What this station does with what a check found, and why.
    pub fn decide<'c>(&self, checked: &'c Checked) -> Decision<'c> {
        let installed = self.installed.as_ref().map(|installed| &installed.release);
        let blocked: Vec<Digest> = self.ratchet.blocked.iter().map(|held| held.manifest).collect();
        let updater = Build::parse(env!("CARGO_PKG_VERSION"), Scheme::Semver).ok();
        let facts = Facts {
            installed: installed.map(|release| InstalledFact {
                place: release.place,
                build: &release.id.build,
                manifest: release.manifest,
            }),
            highest: self.ratchet.highest,
            hold: self.ratchet.hold.map(|held| (held.at, held.manifest)),
            blocked: &blocked,
            updater: updater.as_ref(),
            platform: None,
            server: None,
        };
        decide(&checked.channel, &checked.policy, &facts)
    }

    /// Gives the folder up, and with it the lock.
    pub fn close(self) -> Arc<Folder> {
        drop(self.lock);
        self.folder
    }
}

/// Finishes or undoes what an earlier run left, and says so in the history.
fn recover(folder: &Folder, run: &Run<'_>) -> Result<Recovery, Error> {
    let recovery = swap::recover(folder)?;
    let (id, what, found) = match &recovery {
        Recovery::Nothing => return Ok(recovery),
        Recovery::Finished { id, found } => (*id, "finished", found),
        Recovery::Undone { id, found } => (*id, "undone", found),
    };
    run.progress.begin(Step::Recover, 0);
    run.progress.note(&format!("an earlier update was cut off and has been {what}"));
    for path in found {
        run.progress.note(&format!("`{path}` was not expected there; it is kept below `.updater/found/{id}`"));
    }
    let mut attempt = run.who.attempt(Id::random(), run.now, "recovery");
    attempt.result = Outcome::Recovered;
    attempt.detail = Some(format!("attempt {id} was cut off and has been {what}"));
    history::append(folder, &attempt)?;
    Ok(recovery)
}
