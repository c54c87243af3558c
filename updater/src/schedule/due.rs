//! Whether a scheduled run is due. Pure.
//!
//! Periods are counted from 1970, each beginning at the station's own moment. A run is due when the last one was in another period: so of many starts in a period one asks, after a sleep through
//! many periods one asks, and what people do in between counts for nothing (AC-27, AC-29). A clock that was set back is in another period, too: it holds nothing up.

use manifests::time::UtcTime;

/// How much too early a timer may fire, in seconds: cron knows minutes, and a station's moment has seconds.
const EARLY_SECONDS: i64 = 60;

/// What a scheduled run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It checks.
    Now,
    /// This period has had its check; the next begins at this time.
    At(UtcTime),
}

/// Whether a run at `now` is due, after the one that began at `last`.
pub fn due(every_seconds: u64, phase_seconds: u64, last: Option<UtcTime>, now: UtcTime) -> Due {
    let is_taken = last.is_some_and(|last| period(every_seconds, phase_seconds, last) == period(every_seconds, phase_seconds, now));
    if is_taken { Due::At(next(every_seconds, phase_seconds, now)) } else { Due::Now }
}

/// When the period after the one of `now` begins.
pub fn next(every_seconds: u64, phase_seconds: u64, now: UtcTime) -> UtcTime {
    let (every, phase) = (signed(every_seconds).max(1), signed(phase_seconds));
    UtcTime::from_unix(period(every_seconds, phase_seconds, now).saturating_add(1).saturating_mul(every).saturating_add(phase))
}

fn period(every_seconds: u64, phase_seconds: u64, at: UtcTime) -> i64 {
    (at.unix() + EARLY_SECONDS - signed(phase_seconds)).div_euclid(signed(every_seconds).max(1))
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 1_763_683_200;

    /// The times at which runs asked, of starts at `starts`.
    fn asked(every: u64, phase: u64, starts: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut last = None;
        let ask = |at: &i64| {
            let is_due = due(every, phase, last, UtcTime::from_unix(*at)) == Due::Now;
            if is_due {
                last = Some(UtcTime::from_unix(*at));
            }
            is_due
        };
        let mut ask = ask;
        starts.filter(|at| ask(at)).collect()
    }

    #[test]
    fn ac_27_of_a_start_every_minute_one_in_each_period_asks_at_the_moment_of_the_station() {
        for (every, phase) in [(14_400, 5_000), (3_600, 3_599), (25_200, 61), (60, 0), (604_800, 86_400)] {
            let whole = i64::try_from(every).unwrap();
            let asked = asked(every, phase, (0..3 * whole / 60 + 2).map(|minute| DAY + minute * 60));
            // The first start asks at once; from then on they lie a period apart.
            let gaps: Vec<i64> = asked[1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(gaps.iter().all(|gap| *gap == whole), "{every} {phase}: {gaps:?}");
            assert!((3..=5).contains(&asked.len()), "{every} {phase}: {asked:?}");
        }
    }

    #[test]
    fn ac_29_a_sleep_of_three_periods_costs_one_check() {
        let (every, phase) = (14_400, 1_000);
        let asleep = [0, 14_400].into_iter().chain((0..20).map(|minute| 14_400 * 5 + 77 + minute * 60));
        assert_eq!(asked(every, phase, asleep.map(|at| DAY + 1_000 + at)), [DAY + 1_000, DAY + 15_400, DAY + 73_077]);
    }

    #[test]
    fn ac_27_a_clock_that_was_set_back_holds_nothing_up() {
        let year = 365 * 86_400;
        assert_eq!(asked(14_400, 9, [DAY + year, DAY, DAY + 60].into_iter()), [DAY + year, DAY]);
    }

    #[test]
    fn the_next_moment_is_said_and_is_due() {
        let now = UtcTime::from_unix(DAY + 123);
        let Due::At(next) = due(14_400, 1_000, Some(now), now) else { panic!("it was taken") };
        assert_eq!(next.unix(), DAY + 1_000);
        assert_eq!(due(14_400, 1_000, Some(now), next), Due::Now);
        let before = UtcTime::from_unix(next.unix() - EARLY_SECONDS - 1);
        assert_eq!(due(14_400, 1_000, Some(now), before), Due::At(next));
    }
}
