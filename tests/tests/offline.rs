//! Releases that are carried: on a stick, through an exchange folder (attack C13, AC-50). The same verification as over a network, whatever became of the copy on the way.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use system_tests::forge::Forge;
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Build, Clock, World, copy_tree};

const BEGIN: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

fn at(days: i64) -> Clock {
    Clock { unix: BEGIN + days * DAY, zone: "UTC".into() }
}

/// A copy of what is served, as somebody puts it on a stick.
fn copy(world: &World, scene: &Scene<'_>, name: &str) -> PathBuf {
    let stick = world.path(name);
    fs::create_dir(&stick).expect("made");
    for folder in ["metadata", "targets", "objects"] {
        copy_tree(&scene.repository.dir.join(folder), &stick.join(folder));
    }
    stick
}

fn from(station: &Station, command: &[&str], stick: &Path) -> Outcome {
    station.run(&[command, &["--from", stick.to_str().expect("UTF-8")]].concat())
}

/// An update from the stick must fail with this exit code and error code, and leave everything as it was. Returns the message.
#[track_caller]
fn refuses(scene: &Scene<'_>, stick: &Path, exit: i32, code: &str, what: &str) -> String {
    let outcome = from(&scene.station, &["update", "--yes"], stick);
    assert_eq!(outcome.code, exit, "{what}\n{}", outcome.finished.report());
    assert_eq!(outcome.json["error"]["code"], code, "{what}: {}", outcome.json);
    scene.station.tree().assert_is(&scene.v1.tree(), what);
    assert_eq!(scene.station.backups(), [] as [&str; 0], "{what}");
    outcome.json["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_update_from_a_folder_asks_no_network() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let stick = copy(&world, &scene, "stick");
    drop(scene.server);
    assert_eq!(from(&scene.station, &["check"], &stick).exits(10).json["offered"]["build"], "2.0.0");
    from(&scene.station, &["update", "--yes"], &stick).exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "updated");
    assert_eq!(from(&scene.station, &["check"], &stick).exits(0).text("decision"), "up-to-date");
    fs::write(scene.station.file("lib/a.so"), "damaged").expect("written");
    from(&scene.station, &["verify", "--repair"], &stick).exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "repaired");
    assert_eq!(scene.proxy.take_exchanges(), []);
}

#[test]
fn an_install_from_a_folder_asks_no_network_and_follows_the_link() {
    let world = World::new();
    let scene = Scene::new(&world);
    let stick = copy(&world, &scene, "stick");
    let link = scene.proxy.through(&world.link(&scene.server));
    let code = link.rsplit('/').next().and_then(|rest| rest.split('#').next()).expect("a code");
    let document = fs::read_dir(world.path("server-links")).expect("documents").next().expect("one").expect("listed").path();
    let missing = from(&world.station("too-early"), &["install", &link], &stick).exits(3);
    assert!(missing.json["error"]["message"].as_str().is_some_and(|message| message.contains(&format!("i/{code}"))), "{}", missing.json);
    fs::create_dir(stick.join("i")).expect("made");
    fs::copy(document, stick.join("i").join(code)).expect("copied");
    let station = world.station("new");
    from(&station, &["install", &link], &stick).exits(0);
    station.tree().assert_is(&scene.v1.tree(), "installed");
    assert_eq!(scene.proxy.take_exchanges(), []);
    // From now on it follows the address in the link.
    let v2 = scene.publish_v2();
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "updated over the network");
    fs::write(stick.join("i").join(code), "{}").expect("written");
    from(&world.station("tampered"), &["install", &link], &stick).exits(4);
}

#[test]
fn a_check_from_a_folder_leaves_the_next_one_over_the_network_cheap() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.station.check().exits(0);
    from(&scene.station, &["check"], &copy(&world, &scene, "stick")).exits(0);
    scene.proxy.take_exchanges();
    scene.station.check().exits(0);
    let asked = scene.proxy.take_exchanges();
    assert_eq!(asked.iter().map(|exchange| (exchange.status, exchange.body)).collect::<Vec<_>>(), [(304, 0)], "{asked:?}");
}

#[test]
fn c13_a_copy_that_is_not_whole_is_refused_file_by_file() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let mut nth = 0;
    let mut damaged = |damage: &dyn Fn(&Path)| {
        nth += 1;
        let stick = copy(&world, &scene, &format!("stick-{nth}"));
        damage(&stick);
        stick
    };
    let files = |stick: &Path, part: &str| -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![stick.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("listed") {
                let path = entry.expect("listed").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().contains(part) {
                    found.push(path);
                }
            }
        }
        assert!(!found.is_empty(), "{part}");
        found
    };
    for (part, gone, cut) in [
        ("/timestamp.json", "not-there", "untrusted"),
        (".snapshot.json", "not-there", "untrusted"),
        (".linux.json", "not-there", "untrusted"),
        (".stable.json", "not-there", "untrusted"),
    ] {
        // Not copied yet: a timestamp that came before its snapshot, and so on.
        let stick = damaged(&|stick| files(stick, part).iter().for_each(|path| fs::remove_file(path).expect("removed")));
        let message = refuses(&scene, &stick, 3, gone, part);
        assert!(message.contains(stick.to_str().expect("UTF-8")), "{part}: {message}");
        let stick = damaged(&|stick| files(stick, part).iter().for_each(|path| truncate(path)));
        refuses(&scene, &stick, 4, cut, part);
    }
    let stick = damaged(&|stick| files(stick, "/objects/").iter().for_each(|path| fs::remove_file(path).expect("removed")));
    refuses(&scene, &stick, 3, "not-there", "no objects");
    // The file list is whole; what it lists is not.
    let largest =
        |stick: &Path| files(stick, "/objects/").into_iter().max_by_key(|path| fs::metadata(path).expect("there").len()).expect("one");
    let stick = damaged(&|stick| truncate(&largest(stick)));
    let message = refuses(&scene, &stick, 3, "incomplete-copy", "a truncated object");
    assert!(message.contains("the copy is not whole"), "{message}");
    let stick = damaged(&|stick| {
        let path = largest(stick);
        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(path, bytes).expect("written");
    });
    refuses(&scene, &stick, 4, "corrupt-object", "a flipped bit");
    refuses(&scene, &world.path("no-such-stick"), 5, "no-folder", "a stick that is gone");
    fs::create_dir(world.path("empty")).expect("made");
    refuses(&scene, &world.path("empty"), 3, "not-there", "another stick");
    scene.recovers("v2");
}

fn truncate(path: &Path) {
    let file = fs::File::options().write(true).open(path).expect("opened");
    file.set_len(file.metadata().expect("there").len() / 2).expect("cut");
}

#[test]
fn c13_no_link_on_a_stick_leads_anywhere() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let whole = copy(&world, &scene, "whole");
    for (nth, part) in ["metadata", "targets", "objects", "metadata/timestamp.json"].into_iter().enumerate() {
        let stick = copy(&world, &scene, &format!("stick-{nth}"));
        let path = stick.join(part);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("removed");
        } else {
            fs::remove_file(&path).expect("removed");
        }
        // What the link leads to would be right in every byte.
        symlink(whole.join(part), &path).expect("linked");
        refuses(&scene, &stick, 3, "unreachable", part);
    }
    scene.recovers("v2");
}

#[test]
fn c13_a_read_only_stick_with_coarse_times_is_as_good_as_any() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let stick = copy(&world, &scene, "stick");
    let mut folders = vec![stick.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                // FAT keeps even seconds and local time.
                system_tests::world::set_mtime(&path, 1_700_000_002);
                fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("set");
            }
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).expect("set");
    }
    from(&scene.station, &["update", "--yes"], &stick).exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "updated");
}

#[test]
fn c13_a_stick_that_goes_away_in_the_middle_costs_nothing() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let stick = copy(&world, &scene, "stick");
    // All metadata and the file list are read; then the contents are gone.
    let manifest = {
        let channel = Forge::of(&scene.repository).channel(system_tests::world::TARGET);
        channel["releases"][0]["manifest"]["sha256"].as_str().expect("a digest").to_owned()
    };
    for entry in fs::read_dir(stick.join("objects")).expect("listed") {
        let folder = entry.expect("listed").path();
        if !manifest.starts_with(folder.file_name().and_then(|name| name.to_str()).expect("UTF-8")) {
            fs::remove_dir_all(folder).expect("removed");
        }
    }
    refuses(&scene, &stick, 3, "not-there", "pulled out");
    scene.station.run(&["verify"]).exits(0);
    scene.recovers("v2");
}

#[test]
fn ac_50_an_old_copy_in_an_exchange_folder_takes_no_station_back() {
    let world = World::new();
    let scene = Scene::new(&world);
    let exchange = copy(&world, &scene, "exchange");
    let v2 = scene.publish_v2();
    scene.station.update().exits(0);
    for command in [&["check"][..], &["update", "--yes"]] {
        let outcome = from(&scene.station, command, &exchange).exits(4);
        assert_eq!(outcome.json["error"]["code"], "untrusted", "{}", outcome.json);
        assert!(outcome.json["error"]["message"].as_str().is_some_and(|message| message.contains("trusted before")), "{}", outcome.json);
    }
    scene.station.tree().assert_is(&v2.tree(), "still the new one");
    // And the other way: what came through the folder holds against an old server.
    let other = world.station("other");
    let old = world.serve_copy("acme", &exchange, "old-server");
    other.install(&world.link(&old));
    from(&other, &["update", "--yes"], &copy(&world, &scene, "new-exchange")).exits(0);
    other.check().exits(4);
    other.tree().assert_is(&v2.tree(), "still the new one");
}

#[test]
fn a_carried_copy_is_accepted_past_its_time_for_as_long_as_the_publisher_says_and_no_network_is() {
    let world = World::at_time(at(0));
    let scene = Scene::with_update(&world);
    let stick = copy(&world, &scene, "stick");
    // The timestamp expires on day 7, the snapshot on day 30; 90 days more are the default.
    for (day, exit) in [(6, 10), (8, 10), (31, 10), (96, 10), (97, 4), (300, 4)] {
        let station = scene.station.at_time(&at(day));
        let check = from(&station, &["check"], &stick);
        assert_eq!(check.code, exit, "day {day}\n{}", check.finished.report());
        let warned = check.json["warnings"].to_string();
        assert_eq!(warned.contains("past its time") && warned.contains("2027-02-23"), exit == 10 && day > 7, "day {day}: {warned}");
        if exit == 4 {
            assert_eq!(check.json["error"]["code"], "expired", "{}", check.json);
            let message = check.json["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("90 days") && message.contains("bring a newer copy"), "{message}");
        }
        if day > 7 {
            assert_eq!(station.check().exits(4).json["error"]["code"], "expired", "day {day}: over a network nothing is accepted late");
        }
    }
    from(&scene.station.at_time(&at(50)), &["update", "--yes"], &stick).exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "updated from a copy of 50 days");
    // Only timestamp and snapshot are given more time: the keys behind a release are not.
    let station = scene.station.at_time(&at(370));
    assert_eq!(from(&station, &["check"], &stick).exits(4).json["error"]["code"], "expired");
}

#[test]
fn the_shorter_of_two_publishers_words_counts_for_a_carried_copy() {
    for (known, carried, day, exit) in [(10, 90, 16, 10), (10, 90, 18, 4), (90, 10, 16, 10), (90, 10, 18, 4)] {
        let world = World::at_time(at(0));
        let scene = Scene::with_update(&world);
        set_offline_days(&scene, known);
        scene.station.check().exits(10);
        set_offline_days(&scene, carried);
        let stick = copy(&world, &scene, "stick");
        let check = from(&scene.station.at_time(&at(day)), &["check"], &stick);
        assert_eq!(check.code, exit, "{known} known, {carried} carried, day {day}\n{}", check.finished.report());
    }
}

/// Publishes a policy that allows carried copies so many days.
fn set_offline_days(scene: &Scene<'_>, days: u32) {
    let forge = Forge::of(&scene.repository);
    let mut targets = forge.role("targets");
    let listed = targets["signed"]["targets"]["policy.json"]["hashes"]["sha256"].as_str().expect("listed").to_owned();
    let folder = scene.repository.dir.join("targets");
    let mut policy: Value = serde_json::from_slice(&fs::read(folder.join(format!("{listed}.policy.json"))).expect("read")).expect("JSON");
    policy["offline_max_age_days"] = json!(days);
    let bytes = serde_json::to_vec(&policy).expect("JSON");
    let sha256 = forge.put_object(&bytes);
    fs::write(folder.join(format!("{sha256}.policy.json")), &bytes).expect("written");
    let version = targets["signed"]["version"].as_u64().expect("a version") + 1;
    targets["signed"]["version"] = json!(version);
    targets["signed"]["targets"]["policy.json"] = json!({"length": bytes.len(), "hashes": {"sha256": sha256}});
    let signed = forge.signed_by(targets, &[&forge.key_for("targets")]);
    fs::write(scene.repository.dir.join(format!("metadata/{version}.targets.json")), signed).expect("written");
    let mut snapshot = forge.role("snapshot");
    snapshot["signed"]["meta"]["targets.json"] = json!({ "version": version });
    forge.sign_up_from_snapshot(snapshot);
}
