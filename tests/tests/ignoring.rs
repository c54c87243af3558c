//! "Ignore this version" (AC-33, D-26): silent for that version only, on record with whoever did it, and not to be had for what a station needs.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth};
use system_tests::scene::Scene;
use system_tests::service::{GAMES, NOBODY, Workplace};
use system_tests::station::{Outcome, Station};
use system_tests::terminal::Terminal;
use system_tests::world::{Build, T0, World, noise, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Publishes a `client` that begins with this line of a script, as 1.0.0 + `number`.
fn publish(scene: &Scene<'_>, number: u64, options: &[&str]) -> Build {
    let build = scene.v1.copy(&format!("v{number}"));
    build.exec("client", format!("#!/bin/sh\necho {number}\n"), T0 + 60 * i64::try_from(number).expect("small"));
    let version = format!("{number}.0.0");
    let said = [&["--build", &version, "--entry-point", "client"], options].concat();
    scene.repository.publish_with(&build, &said).succeeded("publish");
    build
}

/// What `updater check` passes over, by number and code.
fn passed_over(checked: &Outcome) -> Vec<(u64, String)> {
    let all = checked.json["passed_over"].as_array().expect("a list").iter();
    all.map(|passed| (passed["sequence"].as_u64().expect("a number"), passed["code"].as_str().expect("a code").to_owned())).collect()
}

/// The last line of the history: who it was, what set it off, how it ended, with which code, and of which release.
fn last(station: &Station) -> Value {
    let line = station.history().pop().expect("a line");
    json!([line["os_user"], line["trigger"], line["result"], line["code"], line["to"]["build"], line["approver"]])
}

fn me() -> String {
    run(Command::new("id").arg("-un"), LIMIT).succeeded("id").stdout.trim().to_owned()
}

#[test]
fn ac_33_what_is_ignored_is_silent_for_that_version_only_and_on_record() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let station = &scene.station;
    station.check().exits(10);
    // Saying so needs no network.
    scene.proxy.on("", Nth::Every, Fault::Status(500));
    let ignored = station.run(&["ignore"]).exits(0);
    assert_eq!((ignored.text("result"), &ignored.json["release"]), ("ignored", &json!({ "build": "2.0.0", "sequence": 2 })));
    assert_eq!(last(station), json!([me(), "ignore", "declined", "ignored", "2.0.0", null]));
    let lines = station.history().len();
    station.run(&["ignore", "2.0.0"]).exits(0);
    assert_eq!(station.history().len(), lines, "said twice, it is on record once");
    scene.proxy.calm();

    let checked = station.check().exits(0);
    assert_eq!((checked.text("decision"), passed_over(&checked)), ("ignored", vec![(2, "ignored".into())]));
    for arguments in [&["update", "--yes"][..], &["download"]] {
        station.run(arguments).exits(0);
    }
    station.tree().assert_is(&scene.v1.tree(), "nothing came");
    let at_terminal = Terminal::start(&mut station.command(&["update"])).finish();
    assert!(at_terminal.code() == 0 && !at_terminal.stderr.contains("[y/N]"), "{}", at_terminal.report());
    assert!(at_terminal.stderr.contains("updater ignore --undo"), "whoever asks is told why\n{}", at_terminal.report());
    assert_eq!(station.history().len(), lines, "and nobody says no any more");
    let mut by_itself = Command::new(program("updater"));
    by_itself.args(["schedule", "run", "--now", "--lang", "en", "--dir"]).arg(&station.dir);
    let by_itself = run(&mut by_itself, LIMIT).succeeded("a scheduled check");
    assert!(!by_itself.stdout.contains("2.0.0") && by_itself.stdout.contains("1.0.0"), "nobody asked\n{}", by_itself.report());

    // What is broken is still put right.
    fs::write(station.file("lib/a.so"), "broken").expect("written");
    station.update().exits(0);
    station.tree().assert_is(&scene.v1.tree(), "repaired");

    let v3 = publish(&scene, 3, &[]);
    assert_eq!(station.check().exits(10).json["offered"]["build"], "3.0.0", "the next one is offered");
    station.update().exits(0);
    station.tree().assert_is(&v3.tree(), "the next one is installed");
}

#[test]
fn ac_33_what_is_ignored_is_offered_again_when_somebody_says_so() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let station = &scene.station;
    publish(&scene, 3, &[]);
    station.check().exits(10);
    station.run(&["ignore", "3.0.0"]).exits(0);
    assert_eq!(station.check().exits(10).json["offered"]["build"], "2.0.0", "that version only");
    station.run(&["ignore", "--release", "2"]).exits(0);
    assert_eq!(passed_over(&station.check().exits(0)), [(3, "ignored".into()), (2, "ignored".into())]);
    assert_eq!(station.run(&["ignore"]).exits(0).text("result"), "nothing-to-do");
    for unknown in [&["ignore", "9.9.9"][..], &["ignore", "--release", "1"], &["ignore", "1.0.0"]] {
        let refused = station.run(unknown).exits(2);
        assert_eq!(refused.json["error"]["code"], "bad-argument", "{}", refused.json);
    }
    station.run(&["ignore", "--undo", "3.0.0"]).exits(0);
    assert_eq!(station.check().exits(10).json["offered"]["build"], "3.0.0");
    assert_eq!(last(station), json!([me(), "ignore", "checked", null, "3.0.0", null]));
    station.run(&["ignore", "3.0.0"]).exits(0);
    assert_eq!(station.run(&["ignore", "--undo"]).exits(0).text("result"), "offered-again");
    assert_eq!(passed_over(&station.check().exits(10)), []);
    assert_eq!(station.run(&["ignore", "--undo"]).exits(0).text("result"), "nothing-ignored");
    assert!(!station.state("told.json").exists(), "nothing is left of it");
}

#[test]
fn ac_33_whoever_is_asked_can_ignore_the_version_and_starts_the_client_without_being_asked_again() {
    let world = World::new();
    let scene = Scene::new(&world);
    let v2 = publish(&scene, 2, &[]);
    scene.station.update().exits(0);
    publish(&scene, 3, &[]);
    let launch = |scene: &Scene<'_>| {
        let mut command = scene.station.command(&["launch"]);
        command.args(["--lang", "en"]);
        command
    };
    let mut person = Terminal::start(&mut launch(&scene));
    person.wait_for("[y/N] (i: ignore this version)");
    person.types("i");
    let started = person.finish();
    assert_eq!(started.stdout, "2\n", "{}", started.report());
    assert_eq!(last(&scene.station), json!([me(), "environment", "declined", "ignored", "3.0.0", null]));
    let again = Terminal::start(&mut launch(&scene)).finish();
    assert!(again.stdout == "2\n" && !again.stderr.contains("[y/N]") && !again.stderr.contains("ignored"), "{}", again.report());
    scene.station.tree().assert_is(&v2.tree(), "as it was");

    // At `updater update`, and in another language.
    publish(&scene, 4, &[]);
    let mut person = Terminal::start(&mut scene.station.command(&["update", "--lang", "pt-BR"]));
    person.wait_for("ignorar esta versão");
    person.types("ignorar");
    let said = person.finish();
    assert_eq!(said.code(), 0, "{}", said.report());
    let said: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(said["result"], "ignored");
    assert_eq!(passed_over(&scene.station.check().exits(0)), [(4, "ignored".into()), (3, "ignored".into())]);
}

#[test]
fn ac_33_what_a_station_needs_cannot_be_ignored_and_comes_although_it_was() {
    let world = World::new();
    let scene = Scene::new(&world);
    let station = &scene.station;
    let refused = |what: &str| {
        let refused = station.run(&["ignore"]).exits(4);
        assert_eq!(refused.json["error"]["code"], "required", "{}", refused.json);
        let message = refused.json["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(what), "{message}");
    };
    let question = || {
        let mut person = Terminal::start(&mut station.command(&["update", "--lang", "en"]));
        person.wait_for("[y/N]");
        // No answer there is: it is as good as a no.
        person.types("i");
        person.finish()
    };
    let lines = station.history().len();
    // A security fault.
    publish(&scene, 2, &["--security"]);
    station.check().exits(10);
    refused("security fault");
    let said = question();
    assert!(said.code() == 10 && !said.stderr.contains("ignore this version"), "{}", said.report());
    assert_eq!(last(station), json!([me(), "update", "declined", null, "2.0.0", null]));
    assert_eq!(station.history().len(), lines + 1, "a refusal to ignore is no failed update");
    station.update().exits(0);

    // A server that the client does not fit. What was ignored before is needed now.
    publish(&scene, 3, &[]);
    station.check().exits(10);
    station.run(&["ignore"]).exits(0);
    station.check().exits(0);
    station.run(&["settings", "server_build", "3.0.0"]).exits(0);
    assert_eq!(station.check().exits(10).json["offered"]["build"], "3.0.0", "needed");
    refused("does not fit the server");
}

#[test]
fn d_26_where_nobody_is_asked_or_an_administrator_agrees_others_cannot_keep_a_release_out() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 100_000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    for number in [2, 3] {
        let next = v1.copy(&format!("v{number}"));
        next.exec("client", noise(number, 110_000), T0 + 60);
        repository.publish(&next, &format!("{number}.0.0"));
    }
    let _agent = place.agent();
    place.by(NOBODY, &["check"]).exits(10);
    for (key, value) in [("consent", "auto-compatible"), ("approver", "admin-role")] {
        place.root(&["settings", key, value]).exits(0);
        let denied = place.by(NOBODY, &["ignore"]).exits(4);
        assert_eq!(denied.json["error"]["code"], "not-allowed", "{value}: {}", denied.json);
        place.root(&["settings", "--unset", key]).exits(0);
    }
    assert_eq!(place.by(NOBODY, &["check"]).exits(10).json["offered"]["build"], "3.0.0");

    // Where whoever works there is asked, the agent takes it from them, and keeps their name.
    let mut person = Terminal::start(&mut place.command_by(NOBODY, &["update", "--lang", "en"]));
    person.wait_for("(i: ignore this version)");
    person.types("i");
    let said = person.finish();
    assert_eq!(said.code(), 0, "{}", said.report());
    place.by(GAMES, &["ignore", "2.0.0"]).exits(0);
    let checked = place.by(NOBODY, &["check"]).exits(0);
    assert_eq!(passed_over(&checked), [(3, "ignored".into()), (2, "ignored".into())]);
    let lines = place.root(&["history"]).exits(0);
    let lines = lines.json["attempts"].as_array().expect("a list").clone();
    let said: Vec<Value> =
        lines[1..].iter().map(|line| json!([line["os_user"], line["result"], line["code"], line["to"]["build"]])).collect();
    assert_eq!(said, [json!(["nobody", "declined", "ignored", "3.0.0"]), json!(["games", "declined", "ignored", "2.0.0"])]);
    place.by(NOBODY, &["ignore", "--undo"]).exits(0);
    assert_eq!(place.by(NOBODY, &["check"]).exits(10).json["offered"]["build"], "3.0.0");
}
