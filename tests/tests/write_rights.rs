//! What a user may not write is named before anything moves, and what a user may not read does not stop an update (S3-15, AC-43, attacks F1 and F8).
//!
//! The updater runs as a user who is not root and whom the system does not know by name: rights that root does not need are what is tested.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use system_tests::disk::{Disk, succeeds};
use system_tests::root;
use system_tests::server::Server;
use system_tests::station::{Outcome, Station};
use system_tests::tree::Tree;
use system_tests::world::{Repository, T0, World, noise, program};

/// Nobody's number on any system.
const USER: u32 = 61_234;

/// A station that belongs to [`USER`], on 1.0.0, while 2.0.0 waits; its updater runs as that user.
struct Till<'a> {
    station: Station,
    tree: Tree,
    expected: Tree,
    _repository: Repository<'a>,
    _server: Server,
}

fn till<'a>(world: &'a World, at: &Path) -> Till<'a> {
    root::is_needed_to("become another user");
    let updater = world.path("updater");
    // The build may lie where only root may look.
    fs::copy(program("updater"), &updater).expect("copied");
    fs::set_permissions(world.path("."), Permissions::from_mode(0o755)).expect("mode set");
    let text = updater.to_str().expect("a plain path").to_owned();
    let shell = format!("shift; exec '{text}' \"$@\"");
    let user = format!("{USER}");
    let mut wrapper = vec!["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups", "--"];
    wrapper.extend(["sh", "-c", &shell, "sh"]);
    fs::create_dir_all(at).expect("made");
    chown(at, Some(USER), Some(USER)).expect("given away");
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 40_000), T0)
        .file("lib/a.so", noise(2, 30_000), T0)
        .file("lib/b.so", noise(3, 30_000), T0)
        .file("app.ini", "a=1\n", T0);
    repository.publish(&v1, "1.0.0");
    let server = world.serve(&repository);
    let station = Station::at(at.to_owned()).through(&wrapper);
    station.install(&world.link(&server));
    let v2 = v1.copy("v2");
    v2.exec("client", noise(11, 41_000), T0 + 5).file("lib/a.so", noise(12, 31_000), T0 + 5).file("new/c.so", noise(4, 10_000), T0);
    repository.publish(&v2, "2.0.0");
    let tree = station.tree();
    Till { station, tree, expected: v2.tree(), _repository: repository, _server: server }
}

impl Till<'_> {
    /// The update must fail twice in the same way, name `path`, and change nothing.
    #[track_caller]
    fn refuses(&self, path: &str, what: &str) {
        for attempt in 1..=2 {
            let outcome = self.station.update();
            let report = outcome.finished.report();
            assert_eq!((outcome.code, code(&outcome)), (5, "no-write-right"), "{what}, attempt {attempt}\n{report}");
            assert!(report.contains(path), "{what}: `{path}` is named\n{report}");
            self.station.tree().assert_is(&self.tree, what);
            assert_eq!(self.station.backups(), [] as [&str; 0], "{what}");
        }
        let last = self.station.history().pop().expect("a line");
        assert_eq!(last["code"], "no-write-right", "{what}: the administrator reads which requirement failed");
    }

    #[track_caller]
    fn works(&self, what: &str) -> Outcome {
        let outcome = self.station.update().exits(0);
        self.station.tree().assert_is(&self.expected, what);
        self.station.backup(1).assert_is(&self.tree, what);
        self.station.assert_nothing_left_over();
        outcome
    }
}

fn code(outcome: &Outcome) -> &str {
    outcome.json["error"]["code"].as_str().unwrap_or_default()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode set");
}

#[test]
fn ac_43_a_folder_of_the_client_that_its_user_may_not_write_is_named_before_anything_moves() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    let lib = till.station.file("lib");
    chown(&lib, Some(0), Some(0)).expect("given away");
    till.refuses("`lib`", "a folder of root's");
    chown(&lib, Some(USER), Some(USER)).expect("given back");
    mode(&lib, 0o555);
    let till = Till { tree: till.station.tree(), ..till };
    till.refuses("`lib`", "a folder without write right");
    mode(&lib, 0o755);
    let till = Till { tree: till.station.tree(), ..till };
    till.works("with the right back");
}

#[test]
fn ac_43_an_install_folder_that_its_user_may_not_write_is_named_before_anything_moves() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    chown(&till.station.dir, Some(0), Some(0)).expect("given away");
    till.refuses("`.`", "the install folder is root's");
    chown(&till.station.dir, Some(USER), Some(USER)).expect("given back");
    till.works("with the right back");
}

#[test]
fn ac_43_one_read_only_file_in_a_writable_folder_is_named_before_anything_moves() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    mode(&till.station.file("lib/a.so"), 0o444);
    let till = Till { tree: till.station.tree(), ..till };
    till.refuses("`lib/a.so`", "one read-only file");
    mode(&till.station.file("lib/a.so"), 0o644);
    let till = Till { tree: till.station.tree(), ..till };
    till.works("writable again");
}

#[test]
fn ac_43_one_file_that_its_user_may_not_read_is_named_before_anything_moves() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    let file = till.station.file("lib/a.so");
    chown(&file, Some(0), Some(0)).expect("given away");
    mode(&file, 0o600);
    let till = Till { tree: till.station.tree(), ..till };
    till.refuses("`lib/a.so`", "one file of root's");
    // Whoever may read it may also move it: the folder is his own.
    mode(&file, 0o644);
    let till = Till { tree: till.station.tree(), ..till };
    till.works("readable, though of root's");
}

#[test]
fn ac_43_a_file_of_somebody_elses_in_a_folder_where_only_owners_move_things_is_named() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    let lib = till.station.file("lib");
    chown(&lib, Some(0), Some(0)).expect("given away");
    chown(till.station.file("lib/a.so"), Some(0), Some(0)).expect("given away");
    mode(&lib, 0o1777);
    let till = Till { tree: till.station.tree(), ..till };
    till.refuses("`lib/a.so`", "a sticky folder");
}

#[test]
fn ac_43_one_immutable_file_is_named_before_anything_moves() {
    let world = World::new();
    // Not every file system knows the attribute; this one does.
    let Some(disk) = Disk::image(world.path("disk"), "ext4", 64, &["-q"]) else { return };
    let till = till(&world, &disk.path().join("client"));
    let file = till.station.file("lib/a.so");
    for attribute in ["i", "a"] {
        succeeds(Command::new("chattr").arg(format!("+{attribute}")).arg(&file)).expect("set");
        till.refuses("`lib/a.so`", "one immutable file");
        succeeds(Command::new("chattr").arg(format!("-{attribute}")).arg(&file)).expect("taken away");
    }
    succeeds(Command::new("chattr").arg("+i").arg(till.station.file("lib"))).expect("set");
    till.refuses("`lib`", "an immutable folder");
    succeeds(Command::new("chattr").arg("-i").arg(till.station.file("lib"))).expect("taken away");
    till.works("ordinary again");
}

#[test]
fn extras_that_the_user_may_not_read_are_named_and_stop_nothing() {
    let world = World::new();
    let mut till = till(&world, &world.path("client"));
    fs::write(till.station.file("secret.txt"), "of root's").expect("written");
    mode(&till.station.file("secret.txt"), 0o600);
    fs::create_dir(till.station.file("closed")).expect("made");
    fs::write(till.station.file("closed/inside.txt"), "of root's").expect("written");
    mode(&till.station.file("closed"), 0o700);
    let outcome = till.station.update().exits(0);
    let warnings = outcome.json["warnings"].to_string();
    assert!(warnings.contains("secret.txt") && warnings.contains("closed"), "{warnings}");
    // They are where they were, and the way back leaves them there, too.
    let read = |path: &str| fs::read_to_string(till.station.file(path)).expect("read");
    assert_eq!((read("secret.txt"), read("closed/inside.txt")), ("of root's".into(), "of root's".into()));
    assert!(!till.station.dir.join("bkp_remote.001/secret.txt").exists());
    till.station.run(&["rollback"]).exits(0);
    assert_eq!((read("secret.txt"), read("closed/inside.txt")), ("of root's".into(), "of root's".into()));
    till.tree = till.station.tree();
    for (path, entry) in till.tree.iter().filter(|(path, _)| path.starts_with("lib/") || *path == "client") {
        assert_eq!(till.station.backup(1).get(path).is_some(), till.station.tree().get(path).is_some(), "{path} {entry:?}");
    }
}

#[test]
fn f1_staging_on_another_file_system_is_refused_before_anything_moves() {
    let world = World::new();
    let till = till(&world, &world.path("client"));
    let own = |path: &Path| {
        chown(path, Some(USER), Some(USER)).expect("given");
        mode(path, 0o755);
    };
    for folder in [".updater/staging", ".updater/trash", "lib"] {
        let at = till.station.file(folder);
        // The same files, so that only where they lie is another matter.
        let inside = world.path("inside");
        succeeds(Command::new("cp").arg("-a").arg(&at).arg(&inside)).expect("copied");
        let Some(disk) = Disk::in_memory(at.clone(), "size=8m") else { return };
        own(&at);
        succeeds(Command::new("cp").args(["-a", "-T"]).arg(&inside).arg(&at)).expect("copied");
        till.refuses(&format!("`{folder}`"), &format!("another file system at `{folder}`"));
        drop(disk);
        let Some(disk) = Disk::second_mount(at.clone(), &inside) else { return };
        till.refuses(&format!("`{folder}`"), &format!("a second mount at `{folder}`"));
        drop(disk);
        fs::remove_dir_all(inside).expect("removed");
    }
    let file = till.station.file("lib/a.so");
    let other = world.path("other.so");
    succeeds(Command::new("cp").arg("-a").arg(&file).arg(&other)).expect("copied");
    if succeeds(Command::new("mount").arg("--bind").arg(&other).arg(&file)).is_ok() {
        till.refuses("`lib/a.so`", "a file that something is mounted on");
        succeeds(Command::new("umount").arg(&file)).expect("unmounted");
    }
    till.works("without mounts");
}
