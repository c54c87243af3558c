//! The network between a station and a server, as bad as a test wants it.
//!
//! An HTTP/1.1 proxy that counts every request and every body byte it hands on, and follows a script: a rule names the paths it is for, which of the
//! matching requests, and what goes wrong. The same script gives the same faults in every run. It takes the server's place in the install link, so that
//! neither side knows about it.

mod script;
mod tunnel;
mod wire;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use script::{Fault, Nth, Recording, Spot};
use script::{MadeUp, Rule, Shape, made_up};
pub use tunnel::Tunnel;
use wire::{Framing, RequestHead, ResponseHead};

/// Only answers up to this size, in bytes, are kept for recordings: metadata, never payload.
const LARGEST_RECORDED: u64 = 1 << 20;

/// One request and what was handed on of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The `Range` that the station asked for.
    pub range: Option<String>,
    /// The `Authorization` that the station gave.
    pub authorization: Option<String>,
    /// Whether the request was conditional (`If-None-Match` or `If-Modified-Since`).
    pub conditional: bool,
    /// Status of the answer; 0 when there was none.
    pub status: u16,
    /// Bytes of the body that the station was sent.
    pub body: u64,
    /// Bytes of both heads.
    pub heads: u64,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    exchanges: Vec<Exchange>,
    answers: HashMap<String, (u16, Vec<u8>)>,
    released: bool,
    holding: usize,
    /// Requests that were read and are not among the exchanges yet.
    under_way: usize,
    /// How often the exchanges were taken: a request that was held since before that is not among the next ones.
    taken: u64,
}

struct Shared {
    upstreams: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
    closed: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

/// A running proxy; it ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy before one server.
    pub fn to(upstream: SocketAddr) -> Proxy {
        Proxy::alternating(vec![upstream])
    }

    /// A proxy before several servers, which are asked in turn, one request each: one address with many machines behind it.
    pub fn alternating(upstreams: Vec<SocketAddr>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            upstreams: Mutex::new(upstreams),
            next: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), shared) = (client, Arc::clone(&accepting)) else { continue };
                // A connection that breaks, on either side, is an everyday event; what was handed on is in the exchanges.
                thread::spawn(move || {
                    let _ = shared.converse(client);
                });
            }
        });
        Proxy { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `link` with this proxy in the place of the server.
    pub fn through(&self, link: &str) -> String {
        let (scheme, rest) = link.split_once("://").expect("a link has a scheme");
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        format!("{scheme}://{}{path}", self.address)
    }

    /// From now on, all requests go to `upstream`: somebody else answers at the same address.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.shared.upstreams.lock().unwrap_or_else(PoisonError::into_inner) = vec![upstream];
    }

    /// From now on, `fault` befalls those requests whose path contains `pattern` that `nth` selects. The first rule that applies wins.
    pub fn on(&self, pattern: &str, nth: Nth, fault: Fault) {
        let mut state = self.state();
        state.released &= !matches!(fault, Fault::Hold(_));
        state.rules.push(Rule::new(pattern, nth, fault));
    }

    /// Forgets all rules and lets go of what is held.
    pub fn calm(&self) {
        self.state().rules.clear();
        self.release();
    }

    /// Lets every held answer go on, now and later.
    pub fn release(&self) {
        self.state().released = true;
        self.shared.changed.notify_all();
    }

    /// Waits until an answer is being held, at most a minute.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(self.state(), Duration::from_secs(60), |state| state.holding == 0)
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        assert!(!waited.timed_out(), "no request reached the held spot within a minute");
    }

    /// Takes the exchanges since the last call. Waits for those under way, at most a minute, but for the held ones, which are not among them.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        let quiet = self.shared.changed.wait_timeout_while(self.state(), Duration::from_secs(60), |state| state.under_way > state.holding);
        let mut state = quiet.unwrap_or_else(PoisonError::into_inner).0;
        state.taken += 1;
        std::mem::take(&mut state.exchanges)
    }

    /// The small answers handed on up to now, the last one of each path.
    pub fn recording(&self) -> Recording {
        Recording::of(self.state().answers.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.release();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// Sends `bytes` one by one, with `gap` before each.
fn drip(client: &mut TcpStream, bytes: &[u8], gap: Duration) -> io::Result<()> {
    bytes.iter().try_for_each(|byte| {
        // Like a slow pace, this is the network itself.
        thread::sleep(gap);
        client.write_all(&[*byte])
    })
}

/// Bytes of bodies in `exchanges` whose path contains `pattern`.
pub fn body_bytes(exchanges: &[Exchange], pattern: &str) -> u64 {
    exchanges.iter().filter(|e| e.path.contains(pattern)).map(|e| e.body).sum()
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked with the lock held has failed already; the proxy goes on for the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the requests of one connection until it is over.
    fn converse(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        while let Some(request) = RequestHead::read(&mut client)? {
            let is_last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            if !self.answer(&mut client, request)? || is_last {
                return client.shutdown(Shutdown::Both);
            }
        }
        Ok(())
    }

    /// Answers one request; false when the connection cannot be used again.
    fn answer(&self, client: &mut TcpStream, mut request: RequestHead) -> io::Result<bool> {
        let begun = {
            let mut state = self.state();
            state.under_way += 1;
            state.taken
        };
        let fault = self.fault_for(&request.path);
        let mut exchange = Exchange {
            method: request.method.clone(),
            path: request.path.clone(),
            range: request.header("range").map(str::to_owned),
            authorization: request.header("authorization").map(str::to_owned),
            conditional: request.header("if-none-match").or(request.header("if-modified-since")).is_some(),
            status: 0,
            body: 0,
            heads: request.length,
        };
        match &fault {
            Some(Fault::DropRange) => request.remove("range"),
            Some(Fault::Divert(path)) => request.path = path.clone(),
            _ => {}
        }
        let sent = match made_up(fault.as_ref(), &request.path) {
            Some(MadeUp::Silence) => Ok(false),
            Some(MadeUp::Answer(status, headers, body)) => {
                let head = headers.iter().fold(ResponseHead::made_up(status), |head, (name, value)| head.with(name, value));
                self.send(client, &mut exchange, head, &mut body.as_slice(), Some(body.len() as u64), None)
            }
            None => self.forward(client, &mut exchange, &request, fault.as_ref()),
        };
        let mut state = self.state();
        if state.taken == begun {
            state.exchanges.push(exchange);
        }
        state.under_way -= 1;
        drop(state);
        self.changed.notify_all();
        sent
    }

    fn forward(&self, client: &mut TcpStream, exchange: &mut Exchange, request: &RequestHead, fault: Option<&Fault>) -> io::Result<bool> {
        let turn = self.next.fetch_add(1, Ordering::SeqCst);
        let upstreams = self.upstreams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut server = TcpStream::connect(upstreams[turn % upstreams.len()])?;
        server.write_all(&request.for_upstream())?;
        io::copy(&mut Read::by_ref(client).take(request.body_length()), &mut server)?;
        let head = ResponseHead::read(&mut server)?;
        let length = match head.framing(&request.method) {
            Framing::Length(n) => Some(n),
            Framing::UntilClosed => None,
        };
        let mut body: Box<dyn Read> = Box::new(server.take(length.unwrap_or(u64::MAX)));
        if request.method == "GET" && matches!(length, Some(n) if n <= LARGEST_RECORDED) && head.status == 200 {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            if fault.is_none() {
                self.state().answers.insert(request.path.clone(), (head.status, bytes.clone()));
            }
            body = Box::new(io::Cursor::new(bytes));
        }
        self.send(client, exchange, head, &mut body, length, fault)
    }

    /// Sends head and body to the station, with `fault`; false when the connection is over.
    fn send(
        &self,
        client: &mut TcpStream,
        exchange: &mut Exchange,
        mut head: ResponseHead,
        body: &mut dyn Read,
        length: Option<u64>,
        fault: Option<&Fault>,
    ) -> io::Result<bool> {
        let shape = Shape::of(fault, length);
        let bodyless = wire::has_no_body(&exchange.method, head.status);
        head.announce(if bodyless { head.content_length() } else { shape.announced });
        let chunked = shape.chunked && !bodyless;
        if chunked {
            head = head.with("transfer-encoding", "chunked");
        }
        exchange.status = head.status;
        if let Some(Fault::Header(name, value)) = fault {
            head = head.with(name, value);
        }
        let bytes = head.bytes();
        exchange.heads += bytes.len() as u64;
        match fault {
            Some(Fault::DripHead(gap)) => drip(client, &bytes, *gap)?,
            _ => client.write_all(&bytes)?,
        }
        if bodyless {
            return Ok(true);
        }

        let mut buffer = vec![0; if shape.pace.is_some() { 1 << 10 } else { 1 << 16 }];
        while exchange.body < shape.end {
            if shape.hold == Some(exchange.body) {
                self.hold();
            }
            // A chunk never crosses a spot at which something happens.
            let stops = [Some(shape.end), shape.hold].into_iter().flatten().filter(|spot| *spot > exchange.body);
            let room = stops.min().map_or(u64::MAX, |spot| spot - exchange.body);
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(buffer.len());
            let n = body.read(&mut buffer[..room])?;
            if n == 0 {
                break;
            }
            shape.flip_in(&mut buffer[..n], exchange.body);
            if chunked {
                write!(client, "{n:x}\r\n")?;
            }
            match shape.drip {
                Some(gap) => drip(client, &buffer[..n], gap)?,
                None => client.write_all(&buffer[..n])?,
            }
            if chunked {
                client.write_all(b"\r\n")?;
            }
            exchange.body += n as u64;
            if let Some(rate) = shape.pace {
                // The one place where anything sleeps: this is the slow network itself.
                thread::sleep(Duration::from_secs_f64(n as f64 / rate as f64));
            }
        }
        if chunked {
            exchange.body += shape.tail.len() as u64;
            if !shape.tail.is_empty() {
                write!(client, "{:x}\r\n", shape.tail.len())?;
                client.write_all(&shape.tail)?;
                client.write_all(b"\r\n")?;
            }
            client.write_all(b"0\r\n\r\n")?;
            return Ok(false);
        }
        loop {
            client.write_all(&shape.tail)?;
            exchange.body += shape.tail.len() as u64;
            if !shape.endless {
                return Ok(shape.announced == Some(exchange.body));
            }
        }
    }

    /// Blocks until the test lets go.
    fn hold(&self) {
        let mut state = self.state();
        state.holding += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| !state.released).unwrap_or_else(PoisonError::into_inner);
        state.holding -= 1;
    }

    /// What the script has for this request.
    fn fault_for(&self, path: &str) -> Option<Fault> {
        let mut state = self.state();
        // Every rule counts every request that it matches, also those that another rule is for.
        let applying: Vec<&Fault> = state.rules.iter_mut().filter_map(|rule| rule.fault_for(path)).collect();
        applying.first().map(|&fault| fault.clone())
    }
}
