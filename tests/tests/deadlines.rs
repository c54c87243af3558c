//! Deadlines (D-26, design section 7): until then people put a release off, and are warned before it ends; from then on nobody is asked, and nothing is ended for it either.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use system_tests::process::run;
use system_tests::running::Running;
use system_tests::scene::Scene;
use system_tests::service::{NOBODY, Workplace};
use system_tests::station::Station;
use system_tests::terminal::Terminal;
use system_tests::tree::Tree;
use system_tests::world::{Build, Clock, T0, World, noise};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);
/// How far away the deadlines here are, in seconds: nothing that was signed has expired by then.
const DAY: i64 = 86_400;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("before the year 292277026596")
}

/// An instant as documents have it.
fn instant(unix: i64) -> String {
    let done = run(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &format!("@{unix}")]), LIMIT).succeeded("date");
    done.stdout.trim().to_owned()
}

/// A station with a client that is a script, and a release that can be put off for a day.
struct Due<'a> {
    scene: Scene<'a>,
    v3: Build,
    deadline: i64,
}

impl Due<'_> {
    fn new(world: &World) -> Due<'_> {
        let scene = Scene::new(world);
        let v2 = scene.v1.copy("v2");
        v2.exec("client", "#!/bin/sh\necho up\nread line\nexit 0\n", T0 + 60);
        scene.repository.publish_with(&v2, &["--build", "2.0.0", "--entry-point", "client"]).succeeded("publish");
        scene.station.update().exits(0);
        let v3 = v2.copy("v3");
        v3.exec("client", "#!/bin/sh\necho three\n", T0 + 120);
        let deadline = now() + DAY;
        let options = ["--build", "3.0.0", "--entry-point", "client", "--deadline", &instant(deadline)];
        scene.repository.publish_with(&v3, &options).succeeded("publish");
        Due { scene, v3, deadline }
    }

    /// The station so many seconds before the deadline.
    fn before(&self, seconds: i64) -> Station {
        self.scene.station.at_time(&Clock { unix: self.deadline - seconds, zone: "America/Sao_Paulo".into() })
    }

    fn tree(&self) -> Tree {
        self.scene.station.tree()
    }
}

/// How many minutes each event of a deadline gives that a command shows.
fn events(station: &Station, arguments: &[&str]) -> Vec<u64> {
    let done = run(&mut station.command(&[arguments, &["--progress", "json"]].concat()), LIMIT);
    let events = done.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_deadline = events.filter(|event| event["event"] == "deadline");
    of_deadline
        .map(|event| {
            assert!(event["build"] == "3.0.0" && event["at"].is_string(), "{event}");
            event["minutes"].as_u64().expect("minutes")
        })
        .collect()
}

fn last(station: &Station) -> Value {
    station.history().pop().expect("a line")
}

#[test]
fn people_are_warned_sixty_fifteen_and_five_minutes_before_once_each() {
    let world = World::new();
    let due = Due::new(&world);
    let said: Vec<Vec<u64>> = [7200, 3590, 3500, 1000, 880, 700, 290, 200].map(|seconds| events(&due.before(seconds), &["check"])).into();
    assert_eq!(said, [vec![], vec![60], vec![], vec![], vec![15], vec![], vec![5], vec![]]);

    // A start says it as well, to whoever starts the client, and in their language; whoever comes late hears what is left.
    fs::remove_file(due.scene.station.state("told.json")).expect("there");
    for (language, words) in [("ru", "через 50 минут"), ("pt-BR", "50 minutos")] {
        let mut start = due.before(2980).command(&["launch", "--lang", language]);
        let mut person = Terminal::start(&mut start);
        person.wait_for(words);
        person.types("n");
        // The client reads a line, too.
        person.types("");
        let said = person.finish();
        assert!(said.stdout.starts_with("up"), "{}", said.report());
        fs::remove_file(due.scene.station.state("told.json")).expect("written");
    }
    assert!(events(&due.before(2900), &["schedule", "run"]) == [49], "a timer says it in its log");
    assert_eq!(due.scene.station.run(&["status"]).exits(0).json["installed"]["build"], "2.0.0", "and nothing came before its time");
}

#[test]
fn whoever_uses_the_client_is_warned_while_it_runs() {
    let world = World::new();
    let due = Due::new(&world);
    assert_eq!(events(&due.before(400), &["check"]), [7]);
    // Four seconds before the last of the warnings, without a check that would tell it.
    let station = due.before(304);
    for moment in ["on_load", "on_environment_start"] {
        station.run(&["settings", moment, "false"]).exits(0);
    }
    let mut person = Terminal::start(&mut station.command(&["launch", "--lang", "en"]));
    person.wait_for("in 5 minutes.");
    person.types("");
    let said = person.finish();
    assert!(said.code() == 0 && said.stdout == "up\n", "{}", said.report());
    assert_eq!(said.stderr.matches("minutes.").count(), 1, "once\n{}", said.report());
    assert_eq!(events(&due.before(280), &["check"]), [0; 0], "it was said");
}

#[test]
fn until_its_deadline_a_release_is_put_off_and_from_then_on_the_next_check_installs_it_without_a_question() {
    let world = World::new();
    let due = Due::new(&world);
    let early = due.before(600);
    let asked = early.run(&["update"]).exits(10);
    assert_eq!((asked.text("result"), &asked.json["deadline"]["at"]), ("needs-consent", &Value::from(instant(due.deadline))));
    let checked = early.check().exits(10);
    assert_eq!(checked.json["deadline"]["build"], "3.0.0", "{}", checked.json);
    early.run(&["schedule", "run"]).exits(10);
    due.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "put off");

    // The next period of the schedule.
    let late = due.before(-4 * 3600);
    let told = late.check().exits(10);
    assert_eq!(told.json["deadline"]["minutes"], 0, "a check tells, and installs nothing: {}", told.json);
    let installed = late.run(&["schedule", "run"]).exits(0);
    assert_eq!(installed.text("result"), "updated", "{}", installed.json);
    due.tree().assert_is(&due.v3.tree(), "installed");
    let line = last(&due.scene.station);
    assert_eq!((&line["trigger"], &line["approver"]), (&Value::from("schedule"), &Value::from("acme")), "nobody here agreed to it");
    assert_eq!(line["detail"], format!("its deadline was {}", instant(due.deadline)));
}

#[test]
fn after_the_deadline_a_start_installs_it_before_the_client_runs_and_says_so() {
    let world = World::new();
    let due = Due::new(&world);
    let mut start = due.before(-1).command(&["launch", "--lang", "en", "--environment", "SHOP"]);
    let started = Terminal::start(&mut start).finish();
    assert_eq!(started.stdout, "three\n", "{}", started.report());
    assert!(started.stderr.contains("The update is being installed now.") && !started.stderr.contains("[y/N]"), "{}", started.report());
    let detail = format!("environment SHOP; its deadline was {}", instant(due.deadline));
    assert_eq!(last(&due.scene.station)["detail"], detail);
}

#[test]
fn whoever_ignores_a_release_is_warned_and_has_it_when_its_time_is_over() {
    let world = World::new();
    let due = Due::new(&world);
    due.before(7200).check().exits(10);
    let ignored = due.before(7100).run(&["ignore"]).exits(0);
    assert_eq!(ignored.json["deadline"]["at"], instant(due.deadline), "{}", ignored.json);
    assert_eq!(due.before(7000).check().exits(0).text("decision"), "ignored");
    assert_eq!(events(&due.before(280), &["check"]), [5]);
    let late = due.before(-1);
    assert_eq!(late.check().exits(10).text("decision"), "update-available");
    let refused = late.run(&["ignore"]).exits(4);
    assert!(refused.finished.stdout.contains("is over") && refused.json["error"]["code"] == "required", "{}", refused.json);
    assert_eq!(late.run(&["update"]).exits(0).text("result"), "updated");
    due.tree().assert_is(&due.v3.tree(), "installed");
}

#[test]
fn a_deadline_stands_for_no_administrator_no_second_act_and_no_client_that_does_not_fit() {
    let world = World::new();
    let due = Due::new(&world);
    let (station, late) = (&due.scene.station, due.before(-1));
    let says = |key: &str, value: &str, exit: i32, result: &str| {
        station.run(&["settings", key, value]).exits(0);
        let told = late.run(&["update"]).exits(exit);
        assert_eq!(told.text("result"), result, "{key} = {value}: {}", told.json);
        assert_eq!(events(&due.before(200), &["check"]), [0; 0], "{key} = {value}: nothing is coming that there is to be warned of");
        station.run(&["settings", "--unset", key]).exits(0);
    };
    says("consent", "manual", 10, "two-acts");
    // Whoever runs this answers for the folder, and is asked.
    says("approver", "admin-role", 10, "needs-consent");
    says("server_build", "3.0.0", 10, "needs-consent");
    due.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "as it was");
}

#[test]
fn ac_46_nobody_who_uses_the_client_is_ended_by_a_deadline() {
    let world = World::new();
    let due = Due::new(&world);
    let client = Running::start(&mut Command::new(due.scene.station.file("client")));
    let late = due.before(-1);
    let waits = late.run(&["schedule", "run"]).exits(11);
    assert_eq!(waits.text("result"), "deferred", "{}", waits.json);
    assert!(!waits.finished.stderr.contains("installed now"), "{}", waits.finished.report());
    due.tree().assert_is(&Build { dir: world.path("v2") }.tree(), "in use");
    client.end();
    let started = run(&mut late.command(&["launch"]), LIMIT);
    assert_eq!(started.stdout, "three\n", "{}", started.report());
}

#[test]
fn whoever_asks_the_agent_is_warned_in_their_own_terminal() {
    let world = World::new();
    let (place, repository) = (Workplace::new(&world), world.repository("acme"));
    let v1 = world.build("v1");
    v1.exec("client", noise(1, 100_000), T0);
    repository.publish(&v1, "1.0.0");
    let (_server, _proxy, link) = world.serve_through_proxy(&repository);
    place.install(&link, &[]);
    let v2 = v1.copy("v2");
    v2.exec("client", noise(3, 110_000), T0 + 60);
    repository.publish_with(&v2, &["--build", "2.0.0", "--deadline", &instant(now() + 590)]).succeeded("publish");
    let _agent = place.agent();
    let check = |lang: &str| run(&mut place.command_by(NOBODY, &["check", "--lang", lang]), LIMIT).stderr;
    let told = check("pt-BR");
    assert!(told.contains("2.0.0: ") && told.contains("10 minutos"), "{told}");
    assert!(!check("pt-BR").contains("10 minutos"), "once");
}
