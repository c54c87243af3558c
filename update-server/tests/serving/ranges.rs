//! Ranges over the wire, of a file in memory and of one on disk. What a range selects is decided in `content/range.rs` and tested there.

use crate::sample::{Sample, soon};

#[tokio::test]
async fn single_ranges_are_served_from_memory_and_from_disk() {
    let sample = Sample::new();
    for length in [1000_usize, 3_000_001] {
        let (path, bytes) = sample.object(length);
        let server = sample.serve().await;
        let mut client = server.client().await;
        let last = length - 1;
        for (range, first, end) in [
            ("0-0".to_owned(), 0, 1),
            ("10-99".to_owned(), 10, 100),
            (format!("{last}-"), last, length),
            (format!("{}-{}", length / 2, length * 2), length / 2, length),
            ("-1".to_owned(), last, length),
            ("-600".to_owned(), length - 600, length),
            ("0-".to_owned(), 0, length),
        ] {
            let answer = client.request("GET", &path, &format!("Range: bytes={range}\r\n")).await;
            assert_eq!(answer.status, 206, "{range}");
            assert_eq!(answer.field("content-range"), Some(format!("bytes {first}-{}/{length}", end - 1).as_str()));
            assert!(answer.body == bytes[first..end], "{range}: the bytes differ");
        }
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_is_told_the_length() {
    let sample = Sample::new();
    let (path, _) = sample.object(1000);
    let server = sample.serve().await;
    let mut client = server.client().await;
    for range in ["1000-", "1000-2000", "-0", "99999999999999999999-"] {
        let answer = client.request("GET", &path, &format!("Range: bytes={range}\r\n")).await;
        assert_eq!(
            (answer.status, answer.field("content-range"), answer.code()),
            (416, Some("bytes */1000"), "range-not-satisfiable".into())
        );
    }
}

/// Attack C10: a million parts cost no more than the file.
#[tokio::test]
async fn several_ranges_and_nonsense_are_answered_with_the_whole_file() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(1000);
    let server = sample.serve().await;
    let mut client = server.client().await;
    let many = format!("bytes={}", vec!["0-0"; 3000].join(","));
    for range in ["bytes=0-1,5-6", "bytes=5-2", "bytes=x", "items=0-1", &many] {
        let answer = client.request("GET", &path, &format!("Range: {range}\r\n")).await;
        assert_eq!((answer.status, answer.field("content-range")), (200, None));
        assert_eq!(answer.body, bytes);
    }
}

#[tokio::test]
async fn a_range_of_another_version_is_answered_with_the_whole_file() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(1000);
    let server = sample.serve().await;
    let mut client = server.client().await;
    let etag = client.request("HEAD", &path, "").await.field("etag").unwrap().to_owned();
    let answer = client.request("GET", &path, &format!("Range: bytes=1-2\r\nIf-Range: {etag}\r\n")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (206, &bytes[1..3]));
    let answer = client.request("GET", &path, "Range: bytes=1-2\r\nIf-Range: \"x\"\r\n").await;
    assert_eq!((answer.status, answer.body), (200, bytes));
}

#[tokio::test]
async fn many_large_transfers_at_once_are_right_even_without_memory_for_them() {
    for memory in [0, 1 << 20, 64 << 20] {
        let sample = Sample::new();
        let (path, bytes) = sample.object(2_500_000);
        let server = sample.serve_with(|settings| settings.cache.transfer_memory_bytes = memory).await;
        let downloads = (0..20).map(|_| async {
            let mut client = server.client().await;
            for _ in 0..2 {
                assert!(client.request("GET", &path, "").await.body == bytes, "the bytes differ");
            }
        });
        soon(futures_util::future::join_all(downloads)).await;
    }
}

/// What is not in the system's memory is fetched first, on a thread that may wait for the disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_only_the_disk_has_is_served() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(9_000_001);
    let file = std::fs::File::open(sample.path(path.strip_prefix("/repo/acme/").unwrap())).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let server = sample.serve().await;
    assert!(soon(server.get(&path)).await.body == bytes, "the bytes differ");
}

/// A file that becomes shorter under way ends the connection; nothing else is ever sent in the place of its bytes.
#[tokio::test]
async fn a_file_that_becomes_shorter_cuts_the_connection() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(48 << 20);
    let file = sample.path(path.strip_prefix("/repo/acme/").unwrap());
    let server = sample.serve().await;
    let mut client = server.client().await;
    client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await;
    client.socket.readable().await.unwrap();
    std::fs::File::options().write(true).open(file).unwrap().set_len(40 << 20).unwrap();
    let received = soon(client.closed()).await;
    let start = received.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(received.len() - start < bytes.len(), "cut");
    assert!(received[start..] == bytes[..received.len() - start], "the bytes differ");
}

#[tokio::test]
async fn answers_to_pipelined_requests_come_in_order() {
    let sample = Sample::new();
    let (large, large_bytes) = sample.object(700_000);
    let (small, small_bytes) = sample.object(100);
    let server = sample.serve().await;
    let mut client = server.client().await;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    let requests = [ask(&large), ask(&small), ask(&large), ask(&small)].concat();
    client.send(requests.as_bytes()).await;
    for expected in [&large_bytes, &small_bytes, &large_bytes, &small_bytes] {
        assert!(soon(client.answer(false)).await.unwrap().body == *expected, "the bytes differ");
    }
}
