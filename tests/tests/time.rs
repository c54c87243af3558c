//! File times are the trap of size-and-time comparison: zones, coarse file systems, several servers, odd years (AC-12 to AC-15).

use system_tests::proxy::{Proxy, body_bytes};
use system_tests::world::{Clock, T0, World, copy_tree, mtime, noise, set_mtime};

/// 2027-03-28T00:40:00Z: twenty minutes before summer time begins in Lisbon.
const BEFORE_SUMMER_TIME: i64 = 1_806_194_400;

#[test]
fn ac_12_zones_and_summer_time_make_no_difference() {
    let clock = |unix: i64, zone: &str| Clock { unix, zone: zone.into() };
    let world = World::at_time(clock(BEFORE_SUMMER_TIME, "Asia/Tokyo"));
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), BEFORE_SUMMER_TIME - 60).file("in-the-gap", noise(2, 50_000), BEFORE_SUMMER_TIME + 3000).file(
        "winter",
        noise(3, 50_000),
        BEFORE_SUMMER_TIME - 90 * 86_400,
    );
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client").at_time(&clock(BEFORE_SUMMER_TIME + 60, "Europe/Lisbon"));
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    proxy.take_exchanges();
    for (later, zone) in
        [(600, "Europe/Lisbon"), (3600, "Europe/Lisbon"), (7200, "America/Sao_Paulo"), (7300, "Pacific/Kiritimati"), (7400, "UTC")]
    {
        let station = station.at_time(&clock(BEFORE_SUMMER_TIME + later, zone));
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{zone}, {later} s later");
        station.update().exits(0);
    }
    station.tree().assert_is(&v1.tree(), "untouched");
    assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0);
    assert_eq!(station.backups(), [] as [&str; 0]);
}

#[test]
fn ac_13_a_coarse_file_system_is_brought_up_to_date_once() {
    for (nanoseconds, what) in [("2000000000", "FAT"), ("1000000000", "HFS+, old ext3"), ("100", "NTFS")] {
        let world = World::new();
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 50_000), T0 + 1).file("even", noise(2, 50_000), T0 + 2).file("odd", noise(3, 50_000), T0 + 3);
        // Beyond the second, which releases do not carry.
        for (path, nanos) in [("client", 999_999_999), ("odd", 123_456_789)] {
            let file = std::fs::File::options().write(true).open(v1.dir.join(path)).expect("opened");
            let time = file.metadata().expect("there").modified().expect("a time") + std::time::Duration::from_nanos(nanos);
            file.set_modified(time).expect("set");
        }
        repository.publish(&v1, "1.0.0");
        let (_server, proxy, link) = world.serve_through_proxy(&repository);
        let station = world.station("client").with_env("STATIONMASTER_FAULT_MTIME_GRANULARITY_NS", nanoseconds);
        station.install(&link);
        let after_install = station.tree();
        let read_back = if what == "FAT" { T0 + 2 } else { T0 + 3 };
        let installed = std::fs::read_to_string(station.state("installed")).expect("read");
        let line = installed.lines().find(|line| line.ends_with("\todd")).expect("listed");
        assert!(line.contains(&format!("\t{}\t{read_back}\t", T0 + 3)), "{what}: asked for and read back: {line}");
        proxy.take_exchanges();
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{what}");
        station.update().exits(0);
        assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0, "{what}: the second run fetches nothing");
        station.tree().assert_is(&after_install, what);

        let v2 = v1.copy("v2");
        v2.file("odd", noise(33, 50_000), T0 + 101);
        repository.publish(&v2, "2.0.0");
        station.update().exits(0);
        proxy.take_exchanges();
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{what}");
        station.update().exits(0);
        assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0, "{what}: nor does it after an update");
    }
}

#[test]
fn ac_14_servers_with_other_file_times_behind_one_address_serve_one_release() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), T0).file("data", noise(2, 50_000), T0);
    repository.publish(&v1, "1.0.0");
    let twin = world.path("twin");
    copy_tree(&repository.dir, &twin);
    let mut age = 0;
    let mut restamp = vec![twin.clone()];
    while let Some(folder) = restamp.pop() {
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                restamp.push(path);
            } else {
                age += 3600;
                set_mtime(&path, T0 - age);
            }
        }
    }
    let (one, other) = (world.serve(&repository), world.serve_copy("acme", &twin, "twin-server"));
    let link = world.link(&one);
    let station = world.station("client");
    let both = Proxy::alternating(vec![one.address(), other.address()]);
    // The install document lies on one of the two alone, and the first request goes there.
    station.install(&both.through(&link));
    station.tree().assert_is(&v1.tree(), "installed from both");
    both.take_exchanges();
    for round in 0..6 {
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "check {round}");
        station.update().exits(0);
    }
    let exchanges = both.take_exchanges();
    assert_eq!(body_bytes(&exchanges, ""), 0, "the same content has the same ETag on both: {exchanges:?}");
    station.tree().assert_is(&v1.tree(), "untouched");
}

#[test]
fn ac_15_odd_years_are_set_exactly_or_clamped_once() {
    const YEAR_2040: i64 = 2_208_988_800;
    /// What releases carry at most (`docs/format.md` section 1).
    const LATEST: i64 = (1 << 33) - 1;
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    let times = [
        ("in-1960", -315_619_200),
        ("at-0", 0),
        ("before-1980", 200_000_000),
        ("in-1985", 499_162_500),
        ("in-2040", YEAR_2040),
        ("in-2300", 10_413_792_000),
    ];
    for (path, time) in times {
        v1.file(path, noise(time.unsigned_abs(), 10_000), time);
        assert_eq!(mtime(&v1.dir.join(path)), time, "the file system of this test keeps {time}");
    }
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    for (path, time) in times {
        assert_eq!(mtime(&station.file(path)), time.min(LATEST), "{path}");
    }
    let installed = station.tree();
    proxy.take_exchanges();
    for _ in 0..2 {
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
        station.update().exits(0);
    }
    station.tree().assert_is(&installed, "untouched");
    assert_eq!(body_bytes(&proxy.take_exchanges(), "/objects/"), 0, "no loop");
}
