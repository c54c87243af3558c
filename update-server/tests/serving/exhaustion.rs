//! Attacks C2 and C10: clients that send or take next to nothing, that are very many, or that ask for what costs much, do not stop the others and do
//! not stay.

use std::time::Duration;

use futures_util::future::join_all;

use crate::client::Client;
use crate::sample::{Sample, soon};

fn hasty(settings: &mut update_server::config::Settings) {
    settings.limits.header_timeout = Duration::from_millis(300);
    settings.limits.idle_timeout = Duration::from_millis(300);
    settings.limits.send_timeout = Duration::from_millis(300);
}

/// Slowloris: as many half requests as there are places. Another client is served as soon as their time is over.
#[tokio::test]
async fn c10_clients_that_never_finish_a_request_do_not_stop_others() {
    let sample = Sample::new();
    let server = sample
        .serve_with(|settings| {
            hasty(settings);
            settings.limits.max_connections = 50;
        })
        .await;
    let mut slow = join_all((0..50).map(|_| server.client())).await;
    for client in &mut slow {
        client.send(b"GET /healthz HTTP/1.1\r\nHost: te").await;
    }
    assert_eq!(soon(server.get("/healthz")).await.status, 200);
    for client in &mut slow {
        soon(client.closed()).await;
    }
}

#[tokio::test]
async fn c10_an_idle_connection_is_closed() {
    let sample = Sample::new();
    let server = sample.serve_with(hasty).await;
    let mut client = server.client().await;
    assert_eq!(client.request("GET", "/healthz", "").await.status, 200);
    soon(client.closed()).await;
}

/// A client that asks for a large file and takes none of it is cut, and its place is free again.
#[tokio::test]
async fn c10_a_client_that_takes_nothing_is_cut() {
    let sample = Sample::new();
    let (path, _) = sample.object(64 << 20);
    let server = sample
        .serve_with(|settings| {
            hasty(settings);
            settings.limits.max_connections = 1;
        })
        .await;
    let mut stalled = server.client().await;
    stalled.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await;
    assert_eq!(soon(server.get("/healthz")).await.status, 200);
    // What the system had taken in is still there, and then the connection is over.
    soon(stalled.closed()).await;
}

/// As many half requests as this process can hold both ends of, up to ten thousand, all at once and none of them cut yet: others are served.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_ten_thousand_slow_clients_do_not_stop_others() {
    use rustix::process::{Resource, getrlimit};
    update_server::descriptors::raise_limit(20_000);
    // Other tests of this process have files open as well.
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(3000) / 2;
    let many = usize::try_from(files.min(10_000)).unwrap();
    let sample = Sample::new();
    let (path, bytes) = sample.object(1 << 20);
    let server = sample
        .serve_with(|settings| {
            settings.limits.max_connections = 20_000;
            settings.limits.header_timeout = Duration::from_secs(600);
        })
        .await;
    let mut slow: Vec<Client> = Vec::new();
    while slow.len() < many {
        let next = join_all((0..500.min(many - slow.len())).map(|_| async {
            let mut client = server.client().await;
            client.send(b"GET /healthz HTTP/1.1\r\nHost: te").await;
            client
        }));
        slow.extend(soon(next).await);
    }
    let mut other = soon(server.client()).await;
    assert!(soon(other.request("GET", &path, "")).await.body == bytes, "the bytes differ");
    let metrics = String::from_utf8(soon(other.request("GET", "/metrics", "")).await.body).unwrap();
    let open = metrics.lines().find_map(|line| line.strip_prefix("stationmaster_connections_open ")).unwrap();
    assert_eq!(open.parse::<usize>().unwrap(), many + 1, "they are all there");
    // And each of them is still served when it goes on.
    slow[0].send(b"st\r\n\r\n").await;
    assert_eq!(soon(slow[0].answer(false)).await.unwrap().status, 200);
}

#[tokio::test]
async fn c10_one_address_cannot_take_every_place() {
    let sample = Sample::new();
    let server = sample
        .serve_with(|settings| {
            settings.limits.max_connections_per_address = 3;
            settings.limits.unlimited_addresses = vec![];
        })
        .await;
    let mut held = vec![server.client().await, server.client().await, server.client().await];
    for client in &mut held {
        assert_eq!(client.request("GET", "/healthz", "").await.status, 200);
    }
    assert_eq!(soon(server.client().await.closed()).await, b"", "closed at once, without an answer");
    if cfg!(target_os = "linux") {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut other = Client::over(socket.connect(server.address).await.unwrap());
        assert_eq!(soon(other.request("GET", "/healthz", "")).await.status, 200, "another address is served");
    }
    drop(held.pop());
    // Its place is free as soon as the server has seen it go.
    let again = async {
        loop {
            let mut client = server.client().await;
            client.send_if_open(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n").await;
            if let Some(answer) = client.answer(false).await {
                break answer.status;
            }
        }
    };
    assert_eq!(soon(again).await, 200);
    let metrics = String::from_utf8(held[0].request("GET", "/metrics", "").await.body).unwrap();
    let refused = metrics.lines().find_map(|line| line.strip_prefix("stationmaster_connections_refused_total ")).unwrap();
    assert!(refused.parse::<u64>().unwrap() >= 1);
}

/// A proxy lends its address to everybody.
#[tokio::test]
async fn a_proxy_has_as_many_connections_as_it_likes() {
    let sample = Sample::new();
    let server = sample.serve_with(|settings| settings.limits.max_connections_per_address = 1).await;
    let mut clients = join_all((0..20).map(|_| server.client())).await;
    for client in &mut clients {
        assert_eq!(client.request("GET", "/healthz", "").await.status, 200);
    }
}

/// A million parts are a head that is too long. As many as the longest head that can be allowed holds cost what the file costs.
#[tokio::test]
async fn c10_a_million_range_parts_cost_no_more_than_the_file() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(1000);
    let parts = |count: usize| format!("GET {path} HTTP/1.1\r\nHost: test\r\nRange: bytes={}\r\n\r\n", vec!["0-0"; count].join(","));
    let server = sample.serve().await;
    let mut client = server.client().await;
    client.send_if_open(parts(1_000_000).as_bytes()).await;
    // The refusal may be lost when the rest of four megabytes is still on its way; nothing else ever comes.
    assert!(matches!(soon(client.answer_if_any()).await, None | Some(431)));
    let server = sample.serve_with(|settings| settings.limits.max_header_bytes = 1_000_000).await;
    let mut client = server.client().await;
    client.send(parts(240_000).as_bytes()).await;
    let answer = soon(client.answer(false)).await.unwrap();
    assert_eq!((answer.status, answer.field("content-range")), (200, None));
    assert_eq!(answer.body, bytes);
}

/// HTTP/2 is not spoken, whichever way it is asked for, so a rapid reset resets nothing.
#[tokio::test]
async fn c10_an_http2_rapid_reset_meets_no_http2() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let mut attack = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, b"")].concat();
    for stream in (1..20_000).step_by(2) {
        // GET, https, / from the static table; then RST_STREAM with CANCEL.
        attack.extend(frame(1, 5, stream, &[0x82, 0x87, 0x84]));
        attack.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    let mut client = server.client().await;
    client.send_if_open(&attack).await;
    let received = soon(client.closed()).await;
    assert!(received.is_empty() || received.starts_with(b"HTTP/1.1 4") || received.starts_with(b"HTTP/1.1 505"), "{received:?}");
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let answer = server.client().await.request("GET", "/healthz", upgrade).await;
    assert_eq!((answer.status, answer.field("upgrade")), (200, None));
}
