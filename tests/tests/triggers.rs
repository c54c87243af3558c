//! What sets a run off: each is recorded by its name, whoever does the work (D-13).

use std::fs;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth};
use system_tests::scene::Scene;
use system_tests::service::{NOBODY, Workplace};
use system_tests::world::{T0, World, noise};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);
/// What another program may say that it was.
const NAMES: [&str; 6] = ["menu", "exchange", "database", "push", "wake", "schedule"];

#[test]
fn d_13_each_trigger_that_a_program_names_is_in_the_history() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.proxy.on("/timestamp.json", Nth::Every, Fault::Status(404));
    for name in NAMES {
        scene.station.run(&["update", "--yes", "--trigger", name]).exits(3);
        assert_eq!(scene.station.history().pop().expect("a line")["trigger"], name);
    }
    scene.station.update().exits(3);
    assert_eq!(scene.station.history().pop().expect("a line")["trigger"], "update", "by hand");
    // Nobody writes a rollback into a history that was none.
    let lines = scene.station.history().len();
    for name in ["rollback", "recovery", "other", "Push", ""] {
        scene.station.run(&["update", "--trigger", name]).exits(2);
    }
    assert_eq!(scene.station.history().len(), lines);
}

#[test]
fn d_13_each_trigger_is_in_the_history_of_a_folder_that_the_agent_looks_after() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 10_000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let _agent = place.agent();
    proxy.on("/timestamp.json", Nth::Every, Fault::Status(404));
    for name in NAMES {
        place.by(NOBODY, &["update", "--yes", "--trigger", name]).exits(3);
        let line = place.history().pop().expect("a line");
        assert_eq!((&line["trigger"], &line["os_user"]), (&json!(name), &json!("nobody")));
    }
}

#[test]
fn d_13_a_history_and_a_journal_of_a_newer_updater_with_another_trigger_are_no_damage() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    // Cut off in the middle of a swap; the journal then says a trigger that this build does not know.
    let station = scene.station.with_env("STATIONMASTER_FAIL_POINT", "swap.put+after=kill");
    assert!(!run(&mut station.command(&["update", "--yes"]), LIMIT).status.success());
    let journal = scene.station.state("journal");
    let text = fs::read_to_string(&journal).expect("a journal");
    // A line begins with a part of the digest of the rest (`docs/format.md` section 12).
    let (_, plan) = text.trim_end().split_once(' ').expect("a line");
    let plan = plan.replace("\"trigger\":\"update\"", "\"trigger\":\"moon-phase\"");
    assert!(plan.contains("moon-phase"), "{plan}");
    let digest = hex::encode(Sha256::digest(&plan));
    fs::write(&journal, format!("{} {plan}\n", &digest[..16])).expect("written");
    scene.station.run(&["status"]).exits(0);
    scene.station.tree().assert_is(&world.build("v2").tree(), "finished");
    let shown = scene.station.run(&["history"]).exits(0);
    let attempts = shown.json["attempts"].as_array().expect("a list");
    assert!(attempts.iter().any(|line| line["trigger"] == "other" && line["result"] == "applied"), "{}", shown.json);
}
