//! What people at a station read when an update cannot be done, in each language, from the real program; and that scripts read the same in all of them (S3-23, S3-24, S2-22, AC-75, AC-78).

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::language::longest_run_of_words;
use system_tests::process::{Finished, run};
use system_tests::scene::Scene;
use system_tests::station::Station;
use system_tests::world::{T0, World, copy_tree, program};

/// Far above what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// The fixed sentence, what an unreachable server is called, and what to do begins with, by language. The first is the products' own, byte for byte.
const SAID: [(&str, &str, &str, &str); 4] = [
    ("pt-BR", "Não foi possível atualizar automaticamente o Remote", "Não é possível alcançar o servidor de atualizações", "O que fazer: "),
    ("ru", "Не удалось автоматически обновить Remote", "Сервер обновлений недоступен", "Что делать: "),
    ("zh-CN", "无法自动更新 Remote", "无法连接更新服务器", "处理方法："),
    ("en", "Remote could not be updated automatically", "The update server cannot be reached", "What to do: "),
];

/// `updater ARGUMENTS`, for people.
fn updater(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("updater"));
    command.args(arguments);
    command
}

fn in_words(station: &Station, arguments: &[&str]) -> Command {
    let mut command = updater(arguments);
    command.arg("--dir").arg(&station.dir);
    command
}

/// The failures that wait to be told to the server's administrator.
fn outbox(station: &Station) -> Vec<Value> {
    let Ok(names) = fs::read_dir(station.state("outbox")) else { return vec![] };
    let all = names.map(|name| serde_json::from_slice(&fs::read(name.expect("listed").path()).expect("read")).expect("JSON"));
    all.filter(|waiting: &Value| waiting["event"]["alert"] == true).collect()
}

#[track_caller]
fn assert_lines(done: &Finished, wanted: &[&str]) {
    let mut lines = done.stderr.lines();
    for wanted in wanted {
        assert!(lines.any(|line| line.starts_with(wanted)), "no line `{wanted}…`\n{}", done.report());
    }
}

#[test]
fn s3_23_an_update_that_fails_is_said_in_the_words_of_the_product_in_each_language() {
    let world = World::new();
    let scene = Scene::new(&world);
    drop(scene.server);
    for (language, fixed, title, to_do) in SAID {
        let done = run(&mut in_words(&scene.station, &["update", "--yes", "--hasten", "100", "--lang", language]), LIMIT);
        assert_eq!(done.code(), 3, "{}", done.report());
        assert_eq!(done.stderr.lines().find(|line| !line.starts_with("note: ")), Some(fixed), "{}", done.report());
        assert_lines(&done, &[fixed, title, "error: ", to_do]);
        assert!(done.stderr.contains("[unreachable]"), "the code is the same everywhere: {}", done.report());
        assert!(done.stderr.lines().last().is_some_and(|last| last.contains("`updater history`")), "it is on record: {}", done.report());
    }
    let last = scene.station.history().pop().expect("a line");
    assert_eq!((last["result"].as_str(), last["code"].as_str()), (Some("failed"), Some("unreachable")), "S3-24: {last}");
}

#[test]
fn ac_78_scripts_read_the_same_whatever_people_read() {
    let world = World::new();
    let scene = Scene::new(&world);
    drop(scene.server);
    let said = |language: &str| {
        let done = run(&mut in_words(&scene.station, &["update", "--yes", "--json", "--hasten", "100", "--lang", language]), LIMIT);
        (done.code(), done.stdout)
    };
    let english = said("en");
    assert_eq!(serde_json::from_str::<Value>(&english.1).expect("JSON")["error"]["code"], "unreachable");
    for language in ["pt-BR", "ru", "zh-CN", "pt", "klingon"] {
        assert_eq!(said(language), english, "{language}");
    }
}

/// What each command says to people in `language`, one after the other, at a station of which `start` is a copy.
fn told(world: &World, start: &Station, language: &str) -> Vec<(String, String)> {
    let station = world.station(&format!("in-{language}"));
    copy_tree(&start.dir, &station.dir);
    let mut lines = vec![];
    let mut say = |arguments: &[&str], code: i32| {
        let done = run(&mut in_words(&station, &[arguments, &["--lang", language, "--progress", "none"]].concat()), LIMIT);
        assert_eq!(done.code(), code, "{}", done.report());
        // The name of the folder says the language, too; that of a channel is the same everywhere.
        let said = done.stdout.replace(station.dir.to_str().expect("UTF-8"), "CLIENT").replace("client stable for linux x86_64", "CHANNEL");
        lines.extend(said.lines().map(|line| (arguments.join(" "), line.to_owned())));
    };
    say(&["check"], 10);
    say(&["status"], 0);
    say(&["status", "--explain"], 0);
    say(&["settings"], 0);
    say(&["backups"], 0);
    say(&["update"], 10);
    say(&["update", "--dry-run"], 0);
    say(&["apply"], 0);
    say(&["ignore"], 0);
    say(&["check"], 0);
    say(&["ignore", "--undo"], 0);
    say(&["ignore", "--undo"], 0);
    say(&["settings", "consent", "manual"], 0);
    say(&["update"], 10);
    say(&["download"], 0);
    say(&["settings", "--unset", "consent"], 0);
    let held = File::open(station.file("client")).expect("opened");
    say(&["update", "--yes"], 11);
    drop(held);
    say(&["update", "--yes"], 0);
    say(&["update"], 0);
    say(&["verify"], 0);
    fs::write(station.file("lib/a.so"), "changed").expect("written");
    say(&["check"], 10);
    say(&["verify"], 10);
    say(&["verify", "--repair"], 0);
    say(&["backups"], 0);
    say(&["rollback"], 0);
    say(&["unhold"], 0);
    say(&["unhold"], 0);
    say(&["uninstall"], 0);
    lines
}

#[test]
fn ac_78_every_report_is_in_the_language_of_its_people_from_the_first_line_to_the_last() {
    let world = World::new();
    let scene = Scene::with_update(&world);
    let english = told(&world, &scene.station, "en");
    assert!(english.len() > 60, "{english:#?}");
    let is_bare = |line: &str| line.trim_start().starts_with("sha256") || line.contains(": sha256 ");
    for language in ["pt-BR", "ru", "zh-CN"] {
        let lines = told(&world, &scene.station, language);
        assert_eq!(lines.len(), english.len(), "{language}: {lines:#?}");
        for ((command, line), (_, english)) in lines.iter().zip(&english) {
            // What has no sentence: a setting and its value, a digest, the kind and path of a file, who holds one.
            let has_sentence = !command.starts_with("settings")
                && longest_run_of_words(english) >= 3
                && !is_bare(english)
                && !english.trim_start().starts_with('`');
            let is_theirs = line != english && (language == "pt-BR" || longest_run_of_words(line) < 3);
            assert!(is_theirs || !has_sentence, "{language} `{command}`\n{line}\n{english}");
        }
    }
    let first = |language: &str, arguments: &[&str]| {
        let done = run(&mut in_words(&scene.station, &[arguments, &["--lang", language]].concat()), LIMIT);
        done.stdout.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first("ru", &["check"]), "установлено: client 1.0.0; доступна 2.0.0");
    assert_eq!(first("zh", &["ignore", "--undo"]), "没有忽略过这些");
    assert_eq!(first("pt", &["backups"]), "ainda não há cópias de segurança: a primeira atualização faz uma");
    assert_eq!(first("en", &["check"]), "client 1.0.0 is installed; 2.0.0 is available");
}

#[test]
fn ac_75_a_failure_waits_for_the_server_once_and_with_it_what_failed() {
    let world = World::new();
    let scene = Scene::new(&world);
    drop(scene.server);
    assert_eq!(outbox(&scene.station), [] as [Value; 0], "an install that worked is no news");
    for _ in 0..3 {
        scene.station.run(&["update", "--yes", "--hasten", "100"]).exits(3);
    }
    let [event] = &outbox(&scene.station)[..] else { panic!("{:?}", outbox(&scene.station)) };
    assert_eq!((event["format"].as_u64(), &event["type"]), (Some(0), &"event".into()));
    assert_eq!(event["event"]["channel"], "linux/client/x86_64/stable.json");
    let lines = scene.station.history();
    let first = lines.iter().find(|line| line["code"] == "unreachable").expect("a line");
    for member in ["id", "time", "host", "os_user", "trigger", "from", "result", "code", "detail"] {
        assert_eq!(event["event"]["attempt"][member], first[member], "{member}");
    }
}

#[test]
fn s3_23_an_install_and_a_start_say_it_too_and_that_nothing_could_be_recorded() {
    let world = World::new();
    let station = world.station("nowhere");
    fs::create_dir(&station.dir).expect("made");
    let link = format!("http://127.0.0.1:1/i/CODE#{}", "0".repeat(64));
    for (arguments, code, word) in [
        (&["install", &link, "--hasten", "100"][..], 3, "[unreachable]"),
        (&["launch"], 5, "[not-installed]"),
        (&["update"], 5, "[not-installed]"),
    ] {
        let done = run(in_words(&station, arguments).args(["--lang", "pt"]), LIMIT);
        assert!(done.stderr.contains(word), "{arguments:?}: {}", done.report());
        assert_eq!(done.code(), code, "{}", done.report());
        assert_lines(&done, &[SAID[0].1, "error: ", SAID[0].3, "Não há registro disto à vista aqui"]);
    }
    // Who only looks is not told that something could not be updated.
    let done = run(&mut in_words(&station, &["status", "--lang", "ru"]), LIMIT);
    assert!(!done.stderr.contains(SAID[1].1), "{}", done.report());
    assert_lines(&done, &["error: ", SAID[1].3]);
}

#[test]
fn s3_23_a_start_that_cannot_apply_what_waits_says_so_and_starts_the_client() {
    let world = World::new();
    let scene = Scene::new(&world);
    let publish = |name: &str, version: &str| {
        let build = scene.v1.copy(name);
        build.exec("client", format!("#!/bin/sh\necho {version}\n"), T0 + 1);
        let options = ["--build", version, "--entry-point", "client", "--probe", "file:client"];
        scene.repository.publish_with(&build, &options).succeeded("publish");
    };
    publish("one", "1.5.0");
    scene.station.update().exits(0);
    publish("two", "2.0.0");
    let held = File::open(scene.station.file("client")).expect("opened");
    scene.station.update().exits(11);
    drop(held);
    let mut launch = in_words(&scene.station, &["launch", "--lang", "zh"]);
    let done = run(launch.env("STATIONMASTER_FAIL_POINT", "swap.journal=error"), LIMIT);
    assert_eq!((done.code(), done.stdout.as_str()), (0, "1.5.0\n"), "{}", done.report());
    assert_lines(&done, &["无法自动更新 Remote", "note: what is ready could not be applied: ", "处理方法："]);
    let done = run(&mut in_words(&scene.station, &["launch"]), LIMIT);
    assert_eq!((done.code(), done.stdout.as_str()), (0, "2.0.0\n"), "{}", done.report());
}

#[test]
fn the_language_is_the_systems_unless_somebody_says_another() {
    let explain = |locale: &str, options: &[&str]| {
        let mut command = updater(&[&["explain", "no-space"], options].concat());
        run(command.env("LC_ALL", locale), LIMIT).succeeded("explain").stdout
    };
    assert!(explain("pt_BR.UTF-8", &[]).starts_with("no-space: Falta espaço no disco"));
    assert!(explain("zh_CN.UTF-8", &[]).contains("磁盘空间不足"));
    for locale in ["C", "POSIX", "de_DE.UTF-8", ""] {
        assert!(explain(locale, &[]).contains("The disk has too little room"), "{locale}");
    }
    assert!(explain("pt_BR.UTF-8", &["--lang", "ru"]).contains("На диске мало места"));
    let world = World::new();
    let station = Scene::new(&world).station;
    station.run(&["settings", "language", "zh-CN"]).exits(0);
    let dir = station.dir.to_str().expect("UTF-8");
    assert!(explain("pt_BR.UTF-8", &["--dir", dir]).contains("磁盘空间不足"), "the settings go before the system");
    assert!(explain("pt_BR.UTF-8", &["--dir", dir, "--lang", "ru"]).contains("На диске мало места"));
}

#[test]
fn s2_22_every_code_with_a_page_is_explained_by_the_program_in_each_language() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let mut codes: Vec<String> = fs::read_dir(pages)
        .expect("listed")
        .filter_map(|page| Some(page.expect("listed").file_name().to_string_lossy().strip_suffix(".md")?.to_owned()))
        .filter(|code| code != "README")
        .collect();
    codes.sort();
    assert!(codes.len() > 100, "{codes:?}");
    for language in ["en", "pt-BR", "ru", "zh-CN"] {
        let list = run(&mut updater(&["explain", "--json", "--lang", language]), LIMIT).succeeded("explain").stdout;
        let list: Value = serde_json::from_str(&list).expect("JSON");
        let mut listed: Vec<&str> = list["codes"].as_array().expect("a list").iter().filter_map(|code| code["code"].as_str()).collect();
        listed.sort_unstable();
        assert_eq!(listed, codes, "{language}");
    }
    for code in ["no-write-right", "[no-write-right]"] {
        let done = run(&mut updater(&["explain", code, "--lang", "pt-BR"]), LIMIT).succeeded("explain");
        assert!(done.stdout.starts_with("no-write-right: O updater não tem direito de gravação"), "{}", done.stdout);
        assert!(done.stdout.contains("docs/errors/no-write-right.md"), "{}", done.stdout);
    }
}

#[test]
fn an_unknown_code_finds_the_ones_that_may_have_been_meant() {
    let done = run(&mut updater(&["explain", "no-wirte-right"]), LIMIT);
    assert_eq!(done.code(), 2, "{}", done.report());
    assert!(done.stderr.contains("`no-wirte-right` is no code") && done.stderr.contains("no-write-right  "), "{}", done.report());
    let done = run(&mut updater(&["explain", "no-wirte-right", "--json", "--lang", "ru"]), LIMIT);
    let json: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!((json["error"]["code"].as_str(), json["nearest"][0].as_str()), (Some("bad-argument"), Some("no-write-right")), "{json}");
    assert!(
        json["error"]["message"].as_str().is_some_and(|text| text.contains("is no code")),
        "JSON is the same in every language: {json}"
    );
}
