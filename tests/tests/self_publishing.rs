//! Folders that publish themselves: a real server, real files that come and go, and a real updater (AC-05, AC-56…AC-59).

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::disk::Disk;
use system_tests::process::run;
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::world::{Build, Repository, T0, World, get, noise, program};

/// Longest that a folder may take to be published.
const PATIENCE: Duration = Duration::from_secs(120);

/// A repository, and a server that publishes the folder `upd` into it as `client` for Linux.
fn serve(world: &World, repository: &Repository<'_>, keys: &str, more: &str) -> Server {
    let config = world.path("server.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\ninstall_documents = \"links\"\n[[repository]]\nname = \"acme\"\npath = \"{}\"\nkeys = \"{keys}\"\n\
         [[folder]]\npath = \"upd\"\nrepository = \"acme\"\nproduct = \"client\"\narch = \"x86_64\"\nsettle_seconds = 1\n{more}\n",
        repository.dir.display()
    );
    let text = if more.contains("os = ") { text } else { format!("{text}os = \"linux\"\n") };
    fs::write(&config, text).expect("configuration written");
    let mut command = Command::new(program("update-server"));
    Server::start(command.args(["serve", "--config"]).arg(&config), &config, "acme")
}

fn all_keys(repository: &Repository<'_>) -> String {
    format!("{}.keys", repository.dir.display())
}

fn ready(server: &Server) -> Value {
    let answer = String::from_utf8(get(server.address(), "/readyz").expect("the server answers")).expect("text");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head and a body").1).expect("JSON")
}

/// The only folder in `/readyz`, once `wanted` holds for it.
fn folder(server: &Server, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let found = ready(server)["folders"][0].clone();
        if wanted(&found) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{found:#}\n{}", server.output());
        std::thread::yield_now();
    }
}

fn released(server: &Server, sequence: u64) -> Value {
    folder(server, |folder| folder["state"] == "published" && folder["sequence"] == sequence)
}

/// A station that has installed from `server`.
fn installed(world: &World, server: &Server) -> Station {
    let station = world.station("station");
    let mut command = Command::new(program("update-server"));
    command.args(["link", "--repository", "acme", "--product", "client", "--arch", "x86_64", "--os", "linux"]);
    let done = run(command.arg("--base-url").arg(format!("http://{}/", server.address())).arg("--config").arg(&server.config), PATIENCE);
    station.install(done.succeeded("link").stdout.trim());
    station
}

/// Waits until the station is offered the release, for servers do not look at the disk for every request; then takes it.
fn update(station: &Station) {
    let started = Instant::now();
    while station.check().code != 10 {
        assert!(started.elapsed() < PATIENCE, "nothing is offered");
    }
    station.update().exits(0);
}

fn first(world: &World) -> Build {
    let build = world.build("upd");
    build.exec("client", noise(1, 60_000), T0).file("client.ini", "[a]\n", T0);
    build
}

#[test]
fn ac_59_while_files_are_copied_stations_see_the_last_release_and_then_the_next_one_whole() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let before = build.copy("before");
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    let station = installed(&world, &server);
    station.tree().assert_is(&before.tree(), "the first release");

    // Somebody copies: one file is there already, another is being written for longer than any settle time.
    build.file("lib/first.so", noise(2, 5_000), T0 + 9);
    let mut copied = fs::File::create(build.dir.join("lib/second.so")).expect("created");
    copied.write_all(&noise(3, 40_000)).expect("written");
    let busy = folder(&server, |folder| folder["state"] == "busy");
    assert_eq!((busy["sequence"].as_u64(), busy.get("fault")), (Some(1), None), "stations have what they had: {busy}");
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    copied.write_all(&noise(4, 40_000)).expect("written");
    copied.sync_all().expect("on disk");
    drop(copied);
    released(&server, 2);
    update(&station);
    station.tree().assert_is(&build.tree(), "all of it, and no restart");
}

#[test]
fn ac_59_a_program_that_was_cut_off_is_not_published_and_named() {
    let world = World::new();
    let repository = world.repository("acme");
    let whole = fs::read(program("updater")).expect("a program");
    let build = first(&world);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    build.exec("client", &whole[..whole.len() / 2], T0 + 1);
    let refused = folder(&server, |folder| folder["state"] == "refused");
    assert_eq!(refused["rules"][0], "truncated-program");
    assert!(refused["fault"].as_str().is_some_and(|fault| fault.contains("`client`") && fault.contains("cut off")), "{refused}");
    let metrics = String::from_utf8(get(server.address(), "/metrics").expect("metrics")).expect("text");
    assert!(
        metrics.contains(r#"folder_breaks_rule{repository="acme",channel="linux/client/x86_64/stable.json",rule="truncated-program"} 1"#),
        "{metrics}"
    );
    assert!(server.output().contains("truncated-program"), "the log names the rule\n{}", server.output());
    // A copy that took its room on the disk first, and one that has yet to begin.
    let refused_for = |words: &str| {
        folder(&server, |folder| folder["state"] == "refused" && folder["fault"].as_str().is_some_and(|fault| fault.contains(words)));
    };
    build.exec("client", [&whole[..4096], &vec![0; whole.len() - 4096]].concat(), T0 + 1);
    refused_for("`client` is a program whose copying was not done");
    build.exec("lib/more.so", "", T0 + 1);
    refused_for("`lib/more.so` is empty");
    build.remove("lib/more.so");
    let station = installed(&world, &server);
    assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
    build.exec("client", &whole, T0 + 1);
    released(&server, 2);
    update(&station);
    station.tree().assert_is(&build.tree(), "whole");
}

#[test]
fn ac_05_a_folder_that_goes_back_to_older_files_takes_stations_back_under_a_new_number() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let old = build.copy("old");
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    build.exec("client", noise(7, 50_000), T0 + 5);
    released(&server, 2);
    let station = installed(&world, &server);
    build.exec("client", noise(1, 60_000), T0);
    let back = released(&server, 3);
    assert!(back["build"].as_str().is_some_and(|build| build.ends_with(".3")), "{back}");
    update(&station);
    station.tree().assert_is(&old.tree(), "the older files (S3-26)");
}

#[test]
fn ac_05_where_no_way_back_is_allowed_an_older_build_is_refused_with_its_reason() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let keys = all_keys(&repository);
    let server = serve(&world, &repository, &keys, "build = \"17.3.0.14\"\nallow_downgrade = false");
    released(&server, 1);
    drop(server);
    build.exec("client", noise(7, 50_000), T0 + 5);
    let server = serve(&world, &repository, &keys, "build = \"17.3.0.9\"\nallow_downgrade = false");
    let failed = folder(&server, |folder| folder["state"] == "failed");
    let fault = failed["fault"].as_str().expect("a reason");
    assert!(fault.contains("17.3.0.9") && fault.contains("17.3.0.14") && fault.contains("allow"), "{fault}");
    drop(server);
    let server = serve(&world, &repository, &keys, "build = \"17.3.0.9\"\nserver_build = \"17.3.0.14\"");
    assert_eq!(released(&server, 2)["build"], "17.3.0.9");
    let listed = repository.manifests(&["--json", "list", repository.text()]).succeeded("list");
    assert!(listed.stdout.contains("17.3.0.14"), "the channel says which server its clients talk to (D-07): {}", listed.stdout);
}

#[test]
fn the_same_content_is_no_release_and_other_times_alone_send_no_content() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    let station = installed(&world, &server);
    // The same again: somebody copied everything once more, times kept.
    build.exec("client", noise(1, 60_000), T0).file("client.ini", "[a]\n", T0).file("new", "x", T0);
    released(&server, 2);
    build.exec("client", noise(1, 60_000), T0).file("new", "x", T0);
    build.file("client.ini", "[a]\n", T0 + 60);
    released(&server, 3);
    update(&station);
    station.tree().assert_is(&build.tree(), "times, too");
    drop(server);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 3);
}

#[test]
fn ac_56_capitals_are_served_or_refused_as_is_set_and_twins_are_never_published() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = world.build("upd");
    build.exec("Client", noise(1, 9_000), T0);
    let keys = all_keys(&repository);
    let server = serve(&world, &repository, &keys, "names = \"strict-lower\"");
    let refused = folder(&server, |folder| folder["state"] == "refused");
    assert_eq!(refused["rules"], serde_json::json!(["upper-case"]));
    drop(server);
    let server = serve(&world, &repository, &keys, "names = \"as-is\"\nentry_point = \"client\"");
    let refused = folder(&server, |folder| folder["state"] == "refused");
    assert_eq!(refused["rules"], serde_json::json!(["entry-point-missing"]));
    drop(server);
    let server = serve(&world, &repository, &keys, "names = \"fold\"\nentry_point = \"client\"");
    released(&server, 1);
    installed(&world, &server).tree().assert_is(&build.tree(), "as the folder spells it");
    build.exec("client", noise(1, 9_000), T0);
    let refused = folder(&server, |folder| folder["state"] == "refused");
    assert_eq!(refused["rules"], serde_json::json!(["case-collision"]));
}

#[test]
fn ac_57_a_folder_for_macos_without_its_bundle_is_refused_and_with_it_arrives_whole() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = world.build("upd");
    build.exec("smartclient", noise(1, 9_000), T0);
    let server = serve(&world, &repository, &all_keys(&repository), "os = \"macosx\"");
    let refused = folder(&server, |folder| folder["state"] == "refused");
    assert_eq!(refused["rules"], serde_json::json!(["no-app-bundle"]));
    build.remove("smartclient").exec("client.app/Contents/MacOS/client", noise(1, 9_000), T0).file(
        "client.app/Contents/Resources/x",
        "x",
        T0,
    );
    build.link("client.app/Contents/Frameworks/current", "../MacOS/client");
    released(&server, 1);
    let mut command = Command::new(program("update-server"));
    command.args(["link", "--repository", "acme", "--product", "client", "--arch", "x86_64", "--os", "macos"]);
    let done = run(command.arg("--base-url").arg(format!("http://{}/", server.address())).arg("--config").arg(&server.config), PATIENCE);
    let station = world.station("station");
    station.install(done.succeeded("link").stdout.trim());
    station.tree().assert_is(&build.tree(), "nested folders, modes and links");
}

#[test]
fn ac_58_a_folder_that_is_not_what_it_should_be_is_refused_and_each_rule_is_named() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = world.build("upd");
    build.file("client.zip", noise(1, 9_000), T0);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    let rules = |wanted: &[&str]| {
        let wanted = serde_json::json!(wanted);
        folder(&server, |folder| folder["state"] == "refused" && folder["rules"] == wanted);
    };
    rules(&["only-archives"]);
    build.remove("client.zip").file("client", "x", T0).file("smartclient.log", "x", T0).file("bkp_remote.001/client", "x", T0);
    rules(&["client-backup", "live-client"]);
    build.remove("smartclient.log").remove("bkp_remote.001/client").file("appserver.ini", "x", T0);
    fs::remove_dir(build.dir.join("bkp_remote.001")).expect("removed");
    rules(&["server-folder"]);
    build.remove("appserver.ini").remove("client");
    rules(&["empty-folder"]);
    build.file("client", "x", T0);
    released(&server, 1);
}

#[test]
fn where_the_targets_key_is_elsewhere_the_server_says_what_to_run_and_goes_on_by_itself_once_it_is_done() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let safe = world.path("safe.keys");
    let repo = repository.text();
    repository.manifests(&["keys", "split", repo, "--to", safe.to_str().expect("UTF-8")]).succeeded("keys split");
    let server = serve(&world, &repository, &all_keys(&repository), "");
    let told = folder(&server, |folder| folder["state"] == "no-role");
    let fault = told["fault"].as_str().expect("a reason");
    assert!(fault.contains("manifests folders add") && fault.contains("--request"), "{fault}");
    let request = world.path("folder.json");
    let request = request.to_str().expect("UTF-8");
    let channel = ["--product", "client", "--os", "linux", "--arch", "x86_64"];
    repository.manifests(&[&["folders", "add", repo, "--request", request][..], &channel].concat()).succeeded("folders add");
    repository.manifests(&["sign", "--request", request, "--keys", safe.to_str().expect("UTF-8"), "--yes"]).succeeded("sign");
    repository.manifests(&["commit", request, "--repo", repo]).succeeded("commit");
    // The server looks again within half a minute; a change of the folder wakes it at once.
    build.file("note", "x", T0);
    released(&server, 1);
    let station = installed(&world, &server);
    station.tree().assert_is(&build.tree(), "installed");
    let status = station.run(&["status"]).exits(0);
    assert_eq!(status.json["online_roles"], serde_json::json!(["folder.linux.client.x86_64.stable", "snapshot", "timestamp"]));
    assert_eq!(ready(&server)["repositories"][0]["keys_on_server"], status.json["online_roles"]);
    let listed = repository.manifests(&["folders", "list", repo]).succeeded("folders list");
    assert!(listed.stdout.contains("sequence 1"), "{}", listed.stdout);
}

#[test]
fn a_release_that_was_withdrawn_is_not_made_again_of_the_same_files() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let keys = all_keys(&repository);
    let server = serve(&world, &repository, &keys, "");
    released(&server, 1);
    build.file("bad", "x", T0);
    released(&server, 2);
    let channel = ["--product", "client", "--os", "linux", "2", "--reason", "crashes"];
    repository.manifests(&[&["withdraw", repository.text()][..], &channel].concat()).succeeded("withdraw");
    drop(server);
    let server = serve(&world, &repository, &keys, "");
    let failed = folder(&server, |folder| folder["state"] == "failed");
    assert!(failed["fault"].as_str().is_some_and(|fault| fault.contains("withdrawn") && fault.contains("crashes")), "{failed}");
    build.file("bad", "mended", T0 + 1);
    released(&server, 3);
}

#[test]
fn a_folder_that_was_gone_for_a_moment_and_comes_back_as_it_was_is_published_again_without_a_release() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    let away = world.path("away");
    fs::rename(&build.dir, &away).expect("renamed");
    // Wakes the server, which would look by itself half a minute later.
    fs::write(away.join("wake"), "x").expect("written");
    let gone = folder(&server, |folder| folder["state"] == "unreadable");
    assert!(gone["fault"].is_string(), "{gone}");
    fs::remove_file(away.join("wake")).expect("removed");
    fs::rename(&away, &build.dir).expect("renamed back");
    released(&server, 1);

    // Somebody opens a file for writing, lets the server see that, and leaves everything as it was.
    let opened = fs::File::options().append(true).open(build.dir.join("client.ini")).expect("opened");
    fs::write(build.dir.join("wake"), "x").expect("written");
    folder(&server, |folder| folder["state"] == "busy");
    fs::remove_file(build.dir.join("wake")).expect("removed");
    drop(opened);
    released(&server, 1);
}

#[test]
fn other_content_with_the_length_and_the_time_of_the_old_is_published() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    let station = installed(&world, &server);
    build.exec("client", noise(9, 60_000), T0);
    released(&server, 2);
    update(&station);
    assert_eq!(fs::read(station.file("client")).expect("read"), noise(9, 60_000));
}

#[test]
fn a_disk_that_was_full_is_tried_again_although_the_folder_stays_as_it_is() {
    let world = World::new();
    let Some(disk) = Disk::in_memory(world.path("repositories"), "size=2m") else { return };
    let repository = world.repository("acme");
    let build = first(&world);
    build.exec("client", noise(1, 6_000_000), T0);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    let failed = folder(&server, |folder| folder["state"] == "failed");
    assert!(failed["fault"].as_str().is_some_and(|fault| fault.contains("No space left")), "{failed}");
    disk.remount("size=64m");
    released(&server, 1);
}

#[test]
fn a_role_that_no_folder_serves_is_told_of_and_a_folder_that_lost_its_role_says_how_to_get_it_back() {
    let world = World::new();
    let repository = world.repository("acme");
    let build = first(&world);
    let server = serve(&world, &repository, &all_keys(&repository), "");
    released(&server, 1);
    let config = server.config.clone();
    drop(server);
    let restart = || Server::start(Command::new(program("update-server")).args(["serve", "--config"]).arg(&config), &config, "acme");
    let text = fs::read_to_string(&config).expect("the configuration");
    fs::write(&config, text.split("[[folder]]").next().expect("what is before")).expect("written");
    let server = restart();
    let warned = ready(&server)["repositories"][0]["warnings"].to_string();
    assert!(
        warned.contains("no [[folder]] publishes client stable for linux x86_64") && warned.contains("manifests folders remove"),
        "{warned}"
    );
    drop(server);

    fs::write(&config, text).expect("written");
    let server = restart();
    released(&server, 1);
    assert!(!ready(&server)["repositories"][0]["warnings"].to_string().contains("no [[folder]]"));
    let channel = ["--product", "client", "--os", "linux", "--arch", "x86_64"];
    repository.manifests(&[&["folders", "remove", repository.text()][..], &channel].concat()).succeeded("folders remove");
    build.file("note", "x", T0);
    let told = folder(&server, |folder| folder["state"] == "no-role");
    assert!(told["fault"].as_str().is_some_and(|fault| fault.contains("restart the server")), "{told}");
    drop(server);
    released(&restart(), 2);
}
