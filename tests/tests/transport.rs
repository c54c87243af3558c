//! What somebody who holds the network, or a server, can do to the answers (attacks C1–C3, C6–C8, C14): nothing of it reaches the tree, all of it ends in time, and the next honest run works.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use system_tests::forge::Forge;
use system_tests::proxy::{Fault, Nth, Proxy, Spot, body_bytes};
use system_tests::scene::Scene;
use system_tests::station::{Outcome, Station};
use system_tests::world::{Build, Clock, TARGET, World, copy_tree};

/// What of a repository an update fetches.
const METADATA: [&str; 4] = ["/timestamp.json", ".snapshot.json", ".linux.json", ".stable.json"];
/// All waiting of the network cut to one part in twenty: one and a half seconds for a head, a stall or the grace of a slow body.
const HASTY: [&str; 2] = ["--hasten", "20"];
/// Far above what any attempt may take at that pace.
const IN_TIME: Duration = Duration::from_secs(60);

fn hasty(station: &Station, arguments: &[&str]) -> Outcome {
    station.run(&[arguments, &HASTY].concat())
}

/// An update must end in time, with this exit code and error code, and leave everything as it was. Returns the message.
#[track_caller]
fn refuses(scene: &Scene<'_>, exit: i32, codes: &[&str], what: &str) -> String {
    let begun = Instant::now();
    let outcome = hasty(&scene.station, &["update", "--yes"]);
    let report = outcome.finished.report();
    assert!(begun.elapsed() < IN_TIME, "{what} took {:?}\n{report}", begun.elapsed());
    assert_eq!(outcome.code, exit, "{what}\n{report}");
    let code = outcome.json["error"]["code"].as_str().unwrap_or_default();
    assert!(codes.contains(&code), "{what}: {code}\n{report}");
    scene.station.tree().assert_is(&scene.v1.tree(), what);
    outcome.json["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn c1_a_content_length_that_lies_either_way_leads_to_nothing() {
    let codes = ["untrusted", "unreachable", "bad-manifest"];
    for length in [10, 1 << 40] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        for part in METADATA.into_iter().chain(["/objects/"]) {
            scene.proxy.calm();
            scene.proxy.on(part, Nth::Every, Fault::Announce(length));
            let outcome = hasty(&scene.station, &["update", "--yes"]);
            assert!([3, 4].contains(&outcome.code), "{part} of {length}\n{}", outcome.finished.report());
            let code = outcome.json["error"]["code"].as_str().unwrap_or_default();
            assert!(codes.contains(&code), "{part} of {length}: {code}");
            scene.station.tree().assert_is(&scene.v1.tree(), part);
        }
        scene.recovers("v2");
    }
}

#[test]
fn c1_an_endless_document_ends_at_its_limit() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    for part in METADATA {
        scene.proxy.calm();
        scene.proxy.on(part, Nth::Every, Fault::Endless(vec![b' '; 1 << 16]));
        refuses(&scene, 4, &["untrusted"], part);
        let came: u64 = scene.proxy.take_exchanges().iter().map(|exchange| exchange.body).sum();
        assert!(came < 16 << 20, "{part}: {came} bytes went out");
    }
    scene.recovers("v2");
}

#[test]
fn c2_a_drip_ends_in_time_wherever_it_is() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let gap = Duration::from_millis(20);
    for part in METADATA.into_iter().chain(["/objects/"]) {
        for fault in [Fault::Drip(gap), Fault::DripHead(gap)] {
            scene.proxy.calm();
            let what = format!("{part}: {fault:?}");
            scene.proxy.on(part, Nth::Every, fault);
            let message = refuses(&scene, 3, &["too-slow"], &what);
            assert!(message.contains("too slow"), "{what}: {message}");
        }
    }
    scene.recovers("v2");
}

#[test]
fn c2_a_stall_in_the_middle_of_a_file_costs_only_what_had_not_arrived() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/timestamp.json", Nth::Every, Fault::Hold(Spot::Byte(0)));
    refuses(&scene, 3, &["too-slow"], "no byte of a body");
    scene.proxy.calm();
    // The first object is the file list, the second the new files.
    scene.proxy.on("/objects/", Nth::From(2), Fault::Hold(Spot::Percent(50)));
    refuses(&scene, 3, &["too-slow"], "half of a file");
    scene.proxy.calm();
    scene.proxy.take_exchanges();
    scene.recovers("v2");
    let exchanges = scene.proxy.take_exchanges();
    assert!(exchanges.iter().any(|exchange| exchange.range.is_some()), "it goes on where it stopped: {exchanges:?}");
    assert!(body_bytes(&exchanges, "/objects/") < 100_000, "{exchanges:?}");
}

#[test]
fn c2_a_slow_start_is_no_reason_to_give_up_while_more_comes_than_the_least() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    // The limit that somebody sets on the rate holds the server up, and is not held against it.
    hasty(&scene.station, &["update", "--yes", "--limit-rate", "30k"]).exits(0);
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "updated");
}

#[test]
fn c3_a_redirect_out_of_the_site_is_refused_and_both_addresses_are_named() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    other.set_nonblocking(true).expect("set");
    let elsewhere = other.local_addr().expect("bound").port();
    let here = scene.proxy.address().port();
    let cases = [
        (format!("http://localhost:{here}/x"), "web-page"),
        (format!("http://localhost:{elsewhere}/x"), "web-page"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "web-page"),
        ("https://portal.example/login".to_owned(), "web-page"),
        (format!("http://127.0.0.1:{elsewhere}/x"), "redirected"),
        ("file:///etc/passwd".to_owned(), "redirected"),
        ("http://[".to_owned(), "redirected"),
    ];
    for part in METADATA.into_iter().chain(["/objects/"]) {
        for (location, code) in &cases {
            scene.proxy.calm();
            scene.proxy.on(part, Nth::Every, Fault::Answer(302, vec![("location", location.clone())], Vec::new()));
            let what = format!("{part} to {location}");
            let message = refuses(&scene, 3, &[code], &what);
            assert!(message.contains(part) || part == "/objects/", "{what}: {message}");
            assert!(message.contains(location.as_str()), "{what}: {message}");
            assert_eq!(message.contains("captive portal"), *code == "web-page", "{what}: {message}");
        }
    }
    assert_eq!(other.accept().map_err(|error| error.kind()).map(drop), Err(ErrorKind::WouldBlock), "nobody knocked there");
    scene.recovers("v2");
}

#[test]
fn c3_redirects_in_a_circle_and_too_many_of_them_end() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/timestamp.json", Nth::Every, Fault::Answer(307, vec![("location", "timestamp.json".into())], Vec::new()));
    let message = refuses(&scene, 3, &["redirected"], "a circle");
    assert!(message.contains("circle"), "{message}");
    scene.proxy.calm();
    scene.proxy.take_exchanges();
    for hop in 1..20 {
        let location = vec![("location", format!("timestamp.json?hop={hop}"))];
        scene.proxy.on("/timestamp.json", Nth::Only(hop), Fault::Answer(307, location, Vec::new()));
    }
    refuses(&scene, 3, &["redirected"], "a long way");
    assert_eq!(scene.proxy.take_exchanges().len(), 6, "the first and five more");
    scene.recovers("v2");
}

#[test]
fn redirects_within_the_site_are_followed() {
    for status in [301, 302, 303, 307, 308] {
        let world = World::new();
        let scene = Scene::with_update(&world);
        for part in METADATA.into_iter().chain(["/objects/"]) {
            scene.proxy.on(part, Nth::Only(1), Fault::Answer(status, vec![("location", "?again".into())], Vec::new()));
        }
        scene.station.update().exits(0);
        let again = scene.proxy.take_exchanges().iter().filter(|exchange| exchange.path.ends_with("?again")).count();
        assert_eq!(again, 5, "{status}");
    }
}

#[test]
fn f15_a_password_in_the_address_goes_to_its_server_alone_and_is_never_shown() {
    const SECRET: &str = "correct-horse";
    let world = World::new();
    let scene = Scene::with_update(&world);
    let (thief, link) = (Proxy::to(scene.server.address()), world.link(&scene.server));
    let link = scene.proxy.through(&link).replace("http://", &format!("http://ana:{SECRET}@"));
    let station = world.station("with-password").with_env("STATIONMASTER_LOG", "trace");
    let mut said = vec![station.install(&link).finished.report()];
    assert!(scene.proxy.take_exchanges().iter().all(|exchange| exchange.authorization.is_some()), "the server is told");
    for (status, location) in [(302, format!("http://localhost:{}/x?token={SECRET}", thief.address().port())), (404, String::new())] {
        scene.proxy.calm();
        scene.proxy.on("/timestamp.json", Nth::Every, Fault::Answer(status, vec![("location", location)], Vec::new()));
        said.push(hasty(&station, &["update", "--yes"]).exits(3).finished.report());
    }
    assert_eq!(thief.take_exchanges(), [], "nobody else is");
    scene.proxy.calm();
    said.extend(["status", "check", "history"].map(|command| station.run(&[command]).finished.report()));
    for report in said {
        assert!(!report.contains(SECRET), "{report}");
    }
    for name in ["history.jsonl", "ratchet.json", "lock", "installed"] {
        assert!(!std::fs::read_to_string(station.state(name)).expect("read").contains(SECRET), "{name}");
    }
    let kept = std::fs::metadata(station.state("station.json")).expect("there");
    assert_eq!(kept.permissions().mode() & 0o777, 0o600, "the one place where it is kept is its owner's");
}

#[test]
fn c6_a_log_in_page_is_named_whatever_it_says_it_is() {
    const PAGE: &[u8] = b"\n <!DOCTYPE html><html><title>Welcome to our network</title>";
    let world = World::new();
    let scene = Scene::with_update(&world);
    for (part, kind) in
        METADATA.into_iter().flat_map(|part| [(part, "application/json"), (part, "text/html"), (part, "TEXT/HTML; charset=x")])
    {
        scene.proxy.calm();
        scene.proxy.on(part, Nth::Every, Fault::Answer(200, vec![("content-type", kind.into())], PAGE.to_vec()));
        let message = refuses(&scene, 3, &["web-page"], &format!("{part} as {kind}"));
        assert!(message.contains("log-in page"), "{message}");
    }
    scene.proxy.calm();
    scene.proxy.on("/objects/", Nth::Every, Fault::Answer(200, vec![("content-type", "text/html".into())], PAGE.to_vec()));
    refuses(&scene, 3, &["web-page"], "a page in the place of a file");
    scene.proxy.calm();
    scene.proxy.on("/", Nth::Every, Fault::Answer(511, Vec::new(), Vec::new()));
    refuses(&scene, 3, &["web-page"], "RFC 6585");
    scene.recovers("v2");
}

#[test]
fn c7_a_file_that_changed_between_two_parts_is_fetched_anew() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    // The file list, then the new files: their first half, and a second half of something else.
    scene.proxy.on("/objects/", Nth::Only(2), Fault::Cut(Spot::Percent(50)));
    scene.proxy.on("/objects/", Nth::Only(3), Fault::FlipBit(Spot::Byte(100)));
    hasty(&scene.station, &["update", "--yes"]).exits(0);
    let ranges: Vec<Option<String>> =
        scene.proxy.take_exchanges().into_iter().filter(|e| e.path.contains("/objects/")).map(|e| e.range).collect();
    assert!(matches!(&ranges[..], [None, None, Some(_), None]), "half, the other half, and all again: {ranges:?}");
    scene.station.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "right in the end");
}

#[test]
fn c7_a_wrong_range_is_refused_and_a_whole_file_for_a_range_is_coped_with() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.proxy.on("/objects/", Nth::Only(2), Fault::Cut(Spot::Percent(50)));
    scene.proxy.on("/objects/", Nth::From(3), Fault::Header("content-range", "bytes 0-9/10".into()));
    refuses(&scene, 4, &["untrusted"], "bytes that were not asked for");
    scene.proxy.calm();
    scene.proxy.on("/objects/", Nth::Every, Fault::DropRange);
    scene.recovers("v2");
}

#[test]
fn c8_a_name_that_leads_to_an_older_mirror_takes_no_station_back_and_holds_none_for_long() {
    const BEGIN: i64 = 1_795_000_000;
    let clock = |days: i64| Clock { unix: BEGIN + days * 86_400, zone: "UTC".into() };
    let world = World::at_time(clock(0));
    let scene = Scene::new(&world);
    let mirror = world.path("old-mirror");
    copy_tree(&scene.repository.dir, &mirror);
    let old = world.serve_copy("acme", &mirror, "old-mirror-server");
    let behind = world.station("behind");
    behind.install(&scene.proxy.through(&world.link(&scene.server)));
    let v2 = scene.publish_v2();
    scene.station.update().exits(0);

    scene.proxy.lead_to(old.address());
    // Who has seen the new release is not taken back.
    let refused = scene.station.check().exits(4);
    assert!(refused.json["error"]["message"].as_str().is_some_and(|message| message.contains("trusted before")), "{}", refused.json);
    scene.station.update().exits(4);
    scene.station.tree().assert_is(&v2.tree(), "still the new one");
    // Who has not is kept from it until the mirror's timestamp expires, and then says so.
    assert_eq!(behind.check().exits(0).text("decision"), "up-to-date");
    let late = behind.at_time(&clock(8)).check().exits(4);
    assert_eq!(late.json["error"]["code"], "expired", "{}", late.json);

    scene.proxy.lead_to(scene.server.address());
    behind.update().exits(0);
    behind.tree().assert_is(&v2.tree(), "caught up");
}

#[test]
fn ac_50_a_stale_edge_takes_no_station_back() {
    let world = World::new();
    let scene = Scene::new(&world);
    let edge = world.path("edge");
    copy_tree(&scene.repository.dir, &edge);
    let edge = world.serve_copy("acme", &edge, "edge-server");
    let v2 = scene.publish_v2();
    scene.station.update().exits(0);
    // One of two machines behind the address was not told of the new release.
    let both = Proxy::alternating(vec![edge.address(), scene.server.address()]);
    let text = std::fs::read_to_string(scene.station.state("station.json")).expect("read");
    let text = text.replace(&scene.proxy.address().to_string(), &both.address().to_string());
    std::fs::write(scene.station.state("station.json"), text).expect("written");
    let codes: Vec<i32> = (0..6).map(|_| scene.station.check().code).collect();
    assert!(codes.contains(&4) && codes.iter().all(|code| [0, 4].contains(code)), "{codes:?}");
    let refused = scene.station.history().into_iter().filter(|line| line["result"] == "applied").count();
    assert_eq!(refused, 2, "installed, updated, and never back");
    scene.station.tree().assert_is(&v2.tree(), "still the new one");
}

#[test]
fn c14_a_station_that_was_given_another_manifest_than_the_rest_shows_in_what_it_reports() {
    let world = World::new();
    let scene = Scene::new(&world);
    let alike = world.station("alike");
    let singled_out = world.station("singled-out");
    let link = scene.proxy.through(&world.link(&scene.server));
    alike.install(&link);
    singled_out.install(&link);
    scene.publish_v2();
    scene.station.update().exits(0);
    alike.update().exits(0);

    // The OS key is in the wrong hands: the same release, number and build, with other files, for one station alone.
    let forge = Forge::of(&scene.repository);
    let mut channel = forge.channel(TARGET);
    let mut manifest = forge.manifest(&channel["releases"][0]);
    manifest["directories"] = json!(["planted"]);
    let stored = zstd::bulk::compress(&serde_json::to_vec(&manifest).expect("JSON"), 3).expect("compressed");
    channel["releases"][0]["manifest"] = json!({"sha256": forge.put_object(&stored), "length": stored.len()});
    forge.publish_channel("linux", TARGET, &channel);
    singled_out.update().exits(0);

    let status = |station: &Station| station.run(&["status"]).exits(0).json;
    let (one, other, odd) = (status(&scene.station), status(&alike), status(&singled_out));
    assert_eq!(one["installed"], odd["installed"], "by build and number nobody can tell");
    assert_eq!(one["trusted"], other["trusted"], "those who were given the same report the same");
    let differs = |name: &str| one["trusted"][name]["sha256"] != odd["trusted"][name]["sha256"];
    for (name, expected) in [("manifest", true), ("channel", true), ("linux", true), ("root", false), ("targets", false), ("policy", false)]
    {
        assert_eq!(differs(name), expected, "{name}");
    }
    for (name, has_version) in
        [("root", true), ("timestamp", true), ("snapshot", true), ("targets", true), ("linux", true), ("policy", false)]
    {
        let file: &Value = &one["trusted"][name];
        assert_eq!(file["sha256"].as_str().map(str::len), Some(64), "{name}: {file}");
        assert_eq!((file["version"].is_u64(), file["expires"].is_string()), (has_version, has_version), "{name}: {file}");
    }
    let explained = std::process::Command::new(system_tests::world::program("updater"))
        .args(["status", "--explain", "--dir"])
        .arg(&singled_out.dir)
        .output()
        .expect("started");
    let manifest = odd["trusted"]["manifest"]["sha256"].as_str().expect("a digest");
    assert!(String::from_utf8_lossy(&explained.stdout).contains(manifest), "{explained:?}");
}
