//! Metadata that an attacker serves over a real connection (A1–A25, B1, B10, AC-50, AC-52): whoever holds the network, the server, or some of the publisher's keys.

use std::fs;

use serde_json::{Value, json};
use system_tests::forge::{Forge, SigningKey};
use system_tests::process::Finished;
use system_tests::proxy::{Fault, Nth, Spot};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{Clock, T0, TARGET, World, noise};

const DAY: i64 = 86_400;
/// 2026-11-21T10:00:00Z.
const BEGIN: i64 = 1_795_255_200;

/// The version of the root that a station trusts.
fn trusted_root(station: &Station) -> u64 {
    let root: Value = serde_json::from_slice(&fs::read(station.state("trust/content/root.json")).expect("a root")).expect("JSON");
    root["signed"]["version"].as_u64().expect("a version")
}

#[test]
fn a4_new_metadata_that_names_a_lower_sequence_takes_no_station_back() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.station.update().exits(0);
    let v2 = scene.station.tree();
    let forge = Forge::of(&scene.repository);
    let newest = forge.channel(TARGET);
    // Signed anew, by the right keys, with higher versions all the way up: but the newest release that it lists is one that this station has gone beyond.
    let mut back = newest.clone();
    back["releases"].as_array_mut().expect("an array").remove(0);
    forge.publish_channel("linux", TARGET, &back);
    let check = scene.station.check().exits(0);
    assert!(check.json["offered"].is_null(), "{}", check.json);
    scene.station.update();
    scene.station.tree().assert_is(&v2, "still the newest");
    // Nor does the same number with the older build and leave to go back: only a new number does (AC-05).
    back["releases"][0]["sequence"] = json!(2);
    back["releases"][0]["allow_downgrade"] = json!(true);
    back["last_sequence"] = json!(2);
    forge.publish_channel("linux", TARGET, &back);
    scene.station.update();
    back["releases"][0]["sequence"] = json!(3);
    back["releases"][0]["allow_downgrade"] = json!(false);
    back["last_sequence"] = json!(3);
    forge.publish_channel("linux", TARGET, &back);
    let check = scene.station.check().exits(0);
    assert_eq!(check.text("decision"), "downgrade", "{}", check.json);
    scene.station.update();
    scene.station.tree().assert_is(&v2, "still the newest");
    back["releases"][0]["allow_downgrade"] = json!(true);
    forge.publish_channel("linux", TARGET, &back);
    scene.station.update().exits(0);
    scene.station.tree().assert_is(&scene.v1.tree(), "with a signed leave and a new number");
}

#[test]
fn a6_a_proxy_that_answers_from_its_cache_for_days_is_noticed_when_the_timestamp_expires() {
    let clock = |days: i64| Clock { unix: BEGIN + days * DAY, zone: "UTC".into() };
    let world = World::at_time(clock(0));
    let scene = Scene::new(&world);
    let cached = {
        let other = world.station("other");
        other.install(&scene.proxy.through(&world.link(&scene.server)));
        scene.proxy.recording()
    };
    scene.publish_v2();
    for (fault, what) in [(Fault::Status(304), "304, whatever was asked"), (Fault::Replay(cached), "200, from a cache")] {
        scene.proxy.calm();
        scene.proxy.on("/timestamp.json", Nth::Every, fault);
        for days in [0, 3, 6] {
            let station = scene.station.at_time(&clock(days));
            assert_eq!(station.check().exits(0).text("decision"), "up-to-date", "{what}: hidden, for now, on day {days}");
        }
        for days in [8, 30] {
            let station = scene.station.at_time(&clock(days));
            let check = station.check();
            assert!([3, 4].contains(&check.code), "{what}, day {days}\n{}", check.finished.report());
            assert_ne!(check.text("decision"), "up-to-date", "{what}, day {days}");
            // `status` says so without any network, and the client itself is as it was.
            let status = station.run(&["status"]).exits(0);
            assert_eq!(status.text("decision"), "unknown", "{what}, day {days}: {}", status.json);
            assert!(status.text("reason").contains("expired"), "{what}, day {days}: {}", status.json);
            station.tree().assert_is(&scene.v1.tree(), what);
        }
    }
}

#[test]
fn a11_a_station_that_is_cut_off_among_three_hundred_roots_keeps_what_it_has_and_goes_on() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let forge = Forge::of(&scene.repository);
    let key = forge.key_for("root");
    for _ in 0..299 {
        forge.next_root(&[&key], |_| {});
    }
    // The last one brings a new key for the timestamp: what comes before it is good for nothing newer.
    forge.rotate("timestamp");
    scene.proxy.on("/150.root.json", Nth::Every, Fault::Status(503));
    scene.refuses(&[3, 4], "cut off at root 150");
    assert_eq!(trusted_root(&scene.station), 149, "as far as it came");
    scene.proxy.calm();
    scene.proxy.take_exchanges();
    scene.recovers("v2");
    assert_eq!(trusted_root(&scene.station), 301);
    let exchanges = scene.proxy.take_exchanges();
    let first = exchanges.iter().find(|exchange| exchange.path.ends_with(".root.json")).expect("roots were asked for");
    assert!(first.path.ends_with("/150.root.json"), "nothing is walked twice: {}", first.path);
}

/// What whoever holds these keys and nothing else, but also the server's disk and the network, can try.
fn tries_with(scene: &Scene<'_>, keys: &[&str]) {
    let forge = Forge::of(&scene.repository);
    let held: Vec<SigningKey> = keys.iter().map(|role| forge.key_for(role)).collect();
    let held: Vec<&SigningKey> = held.iter().collect();
    let channel = forge.channel(TARGET);
    let manifest = forge.manifest(&channel["releases"][0]);
    let digest = manifest["packs"][0]["sha256"].as_str().expect("a pack").to_owned();
    // Other bytes under the old names.
    let evil = noise(666, 40_000);
    for part in [".stable.json", "/objects/"] {
        scene.proxy.calm();
        scene.proxy.on(part, Nth::Every, Fault::Replace(evil.clone()));
        scene.refuses(&[3, 4], &format!("other bytes for {part}"));
    }
    scene.proxy.calm();
    let stored = forge.object_path(&digest);
    let honest = fs::read(&stored).expect("a pack");
    fs::write(&stored, &evil).expect("written");
    scene.refuses(&[3, 4], "another object on the server's disk");
    fs::write(&stored, honest).expect("written");
    // An OS role, targets or root of their own making, signed with the keys they have.
    for role in ["linux", "targets", "root"] {
        let mut document = forge.role(role);
        let version = document["signed"]["version"].as_u64().expect("a version");
        document["signed"]["version"] = json!(version + 1);
        if role == "linux" {
            document["signed"]["targets"][TARGET]["hashes"]["sha256"] = json!("6".repeat(64));
        }
        let forged = forge.signed_by(document, &held);
        let name = format!("{}.{role}.json", version + 1);
        let listed = json!({"version": version + 1, "length": forged.len()});
        scene.proxy.calm();
        scene.proxy.on(&name, Nth::Every, Fault::Replace(forged));
        if role != "root" {
            // With the keys of snapshot and timestamp it can be listed as it is.
            let mut snapshot = forge.role("snapshot");
            snapshot["signed"]["meta"][format!("{role}.json")] = listed;
            forge.sign_up_from_snapshot(snapshot);
        } else {
            forge.sign_timestamp();
        }
        scene.refuses(&[4], &format!("`{role}` signed by {keys:?}"));
        if role != "root" {
            // And back, so that the next attempt begins from a repository that is whole.
            let mut snapshot = forge.role("snapshot");
            let bytes = fs::read(scene.repository.dir.join(format!("metadata/{version}.{role}.json"))).expect("a role");
            snapshot["signed"]["meta"][format!("{role}.json")] = json!({"version": version, "length": bytes.len()});
            forge.sign_up_from_snapshot(snapshot);
        }
    }
}

#[test]
fn a21_a_server_with_all_online_keys_can_make_no_station_take_a_build() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    tries_with(&scene, &["snapshot", "timestamp"]);
    // The thief's snapshot listed versions that were never signed, so the honest one is taken for a rollback until the online keys are replaced (A9).
    let forge = Forge::of(&scene.repository);
    scene.proxy.calm();
    forge.rotate("snapshot");
    forge.rotate("timestamp");
    scene.recovers("v2");
}

#[test]
fn a22_a_document_of_another_length_than_the_signed_one_is_refused_however_it_is_framed() {
    for part in [".snapshot.json", ".linux.json", ".stable.json"] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        for fault in [
            Fault::Truncate(Spot::Percent(99)),
            Fault::TruncateUnframed(Spot::Percent(99)),
            Fault::Append(b" ".to_vec()),
            Fault::Chunked(b" ".to_vec()),
            Fault::Chunked(vec![b' '; 1 << 20]),
        ] {
            scene.proxy.calm();
            let what = format!("{part}: {fault:?}").chars().take(80).collect::<String>();
            scene.proxy.on(part, Nth::Every, fault);
            scene.refuses(&[3, 4], &what);
        }
        // Without any length but the signed one, the right bytes are the right bytes.
        scene.proxy.calm();
        scene.proxy.on(part, Nth::Every, Fault::Chunked(Vec::new()));
        scene.station.update().exits(0);
    }
}

#[test]
fn a22_an_object_of_another_length_than_the_signed_one_never_reaches_the_tree() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    for fault in [Fault::Truncate(Spot::Percent(99)), Fault::TruncateUnframed(Spot::Percent(99))] {
        scene.proxy.calm();
        scene.proxy.on("/objects/", Nth::Every, fault);
        scene.refuses(&[3, 4], "shorter");
    }
    // Longer: what was asked for is there and is right. It is refused, or what follows is never read.
    for fault in [Fault::Append(vec![0; 1]), Fault::Chunked(vec![0; 1]), Fault::Chunked(Vec::new())] {
        scene.proxy.calm();
        let what = format!("{fault:?}");
        scene.proxy.on("/objects/", Nth::Every, fault);
        let outcome = scene.station.update();
        assert!([0, 3, 4].contains(&outcome.code), "{what}\n{}", outcome.finished.report());
        match outcome.code {
            0 => scene.station.tree().assert_is(&system_tests::world::Build { dir: world.path("v2") }.tree(), &what),
            _ => scene.station.tree().assert_is(&scene.v1.tree(), &what),
        }
    }
    scene.recovers("v2");
}

#[test]
fn a24_no_version_of_any_role_is_ever_written_twice() {
    let world = World::new();
    let scene = Scene::new(&world);
    let metadata = scene.repository.dir.join("metadata");
    let versions = || -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(&metadata).expect("metadata").map(|entry| entry.expect("listed").path());
        let mut files: Vec<_> = files
            .filter(|path| !path.ends_with("timestamp.json"))
            .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("read")))
            .collect();
        files.sort();
        files
    };
    let unchanged = |before: &[(String, Vec<u8>)], after: &[(String, Vec<u8>)]| {
        for (name, bytes) in before {
            let now = after.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes);
            assert!(now.is_none_or(|now| now == bytes), "`{name}` was written again with other bytes");
        }
    };
    let timestamp_version = || Forge::of(&scene.repository).role("timestamp")["signed"]["version"].as_u64().expect("a version");
    // The same build once more with other content, many times within one second, which is what versions are made of.
    let mut last = timestamp_version();
    for n in 0..4 {
        let before = versions();
        let build = scene.v1.copy(&format!("again{n}"));
        build.exec("client", noise(100 + n, 50_000), T0 + 60);
        scene.repository.publish(&build, "1.0.0");
        scene.repository.manifests(&["refresh", scene.repository.text()]).succeeded("refresh");
        unchanged(&before, &versions());
        assert!(timestamp_version() > last, "versions only grow");
        last = timestamp_version();
    }
    // A repository that was restored from an older copy goes on above what it gave out, and a station follows it.
    scene.station.update().exits(0);
    let restored = scene.v1.copy("restored");
    restored.exec("client", noise(200, 50_000), T0 + 120);
    scene.repository.publish(&restored, "1.0.0");
    scene.recovers("restored");
}

#[test]
fn a24_the_same_role_version_with_other_bytes_is_not_taken_from_the_network() {
    let world = World::new();
    let scene = Scene::new(&world);
    let forge = Forge::of(&scene.repository);
    let mut twin = forge.role("timestamp");
    twin["signed"]["expires"] = json!("2999-01-01T00:00:00Z");
    let trusted = fs::read(scene.station.state("trust/content/timestamp.json")).expect("a timestamp");
    let bytes = forge.signed_by(twin, &[&forge.key_for("timestamp")]);
    assert_ne!(bytes, trusted);
    scene.proxy.on("/timestamp.json", Nth::Every, Fault::Replace(bytes));
    scene.station.check().exits(0);
    assert!(fs::read(scene.station.state("trust/content/timestamp.json")).expect("a timestamp") == trusted, "the first one stays");
}

#[test]
fn ac_52_a_station_that_slept_through_rotations_follows_them_and_no_old_key_works_any_more() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let forge = Forge::of(&scene.repository);
    let mut retired = Vec::new();
    for role in ["root", "timestamp", "snapshot", "targets", "root", "timestamp"] {
        retired.push((role, forge.rotate(role)));
    }
    // Not before, either: while it still trusts root 1, an old root key cannot lead it astray, because the next root is already there.
    scene.recovers("v2");
    assert_eq!(trusted_root(&scene.station), 7);
    let trusted = scene.station.tree();
    for (role, key) in &retired {
        let mut document = forge.role(role);
        let version = document["signed"]["version"].as_u64().expect("a version") + 1;
        document["signed"]["version"] = json!(version);
        let forged = forge.signed_by(document, &[key]);
        let name = if *role == "timestamp" { "/timestamp.json".to_owned() } else { format!("/{version}.{role}.json") };
        scene.proxy.calm();
        scene.proxy.on(&name, Nth::Every, Fault::Replace(forged));
        match *role {
            "targets" => {
                let mut snapshot = forge.role("snapshot");
                snapshot["signed"]["meta"]["targets.json"] = json!({"version": version});
                forge.sign_up_from_snapshot(snapshot);
            }
            "snapshot" => {
                let mut timestamp = forge.role("timestamp");
                let next = timestamp["signed"]["version"].as_u64().expect("a version") + 1;
                timestamp["signed"]["version"] = json!(next);
                timestamp["signed"]["meta"]["snapshot.json"] = json!({"version": version});
                let listed = forge.signed_by(timestamp, &[&forge.key_for("timestamp")]);
                scene.proxy.on("/timestamp.json", Nth::Every, Fault::Replace(listed));
            }
            "root" => forge.sign_timestamp(),
            _ => {}
        }
        let check = scene.station.check();
        assert_eq!(check.code, 4, "an old key of {role}\n{}", check.finished.report());
        assert!(check.finished.report().contains("signatures"), "{}", check.finished.report());
        scene.station.tree().assert_is(&trusted, "untouched");
    }
}

/// Peak memory of a command of the updater, in KiB.
fn peak_of(station: &Station, arguments: &[&str]) -> (u64, Finished) {
    const MEASURE: &str = "import resource, subprocess, sys\n\
        code = subprocess.call(sys.argv[1:])\n\
        sys.stderr.write('\\npeak %d\\n' % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
        sys.exit(code)";
    let outcome = station.through(&["python3", "-c", MEASURE]).run(arguments);
    let peak = outcome.finished.stderr.lines().find_map(|line| line.strip_prefix("peak ")?.parse().ok());
    (peak.unwrap_or_else(|| panic!("no peak\n{}", outcome.finished.report())), outcome.finished)
}

/// Peak memory of an install from the same server, with nobody in between, in KiB.
fn honest_peak(world: &World, scene: &Scene<'_>) -> u64 {
    let (peak, finished) = peak_of(&world.station("measured"), &["install", &world.link(&scene.server)]);
    finished.succeeded("updater install");
    peak
}

#[test]
fn b1_endless_metadata_is_cut_at_the_limit_of_its_role_and_costs_no_memory() {
    /// Most that a station takes of one hostile answer above its role's limit: what is under way in buffers, in bytes.
    const UNDER_WAY: u64 = 16 << 20;
    let world = World::new();
    let scene = Scene::with_update(&world);
    let honest = honest_peak(&world, &scene);
    scene.proxy.take_exchanges();
    for part in ["/timestamp.json", "2.root.json", ".snapshot.json", ".linux.json", ".stable.json"] {
        for (bytes, what) in [(vec![b' '; 1 << 16], "spaces"), (vec![b'x'; 1 << 16], "a string"), (b"[".repeat(1 << 16), "brackets")] {
            scene.proxy.calm();
            let fault = Fault::Endless(bytes);
            scene.proxy.on(part, Nth::Every, fault);
            if part == "2.root.json" {
                // There is none: an answer that begins nowhere.
                scene.proxy.calm();
                scene.proxy.on(part, Nth::Every, Fault::Replace([b"{\"signed\":".to_vec(), vec![b' '; 64 << 20]].concat()));
            }
            let (peak, finished) = peak_of(&scene.station, &["update", "--yes"]);
            assert!([3, 4].contains(&finished.code()), "{part}: {what}\n{}", finished.report());
            scene.station.tree().assert_is(&scene.v1.tree(), part);
            assert!(peak < honest + (16 << 10), "{part}: {what}: {peak} KiB, where an honest install needs {honest}");
            let taken = scene.proxy.take_exchanges().iter().filter(|e| e.path.contains(part)).map(|e| e.body).max().unwrap_or_default();
            assert!(taken < (5 << 20) + UNDER_WAY || part == "2.root.json", "{part}: {what}: {taken} bytes were taken");
        }
    }
    scene.recovers("v2");
}

#[test]
fn b10_an_answer_under_a_content_encoding_is_refused_and_never_decoded() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let script = "import gzip, sys\nsys.stdout.buffer.write(gzip.compress(bytes(1 << 28)))";
    let bomb = std::process::Command::new("python3").args(["-c", script]).output().expect("python3 runs").stdout;
    assert!(bomb.len() > 100_000, "a quarter of a GiB in {} bytes", bomb.len());
    let honest = honest_peak(&world, &scene);
    // In the order in which they are asked for: what came through is not asked for again.
    for part in ["/timestamp.json", ".snapshot.json", ".stable.json", "/objects/"] {
        for encoding in ["gzip", "br", "deflate", "zstd", "GZIP", "identity, gzip"] {
            scene.proxy.calm();
            scene.proxy.on(part, Nth::Every, Fault::Encoded(encoding, bomb.clone()));
            let (peak, finished) = peak_of(&scene.station, &["update", "--yes"]);
            assert!([3, 4].contains(&finished.code()), "{part}: {encoding}\n{}", finished.report());
            assert!(finished.report().contains("encoded"), "{part}: {encoding}\n{}", finished.report());
            assert!(peak < honest + (16 << 10), "{part}: {encoding}: {peak} KiB, where an honest install needs {honest}");
            scene.station.tree().assert_is(&scene.v1.tree(), part);
        }
    }
    scene.recovers("v2");
}
