//! Stations that missed much: many changes of keys, and a thief's versions (W3, W9, A9, A11, AC-52).

use std::fs;

use serde_json::json;
use system_tests::forge::Forge;
use system_tests::proxy::{Fault, Nth, Spot};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{Build, World};

fn trusted_root(station: &Station) -> u64 {
    station.run(&["status"]).exits(0).json["trusted"]["root"]["version"].as_u64().expect("a version")
}

#[test]
fn ac_52_a_station_that_slept_through_any_number_of_rotations_catches_up_in_one_check() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let forge = Forge::of(&scene.repository);
    let link = scene.proxy.through(&world.link(&scene.server));
    let sleepers: Vec<(u64, Station)> = [3, 255, 256, 257, 600].map(|slept| (slept, world.station(&format!("slept-{slept}")))).into();
    sleepers.iter().for_each(|(_, station)| drop(station.install(&link)));
    let mut rotations = 0;
    for (slept, station) in &sleepers {
        let key = forge.key_for("root");
        while rotations + 1 < *slept {
            forge.next_root(&[&key], |_| {});
            rotations += 1;
        }
        // The last one matters: without it nothing newer can be believed.
        forge.rotate("timestamp");
        rotations += 1;
        let check = station.check().exits(0);
        assert_eq!(trusted_root(station), slept + 1);
        let told = check.json["warnings"].to_string().contains(&format!("missed {slept} changes of keys"));
        assert_eq!(told, *slept > 256, "{slept}: {}", check.json["warnings"]);
    }
}

#[test]
fn a11_what_was_walked_is_kept_when_the_walk_is_cut_off() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let forge = Forge::of(&scene.repository);
    let key = forge.key_for("root");
    for _ in 0..400 {
        forge.next_root(&[&key], |_| {});
    }
    forge.rotate("snapshot");
    scene.proxy.on("/300.root.json", Nth::Every, Fault::Cut(Spot::Byte(10)));
    scene.station.run(&["check", "--hasten", "20"]).exits(3);
    assert_eq!(trusted_root(&scene.station), 299);
    scene.proxy.calm();
    scene.proxy.take_exchanges();
    scene.recovers("v2");
    let asked = scene.proxy.take_exchanges();
    assert!(asked.iter().any(|exchange| exchange.path.ends_with("/300.root.json")), "it goes on");
    assert!(!asked.iter().any(|exchange| exchange.path.ends_with("/299.root.json")), "where it was");
    assert_eq!(trusted_root(&scene.station), 402);
}

#[test]
fn a9_a_station_whose_versions_a_thief_drove_up_recovers_when_the_keys_are_changed() {
    for (stolen, renewed) in [("timestamp", "timestamp"), ("snapshot", "snapshot"), ("timestamp", "snapshot")] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        let forge = Forge::of(&scene.repository);
        let kept = ["timestamp", "snapshot"].map(|role| (role, forge.role(role)));
        // The highest number that every JSON reader can hold.
        let highest = (1u64 << 53) - 1;
        let mut document = forge.role(stolen);
        document["signed"]["version"] = json!(highest);
        let metadata = scene.repository.dir.join("metadata");
        if stolen == "snapshot" {
            fs::write(metadata.join(format!("{highest}.snapshot.json")), forge.signed_by(document, &[&forge.key_for("snapshot")]))
                .expect("written");
            document = forge.role("timestamp");
            document["signed"]["version"] = json!(highest - 1);
            document["signed"]["meta"]["snapshot.json"] = json!({ "version": highest });
        }
        fs::write(metadata.join("timestamp.json"), forge.signed_by(document, &[&forge.key_for("timestamp")])).expect("written");
        scene.repository.wait_until_served();
        scene.station.check();
        let status = scene.station.run(&["status"]).exits(0);
        assert_eq!(status.json["trusted"][stolen]["version"], json!(highest), "{stolen}: the thief is believed");

        // The publisher cleans up and goes on signing: to this station that looks like an old copy.
        let _ = fs::remove_file(metadata.join(format!("{highest}.snapshot.json")));
        let timestamp = &kept[0].1;
        fs::write(metadata.join("timestamp.json"), forge.signed_by(timestamp.clone(), &[&forge.key_for("timestamp")])).expect("written");
        forge.sign_timestamp();
        let refused = scene.station.check().exits(4);
        assert!(refused.json["error"]["message"].as_str().is_some_and(|message| message.contains("trusted before")), "{}", refused.json);

        forge.rotate(renewed);
        scene.station.update().exits(0);
        scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "recovered");
        let status = scene.station.run(&["status"]).exits(0);
        assert!(status.json["trusted"][stolen]["version"].as_u64().is_some_and(|version| version < highest), "{stolen}: {}", status.json);
    }
}
