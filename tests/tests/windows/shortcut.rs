//! `updater create-shortcut` on Windows: a link that the shell starts, and that a reader of its own finds to say what was meant (D-12).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use system_tests::process::run;
use system_tests::wine::{Wine, compile, drive_path};
use system_tests::world::{Repository, T0, World};

const LIMIT: Duration = Duration::from_secs(120);

/// A program that says how it was started, and its number.
fn teller(world: &World, n: u8) -> Vec<u8> {
    let path = world.path("teller.exe");
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wine/teller.c"), &path, &["-municode", "-s"]);
    [fs::read(&path).expect("compiled"), vec![n]].concat()
}

fn publish(world: &World, repository: &Repository<'_>, n: u8) -> Vec<u8> {
    let (build, program) = (world.build(&format!("v{n}")), teller(world, n));
    build.file("Client.exe", &program, T0 + i64::from(n));
    super::publish(repository, &build, &format!("{n}.0.0"));
    program
}

/// What the link `file` says, read as MS-SHLLINK has it; Wine counts the zero at the end of a text as part of it.
fn read(file: &Path) -> Value {
    let script = r#"
import json, struct, sys
bytes = open(sys.argv[1], "rb").read()
size, clsid, flags = struct.unpack_from("<I16sI", bytes)
assert size == 0x4C and clsid.hex() == "0114020000000000c000000000000046", "no shell link"
at = size
if flags & 1: at += 2 + struct.unpack_from("<H", bytes, at)[0]
if flags & 2: at += struct.unpack_from("<I", bytes, at)[0]
assert flags & 0x80, "not Unicode"
said = {"list": bool(flags & 1)}
for bit, name in enumerate(["description", "relative", "folder", "arguments", "icon"], 2):
    if flags & 1 << bit:
        length, = struct.unpack_from("<H", bytes, at)
        said[name] = bytes[at + 2:at + 2 + 2 * length].decode("utf-16-le").rstrip("\0")
        at += 2 + 2 * length
print(json.dumps(said))
"#;
    let said = run(Command::new("python3").args(["-c", script]).arg(file), LIMIT).succeeded("python3").stdout;
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn d_12_a_link_of_the_shell_brings_the_client_up_to_date_and_starts_it_with_the_words_that_were_given() {
    let world = World::new();
    let repository = world.repository("acme");
    publish(&world, &repository, 1);
    let server = world.serve(&repository);
    // A folder with a space, and one with what is not ASCII.
    let station = Wine::ready().station(world.path("ERP São Paulo"));
    station.install(&world.link(&server));
    let links = world.path("links");
    let words = ["-P=SIGAFAT", r#"a "quoted" \ word\"#, "", "100% & more"];
    let create = ["create-shortcut", "--user", "--to", &drive_path(&links), "--name", "Loja nº 1"];
    let make = || {
        let made = station.run(&[&create[..], &["--"], &words].concat()).exits(0);
        assert_eq!(made.text("file"), drive_path(&links.join("Loja nº 1.lnk")));
    };
    make();
    make();
    let names: Vec<_> = fs::read_dir(&links).expect("listed").map(|entry| entry.expect("listed").file_name()).collect();
    assert_eq!(names, ["Loja nº 1.lnk"], "made twice it is one");

    let file = links.join("Loja nº 1.lnk");
    let folder = drive_path(&station.dir);
    let said = read(&file);
    let expected = format!(r#"launch --dir "{folder}" -- -P=SIGAFAT "a \"quoted\" \ word\\" "" "100% & more""#);
    assert_eq!(said["arguments"].as_str(), Some(&*expected), "{said}");
    assert_eq!((said["folder"].as_str(), said["list"].as_bool()), (Some(&*folder), Some(true)), "{said}");
    assert_eq!(said["icon"].as_str(), Some(&*format!(r"{folder}\Client.exe")), "the client's own picture: {said}");

    station.run(&["settings", "role", "station"]).exits(0);
    let v2 = publish(&world, &repository, 2);
    let log = world.path("log");
    let mut start = Wine::ready().command(Path::new("start"));
    start.args(["/wait", &drive_path(&file)]).env("LOG", drive_path(&log));
    run(&mut start, LIMIT).succeeded("start");
    let told = fs::read_to_string(&log).expect("the client was started, and has ended");
    assert_eq!(told.lines().collect::<Vec<_>>(), [&[&*folder], &words[..]].concat());
    assert_eq!(fs::read(station.file("Client.exe")).expect("read"), v2, "updated first: the updater was started, not the client");

    let done = station.run(&["uninstall"]).exits(0);
    assert!(!file.exists() && station.file("Client.exe").exists(), "{}", done.json);
}

#[test]
fn d_12_links_lie_in_the_menus_and_on_the_desktops_that_windows_names() {
    let world = World::new();
    let repository = world.repository("acme");
    publish(&world, &repository, 1);
    let server = world.serve(&repository);
    let station = Wine::ready().station(world.path("client"));
    station.install(&world.link(&server));
    let name = station.dir.parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("UTF-8");
    let mut made: Vec<PathBuf> = vec![];
    for (scope, to, folder) in [
        ("--user", "menu", r"\Start Menu\Programs\"),
        ("--system", "menu", r"\Start Menu\Programs\"),
        ("--user", "desktop", r"\Desktop\"),
        ("--system", "desktop", r"C:\users\Public\Desktop\"),
    ] {
        let file = station.run(&["create-shortcut", scope, "--to", to, "--name", name]).exits(0).text("file").to_owned();
        assert!(file.contains(folder) && (file.contains("Public") || file.contains("ProgramData")) == (scope == "--system"), "{file}");
        let unix = run(Wine::ready().command(Path::new("winepath")).args(["-u", &file]), LIMIT).succeeded("winepath").stdout;
        made.push(unix.trim_end().into());
    }
    assert!(made.iter().all(|file| file.is_file()), "{made:?}");
    assert!(read(&made[0])["arguments"].as_str().is_some_and(|words| words.ends_with(&drive_path(&station.dir))));
    station.run(&["uninstall"]).exits(0);
    assert!(!made.iter().any(|file| file.exists()), "{made:?}");
}
