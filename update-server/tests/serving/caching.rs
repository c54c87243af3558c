//! What caches are told: the timestamp for a moment, everything else for ever, absence as briefly as it may last.

use manifests::digest::Digest;

use crate::sample::Sample;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn the_timestamp_is_kept_for_half_a_minute_and_immutable_files_for_ever() {
    let sample = Sample::new();
    let (small, _) = sample.object(1000);
    let (large, _) = sample.object(1 << 20);
    let server = sample.serve().await;
    let json = "application/json";
    for (path, cache, kind) in [
        ("/repo/acme/metadata/timestamp.json", "public, max-age=30", json),
        ("/repo/acme/metadata/1.root.json", FOR_EVER, json),
        ("/repo/acme/metadata/5.snapshot.json", FOR_EVER, json),
        ("/repo/acme/metadata/3.windows.json", FOR_EVER, json),
        (small.as_str(), FOR_EVER, "application/octet-stream"),
        (large.as_str(), FOR_EVER, "application/octet-stream"),
    ] {
        // Twice: from disk, and from memory where it fits.
        for _ in 0..2 {
            let answer = server.get(path).await;
            assert_eq!(
                (answer.status, answer.field("cache-control"), answer.field("content-type")),
                (200, Some(cache), Some(kind)),
                "{path}"
            );
            assert_eq!(answer.field("etag"), Some(format!("\"{}\"", Digest::of(&answer.body)).as_str()), "{path}");
            assert_eq!(answer.field("accept-ranges"), Some("bytes"));
            assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
            assert!(answer.field("date").is_some());
        }
    }
}

#[tokio::test]
async fn a_file_the_client_has_is_not_sent_again() {
    let sample = Sample::new();
    let (large, _) = sample.object(1 << 20);
    let server = sample.serve().await;
    let mut client = server.client().await;
    for path in ["/repo/acme/metadata/timestamp.json", "/repo/acme/metadata/1.root.json", &large] {
        let first = client.request("GET", path, "").await;
        let etag = first.field("etag").unwrap();
        for condition in [etag.to_owned(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let answer = client.request("GET", path, &format!("If-None-Match: {condition}\r\n")).await;
            assert_eq!((answer.status, answer.field("etag")), (304, Some(etag)), "{condition}");
            assert_eq!(answer.field("cache-control"), first.field("cache-control"));
            assert_eq!(answer.field("content-length"), None);
        }
        let answer = client.request("GET", path, "If-None-Match: \"x\"\r\n").await;
        assert_eq!((answer.status, answer.body), (200, first.body));
        let answer = client.request("GET", path, "If-Match: \"x\"\r\n").await;
        assert_eq!((answer.status, answer.code()), (412, "precondition-failed".into()));
    }
}

#[tokio::test]
async fn a_new_timestamp_is_served_soon_after_it_was_published() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let mut client = server.client().await;
    let first = client.request("GET", "/repo/acme/metadata/timestamp.json", "").await;
    sample.timestamp(6, "2026-11-28T10:00:00Z");
    let changed = async {
        loop {
            let answer = client.request("GET", "/repo/acme/metadata/timestamp.json", "").await;
            if answer.body != first.body {
                break answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let second = crate::sample::soon(changed).await;
    assert_eq!(second.body, std::fs::read(sample.path("metadata/timestamp.json")).unwrap());
    assert_ne!(second.field("etag"), first.field("etag"));
}

#[tokio::test]
async fn the_absence_of_a_next_version_is_never_kept() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let mut client = server.client().await;
    let hex = "ab".repeat(32);
    for (path, cache) in [
        ("/repo/acme/metadata/3.root.json".to_owned(), "no-store"),
        ("/repo/acme/metadata/6.snapshot.json".to_owned(), "no-store"),
        (format!("/repo/acme/objects/ab/{hex}"), "public, max-age=30"),
        (format!("/repo/acme/targets/{hex}.policy.json"), "public, max-age=30"),
        ("/repo/other/metadata/1.root.json".to_owned(), "public, max-age=30"),
    ] {
        let answer = client.request("GET", &path, "").await;
        assert_eq!((answer.status, answer.field("cache-control"), answer.code()), (404, Some(cache), "no-such-file".into()), "{path}");
    }
    // The root that comes into being is seen at once.
    std::fs::copy(sample.path("metadata/2.root.json"), sample.path("metadata/3.root.json")).unwrap();
    assert_eq!(client.request("GET", "/repo/acme/metadata/3.root.json", "").await.status, 200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let sample = Sample::new();
    let (small, _) = sample.object(1000);
    let (large, _) = sample.object(1 << 20);
    let server = sample.serve().await;
    let mut client = server.client().await;
    let paths = ["/repo/acme/metadata/timestamp.json", &small, &large, "/i/shop1", "/healthz", "/readyz", "/nothing", "/repo/acme/x"];
    for path in paths {
        let (get, head) = (client.request("GET", path, "").await, client.request("HEAD", path, "").await);
        let without_date = |fields: &[(String, String)]| fields.iter().filter(|(name, _)| name != "date").cloned().collect::<Vec<_>>();
        assert_eq!(head.status, get.status);
        assert_eq!(without_date(&head.fields), without_date(&get.fields), "{path}");
    }
    let answer = client.request("HEAD", &large, "Range: bytes=0-1\r\n").await;
    assert_eq!((answer.status, answer.field("content-length")), (200, Some("1048576")));
}

/// Attack B10.
#[tokio::test]
async fn nothing_is_ever_encoded() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let mut client = server.client().await;
    let plain = client.request("GET", "/repo/acme/metadata/1.root.json", "").await;
    let asked = client.request("GET", "/repo/acme/metadata/1.root.json", "Accept-Encoding: gzip, br, zstd\r\n").await;
    assert_eq!((asked.field("content-encoding"), asked.field("vary"), &asked.body), (None, None, &plain.body));
}

#[tokio::test]
async fn install_documents_are_json_and_never_kept() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let answer = server.get("/i/shop1").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{\"an\":\"install document\"}".as_slice()));
    assert_eq!((answer.field("content-type"), answer.field("cache-control")), (Some("application/json"), Some("no-store")));
    for path in ["/i/shop2", "/i/abc", "/i/..%2Fx", "/i/shop1.json", "/i/shop1%00"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.code(), answer.field("cache-control")), (404, "no-such-install-code".into(), Some("no-store")));
    }
}

#[tokio::test]
async fn a_damaged_small_file_is_not_served() {
    let sample = Sample::new();
    let (path, _) = sample.object(1000);
    sample.write(path.strip_prefix("/repo/acme/").unwrap(), b"damaged");
    let server = sample.serve().await;
    let answer = server.get(&path).await;
    assert_eq!((answer.status, answer.code(), answer.field("cache-control")), (500, "content-damaged".into(), Some("no-store")));
}
