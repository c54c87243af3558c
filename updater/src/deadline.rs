//! Until when people may put a release off, and when they are warned that this ends: pure, from the deadline that its publisher signed, what was said before, and the time.

use manifests::time::UtcTime;
use serde::{Deserialize, Serialize};

/// How many minutes before a deadline people are warned, the earliest first (design section 7).
pub const WARNINGS_MINUTES: [u64; 3] = [60, 15, 5];

/// The end of the time in which a release can be put off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The build that comes then.
    pub build: String,
    /// When.
    pub at: UtcTime,
    /// In how many minutes, each that has begun counted; 0 from then on.
    pub minutes: u64,
}

impl Deadline {
    /// The deadline of `build` as it is at `now`.
    pub fn new(build: &str, at: UtcTime, now: UtcTime) -> Deadline {
        let seconds = u64::try_from(at.unix().saturating_sub(now.unix())).unwrap_or(0);
        Deadline { build: build.to_owned(), at, minutes: seconds.div_ceil(60) }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.minutes == 0
    }

    /// When the next warning is to be given after `now`, if one is.
    pub fn next_warning(&self, now: UtcTime) -> Option<UtcTime> {
        let times = WARNINGS_MINUTES.map(|minutes| UtcTime::from_unix(self.at.unix().saturating_sub_unsigned(60 * minutes)));
        times.into_iter().find(|time| *time > now)
    }

    /// The warning to be given now, one of [`WARNINGS_MINUTES`], when the last one was `last`. Each is given once, and one that nobody was there for is not made up for.
    pub fn warning(&self, last: Option<u64>) -> Option<u64> {
        let nearest = WARNINGS_MINUTES.into_iter().rev().find(|warning| self.minutes <= *warning)?;
        (!self.is_over() && last.is_none_or(|last| nearest < last)).then_some(nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_258_800;

    /// So many seconds before.
    fn before(seconds: i64) -> Deadline {
        Deadline::new("2.0.0", UtcTime::from_unix(AT), UtcTime::from_unix(AT - seconds))
    }

    #[test]
    fn people_are_warned_sixty_fifteen_and_five_minutes_before_once_each() {
        let (mut last, mut said) = (None, vec![]);
        for seconds in (-10..5400).rev() {
            if let Some(warning) = before(seconds).warning(last) {
                last = Some(warning);
                said.push((seconds, warning));
            }
        }
        assert_eq!(said, [(3600, 60), (900, 15), (300, 5)]);
    }

    #[test]
    fn whoever_was_away_hears_the_last_warning_alone_and_a_clock_that_went_back_repeats_none() {
        assert_eq!(before(180).warning(None), Some(5));
        assert_eq!(before(180).warning(Some(5)), None);
        assert_eq!(before(1200).warning(Some(5)), None);
        assert_eq!(before(3601).warning(None), None);
        assert_eq!([before(0).warning(None), before(-60).warning(Some(60))], [None; 2]);
    }

    #[test]
    fn the_time_of_the_next_warning_is_that_of_the_nearest_one_to_come() {
        let next = |seconds: i64| before(seconds).next_warning(UtcTime::from_unix(AT - seconds)).map(|time| AT - time.unix());
        assert_eq!([7200, 3601, 3600, 901, 900, 301].map(next), [3600, 3600, 900, 900, 300, 300].map(Some));
        assert_eq!([300, 1, 0, -1].map(next), [None; 4]);
    }

    #[test]
    fn the_last_second_before_it_is_a_minute_and_the_next_is_over() {
        assert_eq!([before(61).minutes, before(60).minutes, before(1).minutes, before(0).minutes], [2, 1, 1, 0]);
        assert!(before(0).is_over() && before(-1).is_over() && !before(1).is_over());
        let farthest = Deadline::new("2.0.0", UtcTime::from_unix(i64::MAX), UtcTime::from_unix(i64::MIN));
        assert!(!farthest.is_over());
    }
}
