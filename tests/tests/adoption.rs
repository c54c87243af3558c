//! A station that somebody else's updater looked after: its folder as SmartClient leaves it, taken over without reinstalling it (D-20, S3-21, AC-48).

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::Command;
use std::time::Duration;

use system_tests::process::run;
use system_tests::proxy::{Proxy, body_bytes};
use system_tests::running::Running;
use system_tests::server::Server;
use system_tests::service::{NOBODY, Workplace, as_account, finish};
use system_tests::station::{Outcome, Station};
use system_tests::tree::Tree;
use system_tests::world::{Build, Repository, T0, World, copy_tree, noise, program};

/// What a user of SmartClient has set on the station.
const USERS_INI: &str = "[config]\r\nlastmainprog=SIGAFAT\r\nenvserver=PRODUCAO\r\nlanguage=1\r\n";
/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of a file that never changes.
const BIG: usize = 3_000_000;
/// Bytes of one that changes with every release.
const SMALL: usize = 20_000;

/// A publisher of 17.3.0.8, 17.3.0.9 and 17.3.0.14 for Windows, and a station whose people have 17.3.0.9 from another updater.
struct Site<'a> {
    repository: Repository<'a>,
    proxy: Proxy,
    link: String,
    station: Station,
    newest: Build,
    _server: Server,
}

/// The build `17.3.0.<n>`, in lower case as it is for servers of every OS (S3-16).
fn build(world: &World, n: u64) -> Build {
    let build = world.build(&format!("17.3.0.{n}"));
    let time = T0 + i64::try_from(n).expect("small");
    build
        .file("smartclient.exe", noise(n, SMALL), time)
        .file("core.dll", noise(1000, BIG), T0)
        .file("data/languages.bin", noise(1001, BIG), T0)
        .file("smartclient.ini", "[config]\nlastmainprog=\nenvserver=ENVIRONMENT\nlanguage=3\n", T0)
        .file("release.txt", format!("17.3.0.{n}\n"), time);
    build
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str, ini: &str) {
    let ini = format!("*.ini={ini}");
    let options = ["--os", "windows", "--entry-point", "smartclient.exe", "--config", &ini, "--build", version];
    repository.publish_with(build, &options).succeeded("manifests publish");
}

/// The folder as SmartClient leaves it: names in its own case, the user's INI, logs, and three backups of its own.
fn as_smartclient_leaves_it(world: &World, station: &Station, n: u64) {
    let folder = Build { dir: station.dir.clone() };
    let time = T0 + 86_400;
    folder
        .file("SmartClient.exe", noise(n, SMALL), time)
        .file("CORE.DLL", noise(1000, BIG), time)
        .file("data/Languages.bin", noise(1001, BIG), time)
        .file("smartclient.ini", USERS_INI, time)
        .file("release.txt", format!("17.3.0.{n}\n"), time)
        .file("smartclient.log", "started\n", time)
        .file("logs/2026-11-20.log", "user\n", time);
    for slot in 1..=3_u64 {
        let older = world.build(&format!("station/bkp_remote.00{slot}"));
        older
            .file("SmartClient.exe", noise(n - 4 + slot, SMALL), T0)
            .file("CORE.DLL", noise(1000, BIG), T0)
            .file("smartclient.ini", USERS_INI, T0)
            .file("release.txt", format!("17.3.0.{}\n", n - 4 + slot), T0);
    }
}

fn site<'a>(world: &'a World, ini: &str) -> Site<'a> {
    let repository = world.repository("erp");
    let (older, old, newest) = (build(world, 8), build(world, 9), build(world, 14));
    publish(&repository, &older, "17.3.0.8", ini);
    publish(&repository, &old, "17.3.0.9", ini);
    publish(&repository, &newest, "17.3.0.14", ini);
    let (server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("station");
    as_smartclient_leaves_it(world, &station, 9);
    Site { repository, proxy, link, station, newest, _server: server }
}

impl Site<'_> {
    fn install(&self) -> Outcome {
        self.station.run(&["install", &self.link, "--os", "windows"])
    }

    /// What the station must have: the release, and what is the user's own beside it.
    fn taken_over(&self, ini: &str) -> Tree {
        let expected = self.newest.copy("expected");
        expected.file("smartclient.log", "started\n", T0 + 86_400).file("logs/2026-11-20.log", "user\n", T0 + 86_400);
        if !ini.is_empty() {
            expected.file("smartclient.ini", ini, T0 + 86_400);
        }
        expected.tree()
    }
}

#[test]
fn d_20_a_client_that_is_there_is_recognised_and_only_what_differs_is_fetched() {
    let world = World::new();
    let site = site(&world, "overwrite");
    let (before, backups) = (site.station.tree(), [1, 2, 3].map(|slot| site.station.backup(slot)));
    let done = site.install().exits(0);
    let said = "this is 17.3.0.9, 1 file differs";
    assert!(done.finished.stderr.contains(said), "{}", done.finished.report());
    let found = &done.json["found"];
    assert_eq!(
        (found["build"].as_str(), found["differ"].as_u64(), found["missing"].as_u64()),
        (Some("17.3.0.9"), Some(1), Some(0)),
        "{found}"
    );

    let exchanges = site.proxy.take_exchanges();
    let objects = body_bytes(&exchanges, "/objects/");
    assert!(
        objects > 20_000 && objects < 600_000,
        "the program and the file lists came, the {BIG} bytes of each library did not: {objects}"
    );
    let lists: Vec<_> = exchanges
        .iter()
        .filter(|exchange| exchange.path.contains("/objects/") && exchange.range.is_none())
        .map(|exchange| &exchange.path)
        .collect();
    assert!(lists.iter().all(|path| lists.iter().filter(|other| other == &path).count() == 1), "nothing came twice: {lists:?}");
    site.station.tree().assert_is(&site.taken_over(""), "the release under its own names, and what is its user's beside it");
    site.station.assert_nothing_left_over();

    assert_eq!(site.station.backups(), ["bkp_remote.001", "bkp_remote.002", "bkp_remote.003"]);
    for (slot, was) in [(1, &backups[1]), (2, &backups[2])] {
        site.station.backup(slot).assert_is(was, "the oldest went, the others moved down");
    }
    site.station.backup(3).assert_is(&before, "the newest backup is the whole folder as SmartClient left it");
    let line = site.station.history().pop().expect("a line");
    assert_eq!((line["from"]["build"].as_str(), line["to"]["build"].as_str()), (Some("17.3.0.9"), Some("17.3.0.14")), "{line}");
    assert_eq!(line["detail"], said);
}

#[test]
fn ac_48_a_link_to_a_shared_ini_is_its_users_when_a_client_is_taken_over() {
    let world = World::new();
    let site = site(&world, "keep");
    let (shared, ini) = (world.path("shared.ini"), site.station.file("smartclient.ini"));
    fs::rename(&ini, &shared).and_then(|()| symlink(&shared, &ini)).expect("a link");
    let done = site.install().exits(0);
    assert!(done.finished.stderr.contains("`smartclient.ini` is a symbolic link"), "{}", done.finished.report());
    assert_eq!(fs::read_link(&ini).expect("still a link"), shared);
    assert_eq!(fs::read_to_string(&shared).expect("shared"), USERS_INI);
    site.station.tree().without("smartclient.ini").assert_is(&site.taken_over("").without("smartclient.ini"), "all else is the release's");
}

#[test]
fn ac_56_a_users_ini_under_another_spelling_is_his_and_no_drift_be_it_a_file_or_a_link() {
    for (policy, is_link) in [("keep", false), ("merge", false), ("new-beside", true), ("merge", true)] {
        let world = World::new();
        let site = site(&world, policy);
        let (shared, ini) = (world.path("shared.ini"), site.station.file("SmartClient.INI"));
        fs::rename(site.station.file("smartclient.ini"), &shared).expect("moved");
        match is_link {
            true => symlink(&shared, &ini).expect("a link"),
            false => drop(fs::copy(&shared, &ini).expect("copied")),
        }
        let done = site.install().exits(0);
        assert_eq!(done.json["cost"]["kept_files"], serde_json::json!(["smartclient.ini"]), "{policy} {is_link}");
        assert_eq!(done.finished.stderr.contains("`SmartClient.INI` is a symbolic link"), is_link, "{}", done.finished.report());
        assert_eq!((fs::read_link(&ini).is_ok(), fs::read_to_string(&ini).expect("his")), (is_link, USERS_INI.to_owned()), "{policy}");
        assert!(!site.station.file("smartclient.ini").exists(), "{policy} {is_link}: not a second one beside his");
        assert_eq!(site.station.run(&["verify"]).exits(0).json["drift"].as_array().map(Vec::len), Some(0), "{policy} {is_link}");
        // Without his, the release's comes back, but under `keep`.
        fs::remove_file(&ini).expect("removed");
        site.station.update().exits(0);
        assert_eq!(site.station.file("smartclient.ini").exists(), policy != "keep", "{policy} {is_link}");
    }
}

#[test]
fn s3_21_the_first_update_after_that_rotates_and_a_backup_of_smartclient_can_be_gone_back_to() {
    let world = World::new();
    let site = site(&world, "overwrite");
    site.install().exits(0);
    let listed = site.station.run(&["backups"]).exits(0);
    let kinds: Vec<_> = listed.json["backups"].as_array().expect("a list").iter().map(|backup| backup["kind"].clone()).collect();
    assert_eq!(kinds, ["adopted", "adopted", "own"], "{}", listed.json);
    // The publisher lists 17.3.0.8 and .9; SmartClient's 17.3.0.7 is none that anybody knows.
    let builds: Vec<_> = listed.json["backups"].as_array().expect("a list").iter().map(|backup| backup["build"].clone()).collect();
    assert_eq!(builds, [serde_json::Value::Null, "17.3.0.8".into(), "17.3.0.9".into()], "{}", listed.json);
    let people = run(Command::new(program("updater")).args(["backups", "--dir"]).arg(&site.station.dir), LIMIT).succeeded("backups").stdout;
    for said in ["001  made by another program", "002  17.3.0.8 by its files, made by another", "003  17.3.0.9 by its files, made 20"] {
        assert!(people.contains(said), "{said}\n{people}");
    }

    let v15 = build(&world, 15);
    publish(&site.repository, &v15, "17.3.0.15", "overwrite");
    let was = site.station.backup(2);
    site.station.update().exits(0);
    site.station.backup(1).assert_is(&was, "the oldest of SmartClient's went");
    let at_15 = site.station.tree();

    let gone_back = site.station.run(&["rollback", "--to", "001"]).exits(0);
    assert_eq!(gone_back.json["installed"]["build"], "17.3.0.8", "{}", gone_back.json);
    assert_eq!(gone_back.json["is_unverified"], true);
    let line = site.station.history().pop().expect("a line");
    assert_eq!((line["from"]["build"].as_str(), line["to"]["build"].as_str()), (Some("17.3.0.15"), Some("17.3.0.8")), "{line}");
    let back = site.station.tree();
    assert_eq!(fs::read(site.station.file("SmartClient.exe")).expect("read"), noise(8, SMALL), "SmartClient's own 17.3.0.8");
    assert_eq!(fs::read_to_string(site.station.file("smartclient.log")).expect("read"), "started\n", "extras stay");
    let held = site.station.check().exits(0);
    assert_eq!(held.text("decision"), "held", "what was left is not pushed again: {}", held.json);
    site.station.update().exits(0);
    site.station.tree().assert_is(&back, "an update respects that");
    site.station.run(&["unhold"]).exits(0);
    site.station.update().exits(0);
    site.station.tree().assert_is(&at_15, "and forward again");
}

#[test]
fn ac_48_an_ini_whose_policy_keeps_it_stays_its_users_through_the_adoption() {
    let world = World::new();
    let site = site(&world, "keep");
    let done = site.install().exits(0);
    assert!(done.finished.stderr.contains("this is 17.3.0.9, all 4 files as released"), "{}", done.finished.report());
    site.station.tree().assert_is(&site.taken_over(USERS_INI), "the release, and the user's INI");
}

#[test]
fn d_20_a_client_that_is_the_newest_release_already_is_taken_over_without_a_backup_or_a_payload() {
    let world = World::new();
    let site = site(&world, "keep");
    let again = world.station("another");
    let copy = site.newest.copy("another");
    copy.file("smartclient.ini", USERS_INI, T0 + 1);
    let before = again.tree();
    let done = again.run(&["install", &site.link, "--os", "windows"]).exits(0);
    assert!(done.finished.stderr.contains("this is 17.3.0.14, all 4 files as released"), "{}", done.finished.report());
    assert_eq!((done.json["received_bytes"].as_u64(), again.backups().len()), (Some(0), 0), "{}", done.json);
    again.tree().assert_is(&before, "nothing was changed");
    again.run(&["verify"]).exits(0);
    let twice = again.run(&["install", &site.link, "--os", "windows"]).exits(0);
    assert_eq!(twice.text("result"), "nothing-to-do", "{}", twice.json);
    again.tree().assert_is(&before, "twice is once");
}

#[test]
fn d_31_while_a_client_runs_the_folder_is_made_ready_and_taken_over_after_its_end() {
    let world = World::new();
    let repository = world.repository("erp");
    let (old, newest) = (world.build("v1"), world.build("v2"));
    let cat = fs::read("/bin/cat").expect("read");
    old.exec("client", "#!/bin/sh\n", T0).exec("tool", &cat, T0).file("data.bin", noise(1, BIG), T0);
    newest.exec("client", "#!/bin/sh\n", T0).exec("tool", &cat, T0).file("data.bin", noise(2, BIG), T0);
    repository.publish(&old, "1.0.0");
    repository.publish_with(&newest, &["--build", "2.0.0", "--entry-point", "client"]).succeeded("manifests publish");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = Station::at(old.copy("station").dir);
    let before = Tree::read(&station.dir);

    // A program of the client that is the same in both releases: what it reads changes all the same.
    let up = world.path("up");
    fs::write(&up, "up\n").expect("written");
    let client = Running::start(Command::new(station.file("tool")).arg(&up).arg("-"));
    let waits = station.run(&["install", &link]).exits(11);
    assert!(waits.json["holders"].to_string().contains(&format!("\"pid\":{}", client.id())), "{}", waits.json);
    Tree::of_client(&station.dir).assert_is(&before, "nothing that runs was touched");
    client.end();
    proxy.take_exchanges();
    let done = station.run(&["install", &link]).exits(0);
    assert_eq!(done.json["received_bytes"], 0, "all of it was ready: {}", done.json);
    station.tree().assert_is(&newest.tree(), "taken over after its end");
}

#[test]
fn s1_9_uninstall_leaves_a_client_that_runs_and_its_backups_and_removes_what_is_ours() {
    let world = World::new();
    let repository = world.repository("erp");
    let (old, newest) = (world.build("v1"), world.build("v2"));
    old.exec("client", "#!/bin/sh\necho up\nread line\nexit 0\n", T0).file("data.bin", "1", T0);
    newest.exec("client", "#!/bin/sh\necho up\nread line\nexit 0\n", T0).file("data.bin", "2", T0);
    repository.publish(&newest, "2.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = Station::at(old.copy("station").dir);
    station.install(&link);
    assert_eq!(station.backups(), ["bkp_remote.001"]);
    let before = station.tree();

    let client = Running::start(&mut Command::new(station.file("client")));
    let done = station.run(&["uninstall"]).exits(0);
    assert_eq!(done.json["backups_left"], 1);
    station.tree().assert_is(&before, "the client stays as it is");
    assert!(!station.state("").exists(), "nothing of ours is left");
    assert_eq!(station.backups(), ["bkp_remote.001"], "backups are the user's");
    client.end();

    station.install(&link);
    station.run(&["uninstall", "--with-backups"]).exits(0);
    assert_eq!(station.backups(), [] as [&str; 0]);
    station.tree().assert_is(&before, "the client stays as it is");
}

#[test]
fn d_20_an_old_backup_with_a_file_that_may_not_be_read_keeps_nobody_from_taking_the_client_over() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("erp"));
    let (old, new) = (build(&world, 9), build(&world, 14));
    publish(&repository, &old, "17.3.0.9", "overwrite");
    publish(&repository, &new, "17.3.0.14", "overwrite");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let dir = &place.station.dir;
    copy_tree(&old.dir, dir);
    let backup = dir.join("bkp_remote.001");
    copy_tree(&old.dir, &backup);
    run(Command::new("chown").arg("-R").arg("nobody").arg(dir), LIMIT).succeeded("chown");
    // Of another account, and of the very size that makes it worth a look.
    let (program, name) = (backup.join("core.dll"), "core.dll");
    chown(&program, Some(0), None).expect("given");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o600)).expect("set");

    let mut install = as_account(NOBODY);
    install.arg(place.updater()).args(["install", &link, "--os", "windows", "--json", "--dir"]).arg(dir);
    let done = finish(&mut install).exits(0);
    assert_eq!(done.json["found"]["build"], "17.3.0.9", "the client itself is recognised: {}", done.json);
    let said = &done.finished.stderr;
    assert!(said.contains("which build `bkp_remote.001` holds is not known") && said.contains(name), "{}", done.finished.report());
    place.station.tree().assert_is(&new.tree(), "taken over");
}
