//! The socket of the agent, on Windows: a named pipe that belongs to the administrators, whose list lets everybody of this computer connect and nobody else make another end of it. The system says
//! who connects: the agent takes his place for a moment and looks at the token.
//!
//! Who asks looks at who owns the pipe before saying a word: a name can be taken before the agent starts, but only administrators can make something that belongs to them. (The process at the other
//! end says no more, and somebody without rights may not look at a process of the system.) He lets himself be recognised and not stood for, so that nobody gets his rights by taking the name.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, FILE_GENERIC_READ, FILE_WRITE_DATA, SECURITY_IDENTIFICATION};

use crate::account::platform::{name_of, number_of};
use crate::account::sid::Sid;
use crate::agent::AgentError;
use crate::agent::rights::Peer;
use crate::fs::owners::descriptor::{self, Grant};
use crate::windows_api::{pipes, security};

/// What others may do with the pipe: read and write, and look at its owner; not make another end of it (`FILE_CREATE_PIPE_INSTANCE`, the bit of appending).
const CONNECT: u32 = FILE_GENERIC_READ | FILE_WRITE_DATA;
/// How long all ends of the pipe may be taken. The agent makes a new one as soon as one is.
const BUSY: Duration = Duration::from_secs(5);

/// The place where the agent listens.
#[derive(Debug)]
pub struct Listener {
    name: PathBuf,
    /// The end that the next one connects to.
    next: Mutex<OwnedHandle>,
}

/// A connection.
#[derive(Debug)]
pub struct Stream {
    pipe: OwnedHandle,
    limit: Mutex<Duration>,
}

/// Who is at the other end, as the system has it.
#[derive(Debug)]
pub struct Account {
    /// His number; 0 with an administrator's rights.
    pub uid: u32,
    sid: Sid,
    groups: Vec<Sid>,
}

impl Listener {
    /// Listens at the pipe `path`.
    pub fn bind(path: &Path) -> Result<Listener, AgentError> {
        let path_buf = || path.to_owned();
        match open(path) {
            Ok(pipe) if is_administrators(&pipe) => return Err(AgentError::AlreadyRunning { path: path_buf() }),
            Ok(_) => return Err(AgentError::InTheWay { path: path_buf() }),
            Err(_) => {}
        }
        let next = end(path, true).map_err(|source| AgentError::Listen { path: path_buf(), source })?;
        Ok(Listener { name: path_buf(), next: Mutex::new(next) })
    }

    /// The next connection.
    pub fn accept(&self) -> io::Result<Stream> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        pipes::wait_for_client(next.as_handle())?;
        let pipe = std::mem::replace(&mut *next, end(&self.name, false)?);
        Ok(Stream::new(pipe))
    }
}

impl Stream {
    fn new(pipe: OwnedHandle) -> Stream {
        Stream { pipe, limit: Mutex::new(Duration::MAX) }
    }

    /// Another handle of the same connection.
    pub fn try_clone(&self) -> io::Result<Stream> {
        self.pipe.try_clone().map(Stream::new)
    }

    fn limit(&self) -> Duration {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        pipes::read(self.pipe.as_handle(), buffer, self.limit())
    }
}

impl io::Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        pipes::write(self.pipe.as_handle(), bytes, self.limit())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who is at the other end of `stream`, as the system has it.
pub fn account(stream: &Stream) -> io::Result<Account> {
    let administrators = Sid::administrators();
    let client = pipes::client(stream.pipe.as_handle(), administrators.as_bytes())?;
    let sid = Sid::parse(&client.user).ok_or(io::ErrorKind::InvalidData)?;
    // An administrator's account without an administrator's rights, as Windows starts programs, is one like any other.
    let uid = if client.is_administrator { 0 } else { number_of(&sid) };
    let groups = client.groups.iter().filter_map(|group| Sid::parse(group)).collect();
    Ok(Account { uid, sid, groups })
}

/// Who that is, with the groups that are switched on in his token: each as `DOMAIN\name` and as its number. May wait for the directory.
pub fn peer(account: &Account) -> Peer {
    let groups = account.groups.iter().flat_map(|group| [name_of(group), group.to_string()]).collect();
    Peer { uid: account.uid, name: name_of(&account.sid), groups }
}

/// Connects to the agent at `path`, whose pipe must belong to the administrators, as the folder `_state` does.
pub fn connect(path: &Path, _state: &Path) -> Result<Stream, AgentError> {
    let pipe = open(path).map_err(|source| AgentError::NotRunning { path: path.to_owned(), source })?;
    if is_administrators(&pipe) {
        return Ok(Stream::new(pipe));
    }
    let owner = security::descriptor(pipe.as_handle()).ok().and_then(|found| descriptor::owner(&found));
    let who = owner.map_or_else(|| "something that is no pipe".into(), |owner| format!("a program of {}", name_of(&owner)));
    Err(AgentError::NotOurs { path: path.to_owned(), who })
}

/// Lets nothing that is read or written on `stream` take longer than `limit`.
pub fn hurry(stream: &Stream, limit: Duration) -> io::Result<()> {
    *stream.limit.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    Ok(())
}

fn end(path: &Path, is_first: bool) -> io::Result<OwnedHandle> {
    let name: Vec<u16> = path.as_os_str().encode_wide().collect();
    pipes::create(&name, &descriptor::protected(None, vec![Grant::new(Sid::authenticated(), CONNECT)]), is_first)
}

#[expect(clippy::disallowed_methods, reason = "a pipe is no file of anybody's")]
fn open(path: &Path) -> io::Result<OwnedHandle> {
    let begun = Instant::now();
    loop {
        let mut options = OpenOptions::new();
        options.access_mode(CONNECT).custom_flags(FILE_FLAG_OVERLAPPED).security_qos_flags(SECURITY_IDENTIFICATION);
        match options.open(path) {
            Ok(pipe) => return Ok(pipe.into()),
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed()) && begun.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_administrators(pipe: &OwnedHandle) -> bool {
    let owner = || descriptor::owner(&security::descriptor(pipe.as_handle()).ok()?);
    pipes::is_pipe(pipe.as_handle()) && owner().is_some_and(|owner| owner.is_root())
}
