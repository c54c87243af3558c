//! Who agrees to a release, and how (D-01, D-02): in two acts, when asked, or by its publisher; and who may not.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::process::{Finished, run};
use system_tests::proxy::{Fault, Nth, body_bytes};
use system_tests::scene::Scene;
use system_tests::service::{NOBODY, Workplace};
use system_tests::station::Station;
use system_tests::terminal::Terminal;
use system_tests::world::{Build, T0, World, noise, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

fn set(station: &Station, key: &str, value: &str) {
    station.run(&["settings", key, value]).exits(0);
}

fn objects(scene: &Scene<'_>) -> u64 {
    body_bytes(&scene.proxy.take_exchanges(), "/objects/")
}

/// The last line of the history: what set it off, how it ended, and who agreed.
fn last(station: &Station) -> (String, String, Option<String>) {
    let line = station.history().pop().expect("a line");
    let text = |member: &str| line[member].as_str().map(str::to_owned);
    (text("trigger").expect("a trigger"), text("result").expect("a result"), text("approver"))
}

fn me() -> String {
    let done = run(Command::new("id").arg("-un"), LIMIT).succeeded("id");
    done.stdout.trim().to_owned()
}

/// `updater update` by somebody who answers the question with `answer`; what was asked and said.
fn asked(station: &Station, answer: &str) -> Finished {
    let mut person = Terminal::start(&mut station.command(&["update"]));
    person.wait_for("[y/N]");
    person.types(answer);
    person.finish()
}

#[test]
fn ac_26_in_manual_the_check_tells_downloading_changes_nothing_and_installing_is_a_second_act() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    set(&scene.station, "consent", "manual");
    scene.station.check().exits(10);
    assert_eq!(objects(&scene), 0, "a check fetches nothing");
    // Neither asking nor a timer does both at once.
    for arguments in [&["update"][..], &["update", "--yes", "--trigger", "schedule"]] {
        let told = scene.station.run(arguments).exits(10);
        assert_eq!(told.text("result"), "two-acts", "{}", told.json);
    }
    let at_terminal = Terminal::start(&mut scene.station.command(&["update"])).finish();
    assert!(at_terminal.code() == 10 && !at_terminal.stderr.contains("[y/N]"), "{}", at_terminal.report());
    let fetched = objects(&scene);
    assert!(fetched < 20_000, "at most the list of files: {fetched}");

    // The first act.
    let downloaded = scene.station.run(&["download"]).exits(0);
    assert_eq!(downloaded.text("result"), "downloaded", "{}", downloaded.json);
    assert!(objects(&scene) > 100_000, "the new build");
    scene.station.tree().assert_is(&scene.v1.tree(), "nothing live changed");
    assert_eq!((scene.station.backups(), last(&scene.station)), (vec![], ("download".into(), "downloaded".into(), None)));
    // Quitting between leaves the running version: starts and checks change nothing.
    scene.station.run(&["launch"]);
    scene.station.check().exits(10);
    scene.station.run(&["download"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "still");
    objects(&scene);

    // The second act, without a network.
    scene.proxy.on("", Nth::Every, Fault::Status(500));
    let applied = scene.station.run(&["apply"]).exits(0);
    assert_eq!(applied.text("result"), "updated", "{}", applied.json);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "installed");
    assert_eq!(last(&scene.station), ("apply".into(), "applied".into(), Some(me())));
    scene.station.assert_nothing_left_over();
    assert_eq!(scene.station.run(&["apply"]).exits(0).text("result"), "nothing-waits");
}

#[test]
fn d_01_whoever_says_yes_beforehand_does_both_acts_at_once_and_is_named() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    set(&scene.station, "role", "admin");
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "installed");
    assert_eq!(last(&scene.station), ("update".into(), "applied".into(), Some(me())));
}

#[test]
fn d_01_without_settings_somebody_is_asked_and_where_nobody_is_nothing_waits() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let nobody = scene.station.run(&["update"]).exits(10);
    assert_eq!(nobody.text("result"), "needs-consent");
    let declined = asked(&scene.station, "");
    assert_eq!(declined.code(), 10, "no is what is not yes\n{}", declined.report());
    scene.station.tree().assert_is(&scene.v1.tree(), "declined");
    assert_eq!(last(&scene.station), ("update".into(), "declined".into(), None));
    let agreed = asked(&scene.station, "y");
    assert_eq!(agreed.code(), 0, "{}", agreed.report());
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "agreed");
    assert_eq!(last(&scene.station).2, Some(me()));
}

#[test]
fn d_01_where_compatible_releases_come_by_themselves_their_publisher_is_on_record() {
    let world = World::new();
    let scene = Scene::new(&world);
    set(&scene.station, "consent", "auto-compatible");
    scene.publish_v2();
    let mut command = scene.station.command(&["update", "--progress", "json"]);
    let done = run(&mut command, LIMIT);
    assert_eq!(done.code(), 0, "{}", done.report());
    assert!(done.stderr.contains("\"step\":\"fetch\""), "progress is shown\n{}", done.report());
    assert_eq!(last(&scene.station), ("update".into(), "applied".into(), Some("acme".into())));
    // The name that the publisher signed goes before the publisher's own.
    let v3 = scene.v1.copy("v3");
    v3.exec("client", noise(9, 90_000), T0 + 90);
    scene.repository.publish_with(&v3, &["--build", "3.0.0", "--approver", "J. Silva"]).succeeded("publish");
    scene.station.run(&["update"]).exits(0);
    assert_eq!(last(&scene.station).2.as_deref(), Some("J. Silva"));
}

#[test]
fn settings_that_cannot_be_used_let_nothing_new_in_and_keep_no_client_from_starting() {
    let world = World::new();
    let scene = Scene::new(&world);
    let v2 = scene.v1.copy("script");
    v2.exec("client", "#!/bin/sh\necho two\n", T0 + 60);
    scene.repository.publish_with(&v2, &["--build", "2.0.0", "--entry-point", "client"]).succeeded("publish");
    scene.station.update().exits(0);
    fs::write(scene.station.state("settings.toml"), "consents = \"manual\"\n").expect("written");
    let refused = scene.station.update().exits(7);
    assert!(refused.finished.stdout.contains("consents"), "by name: {}", refused.json);
    assert_eq!(refused.json["error"]["code"], "bad-settings");
    let started = scene.station.run(&["status"]).exits(0);
    assert_eq!(started.json["installed"]["build"], "2.0.0");
    assert_eq!(run(&mut scene.station.command(&["launch"]), LIMIT).stdout, "two\n");
    // What is said to do about it helps.
    let told = run(Command::new(program("updater")).args(["update", "--yes", "--dir"]).arg(&scene.station.dir), LIMIT).report();
    assert!(told.contains("What to do: Correct the line") && told.contains("`updater settings --unset KEY`"), "{told}");
    scene.station.run(&["settings", "--unset", "consents"]).exits(0);
    assert_eq!(scene.station.update().exits(0).text("result"), "nothing-to-do");
}

#[test]
fn ac_32_where_administrators_agree_somebody_else_is_told_and_cannot_and_both_are_on_record() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 100_000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let v2 = v1.copy("v2");
    v2.exec("client", noise(3, 110_000), T0 + 60);
    repository.publish(&v2, "2.0.0");
    let _agent = place.agent();
    // Everybody reads the settings; administrators change them.
    assert_eq!(place.by(NOBODY, &["settings", "consent"]).exits(0).json["settings"]["consent"]["value"], "prompt");
    let denied = place.by(NOBODY, &["settings", "consent", "auto-compatible"]).exits(4);
    assert_eq!(denied.json["error"]["code"], "not-allowed", "{}", denied.json);
    place.root(&["settings", "approver", "admin-role"]).exits(0);

    place.by(NOBODY, &["check"]).exits(10);
    let cannot = place.by(NOBODY, &["update", "--yes"]).exits(4);
    assert_eq!(cannot.text("result"), "not-allowed", "{}", cannot.json);
    place.by(NOBODY, &["download"]).exits(0);
    assert_eq!(place.by(NOBODY, &["apply"]).exits(4).json["error"]["code"], "not-allowed");
    place.station.tree().assert_is(&v1.tree(), "as it was");
    place.root(&["apply"]).exits(0);
    place.station.tree().assert_is(&v2.tree(), "the administrator can");
    let lines = place.root(&["history"]).exits(0);
    let lines = lines.json["attempts"].as_array().expect("a list").clone();
    let told: Vec<(Option<&str>, Option<&str>)> =
        lines.iter().map(|line: &Value| (line["os_user"].as_str(), line["result"].as_str())).collect();
    let wanted = [("root", "applied"), ("nobody", "declined"), ("nobody", "downloaded"), ("nobody", "failed"), ("root", "applied")];
    assert_eq!(told, wanted.map(|(user, result)| (Some(user), Some(result))));
}
