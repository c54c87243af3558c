//! What whoever supports a station is told: the history and the system's own record, the doctor, the bundle without secrets, and where the station connects to (AC-74, AC-76, AC-77).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::disk::Disk;
use system_tests::language::longest_run_of_words;
use system_tests::process::run;
use system_tests::proxy::{Fault, Nth};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::terminal::Terminal;
use system_tests::world::{T0, World, copy_tree, noise, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

fn text(path: &Path) -> &str {
    path.to_str().expect("Unicode")
}

/// The datagrams that lie at `socket` now, as text.
fn records(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = vec![0; 1 << 16];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())).collect()
}

fn socket(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).expect("bound");
    socket.set_nonblocking(true).expect("set");
    socket
}

/// What the system was told is one record, and says what `line` of the history says.
#[track_caller]
fn assert_is_the_record_of(records: &[String], line: &Value) {
    let [record] = records else { panic!("{} records of {line}: {records:?}", records.len()) };
    let field = |name: &str| record.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap_or_default().to_owned();
    for (name, member) in
        [("TIME", "time"), ("HOST", "host"), ("USER", "os_user"), ("TRIGGER", "trigger"), ("RESULT", "result"), ("ATTEMPT", "id")]
    {
        let value = line[member].as_str().unwrap_or_default();
        assert!(!value.is_empty(), "{member} of {line}");
        assert_eq!(field(&format!("STATIONMASTER_{name}")), value, "{record}");
    }
    for (name, member) in [("FROM", "from"), ("TO", "to")] {
        assert_eq!(field(&format!("STATIONMASTER_{name}")), line[member]["build"].as_str().unwrap_or_default(), "{record}");
    }
    assert_eq!(field("STATIONMASTER_APPROVER"), line["approver"].as_str().unwrap_or_default(), "{record}");
    assert_eq!(field("PRIORITY"), if line["result"] == "failed" { "4" } else { "6" });
    assert!(line["from"]["build"].is_string(), "{line}");
}

#[test]
fn ac_74_each_update_that_is_applied_fails_or_is_taken_back_is_one_line_and_one_record_of_the_system() {
    let world = World::new();
    let scene = Scene::new(&world);
    let journal = socket(&world.path("journal.sock"));
    let journal_path = world.path("journal.sock");
    let run = |arguments: &[&str], code: i32| {
        scene.station.run(&[arguments, &["--journal-socket", text(&journal_path)]].concat()).exits(code);
        records(&journal)
    };
    let installed = scene.station.history().len();
    scene.publish_v2();
    // Fetching fails: an object is not there.
    scene.proxy.on("/objects/", Nth::Every, Fault::Status(404));
    let failed = run(&["update", "--yes"], 3);
    scene.proxy.calm();
    let applied = run(&["update", "--yes"], 0);
    let back = run(&["rollback"], 0);
    assert_eq!(run(&["check"], 0), [] as [&str; 0], "looking is no line");
    let lines = scene.station.history().split_off(installed);
    let results: Vec<&str> = lines.iter().filter_map(|line| line["result"].as_str()).collect();
    assert_eq!(results, ["failed", "applied", "rolled-back"]);
    for (line, records) in lines.iter().zip([failed, applied, back]) {
        assert_is_the_record_of(&records, line);
    }
    // The same is told to people, in the time of the computer, too.
    let station = scene.station.with_env("TZ", "America/Sao_Paulo");
    let told =
        |options: &[&str]| station.run(&[&["history"], options].concat()).exits(0).json["attempts"].as_array().expect("a list").clone();
    let all = told(&[]);
    assert_eq!(all.len(), installed + 3);
    assert!(all.iter().all(|line| line["local_time"].as_str().is_some_and(|time| time.ends_with("-03:00"))), "{all:?}");
    assert_eq!(told(&["--failed"]).iter().map(|line| line["id"].clone()).collect::<Vec<_>>(), [lines[0]["id"].clone()]);
    assert_eq!(told(&["--since", "2100-01-01"]), [] as [Value; 0]);
    assert_eq!(told(&["--since", "2020-01-01T00:00:00Z"]).len(), all.len());
}

#[test]
fn ac_74_each_no_to_an_update_is_one_line_and_one_record_of_the_system_wherever_it_was_asked() {
    let world = World::new();
    let (repository, station) = (world.repository("acme"), world.station("client"));
    let publish = |build: &str, server: &str| {
        let folder = world.build(build);
        folder.exec("client", format!("#!/bin/sh\necho {build}\n"), T0);
        let options = ["--build", build, "--entry-point", "client", "--server-build", server];
        repository.publish_with(&folder, &options).succeeded("publish");
    };
    publish("3.3.0", "3.3.7");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    station.install(&link);
    let (journal, journal_path) = (socket(&world.path("journal.sock")), world.path("journal.sock"));
    let declines = |command: &str, code: i32| {
        let (before, waiting) = (station.history().len(), outbox(&station));
        let mut person = Terminal::start(&mut station.command(&[command, "--journal-socket", text(&journal_path)]));
        person.wait_for("[y/N");
        person.types("n");
        let done = person.finish();
        assert_eq!(done.code(), code, "{}", done.report());
        let lines = station.history().split_off(before);
        let [line] = lines.as_slice() else { panic!("{} lines: {lines:#?}", lines.len()) };
        assert_is_the_record_of(&records(&journal), line);
        assert_eq!((&line["result"], &line["from"]["build"]), (&"declined".into(), &"3.3.0".into()), "{line}");
        assert!(line["approver"].is_null(), "nobody agreed: {line}");
        assert_eq!(outbox(&station), waiting + 1, "and one report for the server");
        (line["trigger"].as_str().expect("a trigger").to_owned(), line["to"]["build"].as_str().expect("a build").to_owned())
    };
    publish("3.3.1", "3.3.7");
    assert_eq!(declines("update", 10), ("update".into(), "3.3.1".into()));
    assert_eq!(declines("launch", 0), ("environment".into(), "3.3.1".into()));
    // A client that does not fit its server any more.
    publish("3.4.0", "3.4.7");
    assert_eq!(declines("launch", 13), ("load".into(), "3.4.0".into()));
}

/// How many attempts wait to be told to the server.
fn outbox(station: &Station) -> usize {
    fs::read_dir(station.state("outbox")).map_or(0, Iterator::count)
}

#[test]
fn ac_74_where_there_is_no_journal_syslog_is_told() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let syslog = socket(&world.path("syslog.sock"));
    let (nowhere, path) = (world.path("nowhere"), world.path("syslog.sock"));
    scene.station.run(&["update", "--yes", "--journal-socket", text(&nowhere), "--syslog-socket", text(&path)]).exits(0);
    let records = records(&syslog);
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert!(record.starts_with("<14>updater[") && record.contains("update: applied 1.0.0 → 2.0.0"), "{record}");
}

/// Each check of the doctor: its name, how it came out, and whether it has a cure.
fn checks(json: &Value) -> Vec<(String, String, bool)> {
    let checks = json["checks"].as_array().expect("a list").iter();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks.map(|check| (word(&check["check"]), word(&check["verdict"]), check["cure"].is_string())).collect()
}

#[test]
fn the_doctor_names_each_fault_with_a_cure_and_changes_nothing() {
    let world = World::new();
    let scene = Scene::new(&world);
    let before = fs::read_dir(scene.station.state("")).expect("listed").count();
    let well = checks(&scene.station.run(&["doctor"]).exits(0).json);
    let bad = |all: &[(String, String, bool)]| all.iter().filter(|check| check.1 == "bad").map(|check| check.0.clone()).collect::<Vec<_>>();
    assert_eq!(bad(&well), [] as [&str; 0], "{well:?}");
    assert!(well.iter().all(|(_, verdict, has_cure)| (verdict == "good") != *has_cure), "{well:?}");
    assert!(well.contains(&("schedule".to_owned(), "warning".to_owned(), true)), "{well:?}");

    fs::write(scene.station.dir.join("lib/a.so"), "changed").expect("written");
    scene.proxy.on("timestamp.json", Nth::Every, Fault::Status(500));
    let ill = checks(&scene.station.run(&["doctor"]).exits(7).json);
    assert_eq!(bad(&ill), ["server"], "{ill:?}");
    assert!(ill.contains(&("second-updater".to_owned(), "warning".to_owned(), true)), "{ill:?}");
    assert_eq!(fs::read_dir(scene.station.state("")).expect("listed").count(), before, "nothing is made");
    assert_eq!(fs::read_to_string(scene.station.dir.join("lib/a.so")).expect("read"), "changed");
}

#[test]
fn the_doctor_calls_nothing_good_that_it_could_not_look_at() {
    let world = World::new();
    let scene = Scene::new(&world);
    fs::write(scene.station.state("ratchet.json"), "{").expect("damaged");
    fs::write(scene.station.state("station.json"), "{").expect("damaged");
    let found = checks(&scene.station.run(&["doctor"]).exits(7).json);
    assert_eq!(found.len(), 12, "{found:?}");
    assert_eq!(found[0], ("state".to_owned(), "bad".to_owned(), true));
    assert!(found[1..].iter().all(|(_, verdict, has_cure)| verdict == "warning" && *has_cure), "{found:?}");
}

#[test]
fn the_doctor_says_beforehand_what_every_update_would_fail_by() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let disk = Disk::in_memory(world.path("disk"), "size=64m,nr_inodes=100000");
    let bad = |station: &Station, code: i32| {
        let found = checks(&station.run(&["doctor"]).exits(code).json);
        assert!(found.iter().all(|(_, verdict, has_cure)| (verdict == "good") != *has_cure), "{found:?}");
        found.into_iter().filter(|check| check.1 == "bad").map(|check| check.0).collect::<Vec<_>>()
    };
    let station = &scene.station;
    let (settings, ratchet, backup) = (station.state("settings.toml"), station.state("ratchet.json"), station.file("bkp_remote.002"));
    for (path, spoilt, check) in [(&settings, "bogus = 1\n", "state"), (&ratchet, "", "state"), (&backup, "a file", "backups")] {
        let before = fs::read(path).ok();
        fs::write(path, spoilt).expect("written");
        assert_eq!(bad(station, 7), [check], "{}", path.display());
        assert_ne!(station.update().code, 0, "{}", path.display());
        match before {
            Some(bytes) => fs::write(path, bytes).expect("written"),
            None => fs::remove_file(path).expect("removed"),
        }
        assert_eq!(bad(station, 0), [] as [&str; 0], "{}", path.display());
    }
    let proof = station.state("proof.json");
    let aside = world.path("proof.json");
    fs::rename(&proof, &aside).expect("moved");
    fs::create_dir(&proof).expect("made");
    assert_eq!(bad(station, 7), ["state"]);
    assert_ne!(station.update().code, 0);
    fs::remove_dir(&proof).expect("removed");
    fs::rename(&aside, &proof).expect("moved");
    // A disk that takes no more files.
    if let Some(disk) = disk {
        let station = Station::at(disk.path().join("client"));
        copy_tree(&scene.station.dir, &station.dir);
        disk.remount(&format!("nr_inodes={}", disk.used("iused") + 3));
        assert_eq!(bad(&station, 7), ["space"]);
        assert_eq!(station.update().exits(5).json["error"]["code"], "no-space");
        disk.remount("nr_inodes=100000");
        assert_eq!(bad(&station, 0), [] as [&str; 0]);
    }
    station.update().exits(0);
    // A backup that others can change is believed by no update of root's.
    let (exposed, mode) = (station.file("bkp_remote.001"), |mode| std::os::unix::fs::PermissionsExt::from_mode(mode));
    fs::set_permissions(&exposed, mode(0o777)).expect("set");
    assert_eq!(bad(station, 7), ["backups"]);
    let v3 = scene.v1.copy("v3");
    v3.file("lib/a.so", "three", T0 + 9);
    scene.repository.publish(&v3, "3.0.0");
    assert_eq!(station.update().exits(5).json["error"]["code"], "others-can-write");
    fs::set_permissions(&exposed, mode(0o755)).expect("set");
    assert_eq!(bad(station, 0), [] as [&str; 0]);
    station.update().exits(0);
}

#[test]
fn s3_21_the_doctor_names_a_second_updater_with_what_it_changed_and_where_it_is_switched_off() {
    let world = World::new();
    let scene = Scene::new(&world);
    let station = &scene.station;
    let told = |code: i32| {
        let json = station.run(&["doctor"]).exits(code).json;
        let check = json["checks"].as_array().expect("a list").iter().find(|check| check["check"] == "second-updater").expect("a check");
        ["verdict", "cause", "cure"].map(|member| check[member].as_str().unwrap_or_default().to_owned())
    };
    // The other one restores its own client, and this one puts its own back.
    let undo = |round: u64| {
        fs::write(station.file("client"), noise(70 + round, 90_000)).expect("written");
        station.update().exits(0);
    };
    undo(1);
    assert_eq!(told(0)[0], "good", "one change can be an accident");
    undo(2);
    let [verdict, cause, cure] = told(7);
    assert_eq!(verdict, "bad", "{cause}");
    assert!(cause.contains("`client` had changed again, 2 times within a week"), "{cause}");
    assert!(cure.contains("`Enable=0` below `[UPDATE]`") && !cure.contains("not put back before"), "{cure}");
    undo(3);
    let [_, cause, cure] = told(7);
    assert!(cause.contains("3 times") && cure.contains("not put back before"), "repairs are held: {cause}; {cure}");
    // Somebody asks for it, and nothing is known of another one any more.
    station.run(&["update", "--yes", "--retry"]).exits(0);
    assert_eq!(told(0)[0], "good");
}

#[test]
fn ac_78_what_support_reads_is_in_the_language_of_the_run_from_the_first_line_to_the_last() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let station = &scene.station;
    station.update().exits(0);
    station.run(&["rollback"]).exits(0);
    fs::write(station.dir.join("lib/a.so"), "changed").expect("written");
    let (units, bundle) = (world.path("units"), world.path("bundle.zip"));
    let commands: [&[&str]; 8] = [
        &["history"],
        &["history", "--since", "2100-01-01"],
        &["doctor"],
        &["print-firewall"],
        &["support-bundle", text(&bundle)],
        &["schedule", "install", "--kind", "systemd", "--user", "--into", text(&units)],
        &["schedule", "status"],
        &["schedule", "remove"],
    ];
    let said = |arguments: &[&str], language: &str| -> Vec<String> {
        // It is written over nothing.
        let _ = fs::remove_file(&bundle);
        let mut command = Command::new(program("updater"));
        let done = run(command.args(arguments).arg("--dir").arg(&station.dir).args(["--lang", language]), LIMIT);
        let name = arguments.join(" ");
        done.succeeded(&name).stdout.lines().map(str::to_owned).collect()
    };
    for command in commands {
        let english = said(command, "en");
        assert!(!english.is_empty(), "{command:?}");
        // A line is of its language when it is not the English one, and has no English sentence in it beside what is quoted. Names of files stand alone.
        for language in ["pt-BR", "ru", "zh-CN"] {
            let lines = said(command, language);
            assert_eq!(lines.len(), english.len(), "{language} {command:?}: {lines:#?}");
            for (line, english) in lines.iter().zip(&english).filter(|(line, _)| !line.trim().starts_with('/')) {
                let differs = language != "pt-BR" || line != english;
                assert!(differs && (language == "pt-BR" || longest_run_of_words(line) < 3), "{language} {command:?}\n{line}\n{english}");
            }
        }
    }
}

#[test]
fn ac_76_the_bundle_has_what_support_asks_for_and_no_secret() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.station.update().exits(0);
    // A password in the address of the repository, a secret in settings, history and environment: each where it could come from.
    let station_file = scene.station.state("station.json");
    let known = fs::read_to_string(&station_file).expect("read");
    fs::write(&station_file, known.replacen("http://", "http://till:Planted-Address@", 1)).expect("written");
    let settings = scene.station.state("settings.toml");
    fs::write(&settings, "# password = \"Planted-Setting\"\nrole = \"station\"\n").expect("written");
    let history = scene.station.state("history.jsonl");
    let line = fs::read_to_string(&history).expect("read").lines().last().expect("a line").to_owned();
    let mut planted: Value = serde_json::from_str(&line).expect("JSON");
    planted["detail"] = "asked https://a:Planted-Detail@h/x?token=Planted-Query with Bearer Planted-Bearer and Planted-Address".into();
    planted["code"] = "app --token Planted-Option: senha: Planted-Senha, пароль: Planted Пароль".into();
    fs::write(&history, format!("{line}\n{planted}\n")).expect("written");
    fs::write(scene.station.state("signing.key"), "Planted-Key").expect("written");
    let bundle = world.path("bundle.zip");
    let station =
        scene.station.with_env("HTTPS_PROXY", "http://me:Planted-Proxy@127.0.0.1:9").with_env("STATIONMASTER_TOKEN", "Planted-Variable");
    station.run(&["support-bundle", text(&bundle)]).exits(0);
    let mode = fs::metadata(&bundle).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "what was not found to be a secret is its owner's alone, too");
    let script = r#"
import json, sys, zipfile
bundle = zipfile.ZipFile(sys.argv[1])
assert bundle.testzip() is None
parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
assert len(parts) == len(bundle.namelist()), "no name twice"
for name, text in parts.items():
    assert "Planted" not in text, (name, text)
assert "Planted" not in open(sys.argv[1], "rb").read().decode("latin-1")
deployment, system, versions = (json.loads(parts[name + ".json"]) for name in ("deployment", "system", "versions"))
assert deployment["profile"] == "user" and deployment["folder"].endswith("/client"), deployment
assert system["os"] == "linux" and system["name"] and system["kernel"] and system["arch"], system
assert versions["updater"] and versions["build"] == "2.0.0", versions
assert '"result":"applied"' in parts["history.jsonl"] and "[removed]" in parts["history.jsonl"], parts["history.jsonl"]
lines = [json.loads(line) for line in parts["history.jsonl"].splitlines()]
assert lines[-1]["result"] == "applied" and lines[-1]["time"] and lines[-1]["trigger"], "what is no secret stays"
assert 'role = "station"' in parts["settings.toml"]
assert {check["check"] for check in json.loads(parts["doctor.json"])} >= {"rights", "space", "clock", "proxy", "server", "trust", "schedule"}
assert json.loads(parts["connections.json"])[0]["host"] == "127.0.0.1"
assert "again" in parts["how-to-reproduce.txt"]
assert "127.0.0.1" in parts["station.json"], "what is no secret stays"
"#;
    run(Command::new("python3").arg("-c").arg(script).arg(&bundle), LIMIT).succeeded("python3");
}

#[test]
fn ac_76_a_bundle_says_what_it_could_not_read_and_never_lies_in_the_install_folder() {
    let world = World::new();
    let scene = Scene::new(&world);
    let station = &scene.station;
    let before = fs::read_dir(&station.dir).expect("listed").count();
    // What is no document, and the one in which another updater is found out.
    fs::create_dir(station.state("told.json")).expect("made");
    fs::write(station.state("interference.json"), "{\"x\":1}").expect("written");
    station.run(&["support-bundle", text(&station.dir.join("bundle.zip"))]).exits(2);
    let temporary = world.path("temporary");
    fs::create_dir(&temporary).expect("made");
    let mut command = Command::new(program("updater"));
    command.arg("support-bundle").current_dir(&station.dir).env("TMPDIR", &temporary).env("HTTPS_PROXY", "me:Planted-Proxy@127.0.0.1:9");
    run(&mut command, LIMIT).succeeded("support-bundle");
    assert_eq!(fs::read_dir(&station.dir).expect("listed").count(), before, "nothing lies in the install folder");
    let bundles: Vec<_> = fs::read_dir(&temporary).expect("listed").map(|entry| entry.expect("listed").path()).collect();
    let [bundle] = bundles.as_slice() else { panic!("{bundles:?}") };
    let script = r#"
import sys, zipfile
bundle = zipfile.ZipFile(sys.argv[1])
parts = {name: bundle.read(name).decode() for name in bundle.namelist()}
assert "told.json" in parts["told.json"], parts["told.json"]
assert parts["interference.json"] == '{"x":1}', parts["interference.json"]
assert "history.jsonl" in parts and "settings.toml" not in parts["told.json"]
assert "HTTPS_PROXY=[removed]@127.0.0.1:9" in parts["environment.txt"], parts["environment.txt"]
for name, part in parts.items():
    assert "Planted" not in part, (name, part)
"#;
    run(Command::new("python3").arg("-c").arg(script).arg(bundle), LIMIT).succeeded("python3");
}

#[test]
fn ac_76_a_bundle_is_written_over_nothing_and_says_what_keeps_it_from_being_written() {
    let world = World::new();
    let scene = Scene::new(&world);
    let refused = |file: &Path, code: &str, words: &str| {
        let said = scene.station.run(&["support-bundle", text(file)]).exits(5).json;
        let message = said["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(said["error"]["code"], code, "{said}");
        assert!(message.contains(text(file)) && message.contains(words) && !message.contains(".tmp"), "{message}");
    };
    let (precious, link) = (world.path("precious"), world.path("link"));
    fs::write(&precious, "precious").expect("written");
    std::os::unix::fs::symlink("precious", &link).expect("linked");
    refused(&precious, "in-the-way", "nothing is written over it");
    refused(&link, "in-the-way", "nothing is written over it");
    assert_eq!(fs::read_to_string(&precious).expect("read"), "precious");
    // A disk without room for one more file, and one that nobody may write on.
    let Some(disk) = Disk::in_memory(world.path("disk"), "size=64k,nr_inodes=1") else { return };
    refused(&disk.path().join("bundle.zip"), "no-space", "writing");
    disk.remount("ro");
    refused(&disk.path().join("bundle.zip"), "no-write-right", "writing");
}

#[test]
fn ac_76_names_that_are_no_unicode_keep_nobody_from_a_bundle() {
    let world = World::new();
    let scene = Scene::new(&world);
    let station = Station::at(world.path("").join(OsStr::from_bytes(b"n\xffx")));
    fs::rename(&scene.station.dir, &station.dir).expect("renamed");
    let bundle = world.path("").join(OsStr::from_bytes(b"x\xff.zip"));
    let mut command = station.command(&["support-bundle"]);
    run(command.arg(&bundle), LIMIT).succeeded("support-bundle");
    let script = "import json, sys, zipfile\nassert json.loads(zipfile.ZipFile(sys.argv[1]).read('deployment.json'))['folder'].endswith('n\\ufffdx')";
    run(Command::new("python3").arg("-c").arg(script).arg(&bundle), LIMIT).succeeded("python3");
    // Nor from what else is asked there.
    for arguments in [&["status"] as &[&str], &["doctor"], &["print-firewall"], &["schedule", "status"], &["backups"], &["history"]] {
        station.run(arguments).exits(0);
    }
}

#[test]
fn ac_77_the_hosts_and_ports_that_are_printed_are_those_that_are_connected_to() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let log = world.path("connects");
    let traced = scene.station.through(&["strace", "-f", "-qq", "-e", "trace=connect", "-o", text(&log)]);
    traced.update().exits(0);
    let seen: BTreeSet<(String, u64)> = fs::read_to_string(&log)
        .expect("read")
        .lines()
        .filter(|line| line.contains("sa_family=AF_INET"))
        .map(|line| {
            let port = line.split_once("htons(").expect("a port").1.split_once(')').expect("its end").0.parse().expect("a number");
            (line.split_once("inet_addr(\"").expect("an address").1.split_once('"').expect("its end").0.to_owned(), port)
        })
        .collect();
    let printed = scene.station.run(&["print-firewall"]).exits(0);
    let printed: BTreeSet<(String, u64)> = printed.json["destinations"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|to| {
            let port = to["port"].as_u64().expect("a number");
            to["addresses"]
                .as_array()
                .expect("a list")
                .iter()
                .map(move |address| (address.as_str().expect("text").to_owned(), port))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(printed, seen);
    assert_eq!(seen, BTreeSet::from([("127.0.0.1".to_owned(), u64::from(scene.proxy.address().port()))]));
}
