//! The profile `service`: the state lies where only root writes, and root works only where nobody else can (attack F4).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;

use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::service::{NOBODY, Workplace, as_account, finish};
use system_tests::tree::Tree;
use system_tests::world::{Build, Repository, T0, World, noise};

/// A repository with 1.0.0, and how to install it.
struct Publisher<'a> {
    repository: Repository<'a>,
    v1: Build,
    link: String,
    _server: (Server, Proxy),
}

impl<'a> Publisher<'a> {
    fn new(world: &'a World) -> Publisher<'a> {
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 100_000), T0).file("lib/deep/a.so", noise(2, 100_000), T0).file("app.ini", b"[a]\n", T0);
        repository.publish(&v1, "1.0.0");
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        Publisher { repository, v1, link, _server: (server, proxy) }
    }

    fn publish_v2(&self) -> Build {
        let v2 = self.v1.copy("v2");
        v2.exec("client", noise(3, 110_000), T0 + 60).file("lib/deep/a.so", noise(4, 90_000), T0 + 60);
        self.repository.publish(&v2, "2.0.0");
        v2
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").mode() & 0o7777
}

#[test]
fn the_profile_service_keeps_its_state_where_only_root_writes_and_everything_works_as_ever() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    place.install(&publisher.link, &[]);
    let v2 = publisher.publish_v2();
    assert_eq!(place.root(&["check"]).exits(10).text("decision"), "update-available");
    place.root(&["update", "--yes"]).exits(0);
    place.station.tree().assert_is(&v2.tree(), "updated");
    assert_eq!(place.station.backups(), ["bkp_remote.001"], "backups stay in the install folder (S3-21)");
    place.station.backup(1).assert_is(&publisher.v1.tree(), "the backup");
    let status = place.root(&["status"]).exits(0);
    assert_eq!(status.text("profile"), "service");
    let state = place.state();
    assert!(state.starts_with(&place.registry) && !place.station.dir.join(".updater").exists(), "{}", state.display());
    for name in ["history.jsonl", "station.json", "trust", "installed"] {
        let path = state.join(name);
        let stat = fs::symlink_metadata(&path).expect("there");
        assert_eq!((stat.uid(), mode(&path) & 0o022), (0, 0), "{name}");
    }
    place.root(&["rollback"]).exits(0);
    place.station.tree().assert_is(&publisher.v1.tree(), "rolled back");
    place.root(&["verify"]).exits(0);
    // Somebody without rights may look and write nothing, whatever he tries.
    for target in [state.join("journal"), state.join("staging/x"), place.station.dir.join("x"), place.registry.join("installs/x")] {
        let mut touch = as_account(NOBODY);
        let done = system_tests::process::run(touch.arg("touch").arg(&target), std::time::Duration::from_secs(20));
        assert!(!done.status.success() && !target.exists(), "`{}` was written", target.display());
    }
    // Whoever can open the lock, even to read it, can keep everybody else waiting.
    let mut hold = as_account(NOBODY);
    let held = system_tests::process::run(
        hold.args(["flock", "--nonblock"]).arg(state.join("lock")).arg("true"),
        std::time::Duration::from_secs(20),
    );
    assert!(!held.status.success() && held.stderr.contains("Permission denied"), "{}", held.report());
    // Given up: what is ours goes, the client and its backups stay.
    place.root(&["uninstall"]).exits(0);
    assert!(!state.exists() && fs::read_dir(place.registry.join("installs")).expect("there").next().is_none());
    place.station.tree().assert_is(&publisher.v1.tree(), "after uninstalling");
    assert_eq!(place.station.backups(), ["bkp_remote.001"]);
    assert_eq!(place.root(&["status"]).exits(5).json["error"]["code"], "not-installed");
    place.install(&publisher.link, &[]);
}

#[test]
fn a_folder_keeps_its_profile_until_it_is_uninstalled() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    place.install(&publisher.link, &[]);
    let refused = place.root(&["install", &publisher.link, "--profile", "user"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "other-profile", "{}", refused.json);
    place.root(&["install", &publisher.link]).exits(0);
    assert_eq!(place.root(&["status"]).exits(0).text("profile"), "service", "without `--profile` it stays as it is");
    place.root(&["uninstall"]).exits(0);
    place.root(&["install", &publisher.link]).exits(0);
    let status = place.root(&["status"]).exits(0);
    assert_eq!((status.text("profile"), place.station.dir.join(".updater/station.json").exists()), ("user", true));
    let refused = place.root(&["install", &publisher.link, "--profile", "service"]).exits(5);
    assert!(refused.json["error"]["message"].as_str().expect("text").contains("updater uninstall"), "{}", refused.json);
}

#[test]
fn the_state_lies_where_it_was_asked_for_and_never_on_another_volume() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("a folder");
    assert_ne!(fs::metadata(elsewhere.path()).expect("there").dev(), fs::metadata(world.path("")).expect("there").dev());
    let state = elsewhere.path().join("state");
    let refused = place.root(&["install", &publisher.link, "--profile", "service", "--state", state.to_str().expect("text")]).exits(5);
    assert_eq!(refused.json["error"]["code"], "other-volume", "{}", refused.json);
    assert_eq!(place.root(&["status"]).code, 5, "nothing was installed");
    let state = world.path("kept/here");
    place.install(&publisher.link, &["--state", state.to_str().expect("text")]);
    assert_eq!(place.state(), state);
    assert_eq!((mode(&state), mode(&world.path("kept"))), (0o755, 0o755));
}

#[test]
fn f4_a_state_folder_that_somebody_made_before_is_refused_and_one_with_a_weak_mode_is_given_ours() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    let state = world.path("state");
    let with_state = ["install", &publisher.link, "--profile", "service", "--state", state.to_str().expect("text")];
    // Another account's, however modest its mode is.
    fs::create_dir(&state).expect("made");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("set");
    chown(&state, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given away");
    let refused = place.root(&with_state).exits(5);
    let message = refused.json["error"]["message"].as_str().expect("text");
    assert_eq!(refused.json["error"]["code"], "others-can-write");
    assert!(message.contains(state.to_str().expect("text")) && message.contains("65534"), "{message}");
    assert!(fs::read_dir(&state).expect("there").next().is_none(), "nothing was put there");
    // A link of somebody's.
    fs::remove_dir(&state).expect("removed");
    let his = world.path("his");
    fs::create_dir(&his).expect("made");
    chown(&his, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given away");
    symlink(&his, &state).expect("linked");
    assert_eq!(place.root(&with_state).exits(5).json["error"]["code"], "others-can-write");
    assert!(fs::read_dir(&his).expect("there").next().is_none(), "nothing was put behind the link");
    // Root's own, which everybody may write: it gets our mode.
    fs::remove_file(&state).expect("removed");
    fs::create_dir(&state).expect("made");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).expect("set");
    place.root(&with_state).exits(0);
    assert_eq!(mode(&state), 0o755);
    // Weakened later: named, and nothing is done.
    for name in ["", "staging", "station.json"] {
        let (path, before) = (state.join(name), mode(&state.join(name)));
        fs::set_permissions(&path, fs::Permissions::from_mode(before | 0o022)).expect("set");
        let refused = place.root(&["update", "--yes"]).exits(5);
        assert!(
            refused.json["error"]["message"].as_str().expect("text").contains(path.to_str().expect("text").trim_end_matches('/')),
            "{name}: {}",
            refused.json
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).expect("set");
    }
    place.root(&["update", "--yes"]).exits(0);
}

#[test]
fn f4_whatever_the_umask_nothing_that_is_made_can_be_written_by_others() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    let script = r#"umask 000; exec "$0" "$@""#;
    let mut install = std::process::Command::new("sh");
    install.args(["-c", script]).arg(place.updater()).args(["install", &publisher.link, "--profile", "service", "--json", "--dir"]);
    finish(install.arg(&place.station.dir).arg("--registry").arg(&place.registry)).exits(0);
    publisher.publish_v2();
    let mut update = std::process::Command::new("sh");
    update.args(["-c", script]).arg(place.updater()).args(["update", "--yes", "--json", "--dir"]);
    finish(update.arg(&place.station.dir).arg("--registry").arg(&place.registry)).exits(0);
    let done = std::process::Command::new("find")
        .arg(world.path("registry"))
        .arg(&place.station.dir)
        .args(["!", "-type", "l", "-perm", "/022"])
        .output()
        .expect("find");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "", "these can be written by others");
}

#[test]
fn f4_every_folder_of_the_client_that_others_can_write_is_named_before_anything_is_fetched() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    place.install(&publisher.link, &[]);
    publisher.publish_v2();
    let (deep, lib) = (place.station.file("lib/deep"), place.station.file("lib"));
    chown(&deep, Some(NOBODY.uid), None).expect("given away");
    fs::set_permissions(&lib, fs::Permissions::from_mode(0o775)).expect("set");
    let refused = place.root(&["update", "--yes"]).exits(5);
    let message = refused.json["error"]["message"].as_str().expect("text");
    assert!(message.contains("`lib`") && message.contains("`lib/deep`") && message.contains("65534"), "{message}");
    fs::set_permissions(&lib, fs::Permissions::from_mode(0o755)).expect("set");
    place.station.tree().assert_is(&publisher.v1.tree(), "nothing was changed");
    chown(&deep, Some(0), None).expect("taken back");
    // The folders that lead to it count as well, unless only owners move things there.
    let above = place.station.dir.parent().expect("a parent");
    fs::set_permissions(above, fs::Permissions::from_mode(0o777)).expect("set");
    let refused = place.root(&["update", "--yes"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "others-can-write", "{}", refused.json);
    fs::set_permissions(above, fs::Permissions::from_mode(0o1777)).expect("set");
    // A folder that the swap does not touch may belong to anybody.
    let logs = place.station.file("logs");
    fs::create_dir(&logs).expect("made");
    chown(&logs, Some(NOBODY.uid), None).expect("given away");
    place.root(&["update", "--yes"]).exits(0);
}

#[test]
fn f4_a_setuid_program_of_somebody_without_rights_never_becomes_one_of_roots() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    place.install(&publisher.link, &[]);
    publisher.publish_v2();
    let logs = place.station.file("logs");
    fs::create_dir(&logs).expect("made");
    chown(&logs, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given away");
    let mut plant = as_account(NOBODY);
    let script = "mkdir d && cp /bin/sh x && cp /bin/sh d/y && chmod 6755 x d/y && chmod 2777 d && touch z && chmod 666 z";
    system_tests::process::run(plant.args(["sh", "-c", script]).current_dir(&logs), std::time::Duration::from_secs(20))
        .succeeded("planting");
    assert_eq!((mode(&logs.join("x")), mode(&logs.join("d"))), (0o6755, 0o2777), "the scene is set");
    place.root(&["update", "--yes"]).exits(0);
    // The next backup finds them in the one before.
    place.root(&["rollback"]).exits(0);
    place.root(&["unhold"]).exits(0);
    place.root(&["update", "--yes"]).exits(0);
    let copy = place.station.dir.join("bkp_remote.001/logs");
    let stat = fs::symlink_metadata(copy.join("x")).expect("it is in the backup");
    assert_eq!((stat.uid(), mode(&copy.join("x")), mode(&copy.join("d/y")), mode(&copy.join("d"))), (0, 0o755, 0o755, 0o755));
    let found = std::process::Command::new("find")
        .arg(&place.station.dir)
        .args(["!", "-type", "l", "-user", "root", "-perm", "/6022"])
        .output()
        .expect("find");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "these give others what is root's");
    assert_eq!(mode(&logs.join("x")), 0o6755, "what is his stays as it is");
}

#[test]
fn f4_a_registry_that_others_can_write_says_nothing() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    place.install(&publisher.link, &[]);
    let installs = place.registry.join("installs");
    let entry = fs::read_dir(&installs).expect("there").next().expect("one").expect("read").path();
    for path in [&place.registry, &installs, &entry] {
        chown(path, Some(NOBODY.uid), None).expect("given away");
        let refused = place.root(&["update", "--yes"]).exits(7);
        assert_eq!(refused.json["error"]["code"], "forged-registry", "{}: {}", path.display(), refused.json);
        chown(path, Some(0), None).expect("taken back");
    }
    // An entry that was copied from another folder's name is not about this one.
    let other = installs.join(format!("{}.json", "0".repeat(64)));
    fs::copy(&entry, &other).expect("copied");
    place.root(&["update", "--yes"]).exits(0);
    fs::rename(&other, &entry).expect("moved");
    place.root(&["update", "--yes"]).exits(0);
    fs::write(&entry, b"{").expect("damaged");
    let refused = place.root(&["update", "--yes"]).exits(7);
    assert!(refused.json["error"]["message"].as_str().expect("text").contains("--profile service"), "{}", refused.json);
}

#[test]
fn root_leaves_a_folder_alone_that_belongs_to_somebody_else() {
    let world = World::new();
    let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
    let his = &place.station.dir;
    fs::create_dir(his).expect("made");
    chown(his, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given away");
    place.by(NOBODY, &["install", &publisher.link]).exits(0);
    publisher.publish_v2();
    let before = Tree::of_client(his);
    for command in [&["update", "--yes"][..], &["rollback"], &["uninstall"]] {
        let refused = place.root(command).exits(5);
        let message = refused.json["error"]["message"].as_str().expect("text");
        assert!(message.contains("the account 65534") && message.contains("the account that owns the folder"), "{message}");
    }
    Tree::of_client(his).assert_is(&before, "root touched nothing");
    assert_eq!(place.root(&["status"]).exits(0).text("profile"), "user", "looking is allowed");
    place.by(NOBODY, &["update", "--yes"]).exits(0);
}

#[test]
fn a_kill_while_a_profile_is_set_up_leaves_nothing_that_the_next_install_minds() {
    let mut kills = 0;
    for moment in ["", "+after"] {
        for passage in 1.. {
            let world = World::new();
            let (publisher, place) = (Publisher::new(&world), Workplace::new(&world));
            let mut install = place.root_command(&["install", &publisher.link, "--profile", "service"]);
            install.env("STATIONMASTER_FAIL_POINT", format!("state.folder{moment}:{passage}=kill"));
            let first = system_tests::process::run(&mut install, std::time::Duration::from_secs(60));
            if first.status.success() {
                break;
            }
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&first.status), Some(9), "{}", first.report());
            kills += 1;
            place.install(&publisher.link, &[]);
            place.station.tree().assert_is(&publisher.v1.tree(), &format!("state.folder{moment}:{passage}"));
            assert_eq!(place.root(&["status"]).exits(0).text("profile"), "service", "state.folder{moment}:{passage}");
            assert!(!place.station.dir.join(".updater").exists(), "nothing of it lies in the client's folder");
        }
    }
    // The registry and its folders, the state and its folders, the entry: each has both moments.
    assert!(kills >= 16, "only {kills} places were cut");
}
