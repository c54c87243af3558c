//! Attacks C9 and C10: names that leave the store, methods and heads that nobody sends in earnest. Clients that are slow or many are in `exhaustion.rs`.

use crate::client::Client;
use crate::sample::{Sample, soon};

/// Attack C9: raw request targets, as no well-behaved client would send them.
#[tokio::test]
async fn c9_traversal_finds_nothing() {
    let sample = Sample::new();
    let (object, _) = sample.object(1000);
    let inside = object.strip_prefix("/repo/acme/").unwrap();
    let server = sample.serve().await;
    let targets = [
        "/../acme.keys/secret.json",
        "/repo/../acme.keys/secret.json",
        "/repo/acme/../acme.keys/secret.json",
        "/repo/acme/../../acme.keys/secret.json",
        "/repo/acme.keys/secret.json",
        "/repo/acme/metadata/../repository.json",
        "/repo/acme/metadata/..%2frepository.json",
        "/repo/acme/metadata/%2e%2e/repository.json",
        "/repo/acme/metadata/%2e%2e%2frepository.json",
        "/repo/acme/%2e%2e/acme.keys/secret.json",
        "/repo/acme/metadata/%252e%252e/repository.json",
        "/repo/acme/metadata/..%255crepository.json",
        "/repo/acme/metadata\\..\\repository.json",
        "/repo/acme/..\\acme.keys\\secret.json",
        "/repo/acme/metadata/timestamp.json\0",
        "/repo/acme/metadata/timestamp.json%00",
        "/repo/acme/metadata/%00timestamp.json",
        "/repo/acme\0/metadata/timestamp.json",
        "/repo/acme/metadata/1.root.json\0/../../repository.json",
        "/repo/acme/%c0%ae%c0%ae/acme.keys/secret.json",
        "/repo/acme/%u002e%u002e/acme.keys/secret.json",
        "/repo/acme/..;/acme.keys/secret.json",
        "/repo/acme/.submissions/submission-1.zip",
        "/repo/acme/C:/acme.keys/secret.json",
        "/%2e%2e/acme.keys/secret.json",
        "/..\\acme.keys\\secret.json",
        "/repo/acme/metadata/timestamp%2Ejson",
        "/repo/acme/metadata%2ftimestamp.json",
        "/repo/%61cme/metadata/timestamp.json",
        "/repo/ACME/metadata/timestamp.json",
        "/repo/acme//metadata/timestamp.json",
        "//repo/acme/metadata/timestamp.json",
        "/repo/acme/./metadata/timestamp.json",
        "/repo/acme/metadata/timestamp.json/",
        "/repo/acme/repository.json",
        "/repo/acme/.lock",
        "/repo/acme/",
        "/repo/acme",
        "/repo/",
        "/repo",
        "/i/../repo/acme/repository.json",
        "/i/%2e%2e%2facme.keys%2fsecret",
        "/i/..\\acme.keys\\secret",
        "http://elsewhere/repo/acme/../acme.keys/secret.json",
        "metadata/timestamp.json",
        "*",
    ];
    for target in targets {
        let mut client = server.client().await;
        client.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await;
        let answer = soon(client.answer(false)).await.unwrap_or_else(|| panic!("{target}: no answer"));
        assert!([400, 404].contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.body.windows(6).any(|six| six == b"secret"), "{target}");
    }
    // The grammar forbids no honest file, and a query changes nothing.
    for target in [format!("/repo/acme/{inside}"), format!("/repo/acme/{inside}?x=../.."), format!("http://elsewhere/repo/acme/{inside}")] {
        assert_eq!(server.client().await.request("GET", &target, "").await.status, 200, "{target}");
    }
}

/// Attack C9: a link planted in the store leads nowhere.
#[cfg(unix)]
#[tokio::test]
async fn c9_symlinks_in_the_store_are_not_followed() {
    use std::os::unix::fs::symlink;
    let sample = Sample::new();
    symlink("../../acme.keys/secret.json", sample.path("metadata/9.root.json")).unwrap();
    symlink("../../acme.keys", sample.path("objects")).unwrap();
    symlink("1.root.json", sample.path("metadata/8.root.json")).unwrap();
    symlink("../acme.keys/secret.json", sample.folder.path().join("install/link1.json")).unwrap();
    let server = sample.serve().await;
    let object = format!("/repo/acme/objects/ab/{}", "ab".repeat(32));
    for path in ["/repo/acme/metadata/9.root.json", "/repo/acme/metadata/8.root.json", &object, "/i/link1"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn c9_other_methods_are_told_which_there_are() {
    let sample = Sample::new();
    let server = sample.serve().await;
    for path in ["/repo/acme/metadata/timestamp.json", "/i/shop1", "/healthz", "/readyz", "/metrics"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "CONNECT", "get", "GETX"] {
            let answer = server.client().await.request(method, path, "").await;
            assert_eq!((answer.status, answer.field("allow")), (405, Some("GET,HEAD")), "{method} {path}");
            assert_eq!(answer.code(), "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn unknown_pages_are_a_problem_document() {
    let sample = Sample::new();
    let server = sample.serve().await;
    for path in ["/", "/index.html", "/v1/check", "/v1/publish/acme", "/metrics/", "/api"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.code(), answer.field("x-content-type-options")), (404, "no-such-page".into(), Some("nosniff")));
    }
}

async fn status_of(mut client: Client, head: String) -> Option<u16> {
    client.send(head.as_bytes()).await;
    soon(client.answer(false)).await.map(|answer| answer.status)
}

/// Attack C10.
#[tokio::test]
async fn c10_heads_beyond_the_limits_are_refused() {
    let sample = Sample::new();
    let server = sample.serve_with(|settings| settings.limits.max_headers = 20).await;
    let get = "GET /healthz HTTP/1.1\r\nHost: test\r\n";
    let long = format!("{get}X: {}\r\n\r\n", "x".repeat(30_000));
    assert_eq!(status_of(server.client().await, long).await, Some(431));
    let many = format!("{get}{}\r\n", "X: x\r\n".repeat(30));
    assert_eq!(status_of(server.client().await, many).await, Some(431));
    let line = format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "x".repeat(30_000));
    assert!(matches!(status_of(server.client().await, line).await, Some(414 | 431)));
    assert_eq!(status_of(server.client().await, "GET\r\n\r\n".into()).await, Some(400));
    assert_eq!(status_of(server.client().await, format!("{get}\r\n")).await, Some(200));
}

#[tokio::test]
async fn c10_a_body_beyond_the_limit_is_refused_unread() {
    let sample = Sample::new();
    let server = sample.serve_with(|settings| settings.limits.max_body_bytes = 1000).await;
    let mut client = server.client().await;
    let answer = client.request("POST", "/healthz", "Content-Length: 1001\r\n").await;
    assert_eq!((answer.status, answer.code()), (413, "request-body-too-large".into()));
    soon(client.closed()).await;
}
