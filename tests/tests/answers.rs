//! `updater install --answers`: a roll-out to stations where nobody sits asks nothing, twice is once, and how it ended says the exit code.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use system_tests::process::run;
use system_tests::service::{NOBODY, Workplace, as_account, finish};
use system_tests::station::{Outcome, Station};
use system_tests::tree::Tree;
use system_tests::world::{T0, World};

const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

#[test]
fn d_20_a_roll_out_without_a_person_sets_a_station_up_once_however_often_it_runs() {
    let world = World::new();
    let repository = world.repository("erp");
    let build = world.build("v1");
    build.exec("client", "#!/bin/sh\n", T0).file("data.bin", "1", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let station = world.station("client");
    let answers = world.path("answers.toml");
    // The folder is named relative to the file, and the command is run elsewhere.
    let text = format!("link = \"{}\"\ndir = \"client\"\n\n[settings]\nrole = \"station\"\non_load = false\n", world.link(&server));
    fs::write(&answers, &text).expect("written");
    let install = || {
        let mut command = std::process::Command::new(system_tests::world::program("updater"));
        let done = run(command.args(["install", "--json", "--answers"]).arg(&answers).current_dir("/"), LIMIT);
        let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.report()));
        (done.code(), json)
    };

    let (code, first) = install();
    assert_eq!((code, first["result"].as_str()), (0, Some("installed")), "{first}");
    station.tree().assert_is(&build.tree(), "installed");
    let settings = station.run(&["settings"]).exits(0).json["settings"].clone();
    assert_eq!((settings["role"]["value"].as_str(), settings["on_load"]["value"].as_bool()), (Some("station"), Some(false)), "{settings}");

    let before = Tree::read(&station.state(""));
    let (code, second) = install();
    assert_eq!((code, second["result"].as_str()), (0, Some("nothing-to-do")), "{second}");
    let after = Tree::read(&station.state(""));
    for kept in ["settings.toml", "installed", "history.jsonl"] {
        assert_eq!(after.get(kept), before.get(kept), "twice is once: `{kept}`");
    }

    // What a person has to look at, and what is run again later, is told by the exit code alone.
    fs::write(&answers, text.replace("on_load", "onload")).expect("written");
    let (code, wrong) = install();
    assert_eq!((code, wrong["error"]["code"].as_str()), (2, Some("bad-argument")), "{wrong}");
    assert!(wrong["error"]["message"].as_str().is_some_and(|message| message.contains("onload")), "{wrong}");
    fs::write(&answers, &text).expect("written");
    drop(server);
    let elsewhere = Station::at(world.path("another"));
    fs::write(&answers, text.replace("\"client\"", "\"another\"")).expect("written");
    let (code, gone) = install();
    assert_eq!(code, 3, "{gone}");
    assert!(!elsewhere.file("client").exists(), "nothing was installed");
}

#[test]
fn d_01_who_has_to_agree_is_set_before_anything_is_installed_also_where_that_fails() {
    let world = World::new();
    let repository = world.repository("erp");
    let build = world.build("v1");
    build.exec("client", "#!/bin/sh\n", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let (station, answers) = (world.station("client"), world.path("answers.toml"));
    let text = format!(
        "link = \"{}\"\ndir = \"client\"\nchannel = \"nightly\"\n\n[settings]\nconsent = \"manual\"\napprover = \"admin-role\"\n",
        world.link(&server)
    );
    fs::write(&answers, &text).expect("written");
    let mut command = Command::new(system_tests::world::program("updater"));
    let failed = finish(command.args(["install", "--json", "--answers"]).arg(&answers)).exits(4);
    assert!(!station.file("client").exists(), "nothing was installed: {}", failed.json);
    let settings = fs::read_to_string(station.state("settings.toml")).expect("there");
    assert!(settings.contains("consent = \"manual\"") && settings.contains("approver = \"admin-role\""), "{settings}");

    // A folder that somebody names on the command line is that one, also when it is the working directory.
    let here = world.station("here");
    fs::create_dir(&here.dir).expect("made");
    fs::write(&answers, text.replace("channel = \"nightly\"\n", "")).expect("written");
    let mut command = Command::new(system_tests::world::program("updater"));
    finish(command.args(["install", "--json", "--dir", ".", "--answers"]).arg(&answers).current_dir(&here.dir)).exits(0);
    here.tree().assert_is(&build.tree(), "installed");
    assert!(!station.file("client").exists(), "not in the one that the answers name");
}

#[test]
fn d_20_a_shortcut_that_cannot_be_made_is_refused_before_anything_is_installed() {
    let world = World::new();
    let station = world.station("client");
    let answers = world.path("answers.toml");
    for shortcut in ["name = \"a/b\"", "arguments = [\"a\\nb\"]", "icon = \"not-there.png\""] {
        let link = format!("http://127.0.0.1:1/i/CODE#{}", "0".repeat(64));
        fs::write(&answers, format!("link = \"{link}\"\ndir = \"client\"\n\n[shortcut]\nto = \"links\"\n{shortcut}\n")).expect("written");
        let mut command = Command::new(system_tests::world::program("updater"));
        let refused = finish(command.args(["install", "--json", "--answers"]).arg(&answers)).exits(2);
        assert!(!station.dir.exists(), "the server is not even asked: {}", refused.json);
    }
}

/// A person's account on a computer whose timers note what they are told: cron has one table per account, systemd its units in the account's own settings.
struct Home {
    place: Workplace,
    home: PathBuf,
    path: String,
}

impl Home {
    fn new(world: &World) -> Home {
        let place = Workplace::new(world);
        let (home, tools) = (world.path("home"), world.path("tools"));
        for folder in [&home, &tools] {
            fs::create_dir(folder).expect("made");
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode set");
        }
        chown(&home, Some(NOBODY.uid), Some(NOBODY.gid)).expect("given");
        let crontab = "[ -e ~/broken ] && { echo 'no cron here' >&2; exit 1; }\n\
            case $1 in -l) [ -f ~/table ] && cat ~/table || { echo 'no crontab' >&2; exit 1; };; -) cat > ~/table;; esac\n";
        let systemctl = "[ -e ~/broken ] && { echo 'no bus' >&2; exit 1; }\nexit 0\n";
        for (name, script) in [("crontab", crontab), ("systemctl", systemctl)] {
            fs::write(tools.join(name), format!("#!/bin/sh\n{script}")).expect("written");
            fs::set_permissions(tools.join(name), fs::Permissions::from_mode(0o755)).expect("mode set");
        }
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").expect("a search path"));
        Home { place, home, path }
    }

    /// `program` with that account and its surroundings.
    fn command(&self, program: &Path) -> Command {
        let mut command = as_account(NOBODY);
        command
            .arg(program)
            .env("PATH", &self.path)
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", self.home.join("config"))
            .current_dir("/");
        command
    }

    fn updater(&self, arguments: &[&str]) -> Outcome {
        finish(self.command(self.place.updater()).args(arguments).arg("--json"))
    }

    /// What is registered: each line of cron, each unit of systemd with its text.
    fn tasks(&self, kind: &str) -> Vec<String> {
        if kind == "cron" {
            let table = fs::read_to_string(self.home.join("table")).unwrap_or_default();
            return table.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        }
        let units = fs::read_dir(self.home.join("config/systemd/user")).expect("listed");
        let timers = units.map(|unit| unit.expect("listed").path()).filter(|unit| unit.extension().is_some_and(|ending| ending == "timer"));
        let texts =
            |timer: PathBuf| [timer.clone(), timer.with_extension("service")].map(|unit| fs::read_to_string(unit).expect("read")).concat();
        timers.map(texts).collect()
    }

    /// Runs what the one task of that `kind` runs, as its timer would.
    fn run_the_task(&self, kind: &str) {
        let [task] = &self.tasks(kind)[..] else { panic!("{:?}", self.tasks(kind)) };
        let line = match kind {
            "cron" => task.splitn(6, ' ').nth(5).expect("a command").replace("\\%", "%"),
            _ => task.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command").to_owned(),
        };
        let line = line.split_once(" # ").map_or(&*line, |(line, _)| line);
        run(self.command(Path::new("/bin/sh")).arg("-c").arg(line), LIMIT).succeeded(line);
    }
}

#[test]
fn ac_28_a_roll_out_that_asks_for_a_schedule_leaves_one_task_however_often_it_runs_and_the_task_checks() {
    let world = World::new();
    let home = Home::new(&world);
    let repository = world.repository("erp");
    let build = world.build("v1");
    build.exec("client", "#!/bin/sh\n", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let (answers, client) = (world.path("answers.toml"), home.home.join("client"));
    let text = format!("link = \"{}\"\ndir = \"home/client\"\nschedule = true\n\n[settings]\ncheck_every = \"2h\"\n", world.link(&server));
    fs::write(&answers, text).expect("written");
    let install = || home.updater(&["install", "--answers", answers.to_str().expect("Unicode")]);
    let dir = client.to_str().expect("Unicode");

    // Where the timer cannot be told, the client is installed all the same, and somebody has to look.
    fs::write(home.home.join("broken"), "").expect("written");
    let untold = install().exits(5);
    assert_eq!(
        (untold.text("result"), &untold.json["schedule"]["registered"]["registration"]),
        ("installed", &"failed".into()),
        "{}",
        untold.json
    );
    assert!(client.join("client").is_file());
    fs::remove_file(home.home.join("broken")).expect("removed");

    let first = install().exits(0);
    let schedule = &first.json["schedule"];
    assert_eq!((&schedule["result"], &schedule["registered"]["registration"]), (&"installed".into(), &"done".into()), "{schedule}");
    assert_eq!(
        (&schedule["scope"], &schedule["every"]),
        (&"user".into(), &"2h".into()),
        "as the settings of the same file say: {schedule}"
    );
    let kind = schedule["kind"].as_str().expect("a kind");
    let tasks = home.tasks(kind);
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    let again = install().exits(0);
    assert_eq!((again.text("result"), &again.json["schedule"]["name"]), ("nothing-to-do", &schedule["name"]));
    assert_eq!(home.tasks(kind), tasks, "twice is once");

    let status = || home.updater(&["schedule", "status", "--dir", dir]).exits(0);
    assert_eq!((&status().json["registered"], &status().json["last"]), (&true.into(), &Value::Null));
    home.run_the_task(kind);
    assert!(status().json["last"].is_string(), "what is registered makes the check: {}", status().json);
}

#[test]
fn ac_28_a_schedule_that_cannot_be_made_hides_no_install_that_is_done() {
    let world = World::new();
    let home = Home::new(&world);
    let repository = world.repository("erp");
    let build = world.build("v1");
    build.exec("client", "#!/bin/sh\n", T0);
    repository.publish(&build, "1.0.0");
    let server = world.serve(&repository);
    let answers = world.path("answers.toml");
    // No timer can be told such a name.
    fs::write(&answers, format!("link = \"{}\"\ndir = \"home/two\\nlines\"\nschedule = true\n", world.link(&server))).expect("written");
    let done = home.updater(&["install", "--answers", answers.to_str().expect("Unicode")]);
    assert_eq!(done.text("result"), "installed", "{}", done.finished.report());
    assert!(done.json["schedule"]["error"]["code"].is_string(), "{}", done.json);
    assert_ne!(done.code, 0, "somebody has to look");
    Station::at(home.home.join("two\nlines")).tree().assert_is(&build.tree(), "installed");
}
