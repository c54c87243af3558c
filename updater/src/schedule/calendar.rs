//! A period in the words of a timer that knows a calendar: hours, minutes, seconds. Pure.
//!
//! Where a period does not divide a day, the timer fires more often, at the largest step that does: the run then decides whether it is due ([`super::due`]).

/// Minutes of each hour at which a timer fires that knows minutes in the computer's own time alone: whatever its zone is and whatever summer time does to it, a moment of every period is met within the hour.
pub fn minutes(every_seconds: u64, phase_seconds: u64) -> Vec<u64> {
    let step = divisor(every_seconds, 3600).max(60);
    (0..3600 / step).map(|n| (phase_seconds % step + n * step) / 60).collect()
}

/// Hours of each day at which a timer fires; `None` when it fires in every hour, at [`minutes`].
pub fn hours(every_seconds: u64, phase_seconds: u64) -> Option<Vec<u64>> {
    let step = divisor(every_seconds, 86_400);
    let is_whole = step >= 3600 && step.is_multiple_of(3600);
    is_whole.then(|| (0..86_400 / step).map(|n| (phase_seconds % step + n * step) / 3600).collect())
}

/// The greatest length of time that divides both.
fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_becomes_hours_and_minutes() {
        let phase = 5 * 3600 + 17 * 60 + 9;
        assert_eq!(hours(4 * 3600, phase % (4 * 3600)), Some(vec![1, 5, 9, 13, 17, 21]));
        assert_eq!(minutes(4 * 3600, phase), [17]);
        assert_eq!(hours(86_400, phase), Some(vec![5]));
        assert_eq!(hours(7 * 86_400, 3 * 86_400 + phase), Some(vec![5]), "of seven starts one is due");
        assert_eq!(hours(7 * 3600, phase).map(|hours| hours.len()), Some(24));
        assert_eq!((hours(1800, 900), minutes(1800, 900)), (None, vec![15, 45]));
        assert_eq!((hours(5400, 5399), minutes(5400, 5399)), (None, vec![29, 59]));
        assert_eq!(minutes(60, 0).len(), 60);
        assert_eq!(minutes(7 * 60, 30).len(), 60);
    }
}
