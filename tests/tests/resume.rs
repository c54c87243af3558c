//! A link that breaks costs the rest of the way, not all of it (AC-73).

use system_tests::proxy::{Fault, Nth, Spot, body_bytes};
use system_tests::world::{Build, T0, World, noise};

const SIZE: usize = 8_000_000;

fn build(world: &World) -> Build {
    let build = world.build("v1");
    build.exec("client", noise(1, SIZE), T0);
    build
}

/// How much of the content may come twice: what was under way when the link broke.
const TWICE: u64 = 1 << 20;

#[test]
fn ac_73_a_download_that_was_cut_at_half_is_resumed_by_range() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = build(&world);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    proxy.on("/objects/", Nth::Only(2), Fault::Cut(Spot::Percent(50)));
    let station = world.station("client");
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    let exchanges = proxy.take_exchanges();
    let came = body_bytes(&exchanges, "/objects/");
    assert!(came <= SIZE as u64 + TWICE, "{came} bytes for {SIZE}");
    assert!(exchanges.iter().any(|e| e.range.is_some() && e.status == 206), "by range: {exchanges:?}");
}

#[test]
fn ac_73_a_later_run_goes_on_where_an_earlier_one_was_cut() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(5, 1000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    let v2 = v1.copy("v2");
    v2.exec("client", noise(6, SIZE), T0 + 10);
    repository.publish(&v2, "2.0.0");
    proxy.take_exchanges();

    // The manifest passes; of the content, half passes once, and then the link is dead.
    proxy.on("/objects/", Nth::Only(2), Fault::Cut(Spot::Percent(50)));
    proxy.on("/objects/", Nth::From(3), Fault::Refuse);
    station.update().exits(3);
    station.tree().assert_is(&v1.tree(), "nothing changed");
    let first = body_bytes(&proxy.take_exchanges(), "/objects/");
    proxy.calm();
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "updated");
    let second = body_bytes(&proxy.take_exchanges(), "/objects/");
    assert!(first + second <= SIZE as u64 + TWICE, "{first} and then {second} bytes for {SIZE}");
    assert!(second < SIZE as u64 * 3 / 5, "{second} bytes came for the half that was missing");
}

#[test]
fn a_server_that_ignores_ranges_is_coped_with() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = build(&world);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    proxy.on("/objects/", Nth::Only(2), Fault::Cut(Spot::Percent(50)));
    proxy.on("/objects/", Nth::Every, Fault::DropRange);
    let station = world.station("client");
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
}

#[test]
fn a_busy_server_is_asked_again() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = build(&world);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    proxy.on("/objects/", Nth::Only(1), Fault::Status(503));
    proxy.on("/objects/", Nth::Only(2), Fault::Refuse);
    let station = world.station("client");
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    proxy.on("/timestamp.json", Nth::Every, Fault::Refuse);
    station.check().exits(3);
    station.tree().assert_is(&v1.tree(), "untouched");
}

#[test]
fn ac_73_full_storage_is_named_and_the_old_version_works() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(5, 1000), T0).file("unchanged", noise(7, 1000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    let v2 = v1.copy("v2");
    v2.exec("client", noise(6, SIZE), T0 + 10);
    repository.publish(&v2, "2.0.0");
    for point in ["fetch.part", "stage.file", "backup.copy", "swap.journal", "swap.put"] {
        let full = station.with_env("STATIONMASTER_FAIL_POINT", &format!("{point}=enospc")).update().exits(5);
        assert!(full.finished.report().contains("space"), "at {point}: {}", full.finished.report());
        station.tree().assert_is(&v1.tree(), point);
        assert_eq!(station.backups(), [] as [&str; 0], "at {point}");
    }
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "with room it works");
}

#[test]
fn f9_a_second_updater_is_told_that_the_first_is_at_work() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(5, 1000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    let v2 = v1.copy("v2");
    v2.exec("client", noise(6, SIZE), T0 + 10);
    repository.publish(&v2, "2.0.0");
    proxy.on("/objects/", Nth::Every, Fault::Hold(Spot::Percent(50)));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| station.update());
        proxy.wait_until_held();
        station.update().exits(6);
        station.tree().assert_is(&v1.tree(), "nothing changed yet");
        proxy.release();
        first.join().expect("no panic").exits(0);
    });
    station.tree().assert_is(&v2.tree(), "the first one finished");
}
