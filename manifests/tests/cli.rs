//! The real binary: what it prints, which status it ends with, what it leaves.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder with a repository in it, and the program.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench { folder: TempDir::new().unwrap() };
        bench.done(&["init", "repo", "--name", "acme"]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn build(&self, name: &str, files: &[(&str, &str)]) -> &Self {
        for (path, content) in files {
            let place = self.path(name).join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, content).unwrap();
        }
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifests"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that must end with `status`.
    fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        error
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.run(&[arguments, &["--json"]].concat()).stdout).unwrap()
    }

    fn publish(&self, folder: &str, build: &str) -> String {
        self.done(&publish(folder, build))
    }
}

fn publish<'a>(folder: &'a str, build: &'a str) -> Vec<&'a str> {
    vec!["publish", folder, "--repo", "repo", "--product", "smartclient", "--os", "windows", "--build", build]
}

#[test]
fn every_command_ends_by_naming_the_next_one() {
    let bench = Bench { folder: TempDir::new().unwrap() };
    bench.build("build", &[("smartclient.exe", "mz")]);
    let commands: Vec<Vec<&str>> = vec![
        vec!["init", "repo", "--name", "acme"],
        publish("build", "17.3.0.14"),
        publish("build", "17.3.0.14"),
        vec!["list", "repo"],
        vec!["verify", "repo"],
        vec!["withdraw", "repo", "--product", "smartclient", "--os", "windows", "1", "--reason", "crashes at start"],
        vec!["prune", "repo"],
        vec!["gc", "repo"],
        vec!["refresh", "repo"],
    ];
    for command in commands {
        let text = bench.done(&command);
        assert!(text.lines().last().is_some_and(|line| line.starts_with("next: ")), "{command:?}: {text}");
    }
}

#[test]
fn every_command_speaks_json() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz"), ("smartclient.ini", "[x]")]);
    let published = bench.json(&publish("build", "17.3.0.14"));
    assert_eq!((&published["result"], &published["sequence"], &published["scheme"]), (&"published".into(), &1.into(), &"dotted".into()));
    assert_eq!(published["warnings"][0]["rule"], "config-file");
    let listed = bench.json(&["list", "repo"]);
    assert_eq!(listed["channels"][0]["releases"][0]["build"], "17.3.0.14");
    assert_eq!(listed["channels"][0]["current"], 1);
    assert_eq!(listed["root"]["version"], 1);
    assert_eq!(bench.json(&["verify", "repo"])["problems"], Value::Array(vec![]));
    assert_eq!(bench.json(&["prune", "repo", "--keep", "1"])["pruned"], Value::Array(vec![]));
    assert!(bench.json(&["gc", "repo", "--dry-run"])["live"].as_u64().unwrap() > 5);
    assert_eq!(bench.json(&["refresh", "repo"])["signed"][0]["role"], "timestamp");
    let withdrawn = bench.json(&["withdraw", "repo", "--product", "smartclient", "--os", "windows", "1", "--reason", "x"]);
    assert_eq!(withdrawn["result"], "withdrawn");
}

#[test]
fn the_same_publish_twice_is_already_current() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    assert!(bench.publish("build", "17.3.0.14").contains("sequence 1"));
    assert!(bench.publish("build", "17.3.0.14").starts_with("already current"));
}

#[test]
fn init_refuses_a_second_time_and_a_folder_in_use() {
    let bench = Bench::new();
    assert!(bench.fails(15, &["init", "repo", "--name", "acme"]).contains("is a repository already, named `acme`"));
    bench.build("used", &[("x", "1")]);
    assert!(bench.fails(15, &["init", "used", "--name", "acme"]).contains("not empty"));
    bench.fails(2, &["init", "new", "--name", "../acme"]);
    assert!(bench.fails(15, &["list", "nowhere"]).contains("manifests init"));
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone_and_one_that_is_not_stops_signing() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    let keys: Vec<PathBuf> = fs::read_dir(bench.path("repo.keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(keys.len(), 9);
    for key in &keys {
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(key, fs::Permissions::from_mode(0o640)).unwrap();
    }
    assert!(bench.fails(13, &publish("build", "17.3.0.14")).contains("chmod 600"));
    assert!(bench.fails(13, &["refresh", "repo", "--keys", "elsewhere"]).contains("--keys"));
}

#[test]
fn ac_58_an_unfit_folder_is_refused_with_all_reasons_at_once() {
    let bench = Bench::new();
    bench.build(
        "live",
        &[("smartclient.exe", "mz"), ("smartclient.log", "x"), ("bkp_remote.001/a", "x"), ("con", "x"), ("A.dll", "1"), ("a.dll", "2")],
    );
    let error = bench.fails(10, &publish("live", "17.3.0.14"));
    for rule in ["live-client", "client-backup", "device-name", "case-collision"] {
        assert!(error.contains(rule), "{rule}: {error}");
    }
    let value = bench.json(&publish("live", "17.3.0.14"));
    assert_eq!((&value["code"], &value["status"]), (&"unfit".into(), &10.into()));
    assert!(value["findings"].as_array().unwrap().iter().all(|finding| finding["advice"].is_string()));
    bench.build("zips", &[("build.zip", "PK")]);
    assert!(bench.fails(10, &publish("zips", "17.3.0.14")).contains("only-archives"));
    fs::create_dir(bench.path("empty")).unwrap();
    assert!(bench.fails(10, &publish("empty", "17.3.0.14")).contains("empty-folder"));
    assert!(bench.fails(10, &publish(".", "17.3.0.14")).contains("own-keys"));
}

#[test]
fn ac_56_capitals_pass_unless_they_are_forbidden() {
    let bench = Bench::new();
    bench.build("build", &[("SmartClient.exe", "mz")]);
    let strict = [publish("build", "17.3.0.14"), vec!["--names", "strict-lower"]].concat();
    assert!(bench.fails(10, &strict).contains("upper-case"));
    bench.publish("build", "17.3.0.14");
}

#[test]
fn ac_57_macosx_without_a_bundle_is_refused_unless_it_is_meant_so() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient", "x")]);
    let command =
        vec!["publish", "build", "--repo", "repo", "--product", "smartclient", "--os", "macos", "--arch", "aarch64", "--build", "1.0.0"];
    assert!(bench.fails(10, &command).contains("smartclient.app"));
    bench.done(&[command, vec!["--allow", "no-app-bundle"]].concat());
    bench.fails(2, &[publish("build", "1.0.0"), vec!["--allow", "device-name"]].concat());
}

#[test]
fn d_04_ini_files_are_listed_in_a_warning() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz"), ("smartclient.ini", "[x]")]);
    let output = bench.run(&publish("build", "17.3.0.14"));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && warning.contains("warning config-file: `smartclient.ini`"), "{warning}");
}

#[test]
fn d_06_a_lower_build_is_refused_and_the_scheme_of_the_channel_is_kept() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    bench.publish("build", "17.3.0.14");
    assert!(bench.fails(11, &publish("build", "17.3.0.9")).contains("--allow-downgrade"));
    bench.done(&[publish("build", "17.3.0.9"), vec!["--allow-downgrade"]].concat());
    // 17.4.0 alone would be taken for semver.
    assert_eq!(bench.json(&publish("build", "17.4.0"))["scheme"], "dotted");
    assert!(bench.fails(2, &publish("build", "latest")).contains("none of the schemes"));
}

#[test]
fn verify_ends_with_its_own_status_when_something_is_damaged() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", &"Mz".repeat(1000))]);
    bench.publish("build", "17.3.0.14");
    let manifest = bench.json(&["list", "repo"])["channels"][0]["releases"][0]["manifest"]["sha256"].as_str().unwrap().to_owned();
    let damage = |keep: &dyn Fn(&str) -> bool| {
        for shard in fs::read_dir(bench.path("repo/objects")).unwrap() {
            for object in fs::read_dir(shard.unwrap().path()).unwrap() {
                let path = object.unwrap().path();
                if !keep(path.file_name().unwrap().to_str().unwrap()) {
                    let mut bytes = fs::read(&path).unwrap();
                    *bytes.last_mut().unwrap() ^= 1;
                    fs::write(path, bytes).unwrap();
                }
            }
        }
    };
    damage(&|name| name == manifest);
    let output = bench.run(&["verify", "repo"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(14));
    assert!(text.contains("problem damaged"), "{text}");
    let found = bench.json(&["verify", "repo"]);
    assert!(found["problems"].as_array().unwrap().iter().any(|problem| problem["code"] == "damaged"));
}

#[test]
fn c11_of_two_publishers_one_waits_or_is_told_who_was_first() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    let mut lock = File::options().write(true).open(bench.path("repo/.lock")).unwrap();
    lock.lock().unwrap();
    lock.set_len(0).unwrap();
    write!(lock, "process 1, publish").unwrap();
    let error = bench.fails(12, &publish("build", "17.3.0.14"));
    assert!(error.contains("--wait"), "{error}");
    if cfg!(unix) {
        assert!(error.contains("process 1, publish"), "{error}");
    }
    drop(lock);
    for index in 0..3 {
        bench.build(&format!("build{index}"), &[("smartclient.exe", &format!("mz{index}"))]);
    }
    let folders = ["build0", "build1", "build2"];
    let started: Vec<_> = folders
        .iter()
        .map(|folder| bench.command(&[publish(folder, "17.3.0.14"), vec!["--wait", "60"]].concat()).spawn().unwrap())
        .collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(bench.json(&["list", "repo"])["channels"][0]["releases"].as_array().unwrap().len(), 3);
    bench.done(&["verify", "repo"]);
}

fn zip_of(path: &Path, entries: &[(&str, &str)]) {
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, content) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn d10_a_zip_is_published_like_its_folder_and_an_unsafe_one_is_not() {
    let bench = Bench::new();
    zip_of(&bench.path("build.zip"), &[("smartclient.exe", "mz"), ("lib/a.dll", "a")]);
    assert!(bench.publish("build.zip", "17.3.0.14").contains("2 files"));
    assert!(bench.publish("build.zip", "17.3.0.14").starts_with("already current"));
    zip_of(&bench.path("zips.zip"), &[("inner.zip", "PK")]);
    assert!(bench.fails(10, &publish("zips.zip", "17.3.0.15")).contains("only-archives"));
    zip_of(&bench.path("twins.zip"), &[("A", "1"), ("a", "2"), ("aux", "3")]);
    let error = bench.fails(10, &publish("twins.zip", "17.3.0.15"));
    assert!(error.contains("case-collision") && error.contains("device-name"), "{error}");
    zip_of(&bench.path("key.zip"), &[("smartclient.exe", "mz"), ("backup/a.json", r#"{"seed":"00","type":"key"}"#)]);
    assert!(bench.fails(10, &publish("key.zip", "17.3.0.15")).contains("private-key"));
    fs::write(bench.path("text.zip"), "no zip").unwrap();
    assert!(bench.fails(10, &publish("text.zip", "17.3.0.15")).contains("not a sound zip"));
    assert!(bench.fails(11, &publish("missing.zip", "17.3.0.15")).contains("missing.zip"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    assert!(bench.done(&[publish("build", "17.3.0.14"), vec!["--dry-run"]].concat()).starts_with("would publish"));
    assert_eq!(bench.json(&["list", "repo"])["channels"], Value::Array(vec![]));
    assert!(!bench.path("repo/objects").exists());
}

#[test]
fn help_shows_examples_and_every_exit_status() {
    let bench = Bench::new();
    let help = bench.done(&["--help"]);
    assert!(help.contains("manifests init acme --name acme") && help.contains("Exit status"));
    for command in ["init", "publish", "list", "verify", "withdraw", "prune", "gc", "refresh"] {
        assert!(bench.done(&[command, "--help"]).contains("Example"), "{command}");
    }
    bench.fails(2, &["publish"]);
}

#[test]
fn a_withdrawal_without_a_reason_is_refused() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    bench.publish("build", "17.3.0.14");
    let withdraw = |reason| ["withdraw", "repo", "--product", "smartclient", "--os", "windows", "1", "--reason", reason];
    assert!(bench.fails(11, &withdraw("")).contains("empty"));
    let error = bench.fails(11, &withdraw("\u{1b}[31mred"));
    assert!(error.contains("control character") && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn verify_names_the_first_orphans_in_text_and_all_in_json() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    bench.publish("build", "17.3.0.14");
    let before = bench.json(&["verify", "repo"])["orphans"].as_array().unwrap().len();
    fs::create_dir_all(bench.path("repo/objects/zz")).unwrap();
    for index in 0..25 {
        fs::write(bench.path(&format!("repo/objects/zz/{index}")), "x").unwrap();
    }
    let text = bench.done(&["verify", "repo"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("orphan `")).count(), 20);
    assert!(text.contains(&format!("{} orphans more", before + 5)), "{text}");
    assert_eq!(bench.json(&["verify", "repo"])["orphans"].as_array().unwrap().len(), before + 25);
}

#[test]
fn d_07_a_channel_says_which_server_its_clients_talk_to_until_it_is_told_otherwise() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]).build("next", &[("smartclient.exe", "mz2")]);
    let with = |folder, build, more: &[&'static str]| [publish(folder, build), more.to_vec()].concat();
    let said = |bench: &Bench| {
        let listed = bench.json(&["list", "repo"]);
        let channel = &listed["channels"][0];
        (channel["server"]["build"].as_str().map(str::to_owned), channel["compat"]["rule"].as_str().unwrap().to_owned())
    };
    bench.done(&publish("build", "17.3.0.14"));
    assert_eq!(said(&bench), (None, "major-minor".into()));

    // The same build again: only what is said of the server is new, and no number is used up.
    let described = bench.json(&with("build", "17.3.0.14", &["--server-build", "17.3.0.9"]));
    assert_eq!((&described["result"], &described["sequence"]), (&Value::from("described"), &Value::from(1)));
    assert_eq!(bench.json(&with("build", "17.3.0.14", &["--server-build", "17.3.0.9"]))["result"], "already-current");
    bench.done(&with("next", "17.3.0.15", &["--compat", "list:17.3.0.15,17.3.0.16"]));
    assert_eq!(said(&bench), (Some("17.3.0.9".into()), "list".into()), "the server goes on being what it was");
    assert_eq!(bench.json(&["list", "repo"])["channels"][0]["releases"][0]["sequence"], 2);
    bench.done(&with("next", "17.3.0.15", &["--server-build", "none", "--compat", "major-minor"]));
    assert_eq!(said(&bench), (None, "major-minor".into()));
    bench.done(&["verify", "repo"]);
}

#[test]
fn d_07_what_a_client_needs_and_works_with_is_signed_with_it() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    let ranges = ["--works-with-servers", "17.2..17.3", "--requires-server", "17.2.0.14", "--requires-client", "17.2.0.9"];
    bench.done(&[publish("build", "17.3.0.14"), ranges.to_vec()].concat());
    let release = &bench.json(&["list", "repo"])["channels"][0]["releases"][0];
    let bound = |build: &str| serde_json::json!({ "build": build, "scheme": "dotted" });
    assert_eq!(release["requires"], serde_json::json!({ "server": bound("17.2.0.14"), "client": bound("17.2.0.9") }));
    assert_eq!(release["compatible"], serde_json::json!({ "servers": { "min": bound("17.2"), "max": bound("17.3") } }));
}

#[test]
fn d_07_publishing_warns_of_a_client_that_does_not_fit_the_server_and_refuses_what_nobody_can_judge() {
    let bench = Bench::new();
    bench.build("build", &[("smartclient.exe", "mz")]);
    let with = |server: &'static str| [publish("build", "17.3.0.14"), vec!["--server-build", server]].concat();
    let warned = bench.json(&with("17.4.0.1"));
    assert_eq!(warned["warnings"][0]["rule"], "other-server");
    assert!(warned["warnings"][0].to_string().contains("17.4.0.1"), "{warned}");
    let refused = bench.fails(11, &with("7.00.170117A"));
    assert!(refused.contains("17.3.0.14") && refused.contains("7.00.170117A") && refused.contains("--works-with-servers"), "{refused}");
    let nonsense = bench.fails(2, &with("latest"));
    assert!(nonsense.contains("--server-build"), "{nonsense}");
}

#[test]
fn a_report_that_finds_no_room_is_no_success_and_a_reader_that_goes_away_is_no_failure() {
    let bench = Bench::new();
    bench.build("client", &[("app.exe", "one")]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let said = bench.command(&[&publish("client", "1.0.0")[..], &["--json"]].concat()).stdout(full).output().unwrap();
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stderr).contains("could not be printed"), "{said:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(bench.command(&["list", "repo", "--json"]).stdout(writer).status().unwrap().code(), Some(0));
    assert!(bench.done(&["list", "repo"]).contains("1.0.0"), "published all the same");
}
