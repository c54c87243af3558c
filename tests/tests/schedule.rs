//! The schedule: one check in each period, one task however often it is installed, and files that the systems' own tools read (AC-27, AC-28, AC-29, D-13).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use system_tests::process::run;
use system_tests::proxy::{Fault, Nth};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{Clock, T0, World, copy_tree};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("before the year 292277026596")
}

/// What people run in between.
const BY_HAND: [&[&str]; 4] = [&["check"], &["schedule", "run", "--now"], &["update", "--yes"], &["update", "--yes", "--trigger", "menu"]];

/// At which of `starts` starts of the schedule, `step` seconds apart, the server was asked. Somebody asks by hand in between.
fn asked(scene: &Scene<'_>, starts: i64, step: i64) -> Vec<i64> {
    let begin = now();
    scene.proxy.take_exchanges();
    let mut asked = vec![];
    for start in 0..starts {
        let clock = Clock { unix: begin + start * step, zone: "America/Sao_Paulo".into() };
        let station = scene.station.at_time(&clock);
        let outcome = station.run(&["schedule", "run"]).exits(0);
        let requests = scene.proxy.take_exchanges().len();
        assert_eq!(outcome.text("result") == "not-due", requests == 0, "{}", outcome.finished.report());
        if requests > 0 {
            assert_eq!(requests, 1, "one check");
            asked.push(start);
        }
        if start % 5 == 2 {
            let by_hand = BY_HAND.iter().cycle().nth(usize::try_from(start / 5).expect("a start")).expect("for ever");
            station.run(by_hand).exits(0);
            assert_eq!(scene.proxy.take_exchanges().len(), 1, "`{}` asks whenever it is run", by_hand.join(" "));
        }
    }
    asked
}

#[test]
fn ac_27_checks_lie_a_period_apart_and_checks_by_hand_shift_none() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.station.update().exits(0);
    // Four hours where nothing is set: 20 minutes apart, every twelfth start asks.
    let times = asked(&scene, 12 * 3 + 2, 1200);
    assert!(times.len() >= 4 && times[0] == 0, "{times:?}");
    assert!(times[1..].windows(2).all(|pair| pair[1] - pair[0] == 12), "{times:?}");
    scene.station.run(&["settings", "check_every", "1h"]).exits(0);
    let times = asked(&scene, 3 * 3 + 2, 1200);
    assert!(times.len() >= 3, "{times:?}");
    assert!(times[1..].windows(2).all(|pair| pair[1] - pair[0] == 3), "{times:?}");
}

#[test]
fn ac_29_after_a_sleep_of_three_periods_one_check_is_made() {
    let world = World::new();
    let scene = Scene::new(&world);
    let run_at = |unix| scene.station.at_time(&Clock { unix, zone: "UTC".into() }).run(&["schedule", "run"]).exits(0);
    run_at(now());
    scene.proxy.take_exchanges();
    // What a timer might do that makes up for each of them.
    let awake = now() + 3 * 4 * 3600;
    let results: Vec<String> = (0..3).map(|n| run_at(awake + n).text("result").to_owned()).collect();
    assert_eq!(scene.proxy.take_exchanges().len(), 1, "{results:?}");
    assert_eq!(results[1..], ["not-due", "not-due"]);
}

/// The moment with which `station` begins the next period of `seconds`, in seconds since 1970.
fn next_moment(station: &Station, seconds: i64) -> i64 {
    let phase = station.run(&["schedule", "status"]).exits(0).json["phase_seconds"].as_i64().expect("seconds");
    (now() / seconds + 1) * seconds + phase
}

#[test]
fn ac_29_a_check_that_did_not_come_through_is_tried_again_in_its_period_less_and_less_often_until_one_does() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.station.run(&["settings", "check_every", "1d"]).exits(0);
    let moment = next_moment(&scene.station, 86_400);
    let at = |hour: i64| scene.station.at_time(&Clock { unix: moment + hour * 3600, zone: "UTC".into() });
    let start = |hour: i64| {
        let outcome = at(hour).run(&["schedule", "run"]);
        (outcome.code, scene.proxy.take_exchanges().iter().filter(|exchange| exchange.path.ends_with("/timestamp.json")).count())
    };
    // A laptop wakes before its network does; the timer starts a run every hour.
    scene.proxy.on("", Nth::Every, Fault::Refuse);
    let tried = |hours: std::ops::Range<i64>| -> Vec<i64> {
        let asks = |hour: &i64| {
            let (code, asked) = start(*hour);
            assert_eq!(code, if asked > 0 { 3 } else { 0 }, "hour {hour}");
            asked > 0
        };
        hours.filter(asks).collect()
    };
    assert_eq!(tried(0..24), [0, 1, 2, 3, 5, 9, 17]);
    assert_eq!(tried(24..30), [24], "a new day has its one check");
    let status = at(25).run(&["schedule", "status"]).exits(0);
    assert_eq!(status.json["failed"], 8, "{}", status.json);
    scene.proxy.calm();
    assert_eq!([30, 47, 48, 49].map(start), [(0, 0), (0, 0), (0, 1), (0, 0)]);
    scene.proxy.on("", Nth::Every, Fault::Refuse);
    assert_eq!(tried(72..75), [72, 73, 74], "after one that came through, as often as at first");
}

#[test]
fn ac_29_an_update_that_was_cut_off_is_gone_on_with_in_the_same_period() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.station.run(&["settings", "role", "station"]).exits(0);
    let moment = next_moment(&scene.station, 14_400);
    let start = |hour: i64| scene.station.at_time(&Clock { unix: moment + hour * 3600, zone: "UTC".into() }).run(&["schedule", "run"]);
    scene.proxy.on("/objects/", Nth::Every, Fault::Refuse);
    start(0).exits(3);
    scene.proxy.calm();
    assert_eq!(start(1).exits(0).text("result"), "updated");
    assert_eq!(start(2).exits(0).text("result"), "not-due");
}

#[test]
fn ac_29_the_timers_of_two_hundred_stations_fire_all_over_the_period() {
    const STATIONS: usize = 200;
    const PERIOD: u64 = 4 * 3600;
    let world = World::new();
    let scene = Scene::new(&world);
    let units = world.path("units");
    let into = units.to_str().expect("Unicode");
    let mut moments: Vec<u64> = (0..STATIONS)
        .map(|n| {
            let station = Station::at(world.path(&format!("till-{n}")));
            copy_tree(&scene.station.dir, &station.dir);
            let installed = station.run(&["schedule", "install", "--kind", "systemd", "--user", "--into", into]).exits(0);
            let timer = fs::read_to_string(units.join(format!("{}.timer", installed.text("name")))).expect("a timer of its own");
            let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=*-*-* ")).expect("a calendar");
            let fields: Vec<&str> = calendar.trim_end_matches(" UTC").split(':').collect();
            let ["*", minute, second] = fields[..] else { panic!("every hour: {calendar}") };
            let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{calendar}"));
            // Of its starts one in each period is due.
            let moment = installed.json["phase_seconds"].as_u64().expect("seconds");
            assert_eq!(number(minute) * 60 + number(second), moment % 3600, "{calendar}");
            moment
        })
        .collect();
    assert_eq!(names(&units).len(), 2 * STATIONS, "a task for each folder");
    moments.sort_unstable();
    assert!(moments.last() < Some(&PERIOD), "{moments:?}");
    // By chance alone fewer than 8 or more than 50 of 200 come into one eighth once in thousands of draws; the folders differ in every run.
    for eighth in 0..8 {
        let here = moments.iter().filter(|moment| **moment / (PERIOD / 8) == eighth).count();
        assert!((8..=50).contains(&here), "{here} of {STATIONS} in the eighth {eighth}: {moments:?}");
    }
}

#[test]
fn d_01_a_scheduled_run_updates_where_that_is_agreed_to_and_else_only_says_so() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.publish_v2();
    let told = scene.station.run(&["schedule", "run"]).exits(10);
    assert_eq!((told.text("decision"), scene.station.backups().len()), ("update-available", 0));
    scene.station.run(&["settings", "role", "station"]).exits(0);
    let clock = Clock { unix: now() + 4 * 3600, zone: "UTC".into() };
    let updated = scene.station.at_time(&clock).run(&["schedule", "run"]).exits(0);
    assert_eq!((updated.text("result"), scene.station.backups().len()), ("updated", 1));
    let history = scene.station.history();
    assert_eq!(history.last().map(|line| (line["trigger"].as_str(), line["result"].as_str())), Some((Some("schedule"), Some("applied"))));
}

/// A folder with a program that notes how it was called, in the file `log`, and a station that finds it.
struct Tools {
    folder: PathBuf,
    station: Station,
}

impl Tools {
    fn new(world: &World, station: &Station, name: &str, script: &str) -> Tools {
        let folder = world.path("tools");
        fs::create_dir_all(&folder).expect("made");
        let tool = folder.join(name);
        fs::write(&tool, format!("#!/bin/sh\necho \"$*\" >> {}/log\n{script}", folder.display())).expect("written");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("mode set");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a search path"));
        let config = world.path("config");
        let station = station.with_env("PATH", &path).with_env("XDG_CONFIG_HOME", config.to_str().expect("Unicode"));
        Tools { folder, station }
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let _ = fs::remove_file(self.folder.join("log"));
        log.lines().map(str::to_owned).collect()
    }
}

/// What the system was told, of what it was told and asked.
fn told(tools: &Tools) -> Vec<String> {
    let mut log = tools.log();
    log.retain(|line| !line.starts_with("--user cat "));
    log
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|all| all.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn ac_28_a_schedule_installed_twice_is_one_task_and_uninstalling_leaves_none() {
    let world = World::new();
    let scene = Scene::new(&world);
    let tools = Tools::new(&world, &scene.station, "systemctl", "");
    let units = world.path("config/systemd/user");
    let install = ["schedule", "install", "--kind", "systemd", "--user"];
    let name = tools.station.run(&install).exits(0).text("name").to_owned();
    assert!(name.starts_with("stationmaster-updater-"), "{name}");
    let [service, timer] = [format!("{name}.service"), format!("{name}.timer")];
    assert_eq!(told(&tools), ["--user daemon-reload".to_owned(), format!("--user enable --now {timer}")]);
    let first = fs::read(units.join(&timer)).expect("read");
    tools.station.run(&install).exits(0);
    assert_eq!(names(&units), [&*service, &*timer], "installed twice");
    assert_eq!(fs::read(units.join(&timer)).expect("read"), first, "the moment of a station is always the same");
    let status = tools.station.run(&["schedule", "status"]).exits(0);
    assert_eq!((&status.json["registered"], status.text("every")), (&serde_json::json!(true), "4h"));

    // Under another name it is the same one task.
    tools.log();
    tools.station.run(&["schedule", "install", "--kind", "systemd", "--user", "--alias", "SmartsUpdate", "--every", "1h"]).exits(0);
    assert_eq!(names(&units), ["SmartsUpdate.service", "SmartsUpdate.timer"]);
    assert_eq!(told(&tools)[0], format!("--user disable --now {timer}"));
    tools.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(names(&units), [] as [&str; 0]);
    assert_eq!(tools.station.run(&["schedule", "remove"]).exits(0).text("result"), "nothing-to-do");

    tools.station.run(&install).exits(0);
    tools.log();
    tools.station.run(&["uninstall"]).exits(0);
    assert_eq!(names(&units), [] as [&str; 0], "uninstalled");
    assert_eq!(told(&tools)[0], format!("--user disable --now {timer}"));
}

#[test]
fn ac_28_a_folder_that_could_not_be_written_down_is_refused_and_the_task_is_not_forgotten() {
    let world = World::new();
    let scene = Scene::new(&world);
    let units = world.path("units");
    let install = ["schedule", "install", "--kind", "systemd", "--user", "--into"];
    scene.station.run(&[&install[..], &[units.to_str().expect("Unicode")]].concat()).exits(0);
    let elsewhere = world.path("").join(OsStr::from_bytes(b"u\xff"));
    let refused = run(scene.station.command(&install).arg(&elsewhere), LIMIT);
    assert_eq!(refused.code(), 2, "{}", refused.report());
    assert!(refused.stdout.contains("not Unicode") && !elsewhere.exists(), "{}", refused.report());
    scene.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(names(&units), [] as [&str; 0], "it was still known");
}

#[test]
fn ac_28_a_line_of_cron_is_one_line_beside_those_of_others() {
    let world = World::new();
    let scene = Scene::new(&world);
    let table = world.path("crontab");
    let tools = Tools::new(&world, &scene.station, "crontab", &crontab_of(&table));
    let lines = || fs::read_to_string(&table).unwrap_or_default().lines().filter(|line| line.contains("'schedule' 'run'")).count();
    for _ in 0..2 {
        tools.station.run(&["schedule", "install", "--kind", "cron", "--user"]).exits(0);
        assert_eq!(lines(), 1);
    }
    let others = "0 5 * * * /usr/bin/backup\n";
    fs::write(&table, format!("{others}{}", fs::read_to_string(&table).expect("read"))).expect("written");
    assert_eq!(tools.station.run(&["schedule", "status"]).exits(0).json["registered"], true);
    tools.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(fs::read_to_string(&table).expect("read"), others);
}

/// A `crontab` that keeps the account's table in `table`.
fn crontab_of(table: &Path) -> String {
    format!("case $1 in -l) [ -f {0} ] && cat {0} || {{ echo 'no crontab' >&2; exit 1; }};; -) cat > {0};; esac\n", table.display())
}

#[test]
fn ac_28_what_others_have_in_a_crontab_keeps_its_bytes_and_one_that_cannot_be_read_is_not_replaced() {
    let world = World::new();
    let scene = Scene::new(&world);
    let table = world.path("crontab");
    let tools = Tools::new(&world, &scene.station, "crontab", &crontab_of(&table));
    // Latin-1, and a comment that is the name of the task.
    let others = b"0 5 * * * /usr/bin/sauvegard\xe9 # backup\n";
    fs::write(&table, others).expect("written");
    let install = ["schedule", "install", "--kind", "cron", "--user", "--alias", "backup"];
    for _ in 0..2 {
        tools.station.run(&install).exits(0);
        assert!(fs::read(&table).expect("read").starts_with(others));
    }
    tools.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(fs::read(&table).expect("read"), others);
    let silent = format!("case $1 in -l) echo 'cannot chdir: I/O error' >&2; exit 1;; -) cat > {};; esac\n", table.display());
    let tools = Tools::new(&world, &scene.station, "crontab", &silent);
    let failed = tools.station.run(&install).exits(5);
    assert_eq!(failed.json["registered"]["why"], "cannot chdir: I/O error");
    assert_eq!(fs::read(&table).expect("read"), others, "the table is as it was");
}

/// A `schtasks` that keeps the tasks of the system in `tasks`, and shows them in the console's encoding, as Windows does.
fn schtasks_of(tasks: &Path) -> String {
    let known = format!("[ -f {0}/$3 ] || {{ echo 'ERROR: The system cannot find the file specified.' >&2; exit 1; }}", tasks.display());
    format!(
        "case $1 in /Create) iconv -f UTF-16 -t UTF-8 \"$5\" > {0}/$3;; /Delete) {known}; rm {0}/$3;; /Query) {known}; [ \"$4\" != /XML ] || cat {0}/$3;; esac\n",
        tasks.display()
    )
}

#[test]
fn s1_09_a_task_of_the_vendors_or_of_another_install_is_neither_replaced_nor_removed() {
    const THEIRS: &str = "<Task><Actions><Exec><Command>MobileSMARTSUpdater.exe</Command></Exec></Actions></Task>";
    let world = World::new();
    let scene = Scene::new(&world);
    let system = world.path("tasks");
    fs::create_dir(&system).expect("made");
    let task = system.join("SmartsUpdate");
    let tools = Tools::new(&world, &scene.station, "schtasks", &schtasks_of(&system));
    let install = ["schedule", "install", "--kind", "task", "--user", "--alias", "SmartsUpdate"];
    let refused = |station: &Station| {
        let before = fs::read(&task).expect("a task");
        let refused = station.run(&install).exits(5);
        assert!(refused.finished.report().contains("Task Scheduler has `SmartsUpdate` already"), "{}", refused.finished.report());
        assert_eq!(fs::read(&task).expect("a task"), before, "as it was");
        assert_eq!(station.run(&["schedule", "status"]).exits(0).json["task"], serde_json::Value::Null, "nothing was made");
    };

    fs::write(&task, THEIRS).expect("written");
    refused(&tools.station);
    fs::remove_file(&task).expect("removed by its people");
    for _ in 0..2 {
        tools.station.run(&install).exits(0);
        assert_eq!(tools.station.run(&["schedule", "status"]).exits(0).json["registered"], true);
    }
    assert!(fs::read_to_string(&task).expect("a task").contains("schedule run"));

    // A second client on the computer.
    let second = Station::at(world.path("second"));
    copy_tree(&scene.station.dir, &second.dir);
    fs::remove_file(second.state("schedule.json")).expect("it has no task yet");
    fs::remove_file(second.state("SmartsUpdate.xml")).expect("it has no task yet");
    refused(&Tools::new(&world, &second, "schtasks", &schtasks_of(&system)).station);

    // The vendor's setup runs again, and takes its name back.
    fs::write(&task, THEIRS).expect("written");
    assert_eq!(tools.station.run(&["schedule", "status"]).exits(0).json["registered"], false);
    tools.station.run(&["uninstall"]).exits(0);
    assert_eq!(fs::read_to_string(&task).expect("a task"), THEIRS);
}

#[test]
fn s1_09_a_line_of_cron_does_not_take_the_name_of_another_installs() {
    let world = World::new();
    let scene = Scene::new(&world);
    let second = Station::at(world.path("second"));
    copy_tree(&scene.station.dir, &second.dir);
    let table = world.path("crontab");
    let [first, second] = [&scene.station, &second].map(|station| Tools::new(&world, station, "crontab", &crontab_of(&table)).station);
    let install = ["schedule", "install", "--kind", "cron", "--user", "--alias", "SmartsUpdate"];
    for _ in 0..2 {
        first.run(&install).exits(0);
    }
    let before = fs::read(&table).expect("read");
    let refused = second.run(&install).exits(5);
    assert!(refused.finished.report().contains("cron has `SmartsUpdate` already"), "{}", refused.finished.report());
    assert_eq!(fs::read(&table).expect("read"), before);
    // Beside it, under another name, both are.
    second.run(&["schedule", "install", "--kind", "cron", "--user"]).exits(0);
    first.run(&["schedule", "remove"]).exits(0);
    assert_eq!(second.run(&["schedule", "status"]).exits(0).json["registered"], true);
}

#[test]
fn s1_09_a_unit_that_the_system_has_elsewhere_is_not_hidden_by_one_of_ours() {
    let world = World::new();
    let scene = Scene::new(&world);
    let units = world.path("config/systemd/user");
    let vendors =
        "case \"$*\" in *'cat SmartsUpdate.service') echo '# /usr/lib/systemd/user/SmartsUpdate.service';; *cat*) exit 1;; esac\n";
    let tools = Tools::new(&world, &scene.station, "systemctl", vendors);
    let refused = tools.station.run(&["schedule", "install", "--kind", "systemd", "--user", "--alias", "SmartsUpdate"]).exits(5);
    assert!(refused.finished.report().contains("systemd has `SmartsUpdate` already"), "{}", refused.finished.report());
    assert_eq!((names(&units), told(&tools)), (vec![], vec![]));
    tools.station.run(&["schedule", "install", "--kind", "systemd", "--user"]).exits(0);

    // What somebody else put in the place of ours meanwhile stays there.
    let timer = names(&units).into_iter().find(|name| name.ends_with(".timer")).expect("a timer");
    fs::write(units.join(&timer), "[Timer]\nOnCalendar=daily\n").expect("written");
    tools.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(names(&units), [timer]);
}

#[test]
fn a_system_that_cannot_be_told_is_named_with_the_command() {
    let world = World::new();
    let scene = Scene::new(&world);
    let tools = Tools::new(&world, &scene.station, "systemctl", "echo 'no bus' >&2; exit 1\n");
    let outcome = tools.station.run(&["schedule", "install", "--kind", "systemd", "--user"]).exits(5);
    let said = &outcome.json["registered"];
    assert_eq!(said["registration"], "failed", "{said}");
    assert_eq!((said["command"].as_str(), said["why"].as_str()), (Some("systemctl --user daemon-reload"), Some("no bus")));
    tools.station.run(&["schedule", "remove"]).exits(0);
    assert_eq!(names(&world.path("config/systemd/user")), [] as [&str; 0]);
}

#[test]
fn ac_28_a_task_that_the_system_keeps_is_not_forgotten_and_nothing_is_given_up_before_it() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    scene.station.update().exits(0);
    let units = world.path("config/systemd/user");
    let tools = Tools::new(&world, &scene.station, "systemctl", "case \"$*\" in *disable*) echo 'Access denied' >&2; exit 1;; esac\n");
    tools.station.run(&["schedule", "install", "--kind", "systemd", "--user"]).exits(0);
    let (before, backups) = (names(&units), tools.station.backups());
    for command in [
        &["schedule", "remove"][..],
        &["schedule", "install", "--kind", "systemd", "--user", "--alias", "Other"],
        &["uninstall", "--backups"],
    ] {
        let refused = tools.station.run(command).exits(5);
        assert!(refused.finished.report().contains("Access denied"), "{}", refused.finished.report());
        assert_eq!((names(&units), tools.station.backups()), (before.clone(), backups.clone()), "{command:?}");
        assert_eq!(tools.station.run(&["schedule", "status"]).exits(0).json["registered"], true, "{command:?}");
    }
    let tools = Tools::new(&world, &scene.station, "systemctl", "");
    tools.station.run(&["uninstall", "--backups"]).exits(0);
    assert_eq!((names(&units), tools.station.backups().len()), (vec![], 0));
}

/// What no renderer may stumble over.
const AWKWARD: &str = "it's a \"client\" & 100% $HOME";

/// A station in a folder whose name has everything that a renderer could stumble over, with its schedule written into a folder.
fn rendered(world: &World, kind: &str, scope: &str, every: &str) -> (String, PathBuf) {
    let repository = world.repository("acme");
    let build = world.build("v1");
    build.exec("client", "1", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let awkward = Station::at(world.path(AWKWARD));
    awkward.install(&world.link(&server));
    let into = world.path(&format!("{kind}{scope}"));
    let outcome = awkward.run(&["schedule", "install", "--kind", kind, scope, "--every", every, "--into", into.to_str().expect("Unicode")]);
    (outcome.exits(0).text("name").to_owned(), into)
}

/// Runs Python, the judge of what is rendered, with `arguments`.
fn python(script: &str, arguments: &[&Path]) {
    run(Command::new("python3").arg("-c").arg(script).args(arguments), LIMIT).succeeded("python3");
}

#[test]
fn ac_28_systemd_reads_the_units_and_fires_them_every_hour() {
    for (scope, every) in [("--system", "4h"), ("--user", "4h"), ("--user", "1h")] {
        let world = World::new();
        let (name, into) = rendered(&world, "systemd", scope, every);
        let units = [into.join(format!("{name}.timer")), into.join(format!("{name}.service"))];
        let verified =
            run(Command::new("systemd-analyze").args([scope, "verify", "--man=no"]).args(&units).env("XDG_RUNTIME_DIR", &into), LIMIT);
        let verified = verified.succeeded("systemd-analyze verify");
        assert!(!verified.stderr.contains(&name), "systemd has something to say\n{}", verified.report());
        let timer = fs::read_to_string(&units[0]).expect("read");
        assert!(timer.contains("\nPersistent=true\n"), "{timer}");
        let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).expect("a calendar");
        let shown = run(Command::new("systemd-analyze").args(["calendar", "--iterations=7", calendar]).env("TZ", "UTC"), LIMIT);
        let shown = shown.succeeded("systemd-analyze calendar").stdout;
        let of_day = |line: &str| {
            line.split_whitespace().find(|word| word.matches(':').count() == 2).map(|word| word[..2].parse().expect("an hour"))
        };
        // Each moment is shown in UTC and, in another line, how far away it is.
        let hours: Vec<i64> =
            shown.lines().filter(|line| line.trim_end().ends_with("UTC") && !line.contains("Normalized")).filter_map(of_day).collect();
        assert_eq!(hours.len(), 7, "{shown}");
        assert!(hours.windows(2).all(|pair| (pair[1] - pair[0]).rem_euclid(24) == 1), "{shown}");
    }
}

#[test]
fn ac_28_a_property_list_is_read_as_it_was_meant() {
    let world = World::new();
    let (name, into) = rendered(&world, "launchd", "--user", "30m");
    let script = r#"
import plistlib, sys
plist = plistlib.load(open(sys.argv[1], "rb"))
words = plist["ProgramArguments"]
assert words[1:] == ["schedule", "run", "--dir", sys.argv[2]], words
assert plist["Label"] + ".plist" == sys.argv[1].rsplit("/", 1)[1], plist
minutes = [entry["Minute"] for entry in plist["StartCalendarInterval"]]
assert len(minutes) == 2 and minutes[1] - minutes[0] == 30, minutes
"#;
    python(script, &[&into.join(format!("{name}.plist")), &world.path(AWKWARD)]);
}

#[test]
fn ac_28_a_windows_task_is_utf_16_with_its_elements_in_the_order_of_the_schema() {
    for (scope, interval) in [("--system", "PT60M"), ("--user", "PT240M")] {
        let world = World::new();
        let (name, into) = rendered(&world, "task", scope, "4h");
        let script = r#"
import sys
import xml.etree.ElementTree as tree
bytes = open(sys.argv[1], "rb").read()
assert bytes[:2] == b"\xff\xfe", "the mark"
root = tree.fromstring(bytes.decode("utf-16"). replace(' encoding="UTF-16"', ''))
ns = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
def names(element): return [child.tag.removeprefix(ns) for child in element]
def one(path): return root.find("/".join(ns + part for part in path.split("/")))
# MS-TSCH 2.5: sequences have an order, and what is not in the schema is refused.
assert root.tag == ns + "Task" and root.get("version") == "1.2"
assert names(root) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"], names(root)
assert names(one("Triggers/TimeTrigger")) == ["Repetition", "StartBoundary", "Enabled"]
assert names(one("Triggers/TimeTrigger/Repetition")) == ["Interval", "StopAtDurationEnd"]
assert one("Triggers/TimeTrigger/Repetition/Interval").text == sys.argv[3]
assert one("Triggers/TimeTrigger/StartBoundary").text.endswith("Z")
assert set(names(one("Principals/Principal"))) <= {"UserId", "LogonType", "RunLevel"}
known = {"MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable",
         "RunOnlyIfNetworkAvailable", "Enabled", "Hidden", "ExecutionTimeLimit", "Priority"}
assert set(names(one("Settings"))) == known and len(names(one("Settings"))) == len(known)
assert one("Settings/StartWhenAvailable").text == "true"
assert one("Settings/MultipleInstancesPolicy").text == "IgnoreNew"
assert names(one("Actions/Exec")) == ["Command", "Arguments"]
# As CommandLineToArgvW takes it apart: no backslash stands before a quotation mark but the one that escapes it.
assert one("Actions/Exec/Arguments").text == 'schedule run --dir "' + sys.argv[2].replace('"', '\\"') + '"', one("Actions/Exec/Arguments").text
"#;
        python(script, &[&into.join(format!("{name}.xml")), &world.path(AWKWARD), Path::new(interval)]);
    }
}

#[test]
fn ac_28_a_line_of_cron_has_five_fields_and_its_command_names_the_folder() {
    let world = World::new();
    let (name, into) = rendered(&world, "cron", "--user", "4h");
    let text = fs::read_to_string(into.join(&name)).expect("read");
    let line = text.lines().last().expect("a line");
    let fields: Vec<&str> = line.splitn(6, ' ').collect();
    assert!(fields[0].parse::<u32>().is_ok_and(|minute| minute < 60) && fields[1..5] == ["*"; 4], "{line}");
    // As cron hands it to the shell: `\%` is `%`, and what stands behind a bare one would be its input.
    assert!(!fields[5].replace("\\%", "").contains('%'), "{line}");
    let command = fields[5].replace("\\%", "%");
    let program = command.split_whitespace().next().expect("a program");
    let shown = run(Command::new("sh").arg("-c").arg(command.replacen(program, "printf '%s\\n'", 1).replace(">/dev/null", "")), LIMIT);
    let words: Vec<String> = shown.succeeded("sh").stdout.lines().map(str::to_owned).collect();
    assert_eq!(words[..3], ["schedule", "run", "--dir"]);
    assert_eq!(Path::new(&words[3]), world.path(AWKWARD));
}
