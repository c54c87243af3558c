//! The power can go at any moment: an updater that is killed at any file-changing system call of an update or of a rollback leaves, after its next start, the
//! old tree or the new one, whole, with three whole backups, and the next update works (attack F6, AC-41).
//!
//! A plain run under `strace` lists the calls that change files of the station. A seed chooses which of them to die at: `strace` kills the process as it
//! enters that call, before the kernel carries it out. `KILLS` says at how many of an update (default 200; three tenths as many of a rollback), `KILLS=all` at
//! every one; `SEED` says which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use system_tests::process::run;
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Build, T0, World, copy_tree, noise, random, set_mtime};

const LIMIT: Duration = Duration::from_secs(120);

/// Calls that change files; `?` lets an architecture lack one.
const CALLS: &str = "?write,?pwrite64,?writev,?pwritev,?pwritev2,?copy_file_range,?sendfile,?ftruncate,?fallocate,?fsync,?fdatasync,?sync_file_range,?ioctl,\
    ?rename,?renameat,?renameat2,?link,?linkat,?symlink,?symlinkat,?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?chmod,?fchmod,?fchmodat,?utimensat";

/// How many kills `KILLS` asks for, all of them being `None`, and the seed.
fn asked() -> (Option<usize>, u64) {
    let number = |variable: &str, text: String| text.parse::<u64>().unwrap_or_else(|_| panic!("{variable}=`{text}` is no number"));
    let kills = std::env::var("KILLS").unwrap_or_else(|_| "200".to_owned());
    let seed = std::env::var("SEED").map_or(1, |text| number("SEED", text));
    let kills = (kills != "all").then(|| usize::try_from(number("KILLS", kills)).expect("fits"));
    (kills, seed)
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

/// What a station holds: its client, and its backups, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    live: Tree,
    backups: Vec<Tree>,
}

impl State {
    fn of(station: &Station) -> State {
        let backups = station.backups();
        State { live: station.tree(), backups: backups.iter().map(|slot| Tree::of_backup(&station.dir.join(slot))).collect() }
    }

    /// The first differences to `other`, for a message.
    fn against(&self, other: &State) -> Vec<String> {
        let trees = |state: &State| -> Vec<Tree> { std::iter::once(&state.live).chain(&state.backups).cloned().collect() };
        let (ours, theirs) = (trees(self), trees(other));
        let differences = ours.iter().zip(&theirs).enumerate();
        let named = differences
            .flat_map(|(nth, (ours, theirs))| ours.difference(theirs).into_iter().map(move |line| format!("tree {nth}: {line}")));
        named.take(10).chain([format!("{} trees against {}", ours.len(), theirs.len())]).collect()
    }
}

/// A station of version 4 with three backups, and a server that has version 5.
struct Scene<'w> {
    world: &'w World,
    /// What is there, and what each version was on it.
    template: Station,
    versions: Vec<Tree>,
    builds: Vec<Build>,
    /// Served as long as this lives.
    _server: Server,
}

impl<'w> Scene<'w> {
    fn new(world: &'w World) -> Scene<'w> {
        let repository = world.repository("acme");
        let builds: Vec<Build> = (1..=5).map(|n| version(world, n)).collect();
        let publish = |n: usize| {
            repository.publish_with(&builds[n - 1], &["--build", &format!("{n}.0.0"), "--entry-point", "client"]).succeeded("publish")
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
        Scene { world, template, versions, builds, _server: server }
    }

    fn fresh(&self, name: &str) -> Station {
        let station = self.world.station(name);
        copy_tree(&self.template.dir, &station.dir);
        station
    }
}

/// A command that is to be killed, and what it may lead to.
struct Killed<'s, 'w> {
    scene: &'s Scene<'w>,
    arguments: &'static [&'static str],
    old: State,
    new: State,
    /// What an update makes of the old and of the new state.
    old_updated: State,
    new_updated: State,
    /// Where to die.
    places: Vec<Place>,
}

impl<'s, 'w> Killed<'s, 'w> {
    /// Runs `updater ARGUMENTS` once to its end, to learn what it does and what it leads to.
    fn learn(scene: &'s Scene<'w>, arguments: &'static [&'static str], seed: u64) -> Killed<'s, 'w> {
        let station = scene.fresh("learned");
        let log = scene.world.path("strace.log");
        let log_text = log.to_str().expect("UTF-8");
        let strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o", log_text, "-e", &format!("trace={CALLS}")];
        station.through(&strace).run(arguments).exits(0);
        let log = fs::read_to_string(&log).expect("strace wrote its log");
        let places = shuffled(places(&log, station.dir.to_str().expect("UTF-8")), seed);
        let new = State::of(&station);
        let updated = |station: &Station| {
            station.update().exits(0);
            State::of(station)
        };
        let new_updated = updated(&station);
        let old_updated = updated(&scene.fresh("old"));
        Killed { scene, arguments, old: State::of(&scene.template), new, old_updated, new_updated, places }
    }

    /// Dies at `kills` of the places, or at all of them.
    #[expect(clippy::print_stdout, reason = "what a long run is for")]
    fn kill(&self, kills: Option<usize>) {
        let wanted = kills.unwrap_or(self.places.len());
        assert!(
            self.places.len() >= wanted,
            "{:?} makes {} file-changing calls, too few for {wanted} kills",
            self.arguments,
            self.places.len()
        );
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let outcomes = Mutex::new(BTreeMap::<&str, usize>::new());
        let worker = || {
            while done.load(Ordering::SeqCst) < wanted {
                let turn = next.fetch_add(1, Ordering::SeqCst);
                let Some(place) = self.places.get(turn) else { return };
                let outcome = self.die_at(turn, place);
                done.fetch_add(usize::from(outcome != "not reached"), Ordering::SeqCst);
                *outcomes.lock().expect("no worker has panicked").entry(outcome).or_default() += 1;
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
                scope.spawn(worker);
            }
        });
        let (done, outcomes) = (done.into_inner(), outcomes.into_inner().expect("no worker has panicked"));
        println!("{:?}: {} places, {done} kills: {outcomes:?}", self.arguments, self.places.len());
        // Threads share the work differently each time, so a few places that the first run came to are not come to again.
        assert!(done * 10 >= wanted * 9, "only {done} of {wanted} runs were killed");
        assert!(outcomes.contains_key("forward") && outcomes.contains_key("back"), "every kill ended the same way: {outcomes:?}");
    }

    /// Lets one station die at `place`, start again, and go on; says how that ended.
    fn die_at(&self, turn: usize, place: &Place) -> &'static str {
        let station = self.scene.fresh(&format!("station{turn}"));
        let (name, nth) = place;
        let inject = format!("inject={name}:signal=SIGKILL:when={nth}");
        let strace = station.through(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={name}"), "-e", &inject]);
        let finished = run(&mut strace.command(self.arguments), LIMIT);
        assert!(!finished.timed_out, "hangs at {place:?}\n{}", finished.report());
        let is_killed = finished.status.signal() == Some(9);
        // A run that makes fewer calls of the name than the first has to have worked.
        assert!(is_killed || finished.status.success(), "not killed at {place:?}, and failed\n{}", finished.report());
        let started = station.run(&["status"]);
        assert_eq!(started.code, 0, "the start after a kill at {place:?}\n{}", started.finished.report());
        let found = State::of(&station);
        let is_new = found == self.new;
        assert!(
            is_new || is_killed && found == self.old,
            "killed at {place:?}: neither the old state nor the new one\nagainst the old: {:#?}\nagainst the new: {:#?}",
            found.against(&self.old),
            found.against(&self.new)
        );
        let again = station.update();
        assert_eq!(again.code, 0, "the update after a kill at {place:?}\n{}", again.finished.report());
        let (found, wanted) = (State::of(&station), if is_new { &self.new_updated } else { &self.old_updated });
        assert!(found == *wanted, "the update after a kill at {place:?}: {:#?}", found.against(wanted));
        station.assert_nothing_left_over();
        fs::remove_dir_all(&station.dir).expect("removed");
        match (is_killed, is_new) {
            (false, _) => "not reached",
            (true, true) => "forward",
            (true, false) => "back",
        }
    }
}

#[test]
fn f6_a_killed_update_leaves_the_old_tree_or_the_new_one_whole() {
    let (kills, seed) = asked();
    let world = World::in_memory();
    let scene = Scene::new(&world);
    let killed = Killed::learn(&scene, &["update", "--yes"], seed);
    killed.new.live.clone().without("mine.txt").assert_is(&versions_union(&scene.builds), "a whole update");
    assert_eq!(killed.old.backups, scene.versions[..3], "backups before");
    assert_eq!(killed.new.backups, scene.versions[1..], "backups after");
    killed.kill(kills);
}

#[test]
fn f6_a_killed_rollback_leaves_the_old_tree_or_the_one_gone_back_to_whole() {
    let (kills, seed) = asked();
    let world = World::in_memory();
    let scene = Scene::new(&world);
    let killed = Killed::learn(&scene, &["rollback", "--to", "002"], seed);
    let version = |n: usize| scene.versions[n - 1].clone();
    assert_eq!(killed.new, State { live: version(2), backups: vec![version(1), version(3), version(4)] }, "a whole rollback");
    killed.kill(kills.map(|kills| kills * 3 / 10));
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
