//! Clients that are started with `updater launch`: what waits is applied, a new build is watched, and one that dies twice makes room for the one before it (AC-44, AC-46, attack F11).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use system_tests::process::{Finished, run};
use system_tests::proxy::body_bytes;
use system_tests::running::Running;
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Build, T0, World};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A client that says its build, writes down how it was started, and ends as it is told: `exit N`, or with its input (`wait`).
fn client(build: &str) -> String {
    format!("#!/bin/sh\necho {build} \"$@\"\ncase $1 in exit) exit $2;; kill) kill -$2 $$;; wait) read line; exit 0;; esac\n")
}

fn publish(scene: &Scene<'_>, build: &Build, version: &str, alive_seconds: u64) -> Finished {
    let probe = format!("alive:{alive_seconds}");
    scene.repository.publish_with(build, &["--build", version, "--entry-point", "client", "--probe", &probe]).succeeded("publish")
}

/// A station at 2.0.0, which it has not proved, as nobody has started it; 1.0.0 is in its backup.
fn unproved(world: &World, alive_seconds: u64) -> (Scene<'_>, Build, Build) {
    let scene = Scene::new(world);
    let v1 = scene.v1.copy("first");
    v1.exec("client", client("one"), T0 + 1);
    publish(&scene, &v1, "1.5.0", 1);
    scene.station.update().exits(0);
    assert_eq!(launch(&scene.station, &["wait"], Some(Duration::from_millis(1500))).status.code(), Some(0), "1.5.0 is proved");
    assert_eq!(state(&scene.station), "proved");
    let v2 = v1.copy("second");
    v2.exec("client", client("two"), T0 + 2).file("lib/two.so", "two", T0 + 2);
    publish(&scene, &v2, "2.0.0", alive_seconds);
    scene.station.update().exits(0);
    assert_eq!(state(&scene.station), "unproved");
    (scene, v1, v2)
}

/// Publishes 3.0.0, which comes after `second`.
fn publish_third(scene: &Scene<'_>, second: &Build) -> Build {
    let v3 = second.copy("third");
    v3.exec("client", client("three"), T0 + 3).file("lib/three.so", "three", T0 + 3);
    publish(scene, &v3, "3.0.0", 60);
    v3
}

/// A station at 2.0.0, whose client runs, while 3.0.0 is published; with both builds.
fn running_while_a_release_waits(world: &World) -> (Scene<'_>, Build, Build, Running) {
    let (scene, _, v2) = unproved(world, 60);
    let v3 = publish_third(&scene, &v2);
    let running = Running::start(&mut command(&scene.station, &["wait"]));
    assert_eq!(running.said, "two wait\n");
    (scene, v2, v3, running)
}

fn command(station: &Station, arguments: &[&str]) -> Command {
    let mut all = vec!["launch", "--"];
    all.extend(arguments);
    station.command(&all)
}

/// Launches the client with these arguments to its end. With `for_as_long`, its input stays open until the build counts as proved, or that time is over.
fn launch(station: &Station, arguments: &[&str], for_as_long: Option<Duration>) -> Finished {
    let Some(at_most) = for_as_long else { return run(&mut command(station, arguments), LIMIT) };
    let mut child = start(&mut command(station, arguments));
    let started = Instant::now();
    while state(station) == "unproved" && started.elapsed() < at_most + LIMIT {
        std::thread::yield_now();
    }
    drop(child.stdin.take());
    finish(child)
}

/// `updater update --yes`; a client that says that it runs may do so a moment before its launcher has let go of the folder.
fn update(station: &Station) -> Outcome {
    station.run(&["update", "--yes", "--wait", "100"])
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

fn finish(mut child: Child) -> Finished {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().map(|mut pipe| pipe.read_to_string(&mut stdout).expect("read"));
    child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr).expect("read"));
    Finished { status: child.wait().expect("ended"), stdout, stderr, timed_out: false }
}

/// What `proof.json` says of the release that came last.
fn state(station: &Station) -> String {
    let bytes = fs::read(station.state("proof.json")).expect("there");
    let document: Value = serde_json::from_slice(&bytes).expect("JSON");
    let last = document["releases"].as_array().and_then(|all| all.last()).expect("a release");
    last["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn arguments_output_and_exit_code_are_the_clients_own() {
    let world = World::new();
    let (scene, _, _) = unproved(&world, 60);
    let done = launch(&scene.station, &["exit", "0", "a b", "--dir", "x"], None);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "two exit 0 a b --dir x\n"), "{}", done.report());
    assert_eq!(state(&scene.station), "unproved", "whoever closes the client at once says nothing of it");
    assert_eq!(launch(&scene.station, &["exit", "7"], None).status.code(), Some(7));
}

#[test]
fn ac_44_two_early_deaths_of_an_unproved_build_bring_the_one_before_it_back_and_start_it() {
    let world = World::new();
    let (scene, v1, v2) = unproved(&world, 60);
    let first = launch(&scene.station, &["exit", "3"], None);
    assert_eq!((first.status.code(), first.stdout.as_str()), (Some(3), "two exit 3\n"), "{}", first.report());
    assert!(first.stderr.contains("soon after its start"), "{}", first.report());
    scene.station.tree().assert_is(&v2.tree(), "one death may be an accident");
    // Ends that say nothing, in between.
    assert_eq!(launch(&scene.station, &["exit", "0"], None).status.code(), Some(0));

    let second = launch(&scene.station, &["kill", "SEGV"], None);
    assert!(second.stdout.starts_with("two kill SEGV\none kill SEGV\n"), "{}", second.report());
    assert_eq!(second.status.code(), Some(128 + 11), "that of the build that came back\n{}", second.report());
    scene.station.tree().assert_is(&v1.tree(), "back");
    scene.station.assert_nothing_left_over();
    let line = scene.station.history().pop().expect("a line");
    assert_eq!((line["result"].as_str(), line["code"].as_str()), (Some("rolled-back"), Some("not-alive")), "{line}");
    assert!(line["detail"].as_str().is_some_and(|detail| detail.contains("2 times") && detail.contains("signal 11")), "{line}");

    // Not again, and the build that was proved before all this may die as it likes.
    assert_eq!(scene.station.update().exits(0).text("result"), "nothing-to-do");
    assert_eq!(scene.station.check().exits(0).text("decision"), "blocked");
    for _ in 0..3 {
        assert_eq!(launch(&scene.station, &["exit", "9"], None).status.code(), Some(9));
    }
    scene.station.tree().assert_is(&v1.tree(), "a proved build is never taken back");
}

#[test]
fn a_build_that_lived_long_enough_is_proved_and_may_die_later() {
    let world = World::new();
    let (scene, _, v2) = unproved(&world, 1);
    assert_eq!(launch(&scene.station, &["exit", "3"], None).status.code(), Some(3), "one early death");
    assert_eq!(launch(&scene.station, &["wait"], Some(Duration::from_secs(1))).status.code(), Some(0));
    assert_eq!(state(&scene.station), "proved");
    for _ in 0..3 {
        launch(&scene.station, &["exit", "3"], None);
    }
    scene.station.tree().assert_is(&v2.tree(), "it stays");
    // Nor does putting its files back ask for a new proof.
    fs::write(scene.station.file("lib/two.so"), "damaged").expect("written");
    scene.station.run(&["verify", "--repair"]).exits(0);
    assert_eq!(state(&scene.station), "proved");
}

#[test]
fn a_build_that_cannot_be_started_at_all_makes_room_for_the_one_before_it() {
    let world = World::new();
    let (scene, v1, _) = unproved(&world, 60);
    let broken = v1.copy("broken");
    broken.exec("client", "#!/nowhere/interpreter\n", T0 + 9);
    publish(&scene, &broken, "3.0.0", 60);
    scene.station.update().exits(0);
    let first = launch(&scene.station, &["exit", "0"], None);
    assert_eq!(first.status.code(), Some(126));
    assert!(first.stderr.contains("client` cannot be started"), "{}", first.report());
    let second = launch(&scene.station, &["exit", "0"], None);
    assert_eq!((second.status.code(), second.stdout.as_str()), (Some(0), "two exit 0\n"), "{}", second.report());
}

#[test]
fn a_client_that_is_proved_and_cannot_be_started_ends_with_126_and_one_that_is_written_just_now_is_not_dead() {
    let world = World::new();
    let (scene, _, v2) = unproved(&world, 1);
    // The system refuses to run what somebody writes.
    let writer = fs::OpenOptions::new().append(true).open(scene.station.file("client")).expect("opened");
    for _ in 0..3 {
        let busy = launch(&scene.station, &["exit", "0"], None);
        assert_eq!(busy.status.code(), Some(126), "{}", busy.report());
    }
    drop(writer);
    scene.station.tree().assert_is(&v2.tree(), "that says nothing of the build");
    assert_eq!(launch(&scene.station, &["wait"], Some(Duration::from_secs(1))).status.code(), Some(0));
    fs::set_permissions(scene.station.file("client"), fs::Permissions::from_mode(0o644)).expect("set");
    let refused = launch(&scene.station, &["exit", "0"], None);
    assert_eq!(refused.status.code(), Some(126), "{}", refused.report());
    assert!(refused.stderr.contains("client` cannot be started"), "{}", refused.report());
}

#[test]
fn a_client_that_was_told_to_end_did_not_die_and_signals_reach_it() {
    let world = World::new();
    let (scene, _, v2) = unproved(&world, 60);
    for _ in 0..2 {
        let mut child = start(&mut command(&scene.station, &["wait"]));
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        output.read_line(&mut line).expect("it says that it runs");
        assert_eq!(line, "two wait\n");
        // Waiting closes its input, at which it would end by itself.
        let input = child.stdin.take();
        kill_process(Pid::from_child(&child), Signal::TERM).expect("sent");
        let status = child.wait().expect("ended");
        drop(input);
        assert_eq!((status.code(), status.signal()), (Some(128 + 15), None), "as the client ended");
        // The client is gone, too: nobody holds the other end of the pipe.
        assert_eq!(output.read_line(&mut line).expect("read"), 0);
    }
    assert_eq!(state(&scene.station), "unproved");
    scene.station.tree().assert_is(&v2.tree(), "it stays");
}

#[test]
fn the_death_of_a_second_instance_says_nothing_while_the_first_one_lives() {
    let world = World::new();
    let (scene, _, v2) = unproved(&world, 60);
    let first = Running::start(&mut command(&scene.station, &["wait"]));
    for _ in 0..3 {
        assert_eq!(launch(&scene.station, &["exit", "1"], None).status.code(), Some(1));
    }
    assert_eq!(state(&scene.station), "unproved");
    first.end();
    scene.station.tree().assert_is(&v2.tree(), "it stays");
}

#[test]
fn ac_46_a_launch_after_the_last_exit_applies_what_waits_without_a_network() {
    let world = World::new();
    let (scene, v2, v3, running) = running_while_a_release_waits(&world);
    update(&scene.station).exits(11);
    // A second instance starts what is here; the first is still on it.
    let second = launch(&scene.station, &["exit", "0"], None);
    assert_eq!(second.stdout, "two exit 0\n", "{}", second.report());
    scene.station.tree().assert_is(&v2.tree(), "nobody's files are replaced");

    running.end();
    scene.proxy.take_exchanges();
    let third = launch(&scene.station, &["exit", "0"], None);
    assert_eq!(third.stdout, "three exit 0\n", "{}", third.report());
    scene.station.tree().assert_is(&v3.tree(), "applied");
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/"), 0, "nothing was asked for");
    scene.station.assert_nothing_left_over();
    let line = scene.station.history().pop().expect("a line");
    assert_eq!((line["trigger"].as_str(), line["result"].as_str()), (Some("launch"), Some("applied")), "{line}");
}

#[test]
fn what_waits_is_not_applied_when_its_publisher_withdrew_it_or_a_part_of_it_is_gone() {
    let world = World::new();
    let (scene, v2, _, running) = running_while_a_release_waits(&world);
    update(&scene.station).exits(11);
    running.end();

    let staging = scene.station.state("staging");
    let aside = world.path("aside");
    fs::rename(&staging, &aside).expect("moved");
    fs::create_dir(&staging).expect("made");
    scene.proxy.take_exchanges();
    assert_eq!(launch(&scene.station, &["exit", "0"], None).stdout, "two exit 0\n");
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/"), 0, "a start fetches nothing");
    fs::remove_dir_all(&staging).expect("removed");
    fs::rename(&aside, &staging).expect("moved back");

    let withdraw = ["withdraw", scene.repository.text(), "4", "--product", "client", "--os", "linux", "--reason", "loses receipts"];
    scene.repository.manifests(&withdraw).succeeded("withdraw");
    scene.station.check().exits(0);
    assert_eq!(launch(&scene.station, &["exit", "0"], None).stdout, "two exit 0\n");
    scene.station.tree().assert_is(&v2.tree(), "as it was");
}

#[test]
fn the_client_starts_while_another_updater_works() {
    let world = World::new();
    let (scene, _, v3, running) = running_while_a_release_waits(&world);
    let mut update = start(&mut scene.station.command(&["update", "--yes", "--wait", "100", "--in-use", "wait:100"]));
    let mut note = String::new();
    BufReader::new(update.stderr.take().expect("piped")).read_line(&mut note).expect("a note");
    assert!(note.contains("waiting"), "{note}");

    let mut second = vec!["launch", "--wait", "1", "--"];
    second.extend(["exit", "0"]);
    let second = run(&mut scene.station.command(&second), LIMIT);
    assert_eq!((second.status.code(), second.stdout.as_str()), (Some(0), "two exit 0\n"), "{}", second.report());
    assert!(second.stderr.contains("another updater works on this folder"), "{}", second.report());

    running.end();
    assert!(update.wait().expect("ended").success());
    scene.station.tree().assert_is(&v3.tree(), "the swap happened after the last exit");
}

#[test]
fn a_kill_of_the_updater_leaves_the_client_running_and_the_build_as_it_was() {
    let world = World::new();
    let (scene, _, v2) = unproved(&world, 60);
    let mut child = start(&mut command(&scene.station, &["wait"]));
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it runs");
    let input = child.stdin.take();
    child.kill().expect("killed");
    child.wait().expect("ended");
    // Its input is ours to close; until then the client runs, and keeps an update waiting.
    publish_third(&scene, &v2);
    update(&scene.station).exits(11);
    assert_eq!(state(&scene.station), "unproved");
    drop(input);
    assert_eq!(output.read_line(&mut line).expect("it ends"), 0);
}
