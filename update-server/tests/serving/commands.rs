//! The program itself: what it prints, what it refuses, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use manifests::name::Name;
use manifests::publish::Repository;

const PROGRAM: &str = env!("CARGO_BIN_EXE_update-server");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn configuration(folder: &Path, name: &str) -> String {
    let path = folder.join("server.toml");
    let text = format!("listen = \"127.0.0.1:0\"\n[[repository]]\nname = \"{name}\"\npath = \"repository\"\n[log]\nformat = \"json\"\n");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn repository(folder: &Path) {
    let name: Name = "acme".parse().unwrap();
    Repository::init(&folder.join("repository"), &name, None, crate::sample::NOW.parse().unwrap()).unwrap();
}

/// A program that is ended when the test is over, whichever way.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    #[cfg(unix)]
    fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    repository(temp.path());
    let bad = temp.path().join("bad.toml");
    fs::write(&bad, "[limits]\nmax_conections = 1\n").unwrap();
    let other = configuration(temp.path(), "other");
    for (config, reason) in [("/nowhere/server.toml", "/nowhere/server.toml"), (bad.to_str().unwrap(), "max_conections"), (&other, "acme")]
    {
        let output = run(&["serve", "--config", config]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(message.starts_with("update-server: failed to start: ") && message.contains(reason), "{message}");
    }
    assert_eq!(run(&["serve"]).status.code(), Some(2));
}

#[test]
fn link_prints_the_link_and_never_changes_what_a_code_leads_to() {
    let temp = tempfile::tempdir().unwrap();
    repository(temp.path());
    let config = configuration(temp.path(), "acme");
    let link = |more: &[&str]| {
        let common = ["link", "--config", &config, "--repository", "acme", "--base-url", "https://updates.example"];
        run(&[&common, more].concat())
    };
    let first = link(&["--product", "smartclient", "--os", "macos", "--arch", "aarch64", "--code", "shop1"]);
    let text = String::from_utf8(first.stdout.clone()).unwrap();
    assert!(first.status.success() && text.starts_with("https://updates.example/i/shop1#"), "{text}");
    let document = fs::read_to_string(temp.path().join("install/shop1.json")).unwrap();
    assert!(document.contains("\"os\":\"macosx\"") && document.contains("\"url\":\"../repo/acme/\""), "{document}");
    assert_eq!(link(&["--product", "smartclient", "--os", "macos", "--arch", "aarch64", "--code", "shop1"]).stdout, first.stdout);
    let taken = link(&["--product", "other", "--code", "shop1"]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8(taken.stderr).unwrap().contains("choose another --code"));
    assert_eq!(fs::read_to_string(temp.path().join("install/shop1.json")).unwrap(), document);
    let unknown = run(&["link", "--config", &config, "--repository", "x", "--product", "p", "--base-url", "https://h/"]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("(it has: acme)"));
}

#[cfg(unix)]
#[test]
fn serve_logs_json_and_stops_on_sigterm() {
    let temp = tempfile::tempdir().unwrap();
    repository(temp.path());
    let config = configuration(temp.path(), "acme");
    let mut server = Running(Command::new(PROGRAM).args(["serve", "--config", &config]).stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let event: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!((&event["message"], &event["repositories"]), (&"serving".into(), &1.into()));
    let address = event["listen.address"].as_str().unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut socket, b"GET /repo/acme/metadata/1.root.json HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    server.terminate();
    assert!(server.0.wait().unwrap().success());
    assert!(lines.any(|line| line.unwrap().contains("\"stopped\"")));
}

#[cfg(unix)]
#[test]
fn the_demo_prints_how_to_install_and_releases_what_is_edited() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("client");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("app"), "one").unwrap();
    let start = || {
        let mut command = Command::new(PROGRAM);
        command.args(["demo", folder.to_str().unwrap(), "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut demo = Running(command.spawn().unwrap());
        let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        (demo, lines)
    };
    let (mut demo, mut lines) = start();
    let install = lines.by_ref().find(|line| line.contains(" install \"http://127.0.0.1:")).unwrap();
    assert!(install.contains(" --dir \"") && install.contains('#'), "{install}");
    assert!(lines.by_ref().any(|line| line.starts_with("Released 1.0.1 (sequence 1): 1 files")));
    fs::write(folder.join("app"), "another").unwrap();
    assert!(lines.by_ref().any(|line| line.starts_with("Released 1.0.2 (sequence 2)")));
    demo.terminate();
    assert!(demo.0.wait().unwrap().success());
    assert!(temp.path().join("client.demo/repository/metadata/timestamp.json").exists(), "beside the folder");

    let (mut demo, mut lines) = start();
    assert!(lines.any(|line| line == "The folder is as it was last published."));
    demo.terminate();
    assert!(demo.0.wait().unwrap().success());
}
