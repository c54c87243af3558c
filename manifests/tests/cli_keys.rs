//! The real binary where keys lie elsewhere: signing requests, bundles, and `keys …`; what they print, how they end, what they refuse and what they leave alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A temporary folder with the repository `repo`, split: root, targets and OS keys are in `safe`. Build `build` is released as 1.0.0, `next` is not yet.
struct Bench {
    folder: TempDir,
}

const PUBLISH: [&str; 9] = ["publish", "next", "--repo", "repo", "--product", "client", "--os", "linux", "--build"];

impl Bench {
    fn new() -> Bench {
        let bench = Bench { folder: TempDir::new().unwrap() };
        for (name, content) in [("build", "one"), ("next", "two")] {
            fs::create_dir(bench.path(name)).unwrap();
            fs::write(bench.path(name).join("client"), content).unwrap();
        }
        bench.done(&["init", "repo", "--name", "acme"]);
        bench.done(&["publish", "build", "--repo", "repo", "--product", "client", "--os", "linux", "--build", "1.0.0"]);
        bench.done(&["keys", "split", "repo", "--to", "safe"]);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifests"));
        command.args(arguments).current_dir(self.folder.path()).stdin(std::process::Stdio::null());
        command.env_remove("MANIFESTS_PASSPHRASE").env_remove("MANIFESTS_NEW_PASSPHRASE").output().unwrap()
    }

    /// Standard output of a command that must succeed, and end by naming the next one.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().last().is_some_and(|line| line.starts_with("next: ")), "{arguments:?}: {text}");
        text
    }

    /// Standard error of a command that must end with `status`, print nothing else, say the same as JSON, and leave every file as it is.
    #[track_caller]
    fn fails(&self, status: i32, arguments: &[&str]) -> String {
        let before = self.everything();
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
        if status != 2 {
            let said = self.json(arguments);
            assert_eq!(said["status"], json!(status), "{arguments:?}: {said}");
            assert!(error.contains(said["error"].as_str().unwrap()), "{arguments:?}: {error} but {said}");
        }
        assert_eq!(self.everything(), before, "{arguments:?} wrote something");
        error
    }

    /// What a command prints with `--json`; one object and nothing else.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// Every file with its content.
    fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    // Who holds the lock is written into it.
                    false if path.ends_with(".lock") => {}
                    false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
                }
            }
        }
        found
    }

    fn request(&self, file: &str) {
        self.done(&[PUBLISH.as_slice(), &["2.0.0", "--request", file]].concat());
    }

    /// The id of the only key of a role.
    fn key_of(&self, role: &str) -> String {
        let roles = self.json(&["keys", "list", "repo"])["roles"].as_array().unwrap().clone();
        let role = roles.into_iter().find(|entry| entry["role"] == role).unwrap();
        role["keys"][0]["key"].as_str().unwrap().to_owned()
    }

    fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_slice(&fs::read(self.path(file)).unwrap()).unwrap();
        change(&mut value);
        fs::write(self.path(file), serde_json::to_vec(&value).unwrap()).unwrap();
    }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_release_goes_through_a_request_and_each_step_says_what_it_did() {
    let bench = Bench::new();
    let arguments = [PUBLISH.as_slice(), &["2.0.0", "--request", "r.json"]].concat();
    assert_eq!(bench.json(&arguments)["result"], "handed-over");
    let dry = bench.json(&["sign", "--request", "r.json", "--keys", "safe", "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["signed"], &dry["complete"]), (&json!(true), &json!(0), &json!(false)));
    assert!(dry["effects"][0].as_str().unwrap().contains("release 2 (build 2.0.0"), "{dry}");
    let signed = bench.json(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    assert_eq!((&signed["signed"], &signed["complete"], &signed["roles"][0]["role"]), (&json!(1), &json!(true), &json!("linux")));
    assert_eq!(signed["root"]["sha256"], bench.json(&["list", "repo"])["root"]["sha256"]);
    let committed = bench.json(&["commit", "r.json", "--repo", "repo"]);
    assert_eq!((&committed["releases"][0]["sequence"], &committed["releases"][0]["build"]), (&json!(2), &json!("2.0.0")));
    let roles: Vec<&str> = committed["roles"].as_array().unwrap().iter().map(|role| role["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["linux", "snapshot", "timestamp"]);
}

#[test]
fn d_07_who_signs_is_told_which_server_a_channel_names_and_by_which_rule_clients_fit_it_whenever_that_changes() {
    let bench = Bench::new();
    let mut builds = ["2.0.0", "3.0.0", "4.0.0", "5.0.0"].into_iter();
    // Publishes the next release with `options`; what those who sign it are told of the server.
    let mut told = |options: &[&str]| -> Vec<String> {
        let build = builds.next().unwrap();
        fs::write(bench.path("next/client"), build).unwrap();
        bench.done(&[PUBLISH.as_slice(), &[build, "--request", build], options].concat());
        let dry = bench.json(&["sign", "--request", build, "--keys", "safe", "--dry-run"]);
        bench.done(&["sign", "--request", build, "--keys", "safe", "--yes"]);
        bench.done(&["commit", build, "--repo", "repo"]);
        let effects: Vec<String> = serde_json::from_value(dry["effects"].clone()).unwrap();
        effects.into_iter().filter(|effect| effect.contains("server")).collect()
    };
    let channel = "client stable for linux x86_64";
    let rule = ["--server-build", "2.4.1", "--compat", "list:2.0.0,3.0.0"];
    assert_eq!(told(&rule), [format!("{channel}: clients talk to a server of build 2.4.1, and fit it by the rule list:2.0.0,3.0.0")]);
    assert_eq!(told(&[]), [] as [&str; 0], "as before: nothing changes for stations");
    assert_eq!(told(&["--compat", "exact"]), [format!("{channel}: clients talk to a server of build 2.4.1, and fit it by the rule exact")]);
    let gone = format!("{channel}: nothing is said of the server that clients talk to; they fit one by the rule exact");
    assert_eq!(told(&["--server-build", "none"]), [gone]);
}

#[test]
fn d_26_who_signs_is_told_until_when_people_can_put_a_release_off() {
    let bench = Bench::new();
    let deadline = "2126-11-30T18:00:00Z";
    bench.done(&[PUBLISH.as_slice(), &["2.0.0", "--request", "r.json", "--deadline", deadline]].concat());
    let dry = bench.json(&["sign", "--request", "r.json", "--keys", "safe", "--dry-run"]);
    let told = dry["effects"][0].as_str().unwrap();
    assert!(told.contains("release 2 (build 2.0.0") && told.ends_with(&format!("they can put it off until {deadline}")), "{told}");
    bench.done(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    bench.done(&["commit", "r.json", "--repo", "repo"]);
    assert_eq!(bench.json(&["list", "repo"])["channels"][0]["releases"][0]["deadline"], deadline);
}

#[test]
fn a_request_that_is_signed_twice_is_signed_once() {
    let bench = Bench::new();
    bench.request("r.json");
    assert!(
        bench.done(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]).contains("1 signature added\nlinux: 1 of 1 signatures")
    );
    let before = fs::read(bench.path("r.json")).unwrap();
    assert!(
        bench.done(&["sign", "--request", "r.json", "--keys", "safe"]).contains("it has all its signatures already"),
        "nobody is asked for nothing"
    );
    assert_eq!(fs::read(bench.path("r.json")).unwrap(), before);
    bench.done(&["commit", "r.json", "--repo", "repo"]);
    let error = bench.fails(11, &["commit", "r.json", "--repo", "repo"]);
    assert!(error.contains("Unless it was committed already"), "{error}");
}

#[test]
fn nothing_is_signed_unless_somebody_was_asked_or_said_so_beforehand() {
    let bench = Bench::new();
    bench.request("r.json");
    let error = bench.fails(11, &["sign", "--request", "r.json", "--keys", "safe"]);
    assert!(error.contains("release 2 (build 2.0.0") && error.contains("--dry-run") && error.contains("--yes"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_person_at_a_terminal_is_shown_what_changes_and_then_asked() {
    let bench = Bench::new();
    bench.request("r.json");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/on_a_terminal.py");
    let asked = |answer: &str| {
        let sign = ["--", env!("CARGO_BIN_EXE_manifests"), "sign", "--request", "r.json", "--keys", "safe"];
        let mut command = Command::new("python3");
        let output = command.args([script, answer]).args(sign).current_dir(bench.folder.path()).output().expect("`python3` is installed");
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let before = bench.everything();
    for answer in ["", "n", "maybe"] {
        let (status, shown) = asked(answer);
        assert!(status == 11 && shown.contains("nothing was signed"), "{answer}: {shown}");
    }
    assert_eq!(bench.everything(), before);
    let (status, shown) = asked("y");
    assert_eq!(status, 0, "{shown}");
    let (effect, question) = (shown.find("release 2 (build 2.0.0").unwrap(), shown.find("sign this? [y/N]").unwrap());
    assert!(effect < question && shown[question..].contains("1 signature added"), "{shown}");
}

#[test]
fn keys_that_are_missing_locked_or_strange_are_named_with_what_to_do() {
    let bench = Bench::new();
    let error = bench.fails(13, &[PUBLISH.as_slice(), &["2.0.0"]].concat());
    assert!(error.contains("`linux`") && error.contains("--keys"), "{error}");
    let error = bench.fails(13, &[PUBLISH.as_slice(), &["2.0.0", "--bundle", "b.zip"]].concat());
    assert!(error.contains("`linux`"), "{error}");
    bench.request("r.json");
    fs::create_dir(bench.path("empty")).unwrap();
    let error = bench.fails(13, &["sign", "--request", "r.json", "--keys", "empty", "--yes"]);
    assert!(error.contains("`empty` holds no key that can sign it") && error.contains(&bench.key_of("linux")), "{error}");
    bench.fails(13, &["sign", "--request", "r.json", "--keys", "repo.keys", "--yes"]);
    let error = bench.fails(11, &["commit", "r.json", "--repo", "repo"]);
    assert!(error.contains("`linux` has 0 of the 1 signatures it needs") && error.contains("manifests sign"), "{error}");

    for (name, text) in [("right", "right horse\n"), ("wrong", "wrong horse\n")] {
        fs::write(bench.path(name), text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(bench.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    bench.done(&["keys", "passphrase", "repo", "--keys", "safe", "--new-passphrase-file", "right"]);
    let sign = ["sign", "--request", "r.json", "--keys", "safe", "--yes"];
    let error = bench.fails(13, &sign);
    assert!(error.contains("is encrypted") && error.contains("--passphrase-file"), "{error}");
    let error = bench.fails(13, &[sign.as_slice(), &["--passphrase-file", "wrong"]].concat());
    assert!(error.contains("does not open key"), "{error}");
    bench.done(&[sign.as_slice(), &["--passphrase-file", "right"]].concat());
}

#[test]
fn files_that_are_no_requests_or_for_somebody_else_are_refused_by_name() {
    let bench = Bench::new();
    fs::write(bench.path("text"), "hello").unwrap();
    fs::write(bench.path("other.json"), r#"{"format":0,"type":"policy"}"#).unwrap();
    fs::write(bench.path("later.json"), r#"{"format":7,"type":"signing-request"}"#).unwrap();
    for file in ["text", "other.json", "later.json", "server.zip"] {
        if file == "server.zip" {
            fs::write(bench.path(file), b"PK\x03\x04 and no zip").unwrap();
        }
        let both = [vec!["sign", "--request", file, "--keys", "safe", "--yes"], vec!["commit", file, "--repo", "repo"]];
        for command in both {
            let error = bench.fails(11, &command);
            assert!(error.contains(&format!("`{file}` is no signing request or bundle")), "{error}");
        }
    }
    assert!(bench.fails(1, &["sign", "--request", "nowhere", "--keys", "safe", "--yes"]).contains("`nowhere`"));
    bench.fails(1, &["commit", "nowhere", "--repo", "repo"]);
    bench.fails(2, &["commit", "--repo", "repo"]);
    bench.fails(2, &[PUBLISH.as_slice(), &["2.0.0", "--request", "a", "--bundle", "b"]].concat());

    bench.done(&["init", "second", "--name", "second"]);
    bench.request("r.json");
    bench.done(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    let error = bench.fails(11, &["commit", "r.json", "--repo", "second"]);
    assert!(error.contains("for the repository `acme`, not for `second`"), "{error}");

    // Somebody puts a line of his own into what a signer reads.
    bench.request("r.json");
    bench.edit("r.json", |request| {
        let document = request["documents"]["linux/client/x86_64/stable.json"].clone();
        request["documents"]["linux/client/x86_64/x\nlinux is signed anew.json"] = document;
    });
    let error = bench.fails(11, &["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_stale_request_and_copies_of_different_ones_are_refused() {
    let bench = Bench::new();
    bench.request("first.json");
    bench.done(&["withdraw", "repo", "--product", "client", "--os", "linux", "1", "--reason", "bad", "--request", "second.json"]);
    for file in ["first.json", "second.json"] {
        bench.done(&["sign", "--request", file, "--keys", "safe", "--yes"]);
    }
    assert!(bench.fails(11, &["commit", "first.json", "second.json", "--repo", "repo"]).contains("not copies of one signing request"));
    bench.done(&["commit", "first.json", "--repo", "repo"]);
    let error = bench.fails(11, &["commit", "second.json", "--repo", "repo"]);
    assert!(error.contains("`linux`") && error.contains("run the command that made it again"), "{error}");
}

#[test]
fn a_key_that_never_signed_a_role_signs_only_for_a_root_that_was_compared() {
    let bench = Bench::new();
    bench.done(&["keys", "generate", "linux", "--keys", "new"]);
    bench.done(&["keys", "export-public", "--keys", "new", "--output", "new.pub"]);
    bench.done(&["keys", "rotate", "repo", "linux", "--admit", "new.pub", "--drop", "linux", "--request", "r.json"]);
    bench.done(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    let sign = ["sign", "--request", "r.json", "--keys", "new", "--yes"];
    let root = bench.json(&["list", "repo"])["root"]["sha256"].as_str().unwrap().to_owned();
    let error = bench.fails(11, &sign);
    assert!(error.contains("--root-sha256") && error.contains(&root), "{error}");
    bench.fails(11, &[sign.as_slice(), &["--root-sha256", &"0".repeat(64)]].concat());
    bench.fails(2, &[sign.as_slice(), &["--root-sha256", "0"]].concat());
    bench.done(&[sign.as_slice(), &["--root-sha256", &root]].concat());
    bench.done(&["commit", "r.json", "--repo", "repo"]);
}

#[test]
fn a_bundle_says_what_it_is_for_and_brings_its_objects() {
    let bench = Bench::new();
    let copy = Command::new("cp").args(["-r", "repo", "ci"]).current_dir(bench.folder.path()).status().unwrap();
    assert!(copy.success());
    let mut arguments = PUBLISH.to_vec();
    arguments[3] = "ci";
    let text = bench.done(&[arguments.as_slice(), &["2.0.0", "--keys", "safe", "--bundle", "b.zip"]].concat());
    assert!(text.contains("stations see nothing of it yet: b.zip") && text.contains("manifests commit b.zip"), "{text}");
    let committed = bench.json(&["commit", "b.zip", "--repo", "repo"]);
    assert_eq!((&committed["releases"][0]["sequence"], &committed["new_objects"]), (&json!(2), &json!(2)), "{committed}");
    bench.done(&["verify", "repo"]);
}

#[test]
fn a_dry_run_of_every_key_command_speaks_and_writes_nothing() {
    let bench = Bench::new();
    bench.request("r.json");
    let before = bench.everything();
    let commands: [&[&str]; 6] = [
        &["keys", "split", "repo", "--role", "timestamp", "--to", "else"],
        &["keys", "split", "repo", "--keys", "safe", "--role", "linux", "--to", "else"],
        &["keys", "rotate", "repo", "root", "--add", "2", "--threshold", "2", "--new-keys", "else"],
        &["keys", "revoke", "repo", "linux"],
        &["keys", "revoke", "repo", "linux", "timestamp", "--disown", "client:1", "--request", "x.json"],
        &["sign", "--request", "r.json", "--keys", "safe"],
    ];
    for command in commands {
        let dry = [command, &["--dry-run"]].concat();
        bench.done(&dry);
        assert_eq!(bench.json(&dry)["dry_run"], json!(true), "{command:?}");
    }
    assert_eq!(bench.everything(), before);
    assert!(!bench.path("else").exists());
}

#[test]
fn keys_are_named_by_first_digits_or_by_role_and_what_names_none_or_several_is_refused() {
    let bench = Bench::new();
    let linux = bench.key_of("linux");
    let revoked = |name: &str| {
        let effects = bench.json(&["keys", "revoke", "repo", name, "--dry-run"])["effects"].clone();
        let effects: Vec<String> = serde_json::from_value(effects).unwrap();
        effects.iter().any(|effect| effect.starts_with("linux: 1 of 1 keys must sign") && effect.contains(&linux))
    };
    assert!(revoked("linux") && revoked(&linux) && revoked(&linux[..8]));
    assert!(!revoked("windows"));
    for name in [&linux[..3], "", "beef", "boss", "Linux", &"0".repeat(64)] {
        let error = bench.fails(11, &["keys", "revoke", "repo", name]);
        assert!(error.contains("manifests keys list"), "{name}: {error}");
        bench.fails(11, &["keys", "rotate", "repo", "linux", "--drop", name]);
    }
    bench.fails(2, &["keys", "revoke", "repo"]);
    for disown in ["client", "client:x", ":1", "Client:1"] {
        bench.fails(2, &["keys", "revoke", "repo", "linux", "--disown", disown]);
    }
    for disown in ["client:2", "other:1"] {
        assert!(bench.fails(11, &["keys", "revoke", "repo", "linux", "--disown", disown]).contains("manifests list"), "{disown}");
    }
    assert!(bench.fails(11, &["keys", "revoke", "repo", "windows", "--disown", "client:1"]).contains("client:1"), "another OS");
}

#[test]
fn rotations_that_make_no_sense_are_refused_and_leave_no_keys_behind() {
    let bench = Bench::new();
    let refused: [&[&str]; 5] = [
        &["keys", "rotate", "repo", "boss"],
        &["keys", "rotate", "repo", "root", "--keep"],
        &["keys", "rotate", "repo", "root", "--threshold", "2"],
        &["keys", "rotate", "repo", "root", "--add", "1", "--threshold", "0"],
        &["keys", "rotate", "repo", "root", "--drop", "root"],
    ];
    for command in refused {
        bench.fails(11, command);
    }
    fs::write(bench.path("no.pub"), "{}").unwrap();
    assert!(bench.fails(11, &["keys", "rotate", "repo", "root", "--admit", "no.pub"]).contains("export-public"));
    bench.fails(1, &["keys", "rotate", "repo", "root", "--admit", "nowhere.pub"]);
    bench.fails(2, &["keys", "rotate", "repo"]);
    let error = bench.fails(13, &["keys", "rotate", "repo", "timestamp"]);
    assert!(error.contains("`root`"), "the root key is in the safe: {error}");
    bench.fails(13, &["keys", "revoke", "repo", "linux", "--new-keys", "safe"]);
}

#[test]
fn new_keys_go_where_they_are_told_and_the_policy_tells_the_truth_about_it() {
    let bench = Bench::new();
    let all = ["root", "targets", "linux", "snapshot", "timestamp"];
    let arguments = [&["keys", "rotate", "repo"], all.as_slice(), &["--new-keys", "new", "--request", "r.json"]].concat();
    let made = bench.json(&arguments)["made"].as_array().unwrap().clone();
    assert_eq!(made.len(), 5);
    for key in &made {
        let online = ["snapshot", "timestamp"].contains(&key["role"].as_str().unwrap());
        let folder = bench.path(if online { "repo.keys" } else { "new" });
        assert!(folder.join(format!("{}.json", key["key"].as_str().unwrap())).exists(), "{key}");
    }
    assert_eq!(files(&bench.path("new")), 3);
    // Made where the server keeps its own, an OS key is on the server, whatever was said of the one before.
    let effects = bench.json(&["keys", "rotate", "repo", "windows", "--dry-run"])["effects"].to_string();
    assert!(effects.contains("the keys of windows lie on the machine that serves"), "{effects}");
    let effects = bench.json(&["keys", "rotate", "repo", "windows", "--new-keys", "new", "--dry-run"])["effects"].to_string();
    assert!(!effects.contains("policy:"), "{effects}");
    let effects = bench.json(&["keys", "rotate", "repo", "windows", "--keys", "safe", "--dry-run"])["effects"].to_string();
    assert!(!effects.contains("policy:"), "beside the other offline ones: {effects}");
}

#[test]
fn a_split_gives_each_holder_one_key_and_never_moves_a_key_onto_itself() {
    let bench = Bench { folder: TempDir::new().unwrap() };
    bench.done(&["init", "repo", "--name", "acme", "--root-keys", "3", "--root-threshold", "2"]);
    for folder in ["repo.keys", "./repo.keys", "repo/../repo.keys"] {
        let error = bench.fails(11, &["keys", "split", "repo", "--to", folder]);
        assert!(error.contains("already: choose another folder"), "{error}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("repo.keys", bench.path("link")).unwrap();
        bench.fails(11, &["keys", "split", "repo", "--to", "link"]);
    }
    assert_eq!(files(&bench.path("repo.keys")), 11);
    let moved = bench.json(&["keys", "split", "repo", "--role", "root", "--to", "one", "--to", "two", "--to", "three"]);
    assert_eq!(moved["moved"].as_array().unwrap().len(), 3);
    assert_eq!(["one", "two", "three", "repo.keys"].map(|folder| files(&bench.path(folder))), [1, 1, 1, 8]);
    let text = bench.done(&["keys", "split", "repo", "--to", "safe"]);
    assert!(text.contains("policy: the keys of linux are kept offline"), "{text}");
    assert_eq!(files(&bench.path("repo.keys")), 2);
    assert!(bench.fails(11, &["keys", "split", "repo", "--to", "safe"]).contains("nothing would change"));
    assert!(bench.fails(11, &["keys", "split", "repo", "--role", "boss", "--to", "safe"]).contains("`boss`"));
}

#[test]
fn a_key_that_nobody_counts_is_made_exported_and_listed() {
    let bench = Bench::new();
    let made = bench.json(&["keys", "generate", "root", "--keys", "mine"]);
    let id = made["key"].as_str().unwrap();
    let public = bench.json(&["keys", "export-public", "--keys", "mine"]);
    assert_eq!((&public["keytype"], public.get("seed")), (&json!("ed25519"), None));
    bench.done(&["keys", "generate", "root", "--keys", "mine"]);
    assert!(bench.fails(11, &["keys", "export-public", "--keys", "mine"]).contains("say which"));
    assert_eq!(bench.json(&["keys", "export-public", &id[..8], "--keys", "mine"]), public);
    bench.fails(13, &["keys", "export-public", "--keys", "nowhere"]);
    bench.fails(13, &["keys", "export-public", "beef", "--keys", "mine"]);
    bench.fails(11, &["keys", "generate", "boss", "--keys", "mine"]);
    let listed = bench.json(&["keys", "list", "repo", "--keys", "mine"]);
    assert_eq!(listed["signs_for_nothing"].as_array().unwrap().len(), 2);
    assert!(bench.done(&["keys", "list", "repo", "--keys", "mine"]).contains("signs for nothing"));
}

#[test]
fn a_number_at_least_so_high_leaves_a_gap_but_never_a_chasm() {
    let bench = Bench::new();
    let publish = |build: &str, least: &str| {
        [PUBLISH.as_slice(), &[build, "--keys", "all", "--sequence-at-least", least]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    fs::rename(bench.path("safe"), bench.path("all")).unwrap();
    for entry in fs::read_dir(bench.path("repo.keys")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, bench.path("all").join(path.file_name().unwrap())).unwrap();
    }
    fn borrowed(words: &[String]) -> Vec<&str> {
        words.iter().map(String::as_str).collect()
    }
    let error = bench.fails(11, &borrowed(&publish("2.0.0", "1000003")));
    assert!(error.contains("1000000 numbers after 1"), "{error}");
    bench.fails(2, &borrowed(&publish("2.0.0", "-1")));
    assert_eq!(bench.json(&borrowed(&publish("2.0.0", "12")))["sequence"], json!(12));
    assert_eq!(bench.json(&borrowed(&publish("2.0.0", "12")))["result"], "already-current");
    assert_eq!(bench.json(&borrowed(&publish("2.0.0", "13")))["sequence"], json!(13), "the same files under a higher number");
    assert_eq!(bench.json(&borrowed(&publish("3.0.0", "5")))["sequence"], json!(14), "never lower than the next");
}

#[test]
fn after_a_restore_every_role_but_root_can_be_signed_anew() {
    let bench = Bench::new();
    bench.done(&["refresh", "repo", "--all", "--request", "r.json"]);
    bench.done(&["sign", "--request", "r.json", "--keys", "safe", "--yes"]);
    let committed = bench.json(&["commit", "r.json", "--repo", "repo"]);
    let mut roles: Vec<&str> = committed["roles"].as_array().unwrap().iter().map(|role| role["role"].as_str().unwrap()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["android", "linux", "macosx", "snapshot", "targets", "timestamp", "wince", "windows"]);
    // Without the file, what cannot be signed is named.
    let refreshed = bench.json(&["refresh", "repo", "--all"]);
    assert_eq!((refreshed["signed"].as_array().unwrap().len(), refreshed["skipped"].as_array().unwrap().len()), (2, 6), "{refreshed}");
}

#[test]
#[cfg(unix)]
fn folders_whose_names_are_no_unicode_are_said_as_they_can_be_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = TempDir::new().unwrap();
    let named = |bytes: &[u8]| std::ffi::OsStr::from_bytes(bytes).to_owned();
    let (repo, safe, made) = (named(b"r\xff"), named(b"s\xff"), named(b"m\xff"));
    let said = |words: &[&std::ffi::OsStr]| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_manifests")).args(words).arg("--json").current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let word = |text: &'static str| std::ffi::OsStr::new(text);
    let init = said(&[word("init"), &repo, word("--name"), word("acme")]);
    assert!(init["path"].as_str().unwrap().ends_with("r\u{fffd}"), "{init}");
    assert!(init["keys"].as_str().unwrap().ends_with("r\u{fffd}.keys"), "{init}");
    let rotated = said(&[word("keys"), word("rotate"), &repo, word("root"), word("--add"), word("1"), word("--new-keys"), &made]);
    assert!(rotated["made"][0]["folder"].as_str().unwrap().ends_with("m\u{fffd}"), "{rotated}");
    let split = said(&[word("keys"), word("split"), &repo, word("--role"), word("targets"), word("--to"), &safe]);
    assert!(split["moved"][0]["folder"].as_str().unwrap().ends_with("s\u{fffd}"), "{split}");
}
