//! The points of the crash matrix that a Windows updater passes (`docs/crash-safety.md`), in an update, a rollback, an update that is undone, starts that finish or undo one that was cut off,
//! an update that waits, and a foreign backup that is taken over. The run itself says what it passes; the trees are judged from the Linux side.
//!
//! Each point is killed at its first passage in each of them, by turns right before the change and right after it; with `KILLS=all` at its first and its last passage, before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::wine::{Running, Wine, client, drive_path};
use system_tests::world::{T0, World, copy_tree, noise};

use super::{SIZE, backup, installed, publish, released, tree, version};

/// A program that ended itself as a killed one ends.
const KILLED: i32 = 137;

/// Points that have to be among those that were killed at; the run says which others there are.
const NEEDED: &str = "attempts.file backup.adopt backup.copy backup.folder backup.link backup.record backup.sync commit.journal commit.slot commit.state deferred.file fetch.part history.line lock.file outbox.file ratchet.file \
    recover.aside restore.copy stage.attributes stage.file stage.sync state.folder swap.in swap.journal swap.keep swap.make-folder swap.next swap.out swap.phase swap.put swap.set swap.stage swap.sync \
    trash.empty trash.in trust.file undo.folder undo.keep undo.put undo.set";

/// What is under way when the kill comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    Update,
    Rollback,
    /// An update whose last move fails, so that it is undone.
    Undo,
    /// A start that finishes an update which was cut off, and finds somebody's own file in the way.
    Forward,
    /// A start that undoes one, because what is staged is damaged.
    Back,
    /// An update that finds a file in use, and waits.
    Held,
    /// An update that waited, and is taken up again.
    TakenUp,
    /// A foreign backup is taken over.
    Adopt,
}

/// What somebody put where a file of the release belongs.
const STRANGER: &str = "somebody's own";

impl Situation {
    const ALL: [Situation; 8] = [
        Situation::Update,
        Situation::Rollback,
        Situation::Undo,
        Situation::Forward,
        Situation::Back,
        Situation::Held,
        Situation::TakenUp,
        Situation::Adopt,
    ];

    /// The folder as it is before, and the program that holds a file in it.
    fn begin(self, station: &Station) -> Option<Running> {
        let hold = || {
            let program = station.dir.with_extension("holder.exe");
            fs::write(&program, client(0)).expect("written");
            Wine::ready().start_client(&program, Some(&station.file("lib/Core.dll")))
        };
        let cut = |place: &str| assert_eq!(armed(station, place).update().code, KILLED, "{place}");
        match self {
            // A second name: the file that is moved away gets an inode of its own first.
            Situation::Update | Situation::Rollback => {
                fs::hard_link(station.file("lib/Core.dll"), station.dir.with_extension("second-name")).expect("linked");
            }
            Situation::Undo => {}
            Situation::Forward => {
                cut("swap.put:2=kill");
                fs::write(station.file("Client.exe"), STRANGER).expect("written");
            }
            Situation::Held => return Some(hold()),
            Situation::TakenUp => {
                let holder = hold();
                assert_eq!(station.update().text("result"), "deferred");
                drop(holder);
            }
            Situation::Adopt => fs::remove_dir_all(station.file("bkp_remote.001/.updater")).expect("it has a record"),
            Situation::Back => {
                cut("swap.set=kill");
                for entry in fs::read_dir(station.state("staging")).expect("listed") {
                    fs::write(entry.expect("listed").path(), "damaged").expect("written");
                }
            }
        }
        None
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Situation::Update | Situation::Undo | Situation::Held | Situation::TakenUp => &["update", "--yes"],
            Situation::Rollback => &["rollback"],
            Situation::Forward | Situation::Back => &["status"],
            Situation::Adopt => &["backups", "--adopt"],
        }
    }

    /// What is armed beside the kill.
    fn also(self) -> &'static str {
        if self == Situation::Undo { "swap.in=error," } else { "" }
    }

    /// Whether to kill at this point: what is the same in every command is killed at in an update alone.
    fn is_own(self, point: &str) -> bool {
        let groups: &[&str] = match self {
            Situation::Update => return true,
            Situation::Rollback | Situation::Forward | Situation::Back => {
                &["swap.", "undo.", "recover.", "commit.", "restore.", "history.", "attempts."]
            }
            // It is an update until its last move fails.
            Situation::Undo => &["undo.", "swap.phase", "outbox.", "attempts."],
            Situation::Held | Situation::TakenUp => &["deferred."],
            Situation::Adopt => &["backup.adopt"],
        };
        groups.iter().any(|group| point.starts_with(group))
    }

    /// Where to kill, of the moments that a whole run `passed`.
    fn places(self, passed: &str, exhaustive: bool) -> BTreeSet<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for moment in passed.lines().filter(|moment| self.is_own(moment)) {
            *counts.entry(moment).or_default() += 1;
        }
        if exhaustive {
            return counts.iter().flat_map(|(moment, last)| [format!("{moment}:1"), format!("{moment}:{last}")]).collect();
        }
        let points = counts.keys().filter(|moment| !moment.ends_with("+after"));
        // What a rollback passes as an update does is killed at the other moment.
        points.enumerate().map(|(turn, point)| format!("{point}{}", ["", "+after"][(turn + self as usize) % 2])).collect()
    }
}

fn armed(station: &Station, place: &str) -> Station {
    station.with_env("STATIONMASTER_FAIL_POINT", place)
}

/// A station from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    live: Tree,
    backups: Vec<Tree>,
}

impl State {
    fn of(station: &Station) -> State {
        let count = u8::try_from(station.backups().len()).expect("at most three");
        State { live: tree(station), backups: (1..=count).map(|slot| backup(station, slot)).collect() }
    }
}

#[test]
fn f6_a_killed_updater_leaves_the_old_tree_or_the_new_one_whole() {
    let world = World::in_memory();
    let scene = &installed(&world);
    let (repository, template) = (&scene.repository, &scene.station);
    fs::write(template.file("mine.txt"), "mine").expect("written");
    let mut trees = vec![tree(template)];
    for n in 2..=4 {
        publish(repository, &version(&world, n), &format!("{n}.0.0"));
        template.update().exits(0);
        trees.push(tree(template));
    }
    let v5 = version(&world, 5);
    // A folder that comes, and a file that only gets another time.
    v5.file("new/folder/x.txt", "x", T0).file("data/0.bin", noise(10, SIZE), T0 + 1000);
    publish(repository, &v5, "5.0.0");
    // What no earlier backup has is copied into the new one.
    fs::write(template.file("mine.txt"), "mine, and changed").expect("written");
    trees[3] = tree(template);
    let fresh = |name: &str| {
        let station = Wine::ready().station(world.path(name));
        copy_tree(&template.dir, &station.dir);
        station
    };

    // What a whole update and a whole rollback lead to, and an update after either.
    let learnt = |name: &str, arguments: &[&str]| {
        let station = fresh(name);
        station.run(arguments).exits(0);
        let done = State::of(&station);
        station.update().exits(0);
        (done, State::of(&station))
    };
    let old = State::of(template);
    let (updated, again) = learnt("updated", &["update", "--yes"]);
    let (back, back_updated) = learnt("back", &["rollback"]);
    updated.live.clone().without("mine.txt").assert_is(&released(&v5), "a whole update");
    assert_eq!((&updated, &updated.backups[..]), (&again, &trees[1..4]));
    assert_eq!((old.backups.as_slice(), &back.backups[..2], &back.backups[2]), (&trees[..3], &trees[..2], &trees[3]), "a whole rollback");
    back.live.clone().without("mine.txt").assert_is(&trees[2].clone().without("mine.txt"), "a whole rollback");

    let exhaustive = std::env::var("KILLS").is_ok_and(|kills| kills == "all");
    let mut places = vec![];
    for situation in Situation::ALL {
        let station = fresh(&format!("whole-{situation:?}"));
        let _holder = situation.begin(&station);
        let log = world.path(&format!("passed-{situation:?}"));
        armed(&station, situation.also()).with_env("STATIONMASTER_FAULT_PASSAGES", &drive_path(&log)).run(situation.arguments());
        let passed = fs::read_to_string(&log).expect("a list");
        places.extend(situation.places(&passed, exhaustive).into_iter().map(|place| (situation, place)));
    }
    let points: BTreeSet<&str> = places.iter().map(|(_, place)| place.split(['+', ':']).next().unwrap_or_default()).collect();
    let missing: Vec<&str> = NEEDED.split_whitespace().filter(|point| !points.contains(point)).collect();
    assert!(missing.is_empty(), "not passed: {missing:?}\nof {points:?}");

    let outcomes = Mutex::new(BTreeMap::<String, usize>::new());
    let kill = |turn: usize, situation: Situation, place: &str| {
        let station = fresh(&format!("station{turn}"));
        // In every third case the old client runs all the while.
        let client = turn.is_multiple_of(3).then(|| Wine::ready().start_client(&station.file("Client.exe"), None));
        let holder = situation.begin(&station);
        let killed = armed(&station, &format!("{}{place}=kill", situation.also())).run(situation.arguments());
        assert_eq!(killed.code, KILLED, "{situation:?} does not pass {place}\n{}", killed.finished.report());
        drop(holder);
        station.run(&["status"]).exits(0);
        let found = State::of(&station);
        let (new, new_updated) = if situation == Situation::Rollback { (&back, &back_updated) } else { (&updated, &updated) };
        let is_new = found == *new;
        if !is_new {
            found.live.assert_is(&old.live, &format!("{situation:?} killed at {place}"));
            assert!(found == old, "{situation:?} killed at {place}: the backups");
        }
        match situation {
            Situation::Update | Situation::Rollback | Situation::TakenUp => {}
            Situation::Forward => {
                assert!(is_new, "{place}: everything new was there");
                let aside: Vec<PathBuf> =
                    fs::read_dir(station.state("found")).expect("there").map(|id| id.expect("listed").path()).collect();
                let kept: Vec<String> = aside.iter().filter_map(|id| fs::read_to_string(id.join("Client.exe")).ok()).collect();
                assert_eq!(kept, [STRANGER], "{place}: nobody's own file is lost");
            }
            Situation::Adopt => {
                assert!(!is_new, "{place}");
                station.run(situation.arguments()).exits(0);
            }
            // Until the way back is written down, at the last passage, what can be finished is finished.
            Situation::Undo => {
                let is_written_down = place.strip_prefix("swap.phase+after:").is_some_and(|passage| passage != "1");
                let may_finish = place.starts_with("swap.phase") && !is_written_down;
                assert!(!is_new || may_finish, "{place}: it was being undone");
            }
            Situation::Back | Situation::Held => assert!(!is_new, "{place}: it cannot be finished"),
        }
        drop(client);
        station.update().exits(0);
        let (found, wanted) = (State::of(&station), if is_new { new_updated } else { &updated });
        found.live.assert_is(&wanted.live, &format!("the update after {situation:?} was killed at {place}"));
        assert!(found == *wanted, "the update after {situation:?} was killed at {place}: the backups");
        station.assert_nothing_left_over();
        fs::remove_dir_all(&station.dir).expect("removed");
        let outcome = format!("{situation:?} to the {}", if is_new { "new" } else { "old" });
        *outcomes.lock().expect("no worker has panicked").entry(outcome).or_default() += 1;
    };
    let all = Mutex::new(places.iter().enumerate());
    let worker = || {
        loop {
            let next = all.lock().expect("no worker has panicked").next();
            let Some((turn, (situation, place))) = next else { return };
            kill(turn, *situation, place);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(worker);
        }
    });
    let outcomes = outcomes.into_inner().expect("no worker has panicked");
    let both = ["Update to the old", "Update to the new", "Rollback to the old", "Rollback to the new"];
    assert!(both.iter().all(|outcome| outcomes.contains_key(*outcome)), "every kill ended the same way: {outcomes:?}");
    assert_eq!(outcomes.values().sum::<usize>(), places.len());
}
