//! The two moments of a start (D-12): a client that does not fit its server is not started, and is replaced only when somebody says so; the files are brought level when an environment starts.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::process::{Finished, run};
use system_tests::proxy::{Fault, Nth, Proxy, Spot, body_bytes};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::terminal::Terminal;
use system_tests::world::{Build, Repository, T0, World, noise, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);
/// As sites know it (S3-10).
const QUESTION: &str = "Smart Client e Application Server estão incompatíveis em versão. Deseja atualizar a versão do Smart Client?";
/// `updater --help`.
const INCOMPATIBLE: i32 = 13;

/// A publisher, a server, a proxy before it, and a station.
struct Shop<'a> {
    repository: Repository<'a>,
    _server: Server,
    proxy: Proxy,
    station: Station,
    v1: Build,
}

impl<'a> Shop<'a> {
    /// A station with the client `build`, whose server is `server`.
    fn new(world: &'a World, build: &str, server: &str) -> Shop<'a> {
        let repository = world.repository("acme");
        let v1 = world.build("v1");
        v1.exec("client", client(build), T0).file("lib/a.so", noise(1, 300_000), T0).file("client.ini", "[config]\r\nlanguage=1\r\n", T0);
        publish(&repository, &v1, build, &["--server-build", server]);
        let (server, proxy, link) = world.serve_through_proxy(&repository);
        let station = world.station("client");
        station.install(&link);
        // In the words that sites know.
        station.run(&["settings", "language", "pt-BR"]).exits(0);
        proxy.take_exchanges();
        Shop { repository, _server: server, proxy, station, v1 }
    }

    /// Another client of that build, and the server is `server` from now on.
    fn publishes(&self, build: &str, server: &str) -> Build {
        let next = self.v1.copy(build);
        next.exec("client", client(build), T0 + 60);
        publish(&self.repository, &next, build, &["--server-build", server]);
        self.proxy.take_exchanges();
        next
    }

    fn set(&self, key: &str, value: &str) {
        self.station.run(&["settings", key, value]).exits(0);
    }

    fn launch(&self, options: &[&str]) -> Finished {
        run(&mut self.launching(options), LIMIT)
    }

    fn launching(&self, options: &[&str]) -> Command {
        let all: Vec<&str> = ["launch"].iter().chain(options).chain(&["--", "hello"]).copied().collect();
        self.station.command(&all)
    }

    /// Bytes of the publisher's objects that the station was sent since this was asked last.
    fn fetched(&self) -> u64 {
        body_bytes(&self.proxy.take_exchanges(), "/objects/")
    }
}

fn client(build: &str) -> String {
    format!("#!/bin/sh\necho {build} \"$@\"\n")
}

#[track_caller]
fn publish(repository: &Repository<'_>, build: &Build, version: &str, options: &[&str]) {
    let all: Vec<&str> = ["--build", version, "--entry-point", "client"].iter().chain(options).copied().collect();
    repository.publish_with(build, &all).succeeded("publish");
}

fn last(station: &Station) -> Value {
    station.history().pop().expect("a line")
}

/// The phases of the steps that were told, in their order.
fn phases(told: &str) -> Vec<String> {
    let events = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut phases: Vec<String> =
        events.filter(|event| event["event"] == "begin").map(|event| event["phase"].as_str().expect("a phase").to_owned()).collect();
    phases.dedup();
    phases
}

#[test]
fn ac_16_a_compatible_client_is_brought_level_at_the_start_without_a_question_and_with_visible_progress() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.7");
    shop.set("role", "station");
    let next = shop.publishes("3.4.1", "3.4.7");
    let mut person = Terminal::start(&mut shop.launching(&["--progress", "json", "--environment", "SHOP"]));
    person.wait_for("\"update\"");
    let started = person.finish();
    assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.1 hello\n"), "{}", started.report());
    assert!(!started.stderr.contains("[s/N]"), "nobody was asked\n{}", started.report());
    assert_eq!(phases(&started.stderr), ["verify", "update"], "{}", started.report());
    shop.station.tree().assert_is(&next.tree(), "level");
    let line = last(&shop.station);
    assert_eq!(
        (&line["trigger"], &line["result"], &line["detail"]),
        (&"environment".into(), &"applied".into(), &"environment SHOP".into())
    );
    assert_eq!(line["approver"], "acme", "nobody at the station agreed to it: {line}");

    // What somebody deleted comes back at the next start, and what is as it should be costs one small request.
    fs::remove_file(shop.station.file("lib/a.so")).expect("removed");
    assert_eq!(shop.launch(&[]).stdout, "3.4.1 hello\n");
    shop.station.tree().assert_is(&next.tree(), "level again");
    shop.proxy.take_exchanges();
    assert_eq!(shop.launch(&[]).stdout, "3.4.1 hello\n");
    let exchanges = shop.proxy.take_exchanges();
    assert!(matches!(&exchanges[..], [one] if one.conditional && one.status == 304), "{exchanges:?}");
}

#[test]
fn ac_17_an_incompatible_client_is_not_started_and_nothing_is_fetched_before_somebody_says_yes() {
    let world = World::new();
    let shop = Shop::new(&world, "3.3.0", "3.3.0");
    shop.set("role", "station");
    let next = shop.publishes("3.4.0", "3.4.2");

    let mut person = Terminal::start(&mut shop.launching(&[]));
    person.wait_for(QUESTION);
    assert_eq!(shop.fetched(), 0, "before the answer");
    person.types("n");
    let declined = person.finish();
    assert_eq!((declined.code(), declined.stdout.contains("hello")), (INCOMPATIBLE, false), "{}", declined.report());
    assert!(declined.stderr.contains("3.3.0") && declined.stderr.contains("3.4.2"), "both builds\n{}", declined.report());
    assert_eq!(shop.fetched(), 0, "after a no");
    shop.station.tree().assert_is(&shop.v1.tree(), "nothing changed");
    assert_eq!(shop.station.backups(), [] as [&str; 0]);

    // Nobody there: no question that waits for ever, and the same end.
    let nobody = shop.launch(&[]);
    assert_eq!((nobody.code(), nobody.stdout.contains("hello"), shop.fetched()), (INCOMPATIBLE, false, 0), "{}", nobody.report());
    let json: Value = serde_json::from_str(&nobody.stdout).expect("JSON");
    assert_eq!(json["error"]["code"], "incompatible");

    let mut person = Terminal::start(&mut shop.launching(&[]));
    person.wait_for(QUESTION);
    person.types("s");
    let agreed = person.finish();
    assert_eq!((agreed.code(), agreed.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", agreed.report());
    shop.station.tree().assert_is(&next.tree(), "replaced");
    let line = last(&shop.station);
    assert_eq!((&line["trigger"], &line["result"], &line["approver"]), (&"load".into(), &"applied".into(), &line["os_user"]), "{line}");
}

#[test]
fn ac_09_an_incompatible_client_is_replaced_with_all_of_its_files_configuration_included() {
    let world = World::new();
    let shop = Shop::new(&world, "3.3.0", "3.3.0");
    let inode = |path: &str| fs::metadata(shop.station.file(path)).expect("there").ino();
    let library = inode("lib/a.so");
    fs::write(shop.station.file("client.ini"), "[config]\r\nlanguage=3\r\n").expect("written");
    fs::write(shop.station.file("report.txt"), "the user's own").expect("written");
    shop.publishes("3.4.0", "3.4.0");
    let mut person = Terminal::start(&mut shop.launching(&[]));
    person.wait_for(QUESTION);
    person.types("y");
    assert_eq!(person.finish().stdout, "3.4.0 hello\n");
    // One file differs, and all are written anew.
    assert_ne!(inode("lib/a.so"), library, "the library, too");
    assert_eq!(fs::read(shop.station.file("client.ini")).expect("read"), b"[config]\r\nlanguage=1\r\n");
    assert_eq!(fs::read(shop.station.file("report.txt")).expect("read"), b"the user's own", "extras stay");
    assert_eq!(fs::read(shop.station.dir.join("bkp_remote.001/client.ini")).expect("read"), b"[config]\r\nlanguage=3\r\n");
}

#[test]
fn ac_18_a_client_of_a_newer_minor_is_started_and_the_mismatch_is_one_line() {
    let world = World::new();
    let shop = Shop::new(&world, "3.5.0", "3.4.0");
    for _ in 0..3 {
        let started = shop.launch(&[]);
        assert_eq!((started.code(), started.stdout.as_str()), (0, "3.5.0 hello\n"), "{}", started.report());
        assert!(started.stderr.contains("3.5.0") && started.stderr.contains("3.4.0"), "{}", started.report());
    }
    let lines = shop.station.history();
    let mismatches: Vec<&Value> = lines.iter().filter(|line| line["code"] == "client-newer").collect();
    assert!(matches!(&mismatches[..], [one] if one["result"] == "checked" && one["trigger"] == "load"), "{mismatches:?}");
}

#[test]
fn ac_19_where_updates_are_disabled_an_incompatible_client_is_refused_with_an_instruction_and_no_offer() {
    let world = World::new();
    let shop = Shop::new(&world, "3.3.0", "3.3.0");
    // Nothing fits: the station knows another server than the publisher.
    shop.set("server_build", "3.4.0");
    // And where somebody else makes updates.
    for (consent, instruction) in [("auto-compatible", "ask whoever looks after the server"), ("manual", "`updater download`")] {
        shop.set("consent", consent);
        let refused = Terminal::start(&mut shop.launching(&[])).finish();
        assert_eq!((refused.code(), refused.stdout.contains("hello")), (INCOMPATIBLE, false), "{}", refused.report());
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("3.3.0") && said.contains("3.4.0") && said.contains(instruction), "{}", refused.report());
        assert!(!said.contains("[s/N]"), "no offer\n{}", refused.report());
        assert_eq!(shop.fetched(), 0);
        let mut in_words = Command::new(program("updater"));
        let refused = run(in_words.args(["launch", "--lang", "pt-BR", "--dir"]).arg(&shop.station.dir), LIMIT);
        let title = refused.stderr.lines().next().unwrap_or_default();
        assert_eq!(title, "O cliente não é compatível com o servidor de aplicação", "{}", refused.report());
        shop.station.run(&["settings", "--unset", "server_build"]).exits(0);
        if consent == "auto-compatible" {
            shop.publishes("3.4.0", "3.4.0");
        }
    }
    shop.station.tree().assert_is(&shop.v1.tree(), "nothing changed");
    // Whoever turns the moment off, or says that it is another server, starts what is there.
    assert_eq!(shop.launch(&["--server-build", "3.3.9"]).stdout, "3.3.0 hello\n");
    shop.set("on_load", "false");
    assert_eq!(shop.launch(&[]).stdout, "3.3.0 hello\n");
}

#[test]
fn f12_a_damaged_ratchet_lets_nothing_new_in_and_stays_as_it_is_until_install() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.7");
    shop.set("role", "station");
    let left = shop.publishes("3.4.1", "3.4.7");
    shop.station.update().exits(0);
    shop.station.run(&["rollback"]).exits(0);
    assert_eq!(shop.station.check().exits(0).text("decision"), "held");
    let ratchet = shop.station.state("ratchet.json");
    fs::write(&ratchet, "junk").expect("written");
    let untouched = |what: &str| assert_eq!(fs::read(&ratchet).expect("there"), b"junk", "{what}");

    // Twice: who refuses once and then goes on refuses nothing.
    for _ in 0..2 {
        let started = shop.launch(&[]);
        assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", started.report());
        assert!(started.stderr.contains("ratchet.json` is damaged"), "{}", started.report());
        shop.station.tree().assert_is(&shop.v1.tree(), "what was left does not come back");
        untouched("a start");
    }
    assert_eq!(shop.station.run(&["unhold"]).exits(7).json["error"]["code"], "damaged-state");
    shop.station.run(&["status"]).exits(0);
    untouched("a look");
    // A backup can be put back, and so can what is installed: both are known here.
    shop.station.run(&["rollback"]).exits(0);
    shop.station.tree().assert_is(&left.tree(), "somebody went back by name");
    untouched("a rollback");
    fs::write(shop.station.file("lib/a.so"), "damaged").expect("written");
    shop.station.run(&["verify", "--repair"]).exits(0);
    shop.station.tree().assert_is(&left.tree(), "repaired");
    untouched("a repair");

    let link = shop.proxy.through(&world.link(&shop._server));
    shop.station.install(&link);
    shop.station.check().exits(0);
}

#[test]
fn f12_what_was_downloaded_is_not_installed_with_a_damaged_ratchet() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.7");
    shop.publishes("3.4.1", "3.4.7");
    shop.station.run(&["download"]).exits(0);
    fs::write(shop.station.state("ratchet.json"), "junk").expect("written");
    let refused = shop.station.run(&["apply"]).exits(7);
    assert_eq!(refused.json["error"]["code"], "damaged-state", "{}", refused.json);
    shop.station.tree().assert_is(&shop.v1.tree(), "nothing changed");
    assert_eq!(fs::read(shop.station.state("ratchet.json")).expect("there"), b"junk");
}

#[test]
fn d_02_settings_that_cannot_be_used_let_nobody_replace_a_client() {
    let world = World::new();
    let shop = Shop::new(&world, "3.3.0", "3.3.0");
    shop.publishes("3.4.0", "3.4.0");
    fs::write(shop.station.state("settings.toml"), "consent = \"manual\"\napprover = \"admin-role\"\non_laod = true\n").expect("written");
    let mut person = Terminal::start(&mut shop.launching(&[]));
    // Whoever would be asked says yes.
    person.types("y");
    let refused = person.finish();
    assert_eq!((refused.code(), refused.stdout.contains("hello")), (INCOMPATIBLE, false), "{}", refused.report());
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("settings.toml") && said.contains("on_laod") && !said.contains("/N]"), "{}", refused.report());
    assert_eq!(shop.fetched(), 0);
    shop.station.tree().assert_is(&shop.v1.tree(), "nothing changed");
}

#[test]
fn d_01_a_question_that_nobody_answers_keeps_no_till_from_starting_and_is_nobodys_no() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.0");
    shop.publishes("3.4.1", "3.4.0");
    let lines = shop.station.history().len();
    // A till that is switched on has a terminal and nobody before it; one whose window is closed says as little, and so does half a line.
    for (options, keys, within) in [(&["--answer-within", "1"][..], "", 1), (&["--answer-within", "1"], "s\u{4}", 1), (&[], "\u{4}", 60)] {
        let mut till = Terminal::start(&mut shop.launching(options));
        till.wait_for("[s/N]");
        till.presses(keys);
        let started = till.finish();
        assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", started.report());
        assert!(started.stderr.contains(&format!("Sem resposta em {within} s")), "{}", started.report());
    }
    assert_eq!(shop.station.history().len(), lines, "nobody said no");
    shop.station.tree().assert_is(&shop.v1.tree(), "nothing changed");

    // The same for a client that does not fit: it is not started, and nobody declined.
    shop.publishes("3.5.0", "3.5.0");
    let mut till = Terminal::start(&mut shop.launching(&["--answer-within", "1"]));
    till.wait_for(QUESTION);
    let refused = till.finish();
    assert_eq!((refused.code(), refused.stdout.contains("hello")), (INCOMPATIBLE, false), "{}", refused.report());
    assert_ne!(last(&shop.station)["result"], "declined");
}

#[test]
fn ac_21_a_release_that_needs_both_minimums_waits_for_both() {
    let world = World::new();
    let shop = Shop::new(&world, "17.3.0.8", "17.3.0.14");
    shop.set("role", "station");
    let next = shop.v1.copy("next");
    next.exec("client", client("17.3.0.14"), T0 + 60);
    let both = ["--requires-client", "17.3.0.9", "--requires-server", "17.3.0.14"];
    publish(&shop.repository, &next, "17.3.0.14", &[&both[..], &["--server-build", "17.3.0.14"]].concat());
    let old_client = shop.station.check().exits(0);
    assert_eq!(old_client.text("decision"), "needs-both-minimums", "{}", old_client.json);
    assert!(old_client.text("reason").contains("needs both minimums"), "{}", old_client.json);
    shop.proxy.take_exchanges();
    assert_eq!(shop.launch(&[]).stdout, "17.3.0.8 hello\n", "what is there goes on");
    let old_server = shop.launch(&["--server-build", "17.3.0.13"]);
    assert_eq!((old_server.stdout.as_str(), shop.fetched()), ("17.3.0.8 hello\n", 0), "{}", old_server.report());
    shop.station.tree().assert_is(&shop.v1.tree(), "no update");
}

#[test]
fn d_12_a_server_that_stalls_holds_no_start_and_what_arrived_is_kept() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.0");
    shop.set("role", "station");
    let next = shop.v1.copy("3.4.1");
    // Two files, so that the list and each of them can stall.
    next.exec("client", client("3.4.1"), T0 + 60).file("lib/a.so", noise(2, 300_000), T0 + 60);
    publish(&shop.repository, &next, "3.4.1", &["--server-build", "3.4.0"]);
    shop.station.check().exits(10);
    shop.fetched();
    let whole = fs::metadata(next.dir.join("lib/a.so")).expect("there").len();
    // The list of files stalls, then, when it is here, their contents do.
    for (nth, what) in [(Nth::Every, "the list"), (Nth::From(2), "the contents")] {
        shop.proxy.on("/objects/", nth, Fault::Hold(Spot::Percent(60)));
        let started = shop.launch(&["--hasten", "3"]);
        assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.0 hello\n"), "{what}\n{}", started.report());
        assert!(started.stderr.contains("[too-slow]"), "{what}\n{}", started.report());
        let line = last(&shop.station);
        assert_eq!(
            (&line["trigger"], &line["result"], &line["code"]),
            (&"environment".into(), &"failed".into(), &"too-slow".into()),
            "{line}"
        );
        shop.station.tree().assert_is(&shop.v1.tree(), what);
        shop.proxy.calm();
    }
    shop.fetched();
    assert_eq!(shop.launch(&[]).stdout, "3.4.1 hello\n");
    shop.station.tree().assert_is(&next.tree(), "level");
    let rest = shop.fetched();
    assert!(rest < whole * 6 / 10, "{rest} bytes of {whole}: what had arrived was kept");
}

#[test]
fn d_12_a_source_that_did_not_answer_a_start_is_asked_for_nothing_more_and_what_is_here_is_applied() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.0");
    shop.set("role", "station");
    let next = shop.publishes("3.4.1", "3.4.0");
    shop.station.check().exits(10);
    shop.proxy.on("/", Nth::Every, Fault::DripHead(Duration::from_secs(1)));
    shop.proxy.take_exchanges();
    let lines = shop.station.history().len();
    let started = shop.launch(&["--hasten", "4"]);
    assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", started.report());
    let asked = shop.proxy.take_exchanges();
    assert!(matches!(&asked[..], [one] if one.path.ends_with("timestamp.json")), "{asked:?}");
    assert_eq!(shop.station.history().len(), lines, "nothing was tried, so nothing failed");

    shop.proxy.calm();
    shop.station.run(&["download"]).exits(0);
    shop.proxy.on("/", Nth::Every, Fault::DripHead(Duration::from_secs(1)));
    let started = shop.launch(&["--hasten", "4"]);
    assert_eq!((started.code(), started.stdout.as_str()), (0, "3.4.1 hello\n"), "{}", started.report());
    shop.station.tree().assert_is(&next.tree(), "all of it was here");
}

#[test]
fn a_server_that_is_gone_or_silent_keeps_no_client_from_starting_that_fits() {
    let world = World::new();
    let shop = Shop::new(&world, "3.4.0", "3.4.0");
    shop.set("role", "station");
    shop.proxy.on("timestamp.json", Nth::Every, Fault::DripHead(Duration::from_secs(1)));
    let silent = shop.launch(&[]);
    assert_eq!((silent.code(), silent.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", silent.report());
    shop.proxy.calm();
    // One that is known not to fit is not started either way.
    shop.publishes("3.5.0", "3.5.0");
    shop.station.check().exits(10);
    let station = shop.station.clone();
    drop(shop);
    let run_it = |options: &[&str]| {
        let all: Vec<&str> = ["launch", "--hasten", "20"].iter().chain(options).chain(&["--", "hello"]).copied().collect();
        run(&mut station.command(&all), LIMIT)
    };
    let gone = run_it(&["--server-build", "3.4.0"]);
    assert_eq!((gone.code(), gone.stdout.as_str()), (0, "3.4.0 hello\n"), "{}", gone.report());
    assert_eq!(run_it(&[]).code(), INCOMPATIBLE);
}
