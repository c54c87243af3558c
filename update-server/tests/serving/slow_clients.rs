//! Attacks C2 and C10: clients that send or take next to nothing do not stop the others, and do not stay.

use std::time::Duration;

use futures_util::future::join_all;

use crate::sample::{Sample, soon};

fn hasty(settings: &mut update_server::config::Settings) {
    settings.limits.header_timeout = Duration::from_millis(300);
    settings.limits.idle_timeout = Duration::from_millis(300);
    settings.limits.send_timeout = Duration::from_millis(300);
}

/// Slowloris: as many half requests as there are places. Another client is served as soon as their time is over.
#[tokio::test]
async fn clients_that_never_finish_a_request_do_not_stop_others() {
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
async fn an_idle_connection_is_closed() {
    let sample = Sample::new();
    let server = sample.serve_with(hasty).await;
    let mut client = server.client().await;
    assert_eq!(client.request("GET", "/healthz", "").await.status, 200);
    soon(client.closed()).await;
}

/// A client that asks for a large file and takes none of it is cut, and its place is free again.
#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
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
