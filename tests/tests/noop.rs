//! An up-to-date station costs next to nothing (AC-07).

use system_tests::world::{T0, World, noise};

/// Most bytes of body that a check may cost, also after the daily re-signing.
const LIMIT: u64 = 600;

/// A station that holds `files` files, up to date, is checked so many times.
fn checks(files: u64, times: usize) {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    for n in 0..files {
        v1.file(&format!("{:03}/{n:05}.txt", n / 100), noise(n, 64), T0 + i64::try_from(n).expect("small"));
    }
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    let before = station.tree();
    before.assert_is(&v1.tree(), "installed");
    proxy.take_exchanges();
    for round in 1..=times {
        let check = station.check().exits(0);
        assert_eq!(check.text("decision"), "up-to-date", "check {round}");
        let exchanges = proxy.take_exchanges();
        let [one] = exchanges.as_slice() else { panic!("check {round} made {} requests: {exchanges:?}", exchanges.len()) };
        assert!(one.conditional && one.status == 304 && one.body == 0, "check {round}: {one:?}");
    }
    station.update().exits(0);
    station.tree().assert_is(&before, "nothing changed");
    assert_eq!(station.backups(), [] as [&str; 0]);
}

#[test]
fn ac_07_fifty_checks_of_an_up_to_date_station_are_fifty_conditional_requests_and_no_payload() {
    checks(500, 50);
}

#[test]
fn ac_07_a_check_of_ten_thousand_files_is_one_conditional_request_and_no_payload() {
    checks(10_000, 2);
}

#[test]
fn ac_07_a_check_after_the_daily_signing_costs_less_than_600_bytes() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.file("a", "a", T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    proxy.take_exchanges();
    repository.manifests(&["refresh", repository.text()]).succeeded("manifests refresh");
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    let exchanges = proxy.take_exchanges();
    let body: u64 = exchanges.iter().filter(|e| e.status == 200).map(|e| e.body).sum();
    assert!(body <= LIMIT, "{body} bytes: {exchanges:?}");
    assert!(exchanges.iter().all(|e| !e.path.contains("/objects/")), "no payload");
}
