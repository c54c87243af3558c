//! Clients that run while an update comes (D-31, AC-46, attacks F8 and F9): nothing that runs is killed or loses its files; what is ready waits, and whoever holds it up is named.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use system_tests::process::{Watch, signal_group, spawn};
use system_tests::proxy::body_bytes;
use system_tests::root;
use system_tests::running::Running;
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Build, T0, World, copy_tree, noise};

/// Far above what anything here takes.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

/// A script that says `up` and runs until its input ends.
const SCRIPT: &str = "#!/bin/sh\necho up\nread line\nexit 0\n";

/// 1.0.0 with a script `client`, a program `tool` and a library, installed; 2.0.0 with others of them published.
fn scene(world: &World) -> (Scene<'_>, Build) {
    let scene = Scene::new(world);
    let v2 = scene.v1.copy("v2");
    v2.exec("client", SCRIPT, T0 + 1).exec("tool", fs::read("/bin/cat").expect("read"), T0 + 1).file("lib/b.so", a_library(), T0 + 1);
    scene.repository.publish(&v2, "2.0.0");
    scene.station.update().exits(0);
    let v3 = v2.copy("v3");
    v3.exec("client", "#!/bin/sh\necho 3\n", T0 + 2).file("lib/b.so", "another library", T0 + 2).file("new.txt", "new", T0 + 2);
    scene.repository.publish(&v3, "3.0.0");
    scene.proxy.take_exchanges();
    (scene, v3)
}

/// A library that this process uses itself, so that any program can load it.
fn a_library() -> Vec<u8> {
    let maps = fs::read_to_string("/proc/self/maps").expect("read");
    let path = maps.lines().filter_map(|line| line.split_ascii_whitespace().nth(5)).find(|path| path.contains("libgcc_s")).expect("loaded");
    fs::read(path).expect("read")
}

fn tool(station: &Station) -> Running {
    // A copy of `cat`: it says what it reads first, and then nothing until its input ends.
    let first = station.dir.with_file_name("up");
    fs::write(&first, "up\n").expect("written");
    Running::start(Command::new(station.file("tool")).arg(first).arg("-"))
}

/// Process ids, and what they do with which file.
fn holders(outcome: &Outcome) -> Vec<(u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let holder = |holder: &Value| (holder["pid"].as_u64().unwrap_or_default(), text(&holder["use"]), text(&holder["file"]));
    outcome.json["holders"].as_array().expect("a list of holders").iter().map(holder).collect()
}

fn deferred_lines(station: &Station) -> Vec<Value> {
    station.history().into_iter().filter(|line| line["result"] == "deferred").collect()
}

#[test]
fn ac_46_while_two_instances_run_an_update_is_made_ready_and_applied_after_the_last_exit_without_fetching() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    let before = scene.station.tree();
    let script = Running::start(&mut Command::new(scene.station.file("client")));
    let program = tool(&scene.station);

    let first = scene.station.update().exits(11);
    let expected = [(script.id(), "has-open", "client"), (program.id(), "runs", "tool")];
    let mut expected = expected.map(|(pid, how, file)| (pid, how.to_owned(), file.to_owned()));
    expected.sort();
    assert_eq!((first.text("result"), holders(&first)), ("deferred", expected.to_vec()), "{}", first.json);
    scene.station.tree().assert_is(&before, "nothing live was touched");
    assert!(body_bytes(&scene.proxy.take_exchanges(), "/objects/") > 0, "what is ready was fetched");

    program.end();
    let second = scene.station.update().exits(11);
    assert_eq!(holders(&second), [(script.id(), "has-open".to_owned(), "client".to_owned())], "{}", second.json);
    let lines = deferred_lines(&scene.station);
    assert_eq!(lines.len(), 1, "one line for one release: {lines:?}");
    assert_eq!((lines[0]["code"].as_str(), lines[0]["to"]["build"].as_str()), (Some("file-in-use"), Some("3.0.0")));
    let detail = lines[0]["detail"].as_str().expect("it says who");
    assert!(detail.contains(&format!("process {}", script.id())) && detail.contains("`client`"), "{detail}");

    script.end();
    scene.proxy.take_exchanges();
    let third = scene.station.update().exits(0);
    scene.station.tree().assert_is(&v3.tree(), "applied after the last exit");
    assert_eq!(third.json["received_bytes"], 0, "{}", third.json);
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/objects/"), 0, "no payload");
    scene.station.assert_nothing_left_over();
    assert!(!scene.station.state("deferred").exists(), "nothing waits any more");
}

#[test]
fn ac_46_of_two_updaters_one_waits_for_the_client_and_the_other_for_the_first() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    let client = Running::start(&mut Command::new(scene.station.file("client")));

    let mut first = spawn(&mut scene.station.command(&["update", "--yes", "--in-use", "wait:100"]));
    let watch = Watch::start(&first, LIMIT);
    let mut errors = BufReader::new(first.stderr.take().expect("piped"));
    let mut note = String::new();
    errors.read_line(&mut note).expect("a note");
    assert!(note.contains("waiting until nobody uses the client") && note.contains(&format!("process {}", client.id())), "{note}");

    // Whoever does not wait is told who works; whoever waits works after.
    let told = scene.station.update().exits(6);
    let message = told.json["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(&format!("process {} update", first.id())), "{message}");
    std::thread::scope(|scope| {
        let second = scope.spawn(|| scene.station.run(&["update", "--yes", "--wait", "100"]));
        client.end();
        let mut said = String::new();
        first.stdout.take().expect("piped").read_to_string(&mut said).expect("read");
        assert!(first.wait().expect("ended").success(), "{said}");
        assert!(!watch.stop());
        let said: Value = serde_json::from_str(&said).expect("one object");
        assert_eq!(said["result"], "updated", "{said}");
        let second = second.join().expect("no panic").exits(0);
        assert_eq!(second.text("result"), "nothing-to-do", "{}", second.json);
    });
    scene.station.tree().assert_is(&v3.tree(), "updated once");
    assert_eq!(deferred_lines(&scene.station).len(), 0, "nothing was put off");
}

#[test]
fn whoever_waits_for_a_client_waits_no_longer_than_asked() {
    let world = World::new();
    let (scene, _) = scene(&world);
    let before = scene.station.tree();
    let client = Running::start(&mut Command::new(scene.station.file("client")));
    scene.station.run(&["update", "--yes", "--in-use", "wait:1"]).exits(11);
    scene.station.tree().assert_is(&before, "nothing live was touched");
    client.end();
}

#[test]
fn a_library_that_another_program_has_loaded_is_held_by_it() {
    let world = World::new();
    let (scene, _) = scene(&world);
    let mut other = Command::new("/bin/sh");
    other.args(["-c", "echo up; read line; exit 0"]).env("LD_PRELOAD", scene.station.file("lib/b.so"));
    let other = Running::start(&mut other);
    let outcome = scene.station.update().exits(11);
    assert_eq!(holders(&outcome), [(other.id(), "maps".to_owned(), "lib/b.so".to_owned())], "{}", outcome.json);
    other.end();
    scene.station.update().exits(0);
}

#[test]
fn a_program_is_seen_through_another_name_of_its_file() {
    let world = World::new();
    let (scene, _) = scene(&world);
    // The same file by a link that lies elsewhere, and a program whose file was deleted while it runs.
    let elsewhere = world.path("elsewhere");
    fs::hard_link(scene.station.file("tool"), &elsewhere).expect("linked");
    let linked = Running::start(Command::new("/bin/sh").args(["-c", &format!("echo up; exec {}", elsewhere.display())]));
    // The shell has said `up` before it became the tool: wait until it has.
    wait_until(|| fs::read_link(format!("/proc/{}/exe", linked.id())).is_ok_and(|exe| exe == elsewhere));
    let outcome = scene.station.update().exits(11);
    assert_eq!(holders(&outcome), [(linked.id(), "runs".to_owned(), "tool".to_owned())], "{}", outcome.json);
    linked.end();

    let plugin = scene.station.file("plugin");
    fs::copy("/bin/cat", &plugin).expect("copied");
    let plugin_runs = Running::start(Command::new("/bin/sh").args(["-c", &format!("echo up; exec {}", plugin.display())]));
    wait_until(|| fs::read_link(format!("/proc/{}/exe", plugin_runs.id())).is_ok_and(|exe| exe == plugin));
    fs::remove_file(&plugin).expect("removed");
    let outcome = scene.station.update().exits(11);
    assert_eq!(holders(&outcome), [(plugin_runs.id(), "runs".to_owned(), "plugin".to_owned())], "{}", outcome.json);
    plugin_runs.end();
    scene.station.update().exits(0);
}

fn wait_until(is_so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LIMIT, "waited in vain");
        std::thread::yield_now();
    }
}

#[test]
fn nobody_is_held_up_by_what_does_not_touch_the_files_that_go() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    fs::write(scene.station.file("mine.txt"), "mine").expect("written");
    // Somebody works in the folder, and has a file of his own open.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "exec 3<mine.txt; echo up; read line; exit 0"]).current_dir(&scene.station.dir);
    let shell = Running::start(&mut shell);
    scene.station.update().exits(0);
    scene.station.tree().without("mine.txt").assert_is(&v3.tree(), "updated");
    shell.end();
}

#[test]
fn a_rollback_is_refused_while_the_client_runs_and_names_it() {
    let world = World::new();
    let (scene, _) = scene(&world);
    let before = scene.station.tree();
    let client = Running::start(&mut Command::new(scene.station.file("client")));
    let refused = scene.station.run(&["rollback"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "file-in-use", "{}", refused.json);
    let message = refused.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(&format!("process {}", client.id())), "{message}");
    scene.station.tree().assert_is(&before, "nothing was changed");
    client.end();
    scene.station.run(&["rollback"]).exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "back");
}

#[test]
fn f8_a_file_that_the_system_keeps_in_the_middle_of_a_swap_undoes_it_and_its_holder_is_named() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    // What only gets another time is held by nobody beforehand: holding it hinders no swap on this system. The fault stands for one where it does.
    let v4 = v3.copy("v4");
    v4.file("lib/a.so", noise(2, 100_000), T0 + 3);
    scene.repository.publish_with(&v4, &["--build", "4.0.0", "--entry-point", "client"]).succeeded("publish");
    let before = scene.station.tree();
    let reader =
        Running::start(Command::new("/bin/sh").args(["-c", "exec 3<lib/a.so; echo up; read line; exit 0"]).current_dir(&scene.station.dir));
    for point in ["swap.keep=ebusy", "swap.set=ebusy", "swap.in=ebusy", "swap.put:2=ebusy", "backup.copy=ebusy"] {
        let outcome = scene.station.with_env("STATIONMASTER_FAIL_POINT", point).update().exits(11);
        let expected = [(reader.id(), "has-open".to_owned(), "lib/a.so".to_owned())];
        assert_eq!((outcome.text("result"), holders(&outcome)), ("deferred", expected.to_vec()), "{point}: {}", outcome.json);
        scene.station.tree().assert_is(&before, point);
        assert_eq!(scene.station.backups(), ["bkp_remote.001"], "{point}");
    }
    reader.end();
    assert_eq!(deferred_lines(&scene.station).len(), 1);
    scene.proxy.take_exchanges();
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v4.tree(), "applied when nobody holds anything");
    assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/objects/"), 0, "everything was ready");
}

#[test]
fn f8_who_starts_the_client_while_a_swap_is_prepared_keeps_it_whole() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    let v4 = v3.copy("v4");
    v4.file("lib/a.so", noise(2, 100_000), T0 + 3);
    scene.repository.publish_with(&v4, &["--build", "4.0.0", "--entry-point", "client"]).succeeded("publish");
    let before = scene.station.tree();
    // After the first look; and after the last one before the renames begin.
    for point in ["backup.sync=stop", "swap.out=stop"] {
        let mut updater = spawn(&mut scene.station.with_env("STATIONMASTER_FAIL_POINT", point).command(&["update", "--yes"]));
        let watch = Watch::start(&updater, LIMIT);
        wait_until(|| fs::read_to_string(format!("/proc/{}/stat", updater.id())).is_ok_and(|stat| stat.contains(") T ")));
        let client = Running::start(&mut Command::new(scene.station.file("client")));
        signal_group(&updater, Signal::CONT);
        let mut said = String::new();
        updater.stdout.take().expect("piped").read_to_string(&mut said).expect("read");
        assert_eq!(updater.wait().expect("ended").code(), Some(11), "{point}: {said}");
        assert!(!watch.stop(), "{point}");
        let said: Value = serde_json::from_str(&said).expect("one object");
        assert_eq!((said["result"].as_str(), said["holders"][0]["pid"].as_u64()), (Some("deferred"), Some(client.id())), "{point}: {said}");
        scene.station.tree().assert_is(&before, point);
        assert_eq!(scene.station.backups(), ["bkp_remote.001"], "{point}");
        client.end();
    }
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v4.tree(), "applied when nobody is there");
}

#[test]
fn a_kill_while_an_update_is_put_off_or_taken_up_again_costs_nothing_but_the_run() {
    let world = World::new();
    let (scene, v3) = scene(&world);
    let before = scene.station.tree();
    let client = Running::start(&mut Command::new(scene.station.file("client")));
    let mut killed = 0;
    for place in moments() {
        let _ = fs::remove_file(scene.station.state("deferred"));
        killed += usize::from(is_killed_at(&scene.station, &place));
        scene.station.run(&["status"]).exits(0);
        scene.station.tree().assert_is(&before, &place);
        scene.station.update().exits(11);
    }
    assert!(killed >= 4, "the file is written at {killed} moments");
    client.end();
    killed = 0;
    for place in moments() {
        let one = world.station("one");
        let _ = fs::remove_dir_all(&one.dir);
        copy_tree(&scene.station.dir, &one.dir);
        killed += usize::from(is_killed_at(&one, &place));
        scene.proxy.take_exchanges();
        one.update().exits(0);
        one.tree().assert_is(&v3.tree(), &place);
        assert_eq!(body_bytes(&scene.proxy.take_exchanges(), "/objects/"), 0, "{place}: what was ready stays ready");
        // What still waits by its name is what is installed: nothing waits.
        one.update().exits(0);
    }
    assert!(killed >= 2, "the file is removed at {killed} moments");
}

/// Every moment at which the file of what waits is changed, and some that never come.
fn moments() -> Vec<String> {
    (1..=6).flat_map(|n| [format!("deferred.file:{n}=kill"), format!("deferred.file+after:{n}=kill")]).collect()
}

fn is_killed_at(station: &Station, place: &str) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    let finished =
        system_tests::process::run(&mut station.with_env("STATIONMASTER_FAIL_POINT", place).command(&["update", "--yes"]), LIMIT);
    finished.status.signal() == Some(9)
}

#[test]
fn f9_two_users_on_one_folder_learn_of_each_other() {
    root::is_needed_to("become another user");
    let world = World::new();
    let (scene, _) = scene(&world);
    open_to_all(&scene.station.dir);
    let client = Running::start(&mut Command::new(scene.station.file("client")));
    let mut first = spawn(&mut scene.station.command(&["update", "--yes", "--in-use", "wait:100"]));
    let mut errors = BufReader::new(first.stderr.take().expect("piped"));
    errors.read_line(&mut String::new()).expect("a note");
    let other = scene.station.through(&["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]);
    let told = other.update().exits(6);
    let message = told.json["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(&format!("process {} update root", first.id())), "{message}");
    client.end();
    assert!(first.wait().expect("ended").success());
}

/// Lets other users reach `dir`.
fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let folders: Vec<PathBuf> = dir.ancestors().take_while(|folder| folder.starts_with(std::env::temp_dir())).map(Path::to_owned).collect();
    for folder in folders.iter().filter(|folder| **folder != std::env::temp_dir()) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode set");
    }
}
