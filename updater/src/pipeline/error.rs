//! How a run fails, as the caller sees it: one type with a stable code, an exit code and words that say what to do.

mod code;

use std::sync::Arc;

use manifests::build::InvalidBuild;
use manifests::channel::Place;
use manifests::release::ManifestError;
use manifests::time::UtcTime;

use super::{IgnoreError, Misfit};
use crate::agent::AgentError;
use crate::backup::BackupError;
use crate::backup::rotation::Slot;
use crate::check::CheckError;
use crate::fetch::ContentError;
use crate::fetch::http::InvalidAuthority;
use crate::fetch::source::FetchError;
use crate::fs::{FsError, Obstacle, obstacles};
use crate::in_use::{self, Holder};
use crate::install::InstallError;
use crate::installed::InstalledError;
use crate::interference::Evidence;
use crate::lock::LockError;
use crate::plan::PlanError;
use crate::probe::ProbeError;
use crate::profile::ProfileError;
use crate::ratchet::RatchetError;
use crate::rollback::RollbackError;
use crate::room::NoRoom;
use crate::schedule::ScheduleError;
use crate::self_update::SelfUpdateError;
use crate::settings::SettingsError;
use crate::shortcut::ShortcutError;
use crate::stage::StageError;
use crate::state_format::StateFormatError;
use crate::station::StationError;
use crate::support_bundle::BundleError;
use crate::swap::{RecoveryError, SwapError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder follows nothing.
    #[error("this folder follows no release: install with `updater install LINK --dir DIR`")]
    NotInstalled,
    /// There is nothing to go back to.
    #[error("there is no backup to go back to")]
    NoBackup,
    /// The build in the backup is not one to go back to without a reason.
    #[error("the build in `{}` {what} ({why}): if it must be, say why with `updater rollback --to {:03} --reason WHY`", slot.folder_name(), slot.number())]
    NeedsReason {
        /// The backup.
        slot: Slot,
        /// What is wrong with the build.
        what: &'static str,
        /// Why, in the publisher's words.
        why: String,
    },
    /// The build in the backup is not one that anybody may go back to.
    #[error("the build in `{}` {what} ({why}): only the owner of the folder or an administrator may go back to it", slot.folder_name())]
    NeedsAdmin {
        /// The backup.
        slot: Slot,
        /// What is wrong with the build.
        what: &'static str,
        /// Why, in the publisher's words.
        why: String,
    },
    /// Nothing of this product is for this station.
    #[error("no release of {channel} is for this station{}", reason.as_ref().map_or(String::new(), |reason| format!(": {reason}")))]
    NothingReleased {
        /// The channel.
        channel: String,
        /// Why the newest is not.
        reason: Option<String>,
    },
    /// The manifest of what is installed is nowhere to be had.
    #[error(
        "the file list of the installed release {place} is neither here nor in the repository any more: `updater update` brings the folder to the newest release"
    )]
    NoManifest {
        /// The release.
        place: Place,
    },
    /// What the source gave for the manifest has another digest.
    #[error("the file list of release {place} that the source gave is not the one that is signed; nothing was changed")]
    WrongManifest {
        /// The release.
        place: Place,
    },
    /// Write rights are missing.
    #[error("{} cannot be replaced, so nothing was changed: {}", .0.len(), obstacles::list(.0))]
    NotWritable(Vec<Obstacle>),
    /// Somebody uses what would be replaced.
    #[error(
        "the client is in use, so nothing was changed: {}. Close it, or let the updater wait with `--in-use wait`",
        if .0.is_empty() { "a file is held by a program that cannot be seen".to_owned() } else { in_use::list(.0) }
    )]
    InUse(Vec<Holder>),
    /// A build that did not live stays, for want of another.
    #[error("{build} is installed and did not live ({why}), and nothing can come back: {reason}")]
    NoWayBack {
        /// The build.
        build: String,
        /// Why it should go.
        why: String,
        /// Why it cannot.
        reason: String,
    },
    /// The release says nothing of what starts it.
    #[error("release {build} does not say which file starts it: its publisher has to give `--entry-point`")]
    NoEntryPoint {
        /// The build.
        build: String,
    },
    /// The client does not fit the server that it talks to, and is not started.
    #[error("{}; the client is not started: {}", .0.judged, .0.why)]
    Incompatible(Box<Misfit>),
    /// It is for administrators here (D-02).
    #[error(
        "{what} is for whoever answers for this folder (its owner, root, or an administrator of the agent), and you are {os_user}; nothing was changed"
    )]
    NotForYou {
        /// What was asked for.
        what: &'static str,
        /// By whom.
        os_user: String,
    },
    /// See [`IgnoreError`].
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// A build that somebody named is none.
    #[error(transparent)]
    Build(#[from] InvalidBuild),
    /// What others change is not put back any more.
    #[error("{evidence}. It is not put back again before {until}, or until somebody says so: `updater update --retry`")]
    SecondUpdater {
        /// Why that is.
        evidence: Box<Evidence>,
        /// Until then, unless somebody asks for it.
        until: UtcTime,
    },
    /// A start of the client did not wait longer for its files.
    #[error(
        "not all of the release arrived in the time that a start waits; what did is kept, and the next start or `updater update` goes on from there"
    )]
    NotAtStart,
    /// Something would have to be fetched, and nothing may be.
    #[error("not everything of the release is here: run `updater update`")]
    NotAllHere,
    /// See [`NoRoom`].
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// See [`CheckError`].
    #[error(transparent)]
    Check(#[from] CheckError),
    /// See [`InstallError`].
    #[error(transparent)]
    Install(#[from] InstallError),
    /// See [`ManifestError`].
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// See [`PlanError`].
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// See [`FetchError`].
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// See [`ContentError`].
    #[error(transparent)]
    Content(#[from] ContentError),
    /// See [`StageError`].
    #[error(transparent)]
    Stage(#[from] StageError),
    /// See [`SwapError`].
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// See [`RecoveryError`].
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// See [`BackupError`].
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// See [`RollbackError`].
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// See [`ProbeError`].
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// See [`LockError`].
    #[error(transparent)]
    Lock(#[from] LockError),
    /// See [`InstalledError`].
    #[error(transparent)]
    Installed(#[from] InstalledError),
    /// See [`StationError`].
    #[error(transparent)]
    Station(#[from] StationError),
    /// See [`RatchetError`].
    #[error(transparent)]
    Ratchet(#[from] RatchetError),
    /// See [`SettingsError`].
    #[error(transparent)]
    Settings(Arc<SettingsError>),
    /// See [`ShortcutError`].
    #[error(transparent)]
    Shortcut(#[from] ShortcutError),
    /// See [`ScheduleError`].
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// See [`SelfUpdateError`].
    #[error(transparent)]
    SelfUpdate(#[from] SelfUpdateError),
    /// See [`StateFormatError`].
    #[error(transparent)]
    StateFormat(#[from] StateFormatError),
    /// See [`ProfileError`].
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// See [`AgentError`].
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// See [`FsError`].
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The runtime could not be started.
    #[error("the updater could not start its workers: {0}")]
    Runtime(std::io::Error),
    /// A bundle for support is not written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file of authorities named on the command line or in the environment.
    #[error(transparent)]
    Authority(#[from] InvalidAuthority),
    /// A file named on the command line.
    #[error("reading `{path}` failed: {source}")]
    Argument {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Error::Settings(Arc::new(error))
    }
}
