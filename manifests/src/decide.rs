//! What a station does, and why: one pure decision from signed data and facts about the station (design section 3).
//!
//! The newest live release that nothing speaks against is offered. Every newer one that is passed over is named with its reason, so that `status --explain` never says
//! "no update" where it means "not for you". Sites, leases and assignments will narrow this further; none of them can widen it.

use std::cmp::Ordering;

use serde::Serialize;

use crate::build::Build;
use crate::channel::{Bound, ChannelDocument, Place, Release};
use crate::digest::Digest;
use crate::policy::Policy;

/// What is known of the station.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// What is installed.
    pub installed: Option<Installed<'a>>,
    /// The highest place that the station ever accepted.
    pub highest: Option<Place>,
    /// What a rollback left: nothing up to it is offered.
    pub hold: Option<(Place, Digest)>,
    /// Manifests that failed to live on this station.
    pub blocked: &'a [Digest],
    /// The build of the updater.
    pub updater: Option<&'a Build>,
    /// The build of the platform, where there is one.
    pub platform: Option<&'a Build>,
    /// The build of the server that the client talks to, where it is known.
    pub server: Option<&'a Build>,
}

/// An installed release.
#[derive(Debug, Clone, Copy)]
pub struct Installed<'a> {
    /// Its place.
    pub place: Place,
    /// Its build.
    pub build: &'a Build,
    /// The digest of its manifest.
    pub manifest: Digest,
}

/// What to do, what to tell people about, and what was passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<'a> {
    /// What to do.
    pub verdict: Verdict<'a>,
    /// Newer releases that are not for this station, newest first.
    pub passed_over: Vec<PassedOver>,
    /// What its people should know about the installed release.
    pub warnings: Vec<Warning>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'a> {
    /// Nothing is installed, and no release is for this station.
    NothingReleased,
    /// Nothing newer is for this station.
    UpToDate,
    /// The installed files were released again under a higher sequence: only the record changes.
    Renumber(&'a Release),
    /// This release is offered.
    Offer(&'a Release),
}

/// A release that is not for this station, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its sequence.
    pub sequence: u64,
    /// Its build, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Why.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// Why a release is not for this station. Each has a stable code, in kebab case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Refusal {
    /// A rollback left it.
    #[error("held: a rollback on this station left it; `updater unhold` releases it, and so does any newer release")]
    Held,
    /// It failed to live here.
    #[error("blocked: it was installed here before and did not live")]
    Blocked,
    /// The publisher withdrew it.
    #[error("withdrawn by its publisher: {reason}")]
    Withdrawn {
        /// Why, in the publisher's words.
        reason: String,
    },
    /// Its build is below the installed one, and it is not marked as a way back (D-06).
    #[error("its build is older than the installed {installed}, and it is not marked `allow_downgrade`")]
    Downgrade {
        /// The installed build.
        installed: String,
    },
    /// Its build is in another notation than the installed one, which cannot be compared (D-08).
    #[error("its build cannot be compared with the installed {installed}, and it is not marked `allow_downgrade`")]
    Incomparable {
        /// The installed build.
        installed: String,
    },
    /// The station accepted a higher sequence before (A4, AC-50).
    #[error("its sequence is below {highest}, which this station has accepted before")]
    Replayed {
        /// The highest place accepted.
        highest: String,
    },
    /// It needs a newer updater, platform or server than there is (AC-22).
    #[error("it needs {part} {minimum} or newer; {}", .present.as_ref().map_or("none is known here".to_owned(), |build| format!("this is {build}")))]
    Needs {
        /// `updater`, `platform` or `server`.
        part: &'static str,
        /// The lowest build that will do.
        minimum: String,
        /// The build at hand.
        #[serde(skip_serializing_if = "Option::is_none")]
        present: Option<String>,
    },
    /// It uses something that this updater does not know.
    #[error("it needs a newer updater ({reason})")]
    NotUnderstood {
        /// What is not known.
        reason: String,
    },
}

/// What people should know about the installed release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Warning {
    /// The publisher withdrew it.
    #[error("the installed release was withdrawn by its publisher: {reason}")]
    InstalledWithdrawn {
        /// Why, in the publisher's words.
        reason: String,
    },
    /// It is below a security floor.
    #[error("the installed release is below a security floor: {reason}")]
    BelowFloor {
        /// Why.
        reason: String,
    },
}

/// Decides for a station with `facts` that follows `channel` under `policy`.
pub fn decide<'a>(channel: &'a ChannelDocument, policy: &Policy, facts: &Facts<'_>) -> Decision<'a> {
    let installed = facts.installed.map(|installed| installed.place);
    let is_newer = |sequence: u64| installed.is_none_or(|place| Place(channel.epoch, sequence) > place);
    let mut passed_over: Vec<PassedOver> = Vec::new();
    for unavailable in channel.unavailable.iter().filter(|release| is_newer(release.sequence)) {
        let refusal = match &unavailable.withdrawn {
            Some(withdrawn) => Refusal::Withdrawn { reason: withdrawn.reason.clone() },
            None => Refusal::NotUnderstood { reason: unavailable.reason.clone() },
        };
        passed_over.push(PassedOver { sequence: unavailable.sequence, build: None, refusal });
    }
    let mut chosen = None;
    for release in channel.releases.iter().filter(|release| is_newer(release.sequence)) {
        match refusal(channel.place(release), release, facts) {
            Some(refusal) => {
                passed_over.push(PassedOver { sequence: release.sequence, build: Some(release.build.text().to_owned()), refusal })
            }
            None => {
                chosen = Some(release);
                break;
            }
        }
    }
    // Only what is newer than the offer is passed over; the rest is history.
    passed_over.retain(|passed| chosen.is_none_or(|release| passed.sequence > release.sequence));
    passed_over.sort_by_key(|passed| std::cmp::Reverse(passed.sequence));
    let verdict = match chosen {
        Some(release) if facts.installed.is_some_and(|installed| installed.manifest == release.manifest.sha256) => {
            Verdict::Renumber(release)
        }
        Some(release) => Verdict::Offer(release),
        None if installed.is_none() => Verdict::NothingReleased,
        None => Verdict::UpToDate,
    };
    Decision { verdict, passed_over, warnings: installed.map(|place| warnings(place, channel, policy)).unwrap_or_default() }
}

/// What speaks against a release that is newer than the installed one.
fn refusal(place: Place, release: &Release, facts: &Facts<'_>) -> Option<Refusal> {
    if let Some(withdrawn) = &release.withdrawn {
        return Some(Refusal::Withdrawn { reason: withdrawn.reason.clone() });
    }
    if facts.blocked.contains(&release.manifest.sha256) {
        return Some(Refusal::Blocked);
    }
    if facts.hold.is_some_and(|(at, manifest)| place <= at || release.manifest.sha256 == manifest) {
        return Some(Refusal::Held);
    }
    if let Some(highest) = facts.highest.filter(|highest| place < *highest) {
        return Some(Refusal::Replayed { highest: highest.to_string() });
    }
    let parts = [
        ("updater", &release.requires.updater, facts.updater),
        ("platform", &release.requires.platform, facts.platform),
        ("server", &release.requires.server, facts.server),
    ];
    if let Some(unmet) = parts.into_iter().find_map(|(part, minimum, present)| unmet(part, minimum.as_ref()?, present)) {
        return Some(unmet);
    }
    let installed = facts.installed.filter(|_| !release.allow_downgrade)?.build;
    match release.build.compare(installed) {
        Some(Ordering::Less) => Some(Refusal::Downgrade { installed: installed.text().to_owned() }),
        Some(_) => None,
        None => Some(Refusal::Incomparable { installed: installed.text().to_owned() }),
    }
}

fn unmet(part: &'static str, Bound(minimum): &Bound, present: Option<&Build>) -> Option<Refusal> {
    let met = present.and_then(|present| present.compare(minimum)).is_some_and(Ordering::is_ge);
    let present = present.map(|build| build.text().to_owned());
    (!met).then(|| Refusal::Needs { part, minimum: minimum.text().to_owned(), present })
}

fn warnings(installed: Place, channel: &ChannelDocument, policy: &Policy) -> Vec<Warning> {
    let here = (installed.0 == channel.epoch).then_some(installed.1);
    let known = channel.releases.iter().map(|release| (release.sequence, &release.withdrawn));
    let unknown = channel.unavailable.iter().map(|release| (release.sequence, &release.withdrawn));
    let withdrawn = known.chain(unknown).filter(|(sequence, _)| Some(*sequence) == here).find_map(|(_, withdrawn)| withdrawn.as_ref());
    let mut warnings: Vec<Warning> =
        withdrawn.map(|withdrawn| Warning::InstalledWithdrawn { reason: withdrawn.reason.clone() }).into_iter().collect();
    let of_policy = policy.floor(channel.id.os, &channel.id.product).filter(|(floor, _)| installed < *floor);
    let listed = channel
        .releases
        .iter()
        .map(|release| (release.sequence, release.floor))
        .chain(channel.unavailable.iter().map(|release| (release.sequence, release.floor)));
    let of_channel =
        listed.filter(|(sequence, floor)| *floor && installed < Place(channel.epoch, *sequence)).map(|(sequence, _)| sequence).max();
    if let Some((_, reason)) = of_policy {
        warnings.push(Warning::BelowFloor { reason: reason.to_owned() });
    } else if let Some(sequence) = of_channel {
        warnings.push(Warning::BelowFloor { reason: format!("release {sequence} closes it") });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Compatible, Kind, ObjectRef, Requires, Withdrawn};
    use crate::name::ChannelId;
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
        assert!(matches!(
            offered(&channel(vec![release(3, "17.3.0.14")]), &at(2, &build("2.0.0"))),
            Err(Some(Refusal::Incomparable { .. }))
        ));
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
}
