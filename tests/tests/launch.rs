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
use system_tests::world::{Build, T0, World, copy_tree};

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

/// A station at 4.0.0 with three whole backups, each build proved or, with `at_last` seconds of 4.0.0's probe, not yet.
fn with_three_backups(world: &World, at_last: u64) -> (Scene<'_>, Vec<Build>) {
    let scene = Scene::new(world);
    let mut builds = vec![];
    for (version, said, alive) in [("1.5.0", "one", 1), ("2.0.0", "two", 1), ("3.0.0", "three", 1), ("4.0.0", "four", at_last)] {
        let build = scene.v1.copy(said);
        build.exec("client", client(said), T0 + 1).file("lib/extra.so", said, T0 + 1);
        publish(&scene, &build, version, alive);
        scene.station.update().exits(0);
        builds.push(build);
    }
    (scene, builds)
}

#[test]
fn the_client_starts_whatever_small_record_is_lost_or_damaged() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    let whole = world.station("whole");
    copy_tree(&scene.station.dir, &whole.dir);
    for name in
        ["installed", "station.json", "ratchet.json", "proof.json", "settings.toml", "manifest", "history.jsonl", "trust/channel.json"]
    {
        for damage in ["gone", "empty", "garbage", "folder", "link"] {
            let station = world.station(&format!("{}-{damage}", name.replace('/', "-")));
            copy_tree(&whole.dir, &station.dir);
            let path = station.state(name);
            let _ = fs::remove_file(&path);
            match damage {
                "gone" => {}
                "empty" => fs::write(&path, "").expect("written"),
                "garbage" => fs::write(&path, "\0junk").expect("written"),
                "folder" => fs::create_dir(&path).expect("made"),
                _ => std::os::unix::fs::symlink("nowhere", &path).expect("made"),
            }
            let done = launch(&station, &["exit", "0"], None);
            assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "two exit 0\n"), "{name} {damage}\n{}", done.report());
        }
    }
}

#[test]
fn what_is_installed_is_not_known_where_its_record_is_lost_and_every_command_says_how_to_make_it_anew() {
    for damage in [None, Some(""), Some("junk")] {
        let world = World::new();
        let (scene, _, v2) = unproved(&world, 60);
        match damage {
            None => fs::remove_file(scene.station.state("installed")).expect("removed"),
            Some(text) => fs::write(scene.station.state("installed"), text).expect("written"),
        }
        let status = scene.station.run(&["status"]).exits(0);
        assert!(status.json["installed"].is_null() && status.json["drift"].is_null(), "{}", status.json);
        for command in [&["verify"][..], &["verify", "--repair"]] {
            let refused = scene.station.run(command).exits(7);
            assert_eq!(refused.json["error"]["code"], "damaged-state", "{}", refused.json);
            assert!(refused.json["error"]["message"].as_str().is_some_and(|text| text.contains("`updater update`")), "{}", refused.json);
        }
        scene.station.update().exits(0);
        assert_eq!(scene.station.run(&["verify"]).exits(0).json["drift"].as_array().map(Vec::len), Some(0), "that helped");
        scene.station.tree().assert_is(&v2.tree(), "nothing else changed");
    }
}

#[test]
fn a_lost_station_record_is_damage_and_install_makes_it_anew() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    fs::remove_file(scene.station.state("station.json")).expect("removed");
    for command in ["status", "verify", "check"] {
        let refused = scene.station.run(&[command]).exits(7);
        assert_eq!(refused.json["error"]["code"], "damaged-state", "{command}: {}", refused.json);
    }
    let link = scene.proxy.through(&world.link(&scene.server));
    scene.station.install(&link);
    scene.station.run(&["verify"]).exits(0);
}

#[test]
fn e5_a_folder_in_place_of_a_record_is_named_with_its_cure() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    for name in ["installed", "ratchet.json", "station.json"] {
        let (path, aside) = (scene.station.state(name), world.path(name));
        fs::rename(&path, &aside).expect("moved");
        fs::create_dir(&path).expect("made");
        let refused = scene.station.run(&["verify"]).exits(7);
        assert_eq!(refused.json["error"]["code"], "damaged-state", "{name}: {}", refused.json);
        assert!(refused.json["error"]["message"].as_str().is_some_and(|text| text.contains("move it away")), "{}", refused.json);
        fs::remove_dir(&path).expect("removed");
        fs::rename(&aside, &path).expect("moved back");
    }
}

#[test]
fn a_client_without_any_record_of_what_starts_it_is_not_guessed_at() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    for name in ["installed", "trust/channel.json"] {
        fs::remove_file(scene.station.state(name)).expect("removed");
    }
    assert_eq!(launch(&scene.station, &["exit", "0"], None).status.code(), Some(7));
}

#[test]
fn a_client_comes_back_from_an_adopted_backup_and_starts_from_its_shortcut() {
    let world = World::new();
    let (scene, v1, _) = unproved(&world, 60);
    let newest = scene.station.backups().pop().expect("a backup");
    fs::remove_dir_all(scene.station.dir.join(newest).join(".updater")).expect("removed");
    scene.station.run(&["backups", "--adopt"]).exits(0);
    scene.station.run(&["rollback"]).exits(0);
    scene.station.tree().assert_is(&v1.tree(), "back");
    let done = launch(&scene.station, &["exit", "0"], None);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "one exit 0\n"), "{}", done.report());
}

#[test]
fn a_link_under_the_name_of_a_backup_keeps_nobody_out() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    let newest = scene.station.dir.join(scene.station.backups().pop().expect("a backup"));
    fs::rename(&newest, world.path("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(world.path("elsewhere"), &newest).expect("made");
    let done = launch(&scene.station, &["exit", "0"], None);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "two exit 0\n"), "{}", done.report());
    for command in ["status", "verify", "backups"] {
        scene.station.run(&[command]).exits(0);
    }
}

#[test]
fn a_journal_that_cannot_be_read_keeps_nobody_from_a_client_that_is_whole() {
    let world = World::new();
    let (scene, ..) = unproved(&world, 60);
    fs::write(scene.station.state("journal"), "junk").expect("written");
    let done = launch(&scene.station, &["exit", "0"], None);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "two exit 0\n"), "{}", done.report());
    assert!(done.stderr.contains("journal"), "{}", done.report());
    // What may be half of one build and half of another is not started.
    let path = scene.station.file("lib/two.so");
    let modified = fs::metadata(&path).and_then(|data| data.modified()).expect("a time");
    fs::write(&path, "owt").expect("written");
    fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(modified)).expect("set");
    assert_eq!(launch(&scene.station, &["exit", "0"], None).status.code(), Some(7));
}

#[test]
fn f11_damage_that_was_done_here_is_not_blamed_on_the_build() {
    for damage in ["entry point gone", "entry point not executable", "file edited"] {
        let world = World::new();
        let (scene, _, v2) = unproved(&world, 60);
        match damage {
            "entry point gone" => fs::remove_file(scene.station.file("client")).expect("removed"),
            "entry point not executable" => {
                fs::set_permissions(scene.station.file("client"), fs::Permissions::from_mode(0o644)).expect("set");
            }
            _ => fs::write(scene.station.file("lib/two.so"), "edited by hand").expect("written"),
        }
        for _ in 0..3 {
            let done = launch(&scene.station, &["exit", "3"], None);
            let expected = if damage == "file edited" { 3 } else { 126 };
            assert_eq!(done.status.code(), Some(expected), "{damage}\n{}", done.report());
            assert!(done.stderr.contains("updater verify --repair"), "{damage}\n{}", done.report());
        }
        assert_eq!(state(&scene.station), "unproved", "{damage}");
        scene.station.run(&["verify", "--repair"]).exits(0);
        scene.station.tree().assert_is(&v2.tree(), "it stays");
        // With its own files it is the build's own doing.
        launch(&scene.station, &["exit", "3"], None);
        assert!(launch(&scene.station, &["exit", "3"], None).stdout.ends_with("one exit 3\n"), "{damage}");
    }
}

#[test]
fn e5_the_way_back_leads_past_a_backup_that_nothing_can_be_started_from() {
    let world = World::new();
    let (scene, builds) = with_three_backups(&world, 1);
    fs::remove_file(scene.station.file("client")).expect("removed");
    let dead = builds[3].copy("dead");
    dead.exec("client", "#!/bin/sh\nexit 3\n", T0 + 9);
    let options = ["--build", "5.0.0", "--entry-point", "client", "--probe", "command:60:client --check"];
    scene.repository.publish_with(&dead, &options).succeeded("publish");
    let returned = scene.station.update().exits(12);
    assert_eq!(returned.json["installed"]["build"], "3.0.0", "{}", returned.json);
    scene.station.tree().assert_is(&builds[2].tree(), "a whole build is back");
    let done = launch(&scene.station, &["exit", "0"], None);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "three exit 0\n"), "{}", done.report());
}

#[test]
fn e5_going_back_to_a_backup_that_lacks_files_of_its_build_says_so_and_what_helps() {
    let world = World::new();
    let (scene, builds) = with_three_backups(&world, 1);
    for name in ["client", "lib/extra.so"] {
        fs::remove_file(scene.station.file(name)).expect("removed");
    }
    scene.repository.publish_with(&builds[0], &["--build", "5.0.0", "--entry-point", "client"]).succeeded("publish");
    scene.station.update().exits(0);
    let back = scene.station.run(&["rollback"]).exits(0);
    assert_eq!(back.json["installed"]["build"], "4.0.0", "{}", back.json);
    let warning = back.json["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("`client` and 1 more") && warning.contains("updater verify --repair"), "{}", back.json);
    scene.station.run(&["verify", "--repair"]).exits(0);
    scene.station.tree().assert_is(&builds[3].tree(), "that helped");
}
