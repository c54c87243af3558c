//! The signal to stop: nothing new, what is under way ends, within the grace.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::sample::{Sample, soon};

#[tokio::test]
async fn a_transfer_under_way_ends_after_the_signal_to_stop() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(32 << 20);
    let server = sample.serve().await;
    let (address, mut idle, mut busy) = (server.address, server.client().await, server.client().await);
    assert_eq!(idle.request("GET", "/healthz", "").await.status, 200);
    busy.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await;
    busy.socket.readable().await.unwrap();
    let stopped = server.stop();
    soon(idle.closed()).await;
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    assert!(soon(busy.answer(false)).await.unwrap().body == bytes, "the bytes differ");
    soon(busy.closed()).await;
    assert_eq!(soon(stopped).await.unwrap().cut, 0);
}

#[tokio::test]
async fn what_outlasts_the_grace_is_cut() {
    let sample = Sample::new();
    let (path, _) = sample.object(64 << 20);
    let server = sample.serve_with(|settings| settings.shutdown_grace = Duration::from_millis(100)).await;
    let mut busy = server.client().await;
    busy.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await;
    busy.socket.readable().await.unwrap();
    assert_eq!(soon(server.stop()).await.unwrap().cut, 1);
}
