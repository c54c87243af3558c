//! Clocks that are wrong (attack F14): one that went back revives nothing and stops nothing, one that jumped ahead leaves no trace, and no clock ever stops a client that is installed.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use system_tests::forge::Forge;
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth, Spot};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{Clock, World};

/// 2026-11-18: when everything begins here.
const BEGIN: i64 = 1_795_000_000;
const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// 2001-01-01: what a computer without a battery starts with.
const DEAD_BATTERY: i64 = 978_307_200;

fn at(seconds: i64) -> Clock {
    Clock { unix: BEGIN + seconds, zone: "UTC".into() }
}

fn text_of(unix: i64) -> String {
    let done = run(Command::new("date").args(["-u", "-d", &format!("@{unix}"), "+%Y-%m-%dT%H:%M:%SZ"]), std::time::Duration::from_secs(20));
    done.succeeded("date").stdout.trim().to_owned()
}

/// The latest signed time that the station remembers.
fn floor(station: &Station) -> Value {
    let text = fs::read_to_string(station.state("ratchet.json")).expect("a ratchet");
    serde_json::from_str::<Value>(&text).expect("JSON")["signed"]["at"].clone()
}

/// Signs the timestamp as somebody would at `signed`, valid for seven days.
fn sign_timestamp(scene: &Scene<'_>, signed: i64) {
    let forge = Forge::of(&scene.repository);
    let mut timestamp = forge.role("timestamp");
    timestamp["signed"]["version"] = json!(signed);
    timestamp["signed"]["expires"] = json!(text_of(signed + 7 * DAY));
    let bytes = forge.signed_by(timestamp, &[&forge.key_for("timestamp")]);
    fs::write(scene.repository.dir.join("metadata/timestamp.json"), bytes).expect("written");
    scene.repository.wait_until_served();
}

/// Has the targets role expire so many seconds after the beginning.
fn expire_targets(scene: &Scene<'_>, seconds: i64) {
    let forge = Forge::of(&scene.repository);
    let mut targets = forge.role("targets");
    let version = targets["signed"]["version"].as_u64().expect("a version") + 1;
    targets["signed"]["version"] = json!(version);
    targets["signed"]["expires"] = json!(text_of(BEGIN + seconds));
    let bytes = forge.signed_by(targets, &[&forge.key_for("targets")]);
    fs::write(scene.repository.dir.join(format!("metadata/{version}.targets.json")), bytes).expect("written");
    let mut snapshot = forge.role("snapshot");
    snapshot["signed"]["meta"]["targets.json"] = json!({ "version": version });
    forge.sign_up_from_snapshot(snapshot);
}

#[test]
fn f14_a_clock_that_went_back_revives_nothing_that_expired() {
    let world = World::at_time(at(0));
    let scene = Scene::new(&world);
    expire_targets(&scene, 3 * DAY);
    scene.station.at_time(&at(DAY)).check().exits(0);
    // On day 5 the targets role has expired; only who signs the timestamp still works.
    sign_timestamp(&scene, BEGIN + 5 * DAY);
    for (clock, what) in [(at(5 * DAY), "the right time"), (at(DAY), "four days back"), (at(-10 * YEAR), "ten years back")] {
        let check = scene.station.at_time(&clock).check().exits(4);
        assert_eq!(check.json["error"]["code"], "expired", "{what}: {}", check.json);
        let message = check.json["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("targets") && message.contains(&text_of(BEGIN + 3 * DAY)), "{what}: {message}");
    }
    let dead = Clock { unix: DEAD_BATTERY, zone: "UTC".into() };
    assert_eq!(scene.station.at_time(&dead).check().exits(4).json["error"]["code"], "expired");
    assert_eq!(floor(&scene.station), json!(text_of(BEGIN + 5 * DAY)));
}

#[test]
fn f14_a_clock_that_went_back_does_not_stop_updates_and_is_told() {
    for clock in [at(-10 * YEAR), Clock { unix: DEAD_BATTERY, zone: "UTC".into() }] {
        let world = World::at_time(at(0));
        let scene = Scene::with_update(&world);
        let station = scene.station.at_time(&clock);
        let check = station.check().exits(10);
        let warned = check.json["warnings"].to_string();
        assert!(warned.contains(&text_of(clock.unix)[..10]) && warned.contains("set the clock"), "{warned}");
        let status = station.run(&["status"]).exits(0);
        assert!(status.json["warnings"].to_string().contains("set the clock"), "{}", status.json);
        let updated = station.update().exits(0);
        assert!(updated.finished.stderr.contains("set the clock"), "{}", updated.finished.report());
        scene.recovers("v2");
        assert!(!scene.station.check().exits(0).json["warnings"].to_string().contains("clock"), "a right clock is not blamed");
    }
}

#[test]
fn f14_a_clock_that_jumped_ahead_is_said_and_leaves_no_trace() {
    let world = World::at_time(at(0));
    let scene = Scene::with_update(&world);
    let before = floor(&scene.station);
    let ahead = scene.station.at_time(&at(30 * YEAR));
    for command in [&["check"][..], &["update", "--yes"]] {
        let refused = ahead.run(command).exits(4);
        assert_eq!(refused.json["error"]["code"], "expired", "{}", refused.json);
        let message = refused.json["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("expired at") && message.contains("clock right"), "{message}");
    }
    assert_eq!(floor(&scene.station), before, "the floor comes from signatures, never from the clock");
    scene.recovers("v2");
}

#[test]
fn f14_a_time_that_is_given_lies_between_floor_and_clock_and_stands_in_the_history() {
    let world = World::at_time(at(0));
    let scene = Scene::with_update(&world);
    let ahead = scene.station.at_time(&at(30 * YEAR));
    for (given, what) in [(BEGIN - DAY, "before the last signature"), (BEGIN + 31 * YEAR, "after the clock")] {
        let refused = ahead.run(&["update", "--yes", "--clock", &text_of(given)]);
        assert_eq!(refused.code, 2, "{what}\n{}", refused.finished.report());
        assert!(refused.json["error"]["message"].as_str().is_some_and(|message| message.contains("must lie between")), "{}", refused.json);
    }
    assert_eq!(ahead.run(&["check", "--clock", "yesterday"]).code, 2);
    let late = ahead.run(&["check", "--clock", &text_of(BEGIN + 9 * DAY)]).exits(4);
    assert_eq!(late.json["error"]["code"], "expired", "a given time is judged by like any other: {}", late.json);
    let check = ahead.run(&["check", "--clock", &text_of(BEGIN + DAY)]).exits(10);
    assert!(check.json["warnings"].to_string().contains("--clock"), "{}", check.json);
    ahead.run(&["update", "--yes", "--clock", &text_of(BEGIN + DAY)]).exits(0);
    let lines: Vec<Value> = scene.station.history().into_iter().filter(|line| line["result"] == "checked").collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let detail = lines[0]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(&text_of(BEGIN + DAY)) && detail.contains("--clock"), "{detail}");
}

#[test]
fn f14_a_clock_that_jumps_in_the_middle_of_a_run_changes_nothing_in_it() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let jump = world.path("jump");
    fs::write(&jump, "+0").expect("written");
    let mut command = scene.station.command(&["update", "--yes"]);
    at(0).set(&mut command);
    command.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", &jump).env("FAKETIME_NO_CACHE", "1");
    scene.proxy.on(".snapshot.json", Nth::Every, Fault::Hold(Spot::Byte(0)));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&mut command, std::time::Duration::from_secs(120)));
        scene.proxy.wait_until_held();
        fs::write(&jump, "+30y").expect("written");
        scene.proxy.release();
        running.join().expect("it ends").succeeded("updater update");
    });
    // The same jump before the run would have stopped it.
    let mut late = scene.station.command(&["check"]);
    at(0).set(&mut late);
    late.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", &jump);
    assert_eq!(run(&mut late, std::time::Duration::from_secs(120)).code(), 4);
    scene.recovers("v2");
}

#[test]
fn f14_expiry_never_stops_a_client_that_is_installed() {
    let world = World::at_time(at(0));
    let scene = Scene::with_update(&world);
    scene.station.update().exits(0);
    let later = scene.station.at_time(&at(30 * YEAR));
    later.check().exits(4);
    let status = later.run(&["status"]).exits(0);
    assert_eq!(status.json["installed"]["build"], "2.0.0", "{}", status.json);
    assert!(status.text("reason").contains("expired"), "{}", status.json);
    later.run(&["verify"]).exits(0);
    fs::write(later.file("lib/a.so"), "damaged").expect("written");
    later.run(&["verify"]).exits(10);
    // What is installed can be put back from its own file list, whatever has expired; only the content has to come from somewhere.
    later.run(&["verify", "--repair"]).exits(0);
    later.run(&["backups"]).exits(0);
    // 002 is what the repair found.
    later.run(&["rollback", "--to", "001"]).exits(0);
    later.tree().assert_is(&scene.v1.tree(), "back, thirty years later");
    later.run(&["unhold"]).exits(0);
}

#[test]
fn f14_a_floor_that_a_thief_drove_up_ends_with_the_stolen_keys() {
    let world = World::at_time(at(0));
    let scene = Scene::with_update(&world);
    let honest = fs::read(scene.repository.dir.join("metadata/timestamp.json")).expect("read");
    sign_timestamp(&scene, BEGIN + 10 * YEAR);
    scene.station.check();
    assert_eq!(floor(&scene.station), json!(text_of(BEGIN + 10 * YEAR)), "the thief's time is believed");
    fs::write(scene.repository.dir.join("metadata/timestamp.json"), honest).expect("written");
    scene.repository.wait_until_served();
    scene.station.check().exits(4);
    // The cure for stolen online keys: others.
    Forge::of(&scene.repository).rotate("timestamp");
    scene.recovers("v2");
    let signed = floor(&scene.station);
    assert!(signed.as_str().is_some_and(|signed| signed < text_of(BEGIN + DAY).as_str()), "{signed}");
    assert!(!scene.station.check().exits(0).json["warnings"].to_string().contains("clock"));
}
