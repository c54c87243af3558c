//! The record of the operating system: what is written to a station's history is said there, too (S1-8, D-25, AC-74), so that whoever looks after many computers finds it where everything else is.
//!
//! On Linux the systemd journal, with fields to search by, or syslog where there is none; on Windows the event log. A line goes there after it stands in the history, once. A record that cannot be
//! written stops nothing and hides nothing: the history is what counts.
//!
//! The program says at its start that there is such a record ([`begin`]); without that, nothing is written, as in tests of the library.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::history::{Attempt, Outcome};

#[cfg(unix)]
#[path = "system_log/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "system_log/windows.rs"]
mod platform;

/// Where the records of this computer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemLog {
    /// The socket of the systemd journal.
    pub journal: PathBuf,
    /// The socket of syslog, for a system without that journal.
    pub syslog: PathBuf,
}

static LOG: OnceLock<SystemLog> = OnceLock::new();

/// From now on, what is written to a history goes to `log`, too.
pub fn begin(log: SystemLog) {
    // Only the first one counts: a program has one record.
    let _ = LOG.set(log);
}

/// Says `attempt` on the install folder `folder`.
pub(crate) fn tell(folder: &Path, attempt: &Attempt) {
    if let Some(log) = LOG.get()
        && let Err(error) = platform::write(log, &Record::of(folder, attempt))
    {
        tracing::debug!(%error, "the system's own record could not be written");
    }
}

/// What is said of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// In words.
    message: String,
    /// Whether somebody should look.
    is_warning: bool,
    /// For searching: a name in capitals, and its value.
    fields: Vec<(&'static str, String)>,
}

impl Record {
    fn of(folder: &Path, attempt: &Attempt) -> Record {
        let build = |at: &Option<crate::history::BuildAt>| at.as_ref().map(|at| at.build.clone());
        let result = attempt.result.as_str();
        let (from, to) = (build(&attempt.from), build(&attempt.to));
        let mut message = format!("{}: {result}", attempt.triggers());
        if let Some(to) = &to {
            message += &format!(" {} → {to}", from.as_deref().unwrap_or("nothing"));
        }
        message += &format!(" in {} by {}", folder.display(), attempt.os_user);
        message += &attempt.approver.as_ref().map_or(String::new(), |approver| format!(", approved by {approver}"));
        message += &attempt.detail.as_ref().map_or(String::new(), |detail| format!(" ({})", detail.escape_debug()));
        let joined: Vec<&str> = attempt.joined.iter().map(|trigger| trigger.as_str()).collect();
        let joined = Some(joined.join(" ")).filter(|joined| !joined.is_empty());
        let fields = [
            ("STATIONMASTER_ATTEMPT", Some(attempt.id.to_string())),
            ("STATIONMASTER_TIME", Some(attempt.time.to_string())),
            ("STATIONMASTER_HOST", Some(attempt.host.clone())),
            ("STATIONMASTER_USER", Some(attempt.os_user.clone())),
            ("STATIONMASTER_APPROVER", attempt.approver.clone()),
            ("STATIONMASTER_TRIGGER", Some(attempt.trigger.to_string())),
            ("STATIONMASTER_JOINED", joined),
            ("STATIONMASTER_FROM", from),
            ("STATIONMASTER_TO", to),
            ("STATIONMASTER_RESULT", Some(result.to_owned())),
            ("STATIONMASTER_CODE", attempt.code.clone()),
            ("STATIONMASTER_FOLDER", Some(folder.display().to_string())),
        ];
        let is_warning = match attempt.result {
            Outcome::Failed => true,
            Outcome::RolledBack => attempt.code.is_some(),
            _ => false,
        };
        Record { message, is_warning, fields: fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect() }
    }
}
