//! The process dies, or an operation fails, at every change of the file system; afterwards the tree is the old or the new one, whole (attacks F6 and F7, AC-41, AC-42).
//!
//! A cut is a SIGKILL of a child process at a named point: this binary runs itself. Here they come one after the other through a whole run; `crash_matrix.rs` goes through the points.

#![cfg(all(unix, feature = "fail-points"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and write")]

#[path = "scene/cut.rs"]
mod cut;
#[path = "scene/scene.rs"]
mod scene;

use std::fs;
use std::process::Command;

use cut::{Act, Start, dies, lasting};
use manifests::time::FileTime;
use scene::Scene;
use updater::fs::{LocalPath, Point, fault};
use updater::installed::Installed;
use updater::swap::{self, Recovery, RecoveryError, SwapError};

/// Kills a child at every passage of `*` while it does `act`, and checks each time; returns how many passages there are and whether the first and last left the new tree.
fn kill_everywhere(act: Act) {
    let start = Start::new();
    let mut outcomes = vec![];
    for passage in 1.. {
        let scene = start.scene.copy();
        let at = format!("*:{passage}=kill");
        if !dies(&scene, act, &at) {
            break;
        }
        outcomes.push(start.check(&scene, act, &at));
    }
    assert!(outcomes.len() > 60, "there are many changes to die at, not {}", outcomes.len());
    assert!(!outcomes[0] && outcomes[outcomes.len() - 1]);
    assert!(outcomes.is_sorted(), "once it is the new tree, it stays the new tree: {outcomes:?}");
}

#[test]
fn ac_41_a_kill_at_any_change_of_an_update_leaves_the_old_or_the_new_tree() {
    kill_everywhere(Act::Update);
}

#[test]
fn ac_41_a_kill_at_any_change_of_a_rollback_leaves_the_old_or_the_new_tree() {
    kill_everywhere(Act::Rollback);
}

#[test]
fn f6_a_kill_while_recovering_is_recovered_from() {
    let start = Start::new();
    for first in [
        "swap.keep:2=kill",
        "swap.put:2=kill",
        "swap.in=kill",
        "swap.phase=kill",
        "commit.slot:3=kill",
        "commit.state:2=kill",
        "history.line=kill",
    ] {
        let cut = start.scene.copy();
        assert!(dies(&cut, Act::Update, first));
        for passage in 1.. {
            let scene = cut.copy();
            let second = format!("*:{passage}=kill");
            if !dies(&scene, Act::Recover, &second) {
                break;
            }
            assert!(start.check(&scene, Act::Update, &format!("{first}, then {second}")), "what was going forward goes on forward");
        }
    }
}

/// Lets every operation of `act` fail with `kind`, one at a time, in this process.
fn fail_everywhere(act: Act, kind: &str) {
    let start = Start::new();
    let mut failures = 0;
    for point in Point::ALL {
        for passage in 1.. {
            let scene = start.scene.copy();
            let at = format!("{}:{passage}={kind}", point.name());
            fault::arm(&at);
            let outcome = act.run(&scene.path());
            let acted = fault::has_acted();
            fault::arm("");
            if !acted {
                break;
            }
            failures += 1;
            let found = (scene.walk(), scene.walk_backups());
            match outcome {
                Err(SwapError::Unfinished { .. }) => assert_eq!(found.0, start.new_after(act).0, "{at}"),
                Err(SwapError::Interrupted { .. }) => {}
                Err(error) => {
                    assert_eq!(found, start.old(), "{at}: {error}");
                    let requirement = error.requirement().unwrap_or_else(|| panic!("{at}: {error} names no requirement"));
                    let expected = if kind == "enospc" { "no-space" } else { "no-write-right" };
                    assert_eq!(requirement.code().as_str(), expected, "{at}: {error}");
                }
                Ok(()) => assert_eq!(found, start.new_after(act), "{at}"),
            }
            start.check(&scene, act, &at);
        }
    }
    assert!(failures > 60, "{failures}");
}

#[test]
fn f7_a_full_disk_at_any_change_of_an_update_leaves_everything_as_it_was() {
    fail_everywhere(Act::Update, "enospc");
}

#[test]
fn f8_a_refusal_at_any_change_of_a_rollback_leaves_everything_as_it_was() {
    fail_everywhere(Act::Rollback, "eacces");
}

#[test]
fn ac_42_a_disk_that_stays_full_lets_a_failed_swap_be_undone() {
    let start = Start::new();
    let scene = start.scene.copy();
    // Not even the line that says that it goes back can be written.
    fault::arm("swap.in=enospc,swap.phase=enospc");
    let outcome = Act::Update.run(&scene.path());
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Undone { .. })), "{outcome:?}");
    assert_eq!((scene.walk(), scene.walk_backups()), start.old());
    start.check(&scene, Act::Update, "a full disk");
}

/// Recovers `scene` with `fault` armed.
fn recover_with(scene: &Scene, fault: &str) -> Result<Recovery, RecoveryError> {
    fault::arm(fault);
    let outcome = swap::recover(&scene.folder());
    fault::arm("");
    outcome
}

#[test]
fn f6_a_recovery_that_cannot_go_forward_goes_back_and_says_why() {
    let start = Start::new();
    for point in ["swap.keep", "swap.remove-folder", "swap.make-folder", "swap.put", "swap.set", "swap.in"] {
        // `swap.phase`: the disk has no room for the line that says that it goes back either.
        for (kind, also) in [("eacces", ""), ("enospc", "swap.phase=enospc")] {
            let scene = start.scene.copy();
            assert!(dies(&scene, Act::Update, "swap.out+after=kill"));
            let at = format!("{},{also}", lasting(point, kind));
            match recover_with(&scene, &at) {
                Ok(Recovery::Undone { why: Some(why), .. }) => assert!(why.contains(point), "{point}: {why}"),
                other => panic!("{at}: {other:?}"),
            }
            assert_eq!((scene.walk(), scene.walk_backups()), start.old(), "{at}");
            let history = updater::history::read(&scene.folder()).unwrap();
            assert!(history.last().unwrap().detail.as_ref().is_some_and(|detail| detail.contains(point)), "{history:?}");
            assert!(!start.check(&scene, Act::Update, &at));
        }
    }
}

#[test]
fn f6_a_recovery_whose_commit_cannot_be_written_goes_back_unless_it_may_have_been_written() {
    let start = Start::new();
    let cut = start.scene.copy();
    assert!(dies(&cut, Act::Update, "swap.out+after=kill"));
    let scene = cut.copy();
    let outcome = recover_with(&scene, "swap.phase=enospc");
    assert!(matches!(outcome, Ok(Recovery::Undone { why: Some(_), .. })), "{outcome:?}");
    assert!(!start.check(&scene, Act::Update, "a commit that failed"));
    let scene = cut.copy();
    let outcome = recover_with(&scene, &lasting("swap.phase", "enospc"));
    assert!(matches!(outcome, Err(RecoveryError::Interrupted { .. })), "{outcome:?}");
    assert_eq!(scene.walk(), start.build(5));
    assert!(start.check(&scene, Act::Update, "a commit in doubt"));
}

#[test]
fn f6_of_two_ways_that_are_barred_the_first_that_opens_is_taken() {
    let start = Start::new();
    let cut = start.scene.copy();
    assert!(dies(&cut, Act::Update, "swap.out+after=kill"));
    let (forward, back) = (lasting("swap.put", "eacces"), lasting("undo.keep", "eacces"));
    for _ in 0..3 {
        let outcome = recover_with(&cut, &format!("{forward},{back}"));
        assert!(matches!(outcome, Err(RecoveryError::Interrupted { .. })), "{outcome:?}");
    }
    let scene = cut.copy();
    assert!(matches!(recover_with(&scene, &forward), Ok(Recovery::Undone { .. })));
    assert!(!start.check(&scene, Act::Update, "the way back opened"));
    let outcome = recover_with(&cut, &back);
    assert!(matches!(outcome, Ok(Recovery::Finished { .. })), "{outcome:?}");
    assert!(start.check(&cut, Act::Update, "the way forward opened"));
}

#[test]
fn f6_a_second_name_that_a_file_got_meanwhile_does_not_stop_a_recovery_and_keeps_its_time() {
    let start = Start::new();
    let scene = start.scene.copy();
    assert!(dies(&scene, Act::Update, "swap.set=kill"));
    let second = scene.place.path().join("second name");
    fs::hard_link(scene.path().join("touched.txt"), &second).unwrap();
    let before = fs::metadata(&second).unwrap().modified().unwrap();
    let outcome = recover_with(&scene, "");
    assert!(matches!(outcome, Ok(Recovery::Finished { .. })), "{outcome:?}");
    assert_eq!(fs::metadata(&second).unwrap().modified().unwrap(), before);
    assert!(start.check(&scene, Act::Update, "a second name"));
}

#[test]
fn a_commit_that_may_have_reached_the_disk_is_never_undone_behind_its_back() {
    let start = Start::new();
    let scene = start.scene.copy();
    fault::arm("swap.phase:1=enospc,swap.phase:2=enospc,swap.phase:3=enospc");
    let outcome = Act::Update.run(&scene.path());
    fault::arm("");
    assert!(matches!(outcome, Err(SwapError::Interrupted { .. })), "{outcome:?}");
    assert_eq!(scene.walk(), start.build(5));
    assert!(start.check(&scene, Act::Update, "a commit in doubt"));
}

#[test]
fn ac_13_a_time_reads_back_as_a_coarse_file_system_keeps_it() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "coarse_child", "--ignored"])
        .env("STATIONMASTER_FAULT_MTIME_GRANULARITY_NS", "2000000000")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

#[test]
#[ignore = "started by the test before it, with another granularity of times"]
fn coarse_child() {
    let scene = Scene::at(1);
    let (folder, path) = (scene.folder(), LocalPath::from(&"same.txt".parse().unwrap()));
    for (set, read) in [(1_763_683_201, 1_763_683_200), (-1, -2), (0, 0)] {
        let stat = folder.set_attributes(&path, FileTime::clamped(set), 0o644, Point::StageAttributes).unwrap();
        assert_eq!(stat.mtime(), FileTime::clamped(read));
        let mut installed: Installed = scene.installed().unwrap();
        let file = installed.files.iter_mut().find(|file| file.path.as_str() == "same.txt").unwrap();
        (file.as_set, file.as_read) = (FileTime::clamped(set), Some(stat.mtime()));
        assert!(file.is_as_installed(&folder.stat(&path).unwrap().unwrap()));
    }
}
