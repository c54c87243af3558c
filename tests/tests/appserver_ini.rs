//! `update-server serve --config AppServer.ini`: the file of a TOTVS application server as it stands, real folders, and a real updater (AC-54, AC-55).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::disk::Disk;
use system_tests::process::{Finished, run};
use system_tests::server::Server;
use system_tests::tree::Tree;
use system_tests::world::{Build, T0, World, get, noise, program};

/// Longest that a folder may take to be published.
const PATIENCE: Duration = Duration::from_secs(120);

/// What Protheus sites have: other sections, comments, capitals, CR LF, a letter that is not ASCII.
fn appserver_ini(world: &World, update: &str) -> PathBuf {
    let text = format!(
        "; Servidor de produ\u{e7}\u{e3}o\r\n[Environment]\r\nSourcePath=/erp/apo\r\nlinha estranha\r\nStartPath=\\system\\\r\n\r\n{update}\r\n[Drivers]\r\nActive=TCP\r\nEnable=0\r\n"
    );
    let path = world.path("AppServer.ini");
    // Latin-1: each of these characters is the byte of its number.
    let latin: Vec<u8> = text.chars().map(|character| u8::try_from(u32::from(character)).expect("a character of Latin-1")).collect();
    fs::write(&path, latin).expect("written");
    path
}

/// The three folders of a site.
fn folders(world: &World) -> [Build; 3] {
    let (windows, linux, macos) = (world.build("remote_upd"), world.build("remote_linux_upd"), world.build("remote_macosx_upd"));
    windows.file("smartclient.exe", noise(1, 30_000), T0).file("smartclient.ini", "[config]\n", T0);
    linux.exec("smartclient", noise(2, 30_000), T0).file("smartclient.ini", "[config]\n", T0);
    macos.exec("smartclient.app/Contents/MacOS/smartclient", noise(3, 30_000), T0).file(
        "smartclient.app/Contents/Resources/a.txt",
        "a",
        T0,
    );
    macos.link("smartclient.app/Contents/current", "MacOS/smartclient");
    [windows, linux, macos]
}

fn whole(world: &World) -> String {
    let at = |name: &str| world.path(name).display().to_string();
    format!(
        "[UPDATE]\r\n# pastas\r\nENABLE = 1\r\nPathWindows={}\r\npathlinux = \"{}\"\r\nPATHMACOSX={}\r\n",
        at("remote_upd"),
        at("remote_linux_upd"),
        at("remote_macosx_upd")
    )
}

fn serve(ini: &Path) -> Server {
    let mut command = Command::new(program("update-server"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(ini);
    Server::start(&mut command, ini, "smartclient")
}

fn server(arguments: &[&str]) -> Finished {
    run(Command::new(program("update-server")).args(arguments), PATIENCE)
}

fn ready(server: &Server) -> Value {
    let answer = get(server.address(), "/readyz").expect("the server answers");
    let text = String::from_utf8(answer).expect("text");
    serde_json::from_str(text.split_once("\r\n\r\n").expect("a head and a body").1).expect("JSON")
}

/// The folder of `os` in `/readyz`, once `wanted` holds for it.
fn folder(server: &Server, os: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let report = ready(server);
        let of_os = |folder: &&Value| folder["channel"].as_str().is_some_and(|channel| channel.starts_with(&format!("{os}/")));
        let found = report["folders"].as_array().and_then(|folders| folders.iter().find(of_os)).cloned();
        if let Some(found) = found.filter(|found| wanted(found)) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{os}: {report:#}\n{}", server.output());
        std::thread::yield_now();
    }
}

fn published(folder: &Value) -> bool {
    folder["state"] == "published"
}

/// The link that the server printed for `os`.
fn link(server: &Server, os: &str) -> String {
    let started = Instant::now();
    loop {
        let output = server.output();
        let after = output.split_once(&format!("On a station with {os} ")).map(|(_, after)| after);
        if let Some(link) = after.and_then(|after| after.split('"').nth(1)).filter(|link| link.contains('#')) {
            return link.to_owned();
        }
        assert!(started.elapsed() < PATIENCE, "no link for {os}\n{output}");
        std::thread::yield_now();
    }
}

#[test]
fn ac_54_a_verbatim_file_brings_three_channels_up_and_each_station_gets_its_os_alone() {
    let world = World::new();
    let builds = folders(&world);
    let server = serve(&appserver_ini(&world, &whole(&world)));
    for (os, build) in ["windows", "linux", "macosx"].into_iter().zip(&builds) {
        folder(&server, os, published);
        let station = world.station(os);
        station.install(&link(&server, os));
        station.tree().assert_is(&build.tree(), os);
        let status = station.run(&["status"]).exits(0);
        assert_eq!(status.text("following"), format!("{os}/smartclient/any/stable.json"));
        assert_eq!(
            status.json["online_roles"]
                .as_array()
                .map(|roles| roles.iter().filter(|role| role.as_str().is_some_and(|role| role.starts_with("folder."))).count()),
            Some(3)
        );
    }
    let output = server.output();
    for words in ["unencrypted: this server is trusted", "two updaters on one client's folder undo each other", "import --appserver-ini"] {
        assert!(output.contains(words), "{output}");
    }
}

#[test]
fn ac_54_a_path_of_windows_on_this_server_is_an_error_that_names_the_key_and_the_cure() {
    let world = World::new();
    let ini = appserver_ini(&world, "[Update]\r\nEnable=1\r\nPathWindows=c:\\ERP\\bin\\remote_upd\r\n");
    let refused = server(&["serve", "--listen", "127.0.0.1:0", "--config", ini.to_str().expect("UTF-8")]);
    assert_eq!(refused.code(), 1);
    for words in ["`PathWindows`", r"`c:\ERP\bin\remote_upd` is a path of Windows", "the place where this server sees that folder"] {
        assert!(refused.stderr.contains(words), "{}", refused.report());
    }
    assert!(!world.path("stationmaster-state").exists(), "nothing was made");
}

/// All keys lie in the state: in a folder that stations are given they would be everybody's.
#[test]
fn ac_54_a_file_that_is_refused_leaves_no_key_and_nothing_else() {
    let world = World::new();
    world.build("remote").exec("smartclient", "#!/bin/sh\n", T0);
    std::os::unix::fs::symlink(world.path("remote"), world.path("linked")).expect("a link");
    let (inside, through) = (world.path("remote/state"), world.path("linked/deep/../state"));
    let [inside, through] = [&inside, &through].map(|path| path.to_str().expect("UTF-8").to_owned());
    let remote = format!("[Update]\r\nEnable=1\r\nPathLinux={}\r\n", world.path("remote").display());
    for (update, commands, state, words) in [
        ("[Update]\r\nEnable=1\r\nPathLinux=.\r\n", ["import", "serve"].as_slice(), None, "one of the two is in the other"),
        (remote.as_str(), &["import", "serve"], Some(&inside), "one of the two is in the other"),
        (&remote, &["import", "serve"], Some(&through), "one of the two is in the other"),
        ("[Update]\r\nEnable=1\r\nPathLinux=remote\r\nPathWindows=remote/w\r\n", &["import", "serve"], None, "it lies in the folder"),
        ("[Other]\r\nEnable=1\r\n", &["import"], None, "names no folder"),
        ("[Update]\r\nEnable=1\r\nPathLinux=\r\n", &["import"], None, "says nothing"),
        ("[Update]\r\nEnable=1\r\nPathLinux=remote/smartclient\r\n", &["import"], None, "is no folder"),
        ("[Update]\r\nEnable=1\r\nPathLinux=\"remote\" x\r\n", &["import", "serve"], None, "behind its closing quote"),
    ] {
        let ini = appserver_ini(&world, update);
        let before = Tree::read(&world.path(""));
        for command in commands {
            let config = if *command == "import" { "--appserver-ini" } else { "--config" };
            let mut arguments = vec![*command, "--listen", "127.0.0.1:0", config, ini.to_str().expect("UTF-8")];
            arguments.extend(state.iter().flat_map(|state| ["--state", state.as_str()]));
            let refused = server(&arguments);
            assert!(refused.code() == 1 && refused.stderr.contains(words), "{update}: {}", refused.report());
            Tree::read(&world.path("")).assert_is(&before, update);
        }
    }
}

#[test]
fn ac_55_a_section_that_is_off_or_missing_makes_nothing_and_warns_of_nothing() {
    // What a section that is off says of folders is read by nobody.
    let off = ["[Update]\r\nEnable=0\r\nPathWindows=c:\\gone\r\n", "[Update]\r\nEnable=0\r\nPathLinux=\"gone\" old\r\nNote=\"a\" b\r\n"];
    for update in off.into_iter().chain(["[Other]\r\nEnable=1\r\n"]) {
        let world = World::new();
        let server = serve(&appserver_ini(&world, update));
        let report = ready(&server);
        assert_eq!((report["status"].as_str(), report["folders"].as_array().map(Vec::len)), (Some("ready"), Some(0)), "{report:#}");
        assert!(!world.path("stationmaster-state").exists());
        assert!(!server.output().contains("WARN"), "{}", server.output());
    }
}

#[test]
fn ac_55_what_was_published_goes_on_being_served_while_the_section_is_off() {
    let world = World::new();
    let [_, linux, _] = folders(&world);
    let ini = appserver_ini(&world, &whole(&world));
    let first = serve(&ini);
    folder(&first, "linux", published);
    let link = link(&first, "linux");
    drop(first);
    appserver_ini(&world, &whole(&world).replace("ENABLE = 1", "ENABLE = 0"));
    let server = serve(&ini);
    let station = world.station("station");
    let here = format!("http://{}/", server.address());
    let link = link.replacen(&link[..link.find("/i/").expect("a link") + 1], &here, 1);
    station.install(&link);
    station.tree().assert_is(&linux.tree(), "the last release");
}

#[test]
fn ac_55_a_folder_that_is_not_there_or_not_said_is_told_of_and_never_passes_for_no_update() {
    let world = World::new();
    let update = format!("[Update]\r\nEnable=1\r\nPathLinux={}\r\nPathWindows=\r\n", world.path("missing").display());
    let server = serve(&appserver_ini(&world, &update));
    let missing = folder(&server, "linux", |folder| folder["state"] == "unreadable");
    let fault = missing["fault"].as_str().expect("a fault");
    assert!(fault.contains("`PathLinux` of") && fault.contains("missing"), "{fault}");
    let empty = folder(&server, "windows", |folder| folder["state"] == "no-path");
    assert!(empty["fault"].as_str().is_some_and(|fault| fault.contains("`PathWindows` of") && fault.contains("says nothing")), "{empty}");
    let warned = ready(&server)["repositories"][0]["warnings"].to_string();
    assert!(warned.contains("PathLinux") && warned.contains("PathWindows"), "{warned}");
    assert!(server.output().contains("WARN") && server.output().contains("PathLinux"), "{}", server.output());
    let metrics = String::from_utf8(get(server.address(), "/metrics").expect("metrics")).expect("text");
    assert!(
        metrics.contains(r#"folder_ready{repository="smartclient",channel="linux/smartclient/any/stable.json",state="unreadable"} 0"#),
        "{metrics}"
    );

    let station = world.station("station");
    let refused = station.run(&["install", &link(&server, "linux")]);
    let message = refused.json["error"]["message"].as_str().unwrap_or_default();
    assert!(refused.code != 0 && message.contains("no releases of smartclient stable for linux any"), "{}", refused.json);
    // It comes up by itself as soon as there is something: no restart.
    fs::create_dir(world.path("missing")).expect("made");
    world.build("missing").exec("smartclient", noise(9, 9_000), T0);
    folder(&server, "linux", published);
    station.install(&link(&server, "linux"));
}

/// What a folder brought out is signed and stays true of the site; that nothing newer can come is for its administrator to hear, and no error at every start of every till (D-34, D-35).
#[test]
fn ac_55_a_folder_that_vanishes_or_is_emptied_leaves_stations_the_last_release_and_is_told_of() {
    let world = World::new();
    let linux = world.build("linux");
    linux.exec("smartclient", "#!/bin/sh\n", T0).file("texts.bin", noise(1, 5_000), T0);
    let released = linux.tree();
    let server = serve(&appserver_ini(&world, "[Update]\r\nEnable=1\r\nPathLinux=linux\r\n"));
    folder(&server, "linux", published);
    let station = world.station("station");
    station.install(&link(&server, "linux"));
    let holds = |name: &str| {
        assert_eq!(station.check().exits(0).text("decision"), "up-to-date");
        let new = world.station(name);
        new.install(&link(&server, "linux"));
        new.tree().assert_is(&released, name);
    };
    let told = |state: &str, words: &str| {
        let found = folder(&server, "linux", |folder| folder["state"] == state);
        assert_eq!(found["sequence"], 1, "what stations have: {found}");
        let warned = ready(&server)["repositories"][0]["warnings"].to_string();
        assert!(warned.contains("stations do not see what is in it") && warned.contains(words), "{warned}");
        assert!(server.output().contains(words), "{}", server.output());
    };
    fs::rename(&linux.dir, world.path("elsewhere")).expect("moved away");
    told("unreadable", "it cannot be listed");
    holds("installed while it is away");
    fs::rename(world.path("elsewhere"), &linux.dir).expect("back");
    assert_eq!(folder(&server, "linux", published)["sequence"], 1, "as it was: no other release");
    linux.remove("smartclient").remove("texts.bin");
    told("refused", "empty-folder");
    holds("installed while it is empty");
}

/// A configuration is Unicode: with another letter in the place of one that is not, it would lead elsewhere.
#[test]
fn import_beside_a_folder_whose_name_is_not_unicode_is_refused_and_one_that_is_not_there_is_told_of() {
    let world = World::new();
    let odd = world.path("").join(OsStr::from_bytes(b"site\xe3"));
    fs::create_dir(&odd).expect("made");
    let text = format!("[Update]\nEnable=1\nPathLinux=linux\nPathWindows={}\n", world.path("away").display());
    let import = |folder: &Path| {
        fs::write(folder.join("AppServer.ini"), &text).expect("written");
        let mut command = Command::new(program("update-server"));
        run(command.args(["import", "--appserver-ini", "AppServer.ini"]).current_dir(folder), PATIENCE)
    };
    let refused = import(&odd);
    assert!(refused.code() == 1 && refused.stderr.contains("`PathLinux`") && refused.stderr.contains("Unicode"), "{}", refused.report());
    assert_eq!(fs::read_dir(&odd).expect("listed").count(), 1, "nothing was made");
    let plain = world.build("site");
    plain.exec("linux/smartclient", "#!/bin/sh\n", T0);
    let done = import(&plain.dir).succeeded("import");
    assert_eq!(done.stdout.matches("That folder cannot be listed (No such file").count(), 1, "{}", done.report());
    let (windows, linux) = done.stdout.split_once("On a station with linux").expect("both");
    assert!(windows.contains("cannot be listed") && !linux.contains("cannot be listed"), "{}", done.report());
}

#[test]
fn import_writes_a_configuration_once_and_says_to_switch_the_old_updater_off_and_why() {
    let world = World::new();
    let [windows, ..] = folders(&world);
    let ini = appserver_ini(&world, &whole(&world));
    let ini_text = ini.to_str().expect("UTF-8");
    let done = server(&["import", "--appserver-ini", ini_text]).succeeded("import");
    for words in [
        "Now set Enable=0 in the section [Update]",
        "two updaters on one client's folder undo each other",
        "Next: update-server serve --config",
    ] {
        assert!(done.stdout.contains(words), "{}", done.report());
    }
    let config = world.path("stationmaster-state/server.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    let again = server(&["import", "--appserver-ini", ini_text]);
    assert!(again.code() == 1 && again.stderr.contains("is there already"), "{}", again.report());
    assert_eq!(fs::read_to_string(&config).expect("the configuration"), text);

    // The admin did as was said; the old file counts no more.
    appserver_ini(&world, "[Update]\r\nEnable=0\r\n");
    fs::write(&config, text.replace("127.0.0.1:8080", "127.0.0.1:0")).expect("written");
    let server = Server::start(Command::new(program("update-server")).args(["serve", "--config"]).arg(&config), &config, "smartclient");
    for os in ["windows", "linux", "macosx"] {
        folder(&server, os, published);
    }
    let mut command = Command::new(program("update-server"));
    command.args(["link", "--repository", "smartclient", "--product", "smartclient", "--os", "windows", "--arch", "any", "--base-url"]);
    let link = run(command.arg(format!("http://{}/", server.address())).arg("--config").arg(&config), PATIENCE).succeeded("link");
    let station = world.station("station");
    station.install(link.stdout.trim());
    station.tree().assert_is(&windows.tree(), "installed");
}

#[test]
fn the_same_file_goes_on_with_the_same_keys_and_numbers_after_a_restart() {
    let world = World::new();
    let [_, linux, _] = folders(&world);
    let ini = appserver_ini(&world, &whole(&world));
    let first = serve(&ini);
    let one = folder(&first, "linux", published);
    let link_before = link(&first, "linux");
    drop(first);
    let second = serve(&ini);
    let same = folder(&second, "linux", published);
    assert_eq!((&one["sequence"], &one["build"]), (&same["sequence"], &same["build"]), "the same content is no release");
    let digest = |link: &str| link.split('#').nth(1).map(str::to_owned);
    assert_eq!(digest(&link(&second, "linux")), digest(&link_before));
    linux.exec("smartclient", noise(22, 30_000), T0 + 10);
    let next = folder(&second, "linux", |folder| folder["sequence"].as_u64() == one["sequence"].as_u64().map(|sequence| sequence + 1));
    assert_ne!(next["build"], one["build"]);
}

#[test]
fn import_of_relative_paths_publishes_every_folder_wherever_the_server_is_started() {
    let world = World::new();
    let [windows, linux, _] = folders(&world);
    appserver_ini(&world, "[Update]\r\nEnable=1\r\nPathWindows=c:\\ERP\\bin\\remote_upd\r\nPathLinux=remote_linux_upd\r\n");
    let mut command = Command::new(program("update-server"));
    command.args(["import", "--appserver-ini", "AppServer.ini", "--listen", "127.0.0.1:0", "--folder", "windows=remote_upd"]);
    command.args(["--config", "*.ini=keep"]).current_dir(windows.dir.parent().expect("in the world"));
    let done = run(&mut command, PATIENCE).succeeded("import");
    assert!(done.stdout.contains("lead to this machine alone"), "the links are for no station: {}", done.report());
    let config = world.path("stationmaster-state/server.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    assert_eq!(text.matches(r#"config = ["*.ini=keep", "*=overwrite"]"#).count(), 2, "each folder has it: {text}");
    let server = Server::start(Command::new(program("update-server")).args(["serve", "--config"]).arg(&config), &config, "smartclient");
    for (os, build) in [("windows", &windows), ("linux", &linux)] {
        assert_eq!(folder(&server, os, published)["path"], build.dir.to_str().expect("UTF-8"));
    }
}

#[test]
fn the_unit_of_the_server_is_understood_by_systemd() {
    let world = World::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../update-server/packaging/stationmaster-server.service");
    let text = fs::read_to_string(shipped).expect("the unit");
    let unit = world.path("stationmaster-server.service");
    let installed = "/usr/local/bin/update-server ";
    assert!(text.contains(installed));
    fs::write(&unit, text.replace(installed, &format!("{} ", program("update-server").display()))).expect("written");
    let verified = Command::new("systemd-analyze").arg("verify").arg(&unit).output();
    let said = String::from_utf8(verified.expect("systemd-analyze is installed; run `tests/run`").stderr).expect("text");
    assert!(!said.contains("stationmaster-server.service:"), "{said}");
}

#[test]
fn keys_are_not_written_onto_a_disk_without_modes_and_another_place_is_named() {
    let world = World::new();
    let Some(disk) = Disk::image(world.path("share"), "vfat", 32, &[]) else { return };
    folders(&world);
    let ini = appserver_ini(&world, &whole(&world));
    let state = disk.path().join("state");
    let arguments = ["import", "--appserver-ini", ini.to_str().expect("UTF-8"), "--state", state.to_str().expect("UTF-8")];
    let refused = server(&arguments);
    assert!(refused.code() == 1 && refused.stderr.contains("--state") && refused.stderr.contains("755"), "{}", refused.report());
    assert_eq!(fs::read_dir(state.join("repository.keys")).expect("listed").count(), 0, "no key was written");
}
