//! A release that cannot be applied here is not tried for ever (attacks F11 and F12): after three failures in a row it is left alone until another one comes or somebody says so.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use serde_json::Value;
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth, body_bytes};
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{T0, World};

/// An update that comes as far as the swap, and fails there.
fn fails(station: &Station, options: &[&str]) -> Outcome {
    let mut arguments = vec!["update", "--yes"];
    arguments.extend(options);
    station.with_env("STATIONMASTER_FAIL_POINT", "swap.keep=error").run(&arguments)
}

fn failures(station: &Station) -> u64 {
    let known = fs::read(station.state("attempts.json")).ok().map(|bytes| serde_json::from_slice::<Value>(&bytes).expect("JSON"));
    known.map_or(0, |known| known["failed"]["failures"].as_u64().expect("a number"))
}

#[test]
fn f11_a_release_that_failed_three_times_in_a_row_is_left_alone_until_another_comes_or_somebody_says_so() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    for nth in 1..=3 {
        let outcome = fails(&scene.station, &[]).exits(1);
        assert_eq!(outcome.json["error"]["code"], "storage-error", "{}", outcome.json);
        assert_eq!(failures(&scene.station), nth);
    }
    scene.station.tree().assert_is(&scene.v1.tree(), "as it was");
    let lines = scene.station.history().len();
    scene.proxy.take_exchanges();
    let quiet = scene.station.update().exits(0);
    assert_eq!(quiet.text("result"), "nothing-to-do", "{}", quiet.json);
    assert!(
        quiet.finished.stderr.contains("quarantined") && quiet.finished.stderr.contains("storage-error"),
        "{}",
        quiet.finished.report()
    );
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/objects/"), 0, "nothing is fetched for it");
    assert_eq!(scene.station.history().len(), lines, "and nothing happened");

    let explained = scene.station.run(&["status", "--explain"]).exits(0);
    assert_eq!(explained.text("decision"), "quarantined", "{}", explained.json);
    let passed = &explained.json["passed_over"][0];
    assert_eq!((passed["failures"].as_u64(), passed["failure"].as_str()), (Some(3), Some("storage-error")), "{passed}");

    // Asked for, it is tried again; a single failure more and it is counted anew.
    fails(&scene.station, &["--retry"]).exits(1);
    assert_eq!(failures(&scene.station), 1);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&world.build("v2").tree(), "what was wrong here is mended");
    assert_eq!(failures(&scene.station), 0, "a success ends the row");
}

#[test]
fn f12_another_release_is_tried_at_once_and_so_is_what_unhold_lets_go() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    for _ in 0..3 {
        fails(&scene.station, &[]).exits(1);
    }
    assert_eq!(scene.station.check().exits(0).text("decision"), "quarantined");
    assert_eq!(scene.station.run(&["unhold"]).exits(0).text("result"), "unheld");
    assert_eq!(scene.station.check().exits(10).text("decision"), "update-available");
    for _ in 0..3 {
        fails(&scene.station, &[]).exits(1);
    }
    let v3 = world.build("v2").copy("v3");
    v3.exec("client", "the next one", T0 + 90);
    scene.repository.publish(&v3, "3.0.0");
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v3.tree(), "another release");
}

#[test]
fn what_says_nothing_of_the_release_is_not_counted() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    for _ in 0..4 {
        scene.station.with_env("STATIONMASTER_FAIL_POINT", "swap.keep=enospc").update().exits(5);
        scene.station.with_env("STATIONMASTER_FAIL_POINT", "swap.keep=ebusy").update().exits(11);
        scene.proxy.on("/timestamp.json", Nth::Every, Fault::Refuse);
        scene.station.update().exits(3);
        scene.proxy.calm();
    }
    assert_eq!(failures(&scene.station), 0);
    scene.station.update().exits(0);
}

#[test]
fn f12_a_scheduled_run_leaves_what_has_just_failed_for_later_and_a_person_does_not() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    fails(&scene.station, &["--trigger", "schedule"]).exits(1);
    let later = scene.station.run(&["update", "--yes", "--trigger", "schedule"]).exits(0);
    assert!(later.finished.stderr.contains("is tried again at"), "{}", later.finished.report());
    scene.station.tree().assert_is(&scene.v1.tree(), "not yet");
    assert_eq!(scene.station.history().pop().expect("a line")["trigger"], "schedule");
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&world.build("v2").tree(), "whoever is there need not wait");
}

#[test]
fn a_kill_while_failures_are_counted_leaves_the_old_count_or_the_new_one() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let mut killed = 0;
    for moment in
        ["attempts.file=kill", "attempts.file+after=kill", "attempts.file:2=kill", "attempts.file+after:2=kill", "attempts.file:3=kill"]
    {
        scene.station.run(&["unhold"]).exits(0);
        fails(&scene.station, &[]).exits(1);
        let station = scene.station.with_env("STATIONMASTER_FAIL_POINT", &format!("swap.keep=error,{moment}"));
        let finished = run(&mut station.command(&["update", "--yes"]), Duration::from_secs(120));
        killed += usize::from(finished.status.signal() == Some(9));
        scene.station.run(&["status"]).exits(0);
        assert!([1, 2].contains(&failures(&scene.station)), "{moment}");
        scene.station.tree().assert_is(&scene.v1.tree(), moment);
    }
    assert!(killed >= 3, "{killed} kills");
    scene.station.update().exits(0);
}
