//! What monitoring reads, and where.

use update_server::upkeep;

use crate::client::Client;
use crate::sample::{Running, Sample};
use crate::site::Site;

async fn metrics(client: &mut Client) -> String {
    let answer = client.request("GET", "/metrics", "").await;
    assert_eq!((answer.status, answer.field("cache-control")), (200, Some("no-store")));
    assert_eq!(answer.field("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    String::from_utf8(answer.body).unwrap()
}

fn value(metrics: &str, name: &str) -> f64 {
    let line =
        metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_else(|| panic!("no {name} in {metrics}"));
    line.parse().unwrap()
}

#[tokio::test]
async fn expiries_versions_requests_and_bytes_are_measured() {
    let sample = Sample::new();
    let (path, bytes) = sample.object(100_000);
    let server = sample.serve().await;
    let mut client = server.client().await;
    assert!(client.request("GET", &path, "").await.body == bytes);
    client.request("GET", &path, "Range: bytes=0-9\r\n").await;
    client.request("GET", "/repo/acme/nothing", "").await;
    let read = metrics(&mut client).await;
    let role = |role: &str| format!("{{repository=\"acme\",role=\"{role}\"}}");
    assert_eq!(value(&read, &format!("stationmaster_role_expires_in_seconds{}", role("timestamp"))), 7.0 * 86_400.0);
    assert_eq!(value(&read, &format!("stationmaster_role_version{}", role("windows"))), 3.0);
    assert_eq!(value(&read, "stationmaster_repository_ready{repository=\"acme\"}"), 1.0);
    for (status, count) in [(200, 1.0), (206, 1.0), (404, 1.0)] {
        assert_eq!(value(&read, &format!("stationmaster_requests_total{{route=\"repository\",status=\"{status}\"}}")), count);
    }
    let sent = value(&read, "stationmaster_sent_bytes_total");
    assert!((100_000.0..105_000.0).contains(&sent), "{sent}");
    assert_eq!(value(&read, "stationmaster_connections_open"), 1.0);
    assert!(!read.contains("refreshes"), "nothing is refreshed here: {read}");
}

/// Attack C10: what strangers make up costs no memory here.
#[tokio::test]
async fn c10_made_up_paths_add_nothing_to_the_metrics() {
    let sample = Sample::new();
    let server = sample.serve().await;
    let mut client = server.client().await;
    let mut lines = vec![];
    for round in 0..2 {
        for n in 0..200 {
            for path in
                [format!("/{round}{n}"), format!("/repo/x{round}{n}/y"), format!("/i/x{round}{n}"), format!("/v1/publish/{round}{n}")]
            {
                client.request("GET", &path, "").await;
            }
        }
        // The metrics themselves are a class, too.
        metrics(&mut client).await;
        lines.push(metrics(&mut client).await.lines().count());
    }
    assert_eq!(lines[0], lines[1]);
}

#[tokio::test]
async fn operators_can_have_an_address_of_their_own() {
    let sample = Sample::new();
    let server = sample.serve_with(|settings| settings.operators_listen = Some("127.0.0.1:0".parse().unwrap())).await;
    let (mut everybody, mut operators) = (server.client().await, Client::connect(server.operators.unwrap()).await);
    for (path, public, private) in [
        ("/healthz", 200, 200),
        ("/readyz", 404, 200),
        ("/metrics", 404, 200),
        ("/repo/acme/metadata/timestamp.json", 200, 404),
        ("/i/shop1", 200, 404),
    ] {
        let statuses = (everybody.request("GET", path, "").await.status, operators.request("GET", path, "").await.status);
        assert_eq!(statuses, (public, private), "{path}");
    }
    let read = metrics(&mut operators).await;
    assert_eq!(value(&read, "stationmaster_requests_total{route=\"repository\",status=\"200\"}"), 1.0, "both are counted together");
    let stopped = server.stop();
    assert_eq!(crate::sample::soon(stopped).await.unwrap().cut, 0);
}

#[tokio::test]
async fn refreshes_are_measured() {
    let site = Site::new();
    let settings = site.settings();
    let app = site.app_after(2, &settings);
    // Before the server does it, so that there is something to read at once.
    let keeping = upkeep::start(&app);
    let name = "acme".parse().unwrap();
    let kept = app.upkeep.get(&name).unwrap().clone();
    while kept.record().done == 0 {
        tokio::task::yield_now().await;
    }
    drop(keeping);
    let keeping = async {
        while std::sync::Arc::strong_count(&app) > 1 {
            tokio::task::yield_now().await;
        }
    };
    crate::sample::soon(keeping).await;
    let server = Running::start(settings, std::sync::Arc::into_inner(app).unwrap()).await;
    let read = metrics(&mut server.client().await).await;
    assert_eq!(value(&read, "stationmaster_refreshes_total{repository=\"acme\",result=\"done\"}"), 1.0);
    assert_eq!(value(&read, "stationmaster_refreshes_total{repository=\"acme\",result=\"failed\"}"), 0.0);
    let last = value(&read, "stationmaster_refresh_last_done_timestamp_seconds{repository=\"acme\"}");
    let expected = site.publisher.now().plus_days(2).unix() as f64;
    assert!((expected..expected + 60.0).contains(&last), "{last}");
}
