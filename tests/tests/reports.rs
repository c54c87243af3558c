//! What a station did reaches its server's journal once, whatever the network does, and failures reach the administrator (AC-74, AC-75, S3-24, D-22); and what strangers may not do to that journal.
//!
//! The judge reads the files of both sides: `history.jsonl` of the station, and the lines of the server's journal.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth, Proxy, Spot};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::terminal::Terminal;
use system_tests::world::{Build, Repository, T0, World, get, noise, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);
/// Where reports go.
const PLACE: &str = "/v1/reports/acme";

/// A station on 1.0.0 behind a proxy, and a server that listens to it.
struct Scene<'a> {
    world: &'a World,
    repository: Repository<'a>,
    server: Server,
    proxy: Proxy,
    station: Station,
    v1: Build,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World) -> Scene<'a> {
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.exec("client", noise(1, 20_000), T0);
        repository.publish(&v1, "1.0.0");
        let server = world.serve_and_listen(&repository, "server");
        let proxy = Proxy::to(server.address());
        let station = world.station("client");
        station.install(&proxy.through(&world.link(&server)));
        Scene { world, repository, server, proxy, station, v1 }
    }

    fn publish(&self, version: &str, seed: u64) {
        let build = self.v1.copy(version);
        build.exec("client", noise(seed, 20_000), T0 + 60);
        self.repository.publish(&build, version);
    }

    /// The lines of the server's journal, as they lie there.
    fn journal(&self) -> Vec<Value> {
        lines(&self.world.path("server-journal/acme"))
    }

    /// `update-server journal`, with `arguments`.
    fn shown(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(program("update-server"));
        run(command.args(["journal", "--config"]).arg(&self.server.config).args(arguments), LIMIT).succeeded("journal").stdout
    }

    /// How many lines of the log say that a station could not be updated.
    fn alerts(&self) -> usize {
        self.server.output().lines().filter(|line| line.contains("a station could not be updated") && line.contains("WARN")).count()
    }

    fn waiting(&self) -> usize {
        fs::read_dir(self.station.state("outbox")).map_or(0, Iterator::count)
    }

    /// How many reports were sent through the proxy since this was last asked.
    fn sent(&self) -> usize {
        self.proxy.take_exchanges().iter().filter(|exchange| exchange.path == PLACE).count()
    }

    /// Everything that the station has to tell is in the server's journal, once, and says the same there.
    #[track_caller]
    fn assert_told(&self, results: &[&str]) {
        let reported =
            |line: &Value| ["applied", "declined", "failed", "rolled-back"].contains(&line["result"].as_str().unwrap_or_default());
        let by_id = |line: &Value| line["id"].as_str().map(str::to_owned);
        let mut history: Vec<Value> = self.station.history().into_iter().filter(reported).collect();
        let ended: Vec<&str> = history.iter().filter_map(|line| line["result"].as_str()).collect();
        assert_eq!(ended, results);
        history.sort_by_key(by_id);
        let journal = self.journal();
        let mut told: Vec<&Value> = journal.iter().map(|line| &line["event"]["attempt"]).collect();
        told.sort_by_key(|line| by_id(line));
        let members = ["id", "time", "os_user", "approver", "host", "trigger", "from", "to", "result", "code", "detail", "bytes"];
        let said = |line: &Value| members.map(|member| line[member].clone());
        assert_eq!(told.iter().map(|line| said(line)).collect::<Vec<_>>(), history.iter().map(said).collect::<Vec<_>>());
        for line in &journal {
            assert_eq!((&line["format"], &line["type"], &line["repository"]), (&json!(0), &json!("journal"), &json!("acme")));
            assert_eq!(line["event"]["channel"], "linux/client/x86_64/stable.json");
            assert_eq!(line["station"], journal[0]["station"], "one station has one key");
            assert!(line["received"].as_str().is_some_and(|time| time.ends_with('Z')));
        }
        assert_eq!(self.waiting(), 0, "what was told waits no more");
    }
}

fn lines(folder: &std::path::Path) -> Vec<Value> {
    let Ok(listed) = fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<_> = listed.map(|file| file.expect("listed").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|path| fs::read_to_string(path).expect("read")).collect();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of the journal is JSON")).collect()
}

#[test]
fn s3_24_people_are_sent_to_the_administrator_only_where_there_is_no_record() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.publish("2.0.0", 2);
    fs::write(scene.station.file("bkp_remote.001"), "no backup").expect("written");
    let update = || {
        let mut command = Command::new(program("updater"));
        run(command.args(["update", "--yes", "--lang", "en", "--dir"]).arg(&scene.station.dir), LIMIT)
    };
    let failed = update();
    assert_eq!((failed.code(), scene.waiting()), (5, 0), "the server was told\n{}", failed.report());
    assert_eq!(scene.journal().last().expect("a line")["event"]["attempt"]["code"], "in-the-way");
    let last = failed.stderr.lines().last().unwrap_or_default();
    assert_eq!(last, "The administrator finds this attempt in `updater history`.", "{}", failed.report());
    // Whoever finds another updater at work has nothing to tell anybody.
    let lock = fs::File::options().write(true).open(scene.station.state("lock")).expect("opened");
    lock.lock().expect("locked");
    let busy = update();
    assert_eq!(busy.code(), 6, "{}", busy.report());
    assert!(!busy.stderr.contains("administrator"), "{}", busy.report());
}

#[test]
fn ac_74_what_was_applied_declined_failed_and_rolled_back_is_on_station_and_server_once() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.assert_told(&["applied"]);
    scene.publish("2.0.0", 2);
    let mut person = Terminal::start(&mut scene.station.command(&["update"]));
    person.wait_for("[y/N]");
    person.types("n");
    assert_eq!(person.finish().code(), 10);
    scene.assert_told(&["applied", "declined"]);
    let failed = scene.station.with_env("STATIONMASTER_FAIL_POINT", "swap.journal=error").update();
    assert_ne!(failed.code, 0, "{}", failed.finished.report());
    scene.assert_told(&["applied", "declined", "failed"]);
    scene.station.update().exits(0);
    scene.assert_told(&["applied", "declined", "failed", "applied"]);
    scene.station.run(&["rollback", "--reason", "the till\u{1f600} prints \"twice\""]).exits(0);
    assert_eq!(scene.waiting(), 1, "going back needs no server, so it asks none");
    scene.station.check();
    let all = ["applied", "declined", "failed", "applied", "rolled-back"];
    scene.assert_told(&all);
    scene.sent();
    for _ in 0..5 {
        scene.station.check();
    }
    assert_eq!(scene.sent(), 0, "where nothing waits nothing is sent");
    scene.assert_told(&all);

    // What an administrator reads of it.
    let text = scene.shown(&[]);
    assert_eq!(text.lines().filter(|line| line.contains(" acme linux/client/x86_64/stable.json ")).count(), 5, "{text}");
    let text = scene.shown(&["--failed"]);
    let code = scene.journal()[2]["event"]["attempt"]["code"].as_str().expect("a code").to_owned();
    assert!(text.contains(&format!("[{code}]")) && !text.contains("applied") && text.contains("updater explain CODE"), "{text}");
    let json: Vec<Value> =
        scene.shown(&["--json", "--repository", "acme"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(json, scene.journal());
    assert_eq!(scene.alerts(), 1, "{}", scene.server.output());
    let metrics = String::from_utf8(system_tests::world::get(scene.server.address(), "/metrics").expect("answered")).expect("UTF-8");
    for (result, count) in [("applied", 2), ("declined", 1), ("failed", 1), ("rolled-back", 1)] {
        let line = format!("stationmaster_reported_attempts_total{{repository=\"acme\",result=\"{result}\"}} {count}");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    for (path, mode) in [("server-journal/acme", 0o700), ("client/.updater/station.key", 0o600)] {
        assert_eq!(fs::metadata(world.path(path)).expect("there").permissions().mode() & 0o777, mode, "{path}");
    }
}

#[test]
fn ac_75_a_failure_without_a_server_is_said_and_reaches_the_administrator_once_when_the_link_is_back() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.proxy.on("/", Nth::Every, Fault::Refuse);
    for _ in 0..3 {
        let mut command = Command::new(program("updater"));
        command.args(["update", "--yes", "--hasten", "100", "--lang", "pt-BR", "--dir"]).arg(&scene.station.dir);
        let done = run(&mut command, LIMIT);
        assert_eq!(done.code(), 3, "{}", done.report());
        assert!(done.stderr.lines().any(|line| line == "Não foi possível atualizar automaticamente o Remote"), "S3-23: {}", done.report());
    }
    assert_eq!((scene.waiting(), scene.journal().len(), scene.alerts()), (3, 1, 0));
    scene.proxy.calm();
    scene.station.check().exits(0);
    scene.assert_told(&["applied", "failed", "failed", "failed"]);
    assert_eq!(scene.alerts(), 1, "one thing is wrong, and it is said once\n{}", scene.server.output());
    assert!(scene.server.output().contains("unreachable"), "S3-24: with the requirement that failed");
    scene.station.check().exits(0);
    assert_eq!((scene.journal().len(), scene.alerts()), (4, 1));
}

#[test]
fn ac_75_a_cut_between_the_server_and_the_station_tells_nothing_twice() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.proxy.on(PLACE, Nth::Every, Fault::Refuse);
    scene.publish("2.0.0", 2);
    scene.station.update().exits(0);
    assert_eq!((scene.waiting(), scene.journal().len()), (1, 1), "an update that cannot be told is an update all the same");
    // The server has it written down, and its answer is lost.
    scene.proxy.calm();
    scene.proxy.on(PLACE, Nth::Every, Fault::Cut(Spot::Byte(1)));
    scene.station.check().exits(0);
    assert_eq!((scene.waiting(), scene.journal().len()), (1, 2));
    // The answer comes, and the updater is killed before it forgets.
    scene.proxy.calm();
    let killed = run(&mut scene.station.with_env("STATIONMASTER_FAIL_POINT", "outbox.file=kill").command(&["check"]), LIMIT);
    assert_eq!(killed.status.signal(), Some(9), "{}", killed.report());
    assert_eq!((scene.waiting(), scene.journal().len()), (1, 2));
    // The power goes while it forgets.
    let killed = run(&mut scene.station.with_env("STATIONMASTER_FAIL_POINT", "outbox.file+after=kill").command(&["check"]), LIMIT);
    assert_eq!(killed.status.signal(), Some(9), "{}", killed.report());
    scene.station.check().exits(0);
    scene.assert_told(&["applied", "applied"]);
}

#[test]
fn s3_24_a_journal_that_cannot_be_written_shows_where_operators_look_until_it_can() {
    let world = World::new();
    let scene = Scene::new(&world);
    // An answer of `/readyz` is good for a second.
    let wait_until_told = |is_told: bool| {
        let started = Instant::now();
        loop {
            let answer = get(scene.server.address(), "/readyz").expect("an answer");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with("HTTP/1.1 200 "), "stations are served all the same: {answer}");
            if answer.contains("[reports-refused]") == is_told {
                return;
            }
            assert!(started.elapsed() < LIMIT, "{answer}");
        }
    };
    wait_until_told(false);
    let mut files = fs::read_dir(world.path("server-journal/acme")).expect("listed").map(|file| file.expect("listed").path());
    let month = files.find(|file| file.extension().is_some_and(|extension| extension == "jsonl")).expect("this month's");
    let aside = month.with_extension("aside");
    fs::rename(&month, &aside).and_then(|()| fs::create_dir(&month)).expect("something is in the way");
    scene.publish("2.0.0", 2);
    scene.station.update().exits(0);
    assert_eq!(scene.waiting(), 1, "the station keeps what it has to say");
    wait_until_told(true);
    fs::remove_dir(&month).and_then(|()| fs::rename(&aside, &month)).expect("mended");
    scene.station.check().exits(0);
    scene.assert_told(&["applied", "applied"]);
    wait_until_told(false);
}

#[test]
fn ac_74_what_a_start_did_is_told_while_the_client_runs_and_holds_no_start_up() {
    let world = World::new();
    let scene = Scene::new(&world);
    let publish = |version: &str| {
        let build = scene.v1.copy(version);
        build.exec("client", format!("#!/bin/sh\necho {version}\n"), T0 + 60);
        scene
            .repository
            .publish_with(&build, &["--build", version, "--entry-point", "client", "--probe", "file:client"])
            .succeeded("publish");
    };
    publish("1.5.0");
    scene.station.update().exits(0);
    scene.station.run(&["settings", "consent", "auto-compatible"]).exits(0);
    let launch = || {
        let mut command = Command::new(program("updater"));
        run(command.args(["launch", "--dir"]).arg(&scene.station.dir), LIMIT)
    };
    publish("2.0.0");
    let done = launch();
    assert_eq!((done.code(), done.stdout.as_str()), (0, "2.0.0\n"), "{}", done.report());
    scene.assert_told(&["applied", "applied", "applied"]);
    assert_eq!(scene.journal()[2]["event"]["attempt"]["to"]["build"], "2.0.0");
    // A server that never answers: the client has run and ended long before the updater gives up.
    publish("3.0.0");
    scene.proxy.on(PLACE, Nth::Every, Fault::Hold(Spot::Byte(0)));
    let done = launch();
    assert_eq!((done.code(), done.stdout.as_str()), (0, "3.0.0\n"), "{}", done.report());
    assert_eq!(scene.waiting(), 1, "what could not be told waits");
    scene.proxy.release();
    scene.proxy.calm();
    scene.station.check().exits(0);
    scene.assert_told(&["applied", "applied", "applied", "applied"]);
}

#[test]
fn ac_75_a_server_that_is_killed_remembers_what_it_has_said_to_have() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.publish("2.0.0", 2);
    scene.proxy.on(PLACE, Nth::Every, Fault::Cut(Spot::Byte(1)));
    scene.station.update().exits(0);
    assert_eq!((scene.waiting(), scene.journal().len()), (1, 2), "written down, and not heard of");
    let Scene { server, proxy, .. } = &scene;
    let pid = rustix::process::Pid::from_raw(server.id().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
    // The last line is torn, as by the power.
    let file = fs::read_dir(world.path("server-journal/acme")).expect("listed").map(|file| file.expect("listed").path());
    let file = file.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().expect("a month");
    let text = fs::read(&file).expect("read");
    fs::write(&file, &text[..text.len() - 20]).expect("written");
    let again = world.serve_and_listen(&scene.repository, "server");
    proxy.lead_to(again.address());
    proxy.calm();
    scene.station.check().exits(0);
    let whole =
        |line: &str| serde_json::from_str::<Value>(line).ok().and_then(|line| line["event"]["attempt"]["id"].as_str().map(str::to_owned));
    let text = fs::read_to_string(&file).expect("read");
    let told: Vec<String> = text.lines().filter_map(whole).collect();
    let history: Vec<String> = scene.station.history().iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).collect();
    assert_eq!((told, scene.waiting()), (history, 0), "{text}");
}

#[test]
fn a_station_that_was_told_to_keep_silent_sends_nothing_and_a_mirror_is_asked_once_a_day() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.sent();
    scene.publish("2.0.0", 2);
    scene.station.run(&["settings", "reports", "false"]).exits(0);
    scene.station.update().exits(0);
    assert_eq!((scene.waiting(), scene.sent(), scene.journal().len()), (0, 0, 1));
    scene.station.run(&["settings", "reports", "true"]).exits(0);
    scene.station.run(&["rollback"]).exits(0);
    assert_eq!(scene.waiting(), 1);
    scene.station.run(&["settings", "reports", "false"]).exits(0);
    scene.station.check();
    assert_eq!((scene.waiting(), scene.sent(), scene.journal().len()), (0, 0, 1), "what waited is dropped");
    scene.station.run(&["settings", "reports", "true"]).exits(0);
    // A mirror has files and nothing else.
    scene.proxy.on(PLACE, Nth::Every, Fault::Status(404));
    scene.station.run(&["unhold"]).exits(0);
    scene.station.update().exits(0);
    for _ in 0..3 {
        scene.station.check().exits(0);
    }
    assert_eq!((scene.sent(), scene.waiting()), (1, 1));
}

/// A report as `docs/format.md` section 18 has it, made without the library that the programs use.
fn signed(key: &SigningKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let public = json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex::encode(key.verifying_key().as_bytes()) } });
    let attempt = json!({ "id": "00000000000000aa", "time": "2026-11-21T00:00:00Z", "host": "till-3", "os_user": "ana", "trigger": "update", "result": "failed", "code": "no-space", "detail": "no room" });
    let mut report = json!({ "format": 0, "type": "report", "repository": "acme", "station": public, "events": [{ "alert": true, "attempt": attempt }] });
    change(&mut report);
    // Without control characters, this is the canonical form: sorted members, no white space.
    let message = report.to_string().into_bytes();
    let keyid = hex::encode(Sha256::digest(public.to_string()));
    let signature = hex::encode(key.sign(&message).to_bytes());
    json!({ "signatures": [{ "keyid": keyid, "sig": signature }], "signed": report }).to_string().into_bytes()
}

/// The status and the body of the answer to `body`, whose length is said to be `announced`.
fn post(address: SocketAddr, path: &str, announced: usize, body: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {announced}\r\n\r\n");
    // A server that has seen enough may close before it has read all.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {text}"));
    let (_, body) = text.split_once("\r\n\r\n").expect("a head");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn what_is_no_report_of_a_station_is_refused_with_its_reason_and_leaves_nothing() {
    let world = World::new();
    let repository = world.repository("acme");
    let server = world.serve_and_listen(&repository, "server");
    let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let send = |body: &[u8]| {
        let (status, json) = post(server.address(), PLACE, body.len(), body);
        (status, json["code"].as_str().unwrap_or_default().to_owned())
    };
    let tampered = |change: fn(&mut Value)| {
        let mut report: Value = serde_json::from_slice(&signed(&key, |_| {})).expect("JSON");
        change(&mut report);
        report.to_string().into_bytes()
    };
    let of_other = |report: &mut Value| report["station"]["keyval"]["public"] = hex::encode(other.verifying_key().as_bytes()).into();
    for (what, body) in [
        ("nothing", vec![]),
        ("no JSON", b"GET / HTTP/1.1".to_vec()),
        ("nesting", b"[".repeat(5000)),
        ("no signature", tampered(|report| report["signatures"] = json!([]))),
        ("a changed host", tampered(|report| report["signed"]["events"][0]["attempt"]["host"] = "till-4".into())),
        ("another key's", signed(&key, of_other)),
        ("another repository's", signed(&key, |report| report["repository"] = "other".into())),
        ("a lease", signed(&key, |report| report["type"] = "lease".into())),
        ("a later format", signed(&key, |report| report["format"] = 1.into())),
        ("no events", signed(&key, |report| report["events"] = json!([]))),
        ("too many", signed(&key, |report| report["events"] = vec![report["events"][0].clone(); 101].into())),
        ("a name that is a line", signed(&key, |report| report["events"][0]["attempt"]["os_user"] = "x".repeat(300).into())),
        ("a path", signed(&key, |report| report["events"][0]["channel"] = "../../etc/passwd".into())),
        ("an id that is a path", signed(&key, |report| report["events"][0]["attempt"]["id"] = "../../../../x".into())),
    ] {
        assert_eq!(send(&body), (422, "report-unfit".to_owned()), "{what}");
    }
    // Control characters stand raw in the canonical form, and escaped in the document.
    let escaped = String::from_utf8(signed(&key, |report| report["events"][0]["attempt"]["host"] = "A-B".into())).expect("UTF-8");
    assert_eq!(send(escaped.replace("A-B", "\\u001b[2J").as_bytes()).0, 422);
    let long = vec![b' '; 600 * 1024];
    assert_eq!(send(&long), (413, "report-too-long".to_owned()));
    assert_eq!(post(server.address(), "/v1/reports/nobody", 2, b"{}").0, 404);
    assert_eq!(post(server.address(), "/v1/reports/..%2Facme", 2, b"{}").0, 404);
    assert!(lines(&world.path("server-journal/acme")).is_empty(), "nothing was written down");
    assert!(!server.output().contains('\u{1b}') && !server.output().contains("panicked"), "{}", server.output());

    // A good one, again and again, from whoever recorded it.
    let good = signed(&key, |_| {});
    for _ in 0..3 {
        let (status, answer) = post(server.address(), PLACE, good.len(), &good);
        assert_eq!((status, answer), (200, json!({ "taken": ["00000000000000aa"] })));
    }
    assert_eq!(lines(&world.path("server-journal/acme")).len(), 1, "a replay is known");
    assert_eq!(server.output().matches("a station could not be updated").count(), 1);
}

/// "No station has reported anything" is a fact about a server, and no answer to a slip of the pen.
#[test]
fn ac_74_a_journal_that_no_server_keeps_is_named_and_an_empty_one_says_so() {
    let world = World::new();
    let journal = |arguments: &[&str]| run(Command::new(program("update-server")).arg("journal").args(arguments), LIMIT);
    let at = |name: &str| world.path(name).to_str().expect("UTF-8").to_owned();
    let linux = world.build("linux");
    linux.exec("smartclient", "#!/bin/sh\n", T0);
    fs::write(world.path("AppServer.ini"), "[Update]\nEnable=1\nPathLinux=linux\n").expect("written");
    for arguments in [["--state", &at("linux")], ["--state", &at("missing")], ["--config", &at("AppServer.ini")]] {
        let refused = journal(&arguments);
        assert!(refused.code() == 1 && refused.stderr.contains("no server keeps anything in"), "{}", refused.report());
    }
    let mut command = Command::new(program("update-server"));
    run(command.args(["import", "--appserver-ini"]).arg(world.path("AppServer.ini")), LIMIT).succeeded("import");
    let (state, config) = (at("stationmaster-state"), at("stationmaster-state/server.toml"));
    for from in [["--state", &state], ["--config", &config], ["--config", &at("AppServer.ini")]] {
        for repository in [[].as_slice(), &["--repository", "smartclient"]] {
            let shown = journal(&[from.as_slice(), repository].concat()).succeeded("journal");
            assert_eq!(shown.stdout, "no station has reported anything\n");
        }
        let refused = journal(&[from.as_slice(), &["--repository", "smartclent"]].concat());
        assert!(
            refused.code() == 1 && refused.stderr.contains("no repository `smartclent` (there are: smartclient)"),
            "{}",
            refused.report()
        );
    }
}
