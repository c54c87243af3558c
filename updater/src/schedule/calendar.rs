//! A period in the words of a timer: how often it fires, and at which minutes of an hour. Pure.
//!
//! It fires every hour at least, at the minute of the station's moment, and the run decides whether it is due ([`super::due`]): what did not come through is tried again, and whatever the zone of a
//! computer is and summer time does to it, a moment of every period is met. An account's task on Windows alone goes by its period ([`super::windows_task`]).

/// The time from one start to the next, in seconds: an hour, or the longest that divides it and the period, so that each period begins with a start.
pub fn step(every_seconds: u64) -> u64 {
    divisor(every_seconds, 3600).max(60)
}

/// Minutes of each hour at which a timer fires.
pub fn minutes(every_seconds: u64, phase_seconds: u64) -> Vec<u64> {
    let step = step(every_seconds);
    (0..3600 / step).map(|n| (phase_seconds % step + n * step) / 60).collect()
}

/// The greatest length of time that divides both.
fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_becomes_minutes() {
        let phase = 5 * 3600 + 17 * 60 + 9;
        for hours in [1, 4, 7, 24, 7 * 24] {
            assert_eq!((step(hours * 3600), minutes(hours * 3600, phase)), (3600, vec![17]));
        }
        assert_eq!((step(1800), minutes(1800, 900)), (1800, vec![15, 45]));
        assert_eq!((step(5400), minutes(5400, 5399)), (1800, vec![29, 59]));
        assert_eq!(minutes(60, 0).len(), 60);
        assert_eq!(minutes(7 * 60, 30).len(), 60);
    }
}
