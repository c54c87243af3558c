//! Steering may only narrow, for any channel, policy, station and wishes; so may people who ignore a release.
//!
//! What is acceptable is judged here by code of its own, from the documents' rules (`docs/format.md` sections 4 and 5), not by the decision that is tested.

use std::cmp::Ordering;

use manifests::build::Build;
use manifests::channel::{Bound, ChannelDocument, Compatible, Kind, ObjectRef, Place, Release, Requires, Unavailable, Withdrawn};
use manifests::decide::{Decision, Facts, Installed, Refusal, Verdict, Warning, decide};
use manifests::digest::Digest;
use manifests::name::{ChannelId, Os};
use manifests::policy::{Floor, Policy, SteeringBounds};
use manifests::steering::Steering;
use manifests::time::UtcTime;
use proptest::option::weighted;
use proptest::prelude::*;

/// Small numbers everywhere, so that floors, pins and releases meet.
const HIGHEST: u64 = 8;

/// What a station knows, owned.
#[derive(Debug, Clone)]
struct Station {
    installed: Option<(Place, Build, Digest)>,
    highest: Option<Place>,
    hold: Option<(Place, Digest)>,
    blocked: Vec<Digest>,
    updater: Option<Build>,
}

impl Station {
    fn facts<'a>(&'a self, steering: Option<&'a Steering>) -> Facts<'a> {
        let installed = self.installed.as_ref().map(|(place, build, manifest)| Installed { place: *place, build, manifest: *manifest });
        Facts {
            installed,
            highest: self.highest,
            hold: self.hold,
            blocked: &self.blocked,
            updater: self.updater.as_ref(),
            steering,
            ..Facts::default()
        }
    }

    fn place(&self) -> Option<Place> {
        self.installed.as_ref().map(|(place, ..)| *place)
    }
}

fn place() -> impl Strategy<Value = Place> {
    (prop_oneof![9 => Just(1u64), 1 => Just(2u64)], 1..=HIGHEST).prop_map(|(epoch, sequence)| Place(epoch, sequence))
}

/// Mostly one notation.
fn build() -> impl Strategy<Value = Build> {
    prop_oneof![9 => (1..5u8).prop_map(|major| format!("{major}.0.0")), 1 => Just("17.3.0.14".to_owned())]
        .prop_map(|text| Build::recognise(&text).unwrap())
}

fn digest() -> impl Strategy<Value = Digest> {
    (0..6u8).prop_map(|number| Digest::of(&[number]))
}

fn withdrawn() -> impl Strategy<Value = Option<Withdrawn>> {
    weighted(0.2, Just(Withdrawn { at: UtcTime::from_unix(0), reason: "bad".into() }))
}

fn release(sequence: u64) -> impl Strategy<Value = Release> {
    let needs = weighted(0.2, build().prop_map(Bound));
    let (floor, security) = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (build(), digest(), withdrawn(), any::<bool>(), floor, security, needs).prop_map(
        move |(build, sha256, withdrawn, allow_downgrade, floor, security, updater)| Release {
            sequence,
            build,
            released: UtcTime::from_unix(0),
            manifest: ObjectRef { sha256, length: 1 },
            entry_point: None,
            requires: Requires { updater, ..Requires::default() },
            compatible: Compatible::default(),
            security,
            floor,
            withdrawn,
            allow_downgrade,
            deadline: None,
            approver: None,
            notes: None,
            probe: None,
            deltas: vec![],
        },
    )
}

/// A sequence is a release, one that this updater does not understand, or nothing.
fn channel() -> impl Strategy<Value = ChannelDocument> {
    let unavailable = |sequence| {
        (withdrawn(), prop::bool::weighted(0.3)).prop_map(move |(withdrawn, floor)| Unavailable {
            sequence,
            reason: "new".into(),
            security: false,
            floor,
            withdrawn,
        })
    };
    let entry = move |sequence| {
        prop_oneof![
            6 => release(sequence).prop_map(|release| (Some(release), None)),
            1 => unavailable(sequence).prop_map(|unavailable| (None, Some(unavailable))),
            2 => Just((None, None)),
        ]
    };
    let entries: Vec<_> = (1..=HIGHEST).rev().map(entry).collect();
    (entries, prop_oneof![9 => Just(1u64), 1 => Just(2u64)]).prop_map(|(entries, epoch)| {
        let (releases, unavailable): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let id = ChannelId::from_target_path("linux/p/any/stable.json").unwrap();
        ChannelDocument {
            last_sequence: HIGHEST,
            releases: releases.into_iter().flatten().collect(),
            unavailable: unavailable.into_iter().flatten().collect(),
            ..ChannelDocument::empty(id, Kind::Product, epoch)
        }
    })
}

/// A channel document and the policy it stands under: of one epoch, as stations require.
fn published() -> impl Strategy<Value = (ChannelDocument, Policy)> {
    (channel(), policy()).prop_map(|(channel, mut policy)| {
        while policy.epoch(Os::Linux) < channel.epoch {
            policy.begin_epoch(Os::Linux);
        }
        (channel, policy)
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let floor = (prop_oneof![4 => Just(Os::Linux), 1 => Just(Os::Windows)], prop_oneof![4 => Just("p"), 1 => Just("q")], place());
    let floor = floor.prop_map(|(os, product, Place(epoch, sequence))| Floor {
        os,
        product: product.parse().unwrap(),
        epoch,
        sequence,
        reason: format!("CVE-{sequence}"),
    });
    prop::collection::vec(floor, 0..3).prop_map(|floors| {
        let mut policy = Policy::new("r".parse().unwrap());
        policy.floors = floors;
        policy
    })
}

fn station() -> impl Strategy<Value = Station> {
    let installed = weighted(0.8, (place(), build(), digest()));
    let blocked = prop::collection::vec(digest(), 0..2);
    (installed, weighted(0.5, place()), weighted(0.2, (place(), digest())), blocked, weighted(0.8, build()))
        .prop_map(|(installed, highest, hold, blocked, updater)| Station { installed, highest, hold, blocked, updater })
}

fn steering() -> impl Strategy<Value = Steering> {
    let time = || prop::option::of(prop_oneof![0..1_000u64, any::<u64>()]);
    (prop::bool::weighted(0.2), weighted(0.5, place()), weighted(0.4, place()), time(), time(), time()).prop_map(
        |(hold, released_up_to, pin, ramp_seconds, soak_seconds, check_interval_seconds)| Steering {
            hold,
            released_up_to,
            pin,
            ramp_seconds,
            soak_seconds,
            check_interval_seconds,
        },
    )
}

fn bounds() -> impl Strategy<Value = SteeringBounds> {
    (any::<[u64; 2]>(), prop_oneof![any::<[u64; 2]>(), [1..1_000u64, 1..1_000u64]]).prop_map(|([ramp, soak], mut intervals)| {
        intervals.sort_unstable();
        SteeringBounds {
            fastest_ramp_seconds: ramp,
            least_soak_seconds: soak,
            least_check_interval_seconds: intervals[0],
            longest_check_interval_seconds: intervals[1],
        }
    })
}

/// Whether nothing but the site can have anything against `release`.
fn acceptable(channel: &ChannelDocument, release: &Release, station: &Station) -> bool {
    let place = Place(channel.epoch, release.sequence);
    let newer = station.place().is_none_or(|installed| place > installed);
    let blocked = station.blocked.contains(&release.manifest.sha256);
    let held = station.hold.is_some_and(|(at, manifest)| place <= at || manifest == release.manifest.sha256);
    let replayed = station.highest.is_some_and(|highest| place < highest);
    let needs = release.requires.updater.as_ref();
    let met = needs.is_none_or(|Bound(least)| {
        station.updater.as_ref().is_some_and(|updater| matches!(updater.compare(least), Some(Ordering::Equal | Ordering::Greater)))
    });
    let upwards = station
        .installed
        .as_ref()
        .is_none_or(|(_, build, _)| matches!(release.build.compare(build), Some(Ordering::Equal | Ordering::Greater)));
    newer && release.withdrawn.is_none() && !blocked && !held && !replayed && met && (upwards || release.allow_downgrade)
}

fn offer(decision: &Decision<'_>) -> Option<u64> {
    match decision.verdict {
        Verdict::Offer(release) | Verdict::Renumber(release) => Some(release.sequence),
        Verdict::NothingReleased | Verdict::UpToDate => None,
    }
}

/// Every security floor of the channel.
fn floors(channel: &ChannelDocument, policy: &Policy) -> Vec<Place> {
    let of_policy = policy.floors.iter().filter(|floor| (floor.os, floor.product.as_str()) == (Os::Linux, "p"));
    let listed = channel.releases.iter().filter(|release| release.floor).map(|release| release.sequence);
    let unknown = channel.unavailable.iter().filter(|release| release.floor).map(|release| release.sequence);
    let of_channel = listed.chain(unknown).map(|sequence| Place(channel.epoch, sequence));
    let ended = |floor: &Floor| floor.epoch < channel.epoch;
    of_policy
        .map(|floor| if ended(floor) { Place(floor.epoch + 1, 0) } else { Place(floor.epoch, floor.sequence) })
        .chain(of_channel)
        .collect()
}

/// Whether the site has something against the release at `place`.
fn unwanted(steering: &Steering, place: Place) -> bool {
    steering.hold || steering.released_up_to.is_some_and(|up_to| place > up_to) || steering.pin.is_some_and(|pin| place != pin)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn what_is_offered_under_steering_is_acceptable_without_it_and_never_newer(
        (channel, policy) in published(), station in station(), steering in steering(),
    ) {
        let free = offer(&decide(&channel, &policy, &station.facts(None)));
        let newest = channel.releases.iter().find(|release| acceptable(&channel, release, &station));
        prop_assert_eq!(free, newest.map(|release| release.sequence));
        if let Some(sequence) = offer(&decide(&channel, &policy, &station.facts(Some(&steering)))) {
            let release = channel.releases.iter().find(|release| release.sequence == sequence).unwrap();
            prop_assert!(acceptable(&channel, release, &station));
            prop_assert!(Some(sequence) <= free);
        }
    }

    #[test]
    fn no_steering_leaves_a_station_below_a_floor_that_a_release_closes(
        (channel, policy) in published(), station in station(), steering in steering(),
    ) {
        let offered = offer(&decide(&channel, &policy, &station.facts(Some(&steering))));
        let ends_at = offered.map(|sequence| Place(channel.epoch, sequence)).or(station.place());
        for floor in floors(&channel, &policy) {
            let closes = |release: &Release| Place(channel.epoch, release.sequence) >= floor && acceptable(&channel, release, &station);
            if channel.releases.iter().any(closes) {
                prop_assert!(ends_at.is_none_or(|place| place >= floor), "at {ends_at:?}, below {floor:?}");
            }
        }
    }

    #[test]
    fn what_the_site_does_not_want_is_offered_for_a_floor_alone_and_said(
        (channel, policy) in published(), station in station(), steering in steering(),
    ) {
        let decision = decide(&channel, &policy, &station.facts(Some(&steering)));
        let said = decision.warnings.iter().find_map(|warning| match warning {
            Warning::OfferedForFloor { sequence, .. } => Some(*sequence),
            _ => None,
        });
        let place = |sequence: u64| Place(channel.epoch, sequence);
        let wanted = |release: &&Release| acceptable(&channel, release, &station) && !unwanted(&steering, place(release.sequence));
        let wish = channel.releases.iter().find(wanted).map(|release| release.sequence);
        match offer(&decision) {
            Some(sequence) if unwanted(&steering, place(sequence)) => {
                prop_assert_eq!(said, Some(sequence));
                let without = wish.map(place).or(station.place());
                let closed = floors(&channel, &policy).into_iter().any(|floor| without.is_some_and(|place| place < floor) && place(sequence) >= floor);
                prop_assert!(closed, "{sequence} closes no floor that {without:?} is below");
            }
            followed => {
                prop_assert_eq!(followed, wish);
                prop_assert_eq!(said, None);
            }
        }
    }

    #[test]
    fn d_26_what_is_ignored_is_passed_over_where_the_station_does_not_need_it_and_changes_nothing_else(
        (channel, policy) in published(), station in station(), ignored in prop::collection::vec(place(), 0..6),
    ) {
        let facts = station.facts(None);
        let decision = decide(&channel, &policy, &Facts { ignored: &ignored, ..facts });
        let is_below_floor = floors(&channel, &policy).into_iter().any(|floor| station.place().is_some_and(|place| place < floor));
        if station.installed.is_none() || is_below_floor {
            prop_assert_eq!(decision, decide(&channel, &policy, &facts));
            return Ok(());
        }
        let is_silent = |release: &Release| ignored.contains(&Place(channel.epoch, release.sequence)) && !release.security;
        let wanted = channel.releases.iter().find(|release| acceptable(&channel, release, &station) && !is_silent(release));
        prop_assert_eq!(offer(&decision), wanted.map(|release| release.sequence));
        for passed in &decision.passed_over {
            let release = channel.releases.iter().find(|release| release.sequence == passed.sequence);
            let is_ignored = release.is_some_and(|release| acceptable(&channel, release, &station) && is_silent(release));
            prop_assert_eq!(passed.refusal == Refusal::Ignored, is_ignored, "{:?}", passed);
        }
    }

    #[test]
    fn the_widest_steering_is_no_steering((channel, policy) in published(), station in station()) {
        let (none, widest) = (station.facts(None), Steering::default());
        prop_assert_eq!(decide(&channel, &policy, &none), decide(&channel, &policy, &station.facts(Some(&widest))));
        let times = Steering { ramp_seconds: Some(1), soak_seconds: Some(1), check_interval_seconds: Some(1), ..Steering::default() };
        prop_assert_eq!(decide(&channel, &policy, &none), decide(&channel, &policy, &station.facts(Some(&times))));
    }

    #[test]
    fn every_newer_release_that_is_not_offered_has_its_reason(
        (channel, policy) in published(), station in station(), steering in weighted(0.8, steering()),
    ) {
        let decision = decide(&channel, &policy, &station.facts(steering.as_ref()));
        let offered = offer(&decision);
        let all = channel.releases.iter().map(|release| release.sequence).chain(channel.unavailable.iter().map(|release| release.sequence));
        let passes = |sequence: &u64| station.place().is_none_or(|installed| Place(channel.epoch, *sequence) > installed) && Some(*sequence) > offered;
        let mut expected: Vec<u64> = all.filter(passes).collect();
        expected.sort_unstable_by_key(|sequence| std::cmp::Reverse(*sequence));
        prop_assert_eq!(decision.passed_over.iter().map(|passed| passed.sequence).collect::<Vec<_>>(), expected);
        for passed in &decision.passed_over {
            let of_site = matches!(passed.refusal, Refusal::HeldBySite | Refusal::NotReleasedBySite { .. } | Refusal::PinnedBySite { .. });
            let release = channel.releases.iter().find(|release| release.sequence == passed.sequence);
            // The site is named only for what it alone keeps from the station.
            prop_assert_eq!(of_site, release.is_some_and(|release| acceptable(&channel, release, &station)));
        }
    }

    #[test]
    fn clamped_times_are_inside_the_bounds_and_stay_as_they_are(steering in steering(), bounds in bounds()) {
        let clamped = steering.clamped(&bounds);
        prop_assert!(clamped.ramp_seconds >= bounds.fastest_ramp_seconds);
        prop_assert!(clamped.soak_seconds >= bounds.least_soak_seconds);
        let interval = bounds.least_check_interval_seconds..=bounds.longest_check_interval_seconds;
        prop_assert!(interval.contains(&clamped.check_interval_seconds));
        prop_assert_eq!(Steering::from(clamped).clamped(&bounds), clamped);
        for (wish, obeyed) in [(steering.ramp_seconds, clamped.ramp_seconds), (steering.soak_seconds, clamped.soak_seconds)] {
            prop_assert!(obeyed >= wish.unwrap_or(0), "what is slower than the bounds is obeyed");
        }
        if let Some(wish) = steering.check_interval_seconds.filter(|wish| interval.contains(wish)) {
            prop_assert_eq!(clamped.check_interval_seconds, wish);
        }
    }

    #[test]
    fn bounds_that_contradict_each_other_stop_nobody(steering in steering(), numbers in any::<[u64; 4]>()) {
        let [fastest_ramp_seconds, least_soak_seconds, least_check_interval_seconds, longest_check_interval_seconds] = numbers;
        let bounds =
            SteeringBounds { fastest_ramp_seconds, least_soak_seconds, least_check_interval_seconds, longest_check_interval_seconds };
        let clamped = steering.clamped(&bounds);
        prop_assert_eq!(Steering::from(clamped).clamped(&bounds), clamped);
    }
}
