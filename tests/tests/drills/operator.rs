//! The publisher of `docs/operating.md`: online keys on the machine that serves, all others in a safe, and the procedures of that page.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use system_tests::process::Finished;
use system_tests::world::{Build, Clock, PRODUCT, Repository, T0, TARGET, World, noise};

/// A publisher with a repository whose keys are split.
pub(crate) struct Operator<'a> {
    world: &'a World,
    pub(crate) repository: Repository<'a>,
    /// The folder of the offline keys. The repository never sees it but where a procedure says so.
    pub(crate) safe: PathBuf,
}

impl<'a> Operator<'a> {
    /// A repository with build 1.0.0, split: root, targets and OS keys in the safe.
    pub(crate) fn new(world: &'a World) -> Operator<'a> {
        Operator::with_root_keys(world, "1", "1")
    }

    /// The same with so many root keys, of which so many must sign.
    pub(crate) fn with_root_keys(world: &'a World, keys: &str, threshold: &str) -> Operator<'a> {
        let operator = Operator::made(world, keys, threshold);
        operator.split();
        operator
    }

    /// A repository with build 1.0.0 whose keys all lie beside it still.
    pub(crate) fn whole(world: &'a World) -> Operator<'a> {
        Operator::made(world, "1", "1")
    }

    fn made(world: &'a World, keys: &str, threshold: &str) -> Operator<'a> {
        let repository = world.repository_at("acme", &world.path("acme"));
        repository
            .manifests(&["init", repository.text(), "--name", "acme", "--root-keys", keys, "--root-threshold", threshold])
            .succeeded("manifests init");
        let operator = Operator { world, repository, safe: world.path("safe") };
        operator.repository.publish(&operator.build("v1", 1), "1.0.0");
        operator
    }

    /// Moves root, targets and OS keys to the safe.
    pub(crate) fn split(&self) {
        self.run(&["keys", "split", self.repository.text(), "--to", &self.text(&self.safe)]);
    }

    /// Gives each root key of the safe to a holder of its own. Returns their folders, in the order of the keys.
    pub(crate) fn share_root_keys(&self) -> Vec<PathBuf> {
        let share = |(number, id): (usize, String)| {
            let folder = self.world.path(&format!("holder-{}", number + 1));
            fs::create_dir(&folder).expect("made");
            fs::rename(self.safe.join(format!("{id}.json")), folder.join(format!("{id}.json"))).expect("handed over");
            folder
        };
        self.keys_of("root").into_iter().enumerate().map(share).collect()
    }

    /// Two days go by for the publisher. Versions follow the clock, so what is done then has higher ones than all that was done before.
    pub(crate) fn two_days_later(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let unix = i64::try_from(now).expect("in range") + 2 * 86_400;
        self.repository = self.repository.at_time(&Clock { unix, zone: "UTC".into() });
    }

    /// A build of the client; the same `seed` makes the same build.
    pub(crate) fn build(&self, name: &str, seed: u64) -> Build {
        let build = self.world.build(name);
        build.exec("client", noise(seed, 40_000), T0).file("lib/a.so", noise(1_000 + seed, 40_000), T0);
        build
    }

    /// A command that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.repository.manifests(arguments).succeeded(&arguments.join(" "))
    }

    /// What a command prints with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&done.stdout).expect("JSON")
    }

    /// A path in the world as text.
    pub(crate) fn text(&self, path: &Path) -> String {
        path.to_str().expect("temporary paths are UTF-8").to_owned()
    }

    /// `arguments --request FILE`, signed with the keys of `holders`, each a copy of the file, and committed.
    #[track_caller]
    pub(crate) fn request(&self, arguments: &[&str], holders: &[&PathBuf]) {
        self.try_request(arguments, holders).succeeded("manifests commit");
    }

    /// The same; the commit may fail.
    #[track_caller]
    pub(crate) fn try_request(&self, arguments: &[&str], holders: &[&PathBuf]) -> Finished {
        let request = self.text(&self.world.path("request.json"));
        self.run(&[arguments, &["--request", &request]].concat());
        // Read aloud by somebody who trusts it, for holders whose keys are new.
        let listed = self.json(&["list", self.repository.text()]);
        let root = listed["root"]["sha256"].as_str().expect("a digest").to_owned();
        let mut commit = vec!["commit".to_owned(), "--repo".to_owned(), self.repository.text().to_owned()];
        for (number, keys) in holders.iter().enumerate() {
            let copy = format!("{request}.{number}");
            fs::copy(&request, &copy).expect("copied");
            self.run(&["sign", "--request", &copy, "--keys", &self.text(keys), "--root-sha256", &root, "--yes"]);
            commit.push(copy);
        }
        self.repository.manifests(&commit.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Publishes `build` with the OS key that lies in the safe.
    #[track_caller]
    pub(crate) fn publish(&self, build: &Build, version: &str, options: &[&str]) {
        let arguments = self.publishing(build, version);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(options.iter().copied()).collect();
        self.request(&arguments, &[&self.safe]);
    }

    /// What the tool says to a release that it may refuse.
    pub(crate) fn publish_finished(&self, build: &Build, version: &str) -> Finished {
        let keys = self.text(&self.safe);
        let arguments = self.publishing(build, version);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--keys", &keys]).collect();
        self.repository.manifests(&arguments)
    }

    fn publishing(&self, build: &Build, version: &str) -> Vec<String> {
        let (folder, repo) = (self.text(&build.dir), self.repository.text());
        let arguments = ["publish", &folder, "--repo", repo, "--product", PRODUCT, "--os", "linux", "--arch", "x86_64", "--build", version];
        arguments.map(str::to_owned).to_vec()
    }

    /// The ids of the keys of a role.
    pub(crate) fn keys_of(&self, role: &str) -> Vec<String> {
        let listed = self.json(&["keys", "list", self.repository.text()]);
        let roles = listed["roles"].as_array().expect("roles").clone();
        let found = roles.into_iter().find(|entry| entry["role"] == role).unwrap_or_else(|| panic!("no role {role}"));
        found["keys"].as_array().expect("keys").iter().map(|key| key["key"].as_str().expect("an id").to_owned()).collect()
    }

    /// The only key of a role.
    pub(crate) fn key_of(&self, role: &str) -> String {
        self.keys_of(role).remove(0)
    }

    /// The folder of the keys that lie on the machine that serves.
    pub(crate) fn online_keys(&self) -> PathBuf {
        self.world.path("acme.keys")
    }

    /// The entry of `manifests list` for the channel that stations follow.
    pub(crate) fn channel(&self) -> Value {
        let listed = self.json(&["list", self.repository.text()]);
        let channels = listed["channels"].as_array().expect("channels").clone();
        channels.into_iter().next().unwrap_or_else(|| panic!("no channel {TARGET}"))
    }
}
