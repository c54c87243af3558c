//! The emergencies of `docs/operating.md`, played through: a thief really signs, with the stolen key files, the worst that they can sign; a station accepts it; and after the
//! publisher's procedure that station is well again, and the stolen keys are worth nothing (AC-52).
//!
//! Every procedure is carried out with the real programs, as the page has it. What a station ends with is judged by walking its folder.

mod operator;
mod thief;

use std::fs;
use std::path::PathBuf;

use operator::Operator;
use serde_json::Value;
use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::world::{World, copy_tree};
use thief::{LAST, Thief, key_files};

/// A station that installed what `operator` released, and the network between the two.
struct Scene {
    honest: Server,
    network: Proxy,
    station: Station,
}

impl Scene {
    fn of(world: &World, operator: &Operator<'_>) -> Scene {
        let (honest, network, link) = world.serve_through_proxy(&operator.repository);
        let station = world.station("client");
        station.install(&link);
        Scene { honest, network, station }
    }

    /// From now on the station reaches `server`, whatever address it asks for.
    fn lead_to(&self, server: &Server) {
        self.network.lead_to(server.address());
    }

    fn lead_home(&self) {
        self.lead_to(&self.honest);
    }

    #[track_caller]
    fn refuses(&self, what: &str) {
        refuses(&self.station, what);
    }
}

/// The station takes nothing from whom it reaches, and stays as it is.
#[track_caller]
fn refuses(station: &Station, what: &str) {
    let before = station.tree();
    let outcome = station.update();
    assert_eq!(outcome.code, 4, "{what}\n{}", outcome.finished.report());
    station.tree().assert_is(&before, what);
}

/// The version of a role in the trust store of a station.
fn trusted(station: &Station, role: &str) -> u64 {
    let bytes = fs::read(station.state(&format!("trust/content/{role}.json"))).expect("a trusted role");
    let document: Value = serde_json::from_slice(&bytes).expect("JSON");
    document["signed"]["version"].as_u64().expect("a version")
}

/// The role that a key file was made for.
fn made_for(file: &PathBuf) -> String {
    let key: Value = serde_json::from_slice(&fs::read(file).expect("a key file")).expect("JSON");
    key["roles"][0].as_str().expect("a role").to_owned()
}

#[test]
fn drill_online_keys_stolen_a_station_that_accepted_the_last_versions_follows_the_new_keys() {
    let world = World::new();
    let operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);

    let thief = Thief::steal(&world, &operator, "thief", &key_files(&operator.online_keys()));
    let mirror = thief.serve();
    assert_eq!(thief.publishes(&operator.build("evil", 666), "6.6.6"), 13, "online keys release nothing");
    thief.end_versions();
    scene.lead_to(&mirror);
    scene.station.check().exits(0);
    assert_eq!((trusted(&scene.station, "timestamp"), trusted(&scene.station, "snapshot")), (LAST, LAST));

    scene.lead_home();
    operator.publish(&operator.build("v2", 2), "2.0.0", &[]);
    scene.refuses("the honest timestamp looks like a replay");

    operator.request(&["keys", "rotate", operator.repository.text(), "snapshot", "timestamp"], &[&operator.safe]);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&operator.build("v2", 2).tree(), "the release that the thief hid");
    assert_eq!(trusted(&scene.station, "root"), 2);

    // The same keys again, on what is current now.
    thief.follow(&operator);
    thief.end_versions();
    scene.lead_to(&mirror);
    scene.refuses("AC-52: the stolen online keys count no more");
    scene.lead_home();
    scene.station.check().exits(0);
}

#[test]
fn drill_an_os_key_stolen_a_station_with_the_thiefs_build_under_the_last_number_comes_back() {
    let world = World::new();
    let operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);
    let stolen: Vec<PathBuf> =
        key_files(&operator.online_keys()).into_iter().chain([operator.safe.join(format!("{}.json", operator.key_of("linux")))]).collect();

    let thief = Thief::steal(&world, &operator, "thief", &stolen);
    let mirror = thief.serve();
    let evil = operator.build("evil", 666);
    assert_eq!(thief.publishes(&evil, "6.6.6"), 0);
    thief.number_last();
    thief.end_versions();
    scene.lead_to(&mirror);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&evil.tree(), "the thief's build");
    assert_eq!((trusted(&scene.station, "timestamp"), trusted(&scene.station, "linux")), (LAST, LAST));

    scene.lead_home();
    scene.refuses("the honest repository looks like a replay");
    let keys: Vec<String> = ["linux", "snapshot", "timestamp"].map(|role| operator.key_of(role)).to_vec();
    let safe = operator.text(&operator.safe);
    let mut revoke = vec!["keys", "revoke", operator.repository.text(), "--new-keys", &safe];
    revoke.extend(keys.iter().map(String::as_str));
    let dry = operator.run(&[revoke.as_slice(), &["--dry-run"]].concat()).stdout;
    for seen in ["linux: epoch 2 begins", "stations forget the timestamp and snapshot", "release 1 (build 1.0.0"] {
        assert!(dry.contains(seen), "{seen}\n{dry}");
    }
    operator.request(&revoke, &[&operator.safe]);
    assert!(operator.safe.join(format!("{}.json", operator.key_of("linux"))).exists(), "the new OS key is in the safe");
    assert!(
        operator.online_keys().join(format!("{}.json", operator.key_of("timestamp"))).exists(),
        "the new online keys are where the server is"
    );
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&operator.build("v1", 1).tree(), "back on what the publisher signed");
    assert!(scene.station.backup(2).difference(&evil.tree()).is_empty(), "the thief's build is in the backup, for whoever investigates");
    let back = scene.station.run(&["rollback"]).exits(4);
    assert!(back.json["error"]["message"].as_str().unwrap().contains("stolen"), "{}", back.json);
    scene.station.tree().assert_is(&operator.build("v1", 1).tree(), "a refused rollback changes nothing");

    thief.follow(&operator);
    thief.number_last();
    scene.lead_to(&mirror);
    scene.refuses("AC-52: the stolen OS key counts no more");
    scene.lead_home();
    operator.publish(&operator.build("v2", 2), "2.0.0", &[]);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&operator.build("v2", 2).tree(), "and goes on from there");
}

#[test]
fn drill_an_os_key_stolen_a_release_that_the_thief_put_into_this_very_repository_is_disowned() {
    let world = World::new();
    let operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);
    // He had the build machine: what he published there looks like any other release.
    let evil = operator.build("evil", 666);
    operator.publish(&evil, "6.6.6", &[]);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&evil.tree(), "the thief's build");

    let (linux, repo, safe) = (operator.key_of("linux"), operator.repository.text(), operator.text(&operator.safe));
    let revoke = ["keys", "revoke", repo, &linux, "--new-keys", &safe, "--disown", "client:2"];
    let dry = operator.run(&[revoke.as_slice(), &["--dry-run"]].concat()).stdout;
    assert!(dry.contains("release 2 (build 6.6.6") && dry.contains("is no longer listed"), "{dry}");
    assert!(dry.contains("release 1 (build 1.0.0") && dry.contains("is offered anew"), "{dry}");
    operator.request(&revoke, &[&operator.safe]);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&operator.build("v1", 1).tree(), "back on what the publisher signed");
    let other = world.station("other");
    other.install(&scene.network.through(&world.link(&scene.honest)));
    other.tree().assert_is(&operator.build("v1", 1).tree(), "nor does a new station get the thief's build");
}

#[test]
fn drill_an_os_key_stolen_numbers_that_the_thief_used_up_here_are_given_back() {
    let world = World::new();
    let operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);
    let stolen: Vec<PathBuf> = [operator.online_keys(), operator.safe.clone()].iter().flat_map(|folder| key_files(folder)).collect();
    let thief = Thief::steal(&world, &operator, "thief", &stolen);
    assert_eq!(thief.publishes(&operator.build("evil", 666), "6.6.6"), 0);
    thief.number_last();
    // With every key but no wish to be noticed by versions, he puts his state in the place of the publisher's.
    thief.replace(&operator);
    scene.station.update().exits(0);

    let v2 = operator.build("v2", 2);
    let refused = operator.publish_finished(&v2, "7.0.0");
    assert!(refused.code() == 11 && refused.stderr.contains("--disown"), "{}", refused.report());
    let (linux, repo, safe) = (operator.key_of("linux"), operator.repository.text(), operator.text(&operator.safe));
    let disown = format!("client:{LAST}");
    operator.request(&["keys", "revoke", repo, &linux, "--new-keys", &safe, "--disown", &disown], &[&operator.safe]);
    operator.publish(&v2, "7.0.0", &[]);
    assert_eq!(operator.channel()["current"], 2, "the number after the last honest one");
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v2.tree(), "the honest release");
}

#[test]
fn drill_one_root_key_lost_two_holders_replace_it_and_a_finder_cannot_use_it() {
    let world = World::new();
    let operator = Operator::with_root_keys(&world, "3", "2");
    let scene = Scene::of(&world, &operator);
    let holders = operator.share_root_keys();
    let roots = operator.keys_of("root");
    let lost = roots[2].clone();

    // The third holder makes a new key where nobody else sees it.
    let (fresh, public) = (world.path("holder-3-again"), operator.text(&world.path("mine.pub")));
    operator.run(&["keys", "generate", "root", "--keys", &operator.text(&fresh)]);
    operator.run(&["keys", "export-public", "--keys", &operator.text(&fresh), "--output", &public]);
    let rotate = ["keys", "rotate", operator.repository.text(), "root", "--drop", &lost, "--admit", &public];
    let one_alone = operator.try_request(&rotate, &[&holders[0]]);
    assert!(one_alone.code() == 11 && one_alone.stderr.contains("1 of the 2 signatures"), "{}", one_alone.report());
    operator.request(&rotate, &[&holders[0], &holders[1]]);
    assert!(!operator.keys_of("root").contains(&lost) && operator.keys_of("root").len() == 3);
    scene.station.check().exits(0);
    assert_eq!(trusted(&scene.station, "root"), 2);

    // Whoever finds it, and even has another holder's key, has one signature of the two that the next root needs.
    let found = [key_files(&holders[2]), key_files(&holders[0]), key_files(&operator.online_keys())].concat();
    let finder = Thief::steal(&world, &operator, "finder", &found);
    finder.sign_next_root_with_all();
    let mirror = finder.serve();
    scene.lead_to(&mirror);
    scene.refuses("AC-52: the lost key counts no more");
    scene.lead_home();
    let rotate = ["keys", "rotate", operator.repository.text(), "timestamp"];
    operator.request(&rotate, &[&holders[1], &fresh]);
    scene.station.check().exits(0);
    assert_eq!(trusted(&scene.station, "root"), 3);
}

#[test]
fn drill_everything_but_the_root_keys_lost_a_mirror_and_the_root_keys_are_enough() {
    let world = World::new();
    let operator = Operator::with_root_keys(&world, "3", "2");
    let scene = Scene::of(&world, &operator);
    let holders = operator.share_root_keys();
    // Anybody's copy of what was served: it holds no secret.
    copy_tree(&operator.repository.dir, &world.path("mirror"));
    fs::remove_dir_all(operator.online_keys()).expect("lost");
    fs::remove_dir_all(&operator.safe).expect("lost");
    fs::remove_dir_all(&operator.repository.dir).expect("lost");

    copy_tree(&world.path("mirror"), &operator.repository.dir);
    let safe = operator.text(&operator.safe);
    let roles = ["targets", "snapshot", "timestamp", "windows", "linux", "macosx", "android", "wince"];
    let rotate = [&["keys", "rotate", operator.repository.text()], roles.as_slice(), &["--new-keys", &safe]].concat();
    operator.request(&rotate, &[&holders[0], &holders[2]]);
    let v2 = operator.build("v2", 2);
    operator.publish(&v2, "2.0.0", &[]);
    operator.run(&["verify", operator.repository.text()]);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v2.tree(), "released with new keys");
}

#[test]
fn a_station_that_slept_through_split_release_rotations_and_a_revocation_catches_up_from_root_1() {
    let world = World::new();
    let operator = Operator::whole(&world);
    let scene = Scene::of(&world, &operator);
    copy_tree(&operator.online_keys(), &world.path("first.keys"));
    let first_keys = key_files(&world.path("first.keys"));
    operator.split();
    operator.publish(&operator.build("v2", 2), "2.0.0", &[]);
    let repo = operator.repository.text();
    let safe = operator.text(&operator.safe);
    for _ in 0..3 {
        operator.request(&["keys", "rotate", repo, "root", "--new-keys", &safe], &[&operator.safe]);
    }
    let linux = operator.key_of("linux");
    operator.request(&["keys", "revoke", repo, &linux, "--new-keys", &safe], &[&operator.safe]);
    operator.request(&["keys", "rotate", repo, "targets", "snapshot", "timestamp", "--new-keys", &safe], &[&operator.safe]);
    let v3 = operator.build("v3", 3);
    operator.publish(&v3, "3.0.0", &[]);

    assert_eq!(trusted(&scene.station, "root"), 1);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v3.tree(), "everything at once");
    assert_eq!(trusted(&scene.station, "root"), 5, "three of root, one of the online keys and targets");
    scene.station.assert_nothing_left_over();

    // The keys of the first day are worth nothing now (AC-52): neither alone, nor those of the safe beside the online keys of today.
    let online_of_today = key_files(&operator.online_keys());
    let is_online = |file: &&PathBuf| ["snapshot", "timestamp"].iter().any(|role| made_for(file) == *role);
    let (first_online, first_offline): (Vec<_>, Vec<_>) = first_keys.iter().partition(is_online);
    let owned = |files: Vec<&PathBuf>| files.into_iter().cloned().collect::<Vec<PathBuf>>();
    let with_old_safe = Thief::steal(&world, &operator, "thief-1", &[owned(first_offline), online_of_today].concat());
    let with_old_online = Thief::steal(&world, &operator, "thief-2", &owned(first_online));
    for (thief, roles) in [(&with_old_safe, ["linux", "targets", "root"].as_slice()), (&with_old_online, &["snapshot", "timestamp"])] {
        let mirror = thief.serve();
        for role in roles {
            thief.follow(&operator);
            thief.sign_anew(role);
            scene.lead_to(&mirror);
            // Another station in the same state: what the online keys of today sign is believed, and would be in the way of the next attempt.
            let other = world.station(role);
            copy_tree(&scene.station.dir, &other.dir);
            refuses(&other, role);
            assert_eq!(trusted(&other, "root"), 5, "{role}");
        }
    }
}

#[test]
fn drill_restored_from_last_nights_backup_stations_with_the_lost_release_get_the_next_one() {
    let world = World::new();
    let mut operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);
    copy_tree(&operator.repository.dir, &world.path("backup"));
    let lost = operator.build("lost", 2);
    operator.publish(&lost, "2.0.0", &[]);
    scene.station.update().exits(0);
    fs::remove_dir_all(&operator.repository.dir).expect("lost");
    copy_tree(&world.path("backup"), &operator.repository.dir);
    operator.repository.wait_until_served();
    scene.refuses("the state of last night looks like a replay");

    operator.two_days_later();
    let repo = operator.text(&operator.repository.dir);
    operator.run(&["refresh", &repo]);
    scene.refuses("a new timestamp alone leaves the snapshot of last night");
    operator.request(&["refresh", &repo, "--all"], &[&operator.safe]);
    assert_eq!(scene.station.check().exits(0).text("decision"), "up-to-date", "the station keeps the lost release and goes on");
    scene.station.tree().assert_is(&lost.tree(), "nothing was taken from it");

    // The number of the lost release would be given out again: to a station that has it, that is no news.
    let v3 = operator.build("v3", 3);
    copy_tree(&operator.repository.dir, &world.path("aside"));
    operator.publish(&v3, "3.0.0", &[]);
    assert_eq!(operator.channel()["current"], 2);
    assert_eq!(scene.station.check().exits(0).text("decision"), "up-to-date", "the new release is hidden from this station");
    // So it is published above what was lost.
    operator.publish(&v3, "3.0.0", &["--sequence-at-least", "12"]);
    assert_eq!(operator.channel()["current"], 12);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&v3.tree(), "the release after the lost one");
}

#[test]
fn drill_restored_from_a_backup_of_before_a_rotation_two_rotations_lead_past_the_lost_root() {
    let world = World::new();
    let mut operator = Operator::new(&world);
    let scene = Scene::of(&world, &operator);
    for (from, to) in [("acme", "backup"), ("acme.keys", "backup.keys")] {
        copy_tree(&world.path(from), &world.path(to));
    }
    let repo = operator.text(&operator.repository.dir);
    let rotate = ["keys", "rotate", &repo, "snapshot", "timestamp"];
    operator.request(&rotate, &[&operator.safe]);
    scene.station.check().exits(0);
    assert_eq!(trusted(&scene.station, "root"), 2);
    for (from, to) in [("backup", "acme"), ("backup.keys", "acme.keys")] {
        fs::remove_dir_all(world.path(to)).expect("lost");
        copy_tree(&world.path(from), &world.path(to));
    }
    operator.repository.wait_until_served();
    operator.two_days_later();
    scene.refuses("the root of last night does not name the keys that the station knows");
    operator.request(&rotate, &[&operator.safe]);
    scene.refuses("another root 2");
    operator.request(&rotate, &[&operator.safe]);
    scene.station.check().exits(0);
    assert_eq!(trusted(&scene.station, "root"), 3);
}

#[test]
fn with_too_few_root_keys_releases_go_on_no_root_does_and_new_links_lead_to_a_new_repository() {
    let world = World::new();
    let operator = Operator::with_root_keys(&world, "2", "2");
    let scene = Scene::of(&world, &operator);
    let holders = operator.share_root_keys();
    let v2 = operator.build("v2", 2);
    operator.publish(&v2, "2.0.0", &[]);
    scene.station.update().exits(0);
    let refused = operator.try_request(&["keys", "rotate", operator.repository.text(), "timestamp"], &[&holders[0]]);
    assert_eq!(refused.code(), 11);

    let again = world.repository_at("acme", &world.path("again"));
    again.manifests(&["init", again.text(), "--name", "acme"]).succeeded("manifests init");
    let v3 = operator.build("v3", 3);
    again.publish(&v3, "3.0.0");
    let server = world.serve_copy("acme", &again.dir, "server-2");
    let link = world.link(&server);
    let refused = scene.station.run(&["install", &link]).exits(5);
    assert_eq!(refused.json["error"]["code"], "follows-other", "{}", refused.json);
    scene.station.tree().assert_is(&v2.tree(), "no station changes its publisher by itself");
    scene.station.run(&["uninstall"]).exits(0);
    scene.station.install(&link);
    scene.station.tree().assert_is(&v3.tree(), "under the new root");
}
