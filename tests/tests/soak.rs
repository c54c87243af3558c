//! Kills at any moment, on both sides at once: stations that update, go back and repair, a publisher that publishes, withdraws, prunes and refreshes, and the
//! server between them, all killed with SIGKILL again and again. After every kill of a station its next start finds one release, whole, with at most three
//! whole backups; after every kill of the publisher the repository verifies; and at the end everybody gets the last release (attack F6, AC-41).
//!
//! The moment of a kill is a random part of the time that the command usually takes, in microseconds. Places within the run are the business of `kill.rs`,
//! which counts system calls under `strace`; that is exact, and tenfold slower. Here the point is numbers, and states that lead to each other: nothing is reset
//! between kills. `SEED` repeats the choice of commands and moments; what the scheduler makes of them it cannot repeat. `SOAK_KILLS` says how many kills
//! (default 100; `tests/soak/run 10000` is the long run).

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use system_tests::process::{Finished, run};
use system_tests::server::Server;
use system_tests::station::Station;
use system_tests::tree::Tree;
use system_tests::world::{Build, PRODUCT, Repository, T0, World, noise, program, random};

/// Far above what any command takes: a hang becomes a failure.
const LIMIT: Duration = Duration::from_secs(120);
/// The user's own file, which survives everything.
const MINE: &str = "mine.txt";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}=`{text}` is no number")))
}

/// Release `n`: the same few paths in each, so that a tree is one release or none.
fn build(world: &World, n: u64) -> Build {
    let build = world.build(&format!("v{n}"));
    let time = T0 + i64::try_from(n).expect("small");
    build.exec("client", noise(n, 3000), time).file("version.txt", n.to_string(), time);
    build.file("lib/changes.bin", noise(1000 + n, 2000), T0).file("lib/stays.bin", noise(7, 2000), T0);
    build.file("lib/deep/touched.txt", "only its time changes", time).file("lib/every second.txt", (n / 2).to_string(), T0);
    build
}

/// What all share.
struct Soak<'w> {
    world: &'w World,
    wanted: usize,
    kills: AtomicUsize,
    /// Somebody has failed: the others stop, so that what is printed last is why.
    has_failed: AtomicBool,
}

impl Soak<'_> {
    fn goes_on(&self) -> bool {
        self.kills.load(Ordering::SeqCst) < self.wanted && !self.has_failed.load(Ordering::SeqCst)
    }

    /// What a folder with a client holds is one release, whole, and the user's file; returns its number.
    fn release_in(&self, dir: &Path, tree: Tree, context: &str) -> u64 {
        let version =
            fs::read_to_string(dir.join("version.txt")).unwrap_or_else(|e| panic!("{context}: `{}` has no version: {e}", dir.display()));
        let n = version.parse().unwrap_or_else(|_| panic!("{context}: version `{version}`"));
        assert_eq!(fs::read_to_string(dir.join(MINE)).ok().as_deref(), Some("mine"), "{context}: the user's file");
        tree.without(MINE).assert_is(&Build { dir: self.world.path(&format!("v{n}")) }.tree(), context);
        n
    }
}

/// Starts commands and kills them, each kind at a random part of the time that it usually takes.
struct Killer<'s, 'w> {
    soak: &'s Soak<'w>,
    random: u64,
    usual: BTreeMap<&'static str, Duration>,
    killed: BTreeMap<&'static str, usize>,
}

impl<'s, 'w> Killer<'s, 'w> {
    fn new(soak: &'s Soak<'w>, seed: u64) -> Killer<'s, 'w> {
        Killer { soak, random: seed, usual: BTreeMap::new(), killed: BTreeMap::new() }
    }

    fn below(&mut self, bound: u64) -> u64 {
        random(&mut self.random) % bound
    }

    /// Runs `command`, or kills it; the first of its kind is left alone, to learn how long it takes. `None` when it was killed.
    fn run(&mut self, kind: &'static str, command: &mut Command) -> Option<Finished> {
        let limit = match self.usual.get(kind).copied() {
            None => LIMIT,
            Some(usual) => Duration::from_micros(self.below(1 + u64::try_from(usual.as_micros()).expect("short") * 5 / 4)),
        };
        let started = Instant::now();
        let finished = run(command, limit);
        if finished.timed_out {
            assert!(limit < LIMIT, "`{kind}` hangs\n{}", finished.report());
            self.soak.kills.fetch_add(1, Ordering::SeqCst);
            *self.killed.entry(kind).or_default() += 1;
            return None;
        }
        let usual = self.usual.entry(kind).or_insert(started.elapsed());
        *usual = (*usual * 7 + started.elapsed()) / 8;
        Some(finished)
    }
}

/// A station until the kills are done.
fn live(killer: &mut Killer<'_, '_>, station: &Station) {
    while killer.soak.goes_on() {
        let slot = format!("00{}", 1 + killer.below(3));
        let (kind, arguments): (_, &[&str]) = match killer.below(10) {
            0..=4 => ("update", &["update", "--yes"]),
            5 | 6 => ("rollback", &["rollback", "--to", &slot, "--reason", "soak"]),
            7 => ("repair", &["verify", "--repair"]),
            8 => ("unhold", &["unhold"]),
            _ => ("status", &["status"]),
        };
        if kind == "repair" {
            let _ = fs::remove_file(station.file("lib/changes.bin"));
        }
        let context = format!("after `{kind}`, kill {}", killer.soak.kills.load(Ordering::SeqCst));
        if let Some(finished) = killer.run(kind, &mut station.command(arguments)) {
            // 3: the server was being killed. 4, 5: there is no such backup, or nothing to go back to it with.
            let is_known = matches!((kind, finished.code()), (_, 0) | ("update" | "repair", 3) | ("rollback", 4 | 5));
            assert!(is_known, "{context}: exit code {}\n{}", finished.code(), finished.report());
        }
        station.run(&["status"]).exits(0);
        if kind == "repair" {
            until_done(&context, || station.run(&["verify", "--repair"]).code == 0);
        }
        check(killer.soak, station, &context);
    }
}

/// The next start of a killed updater found, or made, one release and whole backups.
fn check(soak: &Soak<'_>, station: &Station, context: &str) {
    assert!(!station.state("journal").exists(), "{context}: a journal is left");
    soak.release_in(&station.dir, station.tree(), context);
    let backups = station.backups();
    assert!(backups.len() <= 3, "{context}: {backups:?}");
    for name in backups {
        let dir = station.dir.join(name);
        soak.release_in(&dir, Tree::of_backup(&dir), context);
    }
}

/// Tries until `act` succeeds: what was killed beside it may be in the way for a moment.
fn until_done(what: &str, mut act: impl FnMut() -> bool) {
    let started = Instant::now();
    while !act() {
        assert!(started.elapsed() < LIMIT, "{what}: not done within {LIMIT:?}");
    }
}

/// Starts the server, at `address` when it had one before.
fn serve(world: &World, repository: &Repository<'_>, address: Option<SocketAddr>) -> Server {
    let config = world.path("soak.toml");
    let listen = address.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
    let (name, path) = (&repository.name, repository.text());
    let text = format!("listen = \"{listen}\"\ninstall_documents = \"links\"\n\n[[repository]]\nname = \"{name}\"\npath = \"{path}\"\n");
    fs::write(&config, text).expect("configuration written");
    Server::start(Command::new(program("update-server")).args(["serve", "--config"]).arg(&config), &config, name)
}

/// A publisher and its server until the kills are done; returns the server and the number of the last release that was tried.
fn publish<'r>(killer: &mut Killer<'_, '_>, repository: &'r Repository<'r>, mut server: Server, mut last: u64) -> (Server, u64) {
    let repo = repository.text();
    while killer.soak.goes_on() {
        let sequence = (1 + killer.below(last)).to_string();
        let (kind, arguments): (_, Vec<&str>) = match killer.below(10) {
            0..=3 => ("publish", vec![]),
            4 => (
                "withdraw",
                vec!["withdraw", repo, &sequence, "--product", PRODUCT, "--os", "linux", "--arch", "x86_64", "--reason", "soak"],
            ),
            5 | 6 => ("prune", vec!["prune", repo, "--keep", "3"]),
            7 | 8 => ("refresh", vec!["refresh", repo, "--all"]),
            _ => ("server", vec![]),
        };
        let context = format!("after `{kind}`, kill {}", killer.soak.kills.load(Ordering::SeqCst));
        let killed_or = match kind {
            "server" => {
                let address = server.address();
                let group = Pid::from_raw(i32::try_from(server.id()).expect("a process id")).expect("not 0");
                kill_process_group(group, Signal::KILL).expect("the server runs");
                drop(server);
                killer.soak.kills.fetch_add(1, Ordering::SeqCst);
                *killer.killed.entry(kind).or_default() += 1;
                server = serve(killer.soak.world, repository, Some(address));
                continue;
            }
            "publish" => {
                last += 1;
                let build = build(killer.soak.world, last);
                killer.run(kind, &mut publishing(repository, &build, last))
            }
            _ => killer.run(kind, Command::new(program("manifests")).args(&arguments)),
        };
        // Nothing stands in the way of anything but of withdrawing: that release may be pruned.
        if let Some(finished) = killed_or.filter(|_| kind != "withdraw") {
            finished.succeeded(&context);
        }
        run(Command::new(program("manifests")).args(["verify", repo]), LIMIT).succeeded(&context);
    }
    (server, last)
}

/// `manifests publish`, for release `n`.
fn publishing(repository: &Repository<'_>, build: &Build, n: u64) -> Command {
    let mut command = Command::new(program("manifests"));
    command.arg("publish").arg(&build.dir).args(["--repo", repository.text(), "--product", PRODUCT, "--os", "linux", "--arch", "x86_64"]);
    command.args(["--entry-point", "client", "--build", &format!("{n}.0.0")]);
    command
}

#[test]
#[expect(clippy::print_stdout, reason = "what a long run is for")]
fn f6_stations_publisher_and_server_are_killed_at_any_moment_and_everything_stays_whole() {
    let (wanted, seed) = (usize::try_from(number("SOAK_KILLS", 100)).expect("fits"), number("SEED", 1));
    println!("SEED={seed}");
    let started = Instant::now();
    let world = World::in_memory();
    let repository = world.repository("acme");
    run(&mut publishing(&repository, &build(&world, 1), 1), LIMIT).succeeded("the first release");
    let server = serve(&world, &repository, None);
    let link = world.link(&server);
    let stations: Vec<Station> =
        (0..std::thread::available_parallelism().map_or(2, usize::from)).map(|nth| world.station(&format!("station{nth}"))).collect();
    for station in &stations {
        station.install(&link);
        fs::write(station.file(MINE), "mine").expect("written");
    }

    let soak = Soak { world: &world, wanted, kills: AtomicUsize::new(0), has_failed: AtomicBool::new(false) };
    let failing = |work: &mut dyn FnMut()| {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        if let Err(panic) = outcome {
            soak.has_failed.store(true, Ordering::SeqCst);
            std::panic::resume_unwind(panic);
        }
    };
    let mut killed: BTreeMap<&str, usize> = BTreeMap::new();
    let (server, last) = std::thread::scope(|scope| {
        let (soak, failing) = (&soak, &failing);
        let workers: Vec<_> = stations
            .iter()
            .zip(1..)
            .map(|(station, nth)| {
                scope.spawn(move || {
                    let mut killer = Killer::new(soak, seed.wrapping_mul(1000).wrapping_add(nth));
                    failing(&mut || live(&mut killer, station));
                    killer.killed
                })
            })
            .collect();
        let mut killer = Killer::new(soak, seed.wrapping_mul(1000));
        let (mut server, mut ended) = (Some(server), None);
        failing(&mut || ended = server.take().map(|server| publish(&mut killer, &repository, server, 1)));
        let all = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        for (kind, kills) in all.chain([killer.killed]).flatten() {
            *killed.entry(kind).or_default() += kills;
        }
        ended.expect("the publisher ended")
    });

    // Whatever was left behind, the next release gets to everybody.
    let last = last + 1;
    let newest = build(&world, last);
    run(&mut publishing(&repository, &newest, last), LIMIT).succeeded("the last release");
    run(Command::new(program("manifests")).args(["verify", repository.text()]), LIMIT).succeeded("verify");
    for station in &stations {
        station.run(&["unhold"]).exits(0);
        until_done("the last release", || {
            station.update().code == 0 && fs::read(station.file("version.txt")).ok() == Some(last.to_string().into())
        });
        check(&soak, station, "after the last release");
        station.assert_nothing_left_over();
    }
    drop(server);
    println!("{} kills in {:?}, SEED={seed}: {killed:?}; release {last}", soak.kills.load(Ordering::SeqCst), started.elapsed());
}
