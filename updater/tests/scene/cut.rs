//! Cuts: a child process does something to a scene and dies at a named point; then everything is as before or as after, and goes on.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    unreachable_pub,
    reason = "each test binary uses a part of this, and a test may panic, write and print"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use manifests::channel::{Place, Probe};
use manifests::digest::Digest;
use manifests::time::UtcTime;
use updater::attempts::Attempts;
use updater::backup;
use updater::fs::fault::{self, Loss};
use updater::fs::filling::{Part, Staging};
use updater::fs::{Folder, LocalPath, Point};
use updater::history;
use updater::interference::{Interference, Round};
use updater::lock::Lock;
use updater::pristine;
use updater::progress::Silent;
use updater::proof::Proofs;
use updater::ratchet::Ratchet;
use updater::schedule::Schedule;
use updater::settings::Settings;
use updater::shortcut::Shortcuts;
use updater::station::Station;
use updater::station_key;
use updater::swap::{self, Recovery, SwapError};
use updater::told::{Told, Warned};
use updater::trigger::Trigger;
use updater::waiting::{Ticket, Waiting};

use crate::scene::{self, Scene, Walk, expected, numbered};

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    Update,
    Rollback,
    Recover,
    /// Small files that stand for themselves.
    State,
    Adopt,
}

impl Act {
    const ALL: [Act; 5] = [Act::Update, Act::Rollback, Act::Recover, Act::State, Act::Adopt];

    pub fn run(self, path: &Path) -> Result<(), SwapError> {
        let folder = scene::open(path);
        match self {
            Act::Update => scene::swap_to_build(path, 5, &numbered(5)).map(drop),
            Act::Rollback => {
                let prepared = match scene::prepare_rollback(path, 1) {
                    Ok(prepared) => prepared,
                    Err(updater::rollback::RollbackError::Fs(error)) => return Err(error.into()),
                    Err(other) => panic!("{other}"),
                };
                prepared.ratchet.save(&folder).map_err(|error| match error {
                    updater::ratchet::RatchetError::Fs(error) => error,
                    other => panic!("{other}"),
                })?;
                swap::swap(&folder, prepared.swap, &Silent).map(drop)
            }
            Act::Recover => {
                let _lock = Lock::acquire(&folder, "recover").map_err(|error| SwapError::Impossible(error.to_string()))?;
                swap::recover(&folder).map(drop).map_err(|error| SwapError::Impossible(error.to_string()))
            }
            Act::State => write_state(&folder),
            Act::Adopt => backup::adopt(&folder, "3".parse().unwrap(), UtcTime::from_unix(1)).map(drop).map_err(SwapError::from),
        }
    }
}

pub fn ratchet(number: u64) -> Ratchet {
    Ratchet { highest: Some(Place(1, number)), ..Ratchet::default() }
}

pub fn schedule(number: i64) -> Schedule {
    Schedule { task: None, last: Some(UtcTime::from_unix(number)), failed: 0 }
}

/// Where shortcuts were made.
pub fn shortcuts(number: u64) -> Shortcuts {
    Shortcuts::default().with(Path::new(&format!("/desktop/{number}.desktop")), format!("{number:08}"))
}

pub fn station(channel: &str) -> Station {
    let text = r#"{"format":0,"type":"station","product":"p","os":"linux","arch":"any","channel":"CHANNEL","repository":"http://h/r/","name":"acme"}"#;
    Station::parse(text.replace("CHANNEL", channel).as_bytes()).unwrap()
}

/// What is known of proofs, one state after the other: release 4 lives, release 5 is about to come, release 5 lives.
pub fn proofs() -> [Proofs; 3] {
    let (four, five) = (Digest::of(b"four"), Digest::of(b"five"));
    let mut known = Proofs::default();
    known.expect(four, Place(1, 4), None, None);
    known.prove(&four);
    let before = known.clone();
    known.expect(five, Place(1, 5), Some(Probe::Alive { seconds: 60 }), Some(four));
    let expected = known.clone();
    known.prove(&five);
    [before, expected, known]
}

/// The first failure of a release, and the second.
pub fn failures() -> [Attempts; 2] {
    let after = |known| Attempts::after(known, Digest::of(b"five"), Place(1, 5), "not-staged", UtcTime::from_unix(scene::MTIME));
    let first = after(None);
    [first.clone(), after(Some(first))]
}

/// What waits: the stored manifest of a release, as `pipeline/deferral.rs` keeps it.
pub fn waiting(number: u64) -> Vec<u8> {
    scene::manifest(number, &numbered(number))
}

/// Where.
pub fn deferred() -> LocalPath {
    LocalPath::state("deferred")
}

/// The stretch of a pack that is fetched.
pub fn part(folder: &Path) -> Part {
    let folder = std::sync::Arc::new(scene::open(folder));
    Staging::new(folder).part(&Digest::of(b"pack"), &(0..100)).unwrap()
}

/// What [`Act::State`] replaces, as it is before.
pub fn write_former_state(folder: &Folder) {
    ratchet(4).save(folder).unwrap();
    station("stable").save(folder).unwrap();
    Settings::change(folder, "consent", Some("manual")).unwrap();
    schedule(4).save(folder).unwrap();
    shortcuts(4).save(folder).unwrap();
    folder.write_durably(&LocalPath::state("trust/content/root.json"), b"old root", Point::TrustFile).unwrap();
    folder.write_durably(&deferred(), &waiting(4), Point::DeferredFile).unwrap();
    proofs()[0].save(folder).unwrap();
    failures()[0].save(folder).unwrap();
    told(4).save(folder).unwrap();
    pristine::keep(folder, &Digest::of(CONFIG[0]), CONFIG[0]).unwrap();
    interference()[0].save(folder).unwrap();
}

/// What others did: as it is before, and after one more time.
pub fn interference() -> [Interference; 2] {
    let round =
        || Round { time: UtcTime::from_unix(scene::MTIME), files: 1, names: vec!["run.sh".into()], backups: vec![], programs: vec![] };
    let once = Interference::default().after(round());
    [once.clone(), once.after(round())]
}

/// A release that somebody ignores, and was warned of.
pub fn told(number: u64) -> Told {
    Told { ignored: vec![Place(1, number)], warned: Some(Warned { at: Place(1, number), minutes: 15 }) }
}

/// A release's own config file, and that of the next.
pub const CONFIG: [&[u8]; 2] = [b"[a]\nx=1\n", b"[a]\nx=2\n"];

fn write_state(folder: &Folder) -> Result<(), SwapError> {
    let _lock = Lock::acquire(folder, "state").map_err(|error| SwapError::Impossible(error.to_string()))?;
    ratchet(9).save(folder).map_err(|error| SwapError::Impossible(error.to_string()))?;
    station("beta").save(folder).map_err(|error| SwapError::Impossible(error.to_string()))?;
    Settings::change(folder, "consent", Some("prompt")).map_err(|error| SwapError::Impossible(error.to_string()))?;
    schedule(9).save(folder)?;
    shortcuts(9).save(folder)?;
    folder.write_durably(&LocalPath::state("trust/content/root.json"), b"new root", Point::TrustFile)?;
    for known in &proofs()[1..] {
        known.save(folder)?;
    }
    folder.write_durably(&deferred(), &waiting(5), Point::DeferredFile)?;
    folder.discard(&deferred(), Point::DeferredFile)?;
    let asked = Arc::new(scene::open(folder.path()));
    let _tickets = [Trigger::Push, Trigger::Wake].map(|trigger| Ticket::leave(&asked, trigger));
    Waiting::note(folder).answered(folder);
    failures()[1].save(folder)?;
    Attempts::forget(folder)?;
    told(5).save(folder)?;
    Told::default().save(folder)?;
    pristine::keep(folder, &Digest::of(CONFIG[1]), CONFIG[1])?;
    folder.discard(&LocalPath::state("config").join(Digest::of(CONFIG[0]).to_hex()), Point::ConfigFile)?;
    folder.empty_trash()?;
    interference()[1].save(folder)?;
    Interference::forget(folder)?;
    station_key::load_or_make(folder).map_err(|error| SwapError::Impossible(error.to_string()))?;
    Ok(part(folder.path()).append(&[7; 50])?)
}

/// A point that fails every time from now on, as it does while its cause lasts.
pub fn lasting(point: &str, kind: &str) -> String {
    (1..=64).map(|passage| format!("{point}:{passage}={kind}")).collect::<Vec<_>>().join(",")
}

/// A file system that loses more than others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk {
    /// It cannot be fsynced as a whole.
    pub no_syncfs: bool,
    /// The point whose fsyncs are worth nothing.
    pub forgets: Option<&'static str>,
}

/// What the tests start in a process of its own.
#[test]
#[ignore = "started by the tests that cut it off, in a process of its own"]
fn child() {
    let path = std::env::var("SCENE_FOLDER").unwrap();
    let act = std::env::var("SCENE_ACT").unwrap();
    let act = Act::ALL.into_iter().find(|known| format!("{known:?}") == act).unwrap();
    let counted = std::env::var("SCENE_COUNTED").unwrap_or_default();
    fault::arm(&counted);
    let outcome = act.run(Path::new(&path));
    for (place, passages) in counted.split(',').zip(fault::passages()) {
        println!("passed {place} {passages}");
    }
    let loss =
        [Loss::Content, Loss::Latest, Loss::Unsynced].into_iter().find(|loss| std::env::var("SCENE_LOSS") == Ok(format!("{loss:?}")));
    if let (Ok(()), Some(loss)) = (outcome, loss) {
        fault::lose(loss);
    }
}

fn command(scene: &Scene, act: Act, disk: Disk) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "cut::child", "--ignored"]).env("SCENE_FOLDER", scene.path()).env("SCENE_ACT", format!("{act:?}"));
    if disk.no_syncfs {
        command.env("STATIONMASTER_FAULT_NO_SYNCFS", "1");
    }
    if let Some(point) = disk.forgets {
        command.env("STATIONMASTER_FAULT_FORGET_SYNC", point);
    }
    command
}

fn with_graveyard<'c>(command: &'c mut Command, scene: &Scene) -> &'c mut Command {
    let graveyard = scene.place.path().join("graveyard");
    fs::create_dir_all(&graveyard).unwrap();
    command.env("STATIONMASTER_FAULT_GRAVEYARD", graveyard)
}

fn was_killed(command: &mut Command) -> bool {
    let child = command.output().unwrap();
    match child.status.signal() {
        Some(9) => true,
        _ if child.status.success() => false,
        _ => panic!("{command:?} failed: {}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr)),
    }
}

/// Lets a child do `act` with `fail_point` armed; whether it was killed.
pub fn dies(scene: &Scene, act: Act, fail_point: &str) -> bool {
    dies_on(Disk::default(), scene, act, fail_point)
}

/// The same on `disk`.
pub fn dies_on(disk: Disk, scene: &Scene, act: Act, fail_point: &str) -> bool {
    let mut command = command(scene, act, disk);
    if fail_point.contains("=lose-") {
        with_graveyard(&mut command, scene);
    }
    was_killed(command.env("STATIONMASTER_FAIL_POINT", fail_point))
}

/// Lets a child do `act` to its end with `also` armed; how often it passes each of `places`, in their order.
pub fn passages(disk: Disk, scene: &Scene, act: Act, also: &str, places: &[String]) -> Vec<u64> {
    let counted: Vec<String> = places.iter().map(|place| format!("{place}:{}=kill", u64::MAX)).collect();
    let mut command = command(scene, act, disk);
    let run = command.arg("--nocapture").env("STATIONMASTER_FAIL_POINT", also).env("SCENE_COUNTED", counted.join(",")).output().unwrap();
    let output = String::from_utf8(run.stdout).unwrap();
    let passed: Vec<u64> =
        output.lines().filter_map(|line| line.split_once("passed ")?.1.rsplit_once(' ')?.1.parse().ok()).take(places.len()).collect();
    assert_eq!(passed.len(), places.len(), "{output}");
    passed
}

/// Lets a child do `act` to its end, and then the power goes on `disk`.
pub fn loses_power_after(disk: Disk, scene: &Scene, act: Act, loss: Loss) {
    let mut command = command(scene, act, disk);
    assert!(was_killed(with_graveyard(&mut command, scene).env("SCENE_LOSS", format!("{loss:?}"))), "{act:?} fails");
}

/// Where the live trees, or the backups of the same age, differ: a line per path with what was found and what was wanted.
fn differences(found: &Whole, wanted: &Whole) -> Vec<String> {
    let trees = |whole: &Whole| -> Vec<Walk> { std::iter::once(&whole.0).chain(&whole.1).cloned().collect() };
    let (found, wanted) = (trees(found), trees(wanted));
    let mut differences = vec![format!("{} trees for {}", found.len(), wanted.len())];
    for (nth, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        let paths: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
        let differing = paths.into_iter().filter(|path| found.get(*path) != wanted.get(*path));
        differences.extend(differing.map(|path| format!("{nth}: {path}: {:?} for {:?}", found.get(path), wanted.get(path))));
    }
    differences.truncate(6);
    differences
}

/// An install at build 4 with three backups, and what it may become.
pub struct Start {
    pub scene: Scene,
    extras: Walk,
}

/// What lies in these folders of the state.
pub fn names_in(scene: &Scene, folders: &[&str]) -> BTreeSet<String> {
    folders.iter().flat_map(|folder| names(&scene.state().join(folder))).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The live tree and the backups.
pub type Whole = (Walk, Vec<Walk>);

impl Start {
    pub fn new() -> Start {
        Start::from(Scene::with_extras())
    }

    /// The same with its state outside the install folder, as the profile `service` has it.
    pub fn with_state_apart() -> Start {
        Start::from(Scene::with_extras().with_state_apart())
    }

    fn from(scene: Scene) -> Start {
        let extras = scene.walk();
        Start { scene: scene.after_builds(4), extras }
    }

    pub fn build(&self, number: u64) -> Walk {
        expected(&numbered(number), &self.extras)
    }

    fn whole(&self, live: u64, backups: &[u64]) -> Whole {
        (self.build(live), backups.iter().map(|number| self.build(*number)).collect())
    }

    pub fn old(&self) -> Whole {
        self.whole(4, &[1, 2, 3])
    }

    pub fn new_after(&self, act: Act) -> Whole {
        match act {
            Act::Update => self.whole(5, &[2, 3, 4]),
            Act::Rollback => self.whole(1, &[2, 3, 4]),
            Act::Recover | Act::State | Act::Adopt => self.old(),
        }
    }

    /// Recovers `scene` and checks that it is as before or as after `act`, with nothing left over, and that the next update works. Says whether it is as after.
    pub fn check(&self, scene: &Scene, act: Act, at: &str) -> bool {
        let recovery = swap::recover(&scene.folder()).unwrap_or_else(|error| panic!("{act:?} at {at}: {error}"));
        let found = (scene.walk(), scene.walk_backups());
        let is_new = found == self.new_after(act);
        assert!(
            is_new || found == self.old(),
            "{act:?} at {at} is neither old nor new: {recovery:?}\nagainst the old: {:#?}\nagainst the new: {:#?}",
            differences(&found, &self.old()),
            differences(&found, &self.new_after(act))
        );
        assert_eq!(swap::recover(&scene.folder()).unwrap(), Recovery::Nothing, "{act:?} at {at}: once is enough");
        self.check_state(scene, act, is_new, at);
        self.check_next_update(scene, at);
        is_new
    }

    fn check_state(&self, scene: &Scene, act: Act, is_new: bool, at: &str) {
        let names = names(&scene.state());
        for gone in ["journal", "backup", "installed.next", "manifest.next", "found"] {
            assert!(!names.contains(gone), "{act:?} at {at} leaves {gone}");
        }
        let left = names_in(scene, &["trash"]);
        assert!(left.is_empty(), "{act:?} at {at} leaves {left:?}");
        let is_apart = scene.state() != scene.path().join(".updater");
        assert!(!is_apart || !scene.path().join(".updater").exists(), "{act:?} at {at}: the state is elsewhere");
        let installed = scene.installed().unwrap();
        let number = match act {
            Act::Update if is_new => 5,
            Act::Rollback if is_new => 1,
            _ => 4,
        };
        assert_eq!(installed, scene::installed_of(number, &numbered(number)), "{act:?} at {at}");
        let ids: Vec<_> = history::read(&scene.folder()).unwrap().iter().map(|attempt| attempt.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{act:?} at {at} has a line twice");
        let changes = matches!(act, Act::Update | Act::Rollback);
        assert!(!(changes && is_new) || ids.len() == 5, "{act:?} at {at}: {ids:?}");
    }

    fn check_next_update(&self, scene: &Scene, at: &str) {
        scene.swap_to(6).unwrap_or_else(|error| panic!("the update after {at}: {error}"));
        assert_eq!(scene.walk(), self.build(6), "the update after {at}");
        let left = names_in(scene, &["staging", "parts", "trash"]);
        assert!(left.is_empty(), "the update after {at} leaves {left:?}");
        let backups = backup::backups(&scene.folder()).unwrap();
        assert_eq!(backups.len(), 3);
        for found in backups {
            let verified = backup::verify(&scene.folder(), found.slot, &Silent).unwrap();
            assert_eq!(verified.damaged, [], "{} after {at}", found.slot);
        }
    }
}
