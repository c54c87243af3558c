//! What a publisher may hand in, and what is refused with the name of the rule (AC-56 to AC-58).

use std::fs;

use system_tests::process::Finished;
use system_tests::world::{T0, World, noise};

/// Panics unless publishing was refused for this rule.
#[track_caller]
fn refused(done: &Finished, rule: &str) {
    assert_ne!(done.code(), 0, "published although `{rule}` is broken\n{}", done.report());
    assert!(done.report().contains(rule), "the rule `{rule}` is not named\n{}", done.report());
}

#[test]
fn ac_56_names_with_capitals_are_refused_only_where_lower_case_is_demanded() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("SmartClient.exe", noise(1, 5000), T0).file("Lib/a.dll", "a", T0);
    let windows = ["--os", "windows", "--build", "1.0.0"];
    let strict = repository.publish_with(&v1, &[&windows[..], &["--names", "strict-lower"]].concat());
    refused(&strict, "upper-case");
    for path in ["SmartClient.exe", "Lib"] {
        assert!(strict.report().contains(path), "{path} is listed\n{}", strict.report());
    }
    repository.publish_with(&v1, &[&windows[..], &["--names", "fold"]].concat()).succeeded("publish with folded names");
}

#[test]
fn ac_56_a_windows_station_takes_a_name_in_other_case_for_the_same_file() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("smartclient.exe", noise(1, 5000), T0).file("lib/a.dll", "a", T0);
    repository.publish_with(&v1, &["--os", "windows", "--build", "1.0.0"]).succeeded("publish");
    let server = world.serve(&repository);
    let existing = world.build("client");
    existing.exec("SmartClient.exe", noise(2, 4000), T0 - 100);
    let station = world.station("client");
    station.run(&["install", &world.link(&server), "--os", "windows"]).exits(0);
    let programs: Vec<_> =
        station.tree().iter().map(|(path, _)| path.to_owned()).filter(|path| path.eq_ignore_ascii_case("smartclient.exe")).collect();
    assert_eq!(programs.len(), 1, "no duplicate: {programs:?}");
    assert_eq!(fs::read(station.file(&programs[0])).expect("read"), noise(1, 5000));
}

#[test]
fn ac_56_two_names_that_differ_only_by_case_are_refused() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.file("A.dll", "A", T0).file("a.dll", "a", T0);
    for os in ["windows", "linux", "macosx"] {
        refused(&repository.publish_with(&v1, &["--os", os, "--build", "1.0.0"]), "case-collision");
    }
}

#[test]
fn ac_57_a_macosx_product_comes_as_an_application_bundle() {
    let world = World::new();
    let repository = world.repository("acme");
    let options = ["--product", "smartclient", "--os", "macosx", "--build", "1.0.0"];
    let bare = world.build("bare");
    bare.exec("smartclient", "bin", T0);
    refused(&repository.publish_with(&bare, &options), "no-app-bundle");

    let v1 = world.build("v1");
    v1.exec("smartclient.app/Contents/MacOS/smartclient", noise(1, 40_000), T0)
        .file("smartclient.app/Contents/Info.plist", "<plist/>", T0)
        .file("smartclient.app/Contents/Frameworks/Qt.framework/Versions/A/Qt", noise(2, 40_000), T0)
        .link("smartclient.app/Contents/Frameworks/Qt.framework/Versions/Current", "A")
        .exec("smartclient.app/Contents/Helpers/crash reporter", noise(3, 4000), T0);
    repository.publish_with(&v1, &options).succeeded("publish with a bundle");
    let server = world.serve(&repository);
    let station = world.station("client");
    let link = world.link_of(&server, "smartclient");
    station.run(&["install", &link, "--os", "macosx"]).exits(0);
    station.tree().assert_is(&v1.tree(), "nested tree, modes and links arrive");
}

#[test]
fn ac_51_a_link_out_of_the_build_is_refused() {
    let world = World::new();
    let repository = world.repository("acme");
    for (n, target) in ["/etc/passwd", "../outside", "a/../../outside", "bkp_remote.001/x", ".updater/journal"].iter().enumerate() {
        let build = world.build(&format!("v{n}"));
        build.file("a/x", "x", T0).link("bad", target);
        refused(&repository.publish_with(&build, &["--build", "1.0.0"]), "link-escapes");
    }
    let build = world.build("windows");
    build.file("x", "x", T0).link("y", "x");
    refused(&repository.publish_with(&build, &["--os", "windows", "--build", "1.0.0"]), "link-not-allowed");
}

#[test]
fn ac_58_the_wrong_folder_is_recognised_and_the_rule_named() {
    let world = World::new();
    let repository = world.repository("acme");
    let refuse = |name: &str, files: &[&str], rule: &str| {
        let build = world.build(name);
        for path in files {
            build.file(path, path, T0);
        }
        refused(&repository.publish_with(&build, &["--build", "1.0.0"]), rule);
    };
    refuse("zips", &["client.zip", "more.ZIP"], "only-archives");
    refuse("empty", &[], "empty-folder");
    refuse("log", &["client", "client.log"], "live-client");
    refuse("lock", &["client", "session.lck"], "live-client");
    refuse("backup", &["client", "bkp_remote.001/client"], "client-backup");
    refuse("state", &["client", ".updater/station.json"], "updater-state");
    refuse("server", &["appserver.ini", "client"], "server-folder");
    refuse("reserved", &["client", "aux.dll"], "device-name");
    refuse("alias", &["client", "progra~1.exe"], "short-name");
    let own = world.build("repositories");
    refused(&repository.publish_with(&own, &["--build", "1.0.0"]), "own-repository");
}

#[test]
fn what_was_refused_changes_nothing_and_what_is_published_verifies() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), T0);
    repository.publish(&v1, "1.0.0");
    let before = system_tests::tree::Tree::read(&repository.dir).without(".lock");
    v1.file("A", "", T0).file("a", "", T0);
    refused(&repository.publish_with(&v1, &["--build", "2.0.0"]), "case-collision");
    system_tests::tree::Tree::read(&repository.dir).without(".lock").assert_is(&before, "the repository is untouched");
    repository.manifests(&["verify", repository.text()]).succeeded("manifests verify");
}

#[test]
fn a_zip_is_published_as_what_is_in_it() {
    let world = World::new();
    let repository = world.repository("acme");
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 50_000), T0).file("lib/a.so", noise(2, 50_000), T0);
    let zip = world.path("v1.zip");
    let script = "import sys, zipfile, os\nz = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED)\nfor d, _, fs in os.walk(sys.argv[1]):\n  for f in fs:\n    p = os.path.join(d, f)\n    z.write(p, os.path.relpath(p, sys.argv[1]))\nz.close()";
    let mut python = std::process::Command::new("python3");
    system_tests::process::run(python.args(["-c", script]).arg(&v1.dir).arg(&zip), std::time::Duration::from_secs(60)).succeeded("zip");
    let mut arguments = vec!["publish", zip.to_str().expect("UTF-8"), "--repo", repository.text()];
    arguments.extend(["--product", "client", "--os", "linux", "--arch", "x86_64", "--build", "1.0.0"]);
    repository.manifests(&arguments).succeeded("publish a zip");
    let server = world.serve(&repository);
    let station = world.station("client");
    station.install(&world.link(&server));
    for path in ["client", "lib/a.so"] {
        assert_eq!(fs::read(station.file(path)).expect("read"), fs::read(v1.dir.join(path)).expect("read"), "{path}");
    }
}
