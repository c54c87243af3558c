//! The script of a proxy: what goes wrong, where, and with which requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What goes wrong with an answer. Bodies are counted from byte 0; a spot beyond the end of a body does nothing.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The connection is closed at this spot of the body, under the whole body's `Content-Length`.
    Cut(Spot),
    /// The body ends at this spot, and `Content-Length` agrees.
    Truncate(Spot),
    /// The body ends at this spot, without any `Content-Length`: the end of the connection looks like the end of the body.
    TruncateUnframed(Spot),
    /// These bytes follow the body, and `Content-Length` agrees.
    Append(Vec<u8>),
    /// These bytes follow the body again and again, without any `Content-Length`, until the station hangs up.
    Endless(Vec<u8>),
    /// One bit of the byte at this spot is flipped.
    FlipBit(Spot),
    /// The body is this one instead.
    Replace(Vec<u8>),
    /// The body is this one instead, under this `Content-Encoding`.
    Encoded(&'static str, Vec<u8>),
    /// The body comes in chunks, without any `Content-Length`, with these bytes after it.
    Chunked(Vec<u8>),
    /// No more than so many bytes per second.
    Slow(u64),
    /// The body comes byte by byte, with this time before each.
    Drip(Duration),
    /// The head comes byte by byte, with this time before each.
    DripHead(Duration),
    /// `Content-Length` says this, whatever comes.
    Announce(u64),
    /// The server's answer with this header, in the place of its own.
    Header(&'static str, String),
    /// This answer, with these headers, without the server being asked.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The body stops at this spot until `Proxy::release`, with the connection open.
    Hold(Spot),
    /// The answer recorded earlier for this path, or 404 when there was none.
    Replay(Recording),
    /// What a hotel's network says: 200, and a page in HTML.
    CaptivePortal,
    /// `Range` does not reach the server, which answers with the whole.
    DropRange,
    /// This status, without the server being asked.
    Status(u16),
    /// The request goes to another path.
    Divert(String),
    /// The connection is closed without an answer.
    Refuse,
}

/// A place in a body.
#[derive(Debug, Clone, Copy)]
pub enum Spot {
    /// This byte.
    Byte(u64),
    /// This many percent of the body's length.
    Percent(u64),
}

/// Which of the requests that match a rule it is for; the first is 1.
#[derive(Debug, Clone, Copy)]
pub enum Nth {
    /// Every one.
    Every,
    /// This one alone.
    Only(usize),
    /// This one and all later ones.
    From(usize),
}

/// Answers as they were at one moment, by path: what an attacker keeps for later.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<HashMap<String, (u16, Vec<u8>)>>);

impl Recording {
    pub(super) fn of(answers: HashMap<String, (u16, Vec<u8>)>) -> Recording {
        Recording(Arc::new(answers))
    }
}

/// A fault, and what it is for.
pub(super) struct Rule {
    pattern: String,
    nth: Nth,
    fault: Fault,
    matched: usize,
}

impl Rule {
    pub(super) fn new(pattern: &str, nth: Nth, fault: Fault) -> Rule {
        Rule { pattern: pattern.to_owned(), nth, fault, matched: 0 }
    }

    /// The fault, when this rule is for the request; counts it when it matches.
    pub(super) fn fault_for(&mut self, path: &str) -> Option<&Fault> {
        if !path.contains(&self.pattern) {
            return None;
        }
        self.matched += 1;
        let applies = match self.nth {
            Nth::Every => true,
            Nth::Only(n) => self.matched == n,
            Nth::From(n) => self.matched >= n,
        };
        applies.then_some(&self.fault)
    }
}

/// What a fault makes of a body of known or unknown length.
pub(super) struct Shape {
    /// What `Content-Length` says; `None` when the end of the connection is the end of the body.
    pub(super) announced: Option<u64>,
    /// The body stops before this byte.
    pub(super) end: u64,
    /// The byte of which one bit is flipped.
    flip: Option<u64>,
    /// The byte before which it waits.
    pub(super) hold: Option<u64>,
    /// What follows the body.
    pub(super) tail: Vec<u8>,
    /// Whether the tail follows again and again.
    pub(super) endless: bool,
    /// Bytes per second, at most.
    pub(super) pace: Option<u64>,
    /// Whether it is sent in chunks.
    pub(super) chunked: bool,
    /// The time before each single byte.
    pub(super) drip: Option<Duration>,
}

impl Shape {
    pub(super) fn of(fault: Option<&Fault>, length: Option<u64>) -> Shape {
        let at = |spot: &Spot| match spot {
            Spot::Byte(n) => *n,
            Spot::Percent(p) => length.map_or(0, |n| n * p / 100),
        };
        let whole = Shape {
            announced: length,
            end: u64::MAX,
            flip: None,
            hold: None,
            tail: Vec::new(),
            endless: false,
            pace: None,
            chunked: false,
            drip: None,
        };
        match fault {
            Some(Fault::Cut(spot)) => Shape { end: at(spot), ..whole },
            Some(Fault::Truncate(spot)) => Shape { end: at(spot), announced: length.map(|n| n.min(at(spot))), ..whole },
            Some(Fault::TruncateUnframed(spot)) => Shape { end: at(spot), announced: None, ..whole },
            Some(Fault::Append(bytes)) => Shape { tail: bytes.clone(), announced: length.map(|n| n + bytes.len() as u64), ..whole },
            Some(Fault::Endless(bytes)) => Shape { tail: bytes.clone(), endless: true, announced: None, ..whole },
            Some(Fault::Chunked(bytes)) => Shape { tail: bytes.clone(), announced: None, chunked: true, ..whole },
            Some(Fault::FlipBit(spot)) => Shape { flip: Some(at(spot)), ..whole },
            Some(Fault::Hold(spot)) => Shape { hold: Some(at(spot)), ..whole },
            Some(Fault::Announce(n)) => Shape { announced: Some(*n), ..whole },
            Some(Fault::Drip(gap)) => Shape { drip: Some(*gap), ..whole },
            Some(Fault::Slow(rate)) => Shape { pace: Some((*rate).max(1)), ..whole },
            _ => whole,
        }
    }

    /// Flips the bit when it lies in this chunk, which begins at byte `from` of the body.
    pub(super) fn flip_in(&self, chunk: &mut [u8], from: u64) {
        let spot = self.flip.and_then(|spot| usize::try_from(spot.checked_sub(from)?).ok());
        if let Some(byte) = spot.and_then(|spot| chunk.get_mut(spot)) {
            *byte ^= 0x10;
        }
    }
}

/// An answer that does not come from the server.
pub(super) enum MadeUp {
    /// The connection is closed without one.
    Silence,
    /// Status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
}

impl MadeUp {
    fn plain(status: u16, kind: &str, body: Vec<u8>) -> MadeUp {
        MadeUp::Answer(status, vec![("content-type", kind.to_owned())], body)
    }
}

/// The answer to a request that does not reach the server; `None` when it does.
pub(super) fn made_up(fault: Option<&Fault>, path: &str) -> Option<MadeUp> {
    const PORTAL: &[u8] = b"<!doctype html><title>Welcome</title><p>Accept the terms of our network to go on.\n";
    const BYTES: &str = "application/octet-stream";
    Some(match fault? {
        Fault::CaptivePortal => MadeUp::plain(200, "text/html", PORTAL.to_vec()),
        Fault::Status(code) => MadeUp::plain(*code, "text/plain", Vec::new()),
        Fault::Encoded(encoding, body) => {
            MadeUp::Answer(200, vec![("content-type", BYTES.to_owned()), ("content-encoding", (*encoding).to_owned())], body.clone())
        }
        Fault::Answer(status, headers, body) => MadeUp::Answer(*status, headers.clone(), body.clone()),
        Fault::Replace(body) => MadeUp::plain(200, BYTES, body.clone()),
        Fault::Replay(Recording(answers)) => match answers.get(path) {
            Some((status, body)) => MadeUp::plain(*status, BYTES, body.clone()),
            None => MadeUp::plain(404, "text/plain", Vec::new()),
        },
        Fault::Refuse => MadeUp::Silence,
        _ => return None,
    })
}
