//! One station and one channel at a time; what holds for all of them is in `tests/steering.rs`.

use super::*;
use crate::channel::{Compatible, Kind, ObjectRef, Requires, Withdrawn};
use crate::name::ChannelId;
use crate::policy::Floor;
use crate::time::UtcTime;

fn build(text: &str) -> Build {
    Build::recognise(text).unwrap()
}

fn release(sequence: u64, text: &str) -> Release {
    Release {
        sequence,
        build: build(text),
        released: UtcTime::from_unix(0),
        manifest: ObjectRef { sha256: Digest::of(text.as_bytes()), length: 1 },
        entry_point: None,
        requires: Requires::default(),
        compatible: Compatible::default(),
        security: false,
        floor: false,
        withdrawn: None,
        allow_downgrade: false,
        deadline: None,
        approver: None,
        notes: None,
        probe: None,
        deltas: vec![],
    }
}

fn channel(releases: Vec<Release>) -> ChannelDocument {
    let id = ChannelId::from_target_path("linux/p/any/stable.json").unwrap();
    let last_sequence = releases.first().map_or(0, |release| release.sequence);
    ChannelDocument { releases, last_sequence, ..ChannelDocument::empty(id, Kind::Product, 1) }
}

fn at<'a>(sequence: u64, installed: &'a Build) -> Facts<'a> {
    let place = Place(1, sequence);
    let manifest = Digest::of(installed.text().as_bytes());
    Facts { installed: Some(Installed { place, build: installed, manifest }), highest: Some(place), ..Facts::default() }
}

fn offered(channel: &ChannelDocument, facts: &Facts<'_>) -> Result<u64, Option<Refusal>> {
    let decision = decide(channel, &Policy::new("r".parse().unwrap()), facts);
    match decision.verdict {
        Verdict::Offer(release) => Ok(release.sequence),
        _ => Err(decision.passed_over.into_iter().next().map(|passed| passed.refusal)),
    }
}

#[test]
fn the_newest_live_release_is_offered() {
    let mut releases = vec![release(3, "3.0.0"), release(2, "2.0.0"), release(1, "1.0.0")];
    assert_eq!(offered(&channel(releases.clone()), &Facts::default()), Ok(3));
    releases[0].withdrawn = Some(Withdrawn { at: UtcTime::from_unix(0), reason: "bad".into() });
    assert_eq!(offered(&channel(releases.clone()), &Facts::default()), Ok(2));
    assert_eq!(offered(&channel(releases), &at(2, &build("2.0.0"))), Err(Some(Refusal::Withdrawn { reason: "bad".into() })));
}

#[test]
fn ac_05_an_older_build_needs_allow_downgrade() {
    let mut back = release(3, "1.0.0");
    let installed = build("2.0.0");
    assert_eq!(offered(&channel(vec![back.clone()]), &at(2, &installed)), Err(Some(Refusal::Downgrade { installed: "2.0.0".into() })));
    back.allow_downgrade = true;
    assert_eq!(offered(&channel(vec![back]), &at(2, &installed)), Ok(3));
}

#[test]
fn builds_of_another_notation_are_refused_not_guessed() {
    assert!(matches!(offered(&channel(vec![release(3, "17.3.0.14")]), &at(2, &build("2.0.0"))), Err(Some(Refusal::Incomparable { .. }))));
}

#[test]
fn ac_45_what_a_rollback_left_is_held_until_something_newer_comes() {
    let installed = build("1.0.0");
    let held = Facts { hold: Some((Place(1, 2), Digest::of(b"2.0.0"))), highest: Some(Place(1, 2)), ..at(1, &installed) };
    assert_eq!(offered(&channel(vec![release(2, "2.0.0")]), &held), Err(Some(Refusal::Held)));
    let mut again = release(3, "2.0.1");
    again.manifest.sha256 = Digest::of(b"2.0.0");
    assert_eq!(offered(&channel(vec![again]), &held), Err(Some(Refusal::Held)), "the same files under a higher number");
    assert_eq!(offered(&channel(vec![release(3, "3.0.0"), release(2, "2.0.0")]), &held), Ok(3));
}

#[test]
fn a4_a_release_below_what_was_accepted_is_refused() {
    let installed = build("1.0.0");
    let facts = Facts { highest: Some(Place(1, 9)), ..at(1, &installed) };
    assert!(matches!(offered(&channel(vec![release(5, "5.0.0")]), &facts), Err(Some(Refusal::Replayed { .. }))));
}

#[test]
fn a_new_epoch_stands_above_any_sequence_of_the_old_one() {
    let installed = build("1.0.0");
    let mut renewed = channel(vec![release(2, "2.0.0")]);
    renewed.epoch = 2;
    assert_eq!(offered(&renewed, &at(1 << 50, &installed)), Ok(2));
}

#[test]
fn ac_22_a_release_that_needs_more_is_passed_over_for_one_that_does_not() {
    let mut needy = release(3, "3.0.0");
    needy.requires.updater = Some(Bound(build("9.0.0")));
    let updater = build("0.1.0");
    let facts = Facts { updater: Some(&updater), ..Facts::default() };
    let both = channel(vec![needy, release(2, "2.0.0")]);
    let decision = decide(&both, &Policy::new("r".parse().unwrap()), &facts);
    assert!(matches!(decision.verdict, Verdict::Offer(release) if release.sequence == 2));
    assert!(matches!(&decision.passed_over[..], [PassedOver { sequence: 3, refusal: Refusal::Needs { part: "updater", .. }, .. }]));
}

#[test]
fn the_same_files_under_a_higher_sequence_are_only_renumbered() {
    let installed = build("1.0.0");
    let again = channel(vec![release(4, "1.0.0")]);
    assert!(matches!(decide(&again, &Policy::new("r".parse().unwrap()), &at(2, &installed)).verdict, Verdict::Renumber(_)));
}

/// What is offered at `installed` (0: nothing is installed) of releases 1 to 9 under `steering` and security floors, and what is said about it.
fn steered(installed: u64, floors: &[u64], steering: Steering) -> (Option<u64>, Vec<Warning>) {
    let releases: Vec<Release> = (1..=9).rev().map(|sequence| release(sequence, &format!("{sequence}.0.0"))).collect();
    let channel = channel(releases);
    let mut policy = Policy::new("r".parse().unwrap());
    policy.floors = floors.iter().map(|sequence| floor(*sequence)).collect();
    let here = build(&format!("{installed}.0.0"));
    let station = if installed == 0 { Facts::default() } else { at(installed, &here) };
    let decision = decide(&channel, &policy, &Facts { steering: Some(&steering), ..station });
    let offer = match decision.verdict {
        Verdict::Offer(release) => Some(release.sequence),
        _ => None,
    };
    (offer, decision.warnings)
}

fn floor(sequence: u64) -> Floor {
    let (os, product) = (crate::name::Os::Linux, "p".parse().unwrap());
    Floor { os, product, epoch: 1, sequence, reason: format!("CVE-{sequence}") }
}

fn hold() -> Steering {
    Steering { hold: true, ..Steering::default() }
}

fn up_to(sequence: u64) -> Steering {
    Steering { released_up_to: Some(Place(1, sequence)), ..Steering::default() }
}

fn pin(sequence: u64) -> Steering {
    Steering { pin: Some(Place(1, sequence)), ..Steering::default() }
}

#[test]
fn a_site_narrows_what_is_offered() {
    for (steering, offer) in [(Steering::default(), Some(9)), (hold(), None), (up_to(7), Some(7)), (pin(5), Some(5)), (pin(2), None)] {
        assert_eq!(steered(3, &[], steering.clone()), (offer, vec![]), "{steering:?}");
    }
    let both = Steering { pin: Some(Place(1, 8)), ..up_to(7) };
    assert_eq!(steered(3, &[], both), (None, vec![]), "what is pinned has to be released, too");
}

#[test]
fn what_the_site_passes_over_has_the_sites_reason() {
    let releases = channel(vec![release(3, "3.0.0"), release(2, "2.0.0"), release(1, "1.0.0")]);
    let of = |steering: Steering| {
        let facts = Facts { steering: Some(&steering), ..Facts::default() };
        decide(&releases, &Policy::new("r".parse().unwrap()), &facts)
            .passed_over
            .into_iter()
            .map(|passed| (passed.sequence, passed.refusal))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(up_to(2)), [(3, Refusal::NotReleasedBySite { up_to: "2".into() })]);
    assert_eq!(of(pin(1)), [3, 2].map(|sequence| (sequence, Refusal::PinnedBySite { to: "1".into() })));
    assert_eq!(of(hold()), [3, 2, 1].map(|sequence| (sequence, Refusal::HeldBySite)));
}

#[test]
fn no_wish_of_a_site_keeps_a_station_below_a_security_floor() {
    let said = |sequence: u64, floor: u64| Warning::OfferedForFloor { sequence, reason: format!("CVE-{floor}") };
    for steering in [hold(), up_to(3), up_to(5), pin(3), pin(4)] {
        let (offer, warnings) = steered(3, &[6], steering.clone());
        assert_eq!(offer, Some(6), "the lowest that closes it: {steering:?}");
        assert!(warnings.contains(&said(6, 6)), "{steering:?}: {warnings:?}");
    }
    assert_eq!(steered(6, &[6], hold()), (None, vec![]), "a station that is not below it is held");
    assert_eq!(steered(3, &[6], up_to(7)).0, Some(7), "a wish that leads above it is followed");
    assert_eq!(steered(3, &[6, 4, 12], hold()).0, Some(6), "of floors that can be reached the highest");
    assert_eq!(steered(0, &[6], pin(3)).0, Some(6), "nobody begins below it");
    assert_eq!(steered(0, &[6], hold()).0, None, "who has nothing is not below it");
}

#[test]
fn a_pin_below_a_security_floor_is_named() {
    let named = Warning::PinBelowFloor { to: "3".into(), reason: "CVE-6".into() };
    assert_eq!(steered(6, &[6], pin(3)), (None, vec![named.clone()]));
    assert!(steered(3, &[6], pin(3)).1.contains(&named));
    assert_eq!(steered(3, &[6], pin(6)).1, [Warning::BelowFloor { reason: "CVE-6".into() }]);
}

#[test]
fn a_floor_of_an_earlier_epoch_is_above_every_release_of_it() {
    let mut policy = Policy::new("r".parse().unwrap());
    policy.floors = vec![floor(6)];
    let here = build("9.0.0");
    let warned = |policy: &Policy| decide(&channel(vec![]), policy, &at(1 << 50, &here)).warnings;
    assert_eq!(warned(&policy), []);
    policy.begin_epoch(crate::name::Os::Linux);
    assert_eq!(warned(&policy), [Warning::BelowFloor { reason: "CVE-6".into() }], "a thief's huge sequence is above no floor of its epoch");
}

fn refused(refusal: Option<Refusal>) -> (String, String) {
    let refusal = refusal.unwrap();
    (serde_json::to_value(&refusal).unwrap()["code"].as_str().unwrap().to_owned(), refusal.to_string())
}

#[test]
fn ac_17_a_release_that_does_not_fit_the_server_is_passed_over_for_one_that_does() {
    let mut both = channel(vec![release(3, "18.0.0.0"), release(2, "17.3.0.14")]);
    both.server = Some(Bound(build("17.3.0.9")));
    let decision = decide(&both, &Policy::new("r".parse().unwrap()), &Facts::default());
    assert!(matches!(decision.verdict, Verdict::Offer(release) if release.sequence == 2));
    let json = serde_json::to_value(&decision.passed_over).unwrap();
    let wanted = serde_json::json!([{"sequence":3,"build":"18.0.0.0","code":"incompatible","client":"18.0.0.0","server":"17.3.0.9","why":"client-major-newer"}]);
    assert_eq!(json, wanted);
}

#[test]
fn ac_18_a_newer_minor_is_offered() {
    let mut newer = channel(vec![release(3, "17.4.0.0")]);
    newer.server = Some(Bound(build("17.3.0.9")));
    assert_eq!(offered(&newer, &Facts::default()), Ok(3));
}

#[test]
fn d_07_what_the_station_knows_of_its_server_stands_above_what_the_channel_says() {
    let mut older = channel(vec![release(3, "17.3.0.14")]);
    older.server = Some(Bound(build("17.3.0.14")));
    let server = build("17.4.0.0");
    let (code, text) = refused(offered(&older, &Facts { server: Some(&server), ..Facts::default() }).unwrap_err());
    assert_eq!(code, "incompatible");
    assert!(text.contains("17.3.0.14") && text.contains("17.4.0.0"), "{text}");
}

#[test]
fn ac_20_a_server_in_another_notation_refuses_rather_than_guesses() {
    let mut other = channel(vec![release(3, "17.3.0.14")]);
    other.server = Some(Bound(build("7.00.170117A")));
    assert_eq!(refused(offered(&other, &Facts::default()).unwrap_err()).0, "cannot-be-compared");
    other.releases[0].compatible.servers = Some(crate::channel::BuildRange { min: other.server.clone(), max: None });
    assert_eq!(offered(&other, &Facts::default()), Ok(3), "the publisher said that they fit");
}

#[test]
fn ac_21_no_update_where_one_of_both_minimums_is_not_met_and_both_are_named() {
    let mut needy = release(3, "17.3.0.20");
    needy.requires.server = Some(Bound(build("17.3.0.14")));
    needy.requires.client = Some(Bound(build("17.3.0.9")));
    for (client, server, fits) in [("17.3.0.8", "17.3.0.14", false), ("17.3.0.9", "17.3.0.13", false), ("17.3.0.9", "17.3.0.14", true)] {
        let mut both = channel(vec![needy.clone()]);
        both.server = Some(Bound(build(server)));
        let installed = build(client);
        match offered(&both, &at(1, &installed)) {
            Ok(sequence) => assert!(fits && sequence == 3),
            Err(refusal) => {
                let (code, text) = refused(refusal);
                assert!(!fits && code == "needs-both-minimums", "{text}");
                assert!([client, server, "17.3.0.9", "17.3.0.14"].iter().all(|build| text.contains(build)), "{text}");
            }
        }
    }
    let mut fresh = channel(vec![needy]);
    fresh.server = Some(Bound(build("17.3.0.14")));
    assert_eq!(offered(&fresh, &Facts::default()), Ok(3), "where nothing is installed, nothing is too old");
}

#[test]
fn ac_33_a_release_that_is_ignored_is_passed_over_until_a_newer_one_comes() {
    let installed = build("1.0.0");
    let facts = Facts { ignored: &[Place(1, 2)], ..at(1, &installed) };
    let mut releases = vec![release(2, "2.0.0"), release(1, "1.0.0")];
    assert_eq!(offered(&channel(releases.clone()), &facts), Err(Some(Refusal::Ignored)));
    assert_eq!(offered(&channel(releases.clone()), &Facts { ignored: &[Place(2, 2)], ..facts }), Ok(2), "that number of another epoch");
    releases.insert(0, release(3, "3.0.0"));
    assert_eq!(offered(&channel(releases.clone()), &facts), Ok(3));
    let newest = Facts { ignored: &[Place(1, 3)], ..facts };
    assert_eq!(offered(&channel(releases.clone()), &newest), Ok(2), "that one alone");
    let both = Facts { ignored: &[Place(1, 2), Place(1, 3)], ..facts };
    assert_eq!(offered(&channel(releases.clone()), &both), Err(Some(Refusal::Ignored)));
    releases[0].withdrawn = Some(Withdrawn { at: UtcTime::from_unix(0), reason: "bad".into() });
    assert_eq!(offered(&channel(releases), &both), Err(Some(Refusal::Withdrawn { reason: "bad".into() })), "the better reason");
}

#[test]
fn ac_33_what_a_station_needs_cannot_be_ignored_whatever_was_ignored_before() {
    let installed = build("1.0.0");
    let facts = Facts { ignored: &[Place(1, 2)], ..at(1, &installed) };
    let policy = Policy::new("r".parse().unwrap());
    let with = |change: fn(&mut Release)| {
        let mut releases = vec![release(2, "2.0.0"), release(1, "1.0.0")];
        change(&mut releases[0]);
        channel(releases)
    };
    let required = |document: &ChannelDocument, facts: &Facts<'_>| {
        assert_eq!(offered(document, facts), Ok(2), "it is offered all the same");
        required_because(document, &policy, &document.releases[0], facts).unwrap()
    };
    assert_eq!(required(&with(|release| release.security = true), &facts), Required::Security);
    let floor = Required::BelowFloor { reason: "release 2 closes it".into() };
    assert_eq!(required(&with(|release| release.floor = true), &facts), floor);
    let due = with(|release| release.deadline = Some(UtcTime::from_unix(60)));
    let over = Required::Overdue { deadline: UtcTime::from_unix(60) };
    assert_eq!(required(&due, &Facts { now: Some(UtcTime::from_unix(60)), ..facts }), over);
    let before = Facts { now: Some(UtcTime::from_unix(59)), ..facts };
    assert_eq!(offered(&due, &before), Err(Some(Refusal::Ignored)), "until then it may be put off");
    let server = build("2.0.0");
    assert_eq!(required(&with(|_| ()), &Facts { server: Some(&server), ..facts }), Required::Incompatible);
    assert_eq!(required(&with(|_| ()), &Facts { installed: None, highest: None, ..facts }), Required::NothingElse);
    let plain = with(|_| ());
    assert_eq!(required_because(&plain, &policy, &plain.releases[0], &facts), None);
}
