//! There is no agent on Windows yet: the profile `service` is refused there (`crate::profile`), so nobody needs one. The signatures are those of `unix.rs`; the place of the socket would be a
//! named pipe, whose security descriptor lets everybody connect, and whose client is known by impersonating it.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::agent::AgentError;
use crate::agent::rights::Peer;

/// The place where the agent would listen: there is none.
#[derive(Debug)]
pub struct Listener(Infallible);

/// A connection: there is none.
#[derive(Debug)]
pub struct Stream(Infallible);

impl Listener {
    /// Always [`AgentError::NotHere`].
    pub fn bind(_: &Path) -> Result<Listener, AgentError> {
        Err(AgentError::NotHere)
    }

    /// Never called.
    pub fn accept(&self) -> io::Result<Stream> {
        match self.0 {}
    }
}

impl Stream {
    /// Never called.
    pub fn try_clone(&self) -> io::Result<Stream> {
        match self.0 {}
    }
}

impl io::Read for Stream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl io::Write for Stream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

/// Never called.
pub fn account(stream: &Stream) -> io::Result<u32> {
    match stream.0 {}
}

/// Never called.
pub fn peer(uid: u32) -> Peer {
    Peer { uid, name: format!("uid {uid}"), groups: vec![] }
}

/// Always [`AgentError::NotHere`].
pub fn connect(_: &Path, _: &Path) -> Result<Stream, AgentError> {
    Err(AgentError::NotHere)
}

/// Never called.
pub fn hurry(stream: &Stream, _: Duration) -> io::Result<()> {
    match stream.0 {}
}
