//! `updater install --answers`: a roll-out to stations where nobody sits asks nothing, twice is once, and how it ended says the exit code.

use std::fs;

use system_tests::process::run;
use system_tests::station::Station;
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
