//! Another updater on the same folder, such as SmartClient's own: it is named, and the two do not undo each other for ever (S3-21).

use std::fs;

use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Clock, T0, World, noise, set_mtime};

/// What the other one restores: a client of another release, with that one's time.
fn turn_back(station: &Station) {
    fs::write(station.file("client"), noise(77, 90_000)).expect("written");
    set_mtime(&station.file("client"), T0 - 1000);
}

fn message(outcome: &Outcome) -> &str {
    outcome.json["error"]["message"].as_str().unwrap_or_default()
}

fn named_in_history(station: &Station) -> usize {
    station.history().iter().filter(|line| line["code"] == "second-updater" && line["result"] == "checked").count()
}

#[test]
fn s3_21_a_second_updater_is_named_and_after_three_repairs_in_a_day_its_files_are_left() {
    let world = World::new();
    let scene = Scene::new(&world);
    let station = &scene.station;

    turn_back(station);
    let first = station.update().exits(0);
    assert_eq!(first.json["warnings"], serde_json::json!([]), "one change can be an accident");
    assert_eq!(station.run(&["status"]).exits(0).json["second_updater"], serde_json::Value::Null);
    turn_back(station);
    let second = station.update().exits(0);
    let said = second.json["warnings"].to_string();
    assert!(said.contains("second-updater") && said.contains("`client`") && said.contains("Enable=0"), "{said}");
    assert_eq!(named_in_history(station), 1, "{:?}", station.history());
    turn_back(station);
    station.update().exits(0);
    station.tree().assert_is(&scene.v1.tree(), "repaired three times");

    turn_back(station);
    let others = station.tree();
    let backups = station.backups();
    for _ in 0..2 {
        let held = station.update().exits(5);
        assert_eq!(held.json["error"]["code"], "second-updater");
        assert!(message(&held).contains("not put back again before"), "{}", held.json);
        station.tree().assert_is(&others, "not once more");
    }
    assert_eq!(station.backups(), backups, "no backup was pushed out for it");
    let status = station.run(&["status"]).exits(0);
    assert!(status.json["second_updater"]["held_until"].is_string(), "{}", status.json);

    // A release that is new still comes, and so does a repair that somebody asks for.
    let v2 = scene.publish_v2();
    station.update().exits(0);
    station.tree().assert_is(&v2.tree(), "a new release comes");
    turn_back(station);
    station.update().exits(5);
    station.run(&["update", "--yes", "--retry"]).exits(0);
    station.tree().assert_is(&v2.tree(), "somebody asked for it");
    assert_eq!(station.run(&["status"]).exits(0).json["second_updater"], serde_json::Value::Null);
}

#[test]
fn s3_21_after_a_day_it_is_tried_again() {
    let world = World::new();
    let scene = Scene::new(&world);
    for _ in 0..3 {
        turn_back(&scene.station);
        scene.station.update().exits(0);
    }
    turn_back(&scene.station);
    scene.station.update().exits(5);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let tomorrow = Clock { unix: i64::try_from(now).expect("small") + 25 * 3600, zone: "UTC".into() };
    scene.station.at_time(&tomorrow).update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "a day later");
}

#[test]
fn s3_21_a_backup_that_smartclient_makes_afterwards_names_it_at_once() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let station = &scene.station;
    station.update().exits(0);
    let ours = station.backup(1);

    // SmartClient's own update: all files copied into the next backup, then its own in their place.
    let next = station.file("bkp_remote.002");
    fs::create_dir(&next).expect("made");
    fs::copy(station.file("client"), next.join("client")).expect("copied");
    turn_back(station);
    for run in 0..2 {
        let refused = station.update().exits(5);
        assert_eq!(refused.json["error"]["code"], "backup-foreign");
        let noted = refused.finished.stderr.contains("second-updater: ")
            && refused.finished.stderr.contains("bkp_remote.002 was made by another program");
        assert_eq!(noted, run == 0, "{}", refused.finished.report());
    }
    assert_eq!(named_in_history(station), 1, "said once: {:?}", station.history());
    let status = station.run(&["status"]).exits(0);
    assert_eq!(status.json["second_updater"]["code"], "second-updater");
    assert_eq!(status.json["second_updater"]["evidence"]["last"]["backups"], serde_json::json!(["bkp_remote.002"]));
    station.backup(1).assert_is(&ours, "left alone");

    // A second one is news, and that one of two is gone, as somebody was told to do, is not.
    let third = station.file("bkp_remote.003");
    fs::create_dir(&third).expect("made");
    fs::copy(station.file("client"), third.join("client")).expect("copied");
    for _ in 0..2 {
        station.update().exits(5);
        assert_eq!(named_in_history(station), 2, "{:?}", station.history());
        let _ = fs::remove_dir_all(&next);
    }
}
