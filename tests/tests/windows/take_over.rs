//! `docs/take-over.md` for stations with Windows: the server of the site on Linux, the station's own steps with the Windows updater over a folder as SmartClient leaves it (D-20, S3-21, AC-48).
//!
//! The page's commands themselves run on Linux (`tests/tests/readme.rs`); these are the same ones, in the same order, with what is different on Windows: programs with a version in them, names in
//! another case, lines that end in CR LF.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use system_tests::process::{Finished, run};
use system_tests::proxy::{Proxy, body_bytes};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::wine::{Wine, client_of_build, drive_path, windows_program};
use system_tests::world::{Build, T0, World, get, noise, program};

use super::{backup, tree};

/// Longest that a command, or a folder that publishes itself, may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the user of the station has set.
const USERS_INI: &str = "[config]\r\nlastmainprog=SIGAFAT\r\nenvserver=PRODUCAO\r\nlanguage=1\r\n";
/// Bytes of each library, of which all but one are the same on server and station.
const LIBRARY: usize = 1_000_000;
/// Bytes of the texts, in which they differ.
const TEXTS: usize = 20_000;

/// The site's server, once it was taken over.
struct Site {
    repository: PathBuf,
    server: Server,
    proxy: Proxy,
    link: String,
}

/// The folder that the application server hands out, at the build `17.3.0.<n>`.
fn remote(world: &World, n: u16) -> Build {
    let time = T0 + 100 * i64::from(n);
    let remote = world.build("remote");
    remote
        .file("smartclient.exe", client_of_build(&format!("17.3.0.{n}")), time)
        .file("core.dll", noise(1, LIBRARY), T0)
        .file("data/languages.bin", noise(2, LIBRARY), T0)
        .file("texts.bin", noise(n.into(), TEXTS), time)
        .file("smartclient.ini", "[config]\r\nlastmainprog=\r\nenvserver=ENVIRONMENT\r\nlanguage=3\r\n", T0);
    remote
}

/// A station that another updater has looked after for years: names in its own case, an INI file and logs of its user, three backups.
fn as_smartclient_leaves_it(world: &World) {
    let folder = world.build("client");
    folder
        .file("SmartClient.exe", client_of_build("17.3.0.9"), T0 + 86_400)
        .file("CORE.DLL", noise(1, LIBRARY), T0)
        .file("data/Languages.bin", noise(2, LIBRARY), T0)
        .file("texts.bin", noise(8, TEXTS), T0 + 5)
        .file("smartclient.ini", USERS_INI, T0 + 86_400)
        .file("logs/2026-11-20.log", "started\r\n", T0 + 86_400);
    for slot in 1..=3_u16 {
        let older = world.build(&format!("client/bkp_remote.00{slot}"));
        older
            .file("SmartClient.exe", client_of_build(&format!("17.3.0.{}", 5 + slot)), T0)
            .file("CORE.DLL", noise(1, LIBRARY), T0)
            .file("data/Languages.bin", noise(2, LIBRARY), T0)
            .file("texts.bin", noise((5 + slot).into(), TEXTS), T0)
            .file("smartclient.ini", USERS_INI, T0);
    }
}

/// What that station is then: the release, where a file that was as released keeps the name that it had, and what is its user's.
fn taken_over(world: &World) -> Build {
    let (folder, time) = (world.build("expected"), T0 + 900);
    folder
        .file("smartclient.exe", client_of_build("17.3.0.9"), time)
        .file("CORE.DLL", noise(1, LIBRARY), T0)
        .file("data/Languages.bin", noise(2, LIBRARY), T0)
        .file("texts.bin", noise(9, TEXTS), time)
        .file("smartclient.ini", USERS_INI, T0 + 86_400)
        .file("logs/2026-11-20.log", "started\r\n", T0 + 86_400);
    folder
}

impl Site {
    /// Section "The server" of the page.
    fn take_over(world: &World) -> Site {
        let ini = world.path("AppServer.ini");
        let update = format!(
            "; Servidor\r\n[General]\r\nMaxStringSize=10\r\n\r\n[UPDATE]\r\nEnable=1\r\nPathWindows={}\r\n",
            world.path("remote").display()
        );
        fs::write(&ini, &update).expect("written");
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is a free port").to_string();
        let mut import = Command::new(program("update-server"));
        import.args(["import", "--listen", &address, "--base-url", &format!("http://{address}/"), "--appserver-ini"]).arg(&ini);
        let imported = run(&mut import, PATIENCE).succeeded("update-server import").stdout;
        let link = imported.split('"').find(|word| word.contains("/i/")).unwrap_or_else(|| panic!("no link\n{imported}")).to_owned();
        let config = world.path("stationmaster-state/server.toml");
        // The folder's table is the last one.
        let text = fs::read_to_string(&config).expect("read") + "config = [\"*.ini=keep\"]\n";
        fs::write(&config, text).expect("written");
        fs::write(&ini, update.replace("Enable=1", "Enable=0")).expect("written");
        let mut serve = Command::new(program("update-server"));
        let server = Server::start(serve.args(["serve", "--config"]).arg(&config), &config, "smartclient");
        let proxy = Proxy::to(server.address());
        let link = proxy.through(&link);
        Site { repository: world.path("stationmaster-state/repository"), server, proxy, link }
    }

    /// Waits until the folder has published its release number `sequence` and the server serves it.
    fn wait_for(&self, sequence: u32) {
        let started = Instant::now();
        loop {
            let mut list = Command::new(program("manifests"));
            let listed = run(list.args(["folders", "list"]).arg(&self.repository), PATIENCE).succeeded("manifests folders list").stdout;
            let newest = fs::read(self.repository.join("metadata/timestamp.json")).unwrap_or_default();
            let served = get(self.server.address(), &format!("/repo/{}/metadata/timestamp.json", self.server.repository));
            if listed.contains(&format!("sequence {sequence}")) && served.is_some_and(|answer| answer.ends_with(&newest)) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{listed}\n{}", self.server.output());
        }
    }

    /// Bytes of clients' files that went to the station since this was last asked.
    fn fetched(&self) -> u64 {
        body_bytes(&self.proxy.take_exchanges(), "/objects/")
    }
}

/// `updater install --answers`: the folder is said by the answers alone.
fn install(answers: &Path) -> (Value, Finished) {
    let mut command = Wine::ready().command(&windows_program("updater"));
    let done = run(command.args(["install", "--json", "--answers", &drive_path(answers)]), PATIENCE).succeeded("updater install --answers");
    (serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}\n{}", done.report())), done)
}

/// Starts the client through the updater with a file that it is to open, which it cannot if the argument is lost.
fn launches(station: &Station, name: &str, program: &[u8], ini: &str) {
    let mut command = station.command(&["launch", "--", ini]);
    let done = run(&mut command, PATIENCE).succeeded("updater launch");
    assert!(done.stdout.contains("ready"), "{}", done.report());
    assert_eq!(fs::read(station.file(name)).expect("read"), program, "what was started");
}

#[test]
#[expect(clippy::print_stderr, reason = "the time is for whoever reads the output of the test")]
fn d_20_a_station_with_windows_is_taken_over_by_the_steps_of_the_page() {
    let world = World::new();
    remote(&world, 9);
    as_smartclient_leaves_it(&world);
    let station = Wine::ready().station(world.path("client"));
    let (before, backups) = (tree(&station), [1, 2, 3].map(|slot| backup(&station, slot)));
    let v9 = client_of_build("17.3.0.9");
    let started = Instant::now();

    let site = Site::take_over(&world);
    site.wait_for(1);

    // The first station.
    let answers = world.path("answers.toml");
    fs::write(
        &answers,
        format!(
            "link = \"{}\"\ndir = \"client\"\nshortcut = {{ to = \"links\", name = \"SmartClient\" }}\n\n[settings]\nrole = \"station\"\n",
            site.link
        ),
    )
    .expect("written");
    let (installed, said) = install(&answers);
    assert_eq!(installed["result"], "installed", "{}", said.report());
    let found = &installed["found"];
    assert_eq!(
        (found["build"].as_str(), found["differ"].as_u64(), found["missing"].as_u64()),
        (Some("17.3.0.9"), Some(1), Some(0)),
        "{found}"
    );
    let fetched = site.fetched();
    assert!(
        (TEXTS as u64..LIBRARY as u64 / 4).contains(&fetched),
        "the texts came, the {LIBRARY} bytes of each library did not: {fetched}"
    );
    let adopted = tree(&station);
    adopted.assert_is(&taken_over(&world).tree().without_modes(), "the release, and what is its user's beside it");
    backup(&station, 3).assert_is(&before, "the folder as SmartClient left it is the newest backup");
    backup(&station, 2).assert_is(&backups[2], "those of SmartClient moved down");
    let (again, said) = install(&answers);
    assert_eq!(again["result"], "nothing-to-do", "{}", said.report());
    assert_eq!(site.fetched(), 0);
    let listed = station.run(&["backups"]).exits(0).json;
    let kinds: Vec<_> = listed["backups"].as_array().expect("a list").iter().map(|backup| backup["kind"].clone()).collect();
    assert_eq!(kinds, ["adopted", "adopted", "own"], "{listed}");
    let ini = drive_path(&station.file("smartclient.ini"));
    launches(&station, "smartclient.exe", &v9, &ini);
    let shortcut = world.path("links/SmartClient.lnk");
    assert!(shortcut.is_file(), "what people click: {installed}");

    // The first update, and back.
    remote(&world, 14);
    site.wait_for(2);
    station.update().exits(0);
    let v14 = client_of_build("17.3.0.14");
    launches(&station, "smartclient.exe", &v14, &ini);
    assert_eq!(station.run(&["status"]).exits(0).json["installed"]["build"], "17.3.0.14");
    assert_eq!(tree(&station).get("smartclient.ini"), before.get("smartclient.ini"), "its user's own, through an update");
    backup(&station, 3).assert_is(&adopted, "what was updated from");
    station.run(&["rollback"]).exits(0);
    tree(&station).assert_is(&adopted, "taken back");
    station.run(&["rollback", "--to", "001"]).exits(0);
    launches(&station, "SmartClient.exe", &client_of_build("17.3.0.8"), &ini);
    station.run(&["unhold"]).exits(0);
    station.update().exits(0);
    launches(&station, "smartclient.exe", &v14, &ini);

    // If it is not to be.
    let (last, kept) = (tree(&station), station.backups());
    station.run(&["uninstall"]).exits(0);
    tree(&station).assert_is(&last, "the client stays");
    assert_eq!((station.backups(), kept.len()), (kept, 3), "its backups stay");
    assert!(!station.state("").exists() && !shortcut.exists(), "the updater's own folder is gone, and the shortcut to it");
    // Said, never judged: the page promises minutes.
    eprintln!(
        "a station with Windows was taken over, from its server's folder to an update and back, in {:.1} s under Wine",
        started.elapsed().as_secs_f64()
    );
}
