//! Withdrawing, pruning, refreshing, collecting garbage.

use manifests::name::ChannelId;
use manifests::publish::compose::Refused;
use manifests::publish::retire::WithdrawOutcome;
use manifests::publish::{PublishError, Silent};
use manifests::testing::{CHANNEL, TestRepository};

fn id() -> ChannelId {
    ChannelId::from_target_path(CHANNEL).unwrap()
}

fn sequences(test: &TestRepository) -> Vec<u64> {
    test.view().channels[&id()].releases.iter().map(|release| release.sequence).collect()
}

fn publish_three(test: &TestRepository) {
    for build in ["1.0.0", "1.0.1", "1.0.2"] {
        test.publish_files(&[("a", build.as_bytes()), ("b", b"same")], build);
    }
}

fn sound(test: &TestRepository) -> bool {
    test.repository().verify(test.now(), &Silent).unwrap().problems.is_empty()
}

#[test]
fn a_withdrawn_release_stays_listed_and_is_not_current() {
    let test = TestRepository::new();
    publish_three(&test);
    let withdraw = |sequence| test.repository().withdraw(&id(), sequence, "crashes", test.now(), &Silent);
    assert_eq!(withdraw(3).unwrap(), WithdrawOutcome::Withdrawn);
    assert!(matches!(withdraw(3).unwrap(), WithdrawOutcome::AlreadyWithdrawn(before) if before.reason == "crashes"));
    assert_eq!(sequences(&test), [3, 2, 1]);
    assert_eq!(test.view().channels[&id()].current().unwrap().sequence, 2);
    assert!(matches!(withdraw(9), Err(PublishError::Refused(Refused::NoRelease { .. }))));
    let nowhere = ChannelId::from_target_path("wince/x/any/stable.json").unwrap();
    let refused = test.repository().withdraw(&nowhere, 1, "x", test.now(), &Silent);
    assert!(matches!(refused, Err(PublishError::Refused(Refused::NoChannel(_)))));
    assert!(sound(&test));
}

#[test]
fn the_build_before_a_withdrawn_one_can_be_listed_again() {
    let test = TestRepository::new();
    publish_three(&test);
    test.repository().withdraw(&id(), 3, "crashes", test.now(), &Silent).unwrap();
    let folder = test.folder("again", &[("a", b"1.0.1"), ("b", b"same")]);
    let mut request = test.request(&folder, "1.0.1");
    request.attributes.allow_downgrade = true;
    let published = test.publish(&request).published().clone();
    assert_eq!((published.sequence, published.new_files), (4, 0));
}

#[test]
fn pruned_numbers_are_never_given_out_again() {
    let test = TestRepository::new();
    publish_three(&test);
    let pruned = test.repository().prune(1, false, test.now(), &Silent).unwrap();
    assert_eq!(pruned[0].sequences, [2, 1]);
    assert_eq!(sequences(&test), [3]);
    assert_eq!(test.repository().prune(1, false, test.now(), &Silent).unwrap(), []);
    assert_eq!(test.publish_files(&[("a", b"x")], "1.0.3").sequence, 4);
    assert!(matches!(test.repository().prune(0, false, test.now(), &Silent), Err(PublishError::Refused(Refused::KeepNothing))));
}

#[test]
fn gc_removes_after_a_day_what_pruning_left_and_never_a_live_object() {
    let mut test = TestRepository::new();
    publish_three(&test);
    test.repository().prune(1, false, test.now(), &Silent).unwrap();
    let dry = test.repository().gc(true, test.now(), &Silent).unwrap();
    let first = test.repository().gc(false, test.now(), &Silent).unwrap();
    assert_eq!(dry, first);
    assert!(first.removed.is_empty() && first.waiting.len() >= 4);
    // A publish in between names an old content again.
    test.publish_files(&[("a", b"1.0.0"), ("b", b"same")], "1.0.3");
    test.pass_days(1);
    let second = test.repository().gc(false, test.now(), &Silent).unwrap();
    assert!(!second.removed.is_empty() && second.removed.len() <= first.waiting.len());
    assert!(sound(&test));
    assert_eq!(test.publish_files(&[("a", b"1.0.0"), ("b", b"same")], "1.0.3").sequence, 4);
    test.pass_days(1);
    test.repository().gc(false, test.now(), &Silent).unwrap();
    let audit = test.repository().verify(test.now(), &Silent).unwrap();
    assert_eq!((audit.problems.len(), audit.orphans.len()), (0, 0));
}

#[test]
fn whatever_happens_in_between_gc_leaves_a_repository_that_verifies() {
    // A fixed stream of choices: the same sequence of commands at every run.
    let mut state = 42u64;
    let mut choose = |choices: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % choices
    };
    let mut test = TestRepository::new();
    let mut build = 0;
    for _ in 0..60 {
        match choose(6) {
            0..=2 => {
                build += 1;
                let (a, b) = (vec![choose(4) as u8; 3000], vec![choose(3) as u8 + 10; 700_000]);
                test.publish_files(&[("a", &a), ("b", &b), ("c", b"same")], &format!("1.0.{build}"));
            }
            3 => drop(test.repository().prune(1 + choose(2) as usize, false, test.now(), &Silent).unwrap()),
            4 => test.pass_days(1),
            _ => drop(test.repository().gc(false, test.now(), &Silent).unwrap()),
        }
        test.repository().refresh(test.now(), &Silent).unwrap();
        assert!(sound(&test));
    }
}

#[test]
fn gc_removes_nothing_when_it_cannot_tell_what_is_live() {
    let mut test = TestRepository::new();
    publish_three(&test);
    test.repository().gc(false, test.now(), &Silent).unwrap();
    test.pass_days(2);
    let manifest = test.view().channels[&id()].current().unwrap().manifest.sha256.object_path();
    test.tamper(&manifest, |bytes| bytes[20] ^= 1);
    let before = test.repository().disk().files("objects").unwrap().len();
    assert!(matches!(test.repository().gc(false, test.now(), &Silent), Err(PublishError::View(_))));
    assert_eq!(test.repository().disk().files("objects").unwrap().len(), before);
}

#[test]
fn refresh_signs_the_timestamp_always_and_the_rest_at_half_their_life() {
    let mut test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    let mut roles_after = |days| {
        test.pass_days(days);
        let refreshed = test.repository().refresh(test.now(), &Silent).unwrap();
        assert!(sound(&test));
        refreshed.signed.into_iter().map(|(role, ..)| role).collect::<Vec<_>>()
    };
    assert_eq!(roles_after(1), ["timestamp"]);
    assert_eq!(roles_after(15), ["snapshot", "timestamp"]);
    assert_eq!(roles_after(190), ["root", "android", "linux", "macosx", "wince", "windows", "targets", "snapshot", "timestamp"]);
    assert_eq!(test.view().root_pin.version, 2);
}

#[test]
fn refresh_without_the_offline_keys_does_what_it_can_and_says_the_rest() {
    let mut test = TestRepository::new();
    let view = test.view();
    for role in ["root", "targets"] {
        let id = &view.keys_of(role).unwrap().keyids[0];
        std::fs::remove_file(test.repository().keys().path().join(format!("{id}.json"))).unwrap();
    }
    test.pass_days(200);
    let refreshed = test.repository().refresh(test.now(), &Silent).unwrap();
    let skipped: Vec<_> = refreshed.skipped.iter().map(|(role, ..)| role.as_str()).collect();
    assert_eq!(skipped, ["root", "targets"]);
    assert!(refreshed.signed.iter().any(|(role, ..)| role == "linux"));
}

#[test]
fn an_expired_repository_is_a_problem_and_can_still_be_refreshed() {
    let mut test = TestRepository::new();
    test.publish_files(&[("a", b"1")], "1.0.0");
    test.pass_days(8);
    let problems = test.repository().verify(test.now(), &Silent).unwrap().problems;
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["expired"]);
    test.repository().refresh(test.now(), &Silent).unwrap();
    assert!(sound(&test));
}

#[test]
fn a_reason_says_something_and_nothing_to_a_terminal() {
    let test = TestRepository::new();
    publish_three(&test);
    let withdraw = |reason: &str| test.repository().withdraw(&id(), 3, reason, test.now(), &Silent);
    for empty in ["", " \n"] {
        assert!(matches!(withdraw(empty), Err(PublishError::Refused(Refused::TextEmpty(_)))));
    }
    assert!(matches!(withdraw("\u{1b}[2J"), Err(PublishError::Refused(Refused::ControlCharacter(_, '\u{1b}')))));
    assert_eq!(withdraw("crashes\nat start").unwrap(), WithdrawOutcome::Withdrawn);
}

#[test]
fn the_files_of_a_withdrawn_release_need_another_build() {
    let test = TestRepository::new();
    publish_three(&test);
    test.repository().withdraw(&id(), 3, "crashes at start", test.now(), &Silent).unwrap();
    let folder = test.folder("again", &[("a", b"1.0.2"), ("b", b"same")]);
    let refused = test.repository().publish(&test.request(&folder, "1.0.2"), test.now(), &Silent).unwrap_err();
    assert!(matches!(refused, PublishError::Refused(Refused::WasWithdrawn { sequence: 3, .. })), "{refused:?}");
    assert!(refused.to_string().contains("crashes at start") && refused.to_string().contains("another build"), "{refused}");
    assert_eq!(test.publish(&test.request(&folder, "1.0.3")).published().sequence, 4);
    // Other files are another release: a rebuild under the same number is the publisher's to answer for.
    let test = TestRepository::new();
    publish_three(&test);
    test.repository().withdraw(&id(), 3, "crashes at start", test.now(), &Silent).unwrap();
    assert_eq!(test.publish_files(&[("a", b"mended")], "1.0.2").sequence, 4);
}
