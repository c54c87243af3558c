//! What differs is copied, nothing else is, and what is not ours stays (AC-01 to AC-06, AC-08, AC-10, AC-11).

use std::fs::{self, File};

use system_tests::forge::Forge;
use system_tests::proxy::{Exchange, Proxy, body_bytes};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::world::{Build, Repository, T0, TARGET, World, mtime, noise, set_mtime};

/// Files of the sample build, and bytes in each.
const FILES: usize = 20;
const SIZE: usize = 50_000;
/// Bytes of the one large file.
const LARGE: usize = 1_200_000;
/// Most bytes that a small file may cost: the frame that it shares with its neighbours (`docs/decisions/0001-frame-size.md`).
const FRAME: u64 = 512 << 10;

/// A published build, and a station that has it.
struct Scene<'a> {
    repository: Repository<'a>,
    v1: Build,
    station: Station,
    proxy: Proxy,
    _server: Server,
}

fn installed(world: &World) -> Scene<'_> {
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(0, SIZE), T0);
    for n in 1..FILES {
        v1.file(&format!("data/{n:02}.bin"), noise(n as u64, SIZE), T0 + n as i64);
    }
    v1.file("large.bin", noise(1000, LARGE), T0);
    repository.publish(&v1, "1.0.0");
    let (server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    proxy.take_exchanges();
    Scene { repository, v1, station, proxy, _server: server }
}

/// Bytes of content that were fetched.
fn payload(exchanges: &[Exchange]) -> u64 {
    body_bytes(exchanges, "/objects/")
}

#[test]
fn ac_01_a_missing_file_is_fetched_and_nothing_else() {
    let world = World::new();
    let scene = installed(&world);
    fs::write(scene.station.file("extra.txt"), "mine").expect("written");
    let extra = scene.station.tree().get("extra.txt").cloned();
    for (path, most) in [("large.bin", LARGE as u64 + 1000), ("data/07.bin", FRAME + 1000)] {
        fs::remove_file(scene.station.file(path)).expect("removed");
        let check = scene.station.check().exits(10);
        assert!(check.json["drift"].to_string().contains(path), "what is missing is named: {}", check.json);
        scene.station.update().exits(0);
        scene.station.tree().without("extra.txt").assert_is(&scene.v1.tree(), "the missing file is back");
        assert_eq!(scene.station.tree().get("extra.txt"), extra.as_ref());
        let got = payload(&scene.proxy.take_exchanges());
        assert!(got <= most, "{got} bytes came for {path}");
        assert_eq!(scene.station.backups(), [] as [&str; 0], "files that come back take no backup slot");
    }
}

#[test]
fn ac_02_a_file_of_the_same_size_and_another_time_and_content_is_replaced() {
    let world = World::new();
    let scene = installed(&world);
    let path = scene.station.file("data/03.bin");
    fs::write(&path, noise(99, SIZE)).expect("written");
    set_mtime(&path, T0 + 3 + 3600);
    scene.station.check().exits(10);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "replaced");
    assert_eq!(mtime(&path), T0 + 3);
}

#[test]
fn ac_03_a_file_of_the_same_content_and_another_time_is_not_fetched() {
    let world = World::new();
    let scene = installed(&world);
    for (n, time) in [(4, T0 + 7200), (5, T0 - 7200)] {
        set_mtime(&scene.station.file(&format!("data/{n:02}.bin")), time);
    }
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "times are corrected");
    assert_eq!(payload(&scene.proxy.take_exchanges()), 0);
    assert_eq!(scene.station.backups(), [] as [&str; 0]);
    assert_eq!(scene.station.check().exits(0).text("decision"), "up-to-date");
}

#[test]
fn ac_03_a_release_in_which_only_times_differ_is_not_fetched() {
    let world = World::new();
    let scene = installed(&world);
    let v2 = scene.v1.copy("v2");
    for n in 1..FILES {
        set_mtime(&v2.dir.join(format!("data/{n:02}.bin")), T0 + 86_400);
    }
    scene.repository.publish(&v2, "1.0.1");
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v2.tree(), "times are those of the new release");
    let exchanges = scene.proxy.take_exchanges();
    let content: Vec<_> = exchanges.iter().filter(|e| e.path.contains("/objects/")).collect();
    assert!(content.len() <= 1 && payload(&exchanges) < 5_000, "nothing but the release manifest is fetched: {content:?}");
    assert_eq!(scene.station.backups(), [] as [&str; 0]);
    assert_eq!(scene.station.check().exits(0).text("decision"), "up-to-date");
}

#[test]
fn ac_04_a_file_of_another_size_and_the_same_time_is_replaced() {
    let world = World::new();
    let scene = installed(&world);
    let path = scene.station.file("data/06.bin");
    fs::write(&path, "short").expect("written");
    set_mtime(&path, T0 + 6);
    scene.station.check().exits(10);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "replaced");
}

#[test]
fn ac_05_an_older_build_needs_a_signed_leave_to_go_back() {
    let world = World::new();
    let scene = installed(&world);
    let older = scene.v1.copy("older");
    older.file("data/01.bin", noise(77, SIZE), T0 - 86_400);
    let refused = scene.repository.publish_with(&older, &["--build", "0.9.0"]);
    assert_ne!(refused.code(), 0, "the publisher is asked whether this is meant");
    assert!(refused.stderr.contains("--allow-downgrade"), "{}", refused.report());

    // Signed all the same, by a publisher whose tools do not ask.
    Forge::of(&scene.repository).publish_changed(TARGET, |manifest| manifest["build"] = "0.9.0".into());
    let check = scene.station.check();
    assert_eq!(check.text("decision"), "downgrade", "{}", check.json);
    assert!(check.text("reason").contains("allow_downgrade"), "the reason is named: {}", check.json);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "without the flag nothing goes back");
    assert_eq!(scene.station.backups(), [] as [&str; 0]);

    scene.repository.publish_with(&older, &["--build", "0.9.0", "--allow-downgrade"]).succeeded("publish with leave");
    scene.station.check().exits(10);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&older.tree(), "with the flag it does");
}

#[test]
fn ac_06_what_the_release_does_not_list_survives_update_and_rollback() {
    let world = World::new();
    let scene = installed(&world);
    let station = &scene.station;
    fs::create_dir_all(station.file("plugins/mine")).expect("made");
    for (path, time) in [("report.pdf", T0 - 5), ("plugins/mine/a.so", T0 - 6), ("data/extra.bin", T0 - 7)] {
        fs::write(station.file(path), path).expect("written");
        set_mtime(&station.file(path), time);
    }
    std::os::unix::fs::symlink("report.pdf", station.file("link-of-mine")).expect("linked");
    let with_extras = station.tree();
    let extras = ["report.pdf", "plugins", "plugins/mine", "plugins/mine/a.so", "data/extra.bin", "link-of-mine"];
    let stay = |when: &str| {
        let now = station.tree();
        for path in extras {
            assert_eq!(now.get(path), with_extras.get(path), "{path} {when}");
        }
    };
    let v2 = scene.v1.copy("v2");
    v2.file("data/02.bin", noise(222, SIZE), T0 + 500);
    scene.repository.publish(&v2, "2.0.0");
    station.update().exits(0);
    stay("after an update");
    station.backup(1).assert_is(&with_extras, "extras are in the backup");
    station.run(&["rollback"]).exits(0);
    stay("after a rollback");
    station.tree().assert_is(&with_extras, "all is as it was");
}

#[test]
fn ac_08_an_update_of_three_files_of_a_thousand_costs_three_files() {
    const BIG: usize = 100_000;
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    for n in 0..1000 {
        v1.file(&format!("{:02}/{n:03}.bin", n / 50), noise(1000 + n, BIG), T0);
    }
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    proxy.take_exchanges();
    let v2 = v1.copy("v2");
    for n in [7, 500, 999] {
        v2.file(&format!("{:02}/{n:03}.bin", n / 50), noise(9000 + n, BIG), T0 + 60);
    }
    repository.publish(&v2, "2.0.0");
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "updated");
    let all = body_bytes(&proxy.take_exchanges(), "");
    // The manifest of 1,000 files, with a digest of 32 bytes for each that nothing compresses, and the metadata.
    let overhead = 1000 * 60 + 20_000;
    assert!(all <= 3 * BIG as u64 + overhead, "{all} bytes for three files of {BIG}");
}

#[test]
fn ac_11_a_file_that_was_tampered_with_under_its_old_size_and_time_is_found_by_a_deep_verify() {
    let world = World::new();
    let scene = installed(&world);
    let path = scene.station.file("data/09.bin");
    let mut content = fs::read(&path).expect("read");
    content[SIZE / 2] ^= 1;
    fs::write(&path, content).expect("written");
    set_mtime(&path, T0 + 9);
    assert_eq!(scene.station.check().exits(0).text("decision"), "up-to-date", "the fast check goes by size and time");
    let found = scene.station.run(&["verify"]).exits(10);
    assert!(found.json.to_string().contains("data/09.bin"), "{}", found.json);
    scene.station.run(&["verify", "--repair"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "repaired");
    scene.station.run(&["verify"]).exits(0);
}

#[test]
fn ac_10_strange_sizes_depths_and_names_arrive_intact() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    let deep = (0..40).map(|n| format!("d{n}")).collect::<Vec<_>>().join("/");
    v1.file("empty", "", T0)
        .file("also empty", "", T0 + 1)
        .file(&format!("{deep}/bottom.txt"), "deep", T0)
        .file("Портфель/файл с пробелами.txt", "рус", T0)
        .file("更新/检查.dat", noise(5, 70_000), T0)
        .file("ação/não.ini", "[a]\n", T0)
        .file("one-byte", "x", T0)
        .file(&format!("{}.txt", "n".repeat(200)), "long name", T0)
        .exec(".hidden", "#!/bin/sh\n", T0)
        .file("a%20b", "percent", T0)
        .file("tab-free+plus&and=equals;semi,comma'quote#hash", "signs", T0)
        .folder("leer/ganz leer");
    repository.publish(&v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    for path in ["empty", "更新/检查.dat", "Портфель/файл с пробелами.txt", &format!("{deep}/bottom.txt")] {
        fs::remove_file(station.file(path)).expect("removed");
    }
    fs::remove_dir(station.file("leer/ganz leer")).expect("removed");
    station.update().exits(0);
    station.tree().assert_is(&v1.tree(), "what was missing is back");
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
}

#[test]
fn ac_10_a_file_beyond_four_gibibytes_arrives_intact() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.file("small.txt", "small", T0);
    let huge = v1.dir.join("huge.img");
    // Sparse, with something at its end that is only found by counting beyond 32 bits.
    let file = File::create(&huge).expect("created");
    file.set_len((4 << 30) + 3).expect("sparse");
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", 4 << 30).expect("written");
    drop(file);
    set_mtime(&huge, T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    let came = body_bytes(&proxy.take_exchanges(), "");
    assert!(came < 4 << 20, "four gibibytes of nothing cost {came} bytes");
}
