//! The first whole path: a build in a folder becomes a signed release, reaches a station, and can be taken back.

use system_tests::world::{Build, T0, World, noise};

/// A build of every kind of entry: programs, data, an empty file, a link, an empty folder, names with spaces and beyond ASCII.
fn first_build(world: &World) -> Build {
    let build = world.build("v1");
    build
        .exec("client", noise(1, 300_000), T0)
        .file("lib/core.so", noise(2, 200_000), T0 + 1)
        .file("lib/unchanged.so", noise(3, 150_000), T0 + 2)
        .file("share/текст и место.txt", "olá\n", T0 + 3)
        .file("share/empty", "", T0 + 4)
        .file("client.ini", "[main]\nlastmainprog=SIGACFG\n", T0 + 5)
        .file("only-in-1.txt", "one\n", T0 + 6)
        .link("lib/libcore.so.1", "core.so")
        .folder("logs");
    build
}

fn second_build(world: &World, first: &Build) -> Build {
    let build = first.copy("v2");
    assert_eq!(build.dir, world.path("v2"));
    build.exec("client", noise(11, 310_000), T0 + 1000).file("lib/core.so", noise(12, 190_000), T0 + 1001).file(
        "lib/new.so",
        noise(13, 5_000),
        T0 + 1002,
    );
    build
}

#[test]
fn a_build_in_a_folder_reaches_a_station_and_can_be_taken_back() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = first_build(&world);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let link = world.link(&server);
    let station = world.station("client");

    station.install(&link);
    station.tree().assert_is(&v1.tree(), "installed");
    assert_eq!(station.backups(), [] as [&str; 0]);
    station.run(&["verify"]).exits(0);
    let check = station.check().exits(0);
    assert_eq!(check.text("decision"), "up-to-date", "{}", check.json);

    let v2 = second_build(&world, &v1);
    repository.publish(&v2, "2.0.0");
    let check = station.check().exits(10);
    assert_eq!(check.text("decision"), "update-available", "{}", check.json);
    assert_eq!((check.json["installed"]["build"].as_str(), check.json["offered"]["build"].as_str()), (Some("1.0.0"), Some("2.0.0")));
    station.tree().assert_is(&v1.tree(), "a check changes nothing");
    let plan = station.run(&["update", "--dry-run"]).exits(0);
    station.tree().assert_is(&v1.tree(), "a dry run changes nothing");
    assert!(plan.json.is_object());

    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "updated");
    assert_eq!(station.backups(), ["bkp_remote.001"]);
    station.backup(1).assert_is(&v1.tree(), "backed up");
    station.run(&["verify"]).exits(0);
    station.assert_nothing_left_over();

    station.run(&["rollback"]).exits(0);
    station.tree().assert_is(&v1.tree(), "taken back");
    assert_eq!(station.backups(), ["bkp_remote.001"]);
    station.backup(1).assert_is(&v2.tree(), "the tree that was left is the newest backup");
    station.run(&["verify"]).exits(0);
    station.assert_nothing_left_over();

    let check = station.check().exits(0);
    assert_eq!(check.text("decision"), "held", "a release that was left is not pushed again: {}", check.json);
    station.update().exits(0);
    station.tree().assert_is(&v1.tree(), "an update respects the hold");
    station.run(&["unhold"]).exits(0);
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "released from the hold");
}

#[test]
fn a_rollback_needs_no_network() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = first_build(&world);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server));
    let v2 = second_build(&world, &v1);
    repository.publish(&v2, "2.0.0");
    station.update().exits(0);
    drop(server);
    station.run(&["rollback"]).exits(0);
    station.tree().assert_is(&v1.tree(), "taken back offline");
}

#[test]
fn every_attempt_leaves_one_line_of_history() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = first_build(&world);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server));
    let v2 = second_build(&world, &v1);
    repository.publish(&v2, "2.0.0");
    station.update().exits(0);
    station.check().exits(0);
    station.run(&["rollback"]).exits(0);

    let lines = station.history();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (line["result"].as_str().unwrap_or(""), line["from"]["build"].as_str(), line["to"]["build"].as_str()))
        .collect();
    assert_eq!(
        shown,
        [("applied", None, Some("1.0.0")), ("applied", Some("1.0.0"), Some("2.0.0")), ("rolled-back", Some("2.0.0"), Some("1.0.0"))]
    );
    for line in &lines {
        assert!(line["os_user"].as_str().is_some_and(|user| !user.is_empty() && user != "unknown"), "who: {line}");
        assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "when: {line}");
    }
}

#[test]
fn a_link_that_pins_another_document_is_refused() {
    let world = World::new();
    let repository = world.repository("acme");
    repository.publish(&first_build(&world), "1.0.0");
    let server = world.serve(&repository);
    let link = world.link(&server);
    let (address, fragment) = link.split_once('#').expect("a link pins its document");
    let mut wrong = fragment.to_owned();
    wrong.replace_range(0..1, if fragment.starts_with('0') { "1" } else { "0" });
    let station = world.station("client");
    station.run(&["install", &format!("{address}#{wrong}")]).exits(4);
    station.run(&["install", address]).exits(4);
    assert!(!station.dir.exists() || station.tree().iter().next().is_none(), "nothing was installed");
}

#[test]
fn the_programs_say_what_they_are_and_refuse_unknown_options() {
    for name in ["manifests", "update-server", "updater"] {
        let run = |option: &str| {
            system_tests::process::run(
                std::process::Command::new(system_tests::world::program(name)).arg(option),
                std::time::Duration::from_secs(20),
            )
        };
        assert!(run("--version").succeeded(name).stdout.starts_with(name), "{name}");
        assert!(run("--help").succeeded(name).stdout.len() > 200, "{name}");
        assert_eq!(run("--no-such-option").code(), 2, "{name}");
    }
}

#[test]
fn uninstall_removes_what_is_the_updaters_and_leaves_the_client() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = first_build(&world);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server));
    station.run(&["uninstall"]).exits(0);
    station.tree().assert_is(&v1.tree(), "the client stays");
    assert!(!station.state("").exists(), "the updater's own folder is gone");
}
