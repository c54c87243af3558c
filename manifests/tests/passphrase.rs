//! Encrypted keys, through the real binary: where a passphrase comes from, what happens without one, and that nothing tells it.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery";
const OTHER: &str = "staple of eight words";

/// A folder with a build, passphrase files and perhaps a repository in it, and the program.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench { folder: TempDir::new().unwrap() };
        fs::create_dir(bench.path("build")).unwrap();
        fs::write(bench.path("build/smartclient.exe"), "mz").unwrap();
        bench.private("right", PASSPHRASE);
        bench.private("other", OTHER);
        bench
    }

    /// With a repository whose keys are encrypted: made once, because each key takes its quarter of a second.
    fn encrypted() -> Bench {
        static MADE: LazyLock<Bench> = LazyLock::new(|| {
            let bench = Bench::new();
            bench.done(bench.command(&["init", "repo", "--name", "acme", "--encrypt", "--passphrase-file", "right"]));
            bench
        });
        let bench = Bench { folder: TempDir::new().unwrap() };
        let from = MADE.path(".");
        bench.done(bench.here("cp", &["-a", from.to_str().unwrap(), "."]));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn private(&self, name: &str, line: &str) {
        fs::write(self.path(name), format!("{line}\n")).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn here(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        for variable in ["MANIFESTS_PASSPHRASE", "MANIFESTS_NEW_PASSPHRASE"] {
            command.env_remove(variable);
        }
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.here(env!("CARGO_BIN_EXE_manifests"), arguments)
    }

    /// On a terminal, where the questions get `answers`. Returns the status and all that was shown.
    fn on_a_terminal(&self, answers: &[&str], arguments: &[&str]) -> (i32, String) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/on_a_terminal.py");
        let all = [&[script], answers, &["--", env!("CARGO_BIN_EXE_manifests")], arguments].concat();
        let output = self.here("python3", &all).output().expect("`python3` is installed");
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn done(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn fails(&self, status: i32, mut command: Command) -> String {
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{command:?}: {error}");
        error
    }

    fn key_files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.path("repo.keys")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// The key file of a role.
    fn key_of(&self, role: &str) -> (PathBuf, Value) {
        let read = |path: PathBuf| (path.clone(), serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
        self.key_files().into_iter().map(read).find(|(_, value)| value["roles"][0] == role).unwrap()
    }
}

const PUBLISH: &[&str] =
    &["publish", "build", "--repo", "repo", "--product", "smartclient", "--os", "windows", "--build", "17.3.0.14", "--json"];

#[test]
fn a_release_is_published_with_encrypted_keys() {
    let bench = Bench::encrypted();
    assert_eq!(bench.key_files().len(), 9);
    for path in bench.key_files() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("BEGIN ENCRYPTED PRIVATE KEY") && !text.contains("\"seed\""), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    bench.done(bench.command(&[PUBLISH, &["--passphrase-file", "right"]].concat()));
    let mut refresh = bench.command(&["refresh", "repo"]);
    refresh.env("MANIFESTS_PASSPHRASE", PASSPHRASE);
    bench.done(refresh);
    bench.done(bench.command(&["verify", "repo"]));
}

#[test]
fn without_a_passphrase_the_command_says_what_to_give_and_changes_nothing() {
    let bench = Bench::encrypted();
    let before = fs::read(bench.path("repo/metadata/timestamp.json")).unwrap();
    let error = bench.fails(13, bench.command(&["refresh", "repo"]));
    let (path, _) = bench.key_of("snapshot");
    for part in ["--passphrase-file", "MANIFESTS_PASSPHRASE", "terminal", "(snapshot)", path.file_stem().unwrap().to_str().unwrap()] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(bench.fails(13, bench.command(&["init", "new", "--name", "acme", "--encrypt"])).contains("--passphrase-file"));
    assert!(!bench.path("new").exists() && !bench.path("new.keys").exists());
    assert_eq!(fs::read(bench.path("repo/metadata/timestamp.json")).unwrap(), before);
}

#[test]
fn a_wrong_passphrase_names_the_key_and_tells_no_secret() {
    let bench = Bench::encrypted();
    let error = bench.fails(13, bench.command(&["refresh", "repo", "--passphrase-file", "other"]));
    assert!(error.contains("does not open key") && error.contains("(snapshot)"), "{error}");
    let mut variable = bench.command(&["refresh", "repo", "--json"]);
    variable.env("MANIFESTS_PASSPHRASE", OTHER);
    let output = variable.output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["code"], &value["status"]), (&"key".into(), &13.into()));
    for text in [error, String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()] {
        assert!(!text.contains(OTHER) && !text.contains(PASSPHRASE), "{text}");
    }
}

#[test]
fn a_file_that_was_named_goes_before_the_variable() {
    let bench = Bench::encrypted();
    let mut command = bench.command(&["refresh", "repo", "--passphrase-file", "right"]);
    command.env("MANIFESTS_PASSPHRASE", OTHER);
    bench.done(command);
}

#[test]
fn passphrase_files_that_others_can_read_or_that_say_nothing_are_refused() {
    let bench = Bench::encrypted();
    fs::set_permissions(bench.path("right"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(bench.fails(13, bench.command(&["refresh", "repo", "--passphrase-file", "right"])).contains("chmod 600"));
    bench.private("empty", "");
    assert!(bench.fails(13, bench.command(&["refresh", "repo", "--passphrase-file", "empty"])).contains("empty"));
    assert!(bench.fails(13, bench.command(&["refresh", "repo", "--passphrase-file", "missing"])).contains("missing"));
    bench.private("short", "1234567");
    let init = ["init", "new", "--name", "acme", "--encrypt", "--passphrase-file", "short"];
    assert!(bench.fails(13, bench.command(&init)).contains("8 bytes"));
}

#[test]
fn nothing_that_a_command_prints_holds_a_seed_or_a_passphrase() {
    let bench = Bench::new();
    let mut shown = Vec::new();
    let mut run = |arguments: &[&str]| {
        let output = bench.command(arguments).output().unwrap();
        shown.extend([output.stdout, output.stderr].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&shown));
    };
    run(&["init", "repo", "--name", "acme", "--encrypt", "--passphrase-file", "right", "--json"]);
    run(&[PUBLISH, &["--passphrase-file", "right"]].concat());
    run(&["keys", "passphrase", "repo", "--remove", "--passphrase-file", "right", "--json"]);
    run(&["refresh", "repo", "--json"]);
    let seeds: Vec<String> = bench.key_files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let seeds = seeds.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()["seed"].as_str().unwrap().to_owned());
    let shown = String::from_utf8(shown).unwrap();
    for secret in seeds.chain([PASSPHRASE.to_owned()]) {
        assert!(!shown.contains(&secret), "{shown}");
    }
}

#[test]
fn openssl_opens_the_text_of_a_key_file() {
    let bench = Bench::encrypted();
    let (_, value) = bench.key_of("targets");
    fs::write(bench.path("key.pem"), value["encrypted"].as_str().unwrap()).unwrap();
    let read = bench.here("openssl", &["pkey", "-in", "key.pem", "-passin", "file:right", "-pubout", "-outform", "DER"]);
    let output = bench.done(read);
    assert_eq!(hex::encode(&output.stdout[output.stdout.len() - 32..]), value["public"].as_str().unwrap());
}

#[test]
fn an_encrypted_key_is_never_published_either() {
    let bench = Bench::encrypted();
    let (path, _) = bench.key_of("root");
    fs::copy(path, bench.path("build/settings.json")).unwrap();
    let mut command = bench.command(&[PUBLISH, &["--passphrase-file", "right"]].concat());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(10) && text.contains("private-key") && text.contains("settings.json"), "{text}");
}

#[test]
fn keys_passphrase_sets_changes_and_removes() {
    let bench = Bench::new();
    bench.done(bench.command(&["init", "repo", "--name", "acme"]));
    // Three keys are as good as nine.
    for role in ["targets", "windows", "linux", "macosx", "android", "wince"] {
        fs::remove_file(bench.key_of(role).0).unwrap();
    }
    let keys = |arguments: &[&str]| -> Value {
        let output = bench.done(bench.command(&[&["keys", "passphrase", "repo", "--json"], arguments].concat()));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let results = |value: &Value| -> Vec<String> {
        value["keys"].as_array().unwrap().iter().map(|key| key["result"].as_str().unwrap().to_owned()).collect()
    };
    let (root, _) = bench.key_of("root");
    let root = root.file_stem().unwrap().to_str().unwrap().to_owned();

    assert_eq!(results(&keys(&["--dry-run"])), ["encrypted"; 3]);
    assert_eq!(bench.key_of("root").1["encrypted"], Value::Null, "a dry run changes nothing");
    assert_eq!(results(&keys(&["--new-passphrase-file", "right", &root])), ["encrypted"]);
    assert_eq!((&bench.key_of("root").1["seed"], bench.key_of("snapshot").1["seed"].is_string()), (&Value::Null, true));
    bench.done(bench.command(&["refresh", "repo"]));
    let mut rest = results(&keys(&["--new-passphrase-file", "other", "--passphrase-file", "right"]));
    rest.sort();
    assert_eq!((rest.len(), rest.last().unwrap().as_str()), (3, "passphrase changed"));
    bench.done(bench.command(&["refresh", "repo", "--passphrase-file", "other"]));

    let error = bench.fails(13, bench.command(&["keys", "passphrase", "repo", "--remove", "--passphrase-file", "right"]));
    assert!(error.contains("does not open"), "{error}");
    assert!(bench.key_of("root").1["encrypted"].is_string(), "nothing is changed by halves");
    assert_eq!(results(&keys(&["--remove", "--passphrase-file", "other"])), ["passphrase removed"; 3]);
    assert_eq!(results(&keys(&["--remove"])), ["has no passphrase already"; 3]);
    bench.done(bench.command(&["refresh", "repo"]));

    bench.fails(13, bench.command(&["keys", "passphrase", "repo", &"0".repeat(64)]));
    assert!(bench.fails(13, bench.command(&["keys", "passphrase", "nowhere"])).contains("no key file"));
    assert!(bench.fails(13, bench.command(&["keys", "passphrase", "repo"])).contains("--new-passphrase-file"));
    bench.fails(2, bench.command(&["keys", "passphrase", "repo", "root"]));
}

#[test]
fn a_person_is_asked_once_and_what_is_typed_is_not_shown() {
    let bench = Bench::encrypted();
    let (status, shown) = bench.on_a_terminal(&[PASSPHRASE], &["refresh", "repo"]);
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("passphrase of key") && shown.contains("(snapshot)") && shown.contains("signed timestamp"), "{shown}");
    assert!(!shown.contains(PASSPHRASE), "{shown}");
}

#[test]
fn a_person_may_mistype_twice() {
    let bench = Bench::encrypted();
    let (status, shown) = bench.on_a_terminal(&["no", "", PASSPHRASE, PASSPHRASE], &["refresh", "repo"]);
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("no passphrase given so far opens this key"), "{shown}");
    let (status, shown) = bench.on_a_terminal(&["no", "still no", "never"], &["refresh", "repo"]);
    assert_eq!(status, 13, "{shown}");
    assert!(shown.contains("does not open key"), "{shown}");
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    let bench = Bench::new();
    let init = ["init", "repo", "--name", "acme", "--encrypt"];
    let (status, shown) = bench.on_a_terminal(&[PASSPHRASE, OTHER], &init);
    assert!(status == 13 && shown.contains("the two entries differ") && !bench.path("repo").exists(), "{shown}");
    let (status, shown) = bench.on_a_terminal(&[PASSPHRASE, PASSPHRASE], &init);
    assert_eq!(status, 0, "{shown}");
    bench.done(bench.command(&["refresh", "repo", "--passphrase-file", "right"]));
}
