//! The crash matrix: one test per point of `updater/src/fs/fault.rs`. The process dies right before the step and right after it, and again with what was not fsynced lost, in every
//! [`Situation`] that passes the point; afterwards the tree is the old or the new one, whole, and goes on (attack F6, AC-41).
//!
//! A cut is a SIGKILL of a child process: this binary runs itself. A kill comes at every passage of a point; the power goes at the first, the one in the middle and the last of them, in three
//! ways ([`updater::fs::fault::Loss`]), on a disk that fsyncs whole file systems and on one that does not. That such a loss finds a missing fsync is itself tested, at the end.

#![cfg(all(unix, feature = "fail-points"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/cut.rs"]
mod cut;
#[path = "scene/scene.rs"]
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

use cut::{Act, Disk, Start, dies, dies_on, lasting, loses_power_after, ratchet, station};
use manifests::digest::Digest;
use manifests::signer::Signer as _;
use manifests::time::UtcTime;
use scene::Scene;
use updater::backup;
use updater::fs::fault::{self, Loss};
use updater::fs::{LocalPath, Point};
use updater::lock::Lock;
use updater::proof::Proofs;
use updater::ratchet::Ratchet;
use updater::schedule::Schedule;
use updater::settings::{ConsentPolicy, Settings};
use updater::shortcut::Shortcuts;
use updater::station::Station;
use updater::swap;
use updater::swap::journal::Journal;

/// Where the state lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    /// In the install folder: the profile `user`.
    Inside,
    /// Outside of it: the profile `service`.
    Apart,
}

impl Home {
    const ALL: [Home; 2] = [Home::Inside, Home::Apart];

    /// `scene`, in which nothing was installed yet, with its state there.
    fn of(self, scene: Scene) -> Scene {
        if self == Home::Apart { scene.with_state_apart() } else { scene }
    }

    fn start(self) -> Start {
        if self == Home::Apart { Start::with_state_apart() } else { Start::new() }
    }

    /// What is lost when the power goes. Where the state lies changes no order of steps, so for the second home the harshest way stands for all, unless everything is asked for.
    fn losses(self) -> &'static [&'static str] {
        if self == Home::Inside || *EXHAUSTIVE { &LOSSES } else { &LOSSES[2..] }
    }
}

/// Whether the power is to go at every passage, in every way (`CUTS=all`).
static EXHAUSTIVE: LazyLock<bool> = LazyLock::new(|| std::env::var("CUTS").is_ok_and(|cuts| cuts == "all"));

/// What is under way when the cut comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Situation {
    Update,
    Rollback,
    /// An update whose last move fails, so that it is undone.
    Undo,
    /// A start that finishes an update which was cut off.
    Forward,
    /// A start that undoes one.
    Back,
    /// A start that finishes one and finds somebody's own file in the way.
    Stranger,
    /// A start that cannot finish one, and turns round.
    TurnedBack,
    /// A start that cannot undo one, and turns round.
    TurnedForward,
    /// The small files of a station are replaced.
    State,
    /// The same in an empty folder.
    FirstState,
    /// A foreign backup is taken over.
    Adopt,
}

impl Situation {
    const ALL: [Situation; 11] = [
        Situation::Update,
        Situation::Rollback,
        Situation::Undo,
        Situation::Forward,
        Situation::Back,
        Situation::Stranger,
        Situation::TurnedBack,
        Situation::TurnedForward,
        Situation::State,
        Situation::FirstState,
        Situation::Adopt,
    ];

    /// The folder as it is before.
    fn begin(self, start: &Start, home: Home) -> Scene {
        let scene = start.scene.copy();
        match self {
            Situation::Update | Situation::Rollback | Situation::Undo => {}
            Situation::Forward | Situation::TurnedBack => assert!(dies(&scene, Act::Update, "swap.put:2=kill")),
            Situation::TurnedForward => assert!(dies(&scene, Act::Update, "swap.in=error,undo.keep:2=kill")),
            Situation::Back => {
                assert!(dies(&scene, Act::Update, "swap.set=kill"));
                // What is left in staging cannot be put in place, so there is only the way back.
                for entry in fs::read_dir(scene.state().join("staging")).unwrap() {
                    fs::write(entry.unwrap().path(), "damaged").unwrap();
                }
            }
            Situation::Stranger => {
                assert!(dies(&scene, Act::Update, "swap.in=kill"));
                scene.write("run.sh", "somebody's own");
            }
            Situation::State => cut::write_former_state(&scene.folder()),
            Situation::FirstState => return home.of(Scene::empty()),
            Situation::Adopt => {
                let scene = home.of(Scene::with_extras()).after_builds(2);
                scene.write("bkp_remote.003/old.exe", "foreign");
                return scene;
            }
        }
        scene
    }

    fn act(self) -> Act {
        match self {
            Situation::Update | Situation::Undo => Act::Update,
            Situation::Rollback => Act::Rollback,
            Situation::Forward | Situation::Back | Situation::Stranger | Situation::TurnedBack | Situation::TurnedForward => Act::Recover,
            Situation::State | Situation::FirstState => Act::State,
            Situation::Adopt => Act::Adopt,
        }
    }

    /// What is armed beside the cut.
    fn also(self) -> String {
        match self {
            Situation::Undo => "swap.in=error,".to_owned(),
            Situation::TurnedBack => lasting("swap.in", "eacces") + ",",
            Situation::TurnedForward => lasting("undo.keep", "eacces") + ",",
            _ => String::new(),
        }
    }

    /// Whether everything is as before or as after, and goes on; panics when it is not. Says whether it is as after.
    fn check(self, start: &Start, scene: &Scene, at: &str) -> bool {
        match self {
            Situation::Update | Situation::Undo => start.check(scene, Act::Update, at),
            Situation::Rollback => start.check(scene, Act::Rollback, at),
            Situation::Forward => {
                assert!(start.check(scene, Act::Update, at), "{at}: what was going forward goes on forward");
                true
            }
            Situation::Back => {
                assert!(!start.check(scene, Act::Update, at), "{at}: there is only the way back");
                true
            }
            Situation::Stranger => check_stranger(start, scene, at),
            Situation::TurnedBack | Situation::TurnedForward => self.check_turned(start, scene, at),
            Situation::State => check_state(scene, at),
            Situation::FirstState => {
                swap::recover(&scene.folder()).unwrap();
                scene.swap_to(1).unwrap();
                true
            }
            Situation::Adopt => {
                swap::recover(&scene.folder()).unwrap();
                assert_eq!(fs::read_to_string(scene.path().join("bkp_remote.003/old.exe")).unwrap(), "foreign", "{at}");
                backup::adopt(&scene.folder(), "3".parse().unwrap(), UtcTime::from_unix(1)).unwrap();
                scene.swap_to(3).unwrap();
                true
            }
        }
    }

    /// While what bars its way lasts, there is only the other one; when it is gone, either may be taken.
    fn check_turned(self, start: &Start, scene: &Scene, at: &str) -> bool {
        let barred = scene.copy();
        fault::arm(&self.also());
        let recovery = swap::recover(&barred.folder());
        fault::arm("");
        recovery.unwrap_or_else(|error| panic!("{at}: {error}"));
        let is_new = start.check(&barred, Act::Update, at);
        assert_eq!(is_new, self == Situation::TurnedForward, "{at}: the way that is not barred is taken");
        start.check(scene, Act::Update, at);
        true
    }
}

fn check_stranger(start: &Start, scene: &Scene, at: &str) -> bool {
    let journal = Journal::load(&scene.folder()).unwrap().map(|journal| journal.unwrap().plan.id);
    let id = journal.unwrap_or_else(|| updater::history::read(&scene.folder()).unwrap().last().unwrap().id);
    swap::recover(&scene.folder()).unwrap();
    assert_eq!(scene.walk(), start.build(5), "{at}");
    assert_eq!(fs::read_to_string(scene.state().join(format!("found/{id}/run.sh"))).unwrap(), "somebody's own", "{at}");
    true
}

fn check_state(scene: &Scene, at: &str) -> bool {
    // F9: what a killed updater locked is free.
    drop(Lock::acquire(&scene.folder(), "next").unwrap());
    let folder = scene.folder();
    swap::recover(&folder).unwrap();
    let channel = Station::load(&folder).unwrap().unwrap();
    let root = folder.read(&LocalPath::state("trust/content/root.json")).unwrap().unwrap();
    let (known, all) = (Proofs::load(&folder).unwrap(), cut::proofs());
    let consent = Settings::load(&folder).unwrap().consent;
    let (schedule, shortcuts) = (Schedule::load(&folder).unwrap(), Shortcuts::load(&folder).unwrap());
    let is_new = [
        Ratchet::load(&folder).unwrap() == ratchet(9),
        channel == station("beta"),
        consent == ConsentPolicy::Prompt,
        schedule == cut::schedule(9),
        shortcuts == cut::shortcuts(9),
        root == b"new root",
        known == all[2],
    ];
    assert!(is_new[0] || Ratchet::load(&folder).unwrap() == ratchet(4), "{at}");
    assert!(is_new[1] || channel == station("stable"), "{at}");
    assert!(is_new[2] || consent == ConsentPolicy::Manual, "{at}");
    assert!(is_new[3] || schedule == cut::schedule(4), "{at}");
    assert!(is_new[4] || shortcuts == cut::shortcuts(4), "{at}");
    assert!(is_new[5] || root == b"old root", "{at}");
    assert!(is_new.is_sorted_by(|earlier, later| earlier >= later), "{at}: they are replaced one after the other: {is_new:?}");
    assert!(all.contains(&known), "{at}: {known:?}");
    let attempts = folder.read(&LocalPath::state("attempts.json")).unwrap();
    assert!(attempts.is_none_or(|found| cut::failures().iter().any(|failure| failure.to_bytes() == found)), "{at}");
    let told = folder.read(&LocalPath::state("told.json")).unwrap();
    assert!(told.is_none_or(|found| [4, 5].map(|number| cut::told(number).to_bytes()).contains(&found)), "{at}");
    let kept = cut::CONFIG.map(|bytes| updater::pristine::load(&folder, &Digest::of(bytes)).unwrap());
    assert!(kept.iter().zip(cut::CONFIG).all(|(kept, bytes)| kept.as_ref().is_none_or(|kept| kept == bytes)), "{at}");
    assert!(kept.iter().any(Option::is_some), "{at}: the old one goes only when the new one is there");
    let key = updater::station_key::load_or_make(&folder).unwrap().key_id();
    assert_eq!(updater::station_key::load_or_make(&folder).unwrap().key_id(), key, "{at}: whole or made anew, it lasts");
    let others = folder.read(&LocalPath::state("interference.json")).unwrap();
    assert!(others.is_none_or(|found| cut::interference().iter().any(|known| known.to_bytes() == found)), "{at}");
    let waits = folder.read(&cut::deferred()).unwrap();
    assert!(waits.is_none_or(|found| [cut::waiting(4), cut::waiting(5)].contains(&found)), "{at}");
    assert_eq!(cut::names_in(scene, &["trash", "staging"]), BTreeSet::new(), "{at}");
    // The fetch goes on with what is there of the part, and nothing of it stays.
    let part = cut::part(&scene.path());
    assert!(part.length() <= 50, "{at}: {}", part.length());
    part.discard().unwrap();
    folder.empty_trash().unwrap();
    assert_eq!(cut::names_in(scene, &["trash", "parts"]), BTreeSet::new(), "{at}");
    is_new == [true; 7]
}

const MOMENTS: [&str; 2] = ["", "+after"];
const LOSSES: [&str; 3] = ["lose-content", "lose-latest", "lose-unsynced"];

/// Disks that fsync a file system as a whole, and those that do not.
const DISKS: [Disk; 2] = [Disk { no_syncfs: false, forgets: None }, Disk { no_syncfs: true, forgets: None }];

/// A moment of a point in a situation, with the state in that place, on the disk of that index.
type Place = (Situation, Home, usize, String);

/// How often each moment of each point is passed.
static PASSAGES: LazyLock<BTreeMap<Place, u64>> = LazyLock::new(|| {
    let places: Vec<String> = Point::ALL.iter().flat_map(|point| MOMENTS.map(|moment| format!("{}{moment}", point.name()))).collect();
    let mut found = BTreeMap::new();
    for home in Home::ALL {
        let start = home.start();
        for (situation, (disk, what)) in
            Situation::ALL.into_iter().flat_map(|situation| DISKS.into_iter().enumerate().map(move |disk| (situation, disk)))
        {
            let scene = situation.begin(&start, home);
            let passed = cut::passages(what, &scene, situation.act(), &situation.also(), &places);
            found.extend(places.iter().zip(passed).map(|(place, passages)| ((situation, home, disk, place.clone()), passages)));
        }
    }
    found
});

/// The passages to lose power at: the first, the one in the middle and the last, or all.
fn lost_at(passages: u64) -> BTreeSet<u64> {
    let some = BTreeSet::from([1, passages.div_ceil(2), passages]);
    (1..=passages).filter(|passage| *EXHAUSTIVE || some.contains(passage)).collect()
}

/// A situation that is cut again and again.
struct Cutting<'a> {
    start: &'a Start,
    situation: Situation,
    home: Home,
    begun: Scene,
}

impl<'a> Cutting<'a> {
    fn new(start: &'a Start, situation: Situation, home: Home) -> Cutting<'a> {
        Cutting { start, situation, home, begun: situation.begin(start, home) }
    }

    /// Cuts it at a passage of a moment, and checks it.
    fn cut(&self, disk: Disk, moment: &str, passage: u64, action: &str) -> bool {
        let at = format!("{}{moment}:{passage}={action}", self.situation.also());
        let scene = self.begun.copy();
        assert!(dies_on(disk, &scene, self.situation.act(), &at), "{:?} does not come to {at}", self.situation);
        self.situation.check(self.start, &scene, &format!("{at} of {:?} with its state {:?} on {disk:?}", self.situation, self.home))
    }

    /// Cuts it at both moments of `point`; how many cuts that were.
    fn cut_around(&self, point: Point) -> usize {
        let mut cuts = 0;
        for (moment, (index, disk)) in MOMENTS.into_iter().flat_map(|moment| DISKS.into_iter().enumerate().map(move |disk| (moment, disk)))
        {
            let place = format!("{}{moment}", point.name());
            let passages = PASSAGES[&(self.situation, self.home, index, place.clone())];
            // A kill loses nothing, so that the kind of disk does not matter to it.
            let kills = (1..=passages).filter(|_| index == 0).map(|passage| (passage, "kill"));
            let losses = lost_at(passages).into_iter().flat_map(|passage| self.home.losses().iter().map(move |action| (passage, *action)));
            for (passage, action) in kills.chain(losses) {
                self.cut(disk, &place, passage, action);
                cuts += 1;
            }
        }
        cuts
    }
}

/// Dies at both moments of `point` in every situation.
#[expect(clippy::print_stdout, reason = "what a long run is for")]
fn cut_at(point: Point) {
    for home in Home::ALL {
        let start = home.start();
        let is_passed = |situation: Situation| (0..DISKS.len()).any(|disk| PASSAGES[&(situation, home, disk, point.name().to_owned())] > 0);
        let situations = Situation::ALL.into_iter().filter(|situation| is_passed(*situation));
        let cuts: usize = situations.map(|situation| Cutting::new(&start, situation, home).cut_around(point)).sum();
        println!("{cuts} cuts at {} with its state {home:?}", point.name());
        assert!(cuts >= 8, "{} is passed nowhere with its state {home:?}: {cuts} cuts", point.name());
    }
}

/// One test per point, and all of them by name.
macro_rules! matrix {
    ($(#[test] fn $test:ident($point:ident);)*) => {
        $(
            #[test]
            fn $test() {
                cut_at(Point::$point);
            }
        )*
        const TESTS: &[(Point, &str)] = &[$((Point::$point, stringify!($test)),)*];
    };
}

matrix! {
    #[test]
    fn f6_a_cut_at_state_folder_is_survived(StateFolder);
    #[test]
    fn f6_a_cut_at_lock_file_is_survived(LockFile);
    #[test]
    fn f6_a_cut_at_waiting_ticket_is_survived(WaitingTicket);
    #[test]
    fn f6_a_cut_at_station_file_is_survived(StationFile);
    #[test]
    fn f6_a_cut_at_settings_file_is_survived(SettingsFile);
    #[test]
    fn f6_a_cut_at_schedule_file_is_survived(ScheduleFile);
    #[test]
    fn f6_a_cut_at_shortcut_file_is_survived(ShortcutFile);
    #[test]
    fn f6_a_cut_at_trust_file_is_survived(TrustFile);
    #[test]
    fn f6_a_cut_at_ratchet_file_is_survived(RatchetFile);
    #[test]
    fn f6_a_cut_at_deferred_file_is_survived(DeferredFile);
    #[test]
    fn f6_a_cut_at_proof_file_is_survived(ProofFile);
    #[test]
    fn f6_a_cut_at_attempts_file_is_survived(AttemptsFile);
    #[test]
    fn f6_a_cut_at_told_file_is_survived(ToldFile);
    #[test]
    fn f6_a_cut_at_config_file_is_survived(ConfigFile);
    #[test]
    fn f6_a_cut_at_interference_file_is_survived(InterferenceFile);
    #[test]
    fn f6_a_cut_at_fetch_part_is_survived(Part);
    #[test]
    fn f6_a_cut_at_stage_file_is_survived(StageFile);
    #[test]
    fn f6_a_cut_at_stage_attributes_is_survived(StageAttributes);
    #[test]
    fn f6_a_cut_at_stage_sync_is_survived(StageSync);
    #[test]
    fn f6_a_cut_at_backup_folder_is_survived(BackupFolder);
    #[test]
    fn f6_a_cut_at_backup_link_is_survived(BackupLink);
    #[test]
    fn f6_a_cut_at_backup_copy_is_survived(BackupCopy);
    #[test]
    fn f6_a_cut_at_backup_symlink_is_survived(BackupSymlink);
    #[test]
    fn f6_a_cut_at_backup_record_is_survived(BackupRecord);
    #[test]
    fn f6_a_cut_at_backup_sync_is_survived(BackupSync);
    #[test]
    fn f6_a_cut_at_swap_stage_is_survived(SwapStage);
    #[test]
    fn f6_a_cut_at_swap_next_is_survived(SwapNext);
    #[test]
    fn f6_a_cut_at_swap_journal_is_survived(SwapJournal);
    #[test]
    fn f6_a_cut_at_swap_out_is_survived(SwapOut);
    #[test]
    fn f6_a_cut_at_swap_keep_is_survived(SwapKeep);
    #[test]
    fn f6_a_cut_at_swap_remove_folder_is_survived(SwapRemoveFolder);
    #[test]
    fn f6_a_cut_at_swap_make_folder_is_survived(SwapMakeFolder);
    #[test]
    fn f6_a_cut_at_swap_put_is_survived(SwapPut);
    #[test]
    fn f6_a_cut_at_swap_set_is_survived(SwapSet);
    #[test]
    fn f6_a_cut_at_swap_in_is_survived(SwapIn);
    #[test]
    fn f6_a_cut_at_swap_sync_is_survived(SwapSync);
    #[test]
    fn f6_a_cut_at_swap_phase_is_survived(SwapPhase);
    #[test]
    fn f6_a_cut_at_undo_put_is_survived(UndoPut);
    #[test]
    fn f6_a_cut_at_undo_folder_is_survived(UndoFolder);
    #[test]
    fn f6_a_cut_at_undo_keep_is_survived(UndoKeep);
    #[test]
    fn f6_a_cut_at_undo_set_is_survived(UndoSet);
    #[test]
    fn f6_a_cut_at_recover_aside_is_survived(Aside);
    #[test]
    fn f6_a_cut_at_commit_slot_is_survived(CommitSlot);
    #[test]
    fn f6_a_cut_at_commit_state_is_survived(CommitState);
    #[test]
    fn f6_a_cut_at_outbox_file_is_survived(OutboxFile);
    #[test]
    fn f6_a_cut_at_station_key_is_survived(StationKey);
    #[test]
    fn f6_a_cut_at_history_line_is_survived(HistoryLine);
    #[test]
    fn f6_a_cut_at_commit_journal_is_survived(CommitJournal);
    #[test]
    fn f6_a_cut_at_backup_adopt_is_survived(BackupAdopt);
    #[test]
    fn f6_a_cut_at_restore_copy_is_survived(RestoreCopy);
    #[test]
    fn f6_a_cut_at_trash_in_is_survived(TrashIn);
    #[test]
    fn f6_a_cut_at_trash_empty_is_survived(TrashEmpty);
}

#[test]
fn f6_what_was_reported_as_done_survives_a_power_cut() {
    for home in Home::ALL {
        let start = home.start();
        for situation in [Situation::Update, Situation::Rollback, Situation::State] {
            let begun = situation.begin(&start, home);
            for (loss, disk) in [Loss::Content, Loss::Latest, Loss::Unsynced].into_iter().flat_map(|loss| DISKS.map(|disk| (loss, disk))) {
                let scene = begun.copy();
                loses_power_after(disk, &scene, situation.act(), loss);
                assert!(
                    situation.check(&start, &scene, &format!("{loss:?} after {situation:?} with its state {home:?} on {disk:?}")),
                    "{situation:?} is undone by {loss:?}"
                );
            }
        }
    }
}

/// Fsyncs that nothing else makes up for: what is under way, on the disk of which index, and whose they are.
const NEEDED: &[(Situation, usize, Point)] = &[
    (Situation::Update, 0, Point::SwapJournal),
    (Situation::Update, 0, Point::SwapSync),
    (Situation::Update, 0, Point::HistoryLine),
    (Situation::Update, 1, Point::StageSync),
    (Situation::Update, 1, Point::BackupSync),
    (Situation::Update, 1, Point::SwapNext),
    (Situation::Update, 1, Point::SwapJournal),
    (Situation::Update, 1, Point::SwapSync),
    (Situation::Stranger, 1, Point::Aside),
    (Situation::State, 0, Point::StationFile),
    (Situation::State, 0, Point::SettingsFile),
    (Situation::State, 0, Point::ScheduleFile),
    (Situation::State, 0, Point::ShortcutFile),
    (Situation::State, 0, Point::TrustFile),
    (Situation::State, 0, Point::RatchetFile),
    (Situation::State, 0, Point::ProofFile),
];

#[test]
fn a_missing_fsync_is_found() {
    for (home, (situation, index, point)) in Home::ALL.into_iter().flat_map(|home| NEEDED.iter().map(move |needed| (home, *needed))) {
        let start = home.start();
        let cutting = Cutting::new(&start, situation, home);
        let disk = Disk { forgets: Some(point.name()), ..DISKS[index] };
        let is_found = |check: &dyn Fn()| catch_unwind(AssertUnwindSafe(check)).is_err();
        let at_the_end = |loss| {
            is_found(&|| {
                let scene = cutting.begun.copy();
                loses_power_after(disk, &scene, situation.act(), loss);
                assert!(situation.check(&start, &scene, "the end"), "it is undone");
            })
        };
        let passages =
            PASSAGES.iter().filter(|((of, at, on, place), _)| (*of, *at, *on) == (situation, home, index) && place.ends_with("+after"));
        let last: u64 = passages.map(|(_, passages)| passages).sum();
        let on_the_way = |passage| {
            LOSSES.iter().any(|action| {
                is_found(&|| {
                    cutting.cut(disk, "*+after", passage, action);
                })
            })
        };
        let found = [Loss::Content, Loss::Latest, Loss::Unsynced].into_iter().any(at_the_end) || (1..=last).rev().any(on_the_way);
        assert!(found, "{situation:?} with its state {home:?} on {disk:?} is whole without the fsyncs of {}", point.name());
    }
}

#[test]
fn every_point_has_its_test_and_its_row_and_every_row_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/crash-safety.md")).unwrap();
    let mut sources = String::new();
    let mut folders = vec![root.join("tests"), root.join("src"), root.join("../tests/tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => sources += &fs::read_to_string(entry).unwrap(),
            }
        }
    }
    let points: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
    // The updater's own file is replaced by whole programs, which `tests/tests/self_update.rs` kills.
    let (of_programs, points): (Vec<&str>, Vec<&str>) = points.into_iter().partition(|point| point.starts_with("self."));
    let tested: Vec<&str> = TESTS.iter().map(|(point, _)| point.name()).collect();
    assert_eq!(tested, points, "one test for each point, in the order of `updater/src/fs/fault.rs`");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let named: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let all: BTreeSet<&str> = points.into_iter().chain(of_programs.iter().copied()).collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), all, "one row for each point");
    for row in rows {
        let [point, step, before, after, tests] = row[..] else { panic!("{row:?} has not five columns") };
        assert!([step, before, after].iter().all(|cell| !cell.is_empty()), "{point} says nothing of a moment");
        let own = TESTS.iter().find(|(of, _)| of.name() == point.trim_matches('`')).map(|(_, test)| *test);
        let names_own = own.is_some_and(|own| own.contains(&point.trim_matches('`').replace(['.', '-'], "_")) && tests.contains(own));
        assert!(names_own || of_programs.contains(&point.trim_matches('`')), "{point} does not name {own:?}");
        for test in tests.split(", ").map(|test| test.trim_matches('`')).filter(|test| Some(*test) != own) {
            assert!(sources.contains(&format!("fn {test}(")), "{point}: there is no test {test}");
        }
    }
}
