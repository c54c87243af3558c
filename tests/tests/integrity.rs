//! Nothing that the publisher did not sign reaches the tree, whoever sends it (AC-49, AC-51, AC-53).

use serde_json::{Value, json};
use system_tests::forge::Forge;
use system_tests::proxy::{Fault, Nth, Spot};
use system_tests::scene::Scene;
use system_tests::world::{T0, TARGET, World, noise};

/// Every kind of file that an update fetches, by a part of its path.
const FETCHED: [&str; 6] = ["/timestamp.json", ".snapshot.json", ".targets.json", ".linux.json", ".stable.json", "/objects/"];

/// What of it is fetched for an update after which only the OS role changed.
fn fetched_by_an_update(world: &World) -> Vec<&'static str> {
    let scene = Scene::with_update(world);
    scene.station.update().exits(0);
    let exchanges = scene.proxy.take_exchanges();
    FETCHED.into_iter().filter(|part| exchanges.iter().any(|e| e.path.contains(part) && e.body > 0)).collect()
}

#[test]
fn ac_49_a_flipped_bit_anywhere_is_refused() {
    let kinds = fetched_by_an_update(&World::new());
    assert!(kinds.len() >= 5, "{kinds:?}");
    for part in kinds {
        let world = World::new();
        let scene = Scene::with_update(&world);
        for spot in [Spot::Byte(0), Spot::Percent(50), Spot::Percent(99)] {
            scene.proxy.calm();
            scene.proxy.on(part, Nth::Every, Fault::FlipBit(spot));
            scene.refuses(&[3, 4], &format!("a bit of {part} flipped at {spot:?}"));
        }
        scene.recovers("v2");
    }
}

#[test]
fn ac_49_a_truncated_answer_is_refused_whatever_its_length_says() {
    for part in FETCHED {
        if part == ".targets.json" {
            continue; // Unchanged by a release, so not fetched.
        }
        let world = World::new();
        let scene = Scene::with_update(&world);
        for spot in [Spot::Byte(0), Spot::Percent(50), Spot::Percent(99)] {
            for fault in [Fault::Truncate(spot), Fault::TruncateUnframed(spot), Fault::Cut(spot)] {
                scene.proxy.calm();
                let what = format!("{part}: {fault:?}");
                scene.proxy.on(part, Nth::Every, fault);
                scene.refuses(&[3, 4], &what);
            }
        }
        scene.recovers("v2");
    }
}

#[test]
fn ac_49_a_payload_longer_than_declared_is_refused() {
    for part in ["/timestamp.json", ".snapshot.json", ".linux.json", ".stable.json"] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        for fault in [Fault::Append(b"{}".to_vec()), Fault::Append(vec![b' '; 1 << 20]), Fault::Endless(vec![b' '; 1 << 16])] {
            scene.proxy.calm();
            scene.proxy.on(part, Nth::Every, fault);
            scene.refuses(&[3, 4], &format!("{part} with more after it"));
        }
        scene.recovers("v2");
    }
}

#[test]
fn c1_an_endless_pack_ends_at_its_length() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/objects/", Nth::Every, Fault::Endless(vec![0; 1 << 16]));
    // What was asked for is there and is right; what follows is never read.
    let outcome = scene.station.update();
    assert!([0, 3, 4].contains(&outcome.code), "{}", outcome.finished.report());
    let came: u64 = scene.proxy.take_exchanges().iter().map(|e| e.body).sum();
    assert!(came < 64 << 20, "{came} bytes were taken");
    if outcome.code != 0 {
        scene.recovers("v2");
    }
}

#[test]
fn c6_a_captive_portal_is_no_metadata() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/", Nth::Every, Fault::CaptivePortal);
    scene.refuses(&[3, 4], "a captive portal");
    scene.proxy.calm();
    scene.proxy.on("/objects/", Nth::Every, Fault::CaptivePortal);
    scene.refuses(&[3, 4], "a captive portal that begins in the middle");
    scene.recovers("v2");
}

#[test]
fn ac_49_a_missing_or_unknown_signature_is_refused() {
    for (what, change) in [
        ("no signature", (|doc: &mut Value| doc["signatures"] = json!([])) as fn(&mut Value)),
        ("an unknown key", |doc| doc["signatures"][0]["keyid"] = json!("0".repeat(64))),
        ("a signature of zeros", |doc| doc["signatures"][0]["sig"] = json!("0".repeat(128))),
        ("an edited version", |doc| doc["signed"]["version"] = json!(doc["signed"]["version"].as_u64().unwrap_or(0) + 1)),
        ("an edited expiry", |doc| doc["signed"]["expires"] = json!("2030-01-01T00:00:00Z")),
    ] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        let mut timestamp = Forge::of(&scene.repository).role("timestamp");
        change(&mut timestamp);
        scene.proxy.on("/timestamp.json", Nth::Every, Fault::Replace(serde_json::to_vec(&timestamp).expect("JSON")));
        scene.refuses(&[4], what);
        scene.recovers("v2");
    }
}

#[test]
fn ac_50_old_metadata_that_was_validly_signed_does_not_take_a_station_back() {
    let world = World::new();
    let scene = Scene::new(&world);
    let another = world.station("recorder");
    another.install(&scene.proxy.through(&world.link(&scene.server)));
    let old = scene.proxy.recording();
    let v2 = scene.v1.copy("v2");
    v2.exec("client", noise(3, 110_000), T0 + 60);
    scene.repository.publish(&v2, "2.0.0");
    scene.station.update().exits(0);
    scene.proxy.on("/repo/", Nth::Every, Fault::Replay(old));
    let check = scene.station.check();
    assert_eq!(check.code, 4, "{}", check.finished.report());
    scene.station.run(&["update", "--yes"]).exits(4);
    scene.station.tree().assert_is(&v2.tree(), "still the new one");
}

#[test]
fn ac_51_unsafe_paths_are_refused_by_the_station_though_the_publisher_signed_them() {
    let unsafe_paths = [
        "../x",
        "a/../../x",
        "/etc/x",
        "C:/x",
        "C:x",
        "//srv/share/x",
        "a\\b",
        "..\\x",
        "con",
        "sub/nul.txt",
        "com1.dll",
        "x.",
        "x ",
        " x",
        "x::$DATA",
        "a.txt:evil",
        "a\0b",
        "a\nb",
        "a//b",
        "./a",
        "",
        "progra~1",
        ".updater/journal",
        ".UPDATER/x",
        "bkp_remote.001/x",
        "BKP_REMOTE.001",
        "a\u{202e}b",
        "a\u{200d}b",
        "what?",
    ];
    let world = World::new();
    let scene = Scene::new(&world);
    let forge = Forge::of(&scene.repository);
    for path in unsafe_paths {
        forge.publish_changed(TARGET, |manifest| {
            manifest["build"] = json!("2.0.0");
            insert_file(manifest, path);
        });
        scene.refuses(&[4], &format!("{path:?}"));
    }
    assert!(!world.path("x").exists(), "nothing was written outside");
}

#[test]
fn ac_51_colliding_names_are_refused_by_the_station_though_the_publisher_signed_them() {
    let world = World::new();
    let scene = Scene::new(&world);
    let forge = Forge::of(&scene.repository);
    for path in ["CLIENT", "Lib/b.so", "client/inside", "lib", "lib/A.so", "ｌib/a.so"] {
        forge.publish_changed(TARGET, |manifest| {
            manifest["build"] = json!("2.0.0");
            insert_file(manifest, path);
        });
        scene.refuses(&[4], &format!("{path:?}"));
    }
    for (path, target) in
        [("evil", "/etc"), ("evil", "../.."), ("evil", "lib/../../x"), ("evil", ".updater"), ("lib/a.so/evil", "x"), ("evil", "a\\b")]
    {
        forge.publish_changed(TARGET, |manifest| {
            manifest["build"] = json!("2.0.0");
            manifest["links"] = json!([{"path": path, "target": target}]);
        });
        scene.refuses(&[4], &format!("a link from {path} to {target}"));
    }
}

/// Adds an empty file to a release manifest, in its place.
fn insert_file(manifest: &mut Value, path: &str) {
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let files = manifest["files"].as_array_mut().expect("an array");
    files.retain(|file| file["path"] != path);
    files.push(json!({"path": path, "size": 0, "mtime": T0, "sha256": EMPTY}));
    files.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
}

#[test]
fn a_forged_release_with_safe_paths_is_taken() {
    // Without this, the tests above could pass because the forge itself is broken.
    let world = World::new();
    let scene = Scene::new(&world);
    Forge::of(&scene.repository).publish_changed(TARGET, |manifest| {
        manifest["build"] = json!("2.0.0");
        insert_file(manifest, "safe/empty.txt");
    });
    scene.station.update().exits(0);
    assert!(scene.station.file("safe/empty.txt").is_file());
}

#[test]
fn a_file_whose_content_is_not_its_digest_is_refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    Forge::of(&scene.repository).publish_changed(TARGET, |manifest| {
        manifest["build"] = json!("2.0.0");
        manifest["files"][0]["sha256"] = json!("1".repeat(64));
    });
    scene.refuses(&[4], "another digest");
}

#[test]
fn ac_53_a_windows_release_does_not_reach_a_linux_station() {
    let world = World::new();
    let scene = Scene::new(&world);
    let windows = world.build("windows");
    windows.exec("client", noise(9, 100_000), T0 + 60).file("windows-only.dll", "x", T0);
    scene.repository.publish_with(&windows, &["--os", "windows", "--build", "2.0.0"]).succeeded("publish for windows");
    let forge = Forge::of(&scene.repository);
    let channel = forge.channel("windows/client/x86_64/stable.json");

    // Listed under the Linux path by the Linux role itself: the document says what it is for.
    forge.publish_channel("linux", TARGET, &channel);
    scene.refuses(&[4], "a windows document under the linux path");

    // Relabelled as well, so that only the release manifest still tells.
    let mut relabelled = channel.clone();
    relabelled["os"] = json!("linux");
    relabelled["releases"][0]["sequence"] = json!(50);
    relabelled["last_sequence"] = json!(50);
    forge.publish_channel("linux", TARGET, &relabelled);
    scene.refuses(&[4], "a windows manifest in a linux document");
}

#[test]
fn a19_the_role_of_one_os_cannot_speak_for_another() {
    let world = World::new();
    let scene = Scene::new(&world);
    let windows = world.build("windows");
    windows.exec("client", noise(9, 100_000), T0 + 60);
    scene.repository.publish_with(&windows, &["--os", "windows", "--build", "2.0.0"]).succeeded("publish for windows");
    let forge = Forge::of(&scene.repository);
    let mut channel = forge.channel("windows/client/x86_64/stable.json");
    channel["os"] = json!("linux");
    // The thief of the windows key lists a linux target; the linux role does not.
    forge.publish_channel("windows", TARGET, &channel);
    let check = scene.station.check().exits(0);
    assert_eq!(check.text("decision"), "up-to-date", "{}", check.json);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "the windows role is not asked for linux targets");
}

#[test]
fn a8_a_server_that_diverts_to_the_files_of_another_os_is_refused() {
    let world = World::new();
    let scene = Scene::new(&world);
    let windows = world.build("windows");
    windows.exec("client", noise(9, 100_000), T0 + 60);
    scene.repository.publish_with(&windows, &["--os", "windows", "--build", "2.0.0"]).succeeded("publish for windows");
    let v2 = scene.v1.copy("v2");
    v2.exec("client", noise(3, 110_000), T0 + 60);
    scene.repository.publish(&v2, "2.0.0");
    let role = Forge::of(&scene.repository).role("windows");
    let version = role["signed"]["version"].as_u64().expect("a version");
    scene.proxy.on(".linux.json", Nth::Every, Fault::Divert(format!("/repo/acme/metadata/{version}.windows.json")));
    scene.refuses(&[4], "the windows role in the place of the linux role");
    scene.recovers("v2");
}
