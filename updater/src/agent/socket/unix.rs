//! The socket of the agent, on Unix: it lies in a folder that only root writes, everybody may connect, and the system says who does (`accounts`).
//!
//! Neither side believes a path: the agent replaces nothing but a socket of its own that nobody listens at any more, and who asks looks at who answers before saying a word.

#[cfg(target_os = "linux")]
#[path = "accounts/linux.rs"]
mod accounts;
#[cfg(not(target_os = "linux"))]
#[path = "accounts/other.rs"]
mod accounts;

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use nix::unistd::{Group, Uid, User};

use crate::agent::AgentError;
use crate::agent::rights::Peer;
use crate::fs::owners::{self, Owners};

/// The place where the agent listens.
#[derive(Debug)]
pub struct Listener(UnixListener);

/// A connection.
pub type Stream = UnixStream;

impl Listener {
    /// Listens at `path`, making its folder when that is missing.
    pub fn bind(path: &Path) -> Result<Listener, AgentError> {
        let failed = |source| AgentError::Listen { path: path.to_owned(), source };
        let owners = Owners::here();
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(failed(io::ErrorKind::InvalidInput.into())) };
        owners::make_own_folder(folder)?;
        let folder = owners::canonical(folder)?;
        let found = owners::exposed(&folder, owners)?;
        if !found.is_empty() {
            return Err(AgentError::Exposed(found));
        }
        let at = folder.join(name);
        make_way(&at, owners)?;
        let listener = UnixListener::bind(&at).map_err(failed)?;
        owners::open_to_everybody(&at).map_err(failed)?;
        Ok(Listener(listener))
    }

    /// The next connection.
    pub fn accept(&self) -> io::Result<Stream> {
        self.0.accept().map(|(stream, _)| stream)
    }
}

/// Removes the socket of an agent that is gone.
fn make_way(at: &Path, owners: Owners) -> Result<(), AgentError> {
    let in_the_way = || AgentError::InTheWay { path: at.to_owned() };
    let Ok(found) = std::fs::symlink_metadata(at) else { return Ok(()) };
    if !found.file_type().is_socket() || !owners.include(found.uid()) {
        return Err(in_the_way());
    }
    match UnixStream::connect(at) {
        Ok(_) => Err(AgentError::AlreadyRunning { path: at.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => owners::remove_socket(at).map_err(|_| in_the_way()),
        Err(_) => Err(in_the_way()),
    }
}

/// The account at the other end of a connection, as the system has it.
#[derive(Debug)]
pub struct Account {
    /// Its number.
    pub uid: u32,
}

/// The account at the other end of `stream`.
pub fn account(stream: &Stream) -> io::Result<Account> {
    Ok(Account { uid: accounts::of_peer(stream)? })
}

/// Who the account is, with the groups that the system's directory of accounts gives him. Those of his process do not count: `newgrp` and setgid programs add some. Without an entry there
/// he has none. May wait for the directory.
pub fn peer(&Account { uid }: &Account) -> Peer {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let groups = user.iter().flat_map(accounts::groups).filter_map(|gid| Some(Group::from_gid(gid).ok().flatten()?.name)).collect();
    Peer { uid, name: user.map_or_else(|| format!("uid {uid}"), |user| user.name), groups }
}

/// Connects to the agent at `path`, which must be root or the account that `state` belongs to.
pub fn connect(path: &Path, state: &Path) -> Result<Stream, AgentError> {
    let not_running = |source| AgentError::NotRunning { path: path.to_owned(), source };
    let not_ours = |who: String| AgentError::NotOurs { path: path.to_owned(), who };
    let found = std::fs::symlink_metadata(path).map_err(not_running)?;
    if !found.file_type().is_socket() {
        return Err(not_ours("something that is no socket".into()));
    }
    let stream = UnixStream::connect(path).map_err(not_running)?;
    let listening = accounts::of_peer(&stream).map_err(not_running)?;
    let keeper = std::fs::symlink_metadata(state).map(|state| state.uid()).unwrap_or(0);
    if listening != 0 && listening != keeper {
        return Err(not_ours(format!("a program of the account {listening}")));
    }
    Ok(stream)
}

/// Lets nothing that is read or written on `stream` take longer than `limit`.
pub fn hurry(stream: &Stream, limit: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))
}
