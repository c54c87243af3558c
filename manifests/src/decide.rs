//! What a station does, and why: one pure decision from signed data and facts about the station (design section 3).
//!
//! The newest live release that nothing speaks against is offered. Every newer one that is passed over is named with its reason, so that `status --explain` never says
//! "no update" where it means "not for you".
//!
//! A site's steering narrows this and can do nothing else: first everything else is asked, then the site, so that what is withdrawn, replayed or blocked stays so whatever the site says. One
//! thing stands above its wishes: they do not keep a station below a security floor. Leases and assignments will narrow further, in the same way.

use std::cmp::Ordering;

use crate::build::Build;
use crate::channel::{Bound, ChannelDocument, Place, Release};
use crate::compat::{self, Terms};
use crate::digest::Digest;
use crate::policy::Policy;
use crate::steering::Steering;
use crate::time::UtcTime;

mod reasons;

pub use reasons::{PassedOver, Refusal, Required, Warning};

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
    /// A release that failed to be applied too often to be tried again.
    pub quarantined: Option<Quarantined<'a>>,
    /// Releases that somebody at the station chose to pass over (D-26).
    pub ignored: &'a [Place],
    /// The build of the updater.
    pub updater: Option<&'a Build>,
    /// The build of the platform, where there is one.
    pub platform: Option<&'a Build>,
    /// The build of the server that the client talks to, where the station knows it better than the channel.
    pub server: Option<&'a Build>,
    /// What the site wishes, where there is one.
    pub steering: Option<&'a Steering>,
    /// What time it is, for deadlines; without it none is over.
    pub now: Option<UtcTime>,
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

/// A release that failed on the station again and again.
#[derive(Debug, Clone, Copy)]
pub struct Quarantined<'a> {
    /// The digest of its manifest.
    pub manifest: Digest,
    /// How often.
    pub failures: u32,
    /// The code of the last failure.
    pub code: &'a str,
}

/// What to do, what to tell people about, and what was passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<'a> {
    /// What to do.
    pub verdict: Verdict<'a>,
    /// Newer releases that are not for this station, newest first.
    pub passed_over: Vec<PassedOver>,
    /// What its people should know about the installed release, or about what the site wants.
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

/// Decides for a station with `facts` that follows `channel` under `policy`.
pub fn decide<'a>(channel: &'a ChannelDocument, policy: &Policy, facts: &Facts<'_>) -> Decision<'a> {
    let installed = facts.installed.map(|installed| installed.place);
    let is_newer = |sequence: u64| installed.is_none_or(|place| Place(channel.epoch, sequence) > place);
    let floors = Floor::all(channel, policy);
    let mut warnings = installed.map(|place| warnings(place, channel, floors.first())).unwrap_or_default();

    // Newest first, as they are listed. What is acceptable is settled before the site is asked.
    let newer = channel.releases.iter().filter(|release| is_newer(release.sequence));
    let refusal = |release: &Release| refusal(channel, release, facts).or_else(|| ignored(channel, floors.first(), release, facts));
    let judged: Vec<(&Release, Option<Refusal>)> = newer.map(|release| (release, refusal(release))).collect();
    let acceptable: Vec<&Release> = judged.iter().filter(|(_, refusal)| refusal.is_none()).map(|(release, _)| *release).collect();
    let by_site = |release: &Release| facts.steering.and_then(|steering| steering.refusal(channel.place(release)));
    let mut chosen = acceptable.iter().copied().find(|release| by_site(release).is_none());
    if let Some((floor, steering)) = floors.first().zip(facts.steering) {
        warnings.extend(floor.above_pin(steering));
    }
    let ends_at = chosen.map(|release| channel.place(release)).or(installed);
    if let Some((release, floor)) = ends_at.and_then(|place| closing(&floors, &acceptable, channel, place)) {
        chosen = Some(release);
        warnings.push(Warning::OfferedForFloor { sequence: release.sequence, reason: floor.reason.clone() });
    }

    // Only what is newer than the offer is passed over; the rest is history.
    let is_passed = |sequence: u64| chosen.is_none_or(|release| sequence > release.sequence);
    let mut passed_over: Vec<PassedOver> = Vec::new();
    for (release, refusal) in judged.iter().filter(|(release, _)| is_passed(release.sequence)) {
        let refusal = refusal.clone().or_else(|| by_site(release));
        passed_over.extend(refusal.map(|refusal| PassedOver {
            sequence: release.sequence,
            build: Some(release.build.text().to_owned()),
            refusal,
        }));
    }
    for unavailable in channel.unavailable.iter().filter(|release| is_newer(release.sequence) && is_passed(release.sequence)) {
        let refusal = match &unavailable.withdrawn {
            Some(withdrawn) => Refusal::Withdrawn { reason: withdrawn.reason.clone() },
            None => Refusal::NotUnderstood { reason: unavailable.reason.clone() },
        };
        passed_over.push(PassedOver { sequence: unavailable.sequence, build: None, refusal });
    }
    passed_over.sort_by_key(|passed| std::cmp::Reverse(passed.sequence));
    let verdict = match chosen {
        Some(release) if facts.installed.is_some_and(|installed| installed.manifest == release.manifest.sha256) => {
            Verdict::Renumber(release)
        }
        Some(release) => Verdict::Offer(release),
        None if installed.is_none() => Verdict::NothingReleased,
        None => Verdict::UpToDate,
    };
    Decision { verdict, passed_over, warnings }
}

/// What a station that would end at `place`, below a security floor, is offered all the same. Of the floors that an acceptable release closes the highest, of the releases that close it the
/// lowest: as near to the site's wishes as can be.
fn closing<'a, 'f>(
    floors: &'f [Floor],
    acceptable: &[&'a Release],
    channel: &ChannelDocument,
    place: Place,
) -> Option<(&'a Release, &'f Floor)> {
    let closes = |floor: &Floor| acceptable.iter().copied().rfind(|release| channel.place(release) >= floor.place);
    let (floor, release) = floors.iter().find_map(|floor| closes(floor).map(|release| (floor, release)))?;
    (place < floor.place).then_some((release, floor))
}

/// What speaks against a release that is newer than the installed one.
fn refusal(channel: &ChannelDocument, release: &Release, facts: &Facts<'_>) -> Option<Refusal> {
    let place = channel.place(release);
    if let Some(withdrawn) = &release.withdrawn {
        return Some(Refusal::Withdrawn { reason: withdrawn.reason.clone() });
    }
    if facts.blocked.contains(&release.manifest.sha256) {
        return Some(Refusal::Blocked);
    }
    if let Some(failed) = facts.quarantined.filter(|failed| failed.manifest == release.manifest.sha256) {
        return Some(Refusal::Quarantined { failures: failed.failures, failure: failed.code.to_owned() });
    }
    if facts.hold.is_some_and(|(at, manifest)| place <= at || release.manifest.sha256 == manifest) {
        return Some(Refusal::Held);
    }
    if let Some(highest) = facts.highest.filter(|highest| place < *highest) {
        return Some(Refusal::Replayed { highest: highest.to_string() });
    }
    let installed = facts.installed.map(|installed| installed.build);
    let server = facts.server.or(channel.server.as_ref().map(|Bound(build)| build));
    if let Some(unmet) = compat::both_minimums(&release.requires, installed, server) {
        return Some(Refusal::Server(unmet));
    }
    let parts = [
        ("updater", &release.requires.updater, facts.updater),
        ("platform", &release.requires.platform, facts.platform),
        ("server", &release.requires.server, server),
        // Where nothing is installed, nothing is too old.
        ("client", &release.requires.client, installed.or(release.requires.client.as_ref().map(|Bound(minimum)| minimum))),
    ];
    if let Some(unmet) = parts.into_iter().find_map(|(part, minimum, present)| unmet(part, minimum.as_ref()?, present)) {
        return Some(unmet);
    }
    let beside = |server| compat::judge(&release.build, server, &channel.compat, &Terms { requires: None, ..Terms::of(release) });
    if let Some(misfit) = server.map(beside).filter(|judged| !judged.may_run()) {
        return Some(Refusal::Server(misfit));
    }
    let installed = installed.filter(|_| !release.allow_downgrade)?;
    match release.build.compare(installed) {
        Some(Ordering::Less) => Some(Refusal::Downgrade { installed: installed.text().to_owned() }),
        Some(_) => None,
        None => Some(Refusal::Incomparable { installed: installed.text().to_owned() }),
    }
}

/// Passes over a release that somebody ignored, as long as it may be (D-26). Asked last: what speaks against it anyway is the better reason.
fn ignored(channel: &ChannelDocument, floor: Option<&Floor>, release: &Release, facts: &Facts<'_>) -> Option<Refusal> {
    let is_ignored = facts.ignored.contains(&channel.place(release));
    (is_ignored && required(channel, floor, release, facts).is_none()).then_some(Refusal::Ignored)
}

/// Why nobody at a station with `facts` may ignore `release`, which is newer than what is installed there; `None` when people may (D-26, AC-33).
pub fn required_because(channel: &ChannelDocument, policy: &Policy, release: &Release, facts: &Facts<'_>) -> Option<Required> {
    required(channel, Floor::all(channel, policy).first(), release, facts)
}

fn required(channel: &ChannelDocument, floor: Option<&Floor>, release: &Release, facts: &Facts<'_>) -> Option<Required> {
    let Some(installed) = facts.installed else { return Some(Required::NothingElse) };
    let judged = compat::judge_installed(channel, installed.build, &installed.manifest, facts.server);
    if judged.is_some_and(|judged| !judged.may_run()) {
        return Some(Required::Incompatible);
    }
    if let Some(floor) = floor.filter(|floor| installed.place < floor.place) {
        return Some(Required::BelowFloor { reason: floor.reason.clone() });
    }
    if release.security {
        return Some(Required::Security);
    }
    let over = release.deadline.filter(|deadline| facts.now.is_some_and(|now| now >= *deadline));
    over.map(|deadline| Required::Overdue { deadline })
}

fn unmet(part: &'static str, minimum: &Bound, present: Option<&Build>) -> Option<Refusal> {
    let text = |build: &Build| build.text().to_owned();
    (!minimum.is_met_by(present)).then(|| Refusal::Needs { part, minimum: text(&minimum.0), present: present.map(text) })
}

/// A security floor: of the policy, or a release that is listed as one.
struct Floor {
    place: Place,
    reason: String,
}

impl Floor {
    /// All of a channel, the highest first; of two at one place the policy's, which has the better reason.
    fn all(channel: &ChannelDocument, policy: &Policy) -> Vec<Floor> {
        let of_policy = policy.floors_of(channel.id.os, &channel.id.product);
        let of_policy = of_policy.map(|(place, reason)| Floor { place, reason: reason.to_owned() });
        let known = channel.releases.iter().map(|release| (release.sequence, release.floor));
        let unknown = channel.unavailable.iter().map(|release| (release.sequence, release.floor));
        let listed = known.chain(unknown).filter(|(_, floor)| *floor).map(|(sequence, _)| sequence);
        let of_channel =
            listed.map(|sequence| Floor { place: Place(channel.epoch, sequence), reason: format!("release {sequence} closes it") });
        let mut all: Vec<Floor> = of_policy.chain(of_channel).collect();
        all.sort_by_key(|floor| std::cmp::Reverse(floor.place));
        all
    }

    fn above_pin(&self, steering: &Steering) -> Option<Warning> {
        let pin = steering.pin.filter(|pin| *pin < self.place)?;
        Some(Warning::PinBelowFloor { to: pin.to_string(), reason: self.reason.clone() })
    }
}

/// What people should know of the release at `place`: before going back to it, for instance.
pub fn objections(place: Place, channel: &ChannelDocument, policy: &Policy) -> Vec<Warning> {
    warnings(place, channel, Floor::all(channel, policy).first())
}

fn warnings(installed: Place, channel: &ChannelDocument, floor: Option<&Floor>) -> Vec<Warning> {
    let here = (installed.0 == channel.epoch).then_some(installed.1);
    let known = channel.releases.iter().map(|release| (release.sequence, &release.withdrawn));
    let unknown = channel.unavailable.iter().map(|release| (release.sequence, &release.withdrawn));
    let withdrawn = known.chain(unknown).filter(|(sequence, _)| Some(*sequence) == here).find_map(|(_, withdrawn)| withdrawn.as_ref());
    let withdrawn = withdrawn.map(|withdrawn| Warning::InstalledWithdrawn { reason: withdrawn.reason.clone() });
    let below = floor.filter(|floor| installed < floor.place).map(|floor| Warning::BelowFloor { reason: floor.reason.clone() });
    withdrawn.into_iter().chain(below).collect()
}

#[cfg(test)]
mod tests;
