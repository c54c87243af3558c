//! The schedule: the system's own timer starts a check while nobody sits there (S1-9, S1-12, AC-27…29).
//!
//! Times lie on a grid: every period has one moment for this station, found from a hash of the machine and the install folder ([`phase`]), so that stations that were started together do not ask
//! together. What the timer starts is `updater schedule run`, and that decides by itself whether the moment of this period has been taken ([`due`]): so a timer may fire more often than
//! needed, late, or twice, a station that slept through three periods checks once, and no check that somebody asks for shifts anything. Every kind but an account's task on
//! Windows starts one each hour or more often, so that a check which did not come through is soon tried again.
//!
//! The files are rendered by pure functions, one per kind of timer; [`register`] tells the system of them, and says what it could not. What was made is remembered in `.updater/schedule.json`,
//! so that it can be taken away again.

pub mod calendar;
pub mod cron;
pub mod due;
pub mod launchd;
mod machine;
pub mod phase;
pub mod register;
pub mod systemd;
pub mod windows_task;

use std::path::{Path, PathBuf};

use manifests::channel::FORMAT;
use manifests::json;
use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

use crate::fs::outside::{self, Readers};
use crate::fs::{Folder, FsError, LocalPath, Point};
use crate::mark;
use crate::settings::Interval;
pub use register::{Places, Registration};

/// The beginning of the name of every task; the rest says which install folder it is for.
pub const NAME: &str = "stationmaster-updater";
/// The command that makes tasks, as their marks name it.
const COMMAND: &str = "schedule install";
/// Longest file that is read, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;

/// The system's timers that can start a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A service and a timer of systemd.
    Systemd,
    /// A line of cron.
    Cron,
    /// A task of the Windows Task Scheduler.
    Task,
    /// A property list of launchd.
    Launchd,
}

/// Whose a timer is, or a shortcut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The computer's: it runs as root, whoever is logged in.
    System,
    /// That of the account which installs it.
    User,
}

/// What is to be started, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What the system calls it.
    pub name: String,
    /// The install folder, absolute, for people to read.
    pub folder: String,
    /// The updater, absolute.
    pub program: String,
    /// What it is given.
    pub arguments: Vec<String>,
    /// The period.
    pub every: Interval,
    /// The moment of this station within a period, in seconds.
    pub phase: u64,
    /// Whose it is.
    pub scope: Scope,
}

/// A file of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its name in the folder where such files lie.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A task that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Of which kind.
    pub kind: Kind,
    /// Whose it is.
    pub scope: Scope,
    /// What the system calls it.
    pub name: String,
    /// The folder of its files; none for a line in somebody's crontab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PathBuf>,
    /// What names the install folder in it: only what holds this is ever replaced or removed.
    #[serde(default)]
    pub tag: String,
}

/// `schedule.json`: what was made, and which moment was taken last, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The task; none when there is none.
    pub task: Option<Made>,
    /// When the last scheduled run began.
    pub last: Option<UtcTime>,
    /// How many runs in a row, that one included, did not come through; 0 when it did.
    pub failed: u32,
}

#[derive(Serialize, Deserialize)]
struct ScheduleWire {
    format: u64,
    #[serde(rename = "type")]
    document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Made>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<UtcTime>,
    #[serde(default)]
    failed: u32,
}

/// A schedule cannot be set up or taken away.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A name or path that cannot be written into such a file.
    #[error("`{text}` cannot be written into a schedule ({why}): use another one")]
    Text {
        /// The text.
        text: String,
        /// Why not.
        why: &'static str,
    },
    /// There is no such timer here.
    #[error(
        "there is no place for {kind} {scope} schedules on this system: choose another with `--kind` or `--user`, or name a folder with `--into`"
    )]
    NoPlace {
        /// Which.
        kind: Kind,
        /// Whose.
        scope: Scope,
    },
    /// The name belongs to another install.
    #[error("`{}` is there already and is not of this install folder: give another `--alias`, or remove it first", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The system has something of that name, and it is not of this install folder.
    #[error("{kind} has `{name}` already, and it is not of this install folder: give another `--alias`, or remove it first")]
    TakenName {
        /// The timer.
        kind: Kind,
        /// What it calls it.
        name: String,
    },
    /// A file of the system cannot be written or removed.
    #[error("`{}` cannot be written or removed: {source} (run as root for `--system`, or use `--user`)", path.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system still has the task, and was not made to forget it.
    #[error(
        "the system keeps the task `{name}`, and nothing was taken away: `{command}` failed ({why}); do this again as whoever may run that"
    )]
    Kept {
        /// What the system calls it.
        name: String,
        /// What was run.
        command: String,
        /// What came of it.
        why: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Systemd => "systemd",
            Kind::Cron => "cron",
            Kind::Task => "Task Scheduler",
            Kind::Launchd => "launchd",
        })
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Scope::System => "system",
            Scope::User => "user",
        })
    }
}

impl Kind {
    /// The files of `task`.
    pub fn render(self, task: &Task) -> Vec<Rendered> {
        match self {
            Kind::Systemd => systemd::render(task),
            Kind::Cron => vec![cron::render(task)],
            Kind::Task => vec![windows_task::render(task)],
            Kind::Launchd => vec![launchd::render(task)],
        }
    }

    /// The names of the files of a task called `name`.
    pub fn file_names(self, name: &str) -> Vec<String> {
        match self {
            Kind::Systemd => vec![format!("{name}.service"), format!("{name}.timer")],
            // A file of `/etc/cron.d` with a dot in its name is not read.
            Kind::Cron => vec![name.to_owned()],
            Kind::Task => vec![format!("{name}.xml")],
            Kind::Launchd => vec![format!("{name}.plist")],
        }
    }
}

impl Task {
    /// What stands in every file of the task, and in none of another install folder.
    fn mark(&self) -> String {
        mark_of(&mark::tag(&self.folder))
    }

    /// Refuses what no renderer can write: control characters end a line of a unit file or of cron.
    pub fn check(&self) -> Result<(), ScheduleError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_name) {
            let text = manifests::quote::quoted(&self.name, 80).to_string();
            return Err(ScheduleError::Text { text, why: "a name has letters, digits, `-` and `_`, at most 64" });
        }
        let texts = self.arguments.iter().chain([&self.program, &self.folder]);
        match texts.into_iter().find(|text| text.chars().any(char::is_control)) {
            Some(text) => {
                Err(ScheduleError::Text { text: manifests::quote::quoted(text, 80).to_string(), why: "it has control characters" })
            }
            None => Ok(()),
        }
    }
}

impl Made {
    /// What becomes of `task` when it is made of this `kind`, its files in `place`.
    pub fn of(task: &Task, kind: Kind, place: Option<PathBuf>) -> Made {
        Made { kind, scope: task.scope, name: task.name.clone(), place, tag: mark::tag(&task.folder) }
    }

    /// What stands in all that was made, and in nothing of another install folder.
    fn mark(&self) -> String {
        mark_of(&self.tag)
    }

    /// Its files.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(place) = &self.place else { return vec![] };
        self.kind.file_names(&self.name).iter().map(|name| place.join(name)).collect()
    }
}

impl Schedule {
    fn path() -> LocalPath {
        LocalPath::state("schedule.json")
    }

    /// Reads the document; what cannot be read says nothing, so that the next run is due.
    pub fn parse(bytes: &[u8]) -> Schedule {
        let known = json::from_slice::<ScheduleWire>(bytes, LIMIT_BYTES).ok();
        let known = known.filter(|wire| wire.format == FORMAT && wire.document == "schedule");
        known.map_or_else(Schedule::default, |ScheduleWire { task, last, failed, .. }| Schedule { task, last, failed })
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Schedule { task, last, failed } = self.clone();
        // A place was given as Unicode: nothing in it can fail to serialise.
        serde_json::to_vec(&ScheduleWire { format: FORMAT, document: "schedule".into(), task, last, failed }).unwrap_or_default()
    }

    /// What is known in `folder`.
    pub fn load(folder: &Folder) -> Result<Schedule, FsError> {
        Ok(Schedule::parse(&folder.read(&Self::path())?.unwrap_or_default()))
    }

    /// Stores it durably.
    pub fn save(&self, folder: &Folder) -> Result<(), FsError> {
        folder.write_durably(&Self::path(), &self.to_bytes(), Point::ScheduleFile)
    }
}

fn mark_of(tag: &str) -> String {
    mark::mark(COMMAND, tag)
}

/// What the task of the install folder `folder` (absolute, without links) is called.
pub fn name_of(folder: &Path) -> String {
    format!("{NAME}-{}", mark::tag(&folder.to_string_lossy()))
}

/// The moment of the install folder `folder` (absolute, without links) on this computer, within a period of `every`, in seconds.
pub fn phase_of(folder: &Path, every: Interval) -> u64 {
    phase::of(&machine::id(), &folder.to_string_lossy(), every.seconds())
}

/// Makes `task` of this `kind` for `folder`, its files in `place`, and tells the system of it when `registers`. What was there for this folder before is gone then: two installs are one task (AC-28).
///
/// # Errors
/// Nothing was made when a file of that name, or what the system has under it, belongs to another install or to another program: the vendor's own task has the name that people look for.
pub fn install(folder: &Folder, task: &Task, kind: Kind, place: Option<PathBuf>, registers: bool) -> Result<Registration, ScheduleError> {
    task.check()?;
    // It could not be written down, and the task would be forgotten.
    if let Some(place) = place.as_ref().filter(|place| place.to_str().is_none()) {
        return Err(ScheduleError::Text { text: place.display().to_string(), why: "it is not Unicode" });
    }
    let mut schedule = Schedule::load(folder)?;
    let made = Made::of(task, kind, place);
    let rendered = kind.render(task);
    for path in made.files() {
        let old = outside::read(&path).map_err(|source| ScheduleError::Outside { path: path.clone(), source })?;
        if old.is_some_and(|old| !mark::has(&old, &task.mark())) {
            return Err(ScheduleError::Taken { path });
        }
    }
    if registers && register::is_others(&made) {
        return Err(ScheduleError::TakenName { kind, name: made.name });
    }
    if let Some(old) = schedule.task.take().filter(|old| *old != made) {
        take_away(&old)?;
    }
    // Remembered first: what a cut leaves is found and taken away.
    schedule.task = Some(made.clone());
    schedule.save(folder)?;
    for (path, file) in made.files().into_iter().zip(&rendered) {
        outside::place(&path, &file.bytes, Readers::All, Point::ScheduleFile).map_err(|source| ScheduleError::Outside { path, source })?;
    }
    Ok(if registers { register::register(&made, &rendered) } else { Registration::Left })
}

/// Takes the task of `folder` away; `None` when there is none. For whoever gives the folder up, too.
///
/// # Errors
/// What the system keeps stays known here, with its files: it would go on starting checks, and nobody could find it.
pub fn remove(folder: &Folder) -> Result<Option<Made>, ScheduleError> {
    let mut schedule = Schedule::load(folder)?;
    let Some(made) = schedule.task.take() else { return Ok(None) };
    take_away(&made)?;
    schedule.save(folder)?;
    Ok(Some(made))
}

/// What came in its place meanwhile, with other marks, is somebody else's and stays.
fn take_away(made: &Made) -> Result<(), ScheduleError> {
    // What was never registered, or is not any more, cannot be unregistered either.
    if !register::is_others(made)
        && let Registration::Failed { command, why } = register::unregister(made)
        && register::is_registered(made) != Some(false)
    {
        return Err(ScheduleError::Kept { name: made.name.clone(), command, why });
    }
    for path in made.files() {
        let refused = |source| ScheduleError::Outside { path: path.clone(), source };
        if outside::read(&path).map_err(refused)?.is_some_and(|bytes| mark::has(&bytes, &made.mark())) {
            outside::remove(&path, Point::ScheduleFile).map_err(refused)?;
        }
    }
    register::after_removal(made);
    Ok(())
}

#[cfg(test)]
mod tests;
