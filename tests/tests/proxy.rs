//! The proxy does what its script says, before any other test relies on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use system_tests::proxy::{Fault, Nth, Proxy, Spot, body_bytes};

/// A server of 1,000 known bytes at every path, with single ranges and ETags, one answer per connection. `mark` is its first byte.
fn server(mark: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("accepted");
            thread::spawn(move || {
                let (mut range, mut conditional) = (None, false);
                for line in BufReader::new(stream.try_clone().expect("cloned")).lines() {
                    let line = line.expect("a line").to_ascii_lowercase();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(spec) = line.strip_prefix("range: bytes=") {
                        range = spec
                            .split_once('-')
                            .map(|(a, b)| (a.parse::<usize>().expect("a number"), b.parse::<usize>().expect("a number")));
                    }
                    conditional |= line.starts_with("if-none-match");
                }
                let all = content(mark);
                let (status, body) = match range {
                    _ if conditional => ("304 Not Modified", &all[..0]),
                    Some((from, to)) => ("206 Partial Content", &all[from..=to]),
                    None => ("200 OK", &all[..]),
                };
                let length = if conditional { String::new() } else { format!("content-length: {}\r\n", body.len()) };
                let _ = write!(stream, "HTTP/1.1 {status}\r\n{length}etag: \"x\"\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(body);
            });
        }
    });
    address
}

fn content(mark: u8) -> Vec<u8> {
    let mut all: Vec<u8> = (0..1000u16).map(|n| u8::try_from(n % 251).expect("below 251")).collect();
    all[0] = mark;
    all
}

/// What a client sees of one request on a fresh connection: status, announced length, body up to the end of the connection.
fn get(proxy: &Proxy, path: &str, headers: &str) -> (u16, Option<u64>, Vec<u8>) {
    let mut stream = TcpStream::connect(proxy.address()).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n").expect("sent");
    // The client has nothing more to ask, so that the proxy closes after its answer.
    stream.shutdown(std::net::Shutdown::Write).expect("shut");
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let Some(end) = all.windows(4).position(|w| w == b"\r\n\r\n") else { return (0, None, all) };
    let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|n| n.parse().ok());
    (status, length, all.split_off(end + 4))
}

#[test]
fn without_a_script_everything_passes_and_is_counted() {
    let proxy = Proxy::to(server(1));
    assert_eq!(get(&proxy, "/a", ""), (200, Some(1000), content(1)));
    assert_eq!(get(&proxy, "/a", "range: bytes=10-19\r\n"), (206, Some(10), content(1)[10..20].to_vec()));
    assert_eq!(get(&proxy, "/b", "if-none-match: \"x\"\r\n"), (304, None, vec![]));
    let seen = proxy.take_exchanges();
    let shown: Vec<_> = seen.iter().map(|e| (e.path.as_str(), e.status, e.body, e.range.as_deref(), e.conditional)).collect();
    assert_eq!(shown, [("/a", 200, 1000, None, false), ("/a", 206, 10, Some("bytes=10-19"), false), ("/b", 304, 0, None, true)]);
    assert_eq!(body_bytes(&seen, "/a"), 1010);
    assert!(proxy.take_exchanges().is_empty(), "taken once");
}

#[test]
fn one_connection_carries_many_requests() {
    let proxy = Proxy::to(server(1));
    let mut stream = TcpStream::connect(proxy.address()).expect("connected");
    for _ in 0..3 {
        write!(stream, "GET /a HTTP/1.1\r\nhost: x\r\nrange: bytes=0-9\r\n\r\n").expect("sent");
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(&content(1)[..10]) {
            stream.read_exact(&mut byte).expect("the connection goes on");
            seen.push(byte[0]);
        }
    }
    assert_eq!(proxy.take_exchanges().len(), 3);
}

#[test]
fn a_cut_announces_more_than_it_sends() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Cut(Spot::Percent(50)));
    assert_eq!(get(&proxy, "/a", ""), (200, Some(1000), content(1)[..500].to_vec()));
    assert_eq!(proxy.take_exchanges()[0].body, 500);
}

#[test]
fn a_truncated_body_is_announced_as_it_is_or_not_at_all() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Truncate(Spot::Byte(7)));
    proxy.on("/b", Nth::Every, Fault::TruncateUnframed(Spot::Byte(7)));
    assert_eq!(get(&proxy, "/a", ""), (200, Some(7), content(1)[..7].to_vec()));
    assert_eq!(get(&proxy, "/b", ""), (200, None, content(1)[..7].to_vec()));
}

#[test]
fn a_body_can_be_longer_than_the_file() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Append(b"more".to_vec()));
    let (status, length, body) = get(&proxy, "/a", "");
    assert_eq!((status, length, &body[1000..]), (200, Some(1004), &b"more"[..]));
}

#[test]
fn an_endless_body_ends_when_the_station_hangs_up() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Endless(vec![9; 64]));
    let mut stream = TcpStream::connect(proxy.address()).expect("connected");
    write!(stream, "GET /a HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    let mut much = vec![0; 1 << 20];
    stream.read_exact(&mut much).expect("more than the file");
    assert!(much.ends_with(&[9; 64]));
}

#[test]
fn one_bit_flips_and_nothing_else() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::FlipBit(Spot::Byte(500)));
    let (_, _, body) = get(&proxy, "/a", "");
    let wrong: Vec<_> = (0..1000).filter(|&i| body[i] != content(1)[i]).collect();
    assert_eq!((wrong, body.len()), (vec![500], 1000));
}

#[test]
fn a_rule_is_for_the_requests_it_names() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Only(2), Fault::Status(503));
    proxy.on("/b", Nth::From(2), Fault::CaptivePortal);
    let statuses = |path: &str| (0..3).map(|_| get(&proxy, path, "").0).collect::<Vec<_>>();
    assert_eq!(statuses("/a"), [200, 503, 200]);
    assert_eq!((0..3).map(|_| get(&proxy, "/b", "").2.starts_with(b"<!doctype")).collect::<Vec<_>>(), [false, true, true]);
    proxy.calm();
    assert_eq!(statuses("/b"), [200, 200, 200]);
}

#[test]
fn a_refused_request_has_no_answer() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Refuse);
    assert_eq!(get(&proxy, "/a", ""), (0, None, vec![]));
    assert_eq!(proxy.take_exchanges()[0].status, 0);
}

#[test]
fn a_dropped_range_brings_the_whole() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::DropRange);
    assert_eq!(get(&proxy, "/a", "range: bytes=10-19\r\n"), (200, Some(1000), content(1)));
    assert_eq!(proxy.take_exchanges()[0].range.as_deref(), Some("bytes=10-19"), "what the station asked for is what is noted");
}

#[test]
fn a_recording_is_played_back_as_it_was() {
    let servers = [server(1), server(2)];
    let proxy = Proxy::alternating(servers.to_vec());
    assert_eq!(get(&proxy, "/a", "").2[0], 1);
    let old = proxy.recording();
    assert_eq!(get(&proxy, "/a", "").2[0], 2, "two servers take turns");
    proxy.on("/", Nth::Every, Fault::Replay(old));
    assert_eq!(get(&proxy, "/a", ""), (200, Some(1000), content(1)));
    assert_eq!(get(&proxy, "/never-asked", "").0, 404);
}

#[test]
fn a_held_answer_goes_on_when_it_is_let_go() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Hold(Spot::Percent(30)));
    thread::scope(|scope| {
        let asking = scope.spawn(|| get(&proxy, "/a", ""));
        proxy.wait_until_held();
        assert!(proxy.take_exchanges().is_empty(), "still under way");
        proxy.release();
        assert_eq!(asking.join().expect("answered"), (200, Some(1000), content(1)));
    });
}

#[test]
fn another_path_and_another_body_can_be_answered() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Replace(b"evil".to_vec()));
    proxy.on("/b", Nth::Every, Fault::Divert("/c".into()));
    proxy.on("/d", Nth::Every, Fault::Slow(1_000_000));
    assert_eq!(get(&proxy, "/a", ""), (200, Some(4), b"evil".to_vec()));
    assert_eq!(get(&proxy, "/b", "").2, content(1));
    assert_eq!(get(&proxy, "/d", "").2, content(1));
}

#[test]
fn a_body_can_come_in_chunks_or_under_an_encoding() {
    let proxy = Proxy::to(server(1));
    proxy.on("/a", Nth::Every, Fault::Chunked(b"more".to_vec()));
    proxy.on("/b", Nth::Every, Fault::Encoded("gzip", b"whatever".to_vec()));
    let (status, length, raw) = get(&proxy, "/a", "");
    assert_eq!((status, length), (200, None));
    assert!(raw.ends_with(b"\r\n4\r\nmore\r\n0\r\n\r\n") && raw.len() > 1000, "{} bytes", raw.len());
    let (at, _) = raw.iter().enumerate().find(|(_, byte)| **byte == b'\n').expect("a first chunk");
    assert_eq!(raw[at + 1..][..1000], content(1));
    assert_eq!(proxy.take_exchanges()[0].body, 1004, "chunk heads are not counted");
    assert_eq!(get(&proxy, "/b", ""), (200, Some(8), b"whatever".to_vec()));
}

#[test]
fn a_link_leads_through_the_proxy() {
    let proxy = Proxy::to(server(1));
    assert_eq!(proxy.through("http://127.0.0.1:8080/i/demo#abc"), format!("http://{}/i/demo#abc", proxy.address()));
}
