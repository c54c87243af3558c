//! `sendfile(2)`.
//!
//! The call waits for the disk when the bytes are not in memory, and a thread that serves many connections must not wait. So each stretch is
//! looked at first; when part of it would have to be fetched, it is read once on a thread that may wait, and sent after that.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use rustix::io::ReadWriteFlags;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::content::disk::Opened;

/// The block that stand-ins are slices of: longer than what a socket takes at once. Never touched, and so never in memory.
static STAND_IN: [u8; 4 << 20] = [0; 4 << 20];
/// Of a stretch, one byte in so many is looked at: as far as systems read ahead.
const PROBE: usize = 1 << 20;

tokio::task_local! {
    static HERE: Stretches;
}

/// The stretches that stand-ins on their way to one socket stand for, in order.
#[derive(Debug, Clone, Default)]
pub struct Stretches(Arc<Mutex<VecDeque<Stretch>>>);

#[derive(Debug)]
struct Stretch {
    file: Arc<Opened>,
    next: u64,
    end: u64,
}

impl Stretches {
    /// Runs a connection over `socket` so that requests answered in it find its stretches [`Stretches::here`].
    pub fn connection<F: Future>(socket: TcpStream, future: impl FnOnce(Socket) -> F) -> impl Future<Output = F::Output> {
        let stretches = Stretches::default();
        HERE.scope(stretches.clone(), future(Socket { socket, stretches }))
    }

    /// Those of the connection whose request is being answered.
    pub fn here() -> Option<Stretches> {
        HERE.try_with(Stretches::clone).ok()
    }

    /// A body of the bytes from `first` to before `end` of `file`.
    pub fn body(self, file: Arc<Opened>, first: u64, end: u64) -> Body {
        Body::new(StandIns { stretches: self, file, next: first, end, fetching: None })
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Stretch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is not there.
struct StandIns {
    stretches: Stretches,
    file: Arc<Opened>,
    next: u64,
    end: u64,
    fetching: Option<JoinHandle<()>>,
}

impl HttpBody for StandIns {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.next >= self.end {
            return Poll::Ready(None);
        }
        let length = (self.end - self.next).min(STAND_IN.len() as u64);
        if self.fetching.is_none() && !is_in_memory(&self.file, self.next, length) {
            let (file, first) = (self.file.clone(), self.next);
            self.fetching = Some(tokio::task::spawn_blocking(move || fetch(&file, first, length)));
        }
        if let Some(fetching) = &mut self.fetching {
            // However the reading went: sending will tell.
            drop(ready!(Pin::new(fetching).poll(context)));
        }
        self.fetching = None;
        let stretch = Stretch { file: self.file.clone(), next: self.next, end: self.next + length };
        self.next = stretch.end;
        self.stretches.queue().push_back(stretch);
        // At most the length of the block, which is far below the largest `usize`.
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&STAND_IN[..length as usize])))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.next)
    }
}

/// Whether the stretch can be sent without waiting for the disk, judged by a few of its bytes, the last among them. Where the file system cannot
/// say, it counts as not.
fn is_in_memory(file: &Opened, first: u64, length: u64) -> bool {
    let probe = |at: u64| {
        let mut byte = [0];
        rustix::io::preadv2(&file.file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT).is_ok()
    };
    (first..first + length).step_by(PROBE).chain([first + length - 1]).all(probe)
}

/// Brings a stretch into memory, by reading it.
fn fetch(file: &Opened, first: u64, length: u64) {
    let mut buffer = vec![0; 256 << 10];
    let mut at = first;
    while at < first + length {
        match file.read_at(&mut buffer, at) {
            Ok(count) if count > 0 => at += count as u64,
            _ => return,
        }
    }
}

/// A socket that sends stretches of files where it is given stand-ins.
#[derive(Debug)]
pub struct Socket {
    socket: TcpStream,
    stretches: Stretches,
}

impl Socket {
    /// Sends of the first stretch what a stand-in of `length` bytes stands for, as far as the socket takes it.
    fn poll_send(&self, context: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        let mut queue = self.stretches.queue();
        let Some(stretch) = queue.front_mut() else {
            return Poll::Ready(Err(io::Error::other("a stand-in stands for nothing")));
        };
        let wanted = usize::try_from(stretch.end - stretch.next).unwrap_or(usize::MAX).min(length);
        loop {
            ready!(self.socket.poll_write_ready(context))?;
            let mut offset = stretch.next;
            let send = || Ok(rustix::fs::sendfile(&self.socket, &stretch.file.file, Some(&mut offset), wanted)?);
            match self.socket.try_io(Interest::WRITABLE, send) {
                Ok(0) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was sent")));
                }
                Ok(count) => {
                    stretch.next += count as u64;
                    if stretch.next >= stretch.end {
                        queue.pop_front();
                    }
                    return Poll::Ready(Ok(count));
                }
                Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

fn is_stand_in(bytes: &[u8]) -> bool {
    !bytes.is_empty() && STAND_IN.as_ptr_range().contains(&bytes.as_ptr())
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if is_stand_in(bytes) { this.poll_send(context, bytes.len()) } else { Pin::new(&mut this.socket).poll_write(context, bytes) }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Stand-ins and bytes are not sent by one call: what comes first goes now.
        let mixed = slices.iter().position(|slice| is_stand_in(slice)).unwrap_or(slices.len());
        match (mixed, slices.first()) {
            (0, Some(stand_in)) => this.poll_send(context, stand_in.len()),
            _ => Pin::new(&mut this.socket).poll_write_vectored(context, &slices[..mixed]),
        }
    }

    /// Always: were slices copied together before they come here, stand-ins could not be recognised.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
