//! The power can go at any moment: an updater that is killed at any file-changing system call leaves, after its next start, the old tree or the new
//! one, whole (attack F6, AC-41).
//!
//! A plain run under `strace` lists the calls that change files of the station. A seed chooses which of them to die at: `strace` kills the process as it
//! enters that call, before the kernel carries it out. `KILLS` says how many (default 200), `SEED` which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use system_tests::process::run;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Build, T0, World, copy_tree, noise, random, set_mtime};

const LIMIT: Duration = Duration::from_secs(120);

/// Calls that change files; `?` lets an architecture lack one.
const CALLS: &str = "?write,?pwrite64,?writev,?pwritev,?pwritev2,?copy_file_range,?sendfile,?ftruncate,?fallocate,?fsync,?fdatasync,?sync_file_range,?ioctl,\
    ?rename,?renameat,?renameat2,?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?chmod,?fchmod,?fchmodat,?utimensat";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}=`{text}` is no number")))
}

/// Version `n` of a client of 500 files. Between versions some change, some only get another time, some come anew.
fn version(world: &World, n: u64) -> Build {
    let build = world.build(&format!("v{n}"));
    build.exec("client", noise(n, 9000), T0 + i64::try_from(n).expect("small"));
    for file in 0..499u64 {
        let path = format!("part{:02}/file{file:03}.bin", file / 25);
        let (seed, time) = match file % 10 {
            0 | 1 => (1000 * n + file, T0 + 100 * i64::try_from(n).expect("small")),
            2 => (file, T0 + 100 * i64::try_from(n).expect("small")),
            _ => (file, T0),
        };
        build.file(&path, noise(seed, 500 + usize::try_from(file).expect("small") * 8), time);
    }
    for file in 0..n {
        build.file(&format!("new{n}/file{file}.bin"), noise(7000 + file, 800), T0);
    }
    build
}

/// The place of a call: its name, and how many of that name its thread has made by then.
type Place = (String, usize);

/// The calls of one thread each that change something below `folder`, from the output of `strace -f -y`.
fn places(log: &str, folder: &str) -> BTreeSet<Place> {
    let mut threads: BTreeMap<(String, String), Vec<bool>> = BTreeMap::new();
    for line in log.lines() {
        // "1234  rename("…", "…") = 0"; a call that is interrupted by another thread's is "resumed" on a later line, which is no call of its own.
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let Some((name, arguments)) = call.trim_start().split_once('(') else { continue };
        if name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
            threads.entry((name.to_owned(), pid.to_owned())).or_default().push(arguments.contains(folder));
        }
    }
    // The first thread to make its Nth call dies. Only the busiest thread of a name is sure to make that many.
    let mut busiest: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for ((name, _), calls) in threads {
        let known = busiest.entry(name).or_default();
        if calls.len() > known.len() {
            *known = calls;
        }
    }
    busiest.into_iter().flat_map(|(name, calls)| (1..).zip(calls).filter(|(_, ours)| *ours).map(move |(n, _)| (name.clone(), n))).collect()
}

fn shuffled(places: BTreeSet<Place>, seed: u64) -> Vec<Place> {
    let mut state = seed;
    let mut keyed: Vec<(u64, Place)> = places.into_iter().map(|place| (random(&mut state), place)).collect();
    keyed.sort();
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// Trees that a slot may hold, and what the live tree may be.
struct Expected {
    versions: Vec<Tree>,
    old: Tree,
    new: Tree,
}

impl Expected {
    fn name(&self, tree: &Tree) -> Option<usize> {
        self.versions.iter().position(|version| version == tree)
    }

    /// After the restart that follows a kill at `place`.
    fn check(&self, station: &Station, place: &Place) {
        let tree = station.tree();
        let updated = tree == self.new;
        assert!(
            updated || tree == self.old,
            "killed at {place:?}: neither the old tree nor the new one\nagainst the old: {:#?}\nagainst the new: {:#?}",
            &tree.difference(&self.old).into_iter().take(10).collect::<Vec<_>>(),
            &tree.difference(&self.new).into_iter().take(10).collect::<Vec<_>>()
        );
        self.check_backups(station, if updated { &[1, 2, 3] } else { &[0, 1, 2] }, place);
    }

    fn check_backups(&self, station: &Station, wanted: &[usize], place: &Place) {
        let held: Vec<Option<usize>> = station.backups().iter().map(|slot| self.name(&Tree::of_backup(&station.dir.join(slot)))).collect();
        let wanted: Vec<Option<usize>> = wanted.iter().map(|&v| Some(v)).collect();
        assert_eq!(held, wanted, "killed at {place:?}: which versions {:?} hold (0 is the first, None is a mixture)", station.backups());
    }
}

#[test]
fn f6_a_killed_updater_leaves_the_old_tree_or_the_new_one_whole() {
    let (kills, seed) = (usize::try_from(number("KILLS", 200)).expect("fits"), number("SEED", 1));
    let world = World::in_memory();
    let repository = world.repository("acme");
    let server_builds: Vec<Build> = (1..=5).map(|n| version(&world, n)).collect();
    let publish = |n: usize| {
        repository.publish_with(&server_builds[n - 1], &["--build", &format!("{n}.0.0"), "--entry-point", "client"]).succeeded("publish")
    };
    publish(1);
    let server = world.serve(&repository);
    let template = world.station("template");
    template.install(&world.link(&server));
    // What the user keeps there has to survive as well.
    fs::write(template.file("mine.txt"), "mine").expect("written");
    set_mtime(&template.file("mine.txt"), T0 - 1);
    let mut versions = vec![template.tree()];
    for n in 2..=4 {
        publish(n);
        template.update().exits(0);
        versions.push(template.tree());
    }
    publish(5);
    let fresh = |name: &str| {
        let station = world.station(name);
        copy_tree(&template.dir, &station.dir);
        station
    };

    // What a whole update does, and what it leads to.
    let counted = fresh("counted");
    let log = world.path("strace.log");
    let log_text = log.to_str().expect("UTF-8");
    counted.through(&["strace", "-f", "-y", "-qq", "-s", "4096", "-o", log_text, "-e", &format!("trace={CALLS}")]).update().exits(0);
    let log = fs::read_to_string(&log).expect("strace wrote its log");
    let chosen = shuffled(places(&log, counted.dir.to_str().expect("UTF-8")), seed);
    assert!(
        chosen.len() >= kills,
        "an update makes {} file-changing calls in its busiest threads, too few for {kills} kills",
        chosen.len()
    );
    versions.push(counted.tree());
    let expected = Expected { old: template.tree(), new: counted.tree(), versions };
    expected.new.clone().without("mine.txt").assert_is(&versions_union(&server_builds), "a whole update");

    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes = Mutex::new(BTreeMap::<&str, usize>::new());
    let worker = || {
        while done.load(Ordering::SeqCst) < kills {
            let turn = next.fetch_add(1, Ordering::SeqCst);
            let Some(place) = chosen.get(turn) else { return };
            assert!(turn < 3 * kills + 20, "too few of the chosen places are reached: {done:?} kills in {turn} runs");
            let station = fresh(&format!("station{turn}"));
            let (name, nth) = place;
            let inject = format!("inject={name}:signal=SIGKILL:when={nth}");
            let strace = station.through(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={name}"), "-e", &inject]);
            let finished = run(&mut strace.command(&["update", "--yes"]), LIMIT);
            assert!(!finished.timed_out, "hangs at {place:?}\n{}", finished.report());
            if finished.status.signal() == Some(9) {
                done.fetch_add(1, Ordering::SeqCst);
                let started = station.run(&["status"]);
                assert_eq!(started.code, 0, "the start after a kill at {place:?}\n{}", started.finished.report());
                expected.check(&station, place);
                let outcome = if station.tree() == expected.new { "forward" } else { "back" };
                *outcomes.lock().expect("no worker has panicked").entry(outcome).or_default() += 1;
            } else {
                // This run made fewer calls of the name than the counted one; it has to have worked.
                assert!(finished.status.success(), "not killed at {place:?}, and failed\n{}", finished.report());
            }
            let again = station.update();
            assert_eq!(again.code, 0, "the update after a kill at {place:?}\n{}", again.finished.report());
            station.tree().assert_is(&expected.new, &format!("the update after a kill at {place:?}"));
            expected.check_backups(&station, &[1, 2, 3], place);
            station.assert_nothing_left_over();
            fs::remove_dir_all(&station.dir).expect("removed");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(worker);
        }
    });
    assert!(done.load(Ordering::SeqCst) >= kills, "only {done:?} of {kills} runs were killed");
    let outcomes = outcomes.into_inner().expect("no worker has panicked");
    assert!(outcomes.len() == 2, "every kill ended the same way, so the places were badly chosen: {outcomes:?}");
}

/// All that releases up to the last one list, with the last one's say: files that a release no longer lists stay (D-05).
fn versions_union(builds: &[Build]) -> Tree {
    builds.iter().fold(Tree::default(), |all, build| all.overlaid(&build.tree()))
}

#[test]
fn the_places_of_a_run_are_read_from_its_trace() {
    let log = "10 rename(\"/s/a\", \"/s/b\") = 0\n11 write(4<socket:[1]>, \"x\", 1 <unfinished ...>\n10 write(3</s/c>, \"y\", 1) = 1\n\
        11 <... write resumed>) = 1\n10 write(4</elsewhere>, \"y\", 1) = 1\n10 write(3</s/c>, \"z\", 1) = 1\n10 +++ exited with 0 +++\n";
    let found: Vec<Place> = places(log, "/s/").into_iter().collect();
    assert_eq!(found, [("rename".to_owned(), 1), ("write".to_owned(), 1), ("write".to_owned(), 3)]);
}
