//! What a message tells a person to do works: a station whose own records are lost or damaged gets back on its way.

use std::fs;

use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::world::{Build, Repository, World};

const T0: i64 = 1_700_000_000;

/// A station at 1.0.0 of a repository that also has 1.1.0.
fn behind(world: &World) -> (Repository<'_>, Server, Station, String) {
    let repository = world.repository("acme");
    let first = world.build("v1");
    first.exec("app", "one", T0).file("app.ini", "a=1", T0);
    repository.publish(&first, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    let link = world.link(&server);
    station.install(&link);
    let second = world.build("v2");
    second.exec("app", "two", T0).file("app.ini", "a=1", T0);
    repository.publish(&second, "1.1.0");
    (repository, server, station, link)
}

/// A build that a server offers, and the link to it, for a station that has nothing.
fn offered(world: &World) -> (Build, Server, Station, String) {
    let repository = world.repository("acme");
    let build = world.build("v1");
    build.exec("app", "one", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let (station, link) = (world.station("client"), world.link(&server));
    (build, server, station, link)
}

#[test]
fn a_damaged_ratchet_stops_updates_and_install_makes_it_anew() {
    let world = World::new();
    let (_repository, _server, station, link) = behind(&world);
    fs::write(station.state("ratchet.json"), "junk").expect("written");
    station.run(&["update", "--yes"]).exits(7);
    station.run(&["verify"]).exits(0);
    station.run(&["status"]).exits(0);
    station.run(&["install", &link]).exits(0);
    station.check().exits(0);
}

#[test]
fn a_lost_or_damaged_root_is_pinned_again_by_install() {
    let world = World::new();
    let (_repository, _server, station, link) = behind(&world);
    for content in [None, Some("junk")] {
        let root = station.state("trust/content/root.json");
        match content {
            None => fs::remove_file(&root).expect("removed"),
            Some(junk) => fs::write(&root, junk).expect("written"),
        }
        let refused = station.check().exits(7);
        assert!(refused.json["error"]["message"].as_str().unwrap_or_default().contains("install again"), "{}", refused.finished.report());
        station.run(&["install", &link]).exits(0);
        station.check().exits(0);
    }
}

#[test]
fn an_install_that_came_to_nothing_does_not_bind_the_folder() {
    let world = World::new();
    let (build, _server, station, link) = offered(&world);
    station.run(&["install", &link, "--channel", "nightly"]).exits(4);
    station.run(&["install", &link]).exits(0);
    station.tree().assert_is(&build.tree(), "installed");
}

#[test]
fn a_file_in_the_place_of_the_state_or_of_a_folder_in_it_is_named_and_moving_it_away_helps() {
    let world = World::new();
    let (build, _server, station, link) = offered(&world);
    fs::create_dir(&station.dir).expect("made");
    fs::write(station.dir.join(".updater"), "a file").expect("written");
    let in_the_way = |command: &[&str], named: &str| {
        let refused = station.run(command).exits(5);
        assert_eq!(refused.json["error"]["code"], "in-the-way", "{command:?}: {}", refused.finished.report());
        let said = refused.json["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(&format!("`{named}` is not a folder")) && said.contains("move it away"), "{said}");
    };
    in_the_way(&["install", &link], ".updater");
    in_the_way(&["status"], ".updater");
    let examined = station.run(&["doctor"]).exits(7);
    assert!(examined.json.to_string().contains("`.updater` is not a folder"), "{}", examined.json);
    fs::remove_file(station.dir.join(".updater")).expect("moved away");
    station.run(&["install", &link]).exits(0);
    station.tree().assert_is(&build.tree(), "installed");

    fs::remove_dir(station.state("staging")).expect("removed");
    fs::write(station.state("staging"), "a file").expect("written");
    in_the_way(&["update", "--yes"], ".updater/staging");
    fs::remove_file(station.state("staging")).expect("moved away");
    station.update().exits(0);
}

#[test]
fn uninstall_needs_nothing_that_is_stored() {
    let world = World::new();
    let (_repository, _server, station, _link) = behind(&world);
    let tree = station.tree();
    for name in ["station.json", "ratchet.json", "installed"] {
        fs::write(station.state(name), "junk").expect("written");
    }
    station.run(&["uninstall"]).exits(0);
    assert!(!station.dir.join(".updater").exists());
    station.tree().assert_is(&tree, "the client stays");
}

#[test]
fn a_reader_that_goes_away_ends_no_update() {
    let world = World::new();
    let (_repository, _server, station, _link) = behind(&world);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = station.command(&["update", "--yes", "--progress", "json"]);
    let status = command.stdout(writer.try_clone().expect("a second end")).stderr(writer).status().expect("started");
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(station.file("app")).expect("read"), "two");
}

#[test]
fn a_report_that_finds_no_room_ends_no_update_and_is_no_success() {
    let world = World::new();
    let (_repository, _server, station, _link) = behind(&world);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    // An update is on offer, which is no failure either.
    for arguments in [&["check"][..], &["update", "--yes", "--progress", "json"], &["status"], &["history"]] {
        let said = station.command(arguments).stdout(full()).output().expect("started");
        let errors = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains("could not be printed"), "{arguments:?}: {errors}");
    }
    assert_eq!(fs::read_to_string(station.file("app")).expect("read"), "two");
    let status = station.command(&["rollback"]).stdout(full()).stderr(full()).status().expect("started");
    assert_eq!(status.code(), Some(1));
    assert_eq!(fs::read_to_string(station.file("app")).expect("read"), "one", "done all the same");
}

#[test]
fn a_log_that_goes_to_a_file_has_no_colours_in_it() {
    let world = World::new();
    let (_repository, _server, station, _link) = behind(&world);
    let mut command = station.command(&["update", "--yes"]);
    let done = command.env("STATIONMASTER_LOG", "debug").env_remove("NO_COLOR").output().expect("started");
    let log = String::from_utf8_lossy(&done.stderr);
    assert!(log.contains("DEBUG") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn e1_a_backup_of_a_silently_damaged_file_can_be_restored() {
    for steps in [&[&["update", "--yes"][..]][..], &[&["verify", "--repair"], &["update", "--yes"]]] {
        let world = World::new();
        let (_repository, _server, station, _link) = behind(&world);
        let app = station.file("app");
        let modified = fs::metadata(&app).and_then(|data| data.modified()).expect("a time");
        fs::write(&app, "bad").expect("written");
        fs::File::options().write(true).open(&app).and_then(|file| file.set_modified(modified)).expect("set");
        for step in steps {
            station.run(step).exits(0);
        }
        station.run(&["rollback", "--to", "001"]).exits(0);
        assert_eq!(fs::read_to_string(&app).expect("read"), "bad", "as it was");
    }
}
