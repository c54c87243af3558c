//! A new build has to show that it lives; one that does not is gone again, by itself, without a network, and does not come back (AC-44, AC-45, attacks F11 and F12).

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::disk::Disk;
use system_tests::process::{Finished, run};
use system_tests::proxy::body_bytes;
use system_tests::root::{self, Immutable};
use system_tests::running::Running;
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Build, T0, World, copy_tree};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A client that answers `--check` with this exit code.
fn client(code: i32) -> String {
    format!("#!/bin/sh\ntest \"$1\" != --check || echo \"checked $PWD\"\nexit {code}\n")
}

fn publish(scene: &Scene<'_>, build: &Build, version: &str) -> Finished {
    let options = ["--build", version, "--entry-point", "client", "--probe", "command:60:client --check"];
    scene.repository.publish_with(build, &options).succeeded("publish")
}

/// A station on 1.0.0; 2.0.0, which does not live, is published.
fn with_a_dead_build(world: &World) -> (Scene<'_>, Build) {
    let scene = Scene::new(world);
    let dead = scene.v1.copy("v2");
    dead.exec("client", client(3), T0 + 60).file("lib/new.so", "new", T0);
    publish(&scene, &dead, "2.0.0");
    fs::write(scene.station.file("mine.txt"), "mine").expect("written");
    scene.proxy.take_exchanges();
    (scene, dead)
}

/// How each attempt of the history ended. A kill may have torn a line; that costs only itself.
fn results(station: &Station) -> Vec<String> {
    let text = fs::read_to_string(station.state("history.jsonl")).expect("there");
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.map(|line| line["result"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The code of the refusal of the release with this sequence.
fn refusal(outcome: &Outcome, sequence: u64) -> Option<String> {
    let passed = outcome.json["passed_over"].as_array()?;
    passed.iter().find(|passed| passed["sequence"] == sequence).map(|passed| passed["code"].as_str().unwrap_or_default().to_owned())
}

fn proof(station: &Station) -> Value {
    serde_json::from_slice(&fs::read(station.state("proof.json")).expect("there")).expect("JSON")
}

#[test]
fn ac_44_a_build_that_fails_its_probe_goes_and_the_one_before_it_is_back() {
    let world = World::new();
    let (scene, _) = with_a_dead_build(&world);
    let outcome = scene.station.update().exits(12);
    assert_eq!((outcome.text("result"), outcome.json["installed"]["build"].as_str()), ("returned", Some("1.0.0")), "{}", outcome.json);
    let why = outcome.text("why");
    let place = scene.station.dir.to_str().expect("UTF-8");
    assert!(why.contains("code 3") && why.contains(&format!("checked {place}")), "{why}");
    scene.station.tree().without("mine.txt").assert_is(&scene.v1.tree(), "the old build is back");
    assert!(scene.station.tree().get("mine.txt").is_some(), "the user's files stay");
    scene.station.assert_nothing_left_over();

    assert_eq!(results(&scene.station), ["applied", "applied", "rolled-back"]);
    let line = scene.station.history().pop().expect("a line");
    assert_eq!((line["trigger"].as_str(), line["code"].as_str()), (Some("proof"), Some("not-alive")), "{line}");
    assert!(line["detail"].as_str().is_some_and(|detail| detail.contains("code 3")), "{line}");
    assert_eq!((line["from"]["build"].as_str(), line["to"]["build"].as_str()), (Some("2.0.0"), Some("1.0.0")), "{line}");
}

#[test]
fn ac_44_where_the_system_runs_no_program_a_new_build_is_not_blamed_and_proves_itself_when_it_does() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("client"), "size=64m") else { return };
    let scene = Scene::new(&world);
    let v2 = scene.v1.copy("v2");
    v2.exec("client", "#!/bin/sh\necho two\n", T0 + 60);
    publish(&scene, &v2, "2.0.0");
    disk.remount("noexec");
    let launch = || run(&mut scene.station.command(&["launch"]), LIMIT);
    let updated = scene.station.update().exits(0);
    assert!(
        updated.finished.stderr.contains("not known yet") && updated.finished.stderr.contains("noexec"),
        "{}",
        updated.finished.report()
    );
    // Neither the probe of each start nor the start itself says anything of the build, however often.
    for _ in 0..3 {
        let refused = launch();
        assert!(refused.code() == 126 && refused.stderr.contains("noexec"), "{}", refused.report());
    }
    scene.station.tree().assert_is(&v2.tree(), "the new build stays");
    assert_eq!(scene.station.run(&["status"]).exits(0).json["proof"], "unproved");
    assert!(!results(&scene.station).contains(&"rolled-back".to_owned()));

    disk.remount("exec");
    let started = launch();
    assert_eq!((started.code(), started.stdout.as_str()), (0, "two\n"), "{}", started.report());
    assert_eq!(scene.station.run(&["status"]).exits(0).json["proof"], "proved");
    // And what is watched and not asked, the same.
    let v3 = scene.v1.copy("v3");
    v3.exec("client", "#!/bin/sh\necho three\n", T0 + 90);
    let options = ["--build", "3.0.0", "--entry-point", "client", "--probe", "alive:1"];
    scene.repository.publish_with(&v3, &options).succeeded("publish");
    scene.station.update().exits(0);
    disk.remount("noexec");
    for _ in 0..3 {
        let refused = launch();
        assert!(
            refused.code() == 126 && refused.stderr.contains("that says nothing of the build") && refused.stderr.contains("noexec"),
            "{}",
            refused.report()
        );
    }
    scene.station.tree().assert_is(&v3.tree(), "the new build stays");
    assert_eq!(scene.station.run(&["status"]).exits(0).json["proof"], "unproved");
}

#[test]
fn ac_44_what_cannot_be_cleared_away_after_a_swap_keeps_no_update_from_being_proved_and_said_to_be_done() {
    let world = World::new();
    let scene = Scene::new(&world);
    let full = scene.station.with_env("STATIONMASTER_FAIL_POINT", "deferred.file=enospc");
    let is_said = |outcome: &Outcome| {
        let warnings = outcome.json["warnings"].to_string();
        assert!(warnings.contains("stays until the next update") && warnings.contains("deferred.file"), "{}", outcome.json);
    };
    let v2 = scene.v1.copy("v2");
    v2.exec("client", client(0), T0 + 60);
    publish(&scene, &v2, "2.0.0");
    // Something lies there that is not needed afterwards.
    scene.station.run(&["download"]).exits(0);
    is_said(&full.update().exits(0));
    scene.station.tree().assert_is(&v2.tree(), "updated");
    assert_eq!(scene.station.run(&["status"]).exits(0).json["proof"], "proved", "the probe ran");
    assert_eq!(results(&scene.station), ["applied", "downloaded", "applied"]);
    assert!(!scene.station.state("attempts.json").exists(), "no failure was counted");

    let v3 = scene.v1.copy("v3");
    v3.exec("client", client(0), T0 + 90);
    publish(&scene, &v3, "3.0.0");
    scene.station.run(&["download"]).exits(0);
    is_said(&full.run(&["rollback"]).exits(0));
    scene.station.tree().assert_is(&scene.v1.tree(), "rolled back");
    assert_eq!(results(&scene.station), ["applied", "downloaded", "applied", "downloaded", "rolled-back"]);
}

#[test]
fn f12_a_build_that_failed_is_offered_in_vain_until_a_newer_one_comes() {
    let world = World::new();
    let (scene, dead) = with_a_dead_build(&world);
    scene.station.update().exits(12);
    let (tree, backups) = (scene.station.tree(), scene.station.backups());
    scene.proxy.take_exchanges();
    for _ in 0..3 {
        let outcome = scene.station.update().exits(0);
        assert_eq!(outcome.text("result"), "nothing-to-do", "{}", outcome.json);
    }
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/objects/"), 0, "nothing is fetched for it");
    scene.station.tree().assert_is(&tree, "no flapping");
    assert_eq!(scene.station.backups(), backups);
    let explained = scene.station.run(&["status", "--explain"]).exits(0);
    assert_eq!((explained.text("decision"), refusal(&explained, 2)), ("blocked", Some("blocked".to_owned())), "{}", explained.json);
    // Nor does a person get it by going back and forth.
    let back = scene.station.run(&["rollback"]);
    assert_ne!(back.json["installed"]["build"], "2.0.0", "{}", back.json);

    let alive = dead.copy("v3");
    alive.exec("client", client(0), T0 + 120);
    publish(&scene, &alive, "3.0.0");
    scene.station.update().exits(0);
    scene.station.tree().without("mine.txt").assert_is(&alive.tree(), "a newer release that lives stays");
    let known = proof(&scene.station)["releases"].as_array().and_then(|all| all.last().cloned()).expect("it is known");
    assert_eq!((known["at"][1].as_u64(), known["state"].as_str()), (Some(3), Some("proved")), "{known}");
    assert_eq!(scene.station.run(&["rollback"]).exits(0).json["installed"]["build"], "1.0.0", "past the build that failed");
}

#[test]
fn f11_a_kill_at_any_moment_of_a_proof_and_of_the_way_back_ends_with_the_old_build() {
    let world = World::in_memory();
    let (scene, _) = with_a_dead_build(&world);
    let before = scene.station.tree();
    // Cut off between the swap and its proof: the next start of the updater, whatever it was started for, goes on from there, without a network.
    let swapped = world.station("swapped");
    copy_tree(&scene.station.dir, &swapped.dir);
    assert!(is_killed_at(&swapped, "commit.journal+after=kill", &["update", "--yes"]));
    assert_eq!(proof(&swapped)["releases"].as_array().and_then(|all| all.last()).map(|last| &last["state"]), Some(&"unproved".into()));
    assert!(!swapped.state("journal").exists() && !before.difference(&swapped.tree()).is_empty(), "the new build is whole, and unproved");
    let mut killed = 0;
    for (nth, place) in (1..).flat_map(|n| [format!("*:{n}=kill"), format!("*+after:{n}=kill")]).enumerate() {
        let station = world.station("killed");
        let _ = fs::remove_dir_all(&station.dir);
        copy_tree(&swapped.dir, &station.dir);
        if !is_killed_at(&station, &place, &["verify"]) {
            break;
        }
        killed += 1;
        station.run(&["verify"]).exits(0);
        station.tree().assert_is(&before, &place);
        assert_eq!(station.backups(), ["bkp_remote.001"], "{place}: the build that failed");
        station.assert_nothing_left_over();
        assert_eq!(results(&station).iter().filter(|result| *result == "rolled-back").count(), 1, "{place}");
        if nth % 10 == 0 {
            station.update().exits(0);
            station.tree().assert_is(&before, &place);
        }
    }
    assert!(killed > 50, "{killed} moments");
}

fn is_killed_at(station: &Station, place: &str, command: &[&str]) -> bool {
    let finished = run(&mut station.with_env("STATIONMASTER_FAIL_POINT", place).command(command), LIMIT);
    assert!(!finished.timed_out, "hangs at {place}\n{}", finished.report());
    finished.status.signal() == Some(9)
}

#[test]
fn whoever_names_the_backup_of_a_build_that_failed_keeps_it_through_a_kill_at_any_moment() {
    let world = World::in_memory();
    let (scene, dead) = with_a_dead_build(&world);
    scene.station.update().exits(12);
    let old = scene.station.tree();
    let mut killed = 0;
    for place in (1..).flat_map(|n| [format!("*:{n}=kill"), format!("*+after:{n}=kill")]) {
        let station = world.station("killed");
        let _ = fs::remove_dir_all(&station.dir);
        copy_tree(&scene.station.dir, &station.dir);
        let is_killed = is_killed_at(&station, &place, &["rollback", "--to", "001"]);
        let installed = station.run(&["status"]).exits(0).json["installed"]["build"].clone();
        if installed == "1.0.0" {
            station.tree().assert_is(&old, &place);
            station.run(&["rollback", "--to", "001"]).exits(0);
        }
        for _ in 0..2 {
            assert_eq!(station.run(&["status"]).exits(0).json["installed"]["build"], "2.0.0", "{place}: it is not taken back");
        }
        station.tree().without("mine.txt").assert_is(&dead.tree(), &place);
        station.assert_nothing_left_over();
        killed += u32::from(is_killed);
        if !is_killed {
            station.update().exits(0);
            station.tree().without("mine.txt").assert_is(&dead.tree(), "nor by an update");
            break;
        }
    }
    assert!(killed > 30, "{killed} moments");
}

#[test]
fn f11_a_probe_that_ends_the_updater_ends_two_and_then_the_build_before_it_is_back() {
    let world = World::new();
    let scene = Scene::new(&world);
    let killer = scene.v1.copy("v2");
    killer.exec("client", "#!/bin/sh\n[ \"$1\" = --check ] && kill -9 $PPID\nexit 0\n", T0 + 60);
    publish(&scene, &killer, "2.0.0");
    for command in [&["update", "--yes"][..], &["launch"]] {
        // Who looks meanwhile is not ended.
        assert_eq!(scene.station.run(&["backups"]).exits(0).finished.status.signal(), None);
        let ended = run(&mut scene.station.command(command), LIMIT);
        assert_eq!(ended.status.signal(), Some(9), "{command:?}\n{}", ended.report());
    }
    let said = scene.station.run(&["status"]).exits(0);
    assert_eq!(said.json["installed"]["build"], "1.0.0", "{}", said.finished.report());
    assert!(said.finished.stderr.contains("while its probe ran"), "{}", said.finished.report());
    scene.station.tree().assert_is(&scene.v1.tree(), "back");
    scene.station.assert_nothing_left_over();
    assert_eq!(scene.station.update().exits(0).text("result"), "nothing-to-do", "it is blocked");
}

#[test]
fn f11_whoever_goes_back_by_hand_waits_for_no_probe() {
    let world = World::new();
    let (scene, dead) = with_an_unprobed_build(&world);
    scene.station.run(&["status"]).exits(0);
    scene.station.tree().assert_is(&dead.tree(), "who looks runs no probe");
    assert_eq!(scene.station.run(&["rollback"]).exits(0).json["installed"]["build"], "1.0.0");
    scene.station.tree().assert_is(&scene.v1.tree(), "one build back");
}

/// A station on 2.0.0, which is dead and has not been probed yet.
fn with_an_unprobed_build(world: &World) -> (Scene<'_>, Build) {
    let scene = Scene::new(world);
    let dead = scene.v1.copy("v2");
    dead.exec("client", "#!/bin/sh\ncase $1 in --check) exit 3;; esac\necho runs\nread line\n", T0 + 60).file("lib/new.so", "new", T0);
    publish(&scene, &dead, "2.0.0");
    assert!(is_killed_at(&scene.station, "commit.journal+after=kill", &["update", "--yes"]));
    (scene, dead)
}

#[test]
fn ac_46_the_way_back_waits_for_the_client_to_close_and_copies_nothing_meanwhile() {
    let world = World::new();
    let (scene, dead) = with_an_unprobed_build(&world);
    let running = Running::start(&mut Command::new(scene.station.file("client")));
    for _ in 0..2 {
        let traced = scene.station.with_env("STATIONMASTER_FAIL_POINT", "stage.file=kill").run(&["verify"]).exits(0);
        assert!(traced.finished.stderr.contains("is in use"), "{}", traced.finished.report());
        scene.station.tree().assert_is(&dead.tree(), "it stays");
        scene.station.assert_nothing_left_over();
    }
    drop(running);
    scene.station.run(&["verify"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "back");
}

#[test]
fn ac_43_the_way_back_begins_only_when_nothing_stands_in_its_way() {
    let world = World::new();
    let (scene, dead) = with_an_unprobed_build(&world);
    let library = Immutable::new(scene.station.file("lib/new.so"));
    let said = scene.station.run(&["verify"]).exits(0);
    drop(library);
    assert!(said.finished.stderr.contains("`lib/new.so` has the immutable"), "{}", said.finished.report());
    scene.station.tree().assert_is(&dead.tree(), "nothing was moved");
    scene.station.assert_nothing_left_over();
    scene.station.run(&["verify"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "back");
}

#[test]
fn f11_a_stranger_under_the_name_of_a_backup_bars_no_way_back() {
    let world = World::new();
    let (scene, dead) = with_an_unprobed_build(&world);
    for (name, is_folder) in [("bkp_remote.002", true), ("bkp_remote.003", false)] {
        let stranger = scene.station.file(name);
        if is_folder {
            fs::create_dir(&stranger).and_then(|()| fs::write(stranger.join("x"), "x")).expect("made");
        } else {
            fs::write(&stranger, "x").expect("written");
        }
    }
    scene.station.run(&["verify"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "back by itself");
    scene.station.run(&["rollback", "--to", "001"]).exits(0);
    scene.station.tree().assert_is(&dead.tree(), "and by hand");
    assert_eq!(fs::read(scene.station.file("bkp_remote.002/x")).expect("it stays"), b"x");
    assert_eq!(fs::read(scene.station.file("bkp_remote.003")).expect("it stays"), b"x");
}

#[test]
fn what_lies_in_the_way_of_going_back_is_named_before_anything_moves() {
    let world = World::new();
    let (scene, dead) = with_an_unprobed_build(&world);
    fs::remove_file(scene.station.file("lib/a.so")).expect("removed");
    fs::create_dir(scene.station.file("lib/a.so")).expect("made");
    fs::write(scene.station.file("lib/a.so/mine"), "mine").expect("written");
    let tree = scene.station.tree();
    // By itself, and by hand.
    let said = scene.station.run(&["verify"]).finished.stderr;
    assert!(said.contains("`lib/a.so` is in the way") && said.contains("`lib/a.so/mine`"), "{said}");
    let refused = scene.station.run(&["rollback"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "in-the-way", "{}", refused.json);
    scene.station.tree().assert_is(&tree, "nothing was moved");
    scene.station.assert_nothing_left_over();
    fs::rename(scene.station.file("lib/a.so/mine"), world.path("mine")).expect("moved away");
    scene.station.run(&["rollback"]);
    scene.station.tree().assert_is(&scene.v1.tree(), "back");
    assert!(!dead.tree().difference(&scene.v1.tree()).is_empty());
}

#[test]
fn f10_builds_that_failed_push_no_backup_out_that_lived() {
    let world = World::new();
    let scene = Scene::new(&world);
    for n in 2..=4 {
        let lives = scene.v1.copy(&format!("v{n}"));
        lives.exec("client", client(0), T0 + 60).file("version", n.to_string(), T0 + 60);
        publish(&scene, &lives, &format!("{n}.0.0"));
        scene.station.update().exits(0);
    }
    for n in 5..=8 {
        let dead = scene.v1.copy(&format!("v{n}"));
        dead.exec("client", client(1), T0 + 60).file("version", n.to_string(), T0 + 60);
        publish(&scene, &dead, &format!("{n}.0.0"));
        scene.station.update().exits(12);
    }
    let listed = scene.station.run(&["backups"]).exits(0).json.to_string();
    assert!(["2.0.0", "3.0.0", "8.0.0"].iter().all(|build| listed.contains(build)), "{listed}");
}

#[test]
fn a_first_build_that_does_not_live_stays_for_want_of_another_and_is_said() {
    let world = World::new();
    let scene = Scene::new(&world);
    let dead = scene.v1.copy("v2");
    dead.exec("client", client(1), T0 + 60);
    publish(&scene, &dead, "2.0.0");
    let second = world.station("second");
    let outcome = second.run(&["install", &world.link(&scene.server)]).exits(7);
    assert_eq!(outcome.json["error"]["code"], "not-alive", "{}", outcome.json);
    second.tree().assert_is(&dead.tree(), "it stays");
    fs::remove_file(second.file("client")).expect("removed");
    second.run(&["verify", "--repair"]).exits(7);
    second.tree().assert_is(&dead.tree(), "its files are back");
    assert_eq!(proof(&second)["releases"][0]["state"], "failed", "putting its files back does not forget that");
    let alive = scene.v1.copy("v3");
    alive.exec("client", client(0), T0 + 90);
    publish(&scene, &alive, "3.0.0");
    second.update().exits(0);
    second.tree().assert_is(&alive.tree(), "and gives way to one that lives");
}

#[test]
fn ac_44_a_damaged_backup_is_not_what_comes_back() {
    let world = World::new();
    let (scene, _) = with_a_dead_build(&world);
    let between = scene.v1.copy("between");
    between.exec("client", client(0), T0 + 61);
    publish(&scene, &between, "2.5.0");
    scene.station.update().exits(0);
    let dead = scene.v1.copy("dead");
    dead.exec("client", client(9), T0 + 62);
    publish(&scene, &dead, "3.0.0");
    // The update makes a backup of 2.5.0; before the probe runs, somebody damages it.
    let sabotage = "#!/bin/sh\nfor slot in bkp_remote.*; do last=$slot; done\necho damaged > $last/client\nexit 1\n";
    let worse = scene.v1.copy("worse");
    worse.exec("client", sabotage, T0 + 63);
    publish(&scene, &worse, "4.0.0");
    let outcome = scene.station.update().exits(12);
    assert_eq!(outcome.json["installed"]["build"], "1.0.0", "the newest whole one\n{}", outcome.finished.report());
    scene.station.tree().without("mine.txt").assert_is(&scene.v1.tree(), "the newest whole one");
}

#[test]
fn f5_a_probe_sees_no_variable_that_makes_it_load_other_code() {
    let world = World::new();
    let scene = Scene::new(&world);
    let told = scene.v1.copy("v2");
    told.exec("client", "#!/bin/sh\nenv > told.txt\npwd >> told.txt\n", T0 + 60);
    publish(&scene, &told, "2.0.0");
    let station = scene.station.with_env("LD_LIBRARY_PATH", "/evil").with_env("BASH_ENV", "/evil").with_env("HOME", "/home/ana");
    station.update().exits(0);
    let told = fs::read_to_string(station.file("told.txt")).expect("written");
    assert!(!told.contains("/evil"), "{told}");
    assert!(told.contains("HOME=/home/ana") && told.ends_with(&format!("{}\n", station.dir.display())), "{told}");
}

#[test]
fn d_06_only_whoever_answers_for_the_folder_goes_back_to_a_withdrawn_build() {
    root::is_needed_to("become other users");
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.station.update().exits(0);
    let withdraw = ["withdraw", scene.repository.text(), "1", "--product", "client", "--os", "linux", "--reason", "loses receipts"];
    scene.repository.manifests(&withdraw).succeeded("manifests withdraw");
    scene.station.check().exits(0);
    // Somebody owns the folder, and everybody may write it, as in some shops.
    let world_root = scene.station.dir.parent().expect("it has one");
    run(Command::new("chown").args(["-R", "23456:23456"]).arg(&scene.station.dir), LIMIT).succeeded("chown");
    run(Command::new("find").arg(world_root).args(["-type", "d", "-exec", "chmod", "a+rwx", "{}", "+"]), LIMIT)
        .succeeded("chmod of folders");
    run(Command::new("chmod").args(["-R", "a+rwX"]).arg(scene.station.state("")), LIMIT).succeeded("chmod of the state");
    let tree = scene.station.tree();
    let account = |id: &str| scene.station.through(&["setpriv", &format!("--reuid={id}"), &format!("--regid={id}"), "--clear-groups"]);
    let refused = account("12345").run(&["rollback", "--reason", "I like the old one"]).exits(4);
    assert_eq!(refused.json["error"]["code"], "needs-admin", "{}", refused.json);
    scene.station.tree().assert_is(&tree, "nothing was changed");
    account("23456").run(&["rollback", "--reason", "2.0.0 does not print"]).exits(0);
}
