//! The profile `service` of the Windows updater, run by Wine: what others can change is found in owners and lists (attack F4), and the agent works behind a named pipe.
//!
//! Wine makes owner and list of a file out of its Unix owner and mode, and takes nothing else. `docs/windows.md` says what that leaves out.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use system_tests::process::{Finished, run};
use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::service::{Agent, finish};
use system_tests::station::Outcome;
use system_tests::tree::Tree;
use system_tests::wine::{Wine, client, compile, drive_path, windows_program};
use system_tests::world::{Build, Repository, T0, World, noise};

/// A computer with Windows, where an administrator installs and others ask; a publisher with 1.0.0.
struct Shop<'a> {
    place: tempfile::TempDir,
    name: String,
    pipe: String,
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
        let pipe = format!(r"\\.\pipe\{}", name.trim_start_matches(r"C:\"));
        Shop { place, name, pipe, v1, link, repository, _server: (server, proxy) }
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
        command
            .args([first, "--json", "--dir", &self.name("client"), "--registry", &self.name("registry"), "--socket", &self.pipe])
            .args(rest);
        finish(&mut command)
    }

    fn root(&self, arguments: &[&str]) -> Outcome {
        self.run_through(None, arguments)
    }

    /// The same by somebody without rights.
    fn guest(&self, arguments: &[&str]) -> Outcome {
        self.run_through(Some(&Wine::ready().guest()), arguments)
    }

    fn agent_command(&self) -> Command {
        let mut command = Wine::ready().command(&windows_program("updater"));
        let settings = self.name("agent.toml");
        command.args(["agent", "--registry", &self.name("registry"), "--socket", &self.pipe, "--config", &settings]);
        command
    }

    fn agent(&self) -> Agent {
        Agent::start(&mut self.agent_command()).unwrap_or_else(|log| panic!("the agent did not start\n{log}"))
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
        assert!(!message(&refused).contains("chown"), "what Windows does not have: {}", refused.json);
        // Nobody is told how to believe a registry that others wrote.
        assert_eq!(message(&refused).contains("icacls"), *exit == 5, "how it is cured: {}", refused.json);
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
    assert!(message(&refused).contains("icacls") && !message(&refused).contains("root"), "{}", refused.json);
    shop.tree().assert_is(&shop.v1.tree().without_modes(), "nothing has changed");
    // Whoever works for himself alone may.
    shop.guest(&["update", "--yes"]).exits(0);
}

/// A service of Windows that starts `line`; it is gone when dropped.
struct Service(String);

impl Service {
    fn new(line: &str) -> Service {
        let service = Service(format!("test-{}", std::process::id()));
        service.is_told("create", &["binPath=", line]).succeeded("sc create");
        service
    }

    /// The service control manager, asked for `what`. Wine's `sc.exe` names an error in its trace only.
    fn is_told(&self, what: &str, more: &[&str]) -> Finished {
        let mut command = Wine::ready().command(Path::new("sc.exe"));
        run(command.args([what, &self.0]).args(more).env("WINEDEBUG", "err+sc,trace+sc"), Duration::from_secs(120))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.is_told("stop", &[]);
        self.is_told("delete", &[]);
    }
}

#[test]
fn somebody_without_rights_asks_the_agent_through_the_pipe_and_it_does_the_work() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link, "--profile", "service"]).exits(0);
    let v2 = shop.publish_v2();
    let refused = shop.guest(&["update", "--yes"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "agent-not-running", "{}", refused.json);
    assert!(message(&refused).contains("sc start stationmaster-updater"), "{}", refused.json);
    assert_eq!(shop.guest(&["status"]).exits(0).text("profile"), "service", "looking needs nobody");
    let agent = shop.agent();
    assert_eq!(shop.guest(&["check"]).exits(10).text("decision"), "update-available");
    assert_eq!(shop.guest(&["update"]).exits(10).text("result"), "needs-consent");
    shop.tree().assert_is(&shop.v1.tree().without_modes(), "nothing has changed yet");
    let updated = shop.guest(&["update", "--yes", "--progress", "json"]).exits(0);
    assert_eq!((updated.text("result"), updated.text("backup")), ("updated", "bkp_remote.001"), "{}", updated.json);
    assert!(updated.finished.stderr.contains("\"swap\""), "progress is passed on\n{}", updated.finished.report());
    shop.tree().assert_is(&v2.tree().without_modes(), "updated through the agent");
    assert!(agent.log().contains("\"update\""), "the agent did it\n{}", agent.log());
    assert_eq!(shop.guest(&["history"]).exits(0).json["attempts"].as_array().map(Vec::len), Some(2));
    for command in [&["uninstall"][..], &["update", "--from", r"C:\"], &["check", "--clock", "2030-01-01T00:00:00Z"]] {
        let refused = shop.guest(command).exits(4);
        assert_eq!(refused.json["error"]["code"], "not-allowed", "{command:?}: {}", refused.json);
    }
    // What the agent works on is looked at for whoever asks.
    set_mode(&shop.path("client"), 0o777);
    let refused = shop.guest(&["verify", "--repair"]).exits(5);
    assert_eq!(refused.json["error"]["code"], "others-can-write", "{}", refused.json);
    set_mode(&shop.path("client"), 0o755);
    let second = Agent::start(&mut shop.agent_command()).err().expect("one agent is enough");
    assert!(second.contains("listens at"), "{second}");
    shop.guest(&["verify"]).exits(0);
}

#[test]
fn f4_a_pipe_that_somebody_else_made_is_not_told_a_word() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link, "--profile", "service"]).exits(0);
    let program = shop.path("squatter.exe");
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/squatter.c"), &program, &["-municode", "-s"]);
    let mut command = Wine::ready().command(&program);
    let mut squatter = command.arg(&shop.pipe).stdout(Stdio::piped()).spawn().expect("started");
    let mut said = BufReader::new(squatter.stdout.take().expect("piped"));
    let mut next = || {
        let mut line = String::new();
        said.read_line(&mut line).expect("read");
        line.trim_end().to_owned()
    };
    assert_eq!(next(), "ready");
    let refused = shop.guest(&["check"]);
    assert_eq!(refused.json["error"]["code"], "agent-not-ours", "{}", refused.json);
    assert_eq!(next(), "0", "bytes that were said to it");
    squatter.wait().expect("ended");
}

#[test]
fn the_agent_runs_as_a_service_of_windows_and_stops_when_it_is_told_to() {
    let world = World::new();
    let shop = Shop::new(&world);
    shop.root(&["install", &shop.link, "--profile", "service"]).exits(0);
    let v2 = shop.publish_v2();
    let words: Vec<String> = shop.agent_command().get_args().map(|word| word.to_str().expect("UTF-8").to_owned()).collect();
    let (program, rest) = words.split_first().expect("a program");
    let service = Service::new(&format!("\"{}\" {} --service", drive_path(Path::new(program)), rest.join(" ")));
    service.is_told("start", &[]).succeeded("sc start");
    // It has said that it runs, which it does when somebody can ask.
    shop.guest(&["update", "--yes"]).exits(0);
    shop.tree().assert_is(&v2.tree().without_modes(), "updated by the service");
    service.is_told("stop", &[]).succeeded("sc stop");
    assert_eq!(shop.guest(&["update", "--yes"]).exits(5).json["error"]["code"], "agent-not-running");
}
