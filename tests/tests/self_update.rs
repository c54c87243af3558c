//! The updater updates itself, first in order, and there is always a working one at its path (attack F13).
//!
//! A copy of the built updater is the one that lies on a station. A newer one is the same program with some bytes after its end: it runs as well, is another file, and which build is
//! installed is what the signed state says. Programs that fail are scripts.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use system_tests::process::run;
use system_tests::root::Immutable;
use system_tests::server::Server;
use system_tests::station::{Outcome, Station};
use system_tests::tree::sha256_of;
use system_tests::world::{Repository, T0, World, program};

const LIMIT: Duration = Duration::from_secs(120);

/// A program that answers `self-check` and dies at anything else.
const DIES_AT_WORK: &str = r#"#!/bin/sh
if [ "$1" = self-check ]; then echo '{"build":"9.9.9","format":0,"unreadable":[]}'; exit 0; fi
kill -SEGV $$
"#;

/// A station whose updater is a copy of its own and follows the repository `own` of updaters, and that repository.
struct Scene<'a> {
    world: &'a World,
    own: Repository<'a>,
    server: Server,
    /// The updater's file.
    program: PathBuf,
    /// The station of a client, which need not exist.
    station: Station,
}

impl<'a> Scene<'a> {
    /// Follows nothing yet.
    fn new(world: &'a World) -> Scene<'a> {
        let own = world.repository("updaters");
        let server = world.serve_copy("updaters", &own.dir, "updaters-server");
        let bin = world.path("bin");
        fs::create_dir_all(&bin).expect("made");
        let program = bin.join("updater");
        fs::write(&program, whole(world)).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode set");
        let station = world.station("client");
        let dir = station.dir.to_str().expect("temporary paths are UTF-8").to_owned();
        let station = station.running(&program, &dir);
        Scene { world, own, server, program, station }
    }

    /// Publishes `content` as the updater `build`.
    fn publish(&self, build: &str, content: &[u8]) {
        let folder = self.world.build(&format!("updater-{build}"));
        folder.exec("updater", content, T0);
        let program = ["--product", "updater", "--kind", "updater", "--build", build, "--entry-point", "updater"];
        // A publisher can be told to send out half a program; then it is for the station to notice. How small the program travels is nothing to these tests, and would be most of their time.
        let options = [&program[..], &["--allow", "truncated-program", "--effort", "fast"]].concat();
        self.own.publish_with(&folder, &options).succeeded("publish");
    }

    fn follow(&self) -> Outcome {
        let link = self.world.link_of(&self.server, "updater");
        self.own_command(&["follow", &link])
    }

    /// `updater self …`.
    fn own_command(&self, arguments: &[&str]) -> Outcome {
        let mut all = vec!["self"];
        all.extend(arguments);
        self.station.run(&all)
    }

    fn status(&self) -> Value {
        self.own_command(&["status"]).exits(0).json
    }

    /// A file of the updater's own state.
    fn kept(&self, name: &str) -> PathBuf {
        self.world.path("bin/.updater-self").join(name)
    }

    fn digest(&self) -> String {
        sha256_of(&self.program)
    }
}

/// The updater under test, without the symbols that only debuggers read: it is copied and hashed often here.
fn whole(world: &World) -> Vec<u8> {
    let stripped = world.path("stripped");
    let done = std::process::Command::new("strip").arg("-o").arg(&stripped).arg(program("updater")).status();
    assert!(done.is_ok_and(|status| status.success()), "`strip` comes with every linker");
    fs::read(&stripped).expect("read")
}

/// The updater under test with `mark` after its end.
fn marked(world: &World, mark: &str) -> Vec<u8> {
    let mut bytes = whole(world);
    bytes.extend_from_slice(mark.as_bytes());
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    let place = tempfile::NamedTempFile::new().expect("a file");
    fs::write(place.path(), bytes).expect("written");
    sha256_of(place.path())
}

/// A client with one release, installed on the station of `scene`.
fn with_client<'a>(world: &'a World, scene: &Scene<'_>) -> (Repository<'a>, Server) {
    let repository = world.repository("acme");
    publish_client(world, &repository, "1.0.0", &[]);
    let server = world.serve(&repository);
    scene.station.install(&world.link(&server));
    (repository, server)
}

fn publish_client(world: &World, repository: &Repository<'_>, version: &str, options: &[&str]) {
    let build = world.build(&format!("client-{version}"));
    build.exec("app", format!("client {version}"), T0);
    let all = [&["--build", version, "--entry-point", "app"], options].concat();
    repository.publish_with(&build, &all).succeeded("publish");
}

fn client_is(scene: &Scene<'_>, version: &str) {
    assert_eq!(fs::read_to_string(scene.station.file("app")).expect("read"), format!("client {version}"));
}

#[test]
fn f13_the_updater_updates_itself_first_and_the_new_one_does_the_work() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    let new = marked(&world, "two");
    let old_digest = scene.digest();
    scene.publish("0.2.0", &new);
    scene.follow().exits(0);
    publish_client(&world, &client, "2.0.0", &[]);

    let outcome = scene.station.update().exits(0);
    assert_eq!(outcome.text("result"), "updated", "the client, by the new updater: {}", outcome.finished.report());
    client_is(&scene, "2.0.0");
    assert_eq!(scene.digest(), sha256(&new), "the new updater is at the path");
    assert_eq!(sha256_of(&scene.kept(".updater/self/previous")), old_digest, "the one before is kept");
    assert_eq!(fs::metadata(&scene.program).expect("there").permissions().mode() & 0o777, 0o755);
    let status = scene.status();
    assert_eq!((status["build"].as_str(), status["trial"].as_bool()), (Some("0.2.0"), Some(false)), "{status}");
    // What was done once is not done again.
    let quiet = scene.station.check().exits(0);
    assert!(!quiet.finished.stderr.contains("becomes"), "{}", quiet.finished.report());
    assert_eq!(names(&scene.kept(".updater/self")), BTreeSet::from(["previous".to_owned(), "record.json".to_owned()]));
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).expect("listed").map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn f13_a_client_release_that_needs_a_newer_updater_gets_it_first() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    publish_client(&world, &client, "2.0.0", &["--requires-updater", "0.3.0"]);
    scene.station.update().exits(0);
    client_is(&scene, "1.0.0");

    scene.publish("0.3.0", &marked(&world, "three"));
    scene.follow().exits(0);
    // Asked not to look for itself, it stays too old, and says so.
    scene.own_command(&["automatic", "off"]).exits(0);
    let told = scene.station.check().exits(0);
    assert!(told.text("reason").contains("updater"), "{}", told.finished.report());
    client_is(&scene, "1.0.0");
    scene.own_command(&["automatic", "on"]).exits(0);
    scene.station.update().exits(0);
    client_is(&scene, "2.0.0");
}

#[test]
fn f13_an_updater_that_does_not_start_or_cannot_read_the_state_never_takes_the_place_of_the_old_one() {
    let world = World::new();
    let foreign_arch = {
        // The machine of an ELF file is at 18: aarch64 on x86-64, and the other way round.
        let mut bytes = marked(&world, "");
        bytes[18] = if bytes[18] == 62 { 183 } else { 62 };
        bytes
    };
    let whole = marked(&world, "");
    let programs: [(&str, Vec<u8>); 6] = [
        ("it is cut off", whole[..whole.len() / 3].to_vec()),
        ("it is for another machine", foreign_arch),
        ("it is no program", b"MZ? no.".to_vec()),
        ("it dies at its start", b"#!/bin/sh\nkill -SEGV $$\n".to_vec()),
        ("it says nothing", b"#!/bin/sh\nexit 0\n".to_vec()),
        (
            "it cannot read the state",
            br#"#!/bin/sh
echo '{"build":"9","format":0,"unreadable":[{"document":"'"$2"': station.json","reason":"never heard of it"}]}'
"#
            .to_vec(),
        ),
    ];
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    scene.publish("0.2.0", &marked(&world, "two"));
    scene.follow().exits(0);
    scene.own_command(&["update"]).exits(0);
    let good = scene.digest();
    for (n, (what, content)) in (3..).zip(&programs) {
        scene.publish(&format!("0.{n}.0"), content);
        publish_client(&world, &client, &format!("{n}.0.0"), &[]);
        let outcome = scene.station.update().exits(0);
        assert!(outcome.finished.stderr.contains("does not live"), "{what}: {}", outcome.finished.report());
        assert_eq!(scene.digest(), good, "{what}: the old one stays");
        client_is(&scene, &format!("{n}.0.0"));
        // It is not tried again.
        let again = scene.own_command(&["update"]).exits(0);
        assert_eq!(again.text("result"), "nothing-to-do", "{what}");
        assert_eq!(scene.status()["build"], "0.2.0", "{what}");
    }
    // A higher release ends it.
    let better = marked(&world, "better");
    scene.publish("1.0.0", &better);
    scene.own_command(&["update"]).exits(0);
    assert_eq!((scene.digest(), scene.status()["build"].as_str()), (sha256(&better), Some("1.0.0")));
}

#[test]
fn f13_an_updater_that_ends_whoever_asks_it_ends_two_and_is_blocked() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    let old = scene.digest();
    scene.publish("0.3.0", b"#!/bin/sh\nkill -9 $PPID\n");
    scene.follow().exits(0);
    publish_client(&world, &client, "2.0.0", &[]);
    for _ in 0..2 {
        let ended = run(&mut scene.station.command(&["update", "--yes"]), LIMIT);
        assert_eq!(ended.status.signal(), Some(9), "{}", ended.report());
    }
    scene.station.update().exits(0);
    client_is(&scene, "2.0.0");
    assert_eq!(scene.digest(), old, "the old one stays");
    scene.station.update().exits(0);
    let newer = marked(&world, "newer");
    scene.publish("0.4.0", &newer);
    scene.station.update().exits(0);
    assert_eq!(scene.digest(), sha256(&newer), "a newer one that lives comes");
}

#[test]
fn f13_an_updater_that_dies_at_its_first_work_is_put_back_and_the_work_is_done_all_the_same() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    let old = scene.digest();
    scene.publish("0.2.0", DIES_AT_WORK.as_bytes());
    scene.follow().exits(0);
    publish_client(&world, &client, "2.0.0", &[]);
    let outcome = scene.station.update().exits(0);
    assert!(outcome.finished.stderr.contains("the old one is back"), "{}", outcome.finished.report());
    client_is(&scene, "2.0.0");
    assert_eq!(scene.digest(), old);
    let status = scene.status();
    assert_eq!((status["blocked"].as_array().map(Vec::len), status["trial"].as_bool()), (Some(1), Some(false)), "{status}");
    // Asked for by itself it is not tried again.
    assert_eq!(scene.own_command(&["update"]).exits(0).text("result"), "nothing-to-do");
    assert_eq!(scene.digest(), old);
    let history = fs::read_to_string(scene.kept(".updater/history.jsonl")).expect("a history");
    assert!(history.contains("updater-failed") && history.contains("before it said that it lives"), "{history}");
}

#[test]
fn f13_updaters_that_fail_push_no_updater_that_lives_out_of_the_backups() {
    let world = World::new();
    let scene = Scene::new(&world);
    let good: Vec<(String, Vec<u8>)> = (2..=5).map(|n| (format!("0.{n}.0"), marked(&world, &format!("good {n}")))).collect();
    scene.publish(&good[0].0, &good[0].1);
    scene.follow().exits(0);
    for (index, (build, program)) in good.iter().enumerate() {
        if index > 0 {
            scene.publish(build, program);
        }
        scene.own_command(&["update"]).exits(0);
    }
    let kept = || -> Vec<String> { (1..=3).map(|slot| sha256_of(&scene.kept(&format!("bkp_remote.00{slot}/updater")))).collect() };
    let digests: Vec<String> = good.iter().map(|(_, program)| sha256(program)).collect();
    assert_eq!(kept(), digests[..3], "the three before the one that runs");

    // One dies where it is asked whether it lives, the next two at their first work; the fourth as the first.
    for (build, script) in
        [("0.6.0", "#!/bin/sh\nexit 1\n"), ("0.7.0", DIES_AT_WORK), ("0.8.0", DIES_AT_WORK), ("0.9.0", "#!/bin/sh\nexit 2\n")]
    {
        scene.publish(build, format!("{script}# {build}\n").as_bytes());
        let failed = scene.own_command(&["update"]);
        assert_eq!(failed.json["error"]["code"], "updater-failed", "{build}: {}", failed.finished.report());
        assert_eq!(scene.digest(), digests[3], "{build}: the one that lives is at the path");
        assert_eq!(kept(), digests[1..], "{build}: three that live are kept");
    }
    assert_eq!(scene.status()["backups"], 3);

    // Any of them can be gone back to, and a good one is taken again.
    scene.own_command(&["rollback", "--to", "001"]).exits(0);
    assert_eq!(scene.digest(), digests[1]);
    let next = marked(&world, "good ten");
    scene.publish("0.10.0", &next);
    scene.own_command(&["update"]).exits(0);
    assert_eq!(scene.digest(), sha256(&next));
}

#[test]
fn f13_going_back_needs_no_network_and_the_release_that_was_left_is_held() {
    let world = World::new();
    let scene = Scene::new(&world);
    let by_hand = scene.digest();
    let (two, three) = (marked(&world, "two"), marked(&world, "three"));
    scene.publish("0.2.0", &two);
    scene.follow().exits(0);
    scene.own_command(&["rollback"]).exits(5);
    scene.own_command(&["update"]).exits(0);

    // To what was there before anything was followed.
    scene.own_command(&["rollback"]).exits(0);
    assert_eq!(scene.digest(), by_hand);
    assert_eq!(scene.own_command(&["update"]).exits(0).text("result"), "nothing-to-do", "what was left is held");
    assert_eq!(scene.digest(), by_hand);

    scene.publish("0.3.0", &three);
    scene.own_command(&["update"]).exits(0);
    assert_eq!(scene.digest(), sha256(&three));
    // To the release before, from its backup, without a server.
    let Scene { server, .. } = &scene;
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(server.id().cast_signed()).expect("a process"),
        rustix::process::Signal::KILL,
    )
    .expect("ended");
    let back = scene.own_command(&["rollback"]).exits(0);
    assert_eq!(back.text("result"), "rolled-back", "{}", back.finished.report());
    assert_eq!((scene.digest(), scene.status()["build"].as_str()), (sha256(&two), Some("0.2.0")));
}

#[test]
fn f13_what_leads_to_no_updater_is_refused_and_a_replayed_older_release_too() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (_client, server) = with_client(&world, &scene);
    let refused = scene.own_command(&["follow", &world.link(&server)]).exits(4);
    assert_eq!(refused.json["error"]["code"], "no-updater", "{}", refused.finished.report());
    scene.own_command(&["status"]).exits(5);

    scene.publish("0.2.0", &marked(&world, "two"));
    let older = world.path("older");
    system_tests::world::copy_tree(&scene.own.dir, &older);
    scene.publish("0.3.0", &marked(&world, "three"));
    scene.follow().exits(0);
    scene.own_command(&["update"]).exits(0);
    let newest = scene.digest();
    // Metadata that was true once, carried here: signed, and older than what is known.
    let replayed = scene.own_command(&["update", "--from", older.to_str().expect("text")]).exits(4);
    assert_eq!(replayed.json["error"]["code"], "untrusted", "{}", replayed.finished.report());
    assert_eq!(scene.digest(), newest);
}

#[test]
fn f13_bytes_that_are_not_signed_are_never_started_or_installed() {
    let world = World::new();
    let scene = Scene::new(&world);
    scene.publish("0.2.0", &marked(&world, "two"));
    scene.follow().exits(0);
    scene.own_command(&["update"]).exits(0);
    let good = scene.digest();
    scene.publish("0.3.0", &marked(&world, "three"));
    // Cut off right before the new program would be made ready; then somebody changes the file that was verified.
    let cut = run(&mut scene.station.with_env("STATIONMASTER_FAIL_POINT", "self.next=kill").command(&["self", "update"]), LIMIT);
    assert_eq!(cut.status.signal(), Some(9), "{}", cut.report());
    let installed = scene.kept("updater");
    let started = world.path("started");
    fs::write(&installed, format!("#!/bin/sh\ntouch {}\nexec {} \"$@\"\n", started.display(), scene.program.display())).expect("written");
    let refused = scene.own_command(&["update"]);
    assert!(!started.exists(), "what was not signed for was started: {}", refused.finished.report());
    // It is found, put right from the source and installed.
    assert_eq!(scene.digest(), sha256(&marked(&world, "three")), "{good} {}", refused.finished.report());
}

/// A station whose updater has 0.2.0 installed beside it and is about to make it ready, and copies of that.
struct AboutTo<'a> {
    scene: Scene<'a>,
    template: PathBuf,
    old: String,
    new: String,
}

impl<'a> AboutTo<'a> {
    fn become_(world: &'a World, content: &[u8]) -> AboutTo<'a> {
        let scene = Scene::new(world);
        scene.publish("0.2.0", content);
        scene.follow().exits(0);
        let old = scene.digest();
        let cut = scene.station.with_env("STATIONMASTER_FAIL_POINT", "self.next=kill");
        assert_eq!(run(&mut cut.command(&["self", "update"]), LIMIT).status.signal(), Some(9));
        let template = world.path("template");
        system_tests::world::copy_tree(&world.path("bin"), &template);
        AboutTo { scene, template, old, new: sha256(content) }
    }

    /// Everything as it was.
    fn again(&self) {
        let bin = self.scene.world.path("bin");
        fs::remove_dir_all(&bin).expect("removed");
        system_tests::world::copy_tree(&self.template, &bin);
    }

    /// Runs `self update` so that it may die, through `station`; whether it did.
    fn dies(&self, station: &Station) -> bool {
        run(&mut station.command(&["self", "update"]), LIMIT).status.signal() == Some(9)
    }

    /// The station's updater on a disk that fsyncs no file system as a whole, and that loses what was not fsynced at `place`.
    fn losing(&self, place: &str) -> Station {
        let graveyard = self.scene.world.path("graveyard");
        let _ = fs::remove_dir_all(&graveyard);
        fs::create_dir(&graveyard).expect("made");
        let station = self.scene.station.with_env("STATIONMASTER_FAULT_GRAVEYARD", graveyard.to_str().expect("text"));
        station.with_env("STATIONMASTER_FAULT_NO_SYNCFS", "1").with_env("STATIONMASTER_FAIL_POINT", place)
    }

    /// After a kill: a program that works is at the path, and the next run ends at the new one with nothing left over.
    fn check(&self, what: &str) {
        let found = self.scene.digest();
        assert!(found == self.old || found == self.new, "{what}: neither the old nor the new updater is at the path");
        self.scene.station.run(&["self-check"]).exits(0);
        let next = self.scene.own_command(&["update"]).exits(0);
        assert_eq!(self.scene.digest(), self.new, "{what}: {}", next.finished.report());
        assert_eq!(sha256_of(&self.scene.kept(".updater/self/previous")), self.old, "{what}: the one before is kept");
        let record = fs::read_to_string(self.scene.kept(".updater/self/record.json")).expect("a record");
        assert!(record.contains(r#""build":"0.2.0""#) && !record.contains("trial"), "{what}: {record}");
        assert_eq!(names(&self.scene.kept(".updater/self")), BTreeSet::from(["previous".to_owned(), "record.json".to_owned()]), "{what}");
    }

    /// After a cut while a new updater that dies at work was put back: the old one is at the path, and the release blocked.
    fn check_put_back(&self, what: &str) {
        if self.scene.digest() == self.new {
            // It passed its self-check, dies at work, and the one that watched it was killed before it could put back: the one case that needs a hand.
            fs::rename(self.scene.kept(".updater/self/previous"), &self.scene.program).expect("moved");
        }
        // Cut off before the trial was written down, it is tried again, and fails again.
        let first = self.scene.own_command(&["update"]);
        assert!([0, 4].contains(&first.code), "{what}: {}", first.finished.report());
        let next = self.scene.own_command(&["update"]).exits(0);
        assert_eq!(next.text("result"), "nothing-to-do", "{what}: {}", next.finished.report());
        let status = self.scene.status();
        assert_eq!((self.scene.digest(), status["blocked"].as_array().map(Vec::len)), (self.old.clone(), Some(1)), "{what}: {status}");
    }
}

/// What a power cut takes back; see `updater/src/fs/fault.rs`.
const LOSSES: [&str; 3] = ["lose-content", "lose-latest", "lose-unsynced"];

/// The points that the updater passes while it replaces itself.
const POINTS: [&str; 5] = ["self.record", "self.next", "self.previous", "self.swap", "self.sync"];

/// Dies at those passages of both moments of each of [`POINTS`] that `passages` chooses of so many, by each of `actions` through the station that `armed` makes, and checks.
fn cut_at_every_point<'a>(
    start: &AboutTo<'a>,
    actions: &[&str],
    passages: impl Fn(usize) -> BTreeSet<usize>,
    armed: impl Fn(&AboutTo<'a>, &str) -> Station,
) {
    let mut cuts = 0;
    for (point, moment) in POINTS.into_iter().flat_map(|point| ["", "+after"].map(|moment| (point, moment))) {
        let place = |passage: usize, action: &str| format!("{point}{moment}:{passage}={action}");
        let dies = |passage: usize, action: &str| {
            start.again();
            start.dies(&armed(start, &place(passage, action)))
        };
        let last = last(|passage| dies(passage, actions[0]));
        assert!(last > 0, "`{point}` is never passed");
        for passage in passages(last).into_iter().filter(|passage| (1..=last).contains(passage)) {
            for action in actions {
                assert!(dies(passage, action), "{}", place(passage, action));
                start.check(&place(passage, action));
                cuts += 1;
            }
        }
    }
    assert!(cuts >= 10 * actions.len(), "{cuts} cuts");
}

#[test]
fn f13_a_kill_at_any_change_while_the_updater_is_replaced_leaves_a_working_one() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, &marked(&world, "two"));
    // A large file is written in many pieces, each a passage: the first two, one in the middle and the last two stand for all.
    let some = |last: usize| BTreeSet::from([1, 2, last.div_ceil(2), last.saturating_sub(1), last]);
    cut_at_every_point(&start, &["kill"], some, |start, place| start.scene.station.with_env("STATIONMASTER_FAIL_POINT", place));
}

#[test]
fn f13_a_power_cut_at_any_change_while_the_updater_is_replaced_leaves_a_working_one() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, &marked(&world, "two"));
    cut_at_every_point(&start, &["lose-content", "lose-unsynced"], |last| BTreeSet::from([1, last]), AboutTo::losing);
}

/// The highest number for which `holds`, which holds for all below it and for none above.
fn last(holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, 1);
    while holds(high) {
        (low, high) = (high, 2 * high);
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[test]
fn f13_an_updater_that_is_killed_before_it_confirms_is_put_back_and_after_that_it_stays() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, &marked(&world, "two"));
    // The new updater passes this point, and only it.
    let station = start.scene.station.with_env("STATIONMASTER_FAIL_POINT", "self.confirm=kill");
    let refused = station.run(&["self", "update"]).exits(4);
    assert_eq!(refused.json["error"]["code"], "updater-failed", "{}", refused.finished.report());
    assert_eq!((start.scene.digest(), start.scene.status()["trial"].as_bool()), (start.old.clone(), Some(false)));
    assert_eq!(start.scene.own_command(&["update"]).exits(0).text("result"), "nothing-to-do");

    // Once it can be read that it lives, it stays, whatever becomes of its work.
    let mut stayed = 0;
    for passage in 1.. {
        start.again();
        let place = format!("self.confirm+after:{passage}=kill");
        let outcome = start.scene.station.with_env("STATIONMASTER_FAIL_POINT", &place).run(&["self", "update"]);
        match outcome.code {
            0 => break,
            4 => assert_eq!((start.scene.digest(), stayed), (start.old.clone(), 0), "{place}"),
            1 => {
                assert_eq!(start.scene.digest(), start.new, "{place}");
                stayed += 1;
            }
            other => panic!("{place}: exit code {other}\n{}", outcome.finished.report()),
        }
    }
    assert!(stayed > 0, "it never stayed");
}

#[test]
fn f13_a_kill_while_the_old_updater_is_put_back_is_finished_by_it() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, DIES_AT_WORK.as_bytes());
    // The record is written when the trial begins, when it turns back, and when it is over.
    let records = (1..).map(|passage| format!("self.record+after:{passage}=kill"));
    let places = ["self.back=kill", "self.back+after=kill"].map(str::to_owned).into_iter().chain(records);
    let mut cuts = 0;
    for place in places {
        start.again();
        if !start.dies(&start.scene.station.with_env("STATIONMASTER_FAIL_POINT", &place)) {
            break;
        }
        cuts += 1;
        start.check_put_back(&place);
    }
    assert!(cuts >= 8, "{cuts} cuts");
}

#[test]
fn f13_a_power_cut_while_the_old_updater_is_put_back_is_finished_by_it() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, DIES_AT_WORK.as_bytes());
    for place in ["self.back", "self.back+after"].iter().flat_map(|place| LOSSES.map(|loss| format!("{place}={loss}"))) {
        start.again();
        assert!(start.dies(&start.losing(&place)), "{place}");
        start.check_put_back(&place);
    }
}

/// Calls that change files; `?` lets an architecture lack one.
const CALLS: &str = "?write,?pwrite64,?copy_file_range,?sendfile,?ftruncate,?fallocate,?fsync,?fdatasync,?syncfs,?ioctl,?openat,\
    ?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?chmod,?fchmod,?fchmodat,?utimensat";
/// Most calls of one name that are died at; the crate writes a file in thousands of pieces.
const MOST_OF_A_NAME: usize = 3;

#[test]
fn f13_a_kill_at_the_system_calls_of_the_replacement_leaves_a_working_updater() {
    let world = World::in_memory();
    let start = AboutTo::become_(&world, &marked(&world, "two"));
    start.again();
    let log = world.path("calls");
    let traced = ["strace", "-o", log.to_str().expect("text"), "-y", "-e"].map(str::to_owned);
    let traced = [&traced[..], &[format!("trace={CALLS}")]].concat();
    let traced: Vec<&str> = traced.iter().map(String::as_str).collect();
    start.scene.station.through(&traced).run(&["self", "update"]).exits(0);

    // The Nth call of each name that names something in the updater's folder or what is kept about it.
    let bin = world.path("bin");
    let bin = bin.to_str().expect("text");
    let mut places: std::collections::BTreeMap<String, (usize, Vec<usize>)> = std::collections::BTreeMap::new();
    for line in fs::read_to_string(&log).expect("a log").lines() {
        let Some((name, arguments)) = line.split_once('(') else { continue };
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            continue;
        }
        let (count, ours) = places.entry(name.to_owned()).or_default();
        *count += 1;
        if arguments.contains(bin) && (name != "openat" || arguments.contains("O_CREAT")) {
            ours.push(*count);
        }
    }
    let mut kills = 0;
    for (name, (_, ours)) in places {
        let step = ours.len().div_ceil(MOST_OF_A_NAME).max(1);
        for nth in ours.iter().copied().step_by(step).chain(ours.last().copied()).collect::<BTreeSet<_>>() {
            start.again();
            let inject = format!("inject={name}:signal=KILL:when={nth}");
            let station = start.scene.station.through(&["strace", "-o", "/dev/null", "-e", &inject]);
            if start.dies(&station) {
                start.check(&format!("{name} {nth}"));
                kills += 1;
            }
        }
    }
    assert!(kills >= 15, "{kills} kills");
}

#[test]
fn s3_15_where_the_updater_may_not_be_replaced_nothing_changes_and_the_client_is_updated() {
    let world = World::new();
    let scene = Scene::new(&world);
    let (client, _server) = with_client(&world, &scene);
    scene.publish("0.2.0", &marked(&world, "two"));
    scene.follow().exits(0);
    publish_client(&world, &client, "2.0.0", &[]);
    let old = scene.digest();
    let bin = world.path("bin");
    // The mode does not stop root, under which the tests run.
    let bin = Immutable::new(bin);
    let outcome = scene.station.update();
    let own = scene.own_command(&["update"]);
    drop(bin);
    let outcome = outcome.exits(0);
    assert!(outcome.finished.stderr.contains("cannot be replaced"), "{}", outcome.finished.report());
    client_is(&scene, "2.0.0");
    assert_eq!(own.exits(5).json["error"]["code"], "no-write-right");
    assert_eq!(scene.digest(), old);
}
