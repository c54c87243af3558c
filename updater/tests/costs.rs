//! What a swap and a backup cost beside the least that they could: bare `rename(2)`, and `cp -a`. Measurements, for `docs/measurements.md`; they judge nothing.
//!
//! `tests/bench/run swap`, or `cargo test --release -p updater --test costs -- --ignored --nocapture --test-threads=1`. `COSTS_AT=DIR` takes another file system than the one of the temporary
//! folder.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement may panic, write and say what it found"
)]

#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use scene::{Build, file};
use updater::fs::Folder;
use updater::installed::Installed;
use updater::progress::{Progress, Step};
use updater::{backup, swap};

/// Swaps of which the middle one counts.
const ROUNDS: usize = 7;

/// CPU and wall time.
#[derive(Debug, Clone, Copy)]
struct Cost {
    cpu: Duration,
    wall: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    cpu: Duration,
    at: Instant,
}

impl Mark {
    fn now() -> Mark {
        // What this thread has used so far, in nanoseconds.
        let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Mark { cpu: Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap()), at: Instant::now() }
    }

    fn until(&self, later: &Mark) -> Cost {
        Cost { cpu: later.cpu - self.cpu, wall: later.at - self.at }
    }
}

/// Remembers when the first file moved.
#[derive(Default)]
struct Watch(Mutex<Option<Mark>>);

impl Progress for Watch {
    fn begin(&self, step: Step, _: u64) {
        if step == Step::Swap {
            *self.0.lock().unwrap() = Some(Mark::now());
        }
    }

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}

    fn deadline(&self, _: &updater::deadline::Deadline) {}
}

fn place() -> tempfile::TempDir {
    std::env::var_os("COSTS_AT").map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap()
}

/// A tree of `files` small files in 200 folders, the first `changed` of which differ from version to version.
fn version(number: usize, files: usize, changed: usize) -> Build {
    let content = |index: usize| {
        let version = if index < changed { number } else { 0 };
        format!("{index} {version} {}", "x".repeat(4000))
    };
    let item = |index: usize| (format!("lib/part-{:03}/module-{index:05}.js", index % 200), file(&content(index)));
    (0..files).map(item).chain([("run.sh".to_owned(), file(&format!("entry {number}")))]).collect()
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.cpu);
    costs[costs.len() / 2]
}

/// What comes before the first file moves (checks, backup, journal), and the swap with its commit, when so many `backups` are there already.
fn swaps(folder: &Folder, files: usize, changed: usize, backups: usize) -> (Cost, Cost) {
    let (mut before, mut moving) = (vec![], vec![]);
    let there = Installed::load(folder).unwrap().map_or(0, |installed| installed.release.place.1 as usize);
    for number in there + 1..=there + ROUNDS + 3 {
        let plan = scene::plan(folder.path(), number as u64, &version(number, files, changed)).unwrap();
        for more in (backups + 1..=3).map(|slot| folder.path().join(format!("bkp_remote.{slot:03}"))).filter(|more| more.exists()) {
            fs::remove_dir_all(more).unwrap();
        }
        let (watch, start) = (Watch::default(), Mark::now());
        let swapped = swap::swap(folder, plan, &watch).unwrap();
        assert!(swapped.warnings.is_empty(), "{:?}", swapped.warnings);
        let (end, first) = (Mark::now(), watch.0.lock().unwrap().take().unwrap());
        // The first is an install, the second has no backup to link to, the third warms up.
        if number > there + 3 {
            before.push(start.until(&first));
            moving.push(first.until(&end));
        }
    }
    (median(before), median(moving))
}

fn row(what: &str, cost: Cost, beside: Option<Cost>) {
    let ratio = |ours: Duration, theirs: Duration| format!("{:.1}", theirs.as_secs_f64() / ours.as_secs_f64());
    let ratios = beside.map_or_else(|| "| | ".into(), |ours| format!("| {} | {} ", ratio(cost.cpu, ours.cpu), ratio(cost.wall, ours.wall)));
    println!("| {what} | {:.1} | {:.1} {ratios}|", cost.cpu.as_secs_f64() * 1e3, cost.wall.as_secs_f64() * 1e3);
}

fn head(title: &str) {
    println!("\n### {title}\n\n| | CPU ms | wall ms | CPU × | wall × |\n|---|--:|--:|--:|--:|");
}

#[test]
#[ignore = "a measurement: `tests/bench/run swap` runs it"]
fn a_swap_of_a_thousand_files_beside_a_thousand_renames() {
    let place = place();
    let folder = Folder::open(place.path()).unwrap();
    let (before, moving) = swaps(&folder, 1_000, 1_000, 1);
    let bare = median((0..ROUNDS).map(|_| renames(place.path())).collect());
    head("swap: 1,000 of 1,000 files changed, medians of 7");
    row("Stationmaster: verify what is staged, back up, journal", before, None);
    row("Stationmaster: swap and commit", moving, None);
    row("1,000 bare `rename(2)`", bare, Some(moving));
    let two = Cost { cpu: bare.cpu * 2, wall: bare.wall * 2 };
    row("the 2,000 that a swap makes", two, Some(moving));
}

/// 1,000 files of a folder go over 1,000 others in 200 folders, and nothing else.
fn renames(place: &Path) -> Cost {
    let (from, to) = (place.join("bench from"), place.join("bench to"));
    for index in 0..1_000 {
        let folder = to.join(format!("part-{:03}", index % 200));
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(&from).unwrap();
        fs::write(from.join(format!("{index}")), vec![1; 4_000]).unwrap();
        fs::write(folder.join(format!("{index}")), vec![2; 4_000]).unwrap();
    }
    let paths: Vec<_> =
        (0..1_000).map(|index| (from.join(format!("{index}")), to.join(format!("part-{:03}/{index}", index % 200)))).collect();
    rustix::fs::sync();
    let start = Mark::now();
    for (from, to) in &paths {
        fs::rename(from, to).unwrap();
    }
    let cost = start.until(&Mark::now());
    fs::remove_dir_all(from).and_then(|()| fs::remove_dir_all(to)).unwrap();
    cost
}

#[test]
#[ignore = "a measurement: `tests/bench/run swap` runs it"]
fn a_backup_of_ten_thousand_files_beside_cp() {
    let place = place();
    let folder = Folder::open(place.path()).unwrap();
    head("backup: 10,000 files, of which the swap changes 100, medians of 7");
    let both = |(before, moving): (Cost, Cost)| Cost { cpu: before.cpu + moving.cpu, wall: before.wall + moving.wall };
    let one = swaps(&folder, 10_000, 100, 1);
    row("Stationmaster: backup and swap, with one backup there (goal: 120 ms of CPU)", both(one), None);
    row("Stationmaster: of that, up to the journal", one.0, None);
    let before = one.0;
    for (what, option) in [("`cp -a` of the folder", "-a"), ("`cp -al` (hard links to what stays live)", "-al")] {
        let costs = (0..ROUNDS).map(|_| copy(place.path(), option)).collect();
        row(what, median(costs), Some(before));
    }
    row("Stationmaster: backup and swap, with three there: one of them is read", both(swaps(&folder, 10_000, 100, 3)), None);
    let start = Mark::now();
    let estimate = backup::estimate(&folder, Installed::load(&folder).unwrap().as_ref(), []).unwrap();
    row("Stationmaster: only counting, before an update", start.until(&Mark::now()), None);
    println!("\n{estimate:?}");
    let backups = ["bkp_remote.001", "bkp_remote.002", "bkp_remote.003"];
    let [one, two, three] = [1, 2, 3].map(|count| bytes(place.path(), &backups[..count]));
    println!(
        "disk: {} bytes for the live tree, as for a copy by `cp -a`; backups: {one} for one, {two} for two, {three} for three",
        bytes(place.path(), &["lib"])
    );
}

/// One `cp` of the live tree, by the clock of `time`.
fn copy(place: &Path, option: &str) -> Cost {
    let to = place.join("bench copy");
    rustix::fs::sync();
    let done = Command::new("/usr/bin/time").args(["-f", "%U %S %e", "cp", option, "lib"]).arg(&to).current_dir(place).output().unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    let seconds: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    fs::remove_dir_all(to).unwrap();
    Cost { cpu: Duration::from_secs_f64(seconds[0] + seconds[1]), wall: Duration::from_secs_f64(seconds[2]) }
}

/// Bytes on disk of all of `names` together, each file counted once.
fn bytes(place: &Path, names: &[&str]) -> u64 {
    let out = Command::new("du").args(["-s", "-c", "-B1"]).args(names).current_dir(place).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().last().unwrap().split_whitespace().next().unwrap().parse().unwrap()
}
