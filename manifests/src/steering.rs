//! What a site wishes for one channel: a hold, a limit, a pin, and how fast. It may only narrow (design section 3).
//!
//! Wishes cannot add a release: they are asked only about releases that nothing else speaks against ([`crate::decide`]). Times are clamped to the bounds that the publisher's policy signs
//! ([`Steering::clamped`]), by the station that reads them, so that a site, or who stole its key, can slow stations down and never hurry or blind them. Security floors stand above every wish.

use crate::channel::Place;
use crate::decide::Refusal;
use crate::policy::SteeringBounds;

/// How often stations check where nobody says otherwise: four hours, in seconds.
pub const DEFAULT_CHECK_INTERVAL_SECONDS: u64 = 4 * 60 * 60;

/// A site's wishes for one channel. The default is the widest there is: no wish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steering {
    /// Nothing new is offered.
    pub hold: bool,
    /// The highest place that the site has released to its stations; all that the publisher lists, when absent.
    pub released_up_to: Option<Place>,
    /// The one release that is offered.
    pub pin: Option<Place>,
    /// How long a rollout to everybody takes, in seconds; as fast as is allowed, when absent.
    pub ramp_seconds: Option<u64>,
    /// How long a ring waits for the one before it, in seconds; as short as is allowed, when absent.
    pub soak_seconds: Option<u64>,
    /// How often a station checks, in seconds; [`DEFAULT_CHECK_INTERVAL_SECONDS`], when absent.
    pub check_interval_seconds: Option<u64>,
}

/// A site's times as a station obeys them: inside the publisher's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clamped {
    /// How long a rollout to everybody takes, in seconds: never less than `fastest_ramp_seconds`.
    pub ramp_seconds: u64,
    /// How long a ring waits for the one before it, in seconds: never less than `least_soak_seconds`.
    pub soak_seconds: u64,
    /// How often a station checks, in seconds: between `least_check_interval_seconds` and `longest_check_interval_seconds`.
    pub check_interval_seconds: u64,
}

impl Steering {
    /// The site's times inside `bounds`, which are a policy's: their least check interval is not above the longest.
    pub fn clamped(&self, bounds: &SteeringBounds) -> Clamped {
        let interval = self.check_interval_seconds.unwrap_or(DEFAULT_CHECK_INTERVAL_SECONDS);
        Clamped {
            ramp_seconds: self.ramp_seconds.unwrap_or(0).max(bounds.fastest_ramp_seconds),
            soak_seconds: self.soak_seconds.unwrap_or(0).max(bounds.least_soak_seconds),
            // Not `clamp`, which panics over bounds that contradict each other.
            check_interval_seconds: interval.max(bounds.least_check_interval_seconds).min(bounds.longest_check_interval_seconds),
        }
    }

    /// What the site has against the release at `place`.
    pub fn refusal(&self, place: Place) -> Option<Refusal> {
        if self.hold {
            return Some(Refusal::HeldBySite);
        }
        if let Some(up_to) = self.released_up_to.filter(|up_to| place > *up_to) {
            return Some(Refusal::NotReleasedBySite { up_to: up_to.to_string() });
        }
        let pin = self.pin.filter(|pin| *pin != place)?;
        Some(Refusal::PinnedBySite { to: pin.to_string() })
    }
}

impl From<Clamped> for Steering {
    /// Wishes for exactly these times, and no others.
    fn from(times: Clamped) -> Steering {
        Steering {
            ramp_seconds: Some(times.ramp_seconds),
            soak_seconds: Some(times.soak_seconds),
            check_interval_seconds: Some(times.check_interval_seconds),
            ..Steering::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: SteeringBounds = SteeringBounds {
        fastest_ramp_seconds: 3_600,
        least_soak_seconds: 600,
        least_check_interval_seconds: 300,
        longest_check_interval_seconds: 86_400,
    };

    fn times(ramp: u64, soak: u64, check: u64) -> Clamped {
        Clamped { ramp_seconds: ramp, soak_seconds: soak, check_interval_seconds: check }
    }

    #[test]
    fn a_site_may_slow_stations_down_and_never_hurry_or_blind_them() {
        let wish = |ramp, soak, check| Steering::from(times(ramp, soak, check)).clamped(&BOUNDS);
        assert_eq!(wish(0, 0, 0), times(3_600, 600, 300));
        assert_eq!(wish(7_200, 1_200, 900), times(7_200, 1_200, 900));
        assert_eq!(wish(u64::MAX, u64::MAX, u64::MAX), times(u64::MAX, u64::MAX, 86_400));
    }

    #[test]
    fn where_nobody_says_how_often_stations_check_every_four_hours() {
        assert_eq!(Steering::default().clamped(&SteeringBounds::default()), times(0, 0, 14_400));
        assert_eq!(Steering::default().clamped(&BOUNDS), times(3_600, 600, 14_400));
    }

    #[test]
    fn a_wish_has_its_reason() {
        let place = Place(1, 7);
        assert_eq!(Steering::default().refusal(place), None);
        assert_eq!(Steering { hold: true, ..Steering::default() }.refusal(place), Some(Refusal::HeldBySite));
        let up_to = |sequence| Steering { released_up_to: Some(Place(1, sequence)), ..Steering::default() };
        assert_eq!((up_to(7).refusal(place), up_to(6).refusal(place)), (None, Some(Refusal::NotReleasedBySite { up_to: "6".into() })));
        let pin = |epoch, sequence| Steering { pin: Some(Place(epoch, sequence)), ..Steering::default() };
        assert_eq!((pin(1, 7).refusal(place), pin(2, 7).refusal(place)), (None, Some(Refusal::PinnedBySite { to: "2:7".into() })));
    }
}
