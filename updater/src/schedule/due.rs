//! Whether a scheduled run is due. Pure.
//!
//! Periods are counted from 1970, each beginning at the station's own moment. A run is due when the last one was in another period: so of many starts in a period one asks, after a sleep through
//! many periods one asks, and what people do in between counts for nothing (AC-27, AC-29). A clock that was set back is in another period, too: it holds nothing up.
//!
//! A run that did not come through has not had its period: a laptop wakes before its network does. It is tried again within the period, each time after twice as long, until one comes through: a server
//! that is away for days is soon asked once in each period, as ever.

use manifests::time::UtcTime;

/// How much too early a timer may fire, in seconds: cron knows minutes, and a station's moment has seconds.
const EARLY_SECONDS: i64 = 60;

/// How long a run is not tried again after the first that did not come through, in seconds; after each further one it is twice as long.
const AGAIN_SECONDS: i64 = 900;

/// What a scheduled run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It checks.
    Now,
    /// This period has had its check; the next begins at this time.
    At(UtcTime),
    /// This period's check did not come through; it is tried again from this time on.
    Again(UtcTime),
}

/// Whether a run at `now` is due, after the one that began at `last` and was the `failed`th in a row that did not come through; 0 when it did.
pub fn due(every_seconds: u64, phase_seconds: u64, last: Option<UtcTime>, failed: u32, now: UtcTime) -> Due {
    let period_of = |at| period(every_seconds, phase_seconds, at);
    let Some(last) = last.filter(|last| period_of(*last) == period_of(now)) else { return Due::Now };
    let next = next(every_seconds, phase_seconds, now);
    let Some(doubled) = failed.checked_sub(1) else { return Due::At(next) };
    let wait = AGAIN_SECONDS.saturating_mul(2_i64.saturating_pow(doubled));
    match UtcTime::from_unix(last.unix().saturating_add(wait)) {
        again if again.unix() <= now.unix() + EARLY_SECONDS => Due::Now,
        again => Due::Again(again.min(next)),
    }
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
            let is_due = due(every, phase, last, 0, UtcTime::from_unix(*at)) == Due::Now;
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
        let Due::At(next) = due(14_400, 1_000, Some(now), 0, now) else { panic!("it was taken") };
        assert_eq!(next.unix(), DAY + 1_000);
        assert_eq!(due(14_400, 1_000, Some(now), 0, next), Due::Now);
        let before = UtcTime::from_unix(next.unix() - EARLY_SECONDS - 1);
        assert_eq!(due(14_400, 1_000, Some(now), 0, before), Due::At(next));
    }

    #[test]
    fn ac_29_what_does_not_come_through_is_tried_again_in_its_period_each_time_after_twice_as_long_and_then_once_in_each() {
        let (every, phase) = (14_400, 1_000);
        let (mut last, mut failed, mut tried) = (None, 0, vec![]);
        for minute in 0..12 * 60 {
            let now = UtcTime::from_unix(DAY + 1_000 + minute * 60);
            match due(every, phase, last, failed, now) {
                Due::Now => {
                    failed += 1;
                    last = Some(now);
                    tried.push(minute);
                }
                Due::Again(again) => assert!(now < again && again <= next(every, phase, now), "{again}"),
                Due::At(next) => panic!("{minute}: nothing came through, and the next is {next}"),
            }
        }
        // A timer may fire a minute early.
        assert_eq!(tried, [0, 14, 43, 102, 221, 239, 479, 719]);
        let last = last.unwrap();
        assert_eq!(due(every, phase, Some(last), u32::MAX, last), Due::Again(next(every, phase, last)), "no number is too large");
    }
}
