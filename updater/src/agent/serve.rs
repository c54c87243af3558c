//! Answers requests, each on threads of its own, and lets nobody keep it from others.
//!
//! A connection is answered by one thread; what was asked for runs on another and tells it what to pass on. A request that does not arrive in time ends its connection. Somebody who does not
//! read, or goes away, is told no more, and what he asked for goes on to its end: it is never left half done for his sake. He who reads slowly holds the work up for a bounded time in all, and
//! never while files are moved: how far a step is, is not waited for. The folder's own lock keeps two requests on one folder apart.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::message::{Answer, BadRequest, Event, REQUEST_BYTES, Request, read_line, to_line};
use super::rights::{self, Peer, Right};
use super::settings::Settings;
use super::socket::{self, Listener, Stream};
use crate::code::Code;
use crate::deadline::Deadline;
use crate::profile::registry::Registry;
use crate::progress::{Progress, Step};

/// How long a request may take to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// How long somebody may let the agent wait, in all, to read what he is told before he is told no more: a time for each event would let a slow reader stretch an update as he likes.
const READING_TIME: Duration = Duration::from_secs(10);
/// How often somebody who waits hears that the agent is at work. Who asks gives up after several of these.
pub const ALIVE_EVERY: Duration = Duration::from_secs(10);
/// Events that may wait to be passed on: enough that the work seldom waits for a reader.
const EVENTS: usize = 256;

/// Carries commands out, as the command line does.
pub trait Clerk: Send + Sync {
    /// Does what `request` says in the folder `dir` for `peer`, who may ask for it, and who answers for the folder or does not.
    fn carry_out(&self, dir: &Path, request: &Request, peer: &Peer, is_admin: bool, progress: &dyn Progress) -> Answer;
}

/// The agent: who may do what, where, and who does it.
pub struct Office {
    registry: Registry,
    settings: Settings,
    clerk: Box<dyn Clerk>,
    /// Connections by account.
    present: Mutex<HashMap<u32, usize>>,
}

impl Office {
    /// An agent for the folders in `registry`.
    pub fn new(registry: Registry, settings: Settings, clerk: Box<dyn Clerk>) -> Office {
        Office { registry, settings, clerk, present: Mutex::default() }
    }

    /// Answers whoever connects, for as long as the process lives.
    pub fn serve(self: &Arc<Office>, listener: &Listener) -> ! {
        loop {
            match listener.accept() {
                Ok(stream) => {
                    let office = Arc::clone(self);
                    let spawned = std::thread::Builder::new().name("asker".into()).spawn(move || office.answer(stream));
                    if let Err(error) = spawned {
                        tracing::warn!(%error, "no thread for a connection: it was closed");
                    }
                }
                Err(error) => {
                    // Too many open files, say: others have to end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        }
    }

    fn answer(&self, stream: Stream) {
        let account = match socket::account(&stream) {
            Ok(account) => account,
            Err(error) => return tracing::warn!(%error, "the system does not say who has connected"),
        };
        let mut listener = Asker::new(stream, READING_TIME);
        // Before the directory of accounts is asked, which may take its time.
        let Some(_seat) = self.seat(account.uid) else {
            let message = "the agent has too many requests of this account, or in all; try again when one is done";
            return listener.tell(&Event::Report(Answer::failure(Code::AgentBusy, message)));
        };
        let answer = match listener.read_request() {
            Ok(Ok(request)) => self.decide(&request, &socket::peer(&account), &mut listener),
            Ok(Err(bad)) => Answer::failure(Code::BadRequest, &bad.to_string()),
            // Nobody is there to be told.
            Err(_) => return,
        };
        listener.tell(&Event::Report(answer));
    }

    fn decide(&self, request: &Request, peer: &Peer, listener: &mut Asker) -> Answer {
        let entry = match self.registry.find_written(&request.dir) {
            Ok(Some(entry)) => entry,
            Ok(None) => {
                let message = format!("`{}` is not installed with the profile `service`", manifests::quote::quoted(&request.dir, 300));
                return Answer::failure(Code::NotInstalled, &message);
            }
            Err(error) => {
                let error = crate::pipeline::Error::from(error);
                return Answer::failure(error.code(), &error.to_string());
            }
        };
        let command = request.command.name();
        if let Right::Denied { why } = rights::decide(peer, &request.command, &self.settings) {
            tracing::info!(peer.uid, peer.name, command, dir = request.dir, "denied");
            return Answer::failure(Code::NotAllowed, &why);
        }
        tracing::info!(peer.uid, peer.name, command, dir = request.dir, "begun");
        let answer = self.carry_out(&entry.dir, request, peer, listener);
        tracing::info!(peer.uid, peer.name, command, dir = request.dir, exit = answer.exit, "done");
        answer
    }

    fn carry_out(&self, dir: &Path, request: &Request, peer: &Peer, listener: &mut Asker) -> Answer {
        let (events, heard) = sync_channel(EVENTS);
        std::thread::scope(|scope| {
            let work = std::thread::Builder::new().name("clerk".into()).spawn_scoped(scope, move || {
                let told = Told { events, counting: Mutex::default() };
                self.clerk.carry_out(dir, request, peer, rights::is_admin(peer, &self.settings), &told)
            });
            listener.pass_on(&heard);
            // Nothing is sent into the void: what is left to tell does not hold the work up.
            drop(heard);
            let broken = || Answer::failure(Code::Internal, "the agent failed; its log says why");
            work.ok().and_then(|work| work.join().ok()).unwrap_or_else(broken)
        })
    }

    /// A place for one more connection of `uid`; given back when dropped.
    fn seat(&self, uid: u32) -> Option<Seat<'_>> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (present.values().sum::<usize>(), present.get(&uid).copied().unwrap_or(0));
        // Root is never kept out by others.
        if uid != 0 && (all >= self.settings.connections || own >= self.settings.connections_per_account) {
            return None;
        }
        present.insert(uid, own + 1);
        Some(Seat { office: self, uid })
    }
}

/// One connection that counts.
struct Seat<'a> {
    office: &'a Office,
    uid: u32,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut present = self.office.present.lock().unwrap_or_else(PoisonError::into_inner);
        match present.get_mut(&self.uid) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(present.remove(&self.uid)),
        }
    }
}

/// Whoever asked, until he stops listening.
struct Asker {
    stream: Option<Stream>,
    /// How long he may still keep us waiting.
    patience: Duration,
}

impl Asker {
    fn new(stream: Stream, patience: Duration) -> Asker {
        Asker { stream: Some(stream), patience }
    }

    /// The request, or what is wrong with it; an error when none arrives.
    fn read_request(&mut self) -> std::io::Result<Result<Request, BadRequest>> {
        let Some(stream) = &self.stream else { return Err(std::io::ErrorKind::NotConnected.into()) };
        let until = Instant::now() + REQUEST_TIME;
        let mut reader = BufReader::new(Until { stream: stream.try_clone()?, until });
        match read_line(&mut reader, REQUEST_BYTES) {
            Ok(line) => Ok(Request::parse(&line)),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(Err(BadRequest::Malformed(error.to_string()))),
            Err(error) => Err(error),
        }
    }

    /// Passes on what is heard until there is no more.
    fn pass_on(&mut self, heard: &Receiver<Event>) {
        loop {
            match heard.recv_timeout(ALIVE_EVERY) {
                Ok(event) => self.tell(&event),
                Err(RecvTimeoutError::Timeout) => self.tell(&Event::Alive {}),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tell(&mut self, event: &Event) {
        if let Some(stream) = &mut self.stream {
            let begun = Instant::now();
            let told = write_until(stream, &to_line(event), begun + self.patience);
            self.patience = self.patience.saturating_sub(begun.elapsed());
            if told.is_err() {
                self.stream = None;
            }
        }
    }
}

/// Reads until a time, however little comes at once.
struct Until {
    stream: Stream,
    until: Instant,
}

impl Read for Until {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        socket::hurry(&self.stream, left(self.until)?)?;
        self.stream.read(buffer)
    }
}

fn write_until(stream: &mut Stream, mut bytes: &[u8], until: Instant) -> std::io::Result<()> {
    while !bytes.is_empty() {
        socket::hurry(stream, left(until)?)?;
        match stream.write(bytes)? {
            0 => return Err(std::io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

fn left(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Progress as events. A hundredth of a step is told at a time: a tree of many files must not drown who listens.
struct Told {
    events: SyncSender<Event>,
    counting: Mutex<Counting>,
}

#[derive(Default)]
struct Counting {
    untold: u64,
    portion: u64,
}

impl Told {
    fn send(&self, event: Event) {
        // Who does not listen any more misses it.
        let _ = self.events.send(event);
    }

    fn counting(&self) -> std::sync::MutexGuard<'_, Counting> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Told {
    fn begin(&self, step: Step, total: u64) {
        *self.counting() = Counting { untold: 0, portion: (total / 100).max(1) };
        self.send(Event::Begin { step: step.as_str().to_owned(), total });
    }

    fn advance(&self, amount: u64) {
        let mut counting = self.counting();
        counting.untold += amount;
        if counting.untold >= counting.portion {
            let amount = counting.untold;
            // Files may be moving: where there is no room, it is told with the next portion.
            if !matches!(self.events.try_send(Event::Advance { amount }), Err(TrySendError::Full(_))) {
                counting.untold = 0;
            }
        }
    }

    fn note(&self, text: &str) {
        self.send(Event::Note { text: text.to_owned() });
    }

    fn deadline(&self, deadline: &Deadline) {
        self.send(Event::Deadline(deadline.clone()));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Longest that anything here may take before it counts as standing still.
    const DEADLINE: Duration = Duration::from_secs(120);

    #[test]
    fn how_far_a_step_is_never_waits_for_a_reader_and_is_told_when_there_is_room() {
        let (events, heard) = sync_channel(2);
        let (done, end) = sync_channel(1);
        std::thread::spawn(move || {
            let told = Told { events, counting: Mutex::default() };
            told.begin(Step::Swap, 10);
            (0..9).for_each(|_| told.advance(1));
            done.send(told).unwrap();
        });
        // Nobody has heard anything so far.
        let told = end.recv_timeout(DEADLINE).expect("the work went on");
        assert!(matches!(heard.recv(), Ok(Event::Begin { total: 10, .. })));
        told.advance(1);
        drop(told);
        let amounts: Vec<u64> = heard.iter().map(|event| if let Event::Advance { amount } = event { amount } else { 0 }).collect();
        assert_eq!(amounts, [1, 9]);
    }

    #[test]
    fn whoever_reads_slowly_is_told_no_more_after_a_time_for_the_whole_request() {
        let (ours, mut his) = Stream::pair().unwrap();
        // Whatever is written is read at last: each event alone comes through in time.
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while let Ok(1..) = his.read(&mut buffer) {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        let mut asker = Asker::new(ours, Duration::from_millis(200));
        let (begun, note) = (Instant::now(), Event::Note { text: "x".repeat(1 << 19) });
        while asker.stream.is_some() {
            assert!(begun.elapsed() < DEADLINE, "he is still told");
            asker.tell(&note);
        }
    }
}
