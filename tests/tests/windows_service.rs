//! The profile `service` of the Windows updater, run by Wine: what others can change is found in owners and lists (attack F4), and the agent works behind a named pipe.
//!
//! Wine makes owner and list of a file out of its Unix owner and mode, and takes nothing else. `docs/windows.md` says what that leaves out.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::service::finish;
use system_tests::station::Outcome;
use system_tests::tree::Tree;
use system_tests::wine::{Wine, client, windows_program};
use system_tests::world::{Build, Repository, T0, World, noise};

/// A computer with Windows, where an administrator installs and others ask; a publisher with 1.0.0.
struct Shop<'a> {
    place: tempfile::TempDir,
    name: String,
    v1: Build,
    link: String,
    repository: Repository<'a>,
    _server: (Server, Proxy),
}

impl<'a> Shop<'a> {
    fn new(world: &'a World) -> Shop<'a> {
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.file("Client.exe", client(1), T0).file("lib/Core.dll", noise(1, 50_000), T0).file("client.ini", "[main]\n", T0);
        publish(&repository, &v1, "1.0.0");
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        let (place, name) = Wine::ready().place_on_c();
        Shop { place, name, v1, link, repository, _server: (server, proxy) }
    }

    fn publish_v2(&self) -> Build {
        let v2 = self.v1.copy("v2");
        v2.file("Client.exe", client(2), T0 + 60).file("lib/Core.dll", noise(2, 60_000), T0 + 60);
        publish(&self.repository, &v2, "2.0.0");
        v2
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        format!(r"{}\{name}", self.name)
    }

    /// `updater COMMAND …` by an administrator, or through `wrapper`.
    fn run_through(&self, wrapper: Option<&Path>, arguments: &[&str]) -> Outcome {
        let updater = windows_program("updater");
        let mut command = Wine::ready().command(wrapper.unwrap_or(&updater));
        command.args(wrapper.map(|_| &updater));
        let (first, rest) = arguments.split_first().expect("a command");
        command.args([first, "--json", "--dir", &self.name("client"), "--registry", &self.name("registry")]).args(rest);
        finish(&mut command)
    }

    fn root(&self, arguments: &[&str]) -> Outcome {
        self.run_through(None, arguments)
    }

    fn tree(&self) -> Tree {
        Tree::of_client(&self.path("client")).without_modes()
    }
}

fn publish(repository: &Repository<'_>, build: &Build, version: &str) {
    repository.publish_with(build, &["--os", "windows", "--entry-point", "Client.exe", "--build", version]).succeeded("manifests publish");
}

fn message(outcome: &Outcome) -> &str {
    outcome.json["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {}", outcome.json))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode set");
}

#[test]
fn the_profile_service_keeps_its_state_apart_on_windows_too() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link, "--profile", "service"]).exits(0);
    shop.tree().assert_is(&shop.v1.tree().without_modes(), "installed");
    let status = shop.root(&["status"]).exits(0);
    assert_eq!(status.text("profile"), "service", "{}", status.json);
    assert!(status.text("state").starts_with(&format!(r"\\?\{}", shop.name("registry"))), "{}", status.json);
    assert!(!shop.path("client/.updater").exists());
    let v2 = shop.publish_v2();
    shop.root(&["update", "--yes"]).exits(0);
    shop.tree().assert_is(&v2.tree().without_modes(), "updated");
    Tree::of_backup(&shop.path("client/bkp_remote.001")).without_modes().assert_is(&shop.v1.tree().without_modes(), "the backup");
    shop.root(&["rollback"]).exits(0);
    shop.tree().assert_is(&shop.v1.tree().without_modes(), "taken back");
    shop.root(&["uninstall"]).exits(0);
    assert!(fs::read_dir(shop.path("registry/installs")).expect("there").next().is_none());
    assert_eq!(shop.root(&["status"]).exits(5).json["error"]["code"], "not-installed");
}

#[test]
fn f4_nothing_is_swapped_where_others_can_write_and_each_such_place_is_named() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link, "--profile", "service"]).exits(0);
    shop.publish_v2();
    let state = fs::read_dir(shop.path("registry/states")).expect("there").next().expect("one").expect("listed").path();
    // A registry that others can write says nothing, which needs attention; the others need rights.
    let places = [("client", 5), ("client/lib", 5), ("registry", 7), ("registry/installs", 7)].map(|(name, exit)| (shop.path(name), exit));
    for (place, exit) in places.iter().chain([&(state, 5)]) {
        set_mode(place, 0o777);
        let refused = shop.root(&["update", "--yes"]).exits(*exit);
        assert!(message(&refused).contains("S-1-1-0"), "{}: {}", place.display(), refused.json);
        set_mode(place, 0o755);
        // Somebody else's, whatever its list says: he can give himself every right.
        chown(place, Some(65534), None).expect("given away");
        let refused = shop.root(&["update", "--yes"]).exits(*exit);
        assert!(message(&refused).contains("S-1-5-7"), "{}: {}", place.display(), refused.json);
        chown(place, Some(0), None).expect("taken back");
        shop.tree().assert_is(&shop.v1.tree().without_modes(), "nothing has changed");
    }
    shop.root(&["update", "--yes"]).exits(0);
}

#[test]
fn f4_an_administrator_leaves_a_users_folder_alone_that_others_can_write() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link]).exits(0);
    shop.publish_v2();
    set_mode(&shop.path("client"), 0o777);
    let refused = shop.root(&["update", "--yes"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "others-can-write", "{}", refused.json);
    shop.tree().assert_is(&shop.v1.tree().without_modes(), "nothing has changed");
    // Whoever works for himself alone may.
    shop.run_through(Some(&Wine::ready().guest()), &["update", "--yes"]).exits(0);
}
