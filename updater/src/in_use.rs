//! Which programs keep a swap from happening: those that run from the install folder, and those that hold a file that goes (D-31, attack F8).
//!
//! Nobody is ever killed. Whoever holds a file is named, with process, user and file, so that people can close it; the swap waits for them or for the next run. This is a look at one
//! moment, so a swap looks once more when the entry points are out and nothing starts any more: who came meanwhile makes it undo itself, and so does a file that the system keeps all the same (Windows).
//!
//! Not seen are processes of other users where the system hides them; [`Looked::unseen`] names those users. The updater itself, in all its processes, is no holder.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::fs::{Folder, LocalPath};

#[cfg(target_os = "linux")]
mod interpret;
#[cfg(target_os = "linux")]
#[path = "in_use/linux.rs"]
mod platform;
#[cfg(windows)]
#[path = "in_use/windows.rs"]
mod platform;
#[cfg(not(any(target_os = "linux", windows)))]
#[path = "in_use/unsupported.rs"]
mod platform;

/// How long a look is good for while nobody has ended: a program may also close a file and go on.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What to do while somebody holds what is to be replaced (D-31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InUse {
    /// Leave the live files alone; what is prepared stays for the next run.
    #[default]
    Defer,
    /// Wait until nobody does, at most so long; then defer.
    Wait(Option<Duration>),
}

/// The files of an install folder that a swap is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Files that are replaced or removed, and those that start the client: nobody may have them open.
    pub replaced: Vec<LocalPath>,
    /// Everything else that can run: nobody may run it.
    pub programs: Vec<LocalPath>,
}

/// What a process does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Runs it.
    Runs,
    /// Has it mapped, as programs have their libraries.
    Maps,
    /// Has it open.
    HasOpen,
}

/// A process that holds a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its process id; 0 when Windows does not say who it is.
    pub pid: u32,
    /// The name of its program.
    pub program: String,
    /// Whose it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// One file that it holds.
    pub file: String,
    /// What it does with that.
    #[serde(rename = "use")]
    pub how: Use,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { pid, program, user, file, how } = self;
        let how = match how {
            Use::Runs => "runs",
            Use::Maps => "has loaded",
            Use::HasOpen => "has open",
        };
        let user = user.as_ref().map_or(String::new(), |user| format!(" of {user}"));
        write!(f, "`{program}` (process {pid}{user}) {how} `{file}`")
    }
}

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Who holds files, by process id.
    pub holders: Vec<Holder>,
    /// People whose processes could not be looked at. Accounts of the system are not named: they run no client.
    pub unseen: Vec<String>,
}

/// The holders in words, at most three of them.
pub fn list(holders: &[Holder]) -> String {
    let shown: Vec<String> = holders.iter().take(3).map(ToString::to_string).collect();
    let more = holders.len().saturating_sub(shown.len());
    if more > 0 { format!("{}; and {more} more", shown.join("; ")) } else { shown.join("; ") }
}

/// Who holds files of `watched` in `folder`, or runs anything from there. An error says that the system does not tell.
pub fn look(folder: &Folder, watched: &Watched) -> io::Result<Looked> {
    platform::holders(folder, watched)
}

/// Looks until nobody holds files of `watched` any more, or `longest` is over; returns the last look. Wakes when one of the holders ends. `waiting` is told whenever they are others.
pub async fn wait(folder: &Folder, watched: &Watched, longest: Option<Duration>, mut waiting: impl FnMut(&[Holder])) -> io::Result<Looked> {
    let started = Instant::now();
    let mut told = vec![];
    loop {
        let looked = look(folder, watched)?;
        let left = longest.map(|longest| longest.saturating_sub(started.elapsed()));
        if looked.holders.is_empty() || left == Some(Duration::ZERO) {
            return Ok(looked);
        }
        if looked.holders != told {
            waiting(&looked.holders);
            told.clone_from(&looked.holders);
        }
        let pids: Vec<u32> = looked.holders.iter().map(|holder| holder.pid).collect();
        let at_most = left.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN);
        // That the runtime goes down meanwhile is no error of ours: the next look tells.
        let _ = tokio::task::spawn_blocking(move || platform::one_ends(&pids, at_most)).await;
    }
}
