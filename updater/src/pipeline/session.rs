//! A folder that is locked, recovered and read: where every command begins.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use manifests::build::{Build, Scheme};
use manifests::channel::Place;
use manifests::compat::{self, Compatibility};
use manifests::decide::{Decision, Facts, Installed as InstalledFact, Quarantined, decide};
use manifests::digest::Digest;
use manifests::time::UtcTime;

use super::{Error, Who, entry_point};
use crate::account;
use crate::attempts::Attempts;
use crate::check::{self, Checked, When};
use crate::fetch::limit::RateLimit;
use crate::fetch::route::{Route, Routes};
use crate::fs::{Folder, LocalPath, Point};
use crate::history::{self, Attempt, Outcome};
use crate::id::Id;
use crate::in_use::InUse;
use crate::installed::{Installed, InstalledError};
use crate::interference::Interference;
use crate::lock::Lock;
use crate::profile;
use crate::profile::registry::Registry;
use crate::progress::{Progress, Step};
use crate::ratchet::{Ratchet, RatchetError};
use crate::recognise::Recognised;
use crate::settings::{Settings, SettingsError};
use crate::state_format;
use crate::station::{Station, StationError};
use crate::swap::{self, Recovery};
use crate::told::Told;
use crate::trigger::Trigger;
use crate::waiting::{Ticket, Waiting};

/// What a run brings with it.
pub struct Run<'a> {
    /// What the computer's clock says, taken once.
    pub now: UtcTime,
    /// The time that expiry is judged by instead, given by somebody whose clock runs ahead.
    pub clock: Option<UtcTime>,
    /// Who runs it.
    pub who: Who,
    /// Who watches.
    pub progress: &'a dyn Progress,
    /// The limit on downloads.
    pub limit: Option<RateLimit>,
    /// Where files come from.
    pub routes: Routes,
    /// What to do while somebody uses the client.
    pub in_use: InUse,
    /// Write every file of the release anew, config files included: what an incompatible client gets (S3-11, AC-09).
    pub everything: bool,
    /// How long to wait for another updater that works on the folder.
    pub patience: Duration,
    /// Where it is written which folders have the profile `service`.
    pub registry: Registry,
    /// The build of this updater, where its own signed state says it ([`crate::self_update::running_build`]).
    pub updater: Option<Build>,
}

impl Run<'_> {
    /// When it takes place.
    pub fn when(&self) -> When {
        When { says: self.now, given: self.clock }
    }

    /// Whether it asks as every other run does: of its own source, by its own time.
    fn asks_plainly(&self) -> bool {
        self.clock.is_none() && self.routes.folder.is_none()
    }
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
    /// What a client that somebody else put there was found to be.
    pub found: Option<Recognised>,
    /// File lists of releases that this run has fetched already, as stored.
    pub(super) lists: Vec<Vec<u8>>,
    /// What failed to be applied last.
    pub attempts: Option<Attempts>,
    /// What its people said about releases that are not installed.
    pub told: Told,
    /// What others did here.
    pub(super) others: Interference,
    /// What had to be finished or undone first.
    pub recovery: Recovery,
    /// How it is looked after.
    pub settings: Settings,
    /// Why the settings cannot be used: then nothing new is accepted until they can.
    settings_fault: Option<Arc<SettingsError>>,
    /// The build of the server that the client talks to, where the station knows it better than the channel.
    server: Option<Build>,
    /// The environment that the client is to start, for the history.
    pub(super) environment: Option<String>,
    /// The build of this updater.
    updater: Option<Build>,
    /// The time by which deadlines are judged: what the computer's clock says, or whoever sits before it.
    pub(super) now: UtcTime,
    /// Why the ratchet cannot be believed: then nothing new is accepted, and it stays as it is, until `install` has made one from what is known.
    ratchet_fault: Option<String>,
    /// How long a start of the client still waits for the source, zero where it did not answer; `None` where no start waits.
    pub(super) time_for_source: Option<Cell<Duration>>,
    /// Whether what this run was set off for was asked by another meanwhile, and that answer was taken.
    pub has_joined: bool,
    /// What set those off that take the answer of this run.
    joined: Vec<Trigger>,
    /// What this run left while it waited.
    ticket: Option<Ticket>,
    /// Whether a check of this run reached the server, which can be told something then.
    pub(super) has_reached: bool,
    /// None when the folder is only looked at.
    lock: Option<Lock>,
}

impl Session {
    /// Opens the install folder `dir` for `command`.
    pub fn open(dir: &Path, command: &str, run: &Run<'_>) -> Result<Session, Error> {
        let folder = find(dir, run)?;
        let lock = Lock::acquire_within(&folder, command, run.patience)?;
        Session::begin(folder, lock, command, run)
    }

    /// The same for a run that `trigger` set off and that is going to ask what is new. One that waits for another's lock need not ask what that one has asked meanwhile.
    pub fn open_to_ask(dir: &Path, trigger: Trigger, run: &Run<'_>) -> Result<Session, Error> {
        let folder = find(dir, run)?;
        let ticket = if run.asks_plainly() { Ticket::leave(&folder, trigger) } else { None };
        let lock = Lock::acquire_within(&folder, trigger.as_str(), run.patience)?;
        Ok(Session { ticket, ..Session::begin(folder, lock, trigger.as_str(), run)? })
    }

    /// What was found meanwhile, where somebody asked since this run was set off.
    pub(super) async fn answered_meanwhile(&mut self, run: &Run<'_>) -> Option<Checked> {
        self.ticket.take().filter(Ticket::is_answered)?;
        let known = check::known(&self.folder, &self.station, &mut self.ratchet, run.now).await.ok()?;
        self.has_joined = true;
        run.progress.note("another run asked after this one was set off; its answer was taken");
        Some(known)
    }

    /// Those who wait for the answer to a question that is about to be asked.
    pub(super) fn waiting(&self, run: &Run<'_>) -> Waiting {
        if run.asks_plainly() { Waiting::note(&self.folder) } else { Waiting::default() }
    }

    /// The answer is here: who waited need not ask.
    pub(super) fn answered(&mut self, waiting: Waiting) {
        self.joined = waiting.answered(&self.folder);
    }

    /// An attempt of this run that begins now and has not failed yet, with those who joined it.
    pub(super) fn attempt(&self, id: Id, trigger: Trigger, run: &Run<'_>) -> Attempt {
        Attempt { joined: self.joined.clone(), ..run.who.attempt(id, run.now, trigger) }
    }

    /// Looks at the install folder `dir` without changing anything: for whoever may read and not write there. What an earlier run left unfinished stays so, and another may be at work.
    pub fn look(dir: &Path, run: &Run<'_>) -> Result<Session, Error> {
        let folder = profile::look(dir, &run.registry)?;
        state_format::refuse_newer(&folder)?;
        Session::read(Arc::new(folder), None, Recovery::Nothing, run)
    }

    /// Goes on with a folder that is locked already, for `command`.
    pub(super) fn begin(folder: Arc<Folder>, lock: Lock, command: &str, run: &Run<'_>) -> Result<Session, Error> {
        state_format::refuse_newer(&folder)?;
        let recovery = recover(&folder, run)?;
        for state in ["trust/content", "parts"] {
            folder.make_folders(&LocalPath::state(state), Point::StateFolder)?;
        }
        let mut session = Session::read(folder, Some(lock), recovery, run)?;
        session.resume_proof(command, run);
        Ok(session)
    }

    fn read(folder: Arc<Folder>, lock: Option<Lock>, recovery: Recovery, run: &Run<'_>) -> Result<Session, Error> {
        let station = match Station::load(&folder)? {
            Some(station) => station,
            None if entry_point::are_there(&folder)? => return Err(StationError::Damaged { reason: "it is gone".into() }.into()),
            None => return Err(Error::NotInstalled),
        };
        let installed = match Installed::load(&folder) {
            Err(InstalledError::Damaged { path, source }) => {
                run.progress.note(&format!("`{path}` is damaged ({source}); every file is read to find out what is there"));
                None
            }
            other => other?,
        };
        let (ratchet, ratchet_fault) = match Ratchet::load(&folder) {
            Err(RatchetError::Damaged { reason }) => (known_ratchet(installed.as_ref()), Some(reason)),
            other => (other?, None),
        };
        let attempts = Attempts::load(&folder)?;
        let told = Told::load(&folder)?;
        let others = Interference::load(&folder)?;
        let updater = run.updater.clone().or_else(|| Build::parse(env!("CARGO_PKG_VERSION"), Scheme::Semver).ok());
        let (settings, settings_fault) = match Settings::load(&folder) {
            Ok(settings) => (settings, None),
            Err(fault) => (Settings::default(), Some(Arc::new(fault))),
        };
        let scheme = installed.as_ref().map(|installed| installed.release.id.build.scheme());
        // Whether it is a build at all was asked when the setting was read.
        let server = settings.server_build.as_ref().and_then(|build| Build::beside(build, scheme).ok());
        Ok(Session {
            folder,
            station,
            ratchet,
            installed,
            found: None,
            lists: vec![],
            attempts,
            told,
            others,
            recovery,
            settings,
            settings_fault,
            server,
            environment: None,
            updater,
            now: run.clock.unwrap_or(run.now),
            ratchet_fault,
            time_for_source: None,
            has_joined: false,
            joined: vec![],
            ticket: None,
            has_reached: false,
            lock,
        })
    }

    /// What is installed, for whoever cannot go on without it.
    pub fn known(&self) -> Result<&Installed, Error> {
        match &self.installed {
            Some(installed) => Ok(installed),
            None if entry_point::are_there(&self.folder)? => Err(InstalledError::Lost.into()),
            None => Err(Error::NotInstalled),
        }
    }

    /// From now on the client talks to a server of the build `text`, whatever settings and channel say.
    pub fn talk_to(&mut self, text: &str) -> Result<(), Error> {
        let scheme = self.installed.as_ref().map(|installed| installed.release.id.build.scheme());
        self.server = Some(Build::beside(text, scheme)?);
        Ok(())
    }

    /// Whether the installed client fits the server that it talks to, by what a check found; `None` where nobody names a server.
    pub fn compatibility(&self, checked: &Checked) -> Option<Compatibility> {
        let installed = &self.installed.as_ref()?.release;
        compat::judge_installed(&checked.channel, &installed.id.build, &installed.manifest, self.server.as_ref())
    }

    /// Refuses to go on to anything new with settings that cannot be used.
    pub(super) fn check_settings(&self) -> Result<(), Error> {
        self.settings_fault.as_ref().map_or(Ok(()), |fault| Err(Error::Settings(Arc::clone(fault))))
    }

    /// Whether whoever runs this answers for the folder.
    pub(super) fn is_admin(&self, run: &Run<'_>) -> bool {
        let owns = || self.folder.stat(&LocalPath::root()).ok().flatten().is_some_and(|folder| account::answers_for(&folder));
        run.who.is_admin.unwrap_or_else(owns)
    }

    /// Gives the folder up: nothing of the updater's is left in it. The client stays.
    pub(crate) fn remove_state(&mut self) -> Result<(), Error> {
        self.lock.take().map_or(Ok(()), |lock| Ok(lock.remove_state(&self.folder)?))
    }

    /// The way to the repository that this run takes.
    pub(super) fn route(&self, run: &Run<'_>) -> Result<Route, Error> {
        Ok(run.routes.to(&self.station.repository)?)
    }

    /// Refuses to go on to anything new with a ratchet that cannot be believed.
    pub(super) fn check_ratchet(&self) -> Result<(), RatchetError> {
        self.ratchet_fault.clone().map_or(Ok(()), |reason| Err(RatchetError::Damaged { reason }))
    }

    /// Refuses to go on to anything new while what keeps the wrong release out cannot be read: the ratchet, which knows what was left and what failed, and the settings, which say who agrees.
    pub fn may_accept_new(&self) -> Result<(), Error> {
        self.check_ratchet()?;
        self.check_settings()
    }

    /// Stores the ratchet. One that cannot be believed stays as it is: what would be written in its place has forgotten what it held.
    pub(crate) fn save_ratchet(&self) -> Result<(), RatchetError> {
        if self.ratchet_fault.is_some() { Ok(()) } else { self.ratchet.save(&self.folder) }
    }

    /// Makes a damaged ratchet anew from what is installed: for `install`, whose link vouches for the rest.
    pub(super) fn mend_ratchet(&mut self, run: &Run<'_>) -> Result<(), Error> {
        if let Err(fault) = self.check_ratchet() {
            run.progress.note(&format!("{fault}; it is made anew from what is installed"));
            self.ratchet.save(&self.folder)?;
            self.ratchet_fault = None;
        }
        Ok(())
    }

    /// What this station does with what a check found, and why.
    pub fn decide<'c>(&self, checked: &'c Checked) -> Decision<'c> {
        self.with_facts(|facts| decide(&checked.channel, &checked.policy, facts))
    }

    /// What is known of the station, for a decision.
    pub(super) fn with_facts<T>(&self, decide: impl FnOnce(&Facts<'_>) -> T) -> T {
        // An unknown build, which a foreign backup leaves, stands below every release.
        let installed = self.installed.as_ref().map(|installed| &installed.release).filter(|release| release.place != Place(0, 0));
        let blocked: Vec<Digest> = self.ratchet.blocked.iter().map(|held| held.manifest).collect();
        let quarantined = self.attempts.as_ref().filter(|failed| failed.is_quarantined());
        decide(&Facts {
            installed: installed.map(|release| InstalledFact {
                place: release.place,
                build: &release.id.build,
                manifest: release.manifest,
            }),
            highest: self.ratchet.highest,
            hold: self.ratchet.hold.map(|held| (held.at, held.manifest)),
            blocked: &blocked,
            quarantined: quarantined.map(|failed| Quarantined { manifest: failed.manifest, failures: failed.failures, code: &failed.code }),
            ignored: &self.told.ignored,
            updater: self.updater.as_ref(),
            platform: None,
            server: self.server.as_ref(),
            steering: None,
            now: Some(self.now),
        })
    }
}

/// The install folder `dir`, in which something is installed.
fn find(dir: &Path, run: &Run<'_>) -> Result<Arc<Folder>, Error> {
    let folder = profile::open(dir, &run.registry)?;
    if folder.stat(&LocalPath::state_folder())?.is_none() {
        return Err(Error::NotInstalled);
    }
    Ok(Arc::new(folder))
}

/// What a ratchet must at least hold.
fn known_ratchet(installed: Option<&Installed>) -> Ratchet {
    let mut ratchet = Ratchet::default();
    if let Some(installed) = installed {
        ratchet.raise(installed.release.place);
    }
    ratchet
}

/// Finishes or undoes what an earlier run left, and says so in the history.
fn recover(folder: &Folder, run: &Run<'_>) -> Result<Recovery, Error> {
    let recovery = swap::recover(folder)?;
    let (id, what, found) = match &recovery {
        Recovery::Nothing => return Ok(recovery),
        Recovery::Finished { id, found } => (*id, "finished".to_owned(), found),
        Recovery::Undone { id, found, why: None } => (*id, "undone".to_owned(), found),
        Recovery::Undone { id, found, why: Some(why) } => (*id, format!("undone, because it could not be finished: {why}"), found),
    };
    run.progress.begin(Step::Recover, 0);
    run.progress.note(&format!("an earlier update was cut off and has been {what}"));
    for path in found {
        run.progress.note(&format!("`{path}` was not expected there; it is kept below `.updater/found/{id}`"));
    }
    let mut attempt = run.who.attempt(Id::random(), run.now, Trigger::Recovery);
    attempt.result = Outcome::Recovered;
    attempt.detail = Some(format!("attempt {id} was cut off and has been {what}"));
    // On a full disk the client starts all the same.
    if let Err(not_written) = history::append(folder, &attempt) {
        run.progress.note(&format!("the history could not be written: {not_written}"));
    }
    Ok(recovery)
}
