//! What a station and a server may spend, in bytes, counted on the wire and on the disk.
//!
//! Every message gives the parts, so that a budget that is broken says by what.

use std::fs;
use std::path::Path;

use serde_json::json;
use system_tests::forge::Forge;
use system_tests::proxy::{Exchange, body_bytes};
use system_tests::world::{Repository, T0, TARGET, World, noise, set_mtime};

/// Most bytes of body that a check with nothing new may cost.
const NO_OP: u64 = 600;
/// Most bytes of body that a release may cost in which nothing but file times changed.
const TOUCHED: u64 = 5 << 10;
/// Longest channel document with thirty live releases as `manifests publish` makes them, in bytes.
const CHANNEL: u64 = 10 << 10;
/// The same, when each of them also requires a server and an updater. Above the budget: each release says for itself what all of them say.
const CHANNEL_WITH_REQUIREMENTS: u64 = 14 << 10;
/// Live releases of a busy channel.
const LIVE: usize = 30;
/// Releases of a product over many years.
const MANY: usize = 1000;

/// Each answer with its bytes of body and of both heads.
fn listed(exchanges: &[Exchange]) -> String {
    let line = |e: &Exchange| format!("  {} {} {}: {} bytes of body, {} of heads\n", e.method, e.path, e.status, e.body, e.heads);
    format!("\n{}", exchanges.iter().map(line).collect::<String>())
}

/// Bytes of body and of heads of all answers.
fn cost(exchanges: &[Exchange]) -> (u64, u64) {
    (exchanges.iter().map(|e| e.body).sum(), exchanges.iter().map(|e| e.heads).sum())
}

/// The length of the newest file of each role, in bytes.
fn role_sizes(repository: &Repository<'_>) -> Vec<(String, u64)> {
    let newest = |role: &str| {
        let of_role = |name: &str| name.strip_suffix(&format!(".{role}.json")).and_then(|version| version.parse::<u64>().ok());
        let files = fs::read_dir(repository.dir.join("metadata")).expect("listed").map(|entry| entry.expect("listed"));
        let newest = files.filter_map(|entry| Some((of_role(entry.file_name().to_str()?)?, entry.path()))).max();
        newest.unwrap_or_else(|| panic!("no file of {role}")).1
    };
    let length = |path: &Path| fs::metadata(path).expect("there").len();
    let mut sizes: Vec<(String, u64)> =
        ["root", "targets", "linux", "snapshot"].map(|role| (role.to_owned(), length(&newest(role)))).into();
    sizes.push(("timestamp".to_owned(), length(&repository.dir.join("metadata/timestamp.json"))));
    sizes
}

fn size_of(sizes: &[(String, u64)], role: &str) -> u64 {
    sizes.iter().find(|(name, _)| name == role).expect("a role").1
}

#[test]
fn a_check_with_nothing_new_costs_at_most_600_bytes_of_body() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 5000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    proxy.take_exchanges();

    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    let same = proxy.take_exchanges();
    assert_eq!(same.len(), 1, "{}", listed(&same));
    assert_eq!(cost(&same).0, 0, "a timestamp that did not change is not sent again: {}", listed(&same));
    assert!(cost(&same).1 <= 1500, "with its heads: {}", listed(&same));

    repository.manifests(&["refresh", repository.text()]).succeeded("manifests refresh");
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    let renewed = proxy.take_exchanges();
    let sizes = role_sizes(&repository);
    assert!(cost(&renewed).0 <= NO_OP, "after the daily signing, with roles of {sizes:?}: {}", listed(&renewed));
}

/// Publishes `files` files, gives all of them another time, and returns what the update costs.
fn touched(files: usize) -> (u64, String) {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 200_000), T0);
    for n in 1..files {
        v1.file(&format!("lib/module-{n:04}.dll"), noise(n as u64, 2000), T0);
    }
    repository.publish_with(&v1, &["--build", "1.0.0", "--entry-point", "client"]).succeeded("manifests publish");
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    let station = world.station("client");
    station.install(&link);
    let v2 = v1.copy("v2");
    for n in 1..files {
        set_mtime(&v2.dir.join(format!("lib/module-{n:04}.dll")), T0 + 3600);
    }
    set_mtime(&v2.dir.join("client"), T0 + 3600);
    repository.publish_with(&v2, &["--build", "2.0.0", "--entry-point", "client"]).succeeded("manifests publish");
    proxy.take_exchanges();
    station.update().exits(0);
    let exchanges = proxy.take_exchanges();
    station.tree().assert_is(&v2.tree(), "the new times");
    let manifest = Forge::of(&repository).channel(TARGET)["releases"][0]["manifest"]["sha256"].as_str().expect("a digest").to_owned();
    let content = body_bytes(&exchanges, "/objects/") - body_bytes(&exchanges, &manifest);
    assert_eq!(content, 0, "no content is sent again: {}", listed(&exchanges));
    (cost(&exchanges).0, listed(&exchanges))
}

#[test]
fn a_release_in_which_only_times_changed_costs_at_most_5_kb() {
    // The manifest is sent whole, about 45 bytes for each file: a large tree needs deltas of manifests to stay below.
    for files in [1, 40] {
        let (bytes, parts) = touched(files);
        assert!(bytes <= TOUCHED, "{files} files: {bytes} bytes of body: {parts}");
    }
}

#[test]
fn a_channel_document_with_thirty_live_releases_is_at_most_10_kb() {
    let world = World::in_memory();
    let repository = world.repository("acme");
    let build = world.build("build");
    for n in 1..=LIVE {
        build.exec("smartclient", format!("build {n}"), T0);
        let notes = format!("{:.<80}", format!("Release {n}: printing works again on shops with two printers "));
        let version = format!("17.3.0.{n}");
        let options = ["--build", &version, "--entry-point", "smartclient", "--approver", "J. Silva", "--notes", &notes];
        repository.publish_with(&build, &options).succeeded("manifests publish");
    }
    let mut channel = Forge::of(&repository).channel(TARGET);
    let (_server, proxy, link) = world.serve_through_proxy(&repository);
    world.station("client").install(&link);
    let exchanges = proxy.take_exchanges();
    let bytes = body_bytes(&exchanges, "stable.json");
    assert_eq!(channel["releases"].as_array().expect("releases").len(), LIVE);
    assert!(bytes <= CHANNEL, "{bytes} bytes, {} for each release; roles {:?}", bytes / LIVE as u64, role_sizes(&repository));

    // What the publisher's tool has no option for yet.
    for release in channel["releases"].as_array_mut().expect("releases") {
        release["requires"] = json!({
            "server": {"scheme": "totvs", "build": "7.00.170117A"},
            "updater": {"scheme": "semver", "build": "0.1.0"},
        });
    }
    let bytes = serde_json::to_vec(&channel).expect("JSON").len() as u64;
    assert!(bytes <= CHANNEL_WITH_REQUIREMENTS, "{bytes} bytes, {} for each release", bytes / LIVE as u64);
}

#[test]
fn roles_and_channel_documents_do_not_grow_with_past_releases() {
    let world = World::in_memory();
    let repository = world.repository("acme");
    let build = world.build("build");
    // As many digits as at the end.
    let publish = |n: usize| {
        build.exec("client", format!("build {n}"), T0);
        repository.publish(&build, &format!("1.0.{n}"));
    };
    let document = || serde_json::to_vec(&Forge::of(&repository).channel(TARGET)).expect("JSON").len();
    publish(1000);
    let (first, first_document) = (role_sizes(&repository), document());
    for n in 1001..1000 + MANY {
        publish(n);
        if n % 100 == 0 {
            repository.manifests(&["prune", repository.text(), "--keep", "1"]).succeeded("manifests prune");
        }
    }
    repository.manifests(&["prune", repository.text(), "--keep", "1"]).succeeded("manifests prune");
    let (last, last_document) = (role_sizes(&repository), document());
    for role in ["root", "targets", "linux", "snapshot", "timestamp"] {
        assert_eq!(size_of(&last, role), size_of(&first, role), "{role} after one release {first:?}, after {MANY} {last:?}");
    }
    // The sequence has three digits more, in two places.
    assert_eq!(last_document, first_document + 6, "the channel document after one release and after {MANY}");
}
