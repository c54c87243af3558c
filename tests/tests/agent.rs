//! The agent of the profile `service`: somebody without rights gets what is offered, and nothing else (attacks F4 and F5).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use system_tests::proxy::Proxy;
use system_tests::server::Server;
use system_tests::service::{Account, Agent, GAMES, NOBODY, Workplace, as_account};
use system_tests::world::{Build, Repository, T0, World, noise};

/// An install with the profile `service` on 1.0.0, with 2.0.0 waiting.
struct Shop<'a> {
    place: Workplace,
    v1: Build,
    v2: Build,
    repository: Repository<'a>,
    _server: (Server, Proxy),
}

impl<'a> Shop<'a> {
    fn new(world: &'a World) -> Shop<'a> {
        let (place, repository) = (Workplace::new(world), world.repository("acme"));
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 100_000), T0).file("lib/a.so", noise(2, 100_000), T0).file("lib/b.so", noise(5, 50_000), T0);
        repository.publish(&v1, "1.0.0");
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        place.install(&link, &[]);
        let v2 = v1.copy("v2");
        v2.exec("client", noise(3, 110_000), T0 + 60).file("lib/a.so", noise(4, 90_000), T0 + 60);
        repository.publish(&v2, "2.0.0");
        Shop { place, v1, v2, repository, _server: (server, proxy) }
    }

    /// What the agent says to `line`, sent by root.
    fn say(&self, line: &str) -> Vec<Value> {
        let mut stream = UnixStream::connect(&self.place.socket).expect("the agent listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        stream.write_all(line.as_bytes()).expect("written");
        BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect()
    }

    fn request(&self, command: &Value) -> String {
        format!("{}\n", json!({ "protocol": 0, "dir": self.place.station.dir, "command": command }))
    }
}

fn message(json: &Value) -> &str {
    json["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {json}"))
}

/// A Python program of `account`'s that says `ready` and then waits to be killed.
struct Stranger(Child);

impl Stranger {
    fn run(account: Account, script: &str, arguments: &[&std::path::Path]) -> Stranger {
        let mut command = as_account(account);
        command.args(["/usr/bin/python3", "-c", script]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 starts");
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut said).expect("read");
        assert_eq!(said, "ready\n");
        Stranger(child)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn ac_78_the_agent_reports_in_the_language_of_whoever_asks() {
    let world = World::new();
    let shop = Shop::new(&world);
    let _agent = shop.place.agent();
    let first = |words: &[&str]| {
        let mut command = as_account(NOBODY);
        command.arg(shop.place.updater()).args(words).arg("--dir").arg(&shop.place.station.dir);
        command.arg("--registry").arg(&shop.place.registry).arg("--socket").arg(&shop.place.socket);
        let done = command.output().expect("started");
        String::from_utf8_lossy(&done.stdout).lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first(&["check", "--lang", "ru"]), "установлено: client 1.0.0; доступна 2.0.0");
    assert_eq!(first(&["backups", "--lang", "zh"]), "还没有备份：第一次更新时生成");
    assert_eq!(first(&["unhold", "--lang", "pt"]), "", "refused, on standard error");
    assert_eq!(first(&["backups", "--lang", "en"]), "there are no backups yet: the first update makes one");
    assert!(first(&["history", "--lang", "pt"]).contains("  install  instalada  nada → 1.0.0"), "{}", first(&["history", "--lang", "pt"]));
}

#[test]
fn somebody_without_rights_gets_what_is_offered_and_the_history_names_him() {
    let world = World::new();
    let shop = Shop::new(&world);
    let (place, _agent) = (&shop.place, shop.place.agent());
    assert_eq!(place.by(NOBODY, &["check"]).exits(10).text("decision"), "update-available");
    assert_eq!(place.by(NOBODY, &["status"]).exits(0).text("profile"), "service");
    assert_eq!(place.by(NOBODY, &["update", "--dry-run"]).exits(0).text("result"), "planned");
    // Nobody is at a terminal, so nobody has agreed.
    assert_eq!(place.by(NOBODY, &["update"]).exits(10).text("result"), "needs-consent");
    place.station.tree().assert_is(&shop.v1.tree(), "nothing has changed yet");
    let updated = place.by(NOBODY, &["update", "--yes", "--progress", "json"]).exits(0);
    assert_eq!((updated.text("result"), updated.text("backup")), ("updated", "bkp_remote.001"), "{}", updated.json);
    let steps: Vec<String> = updated
        .finished
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["step"].as_str().map(str::to_owned))
        .collect();
    for step in ["check", "fetch", "stage", "back-up", "swap"] {
        assert!(steps.iter().any(|said| said == step), "no progress of `{step}`\n{}", updated.finished.report());
    }
    place.station.tree().assert_is(&shop.v2.tree(), "updated through the agent");
    place.station.backup(1).assert_is(&shop.v1.tree(), "the backup");
    assert_eq!(place.by(NOBODY, &["update", "--yes"]).exits(0).text("result"), "nothing-to-do");
    assert_eq!(place.by(NOBODY, &["backups"]).exits(0).json["backups"].as_array().map(Vec::len), Some(1));
    let history = place.by(NOBODY, &["history"]).exits(0);
    let last = history.json["attempts"].as_array().and_then(|all| all.last()).expect("a line");
    assert_eq!(
        (last["os_user"].as_str(), last["trigger"].as_str(), last["result"].as_str()),
        (Some("nobody"), Some("update"), Some("applied"))
    );
    assert_eq!(place.by(NOBODY, &["verify"]).exits(0).json["drift"], json!([]));
    // What root did itself says so.
    place.root(&["rollback"]).exits(0);
    assert_eq!(place.history().last().expect("a line")["os_user"], "root");
}

#[test]
fn what_is_not_for_everybody_is_denied_with_the_reason() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    fs::write(&place.settings, "update = \"members\"\nupdate_groups = [\"tty\"]\nadmin_groups = [\"games\"]\n").expect("written");
    let agent = place.agent();
    let denied = place.by(NOBODY, &["update", "--yes"]).exits(4);
    assert_eq!(denied.json["error"]["code"], "not-allowed");
    assert!(message(&denied.json).contains("members of tty, games") && message(&denied.json).contains("nobody"), "{}", denied.json);
    place.station.tree().assert_is(&shop.v1.tree(), "nothing has changed");
    place.by(NOBODY, &["check"]).exits(10);
    // The group that a process was given counts for nothing: `newgrp` and setgid programs give some.
    let mut borrowed = Command::new("setpriv");
    borrowed.args([format!("--reuid={}", NOBODY.uid), format!("--regid={}", GAMES.gid), "--clear-groups".into()]);
    let asked = borrowed.args(place.command_by(NOBODY, &["update", "--yes"]).get_args().skip(3));
    assert_eq!(system_tests::service::finish(asked).exits(4).json["error"]["code"], "not-allowed");
    // An administrator by his group, as the system knows it: whatever groups his process has.
    place.by(GAMES, &["update", "--yes"]).exits(0);
    for command in [&["rollback"][..], &["unhold"], &["backups", "--adopt"], &["verify", "--repair"]] {
        assert_eq!(place.by(NOBODY, command).exits(4).json["error"]["code"], "not-allowed", "{command:?}");
    }
    place.station.tree().assert_is(&shop.v2.tree(), "nobody went back");
    place.by(GAMES, &["rollback", "--reason", "it is Friday"]).exits(0);
    place.station.tree().assert_is(&shop.v1.tree(), "an administrator went back");
    let line = place.history().last().cloned().expect("a line");
    assert_eq!((line["os_user"].as_str(), line["detail"].as_str()), (Some("games"), Some("it is Friday")));
    assert!(agent.log().contains("denied"), "{}", agent.log());
}

#[test]
fn whoever_asks_names_no_path_no_source_and_no_time() {
    let world = World::new();
    let shop = Shop::new(&world);
    let (place, _agent) = (&shop.place, shop.place.agent());
    let here = world.path("");
    let here = here.to_str().expect("text");
    for command in [
        &["install", &format!("https://h/i/x#{}", "0".repeat(64))][..],
        &["uninstall"],
        &["update", "--from", here],
        &["check", "--clock", "2030-01-01T00:00:00Z"],
        &["verify", "--repair", "--from", here],
        // Who waits holds the folder: with a program of his own he would keep everybody else out.
        &["update", "--yes", "--in-use", "wait:600"],
    ] {
        let refused = place.by(NOBODY, command).exits(4);
        assert_eq!(refused.json["error"]["code"], "not-allowed", "{command:?}: {}", refused.json);
        assert!(message(&refused.json).contains("for root alone"), "{}", refused.json);
    }
    for dir in ["/etc", "/", "", "..", here, "/no/such"] {
        let line = format!("{}\n", json!({ "protocol": 0, "dir": dir, "command": { "update": { "dry_run": false, "consent": "yes" } } }));
        let said = shop.say(&line);
        assert_eq!((said.len(), &said[0]["json"]["error"]["code"]), (1, &json!("not-installed")), "{dir}: {said:?}");
    }
    // A link to the folder is not the folder's name, though the command line finds out which one it is.
    let link = world.path("shortcut");
    symlink(&place.station.dir, &link).expect("linked");
    let line = shop.request(&json!({ "check": {} })).replace(place.station.dir.to_str().expect("text"), link.to_str().expect("text"));
    assert_eq!(shop.say(&line)[0]["json"]["error"]["code"], "not-installed");
}

#[test]
fn what_is_no_request_is_refused_and_the_next_one_works() {
    let world = World::new();
    let shop = Shop::new(&world);
    let (place, _agent) = (&shop.place, shop.place.agent());
    let good = shop.request(&json!({ "status": { "explain": false } }));
    let too_long = format!("{{\"protocol\":0,\"dir\":\"{}\"}}\n", "x".repeat(20_000));
    let bad = [
        "\n".to_owned(),
        "{}\n".into(),
        "\u{0}\u{1}\n".into(),
        "[".repeat(10_000) + "\n",
        good.replace("\"command\"", "\"shell\":\"id\",\"command\""),
        good.replace("status", "install"),
        too_long,
    ];
    for line in &bad {
        let said = shop.say(line);
        let last = said.last().expect("an answer");
        assert_eq!((&last["exit"], &last["json"]["error"]["code"]), (&json!(2), &json!("bad-request")), "{line:.80}: {said:?}");
    }
    let said = shop.say(&good.replace("\"protocol\":0", "\"protocol\":7"));
    assert!(message(&said[0]["json"]).contains("protocol 7"), "{said:?}");
    // Half a request, and gone.
    UnixStream::connect(&place.socket).expect("connected").write_all(&good.as_bytes()[..20]).expect("written");
    place.by(NOBODY, &["status"]).exits(0);
}

#[test]
fn silent_and_greedy_people_keep_nobody_else_from_the_agent() {
    let world = World::new();
    let shop = Shop::new(&world);
    let (place, _agent) = (&shop.place, shop.place.agent());
    // Connections that keep asking, so that each takes its place again and again, and say nothing.
    let script = "import socket,sys\nheld=[]\nfor _ in range(200):\n s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)\nprint('ready',flush=True)\nsys.stdin.read()";
    let _stranger = Stranger::run(NOBODY, script, &[&place.socket]);
    place.by(GAMES, &["check"]).exits(10);
    place.by(GAMES, &["update", "--yes"]).exits(0);
}

#[test]
fn whoever_asks_and_does_not_read_is_told_no_more_and_gives_his_place_back() {
    let world = World::new();
    let shop = Shop::new(&world);
    let (place, _agent) = (&shop.place, shop.place.agent());
    // A report that no socket takes at once.
    let history = place.state().join("history.jsonl");
    let line = fs::read(&history).expect("there");
    fs::write(&history, line.repeat(20_000)).expect("written");
    assert!(place.by(GAMES, &["history"]).exits(0).json.to_string().len() > 2 << 20);
    // All the places that one account has, each with an answer that has begun to come.
    let script = "import socket,sys,json,select\nheld=[]\nfor _ in range(4):\n s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)\n s.sendall(json.dumps({'protocol':0,'dir':sys.argv[2],'command':{'history':{}}}).encode()+b'\\n')\nfor s in held: select.select([s],[],[])\nprint('ready',flush=True)\nsys.stdin.readline()\nfor s in held:\n end=b''\n while True:\n  b=s.recv(1<<20)\n  if not b: break\n  end=b[-1:]\n print('whole' if end==b'\\n' else 'cut off',flush=True)\nsys.stdin.read()";
    let mut stranger = Stranger::run(NOBODY, script, &[&place.socket, &place.station.dir]);
    place.by(GAMES, &["status"]).exits(0);
    let started = Instant::now();
    while place.by(NOBODY, &["status"]).code != 0 {
        assert!(started.elapsed() < Duration::from_secs(120), "his places are held for ever");
    }
    // Whoever held the place that is free now was cut off, not served to the end while nobody looked. The others may have been about to be when he began to read.
    stranger.0.stdin.as_mut().expect("piped").write_all(b"read\n").expect("told");
    let said = BufReader::new(stranger.0.stdout.as_mut().expect("piped")).lines();
    let ends: Vec<String> = said.take(4).map(|line| line.expect("read")).collect();
    assert!(ends.iter().any(|end| end == "cut off"), "every answer came whole, so nothing was waited for: {ends:?}");
}

#[test]
fn ac_33_whoever_tells_the_agent_to_ignore_what_the_station_needs_has_only_said_no() {
    let world = World::new();
    let shop = Shop::new(&world);
    let v3 = shop.v2.copy("v3");
    v3.exec("client", noise(6, 110_000), T0 + 120);
    shop.repository.publish_with(&v3, &["--build", "3.0.0", "--security"]).succeeded("publish");
    let _agent = shop.place.agent();
    // No question of ours offers that answer.
    let ignore = json!({ "update": { "dry_run": false, "consent": { "ignore": { "build": "3.0.0", "sequence": 3 } } } });
    let answer = shop.say(&shop.request(&ignore)).pop().expect("a report");
    assert_eq!((answer["exit"].as_u64(), answer["json"]["result"].as_str()), (Some(10), Some("declined")), "{answer}");
    assert_eq!(shop.place.by(NOBODY, &["check"]).exits(10).json["offered"]["build"], "3.0.0", "offered as before");
}

#[test]
fn a_request_goes_on_when_whoever_asked_goes_away() {
    let world = World::new();
    let shop = Shop::new(&world);
    let _agent = shop.place.agent();
    let mut stream = UnixStream::connect(&shop.place.socket).expect("connected");
    stream.write_all(shop.request(&json!({ "update": { "dry_run": false, "consent": "yes" } })).as_bytes()).expect("written");
    // It has begun: then he goes.
    let mut first = [0];
    stream.read_exact(&mut first).expect("something");
    drop(stream);
    // The next one waits for the folder, and finds the work done.
    let next = shop.place.by(NOBODY, &["update", "--yes", "--wait", "60"]).exits(0);
    assert_eq!(next.text("result"), "nothing-to-do", "{}", next.json);
    shop.place.station.tree().assert_is(&shop.v2.tree(), "the whole update");
}

#[test]
fn without_an_agent_it_says_what_to_do() {
    let world = World::new();
    let shop = Shop::new(&world);
    for command in [&["check"][..], &["update", "--yes"]] {
        let refused = shop.place.by(NOBODY, command).exits(5);
        assert_eq!(refused.json["error"]["code"], "agent-not-running");
        assert!(message(&refused.json).contains("systemctl start stationmaster-updater"), "{}", refused.json);
    }
    let examined = shop.place.by(NOBODY, &["doctor"]).exits(7);
    let checks = examined.json["checks"].as_array().expect("a list").iter();
    let bad: Vec<_> = checks.filter(|check| check["verdict"] == "bad").map(|check| check["check"].as_str()).collect();
    assert_eq!(bad, [Some("agent")], "{}", examined.json);
    // Looking needs nobody.
    let status = shop.place.by(NOBODY, &["status"]).exits(0);
    assert_eq!(status.json["installed"]["build"], "1.0.0");
    assert!(status.finished.stderr.contains("systemctl start"), "{}", status.finished.report());
    shop.place.by(NOBODY, &["history"]).exits(0);
    shop.place.root(&["update", "--yes"]).exits(0);
}

#[test]
fn d_31_what_waits_for_the_client_is_applied_when_somebody_without_rights_starts_it() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let options = |build| ["--build", build, "--entry-point", "client"];
    let v1 = world.build("v1");
    v1.exec("client", "#!/bin/sh\necho one $*\n", T0).exec("tool", fs::read("/bin/cat").expect("read"), T0);
    repository.publish_with(&v1, &options("1.0.0")).succeeded("publish");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let v2 = v1.copy("v2");
    v2.exec("client", "#!/bin/sh\necho two $*\n", T0 + 60).exec("tool", "#!/bin/sh\nexit 0\n", T0 + 60);
    repository.publish_with(&v2, &options("2.0.0")).succeeded("publish");
    let agent = place.agent();
    let mut tool = as_account(NOBODY);
    let mut tool = tool.arg(place.station.file("tool")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    tool.stdin.as_mut().expect("piped").write_all(b"up\n").expect("told");
    tool.stdout.as_mut().expect("piped").read_exact(&mut [0; 3]).expect("it runs");
    let waits = place.by(NOBODY, &["update", "--yes"]).exits(11);
    assert!(waits.finished.report().contains(&tool.id().to_string()), "it is named\n{}", waits.finished.report());
    place.station.tree().assert_is(&v1.tree(), "nothing live has changed");
    drop(tool.stdin.take());
    assert!(tool.wait().expect("ended").success());
    let launch = || {
        let mut launch = place.command_by(NOBODY, &["launch", "--", "here"]);
        system_tests::process::run(&mut launch, Duration::from_secs(60)).succeeded("updater launch")
    };
    assert_eq!(launch().stdout, "two here\n");
    place.station.tree().assert_is(&v2.tree(), "applied at the start");
    let last = place.history().last().cloned().expect("a line");
    assert_eq!((last["os_user"].as_str(), last["trigger"].as_str()), (Some("nobody"), Some("launch")), "{last}");
    // A client starts, whatever happens.
    drop(agent);
    let started = launch();
    assert_eq!(started.stdout, "two here\n");
    assert!(started.stderr.contains("does not answer"), "{}", started.report());
    // Nor does one keep it back that goes away, or does not understand, or is somebody else's.
    fs::remove_file(&place.socket).expect("its socket is left");
    let listener = UnixListener::bind(&place.socket).expect("listening");
    fs::set_permissions(&place.socket, fs::Permissions::from_mode(0o666)).expect("set");
    let liar = std::thread::spawn(move || {
        for answer in [&b""[..], b"what?\n"] {
            let (mut stream, _) = listener.accept().expect("asked");
            BufReader::new(&stream).read_line(&mut String::new()).expect("a request");
            stream.write_all(answer).expect("answered");
        }
    });
    for said in ["went away", "cannot be read"] {
        let started = launch();
        assert_eq!(started.stdout, "two here\n");
        assert!(started.stderr.contains(said), "{}", started.report());
    }
    liar.join().expect("asked twice");
    chown(&place.socket, Some(NOBODY.uid), None).expect("given away");
    assert_eq!(launch().stdout, "two here\n");
}

#[test]
fn a_damaged_entry_of_the_registry_keeps_no_client_from_starting_and_no_other_install_from_being_served() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", "#!/bin/sh\necho one $*\n", T0);
    repository.publish_with(&v1, &["--build", "1.0.0", "--entry-point", "client"]).succeeded("publish");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let installs = place.registry.join("installs");
    let entry = fs::read_dir(&installs).expect("there").next().expect("one").expect("read").path();
    let whole = fs::read(&entry).expect("read");
    fs::write(&entry, b"{").expect("damaged");
    // It listens all the same.
    let _agent = place.agent();
    for mut launch in [place.command_by(NOBODY, &["launch", "--", "here"]), place.root_command(&["launch", "--", "here"])] {
        let started = system_tests::process::run(&mut launch, Duration::from_secs(60)).succeeded("updater launch");
        assert_eq!(started.stdout, "one here\n");
        assert!(started.stderr.contains("the client is started as it is") && started.stderr.contains("damaged"), "{}", started.report());
    }
    fs::write(&entry, whole).expect("mended");
    place.by(NOBODY, &["check"]).exits(0);
}

#[test]
fn the_client_starts_for_somebody_without_rights_whatever_small_record_is_lost_or_damaged() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", "#!/bin/sh\necho one $*\n", T0);
    repository.publish_with(&v1, &["--build", "1.0.0", "--entry-point", "client"]).succeeded("publish");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let state = place.state();
    for name in ["installed", "station.json", "ratchet.json", "proof.json", "settings.toml", "manifest", "journal", "trust/channel.json"] {
        let path = state.join(name);
        let whole = fs::read(&path).ok();
        for damage in [None, Some(""), Some("\0junk")] {
            match damage {
                Some(text) => fs::write(&path, text).expect("damaged"),
                None => fs::remove_file(&path).unwrap_or_default(),
            }
            let mut launch = place.command_by(NOBODY, &["launch", "--", "here"]);
            let started = system_tests::process::run(&mut launch, Duration::from_secs(60));
            assert_eq!((started.code(), started.stdout.as_str()), (0, "one here\n"), "{name} {damage:?}\n{}", started.report());
        }
        match whole {
            Some(whole) => fs::write(&path, whole).expect("mended"),
            None => fs::remove_file(&path).expect("removed"),
        }
    }
}

#[test]
fn f4_a_socket_that_somebody_else_listens_at_or_that_is_a_link_is_not_asked() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    let run = place.socket.parent().expect("a parent").to_owned();
    fs::create_dir(&run).expect("made");
    chown(&run, Some(NOBODY.uid), None).expect("given away");
    let script =
        "import socket,sys\ns=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9)\nprint('ready',flush=True)\nsys.stdin.read()";
    let stranger = Stranger::run(NOBODY, script, &[&place.socket]);
    fs::set_permissions(&place.socket, fs::Permissions::from_mode(0o666)).expect("set");
    let refused = place.by(GAMES, &["update", "--yes"]).exits(4);
    assert_eq!(refused.json["error"]["code"], "agent-not-ours");
    assert!(message(&refused.json).contains("the account 65534"), "{}", refused.json);
    // Nor does the agent listen where somebody else could put his socket in place of its own.
    let log = Agent::start(&mut place.agent_command()).err().expect("it does not start");
    assert!(log.contains("others can change") && log.contains("65534"), "{log}");
    drop(stranger);
    chown(&run, Some(0), None).expect("taken back");
    let log = Agent::start(&mut place.agent_command()).err().expect("it does not start");
    assert!(log.contains("in the way"), "another account's socket is not removed: {log}");
    fs::remove_file(&place.socket).expect("removed");
    let elsewhere = world.path("elsewhere.sock");
    let _listener = UnixListener::bind(&elsewhere).expect("bound");
    symlink(&elsewhere, &place.socket).expect("linked");
    assert_eq!(place.by(GAMES, &["update", "--yes"]).exits(4).json["error"]["code"], "agent-not-ours", "a link is not followed");
    let log = Agent::start(&mut place.agent_command()).err().expect("it does not start");
    assert!(log.contains("in the way") && fs::symlink_metadata(&elsewhere).expect("there").file_type().is_socket(), "{log}");
    place.station.tree().assert_is(&shop.v1.tree(), "nothing has changed");
}

#[test]
fn f4_settings_that_others_can_write_are_not_gone_by() {
    let world = World::new();
    let shop = Shop::new(&world);
    fs::write(&shop.place.settings, "admin_groups = [\"nogroup\"]\n").expect("written");
    fs::set_permissions(&shop.place.settings, fs::Permissions::from_mode(0o666)).expect("set");
    let log = Agent::start(&mut shop.place.agent_command()).err().expect("it does not start");
    assert!(log.contains("agent.toml") && log.contains("0666"), "{log}");
}

#[test]
fn one_agent_listens_and_the_socket_of_a_killed_one_is_in_nobodys_way() {
    let world = World::new();
    let shop = Shop::new(&world);
    let mut first = shop.place.agent();
    let log = Agent::start(&mut shop.place.agent_command()).err().expect("a second one does not start");
    assert!(log.contains("listens at"), "{log}");
    shop.place.by(NOBODY, &["status"]).exits(0);
    first.kill();
    assert!(shop.place.socket.exists(), "it could not tidy up");
    assert_eq!(shop.place.by(NOBODY, &["check"]).exits(5).json["error"]["code"], "agent-not-running");
    let _second = shop.place.agent();
    shop.place.by(NOBODY, &["status"]).exits(0);
    assert_eq!(fs::metadata(&shop.place.socket).expect("there").permissions().mode() & 0o777, 0o666);
}

#[test]
fn an_agent_killed_in_the_middle_of_an_update_leaves_a_whole_tree_when_it_starts_again() {
    // Places before, in and after the swap.
    for point in ["stage.file", "backup.copy", "swap.journal", "swap.keep", "swap.put", "swap.sync", "swap.phase", "commit.state"] {
        let world = World::new();
        let shop = Shop::new(&world);
        let place = &shop.place;
        let mut agent = Agent::start(place.agent_command().env("STATIONMASTER_FAIL_POINT", format!("{point}=kill"))).expect("it starts");
        let lost = place.by(NOBODY, &["update", "--yes"]);
        assert_eq!((lost.code, &lost.json["error"]["code"]), (3, &json!("agent-lost")), "{point}: {}", lost.finished.report());
        agent.ended();
        let agent = place.agent();
        let tree = place.station.tree();
        let is_old = tree.difference(&shop.v1.tree()).is_empty();
        let is_new = tree.difference(&shop.v2.tree()).is_empty();
        assert!(is_old || is_new, "{point}: a mixed tree after the agent has started again\n{}", agent.log());
        place.by(NOBODY, &["update", "--yes"]).exits(0);
        place.station.tree().assert_is(&shop.v2.tree(), point);
        place.station.backup(1).assert_is(&shop.v1.tree(), point);
    }
}

#[test]
fn f5_neither_environment_nor_files_of_somebody_else_reach_what_runs_as_root() {
    let world = World::new();
    let shop = Shop::new(&world);
    let place = &shop.place;
    // Beside the client lies what a careless program would load or start.
    let planted = ["libc.so.6", "libgcc_s.so.1", "libnss_files.so.2", "sh", "id", "hostname", "systemctl", "updater"];
    for name in planted {
        fs::write(place.station.file(name), "#!/bin/sh\necho planted\n").expect("written");
        fs::set_permissions(place.station.file(name), fs::Permissions::from_mode(0o755)).expect("set");
    }
    let trace = world.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "300", "-e", "trace=execve,open,openat", "-o"]).arg(&trace);
    let started = place.agent_command();
    command.arg(started.get_program()).args(started.get_args());
    // The folder of the client is where it was started, and first in every list.
    let client = place.station.dir.to_str().expect("text").to_owned();
    command.current_dir(&place.station.dir).env("PATH", format!(".:{client}:/usr/bin:/bin"));
    let agent = Agent::start(&mut command).expect("it starts");
    let mut update = place.command_by(NOBODY, &["update", "--yes"]);
    update.current_dir(&place.station.dir).env("LD_LIBRARY_PATH", "/nonexistent").env("GCONV_PATH", &client).env("LOCPATH", &client);
    system_tests::service::finish(&mut update).exits(0);
    drop(agent);
    let trace = fs::read_to_string(&trace).expect("a trace");
    let lines: Vec<&str> = trace.lines().collect();
    assert!(lines.iter().any(|line| line.contains("openat(") && line.contains("\"client\"")), "the trace shows the work");
    let started: Vec<&&str> = lines.iter().filter(|line| line.contains("execve(")).collect();
    assert_eq!(started.len(), 1, "only the agent itself was started: {started:#?}");
    // Extras are read for the backup: by handle, following nothing. What loads a library does neither.
    let loaded: Vec<&&str> = lines
        .iter()
        .filter(|line| planted.iter().any(|name| line.contains(&format!("/{name}\"")) || line.contains(&format!("\"{name}\""))))
        .filter(|line| !line.contains("O_NOFOLLOW") && line.contains(&*client))
        .collect();
    assert_eq!(loaded, [] as [&&str; 0], "opened as a library");
}

#[test]
fn the_unit_names_this_program_and_systemd_understands_it() {
    let world = World::new();
    let place = Workplace::new(&world);
    let printed = system_tests::process::run(Command::new(place.updater()).args(["agent", "--print-unit"]), Duration::from_secs(20))
        .succeeded("updater agent --print-unit");
    assert!(printed.stdout.contains(&format!("ExecStart={} agent", place.updater().display())), "{}", printed.stdout);
    let unit = world.path("stationmaster-updater.service");
    fs::write(&unit, &printed.stdout).expect("written");
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output();
    let verified = verified.expect("systemd-analyze is installed; run `tests/run`");
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(!said.contains("stationmaster-updater.service:"), "{said}");
}
