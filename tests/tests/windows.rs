//! The Windows updater, run by Wine, against a server on Linux; the tree is judged from the Linux side (AC-82: AC-01 to AC-04, AC-39, AC-43, AC-47, AC-83).
//!
//! Wine is not Windows: `docs/windows.md` says which of its answers are the same.

#[path = "windows/kills.rs"]
mod kills;
#[path = "windows/self_update.rs"]
mod self_update;
#[path = "windows/shortcut.rs"]
mod shortcut;
#[path = "windows/take_over.rs"]
mod take_over;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use system_tests::process::run;
use system_tests::proxy::{Proxy, body_bytes};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::wine::{Wine, client, drive_path, windows_program};
use system_tests::world::{Build, Repository, T0, World, mtime, noise, set_mtime};

/// Bytes in each file of the sample build.
const SIZE: usize = 50_000;

/// A release for Windows, and a station that has it.
struct Scene<'a> {
    repository: Repository<'a>,
    v1: Build,
    station: Station,
    proxy: Proxy,
    _server: Server,
}

/// Version `n`: a program and a library that always change, others that never do; a path longer than 260 characters.
fn version(world: &World, n: u64) -> Build {
    let build = world.build(&format!("v{n}"));
    let time = T0 + 100 * i64::try_from(n).expect("small");
    build
        .file("Client.exe", client(n), time)
        .file("lib/Core.dll", noise(n, SIZE), time + 1)
        .file("lib/never.dll", noise(0, SIZE), T0 + 2)
        .file("share/текст и место.txt", "olá\n", T0 + 3)
        .file("share/empty", "", T0 + 4)
        .file("client.ini", "[main]\nserver=one\n", T0 + 5)
        .file(&format!("{}deep.txt", "a rather long name of a folder/".repeat(12)), "deep", T0 + 6)
        .folder("logs");
    for file in 0..6 {
        build.file(&format!("data/{file}.bin"), noise(10 + file, SIZE), T0 + 10 + i64::try_from(file).expect("small"));
    }
    build
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str) {
    repository.publish_with(build, &["--os", "windows", "--entry-point", "Client.exe", "--build", version]).succeeded("manifests publish");
}

fn installed(world: &World) -> Scene<'_> {
    let repository = world.repository("acme");
    let v1 = version(world, 1);
    publish(&repository, &v1, "1.0.0");
    let (server, proxy, link) = world.serve_through_proxy(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&link);
    tree(&station).assert_is(&released(&v1), "installed");
    proxy.take_exchanges();
    Scene { repository, v1, station, proxy, _server: server }
}

/// What a Windows station has that holds this build and nothing else.
fn released(build: &Build) -> Tree {
    build.tree().without_modes()
}

fn backup(station: &Station, slot: u8) -> Tree {
    station.backup(slot).without_modes()
}

/// The client's tree, as Linux sees it.
fn tree(station: &Station) -> Tree {
    station.tree().without_modes()
}

#[test]
fn ac_82_what_differs_is_put_right_and_no_more_is_fetched() {
    let world = World::new();
    let scene = installed(&world);
    let (station, v1) = (&scene.station, released(&scene.v1));
    let payload = || body_bytes(&scene.proxy.take_exchanges(), "/objects/");
    fs::write(station.file("Extra.txt"), "mine").expect("written");
    let extra = tree(station).get("Extra.txt").cloned();
    let repaired = |what: &str| {
        station.check().exits(10);
        station.update().exits(0);
        tree(station).without("Extra.txt").assert_is(&v1, what);
        assert_eq!(tree(station).get("Extra.txt"), extra.as_ref(), "{what}: extras stay");
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{what}");
        station.assert_nothing_left_over();
        payload()
    };

    fs::remove_file(station.file("data/1.bin")).expect("removed");
    assert!(repaired("AC-01: the missing file is back") > 0);
    assert_eq!(station.backups(), [] as [&str; 0], "files that come back take no slot");

    fs::write(station.file("data/2.bin"), noise(99, SIZE)).expect("written");
    set_mtime(&station.file("data/2.bin"), T0 + 12 + 3600);
    assert!(repaired("AC-02: same size, another time and content") > 0);
    assert_eq!(mtime(&station.file("data/2.bin")), T0 + 12);

    set_mtime(&station.file("data/3.bin"), T0 + 13 + 7200);
    set_mtime(&station.file("lib/Core.dll"), T0 - 7200);
    let slots = station.backups();
    assert_eq!(repaired("AC-03: the same content and another time"), 0);
    assert_eq!(station.backups(), slots, "times take no slot");

    fs::write(station.file("data/4.bin"), "short").expect("written");
    set_mtime(&station.file("data/4.bin"), T0 + 14);
    assert!(repaired("AC-04: another size and the same time") > 0);
}

#[test]
fn ac_39_after_each_of_five_updates_the_three_newest_trees_are_kept_oldest_first() {
    let world = World::new();
    let Scene { repository, station, .. } = &installed(&world);
    fs::write(station.file("mine.txt"), "mine").expect("written");
    let mut left = vec![];
    for n in 2..=6 {
        left.push(tree(station));
        let build = version(&world, n);
        // The same library in another spelling: to Windows it is the same file.
        if n % 2 == 0 {
            fs::rename(build.dir.join("lib/Core.dll"), build.dir.join("lib/core.DLL")).expect("renamed");
        }
        publish(repository, &build, &format!("{n}.0.0"));
        station.update().exits(0);
        tree(station).without("mine.txt").assert_is(&released(&build), &format!("updated to {n}"));
        fs::write(station.file("mine.txt"), format!("mine {n}")).expect("written");
        let kept = &left[left.len().saturating_sub(3)..];
        assert_eq!(station.backups(), (1..=kept.len()).map(|slot| format!("bkp_remote.00{slot}")).collect::<Vec<_>>());
        for (slot, tree) in (1..).zip(kept) {
            backup(station, slot).assert_is(tree, &format!("backup {slot} after the update to {n}"));
        }
        station.assert_nothing_left_over();
    }
    station.run(&["rollback"]).exits(0);
    tree(station).without("mine.txt").assert_is(&left[4].clone().without("mine.txt"), "taken back");
    station.run(&["verify"]).exits(0);
    station.run(&["uninstall"]).exits(0);
    tree(station).without("mine.txt").assert_is(&left[4].clone().without("mine.txt"), "the client stays");
    assert!(!station.state("").exists(), "the updater's own folder is gone");
}

#[test]
fn ac_56_a_file_of_which_only_the_spelling_changes_is_called_as_released_after_an_update_and_a_rollback() {
    let world = World::new();
    let repository = world.repository("acme");
    // What changes beside the spelling: nothing, the time, the content; and the spelling of the folder.
    let build = |name: &str, names: [&str; 4], later: i64, content: &str| {
        let build = world.build(name);
        build.file("Client.exe", client(1), T0).file(names[0], "read me", T0).file(names[1], "the same", T0 + later);
        build.file(names[2], content, T0).file(names[3], "below", T0).clone()
    };
    let v1 = build("1.0.0", ["Readme.txt", "notes/Über.txt", "Core.dll", "Docs/Below.txt"], 0, "one");
    let names = ["README.TXT", "notes/über.TXT", "core.DLL"];
    let v2 = build("2.0.0", [names[0], names[1], names[2], "docs/below.TXT"], 100, "two");
    // A folder keeps the name that it has.
    let expected = build("expected", [names[0], names[1], names[2], "Docs/below.TXT"], 100, "two");
    publish(&repository, &v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&link);
    publish(&repository, &v2, "2.0.0");
    station.update().exits(0);
    tree(&station).assert_is(&released(&expected), "updated");
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    backup(&station, 1).assert_is(&released(&v1), "the backup");
    station.run(&["rollback"]).exits(0);
    tree(&station).assert_is(&released(&v1), "taken back");
    station.run(&["verify"]).exits(0);
    station.assert_nothing_left_over();
}

#[test]
fn ac_56_an_entry_point_of_which_the_spelling_changes_goes_out_and_comes_in_as_one_file() {
    let world = World::new();
    let repository = world.repository("acme");
    let release = |name: &str, entry: &str, content: Vec<u8>, data: &str| {
        let build = world.build(name);
        build.file(entry, content, T0).file("data.bin", data, T0);
        repository.publish_with(&build, &["--os", "windows", "--entry-point", entry, "--build", name]).succeeded("manifests publish");
        build
    };
    let v1 = release("1.0.0", "SmartClient.exe", client(1), "one");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&link);
    // Another program under another spelling, then the same program under a third one.
    let v2 = release("2.0.0", "smartclient.exe", client(2), "two");
    station.update().exits(0);
    tree(&station).assert_is(&released(&v2), "updated");
    let v3 = release("3.0.0", "SMARTCLIENT.EXE", client(2), "three");
    station.update().exits(0);
    tree(&station).assert_is(&released(&v3), "updated again");
    backup(&station, 1).assert_is(&released(&v1), "the first backup");
    for (to, expected) in [("002", &v2), ("001", &v1)] {
        station.run(&["rollback", "--to", to]).exits(0);
        tree(&station).assert_is(&released(expected), "taken back");
        station.run(&["verify"]).exits(0);
    }
    station.assert_nothing_left_over();
    // What somebody else calls it does not matter either.
    for (from, to) in [("SmartClient.exe", "aside"), ("aside", "smartCLIENT.exe")] {
        fs::rename(station.file(from), station.file(to)).expect("renamed");
    }
    station.run(&["unhold"]).exits(0);
    station.update().exits(0);
    tree(&station).assert_is(&released(&v3), "updated once more");
}

#[test]
fn ac_43_a_read_only_file_is_named_before_anything_moves() {
    let world = World::new();
    let Scene { repository, station, v1, .. } = &installed(&world);
    let v2 = version(&world, 2);
    publish(repository, &v2, "2.0.0");
    let path = station.file("lib/Core.dll");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("set");
    for _ in 0..2 {
        let refused = station.update().exits(5);
        assert!(refused.finished.stdout.contains("lib/Core.dll"), "the file is named: {}", refused.json);
        tree(station).assert_is(&released(v1), "untouched");
        assert_eq!(station.backups(), [] as [&str; 0]);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
    station.update().exits(0);
    tree(station).assert_is(&released(&v2), "updated");
}

/// Where below `folder` the file with this inode is.
fn places_of(inode: u64, folder: &Path) -> Vec<String> {
    let found = run(Command::new("find").arg(folder).args(["-inum", &inode.to_string(), "-printf", "%P\n"]), Duration::from_secs(60));
    found.succeeded("find").stdout.lines().map(str::to_owned).collect()
}

#[test]
fn ac_47_a_running_program_is_moved_aside_and_goes_when_it_has_ended() {
    let world = World::new();
    let Scene { repository, station, .. } = &installed(&world);
    let inode = fs::metadata(station.file("Client.exe")).expect("there").ino();
    let mut client = Wine::ready().start_client(&station.file("Client.exe"), None);
    let mut trees = vec![tree(station)];
    for n in 2..=5 {
        let build = version(&world, n);
        publish(repository, &build, &format!("{n}.0.0"));
        station.update().exits(0);
        tree(station).assert_is(&released(&build), "the new program is in place");
        trees.push(tree(station));
        for (slot, tree) in (1..).zip(&trees[trees.len().saturating_sub(4)..trees.len() - 1]) {
            backup(station, slot).assert_is(tree, &format!("backup {slot} after the update to {n}"));
        }
        // Windows renames no folder with a running program in it, as backups are with every update.
        let places = places_of(inode, &station.dir);
        assert!(places.len() == 1 && places[0].starts_with(".updater/trash/"), "the running program lies at {places:?}");
        assert!(client.is_alive(), "nobody is killed");
    }
    drop(client);
    station.run(&["status"]).exits(0);
    station.assert_nothing_left_over();
    assert_eq!(places_of(inode, &station.dir), [] as [&str; 0]);
}

/// The updater for Windows without what only debuggers read: it is copied and hashed often.
fn stripped_updater(world: &World) -> Vec<u8> {
    let path = world.path("stripped.exe");
    run(Command::new("x86_64-w64-mingw32-strip").arg(windows_program("updater")).arg("-o").arg(&path), Duration::from_secs(60))
        .succeeded("strip");
    fs::read(&path).expect("stripped")
}

#[test]
fn ac_47_the_updater_itself_is_replaced_while_it_runs() {
    let world = World::new();
    let repository = world.repository("acme");
    let updater = stripped_updater(&world);
    let build = |n: u8| {
        let build = version(&world, n.into());
        build.file("updater.exe", [updater.as_slice(), &[n]].concat(), T0 + i64::from(n)).clone()
    };
    publish(&repository, &build(1), "1.0.0");
    let server = world.serve(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&world.link(&server));
    let itself = station.running(&station.file("updater.exe"), &drive_path(&station.dir));
    let v1 = tree(&station);
    let v2 = build(2);
    publish(&repository, &v2, "2.0.0");
    itself.update().exits(0);
    tree(&station).assert_is(&released(&v2), "replaced by itself");
    backup(&station, 1).assert_is(&v1, "the old one is in the backup");
    itself.run(&["verify"]).exits(0);
    station.assert_nothing_left_over();
}

#[test]
fn ac_83_a_file_that_somebody_holds_defers_the_update_whole() {
    let world = World::new();
    let Scene { repository, station, v1, .. } = &installed(&world);
    let program = world.path("holder.exe");
    fs::write(&program, client(0)).expect("written");
    let v2 = version(&world, 2);
    publish(repository, &v2, "2.0.0");
    let holder = Wine::ready().start_client(&program, Some(&station.file("lib/Core.dll")));
    for _ in 0..2 {
        let deferred = station.update();
        assert!(deferred.finished.stdout.contains("lib/Core.dll"), "the file is named: {}", deferred.finished.report());
        tree(station).assert_is(&released(v1), "not half");
        assert_eq!(station.backups(), [] as [&str; 0]);
    }
    let lines = station.history();
    assert_eq!(lines.iter().filter(|line| line["code"] == "file-in-use").count(), 1, "deferred, and said so once: {lines:?}");
    drop(holder);
    station.update().exits(0);
    tree(station).assert_is(&released(&v2), "at the next run");
    station.assert_nothing_left_over();
}
