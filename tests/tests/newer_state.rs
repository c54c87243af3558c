//! A state that a newer updater wrote is refused by an older one, with both formats and the way out, and stays as it is to the last byte (attack F13).
//!
//! The newer format is doctored into one document at a time. Then every command of the updater is tried.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use system_tests::process::run;
use system_tests::station::Station;
use system_tests::world::{T0, World, copy_tree};

/// Everything below `dir` but the lock, whose text says who came last.
fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".updater/lock") {
                found.insert(path.clone(), fs::read(&path).expect("read"));
            }
        }
    }
    found
}

/// Gives the document `name` of the station the format 7.
fn doctor(station: &Station, name: &str) {
    let path = station.file(name);
    let text = fs::read(&path).unwrap_or_else(|e| panic!("`{name}`: {e}"));
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains(r#""format":0"#), "`{name}` says its format");
    // A file of its own: a backup may share the old one.
    fs::remove_file(&path).expect("removed");
    fs::write(&path, text.replacen(r#""format":0"#, r#""format":7"#, 1)).expect("written");
}

#[test]
fn f13_a_state_of_a_newer_format_is_refused_by_every_command_and_stays_as_it_is() {
    let world = World::new();
    let repository = world.repository("acme");
    let builds = ["one", "two", "three"].map(|text| {
        let build = world.build(text);
        build.exec("app", text, T0).file("data", text.repeat(3), T0);
        build
    });
    let publish = |n: usize| repository.publish_with(&builds[n], &["--build", &format!("{}.0.0", n + 1), "--entry-point", "app"]);
    publish(0).succeeded("publish");
    let server = world.serve(&repository);
    let link = world.link(&server);
    let start = world.station("client");
    start.install(&link);
    publish(1).succeeded("publish");
    start.update().exits(0);
    publish(2).succeeded("publish");
    // A swap under way, for its journal.
    let cut = run(
        &mut start.with_env("STATIONMASTER_FAIL_POINT", "swap.put=kill").command(&["update", "--yes"]),
        std::time::Duration::from_secs(60),
    );
    assert_eq!(cut.status.signal(), Some(9), "{}", cut.report());

    for name in [
        ".updater/station.json",
        ".updater/ratchet.json",
        ".updater/installed",
        ".updater/installed.next",
        ".updater/journal",
        "bkp_remote.001/.updater/files",
        "bkp_remote.001/.updater/installed",
    ] {
        let station = world.station("doctored");
        copy_tree(&start.dir, &station.dir);
        doctor(&station, name);
        let before = bytes(&station.dir);
        for command in [
            &["status"][..],
            &["check"],
            &["update", "--yes"],
            &["update", "--dry-run"],
            &["verify"],
            &["verify", "--repair"],
            &["rollback"],
            &["unhold"],
            &["backups", "--adopt"],
            &["install", &link],
            &["uninstall"],
        ] {
            let outcome = station.run(command).exits(5);
            let message = outcome.json["error"]["message"].as_str().unwrap_or_default();
            assert_eq!(outcome.json["error"]["code"], "newer-state", "{name} {command:?}: {message}");
            for part in [name, "format 7", "formats up to 0", "`updater self update`", "`updater self rollback`"] {
                assert!(message.contains(part), "{name} {command:?}: `{part}` is missing in: {message}");
            }
            assert!(bytes(&station.dir) == before, "{name} {command:?} changed something");
        }
        // With its own format back, everything goes on where it was.
        let path = station.file(name);
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, text.replacen(r#""format":7"#, r#""format":0"#, 1)).expect("written");
        station.update().exits(0);
        assert_eq!(fs::read_to_string(station.file("app")).expect("read"), "three", "{name}");
        fs::remove_dir_all(&station.dir).expect("removed");
    }
}

#[test]
fn f13_a_client_whose_state_is_of_a_newer_format_is_started_as_it_is_with_a_note_and_nothing_is_changed() {
    let world = World::new();
    let repository = world.repository("acme");
    let publish = |number: u32| {
        let build = world.build(&format!("v{number}"));
        build.exec("app", format!("#!/bin/sh\necho {number} $*\n"), T0 + i64::from(number)).file("data", number.to_string(), T0);
        repository.publish_with(&build, &["--build", &format!("{number}.0.0"), "--entry-point", "app"]).succeeded("publish");
    };
    publish(1);
    let server = world.serve(&repository);
    let start = world.station("client");
    start.install(&world.link(&server));
    publish(2);
    start.update().exits(0);
    publish(3);
    let launch = |station: &Station, name: &str| {
        let done = run(&mut station.command(&["launch", "--", "hello"]), std::time::Duration::from_secs(60));
        assert!(done.stderr.contains(name) && done.stderr.contains("format 7"), "{name}: {}", done.report());
        (done.code(), done.stdout)
    };
    let doctored = |name: &str| {
        let station = world.station("doctored");
        copy_tree(&start.dir, &station.dir);
        doctor(&station, name);
        station
    };
    for name in [
        ".updater/station.json",
        ".updater/ratchet.json",
        ".updater/installed",
        ".updater/proof.json",
        "bkp_remote.001/.updater/files",
        "bkp_remote.001/.updater/installed",
    ] {
        let station = doctored(name);
        let before = bytes(&station.dir);
        assert_eq!(launch(&station, name), (0, "2 hello\n".to_owned()), "{name}: the client that is there");
        assert!(bytes(&station.dir) == before, "{name}: changed something");
        fs::remove_dir_all(&station.dir).expect("removed");
    }

    // In the middle of a swap the entry point is out of the way, and what is half of each is not started.
    let kill = start.with_env("STATIONMASTER_FAIL_POINT", "swap.put=kill");
    let cut = run(&mut kill.command(&["update", "--yes"]), std::time::Duration::from_secs(60));
    assert_eq!(cut.status.signal(), Some(9), "{}", cut.report());
    let station = doctored(".updater/journal");
    let before = bytes(&station.dir);
    assert_eq!(launch(&station, ".updater/journal"), (126, String::new()), "not started");
    assert!(bytes(&station.dir) == before, "changed something");
}
