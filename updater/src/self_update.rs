//! The updater updates itself (attack F13, D-33): a product of kind `updater`, from a repository with a root of its own.
//!
//! What is published, verified, fetched, kept and gone back to is an install like any other, in a folder beside the executable ([`Home`]): trust store, ratchet, plan, swap, backups and rollback
//! are those of a client. Only the last step is different. The entry point of what is installed there has to become the executable, which is running. So:
//!
//! 1. `replace` brings a copy to `.updater/self/next`: hashed against the signed digest, durable, and started once with `self-check` (`prove`), which must read all that this updater reads.
//! 2. The running program is kept in `previous`.
//! 3. The trial is written down (`record`).
//! 4. One rename puts the new program in the place of the old one. (On Windows two: a running program must be moved aside first.)
//! 5. The new program runs the command that this process was started with, and says `confirmed` before it does anything else. If it ends without that, the old program is renamed back, the release
//!    is blocked, and this process goes on by itself.
//!
//! Whatever cuts this off, a working program lies at the path, and the next start finishes or undoes it (`trial`, as `recovery` decides, a pure function). Until the new program has confirmed, this process holds
//! the lock, so a start that gets it knows that nobody is watching any more.

mod home;
mod prove;
mod record;
mod recovery;
mod replace;
mod trial;

use std::io;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;

use manifests::build::Build;
use manifests::channel::{Bound, Kind, Place};
use manifests::decide::{Warning, objections};

use crate::backup;
use crate::backup::rotation::Slot;
use crate::check::{self as checking, Checked};
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::history::{self, Attempt, BuildAt, Outcome};
use crate::id::Id;
use crate::install::{self, Wanted};
use crate::installed::InstalledRelease;
use crate::lock::Lock;
use crate::pipeline::{Error, Run, Session, Updated, Word};
use crate::profile::{self, Wish};
use crate::ratchet::Held;
use crate::state_format;
use crate::swap;
use crate::trigger::Trigger;

pub use home::Home;
use home::kept;
pub use record::{Phase, Program, ProgramRelease, Record, RecordError, Trial};
use replace::Verified;

/// What the new program writes when it lives.
const CONFIRMED: &str = "confirmed";
/// The new program, ready.
const NEXT: &str = "next";
/// The program before.
const PREVIOUS: &str = "previous";

/// The updater cannot update itself. The executable is as it was, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum SelfUpdateError {
    /// The system does not say where this program lies, or its name is not Unicode.
    #[error("the system does not say where this program lies: {source}")]
    Unknown {
        /// Why not.
        source: io::Error,
    },
    /// Nothing is followed.
    #[error("this updater follows no releases of itself: `updater self follow LINK` with the link for the updater")]
    FollowsNothing,
    /// The link leads to something else.
    #[error("{product} is no updater but a {kind}: ask for the install link of the updater itself; nothing was changed")]
    NotAnUpdater {
        /// The product.
        product: String,
        /// What it is.
        kind: &'static str,
    },
    /// The release does not say which of its files is the program.
    #[error(
        "release {build} of the updater has no entry point, so nobody can say which of its files is the program: its publisher has to publish again with `--entry-point`"
    )]
    NoEntryPoint {
        /// Its build.
        build: String,
    },
    /// The executable cannot be replaced.
    #[error("the updater's own file cannot be replaced: {obstacle} (in `{}`); somebody with the right to write there has to run `updater self update`", folder.display())]
    NotWritable {
        /// What stands in the way.
        obstacle: String,
        /// The folder of the executable.
        folder: PathBuf,
    },
    /// The new program was tried before it was to take the old one's place.
    #[error("the new updater does not live, so the old one stays: {reason}")]
    DoesNotLive {
        /// What came of the trial.
        reason: String,
    },
    /// The new program could not be brought to where it is to be tried.
    #[error("the new updater could not be made ready: {reason}")]
    NotPlaced {
        /// Why not.
        reason: String,
    },
    /// The new program took the old one's place and failed there.
    #[error("updater {build} failed, the old one is back, and that release is not tried again: {reason}")]
    PutBack {
        /// The build that failed.
        build: String,
        /// What came of it.
        reason: String,
    },
    /// Neither program is there.
    #[error("neither the old nor the new updater is at `{path}` or in `.updater/self`: install it by hand")]
    Lost {
        /// The path.
        path: LocalPath,
    },
    /// There is nothing to go back to.
    #[error("no earlier updater is kept here")]
    NoPrevious,
    /// What was there before is of an unknown build, and there is a security floor.
    #[error(
        "the updater from before is of an unknown build, and releases below a security floor exist ({why}): if it must be, say why with `--reason WHY`"
    )]
    NeedsReason {
        /// The publisher's words.
        why: String,
    },
    /// See [`RecordError`].
    #[error(transparent)]
    Record(#[from] RecordError),
    /// See [`FsError`].
    #[error(transparent)]
    Fs(#[from] FsError),
}

/// What came of bringing the executable to what is installed.
#[derive(Debug)]
pub enum Activated {
    /// It is that already, or is not to be.
    Nothing,
    /// The new program is at work on the command that this process was started with.
    AtWork {
        /// What it is.
        build: String,
        /// The process.
        child: Child,
    },
}

/// The updater's own folder, locked and recovered.
pub struct SelfUpdater {
    home: Home,
    /// The install beside the executable.
    pub session: Session,
    record: Record,
    /// Install folders whose state a new updater has to be able to read.
    stations: Vec<PathBuf>,
}

/// Makes the updater at `home` follow what `wanted` leads to.
///
/// # Errors
/// Besides those of following: what the link leads to is no updater.
pub async fn follow(home: Home, wanted: &Wanted, run: &Run<'_>) -> Result<SelfUpdater, Error> {
    refuse_unwritable(&home)?;
    let folder = Arc::new(profile::create(&home.dir(), &Wish::default(), &run.registry)?);
    let lock = Lock::acquire(&folder, "self follow")?;
    state_format::refuse_newer(&folder)?;
    swap::recover(&folder)?;
    install::follow(&folder, wanted, &run.routes).await?;
    // A record that cannot be read is given up: what lies at the path is then taken as put there by hand.
    if let Err(RecordError::Damaged { reason }) = Record::load(&folder) {
        run.progress.note(&format!("what was known of this updater's own updates is made anew: {reason}"));
        Record::default().save(&folder)?;
    }
    drop(lock);
    let mut updater = SelfUpdater::open(home, "self follow", vec![], run)?.ok_or(SelfUpdateError::FollowsNothing)?;
    if let Err(error) = updater.check(run).await {
        // Nothing came of it, unless it was followed before.
        if matches!(error, Error::SelfUpdate(SelfUpdateError::NotAnUpdater { .. })) && updater.session.installed.is_none() {
            updater.session.remove_state()?;
        }
        return Err(error);
    }
    Ok(updater)
}

/// Says that this process lives, when it is the subject of a trial; then it does not look for a newer updater. Reads what is kept about the updater itself, so that one that cannot dies here.
pub fn confirm(home: &Home) -> Result<bool, Error> {
    let Some(id) = prove::trial_of_this_process() else { return Ok(false) };
    if !home.follows()? {
        return Ok(false);
    }
    let folder = Folder::open(&home.dir())?;
    state_format::refuse_newer(&folder)?;
    let record = Record::load(&folder).map_err(SelfUpdateError::from)?;
    let is_subject = record.trial.is_some_and(|trial| trial.id == id);
    if is_subject {
        folder.write_durably(&kept(CONFIRMED), id.to_string().as_bytes(), Point::SelfConfirm)?;
    }
    Ok(is_subject)
}

/// The build of the running updater as its own signed state says it, for releases that need one; `None` when nothing is known but what was compiled in.
pub fn running_build(home: &Home) -> Option<Build> {
    if !home.follows().ok()? {
        return None;
    }
    let record = Record::load(&Folder::open(&home.dir()).ok()?).ok()?;
    let subject = record.trial.filter(|trial| Some(trial.id) == prove::trial_of_this_process()).map(|trial| trial.new);
    let program = subject.or(record.active)?;
    // Somebody may have put another program there since.
    let is_it = home.folder.hash(&home.name).is_ok_and(|(found, _)| found == program.sha256);
    program.release.filter(|_| is_it).map(|release| release.build.0)
}

impl SelfUpdater {
    /// Opens what `home` follows for `command`, and finishes or undoes a replacement that was cut off; `None` when it follows nothing. A new updater has to be able to read the state of
    /// `stations`.
    pub fn open(home: Home, command: &str, stations: Vec<PathBuf>, run: &Run<'_>) -> Result<Option<SelfUpdater>, Error> {
        if !home.follows()? {
            return Ok(None);
        }
        let session = Session::open(&home.dir(), command, run)?;
        session.folder.make_folder(&kept(""), Point::StateFolder)?;
        let record = Record::load(&session.folder).map_err(SelfUpdateError::from)?;
        let mut updater = SelfUpdater { home, session, record, stations };
        updater.recover(run)?;
        updater.sweep()?;
        Ok(Some(updater))
    }

    /// What is known of the executable.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Whether `check` and `update` look for a newer updater first.
    pub fn set_automatic(&mut self, automatic: bool) -> Result<(), Error> {
        self.record.automatic = automatic;
        Ok(self.record.save(&self.session.folder)?)
    }

    /// Asks the updater's repository what is new.
    pub async fn check(&mut self, run: &Run<'_>) -> Result<Checked, Error> {
        let checked = self.session.check(run).await?;
        refuse_other_kind(&checked)?;
        Ok(checked)
    }

    /// Brings the install beside the executable to the newest release that is for it. What is to run then is for [`SelfUpdater::activate`].
    pub async fn update(&mut self, run: &Run<'_>) -> Result<Updated, Error> {
        let checked = self.check(run).await?;
        refuse_unwritable(&self.home)?;
        self.session.update_to(checked, Trigger::SelfUpdate, run, false, Word::Yes).await
    }

    /// Brings the executable to what is installed beside it, and has it take over the command that this process was started with.
    pub fn activate(&mut self, run: &Run<'_>) -> Result<Activated, Error> {
        match self.wanted()? {
            Some((verified, program)) => self.replace(&verified, program, run),
            None => Ok(Activated::Nothing),
        }
    }

    /// Takes the updater back to the backup in `slot`, to the newest, or to the program that was there before it followed anything; what was left is held.
    pub async fn rollback(&mut self, slot: Option<Slot>, reason: Option<String>, run: &Run<'_>) -> Result<Activated, Error> {
        refuse_unwritable(&self.home)?;
        if slot.is_some() || !backup::backups(&self.session.folder)?.is_empty() {
            self.session.rollback(slot, reason, run).await?;
            return self.activate(run);
        }
        let previous = self.record.previous.clone().ok_or(SelfUpdateError::NoPrevious)?;
        let path = kept(PREVIOUS);
        let stat = self.session.folder.stat(&path)?.ok_or(SelfUpdateError::NoPrevious)?;
        if reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
            self.refuse_insecure()?;
        }
        let left = self.session.installed.as_ref().map(|installed| installed.release.clone());
        self.session.ratchet.hold = left.as_ref().map(|left| Held { at: left.place, manifest: left.manifest });
        self.session.save_ratchet().map_err(Error::from)?;
        let attempt = run.who.attempt(Id::random(), run.now, Trigger::SelfRollback);
        let attempt = Attempt { from: left.as_ref().map(build_at), result: Outcome::RolledBack, detail: reason, ..attempt };
        history::append(&self.session.folder, &attempt)?;
        let verified = Verified { path, sha256: previous.sha256, mtime: stat.mtime(), mode: stat.mode };
        self.replace(&verified, previous, run)
    }

    /// Refuses to go back to an unknown build where there is a security floor.
    fn refuse_insecure(&self) -> Result<(), SelfUpdateError> {
        let Some((channel, policy)) = checking::remembered(&self.session.folder, &self.session.station) else { return Ok(()) };
        match objections(Place(0, 0), &channel, &policy).into_iter().next() {
            Some(Warning::BelowFloor { reason }) => Err(SelfUpdateError::NeedsReason { why: reason }),
            _ => Ok(()),
        }
    }

    /// The program that is to be at the path and is not: that of the installed release, unless it failed here or was gone back from.
    fn wanted(&self) -> Result<Option<(Verified, Program)>, Error> {
        let Some(installed) = &self.session.installed else { return Ok(None) };
        let InstalledRelease { id, place, manifest, entry_point } = &installed.release;
        let is_active =
            self.record.active.as_ref().and_then(|active| active.release.as_ref()).is_some_and(|active| active.manifest == *manifest);
        let is_held = self.session.ratchet.hold.is_some_and(|held| held.manifest == *manifest);
        if is_active || is_held || self.session.ratchet.is_blocked(manifest) {
            return Ok(None);
        }
        let file = entry_point.as_ref().and_then(|path| installed.file(path));
        let file = file.ok_or_else(|| SelfUpdateError::NoEntryPoint { build: id.build.text().to_owned() })?;
        // An executable keeps who may run it.
        let mode = self.home.folder.stat(&self.home.name)?.map_or(file.mode, |present| present.mode & 0o777);
        let verified = Verified { path: (&file.path).into(), sha256: file.sha256, mtime: file.as_set, mode };
        let release = ProgramRelease { at: *place, build: Bound(id.build.clone()), manifest: *manifest };
        Ok(Some((verified, Program { sha256: file.sha256, release: Some(release) })))
    }

    /// Takes away what a cut left in `.updater/self`. No trial may be under way.
    fn sweep(&self) -> Result<(), FsError> {
        let folder = &self.session.folder;
        for name in folder.names(&kept(""))? {
            let stays = matches!(&name[..], b"record.json" | b"previous");
            if !stays {
                // A program that was moved aside and still runs waits for the next time.
                match folder.discard(&kept("").join(&name), Point::TrashIn) {
                    Err(error) if !cfg!(windows) => return Err(error),
                    _ => {}
                }
            }
        }
        folder.empty_trash()
    }
}

fn refuse_other_kind(checked: &Checked) -> Result<(), SelfUpdateError> {
    let product = checked.channel.id.product.to_string();
    match checked.channel.kind {
        Kind::Updater => Ok(()),
        Kind::Product => Err(SelfUpdateError::NotAnUpdater { product, kind: "product" }),
        Kind::Platform => Err(SelfUpdateError::NotAnUpdater { product, kind: "platform" }),
    }
}

/// Refuses when the executable could not be replaced, before anything is fetched or changed.
fn refuse_unwritable(home: &Home) -> Result<(), SelfUpdateError> {
    match home.folder.obstacles(std::slice::from_ref(&home.name))?.first() {
        Some(obstacle) => Err(SelfUpdateError::NotWritable { obstacle: obstacle.to_string(), folder: home.folder.path().to_owned() }),
        None => Ok(()),
    }
}

fn build_at(release: &InstalledRelease) -> BuildAt {
    BuildAt { build: release.id.build.text().to_owned(), sequence: release.place.1 }
}
