//! `status` for those who may only look, and for folders that have lost something.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use system_tests::scene::Scene;
use system_tests::world::{World, program};

#[test]
fn status_works_where_nothing_may_be_written() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    // A place that everybody can reach, and a program that everybody can start.
    fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).expect("set");
    let updater = world.path("updater");
    fs::copy(program("updater"), &updater).expect("copied");
    let mut command = std::process::Command::new(&updater);
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere; nobody may not.
        command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&updater);
    } else {
        for folder in [".updater", ".updater/trash", ".updater/parts", ".updater/staging"] {
            fs::set_permissions(scene.station.file(folder), fs::Permissions::from_mode(0o555)).expect("set");
        }
        fs::set_permissions(scene.station.state("lock"), fs::Permissions::from_mode(0o444)).expect("set");
    }
    command.args(["status", "--json", "--dir"]).arg(&scene.station.dir);
    let done = system_tests::process::run(&mut command, std::time::Duration::from_secs(60)).succeeded("updater status");
    let status: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(status["installed"]["build"], "1.0.0", "{status}");
    assert_eq!(status["decision"], "up-to-date", "{status}");
    assert_eq!(status["trusted"]["root"]["version"], 1, "{status}");
    assert!(done.stderr.contains("nothing can be written here"), "{}", done.report());
}

#[test]
fn status_says_what_is_missing_and_how_to_get_it() {
    let world = World::new();
    let scene = Scene::new(&world);
    for name in ["policy.json", "channel.json"] {
        fs::remove_file(scene.station.state("trust").join(name)).expect("removed");
        let status = scene.station.run(&["status"]).exits(0);
        let reason = status.text("reason");
        assert!(reason.contains("not kept on this computer") && reason.contains("updater check"), "{name}: {reason}");
        assert!(!reason.contains("404"), "{name}: {reason}");
        scene.station.check().exits(0);
        assert_eq!(scene.station.run(&["status"]).exits(0).text("decision"), "up-to-date", "the message was right");
    }
}
