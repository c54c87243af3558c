//! Three backups, the oldest first; gaps are closed and strangers respected (AC-39, AC-40).

use std::fs;

use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Build, Repository, T0, World, noise};

/// Version `n` of the client: a program that always changes, a library that sometimes does, one that never does.
fn version(world: &World, n: u64) -> Build {
    let build = world.build(&format!("v{n}"));
    let time = T0 + 100 * i64::try_from(n).expect("small");
    build
        .exec("client", noise(n, 60_000), time)
        .file("lib/slow.so", noise(1000 + n / 2, 40_000), T0 + i64::try_from(n / 2).expect("small"))
        .file("lib/never.so", noise(7, 40_000), T0)
        .file("client.ini", "[main]\nserver=one\n", T0);
    build
}

fn installed<'a>(world: &'a World, name: &str) -> (Repository<'a>, Server, Station) {
    let repository = world.repository(name);
    repository.publish(&version(world, 1), "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server));
    (repository, server, station)
}

fn update_to(world: &World, repository: &Repository<'_>, station: &Station, n: u64) {
    repository.publish(&version(world, n), &format!("{n}.0.0"));
    station.update().exits(0);
}

#[test]
fn ac_39_after_each_of_five_updates_the_three_newest_trees_are_kept_oldest_first() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    fs::write(station.file("mine.txt"), "mine").expect("written");
    fs::write(station.file("client.ini"), "[main]\nserver=two\nlanguage=pt\n").expect("written");
    let mut left: Vec<Tree> = Vec::new();
    for n in 2..=6 {
        left.push(station.tree());
        // Something of the user's changes in between, too.
        update_to(&world, &repository, &station, n);
        fs::write(station.file("mine.txt"), format!("mine {n}")).expect("written");
        let kept = &left[left.len().saturating_sub(3)..];
        let names: Vec<String> = (1..=kept.len()).map(|slot| format!("bkp_remote.00{slot}")).collect();
        assert_eq!(station.backups(), names, "after the update to {n}");
        for (slot, tree) in (1u8..).zip(kept) {
            let backup = station.backup(slot);
            backup.assert_is(tree, &format!("backup {slot} after the update to {n}"));
            assert!(backup.iter().all(|(path, _)| !path.contains("bkp_remote")), "no backup inside a backup");
        }
        station.assert_nothing_left_over();
    }
}

#[test]
fn ac_45_rollback_to_002_brings_that_tree_back_and_what_was_left_is_not_offered_until_it_is_released() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    let mut trees = vec![station.tree()];
    for n in 2..=4 {
        update_to(&world, &repository, &station, n);
        trees.push(station.tree());
    }
    fs::write(station.file("mine.txt"), "mine").expect("written");
    station.run(&["rollback", "--to", "002"]).exits(0);
    station.tree().without("mine.txt").assert_is(&trees[1], "v2 is back");
    assert_eq!(fs::read_to_string(station.file("mine.txt")).expect("it stays"), "mine");
    assert_eq!(station.backups().len(), 3);
    for (slot, v) in [(1, 0), (2, 2), (3, 3)] {
        station.backup(slot).without("mine.txt").assert_is(&trees[v], &format!("slot {slot} holds v{}", v + 1));
    }
    assert_eq!(station.update().exits(0).text("result"), "nothing-to-do");
    station.tree().without("mine.txt").assert_is(&trees[1], "it is not pushed again");
    station.run(&["unhold"]).exits(0);
    station.update().exits(0);
    station.tree().without("mine.txt").assert_is(&trees[3], "released, it is offered as ever");
}

#[test]
fn a_changed_live_file_never_changes_a_backup() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    update_to(&world, &repository, &station, 2);
    update_to(&world, &repository, &station, 3);
    let backups = [station.backup(1), station.backup(2)];
    // Written in place, as a careless program does: a shared inode would carry it into the backups.
    for path in ["lib/never.so", "lib/slow.so", "client"] {
        fs::write(station.file(path), "overwritten in place").expect("written");
    }
    for (slot, before) in (1u8..).zip(&backups) {
        station.backup(slot).assert_is(before, "the backup stands alone");
    }
}

#[test]
fn a_failed_update_takes_no_slot() {
    let world = World::new();
    let (repository, server, station) = installed(&world, "acme");
    update_to(&world, &repository, &station, 2);
    let (tree, backup) = (station.tree(), station.backup(1));
    repository.publish(&version(&world, 3), "3.0.0");
    drop(server);
    station.update().exits(3);
    station.tree().assert_is(&tree, "untouched");
    assert_eq!(station.backups(), ["bkp_remote.001"]);
    station.backup(1).assert_is(&backup, "untouched");
}

#[test]
fn ac_40_a_gap_is_closed_before_the_next_backup() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    let v1 = station.tree();
    update_to(&world, &repository, &station, 2);
    fs::rename(station.file("bkp_remote.001"), station.file("bkp_remote.002")).expect("moved");
    let v2 = station.tree();
    update_to(&world, &repository, &station, 3);
    assert_eq!(station.backups(), ["bkp_remote.001", "bkp_remote.002"]);
    station.backup(1).assert_is(&v1, "the older one moved down");
    station.backup(2).assert_is(&v2, "the newer one follows");
}

#[test]
fn ac_40_something_that_is_no_folder_stops_the_update_and_is_left_alone() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    let stranger = station.file("bkp_remote.003");
    repository.publish(&version(&world, 2), "2.0.0");
    for is_link in [false, true] {
        match is_link {
            false => fs::write(&stranger, "not a folder").expect("written"),
            true => std::os::unix::fs::symlink("lib", &stranger).expect("a link"),
        }
        let before = Tree::read(&station.dir).without(".updater");
        let refused = station.update().exits(5);
        let error = &refused.json["error"];
        assert!(error["message"].to_string().contains("bkp_remote.003"), "{}", refused.finished.report());
        // That it can be taken into the rotation is said of folders alone.
        assert_eq!(error["code"], "in-the-way", "{}", refused.finished.report());
        station.run(&["backups", "--adopt"]).exits(0);
        Tree::read(&station.dir).without(".updater").assert_is(&before, "untouched");
        fs::remove_file(&stranger).expect("removed");
    }
    station.update().exits(0);
}

#[test]
fn ac_40_a_foreign_backup_stops_the_update_until_it_is_adopted_and_is_then_dropped_by_rotation_alone() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    let foreign = station.file("bkp_remote.001");
    fs::create_dir_all(foreign.join("sub")).expect("made");
    fs::write(foreign.join("sub/old.exe"), "from another program").expect("written");
    let stranger = station.backup(1);
    repository.publish(&version(&world, 2), "2.0.0");
    station.update().exits(5);
    station.backup(1).assert_is(&stranger, "left alone");

    station.run(&["backups", "--adopt"]).exits(0);
    station.update().exits(0);
    assert_eq!(station.backups(), ["bkp_remote.001", "bkp_remote.002"]);
    station.backup(1).assert_is(&stranger, "adopted, it is the oldest");
    update_to(&world, &repository, &station, 3);
    station.backup(1).assert_is(&stranger, "three are kept");
    update_to(&world, &repository, &station, 4);
    assert_eq!(station.backups(), ["bkp_remote.001", "bkp_remote.002", "bkp_remote.003"]);
    assert_ne!(station.backup(1), stranger, "the oldest went with the fourth");
}

#[test]
fn ac_40_install_adopts_the_backups_of_the_program_it_takes_over() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = version(&world, 1);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    let existing = v1.copy("client");
    assert_eq!(existing.dir, station.dir);
    fs::create_dir(station.file("bkp_remote.001")).expect("made");
    fs::write(station.file("bkp_remote.001/old.exe"), "old").expect("written");
    station.install(&world.link(&server));
    station.tree().assert_is(&v1.tree(), "taken over");
    let tree = station.tree();
    update_to(&world, &repository, &station, 2);
    assert_eq!(station.backups(), ["bkp_remote.001", "bkp_remote.002"]);
    station.backup(2).assert_is(&tree, "after the adopted one");
}

#[test]
fn ac_40_an_uninstall_with_the_backups_leaves_what_was_never_taken_into_the_rotation() {
    let world = World::new();
    let (_repository, _server, station) = installed(&world, "acme");
    let tree = station.tree();
    for slot in ["bkp_remote.001", "bkp_remote.002"] {
        fs::create_dir(station.file(slot)).expect("made");
        fs::write(station.file(slot).join("old.exe"), slot).expect("written");
        if slot.ends_with('1') {
            station.run(&["backups", "--adopt"]).exits(0);
        }
    }
    fs::write(station.file("bkp_remote.003"), "a file").expect("written");
    assert_eq!(station.run(&["uninstall", "--backups"]).exits(0).json["backups_left"], 2);
    assert_eq!(station.backups(), ["bkp_remote.002", "bkp_remote.003"], "the one that was taken in is gone");
    assert_eq!(fs::read_to_string(station.file("bkp_remote.002/old.exe")).expect("it stays"), "bkp_remote.002");
    station.tree().assert_is(&tree, "the client stays");
}

#[test]
fn nothing_is_installed_into_a_backup_or_the_state_of_another_install() {
    let world = World::new();
    let (repository, server, station) = installed(&world, "acme");
    update_to(&world, &repository, &station, 2);
    let before = Tree::read(&station.dir);
    for inside in ["bkp_remote.001", "bkp_remote.001/tool", ".updater", ".updater/staging/tool", "bkp_remote.002"] {
        let refused = Station::at(station.file(inside)).run(&["install", &world.link(&server)]).exits(2);
        let said = refused.json["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("is the state or a backup of the install in"), "{inside}: {}", refused.finished.report());
        Tree::read(&station.dir).assert_is(&before, inside);
    }
    station.run(&["rollback"]).exits(0);
    station.tree().assert_is(&version(&world, 1).tree(), "the backup is what it was");
}

#[test]
fn e5_a_tampered_backup_is_not_restored() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    update_to(&world, &repository, &station, 2);
    let v2 = station.tree();
    fs::write(station.file("bkp_remote.001/client"), noise(666, 60_000)).expect("written");
    let refused = station.run(&["rollback"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "backup-damaged");
    station.tree().assert_is(&v2, "untouched");
}

#[test]
fn going_back_to_a_withdrawn_build_needs_a_reason_that_the_history_keeps() {
    let world = World::new();
    let (repository, _server, station) = installed(&world, "acme");
    let v1 = station.tree();
    update_to(&world, &repository, &station, 2);
    let withdraw = ["withdraw", repository.text(), "1", "--product", "client", "--os", "linux", "--reason", "loses receipts"];
    repository.manifests(&withdraw).succeeded("manifests withdraw");
    station.check().exits(0);
    let v2 = station.tree();
    let refused = station.run(&["rollback"]).exits(4);
    assert_eq!(refused.json["error"]["code"], "needs-reason", "{}", refused.json);
    assert!(refused.json["error"]["message"].as_str().is_some_and(|text| text.contains("loses receipts")), "{}", refused.json);
    station.tree().assert_is(&v2, "a refused rollback changes nothing");
    station.run(&["rollback", "--to", "001", "--reason", "2.0.0 does not print"]).exits(0);
    station.tree().assert_is(&v1, "with a reason it goes back");
    let history = station.run(&["history"]).exits(0);
    assert!(history.json.to_string().contains("2.0.0 does not print"), "{}", history.json);
}
