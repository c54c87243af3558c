//! The program itself: what it prints, what it refuses, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use manifests::build::{Build, Scheme};
use manifests::name::{ChannelId, Name};
use manifests::publish::{PublishRequest, Repository, Rule, Silent};

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

/// Publishes a release in each of the channels with these target paths.
fn publish(folder: &Path, channels: &[&str]) {
    let client = folder.join("client");
    fs::create_dir_all(&client).unwrap();
    fs::write(client.join("app"), "app").unwrap();
    let repository = Repository::open(&folder.join("repository"), None).unwrap();
    for channel in channels {
        let id = ChannelId::from_target_path(channel).unwrap();
        let mut request = PublishRequest::new(&client, id, Build::parse("1.0.1", Scheme::Dotted).unwrap());
        request.allowed = vec![Rule::NoAppBundle];
        repository.publish(&request, crate::sample::NOW.parse().unwrap(), &Silent).unwrap();
    }
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
    publish(temp.path(), &["macosx/smartclient/aarch64/stable.json", "macosx/other/aarch64/stable.json"]);
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

#[test]
fn link_refuses_what_the_repository_does_not_list() {
    let temp = tempfile::tempdir().unwrap();
    repository(temp.path());
    let config = configuration(temp.path(), "acme");
    let link = |more: &[&str]| {
        let output = run(&[&["link", "--config", &config, "--repository", "acme", "--base-url", "https://h/"], more].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, message) = link(&["--product", "smartclient"]);
    assert!(code == Some(1) && message.contains("no releases yet"), "{message}");
    publish(temp.path(), &["linux/smartclient/x86_64/stable.json", "windows/smartclient/x86_64+kiosk/beta.json"]);
    let wrong: [&[&str]; 6] = [
        &["--product", "smartclients"],
        &["--product", "smartclient", "--channel", "beta"],
        &["--product", "smartclient", "--os", "windows"],
        &["--product", "smartclient", "--arch", "aarch64"],
        &["--product", "smartclient", "--variant", "kiosk"],
        &["--product", "smartclient", "--channel", "beta", "--variant", "kiosk", "--os", "linux"],
    ];
    for wrong in wrong {
        let (code, message) = link(wrong);
        assert_eq!(code, Some(1), "{wrong:?}");
        let listed = "(it lists: smartclient beta for windows x86_64 kiosk, smartclient stable for linux x86_64)";
        assert!(message.contains(listed), "{message}");
    }
    assert!(!temp.path().join("install").exists(), "a refused link leaves no document");
    let right: [&[&str]; 3] = [
        &["--product", "smartclient"],
        &["--product", "smartclient", "--os", "linux", "--arch", "x86_64"],
        &["--product", "smartclient", "--channel", "beta", "--variant", "kiosk"],
    ];
    for right in right {
        assert_eq!(link(right), (Some(0), String::new()), "{right:?}");
    }
}

#[test]
fn an_address_that_cannot_begin_a_link_is_a_wrong_command_line() {
    for base in ["foo", "ftp://h/", "https://h/?x"] {
        let output = run(&["link", "--config", "none.toml", "--repository", "acme", "--product", "p", "--base-url", base]);
        assert_eq!(output.status.code(), Some(2), "{base}");
        assert!(String::from_utf8(output.stderr).unwrap().contains("https://updates.example/"), "{base}");
    }
}

#[test]
fn a_repository_that_is_not_there_is_not_served() {
    let temp = tempfile::tempdir().unwrap();
    let config = configuration(temp.path(), "acme");
    let output = run(&["serve", "--config", &config]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    let path = temp.path().join("repository").display().to_string();
    assert!(message.contains("`acme`") && message.contains(&path) && message.contains("manifests init"), "{message}");
}

#[test]
fn a_mistake_in_the_configuration_is_told_once() {
    let temp = tempfile::tempdir().unwrap();
    let bad = temp.path().join("bad.toml");
    fs::write(&bad, "[limits]\nmax_conections = 1\n").unwrap();
    for (config, mistake) in [(bad.to_str().unwrap(), "unknown field"), ("/nowhere/server.toml", "os error")] {
        let message = String::from_utf8(run(&["serve", "--config", config]).stderr).unwrap();
        assert_eq!(message.matches(mistake).count(), 1, "{message}");
    }
}

#[test]
fn the_exit_status_is_the_same_when_nobody_reads_the_message() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--config", "/nowhere/server.toml"]).stdout(writer.try_clone().unwrap()).stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_goes_on_when_its_log_cannot_be_written() {
    let temp = tempfile::tempdir().unwrap();
    repository(temp.path());
    let config = configuration(temp.path(), "acme");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = fs::read_to_string(&config).unwrap().replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    // Without a repository, a warning comes before the address that is taken: a panic there would be another exit status.
    fs::write(&config, text.replace("[[repository]]\nname = \"acme\"\npath = \"repository\"\n", "")).unwrap();
    let status = Command::new(PROGRAM).args(["serve", "--config", &config]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
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

/// One line says who published what with which result; another address is the operators'.
#[cfg(unix)]
#[test]
fn a_submission_is_one_line_in_the_log() {
    let site = crate::site::Site::new();
    let token = manifests::digest::Digest::of(crate::site::TOKEN.as_bytes());
    let text = format!(
        "listen = \"127.0.0.1:0\"\noperators_listen = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n[[repository]]\nname = \"acme\"\npath = \"served\"\n\
         keys = \"online.keys\"\npublish_tokens = [\"{token}\"]\n"
    );
    let config = site.publisher.scratch("server.toml");
    fs::write(&config, text).unwrap();
    let bundle = fs::read(site.bundle(&[("app", b"two")], "1.0.1")).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--config", config.to_str().unwrap()]).stderr(Stdio::piped());
    let mut server = Running(command.spawn().unwrap());
    let lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let mut events = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    let serving = events.by_ref().find(|event| event["message"] == "serving").unwrap();
    let send = |address: &serde_json::Value, head: &str, body: &[u8]| {
        let mut socket = std::net::TcpStream::connect(address.as_str().unwrap()).unwrap();
        std::io::Write::write_all(&mut socket, &[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };
    let head = |token: &str| {
        let length = bundle.len();
        format!(
            "POST /v1/publish/acme HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let answer = send(&serving["listen.address"], &head(crate::site::TOKEN), &bundle);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let event = events.by_ref().find(|event| event["message"] == "submission").unwrap();
    assert_eq!((&event["repository.name"], &event["submission.result"]), (&"acme".into(), &"published".into()));
    assert_eq!(event["token.id"], token.to_string()[..12]);
    assert_eq!(event["submission.sha256"], manifests::digest::Digest::of(&bundle).to_string());
    assert!(event["submission.roles"].as_str().unwrap().starts_with("linux "), "{event}");
    assert!(!event.to_string().contains(crate::site::TOKEN));
    let metrics = send(&serving["operators.address"], "GET /metrics HTTP/1.0\r\n\r\n", b"");
    assert!(metrics.contains("stationmaster_requests_total{route=\"publish\",status=\"200\"} 1"), "{metrics}");
    server.terminate();
    assert!(server.0.wait().unwrap().success());
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
