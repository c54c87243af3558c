//! The Windows updater, run by Wine, against a server on Linux; the tree is judged from the Linux side (AC-82: AC-01 to AC-04, AC-39, AC-43, AC-47, AC-83).
//!
//! Wine is not Windows: `docs/windows.md` says which of its answers are the same.

use std::fs;

use system_tests::proxy::{Proxy, body_bytes};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::wine::Wine;
use system_tests::world::{Build, Repository, T0, World, mtime, noise, set_mtime};

/// Bytes in each file of the sample build.
const SIZE: usize = 50_000;

/// A release for Windows, and a station that has it.
struct Scene {
    v1: Build,
    station: Station,
    proxy: Proxy,
    _server: Server,
}

fn first_build(world: &World) -> Build {
    let build = world.build("v1");
    build
        .file("Client.exe", noise(0, SIZE), T0)
        .file("lib/Core.dll", noise(1, SIZE), T0 + 1)
        .file("lib/never.dll", noise(2, SIZE), T0 + 2)
        .file("share/текст и место.txt", "olá\n", T0 + 3)
        .file("share/empty", "", T0 + 4)
        .file("client.ini", "[main]\nserver=one\n", T0 + 5)
        .folder("logs");
    for n in 0..6 {
        build.file(&format!("data/{n}.bin"), noise(10 + n, SIZE), T0 + 10 + n as i64);
    }
    build
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str) {
    repository.publish_with(build, &["--os", "windows", "--entry-point", "Client.exe", "--build", version]).succeeded("manifests publish");
}

fn installed(world: &World) -> Scene {
    let repository = world.repository("acme");
    let v1 = first_build(world);
    publish(&repository, &v1, "1.0.0");
    let (server, proxy, link) = world.serve_through_proxy(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&link);
    tree(&station).assert_is(&v1.tree().without_modes(), "installed");
    proxy.take_exchanges();
    Scene { v1, station, proxy, _server: server }
}

/// The client's tree, as Linux sees it.
fn tree(station: &Station) -> Tree {
    station.tree().without_modes()
}

#[test]
fn ac_82_what_differs_is_put_right_and_no_more_is_fetched() {
    let world = World::new();
    let scene = installed(&world);
    let (station, v1) = (&scene.station, scene.v1.tree().without_modes());
    let payload = || body_bytes(&scene.proxy.take_exchanges(), "/objects/");
    fs::write(station.file("Extra.txt"), "mine").expect("written");
    let extra = tree(station).get("Extra.txt").cloned();
    let repaired = |what: &str| {
        station.check().exits(10);
        station.update().exits(0);
        tree(station).without("Extra.txt").assert_is(&v1, what);
        assert_eq!(tree(station).get("Extra.txt"), extra.as_ref(), "{what}: extras stay");
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{what}");
        station.assert_nothing_left_over();
        payload()
    };

    fs::remove_file(station.file("data/1.bin")).expect("removed");
    assert!(repaired("AC-01: the missing file is back") > 0);
    assert_eq!(station.backups(), [] as [&str; 0], "files that come back take no slot");

    fs::write(station.file("data/2.bin"), noise(99, SIZE)).expect("written");
    set_mtime(&station.file("data/2.bin"), T0 + 12 + 3600);
    assert!(repaired("AC-02: same size, another time and content") > 0);
    assert_eq!(mtime(&station.file("data/2.bin")), T0 + 12);

    set_mtime(&station.file("data/3.bin"), T0 + 13 + 7200);
    set_mtime(&station.file("lib/Core.dll"), T0 - 7200);
    let slots = station.backups();
    assert_eq!(repaired("AC-03: the same content and another time"), 0);
    assert_eq!(station.backups(), slots, "times take no slot");

    fs::write(station.file("data/4.bin"), "short").expect("written");
    set_mtime(&station.file("data/4.bin"), T0 + 14);
    assert!(repaired("AC-04: another size and the same time") > 0);
}
