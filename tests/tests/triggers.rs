//! What sets a run off: each is recorded by its name, whoever does the work, and what is set off at the same time is one run (D-13).

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use system_tests::process::run;
use system_tests::proxy::{Exchange, Fault, Nth, Spot};
use system_tests::scene::Scene;
use system_tests::service::{NOBODY, Workplace};
use system_tests::world::{Build, Repository, T0, World, noise};

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
fn d_13_a_trigger_that_is_turned_off_asks_nobody_and_changes_nothing() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let lines = scene.station.history().len();
    scene.station.run(&["settings", "triggers", "menu push"]).exits(0);
    scene.station.run(&["settings", "triggers", "menu rollback"]).exits(2);
    for command in [
        &["check", "--trigger", "wake"][..],
        &["update", "--yes", "--trigger", "exchange"],
        &["download", "--trigger", "database"],
        &["schedule", "run"],
    ] {
        let off = scene.station.run(command).exits(0);
        assert_eq!(off.text("result"), "trigger-off", "{}", off.json);
    }
    assert_eq!((scene.proxy.take_exchanges().len(), scene.station.history().len()), (0, lines));
    scene.station.tree().assert_is(&scene.v1.tree(), "nothing came");
    // By hand, and by what is on.
    scene.station.run(&["schedule", "run", "--now"]).exits(10);
    scene.station.check().exits(10);
    scene.station.run(&["update", "--yes", "--trigger", "push"]).exits(0);
    scene.station.tree().assert_is(&world.build("v2").tree(), "updated");
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

/// Waits until so many wait for the lock `path`: Linux lists them behind whoever holds it.
#[track_caller]
fn until_so_many_wait(path: &Path, wanted: usize) {
    let inode = format!(":{} ", fs::metadata(path).expect("a lock").ino());
    let begun = Instant::now();
    loop {
        let locks = fs::read_to_string("/proc/locks").expect("read");
        let waiting = locks.lines().filter(|line| line.contains("->") && line.contains(&inode)).count();
        if waiting >= wanted {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "{waiting} of {wanted} wait for the lock\n{locks}");
        thread::yield_now();
    }
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

/// What a run said, and all of it for a message.
#[track_caller]
fn end(child: Child) -> (Value, String) {
    let output = child.wait_with_output().expect("ended");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = format!("{}\n{stdout}{stderr}", output.status);
    assert!(output.status.success(), "{report}");
    (serde_json::from_str(&stdout).unwrap_or(Value::Null), report)
}

/// What was asked, each time that it was.
fn asked(exchanges: &[Exchange]) -> Vec<String> {
    let mut asked: Vec<String> = exchanges.iter().map(|exchange| format!("{} {:?}", exchange.path, exchange.range)).collect();
    asked.sort();
    asked
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str) {
    let script = format!("#!/bin/sh\necho {version}\n");
    build.exec("client", script, T0 + 1).file("lib/a.so", noise(version.len() as u64, 100_000), T0 + 1);
    repository.publish_with(build, &["--build", version, "--entry-point", "client"]).succeeded("publish");
}

#[test]
fn d_13_eight_triggers_at_once_are_one_check_one_update_and_one_line() {
    let world = World::new();
    let repository = world.repository("acme");
    publish(&repository, &world.build("v1"), "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let (alone, crowded) = (world.station("alone"), world.station("crowded"));
    for station in [&alone, &crowded] {
        station.install(&link);
        station.run(&["settings", "role", "station"]).exits(0);
    }
    let v2 = world.build("v2");
    publish(&repository, &v2, "2.0.0");
    proxy.take_exchanges();
    assert_eq!(alone.update().exits(0).json["joined"], false);
    let of_one = asked(&proxy.take_exchanges());
    assert!(!of_one.is_empty());
    let lines = crowded.history().len();

    // All of them are set off while somebody else has the folder, so that none has asked before the last one is there.
    let lock = crowded.state("lock");
    let held = File::options().read(true).write(true).open(&lock).expect("opened");
    held.lock().expect("locked");
    let by_name = NAMES.iter().filter(|name| **name != "schedule").map(|name| crowded.command(&["update", "--yes", "--trigger", name]));
    let others = [&["update", "--yes", "--wait", "100"][..], &["schedule", "run", "--wait", "100"], &["launch", "--wait", "100"]];
    let children: Vec<Child> = by_name.chain(others.map(|all| crowded.command(all))).map(|mut command| start(&mut command)).collect();
    assert_eq!(children.len(), 8);
    until_so_many_wait(&lock, 8);
    drop(held);
    let said: Vec<(Value, String)> = children.into_iter().map(end).collect();

    assert_eq!(asked(&proxy.take_exchanges()), of_one, "what one alone asks");
    crowded.tree().assert_is(&v2.tree(), "updated");
    assert_eq!(crowded.backups().len(), 1);
    let history = crowded.history();
    let [line] = &history[lines..] else { panic!("{history:?}") };
    let mut names: Vec<&str> = line["joined"].as_array().expect("a list").iter().map(|name| name.as_str().expect("a name")).collect();
    assert_eq!((names.len(), &line["result"]), (7, &json!("applied")), "{line}");
    // A start brings the files level by its second moment.
    names.push(line["trigger"].as_str().map(|name| if name == "environment" { "launch" } else { name }).expect("a trigger"));
    names.sort_unstable();
    assert_eq!(names, ["database", "exchange", "launch", "menu", "push", "schedule", "update", "wake"]);
    let joined = said.iter().filter(|(json, report)| json["joined"] == true || report.contains("its answer was taken")).count();
    assert_eq!(joined, 7, "{said:#?}");
    let results: Vec<&str> = said.iter().filter_map(|(json, _)| json["result"].as_str()).collect();
    assert!(results.iter().filter(|result| **result == "updated").count() <= 1, "{results:?}");
    assert_eq!(fs::read_dir(crowded.state("waiting")).expect("listed").count(), 0, "nobody waits any more");
    let shown = crowded.run(&["history"]).exits(0);
    assert_eq!(shown.json["attempts"][lines]["joined"], line["joined"]);
}

#[test]
fn d_13_a_run_that_was_set_off_after_the_question_finds_what_was_published_meanwhile() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/timestamp.json", Nth::Only(1), Fault::Hold(Spot::Byte(1)));
    let first = start(&mut scene.station.command(&["update", "--yes"]));
    // The server has said what it knows; the station has not heard it.
    scene.proxy.wait_until_held();
    let v3 = scene.v1.copy("v3");
    v3.exec("client", noise(9, 90_000), T0 + 90);
    scene.repository.publish(&v3, "3.0.0");
    let later: Vec<Child> =
        ["push", "wake"].iter().map(|name| start(&mut scene.station.command(&["update", "--yes", "--trigger", name]))).collect();
    until_so_many_wait(&scene.station.state("lock"), 2);
    scene.proxy.release();
    assert_eq!(end(first).0["to"]["build"], "2.0.0");
    let later: Vec<Value> = later.into_iter().map(|child| end(child).0).collect();
    scene.station.tree().assert_is(&v3.tree(), "the newest");
    // Of the two that came later, one asks for both.
    let timestamps = scene.proxy.take_exchanges().iter().filter(|exchange| exchange.path.contains("timestamp.json")).count();
    assert_eq!(timestamps, 2);
    let mut joined: Vec<bool> = later.iter().map(|said| said["joined"].as_bool().expect("said")).collect();
    joined.sort_unstable();
    assert_eq!(joined, [false, true], "{later:?}");
    let lines = scene.station.history();
    let [.., second, third] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&second["to"]["build"], &second["joined"]), (&json!("2.0.0"), &Value::Null));
    assert_eq!((&third["to"]["build"], third["joined"].as_array().map(Vec::len)), (&json!("3.0.0"), Some(1)));
}

#[test]
fn d_13_a_question_in_vain_answers_nobody_and_one_with_another_source_is_another_question() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let lock = scene.station.state("lock");
    let held = File::options().read(true).write(true).open(&lock).expect("opened");
    held.lock().expect("locked");
    // Whoever comes first is refused; the other one asks again, and gets the answer.
    scene.proxy.on("/timestamp.json", Nth::Only(1), Fault::Status(404));
    let two: Vec<Child> =
        ["push", "wake"].iter().map(|name| start(&mut scene.station.command(&["update", "--yes", "--trigger", name]))).collect();
    until_so_many_wait(&lock, 2);
    drop(held);
    let mut codes: Vec<Option<i32>> = two.into_iter().map(|child| child.wait_with_output().expect("ended").status.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3)]);
    scene.station.tree().assert_is(&world.build("v2").tree(), "updated");

    // A copy that was carried here says nothing of what the server has.
    let held = File::options().read(true).write(true).open(&lock).expect("opened");
    held.lock().expect("locked");
    let carried = scene.repository.dir.to_str().expect("Unicode").to_owned();
    scene.proxy.take_exchanges();
    let copied = start(&mut scene.station.command(&["check", "--wait", "100", "--from", &carried]));
    let pushed = start(&mut scene.station.command(&["check", "--trigger", "push"]));
    until_so_many_wait(&lock, 2);
    drop(held);
    assert_eq!([end(copied).0, end(pushed).0].map(|said| said["joined"].clone()), [json!(false), json!(false)]);
    assert_eq!(scene.proxy.take_exchanges().len(), 1, "the server was asked once");
}

#[test]
fn d_13_triggers_of_people_without_rights_and_of_root_are_one_run_of_the_agents_folder() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    publish(&repository, &world.build("v1"), "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let _agent = place.agent();
    let v2 = world.build("v2");
    publish(&repository, &v2, "2.0.0");
    let (lines, lock) = (place.history().len(), place.state().join("lock"));
    proxy.take_exchanges();
    let held = File::options().read(true).write(true).open(&lock).expect("opened");
    held.lock().expect("locked");
    let update = |name| ["update", "--yes", "--trigger", name];
    let asked = ["push", "wake", "exchange"].map(|name| start(&mut place.command_by(NOBODY, &update(name))));
    let own = ["menu", "database"].map(|name| start(&mut place.root_command(&update(name))));
    until_so_many_wait(&lock, 5);
    drop(held);
    let said: Vec<Value> = asked.into_iter().chain(own).map(|child| end(child).0).collect();
    assert_eq!(said.iter().filter(|said| said["joined"] == true).count(), 4, "{said:?}");
    let timestamps = proxy.take_exchanges().iter().filter(|exchange| exchange.path.contains("timestamp.json")).count();
    assert_eq!(timestamps, 1);
    place.station.tree().assert_is(&v2.tree(), "updated");
    let history = place.history();
    let [line] = &history[lines..] else { panic!("{history:?}") };
    assert_eq!((&line["result"], line["joined"].as_array().map(Vec::len)), (&json!("applied"), Some(4)), "{line}");
}
