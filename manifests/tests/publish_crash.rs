//! A crash between any two writes leaves what stations see as it was, whole; and the same command ends what it began.

use manifests::name::ChannelId;
use manifests::publish::{Outcome, Silent};
use manifests::testing::{CHANNEL, TestRepository};

/// More steps than any command of these tests takes.
const MANY: u64 = 1000;

fn id() -> ChannelId {
    ChannelId::from_target_path(CHANNEL).unwrap()
}

fn current(test: &TestRepository) -> Option<u64> {
    test.view().channels.get(&id()).and_then(|document| document.current().map(|release| release.sequence))
}

/// Whether everything is as it was signed; roles may have expired where a test let time pass.
fn sound(test: &TestRepository) -> bool {
    test.repository().verify(test.now(), &Silent).unwrap().problems.iter().all(|problem| problem.code == "expired")
}

/// Runs `command` on a fresh repository after `prepare`, stopped after every possible number of steps; then checks, and runs it again unstopped.
fn at_every_step(
    prepare: impl Fn(&mut TestRepository),
    command: impl Fn(&TestRepository) -> bool,
    old: Option<u64>,
    new: Option<u64>,
) -> u64 {
    for steps in 0..MANY {
        let mut test = TestRepository::new();
        prepare(&mut test);
        test.repository().disk().stop_after(steps);
        let ended = command(&test);
        test.repository().disk().stop_after(u64::MAX);
        assert!(sound(&test), "after {steps} steps");
        let seen = current(&test);
        assert!(seen == old || seen == new, "after {steps} steps: {seen:?}");
        if ended {
            assert_eq!(seen, new);
            return steps;
        }
        assert!(command(&test), "again after {steps} steps");
        assert!(sound(&test));
        assert_eq!(current(&test), new, "again after {steps} steps");
    }
    panic!("it never ended");
}

#[test]
fn c11_a_publish_stopped_after_any_write_leaves_the_old_view_whole() {
    let prepare = |test: &mut TestRepository| {
        test.publish_files(&[("a", b"1"), ("b", b"same")], "1.0.0");
        test.folder("next", &[("a", b"2"), ("b", b"same"), ("c", &[7; 600_000])]);
    };
    let publish = |test: &TestRepository| {
        let request = test.request(&test.scratch("next"), "1.0.1");
        matches!(test.repository().publish(&request, test.now(), &Silent), Ok(Outcome::Published(_) | Outcome::AlreadyCurrent(_)))
    };
    let steps = at_every_step(prepare, publish, Some(1), Some(2));
    // Two packs, manifest, channel document, OS role, snapshot, timestamp: two steps each.
    assert_eq!(steps, 14);
}

#[test]
fn the_first_publish_stopped_after_any_write_shows_nothing_or_all() {
    let prepare = |test: &mut TestRepository| drop(test.folder("next", &[("a", b"2")]));
    let publish =
        |test: &TestRepository| test.repository().publish(&test.request(&test.scratch("next"), "1.0.0"), test.now(), &Silent).is_ok();
    at_every_step(prepare, publish, None, Some(1));
}

#[test]
fn gc_stopped_after_any_step_removes_no_live_object_and_ends_the_next_time() {
    let prepare = |test: &mut TestRepository| {
        for build in ["1.0.0", "1.0.1", "1.0.2"] {
            test.publish_files(&[("a", build.as_bytes())], build);
        }
        test.repository().prune(1, false, test.now(), &Silent).unwrap();
        test.repository().gc(false, test.now(), &Silent).unwrap();
        test.pass_days(1);
    };
    at_every_step(prepare, |test| test.repository().gc(false, test.now(), &Silent).is_ok(), Some(3), Some(3));
}

#[test]
fn a_refresh_of_every_role_stopped_after_any_write_can_be_run_again() {
    let prepare = |test: &mut TestRepository| {
        test.publish_files(&[("a", b"1")], "1.0.0");
        test.pass_days(200);
    };
    let steps = at_every_step(prepare, |test| test.repository().refresh(test.now(), &Silent).is_ok(), Some(1), Some(1));
    assert_eq!(
        steps, 21,
        "nine roles, two steps each, and the note that shows root and timestamp together: written in two, removed in one"
    );
}

#[test]
fn two_publishers_at_once_list_two_releases_or_one_of_them_waits() {
    use manifests::publish::{PublishError, Repository};
    use std::time::Duration;
    let test = TestRepository::new();
    let folders: Vec<_> = (0..4).map(|index| test.folder(&format!("build{index}"), &[("a", format!("{index}").as_bytes())])).collect();
    std::thread::scope(|scope| {
        for folder in &folders {
            scope.spawn(|| {
                let repository = Repository::open(test.path(), None).unwrap().waiting(Duration::from_secs(60));
                repository.publish(&test.request(folder, "1.0.0"), test.now(), &Silent).unwrap();
            });
        }
    });
    let sequences: Vec<_> = test.view().channels[&id()].releases.iter().map(|release| release.sequence).collect();
    assert_eq!(sequences, [4, 3, 2, 1]);
    assert!(sound(&test));
    let lock = std::fs::File::options().write(true).open(test.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let refused = test.repository().publish(&test.request(&folders[0], "1.0.0"), test.now(), &Silent);
    assert!(matches!(refused, Err(PublishError::Lock(_))), "{refused:?}");
}
