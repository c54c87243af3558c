//! Names that are traps on one system or another (D1–D9, AC-51): publishing refuses them, and a station refuses them independently, also when they come signed with the publisher's
//! real keys.
//!
//! What is handed to the publisher is a zip, because no file system would hold most of these names. What is handed to the station is signed by [`Forge`], which shares no check with the
//! publisher's tools.

use serde_json::{Value, json};
use system_tests::forge::Forge;
use system_tests::scene::Scene;
use system_tests::world::{PRODUCT, Repository, T0, TARGET, World, noise};
use system_tests::zip::zip_of;

/// Publishing a zip with these files, beside an innocent one, is refused for this rule, and nothing is published.
#[track_caller]
fn publishing_refuses(world: &World, repository: &Repository<'_>, names: &[&str], rule: &str) {
    let mut files: Vec<(&str, &[u8])> = vec![("innocent", b"x")];
    files.extend(names.iter().map(|name| (*name, &b"evil"[..])));
    let zip = world.path("build.zip");
    std::fs::write(&zip, zip_of(&files)).expect("zip written");
    let mut arguments = vec!["publish", zip.to_str().expect("UTF-8"), "--repo", repository.text()];
    arguments.extend(["--product", PRODUCT, "--os", "linux", "--arch", "x86_64", "--build", "2.0.0"]);
    let before = std::fs::read(repository.dir.join("metadata/timestamp.json")).expect("a timestamp");
    let done = repository.manifests(&arguments);
    assert_eq!(done.code(), 10, "{names:?}\n{}", done.report());
    assert!(done.report().contains(rule), "{names:?}: the rule `{rule}` is not named\n{}", done.report());
    let after = std::fs::read(repository.dir.join("metadata/timestamp.json")).expect("a timestamp");
    assert!(before == after, "{names:?}: something was signed");
}

/// A station refuses a release that lists these files, signed with the publisher's keys.
#[track_caller]
fn station_refuses(scene: &Scene<'_>, names: &[&str]) {
    station_refuses_manifest(scene, &format!("{names:?}"), |manifest| names.iter().for_each(|name| insert_file(manifest, name)));
}

/// A station refuses a release whose manifest was changed so, signed with the publisher's keys.
#[track_caller]
fn station_refuses_manifest(scene: &Scene<'_>, what: &str, change: impl FnOnce(&mut Value)) {
    Forge::of(&scene.repository).publish_changed(TARGET, |manifest| {
        manifest["build"] = json!("2.0.0");
        change(manifest);
    });
    let said = scene.refuses(&[4], what);
    assert!(said.contains("manifest"), "{what}: what is wrong is not said\n{said}");
}

/// Adds an empty file to a release manifest, in its place.
fn insert_file(manifest: &mut Value, path: &str) {
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let files = manifest["files"].as_array_mut().expect("an array");
    files.retain(|file| file["path"] != path);
    files.push(json!({"path": path, "size": 0, "mtime": T0, "sha256": EMPTY}));
    files.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
}

/// Publishing refuses all of these.
fn all_refused_at_publishing(cases: &[Case]) {
    let world = World::new();
    let repository = world.repository("acme");
    for (names, rule) in cases {
        publishing_refuses(&world, &repository, names, rule);
    }
}

/// A station refuses all of these, and then takes an innocent release.
fn all_refused_by_the_station(cases: &[Case]) {
    let world = World::new();
    let scene = Scene::new(&world);
    for (names, _) in cases {
        station_refuses(&scene, names);
    }
    let v3 = scene.v1.copy("v3");
    v3.file("new.txt", "innocent", T0);
    scene.repository.publish(&v3, "3.0.0");
    scene.recovers("v3");
}

/// Names, and the rule by which publishing refuses them.
type Case = (&'static [&'static str], &'static str);

const D1: [Case; 16] = [
    (&["../x"], "path-escapes"),
    (&["../../x"], "path-escapes"),
    (&["a/../../x"], "path-escapes"),
    (&["a/.."], "path-escapes"),
    (&["./x"], "path-escapes"),
    (&["/etc/x"], "path-escapes"),
    (&["//srv/x"], "path-escapes"),
    (&["a//x"], "path-escapes"),
    (&["..\\x"], "path-character"),
    (&["a\\..\\..\\x"], "path-character"),
    (&["C:\\x"], "path-character"),
    (&["C:/x"], "path-character"),
    (&["C:x"], "path-character"),
    (&["\\\\srv\\share\\x"], "path-character"),
    (&["\\\\?\\C:\\x"], "path-character"),
    (&["\\??\\C:\\x"], "path-character"),
];

#[test]
fn d1_publishing_refuses_paths_that_lead_out_on_any_system() {
    all_refused_at_publishing(&D1);
}

#[test]
fn d1_a_station_refuses_paths_that_lead_out_on_any_system() {
    all_refused_by_the_station(&D1);
}

const D2: [Case; 3] =
    [(&["a.txt:evil"], "path-character"), (&["a.txt::$DATA"], "path-character"), (&["client:Zone.Identifier"], "path-character")];

#[test]
fn d2_publishing_refuses_alternate_data_streams() {
    all_refused_at_publishing(&D2);
}

#[test]
fn d2_a_station_refuses_alternate_data_streams() {
    all_refused_by_the_station(&D2);
}

const D3: [Case; 35] = [
    (&["CON"], "device-name"),
    (&["con"], "device-name"),
    (&["sub/nul.txt"], "device-name"),
    (&["COM1.dll"], "device-name"),
    (&["com0"], "device-name"),
    (&["COM¹"], "device-name"),
    (&["lpt³.x"], "device-name"),
    (&["CONIN$"], "device-name"),
    (&["conout$.txt"], "device-name"),
    (&["clock$"], "device-name"),
    (&["aux.tar.gz"], "device-name"),
    (&["prn/x"], "device-name"),
    (&["con .txt"], "device-name"),
    (&["x."], "path-trimmed"),
    (&["x.."], "path-trimmed"),
    (&["x "], "path-trimmed"),
    (&[" x"], "path-trimmed"),
    (&["dir./x"], "path-trimmed"),
    (&["dir /x"], "path-trimmed"),
    (&["a<b"], "path-character"),
    (&["a>b"], "path-character"),
    (&["a\"b"], "path-character"),
    (&["a|b"], "path-character"),
    (&["what?"], "path-character"),
    (&["*"], "path-character"),
    (&["a\0b"], "path-character"),
    (&["a\0.exe"], "path-character"),
    (&["a\u{1}b"], "path-character"),
    (&["a\nb"], "path-character"),
    (&["a\rb"], "path-character"),
    (&["a\tb"], "path-character"),
    (&["a\u{1b}[31mb"], "path-character"),
    (&["a\u{7f}b"], "path-character"),
    (&["a\u{85}b"], "path-character"),
    (&["a\u{fffd}b"], "path-character"),
];

#[test]
fn d3_publishing_refuses_device_names_trimmed_names_wildcards_and_control_characters() {
    all_refused_at_publishing(&D3);
}

#[test]
fn d3_a_station_refuses_device_names_trimmed_names_wildcards_and_control_characters() {
    all_refused_by_the_station(&D3);
}

const D4: [Case; 17] = [
    (&["A.dll", "a.dll"], "case-collision"),
    (&["CLIENT.so", "client.so"], "case-collision"),
    (&["\u{e9}.txt", "e\u{301}.txt"], "case-collision"),
    (&["\u{c5}", "\u{212b}"], "case-collision"),
    (&["I.x", "\u{131}.x"], "case-collision"),
    (&["\u{130}.x", "i.x"], "case-collision"),
    (&["stra\u{df}e", "STRASSE"], "case-collision"),
    (&["\u{df}", "\u{1e9e}"], "case-collision"),
    (&["\u{ff41}.dll", "a.dll"], "case-collision"),
    (&["\u{fb01}le", "file"], "case-collision"),
    (&["\u{3a3}", "\u{3c2}"], "case-collision"),
    (&["\u{212a}", "k"], "case-collision"),
    (&["a\u{200d}b"], "path-character"),
    (&["a\u{200b}b"], "path-character"),
    (&["invoice\u{202e}fdp.exe"], "path-character"),
    (&["a\u{2066}b"], "path-character"),
    (&["a\u{fe0f}"], "path-character"),
];

#[test]
fn d4_publishing_refuses_names_that_some_file_system_or_eye_takes_for_one() {
    all_refused_at_publishing(&D4);
}

#[test]
fn d4_a_station_refuses_names_that_some_file_system_or_eye_takes_for_one() {
    all_refused_by_the_station(&D4);
}

const D5: [Case; 3] =
    [(&["a", "a/b"], "unsafe-archive"), (&["deep/a/b/c", "deep/a/b"], "unsafe-archive"), (&["A", "a/b"], "unsafe-archive")];

#[test]
fn d5_publishing_refuses_a_file_that_is_also_a_folder() {
    all_refused_at_publishing(&D5);
}

#[test]
fn d5_a_station_refuses_a_file_that_is_also_a_folder() {
    all_refused_by_the_station(&D5);
}

#[test]
fn d5_a_station_refuses_a_folder_or_a_removal_of_the_name_of_a_file_and_a_file_below_one() {
    let world = World::new();
    let scene = Scene::new(&world);
    for (what, change) in [
        ("a folder named like a file", (|manifest: &mut Value| manifest["directories"] = json!(["client"])) as fn(&mut Value)),
        ("a folder below a file", |manifest| manifest["directories"] = json!(["client/inside"])),
        ("a file of the name of an implied folder", |manifest| insert_file(manifest, "lib")),
        ("the removal of a file that is listed", |manifest| manifest["removed"] = json!(["client"])),
        ("the removal of a folder that is needed", |manifest| manifest["removed"] = json!(["lib"])),
        ("a link in the place of a folder", |manifest| manifest["links"] = json!([{"path": "lib", "target": "x"}])),
        ("a file below a link", |manifest| {
            manifest["links"] = json!([{"path": "out", "target": "lib"}]);
            insert_file(manifest, "out/x");
        }),
        ("a folder in another case", |manifest| insert_file(manifest, "LIB/b.so")),
    ] {
        station_refuses_manifest(&scene, what, change);
    }
}

const D6: [Case; 5] = [
    (&["PROGRA~1"], "short-name"),
    (&["progra~1/x"], "short-name"),
    (&["UPDATE~1"], "short-name"),
    (&["BKP_RE~1.001"], "short-name"),
    (&["sub/x~12.exe"], "short-name"),
];

#[test]
fn d6_publishing_refuses_names_that_could_be_short_names_of_others() {
    all_refused_at_publishing(&D6);
}

#[test]
fn d6_a_station_refuses_names_that_could_be_short_names_of_others() {
    all_refused_by_the_station(&D6);
}

#[test]
fn d7_names_that_are_too_long_or_too_deep_are_refused_by_both() {
    let world = World::new();
    let scene = Scene::new(&world);
    let many = vec!["a"; 2000].join("/");
    let deep = vec!["a"; 65].join("/");
    let cases = ["x".repeat(40_000), "x/".repeat(19_999) + "x", "y".repeat(300), "\u{e9}".repeat(128), many, deep];
    for name in &cases {
        publishing_refuses(&world, &scene.repository, &[name], "path-too-long");
        station_refuses(&scene, &[name]);
    }
    station_refuses(&scene, &["a//b"]);
    station_refuses(&scene, &[""]);
    // The longest and deepest that are allowed are taken.
    let longest = [vec!["d"; 63].join("/"), "z".repeat(255)].join("/");
    let v2 = scene.v1.copy("v2");
    v2.file(&longest, "deep", T0);
    scene.repository.publish(&v2, "3.0.0");
    scene.recovers("v2");
}

const D8: [Case; 9] = [
    (&[".updater/journal"], "updater-state"),
    (&[".updater/trust/content/root.json"], "updater-state"),
    (&[".UPDATER/ratchet.json"], "updater-state"),
    (&[".Updater"], "updater-state"),
    (&[".\u{ff55}pdater/x"], "updater-state"),
    (&["bkp_remote.001/client"], "client-backup"),
    (&["BKP_REMOTE.003"], "client-backup"),
    (&["bkp_remote.004/x"], "client-backup"),
    (&["Bkp_Remote.new/x"], "client-backup"),
];

#[test]
fn d8_publishing_refuses_the_updaters_own_state_and_backups() {
    all_refused_at_publishing(&D8);
}

#[test]
fn d8_a_station_refuses_the_updaters_own_state_and_backups() {
    all_refused_by_the_station(&D8);
}

#[test]
fn d8_a_station_lets_no_link_folder_or_removal_reach_its_own_state() {
    let world = World::new();
    let scene = Scene::new(&world);
    for (what, change) in [
        (
            "a link to the state",
            (|manifest: &mut Value| manifest["links"] = json!([{"path": "evil", "target": ".updater"}])) as fn(&mut Value),
        ),
        ("a link into the state", |manifest| manifest["links"] = json!([{"path": "lib2/evil", "target": "../.UPDATER/trust"}])),
        ("a link to a backup", |manifest| manifest["links"] = json!([{"path": "evil", "target": "bkp_remote.001"}])),
        ("a link out of the folder", |manifest| manifest["links"] = json!([{"path": "evil", "target": "../x"}])),
        ("an absolute link", |manifest| manifest["links"] = json!([{"path": "evil", "target": "/etc"}])),
        ("a link that hides its climb", |manifest| manifest["links"] = json!([{"path": "evil", "target": "lib/../../x"}])),
        ("a folder in the state", |manifest| manifest["directories"] = json!([".updater/staging"])),
        ("the removal of the state", |manifest| manifest["removed"] = json!([".updater/ratchet.json"])),
        ("the removal of a backup", |manifest| manifest["removed"] = json!(["bkp_remote.001"])),
        ("an entry point in the state", |manifest| insert_file(manifest, ".updater/lock")),
    ] {
        station_refuses_manifest(&scene, what, change);
    }
}

#[test]
fn d8_what_a_user_preserves_stays_though_a_release_lists_its_name() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), T0).file("settings.ini", "publisher's", T0);
    repository.publish_with(&v1, &["--build", "1.0.0", "--config", "settings.ini=keep"]).succeeded("publish");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    std::fs::write(station.file("settings.ini"), "the user's").expect("written");
    std::fs::write(station.file("mine.txt"), "an extra").expect("written");
    let v2 = v1.copy("v2");
    v2.file("settings.ini", "publisher's new one", T0 + 60).file("mine.txt", "publisher's", T0 + 60);
    repository.publish_with(&v2, &["--build", "2.0.0", "--config", "settings.ini=keep"]).succeeded("publish");
    station.update().exits(0);
    assert_eq!(std::fs::read_to_string(station.file("settings.ini")).expect("read"), "the user's");
    // A file that the publisher did not know of and that a release now brings: the user's is in the backup, and comes back with it.
    assert_eq!(std::fs::read_to_string(station.file("mine.txt")).expect("read"), "publisher's");
    assert_eq!(std::fs::read_to_string(station.dir.join("bkp_remote.001/mine.txt")).expect("read"), "an extra");
    station.run(&["rollback"]).exits(0);
    assert_eq!(std::fs::read_to_string(station.file("mine.txt")).expect("read"), "an extra");
}

#[test]
fn d9_sizes_and_numbers_that_overflow_or_exceed_are_refused_by_the_station() {
    let world = World::new();
    let scene = Scene::new(&world);
    let set = |manifest: &mut Value, field: &str, value: Value| manifest["files"][0][field] = value;
    for (what, size) in [
        ("2^53", 1_u64 << 53),
        ("2^63", 1 << 63),
        ("the largest", u64::MAX),
        ("more than the pack holds", 10 << 30),
        ("one byte more", 300_000),
    ] {
        station_refuses_manifest(&scene, what, |manifest| set(manifest, "size", json!(size)));
    }
    for (what, at) in [
        ("an offset that overflows", json!([0, u64::MAX])),
        ("an offset behind the end", json!([0, 1_u64 << 40])),
        ("a pack that is not there", json!([9, 0])),
        ("the last pack that there could be", json!([u32::MAX, 0])),
        ("a negative offset", json!([0, -1])),
    ] {
        station_refuses_manifest(&scene, what, |manifest| set(manifest, "at", at));
    }
    station_refuses_manifest(&scene, "sizes that add up beyond the limit", |manifest| {
        for n in 0..3 {
            insert_file(manifest, &format!("big{n}"));
        }
        for file in manifest["files"].as_array_mut().expect("an array") {
            file["size"] = json!((1_u64 << 53) - 1);
            file["at"] = json!([0, 0]);
        }
    });
    station_refuses_manifest(&scene, "frames that add up to another length", |manifest| manifest["packs"][0]["length"] = json!(u64::MAX));
    station_refuses_manifest(&scene, "frames whose lengths overflow", |manifest| {
        manifest["packs"][0]["frames"] = json!([[u64::MAX, 8_388_608], [2, 8_388_608]]);
    });
    station_refuses_manifest(&scene, "a million entries and one", |manifest| {
        manifest["removed"] = (0..1_000_001).map(|n| json!(format!("r{n:07}"))).collect();
    });
    // The file of 0 bytes and that beyond 4 GiB: `ac_10_a_file_beyond_four_gibibytes_arrives_intact`.
}

#[test]
fn d9_content_that_no_disk_has_room_for_is_refused_before_anything_is_fetched() {
    let world = World::new();
    let scene = Scene::new(&world);
    // A terabyte, signed and self-consistent: 8 MiB a frame.
    Forge::of(&scene.repository).publish_changed(TARGET, |manifest| {
        manifest["build"] = json!("2.0.0");
        let frames: Vec<Value> = (0..131_072).map(|_| json!([1 << 10, 8 << 20])).collect();
        let sha256 = "1".repeat(64);
        let packs = manifest["packs"].as_array_mut().expect("an array");
        let index = packs.len();
        packs.push(json!({"sha256": sha256, "length": 131_072_u64 << 10, "frames": frames}));
        manifest["files"][0]["size"] = json!(131_072_u64 * (8 << 20));
        manifest["files"][0]["at"] = json!([index, 0]);
        manifest["files"][0]["sha256"] = json!("2".repeat(64));
    });
    scene.proxy.take_exchanges();
    let said = scene.refuses(&[5], "a terabyte");
    assert!(said.contains("space") || said.contains("bytes"), "{said}");
    let objects = scene.proxy.take_exchanges().into_iter().filter(|exchange| exchange.path.contains("/objects/11/")).count();
    assert_eq!(objects, 0, "nothing of it was fetched");
}
