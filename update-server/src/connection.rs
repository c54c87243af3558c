//! A connection whose client cannot hold it for ever (attacks C2, C10).
//!
//! [`Guarded`] wraps the socket and knows three limits: the head of a request must arrive within a time counted from its first byte, however
//! slowly it drips; a kept-alive connection may be silent for so long; and of the time that the server spends waiting for the client to take
//! bytes, it must take so many a second. A connection that breaks one is an I/O error for HTTP, which ends it. There is one timer a connection,
//! re-armed when it fires, so that a fast client pays next to nothing. While a request is being answered the client has nothing to do, and its silence
//! is not counted; a handler that reads a body sees to its pace.
//!
//! A client whose request was refused before it was read to the end still gets the answer: closing a socket with unread bytes makes the system
//! reset it, answer and all, so the rest is read and dropped for a moment first.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::config::Limits;
use crate::metrics::Metrics;

/// Counts the requests of a connection that reached a handler; by it the socket knows that a head is complete, and whose turn it is.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    arrived: AtomicUsize,
    answered: AtomicUsize,
}

impl Requests {
    /// The head of a request has arrived whole.
    pub fn arrived(&self) {
        self.0.arrived.fetch_add(1, Ordering::Relaxed);
    }

    /// Its answer is ready to be sent.
    pub fn answered(&self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.0.arrived.load(Ordering::Relaxed)
    }

    fn is_being_answered(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed) < self.count()
    }
}

/// A socket with limits on how long its client may take.
#[derive(Debug)]
pub struct Guarded<S> {
    socket: S,
    requests: Requests,
    metrics: Arc<Metrics>,
    reading: Reading,
    writing: Writing,
    timer: Pin<Box<Sleep>>,
    farewell: Farewell,
    header_timeout: Duration,
    idle_timeout: Duration,
}

/// How far the end of the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// Nobody thinks of it.
    None,
    /// Nothing more is sent; what still comes is dropped until this instant, as long as there is anything.
    Dropping { until: Instant, bytes: usize },
}

/// A refused client gets this long to stop sending, and may send this many more bytes.
const FAREWELL: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 1 << 20;

/// How the client asks.
#[derive(Debug)]
struct Reading {
    /// Requests that had arrived when bytes last came.
    arrived: usize,
    /// Whether any byte came.
    begun: bool,
    /// When the first byte came of the head that is under way.
    head: Instant,
}

/// How the client takes what it is sent.
#[derive(Debug)]
struct Writing {
    /// When it last took or sent something.
    active: Instant,
    /// Since when it takes nothing; `None` while it takes.
    blocked: Option<Instant>,
    /// Time spent so before `blocked`, since its rate was last looked at.
    waited: Duration,
    /// Bytes taken since then.
    taken: u64,
    /// Waiting that makes its rate be looked at.
    patience: Duration,
    /// What it must have taken by then.
    least: u64,
}

impl<S> Guarded<S> {
    /// Guards `socket`, just accepted. Whoever connects wants to ask something: the first head is waited for from now on.
    pub fn new(socket: S, requests: Requests, metrics: Arc<Metrics>, limits: &Limits) -> Guarded<S> {
        let now = Instant::now();
        let least = limits.min_send_bytes_per_second.saturating_mul(limits.send_timeout.as_secs()).max(1);
        Guarded {
            socket,
            requests,
            metrics,
            reading: Reading { arrived: 0, begun: false, head: now },
            writing: Writing { active: now, blocked: None, waited: Duration::ZERO, taken: 0, patience: limits.send_timeout, least },
            timer: Box::pin(tokio::time::sleep_until(now + limits.header_timeout)),
            farewell: Farewell::None,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
        }
    }

    /// Ready once `deadline` has passed; otherwise the task is woken by then, perhaps sooner.
    fn poll_deadline(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
    }

    fn received(&mut self) {
        let (now, arrived) = (Instant::now(), self.requests.count());
        self.writing.active = now;
        // What comes while a request is being answered is its body.
        if self.requests.is_being_answered() {
            return;
        }
        if self.reading.arrived != arrived {
            self.reading = Reading { arrived, begun: true, head: now };
        }
        self.reading.begun = true;
    }

    /// The client sends nothing at the moment: an error once that has been too long.
    fn poll_silent(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.writing.blocked.is_some() {
            // It has something else to do first; what it takes is watched meanwhile.
            return Poll::Pending;
        }
        let under_way = self.reading.arrived == self.requests.count();
        let (deadline, why) = if self.requests.is_being_answered() {
            // It waits for us. Never reached, but looked at again by then: nobody else may come back here once the answer is sent.
            (Instant::now() + self.idle_timeout, "nothing")
        } else if under_way {
            (self.reading.head + self.header_timeout, "the head of a request takes too long")
        } else {
            (self.writing.active + self.idle_timeout, "no request for too long")
        };
        ready!(self.poll_deadline(context, deadline));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, why))
    }

    /// What came of a write: counts what the client took, and is an error once it has taken too little.
    fn judge_write(&mut self, context: &mut Context<'_>, write: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match write {
            Poll::Ready(Ok(count)) => {
                self.writing.took(count);
                self.metrics.sent(count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => loop {
                let deadline = self.writing.deadline();
                ready!(self.poll_deadline(context, deadline));
                if !self.writing.start_over() {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes too few bytes")));
                }
            },
        }
    }
}

impl Writing {
    fn took(&mut self, count: usize) {
        self.active = Instant::now();
        if let Some(since) = self.blocked.take() {
            self.waited += self.active - since;
        }
        // What fits into the buffers of the system before the first wait says nothing about the client.
        if !self.waited.is_zero() {
            self.taken += count as u64;
        }
    }

    /// When the client's rate is looked at if it goes on taking nothing.
    fn deadline(&mut self) -> Instant {
        *self.blocked.get_or_insert_with(Instant::now) + self.patience.saturating_sub(self.waited)
    }

    /// Begins a new stretch of waiting; false when too little was taken in the one that ends.
    fn start_over(&mut self) -> bool {
        let enough = self.taken >= self.least;
        (self.blocked, self.waited, self.taken) = (Some(Instant::now()), Duration::ZERO, 0);
        enough
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Ready when the socket can be closed without taking the answer back.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // In the middle of a head more is on its way for certain; otherwise only what is here already is dropped.
        let expecting = self.reading.begun && self.reading.arrived == self.requests.count();
        while let Farewell::Dropping { until, bytes } = self.farewell {
            let mut dropped = [0; 16 << 10];
            let mut buffer = ReadBuf::new(&mut dropped);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && bytes > buffer.filled().len() => {
                    self.farewell = Farewell::Dropping { until, bytes: bytes - buffer.filled().len() };
                }
                Poll::Ready(_) => break,
                Poll::Pending if expecting || bytes < FAREWELL_BYTES => {
                    ready!(self.poll_deadline(context, until));
                    break;
                }
                Poll::Pending => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.socket).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() > before {
                    this.received();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.poll_silent(context).map(Err),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.socket).poll_write(context, bytes);
        this.judge_write(context, write)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.socket).poll_write_vectored(context, slices);
        this.judge_write(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.farewell == Farewell::None {
            ready!(Pin::new(&mut this.socket).poll_shutdown(context))?;
            this.farewell = Farewell::Dropping { until: Instant::now() + FAREWELL, bytes: FAREWELL_BYTES };
        }
        this.poll_farewell(context).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    fn limits() -> Limits {
        let seconds = Duration::from_secs;
        Limits {
            header_timeout: seconds(10),
            idle_timeout: seconds(60),
            send_timeout: seconds(30),
            min_send_bytes_per_second: 100,
            ..Limits::default()
        }
    }

    fn pair(buffer: usize) -> (DuplexStream, Guarded<DuplexStream>, Requests) {
        let (client, server) = duplex(buffer);
        let requests = Requests::default();
        (client, Guarded::new(server, requests.clone(), Arc::default(), &limits()), requests)
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_head_is_cut_at_its_time_limit() {
        let (mut client, mut server, _) = pair(100);
        let began = Instant::now();
        let drip = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(3)).await
            }
        });
        let mut buffer = [0; 10];
        let error = loop {
            if let Err(error) = server.read(&mut buffer).await {
                break error;
            }
        };
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
        drip.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_kept_for_the_idle_time_and_the_next_head_has_its_own() {
        let (mut client, mut server, requests) = pair(100);
        let mut buffer = [0; 7];
        client.write_all(b"request").await.unwrap();
        server.read_exact(&mut buffer).await.unwrap();
        requests.arrived();
        requests.answered();
        server.write_all(b"answer").await.unwrap();
        tokio::time::sleep(Duration::from_secs(40)).await;
        client.write_all(b"r").await.unwrap();
        server.read_exact(&mut buffer[..1]).await.unwrap();
        let began = Instant::now();
        assert_eq!(server.read(&mut buffer).await.unwrap_err().to_string(), "the head of a request takes too long");
        assert_eq!(began.elapsed().as_secs(), 10);

        let (mut client, mut server, requests) = pair(100);
        client.write_all(b"request").await.unwrap();
        server.read_exact(&mut buffer).await.unwrap();
        requests.arrived();
        requests.answered();
        let began = Instant::now();
        assert_eq!(server.read(&mut buffer).await.unwrap_err().to_string(), "no request for too long");
        assert_eq!(began.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_waits_for_its_answer_is_not_cut() {
        let (mut client, mut server, requests) = pair(100);
        let mut buffer = [0; 7];
        client.write_all(b"request").await.unwrap();
        server.read_exact(&mut buffer).await.unwrap();
        requests.arrived();
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, server.read(&mut buffer)).await.is_err(), "nothing happens");
        requests.answered();
        server.write_all(b"answer").await.unwrap();
        let began = Instant::now();
        assert_eq!(server.read(&mut buffer).await.unwrap_err().to_string(), "no request for too long");
        assert_eq!(began.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_body_is_not_that_of_a_head() {
        let (mut client, mut server, requests) = pair(100);
        let mut buffer = [0; 7];
        client.write_all(b"request").await.unwrap();
        server.read_exact(&mut buffer).await.unwrap();
        requests.arrived();
        let sender = tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                client.write_all(b"x").await.unwrap();
            }
            client
        });
        for _ in 0..10 {
            server.read_exact(&mut buffer[..1]).await.unwrap();
        }
        requests.answered();
        server.write_all(b"answer").await.unwrap();
        let _client = sender.await.unwrap();
        let began = Instant::now();
        assert_eq!(server.read(&mut buffer).await.unwrap_err().to_string(), "no request for too long");
        assert_eq!(began.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut() {
        let (_client, mut server, _) = pair(100);
        let began = Instant::now();
        assert_eq!(server.write_all(&[0; 1000]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_cut_when_it_takes_too_little_and_kept_when_it_takes_enough() {
        for (every_second, kept) in [(99, false), (120, true)] {
            let (mut client, mut server, _) = pair(100);
            let reader = tokio::spawn(async move {
                let mut buffer = vec![0; every_second];
                while client.read_exact(&mut buffer).await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
            assert_eq!(server.write_all(&[0; 20_000]).await.is_ok(), kept, "{every_second} bytes a second");
            reader.abort();
        }
    }
}
