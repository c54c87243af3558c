//! The bytes of a large file on their way to a client: read in large pieces, one ahead, through buffers that all transfers share.
//!
//! A piece that the system has in memory is read at once; one that it would have to fetch from disk is read on a thread that may wait, while the
//! piece before it is being sent. Memory is bounded: when the shared buffers are all in use, a transfer goes on with small ones of its own, so
//! that clients which take nothing cannot stop those which do.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::disk::Opened;

/// One shared buffer: large enough that system calls do not count, small enough to stay in a processor's cache between read and send.
const LARGE: usize = 256 << 10;
/// A buffer beyond the shared ones.
const LITTLE: usize = 16 << 10;

/// The buffers that large transfers share.
#[derive(Debug)]
pub struct Buffers {
    state: Mutex<Pool>,
}

#[derive(Debug)]
struct Pool {
    free: Vec<Box<[u8]>>,
    /// How many more may be made.
    left: usize,
}

impl Buffers {
    /// Buffers of `memory` bytes in all, made when they are needed.
    pub fn new(memory: usize) -> Arc<Buffers> {
        Arc::new(Buffers { state: Mutex::new(Pool { free: Vec::new(), left: memory / LARGE }) })
    }

    fn take(self: &Arc<Self>) -> Buffer {
        let mut pool = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = match pool.free.pop() {
            Some(bytes) => Some(bytes),
            None if pool.left > 0 => {
                pool.left -= 1;
                Some(vec![0; LARGE].into_boxed_slice())
            }
            None => None,
        };
        drop(pool);
        match shared {
            Some(bytes) => Buffer { bytes, filled: 0, home: Some(self.clone()) },
            None => Buffer { bytes: vec![0; LITTLE].into_boxed_slice(), filled: 0, home: None },
        }
    }
}

/// A buffer on loan; it goes home when the last byte of it was sent.
struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
    home: Option<Arc<Buffers>>,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.state.lock().unwrap_or_else(PoisonError::into_inner).free.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// The body of a response: the bytes `next..end` of a file.
pub struct Transfer {
    file: Arc<Opened>,
    buffers: Arc<Buffers>,
    next: u64,
    end: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Transfer {
    /// A body of the bytes from `first` to before `end` of `file`.
    pub fn body(file: Arc<Opened>, buffers: Arc<Buffers>, first: u64, end: u64) -> Body {
        Body::new(Transfer { file, buffers, next: first, end, ahead: None })
    }

    /// Reads from `offset` on; never nothing, unless there is an error.
    fn read(file: &Opened, mut buffer: Buffer, offset: u64, end: u64) -> io::Result<Bytes> {
        let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.bytes.len());
        buffer.filled = file.read_at(&mut buffer.bytes[..wanted], offset)?;
        if buffer.filled == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter while it was sent"));
        }
        Ok(Bytes::from_owner(buffer))
    }

    fn read_ahead(&mut self) {
        if self.next < self.end {
            let (file, buffer, offset, end) = (self.file.clone(), self.buffers.take(), self.next, self.end);
            self.ahead = Some(tokio::task::spawn_blocking(move || Self::read(&file, buffer, offset, end)));
        }
    }
}

impl HttpBody for Transfer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.ahead.is_none() {
            self.read_ahead();
        }
        let Some(ahead) = self.ahead.as_mut() else { return Poll::Ready(None) };
        let read = std::task::ready!(Pin::new(ahead).poll(context));
        self.ahead = None;
        match read.unwrap_or_else(|stopped| Err(io::Error::other(stopped))) {
            Ok(bytes) => {
                self.next += bytes.len() as u64;
                self.read_ahead();
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Err(error) => {
                tracing::error!(error = %error, "a transfer was cut short");
                self.next = self.end;
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.end && self.ahead.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::disk::Folder;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, Arc<Opened>) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("file"), bytes).unwrap();
        let opened = Arc::new(Folder::new(temp.path()).open("file").unwrap());
        (temp, opened)
    }

    #[tokio::test]
    async fn transfers_are_right_however_little_memory_they_share() {
        let bytes: Vec<u8> = (0..1_300_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (_temp, file) = file(&bytes);
        for memory in [0, LARGE, 3 * LARGE, 100 * LARGE] {
            let buffers = Buffers::new(memory);
            let read = |first: usize, end: usize| {
                let body = Transfer::body(file.clone(), buffers.clone(), first as u64, end as u64);
                async move { (first, end, axum::body::to_bytes(body, usize::MAX).await.unwrap()) }
            };
            let reads = (0..10).map(|n| read(n * 1000, bytes.len() - n * n));
            for (first, end, got) in futures_util::future::join_all(reads).await {
                assert!(got == bytes[first..end], "the bytes differ");
            }
            let pool = buffers.state.lock().unwrap();
            assert_eq!(pool.free.len() + pool.left, memory / LARGE, "every buffer came home");
        }
    }

    #[tokio::test]
    async fn a_file_that_becomes_shorter_ends_the_transfer_with_an_error() {
        let (temp, file) = file(&vec![1; 1_000_000]);
        let body = Transfer::body(file, Buffers::new(LARGE), 0, 1_000_000);
        std::fs::File::options().write(true).open(temp.path().join("file")).unwrap().set_len(10).unwrap();
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err());
    }
}
