//! Under root's hands is only what nobody else can change: not the folders alone, but each file that is trusted, replaced, run, linked to or restored from (attack F4). The scene of most tests
//! is a client that was somebody's, and of which only some of it was given to root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::service::{GAMES, NOBODY, Workplace, as_account};
use system_tests::station::Outcome;
use system_tests::world::{Build, Repository, T0, World, noise, set_mtime};

/// A repository with 1.0.0, installed by root with the profile `service`.
struct Shop<'a> {
    place: Workplace,
    repository: Repository<'a>,
    v1: Build,
    _server: (Server, Proxy),
}

const PROBE: &str = "command:60:bin/check";

impl<'a> Shop<'a> {
    fn new(world: &'a World) -> Shop<'a> {
        let (place, repository) = (Workplace::new(world), world.repository("acme"));
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 10_000), T0)
            .exec("bin/check", "#!/bin/sh\nexit 0\n", T0)
            .file("lib/a.so", noise(2, 10_000), T0)
            .file("app.ini", "one\n", T0);
        publish(&repository, &v1, "1.0.0", &[]);
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        place.install(&link, &[]);
        Shop { place, repository, v1, _server: (server, proxy) }
    }

    /// A release with another `client`, and whatever is different in `build`.
    fn publish(&self, number: u32, more: &[&str], change: impl FnOnce(&Build)) -> Build {
        let build = self.v1.copy(&format!("v{number}"));
        build.exec("client", noise(u64::from(number) + 10, 10_000), T0 + i64::from(number));
        change(&build);
        publish(&self.repository, &build, &format!("{number}.0.0"), more);
        build
    }
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str, more: &[&str]) {
    let options = ["--build", version, "--entry-point", "client", "--config", "app.ini=keep"];
    repository.publish_with(build, &[&options[..], more].concat()).succeeded("publish");
}

fn give(path: &Path, uid: u32) {
    chown(path, Some(uid), None).expect("given away");
}

/// Refused because others can change something, which is named, with what to do.
#[track_caller]
fn refused(outcome: Outcome, named: &str) {
    let outcome = outcome.exits(5);
    let error = &outcome.json["error"];
    let message = error["message"].as_str().expect("text");
    assert_eq!(error["code"], "others-can-write", "{}", outcome.json);
    assert!(message.contains(named) && message.contains("chown"), "{message}");
}

#[test]
fn f4_no_managed_file_that_somebody_else_can_change_is_taken_for_the_releases() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    place.root(&["update", "--yes"]).exits(0);
    let v2 = shop.publish(2, &[], |_| ());
    // One that the update replaces, and two that it does not touch.
    for name in ["client", "bin/check", "lib/a.so"] {
        let path = place.station.file(name);
        give(&path, NOBODY.uid);
        refused(place.root(&["update", "--yes"]), &format!("`{name}` belongs to the account 65534"));
        refused(place.root(&["verify", "--repair"]), name);
        let verified = place.root(&["verify"]).exits(10);
        assert!(verified.json.to_string().contains("\"exposed\""), "{}", verified.json);
        give(&path, 0);
        let before = fs::metadata(&path).expect("there").permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("set");
        refused(place.root(&["update", "--yes"]), &format!("`{name}` can be written by others (mode 0666)"));
        fs::set_permissions(&path, before).expect("set");
    }
    place.station.tree().assert_is(&shop.v1.tree(), "nothing was changed");
    // A folder that leads to files, which no update goes through now.
    give(&place.station.file("lib"), NOBODY.uid);
    refused(place.root(&["update", "--yes"]), "`lib` belongs to the account 65534");
    give(&place.station.file("lib"), 0);
    place.root(&["update", "--yes"]).exits(0);
    place.station.tree().assert_is(&v2.tree(), "updated");
    // Up to date is not what others can change, either; nor is anything restored over it.
    give(&place.station.file("client"), NOBODY.uid);
    refused(place.root(&["update", "--yes"]), "client");
    refused(place.root(&["rollback"]), "client");
    give(&place.station.file("client"), 0);
    place.root(&["rollback"]).exits(0);
    place.station.tree().assert_is(&shop.v1.tree(), "rolled back");
}

#[test]
fn f4_a_configuration_file_that_somebody_else_may_write_stays_his_and_a_backup_holds_a_copy_of_roots() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    let (ini, one) = (place.station.file("app.ini"), b"one\n");
    chown(&ini, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given to who configures");
    let inode = fs::metadata(&ini).expect("there").ino();
    shop.publish(2, &[], |build| {
        build.file("app.ini", "two\n", T0 + 60);
    });
    place.root(&["update", "--yes"]).exits(0);
    place.root(&["rollback"]).exits(0);
    let now = fs::metadata(&ini).expect("there");
    assert_eq!((now.ino(), now.uid(), fs::read(&ini).expect("read").as_slice()), (inode, NOBODY.uid, &one[..]));
    let copy = fs::metadata(place.station.dir.join("bkp_remote.001/app.ini")).expect("in the backup");
    assert_eq!((copy.uid(), copy.mode() & 0o022), (0, 0));
    place.root(&["verify"]).exits(0);
}

#[test]
fn f4_a_backup_that_somebody_else_can_change_is_neither_gone_back_to_nor_pushed_out_nor_adopted() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    let v2 = shop.publish(2, &[], |_| ());
    place.root(&["update", "--yes"]).exits(0);
    let backup = place.station.dir.join("bkp_remote.001");
    shop.publish(3, &[], |_| ());
    for said in ["", ".updater", ".updater/files", ".updater/installed", ".updater/manifest"] {
        let path = backup.join(said);
        give(&path, GAMES.uid);
        for command in [&["rollback", "--to", "1"][..], &["update", "--yes"]] {
            refused(place.root(command), "`bkp_remote.001`");
        }
        let listed = place.root(&["backups"]).exits(0);
        assert!(listed.json.to_string().contains("\"exposed\""), "{said}: {}", listed.json);
        place.root(&["backups", "--adopt"]).exits(0);
        refused(place.root(&["update", "--yes"]), "`bkp_remote.001`");
        give(&path, 0);
    }
    // One file of it: nothing is restored over it, and the next backup shares nothing with it.
    let file = backup.join("bin/check");
    give(&file, GAMES.uid);
    refused(place.root(&["rollback"]), "`bkp_remote.001/bin/check`");
    place.station.tree().assert_is(&v2.tree(), "nothing was changed");
    place.root(&["update", "--yes"]).exits(0);
    let (his, next) = (fs::metadata(&file), fs::metadata(place.station.dir.join("bkp_remote.002/bin/check")));
    let (his, next) = (his.expect("there"), next.expect("in the next backup"));
    assert!(his.ino() != next.ino() && next.uid() == 0, "the new backup is linked to a file of somebody's");
    give(&file, 0);
    place.root(&["rollback", "--to", "1"]).exits(0);
    place.station.tree().assert_is(&shop.v1.tree(), "rolled back");
}

#[test]
fn f4_a_backup_that_was_forged_does_not_come_back_by_itself() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    let backup = place.station.dir.join("bkp_remote.001");
    shop.publish(2, &[], |_| ());
    place.root(&["update", "--yes"]).exits(0);
    // The build that comes does not live, and what was before it has been rewritten: a whole backup, by its own word.
    shop.publish(3, &["--probe", PROBE], |build| {
        build.exec("bin/check", "#!/bin/sh\nexit 3\n", T0 + 60);
    });
    let mut update = place.root_command(&["update", "--yes"]);
    update.env("STATIONMASTER_FAIL_POINT", "commit.journal+after=kill");
    let killed = system_tests::process::run(&mut update, std::time::Duration::from_secs(120));
    assert!(!killed.status.success(), "{}", killed.report());
    for slot in ["bkp_remote.001", "bkp_remote.002"] {
        let done = std::process::Command::new("chown").args(["-R", "65534"]).arg(place.station.dir.join(slot)).status();
        assert!(done.expect("chown").success());
    }
    let before = place.station.tree();
    let left = place.root(&["status"]).exits(0);
    assert_eq!(left.json["installed"]["build"], "3.0.0", "{}", left.json);
    let said = place.root(&["verify"]);
    assert!(said.finished.stderr.contains("nothing can come back"), "{}", said.finished.report());
    place.station.tree().assert_is(&before, "nothing of his came back");
    // Given to root, whoever does that answers for it.
    for slot in ["bkp_remote.001", "bkp_remote.002"] {
        let done = std::process::Command::new("chown").args(["-R", "0"]).arg(place.station.dir.join(slot)).status();
        assert!(done.expect("chown").success());
    }
    place.root(&["verify"]);
    assert_eq!(place.root(&["status"]).exits(0).json["installed"]["build"], "2.0.0");
    assert!(backup.exists());
}

#[test]
fn f4_root_runs_no_probe_that_somebody_else_can_change_or_that_is_not_what_was_installed() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    let v2 = shop.publish(2, &["--probe", PROBE], |_| ());
    let mut update = place.root_command(&["update", "--yes"]);
    update.env("STATIONMASTER_FAIL_POINT", "commit.journal+after=kill");
    let killed = system_tests::process::run(&mut update, std::time::Duration::from_secs(120));
    assert!(!killed.status.success(), "{}", killed.report());
    let (check, run) = (place.station.file("bin/check"), world.path("run"));
    let verify = || place.root(&["verify"]);
    // Still what was installed, but his: he could write it the moment after it was read.
    give(&check, NOBODY.uid);
    let said = verify();
    assert!(said.finished.stderr.contains("`bin/check` belongs to the account 65534"), "{}", said.finished.report());
    // His own, with size and time as they were.
    let forged = format!("#!/bin/sh\n: >{}\n", run.display());
    let mut write = as_account(NOBODY);
    let script = "printf '%s' \"$1\" > \"$0\"";
    system_tests::process::run(write.args(["sh", "-c", script]).arg(&check).arg(&forged), std::time::Duration::from_secs(20))
        .succeeded("writing");
    set_mtime(&check, T0);
    verify();
    give(&check, 0);
    let said = verify();
    assert!(said.finished.stderr.contains("`bin/check`, which is to show it, is not what was installed"), "{}", said.finished.report());
    assert!(!run.exists(), "root has run it");
    // What is not known takes nothing back; repaired, it proves the build.
    assert_eq!(place.root(&["status"]).exits(0).json["installed"]["build"], "2.0.0");
    place.root(&["verify", "--repair"]).exits(0);
    place.station.tree().assert_is(&v2.tree(), "repaired");
    assert!(!verify().finished.stderr.contains("is not known"), "it is proved by now");
    assert!(!run.exists());
}
