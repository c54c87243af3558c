//! As much of HTTP/1.1 as a proxy needs that keeps each answer on a connection of its own upstream.

use std::io::{self, Read};

/// Longest head that is read, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// Where the body of an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With the connection, which we asked to be closed; also a chunked body, which goes through as it is.
    UntilClosed,
}

/// The head of a request.
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) path: String,
    /// Bytes of the head as it came.
    pub(super) length: u64,
    headers: Vec<(String, String)>,
}

impl RequestHead {
    /// The next request of a connection, `None` when it is over.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<RequestHead>> {
        let Some((first, headers, length)) = read_head(from)? else { return Ok(None) };
        let mut words = first.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Err(malformed(&first)) };
        Ok(Some(RequestHead { method: method.to_owned(), path: path.to_owned(), length, headers }))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    pub(super) fn body_length(&self) -> u64 {
        self.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// The head for the server, which is asked to close after its answer.
    pub(super) fn for_upstream(&self) -> Vec<u8> {
        let kept = self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        write_head(&format!("{} {} HTTP/1.1", self.method, self.path), kept, &[("connection", "close".to_owned())])
    }
}

/// The head of an answer.
pub(super) struct ResponseHead {
    pub(super) status: u16,
    first: String,
    headers: Vec<(String, String)>,
}

impl ResponseHead {
    pub(super) fn read(from: &mut impl Read) -> io::Result<ResponseHead> {
        let (first, headers, _) = read_head(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| malformed(&first))?;
        Ok(ResponseHead { status, first, headers })
    }

    /// An answer that no server gave.
    pub(super) fn made_up(status: u16) -> ResponseHead {
        ResponseHead { status, first: format!("HTTP/1.1 {status} Scripted"), headers: Vec::new() }
    }

    /// The same with this header, in the place of any of its name.
    pub(super) fn with(mut self, name: &str, value: &str) -> ResponseHead {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn content_length(&self) -> Option<u64> {
        find(&self.headers, "content-length")?.parse().ok()
    }

    pub(super) fn framing(&self, method: &str) -> Framing {
        match self.content_length() {
            _ if has_no_body(method, self.status) => Framing::Length(0),
            Some(n) => Framing::Length(n),
            None => Framing::UntilClosed,
        }
    }

    /// States the length of the body, or none, and whether the connection goes on.
    pub(super) fn announce(&mut self, length: Option<u64>) {
        let status = self.status;
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("connection"));
        if let Some(n) = length {
            self.headers.push(("content-length".to_owned(), n.to_string()));
        } else if !has_no_body("GET", status) {
            self.headers.push(("connection".to_owned(), "close".to_owned()));
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        write_head(&self.first, self.headers.iter(), &[])
    }
}

/// Whether an answer ends with its head.
pub(super) fn has_no_body(method: &str, status: u16) -> bool {
    method == "HEAD" || status == 304 || status == 204
}

type Head = (String, Vec<(String, String)>, u64);

/// First line, headers and length of a head; `None` at the end of a connection. Byte by byte, so that nothing of the body is taken.
fn read_head(from: &mut impl Read) -> io::Result<Option<Head>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if from.read(&mut byte)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        head.push(byte[0]);
        if head.len() > LONGEST_HEAD {
            return Err(malformed("a head without end"));
        }
    }
    let length = head.len() as u64;
    let text = String::from_utf8(head).map_err(|_| malformed("a head that is not UTF-8"))?;
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Ok(Some((first, headers, length)))
}

fn write_head<'a>(first: &str, headers: impl Iterator<Item = &'a (String, String)>, more: &[(&str, String)]) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    let more = more.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in headers.map(|(name, value)| (name.as_str(), value.as_str())).chain(more) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed HTTP: {what}"))
}
