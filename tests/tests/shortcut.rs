//! `updater create-shortcut`: what people click starts the client through the updater (D-12), is one however often it is made, and goes with the updater. Read and started by the desktop's own
//! tools; shortcuts of Windows are in `tests/tests/windows/shortcut.rs`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use system_tests::process::{Watch, run, spawn, wait_unreaped};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Repository, T0, World, program};

const LIMIT: Duration = Duration::from_secs(120);
/// What no quoting may stumble over.
const AWKWARD: &str = r#"it's a "client" & 100% $HOME \n `x` %f"#;

/// A publisher, and a station in a folder of that name with build 1, whose client writes down its build, its folder and its words.
struct Scene<'a> {
    repository: Repository<'a>,
    station: Station,
    /// The account's own folder.
    home: PathBuf,
    link: String,
    _server: Server,
}

impl<'a> Scene<'a> {
    fn new(world: &'a World, folder: &str) -> Scene<'a> {
        let repository = world.repository("acme");
        let (home, log) = (world.path("home"), world.path("log"));
        fs::create_dir_all(&home).expect("made");
        let text = home.to_str().expect("Unicode");
        let data = format!("{text}/data");
        let station = Station::at(world.path(folder))
            .with_env("HOME", text)
            .with_env("XDG_DATA_HOME", &data)
            .with_env("LOG", log.to_str().expect("Unicode"));
        publish(world, &repository, 1);
        let server = world.serve(&repository);
        let link = world.link(&server);
        station.install(&link);
        Scene { repository, station, home, link, _server: server }
    }

    /// The files in the account's menu.
    fn menu(&self) -> PathBuf {
        self.home.join("data/applications")
    }

    fn create(&self, options: &[&str]) -> PathBuf {
        let arguments = [&["create-shortcut", "--user"], options].concat();
        self.station.run(&arguments).exits(0).text("file").into()
    }
}

/// The release `n`, whose client leaves a line for each thing that it knows of its start, the last one by renaming, so that whoever finds the file finds all of it.
fn publish(world: &World, repository: &Repository<'_>, n: u8) {
    let script = format!("#!/bin/sh\n{{ echo {n}; pwd; printf '%s\\n' \"$@\"; }} > \"$LOG.new\"\nmv \"$LOG.new\" \"$LOG\"\n");
    let build = world.build(&format!("v{n}"));
    build.exec("client", script, T0 + i64::from(n));
    let version = format!("{n}.0.0");
    repository.publish_with(&build, &["--os", "linux", "--entry-point", "client", "--build", &version]).succeeded("manifests publish");
}

/// What the client wrote down, once it has.
fn started(world: &World) -> Vec<String> {
    let (log, began) = (world.path("log"), Instant::now());
    loop {
        if let Ok(text) = fs::read_to_string(&log) {
            fs::remove_file(&log).expect("removed");
            return text.lines().map(str::to_owned).collect();
        }
        assert!(began.elapsed() < LIMIT, "the client was not started");
        std::thread::yield_now();
    }
}

/// Clicks on `entry`.
fn click(scene: &Scene<'_>, world: &World, entry: &Path) -> Vec<String> {
    let mut command = Command::new("gio");
    command.arg("launch").arg(entry).env("HOME", &scene.home).env("LOG", world.path("log"));
    // It leaves behind what it starts, which `run` would end with it.
    let mut gio = spawn(&mut command);
    let lines = started(world);
    let watch = Watch::start(&gio, LIMIT);
    wait_unreaped(&gio);
    watch.stop();
    assert!(gio.wait().expect("reaped").success(), "gio launch");
    lines
}

#[test]
fn d_12_a_click_brings_the_client_up_to_date_and_starts_it_with_the_words_that_were_given() {
    let world = World::new();
    let scene = Scene::new(&world, AWKWARD);
    let words = [AWKWARD, "", " -P=SIGAFAT", "--dir", r"C:\x\"];
    let entry = scene.create(&[&["--name", "ERP – São Paulo", "--"], &words[..]].concat());
    assert_eq!(entry, scene.menu().join("stationmaster-ERP – São Paulo.desktop"));
    let checked = run(Command::new("desktop-file-validate").arg(&entry), LIMIT).succeeded("desktop-file-validate");
    assert_eq!(checked.stdout + &checked.stderr, "", "nothing to complain of");

    let folder = fs::canonicalize(&scene.station.dir).expect("there").display().to_string();
    let expected = |build: &'static str| [&[build, &folder], &words[..]].concat();
    assert_eq!(click(&scene, &world, &entry), expected("1"));
    scene.station.run(&["settings", "role", "station"]).exits(0);
    publish(&world, &scene.repository, 2);
    assert_eq!(click(&scene, &world, &entry), expected("2"), "updated first: the updater was started, not the client");
}

#[test]
fn d_12_a_shortcut_made_twice_is_one_and_uninstalling_leaves_none() {
    let world = World::new();
    let scene = Scene::new(&world, "client");
    let entry = scene.create(&[]);
    let first = Tree::read(&scene.home);
    assert_eq!(scene.create(&[]), entry);
    Tree::read(&scene.home)
        .without("data/applications/stationmaster-client.desktop")
        .assert_is(&first.without("data/applications/stationmaster-client.desktop"), "made twice");
    // The same one, otherwise.
    let picture = world.path("picture.png");
    fs::write(&picture, "a picture").expect("written");
    scene.create(&["--icon", picture.to_str().expect("Unicode"), "--terminal"]);
    let text = fs::read_to_string(&entry).expect("read");
    assert!(text.contains(&format!("\nIcon={}\n", picture.display())) && text.contains("\nTerminal=true\n"), "{text}");
    let on_desktop = scene.create(&["--to", "desktop", "--name", "Kasse", "--", "-P=SIGAFAT"]);
    assert_eq!(on_desktop, scene.home.join("Desktop/stationmaster-Kasse.desktop"));
    let handed_out = scene.create(&["--to", world.path("links").to_str().expect("Unicode")]);
    fs::write(&handed_out, "[Desktop Entry]\nType=Application\nName=Mine\nExec=xterm\n").expect("written");

    let client = scene.station.tree();
    let done = scene.station.run(&["uninstall"]).exits(0);
    let list = |name: &str| -> Vec<PathBuf> {
        done.json["shortcuts"][name].as_array().expect("a list").iter().map(|path| path.as_str().expect("text").into()).collect()
    };
    assert_eq!((list("gone"), list("left")), (vec![entry.clone(), on_desktop.clone()], vec![handed_out.clone()]), "{}", done.json);
    assert!(!entry.exists() && !on_desktop.exists() && handed_out.exists(), "what somebody made his own stays");
    scene.station.tree().assert_is(&client, "the client stays");
}

#[test]
fn d_12_a_menu_that_could_not_be_written_down_is_refused_and_no_shortcut_is_forgotten() {
    let world = World::new();
    let scene = Scene::new(&world, "client");
    let entry = scene.create(&[]);
    let elsewhere = world.path("").join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&elsewhere).expect("made");
    let refused = run(scene.station.command(&["create-shortcut", "--user"]).env("XDG_DATA_HOME", &elsewhere), LIMIT);
    assert_eq!(refused.code(), 2, "{}", refused.report());
    assert!(refused.stdout.contains("not Unicode"), "{}", refused.report());
    assert_eq!(fs::read_dir(&elsewhere).expect("listed").count(), 0);
    scene.station.run(&["uninstall"]).exits(0);
    assert!(!entry.exists(), "it was still known");
}

#[test]
fn d_12_what_is_not_ours_is_not_replaced_and_what_cannot_be_is_named() {
    let world = World::new();
    let scene = Scene::new(&world, "client");
    // The shortcut of another install of the same product.
    let other = Station::at(world.path("other")).with_env("HOME", scene.home.to_str().expect("Unicode"));
    other.install(&scene.link);
    let links = world.path("links");
    let to = ["--to", links.to_str().expect("Unicode")];
    let entry = scene.create(&to);
    let before = fs::read(&entry).expect("read");
    let create = ["create-shortcut", "--user", to[0], to[1]];
    let refused = other.run(&create).exits(5);
    assert_eq!(refused.json["error"]["code"], "in-the-way", "{}", refused.json);
    assert_eq!(fs::read(&entry).expect("read"), before);
    assert!(!other.state("shortcuts.json").exists(), "nothing is remembered that was not made");
    other.run(&[&create[..], &["--name", "Other"]].concat()).exits(0);

    for (options, named) in [
        (&["--name", "a/b"][..], "a/b"),
        (&["--icon", "/nowhere/picture.png"], "/nowhere/picture.png"),
        (&["--", "two\nlines"], "two"),
        (&["--system", "--to", "desktop"], "no place for system shortcuts on the desktop"),
    ] {
        let arguments = if options[0] == "--system" { vec!["create-shortcut"] } else { vec!["create-shortcut", "--user"] };
        let refused = scene.station.run(&[&arguments, options].concat()).exits(2);
        assert!(refused.json["error"]["message"].as_str().is_some_and(|message| message.contains(named)), "{}", refused.json);
    }
    let nobody = Station::at(world.path("nobody"));
    fs::create_dir(&nobody.dir).expect("made");
    assert_eq!(nobody.run(&["create-shortcut"]).exits(5).json["error"]["code"], "not-installed");
}

#[test]
fn d_20_a_roll_out_makes_the_shortcut_that_its_answers_ask_for() {
    let world = World::new();
    let scene = Scene::new(&world, "first");
    let answers = world.path("answers.toml");
    let text = format!(
        "link = \"{}\"\ndir = \"client\"\nshortcut = {{ to = \"links\", name = \"SmartClient\", icon = \"client/client\", arguments = [\"-P=SIGAFAT\"] }}\n",
        scene.link
    );
    let install = || {
        let mut command = Command::new(program("updater"));
        // So nobody has a desktop.
        let done = run(command.args(["install", "--json", "--answers"]).arg(&answers).current_dir("/").env_remove("HOME"), LIMIT);
        (done.code(), serde_json::from_str::<serde_json::Value>(&done.stdout).expect("JSON"))
    };
    fs::write(&answers, text.replace("links", "desktop")).expect("written");
    let (code, refused) = install();
    assert_eq!((code, refused["error"]["code"].as_str()), (2, Some("bad-argument")), "{refused}");
    assert!(!world.path("client").exists(), "what cannot be is said before anything is done");

    fs::write(&answers, text).expect("written");
    let entry = world.path("links/stationmaster-SmartClient.desktop");
    fs::create_dir(world.path("links")).expect("made");
    fs::write(&entry, "somebody else's").expect("written");
    let (code, said) = install();
    assert_eq!(
        (code, said["result"].as_str(), said["shortcut"]["error"]["code"].as_str()),
        (5, Some("installed"), Some("in-the-way")),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&entry).expect("read"), "somebody else's");
    fs::remove_file(&entry).expect("removed");
    // Twice is once.
    for _ in 0..2 {
        let (code, said) = install();
        assert_eq!((code, said["shortcut"]["file"].as_str().map(Path::new)), (0, Some(&*entry)), "{said}");
        assert_eq!(fs::read_dir(world.path("links")).expect("listed").count(), 1);
    }
    let picture = format!("\nIcon={}\n", world.path("client/client").display());
    assert!(fs::read_to_string(&entry).expect("read").contains(&picture), "a picture of the client's own comes with it");
    let folder = fs::canonicalize(world.path("client")).expect("there").display().to_string();
    assert_eq!(click(&scene, &world, &entry), ["1", &folder, "-P=SIGAFAT"]);
}
