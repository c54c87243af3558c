//! The agent: works for people who have no rights (design section 6, profile `service`).
//!
//! A process of root's, started by the system, listens on a socket (on Windows a named pipe). The `updater` that somebody without rights runs in a folder of the profile `service` asks it, with typed requests in JSON
//! lines ([`message`]); progress and the report come back over the same connection. The system says who asks ([`socket`]); what that account may ask for is one pure function ([`rights`]) over
//! settings that only root writes ([`settings`]). A request names a folder that the registry knows, and nothing else: no path, no command, no address. What is installed is decided by the
//! publisher's signatures, as ever.
//!
//! Nobody can keep the agent from others: a request has to arrive in seconds, connections are counted by account, and one who does not read what he is told is told no more while his request
//! goes on.

pub mod ask;
pub mod message;
pub mod rights;
pub mod serve;
pub mod settings;
#[cfg(unix)]
#[path = "agent/socket/unix.rs"]
pub mod socket;
#[cfg(windows)]
#[path = "agent/socket/windows.rs"]
pub mod socket;

use std::path::PathBuf;

use crate::account::ROOT;
use crate::fs::FsError;
use crate::fs::owners::Exposed;
#[cfg(windows)]
pub use crate::windows_api::service::{Work, run as run_as_service};

/// Where the agent listens unless somebody says otherwise.
pub const SOCKET: &str = if cfg!(windows) { r"\\.\pipe\stationmaster-updater" } else { "/run/stationmaster/agent.sock" };
/// The service of Windows that the agent is.
#[cfg(windows)]
pub const SERVICE: &str = "stationmaster-updater";
/// What starts it.
const START: &str = if cfg!(windows) { "sc start stationmaster-updater" } else { "systemctl start stationmaster-updater" };

/// The agent cannot be had, or cannot be.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Nobody listens.
    #[error(
        "only {ROOT} changes this folder (profile `service`), and its agent does not answer at `{}` ({source}): ask an administrator for `{START}`, or run this as {ROOT}",
        path.display()
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Who listens is somebody else.
    #[error("what listens at `{}` is not the agent of this folder but {who}: nothing was asked; tell an administrator", path.display())]
    NotOurs {
        /// The socket.
        path: PathBuf,
        /// Who it is.
        who: String,
    },
    /// The connection broke off.
    #[error("the agent went away ({0}); what it was doing is finished or undone when it starts again: ask `updater status` then")]
    Lost(std::io::Error),
    /// What came is no answer.
    #[error("the agent's answer cannot be read ({0}): it may be another version than this program; update both")]
    Unreadable(String),
    /// The command or option is not for those who ask the agent.
    #[error("{what} is for {ROOT} alone in a folder with the profile `service`")]
    NotForAll {
        /// What was asked for.
        what: &'static str,
    },
    /// The socket cannot be made.
    #[error("listening at `{}` failed: {source}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is one already.
    #[error("an agent listens at `{}` already", path.display())]
    AlreadyRunning {
        /// The socket.
        path: PathBuf,
    },
    /// Something else lies where the socket belongs.
    #[error("`{}` is in the way and is no socket of ours: remove it, or name another with `--socket PATH`", path.display())]
    InTheWay {
        /// What lies there.
        path: PathBuf,
    },
    /// Others could write where the agent works.
    #[error("others can change what the agent relies on: {}; only {ROOT} may", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Exposed(Vec<Exposed>),
    /// The settings.
    #[error("the settings in `{}` cannot be used: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
}
